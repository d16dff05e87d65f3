/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking a table apart in bounded steps: detach subtrees of at most so many
 * pages from the live table in a loop; inside a detached one, where nothing
 * races, a plain post-order recursion.
 */
#include "iter.h"

void NW_FN(free_subtree)(struct nw_table *t, nw_pa_t page, unsigned level)
{
	unsigned entries = level ? nw_page_entries(t, level) : 0;
	nw_pteref_t first;

	/* ORD-06: for the proof build; nobody reads any more. */
	nw_section_enter(t);
	first = nw_pteref_page(t, page.v);
	for (unsigned i = 0; i < entries; i++) {
		nw_entry_t e = nw_entry_read(nw_pteref_index(first, i));

		if (nwf_is_table(level, e))
			NW_FN(free_subtree)(t, NW_PA(nwf_table_pa(&t->geo, e)),
					    level - 1);
	}
	/* ORD-06 */
	nw_section_leave(t);
	nw_page_put(t, page);
}

/* Most pages that a subtree whose root page stands at `level` can have. */
static uint64_t subtree_pages_max(const struct nw_table *t, unsigned level)
{
	uint64_t pages = 1;

	while (level--)
		pages = 1 + (pages << t->geo.index_bits);
	return pages;
}

/* Index of the first table entry of a page at or after `from`; its entry in
 * *e. `entries` when there is none. */
static unsigned find_table(const struct nw_table *t, unsigned level,
			   nw_pteref_t first, unsigned from, nw_entry_t *e)
{
	unsigned entries = nw_page_entries(t, level);

	for (unsigned i = from; i < entries; i++) {
		*e = nw_entry_read(nw_pteref_index(first, i));
		if (nwf_kind(&t->geo, level, *e) == NW_ENTRY_TABLE)
			return i;
	}
	return entries;
}

/* As find_table(), beginning at the cursor, then from the start: what was
 * mapped behind the cursor between two steps is found too. */
static unsigned find_table_around(const struct nw_table *t, unsigned level,
				  nw_pteref_t first, nw_entry_t *e)
{
	unsigned hint = nw_index_at(t, level, t->teardown_cursor);
	unsigned i = find_table(t, level, first, hint, e);

	return i == nw_page_entries(t, level)
		       ? find_table(t, level, first, 0, e)
		       : i;
}

/*
 * Detach one subtree of at most `budget` pages. Returns the most pages it can
 * have had, 0 when no table hangs from the root any more.
 */
static uint64_t detach_one(struct nw_table *t, uint64_t budget,
			   struct nw_flush *flush)
{
	unsigned level = nw_top_level(t);
	nw_pteref_t page = nw_pteref_root(t);
	uint64_t base = 0;
	nw_entry_t e;
	unsigned i = find_table_around(t, level, page, &e);

	if (i == nw_page_entries(t, level))
		return 0;
	for (;;) {
		nw_pa_t child = NW_PA(nwf_table_pa(&t->geo, e));
		nw_pteref_t below = nw_pteref_page(t, child.v);
		uint64_t span = nw_span_bytes(t, level);
		uint64_t pages = subtree_pages_max(t, level - 1);
		unsigned next = 0;
		nw_entry_t next_entry = 0;

		base += i * span;
		if (pages > budget) {
			next = find_table_around(t, level - 1, below,
						 &next_entry);
			if (next == nw_page_entries(t, level - 1))
				pages = 1;
		}
		if (pages <= budget) {
			nw_entry_set_exclusive(nw_pteref_index(page, i), e, 0);
			nw_flush_add(flush, base, base + span,
				     t->geo.leaf_levels & ((1u << level) - 1),
				     1);
			nw_flush_add_dead(flush, child, level - 1);
			t->teardown_cursor = base;
			return pages;
		}
		page = below;
		i = next;
		e = next_entry;
		level--;
	}
}

/* Clear what stands in the root itself: blocks, and invalid entries. */
static void clear_root(struct nw_table *t, struct nw_flush *flush)
{
	unsigned level = nw_top_level(t);
	nw_pteref_t root = nw_pteref_root(t);
	uint64_t span = nw_span_bytes(t, level);

	for (unsigned i = 0; i < nw_page_entries(t, level); i++) {
		nw_entry_t e = nw_entry_read(nw_pteref_index(root, i));

		if (!e)
			continue;
		(void)nw_entry_break_exclusive(nw_pteref_index(root, i), 0);
		if (nwf_is_valid(e))
			nw_flush_add(flush, i * span, (i + 1) * span,
				     1u << level, 0);
	}
}

enum nw_status NW_FN(teardown_step)(struct nw_table *t, unsigned max_pages)
{
	enum nw_status status = NW_MORE;
	uint64_t budget = max_pages;
	struct nw_flush flush;

	if (!t)
		return NW_E_NULL;
	if (!max_pages)
		return NW_E_EMPTY;
	nw_flush_begin(&flush);
	/* ORD-06: left before the grace period (ORD-05). */
	nw_section_enter(t);
	while (budget && flush.dead_count < NW_FLUSH_DEAD) {
		uint64_t pages = detach_one(t, budget, &flush);

		budget -= pages;
		if (!pages) {
			clear_root(t, &flush);
			t->teardown_cursor = 0;
			status = NW_OK;
			break;
		}
	}
	/* ORD-06 */
	nw_section_leave(t);
	nw_flush_and_free(t, &flush);
	return status;
}
