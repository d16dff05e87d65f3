/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other leaves in the place of what is there: taking (take.c) with leaves to
 * come. A replacement takes leaves alone, each for one of its size; a map over
 * what is mapped takes everything.
 */
#include "contig.h"
#include "retire.h"

/* Of one leaf level; 0: a smaller leaf can have these attributes. */
static enum nw_status prepare_level(struct nw_take *k, unsigned level,
				    uint64_t size_bytes,
				    const struct nw_attrs *attrs)
{
	const struct nw_table *t = k->batch.owner.t;
	nw_entry_t *leaf = &k->leaf_template[level];
	enum nw_status status = nw_alone_template(t, level, attrs, leaf);

	if (status == NW_E_LEVEL && level) {
		k->leaf_levels &= ~(1u << level);
		return NW_OK;
	}
	/* A member of such a run says where the run is, not where it is
	 * itself: the next leaf is not one step further. */
	if (!status && size_bytes > nw_span_bytes(t, level) &&
	    nwf_leaf_span_lg2(&t->geo, level, *leaf) >
		    nw_span_lg2(&t->geo, level))
		return NW_E_ATTRS;
	return status;
}

/* What nw_map() refuses too. */
static enum nw_status prepare_leaves(struct nw_take *k, struct nw_table *t,
				     nw_ia_t ia, uint64_t size_bytes,
				     nw_pa_t pa, const struct nw_attrs *attrs,
				     unsigned max_level,
				     struct nw_result *result)
{
	const uint64_t oa_limit = UINT64_C(1) << t->geo.oa_bits;
	enum nw_status status = nw_range_check(t, ia, size_bytes, result);

	if (status)
		return status;
	if (pa.v & ((UINT64_C(1) << t->geo.granule_lg2) - 1))
		return nw_refuse(result, NW_E_MISALIGNED, ia.v, "pa");
	if (pa.v >= oa_limit || size_bytes > oa_limit - pa.v)
		return nw_refuse(result, NW_E_OA_RANGE, ia.v, "pa");
	if (max_level != NW_LEVEL_ANY &&
	    (max_level >= t->geo.levels ||
	     !(t->geo.leaf_levels >> max_level & 1)))
		return nw_refuse(result, NW_E_LEVEL, ia.v, "max_level");
	nw_batch_begin(&k->batch, t);
	k->leaf_levels = t->geo.leaf_levels;
	if (max_level != NW_LEVEL_ANY)
		k->leaf_levels &= (2u << max_level) - 1;
	for (unsigned level = 0; k->leaf_levels >> level; level++) {
		if (k->leaf_levels >> level & 1)
			status = prepare_level(k, level, size_bytes, attrs);
		if (status)
			return nw_refuse(result, status, ia.v, "attrs");
	}
	k->put = NW_PUT_LEAVES;
	k->only = NWF_EMPTY;
	k->ia_to_pa = pa.v - ia.v;
	k->start = ia.v;
	k->end = ia.v + size_bytes;
	return NW_OK;
}

static enum nw_status replace_leaves(struct nw_take *k,
				     struct nw_result *result)
{
	static const struct nw_expected mapped = {.what = NW_EXPECT_MAPPED};
	struct nw_table *t = k->batch.owner.t;
	enum nw_status status;

	status = NW_FN(check_expected)(t, k->start, k->end, &mapped, result);
	if (status == NW_E_MISMATCH) {
		status = NW_E_ABSENT;
		if (result)
			result->status = status;
	}
	if (!status)
		status = NW_FN(take_edges)(k, result);
	return status ? status : NW_FN(take_range)(k, result);
}

enum nw_status
NW_FN(replace)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes, nw_pa_t pa,
	       const struct nw_attrs *attrs, nw_replaced_fn replaced, void *arg,
	       struct nw_page_cache *cache, struct nw_result *result)
{
	enum nw_status status;
	struct nw_take take;

	if (!t || !attrs)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "attrs" : "t");
	status = prepare_leaves(&take, t, ia, size_bytes, pa, attrs,
				NW_LEVEL_ANY, result);
	if (status)
		return status;
	take.what = NW_TAKE_LEAF;
	take.otherwise = NW_E_ABSENT;
	take.cache = cache;
	take.batch.tell.replaced = replaced;
	take.batch.tell.arg = arg;
	nw_op_begin(t, NW_OP_REPLACE, take.start, take.end);
	status = replace_leaves(&take, result);
	nw_op_end(t, NW_OP_REPLACE, take.start, take.end, status);
	return status;
}

enum nw_status NW_FN(remap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    nw_pa_t pa, const struct nw_attrs *attrs,
			    unsigned max_level, nw_range_fn dirty, void *arg,
			    struct nw_page_cache *cache,
			    struct nw_result *result)
{
	enum nw_status status;
	struct nw_take take;

	if (!t || !attrs)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "attrs" : "t");
	status = prepare_leaves(&take, t, ia, size_bytes, pa, attrs, max_level,
				result);
	if (status)
		return status;
	take.what = NW_TAKE_ALL;
	take.otherwise = NW_OK;
	take.cache = cache;
	take.batch.tell.dirty = dirty;
	take.batch.tell.arg = arg;
	nw_op_begin(t, NW_OP_REPLACE, take.start, take.end);
	status = NW_FN(take_edges)(&take, result);
	if (!status)
		status = NW_FN(take_range)(&take, result);
	nw_op_end(t, NW_OP_REPLACE, take.start, take.end, status);
	return status;
}
