/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking into tables as a walker would, and small helps of track.h. */
#include "track.h"

#include <stdlib.h>

void *nwv_make(struct nwv_check *c, size_t bytes)
{
	void *made = calloc(1, bytes);

	if (made)
		c->bytes += bytes;
	else
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	return made;
}

uint16_t nwv_root_at(const struct nwv_check *c, uint64_t pa)
{
	const struct nwv_page *p = nwv_page_at_pa(c, pa);

	return p && p->is_root && p->pa == pa && c->root[p->root].is_live &&
			       c->root[p->root].pa == pa
		       ? p->root
		       : 0;
}

uint64_t nwv_entry_of(const struct nwv_check *c, uint64_t pa, unsigned index)
{
	const struct nwv_page *p = nwv_page_at_pa(
		c, pa + (index / NWV_FRAME_ENTRIES << NWV_FRAME_LG2));

	return p ? p->entry[index % NWV_FRAME_ENTRIES] : 0;
}

/* Entries of the root, concatenated ones together. */
static uint64_t root_entries(const struct nwv_shape *s)
{
	return UINT64_C(1) << (s->ia_bits - nwv_span_lg2(s, s->levels - 1u));
}

uint64_t nwv_look(const struct nwv_check *c, uint16_t root, uint64_t ia,
		  unsigned *level)
{
	const struct nwv_shape *s = &c->root[root].shape;
	unsigned top = s->levels - 1u;
	uint64_t index = ia >> nwv_span_lg2(s, top);

	*level = top;
	if (index >= root_entries(s))
		return 0;
	return nwv_entry_below(
		c, s, top, nwv_entry_of(c, c->root[root].pa, (unsigned)index),
		0, ia, level);
}

struct visit {
	struct nwv_check *c;
	const struct nwv_shape *s;
	uint64_t start, end;
	nwv_leaf_fn *fn;
	void *arg;
};

/* 0: fn ended it. */
static int visit_page(const struct visit *v, uint64_t pa, unsigned level,
		      uint64_t base, uint64_t entries)
{
	unsigned lg2 = nwv_span_lg2(v->s, level);
	uint64_t first = v->start > base ? (v->start - base) >> lg2 : 0;
	uint64_t i;

	for (i = first; i < entries; i++) {
		uint64_t ia = base + (i << lg2);
		uint64_t e = nwv_entry_of(v->c, pa, (unsigned)i);
		enum nwv_kind kind;

		if (ia >= v->end)
			return 1;
		kind = nwv_kind(v->s, level, e);
		if (kind == NWV_LEAF &&
		    !v->fn(v->c, v->s, level, ia, e, v->arg))
			return 0;
		if (kind == NWV_TABLE && level &&
		    !visit_page(v, nwv_table_pa(v->s, e), level - 1, ia,
				UINT64_C(1) << v->s->index_bits))
			return 0;
	}
	return 1;
}

void nwv_each_leaf(struct nwv_check *c, uint16_t root, uint64_t start,
		   uint64_t end, nwv_leaf_fn *fn, void *arg)
{
	const struct nwv_root *r = &c->root[root];
	struct visit v = {c, &r->shape, start, end, fn, arg};

	if (r->is_known && r->is_live && start < end)
		(void)visit_page(&v, r->pa, r->shape.levels - 1u, 0,
				 root_entries(&r->shape));
}
