/* SPDX-License-Identifier: BSD-2-Clause */
/* The books of those who own pages. */
#include <nestwalk/table.h>

#include "pairs.h"

#define HOST  0u
#define HYP   1u
#define GUEST 2u
#define PAGE9 (RAM + 9 * PAGE)

static void op(struct tb *t, unsigned kind, enum nw_op what,
	       enum nw_status status)
{
	ev(t, kind, RAM, RAM + MIB, NW_TRACE_OP(what, 0, status, 0));
}

static void state(struct tb *t, unsigned party, uint64_t pa, uint64_t bytes,
		  enum nw_page_state to, unsigned pins)
{
	ev(t, NW_EV_PAGE_STATE, pa, bytes,
	   party | (uint64_t)to << 16 | (uint64_t)pins << 32);
}

static void page(struct tb *t, unsigned party, enum nw_page_state to)
{
	state(t, party, PAGE9, PAGE, to, 0);
}

/* The host owns 2 MiB. */
static void host_owns(struct tb *t)
{
	state(t, HOST, RAM, 2 * MIB, NW_PAGE_OWNED, 0);
}

/* ---- one owner
 * --------------------------------------------------------------- */

static void taken_untold(struct tb *t, int bad)
{
	host_owns(t);
	CHOOSE(bad, page(t, HOST, NW_PAGE_NONE), (void)0);
	page(t, HYP, NW_PAGE_OWNED);
}

/* Inside the operation the books may disagree. */
static void donated_twice(struct tb *t, int bad)
{
	host_owns(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_DONATE, NW_OK);
	page(t, GUEST, NW_PAGE_OWNED);
	CHOOSE(bad, page(t, HOST, NW_PAGE_NONE), (void)0);
	op(t, NW_EV_OP_END, NW_OP_DONATE, NW_OK);
}

/* ---- pairs
 * --------------------------------------------------------------------- */

static void share(struct tb *t, unsigned pins, int is_borrowed)
{
	op(t, NW_EV_OP_BEGIN, NW_OP_SHARE, NW_OK);
	state(t, HOST, PAGE9, PAGE, NW_PAGE_SHARED, pins);
	if (is_borrowed)
		page(t, GUEST, NW_PAGE_BORROWED);
	op(t, NW_EV_OP_END, NW_OP_SHARE, NW_OK);
}

static void lent_to_nobody(struct tb *t, int bad)
{
	host_owns(t);
	share(t, 0, !bad);
}

static void borrowed_from_nobody(struct tb *t, int bad)
{
	host_owns(t);
	share(t, 0, 1);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNSHARE, NW_OK);
	page(t, HOST, NW_PAGE_OWNED);
	CHOOSE(bad, page(t, GUEST, NW_PAGE_NONE), (void)0);
	op(t, NW_EV_OP_END, NW_OP_UNSHARE, NW_OK);
}

/* Two borrowers where the owner counts two. */
static void borrowed_uncounted(struct tb *t, int bad)
{
	host_owns(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_SHARE, NW_OK);
	page(t, HYP, NW_PAGE_BORROWED);
	page(t, GUEST, NW_PAGE_BORROWED);
	state(t, HOST, PAGE9, PAGE, NW_PAGE_SHARED, bad ? 1 : 2);
	op(t, NW_EV_OP_END, NW_OP_SHARE, NW_OK);
}

/* ---- failure
 * --------------------------------------------------------------------- */

static void failed_half(struct tb *t, int bad)
{
	host_owns(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_DONATE, NW_OK);
	page(t, HOST, NW_PAGE_NONE);
	CHOOSE(bad, page(t, HOST, NW_PAGE_OWNED), (void)0);
	op(t, NW_EV_OP_END, NW_OP_DONATE, NW_E_NOMEM);
}

/* ---- pins
 * -------------------------------------------------------------------------- */

static void unshared_pinned(struct tb *t, int bad)
{
	host_owns(t);
	share(t, 1, 1);
	CHOOSE(bad, state(t, HOST, PAGE9, PAGE, NW_PAGE_SHARED, 0), (void)0);
	op(t, NW_EV_OP_BEGIN, NW_OP_UNSHARE, NW_OK);
	page(t, GUEST, NW_PAGE_NONE);
	page(t, HOST, NW_PAGE_OWNED);
	op(t, NW_EV_OP_END, NW_OP_UNSHARE, NW_OK);
}

static void donated_pinned(struct tb *t, int bad)
{
	host_owns(t);
	state(t, HOST, PAGE9, PAGE, NW_PAGE_OWNED, bad ? 1 : 0);
	op(t, NW_EV_OP_BEGIN, NW_OP_DONATE, NW_OK);
	page(t, HOST, NW_PAGE_NONE);
	page(t, GUEST, NW_PAGE_OWNED);
	op(t, NW_EV_OP_END, NW_OP_DONATE, NW_OK);
}

/* ---- tables
 * -------------------------------------------------------------------------- */

static void donate(struct tb *t)
{
	op(t, NW_EV_OP_BEGIN, NW_OP_DONATE, NW_OK);
	page(t, HOST, NW_PAGE_NONE);
	page(t, GUEST, NW_PAGE_OWNED);
	op(t, NW_EV_OP_END, NW_OP_DONATE, NW_OK);
}

/* The guest's table gets a page of the guest's, or one of the host's. */
static void maps_hosts(struct tb *t, int bad)
{
	s2_table(t, 0);
	ev(t, NW_EV_TABLE_OWNER, ROOT, 0, GUEST);
	host_owns(t);
	donate(t);
	alloc(t, TAB1, 1);
	alloc(t, TAB0, 1);
	zero(t, TAB0, ~0u);
	init(t, TAB0, 0, S2_PAGE(bad ? PAGE9 + PAGE : PAGE9));
	zero(t, TAB1, 0);
	init(t, TAB1, 0, TABLE(TAB0));
	link_(t, ROOT, 0, 0, TABLE(TAB1));
	barrier(t, NW_BARRIER_DSB_ISHST);
}

/* Mapped while the operation is open, and not lent when it returns. */
static void maps_unlent(struct tb *t, int bad)
{
	s2_mapped(t, 0);
	ev(t, NW_EV_TABLE_OWNER, ROOT, 0, GUEST);
	host_owns(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_SHARE, NW_OK);
	page(t, HOST, NW_PAGE_SHARED);
	page(t, GUEST, NW_PAGE_BORROWED);
	set(t, TAB0, 9, 0, S2_PAGE(bad ? RAM + 10 * PAGE : PAGE9));
	op(t, NW_EV_OP_END, NW_OP_SHARE, NW_OK);
}

/* The host's identity map keeps what was given away. */
static void kept_mapped(struct tb *t, int bad)
{
	s2_table(t, 0);
	ev(t, NW_EV_TABLE_OWNER, ROOT, 0, HOST);
	host_owns(t);
	set(t, ROOT, 2, 0, S2_BLOCK(RAM));
	CHOOSE(bad, set(t, ROOT, 2, S2_BLOCK(RAM), 0), (void)0);
	barrier(t, NW_BARRIER_DSB_ISHST);
	tlbi(t, NW_TLBI_VMALLS12E1IS, 0, VMID);
	barrier(t, NW_BARRIER_DSB_ISH);
	donate(t);
}

/* ---- content
 * -------------------------------------------------------------------------- */

static void unscrubbed(struct tb *t, int bad)
{
	host_owns(t);
	donate(t);
	op(t, NW_EV_OP_BEGIN, NW_OP_RECLAIM_PAGES, NW_OK);
	page(t, GUEST, NW_PAGE_NONE);
	CHOOSE(bad, ev(t, NW_EV_SCRUB, PAGE9, PAGE, 0), (void)0);
	page(t, HOST, NW_PAGE_OWNED);
	op(t, NW_EV_OP_END, NW_OP_RECLAIM_PAGES, NW_OK);
}

/* Before the guest had it: says nothing about what the guest left. */
static void scrubbed_before(struct tb *t, int bad)
{
	host_owns(t);
	ev(t, NW_EV_SCRUB, PAGE9, PAGE, 0);
	donate(t);
	page(t, GUEST, NW_PAGE_NONE);
	CHOOSE(bad, ev(t, NW_EV_SCRUB, RAM, 2 * MIB, 0), (void)0);
	page(t, HOST, NW_PAGE_OWNED);
}

const struct pair pairs_owner[] = {
	{"OWNER-03", "taken, not given", taken_untold},
	{"OWNER-03", "donated and kept", donated_twice},
	{"OWNER-04", "lent to nobody", lent_to_nobody},
	{"OWNER-04", "borrowed from nobody", borrowed_from_nobody},
	{"OWNER-04", "more borrowers than the owner counts",
	 borrowed_uncounted},
	{"OWNER-05", "failed and did not undo", failed_half},
	{"OWNER-06", "pinned page unshared", unshared_pinned},
	{"OWNER-06", "pinned page donated", donated_pinned},
	{"OWNER-07", "guest maps the host's page", maps_hosts},
	{"OWNER-07", "guest maps a page that was not lent", maps_unlent},
	{"OWNER-07", "host keeps a guest's page mapped", kept_mapped},
	{"OWNER-08", "reclaimed without a scrub", unscrubbed},
	{"OWNER-08", "scrubbed before it was a guest's", scrubbed_before},
};

const unsigned pairs_owner_count = sizeof(pairs_owner) / sizeof(pairs_owner[0]);
