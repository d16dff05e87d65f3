/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds for the formats of x86 and RISC-V alike, against the manual's
 * tables, which each test states for itself (`manual`). The includer has
 * included its format, and defines INSTANCE(member).
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

#define SENTINEL     UINT64_C(0x5a5a5a5a5a5a5a5a)
#define REASON(name) (1u << NW_REASON_##name)
#define BIT(n)	     (UINT64_C(1) << (n))

struct paging_manual {
	unsigned features; /* that change what an entry means */
	unsigned flags;	   /* NW_LEAF_* that exist */
	unsigned ia_bits;  /* of five levels */
	unsigned software; /* greatest value of the software bits */
	unsigned hardware;
	/* What the word is. Reserved: *reasons, bit n for NW_REASON_n. */
	enum nw_entry_kind (*kind)(unsigned features, unsigned oa_bits,
				   unsigned level, uint64_t word,
				   unsigned *reasons);
	/* What a good leaf says. */
	struct nw_attrs (*attrs)(unsigned features, unsigned level,
				 uint64_t leaf);
	uint64_t (*pa)(unsigned level, uint64_t leaf);
	/* A leaf at `pa`, or 0 if it cannot be expressed. */
	uint64_t (*encode)(unsigned features, unsigned level,
			   const struct nw_attrs *attrs, uint64_t pa);
	/* A leaf that hardware may leave, but we never write. */
	int (*is_foreign)(uint64_t leaf);
	/* Which one-field changes need a break: flags, then the others. */
	unsigned break_flags;
	/* Does speculation through this invalid entry find no memory? */
	int (*is_safe)(uint64_t word);
};

static const struct paging_manual manual;

static const uint64_t sample_pa[5] = {
	UINT64_C(0x2789abcde000), UINT64_C(0x256789a00000),
	UINT64_C(0x1a5640000000), UINT64_C(0x268000000000),
	UINT64_C(0x1000000000000)};

static unsigned field(uint64_t word, unsigned last, unsigned first)
{
	return (unsigned)(word >> first) & ((2u << (last - first)) - 1);
}

static unsigned leaf_lg2(unsigned level)
{
	static const uint8_t lg2[5] = {12, 21, 30, 39, 48};

	return lg2[level];
}

static struct nw_geometry shape_of(unsigned features, unsigned oa_bits)
{
	struct nw_format_config config = {12, (uint8_t)manual.ia_bits,
					  (uint8_t)oa_bits, features};
	const char *argument = NULL;
	struct nw_geometry geo;

	if (INSTANCE(geometry)(&config, &geo, &argument) != NW_OK)
		fail_msg("geometry refused: features %#x: %s", features,
			 argument);
	assert_int_equal(geo.levels, 5);
	return geo;
}

/* Every subset of the features in turn; 0 ends. */
static unsigned next_features(unsigned features)
{
	return (features - manual.features) & manual.features;
}

static unsigned oa_max(void)
{
	return OA_BITS;
}

static int attrs_equal(const struct nw_attrs *a, const struct nw_attrs *b)
{
	return a->prot == b->prot && a->memtype == b->memtype &&
	       a->share == b->share && a->flags == b->flags &&
	       a->software == b->software && a->hardware == b->hardware;
}

/* Something different for each case, without a random source. */
static uint64_t scramble(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ---- attributes to bits and back --------------------------------------- */

static void check_encode(const struct nw_geometry *geo, unsigned level,
			 const struct nw_attrs *attrs)
{
	uint64_t pa = sample_pa[level], entry = SENTINEL;
	uint64_t expected = manual.encode(geo->features, level, attrs, pa);
	enum nw_status status =
		INSTANCE(encode_leaf)(geo, level, NW_PA(pa), attrs, &entry);
	struct nw_decoded out;

	if (expected) {
		INSTANCE(decode)(geo, level, entry, &out);
		if (status == NW_OK && entry == expected &&
		    out.kind == NW_ENTRY_LEAF && out.reason == NW_REASON_NONE &&
		    out.pa.v == manual.pa(level, expected) &&
		    attrs_equal(&out.attrs, attrs))
			return;
	} else if ((status == NW_E_ATTRS || status == NW_E_LEVEL) &&
		   entry == SENTINEL) {
		return;
	}
	fail_msg("level %u features %#x prot %#x memtype %u share %u flags %#x "
		 "software %u hardware %u: status %d entry %#" PRIx64
		 ", expected %#" PRIx64,
		 level, geo->features, attrs->prot, attrs->memtype,
		 attrs->share, attrs->flags, attrs->software, attrs->hardware,
		 (int)status, entry, expected);
}

/* Every flag the format has, and one more that it has not. */
static unsigned next_flags(unsigned flags)
{
	return (flags - manual.flags) & manual.flags;
}

static void each_flag_set(const struct nw_geometry *geo, unsigned level,
			  struct nw_attrs attrs)
{
	unsigned flags = 0;

	do {
		attrs.flags = (uint16_t)flags;
		check_encode(geo, level, &attrs);
		flags = next_flags(flags);
	} while (flags);
}

static void attrs_every_combination_round_trips(void **state)
{
	unsigned features = 0, level, prot, memtype;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());

		for (level = 0; level < 5; level++)
			for (prot = 0; prot <= NW_PROT_RWX + 1; prot++)
				for (memtype = 0; memtype <= NW_MEM_COUNT;
				     memtype++)
					each_flag_set(
						&geo, level,
						(struct nw_attrs){
							.prot = (uint8_t)prot,
							.memtype = (uint8_t)
								memtype,
							.share =
								NW_SHARE_INNER});
		features = next_features(features);
	} while (features);
}

/* Good attributes that every format and feature set has. */
static struct nw_attrs plain_attrs(void)
{
	return (struct nw_attrs){.prot = NW_PROT_RW | PLAIN_X,
				 .memtype = NW_MEM_NORMAL_WB,
				 .share = NW_SHARE_INNER,
				 .flags = NW_LEAF_ACCESSED | PLAIN_FLAGS};
}

static void attrs_outside_the_format_are_refused(void **state)
{
	unsigned features = 0, n;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());
		struct nw_attrs attrs;

		for (n = 0; n <= NW_SHARE_COUNT; n++) {
			attrs = plain_attrs();
			attrs.share = (uint8_t)n;
			check_encode(&geo, 0, &attrs);
		}
		for (n = 0; n < 16; n++) {
			attrs = plain_attrs();
			attrs.flags |= (uint16_t)(1u << n);
			check_encode(&geo, 0, &attrs);
		}
		for (n = 0; n < 256; n++) {
			attrs = plain_attrs();
			attrs.software = (uint8_t)n;
			check_encode(&geo, 0, &attrs);
			attrs = plain_attrs();
			attrs.hardware = (uint8_t)n;
			check_encode(&geo, 0, &attrs);
		}
		features = next_features(features);
	} while (features);
}

static void encode_address_that_does_not_fit_is_refused(void **state)
{
	struct nw_geometry geo = shape_of(0, 40);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry = SENTINEL;
	unsigned level;

	(void)state;
	for (level = 0; level < 2; level++) {
		assert_int_equal(
			INSTANCE(encode_leaf)(&geo, level,
					      NW_PA(BIT(leaf_lg2(level) - 1)),
					      &attrs, &entry),
			NW_E_MISALIGNED);
		assert_int_equal(INSTANCE(encode_leaf)(&geo, level,
						       NW_PA(BIT(40)), &attrs,
						       &entry),
				 NW_E_OA_RANGE);
		assert_true(entry == SENTINEL);
	}
}

/* ---- bits to attributes ------------------------------------------------ */

static void check_word(const struct nw_geometry *geo, unsigned level,
		       uint64_t word)
{
	unsigned reasons = 0;
	enum nw_entry_kind kind =
		manual.kind(geo->features, geo->oa_bits, level, word, &reasons);
	int is_leaf = nwf_is_leaf(level, word) != 0;
	int is_table = nwf_is_table(level, word) != 0;
	struct nw_decoded out;
	struct nw_attrs expected;
	uint64_t again = 0;

	INSTANCE(decode)(geo, level, word, &out);
	if (out.kind != kind ||
	    is_leaf != (nwf_kind(geo, level, word) == NW_ENTRY_LEAF) ||
	    is_table != (nwf_kind(geo, level, word) == NW_ENTRY_TABLE))
		goto bad;
	if (kind == NW_ENTRY_RESERVED) {
		if (reasons >> out.reason & 1)
			return;
		goto bad;
	}
	if (out.reason != NW_REASON_NONE ||
	    nwf_kind(geo, level, word) != kind ||
	    is_leaf != (kind == NW_ENTRY_LEAF) ||
	    is_table != (kind == NW_ENTRY_TABLE) ||
	    (nwf_is_valid(word) != 0) != (is_leaf || is_table))
		goto bad;
	if (kind == NW_ENTRY_TABLE && out.pa.v != nwf_table_pa(geo, word))
		goto bad;
	if (kind != NW_ENTRY_LEAF)
		return;
	expected = manual.attrs(geo->features, level, word);
	if (!attrs_equal(&out.attrs, &expected) ||
	    out.pa.v != manual.pa(level, word) ||
	    nwf_leaf_prot(geo, word) != expected.prot)
		goto bad;
	if (manual.is_foreign(word))
		return;
	if (INSTANCE(encode_leaf)(geo, level, out.pa, &out.attrs, &again) ==
		    NW_OK &&
	    again == word)
		return;
bad:
	fail_msg("level %u features %#x word %#" PRIx64
		 ": kind %d reason %d leaf %d table %d again %#" PRIx64
		 ", expected kind %d reasons %#x",
		 level, geo->features, word, (int)out.kind, (int)out.reason,
		 is_leaf, is_table, again, (int)kind, reasons);
}

/* All low bits, with each higher bit alone on a good address. */
static void decode_every_low_word_is_as_the_manual_says(void **state)
{
	unsigned features = 0, level, low, n;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());

		for (level = 0; level < 5; level++)
			for (low = 0; low < 1u << LOW_BITS; low++) {
				check_word(&geo, level, low);
				for (n = LOW_BITS; n < 64; n++)
					check_word(&geo, level, low | BIT(n));
			}
		features = next_features(features);
	} while (features);
}

static void decode_scrambled_word_is_as_the_manual_says(void **state)
{
	unsigned features = 0, level, n;
	uint64_t seed = 1;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, 40);

		for (level = 0; level < 5; level++)
			for (n = 0; n < 20000; n++) {
				uint64_t word = scramble(&seed);

				/* Dense, then sparse enough to be good. */
				if (n & 1)
					word &= scramble(&seed) &
						scramble(&seed);
				check_word(&geo, level, word);
			}
		features = next_features(features);
	} while (features);
}

static void
table_entry_decodes_to_its_address_and_is_never_written(void **state)
{
	unsigned features = 0, level, n;

	(void)state;
	do {
		struct nw_geometry geo = shape_of(features, oa_max());
		uint64_t entry = nwf_table_entry(&geo, sample_pa[0]);

		assert_true(nwf_table_pa(&geo, entry) == sample_pa[0]);
		for (level = 1; level < 5; level++) {
			check_word(&geo, level, entry);
			assert_true(nwf_is_table(level, entry));
			for (n = 0; n < 64; n++)
				check_word(&geo, level, entry ^ BIT(n));
		}
		/* Level 0 has no tables. */
		assert_false(nwf_is_table(0, entry));
		features = next_features(features);
	} while (features);
}

static void decode_level_that_is_not_there_says_so(void **state)
{
	struct nw_geometry geo = shape_of(0, oa_max());
	struct nw_decoded out;
	uint64_t leaf;

	(void)state;
	struct nw_attrs attrs = plain_attrs();

	leaf = manual.encode(0, 0, &attrs, sample_pa[0]);
	INSTANCE(decode)(&geo, 5, leaf, &out);
	assert_int_equal(out.kind, NW_ENTRY_RESERVED);
	assert_true(out.reason == NW_REASON_LEVEL);
	INSTANCE(decode)(&geo, 5, NWF_EMPTY, &out);
	assert_int_equal(out.kind, NW_ENTRY_EMPTY);
}

#define LEAF_TESTS                                                                \
	cmocka_unit_test(attrs_every_combination_round_trips),                    \
		cmocka_unit_test(attrs_outside_the_format_are_refused),           \
		cmocka_unit_test(encode_address_that_does_not_fit_is_refused),    \
		cmocka_unit_test(decode_every_low_word_is_as_the_manual_says),    \
		cmocka_unit_test(decode_scrambled_word_is_as_the_manual_says),    \
		cmocka_unit_test(                                                 \
			table_entry_decodes_to_its_address_and_is_never_written), \
		cmocka_unit_test(decode_level_that_is_not_there_says_so)
