/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Annotations, replaced pages, maps over what is mapped, removals that tell:
 * refused arguments one by one, allocations that fail one by one, and what
 * other operations make of annotations. (What they do:
 * tests/conformance/replace.c.)
 */
#include "table_test.h"

#define OWNER 0x2a

static const struct nw_expected nothing = {NW_EXPECT_NOTHING, 0};
static struct nw_attrs rw;

static uint64_t annotation_at(struct fixture *f, uint64_t ia)
{
	struct nw_mapping m = fixture_at(f, ia);

	return nw_mapping_annotation(&f->table, &m);
}

static void annotate_ok(struct fixture *f, uint64_t ia, uint64_t size,
			uint64_t value)
{
	assert_result(f,
		      nw_annotate(&f->table, NW_IA(ia), size, value, NULL, NULL,
				  &f->result),
		      NW_OK, ia + size);
}

/* ---- arguments ---------- */

static void annotate_arguments_wrong_are_refused(void **state)
{
	const struct nw_expected wide = {NW_EXPECT_ANNOTATION, UINT64_C(1)
								       << 62},
				 none = {NW_EXPECT_ANNOTATION, 0},
				 what = {NW_EXPECT_COUNT, 0};
	struct fixture *f = FIXTURE(state);
	struct nw_table *t = &f->table;

#define ANNOTATE(table, ia, size, value, expected)                             \
	nw_annotate(table, NW_IA(ia), size, value, expected, NULL, &f->result)
	assert_refused(f, ANNOTATE(NULL, 0, PAGE, 1, NULL), NW_E_NULL, 0, "t");
	assert_refused(f, ANNOTATE(t, 0, 0, 1, NULL), NW_E_EMPTY, 0,
		       "size_bytes");
	assert_refused(f, ANNOTATE(t, 8, PAGE, 1, NULL), NW_E_MISALIGNED, 8,
		       "ia");
	assert_refused(f, ANNOTATE(t, 0, PAGE, UINT64_C(1) << 62, NULL),
		       NW_E_ATTRS, 0, "value");
	assert_refused(f, ANNOTATE(t, 0, PAGE, 1, &wide), NW_E_ATTRS, 0,
		       "expected");
	assert_refused(f, ANNOTATE(t, 0, PAGE, 1, &none), NW_E_ATTRS, 0,
		       "expected");
	assert_refused(f, ANNOTATE(t, 0, PAGE, 1, &what), NW_E_ATTRS, 0,
		       "expected");
#undef ANNOTATE
#define CHECK(table, ia, size, expected)                                       \
	nw_check_range(table, NW_IA(ia), size, expected, &f->result)
	assert_refused(f, CHECK(NULL, 0, PAGE, &nothing), NW_E_NULL, 0, "t");
	assert_refused(f, CHECK(t, 0, PAGE, NULL), NW_E_NULL, 0, "expected");
	assert_refused(f, CHECK(t, 0, 0, &nothing), NW_E_EMPTY, 0,
		       "size_bytes");
	assert_refused(f, CHECK(t, 0, PAGE, &what), NW_E_ATTRS, 0, "expected");
#undef CHECK
	assert_int_equal(f->table.ops->annotation_bits, 62);
}

static void replace_arguments_wrong_are_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->oa_bits;
	struct nw_table *t = &f->table;
	struct nw_attrs bad;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	bad = rw;
	bad.prot = 0;
#define REPLACE(table, size, pa, attrs)                                        \
	nw_replace(table, NW_IA(PAGE), size, NW_PA(pa), attrs, NULL, NULL,     \
		   NULL, &f->result)
#define REMAP(table, size, pa, attrs, level)                                   \
	nw_remap(table, NW_IA(PAGE), size, NW_PA(pa), attrs, level, NULL,      \
		 NULL, NULL, &f->result)
	assert_refused(f, REPLACE(NULL, PAGE, 0, &rw), NW_E_NULL, PAGE, "t");
	assert_refused(f, REPLACE(t, PAGE, 0, NULL), NW_E_NULL, PAGE, "attrs");
	assert_refused(f, REPLACE(t, 0, 0, &rw), NW_E_EMPTY, PAGE,
		       "size_bytes");
	assert_refused(f, REPLACE(t, PAGE, 8, &rw), NW_E_MISALIGNED, PAGE,
		       "pa");
	assert_refused(f, REPLACE(t, PAGE, limit, &rw), NW_E_OA_RANGE, PAGE,
		       "pa");
	assert_refused(f, REPLACE(t, PAGE, 0, &bad), NW_E_ATTRS, PAGE, "attrs");
	assert_refused(f, REMAP(NULL, PAGE, 0, &rw, 0), NW_E_NULL, PAGE, "t");
	assert_refused(f, REMAP(t, PAGE, 0, NULL, 0), NW_E_NULL, PAGE, "attrs");
	assert_refused(f, REMAP(t, PAGE, 0, &bad, 0), NW_E_ATTRS, PAGE,
		       "attrs");
	assert_refused(f, REMAP(t, PAGE, 0, &rw, 9), NW_E_LEVEL, PAGE,
		       "max_level");
	assert_refused(f, REMAP(t, 2 * PAGE, limit - PAGE, &rw, 0),
		       NW_E_OA_RANGE, PAGE, "pa");
	assert_refused(f,
		       nw_unmap_dirty(NULL, NW_IA(0), PAGE, NULL, NULL, NULL,
				      &f->result),
		       NW_E_NULL, 0, "t");
	assert_refused(
		f, nw_unmap_dirty(t, NW_IA(0), 0, NULL, NULL, NULL, &f->result),
		NW_E_EMPTY, 0, "size_bytes");
#undef REPLACE
#undef REMAP
	assert_result(f,
		      nw_replace(t, NW_IA(PAGE), PAGE, NW_PA(0), &rw, NULL,
				 NULL, NULL, &f->result),
		      NW_E_ABSENT, PAGE);
}

/* ---- what an annotation is ---------- */

static void annotation_of_other_entries_is_none(void **state)
{
	/* nothing, page or table, block, lock token, frozen */
	static const uint64_t entries[] = {0, 0x80000403, 0x80000401,
					   0x12345678 << 3 | 2, 6};
	struct fixture *f = FIXTURE(state);
	struct nw_mapping m = {.kind = NW_ENTRY_INVALID};
	unsigned i;

	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		m.entry = entries[i];
		assert_int_equal(nw_mapping_annotation(&f->table, &m), 0);
	}
	m.entry = OWNER << 2;
	assert_int_equal(nw_mapping_annotation(&f->table, &m), OWNER);
	assert_int_equal(nw_mapping_annotation(NULL, &m), 0);
	assert_int_equal(nw_mapping_annotation(&f->table, NULL), 0);
}

static void annotation_outlives_what_is_not_its_removal(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table *t = &f->table;
	uint64_t young;

	map_ok(f, 2 * MIB, PAGE, 0);
	annotate_ok(f, 4 * MIB, 2 * MIB, OWNER);
	annotate_ok(f, 2 * MIB + PAGE, PAGE, OWNER + 1);
	assert_int_equal(fixture_at(f, 4 * MIB).level, 1);
	assert_int_equal(nw_protect(t, NW_IA(2 * MIB), 4 * MIB,
				    NW_PROTECT_RESTRICT, NW_PROT_W, NULL, NULL),
			 NW_OK);
	assert_int_equal(
		nw_age(t, NW_IA(2 * MIB), 4 * MIB, NW_AGE_CLEAR, &young, NULL),
		NW_OK);
	assert_int_equal(nw_unmap(t, NW_IA(2 * MIB), PAGE, NULL, NULL), NW_OK);
	assert_int_equal(nw_reclaim_tables(t, NW_IA(0), GIB, 100, NULL), NW_OK);
	assert_int_equal(nw_collapse(t, NW_IA(0), GIB, NW_LEVEL_ANY, 100, NULL),
			 NW_OK);
	assert_int_equal(annotation_at(f, 2 * MIB + PAGE), OWNER + 1);
	assert_int_equal(annotation_at(f, 4 * MIB + 5 * PAGE), OWNER);
	/* An unmap in its middle splits it; a split keeps it. */
	assert_int_equal(nw_unmap(t, NW_IA(4 * MIB + PAGE), PAGE, NULL, NULL),
			 NW_OK);
	assert_int_equal(annotation_at(f, 4 * MIB + PAGE), 0);
	assert_int_equal(annotation_at(f, 4 * MIB), OWNER);
	assert_int_equal(annotation_at(f, 6 * MIB - PAGE), OWNER);
	assert_int_equal(nw_unmap(t, NW_IA(0), GIB, NULL, NULL), NW_OK);
	assert_int_equal(annotation_at(f, 4 * MIB), 0);
}

/* An annotation of a level that has no leaves; and out of it again. */
static void annotate_everything_takes_one_level(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t all = UINT64_C(1) << f->variant->ia_bits;
	unsigned top = f->table.geo.levels - 1u;

	map_ok(f, 2 * MIB, 3 * PAGE, 0);
	annotate_ok(f, 0, all, OWNER);
	assert_int_equal(fixture_at(f, all - 1).level, top);
	assert_int_equal(f->arena.live, f->regs.root_pages);
	annotate_ok(f, all / 2 + PAGE, PAGE, OWNER + 1);
	assert_int_equal(annotation_at(f, all / 2), OWNER);
	assert_int_equal(annotation_at(f, all / 2 + PAGE), OWNER + 1);
	annotate_ok(f, 0, all, 0);
	assert_int_equal(annotation_at(f, all / 2), 0);
	assert_int_equal(annotation_at(f, all - 1), 0);
}

/* ---- pages run out ---------- */

static void annotate_without_pages_changes_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned mapped, n, failed = 0;
	uint64_t at;

	for (mapped = 0; mapped < 2; mapped++)
		for (n = 1; n < 20; n++) {
			enum nw_status status;

			if (mapped)
				map_ok(f, 0, 4 * GIB, 0);
			nw_arena_fail_at(&f->arena, n);
			status = nw_annotate(&f->table, NW_IA(GIB / 2 + PAGE),
					     2 * GIB, OWNER, NULL, NULL,
					     &f->result);
			if (status == NW_OK) {
				nw_arena_fail_at(&f->arena, 0);
				assert_int_equal(annotation_at(f, GIB), OWNER);
				assert_int_equal(nw_unmap(&f->table, NW_IA(0),
							  4 * GIB, NULL, NULL),
						 NW_OK);
				break;
			}
			failed++;
			assert_string_equal(nw_status_name(status),
					    "NW_E_NOMEM");
			assert_int_equal(f->result.reached, GIB / 2 + PAGE);
			nw_arena_fail_at(&f->arena, 0);
			for (at = 0; at < 4 * GIB; at += GIB / 2 + PAGE)
				assert_int_equal(fixture_at(f, at).kind,
						 mapped ? NW_ENTRY_LEAF
							: NW_ENTRY_EMPTY);
			assert_null(fixture_look(f, 0));
			nw_arena_linked_clear(&f->arena);
			while (nw_table_teardown_step(&f->table, 1000) ==
			       NW_MORE)
				;
		}
	assert_in_range(failed, 4, 20);
}

static void remap_without_pages_reports_exact_progress(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned n, failed = 0;

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	for (n = 1; n < 20; n++) {
		const uint64_t start = 2 * MIB + PAGE, size = 8 * MIB;
		enum nw_status status;
		uint64_t at;

		map_ok(f, 0, 16 * MIB, 0);
		nw_arena_fail_at(&f->arena, n);
		status =
			nw_remap(&f->table, NW_IA(start), size, NW_PA(GIB), &rw,
				 NW_LEVEL_ANY, NULL, NULL, NULL, &f->result);
		nw_arena_fail_at(&f->arena, 0);
		failed += status != NW_OK;
		if (status != NW_OK)
			assert_string_equal(nw_status_name(status),
					    "NW_E_NOMEM");
		for (at = start; at < start + size; at += PAGE)
			assert_int_equal(
				fixture_at(f, at).pa.v,
				at < f->result.reached ? GIB + at - start : at);
		assert_null(fixture_look(f, 0));
		nw_arena_linked_clear(&f->arena);
		while (nw_table_teardown_step(&f->table, 1000) == NW_MORE)
			;
		if (status == NW_OK)
			break;
	}
	assert_in_range(failed, 4, 18);
}

static void replace_takes_pages_only_to_split(void **state)
{
	struct fixture *f = FIXTURE(state);

	rw = fixture_attrs(f->variant, NW_PROT_RW);
	map_ok(f, 2 * MIB, 4 * MIB, 2 * MIB);
	nw_arena_fail_at(&f->arena, 1);
	assert_result(f,
		      nw_replace(&f->table, NW_IA(2 * MIB), 2 * MIB, NW_PA(GIB),
				 &rw, NULL, NULL, NULL, &f->result),
		      NW_OK, 4 * MIB);
	assert_int_equal(f->arena.alloc_calls, 0);
	assert_int_equal(fixture_at(f, 2 * MIB).pa.v, GIB);
	assert_result(f,
		      nw_replace(&f->table, NW_IA(4 * MIB), PAGE, NW_PA(GIB),
				 &rw, NULL, NULL, NULL, &f->result),
		      NW_E_NOMEM, 4 * MIB);
	assert_int_equal(fixture_at(f, 4 * MIB).pa.v, 4 * MIB);
	nw_arena_fail_at(&f->arena, 0);
}

/* ---- telling ---------- */

struct told {
	struct fixture *f;
	unsigned calls;
	uint64_t bytes;
};

static void tell_flushed(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct told *told = arg;

	assert_true(fixture_flushed(told->f, ia.v, ia.v + size_bytes, 0));
	told->calls++;
	told->bytes += size_bytes;
}

/* More spans than are kept at a time, one by one and in a dropped table. */
static void unmap_tells_every_dirty_page_after_its_flush(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs clean = fixture_attrs(f->variant, NW_PROT_R);
	unsigned i, whole;

	if (!(f->variant->features & NW_FEAT_HD))
		return;
	rw = fixture_attrs(f->variant, NW_PROT_RW);
	clean.flags |= NW_LEAF_DBM;
	rw.flags |= NW_LEAF_DBM;
	for (whole = 0; whole < 2; whole++) {
		struct told told = {.f = f};

		f->arena.record_flushes = 1;
		for (i = 0; i < 80; i++)
			assert_int_equal(nw_map(&f->table, NW_IA(i * PAGE),
						PAGE, NW_PA(i * PAGE),
						i & 1 ? &rw : &clean, 0, NULL,
						NULL),
					 NW_OK);
		nw_arena_flushes_clear(&f->arena);
		assert_int_equal(nw_unmap_dirty(&f->table, NW_IA(0),
						whole ? 2 * MIB : 80 * PAGE,
						tell_flushed, &told, NULL,
						NULL),
				 NW_OK);
		assert_int_equal(told.calls, 40);
		assert_int_equal(told.bytes, 40 * PAGE);
	}
}

int run_replace_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(annotate_arguments_wrong_are_refused),
		TABLE_TEST(replace_arguments_wrong_are_refused),
		TABLE_TEST(annotation_of_other_entries_is_none),
		TABLE_TEST(annotation_outlives_what_is_not_its_removal),
		TABLE_TEST(annotate_everything_takes_one_level),
		TABLE_TEST(annotate_without_pages_changes_nothing),
		TABLE_TEST(remap_without_pages_reports_exact_progress),
		TABLE_TEST(replace_takes_pages_only_to_split),
		TABLE_TEST(unmap_tells_every_dirty_page_after_its_flush),
	};

	return cmocka_run_group_tests_name("replace", tests, NULL, NULL);
}
