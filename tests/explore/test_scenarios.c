/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every scenario comes out as it declares: systematically with two CPUs and no
 * bound on preemptions, then at random with three.
 *
 * test_scenarios [SCHEDULES [PART/PARTS [WALKS]]]: random schedules of each
 * good one; one part of the scenarios; at most so many speculative walks in
 * the systematic run (for builds that are slow).
 */
#include <stdio.h>

#include "support.h"

static uint64_t pct_schedules = 3000;
static unsigned walks_max = ~0u;

static void one_scenario(void **state)
{
	const struct nwx_scenario *s = *state;
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;

	if (s->walks > walks_max && !s->expect[0])
		o.walks = (int)walks_max;
	nws_run_systematic(s, &o, &run);
	if (run.verdict != NWS_AS_EXPECTED)
		fail_msg("%s: %s: %s", s->name, nws_verdict_text(run.verdict),
			 run.result.error ? run.result.error :
					    run.result.text);
	nws_run_free(&run);
	o.walks = -1;
	o.strategy = NWX_PCT;
	o.pct_changes = 4;
	o.schedules_max = s->expect[0] ? 100000 : pct_schedules;
	nws_run_random(s, &o, &run);
	if (run.verdict != NWS_AS_EXPECTED)
		fail_msg("%s at random: %s: %s", s->name,
			 nws_verdict_text(run.verdict),
			 run.result.error ? run.result.error :
					    run.result.text);
	nws_run_free(&run);
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(nws_count, sizeof(*tests));
	unsigned part = 1, parts = 1, n = 0;
	int failed;

	if (argc > 1)
		pct_schedules = strtoull(argv[1], NULL, 10);
	if (!tests || (argc > 2 && (sscanf(argv[2], "%u/%u", &part, &parts) !=
					    2 ||
				    !part || part > parts)))
		return 1;
	if (argc > 3)
		walks_max = (unsigned)strtoul(argv[3], NULL, 10);
	for (unsigned i = part - 1; i < nws_count; i += parts) {
		tests[n].name = nws_all[i]->name;
		tests[n].test_func = one_scenario;
		tests[n++].initial_state = (void *)(uintptr_t)nws_all[i];
	}
	failed = _cmocka_run_group_tests("scenarios", tests, n, NULL, NULL);
	free(tests);
	return failed;
}
