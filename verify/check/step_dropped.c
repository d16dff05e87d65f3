/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves that were dropped with their table while their range was logged.
 * Hardware may mark them until the drop is flushed; after that, and before the
 * page is freed, somebody must look at each.
 */
#include "track.h"

/* May hardware mark it, or has it? */
static int is_tracked(const struct nwv_shape *s, unsigned level, uint64_t e,
		      int *is_dirty)
{
	struct nwv_leaf leaf;

	*is_dirty = 0;
	if (nwv_kind(s, level, e) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, e, &leaf);
	*is_dirty = nwv_leaf_is_dirty(s, &leaf);
	return nwv_leaf_is_tracked(s, &leaf) || *is_dirty;
}

static uint64_t span_of(const struct nwv_check *c, const struct nwv_page *p)
{
	return UINT64_C(1) << nwv_span_lg2(&c->root[p->root].shape, p->level);
}

/* A leaf of this page that must be looked at; NWV_FRAME_ENTRIES: none. */
static unsigned next_tracked(const struct nwv_check *c,
			     const struct nwv_page *p, unsigned from)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	uint64_t span = span_of(c, p);
	int is_dirty;

	for (; from < NWV_FRAME_ENTRIES; from++) {
		uint64_t ia = p->ia + from * span;

		if (is_tracked(s, p->level, p->entry[from], &is_dirty) &&
		    nwv_log_covers(c, p->root, ia, ia + span))
			break;
	}
	return from;
}

static struct nwv_dropped *dropped_at(const struct nwv_check *c, uint64_t pa)
{
	uint32_t n = c->logs ? nwv_map_get(&c->logs->dropped_by_pa, pa) : 0;

	return n ? &c->logs->dropped[n] : NULL;
}

void nwv_log_dropped(struct nwv_check *c, struct nwv_page *p)
{
	struct nwv_logs *logs = c->logs;
	uint32_t n;

	if (!logs || next_tracked(c, p, 0) == NWV_FRAME_ENTRIES)
		return;
	n = logs->dropped_free;
	if (n) {
		logs->dropped_free = (uint32_t)logs->dropped[n].seen[0];
	} else {
		n = logs->droppeds + 1;
		if (nwv_room(c, (void **)&logs->dropped, &logs->dropped_room, n,
			     sizeof(*logs->dropped)))
			return;
		logs->droppeds = n;
	}
	logs->dropped[n] =
		(struct nwv_dropped){.since = nwv_mark_of(c->now), .pa = p->pa};
	if (nwv_map_put(&logs->dropped_by_pa, p->pa, n))
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
}

void nwv_log_seen(struct nwv_check *c, struct nwv_page *p, unsigned index,
		  uint64_t value)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	struct nwv_dropped *d = dropped_at(c, p->pa);
	uint64_t ia = nwv_entry_ia(c, p, index);
	struct nwv_op *op;
	int is_dirty;

	/* Hardware may still mark it. */
	if (!d || nwv_page_flush_owed(c, p))
		return;
	d->seen[index / 64] |= UINT64_C(1) << (index % 64);
	if (!is_tracked(s, p->level, value, &is_dirty) || !is_dirty)
		return;
	op = nwv_op_on(c, c->now->cpu, p->root);
	nwv_log_owe(c, p->root, op, ia, ia + span_of(c, p), NWV_UNLOGGED_DIRTY);
}

static void judge_unseen(struct nwv_check *c, const struct nwv_page *p,
			 const struct nwv_dropped *d, unsigned index)
{
	struct nwv_facts f = {
		.on = NWV_ON_LOG,
		.event = c->now,
		.shape = &c->root[p->root].shape,
		.ia = nwv_entry_ia(c, p, index),
		.before = p->entry[index],
		.after = p->entry[index],
		.level = p->level,
		.pa = p->pa,
		.unlogged = NWV_UNREAD_DROPPED,
		.written = d->since,
	};

	nwv_judge(c, &f);
}

void nwv_log_freed(struct nwv_check *c, struct nwv_page *p)
{
	struct nwv_dropped *d = dropped_at(c, p->pa);
	unsigned i;

	if (!d)
		return;
	for (i = next_tracked(c, p, 0); i < NWV_FRAME_ENTRIES;
	     i = next_tracked(c, p, i + 1))
		if (!(d->seen[i / 64] >> (i % 64) & 1)) {
			judge_unseen(c, p, d, i);
			break;
		}
	nwv_map_del(&c->logs->dropped_by_pa, p->pa);
	*d = (struct nwv_dropped){.seen = {c->logs->dropped_free}};
	c->logs->dropped_free = (uint32_t)(d - c->logs->dropped);
}
