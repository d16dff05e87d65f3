/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two sources: a frontier, behind which nothing was ever given out; and for each
 * size a list of what came back, linked outside the pages themselves. Sizes are
 * few and pieces are never put together again.
 */
#include <stddef.h>

#include "el2.h"
#include "heap.h"
#include "layout.h"
#include "lib.h"
#include "nw_port.h"

#define HEAP_PAGES ((NW_HYP_HEAP_END - NW_HYP_HEAP_PA) / NW_HYP_PAGE_BYTES)
#define NO_PAGE UINT32_MAX
#define ORDERS 9 /* 4 KiB to 1 MiB: 16 tables of 64 KiB */

static struct {
	struct nw_port_lock lock;
	uint32_t frontier;
	uint32_t first_free[ORDERS];
	uint32_t free;
	uint32_t next_free[HEAP_PAGES];
} heap;

/* With the MMU off there is one CPU, and exclusives may not work. */
static void lock_heap(void)
{
	if (el2_mmu_is_on())
		nw_port_lock(&heap.lock);
}

static void unlock_heap(void)
{
	if (el2_mmu_is_on())
		nw_port_unlock(&heap.lock);
}

static void *page_address(uint32_t page)
{
	return (void *)((uintptr_t)NW_HYP_HEAP_PA +
			(uintptr_t)page * NW_HYP_PAGE_BYTES);
}

static void push_free(uint32_t page, unsigned order)
{
	heap.next_free[page] = heap.first_free[order];
	heap.first_free[order] = page;
}

void heap_init(void)
{
	unsigned i;

	nw_port_lock_init(&heap.lock);
	heap.frontier = 0;
	for (i = 0; i < ORDERS; i++)
		heap.first_free[i] = NO_PAGE;
	heap.free = HEAP_PAGES;
}

/* `pages` in a row from the frontier, the first a multiple of `align`. */
static void *take_run(uint64_t pages, uint32_t align)
{
	uint64_t start = (heap.frontier + align - 1u) / align * align;

	if (start + pages > HEAP_PAGES)
		return NULL;
	while (heap.frontier < start)
		push_free(heap.frontier++, 0);
	heap.frontier = (uint32_t)(start + pages);
	heap.free -= (uint32_t)pages;
	return page_address((uint32_t)start);
}

static void *take_order(unsigned order)
{
	uint32_t page = heap.first_free[order];

	if (page == NO_PAGE)
		return take_run(1ull << order, 1u << order);
	heap.first_free[order] = heap.next_free[page];
	heap.free -= 1u << order;
	return page_address(page);
}

void *heap_alloc_pages(void *ctx, unsigned pages_lg2)
{
	struct heap_user *user = ctx;
	unsigned order = pages_lg2 + user->unit_lg2;
	void *pages;

	if (order >= ORDERS)
		nw_port_bug("more pages at a time than the heap knows",
			    __FILE__, __LINE__);
	lock_heap();
	pages = take_order(order);
	if (pages) {
		user->allocated += 1ull << pages_lg2;
		if (user->allocated - user->freed > user->peak)
			user->peak = user->allocated - user->freed;
	}
	unlock_heap();
	return pages;
}

void heap_free_pages(void *ctx, void *pages, unsigned pages_lg2)
{
	struct heap_user *user = ctx;
	uint32_t page = (uint32_t)(((uintptr_t)pages - NW_HYP_HEAP_PA) /
				   NW_HYP_PAGE_BYTES);
	unsigned order = pages_lg2 + user->unit_lg2;

	if (page >= HEAP_PAGES || order >= ORDERS)
		nw_port_bug("page freed that is not the heap's", __FILE__,
			    __LINE__);
	lock_heap();
	push_free(page, order);
	heap.free += 1u << order;
	user->freed += 1ull << pages_lg2;
	unlock_heap();
}

void *heap_take(uint64_t bytes)
{
	void *run;

	lock_heap();
	run = take_run((bytes + NW_HYP_PAGE_BYTES - 1) / NW_HYP_PAGE_BYTES, 1);
	unlock_heap();
	if (run)
		memset(run, 0, bytes);
	return run;
}

uint64_t heap_pages_free(void)
{
	return heap.free;
}
