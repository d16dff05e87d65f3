/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arm64 registers that must agree with a table of ours.
 *
 * The formats (src/format/arm64_*.h) decide shape and memory types; these
 * helpers give the register fields that make the hardware read them the same
 * way. Values, not writes: the embedder owns the registers and adds the fields
 * that are its own (VMID size, top-byte-ignore ...).
 *
 * Manual: Arm Architecture Reference Manual, DDI 0487, "AArch64 System
 * register descriptions" (VTCR_EL2, TCR_EL2, MAIR_EL2) and chapter "The
 * AArch64 Virtual Memory System Architecture".
 */
#ifndef NESTWALK_ARM64_H
#define NESTWALK_ARM64_H

#include <nestwalk/format.h>

/* ---- MAIR_EL2, MAIR_EL1 ------------------------------------------------ */

/* Indices (AttrIndx) of the stage-1 formats. 7 is unused, and reserved. */
enum nw_arm64_mair_index {
	NW_ARM64_MAIR_nGnRnE,
	NW_ARM64_MAIR_nGnRE,
	NW_ARM64_MAIR_nGRE,
	NW_ARM64_MAIR_GRE,
	NW_ARM64_MAIR_NC,
	NW_ARM64_MAIR_WT,
	NW_ARM64_MAIR_WB,
	NW_ARM64_MAIR_UNUSED,
};

#define NW_ARM64_MAIR_BYTE(index, value) ((uint64_t)(value) << (8 * (index)))

/*
 * MAIR_EL2 and MAIR_EL1 as the stage-1 formats expect them. Must be in place
 * before SCTLR_ELx.M is set, and not change while a table of ours is live.
 * Write-through and write-back are non-transient and allocate on reads and
 * writes. The unused index is Device-nGnRnE, the strictest type.
 */
#define NW_ARM64_MAIR_EL2                                                      \
	(NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_nGnRnE, 0x00) |                      \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_nGnRE, 0x04) |                       \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_nGRE, 0x08) |                        \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_GRE, 0x0c) |                         \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_NC, 0x44) |                          \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_WT, 0xbb) |                          \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_WB, 0xff) |                          \
	 NW_ARM64_MAIR_BYTE(NW_ARM64_MAIR_UNUSED, 0x00))

#define NW_ARM64_MAIR_EL1 NW_ARM64_MAIR_EL2

/* ---- fields of VTCR_EL2, TCR_EL2 (E2H = 0), TCR_EL1 -------------------- */

#define NW_ARM64_TCR_SL0_SHIFT	6 /* VTCR_EL2 only */
#define NW_ARM64_TCR_IRGN0_WBWA (UINT64_C(1) << 8)
#define NW_ARM64_TCR_ORGN0_WBWA (UINT64_C(1) << 10)
#define NW_ARM64_TCR_SH0_INNER	(UINT64_C(3) << 12)
#define NW_ARM64_TCR_TG0_SHIFT	14
#define NW_ARM64_TCR_PS_SHIFT	16 /* VTCR_EL2, TCR_EL2 */
#define NW_ARM64_TCR_HA		(UINT64_C(1) << 21)
#define NW_ARM64_TCR_HD		(UINT64_C(1) << 22)
#define NW_ARM64_TCR_DS		(UINT64_C(1) << 32)
#define NW_ARM64_VTCR_SL2	(UINT64_C(1) << 33)
#define NW_ARM64_VTCR_RES1	(UINT64_C(1) << 31)
#define NW_ARM64_TCR_EL2_RES1	((UINT64_C(1) << 31) | (UINT64_C(1) << 23))
/* TCR_EL1; its upper range's fields stand 16 higher than the lower's, but for
 * the granule. */
#define NW_ARM64_TCR_EL1_UPPER	   16
#define NW_ARM64_TCR_EL1_EPD0	   (UINT64_C(1) << 7)
#define NW_ARM64_TCR_EL1_TG1_SHIFT 30
#define NW_ARM64_TCR_EL1_IPS_SHIFT 32
#define NW_ARM64_TCR_EL1_HA	   (UINT64_C(1) << 39)
#define NW_ARM64_TCR_EL1_HD	   (UINT64_C(1) << 40)
#define NW_ARM64_TCR_EL1_DS	   (UINT64_C(1) << 59)

/*
 * PS field for an output address size in bits: 32, 36, 40, 42, 44, 48 or 52
 * (the encoding of ID_AA64MMFR0_EL1.PARange as well). -1 for any other size.
 * 52 needs FEAT_LPA and the 64 KiB granule, or FEAT_LPA2 in force: a machine
 * with 52 bits is used with 48 otherwise.
 */
static inline int nw_arm64_ps(unsigned oa_bits)
{
	switch (oa_bits) {
	case 32:
		return 0;
	case 36:
		return 1;
	case 40:
		return 2;
	case 42:
		return 3;
	case 44:
		return 4;
	case 48:
		return 5;
	case 52:
		return 6;
	default:
		return -1;
	}
}

/* TG0 of all three registers, and TG1 of TCR_EL1. */
static inline uint64_t nw_arm64_tg0(const struct nw_geometry *geo)
{
	return geo->granule_lg2 == 12 ? 0 : geo->granule_lg2 == 14 ? 2 : 1;
}

static inline uint64_t nw_arm64_tg1(const struct nw_geometry *geo)
{
	return geo->granule_lg2 == 12 ? 2 : geo->granule_lg2 == 14 ? 1 : 3;
}

/* T0SZ: the input address has 64 - T0SZ bits. */
static inline unsigned nw_arm64_t0sz(const struct nw_geometry *geo)
{
	return 64u - geo->ia_bits;
}

/* The architecture's number of one of our levels: 3 down to -1. */
static inline int nw_arm64_level(unsigned level)
{
	return 3 - (int)level;
}

/* The architecture's number of the level where the walk starts. */
static inline int nw_arm64_start_level(const struct nw_geometry *geo)
{
	return nw_arm64_level(geo->levels - 1u);
}

/*
 * VTCR_EL2.SL0, and SL2 where the 4 KiB granule starts at level -1. 4 KiB: 0
 * starts at level 2, 1 at 1, 2 at 0, 3 (FEAT_TTST) at 3. 16 and 64 KiB: 0
 * starts at level 3, 1 at 2, 2 at 1, 3 (FEAT_LPA2) at 0.
 */
static inline uint64_t nw_arm64_vtcr_sl(const struct nw_geometry *geo)
{
	int start = nw_arm64_start_level(geo);
	unsigned sl0;

	if (start < 0)
		return NW_ARM64_VTCR_SL2;
	if (geo->granule_lg2 != 12)
		sl0 = 3u - (unsigned)start;
	else
		sl0 = start == 3 ? 3u : 2u - (unsigned)start;
	return (uint64_t)sl0 << NW_ARM64_TCR_SL0_SHIFT;
}

/* Size, walk attributes and shareability of one range. */
static inline uint64_t nw_arm64_tcr_range(const struct nw_geometry *geo)
{
	return nw_arm64_t0sz(geo) | NW_ARM64_TCR_IRGN0_WBWA |
	       NW_ARM64_TCR_ORGN0_WBWA | NW_ARM64_TCR_SH0_INNER;
}

/* What is equal in VTCR_EL2 and TCR_EL2: the range, TG0, PS, HA, HD and DS. */
static inline uint64_t nw_arm64_tcr_common(const struct nw_geometry *geo)
{
	uint64_t value =
		nw_arm64_tcr_range(geo) |
		nw_arm64_tg0(geo) << NW_ARM64_TCR_TG0_SHIFT |
		(uint64_t)nw_arm64_ps(geo->oa_bits) << NW_ARM64_TCR_PS_SHIFT;

	if (geo->features & NW_FEAT_HAF)
		value |= NW_ARM64_TCR_HA;
	if (geo->features & NW_FEAT_HD)
		value |= NW_ARM64_TCR_HD;
	if (geo->features & NW_FEAT_LPA2)
		value |= NW_ARM64_TCR_DS;
	return value;
}

/* ---- whole registers --------------------------------------------------- */

/*
 * VTCR_EL2 for a stage-2 table of this shape: walks are inner shareable and
 * write-back cacheable; with FEAT_LPA2 in force SH0 is the shareability of
 * every leaf too. VS (16-bit VMIDs) is the embedder's to add.
 * HCR_EL2.FWB must be set exactly if the shape has NW_FEAT_FWB.
 * `geo` must come from a stage-2 format's geometry().
 */
static inline uint64_t nw_arm64_vtcr_el2(const struct nw_geometry *geo)
{
	return nw_arm64_tcr_common(geo) | NW_ARM64_VTCR_RES1 |
	       nw_arm64_vtcr_sl(geo);
}

/*
 * TCR_EL2 (HCR_EL2.E2H = 0) for an EL2 stage-1 table of this shape. TBI and
 * the like are the embedder's to add. `geo` must come from an EL2 format's
 * geometry(). Goes with NW_ARM64_MAIR_EL2.
 */
static inline uint64_t nw_arm64_tcr_el2(const struct nw_geometry *geo)
{
	return nw_arm64_tcr_common(geo) | NW_ARM64_TCR_EL2_RES1;
}

/*
 * TCR_EL1 for the tables of the lower (TTBR0_EL1) and the upper range (TTBR1);
 * NULL: walks of that range are off. Of the shapes, which must come from EL1&0
 * formats' geometry(), oa_bits and the features HAF, HD and LPA2 must agree. A1,
 * AS, TBI and the like are the embedder's to add. Goes with NW_ARM64_MAIR_EL1.
 * Neither shape given: 0.
 */
static inline uint64_t nw_arm64_tcr_el1(const struct nw_geometry *lower,
					const struct nw_geometry *upper)
{
	const struct nw_geometry *any = lower ? lower : upper;
	uint64_t value;

	if (!any)
		return 0;
	value = (uint64_t)nw_arm64_ps(any->oa_bits)
		<< NW_ARM64_TCR_EL1_IPS_SHIFT;
	value |= lower ? nw_arm64_tcr_range(lower) |
				 nw_arm64_tg0(lower) << NW_ARM64_TCR_TG0_SHIFT
		       : NW_ARM64_TCR_EL1_EPD0;
	value |= upper ? nw_arm64_tcr_range(upper) << NW_ARM64_TCR_EL1_UPPER |
				 nw_arm64_tg1(upper)
					 << NW_ARM64_TCR_EL1_TG1_SHIFT
		       : NW_ARM64_TCR_EL1_EPD0 << NW_ARM64_TCR_EL1_UPPER;
	if (any->features & NW_FEAT_HAF)
		value |= NW_ARM64_TCR_EL1_HA;
	if (any->features & NW_FEAT_HD)
		value |= NW_ARM64_TCR_EL1_HD;
	if (any->features & NW_FEAT_LPA2)
		value |= NW_ARM64_TCR_EL1_DS;
	return value;
}

/*
 * BADDR of VTTBR_EL2, TTBR0_EL2, TTBRn_EL1 for a root at this address: bits
 * 51:48, which only 52-bit outputs have, stand in 5:2. VMID or ASID and CnP are
 * the embedder's to add.
 */
static inline uint64_t nw_arm64_ttbr(nw_pa_t root)
{
	return (root.v & ((UINT64_C(1) << 48) - 1)) | (root.v >> 48) << 2;
}

#endif
