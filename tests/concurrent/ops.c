/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any mix of operations at once (NW_MODE_SHARED): threads map, unmap, split,
 * collapse, reclaim, protect and look up in one small region, each at random,
 * and one takes the table apart step by step. Every place that can be mapped
 * maps to itself, so a translation is right or wrong whoever made it. Each
 * thread also owns a stripe of pages that nobody else maps or unmaps: what it
 * has mapped there must be there, blocks of others around it notwithstanding.
 * At rest the table is consistent, and no page is lost.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "nw_port.h"

#define THREADS	     4
#define BLOCK	     (2 * MIB)
#define REGION_BYTES (8 * BLOCK)
/* Pages of one thread: in blocks of their own, shared with the others'. */
#define STRIPE_BYTES (2 * BLOCK)

static struct fixture f;
static uint64_t base, stripe;
static struct nw_attrs attrs;
static uint64_t rounds_each;
static uint64_t done_ops, busy_ops, raced_ops;

__attribute__((noreturn)) static void wrong(const char *what, uint64_t ia,
					    uint64_t got)
{
	fprintf(stderr, "ops: at %#llx: %s: %#llx\n", (unsigned long long)ia,
		what, (unsigned long long)got);
	exit(1);
}

static void count(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* What an operation beside others may say. */
static void judge(const char *what, enum nw_status status,
		  const struct nw_result *r, uint64_t start, uint64_t end)
{
	if (r->reached < start || r->reached > end)
		wrong("reached leaves the range", start, r->reached);
	switch (status) {
	case NW_OK:
		count(&done_ops);
		if (r->reached != end)
			wrong(what, start, r->reached);
		return;
	case NW_E_BUSY:
		count(&busy_ops);
		return;
	case NW_MORE:
	case NW_E_EXISTS:
	case NW_E_RACED:
	case NW_E_ABSENT:
		count(&raced_ops);
		return;
	default:
		fprintf(stderr, "ops: %s: %s\n", what, nw_status_name(status));
		wrong("status", start, r->entry);
	}
}

static void look(uint64_t ia)
{
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&f.table, NW_IA(ia), &m);

	if (status == NW_E_BUSY)
		return;
	if (status != NW_OK)
		wrong(nw_status_name(status), ia, m.entry);
	if (m.kind == NW_ENTRY_LEAF && m.pa.v != ia)
		wrong("mapped elsewhere", ia, m.pa.v);
}

/* ---- the shared region ------------------------------------------------- */

static uint64_t pick(uint64_t *seed, uint64_t *bytes)
{
	uint64_t unit = rng_below(seed, 3) ? PAGE : BLOCK;
	uint64_t from = rng_below(seed, REGION_BYTES / unit) * unit;
	uint64_t most = (REGION_BYTES - from) / unit;

	*bytes = (1 + rng_below(seed, most < 8 ? most : 8)) * unit;
	return base + from;
}

static void nobody(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	(void)arg, (void)ia, (void)size_bytes;
}

/* Something else comes to where something is. */
static void any_place(uint64_t *seed)
{
	uint64_t bytes, ia = pick(seed, &bytes), end = ia + bytes;
	struct nw_result r;

	switch (rng_below(seed, 5)) {
	case 0:
		judge("annotate",
		      nw_annotate(&f.table, NW_IA(ia), bytes, 7, NULL, NULL,
				  &r),
		      &r, ia, end);
		break;
	case 1:
		judge("clear",
		      nw_annotate(&f.table, NW_IA(ia), bytes, 0, NULL, NULL,
				  &r),
		      &r, ia, end);
		break;
	case 2:
		judge("replace",
		      nw_replace(&f.table, NW_IA(ia), bytes, NW_PA(ia), &attrs,
				 NULL, NULL, NULL, &r),
		      &r, ia, end);
		break;
	case 3:
		judge("remap",
		      nw_remap(&f.table, NW_IA(ia), bytes, NW_PA(ia), &attrs,
			       NW_LEVEL_ANY, nobody, NULL, NULL, &r),
		      &r, ia, end);
		break;
	default:
		judge("unmap_dirty",
		      nw_unmap_dirty(&f.table, NW_IA(ia), bytes, nobody, NULL,
				     NULL, &r),
		      &r, ia, end);
		break;
	}
}

static void any_op(uint64_t *seed)
{
	uint64_t bytes, ia = pick(seed, &bytes), end = ia + bytes;
	unsigned level = rng_below(seed, 4) ? NW_LEVEL_ANY : 0;
	struct nw_result r;

	switch (rng_below(seed, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		judge("map",
		      nw_map(&f.table, NW_IA(ia), bytes, NW_PA(ia), &attrs,
			     level, NULL, &r),
		      &r, ia, end);
		break;
	case 4:
	case 5:
	case 6:
		judge("unmap",
		      nw_unmap(&f.table, NW_IA(ia), bytes, NULL, &r), &r, ia,
		      end);
		break;
	case 7:
		judge("split", nw_split(&f.table, NW_IA(ia), 0, NULL, &r), &r,
		      ia, ia);
		break;
	case 8:
		judge("split_range",
		      nw_split_range(&f.table, NW_IA(ia), bytes, 0, 3, NULL,
				     &r),
		      &r, ia, end);
		break;
	case 9:
		judge("collapse",
		      nw_collapse(&f.table, NW_IA(base), REGION_BYTES,
				  NW_LEVEL_ANY, 100, &r),
		      &r, base, base + REGION_BYTES);
		break;
	case 10:
		judge("reclaim",
		      nw_reclaim_tables(&f.table, NW_IA(0), 4 * GIB, 100, &r),
		      &r, 0, 4 * GIB);
		break;
	default:
		judge("protect",
		      nw_protect(&f.table, NW_IA(ia), bytes,
				 rng_below(seed, 2) ? NW_PROTECT_RELAX
						    : NW_PROTECT_RESTRICT,
				 NW_PROT_W, NULL, &r),
		      &r, ia, end);
		break;
	}
	look(base + rng_below(seed, REGION_BYTES / PAGE) * PAGE);
}

/* ---- a thread's own pages ---------------------------------------------- */

/* Repeat while another CPU is in the way: bounded by its own work. */
#define UNTIL_NOT_BUSY(call)                                                   \
	({                                                                     \
		enum nw_status status_;                                        \
		do                                                             \
			status_ = (call);                                      \
		while (status_ == NW_E_BUSY);                                  \
		status_;                                                       \
	})

static void own_page(unsigned self, uint64_t *seed)
{
	uint64_t n = rng_below(seed, STRIPE_BYTES / PAGE / THREADS);
	uint64_t ia = stripe + (n * THREADS + self) * PAGE;
	enum nw_status status;
	struct nw_mapping m;
	struct nw_result r;

	status = UNTIL_NOT_BUSY(nw_map(&f.table, NW_IA(ia), PAGE, NW_PA(ia),
				       &attrs, 0, NULL, &r));
	if (status != NW_OK)
		wrong("own map", ia, status);
	status = UNTIL_NOT_BUSY(nw_lookup(&f.table, NW_IA(ia), &m));
	if (status != NW_OK || m.kind != NW_ENTRY_LEAF || m.pa.v != ia)
		wrong("an own page is lost", ia, m.entry);
	status = UNTIL_NOT_BUSY(
		nw_unmap(&f.table, NW_IA(ia), PAGE, NULL, &r));
	if (status != NW_OK)
		wrong("own unmap", ia, status);
	status = UNTIL_NOT_BUSY(nw_lookup(&f.table, NW_IA(ia), &m));
	if (status != NW_OK || m.kind == NW_ENTRY_LEAF)
		wrong("an own page is still there", ia, m.entry);
}

/* Owned by this thread, and nobody else says otherwise. */
static void own_annotation(unsigned self, uint64_t *seed)
{
	const struct nw_expected nothing = {NW_EXPECT_NOTHING, 0};
	const struct nw_expected mine = {NW_EXPECT_ANNOTATION, self + 1};
	uint64_t n = rng_below(seed, STRIPE_BYTES / PAGE / THREADS);
	uint64_t ia = stripe + (n * THREADS + self) * PAGE;
	enum nw_status status;
	struct nw_mapping m;

	status = UNTIL_NOT_BUSY(nw_annotate(&f.table, NW_IA(ia), PAGE,
					    self + 1, &nothing, NULL, NULL));
	if (status != NW_OK)
		wrong("own annotate", ia, status);
	status = UNTIL_NOT_BUSY(nw_lookup(&f.table, NW_IA(ia), &m));
	if (status != NW_OK || nw_mapping_annotation(&f.table, &m) != self + 1)
		wrong("an own annotation is lost", ia, m.entry);
	status = UNTIL_NOT_BUSY(nw_annotate(&f.table, NW_IA(ia), PAGE, 0,
					    &mine, NULL, NULL));
	if (status != NW_OK)
		wrong("own clear", ia, status);
}

static void *worker(void *arg)
{
	unsigned self = (unsigned)(uintptr_t)arg;
	uint64_t seed = self + 77;

	for (uint64_t i = 0; i < rounds_each; i++) {
		any_op(&seed);
		if (i % 3 == 0)
			any_place(&seed);
		if (i % 4 == 0)
			own_page(self, &seed);
		if (i % 4 == 2)
			own_annotation(self, &seed);
	}
	return NULL;
}

/* ---- the whole --------------------------------------------------------- */

static void run_threads(void *(*body)(void *))
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, body, (void *)i))
			wrong("no thread", 0, i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void check_at_rest(void)
{
	const char *error = fixture_look(&f, 0);
	struct nw_table_stats s = nw_table_stats(&f.table);

	if (error)
		wrong(error, base, 0);
	for (unsigned i = 0; i < f.view.invalids; i++)
		if (f.view.invalid[i].entry & 3)
			wrong("a locked or frozen entry is left",
			      f.view.invalid[i].ia, f.view.invalid[i].entry);
	for (unsigned i = 0; i < f.view.leaves; i++)
		if (f.view.leaf[i].pa != f.view.leaf[i].ia)
			wrong("mapped elsewhere", f.view.leaf[i].ia,
			      f.view.leaf[i].pa);
	if (s.pages_live != f.view.pages ||
	    s.pages_allocated - s.pages_freed != s.pages_live)
		wrong("table pages live", 0, s.pages_live);
}

/* Some map, some take the table apart: nothing may be left over. */
static void *destroyer(void *arg)
{
	uint64_t seed = (uintptr_t)arg + 1000;

	for (uint64_t i = 0; i < rounds_each / 16; i++) {
		if ((uintptr_t)arg == 0) {
			enum nw_status s = nw_table_teardown_step(
				&f.table, 1 + (unsigned)rng_below(&seed, 8));

			if (s != NW_OK && s != NW_MORE)
				wrong("teardown", 0, s);
		} else {
			any_op(&seed);
		}
	}
	return NULL;
}

static void report(const char *name)
{
	struct nw_table_stats s = nw_table_stats(&f.table);

	printf("%s: %llu done, %llu met others, %llu busy; %llu retries, "
	       "%llu steals, %llu splits, %llu folds\n",
	       name, (unsigned long long)done_ops,
	       (unsigned long long)raced_ops, (unsigned long long)busy_ops,
	       (unsigned long long)s.retries, (unsigned long long)s.steals,
	       (unsigned long long)s.splits, (unsigned long long)s.folds);
	if (!s.splits || !s.folds)
		wrong("nothing was split or folded", 0, s.folds);
}

static void run(const char *name)
{
	const struct variant *variant = variant_find(name);
	const char *error;

	done_ops = busy_ops = raced_ops = 0;
	fixture_open(&f, variant, NW_MODE_SHARED, 4096);
	f.arena.record_flushes = 0;
	base = GIB - REGION_BYTES / 2; /* across two tables of level 1 */
	stripe = base + REGION_BYTES;
	attrs = fixture_attrs(variant, NW_PROT_RW);
	run_threads(worker);
	check_at_rest();
	nw_arena_linked_clear(&f.arena);
	run_threads(destroyer);
	check_at_rest();
	report(name);
	nw_arena_linked_clear(&f.arena);
	error = fixture_close(&f);
	if (error)
		wrong(error, 0, 0);
}

int main(int argc, char **argv)
{
	rounds_each = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000;
	if (argc > 2 || rounds_each < 16 || rounds_each > 100000000) {
		fprintf(stderr, "Usage: %s [ROUNDS, 16 to 100000000]\n",
			argv[0]);
		return 2;
	}
	run("s2-40-fwb");
	run("s2-40-bbm2");
	run("el2-48");
	return 0;
}
