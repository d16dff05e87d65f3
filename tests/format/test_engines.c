/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine in the formats of x86 and RISC-V: random operations, and after
 * each a walk as the hardware makes it, in words of the manuals alone.
 */
#include "engines_walk.h"

/* ---- the model ---------------------------------------------------------- */

static unsigned plain_prot(unsigned prot)
{
	return (prot & NW_PROT_RW) | (prot & NW_PROT_X ? NW_PROT_X : 0);
}

static void check_window(struct rig *rig, const char *after)
{
	const char *name = rig->machine->name;
	unsigned i;

	for (i = 0; i < WINDOW; i++) {
		uint64_t ia = rig->base + (uint64_t)i * 4096;
		struct walk walk = walk_to(rig, ia + 0x123);
		int mapped = walk.met == MET_LEAF;
		struct nw_mapping found;

		if (mapped != (rig->pa[i] != NOT_MAPPED) ||
		    (mapped && (walk.pa != rig->pa[i] + 0x123 ||
				walk.prot != plain_prot(rig->prot[i]))))
			fail_msg("%s after %s: page %u is %#" PRIx64 " %#x, "
				 "not %#" PRIx64 " %#x",
				 name, after, i, walk.pa, walk.prot, rig->pa[i],
				 rig->prot[i]);
		if (nw_lookup(&rig->table, NW_IA(ia + 0x123), &found) !=
			    NW_OK ||
		    (found.kind == NW_ENTRY_LEAF) != mapped ||
		    (mapped && found.pa.v != walk.pa))
			fail_msg("%s after %s: lookup of page %u: kind %d",
				 name, after, i, (int)found.kind);
	}
}

/* Execute rights as this machine can grant them. */
static unsigned exec_prot(const struct machine *m)
{
	return m->style == PAGING || m->style == SV ? NW_PROT_PX : NW_PROT_X;
}

static int can_withhold_exec(const struct machine *m)
{
	return m->style > NESTED || (m->features & NW_FEAT_X86_NX);
}

static void step_map(struct rig *rig, unsigned from, unsigned pages)
{
	unsigned prot = NW_PROT_RW, i;
	uint64_t pa = 0x80000000 + (uint64_t)from * 4096;
	struct nw_attrs attrs = {.memtype = NW_MEM_NORMAL_WB,
				 .share = NW_SHARE_INNER,
				 .flags = NW_LEAF_ACCESSED};
	int taken = 0;
	enum nw_status status;

	if (!can_withhold_exec(rig->machine) || below(rig, 2))
		prot |= exec_prot(rig->machine);
	if (!below(rig, 3))
		pa += 0x1000; /* no block will do */
	attrs.prot = (uint8_t)prot;
	for (i = from; i < from + pages; i++)
		taken |= rig->pa[i] != NOT_MAPPED;
	status = nw_map(&rig->table, NW_IA(rig->base + (uint64_t)from * 4096),
			(uint64_t)pages * 4096, NW_PA(pa), &attrs, NW_LEVEL_ANY,
			NULL, &rig->result);
	if (status != (taken ? NW_E_EXISTS : NW_OK))
		fail_msg("%s: map says %s", rig->machine->name,
			 nw_status_name(status));
	for (i = from; !taken && i < from + pages; i++) {
		rig->pa[i] = pa + (uint64_t)(i - from) * 4096;
		rig->prot[i] = (uint8_t)prot;
	}
}

static void step_unmap(struct rig *rig, unsigned from, unsigned pages)
{
	unsigned i;

	assert_int_equal(nw_unmap(&rig->table,
				  NW_IA(rig->base + (uint64_t)from * 4096),
				  (uint64_t)pages * 4096, NULL, &rig->result),
			 NW_OK);
	for (i = from; i < from + pages; i++) {
		rig->pa[i] = NOT_MAPPED;
		rig->written[i] = 0;
	}
}

/* Take the write right, or only the marks; either tells what was written. */
static void step_harvest(struct rig *rig, unsigned from, unsigned pages,
			 int takes_right)
{
	nw_ia_t ia = NW_IA(rig->base + (uint64_t)from * 4096);
	uint64_t bytes = (uint64_t)pages * 4096;
	unsigned i;

	assert_int_equal(
		takes_right ? nw_write_protect(&rig->table, ia, bytes, reported,
					       rig, NULL, &rig->result)
			    : nw_harvest_dirty(&rig->table, ia, bytes, reported,
					       rig, &rig->result),
		NW_OK);
	check_reported(rig, from, pages);
	for (i = from; takes_right && i < from + pages; i++)
		rig->prot[i] &= (uint8_t)~NW_PROT_W;
	/* Nothing is told twice. */
	reports = 0;
	assert_int_equal(nw_harvest_dirty(&rig->table, ia, bytes, count_report,
					  rig, &rig->result),
			 NW_OK);
	assert_int_equal(reports, 0);
}

static void step_age(struct rig *rig, unsigned from, unsigned pages)
{
	nw_ia_t ia = NW_IA(rig->base + (uint64_t)from * 4096);
	uint64_t bytes = (uint64_t)pages * 4096, young;

	assert_int_equal(nw_age(&rig->table, ia, bytes, NW_AGE_CLEAR, &young,
				&rig->result),
			 NW_OK);
	assert_int_equal(nw_age(&rig->table, ia, bytes, NW_AGE_TEST, &young,
				&rig->result),
			 NW_OK);
	/* EPT without these bits: accessed, always. */
	if (rig->machine->ops != &nw_x86_ept_ops ||
	    (rig->machine->features & NW_FEAT_EPT_AD))
		assert_int_equal(young, 0);
}

static const char *step_fold(struct rig *rig)
{
	enum nw_status status;

	do
		status = nw_collapse(&rig->table, NW_IA(rig->base),
				     (uint64_t)WINDOW * 4096, NW_LEVEL_ANY, 100,
				     &rig->result);
	while (status == NW_MORE);
	assert_int_equal(status, NW_OK);
	do
		status = nw_reclaim_tables(&rig->table, NW_IA(rig->base),
					   (uint64_t)WINDOW * 4096, 100,
					   &rig->result);
	while (status == NW_MORE);
	assert_int_equal(status, NW_OK);
	return "collapse";
}

static void step_protect(struct rig *rig, unsigned from, unsigned pages,
			 enum nw_protect how)
{
	unsigned i;

	assert_int_equal(nw_protect(&rig->table,
				    NW_IA(rig->base + (uint64_t)from * 4096),
				    (uint64_t)pages * 4096, how, NW_PROT_W,
				    NULL, &rig->result),
			 NW_OK);
	for (i = from; i < from + pages; i++) {
		if (rig->pa[i] == NOT_MAPPED)
			continue;
		if (how == NW_PROTECT_RELAX)
			rig->prot[i] |= NW_PROT_W;
		else
			rig->prot[i] &= (uint8_t)~NW_PROT_W;
	}
}

static const char *step(struct rig *rig)
{
	unsigned from = below(rig, WINDOW);
	unsigned pages = 1 + below(rig, below(rig, 4) ? 40 : WINDOW);
	enum nw_status status;

	if (!below(rig, 4))
		from &= ~511u;
	if (pages > WINDOW - from)
		pages = WINDOW - from;
	hardware_write(rig, below(rig, WINDOW));
	hardware_write(rig, from);
	switch (below(rig, 11)) {
	case 0:
	case 1:
		step_map(rig, from, pages);
		return "map";
	case 2:
		step_unmap(rig, from, pages);
		return "unmap";
	case 3:
		step_protect(rig, from, pages, NW_PROTECT_RESTRICT);
		return "restrict";
	case 4:
		step_protect(rig, from, pages, NW_PROTECT_RELAX);
		return "relax";
	case 5:
		step_harvest(rig, from, pages, 0);
		return "harvest";
	case 6:
		step_harvest(rig, from, pages, 1);
		return "write-protect";
	case 7:
		step_age(rig, from, pages);
		return "age";
	case 8:
		return step_fold(rig);
	default:
		status = nw_split(&rig->table,
				  NW_IA(rig->base + (uint64_t)from * 4096), 0,
				  NULL, &rig->result);
		assert_int_equal(status, rig->pa[from] == NOT_MAPPED
						 ? NW_E_ABSENT
						 : NW_OK);
		return "split";
	}
}

/* ---- the rig ------------------------------------------------------------ */

static void rig_open(struct rig *rig, const struct machine *m)
{
	struct nw_table_config config = {
		.ops = m->ops,
		.format = {12, m->ia_bits, 46, m->features},
		.port = &rig->arena.ops,
		.port_ctx = &rig->arena,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = m->regime,
	};
	unsigned i;

	memset(rig, 0, sizeof(*rig));
	rig->machine = m;
	rig->seed = 5;
	assert_int_equal(nw_arena_init(&rig->arena, PHYS_BASE, ARENA_PAGES, 12),
			 0);
	if (nw_table_init(&rig->table, &config, &rig->result) != NW_OK)
		fail_msg("%s: %s: %s", m->name,
			 nw_status_name(rig->result.status),
			 rig->result.argument ? rig->result.argument : "-");
	assert_int_equal(rig->table.geo.levels, m->levels);
	/* The last 1 GiB but one of the input addresses. */
	rig->base = (UINT64_C(1) << m->ia_bits) - (UINT64_C(2) << 30);
	for (i = 0; i < WINDOW; i++)
		rig->pa[i] = NOT_MAPPED;
}

static void rig_close(struct rig *rig)
{
	nw_table_destroy(&rig->table);
	if (nw_arena_error(&rig->arena))
		fail_msg("%s: %s", rig->machine->name,
			 nw_arena_error(&rig->arena));
	assert_int_equal(rig->arena.live, 0);
	nw_arena_fini(&rig->arena);
}

#define MACHINES (sizeof(machines) / sizeof(machines[0]))

static void engine_random_operations_agree_with_the_hardware_walk(void **state)
{
	static struct rig rig;
	unsigned n, i;

	(void)state;
	for (n = 0; n < MACHINES; n++) {
		rig_open(&rig, &machines[n]);
		check_window(&rig, "init");
		for (i = 0; i < STEPS; i++)
			check_window(&rig, step(&rig));
		rig_close(&rig);
	}
}

/* The largest leaf of the format is used, and only there. */
static void engine_large_range_takes_the_largest_leaf(void **state)
{
	static struct rig rig;
	unsigned n;

	(void)state;
	for (n = 0; n < MACHINES; n++) {
		const struct machine *m = &machines[n];
		struct nw_attrs attrs = {.prot = NW_PROT_RW,
					 .memtype = NW_MEM_NORMAL_WB,
					 .share = NW_SHARE_INNER,
					 .flags = NW_LEAF_ACCESSED};
		struct nw_mapping found;
		unsigned top = 0;

		rig_open(&rig, m);
		if (!can_withhold_exec(m))
			attrs.prot |= (uint8_t)exec_prot(m);
		while (rig.table.geo.leaf_levels >> (top + 1) &&
		       12 + 9 * (top + 1) < 46)
			top++;
		assert_int_equal(nw_map(&rig.table, NW_IA(0),
					UINT64_C(1) << (12 + 9 * top), NW_PA(0),
					&attrs, NW_LEVEL_ANY, NULL,
					&rig.result),
				 NW_OK);
		assert_int_equal(nw_lookup(&rig.table, NW_IA(0x5432), &found),
				 NW_OK);
		assert_int_equal(found.level, top);
		assert_true(found.pa.v == 0x5432);
		assert_true(walk_to(&rig, 0x5432).pa == 0x5432);
		assert_int_equal(nw_split(&rig.table, NW_IA(0x5000), 0, NULL,
					  &rig.result),
				 NW_OK);
		assert_true(walk_to(&rig, 0x5432).pa == 0x5432);
		assert_true(walk_to(&rig, 0x6789).pa == 0x6789);
		rig_close(&rig);
	}
}

/* 512 pages, one of them written, become one leaf that is dirty. */
static void
engine_collapse_makes_one_leaf_and_keeps_what_was_written(void **state)
{
	static struct rig rig;
	unsigned n, i;

	(void)state;
	for (n = 0; n < MACHINES; n++) {
		const struct machine *m = &machines[n];
		struct nw_attrs attrs = {.prot = NW_PROT_RW,
					 .memtype = NW_MEM_NORMAL_WB,
					 .share = NW_SHARE_INNER,
					 .flags = NW_LEAF_ACCESSED};
		struct nw_mapping found;
		uint64_t pages;

		rig_open(&rig, m);
		if (!can_withhold_exec(m))
			attrs.prot |= (uint8_t)exec_prot(m);
		pages = rig.arena.live;
		assert_int_equal(nw_map(&rig.table, NW_IA(rig.base), 512 * 4096,
					NW_PA(0x80000000), &attrs, 0, NULL,
					&rig.result),
				 NW_OK);
		for (i = 0; i < 512; i++) {
			rig.pa[i] = 0x80000000 + (uint64_t)i * 4096;
			rig.prot[i] = attrs.prot;
		}
		check_window(&rig, "map");
		hardware_write(&rig, 77);
		(void)step_fold(&rig);
		check_window(&rig, "collapse");
		assert_int_equal(nw_lookup(&rig.table, NW_IA(rig.base), &found),
				 NW_OK);
		if (found.level != 1)
			fail_msg("%s: level %u", m->name, found.level);
		/* The root, and one table for each level above. */
		assert_int_equal(rig.arena.live, pages + m->levels - 2u);
		step_harvest(&rig, 0, 512, 0);
		rig_close(&rig);
	}
}

/* All members of a run hold one address. */
static void engine_lookup_in_napot_run_finds_each_page(void **state)
{
	static struct rig rig;
	unsigned n, i;

	(void)state;
	for (n = 0; n < MACHINES; n++) {
		if (!(machines[n].features & NW_FEAT_SVNAPOT))
			continue;
		rig_open(&rig, &machines[n]);
		step_map(&rig, 0, 16);
		for (i = 0; i < 16; i++) {
			uint64_t *word =
				leaf_word(&rig, rig.base + (uint64_t)i * 4096);

			*word = (*word & ~UINT64_C(0x3c00)) | 0x2000 |
				UINT64_C(1) << 63;
			rig.pa[i] =
				(rig.pa[0] & ~0xffffull) + (uint64_t)i * 4096;
		}
		check_window(&rig, "forming a run");
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			engine_random_operations_agree_with_the_hardware_walk),
		cmocka_unit_test(engine_large_range_takes_the_largest_leaf),
		cmocka_unit_test(engine_lookup_in_napot_run_finds_each_page),
		cmocka_unit_test(
			engine_collapse_makes_one_leaf_and_keeps_what_was_written),
	};

	return cmocka_run_group_tests_name("format/engines", tests, NULL, NULL);
}
