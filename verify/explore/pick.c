/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choices: which value, which walk, who goes next; by the strategy in force.
 */
#include <stdio.h>
#include <string.h>

#include "../machine/tlb.h"
#include "engine.h"

/* ---- random numbers ---------------------------------------------------- */

unsigned nwx_random(unsigned n)
{
	/* xorshift64* */
	nwx.rng ^= nwx.rng >> 12;
	nwx.rng ^= nwx.rng << 25;
	nwx.rng ^= nwx.rng >> 27;
	return (unsigned)((nwx.rng * UINT64_C(2685821657736338717) >> 33) % n);
}

/* ---- choices ----------------------------------------------------------- */

void nwx_choice_record(unsigned value, unsigned by)
{
	if (nwx.chosen_count == NWX_CHOICES_MAX)
		nwx_error("more choices in one execution than there is "
			     "room for");
	nwx.chosen_by[nwx.chosen_count] = (uint8_t)by;
	nwx.chosen[nwx.chosen_count++] = (uint8_t)value;
}

static unsigned choice_from_digit(char c)
{
	return c >= '0' && c <= '9' ? (unsigned)(c - '0') :
				      (unsigned)(c - 'a') + 10;
}

static unsigned replay_next(unsigned n)
{
	const char *c = nwx.o->choices;
	unsigned value;

	if (nwx.chosen_count >= strlen(c))
		return 0;
	value = choice_from_digit(c[nwx.chosen_count]);
	if (value >= n)
		nwx_error("the choices do not fit this scenario: they were "
			     "recorded with another version or other bounds");
	return value;
}

static unsigned systematic_data(unsigned n)
{
	struct nwx_node *node = &nwx_node[nwx.depth];

	if (nwx.depth + 1 >= NWX_CHOICES_MAX)
		nwx_error("more choices in one execution than there is "
			     "room for");
	if (nwx.depth == nwx.nodes) {
		node->is_data = 1;
		node->n = (uint8_t)n;
		node->cur = 0;
		nwx.nodes++;
	} else if (!node->is_data || node->n != n) {
		nwx_error("the scenario is not deterministic: the same "
			     "choices led elsewhere");
	}
	nwx.depth++;
	return node->cur;
}

static unsigned choosing_actor(void)
{
	if (nwx.walking)
		return (unsigned)(nwx.walking - nwx.actor);
	return nwx.self < 0 ? NWX_BY_NOBODY : (unsigned)nwx.self;
}

static unsigned guided_data(unsigned n)
{
	const struct nwx_guide *g = nwx.guide;
	unsigned actor = choosing_actor();
	unsigned at = nwx.guide_data[actor]++;

	if (at >= g->data_count[actor])
		return 0;
	return g->data[actor][at] < n ? g->data[actor][at] : n - 1;
}

unsigned nwm_choose(enum nwm_choice why, unsigned n)
{
	unsigned value;

	if (nwx.phase != NWX_RUN)
		return 0;
	if (n > 36)
		nwx_error("a choice with more than 36 values");
	if (nwx.guide)
		value = guided_data(n);
	else if (nwx.o->strategy == NWX_SYSTEMATIC)
		value = systematic_data(n);
	else if (nwx.o->strategy == NWX_REPLAY)
		value = replay_next(n);
	else
		/* The newest value half of the time. */
		value = why == NWM_CHOOSE_STALE && nwx_random(2) ?
				0 :
				nwx_random(n);
	nwx_choice_record(value, choosing_actor());
	return value;
}

/* ---- who goes next ----------------------------------------------------- */

static unsigned lowest(unsigned mask)
{
	return (unsigned)__builtin_ctz(mask);
}

/* Stay where we are if that is possible: fewest switches come first. */
static unsigned stay_or_lowest(unsigned mask)
{
	if (nwx.self >= 0 && (mask >> nwx.self & 1))
		return (unsigned)nwx.self;
	return lowest(mask);
}

/*
 * With several shards, all orders of the first steps are tried, so that every
 * shard sees the same beginnings whatever it finds behind them; each beginning
 * belongs to one shard.
 */
/* What the last scheduling node had asleep, unless its step woke it. */
static uint8_t sleep_here(void)
{
	for (unsigned d = nwx.depth; d--;) {
		const struct nwx_node *last = &nwx_node[d];

		if (!last->is_data)
			return nwx_sleep_after(last, last->cur,
					       &nwx_steps[nwx.visible - 1].op);
	}
	return 0;
}

/* Who may go on within the bound on preemptions. Walks are none. */
static uint8_t allowed(unsigned enabled)
{
	const unsigned walkers = ~((1u << NWM_CPUS_MAX) - 1);

	if (nwx.o->preemptions < 0 || nwx.self < 0 || !(enabled >> nwx.self & 1) ||
	    nwx.preempted < (unsigned)nwx.o->preemptions)
		return (uint8_t)enabled;
	return (uint8_t)((enabled & walkers) | 1u << nwx.self);
}

static unsigned pick_systematic(unsigned enabled)
{
	struct nwx_node *node = &nwx_node[nwx.depth];
	unsigned open;

	if (nwx.depth + 1 >= NWX_CHOICES_MAX)
		nwx_error("more choices in one execution than there is "
			     "room for");
	if (nwx.depth < nwx.nodes) {
		if (node->is_data || node->enabled != enabled)
			nwx_error("the scenario is not deterministic: the "
				     "same choices led elsewhere");
		nwx.depth++;
		return node->cur;
	}
	node->is_data = 0;
	node->enabled = (uint8_t)enabled;
	node->done = 0;
	node->allowed = allowed(enabled);
	node->sleep = nwx_reducing() == NWX_BY_SOURCE_SETS ? sleep_here() : 0;
	for (unsigned i = 0; i < NWX_ACTORS; i++)
		if (enabled >> i & 1)
			node->pend[i] = nwx.actor[i].pend;
	open = node->allowed & ~node->sleep;
	if (!open)
		nwx_end_execution(NWX_PRUNED);
	node->cur = (uint8_t)stay_or_lowest(open);
	node->backtrack = (uint8_t)(1u << node->cur);
	if (nwx_reducing() == NWX_ALL_ORDERS)
		node->backtrack = (uint8_t)enabled;
	if (nwx.o->shards > 1) {
		if (nwx.visible < NWX_SHARD_DEPTH)
			node->backtrack = (uint8_t)enabled;
		else if (nwx.visible == NWX_SHARD_DEPTH &&
			 nwx.unit++ % nwx.o->shards != nwx.o->shard)
			nwx_end_execution(NWX_PRUNED);
	}
	nwx.nodes++;
	nwx.depth++;
	return node->cur;
}

/* Half of the walks come when all CPUs are through. */
static unsigned walk_time(void)
{
	unsigned last = nwx.clock_max ? nwx.clock_max : 32;

	return nwx_random(2) ? ~0u : nwx_random(last);
}

/* A walk comes at its own random time, whatever the priorities of CPUs are: a
 * walker that had a priority, too, would come either before all that a change
 * point delays or not before everything is over. */
static unsigned walk_due(unsigned enabled)
{
	for (unsigned i = NWM_CPUS_MAX; i < NWX_ACTORS; i++)
		if ((enabled >> i & 1) && nwx.walk_at[i] <= nwx.clock)
			return i;
	return NWX_ACTORS;
}

static unsigned highest(unsigned enabled)
{
	unsigned best = lowest(enabled);

	for (unsigned i = 0; i < NWM_CPUS_MAX; i++)
		if ((enabled >> i & 1) && nwx.priority[i] > nwx.priority[best])
			best = i;
	return best;
}

static unsigned pick_pct(unsigned enabled)
{
	const unsigned cpus = (1u << NWM_CPUS_MAX) - 1;
	unsigned walker = walk_due(enabled), best;

	if (walker < NWX_ACTORS) {
		nwx.walk_at[walker] = walk_time();
		return walker;
	}
	/* Only walks are left: they come now. */
	if (!(enabled & cpus))
		return lowest(enabled);
	best = highest(enabled & cpus);
	/* Whoever would take the step at a change point steps back. */
	for (unsigned i = 0; i < nwx.o->pct_changes && i < 16; i++)
		if (nwx.change_at[i] == nwx.clock) {
			nwx.priority[best] = i;
			best = highest(enabled & cpus);
		}
	return best;
}

static unsigned pick_guided(unsigned enabled)
{
	const struct nwx_guide *g = nwx.guide;

	while (nwx.guide_block < g->blocks) {
		unsigned actor = g->block[nwx.guide_block].actor;

		if (nwx.guide_used < g->block[nwx.guide_block].steps &&
		    (enabled >> actor & 1)) {
			nwx.guide_used++;
			return actor;
		}
		nwx.guide_block++;
		nwx.guide_used = 0;
	}
	return stay_or_lowest(enabled);
}

static unsigned pick_random(unsigned enabled)
{
	unsigned n = nwx_random((unsigned)__builtin_popcount(enabled));

	while (n--)
		enabled &= enabled - 1;
	return lowest(enabled);
}

static unsigned pick_replay(unsigned enabled)
{
	unsigned actor = replay_next(NWX_ACTORS);

	if (nwx.chosen_count >= strlen(nwx.o->choices))
		return stay_or_lowest(enabled);
	if (!(enabled >> actor & 1))
		nwx_error("the choices do not fit this scenario: they were "
			     "recorded with another version or other bounds");
	return actor;
}

unsigned nwx_pick(unsigned enabled)
{
	unsigned actor;

	if (nwx.guide)
		actor = pick_guided(enabled);
	else if (nwx.o->strategy == NWX_SYSTEMATIC)
		actor = pick_systematic(enabled);
	else if (!(enabled & (enabled - 1)))
		return lowest(enabled);
	else if (nwx.o->strategy == NWX_REPLAY)
		actor = pick_replay(enabled);
	else if (nwx.o->strategy == NWX_PCT)
		actor = pick_pct(enabled);
	else
		actor = pick_random(enabled);
	if (enabled & (enabled - 1))
		nwx_choice_record(actor, NWX_BY_SCHEDULER);
	if (actor < NWM_CPUS_MAX && nwx.self >= 0 && actor != (unsigned)nwx.self &&
	    (enabled >> nwx.self & 1))
		nwx.preempted++;
	return actor;
}

void nwx_pct_prepare(void)
{
	for (unsigned i = 0; i < NWM_CPUS_MAX; i++)
		nwx.priority[i] = 100 + nwx_random(10000);
	for (unsigned i = NWM_CPUS_MAX; i < NWX_ACTORS; i++)
		nwx.walk_at[i] = walk_time();
	for (unsigned i = 0; i < 16; i++)
		nwx.change_at[i] =
			nwx_random(nwx.clock_max ? nwx.clock_max : 32);
}

const char *nwx_strategy_name(enum nwx_strategy strategy)
{
	static const char *const names[] = {"systematic", "pct", "random",
					    "replay"};

	return names[strategy];
}
