/* SPDX-License-Identifier: BSD-2-Clause */
#include "tlb_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nestwalk/trace.h>

#include "../../ports/el2/tlb_range.h"
#include "nw_port.h"

#define PHYS_BASE UINT64_C(0x40000000)

static struct tlb_port *current;

static void listen(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line)
{
	struct nwv_event e = {
		.seq = current->seq++,
		.a = a,
		.b = b,
		.c = c,
		.kind = (uint16_t)event,
		.line = line,
		.file = file,
	};

	current->events++;
	nwv_check_event(current->check, &e);
}

static void barrier(enum nw_barrier kind)
{
	NW_TRACE(NW_EV_BARRIER, kind, 0, 0);
}

/* Of the guest's table, as the EL2 port's sabotage. */
static int is_local(const struct tlb_port *port)
{
	return port->form == TLB_LOCAL_BY_ADDRESS ||
	       port->form == TLB_LOCAL_BY_RANGE;
}

static void by_operand(const struct tlb_port *port, int is_stage2,
		       int is_range, int had_tables, uint64_t operand,
		       unsigned tag)
{
	enum nw_tlbi op;

	if (is_stage2 && is_local(port))
		op = is_range ? NW_TLBI_RIPAS2E1 : NW_TLBI_IPAS2E1;
	else if (is_stage2)
		op = is_range ? NW_TLBI_RIPAS2E1IS : NW_TLBI_IPAS2E1IS;
	else if (is_range)
		op = NW_TLBI_RVAE2IS;
	else
		op = had_tables ? NW_TLBI_VAE2IS : NW_TLBI_VALE2IS;
	NW_TRACE(NW_EV_TLBI, op, operand, tag);
}

/* Arm level of the only leaves that were there; 0: no hint. */
static unsigned hint_of(const struct nw_flush_range *r)
{
	unsigned levels = r->leaf_levels;

	if (r->had_tables || !levels || (levels & (levels - 1)))
		return NW_TLB_ANY_LEVEL;
	return 3u - (unsigned)__builtin_ctz(levels);
}

static void one_range(const struct tlb_port *port,
		      const struct nw_flush_request *q,
		      const struct nw_flush_range *r)
{
	int is_stage2 = q->regime == NW_REGIME_STAGE2;
	uint64_t start = r->start;
	struct nw_tlb_op op;

	if (port->form == TLB_BY_RANGE || port->form == TLB_LOCAL_BY_RANGE) {
		while (nw_tlb_range_next(&start, r->end, q->granule_lg2,
					 q->granule_lg2, hint_of(r), 1, &op))
			by_operand(port, is_stage2, op.is_range, r->had_tables,
				   op.operand, q->tag);
		return;
	}
	for (; start < r->end; start += UINT64_C(1) << q->granule_lg2)
		by_operand(
			port, is_stage2, 0, r->had_tables,
			nw_tlb_operand(start, q->granule_lg2, NW_TLB_ANY_LEVEL),
			q->tag);
}

static void everything(const struct tlb_port *port,
		       const struct nw_flush_request *q)
{
	enum nw_tlbi op = NW_TLBI_VMALLS12E1IS;

	if (q->regime != NW_REGIME_STAGE2)
		op = port->form == TLB_LOCAL ? NW_TLBI_ALLE2 : NW_TLBI_ALLE2IS;
	else if (port->form == TLB_LOCAL)
		op = NW_TLBI_ALLE1;
	else if (is_local(port))
		op = NW_TLBI_VMALLS12E1;
	NW_TRACE(NW_EV_TLBI, op, 0, q->regime == NW_REGIME_STAGE2 ? q->tag : 0);
}

/* Past this many instructions ports drop the whole VMID instead. */
#define OPS_MAX 512

static int takes_too_many(const struct tlb_port *port,
			  const struct nw_flush_request *q)
{
	uint64_t pages = 0;
	unsigned i;

	for (i = 0; i < q->ranges; i++)
		pages +=
			(q->range[i].end - q->range[i].start) >> q->granule_lg2;
	return (port->form == TLB_BY_ADDRESS ||
		port->form == TLB_LOCAL_BY_ADDRESS) &&
	       pages > OPS_MAX;
}

static void invalidate(void *ctx, const struct nw_flush_request *q)
{
	struct tlb_port *port = ctx;
	int at_once = port->form == TLB_ALL || port->form == TLB_LOCAL ||
		      takes_too_many(port, q);
	unsigned i;

	port->arena.ops.invalidate(&port->arena, q);
	barrier(NW_BARRIER_DSB_ISHST);
	if (at_once)
		everything(port, q);
	else if (port->form != TLB_NONE && port->form != TLB_NO_IPA)
		for (i = 0; i < q->ranges; i++)
			one_range(port, q, &q->range[i]);
	barrier(NW_BARRIER_DSB_ISH);
	if (q->regime == NW_REGIME_STAGE2 && !at_once &&
	    port->form != TLB_NONE) {
		NW_TRACE(NW_EV_TLBI,
			 is_local(port) ? NW_TLBI_VMALLE1 : NW_TLBI_VMALLE1IS,
			 0, q->tag);
		barrier(NW_BARRIER_DSB_ISH);
	}
	barrier(NW_BARRIER_ISB);
}

static void *alloc_pages(void *ctx, unsigned pages_lg2)
{
	struct tlb_port *port = ctx;

	return port->arena.ops.alloc_pages(&port->arena, pages_lg2);
}

static void free_pages(void *ctx, void *pages, unsigned pages_lg2)
{
	struct tlb_port *port = ctx;

	port->arena.ops.free_pages(&port->arena, pages, pages_lg2);
}

void tlb_port_open(struct tlb_port *port, enum tlb_form form, unsigned pages)
{
	memset(port, 0, sizeof(*port));
	port->check = nwv_check_new(NULL);
	if (!port->check ||
	    nw_arena_init(&port->arena, PHYS_BASE, pages, 12) != 0) {
		fprintf(stderr, "no memory for an arena and an oracle\n");
		exit(2);
	}
	port->form = form;
	port->ops = port->arena.ops;
	port->ops.alloc_pages = alloc_pages;
	port->ops.free_pages = free_pages;
	port->ops.invalidate = invalidate;
	current = port;
	nw_posix_trace_hook = listen;
}

void tlb_port_close(struct tlb_port *port)
{
	nw_posix_trace_hook = NULL;
	nw_arena_fini(&port->arena);
	nwv_check_free(port->check);
}
