/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fixmap: short-lived windows of one CPU onto any physical page.
 *
 * Each CPU has a few slots of address space whose entries are resolved once,
 * at initialisation. Mapping writes one entry; unmapping clears it. What lies
 * between is when the old translation is gone from every TLB that may hold it,
 * and there are three answers (docs/adr/0004-fixmap-strategies.md):
 *
 *   BROADCAST     one table for all CPUs; each unmap invalidates everywhere
 *                 before it returns.
 *   BATCHED       one table for all CPUs; an unmapped slot is *retiring*: its
 *                 entry is invalid, its address not used again. One
 *                 invalidation for everybody retires many slots.
 *   PRIVATE_ROOT  each CPU walks a root of its own; only that root reaches its
 *                 slots, so that invalidating locally is enough.
 *
 * A CPU's slots are used by that CPU only, which stays itself from map to
 * unmap (no migration, no exception that uses the fixmap in between), so that
 * no call here takes a lock. The exception is nw_fixmap_retire().
 *
 * Windows need not be closed in the order in which they were opened.
 */
#ifndef NESTWALK_FIXMAP_H
#define NESTWALK_FIXMAP_H

#include <nestwalk/table.h>

enum nw_fixmap_strategy {
	NW_FIXMAP_BROADCAST,
	NW_FIXMAP_BATCHED,
	NW_FIXMAP_PRIVATE_ROOT,
	NW_FIXMAP_STRATEGIES,
};

enum nw_fixmap_kind {
	NW_FIXMAP_PAGE,	 /* a leaf of level 0 */
	NW_FIXMAP_BLOCK, /* a leaf of level 1 */
	NW_FIXMAP_KINDS,
};

enum {
	NW_FIXMAP_CPUS_MAX = 8,
	NW_FIXMAP_SLOTS_MAX = 16, /* of one kind, of one CPU */
};

/* An open window. Copies of it die together with it: see nw_fixmap_unmap(). */
struct nw_fixmap_window {
	void *address; /* NULL once it was closed */
	uint32_t generation;
	uint8_t kind; /* enum nw_fixmap_kind */
	uint8_t cpu;
	uint8_t slot;
};

struct nw_fixmap_stats {
	uint64_t maps;
	uint64_t unmaps;
	uint64_t broadcasts; /* invalidations of all CPUs */
	uint64_t locals;     /* invalidations of the own CPU */
};

struct nw_fixmap_config {
	enum nw_fixmap_strategy strategy;
	unsigned cpus; /* 1 to NW_FIXMAP_CPUS_MAX */
	/* Slots of each CPU, by enum nw_fixmap_kind, up to NW_FIXMAP_SLOTS_MAX
	 * each. They are the nesting limit. */
	unsigned slots[NW_FIXMAP_KINDS];
	/* BATCHED: a CPU that has so many retiring slots retires them at once;
	 * 1 to the sum of slots[]. 0: when none is free. Others: 0. */
	unsigned batch;
	/*
	 * The table, stage 1, in the order of CPUs: PRIVATE_ROOT has one for
	 * each CPU, no two the same; the others have one.
	 *
	 * PRIVATE_ROOT: a CPU's TTBR holds its own root, with CnP = 0, always.
	 * All roots map the same besides, and that is fixed before the first
	 * window is opened or changed in every root by the caller. No table
	 * page with a slot is linked into another root.
	 */
	struct nw_table *table[NW_FIXMAP_CPUS_MAX];
	/* Address space for the slots: nw_fixmap_span() bytes that nobody else
	 * uses, in every table; a multiple of a level-1 leaf. */
	nw_ia_t start;
	struct nw_page_cache *cache; /* for table pages; may be NULL */
};

/* The rest is private to src/fixmap; it is here so that the caller can embed
 * it and give it memory. */

struct nw_fixmap_slot {
	nw_pteref_t ref;
	nw_entry_t entry; /* what we wrote there last */
	uint32_t generation;
	uint8_t state;
};

struct nw_fixmap_cpu {
	struct nw_table *table;
	/* Retiring slots: written by this CPU, read by nw_fixmap_retire(). */
	uint64_t retiring;
	struct nw_fixmap_stats stats;
	uint8_t next[NW_FIXMAP_KINDS]; /* slot to try first */
	struct nw_fixmap_slot slot[NW_FIXMAP_KINDS][NW_FIXMAP_SLOTS_MAX];
} __attribute__((aligned(64)));

struct nw_fixmap {
	enum nw_fixmap_strategy strategy;
	unsigned cpus;
	unsigned slots[NW_FIXMAP_KINDS];
	unsigned batch;
	uint64_t base[NW_FIXMAP_KINDS]; /* of the first CPU's slots */
	struct nw_fixmap_cpu cpu[NW_FIXMAP_CPUS_MAX];
};

/* Bytes of address space that slots of this configuration take in all. Of the
 * configuration it reads cpus, slots and table[0]. 0: refused by init. */
uint64_t nw_fixmap_span(const struct nw_fixmap_config *config);

/*
 * Resolve every slot, building tables down to them. They stay until the table
 * is destroyed; there is nothing else to undo.
 *
 * Locks: the writer of every table; no window is open.
 * NW_E_CONFIG       strategy, cpus, slots, batch or table refused:
 *                   result.argument names the field
 * NW_E_NULL         fm, config or config.table
 * NW_E_UNSUPPORTED  PRIVATE_ROOT, but the port has no invalidate_local
 * NW_E_LEVEL        blocks asked for, but the format has none at level 1
 * NW_E_MISALIGNED, NW_E_IA_RANGE, NW_E_EXISTS, NW_E_NOMEM, NW_E_CORRUPT
 *                   about config.start; result.reached is the slot's address.
 *                   Tables built so far stay, empty; *fm is unusable.
 */
NW_MUST_CHECK enum nw_status
nw_fixmap_init(struct nw_fixmap *fm, const struct nw_fixmap_config *config,
	       struct nw_result *result);

/*
 * Open a window onto the page or block at `pa`. On return this CPU may use
 * window->address. The attributes need NW_LEAF_ACCESSED and must not have
 * NW_LEAF_DBM: hardware never writes a slot's entry.
 *
 * Locks: none; on CPU `cpu`. Flushes: BATCHED, when no slot is free: the
 * retiring ones, by one broadcast.
 * NW_E_LIMIT       all slots of this kind are open windows: close one
 * NW_E_MISALIGNED, NW_E_OA_RANGE, NW_E_ATTRS  about pa and attrs
 * NW_E_WRONG_CPU   no such CPU. NW_E_WRONG_KIND: no such kind. NW_E_NULL
 * After a failure no window is open and *window is untouched.
 */
NW_MUST_CHECK enum nw_status nw_fixmap_map(struct nw_fixmap *fm, unsigned cpu,
					   enum nw_fixmap_kind kind, nw_pa_t pa,
					   const struct nw_attrs *attrs,
					   struct nw_fixmap_window *window);

/*
 * Close a window. Its address is dead on return, and so are copies of
 * *window: using one is answered with NW_E_ABSENT. The address itself faults
 * on use; with BATCHED perhaps only once the slot has been retired.
 *
 * When may the page change owner or attributes? BROADCAST, PRIVATE_ROOT: from
 * now on. BATCHED: after nw_fixmap_retire().
 *
 * Locks: none; on CPU `cpu`. Flushes: BROADCAST on all CPUs, PRIVATE_ROOT on
 * this one, BATCHED when the batch is full.
 * NW_E_ABSENT      it was closed before
 * NW_E_WRONG_KIND  the window is of another kind than `kind`
 * NW_E_WRONG_CPU   the window is another CPU's
 * NW_E_NULL        After a failure nothing is changed.
 */
NW_MUST_CHECK enum nw_status nw_fixmap_unmap(struct nw_fixmap *fm, unsigned cpu,
					     enum nw_fixmap_kind kind,
					     struct nw_fixmap_window *window);

/* What nw_fixmap_with() runs: the window's address, and the caller's `arg`. */
typedef enum nw_status (*nw_fixmap_fn)(void *address, void *arg);

/*
 * Open a window, run `fn` on it, close it. Windows may nest inside `fn`.
 * The status of nw_fixmap_map(), or else of `fn`, or else of nw_fixmap_unmap().
 * Locks: none; on CPU `cpu`.
 */
NW_MUST_CHECK enum nw_status nw_fixmap_with(struct nw_fixmap *fm, unsigned cpu,
					    enum nw_fixmap_kind kind,
					    nw_pa_t pa,
					    const struct nw_attrs *attrs,
					    nw_fixmap_fn fn, void *arg);

/*
 * On return no CPU reaches a page through a window that was closed before the
 * call, on whatever CPU that was: to be called by every transition of a page's
 * owner or attributes, and from time to time, so that retiring has a bound in
 * time too. Closing must have happened before the call in the memory model's
 * sense; the lock that guards the page's ownership sees to that. Windows that
 * are open stay so: that none is open on the page is the caller's to know.
 *
 * Locks: none; on CPU `cpu`, beside any other call on other CPUs. Flushes: one
 * broadcast if any slot of any CPU is retiring, else nothing.
 * NW_E_WRONG_CPU, NW_E_NULL.
 */
NW_MUST_CHECK enum nw_status nw_fixmap_retire(struct nw_fixmap *fm,
					      unsigned cpu);

/* Sums over all CPUs; exact while none is inside the fixmap. */
struct nw_fixmap_stats nw_fixmap_stats(const struct nw_fixmap *fm);

#endif
