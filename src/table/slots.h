/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaf entries that are resolved once and written many times (the fixmap).
 */
#ifndef NW_TABLE_SLOTS_H
#define NW_TABLE_SLOTS_H

#include <nestwalk/table.h>

/*
 * Build the tables down to the entry of `level` over `ia` and return a
 * permanent reference to it. The entry is empty and belongs to the caller: its
 * table page stays until nw_table_destroy(), and the caller passes no range
 * that covers it to another operation.
 *
 * Locks: the table's writer.
 * NW_E_EXISTS  something is mapped there
 * NW_E_NOMEM   tables built so far stay, empty
 * NW_E_LEVEL, NW_E_MISALIGNED, NW_E_IA_RANGE, NW_E_NULL, NW_E_CORRUPT
 */
NW_MUST_CHECK enum nw_status nw_slot_prepare(struct nw_table *t, nw_ia_t ia,
					     unsigned level,
					     struct nw_page_cache *cache,
					     nw_pteref_t *ref);

#endif
