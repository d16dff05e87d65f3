/* SPDX-License-Identifier: BSD-2-Clause */
/* A replay as text: one column a CPU, its walker's steps marked with '~'. */
#include <string.h>

#include "engine.h"

#define COLUMN 36

struct printer {
	FILE *out;
	unsigned cpus;
	unsigned last;
};

static void print_row(const struct nwx_record *r, void *arg)
{
	struct printer *p = arg;
	const char *text = r->text;
	size_t left = strlen(text);
	int is_first = 1;

	do {
		size_t n = left;

		if (n > COLUMN - 2) {
			n = COLUMN - 2;
			while (n > 8 && text[n] != ' ')
				n--;
			if (n <= 8)
				n = COLUMN - 2;
		}
		if (is_first && r->step != p->last)
			fprintf(p->out, "%5u ", r->step);
		else
			fprintf(p->out, "      ");
		for (unsigned cpu = 0; cpu < r->cpu; cpu++)
			fprintf(p->out, "|%-*s", COLUMN, "");
		fprintf(p->out, "|%s%.*s\n",
			!is_first      ? "  " :
			r->is_walker   ? "~ " :
					 " ",
			(int)n, text);
		text += n;
		left -= n;
		while (*text == ' ') {
			text++;
			left--;
		}
		is_first = 0;
	} while (left);
	p->last = r->step;
}

int nwx_timeline(const struct nwx_scenario *s, const struct nwx_options *o,
		 const struct nwx_result *r, FILE *out)
{
	struct nwx_options options = *o;
	struct printer p = {.out = out};
	struct nwx_fold fold = {.fn = print_row, .arg = &p};
	struct nwx_result again;
	int status;

	options.target = r->violation;
	options.walks = (int)r->walks;
	options.cpus = r->cpus;
	p.cpus = r->cpus;
	fprintf(out, "%5s ", "step");
	for (unsigned cpu = 0; cpu < p.cpus; cpu++) {
		char name[16];

		snprintf(name, sizeof(name), " CPU %u", cpu);
		fprintf(out, "|%-*s", COLUMN, name);
	}
	fprintf(out, "\n------");
	for (unsigned i = 0; i < p.cpus * (COLUMN + 1); i++)
		fputc(i % (COLUMN + 1) ? '-' : '+', out);
	fputc('\n', out);
	status = nwx_replay(s, &options, r->choices, &again, nwx_fold_record,
			    &fold);
	nwx_fold_end(&fold);
	if (!status && again.violation)
		fprintf(out, "\n%s: %s\n", nwx_violation_name(&again),
			again.text);
	free(again.choices);
	return status;
}
