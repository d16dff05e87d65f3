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
#define S1_NS  BIT(5)
#define S1_NG  BIT(11)
#define S1_GP  BIT(50)
#define S1_PXN BIT(53)
#define S1_XN  BIT(54)

#define BBM_ANY (NW_FEAT_BBM1 | NW_FEAT_BBM2)

/* ---- shape ------------------------------------------------------------- */

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* NULL, or what about the address sizes is wrong. 52 bits take FEAT_LPA2, or
 * with 64 KiB FEAT_LPA for outputs and FEAT_LVA for stage-1 inputs; an IPA is
 * an output of stage 1. */
static const char *size_problem(const struct nwv_shape *s)
{
	int is_64k = s->granule_lg2 == 16;
	unsigned wide_oa = is_64k ? NW_FEAT_LPA : NW_FEAT_LPA2;
	unsigned wide_ia =
		is_64k && s->regime != NW_REGIME_STAGE2 ? NW_FEAT_LVA : wide_oa;

	if (s->oa_bits > (s->features & wide_oa ? 52 : 48))
		return "output address size (at most 48 bits, or 52 with "
		       "FEAT_LPA2, or with FEAT_LPA and 64 KiB)";
	if (s->ia_bits > (s->features & wide_ia ? 52 : 48) ||
	    s->ia_bits <= s->granule_lg2)
		return "input address size (at most 48 bits, or 52 with "
		       "FEAT_LPA2, or with FEAT_LVA and 64 KiB)";
	return NULL;
}

/* Address form and block sizes of the granule. */
static void decode_granule(struct nwv_shape *s)
{
	int is_64k = s->granule_lg2 == 16;
	unsigned wide = is_64k ? NW_FEAT_LPA : NW_FEAT_LPA2;

	s->index_bits = s->granule_lg2 - 3;
	s->block_levels = s->granule_lg2 == 12 ? 6 : 2;
	if (!(s->features & wide))
		return;
	/* 512 GiB, 64 GiB and 4 TiB. */
	s->block_levels |= s->granule_lg2 == 12 ? 8 : 4;
	s->pa_form = is_64k ? NWV_PA_LPA : NWV_PA_LPA2;
}

static unsigned levels_of(const struct nwv_shape *s, uint64_t root_bytes)
{
	unsigned levels = 1, extra;

	while (nwv_span_lg2(s, levels) < s->ia_bits)
		levels++;
	/* Stage 2 may start one level lower with up to 16 root tables side by
	 * side ("Concatenated translation tables"). */
	extra = s->ia_bits - nwv_span_lg2(s, levels - 1);
	if (s->regime == NW_REGIME_STAGE2 && levels > 1 && extra <= 4 &&
	    root_bytes >= BIT(s->granule_lg2 + extra))
		levels--;
	return levels;
}

int nwv_a64_shape_decode(uint64_t word, unsigned regime, uint64_t root_bytes,
			 uint64_t mair, struct nwv_shape *s, const char **why)
{
	static const uint8_t regime_of[NW_FORMAT_ID_COUNT] = {
		[NW_FORMAT_ID_arm64_s2] = NW_REGIME_STAGE2,
		[NW_FORMAT_ID_arm64_el2] = NW_REGIME_EL2,
		[NW_FORMAT_ID_arm64_el10] = NW_REGIME_EL10,
	};
	unsigned format = word & 0xff;

	*s = (struct nwv_shape){
		.features = (uint32_t)(word >> 32),
		.regime = (uint8_t)regime,
		.granule_lg2 = (uint8_t)(word >> 8),
		.ia_bits = (uint8_t)(word >> 16),
		.oa_bits = (uint8_t)(word >> 24),
		.mair = mair,
	};
	if (format < NW_FORMAT_ID_arm64_s2 || format > NW_FORMAT_ID_arm64_el10)
		return refuse(why, "format (known: arm64_s2, arm64_el2, "
				   "arm64_el10)");
	if (regime != regime_of[format])
		return refuse(why, "regime for this format");
	if (s->granule_lg2 != 12 && s->granule_lg2 != 14 &&
	    s->granule_lg2 != 16)
		return refuse(why, "granule (known: 4, 16, 64 KiB)");
	*why = size_problem(s);
	if (*why)
		return -1;
	decode_granule(s);
	s->levels = (uint8_t)levels_of(s, root_bytes);
	return 0;
}

unsigned nwv_a64_contig_lg2(const struct nwv_shape *s, unsigned level)
{
	switch (s->granule_lg2) {
	case 12: /* 64 KiB, 32 MiB, 16 GiB */
		return level < 3 ? 4 : 0;
	case 14: /* 2 MiB, 1 GiB */
		return level == 0 ? 7 : level == 1 ? 5 : 0;
	default: /* 2 MiB, 16 GiB */
		return level < 2 ? 5 : 0;
	}
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

/* AP[1] lets EL0 in; what EL0 may write, EL1 never executes. */
static unsigned el10_rights(uint64_t e)
{
	unsigned r = NWV_R | (e & S1_RO ? 0 : NWV_W) | (e & S1_AP1 ? NWV_U : 0);

	if (!(e & S1_PXN) && !((r & NWV_U) && (r & NWV_W)))
		r |= NWV_PX;
	return r | (e & S1_XN ? 0 : NWV_UX);
}

static unsigned rights(const struct nwv_shape *s, uint64_t e)
{
	if (s->regime == NW_REGIME_STAGE2)
		return (e & S2_R ? NWV_R : 0) | (e & S2_W ? NWV_W : 0) |
		       s2_exec(e);
	if (s->regime == NW_REGIME_EL10)
		return el10_rights(e);
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

void nwv_a64_leaf_decode(const struct nwv_shape *s, unsigned level, uint64_t e,
			 struct nwv_leaf *leaf)
{
	unsigned r = rights(s, e);

	*leaf = (struct nwv_leaf){
		.pa = nwv_a64_leaf_pa(s, level, e),
		.rights = (uint8_t)r,
		.memattr = (uint8_t)memattr(s, e),
		.share = s->pa_form == NWV_PA_LPA2 ? 0 : (uint8_t)BITS(e, 9, 8),
		.has_access_flag = !!(e & AF),
		.has_dbm = !!(e & DBM),
		.has_contig = !!(e & CONTIG),
		.has_nt = level && (e & NT),
	};
	if (s->regime == NW_REGIME_EL10) {
		leaf->is_global = !(e & S1_NG);
		leaf->has_ns = !!(e & S1_NS);
	}
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

static enum nwv_flaw stage1_flaw(const struct nwv_shape *s, uint64_t e)
{
	if (s->regime == NW_REGIME_EL10)
		return (e & S1_GP) && !(s->features & NW_FEAT_BTI)
			       ? NWV_FLAW_RES0
			       : NWV_FLAW_NONE;
	/* One exception level: AP[1] is RES1, nG, NS and PXN are RES0. */
	if (!(e & S1_AP1))
		return NWV_FLAW_RIGHTS;
	return e & (S1_NS | S1_NG | S1_PXN) ? NWV_FLAW_RES0 : NWV_FLAW_NONE;
}

static enum nwv_flaw stage2_flaw(const struct nwv_shape *s, uint64_t e)
{
	if (e & BIT(50))
		return NWV_FLAW_RES0;
	if ((e & BIT(53)) && !(s->features & NW_FEAT_XNX))
		return NWV_FLAW_RIGHTS;
	return NWV_FLAW_NONE;
}

/* Address bits below the entry's size. Those that hold 51:48 are none. */
static uint64_t low_bits(const struct nwv_shape *s, unsigned size_lg2,
			 uint64_t e)
{
	uint64_t low = e & (BIT(size_lg2) - 1) & ~(BIT(12) - 1);

	return s->pa_form == NWV_PA_LPA ? low & ~UINT64_C(0xf000) : low;
}

/* Address bits that this form does not have. */
static int has_high_bits(const struct nwv_shape *s, uint64_t e)
{
	return s->pa_form != NWV_PA_LPA2 && (e & (BIT(48) | BIT(49)));
}

static enum nwv_flaw leaf_flaw(const struct nwv_shape *s, unsigned level,
			       uint64_t e)
{
	uint64_t low = low_bits(s, nwv_span_lg2(s, level), e);

	if (level)
		low &= ~NT;
	if (low)
		return NWV_FLAW_ALIGN;
	if (nwv_a64_leaf_pa(s, level, e) >> s->oa_bits)
		return NWV_FLAW_SIZE;
	if (has_high_bits(s, e))
		return NWV_FLAW_RES0;
	if ((e & CONTIG) && !nwv_a64_contig_lg2(s, level))
		return NWV_FLAW_RES0;
	if (s->pa_form != NWV_PA_LPA2 && BITS(e, 9, 8) == 1)
		return NWV_FLAW_SHARE;
	if (memattr_reserved(s, memattr(s, e)))
		return NWV_FLAW_MEMTYPE;
	return s->regime == NW_REGIME_STAGE2 ? stage2_flaw(s, e)
					     : stage1_flaw(s, e);
}

enum nwv_flaw nwv_a64_entry_flaw(const struct nwv_shape *s, unsigned level,
				 uint64_t e)
{
	switch (nwv_a64_kind(s, level, e)) {
	case NWV_INVALID:
		return NWV_FLAW_NONE;
	case NWV_RESERVED:
		return NWV_FLAW_TYPE;
	case NWV_LEAF:
		return leaf_flaw(s, level, e);
	case NWV_TABLE:
		break;
	}
	if (low_bits(s, s->granule_lg2, e))
		return NWV_FLAW_ALIGN;
	if (nwv_a64_table_pa(s, e) >> s->oa_bits)
		return NWV_FLAW_SIZE;
	return has_high_bits(s, e) ? NWV_FLAW_RES0 : NWV_FLAW_NONE;
}

/* ---- changes ----------------------------------------------------------- */

/* A right went: also the one that a dirty update would have given, and that of
 * other ASIDs. */
static int narrowed(const struct nwv_leaf *from, const struct nwv_leaf *to)
{
	unsigned could = from->rights | (from->can_get_write ? NWV_W : 0);
	unsigned can = to->rights | (to->can_get_write ? NWV_W : 0);

	return (from->rights & ~to->rights) || (could & ~can) ||
	       (from->is_global && !to->is_global);
}

static unsigned leaf_change(const struct nwv_shape *s, unsigned level,
			    uint64_t before, uint64_t after)
{
	struct nwv_leaf from, to;

	nwv_a64_leaf_decode(s, level, before, &from);
	nwv_a64_leaf_decode(s, level, after, &to);
	return (from.pa != to.pa || from.has_ns != to.has_ns ? NWV_D_ADDRESS
							     : 0) |
	       (!from.is_global && to.is_global ? NWV_D_GLOBAL : 0) |
	       (from.memattr != to.memattr ? NWV_D_MEMTYPE : 0) |
	       (from.share != to.share ? NWV_D_SHARE : 0) |
	       (from.has_contig != to.has_contig || from.has_nt != to.has_nt
			? NWV_D_CONTIG
			: 0) |
	       (narrowed(&from, &to) ? NWV_D_NARROWED : 0) |
	       (from.has_access_flag && !to.has_access_flag ? NWV_D_AGED : 0);
}

unsigned nwv_a64_change(const struct nwv_shape *s, unsigned level,
			uint64_t before, uint64_t after)
{
	enum nwv_kind from = nwv_a64_kind(s, level, before);
	enum nwv_kind to = nwv_a64_kind(s, level, after);
	int was = from == NWV_LEAF || from == NWV_TABLE;
	int is = to == NWV_LEAF || to == NWV_TABLE;

	if (before == after)
		return 0;
	if (!was || !is)
		return (was ? NWV_D_REMOVED : 0) | (is ? NWV_D_MADE : 0);
	if (from == NWV_TABLE && to == NWV_TABLE)
		return nwv_a64_table_pa(s, before) != nwv_a64_table_pa(s, after)
			       ? NWV_D_TABLE
			       : 0;
	if (from == NWV_TABLE)
		return NWV_D_TO_BLOCK;
	if (to == NWV_TABLE)
		return NWV_D_TO_TABLE;
	return leaf_change(s, level, before, after);
}

int nwv_a64_same_translation(const struct nwv_shape *s, unsigned level,
			     uint64_t block, unsigned index, uint64_t child)
{
	struct nwv_leaf big, small;
	unsigned below = level - 1;

	if (nwv_a64_kind(s, below, child) != NWV_LEAF)
		return 0;
	nwv_a64_leaf_decode(s, level, block, &big);
	nwv_a64_leaf_decode(s, below, child, &small);
	return small.pa ==
		       big.pa + ((uint64_t)index << nwv_span_lg2(s, below)) &&
	       small.memattr == big.memattr && small.share == big.share &&
	       small.rights == big.rights && small.is_global == big.is_global &&
	       small.has_ns == big.has_ns;
}

int nwv_a64_hw_writable(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	struct nwv_leaf leaf;

	if (nwv_a64_kind(s, level, e) != NWV_LEAF)
		return 0;
	nwv_a64_leaf_decode(s, level, e, &leaf);
	if ((s->features & NW_FEAT_HAF) && !leaf.has_access_flag)
		return 1;
	return leaf.can_get_write && !(leaf.rights & NWV_W);
}

uint64_t nwv_a64_hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!(s->features & (NW_FEAT_HAF | NW_FEAT_HD)) ||
	    !nwv_a64_hw_writable(s, level, e))
		return 0;
	return (s->features & NW_FEAT_HAF ? AF : 0) |
	       ((s->features & NW_FEAT_HD) && (e & DBM) ? S2_W : 0);
}
