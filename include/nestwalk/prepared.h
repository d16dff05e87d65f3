/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaves made ready, for who maps many that differ in nothing but their
 * addresses: a fault handler keeps one for each slot of memory and kind of
 * access. Included by table.h, whose rules hold here too.
 */
#ifndef NESTWALK_PREPARED_H
#define NESTWALK_PREPARED_H

#include <nestwalk/table.h>

/*
 * Attributes of one leaf of a table, checked and encoded. Fields are private.
 * It may be copied and shared between CPUs, is not written after nw_prepare(),
 * and lives no longer than its table.
 */
struct nw_prepared {
	enum nw_status (*map)(const struct nw_prepared *, nw_ia_t, nw_pa_t,
			      struct nw_page_cache *, struct nw_result *);
	struct nw_table *table;
	nw_entry_t leaf;
	uint64_t ia_refused; /* bits that no address may have */
	uint64_t pa_refused;
	struct nw_attrs attrs;
	uint8_t level;
};

/*
 * Prepare leaves of `level`. Takes no lock, reads no entry.
 * NW_E_LEVEL, NW_E_ATTRS: what nw_map() would refuse; NW_E_NULL. *out is
 * untouched.
 */
NW_MUST_CHECK enum nw_status nw_prepare(struct nw_table *t, unsigned level,
					const struct nw_attrs *attrs,
					struct nw_prepared *out);

/*
 * Map one prepared leaf: nw_map() of its size, with its attributes and its
 * level as max_level; only faster. Locks, flushes and statuses: as there.
 */
NW_MUST_CHECK static inline enum nw_status
nw_map_prepared(const struct nw_prepared *prepared, nw_ia_t ia, nw_pa_t pa,
		struct nw_page_cache *cache, struct nw_result *result)
{
	return prepared->map(prepared, ia, pa, cache, result);
}

#endif
