/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lookup and a fault in each format of the build, beside the library itself
 * with arm64 stage 2 and 4 KiB pages. Both tables have the same number of
 * levels and of leaves: as many dependent loads, over as much memory.
 */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGES	 262144u /* of leaves: 1 GiB of 4 KiB */
#define ROWS_MAX 64u
#define TEXT_MAX 48u

struct row_format {
	const struct nw_format_ops *ops;
	struct nw_format_config config;
	struct nw_geometry geo;
	/* arm64 stage 2 with as many levels */
	struct nw_format_config other;
};

static const struct nw_attrs attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

/* ---- which table ------------------------------------------------------- */

/* The smallest input size with this many levels that has room for the leaves,
 * and can express them. A format accepts no granule but its own. */
static int find_config(const struct nw_format_ops *ops, unsigned levels,
		       struct nw_format_config *config, struct nw_geometry *geo)
{
	static const uint8_t granules[] = {12, 14, 16};
	static const uint32_t features[] = {0, NW_FEAT_LPA2, NW_FEAT_X86_NX};
	const nw_pa_t pa = NW_PA(ROW_OUTPUT_PA);
	const char *argument;
	nw_entry_t entry;

	for (unsigned i = 0; i < 9; i++)
		for (unsigned bits = 39; bits <= 57; bits++) {
			*config = (struct nw_format_config){
				.granule_lg2 = granules[i % 3],
				.ia_bits = (uint8_t)bits,
				.oa_bits = 48,
				.features = features[i / 3],
			};
			if (!ops->geometry(config, geo, &argument) &&
			    geo->levels == levels &&
			    !ops->encode_leaf(geo, 0, pa, &attrs, &entry))
				return 0;
		}
	return -1;
}

static int describe(const struct nw_format_ops *ops, struct row_format *f)
{
	struct nw_geometry geo;

	f->ops = ops;
	for (unsigned levels = 3; levels <= NW_LEVELS_MAX; levels++)
		if (!find_config(ops, levels, &f->config, &f->geo) &&
		    !find_config(&nw_arm64_s2_ops, levels, &f->other, &geo))
			return 0;
	return -1;
}

static void open_table(struct nw_table *table, struct heap *heap,
		       const struct nw_format_ops *ops,
		       const struct nw_format_config *format, enum nw_mode mode)
{
	const struct nw_table_config config = {
		.ops = ops,
		.format = *format,
		.port = &heap->ops,
		.port_ctx = heap,
		.mode = mode,
		.regime = (enum nw_regime)__builtin_ctz(ops->regimes),
		.tag = ops->regimes & (1u << NW_REGIME_EL2 |
				       1u << NW_REGIME_EPT)
			       ? 0
			       : 1,
	};

	if (heap_init(heap, (4u << 20 >> format->granule_lg2) + 64,
		      format->granule_lg2))
		row_fail(ops->name, "no memory for table pages");
	row_must(nw_table_init(table, &config, NULL));
	row_must(nw_map(table, NW_IA(0), (uint64_t)PAGES << format->granule_lg2,
			NW_PA(ROW_OUTPUT_PA), &attrs, 0, NULL, NULL));
}

void row_format_open(struct bench *b)
{
	const struct row_format *f = b->row->format;
	enum nw_mode mode = b->row->table->mode;

	open_table(&b->table, &b->heap, f->ops, &f->config, mode);
	open_table(&b->other, &b->other_heap, &nw_arm64_s2_ops, &f->other,
		   mode);
	b->address = row_distinct(ROW_RANDOM, PAGES, f->config.granule_lg2);
	b->other_address =
		row_distinct(ROW_RANDOM, PAGES, f->other.granule_lg2);
}

/* ---- what is measured -------------------------------------------------- */

static uint64_t lookups(struct nw_table *table, const uint64_t *address)
{
	struct nw_mapping found;
	uint64_t sum = 0;

	for (unsigned i = 0; i < ROW_RANDOM; i++) {
		(void)!nw_lookup(table, NW_IA(address[i]), &found);
		sum += found.entry;
	}
	return sum;
}

static void lib_lookup(struct bench *b)
{
	b->sum = lookups(&b->table, b->address);
}

static void other_lookup(struct bench *b)
{
	b->sum = lookups(&b->other, b->other_address);
}

static uint64_t faults(struct nw_table *table, const uint64_t *address,
		       uint64_t page)
{
	uint64_t refused = 0;

	for (unsigned i = 0; i < ROW_RANDOM; i++)
		refused += nw_map(table, NW_IA(address[i]), page,
				  NW_PA(ROW_OUTPUT_PA + address[i]), &attrs, 0,
				  NULL, NULL) != NW_OK;
	return refused;
}

static void lib_fault(struct bench *b)
{
	b->sum = faults(&b->table, b->address,
			UINT64_C(1) << b->row->format->config.granule_lg2);
}

static void other_fault(struct bench *b)
{
	b->sum = faults(&b->other, b->other_address,
			UINT64_C(1) << b->row->format->other.granule_lg2);
}

static void none_refused(struct bench *b)
{
	if (b->sum)
		row_fail(b->row->name, "a fault was refused");
}

/* Tables stand, leaves are gone: never a whole table's range at once. */
static void clear(struct nw_table *table)
{
	unsigned page_lg2 = table->geo.granule_lg2;
	uint64_t page = UINT64_C(1) << page_lg2;
	uint64_t span = page << table->geo.index_bits;
	uint64_t end = (uint64_t)PAGES << page_lg2;

	for (uint64_t ia = 0; ia < end; ia += span)
		row_must(nw_unmap(table, NW_IA(ia), span - page, NULL, NULL));
	for (uint64_t ia = 0; ia < end; ia += span)
		row_must(nw_unmap(table, NW_IA(ia + span - page), page, NULL,
				  NULL));
}

static void clear_lib(struct bench *b)
{
	clear(&b->table);
}

static void clear_other(struct bench *b)
{
	clear(&b->other);
}

/* ---- rows ------------------------------------------------------------- */

static const struct row_table shared = {NW_MODE_SHARED, 0, NW_PROT_RW,
					NW_LEAF_ACCESSED};

static const struct row lookup_row = {
	.group = "lookup-format",
	.entries = ROW_RANDOM,
	.runs = 8,
	.ia_bytes = (uint64_t)PAGES << 12,
	.table = &shared,
	.lib = lib_lookup,
	.floor = other_lookup,
};

static const struct row fault_row = {
	.group = "fault-format",
	.entries = ROW_RANDOM,
	.runs = 2,
	.ia_bytes = (uint64_t)PAGES << 12,
	.table = &shared,
	.lib_before = clear_lib,
	.floor_before = clear_other,
	.lib = lib_fault,
	.floor = other_fault,
	.lib_after = none_refused,
};

static struct row rows[ROWS_MAX];
static char names[ROWS_MAX][TEXT_MAX], titles[ROWS_MAX][TEXT_MAX];
static struct row_format formats[ROWS_MAX / 2];
static unsigned rows_count;

static void add_row(const struct row *model, const char *what,
		    const struct row_format *f)
{
	struct row *row = &rows[rows_count];

	*row = *model;
	row->format = f;
	row->name = names[rows_count];
	row->title = titles[rows_count];
	(void)snprintf(names[rows_count], TEXT_MAX, "%s-%s", what,
		       f->ops->name);
	(void)snprintf(titles[rows_count], TEXT_MAX, "%s, %s, %u levels", what,
		       f->ops->name, f->geo.levels);
	rows_count++;
}

/* arm64 stage 2 with 4 KiB is what the others are compared with. */
static void make_rows(void)
{
	for (unsigned i = 0; nw_all_formats[i] && rows_count + 2 <= ROWS_MAX;
	     i++) {
		struct row_format *f = &formats[rows_count / 2];

		if (nw_all_formats[i] == &nw_arm64_s2_ops)
			continue;
		if (describe(nw_all_formats[i], f))
			row_fail(nw_all_formats[i]->name,
				 "no configuration of it fits; next: "
				 "find_config() in bench/rows_format.c");
		add_row(&lookup_row, "lookup", f);
		add_row(&fault_row, "fault", f);
	}
}

const struct row *row_format_at(unsigned index)
{
	if (!rows_count)
		make_rows();
	return index < rows_count ? &rows[index] : NULL;
}
