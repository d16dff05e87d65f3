/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing rights in place. Rights are no part of what needs a break, so each
 * leaf is one store, or one compare-and-swap where hardware writes it too.
 */
#include "iter.h"

struct protect_job {
	struct nw_table *t;
	enum nw_protect how;
	unsigned prot;
	struct nw_flush flush;
};

static enum nw_status protect_value(const struct protect_job *job,
				    nw_entry_t leaf, nw_entry_t *out)
{
	if (job->how == NW_PROTECT_RELAX)
		return nwf_leaf_relax(&job->t->geo, leaf, job->prot, out);
	return nwf_leaf_restrict(&job->t->geo, leaf, job->prot, out);
}

static enum nw_status protect_leaf(struct protect_job *job, struct nw_iter *it,
				   nw_pteref_t ref, nw_entry_t leaf)
{
	nw_entry_t changed;
	enum nw_status status = protect_value(job, leaf, &changed);

	if (status || changed == leaf)
		return status;
	if (!nwf_leaf_hw_writable(&job->t->geo, leaf)) {
		nw_entry_set_exclusive(ref, leaf, changed);
	} else {
		while (!nw_entry_try_replace(ref, &leaf, changed)) {
			status = protect_value(job, leaf, &changed);
			if (status)
				return status;
		}
	}
	if (job->how == NW_PROTECT_RESTRICT)
		nw_flush_add(&job->flush, nw_iter_base(it),
			     nw_iter_next_base(it), 1u << it->level, 0);
	return NW_OK;
}

static enum nw_status protect_commit(struct protect_job *job,
				     struct nw_iter *it, nw_entry_t *stopped_at)
{
	const struct nw_geometry *geo = &job->t->geo;

	while (nw_iter_more(it)) {
		nw_pteref_t ref = nw_iter_ref(it);
		nw_entry_t e = nw_entry_read(ref);
		enum nw_status status = NW_OK;

		switch (nwf_kind(geo, it->level, e)) {
		case NW_ENTRY_TABLE:
			nw_iter_down(it, e);
			continue;
		case NW_ENTRY_LEAF:
			status = protect_leaf(job, it, ref, e);
			break;
		case NW_ENTRY_RESERVED:
			status = NW_E_CORRUPT;
			break;
		default:
			break;
		}
		if (status) {
			*stopped_at = e;
			return status;
		}
		nw_iter_step(it);
	}
	return NW_OK;
}

enum nw_status NW_FN(protect)(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, enum nw_protect how,
			      unsigned prot, struct nw_page_cache *cache,
			      struct nw_result *result)
{
	struct protect_job job = {.t = t, .how = how, .prot = prot};
	nw_entry_t stopped_at = 0;
	enum nw_status status;
	struct nw_iter it;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	if (how != NW_PROTECT_RELAX && how != NW_PROTECT_RESTRICT)
		return nw_refuse(result, NW_E_ATTRS, ia.v, "how");
	if (!prot || (prot & ~NW_PROT_RWX))
		return nw_refuse(result, NW_E_ATTRS, ia.v, "prot");
	status = NW_FN(split_edges)(t, ia.v, ia.v + size_bytes, cache, result);
	if (status)
		return status;
	nw_flush_begin(&job.flush);
	/* ORD-06: what is read stays allocated. */
	nw_section_enter(t);
	nw_iter_start(&it, t, ia.v, ia.v + size_bytes);
	status = protect_commit(&job, &it, &stopped_at);
	nw_port_publish_barrier(); /* ORD-09 */
	nw_section_leave(t);
	nw_flush_issue(t, &job.flush);
	return nw_report(result, status, it.addr, it.level, stopped_at);
}
