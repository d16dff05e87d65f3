/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands of the TLB invalidations by address, and how a range is cut into
 * them. Pure: the instructions are in tlb.c.
 *
 * By address (Arm ARM, TLBI IPAS2E1IS, TLBI VAE2IS): address >> 12 in bits
 * 43:0, TTL in 47:44 (granule in 47:46, arm level in 45:44; 0: any level).
 *
 * By range (TLBI RIPAS2E1IS, TLBI RVAE2IS; FEAT_TLBIRANGE):
 *   36:0  BaseADDR, address >> granule
 *   38:37 TTL, arm level or 0
 *   43:39 NUM
 *   45:44 SCALE
 *   47:46 TG, 1: 4 KiB, 2: 16 KiB, 3: 64 KiB
 *   covers (NUM + 1) * 2^(5 * SCALE + 1) granules from the base.
 *
 * The cut is exact: the operations together cover [start, end) and nothing
 * else, when both are multiples of the granule.
 */
#ifndef NW_EL2_TLB_RANGE_H
#define NW_EL2_TLB_RANGE_H

#include <stdint.h>

/* NUM = 31, SCALE = 3. Longer ranges take several operations. */
#define NW_TLB_RANGE_PAGES_MAX (32ull << 16)

/* Hint value: the level is not known, entries of all levels go. */
#define NW_TLB_ANY_LEVEL 0u

struct nw_tlb_op {
	uint64_t operand;
	uint64_t start; /* first byte covered */
	uint64_t pages; /* granules covered */
	uint8_t is_range;
};

/* TG as both operands encode it: 1, 2, 3 for 4, 16, 64 KiB. */
static inline uint64_t nw_tlb_tg(unsigned granule_lg2)
{
	return (granule_lg2 - 10) / 2;
}

/*
 * Operand of an invalidation by one address. arm_level 1 to 3 asks only for
 * leaves of that level (FEAT_TTL, else those bits are RES0 and must be 0).
 */
static inline uint64_t nw_tlb_operand(uint64_t address, unsigned granule_lg2,
				      unsigned arm_level)
{
	uint64_t operand = (address >> 12) & ((1ull << 44) - 1);

	if (arm_level != NW_TLB_ANY_LEVEL)
		operand |= nw_tlb_tg(granule_lg2) << 46 |
			   (uint64_t)arm_level << 44;
	return operand;
}

static inline uint64_t nw_tlb_range_operand(uint64_t address,
					    unsigned granule_lg2,
					    unsigned arm_level, unsigned scale,
					    unsigned num)
{
	return ((address >> granule_lg2) & ((1ull << 37) - 1)) |
	       (uint64_t)arm_level << 37 | (uint64_t)num << 39 |
	       (uint64_t)scale << 44 | nw_tlb_tg(granule_lg2) << 46;
}

/* Granules that a range operand covers. */
static inline uint64_t nw_tlb_range_pages(unsigned scale, unsigned num)
{
	return (uint64_t)(num + 1) << (5 * scale + 1);
}

/*
 * Cut the next operation off [*start, end): the largest one that fits. A
 * single granule takes the form by address, an odd rest is left for last.
 * Advances *start; 0 when the range is used up. `ttl_by_address` says whether
 * the hint may be used in the form by address.
 */
static inline int nw_tlb_range_next(uint64_t *start, uint64_t end,
				    unsigned granule_lg2, unsigned arm_level,
				    int ttl_by_address, struct nw_tlb_op *op)
{
	uint64_t pages = (end - *start) >> granule_lg2;
	unsigned scale = 3;
	uint64_t units;

	if (*start >= end || !pages)
		return 0;
	op->start = *start;
	if (pages == 1) {
		op->operand = nw_tlb_operand(*start, granule_lg2,
					     ttl_by_address ? arm_level :
							      NW_TLB_ANY_LEVEL);
		op->pages = 1;
		op->is_range = 0;
		*start = end;
		return 1;
	}
	while (!(pages >> (5 * scale + 1)))
		scale--;
	units = pages >> (5 * scale + 1);
	if (units > 32)
		units = 32;
	op->operand = nw_tlb_range_operand(*start, granule_lg2, arm_level,
					   scale, (unsigned)units - 1);
	op->pages = nw_tlb_range_pages(scale, (unsigned)units - 1);
	op->is_range = 1;
	*start += op->pages << granule_lg2;
	return 1;
}

#endif
