// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk explore: one scenario, in the way that the options say. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../verify/scenarios/reached.h"
#include "cli.h"
#include "cmd_explore.h"

struct explore_args {
	struct nwx_options o;
	const char *save;
	const char *html;
	const char *trace;
	const char *result;
	bool is_quiet;
	bool is_raw; /* no shrinking */
};

long cli_number(const char *verb, const char *option, const char *text,
		long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 0 || value > max) {
		cli_usage(verb, "%s wants a number from 0 to %ld, not %s",
			  option, max, text);
		return -1;
	}
	return value;
}

static int set_strategy(struct explore_args *a, const char *text)
{
	for (unsigned i = NWX_SYSTEMATIC; i < NWX_REPLAY; i++)
		if (!strcmp(text, nwx_strategy_name((enum nwx_strategy)i))) {
			a->o.strategy = (enum nwx_strategy)i;
			return 0;
		}
	return cli_usage("explore",
			 "--strategy is systematic, pct or random, not %s",
			 text);
}

static int set_shard(struct explore_args *a, const char *text)
{
	unsigned k, n;
	char rest;

	if (sscanf(text, "%u/%u%c", &k, &n, &rest) != 2 || !k || k > n ||
	    n > 65536)
		return cli_usage("explore",
				 "--shard wants K/N with K from 1 to N, not %s",
				 text);
	a->o.shard = k - 1;
	a->o.shards = n;
	return 0;
}

static int set_target(struct explore_args *a, const char *text)
{
	for (unsigned i = 1; i < NWM_VIOLATIONS; i++)
		if (!strcmp(text, nwm_violation_id((enum nwm_violation)i))) {
			a->o.target = (enum nwm_violation)i;
			return 0;
		}
	return cli_usage("explore", "--target: no violation is called %s",
			 text);
}

static int set_number(struct explore_args *a, const char *option,
		      const char *text)
{
	long value = cli_number("explore", option, text, 1000000000L);

	if (value < 0)
		return CLI_USAGE;
	if (!strcmp(option, "--cpus"))
		a->o.cpus = (unsigned)value;
	else if (!strcmp(option, "--walks"))
		a->o.walks = (int)value;
	else if (!strcmp(option, "--stale"))
		a->o.stale_max = (int)value;
	else if (!strcmp(option, "--preemptions"))
		a->o.preemptions = (int)value;
	else if (!strcmp(option, "--schedules"))
		a->o.schedules_max = (uint64_t)value;
	else if (!strcmp(option, "--seconds"))
		a->o.seconds_max = (double)value;
	else if (!strcmp(option, "--seed"))
		a->o.seed = (uint64_t)value;
	else if (!strcmp(option, "--steps"))
		a->o.steps_max = (unsigned)value;
	else
		return cli_usage("explore", "unknown option %s", option);
	return 0;
}

/* Looking up where a primitive was called takes a while: only when there are
 * new places. */
static const char *points_text(void)
{
	static char text[64 * 3];
	static unsigned known = ~0u;
	const uintptr_t *list;
	unsigned n = nwx_callers(&list);

	if (n != known)
		nws_reached_text(nws_reached(), text, sizeof(text));
	known = n;
	return text;
}

static void left_text(uint64_t left, char *text, size_t bytes)
{
	if (!left)
		text[0] = 0;
	else if (left >= 10000000)
		snprintf(text, bytes, ", about %.0f M left",
			 (double)left / 1e6);
	else
		snprintf(text, bytes, ", about %" PRIu64 " left", left);
}

static void progress(const struct nwx_progress *p)
{
	char left[48];

	if (p->seconds <= 0)
		return;
	left_text(p->left, left, sizeof(left));
	fprintf(stderr,
		"%s%" PRIu64 " schedules, %.2f M steps/s%s, ORD %s%s",
		isatty(2) ? "\r" : "", p->schedules,
		(double)p->steps / p->seconds / 1e6, left, points_text(),
		isatty(2) ? "\033[K" : "\n");
}

static int parse(int argc, char **argv, struct explore_args *a, int *at)
{
	const char *option, *text;
	int status = 0;

	while (!status && cli_next_option(argc, argv, at, &option)) {
		if (!strcmp(option, "--quiet")) {
			a->is_quiet = true;
			continue;
		}
		if (!strcmp(option, "--no-oracle")) {
			a->o.is_judged = 0;
			continue;
		}
		if (!strcmp(option, "--progress")) {
			a->o.progress = progress;
			continue;
		}
		if (!strcmp(option, "--raw")) {
			a->is_raw = true;
			continue;
		}
		text = cli_option_argument(argc, argv, at);
		if (!text)
			return CLI_USAGE;
		if (!strcmp(option, "--strategy"))
			status = set_strategy(a, text);
		else if (!strcmp(option, "--shard"))
			status = set_shard(a, text);
		else if (!strcmp(option, "--target"))
			status = set_target(a, text);
		else if (!strcmp(option, "--save"))
			a->save = text;
		else if (!strcmp(option, "--html"))
			a->html = text;
		else if (!strcmp(option, "--trace"))
			a->trace = text;
		else if (!strcmp(option, "--result"))
			a->result = text;
		else
			status = set_number(a, option, text);
	}
	return status;
}

static void print_summary(const struct nwx_scenario *s,
			  const struct explore_args *a,
			  const struct nwx_result *r)
{
	printf("%s: %s after %" PRIu64 " schedules (%" PRIu64
	       " more given up as redundant), %" PRIu64 " steps, %.2f s",
	       s->name, nwx_violation_name(r), r->schedules,
	       r->redundant, r->steps, r->seconds);
	if (r->seconds > 0)
		printf(", %.2f M steps/s", (double)r->steps / r->seconds / 1e6);
	printf("\nbounds: %u CPUs, %u speculative walks, ", r->cpus, r->walks);
	if (r->stale_max >= 0)
		printf("%d stale reads a CPU, ", r->stale_max);
	else
		printf("any number of stale reads, ");
	if (r->preemptions >= 0)
		printf("%d preemptions", r->preemptions);
	else
		printf("any number of preemptions");
	printf("; %s, %s\n", nwx_strategy_name(a->o.strategy),
	       r->exhausted ? "exhausted" : "not exhausted");
	if (r->judged)
		printf("the oracle judged %" PRIu64
		       " different sequences of events\n",
		       r->judged);
}

static int write_result(const char *path, const struct nwx_scenario *s,
			const struct explore_args *a,
			const struct nwx_result *r)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		fprintf(stderr, "nestwalk explore: %s: %s\n", path,
			strerror(errno));
		return CLI_INTERNAL;
	}
	fprintf(f,
		"nestwalk-result 1\nscenario %s\nshard %u/%u\n"
		"schedules %" PRIu64 "\nredundant %" PRIu64 "\nsteps %" PRIu64
		"\nexhausted %d\nviolation %s\nseconds %.6f\n"
		"steps_per_second %.0f\n",
		s->name, a->o.shard + 1, a->o.shards ? a->o.shards : 1,
		r->schedules, r->redundant, r->steps, r->exhausted,
		nwx_violation_name(r), r->seconds,
		r->seconds > 0 ? (double)r->steps / r->seconds : 0);
	if (r->choices)
		fprintf(f, "cpus %u\nwalks %u\nchoices %s\n", r->cpus, r->walks,
			r->choices);
	return fclose(f) ? CLI_INTERNAL : 0;
}

int cli_schedule_write(const char *path, const struct nwx_scenario *s,
		       const struct nwx_result *r)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		fprintf(stderr, "nestwalk: %s: %s\n", path, strerror(errno));
		return CLI_INTERNAL;
	}
	fprintf(f,
		"nestwalk-schedule 1\nscenario %s\ncpus %u\nwalks %u\n"
		"violation %s\nchoices %s\n",
		s->name, r->cpus, r->walks, nwm_violation_id(r->violation),
		r->choices[0] ? r->choices : "-");
	return fclose(f) ? CLI_INTERNAL : 0;
}

static int write_trace(const struct nwx_scenario *s,
		       const struct explore_args *a, const struct nwx_result *r)
{
	FILE *f;

	f = fopen(a->trace, "w");
	if (!f || nwx_trace_file(s, &a->o, r, f) | fclose(f)) {
		fprintf(stderr, "nestwalk explore: %s: %s\n", a->trace,
			strerror(errno));
		return CLI_INTERNAL;
	}
	return 0;
}

static int show_violation(const struct nwx_scenario *s,
			  const struct explore_args *a, struct nwx_result *r)
{
	int status = 0;

	if (!a->is_raw && nwx_shrink(s, &a->o, r)) {
		fprintf(stderr, "nestwalk explore: the counterexample does not "
				"repeat; this is a bug of the explorer\n");
		return CLI_INTERNAL;
	}
	if (!a->is_quiet)
		nwx_timeline(s, &a->o, r, stdout);
	else
		printf("%s: %s\n", nwx_violation_name(r), r->text);
	if (a->save)
		status = cli_schedule_write(a->save, s, r);
	if (!status && a->html) {
		FILE *f = fopen(a->html, "w");

		if (!f || nwx_html(s, &a->o, r, f) | fclose(f)) {
			fprintf(stderr, "nestwalk explore: %s: %s\n", a->html,
				strerror(errno));
			status = CLI_INTERNAL;
		}
	}
	return status ? status : CLI_VIOLATION;
}

int cli_explore(int argc, char **argv)
{
	struct explore_args a = {.o = NWX_OPTIONS_DEFAULT};
	const struct nwx_scenario *s;
	struct nwx_result r;
	int at = 1, status;

	a.o.is_judged = 1;
	status = parse(argc, argv, &a, &at);
	if (status)
		return status;
	if (at + 1 != argc)
		return cli_usage("explore", "name one scenario (nestwalk "
					    "scenarios lists them)");
	s = nws_find(argv[at]);
	if (!s)
		return cli_usage("explore", "no scenario %s (nestwalk "
					    "scenarios lists them)",
				 argv[at]);
	if (a.o.strategy != NWX_SYSTEMATIC && !a.o.schedules_max &&
	    a.o.seconds_max <= 0)
		a.o.schedules_max = 100000;
	/* What it declares first; what it does not declare is found anyway. */
	if (a.o.target == NWM_OK)
		a.o.target = s->expect[0];
	if (!a.is_quiet && isatty(2))
		a.o.progress = progress;
	status = nwx_explore(s, &a.o, &r);
	if (a.o.progress && isatty(2))
		fprintf(stderr, "\r\033[K");
	if (status) {
		fprintf(stderr, "nestwalk explore: %s\n", r.error);
		free(r.choices);
		return CLI_INTERNAL;
	}
	print_summary(s, &a, &r);
	if (a.result)
		status = write_result(a.result, s, &a, &r);
	if (!status && r.violation)
		status = show_violation(s, &a, &r);
	if (a.trace && (!status || status == CLI_VIOLATION)) {
		int failed = write_trace(s, &a, &r);

		status = failed ? failed : status;
	}
	free(r.choices);
	return status;
}
