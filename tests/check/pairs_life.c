/* SPDX-License-Identifier: BSD-2-Clause */
/* LIFE rules. */
#include "pairs.h"

static void free_unknown(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	page_free(t, TAB_NEW, 1);
	CHOOSE(bad, (void)0, page_free(t, TAB_NEW, 1));
}

/* TAB0 dropped: cleared, said so, flushed. */
static void drop_table(struct tb *t)
{
	set(t, TAB1, 0, TABLE(TAB0), 0);
	page_unlink(t, TAB0, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void free_linked(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	CHOOSE(bad, set(t, TAB1, 0, TABLE(TAB0), 0), (void)0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	page_free(t, TAB0, 1);
}

static void free_unflushed(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	page_unlink(t, TAB0, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	page_free(t, TAB0, 1);
}

static void lookup(struct tb *t)
{
	ev(t, NW_EV_SECTION_ENTER, 0, 0, 0);
	ev(t, NW_EV_ENTRY_READ, AT(ROOT, 0), TABLE(TAB1), 0);
	ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0);
}

static void free_without_grace(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	on_cpu(t, 1);
	lookup(t);
	on_cpu(t, 0);
	drop_table(t);
	CHOOSE(bad, ev(t, NW_EV_GRACE_PERIOD, 0, 0, 0), (void)0);
	page_free(t, TAB0, 1);
}

/* A grace period elapsed, but it cannot have: an older section is open. */
static void free_under_reader(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_SECTION_ENTER, 0, 0, 0);
	ev(t, NW_EV_ENTRY_READ, AT(ROOT, 0), TABLE(TAB1), 0);
	on_cpu(t, 0);
	drop_table(t);
	on_cpu(t, 1);
	CHOOSE(bad, ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0), (void)0);
	on_cpu(t, 0);
	ev(t, NW_EV_GRACE_PERIOD, 0, 0, 0);
	page_free(t, TAB0, 1);
}

static void install_retired(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	drop_table(t);
	CHOOSE(bad, (void)0, set(t, TAB0, 9, 0, S2_PAGE(RAM + 9 * PAGE)));
	page_free(t, TAB0, 1);
}

static void read_freed(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	drop_table(t);
	page_free(t, TAB0, 1);
	CHOOSE(bad, (void)0,
	       ev(t, NW_EV_ENTRY_READ, AT(TAB0, 0), S2_PAGE(RAM), 0));
}

static void write_freed(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	drop_table(t);
	page_free(t, TAB0, 1);
	CHOOSE(bad, (void)0, set(t, TAB0, 0, S2_PAGE(RAM), 0));
}

static void end_table(struct tb *t)
{
	set(t, ROOT, 0, TABLE(TAB1), 0);
	page_unlink(t, TAB1, 1);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void leak(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	end_table(t);
	CHOOSE(bad, page_free(t, TAB0, 1), (void)0);
	page_free(t, TAB1, 1);
	ev(t, NW_EV_TABLE_FREE, ROOT, 0, 0);
	page_free(t, ROOT, 2);
}

static void unlink_reachable(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	CHOOSE(bad, set(t, TAB1, 0, TABLE(TAB0), 0), (void)0);
	page_unlink(t, TAB0, 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void alloc_in_use(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	CHOOSE(bad, page_free(t, TAB_NEW, 1), (void)0);
	alloc(t, TAB_NEW, 1);
}

static void frame_reuse(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 3, S2_PAGE(RAM + 3 * PAGE), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	ev(t, NW_EV_FRAME_REUSE, RAM + 3 * PAGE, PAGE, 0);
}

/* The frame lies in a block whose table was dropped whole. */
static void frame_reuse_subtree(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, ROOT, 0, TABLE(TAB1), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	ev(t, NW_EV_FRAME_REUSE, RAM + 3 * MIB, PAGE, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void free_installed(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2);
	end_table(t);
	page_free(t, TAB0, 1);
	page_free(t, TAB1, 1);
	ev(t, NW_EV_TABLE_FREE, ROOT, 0, 0);
	CHOOSE(bad, ev(t, NW_EV_ROOT_SWITCH, 0, 0, NW_REGIME_STAGE2), (void)0);
	page_free(t, ROOT, 2);
}

const struct pair pairs_life[] = {
	{"LIFE-01", "freed twice", free_unknown},
	{"LIFE-02", "freed while linked", free_linked},
	{"LIFE-03", "freed before its flush", free_unflushed},
	{"LIFE-04", "freed before a grace period", free_without_grace},
	{"LIFE-04", "freed under a reader", free_under_reader},
	{"LIFE-05", "installed into a retired table", install_retired},
	{"LIFE-06", "read of a freed page", read_freed},
	{"LIFE-06", "write to a freed page", write_freed},
	{"LIFE-07", "never freed", leak},
	{"LIFE-08", "unlinked in name only", unlink_reachable},
	{"LIFE-09", "allocated twice", alloc_in_use},
	{"LIFE-10", "frame reused early", frame_reuse},
	{"LIFE-10", "frame of a dropped table reused early",
	 frame_reuse_subtree},
	{"LIFE-11", "root freed while installed", free_installed},
};

const unsigned pairs_life_count = sizeof(pairs_life) / sizeof(pairs_life[0]);
