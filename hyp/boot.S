/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First instructions, of the first CPU and of all others. Calls hyp_main() and
 * hyp_secondary() with a stack, TPIDR_EL2 and vectors; MMU off in the first,
 * on in the second.
 */
#include "cpu.h"

	.section .head, "ax"
	.global _start
_start:
	/* arm64 Image header (Linux, Documentation/arm64/booting.rst): QEMU
	 * then passes the DTB in x0 and loads at RAM base + 2 MiB. */
	b	start
	.long	0
	.quad	0			/* text_offset */
	.quad	hyp_image_end - _start	/* image_size */
	.quad	0xa			/* little-endian, 4 KiB pages */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.section .text.boot, "ax"
start:
	msr	daifset, #0xf
	msr	spsel, #1
	mov	x19, x0
	adrp	x1, hyp_bss_start
	add	x1, x1, :lo12:hyp_bss_start
	adrp	x2, hyp_bss_end
	add	x2, x2, :lo12:hyp_bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b
2:	adrp	x1, hyp_stacks + 0x5000	/* guard and stack of CPU 0 */
	add	sp, x1, :lo12:hyp_stacks + 0x5000
	mrs	x1, currentel
	lsr	x1, x1, #2
	cmp	x1, #2
	b.ne	3f			/* hyp_main() refuses */
	bl	el2_registers
	adrp	x2, cpus
	add	x2, x2, :lo12:cpus
	msr	tpidr_el2, x2
3:	mov	x0, x19
	mrs	x1, currentel
	lsr	x1, x1, #2
	bl	hyp_main
4:	wfi
	b	4b

/* EL2 as the rest expects it, with the MMU off; TLBs are unknown at reset
 * (Arm ARM, "Behavior of PEs at reset"). */
el2_registers:
	mov	x3, #0x80000000		/* HCR_EL2.RW, E2H = 0 */
	msr	hcr_el2, x3
	isb
	ldr	x3, =0x30c50830		/* SCTLR_EL2 RES1, MMU off */
	msr	sctlr_el2, x3
	isb
	adrp	x3, hyp_vectors
	add	x3, x3, :lo12:hyp_vectors
	msr	vbar_el2, x3
	tlbi	alle1
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	ret

/*
 * Where CPU_ON sends the others: x0 is their struct cpu. MMU and caches are
 * off: only boot_mmu and the struct cpu are read, both cleaned to
 * memory by the CPU that sent us.
 */
	.global hyp_secondary_entry
hyp_secondary_entry:
	msr	daifset, #0xf
	msr	spsel, #1
	bl	el2_registers
	msr	tpidr_el2, x0
	ldr	x1, [x0, #CPU_STACK_TOP]
	mov	sp, x1
	adrp	x1, boot_mmu
	add	x1, x1, :lo12:boot_mmu
	ldp	x2, x3, [x1]		/* MAIR, TCR */
	ldr	x4, [x0, #CPU_EL2_ROOT]
	ldr	x5, [x1, #16]		/* SCTLR */
	bl	el2_mmu_set
	b	hyp_secondary

/* x2 MAIR, x3 TCR, x4 TTBR0, x5 SCTLR with M set. */
	.global el2_mmu_set
el2_mmu_set:
	msr	mair_el2, x2
	msr	tcr_el2, x3
	msr	ttbr0_el2, x4
	isb
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x5
	isb
	ret

/* void el2_mmu_enter(uint64_t mair, tcr, ttbr0, sctlr): C's way in. */
	.global el2_mmu_enter
el2_mmu_enter:
	mov	x5, x3
	mov	x4, x2
	mov	x3, x1
	mov	x2, x0
	b	el2_mmu_set
