/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 registers that must agree with a table of ours. Values, not writes:
 * the embedder owns the registers and adds the fields that are its own.
 *
 * Manual: Intel SDM volume 3, "Page Attribute Table (PAT)", "Formats of CR3 and
 * Paging-Structure Entries", "Extended-Page-Table Pointer (EPTP)"; AMD APM
 * volume 2, "Page-Attribute Table Mechanism", "Nested Paging".
 */
#ifndef NESTWALK_X86_H
#define NESTWALK_X86_H

#include <nestwalk/format.h>

/* Memory types as IA32_PAT, the MTRRs and EPT number them. */
enum nw_x86_mem {
	NW_X86_MEM_UC = 0,
	NW_X86_MEM_WC = 1,
	NW_X86_MEM_WT = 4,
	NW_X86_MEM_WP = 5,
	NW_X86_MEM_WB = 6,
	NW_X86_MEM_UC_MINUS = 7, /* IA32_PAT only */
};

/*
 * Entries of IA32_PAT that the x86_64 and x86_npt formats use, by PAT, PCD and
 * PWT. 0, 2 and 3 are as at reset, and what a walk from a CR3 without PCD and
 * PWT uses. 4 and 6 repeat 0 and 2 and are used by no leaf.
 */
enum nw_x86_pat_index {
	NW_X86_PAT_WB,
	NW_X86_PAT_WC,
	NW_X86_PAT_UC_MINUS,
	NW_X86_PAT_UC,
	NW_X86_PAT_UNUSED_4,
	NW_X86_PAT_WP,
	NW_X86_PAT_UNUSED_6,
	NW_X86_PAT_WT,
};

#define NW_X86_PAT_BYTE(index, type) ((uint64_t)(type) << (8 * (index)))

/*
 * IA32_PAT as these formats expect it: on every CPU before a table of ours is
 * walked, and unchanged while one is. For x86_npt it is the host's PAT.
 */
#define NW_X86_PAT                                                             \
	(NW_X86_PAT_BYTE(NW_X86_PAT_WB, NW_X86_MEM_WB) |                       \
	 NW_X86_PAT_BYTE(NW_X86_PAT_WC, NW_X86_MEM_WC) |                       \
	 NW_X86_PAT_BYTE(NW_X86_PAT_UC_MINUS, NW_X86_MEM_UC_MINUS) |           \
	 NW_X86_PAT_BYTE(NW_X86_PAT_UC, NW_X86_MEM_UC) |                       \
	 NW_X86_PAT_BYTE(NW_X86_PAT_UNUSED_4, NW_X86_MEM_WB) |                 \
	 NW_X86_PAT_BYTE(NW_X86_PAT_WP, NW_X86_MEM_WP) |                       \
	 NW_X86_PAT_BYTE(NW_X86_PAT_UNUSED_6, NW_X86_MEM_UC_MINUS) |           \
	 NW_X86_PAT_BYTE(NW_X86_PAT_WT, NW_X86_MEM_WT))

/*
 * CR3 for a table whose root is at `root`; also nCR3 (VMCB N_CR3) with pcid 0.
 * pcid: below 4096, 0 where CR4.PCIDE is clear. Whether loading it keeps the
 * PCID's translations (bit 63) is the embedder's to say. A geometry of five
 * levels needs CR4.LA57, of the host for nCR3.
 */
static inline uint64_t nw_x86_cr3(nw_pa_t root, unsigned pcid)
{
	return root.v | (pcid & 0xfffu);
}

/*
 * EPTP for a table of this shape: walks are write-back, accessed and dirty bits
 * are on exactly if the shape has NW_FEAT_EPT_AD. `geo` must come from the EPT
 * format's geometry(). Mode-based execute control is no bit of it: secondary
 * processor-based control 22 must be set exactly if the shape has
 * NW_FEAT_EPT_MBEC.
 */
static inline uint64_t nw_x86_eptp(const struct nw_geometry *geo, nw_pa_t root)
{
	return root.v | NW_X86_MEM_WB | (uint64_t)(geo->levels - 1u) << 3 |
	       (geo->features & NW_FEAT_EPT_AD ? UINT64_C(1) << 6 : 0);
}

#endif
