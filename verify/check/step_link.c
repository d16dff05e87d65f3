/* SPDX-License-Identifier: BSD-2-Clause */
/* Table pages that become reachable, and cease to be. */
#include "track.h"

/* ---- one entry --------------------------------------------------------- */

static void judge_reach(struct nwv_check *c, const struct nwv_page *p,
			unsigned index, uint64_t value)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	struct nwv_facts f = {
		.on = NWV_ON_REACH,
		.event = c->now,
		.shape = s,
		.ia = nwv_entry_ia(c, p, index),
		.after = value,
		.after_kind = nwv_kind(s, p->level, value),
		.level = p->level,
		.flaw = nwv_entry_flaw(s, p->level, value),
		.pa = p->pa,
	};
	struct nwv_leaf leaf;

	if (f.after_kind == NWV_LEAF && s->regime == NW_REGIME_EL2) {
		nwv_leaf_decode(s, p->level, value, &leaf);
		if (leaf.rights & NWV_PX) {
			f.is_writable_exec =
				(leaf.rights & NWV_W) || leaf.can_get_write;
			f.is_device_exec = leaf.is_device;
		}
	}
	if (f.flaw || f.is_writable_exec || f.is_device_exec)
		nwv_judge(c, &f);
	else if (f.after_kind == NWV_LEAF && nwv_address_bits(s, p->level))
		c->root[p->root].good_attrs[p->level] =
			value & ~nwv_address_bits(s, p->level);
}

/* Most leaves differ from the last good one in the address alone. */
static int is_like_last(const struct nwv_root *r, unsigned level, uint64_t e)
{
	uint64_t address = nwv_address_bits(&r->shape, level);

	return r->good_attrs[level] && (e & ~address) == r->good_attrs[level] &&
	       !(nwv_leaf_pa(&r->shape, level, e) >> r->shape.oa_bits);
}

/* ---- linking ----------------------------------------------------------- */

static int page_is_complete(const struct nwv_check *c,
			    const struct nwv_page *head, unsigned frames,
			    uint64_t *missing)
{
	unsigned f;

	*missing = 0;
	for (f = 0; f < frames; f++) {
		const struct nwv_page *p = nwv_page_frame(c, head, f);

		*missing += NWV_FRAME_ENTRIES - (p ? p->inited : 0u);
	}
	return *missing == 0;
}

/* Is its content ordered before what this CPU stores now? */
static int page_is_ordered(const struct nwv_check *c, const struct nwv_page *p,
			   enum nwv_store store)
{
	unsigned cpu = c->now->cpu;

	if (!nwv_known(c, p->init_cpu, p->init_seq, cpu))
		return 0;
	if (c->is_tso)
		return 1;
	return store != NWV_STORE_PLAIN ||
	       c->cpu[cpu].store_barrier_seq > p->init_seq;
}

static void judge_link(struct nwv_check *c, const struct nwv_page *head,
		       uint64_t pa, unsigned level, uint64_t ia,
		       unsigned frames, enum nwv_store store)
{
	struct nwv_facts f = {
		.on = NWV_ON_LINK,
		.event = c->now,
		.pa = pa,
		.level = level,
		.ia = ia,
	};

	if (head) {
		f.is_known_page = head->frames >= frames;
		f.life = (enum nwv_life)head->life;
		f.page_since = head->since;
		/* Shared tables were judged when they were linked first. */
		if (head->life == NWV_LINKED || head->is_kept)
			return;
	}
	f.is_complete = f.is_ordered = 1;
	if (f.is_known_page && f.life == NWV_UNPUBLISHED) {
		f.is_complete = (uint8_t)page_is_complete(c, head, frames,
							  &f.entries_missing);
		f.is_ordered = (uint8_t)page_is_ordered(c, head, store);
		if (f.is_complete && f.is_ordered)
			return;
	}
	nwv_judge(c, &f);
}

static void link_page(struct nwv_check *c, uint16_t root, unsigned level,
		      uint64_t ia, uint64_t pa, enum nwv_store store);

static void link_frame(struct nwv_check *c, struct nwv_page *p,
		       enum nwv_store store)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	unsigned i;

	for (i = 0; i < NWV_FRAME_ENTRIES && !c->stopped; i++)
		if (nwv_is_valid(s, p->entry[i]) && nwv_page_is_inited(p, i))
			nwv_reach(c, p, i, p->entry[i], store);
}

static void link_page(struct nwv_check *c, uint16_t root, unsigned level,
		      uint64_t ia, uint64_t pa, enum nwv_store store)
{
	const struct nwv_shape *s = &c->root[root].shape;
	struct nwv_page *head = nwv_page_at_pa(c, pa), *p;
	unsigned f, frames = nwv_table_frames(s);

	judge_link(c, head, pa, level, ia, frames, store);
	if (!head || head->frames < frames ||
	    (head->life != NWV_UNPUBLISHED && !head->is_kept))
		return;
	for (f = 0; f < frames; f++) {
		p = nwv_page_frame(c, head, f);
		p->root = root;
		p->level = (uint8_t)level;
		p->ia = ia + ((uint64_t)f * NWV_FRAME_ENTRIES
			      << nwv_span_lg2(s, level));
		p->life = NWV_LINKED;
		p->is_kept = 0;
		p->since = nwv_mark_of(c->now);
	}
	for (f = 0; f < frames; f++)
		link_frame(c, nwv_page_frame(c, head, f), store);
}

/* Who looks at leaves that become reachable, or change. */
static void watch_leaf(struct nwv_check *c, struct nwv_page *p, unsigned index,
		       uint64_t value)
{
	if (value & NWV_RUN_BITS)
		nwv_run_touch(c, p, index, 0, value);
	if (c->watch_leaf & NWV_WATCH_RANGE)
		nwv_slot_leaf(c, p, index, value);
	if (c->watch_leaf & NWV_WATCH_OWNER)
		nwv_books_leaf(c, p, index, value);
}

void nwv_reach(struct nwv_check *c, struct nwv_page *p, unsigned index,
	       uint64_t value, enum nwv_store store)
{
	const struct nwv_root *r = &c->root[p->root];
	enum nwv_kind kind = nwv_kind(&r->shape, p->level, value);

	if (kind == NWV_LEAF && (c->watch_leaf || (value & NWV_RUN_BITS)))
		watch_leaf(c, p, index, value);
	if (kind == NWV_LEAF && is_like_last(r, p->level, value))
		return;
	judge_reach(c, p, index, value);
	if (kind == NWV_TABLE)
		link_page(c, p->root, p->level - 1u, nwv_entry_ia(c, p, index),
			  nwv_table_pa(&r->shape, value), store);
}

void nwv_root_close(struct nwv_check *c, uint16_t root)
{
	struct nwv_page *head = nwv_page_at_pa(c, c->root[root].pa), *p;
	const struct nwv_shape *s = &c->root[root].shape;
	struct nwv_facts f = {
		.on = NWV_ON_LINK,
		.event = c->now,
		.pa = head->pa,
		.level = head->level,
		.is_known_page = 1,
		.is_ordered = 1,
		.page_since = head->since,
	};
	uint64_t inited = 0;
	unsigned i;

	for (i = 0; (p = nwv_page_frame(c, head, i)); i++) {
		p->is_open = 0;
		inited += p->inited;
	}
	if (!c->root[root].is_known)
		return;
	f.is_complete =
		inited >=
		UINT64_C(1) << (s->ia_bits - nwv_span_lg2(s, s->levels - 1u));
	if (!f.is_complete)
		nwv_judge(c, &f);
	for (i = 0; (p = nwv_page_frame(c, head, i)); i++)
		link_frame(c, p, NWV_STORE_RELEASE);
}

/* ---- unlinking --------------------------------------------------------- */

void nwv_unlink_below(struct nwv_check *c, uint16_t root, uint64_t value,
		      uint32_t ob)
{
	const struct nwv_shape *s = &c->root[root].shape;
	struct nwv_page *head = nwv_page_at_pa(c, nwv_table_pa(s, value)), *p;
	unsigned f, i, frames = nwv_table_frames(s);

	for (f = 0; head && f < frames; f++) {
		p = nwv_page_frame(c, head, f);
		if (!p || p->life != NWV_LINKED || p->root != root)
			return;
		p->life = NWV_UNLINKED;
		p->is_kept = c->now && c->now->kind == NW_EV_ENTRY_LOCK;
		p->since = nwv_mark_of(c->now);
		p->unlink_ob = ob;
		p->unlink_gen = ob ? c->ob[ob].gen : 0;
		if (c->root[root].logs)
			nwv_log_dropped(c, p);
		if (!p->level)
			continue;
		for (i = 0; i < NWV_FRAME_ENTRIES; i++)
			if (nwv_kind(s, p->level, p->entry[i]) == NWV_TABLE)
				nwv_unlink_below(c, root, p->entry[i], ob);
	}
}

void nwv_unlink_for_good(struct nwv_check *c, struct nwv_page *head)
{
	const struct nwv_shape *s = &c->root[head->root].shape;
	struct nwv_page *p;
	unsigned f, i;

	for (f = 0; (p = nwv_page_frame(c, head, f)) && p->is_kept; f++) {
		p->is_kept = 0;
		for (i = 0; p->level && i < NWV_FRAME_ENTRIES; i++) {
			struct nwv_page *below = NULL;

			if (nwv_kind(s, p->level, p->entry[i]) == NWV_TABLE)
				below = nwv_page_at_pa(
					c, nwv_table_pa(s, p->entry[i]));
			if (below && below->root == head->root)
				nwv_unlink_for_good(c, below);
		}
	}
}

/* ---- looking into tables ----------------------------------------------- */

/* Entry `index` of the table page at `pa`; 0 when it is not known. */
static uint64_t table_entry(const struct nwv_check *c, uint64_t pa,
			    unsigned index)
{
	const struct nwv_page *p = nwv_page_at_pa(
		c, pa + (index / NWV_FRAME_ENTRIES << NWV_FRAME_LG2));

	return p ? p->entry[index % NWV_FRAME_ENTRIES] : 0;
}

int nwv_table_is_block(struct nwv_check *c, const struct nwv_shape *s,
		       unsigned level, uint64_t block, uint64_t table)
{
	uint64_t pa = nwv_table_pa(s, table);
	uint64_t plain = nwv_block_part(s, block, 0);
	unsigned i;

	for (i = 0; i < 1u << s->index_bits; i++) {
		uint64_t e = table_entry(c, pa, i);
		uint64_t part = nwv_block_part(
			s, plain, (uint64_t)i << nwv_span_lg2(s, level - 1));

		if (nwv_kind(s, level - 1, e) == NWV_TABLE) {
			if (!nwv_table_is_block(c, s, level - 1, part, e))
				return 0;
		} else if (!nwv_same_translation(s, level, plain, i, e)) {
			return 0;
		}
	}
	return 1;
}

uint64_t nwv_entry_below(const struct nwv_check *c, const struct nwv_shape *s,
			 unsigned from, uint64_t value, unsigned level,
			 uint64_t ia, unsigned *found)
{
	while (from > level && nwv_kind(s, from, value) == NWV_TABLE) {
		from--;
		value = table_entry(c, nwv_table_pa(s, value),
				    (unsigned)(ia >> nwv_span_lg2(s, from)) &
					    ((1u << s->index_bits) - 1));
	}
	*found = from;
	return value;
}
