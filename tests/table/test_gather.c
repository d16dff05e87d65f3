/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One flush for several operations; cleaning caches; a table's quota and its
 * node.
 */
#include "table_test.h"

#include <string.h>

#include <nestwalk/gather.h>

#include "nw_port.h"

/* ---- gathers ----------------------------------------------------------------
 */

static void unmap_into(struct fixture *f, struct nw_gather *g, uint64_t ia,
		       uint64_t size)
{
	assert_result(f,
		      nw_unmap_gather(&f->table, NW_IA(ia), size, NULL, g,
				      &f->result),
		      NW_OK, ia + size);
}

static void map_pages(struct fixture *f, uint64_t ia, uint64_t size)
{
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);

	assert_result(f,
		      nw_map(&f->table, NW_IA(ia), size, NW_PA(ia), &attrs, 0,
			     NULL, &f->result),
		      NW_OK, ia + size);
}

/* Does some recorded range cover [start, end)? */
static int was_flushed(const struct fixture *f, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < f->arena.flushes; i++)
		if (f->arena.flush[i].range.start <= start &&
		    f->arena.flush[i].range.end >= end)
			return 1;
	return 0;
}

static void gather_of_several_unmaps_is_one_request(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_gather g;

	map_pages(f, 0, 4 * MIB);
	nw_arena_flushes_clear(&f->arena);
	nw_gather_begin(&g, &f->table);
	unmap_into(f, &g, 0, 2 * PAGE);
	unmap_into(f, &g, 8 * PAGE, PAGE);
	unmap_into(f, &g, 3 * MIB, 16 * PAGE);
	assert_int_equal(f->arena.requests, 0);
	assert_int_equal(nw_gather_finish(&g), 0);
	assert_int_equal(f->arena.requests, 1);
	assert_int_equal(f->arena.flushes, 3);
	assert_true(was_flushed(f, 0, 2 * PAGE));
	assert_true(was_flushed(f, 8 * PAGE, 9 * PAGE));
	assert_true(was_flushed(f, 3 * MIB, 3 * MIB + 16 * PAGE));
}

static void gather_without_operations_flushes_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_gather g;

	nw_gather_begin(&g, &f->table);
	unmap_into(f, &g, 0, 2 * MIB); /* nothing is there */
	assert_int_equal(nw_gather_finish(&g), 0);
	assert_int_equal(nw_gather_finish(&g), 0); /* closed: nothing happens */
	assert_int_equal(f->arena.requests, 0);
}

static void gather_keeps_dropped_tables_until_its_flush(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_gather g;
	uint64_t live;

	map_pages(f, 0, 8 * MIB);
	assert_null(fixture_look(f, 0)); /* tells the arena what is linked */
	live = f->arena.live;
	nw_gather_begin(&g, &f->table);
	unmap_into(f, &g, 0, 2 * MIB);
	unmap_into(f, &g, 4 * MIB, 2 * MIB);
	assert_int_equal(f->arena.live, live);
	assert_int_equal(nw_gather_finish(&g), 0);
	assert_int_equal(f->arena.live, live - 2);
}

static void gather_that_is_full_settles_early_and_says_so(void **state)
{
	struct fixture *f = FIXTURE(state);
	const unsigned subtrees = NW_GATHER_SUBTREES + 8;
	struct nw_gather g;

	for (unsigned i = 0; i < subtrees; i++)
		map_pages(f, 2ull * i * 2 * MIB, PAGE);
	assert_null(fixture_look(f, 0));
	nw_arena_flushes_clear(&f->arena);
	nw_gather_begin(&g, &f->table);
	for (unsigned i = 0; i < subtrees; i++)
		unmap_into(f, &g, 2ull * i * 2 * MIB, 2 * MIB);
	assert_int_equal(f->arena.requests, 1);
	assert_int_equal(nw_gather_finish(&g), 1);
	assert_int_equal(f->arena.requests, 2);
	for (unsigned i = 0; i < subtrees; i++)
		assert_true(was_flushed(f, 2ull * i * 2 * MIB,
					2ull * i * 2 * MIB + 2 * MIB));
}

static void note_dirty(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)ia;
	*(uint64_t *)arg += size_bytes;
}

static void gather_of_write_protect_and_harvest_is_one_request(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t dirty = 0;
	struct nw_gather g;

	map_pages(f, 0, 4 * MIB);
	nw_arena_flushes_clear(&f->arena);
	nw_gather_begin(&g, &f->table);
	for (unsigned slot = 0; slot < 4; slot++)
		assert_result(f,
			      nw_write_protect_gather(
				      &f->table, NW_IA(slot * MIB), MIB / 2,
				      NULL, NULL, NULL, &g, &f->result),
			      NW_OK, slot * MIB + MIB / 2);
	assert_result(f,
		      nw_harvest_dirty_gather(&f->table, NW_IA(0), 4 * MIB,
					      note_dirty, &dirty, &g,
					      &f->result),
		      NW_OK, 4 * MIB);
	assert_int_equal(f->arena.requests, 0);
	assert_int_equal(nw_gather_finish(&g), 0);
	assert_int_equal(f->arena.requests, 1);
	for (unsigned slot = 0; slot < 4; slot++)
		assert_true(was_flushed(f, slot * MIB, slot * MIB + MIB / 2));
	assert_int_equal(dirty, 0);
}

/* What must be immediate: a block that sticks out is split at once. */
static void gather_leaves_breaks_where_they_are(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_gather g;

	map_ok(f, 0, 2 * MIB, 0);
	nw_arena_flushes_clear(&f->arena);
	nw_gather_begin(&g, &f->table);
	unmap_into(f, &g, PAGE, PAGE);
	assert_int_equal(f->arena.requests, 1); /* the split's */
	assert_int_equal(leaf_level(f, 0), 0);
	assert_int_equal(nw_gather_finish(&g), 0);
	assert_int_equal(f->arena.requests, 2);
}

static void gather_of_another_table_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_gather g;

	memset(&g, 0, sizeof(g));
	assert_refused(f,
		       nw_unmap_gather(&f->table, NW_IA(0), PAGE, NULL, &g,
				       &f->result),
		       NW_E_CONFIG, 0, "g");
	assert_refused(f,
		       nw_write_protect_gather(&f->table, NW_IA(0), PAGE, NULL,
					       NULL, NULL, &g, &f->result),
		       NW_E_CONFIG, 0, "g");
	assert_refused(f,
		       nw_harvest_dirty_gather(&f->table, NW_IA(0), PAGE,
					       note_dirty, NULL, &g,
					       &f->result),
		       NW_E_CONFIG, 0, "g");
}

/* ---- cleaning caches --------------------------------------------------------
 */

static struct {
	uint64_t calls, bytes, first_pa, last_end;
} cleaned;

static void clean(void *ctx, nw_pa_t pa, uint64_t bytes)
{
	(void)ctx;
	if (!cleaned.calls++)
		cleaned.first_pa = pa.v;
	cleaned.bytes += bytes;
	cleaned.last_end = pa.v + bytes;
}

static void clean_afresh(struct fixture *f)
{
	memset(&cleaned, 0, sizeof(cleaned));
	f->arena.ops.clean = clean;
}

static void caches_of_what_is_mapped_are_cleaned(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs device = fixture_attrs(f->variant, NW_PROT_RW);

	clean_afresh(f);
	map_ok(f, 2 * MIB, 2 * MIB, 64 * MIB);
	map_pages(f, 4 * MIB, 3 * PAGE);
	device.memtype = NW_MEM_DEVICE_nGnRE;
	assert_result(f,
		      nw_map(&f->table, NW_IA(6 * MIB), PAGE, NW_PA(6 * MIB),
			     &device, 0, NULL, &f->result),
		      NW_OK, 6 * MIB + PAGE);
	nw_arena_flushes_clear(&f->arena);
	/* From the middle of a block to the middle of the pages. */
	assert_result(f,
		      nw_flush_caches(&f->table, NW_IA(3 * MIB), MIB + 2 * PAGE,
				      GIB, &f->result),
		      NW_OK, 4 * MIB + 2 * PAGE);
	assert_int_equal(cleaned.bytes, MIB + 2 * PAGE);
	assert_int_equal(cleaned.calls, 3);
	assert_int_equal(cleaned.first_pa, 65 * MIB);
	assert_int_equal(cleaned.last_end, 4 * MIB + 2 * PAGE);
	/* All of it: not the device. */
	clean_afresh(f);
	assert_result(
		f,
		nw_flush_caches(&f->table, NW_IA(0), 8 * MIB, GIB, &f->result),
		NW_OK, 8 * MIB);
	assert_int_equal(cleaned.bytes, 2 * MIB + 3 * PAGE);
	assert_int_equal(f->arena.requests, 0);
}

static void caches_are_cleaned_in_budgets(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at = 0, calls = 0;
	enum nw_status status;

	clean_afresh(f);
	map_pages(f, 0, 64 * PAGE);
	map_ok(f, 2 * MIB, 2 * MIB, 2 * MIB);
	do {
		status = nw_flush_caches(&f->table, NW_IA(at), 4 * MIB - at,
					 16 * PAGE, &f->result);
		assert_true(f->result.reached > at);
		at = f->result.reached;
		calls++;
	} while (status == NW_MORE);
	assert_int_equal(status, NW_OK);
	assert_int_equal(at, 4 * MIB);
	/* Four times sixteen pages, and the block, which is more than a budget.
	 */
	assert_int_equal(calls, 5);
	assert_int_equal(cleaned.bytes, 64 * PAGE + 2 * MIB);
}

static void caches_bad_arguments_are_named(void **state)
{
	struct fixture *f = FIXTURE(state);

	f->arena.ops.clean = NULL;
	assert_refused(
		f, nw_flush_caches(&f->table, NW_IA(0), PAGE, PAGE, &f->result),
		NW_E_UNSUPPORTED, 0, "port.clean");
	clean_afresh(f);
	assert_refused(
		f, nw_flush_caches(&f->table, NW_IA(0), PAGE, 0, &f->result),
		NW_E_EMPTY, 0, "budget_bytes");
	assert_int_equal(nw_flush_caches(NULL, NW_IA(0), PAGE, 1, NULL),
			 NW_E_NULL);
}

/* ---- quota and node ---------------------------------------------------------
 */

static struct nw_table_config config_of(struct fixture *f)
{
	struct nw_table_config c =
		fixture_config(f, f->variant, (enum nw_mode)f->table.mode);

	return c;
}

static void quota_is_exact_and_says_so(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	struct nw_table_config c = config_of(f);
	struct nw_table_stats s;
	struct nw_result r;
	struct nw_table t;
	enum nw_status status;

	c.pages_quota =
		nw_table_stats(&f->table).pages_live +
		nw_map_pages_max(&f->table, NW_IA(0), 4 * MIB, NW_PA(0), 0) - 1;
	assert_int_equal(nw_table_init(&t, &c, &r), NW_OK);
	status = nw_map(&t, NW_IA(0), 4 * MIB, NW_PA(0), &attrs, 0, NULL, &r);
	assert_string_equal(nw_status_name(status), "NW_E_QUOTA");
	assert_int_equal(r.reached, 2 * MIB);
	s = nw_table_stats(&t);
	assert_int_equal(s.pages_live, c.pages_quota);
	assert_int_equal(s.pages_peak, c.pages_quota);
	assert_true(s.quota_refusals > 0);
	/* Freeing makes room. */
	assert_int_equal(nw_unmap(&t, NW_IA(0), 2 * MIB, NULL, &r), NW_OK);
	assert_int_equal(nw_map(&t, NW_IA(2 * MIB), 2 * MIB, NW_PA(0), &attrs,
				0, NULL, &r),
			 NW_OK);
	nw_table_destroy(&t);
}

/* A split that gets no page leaves the block, and a cache keeps its pages. */
static void quota_of_a_split_loses_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	struct nw_table_config c = config_of(f);
	struct nw_page_cache cache = {0};
	struct nw_result r;
	struct nw_table t;
	uint64_t live;

	c.pages_quota = nw_table_stats(&f->table).pages_live +
			nw_map_pages_max(&f->table, NW_IA(0), 2 * MIB, NW_PA(0),
					 NW_LEVEL_ANY);
	assert_int_equal(nw_table_init(&t, &c, &r), NW_OK);
	assert_int_equal(nw_map(&t, NW_IA(0), 2 * MIB, NW_PA(0), &attrs,
				NW_LEVEL_ANY, NULL, &r),
			 NW_OK);
	assert_int_equal(nw_cache_topup(&t, &cache, 4), NW_OK);
	live = f->arena.live;
	assert_string_equal(
		nw_status_name(nw_split(&t, NW_IA(0), 0, &cache, &r)),
		"NW_E_QUOTA");
	assert_int_equal(cache.pages, 4);
	assert_int_equal(f->arena.live, live);
	nw_cache_drain(&t, &cache);
	nw_table_destroy(&t);
}

static void quota_below_the_root_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table_config c = config_of(f);
	uint64_t root = nw_table_stats(&f->table).pages_live;
	struct nw_result r;
	struct nw_table t;

	if (root < 2)
		return; /* every quota is enough for it */
	c.pages_quota = root - 1;
	assert_int_equal(nw_table_init(&t, &c, &r), NW_E_QUOTA);
	assert_string_equal(r.argument, "config.pages_quota");
}

static void flush_policy_that_is_none_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table_config c = config_of(f);
	struct nw_result r;
	struct nw_table t;

	c.flush_policy = (enum nw_flush_policy)2;
	assert_int_equal(nw_table_init(&t, &c, &r), NW_E_CONFIG);
	assert_string_equal(r.argument, "config.flush_policy");
}

static void gather_of_nobody_is_the_plain_operation(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_pages(f, 0, 4 * PAGE);
	nw_arena_flushes_clear(&f->arena);
	unmap_into(f, NULL, 0, PAGE);
	assert_int_equal(f->arena.requests, 1);
	assert_int_equal(nw_table_stats(&f->table).flush_ranges, 1);
	assert_int_equal(nw_table_stats(&f->table).flush_shared, 0);
}

static unsigned asked_nodes[4], asked;

static void *alloc_on(void *ctx, unsigned pages_lg2, unsigned node)
{
	struct nw_arena *arena = ctx;

	asked_nodes[asked++ & 3] = node;
	return arena->ops.alloc_pages(ctx, pages_lg2);
}

static void node_is_asked_for_where_the_port_knows_nodes(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	struct nw_table_config c = config_of(f);
	struct nw_port_ops ops = f->arena.ops;
	struct nw_table t;

	asked = 0;
	ops.alloc_pages_on = alloc_on;
	c.port = &ops;
	assert_int_equal(nw_table_init(&t, &c, NULL), NW_OK);
	assert_int_equal(asked, 0); /* any node */
	nw_table_destroy(&t);
	c.node = NW_NODE(3);
	assert_int_equal(nw_table_init(&t, &c, NULL), NW_OK);
	assert_int_equal(asked, 1); /* the root */
	assert_int_equal(
		nw_map(&t, NW_IA(0), PAGE, NW_PA(0), &attrs, 0, NULL, NULL),
		NW_OK);
	assert_true(asked > 1);
	assert_int_equal(asked_nodes[0], 3);
	assert_int_equal(asked_nodes[1], 3);
	nw_table_destroy(&t);
	/* A port that knows none: the hint is no matter. */
	ops.alloc_pages_on = NULL;
	assert_int_equal(nw_table_init(&t, &c, NULL), NW_OK);
	nw_table_destroy(&t);
}

int run_gather_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(gather_of_several_unmaps_is_one_request),
		TABLE_TEST(gather_without_operations_flushes_nothing),
		TABLE_TEST(gather_keeps_dropped_tables_until_its_flush),
		TABLE_TEST(gather_that_is_full_settles_early_and_says_so),
		TABLE_TEST(gather_of_write_protect_and_harvest_is_one_request),
		TABLE_TEST(gather_leaves_breaks_where_they_are),
		TABLE_TEST(gather_of_another_table_is_refused),
		TABLE_TEST(caches_of_what_is_mapped_are_cleaned),
		TABLE_TEST(caches_are_cleaned_in_budgets),
		TABLE_TEST(caches_bad_arguments_are_named),
		TABLE_TEST(gather_of_nobody_is_the_plain_operation),
		TABLE_TEST(flush_policy_that_is_none_is_refused),
		TABLE_TEST(quota_is_exact_and_says_so),
		TABLE_TEST(quota_of_a_split_loses_nothing),
		TABLE_TEST(quota_below_the_root_is_refused),
		TABLE_TEST(node_is_asked_for_where_the_port_knows_nodes),
	};

	return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
