// SPDX-License-Identifier: BSD-2-Clause
/* What all forms of a report need, and its form as text. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli.h"

static int by_number(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a,
		       right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Events that a violation names: itself, what armed it, the near miss. */
static size_t places_of(const struct nwv_violation *v, uint64_t seq[4])
{
	size_t n = 0;

	if (v->event.kind != NW_EV_NONE)
		seq[n++] = v->event.seq;
	if (v->armed.kind != NW_EV_NONE)
		seq[n++] = v->armed.seq;
	if (v->missing != NWV_MISSING_NOTHING)
		seq[n++] = v->missing_after;
	if (v->near.why != NWV_WHY_NONE)
		seq[n++] = v->near.seq;
	return n;
}

int report_find_lines(struct report *r)
{
	const size_t n = nwv_check_violations(r->check);
	size_t kept = 0;

	r->seq = calloc(4 * n + 1, sizeof(*r->seq));
	r->line = calloc(4 * n + 1, sizeof(*r->line));
	if (!r->seq || !r->line)
		return -1;
	for (size_t i = 0; i < n; i++)
		r->places += places_of(nwv_check_violation(r->check, i),
				       r->seq + r->places);
	qsort(r->seq, r->places, sizeof(*r->seq), by_number);
	for (size_t i = 0; i < r->places; i++)
		if (!kept || r->seq[i] != r->seq[kept - 1])
			r->seq[kept++] = r->seq[i];
	r->places = kept;
	nwv_trace_lines(r->trace, r->seq, r->line, r->places);
	return 0;
}

uint64_t report_line(const struct report *r, uint64_t seq)
{
	const uint64_t *found = r->places ? bsearch(&seq, r->seq, r->places,
						    sizeof(*r->seq), by_number)
					  : NULL;

	return found ? r->line[found - r->seq] : 0;
}

const char *report_verdict(const struct report *r)
{
	static const char *const verdict[] = {
		[CLI_CLEAN] = "clean",
		[CLI_VIOLATION] = "violation",
		[CLI_MALFORMED] = "malformed",
		[CLI_UNSUPPORTED] = "unsupported",
		[CLI_INTERNAL] = "failed",
	};

	return verdict[r->exit];
}

char *report_words(const struct nwv_violation *v,
		   int (*words)(const struct nwv_violation *v, char *text,
				size_t size))
{
	const int n = words(v, NULL, 0);
	char *text = malloc((size_t)n + 1);

	if (text)
		words(v, text, (size_t)n + 1);
	return text;
}

/* Which line each event number of the words above stands on. */
static void put_lines(const struct report *r, const struct nwv_violation *v)
{
	const char *separator = "  where: ";
	uint64_t seq[4], done[4];
	const size_t n = places_of(v, seq);
	size_t said = 0;

	for (size_t i = 0; i < n; i++) {
		bool again = !report_line(r, seq[i]);

		for (size_t k = 0; k < said; k++)
			again |= done[k] == seq[i];
		if (again)
			continue;
		done[said++] = seq[i];
		printf("%sevent %llu is line %llu", separator,
		       (unsigned long long)seq[i],
		       (unsigned long long)report_line(r, seq[i]));
		separator = ", ";
	}
	if (said)
		printf("\n");
}

static void put_place(const struct report *r, const struct nwv_violation *v)
{
	const uint64_t line = report_line(r, v->event.seq);

	if (v->event.kind == NW_EV_NONE)
		printf("%s: end of the trace: ", r->path);
	else if (line)
		printf("%s:%llu: ", r->path, (unsigned long long)line);
	else
		printf("%s: event %llu: ", r->path,
		       (unsigned long long)v->event.seq);
}

int report_text(const struct report *r)
{
	const size_t n = nwv_check_violations(r->check);
	const uint64_t dropped = nwv_check_dropped(r->check);

	for (size_t i = 0; i < n; i++) {
		const struct nwv_violation *v =
			nwv_check_violation(r->check, i);
		char *words = report_words(v, nwv_violation_text);

		if (!words)
			return -1;
		put_place(r, v);
		printf("%s\n", words);
		put_lines(r, v);
		free(words);
	}
	for (size_t i = 0; i < r->remarks; i++)
		printf("%s:%llu: noted by the recorder: %s\n", r->path,
		       (unsigned long long)r->remark[i].line,
		       r->remark[i].text);
	if (r->error)
		fprintf(stderr, "nestwalk check: %s%s%s\n",
			r->problem_is_oracles ? r->path : "",
			r->problem_is_oracles ? ": " : "", r->error);
	printf("%s: %s: %llu events, %llu violations", r->path,
	       report_verdict(r), (unsigned long long)r->events,
	       (unsigned long long)(n + dropped));
	if (dropped)
		printf(" (%llu not listed)", (unsigned long long)dropped);
	if (r->remarks)
		printf(", %zu noted by the recorder", r->remarks);
	printf("\n");
	return 0;
}
