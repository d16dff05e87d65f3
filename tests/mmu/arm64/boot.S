/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First instructions and the vectors. We run at EL3, below whose registers lie
 * those of every regime that is judged: a table of EL2 then need not map us.
 * MMU and caches stay off.
 */
	.section .head, "ax"
	.global _start
_start:
	msr	daifset, #0xf
	msr	spsel, #1
	adrp	x1, judge_stack_top
	add	sp, x1, :lo12:judge_stack_top
	mrs	x0, currentel
	lsr	x0, x0, #2
	cmp	x0, #3
	b.ne	1f			/* judge_main() refuses */
	adr	x1, vectors
	msr	vbar_el3, x1
	mov	x1, #0x531		/* SCR_EL3: RW, HCE, RES1, NS */
	msr	scr_el3, x1
	msr	cptr_el3, xzr
	tlbi	alle1
	tlbi	alle2
	dsb	nsh
	isb
1:	bl	judge_main
2:	wfi
	b	2b

	.balign 2048
vectors:
	.rept	8			/* our own: a bug */
	mrs	x0, esr_el3
	mrs	x1, elr_el3
	mrs	x2, far_el3
	b	judge_exception
	.balign	128
	.endr
	.rept	8			/* from below: execute_at() is over */
	b	executed
	.balign	128
	.endr

/*
 * void execute_at(uint64_t va, uint64_t spsr): jump there, at a lower level.
 * Comes back with the first SMC, which is what execute_vectors are made of.
 */
	.global execute_at
execute_at:
	adrp	x9, execute_frame
	add	x9, x9, :lo12:execute_frame
	stp	x19, x20, [x9]
	stp	x21, x22, [x9, #16]
	stp	x23, x24, [x9, #32]
	stp	x25, x26, [x9, #48]
	stp	x27, x28, [x9, #64]
	mov	x10, sp
	stp	x29, x30, [x9, #80]
	str	x10, [x9, #96]
	msr	elr_el3, x0
	msr	spsr_el3, x1
	isb
	eret
executed:
	adrp	x9, execute_frame
	add	x9, x9, :lo12:execute_frame
	ldp	x19, x20, [x9]
	ldp	x21, x22, [x9, #16]
	ldp	x23, x24, [x9, #32]
	ldp	x25, x26, [x9, #48]
	ldp	x27, x28, [x9, #64]
	ldp	x29, x30, [x9, #80]
	ldr	x10, [x9, #96]
	mov	sp, x10
	ret

/* VBAR_EL1 or VBAR_EL2: alone in a page of every granule. */
	.section .execute, "ax"
	.balign 65536
	.global execute_vectors
execute_vectors:
	.rept	16
	smc	#0
	.balign	128
	.endr
	.balign 65536

	.section .bss.frame, "aw", %nobits
	.balign	16
execute_frame:
	.skip	112

	.section .bss.stack, "aw", %nobits
	.balign	16
	.skip	0x8000
judge_stack_top:
