/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader leaves us in 32-bit mode without paging (PVH). From there into
 * long mode, with four or five levels as the parameters say; and the ways to
 * an access that may fault, in ring 0, in ring 3, and in a guest.
 *
 * An access ends in trap_common, by its fault or by the INT 0x80 behind it,
 * which leaves a record and returns to who called access_go().
 *
 * Manual: AMD APM volume 2, "Long-Mode Page Translation", "Secure Virtual
 * Machine".
 */
#define PARAM_LEVELS 0x8000018	/* struct params (machine.h) */
#define CR0_BITS 0x80010033	/* PG WP NE ET MP PE */
#define CR4_PAE	 0x20
#define CR4_PGE	 0x80
#define CR4_LA57 0x1000
#define EFER	 0xc0000080
#define EFER_BITS 0x1900	/* SVME NXE LME */

#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_USER_DATA 0x1b
#define SEL_USER_CODE 0x23
#define SEL_TSS	 0x28

/* struct trap_record (machine.h) */
#define REC_VECTOR 0
#define REC_ERROR  8
#define REC_CR2	   16
#define REC_RIP	   24
#define REC_RAX	   32
#define REC_ARMED  40
#define REC_RSP	   48

	.section .note.pvh, "a", @note
	.long	4, 4, 18	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.balign	4
	.long	_start

	.section .text.start, "ax"
	.code32
	.globl	_start
_start:
	cli
	cld
	mov	$EFER, %ecx
	rdmsr
	or	$EFER_BITS, %eax
	wrmsr
	mov	$own_pml4, %eax
	mov	$(CR4_PAE | CR4_PGE), %edx
	cmpl	$5, PARAM_LEVELS
	jne	1f
	mov	$own_pml5, %eax
	or	$CR4_LA57, %edx
1:	mov	%edx, %cr4
	mov	%eax, %cr3
	mov	$CR0_BITS, %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$SEL_CODE, $long_mode

	.code64
long_mode:
	mov	$SEL_DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	$stack_top, %rsp
	call	payload_main
1:	hlt
	jmp	1b

	.data
	.balign	8
	.globl	gdt
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* code, ring 0 */
	.quad	0x00cf93000000ffff	/* data, ring 0 */
	.quad	0x00cff3000000ffff	/* data, ring 3 */
	.quad	0x00affb000000ffff	/* code, ring 3 */
	.quad	0, 0			/* TSS: machine_start() */
gdt_pointer:
	.word	. - gdt - 1
	.quad	gdt

/* The program's own: each address below 4 GiB is itself. */
	.balign	4096
	.globl	own_pml5, own_pml4, own_pdpt
own_pml5:
	.quad	own_pml4 + 0x27
	.fill	511, 8, 0
own_pml4:
	.quad	own_pdpt + 0x27
	.fill	511, 8, 0
own_pdpt:
	.quad	0x00000000 + 0xe3, 0x40000000 + 0xe3
	.quad	0x80000000 + 0xe3, 0xc0000000 + 0xe3
	.fill	508, 8, 0

/* ---- traps -------------------------------------------------------------- */

	.text
/* 16 bytes each. Vectors 8, 10 to 14, 17 and 21 have an error code. */
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	33
	.balign	16
	.if	(vector == 8 || (vector >= 10 && vector <= 14) || \
		 vector == 17 || vector == 21) == 0
	push	$0
	.endif
	.if	vector == 32
	push	$0x80
	.else
	push	$vector
	.endif
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	mov	%rax, trap_record + REC_RAX
	pop	%rax
	mov	%rax, trap_record + REC_VECTOR
	pop	%rax
	mov	%rax, trap_record + REC_ERROR
	mov	(%rsp), %rax
	mov	%rax, trap_record + REC_RIP
	mov	%cr2, %rax
	mov	%rax, trap_record + REC_CR2
	cmpq	$0, trap_record + REC_ARMED
	je	trap_unexpected
	mov	trap_record + REC_RSP, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	movq	$0, trap_record + REC_ARMED
	ret

/* void access_go(const void *code, uint64_t address, uint64_t value,
 *		  uint64_t user_stack): 0: in ring 0 */
	.globl	access_go
access_go:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, trap_record + REC_RSP
	movq	$1, trap_record + REC_ARMED
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	test	%rcx, %rcx
	jz	1f
	pushq	$SEL_USER_DATA
	push	%rcx
	pushq	$2
	pushq	$SEL_USER_CODE
	push	%rax
	iretq
1:	jmp	*%rax

/* One access at rdi, whose outcome is in rax. */
.macro	ACCESSES name, last:vararg
	.balign	16
	.globl	\name\()_load, \name\()_store, \name\()_fetch
\name\()_load:
	mov	(%rdi), %rax
	\last
\name\()_store:
	mov	%rsi, (%rdi)
	\last
\name\()_fetch:
	call	*%rdi
	\last
.endm
	ACCESSES	kernel, int $0x80

	.section .user, "ax"
	ACCESSES	user, int $0x80

	.text
	.balign	16
	.globl	guest_code, guest_code_end
guest_code:
	ACCESSES	guest, vmmcall
guest_code_end:

/* ---- the guest ---------------------------------------------------------- */

/* void guest_go(uint64_t vmcb, uint64_t rdi, uint64_t rsi) */
	.globl	guest_go
guest_go:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	clgi
	vmrun	%rax
	stgi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
