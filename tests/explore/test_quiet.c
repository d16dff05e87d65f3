/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses that need no scheduling point (verify/explore/quiet.c): what is
 * seen is what an exploration sees that leaves nothing out, whenever it turns
 * out that a location is shared, and what only one CPU touches costs nothing.
 */
#include "programs.h"

#define WORDS 100

struct shared {
	uint64_t flag, lock, other;
	uint64_t word[WORDS];
	uint64_t *page;
	uint64_t seen;
};

/* What CPU 1 saw, in all executions. */
static uint64_t outcomes;

static void note_seen(void *state)
{
	outcomes |= UINT64_C(1) << ((struct shared *)state)->seen;
}

static uint64_t explore_as(const struct nwx_scenario *s,
			   enum nwx_reduction reduction, struct nwx_result *r)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;

	o.reduction = reduction;
	outcomes = 0;
	assert_int_equal(nwx_explore(s, &o, r), 0);
	assert_true(r->exhausted || r->violation);
	free(r->choices);
	r->choices = NULL;
	return outcomes;
}

#define SHARED(name_, ...)                                                     \
	static const struct nwx_scenario name_ = {                             \
		.name = #name_,                                                \
		.cpus = 2,                                                     \
		.state_bytes = sizeof(struct shared),                          \
		.finish = note_seen,                                           \
		__VA_ARGS__}

/* ---- found late ---------------------------------------------------------- */

/* The word is quiet in all executions but those where CPU 1 is early. */
static void write_twice_then_say(void *state)
{
	struct shared *s = state;

	nwx_store(&s->word[0], 1, NWM_RELAXED);
	nwx_store(&s->word[0], 2, NWM_RELAXED);
	nwx_store(&s->flag, 1, NWM_RELEASE);
}

static void look_if_early(void *state)
{
	struct shared *s = state;

	if (!nwx_load(&s->flag, NWM_ACQUIRE))
		s->seen = 1 + nwx_load(&s->word[0], NWM_RELAXED);
}

SHARED(late, .cpu = {write_twice_then_say, look_if_early});

static void quiet_race_found_late_is_explored_whole(void **unused)
{
	struct nwx_result r;

	(void)unused;
	assert_int_equal(explore_as(&late, NWX_UNREDUCED, &r), 0xf);
	assert_int_equal(explore_as(&late, NWX_REDUCED, &r), 0xf);
}

static void look(void *state)
{
	struct shared *s = state;

	s->seen = nwx_load(&s->word[0], NWM_RELAXED);
}

static void write_once(void *state)
{
	nwx_store(&((struct shared *)state)->word[0], 1, NWM_RELAXED);
}

SHARED(reader_first, .cpu = {look, write_once});

static void quiet_read_before_a_write_is_a_race(void **unused)
{
	struct nwx_result r;

	(void)unused;
	assert_int_equal(explore_as(&reader_first, NWX_REDUCED, &r), 3);
}

/* ---- ordered by others --------------------------------------------------- */

static void fill(void *state)
{
	struct shared *s = state;

	nwx_lock(&s->lock);
	for (unsigned i = 0; i < WORDS; i++)
		nwx_store(&s->word[i], nwx_cpu_id(), NWM_RELAXED);
	nwx_unlock(&s->lock);
}

SHARED(locked, .cpu = {fill, fill});

/* A step each for start, lock, unlock and the end, not one for each word. */
static void quiet_words_under_a_lock_take_no_steps(void **unused)
{
	struct nwx_result r;

	(void)unused;
	(void)explore_as(&locked, NWX_REDUCED, &r);
	assert_int_equal(r.violation, NWM_OK);
	assert_int_equal(r.schedules, 2);
	assert_in_range(r.depth_max, 1, 10);
}

static void fill_unlocked(void *state)
{
	struct shared *s = state;

	nwx_lock(&s->lock);
	nwx_store(&s->other, 2, NWM_RELAXED);
	nwx_unlock(&s->lock);
	/* After the step that the other may know of, not before. */
	nwx_store(&s->word[0], 1, NWM_RELAXED);
}

static void look_locked(void *state)
{
	struct shared *s = state;

	nwx_lock(&s->lock);
	/* The newest value: what is old is no sign of another order. */
	s->seen = nwx_xchg(&s->other, 0) | nwx_xchg(&s->word[0], 0);
	nwx_unlock(&s->lock);
}

SHARED(after_unlock, .cpu = {fill_unlocked, look_locked});

static void quiet_access_after_the_last_step_is_a_race(void **unused)
{
	struct nwx_result r;

	(void)unused;
	assert_int_equal(explore_as(&after_unlock, NWX_UNREDUCED, &r), 0xd);
	assert_int_equal(explore_as(&after_unlock, NWX_REDUCED, &r), 0xd);
}

/* ---- awaited, freed, walked ----------------------------------------------- */

static void set_flag(void *state)
{
	struct shared *s = state;

	nwx_store(&s->flag, 1, NWM_RELAXED);
	nwx_store(&s->flag, 2, NWM_RELAXED);
}

static void await_flag(void *state)
{
	struct shared *s = state;

	s->seen = nwx_await(&s->flag, 0, NWX_UNTIL_NOT);
}

SHARED(awaited, .cpu = {set_flag, await_flag});

static void quiet_word_that_is_awaited_is_none(void **unused)
{
	struct nwx_result r;

	(void)unused;
	assert_int_equal(explore_as(&awaited, NWX_UNREDUCED, &r), 6);
	assert_int_equal(explore_as(&awaited, NWX_REDUCED, &r), 6);
}

static void setup_page(void *state)
{
	((struct shared *)state)->page = nwx_page_alloc(0);
}

static void use_page(void *state)
{
	struct shared *s = state;

	nwx_store(&s->page[7], 1, NWM_RELAXED);
}

static void free_page(void *state)
{
	nwx_page_free(((struct shared *)state)->page, 0);
}

SHARED(freed, .setup = setup_page, .cpu = {use_page, free_page});

/* The first execution has the store before the free. */
static void quiet_page_freed_by_another_is_used_after(void **unused)
{
	struct nwx_result r;

	(void)unused;
	(void)explore_as(&freed, NWX_REDUCED, &r);
	assert_int_equal(r.violation, NWM_USE_AFTER_FREE);
}

/*
 * Software rewrites an entry with load and store; hardware records an access in
 * it. Lost: the access was made, and the entry does not say so.
 */
#define SOFTWARE (UINT64_C(1) << 55)
#define ACCESSED (UINT64_C(1) << 10)

static void setup_unaccessed(void *state)
{
	struct machine_state *s = state;

	setup_mapped(state);
	for (unsigned i = 0; i < 2; i++)
		nwx_store(s->entry + i, NWS_EL2_PAGE(s->out) & ~ACCESSED,
			  NWM_RELAXED);
}

static void rewrite(struct machine_state *s, unsigned i)
{
	uint64_t value = nwx_load(s->entry + i, NWM_RELAXED);

	nwx_store(s->entry + i, value | SOFTWARE, NWM_RELAXED);
	nwx_store(&s->flag, 1, NWM_RELEASE);
}

static void note_recorded(void *state)
{
	struct machine_state *s = state;
	uint64_t both = nwx_load(s->entry, NWM_RELAXED) |
			nwx_load(s->entry + 1, NWM_RELAXED);

	outcomes |= UINT64_C(1) << (s->seen | (both & ACCESSED ? 2 : 0));
}

CPU(rewrite_watched, rewrite(s, 0))
CPU(access_watched,
    s->seen = nwx_read(NW_REGIME_EL2, IA).outcome == NWM_DONE)
CPU(rewrite_next, rewrite(s, 1))
/* No address that is watched leads there, until this access does. */
CPU(access_next, if (!nwx_load(&s->flag, NWM_ACQUIRE)) s->seen =
			 nwx_read(NW_REGIME_EL2, IA + 4096).outcome == NWM_DONE)

PROGRAM(watched, .walks = 0, .machine = {.has_haf = 1},
	.setup = setup_unaccessed, .finish = note_recorded,
	.cpu = {rewrite_watched, access_watched});
PROGRAM(next, .walks = 0, .machine = {.has_haf = 1}, .setup = setup_unaccessed,
	.finish = note_recorded, .cpu = {rewrite_next, access_next});

static void quiet_entry_that_is_walked_is_none(void **unused)
{
	struct nwx_result r;

	(void)unused;
	assert_int_equal(explore_as(&watched, NWX_UNREDUCED, &r), 0xb);
	assert_int_equal(explore_as(&watched, NWX_REDUCED, &r), 0xb);
}

static void quiet_entry_walked_late_is_explored_whole(void **unused)
{
	struct nwx_result r;

	(void)unused;
	assert_int_equal(explore_as(&next, NWX_UNREDUCED, &r), 0xb);
	assert_int_equal(explore_as(&next, NWX_REDUCED, &r), 0xb);
}

/* ---- what others do with it ------------------------------------------------ */

static uint64_t sum_of_shards(const struct nwx_scenario *s, unsigned shards,
			      uint64_t *schedules)
{
	uint64_t seen = 0;

	outcomes = *schedules = 0;
	for (unsigned i = 0; i < shards; i++) {
		struct nwx_options o = NWX_OPTIONS_DEFAULT;
		struct nwx_result r;

		o.shard = i;
		o.shards = shards;
		assert_int_equal(nwx_explore(s, &o, &r), 0);
		assert_true(r.exhausted);
		free(r.choices);
		*schedules += r.schedules;
		seen |= outcomes;
	}
	return seen;
}

static void quiet_shards_together_see_all(void **unused)
{
	static const struct nwx_scenario *const all[] = {
		&late, &after_unlock, &locked, &watched, &next};
	struct nwx_result r;
	uint64_t schedules;

	(void)unused;
	for (unsigned i = 0; i < 5; i++) {
		uint64_t whole = explore_as(all[i], NWX_REDUCED, &r);

		assert_int_equal(sum_of_shards(all[i], 3, &schedules), whole);
		/* The first steps are none of them quiet. */
		assert_true(schedules >= r.schedules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_race_found_late_is_explored_whole),
		cmocka_unit_test(quiet_words_under_a_lock_take_no_steps),
		cmocka_unit_test(quiet_access_after_the_last_step_is_a_race),
		cmocka_unit_test(quiet_word_that_is_awaited_is_none),
		cmocka_unit_test(quiet_page_freed_by_another_is_used_after),
		cmocka_unit_test(quiet_read_before_a_write_is_a_race),
		cmocka_unit_test(quiet_entry_that_is_walked_is_none),
		cmocka_unit_test(quiet_entry_walked_late_is_explored_whole),
		cmocka_unit_test(quiet_shards_together_see_all),
	};

	return cmocka_run_group_tests_name("quiet", tests, NULL, NULL);
}
