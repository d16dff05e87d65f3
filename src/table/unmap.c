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

/* Clear a run of leaves and holes in this page; stops at a table. */
static void unmap_run(struct nw_iter *it, struct nw_flush *flush)
{
	const struct nw_geometry *geo = &it->t->geo;
	uint64_t span = nw_span_bytes(it->t, it->level);
	nw_pteref_t first = nw_iter_ref(it);
	unsigned n = nw_iter_run(it);
	uint64_t addr = nw_iter_base(it); /* a hole may begin before */
	uint64_t gone_from = 0, gone_to = 0;

	for (unsigned i = 0; i < n; i++, addr += span) {
		nw_pteref_t ref = nw_pteref_index(first, i);
		nw_entry_t e = nw_entry_read(ref);

		if (!nwf_is_valid(e))
			continue;
		if (nwf_kind(geo, it->level, e) == NW_ENTRY_TABLE)
			break;
		if (nwf_leaf_hw_writable(geo, e))
			(void)nw_entry_break_exclusive(ref, 0);
		else
			nw_entry_set_exclusive(ref, e, 0);
		if (gone_to != addr) {
			if (gone_to)
				nw_flush_add(flush, gone_from, gone_to,
					     1u << it->level, 0);
			gone_from = addr;
		}
		gone_to = addr + span;
	}
	if (gone_to)
		nw_flush_add(flush, gone_from, gone_to, 1u << it->level, 0);
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
			 * can: leave it while nothing is held. */
			nw_section_leave(t);
			nw_flush_and_free(t, &flush);
			nw_section_enter(t);
			nw_iter_start(it, t, nw_iter_next_base(it), it->end);
			continue;
		}
		nw_iter_step(it);
	}
	nw_section_leave(t);
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
	nw_section_enter(t);
	nw_iter_start(&it, t, ia.v, end);
	unmap_commit(t, &it);
	return nw_report(result, NW_OK, end, 0, 0);
}
