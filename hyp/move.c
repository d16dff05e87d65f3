/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a few neighbouring pages (every step in this order): say so, which
 * keeps faults from mapping them, and only them; split the block they are in;
 * save what hardware knows to be dirty; break and invalidate; copy; clean the
 * copies to where the guest may read them uncached or execute them; make. Then
 * the old frames are filled with poison and join the pool.
 */
#include "cpu.h"
#include "dirty.h"
#include "move.h"
#include "pool.h"
#include "report.h"
#include "shaker.h"
#include "sysreg.h"
#include "vm.h"
#include "window.h"

#define WORDS	       (NW_HYP_PAGE_BYTES / sizeof(uint64_t))
#define LINE_BYTES_MIN 16
#define COLLAPSE_TRIES 3

/* ---- copying ----------------------------------------------------------- */

/*
 * The guest may read the copy with its caches off, and execute it: unless
 * stage 2 forces write-back, clean to the point of coherency; then to the
 * point of unification, and forget all instructions (Arm ARM, "Synchronization
 * and coherency issues between data and instruction accesses").
 */
static void clean_copy(const void *piece)
{
	uint64_t ctr = sysreg_read("ctr_el0");
	uint64_t line = 4ull << ((ctr >> 16) & 0xf);
	uintptr_t at = (uintptr_t)piece, end = at + NW_HYP_PAGE_BYTES;

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

static void copy_piece(nw_pa_t from_piece, nw_pa_t to_piece)
{
	const uint64_t *from = window_open(WINDOW_FROM, from_piece);
	uint64_t *to = window_open(WINDOW_TO, to_piece);
	unsigned i;

	pool_check_poison(to, to_piece);
	for (i = 0; i < WORDS; i++)
		to[i] = from[i];
	clean_copy(to);
	window_close(WINDOW_TO);
	window_close(WINDOW_FROM);
}

static void copy_page(nw_pa_t from, nw_pa_t to)
{
	uint64_t at;

	for (at = 0; at < vm_page_bytes(); at += NW_HYP_PAGE_BYTES)
		copy_piece(NW_PA(from.v + at), NW_PA(to.v + at));
}

/* ---- a run of pages ---------------------------------------------------- */

/* What becomes of the frames that are left. */
enum move_old { OLD_TO_POOL, OLD_IS_HELD };

/* Pages that move together, in the order of their addresses. */
struct run {
	unsigned pages;
	struct {
		struct nw_attrs attrs; /* only if it is mapped */
		uint64_t ipa;
		nw_pa_t from;
		nw_pa_t to;
		int is_mapped;
	} page[MOVE_PAGES_MAX];
};

/* The page at `ipa`, to be moved to `to`. Inside a move. */
static void run_add(struct run *run, uint64_t ipa, nw_pa_t to)
{
	struct nw_mapping m;
	enum nw_status status;

	shake_look(ipa, &m);
	run->page[run->pages].is_mapped = m.kind == NW_ENTRY_LEAF;
	if (m.kind == NW_ENTRY_LEAF)
		shake_must(nw_mapping_attrs(&vm.table, &m,
					    &run->page[run->pages].attrs),
			   ipa, "decoding");
	if (m.kind == NW_ENTRY_LEAF && m.level) {
		PATIENTLY(status,
			  nw_split(&vm.table, NW_IA(ipa), 0, NULL, NULL));
		shake_must(status, ipa, "splitting");
		count(NW_C_splits);
	}
	run->page[run->pages].ipa = ipa;
	run->page[run->pages].from = vm_frame(ipa);
	run->page[run->pages].to = to;
	run->pages++;
}

/* What hardware had marked is in the log then: it may start anew. */
static void run_save_dirty(struct run *run, uint64_t start, uint64_t bytes)
{
	int has_dbm = 0;
	unsigned i;

	for (i = 0; i < run->pages; i++) {
		struct nw_attrs *attrs = &run->page[i].attrs;

		if (!run->page[i].is_mapped || !(attrs->flags & NW_LEAF_DBM))
			continue;
		has_dbm = 1;
		attrs->prot &= (uint8_t)~NW_PROT_W;
	}
	if (has_dbm)
		dirty_save(start, bytes);
}

/* Break, copy, make. The frames that were left are nobody's then. */
static void run_move(struct run *run)
{
	uint64_t start = run->page[0].ipa;
	uint64_t end = run->page[run->pages - 1].ipa + vm_page_bytes();
	unsigned i;

	run_save_dirty(run, start, end - start);
	shake_unmap(start, end - start);
	for (i = 0; i < run->pages; i++)
		copy_page(run->page[i].from, run->page[i].to);
	/* The new frames are the guest's from now on, and so is every frame
	 * that a window was closed on since the last time. */
	window_retire();
	for (i = 0; i < run->pages; i++) {
		NW_TRACE(NW_EV_FRAME_REUSE, run->page[i].to.v, vm_page_bytes(),
			 0);
		vm_frame_set(run->page[i].ipa, run->page[i].to);
		if (!run->page[i].is_mapped)
			continue;
		shake_must(nw_map(&vm.table, NW_IA(run->page[i].ipa),
				  vm_page_bytes(), run->page[i].to,
				  &run->page[i].attrs, 0, NULL, NULL),
			   run->page[i].ipa, "making");
	}
	count_many(NW_C_frames_reused, run->pages);
	count_many(NW_C_migrations, run->pages);
}

static void run_leave(struct run *run, enum move_old old)
{
	unsigned i;

	for (i = 0; i < run->pages; i++) {
		NW_TRACE(NW_EV_FRAME_REUSE, run->page[i].from.v,
			 vm_page_bytes(), 0);
		pool_poison_frame(run->page[i].from);
		count(NW_C_frames_poisoned);
		if (old == OLD_TO_POOL)
			pool_put(run->page[i].from);
	}
}

unsigned move_pages(uint64_t ipa, unsigned pages)
{
	struct run run = {.pages = 0};
	struct nw_mapping m;
	unsigned i;

	vm_move_begin(ipa, pages);
	for (i = 0; i < pages; i++) {
		uint64_t page = ipa + i * vm_page_bytes();

		shake_look(page, &m);
		if (m.kind == NW_ENTRY_LEAF)
			run_add(&run, page, pool_take());
		else
			count(NW_C_shake_misses);
	}
	if (run.pages)
		run_move(&run);
	vm_move_end();
	run_leave(&run, OLD_TO_POOL);
	return run.pages;
}

/* ---- gathering a block ------------------------------------------------- */

static uint64_t block_pages(void)
{
	return vm_block_bytes() >> vm.page_lg2;
}

/* Who else has a frame of the block's gets another; the frame is held. */
static unsigned evict_others(uint64_t block)
{
	struct run run;
	unsigned moved = 0;
	uint64_t ipa;

	for (ipa = vm.ram_start; ipa < vm.ram_end; ipa += vm_page_bytes()) {
		if (vm_frame(ipa).v - block >= vm_block_bytes() ||
		    vm_block(ipa) == block)
			continue;
		run.pages = 0;
		vm_move_begin(ipa, 1);
		run_add(&run, ipa, pool_take());
		run_move(&run);
		vm_move_end();
		run_leave(&run, OLD_IS_HELD);
		moved++;
	}
	return moved;
}

/* One of the block's own pages may be in another's frame of the block: that one
 * moves out of the way, too. */
static unsigned evict_own(uint64_t block)
{
	struct run run;
	unsigned moved = 0;
	uint64_t ipa;

	for (ipa = block; ipa < block + vm_block_bytes();
	     ipa += vm_page_bytes()) {
		nw_pa_t frame = vm_frame(ipa);

		if (frame.v == ipa || frame.v - block >= vm_block_bytes())
			continue;
		run.pages = 0;
		vm_move_begin(ipa, 1);
		run_add(&run, ipa, pool_take());
		run_move(&run);
		vm_move_end();
		run_leave(&run, OLD_IS_HELD);
		moved++;
	}
	return moved;
}

/* Up to MOVE_PAGES_MAX neighbours that are not at home, from `ipa` on. */
static unsigned bring_run(uint64_t ipa, uint64_t end)
{
	struct run run = {.pages = 0};
	unsigned pages = 0;

	while (pages < MOVE_PAGES_MAX && ipa + pages * vm_page_bytes() < end &&
	       vm_frame(ipa + pages * vm_page_bytes()).v !=
		       ipa + pages * vm_page_bytes())
		pages++;
	if (!pages)
		return 0;
	vm_move_begin(ipa, pages);
	while (run.pages < pages) {
		uint64_t page = ipa + run.pages * vm_page_bytes();

		run_add(&run, page, NW_PA(page));
	}
	run_move(&run);
	vm_move_end();
	run_leave(&run, OLD_TO_POOL);
	return pages;
}

static unsigned bring_home(uint64_t block)
{
	uint64_t ipa = block, end = block + vm_block_bytes();
	unsigned moved = 0, n;

	while (ipa < end) {
		n = bring_run(ipa, end);
		moved += n;
		ipa += (n ? n : 1) * vm_page_bytes();
	}
	return moved;
}

static void fill_holes(uint64_t block)
{
	struct nw_mapping m;
	uint64_t ipa;

	for (ipa = block; ipa < block + vm_block_bytes();
	     ipa += vm_page_bytes()) {
		shake_look(ipa, &m);
		if (m.kind == NW_ENTRY_EMPTY &&
		    vm_map_ram(ipa, FAULT_READ) == VM_MAPPED_PAGE)
			count(NW_C_gather_maps);
	}
}

void move_collapse(uint64_t block)
{
	uint64_t folds = nw_table_stats(&vm.table).folds;
	struct nw_mapping m;
	enum nw_status status;
	unsigned tries;

	/* Nothing else folds while we do. */
	for (tries = 0;
	     tries < COLLAPSE_TRIES && !vm.moved[vm_block_index(block)];
	     tries++) {
		fill_holes(block);
		/* First as they are: dirty or not, hardware's state is kept in
		 * a collapse. Then with rights that are equal everywhere. */
		if (tries)
			shake_write_protect(block, vm_block_bytes());
		PATIENTLY(status, nw_collapse(&vm.table, NW_IA(block),
					      vm_block_bytes(), 1, 2, NULL));
		shake_must(status, block, "collapsing");
		shake_look(block, &m);
		if (m.kind == NW_ENTRY_LEAF && m.level == 1)
			break;
	}
	count_many(NW_C_collapses, nw_table_stats(&vm.table).folds - folds);
}

unsigned move_gather(uint64_t block)
{
	unsigned moved, held;

	if (!vm_has_block(block) || pool_frames() < 2 * block_pages())
		return 0;
	held = pool_hold(block, vm_block_bytes());
	moved = evict_others(block) + evict_own(block);
	moved += bring_home(block);
	move_collapse(block);
	count(NW_C_gathers);
	count_many(NW_C_gather_held, held);
	return moved;
}
