/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers the hypervisor touches. Names and fields: Arm ARM DDI 0487,
 * "AArch64 System Register Descriptions". Registers that -march=armv8-a cannot
 * name are given by their encoding.
 */
#ifndef NW_HYP_SYSREG_H
#define NW_HYP_SYSREG_H

#include <stdint.h>

#define sysreg_read(name)                                                      \
	({                                                                     \
		uint64_t value_;                                               \
		__asm__ volatile("mrs %0, " name : "=r"(value_)::"memory");    \
		value_;                                                        \
	})
#define sysreg_write(name, v)                                                  \
	__asm__ volatile("msr " name ", %0" ::"r"((uint64_t)(v)) : "memory")

#define ISB() __asm__ volatile("isb" ::: "memory")
#define DSB(domain) __asm__ volatile("dsb " domain ::: "memory")

#define SYS_ZCR_EL2 "s3_4_c1_c2_0"
#define SYS_HCRX_EL2 "s3_4_c1_c2_2"
#define SYS_SMCR_EL2 "s3_4_c1_c2_6"
#define SYS_ICC_SRE_EL2 "s3_4_c12_c9_5"
#define SYS_ICH_HCR_EL2 "s3_4_c12_c11_0"
#define SYS_ID_AA64ZFR0_EL1 "s3_0_c0_c4_4"
#define SYS_ID_AA64SMFR0_EL1 "s3_0_c0_c4_5"
#define SYS_ID_AA64MMFR2_EL1 "s3_0_c0_c7_2"

#define HCR_VM (1ull << 0)
#define HCR_SWIO (1ull << 1)
#define HCR_TWI (1ull << 13)
#define HCR_TSC (1ull << 19)
#define HCR_RW (1ull << 31)
#define HCR_APK (1ull << 40)
#define HCR_API (1ull << 41)
#define HCR_FWB (1ull << 46)
#define HCR_ATA (1ull << 56)

#define SCTLR_EL2_RES1 0x30c50830ull
#define SCTLR_M (1ull << 0)
#define SCTLR_C (1ull << 2)
#define SCTLR_SA (1ull << 3)
#define SCTLR_I (1ull << 12)
#define SCTLR_WXN (1ull << 19)
#define SCTLR_SPAN (1ull << 23)
#define SCTLR_DSSBS (1ull << 44)

/* EL1's value at entry: MMU and caches off, RES1 bits as before ARMv8.1. */
#define SCTLR_EL1_ENTRY 0x30d00800ull

#define SPSR_EL1H 0x5ull
#define SPSR_DAIF 0x3c0ull
#define SPSR_AARCH32 (1ull << 4)
#define SPSR_EL_MASK 0xcull
#define SPSR_SP_ELX (1ull << 0)
#define SPSR_NZCV (0xfull << 28)
#define SPSR_TCO (1ull << 25)
#define SPSR_DIT (1ull << 24)
#define SPSR_PAN (1ull << 22)
#define SPSR_SSBS (1ull << 12)

/* ESR_ELx exception classes. */
#define ESR_EC(esr) ((unsigned)((esr) >> 26) & 0x3fu)
#define EC_WFX 0x01u
#define EC_SMC64 0x17u
#define EC_HVC64 0x16u
#define EC_INSN_LOWER 0x20u
#define EC_INSN_SAME 0x21u
#define EC_DATA_LOWER 0x24u
#define EC_DATA_SAME 0x25u
#define ESR_IL (1ull << 25)
#define ESR_ISV (1ull << 24)
#define ESR_CM (1ull << 8)
#define ESR_S1PTW (1ull << 7)
#define ESR_WNR (1ull << 6)
#define ESR_WFX_TI 3ull
#define ESR_WFX_TI_WFI 0ull
#define ESR_FSC(esr) ((unsigned)(esr) & 0x3fu)

/* A 4-bit field of an ID register. */
static inline unsigned id_field(uint64_t id, unsigned shift)
{
	return (unsigned)(id >> shift) & 0xfu;
}

#endif
