/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirty logs. A range is armed once nothing in it can be written unseen: its
 * write-protect is flushed, or nothing was writable when the log was started.
 * From then on a write, the right to write, and hardware's mark of one must
 * all reach the log: at the latest when the log stops, and before the entry
 * that shows it changes again.
 *
 * What is in the log and still writable may be written again: it is in the log.
 */
#include "track.h"

#include <stdlib.h>

#define FRAME (UINT64_C(1) << NWV_FRAME_LG2)

/* ---- leaves ---------------------------------------------------------------
 */

int nwv_leaf_is_tracked(const struct nwv_shape *s, const struct nwv_leaf *leaf)
{
	if (s->decoder) /* the dirty bit */
		return (leaf->rights & NWV_W) != 0;
	return (s->features & NW_FEAT_HD) && leaf->has_dbm;
}

int nwv_leaf_is_dirty(const struct nwv_shape *s, const struct nwv_leaf *leaf)
{
	if (s->decoder)
		return leaf->is_dirty;
	return nwv_leaf_is_tracked(s, leaf) && (leaf->rights & NWV_W);
}

/* Was it written, or can it be, without a mark? */
static int shows_write(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	struct nwv_leaf leaf;

	if (nwv_kind(s, level, e) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, e, &leaf);
	return nwv_leaf_is_tracked(s, &leaf) ? nwv_leaf_is_dirty(s, &leaf)
					     : (leaf.rights & NWV_W) != 0;
}

static int shows_dirty(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	struct nwv_leaf leaf;

	if (nwv_kind(s, level, e) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, e, &leaf);
	return nwv_leaf_is_dirty(s, &leaf);
}

/* ---- logs -------------------------------------------------------------------
 */

static int is_armed(const struct nwv_log *l, uint64_t start, uint64_t end)
{
	uint32_t i;

	for (i = 0; i < l->armeds; i++)
		if (l->armed[i].start < end && start < l->armed[i].end)
			return 1;
	return 0;
}

static void arm(struct nwv_check *c, struct nwv_log *l, uint64_t start,
		uint64_t end)
{
	uint32_t i;

	if (start < l->start)
		start = l->start;
	if (end > l->end)
		end = l->end;
	if (start >= end)
		return;
	/* One span in the place of all that it meets. */
	for (i = 0; i < l->armeds;) {
		struct nwv_span *a = &l->armed[i];

		if (a->start > end || start > a->end) {
			i++;
			continue;
		}
		start = a->start < start ? a->start : start;
		end = a->end > end ? a->end : end;
		*a = l->armed[--l->armeds];
	}
	if (!nwv_room(c, (void **)&l->armed, &l->armed_room, l->armeds,
		      sizeof(*l->armed)))
		l->armed[l->armeds++] = (struct nwv_span){start, end};
}

int nwv_log_covers(const struct nwv_check *c, uint16_t root, uint64_t start,
		   uint64_t end)
{
	uint32_t i;

	for (i = 0; c->logs && i < c->logs->logs; i++)
		if (c->logs->log[i].root == root &&
		    is_armed(&c->logs->log[i], start, end))
			return 1;
	return 0;
}

/* ---- items
 * -------------------------------------------------------------------- */

static void item_less(struct nwv_log *l, uint32_t n)
{
	struct nwv_unlogged_item *item = &l->item[n];

	if (--item->frames)
		return;
	item->next = l->item_free;
	l->item_free = n;
}

static uint32_t item_new(struct nwv_check *c, struct nwv_log *l)
{
	uint32_t n = l->item_free;

	if (n) {
		l->item_free = l->item[n].next;
		return n;
	}
	n = l->items + 1;
	if (nwv_room(c, (void **)&l->item, &l->item_room, n, sizeof(*l->item)))
		return 0;
	l->items = n;
	return n;
}

static void frame_set(struct nwv_check *c, struct nwv_log *l, uint64_t frame,
		      uint32_t value)
{
	uint32_t was = nwv_map_get(&l->frame, frame);

	if (was && was != NWV_FRAME_LOGGED)
		item_less(l, was);
	if (!value)
		nwv_map_del(&l->frame, frame);
	else if (nwv_map_put(&l->frame, frame, value))
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
}

/* A write of what is in the log and writable needs no more; a mark that went
 * may stand for a later write. */
static void owe_in(struct nwv_check *c, struct nwv_log *l, struct nwv_op *op,
		   uint64_t start, uint64_t end, enum nwv_unlogged why)
{
	struct nwv_unlogged_item item = {
		.since = nwv_mark_of(c->now), .ia = start, .why = (uint8_t)why};
	uint32_t n = 0, was;
	uint64_t a;

	if (op && why == NWV_UNLOGGED_DIRTY) {
		item.has_op = op->has_due = 1;
		item.cpu = op->begin.cpu;
		item.op_seq = op->begin.seq;
	}
	for (a = start & ~(FRAME - 1); a < end && !c->stopped; a += FRAME) {
		was = nwv_map_get(&l->frame, a >> NWV_FRAME_LG2);
		if (!is_armed(l, a, a + FRAME) ||
		    (was && why == NWV_UNLOGGED_WRITE))
			continue;
		if (!n) {
			n = item_new(c, l);
			if (!n)
				return;
			l->item[n] = item;
		}
		l->item[n].frames++;
		frame_set(c, l, a >> NWV_FRAME_LG2, n);
	}
}

void nwv_log_owe(struct nwv_check *c, uint16_t root, struct nwv_op *op,
		 uint64_t start, uint64_t end, enum nwv_unlogged why)
{
	uint32_t i;

	for (i = 0; c->logs && i < c->logs->logs; i++) {
		struct nwv_log *l = &c->logs->log[i];

		if (l->root == root && is_armed(l, start, end))
			owe_in(c, l, op, start > l->start ? start : l->start,
			       end < l->end ? end : l->end, why);
	}
}

/* Frames that the log knows in [start, end): set them to `value`, those that
 * fn wants. */
typedef int frame_fn(const struct nwv_check *c, const struct nwv_log *l,
		     uint64_t ia);

static void frames_set(struct nwv_check *c, struct nwv_log *l, uint64_t start,
		       uint64_t end, frame_fn *fn, uint32_t value)
{
	uint64_t first = start >> NWV_FRAME_LG2,
		 last = (end - 1) >> NWV_FRAME_LG2;
	uint64_t *key, f;
	uint32_t n = 0, i;

	if (!l->frame.count)
		return;
	if (last - first < UINT64_C(1) << l->frame.capacity_lg2) {
		for (f = first; f <= last; f++)
			if (nwv_map_get(&l->frame, f) &&
			    (!fn || fn(c, l, f << NWV_FRAME_LG2)))
				frame_set(c, l, f, value);
		return;
	}
	key = calloc(l->frame.count, sizeof(*key));
	if (!key) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return;
	}
	for (i = 0; i < UINT32_C(1) << l->frame.capacity_lg2; i++)
		if (l->frame.slot[i].value && l->frame.slot[i].key >= first &&
		    l->frame.slot[i].key <= last)
			key[n++] = l->frame.slot[i].key;
	for (i = 0; i < n; i++)
		if (!fn || fn(c, l, key[i] << NWV_FRAME_LG2))
			frame_set(c, l, key[i], value);
	free(key);
}

/* ---- judging
 * ---------------------------------------------------------------------- */

static void judge_item(struct nwv_check *c, struct nwv_log *l, uint32_t n)
{
	struct nwv_unlogged_item *item = &l->item[n];
	const struct nwv_shape *s = &c->root[l->root].shape;
	unsigned level;
	uint64_t e = nwv_look(c, l->root, item->ia, &level);
	struct nwv_facts f = {
		.on = NWV_ON_LOG,
		.event = c->now,
		.shape = s,
		.ia = item->ia,
		.before = e,
		.after = e,
		.level = level,
		.pa = c->root[l->root].pa,
		.unlogged = item->why,
		.written = item->since,
	};

	nwv_judge(c, &f);
}

/* All of an item: taken as logged. */
static void item_done(struct nwv_check *c, struct nwv_log *l, uint32_t n)
{
	uint64_t f = l->item[n].ia >> NWV_FRAME_LG2;

	/* Its frames follow each other, with gaps where others stand. */
	for (; l->item[n].frames && !c->stopped; f++)
		if (nwv_map_get(&l->frame, f) == n)
			frame_set(c, l, f, NWV_FRAME_LOGGED);
}

/* Hardware's mark is in the entries that came after: nothing is lost. */
static int survives(const struct nwv_check *c, const struct nwv_log *l,
		    const struct nwv_unlogged_item *item, uint32_t n)
{
	uint64_t f = item->ia >> NWV_FRAME_LG2;
	uint32_t left = item->frames;
	unsigned level;
	uint64_t e;

	for (; left; f++) {
		if (nwv_map_get(&l->frame, f) != n)
			continue;
		e = nwv_look(c, l->root, f << NWV_FRAME_LG2, &level);
		if (!shows_dirty(&c->root[l->root].shape, level, e))
			return 0;
		left--;
	}
	return 1;
}

static void return_due(struct nwv_check *c, struct nwv_log *l,
		       const struct nwv_op *op)
{
	uint32_t n;

	for (n = 1; n <= l->items; n++) {
		struct nwv_unlogged_item *item = &l->item[n];

		if (!item->frames || !item->has_op ||
		    item->cpu != op->begin.cpu || item->op_seq != op->begin.seq)
			continue;
		item->has_op = 0;
		if (survives(c, l, item, n)) {
			item->why = NWV_UNLOGGED_WRITE;
			continue;
		}
		judge_item(c, l, n);
		item_done(c, l, n);
	}
}

static int is_protected(const struct nwv_check *c, const struct nwv_log *l,
			uint64_t ia)
{
	unsigned level;
	uint64_t e = nwv_look(c, l->root, ia, &level);

	return !shows_write(&c->root[l->root].shape, level, e);
}

/* The write-protect of [start, end) is over: what was owed for it is lost. */
static void protected(struct nwv_check *c, struct nwv_log *l, uint64_t start,
		      uint64_t end)
{
	uint32_t n;

	for (n = 1; n <= l->items; n++) {
		struct nwv_unlogged_item *item = &l->item[n];

		if (!item->frames || item->ia < start || item->ia >= end ||
		    item->has_op || !is_protected(c, l, item->ia))
			continue;
		judge_item(c, l, n);
		item_done(c, l, n);
	}
	frames_set(c, l, start, end, is_protected, 0);
	arm(c, l, start, end);
}

void nwv_log_return(struct nwv_check *c, struct nwv_op *op,
		    const struct nwv_event *e)
{
	uint32_t i;

	for (i = 0; c->logs && op->root && i < c->logs->logs; i++) {
		struct nwv_log *l = &c->logs->log[i];

		if (l->root != op->root)
			continue;
		if (op->has_due)
			return_due(c, l, op);
		if ((op->op == NW_OP_WRITE_PROTECT ||
		     op->op == NW_OP_HARVEST_DIRTY) &&
		    !(e->c >> 16 & 0xff) && op->start < op->end)
		protected(c, l, op->start, op->end);
	}
}

/* ---- what entries and CPUs do
 * --------------------------------------------------- */

void nwv_log_write(struct nwv_check *c, const struct nwv_page *p,
		   unsigned index, uint64_t before, uint64_t after)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	uint64_t ia = nwv_entry_ia(c, p, index);
	uint64_t end = ia + (UINT64_C(1) << nwv_span_lg2(s, p->level));
	struct nwv_op *op;

	if (!c->root[p->root].logs)
		return;
	if (shows_dirty(s, p->level, before) &&
	    !(shows_dirty(s, p->level, after) &&
	      nwv_leaf_pa(s, p->level, before) ==
		      nwv_leaf_pa(s, p->level, after))) {
		op = nwv_op_on(c, c->now->cpu, p->root);
		nwv_log_owe(c, p->root, op, ia, end, NWV_UNLOGGED_DIRTY);
	}
	if (shows_write(s, p->level, after) &&
	    !shows_write(s, p->level, before))
		nwv_log_owe(c, p->root, NULL, ia, end, NWV_UNLOGGED_WRITE);
}

void nwv_step_access(struct nwv_check *c, const struct nwv_event *e)
{
	const struct nwv_cpu *cpu = &c->cpu[e->cpu];
	unsigned regime;

	if (!c->logs || !(e->c & NW_ACCESS_WRITE))
		return;
	for (regime = 0; regime < NWV_REGIMES; regime++)
		if (cpu->installed[regime] &&
		    c->root[cpu->installed[regime]].logs)
			nwv_log_owe(c, cpu->installed[regime], NULL, e->a,
				    e->a + 1, NWV_UNLOGGED_WRITE);
}

/* ---- events
 * -------------------------------------------------------------------------- */

static int is_unwritable(struct nwv_check *c, const struct nwv_shape *s,
			 unsigned level, uint64_t ia, uint64_t e, void *arg)
{
	(void)c;
	(void)ia;
	*(int *)arg |= shows_write(s, level, e);
	return !*(int *)arg;
}

static void log_start(struct nwv_check *c, const struct nwv_event *e,
		      uint16_t root)
{
	struct nwv_logs *logs = c->logs;
	struct nwv_log *l;
	int is_writable = 0;

	if (c->root[root].logs == UINT8_MAX ||
	    nwv_room(c, (void **)&logs->log, &logs->log_room, logs->logs,
		     sizeof(*logs->log)))
		return;
	l = &logs->log[logs->logs++];
	*l = (struct nwv_log){.begin = nwv_mark_of(e),
			      .start = e->a,
			      .end = e->b,
			      .root = root};
	c->root[root].logs++;
	c->watch_write |= NWV_WATCH_LOG;
	nwv_each_leaf(c, root, e->a, e->b, is_unwritable, &is_writable);
	if (!is_writable)
		arm(c, l, e->a, e->b);
}

static void log_stop(struct nwv_check *c, uint32_t at)
{
	struct nwv_logs *logs = c->logs;
	struct nwv_log *l = &logs->log[at];
	uint32_t n;

	for (n = 1; n <= l->items; n++)
		if (l->item[n].frames)
			judge_item(c, l, n);
	c->root[l->root].logs--;
	nwv_map_free(&l->frame);
	free(l->item);
	free(l->armed);
	*l = logs->log[--logs->logs];
	if (!logs->logs)
		c->watch_write &= (uint8_t)~NWV_WATCH_LOG;
}

static void log_dirty(struct nwv_check *c, const struct nwv_event *e,
		      uint16_t root)
{
	uint32_t i;

	for (i = 0; i < c->logs->logs; i++)
		if (c->logs->log[i].root == root)
			frames_set(c, &c->logs->log[i], e->a, e->b, NULL,
				   NWV_FRAME_LOGGED);
}

void nwv_step_log(struct nwv_check *c, const struct nwv_event *e)
{
	uint16_t root = nwv_root_at(c, e->c);
	uint32_t i;

	if (!root || e->a >= e->b) {
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: dirty log: %s (%#llx)",
			 (unsigned long long)e->seq,
			 root ? "range is empty" : "no table has this root",
			 (unsigned long long)(root ? e->a : e->c));
		return;
	}
	if (!c->root[root].is_known)
		return;
	if (!c->logs)
		c->logs = nwv_make(c, sizeof(*c->logs));
	if (!c->logs)
		return;
	if (e->kind == NW_EV_LOG_START)
		log_start(c, e, root);
	if (e->kind == NW_EV_LOG_DIRTY)
		log_dirty(c, e, root);
	if (e->kind != NW_EV_LOG_STOP)
		return;
	for (i = 0; i < c->logs->logs; i++)
		if (c->logs->log[i].root == root &&
		    c->logs->log[i].start == e->a &&
		    c->logs->log[i].end == e->b) {
			log_stop(c, i);
			return;
		}
	nwv_stop(c, NWV_CHECK_MALFORMED,
		 "seq %llu: log_stop: no log of [%#llx, %#llx) was started",
		 (unsigned long long)e->seq, (unsigned long long)e->a,
		 (unsigned long long)e->b);
}

void nwv_log_gone(struct nwv_check *c, uint16_t root)
{
	uint32_t i = c->logs ? c->logs->logs : 0;

	while (i--)
		if (c->logs->log[i].root == root)
			log_stop(c, i);
}

void nwv_log_end(struct nwv_check *c)
{
	while (c->logs && c->logs->logs)
		log_stop(c, c->logs->logs - 1);
}

void nwv_logs_free(struct nwv_check *c)
{
	uint32_t i;

	if (!c->logs)
		return;
	for (i = 0; i < c->logs->logs; i++) {
		nwv_map_free(&c->logs->log[i].frame);
		free(c->logs->log[i].item);
		free(c->logs->log[i].armed);
	}
	free(c->logs->log);
	free(c->logs->dropped);
	nwv_map_free(&c->logs->dropped_by_pa);
	free(c->logs);
}
