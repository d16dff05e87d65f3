/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folding: a table page whose entries say together what the one entry above can
 * say alone is replaced by that entry. Two operations, one mechanism:
 *
 *   collapse   512 leaves that translate as one block do  ->  the block
 *   reclaim    512 empty entries                          ->  an empty entry
 *
 * What does not fold to a block may make contiguous runs: collapse forms those
 * too, where the engine keeps them (contig.h). Members of runs fold as others
 * do: what is frozen from the first entry on is as good as locked.
 *
 *   look . lock the entry above . flush the span, walk caches included .
 *   freeze each entry, if it still says so . publish . grace period . free
 *
 * Whoever reached the page before it was locked can change an entry until it is
 * frozen. Where one did, what was frozen gets its value back and the table its
 * place: the fold has not happened. (protocols.md 6, and docs/adr/0005.)
 */
#include "contig.h"
#include "retire.h"

#define FOLD_PENDING_MAX 16
/* Runs of one page: 32 of 8,192 entries, at most. */
#define FOLD_RUNS_MAX 256

enum fold { FOLD_COLLAPSE, FOLD_RECLAIM };

/* A table whose entry above is locked. */
struct fold_page {
	nw_pteref_t above;
	nw_entry_t link; /* what `above` was */
	nw_pa_t page;
	unsigned level;	    /* of `above` */
	nw_entry_t child;   /* what the first entry shall be, state aside */
	nw_entry_t becomes; /* what `above` can be then, state aside */
};

struct fold_job {
	enum fold how;
	unsigned max_level;
	uint64_t start, end;
	unsigned budget_pages, looked;
	unsigned pending;
	struct fold_page page[FOLD_PENDING_MAX];
	struct nw_batch batch;
};

/* ---- what one page says ------------------------------------------------ */

/* Does `e`, of `level` and at `index`, say what `want` says? Accessed and dirty
 * state aside, and in a run or alone. */
static int fold_says(const struct nw_table *t, unsigned level, unsigned index,
		     nw_entry_t e, nw_entry_t want)
{
	if (want == NWF_EMPTY)
		return e == NWF_EMPTY;
	return nwf_is_leaf(level, e) &&
	       !((nw_alone(t, level, e, index) ^ want) &
		 ~nwf_leaf_state_bits(&t->geo, want));
}

static nw_entry_t fold_next(const struct nw_geometry *geo, unsigned level,
			    nw_entry_t want)
{
	return want == NWF_EMPTY ? want : nwf_leaf_next(geo, level, want);
}

/* From its first entry: what the page must say, and what it folds to. 0: to
 * nothing. */
static int fold_plan(const struct nw_table *t, enum fold how,
		     struct fold_page *p, nw_entry_t first)
{
	const struct nw_geometry *geo = &t->geo;

	p->child = p->becomes = NWF_EMPTY;
	if (how == FOLD_RECLAIM)
		return first == NWF_EMPTY;
	if (!nwf_is_leaf(p->level - 1, first))
		return 0;
	p->becomes = nwf_collapse_parent(
		geo, p->level, nw_alone(t, p->level - 1, first, 0));
	if (!p->becomes)
		return 0;
	p->child = nwf_split_child(geo, p->level, p->becomes);
	return 1;
}

static int fold_worthwhile(const struct nw_table *t, enum fold how,
			   struct fold_page *p)
{
	nw_pteref_t first = nw_pteref_page(t, p->page.v);
	unsigned below = p->level - 1;
	nw_entry_t want;

	if (!fold_plan(t, how, p, nw_entry_read(first)))
		return 0;
	want = p->child;
	for (unsigned i = 0; i < nw_page_entries(t, below); i++) {
		if (!fold_says(t, below, i,
			       nw_entry_read(nw_pteref_index(first, i)), want))
			return 0;
		want = fold_next(&t->geo, below, want);
	}
	return 1;
}

/* ---- folding it -------------------------------------------------------- */

/* Of what is frozen. */
struct fold_state {
	struct nw_leaf_state leaf;
	uint64_t members[FOLD_RUNS_MAX / 64]; /* bit n: run n was one */
};

/* The bit for the run that this entry is or could be in. */
static unsigned fold_run(const struct nw_table *t, unsigned level,
			 unsigned index)
{
	return index / nw_run_entries(t, level) & (FOLD_RUNS_MAX - 1);
}

/* Freeze the entry if it says what is wanted. */
static int fold_freeze(const struct nw_table *t, unsigned level, unsigned index,
		       nw_pteref_t ref, nw_entry_t want,
		       struct fold_state *state)
{
	nw_entry_t e = nw_entry_read(ref);
	unsigned run = fold_run(t, level, index);

	do {
		if (!fold_says(t, level, index, e, want))
			return 0;
	} while (!nw_entry_freeze(ref, &e, nwf_frozen()));
	if (want != NWF_EMPTY)
		nw_state_add(&t->geo, &state->leaf, e);
	if (nw_is_member(t, level, e))
		state->members[run / 64] |= UINT64_C(1) << run % 64;
	return 1;
}

static nw_entry_t fold_with_state(const struct nw_geometry *geo, nw_entry_t e,
				  const struct fold_state *state)
{
	return e == NWF_EMPTY ? e : nw_state_put(geo, &state->leaf, e);
}

/* What the entry said before it was frozen. Which of them was accessed or dirty
 * is not kept: all are, if one was. */
static nw_entry_t fold_thawed(const struct nw_table *t, unsigned level,
			      unsigned index, nw_entry_t want,
			      const struct fold_state *state)
{
	nw_entry_t e = fold_with_state(&t->geo, want, state);
	unsigned run = fold_run(t, level, index);

	if (state->members[run / 64] >> run % 64 & 1)
		e = nwf_contig_member(&t->geo, level, e);
	return e;
}

/* Give the first `n` entries back what they said. */
static void fold_thaw(const struct nw_table *t, const struct fold_page *p,
		      unsigned n, const struct fold_state *state)
{
	nw_pteref_t first = nw_pteref_page(t, p->page.v);
	unsigned below = p->level - 1;
	nw_entry_t want = p->child;

	for (unsigned i = 0; i < n; i++) {
		nw_entry_t frozen = nwf_frozen();

		(void)nw_entry_try_replace(
			nw_pteref_index(first, i), &frozen,
			fold_thawed(t, below, i, want, state));
		want = fold_next(&t->geo, below, want);
	}
}

/* The page is locked and flushed. */
static void fold_page(struct fold_job *job, const struct fold_page *p)
{
	struct nw_batch *b = &job->batch;
	struct nw_table *t = b->owner.t;
	nw_pteref_t first = nw_pteref_page(t, p->page.v);
	unsigned below = p->level - 1, entries = nw_page_entries(t, below);
	struct fold_state state = {.leaf = {0, 0}};
	nw_entry_t want = p->child;
	unsigned i;

	for (i = 0; i < entries; i++) {
		if (!fold_freeze(t, below, i, nw_pteref_index(first, i), want,
				 &state))
			break;
		want = fold_next(&t->geo, below, want);
	}
	if (i < entries) {
		fold_thaw(t, p, i, &state);
		if (nw_entry_publish(p->above, b->owner.token, p->link))
			return;
		/* Stolen by a removal of all of it: the page is ours to free. */
		NW_FN(freeze_subtree)(t, p->page, below);
	}
	nw_batch_add_dead(b, p->page, below);
	if (i == entries &&
	    nw_entry_publish(p->above, b->owner.token,
			     fold_with_state(&t->geo, p->becomes, &state)))
		nw_stat_add(t, &t->stats.folds, 1);
}

static void fold_settle(struct fold_job *job)
{
	if (!job->pending)
		return;
	nw_flush_issue(job->batch.owner.t, &job->batch.flush); /* ORD-07 */
	for (unsigned i = 0; i < job->pending; i++)
		fold_page(job, &job->page[i]);
	job->pending = 0;
	nw_port_publish_barrier(); /* ORD-09 */
}

/* ---- finding them ------------------------------------------------------ */

/* What the page cannot say as a block, it may say as runs. */
static void fold_runs(struct fold_job *job, const struct fold_page *p,
		      uint64_t base)
{
	struct nw_owner *owner = &job->batch.owner;

	if (job->how == FOLD_COLLAPSE && p->level - 1 <= job->max_level &&
	    nw_run_entries(owner->t, p->level - 1) > 1)
		NW_FN(runs_form)(owner, nw_pteref_page(owner->t, p->page.v),
				 p->level - 1, base, job->start, job->end);
}

/* The same for the root, which no entry is above. */
static void fold_root_runs(struct fold_job *job)
{
	struct nw_table *t = job->batch.owner.t;

	if (job->how == FOLD_COLLAPSE && nw_top_level(t) <= job->max_level)
		NW_FN(runs_form)(&job->batch.owner, nw_pteref_root(t),
				 nw_top_level(t), 0, job->start, job->end);
}

/* Lock the entry over `addr`, of the cursor's level, if it is a table that lies
 * in the range and folds. */
static void fold_consider(struct fold_job *job, const struct nw_iter *it,
			  uint64_t addr)
{
	struct nw_table *t = job->batch.owner.t;
	uint64_t span = nw_span_bytes(t, it->level);
	uint64_t base = addr & ~(span - 1);
	struct fold_page *p = &job->page[job->pending];

	p->level = it->level;
	p->above = nw_pteref_index(it->page[it->level],
				   nw_index_at(t, it->level, addr));
	p->link = nw_entry_read(p->above);
	if (!nwf_is_table(p->level, p->link))
		return;
	p->page = NW_PA(nwf_table_pa(&t->geo, p->link));
	if (p->level > job->max_level || base < job->start ||
	    job->end - base < span) {
		fold_runs(job, p, base);
		return;
	}
	job->looked++;
	if (!fold_worthwhile(t, job->how, p)) {
		fold_runs(job, p, base);
		return;
	}
	if (!nw_entry_lock(p->above, &p->link,
			   nw_owner_token(&job->batch.owner)))
		return;
	nw_flush_add(&job->batch.flush, base, base + span,
		     nw_levels_below(t, p->level), 1);
	if (++job->pending == FOLD_PENDING_MAX)
		fold_settle(job);
}

/* On to the next entry. A table that ends there comes after all that is in
 * it: what is folded inside may be what makes it fold. */
static void fold_step(struct fold_job *job, struct nw_iter *it)
{
	const struct nw_table *t = it->t;
	uint64_t from = it->addr, next = nw_iter_next_base(it);

	it->addr = next < it->end ? next : it->end;
	while (it->level < nw_top_level(t) &&
	       (it->addr == it->end ||
		!(it->addr & (nw_span_bytes(t, it->level + 1) - 1)))) {
		it->level++;
		fold_settle(job);
		fold_consider(job, it, from);
	}
}

/* NW_OK: all of it. NW_MORE: the budget is spent. NW_E_LIMIT: so many pages
 * were folded that they should be freed first. */
static enum nw_status fold_some(struct fold_job *job, struct nw_iter *it)
{
	while (nw_iter_more(it)) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));

		if (job->looked >= job->budget_pages)
			return NW_MORE;
		if (job->batch.dead_count + 2 * FOLD_PENDING_MAX > NW_DEAD_MAX)
			return NW_E_LIMIT;
		if (nwf_is_table(it->level, e) && it->level > 1) {
			nw_iter_down(it, e);
			continue;
		}
		fold_consider(job, it, it->addr);
		fold_step(job, it);
	}
	return NW_OK;
}

static enum nw_status fold_range(struct fold_job *job, struct nw_table *t,
				 struct nw_result *result)
{
	struct nw_iter it = {.addr = job->start};
	enum nw_status status;

	nw_batch_begin(&job->batch, t);
	job->looked = job->pending = 0;
	do {
		/* ORD-06: what is locked stays allocated until it is published,
		 * and the section ends before the grace period. */
		nw_section_enter(t);
		nw_iter_start(&it, t, it.addr, job->end);
		status = fold_some(job, &it);
		fold_settle(job);
		if (!status)
			fold_root_runs(job);
		nw_section_leave(t); /* ORD-06 */
		NW_FN(batch_free)(&job->batch);
	} while (status == NW_E_LIMIT);
	return nw_report(result, status, it.addr, it.level, 0);
}

/* ---- the operations ---------------------------------------------------- */

static enum nw_status fold_check(struct nw_table *t, nw_ia_t ia,
				 uint64_t size_bytes, unsigned budget_pages,
				 struct nw_result *result)
{
	enum nw_status status;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (!status && !budget_pages)
		return nw_refuse(result, NW_E_EMPTY, ia.v, "budget_pages");
	return status;
}

enum nw_status NW_FN(collapse)(struct nw_table *t, nw_ia_t ia,
			       uint64_t size_bytes, unsigned max_level,
			       unsigned budget_pages, struct nw_result *result)
{
	uint64_t end = ia.v + size_bytes;
	struct fold_job job;
	enum nw_status status;

	status = fold_check(t, ia, size_bytes, budget_pages, result);
	if (status)
		return status;
	if (max_level != NW_LEVEL_ANY &&
	    (max_level >= t->geo.levels ||
	     !(t->geo.leaf_levels >> max_level & 1)))
		return nw_refuse(result, NW_E_LEVEL, ia.v, "max_level");
	job.how = FOLD_COLLAPSE;
	job.max_level = max_level;
	job.start = ia.v;
	job.end = end;
	job.budget_pages = budget_pages;
	nw_op_begin(t, NW_OP_COLLAPSE, ia.v, end);
	status = fold_range(&job, t, result);
	nw_op_end(t, NW_OP_COLLAPSE, ia.v, end, status);
	return status;
}

enum nw_status NW_FN(reclaim_tables)(struct nw_table *t, nw_ia_t ia,
				     uint64_t size_bytes, unsigned budget_pages,
				     struct nw_result *result)
{
	uint64_t end = ia.v + size_bytes;
	struct fold_job job;
	enum nw_status status;

	status = fold_check(t, ia, size_bytes, budget_pages, result);
	if (status)
		return status;
	job.how = FOLD_RECLAIM;
	job.max_level = NW_LEVEL_ANY;
	job.start = ia.v;
	job.end = end;
	job.budget_pages = budget_pages;
	nw_op_begin(t, NW_OP_RECLAIM, ia.v, end);
	status = fold_range(&job, t, result);
	nw_op_end(t, NW_OP_RECLAIM, ia.v, end, status);
	return status;
}
