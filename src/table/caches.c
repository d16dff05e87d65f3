/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cleaning the data caches for what is mapped: a walk, no entry is changed.
 */
#include <nestwalk/gather.h>

#include "range.h"

struct clean_job {
	const struct nw_table *t;
	uint64_t left; /* bytes of the budget */
	int has_cleaned;
};

/*
 * One leaf, as far as it lies in the range. A budget that would be exceeded
 * ends the walk in front of it, unless it is the first.
 */
static enum nw_status clean_visited(const struct nw_visit *v)
{
	struct clean_job *job = v->arg;
	uint64_t from = v->start.v > v->ia.v ? v->start.v : v->ia.v;
	uint64_t end = v->ia.v + v->span_bytes;
	struct nw_decoded d;
	uint64_t bytes;

	v->ops->decode(v->geo, v->level, v->old, &d);
	/* No cache holds device memory, and a look at it may have effects. */
	if (d.kind != NW_ENTRY_LEAF || d.attrs.memtype < NW_MEM_NORMAL_NC)
		return NW_OK;
	bytes = (end < v->end.v ? end : v->end.v) - from;
	if (bytes > job->left && job->has_cleaned)
		return NW_MORE;
	job->has_cleaned = 1;
	job->left -= bytes < job->left ? bytes : job->left;
	job->t->port->clean(job->t->port_ctx, NW_PA(d.pa.v + (from - v->ia.v)),
			    bytes);
	return NW_OK;
}

enum nw_status nw_flush_caches(struct nw_table *t, nw_ia_t ia,
			       uint64_t size_bytes, uint64_t budget_bytes,
			       struct nw_result *result)
{
	struct clean_job job = {.t = t, .left = budget_bytes};

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	if (!t->port->clean)
		return nw_refuse(result, NW_E_UNSUPPORTED, ia.v, "port.clean");
	if (!budget_bytes)
		return nw_refuse(result, NW_E_EMPTY, ia.v, "budget_bytes");
	return t->ops->walk(t, ia, size_bytes, NW_VISIT_LEAF, clean_visited,
			    &job, result);
}
