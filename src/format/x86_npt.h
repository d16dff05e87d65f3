/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD nested paging: x86_pte.h walked from nCR3.
 *
 * The walk treats every guest access as a user access, so that U is set in
 * every entry and execute is granted to both levels or to none. Global has no
 * meaning and protection keys do not apply: both stay zero. Memory types index
 * the host's PAT (NW_X86_PAT) and are combined with the guest's own.
 *
 * Manual: AMD APM volume 2, "Nested Paging", "Nested Page Faults, Protections
 * and Accessed/Dirty Bits".
 */
#ifndef NW_FORMAT_X86_NPT_H
#define NW_FORMAT_X86_NPT_H

#include "x86_pte.h"

enum { NWF_REGIMES = 1u << NW_REGIME_NPT };

static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	return nw_x86_geometry(config, NW_FEAT_X86_NX | NW_FEAT_X86_1G, geo,
			       argument);
}

static inline unsigned nw_pte_executors(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	(void)geo, (void)leaf;
	return NW_PROT_X;
}

static inline enum nw_status nw_pte_own_encode(const struct nw_geometry *geo,
					       const struct nw_attrs *attrs,
					       nw_entry_t *bits)
{
	(void)geo;
	if (attrs->flags & ~NW_PTE_FLAGS || attrs->hardware)
		return NW_E_ATTRS;
	*bits = NW_PTE_USER;
	return NW_OK;
}

static inline enum nw_reason nw_pte_own_decode(const struct nw_geometry *geo,
					       nw_entry_t leaf,
					       struct nw_attrs *attrs)
{
	(void)geo, (void)attrs;
	if (leaf & (NW_PTE_GLOBAL | NW_PTE_KEY))
		return NW_REASON_RES0;
	return leaf & NW_PTE_USER ? NW_REASON_NONE : NW_REASON_RES1;
}

#endif
