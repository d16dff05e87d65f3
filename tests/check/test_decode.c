/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two readings of the manual compared: the oracle's decoder and the library's
 * formats, over every combination of attributes and over random words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/arm64.h>
#include <nestwalk/table.h>

#include "decode.h"

#define BIT(n) (UINT64_C(1) << (n))

struct side {
	const struct nw_format_ops *ops;
	struct nw_geometry geo;
	struct nwv_shape shape;
};

static const unsigned features[] = {
	0,
	NW_FEAT_FWB | NW_FEAT_XNX,
	NW_FEAT_HAF | NW_FEAT_HD,
	NW_FEAT_BBM1,
	NW_FEAT_BBM1 | NW_FEAT_BBM2,
	NW_FEAT_XS | NW_FEAT_BTI,
	/* Wide addresses: test_decode_arm64.c. */
	NW_FEAT_ALL & ~(NW_FEAT_LPA2 | NW_FEAT_LPA | NW_FEAT_LVA),
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

static void open_side(struct side *s, int is_stage2, unsigned feat)
{
	struct nw_format_config config = {.granule_lg2 = 12,
					  .ia_bits = 40,
					  .oa_bits = 44,
					  .features = (uint16_t)feat};
	const char *why = NULL;

	s->ops = is_stage2 ? &nw_arm64_s2_ops : &nw_arm64_el2_ops;
	assert_int_equal(s->ops->geometry(&config, &s->geo, &why), NW_OK);
	assert_int_equal(
		nwv_shape_decode(
			NW_TRACE_SHAPE(s->ops->trace_id, 12, 40, 44, feat),
			is_stage2 ? NW_REGIME_STAGE2 : NW_REGIME_EL2,
			UINT64_C(4096) << s->geo.root_pages_lg2,
			NW_ARM64_MAIR_EL2, &s->shape, &why),
		0);
	assert_int_equal(s->shape.levels, s->geo.levels);
	assert_int_equal(s->shape.index_bits, s->geo.index_bits);
}

/* MemAttr or AttrIndx of a memory type, from the manual's tables. */
static int memattr_of(const struct side *s, unsigned memtype)
{
	static const int8_t stage2[NW_MEM_COUNT] = {0, 1,  2,  3,  5,  6,  7,
						    9, 10, 11, 13, 14, 15, -1};
	static const int8_t forced[NW_MEM_COUNT] = {0,	1,  2,	3,  5,	-1, -1,
						    -1, -1, -1, -1, -1, 6,  7};
	static const int8_t index[NW_MEM_COUNT] = {0,  1, 2,  3,  4,  -1, -1,
						   -1, 5, -1, -1, -1, 6,  -1};

	if (s->shape.regime != NW_REGIME_STAGE2)
		return index[memtype];
	return s->shape.features & NW_FEAT_FWB ? forced[memtype]
					       : stage2[memtype];
}

static void compare_leaf(const struct side *s, unsigned level, uint64_t e,
			 uint64_t pa, const struct nw_attrs *a)
{
	static const uint8_t sh_of[NW_SHARE_COUNT] = {0, 2, 3};
	struct nwv_leaf leaf;

	nwv_leaf_decode(&s->shape, level, e, &leaf);
	if (nwv_kind(&s->shape, level, e) != NWV_LEAF ||
	    nwv_entry_flaw(&s->shape, level, e) != NWV_FLAW_NONE ||
	    leaf.pa != pa || leaf.rights != a->prot ||
	    leaf.memattr != memattr_of(s, a->memtype) ||
	    leaf.share != sh_of[a->share] ||
	    leaf.is_device != (a->memtype <= NW_MEM_DEVICE_GRE) ||
	    leaf.has_access_flag != !!(a->flags & NW_LEAF_ACCESSED) ||
	    leaf.has_dbm != !!(a->flags & NW_LEAF_DBM) ||
	    leaf.has_contig != !!(a->flags & NW_LEAF_CONTIG) ||
	    leaf.has_nt != !!(a->flags & NW_LEAF_NT))
		fail_msg("%s level %u entry %#llx read differently",
			 s->ops->name, level, (unsigned long long)e);
}

/* Every attribute that a leaf can have; returns how many there were. */
static unsigned all_attributes(const struct side *s, unsigned level)
{
	uint64_t pa = UINT64_C(0x5c0000000) + (level ? 0 : 0x7000), e;
	struct nw_attrs a = {0};
	unsigned n = 0, flags;

	for (flags = 0; flags < 128; flags++)
		for (a.prot = 0; a.prot < 16; a.prot++)
			for (a.memtype = 0; a.memtype < NW_MEM_COUNT;
			     a.memtype++)
				for (a.share = 0; a.share < NW_SHARE_COUNT;
				     a.share++) {
					a.flags = (uint8_t)flags;
					a.software = flags & 15;
					a.hardware = a.prot;
					if (s->ops->encode_leaf(&s->geo, level,
								NW_PA(pa), &a,
								&e))
						continue;
					compare_leaf(s, level, e, pa, &a);
					n++;
				}
	return n;
}

static void decoders_all_attributes_agree(void **state)
{
	unsigned i, level, is_stage2, n = 0;
	struct side s;

	(void)state;
	for (i = 0; i < FEATURES; i++)
		for (is_stage2 = 0; is_stage2 < 2; is_stage2++) {
			open_side(&s, (int)is_stage2, features[i]);
			for (level = 0; level < 3; level++)
				n += all_attributes(&s, level);
		}
	assert_true(n > 20000);
}

/* ---- random words ------------------------------------------------------ */

static uint64_t next(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Mostly plausible, so that what follows the first check is reached too. */
static uint64_t word(const struct side *s, unsigned level, uint64_t *seed)
{
	uint64_t e = next(seed), keep = next(seed);

	if (keep & 1)
		e &= ~(BIT(63) | BIT(50) | BIT(49) | BIT(48) |
		       (BIT(47) - BIT(44)) | BIT(47));
	if (keep & 2)
		e &= ~((BIT(nwv_span_lg2(&s->shape, level)) - 1) &
		       ~(BIT(12) - 1));
	if (keep & 4)
		e |= 3;
	if (keep & 8)
		e |= BIT(6) | BIT(9);
	return e;
}

/*
 * The library refuses more than the hardware does: what it never writes. The
 * oracle judges the tables of others as well.
 */
static int is_stricter(enum nw_reason reason)
{
	return reason == NW_REASON_FEATURE || reason == NW_REASON_RES0 ||
	       reason == NW_REASON_RIGHTS || reason == NW_REASON_MEMTYPE ||
	       reason == NW_REASON_RES1;
}

static void compare_word(const struct side *s, unsigned level, uint64_t e)
{
	enum nwv_kind kind = nwv_kind(&s->shape, level, e);
	enum nwv_flaw flaw = nwv_entry_flaw(&s->shape, level, e);
	struct nw_decoded d;

	s->ops->decode(&s->geo, level, e, &d);
	switch (d.kind) {
	case NW_ENTRY_EMPTY:
	case NW_ENTRY_INVALID:
		assert_int_equal(kind, NWV_INVALID);
		return;
	case NW_ENTRY_TABLE:
		assert_int_equal(kind, NWV_TABLE);
		assert_int_equal(flaw, NWV_FLAW_NONE);
		assert_true(nwv_table_pa(&s->shape, e) == d.pa.v);
		return;
	case NW_ENTRY_LEAF:
		compare_leaf(s, level, e, d.pa.v, &d.attrs);
		return;
	case NW_ENTRY_RESERVED:
		break;
	}
	if (flaw == NWV_FLAW_NONE && !is_stricter(d.reason))
		fail_msg("%s level %u entry %#llx: the library says \"%s\"",
			 s->ops->name, level, (unsigned long long)e,
			 nw_reason_text(d.reason));
}

static void decoders_random_words_agree(void **state)
{
	uint64_t seed = 1;
	unsigned i, level, is_stage2, n;
	struct side s;

	(void)state;
	for (i = 0; i < FEATURES; i++)
		for (is_stage2 = 0; is_stage2 < 2; is_stage2++) {
			open_side(&s, (int)is_stage2, features[i]);
			for (n = 0; n < 60000; n++) {
				level = n % s.geo.levels;
				compare_word(&s, level, word(&s, level, &seed));
			}
		}
}

/* ---- changes ----------------------------------------------------------- */

static int oracle_needs_break(const struct nwv_shape *s, unsigned level,
			      uint64_t old, uint64_t new_entry)
{
	unsigned d = nwv_change(s, level, old, new_entry);
	uint64_t block = d & NWV_D_TO_TABLE ? old : new_entry;

	if (d & (NWV_D_ADDRESS | NWV_D_MEMTYPE | NWV_D_SHARE | NWV_D_TABLE))
		return 1;
	if (d & NWV_D_CONTIG)
		return !(s->features & (NW_FEAT_BBM1 | NW_FEAT_BBM2));
	if (d & (NWV_D_TO_TABLE | NWV_D_TO_BLOCK))
		return !(s->features & NW_FEAT_BBM2) &&
		       !((s->features & NW_FEAT_BBM1) && (block & BIT(16)));
	return 0;
}

/*
 * Where the manual leaves it open the library breaks, and the oracle does not
 * ask for it: PBHA, FnXS, GP, and bits that are zero in every entry of ours
 * (address bits below a block's size: another rule refuses those).
 */
static uint64_t left_open(const struct nwv_shape *s, unsigned level)
{
	uint64_t bits = BIT(63) | (UINT64_C(15) << 59) | BIT(50) | BIT(49) |
			BIT(48) | BIT(11);

	bits |= (BIT(nwv_span_lg2(s, level)) - 1) & ~(BIT(12) - 1) & ~BIT(16);
	if (s->regime != NW_REGIME_STAGE2)
		bits |= BIT(5) | BIT(6) | BIT(53);
	return bits;
}

static void compare_change(const struct side *s, unsigned level, uint64_t old,
			   uint64_t new_entry)
{
	int theirs = s->ops->change_needs_break(&s->geo, level, old, new_entry);
	int ours = oracle_needs_break(&s->shape, level, old, new_entry);

	/* A reserved type is no translation to the oracle: refused elsewhere.
	 */
	if (nwv_kind(&s->shape, level, old) == NWV_RESERVED ||
	    nwv_kind(&s->shape, level, new_entry) == NWV_RESERVED)
		return;
	if (ours != !!theirs &&
	    (ours || !((old ^ new_entry) & left_open(&s->shape, level))))
		fail_msg("%s level %u %#llx -> %#llx: break %d, library %d",
			 s->ops->name, level, (unsigned long long)old,
			 (unsigned long long)new_entry, ours, theirs);
}

/* A good leaf, then each bit of it flipped, and two at once. */
static void decoders_changes_agree(void **state)
{
	uint64_t seed = 2, e, pa = UINT64_C(0x5c0000000);
	unsigned i, level, is_stage2, bit, n;
	struct side s;

	(void)state;
	for (i = 0; i < FEATURES; i++)
		for (is_stage2 = 0; is_stage2 < 2; is_stage2++)
			for (n = 0; n < 3000; n++) {
				struct nw_attrs a = {
					.prot = (uint8_t)(next(&seed) & 15),
					.memtype = (uint8_t)(next(&seed) %
							     NW_MEM_COUNT),
					.share = (uint8_t)(next(&seed) % 3),
					.flags = (uint8_t)(next(&seed) & 15),
				};

				open_side(&s, (int)is_stage2, features[i]);
				level = n % 3;
				if (s.ops->encode_leaf(&s.geo, level, NW_PA(pa),
						       &a, &e))
					continue;
				for (bit = 0; bit < 64; bit++) {
					compare_change(&s, level, e,
						       e ^ BIT(bit));
					compare_change(
						&s, level, e,
						e ^ BIT(bit) ^
							BIT(next(&seed) & 63));
				}
				compare_change(&s, level, e,
					       UINT64_C(0x40001003));
				compare_change(&s, level, UINT64_C(0x40001003),
					       e);
			}
}

/* ---- invalidations ----------------------------------------------------- */

static void operands_are_read_as_the_manual_says(void **state)
{
	struct nwv_inval v;

	(void)state;
	/* IPAS2E1IS of 0x80123000, TTL 0b0110: 4 KiB granule, level 2. */
	assert_int_equal(nwv_inval_decode(NW_TLBI_IPAS2E1IS,
					  UINT64_C(0x600000080123), &v),
			 0);
	assert_true(v.start == UINT64_C(0x80123000));
	assert_true(v.end == UINT64_C(0x80124000));
	assert_int_equal(v.hint, 2 + 1);
	assert_int_equal(v.granule_lg2, 12);
	assert_true(v.stage2 && !v.combined && !v.is_local && !v.is_all);
	/* RVAE2IS: TG 16 KiB, SCALE 2, NUM 3, TTL 3, base 0x5 granules:
	 * (3 + 1) << (5 * 2 + 1) granules. */
	assert_int_equal(nwv_inval_decode(NW_TLBI_RVAE2IS,
					  UINT64_C(2) << 46 |
						  UINT64_C(2) << 44 |
						  UINT64_C(3) << 39 |
						  UINT64_C(3) << 37 | 5,
					  &v),
			 0);
	assert_int_equal(v.granule_lg2, 14);
	assert_true(v.start == UINT64_C(5) << 14);
	assert_true(v.end - v.start == UINT64_C(8192) << 14);
	assert_int_equal(v.hint, 3 + 1);
	/* TG 0 is reserved: nothing can be relied on. */
	assert_int_equal(nwv_inval_decode(NW_TLBI_RVAE2IS, 5, &v), 0);
	assert_true(v.end == 0);
	assert_int_equal(nwv_inval_decode(NW_TLBI_COUNT, 0, &v), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoders_all_attributes_agree),
		cmocka_unit_test(decoders_random_words_agree),
		cmocka_unit_test(decoders_changes_agree),
		cmocka_unit_test(operands_are_read_as_the_manual_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
