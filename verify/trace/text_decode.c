// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text to events. A line is
 *
 *	cpu=N kind field=value ... [src="file:line"]	[# comment]
 *
 * with every field of the kind, in the table's order. What the line does not
 * say by this form is an error at its column; nothing is skipped.
 */
#include <stdio.h>
#include <string.h>

#include "reader.h"
#include "write.h"

struct line {
	struct nwv_trace *t;
	const char *text;
	size_t bytes;
	size_t at;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct line *l)
{
	while (l->at < l->bytes && is_blank(l->text[l->at]))
		l->at++;
}

/* Nothing but blanks and a comment is left. */
static bool at_end(struct line *l)
{
	skip_blanks(l);
	return l->at == l->bytes || l->text[l->at] == '#';
}

/* Bytes up to the next blank or the end: what an error quotes. */
static int word_bytes(const struct line *l)
{
	size_t end = l->at;

	while (end < l->bytes && !is_blank(l->text[end]))
		end++;
	return end - l->at > 40 ? 40 : (int)(end - l->at);
}

static void bad_word(struct line *l, const char *expected)
{
	if (l->at == l->bytes || l->text[l->at] == '#')
		nwv_trace_bad(l->t, l->at + 1,
			      "the line ends here; expected %s", expected);
	else
		nwv_trace_bad(l->t, l->at + 1, "found '%.*s'; expected %s",
			      word_bytes(l), l->text + l->at, expected);
}

static bool take_literal(struct line *l, const char *literal)
{
	const size_t n = strlen(literal);

	if (l->bytes - l->at < n || memcmp(l->text + l->at, literal, n))
		return false;
	l->at += n;
	return true;
}

/* "name=", after blanks. */
static bool take_key(struct line *l, const char *name)
{
	char expected[64];
	const size_t start = (skip_blanks(l), l->at);

	if (take_literal(l, name) && take_literal(l, "="))
		return true;
	l->at = start;
	snprintf(expected, sizeof(expected), "'%s='", name);
	bad_word(l, expected);
	return false;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Digits of a base, at least one, up to `max`, ended by what may follow. */
static bool take_number(struct line *l, int base, uint64_t max,
			const char *may_follow, uint64_t *value)
{
	const char *what =
		base == 16 ? "a number in 0x form" : "a decimal number";
	const size_t start = l->at;
	size_t digits;
	uint64_t v = 0;

	if (base == 16 && !take_literal(l, "0x")) {
		bad_word(l, what);
		return false;
	}
	for (digits = 0; l->at < l->bytes; l->at++, digits++) {
		const int d = digit_value(l->text[l->at]);

		if (d >= base)
			break;
		if (v > (max - (uint64_t)d) / (uint64_t)base) {
			l->at = start;
			nwv_trace_bad(l->t, start + 1,
				      base == 16 ? "'%.*s' is too large; "
						   "expected at most 0x%llx"
						 : "'%.*s' is too large; "
						   "expected at most %llu",
				      word_bytes(l), l->text + start,
				      (unsigned long long)max);
			return false;
		}
		v = v * (uint64_t)base + (uint64_t)d;
	}
	*value = v;
	if (digits && (l->at == l->bytes || is_blank(l->text[l->at]) ||
		       strchr(may_follow, l->text[l->at])))
		return true;
	l->at = start;
	bad_word(l, what);
	return false;
}

/* All names of a set, for an error message. */
static void bad_name(struct line *l, const struct nwv_field *f)
{
	char list[256];
	size_t n = 0;

	list[0] = '\0';
	for (const struct nwv_name *s = f->names; s->name; s++)
		if (n + strlen(s->name) + 3 < sizeof(list))
			n += (size_t)sprintf(list + n, "%s%s", n ? ", " : "",
					     s->name);
	bad_word(l, list);
}

static bool take_name(struct line *l, const struct nwv_field *f,
		      uint64_t *value)
{
	size_t end = l->at;

	while (end < l->bytes && !is_blank(l->text[end]))
		end++;
	for (const struct nwv_name *s = f->names; s->name; s++) {
		if (strlen(s->name) != end - l->at ||
		    memcmp(s->name, l->text + l->at, end - l->at))
			continue;
		l->at = end;
		*value = s->value;
		return true;
	}
	bad_name(l, f);
	return false;
}

static bool take_field(struct line *l, const struct nwv_field *f,
		       struct nwv_event *e)
{
	uint64_t value = 0;
	bool taken;

	if (!take_key(l, f->name))
		return false;
	if (f->form == NWV_NAME)
		taken = take_name(l, f, &value);
	else
		taken = take_number(l, f->form == NWV_HEX ? 16 : 10,
				    nwv_field_max(f), "", &value);
	if (taken)
		nwv_field_put(e, f, value);
	return taken;
}

static bool take_kind(struct line *l, struct nwv_event *e)
{
	size_t end = (skip_blanks(l), l->at);
	unsigned kind;

	while (end < l->bytes && !is_blank(l->text[end]))
		end++;
	kind = nwv_kind_by_name(l->text + l->at, end - l->at);
	if (!kind) {
		bad_word(l, "the name of an event (docs/trace-format.md)");
		return false;
	}
	l->at = end;
	e->kind = (uint16_t)kind;
	return true;
}

/* The rest of src="file:line", its key taken. */
static bool take_source(struct line *l, struct nwv_event *e)
{
	static const char form[] = "\"file:line\" in quotes";
	char name[NWV_FILE_NAME_MAX + 12];
	const size_t start = l->at;
	uint64_t value = 0;
	struct line number;
	size_t n = 0;
	char *colon;

	if (!take_literal(l, "\"")) {
		bad_word(l, form);
		return false;
	}
	while (l->at < l->bytes && l->text[l->at] != '"') {
		if (l->text[l->at] == '\\' && ++l->at < l->bytes &&
		    !strchr("\"\\", l->text[l->at])) {
			nwv_trace_bad(l->t, l->at,
				      "expected \\\" or \\\\ after a "
				      "backslash");
			return false;
		}
		if (l->at == l->bytes)
			break;
		if (l->text[l->at] == '\t') {
			nwv_trace_bad(l->t, l->at + 1,
				      "a tab in a source name; expected none");
			return false;
		}
		if (n == sizeof(name) - 1) {
			nwv_trace_bad(l->t, start + 1,
				      "source name too long; expected at most "
				      "%d bytes",
				      NWV_FILE_NAME_MAX);
			return false;
		}
		name[n++] = l->text[l->at++];
	}
	name[n] = '\0';
	colon = memrchr(name, ':', n);
	number = (struct line){.t = l->t, .text = name, .bytes = n};
	if (!take_literal(l, "\"") || !colon || colon == name ||
	    colon - name > NWV_FILE_NAME_MAX) {
		l->at = start;
		bad_word(l, form);
		return false;
	}
	number.at = (size_t)(colon + 1 - name);
	if (!take_number(&number, 10, UINT32_MAX, "", &value)) {
		nwv_trace_bad(l->t, start + 1,
			      "expected a decimal line number at the end of "
			      "%s",
			      form);
		return false;
	}
	e->line = (uint32_t)value;
	e->file = nwv_strings_keep(&l->t->files, name, (size_t)(colon - name));
	if (e->file)
		return true;
	nwv_trace_stop(l->t, NWV_TRACE_FAILED, "out of memory");
	return false;
}

static bool take_event(struct line *l, struct nwv_event *e)
{
	const struct nwv_kind *kind;
	uint64_t cpu;

	if (!take_key(l, "cpu") ||
	    !take_number(l, 10, NWV_CPUS_MAX - 1, "", &cpu))
		return false;
	e->cpu = (uint16_t)cpu;
	if (!take_kind(l, e))
		return false;
	kind = nwv_kind(e->kind);
	for (const struct nwv_field *f = kind->field; f->name; f++)
		if (!take_field(l, f, e))
			return false;
	if (at_end(l))
		return true;
	if (!take_literal(l, "src=")) {
		bad_word(l, "src=\"file:line\" or the end of the line");
		return false;
	}
	if (!take_source(l, e))
		return false;
	if (at_end(l))
		return true;
	bad_word(l, "the end of the line");
	return false;
}

/* The first line: the magic word and a version that we know. */
static bool take_header(struct nwv_trace *t)
{
	const char *header = nwv_text_header();
	const size_t magic = (size_t)(strchr(header, ' ') - header) + 1;
	struct line l = {.t = t};
	uint64_t version;

	if (!nwv_trace_line_next(t, &l.text, &l.bytes))
		return false;
	if (l.bytes + 1 == strlen(header) && !memcmp(l.text, header, l.bytes))
		return true;
	if (l.bytes < magic || memcmp(l.text, header, magic)) {
		bad_word(&l, "the header \"nestwalk-trace 1\"");
		return false;
	}
	l.at = magic;
	if (!take_number(&l, 10, UINT32_MAX, "", &version))
		return false;
	if (version == NWV_TRACE_VERSION) {
		bad_word(&l, "the version and the end of the line");
		return false;
	}
	nwv_trace_stop(t, NWV_TRACE_UNSUPPORTED,
		       "%.300s:1:%zu: version %u; this reader knows version "
		       "%d: record again, or use the nestwalk that wrote it",
		       t->name, magic + 1, (unsigned)version,
		       NWV_TRACE_VERSION);
	return false;
}

static enum nwv_trace_status text_next(struct nwv_trace *t,
				       struct nwv_event *event)
{
	struct line l;

	if (!t->at && !take_header(t))
		return t->status;
	for (;;) {
		l = (struct line){.t = t};
		if (!nwv_trace_line_next(t, &l.text, &l.bytes))
			return t->status == NWV_TRACE_EVENT ? NWV_TRACE_END
							    : t->status;
		if (!at_end(&l))
			break;
	}
	*event = (struct nwv_event){.seq = t->seq};
	if (!take_event(&l, event))
		return t->status;
	t->seq++;
	return NWV_TRACE_EVENT;
}

const struct nwv_decoder nwv_text_decoder = {
	.encoding = NWV_ENCODING_TEXT,
	.next = text_next,
};
