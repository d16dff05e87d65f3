/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the table that tools/bench prints. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <nestwalk/table.h>
#include "floor.h"

struct row;

struct bench {
	const struct row *row;
	struct heap heap;
	struct nw_table table;
	struct floor_tables floor;
	uint64_t root_entry; /* the one above the floor's tables */
	uint64_t *address;   /* of random lookups */
	uint64_t sum;
};

struct row {
	const char *name;
	const char *title;
	uint64_t entries;  /* changed or visited by one run */
	unsigned runs;	   /* in one sample */
	uint64_t ia_bytes; /* range, 0 based */
	unsigned max_level;
	/* Untimed, before each timed run; may be NULL. */
	void (*lib_before)(struct bench *);
	void (*floor_before)(struct bench *);
	/* Timed. */
	void (*lib)(struct bench *);
	void (*floor)(struct bench *);
	/* Untimed, after each timed run; may be NULL. */
	void (*lib_after)(struct bench *);
};

extern const struct row rows[];
extern const unsigned rows_count;

/* Make heap, table and floor tables of a row; ends the program if it cannot. */
void bench_open(struct bench *b, const struct row *row);

#endif
