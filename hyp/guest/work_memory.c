// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fill memory with pages that describe themselves, and look whether they
 * still say the same. A page names its address and version, so a wrong one
 * tells what it is: stale (an old version), foreign (another address) or
 * torn (right head, wrong tail).
 */
#define _GNU_SOURCE
#include "guestwork.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS (GW_PAGE_BYTES / sizeof(uint64_t))
#define MAGIC 0x4e57474b50414745ull /* "NWGKPAGE" */

enum word { WORD_MAGIC, WORD_ADDRESS, WORD_VERSION, WORD_SUM, WORD_BODY };

struct region {
	uint64_t *start;
	size_t pages;
	unsigned index;
	uint32_t *version; /* one per page */
};

static uint64_t page_seed(const uint64_t *page, uint64_t version)
{
	return gw_mix((uint64_t)(uintptr_t)page + version * 0x9e3779b97f4a7c15ull);
}

/* Write `page` for `version`; the checksum covers the body. */
static void page_fill(uint64_t *page, uint64_t version)
{
	uint64_t seed = page_seed(page, version);
	uint64_t sum = 0;

	for (unsigned i = WORD_BODY; i < WORDS; i++) {
		uint64_t word = seed + i * 0xd1342543de82ef95ull;

		page[i] = word;
		sum = (sum << 1 | sum >> 63) ^ word;
	}
	page[WORD_MAGIC] = MAGIC;
	page[WORD_ADDRESS] = (uint64_t)(uintptr_t)page;
	page[WORD_VERSION] = version;
	page[WORD_SUM] = sum;
}

/* The guest physical address behind `p`, or 0 if the kernel does not say. */
static uint64_t physical_address(const void *p)
{
	uint64_t entry = 0;
	uint64_t virt = (uint64_t)(uintptr_t)p;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (off_t)(virt / GW_PAGE_BYTES * 8)) !=
	    (ssize_t)sizeof(entry))
		entry = 0;
	close(fd);
	if (!(entry >> 63))
		return 0;
	return (entry & ((1ull << 55) - 1)) * GW_PAGE_BYTES +
	       virt % GW_PAGE_BYTES;
}

static int wrong_word(const struct region *region, const uint64_t *page,
		      unsigned word, uint64_t expected, uint64_t found)
{
	const volatile uint64_t *again = page;

	return gw_fail("page worker=%u va=0x%llx ipa=0x%llx word=%u "
		       "expected=0x%016llx found=0x%016llx again=0x%016llx "
		       "head=[0x%llx 0x%llx 0x%llx]",
		       region->index, (unsigned long long)(uintptr_t)&page[word],
		       (unsigned long long)physical_address(&page[word]), word,
		       (unsigned long long)expected, (unsigned long long)found,
		       (unsigned long long)again[word],
		       (unsigned long long)again[WORD_MAGIC],
		       (unsigned long long)again[WORD_ADDRESS],
		       (unsigned long long)again[WORD_VERSION]);
}

/* Compare every word of `page` with what `version` must have there. */
static int page_check(const struct region *region, const uint64_t *page,
		      uint64_t version)
{
	const uint64_t head[] = { MAGIC, (uint64_t)(uintptr_t)page, version };
	uint64_t seed = page_seed(page, version);
	uint64_t sum = 0;

	for (unsigned i = 0; i < WORD_SUM; i++) {
		uint64_t found = page[i];

		if (found != head[i])
			return wrong_word(region, page, i, head[i], found);
	}
	for (unsigned i = WORD_BODY; i < WORDS; i++) {
		uint64_t word = seed + i * 0xd1342543de82ef95ull;
		uint64_t found = page[i];

		if (found != word)
			return wrong_word(region, page, i, word, found);
		sum = (sum << 1 | sum >> 63) ^ found;
	}
	if (page[WORD_SUM] != sum)
		return wrong_word(region, page, WORD_SUM, sum, page[WORD_SUM]);
	return 0;
}

static uint64_t *region_page(const struct region *region, size_t i)
{
	return region->start + i * WORDS;
}

static int region_init(struct region *region, unsigned index, size_t bytes)
{
	size_t pages = bytes / GW_PAGE_BYTES;
	int prot = PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	region->index = index;
	region->pages = pages;
	region->start = mmap(NULL, pages * GW_PAGE_BYTES, prot, flags, -1, 0);
	region->version = mmap(NULL, pages * sizeof(uint32_t), prot, flags, -1,
			       0);
	if (region->start == MAP_FAILED || region->version == MAP_FAILED)
		return gw_fail("mmap worker=%u bytes=%zu", index, bytes);
	return 0;
}

/*
 * One round: look at every page; write each page whose turn it is anew. Half
 * of the pages change in a round, so that old and new versions lie side by
 * side. A worker that must stop leaves in the middle.
 */
static int region_round(struct region *region, unsigned round)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < region->pages && !gw_stopping(); i++) {
		uint64_t *page = region_page(region, i);

		if (page_check(region, page, region->version[i]))
			return 1;
		if (gw_mix(i + round) & 1)
			page_fill(page, ++region->version[i]);
		if (++seen % 256 == 0)
			atomic_fetch_add(&gw_shared->pages, 256);
	}
	atomic_fetch_add(&gw_shared->pages, seen % 256);
	return 0;
}

/* Look at everything once more, now that nothing writes. */
static int region_last_look(const struct region *region)
{
	for (size_t i = 0; i < region->pages; i++)
		if (page_check(region, region_page(region, i),
			       region->version[i]))
			return 1;
	atomic_fetch_add(&gw_shared->pages, region->pages);
	return 0;
}

int gw_memory_worker(unsigned index, size_t bytes)
{
	struct region region;

	if (region_init(&region, index, bytes))
		return 1;
	for (size_t i = 0; i < region.pages; i++) {
		region.version[i] = 1;
		page_fill(region_page(&region, i), 1);
	}
	atomic_fetch_add(&gw_shared->filled, 1);
	for (unsigned round = 0; !gw_stopping(); round++) {
		gw_move_to_cpu(index, round);
		if (round == 0 && atomic_exchange(&gw_shared->plant, 0))
			region_page(&region, region.pages / 2)[100] ^= 1;
		if (region_round(&region, round))
			return 1;
		if (!gw_stopping())
			atomic_fetch_add(&gw_shared->rounds, 1);
	}
	if (atomic_load(&gw_shared->failed))
		return 0;
	return region_last_look(&region);
}
