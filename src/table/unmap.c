/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unmapping: split what sticks out, then clear. A subtree that lies inside the
 * range is dropped by taking the one entry above it.
 *
 * One writer clears with plain stores and flushes once. Beside other writers
 * each entry is first locked, and opened again when its flush is complete
 * (take.c); what another operation holds is waited for, or stolen where its
 * whole span goes.
 */
#include "contig.h"
#include "retire.h"

/* ---- one writer -------------------------------------------------------- */

enum unmap_step { UNMAP_CLEARED, UNMAP_HOLE, UNMAP_TABLE };

/* So that the loop without telling has nothing of the other. */
#define UNMAP_LOOP static inline __attribute__((always_inline))

/* *e: what was cleared, hardware's last update included. */
UNMAP_LOOP enum unmap_step unmap_entry(const struct nw_geometry *geo,
				       unsigned level, nw_pteref_t ref,
				       nw_entry_t *e)
{
	*e = nw_entry_read(ref);
	if (!nwf_is_valid(*e)) {
		if (*e != NWF_EMPTY)
			nw_entry_set_exclusive(ref, *e, NWF_EMPTY);
		return UNMAP_HOLE;
	}
	if (nwf_is_table(level, *e))
		return UNMAP_TABLE;
	if (!nwf_leaf_hw_writable(geo, *e))
		nw_entry_set_exclusive(ref, *e, NWF_EMPTY);
	else
		while (!nw_entry_try_replace(ref, e, NWF_EMPTY))
			; /* hardware's update came between */
	return UNMAP_CLEARED;
}

/* Noted with its flush at once: when the list is full, it is told. */
static void unmap_note(struct nw_batch *b, unsigned level, uint64_t start,
		       uint64_t end, nw_entry_t e)
{
	nw_flush_add(&b->flush, start, end, 1u << level, 0);
	if (!nwf_leaf_is_dirty(&b->owner.t->geo, e))
		return;
	nw_run_widen(b->owner.t, level, e, &start, &end);
	NW_FN(batch_note_dirty)(b, start, end);
}

/* Clear leaves and pass holes in this page; stops at a table. */
UNMAP_LOOP void unmap_entries(struct nw_iter *it, struct nw_batch *b,
			      const int tells)
{
	const struct nw_geometry geo = it->t->geo; /* a copy stays in registers */
	unsigned span_lg2 = nw_span_lg2(&geo, it->level);
	uint64_t base = nw_iter_base(it); /* a hole may begin before */
	nw_pteref_t first = nw_iter_ref(it);
	enum unmap_step step = UNMAP_HOLE;
	unsigned n = nw_iter_run(it);
	unsigned i = 0, from;
	nw_entry_t e;
	uint64_t addr;

	while (i < n && step != UNMAP_TABLE) {
		for (from = i; i < n; i++) {
			step = unmap_entry(&geo, it->level,
					   nw_pteref_index(first, i), &e);
			if (step != UNMAP_CLEARED)
				break;
			if (tells)
				unmap_note(b, it->level,
					   base + ((uint64_t)i << span_lg2),
					   base + ((i + 1ull) << span_lg2), e);
		}
		if (!tells && i > from)
			nw_flush_add(&b->flush,
				     base + ((uint64_t)from << span_lg2),
				     base + ((uint64_t)i << span_lg2),
				     1u << it->level, 0);
		if (step == UNMAP_HOLE)
			i++;
	}
	addr = base + ((uint64_t)i << span_lg2);
	nw_iter_goto(it, addr < it->end ? addr : it->end);
}

static void unmap_run(struct nw_iter *it, struct nw_batch *b)
{
	unmap_entries(it, b, 0);
}

static void unmap_run_telling(struct nw_iter *it, struct nw_batch *b)
{
	unmap_entries(it, b, 1);
}

static void unmap_range(struct nw_batch *b, uint64_t start, uint64_t end)
{
	struct nw_table *t = b->owner.t;
	struct nw_iter it;

	/* ORD-06: left before the grace period, at the end. */
	nw_section_enter(t);
	nw_iter_start(&it, t, start, end);
	while (nw_iter_more(&it)) {
		nw_pteref_t ref = nw_iter_ref(&it);
		nw_entry_t e = nw_entry_read(ref);

		if (nwf_kind(&t->geo, it.level, e) != NW_ENTRY_TABLE) {
			if (b->tell.dirty)
				unmap_run_telling(&it, b);
			else
				unmap_run(&it, b);
			continue;
		}
		if (!nw_iter_covers(&it)) {
			nw_iter_down(&it, e);
			continue;
		}
		nw_entry_set_exclusive(ref, e, NWF_EMPTY);
		NW_FN(batch_add_table)(b, ref, e, it.level, it.addr);
		if (nw_batch_dead_full(b)) {
			uint64_t next = nw_iter_next_base(&it);

			/* The readers' section must end before a grace period
			 * can: leave it while nothing is held (ORD-06). */
			nw_section_leave(t);
			NW_FN(batch_free)(b);
			/* ORD-06: from a fresh cursor, nothing of before is used. */
			nw_section_enter(t);
			nw_iter_start(&it, t, next, end);
			continue;
		}
		nw_iter_step(&it);
	}
	nw_section_leave(t); /* ORD-06 */
	NW_FN(batch_free)(b);
}

/* Apart from the other: each has its batch on the stack. */
static __attribute__((noinline)) void
unmap_alone(struct nw_table *t, uint64_t start, uint64_t end, nw_range_fn dirty,
	    void *arg, struct nw_gather *g)
{
	struct nw_batch batch;

	nw_batch_begin(&batch, t);
	batch.gather = g;
	batch.tell.dirty = dirty;
	batch.tell.arg = arg;
	unmap_range(&batch, start, end);
}

/* ---- beside other writers ---------------------------------------------- */

static __attribute__((noinline)) enum nw_status
unmap_shared(struct nw_table *t, uint64_t start, uint64_t end,
	     nw_range_fn dirty, void *arg, struct nw_page_cache *cache,
	     struct nw_gather *g, struct nw_result *result)
{
	struct nw_take take;

	nw_batch_begin(&take.batch, t);
	take.batch.gather = g;
	take.batch.tell.dirty = dirty;
	take.batch.tell.arg = arg;
	take.cache = cache;
	take.start = start;
	take.end = end;
	take.what = NW_TAKE_ALL & ~NW_TAKE_EMPTY;
	take.otherwise = NW_OK;
	take.only = NWF_EMPTY;
	take.put = NW_PUT_EMPTY;
	return NW_FN(take_range)(&take, result);
}

/* ---- the operation ----------------------------------------------------- */

static enum nw_status unmap_checked(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, nw_range_fn dirty,
				    void *arg, struct nw_page_cache *cache,
				    struct nw_gather *g,
				    struct nw_result *result)
{
	uint64_t end = ia.v + size_bytes;
	enum nw_status status;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	nw_op_begin(t, NW_OP_UNMAP, ia.v, end);
	status = NW_FN(split_edges)(t, ia.v, end, cache, result);
	if (!status && t->mode == NW_MODE_SHARED) {
		status = unmap_shared(t, ia.v, end, dirty, arg, cache, g,
				      result);
	} else if (!status) {
		unmap_alone(t, ia.v, end, dirty, arg, g);
		nw_report(result, NW_OK, end, 0, 0);
	}
	nw_op_end_gathered(t, NW_OP_UNMAP, ia.v, end, status, g);
	return status;
}

enum nw_status NW_FN(unmap_dirty)(struct nw_table *t, nw_ia_t ia,
				  uint64_t size_bytes, nw_range_fn dirty,
				  void *arg, struct nw_page_cache *cache,
				  struct nw_result *result)
{
	return unmap_checked(t, ia, size_bytes, dirty, arg, cache, NULL,
			     result);
}

enum nw_status NW_FN(unmap_gather)(struct nw_table *t, nw_ia_t ia,
				   uint64_t size_bytes,
				   struct nw_page_cache *cache,
				   struct nw_gather *g,
				   struct nw_result *result)
{
	return unmap_checked(t, ia, size_bytes, NULL, NULL, cache, g, result);
}

enum nw_status NW_FN(unmap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    struct nw_page_cache *cache,
			    struct nw_result *result)
{
	return NW_FN(unmap_dirty)(t, ia, size_bytes, NULL, NULL, cache, result);
}
