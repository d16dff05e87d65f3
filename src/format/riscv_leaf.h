/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V leaves as a whole: attributes to bits and back, size, changes. For
 * riscv_s.h and riscv_g.h, on top of the fields of riscv_common.h.
 */
#ifndef NW_FORMAT_RISCV_LEAF_H
#define NW_FORMAT_RISCV_LEAF_H

#include "riscv_common.h"

/* ---- leaves ------------------------------------------------------------ */

/* NW_E_LEVEL also for a run's member where there are no runs. */
static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	int pbmt = nw_rv_pbmt(geo, attrs->memtype);
	unsigned flags = attrs->flags;
	enum nw_status status;
	nw_entry_t own, bits;

	if (level >= geo->levels)
		return NW_E_LEVEL;
	if (pbmt < 0 || attrs->share != NW_SHARE_INNER || attrs->software > 3 ||
	    attrs->hardware)
		return NW_E_ATTRS;
	status = nw_rv_own_encode(attrs, &own);
	if (status != NW_OK)
		return status;
	bits = own | NW_RV_VALID | (nw_entry_t)pbmt << NW_RV_PBMT_SHIFT |
	       (nw_entry_t)attrs->software << NW_RV_SOFTWARE_SHIFT |
	       nw_rv_bit_if(flags & NW_LEAF_ACCESSED, NW_RV_ACCESSED) |
	       nw_rv_bit_if(flags & NW_LEAF_DIRTY, NW_RV_DIRTY);
	if (flags & NW_LEAF_CONTIG) {
		if (!(geo->features & NW_FEAT_SVNAPOT))
			return NW_E_ATTRS;
		bits |= NW_RV_N | NW_RV_NAPOT_CODE;
	}
	status = nw_rv_with_prot(bits, attrs->prot, &bits);
	if (status != NW_OK)
		return status;
	if ((flags & NW_LEAF_CONTIG) && !nwf_contig_lg2(geo, level))
		return NW_E_LEVEL;
	*entry = bits;
	return NW_OK;
}

/* Address rules of a leaf or table: NW_REASON_NONE, _ALIGN or _SIZE. */
static inline enum nw_reason nw_rv_address_check(const struct nw_geometry *geo,
						 uint64_t address,
						 unsigned align_lg2)
{
	if (address & (NW_RV_BIT(align_lg2) - 1))
		return NW_REASON_ADDRESS_ALIGN;
	if (address >> geo->oa_bits)
		return NW_REASON_ADDRESS_SIZE;
	return NW_REASON_NONE;
}

/* Bits that an extension brings, and what it reserves. */
static inline enum nw_reason nw_rv_feature_check(const struct nw_geometry *geo,
						 unsigned level,
						 nw_entry_t leaf)
{
	if ((leaf & NW_RV_PBMT) && !(geo->features & NW_FEAT_SVPBMT))
		return NW_REASON_FEATURE;
	if (nw_rv_memtype(leaf) == NW_MEM_COUNT)
		return NW_REASON_MEMTYPE;
	if (!(leaf & NW_RV_N))
		return NW_REASON_NONE;
	if (!(geo->features & NW_FEAT_SVNAPOT))
		return NW_REASON_FEATURE;
	if (level)
		return NW_REASON_TYPE_AT_LEVEL;
	if ((leaf & NW_RV_NAPOT_LOW) != NW_RV_NAPOT_CODE)
		return NW_REASON_ADDRESS_ALIGN;
	return NW_REASON_NONE;
}

static inline enum nw_reason nw_rv_leaf_decode(const struct nw_geometry *geo,
					       unsigned level, nw_entry_t leaf,
					       struct nw_attrs *attrs)
{
	nw_entry_t code = leaf & NW_RV_N ? NW_RV_NAPOT_CODE : 0;
	enum nw_reason reason = nw_rv_feature_check(geo, level, leaf);

	if (reason != NW_REASON_NONE)
		return reason;
	if (leaf & NW_RV_RES0)
		return NW_REASON_RES0;
	if ((leaf & (NW_RV_READ | NW_RV_WRITE)) == NW_RV_WRITE)
		return NW_REASON_RIGHTS;
	reason = nw_rv_address_check(geo, nwf_table_pa(geo, leaf ^ code),
				     nwf_leaf_span_lg2(geo, level, leaf));
	if (reason != NW_REASON_NONE)
		return reason;
	attrs->prot = (uint8_t)nwf_leaf_prot(geo, leaf);
	attrs->memtype = (uint8_t)nw_rv_memtype(leaf);
	attrs->share = NW_SHARE_INNER;
	attrs->flags =
		(uint16_t)((leaf & NW_RV_ACCESSED ? NW_LEAF_ACCESSED : 0) |
			   (leaf & NW_RV_DIRTY ? NW_LEAF_DIRTY : 0) |
			   (leaf & NW_RV_N ? NW_LEAF_CONTIG : 0));
	attrs->software =
		(uint8_t)((leaf & NW_RV_SOFTWARE) >> NW_RV_SOFTWARE_SHIFT);
	return nw_rv_own_decode(leaf, attrs);
}

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
		out->reason =
			nw_rv_address_check(geo, out->pa.v, NWF_GRANULE_LG2);
		if (entry != nwf_table_entry(geo, out->pa.v))
			out->reason = NW_REASON_RES0;
	} else {
		out->pa = NW_PA(nwf_leaf_pa(geo, level, entry));
		out->reason = nw_rv_leaf_decode(geo, level, entry, &out->attrs);
	}
	if (out->reason != NW_REASON_NONE)
		*out = (struct nw_decoded){.kind = NW_ENTRY_RESERVED,
					   .reason = out->reason};
}

/* ---- split, collapse and change ---------------------------------------- */

/* The entry is the same word at every level. */
static inline nw_entry_t nwf_split_child(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level;
	return leaf;
}

static inline nw_entry_t nwf_collapse_parent(const struct nw_geometry *geo,
					     unsigned level, nw_entry_t child)
{
	if (!level || level >= geo->levels || (child & NW_RV_N) ||
	    (nwf_table_pa(geo, child) & (NW_RV_BIT(nw_rv_span_lg2(level)) - 1)))
		return 0;
	return child;
}

/*
 * "Supervisor Memory-Management Fence Instruction": a change of size alone may
 * be made in place, for either size translates alike; until the fence a hart
 * uses the old or the new one. That both translate alike is the caller's part
 * between leaf and table; between a page alone and in its run it shows here.
 * Address, memory type and global are changed through an invalid entry.
 */
static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry)
{
	nw_entry_t in_place =
		NW_RV_RIGHTS | NW_RV_USER | NW_RV_STATE | NW_RV_SOFTWARE;
	enum nw_entry_kind from = nwf_kind(geo, level, old);
	enum nw_entry_kind to = nwf_kind(geo, level, new_entry);

	if (old == new_entry || !nwf_is_valid(old) || !nwf_is_valid(new_entry))
		return 0;
	if (from == NW_ENTRY_RESERVED || to == NW_ENTRY_RESERVED)
		return 1;
	if (from != to)
		return 0;
	/* Of tables too: another one is another set of output addresses. */
	if (!level && ((old ^ new_entry) & NW_RV_N))
		in_place |= NW_RV_N | NW_RV_NAPOT_LOW;
	return ((old ^ new_entry) & ~in_place) != 0;
}

#endif
