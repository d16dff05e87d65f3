/* SPDX-License-Identifier: BSD-2-Clause */
/* Barriers, invalidations, locks, sections and notifier brackets. */
#include "local.h"
#include "track.h"

#include <stdlib.h>

static void malformed(struct nwv_check *c, const char *what, uint64_t value)
{
	nwv_stop(c, NWV_CHECK_MALFORMED, "seq %llu: %s (%#llx)",
		 (unsigned long long)c->now->seq, what,
		 (unsigned long long)value);
}

/* ---- barriers and invalidations ---------------------------------------- */

void nwv_step_barrier(struct nwv_check *c, const struct nwv_event *e)
{
	if (e->a >= NW_BARRIER_COUNT)
		malformed(c, "barrier: no such kind", e->a);
	else
		nwv_ob_barrier(c, (unsigned)e->a, e->cpu);
	if (c->watch_write & NWV_WATCH_OP)
		nwv_op_barrier(c, e);
}

/* A flush of whole VMIDs frees them for another table. */
static void note_tag_flush(struct nwv_check *c, const struct nwv_inval *v,
			   uint16_t tag)
{
	uint32_t i;

	if (!v->stage2 || !v->combined || v->is_local)
		return;
	for (i = 1; i <= c->tag_uses; i++)
		if (v->is_all_tags || i == nwv_map_get(&c->tag_use_by_tag, tag))
			c->tag_use[i].is_flushed = 1;
}

/* INVLPG names no PCID: it acts on the installed one. All others say theirs. */
static void local_tlbi(struct nwv_check *c, const struct nwv_inval *inval,
		       const struct nwv_event *e)
{
	const struct nwv_cpu *cpu = &c->cpu[e->cpu];
	uint16_t tag = (uint16_t)e->c;

	if (e->a == NW_TLBI_X86_INVLPG && cpu->installed[NW_REGIME_X86])
		tag = cpu->installed_tag[NW_REGIME_X86];
	nwv_local_tlbi(c, inval, tag, e->cpu);
	nwv_local_note_flush(c, inval, tag, e->cpu);
	if (c->watch >> e->cpu & 1)
		nwv_local_next(c, e->cpu);
}

void nwv_step_tlbi(struct nwv_check *c, const struct nwv_event *e)
{
	const struct nwv_cpu *cpu = &c->cpu[e->cpu];
	uint16_t tag = (uint16_t)e->c;
	struct nwv_inval inval;

	if (nwv_inval_decode(e->a, e->b, &inval)) {
		malformed(c, "tlbi: no such operation", e->a);
		return;
	}
	/* The hardware acts on what is installed; without a root_switch the
	 * event's own word is all there is. */
	if (inval.regime == NW_REGIME_STAGE2 &&
	    cpu->installed[NW_REGIME_STAGE2])
		tag = cpu->installed_tag[NW_REGIME_STAGE2];
	if (e->a >= NW_TLBI_X86_INVLPG) {
		local_tlbi(c, &inval, e);
		return;
	}
	nwv_ob_tlbi(c, &inval, tag, e->cpu);
	if (c->watch_write & NWV_WATCH_OP)
		nwv_op_tlbi(c, &inval, e->cpu);
	note_tag_flush(c, &inval, tag);
}

/* ---- locks ------------------------------------------------------------- */

/* A free lock taken, and one released by its holder, raise nothing that a rule
 * could object to: their facts are not even made. */
static void judge_lock(struct nwv_check *c, const struct nwv_lock *lock,
		       unsigned on)
{
	struct nwv_facts f;

	if (on == NWV_ON_LOCK ? !lock->is_held
			      : lock->is_held && lock->taken.cpu == c->now->cpu)
		return;
	f = (struct nwv_facts){
		.on = on,
		.event = c->now,
		.is_held = lock->is_held,
		.is_holder = lock->is_held && lock->taken.cpu == c->now->cpu,
		.holder = lock->taken,
	};

	nwv_judge(c, &f);
}

void nwv_step_lock(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_lock *lock = nwv_lock_at(c, e->a);

	if (!lock)
		return;
	judge_lock(c, lock, NWV_ON_LOCK);
	nwv_lock_take(c, lock);
}

void nwv_step_unlock(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_lock *lock = nwv_lock_at(c, e->a);

	if (!lock)
		return;
	judge_lock(c, lock, NWV_ON_UNLOCK);
	nwv_lock_drop(c, lock);
}

/* A word of software's own memory carries what a lock would; it is never held,
 * and there is nothing to do wrong with it. */
void nwv_step_word(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_lock *word = nwv_lock_at(c, e->a);

	if (!word)
		return;
	if (e->kind == NW_EV_RELEASE) {
		nwv_lock_drop(c, word);
	} else {
		nwv_lock_take(c, word);
		word->is_held = 0;
	}
}

/* ---- sections ---------------------------------------------------------- */

void nwv_step_section(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_cpu *cpu = &c->cpu[e->cpu];
	struct nwv_facts f = {
		.on = NWV_ON_SECTION,
		.event = e,
		.in_section = cpu->section_depth != 0,
	};

	if (e->kind == NW_EV_SECTION_ENTER) {
		cpu->has_sections = 1;
		if (!cpu->section_depth++)
			cpu->section_seq = e->seq;
		return;
	}
	if (f.in_section)
		f.reader = (struct nwv_mark){.seq = cpu->section_seq,
					     .cpu = e->cpu,
					     .kind = NW_EV_SECTION_ENTER};
	nwv_judge(c, &f);
	if (e->kind == NW_EV_GRACE_PERIOD)
		c->grace_seq = e->seq + 1;
	else if (cpu->section_depth)
		cpu->section_depth--;
}

/* ---- notifiers --------------------------------------------------------- */

/* Of NOTIFY_BEGIN's word; the bits above say whether it may sleep. */
#define SEQUENCE ((UINT64_C(1) << 56) - 1)

static int holds_lock(const struct nwv_check *c, unsigned cpu)
{
	uint32_t i;

	for (i = 1; i <= c->locks; i++)
		if (c->lock[i]->is_held && c->lock[i]->taken.cpu == cpu)
			return 1;
	return 0;
}

/* Recheck and install are one section; whoever never told one may have another
 * way, and so may who holds a lock that begin takes. */
static void judge_section(struct nwv_check *c, const struct nwv_event *e)
{
	const struct nwv_cpu *cpu = &c->cpu[e->cpu];
	struct nwv_facts f = {.on = NWV_ON_HANDLER, .event = e};

	if (!cpu->has_sections || cpu->section_depth)
		return;
	f.has_section = 1;
	f.is_locked = (uint8_t)holds_lock(c, e->cpu);
	nwv_judge(c, &f);
}

static int meets(const struct nwv_range *r, const struct nwv_event *e)
{
	return r->begin.kind && r->start < e->b && e->a < r->end;
}

static struct nwv_range *open_range(struct nwv_notify *n,
				    const struct nwv_event *e)
{
	unsigned i;

	for (i = 0; i < n->opened; i++)
		if (n->open[i].start == e->a && n->open[i].end == e->b)
			return &n->open[i];
	return NULL;
}

static void notify_begin(struct nwv_check *c, struct nwv_notify *n,
			 const struct nwv_event *e)
{
	if (n->opened == NWV_RANGES_OPEN_MAX) {
		malformed(c,
			  "notify_begin: more ranges open than the oracle "
			  "follows",
			  n->opened);
		return;
	}
	n->open[n->opened++] = (struct nwv_range){
		.start = e->a,
		.end = e->b,
		.seq_sampled = e->c & SEQUENCE,
		.is_atomic = e->c >> 56 & 1,
		.begin = nwv_mark_of(e),
	};
	c->watch_leaf |= NWV_WATCH_RANGE;
}

static void notify_end(struct nwv_check *c, struct nwv_notify *n,
		       const struct nwv_event *e)
{
	struct nwv_range *r = open_range(n, e);
	struct nwv_facts f = {.on = NWV_ON_NOTIFY, .event = e};

	if (r) {
		f.has_begin = 1;
		f.is_drained = r->is_drained;
		f.is_bumped = e->c > r->seq_sampled;
		f.range = r->begin;
	}
	nwv_judge(c, &f);
	if (!r)
		return;
	nwv_slot_closed(c, r, e);
	r->seq_sampled = e->c;
	n->closed[n->closed_next++ % NWV_RANGES_CLOSED] = *r;
	*r = n->open[--n->opened];
	if (!n->opened)
		c->watch_leaf &= (uint8_t)~NWV_WATCH_RANGE;
}

static void notify_install(struct nwv_check *c, struct nwv_notify *n,
			   const struct nwv_event *e)
{
	struct nwv_facts f = {.on = NWV_ON_NOTIFY, .event = e};
	unsigned i;

	for (i = 0; i < n->opened && !f.meets_open; i++)
		if (n->open[i].is_drained && meets(&n->open[i], e)) {
			f.meets_open = 1;
			f.range = n->open[i].begin;
		}
	for (i = 0; i < NWV_RANGES_CLOSED && !f.meets_open && !f.meets_closed;
	     i++)
		if (n->closed[i].seq_sampled > e->c &&
		    meets(&n->closed[i], e)) {
			f.meets_closed = 1;
			f.range = n->closed[i].begin;
		}
	nwv_judge(c, &f);
}

void nwv_step_notify(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_range *r;

	if (!c->notify) {
		c->notify = calloc(1, sizeof(*c->notify));
		if (!c->notify) {
			nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
			return;
		}
		c->bytes += sizeof(*c->notify);
	}
	if (e->a >= e->b && e->kind != NW_EV_NOTIFY_SAMPLE) {
		malformed(c, "notify: range is empty", e->a);
		return;
	}
	switch (e->kind) {
	case NW_EV_NOTIFY_BEGIN:
		notify_begin(c, c->notify, e);
		return;
	case NW_EV_NOTIFY_DRAIN:
		r = open_range(c->notify, e);
		if (r)
			r->is_drained = 1;
		else
			malformed(c, "notify_drain: no such range is open",
				  e->a);
		return;
	case NW_EV_NOTIFY_END:
		notify_end(c, c->notify, e);
		return;
	case NW_EV_NOTIFY_INSTALL:
		judge_section(c, e);
		notify_install(c, c->notify, e);
		return;
	default:
		return;
	}
}
