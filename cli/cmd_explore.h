/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of the explorer, and the file that a counterexample is kept in. */
#ifndef NW_CLI_CMD_EXPLORE_H
#define NW_CLI_CMD_EXPLORE_H

#include <scenarios/run.h>

int cli_explore(int argc, char **argv);
int cli_scenarios(int argc, char **argv);
int cli_replay(int argc, char **argv);
int cli_merge(int argc, char **argv);

/*
 * An execution as a file: "nestwalk-schedule 1", then one "key value" a line:
 * scenario, cpus, walks, violation, choices.
 */
int cli_schedule_write(const char *path, const struct nwx_scenario *s,
		       const struct nwx_result *r);

struct cli_schedule {
	const struct nwx_scenario *scenario;
	struct nwx_options options;
	char *choices;
	enum nwm_violation violation;
};

/* CLI_CLEAN; else a message was printed and this is the exit status. */
int cli_schedule_read(const char *verb, const char *path,
		      struct cli_schedule *schedule);

/* Number of a non-negative option value, or -1 after a message. */
long cli_number(const char *verb, const char *option, const char *text,
		long max);

#endif
