/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table pages: where they come from, how they are counted.
 */
#ifndef NW_TABLE_PAGES_H
#define NW_TABLE_PAGES_H

#include <nestwalk/table.h>

/* From the port, on the table's node if it can; not counted. NULL: none left.
 */
void *nw_pages_alloc(const struct nw_table *t, unsigned pages_lg2);

/*
 * Take one table page, from the cache first (may be NULL), then the port.
 * Its content is anything. Returns 0 when there is none, or the table has as
 * many as it may have: nw_page_shortage() says which.
 */
int nw_page_take(struct nw_table *t, struct nw_page_cache *cache,
		 nw_pa_t *page);

/* What an operation says that got no page: NW_E_NOMEM or NW_E_QUOTA. Where two
 * CPUs are refused a page at the same moment, it is the reason of the last. */
enum nw_status nw_page_shortage(const struct nw_table *t);

/* Return a page that was never published, or that nothing can reach. */
void nw_page_put(struct nw_table *t, nw_pa_t page);

#endif
