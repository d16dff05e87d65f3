/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking a table apart in bounded steps: detach subtrees of at most so many
 * pages from the live table in a loop; inside a detached one, where nothing
 * races, a plain post-order recursion.
 *
 * Beside other writers a subtree is detached as a removal does it (retire.h);
 * what they map meanwhile is found by a later step.
 */
#include "retire.h"

/*
 * A cache line of entries is read at a time: most of them hold nothing but
 * leaves, or nothing.
 */
#define FREE_GROUP 8u

/* May one of the entries [i, i + FREE_GROUP) be a table? */
static inline int group_has_table(unsigned level, nw_pteref_t first, unsigned i)
{
	nw_entry_t all = ~UINT64_C(0), any = 0;

	_Pragma("GCC unroll 8") for (unsigned k = 0; k < FREE_GROUP; k++)
	{
		nw_entry_t e = nw_entry_read(nw_pteref_index(first, i + k));

		all &= e;
		any |= e;
	}
#ifdef NWF_HAS_GROUPS
	if (NW_LIKELY(nwf_all_leaves(level, all, any)))
		return 0;
#endif
	(void)level;
	return all != NWF_EMPTY || any != NWF_EMPTY;
}

void NW_FN(free_subtree)(struct nw_table *t, nw_pa_t page, unsigned level)
{
	unsigned entries = level ? nw_page_entries(t, level) : 0;
	nw_pteref_t first;

	/* ORD-06: for the proof build; nobody reads any more. */
	nw_section_enter(t);
	first = nw_pteref_page(t, page.v);
	for (unsigned i = 0; i < entries; i++) {
		nw_entry_t e;

		if (!(i & (FREE_GROUP - 1)) && entries - i >= FREE_GROUP &&
		    !group_has_table(level, first, i)) {
			i += FREE_GROUP - 1;
			continue;
		}
		e = nw_entry_read(nw_pteref_index(first, i));
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
	unsigned hint = nw_index_at(t, level,
				    nw_port_load(&t->teardown_cursor));
	unsigned i = find_table(t, level, first, hint, e);

	return i == nw_page_entries(t, level)
		       ? find_table(t, level, first, 0, e)
		       : i;
}

/*
 * Take the table entry `e` out, with all that hangs from it. 0: another CPU
 * changed it first.
 */
static int detach(struct nw_batch *b, nw_pteref_t ref, nw_entry_t e,
		  unsigned level, uint64_t base)
{
	if (b->owner.t->mode != NW_MODE_SHARED)
		nw_entry_set_exclusive(ref, e, NWF_EMPTY);
	else if (!nw_entry_lock(ref, &e, nw_owner_token(&b->owner)))
		return 0;
	NW_FN(batch_add_table)(b, ref, e, level, base);
	return 1;
}

/*
 * Detach one subtree of at most `budget` pages. Returns the most pages it can
 * have had, 0 when no table hangs from the root any more.
 */
static uint64_t detach_one(struct nw_batch *b, uint64_t budget)
{
	struct nw_table *t = b->owner.t;
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
		uint64_t pages = subtree_pages_max(t, level - 1);
		unsigned next = 0;
		nw_entry_t next_entry = NWF_EMPTY;

		base += i * nw_span_bytes(t, level);
		if (pages > budget) {
			next = find_table_around(t, level - 1, below,
						 &next_entry);
			if (next == nw_page_entries(t, level - 1))
				pages = 1;
		}
		if (pages <= budget) {
			(void)detach(b, nw_pteref_index(page, i), e, level,
				     base);
			/* A hint; relaxed, for steps may run side by side. */
			nw_port_store_relaxed(&t->teardown_cursor, base);
			return pages;
		}
		page = below;
		i = next;
		e = next_entry;
		level--;
	}
}

/* Clear what stands in the root itself: blocks, and invalid entries. */
static void clear_root(struct nw_batch *b)
{
	struct nw_table *t = b->owner.t;
	unsigned level = nw_top_level(t);
	nw_pteref_t root = nw_pteref_root(t);
	uint64_t span = nw_span_bytes(t, level);

	for (unsigned i = 0; i < nw_page_entries(t, level); i++) {
		nw_entry_t e = nw_entry_read(nw_pteref_index(root, i));

		if (e == NWF_EMPTY)
			continue;
		while (!nw_entry_try_replace(nw_pteref_index(root, i), &e,
					     NWF_EMPTY))
			; /* hardware's update came between */
		if (nwf_is_valid(e))
			nw_flush_add(&b->flush, i * span, (i + 1) * span,
				     1u << level, 0);
	}
}

/* Inside the section. NW_OK: no table hangs from the root any more. */
static enum nw_status teardown_some(struct nw_batch *b, uint64_t budget)
{
	while (budget && !nw_batch_dead_full(b) && !nw_batch_claims_full(b)) {
		uint64_t pages = detach_one(b, budget);

		if (!pages)
			return NW_OK;
		budget -= pages;
	}
	return NW_MORE;
}

enum nw_status NW_FN(teardown_step)(struct nw_table *t, unsigned max_pages)
{
	enum nw_status status;
	struct nw_batch batch;
	uint64_t limit;

	if (!t)
		return NW_E_NULL;
	if (!max_pages)
		return NW_E_EMPTY;
	limit = UINT64_C(1) << t->geo.ia_bits;
	nw_op_begin(t, NW_OP_TEARDOWN, 0, limit);
	nw_batch_begin(&batch, t);
	/* ORD-06: left before the grace period (ORD-05). */
	nw_section_enter(t);
	status = teardown_some(&batch, max_pages);
	if (t->mode == NW_MODE_SHARED)
		NW_FN(batch_settle)(&batch);
	else if (!status)
		clear_root(&batch);
	/* ORD-06 */
	nw_section_leave(t);
	NW_FN(batch_free)(&batch);
	/* What is left stands in the root, or came while we worked. */
	if (!status && t->mode == NW_MODE_SHARED)
		status = NW_FN(unmap)(t, NW_IA(0), limit, NULL, NULL);
	nw_op_end(t, NW_OP_TEARDOWN, 0, limit, status);
	return status == NW_E_BUSY ? NW_MORE : status;
}
