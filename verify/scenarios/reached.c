/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A primitive knows its return address; the debugging information knows which
 * line, and which inlined functions, that is. addr2line is asked once for each
 * address in the life of the program.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../explore/explore.h"
#include "reached.h"

#define KNOWN_MAX 4096u

static struct {
	uintptr_t pc;
	uint64_t points;
} known[KNOWN_MAX];
static unsigned known_n;
static const char *problem;

const char *nws_reached_problem(void)
{
	return problem;
}

static uint64_t points_at(const char *path, unsigned line)
{
	uint64_t points = 0;

	for (const struct nws_ord_place *p = nws_ord_places; p->file; p++) {
		size_t n = strlen(path), tail = strlen(p->file);

		if (n >= tail && !strcmp(path + n - tail, p->file) &&
		    line >= p->first && line <= p->last)
			points |= UINT64_C(1) << p->number;
	}
	return points;
}

static int is_known(uintptr_t pc)
{
	for (unsigned i = 0; i < known_n; i++)
		if (known[i].pc == pc)
			return 1;
	return 0;
}

/* "path/with/../dots/file.c:12 (discriminator 3)"; dots are resolved. */
static uint64_t points_of_line(char *text)
{
	char *colon = strrchr(text, ':'), *up;

	if (!colon)
		return 0;
	*colon = 0;
	while ((up = strstr(text, "/../"))) {
		char *from = up;

		while (from > text && from[-1] != '/')
			from--;
		if (from == text || !strncmp(from, "..", 2))
			break;
		memmove(from, up + 4, strlen(up + 4) + 1);
	}
	return points_at(text, (unsigned)strtoul(colon + 1, NULL, 10));
}

/* -a prints each address before its lines, so that they can be told apart. */
static void ask(const char *command, uintptr_t base)
{
	FILE *f = popen(command, "r");
	char line[1024];
	int lines = 0;

	if (!f) {
		problem = "addr2line cannot be started";
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "0x", 2)) {
			known[known_n].pc = strtoull(line, NULL, 16) + base + 1;
			known[known_n++].points = 0;
		} else if (known_n) {
			lines += !strchr(line, '?');
			known[known_n - 1].points |= points_of_line(line);
		}
	}
	if (pclose(f) || !lines)
		problem = "addr2line (binutils) is not installed, or this "
			  "program was built without -g";
}

static void learn(const uintptr_t *pc, unsigned n)
{
	char command[4096 + 20 * 64], exe[1024];
	unsigned asked = 0;
	uintptr_t base;
	size_t at = 0;
	Dl_info info;
	ssize_t bytes = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (bytes <= 0 || !dladdr((void *)(uintptr_t)&nws_reached, &info) ||
	    strchr((exe[bytes] = 0, exe), '\'')) {
		problem = "this program's own file is not found";
		return;
	}
	base = (uintptr_t)info.dli_fbase;
	for (unsigned i = 0; i < n; i++) {
		if (is_known(pc[i]) || known_n + asked >= KNOWN_MAX)
			continue;
		if (!asked)
			at = (size_t)snprintf(command, sizeof(command),
					      "addr2line -a -i -e '%s'", exe);
		at += (size_t)snprintf(command + at, sizeof(command) - at,
				       " 0x%llx",
				       (unsigned long long)(pc[i] - base - 1));
		if (++asked == 64) {
			strcat(command, " 2>&1");
			ask(command, base);
			asked = 0;
		}
	}
	if (asked) {
		strcat(command, " 2>&1");
		ask(command, base);
	}
}

uint64_t nws_reached(void)
{
	const uintptr_t *pc;
	unsigned n = nwx_callers(&pc);
	uint64_t points = 0;

	if (n && !problem)
		learn(pc, n);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < known_n; k++)
			if (known[k].pc == pc[i])
				points |= known[k].points;
	return points;
}

char *nws_reached_text(uint64_t points, char *text, size_t bytes)
{
	size_t at = 0;

	snprintf(text, bytes, "-");
	for (unsigned i = 0; i < 64; i++)
		if (points >> i & 1 && at + 4 < bytes)
			at += (size_t)snprintf(text + at, bytes - at, "%s%02u",
					       at ? " " : "", i);
	return text;
}
