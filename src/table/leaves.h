/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of every operation that changes leaves where they stand: rights,
 * write protection, dirty and accessed state. What a leaf becomes is a pure
 * function of what it is; everything else is here once: reading each entry
 * once, the store that hardware and other CPUs allow, the flush, waiting for
 * an entry that somebody else is replacing.
 */
#ifndef NW_TABLE_LEAVES_H
#define NW_TABLE_LEAVES_H

#include "iter.h"
#include "lock.h"

/* So that each operation gets loops of its own. */
#define NW_LOOP static inline __attribute__((always_inline))

/*
 * What the leaf becomes, in *out; the same value: nothing to do. Anything but
 * NW_OK ends the operation in front of this leaf.
 */
typedef enum nw_status (*nw_leaf_fn)(const struct nw_geometry *geo,
				     unsigned prot, nw_entry_t leaf,
				     nw_entry_t *out);

/* Of several leaves, by the AND and the OR of their values: which change? */
typedef enum nw_leaf_some (*nw_group_fn)(const struct nw_geometry *geo,
					 nw_entry_t all, nw_entry_t any);

/* How the operation writes. */
enum nw_leaves_how {
	NW_HOW_READ,  /* not at all: changes are only counted */
	NW_HOW_STORE, /* one writer, and hardware updates nothing by itself */
	NW_HOW_SWAP,  /* other CPUs or hardware write too */
};

/* What follows a change. */
enum nw_leaves_then {
	NW_THEN_NOTHING, /* no TLB needs to know */
	NW_THEN_FLUSH,	 /* translations that were wider must go */
};

/* A leaf that is partly outside the range. */
enum nw_leaves_edge {
	NW_EDGE_WHOLE, /* is taken whole */
	NW_EDGE_SPLIT, /* must be split first: NW_MORE */
};

struct nw_leaves {
	struct nw_table *t;
	unsigned prot; /* for the function */
	enum nw_leaves_then then;
	enum nw_leaves_edge edge;
	uint64_t start;	   /* of the operation's range */
	nw_range_fn dirty; /* told of dirty leaves that change; may be NULL */
	void *dirty_arg;
	uint64_t found; /* leaves that changed, or would have */
	nw_entry_t stopped_at;
	struct nw_flush flush;
	struct nw_gather *gather; /* the caller's, who flushes later; or NULL */
};

/*
 * As nw_leaves_page(), in a table whose runs the engine keeps (contig.h): a run
 * is changed as one. NW_MORE: the range has only part of it.
 */
unsigned NW_FN(leaves_in_runs)(struct nw_leaves *job, const struct nw_iter *it,
			       unsigned n, enum nw_leaves_how how,
			       nw_leaf_fn fn, enum nw_status *status);

#ifndef NWF_HAS_GROUPS
static inline int nwf_all_leaves(unsigned level, nw_entry_t all, nw_entry_t any)
{
	(void)level, (void)all, (void)any;
	return 0;
}

static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	(void)geo, (void)all, (void)any;
	return NW_LEAF_SOME;
}

static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any)
{
	return nwf_group_writable(geo, all, any);
}

static inline enum nw_leaf_some
nwf_group_accessed(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any)
{
	return nwf_group_writable(geo, all, any);
}

static inline int nwf_hw_updates(const struct nw_geometry *geo)
{
	(void)geo;
	return 1;
}
#endif

/* ---- entries of one page ------------------------------------------------ */

/* A stretch of one page, and what became of it. Entries by index. */
struct nw_stretch {
	struct nw_leaves *job;
	nw_pteref_t first_ref;
	uint64_t base; /* input address of the first entry */
	unsigned level, span_lg2, n;
	unsigned first, last;		  /* changed leaves, last exclusive */
	unsigned dirty_first, dirty_last; /* not told yet */
};

/* A cache line of entries is read at a time: most of them hold nothing but
 * leaves, and often none of those changes. */
#define NW_GROUP 8u
#define NW_EACH_OF_GROUP                                                       \
	_Pragma("GCC unroll 8") for (unsigned k = 0; k < NW_GROUP; k++)

static void NW_FN(leaves_tell)(struct nw_stretch *s)
{
	const struct nw_leaves *job = s->job;

	if (s->dirty_last > s->dirty_first)
		job->dirty(job->dirty_arg,
			   NW_IA(s->base +
				 ((uint64_t)s->dirty_first << s->span_lg2)),
			   (uint64_t)(s->dirty_last - s->dirty_first)
				   << s->span_lg2);
	s->dirty_first = s->dirty_last = 0;
}

/* Entries [i, i + n) have changed. */
NW_LOOP void nw_stretch_note(struct nw_stretch *s, unsigned i, unsigned n)
{
	if (s->first == s->last)
		s->first = i;
	s->last = i + n;
	s->job->found += n;
}

NW_LOOP void nw_stretch_note_dirty(struct nw_stretch *s, unsigned i)
{
	if (s->dirty_last != i)
		NW_FN(leaves_tell)(s);
	if (s->dirty_first == s->dirty_last)
		s->dirty_first = i;
	s->dirty_last = i + 1;
}

/*
 * Replace what was read, *leaf, by `changed`; the value that was replaced ends
 * up in *leaf. NW_E_RACED: it is no leaf any more.
 */
NW_LOOP enum nw_status nw_leaf_swap(const struct nw_stretch *s, nw_pteref_t ref,
				    nw_entry_t *leaf, nw_entry_t changed,
				    nw_leaf_fn fn)
{
	const struct nw_leaves *job = s->job;
	enum nw_status status;

	/* Compare-and-swap from the value seen (ORD-04): hardware's update, an
	 * annotation or a lock that came in between is never overwritten. */
	while (!nw_entry_try_replace(ref, leaf, changed)) {
		if (!nwf_is_leaf(s->level, *leaf))
			return NW_E_RACED;
		status = fn(&job->t->geo, job->prot, *leaf, &changed);
		if (status || changed == *leaf)
			return status;
	}
	return NW_OK;
}

/* One leaf, `e` as it was read. 0: stop in front of it, because of *status. */
NW_LOOP int nw_leaves_one(struct nw_stretch *s, unsigned i, nw_entry_t e,
			  const enum nw_leaves_how how, nw_leaf_fn fn,
			  enum nw_status *status)
{
	const struct nw_leaves *job = s->job;
	const nw_pteref_t ref = nw_pteref_index(s->first_ref, i);
	nw_entry_t changed;

	*status = fn(&job->t->geo, job->prot, e, &changed);
	if (NW_UNLIKELY(*status))
		return 0;
	if (changed == e)
		return 1;
	if (how == NW_HOW_STORE)
		nw_entry_set_exclusive(ref, e, changed);
	else if (how == NW_HOW_SWAP)
		*status = nw_leaf_swap(s, ref, &e, changed, fn);
	if (NW_UNLIKELY(*status))
		return 0;
	nw_stretch_note(s, i, 1);
	if (job->dirty && nwf_leaf_is_dirty(&job->t->geo, e))
		nw_stretch_note_dirty(s, i);
	return 1;
}

/* Entries one by one, to the end of this group. Returns where it stopped. */
NW_LOOP unsigned nw_leaves_each(struct nw_stretch *s, unsigned i,
				const enum nw_leaves_how how, nw_leaf_fn fn,
				enum nw_status *status)
{
	const unsigned end = s->n - i < NW_GROUP ? s->n : i + NW_GROUP;

	for (; i < end; i++) {
		nw_entry_t e = nw_entry_read(nw_pteref_index(s->first_ref, i));

		if (e == NWF_EMPTY || nwf_is_annotation(e))
			continue;
		if (!nwf_is_leaf(s->level, e) ||
		    !nw_leaves_one(s, i, e, how, fn, status))
			break;
	}
	return i;
}

/* A group of leaves that nobody else writes and that all change; the caller
 * notes them. */
NW_LOOP void nw_leaves_store(nw_pteref_t at, const struct nw_geometry *geo,
			     unsigned prot, const nw_entry_t *e, nw_leaf_fn fn,
			     enum nw_status *status)
{
	NW_EACH_OF_GROUP
	{
		nw_entry_t changed = e[k];

		*status |= fn(geo, prot, e[k], &changed);
		nw_entry_set_exclusive(nw_pteref_index(at, k), e[k], changed);
	}
}

/*
 * Groups of pages, from i on, as long as each is all leaves that all change, by
 * the AND alone: with the OR as well, and what follows it, a compiler runs out
 * of registers. Returns where it stopped.
 */
NW_LOOP unsigned nw_leaves_store_all(const struct nw_geometry *geo,
				     unsigned prot, nw_pteref_t first,
				     unsigned i, unsigned n, nw_leaf_fn fn,
				     nw_group_fn group, enum nw_status *status)
{
	const nw_entry_t in_doubt = ~UINT64_C(0);
	nw_entry_t e[NW_GROUP];

	for (; n - i >= NW_GROUP && !*status; i += NW_GROUP) {
		const nw_pteref_t at = nw_pteref_index(first, i);
		nw_entry_t all = ~UINT64_C(0);

		NW_EACH_OF_GROUP
		{
			e[k] = nw_entry_read(nw_pteref_index(at, k));
			all &= e[k];
		}
		if (!nwf_all_leaves(0, all, in_doubt) ||
		    group(geo, all, in_doubt) != NW_LEAF_ALL)
			break;
		nw_leaves_store(at, geo, prot, e, fn, status);
	}
	return i;
}

/* Returns how many entries were passed: all, but for *status and for what is
 * neither a leaf nor a hole. */
NW_LOOP unsigned nw_leaves_page(struct nw_stretch *s,
				const enum nw_leaves_how how, nw_leaf_fn fn,
				nw_group_fn group, enum nw_status *status)
{
	/* Copies stay in registers. */
	const struct nw_geometry geo = s->job->t->geo;
	const unsigned prot = s->job->prot, level = s->level, n = s->n;
	const nw_pteref_t first = s->first_ref;
	nw_entry_t e[NW_GROUP];
	unsigned i = 0, stored = 0, stop; /* [stored, i) is to be noted */

	while (i < n && !*status) {
		nw_entry_t all = ~UINT64_C(0), any = 0;
		nw_pteref_t at;
		enum nw_leaf_some some = NW_LEAF_SOME;

		at = nw_pteref_index(first, i);
		if (NW_LIKELY(n - i >= NW_GROUP)) {
			NW_EACH_OF_GROUP
			{
				e[k] = nw_entry_read(nw_pteref_index(at, k));
				all &= e[k];
				any |= e[k];
			}
			if (NW_LIKELY(nwf_all_leaves(level, all, any)))
				some = group(&geo, all, any);
		}
		/* Whoever is told of dirty leaves is told of each. */
		if (how == NW_HOW_STORE && some == NW_LEAF_ALL &&
		    !s->job->dirty) {
			nw_leaves_store(at, &geo, prot, e, fn, status);
			i += NW_GROUP;
			/* As it began, so it is likely to go on. */
			if (!level)
				i = nw_leaves_store_all(&geo, prot, first, i, n,
							fn, group, status);
			continue;
		}
		if (i > stored)
			nw_stretch_note(s, stored, i - stored);
		if (some == NW_LEAF_NONE) {
			i += NW_GROUP;
			stored = i;
			continue;
		}
		stop = nw_leaves_each(s, i, how, fn, status);
		if (stop < n && stop < i + NW_GROUP)
			return stop;
		i = stored = stop;
	}
	if (i > stored)
		nw_stretch_note(s, stored, i - stored);
	return i;
}

/* ---- the walk ------------------------------------------------------------ */

/*
 * An entry that the range covers in part. NW_MORE: a leaf, to be split first.
 * Decided on one reading, so that a leaf that another CPU puts there in the
 * meantime is not changed beyond the range.
 */
static inline enum nw_status nw_leaves_partial(struct nw_leaves *job,
					       struct nw_iter *it, nw_entry_t e)
{
	if (e == NWF_EMPTY || nwf_is_annotation(e)) {
		nw_iter_step(it);
		return NW_OK;
	}
	job->stopped_at = e;
	if (nwf_is_leaf(it->level, e))
		return NW_MORE;
	return nwf_is_valid(e) ? NW_E_CORRUPT : NW_E_BUSY;
}

/* How many entries from the cursor on are covered whole, as far as this page
 * and range go; 0: the first one is not. */
static inline unsigned nw_leaves_covered(const struct nw_leaves *job,
					 const struct nw_iter *it)
{
	const uint64_t base = nw_iter_base(it);
	unsigned n = nw_iter_run(it);

	if (job->edge == NW_EDGE_WHOLE)
		return n;
	if (it->addr != base)
		return 0;
	return base + n * nw_span_bytes(it->t, it->level) > it->end ? n - 1 : n;
}

/* Apply `fn` to n entries from the cursor on; how many were passed. */
NW_LOOP unsigned nw_leaves_stretch(struct nw_leaves *job,
				   const struct nw_iter *it, unsigned n,
				   const enum nw_leaves_how how, nw_leaf_fn fn,
				   nw_group_fn group, enum nw_status *status)
{
	struct nw_stretch s = {
		.job = job,
		.first_ref = nw_iter_ref(it),
		.base = nw_iter_base(it),
		.level = it->level,
		.span_lg2 = nw_span_lg2(&it->t->geo, it->level),
		.n = n,
	};
	unsigned passed = nw_leaves_page(&s, how, fn, group, status);

	if (job->dirty)
		NW_FN(leaves_tell)(&s);
	if (job->then == NW_THEN_FLUSH && s.last)
		nw_flush_add(&job->flush,
			     s.base + ((uint64_t)s.first << s.span_lg2),
			     s.base + ((uint64_t)s.last << s.span_lg2),
			     1u << s.level, 0);
	return passed;
}

/*
 * Apply `fn` to every leaf of the iterator's range, inside the section. NW_OK;
 * what `fn` said; NW_E_CORRUPT; NW_MORE where an edge must be split, NW_E_BUSY
 * where an entry is locked or frozen: the cursor stands there.
 */
NW_LOOP enum nw_status nw_leaves_run(struct nw_leaves *job, struct nw_iter *it,
				     const enum nw_leaves_how how,
				     nw_leaf_fn fn, nw_group_fn group)
{
	while (nw_iter_more(it)) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));
		enum nw_status status = NW_OK;
		unsigned n, passed;
		uint64_t next;

		if (nwf_is_table(it->level, e)) {
			nw_iter_down(it, e);
			continue;
		}
		n = nw_leaves_covered(job, it);
		if (!n) {
			status = nw_leaves_partial(job, it, e);
			if (status)
				return status;
			continue;
		}
		if (NW_UNLIKELY(it->t->runs == NW_RUNS_AUTO))
			passed = NW_FN(leaves_in_runs)(job, it, n, how, fn,
						       &status);
		else
			passed = nw_leaves_stretch(job, it, n, how, fn, group,
						   &status);
		next = nw_iter_base(it) +
		       passed * nw_span_bytes(it->t, it->level);
		if (passed)
			nw_iter_goto(it, next < it->end ? next : it->end);
		if (status == NW_E_RACED || (!status && passed))
			continue;
		e = nw_entry_read(nw_iter_ref(it));
		if (!status &&
		    (nwf_is_table(it->level, e) || nwf_is_leaf(it->level, e)))
			continue;
		job->stopped_at = e;
		if (status)
			return status;
		return nwf_is_valid(e) ? NW_E_CORRUPT : NW_E_BUSY;
	}
	return NW_OK;
}

/* ---- the operation ---------------------------------------------------------
 */

/*
 * Around the walk: split the edges, flush what was done, wait for who is in the
 * way, go on where it stopped. *result as in table.h.
 */
NW_LOOP enum nw_status
nw_leaves_range(struct nw_leaves *job, const int reads_only, nw_leaf_fn fn,
		nw_group_fn group, uint64_t start, uint64_t end,
		struct nw_page_cache *cache, struct nw_result *result)
{
	struct nw_table *t = job->t;
	struct nw_patience patience = {0};
	enum nw_status status;
	struct nw_iter it;
	uint64_t at = start;
	/* A leaf around a single granule is met before anything is changed. */
	int splits = job->edge == NW_EDGE_SPLIT &&
		     (end - start) >> NWF_GRANULE_LG2 > 1;

	job->start = start;

	for (;;) {
		if (splits) {
			status = NW_FN(split_edges)(t, start, end, cache,
						    result);
			if (status) {
				if (result)
					result->reached = at;
				return status;
			}
		}
		nw_flush_begin(&job->flush);
		/* ORD-06: what is read stays allocated. */
		nw_section_enter(t);
		nw_iter_start(&it, t, at, end);
		if (reads_only)
			status =
				nw_leaves_run(job, &it, NW_HOW_READ, fn, group);
		else if (t->mode == NW_MODE_SHARED || nwf_hw_updates(&t->geo))
			status =
				nw_leaves_run(job, &it, NW_HOW_SWAP, fn, group);
		else
			status = nw_leaves_run(job, &it, NW_HOW_STORE, fn,
					       group);
		if (!reads_only)
			nw_port_publish_barrier(); /* ORD-09 */
		nw_section_leave(t);		   /* ORD-06 */
		if (job->gather)
			nw_gather_add(job->gather, &job->flush, NULL, 0);
		else
			nw_flush_issue(t, &job->flush); /* ORD-07 */
		at = it.addr;
		if (status != NW_MORE && status != NW_E_BUSY)
			break;
		/* A block was in the way: split it. One that is there again, or
		 * an entry that somebody holds: wait, with nothing held and
		 * nothing owed. */
		if ((splits || status == NW_E_BUSY) &&
		    !nw_retry(t, &patience)) {
			status = NW_E_BUSY;
			break;
		}
		splits |= status == NW_MORE;
	}
	return nw_report(result, status, at, it.level, job->stopped_at);
}

#endif
