/* SPDX-License-Identifier: BSD-2-Clause */
/* One trace, and the oracle's word on it. */
#ifndef TEST_CHECK_JUDGE_H
#define TEST_CHECK_JUDGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "build.h"

static struct tb trace;

static inline struct tb *fresh(void)
{
	trace.events = 0;
	trace.cpu = 0;
	return &trace;
}

static inline struct nwv_check *run(const struct tb *t)
{
	struct nwv_check *c = nwv_check_new(NULL);
	unsigned i;

	assert_non_null(c);
	for (i = 0; i < t->events; i++)
		nwv_check_event(c, &t->event[i]);
	nwv_check_end(c);
	return c;
}

#endif
