/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V first-stage paging, walked from satp, or from vsatp in a guest: Sv39,
 * Sv48 and Sv57, the smallest that holds ia_bits.
 *
 * A page with U is executable in U-mode only, one without in S-mode only. Reads
 * and writes of a user page by S-mode are suspended by sstatus.SUM, outside the
 * entry. The input address is the low ia_bits of a virtual address; the
 * sign-extended upper half is in the upper half of the table.
 */
#ifndef NW_FORMAT_RISCV_S_H
#define NW_FORMAT_RISCV_S_H

#include "riscv_leaf.h"

enum { NWF_REGIMES = 1u << NW_REGIME_RISCV_S };

static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	return nw_rv_geometry(config, 0, geo, argument);
}

static inline unsigned nw_rv_executors(nw_entry_t leaf)
{
	return leaf & NW_RV_USER ? NW_PROT_UX : NW_PROT_PX;
}

static inline enum nw_status nw_rv_own_encode(const struct nw_attrs *attrs,
					      nw_entry_t *bits)
{
	const unsigned known = NW_RV_FLAGS | NW_LEAF_NOT_GLOBAL | NW_LEAF_USER;

	if (attrs->flags & ~known)
		return NW_E_ATTRS;
	*bits = nw_rv_bit_if(attrs->flags & NW_LEAF_USER, NW_RV_USER) |
		nw_rv_bit_if(!(attrs->flags & NW_LEAF_NOT_GLOBAL),
			     NW_RV_GLOBAL);
	return NW_OK;
}

static inline enum nw_reason nw_rv_own_decode(nw_entry_t leaf,
					      struct nw_attrs *attrs)
{
	attrs->flags |= leaf & NW_RV_USER ? NW_LEAF_USER : 0;
	attrs->flags |= leaf & NW_RV_GLOBAL ? 0 : NW_LEAF_NOT_GLOBAL;
	return NW_REASON_NONE;
}

#endif
