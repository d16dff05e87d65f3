/* SPDX-License-Identifier: BSD-2-Clause */
/* write-protect, dirty harvest, ageing */
#include "table_test.h"

struct told {
	unsigned calls;
	uint64_t first, bytes;
};

static void tell(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct told *told = arg;

	if (!told->calls++)
		told->first = ia.v;
	told->bytes += size_bytes;
}

static struct nw_attrs attrs_at(struct fixture *f, uint64_t ia)
{
	struct nw_mapping m = fixture_at(f, ia);
	struct nw_attrs attrs;

	assert_int_equal(nw_mapping_attrs(&f->table, &m, &attrs), NW_OK);
	return attrs;
}

static void map_as(struct fixture *f, uint64_t ia, uint64_t size, unsigned prot,
		   unsigned flags)
{
	struct nw_attrs attrs = fixture_attrs(f->variant, prot);

	attrs.flags = (uint16_t)flags;
	assert_result(f,
		      nw_map(&f->table, NW_IA(ia), size, NW_PA(ia), &attrs,
			     NW_LEVEL_ANY, NULL, &f->result),
		      NW_OK, ia + size);
}

static void protect_ok(struct fixture *f, uint64_t ia, uint64_t size,
		       struct told *told)
{
	assert_result(f,
		      nw_write_protect(&f->table, NW_IA(ia), size, tell, told,
				       NULL, &f->result),
		      NW_OK, ia + size);
}

static int has_dirty_state(const struct fixture *f)
{
	return (f->variant->features & NW_FEAT_HD) != 0;
}

/* ---- write-protect ------------------------------------------------------- */

static void write_protect_pages_lose_the_right_and_are_flushed(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	map_ok(f, 0, 8 * PAGE, 0);
	nw_arena_flushes_clear(&f->arena);
	protect_ok(f, 2 * PAGE, 3 * PAGE, &told);
	assert_int_equal(attrs_at(f, PAGE).prot, NW_PROT_RW);
	assert_int_equal(attrs_at(f, 2 * PAGE).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, 4 * PAGE).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, 5 * PAGE).prot, NW_PROT_RW);
	assert_int_equal(f->arena.flushes, 1);
	assert_true(fixture_flushed(f, 2 * PAGE, 5 * PAGE, 0));
	assert_int_equal(f->arena.flush[0].range.had_tables, 0);
	assert_int_equal(told.calls, 0);
}

static void write_protect_again_flushes_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	map_ok(f, 0, 8 * PAGE, 0);
	protect_ok(f, 0, 8 * PAGE, &told);
	nw_arena_flushes_clear(&f->arena);
	protect_ok(f, 0, 8 * PAGE, &told);
	protect_ok(f, GIB, GIB, &told);
	assert_int_equal(f->arena.requests, 0);
}

static void write_protect_inside_block_splits_and_spares_the_rest(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	map_ok(f, 2 * MIB, 2 * MIB, 32 * MIB);
	protect_ok(f, 3 * MIB, PAGE, &told);
	assert_int_equal(leaf_level(f, 3 * MIB), 0);
	assert_int_equal(attrs_at(f, 3 * MIB).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, 3 * MIB - PAGE).prot, NW_PROT_RW);
	assert_int_equal(attrs_at(f, 3 * MIB + PAGE).prot, NW_PROT_RW);
	assert_int_equal(fixture_at(f, 3 * MIB).pa.v, 33 * MIB);
}

static void write_protect_mixed_sizes_and_holes_are_passed(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	map_ok(f, 2 * MIB, 2 * MIB, 2 * MIB);
	map_ok(f, 4 * MIB, PAGE, 0);
	map_ok(f, 8 * MIB, 2 * MIB, 8 * MIB);
	protect_ok(f, 0, 10 * MIB, &told);
	assert_int_equal(leaf_level(f, 2 * MIB), 1);
	assert_int_equal(attrs_at(f, 2 * MIB).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, 4 * MIB).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, 9 * MIB).prot, NW_PROT_R);
}

static void write_protect_no_page_for_an_edge_changes_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 4 * MIB, 0);
	nw_arena_fail_at(&f->arena, 1);
	assert_result(f,
		      nw_write_protect(&f->table, NW_IA(0), 3 * MIB, NULL, NULL,
				       NULL, &f->result),
		      NW_E_NOMEM, 0);
	assert_int_equal(attrs_at(f, 0).prot, NW_PROT_RW);
	assert_int_equal(leaf_level(f, 2 * MIB), 1);
}

static void write_protect_dirty_leaf_is_told_and_stays_protected(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	if (!has_dirty_state(f))
		skip();
	map_as(f, 0, 2 * PAGE, NW_PROT_RW, NW_LEAF_ACCESSED | NW_LEAF_DBM);
	map_as(f, 2 * PAGE, PAGE, NW_PROT_R, NW_LEAF_ACCESSED | NW_LEAF_DBM);
	protect_ok(f, 0, 3 * PAGE, &told);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.bytes, 2 * PAGE);
	assert_int_equal(attrs_at(f, 0).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, 0).flags & NW_LEAF_DBM, 0);
	assert_int_equal(attrs_at(f, 2 * PAGE).flags & NW_LEAF_DBM, 0);
}

/* ---- dirty -----------------------------------------------------------------
 */

static void harvest_dirty_leaves_once_then_clean(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	if (!has_dirty_state(f))
		skip();
	map_as(f, 0, 4 * PAGE, NW_PROT_RW, NW_LEAF_ACCESSED | NW_LEAF_DBM);
	nw_arena_flushes_clear(&f->arena);
	assert_result(f,
		      nw_harvest_dirty(&f->table, NW_IA(PAGE), 2 * PAGE, tell,
				       &told, &f->result),
		      NW_OK, 3 * PAGE);
	assert_int_equal(told.bytes, 2 * PAGE);
	assert_int_equal(told.first, PAGE);
	assert_true(fixture_flushed(f, PAGE, 3 * PAGE, 0));
	assert_int_equal(attrs_at(f, 0).prot, NW_PROT_RW);
	assert_int_equal(attrs_at(f, PAGE).prot, NW_PROT_R);
	assert_int_equal(attrs_at(f, PAGE).flags & NW_LEAF_DBM, NW_LEAF_DBM);
	told = (struct told){0};
	assert_int_equal(nw_harvest_dirty(&f->table, NW_IA(0), 4 * PAGE, tell,
					  &told, NULL),
			 NW_OK);
	assert_int_equal(told.bytes, 2 * PAGE);
	assert_int_equal(told.first, 0);
}

static void harvest_part_of_a_dirty_block_tells_all_of_it(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	if (!has_dirty_state(f))
		skip();
	map_as(f, 2 * MIB, 2 * MIB, NW_PROT_RW, NW_LEAF_ACCESSED | NW_LEAF_DBM);
	assert_result(f,
		      nw_harvest_dirty(&f->table, NW_IA(3 * MIB), PAGE, tell,
				       &told, &f->result),
		      NW_OK, 3 * MIB + PAGE);
	assert_int_equal(told.first, 2 * MIB);
	assert_int_equal(told.bytes, 2 * MIB);
	assert_int_equal(leaf_level(f, 3 * MIB), 1);
}

static void harvest_without_dirty_state_tells_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct told told = {0};

	map_as(f, 0, 4 * PAGE, NW_PROT_RW, NW_LEAF_ACCESSED);
	nw_arena_flushes_clear(&f->arena);
	assert_int_equal(
		nw_harvest_dirty(&f->table, NW_IA(0), GIB, tell, &told, NULL),
		NW_OK);
	assert_int_equal(told.calls, 0);
	assert_int_equal(f->arena.requests, 0);
	assert_int_equal(attrs_at(f, 0).prot, NW_PROT_RW);
}

/* ---- age -------------------------------------------------------------------
 */

static void age_test_counts_and_keeps(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t young = 99;

	map_as(f, 0, 3 * PAGE, NW_PROT_RW, NW_LEAF_ACCESSED);
	map_as(f, 4 * PAGE, PAGE, NW_PROT_RW, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_result(f,
			      nw_age(&f->table, NW_IA(0), GIB, NW_AGE_TEST,
				     &young, &f->result),
			      NW_OK, GIB);
		assert_int_equal(young, 3);
	}
}

static void age_clear_counts_clears_and_does_not_flush(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t young;

	map_as(f, 0, 3 * PAGE, NW_PROT_RW, NW_LEAF_ACCESSED);
	map_as(f, 2 * MIB, 2 * MIB, NW_PROT_RW, NW_LEAF_ACCESSED);
	nw_arena_flushes_clear(&f->arena);
	assert_int_equal(nw_age(&f->table, NW_IA(PAGE), 3 * MIB, NW_AGE_CLEAR,
				&young, NULL),
			 NW_OK);
	assert_int_equal(young, 3);
	assert_int_equal(attrs_at(f, 0).flags & NW_LEAF_ACCESSED,
			 NW_LEAF_ACCESSED);
	assert_int_equal(attrs_at(f, PAGE).flags & NW_LEAF_ACCESSED, 0);
	assert_int_equal(attrs_at(f, 2 * MIB).flags & NW_LEAF_ACCESSED, 0);
	assert_int_equal(attrs_at(f, PAGE).prot, NW_PROT_RW);
	assert_int_equal(f->arena.requests, 0);
	assert_int_equal(
		nw_age(&f->table, NW_IA(0), GIB, NW_AGE_CLEAR, &young, NULL),
		NW_OK);
	assert_int_equal(young, 1);
}

/* What an access-flag fault asks for. */
static void age_set_marks_what_was_old_and_nothing_else(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t young;

	map_as(f, 0, 2 * PAGE, NW_PROT_R, 0);
	map_as(f, 2 * PAGE, PAGE, NW_PROT_RW, NW_LEAF_ACCESSED);
	map_as(f, 2 * MIB, 2 * MIB, NW_PROT_RW, 0);
	nw_arena_flushes_clear(&f->arena);
	assert_int_equal(nw_age(&f->table, NW_IA(PAGE), 2 * PAGE, NW_AGE_SET,
				&young, NULL),
			 NW_OK);
	assert_int_equal(young, 1);
	assert_int_equal(attrs_at(f, 0).flags & NW_LEAF_ACCESSED, 0);
	assert_int_equal(attrs_at(f, PAGE).flags & NW_LEAF_ACCESSED,
			 NW_LEAF_ACCESSED);
	assert_int_equal(attrs_at(f, PAGE).prot, NW_PROT_R);
	assert_int_equal(nw_age(&f->table, NW_IA(2 * MIB + PAGE), PAGE,
				NW_AGE_SET, &young, NULL),
			 NW_OK);
	assert_int_equal(young, 1);
	assert_int_equal(attrs_at(f, 2 * MIB).flags & NW_LEAF_ACCESSED,
			 NW_LEAF_ACCESSED);
	assert_int_equal(f->arena.requests, 0);
}

/* ---- bad input
 * --------------------------------------------------------------- */

static void leaf_changes_refused_arguments_are_named(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table *t = &f->table;
	uint64_t young, limit = 1ull << f->variant->ia_bits;
	struct told told = {0};

	nw_arena_flushes_clear(&f->arena);
	assert_refused(f,
		       nw_write_protect(NULL, NW_IA(0), PAGE, NULL, NULL, NULL,
					&f->result),
		       NW_E_NULL, 0, "t");
	assert_refused(f,
		       nw_write_protect(t, NW_IA(1), PAGE, NULL, NULL, NULL,
					&f->result),
		       NW_E_MISALIGNED, 1, "ia");
	assert_refused(
		f, nw_harvest_dirty(t, NW_IA(0), PAGE, NULL, NULL, &f->result),
		NW_E_NULL, 0, "dirty");
	assert_refused(
		f, nw_harvest_dirty(t, NW_IA(0), 0, tell, &told, &f->result),
		NW_E_EMPTY, 0, "size_bytes");
	assert_refused(f,
		       nw_age(t, NW_IA(0), PAGE, NW_AGE_TEST, NULL, &f->result),
		       NW_E_NULL, 0, "young");
	assert_refused(
		f,
		nw_age(t, NW_IA(0), PAGE, (enum nw_age)3, &young, &f->result),
		NW_E_ATTRS, 0, "how");
	assert_int_equal(
		nw_age(t, NW_IA(limit), PAGE, NW_AGE_TEST, &young, &f->result),
		NW_E_IA_RANGE);
}

int run_leaf_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(write_protect_pages_lose_the_right_and_are_flushed),
		TABLE_TEST(write_protect_again_flushes_nothing),
		TABLE_TEST(
			write_protect_inside_block_splits_and_spares_the_rest),
		TABLE_TEST(write_protect_mixed_sizes_and_holes_are_passed),
		TABLE_TEST(write_protect_no_page_for_an_edge_changes_nothing),
		TABLE_TEST(
			write_protect_dirty_leaf_is_told_and_stays_protected),
		TABLE_TEST(harvest_dirty_leaves_once_then_clean),
		TABLE_TEST(harvest_part_of_a_dirty_block_tells_all_of_it),
		TABLE_TEST(harvest_without_dirty_state_tells_nothing),
		TABLE_TEST(age_test_counts_and_keeps),
		TABLE_TEST(age_clear_counts_clears_and_does_not_flush),
		TABLE_TEST(age_set_marks_what_was_old_and_nothing_else),
		TABLE_TEST(leaf_changes_refused_arguments_are_named),
	};

	return cmocka_run_group_tests_name("leaves", tests, NULL, NULL);
}
