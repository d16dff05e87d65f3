/* SPDX-License-Identifier: BSD-2-Clause */
/* The world outside, over semihosting: a console, knobs, the end. */
#ifndef NW_MMU_HOST_H
#define NW_MMU_HOST_H

#include <stdint.h>

/* hyp/lib.h's format_text() says what is understood. */
__attribute__((format(printf, 1, 2))) void host_print(const char *format, ...);

/* The text after "name=" on the command line; "" if it is not there. */
const char *host_knob(const char *name);
/* The same as a decimal number. */
uint64_t host_knob_number(const char *name, uint64_t otherwise);

__attribute__((noreturn)) void host_exit(unsigned status);

#endif
