/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pair of traces for each rule: make(t, 0) is right, make(t, 1) is wrong,
 * and the two differ in one event. test_rules.c proves it all: the good one is
 * clean, the bad one is refuted with exactly this rule, they differ in one
 * event, and without the rule the bad one would pass.
 */
#ifndef TEST_CHECK_PAIRS_H
#define TEST_CHECK_PAIRS_H

#include "build.h"

struct pair {
	const char *rule;
	const char *name; /* what is wrong with the bad one */
	void (*make)(struct tb *t, int bad);
};

extern const struct pair pairs_x86[], pairs_riscv[];
extern const unsigned pairs_x86_count, pairs_riscv_count;
extern const struct pair pairs_entry[], pairs_tlb[], pairs_life[], pairs_rest[];
extern const struct pair pairs_arm64[], pairs_arm64_wide[];
extern const unsigned pairs_arm64_count, pairs_arm64_wide_count;
extern const struct pair pairs_op[], pairs_log[], pairs_owner[];
extern const unsigned pairs_op_count, pairs_log_count, pairs_owner_count;
extern const struct pair pairs_beside[];
extern const unsigned pairs_beside_count;
extern const unsigned pairs_entry_count, pairs_tlb_count, pairs_life_count,
	pairs_rest_count;

/* One event that only one of the two has: CHOOSE(bad, right, wrong), where
 * either may be ((void)0). */
#define CHOOSE(bad, right, wrong)                                              \
	do {                                                                   \
		if (bad)                                                       \
			wrong;                                                 \
		else                                                           \
			right;                                                 \
	} while (0)

#endif
