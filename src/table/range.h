/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checking a caller's range, and reporting what became of it.
 */
#ifndef NW_TABLE_RANGE_H
#define NW_TABLE_RANGE_H

#include <nestwalk/table.h>

/* Fill the optional result and return the status. */
static inline enum nw_status nw_report(struct nw_result *result,
				       enum nw_status status, uint64_t reached,
				       unsigned level, uint64_t entry)
{
	if (result) {
		result->status = status;
		result->level = (uint8_t)level;
		result->reached = reached;
		result->entry = entry;
		result->argument = NULL;
	}
	return status;
}

/* Refuse an argument by name. Out of line: never on a hot path. */
enum nw_status nw_refuse(struct nw_result *result, enum nw_status status,
			 uint64_t reached, const char *argument);

/*
 * Is [ia, ia + size_bytes) a range of this table? Non-empty, whole granules,
 * no wrap, inside ia_bits. NW_OK, or a status already reported in *result.
 */
enum nw_status nw_range_check(const struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, struct nw_result *result);

#endif
