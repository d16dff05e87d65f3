/* SPDX-License-Identifier: BSD-2-Clause */
/* Every configuration against the manual's tables of sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <nestwalk/arm64.h>
#include "format/instances.h"

/* One row: input sizes first..last, and the walk the manual gives them. */
struct size_row {
	uint8_t first, last;
	uint8_t start_level;
	uint8_t tables; /* concatenated in the root */
	uint8_t oa_min;
	uint16_t features;
};

/*
 * "Concatenated translation tables for the initial stage 2 lookup", 4 KiB:
 * level 2 resolves 30 bits in one table, level 1 resolves 39, level 0 all 48.
 */
static const struct size_row s2_rows[] = {
	{22, 24, 2, 1, 0, NW_FEAT_TTST},
	{25, 30, 2, 1, 0, 0},
	{31, 31, 2, 2, 0, 0},
	{32, 32, 2, 4, 0, 0},
	{33, 33, 2, 8, 0, 0},
	{34, 34, 2, 16, 0, 0},
	{35, 39, 1, 1, 0, 0},
	{40, 40, 1, 2, 0, 0},
	{41, 41, 1, 4, 0, 0},
	{42, 42, 1, 8, 0, 0},
	{43, 43, 1, 16, 0, 0},
	{44, 48, 0, 1, 44, 0},
	{0, 0, 0, 0, 0, 0},
};
/* "Translation using the 4KB granule", stage 1. */
static const struct size_row el2_rows[] = {
	{16, 21, 3, 1, 0, NW_FEAT_TTST},
	{22, 24, 2, 1, 0, NW_FEAT_TTST},
	{25, 30, 2, 1, 0, 0},
	{31, 39, 1, 1, 0, 0},
	{40, 48, 0, 1, 0, 0},
	{0, 0, 0, 0, 0, 0},
};

/* Output sizes that PS has a code for, without FEAT_LPA2. */
static int oa_exists(unsigned oa_bits)
{
	return oa_bits == 32 || oa_bits == 36 || oa_bits == 40 ||
	       oa_bits == 42 || oa_bits == 44 || oa_bits == 48;
}

typedef enum nw_status (*geometry_fn)(const struct nw_format_config *config,
				      struct nw_geometry *geo,
				      const char **argument);

static const struct size_row *row_for(const struct size_row *row,
				      const struct nw_format_config *config)
{
	for (; row->last; row++) {
		if (config->ia_bits >= row->first &&
		    config->ia_bits <= row->last &&
		    config->oa_bits >= row->oa_min &&
		    (row->features & ~config->features) == 0)
			return row;
	}
	return NULL;
}

static void check_config(geometry_fn geometry, const struct size_row *rows,
			 int ia_within_oa,
			 const struct nw_format_config *config)
{
	/* By start level: levels 1 and 2 have blocks, 0 has none. */
	static const uint8_t leaf_levels[4] = {0x7, 0x7, 0x3, 0x1};
	const struct size_row *row = row_for(rows, config);
	struct nw_geometry geo, sentinel;
	const char *argument = NULL, *expected = NULL;
	enum nw_status status;

	memset(&sentinel, 0x5a, sizeof(sentinel));
	geo = sentinel;
	status = geometry(config, &geo, &argument);
	if (config->granule_lg2 != 12)
		expected = "granule_lg2";
	else if (!oa_exists(config->oa_bits))
		expected = "oa_bits";
	else if (config->features > 0x1ff ||
		 (config->features & (NW_FEAT_HD | NW_FEAT_HAF)) == NW_FEAT_HD)
		expected = "features";
	else if (!row || (ia_within_oa && config->ia_bits > config->oa_bits))
		expected = "ia_bits";
	if (expected) {
		assert_int_equal(status, NW_E_CONFIG);
		assert_non_null(argument);
		assert_string_equal(argument, expected);
		assert_memory_equal(&geo, &sentinel, sizeof(geo));
		return;
	}
	if (status != NW_OK)
		fail_msg("ia %u oa %u features %#x: refused (%s)",
			 config->ia_bits, config->oa_bits, config->features,
			 argument);
	assert_int_equal(geo.granule_lg2, 12);
	assert_int_equal(geo.index_bits, 9);
	assert_int_equal(geo.levels, 4 - row->start_level);
	assert_int_equal(1 << geo.root_pages_lg2, row->tables);
	assert_int_equal(geo.leaf_levels, leaf_levels[row->start_level]);
	assert_int_equal(geo.ia_bits, config->ia_bits);
	assert_int_equal(geo.oa_bits, config->oa_bits);
	assert_int_equal(geo.features, config->features);
	assert_int_equal(nw_arm64_start_level(&geo), row->start_level);
	assert_int_equal(nw_arm64_t0sz(&geo), 64 - config->ia_bits);
}

static void check_all(geometry_fn geometry, const struct size_row *rows,
		      int ia_within_oa)
{
	struct nw_format_config config = {12, 0, 0, 0};
	unsigned ia, oa, features;

	for (ia = 0; ia < 256; ia++) {
		for (oa = 0; oa < 256; oa++) {
			config.ia_bits = (uint8_t)ia;
			config.oa_bits = (uint8_t)oa;
			for (features = 0; features < 0x200; features++) {
				/* All subsets where something is accepted. */
				if (features > 1 && !oa_exists(oa))
					break;
				config.features = (uint16_t)features;
				check_config(geometry, rows, ia_within_oa,
					     &config);
			}
		}
	}
}

static void geometry_every_stage2_size_is_shaped_or_refused(void **state)
{
	(void)state;
	check_all(nw_arm64_s2_geometry, s2_rows, 1);
}

static void geometry_every_el2_size_is_shaped_or_refused(void **state)
{
	(void)state;
	check_all(nw_arm64_el2_geometry, el2_rows, 0);
}

static void geometry_other_granule_or_feature_is_refused(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; n < 256; n++) {
		struct nw_format_config config = {(uint8_t)n, 40, 40, 0};

		check_config(nw_arm64_s2_geometry, s2_rows, 1, &config);
		check_config(nw_arm64_el2_geometry, el2_rows, 0, &config);
	}
	for (n = 0; n < 16; n++) {
		struct nw_format_config config = {12, 40, 40,
						  (uint16_t)(1u << n)};

		check_config(nw_arm64_s2_geometry, s2_rows, 1, &config);
		check_config(nw_arm64_el2_geometry, el2_rows, 0, &config);
	}
}

static void geometry_missing_pointer_is_named(void **state)
{
	struct nw_format_config config = {12, 40, 40, 0};
	struct nw_attrs attrs = {0};
	struct nw_geometry geo;
	const char *argument = NULL;
	nw_entry_t entry;

	(void)state;
	assert_int_equal(nw_arm64_s2_geometry(NULL, &geo, &argument),
			 NW_E_NULL);
	assert_string_equal(argument, "config");
	assert_int_equal(nw_arm64_el2_geometry(&config, NULL, &argument),
			 NW_E_NULL);
	assert_string_equal(argument, "geo");
	config.granule_lg2 = 14;
	assert_int_equal(nw_arm64_s2_geometry(&config, &geo, NULL),
			 NW_E_CONFIG);
	assert_int_equal(
		nw_arm64_s2_encode_leaf(NULL, 0, NW_PA(0), &attrs, &entry),
		NW_E_NULL);
	assert_int_equal(
		nw_arm64_s2_encode_leaf(&geo, 0, NW_PA(0), NULL, &entry),
		NW_E_NULL);
	assert_int_equal(
		nw_arm64_s2_encode_leaf(&geo, 0, NW_PA(0), &attrs, NULL),
		NW_E_NULL);
}

/* ---- words ------------------------------------------------------------- */

static void text_every_status_and_reason_has_its_own(void **state)
{
	unsigned a, b;

	(void)state;
	for (a = 0; a < NW_E_STATUS_COUNT; a++) {
		assert_memory_equal(nw_status_name(a), "NW_", 3);
		assert_true(strlen(nw_status_advice(a)) > 8);
		for (b = 0; b < a; b++)
			assert_string_not_equal(nw_status_name(a),
						nw_status_name(b));
	}
	assert_string_equal(nw_status_name(NW_E_NOMEM), "NW_E_NOMEM");
	assert_string_equal(nw_status_name(NW_E_STATUS_COUNT),
			    "unknown status");
	assert_string_equal(nw_status_name((enum nw_status) - 1),
			    "unknown status");
	assert_non_null(nw_status_advice((enum nw_status) - 1));
	for (a = 0; a < NW_REASON_COUNT; a++) {
		assert_string_not_equal(nw_reason_text(a), "unknown reason");
		for (b = 0; b < a; b++)
			assert_string_not_equal(nw_reason_text(a),
						nw_reason_text(b));
	}
	assert_string_equal(nw_reason_text(NW_REASON_COUNT), "unknown reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			geometry_every_stage2_size_is_shaped_or_refused),
		cmocka_unit_test(geometry_every_el2_size_is_shaped_or_refused),
		cmocka_unit_test(geometry_other_granule_or_feature_is_refused),
		cmocka_unit_test(geometry_missing_pointer_is_named),
		cmocka_unit_test(text_every_status_and_reason_has_its_own),
	};

	return cmocka_run_group_tests_name("format/geometry", tests, NULL,
					   NULL);
}
