/* SPDX-License-Identifier: BSD-2-Clause */
/* Table pages, tables, frames and their owners. */
#include "local.h"
#include "track.h"

#include <stdio.h>

#define FRAME	   ((UINT64_C(1) << NWV_FRAME_LG2) - 1)
#define FRAMES_MAX (UINT64_C(1) << 24) /* of one ownership event */

static void malformed(struct nwv_check *c, const char *what, uint64_t value)
{
	nwv_stop(c, NWV_CHECK_MALFORMED, "seq %llu: %s (%#llx)",
		 (unsigned long long)c->now->seq, what,
		 (unsigned long long)value);
}

static void page_facts(const struct nwv_page *p, const struct nwv_event *e,
		       unsigned on, struct nwv_facts *f)
{
	*f = (struct nwv_facts){.on = on, .event = e, .pa = e->a};
	if (!p)
		return;
	f->is_known_page = 1;
	f->life = (enum nwv_life)p->life;
	f->page_since = p->since;
	f->level = p->level;
}

void nwv_step_alloc(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p;
	struct nwv_facts f;
	uint64_t offset;

	if (!e->b || (e->b & FRAME) || e->b > UINT64_C(1) << 24) {
		malformed(c,
			  "page_alloc: b is no multiple of 4096, or 0, or "
			  "beyond 16 MiB",
			  e->b);
		return;
	}
	if ((e->a & FRAME) || (e->c & FRAME)) {
		malformed(c, "page_alloc: address is not aligned",
			  e->a & FRAME ? e->a : e->c);
		return;
	}
	for (offset = 0; offset < e->b; offset += FRAME + 1) {
		p = nwv_page_at_pa(c, e->a + offset);
		if (!p || p->life == NWV_FREED)
			continue;
		page_facts(p, e, NWV_ON_ALLOC, &f);
		nwv_judge(c, &f);
		break;
	}
	(void)nwv_page_alloc(c, e->a, e->b, e->c);
}

void nwv_step_unlink(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = nwv_page_at_pa(c, e->a);
	struct nwv_facts f;

	if (!p) {
		malformed(c, "page_unlink of a page that is no table page",
			  e->a);
		return;
	}
	page_facts(p, e, NWV_ON_UNLINK, &f);
	nwv_judge(c, &f);
	nwv_unlink_for_good(c, p);
}

/* ---- freeing ----------------------------------------------------------- */

/* A section that was entered before the page was unlinked and is open. */
static struct nwv_mark older_section(const struct nwv_check *c, uint64_t seq)
{
	uint64_t left;

	for (left = c->cpus_seen; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		if (c->cpu[x].section_depth && c->cpu[x].section_seq < seq)
			return (struct nwv_mark){
				.seq = c->cpu[x].section_seq,
				.cpu = (uint16_t)x,
				.kind = NW_EV_SECTION_ENTER,
			};
	}
	return (struct nwv_mark){0};
}

void nwv_step_free(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = nwv_page_at_pa(c, e->a), *frame;
	struct nwv_facts f;
	unsigned i;

	page_facts(p, e, NWV_ON_FREE, &f);
	if (p && p->root && p->life == NWV_UNLINKED && !p->is_root) {
		f.reader = older_section(c, p->since.seq);
		f.needs_grace = c->root[p->root].has_readers &&
				(c->grace_seq <= p->since.seq || f.reader.kind);
		if (nwv_page_flush_owed(c, p) &&
		    !nwv_local_is_done(c, p->unlink_ob, e->cpu))
			nwv_facts_ob(c, p->unlink_ob, &f);
	}
	if (p && p->is_root && c->root[p->root].cpus_now) {
		f.is_installed = 1;
		c->root[p->root].cpus_now = 0;
	}
	nwv_judge(c, &f);
	if (!p)
		return;
	/* Reported once, for the whole subtree. */
	if (f.has_ob)
		nwv_ob_drop(c, p->unlink_ob);
	for (i = 0; (frame = nwv_page_frame(c, p, i)); i++) {
		if (c->logs)
			nwv_log_freed(c, frame);
		frame->life = NWV_FREED;
		frame->since = nwv_mark_of(e);
		frame->is_open = 0;
	}
}

/* ---- tables ------------------------------------------------------------ */

static struct nwv_root *root_new(struct nwv_check *c, const struct nwv_event *e)
{
	uint32_t n = c->roots + 1;

	if (n > NWV_ROOTS_MAX) {
		malformed(c, "table_init: too many tables in one trace", n);
		return NULL;
	}
	if (nwv_room(c, (void **)&c->root, &c->root_room, n, sizeof(*c->root)))
		return NULL;
	c->roots = n;
	c->root[n].pa = e->a;
	c->root[n].tag = (uint16_t)e->c;
	c->root[n].is_live = 1;
	c->root[n].mode = (uint8_t)(e->c >> 32);
	c->root[n].init = nwv_mark_of(e);
	return &c->root[n];
}

void nwv_step_table_init(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = nwv_page_at_pa(c, e->a), *frame;
	const char *why = NULL;
	struct nwv_root *r;
	unsigned i;

	if (!p || p->life != NWV_UNPUBLISHED || !p->frames) {
		malformed(c,
			  "table_init: its root is no fresh table page: a "
			  "page_alloc must come before",
			  e->a);
		return;
	}
	if ((e->c >> 16 & 0xffff) >= NWV_REGIMES) {
		malformed(c, "table_init: no such regime", e->c >> 16 & 0xffff);
		return;
	}
	r = root_new(c, e);
	if (!r)
		return;
	r->is_known = !nwv_shape_decode(e->b, (unsigned)(e->c >> 16 & 0xffff),
					(uint64_t)p->frames << NWV_FRAME_LG2,
					c->config.mair_el2, &r->shape, &why);
	if (!r->is_known && !c->unsupported[0])
		snprintf(c->unsupported, sizeof(c->unsupported),
			 "seq %llu: table_init: unsupported %s",
			 (unsigned long long)e->seq, why);
	if (r->is_known && nwv_is_local(&r->shape) &&
	    nwv_local_init(c, (uint16_t)c->roots))
		return;
	for (i = 0; (frame = nwv_page_frame(c, p, i)); i++) {
		frame->root = (uint16_t)c->roots;
		frame->is_root = frame->is_open = 1;
		frame->life = NWV_LINKED;
		frame->since = nwv_mark_of(e);
		if (!r->is_known)
			continue;
		frame->level = (uint8_t)(r->shape.levels - 1);
		frame->ia = (uint64_t)i * NWV_FRAME_ENTRIES
			    << nwv_span_lg2(&r->shape, frame->level);
	}
}

/* What still stands in a root that ends was never invalidated. */
static void forget_entries(struct nwv_check *c, struct nwv_page *p)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	unsigned i;
	uint32_t ob;

	for (i = 0; i < NWV_FRAME_ENTRIES && !c->stopped; i++) {
		if (!nwv_is_valid(s, p->entry[i]) || !nwv_page_is_inited(p, i))
			continue;
		ob = nwv_ob_arm(c, p, i, p->entry[i], 0);
		if (nwv_kind(s, p->level, p->entry[i]) == NWV_TABLE)
			nwv_unlink_below(c, p->root, p->entry[i], ob);
	}
}

void nwv_step_table_free(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = nwv_page_at_pa(c, e->a), *frame;
	unsigned i;

	if (!p || !p->is_root || !c->root[p->root].is_live) {
		malformed(c, "table_free: no such table", e->a);
		return;
	}
	if (c->root[p->root].logs)
		nwv_log_gone(c, p->root);
	c->root[p->root].is_live = 0;
	for (i = 0; (frame = nwv_page_frame(c, p, i)); i++) {
		if (c->root[p->root].is_known)
			forget_entries(c, frame);
		frame->life = NWV_UNLINKED;
		frame->since = nwv_mark_of(e);
		frame->is_open = 0;
	}
	/* All flushed: nobody inherits anything from this VMID. */
	i = nwv_map_get(&c->tag_use_by_tag, c->root[p->root].tag);
	if (i && c->tag_use[i].root == p->root && !c->root[p->root].pending)
		c->tag_use[i].is_flushed = 1;
}

static void judge_tag(struct nwv_check *c, const struct nwv_event *e,
		      uint16_t root)
{
	struct nwv_tag_use *use = nwv_tag_use_at(c, (uint16_t)e->b);
	struct nwv_facts f = {.on = NWV_ON_SWITCH, .event = e, .pa = e->a};

	if (!use)
		return;
	if (use->root && use->root != root && !use->is_flushed) {
		f.tag_is_stale = 1;
		f.tag_user = use->installed;
		nwv_judge(c, &f);
	}
	if (use->root == root && !use->is_flushed)
		return;
	use->root = root;
	use->installed = nwv_mark_of(e);
	use->is_flushed = 0;
}

void nwv_step_root_switch(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = nwv_page_at_pa(c, e->a);
	struct nwv_cpu *cpu = &c->cpu[e->cpu];
	uint64_t bit = UINT64_C(1) << e->cpu;
	struct nwv_root *r;
	uint16_t old, root;

	if (e->c >= NWV_REGIMES) {
		malformed(c, "root_switch: no such regime", e->c);
		return;
	}
	root = p && p->is_root && p->life == NWV_LINKED ? p->root : 0;
	old = cpu->installed[e->c];
	if (old)
		c->root[old].cpus_now &= ~bit;
	cpu->installed[e->c] = root;
	cpu->installed_tag[e->c] = (uint16_t)e->b;
	if (!root)
		return;
	r = &c->root[root];
	if (r->by_cpu)
		nwv_local_switch(c, e, root);
	r->cpus |= bit;
	r->cpus_now |= bit;
	if (r->tag != (uint16_t)e->b) {
		r->is_retagged = 1;
		r->tag = (uint16_t)e->b;
	}
	if (p->is_open)
		nwv_root_close(c, root);
	if (r->is_known && e->c == NW_REGIME_STAGE2)
		judge_tag(c, e, root);
}

/* ---- frames ------------------------------------------------------------ */

/* Whatever is still owed for these frames: one report, then taken as done. */
static void judge_frames(struct nwv_check *c, struct nwv_facts *f,
			 uint64_t bytes)
{
	uint32_t ob = nwv_ob_find_oa(c, f->pa, bytes);

	while (ob && nwv_local_is_done(c, ob, c->now->cpu))
		ob = nwv_ob_find_oa(c, f->pa, bytes);

	if (!ob)
		return;
	nwv_facts_ob(c, ob, f);
	nwv_judge(c, f);
	for (; ob; ob = nwv_ob_find_oa(c, f->pa, bytes))
		nwv_ob_drop(c, ob);
}

void nwv_step_frame_reuse(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_facts f = {.on = NWV_ON_REUSE, .event = e, .pa = e->a};

	judge_frames(c, &f, e->b);
}

void nwv_step_owner(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_facts f = {.on = NWV_ON_OWNER, .event = e, .pa = e->a};
	uint32_t from = (uint32_t)(e->c & 0xffff);
	uint32_t to = (uint32_t)(e->c >> 16 & 0xffff);
	uint64_t n, frames = e->b >> NWV_FRAME_LG2;
	uint32_t was;

	if ((e->a & FRAME) || (e->b & FRAME) || !e->b || frames > FRAMES_MAX) {
		malformed(c,
			  "owner: range is empty, not aligned to 4096, or "
			  "beyond 64 GiB",
			  e->b);
		return;
	}
	for (n = 0; n < frames && !c->stopped; n++) {
		uint64_t frame = (e->a >> NWV_FRAME_LG2) + n;

		was = nwv_map_get(&c->owner_by_frame, frame);
		if (was && was != from + 1 && !f.owner_differs) {
			f.owner_differs = 1;
			f.owner = was - 1;
			f.pa = frame << NWV_FRAME_LG2;
		}
		if (nwv_map_put(&c->owner_by_frame, frame, to + 1))
			nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	}
	if (f.owner_differs)
		nwv_judge(c, &f);
	f.owner_differs = 0;
	f.pa = e->a;
	judge_frames(c, &f, e->b);
}
