// SPDX-License-Identifier: BSD-2-Clause
/*
 * Import of a casemate log: records to events.
 *
 * The log says what was stored where; ours also says what was there before, so
 * the import keeps the content of every word it saw written. Physical and
 * software addresses are the same in such a log. A register that names a root
 * becomes ROOT_SWITCH, preceded by TABLE_INIT when the root is new, with the
 * shape that the CPU's last VTCR_EL2 or TCR_EL2 gave (Arm ARM DDI 0487,
 * "VTCR_EL2", "TCR_EL2"). docs/trace-format.md lists the rest.
 */
#include "casemate.h"

#include <stdlib.h>
#include <string.h>

#include <nestwalk/format.h>
#include <nestwalk/port.h>

/* A memset above this is refused: nobody clears that much of tables at once. */
#define SET_BYTES_MAX (UINT64_C(16) << 20)
/* The same for new memory, which is said to be zero word by word. */
#define INIT_BYTES_MAX	(UINT64_C(1) << 30)
#define DEFAULT_IA_BITS 39
#define DEFAULT_OA_BITS 48

struct word {
	uint64_t address; /* of 8 bytes, plus 1; 0: slot unused */
	uint64_t value;
};

struct nwv_casemate {
	uint64_t next_id;
	/* a record that became several events */
	struct nwv_event pending;
	bool has_pending;
	uint64_t set_end; /* words up to here are still to be said, or 0 */
	uint64_t set_value;
	unsigned set_kind; /* ENTRY_WRITE of a memset, INIT of new memory */
	/* content of memory */
	struct word *word;
	size_t words; /* slots, 0 or a power of two */
	size_t used;
	/* roots that were introduced: (address | regime), same kind of table */
	struct word *root;
	size_t roots, roots_used;
	uint64_t vttbr_tag[NWV_CPUS_MAX];
	uint64_t vtcr[NWV_CPUS_MAX], tcr[NWV_CPUS_MAX];
	bool has_vtcr[NWV_CPUS_MAX], has_tcr[NWV_CPUS_MAX];
};

static struct word *slot_of(struct word *table, size_t slots, uint64_t address)
{
	size_t i = (address >> 3) * UINT64_C(0x9E3779B97F4A7C15) >> 20 &
		   (slots - 1);

	while (table[i].address && table[i].address != address + 1)
		i = (i + 1) & (slots - 1);
	return &table[i];
}

/* The word's slot, made when it is new; NULL when memory is out. */
static struct word *take_slot(struct word **table, size_t *slots, size_t *used,
			      uint64_t address)
{
	struct word *slot, *grown;
	size_t more;

	if (*used * 2 >= *slots) {
		more = *slots ? *slots * 2 : 256;
		grown = calloc(more, sizeof(*grown));
		if (!grown)
			return NULL;
		for (size_t i = 0; i < *slots; i++)
			if ((*table)[i].address)
				*slot_of(grown, more, (*table)[i].address - 1) =
					(*table)[i];
		free(*table);
		*table = grown;
		*slots = more;
	}
	slot = slot_of(*table, *slots, address);
	if (!slot->address) {
		slot->address = address + 1;
		(*used)++;
	}
	return slot;
}

/* What a range held is not known any more; new memory counts as zero. */
static void forget(struct nwv_casemate *c, uint64_t address, uint64_t bytes)
{
	if (bytes / 8 > c->words) {
		for (size_t i = 0; i < c->words; i++)
			if (c->word[i].address &&
			    c->word[i].address - 1 - address < bytes)
				c->word[i].value = 0;
		return;
	}
	for (uint64_t at = 0; at < bytes; at += 8) {
		struct word *w = slot_of(c->word, c->words, address + at);

		if (w->address)
			w->value = 0;
	}
}

static enum nwv_trace_status no_memory(struct nwv_trace *t)
{
	return nwv_trace_stop(t, NWV_TRACE_FAILED, "out of memory");
}

static enum nwv_trace_status store(struct nwv_trace *t, struct nwv_event *e,
				   unsigned kind, uint64_t address,
				   uint64_t value)
{
	struct nwv_casemate *c = t->casemate;
	struct word *w = take_slot(&c->word, &c->words, &c->used, address);

	if (!w)
		return no_memory(t);
	e->kind = (uint16_t)kind;
	e->a = address;
	e->b = w->value;
	e->c = value;
	w->value = value;
	return NWV_TRACE_EVENT;
}

static uint64_t shape(uint64_t format, bool known, uint64_t tcr)
{
	static const uint8_t granule_lg2[4] = {12, 16, 14, 12};
	static const uint8_t oa_bits[8] = {32, 36, 40, 42, 44, 48, 52, 52};

	if (!known)
		return NW_TRACE_SHAPE(format, 12, DEFAULT_IA_BITS,
				      DEFAULT_OA_BITS, 0);
	return NW_TRACE_SHAPE(format, granule_lg2[tcr >> 14 & 3],
			      64 - (tcr & 0x3f), oa_bits[tcr >> 16 & 7], 0);
}

/* VTTBR_EL2, TTBR0_EL2: tag [63:48], root [47:1], CnP [0]. */
static enum nwv_trace_status switch_root(struct nwv_trace *t,
					 struct nwv_event *e, uint64_t value,
					 enum nw_regime regime)
{
	struct nwv_casemate *c = t->casemate;
	const uint64_t root = value & UINT64_C(0x0000fffffffffffe);
	const uint64_t tag = regime == NW_REGIME_STAGE2 ? value >> 48 : 0;
	const unsigned cpu = e->cpu;
	struct word *known = take_slot(&c->root, &c->roots, &c->roots_used,
				       root << 1 | regime);
	const bool is_new = known && !known->value;

	if (!known)
		return no_memory(t);
	known->value = 1;
	if (regime == NW_REGIME_STAGE2)
		c->vttbr_tag[cpu] = tag;
	e->kind = NW_EV_ROOT_SWITCH;
	e->a = root;
	e->b = tag;
	e->c = regime;
	if (!is_new)
		return NWV_TRACE_EVENT;
	c->pending = *e;
	c->has_pending = true;
	e->kind = NW_EV_TABLE_INIT;
	e->b = regime == NW_REGIME_STAGE2
		       ? shape(NW_FORMAT_ID_arm64_s2, c->has_vtcr[cpu],
			       c->vtcr[cpu])
		       : shape(NW_FORMAT_ID_arm64_el2, c->has_tcr[cpu],
			       c->tcr[cpu]);
	e->c = tag | (uint64_t)regime << 16;
	return NWV_TRACE_EVENT;
}

static enum nwv_trace_status write_register(struct nwv_trace *t,
					    struct nwv_event *e, unsigned which,
					    uint64_t value)
{
	struct nwv_casemate *c = t->casemate;

	if (which == NWV_CASEMATE_VTTBR)
		return switch_root(t, e, value, NW_REGIME_STAGE2);
	if (which == NWV_CASEMATE_TTBR0)
		return switch_root(t, e, value, NW_REGIME_EL2);
	if (which == NWV_SYSREG_VTCR_EL2) {
		c->vtcr[e->cpu] = value;
		c->has_vtcr[e->cpu] = true;
	}
	if (which == NWV_SYSREG_TCR_EL2) {
		c->tcr[e->cpu] = value;
		c->has_tcr[e->cpu] = true;
	}
	e->kind = NWV_EV_SYSREG;
	e->a = which;
	e->b = value;
	return NWV_TRACE_EVENT;
}

static enum nwv_trace_status plain(struct nwv_event *e, unsigned kind,
				   uint64_t a, uint64_t b, uint64_t c)
{
	e->kind = (uint16_t)kind;
	e->a = a;
	e->b = b;
	e->c = c;
	return NWV_TRACE_EVENT;
}

/* The next word of a memset, or of new memory (not kept: 0 by itself). */
static enum nwv_trace_status set_next(struct nwv_trace *t, struct nwv_event *e)
{
	struct nwv_casemate *c = t->casemate;
	const uint64_t address = c->pending.a;

	*e = c->pending;
	c->pending.a += 8;
	if (c->pending.a == c->set_end)
		c->set_end = 0;
	if (c->set_kind == NW_EV_ENTRY_INIT)
		return plain(e, NW_EV_ENTRY_INIT, address, 0, 1);
	return store(t, e, NW_EV_ENTRY_WRITE, address, c->set_value);
}

static enum nwv_trace_status bad_value(struct nwv_trace *t,
				       const struct nwv_casemate_record *r,
				       unsigned value, const char *expected)
{
	return nwv_trace_bad(t, r->column[value], "found 0x%llx; expected %s",
			     (unsigned long long)r->value[value], expected);
}

static enum nwv_trace_status set_range(struct nwv_trace *t,
				       const struct nwv_casemate_record *r,
				       struct nwv_event *e)
{
	struct nwv_casemate *c = t->casemate;
	const uint64_t address = r->value[0], bytes = r->value[1];

	if (address % 8)
		return bad_value(t, r, 0, "a multiple of 8");
	if (!bytes || bytes % 8 || bytes > SET_BYTES_MAX ||
	    bytes > -address - 1)
		return bad_value(t, r, 1,
				 "a multiple of 8, above 0 and up to 16 MiB");
	if (r->value[2] > 0xff)
		return bad_value(t, r, 2, "a byte");
	c->pending = *e;
	c->pending.a = address;
	c->set_end = address + bytes;
	c->set_value = r->value[2] * UINT64_C(0x0101010101010101);
	c->set_kind = NW_EV_ENTRY_WRITE;
	return set_next(t, e);
}

static enum nwv_trace_status init_pages(struct nwv_trace *t,
					const struct nwv_casemate_record *r,
					struct nwv_event *e)
{
	struct nwv_casemate *c = t->casemate;
	const uint64_t address = r->value[0], bytes = r->value[1];

	if (bytes > INIT_BYTES_MAX)
		return bad_value(t, r, 1, "at most 1 GiB");
	c->pending = *e;
	c->pending.a = address;
	c->set_end = address + bytes;
	c->set_kind = NW_EV_ENTRY_INIT;
	return plain(e, NW_EV_PAGE_ALLOC, address, bytes, address);
}

static enum nwv_trace_status page_range(struct nwv_trace *t,
					const struct nwv_casemate_record *r,
					struct nwv_event *e)
{
	const uint64_t address = r->value[0], bytes = r->value[1];

	if (address % 8)
		return bad_value(t, r, 0, "a multiple of 8");
	if (!bytes || bytes % 8 || bytes > -address - 1)
		return bad_value(t, r, 1, "a multiple of 8 above 0");
	if (t->casemate->words)
		forget(t->casemate, address, bytes);
	if (r->head == NWV_CASEMATE_MEM_INIT)
		return init_pages(t, r, e);
	return plain(e, NW_EV_PAGE_FREE, address, bytes, 0);
}

static enum nwv_trace_status hint(struct nwv_trace *t,
				  const struct nwv_casemate_record *r,
				  struct nwv_event *e)
{
	if (r->choice == NWV_EV_ENTRY_OWNER && r->value[1] >= NWV_CPUS_MAX)
		return bad_value(t, r, 1, "a CPU below 64");
	return plain(e, r->choice, r->value[0], r->value[1], 0);
}

static enum nwv_trace_status to_event(struct nwv_trace *t,
				      const struct nwv_casemate_record *r,
				      struct nwv_event *e)
{
	switch (r->head) {
	case NWV_CASEMATE_MEM_WRITE:
	case NWV_CASEMATE_MEM_READ:
		if (r->value[0] % 8)
			return bad_value(t, r, 0, "a multiple of 8");
		if (r->head == NWV_CASEMATE_MEM_READ)
			return plain(e, NW_EV_ENTRY_READ, r->value[0],
				     r->value[1], 0);
		return store(t, e, r->choice, r->value[0], r->value[1]);
	case NWV_CASEMATE_MEM_INIT:
	case NWV_CASEMATE_MEM_FREE:
		return page_range(t, r, e);
	case NWV_CASEMATE_MEM_SET:
		return set_range(t, r, e);
	case NWV_CASEMATE_BARRIER:
		return plain(e, NW_EV_BARRIER, r->choice, 0, 0);
	case NWV_CASEMATE_TLBI:
		return plain(e, NW_EV_TLBI, r->choice, r->value[0],
			     r->is_stage2 ? t->casemate->vttbr_tag[e->cpu] : 0);
	case NWV_CASEMATE_SYSREG_WRITE:
		return write_register(t, e, r->choice, r->value[0]);
	case NWV_CASEMATE_HINT:
		return hint(t, r, e);
	case NWV_CASEMATE_LOCK:
	case NWV_CASEMATE_TRYLOCK:
		return plain(e, NW_EV_LOCK, r->value[0], 0, 0);
	case NWV_CASEMATE_UNLOCK:
		return plain(e, NW_EV_UNLOCK, r->value[0], 0, 0);
	}
	return nwv_trace_bad(t, 1, "unknown record");
}

/* The next line that is a record; remarks on the way are handed on. */
static bool next_record(struct nwv_trace *t, const char **line, size_t *bytes)
{
	size_t at;

	while (nwv_trace_line_next(t, line, bytes)) {
		for (at = 0; at < *bytes && strchr(" \t", (*line)[at]); at++)
			;
		if (at == *bytes)
			continue;
		if ((*line)[at] != '!')
			return true;
		if (t->remark)
			t->remark(t->remark_context, t->line, *line + at,
				  *bytes - at);
	}
	return false;
}

static enum nwv_trace_status take_record(struct nwv_trace *t,
					 struct nwv_event *e)
{
	struct nwv_casemate_record r;
	const char *line;
	size_t bytes;

	if (!next_record(t, &line, &bytes))
		return t->status == NWV_TRACE_EVENT ? NWV_TRACE_END : t->status;
	if (!nwv_casemate_parse(t, line, bytes, &r))
		return t->status;
	if (r.id != t->casemate->next_id)
		return nwv_trace_bad(t, r.id_column,
				     "%s in the sequence: id %llu; expected "
				     "%llu",
				     r.id < t->casemate->next_id ? "step back"
								 : "gap",
				     (unsigned long long)r.id,
				     (unsigned long long)t->casemate->next_id);
	t->casemate->next_id++;
	e->cpu = r.cpu;
	e->file = r.file;
	e->line = r.line;
	return to_event(t, &r, e);
}

static enum nwv_trace_status casemate_next(struct nwv_trace *t,
					   struct nwv_event *event)
{
	enum nwv_trace_status status;

	if (!t->casemate) {
		t->casemate = calloc(1, sizeof(*t->casemate));
		if (!t->casemate)
			return no_memory(t);
	}
	*event = (struct nwv_event){0};
	if (t->casemate->set_end) {
		status = set_next(t, event);
	} else if (t->casemate->has_pending) {
		*event = t->casemate->pending;
		t->casemate->has_pending = false;
		status = NWV_TRACE_EVENT;
	} else {
		status = take_record(t, event);
	}
	if (status == NWV_TRACE_EVENT)
		event->seq = t->seq++;
	return status;
}

static void casemate_close(struct nwv_trace *t)
{
	if (!t->casemate)
		return;
	free(t->casemate->word);
	free(t->casemate->root);
	free(t->casemate);
}

const struct nwv_decoder nwv_casemate_decoder = {
	.encoding = NWV_ENCODING_CASEMATE,
	.next = casemate_next,
	.close = casemate_close,
};
