/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of the guest to other frames; whole blocks back to their own. On the
 * spare CPU alone. */
#ifndef NW_HYP_MOVE_H
#define NW_HYP_MOVE_H

#include <stdint.h>

#define MOVE_PAGES_MAX 8 /* under one invalidation */

/* Move what is mapped of `pages` pages from `ipa` on; returns how many. */
unsigned move_pages(uint64_t ipa, unsigned pages);

/*
 * Gather a block whose pages were moved back into its own frames, and collapse
 * it: whoever has one of those is moved away, each page moved home, holes are
 * filled, rights made equal. Returns how many pages were moved; 0 too where the
 * pool is too small for that.
 */
unsigned move_gather(uint64_t block);

/* Collapse a block of RAM of which each page is in its own frame: fill what is
 * not mapped, and make rights equal if they are not. A fault that maps or
 * repairs in between may win. */
void move_collapse(uint64_t block);

#endif
