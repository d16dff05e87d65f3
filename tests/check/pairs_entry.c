/* SPDX-License-Identifier: BSD-2-Clause */
/* ENTRY, BBM and WX rules. */
#include "pairs.h"

#define RO(e) ((e) & ~S2_W)

static void stale_old(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), RO(S2_PAGE(RAM)));
	s2_flush(t, 0);
	set(t, TAB0, 0, bad ? S2_PAGE(RAM) : RO(S2_PAGE(RAM)),
	    S2_PAGE(RAM) & ~D_SOFT & ~S2_W);
}

static void plain_over_hw(struct tb *t, int bad)
{
	uint64_t clean = RO(S2_PAGE(RAM + 64 * PAGE)) | D_DBM;

	s2_mapped(t, NW_FEAT_HAF | NW_FEAT_HD);
	set(t, TAB0, 64, 0, clean);
	CHOOSE(bad, swap(t, TAB0, 64, clean, clean & ~D_SOFT),
	       set(t, TAB0, 64, clean, clean & ~D_SOFT));
}

static void race(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_ISB);
	on_cpu(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), S2_PAGE(RAM) & ~D_SOFT);
	on_cpu(t, 1);
	CHOOSE(bad, swap(t, TAB0, 0, S2_PAGE(RAM) & ~D_SOFT, S2_PAGE(RAM)),
	       set(t, TAB0, 0, S2_PAGE(RAM) & ~D_SOFT, S2_PAGE(RAM)));
}

static void init_live(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	CHOOSE(bad, set(t, TAB0, 9, 0, S2_PAGE(RAM + 9 * PAGE)),
	       init(t, TAB0, 9, S2_PAGE(RAM + 9 * PAGE)));
}

static void reserved_share(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 9, 0,
	    bad ? (S2_PAGE(RAM) & ~D_SH_INNER) | UINT64_C(1) << 8
		: S2_PAGE(RAM));
}

static void reserved_type(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 9, 0, bad ? S2_BLOCK(RAM) : S2_PAGE(RAM));
}

static void reserved_memattr(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 9, 0,
	    bad ? (S2_PAGE(RAM) & ~S2_WB) | UINT64_C(4) << 2 : S2_PAGE(RAM));
}

static void misaligned(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB1, 3, 0, S2_BLOCK(RAM + 8 * MIB + (bad ? PAGE : 0)));
}

static void misaligned_in_linked_page(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	init(t, TAB_NEW, 5, S2_BLOCK(RAM) + (bad ? UINT64_C(1) << 40 : 0) * 2);
	link_(t, ROOT, 1, 0, TABLE(TAB_NEW));
}

static void incomplete(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, 17);
	CHOOSE(bad, init(t, TAB_NEW, 17, 0), (void)0);
	link_(t, ROOT, 1, 0, TABLE(TAB_NEW));
}

static void unordered(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	CHOOSE(bad, link_(t, ROOT, 1, 0, TABLE(TAB_NEW)),
	       set(t, ROOT, 1, 0, TABLE(TAB_NEW)));
}

static void unordered_barrier(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	CHOOSE(bad, barrier(t, NW_BARRIER_DMB_ISHST), (void)0);
	set(t, ROOT, 1, 0, TABLE(TAB_NEW));
}

static void unknown_child(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	link_(t, ROOT, 1, 0, TABLE(bad ? TAB_NEW + 8 * PAGE : TAB_NEW));
}

/* ---- break-before-make ------------------------------------------------- */

/* TAB0[0] rewritten in place, and flushed. */
static void change_value(struct tb *t, unsigned features, uint64_t to)
{
	s2_mapped(t, features);
	set(t, TAB0, 0, S2_PAGE(RAM), to);
	s2_flush(t, 0);
}

static void address(struct tb *t, int bad)
{
	change_value(t, NW_FEAT_BBM1 | NW_FEAT_BBM2,
		     bad ? S2_PAGE(RAM + PAGE) : S2_PAGE(RAM) & ~S2_W);
}

static void memory_type(struct tb *t, int bad)
{
	change_value(t, 0,
		     bad ? (S2_PAGE(RAM) & ~S2_WB) | S2_NC
			 : S2_PAGE(RAM) & ~S2_W);
}

static void share(struct tb *t, int bad)
{
	change_value(t, 0,
		     bad ? (S2_PAGE(RAM) & ~D_SH_INNER) | D_SH_OUTER
			 : S2_PAGE(RAM) & ~S2_W);
}

static void contig(struct tb *t, int bad)
{
	change_value(t, 0,
		     bad ? S2_PAGE(RAM) | D_CONTIG : S2_PAGE(RAM) & ~S2_W);
	/* A run of one is no run: nobody shall see it at the end. */
	set(t, TAB1, 0, TABLE(TAB0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

static void size_with_shape(struct tb *t, unsigned features)
{
	s2_mapped(t, features);
	split_page(t);
	swap(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), TABLE(TAB_NEW));
	s2_flush(t, 2 * MIB);
}

static void size(struct tb *t, int bad)
{
	size_with_shape(t, bad ? NW_FEAT_BBM1 : NW_FEAT_BBM2);
}

static void size_and_more(struct tb *t, int bad)
{
	s2_mapped(t, NW_FEAT_BBM2);
	alloc(t, TAB_NEW, 1);
	for (unsigned i = 0; i < 512; i++)
		init(t, TAB_NEW, i,
		     S2_PAGE(RAM + 2 * MIB +
			     (i == 300 && bad ? 301 : i) * PAGE));
	swap(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), TABLE(TAB_NEW));
	s2_flush(t, 2 * MIB);
}

static void too_early(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, by_address(0, 3), VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	set(t, TAB0, 0, 0, S2_PAGE(RAM + 32 * PAGE));
}

/* A block is made where pages of a dropped table may still be held. */
static void too_early_below(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_RIPAS2E1IS, by_range(0, 0, bad ? 2 : 3), VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	set(t, TAB1, 0, 0, S2_BLOCK(RAM));
}

static void table_swap(struct tb *t, int bad)
{
	s2_mapped(t, NW_FEAT_BBM2);
	alloc(t, TAB_NEW, 1);
	zero(t, TAB_NEW, ~0u);
	link_(t, TAB1, bad ? 0 : 2, bad ? TABLE(TAB0) : 0, TABLE(TAB_NEW));
}

/* ---- write or execute -------------------------------------------------- */

static void writable_exec(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	set(t, ETAB0, 9, 0, (EL2_PAGE(RAM) & ~EL2_XN) | (bad ? 0 : EL2_RO));
}

static void writable_exec_dbm(struct tb *t, int bad)
{
	el2_mapped(t, NW_FEAT_HAF | NW_FEAT_HD);
	set(t, ETAB0, 9, 0,
	    (EL2_PAGE(RAM) & ~EL2_XN) | EL2_RO | (bad ? D_DBM : 0));
}

static void device_exec(struct tb *t, int bad)
{
	el2_mapped(t, 0);
	set(t, ETAB0, 9, 0,
	    (EL2_PAGE(RAM) & ~EL2_WB & ~(bad ? EL2_XN : 0)) | EL2_RO);
}

const struct pair pairs_entry[] = {
	{"ENTRY-01", "store from an old value", stale_old},
	{"ENTRY-02", "plain store over DBM", plain_over_hw},
	{"ENTRY-03", "two writers", race},
	{"ENTRY-04", "init of a live page", init_live},
	{"ENTRY-05", "reserved shareability", reserved_share},
	{"ENTRY-05", "block at the last level", reserved_type},
	{"ENTRY-05", "reserved MemAttr", reserved_memattr},
	{"ENTRY-06", "block not aligned", misaligned},
	{"ENTRY-06", "address too large, in a linked page",
	 misaligned_in_linked_page},
	{"ENTRY-07", "one entry never written", incomplete},
	{"ENTRY-08", "relaxed link", unordered},
	{"ENTRY-08", "no barrier before the link", unordered_barrier},
	{"ENTRY-09", "link to nowhere", unknown_child},
	{"BBM-01", "new address in place", address},
	{"BBM-02", "new memory type in place", memory_type},
	{"BBM-03", "new shareability in place", share},
	{"BBM-04", "contiguous bit in place", contig},
	{"BBM-05", "block to table at level 1", size},
	{"BBM-06", "one page differs", size_and_more},
	{"BBM-07", "final DSB missing", too_early},
	{"BBM-07", "pages of a dropped table", too_early_below},
	{"BBM-08", "table replaced in place", table_swap},
	{"WX-01", "writable and executable", writable_exec},
	{"WX-01", "executable with DBM", writable_exec_dbm},
	{"WX-02", "executable device", device_exec},
};

const unsigned pairs_entry_count = sizeof(pairs_entry) / sizeof(pairs_entry[0]);
