/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry and one invalidation, whatever the architecture. arm64 is inline
 * and asked first; the others are reached through their decoder.
 */
#ifndef NWV_CHECK_DECODE_H
#define NWV_CHECK_DECODE_H

#include "arm64.h"

/*
 * How one format of another architecture reads. All of these invalidate by
 * instructions that act on the executing CPU alone (local.c); sizes may change
 * in place where the translation stays the same.
 */
struct nwv_decoder {
	/* What hardware does with the entry. */
	enum nwv_kind (*kind)(const struct nwv_shape *s, unsigned level,
			      uint64_t e);
	/* May hardware follow it at all? */
	int (*is_valid)(const struct nwv_shape *s, uint64_t e);
	/* May a TLB hold this leaf, as it stands? */
	int (*is_cached)(const struct nwv_shape *s, uint64_t e);
	uint64_t (*table_pa)(const struct nwv_shape *s, uint64_t e);
	uint64_t (*leaf_pa)(const struct nwv_shape *s, unsigned level,
			    uint64_t e);
	void (*leaf)(const struct nwv_shape *s, unsigned level, uint64_t e,
		     struct nwv_leaf *leaf);
	enum nwv_flaw (*flaw)(const struct nwv_shape *s, unsigned level,
			      uint64_t e);
	/* NWV_D_* between two leaves. */
	unsigned (*leaf_change)(const struct nwv_leaf *from,
				const struct nwv_leaf *to);
	/* Bits that hardware may set in this entry at any time. */
	uint64_t (*hw_bits)(const struct nwv_shape *s, unsigned level,
			    uint64_t e);
	/* The block's entry, `offset` bytes further on. */
	uint64_t (*block_part)(uint64_t block, uint64_t offset);
};

extern const struct nwv_decoder nwv_x86_decoder, nwv_ept_decoder,
	nwv_riscv_decoder;

int nwv_x86_shape(struct nwv_shape *s, unsigned format, const char **why);
int nwv_ept_shape(struct nwv_shape *s, const char **why);
int nwv_riscv_shape(struct nwv_shape *s, unsigned format, uint64_t root_bytes,
		    const char **why);
/* -1: not one of theirs. */
int nwv_x86_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out);
int nwv_riscv_inval_decode(uint64_t op, uint64_t operand,
			   struct nwv_inval *out);
const char *nwv_x86_tlbi_name(unsigned op);   /* NULL: not one of theirs */
const char *nwv_riscv_tlbi_name(unsigned op); /* the same */

/* *why names what is not known. For shapes. */
int nwv_shape_refuse(const char **why, const char *text);

/* ---- one architecture or another ---------------------------------------- */

/* Is what a TLB holds removed by each CPU for itself? */
static inline int nwv_is_local(const struct nwv_shape *s)
{
	return s->decoder != NULL;
}

static inline enum nwv_kind nwv_kind(const struct nwv_shape *s, unsigned level,
				     uint64_t e)
{
	return __builtin_expect(!s->decoder, 1) ? nwv_a64_kind(s, level, e)
						: s->decoder->kind(s, level, e);
}

/* May hardware follow it at all? */
static inline int nwv_is_valid(const struct nwv_shape *s, uint64_t e)
{
	return __builtin_expect(!s->decoder, 1) ? (int)(e & 1)
						: s->decoder->is_valid(s, e);
}

/* May a TLB hold this leaf, as it stands? */
static inline int nwv_is_cached(const struct nwv_shape *s, uint64_t e)
{
	if (__builtin_expect(!s->decoder, 1))
		return nwv_a64_leaf_is_accessed(e) ||
		       (s->features & NW_FEAT_HAF);
	return s->decoder->is_cached(s, e);
}

/* Address of the next table. */
static inline uint64_t nwv_table_pa(const struct nwv_shape *s, uint64_t e)
{
	return __builtin_expect(!s->decoder, 1) ? nwv_a64_table_pa(s, e)
						: s->decoder->table_pa(s, e);
}

static inline uint64_t nwv_leaf_pa(const struct nwv_shape *s, unsigned level,
				   uint64_t e)
{
	return __builtin_expect(!s->decoder, 1)
		       ? nwv_a64_leaf_pa(s, level, e)
		       : s->decoder->leaf_pa(s, level, e);
}

/* Bits of a leaf that its address takes; 0: there is no quick comparison. */
static inline uint64_t nwv_address_bits(const struct nwv_shape *s,
					unsigned level)
{
	return __builtin_expect(!s->decoder, 1) ? nwv_a64_address_bits(s, level)
						: 0;
}

/* May a block and a table be exchanged in place, if both say the same? */
static inline int nwv_resize_excused(const struct nwv_shape *s, uint64_t block)
{
	return s->decoder ? 1 : nwv_a64_resize_excused(s, block);
}

/* Does a block that became the same tables owe nothing? */
static inline int nwv_split_is_free(const struct nwv_shape *s)
{
	return s->decoder != NULL;
}

/* Entries of a contiguous run at this level, as a logarithm; 0: the level has
 * none. */
static inline unsigned nwv_contig_lg2(const struct nwv_shape *s, unsigned level)
{
	return s->decoder ? 0 : nwv_a64_contig_lg2(s, level);
}

/* A block without the marks that may differ, moved by `offset` bytes. */
static inline uint64_t nwv_block_part(const struct nwv_shape *s, uint64_t block,
				      uint64_t offset)
{
	return s->decoder ? s->decoder->block_part(block, offset)
			  : nwv_a64_block_part(block, offset);
}

/* Bits in which memory may differ from the last store, because hardware sets
 * them. */
static inline uint64_t nwv_hw_bits(const struct nwv_shape *s, unsigned level,
				   uint64_t e)
{
	return __builtin_expect(!s->decoder, 1)
		       ? nwv_a64_hw_bits(s, level, e)
		       : s->decoder->hw_bits(s, level, e);
}

/* ---- decode.c ----------------------------------------------------------- */

/*
 * Shape from the words of TABLE_INIT. root_bytes tells concatenated root
 * tables from one more level. -1: no profile; *why names what is not known.
 */
int nwv_shape_decode(uint64_t shape_word, unsigned regime, uint64_t root_bytes,
		     uint64_t mair, struct nwv_shape *s, const char **why);

void nwv_leaf_decode(const struct nwv_shape *s, unsigned level, uint64_t e,
		     struct nwv_leaf *leaf);

/* For any entry; NWV_FLAW_NONE for invalid ones. */
enum nwv_flaw nwv_entry_flaw(const struct nwv_shape *s, unsigned level,
			     uint64_t e);

/* NWV_D_* of a change from `before` to `after`. */
unsigned nwv_change(const struct nwv_shape *s, unsigned level, uint64_t before,
		    uint64_t after);

/* The same translation and rights, one level lower: what entry `index` of the
 * table that replaces this block must be. Marks that may differ are ignored. */
int nwv_same_translation(const struct nwv_shape *s, unsigned level,
			 uint64_t block, unsigned index, uint64_t child);

/* May hardware write this leaf at any time? */
int nwv_hw_writable(const struct nwv_shape *s, unsigned level, uint64_t e);

/* Output address of the page at `ia`, which a run's entry does not have. */
static inline uint64_t nwv_leaf_pa_at(const struct nwv_shape *s,
				      const struct nwv_leaf *leaf, uint64_t ia)
{
	return s->decoder && leaf->has_contig ? leaf->pa | (ia & 0xf000)
					      : leaf->pa;
}

/* -1: no such operation. */
int nwv_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out);

const char *nwv_tlbi_name(unsigned op);
const char *nwv_barrier_name(unsigned kind);
/* A level as its manual counts: arm64 from the root, others from the leaf. */
int nwv_level_number(unsigned regime, unsigned level);

#endif
