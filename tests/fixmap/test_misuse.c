/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way to use the fixmap wrongly has its own answer. */
#include "fixmap_test.h"

#define PA NW_PA(0x80000000ull)

static enum nw_status map_page(struct rig *r, unsigned cpu,
			       struct nw_fixmap_window *w)
{
	return nw_fixmap_map(&r->fm, cpu, NW_FIXMAP_PAGE, PA, &rig_attrs, w);
}

static void map_without_a_free_slot_says_limit(void **state)
{
	struct nw_fixmap_window w[3];
	struct rig r;

	(void)state;
	for (unsigned s = 0; s < NW_FIXMAP_STRATEGIES; s++) {
		rig_open(&r, (enum nw_fixmap_strategy)s, 2, 1);
		assert_status(map_page(&r, 0, &w[0]), NW_OK);
		assert_status(map_page(&r, 0, &w[1]), NW_OK);
		assert_status(map_page(&r, 0, &w[2]), NW_E_LIMIT);
		/* Other kinds and other CPUs have their own. */
		assert_status(map_page(&r, 1, &w[2]), NW_OK);
		assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_BLOCK, PA,
					    &rig_attrs, &w[2]),
			      NW_OK);
		assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &w[0]),
			      NW_OK);
		assert_status(map_page(&r, 0, &w[2]), NW_OK);
		assert_closes(&r);
	}
}

static void unmap_as_another_kind_says_wrong_kind(void **state)
{
	struct nw_fixmap_window w;
	struct rig r;

	(void)state;
	rig_open(&r, NW_FIXMAP_BROADCAST, 1, 1);
	assert_status(map_page(&r, 0, &w), NW_OK);
	assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_BLOCK, &w),
		      NW_E_WRONG_KIND);
	assert_non_null(w.address);
	assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &w), NW_OK);
	assert_closes(&r);
}

static void unmap_twice_or_by_a_copy_says_absent(void **state)
{
	struct nw_fixmap_window w, copy, again;
	struct rig r;

	(void)state;
	for (unsigned s = 0; s < NW_FIXMAP_STRATEGIES; s++) {
		rig_open(&r, (enum nw_fixmap_strategy)s, 1, 0);
		assert_status(map_page(&r, 0, &w), NW_OK);
		copy = w;
		assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &w),
			      NW_OK);
		assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &w),
			      NW_E_ABSENT);
		assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &copy),
			      NW_E_ABSENT);
		/* The slot is open again, but not for the old copy. */
		assert_status(map_page(&r, 0, &again), NW_OK);
		assert_int_equal((uintptr_t)again.address,
				 (uintptr_t)copy.address);
		assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &copy),
			      NW_E_ABSENT);
		assert_closes(&r);
	}
}

static void unmap_of_another_cpus_window_says_wrong_cpu(void **state)
{
	struct nw_fixmap_window w;
	struct rig r;

	(void)state;
	rig_open(&r, NW_FIXMAP_BROADCAST, 1, 0);
	assert_status(map_page(&r, 0, &w), NW_OK);
	assert_status(nw_fixmap_unmap(&r.fm, 1, NW_FIXMAP_PAGE, &w),
		      NW_E_WRONG_CPU);
	assert_status(nw_fixmap_unmap(&r.fm, 0, NW_FIXMAP_PAGE, &w), NW_OK);
	assert_closes(&r);
}

static void map_with_bad_arguments_is_refused_one_by_one(void **state)
{
	struct nw_attrs attrs = rig_attrs;
	struct nw_fixmap_window w;
	struct rig r;

	(void)state;
	rig_open(&r, NW_FIXMAP_BROADCAST, 1, 1);
	assert_status(map_page(&r, RIG_CPUS, &w), NW_E_WRONG_CPU);
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_KINDS, PA, &rig_attrs,
				    &w),
		      NW_E_WRONG_KIND);
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_BLOCK,
				    NW_PA(PA.v + PAGE_BYTES), &rig_attrs, &w),
		      NW_E_MISALIGNED);
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_PAGE,
				    NW_PA(1ull << 40), &rig_attrs, &w),
		      NW_E_OA_RANGE);
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_PAGE, PA, NULL, &w),
		      NW_E_NULL);
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_PAGE, PA, &rig_attrs,
				    NULL),
		      NW_E_NULL);
	attrs.flags = 0;
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_PAGE, PA, &attrs, &w),
		      NW_E_ATTRS);
	attrs.flags = NW_LEAF_ACCESSED | NW_LEAF_DBM;
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_PAGE, PA, &attrs, &w),
		      NW_E_ATTRS);
	attrs = rig_attrs;
	attrs.prot = NW_PROT_RW | NW_PROT_PX;
	assert_status(nw_fixmap_map(&r.fm, 0, NW_FIXMAP_PAGE, PA, &attrs, &w),
		      NW_E_ATTRS);
	assert_status(nw_fixmap_retire(&r.fm, RIG_CPUS), NW_E_WRONG_CPU);
	assert_int_equal(nw_fixmap_stats(&r.fm).maps, 0);
	assert_closes(&r);
}

#define assert_init(r, config, want, name)                                     \
	do {                                                                   \
		assert_status(nw_fixmap_init(&(r)->fm, config, &(r)->result),  \
			      want);                                           \
		assert_string_equal((r)->result.argument, name);               \
	} while (0)

static void init_with_a_bad_field_names_it(void **state)
{
	struct nw_fixmap_config good, c;
	struct rig r;

	(void)state;
	rig_tables(&r);
	good = rig_config(&r, NW_FIXMAP_BATCHED, 2, 2);
	c = good;
	c.strategy = NW_FIXMAP_STRATEGIES;
	assert_init(&r, &c, NW_E_CONFIG, "config.strategy");
	c = good;
	c.cpus = 0;
	assert_init(&r, &c, NW_E_CONFIG, "config.cpus");
	c.cpus = NW_FIXMAP_CPUS_MAX + 1;
	assert_init(&r, &c, NW_E_CONFIG, "config.cpus");
	c = good;
	c.slots[0] = NW_FIXMAP_SLOTS_MAX + 1;
	assert_init(&r, &c, NW_E_CONFIG, "config.slots");
	c.slots[0] = c.slots[1] = 0;
	assert_init(&r, &c, NW_E_CONFIG, "config.slots");
	c = good;
	c.batch = 5;
	assert_init(&r, &c, NW_E_CONFIG, "config.batch");
	c.strategy = NW_FIXMAP_BROADCAST;
	c.batch = 1;
	assert_init(&r, &c, NW_E_CONFIG, "config.batch");
	c = good;
	c.table[0] = NULL;
	assert_init(&r, &c, NW_E_NULL, "config.table");
	c = good;
	c.start.v += PAGE_BYTES;
	assert_init(&r, &c, NW_E_MISALIGNED, "config.start");
	assert_init(&r, NULL, NW_E_NULL, "config");
	assert_closes(&r);
}

static void init_private_root_without_what_it_needs_is_refused(void **state)
{
	struct nw_fixmap_config c;
	struct rig r;

	(void)state;
	rig_tables(&r);
	c = rig_config(&r, NW_FIXMAP_PRIVATE_ROOT, 2, 2);
	c.table[2] = c.table[0];
	assert_init(&r, &c, NW_E_CONFIG, "config.table");
	c = rig_config(&r, NW_FIXMAP_PRIVATE_ROOT, 2, 2);
	c.table[1] = NULL;
	assert_init(&r, &c, NW_E_NULL, "config.table");
	c = rig_config(&r, NW_FIXMAP_PRIVATE_ROOT, 2, 2);
	r.ops.invalidate_local = NULL;
	assert_init(&r, &c, NW_E_UNSUPPORTED,
		    "config.table.port.invalidate_local");
	assert_closes(&r);
}

static void init_where_something_is_mapped_says_where(void **state)
{
	struct nw_fixmap_config c;
	struct rig r;

	(void)state;
	rig_tables(&r);
	c = rig_config(&r, NW_FIXMAP_BROADCAST, 4, 0);
	assert_status(nw_map(&r.table[0], NW_IA(c.start.v + PAGE_BYTES),
			     PAGE_BYTES, PA, &rig_attrs, 0, NULL, NULL),
		      NW_OK);
	assert_status(nw_fixmap_init(&r.fm, &c, &r.result), NW_E_EXISTS);
	assert_int_equal(r.result.reached, c.start.v + PAGE_BYTES);
	assert_closes(&r);
}

static void init_without_table_pages_says_nomem(void **state)
{
	struct nw_fixmap_config c;
	struct rig r;

	(void)state;
	for (unsigned nth = 1; nth <= 2; nth++) {
		rig_tables(&r);
		c = rig_config(&r, NW_FIXMAP_BROADCAST, 4, 0);
		nw_arena_fail_at(&r.arena, nth);
		assert_status(nw_fixmap_init(&r.fm, &c, &r.result),
			      NW_E_NOMEM);
		nw_arena_fail_at(&r.arena, 0);
		assert_status(nw_fixmap_init(&r.fm, &c, &r.result), NW_OK);
		assert_closes(&r);
	}
}

int run_misuse_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_without_a_free_slot_says_limit),
		cmocka_unit_test(unmap_as_another_kind_says_wrong_kind),
		cmocka_unit_test(unmap_twice_or_by_a_copy_says_absent),
		cmocka_unit_test(unmap_of_another_cpus_window_says_wrong_cpu),
		cmocka_unit_test(map_with_bad_arguments_is_refused_one_by_one),
		cmocka_unit_test(init_with_a_bad_field_names_it),
		cmocka_unit_test(
			init_private_root_without_what_it_needs_is_refused),
		cmocka_unit_test(init_where_something_is_mapped_says_where),
		cmocka_unit_test(init_without_table_pages_says_nomem),
	};

	return cmocka_run_group_tests_name("fixmap misuse", tests, NULL, NULL);
}
