/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START 0x7000000000ull

const struct nw_attrs rig_attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

/* ---- TLBs ------------------------------------------------------------- */

static unsigned slot_number(unsigned cpu, unsigned kind, unsigned slot)
{
	return (cpu * NW_FIXMAP_KINDS + kind) * NW_FIXMAP_SLOTS_MAX + slot;
}

unsigned rig_slot(const struct nw_fixmap_window *w)
{
	return slot_number(w->cpu, w->kind, w->slot);
}

static uint64_t span_bytes(unsigned kind)
{
	return kind == NW_FIXMAP_BLOCK ? 2u << 20 : 4096;
}

/* Where the tests expect a slot: blocks first, CPU after CPU. */
static uint64_t slot_ia(const struct rig *r, unsigned number)
{
	unsigned slot = number % NW_FIXMAP_SLOTS_MAX;
	unsigned kind = number / NW_FIXMAP_SLOTS_MAX % NW_FIXMAP_KINDS;
	unsigned cpu = number / NW_FIXMAP_SLOTS_MAX / NW_FIXMAP_KINDS;
	uint64_t base = START;

	if (kind == NW_FIXMAP_PAGE)
		base += (uint64_t)r->fm.cpus * r->fm.slots[NW_FIXMAP_BLOCK] *
			span_bytes(NW_FIXMAP_BLOCK);
	return base + (cpu * r->fm.slots[kind] + slot) * span_bytes(kind);
}

static void violated(struct rig *r, const char *when, unsigned cpu,
		     unsigned slot)
{
	if (r->violations++)
		return;
	snprintf(r->violation, sizeof(r->violation),
		 "%s: CPU %u holds %#llx for slot %u", when, cpu,
		 (unsigned long long)r->tlb[cpu][slot], slot);
}

static int slot_exists(const struct rig *r, unsigned number)
{
	return number % NW_FIXMAP_SLOTS_MAX <
		       r->fm.slots[number / NW_FIXMAP_SLOTS_MAX %
				   NW_FIXMAP_KINDS] &&
	       number / NW_FIXMAP_SLOTS_MAX / NW_FIXMAP_KINDS < r->fm.cpus;
}

/* CPU walks a slot, as hardware may whenever it likes. */
static void walk(struct rig *r, unsigned cpu, unsigned slot)
{
	struct nw_table *t = &r->table[r->tables > 1 ? cpu : 0];
	struct nw_mapping found;

	if (!slot_exists(r, slot) ||
	    nw_lookup(t, NW_IA(slot_ia(r, slot)), &found) != NW_OK ||
	    found.kind != NW_ENTRY_LEAF)
		return;
	if (r->tlb[cpu][slot] && r->tlb[cpu][slot] != found.entry)
		violated(r, "two translations of one address", cpu, slot);
	r->tlb[cpu][slot] = found.entry;
}

void rig_walks(struct rig *r, unsigned times)
{
	while (r->speculate && times--)
		walk(r, (unsigned)rig_random(r, RIG_CPUS),
		     (unsigned)rig_random(r, RIG_SLOTS));
}

void rig_walk_all(struct rig *r)
{
	for (unsigned cpu = 0; cpu < RIG_CPUS; cpu++)
		for (unsigned slot = 0; slot < RIG_SLOTS; slot++)
			walk(r, cpu, slot);
}

void rig_expect(struct rig *r, unsigned slot, nw_entry_t allowed,
		const char *when)
{
	for (unsigned cpu = 0; cpu < RIG_CPUS; cpu++)
		if (r->tlb[cpu][slot] && r->tlb[cpu][slot] != allowed)
			violated(r, when, cpu, slot);
}

int rig_flushed(const struct rig *r, uint64_t ia, uint64_t bytes)
{
	for (unsigned i = 0; i < r->last_ranges; i++)
		if (r->last[i].start <= ia && ia + bytes <= r->last[i].end)
			return 1;
	return 0;
}

/* ---- the port --------------------------------------------------------- */

static void *rig_alloc(void *ctx, unsigned pages_lg2)
{
	struct rig *r = ctx;

	return r->arena.ops.alloc_pages(&r->arena, pages_lg2);
}

static void rig_free(void *ctx, void *pages, unsigned pages_lg2)
{
	struct rig *r = ctx;

	r->arena.ops.free_pages(&r->arena, pages, pages_lg2);
}

static void drop(struct rig *r, unsigned cpu,
		 const struct nw_flush_request *request)
{
	for (unsigned slot = 0; slot < RIG_SLOTS; slot++) {
		uint64_t ia = slot_ia(r, slot);

		for (unsigned i = 0; i < request->ranges; i++)
			if (ia >= request->range[i].start &&
			    ia < request->range[i].end)
				r->tlb[cpu][slot] = 0;
	}
}

static void note(struct rig *r, const struct nw_flush_request *request)
{
	r->last_ranges = request->ranges;
	memcpy(r->last, request->range,
	       request->ranges * sizeof(request->range[0]));
	/* The arena checks the request's form. */
	r->arena.ops.invalidate(&r->arena, request);
	rig_walks(r, 8);
}

static void rig_invalidate(void *ctx, const struct nw_flush_request *request)
{
	struct rig *r = ctx;

	r->broadcasts++;
	note(r, request);
	for (unsigned cpu = 0; cpu < RIG_CPUS; cpu++)
		if (r->fault != RIG_BROADCAST_IS_LOST &&
		    (r->fault != RIG_BROADCAST_STAYS_LOCAL || cpu == r->cpu))
			drop(r, cpu, request);
	rig_walks(r, 8);
}

static void rig_invalidate_local(void *ctx,
				 const struct nw_flush_request *request)
{
	struct rig *r = ctx;

	r->locals++;
	note(r, request);
	if (r->fault != RIG_LOCAL_IS_LOST)
		drop(r, r->cpu, request);
	rig_walks(r, 8);
}

/* ---- life ------------------------------------------------------------- */

static void die(const char *what)
{
	fprintf(stderr, "rig: %s\n", what);
	abort();
}

void rig_tables(struct rig *r)
{
	struct nw_table_config config = {
		.ops = &nw_arm64_el2_ops,
		/* Hardware could write entries, if the fixmap let it. */
		.format = {.granule_lg2 = 12,
			   .ia_bits = 39,
			   .oa_bits = 40,
			   .features = NW_FEAT_HAF | NW_FEAT_HD},
		.port = &r->ops,
		.port_ctx = r,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_EL2,
	};

	memset(r, 0, sizeof(*r));
	r->rng = 1;
	if (nw_arena_init(&r->arena, 0x40000000, 64, 12))
		die("no memory");
	r->ops = r->arena.ops;
	r->ops.alloc_pages = rig_alloc;
	r->ops.free_pages = rig_free;
	r->ops.invalidate = rig_invalidate;
	r->ops.invalidate_local = rig_invalidate_local;
	for (unsigned i = 0; i < RIG_CPUS; i++)
		if (nw_table_init(&r->table[i], &config, NULL) != NW_OK)
			die("no table");
}

struct nw_fixmap_config rig_config(struct rig *r,
				   enum nw_fixmap_strategy strategy,
				   unsigned pages, unsigned blocks)
{
	struct nw_fixmap_config config = {
		.strategy = strategy,
		.cpus = RIG_CPUS,
		.slots = {[NW_FIXMAP_PAGE] = pages, [NW_FIXMAP_BLOCK] = blocks},
		.start = NW_IA(START),
	};

	r->tables = strategy == NW_FIXMAP_PRIVATE_ROOT ? RIG_CPUS : 1;
	for (unsigned i = 0; i < r->tables; i++)
		config.table[i] = &r->table[i];
	return config;
}

void rig_open(struct rig *r, enum nw_fixmap_strategy strategy, unsigned pages,
	      unsigned blocks)
{
	struct nw_fixmap_config config;

	rig_tables(r);
	config = rig_config(r, strategy, pages, blocks);
	if (nw_fixmap_init(&r->fm, &config, &r->result) != NW_OK)
		die("no fixmap");
}

const char *rig_close(struct rig *r)
{
	static char text[200];
	const char *wrong;

	r->speculate = 0;
	for (unsigned i = 0; i < RIG_CPUS; i++)
		nw_table_destroy(&r->table[i]);
	wrong = nw_arena_error(&r->arena);
	if (!wrong && r->arena.live)
		wrong = "table pages were lost";
	if (wrong)
		snprintf(text, sizeof(text), "%s", wrong);
	nw_arena_fini(&r->arena);
	return wrong ? text : NULL;
}
