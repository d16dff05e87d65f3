// SPDX-License-Identifier: BSD-2-Clause
#include "sample.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t sample_number(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

static uint64_t sample_value(uint64_t *state, const struct nwv_field *f)
{
	const uint64_t max = nwv_field_max(f);
	uint64_t names = 0;

	if (f->form == NWV_NAME) {
		while (f->names[names].name)
			names++;
		return f->names[sample_number(state) % names].value;
	}
	switch (sample_number(state) % 4) {
	case 0:
		return 0;
	case 1:
		return max;
	default:
		return sample_number(state) & max;
	}
}

struct nwv_event sample_event(uint64_t *state, unsigned kind, uint64_t seq)
{
	static const char *const file[] = {
		NULL, "map.c", "src/table/unmap.c", "a b.c", "q\"uo\\te:7.c",
	};
	struct nwv_event e = {
		.seq = seq,
		.cpu = (uint16_t)(sample_number(state) % NWV_CPUS_MAX),
		.kind = (uint16_t)kind,
		.file = file[sample_number(state) % 5],
	};

	for (const struct nwv_field *f = nwv_kind(kind)->field; f->name; f++)
		nwv_field_put(&e, f, sample_value(state, f));
	if (e.file)
		e.line = (uint32_t)sample_number(state);
	return e;
}

unsigned sample_kinds(unsigned kind[NWV_EV_COUNT])
{
	unsigned n = 0;

	for (unsigned id = 0; id < NWV_EV_COUNT; id++)
		if (nwv_kind(id) && id != NW_EV_GAP)
			kind[n++] = id;
	return n;
}

void sample_assert_equal(const struct nwv_event *a, const struct nwv_event *b)
{
	assert_int_equal(a->seq, b->seq);
	assert_int_equal(a->cpu, b->cpu);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->a, b->a);
	assert_int_equal(a->b, b->b);
	assert_int_equal(a->c, b->c);
	assert_int_equal(a->line, b->line);
	if (a->file && b->file)
		assert_string_equal(a->file, b->file);
	else
		assert_ptr_equal(a->file, b->file);
}

char *sample_dir(void)
{
	char *dir = strdup("/tmp/nwv-trace-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

void sample_dir_remove(char *dir)
{
	DIR *open = opendir(dir);
	struct dirent *entry;

	while (open && (entry = readdir(open))) {
		char *path = sample_path(dir, entry->d_name);

		if (entry->d_name[0] != '.')
			unlink(path);
		free(path);
	}
	if (open)
		closedir(open);
	rmdir(dir);
	free(dir);
}

char *sample_path(const char *dir, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

void sample_write(const char *path, const void *data, size_t bytes)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(data, 1, bytes, out), bytes);
	assert_int_equal(fclose(out), 0);
}

char *sample_read(const char *path, size_t *bytes)
{
	FILE *in = fopen(path, "r");
	long size;
	char *data;

	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	size = ftell(in);
	rewind(in);
	data = malloc((size_t)size + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, (size_t)size, in), size);
	fclose(in);
	data[size] = '\0';
	*bytes = (size_t)size;
	return data;
}

enum nwv_trace_status sample_drain(struct nwv_trace *t, uint64_t *events,
				   char error[512])
{
	enum nwv_trace_status status;
	struct nwv_event e;

	assert_non_null(t);
	*events = 0;
	while ((status = nwv_trace_next(t, &e)) == NWV_TRACE_EVENT) {
		assert_int_equal(e.seq, *events);
		++*events;
	}
	assert_int_equal(nwv_trace_next(t, &e), status);
	snprintf(error, 512, "%s", nwv_trace_error(t));
	assert_int_equal(!*error, status == NWV_TRACE_END);
	nwv_trace_close(t);
	return status;
}
