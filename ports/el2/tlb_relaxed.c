/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A permission fault leaves what it was about in the TLB (Arm ARM, "TLB
 * matching": only entries that cause translation, address size and access flag
 * faults are not cached), so that a CPU would fault again and again on a right
 * that the table now gives. Both rounds of stage 2, for this CPU alone.
 */
#include "nw_port.h"
#include "tlb.h"

#define GRANULE_LG2 12

static inline uint64_t vmid_in_force(void)
{
	uint64_t vttbr;

	__asm__("mrs %0, vttbr_el2" : "=r"(vttbr));
	return vttbr >> 48;
}

/* ORD-15: the wider entry before the invalidation, and that before what
 * follows; the rounds as in ORD-21. */
void nw_el2_invalidate_relaxed(uint64_t ipa)
{
	uint64_t operand = nw_tlb_operand(ipa, GRANULE_LG2, NW_TLB_ANY_LEVEL);

	/* A build that forgets invalidations must not be healed by these. */
	if (NW_SABOTAGE_NO_TLBI || NW_SABOTAGE_LOCAL_TLBI)
		return;
	nw_el2_dsb_nsh();
	__asm__ volatile("tlbi ipas2e1, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_IPAS2E1, operand, vmid_in_force());
	nw_el2_dsb_nsh();
	__asm__ volatile("tlbi vmalle1" ::: "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VMALLE1, 0, vmid_in_force());
	nw_el2_dsb_nsh();
	nw_el2_isb();
}
