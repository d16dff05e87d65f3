/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A replay as a text trace, for `nestwalk check` (docs/trace-format.md): the
 * events of the library's tracepoints and of the primitives. Addresses in the
 * simulated memory are given as a kernel would have them, so that a trace does
 * not depend on where the arena happens to lie.
 */
#include <stdio.h>

#include "../trace/write.h"
#include "engine.h"

#define VIRT_BASE UINT64_C(0xffff800000000000)

struct sink {
	FILE *out;
	uint64_t seq;
	int failed;
};

static uint64_t stable(uint64_t value)
{
	uint64_t arena = (uint64_t)(uintptr_t)nwm_arena;

	if (value - arena >= sizeof(nwm_arena))
		return value;
	return VIRT_BASE + NWM_PA_BASE + (value - arena);
}

static void sink_record(const struct nwx_record *r, void *arg)
{
	struct sink *s = arg;
	struct nwv_event e = {.seq = s->seq,
			      .a = stable(r->a),
			      .b = stable(r->b),
			      .c = stable(r->c),
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
