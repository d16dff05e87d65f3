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

/* Count one more. 0: the quota does not allow it, whoever else takes one at
 * the same moment. */
static int count_taken(struct nw_table *t)
{
	struct nw_table_stats *stats = &t->stats;
	uint64_t live = nw_stat_add(t, &stats->pages_live, 1);

	if (t->pages_quota && live > t->pages_quota) {
		nw_stat_add(t, &stats->pages_live, UINT64_MAX);
		nw_stat_add(t, &stats->quota_refusals, 1);
		return 0;
	}
	nw_stat_add(t, &stats->pages_allocated, 1);
	if (t->mode == NW_MODE_SHARED)
		nw_port_count_max(&stats->pages_peak, live);
	else if (stats->pages_peak < live)
		stats->pages_peak = live;
	return 1;
}

/* A page was counted, and then there was none. */
static void count_not_taken(struct nw_table *t)
{
	nw_stat_add(t, &t->stats.pages_live, UINT64_MAX);
	nw_stat_add(t, &t->stats.pages_allocated, UINT64_MAX);
}

static void count_given_back(struct nw_table *t)
{
	nw_stat_add(t, &t->stats.pages_live, UINT64_MAX);
	nw_stat_add(t, &t->stats.pages_freed, 1);
}

void *nw_pages_alloc(const struct nw_table *t, unsigned pages_lg2)
{
	if (t->node != NW_NODE_ANY && t->port->alloc_pages_on)
		return t->port->alloc_pages_on(t->port_ctx, pages_lg2,
					       t->node - 1u);
	return t->port->alloc_pages(t->port_ctx, pages_lg2);
}

int nw_page_take(struct nw_table *t, struct nw_page_cache *cache, nw_pa_t *page)
{
	void *memory;

	if (!count_taken(t)) {
		/* Relaxed: a remark for this caller; see pages.h. */
		nw_port_store_relaxed(&t->shortage, NW_E_QUOTA);
		return 0;
	}
	if (cache && cache->pages)
		memory = cache_pop(cache);
	else
		memory = nw_pages_alloc(t, 0);
	if (!memory) {
		count_not_taken(t);
		nw_port_store_relaxed(&t->shortage, NW_E_NOMEM);
		return 0;
	}
	page->v = (uint64_t)(uintptr_t)memory - t->virt_minus_phys;
	NW_TRACE(NW_EV_PAGE_ALLOC, page->v, UINT64_C(1) << t->geo.granule_lg2,
		 (uintptr_t)memory);
	return 1;
}

enum nw_status nw_page_shortage(const struct nw_table *t)
{
	return (enum nw_status)nw_port_load(&t->shortage);
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
		void *page = nw_pages_alloc(t, 0);

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
