/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT, which no CPU here walks: the oracle's decoder in place of one. Words of
 * every level, in every set of features, four and five levels: kind, address,
 * rights, type and marks are read alike; and whatever the library writes has no
 * flaw, so that no misconfiguration is ever produced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/table.h>

#include "decode.h"

#define OA_BITS	 46
#define WORDS	 4000
#define BIT(n)	 (UINT64_C(1) << (n))
#define ADDRESS	 (BIT(52) - BIT(12))
#define FEATURES 5

static const uint32_t feature[FEATURES] = {NW_FEAT_X86_1G, NW_FEAT_EPT_AD,
					   NW_FEAT_EPT_XO, NW_FEAT_EPT_MBEC,
					   NW_FEAT_EPT_SPLIT_EXEC};

struct sides {
	struct nw_geometry geo; /* the library's */
	struct nwv_shape shape; /* the oracle's */
};

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct sides sides_of(unsigned set, unsigned ia_bits)
{
	struct nw_format_config config = {.granule_lg2 = 12,
					  .ia_bits = (uint8_t)ia_bits,
					  .oa_bits = OA_BITS};
	const char *why = NULL;
	struct sides s;

	for (unsigned i = 0; i < FEATURES; i++)
		config.features |= set >> i & 1 ? feature[i] : 0;
	assert_int_equal(nw_x86_ept_ops.geometry(&config, &s.geo, &why), NW_OK);
	assert_int_equal(nwv_shape_decode(NW_TRACE_SHAPE(NW_FORMAT_ID_x86_ept,
							 12, ia_bits, OA_BITS,
							 config.features),
					  NW_REGIME_EPT, 4096, 0, &s.shape,
					  &why),
			 0);
	assert_int_equal(s.shape.levels, s.geo.levels);
	return s;
}

/* Table 29-6, bits 5:3; -1: reserved. */
static int type_of(unsigned memtype)
{
	switch (memtype) {
	case NW_MEM_DEVICE_nGnRnE:
		return 0;
	case NW_MEM_NORMAL_NC:
		return 1;
	case NW_MEM_NORMAL_WT:
		return 4;
	case NW_MEM_WP:
		return 5;
	case NW_MEM_NORMAL_WB:
		return 6;
	default:
		return -1;
	}
}

static void check_leaf(const struct sides *s, unsigned level, uint64_t e,
		       uint64_t pa, const struct nw_attrs *attrs)
{
	const int has_ad = (s->geo.features & NW_FEAT_EPT_AD) != 0;
	const unsigned ignore = attrs->flags & NW_LEAF_IGNORE_PAT ? 8 : 0;
	struct nwv_leaf leaf;

	assert_int_equal(nwv_kind(&s->shape, level, e), NWV_LEAF);
	assert_int_equal(nwv_entry_flaw(&s->shape, level, e), NWV_FLAW_NONE);
	nwv_leaf_decode(&s->shape, level, e, &leaf);
	assert_true(leaf.pa == pa);
	assert_int_equal(leaf.rights, attrs->prot);
	assert_int_equal(leaf.memattr,
			 (unsigned)type_of(attrs->memtype) | ignore);
	assert_int_equal(leaf.has_access_flag,
			 has_ad && (attrs->flags & NW_LEAF_ACCESSED));
	assert_int_equal(leaf.is_dirty,
			 has_ad && (attrs->flags & NW_LEAF_DIRTY));
}

/* ---- read --------------------------------------------------------------- */

/* Low bits of a leaf: read among its rights, whatever else. */
static uint64_t leaf_bits(uint32_t features, unsigned level, uint64_t *seed)
{
	static const uint8_t type[] = {0x00, 0x08, 0x20, 0x28, 0x30};
	const uint64_t dice = next(seed);
	uint64_t e = 1 | (dice & 0x46) | type[(dice >> 8) % 5];

	e |= level ? 0x80 : 0;
	e |= features & NW_FEAT_EPT_AD ? dice >> 16 & 0x300 : 0x800;
	e |= features & NW_FEAT_EPT_MBEC ? dice >> 32 & 0x400 : 0;
	return e;
}

/* A good leaf or table with some bits turned, or nothing of the kind. */
static uint64_t word(uint32_t features, unsigned level, uint64_t *seed)
{
	uint64_t e = next(seed), dice = next(seed);

	if (dice % 16 == 0)
		return e;
	e &= BIT(OA_BITS) - BIT(12);
	if (level && dice >> 4 & 1)
		e |= features & NW_FEAT_EPT_AD ? 0x107 : 0x007;
	else
		e = (e & ~(BIT(12 + 9 * level) - 1)) |
		    leaf_bits(features, level, seed);
	for (dice = dice >> 5 & 3; dice; dice--)
		e ^= BIT(next(seed) % 64);
	return e;
}

/* The library's own rules, which the hardware does not have. */
static int is_stricter(enum nw_reason reason)
{
	return reason == NW_REASON_RES0 || reason == NW_REASON_RES1 ||
	       reason == NW_REASON_FEATURE;
}

/* Without MBEC no entry at all; the library never has it there. */
static int is_bit_10_alone(uint64_t e, enum nwv_kind kind)
{
	return kind == NWV_INVALID && (e & 0x407) == 0x400;
}

/* Number of leaves among them. */
static unsigned compare_words(const struct sides *s, uint64_t *seed)
{
	unsigned leaves = 0;

	for (unsigned n = 0; n < WORDS; n++) {
		const unsigned level = n % s->geo.levels;
		const uint64_t e = word(s->geo.features, level, seed);
		const enum nwv_kind kind = nwv_kind(&s->shape, level, e);
		const enum nwv_flaw flaw = nwv_entry_flaw(&s->shape, level, e);
		struct nw_decoded is;

		nw_x86_ept_ops.decode(&s->geo, level, e, &is);
		if (is.kind == NW_ENTRY_LEAF) {
			check_leaf(s, level, e, is.pa.v, &is.attrs);
			leaves++;
		} else if (is.kind == NW_ENTRY_TABLE) {
			assert_int_equal(kind, NWV_TABLE);
			assert_int_equal(flaw, NWV_FLAW_NONE);
			assert_true(nwv_table_pa(&s->shape, e) == is.pa.v);
		} else if (is.kind == NW_ENTRY_RESERVED) {
			if (!is_stricter(is.reason) && kind != NWV_RESERVED &&
			    !is_bit_10_alone(e, kind) && !flaw)
				fail_msg("level %u: %#llx has no flaw", level,
					 (unsigned long long)e);
		} else {
			assert_int_equal(kind, NWV_INVALID);
		}
	}
	return leaves;
}

static void decoders_random_words_agree(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned set = 0; set < 1u << FEATURES; set++)
		for (unsigned ia_bits = 48; ia_bits <= 57; ia_bits += 9) {
			const struct sides s = sides_of(set, ia_bits);

			assert_true(compare_words(&s, &seed) > WORDS / 20);
		}
}

/* ---- written ------------------------------------------------------------ */

/* Every right, type and mark at every level; how many were not refused. */
static unsigned write_all(const struct sides *s, uint64_t *seed)
{
	static const uint16_t flag[] = {NW_LEAF_ACCESSED, NW_LEAF_DIRTY,
					NW_LEAF_IGNORE_PAT,
					NW_LEAF_SUPPRESS_VE};
	unsigned written = 0;

	for (unsigned n = 0; n < 16u * NW_MEM_COUNT * 16 * NW_LEVELS_MAX; n++) {
		const unsigned level = n % NW_LEVELS_MAX;
		const unsigned m = n / NW_LEVELS_MAX;
		const uint64_t pa = next(seed) & (BIT(OA_BITS) - 1) &
				    ~(BIT(12 + 9 * level) - 1);
		struct nw_attrs attrs = {.prot = m & 15,
					 .memtype = m / 256 % NW_MEM_COUNT,
					 .share = NW_SHARE_INNER,
					 .software = next(seed) & 15};
		uint64_t e;

		for (unsigned i = 0; i < 4; i++)
			attrs.flags |= m >> (4 + i) & 1 ? flag[i] : 0;
		if (nw_x86_ept_ops.encode_leaf(&s->geo, level, NW_PA(pa),
					       &attrs, &e) != NW_OK)
			continue;
		check_leaf(s, level, e, pa, &attrs);
		assert_int_equal(e >> 52 & 15, attrs.software);
		assert_int_equal(e >> 63,
				 !!(attrs.flags & NW_LEAF_SUPPRESS_VE));
		written++;
	}
	return written;
}

static void whatever_is_written_has_no_flaw(void **state)
{
	uint64_t seed = 9;

	(void)state;
	for (unsigned set = 0; set < 1u << FEATURES; set++) {
		const struct sides s = sides_of(set, set & 1 ? 57 : 48);

		assert_true(write_all(&s, &seed) > 50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoders_random_words_agree),
		cmocka_unit_test(whatever_is_written_has_no_flaw),
	};

	return cmocka_run_group_tests_name("check/decode_ept", tests, NULL,
					   NULL);
}
