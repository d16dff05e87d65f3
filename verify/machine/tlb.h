/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sources of the machine share; not for its users. */
#ifndef NWM_TLB_H
#define NWM_TLB_H

#include "machine.h"

struct nwm_cpu {
	struct nwm_root root[NWM_REGIMES];
	struct nwm_root written[NWM_REGIMES]; /* awaits an ISB */
	unsigned written_mask;
	struct nwm_view walker; /* what this CPU's walker must see */
	/* What it had to see when this CPU's latest ISB was executed: a walk
	 * for an instruction may have been that early, if it faults. */
	struct nwm_view synced;
	int is_unsynced; /* `synced` is behind `walker` by its own DSB */
	unsigned tlb_count;
	uint64_t tlbi_pending; /* issued, not completed: numbers as bits */
	uint64_t tlbi_local;   /* those of them that are local */
	struct nwm_view done;  /* what it wrote through translations */
	struct nwm_tlb_entry tlb[NWM_TLB_MAX];
};

extern struct nwm_cpu nwm_cpu[NWM_CPUS_MAX];
/* Invalidations, as bits, that drop combined entries too. */
extern uint64_t nwm_tlbi_combined;

enum nwm_desc_kind { NWM_DESC_INVALID, NWM_DESC_TABLE, NWM_DESC_LEAF };

struct nwm_desc {
	enum nwm_desc_kind kind;
	uint64_t out;
	uint8_t rights; /* without hardware dirty management */
	uint8_t attrs;	/* memory type, shareability */
	uint8_t has_af;
	uint8_t has_dbm;
	uint8_t is_clean; /* a write must set a dirty flag first */
	uint8_t run_lg2;  /* one of 2^n members of a contiguous run; 0: none */
	uint8_t is_napot; /* `out` is that of the run */
};

#define NWM_DESC_AF (UINT64_C(1) << 10)
#define NWM_DESC_DBM (UINT64_C(1) << 51)
#define NWM_DESC_S2_W (UINT64_C(1) << 7)
#define NWM_DESC_S1_RO (UINT64_C(1) << 7)

struct nwm_desc nwm_desc_decode(enum nw_regime regime, unsigned level,
				uint64_t value);
/* `value` as hardware leaves it after an access; the same: nothing to do. */
uint64_t nwm_desc_update(enum nw_regime regime, const struct nwm_desc *d,
			 uint64_t value, int is_write);
/* May entries that combine it with a guest's own tables be cached? */
int nwm_regime_has_stage1(enum nw_regime regime);

static inline int nwm_tlb_matches(const struct nwm_tlb_entry *e,
				  enum nw_regime regime, unsigned tag,
				  uint64_t ia)
{
	return e->regime == regime && e->tag == tag &&
	       e->base == (ia & ~((UINT64_C(1) << e->span_lg2) - 1));
}

/* Add an entry, unless an equal one is there; checks frames and overlaps. */
void nwm_tlb_fill(unsigned cpu, const struct nwm_tlb_entry *e);
void nwm_tlbi_reset(void);
/* One of the roots that a walk may use now. */
struct nwm_root nwm_root_use(unsigned cpu, enum nw_regime regime);
void nwm_roots_save(void);

/* A table walk, as walk.c carries it out. */
struct nwm_walk {
	unsigned cpu;
	enum nw_regime regime;
	uint64_t ia;
	enum nwm_access how;
	struct nwm_root root;
	unsigned level;
	uint64_t table;
	uint64_t doomed;
	struct nwm_view view; /* what this walk must see, and has learned */
	struct nwm_tlb_entry leaf;
};
enum nwm_outcome nwm_walk(struct nwm_walk *w);

/*
 * What a walk from the root must find, as far as the walker has no choice.
 * A cached entry that says the same adds nothing to it: a walk that begins
 * there ends as one from the root, and caches no more.
 */
struct nwm_certain {
	unsigned down_to; /* table[level] is certain for level >= down_to */
	int has_leaf;
	struct nwm_desc leaf;
	uint64_t table[5];
};
void nwm_certain_walk(unsigned cpu, enum nw_regime regime,
		      const struct nwm_root *root, uint64_t ia,
		      struct nwm_certain *c);

/* Reports NWM_STALE if e reaches a frame with rights that are gone. */
int nwm_frame_check(unsigned cpu, const struct nwm_tlb_entry *e,
		    const char *when);
void nwm_pages_reset(void);
/* Forget everything; keep what is there now as the state to return to. */
void nwm_pages_clear(void);
void nwm_pages_save(void);

/* Do two leaf entries for one address disagree in what may not differ? */
int nwm_tlb_conflict(const struct nwm_tlb_entry *a,
		     const struct nwm_tlb_entry *b);

#endif
