/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table walks.
 *
 * A walk is one step, but what it caches of the upper levels lets a later walk
 * begin in the middle: that is how a walk that takes long appears here.
 */
#include "tlb.h"

/* What the walker of `cpu` must see now; may stand in *room. */
static const struct nwm_view *walker_view(unsigned cpu, struct nwm_view *room)
{
	const struct nwm_view *view = &nwm_cpu[cpu].walker;
	uint32_t own;

	if (!nwm_is_tso(&nwm_config))
		return view;
	/* x86: memory as it is for this CPU, without its store buffer. */
	own = nwm_cpu_view(cpu)->pos;
	*room = *view;
	if (room->pos < own)
		room->pos = own;
	return room;
}

void nwm_certain_walk(unsigned cpu, enum nw_regime regime,
		      const struct nwm_root *root, uint64_t ia,
		      struct nwm_certain *c)
{
	unsigned level = root->levels - 1u;
	struct nwm_view room;
	const struct nwm_view *view = walker_view(cpu, &room);

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
static int walk_start(struct nwm_walk *w)
{
	struct nwm_certain certain;
	const struct nwm_cpu *c = &nwm_cpu[w->cpu];
	const struct nwm_tlb_entry *from[NWM_TLB_MAX];
	unsigned n = 0, pick = 0;
	struct nwm_view room;

	if (!w->root.valid)
		return 0;
	nwm_certain_walk(w->cpu, w->regime, &w->root, w->ia, &certain);
	for (unsigned i = 0; i < c->tlb_count; i++) {
		const struct nwm_tlb_entry *e = &c->tlb[i];

		if (e->kind != NWM_TLB_WALK ||
		    !nwm_tlb_matches(e, w->regime, w->root.tag, w->ia))
			continue;
		if (e->level - 1u >= certain.down_to &&
		    e->out == certain.table[e->level - 1])
			continue;
		from[n++] = e;
	}
	if (n)
		pick = nwm_choose(NWM_CHOOSE_WALK_START, n + 1);
	w->view = *walker_view(w->cpu, &room);
	if (!pick) {
		w->level = w->root.levels - 1u;
		w->table = w->root.pa;
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

static unsigned walk_location(const struct nwm_walk *w)
{
	const struct nwm_root *root = &w->root;
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
static uint64_t inherited(const struct nwm_walk *w, enum nwm_tlb_kind kind)
{
	return kind == NWM_TLB_COMBINED ? w->doomed & nwm_tlbi_combined :
					  w->doomed;
}

static void cache_table(const struct nwm_walk *w, const struct nwm_desc *d,
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
		.tag = w->root.tag,
		.span_lg2 = (uint8_t)lg2,
		.kind = NWM_TLB_WALK,
		.regime = (uint8_t)w->regime,
		.level = (uint8_t)w->level,
	};

	nwm_tlb_fill(w->cpu, &e);
}

/* ---- leaves ------------------------------------------------------------ */

/* The first member of the contiguous run that the entry at `loc` is in. */
static unsigned run_first(const struct nwm_desc *d, unsigned loc)
{
	return loc & ~((1u << d->run_lg2) - 1);
}

static int is_run(const struct nwm_desc *d)
{
	return d->run_lg2 && nwm_config.has_runs;
}

/*
 * Hardware may record accessed and dirty state in any member of a contiguous
 * run: here in the one walked or its neighbour, if that is a valid member.
 * DDI 0487, "The Contiguous bit"; RISC-V, "Svnapot".
 */
static unsigned member_to_update(const struct nwm_walk *w,
				 const struct nwm_desc *d, unsigned loc)
{
	struct nwm_desc other;

	if (!is_run(d) || !nwm_choose(NWM_CHOOSE_OTHER, 2))
		return loc;
	other = nwm_desc_decode(w->regime, w->level, nwm_newest(loc ^ 1));
	return other.kind == NWM_DESC_LEAF && other.run_lg2 ? loc ^ 1 : loc;
}

/*
 * Hardware management of accessed and dirty state: an atomic update of the
 * newest value. 0: what the walk read is no longer that; it looks again.
 * DDI 0487, "Hardware management of the Access flag and dirty state"; SDM
 * volume 3, "Accessed and Dirty Flags"; RISC-V, "Svadu".
 */
static int hardware_update(struct nwm_walk *w, unsigned loc, uint64_t value,
			   struct nwm_desc *d)
{
	int is_write = w->how == NWM_WRITE;
	struct nwm_desc other = *d;
	uint64_t old = value, updated;
	unsigned at;

	if (nwm_desc_update(w->regime, d, value, is_write) == value)
		return 1;
	at = member_to_update(w, d, loc);
	if (at != loc) {
		old = nwm_newest(at);
		other = nwm_desc_decode(w->regime, w->level, old);
	} else if (nwm_newest(loc) != value) {
		return 0;
	}
	updated = nwm_desc_update(w->regime, &other, old, is_write);
	other = nwm_desc_decode(w->regime, w->level, updated);
	/* The other member may not be written, nor marked: nothing is recorded
	 * of this write, so it is not done. */
	if (at != loc && is_write && (other.is_clean || !(other.rights & NWM_W)))
		return 0;
	if (updated != old) {
		nwm_walker_rmw(w->cpu, at, updated);
		nwm_updated(w->cpu, at, old, updated);
		/* A locked access: x86 has it in memory before it goes on. */
		if (nwm_is_tso(&nwm_config))
			nwm_newest_into(at, &w->view);
	}
	updated = nwm_desc_update(w->regime, d, value, is_write);
	*d = nwm_desc_decode(w->regime, w->level, updated);
	return 1;
}

/*
 * What the TLB keeps of a leaf: the entry that was walked, or the whole run,
 * made from that one member whatever the others say.
 */
static void leaf_entry(struct nwm_walk *w, const struct nwm_desc *d,
		       unsigned loc, uint64_t value)
{
	unsigned lg2 = 12 + 9 * w->level;
	unsigned span_lg2 = lg2;
	uint64_t base, out = d->out;

	if (d->is_napot)
		out |= w->ia & (((UINT64_C(1) << d->run_lg2) - 1) << lg2);
	if (is_run(d) && nwm_choose(NWM_CHOOSE_OTHER, 2))
		span_lg2 += d->run_lg2;
	base = w->ia & ~((UINT64_C(1) << span_lg2) - 1);
	out -= (w->ia & ~((UINT64_C(1) << lg2) - 1)) - base;
	w->leaf = (struct nwm_tlb_entry){
		.base = base,
		.out = out,
		.value = value,
		.doomed = inherited(w, NWM_TLB_LEAF),
		.loc = loc,
		.view = nwm_view_keep(&w->view),
		.step = nwm_step,
		.tag = w->root.tag,
		.span_lg2 = (uint8_t)span_lg2,
		.kind = NWM_TLB_LEAF,
		.regime = (uint8_t)w->regime,
		/* The next write must come here again to set the flag. */
		.rights = d->is_clean ? d->rights & (uint8_t)~NWM_W :
					d->rights,
		.level = (uint8_t)w->level,
		.attrs = d->attrs,
		.is_run = d->run_lg2 != 0,
	};
}

/* A valid member that says otherwise than the entry made of another. */
static void run_check(const struct nwm_walk *w, const struct nwm_desc *d,
		      unsigned loc)
{
	const struct nwm_tlb_entry *e = &w->leaf;
	unsigned lg2 = 12 + 9 * w->level, first = run_first(d, loc);

	for (unsigned i = 0; i < 1u << d->run_lg2; i++) {
		uint64_t out = e->out + ((uint64_t)i << lg2);
		struct nwm_desc m = nwm_desc_decode(w->regime, w->level,
						    nwm_newest(first + i));

		if (m.is_napot)
			m.out |= (uint64_t)i << lg2;
		if (m.kind != NWM_DESC_LEAF ||
		    (m.out == out && m.attrs == e->attrs &&
		     (m.run_lg2 || nwm_config.bbm_level >= 1)))
			continue;
		nwm_report(NWM_AMALGAM,
			   "CPU %u: the members of the contiguous run at 0x%llx "
			   "disagree: the TLB has one entry for all of it, made "
			   "from member %u (this address -> 0x%llx), but member "
			   "%u says 0x%llx%s. An access may use an arbitrary "
			   "one of them",
			   w->cpu, (unsigned long long)e->base, loc - first,
			   (unsigned long long)out, i,
			   (unsigned long long)m.out,
			   m.run_lg2 ? "" : " and is not contiguous");
		return;
	}
}

/* Both stages in one. With tables of the guest's own it is the guest's address
 * that is looked up, and its tables are made of pages. */
static void combine(unsigned cpu, const struct nwm_tlb_entry *leaf,
		    const struct nwm_root *root, uint64_t ia)
{
	struct nwm_tlb_entry e = *leaf;

	e.kind = NWM_TLB_COMBINED;
	e.doomed &= nwm_tlbi_combined;
	if (root->guest_offset) {
		uint64_t page = ia & ~UINT64_C(0xfff);

		e.out += page - e.base;
		e.base = page - root->guest_offset;
		e.span_lg2 = 12;
	}
	nwm_tlb_fill(cpu, &e);
}

static enum nwm_outcome walk_leaf(struct nwm_walk *w, struct nwm_desc *d,
				  unsigned loc, uint64_t value)
{
	if (!d->has_af)
		return NWM_FAULT_ACCESS_FLAG;
	leaf_entry(w, d, loc, value);
	nwm_tlb_fill(w->cpu, &w->leaf);
	if (w->leaf.span_lg2 > 12 + 9 * w->level)
		run_check(w, d, loc);
	if (nwm_regime_has_stage1(w->regime))
		combine(w->cpu, &w->leaf, &w->root, w->ia);
	return NWM_DONE;
}

/* ---- walks ------------------------------------------------------------- */

/* RISC-V without Svvptc: that nothing is there may be cached as well. */
static void cache_invalid(const struct nwm_walk *w, unsigned loc)
{
	unsigned lg2 = 12 + 9 * w->level;
	struct nwm_tlb_entry e = {
		.base = w->ia & ~((UINT64_C(1) << lg2) - 1),
		.loc = loc,
		.tag = w->root.tag,
		.span_lg2 = (uint8_t)lg2,
		.kind = NWM_TLB_INVALID,
		.regime = (uint8_t)w->regime,
		.level = (uint8_t)w->level,
	};

	if (nwm_config.arch == NWM_RISCV && !nwm_config.has_svvptc)
		nwm_tlb_fill(w->cpu, &e);
}

/*
 * A walk for an instruction may have been made before the CPU's own latest DSB
 * as long as no ISB stands between; what it found counts if that was nothing:
 * anything else would be in the TLB. DDI 0487, "Ordering of translation table
 * walks" and FEAT_ETS2.
 */
static int faults_early(const struct nwm_walk *w, unsigned loc, unsigned now)
{
	const struct nwm_cpu *c = &nwm_cpu[w->cpu];
	unsigned then;

	if (w->how == NWM_SPECULATIVE || !c->is_unsynced)
		return 0;
	then = nwm_visible(&c->synced, loc);
	for (unsigned back = now; back < then; back++) {
		const struct nwm_msg *m;
		uint64_t value = nwm_visible_at(loc, back, &m);

		if (nwm_desc_decode(w->regime, w->level, value).kind ==
		    NWM_DESC_INVALID)
			return nwm_choose(NWM_CHOOSE_OTHER, 2) != 0;
	}
	return 0;
}

enum nwm_outcome nwm_walk(struct nwm_walk *w)
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
		nwm_view_walked(&w->view, m);
		d = nwm_desc_decode(w->regime, w->level, value);
		if (d.kind == NWM_DESC_INVALID)
			cache_invalid(w, loc);
		if (d.kind == NWM_DESC_INVALID || faults_early(w, loc, n))
			return NWM_FAULT_TRANSLATION;
		if (d.kind == NWM_DESC_TABLE) {
			cache_table(w, &d, loc, value);
			w->table = d.out;
			w->level--;
			continue;
		}
		if (hardware_update(w, loc, value, &d))
			return walk_leaf(w, &d, loc, value);
		/* Changed meanwhile. arm64 may fault: spurious. */
		if (nwm_config.arch == NWM_ARM64)
			return NWM_FAULT_TRANSLATION;
		nwm_newest_into(loc, &w->view);
	}
}

/*
 * A cached stage-2 leaf lets hardware make a new combined entry without a
 * walk: the reason why both rounds of an invalidation need a barrier between.
 */
static void combine_cached(unsigned cpu, enum nw_regime regime,
			   const struct nwm_root *root, uint64_t ia)
{
	struct nwm_cpu *c = &nwm_cpu[cpu];

	for (unsigned i = 0; i < c->tlb_count; i++) {
		struct nwm_tlb_entry e = c->tlb[i];

		if (e.kind == NWM_TLB_LEAF &&
		    nwm_tlb_matches(&e, regime, root->tag, ia))
			combine(cpu, &e, root, ia);
	}
}

void nwm_walk_speculative(unsigned cpu, enum nw_regime regime, uint64_t ia)
{
	struct nwm_walk w = {
		.cpu = cpu, .regime = regime, .how = NWM_SPECULATIVE};

	w.root = nwm_root_use(cpu, regime);
	w.ia = ia + w.root.guest_offset;
	if (nwm_regime_has_stage1(regime))
		combine_cached(cpu, regime, &w.root, w.ia);
	(void)nwm_walk(&w);
}
