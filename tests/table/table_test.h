/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unit tests of the table operations. Every test of every group runs on every
 * table shape, in each mode; each begins with an empty table and ends with a
 * look at all of it, so that a test need not ask whether pages were lost.
 */
#ifndef TABLE_TEST_H
#define TABLE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"

extern const struct variant *current_variant;

int table_setup(void **state);
int table_teardown(void **state);

#define TABLE_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, table_setup, table_teardown)

/* The first argument of every test, as a fixture. */
#define FIXTURE(state) ((struct fixture *)*(state))

/* Map with read and write, largest leaves, and expect success. */
void map_ok(struct fixture *f, uint64_t ia, uint64_t size, uint64_t pa);

/* Level of the leaf over `ia`, as the second walker sees it; -1: none. */
int leaf_level(struct fixture *f, uint64_t ia);

/* Expect a status, and result.status and result.reached to go with it. */
#define assert_result(f, call, want_status, want_reached)                      \
	do {                                                                   \
		enum nw_status got_ = (call);                                  \
		assert_string_equal(nw_status_name(got_),                      \
				    nw_status_name(want_status));              \
		assert_int_equal((f)->result.status, got_);                    \
		assert_int_equal((f)->result.reached, (want_reached));         \
	} while (0)

/* A refused argument is named, and nothing was done. */
#define assert_refused(f, call, want_status, want_reached, want_argument)      \
	do {                                                                   \
		uint64_t live_ = (f)->arena.live;                              \
		assert_result(f, call, want_status, want_reached);             \
		assert_non_null((f)->result.argument);                         \
		assert_string_equal((f)->result.argument, want_argument);      \
		assert_int_equal((f)->arena.live, live_);                      \
		assert_int_equal((f)->arena.requests, 0);                      \
	} while (0)

int run_map_tests(void);
int run_change_tests(void);
int run_fold_tests(void);
int run_leaf_tests(void);
int run_refusal_tests(void);
int run_look_tests(void);
int run_life_tests(void);
int run_memory_tests(void);
int run_prepared_tests(void);
int run_replace_tests(void);
int run_gather_tests(void);

#endif
