/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which root, and what is missing for whom. */
#include "local.h"

#include "obligation_lists.h"
#include "step.h"

/* ---- tags of one CPU ----------------------------------------------------- */

/* The tag of a regime on a CPU. Tags below 1 << 16 alone are arm64's. */
static uint64_t tag_key(unsigned cpu, unsigned regime, uint16_t tag)
{
	return (uint64_t)(cpu + 1) << 32 | (uint64_t)regime << 16 | tag;
}

static int has_tags(unsigned regime)
{
	return regime != NW_REGIME_EPT;
}

/* Whole tags that this CPU has flushed may serve another root. */
void nwv_local_note_flush(struct nwv_check *c, const struct nwv_inval *v,
			  uint16_t tag, unsigned cpu)
{
	struct nwv_tag_use *use;
	uint32_t i, one;

	if (!v->is_all || !v->is_local || !v->stage2)
		return;
	one = nwv_map_get(&c->tag_use_by_tag, tag_key(cpu, v->regime, tag));
	for (i = 1; i <= c->tag_uses; i++) {
		use = &c->tag_use[i];
		if (use->cpu == cpu + 1 && use->regime == v->regime &&
		    (v->is_all_tags || i == one))
			use->is_flushed = 1;
	}
}

/* Another root had the tag here, and left what it cached. */
static int take_tag(struct nwv_check *c, const struct nwv_event *e,
		    uint16_t root, struct nwv_mark *user)
{
	struct nwv_tag_use *use;
	int is_stale;

	if (!has_tags((unsigned)e->c))
		return 0;
	use = nwv_tag_use_of(c,
			     tag_key(e->cpu, (unsigned)e->c, (uint16_t)e->b));
	if (!use)
		return 0;
	use->cpu = (uint8_t)(e->cpu + 1);
	use->regime = (uint8_t)e->c;
	is_stale = use->root && use->root != root && !use->is_flushed;
	*user = use->installed;
	if (use->root != root || use->is_flushed)
		use->installed = nwv_mark_of(e);
	use->root = root;
	use->is_flushed = 0;
	return is_stale;
}

/* ---- installing a root ----------------------------------------------------
 */

/* A group that this CPU owes something to, and did not have to until now. */
static uint32_t owed_group(const struct nwv_check *c, const struct nwv_root *r,
			   unsigned cpu)
{
	uint32_t n = r->await_tlbi.first;

	for (; n; n = c->group[n].next)
		if (!c->group[n].is_soft && !c->group[n].is_global &&
		    (c->group[n].owing >> cpu & 1))
			return n;
	return 0;
}

static struct nwv_mark owed_since(const struct nwv_check *c,
				  const struct nwv_root *r, unsigned cpu)
{
	uint32_t group = owed_group(c, r, cpu), i;

	if (r->by_cpu->stale >> cpu & 1)
		return r->by_cpu->stale_since;
	if (group) {
		const struct nwv_group *g = &c->group[group];
		const uint32_t *m = g->room ? g->member : g->few;

		for (i = g->first; i < g->used; i++)
			if (m[i])
				return c->ob_more[m[i]].armed;
	}
	return (struct nwv_mark){0};
}

void nwv_local_switch(struct nwv_check *c, const struct nwv_event *e,
		      uint16_t root)
{
	struct nwv_root *r = &c->root[root];
	struct nwv_local *l = r->by_cpu;
	uint64_t bit = UINT64_C(1) << e->cpu;
	struct nwv_cpu *cpu = &c->cpu[e->cpu];
	struct nwv_mark user;
	int is_stale;

	l->is_told = 1;
	is_stale = take_tag(c, e, root, &user);
	if (!(r->cpus_now & bit) &&
	    (is_stale || (l->stale & bit) || owed_group(c, r, e->cpu))) {
		c->watch |= bit;
		cpu->entering = *e;
		cpu->tag_user = is_stale ? user : (struct nwv_mark){0};
	}
	l->cpus |= bit;
	l->cpus_global |= bit;
	l->tag_on[e->cpu] = (uint16_t)e->b;
}

/* Reported, and taken as done. */
static void forgive(struct nwv_check *c, struct nwv_root *r, unsigned cpu)
{
	uint64_t bit = UINT64_C(1) << cpu;
	uint32_t n;

	r->by_cpu->stale &= ~bit;
	for (n = r->await_tlbi.first; n; n = c->group[n].next)
		if (!c->group[n].is_global)
			c->group[n].owing &= ~bit;
}

void nwv_local_next(struct nwv_check *c, unsigned cpu)
{
	struct nwv_cpu *here = &c->cpu[cpu];
	uint16_t root = here->installed[here->entering.c];
	struct nwv_facts f = {.on = NWV_ON_SWITCH,
			      .event = &here->entering,
			      .pa = here->entering.a};
	struct nwv_tag_use *use;

	c->watch &= ~(UINT64_C(1) << cpu);
	if (!root)
		return;
	use = nwv_tag_use_of(c, tag_key(cpu, (unsigned)here->entering.c,
					(uint16_t)here->entering.b));
	f.return_owes = owed_since(c, &c->root[root], cpu);
	if (f.return_owes.kind) {
		f.missing_cpus = UINT64_C(1) << cpu;
		forgive(c, &c->root[root], cpu);
	} else if (here->tag_user.kind && use && !use->is_flushed) {
		f.local_tag_user = here->tag_user;
		f.missing_cpus = UINT64_C(1) << cpu;
	} else {
		return;
	}
	nwv_judge(c, &f);
}

/* ---- diagnosis ------------------------------------------------------------
 */

/* Of a CPU that still owes, or for all of them. */
static void consider(struct nwv_diagnosis *d, const struct nwv_near *near,
		     uint64_t since)
{
	if (d->near.why || !near->why || near->seq <= since)
		return;
	if ((d->cpus >> near->cpu & 1) || near->op == NW_TLBI_X86_INVLPGB ||
	    !near->is_tlbi)
		d->near = *near;
}

void nwv_local_diagnose(const struct nwv_check *c, const struct nwv_ob *o,
			struct nwv_diagnosis *d)
{
	const struct nwv_root *r = &c->root[o->root];
	const struct nwv_cpu *armer = &c->cpu[o->armed.cpu];
	uint64_t since = o->armed.seq;

	*d = (struct nwv_diagnosis){.missing = NWV_MISSING_TLBI_LOCAL,
				    .after = since,
				    .cpus = o->owing};
	if (o->phase == NWV_AWAIT_FINAL) {
		d->missing = NWV_MISSING_TLBSYNC;
		d->after = o->phase_seq;
		d->cpus = 0;
		consider(d, &c->cpu[o->issuer].weak_complete, o->phase_seq);
		return;
	}
	if (!o->owing) {
		d->missing = NWV_MISSING_IPI_WAIT;
		d->after = o->phase_seq;
		return;
	}
	consider(d, &o->near, since);
	consider(d, &r->by_cpu->unseen, since);
	consider(d, &r->by_cpu->global, since);
	consider(d, &r->no_ipa, since);
	consider(d, &r->other_tag, since);
	consider(d, &r->by_cpu->address, since);
	if (d->near.why == NWV_WHY_GLOBAL)
		d->missing = NWV_MISSING_TLBI_GLOBAL;
	if (d->near.why == NWV_WHY_UNSEEN && !c->is_tso &&
	    armer->sent_seq > since && armer->sent_seq < d->near.seq) {
		d->missing = NWV_MISSING_FENCE;
		d->cpus = UINT64_C(1) << o->armed.cpu;
	}
}
