/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs that unmap at once share their flushes (NW_FLUSH_SHARE): how many
 * invalidations that takes follows from the protocol, not from the scheduler.
 * This program has flush.c with a patience that does not end.
 *
 * The first thread's invalidation does not return before all others have asked
 * for the next one. Then one of them issues that, for all.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "nw_port.h"

#define THREADS	   8u
#define ASKED_MASK 0xffffu

static struct fixture f;
static struct nw_port_ops ops;
static struct nw_table table;
static unsigned waits_for; /* who must have asked before an invalidation ends */
static unsigned in_progress, at_once_max;

__attribute__((noreturn)) static void wrong(const char *what, uint64_t got,
					    uint64_t want)
{
	fprintf(stderr, "share: %s: %llu, not %llu\n", what,
		(unsigned long long)got, (unsigned long long)want);
	exit(1);
}

static void slow_invalidate(void *ctx, const struct nw_flush_request *request)
{
	unsigned now = __atomic_add_fetch(&in_progress, 1, __ATOMIC_ACQ_REL);

	if (now > at_once_max)
		at_once_max = now;
	while ((nw_port_load(&table.flush_turns) & ASKED_MASK) <
	       __atomic_load_n(&waits_for, __ATOMIC_ACQUIRE))
		sched_yield();
	__atomic_store_n(&waits_for, 0, __ATOMIC_RELEASE);
	f.arena.ops.invalidate(ctx, request);
	__atomic_sub_fetch(&in_progress, 1, __ATOMIC_ACQ_REL);
}

/* Each its own page, in tables that stay. */
static void *unmap_own(void *arg)
{
	uint64_t ia = (uint64_t)(uintptr_t)arg * 4 * PAGE;

	if (nw_unmap(&table, NW_IA(ia), PAGE, NULL, NULL) != NW_OK)
		wrong("an unmap fails at", ia, 0);
	return NULL;
}

static void open_table(enum nw_flush_policy policy)
{
	struct nw_table_config config;
	struct nw_attrs attrs;

	ops = f.arena.ops;
	ops.invalidate = slow_invalidate;
	config = fixture_config(&f, f.variant, NW_MODE_SHARED);
	config.port = &ops;
	config.flush_policy = policy;
	attrs = fixture_attrs(f.variant, NW_PROT_RW);
	if (nw_table_init(&table, &config, NULL) != NW_OK ||
	    nw_map(&table, NW_IA(0), 4 * THREADS * PAGE, NW_PA(0), &attrs, 0,
		   NULL, NULL) != NW_OK)
		wrong("no table", 0, 1);
}

static struct nw_table_stats run(enum nw_flush_policy policy)
{
	struct nw_table_stats stats;
	pthread_t thread[THREADS];

	open_table(policy);
	at_once_max = 0;
	waits_for = policy == NW_FLUSH_SHARE ? THREADS - 1 : 0;
	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, unmap_own, (void *)i))
			exit(2);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	stats = nw_table_stats(&table);
	for (uint64_t i = 0; i < THREADS; i++) {
		struct nw_mapping m;

		if (nw_lookup(&table, NW_IA(i * 4 * PAGE), &m) != NW_OK ||
		    m.kind != NW_ENTRY_EMPTY)
			wrong("not unmapped", i, 0);
	}
	nw_table_destroy(&table);
	return stats;
}

int main(void)
{
	struct nw_table_stats stats;

	fixture_open(&f, variant_find("s2-40"), NW_MODE_SHARED, 256);
	stats = run(NW_FLUSH_SHARE);
	printf("share: %u unmaps at once: %llu invalidations, %llu shared\n",
	       THREADS, (unsigned long long)stats.flushes,
	       (unsigned long long)stats.flush_shared);
	if (stats.flushes != 2)
		wrong("invalidations", stats.flushes, 2);
	if (stats.flush_wholes != 1)
		wrong("of them for all", stats.flush_wholes, 1);
	if (stats.flush_shared != THREADS - 2)
		wrong("shared", stats.flush_shared, THREADS - 2);
	if (at_once_max != 1)
		wrong("invalidations at the same time", at_once_max, 1);
	stats = run(NW_FLUSH_OWN);
	if (stats.flushes != THREADS)
		wrong("invalidations of one's own", stats.flushes, THREADS);
	if (stats.flush_shared + stats.flush_wholes)
		wrong("shared, where everyone has his own", stats.flush_shared,
		      0);
	if (fixture_close(&f))
		wrong("pages are lost", 0, 1);
	return 0;
}
