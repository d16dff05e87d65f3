/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a few neighbouring pages (every step in this order): say so, which
 * keeps faults from mapping them, and only them; split the block they are in;
 * break and invalidate; copy; clean the copies to where the guest may read them
 * uncached or execute them; make. Then the old frames are filled with poison
 * and join the pool. A CPU that still uses the old translation reads poison, or
 * damages it, which is seen when the frame is taken again.
 *
 * Ranges are also unmapped, write-protected and aged, beside all faults: the
 * guest faults, and gets back what was taken.
 */
#include "cpu.h"
#include "psci.h"
#include "report.h"
#include "shaker.h"
#include "sysreg.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

/* As an instruction it is undefined, as a pointer it faults. */
#define POISON 0x0000dead0000deadull
#define WORDS (NW_HYP_PAGE_BYTES / sizeof(uint64_t))

#define RUN_ORDERS 4 /* 1, 2, 4 or 8 pages move under one invalidation */
#define RUN_PAGES_MAX (1u << (RUN_ORDERS - 1))
#define UNMAP_ONE_IN 64
#define UNMAP_ORDERS 10 /* 4 KiB to 2 MiB */
#define WRITE_PROTECT_ONE_IN 32
#define WRITE_PROTECT_ORDERS 6 /* 4 KiB to 128 KiB */
#define AGE_ONE_IN 64
#define AGE_ORDERS 10
#define PICK_TRIES 16
#define LINE_BYTES_MIN 16

static struct {
	uint64_t random;
	uint64_t per_second;
	enum selftest selftest;
	uint32_t is_started;
	uint32_t is_stopped;
	uint32_t out; /* pool: the oldest frame is taken, */
	uint32_t in;  /* the newest put behind the others */
	uint32_t frames;
	uint32_t pool[NW_HYP_SPARE_FRAMES];
} shaker;

/* xorshift64* */
static uint64_t random_below(uint64_t limit)
{
	uint64_t x = shaker.random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	shaker.random = x;
	return (x * 0x2545f4914f6cdd1dull >> 16) % limit;
}

/* ---- the pool --------------------------------------------------------- */

static void poison(uint64_t *word)
{
	unsigned i;

	for (i = 0; i < WORDS; i++)
		word[i] = POISON;
}

static void check_poison(const uint64_t *word, nw_pa_t frame)
{
	unsigned i;

	for (i = 0; i < WORDS; i++)
		if (word[i] != POISON)
			break;
	if (i == WORDS)
		return;
	count(NW_C_poison_damaged);
	if (this_cpu()->row[NW_C_poison_damaged] < 8)
		report("freed frame 0x%lx was written to at offset 0x%x: "
		       "0x%lx\n", frame.v, i * 8, word[i]);
}

static nw_pa_t pool_take(void)
{
	nw_pa_t frame =
		NW_PA((uint64_t)shaker.pool[shaker.out] * NW_HYP_PAGE_BYTES);

	shaker.out = (shaker.out + 1) % NW_HYP_SPARE_FRAMES;
	shaker.frames--;
	return frame;
}

static void pool_put(nw_pa_t frame)
{
	shaker.pool[shaker.in] = (uint32_t)(frame.v / NW_HYP_PAGE_BYTES);
	shaker.in = (shaker.in + 1) % NW_HYP_SPARE_FRAMES;
	shaker.frames++;
}

int shaker_pool_frame(unsigned n, nw_pa_t *frame)
{
	if (n >= shaker.frames)
		return 0;
	*frame = NW_PA((uint64_t)shaker.pool[(shaker.out + n) %
					     NW_HYP_SPARE_FRAMES] *
		       NW_HYP_PAGE_BYTES);
	return 1;
}

/* ---- moving one page -------------------------------------------------- */

/*
 * The guest may read the copy with its caches off, and execute it: unless
 * stage 2 forces write-back, clean to the point of coherency; then to the
 * point of unification, and forget all instructions (Arm ARM, "Synchronization
 * and coherency issues between data and instruction accesses").
 */
static void clean_copy(const void *page)
{
	uint64_t ctr = sysreg_read("ctr_el0");
	uint64_t line = 4ull << ((ctr >> 16) & 0xf);
	uintptr_t at = (uintptr_t)page, end = at + NW_HYP_PAGE_BYTES;

	if (line < LINE_BYTES_MIN)
		line = LINE_BYTES_MIN;
	for (; at < end; at += line)
		if (mailbox->features & NW_MAILBOX_FEATURE_FWB)
			__asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
		else
			__asm__ volatile("dc civac, %0" ::"r"(at) : "memory");
	nw_el2_dsb_ish();
	__asm__ volatile("ic ialluis" ::: "memory");
	nw_el2_dsb_ish();
	nw_el2_isb();
}

static void copy_page(nw_pa_t from_frame, nw_pa_t to_frame)
{
	const uint64_t *from = window_open(WINDOW_FROM, from_frame);
	uint64_t *to = window_open(WINDOW_TO, to_frame);
	unsigned i;

	check_poison(to, to_frame);
	for (i = 0; i < WORDS; i++)
		to[i] = from[i];
	clean_copy(to);
	window_close(WINDOW_TO);
	window_close(WINDOW_FROM);
}

static void must(enum nw_status status, uint64_t ipa, const char *what)
{
	if (status != NW_OK)
		panic_at(&vm.table, ipa, "%s 0x%lx: %s: %s", what, ipa,
			 nw_status_name(status), nw_status_advice(status));
}

/* A fault is at work on an entry that we need; what was done stays done, and
 * is not done twice. */
#define PATIENTLY(status, call)                                                \
	while ((status = (call)) == NW_E_BUSY)                                 \
	nw_port_relax()

/* What is at `ipa`, once nobody is replacing it. */
static void look(uint64_t ipa, struct nw_mapping *m)
{
	enum nw_status status;

	PATIENTLY(status, nw_lookup(&vm.table, NW_IA(ipa), m));
	must(status, ipa, "looking up");
}

/* Pages that move together, in the order of their addresses. */
struct run {
	unsigned pages;
	struct {
		struct nw_attrs attrs;
		uint64_t ipa;
		nw_pa_t from;
		nw_pa_t to;
	} page[RUN_PAGES_MAX];
};

/* Add the page at `ipa` if something maps it; a block is split first. */
static void run_add(struct run *run, uint64_t ipa)
{
	struct nw_mapping m;
	enum nw_status status;

	look(ipa, &m);
	if (m.kind != NW_ENTRY_LEAF) {
		count(NW_C_shake_misses);
		return;
	}
	must(nw_mapping_attrs(&vm.table, &m, &run->page[run->pages].attrs), ipa,
	     "decoding");
	if (m.level) {
		PATIENTLY(status,
			  nw_split(&vm.table, NW_IA(ipa), 0, NULL, NULL));
		must(status, ipa, "splitting");
		count(NW_C_splits);
	}
	run->page[run->pages].ipa = ipa;
	run->page[run->pages].from = m.pa;
	run->page[run->pages].to = pool_take();
	run->pages++;
}

/* Break, copy, make. The frames that were left are nobody's then. */
static void run_move(struct run *run)
{
	uint64_t start = run->page[0].ipa;
	uint64_t end = run->page[run->pages - 1].ipa + NW_HYP_PAGE_BYTES;
	enum nw_status status;
	unsigned i;

	PATIENTLY(status, nw_unmap(&vm.table, NW_IA(start), end - start, NULL,
				   NULL));
	must(status, start, "breaking");
	for (i = 0; i < run->pages; i++)
		copy_page(run->page[i].from, run->page[i].to);
	/* The new frames are the guest's from now on, and so is every frame
	 * that a window was closed on since the last time. */
	window_retire();
	for (i = 0; i < run->pages; i++) {
		NW_TRACE(NW_EV_FRAME_REUSE, run->page[i].to.v,
			 NW_HYP_PAGE_BYTES, 0);
		must(nw_map(&vm.table, NW_IA(run->page[i].ipa),
			    NW_HYP_PAGE_BYTES, run->page[i].to,
			    &run->page[i].attrs, 0, NULL, NULL),
		     run->page[i].ipa, "making");
		vm_frame_set(run->page[i].ipa, run->page[i].to);
	}
	count_many(NW_C_frames_reused, run->pages);
	count_many(NW_C_migrations, run->pages);
}

/* Move what is mapped of `pages` pages from `ipa` on; returns how many. */
static unsigned move_pages(uint64_t ipa, unsigned pages)
{
	struct run run = {.pages = 0};
	unsigned i;

	vm_turn_begin();
	vm_move_begin(ipa, pages);
	for (i = 0; i < pages; i++)
		run_add(&run, ipa + i * (uint64_t)NW_HYP_PAGE_BYTES);
	if (run.pages)
		run_move(&run);
	vm_move_end();
	vm_turn_end();
	for (i = 0; i < run.pages; i++) {
		NW_TRACE(NW_EV_FRAME_REUSE, run.page[i].from.v,
			 NW_HYP_PAGE_BYTES, 0);
		poison(window_open(WINDOW_FROM, run.page[i].from));
		window_close(WINDOW_FROM);
		count(NW_C_frames_poisoned);
		pool_put(run.page[i].from);
	}
	return run.pages;
}

/* A page of a block that was mapped at some time; 0: there is none yet. */
static uint64_t pick_page(void)
{
	uint32_t blocks = __atomic_load_n(&vm.touched_count, __ATOMIC_ACQUIRE);
	uint64_t pages = NW_HYP_BLOCK_BYTES / NW_HYP_PAGE_BYTES;
	uint64_t ipa;

	if (!blocks)
		return 0;
	ipa = vm.ram_start +
	      (uint64_t)vm.touched[random_below(blocks)] * NW_HYP_BLOCK_BYTES +
	      random_below(pages) * NW_HYP_PAGE_BYTES;
	return ipa < vm.ram_end ? ipa : 0;
}

/* 2^0 to 2^(orders - 1) pages of a block that was mapped at some time, aligned
 * to their size; 0: none. */
static uint64_t pick_range(unsigned orders, uint64_t *pages)
{
	uint64_t bytes, ipa;

	*pages = 1ull << random_below(orders);
	bytes = *pages * NW_HYP_PAGE_BYTES;
	ipa = pick_page() & ~(bytes - 1);
	return ipa + bytes <= vm.ram_end ? ipa : 0;
}

static void unmap_range(void)
{
	enum nw_status status;
	uint64_t pages, ipa = pick_range(UNMAP_ORDERS, &pages);

	if (!ipa)
		return;
	vm_turn_begin();
	PATIENTLY(status, nw_unmap(&vm.table, NW_IA(ipa),
				   pages * NW_HYP_PAGE_BYTES, NULL, NULL));
	vm_turn_end();
	must(status, ipa, "unmapping");
	count(NW_C_unmaps);
	count_many(NW_C_unmap_pages, pages);
}

static void write_protect_range(void)
{
	enum nw_status status;
	uint64_t pages, ipa = pick_range(WRITE_PROTECT_ORDERS, &pages);

	if (!ipa)
		return;
	vm_turn_begin();
	PATIENTLY(status, nw_write_protect(&vm.table, NW_IA(ipa),
					   pages * NW_HYP_PAGE_BYTES, NULL,
					   NULL, NULL, NULL));
	vm_turn_end();
	must(status, ipa, "write-protecting");
	count(NW_C_write_protects);
	count_many(NW_C_write_protect_pages, pages);
}

static void age_range(void)
{
	enum nw_status status;
	uint64_t young, pages, ipa = pick_range(AGE_ORDERS, &pages);

	if (!ipa)
		return;
	vm_turn_begin();
	PATIENTLY(status, nw_age(&vm.table, NW_IA(ipa),
				 pages * NW_HYP_PAGE_BYTES, NW_AGE_CLEAR,
				 &young, NULL));
	vm_turn_end();
	must(status, ipa, "ageing");
	count(NW_C_ages);
	count_many(NW_C_age_pages, pages);
	count_many(NW_C_aged, young);
}

/* Returns the number of pages moved or, for anything else, 1. */
static unsigned shake_once(void)
{
	unsigned pages = 1u << random_below(RUN_ORDERS), tries, moved;
	uint64_t ipa;

	if (!random_below(UNMAP_ONE_IN)) {
		unmap_range();
		return 1;
	}
	if (!random_below(WRITE_PROTECT_ONE_IN)) {
		write_protect_range();
		return 1;
	}
	if (!random_below(AGE_ONE_IN)) {
		age_range();
		return 1;
	}
	for (tries = 0; tries < PICK_TRIES; tries++) {
		ipa = pick_page() & ~(pages * (uint64_t)NW_HYP_PAGE_BYTES - 1);
		if (!ipa || ipa + pages * (uint64_t)NW_HYP_PAGE_BYTES >
				    vm.ram_end)
			continue;
		moved = move_pages(ipa, pages);
		if (moved)
			return moved;
	}
	return 1;
}

/* ---- the CPU ---------------------------------------------------------- */

void shaker_init(const struct params *params)
{
	unsigned i;

	/* Zero is xorshift's one fixed point. */
	shaker.random = params->seed * 0x9e3779b97f4a7c15ull + 1;
	if (!shaker.random)
		shaker.random = 1;
	shaker.per_second = params->shake_per_second;
	shaker.selftest = params->selftest;
	for (i = 0; i < NW_HYP_SPARE_FRAMES; i++) {
		nw_pa_t frame = NW_PA(NW_HYP_SPARE_PA +
				      (uint64_t)i * NW_HYP_PAGE_BYTES);

		pool_put(frame);
	}
}

void shaker_start(unsigned cpu)
{
	int64_t answer;

	if (!shaker.per_second && shaker.selftest == SELFTEST_NONE)
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
	unsigned i;

	if (shaker.selftest == SELFTEST_PANIC)
		selftest_panic();
	for (i = 0; i < NW_HYP_SPARE_FRAMES; i++) {
		nw_pa_t frame = pool_take();

		poison(window_open(WINDOW_FROM, frame));
		window_close(WINDOW_FROM);
		pool_put(frame);
	}
	start = time_now();
	while (!__atomic_load_n(&vm.is_off, __ATOMIC_ACQUIRE)) {
		uint64_t due = (time_now() - start) * shaker.per_second / hz;

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
