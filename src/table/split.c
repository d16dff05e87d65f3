/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting a live block: the smaller leaves are built in private, then the
 * block is broken, flushed and replaced by one store. One break, however many
 * levels down.
 */
#include "iter.h"

struct split_job {
	struct nw_table *t;
	uint64_t ia;
	unsigned from; /* level of the block */
	unsigned to;   /* level that the leaf over `ia` shall have */
	nw_pa_t page[NW_LEVELS_MAX]; /* unpublished, by level */
};

/*
 * Fill the private pages from the block's value; called again if hardware
 * changed the block meanwhile. Returns the entry that links them.
 */
static nw_entry_t split_fill(const struct split_job *job, nw_entry_t block)
{
	const struct nw_table *t = job->t;
	nw_entry_t above = block;

	for (unsigned level = job->from; level-- > job->to;) {
		nw_pteref_t first = nw_pteref_page(t, job->page[level].v);
		nw_entry_t leaf = nwf_split_child(&t->geo, level + 1, above);
		unsigned here = nw_index_at(t, level, job->ia);
		unsigned entries = nw_page_entries(t, level);

		for (unsigned i = 0; i < entries; i++) {
			nw_entry_t e = leaf;

			if (i == here) {
				above = leaf;
				if (level > job->to)
					e = nwf_table_entry(
						&t->geo,
						job->page[level - 1].v);
			}
			nw_entry_init(nw_pteref_index(first, i), e);
			leaf = nwf_leaf_next(&t->geo, level, leaf);
		}
	}
	return nwf_table_entry(&t->geo, job->page[job->from - 1].v);
}

static int split_reserve(struct split_job *job, struct nw_page_cache *cache)
{
	for (unsigned level = job->to; level < job->from; level++) {
		if (nw_page_take(job->t, cache, &job->page[level]))
			continue;
		while (level-- > job->to)
			nw_page_put(job->t, job->page[level]);
		return 0;
	}
	return 1;
}

/*
 * ORD-10 orders break, flush and make; pairs with the hardware walker and the
 * TLBs of every CPU. Without the flush between, a TLB may hold the block and a
 * page at once: a conflict abort, or an amalgam of both (DDI 0487, D8.16).
 */
static void split_replace(const struct split_job *job, nw_pteref_t ref,
			  nw_entry_t block)
{
	struct nw_table *t = job->t;
	uint64_t span = nw_span_bytes(t, job->from);
	uint64_t base = job->ia & ~(span - 1);
	nw_entry_t link = split_fill(job, block);
	struct nw_flush flush;

	nw_flush_begin(&flush);
	nw_flush_add(&flush, base, base + span, 1u << job->from, 0);
	if (!NW_SABOTAGE_NO_BBM &&
	    nwf_change_needs_break(&t->geo, job->from, block, link)) {
		nw_entry_t last =
			nw_entry_break_exclusive(ref, nwf_lock_token(0));

		nw_flush_issue(t, &flush);
		if (last != block)
			link = split_fill(job, last);
		nw_entry_link_exclusive(ref, nwf_lock_token(0), link);
	} else {
		/* Same translations before and after: no break is needed, but
		 * no old size may stay behind either. */
		while (!nw_entry_try_replace(ref, &block, link))
			link = split_fill(job, block);
		nw_flush_issue(t, &flush);
	}
	t->stats.splits++;
	nw_port_publish_barrier(); /* ORD-09 */
}

/* Inside the section. Result: as nw_split(). */
static enum nw_status split_at(struct nw_table *t, uint64_t ia, unsigned level,
			       struct nw_page_cache *cache,
			       struct nw_result *result)
{
	struct split_job job = {.t = t, .ia = ia, .to = level};
	enum nw_entry_kind kind;
	struct nw_iter it;
	nw_entry_t e;

	nw_iter_start(&it, t, ia, ia + 1);
	for (;;) {
		e = nw_entry_read(nw_iter_ref(&it));
		kind = nwf_kind(&t->geo, it.level, e);
		if (kind != NW_ENTRY_TABLE)
			break;
		nw_iter_down(&it, e);
	}
	if (kind == NW_ENTRY_RESERVED)
		return nw_report(result, NW_E_CORRUPT, ia, it.level, e);
	if (kind != NW_ENTRY_LEAF)
		return nw_report(result, NW_E_ABSENT, ia, it.level, e);
	if (it.level <= level)
		return nw_report(result, NW_OK, ia, it.level, e);
	job.from = it.level;
	if (!split_reserve(&job, cache))
		return nw_report(result, NW_E_NOMEM, ia, it.level, e);
	split_replace(&job, nw_iter_ref(&it), e);
	return nw_report(result, NW_OK, ia, level, 0);
}

enum nw_status NW_FN(split)(struct nw_table *t, nw_ia_t ia, unsigned level,
			    struct nw_page_cache *cache,
			    struct nw_result *result)
{
	enum nw_status status;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, UINT64_C(1) << t->geo.granule_lg2,
				result);
	if (status)
		return status;
	if (level >= t->geo.levels || !(t->geo.leaf_levels >> level & 1))
		return nw_refuse(result, NW_E_LEVEL, ia.v, "level");
	/* ORD-06: what is read stays allocated. */
	nw_section_enter(t);
	status = split_at(t, ia.v, level, cache, result);
	nw_section_leave(t); /* ORD-06 */
	return status;
}

/* The largest leaf level that may begin at `edge`. */
static unsigned edge_level(const struct nw_table *t, uint64_t edge)
{
	unsigned level = 0;

	while (level + 1 < t->geo.levels &&
	       (t->geo.leaf_levels >> (level + 1) & 1) &&
	       !(edge & (nw_span_bytes(t, level + 1) - 1)))
		level++;
	return level;
}

enum nw_status NW_FN(split_edges)(struct nw_table *t, uint64_t start,
				  uint64_t end, struct nw_page_cache *cache,
				  struct nw_result *result)
{
	const uint64_t edge[2] = {start, end};
	enum nw_status status;

	for (unsigned i = 0; i < 2; i++) {
		if (edge[i] >> t->geo.ia_bits)
			continue;
		/* ORD-06 */
		nw_section_enter(t);
		status = split_at(t, edge[i], edge_level(t, edge[i]), cache,
				  result);
		nw_section_leave(t); /* ORD-06 */
		if (status && status != NW_E_ABSENT) {
			if (result)
				result->reached = start;
			return status;
		}
	}
	return NW_OK;
}
