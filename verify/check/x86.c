/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 paging, of a host and as AMD's nested paging. Manual: Intel SDM
 * vol. 3, 4.5 "4-Level Paging and 5-Level Paging", 4.10 "Caching Translation
 * Information"; AMD APM vol. 2, 5.3 "Long-Mode Page Translation", 15.25
 * "Nested Paging".
 */
#include "decode.h"

#define BIT(n) (UINT64_C(1) << (n))

#define P	BIT(0)
#define W	BIT(1)
#define U	BIT(2)
#define A	BIT(5)
#define D	BIT(6)
#define PS	BIT(7)
#define G	BIT(8)
#define NX	BIT(63)
#define ADDRESS (BIT(52) - BIT(12))

int nwv_x86_shape(struct nwv_shape *s, unsigned format, const char **why)
{
	if (format == NW_FORMAT_ID_x86_64 && s->ia_bits != 48 &&
	    s->ia_bits != 57)
		return nwv_shape_refuse(why, "input address size (48 or 57 "
					     "bits)");
	if (s->ia_bits < 39 || s->ia_bits > 57)
		return nwv_shape_refuse(why, "input address size (39 to 57 "
					     "bits)");
	if (s->oa_bits < 32 || s->oa_bits > 52)
		return nwv_shape_refuse(why, "output address size (32 to 52 "
					     "bits)");
	s->levels = s->ia_bits > 48 ? 5 : 4;
	s->block_levels = s->features & NW_FEAT_X86_1G ? 6 : 2;
	s->decoder = &nwv_x86_decoder;
	return 0;
}

static int is_valid(const struct nwv_shape *s, uint64_t e)
{
	(void)s;
	return (int)(e & P);
}

static enum nwv_kind kind(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!(e & P))
		return NWV_INVALID;
	if (!level)
		return NWV_LEAF;
	if (!(e & PS))
		return NWV_TABLE;
	return s->block_levels >> level & 1 ? NWV_LEAF : NWV_RESERVED;
}

/* Hardware sets A itself before it caches a translation (4.8). */
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

/* Every access of a guest is a user access to nested paging (APM 15.25.5). */
static unsigned rights(const struct nwv_shape *s, uint64_t e)
{
	unsigned is_exec = !((s->features & NW_FEAT_X86_NX) && (e & NX));
	unsigned r = NWV_R | (e & W ? NWV_W : 0);

	if (s->regime == NW_REGIME_NPT)
		return e & U ? r | (is_exec ? NWV_PX | NWV_UX : 0) : 0;
	if (is_exec)
		r |= e & U ? NWV_PX | NWV_UX : NWV_PX;
	return r | (e & U ? NWV_U : 0);
}

/* Index into the PAT: PWT, PCD, and PAT at bit 7 of a page, 12 of a large
 * one. */
static unsigned pat_index(unsigned level, uint64_t e)
{
	return (unsigned)(e >> 3 & 3) | (unsigned)(e >> (level ? 12 : 7) & 1)
						<< 2;
}

static void leaf(const struct nwv_shape *s, unsigned level, uint64_t e,
		 struct nwv_leaf *out)
{
	*out = (struct nwv_leaf){
		.pa = leaf_pa(s, level, e),
		.rights = (uint8_t)rights(s, e),
		.memattr = (uint8_t)pat_index(level, e),
		.has_access_flag = !!(e & A),
		.is_global = s->regime == NW_REGIME_X86 && (e & G),
		.is_dirty = !!(e & D),
	};
}

static enum nwv_flaw flaw(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if ((e & ADDRESS) >> s->oa_bits)
		return NWV_FLAW_SIZE;
	if ((e & NX) && !(s->features & NW_FEAT_X86_NX))
		return NWV_FLAW_RES0;
	/* Address bits of a large leaf below its size, but PAT at 12. */
	if (level && kind(s, level, e) == NWV_LEAF &&
	    (e & (BIT(nwv_span_lg2(s, level)) - BIT(13))))
		return NWV_FLAW_ALIGN;
	return NWV_FLAW_NONE;
}

/*
 * A TLB that holds the dirty state writes without setting it again, and one
 * that holds a global entry serves every PCID (4.10.2.4, 4.10.4.2).
 */
static unsigned leaf_change(const struct nwv_leaf *from,
			    const struct nwv_leaf *to)
{
	int narrowed =
		(from->rights & ~to->rights) ||
		((from->rights & NWV_W) && from->is_dirty && !to->is_dirty) ||
		(from->is_global && !to->is_global);

	return (from->pa != to->pa ? NWV_D_ADDRESS : 0) |
	       (from->memattr != to->memattr ? NWV_D_MEMTYPE : 0) |
	       (narrowed ? NWV_D_NARROWED : 0);
}

/* A of any entry, D of a leaf that may be written (4.8). */
static uint64_t hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e)
{
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

const struct nwv_decoder nwv_x86_decoder = {
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

/* ---- invalidations ----------------------------------------------------- */

/* INVLPGB, in RAX (APM vol. 3): what is valid, and what to take along. */
#define B_ADDRESS BIT(0)
#define B_PCID	  BIT(1)
#define B_ASID	  BIT(2)
#define B_GLOBAL  BIT(3)
#define B_FINAL	  BIT(4) /* final translations only */
#define B_NESTED  BIT(5)

static const struct {
	const char *name;
	uint8_t regime, is_all, is_all_tags, keeps_global, combined_only;
	uint8_t is_by_root;
} ops[] = {
	{.name = "INVLPG", .regime = NW_REGIME_X86},
	{"INVPCID type 0", NW_REGIME_X86, .keeps_global = 1},
	{"INVPCID type 1", NW_REGIME_X86, .is_all = 1, .keeps_global = 1},
	{"INVPCID type 2", NW_REGIME_X86, .is_all = 1, .is_all_tags = 1},
	{"MOV CR3", NW_REGIME_X86, .is_all = 1, .keeps_global = 1},
	{.name = "INVLPGB", .regime = NW_REGIME_X86},
	{"INVEPT type 1", NW_REGIME_EPT, .is_all = 1, .is_by_root = 1},
	{"INVEPT type 2", NW_REGIME_EPT, .is_all = 1, .is_all_tags = 1},
	{"INVVPID", NW_REGIME_EPT, .is_all = 1, .is_all_tags = 1,
	 .combined_only = 1},
	{"VMRUN with TLB_CONTROL 3", NW_REGIME_NPT, .is_all = 1},
	{"VMRUN with TLB_CONTROL 1", NW_REGIME_NPT, .is_all = 1,
	 .is_all_tags = 1},
};
_Static_assert(sizeof(ops) / sizeof(ops[0]) ==
		       NW_TLBI_X86_ASID_ALL - NW_TLBI_X86_INVLPG + 1,
	       "every invalidation is told");

static void decode_invlpgb(uint64_t rax, struct nwv_inval *out)
{
	int is_nested = !!(rax & B_NESTED);

	out->is_broadcast = 1;
	out->is_local = 0;
	out->regime = is_nested ? NW_REGIME_NPT : NW_REGIME_X86;
	out->is_all_tags = !(rax & (is_nested ? B_ASID : B_PCID));
	out->keeps_global = !(rax & B_GLOBAL);
	out->is_last_level = !!(rax & B_FINAL);
	if (!(rax & B_ADDRESS)) {
		out->is_all = 1;
		out->end = ~UINT64_C(0);
	}
}

int nwv_x86_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out)
{
	unsigned i = (unsigned)(op - NW_TLBI_X86_INVLPG);

	if (op < NW_TLBI_X86_INVLPG || op > NW_TLBI_X86_ASID_ALL)
		return -1;
	*out = (struct nwv_inval){
		.op = (uint8_t)op,
		.regime = ops[i].regime,
		.is_local = 1,
		.is_all = ops[i].is_all,
		.is_all_tags = ops[i].is_all_tags,
		.keeps_global = ops[i].keeps_global,
		.is_by_root = ops[i].is_by_root,
		/* INVVPID leaves guest-physical mappings (SDM 29.4.3.1). */
		.stage2 = !ops[i].combined_only,
		.combined = 1,
		.end = ~UINT64_C(0),
	};
	if (ops[i].is_by_root)
		out->start = operand & ADDRESS;
	if (ops[i].is_all)
		return 0;
	out->start = operand & ~(BIT(12) - 1);
	out->end = out->start + BIT(12);
	if (op == NW_TLBI_X86_INVLPGB)
		decode_invlpgb(operand, out);
	return 0;
}

const char *nwv_x86_tlbi_name(unsigned op)
{
	return op < NW_TLBI_X86_INVLPG || op > NW_TLBI_X86_ASID_ALL
		       ? NULL
		       : ops[op - NW_TLBI_X86_INVLPG].name;
}
