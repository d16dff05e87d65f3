/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a table ought to say, as a flat list of spans: no levels, no entries.
 */
#ifndef TESTS_CONFORMANCE_FLAT_H
#define TESTS_CONFORMANCE_FLAT_H

#include <nestwalk/format.h>

#ifndef FLAT_SPANS
#define FLAT_SPANS 64
#endif

struct flat_span {
	uint64_t start, end; /* input addresses, end exclusive */
	uint64_t pa;	     /* of start */
	struct nw_attrs attrs;
	int is_dirty; /* recorded by hardware, not yet collected */
	uint64_t annotation; /* not 0: annotated with this, not mapped */
};

struct flat {
	unsigned spans; /* sorted; no two overlap */
	struct flat_span span[FLAT_SPANS];
};

/* The span over this address, or NULL. */
const struct flat_span *flat_at(const struct flat *flat, uint64_t ia);

/* Add a span where nothing is. */
void flat_map(struct flat *flat, const struct flat_span *span);

void flat_unmap(struct flat *flat, uint64_t start, uint64_t end);

/* Annotations alone go. */
void flat_clear(struct flat *flat, uint64_t start, uint64_t end);

/* Call `fn` on what lies in [start, end); spans are cut at both ends first. */
void flat_each(struct flat *flat, uint64_t start, uint64_t end,
	       void (*fn)(struct flat_span *span, void *arg), void *arg);

/* Bytes mapped in all; annotated ones are not. */
uint64_t flat_bytes(const struct flat *flat);

#endif
