/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel extended page tables, 4 and 5 levels.
 *
 *  63  62:56 55:52    51:12   11     10 9 8 7  6    5:3  2 1 0
 *  SVE 0     software address always UX D A PS IPAT type X W R
 *
 * Manual: Intel SDM volume 3, "The Extended Page Table Mechanism (EPT)".
 * R, W and X stand apart, but a leaf that can be written can be read, and one
 * that cannot be read can be executed only where the processor says so
 * (NW_FEAT_EPT_XO): anything else is a misconfiguration, and never written.
 * With mode-based execute control (MBEC) bit 2 is for supervisor-mode linear
 * addresses and bit 10 for user-mode ones; without it bit 2 is for both.
 *
 * Suppress-#VE (bit 63) is set in every entry that is not present, so that no
 * guest gets a virtualization exception for what the hypervisor has not mapped:
 * NWF_EMPTY is that bit, and a page of zeroes is no empty table.
 *
 * Without NW_FEAT_EPT_AD the hardware ignores bits 8 and 9. "Always" is then
 * set in every leaf, a bit that hardware ignores too: such a leaf counts as
 * accessed, whatever is done to it, and never as dirty.
 */
#ifndef NW_FORMAT_X86_EPT_H
#define NW_FORMAT_X86_EPT_H

#include <nestwalk/x86.h>

/* Bits 2:0, and bit 10 with MBEC; without it we leave bit 10 zero. */
#define NW_X86_VALID   UINT64_C(0x407)
#define NWF_EMPTY      (UINT64_C(1) << 63)
#define NWF_HAS_GROUPS 1
#include "x86_common.h"

#define NW_EPT_READ	  NW_X86_BIT(0)
#define NW_EPT_WRITE	  NW_X86_BIT(1)
#define NW_EPT_EXEC	  NW_X86_BIT(2)
#define NW_EPT_TYPE_SHIFT 3
#define NW_EPT_TYPE	  NW_X86_FIELD(5, 3)
#define NW_EPT_IGNORE_PAT NW_X86_BIT(6)
#define NW_EPT_ACCESSED	  NW_X86_BIT(8)
#define NW_EPT_DIRTY	  NW_X86_BIT(9)
#define NW_EPT_UEXEC	  NW_X86_BIT(10)
#define NW_EPT_ALWAYS	  NW_X86_BIT(11) /* ours */
#define NW_EPT_SVE	  NW_X86_BIT(63)
#define NW_EPT_RES0	  NW_X86_FIELD(62, 56)
#define NW_EPT_RIGHTS	  (NW_EPT_READ | NW_EPT_WRITE | NW_EPT_EXEC | NW_EPT_UEXEC)
#define NW_EPT_STATE	  (NW_EPT_ACCESSED | NW_EPT_DIRTY)

#define NW_EPT_FEATURES                                                        \
	(NW_FEAT_X86_1G | NW_FEAT_EPT_AD | NW_FEAT_EPT_XO | NW_FEAT_EPT_MBEC | \
	 NW_FEAT_EPT_SPLIT_EXEC)
#define NW_EPT_FLAGS                                                           \
	(NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_IGNORE_PAT |               \
	 NW_LEAF_SUPPRESS_VE)

enum { NWF_REGIMES = 1u << NW_REGIME_EPT };

static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	return nw_x86_geometry(config, NW_EPT_FEATURES, geo, argument);
}

/* ---- tables ------------------------------------------------------------ */

/* The widest rights, so that a leaf's own count; accessed, so that the hardware
 * never writes a table entry. */
static inline nw_entry_t nwf_table_entry(const struct nw_geometry *geo,
					 uint64_t next_pa)
{
	return next_pa | NW_EPT_READ | NW_EPT_WRITE | NW_EPT_EXEC |
	       nw_x86_bit_if(geo->features & NW_FEAT_EPT_MBEC, NW_EPT_UEXEC) |
	       nw_x86_bit_if(geo->features & NW_FEAT_EPT_AD, NW_EPT_ACCESSED);
}

/* ---- memory type ------------------------------------------------------- */

/* Bits 5:3; 2, 3 and 7 are reserved. */
static inline int nw_ept_type(unsigned memtype)
{
	switch (memtype) {
	case NW_MEM_DEVICE_nGnRnE:
		return NW_X86_MEM_UC;
	case NW_MEM_NORMAL_NC:
		return NW_X86_MEM_WC;
	case NW_MEM_NORMAL_WT:
		return NW_X86_MEM_WT;
	case NW_MEM_WP:
		return NW_X86_MEM_WP;
	case NW_MEM_NORMAL_WB:
		return NW_X86_MEM_WB;
	default:
		return -1;
	}
}

static inline unsigned nw_ept_memtype(nw_entry_t leaf)
{
	static const uint8_t memtype_of[8] = {
		NW_MEM_DEVICE_nGnRnE, NW_MEM_NORMAL_NC, NW_MEM_COUNT,
		NW_MEM_COUNT,	      NW_MEM_NORMAL_WT, NW_MEM_WP,
		NW_MEM_NORMAL_WB,     NW_MEM_COUNT};

	return memtype_of[(leaf & NW_EPT_TYPE) >> NW_EPT_TYPE_SHIFT];
}

/* ---- rights ------------------------------------------------------------ */

static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf)
{
	unsigned prot = (leaf & NW_EPT_READ ? NW_PROT_R : 0) |
			(leaf & NW_EPT_WRITE ? NW_PROT_W : 0) |
			(leaf & NW_EPT_EXEC ? NW_PROT_PX : 0);

	if (geo->features & NW_FEAT_EPT_MBEC)
		return prot | (leaf & NW_EPT_UEXEC ? NW_PROT_UX : 0);
	return prot | (leaf & NW_EPT_EXEC ? NW_PROT_UX : 0);
}

/*
 * Does the processor accept these rights? `huge`: the leaf is larger than
 * 4 KiB, where an erratum may forbid execution (machine check on a change of
 * page size; the embedder knows whether the processor has it).
 */
static inline int nw_ept_prot_allowed(const struct nw_geometry *geo,
				      unsigned prot, int huge)
{
	unsigned x = prot & NW_PROT_X;

	if (!prot || prot & ~NW_PROT_RWX)
		return 0;
	if ((prot & NW_PROT_W) && !(prot & NW_PROT_R))
		return 0;
	if (!(prot & NW_PROT_R) && !(geo->features & NW_FEAT_EPT_XO))
		return 0;
	if (x && x != NW_PROT_X && !(geo->features & NW_FEAT_EPT_MBEC))
		return 0;
	return !(x && huge && (geo->features & NW_FEAT_EPT_SPLIT_EXEC));
}

/*
 * Replace a leaf's rights. Bit 7 is set in a huge leaf, and zero at level 0.
 * NW_E_ATTRS: a misconfiguration, *out untouched.
 */
static inline enum nw_status nw_ept_with_prot(const struct nw_geometry *geo,
					      nw_entry_t leaf, unsigned prot,
					      nw_entry_t *out)
{
	if (!nw_ept_prot_allowed(geo, prot, (leaf & NW_X86_PS) != 0))
		return NW_E_ATTRS;
	*out = (leaf & ~NW_EPT_RIGHTS) |
	       nw_x86_bit_if(prot & NW_PROT_R, NW_EPT_READ) |
	       nw_x86_bit_if(prot & NW_PROT_W, NW_EPT_WRITE) |
	       nw_x86_bit_if(prot & NW_PROT_PX, NW_EPT_EXEC) |
	       nw_x86_bit_if((prot & NW_PROT_UX) &&
				     (geo->features & NW_FEAT_EPT_MBEC),
			     NW_EPT_UEXEC);
	return NW_OK;
}

static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out)
{
	return nw_ept_with_prot(geo, leaf, nwf_leaf_prot(geo, leaf) | prot,
				out);
}

/* Dirty stays: here it means the same with and without the write right. */
static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out)
{
	if (prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	return nw_ept_with_prot(geo, leaf, nwf_leaf_prot(geo, leaf) & ~prot,
				out);
}

/* The dirty state goes with the right: read it from the value replaced. */
static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~(NW_EPT_WRITE | NW_EPT_DIRTY);
}

/* ---- accessed and dirty ------------------------------------------------ */

static inline int nwf_leaf_is_accessed(nw_entry_t leaf)
{
	return (leaf & (NW_EPT_ACCESSED | NW_EPT_ALWAYS)) != 0;
}

static inline nw_entry_t nwf_leaf_set_accessed(nw_entry_t leaf)
{
	return leaf & NW_EPT_ALWAYS ? leaf : leaf | NW_EPT_ACCESSED;
}

static inline nw_entry_t nwf_leaf_clear_accessed(nw_entry_t leaf)
{
	return leaf & ~NW_EPT_ACCESSED;
}

static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf)
{
	return (geo->features & NW_FEAT_EPT_AD) && (leaf & NW_EPT_DIRTY);
}

/* The write right stays: the hardware records the next write by itself. */
static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~NW_EPT_DIRTY;
}

static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf)
{
	return geo->features & NW_FEAT_EPT_AD ? leaf | NW_EPT_DIRTY : leaf;
}

static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf)
{
	(void)leaf;
	return geo->features & NW_FEAT_EPT_AD ? NW_EPT_STATE : 0;
}

static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf)
{
	const nw_entry_t recorded =
		leaf & NW_EPT_WRITE ? NW_EPT_STATE : NW_EPT_ACCESSED;

	return (geo->features & NW_FEAT_EPT_AD) && nwf_is_valid(leaf) &&
	       (leaf & recorded) != recorded;
}

/* ---- groups of entries ------------------------------------------------- */

static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_EPT_WRITE)
		return NW_LEAF_ALL;
	return any & (NW_EPT_WRITE | NW_EPT_DIRTY) ? NW_LEAF_SOME
						   : NW_LEAF_NONE;
}

static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any)
{
	(void)geo;
	if (all & NW_EPT_DIRTY)
		return NW_LEAF_ALL;
	return any & NW_EPT_DIRTY ? NW_LEAF_SOME : NW_LEAF_NONE;
}

/* "Always" leaves doubt: they are accessed, but ageing changes nothing. */
static inline enum nw_leaf_some
nwf_group_accessed(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_EPT_ACCESSED)
		return NW_LEAF_ALL;
	return any & (NW_EPT_ACCESSED | NW_EPT_ALWAYS) ? NW_LEAF_SOME
						       : NW_LEAF_NONE;
}

static inline int nwf_hw_updates(const struct nw_geometry *geo)
{
	return (geo->features & NW_FEAT_EPT_AD) != 0;
}

/* ---- leaves ------------------------------------------------------------ */

/* NW_E_LEVEL also where only a smaller leaf may be executable: nw_map() then
 * takes that (tell nw_map_pages_max() max_level 0). */
static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	int has_ad = (geo->features & NW_FEAT_EPT_AD) != 0;
	int type = nw_ept_type(attrs->memtype);
	unsigned flags = attrs->flags;
	nw_entry_t bits;

	if (!nw_x86_has_leaf(geo, level))
		return NW_E_LEVEL;
	if (type < 0 || attrs->share != NW_SHARE_INNER ||
	    attrs->software > 15 || attrs->hardware || flags & ~NW_EPT_FLAGS)
		return NW_E_ATTRS;
	/* Nobody would record the first access, or clear a dirty mark. */
	if (!has_ad &&
	    (flags & (NW_LEAF_ACCESSED | NW_LEAF_DIRTY)) != NW_LEAF_ACCESSED)
		return NW_E_ATTRS;
	if (!nw_ept_prot_allowed(geo, attrs->prot, 0))
		return NW_E_ATTRS;
	if (!nw_ept_prot_allowed(geo, attrs->prot, level != 0))
		return NW_E_LEVEL;
	bits = (nw_entry_t)type << NW_EPT_TYPE_SHIFT |
	       nw_x86_bit_if(level != 0, NW_X86_PS) |
	       nw_x86_bit_if(flags & NW_LEAF_IGNORE_PAT, NW_EPT_IGNORE_PAT) |
	       nw_x86_bit_if(flags & NW_LEAF_SUPPRESS_VE, NW_EPT_SVE) |
	       nw_x86_bit_if(flags & NW_LEAF_DIRTY, NW_EPT_DIRTY) |
	       (nw_entry_t)attrs->software << NW_X86_SOFTWARE_SHIFT;
	if (!has_ad)
		bits |= NW_EPT_ALWAYS;
	else if (flags & NW_LEAF_ACCESSED)
		bits |= NW_EPT_ACCESSED;
	return nw_ept_with_prot(geo, bits, attrs->prot, entry);
}

/* Bits that some feature brings, or that its absence does. */
static inline enum nw_reason nw_ept_feature_check(const struct nw_geometry *geo,
						  nw_entry_t leaf)
{
	if ((leaf & NW_EPT_UEXEC) && !(geo->features & NW_FEAT_EPT_MBEC))
		return NW_REASON_FEATURE;
	if (geo->features & NW_FEAT_EPT_AD)
		return leaf & NW_EPT_ALWAYS ? NW_REASON_RES0 : NW_REASON_NONE;
	if (leaf & NW_EPT_STATE)
		return NW_REASON_FEATURE;
	return leaf & NW_EPT_ALWAYS ? NW_REASON_NONE : NW_REASON_RES1;
}

static inline enum nw_reason nw_x86_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs)
{
	enum nw_reason reason = nw_ept_feature_check(geo, leaf);

	if (reason != NW_REASON_NONE)
		return reason;
	if (leaf & NW_EPT_RES0 || (!level && (leaf & NW_X86_PS)))
		return NW_REASON_RES0;
	reason = nw_x86_address_check(geo, leaf & NW_X86_ADDRESS,
				      nw_x86_span_lg2(level));
	if (reason != NW_REASON_NONE)
		return reason;
	attrs->prot = (uint8_t)nwf_leaf_prot(geo, leaf);
	if (!nw_ept_prot_allowed(geo, attrs->prot, level != 0))
		return NW_REASON_RIGHTS;
	attrs->memtype = (uint8_t)nw_ept_memtype(leaf);
	if (attrs->memtype == NW_MEM_COUNT)
		return NW_REASON_MEMTYPE;
	attrs->share = NW_SHARE_INNER;
	attrs->flags =
		(uint16_t)((nwf_leaf_is_accessed(leaf) ? NW_LEAF_ACCESSED : 0) |
			   (leaf & NW_EPT_DIRTY ? NW_LEAF_DIRTY : 0) |
			   (leaf & NW_EPT_IGNORE_PAT ? NW_LEAF_IGNORE_PAT : 0) |
			   (leaf & NW_EPT_SVE ? NW_LEAF_SUPPRESS_VE : 0));
	attrs->software =
		(uint8_t)((leaf & NW_X86_SOFTWARE) >> NW_X86_SOFTWARE_SHIFT);
	return NW_REASON_NONE;
}

/* ---- split and collapse ------------------------------------------------ */

static inline nw_entry_t nwf_split_child(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo;
	return level == 1 ? leaf & ~NW_X86_PS : leaf;
}

static inline nw_entry_t nwf_collapse_parent(const struct nw_geometry *geo,
					     unsigned level, nw_entry_t child)
{
	if (!level || !nw_x86_has_leaf(geo, level) ||
	    !nw_ept_prot_allowed(geo, nwf_leaf_prot(geo, child), 1) ||
	    child & NW_X86_ADDRESS & (NW_X86_BIT(nw_x86_span_lg2(level)) - 1))
		return 0;
	return child | NW_X86_PS;
}

/* Rights, state and suppress-#VE may change in place; address, memory type and
 * ignore-PAT may not. */
static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry)
{
	return nw_x86_change_needs_break(geo, level, old, new_entry,
					 NW_EPT_RIGHTS | NW_EPT_STATE |
						 NW_EPT_SVE);
}

#endif
