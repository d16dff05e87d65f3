/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may become of an entry: rights, state, size, and the invalid kinds.
 * Beside paging_tests.h, for the same includers.
 */

/* ---- a walk over good leaves ------------------------------------------- */

typedef void (*leaf_check)(const struct nw_geometry *geo, unsigned level,
			   const struct nw_attrs *attrs, uint64_t leaf);

/* Every leaf that can be expressed, at its sample address. */
static void each_leaf(leaf_check check)
{
	unsigned features = 0, level, prot, memtype, flags;

	do {
		struct nw_geometry geo = shape_of(features, oa_max());

		for (level = 0; level < 5; level++)
			for (prot = 1; prot <= NW_PROT_RWX; prot++)
				for (memtype = 0; memtype < NW_MEM_COUNT;
				     memtype++) {
					struct nw_attrs attrs = {
						.prot = (uint8_t)prot,
						.memtype = (uint8_t)memtype,
						.share = NW_SHARE_INNER,
						.software = (uint8_t)manual
								    .software};

					flags = 0;
					do {
						uint64_t leaf;

						attrs.flags = (uint16_t)flags;
						leaf = manual.encode(
							features, level, &attrs,
							sample_pa[level]);
						if (leaf)
							check(&geo, level,
							      &attrs, leaf);
						flags = next_flags(flags);
					} while (flags);
				}
		features = next_features(features);
	} while (features);
}

/* ---- rights ------------------------------------------------------------ */

static void check_rights(const struct nw_geometry *geo, unsigned level,
			 const struct nw_attrs *attrs, uint64_t leaf)
{
	unsigned prot;

	for (prot = 0; prot <= NW_PROT_RWX + 1; prot++) {
		struct nw_attrs more = *attrs, less = *attrs;
		uint64_t want_more, want_less, got_more = 0, got_less = 0;
		enum nw_status relax, restrict_;

		more.prot |= (uint8_t)prot;
		less.prot &= (uint8_t)~prot;
		want_more = manual.encode(geo->features, level, &more,
					  sample_pa[level]);
		want_less = prot > NW_PROT_RWX
				    ? 0
				    : manual.encode(geo->features, level, &less,
						    sample_pa[level]);
		relax = nwf_leaf_relax(geo, leaf, prot, &got_more);
		restrict_ = nwf_leaf_restrict(geo, leaf, prot, &got_less);
		if (got_more == want_more && got_less == want_less &&
		    relax == (want_more ? NW_OK : NW_E_ATTRS) &&
		    restrict_ == (want_less ? NW_OK : NW_E_ATTRS))
			continue;
		fail_msg("level %u features %#x leaf %#" PRIx64
			 " prot %#x: relax %d %#" PRIx64 " expected %#" PRIx64
			 ", restrict %d %#" PRIx64 " expected %#" PRIx64,
			 level, geo->features, leaf, prot, (int)relax, got_more,
			 want_more, (int)restrict_, got_less, want_less);
	}
}

static void rights_change_alone_and_only_as_asked(void **state)
{
	(void)state;
	each_leaf(check_rights);
}

/* ---- accessed, dirty, write protection --------------------------------- */

static uint64_t with_flags(const struct nw_geometry *geo, unsigned level,
			   const struct nw_attrs *attrs, unsigned clear,
			   unsigned set, unsigned prot)
{
	struct nw_attrs changed = *attrs;

	changed.flags = (uint16_t)((attrs->flags & ~clear) | set);
	changed.prot = (uint8_t)prot;
	return manual.encode(geo->features, level, &changed, sample_pa[level]);
}

static void check_state(const struct nw_geometry *geo, unsigned level,
			const struct nw_attrs *attrs, uint64_t leaf)
{
	unsigned prot = attrs->prot;
	int young = (attrs->flags & NW_LEAF_ACCESSED) != 0;
	int dirty = (attrs->flags & NW_LEAF_DIRTY) != 0;
	int has_state = HAS_STATE(geo->features);
	uint64_t old = with_flags(geo, level, attrs, NW_LEAF_ACCESSED, 0, prot);
	uint64_t now = with_flags(geo, level, attrs, 0, NW_LEAF_ACCESSED, prot);
	uint64_t soiled = with_flags(geo, level, attrs, 0, NW_LEAF_DIRTY, prot);
	uint64_t clean = with_flags(geo, level, attrs, NW_LEAF_DIRTY, 0, prot);
	uint64_t tame = with_flags(geo, level, attrs, NW_LEAF_DIRTY, 0,
				   prot & ~NW_PROT_W);
	uint64_t bits = nwf_leaf_state_bits(geo, leaf);

	/* Where a state cannot be expressed, nothing changes. */
	if (!old)
		old = leaf;
	if (!soiled)
		soiled = leaf;
	if ((nwf_leaf_is_accessed(leaf) != 0) == young &&
	    (nwf_leaf_is_dirty(geo, leaf) != 0) == dirty &&
	    nwf_leaf_clear_accessed(leaf) == old &&
	    nwf_leaf_set_accessed(leaf) == now &&
	    nwf_leaf_clean(geo, leaf) == clean &&
	    nwf_leaf_set_dirty(geo, leaf) == soiled &&
	    (!tame || nwf_leaf_write_protect(geo, leaf) == tame) &&
	    !(nwf_leaf_prot(geo, nwf_leaf_write_protect(geo, leaf)) &
	      NW_PROT_W) &&
	    /* Nothing but state is called state. */
	    (has_state ? ((old ^ now) | (soiled ^ clean)) == 0 ||
				 !(((old ^ now) | (soiled ^ clean)) & ~bits)
		       : bits == 0))
		return;
	fail_msg("level %u features %#x leaf %#" PRIx64 ": young %d dirty %d "
		 "old %#" PRIx64 " clean %#" PRIx64 " protected %#" PRIx64,
		 level, geo->features, leaf, nwf_leaf_is_accessed(leaf),
		 nwf_leaf_is_dirty(geo, leaf), nwf_leaf_clear_accessed(leaf),
		 nwf_leaf_clean(geo, leaf), nwf_leaf_write_protect(geo, leaf));
}

static void state_changes_alone_and_as_asked(void **state)
{
	(void)state;
	each_leaf(check_state);
}

/* Hardware writes a leaf whose access, or whose permitted write, it has yet to
 * record, and no other. */
static void check_hardware(const struct nw_geometry *geo, unsigned level,
			   const struct nw_attrs *attrs, uint64_t leaf)
{
	int expected = 0;

	if (HARDWARE_SETS_STATE(geo->features)) {
		if (!(attrs->flags & NW_LEAF_ACCESSED))
			expected = 1;
		if ((attrs->prot & NW_PROT_W) &&
		    !(attrs->flags & NW_LEAF_DIRTY))
			expected = 1;
	}
	if ((nwf_leaf_hw_writable(geo, leaf) != 0) != expected)
		fail_msg("level %u features %#x leaf %#" PRIx64 ": expected %d",
			 level, geo->features, leaf, expected);
	assert_false(nwf_leaf_hw_writable(geo, nwf_annotation(1)));
}

static void hardware_writes_leaf_with_state_to_record(void **state)
{
	(void)state;
	each_leaf(check_hardware);
}

/* ---- several leaves at once -------------------------------------------- */

#define GROUP 4

static void check_some(const char *what, enum nw_leaf_some some, unsigned count)
{
	if ((some == NW_LEAF_ALL && count != GROUP) ||
	    (some == NW_LEAF_NONE && count))
		fail_msg("%s: %d for %u", what, (int)some, count);
}

/* An answer about a group may be doubt, but never wrong; of equal leaves whose
 * hardware keeps state, it is no doubt. */
static void check_group(const struct nw_geometry *geo, unsigned level,
			const uint64_t *e)
{
	unsigned writable = 0, dirty = 0, young = 0, leaves = 0, i;
	uint64_t all = ~UINT64_C(0), any = 0;

	for (i = 0; i < GROUP; i++) {
		all &= e[i];
		any |= e[i];
		leaves += nwf_is_leaf(level, e[i]) != 0;
		writable += nwf_leaf_write_protect(geo, e[i]) != e[i];
		dirty += nwf_leaf_clean(geo, e[i]) != e[i];
		young += nwf_leaf_clear_accessed(e[i]) != e[i];
		if (!nwf_hw_updates(geo) && nwf_leaf_hw_writable(geo, e[i]))
			fail_msg("hardware updates %#" PRIx64, e[i]);
	}
	if (nwf_all_leaves(level, all, any) && leaves != GROUP)
		fail_msg("%u leaves", leaves);
	if (leaves != GROUP)
		return;
	check_some("writable", nwf_group_writable(geo, all, any), writable);
	check_some("dirty", nwf_group_dirty(geo, all, any), dirty);
	check_some("accessed", nwf_group_accessed(geo, all, any), young);
	if (all == any && !nwf_all_leaves(level, all, any))
		fail_msg("equal leaves %#" PRIx64, all);
}

static void group_of_leaves_is_judged_rightly_or_in_doubt(void **state)
{
	unsigned features = 0, level, n, i;
	uint64_t seed = 11;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());

		for (level = 0; level < 5; level++)
			for (n = 0; n < 4000; n++) {
				struct nw_attrs attrs = plain_attrs();
				uint64_t e[GROUP];

				for (i = 0; i < GROUP; i++) {
					uint64_t r = scramble(&seed);

					attrs.prot = (uint8_t)(r & NW_PROT_RWX);
					attrs.flags = (uint16_t)(r >> 8 &
								 manual.flags);
					e[i] = manual.encode(features, level,
							     &attrs,
							     sample_pa[level]);
					if (!e[i] || r >> 60 == 1)
						e[i] = nwf_annotation(1);
					else if (level && r >> 60 == 2)
						e[i] = nwf_table_entry(&geo, 0);
					if (i && n & 1)
						e[i] = e[0];
				}
				check_group(&geo, level, e);
			}
		features = next_features(features);
	} while (features);
}

/* ---- size -------------------------------------------------------------- */

static void check_split(const struct nw_geometry *geo, unsigned level,
			const struct nw_attrs *attrs, uint64_t leaf)
{
	uint64_t child, below, i;

	if (!level)
		return;
	child = nwf_split_child(geo, level, leaf);
	below = manual.encode(geo->features, level - 1, attrs,
			      sample_pa[level]);
	if (child != below)
		fail_msg("level %u features %#x leaf %#" PRIx64
			 " child %#" PRIx64 " expected %#" PRIx64,
			 level, geo->features, leaf, child, below);
	if (nwf_collapse_parent(geo, level, child) != leaf)
		fail_msg("level %u features %#x child %#" PRIx64
			 " parent %#" PRIx64 " expected %#" PRIx64,
			 level, geo->features, child,
			 nwf_collapse_parent(geo, level, child), leaf);
	for (i = 1; i < 3; i++) {
		uint64_t pa = sample_pa[level] + (i << leaf_lg2(level - 1));

		child = nwf_leaf_next(geo, level - 1, child);
		if (child != manual.encode(geo->features, level - 1, attrs, pa))
			fail_msg("level %u features %#x child %" PRIu64
				 " is %#" PRIx64,
				 level, geo->features, i, child);
		/* Only the first child begins where a parent may. */
		assert_true(nwf_collapse_parent(geo, level, child) == 0);
	}
}

static void
split_children_translate_alike_and_collapse_is_its_inverse(void **state)
{
	(void)state;
	each_leaf(check_split);
}

static void collapse_without_such_a_leaf_gives_none(void **state)
{
	unsigned features = 0, level;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());
		struct nw_attrs attrs = plain_attrs();

		for (level = 1; level < 6; level++) {
			uint64_t child =
				manual.encode(features, level - 1, &attrs, 0);
			int exists = level < 5 && manual.encode(features, level,
								&attrs, 0) != 0;

			if (!child)
				continue;
			assert_int_equal(
				nwf_collapse_parent(&geo, level, child) != 0,
				exists);
		}
		assert_true(nwf_collapse_parent(&geo, 0, SENTINEL) == 0);
		features = next_features(features);
	} while (features);
}

/* ---- changes of a live entry ------------------------------------------- */

static int same_but(const struct nw_attrs *a, const struct nw_attrs *b)
{
	return a->memtype != b->memtype ||
	       ((a->flags ^ b->flags) & manual.break_flags);
}

static void change_needs_break_for_type_and_global_alone(void **state)
{
	unsigned features = 0, level, n;
	uint64_t seed = 3;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());

		for (level = 0; level < 5; level++)
			for (n = 0; n < 40000; n++) {
				uint64_t r = scramble(&seed);
				struct nw_attrs a = plain_attrs(), b;
				uint64_t old, new_entry;

				a.flags = (uint16_t)(r & manual.flags);
				a.prot = (uint8_t)(r >> 16 & NW_PROT_RWX);
				b = a;
				b.prot = (uint8_t)(r >> 20 & NW_PROT_RWX);
				b.software =
					(uint8_t)(r >> 24 & manual.software);
				b.hardware =
					(uint8_t)(r >> 28 & manual.hardware);
				b.flags ^= (uint16_t)(r >> 32 & r >> 44 &
						      manual.flags);
				if (!(r >> 60))
					b.memtype = NW_MEM_NORMAL_NC;
				if (level == 0 &&
				    ((a.flags ^ b.flags) & NW_LEAF_CONTIG))
					continue; /* has its own test */
				old = manual.encode(features, level, &a,
						    sample_pa[level]);
				new_entry = manual.encode(features, level, &b,
							  sample_pa[level]);
				if (!old || !new_entry)
					continue;
				if (!nwf_change_needs_break(&geo, level, old,
							    new_entry) !=
				    !same_but(&a, &b))
					fail_msg("level %u features %#x: "
						 "%#" PRIx64 " to %#" PRIx64,
						 level, features, old,
						 new_entry);
			}
		features = next_features(features);
	} while (features);
}

static void check_address(const struct nw_geometry *geo, unsigned level,
			  const struct nw_attrs *attrs, uint64_t leaf)
{
	unsigned span = attrs->flags & NW_LEAF_CONTIG ? 16 : leaf_lg2(level);
	uint64_t table = nwf_table_entry(geo, sample_pa[0]);
	uint64_t other = nwf_table_entry(geo, sample_pa[0] ^ BIT(12));
	unsigned n;

	for (n = span; n < 46; n++) {
		uint64_t moved = manual.encode(geo->features, level, attrs,
					       sample_pa[level] ^ BIT(n));

		assert_true(nwf_change_needs_break(geo, level, leaf, moved));
		/* Nothing is broken that is not live. */
		assert_false(
			nwf_change_needs_break(geo, level, NWF_EMPTY, moved));
		assert_false(nwf_change_needs_break(geo, level, leaf,
						    nwf_lock_token(n)));
	}
	assert_false(nwf_change_needs_break(geo, level, leaf, leaf));
	if (!level)
		return;
	/* A change of size alone is made in place. */
	assert_false(nwf_change_needs_break(geo, level, leaf, table));
	assert_false(nwf_change_needs_break(geo, level, table, leaf));
	assert_true(nwf_change_needs_break(geo, level, table, other));
}

static void change_of_address_needs_break_and_size_alone_does_not(void **state)
{
	(void)state;
	each_leaf(check_address);
}

/* ---- invalid entries --------------------------------------------------- */

enum meaning { TOKEN, FROZEN, ANNOTATION, NOTHING };

static void check_invalid(uint64_t word, enum meaning meaning)
{
	struct nw_geometry geo = shape_of(0, oa_max());
	enum nw_entry_kind kind =
		meaning == NOTHING ? NW_ENTRY_EMPTY : NW_ENTRY_INVALID;
	unsigned level;

	if ((nwf_is_locked(word) != 0) != (meaning == TOKEN) ||
	    (nwf_is_annotation(word) != 0) != (meaning == ANNOTATION) ||
	    (word == nwf_frozen()) != (meaning == FROZEN) ||
	    (word == NWF_EMPTY) != (meaning == NOTHING) || nwf_is_valid(word) ||
	    !manual.is_safe(word))
		fail_msg("%#" PRIx64 " is no %d", word, (int)meaning);
	for (level = 0; level < 5; level++) {
		struct nw_decoded out;

		INSTANCE(decode)(&geo, level, word, &out);
		if (out.kind != kind || out.reason != NW_REASON_NONE ||
		    nwf_is_leaf(level, word) || nwf_is_table(level, word) ||
		    nwf_kind(&geo, level, word) != kind)
			fail_msg("%#" PRIx64 " at level %u is a %d", word,
				 level, (int)out.kind);
	}
}

static void check_values(uint64_t value)
{
	uint64_t ticket = value & (BIT(NWF_TICKET_BITS) - 1);
	uint64_t note = value & (BIT(NWF_ANNOTATION_BITS) - 1);

	check_invalid(nwf_lock_token(ticket), TOKEN);
	/* Another ticket is another token. */
	assert_true(nwf_lock_token(ticket) !=
		    nwf_lock_token(ticket ^ (value >> 40 & 1 ? 1 : 2)));
	if (!note)
		return;
	check_invalid(nwf_annotation(note), ANNOTATION);
	assert_true(nwf_annotation_value(nwf_annotation(note)) == note);
}

static void invalid_kinds_are_never_confused_and_keep_their_value(void **state)
{
	uint64_t seed = 7;
	unsigned n;

	(void)state;
	check_invalid(NWF_EMPTY, NOTHING);
	check_invalid(nwf_frozen(), FROZEN);
	check_values(0);
	check_values(~UINT64_C(0));
	for (n = 0; n < 64; n++) {
		check_values(BIT(n));
		check_values(~BIT(n));
	}
	for (n = 0; n < 20000; n++)
		check_values(scramble(&seed));
	/* Each bit of a ticket tells two owners apart. */
	for (n = 0; n < NWF_TICKET_BITS; n++)
		assert_true(nwf_lock_token(0) != nwf_lock_token(BIT(n)));
}

static void check_not_invalid(const struct nw_geometry *geo, unsigned level,
			      const struct nw_attrs *attrs, uint64_t leaf)
{
	uint64_t table = nwf_table_entry(geo, sample_pa[0]);

	(void)attrs, (void)level;
	if (nwf_is_locked(leaf) || nwf_is_annotation(leaf) ||
	    leaf == nwf_frozen() || leaf == NWF_EMPTY || nwf_is_locked(table) ||
	    nwf_is_annotation(table))
		fail_msg("leaf %#" PRIx64 " table %#" PRIx64, leaf, table);
}

static void valid_entry_is_no_token_and_no_annotation(void **state)
{
	(void)state;
	each_leaf(check_not_invalid);
}

#define CHANGE_TESTS                                                                 \
	cmocka_unit_test(rights_change_alone_and_only_as_asked),                     \
		cmocka_unit_test(state_changes_alone_and_as_asked),                  \
		cmocka_unit_test(hardware_writes_leaf_with_state_to_record),         \
		cmocka_unit_test(                                                    \
			group_of_leaves_is_judged_rightly_or_in_doubt),              \
		cmocka_unit_test(                                                    \
			split_children_translate_alike_and_collapse_is_its_inverse), \
		cmocka_unit_test(collapse_without_such_a_leaf_gives_none),           \
		cmocka_unit_test(                                                    \
			change_needs_break_for_type_and_global_alone),               \
		cmocka_unit_test(                                                    \
			change_of_address_needs_break_and_size_alone_does_not),      \
		cmocka_unit_test(                                                    \
			invalid_kinds_are_never_confused_and_keep_their_value),      \
		cmocka_unit_test(valid_entry_is_no_token_and_no_annotation)
