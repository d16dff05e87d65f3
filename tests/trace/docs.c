// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tables of docs/trace-format.md come from the vocabulary: with a file
 * this says whether its tables are those, without one it prints them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trace/vocab.h>

#define BEGIN "<!-- from verify/trace/vocab.c -->\n"
#define END   "<!-- end -->\n"

static void put_field(FILE *out, const struct nwv_field *f,
		      const char *separator)
{
	fprintf(out, "%s `%s=` %s", separator, f->name, f->meaning);
	if (f->form == NWV_DEC)
		fprintf(out, " (decimal)");
	if (f->form != NWV_NAME)
		return;
	fprintf(out, " (");
	for (const struct nwv_name *n = f->names; n->name; n++)
		fprintf(out, "%s`%s`", n == f->names ? "" : ", ", n->name);
	fprintf(out, ")");
}

static void put_table(FILE *out)
{
	fprintf(out, "| id | event | says | fields, in this order |\n"
		     "|---|---|---|---|\n");
	for (unsigned id = 0; id < NWV_EV_COUNT; id++) {
		const struct nwv_kind *kind = nwv_kind(id);

		if (!kind)
			continue;
		fprintf(out, "| %u | `%s` | %s |", id, kind->name,
			kind->meaning);
		for (const struct nwv_field *f = kind->field; f->name; f++)
			put_field(out, f, f == kind->field ? "" : ";");
		fprintf(out, " |\n");
	}
}

static char *read_file(const char *path)
{
	char *text = NULL;
	size_t space = 0;
	FILE *in = fopen(path, "r");

	if (!in)
		return NULL;
	if (getdelim(&text, &space, '\0', in) < 0) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

int main(int argc, char **argv)
{
	char *expected = NULL, *found, *begin, *end;
	size_t bytes = 0;
	FILE *out;

	if (argc < 2) {
		put_table(stdout);
		return 0;
	}
	out = open_memstream(&expected, &bytes);
	if (!out)
		return 4;
	put_table(out);
	fclose(out);
	found = read_file(argv[1]);
	begin = found ? strstr(found, BEGIN) : NULL;
	end = begin ? strstr(begin, END) : NULL;
	if (!end) {
		fprintf(stderr,
			"%s: not there, or without the lines %s and "
			"%s",
			argv[1], BEGIN, END);
		return 1;
	}
	begin += strlen(BEGIN);
	if ((size_t)(end - begin) == bytes && !memcmp(begin, expected, bytes)) {
		free(found);
		free(expected);
		return 0;
	}
	fprintf(stderr,
		"%s: its table is not that of verify/trace/vocab.c; "
		"put this between the marks:\n%s",
		argv[1], expected);
	free(found);
	free(expected);
	return 1;
}
