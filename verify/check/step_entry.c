/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads and writes of single entries. */
#include "local.h"
#include "track.h"

#include <stdlib.h>

#define NEVER_IN_PLACE                                                         \
	(NWV_D_ADDRESS | NWV_D_MEMTYPE | NWV_D_SHARE | NWV_D_TABLE |           \
	 NWV_D_GLOBAL)

/* NULL: the trace is malformed. */
static struct nwv_page *page_of(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = nwv_page_at_va(c, e->a);

	if (!p)
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: entry %#llx is in no table page: a "
			 "page_alloc of it must come before",
			 (unsigned long long)e->seq, (unsigned long long)e->a);
	else if (e->a & 7)
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: entry address %#llx is no multiple of 8",
			 (unsigned long long)e->seq, (unsigned long long)e->a);
	return c->stopped ? NULL : p;
}

static void base_facts(const struct nwv_check *c, const struct nwv_page *p,
		       const struct nwv_event *e, unsigned on,
		       struct nwv_facts *f)
{
	unsigned index = nwv_page_index(e->a);

	*f = (struct nwv_facts){
		.on = on,
		.event = e,
		.life = p->is_kept ? NWV_LINKED : (enum nwv_life)p->life,
		.is_known_page = 1,
		.page_since = p->since,
		.pa = p->pa,
		.level = p->level,
		.before = p->entry[index],
	};
	if (!p->root)
		return;
	f->shape = &c->root[p->root].shape;
	f->ia = nwv_entry_ia(c, p, index);
	f->has_readers = c->root[p->root].has_readers;
}

/* A page that no table has any more. */
static void touch_dead(struct nwv_check *c, struct nwv_page *p,
		       const struct nwv_event *e, uint64_t after)
{
	struct nwv_facts f;

	base_facts(c, p, e, NWV_ON_TOUCH, &f);
	f.after = after;
	f.after_kind =
		f.shape ? nwv_kind(f.shape, p->level, after) : NWV_INVALID;
	nwv_judge(c, &f);
}

void nwv_step_read(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = page_of(c, e);
	const struct nwv_cpu *cpu = &c->cpu[e->cpu];
	struct nwv_facts f;

	if (!p)
		return;
	if (p->life == NWV_FREED) {
		touch_dead(c, p, e, 0);
		return;
	}
	if (cpu->section_depth && p->root)
		c->root[p->root].has_readers = 1;
	if (p->life == NWV_UNLINKED && c->logs)
		nwv_log_seen(c, p, nwv_page_index(e->a), e->b);
	if (p->life != NWV_UNLINKED || cpu->section_depth)
		return;
	base_facts(c, p, e, NWV_ON_READ, &f);
	nwv_judge(c, &f);
}

/* A store to a page that nobody else can reach. */
static void fill(struct nwv_page *p, const struct nwv_event *e, uint64_t value)
{
	unsigned index = nwv_page_index(e->a);

	p->entry[index] = value;
	nwv_page_note_init(p, index);
	p->init_seq = e->seq;
	p->init_cpu = e->cpu;
}

/* Entries of a hand-written trace that begin alike: all but the first, which
 * stands for them in a verdict. -1: malformed. */
static int init_more(struct nwv_check *c, struct nwv_page *p,
		     const struct nwv_event *e)
{
	unsigned first = nwv_page_index(e->a), i;

	if (e->c > NWV_FRAME_ENTRIES - first) {
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: entry_init: count %llu goes beyond the "
			 "page (%u left)",
			 (unsigned long long)e->seq, (unsigned long long)e->c,
			 NWV_FRAME_ENTRIES - first);
		return -1;
	}
	for (i = first + 1; i < first + e->c; i++) {
		p->entry[i] = e->b;
		nwv_page_note_init(p, i);
	}
	return 0;
}

void nwv_step_init(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = page_of(c, e);
	struct nwv_facts f;

	if (!p || (e->c > 1 && init_more(c, p, e)))
		return;
	if (p->life == NWV_UNPUBLISHED || p->is_open) {
		fill(p, e, e->b);
		return;
	}
	if (p->life == NWV_LINKED) {
		base_facts(c, p, e, NWV_ON_INIT, &f);
		f.after = e->b;
		nwv_judge(c, &f);
	} else {
		touch_dead(c, p, e, e->b);
	}
	p->entry[nwv_page_index(e->a)] = e->b;
}

/* ---- writes to a live page --------------------------------------------- */

/*
 * May a TLB hold this leaf? With the access flag clear it may not, unless
 * hardware sets the flag, or it was set before and not flushed since.
 */
static int may_be_cached(const struct nwv_shape *s, uint64_t e, int has_ob)
{
	return nwv_is_cached(s, e) || has_ob;
}

struct conflict {
	const struct nwv_shape *shape;
	unsigned level;
	uint64_t value;
	uint32_t first; /* found */
	int drop_all;
};

/* What a TLB may hold of this very entry is what it says again, but for rights:
 * those that it lacks now are owed still. */
static int is_back(struct nwv_check *c, const struct conflict *k, uint32_t n)
{
	unsigned delta = nwv_change(k->shape, k->level, c->ob_more[n].before,
				    k->value);

	if (c->ob[n].level != k->level ||
	    (delta & ~(NWV_D_NARROWED | NWV_D_AGED)))
		return 0;
	if (!(delta & NWV_D_NARROWED))
		nwv_ob_drop(c, n);
	return 1;
}

/* Does what was just made valid meet what a TLB may still hold? */
static int find_conflict(struct nwv_check *c, uint32_t n, void *arg)
{
	struct conflict *k = arg;
	const struct nwv_ob_slot *o = &c->ob[n];
	unsigned found;
	uint64_t e;

	if ((o->flags & NWV_OB_SOFT) ||
	    nwv_local_is_done(c, n, c->now->cpu) || is_back(c, k, n))
		return 1;
	if (o->level < k->level &&
	    nwv_kind(k->shape, k->level, k->value) == NWV_TABLE) {
		e = nwv_entry_below(c, k->shape, k->level, k->value, o->level,
				    o->ia, &found);
		if (nwv_kind(k->shape, found, e) == NWV_INVALID)
			return 1;
		/* Wider rights than the table's are no conflict. */
		if (found == o->level &&
		    !(nwv_change(k->shape, found, c->ob_more[n].before, e) &
		      ~NWV_D_NARROWED))
			return 1;
	}
	if (k->drop_all) {
		nwv_ob_drop(c, n);
		return 1;
	}
	k->first = n;
	return 0;
}

static uint32_t conflict_of(struct nwv_check *c, const struct nwv_page *p,
			    unsigned index, uint64_t value, int drop_all)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	uint64_t ia = nwv_entry_ia(c, p, index);
	struct conflict k = {.shape = s,
			     .level = p->level,
			     .value = value,
			     .drop_all = drop_all};

	if (c->root[p->root].pending)
		nwv_ob_each(c, p->root, (2u << p->level) - 1, ia,
			    ia + (UINT64_C(1) << nwv_span_lg2(s, p->level)),
			    find_conflict, &k);
	return k.first;
}

/* Last writer, when nothing orders it before this one. */
static struct nwv_mark racing_writer(const struct nwv_check *c,
				     const struct nwv_page *p, unsigned index,
				     unsigned cpu)
{
	uint64_t last = p->writer ? p->writer[index] : 0;
	unsigned by = (unsigned)(last >> 56) - 1;
	uint64_t seq = last & (NWV_RELEASED - 1);

	if (!last || nwv_known(c, by, seq, cpu))
		return (struct nwv_mark){0};
	return (struct nwv_mark){
		.seq = seq, .cpu = (uint16_t)by, .kind = NW_EV_ENTRY_WRITE};
}

/* An atomic is acquire and release: whoever takes an entry that another CPU
 * published, or stole from it, knows what that CPU had done. */
static void learn_from_writer(struct nwv_check *c, const struct nwv_page *p,
			      unsigned index)
{
	uint64_t last = p->writer ? p->writer[index] : 0;
	unsigned by = (unsigned)(last >> 56) - 1;

	if ((last & NWV_RELEASED) && by != c->now->cpu)
		nwv_entry_learn(c, by, last & (NWV_RELEASED - 1));
}

/* Until a second CPU shows up there is nothing to race with. */
static void note_writer(struct nwv_check *c, struct nwv_page *p, unsigned index,
			const struct nwv_event *e, enum nwv_store store)
{
	if (!(c->cpus_seen & (c->cpus_seen - 1)))
		return;
	if (!p->writer) {
		p->writer = calloc(NWV_FRAME_ENTRIES, sizeof(*p->writer));
		if (!p->writer) {
			nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
			return;
		}
		c->bytes += NWV_FRAME_ENTRIES * sizeof(*p->writer);
	}
	p->writer[index] = (uint64_t)(e->cpu + 1) << 56 | e->seq;
	if (store == NWV_STORE_PLAIN)
		return;
	p->writer[index] |= NWV_RELEASED;
	c->cpu[e->cpu].released = e->seq + 1;
}

static int lock_missing(struct nwv_check *c, const struct nwv_root *r,
			const struct nwv_event *e, struct nwv_mark *holder)
{
	struct nwv_lock *lock;

	if (!r->lock)
		return 0;
	lock = nwv_lock_at(c, r->lock);
	if (!lock || (lock->is_held && lock->taken.cpu == e->cpu))
		return 0;
	*holder = lock->taken;
	return 1;
}

static int resize_excused(const struct nwv_shape *s, unsigned delta,
			  uint64_t before, uint64_t after)
{
	return nwv_resize_excused(s, delta & NWV_D_TO_TABLE ? before : after);
}

/*
 * Judge a write to a reachable entry. Most writes raise nothing that a rule
 * could object to; their facts are not even made.
 */
static void judge_write(struct nwv_check *c, struct nwv_page *p,
			const struct nwv_event *e, enum nwv_store store,
			uint64_t before, unsigned delta)
{
	const struct nwv_root *r = &c->root[p->root];
	const struct nwv_shape *s = &r->shape;
	unsigned index = nwv_page_index(e->a);
	uint64_t hw = nwv_hw_bits(s, p->level, p->entry[index]);
	int other = ((p->entry[index] ^ e->b) & ~hw) != 0;
	struct nwv_mark racing = {0}, holder = {0};
	int no_lock = lock_missing(c, r, e, &holder);
	unsigned mode = nwv_mode_of(c, p->root, e->cpu);
	int is_blind =
		mode == NW_MODE_SHARED + 1 && store != NWV_STORE_ATOMIC;
	uint32_t ob = 0;
	struct nwv_facts f;

	if (store != NWV_STORE_ATOMIC)
		racing = racing_writer(c, p, index, e->cpu);
	if (delta & NWV_D_MADE)
		ob = conflict_of(c, p, index, e->c, 0);
	if (!ob && !other && !hw && !racing.kind && !no_lock && !is_blind &&
	    !(delta & (NEVER_IN_PLACE | NWV_D_CONTIG | NWV_D_TO_TABLE |
		       NWV_D_TO_BLOCK)))
		return;
	base_facts(c, p, e, NWV_ON_ENTRY, &f);
	f.before = before;
	f.after = e->c;
	f.before_kind = nwv_kind(s, p->level, before);
	f.after_kind = nwv_kind(s, p->level, e->c);
	f.delta = delta;
	f.store = store;
	f.claims_other_old = (uint8_t)other;
	f.hw_may_write = (uint8_t)nwv_hw_writable(s, p->level, before);
	f.racing = racing;
	f.op_mode = (uint8_t)mode;
	f.root_lock_missing = (uint8_t)no_lock;
	f.holder = holder;
	if (delta & (NWV_D_TO_TABLE | NWV_D_TO_BLOCK)) {
		int down = !!(delta & NWV_D_TO_TABLE);

		f.resize_excused =
			(uint8_t)resize_excused(s, delta, before, e->c);
		f.same_translation = (uint8_t)nwv_table_is_block(
			c, s, p->level, down ? before : e->c,
			down ? e->c : before);
	}
	if (ob)
		nwv_facts_ob(c, ob, &f);
	nwv_judge(c, &f);
	if (ob)
		(void)conflict_of(c, p, index, e->c, 1);
}

/* What the change owes. A change that should have been a break is taken as
 * one that was flushed, so that it is reported once. */
static void arm_write(struct nwv_check *c, struct nwv_page *p, unsigned index,
		      uint64_t before, uint64_t after, unsigned delta)
{
	const struct nwv_root *r = &c->root[p->root];
	const struct nwv_shape *s = &r->shape;
	uint32_t ob =
		nwv_ob_at(c, p->root, p->level, nwv_entry_ia(c, p, index));
	int was_table = nwv_kind(s, p->level, before) == NWV_TABLE;
	int owes = 0, is_soft = 0;

	if (delta & NWV_D_REMOVED)
		owes = 1;
	else if (delta & (NWV_D_TO_TABLE | NWV_D_TO_BLOCK))
		owes = resize_excused(s, delta, before, after) &&
		       !((delta & NWV_D_TO_TABLE) && nwv_split_is_free(s));
	else if (delta & NEVER_IN_PLACE)
		owes = 0;
	else if (delta & (NWV_D_NARROWED | NWV_D_CONTIG))
		owes = 1;
	else if ((delta & NWV_D_AGED) && !ob)
		owes = is_soft = 1;
	if (owes && !was_table && !may_be_cached(s, before, ob != 0))
		owes = 0;
	if (owes)
		ob = nwv_ob_arm(c, p, index, before, is_soft);
	if (owes && !is_soft && ob && (c->watch_write & NWV_WATCH_OP))
		nwv_op_armed(c, p->root, ob);
	if (was_table && !c->stopped &&
	    (delta & (NWV_D_REMOVED | NWV_D_TO_BLOCK | NWV_D_TABLE)))
		nwv_unlink_below(c, p->root, before, owes ? ob : 0);
}

/* Who looks at stores beyond what they owe. */
static void watch(struct nwv_check *c, struct nwv_page *p, unsigned index,
		  uint64_t before, uint64_t after)
{
	if ((before | after) & NWV_RUN_BITS)
		nwv_run_touch(c, p, index, before, after);
	if (!c->watch_write || before == after)
		return;
	if (c->watch_write & NWV_WATCH_OP)
		nwv_op_write(c, p, index, before, after);
	if (c->watch_write & NWV_WATCH_LOG)
		nwv_log_write(c, p, index, before, after);
}

static void write_live(struct nwv_check *c, struct nwv_page *p,
		       const struct nwv_event *e, enum nwv_store store)
{
	const struct nwv_shape *s = &c->root[p->root].shape;
	unsigned index = nwv_page_index(e->a);
	uint64_t before = p->entry[index];
	uint64_t hw = nwv_hw_bits(s, p->level, before);
	unsigned delta;

	/* What an atomic found, and what hardware may have set, is the truth.
	 */
	if (store == NWV_STORE_ATOMIC || !((before ^ e->b) & ~hw))
		before = e->b;
	delta = nwv_change(s, p->level, before, e->c);
	if (store == NWV_STORE_ATOMIC)
		learn_from_writer(c, p, index);
	judge_write(c, p, e, store, before, delta);
	watch(c, p, index, before, e->c);
	note_writer(c, p, index, e, store);
	p->entry[index] = e->c;
	nwv_page_note_init(p, index);
	if (delta)
		arm_write(c, p, index, before, e->c, delta);
	if (!c->stopped && nwv_is_valid(s, e->c) && e->c != before)
		nwv_reach(c, p, index, e->c, store);
}

/* A locked entry has rules of its own, whoever writes it and how. */
static void judge_entry_lock(struct nwv_check *c, struct nwv_page *p,
			     const struct nwv_event *e, enum nwv_store store)
{
	const struct nwv_entry_lock *lock = nwv_entry_lock_at(c, e->a);
	struct nwv_facts f;

	base_facts(c, p, e, NWV_ON_ENTRY_LOCK, &f);
	f.after = e->c;
	f.after_kind =
		f.shape ? nwv_kind(f.shape, p->level, e->c) : NWV_INVALID;
	f.store = store;
	if (lock) {
		f.is_held = 1;
		f.is_holder = lock->taken.cpu == e->cpu;
		f.holder = lock->taken;
	}
	nwv_judge(c, &f);
	if (e->kind != NW_EV_ENTRY_LOCK)
		nwv_entry_lock_clear(c, e->a);
}

void nwv_step_write(struct nwv_check *c, const struct nwv_event *e,
		    enum nwv_store store)
{
	struct nwv_page *p = page_of(c, e);

	if (!p)
		return;
	if (p->is_open)
		nwv_root_close(c, p->root);
	if (p->root && !c->root[p->root].is_known)
		return;
	if (e->kind == NW_EV_ENTRY_PUBLISH ||
	    (c->entry_locks && nwv_entry_lock_at(c, e->a)))
		judge_entry_lock(c, p, e, store);
	if (p->life == NWV_LINKED) {
		write_live(c, p, e, store);
		return;
	}
	if (p->life == NWV_UNLINKED && c->logs && store == NWV_STORE_ATOMIC)
		nwv_log_seen(c, p, nwv_page_index(e->a), e->b);
	if (p->life != NWV_UNPUBLISHED)
		touch_dead(c, p, e, e->c);
	fill(p, e, e->c);
}

/* A walker's own update: memory holds it, and nobody owes anything. */
void nwv_step_hw_update(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = page_of(c, e);
	unsigned index = nwv_page_index(e->a);

	if (!p)
		return;
	if (p->is_open)
		nwv_root_close(c, p->root);
	if (p->life == NWV_LINKED && c->root[p->root].is_known &&
	    (c->watch_write & NWV_WATCH_LOG))
		nwv_log_write(c, p, index, p->entry[index], e->c);
	if (p->life == NWV_LINKED || p->life == NWV_UNLINKED)
		p->entry[index] = e->c;
}

void nwv_step_write_failed(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = page_of(c, e);

	if (p && p->life == NWV_FREED)
		touch_dead(c, p, e, 0);
}

void nwv_step_entry_lock(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_page *p = page_of(c, e);

	if (!p || (p->root && !c->root[p->root].is_known))
		return;
	judge_entry_lock(c, p, e, NWV_STORE_ATOMIC);
	nwv_entry_lock_clear(c, e->a);
	if (e->b == e->c && p->life == NWV_LINKED)
		nwv_ob_take_over(c, p->root, p->level,
				 nwv_entry_ia(c, p, nwv_page_index(e->a)));
	if (p->is_open)
		nwv_root_close(c, p->root);
	if (p->life == NWV_LINKED && c->root[p->root].is_known)
		write_live(c, p, e, NWV_STORE_ATOMIC);
	else if (p->life != NWV_LINKED && p->life != NWV_UNPUBLISHED)
		touch_dead(c, p, e, e->c);
	nwv_entry_lock_set(c, e->a, e->c);
}
