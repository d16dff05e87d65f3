/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle's own reading of VMSAv8-64, from the manual: descriptors and the
 * operands of TLB invalidations. Shares nothing with src/format, so that a
 * mistake there is not repeated here; a test compares the two.
 *
 * Manual: DDI 0487, "VMSAv8-64 translation table format descriptors", "TLB
 * maintenance instructions". Levels count from the leaf; the manual's number is
 * 3 - level.
 *
 * Stage 2, stage 1 of EL2 (one address range) and of EL1&0 (the lower range, or
 * TTBR0's). Attributes in table descriptors (APTable and the like) are not
 * read.
 */
#ifndef NWV_CHECK_ARM64_H
#define NWV_CHECK_ARM64_H

#include "shape.h"

static inline enum nwv_kind nwv_a64_kind(const struct nwv_shape *s,
					 unsigned level, uint64_t e)
{
	if (!(e & 1))
		return NWV_INVALID;
	if (e & 2)
		return level ? NWV_TABLE : NWV_LEAF;
	return s->block_levels >> level & 1 ? NWV_LEAF : NWV_RESERVED;
}

/* Of a leaf ("Block and Page descriptors": AF, bit 10). */
static inline int nwv_a64_leaf_is_accessed(uint64_t e)
{
	return e >> 10 & 1;
}

static inline uint64_t nwv_a64_pa_bits(const struct nwv_shape *s, uint64_t e)
{
	if (s->pa_form == NWV_PA_LPA2)
		return (e & ((UINT64_C(1) << 50) - 1)) | (e >> 8 & 3) << 50;
	e &= (UINT64_C(1) << 48) - 1;
	return s->pa_form == NWV_PA_LPA ? e | (e >> 12 & 15) << 48 : e;
}

/* Address of the next table. */
static inline uint64_t nwv_a64_table_pa(const struct nwv_shape *s, uint64_t e)
{
	return nwv_a64_pa_bits(s, e) & (~UINT64_C(0) << s->granule_lg2);
}

static inline uint64_t nwv_a64_leaf_pa(const struct nwv_shape *s,
				       unsigned level, uint64_t e)
{
	return nwv_a64_pa_bits(s, e) & (~UINT64_C(0) << nwv_span_lg2(s, level));
}

/* Bits of a leaf that hold its output address. */
static inline uint64_t nwv_a64_address_bits(const struct nwv_shape *s,
					    unsigned level)
{
	uint64_t span = ~UINT64_C(0) << nwv_span_lg2(s, level);

	switch (s->pa_form) {
	case NWV_PA_LPA2:
		return (((UINT64_C(1) << 50) - 1) & span) | 0x300;
	case NWV_PA_LPA:
		return (((UINT64_C(1) << 48) - 1) & span) | 0xf000;
	default:
		return ((UINT64_C(1) << 48) - 1) & span;
	}
}

/* FEAT_BBM: may this block and a table be exchanged in place? */
static inline int nwv_a64_resize_excused(const struct nwv_shape *s,
					 uint64_t block)
{
	if (s->features & NW_FEAT_BBM2)
		return 1;
	return (s->features & NW_FEAT_BBM1) && (block >> 16 & 1);
}

/* A block without contiguous bit and nT, moved by `offset` bytes inside the
 * span of another block: less than 2^48. */
static inline uint64_t nwv_a64_block_part(uint64_t block, uint64_t offset)
{
	return (block & ~(UINT64_C(1) << 16 | UINT64_C(1) << 52)) + offset;
}

/* Entries of a contiguous run at this level, as a logarithm; 0: the level has
 * no runs ("The Contiguous bit"). */
unsigned nwv_a64_contig_lg2(const struct nwv_shape *s, unsigned level);

/*
 * Shape from the words of TABLE_INIT. root_bytes tells concatenated root
 * tables from one more level. -1: no profile; *why names what is not known.
 */
int nwv_a64_shape_decode(uint64_t shape_word, unsigned regime,
			 uint64_t root_bytes, uint64_t mair,
			 struct nwv_shape *s, const char **why);

void nwv_a64_leaf_decode(const struct nwv_shape *s, unsigned level, uint64_t e,
			 struct nwv_leaf *leaf);

/* For any entry; NWV_FLAW_NONE for invalid ones. */
enum nwv_flaw nwv_a64_entry_flaw(const struct nwv_shape *s, unsigned level,
				 uint64_t e);

/* NWV_D_* of a change from `before` to `after`. */
unsigned nwv_a64_change(const struct nwv_shape *s, unsigned level,
			uint64_t before, uint64_t after);

/* The same translation and rights, one level lower: what entry `index` of the
 * table that replaces this block must be. Marks that may differ are ignored. */
int nwv_a64_same_translation(const struct nwv_shape *s, unsigned level,
			     uint64_t block, unsigned index, uint64_t child);

/* May hardware write this leaf at any time? */
int nwv_a64_hw_writable(const struct nwv_shape *s, unsigned level, uint64_t e);

/* Bits in which memory may differ from the last store, because hardware sets
 * them. */
uint64_t nwv_a64_hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e);

/* -1: no such operation. As hardware without LPA2 reads it. */
int nwv_a64_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out);

/*
 * The same operation as the hardware reads it that walks tables of this shape:
 * with LPA2 in force (TCR DS) ranges begin at a multiple of 64 KiB and level 0
 * has a hint; what ends a VMID's stage-1 entries ends those of every ASID. 0:
 * it does not concern such a table, and *out is not set.
 */
int nwv_a64_inval_fit(const struct nwv_inval *v, const struct nwv_shape *s,
		      struct nwv_inval *out);

const char *nwv_a64_tlbi_name(unsigned op);
const char *nwv_a64_barrier_name(unsigned kind);

#endif
