/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios at every leaf level of every format in every configuration.
 */
#ifndef TESTS_CONFORMANCE_PLACE_H
#define TESTS_CONFORMANCE_PLACE_H

#include "rig.h"

/* Where a scenario at one leaf level works: two leaves' room. */
struct place {
	unsigned level;
	uint64_t ia, pa, span, granule;
	unsigned leaves; /* 1 or 2, as the input range has room */
	struct nw_attrs attrs;
};

typedef void (*scenario_fn)(struct rig *rig, const struct place *p);

static inline uint64_t place_end(const struct place *p)
{
	return p->ia + p->leaves * p->span;
}

/* Run it everywhere: exclusive with two sets of attributes, and shared. */
void place_run(scenario_fn scenario);

#endif
