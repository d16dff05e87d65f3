/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a trace, whatever its encoding:
 *
 *   a text that begins with "nestwalk-trace 1"
 *   a directory with CTF 1.8 `metadata` and one stream file a CPU
 *   a log of the casemate checker
 *
 * docs/trace-format.md states all three. Files are mapped, not read: memory
 * grows with the distinct source files named, not with the events.
 */
#ifndef NWV_TRACE_H
#define NWV_TRACE_H

#include "event.h"

enum nwv_trace_status {
	NWV_TRACE_EVENT,       /* an event was delivered */
	NWV_TRACE_END,	       /* the trace is complete */
	NWV_TRACE_MALFORMED,   /* it is no trace, or not a whole one */
	NWV_TRACE_UNSUPPORTED, /* of another version, or beyond this reader */
	NWV_TRACE_FAILED,      /* it could not be read: file or memory */
};

enum nwv_trace_encoding {
	NWV_ENCODING_UNKNOWN, /* open failed before it could be told */
	NWV_ENCODING_TEXT,
	NWV_ENCODING_CTF,
	NWV_ENCODING_CASEMATE,
};

struct nwv_trace;

/*
 * Open the file or directory `path` and find out its encoding. NULL only when
 * memory is out; any other failure is what the first nwv_trace_next() says.
 * The file must not be shortened while it is open (it is mapped).
 */
struct nwv_trace *nwv_trace_open(const char *path);

/* The same for text or a casemate log in memory that outlives the trace. */
struct nwv_trace *nwv_trace_open_bytes(const char *name, const void *data,
				       size_t bytes);

/*
 * The next event, in the order of the sequence. NWV_TRACE_EVENT: `event` is
 * filled. Anything else: `event` is untouched, and every later call says the
 * same again; unless it is NWV_TRACE_END, nwv_trace_error() says why.
 */
enum nwv_trace_status nwv_trace_next(struct nwv_trace *t,
				     struct nwv_event *event);

/*
 * "name:line:column: what was wrong; what was expected" for text and casemate
 * (1-based), "name: record n (byte m): ..." for a stream file. Empty while
 * nothing is wrong. Lives as long as the trace.
 */
const char *nwv_trace_error(const struct nwv_trace *t);

enum nwv_trace_encoding nwv_trace_encoding(const struct nwv_trace *t);

/* "text", "ctf", "casemate" or "unknown". */
const char *nwv_encoding_name(enum nwv_trace_encoding encoding);

/*
 * The lines of a text or casemate log that events come from: line[i] for
 * seq[i], which ascend. 0 for a binary trace or when there is no such event.
 * Reads the log once more from its start: for reports, not for loops.
 */
void nwv_trace_lines(const struct nwv_trace *t, const uint64_t *seq,
		     uint64_t *line, size_t count);

/*
 * Have `remark` called for each violation that the recorder itself noted
 * ("!" lines of casemate), as reading comes to it. `text` has `bytes` bytes
 * and no end mark.
 */
void nwv_trace_on_remark(struct nwv_trace *t,
			 void (*remark)(void *context, uint64_t line,
					const char *text, size_t bytes),
			 void *context);

/* `t` may be NULL. Source file names of its events die with it. */
void nwv_trace_close(struct nwv_trace *t);

#endif
