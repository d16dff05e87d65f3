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
enum nw_status NW_FN(unmap)(struct nw_table *t, nw_ia_t ia, uint64_t size_bytes,
			    struct nw_page_cache *cache,
			    struct nw_result *result);
enum nw_status NW_FN(protect)(struct nw_table *t, nw_ia_t ia,
			      uint64_t size_bytes, enum nw_protect how,
			      unsigned prot, struct nw_page_cache *cache,
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

/*
 * Split what sticks out of [start, end) at both ends, so that no leaf crosses
 * either. Translations stay as they are. Flushes. NW_E_NOMEM, NW_E_CORRUPT:
 * the table translates as before.
 */
enum nw_status NW_FN(split_edges)(struct nw_table *t, uint64_t start,
				  uint64_t end, struct nw_page_cache *cache,
				  struct nw_result *result);

/* Free a detached subtree, its root page at `level` included. Nothing may be
 * able to reach it: unlinked, flushed, grace period over. */
void NW_FN(free_subtree)(struct nw_table *t, nw_pa_t page, unsigned level);

/* Flush what was gathered (ORD-07) and free the subtrees it unlinked. */
static inline void nw_flush_and_free(struct nw_table *t, struct nw_flush *flush)
{
	unsigned n = flush->dead_count;

	if (NW_SABOTAGE_EARLY_FREE) {
		while (n--)
			NW_FN(free_subtree)(t, flush->dead[n].page,
					    flush->dead[n].level);
		flush->dead_count = 0;
		nw_flush_issue(t, flush);
		return;
	}
	nw_flush_issue(t, flush);
	if (!n)
		return;
	if (t->mode != NW_MODE_EXCLUSIVE)
		/* ORD-05 orders the unlink of these pages before their reuse,
		 * for software walkers: pairs with nw_section_enter(). Without
		 * it a reader that saw the old link reads a freed page. */
		nw_port_synchronize();
	while (n--)
		NW_FN(free_subtree)(t, flush->dead[n].page,
				    flush->dead[n].level);
	flush->dead_count = 0;
}

#endif
