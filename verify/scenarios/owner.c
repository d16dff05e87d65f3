/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns a page, written in invalid entries of the host's identity map
 * (requirements S4). CPU 0 is the hypervisor that moves pages between host and
 * guest; the host runs on CPU 1 and touches its memory at any time.
 */
#include <nestwalk/types.h>

#include "scenarios.h"

#define PAGES 2u
#define PAGE_BYTES UINT64_C(4096)
/* Annotation of an invalid entry: owner in bits [9:2]. */
#define OWNER_SHIFT 2
#define OWNER_MASK UINT64_C(0x3fc)

enum owner { OWNER_NONE, OWNER_HYP, OWNER_GUEST };

struct state {
	uint64_t lock; /* of the host's table */
	uint64_t pinned[PAGES];
	uint64_t *entry; /* of page 0 in the host's table */
	uint64_t *data[PAGES];
	uint64_t ipa;
	unsigned frame[PAGES];
	uint64_t donated;
	uint64_t failed;
	uint64_t root;	    /* of the host's table */
	uint64_t is_pinned; /* page 1, from the start */
};

#define SECRET 42

/* ---- what the books say, for the trace --------------------------------- */

enum party { PARTY_HOST = 0, PARTY_GUEST = 2 };

static void book(struct state *s, unsigned page, enum party party,
		 enum nw_page_state state)
{
	uint64_t pins = party == PARTY_HOST && page == 1 ? s->is_pinned : 0;

	nwx_trace(NW_EV_PAGE_STATE, nwx_pa(s->data[page]), PAGE_BYTES,
		  party | (uint64_t)state << 16 | pins << 32, NULL, 0);
}

static void book_move(struct state *s, unsigned page, enum party from,
		      enum party to)
{
	book(s, page, from, NW_PAGE_NONE);
	book(s, page, to, NW_PAGE_OWNED);
}

static void told(struct state *s, enum nw_event event, enum nw_op op,
		 unsigned pages, enum nw_status status)
{
	nwx_trace(event, s->ipa, s->ipa + pages * PAGE_BYTES,
		  NW_TRACE_OP(op, 0, status, s->root), NULL, 0);
}

static void scrub(struct state *s, unsigned page)
{
	nwx_store(s->data[page], 0, NWM_RELAXED);
	nwx_trace(NW_EV_SCRUB, nwx_pa(s->data[page]), PAGE_BYTES, 0, NULL, 0);
}

/* ---- the protocol ------------------------------------------------------ */

static uint64_t annotation(enum owner owner)
{
	return (uint64_t)owner << OWNER_SHIFT;
}

/* What an entry says about its owner: nothing, if it maps. */
static enum owner annotated_owner(uint64_t entry)
{
	if (entry & NWS_VALID)
		return OWNER_NONE;
	return (enum owner)((entry & OWNER_MASK) >> OWNER_SHIFT);
}

/* The predicate without the look at the valid bit: attributes of a leaf read
 * as an owner. */
static enum owner annotated_owner_unchecked(uint64_t entry)
{
	return (enum owner)((entry & OWNER_MASK) >> OWNER_SHIFT);
}

static void setup_pages(struct state *s)
{
	static const char *const names[PAGES] = {"page 0 of the host",
						 "page 1 of the host"};
	uint64_t *page[PAGES];
	struct nws_table t;

	for (unsigned i = 0; i < PAGES; i++) {
		page[i] = nws_frame_make(names[i], NWM_R | NWM_W, &s->frame[i]);
		s->data[i] = page[i];
	}
	/* An identity map: input and output address are one. */
	s->ipa = nwx_pa(page[0]);
	t = nws_table_make(NW_REGIME_STAGE2, NWS_VMID, s->ipa, 0xf);
	s->entry = &t.leaves[s->ipa >> 12 & 511];
	for (unsigned i = 0; i < PAGES; i++)
		nwx_store(&s->entry[i],
			  NWS_S2_PAGE(nwx_pa(page[i])) & ~NWS_S2_WRITE,
			  NWM_RELAXED);
	for (unsigned i = 0; i < PAGES; i++)
		nwx_store(&s->entry[i], NWS_S2_PAGE(nwx_pa(page[i])),
			  NWM_RELAXED);
	s->root = nwx_pa(t.root);
	nwx_trace(NW_EV_TABLE_OWNER, s->root, 0, PARTY_HOST, NULL, 0);
	for (unsigned i = 0; i < PAGES; i++)
		book(s, i, PARTY_HOST, NW_PAGE_OWNED);
	nwx_name(&s->lock, "lock of the host's table");
	nwx_watch(NW_REGIME_STAGE2, s->ipa);
}

static void setup(void *state)
{
	setup_pages(state);
}

static void setup_pinned(void *state)
{
	struct state *s = state;

	s->is_pinned = 1;
	setup_pages(s);
	nwx_store(&s->pinned[1], 1, NWM_RELAXED);
}

static void flush(struct state *s, unsigned first, unsigned pages)
{
	uint64_t start = s->ipa + first * 4096;

	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_IPAS2E1IS, start, start + pages * 4096, NWS_VMID, 0);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_tlbi(NW_TLBI_VMALLE1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

static int may_donate(struct state *s, unsigned page)
{
	uint64_t entry = nwx_load(&s->entry[page], NWM_RELAXED);

	return (entry & NWS_VALID) && annotated_owner(entry) == OWNER_NONE &&
	       !nwx_load(&s->pinned[page], NWM_RELAXED);
}

/* Check all pages, then write all: all or nothing. */
static int donate_all(struct state *s, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		if (!may_donate(s, i))
			return 0;
	for (unsigned i = 0; i < pages; i++)
		nwx_store(&s->entry[i], annotation(OWNER_GUEST), NWM_RELAXED);
	flush(s, 0, pages);
	for (unsigned i = 0; i < pages; i++) {
		nwx_frame_allow(s->frame[i], 0);
		book_move(s, i, PARTY_HOST, PARTY_GUEST);
	}
	return 1;
}

/* Check and write page by page: fails in the middle. */
static int donate_each(struct state *s, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++) {
		if (!may_donate(s, i))
			return 0;
		nwx_store(&s->entry[i], annotation(OWNER_GUEST), NWM_RELAXED);
		flush(s, i, 1);
		nwx_frame_allow(s->frame[i], 0);
		book_move(s, i, PARTY_HOST, PARTY_GUEST);
	}
	return 1;
}

static int donate(struct state *s, unsigned pages,
		  int (*how)(struct state *, unsigned))
{
	int is_done;

	told(s, NW_EV_OP_BEGIN, NW_OP_DONATE, pages, NW_OK);
	is_done = how(s, pages);
	told(s, NW_EV_OP_END, NW_OP_DONATE, pages,
	     is_done ? NW_OK : NW_E_BUSY);
	return is_done;
}

enum scrub_when { SCRUB_FIRST, SCRUB_LATE };

/* The guest is gone: its pages go back to the host, without its data. */
static void reclaim(struct state *s, enum scrub_when when)
{
	uint64_t entry = nwx_load(&s->entry[0], NWM_RELAXED);

	nwx_require(annotated_owner(entry) == OWNER_GUEST, NWM_PROTOCOL,
		    "a page is reclaimed from a guest that does not own it");
	told(s, NW_EV_OP_BEGIN, NW_OP_RECLAIM_PAGES, 1, NW_OK);
	if (when == SCRUB_FIRST)
		scrub(s, 0);
	nwx_frame_allow(s->frame[0], NWM_R | NWM_W);
	book_move(s, 0, PARTY_GUEST, PARTY_HOST);
	/* Scrubbed content before the entry: pairs with the walker. */
	nwx_store(&s->entry[0], NWS_S2_PAGE(s->ipa), NWM_RELEASE);
	if (when == SCRUB_LATE)
		scrub(s, 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	told(s, NW_EV_OP_END, NW_OP_RECLAIM_PAGES, 1, NW_OK);
}

static void donate_and_reclaim(struct state *s, enum scrub_when when)
{
	nwx_lock(&s->lock);
	if (donate(s, 1, donate_all)) {
		nwx_store(s->data[0], SECRET, NWM_RELAXED);
		reclaim(s, when);
	}
	nwx_unlock(&s->lock);
}

static void hyp_scrubs_first(void *state)
{
	donate_and_reclaim(state, SCRUB_FIRST);
}

static void hyp_scrubs_late(void *state)
{
	donate_and_reclaim(state, SCRUB_LATE);
}

static void host_looks(void *state)
{
	struct state *s = state;
	struct nwm_access_result r = nwx_read(NW_REGIME_STAGE2, s->ipa);

	nwx_require(r.outcome != NWM_DONE || r.value != SECRET, NWM_PROTOCOL,
		    "the host reads what the guest wrote");
}

static void hyp_donates_both(void *state)
{
	struct state *s = state;

	nwx_lock(&s->lock);
	if (!donate(s, PAGES, donate_all))
		nwx_store(&s->failed, 1, NWM_RELAXED);
	nwx_unlock(&s->lock);
}

static void hyp_donates_as_it_goes(void *state)
{
	struct state *s = state;

	nwx_lock(&s->lock);
	if (!donate(s, PAGES, donate_each))
		nwx_store(&s->failed, 1, NWM_RELAXED);
	nwx_unlock(&s->lock);
}

static void finish_all_or_nothing(void *state)
{
	struct state *s = state;
	unsigned gone = 0;

	for (unsigned i = 0; i < PAGES; i++)
		gone += annotated_owner(nwx_load(&s->entry[i], NWM_RELAXED)) !=
			OWNER_NONE;
	nwx_require(gone == (nwx_load(&s->failed, NWM_RELAXED) ? 0 : PAGES),
		    NWM_PROTOCOL, "a donation failed and moved pages");
}

/* Somebody asks who owns page 0 while it may be mapped. */
static void ask(struct state *s, enum owner (*owner_of)(uint64_t))
{
	uint64_t entry = nwx_load(&s->entry[0], NWM_RELAXED);
	enum owner owner = owner_of(entry);

	nwx_require(owner == OWNER_NONE || owner == OWNER_GUEST, NWM_PROTOCOL,
		    "bits of a live leaf are taken for an owner");
}

static void ask_checked(void *state)
{
	ask(state, annotated_owner);
}

static void ask_unchecked(void *state)
{
	ask(state, annotated_owner_unchecked);
}

#define OWNER                                                                  \
	.subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3, .walks = 1,         \
	.state_bytes = sizeof(struct state)

const struct nwx_scenario nws_bad_annotation_read_from_valid_entry = {
	.name = "bad_annotation_read_from_valid_entry",
	.doc = "the owner is read from an entry without a look at its valid "
	       "bit",
	.rule = "S4.3",
	OWNER,
	.setup = setup,
	.cpu = {hyp_scrubs_first, ask_unchecked, host_looks},
	.expect = {NWM_PROTOCOL},
};

const struct nwx_scenario nws_bad_donate_partial_failure = {
	.name = "bad_donate_partial_failure",
	.doc = "pages are checked and donated one by one; the second is pinned",
	.rule = "S4.5",
	OWNER,
	.setup = setup_pinned,
	.cpu = {hyp_donates_as_it_goes, host_looks, host_looks},
	.finish = finish_all_or_nothing,
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"OWNER-05"},
};

const struct nwx_scenario nws_bad_reclaim_before_scrub = {
	.name = "bad_reclaim_before_scrub",
	.doc = "a page is given back to the host, then scrubbed",
	.rule = "S4.5",
	OWNER,
	.setup = setup,
	.cpu = {hyp_scrubs_late, host_looks, host_looks},
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"OWNER-08"},
};

const struct nwx_scenario nws_good_donate_reclaim = {
	.name = "good_donate_reclaim",
	.doc = "checked, annotated, flushed; scrubbed, then mapped again",
	.rule = "S4.5",
	OWNER,
	.setup = setup,
	.cpu = {hyp_scrubs_first, host_looks, ask_checked},
};

const struct nwx_scenario nws_good_donate_all_or_nothing = {
	.name = "good_donate_all_or_nothing",
	.doc = "all checks come before the first write; the second page is "
	       "pinned",
	.rule = "S4.5",
	OWNER,
	.setup = setup_pinned,
	.cpu = {hyp_donates_both, host_looks, ask_checked},
	.finish = finish_all_or_nothing,
};
