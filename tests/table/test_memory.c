/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every n-th allocation failing, until the operation needs no more: what is
 * reported is exact, the table consistent, nothing lost. And the promise of
 * the caches: with the announced worst case in hand there is no failure.
 */
#include "table_test.h"

#include <string.h>

/* A table with something in it, and an operation that needs pages. */
struct scene {
	const char *name;
	void (*lay)(struct fixture *f);
	enum nw_status (*act)(struct fixture *f, struct nw_page_cache *cache);
	uint64_t ia, size;
	int is_map; /* partial progress is allowed, and reported */
};

static void lay_nothing(struct fixture *f)
{
	(void)f;
}

static void lay_blocks(struct fixture *f)
{
	map_ok(f, 0, 4 * GIB, 0);
}

static void lay_pieces(struct fixture *f)
{
	map_ok(f, 2 * MIB - PAGE, PAGE, 0);
	map_ok(f, 64 * MIB, PAGE, 0);
}

static enum nw_status map_with(struct fixture *f, struct nw_page_cache *cache,
			       uint64_t ia, uint64_t size, uint64_t pa)
{
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);

	return nw_map(&f->table, NW_IA(ia), size, NW_PA(pa), &attrs,
		      NW_LEVEL_ANY, cache, &f->result);
}

static enum nw_status act_map_pages(struct fixture *f,
				    struct nw_page_cache *cache)
{
	return map_with(f, cache, 2 * MIB, 13 * MIB + PAGE, PAGE);
}

static enum nw_status act_map_ragged(struct fixture *f,
				     struct nw_page_cache *cache)
{
	return map_with(f, cache, GIB - 3 * PAGE, 2 * GIB + 7 * PAGE,
			GIB - 3 * PAGE);
}

static enum nw_status act_unmap(struct fixture *f, struct nw_page_cache *cache)
{
	return nw_unmap(&f->table, NW_IA(GIB / 2 + PAGE), 2 * GIB, cache,
			&f->result);
}

static enum nw_status act_protect(struct fixture *f,
				  struct nw_page_cache *cache)
{
	return nw_protect(&f->table, NW_IA(GIB / 2 + PAGE), 2 * GIB,
			  NW_PROTECT_RESTRICT, NW_PROT_W, cache, &f->result);
}

static enum nw_status act_split(struct fixture *f, struct nw_page_cache *cache)
{
	return nw_split(&f->table, NW_IA(GIB + 5 * PAGE), 0, cache,
			&f->result);
}

static const struct scene scenes[] = {
	{"map pages", lay_pieces, act_map_pages, 2 * MIB, 13 * MIB + PAGE, 1},
	{"map ragged", lay_nothing, act_map_ragged, GIB - 3 * PAGE,
	 2 * GIB + 7 * PAGE, 1},
	{"unmap", lay_blocks, act_unmap, GIB / 2 + PAGE, 2 * GIB, 0},
	{"protect", lay_blocks, act_protect, GIB / 2 + PAGE, 2 * GIB, 0},
	{"split", lay_blocks, act_split, GIB + 5 * PAGE, PAGE, 0},
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static void empty_again(struct fixture *f)
{
	nw_arena_fail_at(&f->arena, 0);
	nw_arena_linked_clear(&f->arena);
	while (nw_table_teardown_step(&f->table, 1000) == NW_MORE)
		;
}

/* Nothing was changed: as many leaf bytes, with the same rights, as before. */
static void assert_unchanged(struct fixture *f)
{
	uint64_t bytes = 0;
	unsigned i;

	for (i = 0; i < f->view.leaves; i++) {
		bytes += aw_span(f->view.leaf[i].arm_level);
		assert_int_equal(f->view.leaf[i].attrs.prot, NW_PROT_RW);
		assert_int_equal(f->view.leaf[i].pa, f->view.leaf[i].ia);
	}
	assert_int_equal(bytes, 4 * GIB);
}

static void assert_mapped_to(struct fixture *f, const struct scene *s,
			     uint64_t reached)
{
	struct aw_leaf leaf;
	uint64_t at;

	assert_in_range(reached, s->ia, s->ia + s->size - PAGE);
	assert_int_equal(reached % PAGE, 0);
	if (reached > s->ia) {
		assert_int_equal(aw_translate(&f->regs, &f->arena, s->ia,
					      &leaf), 1);
		assert_int_equal(aw_translate(&f->regs, &f->arena,
					      reached - PAGE, &leaf), 1);
	}
	for (at = reached; at < s->ia + s->size; at += MIB)
		assert_int_equal(aw_translate(&f->regs, &f->arena, at, &leaf),
				 0);
	assert_int_equal(aw_translate(&f->regs, &f->arena,
				      s->ia + s->size - PAGE, &leaf), 0);
}

/* Fail the n-th allocation, `cached` pages held ready. 1: it did fail. */
static int fail_nth(struct fixture *f, const struct scene *s, unsigned n,
		    unsigned cached)
{
	struct nw_page_cache cache = {0};
	enum nw_status status;
	const char *wrong;

	s->lay(f);
	assert_int_equal(nw_cache_topup(&f->table, &cache, cached), NW_OK);
	wrong = fixture_look(f, cached);
	if (wrong)
		fail_msg("%s: %s", s->name, wrong);
	nw_arena_fail_at(&f->arena, n);
	status = s->act(f, &cache);
	assert_int_equal(f->result.status, status);
	if (f->arena.alloc_failures == 0) {
		assert_int_equal(status, NW_OK);
	} else {
		assert_string_equal(nw_status_name(status), "NW_E_NOMEM");
	}
	wrong = fixture_look(f, cache.pages);
	if (wrong)
		fail_msg("%s, allocation %u: %s", s->name, n, wrong);
	if (status == NW_OK) {
		/* Nothing to check but that it is whole: see test_map.c. */
	} else if (s->is_map) {
		assert_mapped_to(f, s, f->result.reached);
	} else {
		assert_int_equal(f->result.reached, s->ia);
		assert_unchanged(f);
	}
	nw_cache_drain(&f->table, &cache);
	empty_again(f);
	return status == NW_E_NOMEM;
}

static void each_allocation_failing_leaves_exact_progress(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned i, n, cached;

	for (i = 0; i < SCENES; i++)
		for (cached = 0; cached < 3; cached++) {
			for (n = 1; fail_nth(f, &scenes[i], n, cached); n++)
				if (n > 100)
					fail_msg("%s never ends",
						 scenes[i].name);
			/* Without a cache each of them needs pages. */
			if (cached == 0)
				assert_true(n > 1);
		}
}

/* A map that ran dry goes on from where it came to. */
static void map_continues_at_reached(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at = 2 * MIB, end = 2 * MIB + 21 * MIB;
	unsigned rounds = 0;

	while (at < end) {
		nw_arena_fail_at(&f->arena, 2 + (f->table.geo.levels > 2) +
						(f->table.geo.levels > 3));
		if (map_with(f, NULL, at, end - at, at + PAGE) == NW_OK)
			break;
		assert_int_equal(f->result.status, NW_E_NOMEM);
		assert_true(f->result.reached > at);
		at = f->result.reached;
		rounds++;
	}
	assert_true(rounds > 3);
	assert_null(fixture_look(f, 0));
	for (at = 2 * MIB; at < end; at += PAGE)
		assert_int_equal(fixture_at(f, at).pa.v, at + PAGE);
}

static void cache_of_the_worst_case_never_fails(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned i;

	for (i = 0; i < SCENES; i++) {
		const struct scene *s = &scenes[i];
		uint64_t pa = strcmp(s->name, "map pages") == 0 ? PAGE : s->ia;
		struct nw_page_cache cache = {0};
		uint64_t pages = nw_break_pages_max(&f->table);

		if (s->is_map)
			pages = nw_map_pages_max(&f->table, NW_IA(s->ia),
						 s->size, NW_PA(pa),
						 NW_LEVEL_ANY);
		assert_in_range(pages, 1, 64);
		s->lay(f);
		assert_int_equal(nw_cache_topup(&f->table, &cache,
						(unsigned)pages), NW_OK);
		nw_arena_fail_at(&f->arena, 1);
		assert_int_equal(s->act(f, &cache), NW_OK);
		assert_int_equal(f->arena.alloc_calls, 0);
		nw_cache_drain(&f->table, &cache);
		empty_again(f);
	}
}

/* The announced number is no guess: an empty table takes exactly that. */
static void map_pages_max_is_exact_for_an_empty_table(void **state)
{
	static const struct {
		uint64_t ia, size, pa;
	} ranges[] = {
		{0, PAGE, 0}, {0, 2 * MIB, 0}, {0, 2 * MIB, PAGE},
		{0, GIB, 0}, {0, GIB, 2 * MIB}, {PAGE, 2 * MIB, PAGE},
		{GIB - PAGE, 2 * PAGE, 0}, {PAGE, 3 * GIB, PAGE},
		{2 * MIB, GIB, 2 * MIB}, {0, 5 * MIB, 0},
	};
	struct fixture *f = FIXTURE(state);
	unsigned i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint64_t pages = nw_map_pages_max(
			&f->table, NW_IA(ranges[i].ia), ranges[i].size,
			NW_PA(ranges[i].pa), NW_LEVEL_ANY);

		map_ok(f, ranges[i].ia, ranges[i].size, ranges[i].pa);
		assert_int_equal(f->arena.live - f->regs.root_pages, pages);
		empty_again(f);
	}
	assert_int_equal(nw_map_pages_max(&f->table, NW_IA(1), PAGE, NW_PA(0),
					  NW_LEVEL_ANY), 0);
	assert_int_equal(nw_map_pages_max(&f->table, NW_IA(0), 0, NW_PA(0),
					  NW_LEVEL_ANY), 0);
}

int run_memory_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(each_allocation_failing_leaves_exact_progress),
		TABLE_TEST(map_continues_at_reached),
		TABLE_TEST(cache_of_the_worst_case_never_fails),
		TABLE_TEST(map_pages_max_is_exact_for_an_empty_table),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
