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
	uint64_t *address;   /* random ones */
	uint64_t sum;
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
	uint64_t entries;  /* changed or visited by one run */
	unsigned runs;	   /* in one sample */
	uint64_t ia_bytes; /* range, 0 based */
	unsigned max_level;
	const struct row_table *table; /* NULL: exclusive, plain */
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

/* Rows of whole ranges and lookups; of changes to leaves and faults. */
extern const struct row rows_range[], rows_change[];
extern const unsigned rows_range_count, rows_change_count;

/* All of them, in the order of the table; NULL past the end. */
const struct row *row_at(unsigned index);

/* For rows: end the program unless it is NW_OK; the attributes of the row's
 * leaves; map and unmap the row's range. */
void row_must(enum nw_status status);
struct nw_attrs row_attrs(const struct bench *b);
void row_map(struct bench *b);
void row_unmap(struct bench *b);

/* Output address of the row's first leaf: blocks of every size could start. */
#define ROW_OUTPUT_PA (UINT64_C(64) << 30)

/* Make heap, table and floor tables of a row; ends the program if it cannot. */
void bench_open(struct bench *b, const struct row *row);

#endif
