/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64 stage 1 of the EL2 regime with one address range (HCR_EL2.E2H = 0), for
 * the instance that includes this. The layout: arm64_s1.h.
 *
 * In a regime of one exception level AP[1] is RES1, nG and PXN are RES0.
 *
 * Stricter than the hardware: a leaf that is executable is neither writable,
 * nor made writable by the hardware (DBM), nor device memory. Such entries
 * decode to reserved, NW_REASON_RIGHTS.
 */
#ifndef NW_FORMAT_ARM64_EL2_BODY_H
#define NW_FORMAT_ARM64_EL2_BODY_H

#define NWF_TRACE_ID NW_FORMAT_ID_arm64_el2

#define NW_S1_FLAGS    (NW_A64_FLAGS | NW_LEAF_GUARDED)
#define NW_S1_RES0     (NW_S1_NS | NW_S1_NG | NW_S1_PXN)
#define NW_S1_RIGHTS   (NW_S1_READ_ONLY | NW_S1_XN)
#define NW_S1_IN_PLACE NW_S1_RIGHTS
#include "arm64_s1.h"

enum { NWF_REGIMES = 1u << NW_REGIME_EL2 };

static inline unsigned nw_s1_prot(nw_entry_t leaf)
{
	return NW_PROT_R | (leaf & NW_S1_READ_ONLY ? 0 : NW_PROT_W) |
	       (leaf & NW_S1_XN ? 0 : NW_PROT_PX);
}

static inline int nw_s1_prot_fits(nw_entry_t leaf, unsigned prot)
{
	if (!(prot & NW_PROT_R) || prot & ~(NW_PROT_R | NW_PROT_W | NW_PROT_PX))
		return 0;
	if (!(prot & NW_PROT_PX))
		return 1;
	/* Never writable and executable, now or by a hardware update. */
	return !(prot & NW_PROT_W) && !(leaf & NW_A64_DBM) &&
	       !nw_s1_is_device(leaf);
}

static inline nw_entry_t nw_s1_prot_bits(unsigned prot)
{
	return nw_a64_bit_if(!(prot & NW_PROT_W), NW_S1_READ_ONLY) |
	       nw_a64_bit_if(!(prot & NW_PROT_PX), NW_S1_XN);
}

static inline nw_entry_t nw_s1_own_encode(unsigned flags)
{
	(void)flags;
	return NW_S1_AP1;
}

static inline enum nw_reason nw_s1_own_decode(nw_entry_t leaf,
					      struct nw_attrs *attrs)
{
	(void)attrs;
	return leaf & NW_S1_AP1 ? NW_REASON_NONE : NW_REASON_RES1;
}

#endif
