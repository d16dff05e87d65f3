// SPDX-License-Identifier: BSD-2-Clause
/*
 * A line of a casemate log to a record. A field is (name value), in any order,
 * or the bare value, at its place in the grammar; every field of the record
 * must be there, once, and nothing else.
 */
#include <string.h>

#include "casemate.h"
#include "write.h"

#define ITEMS_MAX 8

enum field_type {
	FIELD_END,
	FIELD_ID,
	FIELD_TID,
	FIELD_HEX,    /* the next of record->value */
	FIELD_CHOICE, /* one of the head's words */
	FIELD_OP,     /* the same, but always bare */
	FIELD_SRC,
};

struct field {
	const char *name;
	enum field_type type;
};

struct choice {
	const char *word; /* NULL ends the list */
	unsigned value;
	bool has_operand; /* OP: another field follows it */
	bool is_stage2;
};

struct shape {
	const char *word;
	struct field field[ITEMS_MAX];
	const struct choice *choices;
};

static const struct choice orders[] = {
	{"plain", NW_EV_ENTRY_WRITE, false, false},
	{"release", NW_EV_ENTRY_LINK, false, false},
	{0},
};
static const struct choice barriers[] = {
	{"dsb", 0, true, false},
	{"isb", NW_BARRIER_ISB, false, false},
	{0},
};
static const struct choice domains[] = {
	{"ish", NW_BARRIER_DSB_ISH, false, false},
	{"ishst", NW_BARRIER_DSB_ISHST, false, false},
	{"nsh", NW_BARRIER_DSB_NSH, false, false},
	{0},
};
static const struct choice tlbis[] = {
	{"vmalls12e1", NW_TLBI_VMALLS12E1, false, true},
	{"vmalls12e1is", NW_TLBI_VMALLS12E1IS, false, true},
	{"vmalle1", NW_TLBI_VMALLE1, false, true},
	{"vmalle1is", NW_TLBI_VMALLE1IS, false, true},
	{"alle1", NW_TLBI_ALLE1, false, false},
	{"alle1is", NW_TLBI_ALLE1IS, false, false},
	{"alle2", NW_TLBI_ALLE2, false, false},
	{"alle2is", NW_TLBI_ALLE2IS, false, false},
	{"vale2is", NW_TLBI_VALE2IS, true, false},
	{"vae2is", NW_TLBI_VAE2IS, true, false},
	{"ipas2e1is", NW_TLBI_IPAS2E1IS, true, true},
	{0},
};
static const struct choice sysregs[] = {
	{"vttbr_el2", NWV_CASEMATE_VTTBR, false, false},
	{"ttbr0_el2", NWV_CASEMATE_TTBR0, false, false},
	{"vtcr_el2", NWV_SYSREG_VTCR_EL2, false, false},
	{"tcr_el2", NWV_SYSREG_TCR_EL2, false, false},
	{"hcr_el2", NWV_SYSREG_HCR_EL2, false, false},
	{"sctlr_el2", NWV_SYSREG_SCTLR_EL2, false, false},
	{"mair_el2", NWV_SYSREG_MAIR_EL2, false, false},
	{0},
};
static const struct choice hints[] = {
	{"set_root_lock", NWV_EV_ROOT_LOCK, false, false},
	{"set_owner_root", NWV_EV_PAGE_ROOT, false, false},
	{"release_table", NWV_EV_TABLE_RELEASE, false, false},
	{"set_pte_thread_owner", NWV_EV_ENTRY_OWNER, false, false},
	{0},
};

#define WHO                                                                    \
	{"id", FIELD_ID},                                                      \
	{                                                                      \
		"tid", FIELD_TID                                               \
	}
#define SRC                                                                    \
	{                                                                      \
		"src", FIELD_SRC                                               \
	}
#define HEX(name)                                                              \
	{                                                                      \
		name, FIELD_HEX                                                \
	}

/* By enum nwv_casemate_head. What follows an OP depends on it: below. */
static const struct shape shapes[] = {
	[NWV_CASEMATE_MEM_WRITE] = {"mem-write",
				    {WHO,
				     {"mem-order", FIELD_CHOICE},
				     HEX("address"),
				     HEX("value"),
				     SRC},
				    orders},
	[NWV_CASEMATE_MEM_READ] = {"mem-read",
				   {WHO, HEX("address"), HEX("value"), SRC},
				   NULL},
	[NWV_CASEMATE_MEM_INIT] = {"mem-init",
				   {WHO, HEX("address"), HEX("size"), SRC},
				   NULL},
	[NWV_CASEMATE_MEM_FREE] = {"mem-free",
				   {WHO, HEX("address"), HEX("size"), SRC},
				   NULL},
	[NWV_CASEMATE_MEM_SET] = {"mem-set",
				  {WHO, HEX("address"), HEX("size"),
				   HEX("value"), SRC},
				  NULL},
	[NWV_CASEMATE_BARRIER] = {"barrier",
				  {WHO, {"dsb or isb", FIELD_OP}, SRC},
				  barriers},
	[NWV_CASEMATE_TLBI] = {"tlbi",
			       {WHO, {"an operation", FIELD_OP}, SRC},
			       tlbis},
	[NWV_CASEMATE_SYSREG_WRITE] =
		{"sysreg-write",
		 {WHO, {"sysreg", FIELD_CHOICE}, HEX("value"), SRC},
		 sysregs},
	[NWV_CASEMATE_HINT] = {"hint",
			       {WHO,
				{"kind", FIELD_CHOICE},
				HEX("location"),
				HEX("value"),
				SRC},
			       hints},
	[NWV_CASEMATE_LOCK] = {"lock", {WHO, HEX("address"), SRC}, NULL},
	[NWV_CASEMATE_TRYLOCK] = {"trylock", {WHO, HEX("address"), SRC}, NULL},
	[NWV_CASEMATE_UNLOCK] = {"unlock", {WHO, HEX("address"), SRC}, NULL},
};

static const struct shape dsb_shape = {
	"barrier",
	{WHO, {"dsb", FIELD_OP}, {"kind", FIELD_CHOICE}, SRC},
	domains,
};
static const struct shape tlbi_value_shape = {
	"tlbi",
	{WHO, {"operation", FIELD_OP}, HEX("value"), SRC},
	tlbis,
};

/* A stretch of the line. */
struct span {
	const char *text;
	size_t bytes;
	size_t column;
	bool is_quoted;
};

struct item {
	struct span name; /* text NULL: a bare value */
	struct span value;
};

struct parser {
	struct nwv_trace *t;
	const char *line;
	size_t bytes, at;
	struct item item[ITEMS_MAX];
	size_t items;
};

static bool span_is(const struct span *s, const char *word)
{
	return !s->is_quoted && strlen(word) == s->bytes &&
	       !memcmp(word, s->text, s->bytes);
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->bytes && strchr(" \t", p->line[p->at]))
		p->at++;
}

static bool bad_here(struct parser *p, const char *expected)
{
	if (p->at == p->bytes)
		nwv_trace_bad(p->t, p->at + 1,
			      "the line ends here; expected %s", expected);
	else
		nwv_trace_bad(p->t, p->at + 1, "found '%c'; expected %s",
			      p->line[p->at], expected);
	return false;
}

static bool bad_span(struct parser *p, const struct span *s,
		     const char *expected)
{
	nwv_trace_bad(p->t, s->column, "found '%.*s'; expected %s",
		      s->bytes > 60 ? 60 : (int)s->bytes, s->text, expected);
	return false;
}

static bool take(struct parser *p, char c, const char *expected)
{
	skip_blanks(p);
	if (p->at == p->bytes || p->line[p->at] != c)
		return bad_here(p, expected);
	p->at++;
	return true;
}

/* A word, or a string in quotes (the span is what stands between them). */
static bool take_span(struct parser *p, struct span *s)
{
	size_t start;

	skip_blanks(p);
	start = p->at;
	*s = (struct span){.column = start + 1};
	if (start < p->bytes && p->line[start] == '"') {
		for (p->at++; p->at < p->bytes && p->line[p->at] != '"';)
			p->at++;
		if (p->at == p->bytes)
			return bad_here(p, "a closing quote");
		*s = (struct span){p->line + start + 1, p->at - start - 1,
				   start + 1, true};
		p->at++;
		return true;
	}
	while (p->at < p->bytes && !strchr(" \t()\"", p->line[p->at]))
		p->at++;
	s->text = p->line + start;
	s->bytes = p->at - start;
	return s->bytes || bad_here(p, "a word");
}

static bool take_item(struct parser *p)
{
	struct item *item;

	if (p->items == ITEMS_MAX)
		return bad_here(p, "')'; no record has more fields");
	item = &p->item[p->items++];
	*item = (struct item){0};
	if (p->line[p->at] != '(')
		return take_span(p, &item->value);
	p->at++;
	return take_span(p, &item->name) && take_span(p, &item->value) &&
	       take(p, ')', "')' after the field's value");
}

static bool take_items(struct parser *p, struct span *head)
{
	if (!take(p, '(', "'(' or a line that begins with '!'") ||
	    !take_span(p, head))
		return false;
	for (;;) {
		skip_blanks(p);
		if (p->at == p->bytes)
			return bad_here(p, "a field or ')'");
		if (p->line[p->at] == ')')
			break;
		if (!take_item(p))
			return false;
	}
	p->at++;
	skip_blanks(p);
	return p->at == p->bytes || bad_here(p, "the end of the line");
}

static const struct choice *find_choice(const struct choice *list,
					const struct span *s)
{
	for (; list->word; list++)
		if (span_is(s, list->word))
			return list;
	return NULL;
}

static bool bad_choice(struct parser *p, const struct span *s,
		       const struct choice *list)
{
	char words[256];
	size_t n = 0;

	for (; list->word; list++)
		if (n + strlen(list->word) + 3 < sizeof(words)) {
			memcpy(words + n, ", ", n ? 2 : 0);
			n += n ? 2 : 0;
			memcpy(words + n, list->word, strlen(list->word));
			n += strlen(list->word);
		}
	words[n] = '\0';
	return bad_span(p, s, words);
}

/* The shape of the record's fields; an OP decides what follows it. */
static const struct shape *find_shape(struct parser *p, const struct span *head,
				      struct nwv_casemate_record *r)
{
	const struct shape *shape = NULL;
	const struct choice *choice;
	const struct span *op;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (span_is(head, shapes[i].word)) {
			shape = &shapes[i];
			r->head = (enum nwv_casemate_head)i;
		}
	if (!shape) {
		bad_span(p, head,
			 "mem-write, mem-read, mem-init, mem-free, mem-set, "
			 "barrier, tlbi, sysreg-write, hint, lock, trylock or "
			 "unlock");
		return NULL;
	}
	if (shape->field[2].type != FIELD_OP)
		return shape;
	if (p->items < 3 || p->item[2].name.text) {
		p->at = p->items < 3 ? p->bytes - 1
				     : p->item[2].name.column - 1;
		bad_here(p, shape->field[2].name);
		return NULL;
	}
	op = &p->item[2].value;
	choice = find_choice(shape->choices, op);
	if (!choice) {
		bad_choice(p, op, shape->choices);
		return NULL;
	}
	r->choice = choice->value;
	r->is_stage2 = choice->is_stage2;
	if (!choice->has_operand)
		return shape;
	return r->head == NWV_CASEMATE_TLBI ? &tlbi_value_shape : &dsb_shape;
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

static bool number(struct parser *p, const struct span *s, int base,
		   uint64_t max, uint64_t *value)
{
	size_t at = 0;
	uint64_t v = 0;

	if (base == 16 && s->bytes > 2 && !memcmp(s->text, "0x", 2))
		at = 2;
	if (s->is_quoted || at == s->bytes)
		return bad_span(p, s, "a number");
	for (; at < s->bytes; at++) {
		const int d = digit_value(s->text[at]);

		if (d >= base)
			return bad_span(p, s,
					base == 16 ? "a hexadecimal number"
						   : "a decimal number");
		if (v > (max - (uint64_t)d) / (uint64_t)base) {
			nwv_trace_bad(p->t, s->column,
				      "'%.*s' is too large; expected at most "
				      "%llu",
				      s->bytes > 60 ? 60 : (int)s->bytes,
				      s->text, (unsigned long long)max);
			return false;
		}
		v = v * (uint64_t)base + (uint64_t)d;
	}
	*value = v;
	return true;
}

static bool source(struct parser *p, const struct span *s,
		   struct nwv_casemate_record *r)
{
	static const char form[] = "\"file:line\" in quotes";
	const char *colon =
		s->is_quoted ? memrchr(s->text, ':', s->bytes) : NULL;
	struct span digits;
	uint64_t value;

	if (!colon || colon == s->text || colon - s->text > NWV_FILE_NAME_MAX)
		return bad_span(p, s, form);
	if (memchr(s->text, '\t', (size_t)(colon - s->text)))
		return bad_span(p, s, "a file name without tabs");
	digits = (struct span){
		.text = colon + 1,
		.bytes = s->bytes - (size_t)(colon + 1 - s->text),
		.column = s->column + 1 + (size_t)(colon + 1 - s->text),
	};
	if (!number(p, &digits, 10, UINT32_MAX, &value))
		return false;
	r->line = (uint32_t)value;
	r->file = nwv_strings_keep(&p->t->files, s->text,
				   (size_t)(colon - s->text));
	if (!r->file)
		nwv_trace_stop(p->t, NWV_TRACE_FAILED, "out of memory");
	return r->file;
}

static bool take_value(struct parser *p, const struct shape *shape,
		       enum field_type type, const struct span *s,
		       unsigned *values, struct nwv_casemate_record *r)
{
	const struct choice *choice;
	uint64_t tid;

	switch (type) {
	case FIELD_ID:
		r->id_column = s->column;
		return number(p, s, 10, UINT64_MAX - 1, &r->id);
	case FIELD_TID:
		if (!number(p, s, 10, NWV_CPUS_MAX - 1, &tid))
			return false;
		r->cpu = (uint16_t)tid;
		return true;
	case FIELD_HEX:
		r->column[*values] = s->column;
		return number(p, s, 16, UINT64_MAX, &r->value[(*values)++]);
	case FIELD_CHOICE:
		choice = find_choice(shape->choices, s);
		if (!choice)
			return bad_choice(p, s, shape->choices);
		r->choice = choice->value;
		return true;
	case FIELD_SRC:
		return source(p, s, r);
	case FIELD_OP: /* taken by find_shape() */
	case FIELD_END:
		break;
	}
	return true;
}

/* The item that is field `n`: the bare one at its place, or the one named. */
static const struct item *find_item(struct parser *p, const struct shape *shape,
				    size_t n, bool used[ITEMS_MAX])
{
	for (size_t i = 0; i < p->items; i++) {
		const struct item *item = &p->item[i];

		if (used[i] || (item->name.text ? !span_is(&item->name,
							   shape->field[n].name)
						: i != n))
			continue;
		used[i] = true;
		return item;
	}
	nwv_trace_bad(p->t, p->bytes, "no field '%s' in '%s'",
		      shape->field[n].name, shape->word);
	return NULL;
}

bool nwv_casemate_parse(struct nwv_trace *t, const char *line, size_t bytes,
			struct nwv_casemate_record *record)
{
	struct parser p = {.t = t, .line = line, .bytes = bytes};
	bool used[ITEMS_MAX] = {false};
	const struct shape *shape;
	const struct item *item;
	unsigned values = 0;
	struct span head;

	*record = (struct nwv_casemate_record){0};
	if (!take_items(&p, &head))
		return false;
	shape = find_shape(&p, &head, record);
	if (!shape)
		return false;
	for (size_t n = 0; shape->field[n].type != FIELD_END; n++) {
		item = find_item(&p, shape, n, used);
		if (!item || !take_value(&p, shape, shape->field[n].type,
					 &item->value, &values, record))
			return false;
	}
	for (size_t i = 0; i < p.items; i++) {
		if (used[i])
			continue;
		return bad_span(&p,
				p.item[i].name.text ? &p.item[i].name
						    : &p.item[i].value,
				"no further field of that name or place");
	}
	return true;
}
