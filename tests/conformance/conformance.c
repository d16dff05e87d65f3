/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every format of the build, in every configuration (rig.c), at every leaf
 * level: does the engine do with it what a flat model says? One test a format
 * and scenario; nothing here knows a format.
 */
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- helpers ----------------------------------------------------------- */

static void map_both(struct rig *rig, uint64_t ia, uint64_t size, uint64_t pa,
		     const struct nw_attrs *attrs, unsigned max_level)
{
	struct flat_span span = {ia, ia + size, pa, *attrs, 0, 0};

	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(ia), size, NW_PA(pa), attrs,
			  max_level, NULL, NULL),
		   NW_OK);
	flat_map(&rig->flat, &span);
}

static void map_place(struct rig *rig, const struct place *p)
{
	rig->step = "map";
	map_both(rig, p->ia, p->leaves * p->span, p->pa, &p->attrs, p->level);
	rig_check(rig);
	for (unsigned i = 0; i < p->leaves; i++) {
		if (rig_level(rig, p->ia + i * p->span) != p->level)
			rig_fail(rig, "level %u, asked for %u",
				 rig_level(rig, p->ia + i * p->span), p->level);
	}
}

static void unmap_both(struct rig *rig, uint64_t start, uint64_t end)
{
	rig_forget(rig);
	rig_expect(rig,
		   nw_unmap(&rig->table, NW_IA(start), end - start, NULL, NULL),
		   NW_OK);
	flat_unmap(&rig->flat, start, end);
	rig_check(rig);
}

/* ---- scenarios --------------------------------------------------------- */

static void scenario_map_unmap(struct rig *rig, const struct place *p)
{
	struct nw_result result;

	map_place(rig, p);
	rig->step = "map over it";
	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(p->ia), p->granule, NW_PA(p->pa),
			  &p->attrs, NW_LEVEL_ANY, NULL, &result),
		   NW_E_EXISTS);
	rig_check(rig);
	rig->step = "unmap";
	unmap_both(rig, p->ia, place_end(p));
	if (!rig_flushed(rig, p->ia, place_end(p)))
		rig_fail(rig, "not all of it was flushed");
	rig->step = "unmap again";
	unmap_both(rig, p->ia, place_end(p));
}

static void scenario_hole_in_leaf(struct rig *rig, const struct place *p)
{
	/* A granule in the middle; at level 0 the leaf itself. */
	uint64_t hole = p->ia + p->span / 2 / p->granule * p->granule;

	map_place(rig, p);
	rig->step = "unmap a granule";
	unmap_both(rig, hole, hole + p->granule);
	if (!rig_flushed(rig, hole, hole + p->granule))
		rig_fail(rig, "the hole was not flushed");
	rig->step = "fill it with something else";
	map_both(rig, hole, p->granule, p->pa, &p->attrs, NW_LEVEL_ANY);
	rig_check(rig);
	rig->step = "unmap all";
	unmap_both(rig, p->ia, place_end(p));
	rig->step = "reclaim";
	rig_expect(rig,
		   nw_reclaim_tables(&rig->table, NW_IA(0),
				     UINT64_C(1) << rig->config.ia_bits,
				     1u << 20, NULL),
		   NW_OK);
	if (rig->pages_out != UINT64_C(1) << rig->geo->root_pages_lg2)
		rig_fail(rig, "%llu pages are left",
			 (unsigned long long)rig->pages_out);
	rig_check(rig);
}

static void scenario_protect(struct rig *rig, const struct place *p)
{
	uint64_t at = p->ia + p->span / 2 / p->granule * p->granule;

	map_place(rig, p);
	rig->step = "take the write right of a granule";
	rig_forget(rig);
	rig_expect(rig,
		   nw_protect(&rig->table, NW_IA(at), p->granule,
			      NW_PROTECT_RESTRICT, NW_PROT_W, NULL, NULL),
		   NW_OK);
	flat_each(&rig->flat, at, at + p->granule, flat_without_write, NULL);
	rig_check(rig);
	if (!rig_flushed(rig, at, at + p->granule))
		rig_fail(rig, "what was narrowed is not flushed");
	rig->step = "give it back";
	rig_expect(rig,
		   nw_protect(&rig->table, NW_IA(at), p->granule,
			      NW_PROTECT_RELAX, NW_PROT_W, NULL, NULL),
		   NW_OK);
	flat_each(&rig->flat, at, at + p->granule, flat_with_write, NULL);
	rig_check(rig);
	rig->step = "write-protect all";
	rig_expect(rig,
		   nw_write_protect(&rig->table, NW_IA(p->ia),
				    place_end(p) - p->ia, NULL, NULL, NULL,
				    NULL),
		   NW_OK);
	flat_each(&rig->flat, p->ia, place_end(p), flat_write_protected, NULL);
	rig_check(rig);
}

/* Is there an accessed state, or is every leaf taken for accessed? */
static int is_ageing(const struct rig *rig, const struct place *p)
{
	struct nw_attrs old = p->attrs;
	nw_entry_t entry;

	old.flags &= (uint16_t)~NW_LEAF_ACCESSED;
	return rig->ops->encode_leaf(rig->geo, p->level, NW_PA(p->pa), &old,
				     &entry) == NW_OK;
}

/* More leaves than a loop takes at a time, all of them dirty. */
static void scenario_many_dirty(struct rig *rig, const struct place *p)
{
	const uint64_t size = 24 * p->granule;
	uint64_t dirty = 0, ia;

	if (p->level || p->ia < size)
		return;
	ia = p->ia - size;
	rig->step = "harvest many";
	map_both(rig, ia, size, size, &p->attrs, 0);
	rig_expect(rig,
		   nw_harvest_dirty(&rig->table, NW_IA(ia), size,
				    flat_count_bytes, &dirty, NULL),
		   NW_OK);
	if (dirty != (flat_is_dirty(&p->attrs) ? size : 0))
		rig_fail(rig, "%#llx bytes are dirty",
			 (unsigned long long)dirty);
	flat_each(&rig->flat, ia, ia + size, flat_make_clean, NULL);
	rig_check(rig);
}

static void scenario_state(struct rig *rig, const struct place *p)
{
	uint64_t size = place_end(p) - p->ia, dirty = 0, young = 0;
	int was_accessed =
		(p->attrs.flags & NW_LEAF_ACCESSED) && is_ageing(rig, p);

	map_place(rig, p);
	rig->step = "harvest";
	rig_forget(rig);
	rig_expect(rig,
		   nw_harvest_dirty(&rig->table, NW_IA(p->ia), size,
				    flat_count_bytes, &dirty, NULL),
		   NW_OK);
	if (dirty != (flat_is_dirty(&p->attrs) ? size : 0))
		rig_fail(rig, "%#llx bytes are dirty",
			 (unsigned long long)dirty);
	if (dirty && !rig_flushed(rig, p->ia, place_end(p)))
		rig_fail(rig, "what was cleaned is not flushed");
	flat_each(&rig->flat, p->ia, place_end(p), flat_make_clean, NULL);
	rig_check(rig);
	rig->step = "age";
	rig_expect(rig,
		   nw_age(&rig->table, NW_IA(p->ia), size, NW_AGE_CLEAR, &young,
			  NULL),
		   NW_OK);
	if (young != (was_accessed ? p->leaves : 0))
		rig_fail(rig, "%llu leaves are young",
			 (unsigned long long)young);
	if (was_accessed)
		flat_each(&rig->flat, p->ia, place_end(p), flat_make_old, NULL);
	rig_check(rig);
}

static void scenario_split_collapse(struct rig *rig, const struct place *p)
{
	unsigned level = p->level;

	map_place(rig, p);
	rig->step = "split";
	while (level && !(rig->geo->leaf_levels >> --level & 1))
		;
	rig_expect(rig, nw_split(&rig->table, NW_IA(p->ia), level, NULL, NULL),
		   NW_OK);
	rig_check(rig);
	if (rig_level(rig, p->ia) != level)
		rig_fail(rig, "level %u after the split",
			 rig_level(rig, p->ia));
	rig->step = "split range";
	if (p->span >> 26 == 0) {
		rig_expect(rig,
			   nw_split_range(&rig->table, NW_IA(p->ia),
					  place_end(p) - p->ia, 0, 1u << 20,
					  NULL, NULL),
			   NW_OK);
		rig_check(rig);
		if (rig_level(rig, place_end(p) - 1) != 0)
			rig_fail(rig, "not split to pages");
	}
	rig->step = "collapse";
	rig_expect(rig,
		   nw_collapse(&rig->table, NW_IA(p->ia), place_end(p) - p->ia,
			       NW_LEVEL_ANY, 1u << 20, NULL),
		   NW_OK);
	rig_check(rig);
	if (rig_level(rig, p->ia) != p->level)
		rig_fail(rig, "level %u after the collapse, it was %u",
			 rig_level(rig, p->ia), p->level);
}

/* Pages left and right of a leaf: three sizes in one call, and exactly the
 * table pages that nw_map_pages_max() says. */
static void scenario_worst_alignment(struct rig *rig, const struct place *p)
{
	struct nw_page_cache cache = {0};
	uint64_t ia = p->ia + p->span - p->granule;
	uint64_t size = p->granule + (p->leaves - 1) * p->span;
	uint64_t pa = p->pa + p->span - p->granule, need;
	struct flat_span span = {ia, ia + size, pa, p->attrs, 0, 0};

	rig->step = "map across";
	if (p->leaves > 1)
		span.end = ia + (size -= p->granule);
	need = nw_map_pages_max(&rig->table, NW_IA(ia), size, NW_PA(pa),
				NW_LEVEL_ANY);
	rig_expect(rig, nw_cache_topup(&rig->table, &cache, (unsigned)need),
		   NW_OK);
	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(ia), size, NW_PA(pa), &p->attrs,
			  NW_LEVEL_ANY, &cache, NULL),
		   NW_OK);
	flat_map(&rig->flat, &span);
	if (cache.pages)
		rig_fail(rig, "%u of %llu pages are left", cache.pages,
			 (unsigned long long)need);
	rig_check(rig);
	rig->step = "map shifted"; /* nothing but pages fits */
	unmap_both(rig, ia, span.end);
	if (p->level && p->span >> 26 == 0) {
		map_both(rig, p->ia, p->span, p->pa + p->granule, &p->attrs,
			 NW_LEVEL_ANY);
		rig_check(rig);
		if (rig_level(rig, p->ia) != 0)
			rig_fail(rig, "level %u", rig_level(rig, p->ia));
	}
}

/* Steps of one page: each frees something, and the last leaves the root. */
static void scenario_teardown(struct rig *rig, const struct place *p)
{
	enum nw_status status;
	unsigned steps = 0;

	map_place(rig, p);
	rig->step = "teardown";
	rig_forget(rig);
	do {
		uint64_t before = rig->pages_out;

		status = nw_table_teardown_step(&rig->table, 1);
		if (status == NW_MORE && rig->pages_out == before)
			rig_fail(rig, "a step freed nothing");
	} while (status == NW_MORE && ++steps < 1000);
	rig_expect(rig, status, NW_OK);
	flat_unmap(&rig->flat, p->ia, place_end(p));
	rig_check(rig);
	if (rig->pages_out != UINT64_C(1) << rig->geo->root_pages_lg2)
		rig_fail(rig, "%llu pages are left",
			 (unsigned long long)rig->pages_out);
	if (!rig_flushed(rig, p->ia, place_end(p)))
		rig_fail(rig, "not all of it was flushed");
}

#define REFUSED(call, expected)                                                \
	do {                                                                   \
		rig->step = #call;                                             \
		rig_expect(rig, call, expected);                               \
	} while (0)

static void scenario_refusals(struct rig *rig, const struct place *p)
{
	const uint64_t limit = UINT64_C(1) << rig->config.ia_bits;
	const uint64_t oa_limit = UINT64_C(1) << rig->config.oa_bits;
	const uint64_t g = p->granule;
	struct nw_attrs none = p->attrs, bad = p->attrs;
	struct nw_table *t = &rig->table;
	struct nw_mapping m;

	none.prot = 0;
	bad.memtype = NW_MEM_COUNT;
#define MAP(ia, size, pa, attrs, level)                                        \
	nw_map(t, NW_IA(ia), size, NW_PA(pa), attrs, level, NULL, NULL)
	REFUSED(MAP(0, 0, 0, &p->attrs, NW_LEVEL_ANY), NW_E_EMPTY);
	REFUSED(MAP(8, g, 0, &p->attrs, NW_LEVEL_ANY), NW_E_MISALIGNED);
	REFUSED(MAP(0, g - 8, 0, &p->attrs, NW_LEVEL_ANY), NW_E_MISALIGNED);
	REFUSED(MAP(0, g, g / 2, &p->attrs, NW_LEVEL_ANY), NW_E_MISALIGNED);
	REFUSED(MAP(g, UINT64_MAX - g + 1, 0, &p->attrs, NW_LEVEL_ANY),
		NW_E_OVERFLOW);
	REFUSED(MAP(limit, g, 0, &p->attrs, NW_LEVEL_ANY), NW_E_IA_RANGE);
	REFUSED(MAP(limit - g, 2 * g, 0, &p->attrs, NW_LEVEL_ANY),
		NW_E_IA_RANGE);
	REFUSED(MAP(0, g, oa_limit, &p->attrs, NW_LEVEL_ANY), NW_E_OA_RANGE);
	REFUSED(MAP(0, 2 * g, oa_limit - g, &p->attrs, NW_LEVEL_ANY),
		NW_E_OA_RANGE);
	REFUSED(MAP(0, g, 0, &none, NW_LEVEL_ANY), NW_E_ATTRS);
	REFUSED(MAP(0, g, 0, &bad, NW_LEVEL_ANY), NW_E_ATTRS);
	REFUSED(MAP(0, g, 0, &p->attrs, rig->geo->levels), NW_E_LEVEL);
	REFUSED(MAP(0, g, 0, NULL, NW_LEVEL_ANY), NW_E_NULL);
	REFUSED(nw_unmap(t, NW_IA(0), 0, NULL, NULL), NW_E_EMPTY);
	REFUSED(nw_unmap(t, NW_IA(limit), g, NULL, NULL), NW_E_IA_RANGE);
	REFUSED(nw_split(t, NW_IA(p->ia), 0, NULL, NULL), NW_E_ABSENT);
	REFUSED(nw_lookup(t, NW_IA(limit), &m), NW_E_IA_RANGE);
	REFUSED(nw_lookup(t, NW_IA(0), NULL), NW_E_NULL);
	REFUSED(nw_table_teardown_step(t, 0), NW_E_EMPTY);
#undef MAP
	rig_check(rig);
	if (rig->pages_out != UINT64_C(1) << rig->geo->root_pages_lg2)
		rig_fail(rig, "a refusal took pages");
}

/* Two members of a contiguous run: each where it was asked for, or refused. */
static void scenario_run_members(struct rig *rig, const struct place *p)
{
	const uint64_t g = p->granule;
	struct nw_attrs member = p->attrs;
	struct nw_table *t = &rig->table;
	struct nw_mapping m;
	enum nw_status status;

	member.flags |= NW_LEAF_CONTIG;
	status = nw_map(t, NW_IA(0), 2 * g, NW_PA(0), &member, 0, NULL, NULL);
	if (status == NW_E_ATTRS)
		return;
	if (status)
		rig_fail(rig, "%s", nw_status_name(status));
	if (nw_lookup(t, NW_IA(g), &m) || m.pa.v != g)
		rig_fail(rig, "the second member is somewhere else");
	if (nw_unmap(t, NW_IA(0), 2 * g, NULL, NULL))
		rig_fail(rig, "they cannot be unmapped");
}

/* ---- running them ------------------------------------------------------- */

#define SCENARIO(name)                                                         \
	static void name##_agrees_with_flat_model(void **state)                \
	{                                                                      \
		(void)state;                                                   \
		place_run(scenario_##name);                                    \
	}
SCENARIO(map_unmap)
SCENARIO(hole_in_leaf)
SCENARIO(protect)
SCENARIO(state)
SCENARIO(many_dirty)
SCENARIO(split_collapse)
SCENARIO(worst_alignment)
SCENARIO(teardown)
SCENARIO(refusals)
SCENARIO(run_members)

/* Names and identities: no two formats are taken for one another. */
static void formats_are_told_apart(void **state)
{
	const struct nw_format_ops *const *a, *const *b;

	(void)state;
	for (a = nw_all_formats; *a; a++) {
		assert_in_range((*a)->trace_id, 1, NW_FORMAT_ID_COUNT - 1);
		assert_true((*a)->regimes);
		for (b = nw_all_formats; b < a; b++)
			assert_string_not_equal((*a)->name, (*b)->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_told_apart),
		cmocka_unit_test(map_unmap_agrees_with_flat_model),
		cmocka_unit_test(hole_in_leaf_agrees_with_flat_model),
		cmocka_unit_test(protect_agrees_with_flat_model),
		cmocka_unit_test(state_agrees_with_flat_model),
		cmocka_unit_test(many_dirty_agrees_with_flat_model),
		cmocka_unit_test(split_collapse_agrees_with_flat_model),
		cmocka_unit_test(worst_alignment_agrees_with_flat_model),
		cmocka_unit_test(teardown_agrees_with_flat_model),
		cmocka_unit_test(refusals_agrees_with_flat_model),
		cmocka_unit_test(run_members_agrees_with_flat_model),
	};

	return cmocka_run_group_tests_name("conformance", tests, NULL, NULL);
}
