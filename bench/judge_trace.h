/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces for measuring the judge, made up in memory. All are clean. */
#ifndef BENCH_JUDGE_TRACE_H
#define BENCH_JUDGE_TRACE_H

#include <stddef.h>

#include "trace/event.h"

struct judge_trace {
	struct nwv_event *event;
	size_t events;
	size_t room;
	unsigned cpu;
};

/*
 * A hypervisor at work: two CPUs that remap pages under a lock, unmap and map
 * 2 MiB at once, and add and drop table pages. About `events` of them.
 */
void judge_trace_mixed(struct judge_trace *t, size_t events);

/*
 * `pages` pages unmapped in a scattered order before the first invalidation;
 * then each is invalidated, in another order.
 */
void judge_trace_outstanding(struct judge_trace *t, unsigned pages);

/* Exactly `events` of them, at least 600; small tables. */
void judge_trace_short(struct judge_trace *t, size_t events);

void judge_trace_free(struct judge_trace *t);

#endif
