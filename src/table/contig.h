/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs: neighbouring leaves that say of each other that a TLB may
 * hold one translation for all of them. In a table with NW_RUNS_AUTO they are
 * kept by the engine:
 *
 *   set      where whole runs are mapped (runs_fill(), runs_map())
 *   changed  as one, what concerns all members (leaves_in_runs())
 *   broken   where an operation concerns only some (run_break())
 *   formed   by collapse, of members that lost the mark (runs_form())
 *
 * Every member of a run has the mark, or none has. Who changes that, or members
 * that have it, holds the first entry locked and takes the members in ascending
 * order; a removal of the whole run does so too, and may steal them in that
 * order. Nobody swaps a single member. Hardware may record an access or a write
 * in any member: the run was accessed, or written, if one of them says so.
 * (protocols.md 11)
 */
#ifndef NW_TABLE_CONTIG_H
#define NW_TABLE_CONTIG_H

#include "iter.h"
#include "lock.h"

/* Accessed and dirty state of several leaves together. */
struct nw_leaf_state {
	int accessed, dirty; /* of any */
};

static inline void nw_state_add(const struct nw_geometry *geo,
				struct nw_leaf_state *state, nw_entry_t leaf)
{
	state->accessed |= nwf_leaf_is_accessed(leaf);
	state->dirty |= nwf_leaf_is_dirty(geo, leaf);
}

static inline nw_entry_t nw_state_put(const struct nw_geometry *geo,
				      const struct nw_leaf_state *state,
				      nw_entry_t leaf)
{
	if (state->accessed)
		leaf = nwf_leaf_set_accessed(leaf);
	return state->dirty ? nwf_leaf_set_dirty(geo, leaf) : leaf;
}

/* Entries of a run at this level; 1: the engine keeps none there. */
static inline unsigned nw_run_entries(const struct nw_table *t, unsigned level)
{
	return t->runs == NW_RUNS_AUTO ? 1u << nwf_contig_lg2(&t->geo, level)
				       : 1;
}

/* A member of a run that the engine keeps. */
static inline int nw_is_member(const struct nw_table *t, unsigned level,
			       nw_entry_t e)
{
	return t->runs == NW_RUNS_AUTO && nwf_is_leaf(level, e) &&
	       nwf_leaf_is_contig(&t->geo, level, e);
}

/* nwf_leaf_template() of a leaf alone: where the engine makes the runs, the
 * attributes say nothing about them. */
static inline enum nw_status nw_alone_template(const struct nw_table *t,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	struct nw_attrs alone = *attrs;

	if (t->runs == NW_RUNS_AUTO)
		alone.flags &= (uint16_t)~NW_LEAF_CONTIG;
	return nwf_leaf_template(&t->geo, level, &alone, entry);
}

/* Bytes that a run spans, or a leaf where there are none. */
static inline uint64_t nw_run_bytes(const struct nw_table *t, unsigned level)
{
	return nw_run_entries(t, level) * nw_span_bytes(t, level);
}

/* Is the run that the leaf at `base` is in, or could be, inside the range? Of
 * the leaf where the engine keeps none. */
static inline int nw_run_in(const struct nw_table *t, unsigned level,
			    uint64_t base, uint64_t start, uint64_t end)
{
	uint64_t bytes = nw_run_bytes(t, level);

	base &= ~(bytes - 1);
	return base >= start && end - base >= bytes;
}

/* Widen the span of a leaf to that of the run it is a member of. */
static inline void nw_run_widen(const struct nw_table *t, unsigned level,
				nw_entry_t e, uint64_t *start, uint64_t *end)
{
	uint64_t mask = nw_run_bytes(t, level) - 1;

	if (!nw_is_member(t, level, e))
		return;
	*start &= ~mask;
	*end = (*end + mask) & ~mask;
}

/* The same leaf without the mark; `index` in its page. */
static inline nw_entry_t nw_alone(const struct nw_table *t, unsigned level,
				  nw_entry_t e, unsigned index)
{
	if (!nw_is_member(t, level, e))
		return e;
	return nwf_contig_alone(&t->geo, level, e,
				index & (nw_run_entries(t, level) - 1));
}

/*
 * Fill entries [index, index + n) of an unpublished page with leaves that begin
 * with `leaf`; whole runs get the mark.
 */
void NW_FN(runs_fill)(const struct nw_table *t, unsigned level,
		      nw_pteref_t page, unsigned index, unsigned n,
		      nw_entry_t leaf);

/*
 * The same in a live page of a table that one CPU writes: at most n entries from
 * the cursor on, as far as they are empty. Returns how many were written.
 */
unsigned NW_FN(runs_map)(const struct nw_iter *it, unsigned n, nw_entry_t leaf);

/*
 * Take the mark off the run of the member under the cursor. Flushes. Its state
 * is kept: every member was accessed, or written, if one was.
 * NW_E_BUSY: another CPU is at work on it. NW_E_CORRUPT: the members disagree.
 */
enum nw_status NW_FN(run_break)(struct nw_owner *owner,
				const struct nw_iter *it);

/*
 * Make runs of what could be one, of the page of `level` that begins at input
 * address `base`, inside [start, end). Flushes. What another CPU changes
 * meanwhile stays as it is.
 */
void NW_FN(runs_form)(struct nw_owner *owner, nw_pteref_t page, unsigned level,
		      uint64_t base, uint64_t start, uint64_t end);

/*
 * The member `e` over `ia` with the state of its whole run; it stands in the
 * page `page` of `level`. NW_E_BUSY: the run is being changed.
 */
enum nw_status NW_FN(run_state)(const struct nw_table *t, nw_pteref_t page,
				unsigned level, uint64_t ia, nw_entry_t *e);

#endif
