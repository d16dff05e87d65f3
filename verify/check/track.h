/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered beyond entries and what they owe: open operations,
 * contiguous runs that were touched, dirty logs, slots, and the books of the
 * parties that own pages. None of it exists until an event is about it, and a
 * trace without such events pays one test a store. Private to verify/check.
 */
#ifndef NWV_CHECK_TRACK_H
#define NWV_CHECK_TRACK_H

#include <nestwalk/table.h>

#include "step.h"

/* nwv_check.watch_write, .watch_leaf */
#define NWV_WATCH_OP	1u
#define NWV_WATCH_LOG	2u
#define NWV_WATCH_RANGE 4u /* an open range that was emptied */
#define NWV_WATCH_OWNER 8u /* tables have parties */

/* ---- step_op.c: operations --------------------------------------------- */

#define NWV_OP_DEPTH 4 /* an ownership operation, and what it is made of */

/* An obligation that the operation armed. */
struct nwv_op_ob {
	uint32_t number;
	uint32_t gen;
	uint64_t where; /* input address | level << 1 | it is a subtree */
};

/* A leaf that the operation broke, and may make again. */
struct nwv_op_broken {
	uint64_t va;
	uint64_t ia;
	uint64_t before;
	uint8_t level;
};

struct nwv_op {
	struct nwv_mark begin;
	uint64_t start;
	uint64_t end;
	uint16_t root;	 /* 0: of no one table */
	uint8_t op;	 /* enum nw_op */
	uint8_t mode;	 /* enum nw_mode + 1; 0: not told */
	uint8_t has_due; /* dirty state that must be logged by its end */
	struct nwv_op_ob *ob;
	uint32_t obs, ob_room;
	struct nwv_op_broken *broken;
	uint32_t brokens, broken_room;
	uint64_t *run; /* software's addresses of their first entries */
	uint32_t runs, run_room;
	struct nwv_undo *undo; /* step_owner.c */
	uint32_t undos, undo_room;
};

/*
 * How far one CPU's own flushes are, in sequence numbers: all that was stored
 * below. An obligation follows the first invalidation that serves it, which may
 * be another CPU's; this says whether a CPU has done all by itself.
 */
struct nwv_own_flush {
	uint64_t ordered;   /* by its last DSB */
	uint64_t by_ipa;    /* stage 2 invalidated */
	uint64_t middle;    /* and that completed */
	uint64_t issued[2]; /* last invalidation: stage 2, others */
	uint64_t served[2]; /* and that completed */
};

struct nwv_ops {
	struct nwv_own_flush own[NWV_CPUS_MAX];
	uint32_t open;	/* of all CPUs */
	uint32_t moves; /* of them, of ownership */
	uint8_t depth[NWV_CPUS_MAX];
	struct nwv_op *at[NWV_CPUS_MAX][NWV_OP_DEPTH]; /* kept for the next */
};

void nwv_step_op(struct nwv_check *c, const struct nwv_event *e);
void nwv_ops_free(struct nwv_check *c);
int nwv_op_is_move(unsigned op); /* of ownership */

/* The innermost open operation of this CPU on this table; NULL: none. */
struct nwv_op *nwv_op_on(const struct nwv_check *c, unsigned cpu,
			 uint16_t root);
/* The innermost one of ownership; NULL: none. */
struct nwv_op *nwv_op_move(const struct nwv_check *c, unsigned cpu);

/* A store to a reachable entry; what it replaces is still below. */
void nwv_op_write(struct nwv_check *c, const struct nwv_page *p, unsigned index,
		  uint64_t before, uint64_t after);
/* A barrier or an invalidation, while an operation is open. */
void nwv_op_barrier(struct nwv_check *c, const struct nwv_event *e);
void nwv_op_tlbi(struct nwv_check *c, const struct nwv_inval *v, unsigned cpu);
/* It armed an obligation. */
void nwv_op_armed(struct nwv_check *c, uint16_t root, uint32_t ob);

/* The mode in which this CPU writes the table now: enum nw_mode + 1. */
static inline unsigned nwv_mode_of(const struct nwv_check *c, uint16_t root,
				   unsigned cpu)
{
	const struct nwv_op *op =
		c->watch_write & NWV_WATCH_OP ? nwv_op_on(c, cpu, root) : NULL;

	return op && op->mode ? op->mode : c->root[root].mode;
}

/* ---- step_run.c: contiguous runs ---------------------------------------- */

/* Touched outside every operation: judged at the end. */
struct nwv_runs {
	uint64_t *run;
	uint32_t runs, run_room;
	struct nwv_map known;
};

/* Formats that have runs mark their members with one of these bits. */
#define NWV_RUN_BITS (UINT64_C(1) << 52 | UINT64_C(1) << 63)

/* Entries of a run at this level, as a logarithm; 0: it has none. */
static inline unsigned nwv_run_lg2(const struct nwv_shape *s, unsigned level)
{
	return s->decoder ? 0 : nwv_a64_contig_lg2(s, level);
}

/* One of the two values may be a member. */
void nwv_run_touch(struct nwv_check *c, const struct nwv_page *p,
		   unsigned index, uint64_t before, uint64_t after);
void nwv_run_return(struct nwv_check *c, struct nwv_op *op);
void nwv_run_end(struct nwv_check *c);
void nwv_runs_free(struct nwv_check *c);

/* ---- step_log.c: dirty logs --------------------------------------------- */

/* Something that must reach a log. */
struct nwv_unlogged_item {
	struct nwv_mark since;
	uint64_t ia;
	uint32_t frames; /* not logged yet; 0: free, `next` chains it */
	uint32_t next;
	uint8_t why;	/* enum nwv_unlogged */
	uint8_t has_op; /* due when this CPU's operation begun at op_seq ends */
	uint16_t cpu;
	uint64_t op_seq;
};

struct nwv_span {
	uint64_t start;
	uint64_t end;
};

struct nwv_log {
	struct nwv_mark begin;
	uint64_t start;
	uint64_t end;
	uint16_t root; /* 0: free */
	/* Where nothing can be written unseen: the write-protect is flushed. */
	struct nwv_span *armed;
	uint32_t armeds, armed_room;
	/* 4 KiB of input addresses to an item, or NWV_FRAME_LOGGED */
	struct nwv_map frame;
	struct nwv_unlogged_item *item; /* 1-based */
	uint32_t items, item_room, item_free;
};

#define NWV_FRAME_LOGGED UINT32_MAX /* and writable since */

/* A page that was dropped while its range was logged. */
struct nwv_dropped {
	struct nwv_mark since;
	uint64_t pa; /* 0: free */
	uint64_t seen[NWV_FRAME_ENTRIES / 64];
};

struct nwv_logs {
	struct nwv_log *log;
	uint32_t logs, log_room;
	struct nwv_dropped *dropped; /* 1-based */
	uint32_t droppeds, dropped_room, dropped_free;
	struct nwv_map dropped_by_pa;
};

/* Parts of [start, end) of a table that are logged, and armed. */
int nwv_log_covers(const struct nwv_check *c, uint16_t root, uint64_t start,
		   uint64_t end);
/* They must be logged, by the end of `op` where it is told. */
void nwv_log_owe(struct nwv_check *c, uint16_t root, struct nwv_op *op,
		 uint64_t start, uint64_t end, enum nwv_unlogged why);
/* Does hardware record that this leaf was written? */
int nwv_leaf_is_tracked(const struct nwv_shape *s, const struct nwv_leaf *leaf);
/* ... and did it? */
int nwv_leaf_is_dirty(const struct nwv_shape *s, const struct nwv_leaf *leaf);

void nwv_step_log(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_access(struct nwv_check *c, const struct nwv_event *e);
void nwv_log_write(struct nwv_check *c, const struct nwv_page *p,
		   unsigned index, uint64_t before, uint64_t after);
/* The page was dropped with what it holds. */
void nwv_log_dropped(struct nwv_check *c, struct nwv_page *p);
/* An entry of a dropped page was seen to hold this. */
void nwv_log_seen(struct nwv_check *c, struct nwv_page *p, unsigned index,
		  uint64_t value);
void nwv_log_freed(struct nwv_check *c, struct nwv_page *p);
void nwv_log_return(struct nwv_check *c, struct nwv_op *op,
		    const struct nwv_event *e);
/* The table ends, and its logs with it. */
void nwv_log_gone(struct nwv_check *c, uint16_t root);
void nwv_log_end(struct nwv_check *c);
void nwv_logs_free(struct nwv_check *c);

/* ---- step_slot.c: slots, and handlers of notifiers ----------------------- */

/* Host memory that backs guest memory. */
struct nwv_slot {
	uint64_t start;
	uint64_t end;
	uint64_t guest; /* input address of `start` */
};

/* A part of a table that an open bracket emptied. */
struct nwv_emptied {
	struct nwv_mark begin; /* of the bracket */
	uint64_t start;
	uint64_t end;
	uint16_t root;
};

struct nwv_slots {
	struct nwv_slot *slot;
	uint32_t slots, slot_room;
	struct nwv_emptied *emptied;
	uint32_t emptieds, emptied_room;
	uint8_t was_told; /* else host and guest addresses are the same */
};

void nwv_step_slot(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_handler(struct nwv_check *c, const struct nwv_event *e);
void nwv_slot_return(struct nwv_check *c, const struct nwv_op *op,
		     const struct nwv_event *e);
/* The bracket ends: it was emptied by now. */
void nwv_slot_closed(struct nwv_check *c, struct nwv_range *r,
		     const struct nwv_event *e);
void nwv_slot_leaf(struct nwv_check *c, const struct nwv_page *p,
		   unsigned index, uint64_t value);
void nwv_slots_free(struct nwv_check *c);

/* ---- step_owner.c: books --------------------------------------------------
 */

/* Parties; 1 is the hypervisor. */
#define NWV_PARTY_HOST	0u
#define NWV_PARTY_GUEST 2u /* and up */

/* What an ownership operation replaced. */
struct nwv_undo {
	uint64_t key;
	uint32_t was;
};

struct nwv_touched {
	struct nwv_mark since;
	uint64_t pa;
	uint64_t frames;
};

/* A leaf that came while books were being changed. */
struct nwv_late_leaf {
	struct nwv_mark since;
	uint64_t ia;
	uint64_t entry;
	uint16_t root;
	uint8_t level;
};

#define NWV_PARTIES_MAX 64

struct nwv_books {
	/* party << 40 | frame, to 1 + (state | pins << 2) */
	struct nwv_map state;
	struct nwv_map tainted; /* frames that a guest has owned */
	uint16_t party[NWV_PARTIES_MAX];
	unsigned parties;
	struct nwv_touched *touched; /* to be compared */
	uint32_t toucheds, touched_room;
	struct nwv_late_leaf *late;
	uint32_t lates, late_room;
};

void nwv_step_books(struct nwv_check *c, const struct nwv_event *e);
void nwv_books_begin(struct nwv_check *c);
void nwv_books_return(struct nwv_check *c, struct nwv_op *op,
		      const struct nwv_event *e);
void nwv_books_leaf(struct nwv_check *c, const struct nwv_page *p,
		    unsigned index, uint64_t value);
void nwv_books_end(struct nwv_check *c);
void nwv_books_free(struct nwv_check *c);

/* ---- looking ------------------------------------------------------------- */

/* The entry over `ia` in this table, where the walk ends, and its level. */
uint64_t nwv_look(const struct nwv_check *c, uint16_t root, uint64_t ia,
		  unsigned *level);

/* Calls fn for the leaves of a table that meet [start, end), in order of their
 * addresses, until it says 0. */
typedef int nwv_leaf_fn(struct nwv_check *c, const struct nwv_shape *s,
			unsigned level, uint64_t ia, uint64_t entry, void *arg);
void nwv_each_leaf(struct nwv_check *c, uint16_t root, uint64_t start,
		   uint64_t end, nwv_leaf_fn *fn, void *arg);

/* Entry `index` of the table page at `pa`; 0 when it is not known. */
uint64_t nwv_entry_of(const struct nwv_check *c, uint64_t pa, unsigned index);

/* Zeroed, and counted. NULL: no memory, and the check is stopped. */
void *nwv_make(struct nwv_check *c, size_t bytes);

/* The number of the live table with this root; 0: none. */
uint16_t nwv_root_at(const struct nwv_check *c, uint64_t pa);

#endif
