/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixmap on tables of an arena, and CPUs whose TLBs cache any valid entry
 * that their root reaches, at any time.
 */
#ifndef FIXMAP_RIG_H
#define FIXMAP_RIG_H

#include <nestwalk/fixmap.h>
#include "arena.h"

enum {
	RIG_CPUS = 3,
	RIG_SLOTS = RIG_CPUS * NW_FIXMAP_KINDS * NW_FIXMAP_SLOTS_MAX,
};

/* Ways to break the port, to see that the model notices. */
enum rig_fault {
	RIG_SOUND,
	RIG_BROADCAST_STAYS_LOCAL,
	RIG_LOCAL_IS_LOST,
	RIG_BROADCAST_IS_LOST,
};

struct rig {
	struct nw_arena arena;
	struct nw_port_ops ops;
	struct nw_table table[RIG_CPUS];
	unsigned tables;
	struct nw_fixmap fm;
	struct nw_result result;

	unsigned cpu; /* who runs now: local invalidations act there */
	enum rig_fault fault;
	int speculate; /* may the TLBs fill by themselves? */
	uint64_t rng;

	unsigned broadcasts;
	unsigned locals;
	struct nw_flush_range last[NW_FIXMAP_KINDS * NW_FIXMAP_SLOTS_MAX];
	unsigned last_ranges; /* of the last request */

	nw_entry_t tlb[RIG_CPUS][RIG_SLOTS];
	unsigned violations;
	char violation[160]; /* the first */
};

/* What every test begins with; the test may change it before rig_open(). */
struct nw_fixmap_config rig_config(struct rig *r,
				   enum nw_fixmap_strategy strategy,
				   unsigned pages, unsigned blocks);

/* Make tables (and with them the TLBs), without a fixmap. */
void rig_tables(struct rig *r);
/* rig_tables() and a fixmap of rig_config(); the program ends on failure. */
void rig_open(struct rig *r, enum nw_fixmap_strategy strategy, unsigned pages,
	      unsigned blocks);
/* NULL, or what was wrong: lost pages, the arena's complaint. */
const char *rig_close(struct rig *r);

/* Which of all slots a window has. */
unsigned rig_slot(const struct nw_fixmap_window *w);

/* Let TLBs fill: `times` random walks. */
void rig_walks(struct rig *r, unsigned times);

/* Fill every TLB with everything that its root reaches. */
void rig_walk_all(struct rig *r);

/* Some CPU holds a translation of this slot other than `allowed`: a violation
 * with these words. */
void rig_expect(struct rig *r, unsigned slot, nw_entry_t allowed,
		const char *when);

/* Is there, or was in the last request, a range over [ia, ia + bytes)? */
int rig_flushed(const struct rig *r, uint64_t ia, uint64_t bytes);

extern const struct nw_attrs rig_attrs;

static inline uint64_t rig_random(struct rig *r, uint64_t below)
{
	r->rng ^= r->rng << 13;
	r->rng ^= r->rng >> 7;
	r->rng ^= r->rng << 17;
	return r->rng % below;
}

#endif
