// SPDX-License-Identifier: BSD-2-Clause
/*
 * ports/posix/host_linux.h against this kernel: each test runs with the exact
 * source, where the kernel has it, and with the fallback. What this machine
 * does not allow is skipped, and says why.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "host_linux.h"

#define MIB (UINT64_C(1) << 20)
#define PMD (2 * MIB)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static struct nw_linux_host host;

static int open_scan(void **state)
{
	(void)state;
	return nw_linux_host_open(&host, 0, NW_LINUX_SCAN);
}

static int open_smaps(void **state)
{
	(void)state;
	return nw_linux_host_open(&host, 0, NW_LINUX_SMAPS);
}

static int close_host(void **state)
{
	(void)state;
	nw_linux_host_close(&host);
	return 0;
}

static struct nw_host_mapping look(const void *at, int *is_coarse)
{
	struct nw_host_mapping m;

	assert_int_equal(
		nw_linux_host_look(&host, NW_HVA((uintptr_t)at), &m, is_coarse),
		0);
	return m;
}

static void expect(const void *at, unsigned size_lg2)
{
	int is_coarse;
	struct nw_host_mapping m = look(at, &is_coarse);

	assert_int_equal(m.size_lg2, size_lg2);
	assert_int_equal(m.is_mapped, size_lg2 != 0);
	assert_int_equal(is_coarse, 0);
}

/* So many bytes on a huge page's boundary; nothing of it is touched. */
static char *reserve(size_t bytes)
{
	char *p = mmap(NULL, bytes + PMD, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return (char *)(((uintptr_t)p + PMD - 1) & ~(uintptr_t)(PMD - 1));
}

/* ---- small pages ------------------------------------------------------------
 */

static void test_untouched_page_is_none_and_touched_one_is_small(void **state)
{
	char *p = reserve(PMD);

	(void)state;
	assert_int_equal(madvise(p, PMD, MADV_NOHUGEPAGE), 0);
	expect(p, 0);
	p[4096] = 1;
	expect(p, 0);
	expect(p + 4096, 12);
	assert_int_equal(look(p + 4096, NULL).prot, NW_PROT_RW);
	assert_int_equal(mprotect(p, PMD, PROT_READ), 0);
	assert_int_equal(look(p + 4096, NULL).prot, NW_PROT_R);
	assert_int_equal(munmap(p, PMD), 0);
	expect(p + 4096, 0);
}

/* ---- transparent huge pages
 * --------------------------------------------------- */

/* A huge page that is there, or the test is skipped. */
static char *huge(void)
{
	char *p = reserve(2 * PMD);

	if (madvise(p, PMD, MADV_HUGEPAGE)) {
		print_message("[ no huge ] madvise: %s\n", strerror(errno));
		skip();
	}
	memset(p, 1, PMD);
	if (madvise(p, PMD, MADV_COLLAPSE) && look(p, NULL).size_lg2 != 21) {
		print_message("[ no huge ] this kernel makes none here\n");
		skip();
	}
	return p;
}

static void test_huge_page_is_seen_from_each_address_in_it(void **state)
{
	char *p = huge();

	(void)state;
	expect(p, 21);
	expect(p + PMD / 2 + 5, 21);
	expect(p + PMD - 1, 21);
	expect(p + PMD, 0);
	assert_int_equal(look(p, NULL).level, 1);
	munmap(p, 2 * PMD);
}

static void test_huge_page_with_a_hole_is_many_small_ones(void **state)
{
	char *p = huge();

	(void)state;
	assert_int_equal(madvise(p + 8 * 4096, 4096, MADV_DONTNEED), 0);
	expect(p, 12);
	expect(p + 8 * 4096, 0);
	expect(p + PMD - 1, 12);
	munmap(p, 2 * PMD);
}

static void test_pages_that_are_collapsed_become_a_huge_one(void **state)
{
	char *p = reserve(PMD);

	(void)state;
	assert_int_equal(madvise(p, PMD, MADV_NOHUGEPAGE), 0);
	memset(p, 1, PMD);
	expect(p + 4096, 12);
	assert_int_equal(madvise(p, PMD, MADV_HUGEPAGE), 0);
	if (madvise(p, PMD, MADV_COLLAPSE)) {
		print_message("[ no huge ] MADV_COLLAPSE: %s\n",
			      strerror(errno));
		skip();
	}
	expect(p + 4096, 21);
	munmap(p, PMD);
}

/* One mapping, a huge page and small ones: only the scan can tell. */
static void
test_mapping_that_is_partly_huge_is_exact_or_says_coarse(void **state)
{
	char *p = huge();
	int is_coarse;
	unsigned size_lg2;

	(void)state;
	assert_int_equal(madvise(p + PMD, PMD, MADV_HUGEPAGE), 0);
	memset(p + PMD, 1, PMD);
	if (madvise(p + PMD, PMD, MADV_COLLAPSE) && errno == EINVAL)
		skip();
	assert_int_equal(madvise(p + PMD + 4096, 4096, MADV_DONTNEED), 0);
	size_lg2 = look(p, &is_coarse).size_lg2;
	if (host.source == NW_LINUX_SCAN) {
		assert_int_equal(size_lg2, 21);
		assert_int_equal(is_coarse, 0);
		expect(p + PMD, 12);
	} else {
		assert_int_equal(size_lg2, 12);
		assert_int_equal(is_coarse, 1);
	}
	munmap(p, 2 * PMD);
}

/* ---- hugetlbfs
 * ---------------------------------------------------------------- */

static void test_hugetlb_page_has_its_mappings_size(void **state)
{
	char *p = mmap(NULL, PMD, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	(void)state;
	if (p == MAP_FAILED) {
		print_message("[ no hugetlb ] %s (vm.nr_hugepages)\n",
			      strerror(errno));
		skip();
	}
	expect(p, 0);
	p[0] = 1;
	expect(p, 21);
	expect(p + PMD - 1, 21);
	munmap(p, PMD);
}

/* ---- arguments
 * ----------------------------------------------------------------- */

static void test_process_that_is_not_there_is_refused(void **state)
{
	struct nw_linux_host other = {.pagemap = -7};

	(void)state;
	assert_int_equal(nw_linux_host_open(&other, 0x3fffffff, NW_LINUX_SCAN),
			 ENOENT);
	assert_int_equal(other.pagemap, -7);
	assert_int_equal(nw_linux_host_open(&other, 0, NW_LINUX_SMAPS), 0);
	assert_int_equal(other.source, NW_LINUX_SMAPS);
	nw_linux_host_close(&other);
}

#define WITH(test)                                                             \
	{"scan: " #test, test, open_scan, close_host, NULL},                   \
	{                                                                      \
		"smaps: " #test, test, open_smaps, close_host, NULL            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_untouched_page_is_none_and_touched_one_is_small),
		WITH(test_huge_page_is_seen_from_each_address_in_it),
		WITH(test_huge_page_with_a_hole_is_many_small_ones),
		WITH(test_pages_that_are_collapsed_become_a_huge_one),
		WITH(test_mapping_that_is_partly_huge_is_exact_or_says_coarse),
		WITH(test_hugetlb_page_has_its_mappings_size),
		cmocka_unit_test(test_process_that_is_not_there_is_refused),
	};

	open_scan(NULL);
	print_message("source: %s\n",
		      host.source == NW_LINUX_SCAN
			      ? "PAGEMAP_SCAN"
			      : "pagemap and smaps (this kernel "
				"has no PAGEMAP_SCAN)");
	close_host(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
