// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a text trace: an event that is accepted is encoded again and
 * decoded to the same.
 */
#include <stdlib.h>
#include <string.h>

#include <trace/trace.h>
#include <trace/write.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void same_again(const struct nwv_event *e)
{
	char text[NWV_TEXT_BYTES + 64];
	struct nwv_trace *t;
	struct nwv_event again;
	size_t header = strlen(nwv_text_header()), n;

	memcpy(text, nwv_text_header(), header);
	n = nwv_text_encode(e, text + header);
	t = n ? nwv_trace_open_bytes("again", text, header + n) : NULL;
	if (!t || nwv_trace_next(t, &again) != NWV_TRACE_EVENT ||
	    again.kind != e->kind || again.cpu != e->cpu || again.a != e->a ||
	    again.b != e->b || again.c != e->c || again.line != e->line ||
	    !again.file != !e->file || (e->file && strcmp(e->file, again.file)))
		abort();
	nwv_trace_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct nwv_trace *t = nwv_trace_open_bytes("fuzz", data, bytes);
	struct nwv_event e;

	if (!t)
		abort();
	while (nwv_trace_next(t, &e) == NWV_TRACE_EVENT)
		same_again(&e);
	nwv_trace_close(t);
	return 0;
}
