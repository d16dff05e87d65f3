/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of obligations and their index by input address. What moves them:
 * phases.c. */
#include "local.h"
#include "obligation_lists.h"

#include <stdlib.h>

/* ---- index by input address -------------------------------------------- */

static unsigned chunk_lg2(const struct nwv_check *c, uint16_t root,
			  unsigned level)
{
	return nwv_span_lg2(&c->root[root].shape, level) + NWV_OB_CHUNK_LG2;
}

static uint64_t chunk_key(const struct nwv_check *c, uint16_t root,
			  unsigned level, uint64_t ia)
{
	return (uint64_t)root << 48 | (uint64_t)level << 44 |
	       ia >> chunk_lg2(c, root, level);
}

static unsigned chunk_index(const struct nwv_check *c, uint16_t root,
			    unsigned level, uint64_t ia)
{
	return (unsigned)(ia >> nwv_span_lg2(&c->root[root].shape, level)) &
	       ((1u << NWV_OB_CHUNK_LG2) - 1);
}

/* Neighbours come together: the last one found is mostly the next. */
static struct nwv_ob_page *chunk_find(struct nwv_check *c, uint16_t root,
				      unsigned level, uint64_t ia)
{
	uint64_t key = chunk_key(c, root, level, ia);
	struct nwv_ob_page *k = c->last_ob_page;
	uint32_t n;

	if (k && k->key == key && k->count)
		return k;
	n = nwv_map_get(&c->ob_page_by_key, key);
	if (!n)
		return NULL;
	c->last_ob_page = c->ob_page[n];
	return c->last_ob_page;
}

static struct nwv_ob_page *chunk_new(struct nwv_check *c, uint16_t root,
				     unsigned level, uint64_t ia)
{
	uint32_t n = c->ob_page_free;
	struct nwv_ob_page *k;

	if (n) {
		k = c->ob_page[n];
		c->ob_page_free = k->next;
	} else {
		n = c->ob_pages + 1;
		if (nwv_room(c, (void **)&c->ob_page, &c->ob_page_room, n,
			     sizeof(*c->ob_page)))
			return NULL;
		c->ob_page[n] = k = calloc(1, sizeof(*k));
		if (!k) {
			nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
			return NULL;
		}
		c->bytes += sizeof(*k);
		c->ob_pages = n;
	}
	k->key = chunk_key(c, root, level, ia);
	k->ia = ia & ~((UINT64_C(1) << chunk_lg2(c, root, level)) - 1);
	k->root = root;
	k->level = (uint8_t)level;
	if (nwv_map_put(&c->ob_page_by_key, k->key, n)) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return NULL;
	}
	return k;
}

uint32_t nwv_ob_at(struct nwv_check *c, uint16_t root, unsigned level,
		   uint64_t ia)
{
	struct nwv_ob_page *k;

	if (!c->root[root].pending_level[level])
		return 0;
	k = chunk_find(c, root, level, ia);
	return k ? k->ob[chunk_index(c, root, level, ia)] : 0;
}

static int index_add(struct nwv_check *c, uint32_t n)
{
	const struct nwv_ob_slot *o = &c->ob[n];
	struct nwv_ob_page *k = chunk_find(c, o->root, o->level, o->ia);

	if (!k)
		k = chunk_new(c, o->root, o->level, o->ia);
	if (!k)
		return -1;
	k->ob[chunk_index(c, o->root, o->level, o->ia)] = n;
	k->count++;
	c->root[o->root].pending++;
	c->root[o->root].pending_level[o->level]++;
	return 0;
}

static void index_remove(struct nwv_check *c, uint32_t n)
{
	const struct nwv_ob_slot *o = &c->ob[n];
	struct nwv_ob_page *k = chunk_find(c, o->root, o->level, o->ia);
	uint32_t number;

	k->ob[chunk_index(c, o->root, o->level, o->ia)] = 0;
	c->root[o->root].pending--;
	c->root[o->root].pending_level[o->level]--;
	if (--k->count)
		return;
	number = nwv_map_get(&c->ob_page_by_key, k->key);
	nwv_map_del(&c->ob_page_by_key, k->key);
	k->next = c->ob_page_free;
	c->ob_page_free = number;
}

/* One chunk: entries from `first` to `last`. 0: fn ended it. */
static int each_in_chunk(struct nwv_check *c, struct nwv_ob_page *k,
			 unsigned first, unsigned last, nwv_ob_fn *fn,
			 void *arg)
{
	unsigned i;

	for (i = first; i <= last && k->count; i++)
		if (k->ob[i] && !fn(c, k->ob[i], arg))
			return 0;
	return 1;
}

/* The part of a chunk that meets [start, end). */
static int each_meeting(struct nwv_check *c, struct nwv_ob_page *k,
			uint64_t start, uint64_t end, nwv_ob_fn *fn, void *arg)
{
	unsigned lg2 = chunk_lg2(c, k->root, k->level);
	uint64_t last = k->ia + (UINT64_C(1) << lg2) - 1;

	if (start > last || end <= k->ia)
		return 1;
	if (start < k->ia)
		start = k->ia;
	if (end - 1 < last)
		last = end - 1;
	return each_in_chunk(c, k, chunk_index(c, k->root, k->level, start),
			     chunk_index(c, k->root, k->level, last), fn, arg);
}

static int each_at_level(struct nwv_check *c, uint16_t root, unsigned level,
			 uint64_t start, uint64_t end, nwv_ob_fn *fn, void *arg)
{
	unsigned lg2 = chunk_lg2(c, root, level);
	uint64_t first = start >> lg2, last = (end - 1) >> lg2;
	struct nwv_ob_page *k;
	uint32_t n;

	/* Fewer chunks exist than the range spans: look at each instead. */
	if (last - first >= c->ob_page_by_key.count) {
		for (n = 1; n <= c->ob_pages; n++) {
			k = c->ob_page[n];
			if (k->count && k->root == root && k->level == level &&
			    !each_meeting(c, k, start, end, fn, arg))
				return 0;
		}
		return 1;
	}
	for (; first <= last; first++) {
		k = chunk_find(c, root, level, first << lg2);
		if (k && !each_meeting(c, k, start, end, fn, arg))
			return 0;
	}
	return 1;
}

void nwv_ob_each(struct nwv_check *c, uint16_t root, unsigned levels,
		 uint64_t start, uint64_t end, nwv_ob_fn *fn, void *arg)
{
	uint64_t limit = UINT64_C(1) << c->root[root].shape.ia_bits;
	unsigned level = c->root[root].shape.levels;

	if (end > limit)
		end = limit;
	if (start >= end)
		return;
	/* From the top: fn may expand a subtree into the levels below. */
	while (level--)
		if ((levels >> level & 1) &&
		    c->root[root].pending_level[level] &&
		    !each_at_level(c, root, level, start, end, fn, arg))
			return;
}

/* ---- the pool ---------------------------------------------------------- */

void nwv_ob_get(const struct nwv_check *c, uint32_t n, struct nwv_ob *out)
{
	const struct nwv_ob_slot *o = &c->ob[n];
	const struct nwv_ob_more *more = &c->ob_more[n];
	const struct nwv_group *g = &c->group[o->group];

	*out = (struct nwv_ob){
		.armed = more->armed,
		.ia = o->ia,
		.oa = more->oa,
		.before = more->before,
		.phase_seq = o->phase_seq > g->phase_seq ? o->phase_seq
							 : g->phase_seq,
		.first_seq = o->phase_seq,
		.root = o->root,
		.tag = g->tag,
		.level = o->level,
		.phase = g->phase,
		.issuer = g->cpu,
		.is_table = !!(o->flags & NWV_OB_TABLE),
		.is_subtree = !!(o->flags & NWV_OB_SUBTREE),
		.is_soft = !!(o->flags & NWV_OB_SOFT),
		.near = more->near,
	};
	if (!c->root[o->root].by_cpu)
		return;
	out->is_local = 1;
	out->owing = nwv_local_owing(c, o->group);
	out->done = g->done;
}

static uint32_t ob_take(struct nwv_check *c)
{
	uint32_t n = c->ob_free;

	if (n) {
		c->ob_free = c->ob[n].group;
	} else {
		n = c->ob_used + 1;
		if (nwv_room(c, (void **)&c->ob, &c->ob_room, n,
			     sizeof(*c->ob)) ||
		    nwv_room(c, (void **)&c->ob_more, &c->ob_more_room, n,
			     sizeof(*c->ob_more)))
			return 0;
		c->ob_used = n;
	}
	c->obs++;
	return n;
}

void nwv_ob_forget(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob_slot *o = &c->ob[n];

	if (o->flags & NWV_OB_IN_OA)
		nwv_oa_unlink(c, n);
	index_remove(c, n);
	c->subtrees -= !!(o->flags & NWV_OB_SUBTREE);
	o->root = 0;
	o->gen++;
	o->group = c->ob_free;
	c->ob_free = n;
	if (!--c->obs)
		c->oa_todos = 0;
}

void nwv_ob_drop(struct nwv_check *c, uint32_t n)
{
	if (!c->ob[n].root)
		return;
	nwv_group_leave(c, n);
	nwv_ob_forget(c, n);
}

/* Fill what ob_take() gave. */
static void ob_fill(struct nwv_check *c, uint32_t n,
		    const struct nwv_ob *value)
{
	struct nwv_ob_slot *o = &c->ob[n];

	o->ia = value->ia;
	o->phase_seq = value->first_seq;
	o->root = value->root;
	o->level = value->level;
	o->flags = (uint8_t)((value->is_table ? NWV_OB_TABLE : 0) |
			     (value->is_subtree ? NWV_OB_SUBTREE : 0) |
			     (value->is_soft ? NWV_OB_SOFT : 0));
	c->ob_more[n] = (struct nwv_ob_more){
		.armed = value->armed,
		.oa = value->oa,
		.before = value->before,
		.near = value->near,
	};
}

uint32_t nwv_ob_new(struct nwv_check *c, const struct nwv_ob *value,
		    uint32_t group)
{
	uint32_t n = nwv_ob_at(c, value->root, value->level, value->ia);

	if (n)
		nwv_ob_drop(c, n);
	if (!group)
		group = nwv_group_for(c, (enum nwv_phase)value->phase,
				      value->root, value->tag,
				      value->phase == NWV_AWAIT_DSB
					      ? value->armed.cpu
					      : value->issuer);
	n = group ? ob_take(c) : 0;
	if (!n)
		return 0;
	ob_fill(c, n, value);
	if (index_add(c, n) || nwv_group_join(c, group, n) ||
	    (!value->is_table && nwv_oa_note(c, n)))
		return 0;
	c->subtrees += value->is_subtree;
	return n;
}

/* ---- arming ------------------------------------------------------------ */

/* What only was remembered below a dropped table is owed now. */
static int harden(struct nwv_check *c, uint32_t n, void *arg)
{
	struct nwv_ob_slot *o = &c->ob[n];

	(void)arg;
	if (!(o->flags & NWV_OB_SOFT))
		return 1;
	o->flags &= (uint8_t)~NWV_OB_SOFT;
	if (c->root[o->root].by_cpu)
		nwv_local_harden(c, n);
	c->ob_more[n].armed.file = c->now->file;
	c->ob_more[n].armed.line = c->now->line;
	return 1;
}

static uint64_t output_of(const struct nwv_shape *s, unsigned level,
			  uint64_t e, uint64_t ia)
{
	struct nwv_leaf leaf;

	if (nwv_kind(s, level, e) == NWV_TABLE)
		return nwv_table_pa(s, e);
	if (!nwv_is_local(s))
		return nwv_leaf_pa(s, level, e);
	nwv_leaf_decode(s, level, e, &leaf);
	return nwv_leaf_pa_at(s, &leaf, ia);
}

uint32_t nwv_ob_arm(struct nwv_check *c, const struct nwv_page *page,
		    unsigned index, uint64_t before, int is_soft)
{
	const struct nwv_root *r = &c->root[page->root];
	uint64_t ia = nwv_entry_ia(c, page, index);
	int is_table = nwv_kind(&r->shape, page->level, before) == NWV_TABLE;
	struct nwv_ob o = {
		.armed = nwv_mark_of(c->now),
		.ia = ia,
		.oa = output_of(&r->shape, page->level, before, ia),
		.before = before,
		.first_seq = c->now->seq,
		.root = page->root,
		.tag = r->tag,
		.level = page->level,
		.phase = NWV_AWAIT_DSB,
		.is_table = (uint8_t)is_table,
		.is_subtree = (uint8_t)is_table,
		.is_soft = (uint8_t)is_soft,
	};
	uint32_t group, n;

	if (is_table && r->pending)
		nwv_ob_each(c, page->root, (1u << page->level) - 1, ia,
			    ia + (UINT64_C(1)
				  << nwv_span_lg2(&r->shape, page->level)),
			    harden, NULL);
	if (!r->by_cpu)
		return nwv_ob_new(c, &o, 0);
	o.phase = NWV_AWAIT_TLBI;
	if (nwv_ob_at(c, o.root, o.level, ia))
		nwv_ob_drop(c, nwv_ob_at(c, o.root, o.level, ia));
	group = nwv_local_arm(
		c, o.root,
		nwv_local_is_global(c, o.root, page->level, before), is_soft);
	if (!group)
		return 0;
	n = nwv_ob_new(c, &o, group);
	nwv_local_joined(c, group, c->now->seq);
	return n;
}
