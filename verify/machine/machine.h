/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated machine: relaxed memory, translation tables, TLBs.
 *
 * Everything here is passive and single-threaded: a call is one atomic step of
 * one CPU or of its table walker. Where the architecture leaves a choice the
 * machine asks nwm_choose(); whoever provides that function decides the
 * execution. docs/machine.md states the model and its sources.
 *
 * Memory is a small arena of 4 KiB pages. A location is the number of an
 * 8-byte word in it.
 */
#ifndef NWM_MACHINE_H
#define NWM_MACHINE_H

#include <nestwalk/port.h>
#include <nestwalk/trace.h>

#define NWM_CPUS_MAX 4
#define NWM_PAGE_WORDS 512u
#define NWM_SETUP_PAGES 32u	/* handed out before the CPUs start */
#define NWM_CPU_PAGES 8u	/* handed out to each CPU afterwards */
#define NWM_STATE_PAGES 8u	/* what the scenario's own state lives in */
#define NWM_STATE_PAGE (NWM_SETUP_PAGES + NWM_CPU_PAGES * NWM_CPUS_MAX)
#define NWM_PAGES (NWM_STATE_PAGE + NWM_STATE_PAGES)
#define NWM_LOCATIONS (NWM_PAGES * NWM_PAGE_WORDS)
#define NWM_PA_BASE UINT64_C(0x40000000)

/* Who can write memory: the CPUs, then the walker of each. */
#define NWM_WRITERS (2 * NWM_CPUS_MAX)
#define NWM_EXTRA_MAX 48
#define NWM_TLB_MAX 32
#define NWM_FRAMES_MAX 16
#define NWM_REGIMES NW_REGIME_COUNT

/* ---- what the model asks of its driver --------------------------------- */

/* Why a choice is asked for; the driver may bound or count by it. */
enum nwm_choice {
	NWM_CHOOSE_STALE, /* 0: newest value; n: the n-th older one */
	NWM_CHOOSE_WALK_START, /* 0: the root; n: n-th walk-cache entry */
	NWM_CHOOSE_TLB,	       /* 0: fresh walk; n: n-th matching entry */
	NWM_CHOOSE_OTHER,
};

/* One of 0 .. n-1. Not called with n < 2. */
unsigned nwm_choose(enum nwm_choice why, unsigned n);

enum nwm_violation {
	NWM_OK,
	NWM_STALE,	/* a TLB or walker still leads to what was removed */
	NWM_AMALGAM,	/* two live entries match one address and disagree */
	NWM_CONFLICT,	/* two live entries match, and the CPU aborts */
	NWM_TABLE_FREED, /* a table page was freed while hardware may use it */
	NWM_USE_AFTER_FREE, /* software used a table page that was freed */
	NWM_LOST_DIRTY, /* a hardware update of an entry was overwritten */
	NWM_PROTOCOL,	/* the scenario's own rule */
	NWM_PROOF,	/* the library's own assertion */
	NWM_RULE,	/* a rule of the oracle (verify/check) */
	NWM_DEADLOCK,
	NWM_LIVELOCK,
	NWM_VIOLATIONS,
};

/* Stable short id such as "TLB-STALE", and one sentence. Never NULL. */
const char *nwm_violation_id(enum nwm_violation v);
const char *nwm_violation_text(enum nwm_violation v);

/* The driver's answer to a violation: it may not return. */
void nwm_report(enum nwm_violation v, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Number of the step being executed, to say when something was cached. */
extern unsigned nwm_step;

/* ---- memory ------------------------------------------------------------ */

enum nwm_order { NWM_RELAXED, NWM_ACQUIRE, NWM_RELEASE, NWM_ACQ_REL };

/*
 * What an observer knows: all writes up to vc[w] of each writer w, and beside
 * these single messages (record, position) that it has read.
 */
struct nwm_view {
	uint16_t vc[NWM_WRITERS];
	uint16_t n;
	uint32_t pos; /* x86: place in the one order of all stores */
	struct {
		uint16_t rec;
		uint16_t ts;
	} extra[NWM_EXTRA_MAX];
};

/* One value that a location has had in this execution. */
struct nwm_msg {
	uint64_t value;
	uint32_t older; /* message before it at this location; 0: none */
	uint32_t view;	/* what a reader that synchronises learns; 0: nothing */
	uint16_t ts;	/* position at this location, from 1; 0 is the base */
	uint16_t seq;	/* position among its writer's writes, from 1 */
	uint8_t writer;
};

/* How memory is ordered, and what completes an invalidation. */
enum nwm_arch {
	NWM_ARM64, /* relaxed; broadcast, completed by DSB */
	NWM_X86,   /* total store order; local, complete when executed */
	NWM_RISCV, /* relaxed; local, complete when executed */
};

/* What a CPU may do when two TLB entries match one address. */
enum nwm_multihit {
	NWM_MIXES,     /* an arbitrary mix of both */
	NWM_MAY_ABORT, /* that, or a conflict abort; see machine.md */
};

/* Machine facts of one scenario. */
struct nwm_config {
	unsigned cpus;
	unsigned bbm_level; /* FEAT_BBM: 0, 1 or 2 */
	int has_haf;	    /* hardware sets the access flag */
	int has_hd;	    /* hardware sets dirty (needs has_haf) */
	int has_runs;	    /* TLBs honour the contiguous bit (Svnapot) */
	int has_svvptc;	    /* RISC-V: TLBs hold no invalid entries */
	int has_spurious;   /* a fault may come from what is out of date */
	int stale_max;	    /* stale reads a CPU may make; -1: no bound */
	enum nwm_arch arch;
	enum nwm_multihit multihit;
};

static inline int nwm_is_tso(const struct nwm_config *config)
{
	return config->arch == NWM_X86;
}

extern struct nwm_config nwm_config;
/* Newest values, for what reads memory without asking the model (a CPU its own
 * private words). */
extern uint64_t nwm_arena[NWM_LOCATIONS];

/* What the arena holds now is what each execution begins with. */
void nwm_mem_save(void);
void nwm_mem_reset(void);
/* Dense number of a location in this execution; made when first asked. */
unsigned nwm_rec(unsigned loc);
/* Existing number or ~0u. */
unsigned nwm_rec_find(unsigned loc);
unsigned nwm_recs(void);
unsigned nwm_rec_location(unsigned rec); /* rec from 1 to nwm_recs() */
unsigned nwm_rec_writes(unsigned rec);

uint64_t nwm_newest(unsigned loc);
uint64_t nwm_load(unsigned cpu, unsigned loc, enum nwm_order order);
void nwm_store(unsigned cpu, unsigned loc, uint64_t value,
	       enum nwm_order order);
/* The newest value, with acquire: the last read of a loop that waits for it. */
uint64_t nwm_load_newest(unsigned cpu, unsigned loc);
/* Read-modify-write on the newest value; acquire and release. On x86 the
 * store buffer is empty afterwards, also when nothing is committed. */
uint64_t nwm_rmw_begin(unsigned cpu, unsigned loc);
void nwm_rmw_commit(unsigned cpu, unsigned loc, uint64_t value);
/* Every value of `loc` that `view` still permits: how many. */
unsigned nwm_visible(const struct nwm_view *view, unsigned loc);
/* The n-th of them, 0 the newest; NULL in *msg: the initial value. */
uint64_t nwm_visible_at(unsigned loc, unsigned n, const struct nwm_msg **msg);

/* dmb ish, and the memory part of dsb; x86: the store buffer is empty */
void nwm_fence_full(unsigned cpu);
void nwm_fence_local(unsigned cpu); /* the same for the CPU's own domain */
void nwm_fence_store(unsigned cpu); /* dmb ishst */
void nwm_fence_complete(unsigned cpu); /* dsb ishst: stores before all else */

/* `into` knows the newest value of `loc`, and nothing else by that. */
void nwm_newest_into(unsigned loc, struct nwm_view *into);

/* Views by number: what nwm_view_save() returned. */
void nwm_view_join(struct nwm_view *into, const struct nwm_view *from);
void nwm_view_clear(struct nwm_view *view);
/* `into` learns all that `cpu` has seen and done. */
void nwm_cpu_publish(unsigned cpu, struct nwm_view *into);
void nwm_cpu_learn(unsigned cpu, const struct nwm_view *from);
/* A walk has read this: what its writer ordered before it is known below. */
void nwm_view_walked(struct nwm_view *view, const struct nwm_msg *m);
/* A write by the walker of `cpu` on top of the newest message. */
void nwm_walker_rmw(unsigned cpu, unsigned loc, uint64_t value);
const struct nwm_view *nwm_cpu_view(unsigned cpu);
/* Keep a view until the end of the execution; 0: it is empty, or there is no
 * room (what then is forgotten only permits more). */
uint32_t nwm_view_keep(const struct nwm_view *view);
const struct nwm_view *nwm_view_kept(uint32_t number); /* NULL for 0 */

/* ---- pages and frames -------------------------------------------------- */

enum nwm_page_state { NWM_PAGE_NEW, NWM_PAGE_LIVE, NWM_PAGE_FREED };

/* First of 2^pages_lg2 pages, or ~0u. cpu < 0: before the start. */
unsigned nwm_page_alloc(int cpu, unsigned pages_lg2);
/* Reports NWM_TABLE_FREED when a TLB still holds a table entry to it. */
void nwm_page_free(unsigned page);
enum nwm_page_state nwm_page_state(unsigned page);

static inline uint64_t nwm_page_pa(unsigned page)
{
	return NWM_PA_BASE + page * UINT64_C(4096);
}

/* Page of a physical address, or ~0u outside the arena. */
unsigned nwm_pa_page(uint64_t pa);

#define NWM_R 1u
#define NWM_W 2u
#define NWM_X 4u

/*
 * A stretch of output addresses and the rights that translations to it may
 * have now, as the scenario (that is: the caller of the operations) believes.
 */
unsigned nwm_frame_add(const char *name, uint64_t pa, uint64_t bytes,
		       unsigned rights);
/* The operation that removes rights has returned: from here on no translation
 * may have more. Reports NWM_STALE when a TLB holds one. */
void nwm_frame_allow(unsigned frame, unsigned rights);
unsigned nwm_frame_rights(unsigned frame);
const char *nwm_frame_name(unsigned frame);
uint64_t nwm_frame_pa(unsigned frame);
uint64_t nwm_frame_bytes(unsigned frame);

/*
 * Only the CPUs of the mask can ever reach the frame, or walk the page
 * (default: all). It spares the explorer orders that make no difference; a CPU
 * that gets there all the same ends the exploration with NWM_PROTOCOL.
 */
void nwm_frame_private(unsigned frame, unsigned cpus_mask);
void nwm_page_private(unsigned page, unsigned cpus_mask);
unsigned nwm_frame_cpus(unsigned frame);
unsigned nwm_page_cpus(unsigned page);

/* ---- translation ------------------------------------------------------- */

struct nwm_root {
	uint64_t pa;
	/* Stage 2: the guest's own tables lead from an address a to a +
	 * guest_offset (a multiple of 4 KiB). */
	uint64_t guest_offset;
	uint8_t levels;
	uint8_t ia_bits;
	uint16_t tag;
	uint8_t valid;
};

enum nwm_tlb_kind {
	NWM_TLB_LEAF,	  /* stage 1, or stage 2 alone: input to output */
	NWM_TLB_COMBINED, /* both stages in one; tagged like stage 1 */
	NWM_TLB_WALK,	  /* where the next table is */
	NWM_TLB_INVALID,  /* RISC-V: that there is nothing */
};

struct nwm_tlb_entry {
	uint64_t base;
	uint64_t out;
	uint64_t value; /* the descriptor it was made from */
	uint64_t doomed; /* invalidations that cover it, not yet completed */
	uint32_t loc;	 /* where that descriptor stood */
	uint32_t view;	 /* what an access through it must see */
	uint32_t step;	 /* when it was cached */
	uint16_t tag;
	uint8_t span_lg2;
	uint8_t kind; /* enum nwm_tlb_kind */
	uint8_t regime;
	uint8_t rights;
	uint8_t level;
	uint8_t attrs; /* memory type and shareability bits */
	uint8_t is_run; /* the descriptor has the contiguous bit */
};

enum nwm_access { NWM_SPECULATIVE, NWM_READ, NWM_WRITE };

enum nwm_outcome {
	NWM_DONE,
	NWM_FAULT_TRANSLATION,
	NWM_FAULT_ACCESS_FLAG,
	NWM_FAULT_PERMISSION,
	NWM_FAULT_CONFLICT, /* amalgamated entries were used */
	NWM_FAULT_ABORT,    /* a TLB conflict abort */
};

struct nwm_access_result {
	enum nwm_outcome outcome;
	uint64_t pa;
	uint64_t value; /* what was read, where the frame is in the arena */
};

void nwm_machine_reset(void);
/* Install a root on one CPU, at once and for certain (setup). */
void nwm_root_set(unsigned cpu, enum nw_regime regime, struct nwm_root root);
struct nwm_root nwm_root_get(unsigned cpu, enum nw_regime regime);
/* Write the register: on arm64 walks may use either root until nwm_isb(). */
void nwm_root_write(unsigned cpu, enum nw_regime regime, struct nwm_root root);
/* Does an ISB of this CPU decide anything? */
int nwm_isb_matters(unsigned cpu);
void nwm_isb(unsigned cpu);

/* The driver is told of each update by hardware; it may record it. */
void nwm_updated(unsigned cpu, unsigned loc, uint64_t old, uint64_t new_value);

/* A walk of `ia` on nobody's request: fills the TLB, touches no data. */
void nwm_walk_speculative(unsigned cpu, enum nw_regime regime, uint64_t ia);
/* An access by the program that runs on `cpu`. */
struct nwm_access_result nwm_access(unsigned cpu, enum nw_regime regime,
				    uint64_t ia, enum nwm_access how,
				    uint64_t value);

/* ia range of an invalidation by address; ignored by the forms without. */
struct nwm_tlbi {
	enum nw_tlbi op;
	uint64_t start;
	uint64_t end;
	uint16_t tag;
	uint8_t level_hint; /* our level + 1; 0: any */
};

int nwm_tlbi_is_local(enum nw_tlbi op);
/* Complete when executed (x86 but INVLPGB, RISC-V): no barrier is needed. */
int nwm_tlbi_is_at_once(enum nw_tlbi op);
void nwm_tlbi_issue(unsigned cpu, const struct nwm_tlbi *tlbi);
/* The walker's and TLB's part of a barrier. */
void nwm_dsb(unsigned cpu, enum nw_barrier kind);
void nwm_tlbsync(unsigned cpu);

/* For pictures: what a CPU's TLB holds. */
unsigned nwm_tlb_count(unsigned cpu);
const struct nwm_tlb_entry *nwm_tlb_at(unsigned cpu, unsigned n);

#endif
