/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "cpu.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"

_Static_assert(offsetof(struct cpu, stack_top) == CPU_STACK_TOP,
	       "boot.S loads the stack from here");
_Static_assert(offsetof(struct cpu, el2_root) == CPU_EL2_ROOT,
	       "and its root");
_Static_assert(offsetof(struct cpu, port) == 0, "TPIDR_EL2 points to port");

struct cpu cpus[NW_HYP_CPUS_MAX];

/* Each stack has a page below it that stays unmapped (el2.c). */
struct stack {
	uint8_t guard[NW_HYP_PAGE_BYTES];
	uint8_t bytes[NW_HYP_STACK_BYTES];
};
struct stack hyp_stacks[NW_HYP_CPUS_MAX]
	__attribute__((section(".stacks"), aligned(4096)));

void cpus_init(void)
{
	unsigned i;

	for (i = 0; i < NW_HYP_CPUS_MAX; i++) {
		struct cpu *cpu = &cpus[i];

		cpu->row = mailbox->row[i];
		cpu->port.barriers = &cpu->row[NW_C_dmb_ishst];
		cpu->port.tlbis = &cpu->row[NW_C_ipas2e1is];
		cpu->port.counts = &cpu->row[NW_C_entry_reads];
		cpu->port.id = i;
		nw_el2_cpu_add(&cpu->port);
		cpu->stack_top =
			(uintptr_t)(hyp_stacks[i].bytes + NW_HYP_STACK_BYTES);
	}
}

void cpu_clean_for_boot(const void *start, uint64_t bytes)
{
	uintptr_t line = (uintptr_t)start & ~63ull;

	for (; line < (uintptr_t)start + bytes; line += 16)
		__asm__ volatile("dc civac, %0" ::"r"(line) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

void cpu_wait(void)
{
	struct cpu *cpu = this_cpu();

	/* Whoever frees the guest's table does not wait for sleepers. */
	vcpu_leave_stage2();
	__atomic_store_n(&cpu->is_waiting, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&vm.is_off, __ATOMIC_SEQ_CST))
		__asm__ volatile("wfi" ::: "memory");
	/* ORD-22 orders "no longer waiting" before the look at is_off; pairs
	 * with vm_power_off(), which stores is_off before it counts who waits.
	 * Without it power-off may count this CPU as asleep while it returns
	 * to a guest whose table is being freed. */
	__atomic_store_n(&cpu->is_waiting, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vm.is_off, __ATOMIC_SEQ_CST))
		cpu_park();
	vcpu_install_stage2();
}

void cpus_wait_for_faults(void)
{
	unsigned i;

	nw_quiescent_begin();
	for (i = 0; i < NW_HYP_CPUS_MAX; i++)
		if (&cpus[i] != this_cpu())
			nw_quiescent_wait_for(&cpus[i].handling);
}

void cpu_park(void)
{
	vcpu_leave_stage2();
	__atomic_store_n(&this_cpu()->is_parked, 1, __ATOMIC_RELEASE);
	for (;;)
		__asm__ volatile("wfi");
}
