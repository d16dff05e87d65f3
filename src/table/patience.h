/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for an entry that another CPU is replacing. It is bounded: the owner
 * may be preempted for as long as it takes, and our caller may have something
 * better to do. Wait outside the section, with nothing held and nothing owed.
 */
#ifndef NW_TABLE_PATIENCE_H
#define NW_TABLE_PATIENCE_H

#include <nestwalk/table.h>
#include "nw_port.h"

struct nw_patience {
	unsigned spent;
};

/* 0: it is spent; the operation then says NW_E_BUSY. */
static inline int nw_patience_wait(struct nw_patience *p)
{
	if (p->spent == NW_PORT_PATIENCE)
		return 0;
	p->spent++;
	nw_port_relax();
	return 1;
}

#endif
