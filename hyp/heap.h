/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the hypervisor's own memory (layout.h), for tables and arrays. */
#ifndef NW_HYP_HEAP_H
#define NW_HYP_HEAP_H

#include <stdint.h>

/* Who holds pages; updated under the heap's lock. Its pages are 2^unit_lg2 of
 * the heap's (NW_HYP_PAGE_BYTES): table pages of a larger granule. */
struct heap_user {
	unsigned unit_lg2;
	uint64_t allocated;
	uint64_t freed;
	uint64_t peak;
};

void heap_init(void);

/*
 * alloc_pages and free_pages of a struct nw_port_ops; ctx is the struct
 * heap_user. A freed page keeps its content until it is given out again: a
 * walker that is late finds the entries its last owner left.
 */
void *heap_alloc_pages(void *ctx, unsigned pages_lg2);
void heap_free_pages(void *ctx, void *pages, unsigned pages_lg2);

/* Zeroed memory for the hypervisor's whole life, page-aligned; NULL: none. */
void *heap_take(uint64_t bytes);

uint64_t heap_pages_free(void);

#endif
