/* SPDX-License-Identifier: BSD-2-Clause */
/* The same rules under EL1&0 stage 1, and last-level invalidations. */
#include "pairs_arm64.h"

#define ASID 5

static const struct arm64_shape el10 = {
	NW_FORMAT_ID_arm64_el10, NW_REGIME_EL10, 12, 48, 48, 0, ASID};
static const struct arm64_shape el10_16k = {
	NW_FORMAT_ID_arm64_el10, NW_REGIME_EL10, 14, 36, 48, 0, ASID};

void arm64_page(struct tb *t, const struct arm64_shape *s, uint64_t pa)
{
	unsigned i, frames = 1u << (s->granule_lg2 - 12);

	alloc(t, pa, frames);
	for (i = 0; i < frames; i++)
		zero(t, pa + i * PAGE, ~0u);
}

void arm64_table(struct tb *t, const struct arm64_shape *s, uint64_t pa)
{
	unsigned i, frames = 1u << (s->granule_lg2 - 12);

	alloc(t, pa, frames);
	ev(t, NW_EV_TABLE_INIT, pa,
	   NW_TRACE_SHAPE(s->format, s->granule_lg2, s->ia, s->oa, s->features),
	   s->tag | (uint64_t)s->regime << 16);
	for (i = 0; i < frames; i++)
		zero(t, pa + i * PAGE, ~0u);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

void arm64_two_levels(struct tb *t, const struct arm64_shape *s, unsigned leaf,
		      uint64_t value)
{
	arm64_table(t, s, BIG_ROOT);
	arm64_page(t, s, BIG_TAB);
	init(t, BIG_TAB, leaf, value);
	link_(t, BIG_ROOT, 0, 0, TABLE(BIG_TAB));
	barrier(t, NW_BARRIER_DSB_ISHST);
}

void arm64_stage2_rest(struct tb *t)
{
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* ---- EL1&0 stage 1 ------------------------------------------------------ */

#define E1_EL0 BIT(6)
#define E1_RO  BIT(7)
#define E1_NS  BIT(5)
#define E1_NG  BIT(11)
#define E1_GP  BIT(50)
#define E1_PXN BIT(53)
#define E1_UXN BIT(54)
#define E1_ATTRS                                                               \
	(D_AF | D_SH_INNER | UINT64_C(4) << 2 | E1_PXN | E1_UXN | D_SOFT)
#define E1_KERNEL(pa) ((pa) | E1_ATTRS | 3)
#define E1_USER(pa)   (E1_KERNEL(pa) | E1_EL0 | E1_NG)
#define E1_BLOCK(pa)  (E1_USER(pa) ^ 2)

/* As el2_mapped(): pages 0 to 3 are one process's, page 3 with its access flag
 * clear; 4 to 7 the kernel's, global; a 2 MiB block of the process. */
static void e1_mapped(struct tb *t)
{
	unsigned i;

	arm64_table(t, &el10, EROOT);
	arm64_page(t, &el10, ETAB2);
	arm64_page(t, &el10, ETAB1);
	arm64_page(t, &el10, ETAB0);
	for (i = 0; i < 4; i++) {
		init(t, ETAB0, i,
		     E1_USER(RAM + i * PAGE) & ~(i == 3 ? D_AF : 0));
		init(t, ETAB0, 4 + i, E1_KERNEL(RAM + (4 + i) * PAGE));
	}
	init(t, ETAB1, 0, TABLE(ETAB0));
	init(t, ETAB1, 1, E1_BLOCK(RAM + 2 * MIB));
	init(t, ETAB2, 0, TABLE(ETAB1));
	link_(t, EROOT, 0, 0, TABLE(ETAB2));
	barrier(t, NW_BARRIER_DSB_ISHST);
}

static uint64_t e1_operand(unsigned asid, uint64_t address, unsigned arm_level)
{
	return by_address(address, arm_level) | (uint64_t)asid << 48;
}

static void e1_unmap(struct tb *t)
{
	e1_mapped(t);
	set(t, ETAB0, 0, E1_USER(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

static void e1_unmap_kernel(struct tb *t)
{
	e1_mapped(t);
	set(t, ETAB0, 4, E1_KERNEL(RAM + 4 * PAGE), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

static void e1_drop_table(struct tb *t)
{
	e1_mapped(t);
	arm64_page(t, &el10, TAB_NEW);
	link_(t, ETAB1, 4, 0, TABLE(TAB_NEW));
	set(t, ETAB1, 4, TABLE(TAB_NEW), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

/* One invalidation, and what completes it. */
static void flush(struct tb *t, enum nw_tlbi op, uint64_t operand)
{
	tlbi(t, op, operand, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void e1_never(struct tb *t, int bad)
{
	e1_unmap(t);
	CHOOSE(bad, tlbi(t, NW_TLBI_VAE1IS, e1_operand(ASID, 0, 3), 0),
	       (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void e1_other_regime(struct tb *t, int bad)
{
	el2_table(t, 0);
	arm64_table(t,
		    &(struct arm64_shape){NW_FORMAT_ID_arm64_el10,
					  NW_REGIME_EL10, 14, 25, 48, 0, 0},
		    BIG_ROOT);
	set(t, BIG_ROOT, 0, 0, E1_USER(RAM));
	set(t, BIG_ROOT, 0, E1_USER(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	flush(t, bad ? NW_TLBI_VAE2IS : NW_TLBI_VAE1IS, 0);
}

static void e1_other_asid(struct tb *t, int bad)
{
	e1_unmap(t);
	flush(t, NW_TLBI_VAE1IS, e1_operand(bad ? ASID + 1 : ASID, 0, 0));
}

static void e1_other_asid_range(struct tb *t, int bad)
{
	e1_unmap(t);
	flush(t, NW_TLBI_RVALE1IS,
	      by_range(0, 0, 0) | (uint64_t)(bad ? 0 : ASID) << 48);
}

static void e1_other_asid_all(struct tb *t, int bad)
{
	e1_unmap(t);
	flush(t, NW_TLBI_ASIDE1IS, (uint64_t)(bad ? ASID ^ 0x100 : ASID) << 48);
}

/* Any ASID serves a global page; the walk cache above a table has its own. */
static void e1_global(struct tb *t, int bad)
{
	e1_unmap_kernel(t);
	flush(t, NW_TLBI_VALE1IS,
	      e1_operand(ASID + 1, (bad ? 5 : 4) * PAGE, 3));
}

static void e1_global_by_asid(struct tb *t, int bad)
{
	e1_unmap_kernel(t);
	flush(t, bad ? NW_TLBI_ASIDE1IS : NW_TLBI_VMALLE1IS,
	      (uint64_t)ASID << 48);
}

/* A whole subtree with global pages in it. */
static void e1_global_below(struct tb *t, int bad)
{
	e1_mapped(t);
	set(t, ETAB1, 0, TABLE(ETAB0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_ASIDE1IS, (uint64_t)ASID << 48, 0);
	CHOOSE(bad, tlbi(t, NW_TLBI_RVAAE1IS, by_range(4 * PAGE, 0, 1), 0),
	       tlbi(t, NW_TLBI_RVAAE1IS, by_range(8 * PAGE, 0, 1), 0));
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void e1_table_other_asid(struct tb *t, int bad)
{
	e1_drop_table(t);
	flush(t, NW_TLBI_VAE1IS, e1_operand(bad ? ASID + 1 : ASID, 8 * MIB, 0));
}

static void e1_shared(struct tb *t)
{
	e1_mapped(t);
	on_cpu(t, 1);
	ev(t, NW_EV_ROOT_SWITCH, EROOT, ASID, NW_REGIME_EL10);
	on_cpu(t, 0);
	ev(t, NW_EV_ROOT_SWITCH, EROOT, ASID, NW_REGIME_EL10);
	set(t, ETAB0, 0, E1_USER(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

static void e1_local(struct tb *t, int bad)
{
	e1_shared(t);
	flush(t, bad ? NW_TLBI_VAE1 : NW_TLBI_VAE1IS, e1_operand(ASID, 0, 0));
}

static void e1_local_leaf(struct tb *t, int bad)
{
	e1_shared(t);
	flush(t, bad ? NW_TLBI_VALE1 : NW_TLBI_VAALE1IS,
	      e1_operand(ASID, 0, 3));
}

static void e1_local_asid(struct tb *t, int bad)
{
	e1_shared(t);
	flush(t, bad ? NW_TLBI_ASIDE1 : NW_TLBI_ASIDE1IS, (uint64_t)ASID << 48);
}

static void e1_local_all(struct tb *t, int bad)
{
	e1_shared(t);
	flush(t, bad ? NW_TLBI_VMALLE1 : NW_TLBI_VMALLE1IS, 0);
}

static void e1_local_every_vmid(struct tb *t, int bad)
{
	e1_shared(t);
	flush(t, bad ? NW_TLBI_ALLE1 : NW_TLBI_ALLE1IS, 0);
}

static void e1_local_both_stages(struct tb *t, int bad)
{
	e1_shared(t);
	flush(t, bad ? NW_TLBI_VMALLS12E1 : NW_TLBI_VMALLS12E1IS, 0);
}

static void e1_last_level(struct tb *t, int bad)
{
	e1_drop_table(t);
	flush(t, bad ? NW_TLBI_VALE1IS : NW_TLBI_VAE1IS,
	      e1_operand(ASID, 8 * MIB, 0));
}

static void e1_last_level_any(struct tb *t, int bad)
{
	e1_drop_table(t);
	flush(t, bad ? NW_TLBI_VAALE1IS : NW_TLBI_VAAE1IS,
	      e1_operand(0, 8 * MIB, 0));
}

static void e1_last_level_range(struct tb *t, int bad)
{
	e1_drop_table(t);
	flush(t, bad ? NW_TLBI_RVAALE1IS : NW_TLBI_RVAE1IS,
	      by_range(8 * MIB, 0, 1) | (uint64_t)ASID << 48);
}

/* Last level serves a block, whatever its level. */
static void e1_block_hint(struct tb *t, int bad)
{
	e1_mapped(t);
	set(t, ETAB1, 1, E1_BLOCK(RAM + 2 * MIB), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	flush(t, NW_TLBI_VALE1IS,
	      e1_operand(ASID, 2 * MIB + 7 * PAGE, bad ? 3 : 2));
}

/* Narrowing owes nothing where the access flag was clear all the time. */
static void e1_narrowed(struct tb *t, int bad)
{
	unsigned i = bad ? 2 : 3;
	uint64_t old = E1_USER(RAM + i * PAGE) & ~(bad ? 0 : D_AF);

	e1_mapped(t);
	set(t, ETAB0, i, old, old | E1_RO);
}

static void e1_no_el0(struct tb *t, int bad)
{
	e1_mapped(t);
	set(t, ETAB0, 0, E1_USER(RAM),
	    bad ? E1_USER(RAM) & ~E1_EL0 : E1_USER(RAM) & ~E1_UXN);
}

static void e1_not_global(struct tb *t, int bad)
{
	uint64_t old = E1_KERNEL(RAM + 4 * PAGE);

	e1_mapped(t);
	set(t, ETAB0, 4, old, bad ? old | E1_NG : old & ~D_SOFT);
}

/* EL1 may not execute what EL0 may write. */
static void e1_no_exec(struct tb *t, int bad)
{
	uint64_t old = E1_KERNEL(RAM + 4 * PAGE) & ~E1_PXN;

	e1_mapped(t);
	set(t, ETAB0, 4, E1_KERNEL(RAM + 4 * PAGE), old);
	set(t, ETAB0, 4, old, old | E1_EL0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	CHOOSE(bad, tlbi(t, NW_TLBI_VAALE1IS, by_address(4 * PAGE, 3), 0),
	       (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void in_place(struct tb *t, uint64_t change)
{
	e1_mapped(t);
	set(t, ETAB0, 0, E1_USER(RAM), E1_USER(RAM) ^ change);
}

static void e1_address(struct tb *t, int bad)
{
	in_place(t, bad ? 4 * PAGE : E1_UXN);
}

static void e1_non_secure(struct tb *t, int bad)
{
	in_place(t, bad ? E1_NS : E1_UXN);
}

static void e1_memory_type(struct tb *t, int bad)
{
	in_place(t, bad ? BIT(2) : E1_UXN);
}

static void e1_share(struct tb *t, int bad)
{
	in_place(t, bad ? D_SH_INNER ^ D_SH_OUTER : E1_UXN);
}

static void e1_made_global(struct tb *t, int bad)
{
	in_place(t, bad ? E1_NG : E1_UXN);
}

static void e1_too_early(struct tb *t, int bad)
{
	e1_unmap(t);
	tlbi(t, NW_TLBI_VAE1IS, e1_operand(ASID, 0, 3), 0);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	set(t, ETAB0, 0, 0, E1_USER(RAM + 9 * PAGE));
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void e1_guarded(struct tb *t, int bad)
{
	in_place(t, bad ? E1_GP : E1_UXN);
}

static void e1_16k_range(struct tb *t, int bad)
{
	arm64_two_levels(t, &el10_16k, 2, E1_USER(RAM));
	set(t, BIG_TAB, 2, E1_USER(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	flush(t, NW_TLBI_RVAE1IS,
	      (uint64_t)ASID << 48 | TG(14) | (uint64_t)(bad ? 0 : 1) << 39);
}

static void e1_early_free(struct tb *t, int bad)
{
	e1_drop_table(t);
	tlbi(t, NW_TLBI_VAE1IS, e1_operand(ASID, 8 * MIB, 0), 0);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	page_free(t, TAB_NEW, 1);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* ---- last level, EL2 and stage 2 ---------------------------------------- */

static void el2_last_level_range(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	arm64_page(t, &el10, TAB_NEW);
	link_(t, ETAB1, 4, 0, TABLE(TAB_NEW));
	set(t, ETAB1, 4, TABLE(TAB_NEW), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	flush(t, bad ? NW_TLBI_RVALE2IS : NW_TLBI_RVAE2IS,
	      by_range(8 * MIB, 0, 0));
}

static void s2_last_level(struct tb *t, enum nw_tlbi op, uint64_t operand)
{
	s2_mapped(t, 0);
	arm64_page(t, &el10, TAB_NEW);
	link_(t, TAB1, 4, 0, TABLE(TAB_NEW));
	set(t, TAB1, 4, TABLE(TAB_NEW), 0);
	set(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, op, operand, VMID);
	/* The block is a leaf: last level is enough. */
	tlbi(t, NW_TLBI_IPAS2LE1IS, by_address(2 * MIB, 2), VMID);
	arm64_stage2_rest(t);
}

static void s2_last_level_ipa(struct tb *t, int bad)
{
	s2_last_level(t, bad ? NW_TLBI_IPAS2LE1IS : NW_TLBI_IPAS2E1IS,
		      by_address(8 * MIB, 0));
}

static void s2_last_level_range(struct tb *t, int bad)
{
	s2_last_level(t, bad ? NW_TLBI_RIPAS2LE1IS : NW_TLBI_RIPAS2E1IS,
		      by_range(8 * MIB, 0, 0));
}

const struct pair pairs_arm64[] = {
	{"TLB-02", "EL1: no invalidation", e1_never},
	{"TLB-02", "EL1: ASID 0 beside EL2, EL2 invalidated", e1_other_regime},
	{"TLB-02", "EL1: another address of a global page", e1_global},
	{"TLB-02", "EL1: narrowed, access flag set", e1_narrowed},
	{"TLB-02", "EL1: taken from EL0", e1_no_el0},
	{"TLB-02", "EL1: taken from the other ASIDs", e1_not_global},
	{"TLB-02", "EL1: execution lost to EL0's write", e1_no_exec},
	{"TLB-03", "EL1: local", e1_local},
	{"TLB-03", "EL1: local, leaf", e1_local_leaf},
	{"TLB-03", "EL1: local, the whole ASID", e1_local_asid},
	{"TLB-03", "EL1: local, every ASID", e1_local_all},
	{"TLB-03", "EL1: local, every VMID", e1_local_every_vmid},
	{"TLB-03", "EL1: local, both stages", e1_local_both_stages},
	{"TLB-04", "EL1: another ASID", e1_other_asid},
	{"TLB-04", "EL1: another ASID, by range", e1_other_asid_range},
	{"TLB-04", "EL1: another whole ASID", e1_other_asid_all},
	{"TLB-18", "EL1: global page, by ASID", e1_global_by_asid},
	{"TLB-18", "EL1: global pages of a table, by ASID", e1_global_below},
	{"TLB-04", "EL1: table, another ASID", e1_table_other_asid},
	{"TLB-05", "EL1: hint for a block", e1_block_hint},
	{"TLB-06", "EL1: last level", e1_last_level},
	{"TLB-06", "EL1: last level, any ASID", e1_last_level_any},
	{"TLB-06", "EL1: last level, by range", e1_last_level_range},
	{"BBM-01", "EL1: address in place", e1_address},
	{"BBM-01", "EL1: NS in place", e1_non_secure},
	{"BBM-02", "EL1: memory type in place", e1_memory_type},
	{"BBM-03", "EL1: shareability in place", e1_share},
	{"BBM-07", "EL1: final DSB missing", e1_too_early},
	{"BBM-09", "EL1: made global in place", e1_made_global},
	{"ENTRY-05", "EL1: guarded without FEAT_BTI", e1_guarded},
	{"LIFE-03", "EL1: table freed too early", e1_early_free},
	{"TLB-02", "16 KiB: range a granule short", e1_16k_range},
	{"TLB-06", "EL2: last level, by range", el2_last_level_range},
	{"TLB-06", "stage 2: last level", s2_last_level_ipa},
	{"TLB-06", "stage 2: last level, by range", s2_last_level_range},
};

const unsigned pairs_arm64_count = sizeof(pairs_arm64) / sizeof(pairs_arm64[0]);
