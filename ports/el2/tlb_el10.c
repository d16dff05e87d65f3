/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidation of the EL1&0 regime's first stage from EL2: a guest's table that
 * the hypervisor makes, or the host's own below it. One round: stage 1 by
 * address drops what was combined with stage 2 as well.
 */
#include "nw_port.h"
#include "tlb.h"
#include "tlb_range.h"

static inline uint64_t vmid_in_force(void)
{
	uint64_t vttbr;

	__asm__("mrs %0, vttbr_el2" : "=r"(vttbr));
	return vttbr >> 48;
}

/* ORD-07, ORD-20: the barriers around each of these are the caller's. */
static void tlbi_vae1(uint64_t operand)
{
	__asm__ volatile("tlbi vae1is, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VAE1IS, operand, vmid_in_force());
}

/* ORD-07, ORD-20: as above. Walk caches stay. */
static void tlbi_vale1(uint64_t operand)
{
	__asm__ volatile("tlbi vale1is, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VALE1IS, operand, vmid_in_force());
}

/* ORD-07, ORD-20: as above. */
static void tlbi_rvae1(uint64_t operand)
{
	/* TLBI RVAE1IS */
	__asm__ volatile("sys #0, c8, c2, #1, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_RVAE1IS, operand, vmid_in_force());
}

/* ORD-07, ORD-20: as above. Walk caches stay. */
static void tlbi_rvale1(uint64_t operand)
{
	/* TLBI RVALE1IS */
	__asm__ volatile("sys #0, c8, c2, #5, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_RVALE1IS, operand, vmid_in_force());
}

/* ORD-07, ORD-20: as above. Every ASID, global entries too. */
static void tlbi_vmalle1_el10(void)
{
	__asm__ volatile("tlbi vmalle1is" ::: "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VMALLE1IS, 0, vmid_in_force());
}

static void one_range(const struct nw_flush_request *q,
		      const struct nw_flush_range *r)
{
	void (*by_range)(uint64_t) = r->had_tables ? tlbi_rvae1 : tlbi_rvale1;
	void (*one)(uint64_t) = r->had_tables ? tlbi_vae1 : tlbi_vale1;
	const uint64_t asid = (uint64_t)q->tag << 48;
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	nw_tlb_plan(&plan, q, r, nw_el2_tlb_features_used());
	while (nw_tlb_plan_next(&plan, &op)) {
		if (op.is_range)
			by_range(op.operand | asid);
		else
			one(op.operand | asid);
	}
}

void nw_el2_invalidate_el10(const struct nw_flush_request *request,
			    uint64_t ones)
{
	ones &= (UINT64_C(1) << 56) - 1; /* the operands hold bits 55:12 */
	/* ORD-20: the cleared entries before the invalidation. */
	nw_el2_dsb_ishst();
	if (nw_tlb_takes_whole(request, nw_el2_tlb_features_used()))
		tlbi_vmalle1_el10();
	else
		for (unsigned i = 0; i < request->ranges; i++) {
			struct nw_flush_range r = request->range[i];

			r.start |= ones;
			r.end = ((r.end - 1) | ones) + 1;
			one_range(request, &r);
		}
	/* ORD-07: completed for every CPU of the domain before it returns. */
	nw_el2_dsb_ish();
	nw_el2_isb();
}
