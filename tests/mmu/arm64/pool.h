/* SPDX-License-Identifier: BSD-2-Clause */
/* The port of the judged tables: pages of one array, real invalidation. */
#ifndef NW_MMU_POOL_H
#define NW_MMU_POOL_H

#include <nestwalk/port.h>

/*
 * Everything is free again, for tables of this granule. No table may be live.
 */
void pool_reset(unsigned granule_lg2);

extern const struct nw_port_ops pool_port;

#endif
