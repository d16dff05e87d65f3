/* SPDX-License-Identifier: BSD-2-Clause */
#include "build.h"

#include <stdio.h>
#include <stdlib.h>

void ev(struct tb *t, unsigned kind, uint64_t a, uint64_t b, uint64_t c)
{
	if (t->events == TB_EVENTS_MAX) {
		fprintf(stderr, "trace too long: raise TB_EVENTS_MAX\n");
		exit(2);
	}
	t->event[t->events] = (struct nwv_event){
		.seq = t->events,
		.a = a,
		.b = b,
		.c = c,
		.cpu = (uint16_t)t->cpu,
		.kind = (uint16_t)kind,
	};
	t->events++;
}

void on_cpu(struct tb *t, unsigned cpu)
{
	t->cpu = cpu;
}

void alloc(struct tb *t, uint64_t pa, unsigned pages)
{
	ev(t, NW_EV_PAGE_ALLOC, pa, pages * PAGE, VA(pa));
}

void zero(struct tb *t, uint64_t pa, unsigned except)
{
	unsigned i;

	for (i = 0; i < 512; i++)
		if (i != except)
			init(t, pa, i, 0);
}

void init(struct tb *t, uint64_t pa, unsigned index, uint64_t value)
{
	ev(t, NW_EV_ENTRY_INIT, AT(pa, index), value, 1);
}

void set(struct tb *t, uint64_t pa, unsigned index, uint64_t old,
	 uint64_t value)
{
	ev(t, NW_EV_ENTRY_WRITE, AT(pa, index), old, value);
}

void link_(struct tb *t, uint64_t pa, unsigned index, uint64_t old,
	   uint64_t value)
{
	ev(t, NW_EV_ENTRY_LINK, AT(pa, index), old, value);
}

void swap(struct tb *t, uint64_t pa, unsigned index, uint64_t old,
	  uint64_t value)
{
	ev(t, NW_EV_ENTRY_RMW, AT(pa, index), old, value);
}

void barrier(struct tb *t, enum nw_barrier kind)
{
	ev(t, NW_EV_BARRIER, kind, 0, 0);
}

void tlbi(struct tb *t, enum nw_tlbi op, uint64_t operand, unsigned vmid)
{
	ev(t, NW_EV_TLBI, op, operand, vmid);
}

void page_unlink(struct tb *t, uint64_t pa, unsigned level)
{
	ev(t, NW_EV_PAGE_UNLINK, pa, 0, level);
}

void page_free(struct tb *t, uint64_t pa, unsigned pages)
{
	ev(t, NW_EV_PAGE_FREE, pa, pages * PAGE, 0);
}

uint64_t by_address(uint64_t address, unsigned arm_level)
{
	uint64_t operand = address >> 12;

	return arm_level
		       ? operand | UINT64_C(1) << 46 | (uint64_t)arm_level << 44
		       : operand;
}

uint64_t by_range(uint64_t address, unsigned scale, unsigned num)
{
	return address >> 12 | (uint64_t)num << 39 | (uint64_t)scale << 44 |
	       UINT64_C(1) << 46;
}

void s2_table(struct tb *t, unsigned features)
{
	alloc(t, ROOT, 2);
	ev(t, NW_EV_TABLE_INIT, ROOT,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 12, 40, 40, features),
	   VMID | (uint64_t)NW_REGIME_STAGE2 << 16);
	zero(t, ROOT, ~0u);
	zero(t, ROOT + PAGE, ~0u);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

void el2_table(struct tb *t, unsigned features)
{
	alloc(t, EROOT, 1);
	ev(t, NW_EV_TABLE_INIT, EROOT,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_el2, 12, 48, 48, features),
	   (uint64_t)NW_REGIME_EL2 << 16);
	zero(t, EROOT, ~0u);
	barrier(t, NW_BARRIER_DSB_ISHST);
}

void s2_mapped(struct tb *t, unsigned features)
{
	unsigned i;

	s2_table(t, features);
	alloc(t, TAB1, 1);
	alloc(t, TAB0, 1);
	zero(t, TAB0, ~0u);
	for (i = 0; i < 8; i++)
		init(t, TAB0, i, S2_PAGE(RAM + i * PAGE));
	zero(t, TAB1, ~0u);
	init(t, TAB1, 0, TABLE(TAB0));
	init(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB));
	link_(t, ROOT, 0, 0, TABLE(TAB1));
	barrier(t, NW_BARRIER_DSB_ISHST);
}

void el2_mapped(struct tb *t, unsigned features)
{
	unsigned i;

	el2_table(t, features);
	alloc(t, ETAB2, 1);
	alloc(t, ETAB1, 1);
	alloc(t, ETAB0, 1);
	zero(t, ETAB0, ~0u);
	for (i = 0; i < 8; i++)
		init(t, ETAB0, i, EL2_PAGE(RAM + i * PAGE));
	zero(t, ETAB1, ~0u);
	init(t, ETAB1, 0, TABLE(ETAB0));
	init(t, ETAB1, 1, EL2_BLOCK(RAM + 2 * MIB));
	zero(t, ETAB2, ~0u);
	init(t, ETAB2, 0, TABLE(ETAB1));
	link_(t, EROOT, 0, 0, TABLE(ETAB2));
	barrier(t, NW_BARRIER_DSB_ISHST);
}

void split_page(struct tb *t)
{
	unsigned i;

	alloc(t, TAB_NEW, 1);
	for (i = 0; i < 512; i++)
		init(t, TAB_NEW, i, S2_PAGE(RAM + 2 * MIB + i * PAGE));
}

void s2_flush(struct tb *t, uint64_t ipa)
{
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(ipa, 0), VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	barrier(t, NW_BARRIER_ISB);
}

void el2_flush(struct tb *t, uint64_t va)
{
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VAE2IS, by_address(va, 0), 0);
	barrier(t, NW_BARRIER_DSB_ISH);
	barrier(t, NW_BARRIER_ISB);
}
