/* SPDX-License-Identifier: BSD-2-Clause */
#include "flat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct flat_span *flat_at(const struct flat *flat, uint64_t ia)
{
	for (unsigned i = 0; i < flat->spans; i++) {
		if (ia >= flat->span[i].start && ia < flat->span[i].end)
			return &flat->span[i];
	}
	return NULL;
}

void flat_map(struct flat *flat, const struct flat_span *span)
{
	unsigned i = flat->spans;

	if (i == FLAT_SPANS) {
		fprintf(stderr, "flat model: FLAT_SPANS is too small\n");
		exit(2);
	}
	while (i && flat->span[i - 1].start > span->start) {
		flat->span[i] = flat->span[i - 1];
		i--;
	}
	flat->span[i] = *span;
	flat->spans++;
}

/* Make `at` a boundary between spans. */
static void cut(struct flat *flat, uint64_t at)
{
	for (unsigned i = 0; i < flat->spans; i++) {
		struct flat_span *s = &flat->span[i];
		struct flat_span upper = *s;

		if (at <= s->start || at >= s->end)
			continue;
		upper.pa += at - s->start;
		upper.start = at;
		s->end = at;
		flat_map(flat, &upper);
		return;
	}
}

void flat_each(struct flat *flat, uint64_t start, uint64_t end,
	       void (*fn)(struct flat_span *span, void *arg), void *arg)
{
	cut(flat, start);
	cut(flat, end);
	for (unsigned i = 0; i < flat->spans; i++) {
		if (flat->span[i].start >= start && flat->span[i].end <= end)
			fn(&flat->span[i], arg);
	}
}

static void drop(struct flat *flat, uint64_t start, uint64_t end,
		 int annotations_only)
{
	unsigned kept = 0;

	cut(flat, start);
	cut(flat, end);
	for (unsigned i = 0; i < flat->spans; i++) {
		const struct flat_span *s = &flat->span[i];

		if (s->start < start || s->end > end ||
		    (annotations_only && !s->annotation))
			flat->span[kept++] = *s;
	}
	flat->spans = kept;
}

void flat_unmap(struct flat *flat, uint64_t start, uint64_t end)
{
	drop(flat, start, end, 0);
}

void flat_clear(struct flat *flat, uint64_t start, uint64_t end)
{
	drop(flat, start, end, 1);
}

uint64_t flat_bytes(const struct flat *flat)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < flat->spans; i++)
		if (!flat->span[i].annotation)
			bytes += flat->span[i].end - flat->span[i].start;
	return bytes;
}

/* ---- attributes --------------------------------------------------------- */

void flat_without_write(struct flat_span *span, void *arg)
{
	(void)arg;
	span->attrs.prot &= (uint8_t)~NW_PROT_W;
	span->attrs.flags &= (uint16_t)~NW_LEAF_DBM;
}

void flat_write_protected(struct flat_span *span, void *arg)
{
	flat_without_write(span, arg);
	span->attrs.flags &= (uint16_t)~NW_LEAF_DIRTY;
}

void flat_with_write(struct flat_span *span, void *arg)
{
	(void)arg;
	span->attrs.prot |= NW_PROT_W;
}

int flat_is_dirty(const struct nw_attrs *attrs)
{
	if (attrs->flags & NW_LEAF_DBM)
		return (attrs->prot & NW_PROT_W) != 0;
	return (attrs->flags & NW_LEAF_DIRTY) != 0;
}

void flat_make_clean(struct flat_span *span, void *arg)
{
	if (!flat_is_dirty(&span->attrs))
		return;
	if (arg)
		*(uint64_t *)arg += span->end - span->start;
	if (span->attrs.flags & NW_LEAF_DBM)
		span->attrs.prot &= (uint8_t)~NW_PROT_W;
	else
		span->attrs.flags &= (uint16_t)~NW_LEAF_DIRTY;
}

void flat_make_old(struct flat_span *span, void *arg)
{
	(void)arg;
	span->attrs.flags &= (uint16_t)~NW_LEAF_ACCESSED;
}

void flat_count_bytes(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)ia;
	*(uint64_t *)arg += size_bytes;
}
