/* SPDX-License-Identifier: BSD-2-Clause */
/* What obligation.c and phases.c share, and nobody else needs. */
#ifndef NWV_CHECK_OBLIGATION_LISTS_H
#define NWV_CHECK_OBLIGATION_LISTS_H

#include "obligation.h"

/* An obligation with exactly this content; one at the same entry is replaced.
 * 0: stopped. */
uint32_t nwv_ob_new(struct nwv_check *c, const struct nwv_ob *value);

/* Into the list of another phase; NWV_CLEAN drops it. */
void nwv_ob_move(struct nwv_check *c, uint32_t number, enum nwv_phase phase,
		 unsigned cpu);

/* Give each leaf and table of a dropped subtree an obligation of its own. */
void nwv_ob_expand(struct nwv_check *c, uint32_t number);

#endif
