/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening and closing windows: what is mapped, what is invalidated, when. */
#include "fixmap_test.h"

#define FOR_EACH(strategy, kind)                                               \
	for (unsigned strategy = 0; strategy < NW_FIXMAP_STRATEGIES;           \
	     strategy++)                                                       \
		for (unsigned kind = 0; kind < NW_FIXMAP_KINDS; kind++)

static uint64_t kind_bytes(unsigned kind)
{
	return kind == NW_FIXMAP_BLOCK ? BLOCK_BYTES : PAGE_BYTES;
}

static nw_pa_t pa_of(unsigned kind, unsigned n)
{
	return NW_PA(0x80000000ull + n * kind_bytes(kind));
}

static struct nw_fixmap_window open_window(struct rig *r, unsigned cpu,
					   unsigned kind, unsigned n)
{
	struct nw_fixmap_window w;

	r->cpu = cpu;
	assert_status(nw_fixmap_map(&r->fm, cpu, (enum nw_fixmap_kind)kind,
				    pa_of(kind, n), &rig_attrs, &w),
		      NW_OK);
	return w;
}

static void close_window(struct rig *r, struct nw_fixmap_window *w)
{
	r->cpu = w->cpu;
	assert_status(nw_fixmap_unmap(&r->fm, w->cpu,
				      (enum nw_fixmap_kind)w->kind, w),
		      NW_OK);
}

static struct nw_mapping mapping(struct rig *r, unsigned cpu,
				 const void *address)
{
	struct nw_mapping found;

	assert_status(nw_lookup(&r->table[r->tables > 1 ? cpu : 0],
				NW_IA((uintptr_t)address), &found),
		      NW_OK);
	return found;
}

static void map_any_strategy_and_kind_leads_to_the_page(void **state)
{
	(void)state;
	FOR_EACH(strategy, kind) {
		struct rig r;
		struct nw_fixmap_window w;
		struct nw_mapping found;
		struct nw_attrs attrs;
		void *address;

		rig_open(&r, strategy, 2, 2);
		w = open_window(&r, 1, kind, 5);
		address = w.address;
		found = mapping(&r, 1, address);
		assert_int_equal(found.kind, NW_ENTRY_LEAF);
		assert_int_equal(found.level, kind == NW_FIXMAP_BLOCK);
		assert_int_equal(found.pa.v, pa_of(kind, 5).v);
		assert_status(nw_mapping_attrs(r.fm.cpu[1].table, &found,
					       &attrs),
			      NW_OK);
		assert_memory_equal(&attrs, &rig_attrs, sizeof(attrs));
		close_window(&r, &w);
		assert_null(w.address);
		assert_int_equal(mapping(&r, 1, address).kind, NW_ENTRY_EMPTY);
		assert_closes(&r);
	}
}

static void map_private_root_is_seen_by_its_cpu_only(void **state)
{
	struct rig r;
	struct nw_fixmap_window w;

	(void)state;
	rig_open(&r, NW_FIXMAP_PRIVATE_ROOT, 1, 1);
	w = open_window(&r, 0, NW_FIXMAP_PAGE, 0);
	assert_int_equal(mapping(&r, 0, w.address).kind, NW_ENTRY_LEAF);
	assert_int_equal(mapping(&r, 1, w.address).kind, NW_ENTRY_EMPTY);
	close_window(&r, &w);
	assert_closes(&r);
}

static void pairs_any_strategy_cost_what_they_should(void **state)
{
	enum { SLOTS = 4, PAIRS = 16 };

	(void)state;
	FOR_EACH(strategy, kind) {
		struct nw_fixmap_stats stats;
		struct rig r;

		rig_open(&r, strategy, SLOTS, SLOTS);
		for (unsigned i = 0; i < PAIRS + 1; i++) {
			struct nw_fixmap_window w =
				open_window(&r, 2, kind, i);

			if (i < PAIRS)
				close_window(&r, &w);
		}
		stats = nw_fixmap_stats(&r.fm);
		assert_int_equal(stats.maps, PAIRS + 1);
		assert_int_equal(stats.unmaps, PAIRS);
		assert_int_equal(r.broadcasts,
				 strategy == NW_FIXMAP_BROADCAST ? PAIRS :
				 strategy == NW_FIXMAP_BATCHED ?
						 PAIRS / SLOTS :
						 0);
		assert_int_equal(r.locals, strategy == NW_FIXMAP_PRIVATE_ROOT ?
						   PAIRS :
						   0);
		assert_int_equal(stats.broadcasts, r.broadcasts);
		assert_int_equal(stats.locals, r.locals);
		assert_closes(&r);
	}
}

static void
unmap_any_strategy_invalidates_the_slot_and_rests_it(void **state)
{
	(void)state;
	FOR_EACH(strategy, kind) {
		struct nw_fixmap_window w;
		uint64_t ia;
		struct rig r;

		rig_open(&r, strategy, 4, 4);
		w = open_window(&r, 1, kind, 0);
		ia = (uintptr_t)w.address;
		close_window(&r, &w);
		if (strategy == NW_FIXMAP_BATCHED) {
			assert_int_equal(r.broadcasts, 0);
		} else {
			assert_int_equal(r.last_ranges, 1);
			assert_int_equal(r.last[0].start, ia);
			assert_int_equal(r.last[0].end, ia + kind_bytes(kind));
			assert_int_equal(r.last[0].leaf_levels,
					 kind == NW_FIXMAP_BLOCK ? 2 : 1);
			assert_int_equal(r.last[0].had_tables, 0);
		}
		/* A slot rests while the others take their turn. */
		w = open_window(&r, 1, kind, 1);
		assert_int_not_equal((uintptr_t)w.address, ia);
		assert_closes(&r);
	}
}

static void map_in_a_used_slot_comes_after_its_invalidation(void **state)
{
	(void)state;
	FOR_EACH(strategy, kind) {
		struct nw_fixmap_window w;
		uint64_t ia;
		struct rig r;

		rig_open(&r, strategy, 1, 1);
		w = open_window(&r, 1, kind, 0);
		rig_walk_all(&r);
		ia = (uintptr_t)w.address;
		close_window(&r, &w);
		w = open_window(&r, 1, kind, 1);
		assert_int_equal((uintptr_t)w.address, ia);
		assert_true(rig_flushed(&r, ia, kind_bytes(kind)));
		assert_int_equal(r.broadcasts + r.locals, 1);
		rig_expect(&r, rig_slot(&w), mapping(&r, 1, w.address).entry,
			   "second page");
		if (r.violations)
			fail_msg("%s", r.violation);
		close_window(&r, &w);
		assert_closes(&r);
	}
}

static void batched_slots_rotate_until_all_were_used(void **state)
{
	uint64_t seen[4];
	struct rig r;

	(void)state;
	rig_open(&r, NW_FIXMAP_BATCHED, 4, 1);
	for (unsigned i = 0; i < 4; i++) {
		struct nw_fixmap_window w =
			open_window(&r, 0, NW_FIXMAP_PAGE, i);

		seen[i] = (uintptr_t)w.address;
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(seen[i], seen[j]);
		close_window(&r, &w);
	}
	assert_int_equal(r.broadcasts, 0);
	(void)open_window(&r, 0, NW_FIXMAP_PAGE, 9);
	assert_int_equal(r.broadcasts, 1);
	for (unsigned i = 0; i < 4; i++)
		assert_true(rig_flushed(&r, seen[i], PAGE_BYTES));
	assert_closes(&r);
}

static void batched_full_batch_retires_at_once(void **state)
{
	struct nw_fixmap_config config;
	struct nw_fixmap_window w;
	struct rig r;

	(void)state;
	rig_tables(&r);
	config = rig_config(&r, NW_FIXMAP_BATCHED, 4, 2);
	config.batch = 2;
	assert_status(nw_fixmap_init(&r.fm, &config, &r.result), NW_OK);
	w = open_window(&r, 0, NW_FIXMAP_PAGE, 0);
	close_window(&r, &w);
	assert_int_equal(r.broadcasts, 0);
	w = open_window(&r, 0, NW_FIXMAP_BLOCK, 0);
	close_window(&r, &w);
	assert_int_equal(r.broadcasts, 1);
	assert_int_equal(r.last_ranges, 2);
	assert_true(r.last[0].start < r.last[1].start);
	assert_closes(&r);
}

static void retire_from_another_cpu_leaves_no_translation(void **state)
{
	struct nw_fixmap_window page, block, stays;
	struct rig r;

	(void)state;
	rig_open(&r, NW_FIXMAP_BATCHED, 4, 4);
	page = open_window(&r, 0, NW_FIXMAP_PAGE, 0);
	block = open_window(&r, 1, NW_FIXMAP_BLOCK, 0);
	stays = open_window(&r, 1, NW_FIXMAP_PAGE, 1);
	rig_walk_all(&r);
	close_window(&r, &page);
	close_window(&r, &block);
	r.cpu = 2;
	assert_status(nw_fixmap_retire(&r.fm, 2), NW_OK);
	assert_int_equal(r.broadcasts, 1);
	rig_expect(&r, rig_slot(&page), 0, "page after retire");
	rig_expect(&r, rig_slot(&block), 0, "block after retire");
	if (r.violations)
		fail_msg("%s", r.violation);
	assert_int_equal(mapping(&r, 1, stays.address).kind, NW_ENTRY_LEAF);
	close_window(&r, &stays);
	assert_closes(&r);
}

static void retire_with_nothing_retiring_invalidates_nothing(void **state)
{
	(void)state;
	FOR_EACH(strategy, kind) {
		struct nw_fixmap_window w;
		unsigned before;
		struct rig r;

		rig_open(&r, strategy, 2, 2);
		assert_status(nw_fixmap_retire(&r.fm, 0), NW_OK);
		assert_int_equal(r.broadcasts + r.locals, 0);
		w = open_window(&r, 0, kind, 0);
		close_window(&r, &w);
		assert_status(nw_fixmap_retire(&r.fm, 0), NW_OK);
		before = r.broadcasts + r.locals;
		assert_int_equal(before, 1);
		assert_status(nw_fixmap_retire(&r.fm, 0), NW_OK);
		assert_int_equal(r.broadcasts + r.locals, before);
		assert_closes(&r);
	}
}

struct nesting {
	struct rig *r;
	unsigned depth;
	enum nw_status end;
};

static enum nw_status nest(void *address, void *arg)
{
	struct nesting *n = arg;
	enum nw_status status;

	assert_int_equal(mapping(n->r, 0, address).pa.v,
			 pa_of(NW_FIXMAP_PAGE, n->depth).v);
	n->depth++;
	status = nw_fixmap_with(&n->r->fm, 0, NW_FIXMAP_PAGE,
				pa_of(NW_FIXMAP_PAGE, n->depth), &rig_attrs,
				nest, n);
	if (status)
		n->end = status;
	return NW_OK;
}

static void with_nested_to_the_limit_says_so_and_unwinds(void **state)
{
	(void)state;
	for (unsigned s = 0; s < NW_FIXMAP_STRATEGIES; s++) {
		struct rig r;
		struct nesting n = {.r = &r};

		rig_open(&r, s, 3, 0);
		assert_status(nw_fixmap_with(&r.fm, 0, NW_FIXMAP_PAGE,
					     pa_of(NW_FIXMAP_PAGE, 0),
					     &rig_attrs, nest, &n),
			      NW_OK);
		assert_int_equal(n.depth, 3);
		assert_status(n.end, NW_E_LIMIT);
		assert_int_equal(nw_fixmap_stats(&r.fm).unmaps, 3);
		assert_closes(&r);
	}
}

static enum nw_status refuse(void *address, void *arg)
{
	(void)address;
	(void)arg;
	return NW_E_CORRUPT;
}

static void with_failing_function_closes_and_passes_it_on(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, NW_FIXMAP_BROADCAST, 1, 0);
	assert_status(nw_fixmap_with(&r.fm, 0, NW_FIXMAP_PAGE,
				     pa_of(NW_FIXMAP_PAGE, 0), &rig_attrs,
				     refuse, NULL),
		      NW_E_CORRUPT);
	assert_int_equal(nw_fixmap_stats(&r.fm).unmaps, 1);
	assert_closes(&r);
}

int run_window_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_any_strategy_and_kind_leads_to_the_page),
		cmocka_unit_test(map_private_root_is_seen_by_its_cpu_only),
		cmocka_unit_test(pairs_any_strategy_cost_what_they_should),
		cmocka_unit_test(
			unmap_any_strategy_invalidates_the_slot_and_rests_it),
		cmocka_unit_test(
			map_in_a_used_slot_comes_after_its_invalidation),
		cmocka_unit_test(batched_slots_rotate_until_all_were_used),
		cmocka_unit_test(batched_full_batch_retires_at_once),
		cmocka_unit_test(retire_from_another_cpu_leaves_no_translation),
		cmocka_unit_test(
			retire_with_nothing_retiring_invalidates_nothing),
		cmocka_unit_test(with_nested_to_the_limit_says_so_and_unwinds),
		cmocka_unit_test(with_failing_function_closes_and_passes_it_on),
	};

	return cmocka_run_group_tests_name("fixmap windows", tests, NULL, NULL);
}
