// SPDX-License-Identifier: BSD-2-Clause
#include "cpu.h"

#include <nestwalk/arm64.h>

#define REGISTER_SET(name, value)                                              \
	__asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(value))           \
			 : "memor"                                             \
			   "y")

#define HCR_VM	      (UINT64_C(1) << 0)
#define HCR_DC	      (UINT64_C(1) << 12)
#define HCR_RW	      (UINT64_C(1) << 31)
#define HCR_E2H	      (UINT64_C(1) << 34)
#define HCR_FWB	      (UINT64_C(1) << 46)
#define SCTLR_EL1_OFF UINT64_C(0x30d00800)
#define SCTLR_EL2_OFF UINT64_C(0x30c50830)
#define SCTLR_M	      UINT64_C(1)
#define VMID	      UINT64_C(5)

const struct access cpu_access[AT_COUNT] = {
	[AT_S12E1R] = {.name = "S12E1R"},
	[AT_S12E1W] = {.name = "S12E1W", .is_write = 1},
	[AT_S12E0R] = {.name = "S12E0R", .is_user = 1},
	[AT_S12E0W] = {.name = "S12E0W", .is_user = 1, .is_write = 1},
	[AT_S1E2R] = {.name = "S1E2R"},
	[AT_S1E2W] = {.name = "S1E2W", .is_write = 1},
	[AT_S1E1R] = {.name = "S1E1R"},
	[AT_S1E1W] = {.name = "S1E1W", .is_write = 1},
	[AT_S1E0R] = {.name = "S1E0R", .is_user = 1},
	[AT_S1E0W] = {.name = "S1E0W", .is_user = 1, .is_write = 1},
	[AT_S1E1RP] = {.name = "S1E1RP", .is_pan = 1},
	[AT_S1E1WP] = {.name = "S1E1WP", .is_pan = 1, .is_write = 1},
};

#define BIT(at) (1u << (at))

unsigned cpu_questions(const struct cpu_facts *facts, enum regime regime)
{
	switch (regime) {
	case REGIME_S2:
		return BIT(AT_S12E1R) | BIT(AT_S12E1W) | BIT(AT_S12E0R) |
		       BIT(AT_S12E0W);
	case REGIME_EL2:
	case REGIME_EL2_HOST:
		return BIT(AT_S1E2R) | BIT(AT_S1E2W);
	default:
		return BIT(AT_S1E1R) | BIT(AT_S1E1W) | BIT(AT_S1E0R) |
		       BIT(AT_S1E0W) |
		       (facts->has_pan2 ? BIT(AT_S1E1RP) | BIT(AT_S1E1WP) : 0);
	}
}

/* ---- registers ------------------------------------------------------------
 */

/* Stage 1 is off; HCR_EL2.DC makes it normal write-back, so that the memory
 * type in PAR_EL1 is stage 2's. */
static void regime_s2(const struct nw_geometry *geo, nw_pa_t root,
		      uint64_t flip)
{
	uint64_t hcr = HCR_RW | HCR_VM | HCR_DC;

	if (geo->features & NW_FEAT_FWB)
		hcr |= HCR_FWB;
	REGISTER_SET("sctlr_el1", SCTLR_EL1_OFF);
	REGISTER_SET("vtcr_el2", nw_arm64_vtcr_el2(geo) ^ flip);
	REGISTER_SET("vttbr_el2", nw_arm64_ttbr(root) | VMID << 48);
	REGISTER_SET("hcr_el2", hcr);
}

static void regime_el2(const struct nw_geometry *geo, nw_pa_t root,
		       uint64_t flip)
{
	REGISTER_SET("hcr_el2", HCR_RW);
	REGISTER_SET("mair_el2", NW_ARM64_MAIR_EL2);
	REGISTER_SET("tcr_el2", nw_arm64_tcr_el2(geo) ^ flip);
	REGISTER_SET("ttbr0_el2", nw_arm64_ttbr(root));
	REGISTER_SET("sctlr_el2", SCTLR_EL2_OFF | SCTLR_M);
}

/* With E2H set TCR_EL2 has the fields of TCR_EL1. */
static void regime_el2_host(const struct nw_geometry *geo, nw_pa_t root,
			    uint64_t flip)
{
	REGISTER_SET("hcr_el2", HCR_RW | HCR_E2H);
	__asm__ volatile("isb" ::: "memory");
	REGISTER_SET("mair_el2", NW_ARM64_MAIR_EL1);
	REGISTER_SET("tcr_el2", nw_arm64_tcr_el1(geo, NULL) ^ flip);
	REGISTER_SET("ttbr0_el2", nw_arm64_ttbr(root));
	REGISTER_SET("sctlr_el2", SCTLR_EL2_OFF | SCTLR_M);
}

static void regime_el1(const struct nw_geometry *geo, enum regime regime,
		       nw_pa_t root, uint64_t flip)
{
	const struct nw_geometry *lower =
		regime == REGIME_EL1_UPPER ? NULL : geo;
	const struct nw_geometry *upper =
		regime == REGIME_EL1_LOWER ? NULL : geo;

	REGISTER_SET("hcr_el2", HCR_RW);
	REGISTER_SET("mair_el1", NW_ARM64_MAIR_EL1);
	REGISTER_SET("tcr_el1", nw_arm64_tcr_el1(lower, upper) ^ flip);
	REGISTER_SET("ttbr0_el1", lower ? nw_arm64_ttbr(root) : 0);
	REGISTER_SET("ttbr1_el1", upper ? nw_arm64_ttbr(root) : 0);
	REGISTER_SET("sctlr_el1", SCTLR_EL1_OFF | SCTLR_M);
}

void cpu_regime(const struct config *config, const struct nw_geometry *geo,
		nw_pa_t root, uint64_t flip)
{
	switch (config->regime) {
	case REGIME_S2:
		regime_s2(geo, root, flip);
		break;
	case REGIME_EL2:
		regime_el2(geo, root, flip);
		break;
	case REGIME_EL2_HOST:
		regime_el2_host(geo, root, flip);
		break;
	default:
		regime_el1(geo, config->regime, root, flip);
		break;
	}
	__asm__ volatile("isb\n\t"
			 "tlbi alle1\n\t"
			 "tlbi alle2\n\t"
			 "dsb nsh\n\t"
			 "isb" ::
				 : "memory");
}

/* ---- questions --------------------------------------------------------------
 */

/* MSR PAN, #1; AT S1E1RP and S1E1WP: not in -march=armv8-a. */
#define PAN_ON	".inst 0xd500419f\n\t"
#define PAN_OFF ".inst 0xd500409f\n\t"

#define ASK(question)                                                          \
	__asm__ volatile(question "isb\n\tmrs %0, par_el1"                     \
			 : "=r"(par)                                           \
			 : "r"(va)                                             \
			 : "memory");                                          \
	return par

uint64_t cpu_ask(enum at at, uint64_t va)
{
	uint64_t par;

	switch (at) {
	case AT_S12E1R:
		ASK("at s12e1r, %1\n\t");
	case AT_S12E1W:
		ASK("at s12e1w, %1\n\t");
	case AT_S12E0R:
		ASK("at s12e0r, %1\n\t");
	case AT_S12E0W:
		ASK("at s12e0w, %1\n\t");
	case AT_S1E2R:
		ASK("at s1e2r, %1\n\t");
	case AT_S1E2W:
		ASK("at s1e2w, %1\n\t");
	case AT_S1E1R:
		ASK("at s1e1r, %1\n\t");
	case AT_S1E1W:
		ASK("at s1e1w, %1\n\t");
	case AT_S1E0R:
		ASK("at s1e0r, %1\n\t");
	case AT_S1E0W:
		ASK("at s1e0w, %1\n\t");
	case AT_S1E1RP:
		ASK(PAN_ON "sys #0, c7, c9, #0, %1\n\t" PAN_OFF);
	case AT_S1E1WP:
		ASK(PAN_ON "sys #0, c7, c9, #1, %1\n\t" PAN_OFF);
	default:
		return 0;
	}
}

#define PAR_F  UINT64_C(1)
#define PAR_S  (UINT64_C(1) << 9)
#define PAR_PA (((UINT64_C(1) << 52) - 1) & ~UINT64_C(0xfff))

/* PAR_EL1.FST: a fault status code as in ESR_ELx. */
static void fault_decode(unsigned fst, struct answer *a)
{
	static const uint8_t by_four[4] = {
		OUTCOME_ADDRESS_SIZE, OUTCOME_TRANSLATION, OUTCOME_ACCESS_FLAG,
		OUTCOME_PERMISSION};

	a->outcome = OUTCOME_OTHER;
	a->level = (int)fst;
	if (fst < 16) {
		a->outcome = by_four[fst >> 2];
		a->level = (int)(fst & 3);
	} else if (fst == 0x29 || fst == 0x2b) {
		a->outcome = fst == 0x29 ? OUTCOME_ADDRESS_SIZE
					 : OUTCOME_TRANSLATION;
		a->level = -1;
	}
}

struct answer cpu_answer(uint64_t par)
{
	struct answer a = {.outcome = OUTCOME_OK};

	if (par & PAR_F) {
		fault_decode((unsigned)(par >> 1) & 0x3f, &a);
		a.is_stage2 = (par & PAR_S) != 0;
		return a;
	}
	a.pa = par & PAR_PA;
	a.attributes = (uint8_t)(par >> 56);
	a.share = (uint8_t)(par >> 7) & 3;
	return a;
}

/* ---- execution --------------------------------------------------------------
 */

#define REGISTER_GET(name)                                                     \
	({                                                                     \
		uint64_t value_;                                               \
		__asm__ volatile("mrs %0, " name : "=r"(value_)::"memory");    \
		value_;                                                        \
	})
#define SPSR_EL0T     UINT64_C(0x3c0)
#define SPSR_EL1H     UINT64_C(0x3c5)
#define EC_INSN_LOWER 0x20u
#define EC_INSN_SAME  0x21u
#define FSC(esr)      ((unsigned)(esr)&0x3f)
#define FSC_EXTERNAL  0x10u

void execute_at(uint64_t va, uint64_t spsr);

static int is_insn_abort(uint64_t esr)
{
	unsigned ec = (unsigned)(esr >> 26) & 0x3f;

	return ec == EC_INSN_LOWER || ec == EC_INSN_SAME;
}

void cpu_execute_upper(const struct nw_geometry *geo, nw_pa_t root)
{
	REGISTER_SET("tcr_el1", nw_arm64_tcr_el1(geo, geo));
	REGISTER_SET("ttbr1_el1", nw_arm64_ttbr(root));
	REGISTER_SET("vbar_el1", ~UINT64_C(0) << geo->ia_bits);
	__asm__ volatile("isb\n\ttlbi alle1\n\tdsb nsh\n\tisb" ::: "memory");
}

/*
 * A fault of stage 2 goes to EL2, whose vectors call us. Nothing answers: an
 * external abort, which goes to EL1; at stage 2 the vectors of that fault in
 * their turn, beyond the input range, and come to EL2 after all.
 */
struct answer cpu_execute(const struct config *config, int is_user, uint64_t va)
{
	struct answer a = {.outcome = OUTCOME_OTHER};
	uint64_t esr, far;

	if (config_is_s2(config)) {
		REGISTER_SET("vbar_el1", UINT64_C(1) << config->format.ia_bits);
		REGISTER_SET("vbar_el2", (uintptr_t)execute_vectors);
	}
	REGISTER_SET("esr_el1", 0);
	REGISTER_SET("esr_el2", 0);
	execute_at(va, is_user ? SPSR_EL0T : SPSR_EL1H);
	esr = REGISTER_GET("esr_el1");
	far = REGISTER_GET("far_el1");
	if (far == va && is_insn_abort(esr) && FSC(esr) == FSC_EXTERNAL) {
		a.outcome = OUTCOME_OK;
		return a;
	}
	if (config_is_s2(config)) {
		esr = REGISTER_GET("esr_el2");
		far = REGISTER_GET("far_el2");
		a.is_stage2 = 1;
	}
	if (far == va && is_insn_abort(esr))
		fault_decode(FSC(esr), &a);
	return a;
}
