/* SPDX-License-Identifier: BSD-2-Clause */
/* Every arm64 configuration against the manual's tables of sizes, and the
 * registers that go with it. */
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
	int8_t start_level;
	uint8_t tables; /* concatenated in the root */
	uint16_t features;
};

/*
 * Stage 2: T0SZ, SL0 and concatenation. One table of the 4 KiB granule resolves
 * 21, 30, 39, 48 bits from level 3, 2, 1, 0; of 16 KiB 25, 36, 47 (level 0 the
 * rest, 48 bits only together with FEAT_LPA2); of 64 KiB 29, 42, then the rest.
 * Sixteen tables resolve four bits more. Below 25 bits: FEAT_TTST.
 */
static const struct size_row s2_4k[] = {
	{16, 21, 3, 1, NW_FEAT_TTST},
	{22, 24, 2, 1, NW_FEAT_TTST},
	{25, 30, 2, 1, 0},
	{31, 31, 2, 2, 0},
	{32, 32, 2, 4, 0},
	{33, 33, 2, 8, 0},
	{34, 34, 2, 16, 0},
	{35, 39, 1, 1, 0},
	{40, 40, 1, 2, 0},
	{41, 41, 1, 4, 0},
	{42, 42, 1, 8, 0},
	{43, 43, 1, 16, 0},
	{44, 48, 0, 1, 0},
	{49, 49, 0, 2, NW_FEAT_LPA2},
	{50, 50, 0, 4, NW_FEAT_LPA2},
	{51, 51, 0, 8, NW_FEAT_LPA2},
	{52, 52, 0, 16, NW_FEAT_LPA2},
	{0, 0, 0, 0, 0},
};
static const struct size_row s2_16k[] = {
	{16, 24, 3, 1, NW_FEAT_TTST},
	{25, 25, 3, 1, 0},
	{26, 36, 2, 1, 0},
	{37, 37, 2, 2, 0},
	{38, 38, 2, 4, 0},
	{39, 39, 2, 8, 0},
	{40, 40, 2, 16, 0},
	{41, 47, 1, 1, 0},
	{48, 48, 1, 2, 0},
	{49, 49, 1, 4, NW_FEAT_LPA2},
	{50, 50, 1, 8, NW_FEAT_LPA2},
	{51, 51, 1, 16, NW_FEAT_LPA2},
	{52, 52, 0, 1, NW_FEAT_LPA2},
	{0, 0, 0, 0, 0},
};
static const struct size_row s2_64k[] = {
	{17, 24, 3, 1, NW_FEAT_TTST},
	{25, 29, 3, 1, 0},
	{30, 42, 2, 1, 0},
	{43, 43, 2, 2, 0},
	{44, 44, 2, 4, 0},
	{45, 45, 2, 8, 0},
	{46, 46, 2, 16, 0},
	{47, 48, 1, 1, 0},
	{49, 52, 1, 1, NW_FEAT_LPA},
	{0, 0, 0, 0, 0},
};
/* Stage 1: "Translation using the 4KB granule" and its neighbours. */
static const struct size_row s1_4k[] = {
	{16, 21, 3, 1, NW_FEAT_TTST},
	{22, 24, 2, 1, NW_FEAT_TTST},
	{25, 30, 2, 1, 0},
	{31, 39, 1, 1, 0},
	{40, 48, 0, 1, 0},
	{49, 52, -1, 1, NW_FEAT_LPA2},
	{0, 0, 0, 0, 0},
};
static const struct size_row s1_16k[] = {
	{16, 24, 3, 1, NW_FEAT_TTST},
	{25, 25, 3, 1, 0},
	{26, 36, 2, 1, 0},
	{37, 47, 1, 1, 0},
	{48, 48, 0, 1, 0},
	{49, 52, 0, 1, NW_FEAT_LPA2},
	{0, 0, 0, 0, 0},
};
static const struct size_row s1_64k[] = {
	{17, 24, 3, 1, NW_FEAT_TTST},
	{25, 29, 3, 1, 0},
	{30, 42, 2, 1, 0},
	{43, 48, 1, 1, 0},
	{49, 52, 1, 1, NW_FEAT_LVA},
	{0, 0, 0, 0, 0},
};

typedef enum nw_status (*geometry_fn)(const struct nw_format_config *config,
				      struct nw_geometry *geo,
				      const char **argument);

/* An instance. top_block: the architecture's level of its largest blocks, and
 * one higher where outputs have 52 bits. */
struct instance {
	const char *name;
	geometry_fn geometry;
	const struct size_row *rows;
	uint8_t granule_lg2, lpa2, is_stage2;
	int8_t top_block;
};

static const struct instance instances[] = {
	{"s2", nw_arm64_s2_geometry, s2_4k, 12, 0, 1, 1},
	{"s2_16k", nw_arm64_s2_16k_geometry, s2_16k, 14, 0, 1, 2},
	{"s2_64k", nw_arm64_s2_64k_geometry, s2_64k, 16, 0, 1, 2},
	{"s2_4k_lpa2", nw_arm64_s2_4k_lpa2_geometry, s2_4k, 12, 1, 1, 1},
	{"s2_16k_lpa2", nw_arm64_s2_16k_lpa2_geometry, s2_16k, 14, 1, 1, 2},
	{"el2", nw_arm64_el2_geometry, s1_4k, 12, 0, 0, 1},
	{"el2_16k", nw_arm64_el2_16k_geometry, s1_16k, 14, 0, 0, 2},
	{"el2_64k", nw_arm64_el2_64k_geometry, s1_64k, 16, 0, 0, 2},
	{"el2_4k_lpa2", nw_arm64_el2_4k_lpa2_geometry, s1_4k, 12, 1, 0, 1},
	{"el2_16k_lpa2", nw_arm64_el2_16k_lpa2_geometry, s1_16k, 14, 1, 0, 2},
	{"el10", nw_arm64_el10_geometry, s1_4k, 12, 0, 0, 1},
	{"el10_16k", nw_arm64_el10_16k_geometry, s1_16k, 14, 0, 0, 2},
	{"el10_64k", nw_arm64_el10_64k_geometry, s1_64k, 16, 0, 0, 2},
	{"el10_4k_lpa2", nw_arm64_el10_4k_lpa2_geometry, s1_4k, 12, 1, 0, 1},
	{"el10_16k_lpa2", nw_arm64_el10_16k_lpa2_geometry, s1_16k, 14, 1, 0, 2},
};
#define INSTANCES (sizeof(instances) / sizeof(instances[0]))

static const struct size_row *row_for(const struct size_row *row,
				      const struct nw_format_config *config)
{
	for (; row->last; row++) {
		if (config->ia_bits >= row->first &&
		    config->ia_bits <= row->last &&
		    (row->features & ~config->features) == 0)
			return row;
	}
	return NULL;
}

static int is_wide(const struct instance *in, unsigned features)
{
	return in->granule_lg2 == 16 ? (features & NW_FEAT_LPA) != 0 : in->lpa2;
}

static int oa_exists(const struct instance *in, unsigned oa_bits,
		     unsigned features)
{
	return oa_bits == 32 || oa_bits == 36 || oa_bits == 40 ||
	       oa_bits == 42 || oa_bits == 44 || oa_bits == 48 ||
	       (oa_bits == 52 && is_wide(in, features));
}

/* The field that is wrong, or NULL. */
static const char *expected_refusal(const struct instance *in,
				    const struct nw_format_config *config)
{
	unsigned features = config->features;

	if (config->granule_lg2 != in->granule_lg2)
		return "granule_lg2";
	if (features > NW_FEAT_ALL || !(features & NW_FEAT_LPA2) != !in->lpa2 ||
	    (features & (NW_FEAT_HD | NW_FEAT_HAF)) == NW_FEAT_HD)
		return "features";
	if (!oa_exists(in, config->oa_bits, features))
		return "oa_bits";
	if (!row_for(in->rows, config) ||
	    (in->is_stage2 && config->ia_bits > config->oa_bits))
		return "ia_bits";
	return NULL;
}

/* Bit n: level 3 - n, from the start level to pages. */
static unsigned expected_leaves(const struct instance *in, int start_level,
				unsigned features)
{
	int top = in->top_block - is_wide(in, features), level;
	unsigned leaves = 1;

	for (level = 2; level >= top && level >= start_level; level--)
		leaves |= 1u << (3 - level);
	return leaves;
}

static void check_config(const struct instance *in,
			 const struct nw_format_config *config)
{
	const struct size_row *row = row_for(in->rows, config);
	const char *expected = expected_refusal(in, config), *argument = NULL;
	struct nw_geometry geo, sentinel;
	enum nw_status status;

	memset(&sentinel, 0x5a, sizeof(sentinel));
	geo = sentinel;
	status = in->geometry(config, &geo, &argument);
	if ((status == NW_OK) != !expected)
		fail_msg("%s: ia %u oa %u features %#x: %s, expected %s",
			 in->name, config->ia_bits, config->oa_bits,
			 config->features, argument ? argument : "accepted",
			 expected ? expected : "accepted");
	if (expected) {
		assert_int_equal(status, NW_E_CONFIG);
		assert_non_null(argument);
		assert_string_equal(argument, expected);
		assert_memory_equal(&geo, &sentinel, sizeof(geo));
		return;
	}
	assert_int_equal(geo.granule_lg2, in->granule_lg2);
	assert_int_equal(geo.index_bits, in->granule_lg2 - 3);
	assert_int_equal(nw_arm64_start_level(&geo), row->start_level);
	assert_int_equal(geo.levels, 4 - row->start_level);
	assert_int_equal(1 << geo.root_pages_lg2, row->tables);
	assert_int_equal(geo.leaf_levels, expected_leaves(in, row->start_level,
							  config->features));
	assert_int_equal(geo.ia_bits, config->ia_bits);
	assert_int_equal(geo.oa_bits, config->oa_bits);
	assert_int_equal(geo.features, config->features);
	assert_int_equal(nw_arm64_t0sz(&geo), 64 - config->ia_bits);
}

static void geometry_every_size_and_feature_is_shaped_or_refused(void **state)
{
	static const uint8_t oa_sizes[] = {0,  31, 32, 36, 40, 42, 44,
					   47, 48, 49, 51, 52, 53, 255};
	unsigned n, ia, oa, features;

	(void)state;
	for (n = 0; n < INSTANCES; n++) {
		const struct instance *in = &instances[n];

		for (ia = 0; ia < 70; ia++) {
			for (oa = 0; oa < sizeof(oa_sizes); oa++) {
				struct nw_format_config config = {
					in->granule_lg2, (uint8_t)ia,
					oa_sizes[oa], 0};

				for (features = 0; features <= NW_FEAT_ALL;
				     features++) {
					config.features = features;
					check_config(in, &config);
				}
			}
		}
	}
}

static void geometry_every_pair_of_sizes_is_shaped_or_refused(void **state)
{
	unsigned n, ia, oa;

	(void)state;
	for (n = 0; n < INSTANCES; n++) {
		const struct instance *in = &instances[n];
		unsigned features = (in->lpa2 ? NW_FEAT_LPA2 : 0u) |
				    NW_FEAT_LPA | NW_FEAT_LVA | NW_FEAT_TTST;

		for (ia = 0; ia < 256; ia++) {
			for (oa = 0; oa < 256; oa++) {
				struct nw_format_config config = {
					in->granule_lg2, (uint8_t)ia,
					(uint8_t)oa, features};

				check_config(in, &config);
			}
		}
	}
}

static void geometry_other_granule_or_feature_is_refused(void **state)
{
	unsigned n, i;

	(void)state;
	for (i = 0; i < INSTANCES; i++) {
		struct nw_format_config config = {0, 40, 40, 0};

		for (n = 0; n < 256; n++) {
			config.granule_lg2 = (uint8_t)n;
			config.features = instances[i].lpa2 ? NW_FEAT_LPA2 : 0;
			check_config(&instances[i], &config);
		}
		config.granule_lg2 = instances[i].granule_lg2;
		for (n = 0; n < 32; n++) {
			config.features =
				1u << n |
				(instances[i].lpa2 ? NW_FEAT_LPA2 : 0);
			check_config(&instances[i], &config);
		}
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

/* ---- registers --------------------------------------------------------- */

static struct nw_geometry shape_of(geometry_fn geometry, unsigned granule_lg2,
				   unsigned ia_bits, unsigned oa_bits,
				   unsigned features)
{
	struct nw_format_config config = {(uint8_t)granule_lg2,
					  (uint8_t)ia_bits, (uint8_t)oa_bits,
					  features};
	struct nw_geometry geo;

	assert_int_equal(geometry(&config, &geo, NULL), NW_OK);
	return geo;
}

/* VTCR_EL2 worked out by hand: T0SZ, SL0 at 6, 0x3500 for walks, TG0 at 14, PS
 * at 16, HA, HD at 21, RES1 at 31, DS at 32. */
static void registers_of_stage2_are_exact(void **state)
{
	static const struct {
		geometry_fn geometry;
		uint8_t granule_lg2, ia, oa;
		uint16_t features;
		uint64_t vtcr;
	} rows[] = {
		{nw_arm64_s2_geometry, 12, 40, 40, 0, 0x80023558},
		{nw_arm64_s2_geometry, 12, 40, 40, NW_FEAT_HAF | NW_FEAT_HD,
		 0x80623558},
		{nw_arm64_s2_geometry, 12, 48, 48, 0, 0x80053590},
		{nw_arm64_s2_geometry, 12, 32, 36, 0, 0x80013520},
		/* level 3: T0SZ 43, SL0 3 */
		{nw_arm64_s2_geometry, 12, 21, 32, NW_FEAT_TTST, 0x800035eb},
		/* TG0 2; two tables at level 1: SL0 2 */
		{nw_arm64_s2_16k_geometry, 14, 48, 48, 0, 0x8005b590},
		{nw_arm64_s2_16k_geometry, 14, 40, 40, 0, 0x8002b558},
		{nw_arm64_s2_16k_geometry, 14, 25, 32, 0, 0x8000b527},
		/* TG0 1 */
		{nw_arm64_s2_64k_geometry, 16, 42, 44, 0, 0x80047556},
		{nw_arm64_s2_64k_geometry, 16, 52, 52, NW_FEAT_LPA, 0x8006758c},
		/* DS; level 0 of 4 KiB: SL0 2, of 16 KiB: SL0 3 */
		{nw_arm64_s2_4k_lpa2_geometry, 12, 52, 52, NW_FEAT_LPA2,
		 UINT64_C(0x18006358c)},
		{nw_arm64_s2_16k_lpa2_geometry, 14, 52, 52, NW_FEAT_LPA2,
		 UINT64_C(0x18006b5cc)},
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nw_geometry geo =
			shape_of(rows[i].geometry, rows[i].granule_lg2,
				 rows[i].ia, rows[i].oa, rows[i].features);

		if (nw_arm64_vtcr_el2(&geo) != rows[i].vtcr)
			fail_msg("row %u: %#llx", i,
				 (unsigned long long)nw_arm64_vtcr_el2(&geo));
	}
	/* Level -1, which no shape of ours has at stage 2. */
	assert_true(nw_arm64_vtcr_sl(&(struct nw_geometry){.granule_lg2 = 12,
							   .levels = 5}) ==
		    UINT64_C(1) << 33);
}

static void registers_of_el2_are_exact(void **state)
{
	struct nw_geometry geo = shape_of(nw_arm64_el2_geometry, 12, 39, 40, 0);

	(void)state;
	assert_true(NW_ARM64_MAIR_EL2 == UINT64_C(0x00ffbb440c080400));
	assert_true(nw_arm64_tcr_el2(&geo) == UINT64_C(0x80823519));
	geo = shape_of(nw_arm64_el2_geometry, 12, 39, 40, NW_FEAT_HAF);
	assert_true(nw_arm64_tcr_el2(&geo) == UINT64_C(0x80a23519));
	geo = shape_of(nw_arm64_el2_64k_geometry, 16, 52, 52,
		       NW_FEAT_LPA | NW_FEAT_LVA);
	assert_true(nw_arm64_tcr_el2(&geo) == UINT64_C(0x8086750c));
	geo = shape_of(nw_arm64_el2_4k_lpa2_geometry, 12, 52, 52, NW_FEAT_LPA2);
	assert_true(nw_arm64_tcr_el2(&geo) == UINT64_C(0x18086350c));
}

/* TCR_EL1: T0SZ, T1SZ at 16, EPD0 7, EPD1 23, 0x3500 and the same 16 higher,
 * TG0 at 14, TG1 at 30 (1 is 16 KiB, 2 is 4, 3 is 64), IPS at 32, HA 39, HD 40.
 */
static void registers_of_el1_are_exact(void **state)
{
	struct nw_geometry low =
		shape_of(nw_arm64_el10_geometry, 12, 39, 40, 0);
	struct nw_geometry high =
		shape_of(nw_arm64_el10_16k_geometry, 14, 48, 40, 0);

	(void)state;
	assert_true(nw_arm64_tcr_el1(&low, NULL) == UINT64_C(0x200803519));
	assert_true(nw_arm64_tcr_el1(NULL, &low) == UINT64_C(0x2b5190080));
	assert_true(nw_arm64_tcr_el1(&low, &high) == UINT64_C(0x275103519));
	assert_true(nw_arm64_tcr_el1(NULL, NULL) == 0);
	low = shape_of(nw_arm64_el10_4k_lpa2_geometry, 12, 52, 52,
		       NW_FEAT_LPA2 | NW_FEAT_HAF | NW_FEAT_HD);
	assert_true(nw_arm64_tcr_el1(&low, NULL) ==
		    UINT64_C(0x080001860080350c));
	high = shape_of(nw_arm64_el10_64k_geometry, 16, 42, 48, 0);
	assert_true(nw_arm64_tcr_el1(NULL, &high) == UINT64_C(0x5f5160080));
}

static void register_of_root_holds_the_upper_address_bits(void **state)
{
	(void)state;
	assert_true(nw_arm64_ttbr(NW_PA(UINT64_C(0x40201000))) == 0x40201000);
	assert_true(nw_arm64_ttbr(NW_PA(UINT64_C(0xa800040200000))) ==
		    UINT64_C(0x800040200028));
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
			geometry_every_size_and_feature_is_shaped_or_refused),
		cmocka_unit_test(
			geometry_every_pair_of_sizes_is_shaped_or_refused),
		cmocka_unit_test(geometry_other_granule_or_feature_is_refused),
		cmocka_unit_test(geometry_missing_pointer_is_named),
		cmocka_unit_test(registers_of_stage2_are_exact),
		cmocka_unit_test(registers_of_el2_are_exact),
		cmocka_unit_test(registers_of_el1_are_exact),
		cmocka_unit_test(register_of_root_holds_the_upper_address_bits),
		cmocka_unit_test(text_every_status_and_reason_has_its_own),
	};

	return cmocka_run_group_tests_name("format/geometry", tests, NULL,
					   NULL);
}
