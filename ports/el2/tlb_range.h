/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands of the TLB invalidations by address, and how a range is cut into
 * them. Pure: the instructions are in tlb.c.
 *
 * By address (Arm ARM, TLBI IPAS2E1IS, TLBI VAE2IS): address >> 12 in bits
 * 43:0, TTL in 47:44 (granule in 47:46, arm level in 45:44; 0: any level).
 *
 * By range (TLBI RIPAS2E1IS, TLBI RVAE2IS; FEAT_TLBIRANGE):
 *   36:0  BaseADDR, address >> granule; with FEAT_LPA2 in force (VTCR_EL2.DS,
 *         TCR_ELx.DS) address >> 16 whatever the granule, so that a range can
 *         begin at a multiple of 64 KiB only: what comes before one is named
 *         page by page
 *   38:37 TTL, arm level or 0
 *   43:39 NUM
 *   45:44 SCALE
 *   47:46 TG, 1: 4 KiB, 2: 16 KiB, 3: 64 KiB
 *   covers (NUM + 1) * 2^(5 * SCALE + 1) granules from the base.
 *
 * With ASIDs (TLBI VAE1IS, TLBI RVAE1IS) bits 63:48 hold that: the caller adds
 * it.
 *
 * The cut is exact: the operations together cover [start, end) and nothing
 * else, when both are multiples of the granule. A leaf larger than a granule
 * needs one operation only, whichever of its addresses that names: where leaves
 * of one size were, the form by address goes in steps of that size.
 */
#ifndef NW_EL2_TLB_RANGE_H
#define NW_EL2_TLB_RANGE_H

#include <nestwalk/port.h>

/* What the CPUs have, for nw_tlb_plan(). */
#define NW_TLB_HAS_RANGE 0x1u /* FEAT_TLBIRANGE */
#define NW_TLB_HAS_TTL 0x2u   /* FEAT_TTL */

/* NUM = 31, SCALE = 3. Longer ranges take several operations. */
#define NW_TLB_RANGE_PAGES_MAX (32ull << 16)

/*
 * Past this cost one operation drops all that the table's tag has in the TLBs.
 * An operation by address costs 1, one by range NW_TLB_RANGE_COST: 512 single
 * pages, as many as a 4 KiB table has, or 64 ranges. Each is a message to every
 * CPU (and one by range makes a TLB look at all that it holds), so that beyond
 * it waiting for them takes longer than filling TLBs again.
 */
#define NW_TLB_COST_MAX	  512u
#define NW_TLB_RANGE_COST 8u

/* BaseADDR's unit with FEAT_LPA2 in force. */
#define NW_TLB_LPA2_BASE_LG2 16

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

/* Of an invalidation by range; `address` is a multiple of 2^base_lg2. */
static inline uint64_t nw_tlb_range_operand(uint64_t address,
					    unsigned granule_lg2,
					    unsigned base_lg2,
					    unsigned arm_level, unsigned scale,
					    unsigned num)
{
	return ((address >> base_lg2) & ((1ull << 37) - 1)) |
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
 * single granule takes the form by address, and so does each in front of the
 * first multiple of 2^base_lg2; an odd rest is left for last. From there on
 * every base is a multiple, for the units are and the shortest come last.
 * Advances *start; 0 when the range is used up. `ttl_by_address` says whether
 * the hint may be used in the form by address.
 */
static inline int nw_tlb_range_next(uint64_t *start, uint64_t end,
				    unsigned granule_lg2, unsigned base_lg2,
				    unsigned arm_level, int ttl_by_address,
				    struct nw_tlb_op *op)
{
	uint64_t pages = (end - *start) >> granule_lg2;
	unsigned scale = 3;
	uint64_t units;

	if (*start >= end || !pages)
		return 0;
	op->start = *start;
	if (pages == 1 || (*start & ((1ull << base_lg2) - 1))) {
		op->operand = nw_tlb_operand(*start, granule_lg2,
					     ttl_by_address ? arm_level :
							      NW_TLB_ANY_LEVEL);
		op->pages = 1;
		op->is_range = 0;
		*start += 1ull << granule_lg2;
		return 1;
	}
	while (!(pages >> (5 * scale + 1)))
		scale--;
	units = pages >> (5 * scale + 1);
	if (units > 32)
		units = 32;
	op->operand = nw_tlb_range_operand(*start, granule_lg2, base_lg2,
					   arm_level, scale,
					   (unsigned)units - 1);
	op->pages = nw_tlb_range_pages(scale, (unsigned)units - 1);
	op->is_range = 1;
	*start += op->pages << granule_lg2;
	return 1;
}

/* ---- a range of a flush request --------------------------------------- */

struct nw_tlb_plan {
	uint64_t start;
	uint64_t end;
	uint64_t step; /* by address; a multiple of the granule */
	uint8_t granule_lg2;
	uint8_t base_lg2;
	uint8_t arm_level; /* hint, or NW_TLB_ANY_LEVEL */
	uint8_t has_ttl;
	uint8_t by_range;
};

/* The arm level of the only leaves that were there, or "any". */
static inline unsigned nw_tlb_level_hint(const struct nw_flush_range *r)
{
	unsigned levels = r->leaf_levels;

	/* Our levels 0, 1, 2 are arm levels 3, 2, 1; a hint of arm level 0
	 * would read as "any". */
	if (r->had_tables || !levels || (levels & (levels - 1)) || levels > 4)
		return NW_TLB_ANY_LEVEL;
	return 3u - (unsigned)__builtin_ctz(levels);
}

/*
 * How to invalidate one range of a request with what the CPUs have
 * (NW_TLB_HAS_*). A range may begin or end inside a leaf that covered it: in
 * steps of leaves, it is widened to their boundaries.
 */
static inline void nw_tlb_plan(struct nw_tlb_plan *plan,
			       const struct nw_flush_request *q,
			       const struct nw_flush_range *r,
			       unsigned features)
{
	unsigned granule_lg2 = q->granule_lg2;
	unsigned level = r->leaf_levels ?
				 (unsigned)__builtin_ctz(r->leaf_levels) : 0;
	uint64_t step = 1ull << (granule_lg2 + level * (granule_lg2 - 3u));

	plan->start = r->start;
	plan->end = r->end;
	plan->step = step;
	plan->granule_lg2 = (uint8_t)granule_lg2;
	plan->base_lg2 = q->has_lpa2 ? NW_TLB_LPA2_BASE_LG2 :
				       (uint8_t)granule_lg2;
	plan->arm_level = (uint8_t)nw_tlb_level_hint(r);
	plan->has_ttl = !!(features & NW_TLB_HAS_TTL);
	/* A leaf that is larger than any range is one operation by address. */
	plan->by_range = (features & NW_TLB_HAS_RANGE) &&
			 r->end - r->start > step &&
			 step >> granule_lg2 <= NW_TLB_RANGE_PAGES_MAX;
	if (!plan->by_range)
		plan->start &= ~(step - 1);
	else if ((r->start | r->end) & (step - 1))
		/* A base that is not aligned to the hinted level names
		 * nothing. Aligned ends keep all bases aligned: each scale's
		 * unit divides the next one's and the leaf sizes. */
		plan->arm_level = NW_TLB_ANY_LEVEL;
}

/* The plan's next operation; 0 when it is done. */
static inline int nw_tlb_plan_next(struct nw_tlb_plan *plan,
				   struct nw_tlb_op *op);

/*
 * What the plan's operations cost together; anything beyond `limit` when it is
 * more than that.
 */
static inline uint64_t nw_tlb_plan_cost(struct nw_tlb_plan plan, uint64_t limit)
{
	uint64_t bytes = plan.end - plan.start, cost = 0;
	struct nw_tlb_op op;

	if (!plan.by_range)
		return (bytes + plan.step - 1) / plan.step;
	while (cost <= limit && nw_tlb_plan_next(&plan, &op))
		cost += op.is_range ? NW_TLB_RANGE_COST : 1;
	return cost;
}

/* Is one operation for the whole tag cheaper than all that the request's
 * ranges would take? */
static inline int nw_tlb_takes_whole(const struct nw_flush_request *q,
				     unsigned features)
{
	struct nw_tlb_plan plan;
	uint64_t cost = 0;

	for (unsigned i = 0; i < q->ranges && cost <= NW_TLB_COST_MAX; i++) {
		nw_tlb_plan(&plan, q, &q->range[i], features);
		cost += nw_tlb_plan_cost(plan, NW_TLB_COST_MAX - cost);
	}
	return q->is_whole || cost > NW_TLB_COST_MAX;
}

static inline int nw_tlb_plan_next(struct nw_tlb_plan *plan,
				   struct nw_tlb_op *op)
{
	if (plan->by_range)
		return nw_tlb_range_next(&plan->start, plan->end,
					 plan->granule_lg2, plan->base_lg2,
					 plan->arm_level, plan->has_ttl, op);
	if (plan->start >= plan->end)
		return 0;
	op->operand = nw_tlb_operand(plan->start, plan->granule_lg2,
				     plan->has_ttl ? plan->arm_level :
						     NW_TLB_ANY_LEVEL);
	op->start = plan->start;
	op->pages = plan->step >> plan->granule_lg2;
	op->is_range = 0;
	plan->start += plan->step;
	return 1;
}

#endif
