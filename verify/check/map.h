/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash table from a 64-bit key to a non-zero 32-bit number. Open addressing;
 * a removal closes the gap, so that probes stay short however long it lives.
 */
#ifndef NWV_CHECK_MAP_H
#define NWV_CHECK_MAP_H

#include <stddef.h>
#include <stdint.h>

struct nwv_map_slot {
	uint64_t key;
	uint32_t value; /* 0: free */
};

struct nwv_map {
	struct nwv_map_slot *slot;
	uint32_t capacity_lg2; /* meaningless while slot is NULL */
	uint32_t count;
};

static inline uint32_t nwv_map_home(const struct nwv_map *m, uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >>
			  (64 - m->capacity_lg2));
}

/* 0: not there. */
static inline uint32_t nwv_map_get(const struct nwv_map *m, uint64_t key)
{
	uint32_t mask, i;

	if (!m->count)
		return 0;
	mask = (UINT32_C(1) << m->capacity_lg2) - 1;
	for (i = nwv_map_home(m, key); m->slot[i].value; i = (i + 1) & mask)
		if (m->slot[i].key == key)
			return m->slot[i].value;
	return 0;
}

/* Set or replace. -1: no memory, nothing changed. */
int nwv_map_put(struct nwv_map *m, uint64_t key, uint32_t value);
/* Nothing happens when it is not there. */
void nwv_map_del(struct nwv_map *m, uint64_t key);
void nwv_map_free(struct nwv_map *m);

static inline size_t nwv_map_bytes(const struct nwv_map *m)
{
	return m->slot ? sizeof(*m->slot) << m->capacity_lg2 : 0;
}

#endif
