/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EL2 port's grace period under the thread sanitizer: threads are CPUs,
 * pages are handed round, and each is written to, without an atomic, by its one
 * owner when a grace period is over.
 *
 * The sanitizer knows no fences (the simulated machine does: ord_quiescent.c),
 * but the executed ones are real.
 */
#include "nw_port.h"

#define READERS 2
#define TURNS	3000
#define WORDS	64

static struct nw_el2_cpu cpu[READERS + 1];
static __thread struct nw_el2_cpu *self;
static uint64_t page[2][WORDS];
static uint64_t current; /* which page is linked */
static uint64_t is_over, sum;

struct nw_el2_cpu *el2_cpu(void)
{
	return self;
}

int el2_asm(const char *text)
{
	if (strstr(text, "dmb ish\""))
		__sync_synchronize();
	else
		sched_yield();
	return 0;
}

void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line)
{
	(void)event;
	(void)a;
	(void)b;
	(void)c;
	(void)file;
	(void)line;
}

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	fprintf(stderr, "bug: %s (%s:%u)\n", what, file, line);
	abort();
}

static void *read_pages(void *arg)
{
	uint64_t seen = 0, turn = 0;

	self = arg;
	while (!nw_port_load(&is_over)) {
		nw_port_section_enter();
		/* Acquire: the sanitizer does not know dependencies. */
		const uint64_t *now = page[nw_port_load_acquire(&current)];

		for (unsigned i = 0; i < WORDS; i++)
			seen += now[i];
		/* Be found in the section, and be found outside. */
		if (turn++ & 1)
			sched_yield();
		seen += now[0];
		nw_port_section_leave();
		if (turn & 1)
			sched_yield();
	}
	nw_port_count_add(&sum, seen);
	return NULL;
}

int main(void)
{
	pthread_t reader[READERS];

	for (unsigned i = 0; i <= READERS; i++)
		nw_el2_cpu_add(&cpu[i]);
	self = &cpu[READERS];
	for (unsigned i = 0; i < READERS; i++)
		pthread_create(&reader[i], NULL, read_pages, &cpu[i]);
	for (uint64_t turn = 0; turn < TURNS; turn++) {
		uint64_t old = nw_port_load(&current);

		for (unsigned i = 0; i < WORDS; i++)
			page[!old][i] = turn;
		nw_port_store_release(&current, !old);
		nw_port_synchronize();
		sched_yield();
	}
	nw_port_store_relaxed(&is_over, 1);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(reader[i], NULL);
	return 0;
}
