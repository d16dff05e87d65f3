/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of 4- and 5-level paging, as the CPU reads them from CR3 (x86_64.h)
 * and, for AMD nested paging, from nCR3 (x86_npt.h).
 *
 *  63 62:59 58    57:56 55:52    51:12   11:9 8 7      6 5 4   3   2 1 0
 *  NX key   saved 0     software address 0    G PAT/PS D A PCD PWT U W P
 *
 * PAT is bit 7 of a 4 KiB leaf and bit 12 of a larger one.
 *
 * Manual: Intel SDM volume 3, "Formats of CR3 and Paging-Structure Entries with
 * 4-Level Paging and 5-Level Paging"; AMD APM volume 2, "Page-Translation-Table
 * Entry Fields".
 *
 * Dirty without write: where supervisor or user shadow stacks are on (CET) that
 * marks a shadow-stack page. We never write it: when a dirty leaf loses the
 * write right, its mark moves to "saved", a bit that hardware ignores, and back
 * to D when it gets the right again. On processors without CET the hardware
 * itself may leave D in a read-only leaf, when a write races the right away
 * ("Accessed and Dirty Flags"): such a leaf is read as read-only and dirty.
 */
#ifndef NW_FORMAT_X86_PTE_H
#define NW_FORMAT_X86_PTE_H

#include <nestwalk/x86.h>

#define NW_X86_VALID   UINT64_C(1)
#define NWF_EMPTY      UINT64_C(0)
#define NWF_HAS_GROUPS 1
#include "x86_common.h"

#define NW_PTE_PRESENT	 NW_X86_BIT(0)
#define NW_PTE_WRITE	 NW_X86_BIT(1)
#define NW_PTE_USER	 NW_X86_BIT(2)
#define NW_PTE_PWT	 NW_X86_BIT(3)
#define NW_PTE_PCD	 NW_X86_BIT(4)
#define NW_PTE_ACCESSED	 NW_X86_BIT(5)
#define NW_PTE_DIRTY	 NW_X86_BIT(6)
#define NW_PTE_PAT	 NW_X86_BIT(7) /* level 0 */
#define NW_PTE_GLOBAL	 NW_X86_BIT(8)
#define NW_PTE_PAT_HUGE	 NW_X86_BIT(12) /* levels 1 and 2 */
#define NW_PTE_SAVED	 NW_X86_BIT(58) /* dirty, where W is clear */
#define NW_PTE_KEY_SHIFT 59
#define NW_PTE_KEY	 NW_X86_FIELD(62, 59)
#define NW_PTE_NX	 NW_X86_BIT(63)
#define NW_PTE_RES0	 (NW_X86_FIELD(11, 9) | NW_X86_FIELD(57, 56))
#define NW_PTE_SOILED	 (NW_PTE_DIRTY | NW_PTE_SAVED)
#define NW_PTE_STATE	 (NW_PTE_ACCESSED | NW_PTE_SOILED)

/* Leaf facts that both users have. */
#define NW_PTE_FLAGS (NW_LEAF_ACCESSED | NW_LEAF_DIRTY)

/* ---- what differs: met by x86_64.h and x86_npt.h ----------------------- */

/* NW_PROT_* that a leaf with NX clear grants. */
static inline unsigned nw_pte_executors(const struct nw_geometry *geo,
					nw_entry_t leaf);

/* User, global, key from attributes whose flags are all known. */
static inline enum nw_status nw_pte_own_encode(const struct nw_geometry *geo,
					       const struct nw_attrs *attrs,
					       nw_entry_t *bits);
static inline enum nw_reason nw_pte_own_decode(const struct nw_geometry *geo,
					       nw_entry_t leaf,
					       struct nw_attrs *attrs);

/* ---- tables ------------------------------------------------------------ */

/*
 * The widest rights, so that a leaf's own count; accessed, so that the hardware
 * never writes a table entry.
 */
static inline nw_entry_t nwf_table_entry(const struct nw_geometry *geo,
					 uint64_t next_pa)
{
	(void)geo;
	return next_pa | NW_PTE_PRESENT | NW_PTE_WRITE | NW_PTE_USER |
	       NW_PTE_ACCESSED;
}

/* ---- memory type: an index into NW_X86_PAT ----------------------------- */

static inline int nw_pte_pat_index(unsigned memtype)
{
	switch (memtype) {
	case NW_MEM_NORMAL_WB:
		return NW_X86_PAT_WB;
	case NW_MEM_NORMAL_NC:
		return NW_X86_PAT_WC;
	case NW_MEM_UC_MINUS:
		return NW_X86_PAT_UC_MINUS;
	case NW_MEM_DEVICE_nGnRnE:
		return NW_X86_PAT_UC;
	case NW_MEM_WP:
		return NW_X86_PAT_WP;
	case NW_MEM_NORMAL_WT:
		return NW_X86_PAT_WT;
	default:
		return -1;
	}
}

static inline nw_entry_t nw_pte_pat_bits(unsigned level, unsigned index)
{
	return nw_x86_bit_if(index & 1, NW_PTE_PWT) |
	       nw_x86_bit_if(index & 2, NW_PTE_PCD) |
	       nw_x86_bit_if(index & 4, level ? NW_PTE_PAT_HUGE : NW_PTE_PAT);
}

/* NW_MEM_COUNT: an index that we do not use. */
static inline unsigned nw_pte_memtype(unsigned level, nw_entry_t leaf)
{
	static const uint8_t memtype_of[8] = {
		NW_MEM_NORMAL_WB,     NW_MEM_NORMAL_NC, NW_MEM_UC_MINUS,
		NW_MEM_DEVICE_nGnRnE, NW_MEM_COUNT,	NW_MEM_WP,
		NW_MEM_COUNT,	      NW_MEM_NORMAL_WT};

	return memtype_of[(leaf & NW_PTE_PWT ? 1u : 0) |
			  (leaf & NW_PTE_PCD ? 2u : 0) |
			  (leaf & (level ? NW_PTE_PAT_HUGE : NW_PTE_PAT) ? 4u
									 : 0)];
}

/* ---- rights ------------------------------------------------------------ */

static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf)
{
	return NW_PROT_R | (leaf & NW_PTE_WRITE ? NW_PROT_W : 0) |
	       (leaf & NW_PTE_NX ? 0 : nw_pte_executors(geo, leaf));
}

/* What marks a leaf with these rights as dirty. */
static inline nw_entry_t nw_pte_dirty_mark(int is_writable)
{
	return is_writable ? NW_PTE_DIRTY : NW_PTE_SAVED;
}

/*
 * Replace a leaf's rights. Present is read; execute is granted to all who may
 * execute such a page or to none, and can be withheld only with NX.
 * NW_E_ATTRS: not expressible, *out untouched.
 */
static inline enum nw_status nw_pte_with_prot(const struct nw_geometry *geo,
					      nw_entry_t leaf, unsigned prot,
					      nw_entry_t *out)
{
	unsigned x = prot & NW_PROT_X;

	if (!(prot & NW_PROT_R) || prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	if (x && x != nw_pte_executors(geo, leaf))
		return NW_E_ATTRS;
	if (!x && !(geo->features & NW_FEAT_X86_NX))
		return NW_E_ATTRS;
	*out = (leaf & ~(NW_PTE_WRITE | NW_PTE_NX | NW_PTE_SOILED)) |
	       nw_x86_bit_if((leaf & NW_PTE_SOILED) != 0,
			     nw_pte_dirty_mark((prot & NW_PROT_W) != 0)) |
	       nw_x86_bit_if(prot & NW_PROT_W, NW_PTE_WRITE) |
	       nw_x86_bit_if(!x, NW_PTE_NX);
	return NW_OK;
}

static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out)
{
	return nw_pte_with_prot(geo, leaf, nwf_leaf_prot(geo, leaf) | prot,
				out);
}

static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out)
{
	if (prot & ~NW_PROT_RWX)
		return NW_E_ATTRS;
	return nw_pte_with_prot(geo, leaf, nwf_leaf_prot(geo, leaf) & ~prot,
				out);
}

/* The dirty state goes with the right: read it from the value replaced. */
static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~(NW_PTE_WRITE | NW_PTE_SOILED);
}

/* ---- accessed and dirty ------------------------------------------------ */

static inline int nwf_leaf_is_accessed(nw_entry_t leaf)
{
	return (leaf & NW_PTE_ACCESSED) != 0;
}

static inline nw_entry_t nwf_leaf_set_accessed(nw_entry_t leaf)
{
	return leaf | NW_PTE_ACCESSED;
}

static inline nw_entry_t nwf_leaf_clear_accessed(nw_entry_t leaf)
{
	return leaf & ~NW_PTE_ACCESSED;
}

static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf)
{
	(void)geo;
	return (leaf & NW_PTE_SOILED) != 0;
}

/* The write right stays: the hardware records the next write by itself. */
static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	(void)geo;
	return leaf & ~NW_PTE_SOILED;
}

static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf)
{
	(void)geo;
	return leaf | nw_pte_dirty_mark((leaf & NW_PTE_WRITE) != 0);
}

static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf)
{
	(void)geo, (void)leaf;
	return NW_PTE_STATE;
}

static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf)
{
	const nw_entry_t recorded =
		NW_PTE_ACCESSED |
		nw_x86_bit_if((leaf & NW_PTE_WRITE) != 0, NW_PTE_DIRTY);

	(void)geo;
	return nwf_is_valid(leaf) && (leaf & recorded) != recorded;
}

/* ---- groups of entries ------------------------------------------------- */

static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_PTE_WRITE)
		return NW_LEAF_ALL;
	return any & (NW_PTE_WRITE | NW_PTE_SOILED) ? NW_LEAF_SOME
						    : NW_LEAF_NONE;
}

static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any)
{
	(void)geo;
	if (all & NW_PTE_SOILED)
		return NW_LEAF_ALL;
	return any & NW_PTE_SOILED ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline enum nw_leaf_some
nwf_group_accessed(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo;
	if (all & NW_PTE_ACCESSED)
		return NW_LEAF_ALL;
	return any & NW_PTE_ACCESSED ? NW_LEAF_SOME : NW_LEAF_NONE;
}

static inline int nwf_hw_updates(const struct nw_geometry *geo)
{
	(void)geo;
	return 1;
}

/* ---- leaves ------------------------------------------------------------ */

static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	int index = nw_pte_pat_index(attrs->memtype);
	unsigned flags = attrs->flags;
	enum nw_status status;
	nw_entry_t own, bits;

	if (!nw_x86_has_leaf(geo, level))
		return NW_E_LEVEL;
	if (index < 0 || attrs->share != NW_SHARE_INNER || attrs->software > 15)
		return NW_E_ATTRS;
	status = nw_pte_own_encode(geo, attrs, &own);
	if (status != NW_OK)
		return status;
	bits = own | NW_PTE_PRESENT | nw_x86_bit_if(level != 0, NW_X86_PS) |
	       nw_pte_pat_bits(level, (unsigned)index) |
	       nw_x86_bit_if(flags & NW_LEAF_ACCESSED, NW_PTE_ACCESSED) |
	       nw_x86_bit_if(flags & NW_LEAF_DIRTY, NW_PTE_DIRTY) |
	       (nw_entry_t)attrs->software << NW_X86_SOFTWARE_SHIFT;
	return nw_pte_with_prot(geo, bits, attrs->prot, entry);
}

static inline enum nw_reason nw_x86_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs)
{
	nw_entry_t pat = level ? leaf & NW_PTE_PAT_HUGE : 0;
	enum nw_reason reason;

	if (leaf & NW_PTE_RES0 ||
	    ((leaf & NW_PTE_SAVED) && (leaf & NW_PTE_WRITE)))
		return NW_REASON_RES0;
	if ((leaf & NW_PTE_NX) && !(geo->features & NW_FEAT_X86_NX))
		return NW_REASON_FEATURE;
	reason = nw_x86_address_check(geo, (leaf & NW_X86_ADDRESS) ^ pat,
				      nw_x86_span_lg2(level));
	if (reason != NW_REASON_NONE)
		return reason;
	attrs->memtype = (uint8_t)nw_pte_memtype(level, leaf);
	if (attrs->memtype == NW_MEM_COUNT)
		return NW_REASON_MEMTYPE;
	attrs->share = NW_SHARE_INNER;
	attrs->prot = (uint8_t)nwf_leaf_prot(geo, leaf);
	attrs->flags =
		(uint16_t)((leaf & NW_PTE_ACCESSED ? NW_LEAF_ACCESSED : 0) |
			   (leaf & NW_PTE_SOILED ? NW_LEAF_DIRTY : 0));
	attrs->software =
		(uint8_t)((leaf & NW_X86_SOFTWARE) >> NW_X86_SOFTWARE_SHIFT);
	return nw_pte_own_decode(geo, leaf, attrs);
}

/* ---- split and collapse ------------------------------------------------ */

static inline nw_entry_t nwf_split_child(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo;
	if (level != 1)
		return leaf;
	return (leaf & ~(NW_X86_PS | NW_PTE_PAT_HUGE)) |
	       nw_x86_bit_if((leaf & NW_PTE_PAT_HUGE) != 0, NW_PTE_PAT);
}

static inline nw_entry_t nwf_collapse_parent(const struct nw_geometry *geo,
					     unsigned level, nw_entry_t child)
{
	if (!level || !nw_x86_has_leaf(geo, level) ||
	    nwf_leaf_pa(geo, level - 1, child) &
		    (NW_X86_BIT(nw_x86_span_lg2(level)) - 1))
		return 0;
	if (level != 1)
		return child;
	return (child & ~NW_PTE_PAT) | NW_X86_PS |
	       nw_x86_bit_if((child & NW_PTE_PAT) != 0, NW_PTE_PAT_HUGE);
}

/* Rights, keys and state may change under a reader's feet; type, global and
 * address may not. */
static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry)
{
	return nw_x86_change_needs_break(geo, level, old, new_entry,
					 NW_PTE_WRITE | NW_PTE_USER |
						 NW_PTE_NX | NW_PTE_KEY |
						 NW_PTE_STATE);
}

#endif
