/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For test_engines.c: the machines, a walk as the hardware makes it, and what
 * hardware writes; in words of the manuals alone.
 */
#ifndef TEST_FORMAT_ENGINES_WALK_H
#define TEST_FORMAT_ENGINES_WALK_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <nestwalk/table.h>
#include "arena.h"

#define PHYS_BASE   0x40000000ull
#define ARENA_PAGES 4096
#define WINDOW	    1536 /* pages that the operations work on */
#define STEPS	    400
#define NOT_MAPPED  (~UINT64_C(0))

enum style { PAGING, NESTED, EPT, SV, SVX4 };

struct machine {
	const char *name;
	const struct nw_format_ops *ops;
	enum nw_regime regime;
	enum style style;
	uint8_t ia_bits;
	uint8_t levels;
	uint32_t features;
};

static const struct machine machines[] = {
	{"x86_64-48", &nw_x86_64_ops, NW_REGIME_X86, PAGING, 48, 4, 0},
	{"x86_64-48-nx", &nw_x86_64_ops, NW_REGIME_X86, PAGING, 48, 4,
	 NW_FEAT_X86_NX | NW_FEAT_X86_1G},
	{"x86_64-57", &nw_x86_64_ops, NW_REGIME_X86, PAGING, 57, 5,
	 NW_FEAT_X86_NX},
	{"npt-48", &nw_x86_npt_ops, NW_REGIME_NPT, NESTED, 48, 4,
	 NW_FEAT_X86_NX},
	{"npt-57", &nw_x86_npt_ops, NW_REGIME_NPT, NESTED, 57, 5,
	 NW_FEAT_X86_NX | NW_FEAT_X86_1G},
	{"ept-48", &nw_x86_ept_ops, NW_REGIME_EPT, EPT, 48, 4, 0},
	{"ept-48-ad", &nw_x86_ept_ops, NW_REGIME_EPT, EPT, 48, 4,
	 NW_FEAT_EPT_AD | NW_FEAT_X86_1G},
	{"ept-48-mbec", &nw_x86_ept_ops, NW_REGIME_EPT, EPT, 48, 4,
	 NW_FEAT_EPT_AD | NW_FEAT_EPT_MBEC | NW_FEAT_EPT_XO},
	{"ept-48-split", &nw_x86_ept_ops, NW_REGIME_EPT, EPT, 48, 4,
	 NW_FEAT_EPT_SPLIT_EXEC},
	{"ept-57", &nw_x86_ept_ops, NW_REGIME_EPT, EPT, 57, 5, 0},
	{"sv39", &nw_riscv_s_ops, NW_REGIME_RISCV_S, SV, 39, 3, 0},
	{"sv48", &nw_riscv_s_ops, NW_REGIME_RISCV_S, SV, 48, 4, NW_FEAT_SVPBMT},
	{"sv57-adu", &nw_riscv_s_ops, NW_REGIME_RISCV_S, SV, 57, 5,
	 NW_FEAT_SVADU},
	{"sv39-napot", &nw_riscv_s_ops, NW_REGIME_RISCV_S, SV, 39, 3,
	 NW_FEAT_SVNAPOT},
	{"sv39x4", &nw_riscv_g_ops, NW_REGIME_RISCV_G, SVX4, 41, 3, 0},
	{"sv48x4", &nw_riscv_g_ops, NW_REGIME_RISCV_G, SVX4, 50, 4,
	 NW_FEAT_SVADU},
	{"sv57x4-napot", &nw_riscv_g_ops, NW_REGIME_RISCV_G, SVX4, 59, 5,
	 NW_FEAT_SVNAPOT},
};

struct rig {
	const struct machine *machine;
	struct nw_arena arena;
	struct nw_table table;
	uint64_t base;	     /* input address of the window */
	uint64_t pa[WINDOW]; /* model: output, ~0 for none */
	uint8_t prot[WINDOW];
	uint8_t written[WINDOW]; /* by the guest, and not reported */
	uint64_t seed;
	struct nw_result result;
};

static uint64_t scramble(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned below(struct rig *rig, unsigned bound)
{
	return (unsigned)(scramble(&rig->seed) % bound);
}

/* ---- the hardware's walk ------------------------------------------------ */

/* Address bits 51:35: the last 32 GiB, whatever the width. */
#define NO_MEMORY 0x000ffff800000000ull

enum met { MET_NOTHING, MET_TABLE, MET_LEAF, MET_BAD };

struct walk {
	enum met met;
	uint64_t pa;	/* of the next table, or of the page */
	unsigned prot;	/* of the page: NW_PROT_R, W; X for any execution */
	unsigned napot; /* a run of 64 KiB */
};

static struct walk read_x86(const struct machine *m, unsigned level, uint64_t e)
{
	struct walk walk = {.met = MET_LEAF};
	uint64_t low = (UINT64_C(1) << (12 + 9 * level)) - 1;
	int is_ept = m->style == EPT;

	if (is_ept ? !(e & 7) && !(e & 0x400) : !(e & 1)) {
		/* No #VE, and no address where memory could be. */
		if (is_ept && !(e >> 63))
			walk.met = MET_BAD;
		else if (e << 1 && (e & NO_MEMORY) != NO_MEMORY)
			walk.met = MET_BAD;
		else
			walk.met = MET_NOTHING;
		return walk;
	}
	walk.pa = e & 0x000ffffffffff000;
	if (level && !(e & 0x80)) {
		walk.met = (e & 7) == 7 ? MET_TABLE : MET_BAD;
		return walk;
	}
	walk.prot = e & 2 ? NW_PROT_W : 0;
	if (is_ept) {
		walk.prot |= (e & 1 ? NW_PROT_R : 0) | (e & 4 ? NW_PROT_X : 0);
		if ((e & 3) == 2 || (e >> 3 & 7) != 6 ||
		    (level && (e & 4) &&
		     (m->features & NW_FEAT_EPT_SPLIT_EXEC)))
			walk.met = MET_BAD;
	} else {
		walk.prot |= NW_PROT_R | (e >> 63 ? 0 : NW_PROT_X);
		if (m->style == NESTED && !(e & 4))
			walk.met = MET_BAD;
		/* R/W clear with D set: a shadow-stack page. */
		if ((e & 0x42) == 0x40)
			walk.met = MET_BAD;
	}
	if (level > 2 || (level == 2 && !(m->features & NW_FEAT_X86_1G)) ||
	    (walk.pa & low))
		walk.met = MET_BAD;
	return walk;
}

static struct walk read_riscv(const struct machine *m, unsigned level,
			      uint64_t e)
{
	struct walk walk = {.met = MET_LEAF};
	uint64_t low = (UINT64_C(1) << (12 + 9 * level)) - 1;

	if (!(e & 1)) {
		walk.met = MET_NOTHING;
		return walk;
	}
	walk.pa = (e >> 10 & 0xfffffffffff) << 12;
	if (!(e & 0xe)) {
		walk.met = level && !(e & 0xd0) && !(e >> 54) ? MET_TABLE
							      : MET_BAD;
		return walk;
	}
	walk.prot = (e & 2 ? NW_PROT_R : 0) | (e & 4 ? NW_PROT_W : 0) |
		    (e & 8 ? NW_PROT_X : 0);
	if (e >> 63) {
		walk.napot = 1;
		if (level || !(m->features & NW_FEAT_SVNAPOT) ||
		    (walk.pa & 0xf000) != 0x8000)
			walk.met = MET_BAD;
		walk.pa &= ~0xffffull;
	}
	if ((e & 6) == 4 || (walk.pa & low))
		walk.met = MET_BAD;
	if (m->style == SVX4 && (e & 0x30) != 0x10)
		walk.met = MET_BAD;
	return walk;
}

static uint64_t word_at(const struct rig *rig, uint64_t table, uint64_t index)
{
	const uint64_t *page =
		nw_arena_read(&rig->arena, table + (index >> 9) * 4096);

	if (!page)
		fail_msg("%s: %#" PRIx64 " is no table page",
			 rig->machine->name, table);
	return page[index & 511];
}

static struct walk walk_to(const struct rig *rig, uint64_t ia)
{
	const struct machine *m = rig->machine;
	uint64_t table = nw_table_root(&rig->table).v;
	unsigned level = m->levels;
	struct walk walk;

	for (;;) {
		unsigned shift = 12 + 9 * --level;
		uint64_t index = ia >> shift;

		/* The root of a G-stage has 2,048 entries. */
		index &= level == m->levels - 1u && m->style == SVX4 ? 2047
								     : 511;
		walk = m->style <= EPT
			       ? read_x86(m, level, word_at(rig, table, index))
			       : read_riscv(m, level,
					    word_at(rig, table, index));
		if (walk.met == MET_BAD)
			fail_msg("%s: level %u at %#" PRIx64 ": %#" PRIx64,
				 m->name, level, ia,
				 word_at(rig, table, index));
		if (walk.met == MET_LEAF)
			walk.pa += ia &
				   ((UINT64_C(1) << (walk.napot ? 16 : shift)) -
				    1);
		if (walk.met != MET_TABLE)
			return walk;
		table = walk.pa;
	}
}

/* ---- the hardware's writes ---------------------------------------------- */

static int records_writes(const struct machine *m)
{
	if (m->style == EPT)
		return (m->features & NW_FEAT_EPT_AD) != 0;
	return m->style <= NESTED || (m->features & NW_FEAT_SVADU);
}

static uint64_t *leaf_word(const struct rig *rig, uint64_t ia)
{
	const struct machine *m = rig->machine;
	uint64_t table = nw_table_root(&rig->table).v;
	unsigned level = m->levels;

	for (;;) {
		uint64_t index = ia >> (12 + 9 * --level);
		struct walk walk;

		index &= level == m->levels - 1u && m->style == SVX4 ? 2047
								     : 511;
		walk = m->style <= EPT
			       ? read_x86(m, level, word_at(rig, table, index))
			       : read_riscv(m, level,
					    word_at(rig, table, index));
		if (walk.met != MET_TABLE)
			return (uint64_t *)(uintptr_t)nw_arena_read(
				       &rig->arena,
				       table + (index >> 9) * 4096) +
			       (index & 511);
		table = walk.pa;
	}
}

/* The guest writes to a page, if it may. */
static void hardware_write(struct rig *rig, unsigned page)
{
	const struct machine *m = rig->machine;
	uint64_t ia = rig->base + (uint64_t)page * 4096;
	/* A and D. */
	uint64_t marks = m->style <= NESTED ? 0x60
			 : m->style == EPT  ? 0x300
					    : 0xc0;

	if (rig->pa[page] == NOT_MAPPED || !(rig->prot[page] & NW_PROT_W) ||
	    !records_writes(m))
		return;
	*leaf_word(rig, ia) |= marks;
	rig->written[page] = 1;
}

static void reported(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct rig *rig = arg;
	unsigned i;

	for (i = 0; i < WINDOW; i++) {
		uint64_t at = rig->base + (uint64_t)i * 4096;

		if (at >= ia.v && at - ia.v < size_bytes)
			rig->written[i] = 0;
	}
}

static unsigned reports;

static void count_report(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)arg, (void)ia, (void)size_bytes;
	reports++;
}

static void check_reported(struct rig *rig, unsigned from, unsigned pages)
{
	unsigned i;

	for (i = from; i < from + pages; i++)
		if (rig->written[i])
			fail_msg("%s: the write to page %u was not reported",
				 rig->machine->name, i);
}

#endif
