/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One invalidation for several operations.
 *
 * An operation gathers what it must invalidate and hands it to the port before
 * it returns. A caller that does several in a row (unmaps many ranges, harvests
 * slot after slot) opens a gather, hands it to each, and finishes it: then
 * there is one request and one grace period for all of them.
 *
 * While a gather is open, TLBs may still hold what its operations removed or
 * narrowed. Until nw_gather_finish() has returned, the caller
 *   - gives no frame that was unmapped to anybody else, and does not free it;
 *   - maps nothing where something was unmapped (that would be a change of a
 *     translation without break-before-make);
 *   - counts no page as write-protected, or as clean;
 *   - does not drop the lock, if the table needs one, that keeps others from
 *     doing so: a gather belongs to one caller, who may have one open for a
 *     table at a time.
 * Table pages that were dropped wait in the gather, and are freed by the
 * finish.
 *
 * What must be immediate stays so: a split breaks, flushes and makes at once,
 * in every mode. In NW_MODE_SHARED an unmap holds its entries locked until they
 * are flushed, so that it flushes before it returns with a gather as well, and
 * only its table pages wait: what is shared is the grace period. Write-protect
 * and harvest gather in every mode.
 */
#ifndef NESTWALK_GATHER_H
#define NESTWALK_GATHER_H

#include <nestwalk/table.h>

#define NW_FLUSH_RANGES	   8
#define NW_GATHER_SUBTREES 64

/* Ranges to invalidate, so far. When all places are taken the last range grows
 * over the gap: more is invalidated, never less. Private to src/. */
struct nw_flush {
	unsigned ranges;
	struct nw_flush_range range[NW_FLUSH_RANGES];
};

/* About 730 bytes, on the caller's stack or anywhere. Fields are private. */
struct nw_gather {
	struct nw_table *table; /* NULL: not open */
	struct nw_flush flush;
	unsigned subtrees;
	unsigned early;
	uint64_t subtree[NW_GATHER_SUBTREES]; /* unlinked: page | its level */
};

/* Open a gather for one table. Until it is finished the table is not destroyed,
 * and *g does not move. */
void nw_gather_begin(struct nw_gather *g, struct nw_table *t);

/*
 * Invalidate what was gathered, wait for a grace period where readers may be in
 * pages that were dropped, free those, and close. Nothing gathered: nothing is
 * issued. Not inside a read-side section of the caller's. A gather that is not
 * open: nothing happens.
 *
 * Returns how often the gather was full (NW_GATHER_SUBTREES dropped subtrees)
 * and had to do all that early, between two operations or within one.
 */
unsigned nw_gather_finish(struct nw_gather *g);

/*
 * As nw_unmap(), nw_write_protect() and nw_harvest_dirty(), but for the flush,
 * which is the gather's (see above). `g` is open for this table, or NULL: then
 * they are the plain operations. NW_E_CONFIG: it is another table's, or closed.
 * Whatever the status: what was done up to result.reached is in the gather.
 */
NW_MUST_CHECK enum nw_status nw_unmap_gather(struct nw_table *t, nw_ia_t ia,
					     uint64_t size_bytes,
					     struct nw_page_cache *cache,
					     struct nw_gather *g,
					     struct nw_result *result);
NW_MUST_CHECK enum nw_status
nw_write_protect_gather(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			nw_range_fn dirty, void *arg,
			struct nw_page_cache *cache, struct nw_gather *g,
			struct nw_result *result);
NW_MUST_CHECK enum nw_status
nw_harvest_dirty_gather(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			nw_range_fn dirty, void *arg, struct nw_gather *g,
			struct nw_result *result);

/*
 * Clean and invalidate the data caches for every page that is mapped in the
 * range, through the port's `clean`: for guests whose memory type is not forced
 * (no FEAT_S2FWB), when they turn their caches on or off, or before a page is
 * read by who does not look into caches. Device memory is passed over. Changes
 * no entry.
 *
 * budget_bytes: clean at most so much (in whole leaves, and at least one, but
 * never beyond the range); 0: NW_E_EMPTY. Locks: as nw_lookup(). A page that is
 * unmapped meanwhile may be cleaned or not.
 * NW_MORE         the budget is spent: call again from result.reached
 * NW_E_UNSUPPORTED  the port has no `clean`
 * Others as nw_walk().
 */
NW_MUST_CHECK enum nw_status nw_flush_caches(struct nw_table *t, nw_ia_t ia,
					     uint64_t size_bytes,
					     uint64_t budget_bytes,
					     struct nw_result *result);

#endif
