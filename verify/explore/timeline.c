/* SPDX-License-Identifier: BSD-2-Clause */
/* A replay as text: one column a CPU, its walker's steps marked with '~'. */
#include <string.h>

#include "engine.h"

#define COLUMN 36

/* A page is filled by hundreds of stores; the middle of a run is left out. */
#define RUN_SHOWN 2

struct printer {
	FILE *out;
	unsigned cpus;
	unsigned last;
	unsigned run; /* stores to one page, one after another */
	char page[24];
	struct nwx_record held; /* the run's last one */
	char held_text[256];
};

static void print_row(struct printer *p, const struct nwx_record *r)
{
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

static void run_end(struct printer *p)
{
	if (p->run > RUN_SHOWN + 1) {
		struct nwx_record gap = p->held;
		char text[64];

		snprintf(text, sizeof(text), "... %u more like it",
			 p->run - RUN_SHOWN - 1);
		gap.text = text;
		gap.step--;
		print_row(p, &gap);
	}
	if (p->run > RUN_SHOWN)
		print_row(p, &p->held);
	p->run = 0;
	p->page[0] = 0;
}

static void timeline_record(const struct nwx_record *r, void *arg)
{
	struct printer *p = arg;
	size_t n;

	if (!r->text || !r->step)
		return;
	n = strcspn(r->text, "[");
	if (strncmp(r->text, "write 0x", 8) || n >= sizeof(p->page)) {
		run_end(p);
		print_row(p, r);
		return;
	}
	if (p->run && (strncmp(p->page, r->text, n) || p->held.cpu != r->cpu))
		run_end(p);
	memcpy(p->page, r->text, n);
	p->page[n] = 0;
	p->held = *r;
	snprintf(p->held_text, sizeof(p->held_text), "%s", r->text);
	p->held.text = p->held_text;
	if (++p->run <= RUN_SHOWN)
		print_row(p, r);
}

int nwx_timeline(const struct nwx_scenario *s, const struct nwx_options *o,
		 const struct nwx_result *r, FILE *out)
{
	struct nwx_options options = *o;
	struct printer p = {.out = out};
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
	status = nwx_replay(s, &options, r->choices, &again, timeline_record,
			    &p);
	run_end(&p);
	if (!status && again.violation)
		fprintf(out, "\n%s: %s\n", nwm_violation_id(again.violation),
			again.text);
	free(again.choices);
	return status;
}
