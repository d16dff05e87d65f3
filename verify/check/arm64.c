/* SPDX-License-Identifier: BSD-2-Clause */
#include "arm64.h"

#define BIT(n) (UINT64_C(1) << (n))
#define BITS(e, last, first)                                                   \
	((unsigned)((e) >> (first) & (BIT((last) - (first) + 1) - 1)))

/* Descriptor bits ("Block and Page descriptors"). */
#define AF     BIT(10)
#define DBM    BIT(51)
#define CONTIG BIT(52)
#define NT     BIT(16)
#define S2_R   BIT(6)
#define S2_W   BIT(7)
#define S1_AP1 BIT(6)
#define S1_RO  BIT(7)
#define S1_PXN BIT(53)
#define S1_XN  BIT(54)

#define BBM_ANY (NW_FEAT_BBM1 | NW_FEAT_BBM2)

/* ---- shape ------------------------------------------------------------- */

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

int nwv_shape_decode(uint64_t word, unsigned regime, uint64_t root_bytes,
		     uint64_t mair, struct nwv_shape *s, const char **why)
{
	unsigned format = word & 0xff, levels = 1, extra;

	*s = (struct nwv_shape){
		.features = (uint32_t)(word >> 32),
		.regime = (uint8_t)regime,
		.granule_lg2 = (uint8_t)(word >> 8),
		.ia_bits = (uint8_t)(word >> 16),
		.oa_bits = (uint8_t)(word >> 24),
		.mair = mair,
	};
	if (format != NW_FORMAT_ID_arm64_s2 && format != NW_FORMAT_ID_arm64_el2)
		return refuse(why, "format (known: arm64_s2, arm64_el2)");
	if (regime != (format == NW_FORMAT_ID_arm64_s2 ? NW_REGIME_STAGE2
						       : NW_REGIME_EL2))
		return refuse(why, "regime for this format (EL1&0 stage 1 "
				   "has no profile yet)");
	if (s->granule_lg2 != 12 && s->granule_lg2 != 14 &&
	    s->granule_lg2 != 16)
		return refuse(why, "granule (known: 4, 16, 64 KiB)");
	if (s->oa_bits > 48 || s->ia_bits > 48 || s->ia_bits <= s->granule_lg2)
		return refuse(why, "address size (at most 48 bits)");
	s->index_bits = s->granule_lg2 - 3;
	s->block_levels = s->granule_lg2 == 12 ? 6 : 2;
	while (nwv_span_lg2(s, levels) < s->ia_bits)
		levels++;
	/* Stage 2 may start one level lower with up to 16 root tables side by
	 * side ("Concatenated translation tables"). */
	extra = s->ia_bits - nwv_span_lg2(s, levels - 1);
	if (regime == NW_REGIME_STAGE2 && levels > 2 && extra <= 4 &&
	    root_bytes >= BIT(s->granule_lg2 + extra))
		levels--;
	if (levels > 4)
		return refuse(why, "number of levels (at most 4)");
	s->levels = (uint8_t)levels;
	return 0;
}

/* ---- leaves ------------------------------------------------------------ */

/* XN[1:0] of stage 2: 0 both execute, 1 EL0 only, 2 none, 3 EL1 only. */
static unsigned s2_exec(uint64_t e)
{
	switch (BITS(e, 54, 53)) {
	case 0:
		return NWV_PX | NWV_UX;
	case 1:
		return NWV_UX;
	case 2:
		return 0;
	default:
		return NWV_PX;
	}
}

static unsigned rights(const struct nwv_shape *s, uint64_t e)
{
	if (s->regime == NW_REGIME_STAGE2)
		return (e & S2_R ? NWV_R : 0) | (e & S2_W ? NWV_W : 0) |
		       s2_exec(e);
	return NWV_R | (e & S1_RO ? 0 : NWV_W) | (e & S1_XN ? 0 : NWV_PX);
}

static int is_device(const struct nwv_shape *s, unsigned memattr)
{
	if (s->regime != NW_REGIME_STAGE2)
		return (s->mair >> (8 * memattr) & 0xf0) == 0;
	if (s->features & NW_FEAT_FWB)
		return (memattr & 4) == 0;
	return (memattr & 0xc) == 0;
}

static unsigned memattr(const struct nwv_shape *s, uint64_t e)
{
	return s->regime == NW_REGIME_STAGE2 ? BITS(e, 5, 2) : BITS(e, 4, 2);
}

void nwv_leaf_decode(const struct nwv_shape *s, unsigned level, uint64_t e,
		     struct nwv_leaf *leaf)
{
	unsigned r = rights(s, e);

	*leaf = (struct nwv_leaf){
		.pa = nwv_leaf_pa(s, level, e),
		.rights = (uint8_t)r,
		.memattr = (uint8_t)memattr(s, e),
		.share = (uint8_t)BITS(e, 9, 8),
		.has_access_flag = !!(e & AF),
		.has_dbm = !!(e & DBM),
		.has_contig = !!(e & CONTIG),
		.has_nt = level && (e & NT),
	};
	leaf->is_device = (uint8_t)is_device(s, leaf->memattr);
	leaf->can_get_write = (s->features & NW_FEAT_HD) && leaf->has_dbm;
}

/* ---- flaws ------------------------------------------------------------- */

/* Reserved memory types. Stage 1 has none: MAIR decides, and every byte that
 * this profile lets through means something. */
static int memattr_reserved(const struct nwv_shape *s, unsigned attr)
{
	if (s->regime != NW_REGIME_STAGE2)
		return 0;
	if (s->features & NW_FEAT_FWB)
		return (attr & 7) == 4 || (attr & 8);
	return (attr & 0xc) && !(attr & 3);
}

static enum nwv_flaw leaf_flaw(const struct nwv_shape *s, unsigned level,
			       uint64_t e)
{
	uint64_t pa = nwv_leaf_pa(s, level, e);
	uint64_t low = e & (BIT(nwv_span_lg2(s, level)) - 1) & ~(BIT(12) - 1);

	if (level)
		low &= ~NT;
	if (low)
		return NWV_FLAW_ALIGN;
	if (pa >> s->oa_bits)
		return NWV_FLAW_SIZE;
	if (e & (BIT(48) | BIT(49)))
		return NWV_FLAW_RES0;
	if (BITS(e, 9, 8) == 1)
		return NWV_FLAW_SHARE;
	if (memattr_reserved(s, memattr(s, e)))
		return NWV_FLAW_MEMTYPE;
	if (s->regime == NW_REGIME_STAGE2) {
		if (e & BIT(50))
			return NWV_FLAW_RES0;
		if ((e & BIT(53)) && !(s->features & NW_FEAT_XNX))
			return NWV_FLAW_RIGHTS;
		return NWV_FLAW_NONE;
	}
	/* One exception level: AP[1] is RES1, nG, NS and PXN are RES0. */
	if (!(e & S1_AP1))
		return NWV_FLAW_RIGHTS;
	return e & (BIT(5) | BIT(11) | S1_PXN) ? NWV_FLAW_RES0 : NWV_FLAW_NONE;
}

enum nwv_flaw nwv_entry_flaw(const struct nwv_shape *s, unsigned level,
			     uint64_t e)
{
	switch (nwv_kind(s, level, e)) {
	case NWV_INVALID:
		return NWV_FLAW_NONE;
	case NWV_RESERVED:
		return NWV_FLAW_TYPE;
	case NWV_LEAF:
		return leaf_flaw(s, level, e);
	case NWV_TABLE:
		break;
	}
	if (e & (BIT(s->granule_lg2) - 1) & ~(BIT(12) - 1))
		return NWV_FLAW_ALIGN;
	if (nwv_table_pa(s, e) >> s->oa_bits)
		return NWV_FLAW_SIZE;
	return e & (BIT(48) | BIT(49)) ? NWV_FLAW_RES0 : NWV_FLAW_NONE;
}

/* ---- changes ----------------------------------------------------------- */

/* A right went: also the one that a dirty update would have given. */
static int narrowed(const struct nwv_leaf *from, const struct nwv_leaf *to)
{
	unsigned could = from->rights | (from->can_get_write ? NWV_W : 0);
	unsigned can = to->rights | (to->can_get_write ? NWV_W : 0);

	return (from->rights & ~to->rights) || (could & ~can);
}

static unsigned leaf_change(const struct nwv_shape *s, unsigned level,
			    uint64_t before, uint64_t after)
{
	struct nwv_leaf from, to;

	nwv_leaf_decode(s, level, before, &from);
	nwv_leaf_decode(s, level, after, &to);
	return (from.pa != to.pa ? NWV_D_ADDRESS : 0) |
	       (from.memattr != to.memattr ? NWV_D_MEMTYPE : 0) |
	       (from.share != to.share ? NWV_D_SHARE : 0) |
	       (from.has_contig != to.has_contig || from.has_nt != to.has_nt
			? NWV_D_CONTIG
			: 0) |
	       (narrowed(&from, &to) ? NWV_D_NARROWED : 0) |
	       (from.has_access_flag && !to.has_access_flag ? NWV_D_AGED : 0);
}

unsigned nwv_change(const struct nwv_shape *s, unsigned level, uint64_t before,
		    uint64_t after)
{
	enum nwv_kind from = nwv_kind(s, level, before);
	enum nwv_kind to = nwv_kind(s, level, after);
	int was = from == NWV_LEAF || from == NWV_TABLE;
	int is = to == NWV_LEAF || to == NWV_TABLE;

	if (before == after)
		return 0;
	if (!was || !is)
		return (was ? NWV_D_REMOVED : 0) | (is ? NWV_D_MADE : 0);
	if (from == NWV_TABLE && to == NWV_TABLE)
		return nwv_table_pa(s, before) != nwv_table_pa(s, after)
			       ? NWV_D_TABLE
			       : 0;
	if (from == NWV_TABLE)
		return NWV_D_TO_BLOCK;
	if (to == NWV_TABLE)
		return NWV_D_TO_TABLE;
	return leaf_change(s, level, before, after);
}

int nwv_same_translation(const struct nwv_shape *s, unsigned level,
			 uint64_t block, unsigned index, uint64_t child)
{
	struct nwv_leaf big, small;
	unsigned below = level - 1;

	if (nwv_kind(s, below, child) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, block, &big);
	nwv_leaf_decode(s, below, child, &small);
	return small.pa ==
		       big.pa + ((uint64_t)index << nwv_span_lg2(s, below)) &&
	       small.memattr == big.memattr && small.share == big.share &&
	       small.rights == big.rights;
}

int nwv_hw_writable(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	struct nwv_leaf leaf;

	if (nwv_kind(s, level, e) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, e, &leaf);
	if ((s->features & NW_FEAT_HAF) && !leaf.has_access_flag)
		return 1;
	return leaf.can_get_write && !(leaf.rights & NWV_W);
}

uint64_t nwv_hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!(s->features & (NW_FEAT_HAF | NW_FEAT_HD)) ||
	    !nwv_hw_writable(s, level, e))
		return 0;
	return (s->features & NW_FEAT_HAF ? AF : 0) |
	       ((s->features & NW_FEAT_HD) && (e & DBM) ? S2_W : 0);
}

/* ---- invalidations ----------------------------------------------------- */

/* Indexed by enum nw_tlbi. */
static const struct {
	const char *name;
	uint8_t regime, is_local, is_all, is_all_tags, stage2, combined;
	uint8_t is_last_level, is_range;
} ops[NW_TLBI_COUNT] = {
	[NW_TLBI_IPAS2E1IS] = {"IPAS2E1IS", NW_REGIME_STAGE2, .stage2 = 1},
	[NW_TLBI_RIPAS2E1IS] = {"RIPAS2E1IS", NW_REGIME_STAGE2, .stage2 = 1,
				.is_range = 1},
	[NW_TLBI_VMALLE1IS] = {"VMALLE1IS", NW_REGIME_STAGE2, .is_all = 1,
			       .combined = 1},
	[NW_TLBI_VMALLS12E1IS] = {"VMALLS12E1IS", NW_REGIME_STAGE2, .is_all = 1,
				  .stage2 = 1, .combined = 1},
	[NW_TLBI_ALLE1IS] = {"ALLE1IS", NW_REGIME_STAGE2, .is_all = 1,
			     .is_all_tags = 1, .stage2 = 1, .combined = 1},
	[NW_TLBI_ALLE1] = {"ALLE1", NW_REGIME_STAGE2, 1, .is_all = 1,
			   .is_all_tags = 1, .stage2 = 1, .combined = 1},
	[NW_TLBI_VMALLE1] = {"VMALLE1", NW_REGIME_STAGE2, 1, .is_all = 1,
			     .combined = 1},
	[NW_TLBI_VAE2IS] = {"VAE2IS", .regime = NW_REGIME_EL2},
	[NW_TLBI_VALE2IS] = {"VALE2IS", NW_REGIME_EL2, .is_last_level = 1},
	[NW_TLBI_RVAE2IS] = {"RVAE2IS", NW_REGIME_EL2, .is_range = 1},
	[NW_TLBI_VAE2] = {"VAE2", .regime = NW_REGIME_EL2, .is_local = 1},
	[NW_TLBI_VALE2] = {"VALE2", NW_REGIME_EL2, 1, .is_last_level = 1},
	[NW_TLBI_ALLE2IS] = {"ALLE2IS", NW_REGIME_EL2, .is_all = 1},
	[NW_TLBI_ALLE2] = {"ALLE2", NW_REGIME_EL2, 1, .is_all = 1},
	[NW_TLBI_IPAS2E1] = {"IPAS2E1", NW_REGIME_STAGE2, 1, .stage2 = 1},
	[NW_TLBI_RIPAS2E1] = {"RIPAS2E1", NW_REGIME_STAGE2, 1, .stage2 = 1,
			      .is_range = 1},
	[NW_TLBI_VMALLS12E1] = {"VMALLS12E1", NW_REGIME_STAGE2, 1, .is_all = 1,
				.stage2 = 1, .combined = 1},
};

/* TG, and the granule half of TTL: 1, 2, 3 for 4, 16, 64 KiB. */
static unsigned granule_of(unsigned tg)
{
	return tg ? 10 + 2 * tg : 0;
}

/*
 * By range (FEAT_TLBIRANGE): BaseADDR 36:0 in granules, TTL 38:37, NUM 43:39,
 * SCALE 45:44, TG 47:46. With TG 0, which is reserved, nothing is covered.
 */
static void decode_range(uint64_t operand, struct nwv_inval *out)
{
	unsigned tg = BITS(operand, 47, 46);
	unsigned scale = BITS(operand, 45, 44), num = BITS(operand, 43, 39);
	unsigned ttl = BITS(operand, 38, 37);
	uint64_t granules = (uint64_t)(num + 1) << (5 * scale + 1);

	out->granule_lg2 = (uint8_t)granule_of(tg);
	out->hint = ttl ? (uint8_t)(ttl + 1) : 0;
	if (!tg)
		return;
	out->start = (operand & (BIT(37) - 1)) << out->granule_lg2;
	out->end = out->start + (granules << out->granule_lg2);
}

/* By address: bits 55:12 of it in 43:0, TTL in 47:44. */
static void decode_address(uint64_t operand, struct nwv_inval *out)
{
	unsigned tg = BITS(operand, 47, 46), level = BITS(operand, 45, 44);

	out->start = (operand & (BIT(44) - 1)) << 12;
	out->end = out->start + BIT(12);
	if (tg) {
		out->granule_lg2 = (uint8_t)granule_of(tg);
		out->hint = level ? (uint8_t)(level + 1) : 0;
	}
}

int nwv_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out)
{
	if (op >= NW_TLBI_COUNT || !ops[op].name)
		return -1;
	*out = (struct nwv_inval){
		.op = (uint8_t)op,
		.regime = ops[op].regime,
		.is_local = ops[op].is_local,
		.is_all = ops[op].is_all,
		.is_all_tags = ops[op].is_all_tags,
		.stage2 = ops[op].stage2,
		.combined = ops[op].combined,
		.is_last_level = ops[op].is_last_level,
		.end = ~UINT64_C(0),
	};
	if (ops[op].is_all)
		return 0;
	out->end = 0;
	if (ops[op].is_range)
		decode_range(operand, out);
	else
		decode_address(operand, out);
	return 0;
}

const char *nwv_tlbi_name(unsigned op)
{
	return op < NW_TLBI_COUNT && ops[op].name ? ops[op].name : "TLBI ?";
}

const char *nwv_barrier_name(unsigned kind)
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
