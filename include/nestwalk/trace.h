/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one tracepoint. Every entry verb of src/table/entry.h and every port
 * barrier, invalidation, lock and grace period passes NW_TRACE(); recorder,
 * statistics, oracle and explorer all listen in the port's nw_port_trace().
 * Without NW_CONFIG_TRACE it compiles to nothing (tests/trace_cost checks the
 * object code).
 */
#ifndef NESTWALK_TRACE_H
#define NESTWALK_TRACE_H

#include <nestwalk/compiler.h>

/*
 * Arguments a, b, c of each event stand beside it; unused ones are 0. Entries
 * are named by the address that software uses for them; NW_EV_PAGE_ALLOC says
 * which physical page that is.
 */
enum nw_event {
	NW_EV_NONE,
	/* entries: a = address of the entry */
	NW_EV_ENTRY_READ,     /* b = value */
	NW_EV_ENTRY_INIT,     /* b = value, c = entries: unpublished page */
	NW_EV_ENTRY_WRITE,    /* b = old, c = new: exclusive store, relaxed */
	NW_EV_ENTRY_LINK,     /* b = old, c = new: exclusive store, release */
	NW_EV_ENTRY_RMW,      /* b = found, c = new: atomic, succeeded */
	NW_EV_ENTRY_RMW_FAIL, /* b = expected, c = found */
	NW_EV_ENTRY_LOCK,     /* b = old, c = token */
	NW_EV_ENTRY_PUBLISH,  /* b = old, c = new */
	/* table pages: a = physical address */
	NW_EV_PAGE_ALLOC,  /* b = bytes, c = software's address of it */
	NW_EV_PAGE_LINK,   /* b = entry address, c = level of the table page */
	NW_EV_PAGE_UNLINK, /* c = level of the table page */
	NW_EV_PAGE_FREE,   /* b = bytes */
	/* tables: a = root, b = NW_TRACE_SHAPE(),
	 * c = tag | regime << 16 | (enum nw_mode + 1) << 32; 0 there: not told */
	NW_EV_TABLE_INIT,
	NW_EV_TABLE_FREE,
	/* barriers: a = enum nw_barrier */
	NW_EV_BARRIER,
	/* invalidation: a = enum nw_tlbi, b = register operand, c = VMID/ASID */
	NW_EV_TLBI,
	/* locks: a = address of the lock */
	NW_EV_LOCK,
	NW_EV_TRYLOCK_FAIL,
	NW_EV_UNLOCK,
	/* lifetime */
	NW_EV_SECTION_ENTER,
	NW_EV_SECTION_LEAVE,
	NW_EV_GRACE_PERIOD, /* one has elapsed */
	NW_EV_FRAME_REUSE,  /* a = physical address, b = bytes */
	/* a = root physical address, b = VMID/ASID, c = enum nw_regime */
	NW_EV_ROOT_SWITCH,
	/* what a CPU met: a = input address, b = output address, c = detail;
	 * of an access NW_ACCESS_WRITE */
	NW_EV_FAULT,
	NW_EV_ACCESS,
	/* notifiers: a = start, b = end, c = sequence */
	NW_EV_NOTIFY_BEGIN,
	NW_EV_NOTIFY_DRAIN,
	NW_EV_NOTIFY_END,
	NW_EV_NOTIFY_SAMPLE,
	NW_EV_NOTIFY_INSTALL,
	/* ownership: a = physical address, b = bytes, c = from | to << 16 */
	NW_EV_OWNER,
	/* the recorder lost a = events: what follows cannot be judged */
	NW_EV_GAP,
	/* operations, as the caller sees them: a = start, b = end (input or,
	 * for ownership, physical addresses), c = NW_TRACE_OP() */
	NW_EV_OP_BEGIN,
	NW_EV_OP_END,
	/* interrupts between CPUs: a = CPUs (bit n) or the sender, b = ticket */
	NW_EV_IPI_SEND, /* a = CPUs: what was done here is known there */
	NW_EV_IPI_TAKE, /* a = sender */
	NW_EV_IPI_DONE, /* a = sender: the handler is through */
	NW_EV_IPI_WAIT, /* a = CPUs: all of them said DONE */
	/* hardware's own update of a live entry: a = entry, b = old, c = new */
	NW_EV_HW_UPDATE,
	/* dirty logging: a = start, b = end (input addresses) */
	NW_EV_LOG_START, /* c = root: writes from now on must be in the log */
	NW_EV_LOG_STOP,	 /* c = root */
	NW_EV_LOG_DIRTY, /* c = root: the range went into the log */
	/* memory slots: a = start, b = end (host addresses), c = guest start */
	NW_EV_SLOT_ADD,
	NW_EV_SLOT_REMOVE,
	/* this CPU may sleep here; a fault tries again: a = input address,
	 * b = times so far, c = most */
	NW_EV_SLEEP,
	NW_EV_RETRY,
	/* ownership: what one party's books say of pages: a = physical address,
	 * b = bytes, c = party | enum nw_page_state << 16 | pins << 32 */
	NW_EV_PAGE_STATE,
	/* a = root, c = party: whose table it is */
	NW_EV_TABLE_OWNER,
	/* a = physical address, b = bytes: zeroed since its last owner */
	NW_EV_SCRUB,
	/* software's own memory: a = address of a word. What was done before the
	 * store is known to who reads that store, or a later one. */
	NW_EV_RELEASE,
	NW_EV_ACQUIRE,
	NW_EV_COUNT,
};

#define NW_ACCESS_WRITE 1u

/* An operation: what, in which mode, how it ended, on which table. */
#define NW_TRACE_OP(op, mode, status, root)                                    \
	((uint64_t)(op) | (uint64_t)(mode) << 8 |                              \
	 ((uint64_t)(status) & 0xff) << 16 |                                   \
	 ((uint64_t)(root) >> 12) << 24)

/* Beside the mode, at the end of an operation: its flush is left to a gather. */
#define NW_TRACE_GATHERED 0x80u

enum nw_op {
	NW_OP_NONE,
	NW_OP_MAP,
	NW_OP_UNMAP,
	NW_OP_RELAX,	     /* adds rights, never removes one */
	NW_OP_RESTRICT,	     /* removes rights, never adds one */
	NW_OP_WRITE_PROTECT, /* the write right, and hardware's right to set it */
	NW_OP_HARVEST_DIRTY,
	NW_OP_AGE,
	NW_OP_SPLIT,
	NW_OP_COLLAPSE,
	NW_OP_ANNOTATE,
	NW_OP_REPLACE, /* another page in the place of one */
	NW_OP_RECLAIM, /* empty tables */
	NW_OP_TEARDOWN,
	NW_OP_SHARE,
	NW_OP_UNSHARE,
	NW_OP_DONATE,
	NW_OP_RECLAIM_PAGES,
	NW_OP_GATHER, /* the end of a gather: what gathered operations owe */
	NW_OP_COUNT,
};

/* Of a party's books. */
enum nw_page_state {
	NW_PAGE_NONE,	  /* not its page */
	NW_PAGE_OWNED,	  /* its own, nobody else's */
	NW_PAGE_SHARED,	  /* its own, lent */
	NW_PAGE_BORROWED, /* lent by its owner */
	NW_PAGE_STATE_COUNT,
};

/* Shape of a table in one word. */
#define NW_TRACE_SHAPE(format, granule_lg2, ia_bits, oa_bits, features)        \
	((uint64_t)(format) | (uint64_t)(granule_lg2) << 8 |                   \
	 (uint64_t)(ia_bits) << 16 | (uint64_t)(oa_bits) << 24 |               \
	 (uint64_t)(features) << 32)

enum nw_barrier {
	NW_BARRIER_DMB_ISHST,
	NW_BARRIER_DSB_ISH,
	NW_BARRIER_DSB_ISHST,
	NW_BARRIER_DSB_NSH,
	NW_BARRIER_DSB_NSHST,
	NW_BARRIER_DSB_SY,
	NW_BARRIER_ISB,
	NW_BARRIER_X86_MFENCE,	   /* or any serialising instruction */
	NW_BARRIER_X86_TLBSYNC,	   /* completes this CPU's INVLPGBs */
	NW_BARRIER_RISCV_FENCE_W,  /* FENCE w,w */
	NW_BARRIER_RISCV_FENCE_RW, /* FENCE rw,rw */
	NW_BARRIER_COUNT,
};

enum nw_tlbi {
	NW_TLBI_IPAS2E1IS,
	NW_TLBI_RIPAS2E1IS,
	NW_TLBI_VMALLE1IS,
	NW_TLBI_VMALLS12E1IS,
	NW_TLBI_ALLE1IS,
	NW_TLBI_ALLE1,
	NW_TLBI_VMALLE1,
	NW_TLBI_VAE2IS,
	NW_TLBI_VALE2IS,
	NW_TLBI_RVAE2IS,
	NW_TLBI_VAE2,
	NW_TLBI_VALE2,
	NW_TLBI_ALLE2IS,
	NW_TLBI_ALLE2,
	NW_TLBI_IPAS2E1,
	NW_TLBI_RIPAS2E1,
	NW_TLBI_VMALLS12E1,
	/* up to here: what ports/el2 issues and counts */
	NW_TLBI_IPAS2LE1IS,
	NW_TLBI_RIPAS2LE1IS,
	NW_TLBI_RVALE2IS,
	/* arm64 EL1&0 stage 1, tagged by ASID (bits 63:48 of the operand) */
	NW_TLBI_VAE1IS,
	NW_TLBI_VALE1IS,
	NW_TLBI_VAAE1IS,  /* any ASID */
	NW_TLBI_VAALE1IS, /* any ASID */
	NW_TLBI_ASIDE1IS,
	NW_TLBI_RVAE1IS,
	NW_TLBI_RVALE1IS,
	NW_TLBI_RVAAE1IS,
	NW_TLBI_RVAALE1IS,
	NW_TLBI_VAE1,
	NW_TLBI_VALE1,
	NW_TLBI_ASIDE1,
	/* x86, the executing CPU alone but for INVLPGB; operand: address */
	NW_TLBI_X86_INVLPG,
	NW_TLBI_X86_INVPCID_ADDR, /* one address of one PCID */
	NW_TLBI_X86_INVPCID_PCID, /* one PCID */
	NW_TLBI_X86_INVPCID_ALL,  /* every PCID, global ones included */
	NW_TLBI_X86_MOV_CR3,	  /* the current PCID, global ones excepted */
	NW_TLBI_X86_INVLPGB,	  /* every CPU, until TLBSYNC; operand: RAX */
	NW_TLBI_X86_INVEPT_SINGLE, /* operand: EPT pointer */
	NW_TLBI_X86_INVEPT_ALL,
	NW_TLBI_X86_INVVPID,
	NW_TLBI_X86_ASID,     /* VMRUN with TLB_CONTROL: one ASID */
	NW_TLBI_X86_ASID_ALL, /* VMRUN with TLB_CONTROL: every ASID */
	/* RISC-V, the executing hart alone; operand: address, where one is */
	NW_TLBI_RISCV_SFENCE_VMA,      /* one address, one ASID (tag) */
	NW_TLBI_RISCV_SFENCE_VMA_ASID, /* one ASID */
	NW_TLBI_RISCV_SFENCE_VMA_ALL,
	NW_TLBI_RISCV_HFENCE_GVMA,	/* one address (>> 2), one VMID */
	NW_TLBI_RISCV_HFENCE_GVMA_VMID, /* one VMID */
	NW_TLBI_RISCV_HFENCE_GVMA_ALL,
	NW_TLBI_COUNT,
};

/* Kinds that ports/el2 has counters for: the first so many. */
#define NW_TLBI_AT_EL2	  (NW_TLBI_VMALLS12E1 + 1)
#define NW_BARRIER_AT_EL2 (NW_BARRIER_ISB + 1)

#ifdef NW_CONFIG_TRACE
/* Provided by the port. `event` is a constant at every call site. */
static inline void nw_port_trace(enum nw_event event, uint64_t a, uint64_t b,
				 uint64_t c, const char *file, unsigned line);
#define NW_TRACE(event, a, b, c)                                               \
	nw_port_trace((event), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c),    \
		      __FILE__, __LINE__)
#else
#define NW_TRACE(event, a, b, c) ((void)0)
#endif

#endif
