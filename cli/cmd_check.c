// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk check: a trace through the oracle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "report.h"

struct options {
	int (*print)(const struct report *r);
	struct nwv_check_config config;
	const char *path;
};

static int parse(int argc, char **argv, struct options *o)
{
	const char *option, *max;
	char *end;
	int at = 1;

	*o = (struct options){.print = report_text};
	while (cli_next_option(argc, argv, &at, &option)) {
		if (!strcmp(option, "--json")) {
			o->print = report_json;
		} else if (!strcmp(option, "--sarif")) {
			o->print = report_sarif;
		} else if (!strcmp(option, "--max")) {
			max = cli_option_argument(argc, argv, &at);
			if (!max)
				return CLI_USAGE;
			o->config.violations_max =
				(unsigned)strtoul(max, &end, 10);
			if (*end || !o->config.violations_max || *max == '-')
				return cli_usage("check",
						 "--max %s: expected a number "
						 "above 0",
						 max);
		} else {
			return cli_usage("check", "unknown option %s", option);
		}
	}
	if (argc - at != 1)
		return cli_usage("check", "expected one TRACE, found %d",
				 argc - at);
	o->path = argv[at];
	return 0;
}

static void note_remark(void *context, uint64_t line, const char *text,
			size_t bytes)
{
	struct report *r = context;
	struct report_remark *grown =
		realloc(r->remark, (r->remarks + 1) * sizeof(*grown));
	char *copy = strndup(text, bytes);

	if (grown)
		r->remark = grown;
	if (grown && copy) {
		r->remark[r->remarks++] = (struct report_remark){line, copy};
		return;
	}
	free(copy);
	r->exit = CLI_INTERNAL;
	r->error = "out of memory";
}

/* All events, then the end. Fills exit and error. */
static void judge(struct report *r, struct nwv_trace *trace,
		  struct nwv_check *check)
{
	enum nwv_check_status verdict = NWV_CHECK_CLEAN;
	enum nwv_trace_status status;
	struct nwv_event e;

	while ((status = nwv_trace_next(trace, &e)) == NWV_TRACE_EVENT) {
		r->events++;
		verdict = nwv_check_event(check, &e);
		if (NW_UNLIKELY(verdict > NWV_CHECK_VIOLATION))
			break;
	}
	if (status != NWV_TRACE_EVENT && status != NWV_TRACE_END) {
		r->exit = cli_trace_exit(status);
		r->error = nwv_trace_error(trace);
		return;
	}
	if (status == NWV_TRACE_END)
		verdict = nwv_check_end(check);
	if (r->exit) /* memory for a remark ran out */
		return;
	r->exit = (int)verdict;
	if (verdict > NWV_CHECK_VIOLATION) {
		r->error = nwv_check_problem(check);
		r->problem_is_oracles = true;
	} else if (r->remarks) {
		r->exit = CLI_VIOLATION;
	}
}

static int run(const struct options *o, struct nwv_trace *trace,
	       struct nwv_check *check)
{
	struct report r = {.path = o->path, .trace = trace, .check = check};

	nwv_trace_on_remark(trace, note_remark, &r);
	judge(&r, trace, check);
	if (report_find_lines(&r) || o->print(&r)) {
		fprintf(stderr, "nestwalk check: out of memory, or standard "
				"output failed\n");
		r.exit = CLI_INTERNAL;
	}
	for (size_t i = 0; i < r.remarks; i++)
		free(r.remark[i].text);
	free(r.remark);
	free(r.seq);
	free(r.line);
	return r.exit;
}

int cli_check(int argc, char **argv)
{
	struct nwv_trace *trace;
	struct nwv_check *check;
	struct options o;
	int status = parse(argc, argv, &o);

	if (status)
		return status;
	trace = nwv_trace_open(o.path);
	check = nwv_check_new(&o.config);
	status = CLI_INTERNAL;
	if (trace && check)
		status = run(&o, trace, check);
	else
		fprintf(stderr, "nestwalk check: out of memory\n");
	nwv_check_free(check);
	nwv_trace_close(trace);
	return status;
}
