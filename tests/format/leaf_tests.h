/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encoding and decoding, for either stage. The includer has included its
 * format and defines `manual` (struct manual_stage) and INSTANCE(member).
 *
 * Loops run millions of times, so they compare by themselves and call
 * fail_msg() with everything one needs to repeat the case.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "format/instances.h"

#define SENTINEL UINT64_C(0x5a5a5a5a5a5a5a5a)

static const uint64_t sample_pa[3] = {UINT64_C(0x456789abd000),
				      UINT64_C(0xa56789a00000),
				      UINT64_C(0x9a5640000000)};

static struct nw_geometry shape(unsigned features, unsigned oa_bits)
{
	struct nw_format_config config = {12, 32, (uint8_t)oa_bits,
					  (uint16_t)features};
	struct nw_geometry geo;

	/* Four levels where the output size allows it. */
	if (oa_bits == 48)
		config.ia_bits = 48;
	if (features & NW_FEAT_HD)
		config.features |= NW_FEAT_HAF;
	if (INSTANCE(geometry)(&config, &geo, NULL) != NW_OK)
		fail_msg("geometry refused: features %#x oa %u", features,
			 oa_bits);
	return geo;
}

/* Every subset of the stage's features in turn; 0 ends. */
static unsigned next_features(unsigned features)
{
	return (features - manual->features) & manual->features;
}

static int attrs_equal(const struct nw_attrs *a, const struct nw_attrs *b)
{
	return a->prot == b->prot && a->memtype == b->memtype &&
	       a->share == b->share && a->flags == b->flags &&
	       a->software == b->software && a->hardware == b->hardware;
}

static struct nw_attrs plain_attrs(void)
{
	return (struct nw_attrs){.prot = NW_PROT_RW,
				 .memtype = NW_MEM_NORMAL_WB,
				 .share = NW_SHARE_INNER,
				 .flags = NW_LEAF_ACCESSED};
}

/* The next attribute combination within the limits; 0 when all were seen. */
static int next_attrs(struct nw_attrs *a)
{
	a->flags = (a->flags + 1) & 0xff;
	if (a->flags)
		return 1;
	if (++a->share <= NW_SHARE_COUNT)
		return 1;
	a->share = 0;
	if (++a->memtype <= NW_MEM_COUNT)
		return 1;
	a->memtype = 0;
	if (++a->prot <= (NW_PROT_RWX + 1))
		return 1;
	return 0;
}

/* Something different for each case, without a random source. */
static unsigned scramble(uint64_t word)
{
	return (unsigned)((word * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

/* ---- attributes to bits ------------------------------------------------ */

static void check_encode(const struct nw_geometry *geo, unsigned level,
			 const struct nw_attrs *attrs)
{
	uint64_t expected = manual->encode(geo->features, level, attrs);
	uint64_t entry = SENTINEL;
	enum nw_status status = INSTANCE(encode_leaf)(
		geo, level, NW_PA(sample_pa[level]), attrs, &entry);
	struct nw_decoded out;

	if (expected) {
		expected |= sample_pa[level];
		INSTANCE(decode)(geo, level, entry, &out);
		if (status == NW_OK && entry == expected &&
		    out.kind == NW_ENTRY_LEAF && out.pa.v == sample_pa[level] &&
		    attrs_equal(&out.attrs, attrs))
			return;
	} else if (status == NW_E_ATTRS && entry == SENTINEL) {
		return;
	}
	fail_msg("level %u features %#x prot %#x memtype %u share %u flags %#x "
		 "software %#x hardware %#x: status %d entry %#" PRIx64
		 " expected %#" PRIx64,
		 level, geo->features, attrs->prot, attrs->memtype,
		 attrs->share, attrs->flags, attrs->software, attrs->hardware,
		 (int)status, entry, expected);
}

static void leaf_every_attribute_round_trips_or_is_refused(void **state)
{
	unsigned features = 0, level;

	(void)state;
	do {
		struct nw_geometry geo = shape(features, 48);

		for (level = 0; level < 3; level++) {
			struct nw_attrs attrs = {0};
			unsigned n = 0;

			do {
				unsigned bits = scramble(++n);

				attrs.software = bits & 15;
				attrs.hardware = (uint8_t)(bits >> 4);
				check_encode(&geo, level, &attrs);
			} while (next_attrs(&attrs));
		}
		features = next_features(features);
	} while (features);
}

static void leaf_free_bits_round_trip_or_are_refused(void **s)
{
	struct nw_geometry geo = shape(manual->features, 48);
	struct nw_attrs attrs = plain_attrs();
	unsigned level, software, hardware;

	(void)s;
	for (level = 0; level < 3; level++) {
		for (software = 0; software < 256; software++) {
			for (hardware = 0; hardware < 256; hardware++) {
				attrs.software = (uint8_t)software;
				attrs.hardware = (uint8_t)hardware;
				check_encode(&geo, level, &attrs);
			}
		}
	}
}

static void leaf_bad_values_are_refused(void **state)
{
	struct nw_geometry geo = shape(0, 48);
	struct nw_attrs attrs;
	unsigned value;

	(void)state;
	for (value = NW_PROT_RWX + 1; value < 256; value++) {
		attrs = plain_attrs();
		attrs.prot = (uint8_t)value;
		check_encode(&geo, 0, &attrs);
	}
	for (value = NW_MEM_COUNT; value < 256; value++) {
		attrs = plain_attrs();
		attrs.memtype = (uint8_t)value;
		check_encode(&geo, 0, &attrs);
	}
	for (value = NW_SHARE_COUNT; value < 256; value++) {
		attrs = plain_attrs();
		attrs.share = (uint8_t)value;
		check_encode(&geo, 0, &attrs);
	}
}

static void leaf_level_without_leaves_is_refused(void **state)
{
	struct nw_geometry large = shape(0, 48), small;
	struct nw_format_config config = {12, 30, 48, 0};
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry = SENTINEL;
	unsigned level;

	(void)state;
	for (level = 3; level < 300; level++)
		assert_int_equal(INSTANCE(encode_leaf)(&large, level, NW_PA(0),
						       &attrs, &entry),
				 NW_E_LEVEL);
	/* Two levels: no 1 GiB block. */
	assert_int_equal(INSTANCE(geometry)(&config, &small, NULL), NW_OK);
	assert_int_equal(
		INSTANCE(encode_leaf)(&small, 2, NW_PA(0), &attrs, &entry),
		NW_E_LEVEL);
	assert_true(entry == SENTINEL);
	assert_int_equal(
		INSTANCE(encode_leaf)(&small, 1, NW_PA(0), &attrs, &entry),
		NW_OK);
}

static void leaf_bad_address_is_refused(void **state)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48};
	struct nw_attrs attrs = plain_attrs();
	unsigned i, level, n;

	(void)state;
	for (i = 0; i < sizeof(sizes); i++) {
		struct nw_geometry geo = shape(0, sizes[i]);

		for (level = 0; level < geo.levels && level < 3; level++) {
			for (n = 0; n < 64; n++) {
				uint64_t entry = SENTINEL;
				enum nw_status want = n < manual_leaf_lg2[level]
							      ? NW_E_MISALIGNED
						      : n >= sizes[i]
							      ? NW_E_OA_RANGE
							      : NW_OK;

				assert_int_equal(
					INSTANCE(encode_leaf)(
						&geo, level,
						NW_PA(UINT64_C(1) << n), &attrs,
						&entry),
					want);
				assert_int_equal(entry == SENTINEL,
						 want != NW_OK);
			}
		}
	}
}

/* ---- bits to attributes ------------------------------------------------ */

static void check_decode(const struct nw_geometry *geo, unsigned level,
			 uint64_t entry)
{
	unsigned reasons =
		manual->reasons(geo->features, geo->oa_bits, level, entry);
	struct nw_decoded out;
	struct nw_attrs attrs;
	uint64_t again = SENTINEL;

	INSTANCE(decode)(geo, level, entry, &out);
	if (!reasons) {
		attrs = manual->attrs(geo->features, level, entry);
		if (out.kind == NW_ENTRY_LEAF && out.reason == NW_REASON_NONE &&
		    attrs_equal(&out.attrs, &attrs) &&
		    INSTANCE(encode_leaf)(geo, level, out.pa, &out.attrs,
					  &again) == NW_OK &&
		    again == entry)
			return;
	} else if (out.kind == NW_ENTRY_RESERVED && reasons >> out.reason & 1 &&
		   out.pa.v == 0 && out.attrs.prot == 0) {
		return;
	}
	fail_msg("level %u features %#x oa %u entry %#" PRIx64
		 ": kind %d reason %d (%s), expected reasons %#x, encodes "
		 "again to %#" PRIx64,
		 level, geo->features, geo->oa_bits, entry, (int)out.kind,
		 (int)out.reason, nw_reason_text(out.reason), reasons, again);
}

/* All attribute bits but software and PBHA, which are checked beside. */
static uint64_t attribute_pattern(unsigned n)
{
	uint64_t entry = (uint64_t)(n & 0x3ff) << 2;

	entry |= (uint64_t)(n >> 10 & 0x7f) << 48;
	entry |= (uint64_t)(n >> 17 & 1) << 63;
	return entry | (uint64_t)scramble(n) << 55;
}

static void decode_every_pattern_is_leaf_or_has_the_reason(void **state)
{
	unsigned features = 0, level, n;

	(void)state;
	do {
		struct nw_geometry geo = shape(features, 48);

		for (level = 0; level < 3; level++) {
			uint64_t base = sample_pa[level] | (level ? 1 : 3);

			for (n = 0; n < 1u << 18; n++) {
				uint64_t entry = base | attribute_pattern(n);

				check_decode(&geo, level, entry);
				if (n % 8 == 0 || level)
					check_decode(&geo, level,
						     entry ^ 1u << 16);
			}
		}
		features = next_features(features);
	} while (features);
}

static void decode_software_and_hardware_bits_are_free(void **state)
{
	struct nw_geometry geo = shape(manual->features, 48);
	struct nw_attrs attrs = plain_attrs();
	unsigned level, n;

	(void)state;
	for (level = 0; level < 3; level++) {
		uint64_t base = manual->encode(geo.features, level, &attrs) |
				sample_pa[level];

		for (n = 0; n < 256; n++) {
			struct nw_decoded out;
			uint64_t entry = base | (uint64_t)n << 55;

			INSTANCE(decode)(&geo, level, entry, &out);
			assert_int_equal(out.kind, NW_ENTRY_LEAF);
			check_decode(&geo, level, entry);
		}
	}
}

static void decode_every_address_bit_is_judged(void **state)
{
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48};
	struct nw_attrs attrs = plain_attrs();
	unsigned i, level, a, b;

	(void)state;
	for (i = 0; i < sizeof(sizes); i++) {
		struct nw_geometry geo = shape(NW_FEAT_BBM1, sizes[i]);

		for (level = 0; level < geo.levels && level < 3; level++) {
			uint64_t leaf =
				manual->encode(geo.features, level, &attrs);

			for (a = 12; a < 50; a++) {
				for (b = 12; b < 50; b++)
					check_decode(&geo, level,
						     leaf | UINT64_C(1) << a |
							     UINT64_C(1) << b);
			}
		}
	}
}

static void decode_single_fault_gives_its_reason(void **state)
{
	struct nw_geometry geo = shape(0, 44);
	struct nw_attrs attrs = plain_attrs();
	uint64_t page = manual->encode(0, 0, &attrs);
	uint64_t block = manual->encode(0, 1, &attrs);
	struct nw_decoded out;

	(void)state;
	INSTANCE(decode)(&geo, 0, page | UINT64_C(1) << 44, &out);
	assert_int_equal(out.reason, NW_REASON_ADDRESS_SIZE);
	INSTANCE(decode)(&geo, 1, block | 1u << 13, &out);
	assert_int_equal(out.reason, NW_REASON_ADDRESS_ALIGN);
	INSTANCE(decode)(&geo, 1, block | 1u << 16, &out);
	assert_int_equal(out.reason, NW_REASON_FEATURE);
	INSTANCE(decode)(&geo, 0, page | UINT64_C(1) << 51, &out);
	assert_int_equal(out.reason, NW_REASON_FEATURE);
	INSTANCE(decode)(&geo, 0, page ^ 2u << 8, &out);
	assert_int_equal(out.reason, NW_REASON_SHARE);
	INSTANCE(decode)(&geo, 0, page | UINT64_C(1) << 63, &out);
	assert_int_equal(out.reason, NW_REASON_RES0);
	INSTANCE(decode)(&geo, 0, page & ~UINT64_C(2), &out);
	assert_int_equal(out.reason, NW_REASON_TYPE_AT_LEVEL);
	INSTANCE(decode)(&geo, geo.levels, page, &out);
	assert_int_equal(out.kind, NW_ENTRY_RESERVED);
	assert_int_equal(out.reason, NW_REASON_LEVEL);
}

/* ---- entries that are no leaf ------------------------------------------ */

static void kind_follows_valid_and_type_bits(void **state)
{
	/* By level and the two low bits, upper bits set. */
	static const uint8_t rows[4][4] = {
		{NW_ENTRY_INVALID, NW_ENTRY_RESERVED, NW_ENTRY_INVALID,
		 NW_ENTRY_LEAF},
		{NW_ENTRY_INVALID, NW_ENTRY_LEAF, NW_ENTRY_INVALID,
		 NW_ENTRY_TABLE},
		{NW_ENTRY_INVALID, NW_ENTRY_LEAF, NW_ENTRY_INVALID,
		 NW_ENTRY_TABLE},
		{NW_ENTRY_INVALID, NW_ENTRY_RESERVED, NW_ENTRY_INVALID,
		 NW_ENTRY_TABLE},
	};
	struct nw_geometry geo = shape(0, 48);
	unsigned level, low;

	(void)state;
	assert_int_equal(geo.levels, 4);
	for (level = 0; level < 4; level++) {
		assert_int_equal(nwf_kind(&geo, level, 0), NW_ENTRY_EMPTY);
		assert_int_equal(nwf_kind(&geo, level, 2), NW_ENTRY_INVALID);
		for (low = 0; low < 4; low++) {
			uint64_t entry = UINT64_C(0x40000000) | low;

			assert_int_equal(nwf_kind(&geo, level, entry),
					 rows[level][low]);
			assert_int_equal(!nwf_is_valid(entry), !(low & 1));
		}
	}
}

static void decode_entry_that_is_not_valid_is_empty_or_annotated(void **state)
{
	struct nw_geometry geo = shape(manual->features, 48);
	struct nw_decoded out;
	unsigned level, n;

	(void)state;
	for (level = 0; level < 4; level++) {
		INSTANCE(decode)(&geo, level, 0, &out);
		assert_int_equal(out.kind, NW_ENTRY_EMPTY);
		for (n = 1; n < 64; n++) {
			INSTANCE(decode)(&geo, level, UINT64_C(1) << n, &out);
			assert_int_equal(out.kind, NW_ENTRY_INVALID);
			assert_int_equal(out.reason, NW_REASON_NONE);
			INSTANCE(decode)(&geo, level, ~UINT64_C(0) << n, &out);
			assert_int_equal(out.kind, NW_ENTRY_INVALID);
		}
	}
}

static void lock_token_is_invalid_and_no_annotation(void **state)
{
	struct nw_geometry geo = shape(manual->features, 48);

	(void)state;
	assert_false(nwf_is_valid(nwf_lock_token(0)));
	assert_int_equal(nwf_kind(&geo, 0, nwf_lock_token(0)), NW_ENTRY_INVALID);
	/* Annotations keep bits 1:0 clear. */
	assert_true(nwf_lock_token(0) & 3);
}

static void table_entry_round_trips_or_has_the_reason(void **state)
{
	struct nw_geometry geo = shape(manual->features, 44);
	uint64_t next = UINT64_C(0x3456789d000), entry;
	struct nw_decoded out;
	unsigned level, n;

	(void)state;
	entry = nwf_table_entry(&geo, next);
	assert_true(entry == (next | 3));
	assert_true(nwf_table_pa(&geo, entry) == next);
	for (level = 1; level < geo.levels; level++) {
		INSTANCE(decode)(&geo, level, entry, &out);
		assert_int_equal(out.kind, NW_ENTRY_TABLE);
		assert_int_equal(out.reason, NW_REASON_NONE);
		assert_true(out.pa.v == next);
		for (n = 2; n < 64; n++) {
			uint64_t other = entry | UINT64_C(1) << n;
			unsigned address = n >= 12 && n < 48;

			INSTANCE(decode)(&geo, level, other, &out);
			if (address && n < 44) {
				assert_int_equal(out.kind, NW_ENTRY_TABLE);
				continue;
			}
			assert_int_equal(out.kind, NW_ENTRY_RESERVED);
			assert_int_equal(out.reason,
					 address ? NW_REASON_ADDRESS_SIZE
						 : NW_REASON_RES0);
		}
	}
}

#define LEAF_TESTS                                                             \
	cmocka_unit_test(leaf_every_attribute_round_trips_or_is_refused),      \
		cmocka_unit_test(leaf_free_bits_round_trip_or_are_refused),    \
		cmocka_unit_test(leaf_bad_values_are_refused),                 \
		cmocka_unit_test(leaf_level_without_leaves_is_refused),        \
		cmocka_unit_test(leaf_bad_address_is_refused),                 \
		cmocka_unit_test(                                              \
			decode_every_pattern_is_leaf_or_has_the_reason),       \
		cmocka_unit_test(decode_software_and_hardware_bits_are_free),  \
		cmocka_unit_test(decode_every_address_bit_is_judged),          \
		cmocka_unit_test(decode_single_fault_gives_its_reason),        \
		cmocka_unit_test(kind_follows_valid_and_type_bits),            \
		cmocka_unit_test(                                              \
			decode_entry_that_is_not_valid_is_empty_or_annotated), \
		cmocka_unit_test(lock_token_is_invalid_and_no_annotation),     \
		cmocka_unit_test(table_entry_round_trips_or_has_the_reason)
