/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's own sources once more: single faults. They walk to one entry
 * and change it by one store or swap (src/table/one.h), by nw_map_prepared(),
 * nw_map() or nw_protect(), while another CPU takes away what they walk through
 * or is at the same entry. And where a fault is the only one left to look at a
 * point of order, its like over a range.
 */
#include "ord.h"

#define PAGE ORD_PAGE_BYTES
#define AT   ORD_BLOCK_IA
#define NEXT (AT + PAGE)

struct state {
	struct nw_table table;
	struct nw_prepared leaf;
	uint64_t done[NWM_CPUS_MAX]; /* 1 + status of each CPU's operation */
	uint64_t published;
	unsigned frame;
	uint64_t *page;
};

static void said(struct state *s, enum nw_status status)
{
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
}

/* A table over AT stands, with a neighbour beside it. */
static void setup_tables(struct state *s, enum nw_mode mode)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);

	ord_table(&s->table, NW_REGIME_STAGE2, mode, 0);
	ord_map(&s->table, 2 * AT, NWS_BLOCK_BYTES, ORD_FORBIDDEN, 1,
		NW_PROT_RW, 0);
	ord_must(nw_prepare(&s->table, 0, &attrs, &s->leaf), "prepare");
	nwx_watch(NW_REGIME_STAGE2, AT);
}

static void setup_page(void *state)
{
	struct state *s = state;

	setup_tables(s, NW_MODE_SHARED);
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_R, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
}

static void setup_neighbour(void *state)
{
	struct state *s = state;

	setup_tables(s, NW_MODE_SHARED);
	ord_map(&s->table, NEXT, PAGE, ORD_BACKING + PAGE, 0, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
}

/* ---- what CPUs do ------------------------------------------------------ */

static void fault(struct state *s, uint64_t ia, uint64_t pa)
{
	struct nw_result r;
	enum nw_status status =
		nw_map_prepared(&s->leaf, NW_IA(ia), NW_PA(pa), NULL, &r);

	nwx_require(status == NW_OK || status == NW_E_BUSY ||
			    status == NW_E_EXISTS || status == NW_E_RACED,
		    NWM_PROTOCOL, "a fault beside others fails");
	nwx_require(r.status == status &&
			    r.reached == (status ? ia : ia + PAGE) &&
			    (r.entry != 0) == (status != NW_OK),
		    NWM_PROTOCOL, "a fault's result is another");
	said(s, status);
}

/* Each CPU with a frame of its own. */
static void fault_same(void *state)
{
	fault(state, AT, ORD_BACKING + nwx_cpu_id() * NWS_BLOCK_BYTES);
}

static void fault_other_frame(void *state)
{
	fault(state, AT, ORD_FORBIDDEN);
}

static void fault_next(void *state)
{
	fault(state, NEXT, ORD_BACKING + PAGE);
}

static void unmap(struct state *s, uint64_t bytes)
{
	enum nw_status status =
		nw_unmap(&s->table, NW_IA(AT), bytes, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL,
		    "an unmap beside others fails");
	said(s, status);
	if (status == NW_OK)
		nwx_frame_allow(s->frame, 0);
}

static void unmap_page(void *state)
{
	unmap(state, PAGE);
}

static void drop_block(void *state)
{
	unmap(state, NWS_BLOCK_BYTES);
}

static void relax_page(void *state)
{
	struct state *s = state;
	enum nw_status status =
		nw_protect(&s->table, NW_IA(AT), PAGE, NW_PROTECT_RELAX,
			   NW_PROT_W, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL,
		    "a relax beside others fails");
	said(s, status);
}

static void read_page(void *state)
{
	struct nwm_access_result r = nwx_read(NW_REGIME_STAGE2, AT);

	(void)state;
	nwx_require(r.outcome != NWM_DONE || r.pa == ORD_BACKING ||
			    r.pa == ORD_BACKING + NWS_BLOCK_BYTES ||
			    r.pa == ORD_FORBIDDEN,
		    NWM_PROTOCOL, "the guest reached another frame");
}

/* ---- what must hold at rest -------------------------------------------- */

static struct nw_mapping at_rest(struct state *s, uint64_t ia)
{
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(ia), &m), "lookup at rest");
	nwx_require(m.kind == NW_ENTRY_LEAF || m.kind == NW_ENTRY_EMPTY,
		    NWM_PROTOCOL, "a locked entry is left");
	return m;
}

static void finish_same(void *state)
{
	struct state *s = state;
	unsigned winner = s->done[1] == 1 + NW_OK;
	struct nw_mapping m = at_rest(s, AT);

	nwx_require((s->done[0] == 1 + NW_OK) != (s->done[1] == 1 + NW_OK),
		    NWM_PROTOCOL, "not one of two faults was told that it won");
	nwx_require(m.kind == NW_ENTRY_LEAF &&
			    m.pa.v == ORD_BACKING + winner * NWS_BLOCK_BYTES,
		    NWM_PROTOCOL, "the loser's frame is mapped");
}

static void finish_unmapped(void *state)
{
	struct state *s = state;
	struct nw_mapping m = at_rest(s, AT);

	nwx_require(s->done[1] != 1 + NW_OK || m.pa.v == ORD_FORBIDDEN,
		    NWM_PROTOCOL,
		    "a page that was mapped after the unmap is "
		    "gone");
	nwx_require(s->done[1] == 1 + NW_OK || m.kind == NW_ENTRY_EMPTY,
		    NWM_PROTOCOL, "a page that was unmapped is mapped");
}

static void finish_dropped(void *state)
{
	struct state *s = state;

	nwx_require(s->done[0] == 1 + NW_OK, NWM_PROTOCOL,
		    "a removal of all gives up");
	nwx_require(at_rest(s, AT).kind == NW_ENTRY_EMPTY, NWM_PROTOCOL,
		    "what was unmapped is there");
	nwx_require(nw_table_stats(&s->table).pages_live ==
			    2u + (at_rest(s, NEXT).level == 0),
		    NWM_PROTOCOL, "a table page is lost, or there twice");
}

static void finish_relaxed(void *state)
{
	struct state *s = state;

	nwx_require(s->done[0] != 1 + NW_OK ||
			    at_rest(s, AT).kind == NW_ENTRY_EMPTY,
		    NWM_PROTOCOL, "a page that was unmapped is mapped");
}

#define FAULT(id, what)                                                        \
	.doc = what, .rule = id, .subject = NWX_LIBRARY, .cpus = 2,            \
	.cpus_pct = 3, .state_bytes = sizeof(struct state)

const struct nwx_scenario nws_good_library_fault_same = {
	.name = "good_library_fault_same",
	FAULT("protocols 4", "two CPUs fault on one page whose table is there: "
			     "one wins, and only one is told so"),
	.walks = 2,
	.setup = setup_neighbour,
	.cpu = {fault_same, fault_same, read_page},
	.finish = finish_same,
};

const struct nwx_scenario nws_good_library_fault_unmap = {
	.name = "good_library_fault_unmap",
	FAULT("protocols 5, 8", "a page is unmapped while another CPU faults "
				"another frame in"),
	.walks = 2,
	.setup = setup_page,
	.cpu = {unmap_page, fault_other_frame, read_page},
	.finish = finish_unmapped,
};

const struct nwx_scenario nws_good_library_fault_retire = {
	.name = "good_library_fault_retire",
	FAULT("protocols 6, 16", "a table is dropped whole while another CPU "
				 "faults a page into it"),
	.setup = setup_page,
	.cpu = {drop_block, fault_next, read_page},
	.finish = finish_dropped,
};

const struct nwx_scenario nws_good_library_relax_unmap = {
	.name = "good_library_relax_unmap",
	FAULT("protocols 4", "a page is unmapped while another CPU gives it a "
			     "right"),
	.walks = 2,
	.setup = setup_page,
	.cpu = {unmap_page, relax_page, read_page},
	.finish = finish_relaxed,
};

const struct nwx_scenario nws_good_library_relax_retire = {
	.name = "good_library_relax_retire",
	FAULT("protocols 6, 16", "a table is dropped whole while another CPU "
				 "gives a page of it a right"),
	.setup = setup_page,
	.cpu = {drop_block, relax_page, read_page},
	.finish = finish_relaxed,
};

/* ---- ORD-08, ORD-09 ---------------------------------------------------- */

#define CONTENT 42

/* Tables stand, and a page whose content is to be seen. */
static void setup_content(void *state)
{
	struct state *s = state;

	setup_tables(s, NW_MODE_READERS);
	ord_map(&s->table, AT + 2 * PAGE, PAGE, ORD_BACKING, 0, NW_PROT_R, 0);
	ord_install(&s->table, 0xf);
	s->page = nws_frame_make("the page", NWM_R | NWM_W, &s->frame);
}

/* Two pages at once; the other's is not read. */
static void content_mapper(void *state)
{
	struct state *s = state;

	nwx_store(s->page, CONTENT, NWM_RELAXED);
	ord_map(&s->table, AT, 2 * PAGE, nwx_pa(s->page), 0, NW_PROT_RW, 0);
}

static void content_guest(void *state)
{
	struct nwm_access_result r = nwx_read(NW_REGIME_STAGE2, AT);

	(void)state;
	nwx_require(r.outcome != NWM_DONE || r.value == CONTENT, NWM_PROTOCOL,
		    "the guest reads the page as it was before it was filled");
}

static void visible_fault(void *state)
{
	struct state *s = state;

	ord_must(nw_map_prepared(&s->leaf, NW_IA(AT), NW_PA(ORD_BACKING), NULL,
				 NULL),
		 "fault");
	nwx_store(&s->published, 1, NWM_RELEASE);
}

static void setup_read_only(void *state)
{
	struct state *s = state;

	setup_tables(s, NW_MODE_READERS);
	ord_map(&s->table, AT, 2 * PAGE, ORD_BACKING, 0, NW_PROT_R, 0);
	ord_install(&s->table, 0xf);
}

static void relax_both(void *state)
{
	struct state *s = state;

	ord_must(nw_protect(&s->table, NW_IA(AT), 2 * PAGE, NW_PROTECT_RELAX,
			    NW_PROT_W, NULL, NULL),
		 "protect");
	nwx_store(&s->published, 1, NWM_RELEASE);
}

/* Once the operation has returned. */
static void told_access(struct state *s, int is_write)
{
	struct nwm_access_result r;

	(void)nwx_await(&s->published, 1, NWX_UNTIL);
	r = is_write ? nwx_write(NW_REGIME_STAGE2, AT, 1)
		     : nwx_read(NW_REGIME_STAGE2, AT);
	nwx_require(r.outcome == NWM_DONE, NWM_PROTOCOL,
		    "an access after the operation has returned still faults");
}

static void told_reader(void *state)
{
	told_access(state, 0);
}

static void told_writer(void *state)
{
	told_access(state, 1);
}

const struct nwx_scenario nws_good_ord_map_content_range = {
	.name = "good_ord_map_content_range",
	FAULT("ORD-08", "pages are filled, then mapped, while the guest tries "
			"to read one"),
	.walks = 2,
	.setup = setup_content,
	.cpu = {content_mapper, content_guest, content_guest},
};

const struct nwx_scenario nws_good_ord_fault_visible = {
	.name = "good_ord_fault_visible",
	FAULT("ORD-09", "an access after a fault was handled does not fault"),
	.walks = 2,
	.setup = setup_content,
	.cpu = {visible_fault, told_reader, told_reader},
};

const struct nwx_scenario nws_good_ord_relax_visible_range = {
	.name = "good_ord_relax_visible_range",
	FAULT("ORD-09", "a write after pages were given the right does not "
			"fault"),
	.walks = 2,
	.setup = setup_read_only,
	.cpu = {relax_both, told_writer, told_writer},
};
