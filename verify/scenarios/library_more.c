/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's own sources again: maps by several CPUs at once, and the
 * fixmap's three strategies.
 */
#include <nestwalk/fixmap.h>
#include <nestwalk/table.h>

#include "nw_port.h"
#include "scenarios.h"

#if !NW_SABOTAGE_NO_BBM && !NW_SABOTAGE_EARLY_FREE

static void must(enum nw_status status, const char *what)
{
	if (status != NW_OK)
		nwx_bug(what, __FILE__, __LINE__);
}

/* ---- maps side by side ------------------------------------------------- */

#define BLOCK_IA (UINT64_C(1) << 21)
#define BACKING UINT64_C(0x80000000)

struct shared_state {
	struct nw_table table;
	uint64_t done[NWM_CPUS_MAX]; /* 1: mapped, 2: another CPU was first */
};

static const struct nw_attrs guest_attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

static void setup_shared(void *state)
{
	struct shared_state *s = state;
	const struct nw_table_config config = {
		.ops = &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 39, .oa_bits = 40},
		.port = &nwx_port_ops,
		.mode = NW_MODE_SHARED,
		.regime = NW_REGIME_STAGE2,
		.tag = NWS_VMID,
	};
	struct nwm_root root = {.levels = 3, .ia_bits = 39, .tag = NWS_VMID};

	nwx_port_ops_init();
	must(nw_table_init(&s->table, &config, NULL), "table_init");
	/* A neighbour far away, so that the upper tables are there. */
	must(nw_map(&s->table, NW_IA(2 * BLOCK_IA), NWS_BLOCK_BYTES,
		    NW_PA(BACKING), &guest_attrs, 1, NULL, NULL),
	     "map");
	root.pa = nw_table_root(&s->table).v;
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		nwx_root_set(cpu, NW_REGIME_STAGE2, root);
	nwx_watch(NW_REGIME_STAGE2, BLOCK_IA);
}

static void fault_at(struct shared_state *s, uint64_t ia)
{
	enum nw_status status =
		nw_map(&s->table, NW_IA(ia), 4096,
		       NW_PA(BACKING + (ia - BLOCK_IA)), &guest_attrs, 0, NULL,
		       NULL);

	nwx_require(status == NW_OK || status == NW_E_RACED ||
			    status == NW_E_EXISTS,
		    NWM_PROTOCOL, "a fault fails that lost or won fairly");
	s->done[nwx_cpu_id()] = status == NW_OK ? 1 : 2;
}

static void fault_same(void *state)
{
	fault_at(state, BLOCK_IA);
}

static void fault_next(void *state)
{
	fault_at(state, BLOCK_IA + 4096 * (uint64_t)nwx_cpu_id());
}

static void check_mapped(struct shared_state *s, uint64_t ia)
{
	struct nw_mapping m;

	must(nw_lookup(&s->table, NW_IA(ia), &m), "lookup");
	nwx_require(m.kind == NW_ENTRY_LEAF &&
			    m.pa.v == BACKING + (ia - BLOCK_IA),
		    NWM_PROTOCOL, "a page that was mapped is not there");
}

static void check_pages(struct shared_state *s)
{
	/* Root, level 1, level 0: what the losers took is given back. */
	nwx_require(nw_table_stats(&s->table).pages_live == 3, NWM_PROTOCOL,
		    "a table page is lost, or there twice");
}

static void finish_same(void *state)
{
	struct shared_state *s = state;
	unsigned winners = 0;

	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		winners += s->done[cpu] == 1;
	nwx_require(winners == 1, NWM_PROTOCOL,
		    "a page has not exactly one CPU that mapped it");
	check_mapped(s, BLOCK_IA);
	check_pages(s);
}

static void finish_next(void *state)
{
	struct shared_state *s = state;

	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		if (s->done[cpu])
			check_mapped(s, BLOCK_IA + cpu * 4096ul);
	nwx_require(s->done[0] == 1 && s->done[1] == 1, NWM_PROTOCOL,
		    "a fault lost against one of another page");
	check_pages(s);
}

#define SHARED                                                                 \
	.rule = "protocols 4", .subject = NWX_LIBRARY, .cpus = 2,              \
	.cpus_pct = 3, .walks = 2, .state_bytes = sizeof(struct shared_state), \
	.setup = setup_shared

const struct nwx_scenario nws_good_library_map_same_page = {
	.name = "good_library_map_same_page",
	.doc = "two CPUs fault on one page whose table is missing: one wins, "
	       "no page is lost",
	SHARED,
	.cpu = {fault_same, fault_same, fault_same},
	.finish = finish_same,
};

const struct nwx_scenario nws_good_library_map_same_table = {
	.name = "good_library_map_same_table",
	.doc = "two CPUs fault on neighbours whose table is missing: both win",
	SHARED,
	.cpu = {fault_next, fault_next, fault_next},
	.finish = finish_next,
};

/* ---- fixmap ------------------------------------------------------------ */

#define SLOTS UINT64_C(0x80000000)

struct fixmap_state {
	struct nw_fixmap fm;
	struct nw_table table[2];
	uint64_t pa[2];
	unsigned frame[2];
};

_Static_assert(sizeof(struct fixmap_state) <= NWX_STATE_BYTES,
	       "NWM_STATE_PAGES is too small");

static const struct nw_attrs el2_attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

static void setup_fixmap(struct fixmap_state *s,
			 enum nw_fixmap_strategy strategy)
{
	unsigned tables = strategy == NW_FIXMAP_PRIVATE_ROOT ? 2 : 1;
	struct nw_fixmap_config config = {.strategy = strategy,
					  .cpus = 2,
					  .slots = {[NW_FIXMAP_PAGE] = 2},
					  .start = NW_IA(SLOTS)};
	const struct nw_table_config table = {
		.ops = &nw_arm64_el2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 39, .oa_bits = 40},
		.port = &nwx_port_ops,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_EL2,
	};

	nwx_port_ops_init();
	for (unsigned i = 0; i < tables; i++) {
		must(nw_table_init(&s->table[i], &table, NULL), "table_init");
		config.table[i] = &s->table[i];
	}
	must(nw_fixmap_init(&s->fm, &config, NULL), "fixmap_init");
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++) {
		struct nwm_root root = {.levels = 3, .ia_bits = 39};

		/* A private root is of one CPU; the third has none. */
		if (tables > 1 && cpu >= tables)
			break;
		root.pa = nw_table_root(&s->table[cpu % tables]).v;
		nwx_root_set(cpu, NW_REGIME_EL2, root);
	}
	for (unsigned i = 0; i < 2; i++)
		s->pa[i] = nwx_pa(nws_frame_make(i ? "frame B" : "frame A", 0,
						 &s->frame[i]));
	/* CPU 0's slots are the first ones. */
	nwx_watch(NW_REGIME_EL2, SLOTS);
}

static void setup_broadcast(void *state)
{
	setup_fixmap(state, NW_FIXMAP_BROADCAST);
}

static void setup_batched(void *state)
{
	setup_fixmap(state, NW_FIXMAP_BATCHED);
}

static void setup_private(void *state)
{
	setup_fixmap(state, NW_FIXMAP_PRIVATE_ROOT);
}

/* Open a window on each frame in turn; frames change hands when closed. */
static void user(void *state)
{
	struct fixmap_state *s = state;
	struct nw_fixmap_window w;

	for (unsigned i = 0; i < 2; i++) {
		nwx_frame_allow(s->frame[i], NWM_R | NWM_W);
		must(nw_fixmap_map(&s->fm, 0, NW_FIXMAP_PAGE, NW_PA(s->pa[i]),
				   &el2_attrs, &w),
		     "fixmap_map");
		nwx_require(nwx_read(NW_REGIME_EL2,
				     (uint64_t)(uintptr_t)w.address)
					    .outcome == NWM_DONE,
			    NWM_PROTOCOL, "a window faults on its own CPU");
		must(nw_fixmap_unmap(&s->fm, 0, NW_FIXMAP_PAGE, &w),
		     "fixmap_unmap");
		if (s->fm.strategy == NW_FIXMAP_BATCHED)
			must(nw_fixmap_retire(&s->fm, 0), "fixmap_retire");
		nwx_note("closed: the frame changes hands");
		nwx_frame_allow(s->frame[i], 0);
	}
}

/* Wrong: the frame changes hands while its slot is retiring. */
static void hasty_user(void *state)
{
	struct fixmap_state *s = state;
	struct nw_fixmap_window w;

	nwx_frame_allow(s->frame[0], NWM_R | NWM_W);
	must(nw_fixmap_map(&s->fm, 0, NW_FIXMAP_PAGE, NW_PA(s->pa[0]),
			   &el2_attrs, &w),
	     "fixmap_map");
	must(nw_fixmap_unmap(&s->fm, 0, NW_FIXMAP_PAGE, &w), "fixmap_unmap");
	nwx_frame_allow(s->frame[0], 0);
}

static void bystander(void *state)
{
	(void)state;
	nwx_note("busy with other things");
}

#define FIXMAP                                                                 \
	.rule = "S2, protocols 14", .subject = NWX_LIBRARY, .cpus = 2,         \
	.cpus_pct = 3, .walks = 2, .state_bytes = sizeof(struct fixmap_state)

const struct nwx_scenario nws_good_library_fixmap_broadcast = {
	.name = "good_library_fixmap_broadcast",
	.doc = "the library's windows on a shared table, each closed by a "
	       "broadcast",
	FIXMAP,
	.setup = setup_broadcast,
	.cpu = {user, bystander, bystander},
};

const struct nwx_scenario nws_good_library_fixmap_batched = {
	.name = "good_library_fixmap_batched",
	.doc = "the library's windows on a shared table, retired before a "
	       "frame changes hands",
	FIXMAP,
	.setup = setup_batched,
	.cpu = {user, bystander, bystander},
};

const struct nwx_scenario nws_good_library_fixmap_private_root = {
	.name = "good_library_fixmap_private_root",
	.doc = "the library's windows in a root of each CPU, closed locally",
	FIXMAP,
	.setup = setup_private,
	.cpu = {user, bystander, bystander},
};

const struct nwx_scenario nws_bad_library_fixmap_unretired = {
	.name = "bad_library_fixmap_unretired",
	.doc = "a caller of the batched fixmap passes a frame on without "
	       "retiring its slot",
	FIXMAP,
	.setup = setup_batched,
	.cpu = {hasty_user, bystander, bystander},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"LIFE-10"},
};

#endif
