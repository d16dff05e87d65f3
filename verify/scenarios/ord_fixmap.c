/* SPDX-License-Identifier: BSD-2-Clause */
/* Ordering points of the fixmap's own code: ORD-11 to ORD-14. */
#include <nestwalk/fixmap.h>

#include "ord.h"

#define START UINT64_C(0x80000000)
#define SLOTS 2
#define FRAMES 2

struct state {
	struct nw_table table[2];
	struct nw_fixmap fixmap;
	uint64_t *page[FRAMES];
	unsigned frame[FRAMES];
};

static uint64_t slot_ia(unsigned cpu, unsigned slot)
{
	return START + (cpu * SLOTS + slot) * ORD_PAGE_BYTES;
}

static void setup(void *state, enum nw_fixmap_strategy strategy, unsigned batch)
{
	struct state *s = state;
	struct nw_fixmap_config config = {
		.strategy = strategy,
		.cpus = 2,
		.slots = {[NW_FIXMAP_PAGE] = SLOTS},
		.batch = batch,
		.start = NW_IA(START),
	};
	unsigned tables = strategy == NW_FIXMAP_PRIVATE_ROOT ? 2 : 1;

	for (unsigned i = 0; i < tables; i++) {
		ord_table(&s->table[i], NW_REGIME_EL2, NW_MODE_EXCLUSIVE, 0);
		config.table[i] = &s->table[i];
		ord_install(&s->table[i], tables == 2 ? 1u << i : 0xf);
	}
	ord_must(nw_fixmap_init(&s->fixmap, &config, NULL), "fixmap_init");
	for (unsigned i = 0; i < FRAMES; i++)
		s->page[i] = nws_frame_make(i ? "frame B" : "frame A", 0,
					    &s->frame[i]);
}

static void setup_broadcast(void *state)
{
	setup(state, NW_FIXMAP_BROADCAST, 0);
	nwx_watch(NW_REGIME_EL2, slot_ia(0, 0));
}

static void setup_private(void *state)
{
	setup(state, NW_FIXMAP_PRIVATE_ROOT, 0);
	nwx_watch(NW_REGIME_EL2, slot_ia(0, 0));
}

static void setup_batched(void *state)
{
	setup(state, NW_FIXMAP_BATCHED, 2);
	nwx_watch(NW_REGIME_EL2, slot_ia(0, 0));
}

static void open_window(struct state *s, unsigned frame,
			struct nw_fixmap_window *w)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	struct nwm_access_result r;

	nwx_frame_allow(s->frame[frame], NWM_R | NWM_W);
	ord_must(nw_fixmap_map(&s->fixmap, nwx_cpu_id(), NW_FIXMAP_PAGE,
			       NW_PA(nwx_pa(s->page[frame])), &attrs, w),
		 "fixmap_map");
	r = nwx_read(NW_REGIME_EL2, (uintptr_t)w->address);
	nwx_require(r.outcome == NWM_DONE, NWM_PROTOCOL,
		    "the first access through a window faults");
}

static void close_window(struct state *s, struct nw_fixmap_window *w)
{
	ord_must(nw_fixmap_unmap(&s->fixmap, nwx_cpu_id(), NW_FIXMAP_PAGE, w),
		 "fixmap_unmap");
}

static void give_away(struct state *s, unsigned frame)
{
	nwx_note("the frame changes hands");
	nwx_frame_allow(s->frame[frame], 0);
}

static void bystander(void *state)
{
	(void)state;
	nwx_note("busy with other things");
}

/* ---- ORD-11, ORD-12, ORD-13 -------------------------------------------- */

static void one_window(void *state)
{
	struct state *s = state;
	struct nw_fixmap_window w;

	open_window(s, 0, &w);
	close_window(s, &w);
	give_away(s, 0);
}

const struct nwx_scenario nws_good_ord_fixmap_broadcast = {
	.name = "good_ord_fixmap_broadcast",
	ORD_GOOD("ORD-12", "a window is closed and its page given away while "
			   "other walkers look at the slot"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_broadcast,
	.cpu = {one_window, bystander, bystander},
};

const struct nwx_scenario nws_good_ord_fixmap_private = {
	.name = "good_ord_fixmap_private",
	ORD_GOOD("ORD-13", "the same where only this CPU's root reaches the "
			   "slot"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_private,
	.cpu = {one_window, bystander, bystander},
};

/* ---- ORD-12 in batches ------------------------------------------------- */

static void batch(void *state)
{
	struct state *s = state;
	struct nw_fixmap_window w;

	for (unsigned i = 0; i < 2; i++) {
		open_window(s, i, &w);
		close_window(s, &w);
	}
	/* The batch is full: both went by one broadcast. */
	give_away(s, 0);
	give_away(s, 1);
}

const struct nwx_scenario nws_good_ord_fixmap_batch = {
	.name = "good_ord_fixmap_batch",
	ORD_GOOD("ORD-12", "a full batch retires, then its pages are given "
			   "away"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_batched,
	.cpu = {batch, bystander, bystander},
};

static void retire_own(void *state)
{
	struct state *s = state;
	struct nw_fixmap_window w;

	open_window(s, 0, &w);
	close_window(s, &w);
	ord_must(nw_fixmap_retire(&s->fixmap, nwx_cpu_id()), "fixmap_retire");
	give_away(s, 0);
}

const struct nwx_scenario nws_good_ord_fixmap_retire = {
	.name = "good_ord_fixmap_retire",
	ORD_GOOD("ORD-12", "a page is given away after an explicit retirement"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_batched,
	.cpu = {retire_own, bystander, bystander},
};

/* ---- ORD-14: retired by another CPU ------------------------------------ */

static void close_one(void *state)
{
	struct state *s = state;
	struct nw_fixmap_window w;

	open_window(s, 0, &w);
	close_window(s, &w);
	/* In the end nothing is left retiring, whoever came first. */
	ord_must(nw_fixmap_retire(&s->fixmap, nwx_cpu_id()), "fixmap_retire");
}

/* If this CPU found the slot retiring, its broadcast covers the closed entry,
 * though nothing but the count told it of the closing. */
static void retire_other(void *state)
{
	struct state *s = state;
	const struct nw_fixmap_stats *stats = &s->fixmap.cpu[1].stats;

	ord_must(nw_fixmap_retire(&s->fixmap, 1), "fixmap_retire");
	if (stats->broadcasts)
		give_away(s, 0);
}

const struct nwx_scenario nws_good_ord_fixmap_retire_other = {
	.name = "good_ord_fixmap_retire_other",
	ORD_GOOD("ORD-14", "one CPU closes a window, another one that sees the "
			   "count retires it and gives the page away"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_batched,
	.cpu = {close_one, retire_other, bystander},
};
