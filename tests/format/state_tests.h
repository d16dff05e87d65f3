/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hardware and ageing change in a leaf, groups of leaves, and contiguous
 * runs. For each stage; included after leaf_tests.h, whose helpers it uses.
 */
/* What the manual says about the state, from bits alone. */
struct state {
	int accessed, dbm, write;
};

static struct state state_of(uint64_t leaf)
{
	return (struct state){
		.accessed = (int)manual_field(leaf, 10, 10),
		.dbm = (int)manual_field(leaf, 51, 51),
		.write = manual_field(leaf, manual->write_bit,
				      manual->write_bit) == manual->write_value,
	};
}

/* The leaf with the write right given or taken, everything else as it is. */
static uint64_t with_write(uint64_t leaf, int has_write)
{
	uint64_t bit = UINT64_C(1) << manual->write_bit;

	return has_write == (int)manual->write_value ? leaf | bit : leaf & ~bit;
}

static int state_is_right(const struct nw_geometry *geo, uint64_t leaf,
			  const struct nw_attrs *attrs)
{
	const uint64_t af = UINT64_C(1) << 10, dbm = UINT64_C(1) << 51;
	const uint64_t write = UINT64_C(1) << manual->write_bit;
	struct state s = state_of(leaf);
	int dirty = s.dbm && s.write;

	return !nwf_leaf_is_accessed(leaf) == !s.accessed &&
	       nwf_leaf_set_accessed(leaf) == (leaf | af) &&
	       nwf_leaf_clear_accessed(leaf) == (leaf & ~af) &&
	       !nwf_leaf_is_dirty(geo, leaf) == !dirty &&
	       nwf_leaf_clean(geo, leaf) ==
		       (dirty ? with_write(leaf, 0) : leaf) &&
	       nwf_leaf_set_dirty(geo, leaf) ==
		       (s.dbm ? with_write(leaf, 1) : leaf) &&
	       nwf_leaf_write_protect(geo, leaf) ==
		       (with_write(leaf, 0) & ~dbm) &&
	       nwf_leaf_state_bits(geo, leaf) == (af | (s.dbm ? write : 0)) &&
	       nwf_leaf_prot(geo, leaf) == attrs->prot;
}

static void leaf_state_is_read_and_changed_alone(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	struct nw_attrs attrs = {0};
	unsigned level, seen = 0;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		do {
			uint64_t leaf = encode(geo.features, level, &attrs);

			if (!leaf)
				continue;
			seen++;
			leaf |= sample(&geo, level);
			if (!state_is_right(&geo, leaf, &attrs))
				fail_msg("level %u leaf %#" PRIx64, level,
					 leaf);
		} while (next_attrs(&attrs));
	}
	assert_true(seen > 100);
}

/* ---- groups ------------------------------------------------------------ */

static uint64_t group_entry(const struct nw_geometry *geo, unsigned level,
			    unsigned n)
{
	struct nw_attrs attrs = plain_attrs();

	if (n == 8)
		return nwf_table_entry(geo, sample_pa(geo, 0));
	if (n == 9)
		return NWF_EMPTY;
	if (n == 10)
		return nwf_annotation(0x155555);
	attrs.prot = n & 1 ? NW_PROT_RW : NW_PROT_R;
	attrs.flags = (uint16_t)((n & 2 ? NW_LEAF_DBM : 0) |
				 (n & 4 ? NW_LEAF_ACCESSED : 0));
	return encode(geo->features, level, &attrs) | sample(geo, level);
}

/* An answer other than "some" must be true of each. */
static int group_says(enum nw_leaf_some says, int yes, unsigned of)
{
	return says == NW_LEAF_SOME ||
	       (says == NW_LEAF_ALL ? yes == (int)of : yes == 0);
}

static void check_group(const struct nw_geometry *geo, unsigned level,
			const unsigned n[3])
{
	uint64_t all = ~UINT64_C(0), any = 0;
	int leaves = 0, protect = 0, dirty = 0, young = 0;
	unsigned i;

	for (i = 0; i < 3; i++) {
		uint64_t e = group_entry(geo, level, n[i]);
		struct state s = state_of(e);

		all &= e;
		any |= e;
		leaves += n[i] < 8;
		protect += s.write || s.dbm;
		dirty += s.write && s.dbm;
		young += s.accessed;
	}
	if (nwf_all_leaves(level, all, any) && leaves != 3)
		fail_msg("level %u: %u %u %u are not all leaves", level, n[0],
			 n[1], n[2]);
	if (leaves != 3)
		return;
	if (!group_says(nwf_group_writable(geo, all, any), protect, 3) ||
	    !group_says(nwf_group_dirty(geo, all, any), dirty, 3) ||
	    !group_says(nwf_group_accessed(geo, all, any), young, 3))
		fail_msg("level %u: state of %u %u %u", level, n[0], n[1],
			 n[2]);
	/* Not for ever in doubt: three of a kind are seen for what they are. */
	if (n[0] == n[1] && n[1] == n[2] &&
	    (!nwf_all_leaves(level, all, any) ||
	     nwf_group_accessed(geo, all, any) !=
		     (young ? NW_LEAF_ALL : NW_LEAF_NONE) ||
	     (protect == 0 &&
	      nwf_group_writable(geo, all, any) != NW_LEAF_NONE) ||
	     (dirty && nwf_group_dirty(geo, all, any) != NW_LEAF_ALL)))
		fail_msg("level %u: three of %u are in doubt", level, n[0]);
}

static void group_answers_are_true_of_each_leaf(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	unsigned level, i;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		for (i = 0; i < 11 * 11 * 11; i++) {
			unsigned n[3] = {i % 11, i / 11 % 11, i / 121};

			/* At level 0 a table's bits are a page's. */
			if (!level && (n[0] == 8 || n[1] == 8 || n[2] == 8))
				continue;
			check_group(&geo, level, n);
		}
	}
}

static void hardware_updates_follow_the_features(void **state)
{
	struct nw_geometry none = shape(0, OA_MOST);
	struct nw_geometry haf = shape(NW_FEAT_HAF, OA_MOST);
	struct nw_geometry hd = shape(NW_FEAT_HAF | NW_FEAT_HD, OA_MOST);

	(void)state;
	assert_false(nwf_hw_updates(&none));
	assert_true(nwf_hw_updates(&haf));
	assert_true(nwf_hw_updates(&hd));
}

/* ---- contiguous runs --------------------------------------------------- */

static void contiguous_runs_are_those_of_the_manual(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST), small;
	struct nw_format_config config = {geo.granule_lg2, 0, 48, geo.features};
	unsigned level;

	(void)state;
	for (level = 0; level < geo.levels; level++) {
		unsigned run = has_leaf(&geo, level) ? form->run[level] : 1;

		assert_int_equal(1u << nwf_contig_lg2(&geo, level), run);
	}
	assert_int_equal(nwf_contig_lg2(&geo, geo.levels), 0);
	/* A run that the input range has no room for. */
	config.features |= NW_FEAT_TTST;
	config.ia_bits = (uint8_t)(geo.granule_lg2 + nwf_contig_lg2(&geo, 0));
	assert_int_equal(INSTANCE(geometry)(&config, &small, NULL), NW_OK);
	assert_int_equal(1 << nwf_contig_lg2(&small, 0), form->run[0]);
	config.ia_bits--;
	if (config.ia_bits < 17)
		return;
	assert_int_equal(INSTANCE(geometry)(&config, &small, NULL), NW_OK);
	assert_int_equal(nwf_contig_lg2(&small, 0), 0);
}

static void contiguous_member_and_alone_differ_in_the_bit(void **state)
{
	struct nw_geometry geo = shape(0, OA_MOST);
	struct nw_attrs attrs = plain_attrs();
	unsigned level, index;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		uint64_t leaf = encode(0, level, &attrs) | sample(&geo, level);
		uint64_t member = nwf_contig_member(&geo, level, leaf);

		if (form->run[level] == 1)
			continue;
		assert_true(member == (leaf | UINT64_C(1) << 52));
		assert_true(nwf_leaf_is_contig(&geo, level, member));
		assert_false(nwf_leaf_is_contig(&geo, level, leaf));
		for (index = 0; index < form->run[level]; index++)
			assert_true(nwf_contig_alone(&geo, level, member,
						     index) == leaf);
	}
}

#define STATE_TESTS                                                            \
	cmocka_unit_test(leaf_state_is_read_and_changed_alone),                \
		cmocka_unit_test(group_answers_are_true_of_each_leaf),         \
		cmocka_unit_test(hardware_updates_follow_the_features),        \
		cmocka_unit_test(contiguous_runs_are_those_of_the_manual),     \
		cmocka_unit_test(                                              \
			contiguous_member_and_alone_differ_in_the_bit)
