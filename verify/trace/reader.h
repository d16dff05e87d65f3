/* SPDX-License-Identifier: BSD-2-Clause */
/* What the decoders share; private to verify/trace and its tests. */
#ifndef NWV_TRACE_READER_H
#define NWV_TRACE_READER_H

#include <stdbool.h>

#include "trace.h"
#include "vocab.h"

#define NWV_ERROR_BYTES 512

/* Distinct strings, each kept once until the table is freed. */
struct nwv_strings {
	char **slot;
	size_t slots; /* 0 or a power of two */
	size_t used;
	const char *last; /* most events name the file of the one before */
	size_t last_bytes;
};

/* The one copy of a string, with an end mark; NULL when memory is out. */
const char *nwv_strings_keep(struct nwv_strings *s, const char *text,
			     size_t bytes);
void nwv_strings_free(struct nwv_strings *s);

struct nwv_decoder {
	enum nwv_trace_encoding encoding;
	enum nwv_trace_status (*next)(struct nwv_trace *t,
				      struct nwv_event *event);
	void (*close)(struct nwv_trace *t);
};

extern const struct nwv_decoder nwv_text_decoder;
extern const struct nwv_decoder nwv_casemate_decoder;

struct nwv_ctf_reader;
struct nwv_casemate;

struct nwv_trace {
	const struct nwv_decoder *decoder; /* NULL: open failed */
	enum nwv_trace_status status;	   /* NWV_TRACE_EVENT until it stops */
	char *name;
	const char *data; /* text and casemate: the whole of it */
	size_t bytes;
	bool mapped;
	size_t at;     /* text and casemate: offset of the next line */
	uint64_t line; /* of the line read last, 1-based */
	uint64_t seq;  /* of the next event */
	struct nwv_strings files;
	struct nwv_ctf_reader *ctf;
	struct nwv_casemate *casemate;
	void (*remark)(void *context, uint64_t line, const char *text,
		       size_t bytes);
	void *remark_context;
	char error[NWV_ERROR_BYTES];
};

/* Stop with an error; `format` says it all, position included. */
enum nwv_trace_status nwv_trace_stop(struct nwv_trace *t,
				     enum nwv_trace_status status,
				     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same as malformed, at a 1-based column of the line read last. */
enum nwv_trace_status nwv_trace_bad(struct nwv_trace *t, size_t column,
				    const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The next line of the text without its newline. False at the end, or after
 * an error (a last line without newline, a byte that is no text).
 */
bool nwv_trace_line_next(struct nwv_trace *t, const char **line, size_t *bytes);

/* A trace without content yet; NULL when memory is out. */
struct nwv_trace *nwv_trace_new(const char *name);

/* One stream file in memory. */
struct nwv_ctf_file {
	char *name; /* "cpu3" */
	const void *data;
	size_t bytes;
	bool mapped;
};

/*
 * Make `t` a reader of these streams. The array and what it points to are the
 * reader's from here on (names freed, mappings undone), also on failure.
 */
void nwv_ctf_attach(struct nwv_trace *t, const char *metadata,
		    size_t metadata_bytes, struct nwv_ctf_file *file,
		    size_t files);

/* Open the directory `t->name`. */
void nwv_ctf_open(struct nwv_trace *t);

/* Map a file; on failure stops `t` with the reason and returns false. */
bool nwv_map_file(struct nwv_trace *t, const char *path, const void **data,
		  size_t *bytes);

#endif
