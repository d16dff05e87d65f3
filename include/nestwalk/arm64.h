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

/* ---- MAIR_EL2 ---------------------------------------------------------- */

/* Indices (AttrIndx) that the EL2 format uses. 7 is unused, and reserved. */
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
 * MAIR_EL2 as the EL2 format expects it. Must be in place before SCTLR_EL2.M
 * is set, and not change while a table of ours is live. Write-through and
 * write-back are non-transient and allocate on reads and writes. The unused
 * index is Device-nGnRnE, the strictest type.
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

/* ---- fields common to VTCR_EL2 and TCR_EL2 (E2H = 0) ------------------- */

#define NW_ARM64_TCR_SL0_SHIFT	6 /* VTCR_EL2 only */
#define NW_ARM64_TCR_IRGN0_WBWA (UINT64_C(1) << 8)
#define NW_ARM64_TCR_ORGN0_WBWA (UINT64_C(1) << 10)
#define NW_ARM64_TCR_SH0_INNER	(UINT64_C(3) << 12)
#define NW_ARM64_TCR_TG0_4K	(UINT64_C(0) << 14)
#define NW_ARM64_TCR_PS_SHIFT	16
#define NW_ARM64_TCR_HA		(UINT64_C(1) << 21)
#define NW_ARM64_TCR_HD		(UINT64_C(1) << 22)
#define NW_ARM64_VTCR_RES1	(UINT64_C(1) << 31)
#define NW_ARM64_TCR_EL2_RES1	((UINT64_C(1) << 31) | (UINT64_C(1) << 23))

/*
 * PS field for an output address size in bits: 32, 36, 40, 42, 44 or 48 (the
 * encoding of ID_AA64MMFR0_EL1.PARange as well). -1 for any other size: a
 * machine with 52 bits is used with 48, because 52 needs FEAT_LPA2.
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
	default:
		return -1;
	}
}

/* T0SZ: the input address has 64 - T0SZ bits. */
static inline unsigned nw_arm64_t0sz(const struct nw_geometry *geo)
{
	return 64u - geo->ia_bits;
}

/* The architecture's number of the level where the walk starts. */
static inline unsigned nw_arm64_start_level(const struct nw_geometry *geo)
{
	return 4u - geo->levels;
}

/* The architecture's number of one of our levels, and back. */
static inline unsigned nw_arm64_level(unsigned level)
{
	return 3u - level;
}

/* VTCR_EL2.SL0, 4 KiB granule: 0 starts at level 2, 1 at 1, 2 at 0. */
static inline unsigned nw_arm64_sl0(const struct nw_geometry *geo)
{
	return 2u - nw_arm64_start_level(geo);
}

/* Walk attributes, granule, PS, HA and HD: equal in both registers. */
static inline uint64_t nw_arm64_tcr_common(const struct nw_geometry *geo)
{
	uint64_t value = nw_arm64_t0sz(geo) | NW_ARM64_TCR_IRGN0_WBWA |
			 NW_ARM64_TCR_ORGN0_WBWA | NW_ARM64_TCR_SH0_INNER |
			 NW_ARM64_TCR_TG0_4K |
			 (uint64_t)nw_arm64_ps(geo->oa_bits)
				 << NW_ARM64_TCR_PS_SHIFT;

	if (geo->features & NW_FEAT_HAF)
		value |= NW_ARM64_TCR_HA;
	if (geo->features & NW_FEAT_HD)
		value |= NW_ARM64_TCR_HD;
	return value;
}

/*
 * VTCR_EL2 for a stage-2 table of this shape: walks are inner shareable and
 * write-back cacheable. VS (16-bit VMIDs) is the embedder's to add.
 * HCR_EL2.FWB must be set exactly if the shape has NW_FEAT_FWB.
 * `geo` must come from the stage-2 format's geometry().
 */
static inline uint64_t nw_arm64_vtcr_el2(const struct nw_geometry *geo)
{
	return nw_arm64_tcr_common(geo) | NW_ARM64_VTCR_RES1 |
	       (uint64_t)nw_arm64_sl0(geo) << NW_ARM64_TCR_SL0_SHIFT;
}

/*
 * TCR_EL2 (HCR_EL2.E2H = 0) for an EL2 stage-1 table of this shape. TBI and
 * the like are the embedder's to add. `geo` must come from the EL2 format's
 * geometry(). Goes with NW_ARM64_MAIR_EL2.
 */
static inline uint64_t nw_arm64_tcr_el2(const struct nw_geometry *geo)
{
	return nw_arm64_tcr_common(geo) | NW_ARM64_TCR_EL2_RES1;
}

#endif
