/* SPDX-License-Identifier: BSD-2-Clause */
#include "obligation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int nwv_room(struct nwv_check *c, void **array, uint32_t *room, uint32_t index,
	     size_t element)
{
	uint32_t want = *room ? *room : 16;
	char *bigger;

	if (index < *room)
		return 0;
	while (want <= index)
		want *= 2;
	bigger = realloc(*array, want * element);
	if (!bigger) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return -1;
	}
	memset(bigger + *room * element, 0, (want - *room) * element);
	c->bytes += (want - *room) * element;
	*array = bigger;
	*room = want;
	return 0;
}

void nwv_stop(struct nwv_check *c, enum nwv_check_status why,
	      const char *format, ...)
{
	va_list args;

	if (c->stopped)
		return;
	c->stopped = why;
	va_start(args, format);
	vsnprintf(c->problem, sizeof(c->problem), format, args);
	va_end(args);
}

struct nwv_mark nwv_mark_of(const struct nwv_event *event)
{
	if (!event)
		return (struct nwv_mark){0};
	return (struct nwv_mark){
		.seq = event->seq,
		.file = event->file,
		.line = event->line,
		.cpu = event->cpu,
		.kind = event->kind,
	};
}

struct nwv_page *nwv_page_find_va(struct nwv_check *c, uint64_t va)
{
	uint32_t n = nwv_map_get(&c->page_by_va, va >> NWV_FRAME_LG2);

	if (!n)
		return NULL;
	c->last_va = va >> NWV_FRAME_LG2;
	c->last_page = c->page[n];
	return c->last_page;
}

struct nwv_page *nwv_page_at_pa(const struct nwv_check *c, uint64_t pa)
{
	uint32_t n = nwv_map_get(&c->page_by_pa, pa >> NWV_FRAME_LG2);

	return n ? c->page[n] : NULL;
}

struct nwv_page *nwv_page_frame(const struct nwv_check *c,
				const struct nwv_page *head, unsigned n)
{
	if (n == 0)
		return (struct nwv_page *)head;
	if (n >= head->frames)
		return NULL;
	return nwv_page_at_pa(c, head->pa + ((uint64_t)n << NWV_FRAME_LG2));
}

/* The frame at `pa`, new or used before. */
static struct nwv_page *frame_at(struct nwv_check *c, uint64_t pa,
				 uint32_t *number)
{
	struct nwv_page *p;
	uint32_t n = nwv_map_get(&c->page_by_pa, pa >> NWV_FRAME_LG2);

	*number = n;
	if (n)
		return c->page[n];
	n = c->pages + 1;
	if (nwv_room(c, (void **)&c->page, &c->page_room, n, sizeof(*c->page)))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p || nwv_map_put(&c->page_by_pa, pa >> NWV_FRAME_LG2, n)) {
		free(p);
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return NULL;
	}
	c->bytes += sizeof(*p);
	c->page[n] = p;
	c->pages = n;
	*number = n;
	return p;
}

static void frame_reset(struct nwv_check *c, struct nwv_page *p, uint64_t pa,
			uint64_t va)
{
	uint64_t *writer = p->writer;

	if (writer)
		memset(writer, 0, NWV_FRAME_ENTRIES * sizeof(*writer));
	/* Entries keep what they had: they count as unknown until written. */
	memset(p, 0, offsetof(struct nwv_page, entry));
	p->writer = writer;
	p->pa = pa;
	p->va = va;
	p->life = NWV_UNPUBLISHED;
	p->since = nwv_mark_of(c->now);
}

struct nwv_page *nwv_page_alloc(struct nwv_check *c, uint64_t pa,
				uint64_t bytes, uint64_t va)
{
	uint32_t i, n, head = 0, frames = (uint32_t)(bytes >> NWV_FRAME_LG2);

	c->last_page = NULL;
	for (i = 0; i < frames; i++) {
		uint64_t offset = (uint64_t)i << NWV_FRAME_LG2;
		struct nwv_page *p = frame_at(c, pa + offset, &n);

		if (!p)
			return NULL;
		if (p->va && p->va != va + offset)
			nwv_map_del(&c->page_by_va, p->va >> NWV_FRAME_LG2);
		if (nwv_map_put(&c->page_by_va, (va + offset) >> NWV_FRAME_LG2,
				n)) {
			nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
			return NULL;
		}
		frame_reset(c, p, pa + offset, va + offset);
		if (!i)
			head = n;
		p->head = head;
		p->frames = i ? 0 : frames;
	}
	return c->page[head];
}

int nwv_page_flush_owed(const struct nwv_check *c, const struct nwv_page *p)
{
	return p->unlink_ob && c->ob[p->unlink_ob].root &&
	       c->ob[p->unlink_ob].gen == p->unlink_gen;
}
