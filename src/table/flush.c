/* SPDX-License-Identifier: BSD-2-Clause */
#include "flush.h"
#include "stats.h"

void nw_flush_issue(struct nw_table *t, struct nw_flush *flush)
{
	struct nw_flush_request request;

	if (!flush->ranges)
		return;
	request = nw_flush_request_of(t, flush);
	nw_stat_add(t, &t->stats.flushes, 1);
	/* ORD-07 orders the cleared entries before the invalidation, and the
	 * invalidation's completion before anything that follows; pairs with
	 * the hardware walker and TLBs of every CPU. The port's invalidate()
	 * carries the barriers on both sides. Without it a CPU goes on using,
	 * or refetches, what was removed. */
	t->port->invalidate(t->port_ctx, &request);
	flush->ranges = 0;
}
