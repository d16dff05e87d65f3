/* SPDX-License-Identifier: BSD-2-Clause */
/* The EL2 port's invalidation, for struct nw_port_ops. */
#ifndef NW_EL2_TLB_H
#define NW_EL2_TLB_H

#include <nestwalk/port.h>

#include "tlb_range.h"

/* What this CPU has (NW_TLB_HAS_*, tlb_range.h), from its ID registers. */
unsigned nw_el2_tlb_features(void);

/*
 * Choose what nw_el2_invalidate() may use. Once, before the first table is
 * live. Default: neither, which is right everywhere.
 */
void nw_el2_tlb_init(unsigned features);
/* What was chosen. */
unsigned nw_el2_tlb_features_used(void);

/*
 * The `invalidate` of a port. NW_REGIME_STAGE2: the table's own VTTBR_EL2 is
 * installed on this CPU, whose guest does not run meanwhile (it is at EL2).
 * NW_REGIME_EL2. NW_REGIME_EL10: nw_el2_invalidate_el10() for the lower range.
 * Other regimes are a bug. Synchronous: on return the
 * translations are gone from every CPU of the inner-shareable domain and
 * accesses made through them have completed.
 */
void nw_el2_invalidate(void *ctx, const struct nw_flush_request *request);

/*
 * The same for a stage-1 table of the EL1&0 regime. TLBIs for it act on the VMID
 * that is installed: the VTTBR_EL2 of the guest whose table it is, or the
 * hypervisor's own where no guest has it (HCR_EL2.TGE = 0 either way).
 *
 * ones: what the table's input addresses lack above ia_bits: 0 for the lower
 * range (TTBR0_EL1), ~0 << ia_bits for the upper one (TTBR1_EL1). A port for
 * such tables passes it on.
 *
 * The tag is the ASID; by address global entries go as well. Past the threshold
 * every ASID of the VMID goes (VMALLE1IS): ASIDE1IS would leave global entries,
 * and the request does not say whether there were any.
 */
void nw_el2_invalidate_el10(const struct nw_flush_request *request,
			    uint64_t ones);

/*
 * The `invalidate_local` of a port, for NW_REGIME_EL2: as nw_el2_invalidate(),
 * but on this CPU alone.
 */
void nw_el2_invalidate_local(void *ctx, const struct nw_flush_request *request);

/*
 * After rights, or the access flag, of the guest's page at `ipa` were added:
 * this CPU forgets the narrower translation that made it fault. Local; other
 * CPUs may keep theirs and fault in their turn. The table's own VTTBR_EL2 is
 * installed.
 */
void nw_el2_invalidate_relaxed(uint64_t ipa);

/* Drop everything this CPU holds of the EL1&0 and EL2 regimes (TLBs are
 * unknown at reset). Local. */
void nw_el2_invalidate_local_all(void);

#endif
