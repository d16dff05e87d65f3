/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs at work on one entry at a time: flushes side by side, entries that are
 * locks, tables below a locked entry. Each good trace here once was called
 * wrong.
 */
#include "pairs.h"

#define TOKEN UINT64_C(0x20)

/* Both CPUs have been seen, so that what follows is not known to the other. */
static void mapped(struct tb *t)
{
	s2_mapped(t, 0);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_ISB);
	on_cpu(t, 0);
}

static void lock(struct tb *t, uint64_t pa, unsigned index, uint64_t old)
{
	ev(t, NW_EV_ENTRY_LOCK, AT(pa, index), old, TOKEN);
}

static void publish(struct tb *t, uint64_t pa, unsigned index, uint64_t value)
{
	ev(t, NW_EV_ENTRY_PUBLISH, AT(pa, index), TOKEN, value);
}

static void flush_begin(struct tb *t)
{
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
}

static void flush(struct tb *t)
{
	flush_begin(t);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* ---- two flushes of one entry ------------------------------------------- */

/* CPU 1 steals what CPU 0 is about to flush, and is done first. */
static void overtakes(struct tb *t, int bad)
{
	mapped(t);
	lock(t, TAB0, 0, S2_PAGE(RAM));
	flush_begin(t);
	on_cpu(t, 1);
	swap(t, TAB0, 0, TOKEN, 0);
	flush_begin(t);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	on_cpu(t, 0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* The same, and who armed it is done first. */
static void overtaken(struct tb *t, int bad)
{
	mapped(t);
	swap(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	on_cpu(t, 1);
	flush_begin(t);
	on_cpu(t, 0);
	flush_begin(t);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* A barrier of the one that armed it completes nothing of the other's. */
static void foreign_barrier(struct tb *t, int bad)
{
	mapped(t);
	swap(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	on_cpu(t, 1);
	flush_begin(t);
	on_cpu(t, bad ? 0 : 1);
	barrier(t, NW_BARRIER_DSB_ISH);
	on_cpu(t, 0);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	on_cpu(t, 1);
	barrier(t, NW_BARRIER_DSB_ISH);
}

#define COUNT UINT64_C(0xffff000040030000)

/* A count tells another CPU of the closed entry; without it nothing says that
 * the store comes before that CPU's flush. */
static void word_hands_over(struct tb *t, int bad)
{
	mapped(t);
	set(t, TAB0, 0, S2_PAGE(RAM), 0);
	CHOOSE(bad, ev(t, NW_EV_RELEASE, COUNT, 0, 0), (void)0);
	on_cpu(t, 1);
	ev(t, NW_EV_ACQUIRE, COUNT, 0, 0);
	flush(t);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	on_cpu(t, 0);
	flush(t);
}

/* Two rounds each, by address. */
static void rounds_beside(struct tb *t, int bad)
{
	uint64_t where = by_address(0, 3);

	mapped(t);
	swap(t, TAB0, 0, S2_PAGE(RAM), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_IPAS2E1IS, where, VMID);
	on_cpu(t, 1);
	tlbi(t, NW_TLBI_IPAS2E1IS, where, VMID);
	CHOOSE(bad, barrier(t, NW_BARRIER_DSB_ISH), (void)0);
	tlbi(t, NW_TLBI_VMALLE1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
	s2_flush(t, 0);
}

/* ---- an entry as a lock ------------------------------------------------- */

/* A member of a run is stored under the lock of another entry. */
static void member_under_lock(struct tb *t, int bad)
{
	mapped(t);
	lock(t, TAB0, 0, S2_PAGE(RAM));
	set(t, TAB0, 1, S2_PAGE(RAM + PAGE), 0);
	flush(t);
	publish(t, TAB0, 0, S2_PAGE(RAM));
	on_cpu(t, 1);
	CHOOSE(bad, swap(t, TAB0, 0, S2_PAGE(RAM), S2_PAGE(RAM)), (void)0);
	set(t, TAB0, 1, 0, S2_PAGE(RAM + PAGE));
}

/* ---- put back as it was ------------------------------------------------- */

static void put_back(struct tb *t, int bad)
{
	mapped(t);
	lock(t, TAB0, 0, S2_PAGE(RAM));
	publish(t, TAB0, 0, S2_PAGE(bad ? RAM + 64 * PAGE : RAM));
}

/* With a right less: the flush is owed still. */
static void put_back_narrower(struct tb *t, int bad)
{
	mapped(t);
	lock(t, TAB0, 0, S2_PAGE(RAM));
	publish(t, TAB0, 0, S2_PAGE(RAM) & ~S2_W);
	barrier(t, NW_BARRIER_DSB_ISHST);
	CHOOSE(bad, tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID), (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* ---- below a locked entry ----------------------------------------------- */

/* Others install until each entry is frozen. */
static void installs_until_frozen(struct tb *t, int bad)
{
	mapped(t);
	lock(t, TAB1, 0, TABLE(TAB0));
	on_cpu(t, 1);
	swap(t, TAB0, 9, 0, S2_PAGE(RAM + 9 * PAGE));
	on_cpu(t, 0);
	flush(t);
	publish(t, TAB1, 0, 0);
	page_unlink(t, TAB0, 0);
	on_cpu(t, 1);
	CHOOSE(bad, (void)0, swap(t, TAB0, 10, 0, S2_PAGE(RAM)));
	on_cpu(t, 0);
	page_free(t, TAB0, 1);
}

const struct pair pairs_beside[] = {
	{"LIFE-10", "the thief's flush is done first", overtakes},
	{"LIFE-10", "the later flush is done first", overtaken},
	{"LIFE-10", "a barrier completes another CPU's flush", foreign_barrier},
	{"LIFE-10", "a word hands an entry over", word_hands_over},
	{"LIFE-10", "two rounds beside two others", rounds_beside},
	{"ENTRY-03", "no lock around a run's member", member_under_lock},
	{"BBM-07", "put back unflushed, elsewhere", put_back},
	{"TLB-02", "put back unflushed, narrower", put_back_narrower},
	{"LIFE-05", "installed when it was not kept any more",
	 installs_until_frozen},
};

const unsigned pairs_beside_count =
	sizeof(pairs_beside) / sizeof(pairs_beside[0]);
