/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contiguous runs: setting, changing, breaking and forming them.
 *
 * The mark changes through a break on every CPU that needs one, and wherever
 * hardware keeps state: only what is invalid in all members has a final state
 * to hand on. Members are locked as any entry is (lock.h), the first one first,
 * and published with the first one last; until then a change of the run waits.
 */
#include "contig.h"
#include "leaves.h"

enum run_shape { RUN_ALONE, RUN_MARKED };

struct run {
	nw_pteref_t first;
	uint64_t base; /* input address */
	unsigned level, entries;
	nw_entry_t alone; /* what the first member is alone, state aside */
	struct nw_leaf_state state;
	int changed; /* a member was written */
};

/* The run that the entry over `ia`, of this page, is in or could be in. */
static struct run run_over(const struct nw_table *t, nw_pteref_t page,
			   unsigned level, uint64_t ia)
{
	uint64_t base = ia & ~(nw_run_bytes(t, level) - 1);

	return (struct run){
		.first = nw_pteref_index(page, nw_index_at(t, level, base)),
		.base = base,
		.level = level,
		.entries = nw_run_entries(t, level),
	};
}

static nw_entry_t run_as(const struct nw_geometry *geo, const struct run *r,
			 enum run_shape shape, nw_entry_t alone)
{
	nw_entry_t e = nw_state_put(geo, &r->state, alone);

	return shape == RUN_MARKED ? nwf_contig_member(geo, r->level, e) : e;
}

/* Is `e` member k of such a run? `want`: what it is alone. */
static int run_says(const struct nw_geometry *geo, const struct run *r,
		    enum run_shape shape, unsigned k, nw_entry_t e,
		    nw_entry_t want)
{
	if (!nwf_is_leaf(r->level, e) ||
	    nwf_leaf_is_contig(geo, r->level, e) != (shape == RUN_MARKED))
		return 0;
	if (shape == RUN_MARKED)
		e = nwf_contig_alone(geo, r->level, e, k);
	return !((e ^ want) & ~nwf_leaf_state_bits(geo, want));
}

/* ---- mapping ----------------------------------------------------------- */

/* May a run begin at this entry, with `leaf`, of which n more follow? */
static int run_fits(const struct nw_table *t, unsigned level, unsigned index,
		    unsigned n, nw_entry_t leaf)
{
	unsigned entries = nw_run_entries(t, level);

	return entries > 1 && n >= entries && !(index & (entries - 1)) &&
	       !(nwf_leaf_pa(&t->geo, level, leaf) &
		 (nw_run_bytes(t, level) - 1));
}

void NW_FN(runs_fill)(const struct nw_table *t, unsigned level,
		      nw_pteref_t page, unsigned index, unsigned n,
		      nw_entry_t leaf)
{
	const unsigned mask = nw_run_entries(t, level) - 1;
	int in_run = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!((index + i) & mask))
			in_run = run_fits(t, level, index + i, n - i, leaf);
		nw_entry_init(nw_pteref_index(page, index + i),
			      in_run ? nwf_contig_member(&t->geo, level, leaf)
				     : leaf);
		leaf = nwf_leaf_next(&t->geo, level, leaf);
	}
}

static int all_empty(nw_pteref_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (nw_entry_read(nw_pteref_index(first, i)) != NWF_EMPTY)
			return 0;
	return 1;
}

unsigned NW_FN(runs_map)(const struct nw_iter *it, unsigned n, nw_entry_t leaf)
{
	const struct nw_table *t = it->t;
	const unsigned level = it->level, mask = nw_run_entries(t, level) - 1;
	const unsigned index = nw_index_at(t, level, it->addr);
	const nw_pteref_t page = it->page[level];
	unsigned i, in_run = 0;

	for (i = 0; i < n; i++) {
		nw_pteref_t ref = nw_pteref_index(page, index + i);

		if (!((index + i) & mask))
			in_run = run_fits(t, level, index + i, n - i, leaf) &&
				 all_empty(ref, mask + 1);
		if (nw_entry_read(ref) != NWF_EMPTY)
			break;
		nw_entry_set_exclusive(
			ref, NWF_EMPTY,
			in_run ? nwf_contig_member(&t->geo, level, leaf)
			       : leaf);
		leaf = nwf_leaf_next(&t->geo, level, leaf);
	}
	return i;
}

/* ---- taking a run, and giving it back ---------------------------------- */

/* Lock the members that have this shape; returns how many, from the first on.
 * Fewer than all: the next one says something else. */
static unsigned run_lock(struct nw_owner *owner, struct run *r,
			 enum run_shape shape)
{
	const struct nw_geometry *geo = &owner->t->geo;
	nw_entry_t want = r->alone;

	for (unsigned k = 0; k < r->entries; k++) {
		nw_pteref_t ref = nw_pteref_index(r->first, k);
		nw_entry_t e = nw_entry_read(ref);

		do {
			if (!run_says(geo, r, shape, k, e, want))
				return k;
		} while (!nw_entry_lock(ref, &e, nw_owner_token(owner)));
		nw_state_add(geo, &r->state, e);
		want = nwf_leaf_next(geo, r->level, want);
	}
	return r->entries;
}

/* Give the first n members, which we hold, this shape: the lock of all, the
 * first, at last. 0: that one was stolen, and so is all the rest or will be. */
static int run_publish(struct nw_owner *owner, const struct run *r, unsigned n,
		       enum run_shape shape)
{
	const struct nw_geometry *geo = &owner->t->geo;
	nw_entry_t alone = r->alone;

	if (!n)
		return 0;
	for (unsigned k = 1; k < n; k++) {
		alone = nwf_leaf_next(geo, r->level, alone);
		(void)nw_entry_publish(nw_pteref_index(r->first, k),
				       owner->token,
				       run_as(geo, r, shape, alone));
	}
	return nw_entry_publish(r->first, owner->token,
				run_as(geo, r, shape, r->alone));
}

static void run_flush_add(const struct nw_table *t, struct nw_flush *flush,
			  const struct run *r)
{
	nw_flush_add(flush, r->base, r->base + nw_run_bytes(t, r->level),
		     1u << r->level, 0);
}

/* A member was seen, or just now was one, and the first entry is none. */
static enum nw_status run_unclear(const struct nw_table *t, nw_entry_t e)
{
	return t->mode == NW_MODE_SHARED || nw_is_held(e) ? NW_E_BUSY
							  : NW_E_CORRUPT;
}

/* ---- breaking ---------------------------------------------------------- */

/*
 * Where the CPU lets the size change in place, and software alone keeps the
 * state: only the first entry is invalid meanwhile. 0: it was stolen, or is not
 * what was seen.
 */
static int break_in_place(struct nw_owner *owner, struct run *r,
			  nw_entry_t first, struct nw_flush *flush)
{
	const struct nw_geometry *geo = &owner->t->geo;
	nw_entry_t alone = r->alone;

	if (!nw_entry_lock(r->first, &first, nw_owner_token(owner)))
		return 0;
	nw_state_add(geo, &r->state, first);
	for (unsigned k = 1; k < r->entries; k++)
		nw_state_add(geo, &r->state,
			     nw_entry_read(nw_pteref_index(r->first, k)));
	for (unsigned k = 1; k < r->entries; k++) {
		nw_pteref_t ref = nw_pteref_index(r->first, k);
		nw_entry_t e = nw_entry_read(ref);

		alone = nwf_leaf_next(geo, r->level, alone);
		while (run_says(geo, r, RUN_MARKED, k, e, alone) &&
		       !nw_entry_try_replace(ref, &e,
					     run_as(geo, r, RUN_ALONE, alone)))
			;
	}
	nw_flush_issue(owner->t, flush); /* ORD-07 */
	return nw_entry_publish(r->first, owner->token,
				run_as(geo, r, RUN_ALONE, r->alone));
}

/* ORD-10, as for a block that is split. */
static int break_through_invalid(struct nw_owner *owner, struct run *r,
				 struct nw_flush *flush)
{
	unsigned n = run_lock(owner, r, RUN_MARKED);

	if (n < r->entries) {
		(void)run_publish(owner, r, n, RUN_MARKED);
		return 0;
	}
	nw_flush_issue(owner->t, flush);
	return run_publish(owner, r, n, RUN_ALONE);
}

enum nw_status NW_FN(run_break)(struct nw_owner *owner,
				const struct nw_iter *it)
{
	struct nw_table *t = owner->t;
	const struct nw_geometry *geo = &t->geo;
	struct run r = run_over(t, it->page[it->level], it->level, it->addr);
	nw_entry_t first = nw_entry_read(r.first);
	struct nw_flush flush;
	int done;

	if (!nw_is_member(t, r.level, first))
		return run_unclear(t, first);
	r.alone = nwf_contig_alone(geo, r.level, first, 0);
	nw_flush_begin(&flush);
	run_flush_add(t, &flush, &r);
	if (nwf_hw_updates(geo) ||
	    nwf_change_needs_break(geo, r.level, first, r.alone))
		done = break_through_invalid(owner, &r, &flush);
	else
		done = break_in_place(owner, &r, first, &flush);
	if (!done)
		return run_unclear(t, nw_entry_read(r.first));
	nw_stat_add(t, &t->stats.run_breaks, 1);
	nw_port_publish_barrier(); /* ORD-09 */
	return NW_OK;
}

/* ---- forming ----------------------------------------------------------- */

#define FORM_PENDING_MAX 16

struct form {
	struct nw_owner *owner;
	struct nw_flush flush;
	unsigned pending;
	struct run run[FORM_PENDING_MAX];
};

static int form_worthwhile(const struct nw_table *t, struct run *r)
{
	nw_entry_t e = nw_entry_read(r->first), want = e;

	r->alone = e;
	if (!nwf_is_leaf(r->level, e) ||
	    (nwf_leaf_pa(&t->geo, r->level, e) &
	     (nw_run_bytes(t, r->level) - 1)))
		return 0;
	for (unsigned k = 0; k < r->entries; k++) {
		if (!run_says(&t->geo, r, RUN_ALONE, k,
			      nw_entry_read(nw_pteref_index(r->first, k)),
			      want))
			return 0;
		want = nwf_leaf_next(&t->geo, r->level, want);
	}
	return 1;
}

static void form_settle(struct form *f)
{
	struct nw_table *t = f->owner->t;

	if (!f->pending)
		return;
	nw_flush_issue(t, &f->flush); /* ORD-10 */
	for (unsigned i = 0; i < f->pending; i++)
		if (run_publish(f->owner, &f->run[i], f->run[i].entries,
				RUN_MARKED))
			nw_stat_add(t, &t->stats.run_forms, 1);
	f->pending = 0;
	nw_port_publish_barrier(); /* ORD-09 */
}

void NW_FN(runs_form)(struct nw_owner *owner, nw_pteref_t page, unsigned level,
		      uint64_t base, uint64_t start, uint64_t end)
{
	const struct nw_table *t = owner->t;
	const uint64_t bytes = nw_run_bytes(t, level);
	uint64_t last = base + nw_page_entries(t, level) *
				       nw_span_bytes(t, level);
	uint64_t at = start > base ? (start + bytes - 1) & ~(bytes - 1) : base;
	struct form f = {.owner = owner};

	if (nw_run_entries(t, level) == 1)
		return;
	nw_flush_begin(&f.flush);
	if (last > end)
		last = end;
	for (; at < last && last - at >= bytes; at += bytes) {
		struct run *r = &f.run[f.pending];
		unsigned n;

		*r = run_over(t, page, level, at);
		if (!form_worthwhile(t, r))
			continue;
		n = run_lock(owner, r, RUN_ALONE);
		if (n < r->entries) {
			/* Made valid as they were: nothing to flush. */
			(void)run_publish(owner, r, n, RUN_ALONE);
			continue;
		}
		run_flush_add(t, &f.flush, r);
		if (++f.pending == FORM_PENDING_MAX)
			form_settle(&f);
	}
	form_settle(&f);
}

/* ---- reading ----------------------------------------------------------- */

/* 0: an entry of the run is no member now. */
static int run_look(const struct nw_table *t, struct run *r)
{
	for (unsigned k = 0; k < r->entries; k++) {
		nw_entry_t e = nw_entry_read(nw_pteref_index(r->first, k));

		if (!nw_is_member(t, r->level, e))
			return 0;
		nw_state_add(&t->geo, &r->state, e);
	}
	return 1;
}

enum nw_status NW_FN(run_state)(const struct nw_table *t, nw_pteref_t page,
				unsigned level, uint64_t ia, nw_entry_t *e)
{
	struct run r = run_over(t, page, level, ia);

	if (!run_look(t, &r))
		return run_unclear(t, nw_entry_read(r.first));
	*e = nw_state_put(&t->geo, &r.state, *e);
	return NW_OK;
}

/* ---- changing leaves (leaves.h) ---------------------------------------- */

struct run_change {
	struct nw_leaves *job;
	const struct nw_iter *it;
	enum nw_leaves_how how;
	nw_leaf_fn fn;
	struct nw_owner owner;
};

/* What the member becomes, the state of the whole run counted in. */
static enum nw_status change_member(const struct run_change *c,
				    const struct run *r, nw_entry_t e,
				    nw_entry_t *changed)
{
	const struct nw_geometry *geo = &c->job->t->geo;

	return c->fn(geo, c->job->prot, nw_state_put(geo, &r->state, e),
		     changed);
}

/* Members [from, entries). 0: one of them is none any more. */
static int change_members(struct run_change *c, struct run *r, unsigned from)
{
	const struct nw_table *t = c->job->t;

	for (unsigned k = from; k < r->entries; k++) {
		nw_pteref_t ref = nw_pteref_index(r->first, k);
		nw_entry_t e = nw_entry_read(ref), changed;

		do {
			if (!nw_is_member(t, r->level, e))
				return 0;
			nw_state_add(&t->geo, &r->state, e);
			if (change_member(c, r, e, &changed))
				return 0;
		} while (changed != e &&
			 !nw_entry_try_replace(ref, &e, changed));
		r->changed |= changed != e;
	}
	return 1;
}

/* NW_E_RACED: look again. */
static enum nw_status change_run(struct run_change *c, struct run *r)
{
	struct nw_table *t = c->job->t;
	nw_entry_t first = nw_entry_read(r->first), changed;
	int done;

	if (t->mode != NW_MODE_SHARED)
		return change_members(c, r, 0) ? NW_OK : NW_E_CORRUPT;
	if (!nw_is_member(t, r->level, first) ||
	    !nw_entry_lock(r->first, &first, nw_owner_token(&c->owner)))
		return NW_E_RACED;
	nw_state_add(&t->geo, &r->state, first);
	done = change_members(c, r, 1);
	if (!done || change_member(c, r, first, &changed))
		changed = first;
	r->changed |= changed != first;
	if (!nw_entry_publish(r->first, c->owner.token, changed))
		return NW_E_RACED; /* stolen: a removal of all of it */
	return done ? NW_OK : NW_E_BUSY;
}

/* Would anything be written? *counts: to who asks, the run changes. */
static enum nw_status run_plan(const struct run_change *c, const struct run *r,
			       int *counts, int *writes)
{
	const struct nw_geometry *geo = &c->job->t->geo;
	nw_entry_t e = nw_entry_read(r->first), changed;
	enum nw_status status = change_member(c, r, e, &changed);

	*counts = *writes = 0;
	if (status)
		return status;
	*counts = *writes = changed != nw_state_put(geo, &r->state, e);
	for (unsigned k = 0; !*writes && k < r->entries; k++) {
		e = nw_entry_read(nw_pteref_index(r->first, k));
		*writes = c->fn(geo, c->job->prot, e, &changed) ||
			  changed != e;
	}
	return NW_OK;
}

/* The run of the member over `ia`; `n` of its members are in the range. */
static enum nw_status change_whole(struct run_change *c, uint64_t ia,
				   unsigned n)
{
	struct nw_leaves *job = c->job;
	const struct nw_table *t = job->t;
	const unsigned level = c->it->level;
	const uint64_t bytes = nw_run_bytes(t, level);
	struct run r = run_over(t, c->it->page[level], level, ia);
	enum nw_status status;
	int counts, writes;

	if (job->edge == NW_EDGE_SPLIT &&
	    !nw_run_in(t, level, ia, job->start, c->it->end))
		return NW_MORE;
	if (!run_look(t, &r))
		return run_unclear(t, nw_entry_read(r.first));
	status = run_plan(c, &r, &counts, &writes);
	if (!status && writes && c->how != NW_HOW_READ)
		status = change_run(c, &r);
	/* Also where the run was stolen half-way: its marks are gone. */
	if (r.changed && job->dirty && r.state.dirty)
		job->dirty(job->dirty_arg, NW_IA(r.base), bytes);
	if (r.changed && job->then == NW_THEN_FLUSH)
		run_flush_add(t, &job->flush, &r);
	if (!status && counts)
		job->found += n;
	return status;
}

/* A leaf that is no member. */
static enum nw_status change_single(struct run_change *c, uint64_t ia,
				    nw_pteref_t ref, nw_entry_t e)
{
	struct nw_leaves *job = c->job;
	const struct nw_table *t = job->t;
	const unsigned level = c->it->level;
	nw_entry_t changed;
	enum nw_status status;

	do {
		if (!nwf_is_leaf(level, e) || nw_is_member(t, level, e))
			return NW_E_RACED;
		status = c->fn(&t->geo, job->prot, e, &changed);
		if (status || changed == e)
			return status;
	} while (c->how != NW_HOW_READ &&
		 !nw_entry_try_replace(ref, &e, changed));
	job->found++;
	if (c->how == NW_HOW_READ)
		return NW_OK;
	if (job->dirty && nwf_leaf_is_dirty(&t->geo, e))
		job->dirty(job->dirty_arg, NW_IA(ia), nw_span_bytes(t, level));
	if (job->then == NW_THEN_FLUSH)
		nw_flush_add(&job->flush, ia, ia + nw_span_bytes(t, level),
			     1u << level, 0);
	return NW_OK;
}

unsigned NW_FN(leaves_in_runs)(struct nw_leaves *job, const struct nw_iter *it,
			       unsigned n, enum nw_leaves_how how,
			       nw_leaf_fn fn, enum nw_status *status)
{
	const struct nw_table *t = it->t;
	const unsigned level = it->level, entries = nw_run_entries(t, level);
	const unsigned index = nw_index_at(t, level, it->addr);
	const uint64_t base = nw_iter_base(it), span = nw_span_bytes(t, level);
	struct run_change c = {
		.job = job,
		.it = it,
		.how = how,
		.fn = fn,
		.owner = {.t = job->t, .token = NWF_EMPTY},
	};
	unsigned i, step;

	for (i = 0; i < n; i += step) {
		nw_pteref_t ref = nw_pteref_index(it->page[level], index + i);
		nw_entry_t e = nw_entry_read(ref);

		step = 1;
		if (e == NWF_EMPTY || nwf_is_annotation(e))
			continue;
		if (!nwf_is_leaf(level, e))
			break;
		if (nw_is_member(t, level, e)) {
			step = entries - ((index + i) & (entries - 1));
			if (step > n - i)
				step = n - i;
			*status = change_whole(&c, base + i * span, step);
		} else {
			*status = change_single(&c, base + i * span, ref, e);
		}
		if (*status)
			break;
	}
	return i;
}
