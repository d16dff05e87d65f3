/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a counterexample small: leave out a walk, let a load see the newest
 * value, join two stretches of one CPU, leave out the end of one; keep what
 * still shows the same violation and is smaller; until nothing helps any more.
 */
#include <string.h>

#include "engine.h"

#define BLOCKS_MAX 4096u

struct cost {
	unsigned walks, data, blocks, steps;
};

struct shrink {
	const struct nwx_scenario *s;
	const struct nwx_options *o;
	enum nwm_violation violation;
	const char *rule; /* NWM_RULE: which */
	struct nwx_guide best;
	struct cost best_cost;
	struct nwx_result result; /* of the best run */
};

static void guide_free(struct nwx_guide *g)
{
	free(g->block);
	for (unsigned i = 0; i < NWX_ACTORS; i++)
		free(g->data[i]);
	memset(g, 0, sizeof(*g));
}

static int guide_copy(struct nwx_guide *to, const struct nwx_guide *from)
{
	*to = *from;
	to->block = malloc((from->blocks + 1) * sizeof(*to->block));
	if (!to->block)
		return -1;
	if (from->blocks) /* memcpy() takes no NULL, not even for nothing */
		memcpy(to->block, from->block,
		       from->blocks * sizeof(*to->block));
	for (unsigned i = 0; i < NWX_ACTORS; i++) {
		to->data[i] = malloc(from->data_count[i] + 1);
		if (!to->data[i])
			return -1;
		if (from->data_count[i])
			memcpy(to->data[i], from->data[i],
			       from->data_count[i]);
	}
	return 0;
}

static int guide_add_data(struct nwx_guide *g, unsigned actor, uint8_t value)
{
	uint8_t *more = realloc(g->data[actor], g->data_count[actor] + 1);

	if (!more)
		return -1;
	g->data[actor] = more;
	more[g->data_count[actor]++] = value;
	return 0;
}

/* The schedule of the execution that has just ended. */
static int guide_take(struct nwx_guide *g, struct cost *cost)
{
	memset(g, 0, sizeof(*g));
	memset(cost, 0, sizeof(*cost));
	g->block = malloc(BLOCKS_MAX * sizeof(*g->block));
	if (!g->block)
		return -1;
	g->walks = nwx.walks;
	memcpy(g->assign, nwx.assigned, sizeof(g->assign));
	for (unsigned i = 0; i < nwx.visible; i++) {
		unsigned actor = nwx.taken[i];

		if (g->blocks && g->block[g->blocks - 1].actor == actor) {
			g->block[g->blocks - 1].steps++;
			continue;
		}
		if (g->blocks == BLOCKS_MAX)
			return -1;
		g->block[g->blocks].actor = (uint8_t)actor;
		g->block[g->blocks++].steps = 1;
	}
	for (unsigned i = 0; i < nwx.chosen_count; i++) {
		if (nwx.chosen_by[i] >= NWX_ACTORS)
			continue;
		cost->data += nwx.chosen[i] != 0;
		if (guide_add_data(g, nwx.chosen_by[i], nwx.chosen[i]))
			return -1;
	}
	cost->walks = g->walks;
	cost->blocks = g->blocks;
	cost->steps = nwx.visible;
	return 0;
}

static int cheaper(const struct cost *a, const struct cost *b)
{
	if (a->walks != b->walks)
		return a->walks < b->walks;
	if (a->data != b->data)
		return a->data < b->data;
	if (a->blocks != b->blocks)
		return a->blocks < b->blocks;
	return a->steps < b->steps;
}

/* Run `g`; take it over if it shows the violation at a lower cost. */
static int attempt(struct shrink *k, struct nwx_guide *g)
{
	struct nwx_guide taken = {0};
	struct nwx_result r;
	struct cost cost;

	if (nwx_run_guided(k->s, k->o, g, &r) ||
	    r.violation != k->violation || strcmp(r.rule, k->rule) ||
	    !r.choices ||
	    guide_take(&taken, &cost) || !cheaper(&cost, &k->best_cost)) {
		free(r.choices);
		guide_free(&taken);
		return 0;
	}
	guide_free(&k->best);
	free(k->result.choices);
	k->best = taken;
	k->best_cost = cost;
	k->result = r;
	return 1;
}

/* Walks of one pair share an actor; actors are numbered in order of pairs. */
static void drop_actor(struct nwx_guide *g, unsigned actor)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < g->blocks; i++) {
		if (g->block[i].actor == actor)
			continue;
		g->block[kept] = g->block[i];
		g->block[kept++].actor -= g->block[i].actor > actor;
	}
	g->blocks = kept;
	free(g->data[actor]);
	for (unsigned i = actor; i + 1 < NWX_ACTORS; i++) {
		g->data[i] = g->data[i + 1];
		g->data_count[i] = g->data_count[i + 1];
	}
	g->data[NWX_ACTORS - 1] = NULL;
	g->data_count[NWX_ACTORS - 1] = 0;
}

static int without_walk(struct shrink *k, unsigned w)
{
	unsigned actor = NWM_CPUS_MAX, sharing = 0;
	struct nwx_guide g;
	int better;

	if (guide_copy(&g, &k->best))
		return 0;
	for (unsigned i = 0; i < g.walks; i++) {
		sharing += g.assign[i] == g.assign[w];
		actor += i && i <= w && g.assign[i] != g.assign[i - 1];
	}
	if (sharing == 1)
		drop_actor(&g, actor);
	for (unsigned i = w; i + 1 < g.walks; i++)
		g.assign[i] = g.assign[i + 1];
	g.walks--;
	better = attempt(k, &g);
	guide_free(&g);
	return better;
}

static int without_data(struct shrink *k, unsigned actor, unsigned at)
{
	struct nwx_guide g;
	int better;

	if (!k->best.data[actor][at] || guide_copy(&g, &k->best))
		return 0;
	g.data[actor][at] = 0;
	better = attempt(k, &g);
	guide_free(&g);
	return better;
}

/* Take the steps of block `at` together with the same actor's previous
 * (`step` -1) or next (+1) ones; with none there, leave them to the end. */
static int joined(struct shrink *k, unsigned at, int step)
{
	struct nwx_guide g;
	int better, other = (int)at + step;

	if (guide_copy(&g, &k->best))
		return 0;
	while (other >= 0 && other < (int)g.blocks &&
	       g.block[other].actor != g.block[at].actor)
		other += step;
	if (other >= 0 && other < (int)g.blocks)
		g.block[other].steps =
			(uint16_t)(g.block[other].steps + g.block[at].steps);
	memmove(&g.block[at], &g.block[at + 1],
		(g.blocks - at - 1) * sizeof(g.block[0]));
	g.blocks--;
	better = attempt(k, &g);
	guide_free(&g);
	return better;
}

/* Without the last steps of a block: they come later, or never. */
static int shortened(struct shrink *k, unsigned at)
{
	unsigned steps = k->best.block[at].steps;
	struct nwx_guide g;
	int better = 0;

	for (unsigned cut = steps / 2; cut && !better; cut /= 2) {
		if (guide_copy(&g, &k->best))
			return 0;
		g.block[at].steps = (uint16_t)(steps - cut);
		better = attempt(k, &g);
		guide_free(&g);
	}
	return better;
}

static int shrink_once(struct shrink *k)
{
	for (unsigned w = 0; w < k->best.walks; w++)
		if (without_walk(k, w))
			return 1;
	for (unsigned a = 0; a < NWX_ACTORS; a++)
		for (unsigned i = 0; i < k->best.data_count[a]; i++)
			if (without_data(k, a, i))
				return 1;
	for (unsigned i = 0; i < k->best.blocks; i++)
		if (joined(k, i, -1) || joined(k, i, 1))
			return 1;
	for (unsigned i = 0; i < k->best.blocks; i++)
		if (shortened(k, i))
			return 1;
	return 0;
}

int nwx_shrink(const struct nwx_scenario *s, const struct nwx_options *o,
	       struct nwx_result *r)
{
	struct nwx_options options = *o;
	struct shrink k = {.s = s,
			   .o = &options,
			   .violation = r->violation,
			   .rule = r->rule};

	if (!r->choices)
		return -1;
	options.target = r->violation;
	options.walks = (int)r->walks;
	options.cpus = r->cpus;
	if (nwx_replay(s, &options, r->choices, &k.result, NULL, NULL) ||
	    k.result.violation != r->violation ||
	    guide_take(&k.best, &k.best_cost)) {
		free(k.result.choices);
		guide_free(&k.best);
		return -1;
	}
	while (shrink_once(&k))
		;
	free(r->choices);
	r->choices = k.result.choices;
	r->walks = k.best.walks;
	memcpy(r->text, k.result.text, sizeof(r->text));
	guide_free(&k.best);
	return 0;
}
