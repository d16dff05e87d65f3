/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace of a recording build (-Drecord=true): its rings are at
 * NW_HYP_TRACE_PA, and tools/run --trace empties them while the machine runs.
 * Without somebody who does, CPUs wait once their rings are full.
 */
#ifndef NW_HYP_RECORDER_H
#define NW_HYP_RECORDER_H

#include "layout.h"
#include "report.h"

#ifdef NW_CONFIG_RECORD
/* Before the first tracepoint; MMU off. */
void recorder_init(void);

/* The range that was written with the caches off. */
void recorder_written(uint64_t *start, uint64_t *end);

/* The MMU is on. */
void recorder_share(void);

/* nw.record=N: let only so many records wait in a ring. */
void recorder_limit(uint32_t records);
#else
static inline void recorder_init(void)
{
}

static inline void recorder_written(uint64_t *start, uint64_t *end)
{
	*start = *end = 0;
}

static inline void recorder_share(void)
{
}

static inline void recorder_limit(uint32_t records)
{
	refuse("nw.record=%u: this build does not record; configure with "
	       "-Drecord=true", records);
}
#endif

#endif
