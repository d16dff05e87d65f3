/* SPDX-License-Identifier: BSD-2-Clause */
/* A run as its parts see it: run.c performs, look.c judges, fold.c does both
 * for operations that change the shape of a table alone. */
#ifndef PROPERTY_STATE_H
#define PROPERTY_STATE_H

#include "run.h"

/* Enough for any run; running dry would show as NW_E_NOMEM. */
#define ARENA_PAGES 8192

struct run_state {
	const struct run_options *options;
	struct fixture f;
	struct model model;
	struct model seen; /* what the second walker read last */
	struct aw_view before;
	int before_valid; /* `before` shows the table before this operation */
	struct nw_page_cache cache;
	const struct nw_port_ops *real_port;
	struct nw_port_ops port; /* real_port, with the planted fault */
	struct run_failure *failure;
	unsigned at;
};

/* Note what is wrong; 1. */
__attribute__((format(printf, 2, 3))) int run_fail(struct run_state *s,
						   const char *format, ...);

/* Read the whole table through the second walker. */
void run_see(struct run_state *s);
/* Look at the whole table and compare it with the model. 1: they differ. */
int run_look(struct run_state *s);
/* The leaf over `ia`, or NULL. */
const struct aw_leaf *run_leaf_at(const struct aw_view *view, uint64_t ia);
int run_page_in(const struct aw_view *view, const struct aw_page *page);
int run_check_flushed(struct run_state *s);
int run_table_was_there(const struct run_state *s, uint64_t ia, unsigned level);
int run_check_largest(struct run_state *s, const struct op *op);
int run_is_level(const struct run_state *s, unsigned level);
/* Is it what was expected, or a shortage that may be? 1: neither. */
int run_check_status(struct run_state *s, const struct op *op,
		     enum nw_status got, enum nw_status want);
int run_check_reached(struct run_state *s, uint64_t want);
int run_split_range(struct run_state *s, const struct op *op);
int run_fold(struct run_state *s, const struct op *op);
int run_annotate(struct run_state *s, const struct op *op);
int run_replace(struct run_state *s, const struct op *op);
int run_remap(struct run_state *s, const struct op *op);
int run_unmap_dirty(struct run_state *s, const struct op *op);
/* The value that a run of the model is annotated with; 0: it is mapped. */
uint64_t run_annotation(const struct run *r);
/* Add an annotated entry to what was seen. */
void run_see_annotation(struct run_state *s, const struct aw_leaf *e);

#endif
