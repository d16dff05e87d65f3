// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk scenarios: the table of all of them, as expected or not. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../verify/scenarios/reached.h"
#include "cli.h"
#include "cmd_explore.h"

struct scenarios_args {
	const char *run;
	const char *json;
	FILE *out; /* of --json */
	uint64_t pct; /* schedules with more CPUs, for each */
	double seconds;
};

static const char *subject_text(const struct nwx_scenario *s)
{
	return s->subject == NWX_LIBRARY ? "library" : "protocol";
}

static void list(void)
{
	for (unsigned i = 0; i < nws_count; i++) {
		const struct nwx_scenario *s = nws_all[i];

		printf("%s (%s, %s; ", s->name, subject_text(s), s->rule);
		if (s->walks_long)
			printf("long: %u walks; ", s->walks_long);
		printf("expected: %s)\n    %s\n", nws_expected_text(s),
		       s->doc);
	}
}

static void print_head(void)
{
	printf("%-36s %-8s %-33s %-17s %-3s %2s %9s %10s %-11s %s\n",
	       "scenario", "subject", "expected", "got", "cpu", "sw",
	       "schedules", "steps", "space", "ORD");
}

static void print_row(const struct nwx_scenario *s, const char *space,
		      const struct nws_run *run)
{
	char ord[64 * 3];

	printf("%-36s %-8s %-33s %-17s %3u %2u %9" PRIu64 " %10" PRIu64
	       " %-11s %s\n",
	       s->name, subject_text(s), nws_expected_text(s),
	       nws_verdict_text(run->verdict), run->result.cpus,
	       run->result.walks, run->result.schedules, run->result.steps,
	       space, nws_reached_text(run->reached, ord, sizeof(ord)));
	if (run->verdict == NWS_AS_EXPECTED)
		return;
	printf("    %s: %s\n", nwx_violation_name(&run->result),
	       run->result.error ? run->result.error : run->result.text);
	if (run->result.choices)
		printf("    choices %s\n", run->result.choices);
}

/* Names and words are plain; only the violation's text needs escapes. */
static void json_text(FILE *f, const char *text)
{
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(f, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, f);
}

static void json_row(const struct scenarios_args *a,
		     const struct nwx_scenario *s, const char *space,
		     const struct nws_run *run)
{
	const struct nwx_result *r = &run->result;
	const char *comma = "";
	FILE *f = a->out;

	if (!f)
		return;
	fprintf(f,
		"%s{\"scenario\": \"%s\", \"subject\": \"%s\", \"rule\": \"%s\", "
		"\"expected\": \"%s\", \"got\": \"%s\", \"cpus\": %u, "
		"\"walks\": %u, \"schedules\": %" PRIu64
		", \"redundant\": %" PRIu64 ", \"steps\": %" PRIu64
		", \"judged\": %" PRIu64 ", \"seconds\": %.3f, "
		"\"steps_per_second\": %.0f, \"space\": \"%s\", "
		"\"violation\": \"%s\", \"text\": \"",
		ftell(f) > 2 ? ",\n" : "", s->name, subject_text(s), s->rule,
		nws_expected_text(s), nws_verdict_text(run->verdict), r->cpus,
		r->walks, r->schedules, r->redundant, r->steps, r->judged,
		r->seconds, r->seconds > 0 ? (double)r->steps / r->seconds : 0,
		space, nwx_violation_name(r));
	json_text(f, r->error ? r->error : r->text);
	fprintf(f, "\", \"ordering_points\": [");
	for (unsigned i = 0; i < 64; i++)
		if (run->reached >> i & 1) {
			fprintf(f, "%s\"ORD-%02u\"", comma, i);
			comma = ", ";
		}
	fprintf(f, "]}");
}

/* What was seen of the space. */
static const char *space_text(const struct nwx_scenario *s,
			      const struct nwx_result *r)
{
	static char text[32];

	if (s->expect[0])
		return "until found";
	if (!r->exhausted)
		return "bounded";
	if (r->preemptions < 0 && r->stale_max < 0)
		return "exhausted";
	snprintf(text, sizeof(text), "all of p%d s%d", r->preemptions,
		 r->stale_max);
	return text;
}

static int run_one(const struct nwx_scenario *s, const struct scenarios_args *a)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	const char *space;
	struct nws_run run;
	int is_bad;

	o.seconds_max = a->seconds;
	nws_run_systematic(s, &o, &run);
	space = space_text(s, &run.result);
	print_row(s, space, &run);
	json_row(a, s, space, &run);
	is_bad = run.verdict != NWS_AS_EXPECTED;
	nws_run_free(&run);
	if (!a->pct)
		return is_bad;
	o.strategy = NWX_PCT;
	o.schedules_max = a->pct;
	o.pct_changes = 4;
	nws_run_random(s, &o, &run);
	print_row(s, "pct", &run);
	json_row(a, s, "pct", &run);
	is_bad |= run.verdict != NWS_AS_EXPECTED;
	nws_run_free(&run);
	fflush(stdout);
	return is_bad;
}

static int run_all(const struct scenarios_args *a)
{
	unsigned done = 0, surprises = 0;

	print_head();
	for (unsigned i = 0; i < nws_count; i++) {
		if (strcmp(a->run, "all") && strcmp(a->run, nws_all[i]->name))
			continue;
		done++;
		surprises += (unsigned)run_one(nws_all[i], a);
	}
	printf("%u scenarios, %u as expected, %u surprises\n", done,
	       done - surprises, surprises);
	printf("sw: speculative walks an execution; stale reads and "
	       "preemptions are not bounded,\n"
	       "but for rows that say p (preemptions, at most) and s (stale "
	       "reads of a CPU)\n"
	       "ORD: ordering points of docs/memory-ordering.md that the "
	       "library passed%s%s\n",
	       nws_reached_problem() ? "; not known: " : "",
	       nws_reached_problem() ? nws_reached_problem() : "");
	return surprises ? CLI_VIOLATION : 0;
}

static int run_written(struct scenarios_args *a)
{
	int status;

	if (!a->json)
		return run_all(a);
	a->out = fopen(a->json, "w");
	if (!a->out) {
		fprintf(stderr, "nestwalk scenarios: %s: %s\n", a->json,
			strerror(errno));
		return CLI_INTERNAL;
	}
	fprintf(a->out, "[\n");
	status = run_all(a);
	fprintf(a->out, "\n]\n");
	return fclose(a->out) ? CLI_INTERNAL : status;
}

int cli_scenarios(int argc, char **argv)
{
	struct scenarios_args a = {.seconds = 1800};
	const char *option, *text;
	int at = 1;

	while (cli_next_option(argc, argv, &at, &option)) {
		long value;

		text = cli_option_argument(argc, argv, &at);
		if (!text)
			return CLI_USAGE;
		if (!strcmp(option, "--run")) {
			a.run = text;
			continue;
		}
		if (!strcmp(option, "--json")) {
			a.json = text;
			continue;
		}
		if (strcmp(option, "--pct") && strcmp(option, "--seconds"))
			return cli_usage("scenarios", "unknown option %s",
					 option);
		value = cli_number("scenarios", option, text, 1000000000L);
		if (value < 0)
			return CLI_USAGE;
		if (!strcmp(option, "--pct"))
			a.pct = (uint64_t)value;
		else
			a.seconds = (double)value;
	}
	if (at != argc)
		return cli_usage("scenarios", "unexpected %s", argv[at]);
	if (!a.run) {
		list();
		return 0;
	}
	if (strcmp(a.run, "all") && !nws_find(a.run))
		return cli_usage("scenarios", "no scenario %s (nestwalk "
					      "scenarios lists them)",
				 a.run);
	return run_written(&a);
}
