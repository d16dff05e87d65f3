/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the stage-1 formats share (arm64_el2_body.h, arm64_el10_body.h): shape,
 * memory types through NW_ARM64_MAIR, the write right, dirty state. A stage
 * defines before it includes this:
 * NW_S1_FLAGS  its NW_LEAF_*
 * NW_S1_RES0   bits that are zero in its leaves
 * NW_S1_RIGHTS bits that carry NW_PROT_* rights
 * NW_S1_IN_PLACE  these, and others that change without a break
 * and meets the prototypes below.
 *
 *  63 62:59 58:55    54     53  52     51  50 49:48 47:12   11 10 9:8 7  6 5 0
 * PBHA  software UXN,XN PXN contig DBM GP 0     address nG AF SH  RO AP[1] NS
 *  4:2 1:0
 *  Attr
 *
 * Manual: DDI 0487, "Stage 1 Block and Page descriptors", "Stage 1 data access
 * permissions". NS is RES0 outside Secure state.
 */
#ifndef NW_FORMAT_ARM64_S1_H
#define NW_FORMAT_ARM64_S1_H

#define NW_A64_STAGE 1
#include "arm64_leaf.h"

#define NW_S1_ATTR_SHIFT 2
#define NW_S1_ATTR	 NW_A64_FIELD(4, 2)
#define NW_S1_NS	 NW_A64_BIT(5)
#define NW_S1_AP1	 NW_A64_BIT(6)
#define NW_S1_READ_ONLY	 NW_A64_BIT(7)
#define NW_S1_NG	 NW_A64_BIT(11)
#define NW_S1_GP	 NW_A64_BIT(50)
#define NW_S1_PXN	 NW_A64_BIT(53)
#define NW_S1_XN	 NW_A64_BIT(54) /* UXN where there are two */

/* ---- what differs ------------------------------------------------------ */

static inline unsigned nw_s1_prot(nw_entry_t leaf);

/* Rights that this leaf, with everything else that it says, can carry. */
static inline int nw_s1_prot_fits(nw_entry_t leaf, unsigned prot);

/* The bits of NW_S1_RIGHTS for rights that fit. */
static inline nw_entry_t nw_s1_prot_bits(unsigned prot);

/* Bits of flags that only this stage has, and back; wrong bits: a reason. */
static inline nw_entry_t nw_s1_own_encode(unsigned flags);
static inline enum nw_reason nw_s1_own_decode(nw_entry_t leaf,
					      struct nw_attrs *attrs);

/* ---- shape ------------------------------------------------------------- */

/* No concatenation at stage 1: the number of levels follows from ia_bits. */
static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	enum nw_status status = nw_a64_config_check(config, argument);
	int is_wide = NW_A64_LPA2 || (NW_A64_GRANULE_LG2 == 16 &&
				      (config->features & NW_FEAT_LVA));

	if (status != NW_OK)
		return status;
	if (config->ia_bits > (is_wide ? 52 : 48))
		return nw_a64_refuse(argument, "ia_bits");
	nw_a64_shape(config, nw_a64_levels(config->ia_bits), geo);
	return NW_OK;
}

/* ---- memory type ------------------------------------------------------- */

/* AttrIndx, or -1: mixed cacheabilities have no index in our MAIR. */
static inline int nw_s1_attr_index(unsigned memtype)
{
	switch (memtype) {
	case NW_MEM_DEVICE_nGnRnE:
		return NW_ARM64_MAIR_nGnRnE;
	case NW_MEM_DEVICE_nGnRE:
		return NW_ARM64_MAIR_nGnRE;
	case NW_MEM_DEVICE_nGRE:
		return NW_ARM64_MAIR_nGRE;
	case NW_MEM_DEVICE_GRE:
		return NW_ARM64_MAIR_GRE;
	case NW_MEM_NORMAL_NC:
		return NW_ARM64_MAIR_NC;
	case NW_MEM_NORMAL_WT:
		return NW_ARM64_MAIR_WT;
	case NW_MEM_NORMAL_WB:
		return NW_ARM64_MAIR_WB;
	default:
		return -1;
	}
}

/* NW_MEM_COUNT: reserved. */
static inline unsigned nw_s1_memtype(nw_entry_t leaf)
{
	static const uint8_t memtype_of[8] = {
		[NW_ARM64_MAIR_nGnRnE] = NW_MEM_DEVICE_nGnRnE,
		[NW_ARM64_MAIR_nGnRE] = NW_MEM_DEVICE_nGnRE,
		[NW_ARM64_MAIR_nGRE] = NW_MEM_DEVICE_nGRE,
		[NW_ARM64_MAIR_GRE] = NW_MEM_DEVICE_GRE,
		[NW_ARM64_MAIR_NC] = NW_MEM_NORMAL_NC,
		[NW_ARM64_MAIR_WT] = NW_MEM_NORMAL_WT,
		[NW_ARM64_MAIR_WB] = NW_MEM_NORMAL_WB,
		[NW_ARM64_MAIR_UNUSED] = NW_MEM_COUNT,
	};

	return memtype_of[(leaf & NW_S1_ATTR) >> NW_S1_ATTR_SHIFT];
}

/* ---- rights ------------------------------------------------------------ */

static inline int nw_s1_is_device(nw_entry_t leaf)
{
	return nw_s1_memtype(leaf) <= NW_MEM_DEVICE_GRE;
}

/* Replace a leaf's rights. NW_E_ATTRS: not expressible, *out untouched. */
static inline enum nw_status nw_s1_with_prot(nw_entry_t leaf, unsigned prot,
					     nw_entry_t *out)
{
	if (!nw_s1_prot_fits(leaf, prot))
		return NW_E_ATTRS;
	*out = (leaf & ~NW_S1_RIGHTS) | nw_s1_prot_bits(prot);
	return NW_OK;
}

static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out)
{
	(void)geo;
	return nw_s1_with_prot(leaf, nw_s1_prot(leaf) | prot, out);
}

/* Removing a right that the stage does not know changes nothing. */
static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out)
{
	(void)geo;
	if (prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	/* With DBM left, hardware would give the write right back. */
	return nw_s1_with_prot(prot & NW_PROT_W ? leaf & ~NW_A64_DBM : leaf,
			       nw_s1_prot(leaf) & ~prot, out);
}

static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf)
{
	(void)geo;
	return nw_s1_prot(leaf);
}

static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf)
{
	(void)geo;
	return (leaf | NW_S1_READ_ONLY) & ~NW_A64_DBM;
}

static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf)
{
	(void)geo;
	return (leaf & (NW_A64_DBM | NW_S1_READ_ONLY)) == NW_A64_DBM;
}

static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	return nwf_leaf_is_dirty(geo, leaf) ? leaf | NW_S1_READ_ONLY : leaf;
}

static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf)
{
	(void)geo;
	return leaf & NW_A64_DBM ? leaf & ~NW_S1_READ_ONLY : leaf;
}

static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf)
{
	(void)geo;
	return NW_A64_AF | (leaf & NW_A64_DBM ? NW_S1_READ_ONLY : 0);
}

static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (!(any & NW_S1_READ_ONLY))
		return NW_LEAF_ALL;
	return (all & NW_S1_READ_ONLY) && !(any & NW_A64_DBM) ? NW_LEAF_NONE
							      : NW_LEAF_SOME;
}

static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any)
{
	(void)geo;
	if ((all & NW_A64_DBM) && !(any & NW_S1_READ_ONLY))
		return NW_LEAF_ALL;
	return (all & NW_S1_READ_ONLY) || !(any & NW_A64_DBM) ? NW_LEAF_NONE
							      : NW_LEAF_SOME;
}

static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf)
{
	return nw_a64_hw_writable(geo, leaf, !(leaf & NW_S1_READ_ONLY));
}

/* ---- leaves ------------------------------------------------------------ */

static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	int index = nw_s1_attr_index(attrs->memtype);
	nw_entry_t bits;
	enum nw_status status;

	status = nw_a64_fields_encode(geo, level, attrs, NW_S1_FLAGS, &bits);
	if (status != NW_OK)
		return status;
	if (index < 0)
		return NW_E_ATTRS;
	if ((attrs->flags & NW_LEAF_GUARDED) && !(geo->features & NW_FEAT_BTI))
		return NW_E_ATTRS;
	bits |= (nw_entry_t)index << NW_S1_ATTR_SHIFT |
		nw_a64_bit_if(attrs->flags & NW_LEAF_GUARDED, NW_S1_GP) |
		nw_s1_own_encode(attrs->flags);
	return nw_s1_with_prot(bits, attrs->prot, entry);
}

static inline enum nw_reason nw_a64_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs)
{
	enum nw_reason reason =
		nw_a64_fields_decode(geo, level, leaf, NW_S1_RES0, attrs);

	if (reason != NW_REASON_NONE)
		return reason;
	if ((leaf & NW_S1_GP) && !(geo->features & NW_FEAT_BTI))
		return NW_REASON_FEATURE;
	if (leaf & NW_S1_GP)
		attrs->flags |= NW_LEAF_GUARDED;
	reason = nw_s1_own_decode(leaf, attrs);
	if (reason != NW_REASON_NONE)
		return reason;
	attrs->memtype = (uint8_t)nw_s1_memtype(leaf);
	if (attrs->memtype == NW_MEM_COUNT)
		return NW_REASON_MEMTYPE;
	attrs->prot = (uint8_t)nw_s1_prot(leaf);
	if (!nw_s1_prot_fits(leaf, attrs->prot))
		return NW_REASON_RIGHTS;
	return NW_REASON_NONE;
}

static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry)
{
	return nw_a64_change_needs_break(geo, level, old, new_entry,
					 NW_S1_IN_PLACE);
}

#endif
