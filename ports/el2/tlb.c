/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidation with the real instructions (Arm ARM, "TLB maintenance
 * instructions"). The operand encodings are in tlb_range.h.
 *
 * Stage 2 takes two rounds: IPAS2E1IS removes what was made from stage 2
 * alone, VMALLE1IS what combines both stages. The barrier between them stops a
 * CPU from making a new combined entry out of a stage-2 entry that is about to
 * go.
 *
 * The NW_SABOTAGE_ switches leave out or weaken one step on purpose; builds
 * with them exist to show what that step is for.
 */
#include "nw_port.h"
#include "tlb.h"
#include "tlb_range.h"

#if NW_SABOTAGE_LOCAL_TLBI
#define TLBI_SCOPE ""
#define ISSUED(op) NW_TLBI_##op
#else
#define TLBI_SCOPE "is"
#define ISSUED(op) NW_TLBI_##op##IS
#endif

static unsigned tlb_features;

unsigned nw_el2_tlb_features(void)
{
	uint64_t isar0, mmfr2;
	unsigned features = 0;

	__asm__("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	__asm__("mrs %0, s3_0_c0_c7_2" : "=r"(mmfr2)); /* ID_AA64MMFR2_EL1 */
	if (((isar0 >> 56) & 0xf) >= 2)
		features |= NW_TLB_HAS_RANGE;
	if ((mmfr2 >> 48) & 0xf)
		features |= NW_TLB_HAS_TTL;
	return features;
}

void nw_el2_tlb_init(unsigned features)
{
	tlb_features = features;
}

unsigned nw_el2_tlb_features_used(void)
{
	return tlb_features;
}

/* ---- instructions ----------------------------------------------------- */

/* The VMID that this CPU's stage-2 operations name: what is installed, whoever
 * asks. Not volatile: without a recorder nobody reads it. */
static inline uint64_t vmid_in_force(void)
{
	uint64_t vttbr;

	__asm__("mrs %0, vttbr_el2" : "=r"(vttbr));
	return vttbr >> 48;
}

/* ORD-07, ORD-20: the barriers around each of these are the caller's. */
static void tlbi_ipas2(uint64_t operand)
{
#if NW_SABOTAGE_NO_TLBI || NW_SABOTAGE_NO_IPAS2
	(void)operand;
#else
	__asm__ volatile("tlbi ipas2e1" TLBI_SCOPE ", %0" ::"r"(operand)
			 : "memory");
	NW_TRACE(NW_EV_TLBI, ISSUED(IPAS2E1), operand, vmid_in_force());
#endif
}

/* ORD-07, ORD-20: as above. */
static void tlbi_ripas2(uint64_t operand)
{
#if NW_SABOTAGE_NO_TLBI || NW_SABOTAGE_NO_IPAS2
	(void)operand;
#else
#if NW_SABOTAGE_LOCAL_TLBI
	__asm__ volatile("sys #4, c8, c4, #2, %0" ::"r"(operand) : "memory");
#else
	__asm__ volatile("sys #4, c8, c0, #2, %0" ::"r"(operand) : "memory");
#endif
	NW_TRACE(NW_EV_TLBI, ISSUED(RIPAS2E1), operand, vmid_in_force());
#endif
}

/* ORD-07, ORD-20: as above. */
static void tlbi_vmalle1(void)
{
#if !NW_SABOTAGE_NO_TLBI
	__asm__ volatile("tlbi vmalle1" TLBI_SCOPE ::: "memory");
	NW_TRACE(NW_EV_TLBI, ISSUED(VMALLE1), 0, vmid_in_force());
#endif
}

/* ORD-07, ORD-20: as above. */
static void tlbi_vmalls12e1(void)
{
#if !NW_SABOTAGE_NO_TLBI && !NW_SABOTAGE_NO_IPAS2
	__asm__ volatile("tlbi vmalls12e1" TLBI_SCOPE ::: "memory");
	NW_TRACE(NW_EV_TLBI, ISSUED(VMALLS12E1), 0, vmid_in_force());
#else
	tlbi_vmalle1();
#endif
}

/* ORD-07, ORD-20: as above. The sabotages are about the guest's table; EL2's
 * own stays right. */
static void tlbi_vae2(uint64_t operand)
{
	__asm__ volatile("tlbi vae2is, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VAE2IS, operand, 0);
}

/* ORD-07, ORD-20: as above. */
static void tlbi_vale2(uint64_t operand)
{
	__asm__ volatile("tlbi vale2is, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_VALE2IS, operand, 0);
}

/* ORD-07, ORD-20: as above. */
static void tlbi_rvae2(uint64_t operand)
{
	/* TLBI RVAE2IS */
	__asm__ volatile("sys #4, c8, c2, #1, %0" ::"r"(operand) : "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_RVAE2IS, operand, 0);
}

/* ORD-07, ORD-20: as above. */
static void tlbi_alle2(void)
{
	__asm__ volatile("tlbi alle2is" ::: "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_ALLE2IS, 0, 0);
}

/* ---- ranges ----------------------------------------------------------- */

struct by_address {
	void (*one)(uint64_t operand);
	void (*leaf)(uint64_t operand); /* walk caches stay */
	void (*range)(uint64_t operand);
};

static const struct by_address stage2_by_address = {
	tlbi_ipas2, tlbi_ipas2, tlbi_ripas2
};
static const struct by_address el2_by_address = {
	tlbi_vae2, tlbi_vale2, tlbi_rvae2
};

static void range_by_address(const struct nw_flush_request *q,
			     const struct nw_flush_range *r,
			     const struct by_address *tlbi)
{
	void (*one)(uint64_t) = r->had_tables ? tlbi->one : tlbi->leaf;
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	nw_tlb_plan(&plan, q, r, tlb_features);
	while (nw_tlb_plan_next(&plan, &op))
		if (op.is_range)
			tlbi->range(op.operand);
		else
			one(op.operand);
}

/* ORD-07: completed for every CPU of the domain before it returns. */
static void invalidate_stage2(const struct nw_flush_request *q)
{
	unsigned i;

	if (nw_tlb_takes_whole(q, tlb_features)) {
		/* ORD-07: one instruction for both rounds, then complete. */
		tlbi_vmalls12e1();
		nw_el2_dsb_ish();
		nw_el2_isb();
		return;
	}
	for (i = 0; i < q->ranges; i++)
		range_by_address(q, &q->range[i], &stage2_by_address);
	/* ORD-21 orders the end of the stage-2 round before the start of the
	 * combined one, on every CPU. Pairs with: the walkers. Without it a
	 * CPU may combine anew from a stage-2 entry that is still there. */
	nw_el2_dsb_ish();
	tlbi_vmalle1();
	nw_el2_dsb_ish();
	nw_el2_isb();
}

/* ORD-07: completed for every CPU of the domain before it returns. */
static void invalidate_el2(const struct nw_flush_request *q)
{
	unsigned i;

	if (nw_tlb_takes_whole(q, tlb_features))
		tlbi_alle2();
	else
		for (i = 0; i < q->ranges; i++)
			range_by_address(q, &q->range[i], &el2_by_address);
	nw_el2_dsb_ish();
	nw_el2_isb();
}

void nw_el2_invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx;
	if (request->regime == NW_REGIME_EL10) {
		nw_el2_invalidate_el10(request, 0);
		return;
	}
	/* ORD-20 orders the cleared entries before the invalidation. Pairs
	 * with: the walkers of all CPUs. Without it a CPU may walk the old
	 * entry again, after the invalidation has passed it by. */
	nw_el2_dsb_ishst();
	switch (request->regime) {
	case NW_REGIME_STAGE2:
		invalidate_stage2(request);
		return;
	case NW_REGIME_EL2:
		invalidate_el2(request);
		return;
	default:
		nw_port_bug("no invalidation for this regime", __FILE__,
			    __LINE__);
	}
}

/* ORD-18 orders what this CPU did before, then drops whatever its TLB held at
 * reset before it goes on; pairs with this CPU's walker. Without it the CPU may
 * use translations that nobody ever made. */
void nw_el2_invalidate_local_all(void)
{
	nw_el2_dsb_nsh();
	__asm__ volatile("tlbi alle1" ::: "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_ALLE1, 0, 0);
	__asm__ volatile("tlbi alle2" ::: "memory");
	NW_TRACE(NW_EV_TLBI, NW_TLBI_ALLE2, 0, 0);
	nw_el2_dsb_nsh();
	nw_el2_isb();
}
