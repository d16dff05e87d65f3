/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table pages: where they come from, how they are counted.
 */
#ifndef NW_TABLE_PAGES_H
#define NW_TABLE_PAGES_H

#include <nestwalk/table.h>

/*
 * Take one table page, from the cache first (may be NULL), then the port.
 * Its content is anything. Returns 0 when there is none.
 */
int nw_page_take(struct nw_table *t, struct nw_page_cache *cache,
		 nw_pa_t *page);

/* Return a page that was never published, or that nothing can reach. */
void nw_page_put(struct nw_table *t, nw_pa_t page);

#endif
