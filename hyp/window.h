/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Short-lived views of guest pages, which EL2's table does not map otherwise:
 * the fixmap, with the few windows that the hypervisor uses. A window belongs
 * to the CPU that opened it.
 */
#ifndef NW_HYP_WINDOW_H
#define NW_HYP_WINDOW_H

#include <nestwalk/fixmap.h>

enum window {
	WINDOW_FROM,
	WINDOW_TO,
	WINDOW_COUNT,
};

/* Normal, write-back, readable and writable: what windows are made with. */
extern const struct nw_attrs window_attrs;

/* Resolve the slots. One CPU runs; after el2_init(). */
void window_init(enum nw_fixmap_strategy strategy);

/* Open a window onto the page at `pa`. */
void *window_open(enum window window, nw_pa_t pa);

/* Close it: the address is dead on return. */
void window_close(enum window window);

/* On return no CPU reaches any page through a window that was closed before:
 * before such a page goes to the guest. */
void window_retire(void);

#endif
