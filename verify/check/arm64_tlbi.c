/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB invalidations and barriers of arm64, from the manual. */
#include "arm64.h"

#define BIT(n) (UINT64_C(1) << (n))
#define BITS(e, last, first)                                                   \
	((unsigned)((e) >> (first) & (BIT((last) - (first) + 1) - 1)))

/* What an operation acts on. */
#define LOCAL 0x001u /* this CPU */
#define ALL   0x002u /* no address */
#define TAGS  0x004u /* every VMID or ASID */
#define S2    0x008u /* what was made from stage 2 alone */
#define COMB  0x010u /* combined entries, and those of EL1&0 stage 1 */
#define LAST  0x020u /* leaves only */
#define RANGE 0x040u
#define ASID  0x080u /* of one ASID, in the operand, and global leaves */
#define KEEPS 0x100u /* ... but not those */

#define STAGE2 NW_REGIME_STAGE2
#define EL2    NW_REGIME_EL2
#define EL10   NW_REGIME_EL10

/* Indexed by enum nw_tlbi. */
static const struct {
	const char *name;
	uint8_t regime;
	uint16_t acts;
} ops[NW_TLBI_COUNT] = {
	[NW_TLBI_IPAS2E1IS] = {"IPAS2E1IS", STAGE2, S2},
	[NW_TLBI_IPAS2LE1IS] = {"IPAS2LE1IS", STAGE2, S2 | LAST},
	[NW_TLBI_RIPAS2E1IS] = {"RIPAS2E1IS", STAGE2, S2 | RANGE},
	[NW_TLBI_RIPAS2LE1IS] = {"RIPAS2LE1IS", STAGE2, S2 | RANGE | LAST},
	[NW_TLBI_IPAS2E1] = {"IPAS2E1", STAGE2, S2 | LOCAL},
	[NW_TLBI_RIPAS2E1] = {"RIPAS2E1", STAGE2, S2 | LOCAL | RANGE},
	[NW_TLBI_VMALLE1IS] = {"VMALLE1IS", STAGE2, COMB | ALL},
	[NW_TLBI_VMALLE1] = {"VMALLE1", STAGE2, COMB | ALL | LOCAL},
	[NW_TLBI_VMALLS12E1IS] = {"VMALLS12E1IS", STAGE2, S2 | COMB | ALL},
	[NW_TLBI_VMALLS12E1] = {"VMALLS12E1", STAGE2, S2 | COMB | ALL | LOCAL},
	[NW_TLBI_ALLE1IS] = {"ALLE1IS", STAGE2, S2 | COMB | ALL | TAGS},
	[NW_TLBI_ALLE1] = {"ALLE1", STAGE2, S2 | COMB | ALL | TAGS | LOCAL},
	/* EL2 has no tag. */
	[NW_TLBI_VAE2IS] = {"VAE2IS", EL2, TAGS},
	[NW_TLBI_VALE2IS] = {"VALE2IS", EL2, TAGS | LAST},
	[NW_TLBI_RVAE2IS] = {"RVAE2IS", EL2, TAGS | RANGE},
	[NW_TLBI_RVALE2IS] = {"RVALE2IS", EL2, TAGS | RANGE | LAST},
	[NW_TLBI_VAE2] = {"VAE2", EL2, TAGS | LOCAL},
	[NW_TLBI_VALE2] = {"VALE2", EL2, TAGS | LOCAL | LAST},
	[NW_TLBI_ALLE2IS] = {"ALLE2IS", EL2, TAGS | ALL},
	[NW_TLBI_ALLE2] = {"ALLE2", EL2, TAGS | ALL | LOCAL},
	[NW_TLBI_VAE1IS] = {"VAE1IS", EL10, ASID},
	[NW_TLBI_VALE1IS] = {"VALE1IS", EL10, ASID | LAST},
	[NW_TLBI_VAAE1IS] = {"VAAE1IS", EL10, TAGS},
	[NW_TLBI_VAALE1IS] = {"VAALE1IS", EL10, TAGS | LAST},
	[NW_TLBI_ASIDE1IS] = {"ASIDE1IS", EL10, ASID | KEEPS},
	[NW_TLBI_RVAE1IS] = {"RVAE1IS", EL10, ASID | RANGE},
	[NW_TLBI_RVALE1IS] = {"RVALE1IS", EL10, ASID | RANGE | LAST},
	[NW_TLBI_RVAAE1IS] = {"RVAAE1IS", EL10, TAGS | RANGE},
	[NW_TLBI_RVAALE1IS] = {"RVAALE1IS", EL10, TAGS | RANGE | LAST},
	[NW_TLBI_VAE1] = {"VAE1", EL10, ASID | LOCAL},
	[NW_TLBI_VALE1] = {"VALE1", EL10, ASID | LOCAL | LAST},
	[NW_TLBI_ASIDE1] = {"ASIDE1", EL10, ASID | LOCAL | KEEPS},
};

/* TG, and the granule half of TTL: 1, 2, 3 for 4, 16, 64 KiB. */
static unsigned granule_of(unsigned tg)
{
	return tg ? 10 + 2 * tg : 0;
}

/*
 * By range (FEAT_TLBIRANGE): BaseADDR 36:0, TTL 38:37, NUM 43:39, SCALE 45:44,
 * TG 47:46. The base is in granules, or with LPA2 in units of 64 KiB; the
 * length is in granules always. With TG 0, which is reserved, nothing is
 * covered.
 */
static void decode_range(unsigned base_lg2, struct nwv_inval *out)
{
	unsigned tg = BITS(out->operand, 47, 46);
	unsigned scale = BITS(out->operand, 45, 44);
	unsigned num = BITS(out->operand, 43, 39);
	unsigned ttl = BITS(out->operand, 38, 37);
	uint64_t granules = (uint64_t)(num + 1) << (5 * scale + 1);

	out->granule_lg2 = (uint8_t)granule_of(tg);
	out->hint = ttl ? (uint8_t)(ttl + 1) : 0;
	if (!tg)
		return;
	out->start = (out->operand & (BIT(37) - 1))
		     << (base_lg2 ? base_lg2 : out->granule_lg2);
	out->end = out->start + (granules << out->granule_lg2);
}

/* By address: bits 55:12 of it in 43:0, TTL in 47:44. */
static void decode_address(struct nwv_inval *out)
{
	unsigned tg = BITS(out->operand, 47, 46);
	unsigned level = BITS(out->operand, 45, 44);

	out->start = (out->operand & (BIT(44) - 1)) << 12;
	out->end = out->start + BIT(12);
	if (tg) {
		out->granule_lg2 = (uint8_t)granule_of(tg);
		out->hint = level ? (uint8_t)(level + 1) : 0;
	}
}

int nwv_a64_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out)
{
	unsigned acts;

	if (op >= NW_TLBI_COUNT || !ops[op].name)
		return -1;
	acts = ops[op].acts;
	*out = (struct nwv_inval){
		.op = (uint8_t)op,
		.regime = ops[op].regime,
		.is_local = !!(acts & LOCAL),
		.is_all = !!(acts & ALL),
		.is_all_tags = !!(acts & TAGS),
		.is_by_asid = !!(acts & ASID),
		.keeps_global = !!(acts & KEEPS),
		.stage2 = !!(acts & S2),
		.combined = !!(acts & COMB),
		.is_last_level = !!(acts & LAST),
		.is_range = !!(acts & RANGE),
		.asid = acts & ASID ? (uint16_t)BITS(operand, 63, 48) : 0,
		.operand = operand,
	};
	if (acts & (ALL | KEEPS))
		out->end = ~UINT64_C(0);
	else if (acts & RANGE)
		decode_range(0, out);
	else
		decode_address(out);
	return 0;
}

int nwv_a64_inval_fit(const struct nwv_inval *v, const struct nwv_shape *s,
		      struct nwv_inval *out)
{
	int of_stage1 = s->regime == EL10 && v->regime == STAGE2 && v->combined;

	if (v->regime != s->regime && !of_stage1)
		return 0;
	*out = *v;
	if (of_stage1) {
		/* Every ASID of the VMID; one VMID is all that has EL1&0
		 * tables of its own in a trace. */
		out->regime = EL10;
		out->is_all_tags = 1;
	}
	if (s->pa_form != NWV_PA_LPA2)
		return 1;
	if (v->is_range)
		decode_range(16, out);
	else if (!v->is_all && !v->keeps_global && v->granule_lg2 == 12 &&
		 !v->hint)
		out->hint = 1; /* level 0 has blocks: 512 GiB */
	return 1;
}

const char *nwv_a64_tlbi_name(unsigned op)
{
	return op < NW_TLBI_COUNT && ops[op].name ? ops[op].name : "TLBI ?";
}

const char *nwv_a64_barrier_name(unsigned kind)
{
	static const char *const name[NW_BARRIER_COUNT] = {
		[NW_BARRIER_DMB_ISHST] = "DMB ISHST",
		[NW_BARRIER_DSB_ISH] = "DSB ISH",
		[NW_BARRIER_DSB_ISHST] = "DSB ISHST",
		[NW_BARRIER_DSB_NSH] = "DSB NSH",
		[NW_BARRIER_DSB_NSHST] = "DSB NSHST",
		[NW_BARRIER_DSB_SY] = "DSB SY",
		[NW_BARRIER_ISB] = "ISB",
	};

	return kind < NW_BARRIER_COUNT && name[kind] ? name[kind] : "barrier ?";
}
