/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Obligations by output address, for frames that are reused or change owner.
 * Most are clean long before anybody asks: they are only noted down, and
 * indexed when a question comes.
 */
#include "obligation_lists.h"

#include <stdlib.h>

/* Leaves under 2 MiB are found by their 2 MiB, those up to 1 GiB by
 * their 1 GiB, all others by their 4 TiB; no leaf crosses its own. */
#define CLASSES 3
static const uint8_t class_lg2[CLASSES] = {21, 30, 42};

static unsigned class_of(unsigned span_lg2)
{
	return span_lg2 < class_lg2[0] ? 0 : span_lg2 <= class_lg2[1] ? 1 : 2;
}

static uint64_t oa_key(unsigned class, uint64_t oa)
{
	return oa >> class_lg2[class] | (uint64_t) class << 40;
}

static uint32_t *oa_head(const struct nwv_check *c, uint64_t key)
{
	return &c->by_oa[(key * UINT64_C(0x9e3779b97f4a7c15)) >>
			 (64 - c->by_oa_lg2)];
}

static uint32_t *head_of(const struct nwv_check *c, uint32_t n)
{
	const struct nwv_ob_slot *o = &c->ob[n];
	unsigned span_lg2 = nwv_span_lg2(&c->root[o->root].shape, o->level);

	return oa_head(c, oa_key(class_of(span_lg2), c->ob_more[n].oa));
}

static void oa_link(struct nwv_check *c, uint32_t n)
{
	uint32_t *head = head_of(c, n);

	c->ob_oa[n] = (struct nwv_ob_link){.next = *head};
	if (*head)
		c->ob_oa[*head].prev = n;
	*head = n;
	c->ob[n].flags |= NWV_OB_IN_OA;
}

void nwv_oa_unlink(struct nwv_check *c, uint32_t n)
{
	struct nwv_ob_link *link = &c->ob_oa[n];

	c->ob[n].flags &= (uint8_t)~NWV_OB_IN_OA;
	if (link->next)
		c->ob_oa[link->next].prev = link->prev;
	if (link->prev)
		c->ob_oa[link->prev].next = link->next;
	else
		*head_of(c, n) = link->next;
}

/* ---- noting down ------------------------------------------------------- */

static int is_still(const struct nwv_check *c, const struct nwv_ob_todo *todo)
{
	const struct nwv_ob_slot *o = &c->ob[todo->number];

	return o->root && o->gen == todo->gen && !(o->flags & NWV_OB_IN_OA);
}

/* Those that were cleaned meanwhile need no note. */
static void drop_stale(struct nwv_check *c)
{
	uint32_t i, to = 0;

	for (i = 0; i < c->oa_todos; i++)
		if (is_still(c, &c->oa_todo[i]))
			c->oa_todo[to++] = c->oa_todo[i];
	c->oa_todos = to;
}

int nwv_oa_note(struct nwv_check *c, uint32_t n)
{
	/* Half of what is dropped each time pays for looking at all. */
	if (c->oa_todos == c->oa_todo_room && c->obs <= c->oa_todos / 2)
		drop_stale(c);
	if (nwv_room(c, (void **)&c->oa_todo, &c->oa_todo_room, c->oa_todos,
		     sizeof(*c->oa_todo)))
		return -1;
	c->oa_todo[c->oa_todos++] = (struct nwv_ob_todo){n, c->ob[n].gen};
	return 0;
}

/* Keep chains short: as many heads as there are obligations. */
static int oa_room(struct nwv_check *c)
{
	unsigned lg2 = c->by_oa ? c->by_oa_lg2 : 5;
	uint32_t *heads, n;

	if (nwv_room(c, (void **)&c->ob_oa, &c->ob_oa_room, c->ob_used,
		     sizeof(*c->ob_oa)))
		return -1;
	if (c->by_oa && c->obs < UINT32_C(1) << lg2)
		return 0;
	while (c->obs >= UINT32_C(1) << lg2)
		lg2++;
	heads = calloc((size_t)1 << lg2, sizeof(*heads));
	if (!heads) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return -1;
	}
	c->bytes += (sizeof(*heads) << lg2) -
		    (c->by_oa ? sizeof(*heads) << c->by_oa_lg2 : 0);
	free(c->by_oa);
	c->by_oa = heads;
	c->by_oa_lg2 = lg2;
	for (n = 1; n <= c->ob_used; n++)
		if (c->ob[n].root && (c->ob[n].flags & NWV_OB_IN_OA))
			oa_link(c, n);
	return 0;
}

static int index_noted(struct nwv_check *c)
{
	uint32_t i;

	if (oa_room(c))
		return -1;
	for (i = 0; i < c->oa_todos; i++)
		if (is_still(c, &c->oa_todo[i]))
			oa_link(c, c->oa_todo[i].number);
	c->oa_todos = 0;
	return 0;
}

/* ---- questions --------------------------------------------------------- */

static uint32_t find_in_chain(const struct nwv_check *c, uint64_t key,
			      uint64_t pa, uint64_t bytes)
{
	uint32_t n = *oa_head(c, key);

	for (; n; n = c->ob_oa[n].next) {
		const struct nwv_ob_slot *o = &c->ob[n];
		uint64_t oa = c->ob_more[n].oa;
		uint64_t span =
			UINT64_C(1)
			<< nwv_span_lg2(&c->root[o->root].shape, o->level);

		if (!(o->flags & NWV_OB_SOFT) && oa < pa + bytes &&
		    pa < oa + span)
			return n;
	}
	return 0;
}

uint32_t nwv_ob_find_oa(struct nwv_check *c, uint64_t pa, uint64_t bytes)
{
	uint64_t last = pa + bytes - 1, a;
	uint32_t n, found;
	unsigned k;

	if (!c->obs || !bytes)
		return 0;
	for (n = 1; c->subtrees && n <= c->ob_used; n++)
		if (c->ob[n].root && (c->ob[n].flags & NWV_OB_SUBTREE))
			nwv_ob_expand(c, n);
	if (c->stopped || index_noted(c))
		return 0;
	for (k = 0; k < CLASSES; k++)
		for (a = pa >> class_lg2[k]; a <= last >> class_lg2[k]; a++) {
			found = find_in_chain(c, oa_key(k, a << class_lg2[k]),
					      pa, bytes);
			if (found)
				return found;
		}
	return 0;
}
