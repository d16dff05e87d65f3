/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the oracle's decoders speak: the shape of a table, an entry taken
 * apart, what is wrong with it, and what an invalidation removes. The manuals
 * are read in arm64.c, x86.c, ept.c and riscv.c; decode.h chooses among them.
 *
 * Levels count from the leaf.
 */
#ifndef NWV_CHECK_SHAPE_H
#define NWV_CHECK_SHAPE_H

#include <nestwalk/format.h>
#include <nestwalk/port.h>
#include <nestwalk/trace.h>

struct nwv_decoder;

/* Where a descriptor keeps the output address. */
enum nwv_pa_form {
	NWV_PA_48,   /* 47:0 */
	NWV_PA_LPA,  /* 47:16, and 51:48 in bits 15:12: 64 KiB, FEAT_LPA */
	NWV_PA_LPA2, /* 49:12, and 51:50 in bits 9:8: 4 and 16 KiB */
};

/* What a table looks like, from TABLE_INIT. */
struct nwv_shape {
	const struct nwv_decoder *decoder; /* NULL: arm64 */
	uint32_t features; /* NW_FEAT_* */
	uint8_t regime;	   /* enum nw_regime */
	uint8_t granule_lg2;
	uint8_t index_bits;
	uint8_t levels; /* the root stands at levels - 1 */
	uint8_t ia_bits;
	uint8_t oa_bits;
	uint8_t block_levels; /* bit n: level n has blocks */
	uint8_t pa_form;      /* enum nwv_pa_form */
	uint64_t mair;
};

enum nwv_kind {
	NWV_INVALID, /* valid bit clear: hardware stops here */
	NWV_TABLE,
	NWV_LEAF,
	NWV_RESERVED, /* valid bit set, type does not exist here */
};

enum nwv_right {
	NWV_R = 1,
	NWV_W = 2,
	NWV_PX = 4,
	NWV_UX = 8,
	NWV_U = 16, /* EL0, or user mode: R and W as well */
};

/* A leaf, taken apart. */
struct nwv_leaf {
	uint64_t pa;
	uint8_t rights;	 /* NWV_R ..., as they stand */
	uint8_t memattr; /* MemAttr[3:0], or AttrIndx[2:0] */
	uint8_t share;	 /* SH[1:0]; with LPA2 the TCR's, here 0 */
	uint8_t has_access_flag;
	uint8_t has_dbm;
	uint8_t has_contig;
	uint8_t has_nt;
	uint8_t has_ns; /* EL1&0: NS, another address space if secure */
	uint8_t is_device;
	uint8_t can_get_write; /* by a hardware dirty update */
	uint8_t is_global;     /* of every PCID or ASID */
	uint8_t is_dirty;      /* dirty bit (x86, RISC-V) */
};

/* How two values of one entry differ, as far as the TLB cares. */
#define NWV_D_ADDRESS  0x001u
#define NWV_D_MEMTYPE  0x002u
#define NWV_D_SHARE    0x004u
#define NWV_D_CONTIG   0x008u /* contiguous bit or nT */
#define NWV_D_NARROWED 0x010u /* a right went */
#define NWV_D_TO_TABLE 0x020u
#define NWV_D_TO_BLOCK 0x040u
#define NWV_D_TABLE    0x080u /* another table */
#define NWV_D_AGED     0x100u /* access flag cleared */
#define NWV_D_REMOVED  0x200u /* valid to invalid */
#define NWV_D_MADE     0x400u /* invalid to valid */
#define NWV_D_GLOBAL   0x800u /* of one ASID to global */

/* What an entry that becomes reachable has wrong. */
enum nwv_flaw {
	NWV_FLAW_NONE,
	NWV_FLAW_TYPE,
	NWV_FLAW_RES0,
	NWV_FLAW_SHARE,
	NWV_FLAW_MEMTYPE,
	NWV_FLAW_RIGHTS,
	NWV_FLAW_ALIGN,
	NWV_FLAW_SIZE,
	NWV_FLAW_ERRATUM, /* executable, and large where none may be */
};

static inline unsigned nwv_span_lg2(const struct nwv_shape *s, unsigned level)
{
	return s->granule_lg2 + level * s->index_bits;
}

/* ---- invalidations ----------------------------------------------------- */

struct nwv_inval {
	uint8_t op;	/* enum nw_tlbi */
	uint8_t regime; /* enum nw_regime; STAGE2 and EL10 share the VMID */
	uint8_t is_local;
	uint8_t is_all;	       /* no address */
	uint8_t is_all_tags;   /* every VMID */
	uint8_t stage2;	       /* removes what was made from stage 2 alone */
	uint8_t combined;      /* removes combined and stage-1 entries */
	uint8_t is_last_level; /* walk caches stay */
	uint8_t granule_lg2;   /* that the operand names; 0: any */
	uint8_t hint;	       /* arm level + 1; 0: any */
	uint8_t is_broadcast; /* every CPU's TLB, of an architecture whose
			       * other invalidations are local */
	uint8_t keeps_global; /* global entries stay */
	uint8_t is_by_root;   /* of the table at `start` alone */
	uint8_t is_by_asid; /* acts on `asid`, and on global leaves */
	uint8_t is_range;
	uint16_t asid;
	uint64_t operand;
	uint64_t start;
	uint64_t end;
};

#endif
