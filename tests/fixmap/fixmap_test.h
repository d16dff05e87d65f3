/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FIXMAP_TEST_H
#define FIXMAP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

#define PAGE_BYTES 4096ull
#define BLOCK_BYTES (2ull << 20)

#define assert_status(call, want)                                              \
	assert_string_equal(nw_status_name(call), nw_status_name(want))

/* End of a test: nothing lost, nothing stale. */
#define assert_closes(r)                                                       \
	do {                                                                   \
		const char *wrong_ = rig_close(r);                             \
		if (wrong_)                                                    \
			fail_msg("%s", wrong_);                                \
	} while (0)

int run_window_tests(void);
int run_misuse_tests(void);
int run_property_tests(void);

#endif
