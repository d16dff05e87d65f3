/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns each page, as each party's books say it. While an operation of
 * ownership is open the books may disagree; when the last one returns they are
 * compared, for the pages that were touched.
 *
 * Party 0 is the host, 1 the hypervisor, 2 and up are guests.
 */
#include "track.h"

#include <stdlib.h>

#define FRAME	   ((UINT64_C(1) << NWV_FRAME_LG2) - 1)
#define FRAMES_MAX (UINT64_C(1) << 24) /* of one event */
#define PINS_MAX   ((UINT32_C(1) << 28) - 1)

/* ---- one page, one party ----------------------------------------------------
 */

static uint64_t key_of(unsigned party, uint64_t frame)
{
	return (uint64_t)party << 40 | frame;
}

static enum nw_page_state state_in(uint32_t value)
{
	return value ? (enum nw_page_state)((value - 1) & 3) : NW_PAGE_NONE;
}

static uint32_t pins_in(uint32_t value)
{
	return value ? (value - 1) >> 2 : 0;
}

static uint32_t book(const struct nwv_check *c, unsigned party, uint64_t frame)
{
	return nwv_map_get(&c->books->state, key_of(party, frame));
}

static int is_owner(enum nw_page_state state)
{
	return state == NW_PAGE_OWNED || state == NW_PAGE_SHARED;
}

/* A party that owns the frame, other than `but`; -1: none. */
static int other_owner(const struct nwv_check *c, unsigned but, uint64_t frame)
{
	const struct nwv_books *b = c->books;
	unsigned i;

	for (i = 0; i < b->parties; i++)
		if (b->party[i] != but &&
		    is_owner(state_in(book(c, b->party[i], frame))))
			return b->party[i];
	return -1;
}

/* ---- comparing
 * ---------------------------------------------------------------- */

static void judge(struct nwv_check *c, enum nwv_books_flaw flaw, uint64_t frame,
		  struct nwv_mark since)
{
	struct nwv_facts f = {
		.on = NWV_ON_BOOKS,
		.event = c->now,
		.pa = frame << NWV_FRAME_LG2,
		.books = (uint8_t)flaw,
		.books_since = since,
	};

	nwv_judge(c, &f);
}

/* All parties' books of one page. */
static enum nwv_books_flaw frame_flaw(const struct nwv_check *c, uint64_t frame)
{
	const struct nwv_books *b = c->books;
	unsigned i, owners = 0, sharers = 0, borrowers = 0;
	uint32_t count = 0;

	for (i = 0; i < b->parties; i++) {
		uint32_t value = book(c, b->party[i], frame);

		owners += is_owner(state_in(value));
		borrowers += state_in(value) == NW_PAGE_BORROWED;
		if (state_in(value) == NW_PAGE_SHARED) {
			sharers++;
			count = pins_in(value);
		}
	}
	if (owners > 1)
		return NWV_BOOKS_TWO_OWNERS;
	if (!!sharers != !!borrowers || (borrowers > 1 && borrowers != count))
		return NWV_BOOKS_ALONE;
	return NWV_BOOKS_RIGHT;
}

/* ---- leaves
 * ---------------------------------------------------------------------- */

/* A leaf in a party's table: is one of its pages another party's alone? */
static void judge_leaf(struct nwv_check *c, uint16_t root, unsigned level,
		       uint64_t ia, uint64_t e, struct nwv_mark since)
{
	const struct nwv_root *r = &c->root[root];
	uint64_t frames = UINT64_C(1)
			  << (nwv_span_lg2(&r->shape, level) - NWV_FRAME_LG2);
	uint64_t first = nwv_leaf_pa(&r->shape, level, e) >> NWV_FRAME_LG2, n;
	struct nwv_facts f = {
		.on = NWV_ON_BOOKS,
		.event = c->now,
		.shape = &r->shape,
		.ia = ia,
		.before = e,
		.after = e,
		.level = level,
		.books = NWV_BOOKS_MAPPED,
		.books_since = since,
	};

	for (n = 0; n < frames; n++) {
		if (state_in(book(c, r->party - 1, first + n)) !=
			    NW_PAGE_NONE ||
		    other_owner(c, r->party - 1, first + n) < 0)
			continue;
		f.pa = (first + n) << NWV_FRAME_LG2;
		nwv_judge(c, &f);
		return;
	}
}

void nwv_books_leaf(struct nwv_check *c, const struct nwv_page *p,
		    unsigned index, uint64_t value)
{
	struct nwv_books *b = c->books;
	uint64_t ia = nwv_entry_ia(c, p, index);

	if (!c->root[p->root].party || !b->state.count)
		return;
	if (!c->ops || !c->ops->moves) {
		judge_leaf(c, p->root, p->level, ia, value,
			   (struct nwv_mark){0});
		return;
	}
	if (!nwv_room(c, (void **)&b->late, &b->late_room, b->lates,
		      sizeof(*b->late)))
		b->late[b->lates++] = (struct nwv_late_leaf){
			nwv_mark_of(c->now), ia, value, p->root, p->level};
}

/* Tables that map what they map at its own address, as the host's does. */
static void compare_identity(struct nwv_check *c, uint64_t frame,
			     struct nwv_mark since)
{
	uint64_t pa = frame << NWV_FRAME_LG2, e, base;
	unsigned level;
	uint32_t i;

	for (i = 1; i <= c->roots; i++) {
		const struct nwv_root *r = &c->root[i];

		if (!r->party || !r->is_live || !r->is_known ||
		    state_in(book(c, r->party - 1, frame)) != NW_PAGE_NONE ||
		    other_owner(c, r->party - 1, frame) < 0)
			continue;
		e = nwv_look(c, (uint16_t)i, pa, &level);
		if (nwv_kind(&r->shape, level, e) != NWV_LEAF)
			continue;
		base = pa & (~UINT64_C(0) << nwv_span_lg2(&r->shape, level));
		if (nwv_leaf_pa(&r->shape, level, e) == base)
			judge_leaf(c, (uint16_t)i, level, base, e, since);
	}
}

/* ---- the last operation has returned
 * -------------------------------------------- */

static void compare_touched(struct nwv_check *c)
{
	struct nwv_books *b = c->books;
	uint32_t i;
	uint64_t n;

	for (i = 0; i < b->toucheds; i++) {
		const struct nwv_touched *t = &b->touched[i];

		for (n = 0; n < t->frames; n++) {
			enum nwv_books_flaw flaw =
				frame_flaw(c, (t->pa >> NWV_FRAME_LG2) + n);

			if (flaw) {
				judge(c, flaw, (t->pa >> NWV_FRAME_LG2) + n,
				      t->since);
				break;
			}
		}
		for (n = 0; n < t->frames; n++)
			compare_identity(c, (t->pa >> NWV_FRAME_LG2) + n,
					 t->since);
	}
	b->toucheds = 0;
}

static void compare_late(struct nwv_check *c)
{
	struct nwv_books *b = c->books;
	unsigned level;
	uint32_t i;

	for (i = 0; i < b->lates; i++) {
		const struct nwv_late_leaf *l = &b->late[i];

		if (c->root[l->root].is_live &&
		    nwv_look(c, l->root, l->ia, &level) == l->entry &&
		    level == l->level)
			judge_leaf(c, l->root, level, l->ia, l->entry,
				   l->since);
	}
	b->lates = 0;
}

void nwv_books_begin(struct nwv_check *c)
{
	if (c->books)
		compare_touched(c);
}

/* It failed: every state is as it was. */
static void compare_undo(struct nwv_check *c, const struct nwv_op *op)
{
	struct nwv_map was = {0};
	uint32_t i = op->undos;

	/* The oldest of each last: that is what it was before. */
	while (i-- && !c->stopped)
		if (nwv_map_put(&was, op->undo[i].key, op->undo[i].was + 1))
			nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	for (i = 0; i < op->undos && !c->stopped; i++) {
		uint64_t key = op->undo[i].key;
		uint32_t now = nwv_map_get(&c->books->state, key);
		uint32_t then = nwv_map_get(&was, key) - 1;

		if (state_in(now) == state_in(then) &&
		    pins_in(now) == pins_in(then))
			continue;
		judge(c, NWV_BOOKS_CHANGED, key & ((UINT64_C(1) << 40) - 1),
		      op->begin);
		break;
	}
	nwv_map_free(&was);
}

void nwv_books_return(struct nwv_check *c, struct nwv_op *op,
		      const struct nwv_event *e)
{
	unsigned status = e->c >> 16 & 0xff;

	if (!c->books)
		return;
	/* NW_MORE has done a part, and says so. */
	if (status > 1)
		compare_undo(c, op);
	if (c->ops->moves)
		return;
	compare_touched(c);
	compare_late(c);
}

void nwv_books_end(struct nwv_check *c)
{
	if (c->books && !(c->ops && c->ops->moves))
		compare_touched(c);
}

/* ---- events
 * ----------------------------------------------------------------------- */

static void party_note(struct nwv_check *c, uint16_t party)
{
	struct nwv_books *b = c->books;
	unsigned i;

	for (i = 0; i < b->parties; i++)
		if (b->party[i] == party)
			return;
	if (b->parties == NWV_PARTIES_MAX)
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: page_state: more than %u parties",
			 (unsigned long long)c->now->seq, NWV_PARTIES_MAX);
	else
		b->party[b->parties++] = party;
}

/* A pinned page stays where it is, and lent if it is lent. */
static int is_moved_pinned(uint32_t was, enum nw_page_state state)
{
	enum nw_page_state before = state_in(was);

	if (!pins_in(was) || before == state)
		return 0;
	return before != NW_PAGE_OWNED || state != NW_PAGE_SHARED;
}

/* One page of one party; the flaw that shows at once. */
static enum nwv_books_flaw set_state(struct nwv_check *c, struct nwv_op *op,
				     unsigned party, uint64_t frame,
				     uint32_t value)
{
	struct nwv_books *b = c->books;
	uint32_t was = book(c, party, frame);
	enum nw_page_state state = state_in(value);

	if (op && !nwv_room(c, (void **)&op->undo, &op->undo_room, op->undos,
			    sizeof(*op->undo)))
		op->undo[op->undos++] =
			(struct nwv_undo){key_of(party, frame), was};
	if (nwv_map_put(&b->state, key_of(party, frame), value))
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	if (party >= NWV_PARTY_GUEST && state == NW_PAGE_OWNED &&
	    nwv_map_put(&b->tainted, frame, 1))
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
	if (is_moved_pinned(was, state))
		return NWV_BOOKS_PINNED;
	if (party == NWV_PARTY_HOST && state == NW_PAGE_OWNED &&
	    nwv_map_get(&b->tainted, frame)) {
		nwv_map_del(&b->tainted, frame);
		return NWV_BOOKS_DIRTY;
	}
	if (!(c->ops && c->ops->moves) && is_owner(state) &&
	    other_owner(c, party, frame) >= 0)
		return NWV_BOOKS_TWO_OWNERS;
	return NWV_BOOKS_RIGHT;
}

static void page_state(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_op *op = nwv_op_move(c, e->cpu);
	struct nwv_mark since = op ? op->begin : (struct nwv_mark){0};
	uint32_t pins = (uint32_t)(e->c >> 32);
	uint32_t value =
		1 + (uint32_t)((e->c >> 16 & 3) |
			       (pins < PINS_MAX ? pins : PINS_MAX) << 2);
	unsigned party = (unsigned)(e->c & 0xffff), seen = 0;
	struct nwv_books *b = c->books;
	uint64_t n;

	party_note(c, (uint16_t)party);
	for (n = 0; n < e->b >> NWV_FRAME_LG2 && !c->stopped; n++) {
		uint64_t frame = (e->a >> NWV_FRAME_LG2) + n;
		enum nwv_books_flaw flaw =
			set_state(c, op, party, frame, value);

		if (flaw && !(seen >> flaw & 1))
			judge(c, flaw, frame, since);
		seen |= 1u << flaw;
		/* Reported: not compared again. */
		if (flaw == NWV_BOOKS_TWO_OWNERS)
			return;
	}
	if (!nwv_room(c, (void **)&b->touched, &b->touched_room, b->toucheds,
		      sizeof(*b->touched)))
		b->touched[b->toucheds++] = (struct nwv_touched){
			nwv_mark_of(e), e->a, e->b >> NWV_FRAME_LG2};
}

static void scrub(struct nwv_check *c, const struct nwv_event *e)
{
	uint64_t n;

	for (n = 0; n < e->b >> NWV_FRAME_LG2; n++)
		nwv_map_del(&c->books->tainted, (e->a >> NWV_FRAME_LG2) + n);
}

void nwv_step_books(struct nwv_check *c, const struct nwv_event *e)
{
	uint16_t root;

	if (!c->books)
		c->books = nwv_make(c, sizeof(*c->books));
	if (!c->books)
		return;
	if (e->kind == NW_EV_TABLE_OWNER) {
		root = nwv_root_at(c, e->a);
		if (root && e->c <= 0xffff) {
			c->root[root].party = (uint32_t)e->c + 1;
			c->watch_leaf |= NWV_WATCH_OWNER;
			return;
		}
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: table_owner: %s (%#llx)",
			 (unsigned long long)e->seq,
			 root ? "party above 65535" : "no table has this root",
			 (unsigned long long)(root ? e->c : e->a));
		return;
	}
	if ((e->a & FRAME) || (e->b & FRAME) || !e->b ||
	    e->b >> NWV_FRAME_LG2 > FRAMES_MAX) {
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: range of pages is empty, not aligned to "
			 "4096, or beyond 64 GiB (%#llx)",
			 (unsigned long long)e->seq, (unsigned long long)e->b);
		return;
	}
	if (e->kind == NW_EV_PAGE_STATE)
		page_state(c, e);
	else
		scrub(c, e);
}

void nwv_books_free(struct nwv_check *c)
{
	if (!c->books)
		return;
	nwv_map_free(&c->books->state);
	nwv_map_free(&c->books->tainted);
	free(c->books->touched);
	free(c->books->late);
	free(c->books);
}
