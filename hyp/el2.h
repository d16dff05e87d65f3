/* SPDX-License-Identifier: BSD-2-Clause */
/* EL2's own stage-1 table: the hypervisor's memory and nothing else. */
#ifndef NW_HYP_EL2_H
#define NW_HYP_EL2_H

#include <nestwalk/table.h>

/*
 * Build the table through the library (text RX, rodata R, data and heap RW,
 * UART device RW; never W and X), then turn MMU and caches on. One CPU, MMU
 * off.
 */
void el2_init(unsigned pa_bits);

/* False on every CPU until the first one has its MMU on. */
int el2_mmu_is_on(void);

/*
 * The table that a CPU walks: one for all, or its own. Nothing but fixmap slots
 * changes in it once a second CPU runs, so it has no lock.
 */
struct nw_table *el2_table(unsigned cpu);

/* Give every other CPU a root of its own, with the same mappings. Before any
 * of them is started. */
void el2_make_private_roots(unsigned pa_bits);

/*
 * Map machine memory read-only for a moment at boot, at its own address, on the
 * first CPU. The range grows to whole pages. Before el2_make_private_roots().
 */
const void *el2_map_boot(uint64_t pa, uint64_t bytes);
void el2_unmap_boot(uint64_t pa, uint64_t bytes);

#endif
