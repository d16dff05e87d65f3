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
	/* Any number of nw_map(), lookups and walks at once, on any CPU. Every
	 * other operation still excludes maps: a read-write lock with nw_map()
	 * on its read side, or none where the caller can promise that. Refused
	 * by a port that has no grace period. */
	NW_MODE_SHARED,
};

struct nw_table;
struct nw_format_ops;

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
};

struct nw_table_stats {
	uint64_t pages_allocated; /* since init, roots included */
	uint64_t pages_freed;
	uint64_t pages_live; /* allocated - freed */
	uint64_t pages_peak;
	uint64_t flushes; /* requests handed to the port */
	uint64_t splits;  /* live blocks broken up */
};

/* Fields are private to src/table; the struct is here so that it can be
 * embedded and allocated statically. */
struct nw_table {
	const struct nw_format_ops *ops;
	const struct nw_port_ops *port;
	void *port_ctx;
	uint64_t virt_minus_phys;
	nw_pa_t root_pa; /* its entries are reached only through entry.h */
	struct nw_geometry geo;
	uint8_t mode;	/* enum nw_mode */
	uint8_t regime; /* enum nw_regime */
	uint16_t tag;
	uint64_t teardown_cursor;
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
 * NW_E_NULL, NW_E_CONFIG, NW_E_MODE, NW_E_UNSUPPORTED, NW_E_NOMEM: *t is
 * untouched and nothing is held.
 */
NW_MUST_CHECK enum nw_status nw_table_init(struct nw_table *t,
					   const struct nw_table_config *config,
					   struct nw_result *result);

/*
 * Detach and free at most `max_pages` table pages; NW_MORE until only the root
 * is left and empty. Cost follows what is mapped, not the size of the range.
 * max_pages 0: NW_E_EMPTY. Each chunk: unlink, flush, grace period, free.
 */
NW_MUST_CHECK enum nw_status nw_table_teardown_step(struct nw_table *t,
						    unsigned max_pages);

/* Teardown in steps of 1,024 pages, then free the root. *t is zeroed. */
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
 * Most table pages that nw_map() with these arguments can take, whatever the
 * table holds: exact for an empty table. A cache with that many makes the call
 * all-or-nothing. 0 for a range that nw_map() would refuse.
 */
uint64_t nw_map_pages_max(const struct nw_table *t, nw_ia_t ia,
			  uint64_t size_bytes, nw_pa_t pa, unsigned max_level);

/* The same for nw_unmap(), nw_protect() and nw_split(), for any range. */
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
 * NW_E_EXISTS       any part is mapped or annotated; nothing was changed
 * NW_E_RACED        NW_MODE_SHARED: another CPU mapped at result.reached while
 *                   we worked; everything below is ours. For one leaf (a fault)
 *                   this means that somebody did the work: resume
 * NW_E_BUSY         NW_MODE_SHARED: result.reached is being replaced; retry
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
 * Unmap the range. Holes are fine. Subtrees that lie inside it are dropped
 * whole. A block that sticks out is split first (break-before-make), which
 * takes at most nw_break_pages_max() pages.
 *
 * Locks: the table's writer. Flushes before it returns.
 * NW_E_NOMEM  a boundary block could not be split; nothing was unmapped.
 * Others as nw_map().
 */
NW_MUST_CHECK enum nw_status nw_unmap(struct nw_table *t, nw_ia_t ia,
				      uint64_t size_bytes,
				      struct nw_page_cache *cache,
				      struct nw_result *result);

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
 * Split the block over `ia` until its leaf is of `level` or lower; one break,
 * whatever the number of levels. Already small enough: NW_OK.
 * NW_E_ABSENT no leaf there. NW_E_LEVEL no such leaf level. NW_E_NOMEM:
 * nothing was changed.
 */
NW_MUST_CHECK enum nw_status nw_split(struct nw_table *t, nw_ia_t ia,
				      unsigned level,
				      struct nw_page_cache *cache,
				      struct nw_result *result);

/*
 * What is at `ia`. Never writes, never waits. NW_OK with kind EMPTY where
 * nothing is mapped. NW_E_BUSY where a writer is replacing the entry right now
 * (NW_MODE_READERS): neither mapped nor unmapped, ask again. NW_E_IA_RANGE,
 * NW_E_NULL; NW_E_CORRUPT with `level` and `entry` filled in.
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
#define NW_VISIT_EMPTY 0x8u	 /* at each entry that is not valid */

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

/* ---- formats ---------------------------------------------------------- */

/*
 * A format and the engine compiled for it. The pure part needs no table.
 */
struct nw_format_ops {
	const char *name;
	uint8_t trace_id; /* enum nw_format_id: how a trace names the format */
	uint8_t regimes;  /* who walks it: bit n for enum nw_regime n */
	enum nw_status (*geometry)(const struct nw_format_config *config,
				   struct nw_geometry *geo,
				   const char **argument);
	enum nw_status (*encode_leaf)(const struct nw_geometry *geo,
				      unsigned level, nw_pa_t pa,
				      const struct nw_attrs *attrs,
				      nw_entry_t *entry);
	void (*decode)(const struct nw_geometry *geo, unsigned level,
		       nw_entry_t entry, struct nw_decoded *out);
	int (*change_needs_break)(const struct nw_geometry *geo,
				  unsigned level, nw_entry_t old,
				  nw_entry_t new_entry);
	enum nw_status (*map)(struct nw_table *, nw_ia_t, uint64_t, nw_pa_t,
			      const struct nw_attrs *, unsigned,
			      struct nw_page_cache *, struct nw_result *);
	enum nw_status (*unmap)(struct nw_table *, nw_ia_t, uint64_t,
				struct nw_page_cache *, struct nw_result *);
	enum nw_status (*protect)(struct nw_table *, nw_ia_t, uint64_t,
				  enum nw_protect, unsigned,
				  struct nw_page_cache *, struct nw_result *);
	enum nw_status (*split)(struct nw_table *, nw_ia_t, unsigned,
				struct nw_page_cache *, struct nw_result *);
	enum nw_status (*lookup)(struct nw_table *, nw_ia_t,
				 struct nw_mapping *);
	enum nw_status (*walk)(struct nw_table *, nw_ia_t, uint64_t, unsigned,
			       nw_visitor_fn, void *, struct nw_result *);
	enum nw_status (*teardown_step)(struct nw_table *, unsigned);
	enum nw_status (*slot_prepare)(struct nw_table *, nw_ia_t, unsigned,
				       struct nw_page_cache *, nw_pteref_t *);
};

extern const struct nw_format_ops nw_arm64_s2_ops;  /* arm64 stage 2 */
extern const struct nw_format_ops nw_arm64_el2_ops; /* arm64 stage 1 for EL2 */

#endif
