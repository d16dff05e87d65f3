/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib.h"
#include "nw_port.h"
#include "recorder.h"

#ifdef NW_CONFIG_RECORD
#define area ((struct nw_ring_area *)NW_HYP_TRACE_PA)

_Static_assert(NW_HYP_TRACE_RECORDS * sizeof(struct nw_ring_record) *
				       NW_HYP_CPUS_MAX +
			       sizeof(struct nw_ring_area) <=
		       NW_HYP_TRACE_BYTES,
	       "the rings have their own memory");
_Static_assert(NW_HYP_CPUS_MAX <= NW_RING_CPUS_MAX, "a ring for each CPU");

void recorder_init(void)
{
	memset(area, 0, sizeof(*area));
	nw_el2_record_init(area, NW_HYP_CPUS_MAX, NW_HYP_TRACE_RECORDS);
}

/* Only the first CPU was there: the header and the first ring. */
void recorder_written(uint64_t *start, uint64_t *end)
{
	*start = NW_HYP_TRACE_PA;
	*end = *start + nw_ring_area_bytes(1, NW_HYP_TRACE_RECORDS);
}

void recorder_share(void)
{
	nw_el2_record_share();
}

void recorder_limit(uint32_t records)
{
	if (records > NW_HYP_TRACE_RECORDS)
		refuse("nw.record=%u: a ring has %u records", records,
		       NW_HYP_TRACE_RECORDS);
	__atomic_store_n(&area->limit, records, __ATOMIC_RELAXED);
}
#endif
