/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows alternate between a page of ours that holds a marker and one that
 * does not, so that a stale translation shows itself.
 */
#include <nestwalk/fixmap.h>

#include "cpu.h"
#include "el2.h"
#include "fixbench.h"
#include "heap.h"
#include "report.h"
#include "sysreg.h"
#include "tlb.h"
#include "window.h"

#define PAIRS 1024u /* in a round */
#define ROUNDS 8u
#define SLOTS 16u
#define MARKER 0x6e772d6669786d70ull

/* Gauges of one strategy and kind, in the order of mailbox.h. */
enum { FIX_PAIRS, FIX_TICKS, FIX_REMOTE, FIX_LOCAL, FIX_GAUGES };

static struct nw_fixmap fixmap;
static struct nw_table private_root;
static struct heap_user user;

static const struct nw_port_ops port_ops = {
	.alloc_pages = heap_alloc_pages,
	.free_pages = heap_free_pages,
	.invalidate = nw_el2_invalidate,
	.invalidate_local = nw_el2_invalidate_local,
	.virt_minus_phys = 0,
};

static struct nw_table *own_table(void)
{
	return el2_table(this_cpu()->port.id);
}

static void must(enum nw_status status, const char *what)
{
	if (status != NW_OK)
		panic("fixmap bench: %s: %s: %s", what, nw_status_name(status),
		      nw_status_advice(status));
}

/* ---- a root of this CPU's own ----------------------------------------- */

static enum nw_status copy_leaf(const struct nw_visit *visit)
{
	struct nw_decoded leaf;

	visit->ops->decode(visit->geo, visit->level, visit->old, &leaf);
	return nw_map(visit->arg, visit->ia, visit->span_bytes, leaf.pa,
		      &leaf.attrs, visit->level, NULL, NULL);
}

/* CnP is bit 0 of TTBR0_EL2, and 0. What the TLB holds of the other root goes:
 * there are no ASIDs here to tell them apart. */
static void walk_from(const struct nw_table *t)
{
	sysreg_write("ttbr0_el2", nw_table_root(t).v);
	ISB();
	nw_el2_invalidate_local_all();
}

static void private_root_enter(void)
{
	struct nw_table *shared = own_table();
	struct nw_table_config config = {
		.ops = shared->ops,
		.format = {.granule_lg2 = shared->geo.granule_lg2,
			   .ia_bits = shared->geo.ia_bits,
			   .oa_bits = shared->geo.oa_bits,
			   .features = shared->geo.features},
		.port = &port_ops,
		.port_ctx = &user,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_EL2,
	};

	must(nw_table_init(&private_root, &config, NULL), "private root");
	must(nw_walk(shared, NW_IA(0), 1ull << shared->geo.ia_bits,
		     NW_VISIT_LEAF, copy_leaf, &private_root, NULL),
	     "copy of the table");
	walk_from(&private_root);
}

static void private_root_leave(void)
{
	walk_from(own_table());
	nw_table_destroy(&private_root);
}

/* ---- measuring -------------------------------------------------------- */

static uint64_t count_from(enum nw_mailbox_counter first,
			   enum nw_mailbox_counter second,
			   enum nw_mailbox_counter third)
{
	const uint64_t *row = this_cpu()->row;

	return row[first] + row[second] + row[third];
}

static uint64_t remote_count(void)
{
	return count_from(NW_C_vae2is, NW_C_vale2is, NW_C_rvae2is) +
	       this_cpu()->row[NW_C_alle2is];
}

static uint64_t local_count(void)
{
	return count_from(NW_C_vae2, NW_C_vale2, NW_C_alle2);
}

static void pair(enum nw_fixmap_kind kind, uint64_t pa, uint64_t offset,
		 int has_marker)
{
	struct nw_fixmap_window window;
	uint64_t seen;

	must(nw_fixmap_map(&fixmap, 0, kind, NW_PA(pa), &window_attrs, &window),
	     "map");
	seen = *(volatile const uint64_t *)((const char *)window.address +
					    offset);
	if ((seen == MARKER) != has_marker)
		panic("fixmap bench: the window on 0x%lx shows another page",
		      pa);
	must(nw_fixmap_unmap(&fixmap, 0, kind, &window), "unmap");
}

/* Ticks of one round; windows that retire do so before it ends. */
static uint64_t run_round(enum nw_fixmap_kind kind, uint64_t marked)
{
	uint64_t bytes = kind == NW_FIXMAP_BLOCK ? NW_HYP_BLOCK_BYTES :
						   NW_HYP_PAGE_BYTES;
	uint64_t offset = marked & (bytes - 1);
	uint64_t start = time_now();

	for (unsigned i = 0; i < PAIRS; i++) {
		/* Each slot in turn shows the other page than last time. */
		int has_marker = (int)((i + i / SLOTS) & 1);

		pair(kind, has_marker ? marked - offset : NW_HYP_IMAGE_PA,
		     offset, has_marker);
	}
	must(nw_fixmap_retire(&fixmap, 0), "retire");
	return time_now() - start;
}

/* The counts are the same in every round; of the times the shortest is kept,
 * because a busy host only adds to them. */
static void measure(enum nw_fixmap_kind kind, uint64_t marked,
		    enum nw_mailbox_counter gauges)
{
	uint64_t best = ~0ull;
	uint64_t remote = 0, local = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t remote_before = remote_count();
		uint64_t local_before = local_count();
		uint64_t ticks = run_round(kind, marked);

		remote = remote_count() - remote_before;
		local = local_count() - local_before;
		if (ticks < best)
			best = ticks;
	}
	mailbox_gauge(gauges + FIX_PAIRS, PAIRS);
	mailbox_gauge(gauges + FIX_TICKS, best);
	mailbox_gauge(gauges + FIX_REMOTE, remote);
	mailbox_gauge(gauges + FIX_LOCAL, local);
}

static void measure_strategy(enum nw_fixmap_strategy strategy,
			     uint64_t marked)
{
	const struct nw_fixmap_config config = {
		.strategy = strategy,
		.cpus = 1,
		.slots = {SLOTS, SLOTS},
		.table = {strategy == NW_FIXMAP_PRIVATE_ROOT ? &private_root :
							       own_table()},
		.start = NW_IA(NW_HYP_WINDOW_VA +
			       (1ull << 30) * (1 + strategy)),
	};
	enum nw_mailbox_counter gauges = NW_C_fix_broadcast_page_pairs +
					 2 * FIX_GAUGES * strategy;
	struct nw_result result;

	if (nw_fixmap_init(&fixmap, &config, &result) != NW_OK)
		panic("fixmap bench: %s (%s)", nw_status_name(result.status),
		      result.argument ? result.argument : "no argument");
	measure(NW_FIXMAP_PAGE, marked, gauges);
	measure(NW_FIXMAP_BLOCK, marked, gauges + FIX_GAUGES);
}

_Static_assert(NW_C_fix_broadcast_page_pairs + 2 * FIX_GAUGES ==
		       NW_C_fix_batched_page_pairs,
	       "gauges as in enum nw_fixmap_strategy");
_Static_assert(NW_C_fix_broadcast_page_pairs + 4 * FIX_GAUGES ==
		       NW_C_fix_private_page_pairs,
	       "gauges as in enum nw_fixmap_strategy");

void fixbench_run(void)
{
	uint64_t *page = heap_take(NW_HYP_PAGE_BYTES);

	if (!page)
		panic("fixmap bench: no page");
	*page = MARKER;
	measure_strategy(NW_FIXMAP_BROADCAST, (uintptr_t)page);
	measure_strategy(NW_FIXMAP_BATCHED, (uintptr_t)page);
	private_root_enter();
	measure_strategy(NW_FIXMAP_PRIVATE_ROOT, (uintptr_t)page);
	private_root_leave();
	*page = 0;
}
