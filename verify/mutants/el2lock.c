/* SPDX-License-Identifier: BSD-2-Clause */
/* The EL2 port's ticket lock under the thread sanitizer. */
#include "nw_port.h"

#define TURNS 2000

static struct nw_port_lock lock;
static uint64_t guarded;

int el2_asm(const char *text)
{
	(void)text;
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

static void *count(void *arg)
{
	for (unsigned i = 0; i < TURNS; i++) {
		nw_port_lock(&lock);
		guarded++;
		nw_port_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	pthread_t other;

	nw_port_lock_init(&lock);
	pthread_create(&other, NULL, count, NULL);
	count(NULL);
	pthread_join(other, NULL);
	return guarded != 2 * TURNS;
}
