/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every scenario comes out as it declares: systematically with two CPUs and no
 * bound on preemptions, then at random with three. The number of random
 * schedules may be given (default: what fits a test run).
 */
#include "support.h"

static uint64_t pct_schedules = 3000;

static void one_scenario(void **state)
{
	const struct nwx_scenario *s = *state;
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;

	nws_run_systematic(s, &o, &run);
	if (run.verdict != NWS_AS_EXPECTED)
		fail_msg("%s: %s: %s", s->name, nws_verdict_text(run.verdict),
			 run.result.error ? run.result.error :
					    run.result.text);
	nws_run_free(&run);
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
	int failed;

	if (argc > 1)
		pct_schedules = strtoull(argv[1], NULL, 10);
	if (!tests)
		return 1;
	for (unsigned i = 0; i < nws_count; i++) {
		tests[i].name = nws_all[i]->name;
		tests[i].test_func = one_scenario;
		tests[i].initial_state = (void *)(uintptr_t)nws_all[i];
	}
	failed = _cmocka_run_group_tests("scenarios", tests, nws_count, NULL,
					 NULL);
	free(tests);
	return failed;
}
