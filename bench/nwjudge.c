/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nwjudge: what the oracle costs. A row judges one trace and copies its bytes
 * in turn, and prints the nanoseconds an event of each pair as JSON; or it
 * writes a trace for `nestwalk check`. tools/bench drives it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check/check.h"
#include "judge_trace.h"
#include "trace/trace.h"
#include "trace/write.h"

#define MIXED_EVENTS 500000u
#define BINARY_EVENTS 4000000u
#define BINARY_BYTES 40u /* an event in a stream file */

struct row {
	const char *name;
	const char *title;
	unsigned outstanding; /* pages; 0: the mixed trace */
	int is_binary;
};

static const struct row rows[] = {
	{"online", "online, mixed", 0, 0},
	{"offline", "offline, binary, mixed", 0, 1},
	{"outstanding-12800", "online, 12800 outstanding", 12800, 0},
	{"outstanding-25600", "online, 25600 outstanding", 25600, 0},
	{"outstanding-51200", "online, 51200 outstanding", 51200, 0},
	{"outstanding-102400", "online, 102400 outstanding", 102400, 0},
	{"outstanding-204800", "online, 204800 outstanding", 204800, 0},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

__attribute__((noreturn)) static void fail(const char *what, const char *why)
{
	fprintf(stderr, "nwjudge: %s: %s\n", what, why ? why : "");
	exit(1);
}

static void must_be_clean(struct nwv_check *c)
{
	char text[1000] = "";

	if (nwv_check_end(c) == NWV_CHECK_CLEAN)
		return;
	if (nwv_check_violations(c))
		nwv_violation_text(nwv_check_violation(c, 0), text,
				   sizeof(text));
	fail("the trace should be clean",
	     nwv_check_problem(c) ? nwv_check_problem(c) : text);
}

/* ---- one side each ------------------------------------------------------ */

static double judge_memory(const struct judge_trace *t, size_t *bytes)
{
	double start = now_ns(), end;
	struct nwv_check *c = nwv_check_new(NULL);

	if (!c)
		fail("oracle", "no memory");
	for (size_t i = 0; i < t->events; i++)
		nwv_check_event(c, &t->event[i]);
	end = now_ns();
	*bytes = nwv_check_bytes(c);
	must_be_clean(c);
	nwv_check_free(c);
	return end - start;
}

/* As `nestwalk check` does. */
static double judge_folder(const char *path, size_t *bytes)
{
	double start = now_ns(), end;
	struct nwv_trace *t = nwv_trace_open(path);
	struct nwv_check *c = nwv_check_new(NULL);
	struct nwv_event e;

	if (!t || !c)
		fail("oracle", "no memory");
	while (nwv_trace_next(t, &e) == NWV_TRACE_EVENT)
		nwv_check_event(c, &e);
	end = now_ns();
	if (nwv_trace_error(t)[0])
		fail("reading it back", nwv_trace_error(t));
	*bytes = nwv_check_bytes(c);
	must_be_clean(c);
	nwv_check_free(c);
	nwv_trace_close(t);
	return end - start;
}

static double copy(void *to, const void *from, size_t bytes)
{
	double start = now_ns();

	memcpy(to, from, bytes);
	__asm__ volatile("" ::"r"(to) : "memory");
	return now_ns() - start;
}

/* ---- writing ------------------------------------------------------------ */

static void write_folder(const struct judge_trace *t, const char *path)
{
	struct nwv_writer *w = nwv_writer_open(path);
	char error[300] = "no memory";

	for (size_t i = 0; w && i < t->events; i++)
		nwv_writer_copy(w, &t->event[i]);
	if (!w || nwv_writer_close(w, error, sizeof(error)))
		fail(path, error);
}

static void write_text(const struct judge_trace *t, const char *path)
{
	FILE *out = fopen(path, "w");
	char line[NWV_TEXT_BYTES];

	if (!out)
		fail(path, "cannot be written");
	fputs(nwv_text_header(), out);
	for (size_t i = 0; i < t->events; i++) {
		if (!nwv_text_encode(&t->event[i], line))
			fail(path, "an event that no trace can say");
		fputs(line, out);
	}
	if (fclose(out))
		fail(path, "cannot be written");
}

/* ---- rows --------------------------------------------------------------- */

static void run_row(const struct row *row, unsigned repeat, const char *folder)
{
	struct judge_trace t = {0};
	size_t bytes, used = 0;
	void *from, *to;

	if (row->outstanding)
		judge_trace_outstanding(&t, row->outstanding);
	else
		judge_trace_mixed(&t, row->is_binary ? BINARY_EVENTS
						     : MIXED_EVENTS);
	bytes = t.events *
		(row->is_binary ? BINARY_BYTES : sizeof(*t.event));
	from = malloc(bytes);
	to = malloc(bytes);
	if (!from || !to)
		fail(row->name, "no memory");
	memset(from, 1, bytes);
	memset(to, 1, bytes);
	if (row->is_binary)
		write_folder(&t, folder);
	printf("{\"row\": \"%s\", \"title\": \"%s\", \"events\": %zu, "
	       "\"pairs\": [",
	       row->name, row->title, t.events);
	for (unsigned i = 0; i < repeat; i++) {
		double judge = row->is_binary ? judge_folder(folder, &used)
					      : judge_memory(&t, &used);
		double bare = copy(to, from, bytes);

		printf("%s[%.3f, %.3f]", i ? ", " : "",
		       judge / (double)t.events, bare / (double)t.events);
	}
	printf("], \"oracle_bytes\": %zu}\n", used);
	free(from);
	free(to);
	judge_trace_free(&t);
}

/* Time and memory of a program. A child begins with what its parent has, so
 * that a large parent could not tell. */
static int run_program(char **argv)
{
	double start = now_ns();
	struct rusage used;
	int status = 1;
	pid_t child = fork();

	if (!child) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(126);
		execv(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child)
		fail(argv[0], "cannot be run");
	printf("{\"seconds\": %.6f, \"kib\": %ld, \"status\": %d}\n",
	       (now_ns() - start) / 1e9, used.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	return 0;
}

static int usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: nwjudge ROW REPEAT [FOLDER]   FOLDER: new, for offline\n"
		"       nwjudge --text LINES FILE\n"
		"       nwjudge --run PROGRAM ARGUMENT...\n"
		"       nwjudge --list\n");
	return status;
}

static int list_rows(void)
{
	for (size_t i = 0; i < ROWS; i++)
		printf("{\"row\": \"%s\", \"title\": \"%s\", \"folder\": %s}\n",
		       rows[i].name, rows[i].title,
		       rows[i].is_binary ? "true" : "false");
	return 0;
}

int main(int argc, char **argv)
{
	struct judge_trace t = {0};
	long n;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(0);
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list_rows();
	if (argc > 2 && !strcmp(argv[1], "--run"))
		return run_program(argv + 2);
	n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	if (argc < 3 || n < 1 || n > 1000000)
		return usage(2);
	if (!strcmp(argv[1], "--text")) {
		if (argc != 4 || n < 600)
			return usage(2);
		judge_trace_short(&t, (size_t)n);
		write_text(&t, argv[3]);
		judge_trace_free(&t);
		return 0;
	}
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, argv[1]))
			continue;
		if (rows[i].is_binary != (argc == 4))
			return usage(2);
		run_row(&rows[i], (unsigned)n, argc == 4 ? argv[3] : NULL);
		return 0;
	}
	fprintf(stderr, "nwjudge: no row '%s'; see nwjudge --list\n", argv[1]);
	return 2;
}
