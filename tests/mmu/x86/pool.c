/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's port: pages of the last DIMM, and invalidation. */
#include <stddef.h>

#include "machine.h"

#define PAGE UINT64_C(4096)
/* Up to this many pages one by one. */
#define FLUSH_PAGES_MAX 64

static uint8_t pool_taken[POOL_PAGES];
static uint64_t pool_live;
static uint32_t pool_hint;
static int flushes_left_out;

uint64_t pool_pages_live(void)
{
	return pool_live;
}

void flushes_leave_out(int yes)
{
	flushes_left_out = yes;
}

uint64_t pool_pa(const void *page)
{
	return (uintptr_t)page - payload_port.virt_minus_phys;
}

/* No root of x86 is larger than a page. */
static void *pool_alloc(void *ctx, unsigned pages_lg2)
{
	uint32_t page = pool_hint;

	(void)ctx;
	for (uint32_t n = 0; n < POOL_PAGES && !pages_lg2; n++, page++) {
		if (page >= POOL_PAGES)
			page = 0;
		if (pool_taken[page])
			continue;
		pool_taken[page] = 1;
		pool_live++;
		pool_hint = page + 1;
		return (void *)(uintptr_t)(POOL_WINDOW + page * PAGE);
	}
	return NULL;
}

/* A freed table is poisoned: every entry is a leaf with all rights of memory
 * that nobody asked for. */
static void pool_free(void *ctx, void *pages, unsigned pages_lg2)
{
	const uint64_t index = ((uintptr_t)pages - POOL_WINDOW) / PAGE;
	uint64_t *word = pages;

	(void)ctx, (void)pages_lg2;
	for (unsigned i = 0; i < 512; i++)
		word[i] = 0xe7;
	if (!pool_taken[index])
		nw_port_bug("a page is freed twice", __FILE__, __LINE__);
	pool_taken[index] = 0;
	pool_live--;
}

uint64_t *pool_page(void)
{
	uint64_t *page = pool_alloc(NULL, 0);

	for (unsigned i = 0; page && i < 512; i++)
		page[i] = 0;
	return page;
}

void pool_page_free(uint64_t *page)
{
	pool_free(NULL, page, 0);
}

static void flush_range(const struct nw_flush_range *range)
{
	const unsigned sign = PARAMS->levels == 5 ? 64 - 57 : 64 - 48;

	if ((range->end - range->start) / PAGE > FLUSH_PAGES_MAX) {
		flush_all();
		return;
	}
	/* INVLPG drops what is cached of tables, for any address. */
	for (uint64_t a = range->start; a < range->end; a += PAGE)
		flush_page((uint64_t)((int64_t)(a << sign) >> sign));
}

/* VMRUN is always asked to flush (svm.c): nothing to do for nested tables. */
static void invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx;
	if (flushes_left_out || request->regime != NW_REGIME_X86)
		return;
	for (unsigned i = 0; i < request->ranges; i++)
		flush_range(&request->range[i]);
}

struct nw_port_ops payload_port = {
	.alloc_pages = pool_alloc,
	.free_pages = pool_free,
	.invalidate = invalidate,
};

void pool_start(void)
{
	payload_port.virt_minus_phys = POOL_WINDOW - PARAMS->dimm[DIMMS - 1];
}
