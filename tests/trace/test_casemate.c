// SPDX-License-Identifier: BSD-2-Clause
/* Import of casemate logs: each kind of record, and what is refused. */
#include "sample.h"

#include <stdio.h>
#include <string.h>

#include <nestwalk/port.h>

/* A record with id and tid put in for "@", and what it becomes. */
struct record {
	const char *text;
	struct nwv_event event;
};

#define S2 ((uint64_t)NW_REGIME_STAGE2)
#define EV(k, ...)                                                             \
	{                                                                      \
		.kind = (k), .file = "f.c", .line = 3, __VA_ARGS__             \
	}

/* In the order of one log: old values and VMIDs come from earlier lines. */
static const struct record records[] = {
	{"(mem-init @ (address 0x40010000) (size 0x10) (src \"f.c:3\"))",
	 EV(NW_EV_PAGE_ALLOC, .a = 0x40010000, .b = 0x10, .c = 0x40010000)},
	{NULL, EV(NW_EV_ENTRY_INIT, .a = 0x40010000, .c = 1)},
	{NULL, EV(NW_EV_ENTRY_INIT, .a = 0x40010008, .c = 1)},
	{"(mem-write @ (mem-order plain) (address 0x40010008) (value 0x7) "
	 "(src \"f.c:3\"))",
	 EV(NW_EV_ENTRY_WRITE, .a = 0x40010008, .b = 0, .c = 7)},
	{"(mem-write @ (mem-order release) (address 40010008) (value ABCd) "
	 "(src \"f.c:3\"))",
	 EV(NW_EV_ENTRY_LINK, .a = 0x40010008, .b = 7, .c = 0xabcd)},
	{"(mem-write @ release 40010008 9 \"f.c:3\")",
	 EV(NW_EV_ENTRY_LINK, .a = 0x40010008, .b = 0xabcd, .c = 9)},
	{"(mem-write (value 0x8) (src \"f.c:3\") (address 0x40010008) @ "
	 "(mem-order plain))",
	 EV(NW_EV_ENTRY_WRITE, .a = 0x40010008, .b = 9, .c = 8)},
	{"  ( mem-read @ ( address 0x40010008 ) ( value 0x8 ) ( src \"f.c:3\" "
	 ") ) ",
	 EV(NW_EV_ENTRY_READ, .a = 0x40010008, .b = 8)},
	{"(mem-read @ 40010008 8 \"f.c:3\")",
	 EV(NW_EV_ENTRY_READ, .a = 0x40010008, .b = 8)},
	{"(mem-set @ (address 0x40010008) (size 0x8) (value 0x5a) "
	 "(src \"f.c:3\"))",
	 EV(NW_EV_ENTRY_WRITE, .a = 0x40010008, .b = 8,
	    .c = 0x5a5a5a5a5a5a5a5a)},
	{"(mem-free @ 40010000 2000 \"f.c:3\")",
	 EV(NW_EV_PAGE_FREE, .a = 0x40010000, .b = 0x2000)},
	{"(mem-write @ plain 40010008 1 \"f.c:3\")",
	 EV(NW_EV_ENTRY_WRITE, .a = 0x40010008, .b = 0, .c = 1)},
	{"(barrier @ dsb (kind ish) (src \"f.c:3\"))",
	 EV(NW_EV_BARRIER, .a = NW_BARRIER_DSB_ISH)},
	{"(barrier @ dsb ishst \"f.c:3\")",
	 EV(NW_EV_BARRIER, .a = NW_BARRIER_DSB_ISHST)},
	{"(barrier @ dsb (kind nsh) (src \"f.c:3\"))",
	 EV(NW_EV_BARRIER, .a = NW_BARRIER_DSB_NSH)},
	{"(barrier @ isb (src \"f.c:3\"))",
	 EV(NW_EV_BARRIER, .a = NW_BARRIER_ISB)},
	{"(tlbi @ vmalls12e1 (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_VMALLS12E1)},
	{"(sysreg-write @ (sysreg vtcr_el2) (value 0x80023558) "
	 "(src \"f.c:3\"))",
	 EV(NWV_EV_SYSREG, .a = NWV_SYSREG_VTCR_EL2, .b = 0x80023558)},
	{"(sysreg-write @ vttbr_el2 0005000040010001 \"f.c:3\")",
	 EV(NW_EV_TABLE_INIT, .a = 0x40010000,
	    .b = NW_TRACE_SHAPE(1, 12, 40, 40, 0), .c = 5 | S2 << 16)},
	{NULL, EV(NW_EV_ROOT_SWITCH, .a = 0x40010000, .b = 5, .c = S2)},
	{"(sysreg-write @ vttbr_el2 0006000040010000 \"f.c:3\")",
	 EV(NW_EV_ROOT_SWITCH, .a = 0x40010000, .b = 6, .c = S2)},
	{"(sysreg-write @ ttbr0_el2 40012000 \"f.c:3\")",
	 EV(NW_EV_TABLE_INIT, .a = 0x40012000,
	    .b = NW_TRACE_SHAPE(2, 12, 39, 48, 0),
	    .c = (uint64_t)NW_REGIME_EL2 << 16)},
	{NULL, EV(NW_EV_ROOT_SWITCH, .a = 0x40012000, .c = NW_REGIME_EL2)},
	{"(sysreg-write @ tcr_el2 80000019 \"f.c:3\")",
	 EV(NWV_EV_SYSREG, .a = NWV_SYSREG_TCR_EL2, .b = 0x80000019)},
	{"(sysreg-write @ hcr_el2 1 \"f.c:3\")",
	 EV(NWV_EV_SYSREG, .a = NWV_SYSREG_HCR_EL2, .b = 1)},
	{"(sysreg-write @ sctlr_el2 5 \"f.c:3\")",
	 EV(NWV_EV_SYSREG, .a = NWV_SYSREG_SCTLR_EL2, .b = 5)},
	{"(sysreg-write @ mair_el2 ff \"f.c:3\")",
	 EV(NWV_EV_SYSREG, .a = NWV_SYSREG_MAIR_EL2, .b = 0xff)},
	{"(tlbi @ vmalls12e1is (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_VMALLS12E1IS, .c = 6)},
	{"(tlbi @ vmalle1 \"f.c:3\")",
	 EV(NW_EV_TLBI, .a = NW_TLBI_VMALLE1, .c = 6)},
	{"(tlbi @ vmalle1is (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_VMALLE1IS, .c = 6)},
	{"(tlbi @ alle1 (src \"f.c:3\"))", EV(NW_EV_TLBI, .a = NW_TLBI_ALLE1)},
	{"(tlbi @ alle1is (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_ALLE1IS)},
	{"(tlbi @ alle2 (src \"f.c:3\"))", EV(NW_EV_TLBI, .a = NW_TLBI_ALLE2)},
	{"(tlbi @ alle2is (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_ALLE2IS)},
	{"(tlbi @ vale2is (value 0x12) (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_VALE2IS, .b = 0x12)},
	{"(tlbi @ vae2is 12 \"f.c:3\")",
	 EV(NW_EV_TLBI, .a = NW_TLBI_VAE2IS, .b = 0x12)},
	{"(tlbi @ ipas2e1is (value 0x40000000012) (src \"f.c:3\"))",
	 EV(NW_EV_TLBI, .a = NW_TLBI_IPAS2E1IS, .b = 0x40000000012, .c = 6)},
	{"(hint @ (kind set_root_lock) (location 0x1000) (value 0x2000) "
	 "(src \"f.c:3\"))",
	 EV(NWV_EV_ROOT_LOCK, .a = 0x1000, .b = 0x2000)},
	{"(hint @ set_owner_root 1000 2000 \"f.c:3\")",
	 EV(NWV_EV_PAGE_ROOT, .a = 0x1000, .b = 0x2000)},
	{"(hint @ (kind release_table) (location 0x1000) (value 0x0) "
	 "(src \"f.c:3\"))",
	 EV(NWV_EV_TABLE_RELEASE, .a = 0x1000)},
	{"(hint @ (kind set_pte_thread_owner) (location 0x1008) (value 0x2) "
	 "(src \"f.c:3\"))",
	 EV(NWV_EV_ENTRY_OWNER, .a = 0x1008, .b = 2)},
	{"(lock @ (address 0x3000) (src \"f.c:3\"))",
	 EV(NW_EV_LOCK, .a = 0x3000)},
	{"(trylock @ 3000 \"f.c:3\")", EV(NW_EV_LOCK, .a = 0x3000)},
	{"(unlock @ (address 3000) \"f.c:3\")", EV(NW_EV_UNLOCK, .a = 0x3000)},
};

/* "@" becomes id and tid, named or bare: bare ones precede bare values. */
static size_t put_record(char *to, const char *record, unsigned id)
{
	const char *at = strchr(record, '@');
	const bool named = id % 2 || !strncmp(record, "(mem-write (value", 17);

	return (size_t)sprintf(
		to, named ? "%.*s(id %u) (tid 1)%s\n" : "%.*s%u 1%s\n",
		(int)(at - record), record, id, at + 1);
}

static void every_record_becomes_its_event(void **state)
{
	char log[16384] = "", error[512] = "";
	struct nwv_event expected, e;
	struct nwv_trace *t;
	unsigned id = 0;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		if (records[i].text)
			n += put_record(log + n, records[i].text, id++);
	t = nwv_trace_open_bytes("t", log, n);
	assert_int_equal(nwv_trace_encoding(t), NWV_ENCODING_CASEMATE);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		if (nwv_trace_next(t, &e) != NWV_TRACE_EVENT)
			fail_msg("record %zu: %s%s", i, nwv_trace_error(t),
				 error);
		expected = records[i].event;
		expected.seq = i;
		expected.cpu = 1;
		sample_assert_equal(&expected, &e);
		assert_int_equal(nwv_event_check(&e, NULL), NWV_FAULT_NONE);
	}
	assert_int_equal(nwv_trace_next(t, &e), NWV_TRACE_END);
	nwv_trace_close(t);
}

static void set_of_many_words_becomes_a_write_each(void **state)
{
	static const char log[] = "(mem-write 0 0 plain 1008 7 \"f.c:1\")\n"
				  "(mem-set 1 0 1000 18 ff \"f.c:2\")\n"
				  "(barrier 2 0 isb \"f.c:3\")\n";
	struct nwv_trace *t = nwv_trace_open_bytes("t", log, sizeof(log) - 1);
	const uint64_t seq[] = {0, 3, 4};
	struct nwv_event e;
	uint64_t line[3];

	(void)state;
	nwv_trace_next(t, &e);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(nwv_trace_next(t, &e), NWV_TRACE_EVENT);
		assert_int_equal(e.kind, NW_EV_ENTRY_WRITE);
		assert_int_equal(e.seq, i + 1);
		assert_int_equal(e.a, 0x1000 + 8 * i);
		assert_int_equal(e.b, i == 1 ? 7 : 0);
		assert_int_equal(e.c, UINT64_MAX);
	}
	assert_int_equal(nwv_trace_next(t, &e), NWV_TRACE_EVENT);
	assert_int_equal(e.kind, NW_EV_BARRIER);
	nwv_trace_lines(t, seq, line, 3);
	assert_int_equal(line[0], 1);
	assert_int_equal(line[1], 2);
	assert_int_equal(line[2], 3);
	nwv_trace_close(t);
}

static void note_remark(void *context, uint64_t line, const char *text,
			size_t bytes)
{
	sprintf((char *)context + strlen(context), "%llu:%.*s;",
		(unsigned long long)line, (int)bytes, text);
}

static void remarks_of_the_recorder_are_handed_on(void **state)
{
	static const char log[] = "! first\n"
				  "\n"
				  "(lock 0 0 1000 \"f.c:1\")\n"
				  "  ! BBM invalid unclean->valid\n"
				  "(unlock 1 0 1000 \"f.c:2\")\n"
				  "!\n";
	struct nwv_trace *t = nwv_trace_open_bytes("t", log, sizeof(log) - 1);
	char said[256] = "", error[512];
	uint64_t events;

	(void)state;
	nwv_trace_on_remark(t, note_remark, said);
	assert_int_equal(sample_drain(t, &events, error), NWV_TRACE_END);
	assert_int_equal(events, 2);
	assert_string_equal(said,
			    "1:! first;4:! BBM invalid unclean->valid;6:!;");
}

/* One record behind "(isb)" of id 0, so on line 2. */
static const struct {
	const char *text;
	const char *error;
} bads[] = {
	{"lock 1 0 1000 \"f.c:1\"", "2:1: found 'l'; expected '('"},
	{"(", "2:2: the line ends here; expected a word"},
	{"(lock", "2:6: the line ends here; expected a field or ')'"},
	{"(lock 1 0 1000 \"f.c:1\"", "2:23: the line ends here; expected"},
	{"(lock 1 0 1000 \"f.c:1", "2:22: the line ends here; expected a "
				   "closing quote"},
	{"(lock 1 0 1000 \"f.c:1\") x", "2:25: found 'x'; expected the end"},
	{"(lock (id 1 0) 1000 \"f.c:1\")", "2:13: found '0'; expected ')'"},
	{"(look 1 0 1000 \"f.c:1\")", "2:2: found 'look'; expected mem-write"},
	{"(lock 3 0 1000 \"f.c:1\")", "2:7: gap in the sequence: id 3; "
				      "expected 1"},
	{"(lock 0 0 1000 \"f.c:1\")", "2:7: step back in the sequence: id 0"},
	{"(lock 0x1 0 1000 \"f.c:1\")", "2:7: found '0x1'; expected a decimal"},
	{"(lock 1 64 1000 \"f.c:1\")", "2:9: '64' is too large; expected at "
				       "most 63"},
	{"(lock 1 0 10g0 \"f.c:1\")", "2:11: found '10g0'; expected a hexa"},
	{"(lock 1 0 0x10000000000000000 \"f.c:1\")", "2:11: '0x10000000000000"},
	{"(lock 1 0 \"1000\" \"f.c:1\")", "2:11: found '1000'; expected a num"},
	{"(lock 1 0 1000)", "2:15: no field 'src' in 'lock'"},
	{"(lock 1 0 (src \"f.c:1\"))", "2:24: no field 'address' in 'lock'"},
	{"(lock 1 0 1000 f.c:1)",
	 "2:16: found 'f.c:1'; expected \"file:line\""},
	{"(lock 1 0 1000 \"f.c\")", "2:16: found 'f.c'; expected \"file"},
	{"(lock 1 0 1000 \"f.c:x\")", "2:21: found 'x'; expected a decimal"},
	{"(lock 1 0 1000 \"f.c:1\" 5)", "2:24: found '5'; expected no further"},
	{"(lock 1 0 1000 \"f.c:1\" (size 5))", "2:25: found 'size'; expected "
					       "no further"},
	{"(lock (id 1) (id 1) (tid 0) (address 1) (src \"f.c:1\"))",
	 "2:15: found 'id'; expected no further"},
	{"(lock 1 2 3 4 5 6 7 8 9)", "2:23: found '9'; expected ')'; no"},
	{"(mem-write 1 0 relaxed 1000 1 \"f.c:1\")",
	 "2:16: found 'relaxed'; expected plain, release"},
	{"(mem-write 1 0 plain 1001 1 \"f.c:1\")",
	 "2:22: found 0x1001; expected a multiple of 8"},
	{"(mem-init 1 0 1000 0 \"f.c:1\")", "2:20: found 0x0; expected a mult"},
	{"(mem-init 1 0 1000 fffffffffffff008 \"f.c:1\")", "2:20: found 0xff"},
	{"(mem-init 1 0 1000 40000008 \"f.c:1\")", "2:20: found 0x40000008; "
						   "expected at most 1 GiB"},
	{"(mem-set 1 0 1000 9 0 \"f.c:1\")", "2:19: found 0x9; expected a mul"},
	{"(mem-set 1 0 1000 1000008 0 \"f.c:1\")", "2:19: found 0x1000008; ex"},
	{"(mem-set 1 0 1000 8 100 \"f.c:1\")", "2:21: found 0x100; expected a "
					       "byte"},
	{"(barrier 1 0 dmb (kind ish) \"f.c:1\")",
	 "2:14: found 'dmb'; expected "
	 "dsb, isb"},
	{"(barrier 1 0 dsb (kind sy) \"f.c:1\")", "2:24: found 'sy'; expected "
						  "ish, ishst, nsh"},
	{"(barrier 1 0 dsb (src \"f.c:1\"))", "2:31: no field 'kind' in 'barr"},
	{"(barrier 1 0 isb (kind ish) (src \"f.c:1\"))", "2:19: found 'kind'"},
	{"(barrier 1 0)", "2:13: found ')'; expected dsb or isb"},
	{"(tlbi 1 0 vae1is 0 \"f.c:1\")", "2:11: found 'vae1is'; expected "
					  "vmalls12e1, vmalls12e1is"},
	{"(tlbi 1 0 vae2is \"f.c:1\")", "2:18: found 'f.c:1'; expected a num"},
	{"(tlbi 1 0 vmalle1is 0 \"f.c:1\")", "2:21: found '0'; expected"},
	{"(sysreg-write 1 0 ttbr1_el2 0 \"f.c:1\")",
	 "2:19: found 'ttbr1_el2';"},
	{"(hint 1 0 forget 0 0 \"f.c:1\")", "2:11: found 'forget'; expected "
					    "set_root_lock, "},
	{"(hint 1 0 set_pte_thread_owner 1000 40 \"f.c:1\")",
	 "2:37: found 0x40; expected a CPU below 64"},
};

static void malformed_log_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		char log[512], expected[256], error[512];
		enum nwv_trace_status status;
		uint64_t events;

		snprintf(log, sizeof(log), "(barrier 0 0 isb \"f.c:1\")\n%s\n",
			 bads[i].text);
		snprintf(expected, sizeof(expected), "t:%s", bads[i].error);
		status = sample_drain(
			nwv_trace_open_bytes("t", log, strlen(log)), &events,
			error);
		if (status != NWV_TRACE_MALFORMED ||
		    strncmp(error, expected, strlen(expected)))
			fail_msg("case %zu: '%s', expected '%s'", i, error,
				 expected);
		assert_int_equal(events, 1);
	}
}

static void log_of_the_tree_is_read_whole(void **state)
{
	char error[512];
	uint64_t events;

	(void)state;
	if (sample_drain(nwv_trace_open(NW_TEST_DATA "/casemate.log"), &events,
			 error) != NWV_TRACE_END)
		fail_msg("%s", error);
	/*
	 * 17 records; the memset is two events, the first root two, and each
	 * of the two new pages has 512 words
	 */
	assert_int_equal(events, 19 + 2 * 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_becomes_its_event),
		cmocka_unit_test(set_of_many_words_becomes_a_write_each),
		cmocka_unit_test(remarks_of_the_recorder_are_handed_on),
		cmocka_unit_test(malformed_log_is_refused_at_its_place),
		cmocka_unit_test(log_of_the_tree_is_read_whole),
	};

	return cmocka_run_group_tests_name("trace_casemate", tests, NULL, NULL);
}
