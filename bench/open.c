/* SPDX-License-Identifier: BSD-2-Clause */
/* What rows need before they run: heap, tables, addresses. */
#include "rows.h"

#include "nw_port.h"

#include <stdio.h>
#include <stdlib.h>

void row_fail(const char *row, const char *what)
{
	fprintf(stderr, "nwbench: %s: %s\n", row, what);
	exit(1);
}

void row_must(enum nw_status status)
{
	if (status != NW_OK)
		row_fail("a call of the library", nw_status_name(status));
}

const struct row *row_at(unsigned index)
{
	if (index < rows_range_count)
		return &rows_range[index];
	index -= rows_range_count;
	if (index < rows_change_count)
		return &rows_change[index];
	index -= rows_change_count;
	if (index < rows_dirty_count)
		return &rows_dirty[index];
	return row_format_at(index - rows_dirty_count);
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return *state >> 24;
}

uint64_t *row_distinct(unsigned n, unsigned pages, unsigned page_lg2)
{
	uint64_t state = 0x9e3779b97f4a7c15u;
	uint64_t *all = malloc(pages * sizeof(*all));

	if (!all)
		row_fail("addresses", "no memory");
	for (unsigned i = 0; i < pages; i++)
		all[i] = (uint64_t)i << page_lg2;
	for (unsigned i = 0; i < n; i++) {
		unsigned j = i + (unsigned)(next_random(&state) % (pages - i));
		uint64_t kept = all[i];

		all[i] = all[j];
		all[j] = kept;
	}
	return all;
}

static void random_addresses(struct bench *b)
{
	uint64_t state = 0x9e3779b97f4a7c15u;

	b->address = malloc(ROW_RANDOM * sizeof(*b->address));
	if (!b->address)
		row_fail(b->row->name, "no memory");
	for (unsigned i = 0; i < ROW_RANDOM; i++)
		b->address[i] = next_random(&state) & (b->row->ia_bytes - 1);
}

static void open_floor(struct bench *b)
{
	struct floor_tables *f = &b->floor;

	f->pages = (unsigned)(b->row->ia_bytes >> (21 + 9 * b->row->max_level));
	f->links = heap_take(&b->heap, 1);
	f->leaves = heap_take(&b->heap, f->pages);
	if (!f->links || !f->leaves)
		row_fail(b->row->name, "no memory for the floor's tables");
	f->links_phys = heap_phys(&b->heap, f->links);
	f->leaves_phys = heap_phys(&b->heap, f->leaves);
}

void bench_thread_begin(void)
{
#ifdef NW_CONFIG_QSBR
	urcu_qsbr_register_thread();
#endif
}

void bench_thread_end(void)
{
#ifdef NW_CONFIG_QSBR
	urcu_qsbr_unregister_thread();
#endif
}

void bench_thread_quiescent(void)
{
#ifdef NW_CONFIG_QSBR
	urcu_qsbr_quiescent_state();
#endif
}

void bench_table(struct nw_table *table, struct heap *heap,
		 const struct row_table *t)
{
	const struct nw_table_config config = {
		.ops = &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = 40,
			   .oa_bits = 44,
			   .features = t ? t->features : 0},
		.port = &heap->ops,
		.port_ctx = heap,
		.mode = t ? t->mode : NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_STAGE2,
		.tag = 1,
	};

	row_must(nw_table_init(table, &config, NULL));
}

void bench_open(struct bench *b, const struct row *row)
{
	bench_thread_begin();
	b->row = row;
	if (row->format) {
		row_format_open(b);
		return;
	}
	if (heap_init(&b->heap, 2800, HEAP_PAGE_LG2))
		row_fail(row->name, "no memory for table pages");
	bench_table(&b->table, &b->heap, row->table);
	open_floor(b);
	/* Pages that the library will use are on its free list from the start,
	 * so that the first run costs what the others do. */
	row_map(b);
	random_addresses(b);
	if (row->prepare)
		row->prepare(b);
	else
		row_unmap(b);
}
