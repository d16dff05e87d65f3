/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs as a table shows them, told by the manuals' own tables.
 */
#ifndef TESTS_CONFORMANCE_RUNS_H
#define TESTS_CONFORMANCE_RUNS_H

#include "rig.h"

#define RUNS 3u

/* Three runs beside one another. */
struct place {
	unsigned level, members;
	uint64_t ia, pa, span, run; /* bytes of a leaf, of a run */
	struct nw_attrs attrs;
};

/* Entries of a run at this level, by the manual; 1: there are none. */
unsigned runs_members(const struct rig *rig, unsigned level);

/* So many runs are in the place, each whole and right, and no member besides. */
void runs_expect(struct rig *rig, const struct place *p, unsigned runs);

#endif
