/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of entries and table pages that an operation takes out.
 */
#include "retire.h"

void NW_FN(freeze_subtree)(const struct nw_table *t, nw_pa_t page,
			   unsigned level)
{
	nw_pteref_t first = nw_pteref_page(t, page.v);

	for (unsigned i = 0; i < nw_page_entries(t, level); i++) {
		nw_pteref_t ref = nw_pteref_index(first, i);
		nw_entry_t e = nw_entry_read(ref);

		while (!nwf_is_table(level, e) && e != nwf_frozen() &&
		       !nw_entry_freeze(ref, &e, nwf_frozen()))
			;
		if (nwf_is_table(level, e))
			NW_FN(freeze_subtree)
			(t, NW_PA(nwf_table_pa(&t->geo, e)), level - 1);
	}
}

void NW_FN(batch_add_table)(struct nw_batch *b, nw_pteref_t ref, nw_entry_t e,
			    unsigned level, uint64_t base)
{
	struct nw_table *t = b->owner.t;
	nw_pa_t page = NW_PA(nwf_table_pa(&t->geo, e));

	nw_flush_add(&b->flush, base, base + nw_span_bytes(t, level),
		     nw_levels_below(t, level), 1);
	if (t->mode != NW_MODE_SHARED) {
		nw_batch_add_dead(b, page, level - 1);
		return;
	}
	b->claim[b->claims++] = (struct nw_claim){.first = ref,
						  .table = page,
						  .entries = 1,
						  .level = (uint8_t)level,
						  .is_table = 1};
}

/* The second pass over a claim. What was stolen is the thief's to open. */
static void open_claim(struct nw_batch *b, const struct nw_claim *c)
{
	for (unsigned i = 0; i < c->entries; i++) {
		nw_pteref_t ref = nw_pteref_index(c->first, i);

		if (nw_entry_read(ref) == b->owner.token)
			(void)nw_entry_publish(ref, b->owner.token, NWF_EMPTY);
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

/* The sabotage: table pages go before their flush. */
static void free_claimed(struct nw_batch *b)
{
	for (unsigned i = 0; i < b->claims; i++) {
		struct nw_claim *c = &b->claim[i];

		if (c->is_table)
			nw_batch_add_dead(b, c->table, c->level - 1u);
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
			NW_FN(freeze_subtree)(t, c->table, c->level - 1u);
			nw_batch_add_dead(b, c->table, c->level - 1u);
		}
		open_claim(b, c);
	}
	b->claims = 0;
}

void NW_FN(batch_free)(struct nw_batch *b)
{
	struct nw_table *t = b->owner.t;

	if (NW_SABOTAGE_EARLY_FREE)
		free_dead(b);
	nw_flush_issue(t, &b->flush); /* ORD-07 */
	if (!b->dead_count)
		return;
	if (t->mode != NW_MODE_EXCLUSIVE)
		/* ORD-05 orders the unlink of these pages before their reuse,
		 * for software walkers: pairs with nw_section_enter(). Without
		 * it a reader that saw the old link reads a freed page. */
		nw_port_synchronize();
	free_dead(b);
}
