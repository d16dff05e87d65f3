/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions that the guest takes at EL1 on our behalf: what the hardware does
 * on exception entry (Arm ARM, "Exception entry", and the pseudocode
 * AArch64.TakeException), with EL1's own registers.
 */
#include "cpu.h"
#include "sysreg.h"
#include "trap.h"

#define VECTOR_CURRENT_SP0 0x000u
#define VECTOR_CURRENT_SPX 0x200u
#define VECTOR_LOWER_A64 0x400u
#define VECTOR_LOWER_A32 0x600u

#define FSC_EXTERNAL_ABORT 0x10u
#define FSC_EXTERNAL_ABORT_ON_WALK 0x14u /* plus the arm level */

static int from_el0(uint64_t spsr)
{
	return (spsr & SPSR_AARCH32) || !(spsr & SPSR_EL_MASK);
}

static uint64_t vector_offset(uint64_t spsr)
{
	if (spsr & SPSR_AARCH32)
		return VECTOR_LOWER_A32;
	if (from_el0(spsr))
		return VECTOR_LOWER_A64;
	return spsr & SPSR_SP_ELX ? VECTOR_CURRENT_SPX : VECTOR_CURRENT_SP0;
}

static uint64_t entry_pstate(uint64_t spsr)
{
	uint64_t sctlr = sysreg_read("sctlr_el1");
	uint64_t pstate = SPSR_EL1H | SPSR_DAIF;

	pstate |= spsr & SPSR_NZCV;
	/* Fields of features that are absent are zero in SPSR as well. */
	pstate |= spsr & (SPSR_PAN | SPSR_DIT);
	if (!(sctlr & SCTLR_SPAN) &&
	    id_field(sysreg_read("id_aa64mmfr1_el1"), 20))
		pstate |= SPSR_PAN;
	if (sctlr & SCTLR_DSSBS)
		pstate |= SPSR_SSBS;
	return pstate;
}

static void enter_el1(struct guest_regs *regs, uint64_t esr)
{
	uint64_t spsr = regs->spsr;

	sysreg_write("elr_el1", regs->elr);
	sysreg_write("spsr_el1", spsr);
	sysreg_write("esr_el1", esr);
	regs->elr = sysreg_read("vbar_el1") + vector_offset(spsr);
	regs->spsr = entry_pstate(spsr);
}

void inject_external_abort(struct guest_regs *regs, enum injected_abort kind,
			   uint64_t far, uint64_t esr)
{
	unsigned class = kind == INJECT_DATA_ABORT ? EC_DATA_LOWER :
						     EC_INSN_LOWER;
	uint64_t iss = FSC_EXTERNAL_ABORT;

	if (!from_el0(regs->spsr))
		class++; /* the same class, taken without a change of level */
	if (esr & ESR_S1PTW)
		iss = FSC_EXTERNAL_ABORT_ON_WALK | (esr & 3);
	if (kind == INJECT_DATA_ABORT)
		iss |= esr & (ESR_WNR | ESR_CM);
	sysreg_write("far_el1", far);
	enter_el1(regs, (uint64_t)class << 26 | (esr & ESR_IL) | iss);
}

void inject_undefined(struct guest_regs *regs)
{
	count(NW_C_undefs_injected);
	enter_el1(regs, ESR_IL);
}
