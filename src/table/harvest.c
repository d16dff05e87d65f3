/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hardware and the guest left in the leaves: dirty and accessed state.
 * Leaves are taken whole, whatever their size: the state of a block is the
 * state of all its pages.
 */
#include "leaves.h"

static inline enum nw_status clean_leaf(const struct nw_geometry *geo,
					unsigned prot, nw_entry_t leaf,
					nw_entry_t *out)
{
	(void)prot;
	*out = nwf_leaf_clean(geo, leaf);
	return NW_OK;
}

/* Counted when it differs: only whether a leaf is accessed matters. */
static inline enum nw_status look_leaf(const struct nw_geometry *geo,
				       unsigned prot, nw_entry_t leaf,
				       nw_entry_t *out)
{
	(void)geo, (void)prot;
	*out = nwf_leaf_is_accessed(leaf) ? NWF_EMPTY : leaf;
	return NW_OK;
}

static inline enum nw_status age_leaf(const struct nw_geometry *geo,
				      unsigned prot, nw_entry_t leaf,
				      nw_entry_t *out)
{
	(void)geo, (void)prot;
	*out = nwf_leaf_clear_accessed(leaf);
	return NW_OK;
}

static inline enum nw_status touch_leaf(const struct nw_geometry *geo,
					unsigned prot, nw_entry_t leaf,
					nw_entry_t *out)
{
	(void)geo, (void)prot;
	*out = nwf_leaf_set_accessed(leaf);
	return NW_OK;
}

/* Those that age_leaf() leaves alone may still change. */
static inline enum nw_leaf_some any_leaf(const struct nw_geometry *geo,
					 nw_entry_t all, nw_entry_t any)
{
	(void)geo, (void)all, (void)any;
	return NW_LEAF_SOME;
}

enum nw_status
NW_FN(harvest_dirty_gather)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    nw_range_fn dirty, void *arg, struct nw_gather *g,
			    struct nw_result *result)
{
	struct nw_leaves job = {.t = t,
				.gather = g,
				.then = NW_THEN_FLUSH,
				.edge = NW_EDGE_WHOLE,
				.dirty = dirty,
				.dirty_arg = arg};
	uint64_t end = ia.v + size_bytes;
	enum nw_status status;

	if (!t || !dirty)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "dirty" : "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	nw_op_begin(t, NW_OP_HARVEST_DIRTY, ia.v, end);
	status = nw_leaves_range(&job, 0, clean_leaf, nwf_group_dirty, ia.v,
				 end, NULL, result);
	nw_op_end_gathered(t, NW_OP_HARVEST_DIRTY, ia.v, end, status, g);
	return status;
}

enum nw_status NW_FN(harvest_dirty)(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, nw_range_fn dirty,
				    void *arg, struct nw_result *result)
{
	return NW_FN(harvest_dirty_gather)(t, ia, size_bytes, dirty, arg, NULL,
					   result);
}

enum nw_status NW_FN(age)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			  enum nw_age how, uint64_t *young,
			  struct nw_result *result)
{
	struct nw_leaves job = {
		.t = t, .then = NW_THEN_NOTHING, .edge = NW_EDGE_WHOLE};
	/* For who reads a trace: what sets the flag narrows nothing. */
	enum nw_op op = how == NW_AGE_SET ? NW_OP_RELAX : NW_OP_AGE;
	uint64_t end = ia.v + size_bytes;
	enum nw_status status;

	if (!t || !young)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "young" : "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	if (how != NW_AGE_TEST && how != NW_AGE_CLEAR && how != NW_AGE_SET)
		return nw_refuse(result, NW_E_ATTRS, ia.v, "how");
	nw_op_begin(t, op, ia.v, end);
	if (how == NW_AGE_SET)
		status = nw_leaves_range(&job, 0, touch_leaf, any_leaf, ia.v,
					 end, NULL, result);
	else if (how == NW_AGE_TEST)
		status = nw_leaves_range(&job, 1, look_leaf, nwf_group_accessed,
					 ia.v, end, NULL, result);
	else
		status = nw_leaves_range(&job, 0, age_leaf, nwf_group_accessed,
					 ia.v, end, NULL, result);
	nw_op_end(t, op, ia.v, end, status);
	*young = job.found;
	return status;
}
