/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V G-stage, walked from hgatp: Sv39x4, Sv48x4 and Sv57x4, the smallest
 * that holds ia_bits. The root is 16 KiB, aligned to its size, for two more
 * input bits.
 *
 * Manual: "Guest-Physical Address Translation". Every access counts as one of
 * U-mode: U is set in every leaf, and X is for both levels of the guest. G is
 * reserved. The memory type overrides the platform's and is itself overridden
 * by the guest's own.
 */
#ifndef NW_FORMAT_RISCV_G_H
#define NW_FORMAT_RISCV_G_H

#include "riscv_leaf.h"

enum { NWF_REGIMES = 1u << NW_REGIME_RISCV_G };

static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument)
{
	return nw_rv_geometry(config, 2, geo, argument);
}

static inline unsigned nw_rv_executors(nw_entry_t leaf)
{
	(void)leaf;
	return NW_PROT_X;
}

static inline enum nw_status nw_rv_own_encode(const struct nw_attrs *attrs,
					      nw_entry_t *bits)
{
	if (attrs->flags & ~NW_RV_FLAGS)
		return NW_E_ATTRS;
	*bits = NW_RV_USER;
	return NW_OK;
}

static inline enum nw_reason nw_rv_own_decode(nw_entry_t leaf,
					      struct nw_attrs *attrs)
{
	(void)attrs;
	if (leaf & NW_RV_GLOBAL)
		return NW_REASON_RES0;
	return leaf & NW_RV_USER ? NW_REASON_NONE : NW_REASON_RES1;
}

#endif
