/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do next, by chance; and the library's operations as everybody on this
 * CPU uses them, beside all faults.
 */
#include "cpu.h"
#include "dirty.h"
#include "move.h"
#include "pool.h"
#include "psci.h"
#include "report.h"
#include "shaker.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

#define RUN_ORDERS 4 /* 1, 2, 4 or 8 pages move under one invalidation */
#define UNMAP_ONE_IN 64
#define UNMAP_ORDERS 10 /* up to a block of 4K pages */
#define WRITE_PROTECT_ONE_IN 32
#define WRITE_PROTECT_ORDERS 6 /* up to 32 pages */
#define AGE_ONE_IN 64
#define AGE_ORDERS 10
#define PUNCH_ONE_IN 512
#define SPLIT_ONE_IN 256
#define GATHER_ONE_IN 1024
#define RUNS_ONE_IN 256
#define SPLIT_BUDGET_PAGES 4
#define PICK_TRIES 16

_Static_assert(1u << (RUN_ORDERS - 1) <= MOVE_PAGES_MAX, "they move together");

static struct {
	uint64_t random;
	uint64_t per_second;
	enum selftest selftest;
	uint32_t is_started;
	uint32_t is_stopped;
} shaker;

/* xorshift64* */
uint64_t shake_random(uint64_t limit)
{
	uint64_t x = shaker.random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	shaker.random = x;
	return (x * 0x2545f4914f6cdd1dull >> 16) % limit;
}

/* ---- the library's operations ------------------------------------------ */

void shake_must(enum nw_status status, uint64_t ipa, const char *what)
{
	if (status != NW_OK)
		panic_at(&vm.table, ipa, "%s 0x%lx: %s: %s", what, ipa,
			 nw_status_name(status), nw_status_advice(status));
}

/* What is at `ipa`, once nobody is replacing it. */
void shake_look(uint64_t ipa, struct nw_mapping *m)
{
	enum nw_status status;

	PATIENTLY(status, nw_lookup(&vm.table, NW_IA(ipa), m));
	shake_must(status, ipa, "looking up");
}

static uint64_t splits_so_far(void)
{
	return nw_table_stats(&vm.table).splits;
}

/* Blocks that stick out of a range are split: so many since then. Faults split
 * none. */
static void count_edge_splits(uint64_t before)
{
	count_many(NW_C_edge_splits, splits_so_far() - before);
}

void shake_unmap(uint64_t ipa, uint64_t bytes)
{
	uint64_t splits = splits_so_far();
	enum nw_status status;

	PATIENTLY(status,
		  nw_unmap(&vm.table, NW_IA(ipa), bytes, NULL, NULL));
	shake_must(status, ipa, "unmapping");
	count_edge_splits(splits);
}

void shake_write_protect(uint64_t ipa, uint64_t bytes)
{
	uint64_t splits = splits_so_far();
	enum nw_status status;

	PATIENTLY(status, nw_write_protect(&vm.table, NW_IA(ipa), bytes,
					   dirty_tell, NULL, NULL, NULL));
	shake_must(status, ipa, "write-protecting");
	count_edge_splits(splits);
}

void shake_harvest(uint64_t ipa, uint64_t bytes)
{
	enum nw_status status;

	PATIENTLY(status, nw_harvest_dirty(&vm.table, NW_IA(ipa), bytes,
					   dirty_tell, NULL, NULL));
	shake_must(status, ipa, "harvesting");
}

/* In as many calls as the budget asks for. */
void shake_split(uint64_t ipa, uint64_t bytes)
{
	enum nw_status status;

	do
		PATIENTLY(status, nw_split_range(&vm.table, NW_IA(ipa), bytes,
						 0, SPLIT_BUDGET_PAGES, NULL,
						 NULL));
	while (status == NW_MORE);
	shake_must(status, ipa, "splitting");
}

/* ---- where ------------------------------------------------------------- */

static uint64_t pick_block(void)
{
	uint32_t blocks = __atomic_load_n(&vm.touched_count, __ATOMIC_ACQUIRE);

	if (!blocks)
		return 0;
	return vm_block(vm.ram_start) +
	       ((uint64_t)vm.touched[shake_random(blocks)] << vm.block_lg2);
}

uint64_t shake_pick_page(void)
{
	uint64_t ipa = pick_block();

	ipa += shake_random(vm_block_bytes() >> vm.page_lg2) << vm.page_lg2;
	return vm_has_ram(ipa) ? ipa : 0;
}

/* 2^0 to 2^(orders - 1) pages of a block that was mapped at some time, aligned
 * to their size; 0: none. */
static uint64_t pick_range(unsigned orders, uint64_t *pages)
{
	uint64_t bytes, ipa;

	*pages = 1ull << shake_random(orders);
	bytes = *pages << vm.page_lg2;
	ipa = shake_pick_page() & ~(bytes - 1);
	return vm_has_ram(ipa) && ipa + bytes <= vm.ram_end ? ipa : 0;
}

/* ---- what -------------------------------------------------------------- */

static unsigned unmap_range(void)
{
	uint64_t pages, ipa = pick_range(UNMAP_ORDERS, &pages);

	if (!ipa)
		return 1;
	/* In one way faults are in the middle of it, in the other the log is
	 * exact. */
	if (shake_random(2)) {
		dirty_presume(ipa, pages << vm.page_lg2);
		shake_unmap(ipa, pages << vm.page_lg2);
	} else {
		vm_move_begin(ipa, (unsigned)pages);
		dirty_save(ipa, pages << vm.page_lg2);
		shake_unmap(ipa, pages << vm.page_lg2);
		vm_move_end();
	}
	count(NW_C_unmaps);
	count_many(NW_C_unmap_pages, pages);
	return 1;
}

static unsigned write_protect_range(void)
{
	uint64_t pages, ipa = pick_range(WRITE_PROTECT_ORDERS, &pages);

	if (!ipa)
		return 1;
	shake_write_protect(ipa, pages << vm.page_lg2);
	count(NW_C_write_protects);
	count_many(NW_C_write_protect_pages, pages);
	return 1;
}

static unsigned age_range(void)
{
	enum nw_status status;
	uint64_t young, pages, ipa = pick_range(AGE_ORDERS, &pages);

	if (!ipa)
		return 1;
	PATIENTLY(status, nw_age(&vm.table, NW_IA(ipa), pages << vm.page_lg2,
				 NW_AGE_CLEAR, &young, NULL));
	shake_must(status, ipa, "ageing");
	count(NW_C_ages);
	count_many(NW_C_age_pages, pages);
	count_many(NW_C_aged, young);
	return 1;
}

/* Unmap a block in two halves, neither of which takes its table along, and free
 * that if no fault is faster. */
static unsigned punch_block(void)
{
	uint64_t block = pick_block(), half = vm_block_bytes() / 2, folds;
	enum nw_status status;

	if (!vm_has_block(block))
		return 1;
	dirty_presume(block, vm_block_bytes());
	shake_unmap(block, half);
	shake_unmap(block + half, half);
	folds = nw_table_stats(&vm.table).folds;
	PATIENTLY(status, nw_reclaim_tables(&vm.table, NW_IA(block),
					    vm_block_bytes(), 2, NULL));
	shake_must(status, block, "reclaiming");
	count(NW_C_punches);
	count_many(NW_C_reclaims, nw_table_stats(&vm.table).folds - folds);
	return 1;
}

/* All of a block; then half of the time the reverse. */
static unsigned split_block(void)
{
	uint64_t block = pick_block(), before = splits_so_far();

	if (!vm_has_block(block))
		return 1;
	shake_split(block, vm_block_bytes());
	count(NW_C_range_splits);
	count_many(NW_C_range_split_blocks, splits_so_far() - before);
	if (shake_random(2))
		move_collapse(block);
	return 1;
}

/* Of the pages of a block those that still lie in a row: contiguous runs, which
 * moves, protections and faults on single pages break up again. */
static unsigned form_runs(void)
{
	uint64_t block = pick_block();
	enum nw_status status;

	if (!vm_has_block(block))
		return 1;
	if (shake_random(2))
		shake_split(block, vm_block_bytes());
	PATIENTLY(status, nw_collapse(&vm.table, NW_IA(block),
				      vm_block_bytes(), 0, 2, NULL));
	shake_must(status, block, "forming runs");
	count(NW_C_run_calls);
	return 1;
}

/* Returns the number of pages moved or, for anything else, 1. */
static unsigned move_some(void)
{
	unsigned pages = 1u << shake_random(RUN_ORDERS), tries, moved;
	uint64_t bytes = (uint64_t)pages << vm.page_lg2, ipa;

	for (tries = 0; tries < PICK_TRIES; tries++) {
		ipa = shake_pick_page() & ~(bytes - 1);
		if (!vm_has_ram(ipa) || ipa + bytes > vm.ram_end)
			continue;
		moved = move_pages(ipa, pages);
		if (moved)
			return moved;
	}
	return 1;
}

static unsigned gather_block(void)
{
	unsigned moved = move_gather(pick_block());

	return moved ? moved : 1;
}

static unsigned shake_once(void)
{
	static const struct {
		unsigned one_in;
		unsigned (*act)(void);
	} acts[] = {
		{UNMAP_ONE_IN, unmap_range},
		{WRITE_PROTECT_ONE_IN, write_protect_range},
		{AGE_ONE_IN, age_range},
		{PUNCH_ONE_IN, punch_block},
		{SPLIT_ONE_IN, split_block},
		{RUNS_ONE_IN, form_runs},
		{GATHER_ONE_IN, gather_block},
	};
	unsigned i;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!shake_random(acts[i].one_in))
			return acts[i].act();
	return move_some();
}

/* ---- the CPU ----------------------------------------------------------- */

void shaker_init(const struct params *params)
{
	/* Zero is xorshift's one fixed point. */
	shaker.random = params->seed * 0x9e3779b97f4a7c15ull + 1;
	if (!shaker.random)
		shaker.random = 1;
	shaker.per_second = params->shake_per_second;
	shaker.selftest = params->selftest;
	pool_init();
}

void shaker_start(unsigned cpu)
{
	int64_t answer;

	if (!shaker.per_second && shaker.selftest == SELFTEST_NONE &&
	    !dirty_is_on())
		return;
	shaker.is_started = 1;
	answer = psci_start_cpu(&cpus[cpu]);
	if (answer)
		panic("CPU_ON of the spare CPU %u: %ld", cpu, answer);
}

void shaker_wait(void)
{
	if (!shaker.is_started)
		return;
	while (!__atomic_load_n(&shaker.is_stopped, __ATOMIC_ACQUIRE))
		__asm__ volatile("yield");
}

static void selftest_panic(void)
{
	uint64_t end = time_now() + time_hz();

	while (time_now() < end)
		__asm__ volatile("yield");
	/* Guest RAM is not in our table. */
	report("selftest: reading guest memory without a window\n");
	(void)*(volatile uint64_t *)(uintptr_t)vm.ram_start;
}

void shaker_main(void)
{
	uint64_t hz = time_hz(), start, done = 0;

	if (shaker.selftest == SELFTEST_PANIC)
		selftest_panic();
	pool_poison();
	start = time_now();
	while (!__atomic_load_n(&vm.is_off, __ATOMIC_ACQUIRE)) {
		uint64_t due = (time_now() - start) * shaker.per_second / hz;

		dirty_step();
		if (done >= due) {
			__asm__ volatile("yield");
			continue;
		}
		/* What is too late to be done is not caught up with. */
		if (due - done > shaker.per_second / 10 + 1)
			done = due;
		done += shake_once();
	}
	window_retire();
	vm_publish_stats();
	vcpu_leave_stage2();
	__atomic_store_n(&shaker.is_stopped, 1, __ATOMIC_RELEASE);
	cpu_park();
}
