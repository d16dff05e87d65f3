/* SPDX-License-Identifier: BSD-2-Clause */
/* What is no trace, what has no profile, and what it costs to look. */
#include "judge.h"

/* ---- no traces --------------------------------------------------------- */

static void expect_status(const struct tb *t, enum nwv_check_status status,
			  const char *words)
{
	struct nwv_check *c = run(t);

	assert_int_equal(nwv_check_status(c), status);
	assert_non_null(nwv_check_problem(c));
	if (!strstr(nwv_check_problem(c), words))
		fail_msg("no \"%s\" in: %s", words, nwv_check_problem(c));
	nwv_check_free(c);
}

static void gap_malformed(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	ev(t, NW_EV_GAP, 12, 0, 0);
	expect_status(t, NWV_CHECK_MALFORMED, "lost 12 events");
}

static void sequence_hole_malformed(void **state)
{
	struct tb *t = fresh();

	(void)state;
	s2_mapped(t, 0);
	t->event[20].seq++;
	expect_status(t, NWV_CHECK_MALFORMED, "seq 21 where 20 was expected");
}

static void unknown_numbers_malformed(void **state)
{
	static const struct {
		uint16_t kind;
		uint64_t a, b, c;
		const char *words;
	} bad[] = {
		{NW_EV_COUNT, 0, 0, 0, "no event of kind"},
		{NW_EV_NONE, 0, 0, 0, "no event of kind"},
		{NW_EV_BARRIER, NW_BARRIER_COUNT, 0, 0, "barrier"},
		{NW_EV_TLBI, NW_TLBI_COUNT, 0, 0, "tlbi"},
		{NW_EV_ENTRY_READ, 0x1000, 0, 0, "in no table page"},
		{NW_EV_PAGE_ALLOC, 0x1000, 0, 0x1000, "multiple of 4096"},
		{NW_EV_PAGE_ALLOC, 0x1001, 4096, 0x1000, "not aligned"},
		{NW_EV_TABLE_INIT, 0x1000, 0, 0, "no fresh table page"},
		{NW_EV_TABLE_FREE, 0x1000, 0, 0, "no such table"},
		{NW_EV_ROOT_SWITCH, 0, 0, NW_REGIME_COUNT, "no such regime"},
		{NW_EV_PAGE_UNLINK, 0x1000, 0, 0, "no table page"},
		{NW_EV_OWNER, 0x1000, 0, 0, "owner"},
		{NW_EV_NOTIFY_BEGIN, 8, 8, 0, "range is empty"},
		{NW_EV_NOTIFY_DRAIN, 8, 9, 0, "no such range"},
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tb *t = fresh();

		ev(t, bad[i].kind, bad[i].a, bad[i].b, bad[i].c);
		expect_status(t, NWV_CHECK_MALFORMED, bad[i].words);
	}
}

static void cpu_beyond_limit_malformed(void **state)
{
	struct tb *t = fresh();

	(void)state;
	on_cpu(t, NWV_CPUS_MAX);
	barrier(t, NW_BARRIER_ISB);
	expect_status(t, NWV_CHECK_MALFORMED, "cpu 64");
}

static void foreign_shapes_unsupported(void **state)
{
	static const struct {
		uint64_t shape, regime;
		const char *words;
	} bad[] = {
		{NW_TRACE_SHAPE(9, 12, 40, 40, 0), 0, "format"},
		{NW_TRACE_SHAPE(1, 13, 40, 40, 0), 0, "granule"},
		{NW_TRACE_SHAPE(1, 12, 52, 52, 0), 0, "address size"},
		{NW_TRACE_SHAPE(1, 12, 48, 52, 0), 0, "FEAT_LPA2"},
		{NW_TRACE_SHAPE(2, 12, 48, 48, 0), NW_REGIME_EL10, "regime"},
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tb *t = fresh();

		alloc(t, ROOT, 2);
		ev(t, NW_EV_TABLE_INIT, ROOT, bad[i].shape,
		   bad[i].regime << 16);
		zero(t, ROOT, ~0u);
		set(t, ROOT, 0, 0, S2_BLOCK(RAM));
		set(t, ROOT, 0, S2_BLOCK(RAM), 0);
		expect_status(t, NWV_CHECK_UNSUPPORTED, bad[i].words);
	}
}

/* ---- size -------------------------------------------------------------- */

static void memory_short_trace_small(void **state)
{
	struct tb *t = fresh();
	struct nwv_check *c;

	(void)state;
	s2_mapped(t, 0);
	assert_true(t->events > 1000);
	c = run(t);
	assert_true(nwv_check_bytes(c) < 200000);
	nwv_check_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gap_malformed),
		cmocka_unit_test(sequence_hole_malformed),
		cmocka_unit_test(unknown_numbers_malformed),
		cmocka_unit_test(cpu_beyond_limit_malformed),
		cmocka_unit_test(foreign_shapes_unsupported),
		cmocka_unit_test(memory_short_trace_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
