/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flush and a grace period reach: both rounds of a stage-2 invalidation
 * and its VMID (protocols 10), and CPUs at EL2 (15).
 */
#include "scenarios.h"

#define IA UINT64_C(0x200000)
#define OUT UINT64_C(0x80000000)
#define OTHER_VMID (NWS_VMID + 1)
#define OTHER_ROOT UINT64_C(0x70000000)

struct state {
	uint64_t *parent;
	uint64_t *entry;
	uint64_t at_el2[2]; /* 1: CPU 1, CPU 2 handles a trap */
	unsigned frame;
};

static void setup(void *state)
{
	struct state *s = state;
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	s->parent = &t.middle[IA >> 21 & 511];
	s->entry = &t.leaves[IA >> 12 & 511];
	nwx_store(s->entry, NWS_S2_PAGE(OUT), NWM_RELAXED);
	s->frame = nwm_frame_add("the page", OUT, 4096, NWM_R | NWM_W);
	nwx_name(&s->at_el2[0], "CPU 1 is at EL2");
	nwx_name(&s->at_el2[1], "CPU 2 is at EL2");
}

static void setup_walked(void *state)
{
	setup(state);
	nwx_watch(NW_REGIME_STAGE2, IA);
}

/* ---- stage-2 rounds (10) ----------------------------------------------- */

#define BY_IPA 1u
#define MIDDLE 2u
#define COMBINED 4u

static void unmap(struct state *s, unsigned rounds, unsigned vmid)
{
	(void)nwx_xchg(s->entry, 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	if (rounds & BY_IPA)
		nwx_tlbi(NW_TLBI_IPAS2E1IS, IA, IA + 4096, vmid, 0);
	if (rounds & MIDDLE)
		nwx_barrier(NW_BARRIER_DSB_ISH);
	if (rounds & COMBINED)
		nwx_tlbi(NW_TLBI_VMALLE1IS, 0, 0, vmid, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_frame_allow(s->frame, 0);
}

static void unmaps(void *state)
{
	unmap(state, BY_IPA | MIDDLE | COMBINED, NWS_VMID);
}

static void unmaps_combined_only(void *state)
{
	unmap(state, COMBINED, NWS_VMID);
}

static void unmaps_by_ipa_only(void *state)
{
	unmap(state, BY_IPA | MIDDLE, NWS_VMID);
}

static void unmaps_without_middle(void *state)
{
	unmap(state, BY_IPA | COMBINED, NWS_VMID);
}

/* Another VM's VMID is installed on the CPU that invalidates. */
static void unmaps_under_other_vmid(void *state)
{
	nwx_trace(NW_EV_ROOT_SWITCH, OTHER_ROOT, OTHER_VMID, NW_REGIME_STAGE2,
		  NULL, 0);
	unmap(state, BY_IPA | MIDDLE | COMBINED, OTHER_VMID);
}

static void guest(void *state)
{
	(void)state;
	(void)nwx_read(NW_REGIME_STAGE2, IA);
}

/* ---- grace periods at EL2 (15) ----------------------------------------- */

#define FENCED 1u
#define QUIET_WITHIN 2u /* says that it is idle while it still walks */

/* A trap to EL2 that looks something up, on a port without read-side
 * sections: being at EL2 is the section. */
static void handle(struct state *s, unsigned how)
{
	uint64_t *at_el2 = &s->at_el2[nwx_cpu_id() - 1];
	uint64_t table, *page;

	nwx_store(at_el2, 1, NWM_RELAXED);
	if (how & FENCED)
		nwx_fence();
	table = nwx_load(s->parent, NWM_RELAXED);
	if (how & QUIET_WITHIN)
		nwx_store(at_el2, 0, NWM_RELEASE);
	if (table & NWS_VALID) {
		page = nwx_virt(table & ~UINT64_C(0xfff));
		(void)nwx_load(&page[IA >> 12 & 511], NWM_RELAXED);
	}
	if (!(how & QUIET_WITHIN))
		nwx_store(at_el2, 0, NWM_RELEASE);
}

static void handles(void *state)
{
	handle(state, FENCED);
}

static void handles_unfenced(void *state)
{
	handle(state, 0);
}

static void handles_and_claims_idle(void *state)
{
	handle(state, FENCED | QUIET_WITHIN);
}

static void unlink_table(struct state *s)
{
	(void)nwx_xchg(s->parent, 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
}

static void drops_table(void *state)
{
	struct state *s = state;

	unlink_table(s);
	for (unsigned i = 0; i < 2; i++)
		(void)nwx_await(&s->at_el2[i], 0, NWX_UNTIL);
	nwx_page_free(s->entry - (IA >> 12 & 511), 0);
}

static void drops_table_at_once(void *state)
{
	struct state *s = state;

	unlink_table(s);
	nwx_page_free(s->entry - (IA >> 12 & 511), 0);
}

/* ---- the scenarios ----------------------------------------------------- */

#define SCOPE                                                                  \
	.subject = NWX_PROTOCOL, .cpus = 2, .state_bytes = sizeof(struct state)
#define ROUNDS                                                                 \
	SCOPE, .rule = "protocols 10", .walks = 2, .cpus_pct = 3,              \
	       .setup = setup_walked
#define EL2 SCOPE, .rule = "protocols 15", .cpus_pct = 3, .setup = setup

const struct nwx_scenario nws_bad_s2_no_ipa_round = {
	.name = "bad_s2_no_ipa_round",
	.doc = "a stage-2 page is unmapped and only combined entries are "
	       "invalidated",
	ROUNDS,
	.cpu = {unmaps_combined_only, guest, guest},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_s2_no_combined_round = {
	.name = "bad_s2_no_combined_round",
	.doc = "a stage-2 page is unmapped and combined entries are left",
	ROUNDS,
	.cpu = {unmaps_by_ipa_only, guest, guest},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_s2_no_middle_barrier = {
	.name = "bad_s2_no_middle_barrier",
	.doc = "no barrier between the two rounds: a CPU combines anew from "
	       "what the first has not dropped yet",
	ROUNDS,
	.cpu = {unmaps_without_middle, guest, guest},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_bad_s2_other_vmid = {
	.name = "bad_s2_other_vmid",
	.doc = "both rounds are issued while another VM's VMID is installed",
	ROUNDS,
	.cpu = {unmaps_under_other_vmid, guest, guest},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

const struct nwx_scenario nws_good_s2_rounds = {
	.name = "good_s2_rounds",
	.doc = "by IPA, barrier, combined, barrier, under the table's own VMID",
	ROUNDS,
	.cpu = {unmaps, guest, guest},
};

const struct nwx_scenario nws_bad_el2_no_quiescence = {
	.name = "bad_el2_no_quiescence",
	.doc = "a table page is freed while another CPU at EL2 may hold it",
	EL2,
	.cpu = {drops_table_at_once, handles, handles},
	.expect = {NWM_USE_AFTER_FREE},
};

const struct nwx_scenario nws_bad_el2_unfenced_entry = {
	.name = "bad_el2_unfenced_entry",
	.doc = "a CPU says that it is at EL2 without a barrier before it walks",
	EL2,
	.cpu = {drops_table, handles_unfenced, handles_unfenced},
	.expect = {NWM_USE_AFTER_FREE},
};

const struct nwx_scenario nws_bad_el2_early_idle = {
	.name = "bad_el2_early_idle",
	.doc = "a CPU reports a quiescent state in the middle of a walk",
	EL2,
	.cpu = {drops_table, handles_and_claims_idle,
		handles_and_claims_idle},
	.expect = {NWM_USE_AFTER_FREE},
};

const struct nwx_scenario nws_good_el2_quiescence = {
	.name = "good_el2_quiescence",
	.doc = "a table page is freed once no CPU is at EL2 that could hold it",
	EL2,
	.cpu = {drops_table, handles, handles},
};
