/* SPDX-License-Identifier: BSD-2-Clause */
/* Every status of every operation that refuses an argument. */
#include "table_test.h"

#include <string.h>

static struct nw_attrs rw;

/* The same four range errors, for each operation that takes a range. */
enum ranged {
	RANGED_MAP,
	RANGED_UNMAP,
	RANGED_PROTECT,
	RANGED_WALK,
	RANGED_COUNT,
};

static enum nw_status no_visit(const struct nw_visit *visit)
{
	(void)visit;
	return NW_OK;
}

static enum nw_status ranged_call(struct fixture *f, enum ranged what,
				  uint64_t ia, uint64_t size)
{
	switch (what) {
	case RANGED_MAP:
		return nw_map(&f->table, NW_IA(ia), size, NW_PA(0), &rw,
			      NW_LEVEL_ANY, NULL, &f->result);
	case RANGED_UNMAP:
		return nw_unmap(&f->table, NW_IA(ia), size, NULL, &f->result);
	case RANGED_PROTECT:
		return nw_protect(&f->table, NW_IA(ia), size,
				  NW_PROTECT_RELAX, NW_PROT_W, NULL,
				  &f->result);
	default:
		return nw_walk(&f->table, NW_IA(ia), size, NW_VISIT_LEAF,
			       no_visit, NULL, &f->result);
	}
}

static void range_wrong_is_refused_by_name(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->ia_bits;
	const struct {
		uint64_t ia, size;
		enum nw_status status;
		const char *argument;
	} bad[] = {
		{0, 0, NW_E_EMPTY, "size_bytes"},
		{PAGE, 0, NW_E_EMPTY, "size_bytes"},
		{1, PAGE, NW_E_MISALIGNED, "ia"},
		{PAGE / 2, PAGE, NW_E_MISALIGNED, "ia"},
		{0, PAGE - 1, NW_E_MISALIGNED, "size_bytes"},
		{0, PAGE + 1, NW_E_MISALIGNED, "size_bytes"},
		{PAGE, 0 - PAGE, NW_E_IA_RANGE, "size_bytes"},
		{2 * PAGE, 0 - PAGE, NW_E_OVERFLOW, "size_bytes"},
		{0 - PAGE, 2 * PAGE, NW_E_OVERFLOW, "size_bytes"},
		{limit, PAGE, NW_E_IA_RANGE, "ia"},
		{limit - PAGE, 2 * PAGE, NW_E_IA_RANGE, "size_bytes"},
		{0, limit + PAGE, NW_E_IA_RANGE, "size_bytes"},
	};
	unsigned i, what;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	for (what = 0; what < RANGED_COUNT; what++)
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			/* PAGE + (2^64 - PAGE) is 2^64: it wraps to 0. */
			enum nw_status want = bad[i].ia + bad[i].size <
						      bad[i].ia
						      ? NW_E_OVERFLOW
						      : bad[i].status;

			assert_refused(f,
				       ranged_call(f, (enum ranged)what,
						   bad[i].ia, bad[i].size),
				       want, bad[i].ia, bad[i].argument);
		}
}

static void table_null_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_page_cache cache = {0};
	struct nw_mapping m;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	assert_refused(f,
		       nw_map(NULL, NW_IA(0), PAGE, NW_PA(0), &rw, 0, NULL,
			      &f->result),
		       NW_E_NULL, 0, "t");
	assert_refused(f, nw_unmap(NULL, NW_IA(0), PAGE, NULL, &f->result),
		       NW_E_NULL, 0, "t");
	assert_refused(f,
		       nw_protect(NULL, NW_IA(0), PAGE, NW_PROTECT_RELAX,
				  NW_PROT_W, NULL, &f->result),
		       NW_E_NULL, 0, "t");
	assert_refused(f, nw_split(NULL, NW_IA(0), 0, NULL, &f->result),
		       NW_E_NULL, 0, "t");
	assert_refused(f,
		       nw_walk(NULL, NW_IA(0), PAGE, NW_VISIT_LEAF, no_visit,
			       NULL, &f->result),
		       NW_E_NULL, 0, "t");
	assert_int_equal(nw_lookup(NULL, NW_IA(0), &m), NW_E_NULL);
	assert_int_equal(nw_table_teardown_step(NULL, 1), NW_E_NULL);
	assert_int_equal(nw_cache_topup(NULL, &cache, 1), NW_E_NULL);
	assert_int_equal(nw_map_pages_max(NULL, NW_IA(0), PAGE, NW_PA(0), 0),
			 0);
}

static void other_null_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_mapping m = {.kind = NW_ENTRY_EMPTY};
	struct nw_attrs attrs;

	assert_refused(f,
		       nw_map(&f->table, NW_IA(0), PAGE, NW_PA(0), NULL, 0,
			      NULL, &f->result),
		       NW_E_NULL, 0, "attrs");
	assert_refused(f,
		       nw_walk(&f->table, NW_IA(0), PAGE, NW_VISIT_LEAF, NULL,
			       NULL, &f->result),
		       NW_E_NULL, 0, "visitor");
	assert_int_equal(nw_lookup(&f->table, NW_IA(0), NULL), NW_E_NULL);
	assert_int_equal(nw_cache_topup(&f->table, NULL, 1), NW_E_NULL);
	assert_int_equal(nw_mapping_attrs(&f->table, NULL, &attrs), NW_E_NULL);
	assert_int_equal(nw_mapping_attrs(&f->table, &m, NULL), NW_E_NULL);
	assert_int_equal(nw_mapping_attrs(&f->table, &m, &attrs),
			 NW_E_WRONG_KIND);
}

static void map_output_wrong_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->oa_bits;
	const struct {
		uint64_t pa, size;
		enum nw_status status;
	} bad[] = {
		{1, PAGE, NW_E_MISALIGNED},
		{limit, PAGE, NW_E_OA_RANGE},
		{limit - PAGE, 2 * PAGE, NW_E_OA_RANGE},
		{0 - PAGE, PAGE, NW_E_OA_RANGE},
		{0 - PAGE, 2 * PAGE, NW_E_OA_RANGE},
	};
	unsigned i;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(f,
			       nw_map(&f->table, NW_IA(PAGE), bad[i].size,
				      NW_PA(bad[i].pa), &rw, NW_LEVEL_ANY,
				      NULL, &f->result),
			       bad[i].status, PAGE, "pa");
}

static void map_attributes_wrong_are_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs bad[8];
	unsigned i, n = 0;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	for (i = 0; i < 8; i++)
		bad[i] = rw;
	bad[n++].prot = 0;
	bad[n++].prot = 0x10 | NW_PROT_R;
	bad[n++].memtype = NW_MEM_COUNT;
	bad[n++].share = NW_SHARE_COUNT;
	bad[n++].software = 16;
	bad[n++].hardware = 16;
	if (f->regs.stage == AW_STAGE1_EL2)
		bad[n++].prot = NW_PROT_RW | NW_PROT_PX;
	if (!(f->variant->features & NW_FEAT_HD))
		bad[n++].flags |= NW_LEAF_DBM;
	for (i = 0; i < n; i++)
		assert_refused(f,
			       nw_map(&f->table, NW_IA(PAGE), PAGE, NW_PA(0),
				      &bad[i], NW_LEVEL_ANY, NULL,
				      &f->result),
			       NW_E_ATTRS, PAGE, "attrs");
}

static void level_wrong_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned level;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	map_ok(f, 0, 2 * MIB, 0);
	for (level = f->table.geo.levels; level < 12; level++) {
		assert_refused(f,
			       nw_map(&f->table, NW_IA(GIB), PAGE, NW_PA(0),
				      &rw, level, NULL, &f->result),
			       NW_E_LEVEL, GIB, "max_level");
		assert_refused(f,
			       nw_split(&f->table, NW_IA(0), level, NULL,
					&f->result),
			       NW_E_LEVEL, 0, "level");
	}
	assert_refused(f,
		       nw_split(&f->table, NW_IA(0), NW_LEVEL_ANY, NULL,
				&f->result),
		       NW_E_LEVEL, 0, "level");
	for (level = 0; level < f->table.geo.levels; level++)
		if (!(f->table.geo.leaf_levels >> level & 1))
			assert_refused(f,
				       nw_split(&f->table, NW_IA(0), level,
						NULL, &f->result),
				       NW_E_LEVEL, 0, "level");
}

static void split_address_wrong_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->ia_bits;

	assert_refused(f, nw_split(&f->table, NW_IA(7), 0, NULL, &f->result),
		       NW_E_MISALIGNED, 7, "ia");
	assert_refused(f,
		       nw_split(&f->table, NW_IA(limit), 0, NULL, &f->result),
		       NW_E_IA_RANGE, limit, "ia");
}

static void protect_arguments_wrong_are_refused(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, PAGE, 0);
	assert_refused(f,
		       nw_protect(&f->table, NW_IA(0), PAGE, NW_PROTECT_RELAX,
				  0, NULL, &f->result),
		       NW_E_ATTRS, 0, "prot");
	assert_refused(f,
		       nw_protect(&f->table, NW_IA(0), PAGE, NW_PROTECT_RELAX,
				  0x10, NULL, &f->result),
		       NW_E_ATTRS, 0, "prot");
	assert_refused(f,
		       nw_protect(&f->table, NW_IA(0), PAGE,
				  (enum nw_protect)7, NW_PROT_W, NULL,
				  &f->result),
		       NW_E_ATTRS, 0, "how");
}

static void walk_flags_wrong_are_refused(void **state)
{
	struct fixture *f = FIXTURE(state);

	assert_refused(f,
		       nw_walk(&f->table, NW_IA(0), PAGE, 0, no_visit, NULL,
			       &f->result),
		       NW_E_ATTRS, 0, "flags");
	assert_refused(f,
		       nw_walk(&f->table, NW_IA(0), PAGE, 0x80, no_visit, NULL,
			       &f->result),
		       NW_E_ATTRS, 0, "flags");
}

static void lookup_beyond_input_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->ia_bits;
	struct nw_mapping m;

	assert_int_equal(nw_lookup(&f->table, NW_IA(limit), &m),
			 NW_E_IA_RANGE);
	assert_int_equal(nw_lookup(&f->table, NW_IA(~0ull), &m),
			 NW_E_IA_RANGE);
	assert_int_equal(nw_lookup(&f->table, NW_IA(limit - 1), &m), NW_OK);
}

/* An encoding that hardware reserves: each operation that meets it says so. */
static void reserved_encoding_is_reported_corrupt(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_mapping m;
	const uint64_t *seen;
	uint64_t page = 0, *word;
	unsigned i;

	map_ok(f, 0, PAGE, 0);
	assert_int_equal(aw_walk(&f->regs, &f->arena, &f->view), 0);
	for (i = 0; i < f->view.pages; i++)
		if (f->view.page[i].arm_level == 3)
			page = f->view.page[i].pa;
	seen = nw_arena_read(&f->arena, page);
	assert_non_null(seen);
	word = (uint64_t *)(uintptr_t)seen + 1;
	*word = 0x40000001; /* a block where only pages can be */
	assert_int_equal(nw_lookup(&f->table, NW_IA(PAGE), &m), NW_E_CORRUPT);
	assert_int_equal(m.entry, 0x40000001);
	assert_int_equal(m.level, 0);
	assert_result(f,
		      nw_walk(&f->table, NW_IA(0), 3 * PAGE, NW_VISIT_LEAF,
			      no_visit, NULL, &f->result),
		      NW_E_CORRUPT, PAGE);
	assert_int_equal(f->result.entry, 0x40000001);
	assert_int_equal(nw_map(&f->table, NW_IA(PAGE), PAGE, NW_PA(0), &rw,
				NW_LEVEL_ANY, NULL, &f->result),
			 NW_E_CORRUPT);
	assert_int_equal(f->result.entry, 0x40000001);
	assert_int_equal(nw_protect(&f->table, NW_IA(0), 3 * PAGE,
				    NW_PROTECT_RESTRICT, NW_PROT_W, NULL,
				    &f->result),
			 NW_E_CORRUPT);
	assert_int_equal(nw_split(&f->table, NW_IA(PAGE), 0, NULL, &f->result),
			 NW_E_CORRUPT);
	*word = 0;
}

/* An annotated (invalid, not zero) entry is not empty. */
static void annotated_entry_is_seen_and_not_overwritten(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_mapping m;
	uint64_t page = 0, *word;
	unsigned i;

	map_ok(f, 0, PAGE, 0);
	assert_int_equal(aw_walk(&f->regs, &f->arena, &f->view), 0);
	for (i = 0; i < f->view.pages; i++)
		if (f->view.page[i].arm_level == 3)
			page = f->view.page[i].pa;
	word = (uint64_t *)(uintptr_t)nw_arena_read(&f->arena, page) + 1;
	*word = 0x4400;
	assert_int_equal(nw_lookup(&f->table, NW_IA(PAGE), &m), NW_OK);
	assert_int_equal(m.kind, NW_ENTRY_INVALID);
	assert_int_equal(m.entry, 0x4400);
	assert_int_equal(nw_map(&f->table, NW_IA(PAGE), PAGE, NW_PA(0), &rw,
				NW_LEVEL_ANY, NULL, &f->result),
			 NW_E_EXISTS);
	assert_int_equal(*word, 0x4400);
	*word = 0;
}

int run_refusal_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(range_wrong_is_refused_by_name),
		TABLE_TEST(table_null_is_refused),
		TABLE_TEST(other_null_is_refused),
		TABLE_TEST(map_output_wrong_is_refused),
		TABLE_TEST(map_attributes_wrong_are_refused),
		TABLE_TEST(level_wrong_is_refused),
		TABLE_TEST(split_address_wrong_is_refused),
		TABLE_TEST(protect_arguments_wrong_are_refused),
		TABLE_TEST(walk_flags_wrong_are_refused),
		TABLE_TEST(lookup_beyond_input_is_refused),
		TABLE_TEST(reserved_encoding_is_reported_corrupt),
		TABLE_TEST(annotated_entry_is_seen_and_not_overwritten),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
