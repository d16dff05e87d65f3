/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spare CPU: while the guest runs it moves random pages of the guest to
 * other frames, splits blocks on the way, and now and then unmaps a range,
 * which the guest faults in again.
 */
#ifndef NW_HYP_SHAKER_H
#define NW_HYP_SHAKER_H

#include <nestwalk/types.h>

#include "params.h"

/* Fill the pool with the spare frames. Needs nothing but the fixmap windows,
 * called once at boot, on the CPU that boots. */
void shaker_init(const struct params *params);

/* Start the spare CPU, number `cpu`. */
void shaker_start(unsigned cpu);

/* What the spare CPU runs. */
__attribute__((noreturn)) void shaker_main(void);

/* Wait until it has seen vm.is_off and stopped; at once if none was started. */
void shaker_wait(void);

/* The pool's n-th frame; 0: there are no more. Only while it is stopped. */
int shaker_pool_frame(unsigned n, nw_pa_t *frame);

#endif
