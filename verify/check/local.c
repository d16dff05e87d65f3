/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations that act on one CPU, and the groups they are owed in.
 *
 * A group's stamps say how far each CPU that invalidated had told others of
 * what it did, at that moment: another CPU knows of the invalidation once it
 * knows more than that.
 */
#include "local.h"

#include <stdlib.h>

#include "obligation_lists.h"

/* Groups looked at for one to join. */
#define LOOK_MAX 4

static const unsigned all_levels = (1u << NW_LEVELS_MAX) - 1;

int nwv_local_init(struct nwv_check *c, uint16_t root)
{
	struct nwv_root *r = &c->root[root];

	c->is_tso |= r->shape.regime == NW_REGIME_X86 ||
		     r->shape.regime == NW_REGIME_NPT ||
		     r->shape.regime == NW_REGIME_EPT;
	r->by_cpu = calloc(1, sizeof(*r->by_cpu));
	if (!r->by_cpu) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return -1;
	}
	c->bytes += sizeof(*r->by_cpu);
	return 0;
}

/* ---- groups ------------------------------------------------------------- */

static int same_stamps(const struct nwv_group *a, const struct nwv_group *b)
{
	uint64_t left;

	if (a->done != b->done)
		return 0;
	for (left = a->done; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		if (a->stamp[x] != b->stamp[x])
			return 0;
	}
	return 1;
}

/* A group of this root that is owed as `like` is; made when there is none.
 * 0: stopped. */
static uint32_t group_like(struct nwv_check *c, const struct nwv_group *like)
{
	uint32_t n = c->root[like->root].await_tlbi.last;
	struct nwv_group *g;
	unsigned looks = 0;

	for (; n && looks < LOOK_MAX; n = c->group[n].prev, looks++) {
		g = &c->group[n];
		if (g->owing == like->owing && g->cpu == like->cpu &&
		    g->is_global == like->is_global &&
		    g->is_soft == like->is_soft && same_stamps(g, like))
			return n;
	}
	n = nwv_group_new(c, NWV_AWAIT_TLBI, like->root, like->tag, like->cpu);
	if (!n)
		return 0;
	g = &c->group[n];
	g->owing = like->owing;
	g->done = like->done;
	g->is_global = like->is_global;
	g->is_soft = like->is_soft;
	if (!g->stamp) {
		g->stamp = calloc(NWV_CPUS_MAX, sizeof(*g->stamp));
		c->bytes += NWV_CPUS_MAX * sizeof(*g->stamp);
	}
	if (!g->stamp) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return 0;
	}
	for (unsigned x = 0; x < NWV_CPUS_MAX; x++)
		g->stamp[x] = like->done >> x & 1 ? like->stamp[x] : 0;
	return n;
}

void nwv_local_joined(struct nwv_check *c, uint32_t group, uint64_t seq)
{
	struct nwv_group *g = &c->group[group];

	if (g->last_seq < seq)
		g->last_seq = seq;
	if (g->live == 1 || seq < g->first_seq)
		g->first_seq = seq;
}

/* One obligation into a group like this. */
static void move_to(struct nwv_check *c, uint32_t ob,
		    const struct nwv_group *like)
{
	uint32_t group = group_like(c, like);

	if (!group)
		return;
	nwv_group_leave(c, ob);
	c->ob[ob].phase_seq = c->now->seq;
	if (!nwv_group_join(c, group, ob))
		nwv_local_joined(c, group, c->ob_more[ob].armed.seq);
}

uint32_t nwv_local_arm(struct nwv_check *c, uint16_t root, int is_global,
		       int is_soft)
{
	const struct nwv_local *l = c->root[root].by_cpu;
	struct nwv_group like = {
		.root = root,
		.tag = c->root[root].tag,
		.cpu = (uint8_t)c->now->cpu,
		.owing = !l->is_told ? c->cpus_seen
			 : is_global ? l->cpus_global
				     : l->cpus,
		.is_global = (uint8_t) !!is_global,
		.is_soft = (uint8_t) !!is_soft,
	};

	return like.owing ? group_like(c, &like) : 0;
}

void nwv_local_harden(struct nwv_check *c, uint32_t ob)
{
	struct nwv_group like = c->group[c->ob[ob].group];

	like.cpu = (uint8_t)c->now->cpu;
	like.is_soft = 0;
	like.done = 0;
	c->ob_more[ob].armed.seq = c->now->seq;
	move_to(c, ob, &like);
}

int nwv_local_is_global(const struct nwv_check *c, uint16_t root,
			unsigned level, uint64_t entry)
{
	const struct nwv_shape *s = &c->root[root].shape;
	const struct nwv_page *p;
	struct nwv_leaf leaf;
	unsigned i;

	if (s->regime != NW_REGIME_X86 && s->regime != NW_REGIME_RISCV_S)
		return 0;
	switch (nwv_kind(s, level, entry)) {
	case NWV_LEAF:
		nwv_leaf_decode(s, level, entry, &leaf);
		return leaf.is_global;
	case NWV_TABLE:
		break;
	default:
		return 0;
	}
	/* RISC-V: the bit of a pointer is that of all below. */
	if (s->regime == NW_REGIME_RISCV_S && (entry & 32))
		return 1;
	p = nwv_page_at_pa(c, nwv_table_pa(s, entry));
	for (i = 0; p && i < NWV_FRAME_ENTRIES; i++)
		if (nwv_local_is_global(c, root, level - 1, p->entry[i]))
			return 1;
	return 0;
}

/* ---- when it is clean ---------------------------------------------------- */

uint64_t nwv_local_owing(const struct nwv_check *c, uint32_t group)
{
	const struct nwv_group *g = &c->group[group];
	const struct nwv_root *r = &c->root[g->root];

	/* A global entry serves whatever root is installed. */
	if (g->is_global || !r->by_cpu->is_told)
		return g->owing;
	return g->owing & r->cpus_now;
}

/* Have all that are waited for invalidated, and does `cpu` know? */
static int is_clean_for(const struct nwv_check *c, uint32_t group, unsigned cpu)
{
	const struct nwv_group *g = &c->group[group];
	uint64_t left = g->done & ~(UINT64_C(1) << cpu);

	if (nwv_local_owing(c, group))
		return 0;
	for (; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		if (c->cpu[cpu].known[x] <= g->stamp[x])
			return 0;
	}
	return 1;
}

/* What is left is for those to do that install the root again. */
static void leave_stale(struct nwv_check *c, const struct nwv_group *g,
			const struct nwv_mark *armed)
{
	struct nwv_local *l = c->root[g->root].by_cpu;

	if (g->is_soft || !g->owing)
		return;
	l->stale |= g->owing;
	l->stale_since = *armed;
}

static void finish(struct nwv_check *c, uint32_t group, unsigned cpu)
{
	const struct nwv_group *g = &c->group[group];
	const uint32_t *m = g->room ? g->member : g->few;
	uint32_t i = g->used;

	while (i-- > g->first)
		if (m[i]) {
			leave_stale(c, g, &c->ob_more[m[i]].armed);
			break;
		}
	nwv_group_move(c, group, NWV_CLEAN, cpu);
}

void nwv_local_learn(struct nwv_check *c, unsigned cpu)
{
	uint32_t i, n, next;

	for (i = 1; i <= c->roots && c->obs; i++) {
		if (!c->root[i].by_cpu)
			continue;
		for (n = c->root[i].await_tlbi.first; n; n = next) {
			next = c->group[n].next;
			if (is_clean_for(c, n, cpu))
				finish(c, n, cpu);
		}
	}
}

int nwv_local_is_done(struct nwv_check *c, uint32_t ob, unsigned cpu)
{
	uint32_t group = c->ob[ob].group;

	if (!c->root[c->ob[ob].root].by_cpu ||
	    c->group[group].phase != NWV_AWAIT_TLBI ||
	    !is_clean_for(c, group, cpu))
		return 0;
	leave_stale(c, &c->group[group], &c->ob_more[ob].armed);
	nwv_ob_drop(c, ob);
	return 1;
}

void nwv_local_end(struct nwv_check *c)
{
	uint32_t i, n, next;

	for (i = 1; i <= c->roots; i++) {
		if (!c->root[i].by_cpu)
			continue;
		for (n = c->root[i].await_tlbi.first; n; n = next) {
			next = c->group[n].next;
			if (is_clean_for(c, n, c->group[n].cpu))
				finish(c, n, c->group[n].cpu);
		}
	}
}

/* ---- invalidations ------------------------------------------------------- */

struct job {
	const struct nwv_inval *v;
	uint64_t start, end; /* as the table numbers its addresses */
	uint16_t tag;
	unsigned cpu;
	int met;
};

static struct nwv_near near_of(const struct nwv_check *c, const struct job *j,
			       enum nwv_why why, uint32_t got, uint32_t want)
{
	return (struct nwv_near){
		.seq = c->now->seq,
		.got = got,
		.want = want,
		.why = (uint8_t)why,
		.is_tlbi = 1,
		.op = j->v->op,
		.cpu = (uint8_t)j->cpu,
	};
}

static uint16_t tag_here(const struct nwv_root *r, unsigned cpu)
{
	return r->by_cpu->cpus >> cpu & 1 ? r->by_cpu->tag_on[cpu] : r->tag;
}

static int tag_fits(const struct nwv_root *r, const struct job *j)
{
	if (j->v->is_by_root)
		return j->v->start == r->pa;
	return j->v->is_all_tags || r->shape.regime == NW_REGIME_EPT ||
	       j->tag == tag_here(r, j->cpu);
}

static struct nwv_near tag_near(const struct nwv_check *c, const struct job *j,
				const struct nwv_root *r)
{
	if (j->v->is_by_root)
		return near_of(c, j, NWV_WHY_ROOT,
			       (uint32_t)(j->v->start >> 12),
			       (uint32_t)(r->pa >> 12));
	return near_of(c, j, NWV_WHY_TAG, j->tag, tag_here(r, j->cpu));
}

/* This CPU does not walk the table now: what it invalidates it will not find
 * again before it installs the root, and by then the store is seen. */
static int is_away(const struct nwv_check *c, const struct nwv_group *g,
		   unsigned cpu)
{
	const struct nwv_root *r = &c->root[g->root];

	if (g->is_global || !r->by_cpu->is_told)
		return 0;
	return !(r->cpus_now >> cpu & 1) ||
	       ((c->watch >> cpu & 1) &&
		c->cpu[cpu].entering.c == r->shape.regime &&
		c->cpu[cpu].installed[r->shape.regime] == g->root);
}

/* What `g` becomes when this CPU has invalidated. */
static void note_done(const struct nwv_check *c, struct nwv_group *g,
		      unsigned cpu, uint64_t *stamp)
{
	uint64_t bit = UINT64_C(1) << cpu;

	g->owing &= ~bit;
	if (is_away(c, g, cpu))
		return;
	g->done |= bit;
	if (stamp)
		stamp[cpu] = c->cpu[cpu].told > c->cpu[cpu].released ?
				     c->cpu[cpu].told :
				     c->cpu[cpu].released;
}

/* Invalidating inside a handler is for whoever sent the interrupt to rely
 * on. */
static void finish_if_clean(struct nwv_check *c, uint32_t group, unsigned cpu)
{
	if (!c->cpu[cpu].handlers && is_clean_for(c, group, cpu))
		finish(c, group, cpu);
}

static enum nwv_why refusal(const struct nwv_check *c, const struct job *j,
			    uint32_t ob)
{
	const struct nwv_ob_slot *o = &c->ob[ob];
	const struct nwv_group *g = &c->group[o->group];

	/* INVLPG removes global entries whatever PCID it runs under. */
	if (!tag_fits(&c->root[o->root], j) &&
	    !(g->is_global && !j->v->keeps_global && !j->v->is_broadcast))
		return NWV_WHY_TAG;
	if (g->is_global && j->v->keeps_global)
		return NWV_WHY_GLOBAL;
	if (j->v->is_last_level && (o->flags & NWV_OB_TABLE))
		return NWV_WHY_LAST_LEVEL;
	if (!nwv_known(c, g->cpu, c->ob_more[ob].armed.seq, j->cpu) &&
	    !is_away(c, g, j->cpu))
		return NWV_WHY_UNSEEN;
	return NWV_WHY_NONE;
}

static void serve_one(struct nwv_check *c, struct job *j, uint32_t ob)
{
	uint64_t stamp[NWV_CPUS_MAX];
	struct nwv_group like = c->group[c->ob[ob].group];
	enum nwv_why why = refusal(c, j, ob);

	if (!j->v->is_broadcast && !(like.owing >> j->cpu & 1))
		return;
	if (why == NWV_WHY_TAG) {
		c->ob_more[ob].near = tag_near(c, j, &c->root[c->ob[ob].root]);
		return;
	}
	if (why) {
		c->ob_more[ob].near = near_of(c, j, why, j->cpu, like.cpu);
		return;
	}
	if (j->v->is_broadcast) {
		nwv_ob_move(c, ob, NWV_AWAIT_FINAL, j->cpu);
		return;
	}
	for (unsigned x = 0; x < NWV_CPUS_MAX; x++)
		stamp[x] = like.stamp[x];
	like.stamp = stamp;
	note_done(c, &like, j->cpu, stamp);
	move_to(c, ob, &like);
	if (!c->stopped)
		finish_if_clean(c, c->ob[ob].group, j->cpu);
}

static int serve_address(struct nwv_check *c, uint32_t ob, void *arg)
{
	struct job *j = arg;
	const struct nwv_ob_slot *o = &c->ob[ob];
	uint64_t span = UINT64_C(1)
			<< nwv_span_lg2(&c->root[o->root].shape, o->level);

	j->met = 1;
	if (c->group[o->group].phase != NWV_AWAIT_TLBI)
		return 1;
	if ((o->flags & NWV_OB_SUBTREE) &&
	    (j->v->is_last_level || j->start > o->ia || j->end < o->ia + span))
		nwv_ob_expand(c, ob);
	serve_one(c, j, ob);
	return 1;
}

/* Those of a group that this CPU can have seen, into one of their own. */
static void serve_known(struct nwv_check *c, struct job *j, uint32_t group)
{
	struct nwv_group *g = &c->group[group];
	uint32_t used = g->used, live = g->live, i, n;

	for (i = g->first; i < used && live && !c->stopped; i++) {
		g = &c->group[group];
		n = (g->room ? g->member : g->few)[i];
		if (!n)
			continue;
		live--; /* the last one frees the group */
		serve_one(c, j, n);
	}
}

static void serve_group(struct nwv_check *c, struct job *j, uint32_t group)
{
	struct nwv_group *g = &c->group[group];
	struct nwv_local *l = c->root[g->root].by_cpu;

	if (g->is_global && j->v->keeps_global) {
		l->global = near_of(c, j, NWV_WHY_GLOBAL, j->cpu, g->cpu);
		return;
	}
	if (!nwv_known(c, g->cpu, g->last_seq, j->cpu) &&
	    !is_away(c, g, j->cpu)) {
		l->unseen = near_of(c, j, NWV_WHY_UNSEEN, j->cpu, g->cpu);
		/* Later ones of another CPU may hide earlier ones. */
		if (c->cpu[j->cpu].known[g->cpu] > g->first_seq)
			serve_known(c, j, group);
		return;
	}
	if (j->v->is_broadcast) {
		nwv_group_move(c, group, NWV_AWAIT_FINAL, j->cpu);
		return;
	}
	if (!(g->owing >> j->cpu & 1))
		return;
	note_done(c, g, j->cpu, g->stamp);
	g->phase_seq = c->now->seq;
	finish_if_clean(c, group, j->cpu);
}

/* The whole tag, or the whole regime. */
static void serve_all(struct nwv_check *c, struct job *j, uint16_t root)
{
	uint64_t bit = UINT64_C(1) << j->cpu;
	struct nwv_root *r = &c->root[root];
	struct nwv_local *l = r->by_cpu;
	uint32_t n, next;

	if (!tag_fits(r, j)) {
		r->other_tag = tag_near(c, j, r);
		return;
	}
	if (!j->v->stage2) {
		r->no_ipa = near_of(c, j, NWV_WHY_NO_IPA, 0, 0);
		return;
	}
	for (n = r->await_tlbi.first; n; n = next) {
		next = c->group[n].next;
		serve_group(c, j, n);
	}
	if (j->v->is_broadcast)
		return;
	l->stale &= ~bit;
	if (r->cpus_now & bit)
		return;
	l->cpus &= ~bit;
	if (!j->v->keeps_global)
		l->cpus_global &= ~bit;
}

void nwv_local_tlbi(struct nwv_check *c, const struct nwv_inval *v,
		    uint16_t tag, unsigned cpu)
{
	struct job j = {.v = v, .tag = tag, .cpu = cpu};
	uint32_t i;

	for (i = 1; i <= c->roots; i++) {
		struct nwv_root *r = &c->root[i];
		uint64_t mask = (UINT64_C(1) << r->shape.ia_bits) - 1;

		if (!r->by_cpu || r->shape.regime != v->regime)
			continue;
		if (v->is_all) {
			serve_all(c, &j, (uint16_t)i);
			continue;
		}
		if (!r->pending)
			continue;
		/* Upper addresses are sign-extended. */
		j.start = v->start & mask;
		j.end = j.start + (v->end - v->start);
		j.met = 0;
		nwv_ob_each(c, (uint16_t)i, all_levels, j.start, j.end,
			    serve_address, &j);
		if (!j.met)
			r->by_cpu->address =
				near_of(c, &j, NWV_WHY_ADDRESS, 0, 0);
	}
}
