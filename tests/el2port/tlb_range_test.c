/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operands of TLB invalidations, decoded here from the manual's field
 * layout (Arm ARM, TLBI RIPAS2E1IS and TLBI IPAS2E1IS) and not by the functions
 * that made them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tlb_range.h"

static uint64_t field(uint64_t value, unsigned last, unsigned first)
{
	return value >> first & ((2ull << (last - first)) - 1);
}

/* What the hardware would invalidate. */
struct covered {
	uint64_t start;
	uint64_t end;
	unsigned arm_level; /* 0: any */
};

static struct covered decode(const struct nw_tlb_op *op, unsigned granule_lg2)
{
	uint64_t o = op->operand;
	struct covered c;

	if (op->is_range) {
		unsigned scale = (unsigned)field(o, 45, 44);
		uint64_t num = field(o, 43, 39);

		assert_int_equal(field(o, 47, 46), (granule_lg2 - 10) / 2);
		assert_int_equal(o >> 48, 0);
		c.start = field(o, 36, 0) << granule_lg2;
		c.end = c.start +
			((num + 1) << (5 * scale + 1) << granule_lg2);
		c.arm_level = (unsigned)field(o, 38, 37);
		return c;
	}
	c.start = field(o, 43, 0) << 12;
	c.end = c.start + (1ull << granule_lg2);
	c.arm_level = (unsigned)field(o, 45, 44);
	if (field(o, 47, 44))
		assert_int_equal(field(o, 47, 46), (granule_lg2 - 10) / 2);
	assert_int_equal(o >> 48, 0);
	return c;
}

/* xorshift64* */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* ---- cutting ---------------------------------------------------------- */

/* Cut [first, first + pages) and check that the pieces join to exactly that. */
static unsigned check_cut(uint64_t first, uint64_t pages, unsigned granule_lg2)
{
	uint64_t start = first << granule_lg2, at = start;
	uint64_t end = (first + pages) << granule_lg2;
	struct nw_tlb_op op;
	unsigned ops = 0;

	while (nw_tlb_range_next(&start, end, granule_lg2, 3, 1, &op)) {
		struct covered c = decode(&op, granule_lg2);

		assert_int_equal(c.start, at);
		assert_int_equal(op.start, at);
		assert_int_equal(op.pages << granule_lg2, c.end - c.start);
		assert_int_equal(c.arm_level, 3);
		at = c.end;
		ops++;
	}
	assert_int_equal(at, end);
	return ops;
}

static void cut_of_every_short_length_covers_it_exactly(void **state)
{
	(void)state;
	for (uint64_t pages = 1; pages <= 5000; pages++)
		assert_true(check_cut(0x44000 + pages, pages, 12) <= 5);
}

static void cut_of_random_ranges_covers_them_exactly(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned granule_lg2 = 12 + 2 * (unsigned)(random_next(&seed) % 3);
		uint64_t first = random_next(&seed) % (1ull << 30);
		uint64_t pages = 1 + random_next(&seed) %
					     (1ull << random_next(&seed) % 23);
		unsigned ops = check_cut(first, pages, granule_lg2);

		assert_true(ops <= 5 + pages / NW_TLB_RANGE_PAGES_MAX);
	}
}

static void cut_of_the_longest_operation_is_one(void **state)
{
	(void)state;
	assert_int_equal(check_cut(1, NW_TLB_RANGE_PAGES_MAX, 12), 1);
	assert_int_equal(check_cut(1, 2 * NW_TLB_RANGE_PAGES_MAX, 12), 2);
}

static void cut_of_an_empty_range_is_nothing(void **state)
{
	uint64_t start = 0x1000;
	struct nw_tlb_op op;

	(void)state;
	assert_int_equal(nw_tlb_range_next(&start, 0x1000, 12, 3, 1, &op), 0);
}

static void single_page_without_ttl_has_no_hint(void **state)
{
	uint64_t start = 0x4000;
	struct nw_tlb_op op;

	(void)state;
	assert_int_equal(nw_tlb_range_next(&start, 0x5000, 12, 3, 0, &op), 1);
	assert_int_equal(op.operand, 4);
	assert_int_equal(op.is_range, 0);
}

/* ---- plans ------------------------------------------------------------ */

/* Is [start, end) inside what some operation of the plan names? A leaf of
 * `leaf_lg2` is gone once any address of it is named. */
static int plan_drops(const struct nw_flush_range *r, unsigned features,
		      uint64_t leaf, unsigned leaf_lg2)
{
	uint64_t leaf_end = leaf + (1ull << leaf_lg2);
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	nw_tlb_plan(&plan, r, 12, features);
	while (nw_tlb_plan_next(&plan, &op)) {
		struct covered c = decode(&op, 12);

		if (c.start < leaf_end && c.end > leaf)
			return 1;
	}
	return 0;
}

static void check_plan(uint64_t start, uint64_t end, unsigned level,
		       unsigned features)
{
	struct nw_flush_range r = {start, end, (uint8_t)(1u << level), 0};
	unsigned leaf_lg2 = 12 + 9 * level;
	uint64_t leaf = start >> leaf_lg2 << leaf_lg2;
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;
	uint64_t ops = 0, ops_max;

	for (; leaf < end; leaf += 1ull << leaf_lg2)
		assert_true(plan_drops(&r, features, leaf, leaf_lg2));
	nw_tlb_plan(&plan, &r, 12, features);
	ops_max = nw_tlb_plan_ops_max(&plan);
	while (nw_tlb_plan_next(&plan, &op)) {
		struct covered c = decode(&op, 12);

		assert_true(!c.arm_level || c.arm_level == 3 - level);
		/* The manual: with a hint, the base is aligned to it. */
		if (c.arm_level)
			assert_int_equal(c.start & ((1ull << leaf_lg2) - 1), 0);
		ops++;
	}
	assert_true(ops <= ops_max);
}

static void plan_names_every_leaf_that_was_there(void **state)
{
	static const unsigned features[] = {
		0, NW_TLB_HAS_TTL, NW_TLB_HAS_RANGE,
		NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL,
	};
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		unsigned level = (unsigned)(random_next(&seed) % 3);
		uint64_t start = random_next(&seed) % (1ull << 26) << 12;
		uint64_t pages = 1 + random_next(&seed) % 100, end;
		unsigned leaf_lg2 = 12 + 9 * level;

		/* Each edge may lie inside a leaf or at its end. */
		if (random_next(&seed) % 2)
			start = start >> leaf_lg2 << leaf_lg2;
		pages <<= random_next(&seed) % (9 * level + 1);
		if (random_next(&seed) % 2)
			pages += random_next(&seed) % 100;
		end = start + (pages << 12);
		if (random_next(&seed) % 4 == 0)
			end = ((end - 1) | ((1ull << leaf_lg2) - 1)) + 1;
		check_plan(start, end, level, features[i % 4]);
	}
}

static void plan_of_a_block_is_one_operation(void **state)
{
	struct nw_flush_range r = {0x40200000, 0x40400000, 1u << 1, 0};
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	(void)state;
	nw_tlb_plan(&plan, &r, 12, NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	assert_int_equal(nw_tlb_plan_ops_max(&plan), 1);
	assert_int_equal(nw_tlb_plan_next(&plan, &op), 1);
	/* TTL: granule 4 KiB, arm level 2. */
	assert_int_equal(op.operand, 0x40200 | 0x6ull << 44);
	assert_int_equal(nw_tlb_plan_next(&plan, &op), 0);
}

static void plan_that_drops_tables_has_no_hint(void **state)
{
	struct nw_flush_range r = {0x200000, 0x202000, 1, 1};
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	(void)state;
	nw_tlb_plan(&plan, &r, 12, NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	while (nw_tlb_plan_next(&plan, &op))
		assert_int_equal(decode(&op, 12).arm_level, 0);
}

static void plan_of_mixed_levels_has_no_hint_and_small_steps(void **state)
{
	struct nw_flush_range r = {0x200000, 0x400000, 3, 0};
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	(void)state;
	nw_tlb_plan(&plan, &r, 12, NW_TLB_HAS_TTL);
	assert_int_equal(nw_tlb_plan_ops_max(&plan), 512);
	assert_int_equal(nw_tlb_plan_next(&plan, &op), 1);
	assert_int_equal(op.operand, 0x200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_of_every_short_length_covers_it_exactly),
		cmocka_unit_test(cut_of_random_ranges_covers_them_exactly),
		cmocka_unit_test(cut_of_the_longest_operation_is_one),
		cmocka_unit_test(cut_of_an_empty_range_is_nothing),
		cmocka_unit_test(single_page_without_ttl_has_no_hint),
		cmocka_unit_test(plan_names_every_leaf_that_was_there),
		cmocka_unit_test(plan_of_a_block_is_one_operation),
		cmocka_unit_test(plan_that_drops_tables_has_no_hint),
		cmocka_unit_test(
			plan_of_mixed_levels_has_no_hint_and_small_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
