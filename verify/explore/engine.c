/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executions: who goes next, and how the choices of one execution become those
 * of the next.
 *
 * An execution is decided by its choices alone. Systematic exploration keeps
 * them on a stack: the deepest one that has an untried value is advanced and
 * the execution run again from the start.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../machine/tlb.h"
#include "engine.h"

struct nwx_engine nwx;
struct nwx_node nwx_node[NWX_CHOICES_MAX];
struct nwx_watch_point nwx_watches[NWX_WATCH_MAX];
unsigned nwx_watch_count;

static char state_saved[NWX_STATE_BYTES];

void *nwx_state(void)
{
	return &nwm_arena[NWM_STATE_PAGE * NWM_PAGE_WORDS];
}

/* ---- endings ----------------------------------------------------------- */

static void switch_to(struct nwx_coro *to)
{
	struct nwx_coro *from = nwx.here;

	nwx.here = to;
	nwx_coro_switch(from, to);
}

void nwx_end_execution(enum nwx_end end)
{
	if (nwx.end == NWX_RUNNING)
		nwx.end = end;
	if (nwx.phase != NWX_RUN || nwx.here == &nwx.main) {
		fprintf(stderr, "nestwalk: %s: %s\n", nwx.s->name,
			nwx.r->error  ? nwx.r->error :
			nwx.r->text[0] ? nwx.r->text :
					 "setup failed");
		abort();
	}
	switch_to(&nwx.main);
	abort();
}

void nwm_report(enum nwm_violation v, const char *fmt, ...)
{
	enum nwm_violation target = nwx.o->target;
	va_list args;

	if (nwx.end != NWX_RUNNING)
		return;
	/* Not what is looked for, but expected too: let it pass. */
	if (target != NWM_OK && v != target)
		for (unsigned i = 0; i < NWX_EXPECT_MAX; i++)
			if (nwx.s->expect[i] == v)
				return;
	nwx.r->violation = v;
	va_start(args, fmt);
	vsnprintf(nwx.r->text, sizeof(nwx.r->text), fmt, args);
	va_end(args);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0, "!! %s",
				 nwx_violation_name(nwx.r));
	nwx.end = NWX_VIOLATED;
	if (nwx.phase == NWX_RUN)
		nwx_end_execution(NWX_VIOLATED);
}

void nwx_error(const char *what)
{
	nwx.r->error = what;
	nwx_end_execution(NWX_ERROR);
}

/* ---- who goes next ----------------------------------------------------- */

static int sync_over(unsigned cpu)
{
	for (unsigned c = 0; c < nwx.cpus; c++)
		if (nwx.sync_wait[cpu][c] &&
		    nwx.section[c] == nwx.sync_wait[cpu][c])
			return 0;
	return 1;
}

int nwx_enabled(const struct nwx_actor *a)
{
	const struct nwx_op *op = &a->pend;

	if (!a->exists || a->finished)
		return 0;
	switch (op->kind) {
	case NWX_OP_LOCK:
		return !nwm_newest(op->obj);
	case NWX_OP_AWAIT:
		return (nwm_newest(op->obj) == op->value) ==
		       (op->until == NWX_UNTIL);
	case NWX_OP_SYNC_END:
		return sync_over(a->cpu);
	default:
		return 1;
	}
}

static unsigned enabled_mask(void)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < NWX_ACTORS; i++)
		if (nwx_enabled(&nwx.actor[i]))
			mask |= 1u << i;
	return mask;
}

static void report_deadlock(void)
{
	char who[128];
	size_t at = 0;

	for (unsigned i = 0; i < nwx.cpus; i++)
		if (!nwx.actor[i].finished)
			at += (size_t)snprintf(
				who + at, sizeof(who) - at, " CPU %u for %s;", i,
				nwx.actor[i].pend.kind == NWX_OP_LOCK ?
					"a lock" :
				nwx.actor[i].pend.kind == NWX_OP_SYNC_END ?
					"a grace period" :
					"a value");
	nwm_report(NWM_DEADLOCK, "nobody can go on:%s", who);
	nwx_end_execution(NWX_PRUNED);
}

/* Filling a page takes hundreds of stores that nobody can see yet: change
 * points should not all fall there. */
static void clock_tick(const struct nwx_op *op)
{
	const struct nwx_op *last = &nwx.last_op;

	if (op->kind != NWX_OP_WRITE || last->kind != NWX_OP_WRITE ||
	    op->obj / NWM_PAGE_WORDS != last->obj / NWM_PAGE_WORDS)
		nwx.clock++;
	if (nwx.clock > nwx.clock_max)
		nwx.clock_max = nwx.clock;
	nwx.last_op = *op;
}

/* Choose the next actor and begin its step. Walks are carried out here, on
 * whichever stack we are. Returns a CPU, or -1: everybody is done. */
static int next_cpu(void)
{
	for (;;) {
		unsigned enabled = enabled_mask();
		unsigned unfinished = 0, actor;
		int is_systematic = nwx.o->strategy == NWX_SYSTEMATIC && !nwx.guide;
		uint32_t node;

		for (unsigned i = 0; i < nwx.cpus; i++)
			unfinished |= !nwx.actor[i].finished;
		if (unfinished && !(enabled & ((1u << NWM_CPUS_MAX) - 1)))
			report_deadlock();
		if (!enabled)
			return -1;
		if (nwx.steps++ >= nwx.o->steps_max) {
			nwm_report(NWM_LIVELOCK, "no end after %u steps",
				   nwx.o->steps_max);
			nwx_end_execution(NWX_PRUNED);
		}
		actor = nwx_pick(enabled);
		node = nwx.o->preemptions < 0 ? nwx.depth - 1 : ~0u;
		nwm_step = nwx.steps;
		nwx.taken[nwx.visible] = (uint8_t)actor;
		if (nwx.o->strategy == NWX_PCT)
			clock_tick(&nwx.actor[actor].pend);
		if (is_systematic)
			nwx_step_begin(actor, node);
		else if (++nwx.visible == NWX_STEPS_MAX)
			nwx_end_execution(NWX_ERROR);
		if (!nwx.actor[actor].is_walker)
			return (int)actor;
		nwx_run_walk(&nwx.actor[actor]);
	}
}

void nwx_run_walk(struct nwx_actor *a)
{
	const struct nwx_watch_point *w = &nwx_watches[a->watch];
	unsigned before = nwm_tlb_count(a->cpu);

	/* Data choices and violations belong to the walk. */
	nwx.walking = a;
	nwm_walk_speculative(a->cpu, (enum nw_regime)w->regime, w->ia);
	if (!--a->left)
		a->finished = 1;
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0,
				 "walks 0x%llx: %s",
				 (unsigned long long)w->ia,
				 nwm_tlb_count(a->cpu) > before ?
					 "cached" :
					 "nothing new");
	nwx.walking = NULL;
}

void nwx_point(struct nwx_op op)
{
	int self = nwx.self, next;

	nwx.actor[self].pend = op;
	next = next_cpu();
	if (next == self)
		return;
	nwx.self = next;
	switch_to(&nwx.actor[next].coro);
}

void nwx_local(void)
{
	nwm_step = ++nwx.steps;
	if (nwx.steps >= nwx.o->steps_max) {
		nwm_report(NWM_LIVELOCK, "no end after %u steps",
			   nwx.o->steps_max);
		nwx_end_execution(NWX_PRUNED);
	}
}

static void cpu_main(void *arg)
{
	struct nwx_actor *a = arg;
	int self = (int)(a - nwx.actor), next;

	nwx.s->cpu[self](nwx_state());
	a->finished = 1;
	next = next_cpu();
	if (next < 0)
		nwx_end_execution(NWX_COMPLETE);
	nwx.self = next;
	switch_to(&nwx.actor[next].coro);
	abort();
}

/* ---- one execution ----------------------------------------------------- */

unsigned nwx_watch_find(enum nw_regime regime, uint64_t ia, int is_spec)
{
	struct nwx_watch_point *w;
	struct nwm_root root = nwm_root_get(0, regime);

	for (unsigned i = 0; i < nwx_watch_count; i++) {
		if (nwx_watches[i].ia != ia || nwx_watches[i].regime != regime)
			continue;
		nwx_watches[i].is_spec |= (uint8_t)is_spec;
		return i;
	}
	if (nwx_watch_count == NWX_WATCH_MAX) {
		fprintf(stderr, "nestwalk: more than %d addresses are "
				"accessed in this scenario\n", NWX_WATCH_MAX);
		abort();
	}
	w = &nwx_watches[nwx_watch_count];
	memset(w, 0, sizeof(*w));
	w->ia = ia;
	w->regime = (uint8_t)regime;
	w->is_spec = (uint8_t)is_spec;
	w->levels = root.levels;
	/* Concatenated roots: the index modulo a page is what matters. */
	for (unsigned l = 0; l < root.levels; l++)
		w->index[l] = (uint16_t)(ia >> (12 + 9 * l) & 511);
	return nwx_watch_count++;
}

/* Which walks this execution has: a multiset of (CPU, address) pairs. */
static void assign_walks(void)
{
	unsigned spec[NWX_WATCH_MAX], specs = 0, from = 0, last = ~0u;
	unsigned actor = NWM_CPUS_MAX - 1;

	for (unsigned i = 0; i < nwx_watch_count; i++)
		if (nwx_watches[i].is_spec)
			spec[specs++] = i;
	for (unsigned w = 0; w < nwx.walks && specs; w++) {
		unsigned n = specs * nwx.cpus - from;
		unsigned pair = from;
		struct nwx_actor *a;

		if (nwx.guide) {
			pair = nwx.guide->assign[w];
			if (n > 1)
				nwx_choice_record(pair - from, NWX_BY_NOBODY);
		} else if (n > 1) {
			pair += nwm_choose(NWM_CHOOSE_OTHER, n);
		}
		nwx.assigned[w] = (uint8_t)pair;
		if (pair != last)
			actor++;
		a = &nwx.actor[actor];
		a->exists = 1;
		a->is_walker = 1;
		a->left = pair == last ? (uint8_t)(a->left + 1) : 1;
		a->cpu = (uint8_t)(pair / specs);
		a->watch = (uint8_t)spec[pair % specs];
		a->pend = (struct nwx_op){.kind = NWX_OP_WALK,
					  .aux = a->cpu,
					  .obj = a->watch};
		from = last = pair;
	}
}

static void execution_reset(void)
{
	nwx.end = NWX_RUNNING;
	nwx.steps = nwx.visible = nwx.depth = nwx.preempted = 0;
	nwx.chosen_count = 0;
	nwx.self = -1;
	nwx.walking = NULL;
	nwx.clock = 0;
	nwx.last_op = (struct nwx_op){.kind = NWX_OP_START};
	nwx.section_next = 1;
	nwx.guide_block = nwx.guide_used = 0;
	nwm_step = 0;
	memset(nwx.count, 0, sizeof(nwx.count));
	memset(nwx.section, 0, sizeof(nwx.section));
	memset(nwx.nesting, 0, sizeof(nwx.nesting));
	memset(nwx.proof_id, 0, sizeof(nwx.proof_id));
	memset(nwx.proof_nesting, 0, sizeof(nwx.proof_nesting));
	memset(nwx.guide_data, 0, sizeof(nwx.guide_data));
	memset(&nwx.section_view, 0, offsetof(struct nwm_view, extra));
	memset(&nwx.sync_view, 0, offsetof(struct nwm_view, extra));
	nwm_mem_reset();
	memcpy(nwx_state(), state_saved, nwx.s->state_bytes);
	nwm_machine_reset();
	nwx_reduce_reset();
	if (nwx.is_judged)
		nwx_judge_reset();
	for (unsigned i = 0; i < NWX_ACTORS; i++) {
		struct nwx_actor *a = &nwx.actor[i];

		memset(a->clock, 0, sizeof(a->clock));
		a->finished = 0;
		a->is_walker = 0;
		a->exists = i < nwx.cpus;
		a->cpu = (uint8_t)i;
		a->pend = (struct nwx_op){.kind = NWX_OP_START};
		if (a->exists)
			nwx_coro_prepare(&a->coro, cpu_main, a);
	}
}

/* Entered first, so that the first choice is made on a stack that can be left
 * for good, like all others. */
static void starter_main(void *arg)
{
	int next;

	(void)arg;
	assign_walks();
	next = next_cpu();
	if (next < 0)
		nwx_end_execution(NWX_COMPLETE);
	nwx.self = next;
	switch_to(&nwx.actor[next].coro);
	abort();
}

static void execute(void)
{
	execution_reset();
	nwx.phase = NWX_RUN;
	if (nwx.o->strategy == NWX_PCT)
		nwx_pct_prepare();
	nwx_coro_prepare(&nwx.starter, starter_main, NULL);
	nwx.here = &nwx.main;
	switch_to(&nwx.starter);
	nwx.phase = NWX_FINISH;
	nwx.self = -1;
	if (nwx.end == NWX_COMPLETE && nwx.s->finish) {
		nwx.end = NWX_RUNNING;
		nwx.s->finish(nwx_state());
		if (nwx.end == NWX_RUNNING)
			nwx.end = NWX_COMPLETE;
	}
	if (nwx.end == NWX_COMPLETE && nwx.is_judged) {
		nwx.end = NWX_RUNNING;
		nwx_judge_end();
		if (nwx.end == NWX_RUNNING)
			nwx.end = NWX_COMPLETE;
	}
}

/* ---- exploring --------------------------------------------------------- */

/* Advance the deepest choice that has something left. 0: none has. */
static int next_execution(void)
{
	while (nwx.nodes) {
		struct nwx_node *node = &nwx_node[nwx.nodes - 1];
		unsigned open;

		if (node->is_data) {
			if (++node->cur < node->n)
				return 1;
			nwx.nodes--;
			continue;
		}
		node->done |= (uint8_t)(1u << node->cur);
		open = node->backtrack & ~node->done & ~node->sleep;
		if (open) {
			node->cur = (uint8_t)__builtin_ctz(open);
			return 1;
		}
		nwx.nodes--;
	}
	return 0;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *choices_string(void)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char *text = malloc(nwx.chosen_count + 1);

	if (!text)
		return NULL;
	for (unsigned i = 0; i < nwx.chosen_count; i++)
		text[i] = digits[nwx.chosen[i]];
	text[nwx.chosen_count] = 0;
	return text;
}

static void run_setup(const struct nwx_scenario *s)
{
	nwx.phase = NWX_SETUP;
	nwx.is_judged = nwx.o->is_judged && s->subject == NWX_LIBRARY;
	if (nwx.is_judged)
		nwx_judge_begin();
	nwx.self = -1;
	nwx_watch_count = 0;
	nwm_mem_reset();
	nwm_pages_clear();
	nwx_names_clear();
	nwm_config = s->machine;
	nwm_config.cpus = nwx.cpus;
	nwm_config.stale_max = nwx.r->stale_max;
	if (s->setup)
		s->setup(nwx_state());
	memcpy(state_saved, nwx_state(), s->state_bytes);
	nwm_pages_save();
	nwm_mem_save();
	nwx_callers_clear();
	if (nwx.is_judged)
		nwx_judge_setup_done();
}

static int begin(const struct nwx_scenario *s, const struct nwx_options *o,
		 struct nwx_result *r)
{
	memset(r, 0, sizeof(*r));
	nwx.s = s;
	nwx.o = o;
	nwx.r = r;
	nwx.nodes = 0;
	nwx.unit = 0;
	nwx.clock_max = 0;
	if (o->strategy != NWX_REPLAY)
		nwx.record = NULL;
	nwx.guide = NULL;
	nwx.rng = o->seed ? o->seed * UINT64_C(0x9e3779b97f4a7c15) : 1;
	nwx.cpus = o->cpus ? o->cpus :
		   (o->strategy == NWX_PCT || o->strategy == NWX_RANDOM) &&
				   s->cpus_pct ?
			     s->cpus_pct :
			     s->cpus;
	r->cpus = nwx.cpus;
	nwx.walks = o->walks >= 0 ? (unsigned)o->walks : s->walks;
	r->walks = nwx.walks;
	r->stale_max = o->stale_max;
	r->preemptions = o->preemptions;
	if (nwx.cpus < 1 || nwx.cpus > NWM_CPUS_MAX)
		r->error = "a scenario has 1 to 4 CPUs";
	else if (!s->cpu[nwx.cpus - 1])
		r->error = "this scenario has fewer CPUs than were asked for";
	else if (nwx.walks > NWX_WALKERS_MAX)
		r->error = "at most 4 speculative walks an execution";
	else if (s->state_bytes > NWX_STATE_BYTES)
		r->error = "the scenario's state is too large";
	if (r->error)
		return -1;
	run_setup(s);
	return 0;
}

static int over(double start, double *seconds)
{
	const struct nwx_options *o = nwx.o;
	struct nwx_result *r = nwx.r;

	if (o->schedules_max && r->schedules + r->redundant >= o->schedules_max)
		return 1;
	if ((r->schedules + r->redundant) % 4096)
		return 0;
	*seconds = now_seconds() - start;
	if (o->progress)
		o->progress(r->schedules, r->steps, *seconds);
	return o->seconds_max > 0 && *seconds > o->seconds_max;
}

/* One execution and what it adds to the result. */
static void run_once(void)
{
	struct nwx_result *r = nwx.r;

	execute();
	r->steps += nwx.steps;
	if (nwx.visible > r->depth_max)
		r->depth_max = nwx.visible;
	if (nwx.end == NWX_PRUNED)
		r->redundant++;
	else
		r->schedules++;
	if (nwx.end == NWX_VIOLATED)
		r->choices = choices_string();
	if (nwx.end == NWX_ERROR && !r->error)
		r->error = "an execution does not fit the explorer's tables";
}

int nwx_explore(const struct nwx_scenario *s, const struct nwx_options *o,
		struct nwx_result *r)
{
	double start = now_seconds(), seconds = 0;

	if (begin(s, o, r))
		return -1;
	do {
		run_once();
		if (nwx.end == NWX_VIOLATED || r->error)
			break;
		if (o->strategy == NWX_REPLAY)
			break;
		if (o->strategy == NWX_SYSTEMATIC && !next_execution()) {
			r->exhausted = 1;
			break;
		}
	} while (!over(start, &seconds));
	r->seconds = now_seconds() - start;
	return r->error ? -1 : 0;
}

int nwx_replay(const struct nwx_scenario *s, const struct nwx_options *o,
	       const char *choices, struct nwx_result *r,
	       void (*fn)(const struct nwx_record *, void *), void *arg)
{
	struct nwx_options replay = *o;

	replay.strategy = NWX_REPLAY;
	replay.choices = choices;
	/* The setup is told too. */
	nwx.record = fn;
	nwx.record_arg = arg;
	nwx.steps = 0;
	if (begin(s, &replay, r))
		return -1;
	run_once();
	nwx.record = NULL;
	return r->error ? -1 : 0;
}

int nwx_run_guided(const struct nwx_scenario *s, const struct nwx_options *o,
		   const struct nwx_guide *guide, struct nwx_result *r)
{
	struct nwx_options guided = *o;

	guided.strategy = NWX_REPLAY;
	guided.choices = "";
	guided.walks = (int)guide->walks;
	nwx.record = NULL;
	if (begin(s, &guided, r))
		return -1;
	nwx.guide = guide;
	run_once();
	nwx.guide = NULL;
	return r->error ? -1 : 0;
}
