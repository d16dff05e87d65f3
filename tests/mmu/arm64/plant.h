/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Defects on purpose (plant=NAME), to see that the judge can fail:
 * address  one output address bit is wrong in the entry; nw_lookup() undoes it
 * right    the entry lacks the write right; decoding gives it back
 * execute  the entry lacks both rights to execute; the same
 * type     write-back memory is write-through in the entry; the same
 * sl0, t0sz  VTCR_EL2 or TCR_ELx with one bit of the field inverted
 * tlbi     no invalidation
 */
#ifndef NW_MMU_PLANT_H
#define NW_MMU_PLANT_H

#include <nestwalk/table.h>

/* Exits with a message for a name that is none of the above; "" is none. */
void plant_choose(const char *name);

/* A format with the chosen defect, or `ops` itself. */
const struct nw_format_ops *plant_ops(const struct nw_format_ops *ops);

int plant_no_tlbi(void);

/* Then the CPU is not sent to an address: it might not come back. */
int plant_may_hang(void);

/* Bits of the control register to invert. */
uint64_t plant_flip(void);

#endif
