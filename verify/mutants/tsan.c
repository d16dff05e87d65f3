/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hosted ports' primitives order, under the thread sanitizer: plain
 * data is passed from one thread to the other through one primitive.
 *
 *   tsan release | swap | exchange | follow | section | grace | retired
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nestwalk/fixmap.h>
#include <nestwalk/table.h>

#include "arena.h"
#include "nw_port.h"

static uint64_t flag, told, reused;
static uint64_t data;
static volatile uint64_t seen;

static void wait_for(const uint64_t *p, uint64_t value)
{
	while (__atomic_load_n(p, __ATOMIC_RELAXED) != value)
		sched_yield();
}

/* ---- atomics ------------------------------------------------------------- */

static void *give_release(void *arg)
{
	data = 1;
	nw_port_store_release(&flag, 1);
	return arg;
}

static void take_release(void)
{
	while (!nw_port_load_acquire(&flag))
		sched_yield();
	seen = data;
}

static void *give_swap(void *arg)
{
	uint64_t expected = 0;

	data = 1;
	return nw_port_cmpxchg(&flag, &expected, 1) ? arg : NULL;
}

/* A swap that fails has read the flag: it acquires too. */
static void take_swap(void)
{
	uint64_t expected;

	do {
		expected = 7;
		sched_yield();
	} while (nw_port_cmpxchg(&flag, &expected, 2) || expected != 1);
	seen = data;
}

static void take_swapped(void)
{
	uint64_t expected = 1;

	while (!nw_port_cmpxchg(&flag, &expected, 2)) {
		expected = 1;
		sched_yield();
	}
	seen = data;
}

static void *give_exchange(void *arg)
{
	data = 1;
	nw_port_xchg(&flag, 1);
	return arg;
}

static void take_exchange(void)
{
	while (nw_port_xchg(&flag, 0) != 1)
		sched_yield();
	seen = data;
}

/* What an entry leads to is read through the entry's value. */
static void take_follow(void)
{
	while (!nw_port_load(&flag))
		sched_yield();
	seen = data;
}

/* ---- sections --------------------------------------------------------------- */

/* The section is over before the grace period: what it read may be written. */
static void *read_in_section(void *arg)
{
	nw_port_section_enter();
	__atomic_store_n(&told, 1, __ATOMIC_RELAXED);
	/* Whoever does not wait for this section gets the time to show it. */
	for (unsigned i = 0; i < 300 &&
			     !__atomic_load_n(&reused, __ATOMIC_RELAXED);
	     i++)
		usleep(1000);
	seen = data;
	nw_port_section_leave();
	return arg;
}

static void reuse_after_grace(void)
{
	wait_for(&told, 1);
	nw_port_synchronize();
	data = 2;
	__atomic_store_n(&reused, 1, __ATOMIC_RELAXED);
}

/* What came before the grace period is seen by a section that begins after. */
static void *write_then_grace(void *arg)
{
	data = 1;
	nw_port_synchronize();
	__atomic_store_n(&told, 1, __ATOMIC_RELAXED);
	return arg;
}

static void section_after(void)
{
	wait_for(&told, 1);
	nw_port_section_enter();
	seen = data;
	nw_port_section_leave();
}

/* ---- fixmap ------------------------------------------------------------------- */

static struct nw_arena arena;
static struct nw_table table;
static struct nw_fixmap fixmap;

static void fixmap_open(void)
{
	const struct nw_table_config config = {
		.ops = &nw_arm64_el2_ops,
		.format = {.granule_lg2 = 12, .ia_bits = 39, .oa_bits = 40},
		.port = &arena.ops,
		.port_ctx = &arena,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = NW_REGIME_EL2,
	};
	const struct nw_fixmap_config slots = {
		.strategy = NW_FIXMAP_BATCHED,
		.cpus = 2,
		.slots = {[NW_FIXMAP_PAGE] = 2},
		.batch = 1,
		.start = NW_IA(UINT64_C(0x80000000)),
		.table = {&table},
	};

	if (nw_arena_init(&arena, UINT64_C(0x40000000), 64, 12) ||
	    nw_table_init(&table, &config, NULL) ||
	    nw_fixmap_init(&fixmap, &slots, NULL)) {
		printf("no fixmap\n");
		_exit(2);
	}
	/* As after a close that was counted before. */
	fixmap.cpu[0].retiring = 1;
}

/* The last use of a page through a window, then the window is retired. */
static void *close_window(void *arg)
{
	if (nw_fixmap_retire(&fixmap, 0))
		return arg;
	data = 1;
	__atomic_store_n(&fixmap.cpu[0].retiring, 1, __ATOMIC_RELAXED);
	(void)nw_fixmap_retire(&fixmap, 0);
	__atomic_store_n(&told, 1, __ATOMIC_RELAXED);
	return arg;
}

/* A count of 0 lets the page go without a broadcast. */
static void reuse_page(void)
{
	wait_for(&told, 1);
	(void)nw_fixmap_retire(&fixmap, 1);
	data = 2;
}

static const struct {
	const char *name;
	void *(*give)(void *);
	void (*take)(void);
} cases[] = {
	{"release", give_release, take_release},
	{"swap", give_swap, take_swap},
	{"swapped", give_swap, take_swapped},
	{"exchange", give_exchange, take_exchange},
	{"follow", give_release, take_follow},
	{"grace", read_in_section, reuse_after_grace},
	{"section", write_then_grace, section_after},
	{"retired", close_window, reuse_page},
};

int main(int argc, char **argv)
{
	pthread_t other;

	for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]);
	     i++) {
		if (strcmp(cases[i].name, argv[1]))
			continue;
		if (cases[i].give == close_window)
			fixmap_open();
		pthread_create(&other, NULL, cases[i].give, NULL);
		cases[i].take();
		pthread_join(other, NULL);
		return 0;
	}
	printf("no such case\n");
	return 2;
}
