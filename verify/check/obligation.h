/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations that are owed. Each entry that a TLB may hold in an older form
 * has one obligation, which goes through the phases of its regime:
 *
 *   stage 2:  store - DSB - IPAS2E1IS - DSB ISH - VMALLE1IS - DSB ISH - clean
 *   or        store - DSB - VMALLS12E1IS - DSB ISH - clean
 *   EL2:      store - DSB - VAE2IS - DSB ISH - clean
 *
 * The first DSB is the storing CPU's, or that of a CPU to which a lock passed
 * the store on. Then any CPU may invalidate, and the barriers that follow are
 * that CPU's. Several may do so side by side (one entry, two removals; a flush
 * that is shared): whichever of them comes to its barrier first serves, and
 * nobody's barrier completes what another CPU has issued.
 *
 * An obligation stands in one group: obligations of one table and VMID in one
 * phase. A barrier moves whole groups on, and does not look at what is in
 * them; an invalidation by address takes single ones out. Two indexes lead to
 * it: by input address, for invalidations, and by output address, for frames
 * that are reused (made when the first such question comes). Every event costs
 * what it moves, however many are outstanding.
 *
 * A subtree that is dropped whole has one obligation, until an invalidation
 * covers only part of it: then each leaf and table below gets its own.
 */
#ifndef NWV_CHECK_OBLIGATION_H
#define NWV_CHECK_OBLIGATION_H

#include "state.h"

/* The automaton of an entry. Without an obligation it is clean, or valid. */
enum nwv_phase {
	NWV_AWAIT_DSB,
	NWV_AWAIT_TLBI,
	NWV_AWAIT_MIDDLE,   /* stage 2: DSB between the two invalidations */
	NWV_AWAIT_COMBINED, /* stage 2: second invalidation */
	NWV_AWAIT_FINAL,
	NWV_CLEAN,
};

/* One obligation, put together from where its parts are kept. */
struct nwv_ob {
	struct nwv_mark armed;
	uint64_t ia;
	uint64_t oa; /* of the leaf, or of the table that was below */
	uint64_t before;
	uint64_t phase_seq; /* what began this phase */
	uint64_t first_seq; /* stage 2: the invalidation by IPA */
	uint16_t root;
	uint16_t tag;
	uint8_t level;
	uint8_t phase;
	uint8_t issuer; /* CPU whose barrier is awaited */
	uint8_t is_table;
	uint8_t is_subtree; /* stands for all that is below, too */
	uint8_t is_soft;    /* only remembers that a TLB may hold it */
	uint8_t is_local;   /* each CPU invalidates for itself: local.h */
	uint64_t owing;	    /* those that are waited for */
	uint64_t done;
	struct nwv_near near;
};

#define NWV_OB_TABLE   1u
#define NWV_OB_SUBTREE 2u
#define NWV_OB_SOFT    4u
#define NWV_OB_IN_OA   8u

/* What events touch; the rest is in nwv_ob_more, by the same number. */
struct nwv_ob_slot {
	uint64_t ia;
	uint64_t phase_seq; /* that brought it here; a group's may be later */
	uint32_t group;	    /* chains free ones */
	uint32_t pos;	    /* in its group */
	uint32_t gen;
	uint16_t root; /* 0: free */
	uint8_t level;
	uint8_t flags; /* NWV_OB_* */
};

struct nwv_ob_more {
	struct nwv_mark armed;
	uint64_t oa;
	uint64_t before;
	struct nwv_near near;
};

/* Chain of obligations with the same part of the output address. */
struct nwv_ob_link {
	uint32_t next, prev;
};

/* An obligation to put into the index by output address, if it is still the
 * same one. */
struct nwv_ob_todo {
	uint32_t number;
	uint32_t gen;
};

#define NWV_GROUP_FEW 4

struct nwv_group {
	uint32_t *member; /* numbers; 0: has left */
	uint32_t room;	  /* 0: `few` is meant */
	uint32_t used;
	uint32_t first; /* none before it */
	uint32_t live;
	uint64_t phase_seq; /* that moved the whole group here; or 0 */
	uint64_t last_seq;  /* of what armed its members */
	uint32_t next, prev;
	uint16_t root, tag;
	uint8_t phase;
	uint8_t cpu; /* that stored, or whose barrier is awaited */
	/* Other CPUs that have invalidated it, and whose next barrier that
	 * completes makes it clean, or ends stage 2's first round. */
	uint64_t also_final, also_middle;
	uint8_t is_first_round_over; /* of stage 2 */
	/* local.h */
	uint8_t is_global, is_soft;
	uint64_t owing, done; /* CPUs that have to invalidate; that did */
	uint64_t *stamp;      /* of those that did */
	uint64_t first_seq;   /* of what armed its members, the first one */
	uint32_t few[NWV_GROUP_FEW];
};

#define NWV_OB_CHUNK_LG2 9

struct nwv_ob_page {
	uint64_t key;
	uint64_t ia;
	uint16_t root;
	uint8_t level;
	uint32_t count; /* 0: free, `next` chains it */
	uint32_t next;
	uint32_t ob[1u << NWV_OB_CHUNK_LG2];
};

/*
 * Arm what a change of the entry at (root, level, ia) owes. An obligation that
 * is already there begins anew. Returns its number; 0: stopped.
 */
uint32_t nwv_ob_arm(struct nwv_check *c, const struct nwv_page *page,
		    unsigned index, uint64_t before, int is_soft);

/* The obligation of exactly this entry; 0: none. */
uint32_t nwv_ob_at(struct nwv_check *c, uint16_t root, unsigned level,
		   uint64_t ia);

void nwv_ob_get(const struct nwv_check *c, uint32_t number,
		struct nwv_ob *out);

/* Reported, or replaced: forget it. */
void nwv_ob_drop(struct nwv_check *c, uint32_t number);

/*
 * Call fn for each obligation of the table that meets [start, end), at the
 * levels in `levels`; soft ones too. fn may drop the one it is given. Ends
 * when fn says 0.
 */
typedef int nwv_ob_fn(struct nwv_check *c, uint32_t number, void *arg);
void nwv_ob_each(struct nwv_check *c, uint16_t root, unsigned levels,
		 uint64_t start, uint64_t end, nwv_ob_fn *fn, void *arg);

/*
 * First hard obligation of a leaf whose output meets [pa, pa + bytes).
 * Expands subtrees. 0: none.
 */
uint32_t nwv_ob_find_oa(struct nwv_check *c, uint64_t pa, uint64_t bytes);

/* This CPU has stolen the entry: the flush is its own to make, now. */
void nwv_ob_take_over(struct nwv_check *c, uint16_t root, unsigned level,
		      uint64_t ia);

void nwv_ob_tlbi(struct nwv_check *c, const struct nwv_inval *inval,
		 uint16_t tag, unsigned cpu);
void nwv_ob_barrier(struct nwv_check *c, unsigned kind, unsigned cpu);

/* What it lacks, after which event, and what came near. */
struct nwv_diagnosis {
	enum nwv_missing missing;
	uint64_t after;
	struct nwv_near near;
	uint64_t cpus; /* whose invalidation is missing */
};

void nwv_ob_diagnose(const struct nwv_check *c, uint32_t number,
		     struct nwv_diagnosis *d);

#endif
