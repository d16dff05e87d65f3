/* SPDX-License-Identifier: BSD-2-Clause */
#include <nestwalk/trace.h>
#include "nw_port.h"
#include "pages.h"
#include "stats.h"

/* Pages of a cache are nobody's table: their first word chains them. */
static void *cache_pop(struct nw_page_cache *cache)
{
	void *page = cache->head;

	cache->head = *(void **)page;
	cache->pages--;
	return page;
}

static void cache_push(struct nw_page_cache *cache, void *page)
{
	*(void **)page = cache->head;
	cache->head = page;
	cache->pages++;
}

static void count_taken(struct nw_table *t)
{
	struct nw_table_stats *stats = &t->stats;
	uint64_t live;

	nw_stat_add(t, &stats->pages_allocated, 1);
	live = nw_stat_add(t, &stats->pages_live, 1);
	if (t->mode == NW_MODE_SHARED)
		nw_port_count_max(&stats->pages_peak, live);
	else if (stats->pages_peak < live)
		stats->pages_peak = live;
}

static void count_given_back(struct nw_table *t)
{
	nw_stat_add(t, &t->stats.pages_live, UINT64_MAX);
	nw_stat_add(t, &t->stats.pages_freed, 1);
}

int nw_page_take(struct nw_table *t, struct nw_page_cache *cache, nw_pa_t *page)
{
	void *memory;

	if (cache && cache->pages)
		memory = cache_pop(cache);
	else
		memory = t->port->alloc_pages(t->port_ctx, 0);
	if (!memory)
		return 0;
	count_taken(t);
	page->v = (uint64_t)(uintptr_t)memory - t->virt_minus_phys;
	NW_TRACE(NW_EV_PAGE_ALLOC, page->v, UINT64_C(1) << t->geo.granule_lg2,
		 (uintptr_t)memory);
	return 1;
}

void nw_page_put(struct nw_table *t, nw_pa_t page)
{
	count_given_back(t);
	NW_TRACE(NW_EV_PAGE_FREE, page.v, UINT64_C(1) << t->geo.granule_lg2, 0);
	t->port->free_pages(t->port_ctx,
			    (void *)(uintptr_t)(page.v + t->virt_minus_phys),
			    0);
}

enum nw_status nw_cache_topup(struct nw_table *t, struct nw_page_cache *cache,
			      unsigned pages)
{
	if (!t || !cache)
		return NW_E_NULL;
	while (cache->pages < pages) {
		void *page = t->port->alloc_pages(t->port_ctx, 0);

		if (!page)
			return NW_E_NOMEM;
		cache_push(cache, page);
	}
	return NW_OK;
}

void nw_cache_drain(struct nw_table *t, struct nw_page_cache *cache)
{
	while (cache->pages)
		t->port->free_pages(t->port_ctx, cache_pop(cache), 0);
}
