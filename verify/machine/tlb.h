/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sources of the machine share; not for its users. */
#ifndef NWM_TLB_H
#define NWM_TLB_H

#include "machine.h"

struct nwm_cpu {
	struct nwm_root root[NWM_REGIMES];
	struct nwm_view walker; /* what this CPU's walker must see */
	unsigned tlb_count;
	uint64_t tlbi_pending; /* issued, not completed: numbers as bits */
	uint64_t tlbi_local;   /* those of them that are local */
	struct nwm_view done;  /* what it wrote through translations */
	struct nwm_tlb_entry tlb[NWM_TLB_MAX];
};

extern struct nwm_cpu nwm_cpu[NWM_CPUS_MAX];
/* Invalidations, as bits, that drop combined entries too. */
extern uint64_t nwm_tlbi_combined;

/* How an entry of a table reads; written from the manual, not shared with the
 * library (Arm ARM DDI 0487, "Translation table descriptor formats"). */
enum nwm_desc_kind { NWM_DESC_INVALID, NWM_DESC_TABLE, NWM_DESC_LEAF };

struct nwm_desc {
	enum nwm_desc_kind kind;
	uint64_t out;
	uint8_t rights; /* without hardware dirty management */
	uint8_t attrs;	/* memory type, shareability */
	uint8_t has_af;
	uint8_t has_dbm;
};

#define NWM_DESC_AF (UINT64_C(1) << 10)
#define NWM_DESC_DBM (UINT64_C(1) << 51)
#define NWM_DESC_S2_W (UINT64_C(1) << 7)
#define NWM_DESC_S1_RO (UINT64_C(1) << 7)

struct nwm_desc nwm_desc_decode(enum nw_regime regime, unsigned level,
				uint64_t value);
/* `value` as hardware leaves it after setting the dirty state. */
uint64_t nwm_desc_dirty(enum nw_regime regime, uint64_t value);

static inline int nwm_tlb_matches(const struct nwm_tlb_entry *e,
				  enum nw_regime regime, unsigned tag,
				  uint64_t ia)
{
	return e->regime == regime && e->tag == tag &&
	       e->base == (ia & ~((UINT64_C(1) << e->span_lg2) - 1));
}

/* Add an entry, unless an equal one is there; checks frames and overlaps. */
void nwm_tlb_fill(unsigned cpu, const struct nwm_tlb_entry *e);
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
