/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Take what is there, flush, put something there (retire.h).
 *
 * Entries are claimed by lock or theft until the batch is full or something is
 * in the way, then the batch is settled. Nothing is built while entries are
 * locked: where new tables must come first, the batch is settled before.
 */
#include "contig.h"
#include "retire.h"

enum claim {
	CLAIM_DONE,    /* the entry is ours, or needs nothing more */
	CLAIM_FULL,    /* the batch is */
	CLAIM_TABLE,   /* a table that stays, for what is taken lies in it */
	CLAIM_BUILD,   /* what comes is smaller: a new table must come */
	CLAIM_RUN,     /* a member of a contiguous run, which stays in part */
	CLAIM_REFUSED, /* not to be taken */
	CLAIM_NOMEM,
	CLAIM_CORRUPT,
	CLAIM_EDGE, /* a leaf, annotation or hole that the range cuts */
	CLAIM_BUSY, /* held by another operation, and not ours to steal */
};

/* An entry under consideration. */
struct spot {
	nw_pteref_t ref;
	unsigned level;
	uint64_t base;
	nw_entry_t value; /* what comes, if one entry can say it (`fits`) */
	uint8_t is_covered, fits;
	uint8_t has_run;     /* the range covers the whole run it could be in */
	uint8_t needs_flush; /* found: a TLB may know what stood there */
	nw_entry_t e;	     /* found: what stood there */
};

/* ---- what comes ---------------------------------------------------------- */

static int leaf_fits(const struct nw_take *k, unsigned level, uint64_t addr)
{
	uint64_t mask = nw_span_bytes(k->batch.owner.t, level) - 1;

	return (k->leaf_levels >> level & 1) &&
	       !((addr | (addr + k->ia_to_pa)) & mask);
}

static nw_entry_t leaf_at(const struct nw_take *k, unsigned level,
			  uint64_t addr)
{
	return nwf_leaf_at(&k->batch.owner.t->geo, k->leaf_template[level],
			   addr + k->ia_to_pa);
}

static void spot_value(const struct nw_take *k, struct spot *s)
{
	s->fits = 1;
	s->value = NWF_EMPTY;
	if (k->put == NW_PUT_ANNOTATION)
		s->value = k->annotation;
	if (k->put != NW_PUT_LEAVES)
		return;
	s->fits = (uint8_t)leaf_fits(k, s->level, s->base);
	if (s->fits)
		s->value = leaf_at(k, s->level, s->base);
}

/*
 * Make an unpublished page of `level` with leaves for [addr, end), and the
 * entry that links it. 0: out of pages, nothing held.
 */
static int build(struct nw_take *k, unsigned level, uint64_t addr, uint64_t end,
		 nw_entry_t *link)
{
	struct nw_table *t = k->batch.owner.t;
	const uint64_t span = nw_span_bytes(t, level);
	unsigned entries = nw_page_entries(t, level), i;
	nw_pteref_t first;
	nw_pa_t page;

	if (!nw_page_take(t, k->cache, &page))
		return 0;
	first = nw_pteref_page(t, page.v);
	i = nw_index_at(t, level, addr);
	nw_fill_empty(first, 0, i);
	for (; addr < end && i < entries; i++) {
		uint64_t next = (addr & ~(span - 1)) + span;
		nw_entry_t value;

		if (next > end)
			next = end;
		if (next - addr == span && leaf_fits(k, level, addr)) {
			value = leaf_at(k, level, addr);
		} else if (!build(k, level - 1, addr, next, &value)) {
			nw_fill_empty(first, i, entries);
			NW_FN(free_subtree)(t, page, level);
			return 0;
		}
		nw_entry_init(nw_pteref_index(first, i), value);
		addr = next;
	}
	nw_fill_empty(first, i, entries);
	*link = nwf_table_entry(&t->geo, page.v);
	return 1;
}

/* ---- one entry ----------------------------------------------------------- */

static unsigned class_of(unsigned level, nw_entry_t e)
{
	if (e == NWF_EMPTY)
		return NW_TAKE_EMPTY;
	if (nw_is_held(e))
		return NW_TAKE_HELD;
	if (nwf_is_annotation(e))
		return NW_TAKE_ANNOTATION;
	if (nwf_is_table(level, e))
		return NW_TAKE_TABLE;
	return nwf_is_leaf(level, e) ? NW_TAKE_LEAF : 0;
}

/* May it be taken as it is? CLAIM_DONE: yes, or (*is_passed) it is not wanted.
 */
static enum claim spot_judge(const struct nw_take *k, const struct spot *s,
			     int *is_passed)
{
	unsigned class = class_of(s->level, s->e);

	*is_passed = 0;
	if (class == NW_TAKE_HELD)
		return s->e != nwf_frozen() && s->has_run &&
				       (k->what & NW_TAKE_HELD)
			       ? s->fits ? CLAIM_DONE : CLAIM_BUILD
			       : CLAIM_BUSY;
	/* A reserved encoding goes where everything goes. */
	if (!class && !(k->what & NW_TAKE_TABLE))
		return CLAIM_CORRUPT;
	if (!class)
		class = NW_TAKE_LEAF;
	if (class == NW_TAKE_TABLE &&
	    !((k->what & class) && s->is_covered && s->fits))
		return CLAIM_TABLE;
	if (!(k->what & class)) {
		*is_passed = !k->otherwise;
		return k->otherwise ? CLAIM_REFUSED : CLAIM_DONE;
	}
	if (class == NW_TAKE_ANNOTATION && k->only != NWF_EMPTY &&
	    s->e != k->only)
		return CLAIM_REFUSED;
	/* Taken as one only where all of it goes. */
	if ((k->put != NW_PUT_EMPTY || !s->has_run) &&
	    nw_is_member(k->batch.owner.t, s->level, s->e))
		return CLAIM_RUN;
	if (!s->is_covered &&
	    (class != NW_TAKE_EMPTY || k->put != NW_PUT_LEAVES))
		return CLAIM_EDGE;
	return s->fits && s->is_covered ? CLAIM_DONE : CLAIM_BUILD;
}

/*
 * Take the entry, s->e as it was read. 0: it changed meanwhile, s->e says how.
 * `s->value` comes, now or when the batch is settled.
 */
static int spot_take(struct nw_take *k, struct spot *s)
{
	struct nw_batch *b = &k->batch;
	struct nw_table *t = b->owner.t;

	s->needs_flush = 1;
	if (nwf_is_locked(s->e)) {
		if (!nw_entry_steal(s->ref, &s->e, nw_owner_token(&b->owner)))
			return 0;
		nw_stat_add(t, &t->stats.steals, 1);
		return 1;
	}
	if (!nwf_is_valid(s->e)) {
		/* No TLB holds it, and a lock would hide what it says. */
		s->needs_flush = 0;
		return s->e == s->value ||
		       nw_entry_try_replace(s->ref, &s->e, s->value);
	}
	/* A member of a run changes only under the lock of all. */
	if (nwf_is_leaf(s->level, s->e) && nwf_is_leaf(s->level, s->value) &&
	    !nw_is_member(t, s->level, s->e) &&
	    (NW_SABOTAGE_NO_BBM ||
	     !nwf_change_needs_break(&t->geo, s->level, s->e, s->value)))
		return nw_entry_try_replace(s->ref, &s->e, s->value);
	return nw_entry_lock(s->ref, &s->e, nw_owner_token(&b->owner));
}

/* Take it if we may. *is_passed: there was nothing to take. */
static enum claim spot_claim(struct nw_take *k, struct spot *s, int *is_passed)
{
	enum claim what;

	s->e = nw_entry_read(s->ref);
	do {
		what = spot_judge(k, s, is_passed);
		if (what != CLAIM_DONE || *is_passed)
			return what;
	} while (!spot_take(k, s));
	*is_passed = !s->needs_flush;
	return CLAIM_DONE;
}

/* ---- entries of one page ------------------------------------------------- */

/* A leaf, or what a stolen lock hides, which may be anything. */
static void claim_note(struct nw_batch *b, const struct spot *s)
{
	const struct nw_table *t = b->owner.t;
	uint64_t start = s->base, end = start + nw_span_bytes(t, s->level);
	int was_locked = nwf_is_locked(s->e);

	nw_flush_add(&b->flush, s->base, end,
		     was_locked ? nw_levels_below(t, s->level + 1)
				: 1u << s->level,
		     was_locked && s->level);
	/* Its owner alone knows what a lock hides: we say "dirty". */
	if (b->tell.dirty && (was_locked || nwf_leaf_is_dirty(&t->geo, s->e))) {
		nw_run_widen(t, s->level, s->e, &start, &end);
		NW_FN(batch_note_dirty)(b, start, end);
	}
}

/* Claimed entries of one page that belong together. */
struct claim_run {
	struct nw_claim claim;
	nw_entry_t next; /* the leaf that would go on where the last one ends */
};

static void run_end(struct nw_batch *b, struct claim_run *run)
{
	if (run->claim.entries)
		b->claim[b->claims++] = run->claim;
	run->claim.entries = 0;
}

/* Holes are no matter; but leaves that are to be told go on from one another,
 * so that the first one speaks for all. */
static int run_goes_on(const struct nw_batch *b, const struct claim_run *run,
		       const struct spot *s)
{
	const struct nw_table *t = b->owner.t;
	const struct nw_claim *c = &run->claim;
	uint64_t end = c->base + c->entries * nw_span_bytes(t, s->level);

	if (!c->entries || !b->tell.replaced)
		return c->entries != 0;
	if (s->base != end)
		return 0;
	if (!nw_is_member(t, s->level, s->e))
		return s->e == run->next;
	/* The state of a contiguous run is that of any member. */
	return !((s->e ^ run->next) & ~nwf_leaf_state_bits(&t->geo, s->e));
}

static void run_add(struct nw_batch *b, struct claim_run *run,
		    const struct spot *s)
{
	const struct nw_geometry *geo = &b->owner.t->geo;
	struct nw_claim *c = &run->claim;

	claim_note(b, s);
	if (!run_goes_on(b, run, s)) {
		run_end(b, run);
		*c = (struct nw_claim){.first = s->ref,
				       .base = s->base,
				       .value = s->value,
				       .old = s->e,
				       .level = (uint8_t)s->level};
	}
	c->entries =
		(uint16_t)(((s->base - c->base) >> nw_span_lg2(geo, s->level)) +
			   1);
	if (!b->tell.replaced)
		return;
	run->next = nwf_leaf_next(geo, s->level, s->e);
	if (nw_is_member(b->owner.t, s->level, s->e) &&
	    nwf_leaf_is_dirty(geo, s->e))
		c->old = nwf_leaf_set_dirty(geo, c->old);
}

static void spot_at(const struct nw_take *k, const struct nw_iter *it,
		    unsigned i, struct spot *s)
{
	const uint64_t span = nw_span_bytes(it->t, it->level);

	s->level = it->level;
	s->base = nw_iter_base(it) + i * span;
	s->ref = nw_pteref_index(nw_iter_ref(it), i);
	s->is_covered = s->base >= it->addr && it->end - s->base >= span;
	s->has_run = nw_run_in(it->t, s->level, s->base, it->addr, it->end);
	spot_value(k, s);
}

/*
 * Claim entries of the page under the cursor until something is in the way;
 * the cursor stands there, s->e is what it was.
 */
static enum claim claim_page(struct nw_take *k, struct nw_iter *it,
			     struct spot *s)
{
	struct nw_batch *b = &k->batch;
	const uint64_t span = nw_span_bytes(it->t, it->level);
	const uint64_t base = nw_iter_base(it);
	const unsigned n = nw_iter_run(it);
	struct claim_run run = {.claim.entries = 0};
	enum claim what = CLAIM_DONE;
	unsigned i;

	for (i = 0; i < n; i++) {
		int is_passed;

		if (nw_batch_claims_full(b)) {
			what = CLAIM_FULL;
			break;
		}
		spot_at(k, it, i, s);
		what = spot_claim(k, s, &is_passed);
		if (what != CLAIM_DONE)
			break;
		if (is_passed)
			continue;
		if (!nwf_is_table(s->level, s->e)) {
			run_add(b, &run, s);
			continue;
		}
		/* It is opened when it is frozen, not with the run. */
		run_end(b, &run);
		NW_FN(batch_claim_table)
		(b, s->ref, s->e, s->level, s->base, s->value);
	}
	run_end(b, &run);
	if (i)
		nw_iter_goto(it, it->end - base > i * span ? base + i * span
							   : it->end);
	return what;
}

/* ---- a new table ----------------------------------------------------------
 */

/*
 * What comes to the entry under the cursor needs a table of its own: build it,
 * then take the entry for it. Nothing is locked yet.
 */
static enum claim claim_built(struct nw_take *k, struct nw_iter *it,
			      struct spot *s)
{
	struct nw_table *t = k->batch.owner.t;
	uint64_t stop = nw_iter_next_base(it);
	struct claim_run run = {.claim.entries = 0};

	if (stop > it->end)
		stop = it->end;
	spot_at(k, it, 0, s);
	if (!build(k, it->level - 1, it->addr, stop, &s->value))
		return CLAIM_NOMEM;
	s->e = nw_entry_read(s->ref);
	for (;;) {
		int is_passed;

		s->fits = 0;
		if (spot_judge(k, s, &is_passed) != CLAIM_BUILD) {
			/* Another CPU changed it: look again. */
			NW_FN(free_subtree)
			(t, NW_PA(nwf_table_pa(&t->geo, s->value)),
			 s->level - 1);
			return CLAIM_DONE;
		}
		if (spot_take(k, s))
			break;
	}
	if (s->needs_flush) {
		run_add(&k->batch, &run, s);
		run_end(&k->batch, &run);
	} else {
		NW_TRACE(NW_EV_PAGE_LINK, nwf_table_pa(&t->geo, s->value), 0,
			 s->level - 1);
	}
	nw_iter_goto(it, stop);
	return CLAIM_DONE;
}

/* ---- the range ------------------------------------------------------------
 */

/* The member under the cursor leaves its run; nothing is locked yet. */
static enum claim claim_broken(struct nw_take *k, const struct nw_iter *it)
{
	enum nw_status status = NW_FN(run_break)(&k->batch.owner, it);

	if (status == NW_E_CORRUPT)
		return CLAIM_CORRUPT;
	return status ? CLAIM_BUSY : CLAIM_DONE;
}

static enum claim claim_range(struct nw_take *k, struct nw_iter *it,
			      struct spot *s)
{
	enum claim what = CLAIM_DONE;

	while (what == CLAIM_DONE && nw_iter_more(it)) {
		what = claim_page(k, it, s);
		if (what == CLAIM_BUILD)
			what = k->batch.claims ? CLAIM_FULL
					       : claim_built(k, it, s);
		if (what == CLAIM_RUN)
			what = k->batch.claims ? CLAIM_FULL
					       : claim_broken(k, it);
		if (what == CLAIM_TABLE) {
			nw_iter_down(it, s->e);
			what = CLAIM_DONE;
		}
	}
	return what;
}

static enum nw_status take_status(const struct nw_take *k, enum claim what)
{
	switch (what) {
	case CLAIM_REFUSED:
		return k->otherwise;
	case CLAIM_NOMEM:
		return nw_page_shortage(k->batch.owner.t);
	case CLAIM_CORRUPT:
		return NW_E_CORRUPT;
	default:
		return NW_OK;
	}
}

enum nw_status NW_FN(take_edges)(struct nw_take *k, struct nw_result *result)
{
	unsigned of = 0;

	if (k->what & NW_TAKE_LEAF)
		of |= NW_EDGE_OF_LEAF;
	if (k->what & NW_TAKE_ANNOTATION)
		of |= NW_EDGE_OF_ANNOTATION;
	if (k->put == NW_PUT_ANNOTATION && (k->what & NW_TAKE_EMPTY))
		of |= NW_EDGE_OF_NOTHING;
	return NW_FN(split_edges_of)(k->batch.owner.t, k->start, k->end, of,
				     k->cache, result);
}

/* Claim and settle once, inside the section. */
static enum claim take_some(struct nw_take *k, struct nw_iter *it,
			    struct spot *s)
{
	enum claim what;

	if (k->put == NW_PUT_LEAVES)
		/* ORD-08: what the caller wrote to the pages comes before the
		 * entries that map them. */
		nw_port_store_barrier();
	what = claim_range(k, it, s);
	NW_FN(batch_settle)(&k->batch);
	if (k->put == NW_PUT_LEAVES)
		nw_port_publish_barrier(); /* ORD-09 */
	return what;
}

enum nw_status NW_FN(take_range)(struct nw_take *k, struct nw_result *result)
{
	struct nw_batch *b = &k->batch;
	struct nw_table *t = b->owner.t;
	struct nw_patience patience = {0};
	struct spot s = {.e = NWF_EMPTY};
	uint64_t start = k->start;
	enum claim what;
	struct nw_iter it;

	do {
		enum nw_status status;

		/* ORD-06: what is claimed stays allocated until it is opened,
		 * and the section ends before the grace period. */
		nw_section_enter(t);
		nw_iter_start(&it, t, start, k->end);
		what = take_some(k, &it, &s);
		nw_section_leave(t); /* ORD-06 */
		start = it.addr;
		if (what != CLAIM_FULL || b->dead_count > NW_DEAD_MAX / 2)
			NW_FN(batch_free)(b);
		k->start = start;
		status = take_status(k, what);
		if (what == CLAIM_EDGE)
			status = NW_FN(take_edges)(k, result);
		if (status)
			return nw_report(result, status, start, it.level, s.e);
		if (what > CLAIM_FULL && !nw_retry(t, &patience))
			return nw_report(result, NW_E_BUSY, start, it.level,
					 s.e);
	} while (what != CLAIM_DONE);
	return nw_report(result, NW_OK, k->end, 0, 0);
}
