/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup: the hottest read. The walk is unrolled for each number of levels, so
 * that every shift and mask is a constant, and a page found at the last level,
 * the common end, is reported in line.
 */
#include "contig.h"

#define SPAN_LG2(level) (NWF_GRANULE_LG2 + (level) * NWF_INDEX_BITS)
#define INDEX_MASK	((UINT64_C(1) << NWF_INDEX_BITS) - 1)

#define LOOKUP_INLINE static inline __attribute__((always_inline))

/* A member of a contiguous run has the state of all of it. */
static __attribute__((noinline)) enum nw_status
lookup_member(const struct nw_table *t, nw_pteref_t page, uint64_t ia,
	      struct nw_mapping *out)
{
	if (!nw_is_member(t, out->level, out->entry))
		return NW_OK;
	return NW_FN(run_state)(t, page, out->level, ia, &out->entry);
}

/* A leaf; `level` is a constant where the walk ends with a page. */
LOOKUP_INLINE void lookup_leaf(const struct nw_table *t, uint64_t ia,
			       unsigned level, nw_entry_t e,
			       struct nw_mapping *out)
{
	uint64_t span = UINT64_C(1) << SPAN_LG2(level);
	/* Members of a run may hold the run's address. */
	uint64_t run = UINT64_C(1) << nwf_leaf_span_lg2(&t->geo, level, e);

	*out = (struct nw_mapping){
		.kind = NW_ENTRY_LEAF,
		.level = (uint8_t)level,
		.base = NW_IA(ia & ~(span - 1)),
		.pa = NW_PA(nwf_leaf_pa(&t->geo, level, e) + (ia & (run - 1))),
		.entry = e,
	};
}

/* What stands at the end of any other walk. */
static __attribute__((noinline)) enum nw_status
lookup_end(const struct nw_table *t, nw_pteref_t page, uint64_t ia,
	   unsigned level, nw_entry_t e, struct nw_mapping *out)
{
	if (nwf_is_leaf(level, e)) {
		lookup_leaf(t, ia, level, e, out);
		return nwf_leaf_is_contig(&t->geo, level, e)
			       ? lookup_member(t, page, ia, out)
			       : NW_OK;
	}
	*out = (struct nw_mapping){
		.kind = nwf_kind(&t->geo, level, e),
		.level = (uint8_t)level,
		.base = NW_IA(ia & ~((UINT64_C(1) << SPAN_LG2(level)) - 1)),
		.entry = e,
	};
	if (out->kind == NW_ENTRY_RESERVED)
		return NW_E_CORRUPT;
	return nw_is_held(e) ? NW_E_BUSY : NW_OK;
}

/* Read the entry of `level`; 1 and *page one level down when it is a table. */
LOOKUP_INLINE int lookup_step(const struct nw_table *t, uint64_t ia,
			      unsigned level, nw_pteref_t *page, nw_entry_t *e)
{
	*e = nw_entry_read(nw_pteref_index(*page, ia >> SPAN_LG2(level) &
							  INDEX_MASK));
	if (NW_UNLIKELY(!nwf_is_table(level, *e)))
		return 0;
	*page = nw_pteref_page(t, nwf_table_pa(&t->geo, *e));
	return 1;
}

/* `ia` lies inside the table, whose root is at the constant `top`. */
LOOKUP_INLINE enum nw_status lookup_from(const struct nw_table *t, uint64_t ia,
					 const unsigned top,
					 struct nw_mapping *out)
{
	nw_pteref_t page = nw_pteref_root(t);
	nw_entry_t e;

	/* Concatenated roots count as one page: no mask here. */
	e = nw_entry_read(nw_pteref_index(page, ia >> SPAN_LG2(top)));
	if (NW_UNLIKELY(!nwf_is_table(top, e)))
		return lookup_end(t, page, ia, top, e, out);
	page = nw_pteref_page(t, nwf_table_pa(&t->geo, e));
	if (top > 3 && !lookup_step(t, ia, 3, &page, &e))
		return lookup_end(t, page, ia, 3, e, out);
	if (top > 2 && !lookup_step(t, ia, 2, &page, &e))
		return lookup_end(t, page, ia, 2, e, out);
	if (top > 1 && !lookup_step(t, ia, 1, &page, &e))
		return lookup_end(t, page, ia, 1, e, out);
	(void)lookup_step(t, ia, 0, &page, &e);
	if (NW_LIKELY(nwf_is_leaf(0, e)) &&
	    NW_LIKELY(!nwf_leaf_is_contig(&t->geo, 0, e))) {
		lookup_leaf(t, ia, 0, e, out);
		return NW_OK;
	}
	return lookup_end(t, page, ia, 0, e, out);
}

/* Apart, so that a walk of three levels saves no registers for the others. */
static __attribute__((noinline)) enum nw_status
lookup_other(const struct nw_table *t, uint64_t ia, struct nw_mapping *out)
{
	const unsigned top_lg2 = t->top_lg2;

	if (NW_LIKELY(top_lg2 == SPAN_LG2(3)))
		return lookup_from(t, ia, 3, out);
	if (top_lg2 == SPAN_LG2(1))
		return lookup_from(t, ia, 1, out);
	return lookup_from(t, ia, top_lg2 == SPAN_LG2(0) ? 0 : 4, out);
}

LOOKUP_INLINE enum nw_status lookup_walk(const struct nw_table *t, uint64_t ia,
					 struct nw_mapping *out)
{
	if (NW_LIKELY(t->top_lg2 == SPAN_LG2(2)))
		return lookup_from(t, ia, 2, out);
	return lookup_other(t, ia, out);
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
	if (NW_UNLIKELY(ia.v >= t->ia_limit))
		return NW_E_IA_RANGE;
	if (t->mode != NW_MODE_EXCLUSIVE)
		return lookup_as_reader(t, ia.v, out);
	nw_port_proof_enter();
	status = lookup_walk(t, ia.v, out);
	nw_port_proof_leave();
	return status;
}
