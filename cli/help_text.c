// SPDX-License-Identifier: BSD-2-Clause
/* The words of --help and of the manual pages. */
#include "help.h"

#include <string.h>

#define EXIT_USAGE_LINE                                                        \
	{                                                                      \
		"64", "the command line was not understood"                    \
	}

const struct cli_help cli_helps[] = {
	{
		.verb = "check",
		.summary = "judge a trace by the rules of the architecture",
		.usage = "[--json | --sarif] [--max N] TRACE",
		.text = "Reads TRACE, a text trace, a directory with a binary "
			"trace, or a log of the casemate checker (which it is "
			"shows by its content), and says which rules it "
			"breaks, by which event, what armed the rule and what "
			"was missing.\n\n"
			"Judging goes on after a violation; each root cause "
			"is reported once. A violation that the recorder "
			"itself had noted in the trace counts as one.",
		.option = {{"--json", "one JSON object on standard output"},
			   {"--sarif", "SARIF 2.1.0 on standard output"},
			   {"--max N", "list at most N violations, count the "
				       "others (256)"}},
		.exit = {{"0", "clean"},
			 {"1", "at least one violation"},
			 {"2", "the trace is malformed, or not whole"},
			 {"3", "the trace is of a version or of a table that "
			       "is not supported"},
			 {"4", "internal error, or the trace cannot be read"},
			 EXIT_USAGE_LINE},
		.example = {{"nestwalk check trace.nwt", "judge a text trace"},
			    {"nestwalk check build/run/trace",
			     "judge what the hypervisor recorded"},
			    {"nestwalk check --sarif log > log.sarif",
			     "for a code review tool"}},
	},
	{
		.verb = "convert",
		.summary = "turn a trace into another encoding",
		.usage = "--to text|ctf --output PATH TRACE",
		.text = "Reads TRACE in any encoding and writes it as a text, "
			"or as a directory with CTF 1.8 metadata and one "
			"stream file a CPU, which babeltrace2 reads. Converted "
			"there and back, a trace is the same byte for byte, "
			"but for the comments of a text.\n\n"
			"PATH must not exist, or be an empty directory; what "
			"stands there is never overwritten. For text, - is "
			"standard output. When the trace turns out to be "
			"malformed, what was written is incomplete and stays "
			"for inspection.",
		.option = {{"--to text|ctf", "the encoding to write"},
			   {"--output PATH", "where to write"}},
		.exit = {{"0", "done"},
			 {"2", "the trace is malformed, or not whole"},
			 {"3", "the trace is of an unsupported version"},
			 {"4", "reading or writing failed"},
			 EXIT_USAGE_LINE},
		.example = {{"nestwalk convert --to text --output - "
			     "build/run/trace",
			     "look at a recording"},
			    {"nestwalk convert --to ctf --output t trace.nwt",
			     "for babeltrace2"},
			    {"nestwalk convert --to text --output log.nwt "
			     "casemate.log",
			     "import a casemate log"}},
	},
#include "help_explore.h"
	{
		.verb = "mutants",
		.summary = "remove each ordering point in turn: who notices?",
		.usage = "[--json] [--only ID] [--source DIR]",
		.text = "Needs a source tree and its compiler. Each mutant "
			"removes or weakens one point of "
			"docs/memory-ordering.md in a copy of the tree, builds "
			"only the objects that it changes, and runs the one "
			"program that must refute it: the explorer, the "
			"oracle, or a sanitizer. The catcher must name the "
			"rule, or the message, that the mutant's row states; "
			"and without the mutant it must be content.\n\n"
			"A mutant that nobody catches fails the score, and so "
			"does a point without mutant.",
		.option = {{"--json", "one JSON object on standard output"},
			   {"--only ID", "those whose id begins so: ORD-07, "
					 "or one of them"},
			   {"--source DIR", "the source tree (.)"}},
		.exit = {{"0", "all are caught"},
			 {"1", "one survives, or a point has no mutant"},
			 {"3", "not a source tree, or no compiler"},
			 {"4", "a build failed, or a catcher complains without "
			       "any mutant"},
			 EXIT_USAGE_LINE},
		.example = {{"nestwalk mutants", "the table and the score"},
			    {"nestwalk mutants --only ORD-21",
			     "one ordering point"}},
	},
	{
		.verb = "rules",
		.summary = "list the rules, or explain some of them",
		.usage = "[--json] [RULE...]",
		.text = "Without RULE, one line for each rule: its id and what "
			"it refuses. With one, why that is wrong, what to do "
			"instead, and the section of the manual.",
		.option = {{"--json", "one JSON array on standard output"}},
		.exit = {{"0", "done"},
			 {"4", "internal error"},
			 {"64", "no such rule, or the command line was not "
				"understood"}},
		.example = {{"nestwalk rules", "list all rules"},
			    {"nestwalk rules BBM-01", "explain one"}},
	},
};

const size_t cli_helps_count = sizeof(cli_helps) / sizeof(cli_helps[0]);

const struct cli_help *cli_help_find(const char *verb)
{
	for (size_t i = 0; i < cli_helps_count; i++)
		if (!strcmp(cli_helps[i].verb, verb))
			return &cli_helps[i];
	return NULL;
}
