/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations, shared mode, contiguous runs. */
#include <nestwalk/table.h>

#include "pairs.h"

#define RW(i) S2_PAGE(RAM + (i)*PAGE)
#define RO(i) (RW(i) & ~S2_W)

static void op(struct tb *t, unsigned kind, enum nw_op what, uint64_t start,
	       uint64_t end)
{
	ev(t, kind, start, end,
	   NW_TRACE_OP(what, 1 + NW_MODE_EXCLUSIVE, NW_OK, ROOT));
}

static void flush_all(struct tb *t)
{
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* ---- shared mode -----------------------------------------------------------
 */

/* As s2_mapped(), by its own words: the table is in shared mode. */
static void shared_table(struct tb *t)
{
	alloc(t, ROOT, 2);
	ev(t, NW_EV_TABLE_INIT, ROOT,
	   NW_TRACE_SHAPE(NW_FORMAT_ID_arm64_s2, 12, 40, 40, 0),
	   VMID | (uint64_t)NW_REGIME_STAGE2 << 16 |
		   (uint64_t)(1 + NW_MODE_SHARED) << 32);
	zero(t, ROOT, ~0u);
	zero(t, ROOT + PAGE, ~0u);
	alloc(t, TAB1, 1);
	alloc(t, TAB0, 1);
	zero(t, TAB0, ~0u);
	zero(t, TAB1, 0);
	init(t, TAB1, 0, TABLE(TAB0));
	swap(t, ROOT, 0, 0, TABLE(TAB1));
}

static void shared_plain(struct tb *t, int bad)
{
	shared_table(t);
	CHOOSE(bad, swap(t, TAB0, 0, 0, RW(0)), set(t, TAB0, 0, 0, RW(0)));
}

static void shared_publish(struct tb *t, int bad)
{
	shared_table(t);
	ev(t, NW_EV_ENTRY_LOCK, AT(TAB0, 0), 0, 2);
	CHOOSE(bad, ev(t, NW_EV_ENTRY_PUBLISH, AT(TAB0, 0), 2, RW(0)),
	       ev(t, NW_EV_ENTRY_LINK, AT(TAB0, 0), 2, RW(0)));
	swap(t, TAB0, 0, RW(0), RW(0));
}

/* The table says nothing, the operation does. */
static void shared_op(struct tb *t, int bad)
{
	uint64_t word = NW_TRACE_OP(NW_OP_MAP, 1 + NW_MODE_SHARED, NW_OK, ROOT);

	s2_mapped(t, 0);
	ev(t, NW_EV_OP_BEGIN, 9 * PAGE, 10 * PAGE, word);
	CHOOSE(bad, swap(t, TAB0, 9, 0, RW(9)), set(t, TAB0, 9, 0, RW(9)));
	ev(t, NW_EV_OP_END, 9 * PAGE, 10 * PAGE, word);
}

/* ---- contiguous runs
 * --------------------------------------------------------- */

/* 64 KiB at TAB0[16], linked; member `at` is something else. */
static void run_of_16(struct tb *t, unsigned at, uint64_t value)
{
	unsigned i;

	s2_table(t, 0);
	alloc(t, TAB1, 1);
	alloc(t, TAB0, 1);
	zero(t, TAB0, ~0u);
	for (i = 16; i < 32; i++)
		init(t, TAB0, i, i == at ? value : RW(i) | D_CONTIG);
	zero(t, TAB1, 0);
	init(t, TAB1, 0, TABLE(TAB0));
	link_(t, ROOT, 0, 0, TABLE(TAB1));
	barrier(t, NW_BARRIER_DSB_ISHST);
}

static void run_output(struct tb *t, int bad)
{
	run_of_16(t, 20, RW(bad ? 21 : 20) | D_CONTIG);
}

static void run_hole(struct tb *t, int bad)
{
	run_of_16(t, 31, bad ? 0 : RW(31) | D_CONTIG);
}

/* Accessed may differ, shareability may not. */
static void run_attrs(struct tb *t, int bad)
{
	run_of_16(t, 17,
		  bad ? (RW(17) & ~D_SH_INNER) | D_SH_OUTER | D_CONTIG
		      : (RW(17) & ~D_AF) | D_CONTIG);
}

static void run_in_part(struct tb *t, int bad)
{
	unsigned i;

	run_of_16(t, ~0u, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_RESTRICT, 16 * PAGE, 32 * PAGE);
	for (i = 16; i < 31; i++)
		set(t, TAB0, i, RW(i) | D_CONTIG, RO(i) | D_CONTIG);
	CHOOSE(bad, set(t, TAB0, 31, RW(31) | D_CONTIG, RO(31) | D_CONTIG),
	       (void)0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_RESTRICT, 16 * PAGE, 32 * PAGE);
	/* Too late for the operation, in time for the end. */
	swap(t, TAB0, 31, RO(31) | D_CONTIG, RO(31) | D_CONTIG);
}

/* ---- what an operation may change
 * ---------------------------------------------- */

static void one_store(struct tb *t, enum nw_op what, int has_store,
		      uint64_t from, uint64_t to)
{
	op(t, NW_EV_OP_BEGIN, what, 0, PAGE);
	if (has_store)
		set(t, TAB0, 0, from, to);
	flush_all(t);
	op(t, NW_EV_OP_END, what, 0, PAGE);
}

static void relax_removes(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	one_store(t, NW_OP_RELAX, bad, RW(0), RO(0));
}

static void relax_unmaps(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	one_store(t, NW_OP_RELAX, bad, RW(0), 0);
}

/* Break-before-make is one change. */
static void relax_makes_less(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_RELAX, 0, PAGE);
	swap(t, TAB0, 0, RW(0), 2);
	flush_all(t);
	link_(t, TAB0, 0, 2, bad ? RO(0) : RW(0));
	op(t, NW_EV_OP_END, NW_OP_RELAX, 0, PAGE);
}

static void restrict_as(struct tb *t, int bad, enum nw_op what)
{
	s2_mapped(t, 0);
	set(t, TAB0, 0, RW(0), RO(0));
	flush_all(t);
	one_store(t, what, bad, RO(0), RW(0));
}

static void restrict_adds(struct tb *t, int bad)
{
	restrict_as(t, bad, NW_OP_RESTRICT);
}

static void write_protect_adds(struct tb *t, int bad)
{
	restrict_as(t, bad, NW_OP_WRITE_PROTECT);
}

static void age_adds(struct tb *t, int bad)
{
	restrict_as(t, bad, NW_OP_AGE);
}

static void harvest_moves(struct tb *t, int bad)
{
	s2_mapped(t, NW_FEAT_HAF | NW_FEAT_HD);
	op(t, NW_EV_OP_BEGIN, NW_OP_HARVEST_DIRTY, 0, PAGE);
	swap(t, TAB0, 0, RW(0), 2);
	flush_all(t);
	link_(t, TAB0, 0, 2, bad ? RO(1) : RO(0) | D_DBM);
	op(t, NW_EV_OP_END, NW_OP_HARVEST_DIRTY, 0, PAGE);
}

static void map_over(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	one_store(t, NW_OP_MAP, bad, RW(0), RO(0));
}

static void unmap_beyond(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 0, PAGE);
	set(t, TAB0, 0, RW(0), 0);
	CHOOSE(bad, (void)0, set(t, TAB0, 1, RW(1), 0));
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 0, PAGE);
}

/* The block in TAB1[1] becomes a table; entry `at` of it is `value`. */
static void split_block(struct tb *t, unsigned at, uint64_t value)
{
	unsigned i;

	alloc(t, TAB_NEW, 1);
	for (i = 0; i < 512; i++)
		init(t, TAB_NEW, i, i == at ? value : RW(512 + i));
	swap(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), 2);
	flush_all(t);
	link_(t, TAB1, 1, 2, TABLE(TAB_NEW));
}

static void edge_differs(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 2 * MIB, 2 * MIB + PAGE);
	split_block(t, 5, bad ? 0 : RW(517));
	set(t, TAB_NEW, 0, RW(512), 0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 2 * MIB, 2 * MIB + PAGE);
}

static void split_differs(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_SPLIT, 2 * MIB, 2 * MIB + PAGE);
	split_block(t, 0, bad ? RO(512) : RW(512));
	op(t, NW_EV_OP_END, NW_OP_SPLIT, 2 * MIB, 2 * MIB + PAGE);
}

static void reclaim_full(struct tb *t, int bad)
{
	unsigned i;

	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 0, 8 * PAGE);
	for (i = 0; i < 7; i++)
		set(t, TAB0, i, RW(i), 0);
	CHOOSE(bad, set(t, TAB0, 7, RW(7), 0), (void)0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 0, 8 * PAGE);
	op(t, NW_EV_OP_BEGIN, NW_OP_RECLAIM, 0, 2 * MIB);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_RECLAIM, 0, 2 * MIB);
}

/* ---- what is owed when it returns
 * ------------------------------------------------- */

static void returned_early(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 0, PAGE);
	set(t, TAB0, 0, RW(0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 0, PAGE);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* A subtree, of which the invalidation by address serves a part. */
static void returned_in_part(struct tb *t, int bad)
{
	unsigned i;

	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 0, 2 * MIB);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	for (i = 0; i < 8; i++)
		if (i != 3 || !bad)
			tlbi(t, NW_TLBI_IPAS2E1IS, by_address(i * PAGE, 0),
			     VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 0, 2 * MIB);
	flush_all(t);
}

/* Another CPU's invalidation serves first and completes last; this CPU's own
 * one has completed. */
static void returned_after_own(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 0, PAGE);
	set(t, TAB0, 0, RW(0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	on_cpu(t, 1);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	on_cpu(t, 0);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 0, PAGE);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* A removal takes the broken block from the CPU that splits it. */
static void split_stolen(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_SPLIT, 2 * MIB, 2 * MIB + PAGE);
	swap(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), 2);
	flush_all(t);
	on_cpu(t, 1);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP, 2 * MIB, 4 * MIB);
	CHOOSE(bad, swap(t, TAB1, 1, 2, 0), (void)0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_UNMAP, 2 * MIB, 4 * MIB);
	on_cpu(t, 0);
	op(t, NW_EV_OP_END, NW_OP_SPLIT, 2 * MIB, 2 * MIB + PAGE);
}

const struct pair pairs_op[] = {
	{"ENTRY-11", "plain store in shared mode", shared_plain},
	{"ENTRY-11", "publish that is none", shared_publish},
	{"ENTRY-11", "plain store, the operation tells the mode", shared_op},
	{"ENTRY-12", "output of a member", run_output},
	{"ENTRY-12", "hole in a run", run_hole},
	{"ENTRY-12", "shareability of a member", run_attrs},
	{"ENTRY-12", "rights of all but one", run_in_part},
	{"OP-01", "relax takes the write right", relax_removes},
	{"OP-01", "relax unmaps", relax_unmaps},
	{"OP-01", "relax breaks and makes less", relax_makes_less},
	{"OP-02", "restrict gives the write right", restrict_adds},
	{"OP-02", "write-protect gives it", write_protect_adds},
	{"OP-02", "age gives it", age_adds},
	{"OP-02", "harvest makes another page", harvest_moves},
	{"OP-03", "map over a leaf", map_over},
	{"OP-04", "unmap beyond its end", unmap_beyond},
	{"OP-04", "split edge with a hole", edge_differs},
	{"OP-05", "split with other rights", split_differs},
	{"OP-05", "reclaim of a table in use", reclaim_full},
	{"OP-05", "split gives up, and nobody took over", split_stolen},
	{"TLB-21", "returned before the last barrier", returned_early},
	{"TLB-21", "returned before its own barrier", returned_after_own},
	{"TLB-09", "returned with a part of a subtree", returned_in_part},
};

const unsigned pairs_op_count = sizeof(pairs_op) / sizeof(pairs_op[0]);
