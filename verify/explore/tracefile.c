/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A replay as a text trace, for `nestwalk check` (docs/trace-format.md): the
 * events of the library's tracepoints (of a protocol, those of tell.c) and of
 * the primitives. The same events are what the oracle judges during
 * exploration.
 */
#include <stdio.h>
#include <string.h>

#include "../trace/write.h"
#include "engine.h"

struct sink {
	FILE *out;
	uint64_t seq;
	int failed;
};

static void sink_event(struct sink *s, const struct nwx_record *r,
		       enum nw_event event, uint64_t a)
{
	struct nwv_event e = {.seq = s->seq,
			      .a = nwx_stable(a),
			      .b = nwx_stable(r->b),
			      .c = nwx_stable(r->c),
			      .cpu = (uint16_t)r->cpu,
			      .kind = (uint16_t)event,
			      .line = r->file ? r->line : 0,
			      .file = r->file};
	char line[NWV_TEXT_BYTES];

	if (!nwv_text_encode(&e, line) || fputs(line, s->out) < 0)
		s->failed = 1;
	s->seq++;
}

/* The access or walk that met a violation has not told of itself yet. */
static void sink_violation(struct sink *s, const struct nwx_record *r)
{
	const struct nwx_op *op;

	if (nwx.walking)
		op = &nwx.walking->pend;
	else if (nwx.self >= 0)
		op = &nwx.actor[nwx.self].pend;
	else
		return;
	if (op->kind == NWX_OP_ACCESS || op->kind == NWX_OP_WALK)
		sink_event(s, r, NW_EV_ACCESS, nwx_watches[op->obj].ia);
}

static void sink_record(const struct nwx_record *r, void *arg)
{
	if (r->event != NW_EV_NONE)
		sink_event(arg, r, r->event, r->a);
	else if (r->text && !strncmp(r->text, "!! ", 3))
		sink_violation(arg, r);
}

/* What was found, as a comment: what the machine saw is no event. */
static void write_verdict(const struct nwx_result *r, FILE *out)
{
	fprintf(out, "# %s: ", nwx_violation_name(r));
	for (const char *at = r->text; *at; at++) {
		fputc(*at, out);
		if (*at == '\n')
			fputs("# ", out);
	}
	fputc('\n', out);
}

int nwx_trace_file(const struct nwx_scenario *s, const struct nwx_options *o,
		   const struct nwx_result *r, FILE *out)
{
	struct nwx_options options = *o;
	struct sink sink = {.out = out};
	struct nwx_result again;
	int status;

	options.target = r->violation;
	options.walks = (int)r->walks;
	options.cpus = r->cpus;
	fputs(nwv_text_header(), out);
	status = nwx_replay(s, &options, r->choices ? r->choices : "", &again,
			    sink_record, &sink);
	if (!status && again.violation)
		write_verdict(&again, out);
	free(again.choices);
	return status || sink.failed ? -1 : 0;
}
