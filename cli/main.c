// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk: hands over to a verb. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <trace/trace.h>

#include "cli.h"
#include "cmd_explore.h"
#include "help.h"

#ifndef NW_VERSION
#define NW_VERSION "unknown"
#endif

/* Each has its words in help_text.c. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"check", cli_check},
	{"convert", cli_convert},
	{"explore", cli_explore},
	{"merge", cli_merge},
	{"mutants", cli_mutants},
	{"replay", cli_replay},
	{"rules", cli_rules},
	{"scenarios", cli_scenarios},
};

bool cli_next_option(int argc, char **argv, int *at, const char **option)
{
	if (*at >= argc || strncmp(argv[*at], "--", 2))
		return false;
	*option = argv[(*at)++];
	return (*option)[2];
}

const char *cli_option_argument(int argc, char **argv, int *at)
{
	if (*at < argc)
		return argv[(*at)++];
	cli_usage(argv[0], "%s needs an argument", argv[*at - 1]);
	return NULL;
}

int cli_usage(const char *verb, const char *format, ...)
{
	va_list list;

	fprintf(stderr, "nestwalk %s: ", verb);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "; see nestwalk %s --help\n", verb);
	return CLI_USAGE;
}

int cli_trace_exit(int status)
{
	switch ((enum nwv_trace_status)status) {
	case NWV_TRACE_EVENT:
	case NWV_TRACE_END:
		return CLI_CLEAN;
	case NWV_TRACE_MALFORMED:
		return CLI_MALFORMED;
	case NWV_TRACE_UNSUPPORTED:
		return CLI_UNSUPPORTED;
	case NWV_TRACE_FAILED:
		break;
	}
	return CLI_INTERNAL;
}

int cli_finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	perror("nestwalk: standard output");
	return CLI_INTERNAL;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		cli_help_print_all(stdout);
		return cli_finish(0);
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("nestwalk %s\n", NW_VERSION);
		return cli_finish(0);
	}
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]);
	     i++) {
		if (strcmp(verbs[i].name, argv[1]))
			continue;
		if (!asks_for_help(argc - 1, argv + 1))
			return cli_finish(verbs[i].run(argc - 1, argv + 1));
		cli_help_print(stdout, cli_help_find(argv[1]));
		return cli_finish(0);
	}
	if (argc > 1)
		fprintf(stderr, "nestwalk: no verb '%s'\n", argv[1]);
	cli_help_print_all(stderr);
	return CLI_USAGE;
}
