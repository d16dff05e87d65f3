/* SPDX-License-Identifier: BSD-2-Clause */
/* TLB rules. */
#include "pairs.h"

static void unmap_page(struct tb *t)
{
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
}

/* From here on, what an unmap of page 0 at stage 2 still owes. */
static void stage2_rest(struct tb *t)
{
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void early(struct tb *t, int bad)
{
	unmap_page(t);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISHST), (void)0);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void early_by_address(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	set(t, ETAB0, 0, EL2_PAGE(RAM), 0);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISHST), (void)0);
	tlbi(t, NW_TLBI_VALE2IS, by_address(0, 3), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void never(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	CHOOSE(bad, tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID), (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void never_this_address(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	set(t, ETAB0, 0, EL2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VAE2IS, by_address(bad ? PAGE : 0, 0), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void write_protect(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM),
	    bad ? S2_PAGE(RAM) & ~S2_W : S2_PAGE(RAM) & ~D_SOFT);
}

static void local(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, bad ? NW_TLBI_ALLE1 : NW_TLBI_ALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void local_el2(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_ROOT_SWITCH, EROOT, 0, NW_REGIME_EL2);
	on_cpu(t, 0);
	ev(t, NW_EV_ROOT_SWITCH, EROOT, 0, NW_REGIME_EL2);
	set(t, ETAB0, 0, EL2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, bad ? NW_TLBI_VALE2 : NW_TLBI_VALE2IS, by_address(0, 0), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* Only one CPU ever had the root: then local is enough. */
static void local_private(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	ev(t, NW_EV_ROOT_SWITCH, EROOT, 0, NW_REGIME_EL2);
	on_cpu(t, 1);
	CHOOSE(bad, barrier(t, NW_BARRIER_ISB),
	       ev(t, NW_EV_ROOT_SWITCH, EROOT, 0, NW_REGIME_EL2));
	on_cpu(t, 0);
	set(t, ETAB0, 0, EL2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VAE2, by_address(0, 0), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* What the hypervisor's sabotage of that name really issues. */
static void local_ipa(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, bad ? NW_TLBI_IPAS2E1 : NW_TLBI_IPAS2E1IS, by_address(0, 3),
	     VMID);
	stage2_rest(t);
}

static void local_range(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, bad ? NW_TLBI_RIPAS2E1 : NW_TLBI_RIPAS2E1IS,
	     by_range(0, 0, 3), VMID);
	stage2_rest(t);
}

static void local_vmid(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, bad ? NW_TLBI_VMALLS12E1 : NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* One CPU alone has the guest's table. */
static void local_vmid_private(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2);
	on_cpu(t, 1);
	CHOOSE(bad, barrier(t, NW_BARRIER_ISB),
	       ev(t, NW_EV_ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2));
	on_cpu(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_NSHST);
	tlbi(t, NW_TLBI_IPAS2E1, by_address(0, 3), VMID);
	barrier(t, NW_BARRIER_DSB_NSH);
	tlbi(t, NW_TLBI_VMALLE1, 0, VMID);
	barrier(t, NW_BARRIER_DSB_NSH);
}

static void other_vmid(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(0, 0), bad ? 1 : VMID);
	stage2_rest(t);
}

/* The event's own word is not believed where the root is known. */
static void other_vmid_installed(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, ROOT_B, 2);
	ev(t, NW_EV_TABLE_INIT, ROOT_B,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 12, 40, 40, 0), 1);
	zero(t, ROOT_B, ~0u);
	zero(t, ROOT_B + PAGE, ~0u);
	ev(t, NW_EV_ROOT_SWITCH, ROOT_B, 1, NW_REGIME_STAGE2);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	CHOOSE(bad, ev(t, NW_EV_ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2),
	       barrier(t, NW_BARRIER_ISB));
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void level_hint(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(2 * MIB, bad ? 3 : 2), VMID);
	stage2_rest(t);
}

static void level_hint_table(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	link_(t, TAB1, 4, 0, TABLE(TAB_NEW));
	set(t, TAB1, 4, TABLE(TAB_NEW), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(8 * MIB, bad ? 3 : 0), VMID);
	stage2_rest(t);
}

static void wrong_granule(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS,
	     by_address(0, 3) ^ (bad ? UINT64_C(3) << 46 : 0), VMID);
	stage2_rest(t);
}

static void last_level(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	link_(t, ETAB1, 4, 0, TABLE(TAB_NEW));
	set(t, ETAB1, 4, TABLE(TAB_NEW), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, bad ? NW_TLBI_VALE2IS : NW_TLBI_VAE2IS, by_address(8 * MIB, 0),
	     0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void no_middle(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(0, 0), VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void no_combined(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(0, 0), VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	CHOOSE(bad, tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID), (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void no_ipa(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	CHOOSE(bad, tlbi(t, NW_TLBI_IPAS2E1IS, by_address(0, 0), VMID),
	       (void)0);
	stage2_rest(t);
}

static void not_completed(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
}

static void completed_elsewhere(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	on_cpu(t, bad ? 1 : 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void store_barrier_after(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, bad ? NW_BARRIER_DSB_ISHST : NW_BARRIER_DSB_ISH);
}

static void dmb_before(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, bad ? NW_BARRIER_DMB_ISHST : NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void non_shareable(struct tb *t, int bad)
{
	unmap_page(t);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(0, 0), VMID);
	barrier(t, bad ? NW_BARRIER_DSB_NSH : NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void vmid_reuse(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2);
	alloc(t, ROOT_B, 2);
	ev(t, NW_EV_TABLE_INIT, ROOT_B,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 12, 40, 40, 0), VMID);
	zero(t, ROOT_B, ~0u);
	zero(t, ROOT_B + PAGE, ~0u);
	CHOOSE(bad, tlbi(t, NW_TLBI_ALLE1IS, 0, 0), (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
	ev(t, NW_EV_ROOT_SWITCH, ROOT_B, VMID, NW_REGIME_STAGE2);
}

const struct pair pairs_tlb[] = {
	{"TLB-01", "no DSB before", early},
	{"TLB-01", "no DSB before, by address", early_by_address},
	{"TLB-02", "no invalidation", never},
	{"TLB-02", "another address", never_this_address},
	{"TLB-02", "write-protect without a flush", write_protect},
	{"TLB-03", "local", local},
	{"TLB-03", "local at EL2", local_el2},
	{"TLB-03", "root no longer private", local_private},
	{"TLB-03", "local by IPA", local_ipa},
	{"TLB-03", "local by range", local_range},
	{"TLB-03", "local, the whole VMID", local_vmid},
	{"TLB-03", "stage-2 root no longer private", local_vmid_private},
	{"TLB-04", "another VMID", other_vmid},
	{"TLB-04", "another root installed", other_vmid_installed},
	{"TLB-05", "hint of another level", level_hint},
	{"TLB-05", "hint, and a table went", level_hint_table},
	{"TLB-05", "another granule", wrong_granule},
	{"TLB-06", "last level, and a table went", last_level},
	{"TLB-07", "no DSB between", no_middle},
	{"TLB-08", "no VMALLE1IS", no_combined},
	{"TLB-09", "no IPAS2E1IS", no_ipa},
	{"TLB-10", "no DSB after", not_completed},
	{"TLB-10", "DSB on another CPU", completed_elsewhere},
	{"TLB-11", "ISHST after", store_barrier_after},
	{"TLB-11", "DMB before", dmb_before},
	{"TLB-11", "NSH between", non_shareable},
	{"TLB-12", "VMID taken over", vmid_reuse},
};

const unsigned pairs_tlb_count = sizeof(pairs_tlb) / sizeof(pairs_tlb[0]);
