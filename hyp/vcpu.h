/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NW_HYP_VCPU_H
#define NW_HYP_VCPU_H

#include <stdint.h>

/*
 * Give this CPU the guest's EL2 configuration, drop what its TLBs hold, and
 * enter the guest at `entry` with x0, EL1 as after reset.
 */
__attribute__((noreturn)) void vcpu_enter(uint64_t entry, uint64_t x0);

/* Install the guest's stage 2 on this CPU. One that changes the table
 * needs it: an invalidation by IPA acts on the VMID that is installed. */
void vcpu_install_stage2(void);

/* Install a root of VMID 0 that maps nothing: this CPU, which does not go back
 * to the guest before vcpu_install_stage2(), walks the guest's table no more,
 * not even speculatively. */
void vcpu_leave_stage2(void);

/* vectors.S: ERET with all other general registers zero. */
__attribute__((noreturn)) void vcpu_eret(uint64_t entry, uint64_t x0,
					 uint64_t spsr,
					 uint64_t stack_top);

#endif
