/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows that are not nanoseconds an entry of one thread: how faults scale, what
 * contention costs, and what is counted.
 */
#ifndef BENCH_SPECIAL_H
#define BENCH_SPECIAL_H

#include <stdint.h>

struct special {
	const char *name;
	const char *title;
	/* "scale": pairs of how often the throughput of one thread, at least
	 * the floor's. "cost": pairs of how often one thread's CPU time, at
	 * most the floor's. "storm": retries an operation. "count": exact. */
	const char *kind;
	/* Prints the members of a JSON object that come after "row". */
	void (*run)(const struct special *self, unsigned repeat);
};

extern const struct special specials_threads[], specials_count[];
extern const unsigned specials_threads_n, specials_count_n;

/* NULL past the end. */
const struct special *special_at(unsigned index);

#endif
