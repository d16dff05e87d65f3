/* SPDX-License-Identifier: BSD-2-Clause */
/* Ordering points of mapping, linking and of a table's life. */
#include "../../src/table/slots.h"
#include "ord.h"

struct state {
	uint64_t published; /* CPU 0 is through with its operation */
	uint64_t inside;    /* CPU 1 is in its section */
	struct nw_table table;
	unsigned forbidden;
	uint64_t *page;
	unsigned frame;
};

/* ---- ORD-02: a page is filled before it is linked ---------------------- */

static void setup_poisoned(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	ord_install(&s->table, 0xf);
	s->forbidden = ord_frame("what the page held before", ORD_FORBIDDEN, 0);
	ord_poison(0, 2, NWS_S2_PAGE(ORD_FORBIDDEN));
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void linker(void *state)
{
	struct state *s = state;

	ord_map(&s->table, ORD_BLOCK_IA + ORD_PAGE_BYTES, ORD_PAGE_BYTES,
		ORD_BACKING, 0, NW_PROT_RW, 0);
}

static void look_beside(struct nw_table *t, uint64_t ia)
{
	struct nw_mapping m;

	ord_must(nw_lookup(t, NW_IA(ia), &m), "lookup");
	nwx_require(m.kind == NW_ENTRY_EMPTY, NWM_PROTOCOL,
		    "a lookup finds what a table page held before it was "
		    "filled");
}

static void link_reader(void *state)
{
	struct state *s = state;

	look_beside(&s->table, ORD_BLOCK_IA);
}

const struct nwx_scenario nws_good_ord_link_filled = {
	.name = "good_ord_link_filled",
	ORD_GOOD("ORD-02", "pages with old content are filled and linked while "
			   "walker and lookup look"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_poisoned,
	.cpu = {linker, link_reader, link_reader},
};

static void slot_maker(void *state)
{
	struct state *s = state;
	nw_pteref_t ref;

	ord_must(nw_slot_prepare(&s->table, NW_IA(ORD_BLOCK_IA), 0, NULL, &ref),
		 "slot_prepare");
}

const struct nwx_scenario nws_good_ord_slot_filled = {
	.name = "good_ord_slot_filled",
	ORD_GOOD("ORD-02", "the same for the tables above a fixmap slot"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_poisoned,
	.cpu = {slot_maker, link_reader, link_reader},
};

/* ---- ORD-08: a page's content before the entry that maps it ------------ */

#define CONTENT 42

static void setup_content(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	/* The tables stand already: what is left is one store of a leaf. */
	ord_map(&s->table, ORD_BLOCK_IA + ORD_PAGE_BYTES, ORD_PAGE_BYTES,
		ORD_BACKING, 0, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->page = nws_frame_make("the page", NWM_R | NWM_W, &s->frame);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void content_mapper(void *state)
{
	struct state *s = state;

	nwx_store(s->page, CONTENT, NWM_RELAXED);
	ord_map(&s->table, ORD_BLOCK_IA, ORD_PAGE_BYTES, nwx_pa(s->page), 0,
		NW_PROT_RW, 0);
}

static void content_guest(void *state)
{
	struct nwm_access_result r = nwx_read(NW_REGIME_STAGE2, ORD_BLOCK_IA);

	(void)state;
	nwx_require(r.outcome != NWM_DONE || r.value == CONTENT, NWM_PROTOCOL,
		    "the guest reads the page as it was before it was filled");
}

const struct nwx_scenario nws_good_ord_map_content = {
	.name = "good_ord_map_content",
	ORD_GOOD("ORD-08", "a page is filled, then mapped, while the guest "
			   "tries to read it"),
	.state_bytes = sizeof(struct state),
	.walks = 2,
	.setup = setup_content,
	.cpu = {content_mapper, content_guest, content_guest},
};

/* ---- ORD-09: entries before walks that start after the return ---------- */

static void setup_watched(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void publish(struct state *s)
{
	nwx_store(&s->published, 1, NWM_RELEASE);
}

static void visible_mapper(void *state)
{
	struct state *s = state;

	ord_map(&s->table, ORD_BLOCK_IA, 2 * ORD_PAGE_BYTES, ORD_BACKING, 0,
		NW_PROT_RW, 0);
	publish(s);
}

/* A guest that is told to go on once the operation has returned. */
static void told_guest(void *state)
{
	struct state *s = state;
	struct nwm_access_result r;

	(void)nwx_await(&s->published, 1, NWX_UNTIL);
	r = nwx_read(NW_REGIME_STAGE2, ORD_BLOCK_IA);
	nwx_require(r.outcome == NWM_DONE, NWM_PROTOCOL,
		    "an access after the operation has returned still faults");
}

const struct nwx_scenario nws_good_ord_map_visible = {
	.name = "good_ord_map_visible",
	ORD_GOOD("ORD-09", "an access after map has returned does not fault"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_watched,
	.cpu = {visible_mapper, told_guest, told_guest},
};

static void setup_block(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	ord_map(&s->table, ORD_BLOCK_IA, NWS_BLOCK_BYTES, ORD_BACKING, 1,
		NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void visible_splitter(void *state)
{
	struct state *s = state;

	ord_must(nw_split(&s->table, NW_IA(ORD_BLOCK_IA), 0, NULL, NULL),
		 "split");
	publish(s);
}

const struct nwx_scenario nws_good_ord_split_visible = {
	.name = "good_ord_split_visible",
	ORD_GOOD("ORD-09", "an access after split has returned does not fault"),
	.state_bytes = sizeof(struct state),
	.walks = 2,
	.setup = setup_block,
	.cpu = {visible_splitter, told_guest, told_guest},
};

static void setup_read_only(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	ord_map(&s->table, ORD_BLOCK_IA, ORD_PAGE_BYTES, ORD_BACKING, 0,
		NW_PROT_R, 0);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void relaxer(void *state)
{
	struct state *s = state;

	ord_must(nw_protect(&s->table, NW_IA(ORD_BLOCK_IA), ORD_PAGE_BYTES,
			    NW_PROTECT_RELAX, NW_PROT_W, NULL, NULL),
		 "protect");
	publish(s);
}

static void told_writer(void *state)
{
	struct state *s = state;
	struct nwm_access_result r;

	(void)nwx_await(&s->published, 1, NWX_UNTIL);
	r = nwx_write(NW_REGIME_STAGE2, ORD_BLOCK_IA, 1);
	nwx_require(r.outcome == NWM_DONE, NWM_PROTOCOL,
		    "a write after the right was added still faults");
}

const struct nwx_scenario nws_good_ord_relax_visible = {
	.name = "good_ord_relax_visible",
	ORD_GOOD("ORD-09", "a write after the right was added does not fault"),
	.state_bytes = sizeof(struct state),
	.walks = 2,
	.setup = setup_read_only,
	.cpu = {relaxer, told_writer, told_writer},
};

/* A root whose page held something else is walked once it is installed. */
static void setup_old_root(void *state)
{
	struct state *s = state;

	s->forbidden = ord_frame("what the root held before", ORD_FORBIDDEN, 0);
	/* A level-1 block of the same attributes: 1 GiB. */
	ord_poison(0, 1, NWS_S2_BLOCK(ORD_FORBIDDEN));
}

static void root_maker(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
	publish(s);
}

static void root_user(void *state)
{
	struct state *s = state;
	struct nwm_access_result r;

	(void)nwx_await(&s->published, 1, NWX_UNTIL);
	ord_install(&s->table, 1u << nwx_cpu_id());
	r = nwx_read(NW_REGIME_STAGE2, ORD_BLOCK_IA);
	nwx_require(r.outcome == NWM_FAULT_TRANSLATION, NWM_PROTOCOL,
		    "a walk from a new root finds what its page held before");
}

const struct nwx_scenario nws_good_ord_root_zeroed = {
	.name = "good_ord_root_zeroed",
	ORD_GOOD("ORD-09", "a new root is walked by another CPU"),
	.state_bytes = sizeof(struct state),
	.walks = 2,
	.setup = setup_old_root,
	.cpu = {root_maker, root_user, root_user},
};

/* ---- ORD-05, ORD-06: the end of a table's life ------------------------- */

static void setup_plain(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, 0);
}

static void destroyer(void *state)
{
	struct state *s = state;

	(void)nwx_await(&s->inside, 1, NWX_UNTIL);
	nw_table_destroy(&s->table);
}

static void late_reader(void *state)
{
	struct state *s = state;
	struct nw_mapping m;

	nw_port_section_enter();
	nwx_store(&s->inside, 1, NWM_RELEASE);
	ord_must(nw_lookup(&s->table, NW_IA(ORD_BLOCK_IA), &m), "lookup");
	nw_port_section_leave();
}

/* Reads something else: the grace period may wait for it, and may not. */
static void other_reader(void *state)
{
	(void)state;
	nw_port_section_enter();
	nw_port_section_leave();
}

const struct nwx_scenario nws_good_ord_destroy_reader = {
	.name = "good_ord_destroy_reader",
	ORD_GOOD("ORD-05", "a table is destroyed while a reader that entered "
			   "before looks up"),
	.state_bytes = sizeof(struct state),
	.walks = 2,
	.setup = setup_plain,
	.cpu = {destroyer, late_reader, other_reader},
};

static void setup_pages(void *state)
{
	struct state *s = state;

	setup_plain(state);
	ord_map(&s->table, ORD_BLOCK_IA, 2 * ORD_PAGE_BYTES, ORD_BACKING, 0,
		NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void teardown(void *state)
{
	struct state *s = state;

	ord_must(nw_table_teardown_step(&s->table, 100), "teardown_step");
	nwx_note("the table is empty: the page is given to somebody else");
	nwx_frame_allow(s->frame, 0);
}

static void visitor_reader(void *state)
{
	struct state *s = state;
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(ORD_BLOCK_IA), &m), "lookup");
}

const struct nwx_scenario nws_good_ord_teardown = {
	.name = "good_ord_teardown",
	ORD_GOOD("ORD-07", "a table is taken apart while walker and lookup "
			   "look"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_pages,
	.cpu = {teardown, visitor_reader, visitor_reader},
};

static enum nw_status visit(const struct nw_visit *v)
{
	(void)nw_pteref_read(v->ref);
	return NW_OK;
}

static void dropper(void *state)
{
	struct state *s = state;

	ord_must(nw_unmap(&s->table, NW_IA(ORD_BLOCK_IA), NWS_BLOCK_BYTES, NULL,
			  NULL),
		 "unmap");
	nwx_frame_allow(s->frame, 0);
}

static void walker(void *state)
{
	struct state *s = state;

	ord_must(nw_walk(&s->table, NW_IA(ORD_BLOCK_IA), 2 * ORD_PAGE_BYTES,
			 NW_VISIT_LEAF | NW_VISIT_TABLE_POST, visit, NULL,
			 NULL),
		 "walk");
}

const struct nwx_scenario nws_good_ord_walk_drop = {
	.name = "good_ord_walk_drop",
	ORD_GOOD("ORD-06", "a visitor walks a table that is dropped whole"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_pages,
	.cpu = {dropper, walker, walker},
};

/* A root with a block in it, cleared by the last step of a teardown. */
#define BLOCK_1G (UINT64_C(1) << 30)

static void setup_root_block(void *state)
{
	struct state *s = state;

	setup_plain(state);
	ord_map(&s->table, BLOCK_1G, BLOCK_1G, ORD_BACKING & ~(BLOCK_1G - 1), 2,
		NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING & ~(BLOCK_1G - 1),
			     NWM_R | NWM_W);
	nwx_watch(NW_REGIME_STAGE2, BLOCK_1G);
}

static void bystander(void *state)
{
	(void)state;
	nwx_note("busy with other things");
}

const struct nwx_scenario nws_good_ord_teardown_root = {
	.name = "good_ord_teardown_root",
	ORD_GOOD("ORD-07", "a block in the root itself is cleared by a "
			   "teardown"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_root_block,
	.cpu = {teardown, bystander, bystander},
};
