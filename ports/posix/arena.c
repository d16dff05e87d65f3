/* SPDX-License-Identifier: BSD-2-Clause */
#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)0)
#endif

#define ALIGN_BYTES (2ull << 20)

/* Both look like entries to a walker that strays, and point nowhere good. */
#define POISON_FREE 0xdeadfeefdeadf001ull
#define POISON_FRESH 0xa5a5a5a5a5a5a5a5ull

__attribute__((format(printf, 2, 3))) static void
complain(struct nw_arena *arena, const char *format, ...)
{
	va_list args;

	if (arena->errors++ != 0)
		return;
	va_start(args, format);
	vsnprintf(arena->error, sizeof(arena->error), format, args);
	va_end(args);
}

static uint8_t *page_virt(const struct nw_arena *arena, unsigned index)
{
	return arena->base + ((size_t)index << arena->granule_lg2);
}

static uint64_t page_phys(const struct nw_arena *arena, unsigned index)
{
	return arena->phys_base + ((uint64_t)index << arena->granule_lg2);
}

static void page_fill(struct nw_arena *arena, unsigned index, uint64_t value)
{
	uint64_t *word = (uint64_t *)page_virt(arena, index);
	size_t i, words = (size_t)1 << (arena->granule_lg2 - 3);

	for (i = 0; i < words; i++)
		word[i] = value;
}

static void page_check_poison(struct nw_arena *arena, unsigned index)
{
	const uint64_t *word = (const uint64_t *)page_virt(arena, index);
	size_t i, words = (size_t)1 << (arena->granule_lg2 - 3);

	for (i = 0; i < words; i++) {
		if (word[i] == POISON_FREE)
			continue;
		complain(arena, "page %#llx was written after it was freed",
			 (unsigned long long)page_phys(arena, index));
		return;
	}
}

static int run_is_free(const struct nw_arena *arena, unsigned first,
		       unsigned count)
{
	unsigned i;

	for (i = first; i < first + count; i++)
		if (arena->page[i].in_use)
			return 0;
	return 1;
}

static void *take_run(struct nw_arena *arena, unsigned first,
		      unsigned pages_lg2)
{
	unsigned i, count = 1u << pages_lg2;

	for (i = first; i < first + count; i++) {
		ASAN_UNPOISON_MEMORY_REGION(page_virt(arena, i),
					    1ul << arena->granule_lg2);
		if (arena->page[i].poisoned)
			page_check_poison(arena, i);
		page_fill(arena, i, POISON_FRESH);
		arena->page[i] = (struct nw_arena_page){.in_use = 1};
	}
	arena->page[first].head = 1;
	arena->page[first].pages_lg2 = (uint8_t)pages_lg2;
	if (first == arena->low)
		arena->low = first + count;
	if (arena->high < first + count)
		arena->high = first + count;
	arena->allocated += count;
	arena->live += count;
	return page_virt(arena, first);
}

/* ORD-none: a test's allocator behind one mutex. */
static void *arena_alloc(void *ctx, unsigned pages_lg2)
{
	struct nw_arena *arena = ctx;
	unsigned count = 1u << pages_lg2;
	unsigned first;
	void *pages = NULL;

	pthread_mutex_lock(&arena->lock);
	arena->alloc_calls++;
	if (arena->fail_at && arena->alloc_calls >= arena->fail_at) {
		arena->alloc_failures++;
		goto out;
	}
	first = (arena->low + count - 1) & ~(count - 1);
	for (; first + count <= arena->pages; first += count) {
		if (!run_is_free(arena, first, count))
			continue;
		pages = take_run(arena, first, pages_lg2);
		break;
	}
	if (!pages)
		arena->alloc_failures++;
out:
	pthread_mutex_unlock(&arena->lock);
	return pages;
}

/* Why this cannot be freed, or NULL. */
static const char *free_refusal(const struct nw_arena *arena,
				const void *pages, unsigned pages_lg2,
				unsigned *first)
{
	uint64_t offset = (uint64_t)((const uint8_t *)pages - arena->base);
	uint64_t index = offset >> arena->granule_lg2;

	if (index >= arena->pages)
		return "is not the arena's";
	if (offset & ((1ull << arena->granule_lg2) - 1))
		return "is misaligned";
	*first = (unsigned)index;
	if (!arena->page[index].in_use)
		return "is freed twice";
	if (!arena->page[index].head)
		return "is inside an allocation";
	if (arena->page[index].pages_lg2 != pages_lg2)
		return "is freed with another size than it was taken with";
	return NULL;
}

/* ORD-none: a test's allocator behind one mutex. */
static void arena_free(void *ctx, void *pages, unsigned pages_lg2)
{
	struct nw_arena *arena = ctx;
	unsigned i, first = 0, count = 1u << pages_lg2;
	const char *refusal;

	pthread_mutex_lock(&arena->lock);
	refusal = free_refusal(arena, pages, pages_lg2, &first);
	if (refusal) {
		complain(arena, "page at %p %s", pages, refusal);
		goto out;
	}
	for (i = first; i < first + count; i++) {
		if (arena->page[i].linked)
			complain(arena,
				 "table page %#llx (input %#llx to %#llx) was "
				 "freed before a flush covered it",
				 (unsigned long long)page_phys(arena, i),
				 (unsigned long long)arena->page[i].ia_start,
				 (unsigned long long)arena->page[i].ia_end);
		page_fill(arena, i, POISON_FREE);
		ASAN_POISON_MEMORY_REGION(page_virt(arena, i),
					  1ul << arena->granule_lg2);
		arena->page[i] = (struct nw_arena_page){.poisoned = 1};
	}
	if (first < arena->low)
		arena->low = first;
	arena->freed += count;
	arena->live -= count;
out:
	pthread_mutex_unlock(&arena->lock);
}

static void check_request(struct nw_arena *arena,
			  const struct nw_flush_request *request)
{
	uint64_t mask = (1ull << arena->granule_lg2) - 1;
	unsigned i;

	if (request->ranges == 0)
		complain(arena, "a flush request names no range");
	if (request->granule_lg2 != arena->granule_lg2)
		complain(arena, "a flush request says granule 2^%u",
			 request->granule_lg2);
	for (i = 0; i < request->ranges; i++) {
		const struct nw_flush_range *r = &request->range[i];

		if (r->start >= r->end || ((r->start | r->end) & mask))
			complain(arena, "flush range %#llx to %#llx is no range",
				 (unsigned long long)r->start,
				 (unsigned long long)r->end);
		if (!r->leaf_levels && !r->had_tables)
			complain(arena, "flush of %#llx says nothing was there",
				 (unsigned long long)r->start);
	}
}

/* A page is flushed when one range with had_tables covers all it spans. */
static void settle_linked(struct nw_arena *arena,
			  const struct nw_flush_range *range)
{
	unsigned i;

	if (!range->had_tables)
		return;
	for (i = 0; i < arena->high; i++) {
		struct nw_arena_page *page = &arena->page[i];

		if (page->linked && page->ia_start >= range->start &&
		    page->ia_end <= range->end)
			page->linked = 0;
	}
}

static void record(struct nw_arena *arena, const struct nw_flush_range *range)
{
	if (arena->flushes == arena->flush_room) {
		unsigned room = arena->flush_room ? 2 * arena->flush_room : 64;
		void *more = realloc(arena->flush,
				     room * sizeof(*arena->flush));

		if (!more) {
			complain(arena, "no memory to record flushes");
			return;
		}
		arena->flush = more;
		arena->flush_room = room;
	}
	arena->flush[arena->flushes++] = (struct nw_arena_flush){
		.range = *range,
		.request = arena->requests,
	};
}

/* ORD-none: a test's allocator behind one mutex. */
static void arena_invalidate(void *ctx, const struct nw_flush_request *request)
{
	struct nw_arena *arena = ctx;
	unsigned i;

	pthread_mutex_lock(&arena->lock);
	check_request(arena, request);
	arena->last_regime = request->regime;
	arena->last_tag = request->tag;
	for (i = 0; i < request->ranges; i++) {
		settle_linked(arena, &request->range[i]);
		if (arena->record_flushes)
			record(arena, &request->range[i]);
	}
	arena->requests++;
	pthread_mutex_unlock(&arena->lock);
}

/* A mapping aligned for every root, so that pages align in both spaces. */
static uint8_t *map_aligned(size_t bytes)
{
	uint8_t *raw, *base;

	raw = mmap(NULL, bytes + ALIGN_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw == MAP_FAILED)
		return NULL;
	base = (uint8_t *)(((uintptr_t)raw + ALIGN_BYTES - 1) &
			   ~(uintptr_t)(ALIGN_BYTES - 1));
	if (base > raw)
		munmap(raw, (size_t)(base - raw));
	if (raw + ALIGN_BYTES > base)
		munmap(base + bytes, (size_t)(raw + ALIGN_BYTES - base));
	return base;
}

int nw_arena_init(struct nw_arena *arena, uint64_t phys_base, unsigned pages,
		  unsigned granule_lg2)
{
	size_t bytes = (size_t)pages << granule_lg2;

	memset(arena, 0, sizeof(*arena));
	arena->base = map_aligned(bytes);
	arena->page = calloc(pages, sizeof(*arena->page));
	if (!arena->base || !arena->page)
		return -1;
	pthread_mutex_init(&arena->lock, NULL);
	arena->phys_base = phys_base;
	arena->granule_lg2 = granule_lg2;
	arena->pages = pages;
	arena->record_flushes = 1;
	ASAN_POISON_MEMORY_REGION(arena->base, bytes);
	arena->ops = (struct nw_port_ops){
		.alloc_pages = arena_alloc,
		.free_pages = arena_free,
		.invalidate = arena_invalidate,
		.virt_minus_phys = (uint64_t)(uintptr_t)arena->base - phys_base,
	};
	return 0;
}

void nw_arena_fini(struct nw_arena *arena)
{
	size_t bytes = (size_t)arena->pages << arena->granule_lg2;

	ASAN_UNPOISON_MEMORY_REGION(arena->base, bytes);
	munmap(arena->base, bytes);
	free(arena->page);
	free(arena->flush);
	pthread_mutex_destroy(&arena->lock);
	memset(arena, 0, sizeof(*arena));
}

void nw_arena_fail_at(struct nw_arena *arena, uint64_t nth)
{
	arena->alloc_calls = 0;
	arena->alloc_failures = 0;
	arena->fail_at = nth;
}

void nw_arena_flushes_clear(struct nw_arena *arena)
{
	arena->flushes = 0;
	arena->requests = 0;
}

void nw_arena_note_linked(struct nw_arena *arena, uint64_t pa,
			  uint64_t ia_start, uint64_t ia_end)
{
	uint64_t index = (pa - arena->phys_base) >> arena->granule_lg2;

	if (index >= arena->pages || !arena->page[index].in_use) {
		complain(arena, "%#llx is linked but no live page",
			 (unsigned long long)pa);
		return;
	}
	arena->page[index].linked = 1;
	arena->page[index].ia_start = ia_start;
	arena->page[index].ia_end = ia_end;
}

void nw_arena_linked_clear(struct nw_arena *arena)
{
	unsigned i;

	for (i = 0; i < arena->high; i++)
		arena->page[i].linked = 0;
}

const uint64_t *nw_arena_read(const struct nw_arena *arena, uint64_t pa)
{
	uint64_t index = (pa - arena->phys_base) >> arena->granule_lg2;

	if (index >= arena->pages || !arena->page[index].in_use)
		return NULL;
	return (const uint64_t *)page_virt(arena, (unsigned)index);
}

const char *nw_arena_error(const struct nw_arena *arena)
{
	return arena->errors ? arena->error : NULL;
}
