/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flush is data: operations note what the entries they replaced may have
 * left in a TLB; nothing is freed, yielded or returned before nw_flush_issue().
 */
#ifndef NW_TABLE_FLUSH_H
#define NW_TABLE_FLUSH_H

#include <nestwalk/table.h>
#include <nestwalk/trace.h>
#include "nw_port.h"

#define NW_FLUSH_RANGES 8

struct nw_flush {
	unsigned ranges;
	struct nw_flush_range range[NW_FLUSH_RANGES];
};

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
	if (flush->ranges && (last->end == start ||
			      flush->ranges == NW_FLUSH_RANGES)) {
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
	};
}

/* Issue one request for all gathered ranges and forget them. No range: no
 * call. */
void nw_flush_issue(struct nw_table *t, struct nw_flush *flush);

#endif
