/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of live leaves: what hardware writes (protocols 3), runs of entries
 * that hardware takes for one (11), repairs of faults without a lock (13), and
 * moving a page (18). CPU 0 manages, CPU 1 is the guest or its fault.
 */
#include "scenarios.h"

#define IA UINT64_C(0x200000)
#define OUT UINT64_C(0x80000000)
#define LOCKED UINT64_C(0x20)
#define CONTIGUOUS (UINT64_C(1) << 52)
#define MEMBERS 16u

struct state {
	uint64_t *entry;
	uint64_t *data[2];
	uint64_t pa[2];
	unsigned frame[2];
	uint64_t log;	  /* 1: the page was written since the harvest */
	uint64_t copy;	  /* what the harvest took */
	uint64_t seen;	  /* the harvest's dirty state */
	uint64_t written; /* a write that was done */
	uint64_t retry;
};

static void setup_page(struct state *s, uint64_t attrs_off, uint64_t attrs_on)
{
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	for (unsigned i = 0; i < 2; i++) {
		s->data[i] = nws_frame_make(i ? "new frame" : "old frame",
					    NWM_R | NWM_W, &s->frame[i]);
		s->pa[i] = nwx_pa(s->data[i]);
	}
	s->entry = &t.leaves[IA >> 12 & 511];
	nwx_store(s->entry,
		  (NWS_S2_PAGE(s->pa[0]) & ~attrs_off) | attrs_on,
		  NWM_RELAXED);
	nwx_name(&s->log, "dirty log");
	nwx_name(&s->written, "written");
}

static void flush(void)
{
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

static void guest_writes(void *state)
{
	struct state *s = state;

	if (nwx_write(NW_REGIME_STAGE2, IA, 1).outcome == NWM_DONE)
		nwx_store(&s->written, 1, NWM_RELAXED);
}

static void guest_reads(void *state)
{
	(void)state;
	(void)nwx_read(NW_REGIME_STAGE2, IA);
}

/* ---- hardware's dirty state (3) ---------------------------------------- */

static void setup_clean(void *state)
{
	setup_page(state, NWS_S2_WRITE, NWS_DBM);
}

static void protects_by_store(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	nwx_store(s->entry, seen & ~(NWS_S2_WRITE | NWS_DBM), NWM_RELAXED);
	flush();
	s->seen = seen & NWS_S2_WRITE;
}

static void protects_by_swap(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	while (!nwx_cmpxchg(s->entry, &seen,
			    seen & ~(NWS_S2_WRITE | NWS_DBM)))
		;
	flush();
	s->seen = seen & NWS_S2_WRITE;
}

static void finish_dirty(void *state)
{
	struct state *s = state;

	nwx_require(!nwx_load(&s->written, NWM_RELAXED) || s->seen,
		    NWM_LOST_DIRTY, "the guest wrote, and the entry that was "
				    "taken away says that it did not");
}

/* ---- runs (11) --------------------------------------------------------- */

static void setup_run(void *state)
{
	struct state *s = state;
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	s->entry = t.leaves;
	nwx_table_lock_token(LOCKED);
	for (unsigned i = 0; i < MEMBERS; i++)
		nwx_store(&s->entry[i],
			  (NWS_S2_PAGE(OUT + 4096 * i) & ~NWS_S2_WRITE) |
				  CONTIGUOUS,
			  NWM_RELAXED);
}

/* All members under the lock of the first. 0: somebody else has it. */
static int run_change(struct state *s, uint64_t set, uint64_t clear)
{
	uint64_t first = nwx_load(&s->entry[0], NWM_RELAXED), entry[MEMBERS];

	if (first == LOCKED || !nwx_cmpxchg(&s->entry[0], &first, LOCKED))
		return 0;
	for (unsigned i = 1; i < MEMBERS; i++) {
		entry[i] = nwx_load(&s->entry[i], NWM_RELAXED);
		nwx_store(&s->entry[i], 0, NWM_RELAXED);
	}
	flush();
	for (unsigned i = 1; i < MEMBERS; i++)
		nwx_store(&s->entry[i], (entry[i] | set) & ~clear, NWM_RELAXED);
	nwx_store(&s->entry[0], (first | set) & ~clear, NWM_RELEASE);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	return 1;
}

static void run_protects(void *state)
{
	(void)run_change(state, 0, NWS_AF);
}

static void run_allows_all(void *state)
{
	(void)run_change(state, NWS_S2_WRITE, 0);
}

static void run_allows_one(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(&s->entry[1], NWM_RELAXED);

	if (seen & NWS_VALID)
		(void)nwx_cmpxchg(&s->entry[1], &seen, seen | NWS_S2_WRITE);
}

static void finish_run(void *state)
{
	struct state *s = state;
	uint64_t first = nwx_load(&s->entry[0], NWM_RELAXED);

	for (unsigned i = 1; i < MEMBERS; i++)
		nwx_require(nwx_load(&s->entry[i], NWM_RELAXED) ==
				    first + 4096 * (uint64_t)i,
			    NWM_PROTOCOL,
			    "members of a contiguous run differ");
}

/* ---- repairs (13) ------------------------------------------------------ */

/* Write-protected for the log; the entry records that writes are allowed. */
static void setup_logged(void *state)
{
	setup_page(state, NWS_S2_WRITE, NWS_DBM);
	nwx_watch(NW_REGIME_STAGE2, IA);
}

/* For good: the entry records it. */
static void forbids_writes(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	while (!nwx_cmpxchg(s->entry, &seen,
			    seen & ~(NWS_S2_WRITE | NWS_DBM)))
		;
	flush();
	nwx_frame_allow(s->frame[0], NWM_R);
}

/* A fault on a write: sample, decide, swap. */
static void repairs_what_entry_allows(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	if (seen & NWS_DBM)
		(void)nwx_cmpxchg(s->entry, &seen, seen | NWS_S2_WRITE);
}

static void repairs_what_was_allowed(void *state)
{
	struct state *s = state;
	uint64_t seen = nwx_load(s->entry, NWM_RELAXED);

	if (!(seen & NWS_DBM))
		return;
	while (!nwx_cmpxchg(s->entry, &seen, seen | NWS_S2_WRITE))
		;
}

enum mark { MARK_AFTER, MARK_BEFORE };

static void repair_and_write(struct state *s, enum mark mark)
{
	uint64_t seen;

	if (mark == MARK_BEFORE)
		nwx_store(&s->log, 1, NWM_RELEASE);
	seen = nwx_load(s->entry, NWM_RELAXED);
	if (!nwx_cmpxchg(s->entry, &seen, seen | NWS_S2_WRITE))
		return;
	if (mark == MARK_AFTER)
		(void)nwx_xchg(&s->log, 1);
	guest_writes(s);
}

static void marks_after(void *state)
{
	repair_and_write(state, MARK_AFTER);
}

static void marks_before(void *state)
{
	repair_and_write(state, MARK_BEFORE);
}

/* Take the log, protect, and take what is in the page. */
static void harvests(void *state)
{
	struct state *s = state;
	uint64_t seen;

	if (!nwx_xchg(&s->log, 0))
		return;
	seen = nwx_load(s->entry, NWM_RELAXED);
	while (!nwx_cmpxchg(s->entry, &seen, seen & ~NWS_S2_WRITE))
		;
	flush();
	s->copy = nwx_load(s->data[0], NWM_RELAXED);
}

static void finish_harvest(void *state)
{
	struct state *s = state;

	nwx_require(nwx_load(s->data[0], NWM_RELAXED) == s->copy ||
			    nwx_load(&s->log, NWM_RELAXED),
		    NWM_LOST_DIRTY,
		    "the page is not what was harvested, and the log does not "
		    "say so");
}

/* ---- moving a page (18) ------------------------------------------------ */

static void setup_move(void *state)
{
	setup_page(state, 0, 0);
	nwx_watch(NW_REGIME_STAGE2, IA);
}

static void copy_page(struct state *s)
{
	nwx_store(s->data[1], nwx_load(s->data[0], NWM_RELAXED), NWM_RELAXED);
}

static void break_page(struct state *s)
{
	(void)nwx_xchg(s->entry, 0);
	flush();
	nwx_frame_allow(s->frame[0], 0);
}

static void make_page(struct state *s)
{
	nwx_store(s->entry, NWS_S2_PAGE(s->pa[1]), NWM_RELEASE);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
}

static void moves(void *state)
{
	break_page(state);
	copy_page(state);
	make_page(state);
}

static void moves_copying_first(void *state)
{
	copy_page(state);
	break_page(state);
	make_page(state);
}

static void finish_moved(void *state)
{
	struct state *s = state;

	nwx_require(!nwx_load(&s->written, NWM_RELAXED) ||
			    nwx_load(s->data[1], NWM_RELAXED) == 1,
		    NWM_PROTOCOL, "what the guest wrote is not in the page's "
				  "new frame");
}

/* ---- the scenarios ----------------------------------------------------- */

#define REPAIR                                                                 \
	.subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3,                     \
	.state_bytes = sizeof(struct state)
#define HARDWARE_DIRTY .machine = {.has_haf = 1, .has_hd = 1}

const struct nwx_scenario nws_bad_protect_plain_store = {
	.name = "bad_protect_plain_store",
	.doc = "a leaf that hardware marks dirty is write-protected by load "
	       "and store",
	.rule = "protocols 3",
	REPAIR, HARDWARE_DIRTY,
	.setup = setup_clean,
	.cpu = {protects_by_store, guest_writes, guest_reads},
	.finish = finish_dirty,
	.expect = {NWM_LOST_DIRTY, NWM_RULE},
	.rules = {"ENTRY-02"},
};

const struct nwx_scenario nws_good_protect_swap = {
	.name = "good_protect_swap",
	.doc = "a leaf that hardware marks dirty is write-protected by "
	       "compare-and-swap",
	.rule = "protocols 3",
	REPAIR, HARDWARE_DIRTY,
	.setup = setup_clean,
	.cpu = {protects_by_swap, guest_writes, guest_reads},
	.finish = finish_dirty,
};

const struct nwx_scenario nws_bad_run_single_entry_swap = {
	.name = "bad_run_single_entry_swap",
	.doc = "one member of a contiguous run is changed alone",
	.rule = "protocols 11",
	REPAIR,
	.setup = setup_run,
	.cpu = {run_protects, run_allows_one, run_allows_one},
	.finish = finish_run,
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"ENTRY-12", "ENTRY-03"},
};

const struct nwx_scenario nws_good_run_under_first_lock = {
	.name = "good_run_under_first_lock",
	.doc = "members of a contiguous run change together, under the lock of "
	       "the first",
	.rule = "protocols 11",
	REPAIR,
	.setup = setup_run,
	.cpu = {run_protects, run_allows_all, run_allows_all},
	.finish = finish_run,
};

const struct nwx_scenario nws_bad_repair_stale_right = {
	.name = "bad_repair_stale_right",
	.doc = "a fault grants a write right that it read from an older entry",
	.rule = "protocols 13",
	REPAIR,
	.walks = 1,
	.setup = setup_logged,
	.cpu = {forbids_writes, repairs_what_was_allowed, guest_reads},
	.expect = {NWM_STALE},
};

const struct nwx_scenario nws_good_repair_recorded_right = {
	.name = "good_repair_recorded_right",
	.doc = "a fault grants what the entry that it swaps allows",
	.rule = "protocols 13",
	REPAIR,
	.walks = 1,
	.setup = setup_logged,
	.cpu = {forbids_writes, repairs_what_entry_allows, guest_reads},
};

const struct nwx_scenario nws_bad_repair_marks_before = {
	.name = "bad_repair_marks_before",
	.doc = "a page is marked dirty before its entry becomes writable",
	.rule = "protocols 13",
	REPAIR,
	.setup = setup_logged,
	.cpu = {harvests, marks_before, guest_reads},
	.finish = finish_harvest,
	.expect = {NWM_LOST_DIRTY},
};

const struct nwx_scenario nws_good_repair_marks_after = {
	.name = "good_repair_marks_after",
	.doc = "a page is marked dirty once its entry is writable",
	.rule = "protocols 13",
	REPAIR,
	.setup = setup_logged,
	.cpu = {harvests, marks_after, guest_reads},
	.finish = finish_harvest,
};

const struct nwx_scenario nws_bad_move_copies_first = {
	.name = "bad_move_copies_first",
	.doc = "a guest's page is copied before its entry is broken",
	.rule = "protocols 18",
	REPAIR,
	.walks = 1,
	.setup = setup_move,
	.cpu = {moves_copying_first, guest_writes, guest_reads},
	.finish = finish_moved,
	.expect = {NWM_PROTOCOL},
};

const struct nwx_scenario nws_good_move = {
	.name = "good_move",
	.doc = "a guest's page moves: break, invalidate, copy, make",
	.rule = "protocols 18",
	REPAIR,
	.walks = 1,
	.setup = setup_move,
	.cpu = {moves, guest_writes, guest_reads},
	.finish = finish_moved,
};
