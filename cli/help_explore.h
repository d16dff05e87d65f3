/* SPDX-License-Identifier: BSD-2-Clause */
/* The explorer's words, as members of cli_helps[] (help_text.c). */
	{
		.verb = "explore",
		.summary = "run one scenario in every order that matters",
		.usage = "[options] SCENARIO",
		.text = "Runs SCENARIO on the simulated machine until all that "
			"can differ was seen or a violation is found. A "
			"counterexample is made as small as it can be and "
			"printed as a timeline, one column a CPU. "
			"docs/machine.md states the model.\n\n"
			"Also: --schedules N, --steps N (give up), --seed N, "
			"--result FILE (numbers, for nestwalk merge), --quiet "
			"(no timeline), --raw (do not shrink), --progress "
			"(also where standard error is no terminal), "
			"--no-oracle (judge what the machine shows, not what "
			"the rules say).",
		.option = {{"--strategy S",
			    "systematic (default), pct or random"},
			   {"--cpus N", "CPUs"},
			   {"--walks N", "speculative walks an execution"},
			   {"--stale N", "stale reads of each CPU, at most"},
			   {"--preemptions N",
			    "only executions with so many at most"},
			   {"--seconds N", "give up after so many"},
			   {"--shard K/N", "explore one of N parts"},
			   {"--target ID",
			    "look for this violation (the first one that the "
			    "scenario expects), or any it does not expect"},
			   {"--save FILE", "keep the counterexample"},
			   {"--html FILE", "the timeline as a page"},
			   {"--trace FILE", "its events for nestwalk check"}},
		.exit = {{"0", "nothing found"},
			 {"1", "a violation was found"},
			 {"4", "internal error"},
			 {"64", "the command line was not understood"}},
		.example = {{"nestwalk explore bad_fixmap_local_invalidate",
			     "why local invalidation is wrong"},
			    {"nestwalk explore --strategy pct --cpus 3 "
			     "good_bracket",
			     "at random, with three CPUs"},
			    {"parallel nestwalk explore --shard {}/8 --result "
			     "r{} good_bracket ::: 1 2 3 4 5 6 7 8",
			     "divided; then nestwalk merge r* "
			     "(examples/explore-parallel does it)"}},
	},
	{
		.verb = "scenarios",
		.summary = "list the scenarios, or run them all",
		.usage = "[--run NAME|all] [--pct N] [--seconds N] "
			 "[--json FILE]",
		.text = "Without --run, what there is and what each expects. "
			"With it, a table; a surprise in either direction "
			"fails.",
		.option = {{"--run NAME|all", "run one, or all"},
			   {"--pct N", "then N random schedules of each, with "
				       "more CPUs"},
			   {"--seconds N", "for each exploration (60)"},
			   {"--json FILE", "the table, with steps per second "
					   "and ordering points"}},
		.exit = {{"0", "all as expected"},
			 {"1", "at least one surprise"},
			 {"64", "the command line was not understood"}},
		.example = {{"nestwalk scenarios --run all",
			     "what the test suite runs"}},
	},
	{
		.verb = "replay",
		.summary = "show a kept counterexample again",
		.usage = "[--html FILE] [--trace FILE] FILE",
		.text = "Runs the execution that nestwalk explore --save wrote "
			"to FILE, step by step the same, and prints it.",
		.option = {{"--html FILE", "the timeline as a page"},
			   {"--trace FILE", "its events for nestwalk check"}},
		.exit = {{"1", "the violation was seen again"},
			 {"2", "FILE is malformed, or of another version"},
			 {"4", "internal error"},
			 {"64", "the command line was not understood"}},
		.example = {{"nestwalk replay found.nws", "look at it"}},
	},
	{
		.verb = "merge",
		.summary = "add up the results of shards",
		.usage = "RESULT...",
		.text = "Reads what nestwalk explore --result wrote for the "
			"shards of one scenario and prints their sum; a shard "
			"that is given twice, or belongs elsewhere, is refused.",
		.exit = {{"0", "no shard found a violation"},
			 {"1", "one did"},
			 {"2", "a file is malformed or does not belong"},
			 {"64", "the command line was not understood"}},
		.example = {{"nestwalk merge r1 r2 r3 r4", "four shards"}},
	},
