// SPDX-License-Identifier: BSD-2-Clause
/* The binary encoding: recorder, merge, what is refused, babeltrace2. */
#include "sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trace/ctf.h>

#define EVENTS	   5000
#define THREADS	   4
#define PER_THREAD 20000

/* A trace of events of every kind on many CPUs. */
static void write_sample(const char *dir, struct nwv_event *event,
			 uint64_t events)
{
	struct nwv_writer *w = nwv_writer_open(dir);
	unsigned kind[NWV_EV_COUNT];
	const unsigned kinds = sample_kinds(kind);
	uint64_t seed = 2;
	char error[512];

	for (uint64_t i = 0; i < events; i++) {
		event[i] = sample_event(&seed, kind[i % kinds], i);
		nwv_writer_copy(w, &event[i]);
	}
	assert_int_equal(nwv_writer_events(w), events);
	if (nwv_writer_close(w, error, sizeof(error)))
		fail_msg("%s", error);
}

static enum nwv_trace_status drain(const char *dir, uint64_t *events,
				   char error[512])
{
	return sample_drain(nwv_trace_open(dir), events, error);
}

static void every_kind_round_trips(void **state)
{
	struct nwv_event *in = calloc(EVENTS, sizeof(*in));
	char *dir = sample_dir();
	struct nwv_event out;
	struct nwv_trace *t;

	(void)state;
	write_sample(dir, in, EVENTS);
	t = nwv_trace_open(dir);
	assert_int_equal(nwv_trace_encoding(t), NWV_ENCODING_CTF);
	for (uint64_t i = 0; i < EVENTS; i++) {
		assert_int_equal(nwv_trace_next(t, &out), NWV_TRACE_EVENT);
		sample_assert_equal(&in[i], &out);
	}
	assert_int_equal(nwv_trace_next(t, &out), NWV_TRACE_END);
	nwv_trace_close(t);
	sample_dir_remove(dir);
	free(in);
}

static void copy_of_copy_is_byte_for_byte(void **state)
{
	struct nwv_event *in = calloc(EVENTS, sizeof(*in)), e;
	char *one = sample_dir(), *two = sample_dir(), error[512], name[16];
	struct nwv_writer *w = nwv_writer_open(two);
	struct nwv_trace *t;

	(void)state;
	write_sample(one, in, EVENTS);
	t = nwv_trace_open(one);
	while (nwv_trace_next(t, &e) == NWV_TRACE_EVENT)
		nwv_writer_copy(w, &e);
	assert_int_equal(nwv_writer_close(w, error, sizeof(error)), 0);
	nwv_trace_close(t);
	for (int cpu = -1; cpu < NWV_CPUS_MAX; cpu++) {
		char *a, *b, *a_data, *b_data;
		size_t a_bytes, b_bytes;

		snprintf(name, sizeof(name), cpu < 0 ? "metadata" : "cpu%d",
			 cpu);
		a = sample_path(one, name);
		b = sample_path(two, name);
		a_data = sample_read(a, &a_bytes);
		b_data = sample_read(b, &b_bytes);
		assert_int_equal(a_bytes, b_bytes);
		assert_memory_equal(a_data, b_data, a_bytes);
		free(a);
		free(b);
		free(a_data);
		free(b_data);
	}
	sample_dir_remove(one);
	sample_dir_remove(two);
	free(in);
}

static void *record_thread(void *arg)
{
	struct nwv_writer **w = arg;
	static _Atomic unsigned next_cpu;
	const unsigned cpu = next_cpu++ % THREADS;

	for (unsigned i = 0; i < PER_THREAD; i++)
		nwv_writer_record(*w, cpu, NW_EV_LOCK, i, 0, 0, __FILE__,
				  __LINE__);
	return NULL;
}

static void threads_recording_at_once_lose_nothing(void **state)
{
	uint64_t events, seen[THREADS] = {0};
	pthread_t thread[THREADS];
	char *dir = sample_dir(), error[512];
	struct nwv_writer *w = nwv_writer_open(dir);
	struct nwv_trace *t;
	struct nwv_event e;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, record_thread, &w), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(nwv_writer_close(w, error, sizeof(error)), 0);
	t = nwv_trace_open(dir);
	for (events = 0; nwv_trace_next(t, &e) == NWV_TRACE_EVENT; events++) {
		assert_int_equal(e.seq, events);
		assert_int_equal(e.a, seen[e.cpu]++);
		assert_string_equal(e.file, __FILE__);
	}
	assert_string_equal(nwv_trace_error(t), "");
	assert_int_equal(events, THREADS * PER_THREAD);
	nwv_trace_close(t);
	sample_dir_remove(dir);
}

static void empty_recording_has_no_events(void **state)
{
	char *dir = sample_dir(), error[512];
	struct nwv_writer *w = nwv_writer_open(dir);
	uint64_t events;

	(void)state;
	assert_int_equal(nwv_writer_close(w, error, sizeof(error)), 0);
	assert_int_equal(drain(dir, &events, error), NWV_TRACE_END);
	assert_int_equal(events, 0);
	sample_dir_remove(dir);
}

/*
 * Six events, 0 2 4 on CPU 0 and 1 3 5 on CPU 1, then `bytes` bytes of a file
 * replaced at `offset`, or the file cut there (bytes 0) or taken away (name of
 * what is taken away, offset -1), or a byte added at its end (offset -2).
 */
struct damage {
	const char *what;
	const char *file;
	long offset;
	unsigned bytes;
	uint64_t value;
	const char *error; /* after the directory's name */
	enum nwv_trace_status status;
};

#define RECORD(n, member)                                                      \
	(long)(sizeof(struct nwv_ctf_header) +                                 \
	       (n) * sizeof(struct nwv_ctf_record) +                           \
	       offsetof(struct nwv_ctf_record, member))
#define BAD NWV_TRACE_MALFORMED

static const struct damage damages[] = {
	{"cut in a record", "cpu0", 100, 0, 0,
	 "/cpu0: truncated: it is shorter than the size at byte 8", BAD},
	{"cut at a record", "cpu0", 112, 0, 0,
	 "/cpu0: truncated: it is shorter than the size at byte 8", BAD},
	{"cut in the header", "cpu0", 20, 0, 0,
	 "/cpu0: truncated: its header is not whole", BAD},
	{"empty", "cpu0", 0, 0, 0, "/cpu0: truncated: its header", BAD},
	{"a byte more", "cpu1", -2, 0, 0,
	 "/cpu1: it is longer than the size at byte 8", BAD},
	{"magic", "cpu0", 0, 4, 1, "/cpu0: no CTF stream", BAD},
	{"stream id", "cpu0", 4, 4, 1, "/cpu0: stream id at byte 4", BAD},
	{"never closed", "cpu0", 8, 16, 0,
	 "/cpu0: the recording was not closed", BAD},
	{"sizes differ", "cpu0", 16, 8, 8, "/cpu0: sizes at bytes 8 and 16",
	 BAD},
	{"another CPU", "cpu0", 24, 4, 5, "/cpu0: CPU number at byte 24", BAD},
	{"record size", "cpu0", 28, 4, 48, "/cpu0: record size at byte 28",
	 BAD},
	{"stream missing", "cpu1", -1, 0, 0,
	 "/cpu0: record 1 (byte 72): gap in the sequence: event 1 is in no "
	 "stream, the next is 2",
	 BAD},
	{"metadata missing", "metadata", -1, 0, 0, ": no file 'metadata' in it",
	 BAD},
	{"gap", "cpu1", RECORD(1, seq), 8, 9,
	 "/cpu0: record 2 (byte 112): gap in the sequence: event 3", BAD},
	{"gap at the start", "cpu0", RECORD(0, seq), 8, 1,
	 "/cpu0: record 0 (byte 32): gap in the sequence: event 0", BAD},
	{"backward", "cpu0", RECORD(2, seq), 8, 1,
	 "/cpu0: record 2 (byte 112): sequence goes back to 1; expected 4",
	 BAD},
	{"twice", "cpu1", RECORD(1, seq), 8, 2,
	 "/cpu0: record 1 (byte 72): sequence goes back to 2; expected 3", BAD},
	{"kind 0", "cpu0", RECORD(1, kind), 2, 0,
	 "/cpu0: record 1 (byte 72): unknown event kind 0", BAD},
	{"kind unknown", "cpu0", RECORD(1, kind), 2, 63,
	 "/cpu0: record 1 (byte 72): unknown event kind 63", BAD},
	{"kind far out", "cpu0", RECORD(1, kind), 2, 65535,
	 "/cpu0: record 1 (byte 72): unknown event kind 65535", BAD},
	{"file unknown", "cpu0", RECORD(1, file), 2, 2,
	 "/cpu0: record 1 (byte 72): unknown source file id", BAD},
	{"line without file", "cpu0", RECORD(1, file), 2, 0,
	 "/cpu0: record 1 (byte 72): source line 7 without a file", BAD},
	{"unused argument", "cpu0", RECORD(1, b), 8, 3,
	 "/cpu0: record 1 (byte 72): lock: unused bits are set: a 0, b 0x3, "
	 "c 0; expected 0",
	 BAD},
	{"no such barrier", "cpu1", RECORD(1, a), 8, 99,
	 "/cpu1: record 1 (byte 72): barrier: kind is 99, which no name", BAD},
	{"lost events", "cpu0", RECORD(1, kind), 2, NW_EV_GAP,
	 ": event 2: the recorder lost 2 events", BAD},
	{"metadata cut", "metadata", 500, 0, 0, "/metadata:", BAD},
	{"metadata changed", "metadata", 420, 1, '#', "/metadata:", BAD},
	{"metadata longer", "metadata", -2, 0, 0, "/metadata:", BAD},
	{"metadata foreign", "metadata", 0, 0, 0,
	 "/metadata: no 'nestwalk_trace_version = '", BAD},
};

static void write_six(const char *dir)
{
	struct nwv_writer *w = nwv_writer_open(dir);
	char error[512];

	for (unsigned i = 0; i < 6; i++)
		nwv_writer_record(w, i % 2, i % 2 ? NW_EV_BARRIER : NW_EV_LOCK,
				  i, 0, 0, "a.c", 7);
	assert_int_equal(nwv_writer_close(w, error, sizeof(error)), 0);
}

static void do_damage(const char *dir, const struct damage *d)
{
	char *path = sample_path(dir, d->file);
	size_t bytes;
	char *data;

	if (d->offset == -1) {
		unlink(path);
		free(path);
		return;
	}
	data = sample_read(path, &bytes);
	if (d->offset == -2) {
		sample_write(path, data, bytes + 1);
	} else if (!d->bytes) {
		sample_write(path, data, (size_t)d->offset);
	} else {
		for (unsigned i = 0; i < d->bytes; i++)
			data[d->offset + (long)i] =
				i < 8 ? (char)(d->value >> 8 * i) : 0;
		sample_write(path, data, bytes);
	}
	free(data);
	free(path);
}

static void damaged_trace_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *d = &damages[i];
		char *dir = sample_dir(), error[512], expected[512];
		enum nwv_trace_status status;
		uint64_t events;

		write_six(dir);
		assert_int_equal(drain(dir, &events, error), NWV_TRACE_END);
		assert_int_equal(events, 6);
		do_damage(dir, d);
		status = drain(dir, &events, error);
		snprintf(expected, sizeof(expected), "%s%s", dir, d->error);
		if (status != d->status ||
		    strncmp(error, expected, strlen(expected)))
			fail_msg("%s: '%s', expected '%s'", d->what, error,
				 expected);
		sample_dir_remove(dir);
	}
}

static void file_that_is_no_stream_is_refused(void **state)
{
	static const char *const name[] = {"notes", "cpu64", "cpu01", "cpu"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *dir = sample_dir(), *path, error[512];
		uint64_t events;

		write_six(dir);
		path = sample_path(dir, name[i]);
		sample_write(path, "x", 1);
		assert_int_equal(drain(dir, &events, error),
				 NWV_TRACE_MALFORMED);
		assert_non_null(strstr(error, "unexpected file"));
		free(path);
		sample_dir_remove(dir);
	}
}

static void other_version_is_unsupported(void **state)
{
	char *dir = sample_dir(), *path = sample_path(dir, "metadata");
	char error[512], *data, *version;
	uint64_t events;
	size_t bytes;

	(void)state;
	write_six(dir);
	data = sample_read(path, &bytes);
	version = strstr(data, NWV_CTF_VERSION_KEY);
	version[strlen(NWV_CTF_VERSION_KEY)] = '9';
	sample_write(path, data, bytes);
	assert_int_equal(drain(dir, &events, error), NWV_TRACE_UNSUPPORTED);
	assert_non_null(strstr(error, "version 9; this reader knows version"));
	free(data);
	free(path);
	sample_dir_remove(dir);
}

static void recording_over_something_is_refused(void **state)
{
	char *dir = sample_dir(), error[512];
	struct nwv_writer *w;

	(void)state;
	write_six(dir);
	w = nwv_writer_open(dir);
	nwv_writer_record(w, 0, NW_EV_LOCK, 1, 0, 0, NULL, 0);
	assert_int_equal(nwv_writer_close(w, error, sizeof(error)), -1);
	assert_non_null(strstr(error, "not empty"));
	sample_dir_remove(dir);
}

static void recording_no_event_fails_at_close(void **state)
{
	char *dir = sample_dir(), error[512];
	struct nwv_writer *w = nwv_writer_open(dir);
	uint64_t events;

	(void)state;
	nwv_writer_record(w, 0, NW_EV_LOCK, 1, 0, 0, NULL, 0);
	nwv_writer_record(w, 0, NW_EV_LOCK, 1, 2, 0, NULL, 0);
	assert_int_equal(nwv_writer_close(w, error, sizeof(error)), -1);
	assert_non_null(strstr(error, "none that a trace can say"));
	assert_int_equal(drain(dir, &events, error), NWV_TRACE_MALFORMED);
	sample_dir_remove(dir);
}

/* Names of all kinds of an event as babeltrace2 prints it, on one line. */
static void assert_line_says(const char *line, const struct nwv_event *e)
{
	const struct nwv_kind *kind = nwv_kind(e->kind);
	char want[400];

	snprintf(want, sizeof(want), " %s: ", kind->name);
	assert_non_null(strstr(line, want));
	for (const struct nwv_field *f = kind->field; f->name; f++) {
		const uint64_t v = nwv_field_get(e, f);

		if (f->form == NWV_NAME)
			snprintf(want, sizeof(want), " %s = ( \"%s\"", f->name,
				 nwv_field_name(f, v));
		else
			snprintf(want, sizeof(want),
				 f->form == NWV_HEX ? " %s = 0x%llX"
						    : " %s = %llu",
				 f->name, (unsigned long long)v);
		if (!strstr(line, want))
			fail_msg("'%s' is not in '%s'", want, line);
	}
	snprintf(want, sizeof(want), "cpu_id = %u,", (unsigned)e->cpu);
	assert_non_null(strstr(line, want));
	snprintf(want, sizeof(want), " line = %u ", e->line);
	assert_non_null(strstr(line, want));
	if (e->file && !strpbrk(e->file, "\"\\"))
		assert_non_null(strstr(line, e->file));
}

static void babeltrace2_reads_every_kind(void **state)
{
	struct nwv_event *in = calloc(EVENTS, sizeof(*in));
	char *dir, *line = NULL, command[256];
	size_t space = 0;
	uint64_t n = 0;
	FILE *pipe;

	(void)state;
	if (system("babeltrace2 --version >/dev/null 2>&1")) {
		print_message("SKIPPED: babeltrace2 is not installed; nobody "
			      "else has read our CTF. Next: apt-get install "
			      "babeltrace2\n");
		free(in);
		skip();
	}
	dir = sample_dir();
	write_sample(dir, in, EVENTS);
	snprintf(command, sizeof(command), "babeltrace2 %s 2>&1", dir);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (getline(&line, &space, pipe) > 0) {
		assert_true(n < EVENTS);
		assert_line_says(line, &in[n++]);
	}
	assert_int_equal(pclose(pipe), 0);
	assert_int_equal(n, EVENTS);
	free(line);
	free(in);
	sample_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_round_trips),
		cmocka_unit_test(copy_of_copy_is_byte_for_byte),
		cmocka_unit_test(threads_recording_at_once_lose_nothing),
		cmocka_unit_test(empty_recording_has_no_events),
		cmocka_unit_test(damaged_trace_is_refused_at_its_place),
		cmocka_unit_test(file_that_is_no_stream_is_refused),
		cmocka_unit_test(other_version_is_unsupported),
		cmocka_unit_test(recording_over_something_is_refused),
		cmocka_unit_test(recording_no_event_fails_at_close),
		cmocka_unit_test(babeltrace2_reads_every_kind),
	};

	return cmocka_run_group_tests_name("trace_ctf", tests, NULL, NULL);
}
