/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting ranges, collapsing and reclaiming: the table changes its shape, and
 * no translation changes. */
#include "state.h"

#include <string.h>

int run_split_range(struct run_state *s, const struct op *op)
{
	uint64_t end = op->ia + op->size, taken = s->f.arena.live;
	enum nw_status got, want = NW_OK;
	unsigned i;

	if (!run_is_level(s, op->level))
		want = NW_E_LEVEL;
	got = nw_split_range(&s->f.table, NW_IA(op->ia), op->size, op->level,
			     op->budget, &s->cache, &s->f.result);
	if (run_check_status(s, op, got, got == NW_MORE ? NW_MORE : want))
		return 1;
	if (got == want && run_check_reached(s, got ? op->ia : end))
		return 1;
	taken = s->f.arena.live - taken;
	if (taken > op->budget)
		return run_fail(s, "split %llu pages, %u allowed",
				(unsigned long long)taken, op->budget);
	if (run_look(s))
		return 1;
	end = s->f.result.reached;
	if (end == op->ia)
		return 0;
	for (i = 0; i < s->f.view.leaves; i++) {
		const struct aw_leaf *leaf = &s->f.view.leaf[i];

		if (leaf->ia + aw_span(leaf->arm_level) > op->ia &&
		    leaf->ia < end && 3u - leaf->arm_level > op->level)
			return run_fail(s, "a block is left at %#llx",
					(unsigned long long)leaf->ia);
	}
	return 0;
}

/* The same translations, whatever the accessed and dirty state. */
static void without_state(struct model *out, const struct model *m)
{
	unsigned i;

	model_clear(out);
	for (i = 0; i < m->runs; i++) {
		struct run piece = m->run[i];

		piece.attrs.flags |= NW_LEAF_ACCESSED;
		if (piece.attrs.flags & NW_LEAF_DBM)
			piece.attrs.prot |= NW_PROT_W;
		model_append(out, &piece);
	}
}

/* Leaves of this table page if they are as one block would be; else 0. */
static unsigned foldable(const struct run_state *s, const struct aw_page *page)
{
	const struct aw_leaf *first = run_leaf_at(&s->f.view, page->ia);
	uint64_t span = aw_span(page->arm_level);
	unsigned i;

	for (i = 0; first && i < 512; i++)
		if (&first[i] >= s->f.view.leaf + s->f.view.leaves ||
		    first[i].arm_level != page->arm_level ||
		    first[i].ia != page->ia + i * span ||
		    first[i].pa != first->pa + i * span ||
		    memcmp(&first[i].attrs, &first->attrs,
			   sizeof(first->attrs)))
			return 0;
	return first && !(first->pa & (512 * span - 1)) ? 512 : 0;
}

static int is_empty_page(const struct run_state *s, const struct aw_page *page)
{
	uint64_t end = page->ia + 512 * aw_span(page->arm_level);
	unsigned i;

	for (i = 0; i < s->f.view.pages; i++)
		if (s->f.view.page[i].arm_level > page->arm_level &&
		    s->f.view.page[i].ia >= page->ia &&
		    s->f.view.page[i].ia < end)
			return 0;
	return !model_any(&s->seen, page->ia, end);
}

/* Nothing is left that should have been folded. */
static int check_folded(struct run_state *s, const struct op *op)
{
	unsigned i;

	for (i = 0; i < s->f.view.pages; i++) {
		const struct aw_page *page = &s->f.view.page[i];
		unsigned level = 4u - page->arm_level; /* of the entry above */
		uint64_t end = page->ia + 512 * aw_span(page->arm_level);

		if (page->arm_level == s->f.regs.start_level ||
		    page->ia < op->ia || end > op->ia + op->size)
			continue;
		if (op->kind == OP_RECLAIM
			    ? is_empty_page(s, page)
			    : (s->f.table.geo.leaf_levels >> level & 1) &&
				      level <= op->level && foldable(s, page))
			return run_fail(s, "the table over %#llx is left",
					(unsigned long long)page->ia);
	}
	return 0;
}

int run_fold(struct run_state *s, const struct op *op)
{
	struct model before = {0}, after = {0};
	enum nw_status got, want = NW_OK;
	uint64_t ia;
	unsigned i;
	int differ;

	if (op->kind == OP_RECLAIM) {
		got = nw_reclaim_tables(&s->f.table, NW_IA(op->ia), op->size,
					op->budget, &s->f.result);
	} else {
		if (op->level != NW_LEVEL_ANY && !run_is_level(s, op->level))
			want = NW_E_LEVEL;
		got = nw_collapse(&s->f.table, NW_IA(op->ia), op->size,
				  op->level, op->budget, &s->f.result);
	}
	if (run_check_status(s, op, got, got == NW_MORE ? NW_MORE : want))
		return 1;
	if (got == want &&
	    run_check_reached(s, got ? op->ia : op->ia + op->size))
		return 1;
	if (fixture_look(&s->f, s->cache.pages))
		return run_fail(s, "%s", fixture_look(&s->f, s->cache.pages));
	run_see(s);
	without_state(&before, &s->model);
	without_state(&after, &s->seen);
	differ = model_differ(&before, &after, &ia);
	model_free(&before);
	model_free(&after);
	if (differ)
		return run_fail(s, "a fold changed what is at %#llx",
				(unsigned long long)ia);
	/* A block is accessed, or dirty, if one of its pages was. */
	model_clear(&s->model);
	for (i = 0; i < s->seen.runs; i++)
		model_append(&s->model, &s->seen.run[i]);
	return got == NW_OK ? check_folded(s, op) : 0;
}
