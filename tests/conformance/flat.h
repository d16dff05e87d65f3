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
	int is_dirty;	     /* recorded by hardware, not yet collected */
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

/*
 * What operations make of a leaf's attributes, for flat_each(). Write
 * protection takes hardware's record with the right: the next write is recorded
 * by a fault. flat_make_clean() adds up the bytes that were dirty, if `arg` is
 * no NULL (uint64_t *).
 */
void flat_without_write(struct flat_span *span, void *arg);
void flat_write_protected(struct flat_span *span, void *arg);
void flat_with_write(struct flat_span *span, void *arg);
void flat_make_clean(struct flat_span *span, void *arg);
void flat_make_old(struct flat_span *span, void *arg);

/* Does hardware's record say that these leaves were written? */
int flat_is_dirty(const struct nw_attrs *attrs);

/* A nw_range_fn that adds up bytes in a uint64_t. */
void flat_count_bytes(void *arg, nw_ia_t ia, uint64_t size_bytes);

/* Bytes mapped in all; annotated ones are not. */
uint64_t flat_bytes(const struct flat *flat);

#endif
