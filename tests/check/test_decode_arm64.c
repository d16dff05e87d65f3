/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle's reading of arm64 against the manual's own tables, copied here
 * by hand: shapes, addresses of 48 and 52 bits, EL1&0 rights, contiguous runs,
 * and the operands of TLB invalidations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/arm64.h>

#include "decode.h"

#define BIT(n)	 (UINT64_C(1) << (n))
#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))
#define S2	 NW_FORMAT_ID_arm64_s2
#define EL2	 NW_FORMAT_ID_arm64_el2
#define EL10	 NW_FORMAT_ID_arm64_el10
#define LPA2	 NW_FEAT_LPA2
#define LPA	 NW_FEAT_LPA
#define LVA	 NW_FEAT_LVA
#define KIB(n)	 (UINT64_C(1024) * (n))

static unsigned regime_of(unsigned format)
{
	return format == S2    ? NW_REGIME_STAGE2
	       : format == EL2 ? NW_REGIME_EL2
			       : NW_REGIME_EL10;
}

static int decode_shape(unsigned format, unsigned granule_lg2, unsigned ia,
			unsigned oa, unsigned features, uint64_t root_bytes,
			struct nwv_shape *s)
{
	const char *why = NULL;
	int status = nwv_shape_decode(
		NW_TRACE_SHAPE(format, granule_lg2, ia, oa, features),
		regime_of(format), root_bytes, NW_ARM64_MAIR_EL2, s, &why);

	assert_true(!status == !why);
	return status;
}

static struct nwv_shape shape(unsigned format, unsigned granule_lg2,
			      unsigned ia, unsigned features)
{
	struct nwv_shape s;
	unsigned oa = features & (LPA2 | LPA) ? 52 : 48;

	assert_int_equal(decode_shape(format, granule_lg2, ia, oa, features,
				      BIT(granule_lg2), &s),
			 0);
	return s;
}

/* ---- shapes -------------------------------------------------------------- */

/* "Translation granules", "Concatenated translation tables". */
static void shapes_are_those_of_the_manual(void **state)
{
	static const struct {
		unsigned format, granule_lg2, ia, oa, features;
		uint64_t root_bytes;
		unsigned levels, block_levels;
	} t[] = {
		{EL2, 12, 48, 48, 0, KIB(4), 4, 6},
		{EL10, 12, 39, 40, 0, KIB(4), 3, 6},
		{EL10, 12, 48, 48, 0, KIB(4), 4, 6},
		{EL10, 12, 52, 52, LPA2, KIB(4), 5, 14},
		{EL2, 12, 49, 52, LPA2, KIB(4), 5, 14},
		{EL2, 12, 48, 52, LPA2, KIB(4), 4, 14},
		{EL10, 14, 36, 48, 0, KIB(16), 2, 2},
		{EL10, 14, 47, 48, 0, KIB(16), 3, 2},
		{EL10, 14, 48, 48, 0, KIB(16), 4, 2},
		{EL10, 14, 52, 52, LPA2, KIB(16), 4, 6},
		{EL10, 16, 42, 48, 0, KIB(64), 2, 2},
		{EL10, 16, 48, 48, 0, KIB(64), 3, 2},
		{EL10, 16, 52, 48, LVA, KIB(64), 3, 2},
		{EL10, 16, 52, 52, LVA | LPA, KIB(64), 3, 6},
		{EL10, 16, 48, 48, LPA2, KIB(64), 3, 2},
		/* concatenated roots */
		{S2, 12, 40, 40, 0, KIB(8), 3, 6},
		{S2, 12, 40, 40, 0, KIB(4), 4, 6},
		{S2, 12, 43, 48, 0, KIB(64), 3, 6},
		{S2, 12, 44, 48, 0, KIB(128), 4, 6},
		{S2, 12, 52, 52, LPA2, KIB(64), 4, 14},
		{S2, 12, 52, 52, LPA2, KIB(4), 5, 14},
		{S2, 14, 40, 48, 0, KIB(256), 2, 2},
		{S2, 14, 40, 48, 0, KIB(16), 3, 2},
		{S2, 14, 48, 48, 0, KIB(32), 3, 2},
		{S2, 14, 29, 48, 0, KIB(256), 1, 2},
		{S2, 14, 51, 52, LPA2, KIB(256), 3, 6},
		{S2, 16, 46, 48, 0, KIB(1024), 2, 2},
		{S2, 16, 46, 48, 0, KIB(64), 3, 2},
		{S2, 16, 33, 48, 0, KIB(1024), 1, 2},
		{S2, 16, 52, 52, LPA, KIB(64), 3, 6},
		/* stage 1 has none */
		{EL10, 14, 40, 48, 0, KIB(256), 3, 2},
		{EL2, 16, 46, 48, 0, KIB(1024), 3, 2},
	};
	struct nwv_shape s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY(t); i++) {
		assert_int_equal(decode_shape(t[i].format, t[i].granule_lg2,
					      t[i].ia, t[i].oa, t[i].features,
					      t[i].root_bytes, &s),
				 0);
		assert_int_equal(s.levels, t[i].levels);
		assert_int_equal(s.block_levels, t[i].block_levels);
		assert_int_equal(s.index_bits, t[i].granule_lg2 - 3);
		assert_int_equal(s.ia_bits, t[i].ia);
	}
}

static void shapes_beyond_their_features_refused(void **state)
{
	static const struct {
		unsigned format, granule_lg2, ia, oa, features;
	} t[] = {
		{EL10, 12, 52, 48, 0},	  {EL10, 12, 48, 52, 0},
		{EL10, 12, 48, 52, LPA},  {EL10, 12, 52, 48, LVA},
		{EL10, 14, 49, 48, LPA},  {EL10, 12, 53, 52, LPA2},
		{EL10, 12, 52, 53, LPA2}, {EL10, 16, 52, 48, LPA2},
		{EL10, 16, 48, 52, LPA2}, {EL10, 16, 52, 52, LPA},
		{EL10, 16, 52, 52, LVA},  {S2, 16, 52, 48, LVA},
		{S2, 12, 12, 48, 0},	  {S2, 13, 40, 48, 0},
		{EL10, 14, 14, 48, 0},
	};
	const char *why = NULL;
	struct nwv_shape s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY(t); i++)
		assert_int_equal(decode_shape(t[i].format, t[i].granule_lg2,
					      t[i].ia, t[i].oa, t[i].features,
					      KIB(64), &s),
				 -1);
	assert_int_equal(nwv_shape_decode(NW_TRACE_SHAPE(EL10, 12, 48, 48, 0),
					  NW_REGIME_EL2, 4096, 0, &s, &why),
			 -1);
	assert_non_null(why);
}

/* "The Contiguous bit": entries by granule and level. */
static void contiguous_runs_are_those_of_the_manual(void **state)
{
	static const uint8_t runs[3][NW_LEVELS_MAX] = {
		{16, 16, 16, 1, 1}, {128, 32, 1, 1, 1}, {32, 32, 1, 1, 1}};
	static const unsigned spans[3][3] = {
		{12, 21, 30}, {14, 25, 36}, {16, 29, 42}};
	unsigned g, level;

	(void)state;
	for (g = 0; g < 3; g++) {
		struct nwv_shape s =
			shape(EL10, 12 + 2 * g, 48, g == 2 ? LPA : LPA2);

		for (level = 0; level < NW_LEVELS_MAX; level++)
			assert_int_equal(1u << nwv_contig_lg2(&s, level),
					 runs[g][level]);
		for (level = 0; level < 3; level++)
			assert_int_equal(nwv_span_lg2(&s, level),
					 spans[g][level]);
	}
}

/* ---- addresses ----------------------------------------------------------- */

/* One output address at each size that has leaves, as a descriptor. */
static void addresses_of_52_bits_read(void **state)
{
	static const struct {
		unsigned granule_lg2, features, level;
		uint64_t entry, pa;
	} t[] = {
		{12, 0, 0, UINT64_C(0x0000edcba9876000), 0xedcba9876000},
		{12, LPA2, 0, UINT64_C(0x0003edcba9876300), 0xfedcba9876000},
		{12, LPA2, 1, UINT64_C(0x0003edcba9800100), 0x7edcba9800000},
		{12, LPA2, 2, UINT64_C(0x0003edcb80000200), 0xbedcb80000000},
		{12, LPA2, 3, UINT64_C(0x0003ed8000000300), 0xfed8000000000},
		{14, LPA2, 0, UINT64_C(0x0003edcba9874300), 0xfedcba9874000},
		{14, LPA2, 1, UINT64_C(0x0003edcba8000100), 0x7edcba8000000},
		{14, LPA2, 2, UINT64_C(0x0003edc000000300), 0xfedc000000000},
		{14, 0, 1, UINT64_C(0x0000edcba8000000), 0xedcba8000000},
		{16, LPA, 0, UINT64_C(0x0000edcba987f000), 0xfedcba9870000},
		{16, LPA, 1, UINT64_C(0x0000edcba0005000), 0x5edcba0000000},
		{16, LPA, 2, UINT64_C(0x0000ec000000f000), 0xfec0000000000},
		{16, 0, 1, UINT64_C(0x0000edcba0000000), 0xedcba0000000},
	};
	uint64_t marks = BIT(10) | BIT(6) | BIT(54), table;
	struct nwv_leaf leaf;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY(t); i++) {
		struct nwv_shape s =
			shape(EL10, t[i].granule_lg2, 48, t[i].features);
		uint64_t e = t[i].entry | marks | (t[i].level ? 1 : 3);

		assert_int_equal(nwv_kind(&s, t[i].level, e), NWV_LEAF);
		assert_int_equal(nwv_entry_flaw(&s, t[i].level, e),
				 NWV_FLAW_NONE);
		nwv_leaf_decode(&s, t[i].level, e, &leaf);
		assert_true(leaf.pa == t[i].pa);
		assert_true(nwv_leaf_pa(&s, t[i].level, e) == t[i].pa);
		assert_true(
			!(nwv_leaf_pa(&s, t[i].level,
				      e & ~nwv_address_bits(&s, t[i].level))));
		assert_true(!((e & ~nwv_address_bits(&s, t[i].level)) ^
			      (marks | (t[i].level ? 1 : 3))));
		if (t[i].level)
			continue;
		table = t[i].entry | 3;
		assert_int_equal(nwv_kind(&s, 1, table), NWV_TABLE);
		assert_int_equal(nwv_entry_flaw(&s, 1, table), NWV_FLAW_NONE);
		assert_true(nwv_table_pa(&s, table) == t[i].pa);
	}
}

/* The same bits where the shape gives them no meaning, or another. */
static void address_bits_without_their_feature_refused(void **state)
{
	struct nwv_shape plain = shape(EL10, 12, 48, 0);
	struct nwv_shape k16 = shape(EL10, 14, 48, LPA2);
	struct nwv_shape k64 = shape(EL10, 16, 48, 0);
	struct nwv_shape lpa2 = shape(EL10, 12, 48, LPA2);
	uint64_t page = BIT(31) | BIT(10) | 3;
	struct nwv_leaf a, b;

	(void)state;
	assert_int_equal(nwv_entry_flaw(&plain, 0, page | BIT(49)),
			 NWV_FLAW_RES0);
	assert_int_equal(nwv_entry_flaw(&plain, 0, page | BIT(8)),
			 NWV_FLAW_SHARE);
	assert_int_equal(nwv_entry_flaw(&plain, 1, page | BIT(48)),
			 NWV_FLAW_RES0);
	assert_int_equal(nwv_entry_flaw(&k64, 0, page | BIT(12)),
			 NWV_FLAW_ALIGN);
	assert_int_equal(nwv_entry_flaw(&k64, 1, page | BIT(15)),
			 NWV_FLAW_ALIGN);
	assert_int_equal(nwv_entry_flaw(&k16, 0, page | BIT(12)),
			 NWV_FLAW_ALIGN);
	assert_int_equal(nwv_entry_flaw(&k16, 1, page | BIT(13)),
			 NWV_FLAW_ALIGN);
	lpa2.oa_bits = 50;
	assert_int_equal(nwv_entry_flaw(&lpa2, 0, page | BIT(49)),
			 NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&lpa2, 0, page | BIT(8)),
			 NWV_FLAW_SIZE);
	assert_int_equal(nwv_entry_flaw(&lpa2, 1, page | BIT(9)),
			 NWV_FLAW_SIZE);
	/* Shareability is the TCR's: bits 9:8 say nothing about it. */
	nwv_leaf_decode(&lpa2, 0, page, &a);
	nwv_leaf_decode(&lpa2, 0, page | BIT(9) | BIT(8), &b);
	assert_int_equal(a.share, b.share);
	assert_int_equal(nwv_change(&lpa2, 0, page, page | BIT(9)),
			 NWV_D_ADDRESS);
	assert_int_equal(nwv_change(&plain, 0, page, page | BIT(9)),
			 NWV_D_SHARE);
}

/* Sizes of blocks, and the contiguous bit where there are no runs. */
static void blocks_exist_where_the_manual_has_them(void **state)
{
	/* by granule, then by with and without the feature: bit n, level n */
	static const unsigned blocks[3][2] = {{6, 14}, {2, 6}, {2, 6}};
	unsigned g, wide, level;

	(void)state;
	for (g = 0; g < 3; g++)
		for (wide = 0; wide < 2; wide++) {
			struct nwv_shape s = shape(S2, 12 + 2 * g, 48,
						   !wide    ? 0
						   : g == 2 ? LPA
							    : LPA2);

			for (level = 1; level < 4; level++) {
				int is = blocks[g][wide] >> level & 1;
				uint64_t e = BIT(46) | BIT(10) | BIT(6) | 1;

				if (nwv_span_lg2(&s, level) > 46)
					continue;
				assert_int_equal(nwv_kind(&s, level, e),
						 is ? NWV_LEAF : NWV_RESERVED);
				assert_int_equal(nwv_entry_flaw(&s, level, e),
						 is ? NWV_FLAW_NONE
						    : NWV_FLAW_TYPE);
				e |= BIT(52);
				if (is && !nwv_contig_lg2(&s, level))
					assert_int_equal(
						nwv_entry_flaw(&s, level, e),
						NWV_FLAW_RES0);
			}
		}
}

/* ---- EL1&0 rights -------------------------------------------------------- */

/* "Stage 1 data and instruction accesses": AP[2:1], UXN and PXN. */
static void el10_rights_are_those_of_the_manual(void **state)
{
	enum { R = NWV_R, W = NWV_W, U = NWV_U, PX = NWV_PX, UX = NWV_UX };
	/* by AP[2:1] */
	static const unsigned data[4] = {R | W, R | W | U, R, R | U};
	struct nwv_shape s = shape(EL10, 12, 48, NW_FEAT_HD | NW_FEAT_BTI);
	unsigned ap, uxn, pxn, want;
	struct nwv_leaf leaf;

	(void)state;
	for (ap = 0; ap < 4; ap++)
		for (uxn = 0; uxn < 2; uxn++)
			for (pxn = 0; pxn < 2; pxn++) {
				uint64_t e = BIT(10) | (uint64_t)ap << 6 |
					     (uint64_t)uxn << 54 |
					     (uint64_t)pxn << 53 | 3;

				want = data[ap] | (uxn ? 0 : UX) |
				       (pxn || ap == 1 ? 0 : PX);
				nwv_leaf_decode(&s, 0, e, &leaf);
				assert_int_equal(leaf.rights, want);
				assert_int_equal(leaf.is_global, 1);
				assert_int_equal(leaf.can_get_write, 0);
				nwv_leaf_decode(&s, 0, e | BIT(11) | BIT(51),
						&leaf);
				assert_int_equal(leaf.is_global, 0);
				assert_int_equal(leaf.can_get_write, 1);
				assert_int_equal(
					nwv_entry_flaw(&s, 0,
						       e | BIT(50) | BIT(5)),
					NWV_FLAW_NONE);
			}
}

static void el10_changes_named(void **state)
{
	struct nwv_shape s = shape(EL10, 14, 48, 0);
	uint64_t e = BIT(31) | BIT(11) | BIT(10) | BIT(6) | BIT(53) | 3;

	(void)state;
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(11)), NWV_D_GLOBAL);
	assert_int_equal(nwv_change(&s, 0, e ^ BIT(11), e), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(5)), NWV_D_ADDRESS);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(6)), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e ^ BIT(6), e), 0);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(7)), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(54)), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(10)), NWV_D_AGED);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(52)), NWV_D_CONTIG);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(2)), NWV_D_MEMTYPE);
	assert_int_equal(nwv_change(&s, 0, e, e ^ BIT(55)), 0);
	/* A page of what was a block keeps its nG and NS. */
	e = BIT(31) | BIT(11) | BIT(10) | 1;
	assert_true(nwv_same_translation(&s, 1, e, 5, (e | 2) + 5 * KIB(16)));
	assert_false(nwv_same_translation(&s, 1, e, 5,
					  ((e | 2) ^ BIT(11)) + 5 * KIB(16)));
	assert_false(nwv_same_translation(&s, 1, e, 5,
					  ((e | 2) ^ BIT(5)) + 5 * KIB(16)));
	assert_false(nwv_same_translation(&s, 1, e, 5, (e | 2) + 6 * KIB(16)));
}

/* ---- invalidations ------------------------------------------------------- */

/* "TLB maintenance instructions", what each acts on. */
enum {
	LOCAL = 1,
	ALL = 2,
	TAGS = 4,
	BY_ASID = 8,
	KEEPS = 16,
	LAST = 32,
	RANGE = 64,
	STAGE2 = 128,
	COMBINED = 256,
};

static unsigned acts_of(const struct nwv_inval *v)
{
	return (v->is_local ? LOCAL : 0) | (v->is_all ? ALL : 0) |
	       (v->is_all_tags ? TAGS : 0) | (v->is_by_asid ? BY_ASID : 0) |
	       (v->keeps_global ? KEEPS : 0) | (v->is_last_level ? LAST : 0) |
	       (v->is_range ? RANGE : 0) | (v->stage2 ? STAGE2 : 0) |
	       (v->combined ? COMBINED : 0);
}

static void operations_act_on_what_the_manual_says(void **state)
{
	static const struct {
		unsigned op;
		const char *name;
		unsigned regime, acts;
	} t[] = {
#define OP(name, regime, acts) {NW_TLBI_##name, #name, NW_REGIME_##regime, acts}
		OP(VAE1IS, EL10, BY_ASID),
		OP(VALE1IS, EL10, BY_ASID | LAST),
		OP(VAAE1IS, EL10, TAGS),
		OP(VAALE1IS, EL10, TAGS | LAST),
		OP(ASIDE1IS, EL10, BY_ASID | KEEPS),
		OP(RVAE1IS, EL10, BY_ASID | RANGE),
		OP(RVALE1IS, EL10, BY_ASID | RANGE | LAST),
		OP(RVAAE1IS, EL10, TAGS | RANGE),
		OP(RVAALE1IS, EL10, TAGS | RANGE | LAST),
		OP(VAE1, EL10, BY_ASID | LOCAL),
		OP(VALE1, EL10, BY_ASID | LAST | LOCAL),
		OP(ASIDE1, EL10, BY_ASID | KEEPS | LOCAL),
		OP(VMALLE1IS, STAGE2, COMBINED | ALL),
		OP(VMALLE1, STAGE2, COMBINED | ALL | LOCAL),
		OP(VMALLS12E1IS, STAGE2, STAGE2 | COMBINED | ALL),
		OP(ALLE1IS, STAGE2, STAGE2 | COMBINED | ALL | TAGS),
		OP(IPAS2LE1IS, STAGE2, STAGE2 | LAST),
		OP(RIPAS2LE1IS, STAGE2, STAGE2 | LAST | RANGE),
		OP(RVALE2IS, EL2, TAGS | LAST | RANGE),
		OP(RVAE2IS, EL2, TAGS | RANGE),
		OP(VALE2, EL2, TAGS | LAST | LOCAL),
	};
	struct nwv_inval v;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY(t); i++) {
		assert_int_equal(nwv_inval_decode(t[i].op, 0, &v), 0);
		assert_int_equal(v.regime, t[i].regime);
		assert_int_equal(acts_of(&v), t[i].acts);
		assert_string_equal(nwv_tlbi_name(t[i].op), t[i].name);
	}
}

static struct nwv_inval fit(unsigned op, uint64_t operand,
			    const struct nwv_shape *s)
{
	struct nwv_inval v, mine;

	assert_int_equal(nwv_inval_decode(op, operand, &v), 0);
	assert_int_equal(nwv_a64_inval_fit(&v, s, &mine), 1);
	return mine;
}

/* ASID 63:48, TTL 47:44, VA[55:12] 43:0. */
static void operand_by_address_read(void **state)
{
	struct nwv_shape s = shape(EL10, 16, 48, 0);
	struct nwv_inval v =
		fit(NW_TLBI_VAE1IS, UINT64_C(0xa5c3e00012345678), &s);

	(void)state;
	assert_int_equal(v.asid, 0xa5c3);
	assert_int_equal(v.granule_lg2, 16);
	assert_int_equal(v.hint, 2 + 1);
	assert_true(v.start == UINT64_C(0x12345678000));
	assert_true(v.end == UINT64_C(0x12345679000));
	/* The hint of level 0 is one with LPA2 alone, and 4 KiB alone. */
	v = fit(NW_TLBI_VAE1IS, UINT64_C(1) << 46, &s);
	assert_int_equal(v.hint, 0);
	s = shape(EL10, 12, 48, LPA2);
	v = fit(NW_TLBI_VAE1IS, UINT64_C(1) << 46, &s);
	assert_int_equal(v.hint, 0 + 1);
	v = fit(NW_TLBI_VAE1IS, 0, &s);
	assert_int_equal(v.hint, 0);
	v = fit(NW_TLBI_ASIDE1IS, UINT64_C(0xa5c3) << 48, &s);
	assert_int_equal(v.asid, 0xa5c3);
	assert_true(v.start == 0 && v.end == ~UINT64_C(0) && !v.hint);
}

static uint64_t range(unsigned tg, unsigned scale, unsigned num, unsigned ttl,
		      uint64_t base)
{
	return (uint64_t)tg << 46 | (uint64_t)scale << 44 |
	       (uint64_t)num << 39 | (uint64_t)ttl << 37 | base;
}

static void expect_range(const struct nwv_shape *s, uint64_t operand,
			 uint64_t start, uint64_t bytes)
{
	struct nwv_inval v = fit(NW_TLBI_RVAAE1IS, operand, s);

	assert_true(v.start == start);
	assert_true(v.end - v.start == bytes);
}

/* (NUM + 1) << (5 * SCALE + 1) granules from BaseADDR: in granules, or in
 * units of 64 KiB where TCR DS is set. */
static void operand_by_range_read(void **state)
{
	struct nwv_shape k4 = shape(EL10, 12, 48, 0);
	struct nwv_shape k16 = shape(EL10, 14, 48, 0);
	struct nwv_shape k64 = shape(EL10, 16, 48, 0);
	struct nwv_shape k4_lpa2 = shape(EL10, 12, 52, LPA2);
	struct nwv_shape k16_lpa2 = shape(EL10, 14, 52, LPA2);
	struct nwv_shape k64_lpa2 = shape(EL10, 16, 48, LPA2 | LPA);

	(void)state;
	expect_range(&k4, range(1, 0, 0, 0, 0x123), 0x123000, KIB(8));
	expect_range(&k4, range(1, 3, 31, 0, 0), 0, KIB(4) << 21);
	expect_range(&k16, range(2, 0, 1, 0, 0x123), 0x48c000, KIB(64));
	expect_range(&k16, range(2, 1, 2, 0, 1), 0x4000, KIB(16) * 192);
	expect_range(&k64, range(3, 0, 4, 3, 0x123), 0x1230000, KIB(640));
	expect_range(&k4_lpa2, range(1, 0, 0, 0, 0x123), 0x1230000, KIB(8));
	expect_range(&k4_lpa2, range(1, 0, 1, 0, BIT(35)), BIT(51), KIB(16));
	expect_range(&k16_lpa2, range(2, 0, 0, 0, 0x123), 0x1230000, KIB(32));
	expect_range(&k64_lpa2, range(3, 0, 0, 0, 0x123), 0x1230000, KIB(128));
	/* TG 0 is reserved. */
	expect_range(&k4_lpa2, range(0, 0, 0, 0, 0x123), 0, 0);
	assert_int_equal(
		fit(NW_TLBI_RVAE1IS, range(2, 0, 0, 1, 0), &k16_lpa2).hint,
		1 + 1);
}

/* Which tables an operation is about at all. */
static void operations_concern_their_regime(void **state)
{
	static const struct {
		unsigned op;
		unsigned regimes; /* bit n: enum nw_regime n */
	} t[] = {
		{NW_TLBI_VMALLE1IS, 5}, {NW_TLBI_VMALLS12E1IS, 5},
		{NW_TLBI_ALLE1IS, 5},	{NW_TLBI_VMALLE1, 5},
		{NW_TLBI_IPAS2E1IS, 1}, {NW_TLBI_RIPAS2LE1IS, 1},
		{NW_TLBI_VAE1IS, 4},	{NW_TLBI_ASIDE1, 4},
		{NW_TLBI_RVAALE1IS, 4}, {NW_TLBI_ALLE2IS, 2},
		{NW_TLBI_RVALE2IS, 2},
	};
	struct nwv_shape s[3] = {shape(S2, 12, 48, 0), shape(EL2, 12, 48, 0),
				 shape(EL10, 12, 48, 0)};
	struct nwv_inval v, mine;
	unsigned i, k;

	(void)state;
	for (i = 0; i < ARRAY(t); i++)
		for (k = 0; k < 3; k++) {
			assert_int_equal(nwv_inval_decode(t[i].op, 0, &v), 0);
			assert_int_equal(nwv_a64_inval_fit(&v, &s[k], &mine),
					 t[i].regimes >> k & 1);
			if (!(t[i].regimes >> k & 1))
				continue;
			assert_int_equal(mine.regime, k);
			if (k == 2 && t[i].regimes == 5)
				assert_true(mine.is_all_tags);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_are_those_of_the_manual),
		cmocka_unit_test(shapes_beyond_their_features_refused),
		cmocka_unit_test(contiguous_runs_are_those_of_the_manual),
		cmocka_unit_test(addresses_of_52_bits_read),
		cmocka_unit_test(address_bits_without_their_feature_refused),
		cmocka_unit_test(blocks_exist_where_the_manual_has_them),
		cmocka_unit_test(el10_rights_are_those_of_the_manual),
		cmocka_unit_test(el10_changes_named),
		cmocka_unit_test(operations_act_on_what_the_manual_says),
		cmocka_unit_test(operand_by_address_read),
		cmocka_unit_test(operand_by_range_read),
		cmocka_unit_test(operations_concern_their_regime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
