/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain loops: at -O2 with general registers only that is good enough, and
 * nothing here may read past what it was given. */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t bytes)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (!(((uintptr_t)d | (uintptr_t)s) & 7)) {
		for (; bytes >= 8; bytes -= 8, d += 8, s += 8)
			*(uint64_t *)(void *)d =
				*(const uint64_t *)(const void *)s;
	}
	while (bytes--)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= bytes)
		return memcpy(to, from, bytes);
	while (bytes--)
		d[bytes] = s[bytes];
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	uint8_t *d = to;

	if (!value && !((uintptr_t)d & 7)) {
		for (; bytes >= 8; bytes -= 8, d += 8)
			*(uint64_t *)(void *)d = 0;
	}
	while (bytes--)
		*d++ = (uint8_t)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;

	for (; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t bytes)
{
	const uint8_t *p = s;

	for (; bytes; bytes--, p++)
		if (*p == (uint8_t)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t limit)
{
	size_t n = 0;

	while (n < limit && s[n])
		n++;
	return n;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)(uintptr_t)found;
	}
}

int strncmp(const char *a, const char *b, size_t limit)
{
	for (; limit; limit--, a++, b++)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

/* ---- formatted text --------------------------------------------------- */

struct text_out {
	char *to;
	size_t bytes;
	size_t used;
};

static void put(struct text_out *out, char c)
{
	if (out->used + 1 < out->bytes)
		out->to[out->used++] = c;
}

static void put_number(struct text_out *out, uint64_t v, unsigned base,
		       unsigned width, char pad)
{
	char digit[24];
	unsigned n = 0;

	do {
		digit[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (width > n && width--)
		put(out, pad);
	while (n)
		put(out, digit[--n]);
}

static void put_string(struct text_out *out, const char *s, unsigned width)
{
	size_t n = 0;

	if (!s)
		s = "(null)";
	for (; s[n]; n++)
		put(out, s[n]);
	for (; n < width; n++)
		put(out, ' ');
}

size_t format_text(char *to, size_t bytes, const char *format, va_list args)
{
	struct text_out out = {to, bytes, 0};

	for (; *format; format++) {
		unsigned width = 0, is_long = 0;
		char pad = ' ';
		int64_t v;

		if (*format != '%') {
			put(&out, *format);
			continue;
		}
		if (*++format == '0')
			pad = *format++;
		while (*format >= '0' && *format <= '9')
			width = width * 10 + (unsigned)(*format++ - '0');
		if (*format == 'l')
			is_long = 1, format++;
		switch (*format) {
		case 's':
			put_string(&out, va_arg(args, const char *), width);
			break;
		case 'c':
			put(&out, (char)va_arg(args, int));
			break;
		case 'd':
			v = is_long ? va_arg(args, int64_t) : va_arg(args, int);
			if (v < 0)
				put(&out, '-');
			put_number(&out, v < 0 ? -(uint64_t)v : (uint64_t)v, 10,
				   width, pad);
			break;
		case 'u':
		case 'x':
			put_number(&out,
				   is_long ? va_arg(args, uint64_t) :
					     va_arg(args, unsigned),
				   *format == 'u' ? 10 : 16, width, pad);
			break;
		case '\0':
			format--;
			break;
		default:
			put(&out, *format);
			break;
		}
	}
	if (bytes)
		to[out.used] = '\0';
	return out.used;
}

/* ---- what a hosted compiler's objects (libfdt) expect ----------------- */

extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard = 0x6e77636f6d706163;
