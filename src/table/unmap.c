/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unmapping: split what sticks out, then clear. A subtree that lies inside the
 * range is dropped by taking the one entry above it.
 *
 * One writer clears with plain stores and flushes once. Beside other writers
 * each entry is first locked, and opened again when its flush is complete
 * (retire.h); what another operation holds is waited for, or stolen where its
 * whole span goes.
 */
#include "retire.h"

/* ---- one writer -------------------------------------------------------- */

enum unmap_step { UNMAP_CLEARED, UNMAP_HOLE, UNMAP_TABLE };

static enum unmap_step unmap_entry(const struct nw_geometry *geo,
				   unsigned level, nw_pteref_t ref)
{
	nw_entry_t e = nw_entry_read(ref);

	if (!nwf_is_valid(e)) {
		if (e != NWF_EMPTY)
			nw_entry_set_exclusive(ref, e, NWF_EMPTY);
		return UNMAP_HOLE;
	}
	if (nwf_is_table(level, e))
		return UNMAP_TABLE;
	if (!nwf_leaf_hw_writable(geo, e))
		nw_entry_set_exclusive(ref, e, NWF_EMPTY);
	else
		while (!nw_entry_try_replace(ref, &e, NWF_EMPTY))
			; /* hardware's update came between */
	return UNMAP_CLEARED;
}

/* Clear leaves and pass holes in this page; stops at a table. */
static void unmap_run(struct nw_iter *it, struct nw_flush *flush)
{
	const struct nw_geometry geo = it->t->geo; /* a copy stays in registers */
	unsigned span_lg2 = nw_span_lg2(&geo, it->level);
	uint64_t base = nw_iter_base(it); /* a hole may begin before */
	nw_pteref_t first = nw_iter_ref(it);
	enum unmap_step step = UNMAP_HOLE;
	unsigned n = nw_iter_run(it);
	unsigned i = 0, from;
	uint64_t addr;

	while (i < n && step != UNMAP_TABLE) {
		for (from = i; i < n; i++) {
			step = unmap_entry(&geo, it->level,
					   nw_pteref_index(first, i));
			if (step != UNMAP_CLEARED)
				break;
		}
		if (i > from)
			nw_flush_add(flush, base + ((uint64_t)from << span_lg2),
				     base + ((uint64_t)i << span_lg2),
				     1u << it->level, 0);
		if (step == UNMAP_HOLE)
			i++;
	}
	addr = base + ((uint64_t)i << span_lg2);
	nw_iter_goto(it, addr < it->end ? addr : it->end);
}

static void unmap_alone(struct nw_batch *b, uint64_t start, uint64_t end)
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
			unmap_run(&it, &b->flush);
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

/* ---- beside other writers ---------------------------------------------- */

enum claim {
	CLAIM_DONE,  /* the entry is ours, or empty */
	CLAIM_FULL,  /* the batch is */
	CLAIM_TABLE, /* a table that lies in the range in part */
	CLAIM_EDGE,  /* a leaf or annotation that does: to be split */
	CLAIM_BUSY,  /* held by another operation, and not ours to steal */
};

/*
 * Take the entry out of the table: *e is what stood there, NWF_EMPTY when there
 * is nothing to flush. is_covered: the range covers its whole span.
 */
static enum claim claim_entry(struct nw_batch *b, unsigned level,
			      nw_pteref_t ref, int is_covered, nw_entry_t *e)
{
	struct nw_table *t = b->owner.t;

	*e = nw_entry_read(ref);
	for (;;) {
		if (*e == NWF_EMPTY)
			return CLAIM_DONE;
		if (*e == nwf_frozen() || (!is_covered && nwf_is_locked(*e)))
			return CLAIM_BUSY;
		if (!is_covered)
			return nwf_is_table(level, *e) ? CLAIM_TABLE
						       : CLAIM_EDGE;
		if (nwf_is_locked(*e)) {
			if (!nw_entry_steal(ref, e, nw_owner_token(&b->owner)))
				continue;
			nw_stat_add(t, &t->stats.steals, 1);
			return CLAIM_DONE;
		}
		if (nwf_is_valid(*e)) {
			if (nw_entry_lock(ref, e, nw_owner_token(&b->owner)))
				return CLAIM_DONE;
			continue;
		}
		/* An annotation: no TLB holds it. */
		if (nw_entry_try_replace(ref, e, NWF_EMPTY)) {
			*e = NWF_EMPTY;
			return CLAIM_DONE;
		}
	}
}

/* A leaf, or what a stolen lock hides, which may be anything. */
static void claim_note(struct nw_batch *b, struct nw_claim *run,
		       nw_pteref_t ref, unsigned level, nw_entry_t e,
		       uint64_t base)
{
	const struct nw_table *t = b->owner.t;
	int was_locked = nwf_is_locked(e);

	nw_flush_add(&b->flush, base, base + nw_span_bytes(t, level),
		     was_locked ? nw_levels_below(t, level + 1) : 1u << level,
		     was_locked && level);
	if (!run->entries)
		*run = (struct nw_claim){.first = ref, .level = (uint8_t)level};
}

/*
 * Claim entries of the page under the cursor until something is in the way;
 * the cursor stands there, *e is what it was.
 */
static enum claim claim_page(struct nw_batch *b, struct nw_iter *it,
			     nw_entry_t *e)
{
	const uint64_t span = nw_span_bytes(it->t, it->level);
	const uint64_t base = nw_iter_base(it);
	const nw_pteref_t first = nw_iter_ref(it);
	const unsigned level = it->level, n = nw_iter_run(it);
	struct nw_claim run = {.entries = 0};
	enum claim what = CLAIM_DONE;
	unsigned i, from = 0;

	for (i = 0; i < n; i++) {
		nw_pteref_t ref = nw_pteref_index(first, i);
		uint64_t at = base + i * span;

		if (nw_batch_claims_full(b)) {
			what = CLAIM_FULL;
			break;
		}
		what = claim_entry(b, level, ref,
				   at >= it->addr && it->end - at >= span, e);
		if (what != CLAIM_DONE)
			break;
		if (*e == NWF_EMPTY)
			continue;
		if (!nwf_is_table(level, *e)) {
			claim_note(b, &run, ref, level, *e, at);
			if (!run.entries)
				from = i;
			run.entries = (uint16_t)(i - from + 1);
			continue;
		}
		/* It is opened when it is frozen, not with the run. */
		if (run.entries)
			b->claim[b->claims++] = run;
		run.entries = 0;
		NW_FN(batch_add_table)(b, ref, *e, level, at);
	}
	if (run.entries)
		b->claim[b->claims++] = run;
	if (i)
		nw_iter_goto(it, it->end - base > i * span ? base + i * span
							   : it->end);
	return what;
}

static enum claim claim_range(struct nw_batch *b, struct nw_iter *it,
			      nw_entry_t *e)
{
	while (nw_iter_more(it)) {
		enum claim what = claim_page(b, it, e);

		if (what == CLAIM_TABLE)
			nw_iter_down(it, *e);
		else if (what != CLAIM_DONE)
			return what;
	}
	return CLAIM_DONE;
}

static enum nw_status unmap_shared(struct nw_batch *b, uint64_t start,
				   uint64_t end, struct nw_page_cache *cache,
				   struct nw_result *result)
{
	struct nw_table *t = b->owner.t;
	struct nw_patience patience = {0};
	nw_entry_t e = NWF_EMPTY;
	enum claim what;
	struct nw_iter it;

	do {
		enum nw_status status = NW_OK;

		/* ORD-06: what is claimed stays allocated until it is opened,
		 * and the section ends before the grace period. */
		nw_section_enter(t);
		nw_iter_start(&it, t, start, end);
		what = claim_range(b, &it, &e);
		NW_FN(batch_settle)(b);
		nw_section_leave(t); /* ORD-06 */
		start = it.addr;
		if (what != CLAIM_FULL || b->dead_count > NW_DEAD_MAX / 2)
			NW_FN(batch_free)(b);
		if (what == CLAIM_EDGE)
			status = NW_FN(split_edges)(t, start, end, cache,
						    result);
		if (status)
			return nw_report(result, status, start, it.level, e);
		if (what > CLAIM_FULL && !nw_retry(t, &patience))
			return nw_report(result, NW_E_BUSY, start, it.level, e);
	} while (what != CLAIM_DONE);
	return nw_report(result, NW_OK, end, 0, 0);
}

/* ---- the operation ----------------------------------------------------- */

enum nw_status NW_FN(unmap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    struct nw_page_cache *cache,
			    struct nw_result *result)
{
	uint64_t end = ia.v + size_bytes;
	enum nw_status status;
	struct nw_batch batch;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	nw_op_begin(t, NW_OP_UNMAP, ia.v, end);
	status = NW_FN(split_edges)(t, ia.v, end, cache, result);
	if (!status) {
		nw_batch_begin(&batch, t);
		if (t->mode == NW_MODE_SHARED) {
			status = unmap_shared(&batch, ia.v, end, cache, result);
		} else {
			unmap_alone(&batch, ia.v, end);
			nw_report(result, NW_OK, end, 0, 0);
		}
	}
	nw_op_end(t, NW_OP_UNMAP, ia.v, end, status);
	return status;
}
