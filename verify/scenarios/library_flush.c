/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing a flush (src/table/flush.c). One CPU flushes what has nothing to do
 * with the other's page, twice; the other takes that page out, and may find
 * that a turn of the first one's served it. (With three, at random: one of two
 * that wait serves the other.) Entries and flush alone, without
 * the operation around them: whose flush it is makes no difference to that,
 * and the scenarios of whole operations flush for themselves.
 */
#include "../../src/table/entry.h"
#include "../../src/table/flush.h"

#include "ord.h"

#define PAGE ORD_PAGE_BYTES
#define AT   ORD_BLOCK_IA
#define FAR  (64 * NWS_BLOCK_BYTES) /* nothing of ours is there */

struct state {
	struct nw_table table;
	unsigned frame;
	uint64_t *entry; /* of the page */
	uint64_t leaf;
};

static void setup_page(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	uint64_t *page;

	ord_table(&s->table, NW_REGIME_EL2, NW_MODE_SHARED, 0);
	s->table.flush_policy = NW_FLUSH_SHARE;
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_RW, 0);
	ord_must(nw_lookup(&s->table, NW_IA(AT), &m), "lookup");
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_EL2, AT);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
	/* Root, level 1 and level 0: the way to the entry. */
	page = nwx_virt(nw_table_root(&s->table).v);
	page = nwx_virt(nwx_load(page, NWM_RELAXED) & ~UINT64_C(0xfff));
	page += AT >> 21;
	page = nwx_virt(nwx_load(page, NWM_RELAXED) & ~UINT64_C(0xfff));
	s->entry = page;
	s->leaf = m.entry;
}

static void flush_page(struct state *s, uint64_t ia)
{
	struct nw_flush flush;

	nw_flush_begin(&flush);
	nw_flush_add(&flush, ia, ia + PAGE, 1, 0);
	nw_flush_issue(&s->table, &flush);
}

static void flush_far(void *state)
{
	flush_page(state, FAR);
}

static void flush_far_twice(void *state)
{
	flush_far(state);
	flush_far(state);
}

/* Out of the table, out of the TLBs, then somebody else's. */
static void remove_page(void *state)
{
	struct state *s = state;
	nw_entry_t leaf = s->leaf;
	nw_pteref_t ref;

	nw_section_enter(&s->table);
	ref = nw_pteref_page(&s->table, nwx_pa(s->entry));
	nwx_require(nw_entry_try_replace(ref, &leaf, 0), NWM_PROTOCOL,
		    "the entry is not what was mapped");
	nw_section_leave(&s->table);
	flush_page(s, AT);
	nwx_frame_allow(s->frame, 0);
}

const struct nwx_scenario nws_good_library_flush_share = {
	.name = "good_library_flush_share",
	.doc = "a page is taken out while another CPU flushes: its next flush "
	       "may serve, the one under way may not",
	.rule = "protocols 7",
	.subject = NWX_LIBRARY,
	.cpus = 2,
	.cpus_pct = 3,
	.walks = 1,
	.state_bytes = sizeof(struct state),
	.setup = setup_page,
	.cpu = {flush_far_twice, remove_page, flush_far},
};

/* ---- a gather of the caller's -------------------------------------------- */

/* Root, level 1, level 0 with one page, beside a neighbour. */
static void setup_readers(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_RW, 0);
	ord_map(&s->table, 2 * AT, NWS_BLOCK_BYTES, ORD_FORBIDDEN, 1,
		NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, AT);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
}

/* The table over the page is dropped, and waits in the gather; then the page
 * has another owner. */
static void unmap_gathered(void *state)
{
	struct state *s = state;
	struct nw_gather g;

	nw_gather_begin(&g, &s->table);
	ord_must(nw_unmap_gather(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, NULL,
				 &g, NULL),
		 "unmap_gather");
	(void)nw_gather_finish(&g);
	nwx_frame_allow(s->frame, 0);
}

static void look(void *state)
{
	struct state *s = state;
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(AT), &m), "lookup");
	nwx_require(m.kind == NW_ENTRY_EMPTY ||
			    (m.kind == NW_ENTRY_LEAF && m.pa.v == ORD_BACKING),
		    NWM_PROTOCOL, "mapped elsewhere");
}

static void finish_gathered(void *state)
{
	struct state *s = state;

	nwx_require(nw_table_stats(&s->table).pages_live == 2, NWM_PROTOCOL,
		    "a table page is lost");
}

const struct nwx_scenario nws_good_library_gather_lookup = {
	.name = "good_library_gather_lookup",
	.doc = "a table is dropped into a gather while a lookup is in it: it "
	       "is freed after the gather's flush and a grace period",
	.rule = "protocols 16",
	.subject = NWX_LIBRARY,
	.cpus = 2,
	.cpus_pct = 3,
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_readers,
	.cpu = {unmap_gathered, look, look},
	.finish = finish_gathered,
};
