/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table's life, and dispatch to the engine of its format.
 */
#include "entry.h"
#include "pages.h"
#include "range.h"
#include "slots.h"

#define TEARDOWN_STEP_PAGES 1024

static enum nw_status config_check(const struct nw_table_config *c,
				   struct nw_geometry *geo,
				   const char **argument)
{
	*argument = NULL;
	if (!c->ops)
		*argument = "config.ops";
	else if (!c->port)
		*argument = "config.port";
	else if (!c->port->alloc_pages)
		*argument = "config.port.alloc_pages";
	else if (!c->port->free_pages)
		*argument = "config.port.free_pages";
	else if (!c->port->invalidate)
		*argument = "config.port.invalidate";
	if (*argument)
		return NW_E_NULL;
	*argument = "config.mode";
	switch (c->mode) {
	case NW_MODE_EXCLUSIVE:
		break;
	case NW_MODE_READERS:
	case NW_MODE_SHARED:
		if (!NW_PORT_HAS_GRACE_PERIOD)
			return NW_E_MODE;
		break;
	default:
		return NW_E_CONFIG;
	}
	*argument = "config.runs";
	if (c->runs != NW_RUNS_CALLER && c->runs != NW_RUNS_AUTO)
		return NW_E_CONFIG;
	*argument = "config.flush_policy";
	if (c->flush_policy != NW_FLUSH_SHARE &&
	    c->flush_policy != NW_FLUSH_OWN)
		return NW_E_CONFIG;
	*argument = "config.regime";
	if ((unsigned)c->regime >= NW_REGIME_COUNT ||
	    !(c->ops->regimes >> c->regime & 1))
		return NW_E_CONFIG;
	return c->ops->geometry(&c->format, geo, argument);
}

/* Roots are made here, before anything points to them. */
static void empty_root(const struct nw_table *t)
{
	size_t entries = (size_t)1 << (t->geo.index_bits +
				       t->geo.root_pages_lg2);

	/* ORD-06: for the proof build; nobody reads yet. */
	nw_section_enter(t);
	for (size_t i = 0; i < entries; i++)
		nw_entry_init(nw_pteref_index(nw_pteref_root(t), i),
			      t->ops->empty);
	nw_port_publish_barrier(); /* ORD-09 */
	nw_section_leave(t);
}

enum nw_status nw_table_init(struct nw_table *t,
			     const struct nw_table_config *config,
			     struct nw_result *result)
{
	struct nw_geometry geo = {0};
	const char *argument;
	enum nw_status status;
	struct nw_table table;
	uint64_t pages;
	void *root;

	if (!t || !config)
		return nw_refuse(result, NW_E_NULL, 0, t ? "config" : "t");
	status = config_check(config, &geo, &argument);
	if (status)
		return nw_refuse(result, status, 0, argument);
	pages = UINT64_C(1) << geo.root_pages_lg2;
	if (config->pages_quota && pages > config->pages_quota)
		return nw_refuse(result, NW_E_QUOTA, 0, "config.pages_quota");
	table = (struct nw_table){
		.ops = config->ops,
		.port = config->port,
		.port_ctx = config->port_ctx,
		.virt_minus_phys = config->port->virt_minus_phys,
		.ia_limit = UINT64_C(1) << geo.ia_bits,
		.oa_limit = UINT64_C(1) << geo.oa_bits,
		.geo = geo,
		.mode = (uint8_t)config->mode,
		.regime = (uint8_t)config->regime,
		.tag = config->tag,
		.top_lg2 = (uint8_t)nw_span_lg2(&geo, geo.levels - 1u),
		.pages_quota = config->pages_quota,
		.node = config->node,
		.flush_policy = (uint8_t)config->flush_policy,
		.runs = (uint8_t)config->runs,
	};
	root = nw_pages_alloc(&table, geo.root_pages_lg2);
	if (!root)
		return nw_report(result, NW_E_NOMEM, 0, 0, 0);
	*t = table;
	t->root_pa.v = (uint64_t)(uintptr_t)root - t->virt_minus_phys;
	t->stats.pages_allocated = t->stats.pages_live = t->stats.pages_peak =
		pages;
	NW_TRACE(NW_EV_PAGE_ALLOC, t->root_pa.v, pages << geo.granule_lg2,
		 (uintptr_t)root);
	NW_TRACE(NW_EV_TABLE_INIT, t->root_pa.v,
		 NW_TRACE_SHAPE(t->ops->trace_id, geo.granule_lg2, geo.ia_bits,
				geo.oa_bits, geo.features),
		 t->tag | (uint64_t)t->regime << 16 |
			 (uint64_t)(t->mode + 1u) << 32);
	empty_root(t);
	return nw_report(result, NW_OK, 0, 0, 0);
}

void nw_table_destroy(struct nw_table *t)
{
	while (t->ops->teardown_step(t, TEARDOWN_STEP_PAGES) == NW_MORE)
		;
	if (t->mode != NW_MODE_EXCLUSIVE)
		nw_port_synchronize(); /* ORD-05 */
	NW_TRACE(NW_EV_TABLE_FREE, t->root_pa.v, 0, 0);
	NW_TRACE(NW_EV_PAGE_FREE, t->root_pa.v,
		 (UINT64_C(1) << t->geo.granule_lg2) << t->geo.root_pages_lg2,
		 0);
	t->port->free_pages(
		t->port_ctx,
		(void *)(uintptr_t)(t->root_pa.v + t->virt_minus_phys),
		t->geo.root_pages_lg2);
	*t = (struct nw_table){0};
}

struct nw_table_stats nw_table_stats(const struct nw_table *t)
{
	const struct nw_table_stats *s = &t->stats;

	return (struct nw_table_stats){
		.pages_allocated = nw_port_count_read(&s->pages_allocated),
		.pages_freed = nw_port_count_read(&s->pages_freed),
		.pages_live = nw_port_count_read(&s->pages_live),
		.pages_peak = nw_port_count_read(&s->pages_peak),
		.quota_refusals = nw_port_count_read(&s->quota_refusals),
		.flushes = nw_port_count_read(&s->flushes),
		.flush_ranges = nw_port_count_read(&s->flush_ranges),
		.flush_wholes = nw_port_count_read(&s->flush_wholes),
		.flush_shared = nw_port_count_read(&s->flush_shared),
		.splits = nw_port_count_read(&s->splits),
		.folds = nw_port_count_read(&s->folds),
		.run_breaks = nw_port_count_read(&s->run_breaks),
		.run_forms = nw_port_count_read(&s->run_forms),
		.retries = nw_port_count_read(&s->retries),
		.retries_max = nw_port_count_read(&s->retries_max),
		.busy = nw_port_count_read(&s->busy),
		.steals = nw_port_count_read(&s->steals),
	};
}

/* Spans of `lg2` bytes that [start, last] touches. */
static uint64_t spans_touched(uint64_t start, uint64_t last, unsigned lg2)
{
	return (last >> lg2) - (start >> lg2) + 1;
}

/* Whole spans of `lg2` bytes inside [start, end). */
static uint64_t spans_inside(uint64_t start, uint64_t end, unsigned lg2)
{
	uint64_t first = (start + (UINT64_C(1) << lg2) - 1) >> lg2;

	return end >> lg2 > first ? (end >> lg2) - first : 0;
}

/* Spans of level `above` that leaves of that level or higher will cover. */
static uint64_t spans_covered(const struct nw_table *t, uint64_t start,
			      uint64_t end, uint64_t ia_to_pa, unsigned above,
			      unsigned max_level)
{
	for (unsigned m = above; m < t->geo.levels && m <= max_level; m++) {
		unsigned lg2 = nw_span_lg2(&t->geo, m);

		if (!(t->geo.leaf_levels >> m & 1))
			continue;
		if (ia_to_pa & ((UINT64_C(1) << lg2) - 1))
			return 0;
		return spans_inside(start, end, lg2)
		       << (lg2 - nw_span_lg2(&t->geo, above));
	}
	return 0;
}

uint64_t nw_map_pages_max(const struct nw_table *t, nw_ia_t ia,
			  uint64_t size_bytes, nw_pa_t pa, unsigned max_level)
{
	uint64_t end = ia.v + size_bytes;
	uint64_t pages = 0;

	if (!t || nw_range_check(t, ia, size_bytes, NULL))
		return 0;
	for (unsigned level = 0; level + 1u < t->geo.levels; level++)
		pages += spans_touched(ia.v, end - 1,
				       nw_span_lg2(&t->geo, level + 1)) -
			 spans_covered(t, ia.v, end, pa.v - ia.v, level + 1,
				       max_level);
	return pages;
}

unsigned nw_break_pages_max(const struct nw_table *t)
{
	/* An annotation of the root's, or nothing, split at either end. */
	return 2 * (t->geo.levels - 1u);
}

enum nw_status nw_map(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
		      nw_pa_t pa, const struct nw_attrs *attrs,
		      unsigned max_level, struct nw_page_cache *cache,
		      struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->map(t, ia, size_bytes, pa, attrs, max_level, cache,
			   result);
}

enum nw_status nw_prepare(struct nw_table *t, unsigned level,
			  const struct nw_attrs *attrs, struct nw_prepared *out)
{
	return t ? t->ops->prepare(t, level, attrs, out) : NW_E_NULL;
}

enum nw_status nw_unmap(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			struct nw_page_cache *cache, struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->unmap(t, ia, size_bytes, cache, result);
}

enum nw_status nw_unmap_dirty(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, nw_range_fn dirty, void *arg,
			      struct nw_page_cache *cache,
			      struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->unmap_dirty(t, ia, size_bytes, dirty, arg, cache,
				   result);
}

enum nw_status nw_annotate(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			   uint64_t value, const struct nw_expected *expected,
			   struct nw_page_cache *cache,
			   struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->annotate(t, ia, size_bytes, value, expected, cache,
				result);
}

enum nw_status nw_check_range(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes,
			      const struct nw_expected *expected,
			      struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->check_range(t, ia, size_bytes, expected, result);
}

uint64_t nw_mapping_annotation(const struct nw_table *t,
			       const struct nw_mapping *mapping)
{
	if (!t || !mapping)
		return 0;
	return t->ops->annotation_value(mapping->entry);
}

enum nw_status nw_replace(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			  nw_pa_t pa, const struct nw_attrs *attrs,
			  nw_replaced_fn replaced, void *arg,
			  struct nw_page_cache *cache,
			  struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->replace(t, ia, size_bytes, pa, attrs, replaced, arg,
			       cache, result);
}

enum nw_status nw_remap(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			nw_pa_t pa, const struct nw_attrs *attrs,
			unsigned max_level, nw_range_fn dirty, void *arg,
			struct nw_page_cache *cache, struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->remap(t, ia, size_bytes, pa, attrs, max_level, dirty,
			     arg, cache, result);
}

enum nw_status nw_protect(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			  enum nw_protect how, unsigned prot,
			  struct nw_page_cache *cache,
			  struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->protect(t, ia, size_bytes, how, prot, cache, result);
}

enum nw_status nw_write_protect(struct nw_table *t, nw_ia_t ia,
				uint64_t size_bytes, nw_range_fn dirty,
				void *arg, struct nw_page_cache *cache,
				struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->write_protect(t, ia, size_bytes, dirty, arg, cache,
				     result);
}

enum nw_status nw_harvest_dirty(struct nw_table *t, nw_ia_t ia,
				uint64_t size_bytes, nw_range_fn dirty,
				void *arg, struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->harvest_dirty(t, ia, size_bytes, dirty, arg, result);
}

enum nw_status nw_age(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
		      enum nw_age how, uint64_t *young,
		      struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->age(t, ia, size_bytes, how, young, result);
}

enum nw_status nw_split(struct nw_table *t, nw_ia_t ia, unsigned level,
			struct nw_page_cache *cache, struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->split(t, ia, level, cache, result);
}

enum nw_status nw_split_range(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, unsigned level,
			      unsigned budget_pages,
			      struct nw_page_cache *cache,
			      struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->split_range(t, ia, size_bytes, level, budget_pages,
				   cache, result);
}

enum nw_status nw_collapse(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			   unsigned max_level, unsigned budget_pages,
			   struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->collapse(t, ia, size_bytes, max_level, budget_pages,
				result);
}

enum nw_status nw_reclaim_tables(struct nw_table *t, nw_ia_t ia,
				 uint64_t size_bytes, unsigned budget_pages,
				 struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->reclaim_tables(t, ia, size_bytes, budget_pages, result);
}

enum nw_status nw_lookup(struct nw_table *t, nw_ia_t ia, struct nw_mapping *out)
{
	return t ? t->ops->lookup(t, ia, out) : NW_E_NULL;
}

enum nw_status nw_walk(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
		       unsigned flags, nw_visitor_fn visitor, void *arg,
		       struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	return t->ops->walk(t, ia, size_bytes, flags, visitor, arg, result);
}

enum nw_status nw_table_teardown_step(struct nw_table *t, unsigned max_pages)
{
	return t ? t->ops->teardown_step(t, max_pages) : NW_E_NULL;
}

enum nw_status nw_mapping_attrs(const struct nw_table *t,
				const struct nw_mapping *mapping,
				struct nw_attrs *attrs)
{
	struct nw_decoded decoded;

	if (!t || !mapping || !attrs)
		return NW_E_NULL;
	if (mapping->kind != NW_ENTRY_LEAF)
		return NW_E_WRONG_KIND;
	t->ops->decode(&t->geo, mapping->level, mapping->entry, &decoded);
	*attrs = decoded.attrs;
	return NW_OK;
}

enum nw_status nw_slot_prepare(struct nw_table *t, nw_ia_t ia, unsigned level,
			       struct nw_page_cache *cache, nw_pteref_t *ref)
{
	if (!t || !ref)
		return NW_E_NULL;
	return t->ops->slot_prepare(t, ia, level, cache, ref);
}

nw_entry_t nw_pteref_read(nw_pteref_t ref)
{
	return nw_entry_read(ref);
}
