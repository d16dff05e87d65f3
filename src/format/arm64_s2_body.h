/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64 stage 2 of the EL1&0 regime, for the instance that includes this: the
 * layout without FEAT_LPA2 at the 4 KiB granule, others: arm64_common.h.
 *
 *  63  62:59 58:55    54:53 52     51  50:48 47:12   11   10 9:8 7:6  5:2
 *  0   PBHA  software XN    contig DBM 0     address FnXS AF SH  S2AP MemAttr
 *
 * Manual: DDI 0487, "Stage 2 Block and Page descriptors", "Stage 2 memory
 * type", "Stage 2 data access permissions", "Stage 2 instruction execution
 * permissions". At stage 2 each right stands alone: write-only and
 * execute-only mappings exist.
 */
#ifndef NW_FORMAT_ARM64_S2_BODY_H
#define NW_FORMAT_ARM64_S2_BODY_H

#define NW_A64_STAGE 2
#include "arm64_leaf.h"

#define NWF_TRACE_ID NW_FORMAT_ID_arm64_s2

#define NW_S2_MEMATTR_SHIFT    2
#define NW_S2_MEMATTR	       NW_A64_FIELD(5, 2)
#define NW_S2_MEMATTR_FWB_RES0 NW_A64_BIT(5) /* MemAttr[3] under FWB */
#define NW_S2_READ_SHIFT       6
#define NW_S2_READ	       NW_A64_BIT(6)
#define NW_S2_WRITE	       NW_A64_BIT(7)
#define NW_S2_FNXS	       NW_A64_BIT(11)
#define NW_S2_RES0	       NW_A64_BIT(50)
#define NW_S2_XN_SHIFT	       53
#define NW_S2_XN	       NW_A64_FIELD(54, 53)
#define NW_S2_XN_XNX	       NW_A64_BIT(53) /* RES0 without FEAT_XNX */
#define NW_S2_RIGHTS	       (NW_S2_READ | NW_S2_WRITE | NW_S2_XN)

/* Our NW_PROT_X bits start here. */
#define NW_S2_PROT_X_SHIFT 2
#define NW_S2_FLAGS	   (NW_A64_FLAGS | NW_LEAF_FNXS)

/* ---- shape ------------------------------------------------------------- */

/*
 * The walk starts as low as 16 concatenated tables allow ("Concatenated
 * translation tables"): one level less is one load less in every walk. But two
 * levels stay where one table would not do: start level 3 has no blocks.
 *
 * Input addresses may not be wider than output addresses (T0SZ too small for
 * the PA size faults at every access). This also keeps the start levels that
 * SL0 allows to large machines only (4 KiB level 0: 44 output bits; 16 KiB and
 * 64 KiB level 1: more than 40 and 42) to those, for they are used only for as
 * many input bits.
 */
static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	enum nw_status status = nw_a64_config_check(config, argument);
	unsigned levels;

	if (status != NW_OK)
		return status;
	if (config->ia_bits > config->oa_bits)
		return nw_a64_refuse(argument, "ia_bits");
	levels = nw_a64_levels(config->ia_bits);
	if (levels > 2 && config->ia_bits <= nw_a64_span_lg2(levels - 1) + 4)
		levels--;
	nw_a64_shape(config, levels, geo);
	return NW_OK;
}

enum { NWF_REGIMES = 1u << NW_REGIME_STAGE2 };

/* ---- memory type ------------------------------------------------------- */

/*
 * With FWB, MemAttr[2:0] decides alone: 0xx forces the device type, 101 normal
 * non-cacheable, 110 write-back, 111 takes stage 1's; 100 is reserved. Without,
 * MemAttr[3:2] is the outer cacheability (0: device) and [1:0] the inner one: 1
 * non-cacheable, 2 write-through, 3 write-back.
 *
 * In place, with the leaf's valid bit. 0: there is no such type.
 */
#define NW_S2_HAS(memattr)                                                     \
	((memattr) << NW_S2_MEMATTR_SHIFT | (unsigned)NW_A64_VALID)

static inline nw_entry_t nw_s2_memattr(const struct nw_geometry *geo,
				       unsigned memtype)
{
	static const uint8_t bits_of[2][NW_MEM_COUNT] = {
		{
			[NW_MEM_DEVICE_nGnRnE] = NW_S2_HAS(0),
			[NW_MEM_DEVICE_nGnRE] = NW_S2_HAS(1),
			[NW_MEM_DEVICE_nGRE] = NW_S2_HAS(2),
			[NW_MEM_DEVICE_GRE] = NW_S2_HAS(3),
			[NW_MEM_NORMAL_NC] = NW_S2_HAS(5),
			[NW_MEM_NORMAL_ONC_IWT] = NW_S2_HAS(6),
			[NW_MEM_NORMAL_ONC_IWB] = NW_S2_HAS(7),
			[NW_MEM_NORMAL_OWT_INC] = NW_S2_HAS(9),
			[NW_MEM_NORMAL_WT] = NW_S2_HAS(10),
			[NW_MEM_NORMAL_OWT_IWB] = NW_S2_HAS(11),
			[NW_MEM_NORMAL_OWB_INC] = NW_S2_HAS(13),
			[NW_MEM_NORMAL_OWB_IWT] = NW_S2_HAS(14),
			[NW_MEM_NORMAL_WB] = NW_S2_HAS(15),
		},
		{
			[NW_MEM_DEVICE_nGnRnE] = NW_S2_HAS(0),
			[NW_MEM_DEVICE_nGnRE] = NW_S2_HAS(1),
			[NW_MEM_DEVICE_nGRE] = NW_S2_HAS(2),
			[NW_MEM_DEVICE_GRE] = NW_S2_HAS(3),
			[NW_MEM_NORMAL_NC] = NW_S2_HAS(5),
			[NW_MEM_NORMAL_WB] = NW_S2_HAS(6),
			[NW_MEM_FROM_STAGE1] = NW_S2_HAS(7),
		},
	};

	if (memtype >= NW_MEM_COUNT)
		return 0;
	return bits_of[(geo->features & NW_FEAT_FWB) != 0][memtype];
}

/* NW_MEM_COUNT: reserved. */
static inline unsigned nw_s2_memtype(const struct nw_geometry *geo,
				     unsigned memattr)
{
	static const uint8_t fwb[8] = {
		NW_MEM_DEVICE_nGnRnE, NW_MEM_DEVICE_nGnRE, NW_MEM_DEVICE_nGRE,
		NW_MEM_DEVICE_GRE,    NW_MEM_COUNT,	   NW_MEM_NORMAL_NC,
		NW_MEM_NORMAL_WB,     NW_MEM_FROM_STAGE1};
	unsigned outer = memattr >> 2, inner = memattr & 3;

	if (geo->features & NW_FEAT_FWB)
		return fwb[memattr & 7];
	if (outer == 0)
		return memattr;
	if (inner == 0)
		return NW_MEM_COUNT;
	return NW_MEM_NORMAL_NC + (outer - 1) * 3 + (inner - 1);
}

/* ---- rights ------------------------------------------------------------ */

/*
 * XN[1:0]: 00 both may execute, 01 EL0 only, 10 none, 11 EL1 only. 01 and 11
 * need FEAT_XNX. The arrays are indexed by our X bits (PX 1, UX 2) and by XN.
 */
static inline unsigned nw_s2_prot(nw_entry_t leaf)
{
	static const uint8_t x_of[4] = {NW_PROT_X, NW_PROT_UX, 0, NW_PROT_PX};

	return (leaf & NW_S2_READ ? NW_PROT_R : 0) |
	       (leaf & NW_S2_WRITE ? NW_PROT_W : 0) |
	       x_of[(leaf & NW_S2_XN) >> NW_S2_XN_SHIFT];
}

/* NW_PROT_R and _W stand as READ and WRITE do. */
static inline nw_entry_t nw_s2_read_write(unsigned prot)
{
	return (nw_entry_t)(prot & NW_PROT_RW) << NW_S2_READ_SHIFT;
}

/* NW_E_ATTRS: not expressible, *rights untouched. */
static inline enum nw_status nw_s2_rights(const struct nw_geometry *geo,
					  unsigned prot, nw_entry_t *rights)
{
	static const uint8_t xn_of[4] = {2, 3, 1, 0};
	nw_entry_t xn;

	if (prot == 0 || prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	xn = (nw_entry_t)xn_of[prot >> NW_S2_PROT_X_SHIFT] << NW_S2_XN_SHIFT;
	if (NW_UNLIKELY(xn & NW_S2_XN_XNX) && !(geo->features & NW_FEAT_XNX))
		return NW_E_ATTRS;
	*rights = nw_s2_read_write(prot) | xn;
	return NW_OK;
}

/* Replace a leaf's rights. NW_E_ATTRS: not expressible, *out untouched. */
static inline enum nw_status nw_s2_with_prot(const struct nw_geometry *geo,
					     nw_entry_t leaf, unsigned prot,
					     nw_entry_t *out)
{
	nw_entry_t rights;

	if (nw_s2_rights(geo, prot, &rights))
		return NW_E_ATTRS;
	*out = (leaf & ~NW_S2_RIGHTS) | rights;
	return NW_OK;
}

static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out)
{
	/* All of X, whatever the leaf has: nothing to look up. */
	if (NW_LIKELY((prot & NW_PROT_X) == NW_PROT_X &&
		      !(prot & ~NW_PROT_RWX))) {
		*out = (leaf & ~NW_S2_XN) | nw_s2_read_write(prot);
		return NW_OK;
	}
	return nw_s2_with_prot(geo, leaf, nw_s2_prot(leaf) | prot, out);
}

static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out)
{
	if (prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	/* With DBM left, hardware would give the write right back. */
	return nw_s2_with_prot(geo,
			       prot & NW_PROT_W ? leaf & ~NW_A64_DBM : leaf,
			       nw_s2_prot(leaf) & ~prot, out);
}

static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf)
{
	(void)geo;
	return nw_s2_prot(leaf);
}

static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~(NW_S2_WRITE | NW_A64_DBM);
}

static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf)
{
	const nw_entry_t bits = NW_A64_DBM | NW_S2_WRITE;

	(void)geo;
	return (leaf & bits) == bits;
}

static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	return nwf_leaf_is_dirty(geo, leaf) ? leaf & ~NW_S2_WRITE : leaf;
}

static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf)
{
	(void)geo;
	return leaf & NW_A64_DBM ? leaf | NW_S2_WRITE : leaf;
}

static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf)
{
	(void)geo;
	return NW_A64_AF | (leaf & NW_A64_DBM ? NW_S2_WRITE : 0);
}

static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_S2_WRITE)
		return NW_LEAF_ALL;
	return any & (NW_S2_WRITE | NW_A64_DBM) ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any)
{
	const nw_entry_t bits = NW_A64_DBM | NW_S2_WRITE;

	(void)geo;
	if ((all & bits) == bits)
		return NW_LEAF_ALL;
	return (any & bits) == bits ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf)
{
	return nw_a64_hw_writable(geo, leaf, (leaf & NW_S2_WRITE) != 0);
}

/* ---- leaves ------------------------------------------------------------ */

/* In line: a fault encodes its leaf. */
static inline __attribute__((always_inline)) enum nw_status
nwf_leaf_template(const struct nw_geometry *geo, unsigned level,
		  const struct nw_attrs *attrs, nw_entry_t *entry)
{
	nw_entry_t bits, memattr, rights;
	enum nw_status status;

	status = nw_a64_fields_encode(geo, level, attrs, NW_S2_FLAGS, &bits);
	if (status != NW_OK)
		return status;
	if (NW_UNLIKELY(attrs->flags & NW_LEAF_FNXS)) {
		if (!(geo->features & NW_FEAT_XS))
			return NW_E_ATTRS;
		bits |= NW_S2_FNXS;
	}
	memattr = nw_s2_memattr(geo, attrs->memtype);
	if (!memattr || nw_s2_rights(geo, attrs->prot, &rights))
		return NW_E_ATTRS;
	*entry = bits | memattr | rights;
	return NW_OK;
}

static inline enum nw_reason nw_a64_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs)
{
	nw_entry_t res0 = NW_S2_RES0;
	enum nw_reason reason;

	if (geo->features & NW_FEAT_FWB)
		res0 |= NW_S2_MEMATTR_FWB_RES0;
	reason = nw_a64_fields_decode(geo, level, leaf, res0, attrs);
	if (reason != NW_REASON_NONE)
		return reason;
	if ((leaf & NW_S2_FNXS) && !(geo->features & NW_FEAT_XS))
		return NW_REASON_FEATURE;
	if ((leaf & NW_S2_XN_XNX) && !(geo->features & NW_FEAT_XNX))
		return NW_REASON_RIGHTS;
	attrs->prot = (uint8_t)nw_s2_prot(leaf);
	if (attrs->prot == 0)
		return NW_REASON_RIGHTS;
	attrs->memtype = (uint8_t)nw_s2_memtype(
		geo, (leaf & NW_S2_MEMATTR) >> NW_S2_MEMATTR_SHIFT);
	if (attrs->memtype == NW_MEM_COUNT)
		return NW_REASON_MEMTYPE;
	if (leaf & NW_S2_FNXS)
		attrs->flags |= NW_LEAF_FNXS;
	return NW_REASON_NONE;
}

static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry)
{
	return nw_a64_change_needs_break(geo, level, old, new_entry,
					 NW_S2_RIGHTS);
}

#endif
