/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of obligations, and the lists they stand in by phase. */
#include "obligation_lists.h"

#include <stdlib.h>
#include <string.h>

/* A group this small is poured into one that is there, so that stores with a
 * barrier after each do not make a group each. */
#define POUR_MAX 8
/* Groups looked at for one to join: tables that are changed in turn. */
#define LOOK_MAX 4
/* Members ahead of the one that is worked on. */
#define AHEAD 8
/* A larger member array is not kept for the next group. */
#define ROOM_KEPT 65536

static struct nwv_list *list_of(struct nwv_check *c, enum nwv_phase phase,
				uint16_t root, unsigned cpu)
{
	switch (phase) {
	case NWV_AWAIT_DSB:
		return &c->cpu[cpu].await_dsb;
	case NWV_AWAIT_TLBI:
		return &c->root[root].await_tlbi;
	case NWV_AWAIT_MIDDLE:
		return &c->cpu[cpu].await_middle;
	case NWV_AWAIT_COMBINED:
		return &c->root[root].await_combined;
	default:
		return &c->cpu[cpu].await_final;
	}
}

static void append(struct nwv_check *c, uint32_t n)
{
	struct nwv_group *g = &c->group[n];
	struct nwv_list *list =
		list_of(c, (enum nwv_phase)g->phase, g->root, g->cpu);

	g->next = 0;
	g->prev = list->last;
	if (list->last)
		c->group[list->last].next = n;
	else
		list->first = n;
	list->last = n;
	if (g->phase == NWV_AWAIT_DSB)
		c->cpus_await_dsb |= UINT64_C(1) << g->cpu;
}

static void take_out(struct nwv_check *c, uint32_t n)
{
	struct nwv_group *g = &c->group[n];
	struct nwv_list *list =
		list_of(c, (enum nwv_phase)g->phase, g->root, g->cpu);

	if (g->prev)
		c->group[g->prev].next = g->next;
	else
		list->first = g->next;
	if (g->next)
		c->group[g->next].prev = g->prev;
	else
		list->last = g->prev;
	if (g->phase == NWV_AWAIT_DSB && !list->first)
		c->cpus_await_dsb &= ~(UINT64_C(1) << g->cpu);
}

static uint32_t *members(struct nwv_group *g)
{
	return g->room ? g->member : g->few;
}

/* Out of its list already. */
static void give_back(struct nwv_check *c, uint32_t n)
{
	struct nwv_group *g = &c->group[n];

	if (g->room > ROOM_KEPT) {
		c->bytes -= g->room * sizeof(*g->member);
		free(g->member);
		g->room = 0;
	}
	g->live = g->used = g->first = 0;
	g->next = c->group_free;
	c->group_free = n;
}

uint32_t nwv_group_new(struct nwv_check *c, enum nwv_phase phase, uint16_t root,
		       uint16_t tag, unsigned cpu)
{
	uint32_t n = c->group_free;
	struct nwv_group *g;

	if (n) {
		c->group_free = c->group[n].next;
	} else {
		n = c->groups + 1;
		if (nwv_room(c, (void **)&c->group, &c->group_room, n,
			     sizeof(*c->group)))
			return 0;
		c->groups = n;
	}
	g = &c->group[n];
	g->phase_seq = g->last_seq = g->owing = g->done = 0;
	g->also_final = g->also_middle = 0;
	g->is_first_round_over = phase == NWV_AWAIT_COMBINED;
	g->is_global = g->is_soft = 0;
	g->root = root;
	g->tag = tag;
	g->phase = (uint8_t)phase;
	g->cpu = (uint8_t)cpu;
	append(c, n);
	return n;
}

/* Awaiting the same of the same CPUs. 0: none. */
static uint32_t group_there(struct nwv_check *c, const struct nwv_group *like)
{
	uint32_t n = list_of(c, (enum nwv_phase)like->phase, like->root,
			     like->cpu)
			     ->last;
	unsigned looks = 0;

	for (; n && looks < LOOK_MAX; n = c->group[n].prev, looks++) {
		const struct nwv_group *g = &c->group[n];

		if (g->root == like->root && g->tag == like->tag &&
		    g->also_final == like->also_final &&
		    g->also_middle == like->also_middle &&
		    g->is_first_round_over == like->is_first_round_over)
			return n;
	}
	return 0;
}

static uint32_t group_like(struct nwv_check *c, const struct nwv_group *like)
{
	uint32_t n = group_there(c, like);

	if (!n)
		n = nwv_group_new(c, (enum nwv_phase)like->phase, like->root,
				  like->tag, like->cpu);
	if (!n)
		return 0;
	c->group[n].also_final = like->also_final;
	c->group[n].also_middle = like->also_middle;
	c->group[n].is_first_round_over = like->is_first_round_over;
	return n;
}

static struct nwv_group fresh(enum nwv_phase phase, uint16_t root, uint16_t tag,
			      unsigned cpu)
{
	return (struct nwv_group){
		.root = root,
		.tag = tag,
		.phase = (uint8_t)phase,
		.cpu = (uint8_t)cpu,
		.is_first_round_over = phase == NWV_AWAIT_COMBINED,
	};
}

uint32_t nwv_group_for(struct nwv_check *c, enum nwv_phase phase, uint16_t root,
		       uint16_t tag, unsigned cpu)
{
	struct nwv_group like = fresh(phase, root, tag, cpu);

	return group_like(c, &like);
}

/* ---- members ----------------------------------------------------------- */

static void close_gaps(struct nwv_check *c, struct nwv_group *g)
{
	uint32_t *m = members(g), i, to = 0;

	for (i = g->first; i < g->used; i++) {
		if (!m[i])
			continue;
		c->ob[m[i]].pos = to;
		m[to++] = m[i];
	}
	g->first = 0;
	g->used = to;
}

static int grow(struct nwv_check *c, struct nwv_group *g)
{
	uint32_t room = g->room ? 2 * g->room : 4 * NWV_GROUP_FEW;
	uint32_t *bigger = realloc(g->room ? g->member : NULL,
				   room * sizeof(*bigger));

	if (!bigger) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return -1;
	}
	if (!g->room)
		memcpy(bigger, g->few, sizeof(g->few));
	c->bytes += (room - g->room) * sizeof(*bigger);
	g->member = bigger;
	g->room = room;
	return 0;
}

int nwv_group_join(struct nwv_check *c, uint32_t group, uint32_t n)
{
	struct nwv_group *g = &c->group[group];
	uint32_t room = g->room ? g->room : NWV_GROUP_FEW;

	if (g->used == room) {
		if (g->live <= room / 2)
			close_gaps(c, g);
		else if (grow(c, g))
			return -1;
	}
	/* Nobody asks later, and it lies far from what else is touched. */
	if (g->phase == NWV_AWAIT_DSB && g->last_seq < c->ob_more[n].armed.seq)
		g->last_seq = c->ob_more[n].armed.seq;
	c->ob[n].group = group;
	c->ob[n].pos = g->used;
	members(g)[g->used++] = n;
	g->live++;
	return 0;
}

void nwv_group_leave(struct nwv_check *c, uint32_t n)
{
	uint32_t group = c->ob[n].group;
	struct nwv_group *g = &c->group[group];

	members(g)[c->ob[n].pos] = 0;
	if (--g->live)
		return;
	take_out(c, group);
	give_back(c, group);
}

/* ---- moving on --------------------------------------------------------- */

/* What a later phase still knows of an earlier one. */
static void inherit(struct nwv_group *g, const struct nwv_group *old)
{
	if (g->phase <= NWV_AWAIT_TLBI)
		return;
	g->is_first_round_over |= old->is_first_round_over;
	g->also_final = old->also_final & ~(UINT64_C(1) << g->cpu);
	g->also_middle = g->is_first_round_over ? 0 : old->also_middle;
}

static void rejoin(struct nwv_check *c, uint32_t n,
		   const struct nwv_group *like)
{
	uint32_t group;

	nwv_group_leave(c, n);
	group = group_like(c, like);
	if (group)
		(void)nwv_group_join(c, group, n);
}

void nwv_ob_move(struct nwv_check *c, uint32_t n, enum nwv_phase phase,
		 unsigned cpu)
{
	const struct nwv_group old = c->group[c->ob[n].group];
	struct nwv_group like = fresh(phase, old.root, old.tag, cpu);

	inherit(&like, &old);
	c->ob[n].phase_seq = c->now->seq;
	rejoin(c, n, &like);
}

static void add_also(struct nwv_check *c, struct nwv_group *g,
		     enum nwv_phase leads_to, unsigned cpu)
{
	uint64_t bit = UINT64_C(1) << cpu;

	c->cpus_also |= bit;
	if (leads_to == NWV_CLEAN)
		g->also_final |= bit;
	else
		g->also_middle |= bit;
}

void nwv_ob_also(struct nwv_check *c, uint32_t n, enum nwv_phase leads_to,
		 unsigned cpu)
{
	struct nwv_group like = c->group[c->ob[n].group];

	add_also(c, &like, leads_to, cpu);
	if (c->ob[n].phase_seq < like.phase_seq)
		c->ob[n].phase_seq = like.phase_seq;
	rejoin(c, n, &like);
}

void nwv_group_also(struct nwv_check *c, uint32_t group,
		    enum nwv_phase leads_to, unsigned cpu)
{
	add_also(c, &c->group[group], leads_to, cpu);
}

static void clean(struct nwv_check *c, uint32_t group)
{
	struct nwv_group *g = &c->group[group];
	uint32_t *m = members(g), i;

	take_out(c, group);
	for (i = g->first; i < g->used; i++) {
		if (i + AHEAD < g->used)
			__builtin_prefetch(&c->ob[m[i + AHEAD]], 1);
		if (m[i])
			nwv_ob_forget(c, m[i]);
	}
	give_back(c, group);
}

static void pour(struct nwv_check *c, uint32_t group, enum nwv_phase phase,
		 unsigned cpu)
{
	uint32_t left = c->group[group].live, i, n;

	for (i = c->group[group].first; left; i++) {
		n = members(&c->group[group])[i];
		if (!n)
			continue;
		left--; /* the last one frees the group */
		nwv_ob_move(c, n, phase, cpu);
	}
}

void nwv_group_move(struct nwv_check *c, uint32_t group, enum nwv_phase phase,
		    unsigned cpu)
{
	struct nwv_group *g = &c->group[group];
	struct nwv_group like;

	if (phase == NWV_CLEAN) {
		clean(c, group);
		return;
	}
	/* Only here: in later phases a member remembers what brought it to the
	 * one before (struct nwv_ob, first_seq). */
	like = fresh(phase, g->root, g->tag, cpu);
	if (phase == NWV_AWAIT_TLBI && g->live <= POUR_MAX &&
	    group_there(c, &like)) {
		pour(c, group, phase, cpu);
		return;
	}
	take_out(c, group);
	inherit(&like, g);
	g->phase = (uint8_t)phase;
	g->cpu = (uint8_t)cpu;
	g->also_final = like.also_final;
	g->also_middle = like.also_middle;
	g->is_first_round_over = like.is_first_round_over;
	g->phase_seq = c->now->seq;
	append(c, group);
}
