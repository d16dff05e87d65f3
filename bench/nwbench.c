/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nwbench: run one row, the library and its floor in turn, and print the
 * nanoseconds an entry of each pair as JSON. tools/bench drives it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rows.h"
#include "special.h"

enum side { SIDE_LIB, SIDE_FLOOR, SIDE_BOTH };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Everything measured runs below this function; callgrind is told its name. */
void nwbench_timed(void (*run)(struct bench *), struct bench *b);

__attribute__((noinline)) void nwbench_timed(void (*run)(struct bench *),
					     struct bench *b)
{
	run(b);
	__asm__ volatile("" ::: "memory"); /* no tail call: time ends here */
}

static double run_once(struct bench *b, enum side side)
{
	const struct row *row = b->row;
	void (*before)(struct bench *) =
		side == SIDE_LIB ? row->lib_before : row->floor_before;
	void *free_list = b->heap.free_list;
	double start, end;

	if (before)
		before(b);
	start = now_ns();
	nwbench_timed(side == SIDE_LIB ? row->lib : row->floor, b);
	end = now_ns();
	if (side == SIDE_LIB && row->lib_after)
		row->lib_after(b);
	if (side == SIDE_FLOOR)
		b->heap.free_list = free_list; /* a floor's pages are its own */
	return end - start;
}

/* Nanoseconds an entry over one sample. */
static double sample(struct bench *b, enum side side)
{
	double total = 0;

	for (unsigned i = 0; i < b->row->runs; i++)
		total += run_once(b, side);
	return total / ((double)b->row->entries * b->row->runs);
}

static void run_pairs(struct bench *b, unsigned repeat)
{
	printf("{\"row\": \"%s\", \"entries\": %llu, \"pairs\": [",
	       b->row->name, (unsigned long long)b->row->entries);
	(void)sample(b, SIDE_LIB);
	(void)sample(b, SIDE_FLOOR);
	for (unsigned i = 0; i < repeat; i++) {
		double lib = i & 1 ? 0 : sample(b, SIDE_LIB);
		double bare = sample(b, SIDE_FLOOR);

		if (i & 1)
			lib = sample(b, SIDE_LIB);
		printf("%s[%.5f, %.5f]", i ? ", " : "", lib, bare);
	}
	printf("]}\n");
}

static int usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: nwbench ROW [--repeat N] [--side both|lib|floor]\n"
		"       nwbench --list\n"
		"  --repeat N  pairs to measure (default 21)\n"
		"  --side S    lib or floor: one run, not timed, for\n"
		"              callgrind --toggle-collect=nwbench_timed\n");
	return status;
}

static int list_rows(void)
{
	const struct row *row;

	for (unsigned i = 0; (row = row_at(i)); i++)
		printf("{\"row\": \"%s\", \"title\": \"%s\", "
		       "\"kind\": \"%s\", \"group\": \"%s\", "
		       "\"entries\": %llu}\n",
		       row->name, row->title,
		       row->format ? "format" : "floor",
		       row->group ? row->group : "",
		       (unsigned long long)row->entries);
	for (unsigned i = 0; special_at(i); i++)
		printf("{\"row\": \"%s\", \"title\": \"%s\", "
		       "\"kind\": \"%s\", \"group\": \"\", "
		       "\"entries\": 0}\n",
		       special_at(i)->name, special_at(i)->title,
		       special_at(i)->kind);
	return 0;
}

const struct special *special_at(unsigned index)
{
	if (index < specials_threads_n)
		return &specials_threads[index];
	index -= specials_threads_n;
	return index < specials_count_n ? &specials_count[index] : NULL;
}

static const struct special *find_special(const char *name)
{
	const struct special *special;
	unsigned i = 0;

	while ((special = special_at(i)) && strcmp(special->name, name))
		i++;
	return special;
}

static const struct row *find_row(const char *name)
{
	const struct row *row;
	unsigned i = 0;

	while ((row = row_at(i)) && strcmp(row->name, name))
		i++;
	return row;
}

static int parse_side(const char *text, enum side *side)
{
	static const char *const names[] = {"lib", "floor", "both"};

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(names[i], text))
			continue;
		*side = (enum side)i;
		return 0;
	}
	fprintf(stderr, "nwbench: --side %s: give both, lib or floor\n", text);
	return -1;
}

struct options {
	enum side side;
	long repeat;
};

/* 0, or the exit status. */
static int parse(int argc, char **argv, struct options *options)
{
	*options = (struct options){SIDE_BOTH, 21};
	for (int i = 2; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage(2);
		if (!strcmp(argv[i], "--repeat"))
			options->repeat = strtol(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--side"))
			return usage(2);
		else if (parse_side(argv[i + 1], &options->side))
			return 2;
	}
	if (options->repeat >= 1 && options->repeat <= 100000)
		return 0;
	fprintf(stderr, "nwbench: --repeat must be 1 to 100000\n");
	return 2;
}

static int run_special(const struct special *special,
		       const struct options *options)
{
	if (options->side != SIDE_BOTH) {
		fprintf(stderr, "nwbench: %s has no sides\n", special->name);
		return 2;
	}
	printf("{\"row\": \"%s\", \"kind\": \"%s\", ", special->name,
	       special->kind);
	special->run(special, (unsigned)options->repeat);
	printf("}\n");
	return 0;
}

static int run_row(const struct row *row, const struct options *options)
{
	static struct bench b;

	bench_open(&b, row);
	if (options->side == SIDE_BOTH)
		run_pairs(&b, (unsigned)options->repeat);
	else
		(void)run_once(&b, options->side);
	return 0;
}

int main(int argc, char **argv)
{
	const struct special *special;
	const struct row *row;
	struct options options;
	int status;

	if (argc < 2)
		return usage(2);
	if (!strcmp(argv[1], "--help"))
		return usage(0);
	if (!strcmp(argv[1], "--list"))
		return list_rows();
	status = parse(argc, argv, &options);
	if (status)
		return status;
	row = find_row(argv[1]);
	special = find_special(argv[1]);
	if (row)
		return run_row(row, &options);
	if (special)
		return run_special(special, &options);
	fprintf(stderr, "nwbench: no row '%s'; see nwbench --list\n", argv[1]);
	return 2;
}
