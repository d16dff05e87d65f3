/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping: validate the whole range, then write only empty entries.
 *
 * Where a table already stands the cursor descends into it. Everywhere else a
 * private subtree is filled in plain index loops, nobody looking, and linked
 * by one store. Nothing that was live is changed, so nothing needs a flush.
 *
 * A range of one granule, a fault, is tried first as what it is nearly always:
 * one leaf into an empty entry of a table that is there.
 */
#include "contig.h"
#include "lock.h"
#include "one.h"

struct map_job {
	struct nw_table *t;
	struct nw_page_cache *cache;
	uint64_t ia_to_pa; /* pa - ia, modulo 2^64 */
	unsigned leaf_levels; /* bit n: leaves of level n may be used */
	nw_entry_t leaf_template[NW_LEVELS_MAX];
};

/* May one leaf of `level` start at `addr`, as far as alignment goes? */
static int map_aligned(const struct map_job *job, unsigned level, uint64_t addr)
{
	uint64_t mask = nw_span_bytes(job->t, level) - 1;

	return (job->leaf_levels >> level & 1) &&
	       !((addr | (addr + job->ia_to_pa)) & mask);
}

static nw_entry_t map_leaf(const struct map_job *job, unsigned level,
			   uint64_t addr)
{
	return nwf_leaf_at(&job->t->geo, job->leaf_template[level],
			   addr + job->ia_to_pa);
}

static uint64_t build_child(struct map_job *job, unsigned level, uint64_t addr,
			    uint64_t end, nw_entry_t *link);

/*
 * Fill the unpublished page at `level` with mappings of [addr, end) and empty
 * entries around them. Returns how far it came: end, or where pages ran out.
 */
static uint64_t build_page(struct map_job *job, unsigned level,
			   nw_pteref_t page, uint64_t addr, uint64_t end)
{
	const struct nw_table *t = job->t;
	uint64_t span = nw_span_bytes(t, level);
	unsigned entries = nw_page_entries(t, level);
	unsigned i = nw_index_at(t, level, addr);

	nw_fill_empty(page, 0, i);
	while (addr < end && i < entries) {
		uint64_t base = addr & ~(span - 1);
		uint64_t stop = end - base < span ? end : base + span;

		if (map_aligned(job, level, addr) && end - addr >= span) {
			uint64_t whole = (end - addr) >> (nw_span_lg2(&t->geo, level));
			unsigned n = whole < entries - i ? (unsigned)whole
							 : entries - i;

			if (nw_run_entries(t, level) > 1)
				NW_FN(runs_fill)(t, level, page, i, n,
						 map_leaf(job, level, addr));
			else
				nw_fill_leaves(&t->geo, level,
					       nw_pteref_index(page, i), n,
					       map_leaf(job, level, addr));
			i += n;
			addr += n * span;
			continue;
		}
		nw_entry_t link = NWF_EMPTY;
		uint64_t reached = build_child(job, level - 1, addr, stop, &link);

		nw_entry_init(nw_pteref_index(page, i++), link);
		addr = reached;
		if (reached < stop)
			break;
	}
	nw_fill_empty(page, i, entries);
	return addr;
}

/*
 * Make an unpublished page of `level` for [addr, end) and the entry that links
 * it; *link stays empty when nothing could be mapped. Returns how far it came.
 */
static uint64_t build_child(struct map_job *job, unsigned level, uint64_t addr,
			    uint64_t end, nw_entry_t *link)
{
	struct nw_table *t = job->t;
	nw_pa_t page;
	uint64_t reached;

	if (!nw_page_take(t, job->cache, &page))
		return addr;
	reached = build_page(job, level, nw_pteref_page(t, page.v), addr, end);
	if (reached == addr) {
		nw_page_put(t, page);
		return addr;
	}
	*link = nwf_table_entry(&t->geo, page.v);
	return reached;
}

/* Descend while one table entry spans all that is left of the range. */
static void descend_to_range(struct nw_iter *it)
{
	while (nw_iter_next_base(it) >= it->end) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));

		if (nwf_kind(&it->t->geo, it->level, e) != NW_ENTRY_TABLE)
			return;
		nw_iter_down(it, e);
	}
}

/* What it means for a map that an entry is neither empty nor a table. */
static enum nw_status met_status(enum nw_entry_kind kind, nw_entry_t e)
{
	if (kind == NW_ENTRY_RESERVED)
		return NW_E_CORRUPT;
	return nw_is_held(e) ? NW_E_BUSY : NW_E_EXISTS;
}

/* Go on behind the empty entries that begin under the cursor. */
static void map_pass_empty(struct nw_iter *it)
{
	const uint64_t base = nw_iter_base(it);
	const nw_pteref_t first = nw_iter_ref(it);
	const unsigned n = nw_iter_run(it);
	uint64_t next;
	unsigned i = 1;

	while (i < n && nw_entry_read(nw_pteref_index(first, i)) == NWF_EMPTY)
		i++;
	next = base + i * nw_span_bytes(it->t, it->level);
	nw_iter_goto(it, next < it->end ? next : it->end);
}

/* Nothing may stand in the range. Reads only. */
static enum nw_status map_check_empty(struct nw_iter *it, nw_entry_t *met)
{
	while (nw_iter_more(it)) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));
		enum nw_entry_kind kind = nwf_kind(&it->t->geo, it->level, e);

		if (kind == NW_ENTRY_EMPTY) {
			map_pass_empty(it);
			continue;
		}
		if (kind == NW_ENTRY_TABLE) {
			nw_iter_down(it, e);
			continue;
		}
		*met = e;
		return met_status(kind, e);
	}
	return NW_OK;
}

/* Write leaves into empty entries of a live page, as far as they go. */
static inline __attribute__((always_inline)) void
map_live_run(struct map_job *job, struct nw_iter *it, enum nw_mode mode)
{
	const struct nw_geometry *geo = &job->t->geo;
	/* A copy: no store of an entry makes the loop look again. */
	const unsigned level = it->level;
	uint64_t span = nw_span_bytes(job->t, level);
	uint64_t whole = (it->end - it->addr) >> nw_span_lg2(geo, level);
	unsigned n = nw_iter_run(it);
	nw_pteref_t first = nw_iter_ref(it);
	nw_entry_t leaf = map_leaf(job, level, it->addr);
	unsigned i;

	if (whole < n)
		n = (unsigned)whole;
	if (mode != NW_MODE_SHARED && nw_run_entries(job->t, level) > 1) {
		i = NW_FN(runs_map)(it, n, leaf);
		nw_iter_goto(it, it->addr + i * span);
		return;
	}
	/* The first entry was empty; a table further on ends the run, and so
	 * does another CPU's leaf. */
	for (i = 0; i < n; i++) {
		nw_pteref_t ref = nw_pteref_index(first, i);

		if (i && nw_entry_read(ref) != NWF_EMPTY)
			break;
		if (!nw_install_leaf(mode, ref, leaf))
			break;
		leaf = nwf_leaf_next(geo, level, leaf);
	}
	if (i)
		nw_iter_goto(it, it->addr + i * span);
}

/*
 * Build what [it->addr, end of this entry) needs below the empty entry under
 * the cursor and link it. A loser gives its pages back: nobody saw them.
 */
static enum nw_status map_subtree(struct map_job *job, struct nw_iter *it)
{
	struct nw_table *t = job->t;
	nw_pteref_t ref = nw_iter_ref(it);
	uint64_t stop = nw_iter_next_base(it);
	nw_entry_t link = NWF_EMPTY;
	uint64_t reached;
	nw_pa_t page;

	if (stop > it->end)
		stop = it->end;
	reached = build_child(job, it->level - 1, it->addr, stop, &link);
	if (link == NWF_EMPTY)
		return nw_page_shortage(t);
	page = NW_PA(nwf_table_pa(&t->geo, link));
	if (!nw_install_table(t, ref, link)) {
		NW_FN(free_subtree)(t, page, it->level - 1);
		return NW_OK;
	}
	NW_TRACE(NW_EV_PAGE_LINK, page.v, 0, it->level - 1);
	if (reached < stop) {
		it->addr = reached;
		return nw_page_shortage(t);
	}
	nw_iter_goto(it, stop);
	return NW_OK;
}

static enum nw_status map_commit(struct map_job *job, struct nw_iter *it,
				 nw_entry_t *met)
{
	const struct nw_geometry *geo = &job->t->geo;
	enum nw_status status = NW_OK;

	while (!status && nw_iter_more(it)) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));

		if (nwf_kind(geo, it->level, e) == NW_ENTRY_TABLE) {
			nw_iter_down(it, e);
			continue;
		}
		if (e != NWF_EMPTY) { /* shared: it was, when we checked */
			*met = e;
			return nw_is_held(e) ? NW_E_BUSY : NW_E_RACED;
		}
		if (map_aligned(job, it->level, it->addr) &&
		    it->end - it->addr >= nw_span_bytes(job->t, it->level)) {
			if (job->t->mode == NW_MODE_SHARED)
				map_live_run(job, it, NW_MODE_SHARED);
			else
				map_live_run(job, it, NW_MODE_EXCLUSIVE);
			continue;
		}
		status = map_subtree(job, it);
	}
	return status;
}

static enum nw_status map_prepare(struct map_job *job, struct nw_table *t,
				  nw_ia_t ia, uint64_t size_bytes, nw_pa_t pa,
				  const struct nw_attrs *attrs,
				  unsigned max_level, struct nw_result *result)
{
	uint64_t granule_mask = (UINT64_C(1) << t->geo.granule_lg2) - 1;
	uint64_t oa_limit = UINT64_C(1) << t->geo.oa_bits;
	enum nw_status status = nw_range_check(t, ia, size_bytes, result);

	if (status)
		return status;
	if (pa.v & granule_mask)
		return nw_refuse(result, NW_E_MISALIGNED, ia.v, "pa");
	if (pa.v >= oa_limit || size_bytes > oa_limit - pa.v)
		return nw_refuse(result, NW_E_OA_RANGE, ia.v, "pa");
	if (max_level != NW_LEVEL_ANY &&
	    (max_level >= t->geo.levels ||
	     !(t->geo.leaf_levels >> max_level & 1)))
		return nw_refuse(result, NW_E_LEVEL, ia.v, "max_level");
	job->leaf_levels = t->geo.leaf_levels;
	if (max_level != NW_LEVEL_ANY)
		job->leaf_levels &= (2u << max_level) - 1;
	for (unsigned level = 0; job->leaf_levels >> level; level++) {
		if (!(job->leaf_levels >> level & 1))
			continue;
		/* Larger than the range: none will be used. */
		if (size_bytes < nw_span_bytes(t, level)) {
			job->leaf_levels &= (1u << level) - 1;
			break;
		}
		status = nw_alone_template(t, level, attrs,
					   &job->leaf_template[level]);
		if (status == NW_E_LEVEL && level) {
			/* A smaller leaf can have these attributes. */
			job->leaf_levels &= ~(1u << level);
			continue;
		}
		if (status)
			return nw_refuse(result, status, ia.v, "attrs");
		/* A member of such a run says where the run is, not where it
		 * is itself: the next leaf is not one step further. */
		if (size_bytes > nw_span_bytes(t, level) &&
		    nwf_leaf_span_lg2(&t->geo, level,
				      job->leaf_template[level]) >
			    nw_span_lg2(&t->geo, level))
			return nw_refuse(result, NW_E_ATTRS, ia.v, "attrs");
	}
	return NW_OK;
}

/*
 * Map what is left, from the cursor on. `is_first`: nothing is written yet, and
 * nothing will be unless all of the range is empty.
 */
static enum nw_status map_try(struct map_job *job, struct nw_iter *it,
			      int is_first, nw_entry_t *met)
{
	enum nw_status status;

	descend_to_range(it);
	if (is_first) {
		struct nw_iter look = *it;

		status = map_check_empty(&look, met);
		if (status) {
			it->level = look.level; /* of *met */
			return status;
		}
	}
	/* ORD-08 orders the caller's writes to the pages before the entries
	 * that map them; pairs with the hardware walker's load and the guest's
	 * access through it. Without it the guest may see the page as it was
	 * before. */
	nw_port_store_barrier();
	status = map_commit(job, it, met);
	/* ORD-09 orders the entries before walks that start after we return;
	 * pairs with the hardware walker. Without it the access that faulted
	 * may fault again, and at EL2 our own next access. */
	nw_port_publish_barrier();
	return status;
}

static __attribute__((noinline)) enum nw_status
map_range(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes, nw_pa_t pa,
	  const struct nw_attrs *attrs, unsigned max_level,
	  struct nw_page_cache *cache, struct nw_result *result)
{
	struct nw_patience patience = {0};
	struct map_job job;
	struct nw_iter it;
	nw_entry_t met = 0;
	enum nw_status status;
	uint64_t at = ia.v;

	if (!t || !attrs)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "attrs" : "t");
	status = map_prepare(&job, t, ia, size_bytes, pa, attrs, max_level,
			     result);
	if (status)
		return status;
	job.t = t;
	job.cache = cache;
	job.ia_to_pa = pa.v - ia.v;

	nw_op_begin(t, NW_OP_MAP, ia.v, ia.v + size_bytes);
	do {
		/* ORD-06: what is read stays allocated. */
		nw_section_enter(t);
		nw_iter_start(&it, t, at, ia.v + size_bytes);
		status = map_try(&job, &it, at == ia.v, &met);
		nw_section_leave(t); /* ORD-06 */
		at = it.addr;
	} while (status == NW_E_BUSY && nw_retry(t, &patience));
	nw_op_end(t, NW_OP_MAP, ia.v, ia.v + size_bytes, status);
	/* What was waited for did not stop it. */
	return nw_report(result, status, at, it.level, status ? met : 0);
}

/* Is it one granule, and does nothing about it need a word of refusal? */
NW_ONE int map_is_one(const struct nw_table *t, uint64_t ia,
		      uint64_t size_bytes, uint64_t pa, unsigned max_level)
{
	return NW_LIKELY(size_bytes == NW_GRANULE_BYTES) &&
	       !((ia | pa) & (NW_GRANULE_BYTES - 1)) && ia < t->ia_limit &&
	       pa < t->oa_limit && (!max_level || max_level == NW_LEVEL_ANY);
}

/* Apart, and called last: what is fast then saves no register. */
static __attribute__((noinline)) enum nw_status
map_met(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes, nw_pa_t pa,
	const struct nw_attrs *attrs, unsigned max_level,
	struct nw_page_cache *cache, struct nw_result *result)
{
	if (nw_one_judge(t, NW_E_EXISTS, ia.v, result) != NW_MORE)
		return NW_E_EXISTS;
	return map_range(t, ia, size_bytes, pa, attrs, max_level, cache,
			 result);
}

static __attribute__((noinline)) enum nw_status
map_lost(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes, nw_pa_t pa,
	 const struct nw_attrs *attrs, unsigned max_level,
	 struct nw_page_cache *cache, struct nw_result *result)
{
	if (nw_one_judge(t, NW_E_RACED, ia.v, result) != NW_MORE)
		return NW_E_RACED;
	return map_range(t, ia, size_bytes, pa, attrs, max_level, cache,
			 result);
}

NW_ONE enum nw_status map_one(struct nw_table *t, const enum nw_mode mode,
			      nw_ia_t ia, nw_entry_t leaf, nw_pa_t pa,
			      const struct nw_attrs *attrs,
			      struct nw_page_cache *cache,
			      struct nw_result *result)
{
	enum nw_status status = nw_one_install(t, mode, NW_ONE_ANY, ia.v, leaf);

	if (NW_LIKELY(status == NW_OK))
		return nw_one_done(result, ia.v);
	if (status == NW_MORE)
		return map_range(t, ia, NW_GRANULE_BYTES, pa, attrs, 0, cache,
				 result);
	if (status == NW_E_RACED)
		return map_lost(t, ia, NW_GRANULE_BYTES, pa, attrs, 0, cache,
				result);
	return map_met(t, ia, NW_GRANULE_BYTES, pa, attrs, 0, cache, result);
}

enum nw_status NW_FN(map)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			  nw_pa_t pa, const struct nw_attrs *attrs,
			  unsigned max_level, struct nw_page_cache *cache,
			  struct nw_result *result)
{
	nw_entry_t leaf;

	if (NW_UNLIKELY(!t) || NW_UNLIKELY(!attrs) ||
	    !map_is_one(t, ia.v, size_bytes, pa.v, max_level) ||
	    NW_UNLIKELY(attrs->flags & NW_LEAF_CONTIG) ||
	    NW_UNLIKELY(nwf_leaf_template(&t->geo, 0, attrs, &leaf)))
		return map_range(t, ia, size_bytes, pa, attrs, max_level,
				 cache, result);
	leaf = nwf_leaf_at(&t->geo, leaf, pa.v);
	if (t->mode == NW_MODE_SHARED)
		return map_one(t, NW_MODE_SHARED, ia, leaf, pa, attrs, cache,
			       result);
	if (t->mode == NW_MODE_EXCLUSIVE)
		return map_one(t, NW_MODE_EXCLUSIVE, ia, leaf, pa, attrs, cache,
			       result);
	return map_one(t, NW_MODE_READERS, ia, leaf, pa, attrs, cache, result);
}
