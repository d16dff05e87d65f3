/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Encoding and decoding, for each stage with each granule. The includer has
 * included its format and defines `manual` (struct manual_stage) and
 * TEST_FORMAT.
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

#define INSTANCE_JOIN(format, member)	nw_##format##_##member
#define INSTANCE_EXPAND(format, member) INSTANCE_JOIN(format, member)
#define INSTANCE(member)		INSTANCE_EXPAND(TEST_FORMAT, member)

/* The plain granule runs through every set of features, the others through
 * some: what the features do does not depend on the granule. */
#define IS_4K (NW_A64_GRANULE_LG2 == 12 && !NW_A64_LPA2)

static const struct manual_form *form;

static int form_setup(void **state)
{
	(void)state;
	form = manual_form_of(NW_A64_GRANULE_LG2, NW_A64_LPA2);
	return 0;
}

/* The largest sizes that these features allow. */
#define OA_MOST 0u

static struct nw_geometry shape(unsigned features, unsigned oa_bits)
{
	int is_wide = form->has_lpa2 || (features & form->wide);
	struct nw_format_config config = {form->granule_lg2, 32,
					  (uint8_t)oa_bits, features};
	struct nw_geometry geo;

	if (oa_bits == OA_MOST)
		config.oa_bits = is_wide ? 52 : 48;
	/* All levels where the output size allows it. */
	if (config.oa_bits >= 48)
		config.ia_bits = form->has_lpa2 ? config.oa_bits : 48;
	if (features & NW_FEAT_HD)
		config.features |= NW_FEAT_HAF;
	if (form->has_lpa2)
		config.features |= NW_FEAT_LPA2;
	if (INSTANCE(geometry)(&config, &geo, NULL) != NW_OK)
		fail_msg("geometry refused: features %#x oa %u", features,
			 oa_bits);
	return geo;
}

/* Features that change something. */
static unsigned all_features(void)
{
	return manual->features | form->wide;
}

static int has_leaf(const struct nw_geometry *geo, unsigned level)
{
	return level < geo->levels &&
	       manual_has_leaf(form, geo->features, level);
}

/* An address with ones and zeros at both ends of its field, for a leaf. */
static uint64_t sample_pa(const struct nw_geometry *geo, unsigned level)
{
	uint64_t pa = UINT64_C(0x9a56789abcdef000) >> (64 - geo->oa_bits);

	return pa & ~((UINT64_C(1) << form->leaf_lg2[level]) - 1);
}

static uint64_t sample(const struct nw_geometry *geo, unsigned level)
{
	return manual_place(form, sample_pa(geo, level));
}

static uint64_t encode(unsigned features, unsigned level,
		       const struct nw_attrs *attrs)
{
	return manual->encode(form, features, level, attrs);
}

/* Is one feature set, or one clear, or all, or none? */
static int is_corner(unsigned features)
{
	unsigned clear = all_features() & ~features;

	return !(features & (features - 1)) || !(clear & (clear - 1));
}

/* Sets of the stage's features in turn; 0 ends. */
static unsigned next_features(unsigned features)
{
	do {
		features = (features - all_features()) & all_features();
	} while (!IS_4K && !is_corner(features));
	return features;
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
	a->flags = (a->flags - manual->flags) & manual->flags;
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
	uint64_t expected = encode(geo->features, level, attrs);
	uint64_t entry = SENTINEL;
	enum nw_status status = INSTANCE(encode_leaf)(
		geo, level, NW_PA(sample_pa(geo, level)), attrs, &entry);
	struct nw_decoded out;

	if (expected) {
		expected |= sample(geo, level);
		INSTANCE(decode)(geo, level, entry, &out);
		if (status == NW_OK && entry == expected &&
		    out.kind == NW_ENTRY_LEAF &&
		    out.pa.v == sample_pa(geo, level) &&
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
		struct nw_geometry geo = shape(features, OA_MOST);

		for (level = 0; has_leaf(&geo, level); level++) {
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
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	struct nw_attrs attrs = plain_attrs();
	unsigned level, software, hardware;

	(void)s;
	for (level = 0; has_leaf(&geo, level); level++) {
		for (software = 0; software < 256; software++) {
			for (hardware = 0; hardware < 256; hardware++) {
				attrs.software = (uint8_t)software;
				attrs.hardware = (uint8_t)hardware;
				check_encode(&geo, level, &attrs);
			}
		}
	}
}

/* Flags of other formats, and bits that are nobody's, in any company. */
static void leaf_every_flag_word_round_trips_or_is_refused(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	unsigned level, flags;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		for (flags = 0; flags < 0x10000; flags++) {
			struct nw_attrs attrs = plain_attrs();

			attrs.flags = (uint16_t)flags;
			check_encode(&geo, level, &attrs);
			attrs.prot = NW_PROT_R;
			check_encode(&geo, level, &attrs);
		}
	}
}

static void leaf_bad_values_are_refused(void **state)
{
	struct nw_geometry geo = shape(0, OA_MOST);
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
	struct nw_geometry large = shape(0, OA_MOST), small;
	struct nw_format_config config = {form->granule_lg2, 30, 48,
					  form->has_lpa2 ? NW_FEAT_LPA2
							 : form->wide};
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry = SENTINEL;
	unsigned level;

	(void)state;
	for (level = 0; level < 300; level++) {
		if (!has_leaf(&large, level))
			assert_int_equal(INSTANCE(encode_leaf)(&large, level,
							       NW_PA(0), &attrs,
							       &entry),
					 NW_E_LEVEL);
	}
	/* Two levels: no larger block. */
	assert_int_equal(INSTANCE(geometry)(&config, &small, NULL), NW_OK);
	assert_int_equal(small.levels, 2);
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
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, OA_MOST};
	struct nw_attrs attrs = plain_attrs();
	unsigned i, level, n;

	(void)state;
	for (i = 0; i < sizeof(sizes); i++) {
		struct nw_geometry geo = shape(form->wide, sizes[i]);

		for (level = 0; has_leaf(&geo, level); level++) {
			for (n = 0; n < 64; n++) {
				uint64_t entry = SENTINEL;
				enum nw_status want = n < form->leaf_lg2[level]
							      ? NW_E_MISALIGNED
						      : n >= geo.oa_bits
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
	unsigned reasons = manual->reasons(form, geo->features, geo->oa_bits,
					   level, entry);
	struct nw_decoded out;
	struct nw_attrs attrs;
	uint64_t again = SENTINEL;

	INSTANCE(decode)(geo, level, entry, &out);
	if (!reasons) {
		attrs = manual->attrs(form, geo->features, level, entry);
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
		struct nw_geometry geo = shape(features, OA_MOST);

		for (level = 0; has_leaf(&geo, level); level++) {
			uint64_t base = sample(&geo, level) | (level ? 1 : 3);

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
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	struct nw_attrs attrs = plain_attrs();
	unsigned level, n;

	(void)state;
	for (level = 0; has_leaf(&geo, level); level++) {
		uint64_t base = encode(geo.features, level, &attrs) |
				sample(&geo, level);

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
	static const uint8_t sizes[] = {32, 36, 40, 42, 44, 48, OA_MOST};
	struct nw_attrs attrs = plain_attrs();
	unsigned i, level, a, b;

	(void)state;
	for (i = 0; i < sizeof(sizes); i++) {
		struct nw_geometry geo =
			shape(NW_FEAT_BBM1 | form->wide, sizes[i]);

		for (level = 0; has_leaf(&geo, level); level++) {
			uint64_t leaf = encode(geo.features, level, &attrs);

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
	uint64_t page = encode(0, 0, &attrs);
	uint64_t block = encode(0, 1, &attrs);
	struct nw_decoded out;

	(void)state;
	INSTANCE(decode)(&geo, 0, page | UINT64_C(1) << 44, &out);
	assert_int_equal(out.reason, NW_REASON_ADDRESS_SIZE);
	INSTANCE(decode)(&geo, 1, block | 1u << 18, &out);
	assert_int_equal(out.reason, NW_REASON_ADDRESS_ALIGN);
	INSTANCE(decode)(&geo, 1, block | 1u << 16, &out);
	assert_int_equal(out.reason, NW_REASON_FEATURE);
	INSTANCE(decode)(&geo, 0, page | UINT64_C(1) << 51, &out);
	assert_int_equal(out.reason, NW_REASON_FEATURE);
	INSTANCE(decode)(&geo, 0, page ^ 2u << 8, &out);
	assert_int_equal(out.reason, form->has_lpa2 ? NW_REASON_ADDRESS_SIZE
						    : NW_REASON_SHARE);
	INSTANCE(decode)(&geo, 0, page | UINT64_C(1) << 63, &out);
	assert_int_equal(out.reason, NW_REASON_RES0);
	INSTANCE(decode)(&geo, 0, page & ~UINT64_C(2), &out);
	assert_int_equal(out.reason, NW_REASON_TYPE_AT_LEVEL);
	INSTANCE(decode)(&geo, geo.levels, page, &out);
	assert_int_equal(out.kind, NW_ENTRY_RESERVED);
	assert_int_equal(out.reason, NW_REASON_LEVEL);
}

#include "leaf_others.h"

#define LEAF_TESTS                                                             \
	cmocka_unit_test(leaf_every_attribute_round_trips_or_is_refused),      \
		cmocka_unit_test(leaf_free_bits_round_trip_or_are_refused),    \
		cmocka_unit_test(                                              \
			leaf_every_flag_word_round_trips_or_is_refused),       \
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
		cmocka_unit_test(decode_block_of_absent_feature_is_reserved),  \
		cmocka_unit_test(invalid_entries_never_look_like_one_another), \
		cmocka_unit_test(live_entry_is_no_token_and_no_annotation),    \
		cmocka_unit_test(table_entry_round_trips_or_has_the_reason)
