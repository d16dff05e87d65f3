/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is counted, not timed: memory and invalidations.
 *
 * Invalidations: the EL2 port's own choice and its own cut of a range into
 * operations (ports/el2/tlb_range.h), of every request that the library makes;
 * only the instructions themselves are left out.
 */
#include "special.h"
#include "rows.h"

#include "../ports/el2/tlb_range.h"

#include <stdio.h>

#define GIB  (UINT64_C(1) << 30)
#define PAGE UINT64_C(4096)

struct counted {
	struct heap heap;
	struct nw_table table;
	uint64_t pages;	 /* that the library holds */
	uint64_t single; /* those not of a root */
	/* instructions, with and without FEAT_TLBIRANGE */
	uint64_t ranges, addresses, combined, wholes;
	uint64_t plain;
	void *(*alloc)(void *ctx, unsigned pages_lg2);
	void (*free)(void *ctx, void *pages, unsigned pages_lg2);
};

static const struct row_table plain_table = {NW_MODE_EXCLUSIVE, 0, NW_PROT_RWX,
					     NW_LEAF_ACCESSED};
static const struct nw_attrs attrs = {
	.prot = NW_PROT_RWX,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

/* ---- the port ---------------------------------------------------------- */

/* `heap` is the first member: the port's context is both. */
static void *counted_alloc(void *ctx, unsigned pages_lg2)
{
	struct counted *c = ctx;

	c->pages += UINT64_C(1) << pages_lg2;
	c->single += !pages_lg2;
	return c->alloc(ctx, pages_lg2);
}

static void counted_free(void *ctx, void *pages, unsigned pages_lg2)
{
	struct counted *c = ctx;

	c->pages -= UINT64_C(1) << pages_lg2;
	c->single -= !pages_lg2;
	c->free(ctx, pages, pages_lg2);
}

/* As invalidate_stage2() in ports/el2/tlb.c: one instruction for the whole
 * VMID, or those by address and range and then VMALLE1IS. */
static void counted_invalidate(void *ctx, const struct nw_flush_request *q)
{
	const unsigned all = NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL;
	struct counted *c = ctx;
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	if (nw_tlb_takes_whole(q, NW_TLB_HAS_TTL)) {
		c->plain++;
	} else {
		for (unsigned i = 0; i < q->ranges; i++) {
			nw_tlb_plan(&plan, q, &q->range[i], NW_TLB_HAS_TTL);
			while (nw_tlb_plan_next(&plan, &op))
				c->plain++;
		}
		c->plain++;
	}
	if (nw_tlb_takes_whole(q, all)) {
		c->wholes++;
		return;
	}
	for (unsigned i = 0; i < q->ranges; i++) {
		nw_tlb_plan(&plan, q, &q->range[i], all);
		while (nw_tlb_plan_next(&plan, &op))
			if (op.is_range)
				c->ranges++;
			else
				c->addresses++;
	}
	c->combined++;
}

static void counted_open(struct counted *c, const char *name)
{
	bench_thread_begin();
	if (heap_init(&c->heap, 2048, HEAP_PAGE_LG2))
		row_fail(name, "no memory for table pages");
	c->alloc = c->heap.ops.alloc_pages;
	c->free = c->heap.ops.free_pages;
	c->heap.ops.alloc_pages = counted_alloc;
	c->heap.ops.free_pages = counted_free;
	c->heap.ops.invalidate = counted_invalidate;
	bench_table(&c->table, &c->heap, &plain_table);
	row_must(nw_map(&c->table, NW_IA(0), GIB, NW_PA(ROW_OUTPUT_PA), &attrs,
			0, NULL, NULL));
}

/* ---- rows ------------------------------------------------------------- */

/* 512 tables of leaves, the one that links them, and the root: 40 bits of
 * 4 KiB begin with two concatenated pages. */
static void memory_tables(const struct special *self, unsigned repeat)
{
	static struct counted c;

	(void)repeat;
	counted_open(&c, self->name);
	printf("\"value\": %llu, \"bound\": %u, \"unit\": \"pages\", "
	       "\"detail\": \"%llu and a root of %llu\"",
	       (unsigned long long)c.pages, 513u + 2u,
	       (unsigned long long)c.single,
	       (unsigned long long)(c.pages - c.single));
}

/* The library allocates nothing but table pages: what is left is its struct. */
static void memory_side(const struct special *self, unsigned repeat)
{
	static struct counted c;

	(void)repeat;
	counted_open(&c, self->name);
	printf("\"value\": %.4f, \"bound\": 1, \"unit\": \"percent\", "
	       "\"detail\": \"%zu bytes a table, none a page\"",
	       100.0 * sizeof(struct nw_table) / ((double)c.pages * PAGE),
	       sizeof(struct nw_table));
}

static void invalidations(const struct special *self, unsigned repeat)
{
	static struct counted c;

	(void)repeat;
	counted_open(&c, self->name);
	row_must(nw_write_protect(&c.table, NW_IA(0), GIB, NULL, NULL, NULL,
				  NULL));
	if (c.wholes)
		row_fail(self->name, "a range drops the whole VMID");
	printf("\"value\": %llu, \"bound\": 2, \"unit\": \"instructions\", "
	       "\"detail\": \"%llu by range, %llu by address, %llu VMALLE1IS, "
	       "%llu VMALLS12E1IS; without FEAT_TLBIRANGE %llu\"",
	       (unsigned long long)(c.ranges + c.addresses + c.combined +
				    c.wholes),
	       (unsigned long long)c.ranges, (unsigned long long)c.addresses,
	       (unsigned long long)c.combined, (unsigned long long)c.wholes,
	       (unsigned long long)c.plain);
}

const struct special specials_count[] = {
	{"invalidations-wp-1g", "invalidations, write-protect 1 GiB", "count",
	 invalidations},
	{"memory-tables", "table pages, 1 GiB of 4K", "count", memory_tables},
	{"memory-side", "side data of these tables", "count", memory_side},
};
const unsigned specials_count_n =
	sizeof(specials_count) / sizeof(specials_count[0]);
