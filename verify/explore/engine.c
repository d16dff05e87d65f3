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

#include "../machine/tlb.h"
#include "engine.h"

struct nwx_engine nwx;
struct nwx_node nwx_node[NWX_CHOICES_MAX];

static char state_saved[NWX_STATE_BYTES];

void *nwx_state(void)
{
	return &nwm_arena[NWM_STATE_PAGE * NWM_PAGE_WORDS];
}

void nwx_state_save(void)
{
	memcpy(state_saved, nwx_state(), nwx.s->state_bytes);
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

/* Not what is looked for, but expected too. */
static int may_pass(enum nwm_violation v)
{
	enum nwm_violation target = nwx.o->target;

	if (target != NWM_OK && v != target)
		for (unsigned i = 0; i < NWX_EXPECT_MAX; i++)
			if (nwx.s->expect[i] == v)
				return 1;
	return 0;
}

void nwm_report(enum nwm_violation v, const char *fmt, ...)
{
	char text[NWX_TEXT_MAX];
	va_list args;

	if (nwx.end != NWX_RUNNING || may_pass(v))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	nwx_violated(v, text);
}

void nwx_violated(enum nwm_violation v, const char *text)
{
	nwx.r->violation = v;
	snprintf(nwx.r->text, sizeof(nwx.r->text), "%s", text);
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

int nwx_ready(const struct nwx_actor *a)
{
	const struct nwx_op *op = &a->pend;

	switch (op->kind) {
	case NWX_OP_LOCK:
		return !nwm_newest(op->obj);
	case NWX_OP_AWAIT:
		return (nwm_newest(op->obj) == op->value) ==
		       (op->until == NWX_UNTIL);
	case NWX_OP_SYNC_END:
		return sync_over(a->cpu);
	case NWX_OP_IPI_WAIT:
		return nwx_ipi_over(a->cpu);
	default:
		return 1;
	}
}

int nwx_enabled(const struct nwx_actor *a)
{
	return a->exists &&
	       (nwx_ipi_due(a) || (!a->finished && nwx_ready(a)));
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
				nwx.actor[i].pend.kind == NWX_OP_IPI_WAIT ?
					"an interrupt's handler" :
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
		node = nwx.depth - 1;
		nwm_step = nwx.steps;
		nwx.taken[nwx.visible] = (uint8_t)actor;
		nwx.is_others_known = 0;
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

void nwx_announce(struct nwx_op op)
{
	int self = nwx.self, next;

	nwx.actor[self].pend = op;
	next = next_cpu();
	if (next == self)
		return;
	if (next < 0)
		nwx_end_execution(NWX_COMPLETE);
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
	const struct nwx_actor *a = arg;

	nwx.s->cpu[a->cpu](nwx_state());
	nwx_idle();
}

/* ---- one execution ----------------------------------------------------- */

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
	nwx.known = nwx.nodes ? nwx.nodes - 1 : 0;
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
	nwx_quiet_reset();
	nwx_tell_reset();
	nwx_ipi_reset();
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

void nwx_execute(void)
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
