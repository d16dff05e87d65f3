/* SPDX-License-Identifier: BSD-2-Clause */
#include "rows.h"

#define GIB (UINT64_C(1) << 30)

/* ---- the library ------------------------------------------------------ */

struct nw_attrs row_attrs(const struct bench *b)
{
	const struct row_table *t = b->row->table;

	return (struct nw_attrs){
		.prot = t ? t->prot : NW_PROT_RWX,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = t ? t->flags : NW_LEAF_ACCESSED,
	};
}

void row_map(struct bench *b)
{
	const struct nw_attrs attrs = row_attrs(b);

	row_must(nw_map(&b->table, NW_IA(0), b->row->ia_bytes,
			NW_PA(ROW_OUTPUT_PA), &attrs, b->row->max_level, NULL,
			NULL));
}

void row_unmap(struct bench *b)
{
	row_must(nw_unmap(&b->table, NW_IA(0), b->row->ia_bytes, NULL, NULL));
}

static void lib_lookup(struct bench *b)
{
	struct nw_mapping found;
	uint64_t sum = 0;

	for (unsigned i = 0; i < ROW_RANDOM; i++) {
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
	floor_zero_fill(&b->floor, ROW_OUTPUT_PA | 0x7ff, step_bytes(b));
	__atomic_store_n(&b->root_entry, b->floor.links_phys | 3,
			 __ATOMIC_RELAXED);
}

static void floor_map(struct bench *b)
{
	floor_fill(&b->floor, ROW_OUTPUT_PA | 0x7fd, step_bytes(b));
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
	const uint64_t *root =
		(const uint64_t *)(uintptr_t)(nw_table_root(&b->table).v +
					      b->heap.ops.virt_minus_phys);

	b->sum = floor_lookup(root, b->heap.ops.virt_minus_phys, b->address,
			      ROW_RANDOM);
}

/* What bench_open() mapped stays. */
static void keep(struct bench *b)
{
	(void)b;
}

/* ---- rows ------------------------------------------------------------- */

const struct row rows_range[] = {
	{
		.name = "map-1g-4k",
		.title = "map 1 GiB as 4K, fresh tables",
		.entries = GIB >> 12,
		.runs = 8,
		.ia_bytes = GIB,
		.max_level = 0,
		.lib = row_map,
		.floor = floor_map_fresh,
		.lib_after = row_unmap,
	},
	{
		.name = "map-64g-2m",
		.title = "map 64 GiB as 2M",
		.entries = 64 * GIB >> 21,
		.runs = 48,
		.ia_bytes = 64 * GIB,
		.max_level = 1,
		.lib = row_map,
		.floor = floor_map,
		.lib_after = row_unmap,
	},
	{
		.name = "map-1t-1g",
		.title = "map 1 TiB as 1G",
		.entries = 1024,
		.runs = 512,
		.ia_bytes = 1024 * GIB,
		.max_level = 2,
		.lib = row_map,
		.floor = floor_map,
		.lib_after = row_unmap,
	},
	{
		.name = "unmap-1g-4k",
		.title = "unmap 1 GiB of 4K",
		.entries = GIB >> 12,
		.runs = 8,
		.ia_bytes = GIB,
		.max_level = 0,
		.lib_before = row_map,
		.floor_before = floor_relink,
		.lib = row_unmap,
		.floor = floor_unmap_drop,
	},
	{
		.name = "unmap-64g-2m",
		.title = "unmap 64 GiB of 2M",
		.entries = 64 * GIB >> 21,
		.runs = 48,
		.ia_bytes = 64 * GIB,
		.max_level = 1,
		.lib_before = row_map,
		.floor_before = floor_map,
		.lib = row_unmap,
		.floor = floor_unmap_clear,
	},
	{
		.name = "lookup",
		.title = "lookup, random, in 1 GiB of 4K",
		.entries = ROW_RANDOM,
		.runs = 8,
		.ia_bytes = GIB,
		.max_level = 0,
		.prepare = keep,
		.lib = lib_lookup,
		.floor = floor_lookups,
	},
};
const unsigned rows_range_count = sizeof(rows_range) / sizeof(rows_range[0]);
