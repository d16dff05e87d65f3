/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V: Sv39, Sv48, Sv57 (satp, vsatp) and their x4 forms (hgatp), with
 * Svnapot, Svpbmt and Svadu. Manual: RISC-V Privileged Architecture, 12.3
 * "Sv32: Page-Based 32-bit Virtual-Memory Systems" and the following ones,
 * 12.2.1 "Supervisor Memory-Management Fence Instruction", 21.5 "Two-Stage
 * Address Translation", 21.3.2 "Hypervisor Memory-Management Fence
 * Instructions".
 */
#include "decode.h"

#define BIT(n) (UINT64_C(1) << (n))

#define V	BIT(0)
#define R	BIT(1)
#define W	BIT(2)
#define X	BIT(3)
#define U	BIT(4)
#define G	BIT(5)
#define A	BIT(6)
#define D	BIT(7)
#define N	BIT(63)
#define PBMT(e) ((unsigned)((e) >> 61 & 3))
#define PPN	(BIT(54) - BIT(10))
#define RES	(BIT(61) - BIT(54))

int nwv_riscv_shape(struct nwv_shape *s, unsigned format, uint64_t root_bytes,
		    const char **why)
{
	int is_g = format == NW_FORMAT_ID_riscv_g;
	unsigned wide = is_g ? 2 : 0; /* the x4 roots: two bits more */

	if (is_g ? s->ia_bits < 31 || s->ia_bits > 59
		 : s->ia_bits != 39 && s->ia_bits != 48 && s->ia_bits != 57)
		return nwv_shape_refuse(why,
					is_g ? "input address size (31 to 59 "
					       "bits)"
					     : "input address size (39, 48 or "
					       "57 bits)");
	if (s->oa_bits < 32 || s->oa_bits > 56)
		return nwv_shape_refuse(why, "output address size (32 to 56 "
					     "bits)");
	if (is_g && root_bytes < BIT(14))
		return nwv_shape_refuse(why, "root (a G-stage root is 16 "
					     "KiB)");
	s->levels = 3;
	while (12u + 9 * s->levels + wide < s->ia_bits)
		s->levels++;
	s->block_levels = (uint8_t)(BIT(s->levels) - 2);
	s->decoder = &nwv_riscv_decoder;
	return 0;
}

static int is_valid(const struct nwv_shape *s, uint64_t e)
{
	(void)s;
	return (int)(e & V);
}

static enum nwv_kind kind(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	(void)s;
	if (!(e & V))
		return NWV_INVALID;
	if (!(e & (R | W | X)))
		return level ? NWV_TABLE : NWV_RESERVED;
	return (e & W) && !(e & R) ? NWV_RESERVED : NWV_LEAF;
}

/* With A clear an access faults, unless hardware sets it. */
static int is_cached(const struct nwv_shape *s, uint64_t e)
{
	return (e & A) || (s->features & NW_FEAT_SVADU);
}

static uint64_t table_pa(const struct nwv_shape *s, uint64_t e)
{
	(void)s;
	return (e & PPN) << 2;
}

static int is_run(unsigned level, uint64_t e)
{
	return !level && (e & N);
}

/* Of a run of 64 KiB (Svnapot): its first page. */
static uint64_t leaf_pa(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	unsigned lg2 = is_run(level, e) ? 16 : nwv_span_lg2(s, level);

	return (e & PPN) << 2 & (~UINT64_C(0) << lg2);
}

/*
 * Every access of a guest is a user access to the G stage (21.5.1). Without
 * hardware updates a write with D clear faults.
 */
static unsigned rights(const struct nwv_shape *s, uint64_t e)
{
	int can_write = (e & W) && ((e & D) || (s->features & NW_FEAT_SVADU));
	unsigned r = (e & R ? NWV_R : 0) | (can_write ? NWV_W : 0);

	if (s->regime == NW_REGIME_RISCV_G)
		return e & U ? r | (e & X ? NWV_PX | NWV_UX : 0) : 0;
	/* A user page is never executable by the supervisor (12.1.1.2). */
	if (e & X)
		r |= e & U ? NWV_UX : NWV_PX;
	return r | (e & U ? NWV_U : 0);
}

static void leaf(const struct nwv_shape *s, unsigned level, uint64_t e,
		 struct nwv_leaf *out)
{
	*out = (struct nwv_leaf){
		.pa = leaf_pa(s, level, e),
		.rights = (uint8_t)rights(s, e),
		.memattr = (uint8_t)PBMT(e),
		.has_access_flag = !!(e & A),
		.has_contig = (uint8_t)is_run(level, e),
		.is_global = s->regime == NW_REGIME_RISCV_S && (e & G),
		.is_dirty = !!(e & D),
	};
}

static enum nwv_flaw leaf_flaw(const struct nwv_shape *s, unsigned level,
			       uint64_t e)
{
	if (PBMT(e) && !(s->features & NW_FEAT_SVPBMT))
		return NWV_FLAW_RES0;
	if (PBMT(e) == 3)
		return NWV_FLAW_MEMTYPE;
	if (!(e & N))
		return (e & PPN) << 2 & (BIT(nwv_span_lg2(s, level)) - 1)
			       ? NWV_FLAW_ALIGN
			       : NWV_FLAW_NONE;
	if (!(s->features & NW_FEAT_SVNAPOT) || level)
		return NWV_FLAW_RES0;
	/* The one pattern there is: 64 KiB. */
	return (e >> 10 & 15) == 8 ? NWV_FLAW_NONE : NWV_FLAW_ALIGN;
}

static enum nwv_flaw flaw(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (e & RES)
		return NWV_FLAW_RES0;
	if (((e & PPN) << 2) >> s->oa_bits)
		return NWV_FLAW_SIZE;
	if (kind(s, level, e) == NWV_LEAF)
		return leaf_flaw(s, level, e);
	/* D, A and U of a pointer, PBMT and N: reserved. */
	return (e & (D | A | U | N)) || PBMT(e) ? NWV_FLAW_RES0 : NWV_FLAW_NONE;
}

static unsigned leaf_change(const struct nwv_leaf *from,
			    const struct nwv_leaf *to)
{
	unsigned lg2 = from->has_contig != to->has_contig ? 16 : 12;
	int narrowed =
		(from->rights & ~to->rights) ||
		((from->rights & NWV_W) && from->is_dirty && !to->is_dirty) ||
		(from->is_global && !to->is_global);

	/* A page of a run and the run: which of its pages is not in the
	 * entry. */
	return (from->pa >> lg2 != to->pa >> lg2 ? NWV_D_ADDRESS : 0) |
	       (from->memattr != to->memattr ? NWV_D_MEMTYPE : 0) |
	       (narrowed ? NWV_D_NARROWED : 0) |
	       (from->has_access_flag && !to->has_access_flag ? NWV_D_AGED : 0);
}

static uint64_t hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!(s->features & NW_FEAT_SVADU) || kind(s, level, e) != NWV_LEAF)
		return 0;
	return (A | (e & W ? D : 0)) & ~e;
}

static uint64_t block_part(uint64_t block, uint64_t offset)
{
	return block + (offset >> 2);
}

const struct nwv_decoder nwv_riscv_decoder = {
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

static const struct {
	const char *name;
	uint8_t regime, is_all, is_all_tags;
} ops[] = {
	{"SFENCE.VMA address, ASID", NW_REGIME_RISCV_S, 0, 0},
	{"SFENCE.VMA x0, ASID", NW_REGIME_RISCV_S, 1, 0},
	{"SFENCE.VMA x0, x0", NW_REGIME_RISCV_S, 1, 1},
	{"HFENCE.GVMA address, VMID", NW_REGIME_RISCV_G, 0, 0},
	{"HFENCE.GVMA x0, VMID", NW_REGIME_RISCV_G, 1, 0},
	{"HFENCE.GVMA x0, x0", NW_REGIME_RISCV_G, 1, 1},
};
_Static_assert(sizeof(ops) / sizeof(ops[0]) ==
		       NW_TLBI_COUNT - NW_TLBI_RISCV_SFENCE_VMA,
	       "every invalidation is told");

/* By address they order leaf entries alone; with an ASID not the global ones
 * (12.2.1). A guest-physical address is given shifted by 2 (21.3.2). */
int nwv_riscv_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out)
{
	unsigned i = (unsigned)(op - NW_TLBI_RISCV_SFENCE_VMA);

	if (op < NW_TLBI_RISCV_SFENCE_VMA || op >= NW_TLBI_COUNT)
		return -1;
	*out = (struct nwv_inval){
		.op = (uint8_t)op,
		.regime = ops[i].regime,
		.is_local = 1,
		.is_all = ops[i].is_all,
		.is_all_tags = ops[i].is_all_tags,
		.keeps_global = !ops[i].is_all_tags,
		.is_last_level = !ops[i].is_all,
		.stage2 = 1,
		.combined = 1,
		.end = ~UINT64_C(0),
	};
	if (ops[i].is_all)
		return 0;
	if (op == NW_TLBI_RISCV_HFENCE_GVMA)
		operand <<= 2;
	out->start = operand & ~(BIT(12) - 1);
	out->end = out->start + BIT(12);
	return 0;
}

const char *nwv_riscv_tlbi_name(unsigned op)
{
	return op < NW_TLBI_RISCV_SFENCE_VMA || op >= NW_TLBI_COUNT
		       ? NULL
		       : ops[op - NW_TLBI_RISCV_SFENCE_VMA].name;
}
