/* SPDX-License-Identifier: BSD-2-Clause */
/* What operations must have left behind: the whole table, and what was said. */
#include "state.h"

#include <stdarg.h>

#include "nw_port.h"

struct run_totals run_totals;

int run_fail(struct run_state *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->failure->text, sizeof(s->failure->text), format, args);
	va_end(args);
	s->failure->at = s->at;
	return 1;
}

/* ---- looking at the whole table --------------------------------------- */

void run_see(struct run_state *s)
{
	const struct aw_view *view = &s->f.view;
	unsigned i, a = 0;

	model_clear(&s->seen);
	for (i = 0; i <= view->leaves; i++) {
		while (a < view->invalids &&
		       (i == view->leaves ||
			view->invalid[a].ia < view->leaf[i].ia))
			run_see_annotation(s, &view->invalid[a++]);
		if (i == view->leaves)
			break;
		const struct aw_leaf *leaf = &s->f.view.leaf[i];
		struct run piece = {leaf->ia,
				    leaf->ia + aw_span(leaf->arm_level),
				    leaf->pa, leaf->attrs};

		piece.attrs.flags &= (uint16_t)~NW_LEAF_CONTIG;
		model_append(&s->seen, &piece);
	}
}

int run_look(struct run_state *s)
{
	const char *wrong = fixture_look(&s->f, s->cache.pages);
	const struct run *want, *got;
	uint64_t ia;

	run_totals.looks++;
	if (wrong)
		return run_fail(s, "%s", wrong);
	for (unsigned i = 0; i < s->f.view.invalids; i++)
		if (s->f.view.invalid[i].entry & 3)
			return run_fail(s, "%#llx is no annotation",
					(unsigned long long)s->f.view.invalid[i]
						.entry);
	run_see(s);
	if (!model_differ(&s->model, &s->seen, &ia))
		return 0;
	want = model_at(&s->model, ia);
	got = model_at(&s->seen, ia);
	return run_fail(
		s,
		"at %#llx the model has pa %#llx prot %#x flags %#x, "
		"the table pa %#llx prot %#x flags %#x (~0: nothing)",
		(unsigned long long)ia,
		want ? (unsigned long long)(want->pa + ia - want->start)
		     : ~0ull,
		want ? want->attrs.prot : ~0u, want ? want->attrs.flags : ~0u,
		got ? (unsigned long long)(got->pa + ia - got->start) : ~0ull,
		got ? got->attrs.prot : ~0u, got ? got->attrs.flags : ~0u);
}

const struct aw_leaf *run_leaf_at(const struct aw_view *view, uint64_t ia)
{
	unsigned low = 0, high = view->leaves;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (view->leaf[mid].ia < ia)
			low = mid + 1;
		else
			high = mid;
	}
	return low < view->leaves && view->leaf[low].ia == ia ? &view->leaf[low]
							      : NULL;
}

int run_page_in(const struct aw_view *view, const struct aw_page *page)
{
	unsigned i;

	for (i = 0; i < view->pages; i++)
		if (view->page[i].pa == page->pa &&
		    view->page[i].ia == page->ia &&
		    view->page[i].arm_level == page->arm_level)
			return 1;
	return 0;
}

/*
 * What a TLB may hold from before must be gone where the table now says less:
 * every leaf that is not there as it was, and every table page, was flushed.
 */
int run_check_flushed(struct run_state *s)
{
	unsigned i;

	for (i = 0; i < s->before.leaves; i++) {
		const struct aw_leaf *old = &s->before.leaf[i];
		const struct aw_leaf *now = run_leaf_at(&s->f.view, old->ia);

		if (now && now->arm_level == old->arm_level &&
		    now->pa == old->pa &&
		    (now->attrs.prot & old->attrs.prot) == old->attrs.prot)
			continue;
		if (!fixture_flushed(&s->f, old->ia,
				     old->ia + aw_span(old->arm_level),
				     3u - old->arm_level))
			return run_fail(s,
					"the leaf at %#llx, level %u, changed "
					"without its flush",
					(unsigned long long)old->ia,
					3u - old->arm_level);
	}
	for (i = 0; i < s->before.pages; i++) {
		const struct aw_page *page = &s->before.page[i];

		if (run_page_in(&s->f.view, page))
			continue;
		if (!fixture_flushed(&s->f, page->ia,
				     page->ia + 512 * aw_span(page->arm_level),
				     FIXTURE_TABLE_GONE))
			return run_fail(s,
					"the table page over %#llx went "
					"without its flush",
					(unsigned long long)page->ia);
	}
	return 0;
}

/* Did a table page stand under the block over `ia` before? */
int run_table_was_there(const struct run_state *s, uint64_t ia, unsigned level)
{
	uint64_t base = ia & ~(aw_span(3 - level) - 1);
	unsigned i;

	for (i = 0; i < s->before.pages; i++)
		if (s->before.page[i].ia == base &&
		    s->before.page[i].arm_level == 4 - level)
			return 1;
	return 0;
}

/* Each new leaf is the largest that fits, tables that stood excepted. */
int run_check_largest(struct run_state *s, const struct op *op)
{
	uint64_t end = op->ia + op->size, delta = op->pa - op->ia;
	unsigned i, level;

	for (i = 0; i < s->f.view.leaves; i++) {
		const struct aw_leaf *leaf = &s->f.view.leaf[i];
		unsigned got = 3u - leaf->arm_level;

		if (leaf->ia < op->ia || leaf->ia >= end)
			continue;
		if (op->level != NW_LEVEL_ANY && got > op->level)
			return run_fail(s, "leaf of level %u at %#llx", got,
					(unsigned long long)leaf->ia);
		for (level = got + 1; level < 3; level++) {
			uint64_t span = aw_span(3 - level);
			uint64_t base = leaf->ia & ~(span - 1);

			if (op->level != NW_LEVEL_ANY && level > op->level)
				break;
			if (!(s->f.table.geo.leaf_levels >> level & 1) ||
			    base < op->ia || base + span > end ||
			    ((base + delta) & (span - 1)) ||
			    run_table_was_there(s, base, level))
				continue;
			return run_fail(s,
					"leaf of level %u at %#llx where level "
					"%u fits",
					got, (unsigned long long)leaf->ia,
					level);
		}
	}
	return 0;
}

/* ---- what an operation said ------------------------------------------ */

int run_is_level(const struct run_state *s, unsigned level)
{
	return level < s->f.table.geo.levels;
}

/* NW_OK, NW_E_NOMEM where that may be: 0. Anything else is a failure. */
int run_check_status(struct run_state *s, const struct op *op,
		     enum nw_status got, enum nw_status want)
{
	if (s->f.result.status != got)
		return run_fail(s, "%s returns %s, result.status is %s",
				op_name(op->kind), nw_status_name(got),
				nw_status_name(s->f.result.status));
	if (got == want) {
		run_totals.refused += got != NW_OK;
		return 0;
	}
	/* nw_protect() splits before it looks at any leaf. */
	if (got == NW_E_NOMEM &&
	    (want == NW_OK || op->kind == OP_RELAX ||
	     op->kind == OP_RESTRICT) &&
	    s->f.arena.alloc_failures != 0 &&
	    (op->cached != OP_CACHED_MAX || op->kind == OP_SPLIT_RANGE)) {
		run_totals.out_of_memory++;
		return 0;
	}
	return run_fail(s, "%s says %s, expected %s", op_name(op->kind),
			nw_status_name(got), nw_status_name(want));
}

int run_check_reached(struct run_state *s, uint64_t want)
{
	if (s->f.result.reached == want)
		return 0;
	return run_fail(s, "%s, reached %#llx, expected %#llx",
			nw_status_name(s->f.result.status),
			(unsigned long long)s->f.result.reached,
			(unsigned long long)want);
}
