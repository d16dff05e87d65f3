// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk mutants: hands over to the runner of the source tree. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define RUNNER "verify/mutants/run"

int cli_mutants(int argc, char **argv)
{
	const char *source = ".", *only = NULL, *option;
	bool json = false;
	char runner[4096];
	char *args[8];
	int at = 1, n = 0;

	while (cli_next_option(argc, argv, &at, &option)) {
		const char **value;

		if (!strcmp(option, "--json")) {
			json = true;
			continue;
		}
		value = !strcmp(option, "--source") ? &source :
			!strcmp(option, "--only")   ? &only :
						      NULL;
		if (!value)
			return cli_usage("mutants", "unknown option %s",
					 option);
		*value = cli_option_argument(argc, argv, &at);
		if (!*value)
			return CLI_USAGE;
	}
	if (at != argc)
		return cli_usage("mutants", "unexpected %s", argv[at]);
	if (snprintf(runner, sizeof(runner), "%s/" RUNNER, source) >=
	    (int)sizeof(runner))
		return cli_usage("mutants", "the path of --source is too long");
	if (access(runner, X_OK)) {
		fprintf(stderr,
			"nestwalk mutants: %s is not a source tree of Nestwalk: "
			"%s: %s; next: --source DIR\n",
			source, runner, strerror(errno));
		return CLI_UNSUPPORTED;
	}
	args[n++] = runner;
	args[n++] = (char *)"--source";
	args[n++] = (char *)source;
	if (json)
		args[n++] = (char *)"--json";
	if (only) {
		args[n++] = (char *)"--only";
		args[n++] = (char *)only;
	}
	args[n] = NULL;
	execv(runner, args);
	fprintf(stderr, "nestwalk mutants: %s: %s; next: install python3\n",
		runner, strerror(errno));
	return CLI_INTERNAL;
}
