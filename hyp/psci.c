/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's calls are answered here or handed on. CPU_ON is taken over: the
 * guest's entry is kept in the CPU's record and the firmware is given ours.
 */
#include "cpu.h"
#include "psci.h"
#include "report.h"
#include "vcpu.h"
#include "vm.h"

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON_32 0x84000003u
#define PSCI_CPU_ON_64 0xc4000003u
#define PSCI_AFFINITY_INFO_32 0x84000004u
#define PSCI_AFFINITY_INFO_64 0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2_32 0x84000012u
#define PSCI_SYSTEM_RESET2_64 0xc4000012u

#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)

void hyp_secondary_entry(void);

static uint32_t conduit_is_hvc;

static int64_t firmware(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	/* SMCCC 1.0 lets the callee change x4 to x17. */
#define CLOBBERS                                                               \
	"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", \
		"x15", "x16", "x17", "memory"
	if (conduit_is_hvc)
		__asm__ volatile("hvc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
				 :
				 : CLOBBERS);
	else
		__asm__ volatile("smc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
				 :
				 : CLOBBERS);
#undef CLOBBERS
	return (int64_t)x0;
}

void psci_use_hvc(void)
{
	conduit_is_hvc = 1;
}

void psci_system_off(void)
{
	firmware(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}

int64_t psci_start_cpu(struct cpu *cpu)
{
	cpu_clean_for_boot(cpu, sizeof(*cpu));
	return firmware(PSCI_CPU_ON_64, cpu->port.id,
			(uintptr_t)hyp_secondary_entry, (uintptr_t)cpu);
}

/* The record of the guest CPU with this affinity, or NULL. */
static struct cpu *guest_cpu(uint64_t affinity)
{
	if (affinity >= NW_HYP_CPUS_MAX || !cpus[affinity].is_guest)
		return NULL;
	return &cpus[affinity];
}

static int64_t cpu_on(uint64_t affinity, uint64_t entry, uint64_t context)
{
	struct cpu *cpu = guest_cpu(affinity);
	uint32_t off = VCPU_OFF;
	int64_t answer;

	if (!cpu)
		return PSCI_INVALID_PARAMETERS;
	if (!__atomic_compare_exchange_n(&cpu->power, &off, VCPU_ON_PENDING, 0,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return off == VCPU_ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
	cpu->entry = entry;
	cpu->context = context;
	answer = psci_start_cpu(cpu);
	if (answer)
		__atomic_store_n(&cpu->power, VCPU_OFF, __ATOMIC_RELEASE);
	return answer;
}

static int64_t cpu_off(void)
{
	struct cpu *cpu = this_cpu();
	int64_t answer;

	vcpu_leave_stage2();
	__atomic_store_n(&cpu->power, VCPU_OFF, __ATOMIC_RELEASE);
	answer = firmware(PSCI_CPU_OFF, 0, 0, 0);
	/* It returns only to refuse. */
	vcpu_install_stage2();
	__atomic_store_n(&cpu->power, VCPU_ON, __ATOMIC_RELEASE);
	return answer;
}

/* Functions that guest_call() knows. */
static int is_offered(uint32_t function)
{
	switch (function) {
	case PSCI_VERSION:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_64:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
		return 1;
	default:
		return 0;
	}
}

static int64_t guest_call(const uint64_t *x)
{
	uint32_t function = (uint32_t)x[0];

	switch (function) {
	case PSCI_CPU_ON_32:
		return cpu_on((uint32_t)x[1], (uint32_t)x[2], (uint32_t)x[3]);
	case PSCI_CPU_ON_64:
		return cpu_on(x[1], x[2], x[3]);
	case PSCI_CPU_OFF:
		return cpu_off();
	case PSCI_SYSTEM_OFF:
		vm_power_off(NW_MAILBOX_GUEST_OFF);
	case PSCI_SYSTEM_RESET:
		vm_power_off(NW_MAILBOX_GUEST_RESET);
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
		if (!guest_cpu(x[1]))
			return PSCI_INVALID_PARAMETERS;
		break;
	case PSCI_FEATURES:
		return is_offered((uint32_t)x[1]) ? 0 : PSCI_NOT_SUPPORTED;
	default:
		if (!is_offered(function))
			return PSCI_NOT_SUPPORTED;
		break;
	}
	return firmware(function, x[1], x[2], x[3]);
}

void psci_guest_call(struct guest_regs *regs)
{
	count(NW_C_smcs);
	regs->x[0] = (uint64_t)guest_call(regs->x);
}
