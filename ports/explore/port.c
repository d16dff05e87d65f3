/* SPDX-License-Identifier: BSD-2-Clause */
#include "nw_port.h"

static void *alloc_pages(void *ctx, unsigned pages_lg2)
{
	(void)ctx;
	return nwx_page_alloc(pages_lg2);
}

static void free_pages(void *ctx, void *pages, unsigned pages_lg2)
{
	(void)ctx;
	nwx_page_free(pages, pages_lg2);
}

/* The level of the only leaves that were there, or -1. */
static int level_hint(const struct nw_flush_range *r)
{
	unsigned levels = r->leaf_levels;

	if (r->had_tables || !levels || (levels & (levels - 1)))
		return -1;
	return __builtin_ctz(levels);
}

/* Past this many instructions, one that drops the whole regime is cheaper. */
#define OPS_MAX 4u

/* One instruction drops one leaf; the smallest that was there is the step. */
static uint64_t step_of(const struct nw_flush_range *r)
{
	unsigned levels = r->leaf_levels;

	return UINT64_C(0x1000) << (levels ? 9 * __builtin_ctz(levels) : 0);
}

static int is_large(const struct nw_flush_request *q)
{
	uint64_t ops = 0;

	for (unsigned i = 0; i < q->ranges; i++)
		ops += (q->range[i].end - q->range[i].start) /
		       step_of(&q->range[i]);
	return ops > OPS_MAX;
}

/* ORD-07: the barriers around it are the caller's. */
static void invalidate_range(enum nw_tlbi op, const struct nw_flush_range *r,
			     unsigned tag)
{
	uint64_t step = step_of(r);

	for (uint64_t at = r->start & ~(step - 1); at < r->end; at += step)
		nwx_tlbi(op, at, at + step, tag, level_hint(r));
}

/* ORD-20 before the first, ORD-21 between the rounds of stage 2, and at the end
 * the completion that ORD-07 asks for. */
static void invalidate(void *ctx, const struct nw_flush_request *q)
{
	int is_stage2 = q->regime == NW_REGIME_STAGE2;
	int is_all = is_large(q);

	(void)ctx;
	nwx_called(__builtin_return_address(0));
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	if (is_all)
		nwx_tlbi(is_stage2 ? NW_TLBI_VMALLS12E1IS : NW_TLBI_ALLE2IS, 0,
			 0, q->tag, -1);
	for (unsigned i = 0; i < q->ranges && !is_all; i++)
		invalidate_range(is_stage2		? NW_TLBI_IPAS2E1IS :
				 q->range[i].had_tables ? NW_TLBI_VAE2IS :
							  NW_TLBI_VALE2IS,
				 &q->range[i], q->tag);
	if (is_stage2 && !is_all) {
		nwx_barrier(NW_BARRIER_DSB_ISH);
		nwx_tlbi(NW_TLBI_VMALLE1IS, 0, 0, q->tag, -1);
	}
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_barrier(NW_BARRIER_ISB);
}

/* For what only this CPU can reach; EL2 only. ORD-15 */
static void invalidate_local(void *ctx, const struct nw_flush_request *q)
{
	(void)ctx;
	nwx_called(__builtin_return_address(0));
	nwx_barrier(NW_BARRIER_DSB_NSHST);
	if (is_large(q))
		nwx_tlbi(NW_TLBI_ALLE2, 0, 0, q->tag, -1);
	for (unsigned i = 0; i < q->ranges && !is_large(q); i++)
		invalidate_range(q->range[i].had_tables ? NW_TLBI_VAE2 :
							  NW_TLBI_VALE2,
				 &q->range[i], q->tag);
	nwx_barrier(NW_BARRIER_DSB_NSH);
	nwx_barrier(NW_BARRIER_ISB);
}

struct nw_port_ops nwx_port_ops = {
	.alloc_pages = alloc_pages,
	.free_pages = free_pages,
	.invalidate = invalidate,
	.invalidate_local = invalidate_local,
};

void nwx_port_ops_init(void)
{
	nwx_port_ops.virt_minus_phys = nwx_virt_minus_phys();
}
