/* SPDX-License-Identifier: BSD-2-Clause */
#include "heap.h"

#include <string.h>
#include <sys/mman.h>

static void *heap_alloc(void *ctx, unsigned pages_lg2)
{
	struct heap *heap = ctx;
	size_t bytes = (size_t)1 << (heap->page_lg2 + pages_lg2);
	uintptr_t at;
	void *page = heap->free_list;

	if (!pages_lg2 && page) {
		heap->free_list = *(void **)page;
		return page;
	}
	at = ((uintptr_t)heap->next + bytes - 1) & ~(uintptr_t)(bytes - 1);
	if (at + bytes > (uintptr_t)heap->end)
		return NULL;
	heap->next = (uint8_t *)at + bytes;
	return (void *)at;
}

/* Roots (several pages) are freed at the end only: they are not kept. */
static void heap_free(void *ctx, void *page, unsigned pages_lg2)
{
	if (!pages_lg2)
		heap_push(ctx, page);
}

static void heap_invalidate(void *ctx, const struct nw_flush_request *request)
{
	struct heap *heap = ctx;

	heap->invalidations += request->ranges;
}

uint64_t *heap_take(struct heap *heap, size_t pages)
{
	size_t bytes = pages * HEAP_PAGE_BYTES;
	uint8_t *at = heap->next;

	if (bytes > (size_t)(heap->end - at))
		return NULL;
	heap->next += bytes;
	return (uint64_t *)(void *)at;
}

int heap_init(struct heap *heap, size_t pages, unsigned page_lg2)
{
	size_t bytes = pages << page_lg2;
	size_t align = (size_t)64 << page_lg2;
	uint8_t *raw = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t at;

	if (raw == MAP_FAILED)
		return -1;
	at = ((uintptr_t)raw + align - 1) & ~(uintptr_t)(align - 1);
	memset((void *)at, 0xa5, bytes);
	*heap = (struct heap){
		.raw = raw,
		.raw_bytes = bytes + align,
		.next = (uint8_t *)at,
		.end = (uint8_t *)at + bytes,
		.page_lg2 = page_lg2,
		.ops = {
			.alloc_pages = heap_alloc,
			.free_pages = heap_free,
			.invalidate = heap_invalidate,
			.virt_minus_phys = at - HEAP_PHYS_BASE,
		},
	};
	return 0;
}

void heap_destroy(struct heap *heap)
{
	munmap(heap->raw, heap->raw_bytes);
	*heap = (struct heap){0};
}
