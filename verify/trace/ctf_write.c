// SPDX-License-Identifier: BSD-2-Clause
/*
 * The recorder: one buffered stream file a CPU. Threads meet only at the
 * sequence counter and, once per CPU and source file, at the file table.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctf.h"
#include "reader.h"
#include "write.h"

#define BUFFER_RECORDS 1638 /* just below 64 KiB */
#define CACHE_SLOTS    64

/* What one CPU has looked up before: file names by address. */
struct cached_file {
	const char *name;
	uint16_t id;
};

struct stream {
	int fd; /* -1 until the CPU's first event */
	unsigned used;
	uint64_t bytes; /* written to the file */
	struct cached_file cache[CACHE_SLOTS];
	struct nwv_ctf_record record[BUFFER_RECORDS];
};

struct nwv_writer {
	char *dir;
	int dir_fd;
	_Atomic uint64_t seq;
	_Atomic bool failed;
	pthread_mutex_t lock; /* error, files */
	char error[NWV_ERROR_BYTES];
	const char **file; /* [files], of `names`; id = index + 1 */
	size_t files;
	struct nwv_strings names;
	struct stream *stream[NWV_CPUS_MAX];
};

/* Only the first failure is kept: later ones follow from it. */
static void fail(struct nwv_writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(struct nwv_writer *w, const char *format, ...)
{
	va_list list;

	pthread_mutex_lock(&w->lock);
	if (!atomic_exchange(&w->failed, true)) {
		va_start(list, format);
		vsnprintf(w->error, sizeof(w->error), format, list);
		va_end(list);
	}
	pthread_mutex_unlock(&w->lock);
}

static void open_dir(struct nwv_writer *w)
{
	struct dirent *entry;
	DIR *dir;

	if (mkdir(w->dir, 0777) && errno != EEXIST) {
		fail(w, "%.300s: %s", w->dir, strerror(errno));
		return;
	}
	w->dir_fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = w->dir_fd < 0 ? NULL : opendir(w->dir);
	if (!dir) {
		fail(w, "%.300s: %s", w->dir, strerror(errno));
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			fail(w,
			     "%.300s: not empty (%.100s is there); remove it "
			     "or "
			     "name another directory",
			     w->dir, entry->d_name);
	closedir(dir);
}

struct nwv_writer *nwv_writer_open(const char *dir)
{
	struct nwv_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->dir_fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	w->dir = strdup(dir);
	if (!w->dir)
		fail(w, "out of memory");
	else
		open_dir(w);
	return w;
}

static void put(struct nwv_writer *w, struct stream *s, const void *data,
		size_t bytes)
{
	const char *at = data;

	while (bytes) {
		const ssize_t n = write(s->fd, at, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(w, "%.300s: write: %s", w->dir, strerror(errno));
			return;
		}
		at += n;
		bytes -= (size_t)n;
		s->bytes += (uint64_t)n;
	}
}

static void flush(struct nwv_writer *w, struct stream *s)
{
	put(w, s, s->record, s->used * sizeof(s->record[0]));
	s->used = 0;
}

/* A CPU's first event: its file, with a header that says "unfinished". */
static struct stream *open_stream(struct nwv_writer *w, unsigned cpu)
{
	const struct nwv_ctf_header header = {
		.magic = NWV_CTF_MAGIC,
		.cpu = cpu,
		.record_bytes = sizeof(struct nwv_ctf_record),
	};
	struct stream *s = calloc(1, sizeof(*s));
	char name[16];

	if (!s) {
		fail(w, "out of memory");
		return NULL;
	}
	snprintf(name, sizeof(name), "cpu%u", cpu);
	s->fd = openat(w->dir_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
		       0666);
	if (s->fd < 0) {
		fail(w, "%.300s/%s: %s", w->dir, name, strerror(errno));
		free(s);
		return NULL;
	}
	w->stream[cpu] = s;
	put(w, s, &header, sizeof(header));
	return s;
}

/* The id of a file name, given out on its first use. 0: failed. */
static uint16_t file_id(struct nwv_writer *w, const char *file)
{
	const char *kept = nwv_strings_keep(&w->names, file, strlen(file));
	const char **grown;
	size_t i;

	for (i = 0; i < w->files && w->file[i] != kept; i++)
		;
	if (!kept || i == NWV_FILES_MAX)
		return 0;
	if (i < w->files)
		return (uint16_t)(i + 1);
	grown = realloc(w->file, (i + 1) * sizeof(*grown));
	if (!grown)
		return 0;
	w->file = grown;
	w->file[w->files++] = kept;
	return (uint16_t)(i + 1);
}

static uint16_t cached_file_id(struct nwv_writer *w, struct stream *s,
			       const char *file)
{
	const uintptr_t address = (uintptr_t)file;
	struct cached_file *c =
		&s->cache[(address ^ address >> 6) % CACHE_SLOTS];

	if (NW_LIKELY(c->name == file))
		return c->id;
	pthread_mutex_lock(&w->lock);
	c->id = file_id(w, file);
	pthread_mutex_unlock(&w->lock);
	c->name = file;
	if (!c->id)
		fail(w, "%.300s: out of memory, or above %d source files",
		     w->dir, NWV_FILES_MAX);
	return c->id;
}

static void append(struct nwv_writer *w, const struct nwv_event *e)
{
	struct stream *s = w->stream[e->cpu];
	uint16_t file;

	if (NW_UNLIKELY(!s)) {
		s = open_stream(w, e->cpu);
		if (!s)
			return;
	}
	file = e->file ? cached_file_id(w, s, e->file) : 0;
	if (NW_UNLIKELY(s->used == BUFFER_RECORDS))
		flush(w, s);
	s->record[s->used++] = (struct nwv_ctf_record){
		.seq = e->seq,
		.kind = e->kind,
		.file = file,
		.line = e->line,
		.a = e->a,
		.b = e->b,
		.c = e->c,
	};
}

static bool refused(struct nwv_writer *w, const struct nwv_event *e)
{
	if (atomic_load_explicit(&w->failed, memory_order_relaxed))
		return true;
	if (NW_LIKELY(nwv_event_check(e, NULL) == NWV_FAULT_NONE))
		return false;
	fail(w,
	     "%.300s: event %llu of kind %u on CPU %u is none that a trace "
	     "can say: a %#llx, b %#llx, c %#llx",
	     w->dir, (unsigned long long)e->seq, (unsigned)e->kind,
	     (unsigned)e->cpu, (unsigned long long)e->a,
	     (unsigned long long)e->b, (unsigned long long)e->c);
	return true;
}

void nwv_writer_record(struct nwv_writer *w, unsigned cpu, unsigned kind,
		       uint64_t a, uint64_t b, uint64_t c, const char *file,
		       unsigned line)
{
	struct nwv_event e = {
		.a = a,
		.b = b,
		.c = c,
		.cpu = cpu > UINT16_MAX ? UINT16_MAX : (uint16_t)cpu,
		.kind = kind > UINT16_MAX ? UINT16_MAX : (uint16_t)kind,
		.file = file,
		.line = line,
	};

	if (refused(w, &e))
		return;
	e.seq = atomic_fetch_add(&w->seq, 1);
	append(w, &e);
}

void nwv_writer_copy(struct nwv_writer *w, const struct nwv_event *e)
{
	struct nwv_event copy = *e;

	if (refused(w, e))
		return;
	if (e->seq != w->seq) {
		fail(w, "%.300s: event %llu where %llu belongs", w->dir,
		     (unsigned long long)e->seq, (unsigned long long)w->seq);
		return;
	}
	w->seq++;
	if (e->file) {
		copy.file =
			nwv_strings_keep(&w->names, e->file, strlen(e->file));
		if (!copy.file) {
			fail(w, "out of memory");
			return;
		}
	}
	append(w, &copy);
}

uint64_t nwv_writer_events(const struct nwv_writer *w)
{
	return w->seq;
}

/* The rest of the records, then the sizes: from here on it is complete. */
static void finish_stream(struct nwv_writer *w, struct stream *s)
{
	uint64_t bits[2];

	flush(w, s);
	bits[0] = bits[1] = s->bytes * 8;
	if (!atomic_load(&w->failed) &&
	    pwrite(s->fd, bits, sizeof(bits),
		   offsetof(struct nwv_ctf_header, content_bits)) !=
		    (ssize_t)sizeof(bits))
		fail(w, "%.300s: write: %s", w->dir, strerror(errno));
	if (close(s->fd))
		fail(w, "%.300s: close: %s", w->dir, strerror(errno));
}

static void finish_metadata(struct nwv_writer *w)
{
	const int fd = openat(w->dir_fd, "metadata",
			      O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out) {
		fail(w, "%.300s/metadata: %s", w->dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	if (nwv_ctf_metadata(out, w->file, w->files))
		fail(w,
		     "%.300s/metadata: write failed, or a source file's "
		     "name is empty, too long or no text",
		     w->dir);
	if (fclose(out))
		fail(w, "%.300s/metadata: %s", w->dir, strerror(errno));
}

int nwv_writer_close(struct nwv_writer *w, char *error, size_t error_bytes)
{
	int status;

	if (error_bytes)
		*error = '\0';
	for (unsigned cpu = 0; cpu < NWV_CPUS_MAX; cpu++) {
		if (!w->stream[cpu])
			continue;
		finish_stream(w, w->stream[cpu]);
		free(w->stream[cpu]);
	}
	if (!atomic_load(&w->failed))
		finish_metadata(w);
	status = atomic_load(&w->failed) ? -1 : 0;
	if (status && error_bytes)
		snprintf(error, error_bytes, "%s", w->error);
	if (w->dir_fd >= 0)
		close(w->dir_fd);
	nwv_strings_free(&w->names);
	pthread_mutex_destroy(&w->lock);
	free(w->file);
	free(w->dir);
	free(w);
	return status;
}
