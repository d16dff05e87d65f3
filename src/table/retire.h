/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking things out of a table: gathered in a batch, each batch one flush.
 *
 *   one writer          clear the entry . flush . (grace period) . free
 *   NW_MODE_SHARED      lock the entry . flush . freeze what hung there .
 *                       entry becomes empty . grace period . free
 *
 * In shared mode an entry stays locked until its flush is complete, so that no
 * CPU can make a translation there while a TLB may still hold the old one. A
 * batch is bounded, and so is the time for which entries stay locked.
 *
 * Table pages wait in `dead` until nothing can reach them. They are not chained
 * through themselves: walkers read them until the flush, software until the
 * grace period.
 */
#ifndef NW_TABLE_RETIRE_H
#define NW_TABLE_RETIRE_H

#include "iter.h"
#include "lock.h"

#define NW_CLAIMS_MAX 32
#define NW_DEAD_MAX   64

/* Entries of one page that were locked: leaves (with holes between them), or
 * one that was a table. */
struct nw_claim {
	nw_pteref_t first;
	nw_pa_t table; /* what hung there, if is_table */
	uint16_t entries;
	uint8_t level;
	uint8_t is_table;
};

struct nw_batch {
	struct nw_owner owner;
	struct nw_flush flush;
	unsigned claims;
	unsigned dead_count;
	struct nw_claim claim[NW_CLAIMS_MAX];
	uint64_t dead[NW_DEAD_MAX]; /* subtrees: page address | its level */
};

static inline void nw_batch_begin(struct nw_batch *b, struct nw_table *t)
{
	b->owner = (struct nw_owner){.t = t, .token = NWF_EMPTY};
	b->claims = 0;
	b->dead_count = 0;
	nw_flush_begin(&b->flush);
}

/* Hand over a subtree that was unlinked; the caller makes room in time. */
static inline void nw_batch_add_dead(struct nw_batch *b, nw_pa_t page,
				     unsigned level)
{
	NW_TRACE(NW_EV_PAGE_UNLINK, page.v, 0, level);
	b->dead[b->dead_count++] = page.v | level;
}

/* No room for one more dead subtree. */
static inline int nw_batch_dead_full(const struct nw_batch *b)
{
	return b->dead_count == NW_DEAD_MAX;
}

/* No room for what one more step can claim: a run that ends, and a table. */
static inline int nw_batch_claims_full(const struct nw_batch *b)
{
	return b->claims + 2 > NW_CLAIMS_MAX ||
	       b->dead_count + b->claims + 2 > NW_DEAD_MAX;
}

/* Leaf levels that may stand below a table entry of `level`. */
static inline unsigned nw_levels_below(const struct nw_table *t, unsigned level)
{
	return t->geo.leaf_levels & ((1u << level) - 1);
}

/*
 * Every entry below a detached page becomes terminal; tables stay linked to one
 * another, for free_subtree(). A swap that comes too late fails, and its owner
 * starts again from the root, where it finds our lock.
 *
 * Hardware cannot reach the page any more (its parent is locked, the span is
 * flushed), so what is replaced here is final, dirty state included.
 */
void NW_FN(freeze_subtree)(const struct nw_table *t, nw_pa_t page,
			   unsigned level);

/* The table entry `e` of `level` over [base, ...) was locked, or cleared. */
void NW_FN(batch_add_table)(struct nw_batch *b, nw_pteref_t ref, nw_entry_t e,
			    unsigned level, uint64_t base);

/*
 * NW_MODE_SHARED, inside the section: flush, freeze, and open what was claimed
 * as empty entries. What hung there joins the dead.
 */
void NW_FN(batch_settle)(struct nw_batch *b);

/*
 * Outside the section: flush what is still owed, wait for a grace period where
 * software may still read the dead, free them.
 */
void NW_FN(batch_free)(struct nw_batch *b);

#endif
