/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "reached.h"
#include "run.h"

/* The sum so far, and what this one passed. */
static void add(struct nws_run *run, struct nwx_result *r)
{
	struct nwx_result *sum = &run->result;
	struct nwx_result last = *r;

	last.schedules += sum->schedules;
	last.redundant += sum->redundant;
	last.steps += sum->steps;
	last.judged += sum->judged;
	last.seconds += sum->seconds;
	if (last.depth_max < sum->depth_max)
		last.depth_max = sum->depth_max;
	free(sum->choices);
	*sum = last;
	run->reached |= nws_reached();
}

static void run_good(const struct nwx_scenario *s, const struct nwx_options *o,
		     struct nws_run *run)
{
	struct nwx_result r;

	if (nwx_explore(s, o, &r))
		run->verdict = NWS_FAILED;
	else if (r.violation != NWM_OK)
		run->verdict = NWS_UNEXPECTED;
	else if (o->strategy == NWX_SYSTEMATIC && !r.exhausted)
		run->verdict = NWS_NOT_EXHAUSTED;
	add(run, &r);
}

/* Of the rules that the scenario names, not any. */
static int is_declared(const struct nwx_scenario *s, const struct nwx_result *r)
{
	if (r->violation != NWM_RULE)
		return 1;
	for (unsigned i = 0; i < NWX_EXPECT_MAX && s->rules[i]; i++)
		if (!strcmp(s->rules[i], r->rule))
			return 1;
	return 0;
}

static void run_bad(const struct nwx_scenario *s, const struct nwx_options *o,
		    struct nws_run *run)
{
	for (unsigned i = 0; i < NWX_EXPECT_MAX && s->expect[i]; i++) {
		struct nwx_options options = *o;
		struct nwx_result r;
		int status;

		options.target = s->expect[i];
		status = nwx_explore(s, &options, &r);
		if (status)
			run->verdict = NWS_FAILED;
		else if (r.violation == s->expect[i] && is_declared(s, &r))
			run->found++;
		else
			run->verdict = r.violation ? NWS_WRONG_VIOLATION :
						     NWS_NOT_REFUTED;
		add(run, &r);
		if (run->verdict != NWS_AS_EXPECTED)
			return;
	}
}

static void run_either(const struct nwx_scenario *s,
		       const struct nwx_options *o, struct nws_run *run)
{
	struct nwx_options judged = *o;

	judged.is_judged = 1;
	memset(run, 0, sizeof(*run));
	if (s->expect[0])
		run_bad(s, &judged, run);
	else
		run_good(s, &judged, run);
}

void nws_run_systematic(const struct nwx_scenario *s,
			const struct nwx_options *o, struct nws_run *run)
{
	struct nwx_options options = *o;

	options.strategy = NWX_SYSTEMATIC;
	if (options.preemptions < 0 && s->preemptions_max)
		options.preemptions = (int)s->preemptions_max;
	if (options.stale_max < 0 && s->stale_reads_max)
		options.stale_max = (int)s->stale_reads_max;
	run_either(s, &options, run);
}

void nws_run_random(const struct nwx_scenario *s, const struct nwx_options *o,
		    struct nws_run *run)
{
	run_either(s, o, run);
}

void nws_run_free(struct nws_run *run)
{
	free(run->result.choices);
	run->result.choices = NULL;
}

const char *nws_verdict_text(enum nws_verdict verdict)
{
	static const char *const texts[] = {
		[NWS_AS_EXPECTED] = "as expected",
		[NWS_NOT_REFUTED] = "NOT REFUTED",
		[NWS_WRONG_VIOLATION] = "ANOTHER VIOLATION",
		[NWS_UNEXPECTED] = "REFUTED",
		[NWS_NOT_EXHAUSTED] = "NOT EXHAUSTED",
		[NWS_FAILED] = "FAILED",
	};

	return texts[verdict];
}

const char *nws_expected_text(const struct nwx_scenario *s)
{
	static char text[96];
	size_t at = 0;
	unsigned rule = 0;

	if (!s->expect[0])
		return "clean";
	for (unsigned i = 0; i < NWX_EXPECT_MAX && s->expect[i]; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s",
				       i ? ", " : "",
				       s->expect[i] == NWM_RULE ?
					       s->rules[rule++] :
					       nwm_violation_id(s->expect[i]));
	return text;
}
