/* SPDX-License-Identifier: BSD-2-Clause */
/* Power State Coordination Interface (Arm DEN 0022), both sides of it. */
#ifndef NW_HYP_PSCI_H
#define NW_HYP_PSCI_H

#include <stdint.h>

#include "trap.h"

struct cpu;

/* The firmware is called by HVC where we did not get EL2. */
void psci_use_hvc(void);

__attribute__((noreturn)) void psci_system_off(void);

/* Start a CPU at hyp_secondary_entry with its record. 0, or PSCI's error. */
int64_t psci_start_cpu(struct cpu *cpu);

/* The guest's SMC, ELR already past it. */
void psci_guest_call(struct guest_regs *regs);

#endif
