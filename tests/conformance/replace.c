/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Annotations, replacing pages, mapping over what is mapped, unmapping with
 * harvest: in every format, configuration and mode, against the flat model.
 */
#include "place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define OWNER 0x2a
#define OTHER 0x15

/* ---- both, table and model ------------------------------------------------
 */

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

static void flat_put(struct rig *rig, const struct flat_span *span)
{
	flat_unmap(&rig->flat, span->start, span->end);
	flat_map(&rig->flat, span);
}

/* With exactly the pages that are promised to be enough. */
static void annotate_both(struct rig *rig, uint64_t start, uint64_t end,
			  uint64_t value)
{
	struct flat_span span = {
		.start = start, .end = end, .annotation = value};
	struct nw_page_cache cache = {0};

	rig_forget(rig);
	rig_expect(rig,
		   nw_cache_topup(&rig->table, &cache,
				  nw_break_pages_max(&rig->table)),
		   NW_OK);
	rig->fail_allocs = 1;
	rig_expect(rig,
		   nw_annotate(&rig->table, NW_IA(start), end - start, value,
			       NULL, &cache, NULL),
		   NW_OK);
	rig->fail_allocs = 0;
	nw_cache_drain(&rig->table, &cache);
	flat_put(rig, &span);
	rig_check(rig);
}

static void clear_both(struct rig *rig, uint64_t start, uint64_t end)
{
	rig_expect(rig,
		   nw_annotate(&rig->table, NW_IA(start), end - start, 0, NULL,
			       NULL, NULL),
		   NW_OK);
	flat_clear(&rig->flat, start, end);
	rig_check(rig);
}

static uint64_t middle(const struct place *p)
{
	return p->ia + p->span / 2 / p->granule * p->granule;
}

static void expect_level(struct rig *rig, uint64_t ia, unsigned level)
{
	struct nw_mapping m;

	rig_expect(rig, nw_lookup(&rig->table, NW_IA(ia), &m), NW_OK);
	if (m.level != level)
		rig_fail(rig, "%#llx: level %u, expected %u",
			 (unsigned long long)ia, m.level, level);
}

/* ---- annotations -----------------------------------------------------------
 */

static void scenario_annotate(struct rig *rig, const struct place *p)
{
	const uint64_t at = middle(p), end = at + p->granule;
	struct nw_result result;

	rig->step = "annotate nothing";
	annotate_both(rig, p->ia, p->ia + p->span, OWNER);
	expect_level(rig, p->ia, p->level);
	rig->step = "map over it";
	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(p->ia), p->span, NW_PA(p->pa),
			  &p->attrs, NW_LEVEL_ANY, NULL, &result),
		   NW_E_EXISTS);
	rig->step = "annotate a granule of it otherwise";
	annotate_both(rig, at, end, OTHER);
	rig->step = "clear that";
	clear_both(rig, at, end);
	rig->step = "unmap a granule of it";
	rig_expect(rig,
		   nw_unmap(&rig->table, NW_IA(p->ia), p->granule, NULL, NULL),
		   NW_OK);
	flat_unmap(&rig->flat, p->ia, p->ia + p->granule);
	rig_check(rig);
	rig->step = "annotate all of it, tables go";
	annotate_both(rig, p->ia, place_end(p), OTHER);
	expect_level(rig, p->ia, p->level);
	rig->step = "clear all of it";
	clear_both(rig, 0, UINT64_C(1) << rig->config.ia_bits);
}

static void scenario_annotate_mapped(struct rig *rig, const struct place *p)
{
	const uint64_t at = middle(p), end = at + p->granule;

	map_both(rig, p->ia, p->leaves * p->span, p->pa, &p->attrs, p->level);
	rig->step = "annotate a mapped granule";
	annotate_both(rig, at, end, OWNER);
	if (!rig_flushed(rig, at, end))
		rig_fail(rig, "what was mapped is not flushed");
	rig->step = "clearing lets leaves be";
	clear_both(rig, p->ia, place_end(p));
	rig->step = "annotate all";
	annotate_both(rig, p->ia, place_end(p), OWNER);
	if (!rig_flushed(rig, p->ia, at) ||
	    !rig_flushed(rig, end, place_end(p)))
		rig_fail(rig, "not all of it was flushed");
	expect_level(rig, p->ia, p->level);
	rig->step = "annotate the whole input";
	annotate_both(rig, 0, UINT64_C(1) << rig->config.ia_bits,
		      (UINT64_C(1) << rig->ops->annotation_bits) - 1);
	expect_level(rig, p->ia, rig->geo->levels - 1u);
	if (rig->pages_out != UINT64_C(1) << rig->geo->root_pages_lg2)
		rig_fail(rig, "tables are left");
}

static void scenario_annotate_expected(struct rig *rig, const struct place *p)
{
	const struct nw_expected nothing = {.what = NW_EXPECT_NOTHING},
				 none = {.what = NW_EXPECT_NO_ANNOTATION},
				 mapped = {.what = NW_EXPECT_MAPPED},
				 owner = {NW_EXPECT_ANNOTATION, OWNER};
	const uint64_t size = place_end(p) - p->ia,
		       last = place_end(p) - p->granule;
	struct nw_table *t = &rig->table;
	struct nw_result r;

#define ANNOTATE(value, expected)                                              \
	nw_annotate(t, NW_IA(p->ia), size, value, expected, NULL, &r)
	rig->step = "all is empty";
	rig_expect(rig, ANNOTATE(OWNER, &mapped), NW_E_MISMATCH);
	rig_expect(rig, ANNOTATE(OWNER, &owner), NW_E_MISMATCH);
	rig_expect(rig, nw_check_range(t, NW_IA(p->ia), size, &none, NULL),
		   NW_OK);
	rig_check(rig);
	rig->step = "the last granule is annotated";
	annotate_both(rig, last, place_end(p), OWNER);
	rig_expect(rig, ANNOTATE(OTHER, &nothing), NW_E_MISMATCH);
	if (r.reached != last ||
	    !nw_mapping_annotation(t, &(struct nw_mapping){.entry = r.entry}))
		rig_fail(rig, "reached %#llx", (unsigned long long)r.reached);
	rig_expect(rig, ANNOTATE(OTHER, &none), NW_E_MISMATCH);
	rig_check(rig);
	rig->step = "all is annotated";
	annotate_both(rig, p->ia, place_end(p), OWNER);
	rig_expect(rig, ANNOTATE(OTHER, &owner), NW_OK);
	flat_put(rig, &(struct flat_span){.start = p->ia,
					  .end = place_end(p),
					  .annotation = OTHER});
	rig_check(rig);
	rig_expect(rig, ANNOTATE(0, &owner), NW_E_MISMATCH);
	rig_check(rig);
	clear_both(rig, p->ia, place_end(p));
	rig->step = "all is mapped";
	map_both(rig, p->ia, size, p->pa, &p->attrs, p->level);
	rig_expect(rig, ANNOTATE(OTHER, &nothing), NW_E_MISMATCH);
	rig_expect(rig, nw_check_range(t, NW_IA(p->ia), size, &mapped, NULL),
		   NW_OK);
	rig_check(rig);
	rig_expect(rig, ANNOTATE(OTHER, &none), NW_OK);
	flat_put(rig, &(struct flat_span){.start = p->ia,
					  .end = place_end(p),
					  .annotation = OTHER});
	rig_check(rig);
#undef ANNOTATE
}

/* ---- replacing
 * --------------------------------------------------------------- */

struct told {
	struct rig *rig;
	uint64_t next_ia, next_pa, dirty_bytes;
};

static void on_replaced(void *arg, const struct nw_replaced *was)
{
	struct told *t = arg;
	uint64_t span = UINT64_C(1)
			<< nw_span_lg2(t->rig->geo, was->mapping.level);

	if (was->mapping.base.v != t->next_ia ||
	    was->mapping.pa.v != t->next_pa)
		rig_fail(t->rig, "told of %#llx at %#llx, expected %#llx %#llx",
			 (unsigned long long)was->mapping.pa.v,
			 (unsigned long long)was->mapping.base.v,
			 (unsigned long long)t->next_pa,
			 (unsigned long long)t->next_ia);
	if (!rig_flushed(t->rig, t->next_ia, t->next_ia + span))
		rig_fail(t->rig, "told before the flush");
	t->next_ia += span;
	t->next_pa += span;
	t->dirty_bytes += was->is_dirty ? span : 0;
}

static void replace_both(struct rig *rig, const struct place *p, uint64_t start,
			 uint64_t end, uint64_t pa,
			 const struct nw_attrs *attrs)
{
	struct flat_span span = {start, end, pa, *attrs, 0, 0};
	struct told told = {rig, start, flat_at(&rig->flat, start)->pa, 0};

	told.next_pa += start - flat_at(&rig->flat, start)->start;
	rig_forget(rig);
	rig_expect(rig,
		   nw_replace(&rig->table, NW_IA(start), end - start, NW_PA(pa),
			      attrs, on_replaced, &told, NULL, NULL),
		   NW_OK);
	if (told.next_ia != end)
		rig_fail(rig, "told up to %#llx",
			 (unsigned long long)told.next_ia);
	if (told.dirty_bytes != (flat_is_dirty(&p->attrs) ? end - start : 0))
		rig_fail(rig, "%#llx bytes were dirty",
			 (unsigned long long)told.dirty_bytes);
	flat_put(rig, &span);
	rig_check(rig);
}

static void scenario_replace(struct rig *rig, const struct place *p)
{
	const uint64_t at = middle(p), size = place_end(p) - p->ia;
	struct nw_attrs less = p->attrs;
	struct nw_result r;

	map_both(rig, p->ia, size, p->pa, &p->attrs, p->level);
	rig->step = "replace a granule";
	replace_both(rig, p, at, at + p->granule, p->pa, &p->attrs);
	rig->step = "and back";
	replace_both(rig, p, at, at + p->granule, p->pa + (at - p->ia),
		     &p->attrs);
	rig->step = "other rights in the same place";
	less.prot &= (uint8_t)~NW_PROT_W;
	less.flags &= (uint16_t) ~(NW_LEAF_DIRTY | NW_LEAF_DBM);
	replace_both(rig, p, at, at + p->granule, p->pa + (at - p->ia), &less);
	rig->step = "over a hole";
	rig_expect(rig,
		   nw_unmap(&rig->table, NW_IA(at), p->granule, NULL, NULL),
		   NW_OK);
	flat_unmap(&rig->flat, at, at + p->granule);
	rig_expect(rig,
		   nw_replace(&rig->table, NW_IA(p->ia), size, NW_PA(p->pa),
			      &less, NULL, NULL, NULL, &r),
		   NW_E_ABSENT);
	if (r.reached != at)
		rig_fail(rig, "reached %#llx", (unsigned long long)r.reached);
	rig_check(rig);
}

/* Whole leaves: to where they are aligned, and to where they are not. */
static void scenario_replace_leaves(struct rig *rig, const struct place *p)
{
	const uint64_t other = p->pa + (p->leaves - 1) * p->span;

	map_both(rig, p->ia, p->leaves * p->span, p->pa, &p->attrs, p->level);
	rig->step = "replace a whole leaf";
	replace_both(rig, p, p->ia, p->ia + p->span, other, &p->attrs);
	if (rig_level(rig, p->ia) != p->level)
		rig_fail(rig, "level %u", rig_level(rig, p->ia));
	if (!p->level || p->span >> 26)
		return;
	rig->step = "where it is not aligned";
	replace_both(rig, p, p->ia, p->ia + p->span, p->pa + p->granule,
		     &p->attrs);
	if (rig_level(rig, p->ia) != 0)
		rig_fail(rig, "level %u", rig_level(rig, p->ia));
}

/* ---- mapping over
 * -------------------------------------------------------------- */

static void add_bytes(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)ia;
	*(uint64_t *)arg += size_bytes;
}

static void remap_both(struct rig *rig, uint64_t start, uint64_t end,
		       uint64_t pa, const struct nw_attrs *attrs,
		       unsigned max_level, uint64_t *dirty)
{
	struct flat_span span = {start, end, pa, *attrs, 0, 0};
	struct nw_page_cache cache = {0};
	uint64_t need = nw_map_pages_max(&rig->table, NW_IA(start), end - start,
					 NW_PA(pa), max_level) +
			nw_break_pages_max(&rig->table);

	*dirty = 0;
	rig_forget(rig);
	rig_expect(rig, nw_cache_topup(&rig->table, &cache, (unsigned)need),
		   NW_OK);
	rig->fail_allocs = 1;
	rig_expect(rig,
		   nw_remap(&rig->table, NW_IA(start), end - start, NW_PA(pa),
			    attrs, max_level, add_bytes, dirty, &cache, NULL),
		   NW_OK);
	rig->fail_allocs = 0;
	nw_cache_drain(&rig->table, &cache);
	flat_put(rig, &span);
	rig_check(rig);
}

static void scenario_remap(struct rig *rig, const struct place *p)
{
	const uint64_t at = middle(p), size = place_end(p) - p->ia;
	const uint64_t all = flat_is_dirty(&p->attrs) ? size : 0;
	uint64_t dirty;

	rig->step = "into nothing";
	remap_both(rig, p->ia, place_end(p), p->pa, &p->attrs, p->level,
		   &dirty);
	expect_level(rig, p->ia, p->level);
	if (dirty)
		rig_fail(rig, "nothing was dirty");
	rig->step = "a granule in the middle";
	remap_both(rig, at, at + p->granule, p->pa, &p->attrs, NW_LEVEL_ANY,
		   &dirty);
	rig->step = "an annotation";
	annotate_both(rig, at, at + p->granule, OWNER);
	rig->step = "over all of it, tables go";
	remap_both(rig, p->ia, place_end(p), p->pa, &p->attrs, p->level,
		   &dirty);
	expect_level(rig, p->ia, p->level);
	if (!rig_flushed(rig, p->ia, at) ||
	    !rig_flushed(rig, at + p->granule, place_end(p)))
		rig_fail(rig, "not all of it was flushed");
	if (dirty != (all ? size - p->granule : 0))
		rig_fail(rig, "%#llx bytes were dirty",
			 (unsigned long long)dirty);
	if (!p->level || p->span >> 26)
		return;
	rig->step = "by smaller leaves";
	remap_both(rig, p->ia, p->ia + p->span, p->pa + p->granule, &p->attrs,
		   NW_LEVEL_ANY, &dirty);
	expect_level(rig, p->ia, 0);
	if (dirty != (all ? p->span : 0))
		rig_fail(rig, "%#llx bytes were dirty",
			 (unsigned long long)dirty);
}

/* ---- harvest
 * -------------------------------------------------------------------- */

static void scenario_unmap_dirty(struct rig *rig, const struct place *p)
{
	const uint64_t at = middle(p), limit = UINT64_C(1)
					       << rig->config.ia_bits;
	const int has = flat_is_dirty(&p->attrs);
	uint64_t dirty = 0, size = place_end(p) - p->ia;

	map_both(rig, p->ia, size, p->pa, &p->attrs, p->level);
	rig->step = "harvest a granule";
	rig_forget(rig);
	rig_expect(rig,
		   nw_unmap_dirty(&rig->table, NW_IA(at), p->granule, add_bytes,
				  &dirty, NULL, NULL),
		   NW_OK);
	flat_unmap(&rig->flat, at, at + p->granule);
	rig_check(rig);
	if (dirty != (has ? p->granule : 0) ||
	    !rig_flushed(rig, at, at + p->granule))
		rig_fail(rig, "%#llx bytes were dirty",
			 (unsigned long long)dirty);
	rig->step = "harvest whole tables";
	dirty = 0;
	rig_expect(rig,
		   nw_unmap_dirty(&rig->table, NW_IA(0), limit, add_bytes,
				  &dirty, NULL, NULL),
		   NW_OK);
	flat_unmap(&rig->flat, 0, limit);
	rig_check(rig);
	if (dirty != (has ? size - p->granule : 0))
		rig_fail(rig, "%#llx bytes were dirty",
			 (unsigned long long)dirty);
}

/* ---- running them
 * ---------------------------------------------------------------- */

#define SCENARIO(name)                                                         \
	static void name##_agrees_with_flat_model(void **state)                \
	{                                                                      \
		(void)state;                                                   \
		place_run(scenario_##name);                                    \
	}
SCENARIO(annotate)
SCENARIO(annotate_mapped)
SCENARIO(annotate_expected)
SCENARIO(replace)
SCENARIO(replace_leaves)
SCENARIO(remap)
SCENARIO(unmap_dirty)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(annotate_agrees_with_flat_model),
		cmocka_unit_test(annotate_mapped_agrees_with_flat_model),
		cmocka_unit_test(annotate_expected_agrees_with_flat_model),
		cmocka_unit_test(replace_agrees_with_flat_model),
		cmocka_unit_test(replace_leaves_agrees_with_flat_model),
		cmocka_unit_test(remap_agrees_with_flat_model),
		cmocka_unit_test(unmap_dirty_agrees_with_flat_model),
	};

	return cmocka_run_group_tests_name("conformance_replace", tests, NULL,
					   NULL);
}
