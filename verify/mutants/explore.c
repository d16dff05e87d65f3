/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer as a catcher of mutants: run the scenarios named, which expect
 * nothing wrong, and print the first violation. The scenarios are over the
 * library's sources, which the caller compiled with a point removed.
 *
 * Exit: 0 all clean and exhausted, 1 a violation, 2 something else.
 */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include <scenarios/scenarios.h>

#include "explore_list.h"

#define SECONDS_MAX 600.0

/* Only those of this build; made by the runner from the sources. */
#define DECLARE(name) extern const struct nwx_scenario nws_##name;
#define POINT(name) &nws_##name,
EXPLORE_LIST(DECLARE)
const struct nwx_scenario *const nws_all[] = {EXPLORE_LIST(POINT) NULL};
const unsigned nws_count = sizeof(nws_all) / sizeof(nws_all[0]) - 1;

static int run(const struct nwx_scenario *s, int is_judged)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;
	int status = 0;

	o.seconds_max = SECONDS_MAX;
	o.is_judged = is_judged;
	if (nwx_explore(s, &o, &r)) {
		printf("%s: %s\n", s->name, r.error ? r.error : "failed");
		return 2;
	}
	if (r.violation != NWM_OK) {
		printf("%s: %s: %s\n", s->name, nwx_violation_name(&r),
		       r.text);
		status = 1;
	} else {
		printf("%s: clean, %llu schedules%s\n", s->name,
		       (unsigned long long)r.schedules,
		       r.exhausted ? "" : ", not exhausted");
		status = r.exhausted ? 0 : 2;
	}
	free(r.choices);
	return status;
}

int main(int argc, char **argv)
{
	int worst = 0, is_judged = 0;

	for (int i = 1; i < argc; i++) {
		const struct nwx_scenario *s = nws_find(argv[i]);
		int status;

		/* What only the rules forbid: ask the oracle, too. */
		if (!strcmp(argv[i], "--rules")) {
			is_judged = 1;
			continue;
		}
		if (!s) {
			printf("no scenario %s\n", argv[i]);
			return 2;
		}
		status = run(s, is_judged);
		if (status == 1)
			return 1;
		worst = status ? status : worst;
	}
	return worst;
}
