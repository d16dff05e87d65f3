/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ORD-30 to ORD-33: ports/common/quiescent.h, the grace period of the EL2 port
 * (protocols 15), as the port compiles it.
 */
#include "ord.h"

#define IA   UINT64_C(0x200000)
#define OUT  UINT64_C(0x80000000)
#define CPUS 3

struct state {
	struct nw_quiescent quiescent[CPUS];
	uint64_t *parent;
	uint64_t *leaves;
	uint64_t *own[2]; /* of each writer: a word that leads to a page */
};

static void setup(void *state)
{
	struct state *s = state;
	struct nws_table t =
		nws_table_make(NW_REGIME_STAGE2, NWS_VMID, IA, 0xf);

	s->parent = &t.middle[IA >> 21 & 511];
	s->leaves = t.leaves;
	nwx_store(&t.leaves[IA >> 12 & 511], NWS_S2_PAGE(OUT), NWM_RELAXED);
	nwx_name(&s->quiescent[0].count, "CPU 0's sections");
	nwx_name(&s->quiescent[1].count, "CPU 1's sections");
	nwx_name(&s->quiescent[2].count, "CPU 2's sections");
}

static struct nw_quiescent *own(struct state *s)
{
	return &s->quiescent[nwx_cpu_id()];
}

/* As a lookup does. */
static void look(struct state *s)
{
	uint64_t table = nwx_load(s->parent, NWM_RELAXED), *page;

	if (!(table & NWS_VALID))
		return;
	page = nwx_virt(table & ~UINT64_C(0xfff));
	(void)nwx_load(&page[IA >> 12 & 511], NWM_RELAXED);
}

static void looks(void *state)
{
	struct state *s = state;

	nw_quiescent_enter(own(s));
	look(s);
	nw_quiescent_leave(own(s));
}

/* Sections nest, and another follows: who waits for the first does not wait
 * for the second. */
static void looks_twice(void *state)
{
	struct state *s = state;

	nw_quiescent_enter(own(s));
	nw_quiescent_enter(own(s));
	nw_quiescent_leave(own(s));
	look(s);
	nw_quiescent_leave(own(s));
	looks(state);
}

static void grace_period(struct state *s)
{
	nw_quiescent_begin();
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		if (cpu != nwx_cpu_id())
			nw_quiescent_wait_for(&s->quiescent[cpu]);
}

static void drops_table(void *state)
{
	struct state *s = state;

	(void)nwx_xchg(s->parent, 0);
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_tlbi(NW_TLBI_VMALLS12E1IS, 0, 0, NWS_VMID, -1);
	nwx_barrier(NW_BARRIER_DSB_ISH);
	grace_period(s);
	nwx_page_free(s->leaves, 0);
}

/* Each unlinks with a plain store, so that no barrier but the grace period's
 * own stands between that and its look. */
static void setup_writers(void *state)
{
	struct state *s = state;

	setup(state);
	for (unsigned i = 0; i < 2; i++)
		s->own[i] = nwx_page_alloc(0);
	nwx_store(s->own[0], nwx_pa(s->own[1]), NWM_RELAXED);
}

static void drops_word(void *state)
{
	struct state *s = state;

	nwx_store(s->own[0], 0, NWM_RELAXED);
	grace_period(s);
	nwx_page_free(s->own[1], 0);
}

static void follows_word(void *state)
{
	struct state *s = state;
	uint64_t page;

	nw_quiescent_enter(own(s));
	page = nwx_load(s->own[0], NWM_RELAXED);
	if (page)
		(void)nwx_load(nwx_virt(page), NWM_RELAXED);
	nw_quiescent_leave(own(s));
}

/* It waits too, while others wait for it. */
static void follows_and_waits(void *state)
{
	follows_word(state);
	grace_period(state);
}

const struct nwx_scenario nws_good_ord_quiescent = {
	.name = "good_ord_quiescent",
	ORD_GOOD("ORD-30", "a table page is freed once no CPU at EL2 is in a "
			   "section that could hold it"),
	.state_bytes = sizeof(struct state),
	.setup = setup,
	.cpu = {drops_table, looks_twice, looks},
};

const struct nwx_scenario nws_good_ord_quiescent_unlink = {
	.name = "good_ord_quiescent_unlink",
	ORD_GOOD("ORD-31", "what a plain store has unlinked is freed while "
			   "others look, and wait for grace periods too"),
	.state_bytes = sizeof(struct state),
	.setup = setup_writers,
	.cpu = {drops_word, follows_and_waits, follows_word},
};
