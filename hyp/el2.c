/* SPDX-License-Identifier: BSD-2-Clause */
#include <nestwalk/arm64.h>

#include "cpu.h"
#include "el2.h"
#include "heap.h"
#include "recorder.h"
#include "report.h"
#include "sysreg.h"
#include "tlb.h"

extern char hyp_text_start[], hyp_text_end[], hyp_rodata_end[];
extern char hyp_data_end[], hyp_image_end[], hyp_stacks[];

void el2_mmu_enter(uint64_t mair, uint64_t tcr, uint64_t ttbr0,
		   uint64_t sctlr);

/* What boot.S loads on secondary CPUs, in this order. */
struct {
	uint64_t mair, tcr, sctlr;
} boot_mmu __attribute__((aligned(64)));

/* [0] is the one that is shared; with private roots, CPU n has [n]. */
static struct nw_table tables[NW_HYP_CPUS_MAX];
static uint32_t has_private_roots;
static struct heap_user user;
static uint32_t mmu_is_on;

static const struct nw_port_ops port_ops = {
	.alloc_pages = heap_alloc_pages,
	.free_pages = heap_free_pages,
	.invalidate = nw_el2_invalidate,
	.invalidate_local = nw_el2_invalidate_local,
	.virt_minus_phys = 0,
};

static const struct nw_attrs attrs_text = {
	.prot = NW_PROT_R | NW_PROT_PX,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};
static const struct nw_attrs attrs_rodata = {
	.prot = NW_PROT_R,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};
static const struct nw_attrs attrs_data = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};
static const struct nw_attrs attrs_device = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_DEVICE_nGnRE,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

int el2_mmu_is_on(void)
{
	return (int)mmu_is_on;
}

struct nw_table *el2_table(unsigned cpu)
{
	return &tables[has_private_roots ? cpu : 0];
}

static void map_own(struct nw_table *t, uint64_t start, uint64_t end,
		    const struct nw_attrs *attrs)
{
	enum nw_status status = nw_map(t, NW_IA(start), end - start,
				       NW_PA(start), attrs, NW_LEVEL_ANY, NULL,
				       NULL);

	if (status != NW_OK)
		panic("EL2 table: 0x%lx to 0x%lx: %s: %s", start, end,
		      nw_status_name(status), nw_status_advice(status));
}

static void map_stacks(struct nw_table *t)
{
	uint64_t at = (uintptr_t)hyp_stacks;
	unsigned i;

	for (i = 0; i < NW_HYP_CPUS_MAX; i++) {
		at += NW_HYP_PAGE_BYTES; /* the guard */
		map_own(t, at, at + NW_HYP_STACK_BYTES, &attrs_data);
		at += NW_HYP_STACK_BYTES;
	}
}

static void build(struct nw_table *t, unsigned pa_bits)
{
	struct nw_table_config config = {
		.ops = &nw_arm64_el2_ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = NW_HYP_VA_BITS,
			   .oa_bits = (uint8_t)pa_bits},
		.port = &port_ops,
		.port_ctx = &user,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_EL2,
	};
	struct nw_result result;
	enum nw_status status = nw_table_init(t, &config, &result);

	if (status != NW_OK)
		panic("EL2 table: %s (%s)", nw_status_name(status),
		      result.argument ? result.argument : "no argument");
	map_own(t, (uintptr_t)hyp_text_start, (uintptr_t)hyp_text_end,
		&attrs_text);
	map_own(t, (uintptr_t)hyp_text_end, (uintptr_t)hyp_rodata_end,
		&attrs_rodata);
	map_own(t, (uintptr_t)hyp_rodata_end, (uintptr_t)hyp_data_end,
		&attrs_data);
	map_stacks(t);
	map_own(t, NW_HYP_MAILBOX_PA, NW_HYP_MAILBOX_PA + NW_HYP_MAILBOX_BYTES,
		&attrs_data);
	map_own(t, NW_HYP_HEAP_PA, NW_HYP_SPARE_PA, &attrs_data);
	map_own(t, NW_HYP_UART_PA, NW_HYP_UART_PA + NW_HYP_PAGE_BYTES,
		&attrs_device);
}

/* What was written with the caches off is in memory; a line of it that a
 * cache may hold is older and must not be read from now on. */
static void forget_cached(uint64_t start, uint64_t end)
{
	for (; start < end; start += 16)
		__asm__ volatile("dc ivac, %0" ::"r"(start) : "memory");
}

void el2_init(unsigned pa_bits)
{
	struct nw_table_stats stats;
	uint64_t start, end;
	unsigned i;

	heap_init();
	build(&tables[0], pa_bits);
	boot_mmu.mair = NW_ARM64_MAIR_EL2;
	boot_mmu.tcr = nw_arm64_tcr_el2(&tables[0].geo);
	boot_mmu.sctlr = SCTLR_EL2_RES1 | SCTLR_M | SCTLR_C | SCTLR_SA |
			 SCTLR_I | SCTLR_WXN;
	stats = nw_table_stats(&tables[0]);
	forget_cached((uintptr_t)hyp_rodata_end, (uintptr_t)hyp_image_end);
	forget_cached(NW_HYP_MAILBOX_PA,
		      NW_HYP_MAILBOX_PA + sizeof(struct nw_mailbox));
	forget_cached(NW_HYP_HEAP_PA,
		      NW_HYP_HEAP_PA +
			      (stats.pages_peak + 1) * NW_HYP_PAGE_BYTES);
	recorder_written(&start, &end);
	forget_cached(start, end);
	DSB("sy");
	for (i = 0; i < NW_HYP_CPUS_MAX; i++)
		cpus[i].el2_root = nw_table_root(&tables[0]).v;
	el2_mmu_enter(boot_mmu.mair, boot_mmu.tcr, cpus[0].el2_root,
		      boot_mmu.sctlr);
	mmu_is_on = 1;
	recorder_share();
	NW_TRACE(NW_EV_ROOT_SWITCH, cpus[0].el2_root, 0, NW_REGIME_EL2);
	cpu_clean_for_boot(&boot_mmu, sizeof(boot_mmu));
	mailbox_gauge(NW_C_el2_tables_live, stats.pages_live);
}

void el2_make_private_roots(unsigned pa_bits)
{
	unsigned i;

	for (i = 1; i < NW_HYP_CPUS_MAX; i++) {
		build(&tables[i], pa_bits);
		cpus[i].el2_root = nw_table_root(&tables[i]).v;
	}
	has_private_roots = 1;
	mailbox_gauge(NW_C_el2_tables_live, user.allocated - user.freed);
}

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1);
}

const void *el2_map_boot(uint64_t pa, uint64_t bytes)
{
	map_own(&tables[0], page_down(pa),
		page_down(pa + bytes + NW_HYP_PAGE_BYTES - 1), &attrs_rodata);
	return (const void *)(uintptr_t)pa;
}

void el2_unmap_boot(uint64_t pa, uint64_t bytes)
{
	uint64_t start = page_down(pa);
	uint64_t end = page_down(pa + bytes + NW_HYP_PAGE_BYTES - 1);

	if (nw_unmap(&tables[0], NW_IA(start), end - start, NULL, NULL) != NW_OK)
		panic_at(&tables[0], start, "EL2 table: boot mapping stays");
}
