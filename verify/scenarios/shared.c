/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared tables: many writers by compare-and-swap (protocols 4 to 7).
 */
#include "scenarios.h"

#define IA UINT64_C(0x200000)
#define OUT UINT64_C(0x80000000)
/* Invalid for hardware; software's own. */
#define FROZEN UINT64_C(0x10)
#define LOCKED UINT64_C(0x20)
/* CPUs that unmap a page of their own each. */
#define SHARERS 3u

struct state {
	uint64_t *parent;
	uint64_t *leaves;
	uint64_t started;   /* flushes begun */
	uint64_t completed; /* the newest one that its issuer saw completed */
	uint64_t installed;
	uint64_t flushed[NWM_CPUS_MAX];
	unsigned frame[SHARERS];
	uint64_t out[SHARERS];
};

static void setup(void *state)
{
	struct state *s = state;
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	s->parent = &t.middle[IA >> 21 & 511];
	s->leaves = t.leaves;
	nwx_table_lock_token(LOCKED);
	nwx_name(&s->started, "flushes started");
	nwx_name(&s->completed, "flushes completed");
}

static void flush_all(void)
{
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

/* ---- retiring an empty table (6) --------------------------------------- */

enum freeze { FREEZES, ONLY_LOOKS };

/* Words of the page that the scenario uses; all others stay empty. */
#define USED 2u

static void retire(struct state *s, enum freeze freeze)
{
	uint64_t table = nwx_load(s->parent, NWM_RELAXED);

	if (!nwx_cmpxchg(s->parent, &table, LOCKED))
		return;
	for (unsigned i = 0; i < USED; i++) {
		uint64_t seen = freeze == FREEZES ?
					nwx_xchg(&s->leaves[i], FROZEN) :
					nwx_load(&s->leaves[i], NWM_RELAXED);

		if (!(seen & NWS_VALID))
			continue;
		/* In use: everything back as it was. */
		if (freeze == FREEZES) {
			nwx_store(&s->leaves[i], seen, NWM_RELAXED);
			while (i--)
				nwx_store(&s->leaves[i], 0, NWM_RELAXED);
		}
		nwx_store(s->parent, table, NWM_RELEASE);
		return;
	}
	flush_all();
	nwx_store(s->parent, 0, NWM_RELEASE);
	nwx_table_unlinked(s->leaves);
	nwx_synchronize();
	nwx_page_free(s->leaves, 0);
}

static void retire_frozen(void *state)
{
	retire(state, FREEZES);
}

static void retire_unfrozen(void *state)
{
	retire(state, ONLY_LOOKS);
}

/* A fault installs a leaf; frozen sends it back to the root. */
static void install(void *state)
{
	struct state *s = state;
	uint64_t table, expected = 0;

	nwx_section_enter();
	table = nwx_load(s->parent, NWM_RELAXED);
	if (table & NWS_VALID &&
	    nwx_cmpxchg(&s->leaves[0], &expected, NWS_S2_PAGE(OUT)))
		nwx_store(&s->installed, 1, NWM_RELAXED);
	nwx_section_leave();
}

static void finish_install(void *state)
{
	struct state *s = state;
	uint64_t table = nwx_load(s->parent, NWM_RELAXED);

	nwx_require(!nwx_load(&s->installed, NWM_RELAXED) ||
			    (table & NWS_VALID),
		    NWM_PROTOCOL,
		    "a leaf was installed into a table that was retired");
}

const struct nwx_scenario nws_bad_reclaim_without_freeze = {
	.name = "bad_reclaim_without_freeze",
	.doc = "an empty table is retired after a look at its entries; a fault "
	       "installs between look and unlink",
	.rule = "protocols 6",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.state_bytes = sizeof(struct state),
	.setup = setup,
	.cpu = {retire_unfrozen, install, install},
	.finish = finish_install,
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"LIFE-05"},
};

const struct nwx_scenario nws_good_reclaim_frozen = {
	.name = "good_reclaim_frozen",
	.doc = "the parent is locked and each child swapped to frozen before "
	       "the table is unlinked, flushed and freed",
	.rule = "protocols 6",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.walks = 1,
	.state_bytes = sizeof(struct state),
	.setup = setup,
	.cpu = {retire_frozen, install, install},
	.finish = finish_install,
};

/* ---- sharing a flush (7) ----------------------------------------------- */

static void setup_sharers(void *state)
{
	struct state *s = state;
	static const char *const names[SHARERS] = {
		"page of CPU 0", "page of CPU 1", "page of CPU 2"};

	setup(state);
	for (unsigned i = 0; i < SHARERS; i++) {
		s->out[i] = nwx_pa(nws_frame_make(names[i], NWM_R | NWM_W,
						  &s->frame[i]));
		nwx_store(&s->leaves[i], NWS_S2_PAGE(s->out[i]), NWM_RELAXED);
		nwx_watch(NW_REGIME_STAGE2, IA + i * 4096);
	}
}

/* Returns the number of the flush. */
static void flush_numbered(struct state *s)
{
	uint64_t number = nwx_add(&s->started, 1);
	uint64_t seen;

	flush_all();
	seen = nwx_load(&s->completed, NWM_RELAXED);
	while (seen < number && !nwx_cmpxchg(&s->completed, &seen, number))
		;
}

static void clear_own(struct state *s, unsigned cpu)
{
	(void)nwx_xchg(&s->leaves[cpu], 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
}

/* The CPU skips its own flush when one that began after its clear is over. */
static void unmap_sharing(struct state *s, unsigned late)
{
	unsigned cpu = nwx_cpu_id();
	uint64_t sample;

	clear_own(s, cpu);
	sample = nwx_load(&s->started, NWM_ACQUIRE);
	/* Its own barrier says nothing about the other's invalidation. */
	nwx_barrier(NW_BARRIER_DSB_ISH);
	if (nwx_load(&s->completed, NWM_ACQUIRE) < sample + late)
		flush_numbered(s);
	nwx_frame_allow(s->frame[cpu], 0);
}

static void sharer(void *state)
{
	unmap_sharing(state, 1);
}

/* Takes a flush that had begun before the clear. */
static void hasty_sharer(void *state)
{
	unmap_sharing(state, 0);
}

/* Takes a flush that has begun after the clear, but may not be over. */
static void barrier_sharer(void *state)
{
	struct state *s = state;
	unsigned cpu = nwx_cpu_id();
	uint64_t sample;

	clear_own(s, cpu);
	sample = nwx_load(&s->completed, NWM_ACQUIRE);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	if (nwx_load(&s->started, NWM_ACQUIRE) <= sample)
		flush_numbered(s);
	else
		nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_frame_allow(s->frame[cpu], 0);
}

static void flusher(void *state)
{
	struct state *s = state;

	clear_own(s, 0);
	flush_numbered(s);
	nwx_frame_allow(s->frame[0], 0);
}

#define SHARING                                                                \
	.rule = "protocols 7", .subject = NWX_PROTOCOL, .cpus = 2,             \
	.cpus_pct = 3, .walks = 1, .state_bytes = sizeof(struct state),        \
	.setup = setup_sharers

const struct nwx_scenario nws_good_flush_shared = {
	.name = "good_flush_shared",
	.doc = "a flush is skipped once one that began after the clear has "
	       "completed",
	SHARING,
	.cpu = {flusher, sharer, sharer},
};

const struct nwx_scenario nws_bad_flush_shared_too_early = {
	.name = "bad_flush_shared_too_early",
	.doc = "a flush is skipped because one completed that had begun before "
	       "the clear",
	SHARING,
	.cpu = {flusher, hasty_sharer, hasty_sharer},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_flush_foreign_barrier = {
	.name = "bad_flush_foreign_barrier",
	.doc = "a flush is skipped because another CPU has begun one; one's own "
	       "barrier does not complete it",
	SHARING,
	.cpu = {flusher, barrier_sharer, barrier_sharer},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};
