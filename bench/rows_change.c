/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that change leaves where they stand, and single faults. */
#include "rows.h"

#define GIB   (UINT64_C(1) << 30)
#define PAGE  UINT64_C(4096)
#define PAGES (GIB / PAGE)

/* Stage 2: write right, execute-never, access flag, DBM. */
#define S2_WRITE UINT64_C(0x80)
#define S2_XN	 (UINT64_C(3) << 53)
#define S2_AF	 UINT64_C(0x400)
#define S2_DBM	 (UINT64_C(1) << 51)

static const struct row_table plain = {NW_MODE_EXCLUSIVE, 0, NW_PROT_RWX,
				       NW_LEAF_ACCESSED};
static const struct row_table dirty = {NW_MODE_EXCLUSIVE,
				       NW_FEAT_HAF | NW_FEAT_HD, NW_PROT_RWX,
				       NW_LEAF_ACCESSED | NW_LEAF_DBM};
static const struct row_table dirty_shared = {
	NW_MODE_SHARED, NW_FEAT_HAF | NW_FEAT_HD, NW_PROT_RWX,
	NW_LEAF_ACCESSED | NW_LEAF_DBM};
static const struct row_table shared = {NW_MODE_SHARED, 0, NW_PROT_RW,
					NW_LEAF_ACCESSED};
static const struct row_table old = {NW_MODE_EXCLUSIVE, 0, NW_PROT_RWX, 0};

static void nothing(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)ia;
	*(uint64_t *)arg += size_bytes;
}

/* What bench_open() mapped stays, and the floor gets leaves of its own. */
static void fill_floor(struct bench *b)
{
	floor_fill(&b->floor, ROW_OUTPUT_PA | S2_AF | S2_WRITE | 3, PAGE);
}

/* ---- write protection --------------------------------------------------- */

static void lib_give_write(struct bench *b)
{
	row_must(nw_protect(&b->table, NW_IA(0), GIB, NW_PROTECT_RELAX,
			    NW_PROT_W, NULL, NULL));
}

static void lib_write_protect(struct bench *b)
{
	row_must(nw_write_protect(&b->table, NW_IA(0), GIB, NULL, NULL, NULL,
				  NULL));
}

static void floor_give_write(struct bench *b)
{
	floor_modify(b->floor.leaves, PAGES, 0, S2_WRITE);
}

static void floor_write_protect(struct bench *b)
{
	floor_modify(b->floor.leaves, PAGES, S2_WRITE, 0);
}

/* ---- dirty state -----------------------------------------------------------
 */

static void lib_harvest(struct bench *b)
{
	row_must(nw_harvest_dirty(&b->table, NW_IA(0), GIB, nothing, &b->sum,
				  NULL));
}

static void floor_harvest(struct bench *b)
{
	floor_swap(b->floor.leaves, PAGES, S2_WRITE, 0);
}

static void prepare_clean(struct bench *b)
{
	fill_floor(b);
	lib_harvest(b);
	floor_harvest(b);
}

static void floor_look(struct bench *b)
{
	b->sum = floor_scan(b->floor.leaves, PAGES);
}

/* ---- ageing ----------------------------------------------------------------
 */

/* There is no operation that sets the access flag: map afresh. */
static void lib_make_young(struct bench *b)
{
	row_unmap(b);
	row_map(b);
}

static void lib_age(struct bench *b)
{
	row_must(nw_age(&b->table, NW_IA(0), GIB, NW_AGE_CLEAR, &b->sum, NULL));
}

static void floor_age(struct bench *b)
{
	floor_modify(b->floor.leaves, PAGES, S2_AF, 0);
}

static void floor_make_young(struct bench *b)
{
	floor_modify(b->floor.leaves, PAGES, 0, S2_AF);
}

/* ---- one place at random
 * ----------------------------------------------------- */

static uint64_t *lib_root(const struct bench *b)
{
	return (uint64_t *)(uintptr_t)(nw_table_root(&b->table).v +
				       b->heap.ops.virt_minus_phys);
}

static void lib_relax(struct bench *b)
{
	for (unsigned i = 0; i < ROW_RANDOM; i++)
		(void)!nw_protect(&b->table, NW_IA(b->address[i] & -PAGE), PAGE,
				  NW_PROTECT_RELAX, NW_PROT_X, NULL, NULL);
}

static void lib_restrict(struct bench *b)
{
	row_must(nw_protect(&b->table, NW_IA(0), GIB, NW_PROTECT_RESTRICT,
			    NW_PROT_X, NULL, NULL));
}

static void floor_relax(struct bench *b)
{
	floor_walk_swap(lib_root(b), b->heap.ops.virt_minus_phys, b->address,
			ROW_RANDOM, S2_XN, 0);
}

static void lib_fault(struct bench *b)
{
	const struct nw_attrs attrs = row_attrs(b);

	for (unsigned i = 0; i < ROW_RANDOM; i++)
		(void)!nw_map(&b->table, NW_IA(b->address[i] & -PAGE), PAGE,
			      NW_PA(ROW_OUTPUT_PA + (b->address[i] & -PAGE)),
			      &attrs, 0, NULL, NULL);
}

/* A handler prepares its leaves when it learns of the memory, once. */
static void lib_fault_prepared(struct bench *b)
{
	const struct nw_attrs attrs = row_attrs(b);
	struct nw_prepared page;

	row_must(nw_prepare(&b->table, 0, &attrs, &page));
	for (unsigned i = 0; i < ROW_RANDOM; i++)
		(void)!nw_map_prepared(
			&page, NW_IA(b->address[i] & -PAGE),
			NW_PA(ROW_OUTPUT_PA + (b->address[i] & -PAGE)), NULL,
			NULL);
}

static void floor_fault(struct bench *b)
{
	floor_walk_swap(lib_root(b), b->heap.ops.virt_minus_phys, b->address,
			ROW_RANDOM, 0, S2_AF | S2_WRITE | 3);
}

static void floor_fault_owned(struct bench *b)
{
	floor_walk_store(lib_root(b), b->heap.ops.virt_minus_phys, b->address,
			 ROW_RANDOM, ROW_OUTPUT_PA | S2_AF | S2_WRITE | 3);
}

/* Tables stand, leaves are gone: pages are cleared one by one. */
static void clear_leaves(struct bench *b)
{
	for (uint64_t ia = 0; ia < GIB; ia += 2 * PAGE * 256)
		row_must(
			nw_unmap(&b->table, NW_IA(ia), PAGE * 511, NULL, NULL));
	for (uint64_t ia = 0; ia < GIB; ia += 2 * PAGE * 256)
		row_must(nw_unmap(&b->table, NW_IA(ia + PAGE * 511), PAGE, NULL,
				  NULL));
}

/*
 * A page faults once: pages at random, each of them at most once. The index is
 * scrambled by steps that can be undone.
 */
static void distinct_pages(struct bench *b)
{
	const uint32_t odd[3] = {0x9e375, 0x2c1b3, 0x297a5};

	for (unsigned i = 0; i < ROW_RANDOM; i++) {
		uint64_t page = i;

		for (unsigned k = 0; k < 3; k++) {
			page = page * odd[k] % PAGES;
			page ^= page >> 9;
		}
		b->address[i] = page * PAGE;
	}
}

static void prepare_fault(struct bench *b)
{
	distinct_pages(b);
	clear_leaves(b);
}

/* ---- splitting
 * ---------------------------------------------------------------- */

#define SPLIT_BLOCKS 256u

static void prepare_split(struct bench *b)
{
	row_unmap(b);
}

static void lib_map_blocks(struct bench *b)
{
	const struct nw_attrs attrs = row_attrs(b);

	row_unmap(b);
	row_must(nw_map(&b->table, NW_IA(0), b->row->ia_bytes,
			NW_PA(ROW_OUTPUT_PA), &attrs, 1, NULL, NULL));
}

static void lib_split(struct bench *b)
{
	for (uint64_t ia = 0; ia < b->row->ia_bytes; ia += PAGE * 512)
		row_must(nw_split(&b->table, NW_IA(ia), 0, NULL, NULL));
}

static void floor_split(struct bench *b)
{
	floor_fill(&b->floor, ROW_OUTPUT_PA | S2_AF | S2_WRITE | 3, PAGE);
}

const struct row rows_change[] = {
	{
		.name = "wp-1g-4k",
		.title = "write-protect 1 GiB of 4K, exclusive",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &plain,
		.prepare = fill_floor,
		.lib_before = lib_give_write,
		.floor_before = floor_give_write,
		.lib = lib_write_protect,
		.floor = floor_write_protect,
	},
	{
		.name = "harvest-dirty",
		.title = "harvest 1 GiB of dirty 4K, exclusive",
		.entries = PAGES,
		.runs = 4,
		.ia_bytes = GIB,
		.table = &dirty,
		.prepare = fill_floor,
		.lib_before = lib_give_write,
		.floor_before = floor_give_write,
		.lib = lib_harvest,
		.floor = floor_harvest,
	},
	{
		.name = "harvest-dirty-shared",
		.title = "harvest 1 GiB of dirty 4K, shared",
		.entries = PAGES,
		.runs = 4,
		.ia_bytes = GIB,
		.table = &dirty_shared,
		.prepare = fill_floor,
		.lib_before = lib_give_write,
		.floor_before = floor_give_write,
		.lib = lib_harvest,
		.floor = floor_harvest,
	},
	{
		.name = "harvest-clean-shared",
		.title = "harvest 1 GiB of clean 4K, shared",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &dirty_shared,
		.prepare = prepare_clean,
		.lib = lib_harvest,
		.floor = floor_look,
	},
	{
		.name = "age-young",
		.title = "clear accessed, 1 GiB of 4K, all young",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &plain,
		.prepare = fill_floor,
		.lib_before = lib_make_young,
		.floor_before = floor_make_young,
		.lib = lib_age,
		.floor = floor_age,
	},
	{
		.name = "age-old",
		.title = "clear accessed, 1 GiB of 4K, none young",
		.entries = PAGES,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &old,
		.prepare = fill_floor,
		.lib = lib_age,
		.floor = floor_look,
	},
	{
		.name = "relax-random",
		.title = "relax one entry, random, shared",
		.entries = ROW_RANDOM,
		.runs = 8,
		.ia_bytes = GIB,
		.table = &shared,
		.prepare = fill_floor,
		.lib_before = lib_restrict,
		.floor_before = lib_restrict,
		.lib = lib_relax,
		.floor = floor_relax,
	},
	{
		.name = "fault-random",
		.title = "fault: map one 4K at random, shared",
		.entries = ROW_RANDOM,
		.runs = 2,
		.ia_bytes = GIB,
		.table = &shared,
		.prepare = prepare_fault,
		.lib = lib_fault,
		.floor = floor_fault,
		.lib_before = clear_leaves,
		.floor_before = clear_leaves,
	},
	{
		.name = "fault-random-owned",
		.title = "the same, range owned by the caller",
		.entries = ROW_RANDOM,
		.runs = 2,
		.ia_bytes = GIB,
		.table = &plain,
		.prepare = prepare_fault,
		.lib = lib_fault,
		.floor = floor_fault_owned,
		.lib_before = clear_leaves,
		.floor_before = clear_leaves,
	},
	{
		.name = "fault-prepared",
		.title = "fault: map one 4K at random, leaf prepared",
		.entries = ROW_RANDOM,
		.runs = 2,
		.ia_bytes = GIB,
		.table = &shared,
		.prepare = prepare_fault,
		.lib = lib_fault_prepared,
		.floor = floor_fault,
		.lib_before = clear_leaves,
		.floor_before = clear_leaves,
	},
	{
		.name = "fault-prepared-owned",
		.title = "the same, range owned by the caller",
		.entries = ROW_RANDOM,
		.runs = 2,
		.ia_bytes = GIB,
		.table = &plain,
		.prepare = prepare_fault,
		.lib = lib_fault_prepared,
		.floor = floor_fault_owned,
		.lib_before = clear_leaves,
		.floor_before = clear_leaves,
	},
	{
		.name = "split-2m",
		.title = "split 2M into 512 x 4K",
		.entries = SPLIT_BLOCKS * 512,
		.runs = 8,
		.ia_bytes = SPLIT_BLOCKS * 512 * PAGE,
		.table = &plain,
		.prepare = prepare_split,
		.lib_before = lib_map_blocks,
		.lib = lib_split,
		.floor = floor_split,
	},
};
const unsigned rows_change_count = sizeof(rows_change) / sizeof(rows_change[0]);
