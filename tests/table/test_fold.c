/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of shape: split over a range, collapse, reclaim. */
#include "table_test.h"

#define ALL NW_LEVEL_ANY

static void collapse_restores_what_split_range_broke(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->ia_bits;
	uint64_t at = 4 * MIB, live = f->arena.live;

	map_ok(f, at, 4 * MIB, at);
	assert_result(f,
		      nw_split_range(&f->table, NW_IA(at), 4 * MIB, 0, 100,
				     NULL, &f->result),
		      NW_OK, at + 4 * MIB);
	assert_int_equal(leaf_level(f, at + 2 * MIB), 0);
	assert_result(f,
		      nw_collapse(&f->table, NW_IA(at), 4 * MIB, ALL, 100,
				  &f->result),
		      NW_OK, at + 4 * MIB);
	assert_int_equal(leaf_level(f, at), 1);
	assert_int_equal(leaf_level(f, at + 2 * MIB), 1);
	assert_int_equal(fixture_at(f, at + PAGE).pa.v, at + PAGE);
	assert_result(f,
		      nw_unmap(&f->table, NW_IA(at), 4 * MIB, NULL,
			       &f->result),
		      NW_OK, at + 4 * MIB);
	assert_result(f,
		      nw_reclaim_tables(&f->table, NW_IA(0), limit, 100,
					&f->result),
		      NW_OK, limit);
	assert_int_equal(f->arena.live, live);
}

static void collapse_leaves_what_is_not_one_block(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at = 4 * MIB;

	map_ok(f, at, 2 * MIB, at + PAGE); /* never aligned to a block */
	assert_result(f,
		      nw_collapse(&f->table, NW_IA(at), 2 * MIB, ALL, 100,
				  &f->result),
		      NW_OK, at + 2 * MIB);
	assert_int_equal(leaf_level(f, at), 0);
	assert_int_equal(nw_table_stats(&f->table).folds, 0);
}

static void budgets_that_are_spent_report_more_and_where(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at = 4 * MIB;

	map_ok(f, at, 6 * MIB, at);
	assert_result(f,
		      nw_split_range(&f->table, NW_IA(at), 6 * MIB, 0, 2, NULL,
				     &f->result),
		      NW_MORE, at + 4 * MIB);
	assert_int_equal(leaf_level(f, at + 2 * MIB), 0);
	assert_int_equal(leaf_level(f, at + 4 * MIB), 1);
	assert_result(f,
		      nw_collapse(&f->table, NW_IA(at), 6 * MIB, ALL, 1,
				  &f->result),
		      NW_MORE, at + 2 * MIB);
	assert_int_equal(leaf_level(f, at), 1);
	assert_int_equal(leaf_level(f, at + 2 * MIB), 0);
}

static void split_range_without_pages_reports_nomem_where(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at = 4 * MIB;

	map_ok(f, at, 6 * MIB, at);
	for (unsigned n = 1; n <= 3; n++) {
		uint64_t live = f->arena.live;

		nw_arena_fail_at(&f->arena, 1);
		assert_result(f,
			      nw_split_range(&f->table, NW_IA(at), 6 * MIB, 0,
					     100, NULL, &f->result),
			      NW_E_NOMEM, at + (n - 1) * 2 * MIB);
		nw_arena_fail_at(&f->arena, 0);
		assert_int_equal(f->arena.live, live);
		assert_result(f,
			      nw_split_range(&f->table, NW_IA(at), 6 * MIB, 0,
					     1, NULL, &f->result),
			      n < 3 ? NW_MORE : NW_OK,
			      n < 3 ? at + n * 2 * MIB : at + 6 * MIB);
	}
}

static void refused_arguments_are_named(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table *t = &f->table;

	assert_refused(f,
		       nw_collapse(t, NW_IA(0), GIB, ALL, 0, &f->result),
		       NW_E_EMPTY, 0, "budget_pages");
	assert_refused(f, nw_collapse(t, NW_IA(0), GIB, 7, 1, &f->result),
		       NW_E_LEVEL, 0, "max_level");
	assert_refused(f,
		       nw_reclaim_tables(t, NW_IA(1), GIB, 1, &f->result),
		       NW_E_MISALIGNED, 1, "ia");
	assert_refused(f,
		       nw_reclaim_tables(t, NW_IA(0), GIB, 0, &f->result),
		       NW_E_EMPTY, 0, "budget_pages");
	assert_refused(f,
		       nw_split_range(t, NW_IA(0), GIB, 7, 1, NULL,
				      &f->result),
		       NW_E_LEVEL, 0, "level");
	assert_refused(f,
		       nw_split_range(t, NW_IA(0), GIB, 0, 0, NULL,
				      &f->result),
		       NW_E_EMPTY, 0, "budget_pages");
}

int run_fold_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(collapse_restores_what_split_range_broke),
		TABLE_TEST(collapse_leaves_what_is_not_one_block),
		TABLE_TEST(budgets_that_are_spent_report_more_and_where),
		TABLE_TEST(split_range_without_pages_reports_nomem_where),
		TABLE_TEST(refused_arguments_are_named),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
