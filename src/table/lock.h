/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owning an entry for a while, and waiting for who does (protocols.md 5).
 *
 * An operation that must break, flush and make, or take a table page away,
 * swaps the entry for its token: hardware faults at it, lookups say busy, and
 * only the owner's publish, a compare-and-swap from that very token, ends it.
 * One ticket serves one operation; it is taken when the first entry is locked,
 * so that a fault (empty to leaf, nothing to lock) never touches the counter.
 * Tickets come again after 2^NWF_TICKET_BITS operations: an operation that is
 * preempted for that many others could take another's token for its own.
 */
#ifndef NW_TABLE_LOCK_H
#define NW_TABLE_LOCK_H

#include "engine.h"
#include "patience.h"
#include "stats.h"

struct nw_owner {
	struct nw_table *t;
	nw_entry_t token; /* NWF_EMPTY until something is locked */
};

static inline nw_entry_t nw_owner_token(struct nw_owner *owner)
{
	const uint64_t mask = (UINT64_C(1) << NWF_TICKET_BITS) - 1;

	if (owner->token == NWF_EMPTY)
		owner->token = nwf_lock_token(
			nw_stat_add(owner->t, &owner->t->tickets, 1) & mask);
	return owner->token;
}

/*
 * Something is in the way: outside the section, nothing held, nothing owed.
 * 1: try again, from the root. 0: say NW_E_BUSY; at once where the caller
 * excludes other writers, for then nobody is going to clear the way.
 */
static inline int nw_retry(struct nw_table *t, struct nw_patience *patience)
{
	if (t->mode == NW_MODE_SHARED && nw_patience_wait(patience)) {
		nw_stat_add(t, &t->stats.retries, 1);
		nw_port_count_max(&t->stats.retries_max, patience->spent);
		return 1;
	}
	nw_stat_add(t, &t->stats.busy, 1);
	return 0;
}

#endif
