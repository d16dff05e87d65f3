/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of any arm64 shape, for pairs of traces. */
#ifndef TEST_CHECK_PAIRS_ARM64_H
#define TEST_CHECK_PAIRS_ARM64_H

#include "pairs.h"

struct arm64_shape {
	unsigned format, regime, granule_lg2, ia, oa, features, tag;
};

#define BIT(n)	   (UINT64_C(1) << (n))
#define BIG_ROOT   UINT64_C(0x41000000)
#define BIG_TAB	   UINT64_C(0x41400000)
#define TG(lg2)	   ((uint64_t)((lg2)-10) / 2 << 46)
#define TTL(level) ((uint64_t)(level) << 44)

/* A table page, all of its entries 0. */
void arm64_page(struct tb *t, const struct arm64_shape *s, uint64_t pa);
/* An empty table. */
void arm64_table(struct tb *t, const struct arm64_shape *s, uint64_t pa);
/* BIG_ROOT[0] -> BIG_TAB, a page of leaves where the root is at level 1. */
void arm64_two_levels(struct tb *t, const struct arm64_shape *s, unsigned leaf,
		      uint64_t value);
/* The rest of a stage-2 invalidation, once that by IPA is issued. */
void arm64_stage2_rest(struct tb *t);

#endif
