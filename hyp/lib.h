/* SPDX-License-Identifier: BSD-2-Clause */
/* The few functions of a C library that compiler, libfdt and we need. */
#ifndef NW_HYP_LIB_H
#define NW_HYP_LIB_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *s, int c, size_t bytes);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t limit);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);

/*
 * %s %c %d %u %x %lu %lx %%, a width, and 0 for padding. Writes at most
 * `bytes`, the final NUL included; returns the length written.
 */
size_t format_text(char *to, size_t bytes, const char *format, va_list args);

#endif
