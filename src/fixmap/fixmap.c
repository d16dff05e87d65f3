/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening, closing and retiring windows.
 *
 * Nothing here takes a lock: an entry has one writer, the CPU that owns its
 * slot. What other CPUs do is to walk it, at any moment and for any reason, if
 * their root reaches it. That, not use, decides who must be invalidated.
 */
#include "slot.h"
#include "../table/entry.h"
#include "../table/flush.h"

/* Attributes that would let hardware write the entry, or fault on first use. */
static int attrs_fit(const struct nw_attrs *attrs)
{
	return (attrs->flags & NW_LEAF_ACCESSED) &&
	       !(attrs->flags & NW_LEAF_DBM);
}

/* ---- invalidation ----------------------------------------------------- */

/* Hand the gathered ranges to the port. Not nw_flush_issue(): that counts in
 * the table, which other CPUs share. */
static void flush_everywhere(struct nw_fixmap_cpu *c, struct nw_flush *flush)
{
	const struct nw_table *t = c->table;
	const struct nw_flush_request request = nw_flush_request_of(t, flush);

	/* ORD-12 orders the cleared entries before the invalidation, and its
	 * completion on every CPU before the slot's next entry and the page's
	 * next owner; pairs with the hardware walker and TLB of every CPU that
	 * shares the table. Without it a CPU that walked the slot keeps, or
	 * makes anew, a translation of the old entry: it reaches the old page
	 * later, or holds two translations of one address at once. */
	t->port->invalidate(t->port_ctx, &request);
	c->stats.broadcasts++;
}

static void flush_locally(struct nw_fixmap_cpu *c, struct nw_flush *flush)
{
	const struct nw_table *t = c->table;
	const struct nw_flush_request request = nw_flush_request_of(t, flush);

	/* ORD-13 orders as ORD-12, for one CPU; pairs with this CPU's walker
	 * and TLB alone, because no other CPU's root reaches the slot and CnP
	 * is 0. Without it this CPU goes on using the closed window's page. */
	t->port->invalidate_local(t->port_ctx, &request);
	c->stats.locals++;
}

static void flush_add_slot(const struct nw_fixmap *fm, unsigned cpu,
			   unsigned kind, unsigned slot, struct nw_flush *flush)
{
	const struct nw_geometry *geo = &fm->cpu[cpu].table->geo;
	uint64_t ia = nw_fixmap_ia(fm, cpu, kind, slot);

	nw_flush_add(flush, ia,
		     ia + (UINT64_C(1) << nw_fixmap_span_lg2(geo, kind)),
		     1u << nw_fixmap_level(kind), 0);
}

/* Block slots lie below page slots: gathered in this order, ranges ascend. */
static const uint8_t kinds_ascending[NW_FIXMAP_KINDS] = {NW_FIXMAP_BLOCK,
							 NW_FIXMAP_PAGE};

/* Their broadcast has completed: this CPU's retiring slots are free. */
static void free_retiring(struct nw_fixmap *fm, unsigned cpu)
{
	struct nw_fixmap_cpu *c = &fm->cpu[cpu];

	for (unsigned kind = 0; kind < NW_FIXMAP_KINDS; kind++)
		for (unsigned i = 0; i < fm->slots[kind]; i++)
			if (c->slot[kind][i].state == NW_FIXMAP_RETIRING)
				c->slot[kind][i].state = NW_FIXMAP_FREE;
	/* ORD-14 orders the completed invalidation before the count says so;
	 * pairs with the load in nw_fixmap_retire(). Without it another CPU
	 * passes a page on although a TLB still reaches it. */
	nw_port_store_release(&c->retiring, 0);
}

/* One broadcast for this CPU's retiring slots. */
static void retire_own(struct nw_fixmap *fm, unsigned cpu)
{
	struct nw_fixmap_cpu *c = &fm->cpu[cpu];
	struct nw_flush flush;

	if (!c->retiring)
		return;
	nw_flush_begin(&flush);
	for (unsigned k = 0; k < NW_FIXMAP_KINDS; k++) {
		unsigned kind = kinds_ascending[k];

		for (unsigned i = 0; i < fm->slots[kind]; i++)
			if (c->slot[kind][i].state == NW_FIXMAP_RETIRING)
				flush_add_slot(fm, cpu, kind, i, &flush);
	}
	flush_everywhere(c, &flush);
	free_retiring(fm, cpu);
}

/* ---- slots ------------------------------------------------------------ */

/* The next free slot in turn, so that a closed one rests as long as it can;
 * slots[kind] when there is none. */
static unsigned find_free(const struct nw_fixmap *fm, unsigned cpu,
			  unsigned kind)
{
	const struct nw_fixmap_cpu *c = &fm->cpu[cpu];
	unsigned n = fm->slots[kind];
	unsigned at = c->next[kind];

	for (unsigned tried = 0; tried < n; tried++) {
		if (c->slot[kind][at].state == NW_FIXMAP_FREE)
			return at;
		at = at + 1 < n ? at + 1 : 0;
	}
	return n;
}

static void slot_write(const struct nw_table *t, struct nw_fixmap_slot *slot,
		       nw_entry_t value)
{
	/* ORD-06: for the proof build; the slot's page is permanent. */
	nw_section_enter(t);
#ifdef NW_CONFIG_PROOF
	if (nw_entry_read(slot->ref) != slot->entry)
		nw_port_bug("a fixmap slot's entry was changed by others",
			    __FILE__, __LINE__);
#endif
	nw_entry_set_exclusive(slot->ref, slot->entry, value);
	slot->entry = value;
	/* ORD-06 */
	nw_section_leave(t);
}

enum nw_status nw_fixmap_map(struct nw_fixmap *fm, unsigned cpu,
			     enum nw_fixmap_kind kind, nw_pa_t pa,
			     const struct nw_attrs *attrs,
			     struct nw_fixmap_window *window)
{
	struct nw_fixmap_slot *slot;
	struct nw_fixmap_cpu *c;
	enum nw_status status;
	nw_entry_t entry;
	unsigned i;

	if (!fm || !attrs || !window)
		return NW_E_NULL;
	if (cpu >= fm->cpus)
		return NW_E_WRONG_CPU;
	if ((unsigned)kind >= NW_FIXMAP_KINDS)
		return NW_E_WRONG_KIND;
	if (!attrs_fit(attrs))
		return NW_E_ATTRS;
	c = &fm->cpu[cpu];
	status = c->table->ops->encode_leaf(&c->table->geo,
					    nw_fixmap_level(kind), pa, attrs,
					    &entry);
	if (status)
		return status;
	i = find_free(fm, cpu, kind);
	if (i == fm->slots[kind]) {
		retire_own(fm, cpu);
		i = find_free(fm, cpu, kind);
		if (i == fm->slots[kind])
			return NW_E_LIMIT;
	}
	slot = &c->slot[kind][i];
	slot_write(c->table, slot, entry);
	/* ORD-11 orders the entry before this CPU's accesses through it (the
	 * store complete for the walker, then a context synchronisation);
	 * pairs with this CPU's walker. Without it the first access may
	 * fault. */
	nw_port_publish_barrier();
	slot->state = NW_FIXMAP_OPEN;
	c->next[kind] = (uint8_t)(i + 1 < fm->slots[kind] ? i + 1 : 0);
	c->stats.maps++;
	*window = (struct nw_fixmap_window){
		.address = (void *)(uintptr_t)nw_fixmap_ia(fm, cpu, kind, i),
		.generation = slot->generation,
		.kind = (uint8_t)kind,
		.cpu = (uint8_t)cpu,
		.slot = (uint8_t)i,
	};
	return NW_OK;
}

/* ---- closing ---------------------------------------------------------- */

static enum nw_status window_check(const struct nw_fixmap *fm, unsigned cpu,
				   unsigned kind,
				   const struct nw_fixmap_window *w)
{
	const struct nw_fixmap_slot *slot;

	if (cpu >= fm->cpus || w->cpu != cpu)
		return NW_E_WRONG_CPU;
	if (w->kind != kind || kind >= NW_FIXMAP_KINDS)
		return NW_E_WRONG_KIND;
	if (!w->address || w->slot >= fm->slots[kind])
		return NW_E_ABSENT;
	slot = &fm->cpu[cpu].slot[kind][w->slot];
	if (slot->state != NW_FIXMAP_OPEN || slot->generation != w->generation)
		return NW_E_ABSENT;
	return NW_OK;
}

/* BATCHED: remember the slot; full batches go at once. */
static void slot_retire(struct nw_fixmap *fm, unsigned cpu,
			struct nw_fixmap_slot *slot)
{
	struct nw_fixmap_cpu *c = &fm->cpu[cpu];

	slot->state = NW_FIXMAP_RETIRING;
	/* ORD-14: after the cleared entry, so that whoever sees the count
	 * invalidates what the clear left behind. */
	nw_port_store_release(&c->retiring, c->retiring + 1);
	if (c->retiring >= fm->batch)
		retire_own(fm, cpu);
}

enum nw_status nw_fixmap_unmap(struct nw_fixmap *fm, unsigned cpu,
			       enum nw_fixmap_kind kind,
			       struct nw_fixmap_window *window)
{
	struct nw_fixmap_slot *slot;
	struct nw_fixmap_cpu *c;
	enum nw_status status;
	struct nw_flush flush;

	if (!fm || !window)
		return NW_E_NULL;
	status = window_check(fm, cpu, kind, window);
	if (status)
		return status;
	c = &fm->cpu[cpu];
	slot = &c->slot[kind][window->slot];
	slot_write(c->table, slot, 0);
	slot->generation++;
	c->stats.unmaps++;
	window->address = NULL;
	if (fm->strategy == NW_FIXMAP_BATCHED) {
		slot_retire(fm, cpu, slot);
		return NW_OK;
	}
	nw_flush_begin(&flush);
	flush_add_slot(fm, cpu, kind, window->slot, &flush);
	if (fm->strategy == NW_FIXMAP_BROADCAST)
		flush_everywhere(c, &flush);
	else
		flush_locally(c, &flush);
	slot->state = NW_FIXMAP_FREE;
	return NW_OK;
}

enum nw_status nw_fixmap_with(struct nw_fixmap *fm, unsigned cpu,
			      enum nw_fixmap_kind kind, nw_pa_t pa,
			      const struct nw_attrs *attrs, nw_fixmap_fn fn,
			      void *arg)
{
	struct nw_fixmap_window window;
	enum nw_status status, closed;

	if (!fn)
		return NW_E_NULL;
	status = nw_fixmap_map(fm, cpu, kind, pa, attrs, &window);
	if (status)
		return status;
	status = fn(window.address, arg);
	closed = nw_fixmap_unmap(fm, cpu, kind, &window);
	return status ? status : closed;
}

/* ---- retirement ------------------------------------------------------- */

/* All slots of a CPU, open ones too: which of them retire is that CPU's to
 * know, and an open one is simply walked again. */
static void flush_add_cpu(const struct nw_fixmap *fm, unsigned cpu,
			  unsigned kind, struct nw_flush *flush)
{
	for (unsigned i = 0; i < fm->slots[kind]; i++)
		flush_add_slot(fm, cpu, kind, i, flush);
}

enum nw_status nw_fixmap_retire(struct nw_fixmap *fm, unsigned cpu)
{
	uint64_t retiring[NW_FIXMAP_CPUS_MAX];
	struct nw_flush flush;

	if (!fm)
		return NW_E_NULL;
	if (cpu >= fm->cpus)
		return NW_E_WRONG_CPU;
	for (unsigned i = 0; i < fm->cpus; i++)
		/* ORD-14: a 0 comes after the broadcast that made it. */
		retiring[i] = nw_port_load_acquire(&fm->cpu[i].retiring);
	nw_flush_begin(&flush);
	for (unsigned k = 0; k < NW_FIXMAP_KINDS; k++)
		for (unsigned i = 0; i < fm->cpus; i++)
			if (retiring[i])
				flush_add_cpu(fm, i, kinds_ascending[k],
					      &flush);
	if (!flush.ranges)
		return NW_OK;
	flush_everywhere(&fm->cpu[cpu], &flush);
	free_retiring(fm, cpu);
	return NW_OK;
}

struct nw_fixmap_stats nw_fixmap_stats(const struct nw_fixmap *fm)
{
	struct nw_fixmap_stats sum = {0};

	for (unsigned i = 0; i < fm->cpus; i++) {
		const struct nw_fixmap_stats *s = &fm->cpu[i].stats;

		sum.maps += s->maps;
		sum.unmaps += s->unmaps;
		sum.broadcasts += s->broadcasts;
		sum.locals += s->locals;
	}
	return sum;
}
