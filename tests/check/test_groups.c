/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many obligations at once: what barriers move as a whole, what leaves a group
 * alone, and what is found by output address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "build.h"

#define LOCK_A UINT64_C(0x1000)
#define PAGES  512u

struct run {
	struct tb t;
	struct nwv_check *check;
	unsigned fed;
};

static struct run run;

/* Give the oracle what was built since. */
static size_t outstanding(void)
{
	for (; run.fed < run.t.events; run.fed++)
		nwv_check_event(run.check, &run.t.event[run.fed]);
	return nwv_check_outstanding(run.check);
}

/* All of TAB0 maps something. */
static struct tb *open_run(void)
{
	struct tb *t = &run.t;
	unsigned i;

	memset(&run, 0, sizeof(run));
	run.check = nwv_check_new(NULL);
	assert_non_null(run.check);
	s2_mapped(t, 0);
	for (i = 8; i < PAGES; i++)
		set(t, TAB0, i, 0, S2_PAGE(RAM + i * PAGE));
	return t;
}

static void clear(struct tb *t, unsigned i)
{
	set(t, TAB0, i, S2_PAGE(RAM + i * PAGE), 0);
}

static void fill(struct tb *t, unsigned i)
{
	set(t, TAB0, i, 0, S2_PAGE(RAM + i * PAGE));
}

static void flush_one(struct tb *t, unsigned i)
{
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(i * PAGE, 3), VMID);
}

static void combined(struct tb *t)
{
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void close_run(enum nwv_check_status expected, const char *rule)
{
	(void)outstanding();
	assert_int_equal(nwv_check_end(run.check), expected);
	if (rule)
		assert_string_equal(nwv_check_violation(run.check, 0)->rule->id,
				    rule);
	nwv_check_free(run.check);
}

static void barrier_after_each_store_all_flushed_clean(void **state)
{
	struct tb *t = open_run();
	unsigned i, round;

	(void)state;
	for (round = 0; round < 4; round++) {
		for (i = 0; i < PAGES; i++) {
			clear(t, i);
			barrier(t, NW_BARRIER_DSB_ISHST);
		}
		assert_int_equal(outstanding(), PAGES);
		for (i = 0; i < PAGES; i += 2)
			flush_one(t, i * 7 % PAGES & ~1u);
		combined(t);
		assert_int_equal(outstanding(), PAGES / 2);
		/* The first half comes again while the second still waits. */
		for (i = 0; i < PAGES; i += 2) {
			fill(t, i);
			clear(t, i);
			barrier(t, NW_BARRIER_DSB_ISHST);
		}
		assert_int_equal(outstanding(), PAGES);
		for (i = 100; i < 300; i++)
			flush_one(t, i);
		combined(t);
		assert_int_equal(outstanding(), PAGES - 200);
		tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
		barrier(t, NW_BARRIER_DSB_ISH);
		assert_int_equal(outstanding(), 0);
		for (i = 0; i < PAGES; i++)
			fill(t, i);
	}
	close_run(NWV_CHECK_CLEAN, NULL);
}

static void one_left_out_of_many_refuted(void **state)
{
	struct tb *t = open_run();
	unsigned i;

	(void)state;
	for (i = 0; i < PAGES; i++)
		clear(t, i);
	barrier(t, NW_BARRIER_DSB_ISHST);
	for (i = PAGES; i-- > 0;)
		if (i != 77)
			flush_one(t, i);
	combined(t);
	assert_int_equal(outstanding(), 1);
	(void)nwv_check_end(run.check);
	assert_int_equal(nwv_check_violations(run.check), 1);
	assert_int_equal(nwv_check_violation(run.check, 0)->ia, 77 * PAGE);
	nwv_check_free(run.check);
}

/* A lock passes on what was stored before its release, and no more. */
static void stores_after_unlock_not_passed_on_refuted(void **state)
{
	struct tb *t = open_run();
	unsigned i;

	(void)state;
	on_cpu(t, 2);
	barrier(t, NW_BARRIER_ISB); /* it is there from the start */
	on_cpu(t, 1);
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	for (i = 0; i < 30; i++)
		clear(t, i);
	ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
	for (; i < 50; i++)
		clear(t, i);
	on_cpu(t, 2);
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	assert_int_equal(outstanding(), 20);
	ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
	close_run(NWV_CHECK_VIOLATION, "TLB-01");
}

/* Two tables whose stores and invalidations come in turn. */
static void two_tables_in_turn_each_flushed_alone(void **state)
{
	struct tb *t = open_run();
	unsigned i;

	(void)state;
	el2_mapped(t, 0);
	for (i = 0; i < 8; i++) {
		clear(t, i);
		set(t, ETAB0, i, EL2_PAGE(RAM + i * PAGE), 0);
	}
	barrier(t, NW_BARRIER_DSB_ISHST);
	assert_int_equal(outstanding(), 16);
	tlbi(t, NW_TLBI_ALLE2IS, 0, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
	assert_int_equal(outstanding(), 8);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	assert_int_equal(outstanding(), 0);
	close_run(NWV_CHECK_CLEAN, NULL);
}

static void frame_reuse_between_flushes_found(void **state)
{
	struct tb *t = open_run();
	unsigned i;

	(void)state;
	for (i = 0; i < 40; i++)
		clear(t, i);
	barrier(t, NW_BARRIER_DSB_ISHST);
	/* Asked before and after: some leave the index, some come to it. */
	ev(t, NW_EV_FRAME_REUSE, RAM + 100 * PAGE, PAGE, 0);
	for (i = 0; i < 20; i++)
		flush_one(t, i);
	combined(t);
	for (i = 40; i < 60; i++)
		clear(t, i);
	ev(t, NW_EV_FRAME_REUSE, RAM, 20 * PAGE, 0);
	assert_int_equal(outstanding(), 40);
	assert_int_equal(nwv_check_violations(run.check), 0);
	ev(t, NW_EV_FRAME_REUSE, RAM + 59 * PAGE, PAGE, 0);
	assert_int_equal(outstanding(), 39);
	assert_int_equal(nwv_check_violations(run.check), 1);
	ev(t, NW_EV_FRAME_REUSE, RAM + 20 * PAGE, 10 * PAGE, 0);
	assert_int_equal(outstanding(), 29);
	close_run(NWV_CHECK_VIOLATION, "LIFE-10");
}

/* What is noted for a leaf is not believed of a table that came after it. */
static void table_page_reuse_is_no_frame_reuse(void **state)
{
	struct tb *t = open_run();

	(void)state;
	clear(t, 0);
	clear(t, 1);
	barrier(t, NW_BARRIER_DSB_ISHST);
	flush_one(t, 0);
	combined(t);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	ev(t, NW_EV_FRAME_REUSE, TAB0, PAGE, 0);
	(void)outstanding();
	assert_int_equal(nwv_check_violations(run.check), 0);
	nwv_check_free(run.check);
}

static void left_at_the_end_in_order_of_time(void **state)
{
	struct tb *t = open_run();
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++)
		clear(t, i);
	s2_flush(t, 0);
	for (i = 1; i < 6; i++)
		s2_flush(t, i * PAGE);
	assert_int_equal(outstanding(), 0);
	for (i = 6; i < 12; i++)
		clear(t, i);
	(void)outstanding();
	(void)nwv_check_end(run.check);
	assert_int_equal(nwv_check_violations(run.check), 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(nwv_check_violation(run.check, i)->ia,
				 (6 + i) * PAGE);
	nwv_check_free(run.check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(barrier_after_each_store_all_flushed_clean),
		cmocka_unit_test(one_left_out_of_many_refuted),
		cmocka_unit_test(stores_after_unlock_not_passed_on_refuted),
		cmocka_unit_test(two_tables_in_turn_each_flushed_alone),
		cmocka_unit_test(frame_reuse_between_flushes_found),
		cmocka_unit_test(table_page_reuse_is_no_frame_reuse),
		cmocka_unit_test(left_at_the_end_in_order_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
