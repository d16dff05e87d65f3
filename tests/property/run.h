/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run: a sequence of operations on a fresh table, each judged against the
 * model, the whole table looked at every so often.
 */
#ifndef TEST_RUN_H
#define TEST_RUN_H

#include "model.h"
#include "ops.h"

/* A fault that the harness plants, so that its own alarm can be tested. */
enum plant {
	PLANT_NOTHING,
	PLANT_SHORT_UNMAP, /* the last page of long unmaps is left out */
	PLANT_LOST_FLUSH,  /* requests that name block leaves are lost */
	PLANT_WILD_STORE,  /* protect also flips a bit of the root's entry */
};

struct run_options {
	const struct variant *variant;
	enum nw_mode mode;
	unsigned check_every; /* operations between looks at the whole table */
	enum plant plant;
};

struct run_failure {
	unsigned at; /* index of the operation */
	char text[400];
};

/* Totals over all runs of the program, for its last line. */
struct run_totals {
	uint64_t ops;
	uint64_t by_kind[OP_KINDS];
	uint64_t refused;
	uint64_t out_of_memory;
	uint64_t looks;
	uint64_t pages_peak;
};

extern struct run_totals run_totals;

/* 0: all is well. 1: *failure says what is not. */
int run_ops(const struct run_options *options, const struct op *op,
	    unsigned ops, struct run_failure *failure);

#endif
