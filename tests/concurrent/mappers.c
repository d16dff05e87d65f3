/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many CPUs fault at once (NW_MODE_SHARED): threads map random pages and blocks
 * of one region, all at the same time, into fresh tables. Of all who try a
 * place exactly one succeeds; the others are told that it is there already.
 * At rest the table holds what was reported, and no page is lost.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#define MAPPERS 4
#define REGION_BYTES (64 * MIB)
#define PAGES (REGION_BYTES / PAGE)
#define BLOCK (2 * MIB)

static struct fixture f;
static uint64_t base;
static struct nw_attrs attrs;
static uint8_t owners[PAGES]; /* successful maps of each page */
static uint64_t tries_each;
static uint64_t raced, existed, done;

__attribute__((noreturn)) static void wrong(const char *what, uint64_t ia,
					    uint64_t got)
{
	fprintf(stderr, "mappers: at %#llx: %s: %#llx\n",
		(unsigned long long)ia, what, (unsigned long long)got);
	exit(1);
}

static void claim(uint64_t ia, uint64_t end)
{
	for (; ia < end; ia += PAGE)
		__atomic_add_fetch(&owners[(ia - base) / PAGE], 1,
				   __ATOMIC_RELAXED);
}

static void look(uint64_t ia)
{
	struct nw_mapping m;
	enum nw_status status = nw_lookup(&f.table, NW_IA(ia), &m);

	if (status != NW_OK)
		wrong("lookup", ia, status);
	if (m.kind == NW_ENTRY_LEAF && m.pa.v != ia)
		wrong("mapped elsewhere", ia, m.pa.v);
}

static void *mapper(void *arg)
{
	uint64_t seed = (uintptr_t)arg;

	for (uint64_t i = 0; i < tries_each; i++) {
		int is_run = !rng_below(&seed, 16);
		uint64_t bytes = is_run ? PAGE << rng_below(&seed, 11) : PAGE;
		uint64_t ia = base + rng_below(&seed, REGION_BYTES / bytes) *
					     bytes;
		struct nw_result r;
		enum nw_status status =
			nw_map(&f.table, NW_IA(ia), bytes, NW_PA(ia), &attrs,
			       NW_LEVEL_ANY, NULL, &r);

		claim(ia, r.reached);
		switch (status) {
		case NW_OK:
			__atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
			break;
		case NW_E_EXISTS:
			__atomic_add_fetch(&existed, 1, __ATOMIC_RELAXED);
			if (r.reached != ia)
				wrong("refused, but reached", ia, r.reached);
			break;
		case NW_E_RACED:
			__atomic_add_fetch(&raced, 1, __ATOMIC_RELAXED);
			break;
		default:
			wrong(nw_status_name(status), ia, r.entry);
		}
		look(ia);
	}
	return NULL;
}

/* At rest: each page mapped if and only if one map reported it. */
static void check_at_rest(void)
{
	const char *error = fixture_look(&f, 0);

	if (error)
		wrong(error, base, 0);
	for (uint64_t i = 0; i < PAGES; i++) {
		struct nw_mapping m = fixture_at(&f, base + i * PAGE);

		if (owners[i] > 1)
			wrong("mapped twice", base + i * PAGE, owners[i]);
		if ((m.kind == NW_ENTRY_LEAF) != owners[i])
			wrong("not what was reported", base + i * PAGE, m.kind);
	}
	if (f.table.stats.pages_live != f.view.pages)
		wrong("table pages live", 0, f.table.stats.pages_live);
}

static void round_of(uint64_t seed)
{
	pthread_t thread[MAPPERS];
	enum nw_status status;

	memset(owners, 0, sizeof(owners));
	/* Two by two they ask for the same places in the same order. */
	for (uintptr_t i = 0; i < MAPPERS; i++)
		if (pthread_create(&thread[i], NULL, mapper,
				   (void *)(seed * MAPPERS + i / 2)))
			wrong("no thread", 0, i);
	for (unsigned i = 0; i < MAPPERS; i++)
		pthread_join(thread[i], NULL);
	check_at_rest();
	while ((status = nw_table_teardown_step(&f.table, 64)) == NW_MORE)
		;
	if (status != NW_OK || fixture_look(&f, 0))
		wrong("teardown", 0, status);
}

static void run(const struct variant *variant, uint64_t rounds)
{
	const char *error;

	fixture_open(&f, variant, NW_MODE_SHARED, 4096);
	base = variant->ia_bits > 40 ? 1 * GIB : 4 * MIB;
	attrs = fixture_attrs(variant, NW_PROT_RW);
	raced = existed = done = 0;
	for (uint64_t i = 0; i < rounds; i++)
		round_of(i + 1);
	if (!done || !existed)
		wrong("nothing was contended", 0, done);
	printf("%s: %llu maps, %llu found there, %llu raced\n", variant->name,
	       (unsigned long long)done, (unsigned long long)existed,
	       (unsigned long long)raced);
	error = fixture_close(&f);
	if (error)
		wrong(error, 0, 0);
}

int main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 4;

	tries_each = 4000;
	run(variant_find("s2-40-fwb"), rounds);
	run(variant_find("s2-48"), rounds);
	run(variant_find("el2-48"), rounds);
	return 0;
}
