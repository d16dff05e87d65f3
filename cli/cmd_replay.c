// SPDX-License-Identifier: BSD-2-Clause
/* nestwalk replay: one kept execution again, as a timeline. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_explore.h"

static int malformed(const char *verb, const char *path, unsigned line,
		     const char *what)
{
	fprintf(stderr, "nestwalk %s: %s:%u: %s\n", verb, path, line, what);
	return CLI_MALFORMED;
}

static const char *take(struct cli_schedule *k, const char *key,
			const char *value)
{
	if (!strcmp(key, "scenario")) {
		k->scenario = nws_find(value);
		return k->scenario ? NULL : "no such scenario";
	}
	if (!strcmp(key, "cpus") || !strcmp(key, "walks")) {
		char *end;
		long n = strtol(value, &end, 10);

		if (end == value || *end || n < 0 || n > 4)
			return "a number from 0 to 4 was expected";
		if (key[0] == 'c')
			k->options.cpus = (unsigned)n;
		else
			k->options.walks = (int)n;
		return NULL;
	}
	if (!strcmp(key, "violation")) {
		for (unsigned i = 0; i < NWM_VIOLATIONS; i++)
			if (!strcmp(value, nwm_violation_id(
						   (enum nwm_violation)i))) {
				k->violation = (enum nwm_violation)i;
				return NULL;
			}
		return "no such violation";
	}
	if (!strcmp(key, "choices")) {
		const char *digits = "0123456789abcdefghijklmnopqrstuvwxyz";

		if (k->choices)
			return "choices are given twice";
		if (!strcmp(value, "-"))
			value = "";
		if (value[strspn(value, digits)])
			return "choices are digits and small letters";
		k->choices = strdup(value);
		return k->choices ? NULL : "no memory";
	}
	return "scenario, cpus, walks, violation or choices was expected";
}

int cli_schedule_read(const char *verb, const char *path,
		      struct cli_schedule *k)
{
	const char *problem = NULL;
	FILE *f = fopen(path, "r");
	unsigned number = 0;
	char *line = NULL;
	size_t room = 0;

	memset(k, 0, sizeof(*k));
	k->options = NWX_OPTIONS_DEFAULT;
	k->options.is_judged = 1;
	if (!f) {
		fprintf(stderr, "nestwalk %s: %s: %s\n", verb, path,
			strerror(errno));
		return CLI_INTERNAL;
	}
	while (!problem && getline(&line, &room, f) > 0) {
		char *space;

		line[strcspn(line, "\n")] = 0;
		if (!number++) {
			if (strcmp(line, "nestwalk-schedule 1"))
				problem = "\"nestwalk-schedule 1\" was "
					  "expected";
			continue;
		}
		space = strchr(line, ' ');
		if (!space) {
			problem = "a key and a value were expected";
			continue;
		}
		*space = 0;
		problem = take(k, line, space + 1);
	}
	fclose(f);
	free(line);
	if (!problem && (!k->scenario || !k->choices || !k->violation))
		problem = "scenario, violation or choices is missing";
	if (!problem)
		return CLI_CLEAN;
	free(k->choices);
	k->choices = NULL;
	return malformed(verb, path, number, problem);
}

typedef int (*write_fn)(const struct nwx_scenario *, const struct nwx_options *,
			const struct nwx_result *, FILE *);

static int write_as(const char *path, write_fn fn, const struct cli_schedule *k,
		    const struct nwx_result *r)
{
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!path || (f && !(fn(k->scenario, &k->options, r, f) | fclose(f))))
		return 0;
	fprintf(stderr, "nestwalk replay: %s: %s\n", path, strerror(errno));
	return -1;
}

int cli_replay(int argc, char **argv)
{
	const char *option, *html = NULL, *trace = NULL;
	struct nwx_result r;
	struct cli_schedule k;
	int at = 1, status;

	while (cli_next_option(argc, argv, &at, &option)) {
		const char **path = !strcmp(option, "--html")  ? &html :
				    !strcmp(option, "--trace") ? &trace :
								 NULL;

		if (!path)
			return cli_usage("replay", "unknown option %s", option);
		*path = cli_option_argument(argc, argv, &at);
		if (!*path)
			return CLI_USAGE;
	}
	if (at + 1 != argc)
		return cli_usage("replay", "name one file");
	status = cli_schedule_read("replay", argv[at], &k);
	if (status)
		return status;
	k.options.target = k.violation;
	if (nwx_replay(k.scenario, &k.options, k.choices, &r, NULL, NULL)) {
		fprintf(stderr, "nestwalk replay: %s\n", r.error);
		status = CLI_MALFORMED;
	} else if (r.violation != k.violation) {
		fprintf(stderr, "nestwalk replay: %s is not seen: the file was "
				"made with another version\n",
			nwm_violation_id(k.violation));
		status = CLI_MALFORMED;
	} else {
		nwx_timeline(k.scenario, &k.options, &r, stdout);
		status = CLI_VIOLATION;
		if (write_as(html, nwx_html, &k, &r) ||
		    write_as(trace, nwx_trace_file, &k, &r))
			status = CLI_INTERNAL;
	}
	free(r.choices);
	free(k.choices);
	return status;
}
