/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting. Beside other writers each count is one relaxed atomic; it orders
 * nothing, and nothing is decided by it. Where there is one writer, it is an
 * ordinary addition.
 */
#ifndef NW_TABLE_STATS_H
#define NW_TABLE_STATS_H

#include <nestwalk/table.h>
#include "nw_port.h"

/* Add (modulo 2^64, so that UINT64_MAX is -1) and return the sum. */
static inline uint64_t nw_stat_add(const struct nw_table *t, uint64_t *counter,
				   uint64_t n)
{
	if (t->mode == NW_MODE_SHARED)
		return nw_port_count_add(counter, n);
	return *counter += n;
}

#endif
