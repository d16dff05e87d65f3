/* SPDX-License-Identifier: BSD-2-Clause */
#include <nestwalk/arm64.h>

#include "cpu.h"
#include "sysreg.h"
#include "tlb.h"
#include "vcpu.h"
#include "vm.h"

/* CPTR_EL2, E2H = 0: RES1 bits; TZ (8) and TSM (12) are RES1 where SVE and SME
 * are absent. TFP and the rest clear: nothing traps. */
#define CPTR_RES1 0x22ffull
#define CPTR_TZ (1ull << 8)
#define CPTR_TSM (1ull << 12)

#define SMCR_FA64 (1ull << 31)
#define VECTOR_LENGTH_MAX 0xfull
#define CNTHCTL_EL1_MAY 3ull /* EL1PCTEN, EL1PCEN */
#define ICC_SRE_ALL 0xfull   /* Enable, DIB, DFB, SRE */
#define MDCR_HPMN_MASK 0x1full

static void allow_vectors(void)
{
	uint64_t pfr0 = sysreg_read("id_aa64pfr0_el1");
	uint64_t pfr1 = sysreg_read("id_aa64pfr1_el1");
	unsigned sve = id_field(pfr0, 32), sme = id_field(pfr1, 24);

	sysreg_write("cptr_el2", CPTR_RES1 | (sve ? 0 : CPTR_TZ) |
					 (sme ? 0 : CPTR_TSM));
	ISB();
	if (sve)
		sysreg_write(SYS_ZCR_EL2, VECTOR_LENGTH_MAX);
	if (sme)
		sysreg_write(SYS_SMCR_EL2, SMCR_FA64 | VECTOR_LENGTH_MAX);
}

/* Counters that the guest may use: all of them, if there is a PMU. */
static void allow_pmu(void)
{
	unsigned version = id_field(sysreg_read("id_aa64dfr0_el1"), 8);
	uint64_t hpmn = 0;

	if (version && version != 0xf)
		hpmn = (sysreg_read("pmcr_el0") >> 11) & MDCR_HPMN_MASK;
	sysreg_write("mdcr_el2", hpmn);
}

static void allow_timer_and_gic(void)
{
	sysreg_write("cnthctl_el2", CNTHCTL_EL1_MAY);
	sysreg_write("cntvoff_el2", 0);
	sysreg_write(SYS_ICC_SRE_EL2, ICC_SRE_ALL);
	ISB();
	sysreg_write(SYS_ICH_HCR_EL2, 0);
}

void vcpu_install_stage2(void)
{
	/* Said before it is so, and in vcpu_leave_stage2() after: this CPU
	 * walks the table no longer than a trace says. */
	NW_TRACE(NW_EV_ROOT_SWITCH, nw_table_root(&vm.table).v, NW_HYP_VMID,
		 NW_REGIME_STAGE2);
	sysreg_write("vtcr_el2", vm.vtcr);
	sysreg_write("vttbr_el2", nw_arm64_ttbr(nw_table_root(&vm.table)) |
					  (uint64_t)NW_HYP_VMID << 48);
	sysreg_write("hcr_el2", vm.hcr);
	ISB();
}

void vcpu_leave_stage2(void)
{
	sysreg_write("vttbr_el2", vm.empty_root);
	ISB();
	NW_TRACE(NW_EV_ROOT_SWITCH, vm.empty_root, 0,
		 NW_REGIME_STAGE2);
}

void vcpu_enter(uint64_t entry, uint64_t x0)
{
	struct cpu *cpu = this_cpu();

	vcpu_install_stage2();
	if (id_field(sysreg_read("id_aa64mmfr1_el1"), 40))
		sysreg_write(SYS_HCRX_EL2, 0);
	allow_vectors();
	allow_pmu();
	allow_timer_and_gic();
	sysreg_write("hstr_el2", 0);
	sysreg_write("vpidr_el2", sysreg_read("midr_el1"));
	sysreg_write("vmpidr_el2", sysreg_read("mpidr_el1"));
	sysreg_write("sctlr_el1", SCTLR_EL1_ENTRY);
	/* Unknown at reset, and this CPU may have run the guest before. */
	nw_el2_invalidate_local_all();
	__asm__ volatile("ic iallu; dsb nsh; isb" ::: "memory");
	__atomic_store_n(&cpu->power, VCPU_ON, __ATOMIC_RELEASE);
	vcpu_eret(entry, x0, SPSR_EL1H | SPSR_DAIF, cpu->stack_top);
}
