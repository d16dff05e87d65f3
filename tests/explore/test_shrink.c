/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shrunk counterexample is as small as it can be: without any one walk, stale
 * value, switch between CPUs, or step at the end of a stretch, the violation is
 * gone. One counterexample of each kind; each removal is tried here, apart from
 * what the shrinker tries.
 */
#include "../../verify/explore/engine.h"
#include "support.h"

#define BLOCKS_MAX 512u
#define DATA_MAX   256u

/* A schedule, and the size that counts. */
struct plan {
	unsigned walks, blocks, stale, steps;
	uint8_t assign[NWX_WALKERS_MAX];
	struct {
		uint8_t actor;
		uint16_t steps;
	} block[BLOCKS_MAX];
	unsigned data_count[NWX_ACTORS];
	uint8_t data[NWX_ACTORS][DATA_MAX];
};

/* Of the execution that has just ended. */
static void plan_take(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->walks = nwx.walks;
	memcpy(p->assign, nwx.assigned, sizeof(p->assign));
	p->steps = nwx.visible;
	for (unsigned i = 0; i < nwx.visible; i++) {
		if (!p->blocks ||
		    p->block[p->blocks - 1].actor != nwx.taken[i]) {
			assert_true(p->blocks < BLOCKS_MAX);
			p->block[p->blocks++].actor = nwx.taken[i];
		}
		p->block[p->blocks - 1].steps++;
	}
	for (unsigned i = 0; i < nwx.chosen_count; i++) {
		unsigned by = nwx.chosen_by[i];

		if (by >= NWX_ACTORS)
			continue;
		assert_true(p->data_count[by] < DATA_MAX);
		p->data[by][p->data_count[by]++] = nwx.chosen[i];
		p->stale += nwx.chosen[i] != 0;
	}
}

/* What it violates: the rule's id, or the machine's. */
static const char *plan_run(const struct nwx_scenario *s,
			    const struct nwx_options *o, const struct plan *p,
			    struct plan *done)
{
	struct nwx_guide g = {.blocks = p->blocks, .walks = p->walks};
	static struct nwx_result r;

	memcpy(g.assign, p->assign, sizeof(g.assign));
	g.block = malloc((p->blocks + 1) * sizeof(*g.block));
	assert_non_null(g.block);
	for (unsigned i = 0; i < p->blocks; i++) {
		g.block[i].actor = p->block[i].actor;
		g.block[i].steps = p->block[i].steps;
	}
	for (unsigned i = 0; i < NWX_ACTORS; i++) {
		g.data_count[i] = p->data_count[i];
		g.data[i] = (uint8_t *)p->data[i];
	}
	assert_int_equal(nwx_run_guided(s, o, &g, &r), 0);
	plan_take(done);
	free(g.block);
	free(r.choices);
	return nwx_violation_name(&r);
}

static void drop_block(struct plan *p, unsigned at)
{
	memmove(&p->block[at], &p->block[at + 1],
		(--p->blocks - at) * sizeof(p->block[0]));
}

/* The walks of one pair of CPU and address share an actor. */
static void drop_walk(struct plan *p, unsigned w)
{
	unsigned actor = NWM_CPUS_MAX, sharing = 0;

	for (unsigned i = 0; i < p->walks; i++) {
		sharing += p->assign[i] == p->assign[w];
		actor += i && i <= w && p->assign[i] != p->assign[i - 1];
	}
	memmove(&p->assign[w], &p->assign[w + 1], --p->walks - w);
	if (sharing > 1)
		return;
	for (unsigned i = p->blocks; i--;)
		if (p->block[i].actor == actor)
			drop_block(p, i);
		else if (p->block[i].actor > actor)
			p->block[i].actor--;
	memmove(&p->data[actor], &p->data[actor + 1],
		(NWX_ACTORS - 1 - actor) * sizeof(p->data[0]));
	memmove(&p->data_count[actor], &p->data_count[actor + 1],
		(NWX_ACTORS - 1 - actor) * sizeof(p->data_count[0]));
}

struct tried {
	const struct nwx_scenario *s;
	const struct nwx_options *o;
	const struct plan *least;
	const char *violation;
	unsigned removals;
};

/* Fewer of one thing and no more of what counts before it. */
static int is_smaller(const struct plan *a, const struct plan *b)
{
	if (a->walks != b->walks)
		return a->walks < b->walks;
	if (a->stale != b->stale)
		return a->stale < b->stale;
	if (a->blocks != b->blocks)
		return a->blocks < b->blocks;
	return a->steps < b->steps;
}

static void is_needed(struct tried *t, const struct plan *without,
		      const char *what, unsigned at)
{
	static struct plan done;

	t->removals++;
	if (!strcmp(plan_run(t->s, t->o, without, &done), t->violation) &&
	    is_smaller(&done, t->least))
		fail_msg("%s, %s: %s %u can go", t->s->name, t->violation, what,
			 at);
}

static void try_switches(struct tried *t)
{
	static struct plan p;

	for (unsigned i = 0; i < t->least->blocks; i++) {
		unsigned actor = t->least->block[i].actor;

		/* At the end, or never. */
		p = *t->least;
		drop_block(&p, i);
		is_needed(t, &p, "stretch", i);
		/* With the stretch of the same CPU before or after it. */
		for (unsigned k = 0; k < t->least->blocks; k++) {
			if (k == i || t->least->block[k].actor != actor)
				continue;
			p = *t->least;
			p.block[k].steps =
				(uint16_t)(p.block[k].steps + p.block[i].steps);
			drop_block(&p, i);
			is_needed(t, &p, "switch", i);
		}
		p = *t->least;
		p.block[i].steps--;
		is_needed(t, &p, "the last step of stretch", i);
	}
}

static void all_is_needed(const struct nwx_scenario *s,
			  const struct nwx_options *o, struct nwx_result *r)
{
	static struct plan least, p;
	struct nwx_options options = *o;
	struct nwx_result again;
	struct tried t = {s, &options, &least, nwx_violation_name(r), 0};

	options.walks = (int)r->walks;
	options.cpus = r->cpus;
	options.target = r->violation;
	assert_int_equal(
		nwx_replay(s, &options, r->choices, &again, NULL, NULL), 0);
	assert_int_equal(again.violation, r->violation);
	free(again.choices);
	plan_take(&least);
	for (unsigned w = 0; w < least.walks; w++) {
		p = least;
		drop_walk(&p, w);
		is_needed(&t, &p, "walk", w);
	}
	for (unsigned a = 0; a < NWX_ACTORS; a++)
		for (unsigned i = 0; i < least.data_count[a]; i++) {
			p = least;
			if (!p.data[a][i])
				continue;
			p.data[a][i] = 0;
			is_needed(&t, &p, "choice", i);
		}
	try_switches(&t);
	assert_true(t.removals > 0);
}

static void shrunk_is_least(const struct nwx_scenario *s,
			    enum nwx_strategy strategy,
			    enum nwm_violation violation)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.strategy = strategy;
	o.schedules_max = 100000;
	o.target = violation;
	o.is_judged = 1;
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_int_equal(r.violation, violation);
	assert_int_equal(nwx_shrink(s, &o, &r), 0);
	all_is_needed(s, &o, &r);
	free(r.choices);
}

/* The first scenario that declares it, found in order and at random. */
static void of_kind(enum nwm_violation violation)
{
	unsigned done = 0;

	for (unsigned i = 0; i < nws_count && done < 3; i++)
		for (unsigned k = 0; k < NWX_EXPECT_MAX; k++)
			if (nws_all[i]->expect[k] == violation) {
				shrunk_is_least(nws_all[i], NWX_SYSTEMATIC,
						violation);
				shrunk_is_least(nws_all[i], NWX_PCT, violation);
				done++;
			}
	assert_true(done > 0);
}

#define OF_KIND(name, violation)                                               \
	static void shrunk_##name##_is_least(void **state)                     \
	{                                                                      \
		(void)state;                                                   \
		of_kind(violation);                                            \
	}

OF_KIND(stale_access, NWM_STALE)
OF_KIND(amalgam, NWM_AMALGAM)
OF_KIND(freed_table, NWM_TABLE_FREED)
OF_KIND(use_after_free, NWM_USE_AFTER_FREE)
OF_KIND(lost_dirty_state, NWM_LOST_DIRTY)
OF_KIND(broken_protocol, NWM_PROTOCOL)
OF_KIND(broken_rule, NWM_RULE)

/* ---- what no scenario declares ----------------------------------------- */

struct locks {
	uint64_t a, b, c;
};

static void take_both(uint64_t *first, uint64_t *then)
{
	nwx_lock(first);
	nwx_lock(then);
	nwx_unlock(then);
	nwx_unlock(first);
}

static void takes_ab(void *state)
{
	struct locks *l = state;

	nwx_store(&l->c, 1, NWM_RELAXED);
	take_both(&l->a, &l->b);
}

static void takes_ba(void *state)
{
	struct locks *l = state;

	(void)nwx_load(&l->c, NWM_RELAXED);
	take_both(&l->b, &l->a);
}

static void asserts(void *state)
{
	struct locks *l = state;

	if (nwx_load(&l->c, NWM_RELAXED) == 1)
		nwx_bug("planted", __FILE__, __LINE__);
}

static void waits_for_ever(void *state)
{
	struct locks *l = state;

	while (nwx_load(&l->c, NWM_RELAXED) != 5)
		;
}

#define SMALL(name_, ...)                                                      \
	static const struct nwx_scenario name_ = {                             \
		.name = #name_,                                                \
		.state_bytes = sizeof(struct locks),                           \
		__VA_ARGS__}

SMALL(deadlock, .cpus = 3, .cpu = {takes_ab, takes_ba, takes_ab});
SMALL(assertion, .cpus = 3, .cpu = {takes_ab, asserts, takes_ab});
SMALL(livelock, .cpus = 2, .cpu = {waits_for_ever, takes_ab});

static void shrunk_deadlock_is_least(void **state)
{
	(void)state;
	shrunk_is_least(&deadlock, NWX_SYSTEMATIC, NWM_DEADLOCK);
	shrunk_is_least(&deadlock, NWX_RANDOM, NWM_DEADLOCK);
}

static void shrunk_assertion_is_least(void **state)
{
	(void)state;
	shrunk_is_least(&assertion, NWX_SYSTEMATIC, NWM_PROOF);
	shrunk_is_least(&assertion, NWX_RANDOM, NWM_PROOF);
}

/* It has no end that could be made shorter: it repeats, and stays what it is.
 */
static void shrunk_livelock_stays_one(void **state)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)state;
	o.steps_max = 300;
	assert_int_equal(nwx_explore(&livelock, &o, &r), 0);
	assert_int_equal(r.violation, NWM_LIVELOCK);
	assert_int_equal(nwx_shrink(&livelock, &o, &r), 0);
	assert_int_equal(r.violation, NWM_LIVELOCK);
	free(r.choices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shrunk_stale_access_is_least),
		cmocka_unit_test(shrunk_amalgam_is_least),
		cmocka_unit_test(shrunk_freed_table_is_least),
		cmocka_unit_test(shrunk_use_after_free_is_least),
		cmocka_unit_test(shrunk_lost_dirty_state_is_least),
		cmocka_unit_test(shrunk_broken_protocol_is_least),
		cmocka_unit_test(shrunk_broken_rule_is_least),
		cmocka_unit_test(shrunk_deadlock_is_least),
		cmocka_unit_test(shrunk_assertion_is_least),
		cmocka_unit_test(shrunk_livelock_stays_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
