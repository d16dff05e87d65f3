/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locked entries (protocols 5): an entry that one CPU is replacing is invalid
 * for hardware and carries a token; it ends in one publish.
 */
#include "scenarios.h"

#define IA UINT64_C(0x200000)
#define OUT UINT64_C(0x80000000)
/* Invalid for hardware; software's own. */
#define LOCKED UINT64_C(0x20)
/* An invalid entry that says who owns the page. */
#define OWNER_MASK UINT64_C(0x3fc)
#define OWNER_GUEST UINT64_C(0x8)

struct state {
	uint64_t *entry;
	uint64_t removed;
	unsigned frame;
};

static void setup_entry(struct state *s, uint64_t value)
{
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	s->entry = &t.leaves[IA >> 12 & 511];
	nwx_table_lock_token(LOCKED);
	nwx_store(s->entry, value, NWM_RELAXED);
	s->frame = nwm_frame_add("the page", OUT, 4096, NWM_R | NWM_W);
	nwx_name(&s->removed, "removed");
	nwx_watch(NW_REGIME_STAGE2, IA);
}

static void setup(void *state)
{
	setup_entry(state, NWS_S2_PAGE(OUT));
}

static void setup_annotated(void *state)
{
	setup_entry(state, OWNER_GUEST);
}

static void flush(void)
{
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

/* ---- the owner of the lock --------------------------------------------- */

enum publish { BY_SWAP, BLINDLY };

/* Break, flush, make: new attributes for the page. */
static void change(struct state *s, enum publish publish)
{
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED), token = LOCKED;

	if (!(seen & NWS_VALID) || !nwx_cmpxchg(s->entry, &seen, LOCKED))
		return;
	flush();
	if (publish == BLINDLY)
		nwx_store(s->entry, seen, NWM_RELEASE);
	else if (!nwx_cmpxchg(s->entry, &token, seen))
		nwx_note("stolen: what was prepared is given back");
}

static void changes(void *state)
{
	change(state, BY_SWAP);
}

static void changes_blindly(void *state)
{
	change(state, BLINDLY);
}

/* ---- removals ---------------------------------------------------------- */

static void given_away(struct state *s)
{
	flush();
	nwx_store(&s->removed, 1, NWM_RELAXED);
	nwx_frame_allow(s->frame, 0);
}

static void removes_what_is_valid(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	while (seen & NWS_VALID)
		if (nwx_cmpxchg(s->entry, &seen, 0))
			break;
	given_away(s);
}

static void removes_by_stealing(void *state)
{
	struct state *s = state;

	(void)nwx_xchg(s->entry, 0);
	given_away(s);
}

static void removes_after_waiting(void *state)
{
	struct state *s = state;
	uint64_t seen;

	do
		seen = nwx_await(s->entry, LOCKED, NWX_UNTIL_NOT);
	while (!nwx_cmpxchg(s->entry, &seen, 0));
	given_away(s);
}

static void finish_removed(void *state)
{
	struct state *s = state;

	nwx_require(!(nwx_load(s->entry, NWM_RELAXED) & NWS_VALID),
		    NWM_PROTOCOL, "a page is mapped again after its removal");
}

/* ---- lookups ----------------------------------------------------------- */

enum found { FOUND_NONE, FOUND_LEAF, FOUND_BUSY };

static void expect_never_none(enum found found)
{
	nwx_require(found != FOUND_NONE, NWM_PROTOCOL,
		    "a lookup says that nothing is mapped where a page always "
		    "was");
}

static void looks(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	expect_never_none(seen & NWS_VALID ? FOUND_LEAF :
			  seen == LOCKED   ? FOUND_BUSY :
					     FOUND_NONE);
}

static void looks_at_valid_bit(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	expect_never_none(seen & NWS_VALID ? FOUND_LEAF : FOUND_NONE);
}

/* ---- annotations ------------------------------------------------------- */

static void locks_annotated(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	if (!nwx_cmpxchg(s->entry, &seen, LOCKED))
		return;
	/* It was the guest's: nothing to do here after all. */
	nwx_store(s->entry, seen, NWM_RELEASE);
}

static void refuses_annotated(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	if (seen & OWNER_MASK)
		return;
	locks_annotated(state);
}

static void asks_for_owner(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	nwx_require((seen & OWNER_MASK) == OWNER_GUEST, NWM_PROTOCOL,
		    "the guest's page seems to be nobody's");
}

/* ---- the scenarios ----------------------------------------------------- */

#define LOCKED_ENTRY                                                           \
	.rule = "protocols 5", .subject = NWX_PROTOCOL, .cpus = 2,             \
	.cpus_pct = 3, .state_bytes = sizeof(struct state)

const struct nwx_scenario nws_bad_removal_skips_locked = {
	.name = "bad_removal_skips_locked",
	.doc = "a removal takes a locked entry for an empty one; its owner "
	       "publishes the page again",
	LOCKED_ENTRY,
	.walks = 1,
	.setup = setup,
	.cpu = {changes, removes_what_is_valid, looks},
	.finish = finish_removed,
	.expect = {NWM_PROTOCOL, NWM_STALE},
};

const struct nwx_scenario nws_bad_steal_blind_publish = {
	.name = "bad_steal_blind_publish",
	.doc = "a removal steals a locked entry; its owner publishes with a "
	       "plain store",
	LOCKED_ENTRY,
	.walks = 1,
	.setup = setup,
	.cpu = {changes_blindly, removes_by_stealing, changes},
	.finish = finish_removed,
	.expect = {NWM_PROTOCOL, NWM_STALE, NWM_RULE},
	.rules = {"LOCK-05", "ENTRY-01", "ENTRY-03"},
};

const struct nwx_scenario nws_bad_lookup_takes_lock_for_none = {
	.name = "bad_lookup_takes_lock_for_none",
	.doc = "a lookup that meets a locked entry says that nothing is mapped",
	LOCKED_ENTRY,
	.setup = setup,
	.cpu = {changes, looks_at_valid_bit, looks},
	.expect = {NWM_PROTOCOL},
};

const struct nwx_scenario nws_bad_lock_hides_owner = {
	.name = "bad_lock_hides_owner",
	.doc = "an annotated entry is locked: for a moment its page is nobody's",
	LOCKED_ENTRY,
	.setup = setup_annotated,
	.cpu = {locks_annotated, asks_for_owner, asks_for_owner},
	.expect = {NWM_PROTOCOL},
};

const struct nwx_scenario nws_good_removal_steals = {
	.name = "good_removal_steals",
	.doc = "a removal swaps a locked entry away; its owner's publish fails",
	LOCKED_ENTRY,
	.walks = 1,
	.setup = setup,
	.cpu = {changes, removes_by_stealing, changes},
	.finish = finish_removed,
};

const struct nwx_scenario nws_good_removal_waits = {
	.name = "good_removal_waits",
	.doc = "a removal waits for a locked entry's publish",
	LOCKED_ENTRY,
	.walks = 1,
	.setup = setup,
	.cpu = {changes, removes_after_waiting, changes},
	.finish = finish_removed,
};

const struct nwx_scenario nws_good_lookup_reports_busy = {
	.name = "good_lookup_reports_busy",
	.doc = "a lookup that meets a locked entry says so",
	LOCKED_ENTRY,
	.setup = setup,
	.cpu = {changes, looks, looks},
};

const struct nwx_scenario nws_good_lock_refuses_annotated = {
	.name = "good_lock_refuses_annotated",
	.doc = "an annotated entry is never locked",
	LOCKED_ENTRY,
	.setup = setup_annotated,
	.cpu = {refuses_annotated, asks_for_owner, asks_for_owner},
};
