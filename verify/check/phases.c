/* SPDX-License-Identifier: BSD-2-Clause */
/* What moves an obligation on: barriers and invalidations. */
#include "local.h"
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
	const struct nwv_shape *s = &c->root[top->root].shape;
	unsigned frames = nwv_table_frames(s);
	unsigned f, i;

	for (f = 0; head && f < frames; f++) {
		p = nwv_page_frame(c, head, f);
		if (!p || p->life != NWV_UNLINKED || p->root != top->root)
			return;
		for (i = 0; i < NWV_FRAME_ENTRIES && !c->stopped; i++)
			if (nwv_is_valid(s, p->entry[i]))
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
		if (!nwv_is_cached(s, e))
			return; /* no TLB holds it; see nwv_may_be_cached() */
		o.oa = nwv_leaf_pa_at(s, &leaf, ia);
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
	return job->inval->is_all_tags || job->tag == tag;
}

/* A walk cache has its ASID, and so has a leaf that is not global. */
static enum nwv_why refused_tag(const struct nwv_check *c,
				const struct tlbi_job *job,
				const struct nwv_ob_slot *o)
{
	const struct nwv_ob_more *more = &c->ob_more[o - c->ob];
	struct nwv_leaf leaf;

	if (job->inval->is_by_asid && !(o->flags & NWV_OB_TABLE)) {
		nwv_leaf_decode(&c->root[o->root].shape, o->level, more->before,
				&leaf);
		if (leaf.is_global)
			return job->inval->keeps_global ? NWV_WHY_GLOBAL
							: NWV_WHY_NONE;
	}
	return tag_fits(job, c->group[o->group].tag) ? NWV_WHY_NONE
						     : NWV_WHY_TAG;
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
	enum nwv_why why = refused_tag(c, job, o);

	if (why)
		return why;
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

/* Does it take all of a dropped subtree, or parts of it? */
static int takes_parts(const struct nwv_check *c, const struct tlbi_job *job,
		       const struct nwv_ob_slot *o)
{
	const struct nwv_inval *v = job->inval;
	uint64_t span = UINT64_C(1)
			<< nwv_span_lg2(&c->root[o->root].shape, o->level);

	return v->hint || v->is_last_level || v->start > o->ia ||
	       v->end < o->ia + span || v->keeps_global ||
	       (v->is_by_asid && !tag_fits(job, c->group[o->group].tag));
}

/*
 * Another CPU has invalidated this already, and its barrier is awaited: what
 * the next barrier of `cpu` leads to as well, after this invalidation.
 * NWV_AWAIT_DSB: nothing.
 */
static enum nwv_phase also_leads_to(const struct nwv_inval *v,
				    const struct nwv_group *g, unsigned cpu)
{
	if (g->cpu == cpu ||
	    (g->phase != NWV_AWAIT_MIDDLE && g->phase != NWV_AWAIT_FINAL))
		return NWV_AWAIT_DSB;
	if (v->regime != NW_REGIME_STAGE2 || (v->stage2 && v->combined))
		return NWV_CLEAN;
	if (v->stage2)
		return g->is_first_round_over ? NWV_AWAIT_DSB :
						NWV_AWAIT_COMBINED;
	return g->is_first_round_over ? NWV_CLEAN : NWV_AWAIT_DSB;
}

/* An invalidation without address beside those of other CPUs. */
static void serve_beside(struct nwv_check *c, const struct tlbi_job *job,
			 uint32_t first, uint16_t root)
{
	enum nwv_phase leads_to;
	uint32_t n;

	for (n = first; n; n = c->group[n].next) {
		const struct nwv_group *g = &c->group[n];

		if (g->root != root || !tag_fits(job, g->tag))
			continue;
		leads_to = also_leads_to(job->inval, g, job->cpu);
		if (leads_to)
			nwv_group_also(c, n, leads_to, job->cpu);
	}
}

static void serve_all_beside(struct nwv_check *c, const struct tlbi_job *job,
			     uint16_t root)
{
	uint64_t left = c->cpus_seen & ~(UINT64_C(1) << job->cpu);

	for (; left; left &= left - 1) {
		const struct nwv_cpu *x = &c->cpu[__builtin_ctzll(left)];

		serve_beside(c, job, x->await_middle.first, root);
		serve_beside(c, job, x->await_final.first, root);
	}
}

void nwv_ob_take_over(struct nwv_check *c, uint16_t root, unsigned level,
		      uint64_t ia)
{
	uint32_t n = nwv_ob_at(c, root, level, ia);

	if (!n || c->root[root].shape.decoder ||
	    (c->ob[n].flags & NWV_OB_SOFT))
		return;
	c->ob_more[n].armed = nwv_mark_of(c->now);
	nwv_ob_move(c, n, NWV_AWAIT_DSB, c->now->cpu);
}

static int serve_address(struct nwv_check *c, uint32_t n, void *arg)
{
	struct tlbi_job *job = arg;
	const struct nwv_inval *v = job->inval;
	const struct nwv_ob_slot *o = &c->ob[n];
	enum nwv_phase phase = nwv_ob_phase(c, o), then, leads_to;
	enum nwv_why why;

	leads_to = also_leads_to(v, &c->group[o->group], job->cpu);
	if ((o->flags & NWV_OB_SUBTREE) &&
	    (phase == NWV_AWAIT_TLBI || leads_to) && takes_parts(c, job, o))
		nwv_ob_expand(c, n);
	o = &c->ob[n];
	why = refusal(c, job, o);
	then = phase_after(v, phase);
	if (why)
		c->ob_more[n].near = refusal_near(c, job, o, why);
	else if (leads_to)
		nwv_ob_also(c, n, leads_to, job->cpu);
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
	if (c->cpus_seen & (c->cpus_seen - 1))
		serve_all_beside(c, job, root);
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
	struct nwv_inval mine;
	struct tlbi_job job = {.inval = &mine,
			       .seq = c->now->seq,
			       .cpu = cpu,
			       .tag = inval->is_by_asid ? inval->asid : tag};
	uint32_t i;

	for (i = 1; i <= c->roots && c->obs; i++) {
		struct nwv_root *r = &c->root[i];
		uint16_t root = (uint16_t)i;

		if (!r->pending || !nwv_a64_inval_fit(inval, &r->shape, &mine))
			continue;
		if (!tag_fits(&job, r->tag) && !r->is_retagged &&
		    !mine.is_by_asid) {
			job.met = mine.is_all;
			if (!job.met)
				nwv_ob_each(c, root, all_levels, mine.start,
					    mine.end, note_met, &job);
			if (job.met)
				r->other_tag =
					near_of(&job, NWV_WHY_TAG, tag, r->tag);
			continue;
		}
		if (mine.is_all)
			serve_all(c, &job, root);
		else
			nwv_ob_each(c, root, all_levels, mine.start, mine.end,
				    serve_address, &job);
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

static void pass_beside(struct nwv_check *c, uint32_t first, unsigned cpu,
			int private_only)
{
	uint64_t bit = UINT64_C(1) << cpu;
	uint32_t n, next;

	for (n = first; n; n = next) {
		struct nwv_group *g = &c->group[n];

		next = g->next;
		if (!((g->also_final | g->also_middle) & bit) ||
		    (private_only &&
		     !nwv_root_is_private(&c->root[g->root], cpu)))
			continue;
		if (g->also_final & bit) {
			nwv_group_move(c, n, NWV_CLEAN, cpu);
			continue;
		}
		g->is_first_round_over = 1;
		g->also_middle = 0;
		if (g->phase == NWV_AWAIT_MIDDLE)
			nwv_group_move(c, n, NWV_AWAIT_COMBINED, cpu);
	}
}

/* What this CPU invalidated when another had done so already. */
static void pass_all_beside(struct nwv_check *c, unsigned cpu, int private_only)
{
	uint64_t left = c->cpus_seen & ~(UINT64_C(1) << cpu);
	uint32_t i;

	if (!(c->cpus_also >> cpu & 1))
		return;
	if (!private_only)
		c->cpus_also &= ~(UINT64_C(1) << cpu);
	for (; left; left &= left - 1) {
		const struct nwv_cpu *x = &c->cpu[__builtin_ctzll(left)];

		pass_beside(c, x->await_middle.first, cpu, private_only);
		pass_beside(c, x->await_final.first, cpu, private_only);
	}
	for (i = 1; i <= c->roots; i++)
		pass_beside(c, c->root[i].await_combined.first, cpu,
			    private_only);
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

/* x86 and RISC-V: stores are ordered; INVLPGB alone awaits a barrier. */
static void other_barrier(struct nwv_check *c, unsigned kind, unsigned cpu)
{
	struct nwv_cpu *here = &c->cpu[cpu];

	if (kind == NW_BARRIER_X86_TLBSYNC) {
		pass_list(c, here->await_final.first, NWV_CLEAN, cpu, 0);
		return;
	}
	here->store_barrier_seq = c->now->seq + 1;
	here->weak_complete = (struct nwv_near){.seq = c->now->seq,
						.why = NWV_WHY_KIND,
						.op = (uint8_t)kind};
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
	if (kind > NW_BARRIER_ISB) {
		other_barrier(c, kind, cpu);
		return;
	}
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
	pass_all_beside(c, cpu, is_local);
	pass_list(c, here->await_middle.first, NWV_AWAIT_COMBINED, cpu,
		  is_local);
	pass_list(c, here->await_final.first, NWV_CLEAN, cpu, is_local);
}
