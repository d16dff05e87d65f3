/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"
#include "dirty.h"
#include "heap.h"
#include "report.h"
#include "sample.h"
#include "shaker.h"
#include "vm.h"
#include "window.h"

/* Harvests a second. By software each costs the guest a fault for every page
 * that it goes on writing; on a slow machine they come later, for the guest
 * shall get the larger part of the time. */
#define ROUNDS_PER_SECOND_HARDWARE 4
#define ROUNDS_PER_SECOND_SOFTWARE 1
#define HARVEST_TIME_ONE_IN	   16
#define SAMPLE_BYTES		   (SAMPLE_PAGES_MAX * NW_HYP_PAGE_BYTES)
#define MISSES_TOLD		   8

static struct {
	enum dirty_mode mode;
	struct pageset faulted; /* since the last harvest; any CPU */
	struct pageset taken;	/* `faulted` of the harvest under way */
	struct pageset set;	/* the harvest: what this CPU knows of */
	struct sample sample;
	uint64_t due;
	uint32_t told; /* for the sabotages */
	struct cpu *harvester;
} dirty;

static int set_init(struct pageset *set, uint64_t pages)
{
	set->pages = pages;
	set->word = heap_take(pageset_words(pages) * sizeof(uint64_t));
	return set->word != NULL;
}

int dirty_init(enum dirty_mode mode, uint64_t pages)
{
	dirty.mode = mode;
	return mode == DIRTY_OFF ||
	       (set_init(&dirty.faulted, pages) &&
		set_init(&dirty.taken, pages) && set_init(&dirty.set, pages));
}

int dirty_is_on(void)
{
	return dirty.mode != DIRTY_OFF;
}

struct nw_attrs dirty_attrs(enum fault_access access)
{
	struct nw_attrs attrs = {
		.prot = VM_RAM_PROT,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = NW_LEAF_ACCESSED,
	};

	if (dirty.mode == DIRTY_HARDWARE) {
		attrs.prot &= (uint8_t)~NW_PROT_W;
		attrs.flags |= NW_LEAF_DBM;
	} else if (dirty.mode == DIRTY_SOFTWARE && access != FAULT_WRITE) {
		attrs.prot &= (uint8_t)~NW_PROT_W;
	}
	return attrs;
}

int dirty_needs_mark(const struct nw_attrs *attrs)
{
	return dirty_is_on() && (attrs->prot & NW_PROT_W);
}

/* ---- marks ------------------------------------------------------------- */

static int is_dropped(void)
{
	return NW_SABOTAGE_LOST_DIRTY &&
	       __atomic_fetch_add(&dirty.told, 1, __ATOMIC_RELAXED) %
			       DIRTY_LOST_ONE_IN ==
		       DIRTY_LOST_ONE_IN - 1;
}

void dirty_mark(uint64_t ipa, uint64_t bytes)
{
	if (!dirty_is_on() || is_dropped())
		return;
	count(NW_C_dirty_marks);
	pageset_add_shared(&dirty.faulted, vm_page_index(ipa),
			   bytes >> vm.page_lg2);
}

void dirty_tell(void *arg, nw_ia_t ia, uint64_t bytes)
{
	(void)arg;
	if (!vm_has_ram(ia.v) || is_dropped())
		return;
	count(NW_C_dirty_told);
	pageset_add(&dirty.set, vm_page_index(ia.v), bytes >> vm.page_lg2);
}

void dirty_save(uint64_t ipa, uint64_t bytes)
{
	if (dirty.mode == DIRTY_HARDWARE)
		shake_write_protect(ipa, bytes);
}

void dirty_presume(uint64_t ipa, uint64_t bytes)
{
	if (dirty.mode == DIRTY_HARDWARE)
		pageset_add(&dirty.set, vm_page_index(ipa),
			    bytes >> vm.page_lg2);
}

int dirty_is_harvesting(void)
{
	return dirty.harvester == this_cpu();
}

/* ---- a harvest --------------------------------------------------------- */

/*
 * What faults gave the write right to, back to where hardware logs it: gone,
 * and mapped anew by the next access. What hardware marked in there is in the
 * set with all the rest of the range.
 */
static void unmap_faulted(void)
{
	uint64_t page = 0, end, ipa;

	for (;;) {
		page = pageset_find(&dirty.taken, page, 1);
		if (page == dirty.taken.pages)
			return;
		end = pageset_find(&dirty.taken, page, 0);
		ipa = vm.ram_start + (page << vm.page_lg2);
		shake_unmap(ipa, (end - page) << vm.page_lg2);
		page = end;
	}
}

static void harvest(void)
{
	dirty.harvester = this_cpu();
	pageset_clear(&dirty.taken);
	pageset_take(&dirty.taken, &dirty.faulted);
	cpus_wait_for_faults();
	if (dirty.mode == DIRTY_SOFTWARE) {
		shake_write_protect(vm.ram_start, vm.ram_end - vm.ram_start);
	} else {
		unmap_faulted();
		shake_harvest(vm.ram_start, vm.ram_end - vm.ram_start);
	}
	pageset_add_set(&dirty.set, &dirty.taken);
	dirty.harvester = NULL;
	count(NW_C_dirty_rounds);
	count_many(NW_C_dirty_pages, pageset_count(&dirty.set));
}

/* ---- the proof --------------------------------------------------------- */

static uint64_t page_sum(uint64_t page)
{
	nw_pa_t frame = vm_frame(vm.ram_start + (page << vm.page_lg2));
	uint64_t at, sum = 0;

	for (at = 0; at < vm_page_bytes(); at += NW_HYP_PAGE_BYTES) {
		sum = sample_sum(sum,
				 window_open(WINDOW_FROM, NW_PA(frame.v + at)),
				 NW_HYP_PAGE_BYTES / sizeof(uint64_t));
		window_close(WINDOW_FROM);
	}
	return sum;
}

/* Half of them at random, half of those that the last harvest had: what was
 * written will be written. */
static void choose_sample(void)
{
	unsigned most = (unsigned)(SAMPLE_BYTES >> vm.page_lg2), i;
	uint64_t page, ipa;

	dirty.sample.pages = 0;
	for (i = 0; i < most / 2; i++) {
		ipa = shake_pick_page();
		if (ipa)
			sample_add(&dirty.sample, vm_page_index(ipa));
		page = pageset_find(&dirty.set, shake_random(dirty.set.pages),
				    1);
		if (page < dirty.set.pages)
			sample_add(&dirty.sample, page);
	}
}

static void judge(void)
{
	struct sample_verdict v = sample_judge(&dirty.sample, &dirty.set);
	uint64_t ipa = vm.ram_start + (v.missed_page << vm.page_lg2);

	count_many(NW_C_dirty_sampled, dirty.sample.pages);
	count_many(NW_C_dirty_verified, v.verified);
	count_many(NW_C_dirty_written, v.written);
	count_many(NW_C_dirty_changed, v.changed);
	count_many(NW_C_dirty_missed, v.missed);
	if (v.missed && this_cpu()->row[NW_C_dirty_missed] < MISSES_TOLD)
		report("dirty log: page 0x%lx was written and is not in "
		       "harvest %lu (%u such pages)\n",
		       ipa, this_cpu()->row[NW_C_dirty_rounds], v.missed);
}

void dirty_step(void)
{
	uint64_t begin = time_now(), pause;
	unsigned i;

	if (!dirty_is_on() || begin < dirty.due)
		return;
	/* One dirty page of a block hides that another was missed. */
	if (NW_SABOTAGE_STALE_DIRTY)
		shake_split(vm.ram_start, vm.ram_end - vm.ram_start);
	for (i = 0; i < dirty.sample.pages; i++)
		dirty.sample.of[i].after = page_sum(dirty.sample.of[i].page);
	harvest();
	judge();
	choose_sample();
	pageset_clear(&dirty.set);
	for (i = 0; i < dirty.sample.pages; i++)
		dirty.sample.of[i].before = page_sum(dirty.sample.of[i].page);
	pause = time_hz() / (dirty.mode == DIRTY_HARDWARE
				     ? ROUNDS_PER_SECOND_HARDWARE
				     : ROUNDS_PER_SECOND_SOFTWARE);
	if (pause < (time_now() - begin) * HARVEST_TIME_ONE_IN)
		pause = (time_now() - begin) * HARVEST_TIME_ONE_IN;
	dirty.due = time_now() + pause;
}
