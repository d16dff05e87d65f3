/* SPDX-License-Identifier: BSD-2-Clause */
#include "map.h"

#include <stdlib.h>

#define FIRST_LG2 6

static void insert(struct nwv_map *m, uint64_t key, uint32_t value)
{
	uint32_t mask = (UINT32_C(1) << m->capacity_lg2) - 1;
	uint32_t i = nwv_map_home(m, key);

	while (m->slot[i].value && m->slot[i].key != key)
		i = (i + 1) & mask;
	m->count += !m->slot[i].value;
	m->slot[i].key = key;
	m->slot[i].value = value;
}

static int grow(struct nwv_map *m)
{
	struct nwv_map bigger = {0};
	size_t i, n = m->slot ? (size_t)1 << m->capacity_lg2 : 0;

	bigger.capacity_lg2 = m->slot ? m->capacity_lg2 + 1 : FIRST_LG2;
	bigger.slot =
		calloc((size_t)1 << bigger.capacity_lg2, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -1;
	for (i = 0; i < n; i++)
		if (m->slot[i].value)
			insert(&bigger, m->slot[i].key, m->slot[i].value);
	free(m->slot);
	*m = bigger;
	return 0;
}

int nwv_map_put(struct nwv_map *m, uint64_t key, uint32_t value)
{
	/* At most three quarters full. */
	if (!m->slot ||
	    m->count + (m->count >> 1) >= UINT32_C(1) << m->capacity_lg2)
		if (grow(m))
			return -1;
	insert(m, key, value);
	return 0;
}

void nwv_map_del(struct nwv_map *m, uint64_t key)
{
	uint32_t mask, i, j, home;

	if (!m->count)
		return;
	mask = (UINT32_C(1) << m->capacity_lg2) - 1;
	i = nwv_map_home(m, key);
	while (m->slot[i].value && m->slot[i].key != key)
		i = (i + 1) & mask;
	if (!m->slot[i].value)
		return;
	/* Pull back what probed past the gap. */
	for (j = (i + 1) & mask; m->slot[j].value; j = (j + 1) & mask) {
		home = nwv_map_home(m, m->slot[j].key);
		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		m->slot[i] = m->slot[j];
		i = j;
	}
	m->slot[i].value = 0;
	m->count--;
}

void nwv_map_free(struct nwv_map *m)
{
	free(m->slot);
	*m = (struct nwv_map){0};
}
