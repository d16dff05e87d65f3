/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that back no page, oldest first. Each is full of poison: a CPU that
 * still uses an old translation reads that, or damages it, which is seen when
 * the frame is taken again. Of the spare CPU alone.
 */
#ifndef NW_HYP_POOL_H
#define NW_HYP_POOL_H

#include <nestwalk/types.h>

/* Fill it with the spare frames, which are still to be poisoned. After
 * vm_init(). */
void pool_init(void);

/* Poison all of it. */
void pool_poison(void);

unsigned pool_frames(void);

/* The oldest frame; there is one. */
nw_pa_t pool_take(void);

/* Fill a frame with poison, */
void pool_poison_frame(nw_pa_t frame);
/* and make it the newest of the pool. */
void pool_put(nw_pa_t frame);

/* Take all frames of [start, start + bytes) out; returns how many. They are
 * the caller's, who finds them by their addresses. */
unsigned pool_hold(uint64_t start, uint64_t bytes);

/* The n-th frame; 0: there are no more. Only while the CPU is stopped. */
int pool_frame(unsigned n, nw_pa_t *frame);

/* One 4 KiB piece of a frame, in a window: whether the poison is there, told
 * and counted if not. */
void pool_check_poison(const uint64_t *word, nw_pa_t piece);

#endif
