/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flush is data: operations note what the entries they replaced may have
 * left in a TLB; nothing is freed, yielded or returned before nw_flush_issue(),
 * but into a gather of the caller's (gather.h).
 */
#ifndef NW_TABLE_FLUSH_H
#define NW_TABLE_FLUSH_H

#include <nestwalk/gather.h>
#include <nestwalk/table.h>
#include <nestwalk/trace.h>
#include "nw_port.h"

static inline void nw_flush_begin(struct nw_flush *flush)
{
	flush->ranges = 0;
}

/*
 * Note that [start, end) was translated by leaves of the given levels (bit n:
 * level n), and whether a table entry went. Neighbours join; when all slots
 * are taken the last one grows over the gap, either way: a teardown wraps
 * around. That only invalidates more.
 */
static inline void nw_flush_add(struct nw_flush *flush, uint64_t start,
				uint64_t end, unsigned leaf_levels,
				unsigned had_tables)
{
	struct nw_flush_range *last = flush->range;

	if (flush->ranges)
		last += flush->ranges - 1;
	if (flush->ranges &&
	    (last->end == start || flush->ranges == NW_FLUSH_RANGES)) {
		if (start < last->start)
			last->start = start;
		if (end > last->end)
			last->end = end;
		last->leaf_levels |= (uint8_t)leaf_levels;
		last->had_tables |= (uint8_t)had_tables;
		return;
	}
	last = &flush->range[flush->ranges++];
	last->start = start;
	last->end = end;
	last->leaf_levels = (uint8_t)leaf_levels;
	last->had_tables = (uint8_t)had_tables;
}

/* The gathered ranges as the port takes them; valid while `flush` is. */
static inline struct nw_flush_request
nw_flush_request_of(const struct nw_table *t, const struct nw_flush *flush)
{
	return (struct nw_flush_request){
		.regime = (enum nw_regime)t->regime,
		.tag = t->tag,
		.granule_lg2 = t->geo.granule_lg2,
		.ranges = (uint8_t)flush->ranges,
		.range = flush->range,
		.has_lpa2 = !!(t->geo.features & NW_FEAT_LPA2),
	};
}

/*
 * Invalidate all gathered ranges and forget them. No range: no call. One
 * request to the port, or in NW_MODE_SHARED another CPU's that covers them.
 */
void nw_flush_issue(struct nw_table *t, struct nw_flush *flush);

/*
 * What an operation would flush and free goes into the caller's gather, and out
 * of `flush`; when there is no room for the subtrees (page | its level, at most
 * NW_GATHER_SUBTREES) all is settled first. Outside the section.
 */
void nw_gather_add(struct nw_gather *g, struct nw_flush *flush,
		   const uint64_t *subtree, unsigned subtrees);

/* Is `g` (or NULL) one that an operation on `t` may use? */
static inline int nw_gather_fits(const struct nw_gather *g,
				 const struct nw_table *t)
{
	return !g || g->table == t;
}

/* Is the flush of an operation with this gather left to it? Not where entries
 * stay locked until their flush. */
static inline int nw_gather_defers(const struct nw_gather *g, unsigned op)
{
	return g && !(op == NW_OP_UNMAP && g->table->mode == NW_MODE_SHARED);
}

#endif
