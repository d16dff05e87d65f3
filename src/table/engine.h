/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engine's sources share. Sources that include this header are
 * compiled once per format; NW_FORMAT and NW_FORMAT_HEADER say which.
 */
#ifndef NW_TABLE_ENGINE_H
#define NW_TABLE_ENGINE_H

#include NW_FORMAT_HEADER

#include <nestwalk/table.h>
#include "entry.h"
#include "flush.h"
#include "pages.h"
#include "range.h"

#define NW_FN_JOIN(format, name) nw_##format##_##name
#define NW_FN_EXPAND(format, name) NW_FN_JOIN(format, name)
/* nw_<format>_<name> */
#define NW_FN(name) NW_FN_EXPAND(NW_FORMAT, name)

/* Format instances of the public operations; documented in table.h. */
enum nw_status NW_FN(map)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			  nw_pa_t pa, const struct nw_attrs *attrs,
			  unsigned max_level, struct nw_page_cache *cache,
			  struct nw_result *result);
enum nw_status NW_FN(prepare)(struct nw_table *t, unsigned level,
			      const struct nw_attrs *attrs,
			      struct nw_prepared *out);
enum nw_status NW_FN(unmap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    struct nw_page_cache *cache,
			    struct nw_result *result);
enum nw_status NW_FN(unmap_dirty)(struct nw_table *t, nw_ia_t ia,
				  uint64_t size_bytes, nw_range_fn dirty,
				  void *arg, struct nw_page_cache *cache,
				  struct nw_result *result);
enum nw_status NW_FN(annotate)(struct nw_table *t, nw_ia_t ia,
			       uint64_t size_bytes, uint64_t value,
			       const struct nw_expected *expected,
			       struct nw_page_cache *cache,
			       struct nw_result *result);
enum nw_status NW_FN(check_range)(struct nw_table *t, nw_ia_t ia,
				  uint64_t size_bytes,
				  const struct nw_expected *expected,
				  struct nw_result *result);
enum nw_status NW_FN(replace)(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, nw_pa_t pa,
			      const struct nw_attrs *attrs,
			      nw_replaced_fn replaced, void *arg,
			      struct nw_page_cache *cache,
			      struct nw_result *result);
enum nw_status NW_FN(remap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    nw_pa_t pa, const struct nw_attrs *attrs,
			    unsigned max_level, nw_range_fn dirty, void *arg,
			    struct nw_page_cache *cache,
			    struct nw_result *result);
uint64_t NW_FN(annotation_value)(nw_entry_t entry);
enum nw_status NW_FN(protect)(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, enum nw_protect how,
			      unsigned prot, struct nw_page_cache *cache,
			      struct nw_result *result);
enum nw_status NW_FN(write_protect)(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, nw_range_fn dirty,
				    void *arg, struct nw_page_cache *cache,
				    struct nw_result *result);
enum nw_status NW_FN(harvest_dirty)(struct nw_table *t, nw_ia_t ia,
				    uint64_t size_bytes, nw_range_fn dirty,
				    void *arg, struct nw_result *result);
/* With the caller's gather, or NULL; include/nestwalk/gather.h. */
enum nw_status NW_FN(unmap_gather)(struct nw_table *t, nw_ia_t ia,
				   uint64_t size_bytes,
				   struct nw_page_cache *cache,
				   struct nw_gather *g,
				   struct nw_result *result);
enum nw_status
NW_FN(write_protect_gather)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    nw_range_fn dirty, void *arg,
			    struct nw_page_cache *cache, struct nw_gather *g,
			    struct nw_result *result);
enum nw_status
NW_FN(harvest_dirty_gather)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    nw_range_fn dirty, void *arg, struct nw_gather *g,
			    struct nw_result *result);
enum nw_status NW_FN(age)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			  enum nw_age how, uint64_t *young,
			  struct nw_result *result);
enum nw_status NW_FN(split)(struct nw_table *t, nw_ia_t ia, unsigned level,
			    struct nw_page_cache *cache,
			    struct nw_result *result);
enum nw_status NW_FN(lookup)(struct nw_table *t, nw_ia_t ia,
			     struct nw_mapping *out);
enum nw_status NW_FN(walk)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			   unsigned flags, nw_visitor_fn visitor, void *arg,
			   struct nw_result *result);
enum nw_status NW_FN(teardown_step)(struct nw_table *t, unsigned max_pages);
enum nw_status NW_FN(slot_prepare)(struct nw_table *t, nw_ia_t ia,
				   unsigned level, struct nw_page_cache *cache,
				   nw_pteref_t *ref);

enum nw_status NW_FN(split_range)(struct nw_table *t, nw_ia_t ia,
				  uint64_t size_bytes, unsigned level,
				  unsigned budget_pages,
				  struct nw_page_cache *cache,
				  struct nw_result *result);
enum nw_status NW_FN(collapse)(struct nw_table *t, nw_ia_t ia,
			       uint64_t size_bytes, unsigned max_level,
			       unsigned budget_pages, struct nw_result *result);
enum nw_status NW_FN(reclaim_tables)(struct nw_table *t, nw_ia_t ia,
				     uint64_t size_bytes, unsigned budget_pages,
				     struct nw_result *result);

/*
 * Split what sticks out of [start, end) at both ends, so that no leaf and no
 * annotation crosses either. Translations stay as they are. Flushes.
 * NW_E_NOMEM, NW_E_CORRUPT, NW_E_BUSY: the table translates as before.
 */
enum nw_status NW_FN(split_edges)(struct nw_table *t, uint64_t start,
				  uint64_t end, struct nw_page_cache *cache,
				  struct nw_result *result);

/* Free a detached subtree, its root page at `level` included. Nothing may be
 * able to reach it: unlinked, flushed, grace period over. */
void NW_FN(free_subtree)(struct nw_table *t, nw_pa_t page, unsigned level);

/*
 * Tell the trace where an operation begins and ends (end: it returns, or
 * yields): what the oracle asks of it, it asks then. Once per operation, from
 * its first store or earlier to its last barrier; ranges are input addresses.
 * Nothing of it is left where the trace is compiled out.
 */
static inline uint64_t nw_op_word(const struct nw_table *t, enum nw_op op,
				  enum nw_status status)
{
	return NW_TRACE_OP(op, t->mode + 1u, status, t->root_pa.v);
}

static inline void nw_op_begin(const struct nw_table *t, enum nw_op op,
			       uint64_t start, uint64_t end)
{
	(void)t;
	(void)op;
	(void)start;
	(void)end;
	NW_TRACE(NW_EV_OP_BEGIN, start, end, nw_op_word(t, op, NW_OK));
}

static inline void nw_op_end(const struct nw_table *t, enum nw_op op,
			     uint64_t start, uint64_t end,
			     enum nw_status status)
{
	(void)t;
	(void)op;
	(void)start;
	(void)end;
	(void)status;
	NW_TRACE(NW_EV_OP_END, start, end, nw_op_word(t, op, status));
}

/* The same; with a gather that it leaves its flush to, it says so. */
static inline void nw_op_end_gathered(const struct nw_table *t, enum nw_op op,
				      uint64_t start, uint64_t end,
				      enum nw_status status,
				      const struct nw_gather *g)
{
	(void)t;
	(void)op;
	(void)start;
	(void)end;
	(void)status;
	(void)g;
	NW_TRACE(NW_EV_OP_END, start, end,
		 nw_op_word(t, op, status) |
			 (nw_gather_defers(g, op) ? NW_TRACE_GATHERED << 8 : 0));
}

/* ---- what stands in an invalid entry ----------------------------------- */

/* Another operation is at work on it, or on the page it is in: neither mapped
 * nor unmapped. */
static inline int nw_is_held(nw_entry_t e)
{
	return nwf_is_locked(e) || e == nwf_frozen();
}

/* ---- entries of an unpublished page, and of a live one ------------------ */

static inline void nw_fill_empty(nw_pteref_t first, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		nw_entry_init(nw_pteref_index(first, i), NWF_EMPTY);
}

static inline void nw_fill_leaves(const struct nw_geometry *geo, unsigned level,
				  nw_pteref_t first, unsigned n,
				  nw_entry_t leaf)
{
	for (unsigned i = 0; i < n; i++) {
		nw_entry_init(nw_pteref_index(first, i), leaf);
		leaf = nwf_leaf_next(geo, level, leaf);
	}
}

/*
 * Put a leaf / a table into an entry that was empty when it was read. 0: another
 * CPU was faster. The compare-and-swap (ORD-04) also releases: ORD-02 for shared
 * tables.
 */
static inline __attribute__((always_inline)) int
nw_install_leaf(enum nw_mode mode, nw_pteref_t ref, nw_entry_t leaf)
{
	nw_entry_t empty = NWF_EMPTY;

	if (mode == NW_MODE_SHARED)
		return nw_entry_try_replace(ref, &empty, leaf);
	nw_entry_set_exclusive(ref, NWF_EMPTY, leaf);
	return 1;
}

static inline int nw_install_table(const struct nw_table *t, nw_pteref_t ref,
				   nw_entry_t link)
{
	nw_entry_t empty = NWF_EMPTY;

	if (t->mode == NW_MODE_SHARED)
		return nw_entry_try_replace(ref, &empty, link);
	nw_entry_link_exclusive(ref, NWF_EMPTY, link);
	return 1;
}

#endif
