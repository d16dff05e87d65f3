/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the command says about itself. One table (help_text.c) is printed by
 * --help and turned into the manual pages by the generator (man.c).
 */
#ifndef NW_CLI_HELP_H
#define NW_CLI_HELP_H

#include <stdio.h>

struct cli_option {
	const char *form; /* "--json"; NULL ends the list */
	const char *meaning;
};

struct cli_example {
	const char *command; /* NULL ends the list */
	const char *meaning;
};

struct cli_help {
	const char *verb;
	const char *summary; /* one line, no full stop */
	const char *usage;   /* what follows the verb */
	const char *text;    /* paragraphs, divided by empty lines */
	struct cli_option option[12];
	struct cli_option exit[8]; /* form: the number */
	struct cli_example example[6];
};

extern const struct cli_help cli_helps[];
extern const size_t cli_helps_count;

/* NULL when there is no such verb. */
const struct cli_help *cli_help_find(const char *verb);

void cli_help_print(FILE *out, const struct cli_help *help);
void cli_help_print_all(FILE *out);

/* mdoc(7): nestwalk-<verb>.1, and nestwalk.1. */
void cli_man_print(FILE *out, const struct cli_help *help);
void cli_man_print_all(FILE *out);

#endif
