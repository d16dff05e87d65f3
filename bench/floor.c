/* SPDX-License-Identifier: BSD-2-Clause */
#include "floor.h"

typedef uint64_t wide __attribute__((vector_size(16), may_alias));

static inline void store(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELAXED);
}

static inline uint64_t load(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

/* The empty asm keeps the loop from becoming a call of memset. */
static inline void zero_page(uint64_t *page)
{
	wide *at = (wide *)(void *)page;
	wide *end = at + FLOOR_ENTRIES / 2;
	const wide zero = {0, 0};

	for (; at < end; at += 8) {
		at[0] = zero;
		at[1] = zero;
		at[2] = zero;
		at[3] = zero;
		at[4] = zero;
		at[5] = zero;
		at[6] = zero;
		at[7] = zero;
		__asm__ volatile("" ::: "memory");
	}
}

static inline uint64_t fill_page(uint64_t *page, uint64_t leaf, uint64_t step)
{
	for (unsigned i = 0; i < FLOOR_ENTRIES; i++) {
		store(page + i, leaf);
		leaf += step;
	}
	return leaf;
}

void floor_zero_fill(struct floor_tables *f, uint64_t leaf, uint64_t step)
{
	uint64_t *page = f->leaves;
	uint64_t link = f->leaves_phys | 3;

	zero_page(f->links);
	for (unsigned i = 0; i < f->pages; i++) {
		zero_page(page);
		leaf = fill_page(page, leaf, step);
		store(f->links + i, link);
		page += FLOOR_ENTRIES;
		link += HEAP_PAGE_BYTES;
	}
}

void floor_fill(struct floor_tables *f, uint64_t leaf, uint64_t step)
{
	uint64_t *page = f->leaves;
	uint64_t link = f->leaves_phys | 3;

	for (unsigned i = 0; i < f->pages; i++) {
		leaf = fill_page(page, leaf, step);
		store(f->links + i, link);
		page += FLOOR_ENTRIES;
		link += HEAP_PAGE_BYTES;
	}
}

void floor_drop(struct floor_tables *f, struct heap *heap, uint64_t *above)
{
	uint64_t virt_minus_phys = heap->ops.virt_minus_phys;

	store(above, 0);
	for (unsigned i = 0; i < f->pages; i++) {
		uint64_t link = load(f->links + i);

		heap_push(heap, (void *)(uintptr_t)((link & ~UINT64_C(0xfff)) +
						    virt_minus_phys));
	}
	heap_push(heap, f->links);
}

void floor_clear(struct floor_tables *f)
{
	uint64_t *entry = f->leaves;
	uint64_t *end = entry + (size_t)f->pages * FLOOR_ENTRIES;

	for (; entry < end; entry++)
		store(entry, 0);
	for (unsigned i = 0; i < f->pages; i++)
		store(f->links + i, 0);
}

uint64_t floor_lookup(const uint64_t *root, uint64_t virt_minus_phys,
		      const uint64_t *address, unsigned n)
{
	const uint64_t next = UINT64_C(0xfffffffff000);
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t a = address[i];
		uint64_t e = load(root + (a >> 30));

		e = load((const uint64_t *)(uintptr_t)((e & next) +
						       virt_minus_phys) +
			 (a >> 21 & 511));
		e = load((const uint64_t *)(uintptr_t)((e & next) +
						       virt_minus_phys) +
			 (a >> 12 & 511));
		sum += e;
	}
	return sum;
}

void floor_modify(uint64_t *entry, size_t n, uint64_t without, uint64_t with)
{
	uint64_t *end = entry + n;

	for (; entry < end; entry++)
		store(entry, (load(entry) & ~without) | with);
}

void floor_swap(uint64_t *entry, size_t n, uint64_t without, uint64_t with)
{
	uint64_t *end = entry + n;

	for (; entry < end; entry++) {
		uint64_t old = load(entry), changed = (old & ~without) | with;

		if (changed != old)
			(void)__atomic_compare_exchange_n(entry, &old, changed,
							  0, __ATOMIC_ACQ_REL,
							  __ATOMIC_RELAXED);
	}
}

uint64_t floor_scan(const uint64_t *entry, size_t n)
{
	const uint64_t *end = entry + n;
	uint64_t sum = 0;

	for (; entry < end; entry++)
		sum += load(entry);
	return sum;
}

static inline uint64_t *walk(uint64_t *root, uint64_t virt_minus_phys,
			     uint64_t a)
{
	const uint64_t next = UINT64_C(0xfffffffff000);
	uint64_t e = load(root + (a >> 30));

	e = load((const uint64_t *)(uintptr_t)((e & next) + virt_minus_phys) +
		 (a >> 21 & 511));
	return (uint64_t *)(uintptr_t)((e & next) + virt_minus_phys) +
	       (a >> 12 & 511);
}

void floor_walk_swap(uint64_t *root, uint64_t virt_minus_phys,
		     const uint64_t *address, unsigned n, uint64_t without,
		     uint64_t with)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t *entry = walk(root, virt_minus_phys, address[i]);
		uint64_t old = load(entry);

		(void)__atomic_compare_exchange_n(
			entry, &old, (old & ~without) | with, 0,
			__ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

void floor_walk_store(uint64_t *root, uint64_t virt_minus_phys,
		      const uint64_t *address, unsigned n, uint64_t leaf)
{
	for (unsigned i = 0; i < n; i++)
		store(walk(root, virt_minus_phys, address[i]),
		      leaf + (address[i] & ~UINT64_C(0xfff)));
}
