/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exploring: one execution after another, until nothing is left that differs,
 * a bound is met, or something is found.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../machine/tlb.h"
#include "engine.h"

/* Advance the deepest choice that has something left. 0: none has. */
static int next_execution(void)
{
	while (nwx.nodes) {
		struct nwx_node *node = &nwx_node[nwx.nodes - 1];
		unsigned open;

		if (node->is_data) {
			if (++node->cur < node->n)
				return 1;
			nwx.nodes--;
			continue;
		}
		node->done |= (uint8_t)(1u << node->cur);
		open = node->backtrack & node->allowed & ~node->done &
		       ~node->sleep;
		if (open) {
			node->cur = (uint8_t)__builtin_ctz(open);
			return 1;
		}
		nwx.nodes--;
	}
	return 0;
}

static double now_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *choices_string(void)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char *text = malloc(nwx.chosen_count + 1);

	if (!text)
		return NULL;
	for (unsigned i = 0; i < nwx.chosen_count; i++)
		text[i] = digits[nwx.chosen[i]];
	text[nwx.chosen_count] = 0;
	return text;
}

static void run_setup(const struct nwx_scenario *s)
{
	nwx.phase = NWX_SETUP;
	nwx.is_judged = nwx.o->is_judged && !s->unjudged;
	if (nwx.is_judged)
		nwx_judge_begin();
	nwx.self = -1;
	nwx_watch_count = 0;
	nwm_mem_reset();
	nwm_pages_clear();
	nwx_names_clear();
	nwx_tell_clear();
	nwx.ipi_handler = NULL;
	nwm_config = s->machine;
	nwm_config.cpus = nwx.cpus;
	nwm_config.stale_max = nwx.r->stale_max;
	if (s->setup)
		s->setup(nwx_state());
	nwx_roots_tell();
	nwx_state_save();
	nwm_pages_save();
	nwm_mem_save();
	nwx_callers_clear();
	nwx_quiet_clear();
	if (nwx.is_judged)
		nwx_judge_setup_done();
}

static int begin(const struct nwx_scenario *s, const struct nwx_options *o,
		 struct nwx_result *r)
{
	memset(r, 0, sizeof(*r));
	nwx.s = s;
	nwx.o = o;
	nwx.r = r;
	nwx.nodes = 0;
	nwx.unit = 0;
	nwx.clock_max = 0;
	if (o->strategy != NWX_REPLAY)
		nwx.record = NULL;
	nwx.guide = NULL;
	nwx.rng = o->seed ? o->seed * UINT64_C(0x9e3779b97f4a7c15) : 1;
	nwx.cpus = o->cpus ? o->cpus
		   : (o->strategy == NWX_PCT || o->strategy == NWX_RANDOM) &&
				   s->cpus_pct
			   ? s->cpus_pct
			   : s->cpus;
	r->cpus = nwx.cpus;
	nwx.walks = o->walks >= 0 ? (unsigned)o->walks : s->walks;
	r->walks = nwx.walks;
	r->stale_max = o->stale_max;
	r->preemptions = o->preemptions;
	if (nwx.cpus < 1 || nwx.cpus > NWM_CPUS_MAX)
		r->error = "a scenario has 1 to 4 CPUs";
	else if (!s->cpu[nwx.cpus - 1])
		r->error = "this scenario has fewer CPUs than were asked for";
	else if (nwx.walks > NWX_WALKERS_MAX)
		r->error = "at most 4 speculative walks an execution";
	else if (s->state_bytes > NWX_STATE_BYTES)
		r->error = "the scenario's state is too large";
	if (r->error)
		return -1;
	run_setup(s);
	return 0;
}

/*
 * The part of the tree that is done, if all branches of a node were of one
 * size (Knuth, "Estimating the efficiency of backtrack programs"; weighted by
 * what was seen).
 */
static double part_done(void)
{
	double weight = 1, done = 0;

	for (unsigned d = 0; d < nwx.nodes; d++) {
		const struct nwx_node *n = &nwx_node[d];
		unsigned open = n->backtrack & n->allowed & ~n->sleep;
		unsigned width =
			n->is_data ? n->n : (unsigned)__builtin_popcount(open);
		unsigned past = n->is_data
					? n->cur
					: (unsigned)__builtin_popcount(n->done);

		weight /= width;
		done += weight * past;
	}
	return done;
}

/* Below this part a guess says nothing. */
#define PART_MIN 0.001

static uint64_t guess_left(uint64_t runs)
{
	double done;

	if (nwx.o->strategy != NWX_SYSTEMATIC)
		return nwx.o->schedules_max ? nwx.o->schedules_max - runs : 0;
	done = part_done();
	if (done < PART_MIN || done >= 1)
		return 0;
	return (uint64_t)((double)runs / done * (1 - done));
}

static void tell_progress(double seconds)
{
	const struct nwx_result *r = nwx.r;
	struct nwx_progress p = {
		.schedules = r->schedules,
		.steps = r->steps,
		.seconds = seconds,
		.left = guess_left(r->schedules + r->redundant),
	};

	nwx.o->progress(&p);
}

/* What is bounded is this program's own time, so that a busy machine decides
 * nothing. */
#define BOUNDED_CLOCK CLOCK_PROCESS_CPUTIME_ID
static int over(double start, double bounded_start)
{
	const struct nwx_options *o = nwx.o;
	struct nwx_result *r = nwx.r;

	if (o->schedules_max && r->schedules + r->redundant >= o->schedules_max)
		return 1;
	if ((r->schedules + r->redundant) % 4096)
		return 0;
	if (o->progress && r->schedules)
		tell_progress(now_seconds(CLOCK_MONOTONIC) - start);
	return o->seconds_max > 0 &&
	       now_seconds(BOUNDED_CLOCK) - bounded_start > o->seconds_max;
}

/* One execution and what it adds to the result. */
static void run_once(void)
{
	struct nwx_result *r = nwx.r;

	nwx_execute();
	r->steps += nwx.steps;
	if (nwx.visible > r->depth_max)
		r->depth_max = nwx.visible;
	if (nwx.end == NWX_PRUNED)
		r->redundant++;
	else
		r->schedules++;
	if (nwx.end == NWX_VIOLATED)
		r->choices = choices_string();
	if (nwx.end == NWX_ERROR && !r->error)
		r->error = "an execution does not fit the explorer's tables";
}

/* What was taken for quiet is not: what came so far may have left out
 * something. The steps were made all the same. */
static void begin_again(void)
{
	nwx.nodes = 0;
	nwx.unit = 0;
	nwx.r->schedules = nwx.r->redundant = 0;
}

int nwx_explore(const struct nwx_scenario *s, const struct nwx_options *o,
		struct nwx_result *r)
{
	double start = now_seconds(CLOCK_MONOTONIC);
	double bounded_start = now_seconds(BOUNDED_CLOCK);

	if (begin(s, o, r))
		return -1;
	do {
		run_once();
		if (nwx.end == NWX_VIOLATED || r->error)
			break;
		if (o->strategy == NWX_REPLAY)
			break;
		if (nwx_quiet_news()) {
			begin_again();
			continue;
		}
		if (o->strategy == NWX_SYSTEMATIC && !next_execution()) {
			r->exhausted = 1;
			break;
		}
	} while (!over(start, bounded_start));
	r->seconds = now_seconds(CLOCK_MONOTONIC) - start;
	return r->error ? -1 : 0;
}

int nwx_replay(const struct nwx_scenario *s, const struct nwx_options *o,
	       const char *choices, struct nwx_result *r,
	       void (*fn)(const struct nwx_record *, void *), void *arg)
{
	struct nwx_options replay = *o;

	replay.strategy = NWX_REPLAY;
	replay.choices = choices;
	/* The setup is told too. */
	nwx.record = fn;
	nwx.record_arg = arg;
	nwx.steps = 0;
	if (begin(s, &replay, r))
		return -1;
	run_once();
	nwx.record = NULL;
	return r->error ? -1 : 0;
}

int nwx_run_guided(const struct nwx_scenario *s, const struct nwx_options *o,
		   const struct nwx_guide *guide, struct nwx_result *r)
{
	struct nwx_options guided = *o;

	guided.strategy = NWX_REPLAY;
	guided.choices = "";
	guided.walks = (int)guide->walks;
	nwx.record = NULL;
	if (begin(s, &guided, r))
		return -1;
	nwx.guide = guide;
	run_once();
	nwx.guide = NULL;
	return r->error ? -1 : 0;
}
