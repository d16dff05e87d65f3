/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves that are encoded once and mapped many times. All that is checked for
 * each one is its two addresses, by one mask each; the rest is one.h, and what
 * that leaves undone is for nw_map().
 */
#include "contig.h"
#include "one.h"

static __attribute__((noinline)) enum nw_status
prepared_range(const struct nw_prepared *p, nw_ia_t ia, nw_pa_t pa,
	       struct nw_page_cache *cache, struct nw_result *result)
{
	return NW_FN(map)(p->table, ia, nw_span_bytes(p->table, p->level), pa,
			  &p->attrs, p->level, cache, result);
}

/* Apart, and called last: what is fast then saves no register. */
static __attribute__((noinline)) enum nw_status
prepared_met(const struct nw_prepared *p, nw_ia_t ia, nw_pa_t pa,
	     struct nw_page_cache *cache, struct nw_result *result)
{
	if (nw_one_judge(p->table, NW_E_EXISTS, ia.v, result) != NW_MORE)
		return NW_E_EXISTS;
	return prepared_range(p, ia, pa, cache, result);
}

static __attribute__((noinline)) enum nw_status
prepared_lost(const struct nw_prepared *p, nw_ia_t ia, nw_pa_t pa,
	      struct nw_page_cache *cache, struct nw_result *result)
{
	if (nw_one_judge(p->table, NW_E_RACED, ia.v, result) != NW_MORE)
		return NW_E_RACED;
	return prepared_range(p, ia, pa, cache, result);
}

NW_ONE enum nw_status prepared_one(const struct nw_prepared *p,
				   const enum nw_mode mode,
				   const enum nw_one_shape shape, nw_ia_t ia,
				   nw_pa_t pa, struct nw_page_cache *cache,
				   struct nw_result *result)
{
	const struct nw_table *t = p->table;
	enum nw_status status;

	if (NW_UNLIKELY((ia.v & p->ia_refused) | (pa.v & p->pa_refused)))
		return prepared_range(p, ia, pa, cache, result);
	status = nw_one_install(t, mode, shape, ia.v,
				nwf_leaf_at(&t->geo, p->leaf, pa.v));
	if (NW_LIKELY(status == NW_OK))
		return nw_one_done(result, ia.v);
	if (status == NW_MORE)
		return prepared_range(p, ia, pa, cache, result);
	if (status == NW_E_RACED)
		return prepared_lost(p, ia, pa, cache, result);
	return prepared_met(p, ia, pa, cache, result);
}

/* One for each mode and shape, so that neither is asked for at a fault. */
#define PREPARED_NAME(mode, shape) prepared_##mode##_##shape
#define PREPARED(mode, shape)                                                  \
	static enum nw_status PREPARED_NAME(mode, shape)(                      \
		const struct nw_prepared *p, nw_ia_t ia, nw_pa_t pa,           \
		struct nw_page_cache *cache, struct nw_result *result)         \
	{                                                                      \
		return prepared_one(p, NW_MODE_##mode, NW_ONE_##shape, ia, pa, \
				    cache, result);                            \
	}
#define PREPARED_MODE(mode)                                                    \
	PREPARED(mode, ANY)                                                    \
	PREPARED(mode, LEVELS_3)                                               \
	PREPARED(mode, LEVELS_4)
#define PREPARED_POINTERS(mode)                                                \
	[NW_MODE_##mode] = {                                                   \
		[NW_ONE_ANY] = PREPARED_NAME(mode, ANY),                       \
		[NW_ONE_LEVELS_3] = PREPARED_NAME(mode, LEVELS_3),             \
		[NW_ONE_LEVELS_4] = PREPARED_NAME(mode, LEVELS_4),             \
	}

PREPARED_MODE(EXCLUSIVE)
PREPARED_MODE(READERS)
PREPARED_MODE(SHARED)

typedef enum nw_status (*prepared_fn)(const struct nw_prepared *, nw_ia_t,
				      nw_pa_t, struct nw_page_cache *,
				      struct nw_result *);
static const prepared_fn prepared_granule[][NW_ONE_SHAPES] = {
	PREPARED_POINTERS(EXCLUSIVE),
	PREPARED_POINTERS(READERS),
	PREPARED_POINTERS(SHARED),
};

enum nw_status NW_FN(prepare)(struct nw_table *t, unsigned level,
			      const struct nw_attrs *attrs,
			      struct nw_prepared *out)
{
	uint64_t below;
	enum nw_status status;
	nw_entry_t leaf = 0;

	if (!t || !attrs || !out)
		return NW_E_NULL;
	if (level >= t->geo.levels || !(t->geo.leaf_levels >> level & 1))
		return NW_E_LEVEL;
	/* As nw_map(): smaller leaves, where a table stands already. */
	for (unsigned l = 0; l <= level; l++) {
		status = nw_alone_template(t, l, attrs, &leaf);
		if (status && (status != NW_E_LEVEL || !l || l == level))
			return status;
	}
	below = nw_span_bytes(t, level) - 1;
	*out = (struct nw_prepared){
		.map = level ? prepared_range
			     : prepared_granule[t->mode][nw_one_shape(t)],
		.table = t,
		.leaf = leaf,
		.ia_refused = below | ~(t->ia_limit - 1),
		.pa_refused = below | ~(t->oa_limit - 1),
		.attrs = *attrs,
		.level = (uint8_t)level,
	};
	return NW_OK;
}
