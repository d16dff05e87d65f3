/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting a live block: the smaller leaves are built in private, then the
 * block is locked, flushed and replaced by one swap; or, where the format needs
 * no break, replaced and then flushed. One break, however many levels down.
 *
 * An annotation splits the same way, but nothing needs a flush. A leaf that is
 * in a contiguous run leaves it first (contig.h).
 */
#include "contig.h"
#include "retire.h"

enum split_extent {
	SPLIT_PATH, /* only what is over job->ia is split further */
	SPLIT_ALL,
};

struct split_job {
	struct nw_owner owner;
	struct nw_page_cache *cache;
	uint64_t ia;
	unsigned to; /* level that the leaf over `ia` (or every one) shall have */
	enum split_extent extent;
	/* The end of a range: NW_EDGE_OF_*, what is split there; 0: it is none.
	 * What does not cross it is let alone, whoever holds it. */
	unsigned edge_of;
	unsigned pages; /* that were built and linked */
};

/* ---- building ---------------------------------------------------------- */

static int split_goes_deeper(const struct split_job *job, unsigned level,
			     uint64_t base)
{
	uint64_t span = nw_span_bytes(job->owner.t, level);

	return level > job->to &&
	       (job->extent == SPLIT_ALL || job->ia - base < span);
}

/*
 * Fill the unpublished page that replaces `block` of `level` over [base, ...)
 * and return the entry that links it in *link. *link is empty at first: pages
 * are taken; and on a second call what the first one made: the same pages are
 * filled again, from a block that has changed meanwhile.
 * Returns how many pages that makes, 0: there are not enough, nothing is held.
 */
static unsigned split_fill(struct split_job *job, unsigned level,
			   uint64_t base, nw_entry_t block, nw_entry_t *link)
{
	struct nw_table *t = job->owner.t;
	int is_leaf = nwf_is_leaf(level, block), is_new = *link == NWF_EMPTY;
	unsigned below = level - 1, entries = nw_page_entries(t, below);
	nw_entry_t e = is_leaf ? nwf_split_child(&t->geo, level, block) : block;
	unsigned pages = 1;
	nw_pteref_t first;
	nw_pa_t page;

	if (!is_new)
		page = NW_PA(nwf_table_pa(&t->geo, *link));
	else if (!nw_page_take(t, job->cache, &page))
		return 0;
	*link = nwf_table_entry(&t->geo, page.v);
	first = nw_pteref_page(t, page.v);
	if (is_leaf && below == job->to) {
		nw_fill_leaves(&t->geo, below, first, entries, e);
		return 1;
	}
	for (unsigned i = 0; i < entries; i++) {
		nw_pteref_t ref = nw_pteref_index(first, i);
		uint64_t at = base + i * nw_span_bytes(t, below);
		nw_entry_t value = e;

		if (split_goes_deeper(job, below, at)) {
			unsigned more;

			value = is_new ? NWF_EMPTY : nw_entry_read(ref);
			more = split_fill(job, below, at, e, &value);
			if (!more) {
				nw_fill_empty(first, i, entries);
				NW_FN(free_subtree)(t, page, below);
				return 0;
			}
			pages += more;
		}
		nw_entry_init(ref, value);
		if (is_leaf)
			e = nwf_leaf_next(&t->geo, below, e);
	}
	return pages;
}

/* ---- replacing --------------------------------------------------------- */

/* Is this what we may split? */
static int split_takes(const struct split_job *job, unsigned level,
		       nw_entry_t e)
{
	unsigned of = job->edge_of ? job->edge_of : NW_EDGE_OF_LEAF;

	if (e == NWF_EMPTY)
		return (of & NW_EDGE_OF_NOTHING) != 0;
	return ((of & NW_EDGE_OF_LEAF) && nwf_is_leaf(level, e)) ||
	       ((of & NW_EDGE_OF_ANNOTATION) && nwf_is_annotation(e));
}

/*
 * ORD-10 orders break, flush and make; pairs with the hardware walker and the
 * TLBs of every CPU. Without the flush between, a TLB may hold the block and a
 * page at once: a conflict abort, or an amalgam of both (DDI 0487, D8.16).
 *
 * 0: the entry is no longer what we may split, or was stolen from us.
 */
static int split_swap(struct split_job *job, struct nw_iter *it,
		      nw_entry_t block, nw_entry_t *link)
{
	struct nw_table *t = job->owner.t;
	uint64_t base = nw_iter_base(it);
	nw_pteref_t ref = nw_iter_ref(it);
	int breaks = !NW_SABOTAGE_NO_BBM &&
		     nwf_change_needs_break(&t->geo, it->level, block, *link);
	nw_entry_t token = breaks ? nw_owner_token(&job->owner) : NWF_EMPTY;
	struct nw_flush flush;

	nw_flush_begin(&flush);
	if (nwf_is_valid(block))
		nw_flush_add(&flush, base, base + nw_span_bytes(t, it->level),
			     1u << it->level, 0);
	/* Hardware, or another CPU, may change the block as we look. */
	while (!(breaks ? nw_entry_lock(ref, &block, token)
			: nw_entry_try_replace(ref, &block, *link))) {
		if (!split_takes(job, it->level, block))
			return 0;
		(void)split_fill(job, it->level, base, block, link);
	}
	/* Where no break is needed the translations are the same before and
	 * after, but no old size may stay behind either. */
	nw_flush_issue(t, &flush);
	return !breaks || nw_entry_publish(ref, token, *link);
}

static enum nw_status split_replace(struct split_job *job, struct nw_iter *it,
				    nw_entry_t block)
{
	struct nw_table *t = job->owner.t;
	nw_entry_t link = NWF_EMPTY;
	unsigned pages;

	pages = split_fill(job, it->level, nw_iter_base(it), block, &link);
	if (!pages)
		return nw_page_shortage(t);
	if (!split_swap(job, it, block, &link)) {
		NW_FN(free_subtree)(t, NW_PA(nwf_table_pa(&t->geo, link)),
				    it->level - 1);
		return NW_E_BUSY;
	}
	job->pages += pages;
	if (block != NWF_EMPTY)
		nw_stat_add(t, &t->stats.splits, 1);
	nw_port_publish_barrier(); /* ORD-09 */
	return NW_OK;
}

/* What an entry that is no table means for a split. */
static enum nw_status split_met(const struct split_job *job, unsigned level,
				nw_entry_t e)
{
	if (nw_is_held(e))
		return job->edge_of && level <= job->to ? NW_E_ABSENT
							: NW_E_BUSY;
	if (split_takes(job, level, e))
		return NW_OK;
	return nwf_is_valid(e) && !nwf_is_leaf(level, e) ? NW_E_CORRUPT
							 : NW_E_ABSENT;
}

/*
 * Must the leaf `e` under the cursor leave its run? A run is split into its
 * members where leaves of their level are asked for; the end of a range lets a
 * run alone that begins there.
 */
static int split_breaks_run(const struct split_job *job,
			    const struct nw_iter *it, nw_entry_t e)
{
	const struct nw_table *t = it->t;

	if (!nw_is_member(t, it->level, e))
		return 0;
	if (it->level > job->to)
		return 1;
	if (job->edge_of)
		return (job->ia & (nw_run_bytes(t, it->level) - 1)) != 0;
	return it->level == job->to;
}

/* ---- one place --------------------------------------------------------- */

/* Inside the section. *e: what was met. */
static enum nw_status split_try(struct split_job *job, struct nw_iter *it,
				nw_entry_t *e)
{
	enum nw_status status;

	for (;;) {
		*e = nw_entry_read(nw_iter_ref(it));
		if (!nwf_is_table(it->level, *e))
			break;
		nw_iter_down(it, *e);
	}
	status = split_met(job, it->level, *e);
	if (status)
		return status;
	if (split_breaks_run(job, it, *e)) {
		status = NW_FN(run_break)(&job->owner, it);
		if (status || it->level <= job->to)
			return status;
		*e = nw_entry_read(nw_iter_ref(it));
		/* Not what it was: from the root again. */
		if (split_breaks_run(job, it, *e) ||
		    !split_takes(job, it->level, *e))
			return NW_E_BUSY;
	}
	if (it->level <= job->to)
		return NW_OK;
	return split_replace(job, it, *e);
}

static enum nw_status split_at(struct split_job *job, struct nw_result *result)
{
	struct nw_table *t = job->owner.t;
	struct nw_patience patience = {0};
	enum nw_status status;
	struct nw_iter it;
	nw_entry_t e;

	do {
		/* ORD-06: what is read stays allocated. */
		nw_section_enter(t);
		nw_iter_start(&it, t, job->ia, job->ia + 1);
		status = split_try(job, &it, &e);
		nw_section_leave(t); /* ORD-06 */
	} while (status == NW_E_BUSY && nw_retry(t, &patience));
	if (!status)
		return nw_report(result, NW_OK, job->ia,
				 it.level < job->to ? it.level : job->to, 0);
	return nw_report(result, status, job->ia, it.level, e);
}

enum nw_status NW_FN(split)(struct nw_table *t, nw_ia_t ia, unsigned level,
			    struct nw_page_cache *cache,
			    struct nw_result *result)
{
	struct split_job job = {.owner = {.t = t, .token = NWF_EMPTY},
				.cache = cache,
				.ia = ia.v,
				.to = level};
	enum nw_status status;
	uint64_t end;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, UINT64_C(1) << t->geo.granule_lg2,
				result);
	if (status)
		return status;
	if (level >= t->geo.levels || !(t->geo.leaf_levels >> level & 1))
		return nw_refuse(result, NW_E_LEVEL, ia.v, "level");
	end = ia.v + (UINT64_C(1) << t->geo.granule_lg2);
	nw_op_begin(t, NW_OP_SPLIT, ia.v, end);
	status = split_at(&job, result);
	nw_op_end(t, NW_OP_SPLIT, ia.v, end, status);
	return status;
}

/* ---- the ends of a range ----------------------------------------------- */

/* The largest entry that may begin at `edge`: annotations are of any level. */
static unsigned edge_level(const struct nw_table *t, uint64_t edge)
{
	unsigned level = 0;

	while (level + 1 < t->geo.levels &&
	       !(edge & (nw_span_bytes(t, level + 1) - 1)))
		level++;
	return level;
}

enum nw_status NW_FN(split_edges_of)(struct nw_table *t, uint64_t start,
				     uint64_t end, unsigned of,
				     struct nw_page_cache *cache,
				     struct nw_result *result)
{
	struct split_job job = {.owner = {.t = t, .token = NWF_EMPTY},
				.cache = cache,
				.edge_of = of};
	const uint64_t edge[2] = {start, end};
	enum nw_status status;

	for (unsigned i = 0; i < 2; i++) {
		if (edge[i] >> t->geo.ia_bits)
			continue;
		job.ia = edge[i];
		job.to = edge_level(t, edge[i]);
		status = split_at(&job, result);
		if (status && status != NW_E_ABSENT) {
			if (result)
				result->reached = start;
			return status;
		}
	}
	return NW_OK;
}

enum nw_status NW_FN(split_edges)(struct nw_table *t, uint64_t start,
				  uint64_t end, struct nw_page_cache *cache,
				  struct nw_result *result)
{
	return NW_FN(split_edges_of)(t, start, end,
				     NW_EDGE_OF_LEAF | NW_EDGE_OF_ANNOTATION,
				     cache, result);
}

/* ---- a whole range ----------------------------------------------------- */

/* Table pages that splitting a block of `level` all the way takes. */
static uint64_t split_pages(const struct split_job *job, unsigned level)
{
	uint64_t pages = 0;

	while (level-- > job->to)
		pages = 1 + (pages << job->owner.t->geo.index_bits);
	return pages;
}

/* The block under the cursor: all the way down at once where range and budget
 * allow it, else by one level; the rest is done when the cursor gets there. */
static enum nw_status split_here(struct split_job *job, struct nw_iter *it,
				 unsigned budget_pages, nw_entry_t block)
{
	unsigned to = job->to;
	enum nw_status status;

	job->ia = it->addr;
	job->extent = SPLIT_ALL;
	if (!nw_iter_covers(it) ||
	    split_pages(job, it->level) > budget_pages - job->pages)
		job->to = it->level - 1;
	status = split_replace(job, it, block);
	job->to = to;
	return status;
}

static enum nw_status split_some(struct split_job *job, struct nw_iter *it,
				 unsigned budget_pages, nw_entry_t *e)
{
	enum nw_status status = NW_OK;

	while (!status && nw_iter_more(it)) {
		*e = nw_entry_read(nw_iter_ref(it));
		if (nwf_is_table(it->level, *e)) {
			if (it->level > job->to + 1 ||
			    (it->level == job->to + 1 &&
			     nw_run_entries(it->t, job->to) > 1))
				nw_iter_down(it, *e);
			else
				nw_iter_step(it); /* small enough below */
			continue;
		}
		status = split_met(job, it->level, *e);
		if (!status && split_breaks_run(job, it, *e)) {
			if (job->pages == budget_pages)
				return NW_MORE;
			/* So that the work of one call is bounded. */
			job->pages++;
			status = NW_FN(run_break)(&job->owner, it);
			continue;
		}
		if (status == NW_E_ABSENT || (!status && it->level <= job->to)) {
			status = NW_OK;
			nw_iter_step(it);
			continue;
		}
		if (!status && job->pages == budget_pages)
			return NW_MORE;
		if (!status)
			status = split_here(job, it, budget_pages, *e);
	}
	return status;
}

enum nw_status NW_FN(split_range)(struct nw_table *t, nw_ia_t ia,
				  uint64_t size_bytes, unsigned level,
				  unsigned budget_pages,
				  struct nw_page_cache *cache,
				  struct nw_result *result)
{
	struct split_job job = {.owner = {.t = t, .token = NWF_EMPTY},
				.cache = cache,
				.to = level};
	struct nw_patience patience = {0};
	uint64_t end = ia.v + size_bytes;
	nw_entry_t e = NWF_EMPTY;
	enum nw_status status;
	struct nw_iter it;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	if (level >= t->geo.levels || !(t->geo.leaf_levels >> level & 1))
		return nw_refuse(result, NW_E_LEVEL, ia.v, "level");
	if (!budget_pages)
		return nw_refuse(result, NW_E_EMPTY, ia.v, "budget_pages");
	nw_op_begin(t, NW_OP_SPLIT, ia.v, end);
	it.addr = ia.v;
	do {
		/* ORD-06: what is read stays allocated. */
		nw_section_enter(t);
		nw_iter_start(&it, t, it.addr, end);
		status = split_some(&job, &it, budget_pages, &e);
		nw_section_leave(t); /* ORD-06 */
	} while (status == NW_E_BUSY && nw_retry(t, &patience));
	nw_op_end(t, NW_OP_SPLIT, ia.v, end, status);
	return nw_report(result, status, it.addr, it.level, status ? e : 0);
}
