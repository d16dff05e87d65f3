/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm64 stage 1 of the EL1&0 regime (and of EL2&0 with HCR_EL2.E2H = 1), for
 * the instance that includes this. The layout: arm64_s1.h.
 *
 * A table is one of the two ranges; the upper one's (TTBR1) input addresses are
 * given without the ones above ia_bits, which are the port's to add when it
 * invalidates. The tag is the ASID. Invalidation by ASID alone leaves entries
 * that are global (no NW_LEAF_NOT_GLOBAL), invalidation by address does not:
 * a port that widens a request must take the form for all ASIDs.
 *
 * AP[1] is NW_LEAF_USER: EL0 reads, and writes where EL1 may. EL1 always reads.
 * Execution at EL0 (UX) needs no NW_LEAF_USER: the two are separate rights.
 *
 * Stricter than the hardware, which would ignore or not protect from them:
 * what EL0 may write, now or by a hardware update (DBM), is not executable at
 * EL1, for the hardware takes that right; device memory is not executable.
 * Such entries decode to reserved, NW_REASON_RIGHTS.
 */
#ifndef NW_FORMAT_ARM64_EL10_BODY_H
#define NW_FORMAT_ARM64_EL10_BODY_H

#define NWF_TRACE_ID NW_FORMAT_ID_arm64_el10

#define NW_S1_FLAGS                                                            \
	(NW_A64_FLAGS | NW_LEAF_GUARDED | NW_LEAF_NOT_GLOBAL | NW_LEAF_USER)
#define NW_S1_RES0     NW_S1_NS
#define NW_S1_RIGHTS   (NW_S1_READ_ONLY | NW_S1_PXN | NW_S1_XN)
#define NW_S1_IN_PLACE (NW_S1_RIGHTS | NW_S1_AP1)
#include "arm64_s1.h"

enum { NWF_REGIMES = 1u << NW_REGIME_EL10 };

static inline unsigned nw_s1_prot(nw_entry_t leaf)
{
	return NW_PROT_R | (leaf & NW_S1_READ_ONLY ? 0 : NW_PROT_W) |
	       (leaf & NW_S1_PXN ? 0 : NW_PROT_PX) |
	       (leaf & NW_S1_XN ? 0 : NW_PROT_UX);
}

static inline int nw_s1_prot_fits(nw_entry_t leaf, unsigned prot)
{
	int is_writable = (prot & NW_PROT_W) || (leaf & NW_A64_DBM);

	if (!(prot & NW_PROT_R) || prot & ~NW_PROT_RWX)
		return 0;
	if ((prot & NW_PROT_PX) && (leaf & NW_S1_AP1) && is_writable)
		return 0;
	return !(prot & NW_PROT_X) || !nw_s1_is_device(leaf);
}

static inline nw_entry_t nw_s1_prot_bits(unsigned prot)
{
	return nw_a64_bit_if(!(prot & NW_PROT_W), NW_S1_READ_ONLY) |
	       nw_a64_bit_if(!(prot & NW_PROT_PX), NW_S1_PXN) |
	       nw_a64_bit_if(!(prot & NW_PROT_UX), NW_S1_XN);
}

static inline nw_entry_t nw_s1_own_encode(unsigned flags)
{
	return nw_a64_bit_if(flags & NW_LEAF_USER, NW_S1_AP1) |
	       nw_a64_bit_if(flags & NW_LEAF_NOT_GLOBAL, NW_S1_NG);
}

static inline enum nw_reason nw_s1_own_decode(nw_entry_t leaf,
					      struct nw_attrs *attrs)
{
	attrs->flags |= (uint16_t)((leaf & NW_S1_AP1 ? NW_LEAF_USER : 0) |
				   (leaf & NW_S1_NG ? NW_LEAF_NOT_GLOBAL : 0));
	return NW_REASON_NONE;
}

#endif
