// SPDX-License-Identifier: BSD-2-Clause
/*
 * Touch physical addresses that a guest must not reach (the hypervisor's
 * memory, fw_cfg) through /dev/mem. Each read must end in SIGBUS, from an
 * external abort, and the guest must live on to tell.
 */
#define _GNU_SOURCE
#include "guestwork.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf back;

static void on_bus_error(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

/* 0: refused as it must be; 1 after gw_fail(). */
static int probe_one(int fd, uint64_t address)
{
	off_t page = (off_t)(address & ~(uint64_t)(GW_PAGE_BYTES - 1));
	volatile uint32_t *p = mmap(NULL, GW_PAGE_BYTES, PROT_READ, MAP_SHARED,
				    fd, page);
	uint32_t found;

	if ((void *)p == MAP_FAILED)
		return gw_fail("probe 0x%llx mmap errno=%d",
			       (unsigned long long)address, errno);
	if (sigsetjmp(back, 1) == 0) {
		found = p[(address - (uint64_t)page) / sizeof(*p)];
		return gw_fail("probe 0x%llx could be read: 0x%08x",
			       (unsigned long long)address, found);
	}
	munmap((void *)p, GW_PAGE_BYTES);
	atomic_fetch_add(&gw_shared->probes, 1);
	return 0;
}

int gw_probe(const char *list)
{
	struct sigaction action = { .sa_handler = on_bus_error };
	int fd = open("/dev/mem", O_RDONLY | O_SYNC | O_CLOEXEC);

	if (fd < 0)
		return gw_fail("open /dev/mem errno=%d", errno);
	sigaction(SIGBUS, &action, NULL);
	while (*list) {
		char *end;
		uint64_t address = strtoull(list, &end, 16);

		if (end == list)
			return gw_fail("probe list '%s'", list);
		if (probe_one(fd, address))
			return 1;
		list = *end == ',' ? end + 1 : end;
	}
	close(fd);
	signal(SIGBUS, SIG_DFL);
	return 0;
}
