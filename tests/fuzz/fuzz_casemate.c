// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as a casemate log: what is imported, our own encoding can say. */
#include <stdlib.h>

#include <trace/trace.h>
#include <trace/write.h>

/* A memset makes many events of one line: enough of them is enough. */
#define EVENTS_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void remark(void *context, uint64_t line, const char *text, size_t bytes)
{
	size_t *seen = context;

	if (!line)
		abort();
	for (size_t i = 0; i < bytes; i++)
		*seen += (unsigned char)text[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct nwv_trace *t = nwv_trace_open_bytes("fuzz", data, bytes);
	char line[NWV_TEXT_BYTES];
	struct nwv_event e;
	size_t seen = 0;

	if (!t)
		abort();
	nwv_trace_on_remark(t, remark, &seen);
	for (uint64_t n = 0; n < EVENTS_MAX; n++) {
		if (nwv_trace_next(t, &e) != NWV_TRACE_EVENT)
			break;
		if (e.seq != n || !nwv_text_encode(&e, line))
			abort();
	}
	nwv_trace_close(t);
	return 0;
}
