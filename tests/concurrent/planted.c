/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A planted bug: an entry reference is kept beyond its read-side section and
 * used when the table page behind it was freed. The thread sanitizer and the
 * proof build must both report it; expect-report fails if they do not.
 *
 *   after    used outside any section
 *   later    used inside a later section
 *   inside   used inside its own section: correct, nothing to report
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct fixture f;
static nw_pteref_t kept;
static const char *how;
static int kept_it, freed_it;
static volatile uint64_t sink;

/* Relaxed on purpose: no order between the threads comes from these. */
static void wait_for(int *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_RELAXED))
		sched_yield();
}

static void raise_flag(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELAXED);
}

static enum nw_status keep(const struct nw_visit *v)
{
	kept = v->ref;
	if (strcmp(how, "inside") == 0)
		sink = nw_pteref_read(kept);
	return NW_OK;
}

static enum nw_status use(const struct nw_visit *v)
{
	(void)v;
	sink = nw_pteref_read(kept);
	return NW_OK;
}

static void *reader(void *arg)
{
	(void)arg;
	if (nw_walk(&f.table, NW_IA(0), PAGE, NW_VISIT_LEAF, keep, NULL,
		    NULL) != NW_OK)
		exit(3);
	raise_flag(&kept_it);
	wait_for(&freed_it);
	if (strcmp(how, "after") == 0)
		sink = nw_pteref_read(kept);
	else if (strcmp(how, "later") == 0 &&
		 nw_walk(&f.table, NW_IA(GIB), PAGE, NW_VISIT_LEAF, use, NULL,
			 NULL) != NW_OK)
		exit(3);
	return NULL;
}

static void map(uint64_t ia)
{
	struct nw_attrs attrs = fixture_attrs(f.variant, NW_PROT_RW);

	if (nw_map(&f.table, NW_IA(ia), PAGE, NW_PA(0), &attrs, NW_LEVEL_ANY,
		   NULL, NULL) != NW_OK)
		exit(3);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 2 || (strcmp(argv[1], "after") != 0 &&
			  strcmp(argv[1], "later") != 0 &&
			  strcmp(argv[1], "inside") != 0)) {
		fprintf(stderr, "Usage: %s after|later|inside\n", argv[0]);
		return 2;
	}
	how = argv[1];
	fixture_open(&f, variant_find("s2-40"), NW_MODE_READERS, 64);
	map(0);
	map(GIB);
	if (pthread_create(&thread, NULL, reader, NULL))
		return 3;
	wait_for(&kept_it);
	if (nw_unmap(&f.table, NW_IA(0), GIB, NULL, NULL) != NW_OK)
		return 3;
	raise_flag(&freed_it);
	pthread_join(thread, NULL);
	return fixture_close(&f) ? 3 : 0;
}
