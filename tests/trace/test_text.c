// SPDX-License-Identifier: BSD-2-Clause
/* The text encoding: what goes in comes out, and all else is refused. */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200

static void every_kind_round_trips_byte_for_byte(void **state)
{
	unsigned kind[NWV_EV_COUNT];
	const unsigned kinds = sample_kinds(kind);
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < kinds * ROUNDS; i++) {
		const struct nwv_event in =
			sample_event(&seed, kind[i % kinds], 0);
		char text[NWV_TEXT_BYTES + 64], again[NWV_TEXT_BYTES];
		struct nwv_event out;
		struct nwv_trace *t;
		size_t header, bytes;

		header = (size_t)sprintf(text, "%s", nwv_text_header());
		bytes = nwv_text_encode(&in, text + header);
		assert_true(bytes > 0);
		t = nwv_trace_open_bytes("t", text, header + bytes);
		assert_int_equal(nwv_trace_next(t, &out), NWV_TRACE_EVENT);
		sample_assert_equal(&in, &out);
		assert_int_equal(nwv_text_encode(&out, again), bytes);
		assert_string_equal(again, text + header);
		assert_int_equal(nwv_trace_next(t, &out), NWV_TRACE_END);
		assert_string_equal(nwv_trace_error(t), "");
		nwv_trace_close(t);
	}
}

static void comments_and_blanks_are_no_events(void **state)
{
	static const char text[] =
		"nestwalk-trace 1\n"
		"# a comment\n"
		"\n"
		"  \t # another\n"
		"\tcpu=3   entry_link entry=0x40010000 old=0x0\tnew=0xABC "
		"src=\"a.c:7\" # why\n"
		"cpu=0 barrier kind=dsb_ish # done\n";
	struct nwv_trace *t = nwv_trace_open_bytes("t", text, sizeof(text) - 1);
	struct nwv_event e;
	uint64_t seq[] = {0, 1, 9}, line[3];

	(void)state;
	assert_int_equal(nwv_trace_next(t, &e), NWV_TRACE_EVENT);
	assert_int_equal(nwv_trace_encoding(t), NWV_ENCODING_TEXT);
	assert_int_equal(e.kind, NW_EV_ENTRY_LINK);
	assert_int_equal(e.cpu, 3);
	assert_int_equal(e.c, 0xabc);
	assert_string_equal(e.file, "a.c");
	assert_int_equal(e.line, 7);
	assert_int_equal(nwv_trace_next(t, &e), NWV_TRACE_EVENT);
	assert_int_equal(e.a, NW_BARRIER_DSB_ISH);
	assert_null(e.file);
	assert_int_equal(nwv_trace_next(t, &e), NWV_TRACE_END);
	nwv_trace_lines(t, seq, line, 3);
	assert_int_equal(line[0], 5);
	assert_int_equal(line[1], 6);
	assert_int_equal(line[2], 0);
	nwv_trace_close(t);
}

/* `event` stands on line 2 unless `whole`. */
struct bad {
	const char *text;
	const char *error; /* what the message begins with, after "t:" */
	enum nwv_trace_status status;
	bool whole;
};

static const struct bad bads[] = {
	{"", "1:1: no trace; expected \"nestwalk-trace 1\"",
	 NWV_TRACE_MALFORMED, true},
	{"hello\n", "1:1: no trace", NWV_TRACE_MALFORMED, true},
	{"nestwalk-tracer 1\n",
	 "1:1: found 'nestwalk-tracer'; expected the "
	 "header",
	 NWV_TRACE_MALFORMED, true},
	{"nestwalk-trace 2\n", "1:16: version 2; this reader knows version 1",
	 NWV_TRACE_UNSUPPORTED, true},
	{"nestwalk-trace one\n", "1:16: found 'one'; expected a decimal number",
	 NWV_TRACE_MALFORMED, true},
	{"nestwalk-trace 1 # x\n", "1:17: found ''; expected the version",
	 NWV_TRACE_MALFORMED, true},
	{"nestwalk-trace 1", "1:17: the last line has no newline",
	 NWV_TRACE_MALFORMED, true},
	{"cpu=0 isb", "2:10: the last line has no newline", NWV_TRACE_MALFORMED,
	 false},
	{"lock lock=0x1\n", "2:1: found 'lock'; expected 'cpu='",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=64 lock lock=0x1\n",
	 "2:5: '64' is too large; expected at most 63", NWV_TRACE_MALFORMED,
	 false},
	{"cpu=x lock lock=0x1\n", "2:5: found 'x'; expected a decimal number",
	 NWV_TRACE_MALFORMED, false},
	{"cpu= lock lock=0x1\n", "2:5: found ''; expected a decimal number",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1\n", "2:6: the line ends here; expected the name of an event",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 look lock=0x1\n", "2:7: found 'look'; expected the name",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock\n", "2:11: the line ends here; expected 'lock='",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock # x\n", "2:12: the line ends here; expected 'lock='",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=1\n", "2:17: found '1'; expected a number in 0x form",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x\n", "2:17: found '0x'; expected a number in 0x",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1g\n", "2:17: found '0x1g'; expected a number",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x10000000000000000\n",
	 "2:17: '0x10000000000000000' is too large; expected at most "
	 "0xffffffffffffffff",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 lock=0x1\n",
	 "2:21: found 'lock=0x1'; expected src=", NWV_TRACE_MALFORMED, false},
	{"cpu=1 entry_write entry=0x8 new=0x1 old=0x0\n",
	 "2:29: found 'new=0x1'; expected 'old='", NWV_TRACE_MALFORMED, false},
	{"cpu=1 entry_write entry=0x8 old=0x1\n",
	 "2:36: the line ends here; expected 'new='", NWV_TRACE_MALFORMED,
	 false},
	{"cpu=1 barrier kind=dmb\n",
	 "2:20: found 'dmb'; expected dmb_ishst, "
	 "dsb_ish, ",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 table_init root=0x1000 format=arm64_s2 granule_lg2=256\n",
	 "2:58: '256' is too large; expected at most 255", NWV_TRACE_MALFORMED,
	 false},
	{"cpu=1 lock lock=0x1 src=a.c:1\n",
	 "2:25: found 'a.c:1'; expected "
	 "\"file:line\" in quotes",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a.c\"\n", "2:25: found '\"a.c\"'; expected",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a.c:1\n", "2:25: found '\"a.c:1'; expected",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\":1\"\n", "2:25: found '\":1\"'; expected",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a.c:x\"\n", "2:25: expected a decimal line",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a.c:5000000000\"\n",
	 "2:25: expected a decimal line", NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a\\n.c:1\"\n", "2:27: expected \\\" or",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a\t.c:1\"\n", "2:27: a tab in a source",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1 src=\"a.c:1\" more\n",
	 "2:33: found 'more'; expected the end of the line",
	 NWV_TRACE_MALFORMED, false},
	{"cpu=1 lock lock=0x1\r\n", "2:20: carriage return",
	 NWV_TRACE_MALFORMED, false},
	{"# \001\n", "2:3: byte 0x01 is no text", NWV_TRACE_MALFORMED, false},
	{"cpu=1 gap events=7\n", "2:1: event 0: the recorder lost 7 events",
	 NWV_TRACE_MALFORMED, false},
};

static void malformed_text_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		char text[512], expected[256], error[512];
		enum nwv_trace_status status;
		uint64_t events;

		snprintf(text, sizeof(text), "%s%s",
			 bads[i].whole ? "" : nwv_text_header(), bads[i].text);
		snprintf(expected, sizeof(expected), "t:%s", bads[i].error);
		status = sample_drain(
			nwv_trace_open_bytes("t", text, strlen(text)), &events,
			error);
		if (status != bads[i].status ||
		    strncmp(error, expected, strlen(expected)))
			fail_msg("case %zu: '%s', expected '%s'", i, error,
				 expected);
		assert_int_equal(events, 0);
	}
}

static void source_name_longest_is_kept_and_longer_refused(void **state)
{
	char name[NWV_FILE_NAME_MAX + 2], line[NWV_TEXT_BYTES];
	struct nwv_event e = {.kind = NW_EV_LOCK, .file = name, .line = 1};
	char text[2 * NWV_TEXT_BYTES], error[512];
	uint64_t events;

	(void)state;
	memset(name, '"', sizeof(name));
	name[NWV_FILE_NAME_MAX] = '\0';
	assert_true(nwv_text_encode(&e, line) > 0);
	snprintf(text, sizeof(text), "%s%s", nwv_text_header(), line);
	assert_int_equal(
		sample_drain(nwv_trace_open_bytes("t", text, strlen(text)),
			     &events, error),
		NWV_TRACE_END);
	name[NWV_FILE_NAME_MAX] = '"';
	name[NWV_FILE_NAME_MAX + 1] = '\0';
	assert_int_equal(nwv_text_encode(&e, line), 0);
	snprintf(text, sizeof(text), "%scpu=0 lock lock=0x1 src=\"%0*d:1\"\n",
		 nwv_text_header(), NWV_FILE_NAME_MAX + 1, 0);
	assert_int_equal(
		sample_drain(nwv_trace_open_bytes("t", text, strlen(text)),
			     &events, error),
		NWV_TRACE_MALFORMED);
}

static void event_outside_vocabulary_is_not_encoded(void **state)
{
	static const struct nwv_event none[] = {
		{.kind = NW_EV_NONE},
		{.kind = NWV_EV_COUNT},
		{.kind = NW_EV_COUNT},
		{.kind = NW_EV_LOCK, .cpu = NWV_CPUS_MAX},
		{.kind = NW_EV_LOCK, .b = 1},
		{.kind = NW_EV_OWNER, .c = UINT64_C(1) << 32},
		{.kind = NW_EV_BARRIER, .a = NW_BARRIER_COUNT},
		{.kind = NW_EV_LOCK, .line = 1},
		{.kind = NW_EV_LOCK, .file = "", .line = 1},
		{.kind = NW_EV_LOCK, .file = "a\nb", .line = 1},
	};
	char line[NWV_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(nwv_text_encode(&none[i], line), 0);
}

static void file_that_is_not_there_is_said(void **state)
{
	char error[512];
	uint64_t events;

	(void)state;
	assert_int_equal(
		sample_drain(nwv_trace_open("/nonexistent/x"), &events, error),
		NWV_TRACE_FAILED);
	assert_non_null(strstr(error, "/nonexistent/x: No such file"));
	assert_int_equal(
		sample_drain(nwv_trace_open("/dev/null"), &events, error),
		NWV_TRACE_FAILED);
	assert_non_null(strstr(error, "not a regular file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_round_trips_byte_for_byte),
		cmocka_unit_test(comments_and_blanks_are_no_events),
		cmocka_unit_test(malformed_text_is_refused_at_its_place),
		cmocka_unit_test(
			source_name_longest_is_kept_and_longer_refused),
		cmocka_unit_test(event_outside_vocabulary_is_not_encoded),
		cmocka_unit_test(file_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests_name("trace_text", tests, NULL, NULL);
}
