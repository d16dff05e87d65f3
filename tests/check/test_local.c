/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs that invalidate for themselves: what is right and must not be called
 * wrong, and what is said of what is wrong.
 */
#include "judge.h"
#include "machines.h"

static const struct machine *const machines[] = {&x86, &npt, &ept, &sv39,
						 &sv39x4};

static void expect_clean(struct tb *t)
{
	struct nwv_check *c = run(t);
	char text[1500];

	if (nwv_check_status(c) != NWV_CHECK_CLEAN) {
		if (nwv_check_problem(c))
			print_message("%s\n", nwv_check_problem(c));
		if (nwv_check_violation(c, 0)) {
			nwv_violation_text(nwv_check_violation(c, 0), text,
					   sizeof(text));
			print_message("%s\n", text);
		}
		fail_msg("not clean");
	}
	assert_int_equal(nwv_check_outstanding(c), 0);
	nwv_check_free(c);
}

/* The first violation is of this rule and says these words. */
static void expect_words(struct tb *t, const char *rule, const char *words)
{
	struct nwv_check *c = run(t);
	const struct nwv_violation *v = nwv_check_violation(c, 0);
	char text[1500];

	assert_int_equal(nwv_check_violations(c), 1);
	assert_string_equal(v->rule->id, rule);
	nwv_violation_text(v, text, sizeof(text));
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
	nwv_check_free(c);
}

static void fence(struct tb *t, const struct machine *m)
{
	if (m->ppn_right)
		barrier(t, NW_BARRIER_RISCV_FENCE_W);
}

/* ---- what owes nothing ------------------------------------------------------
 */

static void rights_added_flush_not_owed(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		const struct machine *m = machines[i];
		struct tb *t = fresh();
		uint64_t ro = m_page(m, RAM) & ~m_write_bit(m);

		m_mapped(t, m);
		set(t, M_TAB0, 9, 0, ro);
		m_install(t, m, M_ROOT, m->tag);
		swap(t, M_TAB0, 9, ro, m_page(m, RAM));
		expect_clean(t);
	}
}

static void invalid_made_valid_flush_not_owed(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct tb *t = fresh();

		m_running(t, machines[i]);
		set(t, M_TAB0, 9, 0, m_page(machines[i], RAM));
		expect_clean(t);
	}
}

/* Size alone changes: no break, and nothing owed. */
static void split_in_place_clean(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		const struct machine *m = machines[i];
		struct tb *t = fresh();

		m_running(t, m);
		m_split_page(t, m, 0);
		fence(t, m);
		link_(t, M_TAB1, 1, m_block(m, RAM + 2 * MIB),
		      m_table(m, M_NEW));
		expect_clean(t);
	}
}

/* The table that a large leaf replaces is in walk caches. */
static void collapse_in_place_owes_the_table(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		const struct machine *m = machines[i];
		struct tb *t = fresh();
		struct nwv_check *c;

		m_running(t, m);
		m_split_page(t, m, 0);
		fence(t, m);
		link_(t, M_TAB1, 1, m_block(m, RAM + 2 * MIB),
		      m_table(m, M_NEW));
		set(t, M_TAB1, 1, m_table(m, M_NEW), m_block(m, RAM + 2 * MIB));
		c = run(t);
		assert_int_equal(nwv_check_violations(c), 1);
		assert_string_equal(nwv_check_violation(c, 0)->rule->id,
				    "TLB-02");
		nwv_check_free(c);
		m_flush_tag(t, m);
		fence(t, m);
		m_call(t);
		m_flush_tag(t, m);
		m_return(t);
		page_free(t, M_NEW, 1);
		expect_clean(t);
	}
}

/* 16 pages become a run, with no break: the translation is the same. */
static void napot_run_in_place_clean(void **state)
{
	struct tb *t = fresh();
	uint64_t run16 = m_page(&sv39, RAM) | UINT64_C(1) << 63 | 8 << 10;
	unsigned i;

	(void)state;
	m_mapped(t, &sv39);
	for (i = 8; i < 16; i++)
		set(t, M_TAB0, i, 0, m_page(&sv39, RAM + i * PAGE));
	m_install(t, &sv39, M_ROOT, sv39.tag);
	for (i = 0; i < 16; i++)
		set(t, M_TAB0, i, m_page(&sv39, RAM + i * PAGE), run16);
	expect_clean(t);
}

/* ---- complete invalidations
 * -------------------------------------------------- */

static void shootdown_of_all_cpus_clean(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		const struct machine *m = machines[i];
		struct tb *t = fresh();

		m_running(t, m);
		set(t, M_TAB0, 0, m_page(m, RAM), 0);
		m_shootdown(t, m, 0);
		ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
		set(t, M_TAB0, 0, 0, m_page(m, RAM + GIB));
		expect_clean(t);
	}
}

/* The CPU that unmaps does not run the guest: it has nothing to flush. */
static void initiator_without_the_root_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_mapped(t, &ept);
	on_cpu(t, 1);
	m_install(t, &ept, M_ROOT, 0);
	on_cpu(t, 0);
	set(t, M_TAB0, 0, m_page(&ept, RAM), 0);
	m_call(t);
	m_flush(t, &ept, 0);
	m_return(t);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	expect_clean(t);
}

/* Nobody waits for a CPU that runs something else; it flushes on return. */
static void absent_cpu_flushes_on_return_clean(void **state)
{
	unsigned i, first;

	(void)state;
	for (i = 0; i < 10; i++) {
		const struct machine *m = machines[i / 2];
		struct tb *t = fresh();

		first = i % 2;
		m_running(t, m);
		m_new(t, m, M_ROOT2, m->tag + 1);
		on_cpu(t, 1);
		m_install(t, m, M_ROOT2, m->tag + 1);
		on_cpu(t, 0);
		set(t, M_TAB0, 0, m_page(m, RAM), 0);
		m_flush(t, m, 0);
		ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
		on_cpu(t, 1);
		/* The event of the flush comes first, or that of the root. */
		if (first)
			m_flush_tag(t, m);
		m_install(t, m, M_ROOT, m->tag);
		if (!first)
			m_flush_tag(t, m);
		expect_clean(t);
	}
}

/* A CPU that leaves before it is told is not waited for any more: not at a
 * reuse, not when a table is freed, not at a new entry, not at the end. */
static void cpu_that_left_not_waited_for(void **state)
{
	unsigned what;

	(void)state;
	for (what = 0; what < 4; what++) {
		struct tb *t = fresh();

		m_running(t, &npt);
		m_new(t, &npt, M_ROOT2, 4);
		if (what == 1)
			set(t, M_TAB1, 0, m_table(&npt, M_TAB0), 0);
		else
			set(t, M_TAB0, 0, m_page(&npt, RAM), 0);
		m_flush_tag(t, &npt);
		on_cpu(t, 1);
		m_install(t, &npt, M_ROOT2, 4);
		on_cpu(t, 0);
		if (what == 0)
			ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
		else if (what == 1)
			page_free(t, M_TAB0, 1);
		else if (what == 2)
			set(t, M_TAB0, 0, 0, m_page(&npt, RAM + GIB));
		expect_clean(t);
	}
}

/* A broadcast reaches a CPU that is away, too. */
static void invlpgb_reaches_absent_cpu_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &x86);
	m_new(t, &x86, M_ROOT2, 6);
	on_cpu(t, 1);
	m_install(t, &x86, M_ROOT2, 6);
	on_cpu(t, 0);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	tlbi(t, NW_TLBI_X86_INVLPGB, 0xb, x86.tag);
	barrier(t, NW_BARRIER_X86_TLBSYNC);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	on_cpu(t, 1);
	m_install(t, &x86, M_ROOT, x86.tag);
	expect_clean(t);
}

/* A store handed to another CPU under a lock, which invalidates everywhere. */
static void handed_on_under_a_lock_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &sv39x4);
	ev(t, NW_EV_LOCK, 0x1000, 0, 0);
	set(t, M_TAB0, 0, m_page(&sv39x4, RAM), 0);
	ev(t, NW_EV_UNLOCK, 0x1000, 0, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_LOCK, 0x1000, 0, 0);
	m_flush_tag(t, &sv39x4);
	ev(t, NW_EV_IPI_SEND, 1, 3, 0);
	on_cpu(t, 0);
	ev(t, NW_EV_IPI_TAKE, 1, 3, 0);
	m_flush_tag(t, &sv39x4);
	ev(t, NW_EV_IPI_DONE, 1, 3, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_IPI_WAIT, 1, 3, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	ev(t, NW_EV_UNLOCK, 0x1000, 0, 0);
	expect_clean(t);
}

/* Two calls on their way at once: the first one's wait is enough for what the
 * first one was about. */
static void overlapping_calls_awaited_in_turn_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &x86);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	m_flush(t, &x86, 0);
	ev(t, NW_EV_IPI_SEND, 2, 1, 0);
	set(t, M_TAB0, 1, m_page(&x86, RAM + PAGE), 0);
	m_flush(t, &x86, PAGE);
	ev(t, NW_EV_IPI_SEND, 2, 2, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_IPI_TAKE, 0, 1, 0);
	m_flush(t, &x86, 0);
	ev(t, NW_EV_IPI_DONE, 0, 1, 0);
	ev(t, NW_EV_IPI_TAKE, 0, 2, 0);
	m_flush(t, &x86, PAGE);
	ev(t, NW_EV_IPI_DONE, 0, 2, 0);
	on_cpu(t, 0);
	ev(t, NW_EV_IPI_WAIT, 2, 1, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	ev(t, NW_EV_IPI_WAIT, 2, 2, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM + PAGE, PAGE, 0);
	expect_clean(t);
}

/* ... and not for what the second one was about. */
static void second_call_not_awaited_refuted(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &x86);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	m_flush(t, &x86, 0);
	ev(t, NW_EV_IPI_SEND, 2, 1, 0);
	set(t, M_TAB0, 1, m_page(&x86, RAM + PAGE), 0);
	m_flush(t, &x86, PAGE);
	ev(t, NW_EV_IPI_SEND, 2, 2, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_IPI_TAKE, 0, 1, 0);
	m_flush(t, &x86, 0);
	ev(t, NW_EV_IPI_DONE, 0, 1, 0);
	ev(t, NW_EV_IPI_TAKE, 0, 2, 0);
	m_flush(t, &x86, PAGE);
	ev(t, NW_EV_IPI_DONE, 0, 2, 0);
	on_cpu(t, 0);
	ev(t, NW_EV_IPI_WAIT, 2, 1, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM + PAGE, PAGE, 0);
	ev(t, NW_EV_IPI_WAIT, 2, 2, 0);
	expect_words(t, "LIFE-10", "needs a wait until the other CPUs");
}

/* A whole flush serves what its CPU has heard of, and no more. */
static void whole_flush_serves_what_is_known(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &x86);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	ev(t, NW_EV_IPI_SEND, 2, 7, 0);
	set(t, M_TAB0, 1, m_page(&x86, RAM + PAGE), 0);
	m_flush_tag(t, &x86);
	on_cpu(t, 1);
	ev(t, NW_EV_IPI_TAKE, 0, 7, 0);
	m_flush_tag(t, &x86);
	m_return(t);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	expect_words(t, "TLB-14", "input 0x1000,");
}

/* Flushed while it was away, it has nothing left when it returns. */
static void absent_cpu_flushed_before_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &x86);
	m_new(t, &x86, M_ROOT2, 6);
	on_cpu(t, 1);
	m_install(t, &x86, M_ROOT2, 6);
	tlbi(t, NW_TLBI_X86_INVPCID_PCID, 0, x86.tag);
	on_cpu(t, 0);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	m_flush(t, &x86, 0);
	on_cpu(t, 1);
	m_install(t, &x86, M_ROOT, x86.tag);
	expect_clean(t);
}

/* Kernel addresses are sign-extended in the operand, not in the table. */
static void upper_half_address_is_met(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_mapped(t, &x86);
	alloc(t, M_NEW, 1);
	zero(t, M_NEW, ~0u);
	link_(t, M_ROOT, 511, 0, m_table(&x86, M_NEW));
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_NEW, 511, 0, m_block(&x86, GIB));
	set(t, M_NEW, 511, m_block(&x86, GIB), 0);
	tlbi(t, NW_TLBI_X86_INVLPG, ~UINT64_C(0) << 30, 0);
	expect_clean(t);
}

/* ---- what is said
 * -------------------------------------------------------------- */

static void one_cpu_of_three_is_named(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &ept);
	on_cpu(t, 2);
	m_install(t, &ept, M_ROOT, 0);
	on_cpu(t, 0);
	set(t, M_TAB0, 0, m_page(&ept, RAM), 0);
	m_shootdown(t, &ept, 0);
	expect_words(t, "TLB-13", "needs INVEPT on cpu 2 after seq");
}

static void missing_fence_is_named(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &sv39);
	set(t, M_TAB0, 0, m_page(&sv39, RAM), 0);
	m_flush(t, &sv39, 0);
	m_call(t);
	m_flush(t, &sv39, 0);
	m_return(t);
	expect_words(t, "TLB-14",
		     "needs FENCE w,w between the store and the interrupt");
}

static void wrong_pcid_is_named(void **state)
{
	struct tb *t = fresh();

	(void)state;
	m_running(t, &x86);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	m_flush(t, &x86, 0);
	m_call(t);
	tlbi(t, NW_TLBI_X86_INVPCID_ADDR, 0, 77);
	m_return(t);
	expect_words(t, "TLB-04", "ignored: PCID 77, not 5");
}

/* A run's frame is the one of its own page, not of its first. */
static void run_member_frame_is_its_own(void **state)
{
	struct tb *t = fresh();
	uint64_t e = m_page(&sv39, RAM) | UINT64_C(1) << 63 | 8 << 10;

	(void)state;
	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	set(t, M_TAB0, 21, 0, e);
	set(t, M_TAB0, 21, e, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM + 5 * PAGE, PAGE, 0);
	m_flush(t, &sv39, 21 * PAGE);
	expect_words(t, "LIFE-10", "needs SFENCE.VMA on cpu 0");
}

static void expect_malformed(struct tb *t, const char *words)
{
	struct nwv_check *c = run(t);

	assert_int_equal(nwv_check_status(c), NWV_CHECK_MALFORMED);
	if (!strstr(nwv_check_problem(c), words))
		fail_msg("\"%s\" is not in: %s", words, nwv_check_problem(c));
	nwv_check_free(c);
}

static void interrupts_out_of_order_malformed(void **state)
{
	struct tb *t = fresh();

	(void)state;
	ev(t, NW_EV_IPI_TAKE, 1, 1, 0);
	expect_malformed(t, "ipi_take: no ipi_send");
	t = fresh();
	ev(t, NW_EV_IPI_SEND, 2, 1, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_IPI_DONE, 0, 1, 0);
	expect_malformed(t, "ipi_done: this CPU has not taken it");
	t = fresh();
	m_call(t);
	on_cpu(t, 0);
	ev(t, NW_EV_IPI_WAIT, 2, 7, 0);
	expect_malformed(t, "have not said ipi_done");
	t = fresh();
	m_call(t);
	m_return(t);
	ev(t, NW_EV_IPI_WAIT, 2, 7, 0);
	expect_malformed(t, "ipi_wait: no ipi_send");
}

/* ---- many
 * ------------------------------------------------------------------------ */

/* 512 pages go at once; one flush of each CPU moves them all. */
static void many_pages_one_flush_clean(void **state)
{
	struct tb *t = fresh();
	unsigned i;

	(void)state;
	m_mapped(t, &ept);
	alloc(t, M_NEW, 1);
	for (i = 0; i < 512; i++)
		init(t, M_NEW, i, m_page(&ept, RAM + GIB + i * PAGE));
	link_(t, M_TAB1, 2, 0, m_table(&ept, M_NEW));
	m_install(t, &ept, M_ROOT, 0);
	on_cpu(t, 1);
	m_install(t, &ept, M_ROOT, 0);
	on_cpu(t, 0);
	for (i = 0; i < 512; i++)
		set(t, M_NEW, i, m_page(&ept, RAM + GIB + i * PAGE), 0);
	m_shootdown(t, &ept, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM + GIB, 2 * MIB, 0);
	expect_clean(t);
}

/* A dropped table, by address: each page, and the table with any of them. */
static void dropped_table_by_address_clean(void **state)
{
	struct tb *t = fresh();
	unsigned i;

	(void)state;
	m_running(t, &x86);
	set(t, M_TAB1, 0, m_table(&x86, M_TAB0), 0);
	for (i = 0; i < 8; i++)
		m_flush(t, &x86, i * PAGE);
	m_call(t);
	for (i = 0; i < 8; i++)
		m_flush(t, &x86, i * PAGE);
	m_return(t);
	page_free(t, M_TAB0, 1);
	expect_clean(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_added_flush_not_owed),
		cmocka_unit_test(invalid_made_valid_flush_not_owed),
		cmocka_unit_test(split_in_place_clean),
		cmocka_unit_test(collapse_in_place_owes_the_table),
		cmocka_unit_test(napot_run_in_place_clean),
		cmocka_unit_test(shootdown_of_all_cpus_clean),
		cmocka_unit_test(initiator_without_the_root_clean),
		cmocka_unit_test(absent_cpu_flushes_on_return_clean),
		cmocka_unit_test(cpu_that_left_not_waited_for),
		cmocka_unit_test(invlpgb_reaches_absent_cpu_clean),
		cmocka_unit_test(handed_on_under_a_lock_clean),
		cmocka_unit_test(overlapping_calls_awaited_in_turn_clean),
		cmocka_unit_test(second_call_not_awaited_refuted),
		cmocka_unit_test(whole_flush_serves_what_is_known),
		cmocka_unit_test(absent_cpu_flushed_before_clean),
		cmocka_unit_test(upper_half_address_is_met),
		cmocka_unit_test(one_cpu_of_three_is_named),
		cmocka_unit_test(missing_fence_is_named),
		cmocka_unit_test(wrong_pcid_is_named),
		cmocka_unit_test(run_member_frame_is_its_own),
		cmocka_unit_test(interrupts_out_of_order_malformed),
		cmocka_unit_test(many_pages_one_flush_clean),
		cmocka_unit_test(dropped_table_by_address_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
