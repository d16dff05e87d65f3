/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Issuing what was gathered; and sharing it (NW_MODE_SHARED).
 *
 * Flushes of a table that go one after the other are counted, in turns. Whoever
 * finds no turn in progress begins one, and issues just what it gathered.
 * Whoever finds one cannot use it: it may have begun before our entries were
 * cleared. So we ask for the next turn, and wait. When it comes, one CPU of all
 * that wait begins it: it covers the whole table, for all of them. A CPU that
 * another one served has issued nothing.
 *
 *   flush_turns  turns begun << 16 | CPUs that have asked for the next one
 *   flush_done   turns that are complete
 *
 * Asking is an atomic step on flush_turns after the clears, beginning a turn
 * one from the same word: a turn that counts us covers what we cleared before.
 * Waiting is bounded; whoever has waited enough issues its own, outside of all
 * turns.
 */
#include "flush.h"
#include "range.h"
#include "stats.h"

#define ASKED_BITS 16
#define ASKED_MASK ((UINT64_C(1) << ASKED_BITS) - 1)

/* Looks at another CPU's turn before one issues one's own: an invalidation is
 * microseconds, an entry may be locked for longer. */
#ifndef NW_FLUSH_PATIENCE
#define NW_FLUSH_PATIENCE (NW_PORT_PATIENCE / 16 + 1)
#endif

static void issue(struct nw_table *t, const struct nw_flush_request *request)
{
	nw_stat_add(t, &t->stats.flushes, 1);
	nw_stat_add(t, &t->stats.flush_ranges, request->ranges);
	/* ORD-07 orders the cleared entries before the invalidation, and the
	 * invalidation's completion before anything that follows; pairs with
	 * the hardware walker and TLBs of every CPU. The port's invalidate()
	 * carries the barriers on both sides. Without it a CPU goes on using,
	 * or refetches, what was removed. */
	t->port->invalidate(t->port_ctx, request);
}

static void issue_own(struct nw_table *t, const struct nw_flush *flush)
{
	const struct nw_flush_request request = nw_flush_request_of(t, flush);

	issue(t, &request);
}

/* All levels, tables and leaves, of all that the table can translate. */
static void issue_whole(struct nw_table *t)
{
	const struct nw_flush all = {
		.ranges = 1,
		.range = {{.end = UINT64_C(1) << t->geo.ia_bits,
			   .leaf_levels = t->geo.leaf_levels,
			   .had_tables = 1}}};
	struct nw_flush_request request = nw_flush_request_of(t, &all);

	request.is_whole = 1;
	nw_stat_add(t, &t->stats.flush_wholes, 1);
	issue(t, &request);
}

/* ---- turns --------------------------------------------------------------- */

/*
 * Begin the turn after `done`, the last one that was seen complete, and do it:
 * `asked` of those that have asked for it are we. 0: it has begun already.
 */
static int take_turn(struct nw_table *t, const struct nw_flush *flush,
		     uint64_t done, uint64_t asked)
{
	uint64_t word = nw_port_load(&t->flush_turns);
	uint64_t turn = word >> ASKED_BITS;

	if (turn != done)
		return 0;
	/* ORD-41 orders the clears of every CPU that has asked, which it did
	 * after them, before this turn's invalidation; pairs with ask().
	 * Without it the turn leaves out one that is going to rely on it. */
	if (!nw_port_cmpxchg(&t->flush_turns, &word, (turn + 1) << ASKED_BITS))
		return 0;
	if ((word & ASKED_MASK) > asked)
		issue_whole(t);
	else
		issue_own(t, flush);
	/* ORD-42 orders this CPU's invalidation, its last barrier included,
	 * before the turn counts as complete; pairs with the loads of
	 * flush_done. Without it another CPU relies on an invalidation that is
	 * still on its way: no barrier of its own would complete that. */
	nw_port_store_release(&t->flush_done, turn + 1);
	return 1;
}

/* Ask for the next turn, and say which that is. */
static uint64_t ask(struct nw_table *t)
{
	uint64_t word = nw_port_load(&t->flush_turns);

	/* ORD-40 orders this CPU's clears before the invalidation of another
	 * CPU, for the hardware walkers: the barriers of that CPU complete its
	 * own stores, not ours. Pairs with who takes the turn. Without it a
	 * walker may read the old entry again behind that invalidation. */
	nw_port_publish_barrier();
	/* ORD-41: after the clears, and one step with reading which turn has
	 * begun. */
	while (!nw_port_cmpxchg(&t->flush_turns, &word, word + 1))
		;
	return (word >> ASKED_BITS) + 1;
}

static void issue_or_share(struct nw_table *t, const struct nw_flush *flush)
{
	/* ORD-42: a turn that is complete is so for who sees ours complete. */
	uint64_t done = nw_port_load_acquire(&t->flush_done);
	uint64_t turn;

	if (take_turn(t, flush, done, 0))
		return;
	turn = ask(t);
	for (unsigned looks = 0; looks < NW_FLUSH_PATIENCE; looks++) {
		/* ORD-42: the invalidation is complete, for us as well. */
		done = nw_port_load_acquire(&t->flush_done);
		if (done >= turn) {
			nw_stat_add(t, &t->stats.flush_shared, 1);
			/* ORD-09: its issuer's ISB was not ours. */
			nw_port_publish_barrier();
			return;
		}
		if (take_turn(t, flush, done, 1))
			return;
		nw_port_relax();
	}
	issue_own(t, flush);
}

void nw_flush_issue(struct nw_table *t, struct nw_flush *flush)
{
	if (!flush->ranges)
		return;
	if (t->mode == NW_MODE_SHARED && t->flush_policy == NW_FLUSH_SHARE)
		issue_or_share(t, flush);
	else
		issue_own(t, flush);
	flush->ranges = 0;
}

/* ---- gathers ------------------------------------------------------------- */

/* Invalidate, then free what was dropped, after a grace period where somebody
 * may read it. */
static void gather_settle(struct nw_gather *g)
{
	struct nw_table *t = g->table;
	const uint64_t offset = (UINT64_C(1) << t->geo.granule_lg2) - 1;

	nw_flush_issue(t, &g->flush); /* ORD-07 */
	if (!g->subtrees)
		return;
	if (t->mode != NW_MODE_EXCLUSIVE)
		/* ORD-05: no reader is in these pages any more. */
		nw_port_synchronize();
	while (g->subtrees) {
		uint64_t page = g->subtree[--g->subtrees];

		t->ops->free_subtree(t, NW_PA(page & ~offset),
				     (unsigned)(page & offset));
	}
}

void nw_gather_add(struct nw_gather *g, struct nw_flush *flush,
		   const uint64_t *subtree, unsigned subtrees)
{
	for (unsigned i = 0; i < flush->ranges; i++) {
		const struct nw_flush_range *r = &flush->range[i];

		nw_flush_add(&g->flush, r->start, r->end, r->leaf_levels,
			     r->had_tables);
	}
	flush->ranges = 0;
	if (g->subtrees + subtrees > NW_GATHER_SUBTREES) {
		gather_settle(g);
		g->early++;
	}
	for (unsigned i = 0; i < subtrees; i++)
		g->subtree[g->subtrees++] = subtree[i];
}

void nw_gather_begin(struct nw_gather *g, struct nw_table *t)
{
	g->table = t;
	g->flush.ranges = 0;
	g->subtrees = g->early = 0;
}

/* For who reads a trace: what gathered operations owe is paid here. */
static void trace_finish(NW_UNUSED enum nw_event event,
			 NW_UNUSED const struct nw_table *t)
{
	NW_TRACE(event, 0, UINT64_C(1) << t->geo.ia_bits,
		 NW_TRACE_OP(NW_OP_GATHER, t->mode + 1u, NW_OK, t->root_pa.v));
}

unsigned nw_gather_finish(struct nw_gather *g)
{
	struct nw_table *t = g ? g->table : NULL;

	if (!t)
		return 0;
	trace_finish(NW_EV_OP_BEGIN, t);
	gather_settle(g);
	trace_finish(NW_EV_OP_END, t);
	g->table = NULL;
	return g->early;
}

/* ---- operations that gather ---------------------------------------------- */

static enum nw_status gather_check(const struct nw_table *t, nw_ia_t ia,
				   const struct nw_gather *g,
				   struct nw_result *result)
{
	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	if (!nw_gather_fits(g, t))
		return nw_refuse(result, NW_E_CONFIG, ia.v, "g");
	return NW_OK;
}

enum nw_status nw_unmap_gather(struct nw_table *t, nw_ia_t ia,
			       uint64_t size_bytes, struct nw_page_cache *cache,
			       struct nw_gather *g, struct nw_result *result)
{
	enum nw_status status = gather_check(t, ia, g, result);

	return status ? status
		      : t->ops->unmap_gather(t, ia, size_bytes, cache, g,
					     result);
}

enum nw_status nw_write_protect_gather(struct nw_table *t, nw_ia_t ia,
				       uint64_t size_bytes, nw_range_fn dirty,
				       void *arg, struct nw_page_cache *cache,
				       struct nw_gather *g,
				       struct nw_result *result)
{
	enum nw_status status = gather_check(t, ia, g, result);

	return status ? status
		      : t->ops->write_protect_gather(t, ia, size_bytes, dirty,
						     arg, cache, g, result);
}

enum nw_status nw_harvest_dirty_gather(struct nw_table *t, nw_ia_t ia,
				       uint64_t size_bytes, nw_range_fn dirty,
				       void *arg, struct nw_gather *g,
				       struct nw_result *result)
{
	enum nw_status status = gather_check(t, ia, g, result);

	return status ? status
		      : t->ops->harvest_dirty_gather(t, ia, size_bytes, dirty,
						     arg, g, result);
}
