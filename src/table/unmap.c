/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unmapping: split what sticks out, then clear. A subtree that lies inside the
 * range is dropped by clearing the one entry above it.
 */
#include "iter.h"

/* Which leaf levels may stand below a table entry of `level`. */
static unsigned levels_below(const struct nw_table *t, unsigned level)
{
	return t->geo.leaf_levels & ((1u << level) - 1);
}

enum unmap_step { UNMAP_CLEARED, UNMAP_HOLE, UNMAP_TABLE };

static enum unmap_step unmap_entry(const struct nw_geometry *geo,
				   unsigned level, nw_pteref_t ref)
{
	nw_entry_t e = nw_entry_read(ref);

	if (!nwf_is_valid(e))
		return UNMAP_HOLE;
	if (nwf_is_table(level, e))
		return UNMAP_TABLE;
	if (nwf_leaf_hw_writable(geo, e))
		(void)nw_entry_break_exclusive(ref, 0);
	else
		nw_entry_set_exclusive(ref, e, 0);
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

static void unmap_commit(struct nw_table *t, struct nw_iter *it)
{
	struct nw_flush flush;

	nw_flush_begin(&flush);
	while (nw_iter_more(it)) {
		nw_pteref_t ref = nw_iter_ref(it);
		nw_entry_t e = nw_entry_read(ref);
		nw_pa_t child;

		if (nwf_kind(&t->geo, it->level, e) != NW_ENTRY_TABLE) {
			unmap_run(it, &flush);
			continue;
		}
		if (!nw_iter_covers(it)) {
			nw_iter_down(it, e);
			continue;
		}
		child = NW_PA(nwf_table_pa(&t->geo, e));
		nw_entry_set_exclusive(ref, e, 0);
		nw_flush_add(&flush, it->addr, nw_iter_next_base(it),
			     levels_below(t, it->level), 1);
		if (nw_flush_add_dead(&flush, child, it->level - 1)) {
			/* The readers' section must end before a grace period
			 * can: leave it while nothing is held (ORD-06). */
			nw_section_leave(t);
			nw_flush_and_free(t, &flush);
			/* ORD-06: from a fresh cursor, nothing of before is used. */
			nw_section_enter(t);
			nw_iter_start(it, t, nw_iter_next_base(it), it->end);
			continue;
		}
		nw_iter_step(it);
	}
	nw_section_leave(t); /* ORD-06 */
	nw_flush_and_free(t, &flush);
}

enum nw_status NW_FN(unmap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    struct nw_page_cache *cache,
			    struct nw_result *result)
{
	uint64_t end = ia.v + size_bytes;
	struct nw_iter it;
	enum nw_status status;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	status = NW_FN(split_edges)(t, ia.v, end, cache, result);
	if (status)
		return status;
	/* ORD-06: left by unmap_commit(), before the grace period. */
	nw_section_enter(t);
	nw_iter_start(&it, t, ia.v, end);
	unmap_commit(t, &it);
	return nw_report(result, NW_OK, end, 0, 0);
}
