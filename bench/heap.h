/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table pages for measurements: one touched mapping, a bump pointer, and a
 * last-in-first-out list of freed pages. No checks, no zeroing: what a row
 * shows is the library, not its allocator. Invalidations are counted, not
 * executed.
 */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include <nestwalk/port.h>

#define HEAP_PAGE_LG2 12u
#define HEAP_PAGE_BYTES 4096u
#define HEAP_PHYS_BASE 0x40000000u

struct heap {
	struct nw_port_ops ops;
	uint8_t *raw;
	size_t raw_bytes;
	uint8_t *next; /* bump pointer */
	uint8_t *end;
	void *free_list; /* chained through the first word */
	uint64_t invalidations;
	unsigned page_lg2; /* of a table page */
};

/* Pages of 2^page_lg2 bytes: 0, or -1 when the machine has no such memory. */
int heap_init(struct heap *heap, size_t pages, unsigned page_lg2);

/* Give all of it back: nothing of it is used any more. */
void heap_destroy(struct heap *heap);

static inline void heap_push(struct heap *heap, void *page)
{
	*(void **)page = heap->free_list;
	heap->free_list = page;
}

static inline uint64_t heap_phys(const struct heap *heap, const void *virt)
{
	return (uint64_t)(uintptr_t)virt - heap->ops.virt_minus_phys;
}

/* Take contiguous 4 KiB pages that are never given back; NULL when none are
 * left. */
uint64_t *heap_take(struct heap *heap, size_t pages);

#endif
