// SPDX-License-Identifier: BSD-2-Clause
/*
 * The metadata of a binary trace, in CTF 1.8's description language, derived
 * from the vocabulary. It is a function of the source file names alone: the
 * reader takes them out, generates it again and compares, so that a stream is
 * never read by another description than the one it came with.
 */
#include <stdlib.h>
#include <string.h>

#include "ctf.h"
#include "vocab.h"
#include "write.h"

static void put_integers(FILE *out)
{
	for (unsigned bits = 8; bits <= 64; bits *= 2)
		fprintf(out,
			"typealias integer { size = %u; align = 8; "
			"signed = false; } := uint%u_t;\n",
			bits, bits);
	fprintf(out, "typealias integer { size = 64; align = 8; signed = "
		     "false; map = clock.sequence.value; } := sequence_t;\n\n");
}

/* A name as an enumeration's label. Returns -1 when it cannot be said. */
static int put_label(FILE *out, const char *name, unsigned long value)
{
	if (!*name || strlen(name) > NWV_FILE_NAME_MAX)
		return -1;
	fputs("\t\"", out);
	for (; *name; name++) {
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			return -1;
		if (*name == '"' || *name == '\\')
			fputc('\\', out);
		fputc(*name, out);
	}
	fprintf(out, "\" = %lu,\n", value);
	return 0;
}

static void put_streams(FILE *out)
{
	fprintf(out, "stream {\n"
		     "\tid = 0;\n"
		     "\tpacket.context := struct {\n"
		     "\t\tuint64_t content_size;\n"
		     "\t\tuint64_t packet_size;\n"
		     "\t\tuint32_t cpu_id;\n"
		     "\t\tuint32_t record_bytes;\n"
		     "\t};\n"
		     "\tevent.header := struct {\n"
		     "\t\tsequence_t timestamp;\n"
		     "\t\tuint16_t id;\n"
		     "\t};\n"
		     "\tevent.context := struct {\n"
		     "\t\tfile_t file;\n"
		     "\t\tuint32_t line;\n"
		     "\t};\n"
		     "};\n\n");
}

static void put_integer(FILE *out, unsigned bits, unsigned base,
			const char *name)
{
	fprintf(out,
		"\t\tinteger { size = %u; align = 8; signed = false; base = "
		"%u; } %s;\n",
		bits, base, name);
}

static void put_field(FILE *out, const struct nwv_field *f)
{
	const char *separator = "";

	if (f->form != NWV_NAME) {
		put_integer(out, f->bits, f->form == NWV_HEX ? 16 : 10,
			    f->name);
		return;
	}
	fprintf(out, "\t\tenum : uint%u_t { ", f->bits);
	for (const struct nwv_name *n = f->names; n->name; n++) {
		fprintf(out, "%s\"%s\" = %llu", separator, n->name,
			(unsigned long long)n->value);
		separator = ", ";
	}
	fprintf(out, " } %s;\n", f->name);
}

/* Bits that no field covers have a name too: records are of one size. */
static void put_unused(FILE *out, unsigned word, unsigned from, unsigned to)
{
	char name[32];

	if (from == to)
		return;
	snprintf(name, sizeof(name), "unused_%c%u", (char)('a' + (int)word),
		 from);
	put_integer(out, to - from, 16, name);
}

static void put_word(FILE *out, const struct nwv_kind *kind, unsigned word)
{
	unsigned at = 0;

	for (const struct nwv_field *f = kind->field; f->name; f++) {
		if (f->word != word)
			continue;
		put_unused(out, word, at, f->shift);
		put_field(out, f);
		at = f->shift + f->bits;
	}
	put_unused(out, word, at, 64);
}

static void put_events(FILE *out)
{
	for (unsigned id = 0; id < NWV_EV_COUNT; id++) {
		const struct nwv_kind *kind = nwv_kind(id);

		if (!kind)
			continue;
		fprintf(out,
			"event {\n\tname = \"%s\";\n\tid = %u;\n"
			"\tstream_id = 0;\n\tfields := struct {\n",
			kind->name, id);
		for (unsigned word = 0; word < 3; word++)
			put_word(out, kind, word);
		fprintf(out, "\t};\n};\n\n");
	}
}

int nwv_ctf_metadata(FILE *out, const char *const *file, size_t files)
{
	fprintf(out,
		"/* CTF 1.8 */\n\n"
		"env {\n\ttracer_name = \"nestwalk\";\n"
		"\t" NWV_CTF_VERSION_KEY "%d;\n};\n\n"
		"trace {\n\tmajor = 1;\n\tminor = 8;\n"
		"\tbyte_order = le;\n"
		"\tpacket.header := struct {\n"
		"\t\tinteger { size = 32; align = 8; signed = false; } "
		"magic;\n"
		"\t\tinteger { size = 32; align = 8; signed = false; } "
		"stream_id;\n\t};\n};\n\n"
		"/* Not a time: the place in the one global order. */\n"
		"clock {\n\tname = \"sequence\";\n\tfreq = 1000000000;\n"
		"};\n\n",
		NWV_TRACE_VERSION);
	put_integers(out);
	fprintf(out, "typealias enum : uint16_t {\n\t\"unknown\" = 0,\n");
	for (size_t i = 0; i < files; i++)
		if (put_label(out, file[i], i + 1))
			return -1;
	fprintf(out, "} := file_t;\n\n");
	put_streams(out);
	put_events(out);
	return ferror(out) ? -1 : 0;
}
