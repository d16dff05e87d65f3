// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stream files to events: the heads of all streams are merged by sequence
 * number. The sequence has no holes, so that the next event is the head whose
 * number is the next one; when there is none, the trace is not whole, and the
 * heads say what is wrong with it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctf.h"
#include "reader.h"
#include "write.h"

/* Pages that were read are given back in steps of this. */
#define BEHIND_BYTES (UINT64_C(2) << 20)

struct stream {
	struct nwv_ctf_file file;
	const struct nwv_ctf_record *at, *end;
	uint64_t head; /* number of the record at `at`; UINT64_MAX at the end */
	size_t given_back;
	uint16_t cpu;
};

/* What must hold for a kind's words, worked out once. */
struct kind_check {
	uint64_t unused[3];
	bool known;
	bool has_names;
};

struct nwv_ctf_reader {
	struct stream *stream;
	size_t streams;
	size_t current; /* delivered the event before */
	const char **file;
	size_t files;
	struct kind_check kind[NWV_EV_COUNT];
};

static void check_kinds(struct nwv_ctf_reader *r)
{
	for (unsigned id = 0; id < NWV_EV_COUNT; id++) {
		const struct nwv_kind *kind = nwv_kind(id);

		if (!kind)
			continue;
		r->kind[id].known = true;
		nwv_kind_unused(kind, r->kind[id].unused);
		for (const struct nwv_field *f = kind->field; f->name; f++)
			if (f->form == NWV_NAME)
				r->kind[id].has_names = true;
	}
}

static enum nwv_trace_status
bad_record(struct nwv_trace *t, const struct stream *s, const char *what)
{
	const char *start = s->file.data;
	const size_t byte = (size_t)((const char *)s->at - start);

	return nwv_trace_stop(
		t, NWV_TRACE_MALFORMED, "%.250s/%s: record %zu (byte %zu): %s",
		t->name, s->file.name,
		(byte - sizeof(struct nwv_ctf_header)) / sizeof(*s->at), byte,
		what);
}

/* No head has the next number. Which of the possible reasons is it? */
static enum nwv_trace_status no_next(struct nwv_trace *t)
{
	const struct nwv_ctf_reader *r = t->ctf;
	const struct stream *lowest = NULL;
	char what[160];

	for (size_t i = 0; i < r->streams; i++) {
		const struct stream *s = &r->stream[i];

		if (s->at == s->end)
			continue;
		if (!lowest || s->head < lowest->head)
			lowest = s;
	}
	if (!lowest)
		return NWV_TRACE_END;
	if (lowest->head < t->seq)
		snprintf(what, sizeof(what),
			 "sequence goes back to %llu; expected %llu or above",
			 (unsigned long long)lowest->head,
			 (unsigned long long)t->seq);
	else
		snprintf(what, sizeof(what),
			 "gap in the sequence: event %llu is in no stream, the "
			 "next is %llu",
			 (unsigned long long)t->seq,
			 (unsigned long long)lowest->head);
	return bad_record(t, lowest, what);
}

static struct stream *find_next(struct nwv_trace *t)
{
	struct nwv_ctf_reader *r = t->ctf;

	for (size_t i = 0; i < r->streams; i++) {
		if (r->stream[i].head != t->seq)
			continue;
		r->current = i;
		return &r->stream[i];
	}
	return NULL;
}

static enum nwv_trace_status bad_event(struct nwv_trace *t,
				       const struct stream *s,
				       const struct nwv_event *e)
{
	const struct nwv_field *f = NULL;
	uint64_t unused[3];
	char what[160];

	switch (nwv_event_check(e, &f)) {
	case NWV_FAULT_KIND:
		snprintf(what, sizeof(what), "unknown event kind %u",
			 (unsigned)e->kind);
		break;
	case NWV_FAULT_UNUSED:
		nwv_kind_unused(nwv_kind(e->kind), unused);
		snprintf(what, sizeof(what),
			 "%s: unused bits are set: a %#llx, b %#llx, c %#llx; "
			 "expected 0",
			 nwv_kind(e->kind)->name,
			 (unsigned long long)(e->a & unused[0]),
			 (unsigned long long)(e->b & unused[1]),
			 (unsigned long long)(e->c & unused[2]));
		break;
	case NWV_FAULT_NAMED:
		snprintf(what, sizeof(what),
			 "%s: %s is %llu, which no name "
			 "stands for",
			 nwv_kind(e->kind)->name, f->name,
			 (unsigned long long)nwv_field_get(e, f));
		break;
	case NWV_FAULT_NO_FILE:
		snprintf(what, sizeof(what), "source line %u without a file",
			 e->line);
		break;
	case NWV_FAULT_CPU:
	case NWV_FAULT_NONE:
		snprintf(what, sizeof(what), "not an event");
		break;
	}
	return bad_record(t, s, what);
}

static bool plainly_good(const struct kind_check *k, const struct nwv_event *e)
{
	return k->known && !k->has_names &&
	       !((e->a & k->unused[0]) | (e->b & k->unused[1]) |
		 (e->c & k->unused[2])) &&
	       (e->file || !e->line);
}

/* Past records are not read again: their memory need not stay. */
static void give_back(struct stream *s)
{
	const size_t done =
		(size_t)((const char *)s->at - (const char *)s->file.data);

	if (NW_LIKELY(done - s->given_back < BEHIND_BYTES) || !s->file.mapped)
		return;
	madvise((char *)(uintptr_t)s->file.data + s->given_back, BEHIND_BYTES,
		MADV_DONTNEED);
	s->given_back += BEHIND_BYTES;
}

static enum nwv_trace_status ctf_next(struct nwv_trace *t,
				      struct nwv_event *event)
{
	struct nwv_ctf_reader *r = t->ctf;
	const struct nwv_ctf_record *record;
	struct stream *s;

	if (!r->streams)
		return NWV_TRACE_END;
	s = &r->stream[r->current];
	if (s->head != t->seq) {
		s = find_next(t);
		if (NW_UNLIKELY(!s))
			return no_next(t);
	}
	record = s->at;
	if (NW_UNLIKELY(record == s->end))
		return no_next(t);
	if (NW_UNLIKELY(record->file > r->files))
		return bad_record(t, s, "unknown source file id");
	*event = (struct nwv_event){
		.seq = record->seq,
		.a = record->a,
		.b = record->b,
		.c = record->c,
		.cpu = s->cpu,
		.kind = record->kind,
		.line = record->line,
		.file = record->file ? r->file[record->file - 1] : NULL,
	};
	if (NW_UNLIKELY(event->kind >= NWV_EV_COUNT) ||
	    (!plainly_good(&r->kind[event->kind], event) &&
	     nwv_event_check(event, NULL) != NWV_FAULT_NONE))
		return bad_event(t, s, event);
	s->at++;
	s->head = s->at == s->end ? UINT64_MAX : s->at->seq;
	t->seq++;
	give_back(s);
	return NWV_TRACE_EVENT;
}

static void free_file(struct nwv_ctf_file *f)
{
	if (f->mapped)
		munmap((void *)(uintptr_t)f->data, f->bytes);
	free(f->name);
}

static void ctf_close(struct nwv_trace *t)
{
	struct nwv_ctf_reader *r = t->ctf;

	if (!r)
		return;
	for (size_t i = 0; i < r->streams; i++)
		free_file(&r->stream[i].file);
	free(r->stream);
	free(r->file);
	free(r);
	t->ctf = NULL;
}

static const struct nwv_decoder ctf_decoder = {
	.encoding = NWV_ENCODING_CTF,
	.next = ctf_next,
	.close = ctf_close,
};

/* The label of an enumeration line "\t"NAME" = N,": unescaped into `name`. */
static bool take_label(const char *line, const char *end, char *name,
		       size_t *bytes)
{
	*bytes = 0;
	for (line += 2; line < end && *line != '"'; line++) {
		if (*line == '\\')
			line++;
		if (line >= end || *bytes == NWV_FILE_NAME_MAX)
			return false;
		name[(*bytes)++] = *line;
	}
	return line < end;
}

static bool keep_file(struct nwv_trace *t, const char *name, size_t bytes)
{
	struct nwv_ctf_reader *r = t->ctf;
	const char **grown = realloc(r->file, (r->files + 1) * sizeof(*grown));

	if (grown)
		r->file = grown;
	if (grown &&
	    (r->file[r->files] = nwv_strings_keep(&t->files, name, bytes))) {
		r->files++;
		return true;
	}
	nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
	return false;
}

/* The file names, by the lines after the one that names id 0. */
static bool take_files(struct nwv_trace *t, const char *text, size_t bytes)
{
	static const char first[] = "\t\"unknown\" = 0,\n";
	const char *const stop = text + bytes;
	const char *line = memmem(text, bytes, first, sizeof(first) - 1);
	char name[NWV_FILE_NAME_MAX];
	size_t n;

	for (line = line ? line + sizeof(first) - 1 : stop;
	     stop - line > 2 && line[0] == '\t' && line[1] == '"';) {
		const char *end = memchr(line, '\n', (size_t)(stop - line));

		if (!end || !take_label(line, end, name, &n) ||
		    t->ctf->files == NWV_FILES_MAX)
			break; /* the comparison finds the place */
		if (!keep_file(t, name, n))
			return false;
		line = end + 1;
	}
	return true;
}

static bool version_is_ours(struct nwv_trace *t, const char *text, size_t bytes)
{
	static const char key[] = NWV_CTF_VERSION_KEY;
	const char *at = memmem(text, bytes, key, sizeof(key) - 1);
	unsigned long version = 0;

	if (!at) {
		nwv_trace_stop(t, NWV_TRACE_MALFORMED,
			       "%.300s/metadata: no '%s': not a trace of "
			       "nestwalk's",
			       t->name, key);
		return false;
	}
	for (at += sizeof(key) - 1; at < text + bytes && *at >= '0' &&
				    *at <= '9' && version < 100000000;
	     at++)
		version = version * 10 + (unsigned long)(*at - '0');
	if (version == NWV_TRACE_VERSION)
		return true;
	nwv_trace_stop(t, NWV_TRACE_UNSUPPORTED,
		       "%.300s/metadata: version %lu; this reader knows "
		       "version %d: record again, or use the nestwalk that "
		       "wrote it",
		       t->name, version, NWV_TRACE_VERSION);
	return false;
}

/* Where two texts part, as a line number. */
static bool same_text(struct nwv_trace *t, const char *found,
		      size_t found_bytes, const char *expected,
		      size_t expected_bytes)
{
	const size_t common =
		found_bytes < expected_bytes ? found_bytes : expected_bytes;
	size_t line = 1, start = 0, i;
	int width;

	for (i = 0; i < common && found[i] == expected[i]; i++)
		if (found[i] == '\n') {
			line++;
			start = i + 1;
		}
	if (i == found_bytes && i == expected_bytes)
		return true;
	width = (int)strcspn(expected + start, "\n");
	nwv_trace_stop(t, NWV_TRACE_MALFORMED,
		       "%.250s/metadata:%zu:%zu: differs from what version %d "
		       "says; expected '%.*s'",
		       t->name, line, i - start + 1, NWV_TRACE_VERSION,
		       width > 120 ? 120 : width, expected + start);
	return false;
}

static bool read_metadata(struct nwv_trace *t, const char *text, size_t bytes)
{
	char *expected = NULL;
	size_t expected_bytes = 0;
	FILE *out;
	bool same;
	int bad;

	if (!version_is_ours(t, text, bytes) || !take_files(t, text, bytes))
		return false;
	out = open_memstream(&expected, &expected_bytes);
	if (!out) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
		return false;
	}
	bad = nwv_ctf_metadata(out, t->ctf->file, t->ctf->files);
	fclose(out);
	same = !bad && same_text(t, text, bytes, expected, expected_bytes);
	if (bad)
		nwv_trace_stop(t, NWV_TRACE_MALFORMED,
			       "%.300s/metadata: source file %zu has no usable "
			       "name",
			       t->name, t->ctf->files);
	free(expected);
	return same;
}

/* What is wrong with a header, or NULL. */
static const char *header_fault(const struct nwv_ctf_header *h, size_t bytes,
				unsigned cpu)
{
	if (h->magic != NWV_CTF_MAGIC)
		return "no CTF stream: expected magic 0xc1fc1fc1 at byte 0";
	if (h->stream_id)
		return "stream id at byte 4 is not 0";
	if (h->record_bytes != sizeof(struct nwv_ctf_record))
		return "record size at byte 28 is not 40";
	if (h->cpu != cpu)
		return "CPU number at byte 24 is not that of the file's name";
	if (!h->content_bits && !h->packet_bits)
		return "the recording was not closed (sizes at byte 8 are 0); "
		       "its recorder must end it";
	if (h->content_bits != h->packet_bits)
		return "sizes at bytes 8 and 16 differ";
	if (h->content_bits / 8 > bytes)
		return "truncated: it is shorter than the size at byte 8";
	if (h->content_bits % 8 || h->content_bits / 8 != bytes)
		return "it is longer than the size at byte 8";
	if ((bytes - sizeof(*h)) % sizeof(struct nwv_ctf_record))
		return "truncated: its last record is not whole";
	return NULL;
}

/* "cpu" and a number without leading zeros, or NWV_CPUS_MAX. */
static unsigned cpu_of_name(const char *name)
{
	char same[16];
	unsigned cpu;

	for (cpu = 0; cpu < NWV_CPUS_MAX; cpu++) {
		snprintf(same, sizeof(same), "cpu%u", cpu);
		if (!strcmp(name, same))
			break;
	}
	return cpu;
}

static bool open_stream(struct nwv_trace *t, struct stream *s)
{
	const unsigned cpu = cpu_of_name(s->file.name);
	struct nwv_ctf_header header;
	const char *fault;

	if (cpu == NWV_CPUS_MAX)
		fault = "unexpected file; streams are cpu0 to cpu63";
	else if (s->file.bytes < sizeof(header))
		fault = "truncated: its header is not whole";
	else {
		memcpy(&header, s->file.data, sizeof(header));
		fault = header_fault(&header, s->file.bytes, cpu);
	}
	if (fault) {
		nwv_trace_stop(t, NWV_TRACE_MALFORMED, "%.250s/%.100s: %s",
			       t->name, s->file.name, fault);
		return false;
	}
	s->cpu = (uint16_t)cpu;
	s->at = (const void *)((const char *)s->file.data + sizeof(header));
	s->end = (const void *)((const char *)s->file.data + s->file.bytes);
	s->head = s->at == s->end ? UINT64_MAX : s->at->seq;
	return true;
}

void nwv_ctf_attach(struct nwv_trace *t, const char *metadata,
		    size_t metadata_bytes, struct nwv_ctf_file *file,
		    size_t files)
{
	struct nwv_ctf_reader *r = calloc(1, sizeof(*r));
	struct stream *stream = calloc(files ? files : 1, sizeof(*stream));

	t->decoder = &ctf_decoder;
	t->ctf = r;
	if (!r || !stream) {
		for (size_t i = 0; i < files; i++)
			free_file(&file[i]);
		free(stream);
		free(file);
		nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
		return;
	}
	for (size_t i = 0; i < files; i++)
		stream[i].file = file[i];
	free(file);
	r->stream = stream;
	r->streams = files;
	check_kinds(r);
	if (!read_metadata(t, metadata, metadata_bytes))
		return;
	for (size_t i = 0; i < files; i++)
		if (!open_stream(t, &stream[i]))
			return;
}

/* Streams in the order of their names, so that errors are always the same. */
static int by_name(const void *a, const void *b)
{
	const struct nwv_ctf_file *left = a, *right = b;

	return strverscmp(left->name, right->name);
}

static bool map_stream(struct nwv_trace *t, const char *name,
		       struct nwv_ctf_file **file, size_t *files)
{
	struct nwv_ctf_file *grown =
		realloc(*file, (*files + 1) * sizeof(*grown));
	char *path = NULL;
	bool mapped;

	if (grown)
		*file = grown;
	if (!grown || asprintf(&path, "%s/%s", t->name, name) < 0) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
		return false;
	}
	grown += *files;
	mapped = nwv_map_file(t, path, &grown->data, &grown->bytes);
	free(path);
	grown->mapped = mapped && grown->bytes;
	grown->name = strdup(name);
	if (mapped && !grown->name)
		nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
	(*files)++;
	return mapped && grown->name;
}

static bool map_streams(struct nwv_trace *t, struct nwv_ctf_file **file,
			size_t *files)
{
	DIR *dir = opendir(t->name);
	struct dirent *entry;
	bool good = true;

	if (!dir) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "%.300s: %s", t->name,
			       strerror(errno));
		return false;
	}
	while (good && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    strcmp(entry->d_name, "metadata"))
			good = map_stream(t, entry->d_name, file, files);
	closedir(dir);
	if (good && *files)
		qsort(*file, *files, sizeof(**file), by_name);
	return good;
}

void nwv_ctf_open(struct nwv_trace *t)
{
	struct nwv_ctf_file *file = NULL;
	const void *metadata = "";
	char *path = NULL;
	size_t bytes = 0, files = 0;
	bool good = false;

	if (asprintf(&path, "%s/metadata", t->name) < 0) {
		nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
		return;
	}
	if (access(path, F_OK))
		nwv_trace_stop(t, NWV_TRACE_MALFORMED,
			       "%.300s: no file 'metadata' in it: no trace, or "
			       "a recording that was not closed",
			       t->name);
	else
		good = nwv_map_file(t, path, &metadata, &bytes) &&
		       map_streams(t, &file, &files);
	free(path);
	if (good) {
		nwv_ctf_attach(t, metadata, bytes, file, files);
	} else {
		for (size_t i = 0; i < files; i++)
			free_file(&file[i]);
		free(file);
	}
	if (bytes)
		munmap((void *)(uintptr_t)metadata, bytes);
}
