/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>

#define GIB (UINT64_C(1) << 30)
#define LOOKUPS 65536u

static const struct nw_attrs attrs = {
	.prot = NW_PROT_RWX,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

/* The output starts where blocks of every size could start. */
#define OUTPUT_PA (UINT64_C(64) * GIB)

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "nwbench: %s\n", what);
	exit(1);
}

static void must(enum nw_status status)
{
	if (status != NW_OK)
		fail(nw_status_name(status));
}

/* ---- the library ------------------------------------------------------ */

static void lib_map(struct bench *b)
{
	must(nw_map(&b->table, NW_IA(0), b->row->ia_bytes, NW_PA(OUTPUT_PA),
		    &attrs, b->row->max_level, NULL, NULL));
}

static void lib_unmap(struct bench *b)
{
	must(nw_unmap(&b->table, NW_IA(0), b->row->ia_bytes, NULL, NULL));
}

static void lib_lookup(struct bench *b)
{
	struct nw_mapping found;
	uint64_t sum = 0;

	for (unsigned i = 0; i < LOOKUPS; i++) {
		(void)!nw_lookup(&b->table, NW_IA(b->address[i]), &found);
		sum += found.entry;
	}
	b->sum = sum;
}

/* ---- the floors ------------------------------------------------------- */

static uint64_t step_bytes(const struct bench *b)
{
	return UINT64_C(1) << (12 + 9 * b->row->max_level);
}

static void floor_map_fresh(struct bench *b)
{
	floor_zero_fill(&b->floor, OUTPUT_PA | 0x7ff, step_bytes(b));
	__atomic_store_n(&b->root_entry, b->floor.links_phys | 3,
			 __ATOMIC_RELAXED);
}

static void floor_map(struct bench *b)
{
	floor_fill(&b->floor, OUTPUT_PA | 0x7fd, step_bytes(b));
}

static void floor_relink(struct bench *b)
{
	b->heap.free_list = NULL;
	floor_map_fresh(b);
}

static void floor_unmap_drop(struct bench *b)
{
	floor_drop(&b->floor, &b->heap, &b->root_entry);
}

static void floor_unmap_clear(struct bench *b)
{
	floor_clear(&b->floor);
}

static void floor_lookups(struct bench *b)
{
	const uint64_t *root = (const uint64_t *)(uintptr_t)(
		nw_table_root(&b->table).v + b->heap.ops.virt_minus_phys);

	b->sum = floor_lookup(root, b->heap.ops.virt_minus_phys, b->address,
			      LOOKUPS);
}

/* ---- rows ------------------------------------------------------------- */

const struct row rows[] = {
	{
		.name = "map-1g-4k",
		.title = "map 1 GiB as 4K, fresh tables",
		.entries = GIB >> 12,
		.runs = 8,
		.ia_bytes = GIB,
		.max_level = 0,
		.lib = lib_map,
		.floor = floor_map_fresh,
		.lib_after = lib_unmap,
	},
	{
		.name = "map-64g-2m",
		.title = "map 64 GiB as 2M",
		.entries = 64 * GIB >> 21,
		.runs = 48,
		.ia_bytes = 64 * GIB,
		.max_level = 1,
		.lib = lib_map,
		.floor = floor_map,
		.lib_after = lib_unmap,
	},
	{
		.name = "unmap-1g-4k",
		.title = "unmap 1 GiB of 4K",
		.entries = GIB >> 12,
		.runs = 8,
		.ia_bytes = GIB,
		.max_level = 0,
		.lib_before = lib_map,
		.floor_before = floor_relink,
		.lib = lib_unmap,
		.floor = floor_unmap_drop,
	},
	{
		.name = "unmap-64g-2m",
		.title = "unmap 64 GiB of 2M",
		.entries = 64 * GIB >> 21,
		.runs = 48,
		.ia_bytes = 64 * GIB,
		.max_level = 1,
		.lib_before = lib_map,
		.floor_before = floor_map,
		.lib = lib_unmap,
		.floor = floor_unmap_clear,
	},
	{
		.name = "lookup",
		.title = "lookup, random, in 1 GiB of 4K",
		.entries = LOOKUPS,
		.runs = 8,
		.ia_bytes = GIB,
		.max_level = 0,
		.lib = lib_lookup,
		.floor = floor_lookups,
	},
};
const unsigned rows_count = sizeof(rows) / sizeof(rows[0]);

static void random_addresses(struct bench *b)
{
	uint64_t state = 0x9e3779b97f4a7c15u;

	b->address = malloc(LOOKUPS * sizeof(*b->address));
	if (!b->address)
		fail("no memory");
	for (unsigned i = 0; i < LOOKUPS; i++) {
		state = state * UINT64_C(6364136223846793005) + 1;
		b->address[i] = (state >> 33) & (b->row->ia_bytes - 1);
	}
}

static void open_floor(struct bench *b)
{
	struct floor_tables *f = &b->floor;

	f->pages = (unsigned)(b->row->ia_bytes >>
			      (21 + 9 * b->row->max_level));
	f->links = heap_take(&b->heap, 1);
	f->leaves = heap_take(&b->heap, f->pages);
	if (!f->links || !f->leaves)
		fail("no memory for the floor's tables");
	f->links_phys = heap_phys(&b->heap, f->links);
	f->leaves_phys = heap_phys(&b->heap, f->leaves);
}

void bench_open(struct bench *b, const struct row *row)
{
	const struct nw_table_config config = {
		.ops = &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 40, .oa_bits = 40},
		.port = &b->heap.ops,
		.port_ctx = &b->heap,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_STAGE2,
		.tag = 1,
	};

	b->row = row;
	if (heap_init(&b->heap, 2200))
		fail("no memory for table pages");
	must(nw_table_init(&b->table, &config, NULL));
	open_floor(b);
	/* Pages that the library will use are on its free list from the start,
	 * so that the first run costs what the others do. */
	lib_map(b);
	if (row->lib != lib_lookup)
		lib_unmap(b);
	random_addresses(b);
}
