/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The visitor walk. One section for the whole walk; each visit carries the
 * value that was read for it, and descent is decided on a second read after
 * the visit, because the visitor may have changed the entry.
 */
#include "iter.h"

struct walk_job {
	struct nw_iter it;
	unsigned flags;
	nw_visitor_fn visitor;
	struct nw_visit visit;
	nw_entry_t stopped_at;
};

/* Visit the entry of `level` over `addr` if the caller asked for this kind. */
static enum nw_status walk_visit(struct walk_job *job, unsigned flag,
				 unsigned level, uint64_t addr, nw_pteref_t ref,
				 nw_entry_t e)
{
	struct nw_visit *v = &job->visit;
	enum nw_status status;

	if (!(job->flags & flag))
		return NW_OK;
	v->ref = ref;
	v->old = e;
	v->level = (uint8_t)level;
	v->flags = (uint8_t)flag;
	v->span_bytes = nw_span_bytes(job->it.t, level);
	v->ia = NW_IA(addr & ~(v->span_bytes - 1));
	status = job->visitor(v);
	if (status)
		job->stopped_at = e;
	return status;
}

/* Step to the next entry; leaving a page is its table's post visit. */
static enum nw_status walk_next(struct walk_job *job)
{
	struct nw_iter *it = &job->it;
	const struct nw_table *t = it->t;
	uint64_t from = it->addr;
	uint64_t next = nw_iter_next_base(it);

	if (next > it->end)
		next = it->end;
	it->addr = next;
	while (it->level < nw_top_level(t) &&
	       (next == it->end ||
		!(next & (nw_span_bytes(t, it->level + 1) - 1)))) {
		enum nw_status status;
		nw_pteref_t ref;

		it->level++;
		if (!(job->flags & NW_VISIT_TABLE_POST))
			continue;
		ref = nw_pteref_index(it->page[it->level],
				      nw_index_at(t, it->level, from));
		status = walk_visit(job, NW_VISIT_TABLE_POST, it->level, from,
				    ref, nw_entry_read(ref));
		if (status)
			return status;
	}
	return NW_OK;
}

static unsigned visit_flag(enum nw_entry_kind kind)
{
	if (kind == NW_ENTRY_TABLE)
		return NW_VISIT_TABLE_PRE;
	return kind == NW_ENTRY_LEAF ? NW_VISIT_LEAF : NW_VISIT_EMPTY;
}

static enum nw_status walk_run(struct walk_job *job)
{
	struct nw_iter *it = &job->it;
	const struct nw_geometry *geo = &it->t->geo;

	while (nw_iter_more(it)) {
		nw_pteref_t ref = nw_iter_ref(it);
		nw_entry_t e = nw_entry_read(ref);
		enum nw_entry_kind kind = nwf_kind(geo, it->level, e);
		enum nw_status status;

		if (kind == NW_ENTRY_RESERVED) {
			job->stopped_at = e;
			return NW_E_CORRUPT;
		}
		if (job->flags & visit_flag(kind)) {
			status = walk_visit(job, visit_flag(kind), it->level,
					    it->addr, ref, e);
			if (status)
				return status;
			e = nw_entry_read(ref);
			kind = nwf_kind(geo, it->level, e);
		}
		if (kind == NW_ENTRY_TABLE) {
			nw_iter_down(it, e);
			continue;
		}
		status = walk_next(job);
		if (status)
			return status;
	}
	return NW_OK;
}

enum nw_status NW_FN(walk)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			   unsigned flags, nw_visitor_fn visitor, void *arg,
			   struct nw_result *result)
{
	const unsigned all = NW_VISIT_TABLE_PRE | NW_VISIT_LEAF |
			     NW_VISIT_TABLE_POST | NW_VISIT_EMPTY;
	struct walk_job job = {.flags = flags, .visitor = visitor};
	enum nw_status status;

	if (!t || !visitor)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "visitor" : "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	if (!flags || (flags & ~all))
		return nw_refuse(result, NW_E_ATTRS, ia.v, "flags");
	job.visit.start = ia;
	job.visit.end = NW_IA(ia.v + size_bytes);
	job.visit.ops = t->ops;
	job.visit.geo = &t->geo;
	job.visit.arg = arg;
	/* ORD-06: what is read stays allocated. */
	nw_section_enter(t);
	nw_iter_start(&job.it, t, ia.v, ia.v + size_bytes);
	status = walk_run(&job);
	nw_section_leave(t); /* ORD-06 */
	return nw_report(result, status, job.it.addr, job.it.level,
			 job.stopped_at);
}
