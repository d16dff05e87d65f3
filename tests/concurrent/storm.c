/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sixteen threads on as many CPUs as there are, which on most machines means
 * that the owner of a locked entry is preempted while others want it (here it
 * always is: its invalidation gives the CPU away): no storm of retries. How
 * often an operation begins again is bounded by the code, by its patience in
 * each wait; the numbers are reported.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "nw_port.h"

#define THREADS	     16u
#define BLOCK	     (2 * MIB)
#define REGION_BYTES (4 * BLOCK)
/* An operation waits for others in at most so many places: at each edge that it
 * splits, and in its own loop. */
#define WAITS_MAX 3u

static struct fixture f;
static struct nw_table table;
static struct nw_attrs attrs;
static uint64_t rounds, ops, refused;

__attribute__((noreturn)) static void wrong(const char *what, uint64_t got,
					    uint64_t most)
{
	fprintf(stderr, "storm: %s: %llu, at most %llu\n", what,
		(unsigned long long)got, (unsigned long long)most);
	exit(1);
}

/* Entries are locked while it runs. */
static void invalidate(void *ctx, const struct nw_flush_request *request)
{
	sched_yield();
	f.arena.ops.invalidate(ctx, request);
	sched_yield();
}

static enum nw_status any_op(uint64_t *seed)
{
	uint64_t unit = rng_below(seed, 3) ? PAGE : BLOCK;
	uint64_t ia = rng_below(seed, REGION_BYTES / unit) * unit;

	switch (rng_below(seed, 6)) {
	case 0:
	case 1:
		return nw_map(&table, NW_IA(ia), unit, NW_PA(ia), &attrs,
			      NW_LEVEL_ANY, NULL, NULL);
	case 2:
	case 3:
		return nw_unmap(&table, NW_IA(ia), unit, NULL, NULL);
	case 4:
		return nw_split(&table, NW_IA(ia), 0, NULL, NULL);
	default:
		return nw_write_protect(&table, NW_IA(ia), unit, NULL, NULL,
					NULL, NULL);
	}
}

static void *thread_main(void *arg)
{
	uint64_t seed = 1 + (uint64_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < rounds; i++) {
		enum nw_status status = any_op(&seed);

		__atomic_add_fetch(&ops, 1, __ATOMIC_RELAXED);
		if (status == NW_E_BUSY)
			__atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
		else if (status != NW_OK && status != NW_E_EXISTS &&
			 status != NW_E_RACED && status != NW_E_ABSENT)
			wrong(nw_status_name(status), i, 0);
	}
	return NULL;
}

static void judge(const struct nw_table_stats *s)
{
	printf("storm: %llu operations of %u threads: %llu retries (%.3f an "
	       "operation, %llu in one wait at most), %llu gave up, %llu "
	       "stolen; %llu flushes, %llu shared\n",
	       (unsigned long long)ops, THREADS, (unsigned long long)s->retries,
	       (double)s->retries / (double)ops,
	       (unsigned long long)s->retries_max, (unsigned long long)s->busy,
	       (unsigned long long)s->steals, (unsigned long long)s->flushes,
	       (unsigned long long)s->flush_shared);
	if (s->retries_max > NW_PORT_PATIENCE)
		wrong("retries in one wait", s->retries_max, NW_PORT_PATIENCE);
	if (s->retries > ops * WAITS_MAX * NW_PORT_PATIENCE)
		wrong("retries", s->retries,
		      ops * WAITS_MAX * NW_PORT_PATIENCE);
	/* Who gives up has spent its patience. */
	if (s->busy && s->retries_max != NW_PORT_PATIENCE)
		wrong("gave up with patience left", s->retries_max, 0);
	if (refused > s->busy)
		wrong("busy, and not counted", refused, s->busy);
}

int main(int argc, char **argv)
{
	struct nw_table_config config;
	struct nw_table_stats stats;
	pthread_t thread[THREADS];
	struct nw_port_ops ops_slow;

	rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 500;
	fixture_open(&f, variant_find("s2-40"), NW_MODE_SHARED, 1024);
	f.arena.record_flushes = 0;
	ops_slow = f.arena.ops;
	ops_slow.invalidate = invalidate;
	config = fixture_config(&f, f.variant, NW_MODE_SHARED);
	config.port = &ops_slow;
	if (nw_table_init(&table, &config, NULL) != NW_OK)
		wrong("no table", 0, 1);
	attrs = fixture_attrs(f.variant, NW_PROT_RW);
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, thread_main, (void *)i))
			exit(2);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	stats = nw_table_stats(&table);
	judge(&stats);
	nw_table_destroy(&table);
	if (fixture_close(&f))
		wrong("pages are lost", 1, 0);
	return 0;
}
