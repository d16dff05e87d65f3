/* SPDX-License-Identifier: BSD-2-Clause */
/* One configuration: a table, what was asked of it, and the comparison. */
#ifndef NW_MMU_JUDGE_H
#define NW_MMU_JUDGE_H

#include "cpu.h"
#include "model.h"

#define RECENT 16u

struct judge {
	const struct config *config;
	struct nw_table table;
	struct model model;
	uint64_t random;
	unsigned pa_bits;	 /* of the CPU */
	unsigned questions;	 /* cpu_questions() */
	int can_execute;	 /* cpu_execute() is set up */
	uint64_t recent[RECENT]; /* addresses from which was fetched */
	unsigned recents;
	uint64_t addresses;
	uint64_t rights; /* AT instructions */
	uint64_t fetches;
	uint64_t differences;
	unsigned changes; /* operations on the live table */
};

uint64_t judge_random(struct judge *j);

/* Evenly in [0, below). */
static inline uint64_t judge_below(struct judge *j, uint64_t below)
{
	return judge_random(j) % below;
}

/* Count a difference and print it, if it is one of the first. */
__attribute__((format(printf, 2, 3))) void
judge_difference(struct judge *j, const char *format, ...);

/* Map up to `ranges` random ranges (map.c). */
void judge_map(struct judge *j, unsigned ranges);

/* One more range; where nothing is free, none. */
void judge_map_one(struct judge *j);

/* `count` random operations on what is mapped (change.c). */
void judge_change(struct judge *j, unsigned count);

/* Compare at that many random addresses (judge.c). */
void judge_compare(struct judge *j, uint64_t addresses);

/* Does the CPU not even begin to walk this shape? judge_map() was called. */
int judge_is_refused(struct judge *j);

/* Compare again where the TLB holds something, from a fetch. */
void judge_recheck(struct judge *j);

/* Can the format express these attributes? */
int judge_encodes(struct judge *j, const struct nw_attrs *attrs);

#endif
