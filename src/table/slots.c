/* SPDX-License-Identifier: BSD-2-Clause */
#include "iter.h"
#include "slots.h"

/* An empty page below the cursor. 0: no page left. */
static int slot_add_page(struct nw_table *t, struct nw_iter *it,
			 struct nw_page_cache *cache)
{
	nw_pteref_t first;
	nw_pa_t page;

	if (!nw_page_take(t, cache, &page))
		return 0;
	first = nw_pteref_page(t, page.v);
	nw_fill_empty(first, 0, nw_page_entries(t, it->level - 1));
	if (nw_install_table(t, nw_iter_ref(it),
			     nwf_table_entry(&t->geo, page.v)))
		NW_TRACE(NW_EV_PAGE_LINK, page.v, 0, it->level - 1);
	else
		nw_page_put(t, page); /* another CPU was faster */
	return 1;
}

static enum nw_status slot_descend(struct nw_table *t, struct nw_iter *it,
				   unsigned level, struct nw_page_cache *cache)
{
	for (;;) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));
		enum nw_entry_kind kind = nwf_kind(&t->geo, it->level, e);

		if (kind == NW_ENTRY_RESERVED)
			return NW_E_CORRUPT;
		if (kind == NW_ENTRY_TABLE && it->level > level)
			nw_iter_down(it, e);
		else if (kind != NW_ENTRY_EMPTY)
			return nw_is_held(e) ? NW_E_BUSY : NW_E_EXISTS;
		else if (it->level == level)
			return NW_OK;
		else if (!slot_add_page(t, it, cache))
			return nw_page_shortage(t);
	}
}

enum nw_status NW_FN(slot_prepare)(struct nw_table *t, nw_ia_t ia,
				   unsigned level, struct nw_page_cache *cache,
				   nw_pteref_t *ref)
{
	enum nw_status status;
	struct nw_iter it;

	if (level >= t->geo.levels || !(t->geo.leaf_levels >> level & 1))
		return NW_E_LEVEL;
	status = nw_range_check(t, ia, nw_span_bytes(t, level), NULL);
	if (status)
		return status;
	if (ia.v & (nw_span_bytes(t, level) - 1))
		return NW_E_MISALIGNED;
	/* ORD-06: what is read stays allocated. */
	nw_section_enter(t);
	nw_iter_start(&it, t, ia.v, ia.v + 1);
	status = slot_descend(t, &it, level, cache);
	if (!status)
		*ref = nw_pteref_permanent(nw_iter_ref(&it));
	nw_port_publish_barrier(); /* ORD-09 */
	nw_section_leave(t);
	return status;
}
