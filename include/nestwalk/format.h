/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one entry means, whatever the hardware that reads it.
 *
 * Formats (src/format/) translate between an entry's bits and the records
 * below. They are pure: no memory is touched. Levels count from the leaf:
 * level 0 is the smallest page, the architecture's own numbers appear only
 * inside a format (arm_level).
 */
#ifndef NESTWALK_FORMAT_H
#define NESTWALK_FORMAT_H

#include <nestwalk/types.h>

typedef uint64_t nw_entry_t;

#define NW_LEVELS_MAX 5

/*
 * How traces and other lasting records name a format; never renumbered. A
 * family: the granule and FEAT_LPA2 are in the shape beside it.
 */
enum nw_format_id {
	NW_FORMAT_ID_NONE,
	NW_FORMAT_ID_arm64_s2,
	NW_FORMAT_ID_arm64_el2,
	NW_FORMAT_ID_arm64_el10, /* EL1&0 stage 1 */
	NW_FORMAT_ID_x86_64,	 /* host paging, 4 and 5 levels */
	NW_FORMAT_ID_x86_npt,	 /* the same entries as AMD nested paging */
	NW_FORMAT_ID_x86_ept,
	NW_FORMAT_ID_riscv_s, /* Sv39, Sv48, Sv57 */
	NW_FORMAT_ID_riscv_g, /* Sv39x4, Sv48x4, Sv57x4 */
	NW_FORMAT_ID_COUNT,
};

/* Rights. A mapping with none of them is no mapping (requirements S4.1). */
#define NW_PROT_R 0x01u
#define NW_PROT_W 0x02u
#define NW_PROT_PX 0x04u /* execute at the privileged level (EL1, EL2) */
#define NW_PROT_UX 0x08u /* execute at the unprivileged level (EL0) */
#define NW_PROT_X (NW_PROT_PX | NW_PROT_UX)
#define NW_PROT_RW (NW_PROT_R | NW_PROT_W)
#define NW_PROT_RWX (NW_PROT_RW | NW_PROT_X)

/*
 * Memory type. Normal memory names its outer then its inner cacheability;
 * the plain names have both the same. FROM_STAGE1 (FWB only) leaves the
 * guest's own choice in force.
 *
 * x86: UC is DEVICE_nGnRnE, WC is NORMAL_NC, WT and WB are NORMAL_WT and _WB.
 * RISC-V (Svpbmt): PMA, the platform's own type, is NORMAL_WB; NC is NORMAL_NC,
 * IO is DEVICE_nGRE. Neither has shareability: INNER is what they have.
 */
enum nw_memtype {
	NW_MEM_DEVICE_nGnRnE,
	NW_MEM_DEVICE_nGnRE,
	NW_MEM_DEVICE_nGRE,
	NW_MEM_DEVICE_GRE,
	NW_MEM_NORMAL_NC, /* outer and inner non-cacheable */
	NW_MEM_NORMAL_ONC_IWT,
	NW_MEM_NORMAL_ONC_IWB,
	NW_MEM_NORMAL_OWT_INC,
	NW_MEM_NORMAL_WT,
	NW_MEM_NORMAL_OWT_IWB,
	NW_MEM_NORMAL_OWB_INC,
	NW_MEM_NORMAL_OWB_IWT,
	NW_MEM_NORMAL_WB,
	NW_MEM_FROM_STAGE1,
	NW_MEM_UC_MINUS, /* x86: uncacheable, MTRRs may make it write-combining */
	NW_MEM_WP,	 /* x86: write-protected */
	NW_MEM_COUNT,
};

enum nw_share {
	NW_SHARE_NONE,
	NW_SHARE_OUTER,
	NW_SHARE_INNER,
	NW_SHARE_COUNT,
};

/* Leaf facts beside rights and type. A format refuses those it lacks. */
#define NW_LEAF_ACCESSED 0x01u	  /* access flag set */
#define NW_LEAF_DBM 0x02u	  /* hardware may set the write right (dirty) */
#define NW_LEAF_CONTIG 0x04u	  /* member of a contiguous run */
#define NW_LEAF_NT 0x08u	  /* block translation entry "no TLB" (FEAT_BBM 1) */
#define NW_LEAF_NOT_GLOBAL 0x10u  /* stage 1 with ASIDs */
#define NW_LEAF_GUARDED 0x20u	  /* branch target identification (stage 1) */
#define NW_LEAF_FNXS 0x40u	  /* FEAT_XS, stage 2 */
#define NW_LEAF_NON_SECURE 0x80u  /* NS bit of a secure stage 1 */
#define NW_LEAF_DIRTY 0x100u	  /* dirty bit (x86, RISC-V); arm64 has DBM */
#define NW_LEAF_USER 0x200u	  /* unprivileged accesses too (stage 1) */
#define NW_LEAF_IGNORE_PAT 0x400u /* EPT: the guest's PAT is not asked */
#define NW_LEAF_SUPPRESS_VE 0x800u /* EPT: violations exit, no #VE */

/* Everything about a leaf but its address. */
struct nw_attrs {
	uint8_t prot;	  /* NW_PROT_* */
	uint8_t memtype;  /* enum nw_memtype */
	uint8_t share;	  /* enum nw_share */
	uint16_t flags;	  /* NW_LEAF_* */
	uint8_t software; /* the format's software bits of a live entry */
	uint8_t hardware; /* arm64 PBHA, x86 protection key: 4 bits */
};

/* What the CPU has; the port knows. */
#define NW_FEAT_FWB 0x0001u	    /* FEAT_S2FWB in force */
#define NW_FEAT_XNX 0x0002u	    /* FEAT_XNX: PX and UX are separate */
#define NW_FEAT_HAF 0x0004u	    /* hardware sets the access flag */
#define NW_FEAT_HD 0x0008u	    /* hardware sets dirty (DBM) */
#define NW_FEAT_XS 0x0010u	    /* FEAT_XS */
#define NW_FEAT_BBM1 0x0020u	    /* FEAT_BBM level 1 usable (no conflict abort) */
#define NW_FEAT_BBM2 0x0040u	    /* FEAT_BBM level 2 usable (no conflict abort) */
#define NW_FEAT_TTST 0x0080u	    /* FEAT_TTST: small translation tables */
#define NW_FEAT_BTI 0x0100u	    /* FEAT_BTI: the GP bit exists */
#define NW_FEAT_LPA2 0x0200u	    /* FEAT_LPA2 in force (TCR DS): 52 bits */
#define NW_FEAT_LPA 0x0400u	    /* FEAT_LPA: 52-bit output, 64K granule */
#define NW_FEAT_LVA 0x0800u	    /* FEAT_LVA: 52-bit input, 64K granule */
#define NW_FEAT_ALL 0x0fffu
/* x86 */
#define NW_FEAT_X86_NX 0x00010000u	 /* EFER.NXE */
#define NW_FEAT_X86_1G 0x00020000u	 /* 1 GiB leaves */
#define NW_FEAT_X86_PKU 0x00040000u	 /* protection keys */
#define NW_FEAT_X86_SMEP 0x00800000u	 /* CR4.SMEP: user pages are no kernel code */
/* Accessed and dirty bits enabled; without, leaves count as accessed, never as
 * dirty, and NW_LEAF_ACCESSED must be asked for. */
#define NW_FEAT_EPT_AD 0x00080000u
#define NW_FEAT_EPT_XO 0x00100000u	 /* execute-only leaves */
#define NW_FEAT_EPT_MBEC 0x00200000u	 /* user-execute apart from execute */
#define NW_FEAT_EPT_SPLIT_EXEC 0x00400000u /* erratum: executable leaves 4K */
/* RISC-V */
#define NW_FEAT_SVNAPOT 0x01000000u
#define NW_FEAT_SVPBMT 0x02000000u
#define NW_FEAT_SVADU 0x04000000u /* hardware sets A and D */

struct nw_format_config {
	uint8_t granule_lg2; /* 12, 14 or 16 where the format has them */
	uint8_t ia_bits;     /* input address size */
	uint8_t oa_bits;     /* output address size of the machine */
	uint32_t features;   /* NW_FEAT_* */
};

/* Shape of a table, computed once by the format from its configuration. */
struct nw_geometry {
	uint8_t granule_lg2;   /* bytes of a table page, and of a level-0 leaf */
	uint8_t index_bits;    /* entries of a table page */
	uint8_t levels;	       /* levels walked; the root is at levels - 1 */
	uint8_t root_pages_lg2; /* concatenated root pages */
	uint8_t ia_bits;
	uint8_t oa_bits;
	uint8_t leaf_levels;   /* bit n: level n may hold a leaf */
	uint32_t features;
};

/* Bytes that one entry of a level spans, as a logarithm. */
static inline unsigned nw_span_lg2(const struct nw_geometry *g, unsigned level)
{
	return g->granule_lg2 + level * g->index_bits;
}

enum nw_entry_kind {
	NW_ENTRY_EMPTY,	   /* nothing here: 0, in EPT bit 63 alone */
	NW_ENTRY_INVALID,  /* valid bit clear, other bits set: software's own */
	NW_ENTRY_TABLE,
	NW_ENTRY_LEAF,
	NW_ENTRY_RESERVED, /* valid bit set, but no encoding: hardware faults */
};

/* Why a valid-looking entry decodes to NW_ENTRY_RESERVED. */
enum nw_reason {
	NW_REASON_NONE,
	NW_REASON_TYPE_AT_LEVEL,    /* this type does not exist at this level */
	NW_REASON_ADDRESS_ALIGN,    /* address bits below the leaf's size */
	NW_REASON_ADDRESS_SIZE,	    /* address beyond the output size */
	NW_REASON_MEMTYPE,	    /* reserved memory type */
	NW_REASON_SHARE,	    /* reserved shareability */
	NW_REASON_RIGHTS,	    /* rights the feature set does not define */
	NW_REASON_RES0,		    /* a bit that must be zero is set */
	NW_REASON_RES1,		    /* a bit that must be one is clear */
	NW_REASON_FEATURE,	    /* a bit of a feature that is absent */
	NW_REASON_LEVEL,	    /* the geometry has no such level */
	NW_REASON_COUNT,
};

/* Name of a reason, e.g. "reserved memory type". Never NULL. */
const char *nw_reason_text(enum nw_reason reason);

/* An entry, taken apart. `pa` is the leaf's or the next table's address. */
struct nw_decoded {
	enum nw_entry_kind kind;
	enum nw_reason reason;
	nw_pa_t pa;
	struct nw_attrs attrs; /* leaves only */
	/* Leaves only: `pa` is the output for the input address that is a
	 * multiple of so much. The leaf's size; of a member of a run that holds
	 * its run's address (RISC-V Svnapot), the run's. */
	uint8_t span_lg2;
};

#endif
