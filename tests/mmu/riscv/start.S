/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine mode gives everything to HS-mode and goes there. HS-mode's trap
 * entry knows three cases:
 *
 *   from the guest (hstatus.SPV)      back to who called guest_run()
 *   probe_armed, from ourselves       the next instruction, with a record
 *   anything else                     trap_unexpected(), which does not return
 *
 * Manual: RISC-V Instruction Set Manual volume II, "Hypervisor Extension".
 */
#define HSTATUS	   0x600
#define HTVAL	   0x643
#define MENVCFG	   0x30a
#define HENVCFG	   0x60a
#define SPV	   0x80
#define SPVP	   0x100
#define SSTATUS_SPP 0x100
#define ENVCFG_PBMTE_ADUE (3 << 61) /* memory types; hardware sets A and D */

/* struct trap_record (machine.h) */
#define REC_T0	  0
#define REC_T1	  8
#define REC_COUNT 16
#define REC_CAUSE 24
#define REC_STVAL 32
#define REC_HTVAL 40
#define REC_SEPC  48
#define REC_GUEST_A0 56
#define REC_ARMED 64
#define REC_HOST  72	/* ra sp gp tp s0-s11 */

	.section .text.start, "ax"
	.globl _start
_start:
	csrr	t0, mhartid
	bnez	t0, park
	la	t0, 1f
	csrw	mtvec, t0
	li	t0, ENVCFG_PBMTE_ADUE
	csrw	MENVCFG, t0	/* traps to 1 where the register is not there */
	csrw	HENVCFG, t0
	.balign	4
1:	la	t0, machine_trap
	csrw	mtvec, t0
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t1, 0x1f
	csrw	pmpcfg0, t1
	csrw	medeleg, t0
	csrw	mideleg, t0
	csrw	mie, zero
	li	t0, 3 << 11
	csrc	mstatus, t0
	li	t0, 1 << 11	/* MPP = S, MPV = 0 */
	csrs	mstatus, t0
	la	t0, supervisor
	csrw	mepc, t0
	mret

	.balign	4
machine_trap:
	csrr	a0, mcause
	csrr	a1, mepc
	csrr	a2, mtval
	la	sp, stack_top
	call	trap_unexpected
park:	wfi
	j	park

supervisor:
	la	sp, stack_top
	csrw	satp, zero
	csrw	sie, zero
	la	t0, trap_record
	csrw	sscratch, t0
	la	t0, trap_entry
	csrw	stvec, t0
	call	payload_main
	j	park

	.balign	4
trap_entry:
	csrrw	t0, sscratch, t0
	sd	t1, REC_T1(t0)
	csrr	t1, sscratch
	sd	t1, REC_T0(t0)
	csrr	t1, scause
	sd	t1, REC_CAUSE(t0)
	csrr	t1, stval
	sd	t1, REC_STVAL(t0)
	csrr	t1, HTVAL
	sd	t1, REC_HTVAL(t0)
	csrr	t1, sepc
	sd	t1, REC_SEPC(t0)
	ld	t1, REC_COUNT(t0)
	addi	t1, t1, 1
	sd	t1, REC_COUNT(t0)
	csrr	t1, HSTATUS
	andi	t1, t1, SPV
	bnez	t1, trap_of_guest
	ld	t1, REC_ARMED(t0)
	beqz	t1, trap_of_host
	ld	t1, REC_SEPC(t0)
	addi	t1, t1, 4	/* probes are 4 bytes long */
	csrw	sepc, t1
	ld	t1, REC_T1(t0)
	csrw	sscratch, t0
	ld	t0, REC_T0(t0)
	sret

trap_of_host:
	ld	a0, REC_CAUSE(t0)
	ld	a1, REC_SEPC(t0)
	ld	a2, REC_STVAL(t0)
	la	sp, stack_top
	call	trap_unexpected

trap_of_guest:
	sd	a0, REC_GUEST_A0(t0)
	csrw	sscratch, t0
	ld	ra, REC_HOST(t0)
	ld	sp, REC_HOST+8(t0)
	ld	gp, REC_HOST+16(t0)
	ld	tp, REC_HOST+24(t0)
	ld	s0, REC_HOST+32(t0)
	ld	s1, REC_HOST+40(t0)
	ld	s2, REC_HOST+48(t0)
	ld	s3, REC_HOST+56(t0)
	ld	s4, REC_HOST+64(t0)
	ld	s5, REC_HOST+72(t0)
	ld	s6, REC_HOST+80(t0)
	ld	s7, REC_HOST+88(t0)
	ld	s8, REC_HOST+96(t0)
	ld	s9, REC_HOST+104(t0)
	ld	s10, REC_HOST+112(t0)
	ld	s11, REC_HOST+120(t0)
	ret

/* void guest_run(uint64_t pc, int privileged): returns at the next trap */
	.globl	guest_run
guest_run:
	la	t0, trap_record
	sd	ra, REC_HOST(t0)
	sd	sp, REC_HOST+8(t0)
	sd	gp, REC_HOST+16(t0)
	sd	tp, REC_HOST+24(t0)
	sd	s0, REC_HOST+32(t0)
	sd	s1, REC_HOST+40(t0)
	sd	s2, REC_HOST+48(t0)
	sd	s3, REC_HOST+56(t0)
	sd	s4, REC_HOST+64(t0)
	sd	s5, REC_HOST+72(t0)
	sd	s6, REC_HOST+80(t0)
	sd	s7, REC_HOST+88(t0)
	sd	s8, REC_HOST+96(t0)
	sd	s9, REC_HOST+104(t0)
	sd	s10, REC_HOST+112(t0)
	sd	s11, REC_HOST+120(t0)
	csrw	sepc, a0
	li	t0, SPV
	csrs	HSTATUS, t0
	li	t0, SSTATUS_SPP
	csrc	sstatus, t0
	beqz	a1, 1f
	csrs	sstatus, t0
1:	fence.i
	li	a0, 0
	sret
