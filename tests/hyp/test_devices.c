/* SPDX-License-Identifier: BSD-2-Clause */
/* Which neighbours a device's stage-2 pages would let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../hyp/devices.h"

#define KIB UINT64_C(1024)

static const struct device_range uart = {0x9000000, 0x9001000};

static int reach(uint64_t start, uint64_t bytes, uint64_t page_bytes)
{
	struct device_range other = {start, start + bytes};

	return device_pages_reach(uart, other, page_bytes);
}

static void devices_in_pages_of_their_own_are_apart(void **state)
{
	(void)state;
	assert_false(reach(0x9001000, 0x1000, 4 * KIB));
	assert_false(reach(0x8fff000, 0x1000, 4 * KIB));
	assert_false(reach(0x9004000, 0x1000, 16 * KIB));
	/* As on QEMU's virt machine. */
	assert_false(reach(0x9010000, 0x1000, 64 * KIB));
	assert_false(reach(0x80a0000, 0xf60000, 64 * KIB));
	assert_false(reach(0x9020000, 0x18, 64 * KIB));
}

static void devices_in_one_page_reach_each_other(void **state)
{
	(void)state;
	assert_true(reach(0x9001000, 0x1000, 16 * KIB));
	assert_true(reach(0x9003fff, 1, 16 * KIB));
	assert_true(reach(0x9004000, 0x1000, 64 * KIB));
	assert_true(reach(0x900fff8, 8, 64 * KIB));
	assert_true(reach(0x8fff000, 0x1001, 4 * KIB));
	assert_true(reach(0x8000000, 0x2000000, 4 * KIB));
}

static void devices_pages_cover_the_range_and_no_page_more(void **state)
{
	uint64_t page, start, end;

	(void)state;
	for (page = 4 * KIB; page <= 64 * KIB; page *= 4)
		for (start = 0; start < 3 * page; start += page / 4)
			for (end = start + 1; end < 4 * page; end += page / 4) {
				struct device_range r = {start, end};
				struct device_range p = device_pages(r, page);

				assert_true(p.start <= start && end <= p.end);
				assert_true(start - p.start < page);
				assert_true(p.end - end < page);
				assert_int_equal((p.start | p.end) % page, 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_in_pages_of_their_own_are_apart),
		cmocka_unit_test(devices_in_one_page_reach_each_other),
		cmocka_unit_test(
			devices_pages_cover_the_range_and_no_page_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
