/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random windows on several CPUs whose TLBs walk whenever they like. No window
 * may show a page but its own, on any CPU; a page that may have a new owner is
 * in no TLB. The same run on a port that invalidates too little must fail, or
 * the model could not see it.
 */
#include "fixmap_test.h"

enum { STEPS = 50000, WINDOWS = 64 };

struct run {
	struct rig r;
	struct nw_fixmap_window window[WINDOWS];
	nw_entry_t entry[WINDOWS];
	unsigned windows;
	unsigned open[RIG_CPUS][NW_FIXMAP_KINDS];
	uint64_t next_pa;
};

static void step_map(struct run *x, unsigned cpu)
{
	unsigned kind = (unsigned)rig_random(&x->r, NW_FIXMAP_KINDS);
	struct nw_fixmap_window *w = &x->window[x->windows];
	int full = x->open[cpu][kind] == x->r.fm.slots[kind];
	struct nw_mapping found;

	x->next_pa = (x->next_pa + BLOCK_BYTES) & ((1ull << 39) - 1);
	assert_status(nw_fixmap_map(&x->r.fm, cpu, (enum nw_fixmap_kind)kind,
				    NW_PA(x->next_pa), &rig_attrs, w),
		      full ? NW_E_LIMIT : NW_OK);
	if (full)
		return;
	assert_status(nw_lookup(x->r.fm.cpu[cpu].table,
				NW_IA((uintptr_t)w->address), &found),
		      NW_OK);
	assert_int_equal(found.pa.v, x->next_pa);
	x->entry[x->windows] = found.entry;
	rig_expect(&x->r, rig_slot(w), found.entry, "a window opened");
	x->open[cpu][kind]++;
	x->windows++;
}

static void step_unmap(struct run *x)
{
	unsigned at = (unsigned)rig_random(&x->r, x->windows);
	struct nw_fixmap_window w = x->window[at];
	struct nw_fixmap_window copy = w;

	x->r.cpu = w.cpu;
	rig_expect(&x->r, rig_slot(&w), x->entry[at], "an open window");
	assert_status(nw_fixmap_unmap(&x->r.fm, w.cpu,
				      (enum nw_fixmap_kind)w.kind, &w),
		      NW_OK);
	assert_status(nw_fixmap_unmap(&x->r.fm, copy.cpu,
				      (enum nw_fixmap_kind)copy.kind, &copy),
		      NW_E_ABSENT);
	if (x->r.fm.strategy != NW_FIXMAP_BATCHED)
		rig_expect(&x->r, rig_slot(&copy), 0, "a window closed");
	x->open[w.cpu][w.kind]--;
	x->window[at] = x->window[--x->windows];
	x->entry[at] = x->entry[x->windows];
}

/* After a retire, TLBs hold what open windows show and nothing else. */
static void step_retire(struct run *x, unsigned cpu)
{
	nw_entry_t allowed[RIG_SLOTS] = {0};

	assert_status(nw_fixmap_retire(&x->r.fm, cpu), NW_OK);
	for (unsigned i = 0; i < x->windows; i++)
		allowed[rig_slot(&x->window[i])] = x->entry[i];
	for (unsigned slot = 0; slot < RIG_SLOTS; slot++)
		rig_expect(&x->r, slot, allowed[slot], "all closed retired");
}

/* Violations found in one random run. */
static unsigned run_random(enum nw_fixmap_strategy strategy,
			   enum rig_fault fault, uint64_t seed)
{
	static struct run x;
	unsigned violations;

	x = (struct run){.windows = 0};
	rig_open(&x.r, strategy, 1 + (unsigned)(seed % 5),
		 1 + (unsigned)(seed % 3));
	x.r.rng = seed * 0x9e3779b97f4a7c15ull + 1;
	x.r.fault = fault;
	x.r.speculate = 1;
	for (unsigned i = 0; i < STEPS && !x.r.violations; i++) {
		unsigned cpu = (unsigned)rig_random(&x.r, RIG_CPUS);
		unsigned what = (unsigned)rig_random(&x.r, 16);

		x.r.cpu = cpu;
		if (!what)
			step_retire(&x, cpu);
		else if (what < 9)
			step_map(&x, cpu);
		else if (x.windows)
			step_unmap(&x);
		rig_walks(&x.r, 6);
	}
	violations = x.r.violations;
	if (violations && fault == RIG_SOUND)
		print_error("seed %llu: %s\n", (unsigned long long)seed,
			    x.r.violation);
	assert_closes(&x.r);
	return violations;
}

static void random_windows_never_show_a_stale_page(void **state)
{
	(void)state;
	for (unsigned s = 0; s < NW_FIXMAP_STRATEGIES; s++)
		for (uint64_t seed = 1; seed <= 6; seed++)
			assert_int_equal(run_random((enum nw_fixmap_strategy)s,
						    RIG_SOUND, seed),
					 0);
}

static void random_windows_with_local_invalidation_are_refuted(void **state)
{
	(void)state;
	assert_int_not_equal(run_random(NW_FIXMAP_BROADCAST,
					RIG_BROADCAST_STAYS_LOCAL, 1),
			     0);
	assert_int_not_equal(run_random(NW_FIXMAP_BATCHED,
					RIG_BROADCAST_STAYS_LOCAL, 1),
			     0);
}

static void random_windows_without_invalidation_are_refuted(void **state)
{
	(void)state;
	assert_int_not_equal(run_random(NW_FIXMAP_BROADCAST,
					RIG_BROADCAST_IS_LOST, 1),
			     0);
	assert_int_not_equal(run_random(NW_FIXMAP_BATCHED,
					RIG_BROADCAST_IS_LOST, 1),
			     0);
	assert_int_not_equal(run_random(NW_FIXMAP_PRIVATE_ROOT,
					RIG_LOCAL_IS_LOST, 1),
			     0);
}

int run_property_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_windows_never_show_a_stale_page),
		cmocka_unit_test(
			random_windows_with_local_invalidation_are_refuted),
		cmocka_unit_test(
			random_windows_without_invalidation_are_refuted),
	};

	return cmocka_run_group_tests_name("fixmap property", tests, NULL,
					   NULL);
}
