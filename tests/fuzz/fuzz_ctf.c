// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as the stream files of a binary trace. The first byte says how
 * many there are (low bits), whether their headers are made good (bit 7) and
 * whether the records' numbers are (bit 6), so that what lies behind is met.
 */
#include <stdlib.h>
#include <string.h>

#include <trace/ctf.h>
#include <trace/reader.h>
#include <trace/write.h>

#define STREAMS_MAX 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void make_good(char *stream, size_t bytes, unsigned cpu)
{
	const struct nwv_ctf_header header = {
		.magic = NWV_CTF_MAGIC,
		.content_bits = bytes * 8,
		.packet_bits = bytes * 8,
		.cpu = cpu,
		.record_bytes = sizeof(struct nwv_ctf_record),
	};

	if (bytes >= sizeof(header))
		memcpy(stream, &header, sizeof(header));
}

static void number(char *stream, size_t bytes, uint64_t first, uint64_t step)
{
	for (size_t at = sizeof(struct nwv_ctf_header); at + 8 <= bytes;
	     at += sizeof(struct nwv_ctf_record), first += step)
		memcpy(stream + at, &first, sizeof(first));
}

static void drain(struct nwv_trace *t)
{
	char line[NWV_TEXT_BYTES];
	struct nwv_event e;

	while (nwv_trace_next(t, &e) == NWV_TRACE_EVENT)
		if (!nwv_text_encode(&e, line))
			abort();
	nwv_trace_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const char *const source[] = {"a.c", "src/b.c"};
	struct nwv_trace *t = nwv_trace_new("fuzz");
	const uint8_t how = bytes ? data[0] : 0;
	const unsigned streams = 1 + how % STREAMS_MAX;
	const size_t each = bytes ? (bytes - 1) / streams : 0;
	struct nwv_ctf_file *file = calloc(streams, sizeof(*file));
	static char *metadata;
	static size_t metadata_bytes;
	char *stream[STREAMS_MAX];
	FILE *out;

	if (!metadata) {
		out = open_memstream(&metadata, &metadata_bytes);
		if (!out || nwv_ctf_metadata(out, source, 2) || fclose(out))
			abort();
	}
	if (!t || !file)
		abort();
	for (unsigned i = 0; i < streams; i++) {
		stream[i] = malloc(each + 1);
		if (!stream[i] || asprintf(&file[i].name, "cpu%u", i) < 0)
			abort();
		memcpy(stream[i], data + 1 + i * each, bytes ? each : 0);
		if (how & 0x80)
			make_good(stream[i], each, i);
		if (how & 0x40)
			number(stream[i], each, i, streams);
		file[i].data = stream[i];
		file[i].bytes = each;
	}
	nwv_ctf_attach(t, metadata, metadata_bytes, file, streams);
	drain(t);
	for (unsigned i = 0; i < streams; i++)
		free(stream[i]);
	return 0;
}
