/* SPDX-License-Identifier: BSD-2-Clause */
#include "range.h"

enum nw_status nw_refuse(struct nw_result *result, enum nw_status status,
			 uint64_t reached, const char *argument)
{
	nw_report(result, status, reached, 0, 0);
	if (result)
		result->argument = argument;
	return status;
}

enum nw_status nw_range_check(const struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, struct nw_result *result)
{
	uint64_t granule_mask = (UINT64_C(1) << t->geo.granule_lg2) - 1;
	uint64_t limit = UINT64_C(1) << t->geo.ia_bits;

	if (!size_bytes)
		return nw_refuse(result, NW_E_EMPTY, ia.v, "size_bytes");
	if (ia.v & granule_mask)
		return nw_refuse(result, NW_E_MISALIGNED, ia.v, "ia");
	if (size_bytes & granule_mask)
		return nw_refuse(result, NW_E_MISALIGNED, ia.v, "size_bytes");
	if (ia.v + size_bytes < ia.v)
		return nw_refuse(result, NW_E_OVERFLOW, ia.v, "size_bytes");
	if (ia.v >= limit)
		return nw_refuse(result, NW_E_IA_RANGE, ia.v, "ia");
	if (size_bytes > limit - ia.v)
		return nw_refuse(result, NW_E_IA_RANGE, ia.v, "size_bytes");
	return NW_OK;
}
