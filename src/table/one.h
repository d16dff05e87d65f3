/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One leaf: what a fault asks for.
 *
 * The level is known before the walk, so that the walk is as many loads as
 * there are levels, and what follows is one store, or one compare-and-swap
 * where others write too. Nothing here breaks, flushes, waits or allocates:
 * whatever stands in the way (no table yet, a block, a locked or frozen entry,
 * a contiguous run) is left, untouched, to the operations over ranges, which
 * decide what it means.
 */
#ifndef NW_TABLE_ONE_H
#define NW_TABLE_ONE_H

#include "iter.h"

#define NW_ONE static inline __attribute__((always_inline))

#define NW_LEVEL_LG2(level) (NWF_GRANULE_LG2 + (level)*NWF_INDEX_BITS)
#define NW_INDEX_MASK	    ((UINT64_C(1) << NWF_INDEX_BITS) - 1)
#define NW_GRANULE_BYTES    (UINT64_C(1) << NWF_GRANULE_LG2)

/* An entry, and what it was when it was read. */
struct nw_one {
	nw_pteref_t ref;
	nw_entry_t e;
};

/* The entry of `level` in the page that `table` leads to. */
NW_ONE struct nw_one nw_one_below(const struct nw_table *t, uint64_t ia,
				  unsigned level, nw_entry_t table)
{
	struct nw_one at;

	at.ref = nw_pteref_page(t, nwf_table_pa(&t->geo, table));
	at.ref = nw_pteref_index(at.ref,
				 ia >> NW_LEVEL_LG2(level) & NW_INDEX_MASK);
	at.e = nw_entry_read(at.ref);
	return at;
}

/* The root's entry, over 2^lg2 bytes. Concatenated roots count as one page: no
 * mask here. */
NW_ONE struct nw_one nw_one_root(const struct nw_table *t, uint64_t ia,
				 unsigned lg2)
{
	struct nw_one at;

	at.ref = nw_pteref_index(nw_pteref_root(t), ia >> lg2);
	at.e = nw_entry_read(at.ref);
	return at;
}

/*
 * Down to the entry of level 2; where the root is lower, to that of level 0.
 * Returns the level; 5: the walk ends above it.
 */
NW_ONE unsigned nw_one_high(const struct nw_table *t, uint64_t ia,
			    struct nw_one *at)
{
	struct nw_one here = nw_one_root(t, ia, t->top_lg2);
	unsigned end = 2;

	*at = here;
	switch (t->top_lg2) {
	case NW_LEVEL_LG2(4):
		if (!nwf_is_table(4, here.e))
			return 5;
		here = nw_one_below(t, ia, 3, here.e);
		__attribute__((fallthrough));
	case NW_LEVEL_LG2(3):
		if (!nwf_is_table(3, here.e))
			return 5;
		here = nw_one_below(t, ia, 2, here.e);
		break;
	case NW_LEVEL_LG2(1):
		if (!nwf_is_table(1, here.e))
			return 5;
		here = nw_one_below(t, ia, 0, here.e);
		__attribute__((fallthrough));
	default:
		end = 0;
	}
	*at = here;
	return end;
}

/* How much is known of a table's shape when the code is compiled. */
enum nw_one_shape {
	NW_ONE_ANY, /* nothing */
	NW_ONE_LEVELS_3,
	NW_ONE_LEVELS_4,
	NW_ONE_SHAPES,
};

/* The shape that serves this table best. */
static inline enum nw_one_shape nw_one_shape(const struct nw_table *t)
{
	return t->geo.levels == 3   ? NW_ONE_LEVELS_3
	       : t->geo.levels == 4 ? NW_ONE_LEVELS_4
				    : NW_ONE_ANY;
}

/*
 * The level-0 entry over `ia`, which lies inside the table. 0: the walk ends
 * above it. Inside the section. `shape` is a constant.
 */
NW_ONE int nw_one_find(const struct nw_table *t, const enum nw_one_shape shape,
		       uint64_t ia, struct nw_one *at)
{
	struct nw_one here;

	if (shape == NW_ONE_LEVELS_4) {
		here = nw_one_root(t, ia, NW_LEVEL_LG2(3));
		if (NW_UNLIKELY(!nwf_is_table(3, here.e)))
			return 0;
		here = nw_one_below(t, ia, 2, here.e);
	} else if (shape == NW_ONE_LEVELS_3 ||
		   NW_LIKELY(t->top_lg2 == NW_LEVEL_LG2(2))) {
		here = nw_one_root(t, ia, NW_LEVEL_LG2(2));
	} else {
		unsigned level = nw_one_high(t, ia, &here);

		if (level != 2) {
			*at = here;
			return !level;
		}
	}
	if (NW_UNLIKELY(!nwf_is_table(2, here.e)))
		return 0;
	here = nw_one_below(t, ia, 1, here.e);
	if (NW_UNLIKELY(!nwf_is_table(1, here.e)))
		return 0;
	*at = nw_one_below(t, ia, 0, here.e);
	return 1;
}

/* As nw_section_enter(), for a mode that is a constant. ORD-06 */
NW_ONE void nw_one_enter(enum nw_mode mode)
{
	if (mode == NW_MODE_EXCLUSIVE)
		nw_port_proof_enter();
	else
		nw_port_section_enter(); /* ORD-06 */
}

NW_ONE void nw_one_leave(enum nw_mode mode)
{
	if (mode == NW_MODE_EXCLUSIVE)
		nw_port_proof_leave();
	else
		nw_port_section_leave(); /* ORD-06 */
}

/*
 * Map one granule by `leaf`, in a table of the constant `mode`. NW_OK;
 * NW_E_EXISTS: a leaf stands there; NW_E_RACED: nothing did, but another CPU
 * was faster; NW_MORE: anything else is in the way. Nothing was written but for
 * NW_OK. nw_one_judge() fills in the result.
 */
NW_ONE enum nw_status nw_one_install(const struct nw_table *t,
				     const enum nw_mode mode,
				     const enum nw_one_shape shape, uint64_t ia,
				     nw_entry_t leaf)
{
	enum nw_status status = NW_OK;
	struct nw_one at;

	nw_one_enter(mode); /* ORD-06: what is read stays allocated. */
	if (NW_UNLIKELY(!nw_one_find(t, shape, ia, &at))) {
		nw_one_leave(mode); /* ORD-06 */
		return NW_MORE;
	}
	if (NW_UNLIKELY(at.e != NWF_EMPTY)) {
		nw_one_leave(mode); /* ORD-06 */
		return nwf_is_leaf(0, at.e) ? NW_E_EXISTS : NW_MORE;
	}
	nw_op_begin(t, NW_OP_MAP, ia, ia + NW_GRANULE_BYTES);
	/* ORD-08: as map_try() in map.c, for a page and its entry. */
	nw_port_store_barrier();
	if (NW_UNLIKELY(!nw_install_leaf(mode, at.ref, leaf)))
		status = NW_E_RACED;
	/* ORD-09: as there. */
	nw_port_publish_barrier();
	nw_op_end(t, NW_OP_MAP, ia, ia + NW_GRANULE_BYTES, status);
	nw_one_leave(mode); /* ORD-06 */
	return status;
}

/*
 * nw_one_install() has said `status`, no NW_OK. A leaf stands there: that is
 * what the map says, and reported. Anything else is for the map of ranges:
 * NW_MORE.
 */
static enum nw_status nw_one_judge(const struct nw_table *t,
				   enum nw_status status, uint64_t ia,
				   struct nw_result *result)
{
	struct nw_one at = {.e = NWF_EMPTY};

	if (status == NW_MORE)
		return NW_MORE;
	nw_section_enter(t); /* ORD-06: what is read stays allocated. */
	if (nw_one_find(t, NW_ONE_ANY, ia, &at) && nwf_is_leaf(0, at.e))
		nw_report(result, status, ia, 0, at.e);
	else
		status = NW_MORE;
	nw_section_leave(t); /* ORD-06 */
	return status;
}

NW_ONE enum nw_status nw_one_done(struct nw_result *result, uint64_t ia)
{
	if (NW_UNLIKELY(result))
		nw_report(result, NW_OK, ia + NW_GRANULE_BYTES, 0, 0);
	return NW_OK;
}

/* ---- rights -------------------------------------------------------------- */

/* From the value that was read (ORD-04): hardware's update, an annotation or a
 * lock that came in between is never overwritten. */
NW_ONE int nw_one_swap(const struct nw_one *at, nw_entry_t leaf)
{
	nw_entry_t expected = at->e;

	return nw_entry_try_replace(at->ref, &expected, leaf);
}

/*
 * Add rights to the leaf of one granule. NW_MORE: nothing was written, and what
 * stands there is for the loop over ranges.
 */
NW_ONE enum nw_status nw_one_add_rights(const struct nw_table *t,
					const enum nw_mode mode, uint64_t ia,
					unsigned prot)
{
	enum nw_status status = NW_MORE;
	nw_entry_t leaf;
	struct nw_one at;

	nw_one_enter(mode); /* ORD-06: what is read stays allocated. */
	if (NW_LIKELY(nw_one_find(t, NW_ONE_ANY, ia, &at)) &&
	    NW_LIKELY(nwf_is_leaf(0, at.e)) &&
	    NW_LIKELY(!nwf_leaf_is_contig(&t->geo, 0, at.e)) &&
	    NW_LIKELY(!nwf_leaf_relax(&t->geo, at.e, prot, &leaf))) {
		nw_op_begin(t, NW_OP_RELAX, ia, ia + NW_GRANULE_BYTES);
		status = NW_OK;
		if (leaf == at.e)
			; /* it has them */
		else if (mode != NW_MODE_SHARED && !nwf_hw_updates(&t->geo))
			nw_entry_set_exclusive(at.ref, at.e, leaf);
		else if (!nw_one_swap(&at, leaf))
			status = NW_E_RACED;
		/* ORD-09: as for a map. */
		nw_port_publish_barrier();
		nw_op_end(t, NW_OP_RELAX, ia, ia + NW_GRANULE_BYTES, status);
	}
	nw_one_leave(mode); /* ORD-06 */
	return status == NW_OK ? NW_OK : NW_MORE;
}

/* A range that this can be tried for. */
NW_ONE int nw_one_fits(const struct nw_table *t, uint64_t ia,
		       uint64_t size_bytes)
{
	return size_bytes == NW_GRANULE_BYTES &&
	       !(ia & (NW_GRANULE_BYTES - 1)) && ia < t->ia_limit;
}

#endif
