/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's own sources once more: operations of NW_MODE_SHARED against one
 * another, against lookups and the hardware walker. In each, one CPU takes
 * something away or gives it another shape while the other is at work below.
 */
#include <nestwalk/table.h>

#include "ord.h"

#define PAGE ORD_PAGE_BYTES
#define AT   ORD_BLOCK_IA

struct state {
	struct nw_table table;
	uint64_t done[NWM_CPUS_MAX]; /* 1 + status of each CPU's operation */
	unsigned frame;
	uint64_t *above; /* the entry over the block */
	uint64_t link;	 /* what it was */
};

static void said(struct state *s, enum nw_status status)
{
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
}

/* How a map ends that meets others. */
static void map_beside(struct state *s, uint64_t ia, uint64_t bytes,
		       unsigned level)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	enum nw_status status = nw_map(&s->table, NW_IA(ia), bytes,
				       NW_PA(ORD_BACKING + (ia - AT)), &attrs,
				       level, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY ||
			    status == NW_E_EXISTS || status == NW_E_RACED,
		    NWM_PROTOCOL, "a map beside others fails");
	said(s, status);
}

static void ends(struct state *s, enum nw_status status, const char *what)
{
	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL, what);
	said(s, status);
}

/* ---- what stands there before ------------------------------------------ */

static void setup_table(struct state *s, unsigned features)
{
	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_SHARED, features);
	/* A neighbour, so that the upper tables are never empty. */
	ord_map(&s->table, 2 * AT, NWS_BLOCK_BYTES, ORD_FORBIDDEN, 1,
		NW_PROT_RW, 0);
	nwx_watch(NW_REGIME_STAGE2, AT);
}

static void setup_page(void *state)
{
	struct state *s = state;

	setup_table(s, 0);
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
}

static void setup_block(void *state)
{
	struct state *s = state;

	setup_table(s, 0);
	ord_map(&s->table, AT, NWS_BLOCK_BYTES, ORD_BACKING, 1, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
}

/* 512 pages that are as one block. */
static void setup_pages(void *state)
{
	struct state *s = state;

	setup_table(s, 0);
	ord_map(&s->table, AT, NWS_BLOCK_BYTES, ORD_BACKING, 0, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
}

/* The same; who removes begins when the collapse has locked the table. */
static void setup_pages_locked(void *state)
{
	struct state *s = state;
	uint64_t *root;

	setup_pages(state);
	root = nwx_virt(nw_table_root(&s->table).v);
	s->above = nwx_virt(nwx_load(root, NWM_RELAXED) & ~UINT64_C(0xfff));
	s->above += AT >> 21;
	s->link = nwx_load(s->above, NWM_RELAXED);
}

/* A table in which nothing is left. */
static void setup_empty_table(void *state)
{
	struct state *s = state;

	setup_table(s, 0);
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_RW, 0);
	ord_must(nw_unmap(&s->table, NW_IA(AT), PAGE, NULL, NULL), "unmap");
	ord_install(&s->table, 0xf);
}

/* ---- what CPUs do ------------------------------------------------------ */

/* The page is given away once it is unmapped. */
static void unmap_page(void *state)
{
	struct state *s = state;

	ends(s, nw_unmap(&s->table, NW_IA(AT), PAGE, NULL, NULL),
	     "an unmap beside others fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwx_frame_allow(s->frame, 0);
}

/* As one of two: either flush covers the page, but the oracle follows only
 * the first, so that the machine alone is asked. */
static void unmap_page_too(void *state)
{
	struct state *s = state;

	ends(s, nw_unmap(&s->table, NW_IA(AT), PAGE, NULL, NULL),
	     "an unmap beside others fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwm_frame_allow(s->frame, 0);
}

static void drop_block(void *state)
{
	struct state *s = state;

	ends(s, nw_unmap(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, NULL, NULL),
	     "an unmap beside others fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwx_frame_allow(s->frame, 0);
}

static void drop_locked(void *state)
{
	struct state *s = state;

	(void)nwx_await(s->above, s->link, NWX_UNTIL_NOT);
	drop_block(state);
}

static void drop_block_too(void *state)
{
	struct state *s = state;

	ends(s, nw_unmap(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, NULL, NULL),
	     "an unmap beside others fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwm_frame_allow(s->frame, 0);
}

static void map_same_page(void *state)
{
	map_beside(state, AT, PAGE, 0);
}

/* The same place, another frame: a TLB that knows both knows too much. */
static void map_other_frame(void *state)
{
	struct state *s = state;
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	enum nw_status status = nw_map(&s->table, NW_IA(AT), PAGE,
				       NW_PA(ORD_FORBIDDEN), &attrs, 0, NULL,
				       NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY ||
			    status == NW_E_EXISTS || status == NW_E_RACED,
		    NWM_PROTOCOL, "a map beside others fails");
	said(s, status);
}

/* Another page, in the same table, of another frame. */
static void map_next_page(void *state)
{
	map_beside(state, AT + PAGE, PAGE, 0);
}

static void split_block(void *state)
{
	struct state *s = state;
	enum nw_status status = nw_split(&s->table, NW_IA(AT), 0, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY ||
			    status == NW_E_ABSENT,
		    NWM_PROTOCOL, "a split beside others fails");
	said(s, status);
}

static void collapse(void *state)
{
	struct state *s = state;

	ends(s, nw_collapse(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, NW_LEVEL_ANY,
			    10, NULL),
	     "a collapse beside others fails");
}

static void reclaim(void *state)
{
	struct state *s = state;

	ends(s, nw_reclaim_tables(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, 10,
				  NULL),
	     "a reclaim beside others fails");
}

static void protect_page(void *state)
{
	struct state *s = state;

	ends(s, nw_protect(&s->table, NW_IA(AT + PAGE), PAGE,
			   NW_PROTECT_RESTRICT, NW_PROT_W, NULL, NULL),
	     "a protect beside others fails");
}

/* Mapped throughout: found, or busy; never none. */
static void look(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&s->table, NW_IA(AT), &m);

	nwx_require(status == NW_E_BUSY ||
			    (status == NW_OK && m.kind == NW_ENTRY_LEAF &&
			     m.pa.v == ORD_BACKING),
		    NWM_PROTOCOL, "what is mapped is not found");
}

static void read_page(void *state)
{
	struct nwm_access_result r = nwx_read(NW_REGIME_STAGE2, AT);

	(void)state;
	nwx_require(r.outcome != NWM_DONE || r.pa == ORD_BACKING ||
			    r.pa == ORD_FORBIDDEN,
		    NWM_PROTOCOL,
		    "the guest reached another frame");
}

/* ---- what must hold at rest -------------------------------------------- */

static int is_mapped(struct state *s, uint64_t ia)
{
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(ia), &m), "lookup at rest");
	nwx_require(m.kind != NW_ENTRY_INVALID, NWM_PROTOCOL,
		    "a locked entry is left");
	nwx_require(m.kind != NW_ENTRY_LEAF || m.pa.v == ORD_FORBIDDEN ||
			    m.pa.v == ORD_BACKING + (ia - AT),
		    NWM_PROTOCOL, "mapped elsewhere");
	return m.kind == NW_ENTRY_LEAF;
}

/* Root, level 1, and as many of level 0 as `leaf_tables` says. */
static void pages_are(struct state *s, unsigned leaf_tables)
{
	nwx_require(nw_table_stats(&s->table).pages_live == 2 + leaf_tables,
		    NWM_PROTOCOL, "a table page is lost, or there twice");
}

static int level_at(struct state *s, uint64_t ia)
{
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(ia), &m), "lookup at rest");
	return m.level;
}

/* Unmap and map of one page: either order, nothing between. */
static void finish_unmap_map(void *state)
{
	struct state *s = state;

	nwx_require(s->done[1] == 1 + NW_OK || !is_mapped(s, AT), NWM_PROTOCOL,
		    "a page that was unmapped is mapped");
	nwx_require(s->done[1] != 1 + NW_OK || is_mapped(s, AT), NWM_PROTOCOL,
		    "a page that was mapped after the unmap is gone");
	pages_are(s, 1);
}

/* The unmap covers all: what is left can only have come after it. */
static void finish_drop(void *state)
{
	struct state *s = state;

	nwx_require(s->done[0] == 1 + NW_OK, NWM_PROTOCOL,
		    "a removal of all gives up");
	nwx_require(!is_mapped(s, AT), NWM_PROTOCOL,
		    "what was unmapped is there");
	pages_are(s, level_at(s, AT) == 0);
}

/* Nobody unmapped anything: what was mapped is there. */
static void finish_kept(void *state)
{
	struct state *s = state;

	nwx_require(is_mapped(s, AT), NWM_PROTOCOL, "a mapping is lost");
	pages_are(s, level_at(s, AT) == 0);
}

static void finish_reclaim_map(void *state)
{
	struct state *s = state;

	nwx_require(s->done[1] != 1 + NW_OK || is_mapped(s, AT + PAGE),
		    NWM_PROTOCOL, "a page was mapped into a table that is gone");
	pages_are(s, level_at(s, AT + PAGE) == 0);
}

static void finish_protected(void *state)
{
	struct state *s = state;
	struct nw_attrs attrs;
	struct nw_mapping m;

	finish_kept(state);
	ord_must(nw_lookup(&s->table, NW_IA(AT + PAGE), &m), "lookup");
	ord_must(nw_mapping_attrs(&s->table, &m, &attrs), "mapping_attrs");
	nwx_require(s->done[1] != 1 + NW_OK || !(attrs.prot & NW_PROT_W),
		    NWM_PROTOCOL, "a right that was taken is there");
	ord_must(nw_lookup(&s->table, NW_IA(AT), &m), "lookup");
	ord_must(nw_mapping_attrs(&s->table, &m, &attrs), "mapping_attrs");
	nwx_require(attrs.prot & NW_PROT_W, NWM_PROTOCOL,
		    "a right that nobody took is gone");
}

static void finish_split_unmap(void *state)
{
	struct state *s = state;

	nwx_require(s->done[1] != 1 + NW_OK || !is_mapped(s, AT), NWM_PROTOCOL,
		    "a page that was unmapped is mapped");
	nwx_require(is_mapped(s, AT + PAGE), NWM_PROTOCOL,
		    "a page that nobody unmapped is gone");
	pages_are(s, level_at(s, AT + PAGE) == 0);
}

/* ---- the scenarios ----------------------------------------------------- */

#define SHARED(id, what)                                                       \
	.doc = what, .rule = id, .subject = NWX_LIBRARY, .cpus = 2,            \
	.cpus_pct = 3, .state_bytes = sizeof(struct state)

const struct nwx_scenario nws_good_library_shared_unmap_map = {
	.name = "good_library_shared_unmap_map",
	SHARED("protocols 5, 8",
	       "a page is unmapped while another CPU maps it again"),
	.walks = 2,
	.setup = setup_page,
	.cpu = {unmap_page, map_other_frame, read_page},
	.finish = finish_unmap_map,
};

const struct nwx_scenario nws_good_library_shared_unmap_unmap = {
	.name = "good_library_shared_unmap_unmap",
	SHARED("protocols 5", "two CPUs unmap the same page: both wait for a "
			      "flush that covers it"),
	.walks = 2,
	.setup = setup_page,
	.cpu = {unmap_page_too, unmap_page_too, read_page},
};

const struct nwx_scenario nws_good_library_shared_split_unmap = {
	.name = "good_library_shared_split_unmap",
	SHARED("protocols 5, 8", "a block is split while a page of it is "
				 "unmapped"),
	.walks = 2,
	.setup = setup_block,
	.cpu = {split_block, unmap_page, read_page},
	.finish = finish_split_unmap,
};

const struct nwx_scenario nws_good_library_shared_steal = {
	.name = "good_library_shared_steal",
	SHARED("protocols 5", "a block is removed while another CPU splits it: "
			      "the lock is stolen, its pages come back"),
	.walks = 2,
	.setup = setup_block,
	.cpu = {drop_block, split_block, read_page},
	.finish = finish_drop,
};

const struct nwx_scenario nws_good_library_shared_steal_collapse = {
	.name = "good_library_shared_steal_collapse",
	SHARED("protocols 5, 6",
	       "a table is removed while another CPU collapses it"),
	.walks = 2,
	.setup = setup_pages_locked,
	.cpu = {drop_locked, collapse, read_page},
	.finish = finish_drop,
};

const struct nwx_scenario nws_good_library_shared_retire_map = {
	.name = "good_library_shared_retire_map",
	SHARED("protocols 6, 16", "a table is dropped whole while another CPU "
				  "maps a page into it"),
	.walks = 2,
	.setup = setup_page,
	.cpu = {drop_block, map_next_page, read_page},
	.finish = finish_drop,
};

const struct nwx_scenario nws_good_library_shared_collapse_lookup = {
	.name = "good_library_shared_collapse_lookup",
	SHARED("protocols 8", "a table is collapsed while guest and lookup "
			      "look: busy, never none"),
	.walks = 2,
	.setup = setup_pages,
	.cpu = {collapse, look, read_page},
	.finish = finish_kept,
};

const struct nwx_scenario nws_good_library_shared_collapse_protect = {
	.name = "good_library_shared_collapse_protect",
	SHARED("protocols 6", "a table is collapsed while a right of one of "
			      "its pages is taken"),
	/* Each of two flushes has barriers that race with the other's: tens of
	 * millions of executions with two walks. */
	.walks_long = 2,
	.setup = setup_pages,
	.cpu = {collapse, protect_page, look},
	.finish = finish_protected,
};

const struct nwx_scenario nws_good_library_shared_collapse_split = {
	.name = "good_library_shared_collapse_split",
	SHARED("protocols 5, 8",
	       "a block is split while another CPU collapses its table"),
	.walks = 2,
	.setup = setup_block,
	.cpu = {split_block, collapse, look},
	.finish = finish_kept,
};

const struct nwx_scenario nws_good_library_shared_reclaim_map = {
	.name = "good_library_shared_reclaim_map",
	SHARED("protocols 6", "an empty table is reclaimed while another CPU "
			      "maps a page into it"),
	.walks = 2,
	.setup = setup_empty_table,
	.cpu = {reclaim, map_next_page, map_same_page},
	.finish = finish_reclaim_map,
};

const struct nwx_scenario nws_good_library_shared_retire_retire = {
	.name = "good_library_shared_retire_retire",
	SHARED("protocols 5, 6", "two CPUs drop one table: it is freed once"),
	.walks = 2,
	.setup = setup_page,
	.cpu = {drop_block_too, drop_block_too, read_page},
};
