/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses by a program: through a cached entry, or through a walk. */
#include "tlb.h"

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

/* One access: `ia` is the program's address. */
struct access {
	struct nwm_walk walk;
	uint64_t ia;
	const struct nwm_tlb_entry *list[NWM_TLB_MAX]; /* that match */
	unsigned n;
};

/* A guest's own tables lie between its addresses and those of a leaf. */
static uint64_t looked_up(const struct access *a, const struct nwm_tlb_entry *e)
{
	return e->kind == NWM_TLB_COMBINED ? a->ia : a->walk.ia;
}

static void find_matching(struct access *a)
{
	const struct nwm_walk *w = &a->walk;
	const struct nwm_cpu *c = &nwm_cpu[w->cpu];
	struct nwm_certain certain;

	a->n = 0;
	if (!w->root.valid)
		return;
	nwm_certain_walk(w->cpu, w->regime, &w->root, w->ia, &certain);
	for (unsigned i = 0; i < c->tlb_count; i++) {
		const struct nwm_tlb_entry *e = &c->tlb[i];
		uint64_t ia = looked_up(a, e);

		if (e->kind == NWM_TLB_WALK ||
		    !nwm_tlb_matches(e, w->regime, w->root.tag, ia))
			continue;
		/* Equal to what a walk must find: the walk stands for it,
		 * unless what lies behind has changed since. */
		if (certain.has_leaf && e->kind != NWM_TLB_INVALID &&
		    !data_written(e, ia) && e->out == certain.leaf.out &&
		    e->rights == certain.leaf.rights &&
		    e->attrs == certain.leaf.attrs &&
		    (e->kind == NWM_TLB_LEAF || !w->root.guest_offset))
			continue;
		a->list[a->n++] = e;
	}
}

static int is_mixed(const struct access *a)
{
	for (unsigned i = 1; i < a->n; i++)
		if (nwm_tlb_conflict(a->list[0], a->list[i]))
			return 1;
	return 0;
}

/*
 * Two entries of different size for one address, even with one translation:
 * FEAT_BBM level 2 says that nothing else goes wrong, not that there is no
 * abort. DDI 0487, "Support levels for changing block size".
 */
static int aborts(const struct access *a)
{
	const struct nwm_cpu *c = &nwm_cpu[a->walk.cpu];
	const struct nwm_tlb_entry *first = NULL;

	if (nwm_config.multihit != NWM_MAY_ABORT)
		return 0;
	for (unsigned i = 0; i < c->tlb_count; i++) {
		const struct nwm_tlb_entry *e = &c->tlb[i];

		if (e->kind != NWM_TLB_LEAF ||
		    !nwm_tlb_matches(e, a->walk.regime, a->walk.root.tag,
				     a->walk.ia))
			continue;
		if (first && first->span_lg2 != e->span_lg2 &&
		    nwm_choose(NWM_CHOOSE_OTHER, 2)) {
			nwm_report(
				NWM_CONFLICT,
				"CPU %u: address 0x%llx matches a TLB entry "
				"of %u KiB (cached at step %u) and one of %u "
				"KiB (step %u): the access takes a conflict "
				"abort",
				a->walk.cpu, (unsigned long long)a->ia,
				1u << (first->span_lg2 - 10), first->step,
				1u << (e->span_lg2 - 10), e->step);
			return 1;
		}
		if (!first)
			first = e;
	}
	return 0;
}

static void access_data(struct nwm_access_result *r, const struct nwm_walk *w,
			uint64_t value)
{
	unsigned page = nwm_pa_page(r->pa);
	unsigned loc;

	if (page == ~0u || nwm_page_state(page) == NWM_PAGE_NEW)
		return;
	loc = page * NWM_PAGE_WORDS + (unsigned)(r->pa >> 3 & 511);
	/* The access depends on its translation. */
	nwm_cpu_learn(w->cpu, &w->view);
	if (w->how != NWM_WRITE) {
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

/*
 * A cached entry that lacks the right, or the dirty state: the fault may be
 * taken from it, and be spurious (arm64 until it is invalidated; SDM volume 3,
 * "Optional Invalidation": the fault drops the entry). Or a walk comes first.
 */
static int faults_stale(struct access *a)
{
	struct nwm_cpu *c = &nwm_cpu[a->walk.cpu];
	const struct nwm_tlb_entry *e = &a->walk.leaf;
	struct nwm_desc d = nwm_desc_decode(a->walk.regime, e->level, e->value);
	unsigned kept = 0;

	/* Only the dirty state is missing: that is no fault. */
	if (rights_suffice(d.rights, a->walk.how) ||
	    (d.has_dbm && nwm_config.has_hd))
		return 0;
	if (!nwm_config.has_spurious || !nwm_choose(NWM_CHOOSE_OTHER, 2))
		return 0;
	if (nwm_config.arch != NWM_X86)
		return 1;
	for (unsigned i = 0; i < c->tlb_count; i++)
		if (!nwm_tlb_matches(&c->tlb[i], a->walk.regime,
				     a->walk.root.tag,
				     looked_up(a, &c->tlb[i])))
			c->tlb[kept++] = c->tlb[i];
	c->tlb_count = kept;
	return 1;
}

/* 1: a->walk.leaf is what a cached entry says. -1: it says that there is
 * nothing, or not enough. 0: walk. */
static int use_cached(struct access *a)
{
	struct nwm_walk *w = &a->walk;
	unsigned pick = a->n ? nwm_choose(NWM_CHOOSE_TLB, a->n + 1) : 0;

	if (!pick)
		return 0;
	w->leaf = *a->list[pick - 1];
	if (w->leaf.kind == NWM_TLB_INVALID)
		return -1;
	if (w->leaf.view)
		nwm_view_join(&w->view, nwm_view_kept(w->leaf.view));
	if (rights_suffice(w->leaf.rights, w->how))
		return 1;
	return faults_stale(a) ? -1 : 0;
}

struct nwm_access_result nwm_access(unsigned cpu, enum nw_regime regime,
				    uint64_t ia, enum nwm_access how,
				    uint64_t value)
{
	struct nwm_access_result r = {.outcome = NWM_DONE};
	struct access a = {.walk = {.cpu = cpu, .regime = regime, .how = how},
			   .ia = ia};
	struct nwm_walk *w = &a.walk;
	int cached;

	w->root = nwm_root_use(cpu, regime);
	w->ia = ia + w->root.guest_offset;
	find_matching(&a);
	if (is_mixed(&a)) {
		/* Reported when the second one was cached. */
		r.outcome = NWM_FAULT_CONFLICT;
		return r;
	}
	if (aborts(&a)) {
		r.outcome = NWM_FAULT_ABORT;
		return r;
	}
	cached = use_cached(&a);
	if (cached < 0) {
		r.outcome = w->leaf.kind == NWM_TLB_INVALID
				    ? NWM_FAULT_TRANSLATION
				    : NWM_FAULT_PERMISSION;
		return r;
	}
	if (!cached) {
		r.outcome = nwm_walk(w);
		if (r.outcome != NWM_DONE)
			return r;
	}
	if (!rights_suffice(w->leaf.rights, how)) {
		r.outcome = NWM_FAULT_PERMISSION;
		return r;
	}
	r.pa = w->leaf.out + (looked_up(&a, &w->leaf) - w->leaf.base);
	if (nwm_frame_check(cpu, &w->leaf, "is used"))
		return r;
	access_data(&r, w, value);
	return r;
}
