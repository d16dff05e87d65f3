// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk scenarios: the table of all of them, as expected or not. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_explore.h"

struct scenarios_args {
	const char *run;
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

		printf("%s (%s, %s; expected: %s)\n    %s\n", s->name,
		       subject_text(s), s->rule, nws_expected_text(s), s->doc);
	}
}

static void print_head(void)
{
	printf("%-33s %-8s %-23s %-17s %-3s %2s %9s %10s %s\n", "scenario",
	       "subject", "expected", "got", "cpu", "sw", "schedules", "steps",
	       "space");
}

static void print_row(const struct nwx_scenario *s, const char *space,
		      const struct nws_run *run)
{
	printf("%-33s %-8s %-23s %-17s %3u %2u %9" PRIu64 " %10" PRIu64 " %s\n",
	       s->name, subject_text(s), nws_expected_text(s),
	       nws_verdict_text(run->verdict), run->result.cpus,
	       run->result.walks, run->result.schedules, run->result.steps,
	       space);
	if (run->verdict == NWS_AS_EXPECTED)
		return;
	printf("    %s: %s\n", nwm_violation_id(run->result.violation),
	       run->result.error ? run->result.error : run->result.text);
	if (run->result.choices)
		printf("    choices %s\n", run->result.choices);
}

static int run_one(const struct nwx_scenario *s, const struct scenarios_args *a)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;
	int is_bad;

	o.seconds_max = a->seconds;
	nws_run_systematic(s, &o, &run);
	print_row(s, s->expect[0]	   ? "until found" :
		     run.result.exhausted ? "exhausted" :
					     "bounded",
		  &run);
	is_bad = run.verdict != NWS_AS_EXPECTED;
	nws_run_free(&run);
	if (!a->pct)
		return is_bad;
	o.strategy = NWX_PCT;
	o.schedules_max = a->pct;
	o.pct_changes = 4;
	nws_run_random(s, &o, &run);
	print_row(s, "pct", &run);
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
	       "preemptions are not bounded\n");
	return surprises ? CLI_VIOLATION : 0;
}

int cli_scenarios(int argc, char **argv)
{
	struct scenarios_args a = {.seconds = 60};
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
	return run_all(&a);
}
