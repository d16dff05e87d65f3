/* SPDX-License-Identifier: BSD-2-Clause */
/* Pool, lists and indexes of obligations. What moves them: phases.c. */
#include "obligation_lists.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ------------------------------------------------------------- */

static struct nwv_list *list_of(struct nwv_check *c, const struct nwv_ob *o)
{
	switch (o->phase) {
	case NWV_AWAIT_DSB:
		return &c->cpu[o->armed.cpu].await_dsb;
	case NWV_AWAIT_TLBI:
		return &c->root[o->root].await_tlbi;
	case NWV_AWAIT_MIDDLE:
		return &c->cpu[o->issuer].await_middle;
	case NWV_AWAIT_COMBINED:
		return &c->root[o->root].await_combined;
	default:
		return &c->cpu[o->issuer].await_final;
	}
}

static void list_append(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob *o = &c->ob[n];
	struct nwv_list *list = list_of(c, o);

	o->next = 0;
	o->prev = list->last;
	if (list->last)
		c->ob[list->last].next = n;
	else
		list->first = n;
	list->last = n;
	if (o->phase == NWV_AWAIT_DSB)
		c->cpus_await_dsb |= UINT64_C(1) << o->armed.cpu;
}

static void list_remove(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob *o = &c->ob[n];
	struct nwv_list *list = list_of(c, o);

	if (o->prev)
		c->ob[o->prev].next = o->next;
	else
		list->first = o->next;
	if (o->next)
		c->ob[o->next].prev = o->prev;
	else
		list->last = o->prev;
	if (o->phase == NWV_AWAIT_DSB && !list->first)
		c->cpus_await_dsb &= ~(UINT64_C(1) << o->armed.cpu);
}

void nwv_ob_move(struct nwv_check *c, uint32_t n, enum nwv_phase phase,
		 unsigned cpu)
{
	struct nwv_ob *o = &c->ob[n];

	if (phase == NWV_CLEAN) {
		nwv_ob_drop(c, n);
		return;
	}
	list_remove(c, n);
	o->phase = (uint8_t)phase;
	o->issuer = (uint8_t)cpu;
	o->phase_seq = c->now->seq;
	if (phase == NWV_AWAIT_MIDDLE)
		o->first_seq = o->phase_seq;
	/* An invalidation that came before the DSB still explains what is
	 * missing after it. */
	if (phase != NWV_AWAIT_TLBI)
		o->near.why = NWV_WHY_NONE;
	list_append(c, n);
}

/* ---- index by output address ------------------------------------------- */

/* Leaves under 2 MiB by their 2 MiB, all others by their 1 GiB; no leaf
 * crosses either. */
static uint64_t oa_key(unsigned is_large, uint64_t oa)
{
	return is_large ? oa >> 30 | UINT64_C(1) << 40 : oa >> 21;
}

static uint32_t *oa_head(const struct nwv_check *c, uint64_t key)
{
	return &c->by_oa[(key * UINT64_C(0x9e3779b97f4a7c15)) >>
			 (64 - c->by_oa_lg2)];
}

static unsigned is_large(const struct nwv_check *c, const struct nwv_ob *o)
{
	return nwv_span_lg2(&c->root[o->root].shape, o->level) >= 21;
}

static void oa_link(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob *o = &c->ob[n];
	uint32_t *head = oa_head(c, oa_key(is_large(c, o), o->oa));

	o->oa_prev = 0;
	o->oa_next = *head;
	if (*head)
		c->ob[*head].oa_prev = n;
	*head = n;
	o->in_oa = 1;
}

static void oa_unlink(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob *o = &c->ob[n];

	if (!o->in_oa)
		return;
	o->in_oa = 0;
	if (o->oa_next)
		c->ob[o->oa_next].oa_prev = o->oa_prev;
	if (o->oa_prev)
		c->ob[o->oa_prev].oa_next = o->oa_next;
	else
		*oa_head(c, oa_key(is_large(c, o), o->oa)) = o->oa_next;
}

/* Keep chains short: as many heads as there are obligations. */
static int oa_room(struct nwv_check *c)
{
	unsigned lg2 = c->by_oa ? c->by_oa_lg2 : 5;
	uint32_t *heads, n;

	if (c->by_oa && c->obs < UINT32_C(1) << lg2)
		return 0;
	lg2++;
	heads = calloc((size_t)1 << lg2, sizeof(*heads));
	if (!heads) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return -1;
	}
	c->bytes += (sizeof(*heads) << lg2) -
		    (c->by_oa ? sizeof(*heads) << c->by_oa_lg2 : 0);
	free(c->by_oa);
	c->by_oa = heads;
	c->by_oa_lg2 = lg2;
	for (n = 1; n <= c->ob_used; n++)
		if (c->ob[n].root && c->ob[n].in_oa)
			oa_link(c, n);
	return 0;
}

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
	const struct nwv_ob *o = &c->ob[n];
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
	const struct nwv_ob *o = &c->ob[n];
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

/* ---- arming ------------------------------------------------------------ */

static uint32_t ob_take(struct nwv_check *c)
{
	uint32_t n = c->ob_free;

	if (oa_room(c))
		return 0;
	if (n) {
		c->ob_free = c->ob[n].next;
	} else {
		n = c->ob_used + 1;
		if (nwv_room(c, (void **)&c->ob, &c->ob_room, n,
			     sizeof(*c->ob)))
			return 0;
		c->ob_used = n;
	}
	c->obs++;
	return n;
}

void nwv_ob_drop(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob *o = &c->ob[n];

	if (!o->root)
		return;
	list_remove(c, n);
	oa_unlink(c, n);
	index_remove(c, n);
	c->subtrees -= o->is_subtree;
	o->root = 0;
	o->gen++;
	o->next = c->ob_free;
	c->ob_free = n;
	c->obs--;
}

uint32_t nwv_ob_new(struct nwv_check *c, const struct nwv_ob *value)
{
	uint32_t n = nwv_ob_at(c, value->root, value->level, value->ia), gen;

	if (n)
		nwv_ob_drop(c, n);
	n = ob_take(c);
	if (!n)
		return 0;
	gen = c->ob[n].gen;
	c->ob[n] = *value;
	c->ob[n].gen = gen;
	if (index_add(c, n))
		return 0;
	list_append(c, n);
	c->subtrees += value->is_subtree;
	if (!value->is_table)
		oa_link(c, n);
	return n;
}

/* What only was remembered below a dropped table is owed now. */
static int harden(struct nwv_check *c, uint32_t n, void *arg)
{
	struct nwv_ob *o = &c->ob[n];

	(void)arg;
	if (!o->is_soft)
		return 1;
	o->is_soft = 0;
	o->armed.file = c->now->file;
	o->armed.line = c->now->line;
	return 1;
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
		.oa = is_table ? nwv_table_pa(&r->shape, before)
			       : nwv_leaf_pa(&r->shape, page->level, before),
		.before = before,
		.phase_seq = c->now->seq,
		.root = page->root,
		.tag = r->tag,
		.level = page->level,
		.phase = NWV_AWAIT_DSB,
		.is_table = (uint8_t)is_table,
		.is_subtree = (uint8_t)is_table,
		.is_soft = (uint8_t)is_soft,
	};

	if (is_table && r->pending)
		nwv_ob_each(c, page->root, (1u << page->level) - 1, ia,
			    ia + (UINT64_C(1)
				  << nwv_span_lg2(&r->shape, page->level)),
			    harden, NULL);
	return nwv_ob_new(c, &o);
}

/* ---- by output address ------------------------------------------------- */

static uint32_t find_in_chain(const struct nwv_check *c, uint64_t key,
			      uint64_t pa, uint64_t bytes)
{
	uint32_t n = *oa_head(c, key);

	for (; n; n = c->ob[n].oa_next) {
		const struct nwv_ob *o = &c->ob[n];
		uint64_t span =
			UINT64_C(1)
			<< nwv_span_lg2(&c->root[o->root].shape, o->level);

		if (!o->is_soft && o->oa < pa + bytes && pa < o->oa + span)
			return n;
	}
	return 0;
}

uint32_t nwv_ob_find_oa(struct nwv_check *c, uint64_t pa, uint64_t bytes)
{
	uint64_t last = pa + bytes - 1, a;
	uint32_t n, found;

	if (!c->obs || !bytes)
		return 0;
	for (n = 1; c->subtrees && n <= c->ob_used; n++)
		if (c->ob[n].root && c->ob[n].is_subtree)
			nwv_ob_expand(c, n);
	for (a = pa >> 21; a <= last >> 21; a++) {
		found = find_in_chain(c, oa_key(0, a << 21), pa, bytes);
		if (found)
			return found;
	}
	for (a = pa >> 30; a <= last >> 30; a++) {
		found = find_in_chain(c, oa_key(1, a << 30), pa, bytes);
		if (found)
			return found;
	}
	return 0;
}
