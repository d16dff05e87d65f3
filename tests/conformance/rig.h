/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of any format beside its flat model. Only struct nw_format_ops is
 * used, so a format joins by being in nw_all_formats[].
 */
#ifndef TESTS_CONFORMANCE_RIG_H
#define TESTS_CONFORMANCE_RIG_H

#include <nestwalk/table.h>

#include "flat.h"

#define RIG_FLUSHES 64

struct rig {
	const struct nw_format_ops *ops;
	struct nw_format_config config;
	enum nw_mode mode;
	enum nw_runs runs;
	struct nw_table table;
	const struct nw_geometry *geo; /* of the table */
	struct nw_port_ops port;
	struct flat flat;
	/* table pages: one window, at the top of the output range */
	char *window;
	uint64_t window_bytes, window_pa;
	uint64_t used; /* bytes from the window's start */
	struct rig_page {
		struct rig_page *next;
	} * free_pages[8]; /* by size, as a logarithm in pages */
	uint64_t pages_out;
	uint64_t fail_allocs; /* not 0: there are no pages */
	/* what was flushed since rig_forget() */
	unsigned flushes;
	struct nw_flush_range flushed[RIG_FLUSHES];
	const char *step; /* for messages */
};

/* Every configuration worth a run; 0 ends. *n: 0 at first. */
int rig_next_config(const struct nw_format_ops *ops, unsigned *n,
		    struct nw_format_config *config);

/* The n-th set of attributes that every leaf level of this shape can carry;
 * 0: there are no more. */
int rig_attrs(const struct nw_format_ops *ops, const struct nw_geometry *geo,
	      unsigned n, struct nw_attrs *attrs);

void rig_open(struct rig *rig, const struct nw_format_ops *ops,
	      const struct nw_format_config *config, enum nw_mode mode,
	      enum nw_runs runs);

/* Destroys the table: nothing may be held then. */
void rig_close(struct rig *rig);

/* Fails the test with where we are. */
void rig_fail(const struct rig *rig, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Compare status; on a difference say where. */
void rig_expect(const struct rig *rig, enum nw_status status,
		enum nw_status expected);

/* The whole table against the model: every leaf that a walk finds, and lookups
 * at and around every boundary. */
void rig_check(struct rig *rig);

/* The level of the leaf over `ia`, which must be mapped. */
unsigned rig_level(struct rig *rig, uint64_t ia);

void rig_forget(struct rig *rig);

/* Since rig_forget(), was all of [start, end) flushed, where a leaf was? */
int rig_flushed(const struct rig *rig, uint64_t start, uint64_t end);

static inline uint64_t rig_span(const struct rig *rig, unsigned level)
{
	return UINT64_C(1) << nw_span_lg2(rig->geo, level);
}

#endif
