/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table takes the pages that its leaves need, and no other: the port counts
 * what it gives, the test works out the least.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <nestwalk/table.h>
#include "arena.h"

#define GIB   (UINT64_C(1) << 30)
#define PAGES 2048u /* in the arena */

struct footprint {
	struct nw_arena arena;
	struct nw_table table;
};

static const struct nw_attrs attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

static enum nw_status open_table(struct footprint *f,
				 const struct nw_format_ops *ops,
				 const struct nw_format_config *format)
{
	const struct nw_table_config config = {
		.ops = ops,
		.format = *format,
		.port = &f->arena.ops,
		.port_ctx = &f->arena,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = (enum nw_regime)__builtin_ctz(ops->regimes),
	};

	assert_int_equal(
		nw_arena_init(&f->arena, GIB, PAGES, format->granule_lg2), 0);
	return nw_table_init(&f->table, &config, NULL);
}

static void close_table(struct footprint *f)
{
	nw_table_destroy(&f->table);
	assert_int_equal(f->arena.live, 0);
	assert_int_equal(f->arena.errors, 0);
	nw_arena_fini(&f->arena);
}

/* Pages that `bytes` of level-0 leaves from address 0 take: one table a span
 * of each level below the root's, and the root. */
static uint64_t least_pages(const struct nw_geometry *geo, uint64_t bytes)
{
	uint64_t pages = UINT64_C(1) << geo->root_pages_lg2;

	for (unsigned level = 1; level < geo->levels; level++) {
		uint64_t span = UINT64_C(1) << nw_span_lg2(geo, level);

		pages += (bytes + span - 1) / span;
	}
	return pages;
}

static void map_pages(struct footprint *f, uint64_t bytes)
{
	assert_int_equal(nw_map(&f->table, NW_IA(0), bytes, NW_PA(0), &attrs, 0,
				NULL, NULL),
			 NW_OK);
}

/* The figure that is asked for: 512 tables of leaves and the one above them. */
static void footprint_gib_of_4k_is_513_pages_and_the_root(void **state)
{
	static const struct {
		uint8_t ia_bits;
		unsigned root, above; /* pages of the root, and between */
	} shapes[] = {{39, 1, 1}, {40, 2, 1}, {42, 8, 1}, {48, 1, 2}};
	static struct footprint f;

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct nw_format_config config = {
			.granule_lg2 = 12,
			.ia_bits = shapes[i].ia_bits,
			.oa_bits = 48,
		};

		assert_int_equal(open_table(&f, &nw_arm64_s2_ops, &config),
				 NW_OK);
		assert_int_equal(f.arena.live, shapes[i].root);
		map_pages(&f, GIB);
		assert_int_equal(f.arena.live,
				 512 + shapes[i].above + shapes[i].root);
		close_table(&f);
	}
}

/* A struct a table, whatever is mapped: nothing is kept for a page. */
static void footprint_side_data_is_under_a_percent(void **state)
{
	const struct nw_format_config config = {
		.granule_lg2 = 12, .ia_bits = 40, .oa_bits = 48};
	static struct footprint f;

	(void)state;
	assert_int_equal(open_table(&f, &nw_arm64_s2_ops, &config), NW_OK);
	map_pages(&f, GIB);
	assert_int_equal(nw_table_stats(&f.table).pages_live, f.arena.live);
	assert_true(sizeof(struct nw_table) * 100 < f.arena.live * 4096);
	close_table(&f);
}

/* Sizes of inputs that give every format two to four levels, or more. */
static unsigned every_shape(const struct nw_format_ops *ops)
{
	static const uint8_t granules[] = {12, 14, 16};
	static const uint8_t sizes[] = {34, 39, 40, 41, 43, 48, 50, 57, 59};
	static const uint32_t features[] = {0, NW_FEAT_LPA2, NW_FEAT_X86_NX};
	static struct footprint f;
	unsigned shapes = 0;

	for (unsigned i = 0; i < 81; i++) {
		const struct nw_format_config config = {
			.granule_lg2 = granules[i % 3],
			.ia_bits = sizes[i / 3 % 9],
			.oa_bits = ops->regimes & 1u << NW_REGIME_STAGE2
					   ? 52 - 4 * !(i / 27)
					   : 48,
			.features = features[i / 27],
		};
		uint64_t bytes = UINT64_C(5000) << config.granule_lg2;
		nw_entry_t entry;

		if (open_table(&f, ops, &config) != NW_OK) {
			nw_arena_fini(&f.arena);
			continue;
		}
		if (ops->encode_leaf(&f.table.geo, 0, NW_PA(0), &attrs,
				     &entry) == NW_OK) {
			map_pages(&f, bytes);
			assert_int_equal(f.arena.live,
					 least_pages(&f.table.geo, bytes));
			shapes++;
		}
		close_table(&f);
	}
	return shapes;
}

static void footprint_every_format_takes_the_least_pages(void **state)
{
	(void)state;
	for (unsigned i = 0; nw_all_formats[i]; i++)
		if (every_shape(nw_all_formats[i]) < 2)
			fail_msg("%s: fewer than two shapes were looked at",
				 nw_all_formats[i]->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(footprint_gib_of_4k_is_513_pages_and_the_root),
		cmocka_unit_test(footprint_side_data_is_under_a_percent),
		cmocka_unit_test(footprint_every_format_takes_the_least_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
