/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of entries and table pages that an operation takes out.
 */
#include "contig.h"
#include "retire.h"

/* ---- telling what was dirty --------------------------------------------- */

void NW_FN(batch_tell)(struct nw_batch *b)
{
	struct nw_tell *tell = &b->tell;

	/* ORD-07: who is told may give the page away. */
	nw_flush_issue(b->owner.t, &b->flush);
	for (unsigned i = 0; i < tell->spans; i++)
		tell->dirty(tell->arg, NW_IA(tell->span[i].start),
			    tell->span[i].end - tell->span[i].start);
	tell->spans = 0;
}

void NW_FN(batch_note_dirty)(struct nw_batch *b, uint64_t start, uint64_t end)
{
	struct nw_tell *tell = &b->tell;

	/* Each dirty member of a run notes all of the run. */
	if (tell->spans && tell->span[tell->spans - 1].start <= start &&
	    tell->span[tell->spans - 1].end >= end)
		return;
	if (tell->spans && tell->span[tell->spans - 1].end == start) {
		tell->span[tell->spans - 1].end = end;
		return;
	}
	if (nw_batch_tells_full(b))
		NW_FN(batch_tell)(b);
	tell->span[tell->spans].start = start;
	tell->span[tell->spans++].end = end;
}

/* Of a leaf that hangs below a page that hardware cannot reach any more. */
static void tell_leaf(struct nw_batch *b, unsigned level, nw_entry_t e,
		      uint64_t base)
{
	const struct nw_table *t = b->owner.t;
	uint64_t end = base + nw_span_bytes(t, level);

	if (!b->tell.dirty || !nwf_is_leaf(level, e) ||
	    !nwf_leaf_is_dirty(&t->geo, e))
		return;
	nw_run_widen(t, level, e, &base, &end);
	NW_FN(batch_note_dirty)(b, base, end);
}

/* Leaves that others come to. */
static void tell_replaced(struct nw_batch *b, const struct nw_claim *c)
{
	const struct nw_table *t = b->owner.t;
	uint64_t base = c->base;
	nw_entry_t e = c->old;

	for (unsigned i = 0; i < c->entries; i++) {
		struct nw_replaced was = {
			.mapping = {.kind = NW_ENTRY_LEAF,
				    .level = c->level,
				    .base = NW_IA(base),
				    .pa = NW_PA(nwf_leaf_pa(&t->geo, c->level,
							    e)),
				    .entry = e},
			.is_dirty = (uint8_t)nwf_leaf_is_dirty(&t->geo, e),
		};

		b->tell.replaced(b->tell.arg, &was);
		e = nwf_leaf_next(&t->geo, c->level, e);
		base += nw_span_bytes(t, c->level);
	}
}

/* ---- freezing ------------------------------------------------------------ */

/* `b`: whom to note dirty leaves with, or NULL. */
static void freeze(struct nw_batch *b, const struct nw_table *t, nw_pa_t page,
		   unsigned level, uint64_t base)
{
	nw_pteref_t first = nw_pteref_page(t, page.v);

	for (unsigned i = 0; i < nw_page_entries(t, level); i++) {
		uint64_t at = base + i * nw_span_bytes(t, level);
		nw_pteref_t ref = nw_pteref_index(first, i);
		nw_entry_t e = nw_entry_read(ref);

		while (!nwf_is_table(level, e) && e != nwf_frozen() &&
		       !nw_entry_freeze(ref, &e, nwf_frozen()))
			;
		if (nwf_is_table(level, e))
			freeze(b, t, NW_PA(nwf_table_pa(&t->geo, e)),
			       level - 1, at);
		else if (b)
			tell_leaf(b, level, e, at);
	}
}

void NW_FN(freeze_subtree)(const struct nw_table *t, nw_pa_t page,
			   unsigned level)
{
	freeze(NULL, t, page, level, 0);
}

/*
 * Of those that one writer took out; flushed. A plain load could miss what
 * hardware wrote last, so that they are frozen here too (ORD-26).
 */
static void tell_dead(struct nw_batch *b)
{
	struct nw_table *t = b->owner.t;
	const uint64_t offset = (UINT64_C(1) << NWF_GRANULE_LG2) - 1;

	/* ORD-06: for the proof build; the pages are ours. */
	nw_section_enter(t);
	for (unsigned i = 0; i < b->dead_count; i++) {
		uint64_t dead = b->dead[i];

		if (b->dead_base[i] == NW_DEAD_TOLD)
			continue;
		freeze(b, t, NW_PA(dead & ~offset), (unsigned)(dead & offset),
		       b->dead_base[i]);
		b->dead_base[i] = NW_DEAD_TOLD;
	}
	/* ORD-06 */
	nw_section_leave(t);
	NW_FN(batch_tell)(b);
}

/* ---- the batch ----------------------------------------------------------- */

static void flush_table(struct nw_batch *b, unsigned level, uint64_t base)
{
	const struct nw_table *t = b->owner.t;

	nw_flush_add(&b->flush, base, base + nw_span_bytes(t, level),
		     nw_levels_below(t, level), 1);
}

static void add_claim(struct nw_batch *b, nw_pteref_t ref, nw_entry_t e,
		      unsigned level, uint64_t base, nw_entry_t value)
{
	b->claim[b->claims++] = (struct nw_claim){.first = ref,
						  .base = base,
						  .value = value,
						  .old = e,
						  .entries = 1,
						  .level = (uint8_t)level,
						  .is_table = 1};
}

void NW_FN(batch_claim_table)(struct nw_batch *b, nw_pteref_t ref,
			      nw_entry_t e, unsigned level, uint64_t base,
			      nw_entry_t value)
{
	flush_table(b, level, base);
	add_claim(b, ref, e, level, base, value);
}

void NW_FN(batch_add_table)(struct nw_batch *b, nw_pteref_t ref, nw_entry_t e,
			    unsigned level, uint64_t base)
{
	const struct nw_table *t = b->owner.t;

	flush_table(b, level, base);
	if (t->mode == NW_MODE_SHARED) {
		add_claim(b, ref, e, level, base, NWF_EMPTY);
		return;
	}
	nw_batch_add_dead(b, NW_PA(nwf_table_pa(&t->geo, e)), level - 1);
	if (b->tell.dirty)
		b->dead_base[b->dead_count - 1] = base;
}

/*
 * The second pass over a claim: put there what comes. What was stolen is the
 * thief's to open; a subtree that was to come there is ours.
 */
static void open_claim(struct nw_batch *b, const struct nw_claim *c)
{
	struct nw_table *t = b->owner.t;
	nw_entry_t value = c->value;
	int is_table = nwf_is_table(c->level, value);

	for (unsigned i = 0; i < c->entries; i++) {
		nw_pteref_t ref = nw_pteref_index(c->first, i);
		int is_open = 0;

		if (nw_entry_read(ref) == b->owner.token)
			is_open = nw_entry_publish(ref, b->owner.token, value);
		if (is_table && is_open)
			NW_TRACE(NW_EV_PAGE_LINK,
				 nwf_table_pa(&t->geo, value), 0, c->level - 1);
		else if (is_table)
			NW_FN(free_subtree)
			(t, NW_PA(nwf_table_pa(&t->geo, value)), c->level - 1);
		if (nwf_is_leaf(c->level, value))
			value = nwf_leaf_next(&t->geo, c->level, value);
	}
}

static void free_dead(struct nw_batch *b)
{
	struct nw_table *t = b->owner.t;
	const uint64_t offset = (UINT64_C(1) << NWF_GRANULE_LG2) - 1;

	while (b->dead_count) {
		uint64_t dead = b->dead[--b->dead_count];

		NW_FN(free_subtree)
		(t, NW_PA(dead & ~offset), (unsigned)(dead & offset));
	}
}

static nw_pa_t claim_table(const struct nw_batch *b, const struct nw_claim *c)
{
	return NW_PA(nwf_table_pa(&b->owner.t->geo, c->old));
}

/* The sabotage: table pages go before their flush. */
static void free_claimed(struct nw_batch *b)
{
	for (unsigned i = 0; i < b->claims; i++) {
		struct nw_claim *c = &b->claim[i];

		if (c->is_table)
			nw_batch_add_dead(b, claim_table(b, c), c->level - 1u);
		c->is_table = 0;
	}
	free_dead(b);
}

void NW_FN(batch_settle)(struct nw_batch *b)
{
	struct nw_table *t = b->owner.t;

	if (NW_SABOTAGE_EARLY_FREE)
		free_claimed(b);
	nw_flush_issue(t, &b->flush); /* ORD-07 */
	for (unsigned i = 0; i < b->claims; i++) {
		const struct nw_claim *c = &b->claim[i];

		if (c->is_table) {
			freeze(b, t, claim_table(b, c), c->level - 1u, c->base);
			nw_batch_add_dead(b, claim_table(b, c), c->level - 1u);
		}
		if (b->tell.replaced)
			tell_replaced(b, c);
		open_claim(b, c);
	}
	b->claims = 0;
	if (b->tell.spans)
		NW_FN(batch_tell)(b);
}

_Static_assert(NW_DEAD_MAX <= NW_GATHER_SUBTREES,
	       "a gather takes what one batch has");

void NW_FN(batch_free)(struct nw_batch *b)
{
	struct nw_table *t = b->owner.t;

	if (NW_SABOTAGE_EARLY_FREE)
		free_dead(b);
	if (b->gather) {
		nw_gather_add(b->gather, &b->flush, b->dead, b->dead_count);
		b->dead_count = 0;
		return;
	}
	nw_flush_issue(t, &b->flush); /* ORD-07 */
	if (b->tell.dirty)
		tell_dead(b);
	if (!b->dead_count)
		return;
	if (t->mode != NW_MODE_EXCLUSIVE)
		/* ORD-05 orders the unlink of these pages before their reuse,
		 * for software walkers: pairs with nw_section_enter(). Without
		 * it a reader that saw the old link reads a freed page. */
		nw_port_synchronize();
	free_dead(b);
}
