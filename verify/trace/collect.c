// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rings' reader. What it reads was written by another machine: nothing of
 * it is believed that could lead outside of the map.
 */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nestwalk/ring.h>

#include "ctf.h"
#include "write.h"

_Static_assert(sizeof(struct nw_ring_record) == sizeof(struct nwv_ctf_record) &&
		       offsetof(struct nw_ring_record, kind) ==
			       offsetof(struct nwv_ctf_record, kind) &&
		       offsetof(struct nw_ring_record, line) ==
			       offsetof(struct nwv_ctf_record, line) &&
		       offsetof(struct nw_ring_record, a) ==
			       offsetof(struct nwv_ctf_record, a),
	       "a ring's record is a stream's record");

#define RECORD_BYTES sizeof(struct nw_ring_record)

struct nwv_collector {
	char *ram;
	uint64_t offset;
	uint64_t bytes;
	char *dir;
	int dir_fd;
	struct nw_ring_area *area; /* NULL until the rings are there */
	int fd[NW_RING_CPUS_MAX];  /* -1: nothing recorded yet */
	uint64_t copied[NW_RING_CPUS_MAX];
	char error[512];
};

static enum nwv_collect_status fail(struct nwv_collector *c, const char *format,
				    ...) __attribute__((format(printf, 2, 3)));

static enum nwv_collect_status fail(struct nwv_collector *c, const char *format,
				    ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(c->error, sizeof(c->error), format, list);
	va_end(list);
	return NWV_COLLECT_FAILED;
}

const char *nwv_collector_error(const struct nwv_collector *c)
{
	return c->error;
}

struct nwv_collector *nwv_collector_open(const char *ram, uint64_t offset,
					 uint64_t bytes, const char *dir)
{
	struct nwv_collector *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->offset = offset;
	c->bytes = bytes;
	c->dir_fd = -1;
	for (unsigned cpu = 0; cpu < NW_RING_CPUS_MAX; cpu++)
		c->fd[cpu] = -1;
	c->ram = strdup(ram);
	c->dir = strdup(dir);
	if (c->ram && c->dir)
		return c;
	nwv_collector_close(c);
	return NULL;
}

/* ---- attaching --------------------------------------------------------- */

static enum nwv_collect_status check_area(struct nwv_collector *c,
					  const struct nw_ring_area *area)
{
	if (area->version != NW_RING_VERSION)
		return fail(c, "rings of version %u, this tool reads %u; next: "
			    "rebuild both", area->version, NW_RING_VERSION);
	if (area->bytes != sizeof(*area) || area->record_bytes != RECORD_BYTES ||
	    area->file_bytes != NW_RING_FILE_BYTES || !area->cpus ||
	    area->cpus > NW_RING_CPUS_MAX || !area->records ||
	    (area->records & (area->records - 1)) ||
	    nw_ring_area_bytes(area->cpus, area->records) > c->bytes)
		return fail(c, "rings that do not fit: header %u bytes, %u "
			    "CPUs, %u records of %u bytes in %llu bytes",
			    area->bytes, area->cpus, area->records,
			    area->record_bytes, (unsigned long long)c->bytes);
	return NWV_COLLECT_OK;
}

static enum nwv_collect_status make_dir(struct nwv_collector *c)
{
	if (c->dir_fd >= 0)
		return NWV_COLLECT_OK;
	if (mkdir(c->dir, 0777) && errno != EEXIST)
		return fail(c, "%.300s: %s", c->dir, strerror(errno));
	c->dir_fd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0)
		return fail(c, "%.300s: %s", c->dir, strerror(errno));
	return NWV_COLLECT_OK;
}

static enum nwv_collect_status attach(struct nwv_collector *c)
{
	enum nwv_collect_status status;
	struct nw_ring_area *area;
	struct stat st;
	int fd;

	if (c->area)
		return NWV_COLLECT_OK;
	status = make_dir(c);
	if (status != NWV_COLLECT_OK)
		return status;
	fd = open(c->ram, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? NWV_COLLECT_ABSENT :
					 fail(c, "%.300s: %s", c->ram,
					      strerror(errno));
	if (fstat(fd, &st) || (uint64_t)st.st_size < c->offset + c->bytes) {
		close(fd);
		return NWV_COLLECT_ABSENT;
	}
	area = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)c->offset);
	close(fd);
	if (area == MAP_FAILED)
		return fail(c, "%.300s: mmap: %s", c->ram, strerror(errno));
	if (__atomic_load_n(&area->magic, __ATOMIC_ACQUIRE) != NW_RING_MAGIC)
		status = NWV_COLLECT_ABSENT;
	else
		status = check_area(c, area);
	if (status == NWV_COLLECT_OK)
		c->area = area;
	else
		munmap(area, c->bytes);
	return status;
}

/* ---- copying ----------------------------------------------------------- */

static enum nwv_collect_status put(struct nwv_collector *c, unsigned cpu,
				   const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes) {
		const ssize_t n = write(c->fd[cpu], at, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(c, "%.300s/cpu%u: %s", c->dir, cpu,
				    strerror(errno));
		at += n;
		bytes -= (size_t)n;
	}
	return NWV_COLLECT_OK;
}

static enum nwv_collect_status open_stream(struct nwv_collector *c,
					   unsigned cpu)
{
	const struct nwv_ctf_header header = {
		.magic = NWV_CTF_MAGIC,
		.cpu = cpu,
		.record_bytes = RECORD_BYTES,
	};
	char name[16];

	if (c->fd[cpu] >= 0)
		return NWV_COLLECT_OK;
	snprintf(name, sizeof(name), "cpu%u", cpu);
	c->fd[cpu] = openat(c->dir_fd, name,
			    O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
	if (c->fd[cpu] < 0)
		return fail(c, "%.300s/%s: %s", c->dir, name, strerror(errno));
	return put(c, cpu, &header, sizeof(header));
}

static enum nwv_collect_status copy_ring(struct nwv_collector *c, unsigned cpu,
					 uint64_t most, uint64_t *records)
{
	struct nw_ring_cpu *ring = &c->area->cpu[cpu];
	const struct nw_ring_record *first = nw_ring_records(c->area, cpu);
	const uint64_t size = c->area->records, tail = c->copied[cpu];
	uint64_t n = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) - tail;
	const uint64_t at = tail & (size - 1);
	enum nwv_collect_status status;
	uint64_t run;

	if (n > size)
		return fail(c, "ring of CPU %u: %llu records waiting in room "
			    "for %llu", cpu, (unsigned long long)n,
			    (unsigned long long)size);
	if (!n)
		return NWV_COLLECT_OK;
	n = n < most ? n : most;
	run = n < size - at ? n : size - at;
	status = open_stream(c, cpu);
	if (status == NWV_COLLECT_OK)
		status = put(c, cpu, first + at, run * RECORD_BYTES);
	if (status == NWV_COLLECT_OK)
		status = put(c, cpu, first, (n - run) * RECORD_BYTES);
	if (status != NWV_COLLECT_OK)
		return status;
	c->copied[cpu] += n;
	*records += n;
	/* Pairs with nw_ring_has_room(): copied before there is room again. */
	__atomic_store_n(&ring->tail, c->copied[cpu], __ATOMIC_RELEASE);
	return NWV_COLLECT_OK;
}

enum nwv_collect_status nwv_collector_poll(struct nwv_collector *c,
					   uint64_t most, uint64_t *records)
{
	enum nwv_collect_status status = attach(c);

	*records = 0;
	if (status != NWV_COLLECT_OK)
		return status;
	for (unsigned cpu = 0; cpu < c->area->cpus; cpu++) {
		status = copy_ring(c, cpu, most, records);
		if (status != NWV_COLLECT_OK)
			return status;
	}
	return NWV_COLLECT_OK;
}

/* ---- the end ----------------------------------------------------------- */

struct mapped {
	const struct nwv_ctf_record *record;
	uint64_t count;
	uint64_t at; /* the first that is not in the gapless part */
};

static enum nwv_collect_status map_stream(struct nwv_collector *c,
					  unsigned cpu, struct mapped *m)
{
	const size_t bytes = sizeof(struct nwv_ctf_header) +
			     c->copied[cpu] * RECORD_BYTES;
	const char *map;

	if (c->fd[cpu] < 0)
		return NWV_COLLECT_OK;
	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, c->fd[cpu], 0);
	if (map == MAP_FAILED)
		return fail(c, "%.300s/cpu%u: mmap: %s", c->dir, cpu,
			    strerror(errno));
	m->record = (const void *)(map + sizeof(struct nwv_ctf_header));
	m->count = c->copied[cpu];
	return NWV_COLLECT_OK;
}

static void unmap_stream(struct mapped *m)
{
	if (m->record)
		munmap((void *)((uintptr_t)m->record -
				sizeof(struct nwv_ctf_header)),
		       sizeof(struct nwv_ctf_header) +
			       m->count * RECORD_BYTES);
}

/* How far the numbers run without a hole. */
static uint64_t gapless(struct mapped *m)
{
	uint64_t seq = 0;
	unsigned cpu = 0, missed = 0;

	while (missed < NW_RING_CPUS_MAX) {
		struct mapped *s = &m[cpu];

		if (s->at < s->count && s->record[s->at].seq == seq) {
			s->at++;
			seq++;
			missed = 0;
			continue;
		}
		cpu = (cpu + 1) % NW_RING_CPUS_MAX;
		missed++;
	}
	return seq;
}

static enum nwv_collect_status close_stream(struct nwv_collector *c,
					    unsigned cpu, uint64_t records,
					    struct nwv_collected *collected)
{
	const uint64_t bytes = sizeof(struct nwv_ctf_header) +
			       records * RECORD_BYTES;
	const uint64_t bits[2] = {bytes * 8, bytes * 8};
	const int fd = c->fd[cpu];
	int bad;

	if (fd < 0)
		return NWV_COLLECT_OK;
	bad = ftruncate(fd, (off_t)bytes) ||
	      pwrite(fd, bits, sizeof(bits),
		     offsetof(struct nwv_ctf_header, content_bits)) !=
		      (ssize_t)sizeof(bits);
	c->fd[cpu] = -1;
	if (close(fd) || bad)
		return fail(c, "%.300s/cpu%u: %s", c->dir, cpu,
			    strerror(errno));
	collected->cut += c->copied[cpu] - records;
	collected->events += records;
	collected->bytes += bytes;
	collected->cpus++;
	return NWV_COLLECT_OK;
}

/* Names as the compiler was given them, without the way to the sources. */
static size_t file_names(const struct nw_ring_area *area,
			 char name[][NW_RING_FILE_BYTES],
			 const char *list[NW_RING_FILES_MAX])
{
	size_t files = __atomic_load_n(&area->files, __ATOMIC_ACQUIRE);

	if (files > NW_RING_FILES_MAX)
		files = NW_RING_FILES_MAX;
	for (size_t i = 0; i < files; i++) {
		memcpy(name[i], area->file[i], NW_RING_FILE_BYTES);
		name[i][NW_RING_FILE_BYTES - 1] = '\0';
		list[i] = name[i];
		while (!strncmp(list[i], "../", 3))
			list[i] += 3;
	}
	return files;
}

static enum nwv_collect_status write_metadata(struct nwv_collector *c)
{
	const int fd = openat(c->dir_fd, "metadata",
			      O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	char name[NW_RING_FILES_MAX][NW_RING_FILE_BYTES];
	const char *list[NW_RING_FILES_MAX];
	size_t files;
	int bad;

	if (!out) {
		if (fd >= 0)
			close(fd);
		return fail(c, "%.300s/metadata: %s", c->dir, strerror(errno));
	}
	files = file_names(c->area, name, list);
	bad = nwv_ctf_metadata(out, list, files);
	if (fclose(out) || bad)
		return fail(c, "%.300s/metadata: write failed, or a source "
			    "file's name is no text", c->dir);
	return NWV_COLLECT_OK;
}

/* CPUs that were stopped while they recorded. */
static unsigned count_taking(const struct nw_ring_area *area)
{
	unsigned n = 0;

	for (unsigned cpu = 0; cpu < area->cpus; cpu++)
		n += __atomic_load_n(&area->cpu[cpu].is_taking,
				     __ATOMIC_ACQUIRE) != 0;
	return n;
}

static enum nwv_collect_status finish_streams(struct nwv_collector *c,
					      struct nwv_collected *collected)
{
	struct mapped m[NW_RING_CPUS_MAX] = {0};
	const uint64_t taken = __atomic_load_n(&c->area->seq, __ATOMIC_ACQUIRE);
	const unsigned taking = count_taking(c->area);
	enum nwv_collect_status status = NWV_COLLECT_OK;
	uint64_t copied = 0;
	int has_cut;

	for (unsigned cpu = 0; cpu < c->area->cpus; cpu++) {
		copied += c->copied[cpu];
		collected->waits += c->area->cpu[cpu].waits;
		if (status == NWV_COLLECT_OK)
			status = map_stream(c, cpu, &m[cpu]);
	}
	if (taken > copied + taking)
		collected->dropped = taken - copied - taking;
	has_cut = status == NWV_COLLECT_OK && gapless(m) < copied &&
		  !collected->dropped && taken > copied;
	for (unsigned cpu = 0; cpu < c->area->cpus; cpu++) {
		const uint64_t kept = has_cut ? m[cpu].at : c->copied[cpu];

		unmap_stream(&m[cpu]);
		if (status == NWV_COLLECT_OK)
			status = close_stream(c, cpu, kept, collected);
	}
	return status;
}

enum nwv_collect_status nwv_collector_finish(struct nwv_collector *c,
					     struct nwv_collected *collected)
{
	enum nwv_collect_status status;
	uint64_t records;

	*collected = (struct nwv_collected){0};
	status = nwv_collector_poll(c, UINT64_MAX, &records);
	if (status == NWV_COLLECT_OK)
		status = finish_streams(c, collected);
	return status == NWV_COLLECT_OK ? write_metadata(c) : status;
}

void nwv_collector_close(struct nwv_collector *c)
{
	for (unsigned cpu = 0; cpu < NW_RING_CPUS_MAX; cpu++)
		if (c->fd[cpu] >= 0)
			close(c->fd[cpu]);
	if (c->area)
		munmap(c->area, c->bytes);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	free(c->ram);
	free(c->dir);
	free(c);
}
