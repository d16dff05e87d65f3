/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of machine and explorer share. */
#ifndef TEST_EXPLORE_SUPPORT_H
#define TEST_EXPLORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../verify/scenarios/run.h"

/* Shared words of a small test program, and what each CPU read. */
struct litmus_state {
	uint64_t x, y, z;
	uint64_t r[8];
};

#define LITMUS(name_, ...)                                                     \
	static const struct nwx_scenario name_ = {                             \
		.name = #name_,                                                \
		.subject = NWX_PROTOCOL,                                       \
		.state_bytes = sizeof(struct litmus_state),                    \
		.finish = litmus_finish,                                       \
		__VA_ARGS__}

/* Which values r[0], r[1], ... took, as an octal number each bit of the mask:
 * bit (r[0] + 2 r[1] + 4 r[2] ...). Valid for registers that are 0 or 1. */
extern uint64_t litmus_seen;
void litmus_finish(void *state);

/* Explore fully, with and without reduction; both must see the same. Returns
 * the outcomes. */
uint64_t litmus_outcomes(const struct nwx_scenario *s);

#endif
