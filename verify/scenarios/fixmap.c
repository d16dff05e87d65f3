/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short-lived windows on a shared EL2 table (requirements S2, protocols 14).
 *
 * CPU 0 maps frame A in its slot, uses it, unmaps it, gives it away, and maps
 * frame B in the same slot. Nobody else ever uses that slot on purpose; but
 * the table is shared, so every CPU's walker may go there at any time.
 */
#include "scenarios.h"

#define SLOT UINT64_C(0x80000000)
#define SLOT_BYTES UINT64_C(0x1000)
#define FRAMES 3

struct state {
	uint64_t *slot;
	uint64_t *slots; /* the batched variant uses several */
	uint64_t frame_pa[FRAMES];
	unsigned frame[FRAMES];
};

static void setup_shared(void *state)
{
	struct state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_EL2, 0, SLOT, 0xf);
	static const char *const names[FRAMES] = {"frame A", "frame B",
						  "frame C"};

	s->slots = t.leaves;
	s->slot = &t.leaves[0];
	for (unsigned i = 0; i < FRAMES; i++)
		s->frame_pa[i] =
			nwx_pa(nws_frame_make(names[i], 0, &s->frame[i]));
	nwx_watch(NW_REGIME_EL2, SLOT);
}

/* What stands between the entry's store and the next use of the slot. */
struct fixmap_unmap {
	enum nw_barrier before;
	enum nw_tlbi tlbi;
	enum nw_barrier after;
};

static void map(struct state *s, unsigned slot, unsigned frame)
{
	nwx_frame_allow(s->frame[frame], NWM_R | NWM_W);
	nwx_store(&s->slots[slot], NWS_EL2_PAGE(s->frame_pa[frame]),
		  NWM_RELAXED);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_barrier(NW_BARRIER_ISB);
}

static void clear(struct state *s, unsigned slot)
{
	uint64_t old = nwx_load(&s->slots[slot], NWM_RELAXED);

	nwx_store(&s->slots[slot], old & ~NWS_VALID, NWM_RELAXED);
}

static void unmap(struct state *s, const struct fixmap_unmap *how)
{
	clear(s, 0);
	nwx_barrier(how->before);
	nwx_tlbi(how->tlbi, SLOT, SLOT + SLOT_BYTES, 0, 0);
	nwx_barrier(how->after);
	nwx_barrier(NW_BARRIER_ISB);
}

/* Map A, use it, unmap it, give A away, map B. */
static void use_twice(struct state *s, const struct fixmap_unmap *how)
{
	map(s, 0, 0);
	(void)nwx_read(NW_REGIME_EL2, SLOT);
	unmap(s, how);
	nwx_note("unmapped: frame A changes hands");
	nwx_frame_allow(s->frame[0], 0);
	map(s, 0, 1);
	(void)nwx_read(NW_REGIME_EL2, SLOT);
	unmap(s, how);
	nwx_frame_allow(s->frame[1], 0);
}

/* The other CPU has work of its own; its walker does what it likes. */
static void bystander(void *state)
{
	(void)state;
	nwx_note("busy with other things");
}

/* With a third CPU: it uses a slot of its own, in the same table. */
static void neighbour(void *state)
{
	struct state *s = state;

	nwx_frame_allow(s->frame[2], NWM_R | NWM_W);
	nwx_store(&s->slots[8], NWS_EL2_PAGE(s->frame_pa[2]), NWM_RELAXED);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	(void)nwx_read(NW_REGIME_EL2, SLOT + 8 * SLOT_BYTES);
	clear(s, 8);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VALE2IS, SLOT + 8 * SLOT_BYTES, SLOT + 9 * SLOT_BYTES,
		 0, 0);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_frame_allow(s->frame[2], 0);
}

#define VARIANT(fn, b, t, a)                                                   \
	static void fn(void *state)                                            \
	{                                                                      \
		static const struct fixmap_unmap how = {b, t, a};              \
		use_twice(state, &how);                                        \
	}

VARIANT(local_invalidate, NW_BARRIER_DSB_NSHST, NW_TLBI_VALE2,
	NW_BARRIER_DSB_NSH)
VARIANT(nsh_barrier, NW_BARRIER_DSB_NSHST, NW_TLBI_VALE2IS, NW_BARRIER_DSB_ISH)
VARIANT(nsh_completion, NW_BARRIER_DSB_ISHST, NW_TLBI_VALE2IS,
	NW_BARRIER_DSB_NSH)
VARIANT(barrier_after, NW_BARRIER_ISB, NW_TLBI_VALE2IS, NW_BARRIER_DSB_ISH)
VARIANT(broadcast, NW_BARRIER_DSB_ISHST, NW_TLBI_VALE2IS, NW_BARRIER_DSB_ISH)

#define SHARED                                                                 \
	.rule = "S2.2", .subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3,     \
	.walks = 2, .state_bytes = sizeof(struct state), .setup = setup_shared

const struct nwx_scenario nws_bad_fixmap_local_invalidate = {
	.name = "bad_fixmap_local_invalidate",
	.doc = "a slot is unmapped with a local invalidation and non-shareable "
	       "barriers: another CPU keeps the old frame, then both",
	SHARED,
	.cpu = {local_invalidate, bystander, neighbour},
	.expect = {NWM_STALE, NWM_AMALGAM, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_fixmap_local_bbm2 = {
	.name = "bad_fixmap_local_bbm2",
	.doc = "the same where FEAT_BBM level 2 is there: it excuses changes of "
	       "size, not of address",
	SHARED,
	.machine = {.bbm_level = 2},
	.cpu = {local_invalidate, bystander, neighbour},
	.expect = {NWM_STALE, NWM_AMALGAM, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_fixmap_nsh_barrier = {
	.name = "bad_fixmap_nsh_barrier",
	.doc = "the invalidation is broadcast, but the barrier before it orders "
	       "the cleared entry for this CPU's walker only",
	SHARED,
	.cpu = {nsh_barrier, bystander, neighbour},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_fixmap_nsh_completion = {
	.name = "bad_fixmap_nsh_completion",
	.doc = "the invalidation is broadcast, but the barrier after it waits "
	       "for this CPU only",
	SHARED,
	.cpu = {nsh_completion, bystander, neighbour},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_fixmap_barrier_after = {
	.name = "bad_fixmap_barrier_after",
	.doc = "no barrier stands between the cleared entry and the "
	       "invalidation; the one after it comes too late",
	SHARED,
	.cpu = {barrier_after, bystander, neighbour},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_good_fixmap_broadcast = {
	.name = "good_fixmap_broadcast",
	.doc = "each unmap: clear, DSB ISHST, broadcast invalidation, DSB ISH",
	SHARED,
	.cpu = {broadcast, bystander, neighbour},
};

/* ---- batched retirement ------------------------------------------------ */

/* By address means one page each. */
static void retire_both(void)
{
	for (uint64_t at = SLOT; at < SLOT + 2 * SLOT_BYTES; at += SLOT_BYTES)
		nwx_tlbi(NW_TLBI_VALE2IS, at, at + SLOT_BYTES, 0, 0);
}

static void batched(void *state)
{
	struct state *s = state;

	map(s, 0, 0);
	(void)nwx_read(NW_REGIME_EL2, SLOT);
	clear(s, 0); /* retiring: neither slot nor frame is used again yet */
	map(s, 1, 1);
	(void)nwx_read(NW_REGIME_EL2, SLOT + SLOT_BYTES);
	clear(s, 1);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	retire_both();
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_barrier(NW_BARRIER_ISB);
	nwx_note("the batch is retired: both frames change hands");
	nwx_frame_allow(s->frame[0], 0);
	nwx_frame_allow(s->frame[1], 0);
	map(s, 0, 1);
	(void)nwx_read(NW_REGIME_EL2, SLOT);
}

static void batched_early(void *state)
{
	struct state *s = state;

	map(s, 0, 0);
	(void)nwx_read(NW_REGIME_EL2, SLOT);
	clear(s, 0);
	nwx_note("frame A changes hands while its slot is still retiring");
	nwx_frame_allow(s->frame[0], 0);
	map(s, 1, 1);
	clear(s, 1);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	retire_both();
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

static void setup_batched(void *state)
{
	setup_shared(state);
	nwx_watch(NW_REGIME_EL2, SLOT + SLOT_BYTES);
}

const struct nwx_scenario nws_good_fixmap_batched = {
	.name = "good_fixmap_batched",
	.doc = "two slots are cleared, then one broadcast retires both before "
	       "slot or frame is used again",
	.rule = "protocols 14",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_batched,
	.cpu = {batched, bystander, neighbour},
};

const struct nwx_scenario nws_bad_fixmap_batched_early = {
	.name = "bad_fixmap_batched_early",
	.doc = "a frame changes hands while its slot still waits for the "
	       "batch's broadcast",
	.rule = "protocols 14",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_batched,
	.cpu = {batched_early, bystander, neighbour},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

/* ---- private roots ----------------------------------------------------- */

struct private_state {
	struct state cpu[3];
};

static void setup_private(void *state)
{
	struct private_state *p = state;

	for (unsigned cpu = 0; cpu < 3; cpu++) {
		struct state *s = &p->cpu[cpu];
		struct nws_table t =
			nws_table_make(NW_REGIME_EL2, 0, SLOT, 1u << cpu);

		s->slots = t.leaves;
		s->slot = &t.leaves[0];
		for (unsigned i = 0; i < 2; i++) {
			s->frame_pa[i] = nwx_pa(nws_frame_make(
				i ? "frame B" : "frame A", 0, &s->frame[i]));
			nwm_frame_private(s->frame[i], 1u << cpu);
		}
	}
	nwx_watch(NW_REGIME_EL2, SLOT);
}

static void private_cpu(void *state)
{
	static const struct fixmap_unmap how = {
		NW_BARRIER_DSB_NSHST, NW_TLBI_VALE2, NW_BARRIER_DSB_NSH};
	struct private_state *p = state;

	use_twice(&p->cpu[nwx_cpu_id()], &how);
}

const struct nwx_scenario nws_good_fixmap_private_root = {
	.name = "good_fixmap_private_root",
	.doc = "each CPU's slots hang from its own root only: a local "
	       "invalidation is enough",
	.rule = "protocols 14",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.walks = 2,
	.state_bytes = sizeof(struct private_state),
	.setup = setup_private,
	.cpu = {private_cpu, private_cpu, private_cpu},
};
