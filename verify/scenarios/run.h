/* SPDX-License-Identifier: BSD-2-Clause */
/* Running a scenario against what it declares. */
#ifndef NWS_RUN_H
#define NWS_RUN_H

#include "scenarios.h"

enum nws_verdict {
	NWS_AS_EXPECTED,
	NWS_NOT_REFUTED,     /* a bad_ one was not caught */
	NWS_WRONG_VIOLATION, /* something else than declared was found */
	NWS_UNEXPECTED,	     /* a good_ one was refuted */
	NWS_NOT_EXHAUSTED,   /* a good_ one, within the bounds given */
	NWS_FAILED,	     /* the explorer's own error: see result.error */
};

struct nws_run {
	enum nws_verdict verdict;
	unsigned found; /* how many of the declared violations */
	uint64_t reached; /* bit n: ORD-n was passed (reached.h) */
	struct nwx_result result; /* sums; text and choices of the last */
};

/*
 * Systematically, one exploration for each declared violation; for a good_ one
 * a single one that must exhaust. Free with nws_run_free().
 */
void nws_run_systematic(const struct nwx_scenario *s,
			const struct nwx_options *o, struct nws_run *run);
/* With o->strategy PCT or RANDOM: `schedules` executions for each. */
void nws_run_random(const struct nwx_scenario *s, const struct nwx_options *o,
		    struct nws_run *run);
void nws_run_free(struct nws_run *run);

const char *nws_verdict_text(enum nws_verdict verdict);
/* "clean" or "TLB-STALE, TLB-AMALGAM"; a static buffer. */
const char *nws_expected_text(const struct nwx_scenario *s);

#endif
