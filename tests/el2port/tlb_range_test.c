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

/* base_lg2: the unit of BaseADDR; the granule, or 16 with FEAT_LPA2. */
static struct covered decode_op(const struct nw_tlb_op *op,
				unsigned granule_lg2, unsigned base_lg2)
{
	uint64_t o = op->operand;
	struct covered c;

	if (op->is_range) {
		unsigned scale = (unsigned)field(o, 45, 44);
		uint64_t num = field(o, 43, 39);

		assert_int_equal(field(o, 47, 46), (granule_lg2 - 10) / 2);
		assert_int_equal(o >> 48, 0);
		c.start = field(o, 36, 0) << base_lg2;
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

static struct covered decode(const struct nw_tlb_op *op, unsigned granule_lg2)
{
	return decode_op(op, granule_lg2, granule_lg2);
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
static unsigned check_cut_from(uint64_t first, uint64_t pages,
			       unsigned granule_lg2, unsigned base_lg2)
{
	uint64_t start = first << granule_lg2, at = start;
	uint64_t end = (first + pages) << granule_lg2;
	struct nw_tlb_op op;
	unsigned ops = 0;

	while (nw_tlb_range_next(&start, end, granule_lg2, base_lg2, 3, 1,
				 &op)) {
		struct covered c = decode_op(&op, granule_lg2, base_lg2);

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

static unsigned check_cut(uint64_t first, uint64_t pages, unsigned granule_lg2)
{
	return check_cut_from(first, pages, granule_lg2, granule_lg2);
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

/* Every position in 64 KiB, and every granule: with FEAT_LPA2 a range begins at
 * a multiple of 64 KiB, and the cut is exact all the same. */
static void cut_with_lpa2_of_every_start_covers_it_exactly(void **state)
{
	(void)state;
	for (unsigned granule_lg2 = 12; granule_lg2 <= 16; granule_lg2 += 2) {
		unsigned unit = 1u << (16 - granule_lg2);

		for (uint64_t first = 0; first < 2 * unit; first++)
			for (uint64_t pages = 1; pages < 300; pages++) {
				unsigned ops = check_cut_from(
					(1ull << 33) + first, pages,
					granule_lg2, 16);

				assert_true(ops <= 5 + unit - 1);
			}
	}
}

static void cut_with_lpa2_of_random_ranges_covers_them_exactly(void **state)
{
	uint64_t seed = 43;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		unsigned granule_lg2 =
			12 + 2 * (unsigned)(random_next(&seed) % 3);
		/* Up to 52 bits of address. */
		uint64_t first = random_next(&seed) % (1ull << 35);
		uint64_t pages = 1 + random_next(&seed) %
					     (1ull << random_next(&seed) % 23);
		unsigned ops = check_cut_from(first, pages, granule_lg2, 16);

		assert_true(ops <= 5 + 15 + pages / NW_TLB_RANGE_PAGES_MAX);
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
	assert_int_equal(nw_tlb_range_next(&start, 0x1000, 12, 12, 3, 1, &op),
			 0);
}

static void single_page_without_ttl_has_no_hint(void **state)
{
	uint64_t start = 0x4000;
	struct nw_tlb_op op;

	(void)state;
	assert_int_equal(nw_tlb_range_next(&start, 0x5000, 12, 12, 3, 0, &op),
			 1);
	assert_int_equal(op.operand, 4);
	assert_int_equal(op.is_range, 0);
}

/* ---- plans ------------------------------------------------------------ */

static void plan_of(struct nw_tlb_plan *plan, const struct nw_flush_range *r,
		    unsigned granule_lg2, int has_lpa2, unsigned features)
{
	const struct nw_flush_request q = {
		.regime = NW_REGIME_STAGE2,
		.granule_lg2 = (uint8_t)granule_lg2,
		.ranges = 1,
		.range = r,
		.has_lpa2 = (uint8_t)has_lpa2,
	};

	nw_tlb_plan(plan, &q, r, features);
}

/* Is [start, end) inside what some operation of the plan names? A leaf of
 * `leaf_lg2` is gone once any address of it is named. */
static int plan_drops(const struct nw_flush_range *r, unsigned granule_lg2,
		      int has_lpa2, unsigned features, uint64_t leaf,
		      unsigned leaf_lg2)
{
	unsigned base_lg2 = has_lpa2 ? 16 : granule_lg2;
	uint64_t leaf_end = leaf + (1ull << leaf_lg2);
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	plan_of(&plan, r, granule_lg2, has_lpa2, features);
	while (nw_tlb_plan_next(&plan, &op)) {
		struct covered c = decode_op(&op, granule_lg2, base_lg2);

		if (c.start < leaf_end && c.end > leaf)
			return 1;
	}
	return 0;
}

static void check_plan(uint64_t start, uint64_t end, unsigned level,
		       unsigned granule_lg2, int has_lpa2, unsigned features)
{
	struct nw_flush_range r = {start, end, (uint8_t)(1u << level), 0};
	unsigned leaf_lg2 = granule_lg2 + (granule_lg2 - 3) * level;
	unsigned base_lg2 = has_lpa2 ? 16 : granule_lg2;
	uint64_t leaf = start >> leaf_lg2 << leaf_lg2;
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;
	uint64_t cost = 0, cost_said;

	for (; leaf < end; leaf += 1ull << leaf_lg2)
		assert_true(plan_drops(&r, granule_lg2, has_lpa2, features,
				       leaf, leaf_lg2));
	plan_of(&plan, &r, granule_lg2, has_lpa2, features);
	cost_said = nw_tlb_plan_cost(plan, ~0ull);
	while (nw_tlb_plan_next(&plan, &op)) {
		struct covered c = decode_op(&op, granule_lg2, base_lg2);

		assert_true(!c.arm_level || c.arm_level == 3 - level);
		/* The manual: with a hint, the base is aligned to it. */
		if (c.arm_level)
			assert_int_equal(c.start & ((1ull << leaf_lg2) - 1), 0);
		cost += c.end - c.start > 1ull << granule_lg2 ?
				NW_TLB_RANGE_COST :
				1;
	}
	assert_int_equal(cost, cost_said);
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
		unsigned granule_lg2 =
			12 + 2 * (unsigned)(random_next(&seed) % 3);
		int has_lpa2 = granule_lg2 < 16 && random_next(&seed) % 2;
		unsigned level = (unsigned)(random_next(&seed) % 3);
		unsigned bits = granule_lg2 - 3;
		uint64_t start = random_next(&seed) % (1ull << 26)
				 << granule_lg2;
		uint64_t pages = 1 + random_next(&seed) % 100, end;
		unsigned leaf_lg2 = granule_lg2 + bits * level;

		/* Each edge may lie inside a leaf or at its end. */
		if (random_next(&seed) % 2)
			start = start >> leaf_lg2 << leaf_lg2;
		pages <<= random_next(&seed) % (bits * level + 1);
		if (random_next(&seed) % 2)
			pages += random_next(&seed) % 100;
		end = start + (pages << granule_lg2);
		if (random_next(&seed) % 4 == 0)
			end = ((end - 1) | ((1ull << leaf_lg2) - 1)) + 1;
		check_plan(start, end, level, granule_lg2, has_lpa2,
			   features[i % 4]);
	}
}

static void plan_of_a_block_is_one_operation(void **state)
{
	struct nw_flush_range r = {0x40200000, 0x40400000, 1u << 1, 0};
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	(void)state;
	plan_of(&plan, &r, 12, 0, NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	assert_int_equal(nw_tlb_plan_cost(plan, ~0ull), 1);
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
	plan_of(&plan, &r, 12, 0, NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	while (nw_tlb_plan_next(&plan, &op))
		assert_int_equal(decode(&op, 12).arm_level, 0);
}

static void plan_of_mixed_levels_has_no_hint_and_small_steps(void **state)
{
	struct nw_flush_range r = {0x200000, 0x400000, 3, 0};
	struct nw_tlb_plan plan;
	struct nw_tlb_op op;

	(void)state;
	plan_of(&plan, &r, 12, 0, NW_TLB_HAS_TTL);
	assert_int_equal(nw_tlb_plan_cost(plan, ~0ull), 512);
	assert_int_equal(nw_tlb_plan_next(&plan, &op), 1);
	assert_int_equal(op.operand, 0x200);
}

/* ---- when one operation takes the place of all ------------------------- */

static int takes_whole(unsigned ranges, const struct nw_flush_range *r,
		       unsigned features)
{
	const struct nw_flush_request q = {.regime = NW_REGIME_STAGE2,
					   .granule_lg2 = 12,
					   .ranges = (uint8_t)ranges,
					   .range = r};

	return nw_tlb_takes_whole(&q, features);
}

static void whole_by_page_begins_past_512_pages(void **state)
{
	struct nw_flush_range r[2] = {{0x40001000, 0x40201000, 1, 0},
				      {0x60000000, 0x60001000, 1, 0}};

	(void)state;
	assert_false(takes_whole(1, r, 0));
	assert_true(takes_whole(2, r, 0));
	assert_false(takes_whole(2, r, NW_TLB_HAS_RANGE));
}

static void whole_by_range_begins_past_64_ranges(void **state)
{
	/* One operation covers 8 GiB at most. */
	struct nw_flush_range r = {0, 64ull << 33, 1, 1};

	(void)state;
	assert_false(takes_whole(1, &r, NW_TLB_HAS_RANGE));
	r.end += 1ull << 13;
	assert_true(takes_whole(1, &r, NW_TLB_HAS_RANGE));
}

static void whole_of_a_whole_table_needs_no_count(void **state)
{
	const struct nw_flush_range r = {0, 1ull << 21, 1, 1};
	const struct nw_flush_request q = {.regime = NW_REGIME_STAGE2,
					   .granule_lg2 = 12,
					   .ranges = 1,
					   .range = &r,
					   .is_whole = 1};

	(void)state;
	assert_true(nw_tlb_takes_whole(&q, NW_TLB_HAS_RANGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_of_every_short_length_covers_it_exactly),
		cmocka_unit_test(cut_of_random_ranges_covers_them_exactly),
		cmocka_unit_test(cut_with_lpa2_of_every_start_covers_it_exactly),
		cmocka_unit_test(
			cut_with_lpa2_of_random_ranges_covers_them_exactly),
		cmocka_unit_test(cut_of_the_longest_operation_is_one),
		cmocka_unit_test(cut_of_an_empty_range_is_nothing),
		cmocka_unit_test(single_page_without_ttl_has_no_hint),
		cmocka_unit_test(plan_names_every_leaf_that_was_there),
		cmocka_unit_test(plan_of_a_block_is_one_operation),
		cmocka_unit_test(plan_that_drops_tables_has_no_hint),
		cmocka_unit_test(
			plan_of_mixed_levels_has_no_hint_and_small_steps),
		cmocka_unit_test(whole_by_page_begins_past_512_pages),
		cmocka_unit_test(whole_by_range_begins_past_64_ranges),
		cmocka_unit_test(whole_of_a_whole_table_needs_no_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
