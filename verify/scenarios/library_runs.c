/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs of our library in shared mode: CPUs that change, break, form
 * and remove one run, beside one another and beside the hardware walker, whose
 * TLBs hold runs whole and which may record a write in any member.
 */
#include "ord.h"

#define MEMBERS	  16u
#define AT	  ORD_BLOCK_IA
#define PAGE	  ORD_PAGE_BYTES
#define RUN	  (MEMBERS * PAGE)
#define CONTIG	  (UINT64_C(1) << 52)
#define XN	  (UINT64_C(3) << 53)
#define MEMBER(i) (AT + (uint64_t)(i)*PAGE)

struct state {
	uint64_t written; /* the guest's store was carried out */
	uint64_t told;	  /* bytes */
	uint64_t done[NWM_CPUS_MAX]; /* 1 + status */
	struct nw_table table;
};

static void setup_run(struct state *s, unsigned features, unsigned prot,
		      unsigned flags)
{
	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_SHARED, features);
	s->table.runs = NW_RUNS_AUTO;
	ord_map(&s->table, AT, RUN, ORD_BACKING, 0, prot, flags);
	ord_must(nw_collapse(&s->table, NW_IA(AT), RUN, 0, 1, NULL),
		 "collapse");
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, MEMBER(1));
}

static void setup_clean(void *state)
{
	setup_run(state, NW_FEAT_HAF | NW_FEAT_HD, NW_PROT_R, NW_LEAF_DBM);
}

static void setup_plain(void *state)
{
	setup_run(state, 0, NW_PROT_RW, 0);
}

/* Leaves that could be a run. */
static void setup_alone(void *state)
{
	struct state *s = state;

	setup_plain(state);
	ord_must(nw_split(&s->table, NW_IA(AT), 0, NULL, NULL), "split");
}

/* ---- what CPUs do ------------------------------------------------------ */

static void ends(struct state *s, enum nw_status status, const char *what)
{
	nwx_require(status == NW_OK || status == NW_E_BUSY, NWM_PROTOCOL, what);
	s->done[nwx_cpu_id()] = 1 + (uint64_t)status;
}

static void tell(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct state *s = arg;

	(void)ia;
	nwx_add(&s->told, size_bytes);
}

static void protects_one(void *state)
{
	struct state *s = state;

	ends(s,
	     nw_write_protect(&s->table, NW_IA(MEMBER(1)), PAGE, tell, s, NULL,
			      NULL),
	     "a write-protect beside others fails");
}

static void protects_all(void *state)
{
	struct state *s = state;

	ends(s,
	     nw_write_protect(&s->table, NW_IA(AT), RUN, tell, s, NULL, NULL),
	     "a write-protect beside others fails");
}

static void harvests_one(void *state)
{
	struct state *s = state;

	ends(s,
	     nw_harvest_dirty(&s->table, NW_IA(MEMBER(1)), PAGE, tell, s,
			      NULL),
	     "a harvest beside others fails");
}

static void relaxes_one(void *state)
{
	struct state *s = state;

	ends(s,
	     nw_protect(&s->table, NW_IA(MEMBER(2)), PAGE, NW_PROTECT_RELAX,
			NW_PROT_X, NULL, NULL),
	     "a relax beside others fails");
}

static void forms(void *state)
{
	struct state *s = state;

	ends(s, nw_collapse(&s->table, NW_IA(AT), RUN, 0, 1, NULL),
	     "a collapse beside others fails");
}

static void unmaps_all(void *state)
{
	struct state *s = state;

	ends(s, nw_unmap(&s->table, NW_IA(AT), RUN, NULL, NULL),
	     "an unmap beside others fails");
}

static void unmaps_one(void *state)
{
	struct state *s = state;

	ends(s, nw_unmap(&s->table, NW_IA(MEMBER(1)), PAGE, NULL, NULL),
	     "an unmap beside others fails");
}

static void faults_beside(void *state)
{
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	struct state *s = state;
	enum nw_status status =
		nw_map(&s->table, NW_IA(AT + RUN), PAGE,
		       NW_PA(ORD_BACKING + RUN), &attrs, 0, NULL, NULL);

	/* Another CPU's fault may have been faster: then it is there. */
	if (status == NW_E_EXISTS || status == NW_E_RACED)
		status = NW_OK;
	ends(s, status, "a fault beside a run fails");
}

static void writes(void *state)
{
	struct state *s = state;

	s->written = nwx_write(NW_REGIME_STAGE2, AT, 1).outcome == NWM_DONE;
}

static void looks(void *state)
{
	struct state *s = state;
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&s->table, NW_IA(MEMBER(1)), &m);

	nwx_require(status == NW_E_BUSY ||
			    (status == NW_OK && m.kind == NW_ENTRY_LEAF &&
			     m.pa.v == ORD_BACKING + PAGE),
		    NWM_PROTOCOL, "a lookup finds something else");
}

/* ---- what is there at rest --------------------------------------------- */

static nw_entry_t at_rest(struct state *s, uint64_t ia)
{
	struct nw_mapping m;

	nwx_require(nw_lookup(&s->table, NW_IA(ia), &m) == NW_OK, NWM_PROTOCOL,
		    "a run is being changed, and nobody is at work");
	nwx_require(m.kind != NW_ENTRY_LEAF ||
			    m.pa.v == ORD_BACKING + (ia - AT),
		    NWM_PROTOCOL, "a translation was changed");
	return m.kind == NW_ENTRY_LEAF ? m.entry : 0;
}

/* All have the mark, or none has; and all that have it say the same. */
static unsigned members(struct state *s)
{
	nw_entry_t first = at_rest(s, AT), e;
	unsigned n = 0;

	for (unsigned i = 0; i < MEMBERS; i++) {
		e = at_rest(s, MEMBER(i));
		n += (e & CONTIG) != 0;
		nwx_require(!(e & CONTIG) || e - i * PAGE == first,
			    NWM_PROTOCOL, "members of a run differ");
	}
	nwx_require(!n || n == MEMBERS, NWM_PROTOCOL,
		    "a run has not all its members");
	return n;
}

static int was_done(const struct state *s, unsigned cpu)
{
	return s->done[cpu] == 1 + NW_OK;
}

/* CPU 0 write-protected member 1 alone; the guest wrote to member 0. */
static void finish_part(void *state)
{
	struct state *s = state;

	(void)members(s);
	if (was_done(s, 0))
		nwx_require(!(at_rest(s, MEMBER(1)) &
			      (NWS_S2_WRITE | NWS_DBM)),
			    NWM_PROTOCOL, "the page is writable at the end");
	nwx_require(!s->written || (at_rest(s, AT) & NWS_S2_WRITE),
		    NWM_LOST_DIRTY, "the guest has written, and its page is "
				    "clean");
}

static void finish_harvest(void *state)
{
	struct state *s = state;

	nwx_require(members(s) == MEMBERS, NWM_PROTOCOL, "the run is broken");
	nwx_require(!s->written || s->told == RUN ||
			    (at_rest(s, AT) & NWS_S2_WRITE),
		    NWM_LOST_DIRTY, "the guest has written: nobody was told, "
				    "and its page is clean");
}

static void finish_whole(void *state)
{
	struct state *s = state;

	nwx_require(members(s) == MEMBERS, NWM_PROTOCOL, "the run is broken");
	nwx_require(!was_done(s, 0) ||
			    !(at_rest(s, AT) & (NWS_S2_WRITE | NWS_DBM)),
		    NWM_PROTOCOL, "the run is writable at the end");
	nwx_require(!s->written || s->told == RUN, NWM_LOST_DIRTY,
		    "the guest has written, and nobody was told");
}

/* Two CPUs wanted other things of members 1 and 2. */
static void finish_parts(void *state)
{
	struct state *s = state;

	nwx_require(!members(s) || !was_done(s, 1), NWM_PROTOCOL,
		    "a run of members that differ");
	if (was_done(s, 0))
		nwx_require(!(at_rest(s, MEMBER(1)) & NWS_S2_WRITE),
			    NWM_PROTOCOL, "the page is writable at the end");
	if (was_done(s, 1))
		nwx_require(!(at_rest(s, MEMBER(2)) & XN), NWM_PROTOCOL,
			    "the right that was added is lost");
	nwx_require(at_rest(s, MEMBER(3)) & NWS_S2_WRITE, NWM_PROTOCOL,
		    "a page that nobody asked about lost a right");
}

static void finish_whole_and_part(void *state)
{
	struct state *s = state;

	(void)members(s);
	if (was_done(s, 0))
		for (unsigned i = 0; i < MEMBERS; i++)
			nwx_require(!(at_rest(s, MEMBER(i)) & NWS_S2_WRITE),
				    NWM_PROTOCOL,
				    "a page is writable at the end");
	if (was_done(s, 1))
		nwx_require(!(at_rest(s, MEMBER(2)) & XN), NWM_PROTOCOL,
			    "the right that was added is lost");
}

static void finish_formed(void *state)
{
	struct state *s = state;

	(void)members(s);
	nwx_require(!was_done(s, 1) || !(at_rest(s, MEMBER(2)) & XN),
		    NWM_PROTOCOL, "the right that was added is lost");
	nwx_require(at_rest(s, MEMBER(3)) & NWS_S2_WRITE, NWM_PROTOCOL,
		    "a page that nobody asked about lost a right");
}

static void finish_removed(void *state)
{
	struct state *s = state;

	if (was_done(s, 0))
		for (unsigned i = 0; i < MEMBERS; i++)
			nwx_require(!at_rest(s, MEMBER(i)), NWM_PROTOCOL,
				    "a page came back that was unmapped");
}

/* CPU 0 unmapped member 1, CPU 1 would make a run. */
static void finish_hole_form(void *state)
{
	struct state *s = state;

	(void)members(s);
	nwx_require(!was_done(s, 0) || !at_rest(s, MEMBER(1)), NWM_PROTOCOL,
		    "a page came back that was unmapped");
	nwx_require(at_rest(s, MEMBER(15)) != 0, NWM_PROTOCOL,
		    "a page that nobody asked about is gone");
}

static void finish_hole(void *state)
{
	struct state *s = state;

	(void)members(s);
	if (was_done(s, 0))
		nwx_require(!at_rest(s, MEMBER(1)), NWM_PROTOCOL,
			    "a page came back that was unmapped");
	nwx_require(at_rest(s, MEMBER(15)) != 0, NWM_PROTOCOL,
		    "a page that nobody asked about is gone");
	if (was_done(s, 1))
		nwx_require(at_rest(s, AT + RUN) != 0, NWM_PROTOCOL,
			    "a page that was mapped is gone");
}

/* ---- the scenarios ----------------------------------------------------- */

#define RUNS                                                                   \
	.rule = "protocols 11", .subject = NWX_LIBRARY, .cpus = 2,             \
	.cpus_pct = 3, .walks = 1, .preemptions_max = 1, .stale_reads_max = 1, \
	.state_bytes = sizeof(struct state)
#define WITH_DIRTY .machine = {.has_runs = 1, .has_haf = 1, .has_hd = 1}
#define WITH_RUNS  .machine = {.has_runs = 1}

const struct nwx_scenario nws_good_library_run_part_dirty = {
	.name = "good_library_run_part_dirty",
	.doc = "a member of a run is write-protected alone while hardware "
	       "marks another",
	RUNS, WITH_DIRTY,
	.setup = setup_clean,
	.cpu = {protects_one, writes, looks},
	.finish = finish_part,
};

const struct nwx_scenario nws_good_library_run_harvest_dirty = {
	.name = "good_library_run_harvest_dirty",
	.doc = "a run is harvested by one member while hardware marks another",
	RUNS, WITH_DIRTY,
	.setup = setup_clean,
	.cpu = {harvests_one, writes, looks},
	.finish = finish_harvest,
};

const struct nwx_scenario nws_good_library_run_whole_dirty = {
	.name = "good_library_run_whole_dirty",
	.doc = "a whole run is write-protected while hardware marks a member",
	RUNS, WITH_DIRTY,
	.setup = setup_clean,
	.cpu = {protects_all, writes, looks},
	.finish = finish_whole,
};

const struct nwx_scenario nws_good_library_run_break_break = {
	.name = "good_library_run_break_break",
	.doc = "two CPUs break one run, for two members",
	RUNS, WITH_RUNS,
	.setup = setup_plain,
	.cpu = {protects_one, relaxes_one, looks},
	.finish = finish_parts,
};

const struct nwx_scenario nws_good_library_run_whole_break = {
	.name = "good_library_run_whole_break",
	.doc = "one CPU changes a whole run, another breaks it",
	RUNS, WITH_RUNS,
	.setup = setup_plain,
	.cpu = {protects_all, relaxes_one, looks},
	.finish = finish_whole_and_part,
};

const struct nwx_scenario nws_good_library_run_form_relax = {
	.name = "good_library_run_form_relax",
	.doc = "leaves become a run while another CPU changes one of them",
	RUNS, WITH_RUNS,
	.setup = setup_alone,
	.cpu = {forms, relaxes_one, looks},
	.finish = finish_formed,
};

const struct nwx_scenario nws_good_library_run_unmap_break = {
	.name = "good_library_run_unmap_break",
	.doc = "a run is unmapped while another CPU breaks it",
	RUNS, WITH_RUNS,
	.setup = setup_plain,
	.cpu = {unmaps_all, relaxes_one, protects_one},
	.finish = finish_removed,
};

const struct nwx_scenario nws_good_library_run_unmap_form = {
	.name = "good_library_run_unmap_form",
	.doc = "leaves are unmapped while another CPU makes a run of them",
	RUNS, WITH_RUNS,
	.setup = setup_alone,
	.cpu = {unmaps_all, forms, relaxes_one},
	.finish = finish_removed,
};

const struct nwx_scenario nws_good_library_run_hole_fault = {
	.name = "good_library_run_hole_fault",
	.doc = "a member of a run is unmapped while another CPU faults beside",
	RUNS, WITH_RUNS,
	.setup = setup_plain,
	.cpu = {unmaps_one, faults_beside, faults_beside},
	.finish = finish_hole,
};

const struct nwx_scenario nws_good_library_run_hole_form = {
	.name = "good_library_run_hole_form",
	.doc = "a leaf is unmapped while another CPU makes a run of it",
	RUNS, WITH_RUNS,
	.setup = setup_alone,
	.cpu = {unmaps_one, forms, relaxes_one},
	.finish = finish_hole_form,
};
