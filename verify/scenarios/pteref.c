/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry references (requirements S0): what a section protects is the entry,
 * not the pointer to it.
 */
#include "scenarios.h"

#define IA UINT64_C(0x200000)
#define OUT UINT64_C(0x80000000)

struct state {
	uint64_t *leaves;
	uint64_t *parent;
};

static void setup(void *state)
{
	struct state *s = state;
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	s->leaves = t.leaves;
	s->parent = &t.middle[IA >> 21 & 511];
	nwx_store(&t.leaves[0], NWS_S2_PAGE(OUT), NWM_RELAXED);
}

/* Unlink, flush, grace period, free: the order of table life. */
static void remover(void *state)
{
	struct state *s = state;

	(void)nwx_xchg(s->parent, 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_synchronize();
	nwx_page_free(s->leaves, 0);
}

/* As above, but the page is freed at once. */
static void hasty_remover(void *state)
{
	struct state *s = state;

	(void)nwx_xchg(s->parent, 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	nwx_page_free(s->leaves, 0);
}

static uint64_t *child_of(uint64_t entry)
{
	return entry & NWS_VALID ? nwx_virt(entry & UINT64_C(0xfffffffff000)) :
				   NULL;
}

/* The straw man: section around the making of the pointer only. */
static void use_after_unlock(void *state)
{
	struct state *s = state;
	uint64_t *child;

	nwx_section_enter();
	child = child_of(nwx_load(s->parent, NWM_RELAXED));
	nwx_section_leave();
	if (child)
		(void)nwx_load(&child[0], NWM_RELAXED);
}

/* The entry's value is read inside the section; the value outlives it. */
static void read_inside(void *state)
{
	struct state *s = state;
	uint64_t *child, entry = 0;

	nwx_section_enter();
	child = child_of(nwx_load(s->parent, NWM_RELAXED));
	if (child)
		entry = nwx_load(&child[0], NWM_RELAXED);
	nwx_section_leave();
	nwx_require(!child || !entry || entry == NWS_S2_PAGE(OUT), NWM_PROTOCOL,
		    "an entry was read that was never written");
}

#define PTEREF                                                                 \
	.subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3,                     \
	.state_bytes = sizeof(struct state), .setup = setup

const struct nwx_scenario nws_bad_pteref_used_after_unlock = {
	.name = "bad_pteref_used_after_unlock",
	.doc = "the section protects the making of a pointer to an entry; the "
	       "entry is read after it",
	.rule = "S0.2",
	PTEREF,
	.cpu = {remover, use_after_unlock, use_after_unlock},
	.expect = {NWM_USE_AFTER_FREE, NWM_RULE},
	.rules = {"SECT-03", "LIFE-06"},
};

const struct nwx_scenario nws_good_read_pte = {
	.name = "good_read_pte",
	.doc = "one accessor reads the entry's value inside the section",
	.rule = "S0.1",
	PTEREF,
	.cpu = {remover, read_inside, read_inside},
};

const struct nwx_scenario nws_bad_free_without_grace = {
	.name = "bad_free_without_grace",
	.doc = "the page is unlinked and flushed, but freed without a grace "
	       "period",
	.rule = "protocols 16",
	PTEREF,
	.cpu = {hasty_remover, read_inside, read_inside},
	.expect = {NWM_USE_AFTER_FREE, NWM_RULE},
	.rules = {"LIFE-04", "LIFE-06"},
};
