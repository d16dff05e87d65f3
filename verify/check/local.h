/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations of x86 and RISC-V: each acts on the CPU that executes it, so
 * that an entry is clean when every CPU that may hold it has invalidated for
 * itself, after the store could be seen there, and whoever relies on it knows.
 *
 *   store - on each CPU: (an interrupt or a lock) invalidation - known - clean
 *   store - INVLPGB - TLBSYNC - clean
 *
 * An obligation stands in a group, as on arm64; the group has the CPUs that
 * owe. A CPU that does not have the root installed needs to invalidate only
 * before it installs it again: nobody waits for it.
 */
#ifndef NWV_CHECK_LOCAL_H
#define NWV_CHECK_LOCAL_H

#include "obligation.h"

/* Of a table whose translations each CPU removes for itself. */
struct nwv_local {
	uint64_t cpus;	      /* may hold entries of its tag */
	uint64_t cpus_global; /* may hold its global entries */
	uint64_t stale;	      /* must invalidate before they install it */
	struct nwv_mark stale_since;
	/* The last whole invalidations that did not serve. */
	struct nwv_near unseen;	 /* NWV_WHY_UNSEEN */
	struct nwv_near global;	 /* NWV_WHY_GLOBAL */
	struct nwv_near address; /* NWV_WHY_ADDRESS: nothing was owed there */
	uint16_t tag_on[NWV_CPUS_MAX];
	uint8_t is_told; /* ROOT_SWITCH said who has it */
};

/* An interrupt that was sent: who has taken it, and what it carries. */
struct nwv_ipi {
	uint64_t cpus, taken, done;
	uint64_t there[NWV_CPUS_MAX]; /* known to the sender when it sent */
	uint64_t back[NWV_CPUS_MAX];  /* known to those that are done */
};

/* TABLE_INIT of such a table. -1: stopped. */
int nwv_local_init(struct nwv_check *c, uint16_t root);

/* The group for an obligation that is armed now; 0: nothing is owed, or
 * stopped. */
uint32_t nwv_local_arm(struct nwv_check *c, uint16_t root, int is_global,
		       int is_soft);
/* It is in its group now. */
void nwv_local_joined(struct nwv_check *c, uint32_t group, uint64_t seq);
/* One that only was remembered is owed from now on. */
void nwv_local_harden(struct nwv_check *c, uint32_t number);
/* May a TLB serve this leaf, or one below this table, for every tag? */
int nwv_local_is_global(const struct nwv_check *c, uint16_t root,
			unsigned level, uint64_t entry);

void nwv_local_tlbi(struct nwv_check *c, const struct nwv_inval *v,
		    uint16_t tag, unsigned cpu);

/* `cpu` has learnt something: what it now knows to be clean is clean. */
void nwv_local_learn(struct nwv_check *c, unsigned cpu);
/* Is this one clean, for whoever acts on `cpu` now? Then it is dropped. */
int nwv_local_is_done(struct nwv_check *c, uint32_t number, unsigned cpu);
/* At the end of the trace: for whoever armed it. */
void nwv_local_end(struct nwv_check *c);

/* A CPU has flushed: its tags may serve other roots. */
void nwv_local_note_flush(struct nwv_check *c, const struct nwv_inval *v,
			  uint16_t tag, unsigned cpu);

/* ROOT_SWITCH to this root; before cpus_now has the CPU. */
void nwv_local_switch(struct nwv_check *c, const struct nwv_event *e,
		      uint16_t root);
/*
 * A CPU in c->watch installed a root that it owed something, or a tag that
 * another root left behind: what its very next event, unless that is the
 * flush, makes a violation. Called before that event, or after the flush.
 */
void nwv_local_next(struct nwv_check *c, unsigned cpu);

void nwv_local_diagnose(const struct nwv_check *c, const struct nwv_ob *o,
			struct nwv_diagnosis *d);

/* CPUs that owe, and are waited for. */
uint64_t nwv_local_owing(const struct nwv_check *c, uint32_t group);

/* ---- ipi.c -------------------------------------------------------------- */

void nwv_step_ipi(struct nwv_check *c, const struct nwv_event *e);

#endif
