/* SPDX-License-Identifier: BSD-2-Clause */
/* init, teardown, destroy, caches, accounts */
#include "table_test.h"

#include <string.h>

#include "nw_port.h"

static void init_root_is_aligned_zeroed_and_counted(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned pages = f->regs.root_pages, i, n;

	assert_int_equal(nw_table_root(&f->table).v % (PAGE * pages), 0);
	assert_int_equal(f->arena.live, pages);
	assert_int_equal(nw_table_stats(&f->table).pages_live, pages);
	assert_int_equal(nw_table_stats(&f->table).pages_allocated, pages);
	assert_int_equal(nw_table_stats(&f->table).pages_peak, pages);
	for (n = 0; n < pages; n++)
		for (i = 0; i < 512; i++)
			assert_int_equal(
				nw_arena_read(&f->arena, f->regs.root_pa +
							 n * PAGE)[i], 0);
}

/* Levels and roots that the manual allows for this input size: as few levels
 * as at most 16 concatenated roots (stage 2), or one root (stage 1), permit. */
static void init_shape_has_fewest_levels(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned ia_bits = f->variant->ia_bits, levels = 1, spare;

	spare = f->regs.stage == AW_STAGE2 ? 4 : 0;
	while (12 + 9 * levels + spare < ia_bits)
		levels++;
	assert_int_equal(f->table.geo.levels, levels);
	assert_int_equal(f->table.geo.root_pages_lg2,
			 12 + 9 * levels >= ia_bits
				 ? 0 : ia_bits - 12 - 9 * levels);
}

static void init_refuses_and_holds_nothing(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table_config good, bad;
	struct nw_table t, untouched;
	uint64_t live = f->arena.live;

	memset(&t, 0x5a, sizeof(t));
	untouched = t;
	good = fixture_config(f, f->variant, NW_MODE_EXCLUSIVE);
#define REFUSED(change, want)                                                  \
	do {                                                                   \
		bad = good;                                                    \
		change;                                                        \
		assert_int_equal(nw_table_init(&t, &bad, &f->result), want);   \
		assert_int_equal(f->result.status, want);                      \
		assert_memory_equal(&t, &untouched, sizeof(t));                \
		assert_int_equal(f->arena.live, live);                         \
	} while (0)
#define REFUSED_BY_NAME(change, want)                                          \
	do {                                                                   \
		REFUSED(change, want);                                         \
		assert_non_null(f->result.argument);                           \
	} while (0)
	struct nw_port_ops no_alloc = f->arena.ops, no_free = no_alloc;
	struct nw_port_ops no_invalidate = no_alloc;

	no_alloc.alloc_pages = NULL;
	no_free.free_pages = NULL;
	no_invalidate.invalidate = NULL;
	REFUSED_BY_NAME(bad.ops = NULL, NW_E_NULL);
	REFUSED_BY_NAME(bad.port = NULL, NW_E_NULL);
	REFUSED_BY_NAME(bad.port = &no_alloc, NW_E_NULL);
	REFUSED_BY_NAME(bad.port = &no_free, NW_E_NULL);
	REFUSED_BY_NAME(bad.port = &no_invalidate, NW_E_NULL);
	REFUSED_BY_NAME(bad.mode = (enum nw_mode)9, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.regime = (enum nw_regime)9, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.regime = NW_REGIME_EL10, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.format.granule_lg2 = 13, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.format.ia_bits = 0, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.format.ia_bits = 64, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.format.oa_bits = 0, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.format.oa_bits = 64, NW_E_CONFIG);
	REFUSED_BY_NAME(bad.format.features = 0x8000, NW_E_CONFIG);
	nw_arena_fail_at(&f->arena, 1);
	REFUSED((void)0, NW_E_NOMEM);
	assert_int_equal(nw_table_init(NULL, &good, &f->result), NW_E_NULL);
	assert_int_equal(nw_table_init(&t, NULL, &f->result), NW_E_NULL);
	if (!NW_PORT_HAS_GRACE_PERIOD) {
		nw_arena_fail_at(&f->arena, 0);
		REFUSED_BY_NAME(bad.mode = NW_MODE_READERS, NW_E_MODE);
		REFUSED_BY_NAME(bad.mode = NW_MODE_SHARED, NW_E_MODE);
	}
}

static void teardown_step_frees_at_most_its_budget(void **state)
{
	static const unsigned budgets[] = {1, 2, 3, 7, 64, 600, 100000};
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	unsigned b, i, steps;

	for (b = 0; b < sizeof(budgets) / sizeof(budgets[0]); b++) {
		enum nw_status status = NW_MORE;

		for (i = 0; i < 70; i++)
			map_ok(f, (i * 37ull % 1024) * 2 * MIB, PAGE, 0);
		assert_int_equal(nw_map(&f->table,
					NW_IA((1ull << f->variant->ia_bits) -
					      4 * MIB), 2 * MIB, NW_PA(0),
					&attrs, NW_LEVEL_ANY, NULL, NULL),
				 NW_OK);
		for (steps = 0; status == NW_MORE; steps++) {
			uint64_t before = f->arena.freed;

			assert_null(fixture_look(f, 0));
			status = nw_table_teardown_step(&f->table, budgets[b]);
			assert_true(f->arena.freed - before <= budgets[b]);
			/* Each step gets on, or says that it is done. */
			assert_true(status == NW_OK ||
				    f->arena.freed > before);
		}
		assert_int_equal(status, NW_OK);
		assert_int_equal(f->arena.live, f->regs.root_pages);
		assert_null(fixture_look(f, 0));
		assert_int_equal(f->view.leaves, 0);
	}
	assert_null(nw_arena_error(&f->arena));
}

static void teardown_of_nothing_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);

	assert_int_equal(nw_table_teardown_step(&f->table, 0), NW_E_EMPTY);
	assert_int_equal(nw_table_teardown_step(&f->table, 1), NW_OK);
}

static void teardown_of_blocks_flushes_them(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 2 * GIB, 0);
	assert_null(fixture_look(f, 0));
	nw_arena_flushes_clear(&f->arena);
	while (nw_table_teardown_step(&f->table, 4) == NW_MORE)
		;
	assert_true(fixture_flushed(
		f, 0, 2 * GIB, f->table.geo.leaf_levels & 4 ? 2 : 1));
	assert_null(fixture_look(f, 0));
	assert_int_equal(f->view.leaves, 0);
}

static void destroy_frees_everything_and_zeroes(void **state)
{
	static const struct nw_table zero;
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, GIB + 2 * MIB + PAGE, 0);
	map_ok(f, 3 * GIB, PAGE, 0);
	nw_table_destroy(&f->table);
	assert_int_equal(f->arena.live, 0);
	assert_memory_equal(&f->table, &zero, sizeof(zero));
	assert_null(nw_arena_error(&f->arena));
}

static void stats_agree_with_the_allocator(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_table_stats s;

	map_ok(f, 0, 2 * MIB, PAGE);
	map_ok(f, GIB, 2 * MIB, 0);
	assert_int_equal(nw_split(&f->table, NW_IA(GIB), 0, NULL, NULL), NW_OK);
	assert_int_equal(nw_unmap(&f->table, NW_IA(0), 2 * MIB, NULL, NULL),
			 NW_OK);
	s = nw_table_stats(&f->table);
	assert_int_equal(s.pages_allocated, f->arena.allocated);
	assert_int_equal(s.pages_freed, f->arena.freed);
	assert_int_equal(s.pages_live, f->arena.live);
	assert_int_equal(s.pages_allocated, s.pages_freed + s.pages_live);
	assert_true(s.pages_peak > s.pages_live);
	assert_int_equal(s.flushes, f->arena.requests);
	assert_int_equal(s.splits, 1);
}

static void cache_fills_drains_and_keeps_what_it_got(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_page_cache cache = {0};
	uint64_t live = f->arena.live;

	assert_int_equal(nw_cache_topup(&f->table, &cache, 5), NW_OK);
	assert_int_equal(cache.pages, 5);
	assert_int_equal(f->arena.live, live + 5);
	assert_int_equal(nw_cache_topup(&f->table, &cache, 3), NW_OK);
	assert_int_equal(cache.pages, 5);
	nw_arena_fail_at(&f->arena, 3);
	assert_int_equal(nw_cache_topup(&f->table, &cache, 10), NW_E_NOMEM);
	assert_int_equal(cache.pages, 7);
	nw_cache_drain(&f->table, &cache);
	assert_int_equal(cache.pages, 0);
	assert_null(cache.head);
	assert_int_equal(f->arena.live, live);
}

int run_life_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(init_root_is_aligned_zeroed_and_counted),
		TABLE_TEST(init_shape_has_fewest_levels),
		TABLE_TEST(init_refuses_and_holds_nothing),
		TABLE_TEST(teardown_step_frees_at_most_its_budget),
		TABLE_TEST(teardown_of_nothing_is_refused),
		TABLE_TEST(teardown_of_blocks_flushes_them),
		TABLE_TEST(destroy_frees_everything_and_zeroes),
		TABLE_TEST(stats_agree_with_the_allocator),
		TABLE_TEST(cache_fills_drains_and_keeps_what_it_got),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
