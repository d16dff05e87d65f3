/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_test.h"

static void map_one_page_is_found(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_mapping m;

	map_ok(f, 5 * PAGE, PAGE, 0x12345000);
	m = fixture_at(f, 5 * PAGE + 0x123);
	assert_int_equal(m.kind, NW_ENTRY_LEAF);
	assert_int_equal(m.level, 0);
	assert_int_equal(m.pa.v, 0x12345123);
	assert_int_equal(m.base.v, 5 * PAGE);
	assert_int_equal(fixture_at(f, 4 * PAGE).kind, NW_ENTRY_EMPTY);
	assert_int_equal(fixture_at(f, 6 * PAGE).kind, NW_ENTRY_EMPTY);
}

static void map_last_page_of_input_is_found(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t ia = (1ull << f->variant->ia_bits) - PAGE;
	uint64_t pa = (1ull << f->variant->oa_bits) - PAGE;

	map_ok(f, ia, PAGE, pa);
	assert_int_equal(fixture_at(f, ia + PAGE - 1).pa.v, pa + PAGE - 1);
}

/* The attributes arrive as given, each memory type and right. */
static void map_each_attribute_arrives(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned type, prot, share, mapped = 0;
	uint64_t ia = 0;

	for (type = 0; type < NW_MEM_COUNT; type++)
		for (prot = 1; prot <= NW_PROT_RWX; prot++)
			for (share = 0; share < NW_SHARE_COUNT; share++) {
				struct nw_attrs want = {
					.prot = (uint8_t)prot,
					.memtype = (uint8_t)type,
					.share = (uint8_t)share,
					.flags = NW_LEAF_ACCESSED,
				};
				struct aw_leaf leaf;
				enum nw_status s = nw_map(
					&f->table, NW_IA(ia), PAGE, NW_PA(ia),
					&want, NW_LEVEL_ANY, NULL, &f->result);

				if (s == NW_E_ATTRS)
					continue;
				assert_int_equal(s, NW_OK);
				assert_int_equal(aw_translate(&f->regs,
							      &f->arena, ia,
							      &leaf), 1);
				if (f->regs.stage == AW_STAGE1_EL2)
					want.prot &= ~NW_PROT_UX;
				assert_memory_equal(&leaf.attrs, &want,
						    sizeof(want));
				ia += PAGE;
				mapped++;
			}
	/* Refusals have their own tests; most combinations must pass. */
	assert_true(mapped > 50);
}

/* ia, pa, size -> the level of the leaf over `probe`, when nothing is there. */
struct choice {
	uint64_t ia, pa, size, probe;
	unsigned max_level;
	int level;
};

static void map_alignment_chooses_largest_leaf(void **state)
{
	static const struct choice choices[] = {
		{0, 0, 2 * MIB, 0, NW_LEVEL_ANY, 1},
		{0, 0, 2 * MIB, 0, 0, 0},
		{0, 0, 2 * MIB - PAGE, 0, NW_LEVEL_ANY, 0},
		{0, PAGE, 2 * MIB, 0, NW_LEVEL_ANY, 0},
		{PAGE, PAGE, 4 * MIB - PAGE, 2 * MIB, NW_LEVEL_ANY, 1},
		{PAGE, PAGE, 4 * MIB - PAGE, 2 * MIB - PAGE, NW_LEVEL_ANY, 0},
		{PAGE, PAGE, 4 * MIB, 4 * MIB, NW_LEVEL_ANY, 0},
		{0, 0, GIB, 0, NW_LEVEL_ANY, 2},
		{0, 0, GIB, 0, 1, 1},
		{0, 2 * MIB, GIB, 0, NW_LEVEL_ANY, 1},
		{0, PAGE, 2 * MIB, MIB, NW_LEVEL_ANY, 0},
		{0, 0, GIB - PAGE, 0, NW_LEVEL_ANY, 1},
		{0, 0, GIB - PAGE, GIB - 2 * PAGE, NW_LEVEL_ANY, 0},
		{GIB - 2 * MIB, GIB - 2 * MIB, GIB + 4 * MIB, GIB,
		 NW_LEVEL_ANY, 2},
		{GIB - 2 * MIB, GIB - 2 * MIB, GIB + 4 * MIB, GIB - 2 * MIB,
		 NW_LEVEL_ANY, 1},
		{GIB - 2 * MIB, GIB - 2 * MIB, GIB + 4 * MIB, 2 * GIB,
		 NW_LEVEL_ANY, 1},
	};
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	unsigned i;

	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct choice *c = &choices[i];
		int want = c->level;

		if (want > 1 && !(f->table.geo.leaf_levels & 4))
			want = 1;
		if (c->max_level != NW_LEVEL_ANY &&
		    c->max_level >= f->table.geo.levels)
			continue;
		assert_result(f,
			      nw_map(&f->table, NW_IA(c->ia), c->size,
				     NW_PA(c->pa), &attrs, c->max_level, NULL,
				     &f->result),
			      NW_OK, c->ia + c->size);
		if (leaf_level(f, c->probe) != want)
			fail_msg("choice %u: level %d, expected %d", i,
				 leaf_level(f, c->probe), want);
		assert_null(fixture_look(f, 0));
		assert_result(f,
			      nw_unmap(&f->table, NW_IA(c->ia), c->size, NULL,
				       &f->result),
			      NW_OK, c->ia + c->size);
		/* Empty tables may stay, and would then be filled. */
		while (nw_table_teardown_step(&f->table, 1000) == NW_MORE)
			;
	}
}

static void map_existing_table_is_filled(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, PAGE, 0);
	map_ok(f, PAGE, 2 * MIB - PAGE, PAGE);
	assert_int_equal(leaf_level(f, PAGE), 0);
	assert_int_equal(leaf_level(f, 2 * MIB - PAGE), 0);
}

static void map_needs_no_flush(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 4 * MIB + PAGE, 0);
	map_ok(f, GIB, 4 * MIB, 4 * PAGE);
	assert_int_equal(f->arena.requests, 0);
}

static void map_over_anything_reports_exists(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_R);
	static const struct {
		uint64_t ia, size;
	} over[] = {
		{3 * MIB, PAGE}, {2 * MIB, 2 * MIB}, {0, GIB},
		{2 * MIB - PAGE, 2 * PAGE}, {4 * MIB - PAGE, 2 * PAGE},
		{8 * MIB, PAGE}, {8 * MIB - PAGE, 3 * PAGE},
	};
	unsigned i;

	map_ok(f, 2 * MIB, 2 * MIB, 0);
	map_ok(f, 8 * MIB, PAGE, 0);
	for (i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
		uint64_t live = f->arena.live;

		assert_result(f,
			      nw_map(&f->table, NW_IA(over[i].ia),
				     over[i].size, NW_PA(0), &attrs,
				     NW_LEVEL_ANY, NULL, &f->result),
			      NW_E_EXISTS, over[i].ia);
		assert_int_not_equal(f->result.entry, 0);
		assert_int_equal(f->arena.live, live);
	}
	assert_int_equal(fixture_at(f, 4 * MIB).kind, NW_ENTRY_EMPTY);
	assert_int_equal(fixture_at(f, 8 * MIB + PAGE).kind, NW_ENTRY_EMPTY);
}

/* Across the seam of concatenated roots, and across every level's boundary. */
static void map_across_each_boundary_continues(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned lg2;

	for (lg2 = 21; lg2 < f->variant->ia_bits; lg2++) {
		uint64_t ia = (1ull << lg2) - PAGE;

		map_ok(f, ia, 2 * PAGE, 0x10001000);
		assert_int_equal(fixture_at(f, ia).pa.v, 0x10001000);
		assert_int_equal(fixture_at(f, ia + PAGE).pa.v, 0x10002000);
	}
	assert_int_equal(f->table.stats.pages_live, f->arena.live);
}

static void map_without_result_works(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);

	assert_int_equal(nw_map(&f->table, NW_IA(0), PAGE, NW_PA(0), &attrs,
				NW_LEVEL_ANY, NULL, NULL), NW_OK);
	assert_int_equal(nw_map(&f->table, NW_IA(0), 0, NW_PA(0), &attrs,
				NW_LEVEL_ANY, NULL, NULL), NW_E_EMPTY);
}

int run_map_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(map_one_page_is_found),
		TABLE_TEST(map_last_page_of_input_is_found),
		TABLE_TEST(map_each_attribute_arrives),
		TABLE_TEST(map_alignment_chooses_largest_leaf),
		TABLE_TEST(map_existing_table_is_filled),
		TABLE_TEST(map_needs_no_flush),
		TABLE_TEST(map_over_anything_reports_exists),
		TABLE_TEST(map_across_each_boundary_continues),
		TABLE_TEST(map_without_result_works),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
