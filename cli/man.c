// SPDX-License-Identifier: BSD-2-Clause
/* Manual page of a verb, or of the command, to standard output. */
#include <string.h>

#include "help.h"

int main(int argc, char **argv)
{
	const struct cli_help *help;

	if (argc != 2) {
		fprintf(stderr, "usage: nestwalk-man nestwalk|VERB\n");
		return 64;
	}
	if (!strcmp(argv[1], "nestwalk")) {
		cli_man_print_all(stdout);
		return 0;
	}
	help = cli_help_find(argv[1]);
	if (!help) {
		fprintf(stderr, "nestwalk-man: no verb '%s'\n", argv[1]);
		return 64;
	}
	cli_man_print(stdout, help);
	return 0;
}
