/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partial-order reduction: which steps depend on each other, and where the
 * scheduler must therefore try another order.
 *
 * Two operations of different actors are independent if carrying them out in
 * either order leads to the same state, offers the same choices and enables
 * the same actors. Doubt counts as dependence. When a step is about to be
 * taken, each earlier one that depends on it, and is not ordered before it by
 * others between, is a race: where that one was chosen, somebody who leads to
 * the other order must be tried too (dynamic partial-order reduction, with
 * source sets). Sleep sets drop executions that only reorder independent
 * steps. tests/explore/test_reduction.c compares with no reduction.
 */
#include <string.h>

#include "../machine/tlb.h"
#include "engine.h"

struct loc_info {
	uint32_t last_write;	       /* step + 1; 0: none */
	uint32_t last_lock;	       /* LOCK or TRYLOCK, step + 1 */
	uint32_t last_read[NWX_ACTORS]; /* step + 1 */
	nwx_clock write_clock;
	nwx_clock read_clock;
};

struct nwx_step nwx_steps[NWX_STEPS_MAX];

static struct loc_info info[8192];
static unsigned info_count;
/* Steps that are no plain memory or lock operation, and those of them that
 * read or write memory. */
static uint32_t machine_steps[4096], memory_steps[4096];
static unsigned machine_count, memory_count;

void nwx_reduce_reset(void)
{
	memset(info, 0, (info_count + 1) * sizeof(info[0]));
	info_count = 0;
	machine_count = 0;
	memory_count = 0;
}

/* ---- dependence -------------------------------------------------------- */

static int is_memory(unsigned kind)
{
	return kind >= NWX_OP_READ && kind <= NWX_OP_AWAIT;
}

static int is_lock(unsigned kind)
{
	return kind >= NWX_OP_LOCK && kind <= NWX_OP_UNLOCK;
}

static int is_walk(unsigned kind)
{
	return kind == NWX_OP_WALK || kind == NWX_OP_ACCESS;
}

static int is_section(unsigned kind)
{
	return kind >= NWX_OP_ENTER;
}

static int on_path(const struct nwx_watch_point *w, unsigned loc)
{
	unsigned index = loc % NWM_PAGE_WORDS;

	/* A contiguous run is looked at as one. */
	unsigned same = nwm_config.has_runs ? ~15u : ~0u;

	if (loc >= NWM_STATE_PAGE * NWM_PAGE_WORDS)
		return 0;
	for (unsigned l = 0; l < w->levels; l++)
		if ((w->index[l] & same) == (index & same))
			return 1;
	return w->is_anywhere;
}

/* Does a walk or access touch this location, or may it? */
static int walk_touches(const struct nwx_op *walk, unsigned loc)
{
	const struct nwx_watch_point *w = &nwx_watches[walk->obj];

	/* The data of a small frame stands at the word the address names. */
	return on_path(w, loc) ||
	       (walk->kind == NWX_OP_ACCESS &&
		loc % NWM_PAGE_WORDS == (w->ia >> 3 & (NWM_PAGE_WORDS - 1)));
}

static int walk_may_write(const struct nwx_op *walk)
{
	return nwm_config.has_haf || (walk->aux & 0x80);
}

static int memory_vs_machine(const struct nwx_op *mem, const struct nwx_op *m)
{
	if (m->kind == NWX_OP_FREE)
		return mem->obj / NWM_PAGE_WORDS == m->obj;
	if (!is_walk(m->kind) || !walk_touches(m, mem->obj))
		return 0;
	if (!(nwm_page_cpus(mem->obj / NWM_PAGE_WORDS) >> (m->aux & 0x7f) & 1))
		return 0;
	return mem->kind == NWX_OP_WRITE || walk_may_write(m);
}

static int walk_vs_machine(const struct nwx_op *w, const struct nwx_op *m)
{
	unsigned cpu = w->aux & 0x7f;

	switch (m->kind) {
	case NWX_OP_DSB:
		return (m->obj & NWX_DSB_WIDE) || m->aux == cpu;
	case NWX_OP_TLBI:
		return m->obj || m->aux == cpu;
	case NWX_OP_ROOT:
	case NWX_OP_IPI_TAKE: /* synchronises the context */
		return m->aux == cpu;
	case NWX_OP_FRAME:
		return nwm_frame_cpus(m->obj) >> cpu & 1;
	case NWX_OP_FREE:
		return nwm_page_cpus(m->obj) >> cpu & 1;
	case NWX_OP_WALK:
	case NWX_OP_ACCESS:
		return cpu == (m->aux & 0x7f) || walk_may_write(w) ||
		       walk_may_write(m);
	default:
		return 0;
	}
}

static int is_common_fence(const struct nwx_op *op)
{
	return op->kind == NWX_OP_FENCE ||
	       (op->kind == NWX_OP_DSB && (op->obj & NWX_DSB_WIDE));
}

/* What looks into the TLBs against what takes entries from them. */
static int looks_vs_empties(const struct nwx_op *look, const struct nwx_op *op)
{
	unsigned cpus = look->kind == NWX_OP_FRAME ? nwm_frame_cpus(look->obj) :
						     nwm_page_cpus(look->obj);

	if (op->kind != NWX_OP_DSB || !(op->obj & NWX_DSB_COMPLETES))
		return 0;
	return (op->obj & NWX_DSB_WIDE) || (cpus >> op->aux & 1);
}

static int machine_vs_machine(const struct nwx_op *a, const struct nwx_op *b)
{
	if (is_section(a->kind) || is_section(b->kind)) {
		int reader_a = a->kind == NWX_OP_ENTER ||
			       a->kind == NWX_OP_LEAVE;
		int reader_b = b->kind == NWX_OP_ENTER ||
			       b->kind == NWX_OP_LEAVE;

		return is_section(a->kind) && is_section(b->kind) &&
		       !(reader_a && reader_b);
	}
	if (is_walk(a->kind))
		return walk_vs_machine(a, b);
	if (is_walk(b->kind))
		return walk_vs_machine(b, a);
	/* These join one common view. */
	if (is_common_fence(a) && is_common_fence(b))
		return 1;
	if (a->kind == NWX_OP_FRAME || a->kind == NWX_OP_FREE)
		return (a->kind == b->kind && a->obj == b->obj) ||
		       looks_vs_empties(a, b);
	if (b->kind == NWX_OP_FRAME || b->kind == NWX_OP_FREE)
		return looks_vs_empties(b, a);
	return 0;
}

/* An interrupt that is sent may be taken at any step of its target. */
static int ipi_dependent(const struct nwx_op *a, const struct nwx_op *b,
			 unsigned actor_b)
{
	if (a->kind == NWX_OP_IPI_SEND && (a->obj >> actor_b & 1))
		return 1;
	return a->kind == NWX_OP_IPI_WAIT && b->kind == NWX_OP_IPI_DONE &&
	       a->aux == b->obj;
}

/* x86: stores stand in one order, and a CPU with an empty store buffer is at
 * the end of it. */
static int is_stored(unsigned kind)
{
	return kind == NWX_OP_WRITE || is_lock(kind) || is_walk(kind);
}

static int is_drained(unsigned kind)
{
	return is_stored(kind) || kind == NWX_OP_FENCE ||
	       kind == NWX_OP_DSB || kind == NWX_OP_IPI_SEND ||
	       kind == NWX_OP_IPI_TAKE;
}

static int is_one_order(const struct nwx_op *a, const struct nwx_op *b)
{
	return nwm_is_tso(&nwm_config) && is_drained(a->kind) &&
	       is_drained(b->kind) &&
	       (is_stored(a->kind) || is_stored(b->kind));
}

int nwx_dependent(const struct nwx_op *a, unsigned actor_a,
		  const struct nwx_op *b, unsigned actor_b)
{
	if (actor_a == actor_b)
		return 1;
	if (a->kind == NWX_OP_START || b->kind == NWX_OP_START)
		return 0;
	if (ipi_dependent(a, b, actor_b) || ipi_dependent(b, a, actor_a) ||
	    is_one_order(a, b))
		return 1;
	if (is_memory(a->kind) && is_memory(b->kind))
		return a->obj == b->obj && (a->kind == NWX_OP_WRITE ||
					    b->kind == NWX_OP_WRITE);
	if (is_lock(a->kind) || is_lock(b->kind))
		return is_lock(a->kind) && is_lock(b->kind) &&
		       a->obj == b->obj;
	if (is_memory(a->kind))
		return memory_vs_machine(a, b);
	if (is_memory(b->kind))
		return memory_vs_machine(b, a);
	return machine_vs_machine(a, b);
}

uint8_t nwx_sleep_after(const struct nwx_node *node, unsigned actor,
			const struct nwx_op *op)
{
	unsigned asleep = (node->sleep | node->done) & ~(1u << actor);
	uint8_t left = 0;

	for (unsigned q = 0; asleep; q++, asleep >>= 1)
		if ((asleep & 1) &&
		    !nwx_dependent(&node->pend[q], q, op, actor))
			left |= (uint8_t)(1u << q);
	return left;
}

/* ---- races ------------------------------------------------------------- */

static void clock_join(uint16_t *into, const uint16_t *from)
{
	for (unsigned i = 0; i < NWX_ACTORS; i++)
		if (into[i] < from[i])
			into[i] = from[i];
}

static int ordered_before(unsigned step, const struct nwx_actor *a)
{
	const struct nwx_step *s = &nwx_steps[step];

	return a->clock[s->actor] > s->before[s->actor];
}

/* Can both be ready at one time, so that trying the other order means
 * something? */
static int co_enabled(const struct nwx_op *first, const struct nwx_op *then)
{
	if (first->kind == NWX_OP_UNLOCK && then->kind == NWX_OP_LOCK)
		return 0;
	/* (A trylock of another CPU before an unlock has failed: it is.) */
	return !(first->kind == NWX_OP_LOCK && then->kind == NWX_OP_UNLOCK);
}

#define RACES_MAX 512u

struct search {
	unsigned actor;
	const struct nwx_op *op;
	nwx_clock clock; /* of the step to come */
	unsigned races;
	uint32_t race[RACES_MAX];
};

static int step_before(uint32_t first, const uint16_t *clock)
{
	const struct nwx_step *s = &nwx_steps[first];

	return clock[s->actor] > s->before[s->actor];
}

/*
 * Who can begin an execution that does, from where `step` was chosen, all that
 * came after it without depending on it, and then the step to come: the actors
 * whose first step among these follows none of the others.
 */
static unsigned initials(uint32_t step, const struct search *f)
{
	uint16_t first[NWX_ACTORS]; /* number of an actor's first step there */
	unsigned there = 0, found = 0, q;

	for (uint32_t k = step + 1; k <= nwx.visible; k++) {
		int is_last = k == nwx.visible;
		const uint16_t *clock = is_last ? f->clock : nwx_steps[k].clock;
		int follows = 0;

		q = is_last ? f->actor : nwx_steps[k].actor;
		if ((there >> q & 1) || (!is_last && step_before(step, clock)))
			continue;
		for (unsigned r = 0; r < NWX_ACTORS; r++)
			follows |= (there >> r & 1) && r != q &&
				   clock[r] >= first[r];
		there |= 1u << q;
		first[q] = (uint16_t)((is_last ? nwx.count[q] :
						 nwx_steps[k].before[q]) +
				      1);
		if (!follows)
			found |= 1u << q;
	}
	return found;
}

/* At the place where `step` was chosen, something that leads to the step to
 * come before it must be tried as well. */
static void add_backtrack(uint32_t step, const struct search *f)
{
	struct nwx_node *n;
	unsigned leads;

	if (nwx_steps[step].node == ~0u)
		return;
	n = &nwx_node[nwx_steps[step].node];
	leads = initials(step, f) & n->enabled;
	if (leads & n->backtrack)
		return;
	if (leads >> f->actor & 1)
		n->backtrack |= (uint8_t)(1u << f->actor);
	else if (leads)
		n->backtrack |= (uint8_t)(leads & -leads);
	else
		n->backtrack |= n->enabled;
}

/*
 * With a bound on preemptions. The order that a race asks for may be reached
 * only through another one, of the same outcome, that costs more preemptions
 * than the bound has; so a race adds its point where the CPU that took the
 * earlier step began to run as well, where a switch costs nothing more (Coons,
 * Musuvathi, McKinley, "Bounded Partial-Order Reduction", OOPSLA 2013). For the
 * same reason a race counts whether or not others order its ends already, and
 * nobody else may stand in for the actor concerned.
 */
static void add_bounded_point(uint32_t step, unsigned actor)
{
	struct nwx_node *n = &nwx_node[nwx_steps[step].node];

	if (n->enabled >> actor & 1)
		n->backtrack |= (uint8_t)(1u << actor);
	else
		n->backtrack |= n->enabled;
}

static int is_cpu_step(uint32_t step)
{
	return nwx_steps[step].actor < NWM_CPUS_MAX;
}

/* Walks between two CPUs' runs belong to neither: all points between count. */
static void add_conservative_points(uint32_t step, unsigned actor)
{
	unsigned cpu = NWX_ACTORS;
	uint32_t at = step + 1;

	while (at--) {
		if (!is_cpu_step(at)) {
			if (cpu != NWX_ACTORS)
				continue;
		} else if (cpu == NWX_ACTORS) {
			cpu = nwx_steps[at].actor;
		} else if (nwx_steps[at].actor != cpu) {
			break;
		}
	}
	/* `at` is the last step of the run before, or ~0u. */
	do
		add_bounded_point(++at, actor);
	while (at < step && !is_cpu_step(at));
}

static void add_bounded(const struct search *f)
{
	unsigned seen = 1u << f->actor;

	for (uint32_t at = nwx.visible; at--;) {
		const struct nwx_step *s = &nwx_steps[at];

		if ((seen >> s->actor & 1) || !co_enabled(&s->op, f->op) ||
		    !nwx_dependent(&s->op, s->actor, f->op, f->actor))
			continue;
		if (f->op->kind != NWX_OP_AWAIT)
			seen |= 1u << s->actor;
		add_bounded_point(at, f->actor);
		add_conservative_points(at, f->actor);
	}
}

/* Only where nothing between the two orders them already. */
static void add_races(const struct search *f)
{
	for (unsigned i = 0; i < f->races; i++) {
		int is_direct = 1;

		for (unsigned j = 0; j < f->races && is_direct; j++)
			is_direct = f->race[i] == f->race[j] ||
				    !step_before(f->race[i],
						 nwx_steps[f->race[j]].clock);
		if (is_direct)
			add_backtrack(f->race[i], f);
	}
}

static void consider(struct search *f, uint32_t step)
{
	if (nwx_steps[step].actor == f->actor ||
	    ordered_before(step, &nwx.actor[f->actor]) ||
	    !co_enabled(&nwx_steps[step].op, f->op))
		return;
	if (f->races == RACES_MAX)
		nwx_end_execution(NWX_ERROR);
	f->race[f->races++] = step;
}

static void consider_list(struct search *f, const uint32_t *list, unsigned n)
{
	while (n--) {
		const struct nwx_step *s = &nwx_steps[list ? list[n] : n];

		if (!nwx_dependent(&s->op, s->actor, f->op, f->actor))
			continue;
		clock_join(f->clock, s->clock);
		consider(f, list ? list[n] : n);
	}
}

static struct loc_info *loc_info(unsigned loc)
{
	unsigned rec = nwm_rec(loc);

	if (rec >= sizeof(info) / sizeof(info[0]))
		nwx_end_execution(NWX_ERROR);
	if (rec > info_count)
		info_count = rec;
	return &info[rec];
}

static void consider_location(struct search *f, struct loc_info *l,
			      int is_write)
{
	if (l->last_write)
		consider(f, l->last_write - 1);
	/* A lock is not ready while it is held: what it races with is not the
	 * unlock before it but the lock before that. */
	if (l->last_lock)
		consider(f, l->last_lock - 1);
	clock_join(f->clock, l->write_clock);
	if (!is_write)
		return;
	for (unsigned q = 0; q < NWX_ACTORS; q++)
		if (l->last_read[q])
			consider(f, l->last_read[q] - 1);
	clock_join(f->clock, l->read_clock);
}

static void note_location(struct loc_info *l, const struct nwx_step *s,
			  uint32_t index, int is_write)
{
	if (s->op.kind == NWX_OP_LOCK || s->op.kind == NWX_OP_TRYLOCK)
		l->last_lock = index + 1;
	if (is_write) {
		l->last_write = index + 1;
		memcpy(l->write_clock, s->clock, sizeof(s->clock));
	} else {
		l->last_read[s->actor] = index + 1;
		clock_join(l->read_clock, s->clock);
	}
}

static void note_machine(uint32_t index, unsigned kind)
{
	const unsigned max = sizeof(machine_steps) / sizeof(machine_steps[0]);

	if (machine_count == max)
		nwx_end_execution(NWX_ERROR);
	machine_steps[machine_count++] = index;
	if (is_walk(kind) || kind == NWX_OP_FREE)
		memory_steps[memory_count++] = index;
}

/*
 * What is awaited may have been there, gone and come again: at the latest
 * write the wait was perhaps not over, at an earlier one it was. So all writes
 * that are not ordered before it count.
 */
static void backtrack_await(const struct search *f)
{
	const struct nwx_actor *a = &nwx.actor[f->actor];

	for (unsigned i = nwx.visible; i--;) {
		const struct nwx_step *s = &nwx_steps[i];

		if (s->op.kind == NWX_OP_WRITE && s->op.obj == a->pend.obj &&
		    s->actor != f->actor && !ordered_before(i, a))
			add_backtrack(i, f);
	}
}

static void add_points(const struct search *f)
{
	switch (nwx_reducing()) {
	case NWX_ALL_ORDERS:
		break;
	case NWX_BY_BOUNDED_SETS:
		add_bounded(f);
		break;
	case NWX_BY_SOURCE_SETS:
		add_races(f);
		if (f->op->kind == NWX_OP_AWAIT)
			backtrack_await(f);
		break;
	}
}

/* `actor` takes its announced operation: find its race, give it a clock. */
void nwx_step_begin(unsigned actor, uint32_t node)
{
	struct nwx_actor *a = &nwx.actor[actor];
	const struct nwx_op *op = &a->pend;
	struct search f;
	uint32_t index = nwx.visible;
	struct nwx_step *s = &nwx_steps[index];
	int at_location = is_memory(op->kind) || is_lock(op->kind);
	int is_write = op->kind != NWX_OP_READ && op->kind != NWX_OP_AWAIT;
	struct loc_info *l = NULL;

	f.actor = actor;
	f.op = op;
	f.races = 0;
	if (index + 1 >= NWX_STEPS_MAX)
		nwx_end_execution(NWX_ERROR);
	memcpy(f.clock, a->clock, sizeof(f.clock));
	if (at_location)
		l = loc_info(op->obj);
	if (nwm_is_tso(&nwm_config) || nwx.ipi_handler) {
		consider_list(&f, NULL, index);
	} else if (at_location) {
		consider_location(&f, l, is_write);
		if (is_memory(op->kind))
			consider_list(&f, memory_steps, memory_count);
	} else if (is_walk(op->kind) || op->kind == NWX_OP_FREE) {
		consider_list(&f, NULL, index);
	} else {
		consider_list(&f, machine_steps, machine_count);
	}
	/* A choice that was made before has had its races found. */
	if (node >= nwx.known)
		add_points(&f);
	s->op = *op;
	s->node = node;
	s->actor = (uint8_t)actor;
	memcpy(s->before, nwx.count, sizeof(s->before));
	f.clock[actor] = ++nwx.count[actor];
	memcpy(s->clock, f.clock, sizeof(s->clock));
	memcpy(a->clock, f.clock, sizeof(a->clock));
	if (l)
		note_location(l, s, index, is_write);
	else
		note_machine(index, op->kind);
	nwx.visible++;
}
