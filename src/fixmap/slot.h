/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fixmap's two sources share: a slot's life and its place.
 *
 *   FREE --map--> OPEN --unmap--> FREE       (flushed at once)
 *                      --unmap--> RETIRING --broadcast--> FREE
 *
 * A slot is FREE only while no TLB can hold a translation of its address.
 */
#ifndef NW_FIXMAP_SLOT_H
#define NW_FIXMAP_SLOT_H

#include <nestwalk/fixmap.h>

enum nw_fixmap_state {
	NW_FIXMAP_FREE,
	NW_FIXMAP_OPEN,
	NW_FIXMAP_RETIRING,
};

/* The kinds are the leaf levels. */
static inline unsigned nw_fixmap_level(unsigned kind)
{
	return kind == NW_FIXMAP_BLOCK ? 1 : 0;
}

static inline unsigned nw_fixmap_span_lg2(const struct nw_geometry *geo,
					  unsigned kind)
{
	return nw_span_lg2(geo, nw_fixmap_level(kind));
}

/* Input address of a slot. */
static inline uint64_t nw_fixmap_ia(const struct nw_fixmap *fm, unsigned cpu,
				    unsigned kind, unsigned slot)
{
	const struct nw_geometry *geo = &fm->cpu[cpu].table->geo;

	return fm->base[kind] + ((uint64_t)(cpu * fm->slots[kind] + slot)
				 << nw_fixmap_span_lg2(geo, kind));
}

#endif
