/* SPDX-License-Identifier: BSD-2-Clause */
/* The sets of the dirty log, and the proof that nothing is missing in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Not by an include path: hyp/features.h would hide the system's. */
#include "../../hyp/sample.h"

#define PAGES 200 /* the last word is not full */
#define WORDS 4

static uint64_t word[WORDS + 1], other[WORDS + 1];

#define GUARD 0x5a5a5a5a5a5a5a5aull

static struct pageset empty_set(uint64_t *words)
{
	struct pageset set = {words, PAGES};

	memset(words, 0, WORDS * sizeof(*words));
	words[WORDS] = GUARD;
	return set;
}

static void expect_range(const struct pageset *set, uint64_t start,
			 uint64_t end)
{
	uint64_t page;

	for (page = 0; page < PAGES; page++)
		assert_int_equal(pageset_has(set, page),
				 page >= start && page < end);
	assert_int_equal(pageset_count(set), end - start);
	assert_true(set->word[WORDS] == GUARD);
}

static void pageset_every_range_holds_its_pages(void **state)
{
	uint64_t start, pages;
	struct pageset set;

	(void)state;
	for (start = 0; start < PAGES; start++)
		for (pages = 1; pages <= PAGES - start; pages++) {
			set = empty_set(word);
			pageset_add(&set, start, pages);
			expect_range(&set, start, start + pages);
			set = empty_set(word);
			pageset_add_shared(&set, start, pages);
			expect_range(&set, start, start + pages);
		}
}

static void pageset_beyond_the_end_is_nobodys(void **state)
{
	struct pageset set = empty_set(word);

	(void)state;
	pageset_add(&set, PAGES - 1, 100);
	expect_range(&set, PAGES - 1, PAGES);
	pageset_add(&set, PAGES, 1);
	pageset_add_shared(&set, PAGES, UINT64_MAX);
	expect_range(&set, PAGES - 1, PAGES);
	set = empty_set(word);
	pageset_add_shared(&set, 190, UINT64_MAX - 100);
	expect_range(&set, 190, PAGES);
	assert_false(pageset_has(&set, PAGES));
	assert_false(pageset_has(&set, UINT64_MAX));
}

static void pageset_take_moves_and_adds(void **state)
{
	struct pageset from = empty_set(word), to = empty_set(other);

	(void)state;
	pageset_add(&to, 10, 3);
	pageset_add(&from, 12, 70);
	pageset_take(&to, &from);
	expect_range(&to, 10, 82);
	assert_int_equal(pageset_count(&from), 0);
	pageset_add(&from, 82, 1);
	pageset_add_set(&to, &from);
	expect_range(&to, 10, 83);
	assert_int_equal(pageset_count(&from), 1);
	pageset_clear(&to);
	assert_int_equal(pageset_count(&to), 0);
}

static void pageset_find_sees_runs_and_ends(void **state)
{
	struct pageset set = empty_set(word);

	(void)state;
	assert_int_equal(pageset_find(&set, 0, 1), PAGES);
	assert_int_equal(pageset_find(&set, 0, 0), 0);
	pageset_add(&set, 63, 66);
	assert_int_equal(pageset_find(&set, 0, 1), 63);
	assert_int_equal(pageset_find(&set, 63, 0), 129);
	assert_int_equal(pageset_find(&set, 129, 1), PAGES);
	pageset_add(&set, 190, 10);
	assert_int_equal(pageset_find(&set, 129, 1), 190);
	assert_int_equal(pageset_find(&set, 190, 0), PAGES);
	assert_int_equal(pageset_find(&set, PAGES, 1), PAGES);
}

/* ---- the proof --------------------------------------------------------- */

static void sample_judge_knows_all_four_cases(void **state)
{
	struct pageset set = empty_set(word);
	struct sample sample = {0};
	struct sample_verdict v;
	unsigned page;

	(void)state;
	for (page = 0; page < 4; page++)
		assert_true(sample_add(&sample, page));
	pageset_add(&set, 2, 2);
	sample.of[1].after = 1; /* changed, not in the set: missed */
	sample.of[3].after = 1; /* changed, in the set */
	v = sample_judge(&sample, &set);
	assert_int_equal(v.verified, 1);
	assert_int_equal(v.written, 2);
	assert_int_equal(v.changed, 1);
	assert_int_equal(v.missed, 1);
	assert_int_equal(v.missed_page, 1);
	assert_int_equal(v.verified + v.written + v.missed, sample.pages);
}

static void sample_judge_names_the_first_page_missed(void **state)
{
	struct pageset set = empty_set(word);
	struct sample sample = {0};
	struct sample_verdict v;

	(void)state;
	sample_add(&sample, 9);
	sample_add(&sample, 7);
	sample_add(&sample, 5);
	sample.of[1].before = sample.of[2].before = 3;
	v = sample_judge(&sample, &set);
	assert_int_equal(v.missed, 2);
	assert_int_equal(v.missed_page, 7);
}

static void sample_add_takes_each_page_once_until_full(void **state)
{
	static struct sample sample;
	unsigned page;

	(void)state;
	for (page = 0; page < SAMPLE_PAGES_MAX; page++) {
		assert_true(sample_add(&sample, page));
		assert_false(sample_add(&sample, page));
	}
	assert_false(sample_add(&sample, page));
	assert_int_equal(sample.pages, SAMPLE_PAGES_MAX);
}

static void sample_sum_sees_each_bit_and_the_order(void **state)
{
	uint64_t content[8] = {1, 2, 3, 4, 5, 6, 7, 8}, sum, swapped;
	unsigned bit;

	(void)state;
	sum = sample_sum(0, content, 8);
	assert_true(sum ==
		    sample_sum(sample_sum(0, content, 3), content + 3, 5));
	for (bit = 0; bit < 512; bit++) {
		content[bit / 64] ^= UINT64_C(1) << bit % 64;
		assert_true(sample_sum(0, content, 8) != sum);
		content[bit / 64] ^= UINT64_C(1) << bit % 64;
	}
	content[0] = 2;
	content[1] = 1;
	swapped = sample_sum(0, content, 8);
	assert_true(swapped != sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pageset_every_range_holds_its_pages),
		cmocka_unit_test(pageset_beyond_the_end_is_nobodys),
		cmocka_unit_test(pageset_take_moves_and_adds),
		cmocka_unit_test(pageset_find_sees_runs_and_ends),
		cmocka_unit_test(sample_judge_knows_all_four_cases),
		cmocka_unit_test(sample_judge_names_the_first_page_missed),
		cmocka_unit_test(sample_add_takes_each_page_once_until_full),
		cmocka_unit_test(sample_sum_sees_each_bit_and_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
