/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an embedder provides for each table: where its pages come from, and
 * how translations of it are invalidated. (What is the same for all tables of
 * a build, such as atomics, barriers, RCU and locks, is the port's own header
 * nw_port.h, found on the include path; docs/porting.md.)
 */
#ifndef NESTWALK_PORT_H
#define NESTWALK_PORT_H

#include <nestwalk/types.h>

enum nw_regime {
	NW_REGIME_STAGE2,  /* EL1&0 stage 2, tagged by VMID */
	NW_REGIME_EL2,	   /* EL2 stage 1, no tag */
	NW_REGIME_EL10,	   /* EL1&0 stage 1, tagged by ASID */
	NW_REGIME_X86,	   /* x86 host or guest paging, tagged by PCID */
	NW_REGIME_NPT,	   /* AMD nested paging, tagged by ASID */
	NW_REGIME_EPT,	   /* Intel extended page tables, by EPT pointer */
	NW_REGIME_RISCV_S, /* RISC-V satp or vsatp, tagged by ASID */
	NW_REGIME_RISCV_G, /* RISC-V hgatp, tagged by VMID */
	NW_REGIME_COUNT,
};

/*
 * One range whose translations must go, derived from the OLD entries.
 *
 * start, end   input addresses, multiples of the granule, end exclusive
 * leaf_levels  bit n: a leaf of level n was there. Exactly one bit set and
 *              had_tables false: a level hint may be used.
 * had_tables   a table entry was there: walk caches must go too
 */
struct nw_flush_range {
	uint64_t start;
	uint64_t end;
	uint8_t leaf_levels;
	uint8_t had_tables;
};

/* What to invalidate, for whom. */
struct nw_flush_request {
	enum nw_regime regime;
	uint16_t tag; /* VMID or ASID; 0 where the regime has none */
	uint8_t granule_lg2;
	uint8_t ranges; /* number of entries in `range` */
	const struct nw_flush_range *range;
	/*
	 * The ranges are all that the table can translate: one operation for
	 * the whole tag is the cheapest way, and right where that exists.
	 */
	uint8_t is_whole;
	/* arm64: FEAT_LPA2 is in force (TCR_ELx.DS, VTCR_EL2.DS), which is
	 * another operand of the range operations. */
	uint8_t has_lpa2;
};

struct nw_port_ops {
	/*
	 * Take 2^pages_lg2 contiguous table pages, aligned to their size.
	 * Content may be anything. NULL: none left (the operation then says
	 * NW_E_NOMEM). Called inside the caller's locks; must not sleep there.
	 */
	void *(*alloc_pages)(void *ctx, unsigned pages_lg2);
	/* Give them back. Nothing can reach them any more, hardware included. */
	void (*free_pages)(void *ctx, void *pages, unsigned pages_lg2);
	/*
	 * Invalidate. On return no CPU holds a translation of the ranges made
	 * from entries that were replaced before the call, every access that
	 * used one has completed, and the barriers that takes have been issued
	 * (before as well as after the invalidation).
	 */
	void (*invalidate)(void *ctx, const struct nw_flush_request *request);
	/*
	 * The same for the calling CPU alone, whose TLB is the only one that
	 * can hold translations of these ranges: a table that no other CPU
	 * walks (NW_FIXMAP_PRIVATE_ROOT). No table
	 * entry is ever named here. May be NULL: what needs it then says
	 * NW_E_UNSUPPORTED.
	 */
	void (*invalidate_local)(void *ctx,
				 const struct nw_flush_request *request);
	/*
	 * Table pages live in one linear window:
	 * virtual address = physical address + virt_minus_phys.
	 */
	uint64_t virt_minus_phys;
	/* What follows came later: NULL in a port that does not know it. */
	/*
	 * As alloc_pages, best on the given node (0, 1, ...): a hint, what lies
	 * elsewhere is right as well. Asked where the table's config names a
	 * node; NULL: alloc_pages is asked.
	 */
	void *(*alloc_pages_on)(void *ctx, unsigned pages_lg2, unsigned node);
	/*
	 * Clean and invalidate [pa, pa + bytes) of data caches to the point of
	 * coherency, and complete that (a barrier at the end): what a guest
	 * wrote with its caches off, or reads so, is then in memory. For
	 * nw_flush_caches(); NULL where that is never needed.
	 */
	void (*clean)(void *ctx, nw_pa_t pa, uint64_t bytes);
};

/* A table's node hint (nw_table_config.node). */
#define NW_NODE_ANY 0u
#define NW_NODE(n)  ((uint16_t)((n) + 1u))

#endif
