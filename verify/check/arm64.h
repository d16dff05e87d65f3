/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle's own reading of VMSAv8-64, from the manual: descriptors and the
 * operands of TLB invalidations. Shares nothing with src/format, so that a
 * mistake there is not repeated here; a test compares the two.
 *
 * Manual: DDI 0487, "VMSAv8-64 translation table format descriptors", "TLB
 * maintenance instructions". Output addresses of at most 48 bits. Levels count
 * from the leaf; the manual's number is 3 - level.
 */
#ifndef NWV_CHECK_ARM64_H
#define NWV_CHECK_ARM64_H

#include <nestwalk/format.h>
#include <nestwalk/port.h>
#include <nestwalk/trace.h>

/* What a table looks like, from TABLE_INIT. */
struct nwv_shape {
	uint32_t features; /* NW_FEAT_* */
	uint8_t regime;	   /* enum nw_regime */
	uint8_t granule_lg2;
	uint8_t index_bits;
	uint8_t levels; /* the root stands at levels - 1 */
	uint8_t ia_bits;
	uint8_t oa_bits;
	uint8_t block_levels; /* bit n: level n has blocks */
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
};

/* A leaf, taken apart. */
struct nwv_leaf {
	uint64_t pa;
	uint8_t rights;	 /* NWV_R ..., as they stand */
	uint8_t memattr; /* MemAttr[3:0], or AttrIndx[2:0] */
	uint8_t share;	 /* SH[1:0] */
	uint8_t has_access_flag;
	uint8_t has_dbm;
	uint8_t has_contig;
	uint8_t has_nt;
	uint8_t is_device;
	uint8_t can_get_write; /* by a hardware dirty update */
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
};

static inline unsigned nwv_span_lg2(const struct nwv_shape *s, unsigned level)
{
	return s->granule_lg2 + level * s->index_bits;
}

static inline enum nwv_kind nwv_kind(const struct nwv_shape *s, unsigned level,
				     uint64_t e)
{
	if (!(e & 1))
		return NWV_INVALID;
	if (e & 2)
		return level ? NWV_TABLE : NWV_LEAF;
	return s->block_levels >> level & 1 ? NWV_LEAF : NWV_RESERVED;
}

/* Of a leaf ("Block and Page descriptors": AF, bit 10). */
static inline int nwv_leaf_is_accessed(uint64_t e)
{
	return e >> 10 & 1;
}

/* Address of the next table. */
static inline uint64_t nwv_table_pa(const struct nwv_shape *s, uint64_t e)
{
	return e & ((UINT64_C(1) << 48) - 1) & (~UINT64_C(0) << s->granule_lg2);
}

static inline uint64_t nwv_leaf_pa(const struct nwv_shape *s, unsigned level,
				   uint64_t e)
{
	return e & ((UINT64_C(1) << 48) - 1) &
	       (~UINT64_C(0) << nwv_span_lg2(s, level));
}

/*
 * Shape from the words of TABLE_INIT. root_bytes tells concatenated root
 * tables from one more level. -1: no profile; *why names what is not known.
 */
int nwv_shape_decode(uint64_t shape_word, unsigned regime, uint64_t root_bytes,
		     uint64_t mair, struct nwv_shape *s, const char **why);

void nwv_leaf_decode(const struct nwv_shape *s, unsigned level, uint64_t e,
		     struct nwv_leaf *leaf);

/* For any entry; NWV_FLAW_NONE for invalid ones. */
enum nwv_flaw nwv_entry_flaw(const struct nwv_shape *s, unsigned level,
			     uint64_t e);

/* NWV_D_* of a change from `before` to `after`. */
unsigned nwv_change(const struct nwv_shape *s, unsigned level, uint64_t before,
		    uint64_t after);

/* The same translation and rights, one level lower: what entry `index` of the
 * table that replaces this block must be. Marks that may differ are ignored. */
int nwv_same_translation(const struct nwv_shape *s, unsigned level,
			 uint64_t block, unsigned index, uint64_t child);

/* May hardware write this leaf at any time? */
int nwv_hw_writable(const struct nwv_shape *s, unsigned level, uint64_t e);

/* Bits in which memory may differ from the last store, because hardware sets
 * them. */
uint64_t nwv_hw_bits(const struct nwv_shape *s, unsigned level, uint64_t e);

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
	uint64_t start;
	uint64_t end;
};

/* -1: no such operation. granule_lg2: the table's, for the length of one. */
int nwv_inval_decode(uint64_t op, uint64_t operand, struct nwv_inval *out);

const char *nwv_tlbi_name(unsigned op);
const char *nwv_barrier_name(unsigned kind);

#endif
