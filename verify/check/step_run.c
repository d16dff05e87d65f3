/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs: entries that say of each other that a TLB may hold one
 * translation for all of them. Software changes them together; in between they
 * differ, so a run is looked at when the operation that touched it returns,
 * or, where no operation is told, at the end of the trace.
 */
#include "track.h"

#include <stdlib.h>

static int is_member(const struct nwv_shape *s, unsigned level, uint64_t e,
		     struct nwv_leaf *leaf)
{
	if (nwv_kind(s, level, e) != NWV_LEAF)
		return 0;
	nwv_leaf_decode(s, level, e, leaf);
	return leaf->has_contig;
}

/* ---- what was touched ------------------------------------------------------
 */

static void note_in_op(struct nwv_check *c, struct nwv_op *op, uint64_t va)
{
	if (op->runs && op->run[op->runs - 1] == va)
		return;
	if (!nwv_room(c, (void **)&op->run, &op->run_room, op->runs,
		      sizeof(*op->run)))
		op->run[op->runs++] = va;
}

static void note_for_end(struct nwv_check *c, uint64_t va)
{
	struct nwv_runs *r = c->runs;

	if (!r)
		r = c->runs = nwv_make(c, sizeof(*r));
	if (!r || nwv_map_get(&r->known, va))
		return;
	if (nwv_room(c, (void **)&r->run, &r->run_room, r->runs,
		     sizeof(*r->run)))
		return;
	if (nwv_map_put(&r->known, va, 1))
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	r->run[r->runs++] = va;
}

void nwv_run_touch(struct nwv_check *c, const struct nwv_page *p,
		   unsigned index, uint64_t before, uint64_t after)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	unsigned lg2 = nwv_run_lg2(s, p->level);
	struct nwv_leaf leaf;
	struct nwv_op *op;
	uint64_t va;

	if (!lg2 || (!is_member(s, p->level, before, &leaf) &&
		     !is_member(s, p->level, after, &leaf)))
		return;
	/* A run is smaller than a frame, so it lies in one. */
	va = p->va + 8 * (uint64_t)(index & ~((1u << lg2) - 1));
	op = c->watch_write & NWV_WATCH_OP ? nwv_op_on(c, c->now->cpu, p->root)
					   : NULL;
	if (op)
		note_in_op(c, op, va);
	else
		note_for_end(c, va);
}

/* ---- judging
 * ----------------------------------------------------------------- */

/* Rights but for the one that a dirty update gives. */
static unsigned steady_rights(const struct nwv_leaf *leaf)
{
	return leaf->rights & ~(leaf->has_dbm ? (unsigned)NWV_W : 0u);
}

static enum nwv_run_flaw compare_member(const struct nwv_leaf *first,
					const struct nwv_leaf *leaf,
					uint64_t offset)
{
	if (leaf->pa != first->pa + offset)
		return NWV_RUN_OUTPUT;
	if (steady_rights(leaf) != steady_rights(first) ||
	    leaf->has_dbm != first->has_dbm ||
	    leaf->memattr != first->memattr || leaf->share != first->share ||
	    leaf->is_global != first->is_global)
		return NWV_RUN_ATTRS;
	return NWV_RUN_WHOLE;
}

/* Of the run that begins at `first`; *at is the member that differs. */
static enum nwv_run_flaw run_flaw(const struct nwv_shape *s,
				  const struct nwv_page *p, unsigned first,
				  unsigned lg2, unsigned *at)
{
	unsigned span_lg2 = nwv_span_lg2(s, p->level), i, members = 0;
	struct nwv_leaf one = {0}, leaf;
	enum nwv_run_flaw flaw;

	for (i = 0; i < 1u << lg2; i++)
		members += is_member(s, p->level, p->entry[first + i], &leaf);
	if (!members)
		return NWV_RUN_WHOLE;
	for (i = 0; i < 1u << lg2; i++) {
		*at = first + i;
		if (!is_member(s, p->level, p->entry[*at], &leaf))
			return NWV_RUN_MEMBER;
		if (!i) {
			one = leaf;
			if (one.pa & ((UINT64_C(1) << (span_lg2 + lg2)) - 1))
				return NWV_RUN_OUTPUT;
		}
		flaw = compare_member(&one, &leaf, (uint64_t)i << span_lg2);
		if (flaw)
			return flaw;
	}
	return NWV_RUN_WHOLE;
}

static void judge_run(struct nwv_check *c, uint64_t va, struct nwv_mark since)
{
	const struct nwv_page *p = nwv_page_at_va(c, va);
	unsigned first = nwv_page_index(va), at = 0;
	const struct nwv_shape *s;
	struct nwv_facts f;
	enum nwv_run_flaw flaw;

	if (!p || !p->root || p->life != NWV_LINKED)
		return;
	s = &c->root[p->root].shape;
	flaw = run_flaw(s, p, first, nwv_run_lg2(s, p->level), &at);
	if (!flaw)
		return;
	f = (struct nwv_facts){
		.on = NWV_ON_RUN,
		.event = c->now,
		.shape = s,
		.ia = nwv_entry_ia(c, p, at),
		.before = p->entry[first],
		.after = p->entry[at],
		.level = p->level,
		.pa = p->pa,
		.run_differs = (uint8_t)flaw,
		.run_since = since,
	};
	nwv_judge(c, &f);
}

void nwv_run_return(struct nwv_check *c, struct nwv_op *op)
{
	uint32_t i;

	for (i = 0; i < op->runs; i++) {
		/* Whoever holds the first entry is at work on all of it, and
		 * answers for it. */
		if (nwv_entry_lock_at(c, op->run[i]))
			note_for_end(c, op->run[i]);
		else
			judge_run(c, op->run[i], op->begin);
	}
}

void nwv_run_end(struct nwv_check *c)
{
	struct nwv_mark nothing = {0};
	uint32_t i;

	for (i = 0; c->runs && i < c->runs->runs; i++)
		judge_run(c, c->runs->run[i], nothing);
}

void nwv_runs_free(struct nwv_check *c)
{
	if (!c->runs)
		return;
	free(c->runs->run);
	nwv_map_free(&c->runs->known);
	free(c->runs);
}
