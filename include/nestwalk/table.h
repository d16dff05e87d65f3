/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One translation table and what can be done to it.
 *
 * Every operation validates first: a refused argument changes nothing.
 * Ranges are input addresses in bytes and multiples of the granule; nothing is
 * ever rounded. Where an operation removes or narrows translations it flushes
 * before it returns, on failures too: no TLB then holds more than the table
 * allows. Table pages die only after unlink, flush and, but for
 * NW_MODE_EXCLUSIVE, a grace period.
 *
 * Callers that chose their format at build time may call the instance
 * (nw_arm64_s2_map ...) directly; nw_map() and friends dispatch on the table.
 */
#ifndef NESTWALK_TABLE_H
#define NESTWALK_TABLE_H

#include <nestwalk/format.h>
#include <nestwalk/port.h>
#include <nestwalk/pteref.h>

enum nw_mode {
	/* The caller excludes every other software reader and writer. The
	 * hardware walks the table at any moment all the same. */
	NW_MODE_EXCLUSIVE,
	/* One writer at a time; lookups and walks on any CPU beside it, under
	 * the port's RCU. Refused by a port that has no grace period. */
	NW_MODE_READERS,
	/* Any number of operations at once, any mix, on any CPU, without a
	 * lock of the caller's; only nw_table_destroy() stands alone. Refused
	 * by a port that has no grace period. */
	NW_MODE_SHARED,
};

/*
 * Contiguous runs: neighbouring leaves of one level that a TLB may hold as one
 * (DDI 0487, "The Contiguous bit"; RISC-V, Svnapot). Formats without them, and
 * CPUs without Svnapot, take either value.
 */
enum nw_runs {
	/* The caller's own promise: NW_LEAF_CONTIG in nw_map()'s attributes
	 * marks every leaf, and the caller maps, and later changes, whole runs
	 * only. Nothing here keeps a run together. */
	NW_RUNS_CALLER,
	/*
	 * The library's work; NW_LEAF_CONTIG in nw_map()'s attributes says
	 * nothing. nw_map() makes a run of each whole, aligned one that it
	 * writes; in NW_MODE_SHARED only in tables that are new, for entries of
	 * a live one are taken one by one. What changes part of a run breaks it
	 * up first, with break-before-make where the CPU needs it (FEAT_BBM);
	 * what changes all of it changes all members under the lock of the
	 * first. nw_collapse() forms runs again. The accessed and dirty state
	 * of a run is that of any member, for all of them: harvest and age take
	 * a run whole, as they take a block. Who wants it by the page splits
	 * first (nw_split_range()). Not for tables with fixmap slots.
	 */
	NW_RUNS_AUTO,
};

/* What an operation does that finds another CPU's flush of the table under way
 * (NW_MODE_SHARED; elsewhere there is none). */
enum nw_flush_policy {
	/* Wait for it, then let one CPU of all that wait flush the whole table
	 * for them. Bounded: who has waited for long flushes by itself. */
	NW_FLUSH_SHARE,
	/* Flush at once what it has gathered, beside the other. */
	NW_FLUSH_OWN,
};

struct nw_table;
struct nw_format_ops;
struct nw_prepared;
struct nw_gather;

/*
 * Table pages that the caller holds ready, so that an operation under a lock
 * need not allocate. A zeroed struct is an empty cache. Not thread-safe: one
 * per caller, or under the caller's lock.
 */
struct nw_page_cache {
	void *head; /* chained through the first word of each page */
	unsigned pages;
};

struct nw_table_config {
	const struct nw_format_ops *ops; /* which format: &nw_arm64_s2_ops ... */
	struct nw_format_config format;
	const struct nw_port_ops *port;
	void *port_ctx;
	enum nw_mode mode;
	enum nw_regime regime;
	uint16_t tag; /* VMID or ASID */
	enum nw_runs runs;
	/* Table pages that it may have at most, the root's included; 0: as many
	 * as the port gives. Beyond: NW_E_QUOTA. */
	uint64_t pages_quota;
	/* Where its pages should lie: NW_NODE(n), a hint for alloc_pages_on;
	 * NW_NODE_ANY (0): the port chooses. */
	uint16_t node;
	enum nw_flush_policy flush_policy;
};

/* Each exact at rest. Read beside operations they are no snapshot. */
struct nw_table_stats {
	uint64_t pages_allocated; /* since init, roots included */
	uint64_t pages_freed;
	uint64_t pages_live; /* allocated - freed */
	uint64_t pages_peak;
	uint64_t quota_refusals; /* pages that were not taken: NW_E_QUOTA */
	uint64_t flushes;	 /* requests handed to the port */
	uint64_t flush_ranges;	 /* ranges in them */
	uint64_t flush_wholes;	 /* of them for the whole table */
	uint64_t flush_shared;	 /* not issued: another CPU's served as well */
	uint64_t splits;  /* live blocks (or annotations) broken up */
	uint64_t folds;	  /* tables collapsed or reclaimed */
	uint64_t run_breaks; /* contiguous runs broken up, and formed again */
	uint64_t run_forms;
	/* NW_MODE_SHARED: what operations cost one another */
	uint64_t retries; /* began again at the root, after a wait */
	uint64_t retries_max; /* in one wait: at most the port's patience */
	uint64_t busy;	  /* operations that gave up: NW_E_BUSY */
	uint64_t steals;  /* locked entries that a removal took */
};

/* Fields are private to src/table; the struct is here so that it can be
 * embedded and allocated statically. */
struct nw_table {
	const struct nw_format_ops *ops;
	const struct nw_port_ops *port;
	void *port_ctx;
	uint64_t virt_minus_phys;
	nw_pa_t root_pa; /* its entries are reached only through entry.h */
	uint64_t ia_limit; /* first address beyond: 2^ia_bits, 2^oa_bits */
	uint64_t oa_limit;
	struct nw_geometry geo;
	uint8_t mode;	/* enum nw_mode */
	uint8_t regime; /* enum nw_regime */
	uint16_t tag;
	uint8_t top_lg2; /* bytes that an entry of the root spans */
	uint64_t teardown_cursor;
	uint64_t tickets; /* operations that have locked an entry */
	uint8_t flush_policy; /* enum nw_flush_policy */
	uint64_t flush_turns; /* begun, and who waits for the next: flush.c */
	uint64_t flush_done;
	uint64_t pages_quota;
	uint64_t shortage; /* why there was no page, the last time */
	uint16_t node;
	uint8_t runs; /* enum nw_runs */
	struct nw_table_stats stats;
};

/* What a lookup found. */
struct nw_mapping {
	enum nw_entry_kind kind; /* LEAF, EMPTY or INVALID (annotated) */
	uint8_t level;		 /* where the walk ended */
	nw_ia_t base;		 /* start of the entry's span */
	nw_pa_t pa;		 /* LEAF: output for the address that was asked */
	nw_entry_t entry;	 /* its attributes: nw_mapping_attrs() */
};

/* ---- life ------------------------------------------------------------- */

/*
 * Make an empty table. The root comes from the port, zeroed by us.
 * NW_E_NULL, NW_E_CONFIG, NW_E_MODE, NW_E_UNSUPPORTED, NW_E_NOMEM, NW_E_QUOTA
 * (the root alone is more): *t is untouched and nothing is held.
 */
NW_MUST_CHECK enum nw_status nw_table_init(struct nw_table *t,
					   const struct nw_table_config *config,
					   struct nw_result *result);

/*
 * Detach and free at most `max_pages` table pages; NW_MORE until only the root
 * is left and empty. Cost follows what is mapped, not the size of the range.
 * max_pages 0: NW_E_EMPTY. Each chunk: unlink, flush, grace period, free.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Beside other operations it
 * removes what it finds: what is mapped behind it stays, and NW_OK says that
 * the root was seen empty, not that it is. It may free a little more than
 * max_pages when others add to a subtree while it is detached.
 */
NW_MUST_CHECK enum nw_status nw_table_teardown_step(struct nw_table *t,
						    unsigned max_pages);

/* Teardown in steps of 1,024 pages, then free the root. *t is zeroed.
 * In every mode: nobody else uses the table any more, hardware included. */
void nw_table_destroy(struct nw_table *t);

/* Root for VTTBR_EL2, TTBR0_EL2 ...; concatenated roots start here. */
static inline nw_pa_t nw_table_root(const struct nw_table *t)
{
	return t->root_pa;
}

struct nw_table_stats nw_table_stats(const struct nw_table *t);

/* ---- page caches ------------------------------------------------------ */

/*
 * Fill a cache up to `pages`. NW_E_NOMEM: keeps what it got. May be called
 * outside the table's lock (the port's allocator must allow that).
 */
NW_MUST_CHECK enum nw_status nw_cache_topup(struct nw_table *t,
					    struct nw_page_cache *cache,
					    unsigned pages);

/* Give all of a cache's pages back to the port. */
void nw_cache_drain(struct nw_table *t, struct nw_page_cache *cache);

/*
 * Where an operation takes table pages, NW_E_QUOTA stands beside NW_E_NOMEM, and
 * leaves behind what that leaves: the table has its pages_quota already. Pages
 * of a cache count when the table takes them.
 *
 * Most table pages that nw_map() with these arguments can take, whatever the
 * table holds: exact for an empty table. A cache with that many makes the call
 * all-or-nothing. 0 for a range that nw_map() would refuse.
 */
uint64_t nw_map_pages_max(const struct nw_table *t, nw_ia_t ia,
			  uint64_t size_bytes, nw_pa_t pa, unsigned max_level);

/* The same for nw_unmap(), nw_annotate(), nw_protect() and nw_split(), for any
 * range: a path of tables at either end.
 * NW_MODE_SHARED: pages of an attempt that another CPU spoiled go back to the
 * port, not to the cache, so a little more may be needed. */
unsigned nw_break_pages_max(const struct nw_table *t);

/* ---- operations ------------------------------------------------------- */

#define NW_LEVEL_ANY 0xffu

/*
 * Map [ia, ia + size_bytes) to pa onwards, with the largest leaf that fits
 * each segment (alignment of both addresses, rest of the range, the format's
 * leaf levels, max_level; NW_LEVEL_ANY for no limit). Existing tables are
 * filled, not replaced.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none against other maps and
 * readers, each entry is one compare-and-swap from empty. Flushes: nothing
 * needs it (only empty entries are written); the stores are visible to the
 * hardware walker on return.
 * cache: taken from first, then the port; may be NULL.
 *
 * Contiguous runs: enum nw_runs. With NW_RUNS_CALLER, RISC-V (Svnapot) takes one
 * member at a time, more are NW_E_ATTRS.
 *
 * NW_E_EXISTS       any part is mapped or annotated; nothing was changed
 * NW_E_RACED        NW_MODE_SHARED: another CPU mapped at result.reached while
 *                   we worked; everything below is ours. For one leaf (a fault)
 *                   this means that somebody did the work: resume
 * NW_E_BUSY         NW_MODE_SHARED: another CPU keeps the entry at
 *                   result.reached locked, for longer than we wait; everything
 *                   below is ours. Call again from there
 * NW_E_NOMEM        mapped up to result.reached, nothing beyond; no page is
 *                   lost. Impossible with nw_map_pages_max() pages in cache.
 * NW_E_EMPTY, _MISALIGNED, _OVERFLOW, _IA_RANGE, _OA_RANGE, _ATTRS, _LEVEL,
 * NW_E_CORRUPT      nothing was changed
 */
NW_MUST_CHECK enum nw_status nw_map(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, nw_pa_t pa,
				    const struct nw_attrs *attrs,
				    unsigned max_level,
				    struct nw_page_cache *cache,
				    struct nw_result *result);

/*
 * Unmap the range: nothing is there any more, no annotation either. Holes are
 * fine. Subtrees that lie inside it are dropped whole. What sticks out is split
 * first (break-before-make), which takes at most nw_break_pages_max() pages.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns.
 * NW_MODE_SHARED: no CPU can map a page again before the flush that removed it
 * is complete; a map meets a locked entry until then. An entry that another
 * operation keeps locked is taken from it where its whole span goes, and waited
 * for otherwise.
 * NW_E_NOMEM  what sticks out could not be split; nothing was unmapped
 *             (NW_MODE_SHARED: up to result.reached, if another CPU collapsed
 *             it again behind us)
 * NW_E_BUSY   NW_MODE_SHARED: another CPU keeps the entry at result.reached
 *             locked; everything below is unmapped and flushed. Call again from
 *             there
 * Others as nw_map().
 */
NW_MUST_CHECK enum nw_status nw_unmap(struct nw_table *t, nw_ia_t ia,
				      uint64_t size_bytes,
				      struct nw_page_cache *cache,
				      struct nw_result *result);

/* Told of a span of input addresses, by an operation that goes on when it
 * returns: it may be called inside the operation's section, and calls nothing
 * of this library. */
typedef void (*nw_range_fn)(void *arg, nw_ia_t ia, uint64_t size_bytes);

/*
 * nw_unmap(), and `dirty` is told of what hardware had marked dirty there:
 * of leaves and of whole subtrees, after the flush that ended all access to
 * them, before a table page is freed. Neighbours come as one span, in no order.
 * What is told cannot be written through this table any more. dirty: may be
 * NULL.
 *
 * NW_MODE_SHARED: where another operation's lock is stolen nobody can say what
 * it hides: its whole span is told.
 * Statuses, locks, flushes: as nw_unmap(); what was unmapped is told on failures
 * too. nw_table_teardown_step() has no such form: it ends the table's life, and
 * finds what others map behind it in no stated order. Where dirty state still
 * matters then, unmap the range with this call first.
 */
NW_MUST_CHECK enum nw_status nw_unmap_dirty(struct nw_table *t, nw_ia_t ia,
					    uint64_t size_bytes,
					    nw_range_fn dirty, void *arg,
					    struct nw_page_cache *cache,
					    struct nw_result *result);

/* ---- rights and state --------------------------------------------------- */

enum nw_protect {
	NW_PROTECT_RELAX,    /* add the rights; never removes one */
	NW_PROTECT_RESTRICT, /* remove the rights; never adds one */
};

/*
 * Add or remove rights (NW_PROT_*) of every leaf in the range. Holes are fine.
 * A block that sticks out is split first. RESTRICT that removes the write
 * right also clears DBM, so that hardware cannot give it back. Taking the last
 * right away is NW_E_ATTRS: that is nw_unmap()'s work.
 *
 * Locks: the table's writer. Flushes before it returns when a right went.
 * RELAX does not flush: a CPU that took a fault for the right may still hold the
 * narrower one in its TLB, and invalidates it locally.
 * NW_E_NOMEM  a boundary block could not be split; no right was changed.
 * NW_E_ATTRS  the format cannot express a result. Where that shows only at a
 *             leaf, result.reached says how far it came.
 */
NW_MUST_CHECK enum nw_status nw_protect(struct nw_table *t, nw_ia_t ia,
					uint64_t size_bytes,
					enum nw_protect how, unsigned prot,
					struct nw_page_cache *cache,
					struct nw_result *result);

/*
 * Take the write right of every leaf in the range, and hardware's right to give
 * it back (DBM). Holes are fine. A block that sticks out is split first.
 *
 * dirty: told of each leaf that hardware had marked dirty, since its mark goes
 * with the right; may be NULL. Everything that it is told is flushed when we
 * return: a later write faults.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns.
 * NW_E_NOMEM  a boundary block could not be split; nothing was changed
 * NW_E_BUSY   NW_MODE_SHARED: another CPU keeps the entry at result.reached
 *             locked; everything below is done. Call again from there.
 */
NW_MUST_CHECK enum nw_status
nw_write_protect(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
		 nw_range_fn dirty, void *arg, struct nw_page_cache *cache,
		 struct nw_result *result);

/*
 * Collect and clear what hardware recorded as written: `dirty` is told of each
 * dirty leaf, whole, even where the range covers only part of it. A write that
 * comes after the return is recorded again. Leaves whose dirty state hardware
 * does not record stay as they are.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns.
 * NW_E_BUSY as nw_write_protect().
 */
NW_MUST_CHECK enum nw_status
nw_harvest_dirty(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
		 nw_range_fn dirty, void *arg, struct nw_result *result);

enum nw_age {
	NW_AGE_TEST,  /* count accessed leaves */
	NW_AGE_CLEAR, /* and forget that they were accessed */
	NW_AGE_SET,   /* mark all as accessed (what an access-flag fault asks
		       * for); counts those that were not */
};

/*
 * Accessed leaves in the range, in *young; a leaf that lies partly in it
 * counts. Where the format records no accesses every leaf counts as accessed
 * and none can be cleared. Never flushes: a TLB may go on using a translation
 * without setting the flag again, which ages the page a round too early and
 * breaks nothing.
 *
 * Locks: the table's writer (NW_AGE_TEST: none but for NW_MODE_EXCLUSIVE);
 * NW_MODE_SHARED: none. *young counts what was reached, on failures too.
 * NW_E_BUSY as nw_write_protect().
 */
NW_MUST_CHECK enum nw_status nw_age(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, enum nw_age how,
				    uint64_t *young, struct nw_result *result);

/*
 * Split the block over `ia` until its leaf is of `level` or lower; one break,
 * whatever the number of levels. A contiguous run of `level` is split into its
 * members (NW_RUNS_AUTO). Already small enough: NW_OK. Translations,
 * rights, accessed and dirty state stay as they are.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns.
 * While the block is broken a lookup says NW_E_BUSY and a guest's access faults.
 * NW_E_ABSENT no leaf there. NW_E_LEVEL no such leaf level. NW_E_NOMEM,
 * NW_E_BUSY (as nw_map()): the table translates as before.
 */
NW_MUST_CHECK enum nw_status nw_split(struct nw_table *t, nw_ia_t ia,
				      unsigned level,
				      struct nw_page_cache *cache,
				      struct nw_result *result);

/*
 * Split every block that meets the range down to `level` (to do before dirty
 * logging what faults would otherwise do one by one). A block that lies inside
 * is replaced by a whole subtree, built in private, with one break; where the
 * budget or the range's end stands against that, level by level.
 *
 * budget_pages: table pages to build and runs to break at most; 0: NW_E_EMPTY.
 * Locks, flushes, other statuses: as nw_split().
 * NW_MORE     the budget is spent: call again from result.reached
 * NW_E_NOMEM, NW_E_BUSY  split up to result.reached, nothing beyond
 */
NW_MUST_CHECK enum nw_status nw_split_range(struct nw_table *t, nw_ia_t ia,
					    uint64_t size_bytes, unsigned level,
					    unsigned budget_pages,
					    struct nw_page_cache *cache,
					    struct nw_result *result);

/*
 * The reverse, in place: each table inside the range whose entries translate as
 * one leaf of at most `max_level` (NW_LEVEL_ANY) would is replaced by that leaf,
 * inner tables first. Rights, type and software bits must be the same in all;
 * the leaf is accessed, or dirty, if one of them was. With NW_RUNS_AUTO, leaves
 * inside the range that could be a contiguous run, on levels up to `max_level`,
 * become one; with NW_RUNS_CALLER members of runs stay as they are.
 *
 * Translations do not change, but for a moment they are gone (break-before-make
 * on every format: what is replaced is also frozen for software).
 *
 * budget_pages: tables to look at, at most; 0: NW_E_EMPTY.
 * Locks: the table's writer; NW_MODE_SHARED: none; a table in which another CPU
 * changes something meanwhile is left as it is. Flushes before it returns.
 * NW_MORE     the budget is spent: call again from result.reached. A table that
 *             begins below result.reached and ends above is for the next pass
 * NW_E_LEVEL, and what nw_unmap() refuses; no page is needed.
 */
NW_MUST_CHECK enum nw_status nw_collapse(struct nw_table *t, nw_ia_t ia,
					 uint64_t size_bytes,
					 unsigned max_level,
					 unsigned budget_pages,
					 struct nw_result *result);

/*
 * Free each table inside the range in which nothing is left, inner tables
 * first. budget_pages, locks, flushes and statuses: as nw_collapse().
 */
NW_MUST_CHECK enum nw_status nw_reclaim_tables(struct nw_table *t, nw_ia_t ia,
					       uint64_t size_bytes,
					       unsigned budget_pages,
					       struct nw_result *result);

/*
 * What is at `ia`. Never writes, never waits. NW_OK with kind EMPTY where
 * nothing is mapped. NW_E_BUSY where a writer is replacing the entry, or taking
 * its table away, right now: neither mapped nor unmapped, ask again.
 * NW_E_IA_RANGE, NW_E_NULL; NW_E_CORRUPT with `level` and `entry` filled in.
 * Locks: none but for NW_MODE_EXCLUSIVE (it enters the section itself).
 */
NW_MUST_CHECK enum nw_status nw_lookup(struct nw_table *t, nw_ia_t ia,
				       struct nw_mapping *out);

/*
 * Attributes of a mapping that nw_lookup() found: decodes `entry`, touches no
 * table. NW_E_WRONG_KIND when it is no leaf.
 */
NW_MUST_CHECK enum nw_status nw_mapping_attrs(const struct nw_table *t,
					      const struct nw_mapping *mapping,
					      struct nw_attrs *attrs);

/* ---- visitor walk ----------------------------------------------------- */

#define NW_VISIT_TABLE_PRE 0x1u	 /* before a table's entries */
#define NW_VISIT_LEAF 0x2u	 /* at each leaf */
#define NW_VISIT_TABLE_POST 0x4u /* after a table's entries */
#define NW_VISIT_EMPTY 0x8u	 /* at each entry that is not valid, also where
				  * an operation is at work on it (INVALID) */

/*
 * One visit. `old` is the entry as it was read, once, for this visit. After a
 * LEAF or TABLE_PRE visit the walk reads the entry again and decides on what
 * is there now whether to descend.
 */
struct nw_visit {
	nw_pteref_t ref;
	nw_entry_t old;
	nw_ia_t start; /* range of the walk */
	nw_ia_t end;
	nw_ia_t ia;	   /* where this entry's span begins */
	uint64_t span_bytes; /* how much it spans */
	uint8_t level;
	uint8_t flags; /* which NW_VISIT_* this is */
	const struct nw_format_ops *ops;
	const struct nw_geometry *geo;
	void *arg;
};

/* Return NW_OK to go on; anything else ends the walk with that status. */
typedef enum nw_status (*nw_visitor_fn)(const struct nw_visit *visit);

/*
 * Visit the range in address order; `flags` says at which entries.
 * Locks: as nw_lookup(). The whole walk is one read-side section.
 */
NW_MUST_CHECK enum nw_status nw_walk(struct nw_table *t, nw_ia_t ia,
				     uint64_t size_bytes, unsigned flags,
				     nw_visitor_fn visitor, void *arg,
				     struct nw_result *result);

#include <nestwalk/prepared.h>
#include <nestwalk/replace.h>
#include <nestwalk/gather.h>
#include <nestwalk/formats.h>

#endif
