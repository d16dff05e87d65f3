/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EL2's vectors. A synchronous exception from the guest saves the guest's
 * general registers as struct guest_regs on the stack and calls guest_trap();
 * everything else is a panic (interrupts go straight to EL1, HCR.IMO = 0).
 */
#include "layout.h"

#define REGS_BYTES 272 /* struct guest_regs, trap.h */
#define FRAME_BYTES 304 /* struct hyp_frame, report.h */

	.macro	panic_vector number
	.balign	0x80
	/* We do not come back: SP_EL0, SP_EL1, ELR_EL1 and the guest's
	 * thread registers may go. The stack that failed is not used. */
	msr	tpidr_el1, x0
	msr	tpidr_el0, x1
	mov	x0, #\number
	b	hyp_panic_entry
	.endm

	.section .vectors, "ax"
	.balign	0x800
	.global hyp_vectors
hyp_vectors:
	panic_vector 0
	panic_vector 1
	panic_vector 2
	panic_vector 3
	panic_vector 4
	panic_vector 5
	panic_vector 6
	panic_vector 7

	.balign	0x80
	b	guest_sync
	panic_vector 9
	panic_vector 10
	panic_vector 11

	/* An AArch32 process of the guest faults here. */
	.balign	0x80
	b	guest_sync
	panic_vector 13
	panic_vector 14
	panic_vector 15

	.text
guest_sync:
	sub	sp, sp, #REGS_BYTES
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x0, elr_el2
	stp	x30, x0, [sp, #240]
	mrs	x0, spsr_el2
	str	x0, [sp, #256]
	mov	x0, sp
	bl	guest_trap
	ldr	x0, [sp, #256]
	msr	spsr_el2, x0
	ldp	x30, x0, [sp, #240]
	msr	elr_el2, x0
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #REGS_BYTES
	eret

/* void vcpu_eret(uint64_t entry, uint64_t x0, uint64_t spsr,
 *		  uint64_t stack_top): into the guest, other registers 0. */
	.global vcpu_eret
vcpu_eret:
	msr	elr_el2, x0
	msr	spsr_el2, x2
	mov	sp, x3
	mov	x0, x1
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	mov	x4, xzr
	mov	x5, xzr
	mov	x6, xzr
	mov	x7, xzr
	mov	x8, xzr
	mov	x9, xzr
	mov	x10, xzr
	mov	x11, xzr
	mov	x12, xzr
	mov	x13, xzr
	mov	x14, xzr
	mov	x15, xzr
	mov	x16, xzr
	mov	x17, xzr
	mov	x18, xzr
	mov	x19, xzr
	mov	x20, xzr
	mov	x21, xzr
	mov	x22, xzr
	mov	x23, xzr
	mov	x24, xzr
	mov	x25, xzr
	mov	x26, xzr
	mov	x27, xzr
	mov	x28, xzr
	mov	x29, xzr
	mov	x30, xzr
	eret

/* x0 vector number; the real x0 and x1 are in TPIDR_EL1 and TPIDR_EL0. */
hyp_panic_entry:
	mov	x1, sp
	msr	spsel, #0
	msr	sp_el1, x2		/* scratch, like the thread registers */
	msr	elr_el1, x3
	mrs	x2, mpidr_el1
	and	x2, x2, #0xff
	mov	x3, #NW_HYP_PANIC_STACK_BYTES
	madd	x2, x2, x3, x3
	adrp	x3, panic_stacks
	add	x3, x3, :lo12:panic_stacks
	add	x2, x3, x2
	mov	sp, x2
	sub	sp, sp, #FRAME_BYTES
	mrs	x2, sp_el1
	mrs	x3, elr_el1
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	stp	x30, x1, [sp, #240]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [sp, #256]
	mrs	x2, esr_el2
	mrs	x3, far_el2
	stp	x2, x3, [sp, #272]
	str	x0, [sp, #288]
	mrs	x2, tpidr_el1
	mrs	x3, tpidr_el0
	stp	x2, x3, [sp, #0]
	mov	x0, sp
	b	hyp_exception

	.bss
	.balign	16
panic_stacks:
	.skip	NW_HYP_CPUS_MAX * NW_HYP_PANIC_STACK_BYTES
