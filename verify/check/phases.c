/* SPDX-License-Identifier: BSD-2-Clause */
/* What moves an obligation on: barriers and invalidations. */
#include "obligation_lists.h"

static const unsigned all_levels = (1u << NW_LEVELS_MAX) - 1;

/* ---- subtrees ---------------------------------------------------------- */

static void expand_entry(struct nwv_check *c, const struct nwv_ob *top,
			 uint32_t group, const struct nwv_page *p,
			 unsigned index);

/* `pa` is a detached table page at `level`, under the obligation `top`. */
static void expand_page(struct nwv_check *c, const struct nwv_ob *top,
			uint32_t group, uint64_t pa)
{
	struct nwv_page *head = nwv_page_at_pa(c, pa), *p;
	unsigned frames = nwv_table_frames(&c->root[top->root].shape);
	unsigned f, i;

	for (f = 0; head && f < frames; f++) {
		p = nwv_page_frame(c, head, f);
		if (!p || p->life != NWV_UNLINKED || p->root != top->root)
			return;
		for (i = 0; i < NWV_FRAME_ENTRIES && !c->stopped; i++)
			if (p->entry[i] & 1)
				expand_entry(c, top, group, p, i);
	}
}

static void note_unlink(struct nwv_check *c, uint64_t pa, uint32_t n,
			unsigned frames)
{
	struct nwv_page *head = nwv_page_at_pa(c, pa), *p;
	unsigned f;

	for (f = 0; head && f < frames; f++) {
		p = nwv_page_frame(c, head, f);
		if (!p)
			return;
		p->unlink_ob = n;
		p->unlink_gen = c->ob[n].gen;
	}
}

static void expand_entry(struct nwv_check *c, const struct nwv_ob *top,
			 uint32_t group, const struct nwv_page *p,
			 unsigned index)
{
	const struct nwv_shape *s = &c->root[top->root].shape;
	uint64_t e = p->entry[index], ia = nwv_entry_ia(c, p, index);
	enum nwv_kind kind = nwv_kind(s, p->level, e);
	struct nwv_ob o = *top;
	struct nwv_leaf leaf;
	uint32_t n;

	if (kind != NWV_LEAF && kind != NWV_TABLE)
		return;
	if (kind == NWV_LEAF) {
		nwv_leaf_decode(s, p->level, e, &leaf);
		if (!leaf.has_access_flag && !(s->features & NW_FEAT_HAF))
			return; /* no TLB holds it; see nwv_may_be_cached() */
		o.oa = leaf.pa;
	} else {
		o.oa = nwv_table_pa(s, e);
	}
	if (nwv_ob_at(c, top->root, p->level, ia))
		nwv_ob_drop(c, nwv_ob_at(c, top->root, p->level, ia));
	o.ia = ia;
	o.before = e;
	o.level = p->level;
	o.is_table = kind == NWV_TABLE;
	n = nwv_ob_new(c, &o, group);
	if (!n || kind != NWV_TABLE)
		return;
	note_unlink(c, o.oa, n, nwv_table_frames(s));
	expand_page(c, top, group, o.oa);
}

void nwv_ob_expand(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob top;

	c->ob[n].flags &= (uint8_t)~NWV_OB_SUBTREE;
	c->subtrees--;
	nwv_ob_get(c, n, &top);
	expand_page(c, &top, c->ob[n].group, top.oa);
}

/* ---- invalidations ----------------------------------------------------- */

struct tlbi_job {
	const struct nwv_inval *inval;
	uint64_t seq;
	unsigned cpu;
	uint16_t tag;
	int met; /* an obligation lies in the range */
};

static int tag_fits(const struct tlbi_job *job, uint16_t tag)
{
	return job->inval->is_all_tags ||
	       job->inval->regime != NW_REGIME_STAGE2 || job->tag == tag;
}

static struct nwv_near near_of(const struct tlbi_job *job, enum nwv_why why,
			       uint32_t got, uint32_t want)
{
	return (struct nwv_near){
		.seq = job->seq,
		.got = got,
		.want = want,
		.why = (uint8_t)why,
		.is_tlbi = 1,
		.op = job->inval->op,
	};
}

/* Why this invalidation does not serve this obligation; NWV_WHY_NONE: it does,
 * or there is nothing more to serve. */
static enum nwv_why refusal(const struct nwv_check *c,
			    const struct tlbi_job *job,
			    const struct nwv_ob_slot *o)
{
	const struct nwv_inval *v = job->inval;
	const struct nwv_root *r = &c->root[o->root];
	const struct nwv_group *g = &c->group[o->group];
	unsigned is_table = o->flags & NWV_OB_TABLE;

	if (!tag_fits(job, g->tag))
		return NWV_WHY_TAG;
	if (v->is_local && !nwv_root_is_private(r, job->cpu))
		return NWV_WHY_LOCAL;
	if (v->granule_lg2 && v->granule_lg2 != r->shape.granule_lg2)
		return NWV_WHY_GRANULE;
	if (v->is_last_level && is_table)
		return NWV_WHY_LAST_LEVEL;
	/* The hint names the level of leaves: a table is not among them. */
	if (v->hint && (is_table || v->hint != 4 - o->level))
		return NWV_WHY_LEVEL;
	if (g->phase == NWV_AWAIT_DSB)
		return NWV_WHY_EARLY;
	if (v->regime != NW_REGIME_STAGE2 || v->stage2)
		return NWV_WHY_NONE;
	if (g->phase == NWV_AWAIT_TLBI)
		return NWV_WHY_NO_IPA;
	return g->phase == NWV_AWAIT_MIDDLE ? NWV_WHY_NO_MIDDLE : NWV_WHY_NONE;
}

/* With what was said, and what should have been. */
static struct nwv_near refusal_near(const struct nwv_check *c,
				    const struct tlbi_job *job,
				    const struct nwv_ob_slot *o,
				    enum nwv_why why)
{
	const struct nwv_inval *v = job->inval;

	switch (why) {
	case NWV_WHY_TAG:
		return near_of(job, why, job->tag, c->group[o->group].tag);
	case NWV_WHY_LOCAL:
		return near_of(job, why, job->cpu, 0);
	case NWV_WHY_GRANULE:
		return near_of(job, why, v->granule_lg2,
			       c->root[o->root].shape.granule_lg2);
	case NWV_WHY_LEVEL:
		return near_of(job, why, v->hint - 1u, 3u - o->level);
	default:
		return near_of(job, why, 0, 0);
	}
}

static enum nwv_phase phase_after(const struct nwv_inval *v,
				  enum nwv_phase phase)
{
	if (phase == NWV_AWAIT_FINAL)
		return phase;
	if (v->regime != NW_REGIME_STAGE2 || (v->stage2 && v->combined))
		return NWV_AWAIT_FINAL;
	if (phase == NWV_AWAIT_TLBI && v->stage2)
		return NWV_AWAIT_MIDDLE;
	if (phase == NWV_AWAIT_COMBINED && v->combined)
		return NWV_AWAIT_FINAL;
	return phase;
}

static int serve_address(struct nwv_check *c, uint32_t n, void *arg)
{
	struct tlbi_job *job = arg;
	const struct nwv_inval *v = job->inval;
	const struct nwv_ob_slot *o = &c->ob[n];
	uint64_t span = UINT64_C(1)
			<< nwv_span_lg2(&c->root[o->root].shape, o->level);
	enum nwv_phase phase = nwv_ob_phase(c, o), then;
	enum nwv_why why;

	if ((o->flags & NWV_OB_SUBTREE) && phase == NWV_AWAIT_TLBI &&
	    (v->hint || v->is_last_level || v->start > o->ia ||
	     v->end < o->ia + span))
		nwv_ob_expand(c, n);
	o = &c->ob[n];
	why = refusal(c, job, o);
	then = phase_after(v, phase);
	if (why)
		c->ob_more[n].near = refusal_near(c, job, o, why);
	else if (then != phase)
		nwv_ob_move(c, n, then, job->cpu);
	return 1;
}

static int note_met(struct nwv_check *c, uint32_t n, void *arg)
{
	(void)c;
	(void)n;
	((struct tlbi_job *)arg)->met = 1;
	return 0;
}

/* Groups of the table in this list, or not served for their VMID. */
static void serve_list(struct nwv_check *c, const struct tlbi_job *job,
		       uint32_t first, uint16_t root)
{
	enum nwv_phase phase, then;
	uint32_t n, next, i;

	for (n = first; n; n = next) {
		struct nwv_group *g = &c->group[n];
		const uint32_t *m = g->room ? g->member : g->few;

		next = g->next;
		if (g->root != root)
			continue;
		phase = (enum nwv_phase)g->phase;
		then = phase_after(job->inval, phase);
		if (tag_fits(job, g->tag)) {
			if (then != phase)
				nwv_group_move(c, n, then, job->cpu);
			continue;
		}
		for (i = g->first; i < g->used; i++)
			if (m[i])
				c->ob_more[m[i]].near = near_of(
					job, NWV_WHY_TAG, job->tag, g->tag);
	}
}

/* No address. What it cannot serve is noted once for the table, so that its
 * cost is what it moves. */
static void serve_all(struct nwv_check *c, struct tlbi_job *job, uint16_t root)
{
	struct nwv_root *r = &c->root[root];
	const struct nwv_inval *v = job->inval;

	if (v->is_local && !nwv_root_is_private(r, job->cpu)) {
		r->local = near_of(job, NWV_WHY_LOCAL, job->cpu, 0);
		return;
	}
	r->early = near_of(job, NWV_WHY_EARLY, 0, 0);
	serve_list(c, job, r->await_combined.first, root);
	if (v->regime == NW_REGIME_STAGE2 && !v->stage2) {
		r->no_ipa = near_of(job, NWV_WHY_NO_IPA, 0, 0);
		r->no_middle = near_of(job, NWV_WHY_NO_MIDDLE, 0, 0);
		return;
	}
	serve_list(c, job, r->await_tlbi.first, root);
	serve_list(c, job, c->cpu[job->cpu].await_middle.first, root);
}

void nwv_ob_tlbi(struct nwv_check *c, const struct nwv_inval *inval,
		 uint16_t tag, unsigned cpu)
{
	struct tlbi_job job = {
		.inval = inval, .seq = c->now->seq, .cpu = cpu, .tag = tag};
	uint32_t i;

	for (i = 1; i <= c->roots && c->obs; i++) {
		struct nwv_root *r = &c->root[i];
		uint16_t root = (uint16_t)i;

		if (!r->pending || r->shape.regime != inval->regime)
			continue;
		if (!tag_fits(&job, r->tag) && !r->is_retagged) {
			job.met = inval->is_all;
			if (!job.met)
				nwv_ob_each(c, root, all_levels, inval->start,
					    inval->end, note_met, &job);
			if (job.met)
				r->other_tag =
					near_of(&job, NWV_WHY_TAG, tag, r->tag);
			continue;
		}
		if (inval->is_all)
			serve_all(c, &job, root);
		else
			nwv_ob_each(c, root, all_levels, inval->start,
				    inval->end, serve_address, &job);
	}
}

/* ---- barriers ---------------------------------------------------------- */

/* Move a whole list on, or only those of tables private to this CPU. */
static void pass_list(struct nwv_check *c, uint32_t first, enum nwv_phase phase,
		      unsigned cpu, int private_only)
{
	uint32_t n, next;

	for (n = first; n; n = next) {
		next = c->group[n].next;
		if (private_only &&
		    !nwv_root_is_private(&c->root[c->group[n].root], cpu))
			continue;
		nwv_group_move(c, n, phase, cpu);
	}
}

/* Those of a group that this CPU knows of; they stand in order of time. */
static void pass_known(struct nwv_check *c, uint32_t group, unsigned by,
		       unsigned cpu)
{
	uint32_t live = c->group[group].live, i, n;

	for (i = c->group[group].first; live; i++) {
		struct nwv_group *g = &c->group[group];

		n = (g->room ? g->member : g->few)[i];
		g->first = i;
		if (!n)
			continue;
		if (!nwv_known(c, by, c->ob_more[n].armed.seq, cpu))
			return;
		live--; /* the last one frees the group */
		nwv_ob_move(c, n, NWV_AWAIT_TLBI, cpu);
	}
}

/* Stores of other CPUs that a lock passed on to this one. */
static void pass_foreign_stores(struct nwv_check *c, unsigned cpu)
{
	uint64_t left = c->cpus_await_dsb & ~(UINT64_C(1) << cpu);
	uint32_t n, next;

	for (; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		for (n = c->cpu[x].await_dsb.first; n; n = next) {
			next = c->group[n].next;
			if (nwv_known(c, x, c->group[n].last_seq, cpu))
				nwv_group_move(c, n, NWV_AWAIT_TLBI, cpu);
			else
				pass_known(c, n, x, cpu);
		}
	}
}

static int any_private_root(const struct nwv_check *c, unsigned cpu)
{
	uint32_t i;

	for (i = 1; i <= c->roots; i++)
		if (c->root[i].pending && nwv_root_is_private(&c->root[i], cpu))
			return 1;
	return 0;
}

void nwv_ob_barrier(struct nwv_check *c, unsigned kind, unsigned cpu)
{
	struct nwv_cpu *here = &c->cpu[cpu];
	int is_local =
		kind == NW_BARRIER_DSB_NSH || kind == NW_BARRIER_DSB_NSHST;
	int completes = kind == NW_BARRIER_DSB_ISH ||
			kind == NW_BARRIER_DSB_SY || kind == NW_BARRIER_DSB_NSH;

	if (kind == NW_BARRIER_ISB)
		return;
	here->store_barrier_seq = c->now->seq + 1;
	if (is_local || !completes)
		here->weak_complete = (struct nwv_near){
			.seq = c->now->seq,
			.why = is_local ? NWV_WHY_DOMAIN : NWV_WHY_KIND,
			.op = (uint8_t)kind,
		};
	if (is_local || kind == NW_BARRIER_DMB_ISHST)
		here->weak_order = here->weak_complete;
	if (kind == NW_BARRIER_DMB_ISHST || !c->obs)
		return;
	if (is_local && !any_private_root(c, cpu))
		return;
	pass_list(c, here->await_dsb.first, NWV_AWAIT_TLBI, cpu, is_local);
	if (!is_local)
		pass_foreign_stores(c, cpu);
	if (!completes)
		return;
	pass_list(c, here->await_middle.first, NWV_AWAIT_COMBINED, cpu,
		  is_local);
	pass_list(c, here->await_final.first, NWV_CLEAN, cpu, is_local);
}

/* ---- diagnosis --------------------------------------------------------- */

static enum nwv_missing missing_in(const struct nwv_check *c,
				   const struct nwv_ob *o)
{
	switch (o->phase) {
	case NWV_AWAIT_DSB:
		return NWV_MISSING_DSB_BEFORE;
	case NWV_AWAIT_TLBI:
		return c->root[o->root].shape.regime == NW_REGIME_STAGE2
			       ? NWV_MISSING_TLBI_IPA
			       : NWV_MISSING_TLBI_STAGE1;
	case NWV_AWAIT_MIDDLE:
		return NWV_MISSING_DSB_MIDDLE;
	case NWV_AWAIT_COMBINED:
		return NWV_MISSING_TLBI_COMBINED;
	default:
		return NWV_MISSING_DSB_AFTER;
	}
}

/* Take `near` if it happened between the two and nothing is known yet. */
static void consider(struct nwv_diagnosis *d, const struct nwv_near *near,
		     uint64_t since, uint64_t until)
{
	if (!d->near.why && near->why && near->seq > since && near->seq < until)
		d->near = *near;
}

/*
 * The store was ordered only after an invalidation had come and gone; or a
 * barrier stood there, but one too weak.
 */
static void diagnose_order(const struct nwv_check *c, const struct nwv_ob *o,
			   const struct nwv_near *early,
			   struct nwv_diagnosis *d)
{
	struct nwv_diagnosis weak = {0};

	consider(d, early, o->armed.seq, ~UINT64_C(0));
	if (o->phase != NWV_AWAIT_DSB && d->near.why != NWV_WHY_EARLY)
		return;
	consider(&weak, &c->cpu[o->armed.cpu].weak_order, o->armed.seq,
		 d->near.why ? d->near.seq : ~UINT64_C(0));
	if (weak.near.why)
		d->near = weak.near;
	d->missing = NWV_MISSING_DSB_BEFORE;
	d->after = o->armed.seq;
}

/* The same for the DSB between the two invalidations of stage 2. */
static void diagnose_middle(const struct nwv_check *c, const struct nwv_ob *o,
			    struct nwv_diagnosis *d)
{
	const struct nwv_near *second = &c->root[o->root].no_middle;
	uint64_t until =
		o->phase == NWV_AWAIT_COMBINED ? o->phase_seq : ~UINT64_C(0);
	struct nwv_diagnosis weak = {0};

	consider(d, second, o->first_seq, until);
	if (o->phase != NWV_AWAIT_MIDDLE && d->near.why != NWV_WHY_NO_MIDDLE)
		return;
	consider(&weak, &c->cpu[o->issuer].weak_complete, o->first_seq,
		 d->near.why ? d->near.seq : ~UINT64_C(0));
	if (weak.near.why)
		d->near = weak.near;
	d->missing = NWV_MISSING_DSB_MIDDLE;
	d->after = o->first_seq;
}

void nwv_ob_diagnose(const struct nwv_check *c, uint32_t n,
		     struct nwv_diagnosis *d)
{
	struct nwv_ob ob, *o = &ob;
	const struct nwv_root *r;
	const uint64_t now = ~UINT64_C(0);
	struct nwv_near early;
	uint64_t since;

	nwv_ob_get(c, n, &ob);
	r = &c->root[ob.root];
	early = r->early;
	since = ob.phase_seq;
	*d = (struct nwv_diagnosis){
		.missing = missing_in(c, o),
		.after = since,
	};
	if (o->phase == NWV_AWAIT_FINAL)
		consider(d, &c->cpu[o->issuer].weak_complete, since, now);
	consider(d, &o->near, o->phase == NWV_AWAIT_TLBI ? o->armed.seq : since,
		 now);
	/* The right address with the wrong VMID comes nearer than none; a flush
	 * of a whole VMID may be about another table altogether. */
	if (r->other_tag.op == NW_TLBI_IPAS2E1IS ||
	    r->other_tag.op == NW_TLBI_RIPAS2E1IS)
		consider(d, &r->other_tag, since, now);
	if (o->phase == NWV_AWAIT_TLBI)
		consider(d, &r->no_ipa, since, now);
	consider(d, &r->local, since, now);
	consider(d, &r->other_tag, since, now);
	if (o->phase == NWV_AWAIT_MIDDLE || o->phase == NWV_AWAIT_COMBINED)
		diagnose_middle(c, o, d);
	/* Had it come after the DSB, it would have served. */
	if (o->phase == NWV_AWAIT_TLBI && early.seq >= since)
		early.why = NWV_WHY_NONE;
	if (o->phase <= NWV_AWAIT_TLBI)
		diagnose_order(c, o, &early, d);
}
