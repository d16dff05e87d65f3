/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a fixmap: checks, the layout of its address space, slots.
 *
 * Blocks come first, then pages, each CPU after CPU; so both begin at a
 * multiple of their size.
 */
#include "slot.h"
#include "../table/range.h"
#include "../table/slots.h"

static const char *config_argument(const struct nw_fixmap_config *c)
{
	unsigned total = 0;

	if ((unsigned)c->strategy >= NW_FIXMAP_STRATEGIES)
		return "config.strategy";
	if (!c->cpus || c->cpus > NW_FIXMAP_CPUS_MAX)
		return "config.cpus";
	for (unsigned kind = 0; kind < NW_FIXMAP_KINDS; kind++) {
		if (c->slots[kind] > NW_FIXMAP_SLOTS_MAX)
			return "config.slots";
		total += c->slots[kind];
	}
	if (!total)
		return "config.slots";
	if (c->batch > (c->strategy == NW_FIXMAP_BATCHED ? total : 0))
		return "config.batch";
	return NULL;
}

/* Roots must be apart, or a local invalidation would miss the other CPU that
 * walks the same one. They must be alike: addresses are computed once. */
static const char *tables_argument(const struct nw_fixmap_config *c)
{
	const struct nw_geometry *geo = &c->table[0]->geo;

	for (unsigned i = 0; i < c->cpus; i++) {
		const struct nw_table *t = c->table[i];

		if (t->regime == NW_REGIME_STAGE2 ||
		    t->ops != c->table[0]->ops ||
		    t->geo.granule_lg2 != geo->granule_lg2 ||
		    t->geo.index_bits != geo->index_bits)
			return "config.table";
		for (unsigned j = 0; j < i; j++)
			if (nw_table_root(t).v ==
			    nw_table_root(c->table[j]).v)
				return "config.table";
		if (c->strategy != NW_FIXMAP_PRIVATE_ROOT)
			break;
	}
	return NULL;
}

static enum nw_status fixmap_config_check(const struct nw_fixmap_config *c,
				   struct nw_result *result)
{
	unsigned tables, block_lg2;
	const char *argument = config_argument(c);

	if (argument)
		return nw_refuse(result, NW_E_CONFIG, 0, argument);
	tables = c->strategy == NW_FIXMAP_PRIVATE_ROOT ? c->cpus : 1;
	for (unsigned i = 0; i < tables; i++) {
		if (!c->table[i])
			return nw_refuse(result, NW_E_NULL, 0, "config.table");
		if (c->strategy == NW_FIXMAP_PRIVATE_ROOT &&
		    !c->table[i]->port->invalidate_local)
			return nw_refuse(result, NW_E_UNSUPPORTED, 0,
					 "config.table.port.invalidate_local");
	}
	argument = tables_argument(c);
	if (argument)
		return nw_refuse(result, NW_E_CONFIG, 0, argument);
	block_lg2 = nw_span_lg2(&c->table[0]->geo, 1);
	if (c->start.v & ((UINT64_C(1) << block_lg2) - 1))
		return nw_refuse(result, NW_E_MISALIGNED, 0, "config.start");
	return NW_OK;
}

static uint64_t kind_bytes(const struct nw_fixmap_config *c, unsigned kind)
{
	return (uint64_t)(c->cpus * c->slots[kind])
	       << nw_fixmap_span_lg2(&c->table[0]->geo, kind);
}

uint64_t nw_fixmap_span(const struct nw_fixmap_config *config)
{
	if (!config || config_argument(config) || !config->table[0])
		return 0;
	return kind_bytes(config, NW_FIXMAP_PAGE) +
	       kind_bytes(config, NW_FIXMAP_BLOCK);
}

static enum nw_status prepare_slots(struct nw_fixmap *fm, unsigned cpu,
				    unsigned kind, struct nw_page_cache *cache,
				    struct nw_result *result)
{
	struct nw_fixmap_cpu *c = &fm->cpu[cpu];

	c->next[kind] = 0;
	for (unsigned i = 0; i < fm->slots[kind]; i++) {
		struct nw_fixmap_slot *slot = &c->slot[kind][i];
		uint64_t ia = nw_fixmap_ia(fm, cpu, kind, i);
		enum nw_status status;

		*slot = (struct nw_fixmap_slot){.state = NW_FIXMAP_FREE};
		status = nw_slot_prepare(c->table, NW_IA(ia),
					 nw_fixmap_level(kind), cache,
					 &slot->ref);
		if (status)
			return nw_report(result, status, ia,
					 nw_fixmap_level(kind), 0);
	}
	return NW_OK;
}

enum nw_status nw_fixmap_init(struct nw_fixmap *fm,
			      const struct nw_fixmap_config *config,
			      struct nw_result *result)
{
	const struct nw_fixmap_config *c = config;
	enum nw_status status;

	if (!fm || !c)
		return nw_refuse(result, NW_E_NULL, 0, fm ? "config" : "fm");
	status = fixmap_config_check(c, result);
	if (status)
		return status;
	fm->strategy = c->strategy;
	fm->cpus = c->cpus;
	fm->batch = c->batch ? c->batch : c->slots[0] + c->slots[1];
	fm->base[NW_FIXMAP_BLOCK] = c->start.v;
	fm->base[NW_FIXMAP_PAGE] = c->start.v + kind_bytes(c, NW_FIXMAP_BLOCK);
	for (unsigned kind = 0; kind < NW_FIXMAP_KINDS; kind++)
		fm->slots[kind] = c->slots[kind];
	for (unsigned cpu = 0; cpu < c->cpus; cpu++) {
		fm->cpu[cpu].table = c->strategy == NW_FIXMAP_PRIVATE_ROOT
					     ? c->table[cpu]
					     : c->table[0];
		fm->cpu[cpu].retiring = 0;
		fm->cpu[cpu].stats = (struct nw_fixmap_stats){0};
		for (unsigned kind = 0; kind < NW_FIXMAP_KINDS; kind++) {
			status = prepare_slots(fm, cpu, kind, c->cache, result);
			if (status)
				return status;
		}
	}
	return nw_report(result, NW_OK, c->start.v + nw_fixmap_span(c), 0, 0);
}
