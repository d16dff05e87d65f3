/* SPDX-License-Identifier: BSD-2-Clause */
/* A verdict on a trace as text, JSON or SARIF. */
#ifndef NW_CLI_REPORT_H
#define NW_CLI_REPORT_H

#include <stdbool.h>

#include <check/check.h>
#include <trace/trace.h>

/* A violation that the recorder had noted itself. */
struct report_remark {
	uint64_t line;
	char *text;
};

struct report {
	const char *path;
	const struct nwv_trace *trace;
	const struct nwv_check *check;
	int exit;		 /* enum cli_exit */
	const char *error;	 /* why it is not 0 or 1, or NULL */
	bool problem_is_oracles; /* the error does not name the trace yet */
	uint64_t events;
	struct report_remark *remark;
	size_t remarks;
	/* places of events in a text: seq ascending, line 0 unknown */
	uint64_t *seq;
	uint64_t *line;
	size_t places;
};

/*
 * Find the lines of all events that the violations name. Returns -1 when
 * memory is out.
 */
int report_find_lines(struct report *r);

/* Line of the trace for an event, or 0. */
uint64_t report_line(const struct report *r, uint64_t seq);

/* "clean", "violation", "malformed", "unsupported", "failed". */
const char *report_verdict(const struct report *r);

/* Each returns 0, or -1 when memory is out. */
int report_text(const struct report *r);
int report_json(const struct report *r);
int report_sarif(const struct report *r);

/* nwv_violation_text() and its parts in memory of their own. */
char *report_words(const struct nwv_violation *v,
		   int (*words)(const struct nwv_violation *v, char *text,
				size_t size));

#endif
