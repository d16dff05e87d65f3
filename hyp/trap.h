/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NW_HYP_TRAP_H
#define NW_HYP_TRAP_H

#include <stdint.h>

/* The guest's registers while it is at EL2; vectors.S fills and restores. */
struct guest_regs {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
	uint64_t pad;
};
_Static_assert(sizeof(struct guest_regs) == 272, "vectors.S");

/* From vectors.S: a synchronous exception from EL1 or EL0. */
void guest_trap(struct guest_regs *regs);

/* What the guest takes instead of its access. */
enum injected_abort {
	INJECT_DATA_ABORT,
	INJECT_INSN_ABORT,
};

/*
 * Make the guest take a synchronous external abort at EL1 for its access to
 * `far`, as if the bus had answered so. `esr` is EL2's syndrome of the access.
 */
void inject_external_abort(struct guest_regs *regs, enum injected_abort kind,
			   uint64_t far, uint64_t esr);

/* Make the guest take an undefined-instruction exception at EL1. */
void inject_undefined(struct guest_regs *regs);

#endif
