/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the table that tools/bench prints. */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <nestwalk/table.h>
#include "floor.h"

struct row;
struct row_format;

struct bench {
	const struct row *row;
	struct heap heap;
	struct nw_table table;
	struct floor_tables floor;
	uint64_t root_entry; /* the one above the floor's tables */
	uint64_t *address;   /* random ones */
	uint64_t sum;
	/* Rows of a format: what it is compared with. */
	struct heap other_heap;
	struct nw_table other;
	uint64_t *other_address;
};

/* How a row's table is made. */
struct row_table {
	enum nw_mode mode;
	uint32_t features; /* NW_FEAT_* */
	uint8_t prot;
	uint16_t flags; /* of its leaves, NW_LEAF_* */
};

/* Addresses of a row that goes to random places. */
#define ROW_RANDOM 65536u

struct row {
	const char *name;
	const char *title;
	const char *group;     /* rows with one goal; NULL: none */
	uint64_t entries;  /* changed or visited by one run */
	unsigned runs;	   /* in one sample */
	uint64_t ia_bytes; /* range, 0 based */
	unsigned max_level;
	const struct row_table *table; /* NULL: exclusive, plain */
	/* Not NULL: of this format, and the floor is not one: it is the library
	 * with arm64 stage 2, 4 KiB, of as many levels. */
	const struct row_format *format;
	/* Untimed, once, after everything is ready; may be NULL. */
	void (*prepare)(struct bench *);
	/* Untimed, before each timed run; may be NULL. */
	void (*lib_before)(struct bench *);
	void (*floor_before)(struct bench *);
	/* Timed. */
	void (*lib)(struct bench *);
	void (*floor)(struct bench *);
	/* Untimed, after each timed run; may be NULL. */
	void (*lib_after)(struct bench *);
};

/* Rows of whole ranges and lookups; of changes to leaves and faults; of
 * dirty state. */
extern const struct row rows_range[], rows_change[], rows_dirty[];
extern const unsigned rows_range_count, rows_change_count, rows_dirty_count;

/* Two rows for each format of the build; NULL past the end. */
const struct row *row_format_at(unsigned index);
void row_format_open(struct bench *b);

/* All of them, in the order of the table; NULL past the end. */
const struct row *row_at(unsigned index);

/* For rows: end the program unless it is NW_OK; the attributes of the row's
 * leaves; map and unmap the row's range. */
__attribute__((noreturn)) void row_fail(const char *row, const char *what);
void row_must(enum nw_status status);
struct nw_attrs row_attrs(const struct bench *b);
void row_map(struct bench *b);
void row_unmap(struct bench *b);

/* Output address of the row's first leaf: blocks of every size could start. */
#define ROW_OUTPUT_PA (UINT64_C(64) << 30)

/* An array of the addresses of `pages` pages from 0, of which the first n are
 * in an order without a pattern; never NULL. */
uint64_t *row_distinct(unsigned n, unsigned pages, unsigned page_lg2);

/* Make heap, table and floor tables of a row; ends the program if it cannot. */
void bench_open(struct bench *b, const struct row *row);

/* An arm64 stage-2 table, 4 KiB, 40 bits; NULL: exclusive, plain. */
void bench_table(struct nw_table *table, struct heap *heap,
		 const struct row_table *t);

/* Each thread that calls the library. */
void bench_thread_begin(void);
void bench_thread_end(void);
/* Outside operations: no page that was seen before is used any more. */
void bench_thread_quiescent(void);

#endif
