/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One event of a trace, as decoders deliver it and the oracle takes it.
 */
#ifndef NWV_TRACE_EVENT_H
#define NWV_TRACE_EVENT_H

#include <nestwalk/trace.h>

#define NWV_CPUS_MAX 64

/*
 * Kinds that only imported traces have (verify/trace/casemate.c): what foreign
 * recorders know and our own tracepoints do not say. They share the number
 * space of enum nw_event.
 */
enum nwv_event_imported {
	NWV_EV_ROOT_LOCK = 0x40, /* a = root, b = address of its lock */
	NWV_EV_PAGE_ROOT,	 /* a = table page, b = root it belongs to */
	NWV_EV_TABLE_RELEASE,	 /* a = root, b = hint's value */
	NWV_EV_ENTRY_OWNER,	 /* a = entry, b = CPU that alone writes it */
	NWV_EV_SYSREG,		 /* a = enum nwv_sysreg, b = value */
	NWV_EV_COUNT,
};

enum nwv_sysreg {
	NWV_SYSREG_VTCR_EL2,
	NWV_SYSREG_TCR_EL2,
	NWV_SYSREG_HCR_EL2,
	NWV_SYSREG_SCTLR_EL2,
	NWV_SYSREG_MAIR_EL2,
	NWV_SYSREG_COUNT,
};

/*
 * seq    position in the one global order; gapless, begins at 0
 * cpu    who did it, below NWV_CPUS_MAX
 * kind   enum nw_event; a, b, c as there
 * file   source location of the event, or NULL; lives as long as the trace
 * line   its line, 1-based; 0 when unknown
 */
struct nwv_event {
	uint64_t seq;
	uint64_t a;
	uint64_t b;
	uint64_t c;
	uint16_t cpu;
	uint16_t kind;
	uint32_t line;
	const char *file;
};

#endif
