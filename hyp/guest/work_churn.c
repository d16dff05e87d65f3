// SPDX-License-Identifier: BSD-2-Clause
/*
 * The other uses that a system makes of its memory: page tables built and
 * torn down (fork and exec), the page cache (files in a tmpfs) and code that
 * was written a moment ago.
 */
#define _GNU_SOURCE
#include "guestwork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_PAGES 64u
#define CODE_PAGES 16u

int gw_exec_answer(uint64_t number)
{
	uint64_t x = number;

	for (unsigned i = 0; i < 1000; i++)
		x = gw_mix(x + i);
	return (int)(x % 100) + 20;
}

int gw_exec_child(const char *number)
{
	return gw_exec_answer(strtoull(number, NULL, 10));
}

static int exec_once(uint64_t number)
{
	char text[24];
	int status = 0;
	pid_t pid;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	pid = fork();
	if (pid < 0)
		return errno == EAGAIN || errno == ENOMEM
			       ? 0
			       : gw_fail("fork errno=%d", errno);
	if (pid == 0) {
		execl("/proc/self/exe", "guestwork", "--exec-child", text,
		      (char *)NULL);
		_exit(1);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return gw_fail("waitpid errno=%d", errno);
	if (WIFSIGNALED(status))
		return gw_fail("exec child killed by signal=%d",
			       WTERMSIG(status));
	if (WEXITSTATUS(status) != gw_exec_answer(number))
		return gw_fail("exec answer number=%llu expected=%d found=%d",
			       (unsigned long long)number,
			       gw_exec_answer(number), WEXITSTATUS(status));
	atomic_fetch_add(&gw_shared->execs, 1);
	return 0;
}

int gw_exec_worker(unsigned index)
{
	for (unsigned round = 0; !gw_stopping(); round++) {
		gw_move_to_cpu(index, round);
		if (exec_once(((uint64_t)index << 32) + round))
			return 1;
	}
	return 0;
}

static void file_page(uint64_t *page, uint64_t seed)
{
	for (unsigned i = 0; i < GW_PAGE_BYTES / sizeof(*page); i++)
		page[i] = gw_mix(seed + i);
}

static int file_write(const char *path, uint64_t seed)
{
	uint64_t page[GW_PAGE_BYTES / sizeof(uint64_t)];
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return gw_fail("open %s errno=%d", path, errno);
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		file_page(page, seed + i * 4096ull);
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page)) {
			close(fd);
			return gw_fail("write %s page=%u errno=%d", path, i,
				       errno);
		}
	}
	close(fd);
	return 0;
}

static int file_compare(const char *path, uint64_t seed)
{
	uint64_t want[GW_PAGE_BYTES / sizeof(uint64_t)];
	uint64_t have[GW_PAGE_BYTES / sizeof(uint64_t)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return gw_fail("open %s errno=%d", path, errno);
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		file_page(want, seed + i * 4096ull);
		memset(have, 0, sizeof(have));
		if (read(fd, have, sizeof(have)) == (ssize_t)sizeof(have) &&
		    memcmp(want, have, sizeof(have)) == 0)
			continue;
		close(fd);
		for (unsigned w = 0; w < GW_PAGE_BYTES / sizeof(*want); w++)
			if (want[w] != have[w])
				return gw_fail(
					"file %s page=%u word=%u "
					"expected=0x%016llx found=0x%016llx",
					path, i, w,
					(unsigned long long)want[w],
					(unsigned long long)have[w]);
		return gw_fail("file %s page=%u short read", path, i);
	}
	close(fd);
	return 0;
}

int gw_file_worker(unsigned index)
{
	char path[2][40];
	uint64_t seed[2] = { 0, 0 };

	for (unsigned i = 0; i < 2; i++)
		snprintf(path[i], sizeof(path[i]), "/tmp/work-%u-%u", index, i);
	for (unsigned round = 0; !gw_stopping(); round++) {
		unsigned now = round & 1;

		gw_move_to_cpu(index, round);
		seed[now] = ((uint64_t)index << 48) + ((uint64_t)round << 24);
		if (file_write(path[now], seed[now]))
			return 1;
		/* The other file has had a round's time to be moved. */
		if (round && file_compare(path[!now], seed[!now]))
			return 1;
		if (file_compare(path[now], seed[now]))
			return 1;
		atomic_fetch_add(&gw_shared->files, 1);
	}
	unlink(path[0]);
	unlink(path[1]);
	return 0;
}

#if defined(__aarch64__)
/* movz w0, #low; movk w0, #high, lsl #16; ret */
static void code_write(uint32_t *code, uint32_t value)
{
	code[0] = 0x52800000u | (value & 0xffff) << 5;
	code[1] = 0x72a00000u | (value >> 16) << 5;
	code[2] = 0xd65f03c0u;
}

/*
 * Write a function into fresh memory, make it executable, call it; then the
 * same memory again with another constant, so that a stale instruction or a
 * stale translation returns the wrong one.
 */
static int code_once(uint8_t *memory, unsigned index, unsigned round)
{
	size_t bytes = CODE_PAGES * GW_PAGE_BYTES;

	if (mprotect(memory, bytes, PROT_READ | PROT_WRITE))
		return gw_fail("mprotect rw errno=%d", errno);
	for (unsigned i = 0; i < CODE_PAGES; i++) {
		uint64_t seed = ((uint64_t)index << 40) + round * 64ull + i;

		code_write((uint32_t *)(memory + i * GW_PAGE_BYTES),
			   (uint32_t)gw_mix(seed));
	}
	if (mprotect(memory, bytes, PROT_READ | PROT_EXEC))
		return gw_fail("mprotect rx errno=%d", errno);
	__builtin___clear_cache((char *)memory, (char *)memory + bytes);
	for (unsigned i = 0; i < CODE_PAGES; i++) {
		uint64_t seed = ((uint64_t)index << 40) + round * 64ull + i;
		uint32_t (*function)(void) =
			(uint32_t (*)(void))(memory + i * GW_PAGE_BYTES);
		uint32_t found = function();

		if (found != (uint32_t)gw_mix(seed))
			return gw_fail("code va=%p round=%u expected=0x%08x "
				       "found=0x%08x",
				       (void *)(memory + i * GW_PAGE_BYTES),
				       round, (uint32_t)gw_mix(seed), found);
	}
	atomic_fetch_add(&gw_shared->codes, CODE_PAGES);
	return 0;
}
#else
static int code_once(uint8_t *memory, unsigned index, unsigned round)
{
	(void)memory;
	(void)index;
	(void)round;
	usleep(1000);
	return 0; /* counts nothing: the verdict asks for codes > 0 */
}
#endif

int gw_code_worker(unsigned index)
{
	size_t bytes = CODE_PAGES * GW_PAGE_BYTES;

	for (unsigned round = 0; !gw_stopping();) {
		uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return gw_fail("mmap of code errno=%d", errno);
		gw_move_to_cpu(index, round);
		for (unsigned i = 0; i < 32 && !gw_stopping(); i++, round++)
			if (code_once(memory, index, round))
				return 1;
		munmap(memory, bytes);
	}
	return 0;
}
