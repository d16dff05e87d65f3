/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup: the hottest read. Levels below the root are unrolled, so that each
 * knows its shift and masks as constants and costs little more than its load.
 */
#include "iter.h"

#define SPAN_LG2(level) (NWF_GRANULE_LG2 + (level) * NWF_INDEX_BITS)
#define INDEX_MASK ((UINT64_C(1) << NWF_INDEX_BITS) - 1)

/* What stands at the end of the walk. `level` is a constant at most callers. */
static inline enum nw_status lookup_report(const struct nw_table *t,
					   uint64_t ia, unsigned level,
					   nw_entry_t e, struct nw_mapping *out)
{
	uint64_t offset = ia & ((UINT64_C(1) << SPAN_LG2(level)) - 1);

	out->level = (uint8_t)level;
	out->base = NW_IA(ia - offset);
	out->entry = e;
	if (NW_LIKELY(nwf_is_leaf(level, e))) {
		out->kind = NW_ENTRY_LEAF;
		/* Members of a run may hold the run's address. */
		offset = ia & ((UINT64_C(1)
				<< nwf_leaf_span_lg2(&t->geo, level, e)) -
			       1);
		out->pa.v = nwf_leaf_pa(&t->geo, level, e) + offset;
		return NW_OK;
	}
	out->kind = nwf_kind(&t->geo, level, e);
	out->pa = NW_PA(0);
	if (out->kind == NW_ENTRY_RESERVED)
		return NW_E_CORRUPT;
	return nw_is_held(e) ? NW_E_BUSY : NW_OK;
}

/* Read the entry of `level`; 1 and *page one level down when it is a table. */
static inline int lookup_step(const struct nw_table *t, uint64_t ia,
			      unsigned level, nw_pteref_t *page, nw_entry_t *e)
{
	*e = nw_entry_read(nw_pteref_index(*page, ia >> SPAN_LG2(level) &
							  INDEX_MASK));
	if (!nwf_is_table(level, *e))
		return 0;
	*page = nw_pteref_page(t, nwf_table_pa(&t->geo, *e));
	return 1;
}

/* `ia` lies inside the table. */
static inline enum nw_status lookup_walk(const struct nw_table *t, uint64_t ia,
					 struct nw_mapping *out)
{
	unsigned top = nw_top_level(t);
	nw_pteref_t page = nw_pteref_root(t);
	nw_entry_t e;

	/* Concatenated roots count as one page: no mask here. */
	e = nw_entry_read(nw_pteref_index(page, ia >> SPAN_LG2(top)));
	if (!nwf_is_table(top, e))
		return lookup_report(t, ia, top, e, out);
	page = nw_pteref_page(t, nwf_table_pa(&t->geo, e));
	switch (top) {
	case 4:
		if (!lookup_step(t, ia, 3, &page, &e))
			return lookup_report(t, ia, 3, e, out);
		__attribute__((fallthrough));
	case 3:
		if (!lookup_step(t, ia, 2, &page, &e))
			return lookup_report(t, ia, 2, e, out);
		__attribute__((fallthrough));
	case 2:
		if (!lookup_step(t, ia, 1, &page, &e))
			return lookup_report(t, ia, 1, e, out);
		__attribute__((fallthrough));
	default:
		(void)lookup_step(t, ia, 0, &page, &e);
		return lookup_report(t, ia, 0, e, out);
	}
}

/* Apart, so that the other case saves no registers around the port's calls. */
static __attribute__((noinline)) enum nw_status
lookup_as_reader(const struct nw_table *t, uint64_t ia, struct nw_mapping *out)
{
	enum nw_status status;

	/* ORD-06: what is read stays allocated. */
	nw_section_enter(t);
	status = lookup_walk(t, ia, out);
	/* ORD-06: of the pages only values are left. */
	nw_section_leave(t);
	return status;
}

enum nw_status NW_FN(lookup)(struct nw_table *t, nw_ia_t ia,
			     struct nw_mapping *out)
{
	enum nw_status status;

	if (!t || !out)
		return NW_E_NULL;
	if (ia.v >> t->geo.ia_bits)
		return NW_E_IA_RANGE;
	if (t->mode != NW_MODE_EXCLUSIVE)
		return lookup_as_reader(t, ia.v, out);
	nw_port_proof_enter();
	status = lookup_walk(t, ia.v, out);
	nw_port_proof_leave();
	return status;
}
