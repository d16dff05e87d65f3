/* SPDX-License-Identifier: BSD-2-Clause */
/* One record of a casemate log, between its parser and its meaning. */
#ifndef NWV_TRACE_CASEMATE_H
#define NWV_TRACE_CASEMATE_H

#include "reader.h"

enum nwv_casemate_head {
	NWV_CASEMATE_MEM_WRITE,
	NWV_CASEMATE_MEM_READ,
	NWV_CASEMATE_MEM_INIT,
	NWV_CASEMATE_MEM_FREE,
	NWV_CASEMATE_MEM_SET,
	NWV_CASEMATE_BARRIER,
	NWV_CASEMATE_TLBI,
	NWV_CASEMATE_SYSREG_WRITE,
	NWV_CASEMATE_HINT,
	NWV_CASEMATE_LOCK,
	NWV_CASEMATE_TRYLOCK,
	NWV_CASEMATE_UNLOCK,
};

/* Registers that name a root; the others are enum nwv_sysreg. */
enum { NWV_CASEMATE_VTTBR = 0x100, NWV_CASEMATE_TTBR0 };

/*
 * choice  what the record's word stands for: NW_EV_ENTRY_WRITE or _LINK of a
 *         mem-write, enum nw_barrier, enum nw_tlbi, the register, the hint's
 *         event
 * value   numbers after id and tid, in the order of the grammar
 * column  where each of them stands, 1-based
 */
struct nwv_casemate_record {
	enum nwv_casemate_head head;
	unsigned choice;
	bool is_stage2; /* a TLBI of the EL1&0 regime */
	uint16_t cpu;
	uint32_t line;
	uint64_t id;
	size_t id_column;
	uint64_t value[3];
	size_t column[3];
	const char *file;
};

/* False after an error in `t`. */
bool nwv_casemate_parse(struct nwv_trace *t, const char *line, size_t bytes,
			struct nwv_casemate_record *record);

#endif
