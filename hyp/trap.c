/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From registers to meaning: the syndrome becomes a struct guest_fault or a
 * call, and nothing behind this file thinks in registers. Arm ARM, "ESR_EL2",
 * "HPFAR_EL2", "FAR_EL2".
 */
#include "cpu.h"
#include "fault.h"
#include "psci.h"
#include "report.h"
#include "sysreg.h"
#include "trap.h"

#define SMCCC_NOT_SUPPORTED UINT64_MAX

#define PAR_F 1ull
#define PAR_PA 0x000ffffffffff000ull

/*
 * The IPA of a permission fault that was no stage-1 walk: HPFAR_EL2 does not
 * hold it. Ask the MMU; the guest's own PAR_EL1 is kept. 0: its stage 1 has
 * changed since.
 */
static int resolve_by_stage1(uint64_t far, uint64_t *ipa)
{
	uint64_t kept = sysreg_read("par_el1");
	uint64_t par;

	__asm__ volatile("at s1e1r, %0; isb" ::"r"(far) : "memory");
	par = sysreg_read("par_el1");
	sysreg_write("par_el1", kept);
	*ipa = par & PAR_PA;
	return !(par & PAR_F);
}

/* Faults at level -1 have codes of their own (Arm ARM, "ESR_EL2", DFSC). */
#define FSC_ADDRESS_SIZE_MINUS_1 0x29
#define FSC_TRANSLATION_MINUS_1 0x2b

static int fault_level(unsigned fsc)
{
	return fsc == FSC_ADDRESS_SIZE_MINUS_1 ||
			       fsc == FSC_TRANSLATION_MINUS_1 ?
		       -1 :
		       (int)(fsc & 3);
}

/* 0: not a fault of stage 2 that a table can be blamed for. */
static int fault_kind(unsigned fsc, enum fault_kind *kind)
{
	if (fault_level(fsc) < 0) {
		*kind = FAULT_TRANSLATION;
		return 1;
	}
	switch (fsc >> 2) {
	case 0: /* address size: beyond the table */
	case 1:
		*kind = FAULT_TRANSLATION;
		return 1;
	case 2:
		*kind = FAULT_ACCESS_FLAG;
		return 1;
	case 3:
		*kind = FAULT_PERMISSION;
		return 1;
	default:
		return 0;
	}
}

static enum fault_access fault_access(uint64_t esr, enum fault_kind kind)
{
	/* A stage-1 walk that lacks a right wanted to write: it updates the
	 * access flag (protocols of dirty logging rely on it). */
	if (esr & ESR_S1PTW)
		return kind == FAULT_PERMISSION ? FAULT_WRITE : FAULT_READ;
	if (ESR_EC(esr) == EC_INSN_LOWER)
		return FAULT_EXEC;
	/* Cache maintenance reports a write and needs none. */
	if ((esr & ESR_WNR) && !(esr & ESR_CM))
		return FAULT_WRITE;
	return FAULT_READ;
}

static void count_retry(uint64_t esr)
{
	count(NW_C_faults);
	count((enum nw_mailbox_counter)(NW_C_level_0 + (esr & 3)));
	count(NW_C_fault_retries);
}

static void guest_abort(struct guest_regs *regs, uint64_t esr)
{
	uint64_t far = sysreg_read("far_el2");
	struct guest_fault fault = {
		.arm_level = (int8_t)fault_level(ESR_FSC(esr)),
		.is_stage1_walk = !!(esr & ESR_S1PTW),
		.has_syndrome = !!(esr & ESR_ISV),
	};
	uint64_t ipa;

	if (!fault_kind(ESR_FSC(esr), &fault.kind))
		panic("guest abort that is no stage-2 fault: esr 0x%lx far "
		      "0x%lx elr 0x%lx", esr, far, regs->elr);
	fault.access = fault_access(esr, fault.kind);
	if (fault.kind == FAULT_PERMISSION && !fault.is_stage1_walk) {
		if (!resolve_by_stage1(far, &ipa)) {
			count_retry(esr);
			return;
		}
	} else {
		ipa = (sysreg_read("hpfar_el2") & 0xffffffffff0ull) << 8;
	}
	fault.ipa = NW_IPA(ipa | (far & 0xfff));
	if (fault_handle(&fault) == FAULT_RESUME)
		return;
	inject_external_abort(regs,
			      ESR_EC(esr) == EC_INSN_LOWER ?
				      INJECT_INSN_ABORT :
				      INJECT_DATA_ABORT,
			      far, esr);
}

/* WFI, or its form with a time-out (FEAT_WFxT), which may end at once. */
static void guest_wait(uint64_t esr)
{
	count(NW_C_wfis);
	if ((esr & ESR_WFX_TI) == ESR_WFX_TI_WFI)
		cpu_wait();
}

void guest_trap(struct guest_regs *regs)
{
	uint64_t esr = sysreg_read("esr_el2");

	count(NW_C_exits);
	switch (ESR_EC(esr)) {
	case EC_DATA_LOWER:
	case EC_INSN_LOWER:
		guest_abort(regs, esr);
		return;
	case EC_WFX:
		regs->elr += 4;
		guest_wait(esr);
		return;
	case EC_SMC64:
		regs->elr += 4; /* a trapped SMC is reported at itself */
		psci_guest_call(regs);
		return;
	case EC_HVC64:
		count(NW_C_hvcs);
		regs->x[0] = SMCCC_NOT_SUPPORTED;
		return;
	default:
		inject_undefined(regs);
		return;
	}
}
