/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The library reads a host's table without its locks (requirements S1), while
 * the host, with our own engine, splits, collapses and drops what is read.
 */
#include <nestwalk/hostwalk.h>

#include "ord.h"

#define AT     ORD_BLOCK_IA
#define INSIDE UINT64_C(0x5008) /* from AT; another page than the first */

struct state {
	struct nw_table host;
	struct nw_hostwalk walk;
};

/* ORD-06: a host that frees tables after a grace period. */
static void hold(void *ctx)
{
	(void)ctx;
	nw_port_section_enter();
}

static void release(void *ctx)
{
	(void)ctx;
	nw_port_section_leave();
}

static void setup_host(struct state *s, unsigned level)
{
	const struct nw_format_config config = {
		.granule_lg2 = 12, .ia_bits = 39, .oa_bits = 40};
	const uint64_t page = UINT64_C(0x1000);

	ord_table(&s->host, NW_REGIME_STAGE2, NW_MODE_SHARED, 0);
	/* A neighbour keeps the upper tables. */
	ord_map(&s->host, 2 * AT, NWS_BLOCK_BYTES, ORD_FORBIDDEN, 1, NW_PROT_RW,
		0);
	ord_map(&s->host, AT, NWS_BLOCK_BYTES, ORD_BACKING, level, NW_PROT_RW,
		0);
	s->walk = (struct nw_hostwalk){
		.ops = &nw_arm64_s2_ops,
		.root = nw_table_root(&s->host),
		.virt_minus_phys = nwx_virt_minus_phys(),
		.hold = hold,
		.release = release,
	};
	/* Table pages are handed out from the root's on. */
	s->walk.window_start = s->walk.root;
	s->walk.window_end = NW_PA(s->walk.root.v + 64 * page);
	ord_must(nw_hostwalk_init(&s->walk, &config, NULL), "hostwalk_init");
}

static void setup_block(void *state)
{
	setup_host(state, 1);
}

static void setup_pages(void *state)
{
	setup_host(state, 0);
}

static void split(void *state)
{
	struct state *s = state;

	nwx_require(nw_split(&s->host, NW_IA(AT), 0, NULL, NULL) == NW_OK,
		    NWM_PROTOCOL, "the host's split fails");
}

static void collapse(void *state)
{
	struct state *s = state;

	nwx_require(nw_collapse(&s->host, NW_IA(AT), NWS_BLOCK_BYTES,
				NW_LEVEL_ANY, 10, NULL) == NW_OK,
		    NWM_PROTOCOL, "the host's collapse fails");
}

static void drop(void *state)
{
	struct state *s = state;

	nwx_require(nw_unmap(&s->host, NW_IA(AT), NWS_BLOCK_BYTES, NULL,
			     NULL) == NW_OK,
		    NWM_PROTOCOL, "the host's unmap fails");
}

/* Each answer was true at some moment: the block, the page, or nothing (it is
 * broken, or gone). */
static void look(void *state)
{
	struct state *s = state;
	struct nw_host_mapping m;
	enum nw_status status =
		nw_hostwalk_look(&s->walk, NW_HVA(AT + INSIDE), &m);

	nwx_require(status == NW_OK, NWM_PROTOCOL,
		    "the walk left the host's table");
	nwx_require(!m.is_mapped || (m.pa.v == ORD_BACKING + INSIDE &&
				     (m.size_lg2 == 12 || m.size_lg2 == 21)),
		    NWM_PROTOCOL, "what the walk found was never there");
}

#define HOSTWALK(what)                                                         \
	.doc = what, .rule = "S1.1", .subject = NWX_LIBRARY, .cpus = 2,        \
	.cpus_pct = 3, .state_bytes = sizeof(struct state)

const struct nwx_scenario nws_good_library_hostwalk_split = {
	.name = "good_library_hostwalk_split",
	HOSTWALK("the host splits a block while its table is read"),
	.setup = setup_block,
	.cpu = {split, look, look},
};

const struct nwx_scenario nws_good_library_hostwalk_collapse = {
	.name = "good_library_hostwalk_collapse",
	HOSTWALK("the host collapses a table while it is read"),
	.setup = setup_pages,
	.cpu = {collapse, look, look},
};

const struct nwx_scenario nws_good_library_hostwalk_drop = {
	.name = "good_library_hostwalk_drop",
	HOSTWALK("the host frees a table while it is read"),
	.setup = setup_pages,
	.cpu = {drop, look, look},
};
