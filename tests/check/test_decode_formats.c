/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two readings of the x86 and RISC-V manuals compared: the oracle's decoders
 * and the library's formats, over random words of every level.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/table.h>

#include "decode.h"

#define X86_ANY (NW_FEAT_X86_NX | NW_FEAT_X86_1G)
#define RISCV_W UINT64_C(0x04)
#define RISCV_D UINT64_C(0x80)
#define WORDS	60000

struct side {
	const struct nw_format_ops *ops;
	unsigned regime, ia_bits;
	uint64_t root_bytes;
	uint32_t features[4];
};

static const struct side sides[] = {
	{&nw_x86_64_ops,
	 NW_REGIME_X86,
	 48,
	 4096,
	 {0, NW_FEAT_X86_NX, X86_ANY, X86_ANY | NW_FEAT_X86_PKU}},
	{&nw_x86_npt_ops,
	 NW_REGIME_NPT,
	 48,
	 4096,
	 {0, NW_FEAT_X86_NX, X86_ANY, NW_FEAT_X86_1G}},
	{&nw_x86_ept_ops,
	 NW_REGIME_EPT,
	 48,
	 4096,
	 {0, NW_FEAT_EPT_AD | NW_FEAT_X86_1G, NW_FEAT_EPT_XO | NW_FEAT_EPT_MBEC,
	  NW_FEAT_EPT_SPLIT_EXEC | NW_FEAT_X86_1G}},
	{&nw_riscv_s_ops,
	 NW_REGIME_RISCV_S,
	 39,
	 4096,
	 {0, NW_FEAT_SVNAPOT, NW_FEAT_SVADU | NW_FEAT_SVPBMT,
	  NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT}},
	{&nw_riscv_g_ops,
	 NW_REGIME_RISCV_G,
	 41,
	 16384,
	 {0, NW_FEAT_SVNAPOT, NW_FEAT_SVADU | NW_FEAT_SVPBMT,
	  NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT}},
};

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Mostly one that could stand in a table. */
static uint64_t word(const struct nwv_shape *s, unsigned level, uint64_t *seed)
{
	unsigned low = s->regime >= NW_REGIME_RISCV_S ? 10 : 12;
	uint64_t e = next(seed), keep = next(seed);

	if (keep & 3)
		e &= (UINT64_C(1) << (low + 32)) - 1;
	if (keep & 12)
		e &= ~(((UINT64_C(1) << 9 * level) - 1) << low);
	if (keep & 16)
		e &= ~(UINT64_C(1) << 7);
	return e | (keep >> 5 & 1);
}

/* The library's W is the bit; the oracle's is what a store may do. */
static unsigned rights_seen(const struct nwv_shape *s, uint64_t e,
			    const struct nwv_leaf *leaf)
{
	unsigned r = leaf->rights & (NWV_R | NWV_W | NWV_PX | NWV_UX);

	if (s->regime >= NW_REGIME_RISCV_S && (e & RISCV_W) && !(e & RISCV_D))
		r |= NWV_W;
	return r;
}

/* The library refuses what it never writes; the oracle judges the tables of
 * others as well. */
static int is_stricter(const struct nwv_shape *s, enum nw_reason reason)
{
	if (reason == NW_REASON_MEMTYPE)
		return s->regime == NW_REGIME_X86 || s->regime == NW_REGIME_NPT;
	return reason == NW_REASON_RES0 || reason == NW_REASON_RES1 ||
	       reason == NW_REASON_FEATURE;
}

static int agree(const struct nwv_shape *s, unsigned level, uint64_t e,
		 const struct nw_decoded *d)
{
	enum nwv_kind kind = nwv_kind(s, level, e);
	struct nwv_leaf leaf;

	switch (d->kind) {
	case NW_ENTRY_EMPTY:
	case NW_ENTRY_INVALID:
		return kind == NWV_INVALID;
	case NW_ENTRY_TABLE:
		return kind == NWV_TABLE && !nwv_entry_flaw(s, level, e) &&
		       nwv_table_pa(s, e) == d->pa.v;
	case NW_ENTRY_LEAF:
		nwv_leaf_decode(s, level, e, &leaf);
		return kind == NWV_LEAF && !nwv_entry_flaw(s, level, e) &&
		       leaf.pa == d->pa.v &&
		       rights_seen(s, e, &leaf) == d->attrs.prot;
	default:
		return is_stricter(s, d->reason) || kind == NWV_INVALID ||
		       nwv_entry_flaw(s, level, e);
	}
}

static void compare(const struct side *side, uint32_t features)
{
	struct nw_format_config config = {.granule_lg2 = 12,
					  .ia_bits = (uint8_t)side->ia_bits,
					  .oa_bits = 44,
					  .features = features};
	struct nw_geometry geo;
	struct nw_decoded d;
	struct nwv_shape s;
	const char *why = NULL;
	uint64_t seed = 1, e;
	unsigned n, level, leaves = 0;

	assert_int_equal(side->ops->geometry(&config, &geo, &why), NW_OK);
	assert_int_equal(
		nwv_shape_decode(NW_TRACE_SHAPE(side->ops->trace_id, 12,
						side->ia_bits, 44, features),
				 side->regime, side->root_bytes, 0, &s, &why),
		0);
	assert_int_equal(s.levels, geo.levels);
	for (n = 0; n < WORDS; n++) {
		level = n % geo.levels;
		e = word(&s, level, &seed);
		side->ops->decode(&geo, level, e, &d);
		leaves += d.kind == NW_ENTRY_LEAF;
		if (!agree(&s, level, e, &d))
			fail_msg("%s level %u entry %#llx read differently",
				 side->ops->name, level, (unsigned long long)e);
	}
	assert_true(leaves > 20);
}

static void decoders_random_words_agree(void **state)
{
	unsigned i, k;

	(void)state;
	for (i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
		for (k = 0; k < 4; k++)
			compare(&sides[i], sides[i].features[k]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoders_random_words_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
