/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write protection, dirty harvest and ageing of our library in shared mode,
 * while hardware and other CPUs write the same entries.
 */
#include "ord.h"

#define DIRTY_FEATURES (NW_FEAT_HAF | NW_FEAT_HD)
#define PAGE_IA ORD_BLOCK_IA

struct state {
	uint64_t harvested; /* a harvest or write-protect has returned */
	uint64_t written;   /* the guest's first store was carried out */
	uint64_t again;	    /* and one that began after `harvested` */
	uint64_t told;
	struct nw_table table;
};

static void setup_page(struct state *s, unsigned prot)
{
	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_SHARED, DIRTY_FEATURES);
	ord_map(&s->table, PAGE_IA, ORD_PAGE_BYTES, ORD_BACKING, 0, prot,
		NW_LEAF_DBM);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, PAGE_IA);
}

static void setup_clean(void *state)
{
	setup_page(state, NW_PROT_R);
}

static void setup_dirty(void *state)
{
	setup_page(state, NW_PROT_RW);
}

static void tell(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct state *s = arg;

	nwx_require(ia.v == PAGE_IA && size_bytes == ORD_PAGE_BYTES,
		    NWM_PROTOCOL, "another page was told");
	nwx_add(&s->told, 1);
}

static void harvester(void *state)
{
	struct state *s = state;

	ord_must(nw_harvest_dirty(&s->table, NW_IA(PAGE_IA), ORD_PAGE_BYTES,
				  tell, s, NULL),
		 "harvest");
	nwx_store(&s->harvested, 1, NWM_RELEASE);
}

static void write_protecter(void *state)
{
	struct state *s = state;

	ord_must(nw_write_protect(&s->table, NW_IA(PAGE_IA), ORD_PAGE_BYTES,
				  tell, s, NULL, NULL),
		 "write_protect");
	nwx_store(&s->harvested, 1, NWM_RELEASE);
}

static void ager(void *state)
{
	struct state *s = state;
	uint64_t young;

	ord_must(nw_age(&s->table, NW_IA(PAGE_IA), ORD_PAGE_BYTES, NW_AGE_CLEAR,
			&young, NULL),
		 "age");
}

static void relaxer(void *state)
{
	struct state *s = state;

	ord_must(nw_protect(&s->table, NW_IA(PAGE_IA), ORD_PAGE_BYTES,
			    NW_PROTECT_RELAX, NW_PROT_X, NULL, NULL),
		 "relax");
}

static void writer(void *state)
{
	struct state *s = state;

	s->written = nwx_write(NW_REGIME_STAGE2, PAGE_IA, 1).outcome ==
		     NWM_DONE;
	if (nwx_load(&s->harvested, NWM_ACQUIRE))
		s->again = nwx_write(NW_REGIME_STAGE2, PAGE_IA, 2).outcome ==
			   NWM_DONE;
}

static nw_entry_t entry_at_rest(struct state *s)
{
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(PAGE_IA), &m), "lookup");
	nwx_require(m.kind == NW_ENTRY_LEAF && m.pa.v == ORD_BACKING,
		    NWM_PROTOCOL, "the translation was changed");
	return m.entry;
}

/* Each write is told, or still marked; the second one came after the telling.
 */
static void finish_harvest(void *state)
{
	struct state *s = state;
	int is_marked = (entry_at_rest(s) & NWS_S2_WRITE) != 0;

	nwx_require(!s->written || is_marked || s->told, NWM_LOST_DIRTY,
		    "the guest has written: nobody was told, and the entry is "
		    "clean");
	nwx_require(!s->again || is_marked, NWM_LOST_DIRTY,
		    "the guest wrote after the harvest, and the entry is "
		    "clean");
	nwx_require(s->told < 2, NWM_PROTOCOL, "one write was told twice");
}

static void finish_protect(void *state)
{
	struct state *s = state;

	nwx_require(!(entry_at_rest(s) & (NWS_S2_WRITE | NWS_DBM)),
		    NWM_PROTOCOL, "the page is writable at the end");
	nwx_require(!s->again, NWM_LOST_DIRTY,
		    "the guest wrote after the write-protect had returned");
	nwx_require(!s->written || s->told, NWM_LOST_DIRTY,
		    "the guest has written, and nobody was told");
}

static void finish_age(void *state)
{
	struct state *s = state;

	nwx_require(!s->written || (entry_at_rest(s) & NWS_S2_WRITE),
		    NWM_LOST_DIRTY,
		    "the guest has written, and the entry is clean");
}

static void finish_both(void *state)
{
	struct state *s = state;
	nw_entry_t e = entry_at_rest(s);

	nwx_require(!(e & NWS_S2_WRITE), NWM_PROTOCOL,
		    "the write right came back");
	nwx_require(!(e >> 53 & 3), NWM_PROTOCOL, "the added right is lost");
}

#define LEAVES                                                                 \
	.subject = NWX_LIBRARY, .cpus = 2, .cpus_pct = 3, .walks = 2,          \
	.state_bytes = sizeof(struct state),                                   \
	.machine = {.has_haf = 1, .has_hd = 1}

const struct nwx_scenario nws_good_library_harvest_dirty = {
	.name = "good_library_harvest_dirty",
	.doc = "dirty state is harvested while hardware marks it, twice",
	.rule = "protocols 4",
	LEAVES,
	.setup = setup_clean,
	.cpu = {harvester, writer, ager},
	.finish = finish_harvest,
};

const struct nwx_scenario nws_good_library_write_protect_dirty = {
	.name = "good_library_write_protect_dirty",
	.doc = "a page is write-protected for good while hardware marks it",
	.rule = "protocols 4",
	LEAVES,
	.setup = setup_clean,
	.cpu = {write_protecter, writer, ager},
	.finish = finish_protect,
};

const struct nwx_scenario nws_good_library_age_dirty = {
	.name = "good_library_age_dirty",
	.doc = "a page is aged while hardware marks it accessed and dirty",
	.rule = "protocols 3",
	LEAVES,
	.setup = setup_clean,
	.cpu = {ager, writer, ager},
	.finish = finish_age,
};

const struct nwx_scenario nws_good_library_relax_write_protect = {
	.name = "good_library_relax_write_protect",
	.doc = "one CPU adds a right while another takes the write right",
	.rule = "protocols 4",
	LEAVES,
	.setup = setup_dirty,
	.cpu = {relaxer, write_protecter, ager},
	.finish = finish_both,
};
