/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults on several threads, beside the floor's: bare compare-and-swaps of the
 * same entries, reached by the same dependent loads. Every page is faulted in
 * once; tables stand.
 *
 * scale-2     throughput of 2 threads against 1, each on pages of its own
 * cpu-16-*    CPU time a fault with 16 threads against 1, for the same pages.
 *             All are on two CPUs: what this measures is preemption, of
 *             whoever is in the middle of an operation, and caches that are
 *             shared. disjoint: each thread has a gigabyte of its own;
 *             interleaved: neighbours in a table belong to different threads.
 * storm-16    16 threads map, unmap and write-protect the same 64 pages: how
 *             often an operation begins again, or gives up
 */
#define _GNU_SOURCE
#include "special.h"
#include "rows.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define PAGE	   UINT64_C(4096)
#define PART_PAGES 262144u /* of one thread of 16 */
#define PARTS	   16u

#define S2_WRITE UINT64_C(0x80)
#define S2_AF	 UINT64_C(0x400)

enum side { SIDE_LIB, SIDE_FLOOR };

struct crowd {
	struct heap heap;
	struct nw_table table;
	uint64_t *address[PARTS];
	unsigned parts;
	unsigned pages; /* of a part that are faulted in */
	pthread_barrier_t ready;
};

/* One thread: parts first, first + step ... */
struct worker {
	struct crowd *crowd;
	enum side side;
	unsigned first, step;
	pthread_t thread;
	double begin_ns, end_ns, cpu_ns;
	long preempted;
	uint64_t refused;
};

/* What one run of some threads took. */
struct taken {
	double wall_ns;
	double cpu_ns;
	double preempted;
};

static double clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const struct row_table shared = {NW_MODE_SHARED, 0, NW_PROT_RW,
					NW_LEAF_ACCESSED};
static const struct nw_attrs attrs = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

/* ---- one thread ------------------------------------------------------- */

static void fault_lib(struct worker *w, const uint64_t *address)
{
	struct nw_table *table = &w->crowd->table;

	for (unsigned i = 0; i < w->crowd->pages; i++)
		w->refused += nw_map(table, NW_IA(address[i]), PAGE,
				     NW_PA(ROW_OUTPUT_PA + address[i]), &attrs,
				     0, NULL, NULL) != NW_OK;
}

static void fault_floor(struct worker *w, const uint64_t *address)
{
	struct crowd *c = w->crowd;
	uint64_t offset = c->heap.ops.virt_minus_phys;

	floor_walk_swap(
		(uint64_t *)(uintptr_t)(nw_table_root(&c->table).v + offset),
		offset, address, c->pages, 0, S2_AF | S2_WRITE | 3);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct rusage before, after;
	double cpu;

	bench_thread_begin();
	pthread_barrier_wait(&w->crowd->ready);
	getrusage(RUSAGE_THREAD, &before);
	w->begin_ns = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned p = w->first; p < w->crowd->parts; p += w->step)
		if (w->side == SIDE_LIB)
			fault_lib(w, w->crowd->address[p]);
		else
			fault_floor(w, w->crowd->address[p]);
	w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	w->end_ns = clock_ns(CLOCK_MONOTONIC);
	getrusage(RUSAGE_THREAD, &after);
	w->preempted = after.ru_nivcsw - before.ru_nivcsw;
	bench_thread_end();
	return NULL;
}

/* ---- a run ------------------------------------------------------------ */

/* The first two CPUs that we may use: however many there are, 16 threads are
 * on two. */
static void use_two_cpus(void)
{
	cpu_set_t allowed, two;
	unsigned found = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	CPU_ZERO(&two);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
		if (CPU_ISSET(cpu, &allowed)) {
			CPU_SET(cpu, &two);
			found++;
		}
	if (found && sched_setaffinity(0, sizeof(two), &two))
		row_fail("threads", "the CPUs cannot be chosen");
}

/* Tables stand, leaves are gone: never a whole table's range at once. */
static void clear(struct crowd *c)
{
	uint64_t end = (uint64_t)c->parts * PART_PAGES * PAGE;

	for (uint64_t ia = 0; ia < end; ia += PAGE * 512)
		row_must(
			nw_unmap(&c->table, NW_IA(ia), PAGE * 511, NULL, NULL));
	for (uint64_t ia = 0; ia < end; ia += PAGE * 512)
		row_must(nw_unmap(&c->table, NW_IA(ia + PAGE * 511), PAGE, NULL,
				  NULL));
}

static struct taken run(struct crowd *c, enum side side, unsigned threads)
{
	struct taken taken = {0, 0, 0};
	double begin = 0, end = 0;
	struct worker worker[PARTS];

	clear(c);
	bench_thread_quiescent();
	if (pthread_barrier_init(&c->ready, NULL, threads))
		row_fail("threads", "no barrier");
	for (unsigned i = 0; i < threads; i++) {
		worker[i] = (struct worker){
			.crowd = c, .side = side, .first = i, .step = threads};
		if (pthread_create(&worker[i].thread, NULL, work, &worker[i]))
			row_fail("threads", "no thread");
	}
	for (unsigned i = 0; i < threads; i++) {
		struct worker *w = &worker[i];

		pthread_join(w->thread, NULL);
		if (w->refused)
			row_fail("threads", "a fault was refused");
		if (!i || w->begin_ns < begin)
			begin = w->begin_ns;
		if (w->end_ns > end)
			end = w->end_ns;
		taken.cpu_ns += w->cpu_ns;
		taken.preempted += (double)w->preempted;
	}
	pthread_barrier_destroy(&c->ready);
	taken.wall_ns = end - begin;
	return taken;
}

/* The heap serves one thread at a time; faults allocate nothing. */
static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static struct nw_port_ops heap_ops;

static void *locked_alloc(void *ctx, unsigned pages_lg2)
{
	void *pages;

	pthread_mutex_lock(&heap_lock);
	pages = heap_ops.alloc_pages(ctx, pages_lg2);
	pthread_mutex_unlock(&heap_lock);
	return pages;
}

static void locked_free(void *ctx, void *pages, unsigned pages_lg2)
{
	pthread_mutex_lock(&heap_lock);
	heap_ops.free_pages(ctx, pages, pages_lg2);
	pthread_mutex_unlock(&heap_lock);
}

static void no_invalidate(void *ctx, const struct nw_flush_request *request)
{
	(void)ctx;
	(void)request;
}

static void lock_heap(struct heap *heap)
{
	heap_ops = heap->ops;
	heap->ops.alloc_pages = locked_alloc;
	heap->ops.free_pages = locked_free;
	heap->ops.invalidate = no_invalidate;
}

static void crowd_open(struct crowd *c, unsigned parts, unsigned pages,
		       int interleaved)
{
	uint64_t *all = row_distinct(PART_PAGES, PART_PAGES, 0);

	*c = (struct crowd){.parts = parts, .pages = pages};
	if (heap_init(&c->heap, parts * (PART_PAGES / 512 + 1) + 64,
		      HEAP_PAGE_LG2))
		row_fail("threads", "no memory for table pages");
	use_two_cpus(); /* threads inherit it */
	lock_heap(&c->heap);
	bench_thread_begin();
	bench_table(&c->table, &c->heap, &shared);
	row_must(nw_map(&c->table, NW_IA(0), parts * PART_PAGES * PAGE,
			NW_PA(ROW_OUTPUT_PA), &attrs, 0, NULL, NULL));
	for (unsigned p = 0; p < parts; p++) {
		c->address[p] = malloc(pages * sizeof(uint64_t));
		if (!c->address[p])
			row_fail("threads", "no memory for addresses");
		for (unsigned i = 0; i < pages; i++)
			c->address[p][i] =
				PAGE * (interleaved ? all[i] * parts + p
						    : (uint64_t)p * PART_PAGES +
							      all[i]);
	}
	free(all);
}

/* Pairs of f(one thread, some threads) of the library and of the floor. */
static void run_pairs(struct crowd *c, unsigned threads, unsigned repeat,
		      double (*f)(struct taken one, struct taken many))
{
	double faults = (double)c->parts * c->pages, preempted = 0;
	double one_ns = 0, many_ns = 0;
	struct nw_table_stats before = nw_table_stats(&c->table), after;

	printf("\"threads\": %u, \"faults\": %.0f, \"pairs\": [", threads,
	       faults);
	for (unsigned i = 0; i <= repeat; i++) {
		struct taken one[2], many[2];

		for (unsigned j = 0; j < 4; j++) {
			enum side side = (enum side)((j ^ i) & 1);

			if (j / 2)
				many[side] = run(c, side, threads);
			else
				one[side] = run(c, side, 1);
		}
		if (!i)
			continue; /* caches and pages are cold */
		printf("%s[%.5f, %.5f]", i > 1 ? ", " : "",
		       f(one[SIDE_LIB], many[SIDE_LIB]),
		       f(one[SIDE_FLOOR], many[SIDE_FLOOR]));
		one_ns += one[SIDE_LIB].cpu_ns;
		many_ns += many[SIDE_LIB].cpu_ns;
		preempted += many[SIDE_LIB].preempted;
	}
	after = nw_table_stats(&c->table);
	faults *= 2.0 * (repeat + 1); /* of the library */
	printf("], \"ns_one\": %.3f, \"ns_many\": %.3f, "
	       "\"preempted_a_run\": %.1f, \"retries\": %.9f, "
	       "\"busy\": %.9f, \"steals\": %.9f",
	       one_ns / repeat / ((double)c->parts * c->pages),
	       many_ns / repeat / ((double)c->parts * c->pages),
	       preempted / repeat,
	       (double)(after.retries - before.retries) / faults,
	       (double)(after.busy - before.busy) / faults,
	       (double)(after.steals - before.steals) / faults);
}

static double throughput(struct taken one, struct taken many)
{
	return one.wall_ns / many.wall_ns;
}

static double cost(struct taken one, struct taken many)
{
	return many.cpu_ns / one.cpu_ns;
}

static void scale_2(const struct special *self, unsigned repeat)
{
	static struct crowd c;

	(void)self;
	crowd_open(&c, 2, PART_PAGES, 0);
	run_pairs(&c, 2, repeat, throughput);
}

static void cost_16_disjoint(const struct special *self, unsigned repeat)
{
	static struct crowd c;

	(void)self;
	crowd_open(&c, PARTS, PART_PAGES, 0);
	run_pairs(&c, PARTS, repeat, cost);
}

static void cost_16_interleaved(const struct special *self, unsigned repeat)
{
	static struct crowd c;

	(void)self;
	crowd_open(&c, PARTS, PART_PAGES, 1);
	run_pairs(&c, PARTS, repeat, cost);
}

/* ---- a storm ---------------------------------------------------------- */

#define STORM_PAGES 64u
#define STORM_OPS   50000u /* of one thread */

struct stormer {
	struct crowd *crowd;
	uint64_t state;
	uint64_t busy, broken;
	double cpu_ns;
	pthread_t thread;
};

/* Statuses that say what other threads did are right; nothing else is. */
static void storm_op(struct stormer *s)
{
	struct nw_table *table = &s->crowd->table;
	enum nw_status status;
	nw_ia_t ia;

	s->state = s->state * UINT64_C(6364136223846793005) + 1;
	ia = NW_IA(((s->state >> 33) % STORM_PAGES) * PAGE);
	switch ((s->state >> 56) & 3) {
	case 0:
		status = nw_unmap(table, ia, PAGE, NULL, NULL);
		break;
	case 1:
		status = nw_write_protect(table, ia, PAGE, NULL, NULL, NULL,
					  NULL);
		break;
	default:
		status = nw_map(table, ia, PAGE, NW_PA(ROW_OUTPUT_PA + ia.v),
				&attrs, 0, NULL, NULL);
	}
	s->busy += status == NW_E_BUSY;
	s->broken += status != NW_OK && status != NW_E_BUSY &&
		     status != NW_E_EXISTS && status != NW_E_RACED;
}

static void *storm(void *arg)
{
	struct stormer *s = arg;
	double cpu;

	bench_thread_begin();
	pthread_barrier_wait(&s->crowd->ready);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for (unsigned i = 0; i < STORM_OPS; i++) {
		storm_op(s);
		if (!(i & 63))
			bench_thread_quiescent();
	}
	s->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	bench_thread_end();
	return NULL;
}

/* CPU nanoseconds an operation. */
static double storm_run(struct crowd *c, unsigned threads, uint64_t *busy)
{
	struct stormer s[PARTS];
	double cpu = 0;

	if (pthread_barrier_init(&c->ready, NULL, threads))
		row_fail("storm", "no barrier");
	for (unsigned i = 0; i < threads; i++) {
		s[i] = (struct stormer){.crowd = c, .state = i + 1};
		if (pthread_create(&s[i].thread, NULL, storm, &s[i]))
			row_fail("storm", "no thread");
	}
	bench_thread_end(); /* whoever waits holds up no grace period */
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(s[i].thread, NULL);
		if (s[i].broken)
			row_fail("storm", "a status that no race explains");
		cpu += s[i].cpu_ns;
		*busy += s[i].busy;
	}
	bench_thread_begin();
	pthread_barrier_destroy(&c->ready);
	return cpu / threads / STORM_OPS;
}

static void storm_16(const struct special *self, unsigned repeat)
{
	static struct crowd c;
	struct nw_table_stats before, after;
	double one = 0, many = 0, operations = 0;
	uint64_t busy = 0, calm = 0;

	(void)self;
	crowd_open(&c, 1, 1, 0);
	before = nw_table_stats(&c.table);
	for (unsigned i = 0; i < repeat; i++) {
		one += storm_run(&c, 1, &calm);
		many += storm_run(&c, PARTS, &busy);
		operations += (double)STORM_OPS * PARTS;
	}
	after = nw_table_stats(&c.table);
	printf("\"threads\": %u, \"value\": %.9f, "
	       "\"unit\": \"retries an operation\", "
	       "\"ns_one\": %.3f, \"ns_many\": %.3f, "
	       "\"retries\": %.9f, \"busy\": %.9f, \"steals\": %.9f",
	       PARTS, (double)(after.retries - before.retries) / operations,
	       one / repeat, many / repeat,
	       (double)(after.retries - before.retries) / operations,
	       (double)busy / operations,
	       (double)(after.steals - before.steals) / operations);
}

const struct special specials_threads[] = {
	{"scale-2", "2 threads against 1, disjoint faults", "scale", scale_2},
	{"cpu-16-disjoint", "CPU a fault, 16 threads on 2, disjoint", "cost",
	 cost_16_disjoint},
	{"cpu-16-interleaved", "CPU a fault, 16 on 2, interleaved", "cost",
	 cost_16_interleaved},
	{"storm-16", "retries, 16 threads on 64 pages", "storm", storm_16},
};
const unsigned specials_threads_n =
	sizeof(specials_threads) / sizeof(specials_threads[0]);
