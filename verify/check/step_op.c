/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations: what their stores do to translations inside and outside of their
 * range, and what they still owe when they return.
 *
 * A leaf that an operation breaks is remembered until the operation makes it
 * again or ends: break-before-make is one change, not two.
 */
#include "local.h"
#include "local.h"
#include "track.h"

#include <stdlib.h>

#define BROKEN_MAX 1024 /* beyond, a break is taken as a removal */

static void malformed(struct nwv_check *c, const char *what, uint64_t value)
{
	nwv_stop(c, NWV_CHECK_MALFORMED, "seq %llu: %s (%#llx)",
		 (unsigned long long)c->now->seq, what,
		 (unsigned long long)value);
}

/* ---- which operation ----------------------------------------------------- */

int nwv_op_is_move(unsigned op)
{
	return op >= NW_OP_SHARE && op <= NW_OP_RECLAIM_PAGES;
}

struct nwv_op *nwv_op_on(const struct nwv_check *c, unsigned cpu, uint16_t root)
{
	unsigned n = c->ops ? c->ops->depth[cpu] : 0;

	while (n--)
		if (c->ops->at[cpu][n]->root == root)
			return c->ops->at[cpu][n];
	return NULL;
}

struct nwv_op *nwv_op_move(const struct nwv_check *c, unsigned cpu)
{
	unsigned n = c->ops ? c->ops->depth[cpu] : 0;

	while (n--)
		if (nwv_op_is_move(c->ops->at[cpu][n]->op))
			return c->ops->at[cpu][n];
	return NULL;
}

/* ---- two translations of one span ------------------------------------------
 */

/* An entry, or the part of a block that lies at a lower level. */
struct view {
	enum nwv_kind kind;
	uint64_t pa;
	uint8_t rights; /* hardware's dirty update counted in */
	uint8_t memattr;
	uint8_t share;
};

struct compare {
	const struct nwv_check *c;
	const struct nwv_shape *s;
	uint64_t start, end;
	int is_free_inside; /* whatever happens there */
	unsigned inside, outside;
};

static void view_entry(const struct nwv_shape *s, unsigned level, uint64_t e,
		       struct view *v)
{
	struct nwv_leaf leaf;

	*v = (struct view){.kind = nwv_kind(s, level, e)};
	if (v->kind == NWV_TABLE)
		v->pa = nwv_table_pa(s, e);
	if (v->kind == NWV_RESERVED)
		v->kind = NWV_INVALID;
	if (v->kind != NWV_LEAF)
		return;
	nwv_leaf_decode(s, level, e, &leaf);
	v->pa = leaf.pa;
	v->rights = leaf.rights | (leaf.can_get_write ? NWV_W : 0);
	v->memattr = leaf.memattr;
	v->share = leaf.share;
}

static void view_part(const struct compare *k, unsigned level,
		      const struct view *above, unsigned i, struct view *v)
{
	if (above->kind == NWV_TABLE) {
		view_entry(k->s, level, nwv_entry_of(k->c, above->pa, i), v);
		return;
	}
	*v = *above;
	v->pa += (uint64_t)i << nwv_span_lg2(k->s, level);
}

static unsigned change_of(const struct view *before, const struct view *after)
{
	if (before->kind == NWV_INVALID || after->kind == NWV_INVALID)
		return (before->kind == NWV_LEAF ? NWV_OP_LOST : 0) |
		       (after->kind == NWV_LEAF ? NWV_OP_GAINED : 0);
	return (before->rights & ~after->rights ? NWV_OP_LOST : 0) |
	       (after->rights & ~before->rights ? NWV_OP_GAINED : 0) |
	       (before->pa != after->pa || before->memattr != after->memattr ||
				before->share != after->share
			? NWV_OP_MOVED
			: 0);
}

static void compare_views(struct compare *k, unsigned level, uint64_t ia,
			  const struct view *before, const struct view *after)
{
	uint64_t end = ia + (UINT64_C(1) << nwv_span_lg2(k->s, level));
	int is_inside = ia >= k->start && end <= k->end;
	struct view b, a;
	unsigned change, i;

	if (is_inside && k->is_free_inside)
		return;
	if (before->kind == after->kind && before->pa == after->pa &&
	    before->kind != NWV_LEAF)
		return;
	if (before->kind != NWV_TABLE && after->kind != NWV_TABLE) {
		change = change_of(before, after);
		if (ia < k->end && end > k->start)
			k->inside |= change;
		if (!is_inside)
			k->outside |= change;
		return;
	}
	end = (end - ia) >> k->s->index_bits;
	for (i = 0; level && i < 1u << k->s->index_bits; i++) {
		view_part(k, level - 1, before, i, &b);
		view_part(k, level - 1, after, i, &a);
		compare_views(k, level - 1, ia + i * end, &b, &a);
	}
}

/* ---- stores
 * ------------------------------------------------------------------- */

/* Operations that may do to their own range what they like. */
static int is_free_inside(unsigned op)
{
	switch (op) {
	case NW_OP_RELAX:
	case NW_OP_RESTRICT:
	case NW_OP_WRITE_PROTECT:
	case NW_OP_HARVEST_DIRTY:
	case NW_OP_AGE:
	case NW_OP_SPLIT:
	case NW_OP_RECLAIM:
		return 0;
	default:
		return 1;
	}
}

static void judge_change(struct nwv_check *c, const struct nwv_op *op,
			 unsigned level, uint64_t ia, uint64_t before,
			 uint64_t after)
{
	const struct nwv_shape *s = &c->root[op->root].shape;
	struct compare k = {.c = c,
			    .s = s,
			    .start = op->start,
			    .end = op->end,
			    .is_free_inside = is_free_inside(op->op)};
	struct nwv_facts f;
	struct view b, a;

	view_entry(s, level, before, &b);
	view_entry(s, level, after, &a);
	compare_views(&k, level, ia, &b, &a);
	if (!k.inside && !k.outside &&
	    (op->op != NW_OP_MAP || b.kind == NWV_INVALID))
		return;
	f = (struct nwv_facts){
		.on = NWV_ON_OP,
		.event = c->now,
		.shape = s,
		.ia = ia,
		.before = before,
		.after = after,
		.level = level,
		.before_kind = b.kind,
		.after_kind = a.kind,
		.op = op->op,
		.inside = (uint8_t)k.inside,
		.outside = (uint8_t)k.outside,
		.op_begin = op->begin,
		.pa = c->root[op->root].pa,
	};
	nwv_judge(c, &f);
}

/* What this operation broke there; NULL: nothing. */
static struct nwv_op_broken *broken_at(struct nwv_op *op, uint64_t va)
{
	uint32_t n = op->brokens;

	while (n--)
		if (op->broken[n].va == va)
			return &op->broken[n];
	return NULL;
}

static void note_broken(struct nwv_check *c, struct nwv_op *op, uint64_t va,
			unsigned level, uint64_t ia, uint64_t before)
{
	if (nwv_room(c, (void **)&op->broken, &op->broken_room, op->brokens,
		     sizeof(*op->broken)))
		return;
	op->broken[op->brokens++] =
		(struct nwv_op_broken){va, ia, before, (uint8_t)level};
}

/* Another operation took the entry over: what becomes of it is its doing. */
static void forget_foreign(struct nwv_check *c, uint16_t root, uint64_t va)
{
	unsigned cpu;

	for (cpu = 0; cpu < NWV_CPUS_MAX; cpu++) {
		struct nwv_op *op =
			cpu == c->now->cpu ? NULL : nwv_op_on(c, cpu, root);
		struct nwv_op_broken *broken = op ? broken_at(op, va) : NULL;

		if (broken)
			*broken = op->broken[--op->brokens];
	}
}

/* Another CPU took the entry over: it is not ours to make any more. */
static void steal_broken(struct nwv_check *c, uint16_t root, uint64_t va)
{
	struct nwv_op_broken *broken;
	uint64_t left = c->cpus_seen & ~(UINT64_C(1) << c->now->cpu);
	struct nwv_op *op;

	for (; left; left &= left - 1) {
		op = nwv_op_on(c, (unsigned)__builtin_ctzll(left), root);
		broken = op && op->brokens ? broken_at(op, va) : NULL;
		if (broken)
			*broken = op->broken[--op->brokens];
	}
}

void nwv_op_write(struct nwv_check *c, const struct nwv_page *p, unsigned index,
		  uint64_t before, uint64_t after)
{
	struct nwv_op *op = nwv_op_on(c, c->now->cpu, p->root);
	uint64_t ia = nwv_entry_ia(c, p, index), va = c->now->a;
	const struct nwv_shape *s = &c->root[p->root].shape;
	struct nwv_op_broken *broken;
	enum nwv_kind to;
	int is_ours;

	if (c->ops->open > 1)
		forget_foreign(c, p->root, va);
	if (c->ops->open > 1)
		steal_broken(c, p->root, va);
	if (!op)
		return;
	to = nwv_kind(s, p->level, after);
	is_ours = ia >= op->start &&
		  ia + (UINT64_C(1) << nwv_span_lg2(s, p->level)) <= op->end &&
		  is_free_inside(op->op);
	if (to == NWV_INVALID && !is_ours && op->brokens < BROKEN_MAX &&
	    (nwv_kind(s, p->level, before) == NWV_LEAF ||
	     c->now->kind == NW_EV_ENTRY_LOCK)) {
		note_broken(c, op, va, p->level, ia, before);
		return;
	}
	broken = op->brokens ? broken_at(op, va) : NULL;
	if (broken && to == NWV_INVALID)
		return; /* one invalid value after another */
	if (broken) {
		before = broken->before;
		*broken = op->broken[--op->brokens];
	}
	if (!is_ours || (op->op == NW_OP_MAP &&
			 nwv_kind(s, p->level, before) != NWV_INVALID))
		judge_change(c, op, p->level, ia, before, after);
}

void nwv_op_armed(struct nwv_check *c, uint16_t root, uint32_t n)
{
	struct nwv_op *op = nwv_op_on(c, c->now->cpu, root);
	const struct nwv_ob_slot *o = &c->ob[n];

	if (!op || nwv_room(c, (void **)&op->ob, &op->ob_room, op->obs,
			    sizeof(*op->ob)))
		return;
	op->ob[op->obs++] = (struct nwv_op_ob){
		.number = n,
		.gen = o->gen,
		.where = o->ia | (uint64_t)o->level << 1 |
			 !!(o->flags & NWV_OB_SUBTREE),
	};
}

/* ---- one CPU's own flushes
 * ---------------------------------------------------- */

void nwv_op_barrier(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_own_flush *own = &c->ops->own[e->cpu];
	unsigned i;

	if (e->a != NW_BARRIER_DSB_ISH && e->a != NW_BARRIER_DSB_SY &&
	    e->a != NW_BARRIER_DSB_ISHST)
		return;
	own->ordered = e->seq;
	if (e->a == NW_BARRIER_DSB_ISHST)
		return;
	own->middle = own->by_ipa;
	for (i = 0; i < 2; i++)
		own->served[i] = own->issued[i];
}

void nwv_op_tlbi(struct nwv_check *c, const struct nwv_inval *v, unsigned cpu)
{
	struct nwv_own_flush *own = &c->ops->own[cpu];

	if (v->is_local)
		return;
	if (v->regime != NW_REGIME_STAGE2)
		own->issued[1] = own->ordered;
	else if (v->stage2 && v->combined)
		own->issued[0] = own->ordered;
	else if (v->combined)
		own->issued[0] = own->middle;
	else
		own->by_ipa = own->ordered;
}

/* Another CPU's invalidation serves it, and has not completed; this CPU's own
 * one has, since it was armed. What it covered is not asked again. */
static int is_served_here(const struct nwv_check *c, uint32_t n)
{
	const struct nwv_own_flush *own = &c->ops->own[c->now->cpu];
	struct nwv_ob o;

	nwv_ob_get(c, n, &o);
	return o.phase >= NWV_AWAIT_MIDDLE && o.phase <= NWV_AWAIT_FINAL &&
	       o.issuer != c->now->cpu &&
	       own->served[c->root[o.root].shape.regime != NW_REGIME_STAGE2] >
		       o.armed.seq;
}

/* ---- the end of one
 * -------------------------------------------------------------- */

struct returning {
	const struct nwv_op *op;
	uint32_t number; /* found */
};

static int is_armed_by(const struct nwv_check *c, const struct nwv_op *op,
		       uint32_t n)
{
	const struct nwv_mark *armed = &c->ob_more[n].armed;

	return c->ob[n].root == op->root && !(c->ob[n].flags & NWV_OB_SOFT) &&
	       armed->cpu == op->begin.cpu && armed->seq > op->begin.seq;
}

static void judge_return(struct nwv_check *c, uint32_t n)
{
	struct nwv_facts f = {.event = c->now};

	if (nwv_is_local(&c->root[c->ob[n].root].shape) &&
	    nwv_local_is_done(c, n, c->now->cpu))
		return;
	if (is_served_here(c, n))
		return;
	if (nwv_local_is_done(c, n, c->now->cpu))
		return;
	nwv_facts_ob(c, n, &f);
	/* What was tried and did not serve says more than that nothing has
	 * come yet. */
	f.on = f.diagnosis.near.why ? NWV_ON_OPEN : NWV_ON_RETURN;
	nwv_judge(c, &f);
	nwv_ob_drop(c, n);
}

static int return_part(struct nwv_check *c, uint32_t n, void *arg)
{
	const struct returning *r = arg;

	if (is_armed_by(c, r->op, n))
		judge_return(c, n);
	return 1;
}

static void end_obligations(struct nwv_check *c, const struct nwv_op *op)
{
	struct returning r = {.op = op};
	uint32_t i;

	for (i = 0; i < op->obs && c->root[op->root].pending; i++) {
		const struct nwv_op_ob *o = &op->ob[i];
		unsigned level = (unsigned)(o->where >> 1 & 15);
		uint64_t ia = o->where & ~UINT64_C(0xfff);

		if (c->ob[o->number].gen == o->gen) {
			if (is_armed_by(c, op, o->number))
				judge_return(c, o->number);
		} else if (o->where & 1) {
			/* Served in part: each of its leaves has its own. */
			nwv_ob_each(
				c, op->root, (2u << level) - 1, ia,
				ia + (UINT64_C(1) << nwv_span_lg2(
					      &c->root[op->root].shape, level)),
				return_part, &r);
		}
	}
}

/* The end of a gather: all that this CPU's operations on the table owe. */
static int gathered_part(struct nwv_check *c, uint32_t n, void *arg)
{
	const struct nwv_op *gather = arg;

	if (c->ob[n].root == gather->root && !(c->ob[n].flags & NWV_OB_SOFT) &&
	    c->ob_more[n].armed.cpu == gather->begin.cpu)
		judge_return(c, n);
	return 1;
}

static void end_gather(struct nwv_check *c, struct nwv_op *op)
{
	if (c->root[op->root].pending)
		nwv_ob_each(c, op->root, ~0u, op->start, op->end, gathered_part,
			    op);
}

static void end_broken(struct nwv_check *c, const struct nwv_op *op)
{
	uint32_t i;

	for (i = 0; i < op->brokens; i++)
		judge_change(c, op, op->broken[i].level, op->broken[i].ia,
			     op->broken[i].before, 0);
}

static int is_gathered(const struct nwv_event *e)
{
	return (e->c >> 8 & NW_TRACE_GATHERED) != 0;
}

static void op_end(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_ops *ops = c->ops;
	uint8_t *depth = &ops->depth[e->cpu];
	struct nwv_op *op = *depth ? ops->at[e->cpu][*depth - 1u] : NULL;

	if (!op || op->op != (e->c & 0xff)) {
		malformed(c,
			  "op_end: this CPU's last op_begin is of no such "
			  "operation",
			  e->c & 0xff);
		return;
	}
	if (op->root) {
		end_broken(c, op);
		if (op->op == NW_OP_GATHER)
			end_gather(c, op);
		else if (!is_gathered(e))
			end_obligations(c, op);
		nwv_run_return(c, op);
	}
	if (!is_gathered(e))
		nwv_log_return(c, op, e);
	nwv_slot_return(c, op, e);
	--*depth;
	ops->moves -= nwv_op_is_move(op->op);
	if (nwv_op_is_move(op->op))
		nwv_books_return(c, op, e);
	op->has_due = 0;
	if (!--ops->open)
		c->watch_write &= (uint8_t)~NWV_WATCH_OP;
}

static void op_begin(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_ops *ops = c->ops;
	unsigned n = ops->depth[e->cpu];
	struct nwv_op *op;

	if (n == NWV_OP_DEPTH) {
		malformed(c,
			  "op_begin: more operations inside each other than "
			  "the oracle follows",
			  n);
		return;
	}
	if (nwv_op_is_move(e->c & 0xff) && !ops->moves)
		nwv_books_begin(c);
	if (!ops->at[e->cpu][n])
		ops->at[e->cpu][n] = nwv_make(c, sizeof(*op));
	op = ops->at[e->cpu][n];
	if (!op)
		return;
	op->begin = nwv_mark_of(e);
	op->start = e->a;
	op->end = e->b;
	op->root = nwv_root_at(c, e->c >> 24 << 12);
	op->op = (uint8_t)e->c;
	op->mode = (uint8_t)(e->c >> 8);
	op->obs = op->brokens = op->runs = op->undos = 0;
	ops->depth[e->cpu]++;
	ops->open++;
	ops->moves += nwv_op_is_move(op->op);
	c->watch_write |= NWV_WATCH_OP;
}

void nwv_step_op(struct nwv_check *c, const struct nwv_event *e)
{
	if (!c->ops)
		c->ops = nwv_make(c, sizeof(*c->ops));
	if (!c->ops)
		return;
	if (e->kind == NW_EV_OP_BEGIN)
		op_begin(c, e);
	else
		op_end(c, e);
}

void nwv_ops_free(struct nwv_check *c)
{
	unsigned cpu, n;

	for (cpu = 0; c->ops && cpu < NWV_CPUS_MAX; cpu++)
		for (n = 0; n < NWV_OP_DEPTH; n++) {
			struct nwv_op *op = c->ops->at[cpu][n];

			if (!op)
				continue;
			free(op->ob);
			free(op->broken);
			free(op->run);
			free(op->undo);
			free(op);
		}
	free(c->ops);
}
