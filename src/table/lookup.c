/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup: the hottest read. The shift goes down with the level and the masks
 * stay in registers, so that a level costs little more than its load.
 */
#include "iter.h"

/* What the walk for one address ended at. */
struct lookup_end {
	nw_entry_t entry;
	enum nw_entry_kind kind;
	unsigned level;
	unsigned span_lg2;
};

static inline struct lookup_end lookup_walk(const struct nw_table *t,
					    uint64_t ia)
{
	const unsigned index_bits = t->geo.index_bits;
	const uint64_t index_mask = (UINT64_C(1) << index_bits) - 1;
	nw_pteref_t page = nw_pteref_root(t);
	struct lookup_end at;
	uint64_t index;

	at.level = nw_top_level(t);
	at.span_lg2 = nw_span_lg2(&t->geo, at.level);
	/* Inside the table, so that the root's index needs no mask. */
	index = ia >> at.span_lg2;
	at.entry = nw_entry_read(nw_pteref_index(page, index));
	while (nwf_is_table(at.level, at.entry)) {
		at.level--;
		at.span_lg2 -= index_bits;
		index = ia >> at.span_lg2 & index_mask;
		page = nw_pteref_page(t, nwf_table_pa(&t->geo, at.entry));
		at.entry = nw_entry_read(nw_pteref_index(page, index));
	}
	at.kind = nwf_kind(&t->geo, at.level, at.entry);
	return at;
}

static inline enum nw_status lookup_report(const struct nw_table *t,
					   uint64_t ia, struct lookup_end at,
					   struct nw_mapping *out)
{
	uint64_t offset = ia & ((UINT64_C(1) << at.span_lg2) - 1);

	out->kind = at.kind;
	out->level = (uint8_t)at.level;
	out->base = NW_IA(ia - offset);
	out->entry = at.entry;
	if (NW_LIKELY(at.kind == NW_ENTRY_LEAF)) {
		out->pa.v = nwf_leaf_pa(&t->geo, at.level, at.entry) + offset;
		return NW_OK;
	}
	out->pa = NW_PA(0);
	if (at.kind == NW_ENTRY_RESERVED)
		return NW_E_CORRUPT;
	return at.entry == nwf_lock_token() ? NW_E_BUSY : NW_OK;
}

/* Apart, so that the other case saves no registers around the port's calls. */
static __attribute__((noinline)) enum nw_status
lookup_as_reader(const struct nw_table *t, uint64_t ia, struct nw_mapping *out)
{
	struct lookup_end at;

	nw_section_enter(t);
	at = lookup_walk(t, ia);
	nw_section_leave(t);
	return lookup_report(t, ia, at, out);
}

enum nw_status NW_FN(lookup)(struct nw_table *t, nw_ia_t ia,
			     struct nw_mapping *out)
{
	struct lookup_end at;

	if (!t || !out)
		return NW_E_NULL;
	if (ia.v >> t->geo.ia_bits)
		return NW_E_IA_RANGE;
	if (t->mode != NW_MODE_EXCLUSIVE)
		return lookup_as_reader(t, ia.v, out);
	nw_port_proof_enter();
	at = lookup_walk(t, ia.v);
	nw_port_proof_leave();
	return lookup_report(t, ia.v, at, out);
}
