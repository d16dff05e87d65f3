/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the oracle knows: table pages, tables, CPUs, locks, and invalidations
 * that are owed (obligation.h). Private to verify/check.
 *
 * Memory is kept in frames of 4 KiB whatever the granule: a table page of
 * 64 KiB or a run of concatenated root tables is several frames of one
 * allocation, each of which knows the input address of its first entry.
 */
#ifndef NWV_CHECK_STATE_H
#define NWV_CHECK_STATE_H

#include "decode.h"
#include "check.h"
#include "map.h"

#define NWV_FRAME_LG2	  12
#define NWV_FRAME_ENTRIES 512u
#define NWV_ROOTS_MAX	  65535 /* ever made in one trace */
#define NWV_REGIMES	  NW_REGIME_COUNT
#define NWV_RELEASED	  (UINT64_C(1) << 55)

/* ---- table pages ------------------------------------------------------- */

enum nwv_life {
	NWV_UNPUBLISHED, /* allocated; no walker can reach it */
	NWV_LINKED,	 /* in a live table */
	/* Not reachable from the root any more. Its flush is owed while
	 * nwv_page_flush_owed() says so; then it awaits a grace period if the
	 * table has readers. */
	NWV_UNLINKED,
	NWV_FREED,
};

struct nwv_page {
	uint64_t pa;
	uint64_t va;	 /* software's address of it */
	uint64_t ia;	 /* of its first entry, once placed */
	uint32_t head;	 /* number of the allocation's first frame */
	uint32_t frames; /* of the allocation; in the first one */
	uint16_t root;	 /* 0: not placed yet */
	uint8_t level;
	uint8_t life; /* enum nwv_life */
	uint8_t is_root;
	uint8_t is_open; /* root that nothing but its maker has used yet */
	uint16_t init_cpu;
	uint16_t inited;    /* entries written since allocation */
	/* Unlinked, but its parent is only locked: the owner may put it back,
	 * and who reached it before may still write to it. */
	uint8_t is_kept;
	uint32_t unlink_ob; /* the obligation its unlinking armed */
	uint32_t unlink_gen;
	uint64_t init_map[NWV_FRAME_ENTRIES / 64];
	uint64_t init_seq;	/* of the last store while unpublished */
	struct nwv_mark since;	/* what began its present life */
	struct nwv_mark linked; /* what made it reachable last */
	/* Last live writer of each entry, cpu + 1 << 56 | NWV_RELEASED | seq;
	 * NULL: none yet. */
	uint64_t *writer;
	uint64_t entry[NWV_FRAME_ENTRIES];
};

/* ---- tables ------------------------------------------------------------ */

/* Of groups of obligations. */
struct nwv_list {
	uint32_t first;
	uint32_t last;
};

struct nwv_root {
	struct nwv_shape shape;
	uint64_t pa;
	uint64_t lock; /* 0: no rule about it */
	uint64_t cpus; /* bit n: CPU n has had it installed */
	uint64_t cpus_now;
	struct nwv_mark init;
	uint32_t pending; /* obligations */
	uint32_t pending_level[NW_LEVELS_MAX];
	struct nwv_list await_tlbi;
	struct nwv_list await_combined;
	/* The last invalidation of a whole regime that did not serve, by
	 * reason, and of any address with another tag. */
	struct nwv_near early;	   /* NWV_WHY_EARLY */
	struct nwv_near local;	   /* NWV_WHY_LOCAL */
	struct nwv_near no_ipa;	   /* NWV_WHY_NO_IPA */
	struct nwv_near no_middle; /* NWV_WHY_NO_MIDDLE */
	struct nwv_near other_tag; /* NWV_WHY_TAG */
	struct nwv_local *by_cpu; /* of x86 and RISC-V: local.h */
	uint16_t tag;
	uint8_t is_live;
	uint8_t is_known;    /* we have a profile for it */
	uint8_t is_retagged; /* obligations may have an older tag */
	uint8_t has_readers; /* read inside a traced section */
	uint8_t mode;	     /* enum nw_mode + 1; 0: not told */
	uint8_t logs;	     /* dirty logs of it, open */
	uint32_t party;	     /* whose it is, + 1; 0: not told */
	/* attribute bits found good before, per level: checked once */
	uint64_t good_attrs[NW_LEVELS_MAX];
};

/* ---- CPUs, locks ------------------------------------------------------- */

struct nwv_cpu {
	struct nwv_list await_dsb;    /* stored here, not ordered yet */
	struct nwv_list await_middle; /* first invalidation issued here */
	struct nwv_list await_final;  /* last invalidation issued here */
	/* last barriers that were too weak to order a store before an
	 * invalidation, and to complete an invalidation */
	struct nwv_near weak_order;
	struct nwv_near weak_complete;
	uint64_t store_barrier_seq; /* last DMB ISHST or stronger */
	uint64_t section_seq;	    /* outermost open section */
	uint32_t section_depth;
	uint16_t installed[NWV_REGIMES]; /* root number; 0: unknown */
	uint16_t installed_tag[NWV_REGIMES];
	uint8_t is_seen;
	uint64_t told;	    /* events below it were passed on to others */
	uint64_t released;  /* the same, by a release store of an entry */
	uint64_t sent_seq;  /* last interrupt */
	uint32_t handlers;  /* of interrupts, that it is in */
	struct nwv_event entering; /* local_switch.c: a root, unflushed yet */
	struct nwv_mark tag_user;
	uint8_t has_sections; /* ever entered one */
	/* known[x]: events of CPU x up to this sequence (+1) happened before
	 * what this CPU does now, through locks. */
	uint64_t known[NWV_CPUS_MAX];
};

struct nwv_lock {
	struct nwv_mark taken;
	uint8_t is_held;
	uint64_t known[NWV_CPUS_MAX]; /* of its last holder, at release */
};

/* An entry that software locked (ENTRY_LOCK). */
struct nwv_entry_lock {
	uint64_t va;
	uint64_t token;
	struct nwv_mark taken;
};

/* ---- the rest ---------------------------------------------------------- */

struct nwv_range {
	uint64_t start;
	uint64_t end;
	uint64_t seq_sampled; /* sequence at begin, or after end */
	struct nwv_mark begin;
	uint8_t is_drained;
	uint8_t is_atomic;   /* its handler may not sleep */
	uint8_t has_ops;     /* its CPU told operations since it was drained */
	uint8_t is_removed;  /* and one of them was the removal, over now */
	uint8_t is_in_place; /* its CPU put another page in the place of one */
};

#define NWV_RANGES_OPEN_MAX 64
#define NWV_RANGES_CLOSED   256

struct nwv_notify {
	struct nwv_range open[NWV_RANGES_OPEN_MAX];
	struct nwv_range closed[NWV_RANGES_CLOSED]; /* a ring */
	unsigned opened;
	unsigned closed_next;
};

/* Last table that used a VMID. */
struct nwv_tag_use {
	struct nwv_mark installed;
	uint16_t root;
	uint8_t is_flushed; /* all of it, since then */
	uint8_t cpu;	    /* + 1, where each CPU has tags of its own */
	uint8_t regime;
};

struct nwv_ob_slot;
struct nwv_ob_more;
struct nwv_ob_link;
struct nwv_ob_todo;
struct nwv_ob_page;
struct nwv_group;
struct nwv_rule_def;
struct nwv_ipi;
struct nwv_local;

#define NWV_ON_BITS	 32
#define NWV_RULES_PER_ON 32

struct nwv_check {
	struct nwv_check_config config;
	enum nwv_check_status stopped; /* MALFORMED, INTERNAL; or CLEAN */
	char problem[160];
	char unsupported[160];
	uint64_t next_seq;
	const struct nwv_event *now; /* NULL after the end */
	uint8_t is_ended;

	/* table pages by number, 1-based */
	struct nwv_page **page;
	uint32_t pages, page_room;
	struct nwv_map page_by_va, page_by_pa;
	uint64_t last_va; /* frame number and page of the last lookup */
	struct nwv_page *last_page;

	struct nwv_root *root; /* 1-based */
	uint32_t roots, root_room;

	struct nwv_cpu cpu[NWV_CPUS_MAX];
	uint64_t cpus_seen, cpus_await_dsb;
	uint64_t cpus_also; /* that may stand in a group's also_* */
	struct nwv_lock **lock; /* 1-based */
	uint32_t locks, lock_room;
	struct nwv_map lock_by_address;
	struct nwv_entry_lock *entry_lock; /* 1-based; va 0: free */
	uint32_t entry_locks, entry_lock_room;
	struct nwv_map entry_lock_by_va;
	struct nwv_notify *notify;   /* made at the first such event */
	struct nwv_tag_use *tag_use; /* 1-based */
	uint32_t tag_uses, tag_use_room;
	struct nwv_map tag_use_by_tag;
	struct nwv_map owner_by_frame; /* owner + 1 of each 4 KiB */
	uint64_t grace_seq;	       /* last grace period + 1 */
	uint64_t watch;	      /* local.h: CPUs whose next event is looked at */
	uint8_t is_tso;	      /* x86: stores are seen in order */
	struct nwv_ipi **ipi; /* ipi.c; 1-based */
	uint32_t ipis, ipi_room, ipi_free;
	struct nwv_map ipi_by_key;

	/* track.h; each made by the first event that is about it */
	uint8_t watch_write; /* NWV_WATCH_*: who looks at stores */
	uint8_t watch_leaf;  /* ... and at leaves that become reachable */
	struct nwv_ops *ops;
	struct nwv_runs *runs;
	struct nwv_logs *logs;
	struct nwv_slots *slots;
	struct nwv_books *books;

	/* obligation.c; `ob`, `ob_more` and `ob_oa` by the same number */
	struct nwv_ob_slot *ob; /* 1-based */
	struct nwv_ob_more *ob_more;
	uint32_t obs, ob_room, ob_more_room, ob_free, ob_used;
	uint32_t subtrees;	      /* of them, not expanded */
	struct nwv_ob_page **ob_page; /* 1-based */
	uint32_t ob_pages, ob_page_room, ob_page_free;
	struct nwv_map ob_page_by_key;
	struct nwv_ob_page *last_ob_page; /* found last */
	/* groups.c */
	struct nwv_group *group; /* 1-based */
	uint32_t groups, group_room, group_free;
	/* outputs.c */
	struct nwv_ob_link *ob_oa;
	uint32_t ob_oa_room;
	uint32_t *by_oa; /* heads of chains */
	uint32_t by_oa_lg2;
	struct nwv_ob_todo *oa_todo;
	uint32_t oa_todos, oa_todo_room;

	/* rules by number, and which of them each kind of facts concerns */
	const struct nwv_rule_def *rule[NWV_RULES_MAX];
	uint8_t rules_on[NWV_ON_BITS][NWV_RULES_PER_ON];
	uint8_t rules_on_count[NWV_ON_BITS];

	/* verdicts */
	struct nwv_violation *violation;
	size_t violations, violation_room;
	uint64_t dropped;
	size_t bytes; /* pages and lazily made arrays; maps are counted apart */
};

/* Grow `*array` so that element `index` exists; new elements are zero. -1: no
 * memory, and the check is stopped. */
int nwv_room(struct nwv_check *c, void **array, uint32_t *room, uint32_t index,
	     size_t element);

void nwv_stop(struct nwv_check *c, enum nwv_check_status why,
	      const char *format, ...) __attribute__((format(printf, 3, 4)));

struct nwv_mark nwv_mark_of(const struct nwv_event *event);

/* ---- pages.c ----------------------------------------------------------- */

struct nwv_page *nwv_page_find_va(struct nwv_check *c, uint64_t va);

static inline struct nwv_page *nwv_page_at_va(struct nwv_check *c, uint64_t va)
{
	if (c->last_page && c->last_va == va >> NWV_FRAME_LG2)
		return c->last_page;
	return nwv_page_find_va(c, va);
}

/* NULL: none */
struct nwv_page *nwv_page_at_pa(const struct nwv_check *c, uint64_t pa);

/* Frame `n` of the allocation that this one begins; NULL past its end. */
struct nwv_page *nwv_page_frame(const struct nwv_check *c,
				const struct nwv_page *head, unsigned n);

/* PAGE_ALLOC: frames of [pa, pa + bytes). NULL: stopped. */
struct nwv_page *nwv_page_alloc(struct nwv_check *c, uint64_t pa,
				uint64_t bytes, uint64_t va);

int nwv_page_flush_owed(const struct nwv_check *c, const struct nwv_page *p);

/* Frames of one table page of this shape. */
static inline unsigned nwv_table_frames(const struct nwv_shape *s)
{
	return 1u << (s->granule_lg2 - NWV_FRAME_LG2);
}

static inline unsigned nwv_page_index(uint64_t va)
{
	return (unsigned)(va >> 3) & (NWV_FRAME_ENTRIES - 1);
}

static inline uint64_t nwv_entry_ia(const struct nwv_check *c,
				    const struct nwv_page *p, unsigned index)
{
	return p->ia + ((uint64_t)index
			<< nwv_span_lg2(&c->root[p->root].shape, p->level));
}

static inline int nwv_page_is_inited(const struct nwv_page *p, unsigned index)
{
	return p->init_map[index / 64] >> (index % 64) & 1;
}

static inline void nwv_page_note_init(struct nwv_page *p, unsigned index)
{
	uint64_t bit = UINT64_C(1) << (index % 64);

	p->inited += !(p->init_map[index / 64] & bit);
	p->init_map[index / 64] |= bit;
}

/* ---- sync.c ------------------------------------------------------------ */

/* Did event `seq` of CPU `by` happen before what CPU `here` does now? */
static inline int nwv_known(const struct nwv_check *c, unsigned by,
			    uint64_t seq, unsigned here)
{
	return by == here || c->cpu[here].known[by] > seq;
}

void nwv_cpu_first_seen(struct nwv_check *c, unsigned cpu);
/* NULL: stopped. */
struct nwv_lock *nwv_lock_at(struct nwv_check *c, uint64_t address);
void nwv_lock_take(struct nwv_check *c, struct nwv_lock *lock);
void nwv_lock_drop(struct nwv_check *c, struct nwv_lock *lock);
/* An atomic of this CPU found what CPU `by` had stored with release: what that
 * CPU did before is known here. */
void nwv_entry_learn(struct nwv_check *c, unsigned by, uint64_t seq);
struct nwv_entry_lock *nwv_entry_lock_at(const struct nwv_check *c,
					 uint64_t va);
void nwv_entry_lock_set(struct nwv_check *c, uint64_t va, uint64_t token);
void nwv_entry_lock_clear(struct nwv_check *c, uint64_t va);
/* NULL: stopped. */
struct nwv_tag_use *nwv_tag_use_at(struct nwv_check *c, uint16_t tag);
/* The same by a key of more than a tag. */
struct nwv_tag_use *nwv_tag_use_of(struct nwv_check *c, uint64_t key);

/* Can no CPU but this one walk the table? Known only from ROOT_SWITCH. */
static inline int nwv_root_is_private(const struct nwv_root *r, unsigned cpu)
{
	return r->cpus == UINT64_C(1) << cpu;
}

#endif
