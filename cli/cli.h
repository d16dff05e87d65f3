/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of the command share. */
#ifndef NW_CLI_CLI_H
#define NW_CLI_CLI_H

#include <stdbool.h>

/* Exit status of every verb; the first five are those of a verdict. */
enum cli_exit {
	CLI_CLEAN,
	CLI_VIOLATION,
	CLI_MALFORMED,
	CLI_UNSUPPORTED,
	CLI_INTERNAL,
	CLI_USAGE = 64,
};

/* argv[0] is the verb. */
int cli_check(int argc, char **argv);
int cli_convert(int argc, char **argv);
int cli_mutants(int argc, char **argv);
int cli_rules(int argc, char **argv);

/*
 * The next option of a verb: "--name" at argv[*at]. False at the first operand
 * (which may follow "--").
 */
bool cli_next_option(int argc, char **argv, int *at, const char **option);

/* The argument of the option at argv[*at - 1], or NULL after a message. */
const char *cli_option_argument(int argc, char **argv, int *at);

/* "nestwalk verb: <message>; see --help" on standard error. CLI_USAGE. */
int cli_usage(const char *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Exit status for what stopped a trace: enum nwv_trace_status. */
int cli_trace_exit(int status);

/* Flush standard output; `status`, or CLI_INTERNAL when that failed. */
int cli_finish(int status);

#endif
