/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidation for one CPU: right only for an EL2 table that no other CPU
 * walks (a private root, CnP = 0), or for rights that were added.
 */
#include "nw_port.h"
#include "tlb.h"
#include "tlb_range.h"

/* Past this many instructions, dropping the whole regime is cheaper. */
#define LOCAL_OPS_MAX 64u

/* ORD-15 */
static void dsb_nshst(void)
{
	__asm__ volatile("dsb nshst" ::: "memory");
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_NSHST, 0, 0);
}

/* ORD-15: the barriers around it are the caller's. */
static void tlbi_vale2_local(uint64_t operand)
{
	__asm__ volatile("tlbi vale2, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VALE2, operand, 0);
}

/* ORD-15: as above. */
static void tlbi_alle2_local(void)
{
	__asm__ volatile("tlbi alle2" ::: "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_ALLE2, 0, 0);
}

/* Leaves are at least as large as the smallest that was there. ORD-15 */
static void range_local(const struct nw_flush_request *q,
			const struct nw_flush_range *r)
{
	unsigned level = r->leaf_levels ?
				 (unsigned)__builtin_ctz(r->leaf_levels) : 0;
	uint64_t step = 1ull << (q->granule_lg2 +
				 level * (q->granule_lg2 - 3u));
	uint64_t at = r->start & ~(step - 1);

	if (r->had_tables || (r->end - at) / step > LOCAL_OPS_MAX) {
		tlbi_alle2_local();
		return;
	}
	for (; at < r->end; at += step)
		tlbi_vale2_local(nw_tlb_operand(at, q->granule_lg2,
						NW_TLB_ANY_LEVEL));
}

void nw_el2_invalidate_local(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx;
	if (request->regime != NW_REGIME_EL2)
		nw_port_bug("no local invalidation for this regime", __FILE__,
			    __LINE__);
	/* ORD-15 orders the cleared entries before the local invalidation, and
	 * its completion before what follows. Pairs with: this CPU's walker.
	 * Without it this CPU walks the old entry again. */
	dsb_nshst();
	for (unsigned i = 0; i < request->ranges; i++)
		range_local(request, &request->range[i]);
	/* ORD-15: complete, before what follows. */
	nw_el2_dsb_nsh();
	nw_el2_isb();
}
