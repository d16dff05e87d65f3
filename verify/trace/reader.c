// SPDX-License-Identifier: BSD-2-Clause
/* Open a trace, tell its encoding, and what all decoders need. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char text_magic[] = "nestwalk-trace";

static enum nwv_trace_status stop_with(struct nwv_trace *t,
				       enum nwv_trace_status status,
				       size_t prefix, const char *format,
				       va_list list)
{
	vsnprintf(t->error + prefix, sizeof(t->error) - prefix, format, list);
	t->status = status;
	return status;
}

enum nwv_trace_status nwv_trace_stop(struct nwv_trace *t,
				     enum nwv_trace_status status,
				     const char *format, ...)
{
	va_list list;

	va_start(list, format);
	stop_with(t, status, 0, format, list);
	va_end(list);
	return status;
}

enum nwv_trace_status nwv_trace_bad(struct nwv_trace *t, size_t column,
				    const char *format, ...)
{
	va_list list;
	int prefix;

	prefix = snprintf(t->error, sizeof(t->error),
			  "%.300s:%llu:%zu: ", t->name,
			  (unsigned long long)t->line, column);
	va_start(list, format);
	stop_with(t, NWV_TRACE_MALFORMED, (size_t)prefix, format, list);
	va_end(list);
	return NWV_TRACE_MALFORMED;
}

bool nwv_trace_line_next(struct nwv_trace *t, const char **line, size_t *bytes)
{
	const char *start = t->data + t->at, *end;
	const size_t left = t->bytes - t->at;

	if (!left)
		return false;
	t->line++;
	end = memchr(start, '\n', left);
	*bytes = end ? (size_t)(end - start) : left;
	for (size_t i = 0; i < *bytes; i++) {
		const unsigned char c = (unsigned char)start[i];

		if ((c >= ' ' && c != 0x7f) || c == '\t')
			continue;
		if (c == '\r')
			nwv_trace_bad(t, i + 1,
				      "carriage return; lines end in a "
				      "newline alone");
		else
			nwv_trace_bad(t, i + 1, "byte 0x%02x is no text", c);
		return false;
	}
	if (!end) {
		nwv_trace_bad(t, left + 1,
			      "the last line has no newline; the file was "
			      "cut short");
		return false;
	}
	t->at += *bytes + 1;
	*line = start;
	return true;
}

struct nwv_trace *nwv_trace_new(const char *name)
{
	struct nwv_trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->name = strdup(name);
	if (t->name)
		return t;
	free(t);
	return NULL;
}

bool nwv_map_file(struct nwv_trace *t, const char *path, const void **data,
		  size_t *bytes)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	*data = "";
	*bytes = 0;
	if (fd < 0 || fstat(fd, &st)) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "%.300s: %s", path,
			       strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		nwv_trace_stop(t, NWV_TRACE_FAILED,
			       "%.300s: not a regular file; save the trace to "
			       "a file first",
			       path);
		close(fd);
		return false;
	}
	if (!st.st_size) {
		close(fd);
		return true;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "%.300s: mmap: %s", path,
			       strerror(errno));
		return false;
	}
	madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
	*data = map;
	*bytes = (size_t)st.st_size;
	return true;
}

/* Text or casemate: by how the content begins. */
static void choose_decoder(struct nwv_trace *t)
{
	const size_t magic = sizeof(text_magic) - 1;
	size_t at = 0;

	if (t->bytes >= magic && !memcmp(t->data, text_magic, magic)) {
		t->decoder = &nwv_text_decoder;
		return;
	}
	while (at < t->bytes && strchr(" \t\n", t->data[at]))
		at++;
	if (at < t->bytes && (t->data[at] == '(' || t->data[at] == '!')) {
		t->decoder = &nwv_casemate_decoder;
		return;
	}
	t->line = 1;
	nwv_trace_bad(t, 1,
		      "no trace; expected \"%s %d\" on the first line, a "
		      "casemate log, or a directory with CTF metadata",
		      text_magic, NWV_TRACE_VERSION);
}

struct nwv_trace *nwv_trace_open_bytes(const char *name, const void *data,
				       size_t bytes)
{
	struct nwv_trace *t = nwv_trace_new(name);

	if (!t)
		return NULL;
	t->data = data;
	t->bytes = bytes;
	choose_decoder(t);
	return t;
}

struct nwv_trace *nwv_trace_open(const char *path)
{
	struct nwv_trace *t = nwv_trace_new(path);
	const void *data;
	struct stat st;

	if (!t)
		return NULL;
	if (stat(path, &st)) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "%.300s: %s", path,
			       strerror(errno));
		return t;
	}
	if (S_ISDIR(st.st_mode)) {
		nwv_ctf_open(t);
		return t;
	}
	if (!nwv_map_file(t, path, &data, &t->bytes))
		return t;
	t->data = data;
	t->mapped = t->bytes > 0;
	choose_decoder(t);
	return t;
}

static enum nwv_trace_status stop_at_gap(struct nwv_trace *t,
					 const struct nwv_event *e)
{
	char where[32] = "";

	if (t->data)
		snprintf(where, sizeof(where), ":%llu:1",
			 (unsigned long long)t->line);
	return nwv_trace_stop(t, NWV_TRACE_MALFORMED,
			      "%.300s%s: event %llu: the recorder lost %llu "
			      "events here; record again with a larger buffer",
			      t->name, where, (unsigned long long)e->seq,
			      (unsigned long long)e->a);
}

enum nwv_trace_status nwv_trace_next(struct nwv_trace *t,
				     struct nwv_event *event)
{
	enum nwv_trace_status status;
	struct nwv_event e;

	if (NW_UNLIKELY(t->status != NWV_TRACE_EVENT))
		return t->status;
	status = t->decoder->next(t, &e);
	if (NW_UNLIKELY(status != NWV_TRACE_EVENT)) {
		t->status = status;
		return status;
	}
	if (NW_UNLIKELY(e.kind == NW_EV_GAP))
		return stop_at_gap(t, &e);
	*event = e;
	return NWV_TRACE_EVENT;
}

const char *nwv_trace_error(const struct nwv_trace *t)
{
	return t->error;
}

enum nwv_trace_encoding nwv_trace_encoding(const struct nwv_trace *t)
{
	return t->decoder ? t->decoder->encoding : NWV_ENCODING_UNKNOWN;
}

const char *nwv_encoding_name(enum nwv_trace_encoding encoding)
{
	switch (encoding) {
	case NWV_ENCODING_TEXT:
		return "text";
	case NWV_ENCODING_CTF:
		return "ctf";
	case NWV_ENCODING_CASEMATE:
		return "casemate";
	case NWV_ENCODING_UNKNOWN:
		break;
	}
	return "unknown";
}

void nwv_trace_lines(const struct nwv_trace *t, const uint64_t *seq,
		     uint64_t *line, size_t count)
{
	struct nwv_trace *again = NULL;
	struct nwv_event e;
	size_t i = 0;

	memset(line, 0, count * sizeof(*line));
	if (t->data && t->decoder && count)
		again = nwv_trace_open_bytes(t->name, t->data, t->bytes);
	while (again && i < count &&
	       nwv_trace_next(again, &e) == NWV_TRACE_EVENT)
		for (; i < count && seq[i] == e.seq; i++)
			line[i] = again->line;
	nwv_trace_close(again);
}

void nwv_trace_on_remark(struct nwv_trace *t,
			 void (*remark)(void *context, uint64_t line,
					const char *text, size_t bytes),
			 void *context)
{
	t->remark = remark;
	t->remark_context = context;
}

void nwv_trace_close(struct nwv_trace *t)
{
	if (!t)
		return;
	if (t->decoder && t->decoder->close)
		t->decoder->close(t);
	if (t->mapped)
		munmap((void *)(uintptr_t)t->data, t->bytes);
	nwv_strings_free(&t->files);
	free(t->name);
	free(t);
}
