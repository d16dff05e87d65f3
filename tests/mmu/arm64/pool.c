// SPDX-License-Identifier: BSD-2-Clause
#include "pool.h"

#include "../../../hyp/lib.h"
#include "host.h"
#include "plant.h"

#define ORDERS 5u /* a root has up to 16 pages */

extern uint8_t pool_start[], pool_end[]; /* judge.ld */

static struct {
	unsigned granule_lg2;
	uint8_t *next;
	void *free[ORDERS]; /* chained through their first word */
} pool;

void pool_reset(unsigned granule_lg2)
{
	memset(&pool, 0, sizeof(pool));
	pool.granule_lg2 = granule_lg2;
	pool.next = pool_start;
}

static void *pool_alloc(void *ctx, unsigned pages_lg2)
{
	const uintptr_t bytes = (uintptr_t)1 << (pool.granule_lg2 + pages_lg2);
	void *page = pool.free[pages_lg2];
	uintptr_t start;

	(void)ctx;
	if (page) {
		pool.free[pages_lg2] = *(void **)page;
	} else {
		start = ((uintptr_t)pool.next + bytes - 1) & ~(bytes - 1);
		if (start + bytes > (uintptr_t)pool_end)
			return NULL;
		page = (void *)start;
		pool.next = (uint8_t *)page + bytes;
	}
	/* The content may be anything: make that visible. */
	memset(page, 0xa5, bytes);
	return page;
}

static void pool_free(void *ctx, void *pages, unsigned pages_lg2)
{
	(void)ctx;
	*(void **)pages = pool.free[pages_lg2];
	pool.free[pages_lg2] = pages;
}

/* More than was asked for: both regimes, whole. */
static void pool_invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx;
	(void)request;
	if (plant_no_tlbi())
		return;
	__asm__ volatile("dsb ishst\n\t"
			 "tlbi alle1is\n\t"
			 "tlbi alle2is\n\t"
			 "dsb ish\n\t"
			 "isb" ::
				 : "memory");
}

const struct nw_port_ops pool_port = {
	.alloc_pages = pool_alloc,
	.free_pages = pool_free,
	.invalidate = pool_invalidate,
	.virt_minus_phys = 0,
};

void nw_port_bug(const char *what, const char *file, unsigned line);

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	host_print("bug: %s (%s:%u)\n", what, file, line);
	host_exit(3);
}
