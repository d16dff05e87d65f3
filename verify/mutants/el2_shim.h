/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read before every source of the EL2 port, so that it runs on this machine:
 * an instruction becomes a call that is told its text, a tracepoint a call that
 * is told the event. What the header needs of libc comes first, for `volatile`
 * and `__asm__` mean something else afterwards.
 */
#ifndef EL2_SHIM_H
#define EL2_SHIM_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nestwalk/trace.h>

/* The instruction in `text`, between quotes, is executed. */
int el2_asm(const char *text);
void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line);

/* An invalidation's third argument is a register of EL2: left out. */
#undef NW_TRACE
#define NW_TRACE(event, a, b, c)                                               \
	el2_trace((event), (uint64_t)(a), (uint64_t)(b),                       \
		  (event) == NW_EV_TLBI ? 0 : (uint64_t)(c), __FILE__,         \
		  __LINE__)

#define EL2_TEXT(...) #__VA_ARGS__
/* __asm__ volatile(...) stays one statement ... */
#define volatile(...)                                                          \
	("" : : "r"(el2_asm(EL2_TEXT(__VA_ARGS__))) : "memory")
/* ... and __asm__(...), which only reads registers, becomes none. */
#define __asm__(...)

#endif
