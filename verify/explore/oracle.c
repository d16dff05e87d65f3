/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle beside the exploration: what an execution of the library did is
 * judged by the rules of verify/check when it is over, as `nestwalk check`
 * would judge its trace.
 *
 * Many executions differ only in what walkers and stale reads did: their
 * events are the same, and so is the verdict. Each sequence of events is
 * judged once, known by a hash of 128 bits.
 */
#include <string.h>

#include "../check/check.h"
#include "engine.h"

#define VIRT_BASE UINT64_C(0xffff800000000000)
#define SEEN_MAX (1u << 22) /* beyond, all are judged */

struct events {
	struct nwv_event *at;
	size_t n, room;
};

static struct events events;
static size_t setup_events;
static uint64_t hash[2], setup_hash[2];
static uint64_t (*seen)[2];
static size_t seen_n, seen_room;

/* Addresses in the simulated memory as a kernel would have them, so that
 * nothing depends on where the arena happens to lie. */
uint64_t nwx_stable(uint64_t value)
{
	uint64_t arena = (uint64_t)(uintptr_t)nwm_arena;

	if (value - arena >= sizeof(nwm_arena))
		return value;
	return VIRT_BASE + NWM_PA_BASE + (value - arena);
}

static uint64_t mix(uint64_t h, uint64_t value)
{
	__uint128_t product;

	h ^= value + UINT64_C(0x9e3779b97f4a7c15);
	product = (__uint128_t)h * UINT64_C(0xd6e8feb86659fd93);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void nwx_judge_begin(void)
{
	events.n = setup_events = seen_n = 0;
	hash[0] = 1;
	hash[1] = 2;
	if (seen)
		memset(seen, 0, seen_room * sizeof(*seen));
}

void nwx_judge_setup_done(void)
{
	setup_events = events.n;
	memcpy(setup_hash, hash, sizeof(hash));
}

void nwx_judge_reset(void)
{
	events.n = setup_events;
	memcpy(hash, setup_hash, sizeof(hash));
}

void nwx_judge_add(enum nw_event kind, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line)
{
	struct nwv_event *e;

	if (events.n == events.room) {
		size_t room = events.room ? 2 * events.room : 4096;
		void *more = realloc(events.at, room * sizeof(*e));

		if (!more)
			nwx_error("no memory for the events of an execution");
		events.at = more;
		events.room = room;
	}
	e = &events.at[events.n];
	e->seq = events.n++;
	e->a = nwx_stable(a);
	e->b = nwx_stable(b);
	e->c = nwx_stable(c);
	e->cpu = nwx.self < 0 ? 0 : (uint16_t)nwx.self;
	e->kind = (uint16_t)kind;
	e->line = file ? line : 0;
	e->file = file;
	hash[0] = mix(mix(hash[0], (uint64_t)e->cpu << 16 | e->kind), e->a);
	hash[1] = mix(mix(hash[1], e->b), e->c ^ hash[0]);
}

static void seen_insert(uint64_t (*table)[2], size_t room, const uint64_t *key)
{
	size_t at = key[0] & (room - 1);

	while (table[at][0] | table[at][1])
		at = (at + 1) & (room - 1);
	memcpy(table[at], key, sizeof(*table));
}

static void seen_grow(void)
{
	size_t room = seen_room ? 2 * seen_room : 1024;
	uint64_t (*more)[2] = calloc(room, sizeof(*more));

	if (!more)
		return;
	for (size_t i = 0; i < seen_room; i++)
		if (seen[i][0] | seen[i][1])
			seen_insert(more, room, seen[i]);
	free(seen);
	seen = more;
	seen_room = room;
}

/* 1: these events were judged before. */
static int seen_before(void)
{
	size_t at;

	if (2 * seen_n >= seen_room && seen_room < SEEN_MAX)
		seen_grow();
	if (!seen_room)
		return 0;
	for (at = hash[0] & (seen_room - 1); seen[at][0] | seen[at][1];
	     at = (at + 1) & (seen_room - 1))
		if (seen[at][0] == hash[0] && seen[at][1] == hash[1])
			return 1;
	if (2 * seen_n < seen_room) {
		memcpy(seen[at], hash, sizeof(hash));
		seen_n++;
	}
	return 0;
}

static int is_expected(const char *rule)
{
	const char *const *rules = nwx.s->rules;

	for (unsigned i = 0; i < NWX_EXPECT_MAX && rules[i]; i++)
		if (!strcmp(rules[i], rule))
			return 1;
	return 0;
}

/* A rule that the scenario does not expect comes before one that it does. */
static const struct nwv_violation *worst(const struct nwv_check *check)
{
	size_t n = nwv_check_violations(check);

	for (size_t i = 0; i < n; i++) {
		const struct nwv_violation *v = nwv_check_violation(check, i);

		if (!is_expected(v->rule->id))
			return v;
	}
	return n ? nwv_check_violation(check, 0) : NULL;
}

/* The text begins with the rule's id and ": ", which is told apart. A rule that
 * the scenario does not name is told whatever is looked for. */
static void report(const struct nwv_violation *v)
{
	enum nwm_violation target = nwx.o->target;
	char text[NWX_TEXT_MAX];

	if (nwx.end != NWX_RUNNING ||
	    (target != NWM_OK && target != NWM_RULE &&
	     is_expected(v->rule->id)))
		return;
	snprintf(nwx.r->rule, sizeof(nwx.r->rule), "%s", v->rule->id);
	nwv_violation_text(v, text, sizeof(text));
	nwx_violated(NWM_RULE, text + strlen(v->rule->id) + 2);
}

void nwx_judge_end(void)
{
	struct nwv_check *check;
	const struct nwv_violation *v;

	if (seen_before())
		return;
	nwx.r->judged++;
	check = nwv_check_new(NULL);
	if (!check) {
		nwx.r->error = "no memory for the oracle";
		return;
	}
	for (size_t i = 0; i < events.n; i++)
		if (nwv_check_event(check, &events.at[i]) >
		    NWV_CHECK_VIOLATION)
			break;
	nwv_check_end(check);
	v = worst(check);
	if (v)
		report(v);
	else if (nwv_check_status(check) != NWV_CHECK_CLEAN)
		nwx.r->error = "the oracle does not understand the events";
	nwv_check_free(check);
}

const char *nwx_violation_name(const struct nwx_result *r)
{
	return r->violation == NWM_RULE && r->rule[0] ?
		       r->rule :
		       nwm_violation_id(r->violation);
}
