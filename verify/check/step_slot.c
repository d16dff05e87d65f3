/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where host memory appears in guests, so that a notifier's bracket, which
 * speaks of host addresses, can be held against tables; and what handlers and
 * faults must not do.
 *
 * A bracket has emptied its range when the unmap that its CPU does inside it
 * returns; where it tells no operation, when it ends. From then until it ends
 * nothing of the range is mapped: in the tables that it unmapped from, or, if
 * the trace has one table of a guest, in that. A bracket that puts another
 * page in the place of one, or only takes rights, empties nothing.
 */
#include "track.h"

#include <stdlib.h>

static void malformed(struct nwv_check *c, const char *what, uint64_t value)
{
	nwv_stop(c, NWV_CHECK_MALFORMED, "seq %llu: %s (%#llx)",
		 (unsigned long long)c->now->seq, what,
		 (unsigned long long)value);
}

static int is_of_guests(const struct nwv_root *r)
{
	switch (r->shape.regime) {
	case NW_REGIME_STAGE2:
	case NW_REGIME_NPT:
	case NW_REGIME_EPT:
	case NW_REGIME_RISCV_G:
		return r->is_live && r->is_known;
	default:
		return 0;
	}
}

/* ---- host to guest --------------------------------------------------------
 */

/* The n-th part of the bracket's range, in guest addresses. 0: no more. */
static int guest_part(const struct nwv_check *c, const struct nwv_range *r,
		      uint32_t n, struct nwv_span *out)
{
	const struct nwv_slot *s;
	uint32_t i;

	if (!c->slots || !c->slots->was_told) {
		*out = (struct nwv_span){r->start, r->end};
		return n == 0;
	}
	for (i = 0; i < c->slots->slots; i++) {
		s = &c->slots->slot[i];
		if (s->start >= r->end || r->start >= s->end || n--)
			continue;
		out->start = s->guest +
			     (r->start > s->start ? r->start - s->start : 0);
		out->end = s->guest + (r->end < s->end ? r->end : s->end) -
			   s->start;
		return 1;
	}
	return 0;
}

static int is_in_guest(const struct nwv_check *c, const struct nwv_range *r,
		       uint64_t start, uint64_t end)
{
	struct nwv_span part;
	uint32_t n;

	for (n = 0; guest_part(c, r, n, &part); n++)
		if (part.start < end && start < part.end)
			return 1;
	return 0;
}

/* ---- judging
 * ------------------------------------------------------------------ */

struct mapped {
	struct nwv_mark begin;
	uint16_t root;
	uint8_t is_found;
};

static void judge_mapped(struct nwv_check *c, const struct nwv_shape *s,
			 unsigned level, uint64_t ia, uint64_t e,
			 const struct mapped *m)
{
	struct nwv_facts f = {
		.on = NWV_ON_MAPPED,
		.event = c->now,
		.shape = s,
		.ia = ia,
		.before = e,
		.after = e,
		.level = level,
		.pa = c->root[m->root].pa,
		.meets_removed = 1,
		.range = m->begin,
	};

	nwv_judge(c, &f);
}

static int found_mapped(struct nwv_check *c, const struct nwv_shape *s,
			unsigned level, uint64_t ia, uint64_t e, void *arg)
{
	struct mapped *m = arg;

	m->is_found = 1;
	judge_mapped(c, s, level, ia, e, m);
	return 0; /* one says it */
}

static void expect_empty(struct nwv_check *c, uint16_t root,
			 const struct nwv_range *r, const struct nwv_span *part)
{
	struct mapped m = {.begin = r->begin, .root = root};

	nwv_each_leaf(c, root, part->start, part->end, found_mapped, &m);
}

/* ---- what empties a range
 * ------------------------------------------------------- */

static int slots_made(struct nwv_check *c)
{
	if (!c->slots)
		c->slots = nwv_make(c, sizeof(*c->slots));
	return c->slots != NULL;
}

static void note_emptied(struct nwv_check *c, uint16_t root,
			 const struct nwv_range *r, const struct nwv_span *part)
{
	struct nwv_slots *s = c->slots;

	if (nwv_room(c, (void **)&s->emptied, &s->emptied_room, s->emptieds,
		     sizeof(*s->emptied)))
		return;
	s->emptied[s->emptieds++] =
		(struct nwv_emptied){r->begin, part->start, part->end, root};
}

void nwv_slot_return(struct nwv_check *c, const struct nwv_op *op,
		     const struct nwv_event *e)
{
	unsigned i, opened = c->notify ? c->notify->opened : 0;
	struct nwv_span part;
	uint32_t n;

	for (i = 0; i < opened; i++) {
		struct nwv_range *r = &c->notify->open[i];

		if (!r->is_drained || r->begin.cpu != e->cpu)
			continue;
		r->has_ops = 1;
		if (op->op != NW_OP_UNMAP || (e->c >> 16 & 0xff) || !op->root ||
		    !is_of_guests(&c->root[op->root]) || !slots_made(c))
			continue;
		for (n = 0; guest_part(c, r, n, &part); n++) {
			if (part.start < op->start)
				part.start = op->start;
			if (part.end > op->end)
				part.end = op->end;
			if (part.start >= part.end)
				continue;
			r->is_removed = 1;
			expect_empty(c, op->root, r, &part);
			note_emptied(c, op->root, r, &part);
		}
	}
}

/* The only table of a guest; 0: none, or several. */
static uint16_t only_guest(const struct nwv_check *c)
{
	uint16_t found = 0;
	uint32_t i;

	for (i = 1; i <= c->roots; i++) {
		if (!is_of_guests(&c->root[i]))
			continue;
		if (found)
			return 0;
		found = (uint16_t)i;
	}
	return found;
}

void nwv_slot_closed(struct nwv_check *c, struct nwv_range *r,
		     const struct nwv_event *e)
{
	uint16_t root = only_guest(c);
	struct nwv_span part;
	uint32_t n, i;

	(void)e;
	if (r->is_drained && !r->is_in_place && (!r->has_ops || r->is_removed))
		for (n = 0; root && guest_part(c, r, n, &part); n++)
			expect_empty(c, root, r, &part);
	for (i = 0; c->slots && i < c->slots->emptieds;)
		if (c->slots->emptied[i].begin.seq == r->begin.seq)
			c->slots->emptied[i] =
				c->slots->emptied[--c->slots->emptieds];
		else
			i++;
}

void nwv_slot_leaf(struct nwv_check *c, const struct nwv_page *p,
		   unsigned index, uint64_t value)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	uint64_t ia = nwv_entry_ia(c, p, index);
	uint64_t end = ia + (UINT64_C(1) << nwv_span_lg2(s, p->level));
	unsigned i, opened = c->notify->opened;

	if (!is_of_guests(&c->root[p->root]))
		return;
	for (i = 0; i < opened; i++) {
		struct nwv_range *r = &c->notify->open[i];

		if (r->begin.cpu == c->now->cpu && is_in_guest(c, r, ia, end))
			r->is_in_place = 1;
	}
	for (i = 0; c->slots && i < c->slots->emptieds; i++) {
		const struct nwv_emptied *x = &c->slots->emptied[i];
		struct mapped m = {.begin = x->begin, .root = p->root};

		if (x->root == p->root && x->start < end && ia < x->end) {
			judge_mapped(c, s, p->level, ia, value, &m);
			return;
		}
	}
}

/* ---- events
 * --------------------------------------------------------------------- */

void nwv_step_slot(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_slots *s;
	uint32_t i;

	if (e->a >= e->b) {
		malformed(c, "slot: range is empty", e->a);
		return;
	}
	if (!slots_made(c))
		return;
	s = c->slots;
	s->was_told = 1;
	if (e->kind == NW_EV_SLOT_ADD) {
		if (!nwv_room(c, (void **)&s->slot, &s->slot_room, s->slots,
			      sizeof(*s->slot)))
			s->slot[s->slots++] =
				(struct nwv_slot){e->a, e->b, e->c};
		return;
	}
	for (i = 0; i < s->slots; i++)
		if (s->slot[i].start == e->a && s->slot[i].end == e->b &&
		    s->slot[i].guest == e->c) {
			s->slot[i] = s->slot[--s->slots];
			return;
		}
	malformed(c, "slot_remove: no such slot was added", e->a);
}

/* SLEEP and RETRY. */
void nwv_step_handler(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_facts f = {.on = NWV_ON_HANDLER, .event = e};
	unsigned i, opened = c->notify ? c->notify->opened : 0;

	for (i = 0; i < opened && e->kind == NW_EV_SLEEP; i++) {
		const struct nwv_range *r = &c->notify->open[i];

		if (!r->is_atomic || r->begin.cpu != e->cpu)
			continue;
		f.is_atomic = 1;
		f.range = r->begin;
	}
	if (f.is_atomic || e->kind == NW_EV_RETRY)
		nwv_judge(c, &f);
}

void nwv_slots_free(struct nwv_check *c)
{
	if (!c->slots)
		return;
	free(c->slots->slot);
	free(c->slots->emptied);
	free(c->slots);
}
