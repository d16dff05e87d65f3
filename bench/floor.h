/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The floors: what bare stores and loads cost that do the same to memory.
 *
 * A floor knows everything at compile time, checks nothing, allocates nothing
 * and keeps no accounts. It is written to be fast and is never padded; what it
 * executes is pinned in pinned.json, and changing one needs a decision record.
 *
 * Stores to entries are relaxed 8-byte atomic stores, because a hardware
 * walker reads them: a compiler must neither tear nor merge them. Zeroing a
 * page that nobody sees needs no such care, and uses the widest stores that
 * every machine of the architecture has.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "heap.h"

enum {
	FLOOR_ENTRIES = 512, /* of a table page */
};

/* Ready tables: `pages` leaf pages after one page (or more) that links them. */
struct floor_tables {
	uint64_t *links;  /* one entry for each leaf page */
	uint64_t *leaves; /* pages * FLOOR_ENTRIES entries */
	unsigned pages;
	uint64_t links_phys;
	uint64_t leaves_phys;
};

/* Zero every page, fill the leaf pages, link them. */
void floor_zero_fill(struct floor_tables *f, uint64_t leaf, uint64_t step);

/* Fill the leaf pages, link them. */
void floor_fill(struct floor_tables *f, uint64_t leaf, uint64_t step);

/* Clear one entry above `links`, and put all pages on the free list. */
void floor_drop(struct floor_tables *f, struct heap *heap, uint64_t *above);

/* Store 0 to every leaf entry and every link. */
void floor_clear(struct floor_tables *f);

/* Load every entry and store it without / with the bits. */
void floor_modify(uint64_t *entry, size_t n, uint64_t without, uint64_t with);

/* The same by compare-and-swap, where that changes something. */
void floor_swap(uint64_t *entry, size_t n, uint64_t without, uint64_t with);

/* Load every entry; the sum, so that nothing is optimised away. */
uint64_t floor_scan(const uint64_t *entry, size_t n);

/* Three dependent loads for each address, then one compare-and-swap of what
 * was found for the same with `with` and without `without`. */
void floor_walk_swap(uint64_t *root, uint64_t virt_minus_phys,
		     const uint64_t *address, unsigned n, uint64_t without,
		     uint64_t with);

/* The same with a plain store. */
void floor_walk_store(uint64_t *root, uint64_t virt_minus_phys,
		      const uint64_t *address, unsigned n, uint64_t leaf);

/*
 * Three dependent loads for each address (40 bits, 4 KiB granule); the sum of
 * what they found, so that nothing is optimised away.
 */
uint64_t floor_lookup(const uint64_t *root, uint64_t virt_minus_phys,
		      const uint64_t *address, unsigned n);

#endif
