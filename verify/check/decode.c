/* SPDX-License-Identifier: BSD-2-Clause */
/* What all architectures but arm64 have in common, and who is asked. */
#include "decode.h"

int nwv_shape_refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

static int regime_of(unsigned format)
{
	switch (format) {
	case NW_FORMAT_ID_x86_64:
		return NW_REGIME_X86;
	case NW_FORMAT_ID_x86_npt:
		return NW_REGIME_NPT;
	case NW_FORMAT_ID_x86_ept:
		return NW_REGIME_EPT;
	case NW_FORMAT_ID_riscv_s:
		return NW_REGIME_RISCV_S;
	case NW_FORMAT_ID_riscv_g:
		return NW_REGIME_RISCV_G;
	default:
		return -1;
	}
}

int nwv_shape_decode(uint64_t word, unsigned regime, uint64_t root_bytes,
		     uint64_t mair, struct nwv_shape *s, const char **why)
{
	unsigned format = word & 0xff;

	if (regime_of(format) < 0)
		return nwv_a64_shape_decode(word, regime, root_bytes, mair, s,
					    why);
	*s = (struct nwv_shape){
		.features = (uint32_t)(word >> 32),
		.regime = (uint8_t)regime,
		.granule_lg2 = (uint8_t)(word >> 8),
		.index_bits = 9,
		.ia_bits = (uint8_t)(word >> 16),
		.oa_bits = (uint8_t)(word >> 24),
	};
	if ((int)regime != regime_of(format))
		return nwv_shape_refuse(why, "regime for this format");
	if (s->granule_lg2 != 12)
		return nwv_shape_refuse(why, "granule (this format: 4 KiB)");
	switch (format) {
	case NW_FORMAT_ID_x86_64:
	case NW_FORMAT_ID_x86_npt:
		return nwv_x86_shape(s, format, why);
	case NW_FORMAT_ID_x86_ept:
		return nwv_ept_shape(s, why);
	default:
		return nwv_riscv_shape(s, format, root_bytes, why);
	}
}

/* ---- entries ------------------------------------------------------------ */

void nwv_leaf_decode(const struct nwv_shape *s, unsigned level, uint64_t e,
		     struct nwv_leaf *leaf)
{
	if (s->decoder)
		s->decoder->leaf(s, level, e, leaf);
	else
		nwv_a64_leaf_decode(s, level, e, leaf);
}

enum nwv_flaw nwv_entry_flaw(const struct nwv_shape *s, unsigned level,
			     uint64_t e)
{
	if (!s->decoder)
		return nwv_a64_entry_flaw(s, level, e);
	switch (nwv_kind(s, level, e)) {
	case NWV_INVALID:
		return NWV_FLAW_NONE;
	case NWV_RESERVED:
		return NWV_FLAW_TYPE;
	default:
		return s->decoder->flaw(s, level, e);
	}
}

unsigned nwv_change(const struct nwv_shape *s, unsigned level, uint64_t before,
		    uint64_t after)
{
	enum nwv_kind from, to;
	struct nwv_leaf a, b;
	int was, is;

	if (__builtin_expect(!s->decoder, 1))
		return nwv_a64_change(s, level, before, after);
	if (before == after)
		return 0;
	from = nwv_kind(s, level, before);
	to = nwv_kind(s, level, after);
	was = from == NWV_LEAF || from == NWV_TABLE;
	is = to == NWV_LEAF || to == NWV_TABLE;
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
	nwv_leaf_decode(s, level, before, &a);
	nwv_leaf_decode(s, level, after, &b);
	return s->decoder->leaf_change(&a, &b);
}

int nwv_same_translation(const struct nwv_shape *s, unsigned level,
			 uint64_t block, unsigned index, uint64_t child)
{
	struct nwv_leaf big, small;
	unsigned below = level - 1;

	if (!s->decoder)
		return nwv_a64_same_translation(s, level, block, index, child);
	if (nwv_kind(s, below, child) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, block, &big);
	nwv_leaf_decode(s, below, child, &small);
	if (small.has_contig) /* a run: all its members name its first page */
		big.pa += (uint64_t)(index & ~15u) << nwv_span_lg2(s, below);
	else
		big.pa += (uint64_t)index << nwv_span_lg2(s, below);
	return small.pa == big.pa && small.memattr == big.memattr &&
	       small.rights == big.rights && small.is_global == big.is_global;
}

int nwv_hw_writable(const struct nwv_shape *s, unsigned level, uint64_t e)
{
	if (!s->decoder)
		return nwv_a64_hw_writable(s, level, e);
	return nwv_kind(s, level, e) == NWV_LEAF &&
	       (s->decoder->hw_bits(s, level, e) & ~e);
}

/* ---- invalidations and barriers ----------------------------------------- */

int nwv_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out)
{
	if (op < NW_TLBI_X86_INVLPG)
		return nwv_a64_inval_decode(op, operand, out);
	if (op < NW_TLBI_RISCV_SFENCE_VMA)
		return nwv_x86_inval_decode(op, operand, out);
	return nwv_riscv_inval_decode(op, operand, out);
}

const char *nwv_tlbi_name(unsigned op)
{
	if (op < NW_TLBI_X86_INVLPG || op >= NW_TLBI_COUNT)
		return nwv_a64_tlbi_name(op);
	return op < NW_TLBI_RISCV_SFENCE_VMA ? nwv_x86_tlbi_name(op)
					     : nwv_riscv_tlbi_name(op);
}

const char *nwv_barrier_name(unsigned kind)
{
	switch (kind) {
	case NW_BARRIER_X86_MFENCE:
		return "MFENCE";
	case NW_BARRIER_X86_TLBSYNC:
		return "TLBSYNC";
	case NW_BARRIER_RISCV_FENCE_W:
		return "FENCE w,w";
	case NW_BARRIER_RISCV_FENCE_RW:
		return "FENCE rw,rw";
	default:
		return nwv_a64_barrier_name(kind);
	}
}

int nwv_level_number(unsigned regime, unsigned level)
{
	return regime <= NW_REGIME_EL10 ? 3 - (int)level : (int)level;
}
