/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library's own sources: something else comes to where something was.
 * Annotations, replaced pages, maps over what is mapped, and removals that tell
 * what was dirty; beside faults, lookups, removals and hardware's own updates.
 */
#include "ord.h"

#define PAGE  ORD_PAGE_BYTES
#define AT    ORD_BLOCK_IA
#define OTHER (ORD_BACKING + UINT64_C(0x10000000))
#define GUEST 0x11u /* two owners */
#define HOST  0x22u
#define THIRD 0x33u

struct state {
	struct nw_table table;
	uint64_t done[NWM_CPUS_MAX]; /* 1 + status of each CPU's operation */
	uint64_t written, told;
	unsigned frame;
};

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

static void replace_page(void *state)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	struct state *s = state;
	enum nw_status status =
		nw_replace(&s->table, NW_IA(AT), PAGE, NW_PA(OTHER), &attrs,
			   NULL, NULL, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL,
		    "a replacement of what is mapped fails");
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
	if (status == NW_OK)
		nwx_frame_allow(s->frame, 0);
}

/* Either frame, or a fault while the entry is broken. */
static void read_page(void *state)
{
	struct nwm_access_result r = nwx_read(NW_REGIME_STAGE2, AT);

	(void)state;
	nwx_require(r.outcome != NWM_DONE || r.pa == ORD_BACKING ||
			    r.pa == OTHER,
		    NWM_PROTOCOL, "the guest reached a third frame");
}

#define PLACE(id, what)                                                        \
	.doc = what, .rule = id, .subject = NWX_LIBRARY, .cpus = 2,            \
	.cpus_pct = 3, .walks = 2, .state_bytes = sizeof(struct state)

#if NW_SABOTAGE_NO_BBM
const struct nwx_scenario nws_bad_library_replace_no_bbm = {
	.name = "bad_library_replace_no_bbm",
	PLACE("protocols 8, 12",
	      "the library, built without break-before-make, "
	      "puts another page in the place of one"),
	.setup = setup_page,
	.cpu = {replace_page, read_page, read_page},
	.expect = {NWM_AMALGAM, NWM_RULE},
	.rules = {"BBM-01"},
};
#elif NW_SABOTAGE_EARLY_FREE
/* Nothing of this is about freeing. */
extern void (*const nws_place_unused[])(void *);
void (*const nws_place_unused[])(void *) = {setup_page, replace_page,
					    read_page};
#else

/* ---- setups ----------------------------------------------------------------
 */

static void setup_block(void *state)
{
	struct state *s = state;

	setup_table(s, 0);
	ord_map(&s->table, AT, NWS_BLOCK_BYTES, ORD_BACKING, 1, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("the page", ORD_BACKING, NWM_R | NWM_W);
}

/* Hardware marks what is written: DBM without the write right. */
static void setup_clean(void *state)
{
	struct state *s = state;

	setup_table(s, NW_FEAT_HAF | NW_FEAT_HD);
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_R, NW_LEAF_DBM);
	ord_install(&s->table, 0xf);
}

/* One writer, and readers. */
static void setup_clean_alone(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS,
		  NW_FEAT_HAF | NW_FEAT_HD);
	ord_map(&s->table, AT, PAGE, ORD_BACKING, 0, NW_PROT_R, NW_LEAF_DBM);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, AT);
}

static void setup_annotated(void *state)
{
	struct state *s = state;

	setup_table(s, 0);
	ord_must(
		nw_annotate(&s->table, NW_IA(AT), PAGE, HOST, NULL, NULL, NULL),
		"annotate");
	ord_install(&s->table, 0xf);
}

/* ---- what CPUs do
 * ------------------------------------------------------------ */

static void said(struct state *s, enum nw_status status, const char *what)
{
	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL, what);
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
}

/* The page is the other owner's when we return. */
static void annotate_page(void *state)
{
	struct state *s = state;

	said(s,
	     nw_annotate(&s->table, NW_IA(AT), PAGE, GUEST, NULL, NULL, NULL),
	     "an annotation beside others fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwx_frame_allow(s->frame, 0);
}

static void annotate_block(void *state)
{
	struct state *s = state;

	said(s,
	     nw_annotate(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, GUEST, NULL,
			 NULL, NULL),
	     "an annotation beside others fails");
}

/* Either flush covers the page, but the oracle follows only the last, so that
 * the machine alone is asked. */
static void drop_block(void *state)
{
	struct state *s = state;

	said(s, nw_unmap(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, NULL, NULL),
	     "an unmap beside others fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwm_frame_allow(s->frame, 0);
}

/* From one owner to another, if it is the first one's. */
static void pass_on_to(struct state *s, uint64_t owner)
{
	const struct nw_expected host = {NW_EXPECT_ANNOTATION, HOST};
	enum nw_status status = nw_annotate(&s->table, NW_IA(AT), PAGE, owner,
					    &host, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_MISMATCH ||
			    status == NW_E_RACED,
		    NWM_PROTOCOL, "a change of owner fails");
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
}

static void pass_on(void *state)
{
	pass_on_to(state, GUEST);
}

static void pass_on_elsewhere(void *state)
{
	pass_on_to(state, THIRD);
}

/* Annotated throughout: one of both, or busy; never "none". */
static void look_for_owner(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&s->table, NW_IA(AT), &m);
	uint64_t value = nw_mapping_annotation(&s->table, &m);

	nwx_require(status == NW_E_BUSY || (status == NW_OK &&
					    (value == HOST || value == GUEST)),
		    NWM_PROTOCOL, "an annotated page has no owner");
}

/* Mapped, then annotated; never "none". */
static void look_for_either(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&s->table, NW_IA(AT), &m);

	nwx_require(status == NW_E_BUSY ||
			    (status == NW_OK &&
			     (m.kind == NW_ENTRY_LEAF ||
			      nw_mapping_annotation(&s->table, &m) == GUEST)),
		    NWM_PROTOCOL, "a page is neither mapped nor owned");
}

/* Beside two who pass the page on. */
static void look_for_nobody(void *state)
{
	struct state *s = state;
	struct nw_mapping m;

	nwx_require(nw_lookup(&s->table, NW_IA(AT), &m) == NW_OK &&
			    nw_mapping_annotation(&s->table, &m),
		    NWM_PROTOCOL, "an annotated page has no owner");
}

static void fault(void *state)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	struct state *s = state;
	enum nw_status status = nw_map(&s->table, NW_IA(AT), PAGE, NW_PA(OTHER),
				       &attrs, 0, NULL, NULL);

	nwx_require(status == NW_OK || status == NW_E_BUSY ||
			    status == NW_E_EXISTS || status == NW_E_RACED,
		    NWM_PROTOCOL, "a map beside others fails");
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
}

static void look_for_page(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&s->table, NW_IA(AT), &m);

	nwx_require(status == NW_E_BUSY ||
			    (status == NW_OK && m.kind == NW_ENTRY_LEAF),
		    NWM_PROTOCOL, "what is mapped is not found");
}

static void tell(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct state *s = arg;

	nwx_require(ia.v <= AT && AT < ia.v + size_bytes, NWM_PROTOCOL,
		    "another page was told");
	nwx_add(&s->told, 1);
}

static void tell_replaced(void *arg, const struct nw_replaced *was)
{
	struct state *s = arg;

	nwx_require(was->mapping.pa.v == ORD_BACKING, NWM_PROTOCOL,
		    "another page was told");
	if (was->is_dirty)
		nwx_add(&s->told, 1);
}

static void unmap_telling(void *state)
{
	struct state *s = state;

	said(s, nw_unmap_dirty(&s->table, NW_IA(AT), PAGE, tell, s, NULL, NULL),
	     "an unmap fails");
}

static void drop_telling(void *state)
{
	struct state *s = state;

	said(s,
	     nw_unmap_dirty(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, tell, s,
			    NULL, NULL),
	     "an unmap fails");
}

static void replace_telling(void *state)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_R, NW_LEAF_DBM);
	struct state *s = state;

	said(s,
	     nw_replace(&s->table, NW_IA(AT), PAGE, NW_PA(OTHER), &attrs,
			tell_replaced, s, NULL, NULL),
	     "a replacement fails");
}

static void remap_block(void *state)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	struct state *s = state;

	said(s,
	     nw_remap(&s->table, NW_IA(AT), NWS_BLOCK_BYTES, NW_PA(OTHER),
		      &attrs, NW_LEVEL_ANY, NULL, NULL, NULL, NULL),
	     "a map over what is mapped fails");
	if (s->done[nwx_cpu_id()] == 1 + NW_OK)
		nwx_frame_allow(s->frame, 0);
}

static void write_page(void *state)
{
	struct nwm_access_result r = nwx_write(NW_REGIME_STAGE2, AT, 1);
	struct state *s = state;

	s->written = r.outcome == NWM_DONE && r.pa == ORD_BACKING;
}

/* ---- how it ends
 * ------------------------------------------------------------- */

static struct nw_mapping at_rest(struct state *s)
{
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(AT), &m), "lookup");
	return m;
}

static void finish_annotated(void *state)
{
	struct state *s = state;
	struct nw_mapping m = at_rest(s);

	nwx_require(s->done[0] != 1 + NW_OK ||
			    nw_mapping_annotation(&s->table, &m) == GUEST,
		    NWM_PROTOCOL, "an annotation is lost");
}

/* Whoever came last. */
static void finish_stolen(void *state)
{
	struct state *s = state;
	struct nw_mapping m = at_rest(s);

	nwx_require(m.kind == NW_ENTRY_EMPTY ||
			    nw_mapping_annotation(&s->table, &m) == GUEST,
		    NWM_PROTOCOL, "a removed block is there");
	nwx_require(nw_table_stats(&s->table).pages_live == 2, NWM_PROTOCOL,
		    "a table page is lost, or there twice");
}

/* A page is passed on once. */
static void finish_once(void *state)
{
	struct state *s = state;
	struct nw_mapping m = at_rest(s);
	unsigned winner = s->done[0] == 1 + NW_OK ? 0 : 1;

	nwx_require((s->done[0] == 1 + NW_OK) != (s->done[1] == 1 + NW_OK),
		    NWM_PROTOCOL, "a page has not exactly one new owner");
	nwx_require(nw_mapping_annotation(&s->table, &m) ==
			    (winner ? THIRD : GUEST),
		    NWM_PROTOCOL, "a page is not whose it was said to be");
}

static void finish_replaced(void *state)
{
	struct state *s = state;

	nwx_require(s->done[0] != 1 + NW_OK || at_rest(s).pa.v == OTHER,
		    NWM_PROTOCOL, "the page was not replaced");
}

static void finish_told(void *state)
{
	struct state *s = state;

	nwx_require(!s->written || s->told || s->done[0] != 1 + NW_OK,
		    NWM_LOST_DIRTY,
		    "the guest has written to a page that is gone, and nobody "
		    "was told");
}

/* ---- the scenarios
 * ----------------------------------------------------------- */

const struct nwx_scenario nws_good_library_annotate_fault = {
	.name = "good_library_annotate_fault",
	PLACE("S4, protocols 5", "a mapped page is annotated while another CPU "
				 "faults it in"),
	.setup = setup_page,
	.cpu = {annotate_page, fault, read_page},
	.finish = finish_annotated,
};

const struct nwx_scenario nws_good_library_annotate_lookup = {
	.name = "good_library_annotate_lookup",
	PLACE("S4, protocols 5", "a mapped page is annotated while a lookup "
				 "looks: never none"),
	.setup = setup_page,
	.cpu = {annotate_page, look_for_either, read_page},
	.finish = finish_annotated,
};

const struct nwx_scenario nws_good_library_annotate_owner = {
	.name = "good_library_annotate_owner",
	PLACE("protocols 5", "an annotation changes: a lookup finds one of the "
			     "two owners"),
	.setup = setup_annotated,
	.cpu = {pass_on, look_for_owner, pass_on},
};

const struct nwx_scenario nws_good_library_annotate_once = {
	.name = "good_library_annotate_once",
	PLACE("protocols 5", "two CPUs pass one page on: one of them does"),
	.setup = setup_annotated,
	.cpu = {pass_on, pass_on_elsewhere, look_for_nobody},
	.finish = finish_once,
};

const struct nwx_scenario nws_good_library_annotate_steal = {
	.name = "good_library_annotate_steal",
	PLACE("protocols 5", "a block is removed while another CPU annotates "
			     "it: one of the two locks is stolen"),
	.setup = setup_block,
	.cpu = {drop_block, annotate_block, read_page},
	.finish = finish_stolen,
};

const struct nwx_scenario nws_good_library_replace_guest = {
	.name = "good_library_replace_guest",
	PLACE("protocols 8, 12", "another page comes in the place of one that "
				 "the guest reads"),
	.setup = setup_page,
	.cpu = {replace_page, read_page, look_for_page},
	.finish = finish_replaced,
};

const struct nwx_scenario nws_good_library_replace_fault = {
	.name = "good_library_replace_fault",
	PLACE("protocols 5, 12", "a page is replaced while another CPU faults "
				 "on the broken entry, and a lookup looks"),
	.setup = setup_page,
	.cpu = {replace_page, fault, look_for_page},
	.finish = finish_replaced,
};

const struct nwx_scenario nws_good_library_remap_guest = {
	.name = "good_library_remap_guest",
	PLACE("protocols 6, 8", "a block comes in the place of a table while "
				"the guest reads"),
	.setup = setup_page,
	.cpu = {remap_block, read_page, look_for_page},
	.finish = finish_replaced,
};

#define DIRTY .machine = {.has_haf = 1, .has_hd = 1}, .finish = finish_told

const struct nwx_scenario nws_good_library_replace_dirty = {
	.name = "good_library_replace_dirty",
	PLACE("protocols 3, 12", "a page is replaced while hardware marks it: "
				 "a write to the old page is told"),
	DIRTY,
	.setup = setup_clean,
	.cpu = {replace_telling, write_page, look_for_page},
};

const struct nwx_scenario nws_good_library_unmap_dirty = {
	.name = "good_library_unmap_dirty",
	PLACE("protocols 3", "a page is unmapped while hardware marks it: a "
			     "write is told"),
	DIRTY,
	.setup = setup_clean,
	.cpu = {unmap_telling, write_page, write_page},
};

const struct nwx_scenario nws_good_library_drop_dirty = {
	.name = "good_library_drop_dirty",
	PLACE("protocols 3, 6", "a table is dropped whole while hardware marks "
				"a page in it: a write is told"),
	DIRTY,
	.setup = setup_clean,
	.cpu = {drop_telling, write_page, write_page},
};

const struct nwx_scenario nws_good_library_drop_dirty_alone = {
	.name = "good_library_drop_dirty_alone",
	PLACE("protocols 3",
	      "the one writer drops a table while hardware marks "
	      "a page in it: it is asked after the flush"),
	DIRTY,
	.setup = setup_clean_alone,
	.cpu = {drop_telling, write_page, write_page},
};
#endif
