/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 paging, 4 and 5 levels, of a host or a guest: x86_pte.h with user
 * pages, global translations and protection keys.
 *
 * A supervisor page is executable at the privileged level only. A user page
 * with NX clear is executable at both levels, unless SMEP keeps the privileged
 * one out (NW_FEAT_X86_SMEP). R and W of a user page are the supervisor's too;
 * SMAP, where it is on, suspends that outside the entry.
 */
#ifndef NW_FORMAT_X86_64_H
#define NW_FORMAT_X86_64_H

#include "x86_pte.h"

enum { NWF_REGIMES = 1u << NW_REGIME_X86 };

#define NW_X64_FEATURES                                                        \
	(NW_FEAT_X86_NX | NW_FEAT_X86_1G | NW_FEAT_X86_PKU | NW_FEAT_X86_SMEP)
#define NW_X64_FLAGS (NW_PTE_FLAGS | NW_LEAF_NOT_GLOBAL | NW_LEAF_USER)

static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	return nw_x86_geometry(config, NW_X64_FEATURES, geo, argument);
}

static inline unsigned nw_pte_executors(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	if (!(leaf & NW_PTE_USER))
		return NW_PROT_PX;
	return geo->features & NW_FEAT_X86_SMEP ? NW_PROT_UX : NW_PROT_X;
}

static inline enum nw_status nw_pte_own_encode(const struct nw_geometry *geo,
					       const struct nw_attrs *attrs,
					       nw_entry_t *bits)
{
	unsigned flags = attrs->flags;

	if (flags & ~NW_X64_FLAGS || attrs->hardware > 15)
		return NW_E_ATTRS;
	if (attrs->hardware && !(geo->features & NW_FEAT_X86_PKU))
		return NW_E_ATTRS;
	*bits = nw_x86_bit_if(flags & NW_LEAF_USER, NW_PTE_USER) |
		nw_x86_bit_if(!(flags & NW_LEAF_NOT_GLOBAL), NW_PTE_GLOBAL) |
		(nw_entry_t)attrs->hardware << NW_PTE_KEY_SHIFT;
	return NW_OK;
}

static inline enum nw_reason nw_pte_own_decode(const struct nw_geometry *geo,
					       nw_entry_t leaf,
					       struct nw_attrs *attrs)
{
	if ((leaf & NW_PTE_KEY) && !(geo->features & NW_FEAT_X86_PKU))
		return NW_REASON_FEATURE;
	attrs->flags |= leaf & NW_PTE_USER ? NW_LEAF_USER : 0;
	attrs->flags |= leaf & NW_PTE_GLOBAL ? 0 : NW_LEAF_NOT_GLOBAL;
	attrs->hardware = (uint8_t)((leaf & NW_PTE_KEY) >> NW_PTE_KEY_SHIFT);
	return NW_REASON_NONE;
}

#endif
