/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write protection that keeps hardware's dirty marks (arm64 DBM): hardware may
 * set the write right at any moment, so that an entry which changes takes a
 * compare-and-swap, in exclusive tables too; one which does not is only looked
 * at.
 */
#include "rows.h"

#define GIB   (UINT64_C(1) << 30)
#define PAGE  UINT64_C(4096)
#define PAGES (GIB / PAGE)

/* Stage 2: write right, access flag, DBM. */
#define S2_WRITE UINT64_C(0x80)
#define S2_AF	 UINT64_C(0x400)
#define S2_DBM	 (UINT64_C(1) << 51)

#define FEATURES (NW_FEAT_HAF | NW_FEAT_HD)
#define DIRTY	 (NW_LEAF_ACCESSED | NW_LEAF_DBM)
#define READ	 (NW_PROT_R | NW_PROT_X)

/* Written since it was mapped; ready to be; neither. */
static const struct row_table dirty = {NW_MODE_EXCLUSIVE, FEATURES, NW_PROT_RWX,
				       DIRTY};
static const struct row_table dirty_shared = {NW_MODE_SHARED, FEATURES,
					      NW_PROT_RWX, DIRTY};
static const struct row_table clean = {NW_MODE_EXCLUSIVE, FEATURES, READ,
				       DIRTY};
static const struct row_table protected = {NW_MODE_EXCLUSIVE, FEATURES, READ,
					   NW_LEAF_ACCESSED};
static const struct row_table protected_shared = {NW_MODE_SHARED, FEATURES,
						  READ, NW_LEAF_ACCESSED};

static void note(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)ia;
	*(uint64_t *)arg += size_bytes;
}

/* The library's leaves as the floor's: W and DBM are what goes. */
static void fill_floor(struct bench *b)
{
	uint64_t rights = S2_AF | 3;

	if (b->row->table->prot & NW_PROT_W)
		rights |= S2_WRITE;
	if (b->row->table->flags & NW_LEAF_DBM)
		rights |= S2_DBM;
	floor_fill(&b->floor, ROW_OUTPUT_PA | rights, PAGE);
}

/* Only a map gives DBM back. */
static void lib_map_again(struct bench *b)
{
	row_unmap(b);
	row_map(b);
	b->sum = 0;
}

static void lib_protect(struct bench *b)
{
	row_must(nw_write_protect(&b->table, NW_IA(0), GIB, note, &b->sum, NULL,
				  NULL));
}

static void floor_protect(struct bench *b)
{
	floor_swap(b->floor.leaves, PAGES, S2_WRITE | S2_DBM, 0);
}

static void floor_look(struct bench *b)
{
	b->sum = floor_scan(b->floor.leaves, PAGES);
}

/* Every leaf was told of, or none: not a row that skips its work. */
static void all_told(struct bench *b)
{
	if (b->sum != GIB)
		row_fail(b->row->name, "not every dirty leaf was told of");
}

static void none_told(struct bench *b)
{
	if (b->sum)
		row_fail(b->row->name, "a clean leaf was told of as dirty");
}

static void forget(struct bench *b)
{
	b->sum = 0;
}

static void lib_harvest(struct bench *b)
{
	row_must(nw_harvest_dirty(&b->table, NW_IA(0), GIB, note, &b->sum,
				  NULL));
}

const struct row rows_dirty[] = {
	{
		.name = "wp-dirty",
		.title = "write-protect, dirty kept, exclusive",
		.entries = PAGES,
		.runs = 4,
		.ia_bytes = GIB,
		.table = &dirty,
		.prepare = fill_floor,
		.lib_before = lib_map_again,
		.floor_before = fill_floor,
		.lib = lib_protect,
		.floor = floor_protect,
		.lib_after = all_told,
	},
	{
		.name = "wp-dirty-shared",
		.title = "write-protect, dirty kept, shared",
		.entries = PAGES,
		.runs = 4,
		.ia_bytes = GIB,
		.table = &dirty_shared,
		.prepare = fill_floor,
		.lib_before = lib_map_again,
		.floor_before = fill_floor,
		.lib = lib_protect,
		.floor = floor_protect,
		.lib_after = all_told,
	},
	{
		.name = "wp-again",
		.title = "the same where all is protected, excl.",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &protected,
		.prepare = fill_floor,
		.lib_before = forget,
		.lib = lib_protect,
		.floor = floor_look,
		.lib_after = none_told,
	},
	{
		.name = "wp-again-shared",
		.title = "the same where all is protected, shared",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &protected_shared,
		.prepare = fill_floor,
		.lib_before = forget,
		.lib = lib_protect,
		.floor = floor_look,
		.lib_after = none_told,
	},
	{
		.name = "harvest-clean",
		.title = "harvest 1 GiB of clean 4K, exclusive",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &clean,
		.prepare = fill_floor,
		.lib_before = forget,
		.lib = lib_harvest,
		.floor = floor_look,
		.lib_after = none_told,
	},
};
const unsigned rows_dirty_count = sizeof(rows_dirty) / sizeof(rows_dirty[0]);
