/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of a leaf that stand at the same place in all three stages, the
 * full decoder around them, and which changes of a live entry are allowed. Not
 * for stages alone: every instance brings it in through its body.
 */
#ifndef NW_FORMAT_ARM64_LEAF_H
#define NW_FORMAT_ARM64_LEAF_H

#include "arm64_common.h"

/* ---- fields ------------------------------------------------------------ */

/* May a leaf of `level`, which exists, have these flags, all known ones? */
static inline int nw_a64_flags_fit(const struct nw_geometry *geo,
				   unsigned level, unsigned flags)
{
	if ((flags & NW_LEAF_CONTIG) && !nwf_contig_lg2(geo, level))
		return 0;
	if ((flags & NW_LEAF_DBM) && !(geo->features & NW_FEAT_HD))
		return 0;
	return !(flags & NW_LEAF_NT) ||
	       (level && (geo->features & NW_A64_BBM_ANY));
}

/*
 * Valid, type, SH, AF, nT, DBM, Contiguous, software bits and PBHA. In line: a
 * fault encodes its leaf. Nearly all have no flag but AF: the others are looked
 * at only where there is one.
 * flags_known: the NW_LEAF_* that the stage has.
 * NW_E_LEVEL, NW_E_ATTRS: *bits untouched.
 */
static inline __attribute__((always_inline)) enum nw_status
nw_a64_fields_encode(const struct nw_geometry *geo, unsigned level,
		     const struct nw_attrs *attrs, unsigned flags_known,
		     nw_entry_t *bits)
{
	unsigned flags = attrs->flags;
	nw_entry_t leaf = NW_A64_VALID;

	/* Every shape has pages. */
	if (level &&
	    (level >= geo->levels || !(geo->leaf_levels >> level & 1)))
		return NW_E_LEVEL;
	if (attrs->share >= NW_SHARE_COUNT ||
	    (attrs->software | attrs->hardware) > 15)
		return NW_E_ATTRS;
	/* With LPA2 the register's SH is everybody's, and ours says inner. */
	if (NW_A64_LPA2 && attrs->share != NW_SHARE_INNER)
		return NW_E_ATTRS;
	if (NW_UNLIKELY(flags & ~NW_LEAF_ACCESSED)) {
		if (flags & ~flags_known || !nw_a64_flags_fit(geo, level, flags))
			return NW_E_ATTRS;
		leaf |= nw_a64_bit_if(flags & NW_LEAF_NT, NW_A64_NT) |
			nw_a64_bit_if(flags & NW_LEAF_DBM, NW_A64_DBM) |
			nw_a64_bit_if(flags & NW_LEAF_CONTIG, NW_A64_CONTIG);
	}
	/* 0, 2, 3 for none, outer, inner: 1 is reserved. */
	*bits = leaf | nw_a64_bit_if(level == 0, NW_A64_TYPE) |
		nw_a64_bit_if(!NW_A64_LPA2,
			      (nw_entry_t)(attrs->share + (attrs->share != 0))
				      << NW_A64_SH_SHIFT) |
		nw_a64_bit_if(flags & NW_LEAF_ACCESSED, NW_A64_AF) |
		(nw_entry_t)attrs->software << NW_A64_SOFTWARE_SHIFT |
		(nw_entry_t)attrs->hardware << NW_A64_PBHA_SHIFT;
	return NW_OK;
}

/*
 * Address rules of a leaf or table: NW_REASON_NONE, _ALIGN or _SIZE. `nt`: the
 * nT bit where it is one, and no address bit.
 */
static inline enum nw_reason nw_a64_address_check(const struct nw_geometry *geo,
						  nw_entry_t entry,
						  nw_entry_t nt,
						  unsigned align_lg2)
{
	nw_entry_t low = (entry & (NW_A64_LOW | NW_A64_BELOW)) ^ nt;

	if (low & (NW_A64_BIT(align_lg2) - 1))
		return NW_REASON_ADDRESS_ALIGN;
	if ((low | nw_a64_high(entry)) >> geo->oa_bits)
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
	if ((leaf & NW_A64_CONTIG) && !nwf_contig_lg2(geo, level))
		return NW_REASON_RES0;
	reason = nw_a64_address_check(geo, leaf, nt, nw_a64_span_lg2(level));
	if (reason != NW_REASON_NONE)
		return reason;
	attrs->share =
		NW_A64_LPA2 ? NW_SHARE_INNER
			    : share_of[(leaf & NW_A64_SH) >> NW_A64_SH_SHIFT];
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
	} else if (out->kind == NW_ENTRY_RESERVED ||
		   (out->kind == NW_ENTRY_LEAF &&
		    !(geo->leaf_levels >> level & 1))) {
		out->reason = NW_REASON_TYPE_AT_LEVEL;
	} else if (out->kind == NW_ENTRY_TABLE) {
		out->pa = NW_PA(nwf_table_pa(geo, entry));
		out->reason =
			nw_a64_address_check(geo, entry, 0, NW_A64_GRANULE_LG2);
		if ((entry & ~NW_A64_BELOW) != nwf_table_entry(geo, out->pa.v))
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
