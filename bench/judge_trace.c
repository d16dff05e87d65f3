/* SPDX-License-Identifier: BSD-2-Clause */
#include "judge_trace.h"

#include <stdio.h>
#include <stdlib.h>

#include <nestwalk/format.h>
#include <nestwalk/port.h>

#define ROOT	UINT64_C(0x40000000)
#define TAB1	UINT64_C(0x40010000) /* 2 MiB an entry */
#define TAB0	UINT64_C(0x50000000) /* the first page of 4 KiB an entry */
#define RAM	UINT64_C(0x8000000000)
#define MUTEX	UINT64_C(0xffff000000001000)
#define PAGE	UINT64_C(4096)
#define ENTRIES 512u
#define VMID	7

/* Read, write and execute, write-back, inner shareable, accessed. */
#define LEAF(pa)  ((pa) | UINT64_C(0x7ff))
#define BLOCK(pa) ((pa) | UINT64_C(0x7fd))
#define TABLE(pa) ((pa) | 3)

static void add(struct judge_trace *t, unsigned kind, uint64_t a, uint64_t b,
		uint64_t c, unsigned line)
{
	if (t->events == t->room) {
		t->room = t->room ? 2 * t->room : 4096;
		t->event = realloc(t->event, t->room * sizeof(*t->event));
		if (!t->event) {
			fprintf(stderr, "nwjudge: no memory\n");
			exit(1);
		}
	}
	t->event[t->events] = (struct nwv_event){
		.seq = t->events,
		.a = a,
		.b = b,
		.c = c,
		.cpu = (uint16_t)t->cpu,
		.kind = (uint16_t)kind,
		.line = line,
		.file = "src/table/change.c",
	};
	t->events++;
}

#define ADD(kind, a, b, c) add(t, NW_EV_##kind, a, b, c, __LINE__)
#define FENCE(kind)	   ADD(BARRIER, NW_BARRIER_##kind, 0, 0)

static uint64_t at(uint64_t page, unsigned index)
{
	return page + UINT64_C(0xffff000000000000) + 8 * (uint64_t)index;
}

/* Entry of guest page `n`. */
static uint64_t leaf_at(unsigned n)
{
	return at(TAB0 + n / ENTRIES * PAGE, n % ENTRIES);
}

static void page(struct judge_trace *t, uint64_t pa)
{
	ADD(PAGE_ALLOC, pa, PAGE, at(pa, 0));
}

static void root(struct judge_trace *t, uint64_t first, unsigned blocks)
{
	page(t, ROOT);
	ADD(TABLE_INIT, ROOT,
	    NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 12, 39, 40, 0), VMID);
	for (unsigned i = 0; i < ENTRIES; i++)
		ADD(ENTRY_INIT, at(ROOT, i),
		    i < blocks ? BLOCK(first + ((uint64_t)i << 30)) : 0, 1);
	ADD(ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2);
}

/* A table of `pages` guest pages. */
static void table(struct judge_trace *t, unsigned pages)
{
	unsigned tables = (pages + ENTRIES - 1) / ENTRIES;

	root(t, 0, 0);
	page(t, TAB1);
	for (unsigned k = 0; k < tables; k++) {
		page(t, TAB0 + k * PAGE);
		for (unsigned i = 0; i < ENTRIES; i++)
			ADD(ENTRY_INIT, leaf_at(k * ENTRIES + i),
			    LEAF(RAM + (k * ENTRIES + i) * PAGE), 1);
	}
	for (unsigned i = 0; i < ENTRIES; i++)
		ADD(ENTRY_INIT, at(TAB1, i),
		    i < tables ? TABLE(TAB0 + i * PAGE) : 0, 1);
	ADD(ENTRY_LINK, at(ROOT, 0), 0, TABLE(TAB1));
	FENCE(DSB_ISHST);
	t->cpu = 1;
	ADD(ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2);
	t->cpu = 0;
}

static void change(struct judge_trace *t, uint64_t entry, uint64_t old,
		   uint64_t value)
{
	ADD(ENTRY_READ, entry, old, 0);
	ADD(ENTRY_WRITE, entry, old, value);
}

/* The second half of a flush of stage 2. */
static void combined(struct judge_trace *t)
{
	FENCE(DSB_ISH);
	ADD(TLBI, NW_TLBI_VMALLE1IS, 0, VMID);
	FENCE(DSB_ISH);
	FENCE(ISB);
}

static void flush_address(struct judge_trace *t, uint64_t ia)
{
	/* TTL: 4 KiB granule, any level */
	ADD(TLBI, NW_TLBI_IPAS2E1IS, ia >> 12, VMID);
}

static void remap(struct judge_trace *t, uint64_t entry, uint64_t ia,
		  uint64_t leaf)
{
	change(t, entry, leaf, 0);
	FENCE(DSB_ISHST);
	flush_address(t, ia);
	combined(t);
	change(t, entry, 0, leaf);
	FENCE(DSB_ISHST);
}

/* ---- mixed ------------------------------------------------------------- */

static void remap_many(struct judge_trace *t, unsigned first)
{
	unsigned i;

	for (i = first; i < first + ENTRIES; i++)
		change(t, leaf_at(i), LEAF(RAM + i * PAGE), 0);
	FENCE(DSB_ISHST);
	/* TG 4 KiB, SCALE 1, NUM 7: 512 granules */
	ADD(TLBI, NW_TLBI_RIPAS2E1IS,
	    UINT64_C(1) << 46 | UINT64_C(1) << 44 | UINT64_C(7) << 39 | first,
	    VMID);
	combined(t);
	for (i = first; i < first + ENTRIES; i++)
		change(t, leaf_at(i), 0, LEAF(RAM + i * PAGE));
	FENCE(DSB_ISHST);
}

/* A page table is made, linked, dropped, flushed and freed. */
static void come_and_go(struct judge_trace *t, unsigned slot)
{
	const uint64_t pa = TAB1 + PAGE, ia = (uint64_t)slot << 21;

	page(t, pa);
	for (unsigned i = 0; i < ENTRIES; i++)
		ADD(ENTRY_INIT, at(pa, i), LEAF(RAM + ia + i * PAGE), 1);
	ADD(ENTRY_READ, at(TAB1, slot), 0, 0);
	ADD(ENTRY_LINK, at(TAB1, slot), 0, TABLE(pa));
	ADD(PAGE_LINK, pa, at(TAB1, slot), 0);
	FENCE(DSB_ISHST);
	change(t, at(TAB1, slot), TABLE(pa), 0);
	ADD(PAGE_UNLINK, pa, 0, 0);
	FENCE(DSB_ISHST);
	ADD(TLBI, NW_TLBI_VMALLS12E1IS, 0, VMID);
	FENCE(DSB_ISH);
	FENCE(ISB);
	ADD(PAGE_FREE, pa, PAGE, 0);
}

void judge_trace_mixed(struct judge_trace *t, size_t events)
{
	const unsigned pages = 16 * ENTRIES;

	table(t, pages);
	for (unsigned n = 0; t->events < events; n++) {
		unsigned p = n * 7919u % pages;

		t->cpu = n / 3 & 1;
		ADD(LOCK, MUTEX, 0, 0);
		if (n % 64 == 63)
			remap_many(t, p / ENTRIES * ENTRIES);
		else if (n % 64 == 31)
			come_and_go(t, 100 + n % 256);
		else
			remap(t, leaf_at(p), p * PAGE, LEAF(RAM + p * PAGE));
		ADD(UNLOCK, MUTEX, 0, 0);
	}
}

/* ---- many outstanding -------------------------------------------------- */

void judge_trace_outstanding(struct judge_trace *t, unsigned pages)
{
	uint64_t n;
	unsigned p;

	table(t, pages);
	/* Primes that divide no number of pages that is asked for. */
	for (n = 0; n < pages; n++) {
		p = (unsigned)(n * 7919 % pages);
		change(t, leaf_at(p), LEAF(RAM + p * PAGE), 0);
	}
	FENCE(DSB_ISHST);
	for (n = 0; n < pages; n++)
		flush_address(t, n * 104729 % pages * PAGE);
	combined(t);
}

/* ---- short ------------------------------------------------------------- */

void judge_trace_short(struct judge_trace *t, size_t events)
{
	unsigned n;

	root(t, RAM, 8);
	for (n = 0; t->events + 11 <= events; n++)
		remap(t, at(ROOT, n % 8), (uint64_t)(n % 8) << 30,
		      BLOCK(RAM + ((uint64_t)(n % 8) << 30)));
	while (t->events < events)
		FENCE(ISB);
}

void judge_trace_free(struct judge_trace *t)
{
	free(t->event);
	*t = (struct judge_trace){0};
}
