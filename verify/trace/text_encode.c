// SPDX-License-Identifier: BSD-2-Clause
/* One event as one line of text, in the one form that the encoder writes. */
#include <inttypes.h>
#include <string.h>

#include "vocab.h"
#include "write.h"

#define STR_(x) #x
#define STR(x)	STR_(x)

const char *nwv_text_header(void)
{
	return "nestwalk-trace " STR(NWV_TRACE_VERSION) "\n";
}

/* Quoted, with quotes and backslashes escaped. 0: it cannot be said. */
static size_t put_source(char *to, const char *file, unsigned line)
{
	char *at = to;

	if (strlen(file) > NWV_FILE_NAME_MAX || !*file)
		return 0;
	at += sprintf(at, " src=\"");
	for (; *file; file++) {
		if ((unsigned char)*file < ' ' || *file == 0x7f)
			return 0;
		if (*file == '"' || *file == '\\')
			*at++ = '\\';
		*at++ = *file;
	}
	at += sprintf(at, ":%u\"", line);
	return (size_t)(at - to);
}

static size_t put_field(char *to, const struct nwv_field *f, uint64_t value)
{
	switch ((enum nwv_form)f->form) {
	case NWV_HEX:
		return (size_t)sprintf(to, " %s=0x%" PRIx64, f->name, value);
	case NWV_DEC:
		return (size_t)sprintf(to, " %s=%" PRIu64, f->name, value);
	case NWV_NAME:
		break;
	}
	return (size_t)sprintf(to, " %s=%s", f->name, nwv_field_name(f, value));
}

size_t nwv_text_encode(const struct nwv_event *e, char line[NWV_TEXT_BYTES])
{
	const struct nwv_kind *kind = nwv_kind(e->kind);
	char *at = line;
	size_t source;

	if (nwv_event_check(e, NULL) != NWV_FAULT_NONE)
		return 0;
	at += sprintf(at, "cpu=%u %s", (unsigned)e->cpu, kind->name);
	for (const struct nwv_field *f = kind->field; f->name; f++)
		at += put_field(at, f, nwv_field_get(e, f));
	if (e->file) {
		source = put_source(at, e->file, e->line);
		if (!source)
			return 0;
		at += source;
	}
	*at++ = '\n';
	*at = '\0';
	return (size_t)(at - line);
}
