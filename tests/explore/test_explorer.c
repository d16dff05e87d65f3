/* SPDX-License-Identifier: BSD-2-Clause */
/* The explorer: repeatable, divisible, and it notices what never ends. */
#include "support.h"

static const struct nwx_scenario *find(const char *name)
{
	const struct nwx_scenario *s = nws_find(name);

	assert_non_null(s);
	return s;
}

/* What only a rule forbids the machine does not show. */
static struct nwx_options options_of(const struct nwx_scenario *s)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;

	o.is_judged = s->expect[0] == NWM_RULE;
	return o;
}

static struct nwx_result refute(const struct nwx_scenario *s)
{
	struct nwx_options o = options_of(s);
	struct nwx_result r;

	o.target = s->expect[0];
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_int_equal(r.violation, s->expect[0]);
	assert_non_null(r.choices);
	return r;
}

/* ---- repeating --------------------------------------------------------- */

static void explore_twice_does_the_same(void **unused)
{
	const struct nwx_scenario *s = find("good_library_unmap_flush");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result a, b;

	(void)unused;
	assert_int_equal(nwx_explore(s, &o, &a), 0);
	assert_int_equal(nwx_explore(s, &o, &b), 0);
	assert_int_equal(a.schedules, b.schedules);
	assert_int_equal(a.steps, b.steps);
	o.strategy = NWX_PCT;
	o.schedules_max = 500;
	assert_int_equal(nwx_explore(s, &o, &a), 0);
	assert_int_equal(nwx_explore(s, &o, &b), 0);
	assert_int_equal(a.steps, b.steps);
}

static char *timeline_of(const struct nwx_scenario *s,
			 const struct nwx_result *r)
{
	struct nwx_options o = options_of(s);
	size_t bytes;
	char *text;
	FILE *f = open_memstream(&text, &bytes);

	assert_non_null(f);
	assert_int_equal(nwx_timeline(s, &o, r, f), 0);
	fclose(f);
	return text;
}

static void replay_of_each_counterexample_is_identical(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < nws_count; i++) {
		struct nwx_result r;
		char *a, *b;

		if (!nws_all[i]->expect[0])
			continue;
		r = refute(nws_all[i]);
		a = timeline_of(nws_all[i], &r);
		b = timeline_of(nws_all[i], &r);
		assert_string_equal(a, b);
		assert_non_null(strstr(a, nwx_violation_name(&r)));
		free(a);
		free(b);
		free(r.choices);
	}
}

static void replay_with_foreign_choices_is_refused(void **unused)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)unused;
	assert_int_equal(nwx_replay(find("good_read_pte"), &o, "zzzz", &r, NULL,
				    NULL),
			 -1);
	assert_non_null(strstr(r.error, "do not fit"));
	free(r.choices);
}

/* ---- shrinking --------------------------------------------------------- */

static void shrink_keeps_violation_and_is_stable(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < nws_count; i++) {
		struct nwx_options o = options_of(nws_all[i]);
		struct nwx_result r;
		char *once;

		if (!nws_all[i]->expect[0])
			continue;
		r = refute(nws_all[i]);
		assert_int_equal(nwx_shrink(nws_all[i], &o, &r), 0);
		assert_int_equal(r.violation, nws_all[i]->expect[0]);
		once = strdup(r.choices);
		assert_int_equal(nwx_shrink(nws_all[i], &o, &r), 0);
		assert_string_equal(once, r.choices);
		free(once);
		free(r.choices);
	}
}

static void shrink_drops_the_walk_that_is_not_needed(void **unused)
{
	const struct nwx_scenario *s = find("bad_fixmap_nsh_barrier");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r = refute(s);

	(void)unused;
	assert_int_equal(r.walks, 2);
	assert_int_equal(nwx_shrink(s, &o, &r), 0);
	assert_int_equal(r.walks, 1);
	free(r.choices);
}

/* ---- shards ------------------------------------------------------------ */

static void shards_together_see_what_the_whole_sees(void **unused)
{
	const struct nwx_scenario *s = find("bad_begin_without_drain");
	unsigned found = 0;

	(void)unused;
	for (unsigned k = 0; k < 5; k++) {
		struct nwx_options o = NWX_OPTIONS_DEFAULT;
		struct nwx_result r;

		o.shard = k;
		o.shards = 5;
		assert_int_equal(nwx_explore(s, &o, &r), 0);
		assert_true(r.exhausted || r.violation);
		found += r.violation != NWM_OK;
		free(r.choices);
	}
	assert_true(found > 0);
}

static uint64_t shard_sum(const struct nwx_scenario *s, unsigned shards)
{
	uint64_t sum = 0;

	for (unsigned k = 0; k < shards; k++) {
		struct nwx_options o = NWX_OPTIONS_DEFAULT;
		struct nwx_result r;

		o.shard = k;
		o.shards = shards;
		assert_int_equal(nwx_explore(s, &o, &r), 0);
		assert_int_equal(r.violation, NWM_OK);
		assert_true(r.exhausted);
		sum += r.schedules;
	}
	return sum;
}

static void shards_do_not_overlap(void **unused)
{
	const struct nwx_scenario *s = find("good_fixmap_broadcast");

	(void)unused;
	/* However it is divided, the executions add up to the same number. */
	assert_int_equal(shard_sum(s, 2), shard_sum(s, 7));
}

/* ---- what never ends --------------------------------------------------- */

struct locks {
	uint64_t a, b;
};

static void lock_ab(void *state)
{
	struct locks *l = state;

	nwx_lock(&l->a);
	nwx_lock(&l->b);
	nwx_unlock(&l->b);
	nwx_unlock(&l->a);
}

static void lock_ba(void *state)
{
	struct locks *l = state;

	nwx_lock(&l->b);
	nwx_lock(&l->a);
	nwx_unlock(&l->a);
	nwx_unlock(&l->b);
}

static void spin(void *state)
{
	struct locks *l = state;

	while (nwx_load(&l->a, NWM_RELAXED) < 2)
		(void)nwx_cmpxchg(&l->b, &(uint64_t){5}, 6);
}

static void timeline_shows(const struct nwx_scenario *s,
			   const struct nwx_result *r, const char *what)
{
	char *text = timeline_of(s, r);

	assert_non_null(strstr(text, what));
	free(text);
}

static enum nwm_violation run(const struct nwx_scenario *s)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	assert_int_equal(nwx_explore(s, &o, &r), 0);
	if (r.violation == NWM_DEADLOCK)
		timeline_shows(s, &r, "CPU 0 for a lock; CPU 1 for a lock;");
	if (r.violation == NWM_LIVELOCK)
		timeline_shows(s, &r, "!! LIVELOCK");
	free(r.choices);
	return r.violation;
}

static void explore_locks_in_both_orders_finds_deadlock(void **unused)
{
	const struct nwx_scenario bad = {.name = "ab-ba",
					 .cpus = 2,
					 .state_bytes = sizeof(struct locks),
					 .cpu = {lock_ab, lock_ba}};
	const struct nwx_scenario good = {.name = "ab-ab",
					  .cpus = 2,
					  .state_bytes = sizeof(struct locks),
					  .cpu = {lock_ab, lock_ab}};

	(void)unused;
	assert_int_equal(run(&bad), NWM_DEADLOCK);
	assert_int_equal(run(&good), NWM_OK);
}

static void explore_endless_retry_finds_livelock(void **unused)
{
	const struct nwx_scenario bad = {.name = "spin",
					 .cpus = 2,
					 .state_bytes = sizeof(struct locks),
					 .cpu = {spin, lock_ab}};

	(void)unused;
	assert_int_equal(run(&bad), NWM_LIVELOCK);
}

/* ---- progress ---------------------------------------------------------- */

static struct nwx_progress told[64];
static unsigned told_count;

static void keep_progress(const struct nwx_progress *p)
{
	if (told_count < 64)
		told[told_count++] = *p;
}

static void progress_guess_is_near_the_truth(void **unused)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	unsigned guesses = 0;
	struct nwx_result r;

	(void)unused;
	o.progress = keep_progress;
	told_count = 0;
	assert_int_equal(nwx_explore(find("good_flush_shared"), &o, &r), 0);
	assert_true(r.exhausted);
	for (unsigned i = 0; i < told_count; i++) {
		uint64_t all = told[i].schedules + told[i].left;

		if (!told[i].left)
			continue;
		guesses++;
		assert_in_range(all, r.schedules / 8, r.schedules * 8);
	}
	assert_true(guesses > 10);
}

static void progress_at_random_counts_down(void **unused)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)unused;
	o.progress = keep_progress;
	o.strategy = NWX_PCT;
	o.schedules_max = 10000;
	told_count = 0;
	assert_int_equal(nwx_explore(find("good_read_pte"), &o, &r), 0);
	assert_int_equal(told_count, 2);
	assert_int_equal(told[0].left + told[0].schedules, 10000);
	assert_int_equal(told[1].left, 10000 - 8192);
}

/* Too little is done to say anything. */
static void progress_of_a_huge_space_guesses_nothing(void **unused)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)unused;
	o.progress = keep_progress;
	o.cpus = 3;
	o.schedules_max = 4096;
	told_count = 0;
	assert_int_equal(nwx_explore(find("good_flush_shared"), &o, &r), 0);
	assert_false(r.exhausted);
	for (unsigned i = 0; i < told_count; i++)
		assert_int_equal(told[i].left, 0);
}

/* ---- bounds ------------------------------------------------------------ */

static void preemption_bound_holds_and_is_exhausted(void **unused)
{
	const struct nwx_scenario *s = find("good_bracket");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	uint64_t last = 0;
	struct nwx_result r;

	(void)unused;
	for (o.preemptions = 0; o.preemptions <= 3; o.preemptions++) {
		assert_int_equal(nwx_explore(s, &o, &r), 0);
		assert_true(r.exhausted);
		assert_true(r.schedules > last);
		last = r.schedules;
	}
	/* With shards nobody gets more than the bound either. */
	o.preemptions = 0;
	o.shards = 3;
	o.cpus = 2;
	last = 0;
	for (o.shard = 0; o.shard < 3; o.shard++) {
		assert_int_equal(nwx_explore(s, &o, &r), 0);
		assert_true(r.exhausted);
		last += r.schedules;
	}
	o.shards = 1;
	o.reduction = NWX_UNREDUCED;
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_true(last <= r.schedules);
}

/* ---- random ------------------------------------------------------------ */

/* The walk must come after the step that a change point delays. */
static void pct_finds_a_late_walk(void **unused)
{
	const struct nwx_scenario *s = find("bad_steal_blind_publish");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)unused;
	o.strategy = NWX_PCT;
	o.target = NWM_STALE;
	o.schedules_max = 2000;
	for (o.seed = 1; o.seed <= 10; o.seed++) {
		assert_int_equal(nwx_explore(s, &o, &r), 0);
		assert_int_equal(r.violation, NWM_STALE);
		free(r.choices);
	}
}

/* ---- refusals ---------------------------------------------------------- */

static void explore_with_too_many_cpus_is_refused(void **unused)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)unused;
	o.cpus = 4;
	assert_int_equal(nwx_explore(find("good_read_pte"), &o, &r), -1);
	assert_non_null(strstr(r.error, "fewer CPUs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explore_twice_does_the_same),
		cmocka_unit_test(replay_of_each_counterexample_is_identical),
		cmocka_unit_test(replay_with_foreign_choices_is_refused),
		cmocka_unit_test(shrink_keeps_violation_and_is_stable),
		cmocka_unit_test(shrink_drops_the_walk_that_is_not_needed),
		cmocka_unit_test(shards_together_see_what_the_whole_sees),
		cmocka_unit_test(shards_do_not_overlap),
		cmocka_unit_test(explore_locks_in_both_orders_finds_deadlock),
		cmocka_unit_test(explore_endless_retry_finds_livelock),
		cmocka_unit_test(progress_guess_is_near_the_truth),
		cmocka_unit_test(progress_at_random_counts_down),
		cmocka_unit_test(progress_of_a_huge_space_guesses_nothing),
		cmocka_unit_test(preemption_bound_holds_and_is_exhausted),
		cmocka_unit_test(pct_finds_a_late_walk),
		cmocka_unit_test(explore_with_too_many_cpus_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
