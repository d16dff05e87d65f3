/* SPDX-License-Identifier: BSD-2-Clause */
/* Dirty logs; slots and handlers of notifiers. */
#include <nestwalk/table.h>

#include "pairs.h"

#define RW(i)	 S2_PAGE(RAM + (i)*PAGE)
#define RO(i)	 (RW(i) & ~S2_W)
#define CLEAN(i) (RO(i) | D_DBM)
#define DIRTY(i) (RW(i) | D_DBM)
#define PAGES	 4u
#define LOGGED	 (PAGES * PAGE)

static void op(struct tb *t, unsigned kind, enum nw_op what)
{
	ev(t, kind, 0, LOGGED,
	   NW_TRACE_OP(what, 1 + NW_MODE_EXCLUSIVE, NW_OK, ROOT));
}

static void flush_all(struct tb *t)
{
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* Four pages of `kind` (as page 0), on a machine that marks what is written.
 * The log is on. */
static void logged(struct tb *t, uint64_t kind)
{
	unsigned i;

	s2_table(t, NW_FEAT_HAF | NW_FEAT_HD);
	alloc(t, TAB1, 1);
	alloc(t, TAB0, 1);
	zero(t, TAB0, ~0u);
	for (i = 0; i < PAGES; i++)
		init(t, TAB0, i, kind + i * PAGE);
	zero(t, TAB1, 0);
	init(t, TAB1, 0, TABLE(TAB0));
	link_(t, ROOT, 0, 0, TABLE(TAB1));
	barrier(t, NW_BARRIER_DSB_ISHST);
	ev(t, NW_EV_ROOT_SWITCH, ROOT, VMID, NW_REGIME_STAGE2);
	ev(t, NW_EV_LOG_START, 0, LOGGED, ROOT);
}

static void stop(struct tb *t)
{
	ev(t, NW_EV_LOG_STOP, 0, LOGGED, ROOT);
}

static void log_page(struct tb *t, unsigned page)
{
	ev(t, NW_EV_LOG_DIRTY, page * PAGE, (page + 1) * PAGE, ROOT);
}

static void give_write(struct tb *t, unsigned page)
{
	op(t, NW_EV_OP_BEGIN, NW_OP_RELAX);
	swap(t, TAB0, page, RO(page), RW(page));
	op(t, NW_EV_OP_END, NW_OP_RELAX);
}

static void write_protect(struct tb *t, unsigned first, unsigned end)
{
	op(t, NW_EV_OP_BEGIN, NW_OP_WRITE_PROTECT);
	for (; first < end; first++)
		swap(t, TAB0, first, RW(first), RO(first));
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_WRITE_PROTECT);
}

/* ---- writes
 * ------------------------------------------------------------------ */

/* The write-protect comes after the start; page 2 gets the right back. */
static void right_unlogged(struct tb *t, int bad)
{
	logged(t, RW(0));
	write_protect(t, 0, PAGES);
	give_write(t, 2);
	CHOOSE(bad, log_page(t, 2), (void)0);
	stop(t);
}

/* Another page is logged, not this one. */
static void other_logged(struct tb *t, int bad)
{
	logged(t, RO(0));
	give_write(t, 2);
	log_page(t, bad ? 1 : 2);
	stop(t);
}

static void access_unlogged(struct tb *t, int bad)
{
	logged(t, RO(0));
	ev(t, NW_EV_ACCESS, PAGE + 8, RAM + PAGE + 8,
	   bad ? NW_ACCESS_WRITE : 0);
	stop(t);
}

static void mark_unlogged(struct tb *t, int bad)
{
	logged(t, CLEAN(0));
	ev(t, NW_EV_HW_UPDATE, AT(TAB0, 1), CLEAN(1), DIRTY(1));
	CHOOSE(bad, log_page(t, 1), (void)0);
	stop(t);
}

/* What comes after the second write-protect comes too late. */
static void protected_again(struct tb *t, int bad)
{
	logged(t, RO(0));
	give_write(t, 0);
	CHOOSE(bad, log_page(t, 0), (void)0);
	write_protect(t, 0, 1);
	log_page(t, 0);
	stop(t);
}

static void end_unlogged(struct tb *t, int bad)
{
	logged(t, RO(0));
	give_write(t, 3);
	CHOOSE(bad, log_page(t, 3), (void)0);
}

/* ---- marks
 * --------------------------------------------------------------------- */

static void marked(struct tb *t)
{
	logged(t, CLEAN(0));
	ev(t, NW_EV_HW_UPDATE, AT(TAB0, 1), CLEAN(1), DIRTY(1));
}

static void harvest_unlogged(struct tb *t, int bad)
{
	marked(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_HARVEST_DIRTY);
	swap(t, TAB0, 1, DIRTY(1), CLEAN(1));
	CHOOSE(bad, log_page(t, 1), (void)0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_HARVEST_DIRTY);
	log_page(t, 1);
	stop(t);
}

static void unmap_unlogged(struct tb *t, int bad)
{
	marked(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP);
	swap(t, TAB0, 1, DIRTY(1), 0);
	flush_all(t);
	CHOOSE(bad, log_page(t, 1), (void)0);
	op(t, NW_EV_OP_END, NW_OP_UNMAP);
	log_page(t, 1);
	stop(t);
}

/* Broken and made again: the mark is made again, too. */
static void made_clean(struct tb *t, int bad)
{
	marked(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_RELAX);
	swap(t, TAB0, 1, DIRTY(1), 2);
	flush_all(t);
	link_(t, TAB0, 1, 2, bad ? CLEAN(1) : DIRTY(1));
	op(t, NW_EV_OP_END, NW_OP_RELAX);
	log_page(t, 1);
	stop(t);
}

/* ---- dropped tables
 * --------------------------------------------------------------- */

static void look(struct tb *t, unsigned page, uint64_t value)
{
	ev(t, NW_EV_ENTRY_READ, AT(TAB0, page), value, 0);
}

static void drop_unread(struct tb *t, int bad)
{
	unsigned i;

	logged(t, CLEAN(0));
	set(t, TAB1, 0, TABLE(TAB0), 0);
	flush_all(t);
	for (i = 0; i < PAGES; i++)
		if (i != 2 || !bad)
			look(t, i, CLEAN(i));
	page_free(t, TAB0, 1);
	stop(t);
}

/* Hardware may mark it after this look. */
static void drop_read_early(struct tb *t, int bad)
{
	unsigned i;

	logged(t, CLEAN(0));
	set(t, TAB1, 0, TABLE(TAB0), 0);
	for (i = 0; i < PAGES; i++)
		look(t, i, CLEAN(i));
	flush_all(t);
	for (i = 1; i < PAGES; i++)
		look(t, i, CLEAN(i));
	CHOOSE(bad, look(t, 0, CLEAN(0)), (void)0);
	page_free(t, TAB0, 1);
	stop(t);
}

static void drop_found_dirty(struct tb *t, int bad)
{
	unsigned i;

	logged(t, CLEAN(0));
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	flush_all(t);
	for (i = 0; i < PAGES; i++)
		look(t, i, i == 3 ? DIRTY(i) : CLEAN(i));
	CHOOSE(bad, log_page(t, 3), (void)0);
	page_free(t, TAB0, 1);
	op(t, NW_EV_OP_END, NW_OP_UNMAP);
	stop(t);
}

/* ---- slots
 * -------------------------------------------------------------------------- */

#define HOST UINT64_C(0x7f0000000000)

static void bracket(struct tb *t, unsigned kind, uint64_t start, uint64_t seq)
{
	ev(t, kind, start, start + 2 * PAGE, seq);
}

static void begin(struct tb *t, uint64_t start)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, start, 4);
	bracket(t, NW_EV_NOTIFY_DRAIN, start, 4);
}

static void removal_short(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	begin(t, PAGE);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP);
	set(t, TAB0, 1, RW(1), 0);
	CHOOSE(bad, set(t, TAB0, 2, RW(2), 0), (void)0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_UNMAP);
	bracket(t, NW_EV_NOTIFY_END, PAGE, 5);
}

/* Another CPU maps behind the removal; host addresses are other ones. */
static void mapped_behind(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_SLOT_ADD, HOST, HOST + 8 * PAGE, 0);
	begin(t, HOST + PAGE);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNMAP);
	set(t, TAB0, 1, RW(1), 0);
	set(t, TAB0, 2, RW(2), 0);
	flush_all(t);
	op(t, NW_EV_OP_END, NW_OP_UNMAP);
	on_cpu(t, 1);
	CHOOSE(bad, (void)0, swap(t, TAB0, 1, 0, RW(1)));
	/* Gone again before the bracket ends. */
	swap(t, TAB0, 1, RW(1), 0);
	flush_all(t);
	on_cpu(t, 0);
	bracket(t, NW_EV_NOTIFY_END, HOST + PAGE, 5);
}

/* No operation is told: all is over when the bracket ends. */
static void removal_untold(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_SLOT_ADD, HOST, HOST + 8 * PAGE, 2 * PAGE);
	begin(t, HOST);
	set(t, TAB0, 2, RW(2), 0);
	CHOOSE(bad, set(t, TAB0, 3, RW(3), 0), (void)0);
	flush_all(t);
	bracket(t, NW_EV_NOTIFY_END, HOST, 5);
}

/* ---- handlers
 * ------------------------------------------------------------------------- */

static void slept(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, HOST, 4 | (uint64_t)bad << 56);
	bracket(t, NW_EV_NOTIFY_DRAIN, HOST, 4);
	ev(t, NW_EV_SLEEP, 0, 0, 0);
	bracket(t, NW_EV_NOTIFY_END, HOST, 5);
	ev(t, NW_EV_SLEEP, 0, 0, 0);
}

static void slept_elsewhere(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, HOST, 4 | UINT64_C(1) << 56);
	bracket(t, NW_EV_NOTIFY_DRAIN, HOST, 4);
	on_cpu(t, bad ? 0 : 1);
	ev(t, NW_EV_SLEEP, 0, 0, 0);
	on_cpu(t, 0);
	bracket(t, NW_EV_NOTIFY_END, HOST, 5);
}

static void retried(struct tb *t, int bad)
{
	ev(t, NW_EV_RETRY, RAM, bad ? 9 : 8, 8);
}

static void no_section(struct tb *t, int bad)
{
	ev(t, NW_EV_SECTION_ENTER, 0, 0, 0);
	ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0);
	CHOOSE(bad, ev(t, NW_EV_SECTION_ENTER, 0, 0, 0), (void)0);
	ev(t, NW_EV_NOTIFY_INSTALL, RAM, RAM + PAGE, 4);
}

static void no_lock(struct tb *t, int bad)
{
	ev(t, NW_EV_SECTION_ENTER, 0, 0, 0);
	ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0);
	CHOOSE(bad, ev(t, NW_EV_LOCK, VA(RAM), 0, 0), (void)0);
	ev(t, NW_EV_NOTIFY_INSTALL, RAM, RAM + PAGE, 4);
}

const struct pair pairs_log[] = {
	{"LOG-01", "write right given, unlogged", right_unlogged},
	{"LOG-01", "another page logged", other_logged},
	{"LOG-01", "write access, unlogged", access_unlogged},
	{"LOG-01", "hardware's mark, unlogged", mark_unlogged},
	{"LOG-01", "write-protected again, unlogged", protected_again},
	{"LOG-01", "unlogged at the end", end_unlogged},
	{"LOG-02", "harvest without the log", harvest_unlogged},
	{"LOG-02", "unmap without the log", unmap_unlogged},
	{"LOG-02", "made again without the mark", made_clean},
	{"LOG-03", "dropped leaf not read", drop_unread},
	{"LOG-03", "dropped leaf read before the flush", drop_read_early},
	{"LOG-02", "dropped leaf found dirty, unlogged", drop_found_dirty},
	{"NOTIFY-07", "removal leaves a page", removal_short},
	{"NOTIFY-07", "mapped behind the removal", mapped_behind},
	{"NOTIFY-07", "removal leaves a page, no operation told",
	 removal_untold},
	{"NOTIFY-08", "atomic bracket sleeps", slept},
	{"NOTIFY-08", "sleeps on the bracket's CPU", slept_elsewhere},
	{"NOTIFY-09", "one retry too many", retried},
	{"NOTIFY-10", "installed outside a section", no_section},
	{"NOTIFY-10", "installed without a lock", no_lock},
};

const unsigned pairs_log_count = sizeof(pairs_log) / sizeof(pairs_log[0]);
