/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changing rights in place. Rights are no part of what needs a break, so each
 * leaf is one store, or one compare-and-swap where others write it too.
 */
#include "leaves.h"
#include "one.h"

static inline enum nw_status relax_leaf(const struct nw_geometry *geo,
					unsigned prot, nw_entry_t leaf,
					nw_entry_t *out)
{
	return nwf_leaf_relax(geo, leaf, prot, out);
}

static inline enum nw_status restrict_leaf(const struct nw_geometry *geo,
					   unsigned prot, nw_entry_t leaf,
					   nw_entry_t *out)
{
	return nwf_leaf_restrict(geo, leaf, prot, out);
}

/* Nothing is known of groups of leaves. */
static inline enum nw_leaf_some perhaps(const struct nw_geometry *geo,
					nw_entry_t all, nw_entry_t any)
{
	(void)geo, (void)all, (void)any;
	return NW_LEAF_SOME;
}

static inline enum nw_status write_protect_leaf(const struct nw_geometry *geo,
						unsigned prot, nw_entry_t leaf,
						nw_entry_t *out)
{
	(void)prot;
	*out = nwf_leaf_write_protect(geo, leaf);
	return NW_OK;
}

static __attribute__((noinline)) enum nw_status
protect_range(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
	      enum nw_protect how, unsigned prot, struct nw_page_cache *cache,
	      struct nw_result *result)
{
	struct nw_leaves job = {.t = t, .prot = prot, .edge = NW_EDGE_SPLIT};
	uint64_t end = ia.v + size_bytes;
	enum nw_status status;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	if (how != NW_PROTECT_RELAX && how != NW_PROTECT_RESTRICT)
		return nw_refuse(result, NW_E_ATTRS, ia.v, "how");
	if (!prot || (prot & ~NW_PROT_RWX))
		return nw_refuse(result, NW_E_ATTRS, ia.v, "prot");
	if (how == NW_PROTECT_RELAX) {
		job.then = NW_THEN_NOTHING;
		nw_op_begin(t, NW_OP_RELAX, ia.v, end);
		status = nw_leaves_range(&job, 0, relax_leaf, perhaps, ia.v,
					 end, cache, result);
		nw_op_end(t, NW_OP_RELAX, ia.v, end, status);
	} else {
		job.then = NW_THEN_FLUSH;
		nw_op_begin(t, NW_OP_RESTRICT, ia.v, end);
		status = nw_leaves_range(&job, 0, restrict_leaf, perhaps, ia.v,
					 end, cache, result);
		nw_op_end(t, NW_OP_RESTRICT, ia.v, end, status);
	}
	return status;
}

/* One leaf gains a right: a permission fault. `mode` is the table's, a
 * constant. */
NW_ONE enum nw_status relax_one(struct nw_table *t, const enum nw_mode mode,
				nw_ia_t ia, unsigned prot,
				struct nw_page_cache *cache,
				struct nw_result *result)
{
	if (NW_LIKELY(nw_one_add_rights(t, mode, ia.v, prot) == NW_OK))
		return nw_one_done(result, ia.v);
	return protect_range(t, ia, NW_GRANULE_BYTES, NW_PROTECT_RELAX, prot,
			     cache, result);
}

/* Apart, so that a shared table's fault saves no registers for it. */
static __attribute__((noinline)) enum nw_status
relax_owned(struct nw_table *t, nw_ia_t ia, unsigned prot,
	    struct nw_page_cache *cache, struct nw_result *result)
{
	if (t->mode == NW_MODE_EXCLUSIVE)
		return relax_one(t, NW_MODE_EXCLUSIVE, ia, prot, cache, result);
	return relax_one(t, NW_MODE_READERS, ia, prot, cache, result);
}

enum nw_status NW_FN(protect)(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, enum nw_protect how,
			      unsigned prot, struct nw_page_cache *cache,
			      struct nw_result *result)
{
	if (NW_UNLIKELY(!t || how != NW_PROTECT_RELAX || !prot ||
			(prot & ~NW_PROT_RWX) ||
			!nw_one_fits(t, ia.v, size_bytes)))
		return protect_range(t, ia, size_bytes, how, prot, cache,
				     result);
	if (NW_UNLIKELY(t->mode != NW_MODE_SHARED))
		return relax_owned(t, ia, prot, cache, result);
	return relax_one(t, NW_MODE_SHARED, ia, prot, cache, result);
}

enum nw_status
NW_FN(write_protect_gather)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    nw_range_fn dirty, void *arg,
			    struct nw_page_cache *cache, struct nw_gather *g,
			    struct nw_result *result)
{
	struct nw_leaves job = {.t = t,
				.gather = g,
				.then = NW_THEN_FLUSH,
				.edge = NW_EDGE_SPLIT,
				.dirty = dirty,
				.dirty_arg = arg};
	uint64_t end = ia.v + size_bytes;
	enum nw_status status;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = nw_range_check(t, ia, size_bytes, result);
	if (status)
		return status;
	nw_op_begin(t, NW_OP_WRITE_PROTECT, ia.v, end);
	status = nw_leaves_range(&job, 0, write_protect_leaf,
				 nwf_group_writable, ia.v, end, cache, result);
	nw_op_end_gathered(t, NW_OP_WRITE_PROTECT, ia.v, end, status, g);
	return status;
}

enum nw_status NW_FN(write_protect)(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, nw_range_fn dirty,
				    void *arg, struct nw_page_cache *cache,
				    struct nw_result *result)
{
	return NW_FN(write_protect_gather)(t, ia, size_bytes, dirty, arg, cache,
					   NULL, result);
}
