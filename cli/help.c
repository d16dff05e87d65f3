// SPDX-License-Identifier: BSD-2-Clause
/* The help table as terminal text and as mdoc(7). */
#include "help.h"

#include <stdbool.h>
#include <string.h>

#define WIDTH 78

/* Words of one paragraph, indented, broken before the width. */
static void put_wrapped(FILE *out, const char *text, size_t bytes,
			unsigned indent, unsigned column)
{
	const char *end = text + bytes;

	while (text < end) {
		const size_t word = strcspn(text, " \n");

		if (column > indent && column + 1 + word > WIDTH) {
			fprintf(out, "\n");
			column = 0;
		}
		while (column < indent) {
			fputc(' ', out);
			column++;
		}
		if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", (int)word, text);
		column += (unsigned)word;
		text += word;
		while (text < end && strchr(" \n", *text))
			text++;
	}
	fputc('\n', out);
}

static size_t paragraph_bytes(const char *text)
{
	const char *end = strstr(text, "\n\n");

	return end ? (size_t)(end - text) : strlen(text);
}

static void put_options(FILE *out, const char *title,
			const struct cli_option *o, unsigned indent)
{
	if (!o->form)
		return;
	fprintf(out, "\n%s:\n", title);
	for (; o->form; o++) {
		const int n = fprintf(out, "  %s", o->form);

		put_wrapped(out, o->meaning, strlen(o->meaning), indent,
			    (unsigned)n < indent ? (unsigned)n : indent);
	}
}

void cli_help_print(FILE *out, const struct cli_help *help)
{
	const char *text = help->text;
	size_t bytes;

	fprintf(out, "nestwalk %s: %s\n\nusage: nestwalk %s %s\n", help->verb,
		help->summary, help->verb, help->usage);
	for (; *text; text += bytes + strspn(text + bytes, "\n")) {
		bytes = paragraph_bytes(text);
		fputc('\n', out);
		put_wrapped(out, text, bytes, 0, 0);
	}
	put_options(out, "options", help->option, 18);
	put_options(out, "exit status", help->exit, 6);
	fprintf(out, "\nexamples:\n");
	for (const struct cli_example *e = help->example; e->command; e++)
		fprintf(out, "  %s\n      %s\n", e->command, e->meaning);
}

void cli_help_print_all(FILE *out)
{
	fprintf(out, "usage: nestwalk VERB [argument...]\n"
		     "       nestwalk VERB --help\n"
		     "       nestwalk --version\n\nverbs:\n");
	for (size_t i = 0; i < cli_helps_count; i++)
		fprintf(out, "  %-12s%s\n", cli_helps[i].verb,
			cli_helps[i].summary);
	fprintf(out, "\nexamples:\n");
	for (size_t i = 0; i < cli_helps_count; i++)
		fprintf(out, "  %s\n", cli_helps[i].example[0].command);
}

enum wrap { WRAP_NO, WRAP_LINES };

/*
 * Text of a page: a new line after each sentence (mdoc(7) asks for it) and
 * where a line grows long, and nothing that roff would take as its own.
 */
static void put_roff(FILE *out, const char *text, size_t bytes, enum wrap wrap)
{
	size_t line = 0;

	for (size_t i = 0; i < bytes; i++) {
		const char c = text[i];
		const bool may_break =
			i + 1 < bytes && !strchr(".'", text[i + 1]);

		if (c == '\\')
			fputs("\\e", out);
		else if (c == '-')
			fputs("\\-", out);
		else if (c == ' ' && may_break && wrap &&
			 (strchr(".:", text[i - 1]) || i - line > 60)) {
			fputc('\n', out);
			line = i + 1;
		} else
			fputc(c == '\n' ? ' ' : c, out);
	}
	fputc('\n', out);
}

static void put_roff_string(FILE *out, const char *text)
{
	put_roff(out, text, strlen(text), WRAP_NO);
}

static void put_title(FILE *out, const char *title, const char *name,
		      const char *summary)
{
	fprintf(out, ".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
		     ".Dd November 20, 2026\n.Dt ");
	for (; *title; title++)
		fputc(*title >= 'a' && *title <= 'z' ? *title - 'a' + 'A'
						     : *title,
		      out);
	fprintf(out, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", name, summary);
}

static void put_list(FILE *out, const char *width, const struct cli_option *o)
{
	fprintf(out, ".Bl -tag -width %s\n", width);
	for (; o->form; o++) {
		fprintf(out, ".It Li ");
		put_roff_string(out, o->form);
		put_roff_string(out, o->meaning);
	}
	fprintf(out, ".El\n");
}

void cli_man_print(FILE *out, const struct cli_help *help)
{
	const char *text = help->text;
	char name[64];
	size_t bytes;

	snprintf(name, sizeof(name), "nestwalk-%s", help->verb);
	put_title(out, name, name, help->summary);
	fprintf(out, ".Sh SYNOPSIS\n.Nm nestwalk Cm %s\n.Li ", help->verb);
	put_roff_string(out, help->usage);
	fprintf(out, ".Sh DESCRIPTION\n");
	for (; *text; text += bytes + strspn(text + bytes, "\n")) {
		bytes = paragraph_bytes(text);
		if (text != help->text)
			fprintf(out, ".Pp\n");
		put_roff(out, text, bytes, WRAP_LINES);
	}
	if (help->option[0].form) {
		fprintf(out, ".Pp\nThe options are:\n");
		put_list(out, "--to-text|ctf", help->option);
	}
	fprintf(out, ".Sh EXIT STATUS\n");
	put_list(out, "64", help->exit);
	fprintf(out, ".Sh EXAMPLES\n.Bl -tag -width Ds\n");
	for (const struct cli_example *e = help->example; e->command; e++) {
		fprintf(out, ".It Li ");
		put_roff_string(out, e->command);
		put_roff_string(out, e->meaning);
	}
	fprintf(out, ".El\n.Sh SEE ALSO\n.Xr nestwalk 1\n");
}

/* All verbs, in the order of the alphabet, as mandoc wants it. */
static void put_references(FILE *out)
{
	const char *last = "";

	for (size_t n = 0; n < cli_helps_count; n++) {
		const char *next = NULL;

		for (size_t i = 0; i < cli_helps_count; i++)
			if (strcmp(cli_helps[i].verb, last) > 0 &&
			    (!next || strcmp(cli_helps[i].verb, next) < 0))
				next = cli_helps[i].verb;
		fprintf(out, ".Xr nestwalk-%s 1%s\n", next,
			n + 1 < cli_helps_count ? " ," : "");
		last = next;
	}
}

void cli_man_print_all(FILE *out)
{
	put_title(out, "nestwalk", "nestwalk",
		  "judge of page-table code and of its traces");
	fprintf(out, ".Sh SYNOPSIS\n.Nm\n.Ar verb\n.Op Ar argument ...\n"
		     ".Sh DESCRIPTION\nThe verbs are:\n"
		     ".Bl -tag -width scenarios\n");
	for (size_t i = 0; i < cli_helps_count; i++)
		fprintf(out, ".It Cm %s\n%s;\nsee\n.Xr nestwalk-%s 1 .\n",
			cli_helps[i].verb, cli_helps[i].summary,
			cli_helps[i].verb);
	fprintf(out, ".El\n.Sh EXIT STATUS\n"
		     "Each verb's page says it;\n64 is a command line that was "
		     "not understood.\n"
		     ".Sh EXAMPLES\n.Bl -tag -width Ds\n");
	for (size_t i = 0; i < cli_helps_count; i++) {
		fprintf(out, ".It Li ");
		put_roff_string(out, cli_helps[i].example[0].command);
		put_roff_string(out, cli_helps[i].example[0].meaning);
	}
	fprintf(out, ".El\n.Sh SEE ALSO\n");
	put_references(out);
}
