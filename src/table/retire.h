/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking things out of a table: gathered in a batch, each batch one flush.
 *
 *   one writer          clear the entry . flush . (grace period) . free
 *   NW_MODE_SHARED      lock the entry . flush . freeze what hung there .
 *                       entry becomes empty . grace period . free
 *
 * Where something else comes there, an annotation or other leaves, the second
 * form is that of every mode: a lookup beside it says busy, never "none".
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

/*
 * Entries of one page that were locked: leaves (with holes between them), or
 * one that was a table.
 */
struct nw_claim {
	nw_pteref_t first;
	uint64_t base;	  /* input address where the first one's span begins */
	nw_entry_t value; /* what comes into the first one; leaves go on */
	nw_entry_t old;	  /* what was in the first one */
	uint16_t entries;
	uint8_t level;
	uint8_t is_table;
};

/* A removal whose dirty state matters keeps a few spans of it, to tell them
 * when they are flushed. */
#define NW_TELLS_MAX 16

struct nw_tell {
	nw_range_fn dirty; /* NULL: nobody asks */
	nw_replaced_fn replaced; /* of each leaf that another comes to; or NULL */
	void *arg;
	unsigned spans;
	struct {
		uint64_t start, end;
	} span[NW_TELLS_MAX];
};

struct nw_batch {
	struct nw_owner owner;
	struct nw_flush flush;
	struct nw_gather *gather; /* the caller's, who flushes later; or NULL */
	unsigned claims;
	unsigned dead_count;
	struct nw_claim claim[NW_CLAIMS_MAX];
	uint64_t dead[NW_DEAD_MAX]; /* subtrees: page address | its level */
	uint64_t dead_base[NW_DEAD_MAX]; /* or NW_DEAD_TOLD */
	struct nw_tell tell;
};

#define NW_DEAD_TOLD (~UINT64_C(0)) /* its dirty state is told, or nobody asks */

static inline void nw_batch_begin(struct nw_batch *b, struct nw_table *t)
{
	b->owner = (struct nw_owner){.t = t, .token = NWF_EMPTY};
	b->claims = 0;
	b->dead_count = 0;
	b->tell.dirty = NULL;
	b->tell.replaced = NULL;
	b->tell.spans = 0;
	b->gather = NULL;
	nw_flush_begin(&b->flush);
}

/* Hand over a subtree that was unlinked; the caller makes room in time. */
static inline void nw_batch_add_dead(struct nw_batch *b, nw_pa_t page,
				     unsigned level)
{
	NW_TRACE(NW_EV_PAGE_UNLINK, page.v, 0, level);
	b->dead_base[b->dead_count] = NW_DEAD_TOLD;
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

/* The table entry `e` of `level` over [base, ...) was locked (a claim; the entry
 * becomes empty), or, but for NW_MODE_SHARED, set to what it shall be. */
void NW_FN(batch_add_table)(struct nw_batch *b, nw_pteref_t ref, nw_entry_t e,
			    unsigned level, uint64_t base);

/* The table entry `e` was locked, in any mode; `value` comes there. */
void NW_FN(batch_claim_table)(struct nw_batch *b, nw_pteref_t ref,
			      nw_entry_t e, unsigned level, uint64_t base,
			      nw_entry_t value);

/* No room for one more span to tell. */
static inline int nw_batch_tells_full(const struct nw_batch *b)
{
	return b->tell.spans == NW_TELLS_MAX;
}

/*
 * Something dirty went from [start, end). It is told after its flush: at the
 * latest by batch_settle() and batch_free().
 */
void NW_FN(batch_note_dirty)(struct nw_batch *b, uint64_t start, uint64_t end);

/* Tell what was noted; the caller has added all of it to the flush, which is
 * issued first. */
void NW_FN(batch_tell)(struct nw_batch *b);

/*
 * Inside the section: flush, freeze, tell, and put what is to come into the
 * claimed entries. What hung there joins the dead.
 */
void NW_FN(batch_settle)(struct nw_batch *b);

/*
 * Outside the section: flush what is still owed, tell, wait for a grace period
 * where software may still read the dead, free them.
 */
void NW_FN(batch_free)(struct nw_batch *b);

/* ---- take and put ------------------------------------------------------- */

/* What comes to where something was taken. */
enum nw_put {
	NW_PUT_EMPTY,
	NW_PUT_ANNOTATION,
	NW_PUT_LEAVES, /* the largest that fit; smaller ones in new tables */
};

/* What is taken, a bit each. */
#define NW_TAKE_EMPTY	   0x01u
#define NW_TAKE_ANNOTATION 0x02u
#define NW_TAKE_LEAF	   0x04u
#define NW_TAKE_TABLE	   0x08u /* whole, where what comes needs no table */
#define NW_TAKE_HELD	   0x10u /* stolen; whoever asks for less waits */
#define NW_TAKE_ALL	   0x1fu

struct nw_take {
	struct nw_batch batch;
	struct nw_page_cache *cache;
	uint64_t start, end;
	unsigned what; /* NW_TAKE_* */
	/* Met what is not to be taken: NW_OK passes over it. */
	enum nw_status otherwise;
	nw_entry_t only; /* of annotations, take this one; EMPTY: any */
	enum nw_put put;
	nw_entry_t annotation;
	uint64_t ia_to_pa; /* leaves: pa - ia, modulo 2^64 */
	unsigned leaf_levels;
	nw_entry_t leaf_template[NW_LEVELS_MAX];
};

/*
 * Take what stands in [start, end), flush, and put there what comes, in batches
 * (this is every removal and replacement in NW_MODE_SHARED, and every
 * replacement in the others):
 *
 *   leaf, table    lock . flush . (freeze) . publish what comes
 *   locked         steal . flush . publish what comes
 *   annotation,    one compare-and-swap: no TLB knows it, and a lock would hide
 *   nothing        whose it is
 *
 * *result as in table.h: NW_OK, `otherwise`, NW_E_NOMEM, NW_E_BUSY,
 * NW_E_CORRUPT.
 */
enum nw_status NW_FN(take_range)(struct nw_take *k, struct nw_result *result);

/* To do first: split what is to be taken and sticks out of the range. Statuses
 * as split_edges(). */
enum nw_status NW_FN(take_edges)(struct nw_take *k, struct nw_result *result);

/* All of the range is read and compared: NW_OK; NW_E_MISMATCH, NW_E_BUSY,
 * NW_E_CORRUPT at result.reached. */
enum nw_status NW_FN(check_expected)(struct nw_table *t, uint64_t start,
				     uint64_t end,
				     const struct nw_expected *expected,
				     struct nw_result *result);

/* What must be split where it crosses the end of a range. */
#define NW_EDGE_OF_LEAF	      0x1u
#define NW_EDGE_OF_ANNOTATION 0x2u
#define NW_EDGE_OF_NOTHING    0x4u /* into a table in which nothing is */

/* As split_edges(), of these only. */
enum nw_status NW_FN(split_edges_of)(struct nw_table *t, uint64_t start,
				     uint64_t end, unsigned of,
				     struct nw_page_cache *cache,
				     struct nw_result *result);

#endif
