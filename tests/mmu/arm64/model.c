// SPDX-License-Identifier: BSD-2-Clause
#include "model.h"

#include "../../../hyp/lib.h"

unsigned model_from(const struct model *m, uint64_t ia)
{
	unsigned low = 0, high = m->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct region *r = &m->region[middle];

		/* The last byte: an end may be 2^64 and wrap. */
		if (r->ia + (r->size - 1) < ia)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct region *model_find(struct model *m, uint64_t ia)
{
	unsigned at = model_from(m, ia);

	return at < m->count && m->region[at].ia <= ia ? &m->region[at] : NULL;
}

int model_is_free(const struct model *m, uint64_t ia, uint64_t size)
{
	unsigned at = model_from(m, ia);

	return at == m->count || m->region[at].ia > ia + (size - 1);
}

static void insert(struct model *m, unsigned at, const struct region *region)
{
	const struct region copy = *region;

	memmove(&m->region[at + 1], &m->region[at],
		(m->count - at) * sizeof(copy));
	m->region[at] = copy;
	m->count++;
}

int model_add(struct model *m, const struct region *region)
{
	if (m->count == MODEL_MAX)
		return 0;
	insert(m, model_from(m, region->ia), region);
	return 1;
}

int model_cut(struct model *m, uint64_t ia)
{
	struct region *r = model_find(m, ia);
	struct region rest;
	uint64_t below;

	if (!r || r->ia == ia)
		return 1;
	if (m->count == MODEL_MAX)
		return 0;
	below = ia - r->ia;
	rest = *r;
	rest.ia += below;
	rest.pa += below;
	rest.size -= below;
	r->size = below;
	insert(m, (unsigned)(r - m->region) + 1, &rest);
	return 1;
}

void model_remove(struct model *m, uint64_t ia, uint64_t size)
{
	unsigned first = model_from(m, ia), end = first;

	while (end < m->count && m->region[end].ia <= ia + (size - 1))
		end++;
	memmove(&m->region[first], &m->region[end],
		(m->count - end) * sizeof(m->region[0]));
	m->count -= end - first;
}
