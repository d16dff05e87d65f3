/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must not be reported, and what a verdict says.
 */

#include "judge.h"

#define LOCK_A UINT64_C(0xffff000040030000)

static void expect_clean(const struct tb *t)
{
	struct nwv_check *c = run(t);
	char text[1000] = "";

	if (nwv_check_violations(c))
		nwv_violation_text(nwv_check_violation(c, 0), text,
				   sizeof(text));
	if (nwv_check_problem(c))
		snprintf(text, sizeof(text), "%s", nwv_check_problem(c));
	assert_string_equal(text, "");
	assert_int_equal(nwv_check_status(c), NWV_CHECK_CLEAN);
	nwv_check_free(c);
}

/* The only violation, in words. */
static void expect_words(const struct tb *t, const char *rule,
			 const char *words)
{
	struct nwv_check *c = run(t);
	char text[1000] = "";

	assert_int_equal(nwv_check_violations(c), 1);
	nwv_violation_text(nwv_check_violation(c, 0), text, sizeof(text));
	assert_string_equal(nwv_check_violation(c, 0)->rule->id, rule);
	if (!strstr(text, words))
		fail_msg("no \"%s\" in:\n%s", words, text);
	nwv_check_free(c);
}

/* ---- no false alarm ---------------------------------------------------- */

static void vmid0_beside_el2_root_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	el2_mapped(t, 0);
	alloc(t, ROOT, 2);
	ev(t, NW_EV_TABLE_INIT, ROOT,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 12, 40, 40, 0), 0);
	zero(t, ROOT, ~0u);
	zero(t, ROOT + PAGE, ~0u);
	ev(t, NW_EV_ROOT_SWITCH, EROOT, 0, NW_REGIME_EL2);
	ev(t, NW_EV_ROOT_SWITCH, ROOT, 0, NW_REGIME_STAGE2);
	set(t, ROOT, 0, 0, S2_BLOCK(RAM));
	set(t, ETAB0, 0, EL2_PAGE(RAM), 0);
	el2_flush(t, 0);
	set(t, ROOT, 0, S2_BLOCK(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
	expect_clean(t);
}

/* The flush of the one regime does nothing for the other. */
static void vmid0_flush_beside_el2_root_refuted(void **state)
{
	struct tb *t = fresh();

	(void)state;
	el2_mapped(t, 0);
	set(t, ETAB0, 0, EL2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_ALLE1IS, 0, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
	expect_words(t, "TLB-02", "needs TLBI VAE2IS");
}

static void block_last_level_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	el2_mapped(t, 0);
	set(t, ETAB1, 1, EL2_BLOCK(RAM + 2 * MIB), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VALE2IS, by_address(2 * MIB + 5 * PAGE, 2), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
	expect_clean(t);
}

static void handed_over_under_lock(struct tb *t, int same_lock)
{
	s2_mapped(t, 0);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_ISB);
	on_cpu(t, 0);
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_LOCK, LOCK_A + (same_lock ? 0 : 64), 0, 0);
	s2_flush(t, 0);
	ev(t, NW_EV_UNLOCK, LOCK_A + (same_lock ? 0 : 64), 0, 0);
}

static void flush_handed_over_under_lock_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	handed_over_under_lock(t, 1);
	expect_clean(t);
}

static void flush_handed_over_without_lock_refuted(void **state)
{
	struct tb *t = fresh();

	(void)state;
	handed_over_under_lock(t, 0);
	expect_words(t, "TLB-01", "no DSB between the store and it");
}

/* The store's own CPU ordered it; anybody may invalidate. */
static void flush_by_other_cpu_after_dsb_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	on_cpu(t, 1);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	expect_clean(t);
}

static void permission_change_access_flag_clear_clean(void **state)
{
	struct tb *t = fresh();
	uint64_t old = S2_PAGE(RAM + 9 * PAGE) & ~D_AF;

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 9, 0, old);
	set(t, TAB0, 9, old, old & ~S2_W);
	expect_clean(t);
}

/* The flag was set before, and nothing was flushed since. */
static void permission_change_aged_entry_refuted(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), S2_PAGE(RAM) & ~D_AF);
	set(t, TAB0, 0, S2_PAGE(RAM) & ~D_AF, S2_PAGE(RAM) & ~D_AF & ~S2_W);
	expect_words(t, "TLB-02", "seq");
}

static void access_flag_cleared_without_flush_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), S2_PAGE(RAM) & ~D_AF);
	expect_clean(t);
}

static void two_plain_writes_in_one_section_clean(void **state)
{
	struct tb *t = fresh();
	unsigned cpu;

	(void)state;
	s2_mapped(t, 0);
	for (cpu = 0; cpu < 2; cpu++) {
		on_cpu(t, cpu);
		ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
		set(t, TAB0, 10 + cpu * 2, 0, S2_PAGE(RAM));
		set(t, TAB0, 11 + cpu * 2, 0, S2_PAGE(RAM + PAGE));
		set(t, TAB0, 20, cpu ? S2_PAGE(RAM) : 0,
		    S2_PAGE(RAM) & ~(cpu ? D_SOFT : 0));
		ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
	}
	expect_clean(t);
}

/* What came before a CPU's first event is ordered before it. */
static void first_event_of_cpu_ordered_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_ISB);
	on_cpu(t, 0);
	set(t, TAB0, 9, 0, S2_PAGE(RAM) & ~D_SOFT);
	on_cpu(t, 2);
	set(t, TAB0, 9, S2_PAGE(RAM) & ~D_SOFT, S2_PAGE(RAM));
	expect_clean(t);
}

/* An aged entry is remembered, but owes nothing to its frame. */
static void frame_reuse_aged_entry_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 3, S2_PAGE(RAM + 3 * PAGE),
	    S2_PAGE(RAM + 3 * PAGE) & ~D_AF);
	ev(t, NW_EV_FRAME_REUSE, RAM + 3 * PAGE, PAGE, 0);
	expect_clean(t);
}

static void rights_added_without_flush_clean(void **state)
{
	struct tb *t = fresh();
	uint64_t ro = S2_PAGE(RAM) & ~S2_W;

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 9, 0, ro);
	set(t, TAB0, 9, ro, S2_PAGE(RAM));
	expect_clean(t);
}

static void hardware_dirty_update_clean(void **state)
{
	struct tb *t = fresh();
	uint64_t clean = (S2_PAGE(RAM) & ~S2_W) | D_DBM;

	(void)state;
	s2_mapped(t, NW_FEAT_HAF | NW_FEAT_HD);
	set(t, TAB0, 9, 0, clean);
	/* Hardware has set the write right meanwhile. */
	swap(t, TAB0, 9, clean | S2_W, 0);
	s2_flush(t, 9 * PAGE);
	expect_clean(t);
}

/* ---- granules and ranges ----------------------------------------------- */

static void dropped_table_flushed_by_page_clean(void **state)
{
	struct tb *t = fresh();
	unsigned i;

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	for (i = 8; i-- > 0;) /* only eight pages were there, in any order */
		tlbi(t, NW_TLBI_IPAS2E1IS, by_address(i * PAGE, 0), VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	page_free(t, TAB0, 1);
	expect_clean(t);
}

static void dropped_table_flushed_but_one_page_refuted(void **state)
{
	struct tb *t = fresh();
	unsigned i;

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	for (i = 0; i < 8; i++)
		if (i != 5)
			tlbi(t, NW_TLBI_IPAS2E1IS, by_address(i * PAGE, 0),
			     VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	expect_words(t, "TLB-09", "input 0x5000, level 3");
}

static void shape_64k_granule_clean(void **state)
{
	struct tb *t = fresh();
	uint64_t root = UINT64_C(0x41000000), tab = UINT64_C(0x41010000);
	unsigned i;

	(void)state;
	alloc(t, root, 16);
	ev(t, NW_EV_TABLE_INIT, root,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 16, 40, 40, 0), VMID);
	alloc(t, tab, 16);
	for (i = 0; i < 16; i++) {
		zero(t, root + i * PAGE, ~0u);
		zero(t, tab + i * PAGE, ~0u);
	}
	/* Entry 1000 of the page lies in its second frame. */
	init(t, tab, 1000, S2_PAGE(RAM));
	link_(t, root, 3, 0, TABLE(tab));
	set(t, tab, 1000, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS,
	     (UINT64_C(3) << 29 | UINT64_C(1000) << 16) >> 12, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	expect_clean(t);
}

/* 16 KiB: two levels, 32 MiB blocks, and its own granule in operands. */
static void granule_16k(struct tb *t, unsigned tg)
{
	uint64_t root = UINT64_C(0x41000000), tab = UINT64_C(0x41010000);
	uint64_t block = RAM + UINT64_C(0x2000000);
	unsigned i;

	alloc(t, root, 4);
	ev(t, NW_EV_TABLE_INIT, root,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 14, 36, 40, 0), VMID);
	alloc(t, tab, 4);
	for (i = 0; i < 4; i++) {
		zero(t, root + i * PAGE, ~0u);
		zero(t, tab + i * PAGE, ~0u);
	}
	init(t, tab, 1500, S2_PAGE(RAM + 16 * KIB));
	link_(t, root, 3, 0, TABLE(tab));
	set(t, root, 4, 0, S2_BLOCK(block));
	set(t, tab, 1500, S2_PAGE(RAM + 16 * KIB), 0);
	set(t, root, 4, S2_BLOCK(block), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	/* TTL: granule and level 3; level 2 for the block. */
	tlbi(t, NW_TLBI_IPAS2E1IS,
	     (UINT64_C(3) << 25 | UINT64_C(1500) << 14) >> 12 |
		     (uint64_t)tg << 46 | UINT64_C(3) << 44,
	     VMID);
	tlbi(t, NW_TLBI_IPAS2E1IS,
	     (UINT64_C(4) << 25) >> 12 | UINT64_C(2) << 46 |
		     UINT64_C(2) << 44,
	     VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void shape_16k_granule_clean(void **state)
{
	struct tb *t = fresh();

	(void)state;
	granule_16k(t, 2);
	expect_clean(t);
}

static void shape_16k_granule_named_4k_refuted(void **state)
{
	struct tb *t = fresh();

	(void)state;
	granule_16k(t, 1);
	expect_words(t, "TLB-05", "names a granule of 4096 bytes, not 16384");
}

static void shape_16k_unaligned_leaf_refuted(void **state)
{
	struct tb *t = fresh();

	(void)state;
	granule_16k(t, 2);
	set(t, UINT64_C(0x41010000), 7, 0, S2_PAGE(RAM + 4 * KIB));
	expect_words(t, "ENTRY-06", "level 3");
}

/* ---- root locks -------------------------------------------------------- */

static void root_lock_missing_refuted(void **state)
{
	struct tb *t = fresh();
	struct nwv_check *c = nwv_check_new(NULL);
	unsigned i, n, inside;

	(void)state;
	s2_mapped(t, 0);
	n = t->events;
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	set(t, TAB0, 9, 0, S2_PAGE(RAM));
	ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
	inside = t->events;
	set(t, TAB0, 10, 0, S2_PAGE(RAM));
	for (i = 0; i < t->events; i++) {
		if (i == n)
			nwv_check_root_lock(c, ROOT, LOCK_A);
		if (i == inside)
			assert_int_equal(nwv_check_status(c), NWV_CHECK_CLEAN);
		nwv_check_event(c, &t->event[i]);
	}
	assert_int_equal(nwv_check_violations(c), 1);
	assert_string_equal(nwv_check_violation(c, 0)->rule->id, "LOCK-03");
	nwv_check_free(c);
}

/* ---- verdicts ---------------------------------------------------------- */

static void verdict_names_event_armed_missing_and_near(void **state)
{
	struct tb *t = fresh();
	char text[1000], want[200];
	struct nwv_check *c;
	const struct nwv_violation *v;
	unsigned store, wrong;

	(void)state;
	s2_mapped(t, 0);
	store = t->events;
	set(t, TAB0, 3, S2_PAGE(RAM + 3 * PAGE), 0);
	t->event[store].file = "unmap.c";
	t->event[store].line = 42;
	barrier(t, NW_BARRIER_DSB_ISHST);
	wrong = t->events;
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(3 * PAGE, 3), 1);
	barrier(t, NW_BARRIER_DSB_ISH);
	ev(t, NW_EV_FRAME_REUSE, RAM + 3 * PAGE, PAGE, 0);
	c = run(t);
	assert_int_equal(nwv_check_violations(c), 1);
	v = nwv_check_violation(c, 0);
	assert_string_equal(v->rule->id, "LIFE-10");
	assert_int_equal(v->event.seq, t->events - 1);
	assert_int_equal(v->armed.seq, store);
	nwv_violation_text(v, text, sizeof(text));
	assert_non_null(strstr(text, "(unmap.c:42): entry written"));
	assert_non_null(strstr(text, "needs TLBI IPAS2E1IS"));
	snprintf(want, sizeof(want),
		 "TLBI IPAS2E1IS at seq %u ignored: VMID 1, not 7", wrong);
	if (!strstr(text, want))
		fail_msg("no \"%s\" in:\n%s", want, text);
	nwv_check_free(c);
}

/* A short buffer is filled and ended, and the length is told. */
static void verdict_short_buffer_truncated(void **state)
{
	struct tb *t = fresh();
	struct nwv_check *c;
	char text[1000], small[20];
	int length;

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	c = run(t);
	length = nwv_violation_text(nwv_check_violation(c, 0), text,
				    sizeof(text));
	assert_int_equal(length, strlen(text));
	assert_int_equal(nwv_violation_text(nwv_check_violation(c, 0), small,
					    sizeof(small)),
			 length);
	assert_int_equal(strlen(small), sizeof(small) - 1);
	assert_memory_equal(small, text, sizeof(small) - 1);
	nwv_check_free(c);
}

/* One mistake at one line, made 500 times: one report. */
static void cascade_from_one_line_bounded(void **state)
{
	struct tb *t = fresh();
	struct nwv_check *c;
	unsigned i;

	(void)state;
	s2_mapped(t, 0);
	for (i = 8; i < 508; i++)
		set(t, TAB0, i, 0, S2_PAGE(RAM + i * PAGE));
	for (i = 8; i < 508; i++) {
		set(t, TAB0, i, S2_PAGE(RAM + i * PAGE), 0);
		t->event[t->events - 1].file = "unmap.c";
		t->event[t->events - 1].line = 7;
	}
	c = run(t);
	assert_int_equal(nwv_check_violations(c), 1);
	assert_int_equal(nwv_check_violation(c, 0)->also, 499);
	nwv_check_free(c);
}

/* It goes on: a second, other mistake is found behind the first. */
static void second_mistake_after_first_found(void **state)
{
	struct tb *t = fresh();
	struct nwv_check *c;

	(void)state;
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), S2_PAGE(RAM + 64 * PAGE));
	s2_flush(t, 0);
	set(t, TAB0, 1, S2_PAGE(RAM + PAGE), 0);
	c = run(t);
	assert_int_equal(nwv_check_violations(c), 2);
	assert_string_equal(nwv_check_violation(c, 0)->rule->id, "BBM-01");
	assert_string_equal(nwv_check_violation(c, 1)->rule->id, "TLB-02");
	nwv_check_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmid0_beside_el2_root_clean),
		cmocka_unit_test(vmid0_flush_beside_el2_root_refuted),
		cmocka_unit_test(block_last_level_clean),
		cmocka_unit_test(flush_handed_over_under_lock_clean),
		cmocka_unit_test(flush_handed_over_without_lock_refuted),
		cmocka_unit_test(flush_by_other_cpu_after_dsb_clean),
		cmocka_unit_test(permission_change_access_flag_clear_clean),
		cmocka_unit_test(permission_change_aged_entry_refuted),
		cmocka_unit_test(access_flag_cleared_without_flush_clean),
		cmocka_unit_test(two_plain_writes_in_one_section_clean),
		cmocka_unit_test(first_event_of_cpu_ordered_clean),
		cmocka_unit_test(frame_reuse_aged_entry_clean),
		cmocka_unit_test(rights_added_without_flush_clean),
		cmocka_unit_test(hardware_dirty_update_clean),
		cmocka_unit_test(dropped_table_flushed_by_page_clean),
		cmocka_unit_test(dropped_table_flushed_but_one_page_refuted),
		cmocka_unit_test(shape_64k_granule_clean),
		cmocka_unit_test(shape_16k_granule_clean),
		cmocka_unit_test(shape_16k_granule_named_4k_refuted),
		cmocka_unit_test(shape_16k_unaligned_leaf_refuted),
		cmocka_unit_test(root_lock_missing_refuted),
		cmocka_unit_test(verdict_names_event_armed_missing_and_near),
		cmocka_unit_test(verdict_short_buffer_truncated),
		cmocka_unit_test(cascade_from_one_line_bounded),
		cmocka_unit_test(second_mistake_after_first_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
