/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A replay as a text trace, for `nestwalk check` (docs/trace-format.md): the
 * events of the library's tracepoints and of the primitives. The same events are what
 * the oracle judges during exploration.
 */
#include <stdio.h>

#include "../trace/write.h"
#include "engine.h"

struct sink {
	FILE *out;
	uint64_t seq;
	int failed;
};

static void sink_record(const struct nwx_record *r, void *arg)
{
	struct sink *s = arg;
	struct nwv_event e = {.seq = s->seq,
			      .a = nwx_stable(r->a),
			      .b = nwx_stable(r->b),
			      .c = nwx_stable(r->c),
			      .cpu = (uint16_t)r->cpu,
			      .kind = (uint16_t)r->event,
			      .line = r->file ? r->line : 0,
			      .file = r->file};
	char line[NWV_TEXT_BYTES];

	if (r->event == NW_EV_NONE)
		return;
	if (!nwv_text_encode(&e, line) || fputs(line, s->out) < 0)
		s->failed = 1;
	s->seq++;
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
	free(again.choices);
	return status || sink.failed ? -1 : 0;
}
