/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EL2's recorder, on threads for CPUs (verify/mutants/el2_shim.h makes calls of
 * its instructions): what CPUs do to one entry without a lock has numbers in
 * the order in which it was done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "../../src/table/entry.h"

#define CPUS	     3
#define SWAPS	     2000 /* of each CPU */
#define RECORDS	     0x4000
#define ENTRIES	     4
#define SLEEP_ONE_IN 16

static struct nw_el2_cpu cpus[CPUS];
static __thread struct nw_el2_cpu *this_cpu;
static uint64_t entries[ENTRIES];
static struct nw_ring_area *area;
static pthread_barrier_t begin;

struct nw_el2_cpu *record_this_cpu(void)
{
	return this_cpu;
}

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	fprintf(stderr, "%s:%u: %s\n", file, line, what);
	abort();
}

int el2_asm(const char *text)
{
	(void)text;
	return sched_yield();
}

/* Between some verbs and their records there is time for everybody else. */
void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line)
{
	static __thread unsigned events;
	const struct timespec moment = {.tv_nsec = 1};

	if (++events % SLEEP_ONE_IN == 0)
		nanosleep(&moment, NULL);
	nw_el2_record(event, a, b, c, file, line);
}

static void *swap_and_read(void *cpu)
{
	struct nw_table t = {.root_pa = NW_PA((uintptr_t)entries)};
	unsigned n = 0;

	this_cpu = cpu;
	pthread_barrier_wait(&begin);
	while (n < SWAPS) {
		nw_pteref_t ref =
			nw_pteref_index(nw_pteref_root(&t), n % ENTRIES);
		nw_entry_t seen = nw_entry_read(ref);

		if (nw_entry_try_replace(ref, &seen,
					 seen + CPUS + this_cpu->id))
			n++;
	}
	return NULL;
}

/* Records of all CPUs in the order of their numbers. */
static const struct nw_ring_record *record_of(uint64_t seq, uint64_t *at)
{
	unsigned cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		const struct nw_ring_record *r =
			&nw_ring_records(area, cpu)[at[cpu]];

		if (at[cpu] < area->cpu[cpu].head && r->seq == seq) {
			at[cpu]++;
			return r;
		}
	}
	return NULL;
}

static void record_of_one_entry_is_in_its_order(void **state)
{
	uint64_t value[ENTRIES] = {0}, at[CPUS] = {0}, seq, swaps = 0;
	const struct nw_ring_record *r;
	pthread_t thread[CPUS];
	unsigned i;

	(void)state;
	area = calloc(1, nw_ring_area_bytes(CPUS, RECORDS));
	assert_non_null(area);
	nw_el2_record_init(area, CPUS, RECORDS);
	nw_el2_record_share();
	pthread_barrier_init(&begin, NULL, CPUS);
	for (i = 0; i < CPUS; i++) {
		cpus[i].id = i;
		cpus[i].section_id = i + 1; /* for builds with -Dproof */
		assert_int_equal(pthread_create(&thread[i], NULL, swap_and_read,
						&cpus[i]),
				 0);
	}
	for (i = 0; i < CPUS; i++)
		pthread_join(thread[i], NULL);
	for (seq = 0; seq < area->seq; seq++) {
		uint64_t *now;

		r = record_of(seq, at);
		assert_non_null(r);
		now = &value[(r->a - (uintptr_t)entries) / sizeof(*entries)];
		if (r->kind == NW_EV_ENTRY_RMW_FAIL) {
			assert_true(r->c == *now);
			continue;
		}
		assert_true(r->b == *now);
		if (r->kind == NW_EV_ENTRY_READ)
			continue;
		assert_int_equal(r->kind, NW_EV_ENTRY_RMW);
		*now = r->c;
		swaps++;
	}
	assert_int_equal(swaps, CPUS * SWAPS);
	for (i = 0; i < ENTRIES; i++)
		assert_true(value[i] == entries[i]);
	free(area);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_of_one_entry_is_in_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
