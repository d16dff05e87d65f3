/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a page (every step in this order, under the guest's lock up to the
 * make): split the block it is in; break and invalidate; copy; clean the copy
 * to where the guest may read it uncached or execute it; make. Then the old
 * frame is filled with poison and joins the pool. A CPU that still uses the
 * old translation reads poison, or damages it, which is seen when the frame is
 * taken again.
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

#define UNMAP_ONE_IN 128
#define UNMAP_ORDERS 10 /* 4 KiB to 2 MiB */
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

/* Copy one frame to another. WINDOW_FROM stays open. */
static uint64_t *copy_page(nw_pa_t from_frame, nw_pa_t to_frame)
{
	uint64_t *from = window_open(WINDOW_FROM, from_frame);
	uint64_t *to = window_open(WINDOW_TO, to_frame);
	unsigned i;

	check_poison(to, to_frame);
	for (i = 0; i < WORDS; i++)
		to[i] = from[i];
	clean_copy(to);
	window_close(WINDOW_TO);
	return from;
}

static void must(enum nw_status status, uint64_t ipa, const char *what)
{
	if (status != NW_OK)
		panic_at(&vm.table, ipa, "%s 0x%lx: %s: %s", what, ipa,
			 nw_status_name(status), nw_status_advice(status));
}

/*
 * Break, copy, make. Under the lock; the page is mapped, by a page. Returns
 * the old frame in WINDOW_FROM.
 */
static uint64_t *move_mapped(uint64_t ipa, const struct nw_attrs *attrs,
			     nw_pa_t from, nw_pa_t to)
{
	uint64_t *old;

	must(nw_unmap(&vm.table, NW_IA(ipa), NW_HYP_PAGE_BYTES, NULL, NULL),
	     ipa, "breaking");
	old = copy_page(from, to);
	/* The new frame is the guest's from now on, and so is every frame of
	 * which a window was closed since the last time. */
	window_retire();
	must(nw_map(&vm.table, NW_IA(ipa), NW_HYP_PAGE_BYTES, to, attrs, 0,
		    NULL, NULL), ipa, "making");
	vm_frame_set(ipa, to);
	return old;
}

/* Move the page at `ipa`, if something maps it. 1: moved. */
static int move_page(uint64_t ipa)
{
	struct nw_mapping m;
	struct nw_attrs attrs;
	uint64_t *old;

	nw_port_lock(&vm.lock);
	must(nw_lookup(&vm.table, NW_IA(ipa), &m), ipa, "looking up");
	if (vm.is_off || m.kind != NW_ENTRY_LEAF) {
		nw_port_unlock(&vm.lock);
		count(NW_C_shake_misses);
		return 0;
	}
	must(nw_mapping_attrs(&vm.table, &m, &attrs), ipa, "decoding");
	if (m.level) {
		must(nw_split(&vm.table, NW_IA(ipa), 0, NULL, NULL), ipa,
		     "splitting");
		count(NW_C_splits);
	}
	old = move_mapped(ipa, &attrs, m.pa, pool_take());
	count(NW_C_frames_reused);
	count(NW_C_migrations);
	vm_publish_stats();
	nw_port_unlock(&vm.lock);
	/* Nobody else reaches the old frame. */
	poison(old);
	window_close(WINDOW_FROM);
	count(NW_C_frames_poisoned);
	pool_put(m.pa);
	return 1;
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

static void unmap_range(void)
{
	uint64_t pages = 1ull << random_below(UNMAP_ORDERS);
	uint64_t bytes = pages * NW_HYP_PAGE_BYTES;
	uint64_t ipa = pick_page() & ~(bytes - 1);

	if (!ipa || ipa + bytes > vm.ram_end)
		return;
	nw_port_lock(&vm.lock);
	if (!vm.is_off) {
		must(nw_unmap(&vm.table, NW_IA(ipa), bytes, NULL, NULL), ipa,
		     "unmapping");
		count(NW_C_unmaps);
		count_many(NW_C_unmap_pages, pages);
		vm_publish_stats();
	}
	nw_port_unlock(&vm.lock);
}

static void shake_once(void)
{
	unsigned tries = PICK_TRIES;
	uint64_t ipa;

	if (!random_below(UNMAP_ONE_IN)) {
		unmap_range();
		return;
	}
	while (tries--) {
		ipa = pick_page();
		if (ipa && move_page(ipa))
			return;
	}
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
		shake_once();
		done++;
	}
	__atomic_store_n(&shaker.is_stopped, 1, __ATOMIC_RELEASE);
	cpu_park();
}
