/* SPDX-License-Identifier: BSD-2-Clause */
/* What obligation.c, groups.c, outputs.c and phases.c share, and nobody else
 * needs. */
#ifndef NWV_CHECK_OBLIGATION_LISTS_H
#define NWV_CHECK_OBLIGATION_LISTS_H

#include "obligation.h"

/* ---- obligation.c ------------------------------------------------------ */

/*
 * An obligation with exactly this content; one at the same entry is replaced.
 * It joins `group`, or, with 0, whichever its phase, root and tag say. 0:
 * stopped.
 */
uint32_t nwv_ob_new(struct nwv_check *c, const struct nwv_ob *value,
		    uint32_t group);

/* What nwv_ob_drop() does once it has left its group. */
void nwv_ob_forget(struct nwv_check *c, uint32_t number);

/* ---- groups.c ---------------------------------------------------------- */

static inline enum nwv_phase nwv_ob_phase(const struct nwv_check *c,
					  const struct nwv_ob_slot *o)
{
	return (enum nwv_phase)c->group[o->group].phase;
}

/* The group to join; made when there is none. 0: stopped. */
uint32_t nwv_group_for(struct nwv_check *c, enum nwv_phase phase, uint16_t root,
		       uint16_t tag, unsigned cpu);
/* 0: stopped. */
uint32_t nwv_group_new(struct nwv_check *c, enum nwv_phase phase, uint16_t root,
		       uint16_t tag, unsigned cpu);
/* -1: stopped. */
int nwv_group_join(struct nwv_check *c, uint32_t group, uint32_t ob);
void nwv_group_leave(struct nwv_check *c, uint32_t ob);

/* Another CPU's barrier serves this one as well: NWV_CLEAN, or
 * NWV_AWAIT_COMBINED for what that barrier leads to. */
void nwv_ob_also(struct nwv_check *c, uint32_t ob, enum nwv_phase leads_to,
		 unsigned cpu);
void nwv_group_also(struct nwv_check *c, uint32_t group,
		    enum nwv_phase leads_to, unsigned cpu);

/* One obligation to another phase, not NWV_CLEAN. */
void nwv_ob_move(struct nwv_check *c, uint32_t ob, enum nwv_phase phase,
		 unsigned cpu);
/* All of a group; NWV_CLEAN drops them. */
void nwv_group_move(struct nwv_check *c, uint32_t group, enum nwv_phase phase,
		    unsigned cpu);

/* ---- phases.c ---------------------------------------------------------- */

/* Give each leaf and table of a dropped subtree an obligation of its own. */
void nwv_ob_expand(struct nwv_check *c, uint32_t number);

/* ---- outputs.c --------------------------------------------------------- */

/* A new leaf: find it by output address from now on. -1: stopped. */
int nwv_oa_note(struct nwv_check *c, uint32_t number);
void nwv_oa_unlink(struct nwv_check *c, uint32_t number);

#endif
