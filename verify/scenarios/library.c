/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's own sources, compiled against ports/explore, on a stage-2
 * table. This file is compiled once per build of the library; the builds that
 * are wrong on purpose (NW_SABOTAGE_...) give the bad_ twins.
 */
#include <nestwalk/table.h>

#include "nw_port.h"
#include "scenarios.h"

#define BLOCK_IA (UINT64_C(1) << 21)
#define PAGE_IA UINT64_C(0x1000)
#define BACKING UINT64_C(0x80000000) /* outside the arena: nobody reads it */

/* What a table operation gives back: a frame by its address. */
struct state {
	uint64_t published; /* 1: CPU 0 is through with its operation */
	struct nw_table table;
	unsigned frame[2];
};

static const struct nw_attrs attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

static void must(enum nw_status status, const char *what)
{
	if (status != NW_OK)
		nwx_bug(what, __FILE__, __LINE__);
}

static void setup_table(struct state *s)
{
	const struct nw_table_config config = {
		.ops = &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 39, .oa_bits = 40},
		.port = &nwx_port_ops,
		.mode = NW_MODE_READERS,
		.regime = NW_REGIME_STAGE2,
		.tag = NWS_VMID,
	};
	struct nwm_root root = {.levels = 3, .ia_bits = 39, .tag = NWS_VMID};

	nwx_port_ops_init();
	must(nw_table_init(&s->table, &config, NULL), "table_init");
	root.pa = nw_table_root(&s->table).v;
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		nwx_root_set(cpu, NW_REGIME_STAGE2, root);
}

static void map(struct state *s, uint64_t ia, uint64_t bytes, uint64_t pa,
		unsigned level)
{
	must(nw_map(&s->table, NW_IA(ia), bytes, NW_PA(pa), &attrs, level, NULL,
		    NULL),
	     "map");
}

/* ---- splitting a live block -------------------------------------------- */

static void setup_block(void *state)
{
	struct state *s = state;

	setup_table(s);
	map(s, BLOCK_IA, NWS_BLOCK_BYTES, BACKING, 1);
	nwx_watch(NW_REGIME_STAGE2, BLOCK_IA + PAGE_IA);
}

static void splitter(void *state)
{
	struct state *s = state;

	must(nw_split(&s->table, NW_IA(BLOCK_IA), 0, NULL, NULL), "split");
}

/* A guest on the other CPU; a hole in the middle of the break is allowed. */
static void guest(void *state)
{
	struct nwm_access_result r =
		nwx_read(NW_REGIME_STAGE2, BLOCK_IA + PAGE_IA);

	(void)state;
	nwx_require(r.outcome != NWM_DONE || r.pa == BACKING + PAGE_IA,
		    NWM_PROTOCOL, "the guest reached another frame");
}

static void finish_split(void *state)
{
	struct state *s = state;
	struct nw_mapping m;

	must(nw_lookup(&s->table, NW_IA(BLOCK_IA + PAGE_IA), &m), "lookup");
	nwx_require(m.kind == NW_ENTRY_LEAF && m.level == 0 &&
			    m.pa.v == BACKING + PAGE_IA,
		    NWM_PROTOCOL, "the split block translates otherwise");
}

/* ---- unmapping --------------------------------------------------------- */

static void setup_pages(void *state)
{
	struct state *s = state;

	setup_table(s);
	map(s, BLOCK_IA, 4 * PAGE_IA, BACKING, 0);
	s->frame[0] = nwm_frame_add("page 1", BACKING + PAGE_IA, 4096,
				    NWM_R | NWM_W);
	nwx_watch(NW_REGIME_STAGE2, BLOCK_IA + PAGE_IA);
}

static void unmapper(void *state)
{
	struct state *s = state;

	must(nw_unmap(&s->table, NW_IA(BLOCK_IA + PAGE_IA), PAGE_IA, NULL,
		      NULL),
	     "unmap");
	nwx_note("unmap returned: the page is given to somebody else");
	nwx_frame_allow(s->frame[0], 0);
}

static void protecter(void *state)
{
	struct state *s = state;

	must(nw_protect(&s->table, NW_IA(BLOCK_IA + PAGE_IA), PAGE_IA,
			NW_PROTECT_RESTRICT, NW_PROT_W, NULL, NULL),
	     "protect");
	nwx_frame_allow(s->frame[0], NWM_R);
}

/* Drops the level-0 table whole: flush, grace period, free. */
static void dropper(void *state)
{
	struct state *s = state;

	must(nw_unmap(&s->table, NW_IA(BLOCK_IA), NWS_BLOCK_BYTES, NULL, NULL),
	     "unmap");
	nwx_frame_allow(s->frame[0], 0);
}

static void reader(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status =
		nw_lookup(&s->table, NW_IA(BLOCK_IA + PAGE_IA), &m);

	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL,
		    "a lookup beside a writer fails");
	nwx_require(status != NW_OK || m.kind != NW_ENTRY_LEAF ||
			    m.pa.v == BACKING + PAGE_IA,
		    NWM_PROTOCOL, "a lookup beside a writer finds a frame that "
				  "was never there");
}

/* Mapped before, while and after a change: busy, but never none. */
static void reader_of_mapped(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status =
		nw_lookup(&s->table, NW_IA(BLOCK_IA + PAGE_IA), &m);

	nwx_require(status == NW_E_BUSY ||
			    (status == NW_OK && m.kind == NW_ENTRY_LEAF &&
			     m.pa.v == BACKING + PAGE_IA),
		    NWM_PROTOCOL,
		    "a lookup that meets a split neither finds the page nor "
		    "says busy");
}

static void mapper(void *state)
{
	map(state, BLOCK_IA, NWS_BLOCK_BYTES, BACKING, 1);
	nwx_frame_allow(((struct state *)state)->frame[0], NWM_R | NWM_W);
}

static void setup_empty(void *state)
{
	struct state *s = state;

	setup_table(s);
	nwx_watch(NW_REGIME_STAGE2, BLOCK_IA + PAGE_IA);
}

static void map_pages(void *state)
{
	map(state, BLOCK_IA, 2 * PAGE_IA, BACKING, 0);
}

/* ---- the scenarios of this build --------------------------------------- */

#define LIBRARY                                                                \
	.subject = NWX_LIBRARY, .cpus = 2, .cpus_pct = 3,                      \
	.state_bytes = sizeof(struct state)

#if NW_SABOTAGE_NO_BBM
const struct nwx_scenario nws_bad_library_split_no_bbm = {
	.name = "bad_library_split_no_bbm",
	.doc = "the library, built without break-before-make, splits a live "
	       "block",
	.rule = "protocols 8",
	LIBRARY,
	.walks = 2,
	.setup = setup_block,
	.cpu = {splitter, guest, reader},
	.expect = {NWM_AMALGAM, NWM_RULE},
	.rules = {"BBM-05"},
};
#elif NW_SABOTAGE_EARLY_FREE
const struct nwx_scenario nws_bad_library_early_free = {
	.name = "bad_library_early_free",
	.doc = "the library, built to free table pages before their flush and "
	       "grace period, drops a table",
	.rule = "protocols 16",
	LIBRARY,
	.walks = 2,
	.setup = setup_pages,
	.cpu = {dropper, reader, reader},
	.expect = {NWM_TABLE_FREED, NWM_USE_AFTER_FREE, NWM_RULE},
	.rules = {"LIFE-03", "LIFE-06"},
};
#else
const struct nwx_scenario nws_good_library_split_bbm = {
	.name = "good_library_split_bbm",
	.doc = "a live block is split while a guest reads through it",
	.rule = "protocols 8",
	LIBRARY,
	.walks = 2,
	.setup = setup_block,
	.cpu = {splitter, guest, reader},
	.finish = finish_split,
};

const struct nwx_scenario nws_good_library_split_lookup = {
	.name = "good_library_split_lookup",
	.doc = "a lookup meets the locked entry of a split: busy, never none",
	.rule = "protocols 5",
	LIBRARY,
	.walks = 2,
	.setup = setup_block,
	.cpu = {splitter, reader_of_mapped, reader_of_mapped},
	.finish = finish_split,
};

const struct nwx_scenario nws_good_library_unmap_flush = {
	.name = "good_library_unmap_flush",
	.doc = "a page is unmapped, then given away, while a guest reads",
	.rule = "architecture 3",
	LIBRARY,
	.walks = 2,
	.setup = setup_pages,
	.cpu = {unmapper, guest, reader},
};

const struct nwx_scenario nws_good_library_protect_flush = {
	.name = "good_library_protect_flush",
	.doc = "a page is write-protected while a guest reads",
	.rule = "protocols 9",
	LIBRARY,
	.walks = 2,
	.setup = setup_pages,
	.cpu = {protecter, guest, reader},
};

const struct nwx_scenario nws_good_library_readers_teardown = {
	.name = "good_library_readers_teardown",
	.doc = "a table is dropped whole while a lookup walks through it",
	.rule = "protocols 16",
	LIBRARY,
	.walks = 2,
	.setup = setup_pages,
	.cpu = {dropper, reader, reader},
};

const struct nwx_scenario nws_good_library_map_walk = {
	.name = "good_library_map_walk",
	.doc = "new tables are linked while guest, walker and lookup look",
	.rule = "protocols 16",
	LIBRARY,
	.walks = 2,
	.setup = setup_empty,
	.cpu = {map_pages, reader, guest},
};

/* Keeps what only some builds use from being reported. */
extern void (*const nws_library_unused[])(void *);
void (*const nws_library_unused[])(void *) = {mapper};
#endif
