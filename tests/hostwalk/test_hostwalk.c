// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading a host's table (nestwalk/hostwalk.h), the host being each format of
 * the build in each configuration of the conformance suite.
 */
#include "../conformance/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <nestwalk/hostwalk.h>

/* ---- a host -----------------------------------------------------------------
 */

static unsigned held, holds;

static void hold(void *ctx)
{
	assert_ptr_equal(ctx, &held);
	assert_int_equal(held, 0);
	held = 1;
	holds++;
}

static void release(void *ctx)
{
	assert_ptr_equal(ctx, &held);
	assert_int_equal(held, 1);
	held = 0;
}

static struct nw_hostwalk host_of(const struct rig *rig)
{
	struct nw_hostwalk w = {
		.ops = rig->ops,
		.root = nw_table_root(&rig->table),
		.virt_minus_phys = rig->port.virt_minus_phys,
		.window_start = NW_PA(rig->window_pa),
		.window_end = NW_PA(rig->window_pa + rig->window_bytes),
		.hold = hold,
		.release = release,
		.ctx = &held,
	};
	struct nw_result r;

	if (nw_hostwalk_init(&w, &rig->config, &r))
		rig_fail(rig, "hostwalk_init: %s, %s", nw_status_name(r.status),
			 r.argument ? r.argument : "-");
	return w;
}

/* The entry over `ia` at `level`, which the walk must reach through tables. */
static uint64_t *entry_of(const struct rig *rig, uint64_t ia, unsigned level)
{
	uint64_t page = nw_table_root(&rig->table).v;
	unsigned at = rig->geo->levels - 1u;

	for (;; at--) {
		uint64_t index = ia >> nw_span_lg2(rig->geo, at);
		struct nw_decoded d;
		uint64_t *word;

		if (at != rig->geo->levels - 1u)
			index &= (UINT64_C(1) << rig->geo->index_bits) - 1;
		word = (uint64_t *)(uintptr_t)(page +
					       rig->port.virt_minus_phys) +
		       index;
		if (at == level)
			return word;
		rig->ops->decode(rig->geo, at, *word, &d);
		assert_int_equal(d.kind, NW_ENTRY_TABLE);
		page = d.pa.v;
	}
}

static void look(const struct nw_hostwalk *w, uint64_t hva,
		 enum nw_status expected, struct nw_host_mapping *m)
{
	unsigned before = holds;

	assert_int_equal(nw_hostwalk_look(w, NW_HVA(hva), m), expected);
	assert_int_equal(held, 0);
	assert_int_equal(holds, before + 1);
}

/* ---- one leaf of each level ------------------------------------------------
 */

static void check_leaf(struct rig *rig, const struct nw_hostwalk *w,
		       unsigned level, const struct nw_attrs *attrs)
{
	const uint64_t span = rig_span(rig, level);
	const uint64_t ia = span >> rig->config.ia_bits ? 0 : span;
	const uint64_t pa = 0, inside = span / 2 + 8;
	struct nw_host_mapping m;

	if ((ia + span - 1) >> rig->config.ia_bits ||
	    span >> (rig->config.oa_bits - 1))
		return;
	rig_expect(rig,
		   nw_map(&rig->table, NW_IA(ia), span, NW_PA(pa), attrs, level,
			  NULL, NULL),
		   NW_OK);
	look(w, ia + inside, NW_OK, &m);
	if (!m.is_mapped || m.level != level || m.prot != attrs->prot ||
	    m.pa.v != pa + inside || UINT64_C(1) << m.size_lg2 != span)
		rig_fail(rig, "level %u: level %u, size 2^%u, pa %#llx", level,
			 m.level, m.size_lg2, (unsigned long long)m.pa.v);
	if (nw_hostwalk_fault_size_lg2(w, NW_HVA(ia)) != m.size_lg2)
		rig_fail(rig, "a fault is told another size");
	rig_expect(rig, nw_unmap(&rig->table, NW_IA(ia), span, NULL, NULL),
		   NW_OK);
	look(w, ia, NW_OK, &m);
	if (m.is_mapped || m.level || m.size_lg2)
		rig_fail(rig, "level %u: still mapped", level);
	/* "None" is the smallest page to whoever computes with it. */
	if (nw_hostwalk_fault_size_lg2(w, NW_HVA(ia)) !=
	    rig->config.granule_lg2)
		rig_fail(rig, "a fault is told of a size where nothing is");
}

static void test_each_leaf_level_of_each_format_is_found(void **state)
{
	unsigned hosts = 0, f;

	(void)state;
	for (f = 0; nw_all_formats[f]; f++) {
		struct nw_format_config config;
		unsigned n = 0;

		while (rig_next_config(nw_all_formats[f], &n, &config)) {
			struct nw_hostwalk w;
			struct nw_attrs attrs;
			struct rig rig;

			rig_open(&rig, nw_all_formats[f], &config,
				 NW_MODE_EXCLUSIVE, NW_RUNS_CALLER);
			w = host_of(&rig);
			assert_true(rig_attrs(rig.ops, rig.geo, 0, &attrs));
			for (unsigned level = 0; level < rig.geo->levels;
			     level++) {
				if (rig.geo->leaf_levels >> level & 1)
					check_leaf(&rig, &w, level, &attrs);
			}
			rig_close(&rig);
			hosts++;
		}
	}
	assert_true(hosts >= 3 * f);
}

/* ---- what must not be followed ----------------------------------------------
 */

static void open_s2(struct rig *rig, struct nw_hostwalk *w)
{
	const struct nw_format_config config = {
		.granule_lg2 = 12, .ia_bits = 40, .oa_bits = 40};
	struct nw_attrs attrs;

	rig_open(rig, &nw_arm64_s2_ops, &config, NW_MODE_EXCLUSIVE,
		 NW_RUNS_CALLER);
	*w = host_of(rig);
	assert_true(rig_attrs(rig->ops, rig->geo, 0, &attrs));
	assert_int_equal(nw_map(&rig->table, NW_IA(0), 4096, NW_PA(0), &attrs,
				0, NULL, NULL),
			 NW_OK);
}

static void test_table_outside_the_window_is_not_followed(void **state)
{
	struct nw_host_mapping m = {.level = 77};
	struct nw_hostwalk w;
	struct rig rig;
	uint64_t *above, was;

	(void)state;
	open_s2(&rig, &w);
	above = entry_of(&rig, 0, 1);
	was = *above;
	*above = 0x1000 | 3; /* a table, below the window */
	look(&w, 0, NW_E_CORRUPT, &m);
	assert_int_equal(m.level, 77);
	assert_int_equal(nw_hostwalk_fault_size_lg2(&w, NW_HVA(0)), 12);
	*above = was;
	look(&w, 0, NW_OK, &m);
	assert_true(m.is_mapped);
	/* The last page of the window, and the first one behind it. */
	w.window_end.v = (was & UINT64_C(0xfffffffff000)) + 4096;
	look(&w, 0, NW_OK, &m);
	w.window_end.v -= 1;
	look(&w, 0, NW_E_CORRUPT, &m);
	rig_close(&rig);
}

static void test_reserved_entry_is_corrupt(void **state)
{
	struct nw_host_mapping m;
	struct nw_hostwalk w;
	struct rig rig;
	uint64_t *leaf, was;

	(void)state;
	open_s2(&rig, &w);
	leaf = entry_of(&rig, 0, 0);
	was = *leaf;
	*leaf = 1; /* a block where there are none */
	look(&w, 0, NW_E_CORRUPT, &m);
	*leaf = was & ~UINT64_C(1); /* invalid, and something in it */
	look(&w, 0, NW_OK, &m);
	assert_false(m.is_mapped);
	*leaf = was;
	rig_close(&rig);
}

/* ---- arguments --------------------------------------------------------------
 */

static void refused(struct nw_hostwalk w, const struct nw_format_config *config,
		    enum nw_status status, const char *argument)
{
	struct nw_result r = {.argument = "?"};

	assert_int_equal(nw_hostwalk_init(&w, config, &r), status);
	assert_int_equal(r.status, status);
	assert_string_equal(r.argument, argument);
	assert_int_equal(nw_hostwalk_init(&w, config, NULL), status);
}

static void test_arguments_that_make_no_sense_are_refused(void **state)
{
	struct nw_format_config config;
	struct nw_host_mapping m;
	struct nw_hostwalk w, wrong;
	struct rig rig;

	(void)state;
	open_s2(&rig, &w);
	config = rig.config;
	wrong = w;
	wrong.ops = NULL;
	refused(wrong, &config, NW_E_NULL, "ops");
	wrong = w;
	wrong.hold = NULL;
	refused(wrong, &config, NW_E_NULL, "hold");
	wrong = w;
	wrong.release = NULL;
	refused(wrong, &config, NW_E_NULL, "release");
	wrong = w;
	wrong.root.v += 8;
	refused(wrong, &config, NW_E_CONFIG, "root");
	wrong = w;
	wrong.root.v = 0;
	refused(wrong, &config, NW_E_CONFIG, "root");
	refused(w, NULL, NW_E_NULL, "config");
	config.granule_lg2 = 13;
	refused(w, &config, NW_E_CONFIG, "granule_lg2");
	assert_int_equal(nw_hostwalk_init(NULL, &config, NULL), NW_E_NULL);
	assert_int_equal(nw_hostwalk_look(NULL, NW_HVA(0), &m), NW_E_NULL);
	assert_int_equal(nw_hostwalk_look(&w, NW_HVA(0), NULL), NW_E_NULL);
	assert_int_equal(nw_hostwalk_look(&w, NW_HVA(UINT64_C(1) << 40), &m),
			 NW_E_IA_RANGE);
	look(&w, (UINT64_C(1) << 40) - 1, NW_OK, &m);
	assert_false(m.is_mapped);
	rig_close(&rig);
}

static void test_host_that_frees_no_tables_needs_no_hold(void **state)
{
	struct nw_host_mapping m;
	struct nw_hostwalk w;
	struct rig rig;
	unsigned before = holds;

	(void)state;
	open_s2(&rig, &w);
	w.hold = w.release = NULL;
	assert_int_equal(nw_hostwalk_init(&w, &rig.config, NULL), NW_OK);
	assert_int_equal(nw_hostwalk_look(&w, NW_HVA(8), &m), NW_OK);
	assert_true(m.is_mapped);
	assert_int_equal(m.pa.v, 8);
	assert_int_equal(holds, before);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_leaf_level_of_each_format_is_found),
		cmocka_unit_test(test_table_outside_the_window_is_not_followed),
		cmocka_unit_test(test_reserved_entry_is_corrupt),
		cmocka_unit_test(test_arguments_that_make_no_sense_are_refused),
		cmocka_unit_test(test_host_that_frees_no_tables_needs_no_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
