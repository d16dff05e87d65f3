/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations of a property run: drawn at random, written as lines, read
 * back. A line stands for itself: replaying needs no seed.
 */
#ifndef TEST_OPS_H
#define TEST_OPS_H

#include <stdio.h>

#include "fixture.h"

enum op_kind {
	OP_MAP,
	OP_UNMAP,
	OP_RELAX,
	OP_RESTRICT,
	OP_SPLIT,
	OP_LOOKUP,
	OP_WALK,
	OP_TEARDOWN,
	OP_SPLIT_RANGE,
	OP_COLLAPSE,
	OP_RECLAIM,
	OP_ANNOTATE, /* prot: value; budget: 1 + expectation; level: its value */
	OP_REPLACE,
	OP_REMAP,
	OP_UNMAP_DIRTY,
	OP_KINDS,
};

struct op {
	enum op_kind kind;
	uint64_t ia;
	uint64_t size;
	uint64_t pa;
	uint32_t prot;
	uint32_t memtype;
	uint32_t flags;	 /* NW_LEAF_* */
	uint32_t level;	 /* largest leaf, or split level, or teardown pages */
	uint32_t budget; /* of an operation that has one */
	uint32_t fail;	 /* which allocation fails; 0: none */
	uint32_t cached; /* pages in the caller's cache; ~0: the worst case */
};

#define OP_CACHED_MAX (~0u)

struct op op_random(uint64_t *rng, const struct variant *variant);

void op_print(FILE *out, const struct op *op);

/* 1: read, 0: not an operation's line. */
int op_parse(const char *line, struct op *op);

const char *op_name(enum op_kind kind);

#endif
