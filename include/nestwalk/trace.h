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
	NW_EV_ENTRY_INIT,     /* b = value, c = 1: store to an unpublished page */
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
	/* tables: a = root, b = NW_TRACE_SHAPE(), c = tag | regime << 16 */
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
	/* what a CPU met: a = input address, b = output address, c = detail */
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
	NW_EV_COUNT,
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
	NW_TLBI_COUNT,
};

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
