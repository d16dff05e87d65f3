/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixmap_test.h"

int main(void)
{
	int failed = run_window_tests();

	failed += run_misuse_tests();
	return failed + run_property_tests();
}
