/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel's extended page tables. Manual: Intel SDM vol. 3, 29.3 "The Extended
 * Page Table Mechanism (EPT)": tables of entry formats, 29.3.3.1 "EPT
 * Misconfigurations", 29.3.5 "Accessed and Dirty Flags for EPT". What
 * invalidates is in x86.c.
 */
#include "decode.h"

#define BIT(n) (UINT64_C(1) << (n))

#define R	BIT(0)
#define W	BIT(1)
#define X	BIT(2)
#define PS	BIT(7)
#define A	BIT(8)
#define D	BIT(9)
#define XU	BIT(10)
#define ADDRESS (BIT(52) - BIT(12))

int nwv_ept_shape(struct nwv_shape *s, const char **why)
{
	if (s->ia_bits < 39 || s->ia_bits > 57)
		return nwv_shape_refuse(why, "input address size (39 to 57 "
					     "bits)");
	if (s->oa_bits < 32 || s->oa_bits > 52)
		return nwv_shape_refuse(why, "output address size (32 to 52 "
					     "bits)");
	s->levels = s->ia_bits > 48 ? 5 : 4;
	s->block_levels = s->features & NW_FEAT_X86_1G ? 6 : 2;
	s->decoder = &nwv_ept_decoder;
	return 0;
}

/* Present when any right is there; with mode-based execute control the
 * user's execute right counts too. */
static int is_valid(const struct nwv_shape *s, uint64_t e)
{
	return (e & (R | W | X)) ||
	       ((s->features & NW_FEAT_EPT_MBEC) && (e & XU));
}

static enum nwv_kind kind(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!is_valid(s, e))
		return NWV_INVALID;
	if (!level)
		return NWV_LEAF;
	if (!(e & PS))
		return NWV_TABLE;
	return s->block_levels >> level & 1 ? NWV_LEAF : NWV_RESERVED;
}

/* Access flags are hardware's own, or are not there at all. */
static int is_cached(const struct nwv_shape *s, uint64_t e)
{
	(void)s;
	(void)e;
	return 1;
}

static uint64_t table_pa(const struct nwv_shape *s, uint64_t e)
{
	(void)s;
	return e & ADDRESS;
}

static uint64_t leaf_pa(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	return e & ADDRESS & (~UINT64_C(0) << nwv_span_lg2(s, level));
}

static unsigned rights(const struct nwv_shape *s, uint64_t e)
{
	unsigned r = (e & R ? NWV_R : 0) | (e & W ? NWV_W : 0);

	if (s->features & NW_FEAT_EPT_MBEC)
		return r | (e & X ? NWV_PX : 0) | (e & XU ? NWV_UX : 0);
	return r | (e & X ? NWV_PX | NWV_UX : 0);
}

static void leaf(const struct nwv_shape *s, unsigned level, uint64_t e,
		 struct nwv_leaf *out)
{
	int has_ad = !!(s->features & NW_FEAT_EPT_AD);

	*out = (struct nwv_leaf){
		.pa = leaf_pa(s, level, e),
		.rights = (uint8_t)rights(s, e),
		.memattr = e >> 3 & 15, /* type, and "ignore PAT" */
		.has_access_flag = has_ad && (e & A),
		.is_dirty = has_ad && (e & D),
	};
}

/* Misconfigured rights: of tables as of leaves. */
static int bad_rights(const struct nwv_shape *s, uint64_t e)
{
	if (e & R)
		return 0;
	return (e & W) || !(s->features & NW_FEAT_EPT_XO);
}

static enum nwv_flaw flaw(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	unsigned type = e >> 3 & 7;

	if (bad_rights(s, e))
		return NWV_FLAW_RIGHTS;
	if ((e & ADDRESS) >> s->oa_bits)
		return NWV_FLAW_SIZE;
	if (kind(s, level, e) == NWV_TABLE)
		return e & (BIT(7) - BIT(3)) ? NWV_FLAW_RES0 : NWV_FLAW_NONE;
	if (level && (e & (BIT(nwv_span_lg2(s, level)) - BIT(12))))
		return NWV_FLAW_ALIGN;
	if (type == 2 || type == 3 || type == 7)
		return NWV_FLAW_MEMTYPE;
	if (level && (s->features & NW_FEAT_EPT_SPLIT_EXEC) &&
	    (rights(s, e) & (NWV_PX | NWV_UX)))
		return NWV_FLAW_ERRATUM;
	return NWV_FLAW_NONE;
}

static unsigned leaf_change(const struct nwv_leaf *from,
			    const struct nwv_leaf *to)
{
	int narrowed =
		(from->rights & ~to->rights) ||
		((from->rights & NWV_W) && from->is_dirty && !to->is_dirty);

	return (from->pa != to->pa ? NWV_D_ADDRESS : 0) |
	       (from->memattr != to->memattr ? NWV_D_MEMTYPE : 0) |
	       (narrowed ? NWV_D_NARROWED : 0);
}

static uint64_t hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!(s->features & NW_FEAT_EPT_AD))
		return 0;
	switch (kind(s, level, e)) {
	case NWV_TABLE:
		return A & ~e;
	case NWV_LEAF:
		return (A | (e & W ? D : 0)) & ~e;
	default:
		return 0;
	}
}

static uint64_t block_part(uint64_t block, uint64_t offset)
{
	return block + offset;
}

const struct nwv_decoder nwv_ept_decoder = {
	.kind = kind,
	.is_valid = is_valid,
	.is_cached = is_cached,
	.table_pa = table_pa,
	.leaf_pa = leaf_pa,
	.leaf = leaf,
	.flaw = flaw,
	.leaf_change = leaf_change,
	.hw_bits = hw_bits,
	.block_part = block_part,
};
