/* SPDX-License-Identifier: BSD-2-Clause */
/* LOCK, SECT, NOTIFY and OWNER rules. */
#include "pairs.h"

#define LOCK_A	     UINT64_C(0xffff000040030000)
#define TOKEN	     2 /* the type bit alone */
#define LOCKED_VALID S2_PAGE(RAM + 9 * PAGE)

static void unlock_other(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	on_cpu(t, bad ? 1 : 0);
	ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
}

static void lock_held(struct tb *t, int bad)
{
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	CHOOSE(bad, ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0), (void)0);
	on_cpu(t, 1);
	ev(t, NW_EV_LOCK, LOCK_A, 0, 0);
	ev(t, NW_EV_UNLOCK, LOCK_A, 0, 0);
}

/* Differ in the token alone: what follows is a swap that claims nothing. */
static void token_valid(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ENTRY_LOCK, AT(TAB0, 9), 0, bad ? LOCKED_VALID : TOKEN);
	on_cpu(t, 0);
	swap(t, TAB0, 9, LOCKED_VALID, LOCKED_VALID);
}

static void publish_other(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ENTRY_LOCK, AT(TAB0, 9), 0, TOKEN);
	on_cpu(t, bad ? 1 : 0);
	ev(t, NW_EV_ENTRY_PUBLISH, AT(TAB0, 9), TOKEN, S2_PAGE(RAM));
}

static void overwritten(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ENTRY_LOCK, AT(TAB0, 9), 0, TOKEN);
	on_cpu(t, 1);
	swap(t, TAB0, 9, TOKEN, bad ? S2_PAGE(RAM) : 0);
}

static void never_published(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_ENTRY_LOCK, AT(TAB0, 9), 0, TOKEN);
	CHOOSE(bad,
	       ev(t, NW_EV_ENTRY_PUBLISH, AT(TAB0, 9), TOKEN, S2_PAGE(RAM)),
	       (void)0);
}

/* ---- sections ---------------------------------------------------------- */

static void leave_unentered(struct tb *t, int bad)
{
	CHOOSE(bad, ev(t, NW_EV_SECTION_ENTER, 0, 0, 0), (void)0);
	ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0);
}

static void grace_inside(struct tb *t, int bad)
{
	ev(t, NW_EV_SECTION_ENTER, 0, 0, 0);
	CHOOSE(bad, ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0), (void)0);
	ev(t, NW_EV_GRACE_PERIOD, 0, 0, 0);
}

static void read_outside(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_SECTION_ENTER, 0, 0, 0);
	ev(t, NW_EV_ENTRY_READ, AT(TAB0, 0), S2_PAGE(RAM), 0);
	ev(t, NW_EV_SECTION_LEAVE, 0, 0, 0);
	set(t, TAB1, 0, TABLE(TAB0), 0);
	CHOOSE(bad, (void)0,
	       ev(t, NW_EV_ENTRY_READ, AT(TAB0, 0), S2_PAGE(RAM), 0));
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
}

/* ---- notifiers: count 4 before, 5 after -------------------------------- */

static void bracket(struct tb *t, unsigned kind, uint64_t seq)
{
	ev(t, kind, RAM, RAM + 2 * MIB, seq);
}

static void install(struct tb *t, uint64_t seq)
{
	ev(t, NW_EV_NOTIFY_INSTALL, RAM, RAM + PAGE, seq);
}

static void end_alone(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, 4);
	bracket(t, NW_EV_NOTIFY_DRAIN, 4);
	bracket(t, NW_EV_NOTIFY_END, 5);
	CHOOSE(bad, (void)0, bracket(t, NW_EV_NOTIFY_END, 6));
}

static void left_open(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, 4);
	bracket(t, NW_EV_NOTIFY_DRAIN, 4);
	CHOOSE(bad, bracket(t, NW_EV_NOTIFY_END, 5), (void)0);
}

static void into_open(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, 4);
	install(t, 4); /* its section is older: the drain waits */
	bracket(t, NW_EV_NOTIFY_DRAIN, 4);
	CHOOSE(bad, (void)0, install(t, 4));
	bracket(t, NW_EV_NOTIFY_END, 5);
}

static void into_closed(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, 4);
	bracket(t, NW_EV_NOTIFY_DRAIN, 4);
	bracket(t, NW_EV_NOTIFY_END, 5);
	install(t, bad ? 4 : 5);
}

static void not_bumped(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, 4);
	bracket(t, NW_EV_NOTIFY_DRAIN, 4);
	bracket(t, NW_EV_NOTIFY_END, bad ? 4 : 5);
}

static void not_drained(struct tb *t, int bad)
{
	bracket(t, NW_EV_NOTIFY_BEGIN, 4);
	CHOOSE(bad, bracket(t, NW_EV_NOTIFY_DRAIN, 4), (void)0);
	bracket(t, NW_EV_NOTIFY_END, 5);
}

/* ---- ownership --------------------------------------------------------- */

#define MOVE(from, to) ((uint64_t)(from) | (uint64_t)(to) << 16)

static void not_the_owner(struct tb *t, int bad)
{
	ev(t, NW_EV_OWNER, RAM, 2 * MIB, MOVE(0, 1));
	ev(t, NW_EV_OWNER, RAM + MIB, PAGE, MOVE(bad ? 2 : 1, 3));
}

static void still_reachable(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	set(t, TAB1, 1, S2_BLOCK(RAM + 2 * MIB), 0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	CHOOSE(bad, tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID), (void)0);
	barrier(t, NW_BARRIER_DSB_ISH);
	ev(t, NW_EV_OWNER, RAM + 2 * MIB, 2 * MIB, MOVE(0, 1));
}

const struct pair pairs_rest[] = {
	{"LOCK-01", "released by another CPU", unlock_other},
	{"LOCK-02", "taken twice", lock_held},
	{"LOCK-04", "token that hardware uses", token_valid},
	{"LOCK-05", "published by another CPU", publish_other},
	{"LOCK-06", "locked entry overwritten", overwritten},
	{"LOCK-07", "never published", never_published},
	{"SECT-01", "left without entering", leave_unentered},
	{"SECT-02", "grace period inside", grace_inside},
	{"SECT-03", "read outside", read_outside},
	{"NOTIFY-01", "ended twice", end_alone},
	{"NOTIFY-02", "never ended", left_open},
	{"NOTIFY-03", "installed behind the drain", into_open},
	{"NOTIFY-04", "installed from an old sample", into_closed},
	{"NOTIFY-05", "sequence not bumped", not_bumped},
	{"NOTIFY-06", "not drained", not_drained},
	{"OWNER-01", "given by somebody else", not_the_owner},
	{"OWNER-02", "still reachable", still_reachable},
};

const unsigned pairs_rest_count = sizeof(pairs_rest) / sizeof(pairs_rest[0]);
