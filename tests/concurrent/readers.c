/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers beside one writer (NW_MODE_READERS).
 *
 * The mapping describes itself: a slot of 2 MiB is in state k, mapped to a
 * page address that contains k if k is odd, unmapped if k is even. The writer
 * announces a state before it makes it and confirms it afterwards. A reader
 * notes what was confirmed before its call and what was announced after it;
 * whatever it saw must lie between, or it saw something that was never true
 * during the call.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define READERS 3
#define SLOTS 12
#define SLOT_BYTES (2 * MIB)
#define STATE_SHIFT 25 /* a page address: state above, place below */

static struct fixture f;
static uint64_t base; /* of the first slot */
static uint64_t announced[SLOTS], confirmed[SLOTS];
static uint64_t break_announced, break_confirmed; /* splits, all slots */
static int stop;
static uint64_t reader_calls[READERS], reader_walks[READERS], reader_busy;
static uint64_t reader_hits, reader_leaves;

static uint64_t get(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void set(uint64_t *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_SEQ_CST);
}

static void add(uint64_t *p)
{
	__atomic_add_fetch(p, 1, __ATOMIC_RELAXED);
}

__attribute__((noreturn)) static void wrong(const char *what, uint64_t ia,
					    uint64_t got, uint64_t low,
					    uint64_t high)
{
	fprintf(stderr, "readers: at %#llx: %s: %#llx, states %llu to %llu\n",
		(unsigned long long)ia, what, (unsigned long long)got,
		(unsigned long long)low, (unsigned long long)high);
	exit(1);
}

/* ---- readers ---------------------------------------------------------- */

/* A leaf said `pa` for `ia`. */
static void check_mapped(uint64_t ia, uint64_t pa, uint64_t low, uint64_t high)
{
	uint64_t state = pa >> STATE_SHIFT;

	if ((pa & ((1ull << STATE_SHIFT) - 1)) != ia - base)
		wrong("address of another place", ia, pa, low, high);
	if (!(state & 1) || state < low || state > high)
		wrong("a state that was not", ia, state, low, high);
}

static void check_unmapped(uint64_t ia, uint64_t low, uint64_t high)
{
	if (low == high && (low & 1))
		wrong("empty though it was mapped throughout", ia, 0, low,
		      high);
}

static void read_one(unsigned slot, uint64_t offset)
{
	uint64_t ia = base + slot * SLOT_BYTES + offset;
	uint64_t breaks = get(&break_confirmed);
	uint64_t low = get(&confirmed[slot]);
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&f.table, NW_IA(ia), &m);
	uint64_t high = get(&announced[slot]);

	if (status == NW_E_BUSY) {
		if (get(&break_announced) == breaks)
			wrong("busy, and no split anywhere", ia, 0, low, high);
		add(&reader_busy);
		return;
	}
	if (status != NW_OK)
		wrong(nw_status_name(status), ia, m.entry, low, high);
	if (m.kind == NW_ENTRY_LEAF) {
		add(&reader_hits);
		check_mapped(ia, m.pa.v, low, high);
	} else {
		check_unmapped(ia, low, high);
	}
}

struct walk_state {
	uint64_t low[SLOTS];
	uint64_t last; /* where the last visit began */
};

static enum nw_status walk_visit(const struct nw_visit *v)
{
	struct walk_state *w = v->arg;
	struct nw_decoded d;
	unsigned slot;

	/* A block that is split under its visit is visited again, in pieces:
	 * the walk may stand still, but not go back. */
	if (v->ia.v < w->last)
		wrong("the walk went back", v->ia.v, w->last, 0, 0);
	w->last = v->ia.v;
	if (v->flags != NW_VISIT_LEAF)
		return NW_OK;
	add(&reader_leaves);
	slot = (unsigned)((v->ia.v - base) / SLOT_BYTES);
	v->ops->decode(v->geo, v->level, v->old, &d);
	if (d.kind != NW_ENTRY_LEAF)
		wrong("a leaf that is none", v->ia.v, v->old, 0, 0);
	check_mapped(v->ia.v, d.pa.v, w->low[slot], get(&announced[slot]));
	/* Read again: it may have changed, but not to anything untrue. */
	v->ops->decode(v->geo, v->level, nw_pteref_read(v->ref), &d);
	if (d.kind == NW_ENTRY_LEAF)
		check_mapped(v->ia.v, d.pa.v, w->low[slot],
			     get(&announced[slot]));
	return NW_OK;
}

static void walk_all(void)
{
	struct nw_result result;
	struct walk_state w;
	unsigned i;

	for (i = 0; i < SLOTS; i++)
		w.low[i] = get(&confirmed[i]);
	w.last = 0;
	if (nw_walk(&f.table, NW_IA(base), SLOTS * SLOT_BYTES,
		    NW_VISIT_LEAF | NW_VISIT_EMPTY, walk_visit, &w,
		    &result) != NW_OK)
		wrong(nw_status_name(result.status), result.reached,
		      result.entry, 0, 0);
	if (result.reached != base + SLOTS * SLOT_BYTES)
		wrong("the walk ended early", result.reached, 0, 0, 0);
}

static void *reader(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;
	uint64_t rng = self + 1000;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		read_one((unsigned)rng_below(&rng, SLOTS),
			 rng_below(&rng, SLOT_BYTES / PAGE) * PAGE);
		add(&reader_calls[self]);
		if (rng_below(&rng, 64) == 0) {
			walk_all();
			add(&reader_walks[self]);
		}
	}
	return NULL;
}

/* ---- the writer ------------------------------------------------------- */

static void must(enum nw_status status, const char *what)
{
	if (status == NW_OK)
		return;
	fprintf(stderr, "readers: %s: %s\n", what, nw_status_name(status));
	exit(1);
}

static void slot_map(unsigned slot, unsigned max_level)
{
	struct nw_attrs attrs = fixture_attrs(f.variant, NW_PROT_RW);
	uint64_t ia = base + slot * SLOT_BYTES, state = confirmed[slot] + 1;

	set(&announced[slot], state);
	must(nw_map(&f.table, NW_IA(ia), SLOT_BYTES,
		    NW_PA(state << STATE_SHIFT | (ia - base)), &attrs,
		    max_level, NULL, NULL), "map");
	set(&confirmed[slot], state);
}

/* Slots [first, first + n), mapped or not. */
static void slots_unmap(unsigned first, unsigned n)
{
	unsigned i;

	for (i = first; i < first + n; i++)
		if (confirmed[i] & 1)
			set(&announced[i], confirmed[i] + 1);
	must(nw_unmap(&f.table, NW_IA(base + first * SLOT_BYTES),
		      n * SLOT_BYTES, NULL, NULL), "unmap");
	for (i = first; i < first + n; i++)
		if (confirmed[i] & 1)
			set(&confirmed[i], confirmed[i] + 1);
}

static void slot_split(unsigned slot, uint64_t offset)
{
	set(&break_announced, break_announced + 1);
	must(nw_split(&f.table, NW_IA(base + slot * SLOT_BYTES + offset), 0,
		      NULL, NULL), "split");
	set(&break_confirmed, break_announced);
}

static void slot_protect(unsigned slot, uint64_t rng)
{
	set(&break_announced, break_announced + 1); /* it may split */
	must(nw_protect(&f.table,
			NW_IA(base + slot * SLOT_BYTES + rng % 512 * PAGE),
			(1 + rng / 512 % (512 - rng % 512)) * PAGE,
			rng >> 40 & 1 ? NW_PROTECT_RELAX : NW_PROTECT_RESTRICT,
			NW_PROT_W, NULL, NULL), "protect");
	set(&break_confirmed, break_announced);
}

/* Has every reader made so many calls beside the writer? */
static int readers_had(uint64_t calls)
{
	unsigned i;

	for (i = 0; i < READERS; i++)
		if (__atomic_load_n(&reader_calls[i], __ATOMIC_RELAXED) < calls)
			return 0;
	return 1;
}

static uint64_t calls_all(void)
{
	uint64_t total = 0;
	unsigned i;

	for (i = 0; i < READERS; i++)
		total += __atomic_load_n(&reader_calls[i], __ATOMIC_RELAXED);
	return total;
}

/* At least `ops` changes, and for as long as the readers need for `ops` calls
 * each. Returns how many it were. */
static unsigned write_ops(unsigned ops)
{
	uint64_t rng = 7, roll;
	unsigned done, slot;

	for (done = 0; done < ops || !readers_had(ops); done++) {
		uint64_t seen = calls_all();

		/* Two cores or one: let the readers see many of the states. */
		while (done % 8 == 0 && calls_all() == seen)
			sched_yield();
		slot = (unsigned)rng_below(&rng, SLOTS);
		roll = rng_below(&rng, 100);
		if (roll < 3)
			slots_unmap(0, SLOTS);
		else if (!(confirmed[slot] & 1))
			slot_map(slot, roll < 30 ? 0 : NW_LEVEL_ANY);
		else if (roll < 35)
			slots_unmap(slot, 1);
		else if (roll < 75)
			slot_split(slot, rng_below(&rng, 512) * PAGE);
		else
			slot_protect(slot, rng_next(&rng));
	}
	return done;
}

static uint64_t sum(const uint64_t *array)
{
	uint64_t total = 0;
	unsigned i;

	for (i = 0; i < READERS; i++)
		total += array[i];
	return total;
}

static void run(const struct variant *variant, unsigned ops)
{
	pthread_t thread[READERS];
	const char *error;
	unsigned i;

	memset(announced, 0, sizeof(announced));
	memset(confirmed, 0, sizeof(confirmed));
	break_announced = break_confirmed = 0;
	stop = 0;
	memset(reader_calls, 0, sizeof(reader_calls));
	memset(reader_walks, 0, sizeof(reader_walks));
	reader_busy = reader_hits = reader_leaves = 0;
	fixture_open(&f, variant, NW_MODE_READERS, 4096);
	f.arena.record_flushes = 0;
	base = GIB - 6 * SLOT_BYTES; /* across two tables of level 1 */
	for (i = 0; i < READERS; i++)
		if (pthread_create(&thread[i], NULL, reader,
				   (void *)(uintptr_t)i))
			wrong("no thread", 0, 0, 0, 0);
	ops = write_ops(ops);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	printf("%s: %u changes, %llu lookups (%llu hits, %llu busy), %llu "
	       "walks (%llu leaves)\n", variant->name, ops,
	       (unsigned long long)sum(reader_calls),
	       (unsigned long long)reader_hits,
	       (unsigned long long)reader_busy,
	       (unsigned long long)sum(reader_walks),
	       (unsigned long long)reader_leaves);
	if (!reader_hits || !reader_leaves)
		wrong("the readers saw nothing", 0, 0, 0, 0);
	error = fixture_look(&f, 0);
	nw_arena_linked_clear(&f.arena);
	if (!error)
		error = fixture_close(&f);
	if (error) {
		fprintf(stderr, "readers: %s\n", error);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned ops = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 600;

	if (argc > 2 || ops == 0 || ops > 1000000) {
		fprintf(stderr, "Usage: %s [CHANGES, 1 to 1000000]\n", argv[0]);
		return 2;
	}
	run(variant_find("s2-40-fwb"), ops);
	run(variant_find("s2-48"), ops);
	run(variant_find("s2-40-bbm2"), ops);
	run(variant_find("el2-48"), ops);
	return 0;
}
