/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which ordering points (docs/memory-ordering.md) an exploration passed: the
 * places in src/ that called a primitive, looked up in the comments that name
 * the points.
 */
#ifndef NWS_REACHED_H
#define NWS_REACHED_H

#include <stddef.h>
#include <stdint.h>

struct nws_ord_place {
	const char *file; /* below the top of the tree */
	unsigned first, last; /* lines */
	unsigned number;
};

extern const struct nws_ord_place nws_ord_places[];

/*
 * Bit n for ORD-n: passed since the last exploration began. 0 too when this
 * program has no debugging information, or addr2line is not installed: see
 * nws_reached_problem().
 */
uint64_t nws_reached(void);
/* Why nothing can be said; NULL: all is well. */
const char *nws_reached_problem(void);
/* "02 05 07", or "-"; returns `text`. */
char *nws_reached_text(uint64_t points, char *text, size_t bytes);

#endif
