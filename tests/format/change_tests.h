/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a leaf: its neighbours, its children, its rights, updates by
 * the hardware, and changes that need break-before-make. For each stage;
 * included after leaf_tests.h, whose helpers it uses.
 */
/* ---- moving about ------------------------------------------------------ */

/* Every flag that level and stage have, but for what depends on a right. */
static struct nw_attrs full_attrs(unsigned level)
{
	struct nw_attrs attrs = plain_attrs();

	attrs.flags |= (uint16_t)manual->flags;
	if (level == 0)
		attrs.flags &= (uint16_t)~NW_LEAF_NT;
	if (form->run[level] == 1)
		attrs.flags &= (uint16_t)~NW_LEAF_CONTIG;
	attrs.software = 9;
	attrs.hardware = 6;
	return attrs;
}

static void check_advance(const struct nw_geometry *geo, unsigned level,
			  uint64_t pa, unsigned steps)
{
	struct nw_attrs attrs = full_attrs(level);
	uint64_t leaf, template = 0;
	struct nw_decoded out;

	assert_int_equal(nwf_leaf_template(geo, level, &attrs, &template),
			 NW_OK);
	leaf = nwf_leaf_at(geo, template, pa);
	for (; steps && pa >> geo->oa_bits == 0; steps--) {
		assert_true(nwf_leaf_pa(geo, level, leaf) == pa);
		assert_int_equal(nwf_leaf_span_lg2(geo, level, leaf),
				 form->leaf_lg2[level]);
		INSTANCE(decode)(geo, level, leaf, &out);
		assert_int_equal(out.kind, NW_ENTRY_LEAF);
		assert_true(out.pa.v == pa);
		assert_true(attrs_equal(&out.attrs, &attrs));
		leaf = nwf_leaf_next(geo, level, leaf);
		pa += UINT64_C(1) << form->leaf_lg2[level];
	}
}

static void leaf_at_and_next_keep_attributes_and_advance(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	unsigned level, n;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		uint64_t size = UINT64_C(1) << form->leaf_lg2[level];

		check_advance(&geo, level, sample_pa(&geo, level), 600);
		/* Across a carry into each bit of the address. */
		for (n = form->leaf_lg2[level] + 2u; n < geo.oa_bits; n++) {
			check_advance(&geo, level,
				      (UINT64_C(1) << n) - 2 * size, 5);
			check_advance(&geo, level,
				      (UINT64_C(1) << geo.oa_bits) -
					      (UINT64_C(1) << n) - 2 * size,
				      5);
		}
	}
}

/* The parent of a split leaf's first child is the leaf, alone; of any other
 * child it is none. */
static void check_collapse(const struct nw_geometry *geo, unsigned level,
			   uint64_t leaf, uint64_t child)
{
	uint64_t alone = leaf & ~UINT64_C(0x0010000000010000);
	uint64_t parent = nwf_collapse_parent(geo, level, child);
	uint64_t second = nwf_leaf_next(geo, level - 1, child);

	if (parent != alone || nwf_collapse_parent(geo, level, second))
		fail_msg("level %u leaf %#" PRIx64 " child %#" PRIx64
			 ": parent %#" PRIx64 " expected %#" PRIx64,
			 level, leaf, child, parent, alone);
}

static void collapse_without_such_leaf_is_refused(void **state)
{
	struct nw_geometry geo = shape(0, OA_MOST);
	struct nw_attrs attrs = plain_attrs();
	unsigned level;

	(void)state;
	for (level = 1; level < 8; level++) {
		uint64_t child = encode(0, level > 1, &attrs);
		uint64_t parent = nwf_collapse_parent(&geo, level, child);

		assert_int_equal(parent != 0, has_leaf(&geo, level));
	}
}

static void split_children_translate_as_their_block(void **state)
{
	unsigned features = 0, level;

	(void)state;
	do {
		struct nw_geometry geo = shape(features, OA_MOST);

		for (level = 1; has_leaf(&geo, level); level++) {
			struct nw_attrs attrs = {0};

			do {
				uint64_t leaf = encode(features, level, &attrs);
				uint64_t child, expected;
				struct nw_attrs below = attrs;

				if (!leaf)
					continue;
				below.flags &= (uint16_t) ~(NW_LEAF_NT |
							    NW_LEAF_CONTIG);
				expected = encode(features, level - 1, &below) |
					   sample(&geo, level);
				leaf |= sample(&geo, level);
				child = nwf_split_child(&geo, level, leaf);
				check_collapse(&geo, level, leaf, child);
				if (child != expected)
					fail_msg("level %u leaf %#" PRIx64
						 " child %#" PRIx64
						 " expected %#" PRIx64,
						 level, leaf, child, expected);
			} while (next_attrs(&attrs));
		}
		features = next_features(features);
	} while (features);
}

/* ---- rights ------------------------------------------------------------ */

static void check_rights(const struct nw_geometry *geo, unsigned level,
			 const struct nw_attrs *attrs, unsigned prot)
{
	unsigned features = geo->features;
	uint64_t leaf = encode(features, level, attrs);
	struct nw_attrs more = *attrs, less = *attrs;
	uint64_t want_more, want_less, got_more = 0, got_less = 0;
	enum nw_status relax, restrict_;

	more.prot |= (uint8_t)prot;
	less.prot &= (uint8_t)~prot;
	if (prot & NW_PROT_W)
		less.flags &= (uint16_t)~NW_LEAF_DBM;
	want_more = encode(features, level, &more);
	want_less = prot > NW_PROT_RWX ? 0 : encode(features, level, &less);
	relax = nwf_leaf_relax(geo, leaf, prot, &got_more);
	restrict_ = nwf_leaf_restrict(geo, leaf, prot, &got_less);
	if (got_more == want_more && got_less == want_less &&
	    relax == (want_more ? NW_OK : NW_E_ATTRS) &&
	    restrict_ == (want_less ? NW_OK : NW_E_ATTRS))
		return;
	fail_msg("level %u features %#x leaf %#" PRIx64
		 " prot %#x: relax %d %#" PRIx64 " expected %#" PRIx64
		 ", restrict %d %#" PRIx64 " expected %#" PRIx64,
		 level, features, leaf, prot, (int)relax, got_more, want_more,
		 (int)restrict_, got_less, want_less);
}

static void rights_change_alone_and_only_as_asked(void **state)
{
	unsigned features = 0, level, prot;

	(void)state;
	do {
		struct nw_geometry geo = shape(features, OA_MOST);

		for (level = 0; has_leaf(&geo, level); level++) {
			struct nw_attrs attrs = {0};

			do {
				if (!encode(geo.features, level, &attrs))
					continue;
				for (prot = 0; prot <= NW_PROT_RWX + 1; prot++)
					check_rights(&geo, level, &attrs, prot);
			} while (next_attrs(&attrs));
		}
		features = next_features(features);
	} while (features);
}

/* ---- hardware updates -------------------------------------------------- */

static void hardware_writes_leaf_without_access_or_dirty_state(void **state)
{
	/* By AF, DBM and write right: may hardware write with HAF, with HD? */
	static const struct {
		uint8_t accessed, dbm, write, haf, hd;
	} rows[] = {
		{0, 0, 0, 1, 1}, {0, 0, 1, 1, 1}, {0, 1, 0, 1, 1},
		{0, 1, 1, 1, 1}, {1, 0, 0, 0, 0}, {1, 0, 1, 0, 0},
		{1, 1, 0, 0, 1}, {1, 1, 1, 0, 0},
	};
	struct nw_geometry geo = shape(0, OA_MOST), none = geo;
	struct nw_geometry haf = shape(NW_FEAT_HAF, OA_MOST);
	struct nw_geometry hd = shape(NW_FEAT_HAF | NW_FEAT_HD, OA_MOST);
	unsigned i, level;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct nw_attrs attrs = plain_attrs();
			uint64_t leaf;

			attrs.flags =
				(rows[i].accessed ? NW_LEAF_ACCESSED : 0) |
				(rows[i].dbm ? NW_LEAF_DBM : 0);
			attrs.prot = rows[i].write ? NW_PROT_RW : NW_PROT_R;
			leaf = encode(NW_FEAT_HD, level, &attrs) |
			       sample(&geo, level);
			assert_int_equal(manual_field(leaf, manual->write_bit,
						      manual->write_bit) ==
						 manual->write_value,
					 rows[i].write);
			assert_int_equal(!nwf_leaf_hw_writable(&none, leaf), 1);
			assert_int_equal(!nwf_leaf_hw_writable(&haf, leaf),
					 !rows[i].haf);
			assert_int_equal(!nwf_leaf_hw_writable(&hd, leaf),
					 !rows[i].hd);
			assert_false(
				nwf_leaf_hw_writable(&hd, leaf & ~UINT64_C(1)));
		}
	}
}

/* ---- changes of a live entry ------------------------------------------- */

enum change {
	CHANGE_PROT,
	CHANGE_MEMTYPE,
	CHANGE_SHARE,
	CHANGE_ACCESSED,
	CHANGE_DBM,
	CHANGE_CONTIG,
	CHANGE_NT,
	CHANGE_GUARDED,
	CHANGE_FNXS,
	CHANGE_NOT_GLOBAL,
	CHANGE_USER,
	CHANGE_SOFTWARE,
	CHANGE_HARDWARE,
	CHANGE_COUNT,
};

/* Needs a break: never, always, or only without FEAT_BBM 1. */
enum needs { NEVER, ALWAYS, BELOW_BBM1 };

static const struct {
	enum needs needs;
	uint8_t values; /* of the field */
	uint16_t flag;
} changes[CHANGE_COUNT] = {
	[CHANGE_PROT] = {NEVER, NW_PROT_RWX + 1, 0},
	[CHANGE_MEMTYPE] = {ALWAYS, NW_MEM_COUNT, 0},
	[CHANGE_SHARE] = {ALWAYS, NW_SHARE_COUNT, 0},
	[CHANGE_ACCESSED] = {NEVER, 2, NW_LEAF_ACCESSED},
	[CHANGE_DBM] = {NEVER, 2, NW_LEAF_DBM},
	[CHANGE_CONTIG] = {BELOW_BBM1, 2, NW_LEAF_CONTIG},
	[CHANGE_NT] = {BELOW_BBM1, 2, NW_LEAF_NT},
	[CHANGE_GUARDED] = {ALWAYS, 2, NW_LEAF_GUARDED},
	[CHANGE_FNXS] = {ALWAYS, 2, NW_LEAF_FNXS},
	[CHANGE_NOT_GLOBAL] = {ALWAYS, 2, NW_LEAF_NOT_GLOBAL},
	[CHANGE_USER] = {NEVER, 2, NW_LEAF_USER},
	[CHANGE_SOFTWARE] = {NEVER, 16, 0},
	[CHANGE_HARDWARE] = {ALWAYS, 16, 0},
};

static void change_set(struct nw_attrs *attrs, enum change change,
		       unsigned value)
{
	switch (change) {
	case CHANGE_PROT:
		attrs->prot = (uint8_t)value;
		break;
	case CHANGE_MEMTYPE:
		attrs->memtype = (uint8_t)value;
		break;
	case CHANGE_SHARE:
		attrs->share = (uint8_t)value;
		break;
	case CHANGE_SOFTWARE:
		attrs->software = (uint8_t)value;
		break;
	case CHANGE_HARDWARE:
		attrs->hardware = (uint8_t)value;
		break;
	default:
		attrs->flags &= (uint16_t)~changes[change].flag;
		if (value)
			attrs->flags |= changes[change].flag;
	}
}

static void check_change(const struct nw_geometry *geo, unsigned level,
			 enum change change, uint64_t old, uint64_t new_entry)
{
	int bbm = (geo->features & (NW_FEAT_BBM1 | NW_FEAT_BBM2)) != 0;
	int needs = changes[change].needs == ALWAYS ||
		    (changes[change].needs == BELOW_BBM1 && !bbm);

	if (old == new_entry)
		needs = 0;
	if (!INSTANCE(change_needs_break)(geo, level, old, new_entry) != !needs)
		fail_msg("level %u features %#x change %d: %#" PRIx64
			 " to %#" PRIx64 ": expected %d",
			 level, geo->features, (int)change, old, new_entry,
			 needs);
}

static void change_of_one_field_needs_break_as_listed(void **state)
{
	unsigned features = 0, level, change, a, b;

	(void)state;
	do {
		struct nw_geometry geo = shape(features, OA_MOST);

		for (level = 0; has_leaf(&geo, level); level++) {
			for (change = 0; change < CHANGE_COUNT; change++) {
				unsigned values = changes[change].values;

				for (a = 0; a < values * values; a++) {
					struct nw_attrs old = plain_attrs();
					struct nw_attrs new = plain_attrs();
					uint64_t from, to;

					b = a / values;
					change_set(&old, change, a % values);
					change_set(&new, change, b);
					from = encode(features, level, &old);
					to = encode(features, level, &new);
					if (!from || !to)
						continue;
					check_change(&geo, level, change,
						     from | sample(&geo, level),
						     to | sample(&geo, level));
				}
			}
		}
		features = next_features(features);
	} while (features);
}

static void change_of_address_needs_break_everywhere(void **state)
{
	unsigned features = 0, level, n;

	(void)state;
	do {
		struct nw_geometry geo = shape(features, OA_MOST);
		struct nw_attrs attrs = plain_attrs();

		for (level = 0; has_leaf(&geo, level); level++) {
			uint64_t old = encode(features, level, &attrs) |
				       sample(&geo, level);

			for (n = form->leaf_lg2[level]; n < geo.oa_bits; n++) {
				uint64_t bit = UINT64_C(1) << n;
				uint64_t other = old ^ manual_place(form, bit);

				assert_true(INSTANCE(change_needs_break)(
					&geo, level, old, other));
				/* Nothing is broken that is not live. */
				assert_false(INSTANCE(change_needs_break)(
					&geo, level, old & ~UINT64_C(1),
					other));
				assert_false(INSTANCE(change_needs_break)(
					&geo, level, old,
					other & ~UINT64_C(1)));
				assert_false(INSTANCE(change_needs_break)(
					&geo, level, 0, other));
			}
		}
		features = next_features(features);
	} while (features);
}

static void change_of_size_needs_break_below_its_bbm_level(void **state)
{
	/* Features, nT in the block: break? */
	static const struct {
		uint16_t features;
		uint8_t nt;
		uint8_t needs;
	} rows[] = {
		{0, 0, 1},
		{NW_FEAT_BBM1, 0, 1},
		{NW_FEAT_BBM1, 1, 0},
		{NW_FEAT_BBM2, 0, 0},
		{NW_FEAT_BBM2, 1, 0},
		{NW_FEAT_BBM1 | NW_FEAT_BBM2, 0, 0},
		{NW_FEAT_BBM1 | NW_FEAT_BBM2, 1, 0},
	};
	unsigned i, level;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nw_geometry geo = shape(rows[i].features, OA_MOST);
		struct nw_attrs attrs = plain_attrs();
		uint64_t table = nwf_table_entry(&geo, sample_pa(&geo, 0));
		uint64_t other = nwf_table_entry(&geo, sample_pa(&geo, 1));

		if (rows[i].nt)
			attrs.flags |= NW_LEAF_NT;
		for (level = 1; has_leaf(&geo, level); level++) {
			uint64_t block =
				encode(rows[i].features, level, &attrs) |
				sample(&geo, level);

			assert_int_equal(!INSTANCE(change_needs_break)(
						 &geo, level, block, table),
					 !rows[i].needs);
			assert_int_equal(!INSTANCE(change_needs_break)(
						 &geo, level, table, block),
					 !rows[i].needs);
			assert_true(INSTANCE(change_needs_break)(&geo, level,
								 table, other));
			assert_false(INSTANCE(change_needs_break)(
				&geo, level, table, table));
			/* Bit 55 is software's in a leaf, not in a table. */
			assert_true(INSTANCE(change_needs_break)(
				&geo, level, table, table | UINT64_C(1) << 55));
		}
		/* A block type at the last level is nothing to trust: neither
		 * the way out of it, nor a change of its access flag. */
		assert_true(INSTANCE(change_needs_break)(
			&geo, 0, sample(&geo, 0) | 1, sample(&geo, 0) | 3));
		assert_true(INSTANCE(change_needs_break)(
			&geo, 0, sample(&geo, 0) | 1, sample(&geo, 0) | 0x401));
	}
}

#define CHANGE_TESTS                                                           \
	cmocka_unit_test(leaf_at_and_next_keep_attributes_and_advance),        \
		cmocka_unit_test(split_children_translate_as_their_block),     \
		cmocka_unit_test(collapse_without_such_leaf_is_refused),       \
		cmocka_unit_test(rights_change_alone_and_only_as_asked),       \
		cmocka_unit_test(                                              \
			hardware_writes_leaf_without_access_or_dirty_state),   \
		cmocka_unit_test(change_of_one_field_needs_break_as_listed),   \
		cmocka_unit_test(change_of_address_needs_break_everywhere),    \
		cmocka_unit_test(                                              \
			change_of_size_needs_break_below_its_bbm_level)
