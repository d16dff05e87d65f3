/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stage 2 and EL2 stage 1 of VMSAv8-64 share at the 4 KiB granule: valid
 * and type bits, addresses, table entries, and the attribute fields that stand
 * at the same place in both. Includer: one format header per source file; the
 * parts of contract.h that do not differ are met here.
 *
 * Manual: DDI 0487, "VMSAv8-64 translation table format descriptors". Output
 * addresses have at most 48 bits (no FEAT_LPA2). Bits that the hardware
 * ignores and that have no name in struct nw_attrs are kept zero, and anything
 * else there is reported as NW_REASON_RES0: we never wrote that entry.
 */
#ifndef NW_FORMAT_ARM64_COMMON_H
#define NW_FORMAT_ARM64_COMMON_H

#include <nestwalk/arm64.h>
#include "contract.h"

#define NW_A64_BIT(n) (UINT64_C(1) << (n))
#define NW_A64_FIELD(last, first)                                              \
	(((UINT64_C(2) << ((last) - (first))) - 1) << (first))

#define NW_A64_GRANULE_LG2 12u
#define NW_A64_INDEX_BITS  9u
#define NW_A64_OA_BITS_MAX 48u

enum {
	NWF_GRANULE_LG2 = NW_A64_GRANULE_LG2,
	NWF_INDEX_BITS = NW_A64_INDEX_BITS,
	NWF_TICKET_BITS = 48,
	NWF_ANNOTATION_BITS = 62,
};

#define NWF_EMPTY UINT64_C(0)

#define NW_A64_VALID	      NW_A64_BIT(0)
#define NW_A64_TYPE	      NW_A64_BIT(1) /* table; page at level 0 */
#define NW_A64_SH_SHIFT	      8
#define NW_A64_SH	      NW_A64_FIELD(9, 8)
#define NW_A64_AF	      NW_A64_BIT(10)
#define NW_A64_ADDRESS	      NW_A64_FIELD(47, 12)
#define NW_A64_NT	      NW_A64_BIT(16) /* blocks only */
#define NW_A64_DBM	      NW_A64_BIT(51)
#define NW_A64_CONTIG	      NW_A64_BIT(52)
#define NW_A64_SOFTWARE_SHIFT 55
#define NW_A64_SOFTWARE	      NW_A64_FIELD(58, 55)
#define NW_A64_PBHA_SHIFT     59
#define NW_A64_PBHA	      NW_A64_FIELD(62, 59)
/* Zero in every leaf: address bits of FEAT_LPA, and bit 63. */
#define NW_A64_LEAF_RES0 (NW_A64_FIELD(49, 48) | NW_A64_BIT(63))

#define NW_A64_FEATURES 0x01ffu
#define NW_A64_BBM_ANY (NW_FEAT_BBM1 | NW_FEAT_BBM2)

/* Leaf facts that both stages have. */
#define NW_A64_FLAGS                                                           \
	(NW_LEAF_ACCESSED | NW_LEAF_DBM | NW_LEAF_CONTIG | NW_LEAF_NT)

static inline unsigned nw_a64_span_lg2(unsigned level)
{
	return NW_A64_GRANULE_LG2 + NW_A64_INDEX_BITS * level;
}

static inline nw_entry_t nw_a64_bit_if(int condition, nw_entry_t bit)
{
	return condition ? bit : 0;
}

/* ---- shape ------------------------------------------------------------- */

static inline enum nw_status nw_a64_refuse(const char **argument,
					   const char *name)
{
	*argument = name;
	return NW_E_CONFIG;
}

/* The checks of a configuration that do not depend on the stage. */
static inline enum nw_status
nw_a64_config_check(const struct nw_format_config *config,
		    const char **argument)
{
	if (config->granule_lg2 != NW_A64_GRANULE_LG2)
		return nw_a64_refuse(argument, "granule_lg2");
	if (nw_arm64_ps(config->oa_bits) < 0)
		return nw_a64_refuse(argument, "oa_bits");
	if (config->features & ~NW_A64_FEATURES)
		return nw_a64_refuse(argument, "features");
	/* TCR_ELx.HD has no effect without HA: a DBM bit would be a lie. */
	if ((config->features & NW_FEAT_HD) &&
	    !(config->features & NW_FEAT_HAF))
		return nw_a64_refuse(argument, "features");
	/* T0SZ is at most 39 without FEAT_TTST, and never below 16 here. */
	if (config->ia_bits > 48)
		return nw_a64_refuse(argument, "ia_bits");
	if (config->ia_bits < 25 && !(config->features & NW_FEAT_TTST))
		return nw_a64_refuse(argument, "ia_bits");
	return NW_OK;
}

static inline void nw_a64_shape(const struct nw_format_config *config,
				unsigned levels, unsigned root_pages_lg2,
				struct nw_geometry *geo)
{
	/* Blocks exist at architecture levels 1 and 2 (ours: 2 and 1). */
	unsigned leaf_levels = levels < 3 ? (1u << levels) - 1 : 7u;

	*geo = (struct nw_geometry){
		.granule_lg2 = NW_A64_GRANULE_LG2,
		.index_bits = NW_A64_INDEX_BITS,
		.levels = (uint8_t)levels,
		.root_pages_lg2 = (uint8_t)root_pages_lg2,
		.ia_bits = config->ia_bits,
		.oa_bits = config->oa_bits,
		.leaf_levels = (uint8_t)leaf_levels,
		.features = config->features,
	};
}

/* ---- contract: what does not differ ------------------------------------ */

static inline int nwf_is_valid(nw_entry_t entry)
{
	return (int)(entry & NW_A64_VALID);
}

static inline enum nw_entry_kind nwf_kind(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t entry)
{
	(void)geo;
	if (!(entry & NW_A64_VALID))
		return entry ? NW_ENTRY_INVALID : NW_ENTRY_EMPTY;
	if (entry & NW_A64_TYPE)
		return level ? NW_ENTRY_TABLE : NW_ENTRY_LEAF;
	/* Type 0: a block, at our levels 1 and 2 only. */
	return level - 1u < 2u ? NW_ENTRY_LEAF : NW_ENTRY_RESERVED;
}

static inline int nwf_is_table(unsigned level, nw_entry_t entry)
{
	const nw_entry_t bits = NW_A64_VALID | NW_A64_TYPE;

	return (entry & bits) == bits && level;
}

static inline int nwf_is_leaf(unsigned level, nw_entry_t entry)
{
	const nw_entry_t bits = NW_A64_VALID | NW_A64_TYPE;

	if (!level)
		return (entry & bits) == bits;
	return (entry & bits) == NW_A64_VALID && level < 3;
}

static inline nw_entry_t nwf_leaf_at(const struct nw_geometry *geo,
				     nw_entry_t leaf_template, uint64_t pa)
{
	(void)geo;
	return leaf_template | pa;
}

static inline nw_entry_t nwf_leaf_next(const struct nw_geometry *geo,
				       unsigned level, nw_entry_t leaf)
{
	(void)geo;
	return leaf + NW_A64_BIT(nw_a64_span_lg2(level));
}

static inline uint64_t nwf_leaf_pa(const struct nw_geometry *geo,
				   unsigned level, nw_entry_t leaf)
{
	(void)geo;
	/* From the leaf's size upwards: nT lies below it. */
	return leaf & NW_A64_ADDRESS & (~UINT64_C(0) << nw_a64_span_lg2(level));
}

static inline nw_entry_t nwf_split_child(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo;
	leaf &= ~(NW_A64_CONTIG | NW_A64_NT);
	return level == 1 ? leaf | NW_A64_TYPE : leaf;
}

static inline nw_entry_t nwf_table_entry(const struct nw_geometry *geo,
					 uint64_t next_pa)
{
	(void)geo;
	return next_pa | NW_A64_TYPE | NW_A64_VALID;
}

static inline uint64_t nwf_table_pa(const struct nw_geometry *geo,
				    nw_entry_t entry)
{
	(void)geo;
	return entry & NW_A64_ADDRESS;
}

/*
 * Invalid entries: the type bit tells tokens (bit 2 clear) and FROZEN (bit 2
 * set) from annotations (type bit clear, the value above it).
 */
#define NW_A64_FROZEN_MARK NW_A64_BIT(2)
#define NW_A64_TICKET_SHIFT 3

static inline nw_entry_t nwf_lock_token(uint64_t ticket)
{
	return ticket << NW_A64_TICKET_SHIFT | NW_A64_TYPE;
}

static inline int nwf_is_locked(nw_entry_t entry)
{
	return (entry & (NW_A64_VALID | NW_A64_TYPE | NW_A64_FROZEN_MARK)) ==
	       NW_A64_TYPE;
}

static inline nw_entry_t nwf_frozen(void)
{
	return NW_A64_TYPE | NW_A64_FROZEN_MARK;
}

static inline nw_entry_t nwf_annotation(uint64_t value)
{
	return value << 2;
}

static inline int nwf_is_annotation(nw_entry_t entry)
{
	return entry && !(entry & (NW_A64_VALID | NW_A64_TYPE));
}

static inline uint64_t nwf_annotation_value(nw_entry_t entry)
{
	return entry >> 2;
}

/* ---- state of a leaf --------------------------------------------------- */

static inline int nwf_leaf_is_accessed(nw_entry_t leaf)
{
	return (leaf & NW_A64_AF) != 0;
}

static inline nw_entry_t nwf_leaf_set_accessed(nw_entry_t leaf)
{
	return leaf | NW_A64_AF;
}

static inline nw_entry_t nwf_leaf_clear_accessed(nw_entry_t leaf)
{
	return leaf & ~NW_A64_AF;
}

static inline nw_entry_t nwf_collapse_parent(const struct nw_geometry *geo,
					     unsigned level, nw_entry_t child)
{
	if (level >= geo->levels || !(geo->leaf_levels >> level & 1))
		return 0;
	if (child & NW_A64_ADDRESS & (NW_A64_BIT(nw_a64_span_lg2(level)) - 1))
		return 0;
	child &= ~NW_A64_CONTIG;
	return level == 1 ? child & ~NW_A64_TYPE : child;
}

/* ---- contiguous runs ("Contiguous bit": 16 entries at the 4K granule) --- */

static inline unsigned nwf_contig_lg2(const struct nw_geometry *geo,
				      unsigned level)
{
	return level < geo->levels && (geo->leaf_levels >> level & 1) ? 4 : 0;
}

static inline int nwf_leaf_is_contig(const struct nw_geometry *geo,
				     unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level;
	return (leaf & NW_A64_CONTIG) != 0;
}

static inline nw_entry_t nwf_contig_member(const struct nw_geometry *geo,
					   unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level;
	return leaf | NW_A64_CONTIG;
}

static inline nw_entry_t nwf_contig_alone(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t leaf,
					  unsigned index)
{
	(void)geo, (void)level, (void)index;
	return leaf & ~NW_A64_CONTIG;
}

static inline unsigned nwf_leaf_span_lg2(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)leaf;
	return nw_a64_span_lg2(level);
}

/* ---- fields at the same place in both stages --------------------------- */

/*
 * Valid, type, SH, AF, nT, DBM, Contiguous, software bits and PBHA.
 * flags_known: the NW_LEAF_* that the stage has.
 * NW_E_LEVEL, NW_E_ATTRS: *bits untouched.
 */
static inline enum nw_status nw_a64_fields_encode(const struct nw_geometry *geo,
						  unsigned level,
						  const struct nw_attrs *attrs,
						  unsigned flags_known,
						  nw_entry_t *bits)
{
	/* Indexed by enum nw_share; 1 is reserved. */
	static const uint8_t sh_of[NW_SHARE_COUNT] = {0, 2, 3};
	unsigned flags = attrs->flags;

	if (level >= geo->levels || !(geo->leaf_levels >> level & 1))
		return NW_E_LEVEL;
	if (flags & ~flags_known || attrs->share >= NW_SHARE_COUNT ||
	    attrs->software > 15 || attrs->hardware > 15)
		return NW_E_ATTRS;
	if ((flags & NW_LEAF_DBM) && !(geo->features & NW_FEAT_HD))
		return NW_E_ATTRS;
	if ((flags & NW_LEAF_NT) &&
	    (level == 0 || !(geo->features & NW_A64_BBM_ANY)))
		return NW_E_ATTRS;
	*bits = NW_A64_VALID | nw_a64_bit_if(level == 0, NW_A64_TYPE) |
		(nw_entry_t)sh_of[attrs->share] << NW_A64_SH_SHIFT |
		nw_a64_bit_if(flags & NW_LEAF_ACCESSED, NW_A64_AF) |
		nw_a64_bit_if(flags & NW_LEAF_NT, NW_A64_NT) |
		nw_a64_bit_if(flags & NW_LEAF_DBM, NW_A64_DBM) |
		nw_a64_bit_if(flags & NW_LEAF_CONTIG, NW_A64_CONTIG) |
		(nw_entry_t)attrs->software << NW_A64_SOFTWARE_SHIFT |
		(nw_entry_t)attrs->hardware << NW_A64_PBHA_SHIFT;
	return NW_OK;
}

/* Address rules of a leaf or table: NW_REASON_NONE, _ALIGN or _SIZE. */
static inline enum nw_reason nw_a64_address_check(const struct nw_geometry *geo,
						  nw_entry_t address,
						  unsigned align_lg2)
{
	if (address & (NW_A64_BIT(align_lg2) - 1))
		return NW_REASON_ADDRESS_ALIGN;
	if (address >> geo->oa_bits)
		return NW_REASON_ADDRESS_SIZE;
	return NW_REASON_NONE;
}

/*
 * The inverse of nw_a64_fields_encode() for a leaf whose type exists at this
 * level; also the address. `res0`: further bits that are zero in this stage.
 */
static inline enum nw_reason
nw_a64_fields_decode(const struct nw_geometry *geo, unsigned level,
		     nw_entry_t leaf, nw_entry_t res0, struct nw_attrs *attrs)
{
	/* Indexed by SH; 1 is reserved. */
	static const uint8_t share_of[4] = {NW_SHARE_NONE, NW_SHARE_COUNT,
					    NW_SHARE_OUTER, NW_SHARE_INNER};
	nw_entry_t nt = level ? leaf & NW_A64_NT : 0;
	enum nw_reason reason;

	if (leaf & (NW_A64_LEAF_RES0 | res0))
		return NW_REASON_RES0;
	if (nt && !(geo->features & NW_A64_BBM_ANY))
		return NW_REASON_FEATURE;
	if ((leaf & NW_A64_DBM) && !(geo->features & NW_FEAT_HD))
		return NW_REASON_FEATURE;
	reason = nw_a64_address_check(geo, (leaf & NW_A64_ADDRESS) ^ nt,
				      nw_a64_span_lg2(level));
	if (reason != NW_REASON_NONE)
		return reason;
	attrs->share = share_of[(leaf & NW_A64_SH) >> NW_A64_SH_SHIFT];
	if (attrs->share == NW_SHARE_COUNT)
		return NW_REASON_SHARE;
	attrs->flags = (uint16_t)((leaf & NW_A64_AF ? NW_LEAF_ACCESSED : 0) |
				 (leaf & NW_A64_DBM ? NW_LEAF_DBM : 0) |
				 (leaf & NW_A64_CONTIG ? NW_LEAF_CONTIG : 0) |
				 (nt ? NW_LEAF_NT : 0));
	attrs->software =
		(uint8_t)((leaf & NW_A64_SOFTWARE) >> NW_A64_SOFTWARE_SHIFT);
	attrs->hardware = (uint8_t)((leaf & NW_A64_PBHA) >> NW_A64_PBHA_SHIFT);
	return NW_REASON_NONE;
}

/* One stage's own part of a leaf: memory type and rights, see the stages. */
static inline enum nw_reason nw_a64_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs);

static inline void nwf_decode(const struct nw_geometry *geo, unsigned level,
			      nw_entry_t entry, struct nw_decoded *out)
{
	*out = (struct nw_decoded){.kind = nwf_kind(geo, level, entry)};
	if (!nwf_is_valid(entry))
		return;
	if (level >= geo->levels) {
		out->reason = NW_REASON_LEVEL;
	} else if (out->kind == NW_ENTRY_RESERVED) {
		out->reason = NW_REASON_TYPE_AT_LEVEL;
	} else if (out->kind == NW_ENTRY_TABLE) {
		out->pa = NW_PA(nwf_table_pa(geo, entry));
		out->reason = nw_a64_address_check(geo, out->pa.v,
						   NW_A64_GRANULE_LG2);
		if (entry != nwf_table_entry(geo, out->pa.v))
			out->reason = NW_REASON_RES0;
	} else {
		out->pa = NW_PA(nwf_leaf_pa(geo, level, entry));
		out->reason =
			nw_a64_leaf_decode(geo, level, entry, &out->attrs);
	}
	if (out->reason != NW_REASON_NONE)
		*out = (struct nw_decoded){.kind = NW_ENTRY_RESERVED,
					   .reason = out->reason};
}

/* ---- changes ----------------------------------------------------------- */

/*
 * Hardware update of a live leaf ("Hardware management of the Access flag and
 * dirty state"): it sets AF where that is clear, and the write right where DBM
 * is set and the right is not there.
 */
static inline int nw_a64_hw_writable(const struct nw_geometry *geo,
				     nw_entry_t leaf, int has_write)
{
	if (!nwf_is_valid(leaf))
		return 0;
	if ((geo->features & NW_FEAT_HAF) && !(leaf & NW_A64_AF))
		return 1;
	return (geo->features & NW_FEAT_HD) && (leaf & NW_A64_DBM) &&
	       !has_write;
}

/*
 * May a block become a table, or a table a block, in place? "Support levels
 * for changing table or block size": level 2 allows it; level 1 if the block
 * carries nT (and TLBs hold it only in that form). The translations must be
 * identical and an invalidation must follow: the caller's part, for here only
 * one entry of each is seen.
 */
static inline int nw_a64_resize_needs_break(const struct nw_geometry *geo,
					    nw_entry_t block)
{
	if (geo->features & NW_FEAT_BBM2)
		return 0;
	return !((geo->features & NW_FEAT_BBM1) && (block & NW_A64_NT));
}

/*
 * "Using break-before-make when updating translation table entries": required
 * for a change of output address, memory type, cacheability, shareability, and
 * of size; not for rights, access flag, dirty state and bits that the hardware
 * ignores. A change of the contiguous bit or nT is a change of size and is
 * excused from support level 1 on. Whatever the manual leaves open (PBHA, XS,
 * GP) is broken as well. in_place: the stage's bits that need no break.
 */
static inline int nw_a64_change_needs_break(const struct nw_geometry *geo,
					    unsigned level, nw_entry_t old,
					    nw_entry_t new_entry,
					    nw_entry_t in_place)
{
	enum nw_entry_kind from = nwf_kind(geo, level, old);
	enum nw_entry_kind to = nwf_kind(geo, level, new_entry);

	if (old == new_entry || !nwf_is_valid(old) || !nwf_is_valid(new_entry))
		return 0;
	if (from == NW_ENTRY_LEAF && to == NW_ENTRY_TABLE)
		return nw_a64_resize_needs_break(geo, old);
	if (from == NW_ENTRY_TABLE && to == NW_ENTRY_LEAF)
		return nw_a64_resize_needs_break(geo, new_entry);
	/* Another table is another set of output addresses. */
	if (from != NW_ENTRY_LEAF || to != NW_ENTRY_LEAF)
		return 1;
	in_place |= NW_A64_AF | NW_A64_DBM | NW_A64_SOFTWARE;
	if (geo->features & NW_A64_BBM_ANY)
		in_place |= NW_A64_CONTIG | (level ? NW_A64_NT : 0);
	return ((old ^ new_entry) & ~in_place) != 0;
}

#endif
