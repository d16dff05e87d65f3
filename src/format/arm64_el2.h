/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64 stage 1 of the EL2 regime with one address range (HCR_EL2.E2H = 0):
 * VMSAv8-64, 4 KiB granule, 48-bit output, memory types through
 * NW_ARM64_MAIR_EL2.
 *
 *  63  62:59 58:55    54 53 52     51  50 49:48 47:12   11 10 9:8 7  6 5 4:2
 *  0   PBHA  software XN 0  contig DBM GP 0     address 0  AF SH  RO 1 0 Attr
 *
 * Manual: DDI 0487, "Stage 1 Block and Page descriptors", "Stage 1 data access
 * permissions". In a regime of one exception level AP[1] is RES1, nG and PXN
 * are RES0, and so is NS outside Secure state.
 *
 * Stricter than the hardware: a leaf that is executable is neither writable,
 * nor made writable by the hardware (DBM), nor device memory. Such entries
 * decode to reserved, NW_REASON_RIGHTS.
 */
#ifndef NW_FORMAT_ARM64_EL2_H
#define NW_FORMAT_ARM64_EL2_H

#include "arm64_common.h"

#define NW_EL2_ATTR_SHIFT 2
#define NW_EL2_ATTR	  NW_A64_FIELD(4, 2)
#define NW_EL2_NS	  NW_A64_BIT(5)
#define NW_EL2_AP1_RES1	  NW_A64_BIT(6)
#define NW_EL2_READ_ONLY  NW_A64_BIT(7)
#define NW_EL2_NG	  NW_A64_BIT(11)
#define NW_EL2_GP	  NW_A64_BIT(50)
#define NW_EL2_PXN	  NW_A64_BIT(53)
#define NW_EL2_XN	  NW_A64_BIT(54)
#define NW_EL2_RES0	  (NW_EL2_NS | NW_EL2_NG | NW_EL2_PXN)
#define NW_EL2_RIGHTS	  (NW_EL2_READ_ONLY | NW_EL2_XN)

#define NW_EL2_FLAGS (NW_A64_FLAGS | NW_LEAF_GUARDED)

/* ---- shape ------------------------------------------------------------- */

/* No concatenation at stage 1: the number of levels follows from ia_bits. */
static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	enum nw_status status = nw_a64_config_check(config, argument);
	unsigned levels = 1;

	if (status != NW_OK)
		return status;
	if (config->ia_bits < 16)
		return nw_a64_refuse(argument, "ia_bits");
	while (nw_a64_span_lg2(levels) < config->ia_bits)
		levels++;
	nw_a64_shape(config, levels, 0, geo);
	return NW_OK;
}

enum { NWF_REGIMES = 1u << NW_REGIME_EL2 };

/* ---- memory type ------------------------------------------------------- */

/* AttrIndx, or -1: mixed cacheabilities have no index in our MAIR. */
static inline int nw_el2_attr_index(unsigned memtype)
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
static inline unsigned nw_el2_memtype(nw_entry_t leaf)
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

	return memtype_of[(leaf & NW_EL2_ATTR) >> NW_EL2_ATTR_SHIFT];
}

/* ---- rights ------------------------------------------------------------ */

static inline unsigned nw_el2_prot(nw_entry_t leaf)
{
	return NW_PROT_R | (leaf & NW_EL2_READ_ONLY ? 0 : NW_PROT_W) |
	       (leaf & NW_EL2_XN ? 0 : NW_PROT_PX);
}

/* Rights that this leaf, with its type and DBM, can carry. */
static inline int nw_el2_prot_fits(nw_entry_t leaf, unsigned prot)
{
	if (!(prot & NW_PROT_R) || prot & ~(NW_PROT_R | NW_PROT_W | NW_PROT_PX))
		return 0;
	if (!(prot & NW_PROT_PX))
		return 1;
	/* Never writable and executable, now or by a hardware update. */
	return !(prot & NW_PROT_W) && !(leaf & NW_A64_DBM) &&
	       nw_el2_memtype(leaf) > NW_MEM_DEVICE_GRE;
}

/* Replace a leaf's rights. NW_E_ATTRS: not expressible, *out untouched. */
static inline enum nw_status nw_el2_with_prot(nw_entry_t leaf, unsigned prot,
					      nw_entry_t *out)
{
	if (!nw_el2_prot_fits(leaf, prot))
		return NW_E_ATTRS;
	*out = (leaf & ~NW_EL2_RIGHTS) |
	       nw_a64_bit_if(!(prot & NW_PROT_W), NW_EL2_READ_ONLY) |
	       nw_a64_bit_if(!(prot & NW_PROT_PX), NW_EL2_XN);
	return NW_OK;
}

static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out)
{
	(void)geo;
	return nw_el2_with_prot(leaf, nw_el2_prot(leaf) | prot, out);
}

/* Removing UX, which no leaf has here, changes nothing. */
static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out)
{
	(void)geo;
	if (prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	/* With DBM left, hardware would give the write right back. */
	return nw_el2_with_prot(prot & NW_PROT_W ? leaf & ~NW_A64_DBM : leaf,
				nw_el2_prot(leaf) & ~prot, out);
}

static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf)
{
	(void)geo;
	return nw_el2_prot(leaf);
}

static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf)
{
	(void)geo;
	return (leaf | NW_EL2_READ_ONLY) & ~NW_A64_DBM;
}

static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf)
{
	(void)geo;
	return (leaf & (NW_A64_DBM | NW_EL2_READ_ONLY)) == NW_A64_DBM;
}

static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	return nwf_leaf_is_dirty(geo, leaf) ? leaf | NW_EL2_READ_ONLY : leaf;
}

static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf)
{
	(void)geo;
	return leaf & NW_A64_DBM ? leaf & ~NW_EL2_READ_ONLY : leaf;
}

static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf)
{
	(void)geo;
	return NW_A64_AF | (leaf & NW_A64_DBM ? NW_EL2_READ_ONLY : 0);
}

static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf)
{
	return nw_a64_hw_writable(geo, leaf, !(leaf & NW_EL2_READ_ONLY));
}

/* ---- leaves ------------------------------------------------------------ */

static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	int index = nw_el2_attr_index(attrs->memtype);
	nw_entry_t bits;
	enum nw_status status;

	status = nw_a64_fields_encode(geo, level, attrs, NW_EL2_FLAGS, &bits);
	if (status != NW_OK)
		return status;
	if (index < 0)
		return NW_E_ATTRS;
	if ((attrs->flags & NW_LEAF_GUARDED) && !(geo->features & NW_FEAT_BTI))
		return NW_E_ATTRS;
	bits |= NW_EL2_AP1_RES1 | (nw_entry_t)index << NW_EL2_ATTR_SHIFT |
		nw_a64_bit_if(attrs->flags & NW_LEAF_GUARDED, NW_EL2_GP);
	return nw_el2_with_prot(bits, attrs->prot, entry);
}

static inline enum nw_reason nw_a64_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs)
{
	enum nw_reason reason =
		nw_a64_fields_decode(geo, level, leaf, NW_EL2_RES0, attrs);

	if (reason != NW_REASON_NONE)
		return reason;
	if (!(leaf & NW_EL2_AP1_RES1))
		return NW_REASON_RES1;
	if ((leaf & NW_EL2_GP) && !(geo->features & NW_FEAT_BTI))
		return NW_REASON_FEATURE;
	attrs->memtype = (uint8_t)nw_el2_memtype(leaf);
	if (attrs->memtype == NW_MEM_COUNT)
		return NW_REASON_MEMTYPE;
	attrs->prot = (uint8_t)nw_el2_prot(leaf);
	if (!nw_el2_prot_fits(leaf, attrs->prot))
		return NW_REASON_RIGHTS;
	if (leaf & NW_EL2_GP)
		attrs->flags |= NW_LEAF_GUARDED;
	return NW_REASON_NONE;
}

static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry)
{
	return nw_a64_change_needs_break(geo, level, old, new_entry,
					 NW_EL2_RIGHTS);
}

#endif
