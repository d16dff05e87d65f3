// SPDX-License-Identifier: BSD-2-Clause
/* Semihosting for AArch64: HLT 0xf000, the operation in w0, its block in x1. */
#include "host.h"

#include "../../../hyp/lib.h"

enum {
	SYS_WRITE0 = 0x04,
	SYS_GET_CMDLINE = 0x15,
	SYS_EXIT = 0x18,
};
#define STOPPED_APPLICATION_EXIT 0x20026u
#define KNOBS_MAX		 256u

static uint64_t semihost(uint64_t operation, const volatile void *block)
{
	register uint64_t x0 __asm__("x0") = operation;
	register const volatile void *x1 __asm__("x1") = block;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	return x0;
}

void host_print(const char *format, ...)
{
	char line[400];
	va_list args;

	va_start(args, format);
	format_text(line, sizeof(line), format, args);
	va_end(args);
	semihost(SYS_WRITE0, line);
}

/* Cut at blanks into strings, once; two NULs end it. */
static const char *knobs(void)
{
	static char text[KNOBS_MAX + 2];
	static int is_read;
	volatile uint64_t block[2] = {(uintptr_t)text, KNOBS_MAX};

	if (is_read)
		return text;
	is_read = 1;
	if (semihost(SYS_GET_CMDLINE, block))
		memset(text, 0, sizeof(text));
	for (unsigned i = 0; i < KNOBS_MAX; i++)
		if (text[i] == ' ')
			text[i] = 0;
	return text;
}

const char *host_knob(const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = knobs(); *at; at += strlen(at) + 1)
		if (!strncmp(at, name, length) && at[length] == '=')
			return at + length + 1;
	return "";
}

uint64_t host_knob_number(const char *name, uint64_t otherwise)
{
	const char *at = host_knob(name);
	uint64_t value = 0;

	if (!*at)
		return otherwise;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (*at) {
		host_print("%s=%s: not a number; next: digits only\n", name,
			   host_knob(name));
		host_exit(2);
	}
	return value;
}

void host_exit(unsigned status)
{
	volatile uint64_t block[2] = {STOPPED_APPLICATION_EXIT, status};

	for (;;)
		semihost(SYS_EXIT, block);
}
