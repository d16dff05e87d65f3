/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table walks and accesses.
 *
 * A walk is one step, but what it caches of the upper levels lets a later walk
 * begin in the middle: that is how a walk that takes long appears here.
 */
#include "tlb.h"

#define DESC_VALID 1u
#define DESC_TYPE 2u
#define DESC_ADDRESS UINT64_C(0x0000fffffffff000)

struct nwm_desc nwm_desc_decode(enum nw_regime regime, unsigned level,
				uint64_t value)
{
	struct nwm_desc d = {.kind = NWM_DESC_INVALID};

	if (!(value & DESC_VALID))
		return d;
	if (level && (value & DESC_TYPE)) {
		d.kind = NWM_DESC_TABLE;
		d.out = value & DESC_ADDRESS;
		return d;
	}
	if (!level && !(value & DESC_TYPE))
		return d; /* reserved: a fault */
	d.kind = NWM_DESC_LEAF;
	d.out = value & DESC_ADDRESS &
		~((UINT64_C(1) << (12 + 9 * level)) - 1);
	d.has_af = !!(value & NWM_DESC_AF);
	d.has_dbm = !!(value & NWM_DESC_DBM);
	if (regime == NW_REGIME_STAGE2) {
		d.rights = (uint8_t)(value >> 6 & 3);
		d.attrs = (uint8_t)((value >> 2 & 0xf) | (value >> 8 & 3) << 4);
	} else {
		d.rights = value & NWM_DESC_S1_RO ? NWM_R : NWM_R | NWM_W;
		d.attrs = (uint8_t)((value >> 2 & 7) | (value >> 8 & 3) << 4);
	}
	if (!(value >> 54 & 1))
		d.rights |= NWM_X;
	return d;
}

uint64_t nwm_desc_dirty(enum nw_regime regime, uint64_t value)
{
	return regime == NW_REGIME_STAGE2 ? value | NWM_DESC_S2_W :
					    value & ~NWM_DESC_S1_RO;
}

struct walk {
	unsigned cpu;
	enum nw_regime regime;
	uint64_t ia;
	enum nwm_access how;
	unsigned tag;
	unsigned level;
	uint64_t table;
	uint64_t doomed;
	struct nwm_view view; /* what this walk must see, and has learned */
	struct nwm_tlb_entry leaf;
};

/*
 * What a walk from the root must find, as far as the walker has no choice.
 * A cached entry that says the same adds nothing to it: a walk that begins
 * there ends as one from the root, and caches no more.
 */
struct certain {
	unsigned down_to; /* table[level] is certain for level >= down_to */
	int has_leaf;
	struct nwm_desc leaf;
	uint64_t table[5];
};

static void certain_walk(unsigned cpu, enum nw_regime regime, uint64_t ia,
			 struct certain *c)
{
	const struct nwm_root *root = &nwm_cpu[cpu].root[regime];
	const struct nwm_view *view = &nwm_cpu[cpu].walker;
	unsigned level = root->levels - 1u;

	c->has_leaf = 0;
	c->down_to = level;
	c->table[level] = root->pa;
	for (;;) {
		unsigned lg2 = 12 + 9 * level;
		unsigned index = (unsigned)(ia >> lg2) & (NWM_PAGE_WORDS - 1);
		unsigned page = nwm_pa_page(c->table[level]);
		const struct nwm_msg *m;
		unsigned loc;

		/* Concatenated roots are left to the walk itself. */
		if (page == ~0u || root->ia_bits > 12 + 9u * root->levels ||
		    nwm_page_state(page) == NWM_PAGE_FREED)
			return;
		loc = page * NWM_PAGE_WORDS + index;
		if (nwm_visible(view, loc) > 1)
			return;
		c->leaf = nwm_desc_decode(regime, level,
					  nwm_visible_at(loc, 0, &m));
		if (c->leaf.kind == NWM_DESC_LEAF && c->leaf.has_af)
			c->has_leaf = 1;
		if (c->leaf.kind != NWM_DESC_TABLE)
			return;
		c->table[--level] = c->leaf.out;
		c->down_to = level;
	}
}

/* The root, or what a walk cache offers. 0: the MMU has no root. */
static int walk_start(struct walk *w)
{
	struct certain certain;
	const struct nwm_cpu *c = &nwm_cpu[w->cpu];
	const struct nwm_root *root = &c->root[w->regime];
	const struct nwm_tlb_entry *from[NWM_TLB_MAX];
	unsigned n = 0, pick = 0;

	if (!root->valid)
		return 0;
	w->tag = root->tag;
	certain_walk(w->cpu, w->regime, w->ia, &certain);
	for (unsigned i = 0; i < c->tlb_count; i++) {
		const struct nwm_tlb_entry *e = &c->tlb[i];

		if (e->kind != NWM_TLB_WALK ||
		    !nwm_tlb_matches(e, w->regime, w->tag, w->ia))
			continue;
		if (e->level - 1u >= certain.down_to &&
		    e->out == certain.table[e->level - 1])
			continue;
		from[n++] = e;
	}
	if (n)
		pick = nwm_choose(NWM_CHOOSE_WALK_START, n + 1);
	w->view = c->walker;
	if (!pick) {
		w->level = root->levels - 1u;
		w->table = root->pa;
		w->doomed = 0;
		return 1;
	}
	w->level = from[pick - 1]->level - 1u;
	w->table = from[pick - 1]->out;
	w->doomed = from[pick - 1]->doomed;
	if (from[pick - 1]->view)
		nwm_view_join(&w->view, nwm_view_kept(from[pick - 1]->view));
	return 1;
}

static unsigned walk_location(const struct walk *w)
{
	const struct nwm_root *root = &nwm_cpu[w->cpu].root[w->regime];
	unsigned lg2 = 12 + 9 * w->level;
	uint64_t index = w->ia >> lg2;
	unsigned page = nwm_pa_page(w->table);

	if (w->level == root->levels - 1u)
		index &= (UINT64_C(1) << (root->ia_bits - lg2)) - 1;
	else
		index &= NWM_PAGE_WORDS - 1;
	if (page == ~0u)
		return ~0u;
	if (!(nwm_page_cpus(page) >> w->cpu & 1))
		nwm_report(NWM_PROTOCOL, "table page 0x%llx is said to be out "
			   "of reach for CPU %u, but is not",
			   (unsigned long long)w->table, w->cpu);
	if (nwm_page_state(page) == NWM_PAGE_FREED)
		nwm_report(NWM_TABLE_FREED,
			   "CPU %u's walker reads table page 0x%llx, which was "
			   "freed",
			   w->cpu, (unsigned long long)w->table);
	return page * NWM_PAGE_WORDS + (unsigned)index;
}

/* An invalidation that covers what a walk began from also covers what the
 * walk made of it, if that is of a kind it drops at all. */
static uint64_t inherited(const struct walk *w, enum nwm_tlb_kind kind)
{
	return kind == NWM_TLB_COMBINED ? w->doomed & nwm_tlbi_combined :
					  w->doomed;
}

static void cache_table(const struct walk *w, const struct nwm_desc *d,
			unsigned loc, uint64_t value)
{
	unsigned lg2 = 12 + 9 * w->level;
	struct nwm_tlb_entry e = {
		.base = w->ia & ~((UINT64_C(1) << lg2) - 1),
		.out = d->out,
		.value = value,
		.doomed = inherited(w, NWM_TLB_WALK),
		.loc = loc,
		.view = nwm_view_keep(&w->view),
		.tag = (uint16_t)w->tag,
		.span_lg2 = (uint8_t)lg2,
		.kind = NWM_TLB_WALK,
		.regime = (uint8_t)w->regime,
		.level = (uint8_t)w->level,
	};

	nwm_tlb_fill(w->cpu, &e);
}

/*
 * Hardware management of accessed and dirty state: an atomic update of the
 * newest value, or, when what the walk read is no longer that, another look.
 * DDI 0487, "Hardware management of the Access flag and dirty state".
 */
static uint64_t hardware_update(const struct walk *w, unsigned loc,
				uint64_t value, struct nwm_desc *d)
{
	uint64_t updated = value;

	if (!d->has_af && nwm_config.has_haf)
		updated |= NWM_DESC_AF;
	if (w->how == NWM_WRITE && d->has_dbm && nwm_config.has_hd &&
	    !(d->rights & NWM_W))
		updated = nwm_desc_dirty(w->regime, updated);
	if (updated == value)
		return value;
	if (nwm_newest(loc) != value)
		return 0;
	nwm_walker_rmw(w->cpu, loc, updated);
	*d = nwm_desc_decode(w->regime, w->level, updated);
	return updated;
}

static enum nwm_outcome walk_leaf(struct walk *w, struct nwm_desc *d,
				  unsigned loc, uint64_t value)
{
	unsigned lg2 = 12 + 9 * w->level;

	value = hardware_update(w, loc, value, d);
	if (!value)
		return NWM_FAULT_TRANSLATION; /* changed meanwhile: spurious */
	if (!d->has_af)
		return NWM_FAULT_ACCESS_FLAG;
	w->leaf = (struct nwm_tlb_entry){
		.base = w->ia & ~((UINT64_C(1) << lg2) - 1),
		.out = d->out,
		.value = value,
		.doomed = inherited(w, NWM_TLB_LEAF),
		.loc = loc,
		.view = nwm_view_keep(&w->view),
		.step = nwm_step,
		.tag = (uint16_t)w->tag,
		.span_lg2 = (uint8_t)lg2,
		.kind = NWM_TLB_LEAF,
		.regime = (uint8_t)w->regime,
		.rights = d->rights,
		.level = (uint8_t)w->level,
		.attrs = d->attrs,
	};
	nwm_tlb_fill(w->cpu, &w->leaf);
	if (w->regime == NW_REGIME_STAGE2) {
		struct nwm_tlb_entry both = w->leaf;

		both.kind = NWM_TLB_COMBINED;
		both.doomed = w->leaf.doomed & nwm_tlbi_combined;
		nwm_tlb_fill(w->cpu, &both);
	}
	return NWM_DONE;
}

static enum nwm_outcome walk(struct walk *w)
{
	if (!walk_start(w))
		return NWM_FAULT_TRANSLATION;
	for (;;) {
		unsigned loc = walk_location(w);
		const struct nwm_msg *m;
		struct nwm_desc d;
		unsigned n, back = 0;
		uint64_t value;

		if (loc == ~0u)
			return NWM_FAULT_TRANSLATION;
		n = nwm_visible(&w->view, loc);
		if (n > 1)
			back = nwm_choose(NWM_CHOOSE_STALE, n);
		value = nwm_visible_at(loc, back, &m);
		if (nwm_msg_view(m))
			nwm_view_join(&w->view, nwm_msg_view(m));
		d = nwm_desc_decode(w->regime, w->level, value);
		if (d.kind == NWM_DESC_INVALID)
			return NWM_FAULT_TRANSLATION;
		if (d.kind == NWM_DESC_LEAF)
			return walk_leaf(w, &d, loc, value);
		cache_table(w, &d, loc, value);
		w->table = d.out;
		w->level--;
	}
}

/*
 * A cached stage-2 leaf lets hardware make a new combined entry without a
 * walk: the reason why both rounds of an invalidation need a barrier between.
 */
static void combine_cached(unsigned cpu, uint64_t ia)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];
	unsigned tag = c->root[NW_REGIME_STAGE2].tag;

	for (unsigned i = 0; i < c->tlb_count; i++) {
		struct nwm_tlb_entry e = c->tlb[i];

		if (e.kind != NWM_TLB_LEAF ||
		    !nwm_tlb_matches(&e, NW_REGIME_STAGE2, tag, ia))
			continue;
		e.kind = NWM_TLB_COMBINED;
		e.doomed &= nwm_tlbi_combined;
		nwm_tlb_fill(cpu, &e);
	}
}

void nwm_walk_speculative(unsigned cpu, enum nw_regime regime, uint64_t ia)
{
	struct walk w = {
		.cpu = cpu, .regime = regime, .ia = ia, .how = NWM_SPECULATIVE};

	if (regime == NW_REGIME_STAGE2)
		combine_cached(cpu, ia);
	(void)walk(&w);
}

/* ---- accesses ---------------------------------------------------------- */

/* Was the word that an access would reach written in this execution? */
static int data_written(const struct nwm_tlb_entry *e, uint64_t ia)
{
	uint64_t pa = e->out + (ia - e->base);
	unsigned page = nwm_pa_page(pa), rec;

	if (page == ~0u)
		return 0;
	rec = nwm_rec_find(page * NWM_PAGE_WORDS + (unsigned)(pa >> 3 & 511));
	return rec != ~0u && nwm_rec_writes(rec);
}

static unsigned matching(unsigned cpu, enum nw_regime regime, uint64_t ia,
			 const struct nwm_tlb_entry **list)
{
	const struct nwm_cpu *c = &nwm_cpu[cpu];
	struct certain certain;
	unsigned n = 0;

	certain_walk(cpu, regime, ia, &certain);
	for (unsigned i = 0; i < c->tlb_count; i++) {
		const struct nwm_tlb_entry *e = &c->tlb[i];

		if (e->kind == NWM_TLB_WALK ||
		    !nwm_tlb_matches(e, regime, c->root[regime].tag, ia))
			continue;
		/* Equal to what a walk must find: the walk stands for it,
		 * unless what lies behind has changed since. */
		if (certain.has_leaf && !data_written(e, ia) &&
		    e->out == certain.leaf.out &&
		    e->rights == certain.leaf.rights &&
		    e->attrs == certain.leaf.attrs)
			continue;
		list[n++] = e;
	}
	return n;
}

static int mixed(const struct nwm_tlb_entry **list, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (nwm_tlb_conflict(list[0], list[i]))
			return 1;
	return 0;
}

static void access_data(struct nwm_access_result *r, const struct walk *w,
			enum nwm_access how, uint64_t value)
{
	unsigned page = nwm_pa_page(r->pa);
	unsigned loc;

	if (page == ~0u || nwm_page_state(page) == NWM_PAGE_NEW)
		return;
	loc = page * NWM_PAGE_WORDS + (unsigned)(r->pa >> 3 & 511);
	/* The access depends on its translation. */
	nwm_cpu_learn(w->cpu, &w->view);
	if (how != NWM_WRITE) {
		r->value = nwm_load(w->cpu, loc, NWM_RELAXED);
		return;
	}
	nwm_store(w->cpu, loc, value, NWM_RELAXED);
	nwm_newest_into(loc, &nwm_cpu[w->cpu].done);
}

static int rights_suffice(unsigned rights, enum nwm_access how)
{
	return rights & (how == NWM_WRITE ? NWM_W : NWM_R);
}

struct nwm_access_result nwm_access(unsigned cpu, enum nw_regime regime,
				    uint64_t ia, enum nwm_access how,
				    uint64_t value)
{
	const struct nwm_tlb_entry *list[NWM_TLB_MAX];
	unsigned n = matching(cpu, regime, ia, list);
	struct nwm_access_result r = {.outcome = NWM_DONE};
	struct walk w = {.cpu = cpu, .regime = regime, .ia = ia, .how = how};
	unsigned pick;

	if (mixed(list, n)) {
		/* Reported when the second one was cached. */
		r.outcome = NWM_FAULT_CONFLICT;
		return r;
	}
	pick = n ? nwm_choose(NWM_CHOOSE_TLB, n + 1) : 0;
	if (pick) {
		w.leaf = *list[pick - 1];
		if (w.leaf.view)
			nwm_view_join(&w.view, nwm_view_kept(w.leaf.view));
		/* A cached entry that lacks the right, or the dirty state, is
		 * looked up again before a fault is taken. */
		if (!rights_suffice(w.leaf.rights, how))
			pick = 0;
	}
	if (!pick) {
		r.outcome = walk(&w);
		if (r.outcome != NWM_DONE)
			return r;
	}
	if (!rights_suffice(w.leaf.rights, how)) {
		r.outcome = NWM_FAULT_PERMISSION;
		return r;
	}
	r.pa = w.leaf.out + (ia - w.leaf.base);
	if (nwm_frame_check(cpu, &w.leaf, "is used"))
		return r;
	access_data(&r, &w, how, value);
	return r;
}
