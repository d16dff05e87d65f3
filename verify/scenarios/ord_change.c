/* SPDX-License-Identifier: BSD-2-Clause */
/* Ordering points of changes to live entries: hardware writes them too. */
#include "ord.h"

#define DIRTY_FEATURES (NW_FEAT_HAF | NW_FEAT_HD)

struct state {
	uint64_t published;
	uint64_t written; /* the guest's store was carried out */
	struct nw_table table;
	unsigned frame;
};

/* ---- ORD-04, ORD-23: hardware's dirty state ---------------------------- */

/* Writable, but clean: hardware sets the write right at the first store. */
static void setup_clean(void *state, uint64_t bytes, unsigned level)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS, DIRTY_FEATURES);
	ord_map(&s->table, ORD_BLOCK_IA, bytes, ORD_BACKING, level, NW_PROT_R,
		NW_LEAF_DBM);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

static void setup_clean_block(void *state)
{
	setup_clean(state, NWS_BLOCK_BYTES, 1);
}

static void setup_clean_page(void *state)
{
	setup_clean(state, ORD_PAGE_BYTES, 0);
}

static void splitter(void *state)
{
	struct state *s = state;

	ord_must(nw_split(&s->table, NW_IA(ORD_BLOCK_IA), 0, NULL, NULL),
		 "split");
}

static void relaxer(void *state)
{
	struct state *s = state;

	ord_must(nw_protect(&s->table, NW_IA(ORD_BLOCK_IA), ORD_PAGE_BYTES,
			    NW_PROTECT_RELAX, NW_PROT_X, NULL, NULL),
		 "protect");
}

static void writer(void *state)
{
	struct state *s = state;

	if (nwx_write(NW_REGIME_STAGE2, ORD_BLOCK_IA, 1).outcome == NWM_DONE)
		s->written = 1;
}

static void finish_dirty(void *state)
{
	struct state *s = state;
	struct nw_mapping m;

	ord_must(nw_lookup(&s->table, NW_IA(ORD_BLOCK_IA), &m), "lookup");
	nwx_require(m.kind == NW_ENTRY_LEAF && m.pa.v == ORD_BACKING,
		    NWM_PROTOCOL, "the translation was changed");
	nwx_require(!s->written || (m.entry & NWS_S2_WRITE), NWM_LOST_DIRTY,
		    "the guest has written, but the entry that replaced its "
		    "own is clean");
}

#define DIRTY                                                                  \
	.state_bytes = sizeof(struct state),                                   \
	.machine = {.has_haf = 1, .has_hd = 1}, .finish = finish_dirty

const struct nwx_scenario nws_good_ord_split_dirty = {
	.name = "good_ord_split_dirty",
	ORD_GOOD("ORD-23", "a clean block is split while hardware marks it "
			   "dirty"),
	DIRTY,
	.walks = 2,
	.setup = setup_clean_block,
	.cpu = {splitter, writer, writer},
};

static void setup_clean_bbm2(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS,
		  DIRTY_FEATURES | NW_FEAT_BBM1 | NW_FEAT_BBM2);
	ord_map(&s->table, ORD_BLOCK_IA, NWS_BLOCK_BYTES, ORD_BACKING, 1,
		NW_PROT_R, NW_LEAF_DBM);
	ord_install(&s->table, 0xf);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

const struct nwx_scenario nws_good_ord_split_dirty_bbm2 = {
	.name = "good_ord_split_dirty_bbm2",
	ORD_GOOD("ORD-04", "the same where no break is needed"),
	.state_bytes = sizeof(struct state),
	.machine = {.has_haf = 1, .has_hd = 1, .bbm_level = 2},
	.finish = finish_dirty,
	.walks = 2,
	.setup = setup_clean_bbm2,
	.cpu = {splitter, writer, writer},
};

const struct nwx_scenario nws_good_ord_protect_dirty = {
	.name = "good_ord_protect_dirty",
	ORD_GOOD("ORD-04", "a right is added to a clean page while hardware "
			   "marks it dirty"),
	DIRTY,
	.walks = 2,
	.setup = setup_clean_page,
	.cpu = {relaxer, writer, writer},
};

/* ---- ORD-10 without a break: no old size stays behind ------------------ */

static void setup_bbm2(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_READERS,
		  NW_FEAT_BBM1 | NW_FEAT_BBM2);
	ord_map(&s->table, ORD_BLOCK_IA, NWS_BLOCK_BYTES, ORD_BACKING, 1,
		NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
	s->frame = ord_frame("page 1", ORD_BACKING + ORD_PAGE_BYTES,
			     NWM_R | NWM_W);
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA);
}

/* The split, then an unmap whose invalidation names the new size. */
static void split_unmapper(void *state)
{
	struct state *s = state;

	ord_must(nw_unmap(&s->table, NW_IA(ORD_BLOCK_IA + ORD_PAGE_BYTES),
			  ORD_PAGE_BYTES, NULL, NULL),
		 "unmap");
	nwx_frame_allow(s->frame, 0);
}

static void bystander(void *state)
{
	(void)state;
	nwx_note("busy with other things");
}

const struct nwx_scenario nws_good_ord_split_bbm2 = {
	.name = "good_ord_split_bbm2",
	ORD_GOOD("ORD-10", "a page is unmapped out of a block where FEAT_BBM "
			   "level 2 saves the break"),
	.walks = 2,
	.machine = {.bbm_level = 2},
	.state_bytes = sizeof(struct state),
	.setup = setup_bbm2,
	.cpu = {split_unmapper, bystander, bystander},
};

/* ---- ORD-04 between CPUs: two map at once ------------------------------ */

static void setup_shared(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_SHARED, 0);
	ord_install(&s->table, 0xf);
	(void)ord_frame("what a page held before", ORD_FORBIDDEN, 0);
	ord_poison(0, 2, NWS_S2_PAGE(ORD_FORBIDDEN));
	ord_poison(1, 2, NWS_S2_PAGE(ORD_FORBIDDEN));
	ord_poison(2, 2, NWS_S2_PAGE(ORD_FORBIDDEN));
	nwx_watch(NW_REGIME_STAGE2, ORD_BLOCK_IA + 8 * ORD_PAGE_BYTES);
}

static void map_own(void *state)
{
	struct state *s = state;
	uint64_t at = nwx_cpu_id() * ORD_PAGE_BYTES;

	ord_map(&s->table, ORD_BLOCK_IA + at, ORD_PAGE_BYTES, ORD_BACKING + at,
		0, NW_PROT_RW, 0);
	s->written |= UINT64_C(1) << nwx_cpu_id();
}

static void finish_shared(void *state)
{
	struct state *s = state;

	for (unsigned i = 0; s->written >> i; i++) {
		uint64_t at = i * ORD_PAGE_BYTES;
		struct nw_mapping m;

		ord_must(nw_lookup(&s->table, NW_IA(ORD_BLOCK_IA + at), &m),
			 "lookup");
		nwx_require(m.kind == NW_ENTRY_LEAF &&
				    m.pa.v == ORD_BACKING + at,
			    NWM_PROTOCOL, "a mapping that was made is lost");
	}
}

const struct nwx_scenario nws_good_ord_shared_map = {
	.name = "good_ord_shared_map",
	ORD_GOOD("ORD-04", "two CPUs map neighbours whose table is missing"),
	.walks = 2,
	.state_bytes = sizeof(struct state),
	.setup = setup_shared,
	.cpu = {map_own, map_own, map_own},
	.finish = finish_shared,
};

/* Both map the same page: one is told that it came second. */
static void map_same(void *state)
{
	struct state *s = state;
	const struct nw_attrs attrs = ord_attrs(NW_PROT_RW, 0);
	uint64_t pa = ORD_BACKING + nwx_cpu_id() * ORD_PAGE_BYTES;
	enum nw_status status;

	status = nw_map(&s->table, NW_IA(ORD_BLOCK_IA), ORD_PAGE_BYTES,
			NW_PA(pa), &attrs, 0, NULL, NULL);
	if (status == NW_OK)
		(void)nwx_add(&s->written, UINT64_C(1) << 8 * nwx_cpu_id());
}

static void setup_shared_leaf(void *state)
{
	struct state *s = state;

	ord_table(&s->table, NW_REGIME_STAGE2, NW_MODE_SHARED, 0);
	ord_map(&s->table, ORD_BLOCK_IA + 8 * ORD_PAGE_BYTES, ORD_PAGE_BYTES,
		ORD_BACKING + 8 * ORD_PAGE_BYTES, 0, NW_PROT_RW, 0);
	ord_install(&s->table, 0xf);
}

static void finish_same(void *state)
{
	struct state *s = state;

	nwx_require(s->written == 1 || s->written == 0x100 ||
			    s->written == 0x10000,
		    NWM_PROTOCOL,
		    "two CPUs were both told that their mapping stands");
}

const struct nwx_scenario nws_good_ord_shared_same = {
	.name = "good_ord_shared_same",
	ORD_GOOD("ORD-04", "two CPUs map one page: one of them is told that "
			   "it is taken"),
	.state_bytes = sizeof(struct state),
	.walks = 2,
	.setup = setup_shared_leaf,
	.cpu = {map_same, map_same, map_same},
	.finish = finish_same,
};
