/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <stddef.h>

static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = seed;
}

/* The finaliser of splitmix64. */
uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t random_next(void)
{
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	return mix(random_state);
}

uint64_t random_below(uint64_t bound)
{
	return random_next() % bound;
}

/* Index of the first span that ends beyond `ia`. */
static unsigned first_beyond(const struct model *m, uint64_t ia)
{
	unsigned low = 0, high = m->spans;

	while (low < high) {
		const unsigned mid = (low + high) / 2;

		if (m->span[mid].ia + m->span[mid].size_bytes > ia)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

const struct span *model_find(const struct model *m, uint64_t ia)
{
	const unsigned i = first_beyond(m, ia);

	return i < m->spans && m->span[i].ia <= ia ? &m->span[i] : NULL;
}

int model_meets(const struct model *m, uint64_t ia, uint64_t end,
		unsigned *first)
{
	*first = first_beyond(m, ia);
	return *first < m->spans && m->span[*first].ia < end;
}

static void open_gap(struct model *m, unsigned at)
{
	for (unsigned i = m->spans; i > at; i--)
		m->span[i] = m->span[i - 1];
	m->spans++;
}

int model_add(struct model *m, const struct span *span)
{
	const unsigned at = first_beyond(m, span->ia);

	if (m->spans == MODEL_SPANS_MAX)
		return 0;
	open_gap(m, at);
	m->span[at] = *span;
	return 1;
}

/* The span that `ia` would cut in two, or NULL. */
static struct span *across(struct model *m, uint64_t ia)
{
	const unsigned i = first_beyond(m, ia);

	return i < m->spans && m->span[i].ia < ia ? &m->span[i] : NULL;
}

static void cut_at(struct model *m, uint64_t ia)
{
	struct span *low = across(m, ia);
	uint64_t low_bytes;

	if (!low)
		return;
	open_gap(m, (unsigned)(low - m->span) + 1);
	low_bytes = ia - low->ia;
	low[1] = low[0];
	low[0].size_bytes = low_bytes;
	low[1].ia += low_bytes;
	low[1].pa += low_bytes;
	low[1].size_bytes -= low_bytes;
}

int model_cut(struct model *m, uint64_t ia, uint64_t end)
{
	if (m->spans + 2 > MODEL_SPANS_MAX)
		return 0;
	cut_at(m, ia);
	cut_at(m, end);
	return 1;
}

void model_remove(struct model *m, uint64_t ia, uint64_t end)
{
	unsigned first, kept;

	if (!model_meets(m, ia, end, &first))
		return;
	kept = first;
	for (unsigned i = first; i < m->spans; i++)
		if (m->span[i].ia >= end)
			m->span[kept++] = m->span[i];
	m->spans = kept;
}
