/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int same_attrs(const struct nw_attrs *a, const struct nw_attrs *b)
{
	return a->prot == b->prot && a->memtype == b->memtype &&
	       a->share == b->share && a->flags == b->flags &&
	       a->software == b->software && a->hardware == b->hardware;
}

static int continues(const struct run *a, const struct run *b)
{
	return a->end == b->start && a->pa + (a->end - a->start) == b->pa &&
	       same_attrs(&a->attrs, &b->attrs);
}

static void make_room(struct model *m)
{
	if (m->runs + 2 <= m->room)
		return;
	m->room = m->room ? 2 * m->room : 64;
	m->run = realloc(m->run, m->room * sizeof(*m->run));
	if (!m->run) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
}

/* Index of the first run that ends behind `ia`. */
static unsigned first_behind(const struct model *m, uint64_t ia)
{
	unsigned low = 0, high = m->runs;

	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (m->run[mid].end <= ia)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void insert(struct model *m, unsigned at, const struct run *run)
{
	make_room(m);
	memmove(&m->run[at + 1], &m->run[at],
		(m->runs - at) * sizeof(*m->run));
	m->run[at] = *run;
	m->runs++;
}

static void erase(struct model *m, unsigned from, unsigned to)
{
	if (from == to)
		return;
	memmove(&m->run[from], &m->run[to], (m->runs - to) * sizeof(*m->run));
	m->runs -= to - from;
}

/* Let no run cross `ia`; returns the index of the first run at or behind it. */
static unsigned cut(struct model *m, uint64_t ia)
{
	unsigned at = first_behind(m, ia);
	struct run tail;

	if (at == m->runs || m->run[at].start >= ia)
		return at;
	tail = m->run[at];
	tail.pa += ia - tail.start;
	tail.start = ia;
	m->run[at].end = ia;
	insert(m, at + 1, &tail);
	return at + 1;
}

/* Join neighbours in [from - 1, to + 1). */
static void join(struct model *m, unsigned from, unsigned to)
{
	unsigned i = from ? from - 1 : 0;

	while (i + 1 < m->runs && i <= to) {
		if (!continues(&m->run[i], &m->run[i + 1])) {
			i++;
			continue;
		}
		m->run[i].end = m->run[i + 1].end;
		erase(m, i + 1, i + 2);
		if (to)
			to--;
	}
}

void model_clear(struct model *m)
{
	m->runs = 0;
}

void model_free(struct model *m)
{
	free(m->run);
	memset(m, 0, sizeof(*m));
}

int model_any(const struct model *m, uint64_t start, uint64_t end)
{
	unsigned at = first_behind(m, start);

	return at < m->runs && m->run[at].start < end;
}

const struct run *model_at(const struct model *m, uint64_t ia)
{
	unsigned at = first_behind(m, ia);

	return at < m->runs && m->run[at].start <= ia ? &m->run[at] : NULL;
}

void model_map(struct model *m, uint64_t start, uint64_t end, uint64_t pa,
	       const struct nw_attrs *attrs)
{
	struct run run = {start, end, pa, *attrs};
	unsigned at = first_behind(m, start);

	if (start == end)
		return;
	insert(m, at, &run);
	join(m, at, at + 1);
}

void model_unmap(struct model *m, uint64_t start, uint64_t end)
{
	unsigned from, to;

	if (start == end)
		return;
	from = cut(m, start);
	to = cut(m, end);
	erase(m, from, to);
}

void model_change(struct model *m, uint64_t start, uint64_t end,
		  void (*change)(struct nw_attrs *attrs, unsigned prot),
		  unsigned prot)
{
	unsigned i, from, to;

	if (start == end)
		return;
	from = cut(m, start);
	to = cut(m, end);
	for (i = from; i < to; i++)
		change(&m->run[i].attrs, prot);
	join(m, from, to);
}

void model_append(struct model *m, const struct run *piece)
{
	if (m->runs && continues(&m->run[m->runs - 1], piece)) {
		m->run[m->runs - 1].end = piece->end;
		return;
	}
	insert(m, m->runs, piece);
}

int model_differ(const struct model *a, const struct model *b, uint64_t *ia)
{
	unsigned i;

	for (i = 0; i < a->runs && i < b->runs; i++) {
		const struct run *x = &a->run[i], *y = &b->run[i];

		if (x->start != y->start)
			*ia = x->start < y->start ? x->start : y->start;
		else if (x->pa != y->pa || !same_attrs(&x->attrs, &y->attrs))
			*ia = x->start;
		else if (x->end != y->end)
			*ia = x->end < y->end ? x->end : y->end;
		else
			continue;
		return 1;
	}
	if (a->runs == b->runs)
		return 0;
	*ia = i < a->runs ? a->run[i].start : b->run[i].start;
	return 1;
}

int model_within(const struct model *part, const struct model *whole)
{
	unsigned i;

	for (i = 0; i < part->runs; i++) {
		const struct run *p = &part->run[i];
		const struct run *w = model_at(whole, p->start);

		if (!w || w->end < p->end ||
		    w->pa + (p->start - w->start) != p->pa ||
		    !same_attrs(&w->attrs, &p->attrs))
			return 0;
	}
	return 1;
}
