/* SPDX-License-Identifier: BSD-2-Clause */
#include <nestwalk/arm64.h>

#include "cpu.h"
#include "dirty.h"
#include "features.h"
#include "lib.h"
#include "params.h"
#include "report.h"
#include "sysreg.h"
#include "tlb.h"
#include "vm.h"

struct vm vm;

static void invalidate(void *ctx, const struct nw_flush_request *request)
{
	if (NW_SABOTAGE_STALE_DIRTY && dirty_is_harvesting())
		return;
	nw_el2_invalidate(ctx, request);
}

static const struct nw_port_ops port_ops = {
	.alloc_pages = heap_alloc_pages,
	.free_pages = heap_free_pages,
	.invalidate = invalidate,
	.virt_minus_phys = 0,
};

/* The table's format by its name, for a granule and with FEAT_LPA2 or without:
 * any of those that this build has. */
static const struct nw_format_ops *choose_format(const struct params *params)
{
	const char *name = params->granule_lg2 == 16 ? "arm64_s2_64k" :
			   params->granule_lg2 == 14 ?
						params->is_lpa2 ?
						"arm64_s2_16k_lpa2" :
						"arm64_s2_16k" :
			   params->is_lpa2 ? "arm64_s2_4k_lpa2" :
						     "arm64_s2";
	unsigned i;

	for (i = 0; nw_all_formats[i]; i++)
		if (!strcmp(nw_all_formats[i]->name, name))
			return nw_all_formats[i];
	refuse("this build has no format %s: configure with -Dformats=", name);
}

static void init_table(const struct params *params)
{
	unsigned features = features_used();
	struct nw_table_config config = {
		.ops = choose_format(params),
		.port = &port_ops,
		.port_ctx = &vm.tables,
		.mode = NW_MODE_SHARED,
		.regime = NW_REGIME_STAGE2,
		.tag = NW_HYP_VMID,
		.runs = NW_RUNS_AUTO,
		.format = {.ia_bits = NW_HYP_IPA_BITS,
			   .oa_bits = NW_HYP_IPA_BITS},
	};
	struct nw_result result;
	enum nw_status status;

	if (features & NW_MAILBOX_FEATURE_FWB)
		config.format.features |= NW_FEAT_FWB;
	if (features & NW_MAILBOX_FEATURE_XNX)
		config.format.features |= NW_FEAT_XNX;
	if (params->dirty == DIRTY_HARDWARE)
		config.format.features |= NW_FEAT_HAF | NW_FEAT_HD;
	if (params->is_lpa2) {
		config.format.features |= NW_FEAT_LPA2;
		config.format.ia_bits = params->granule_lg2 == 14 ?
						NW_HYP_IPA_BITS_LPA2_16K :
						NW_HYP_IPA_BITS_LPA2;
		config.format.oa_bits = NW_HYP_IPA_BITS_LPA2;
	}
	config.format.granule_lg2 = (uint8_t)params->granule_lg2;
	vm.tables.unit_lg2 = params->granule_lg2 - NW_HYP_PAGE_LG2;
	status = nw_table_init(&vm.table, &config, &result);
	if (status != NW_OK)
		panic("guest table: %s (%s)", nw_status_name(status),
		      result.argument ? result.argument : "no argument");
	vm.vtcr = nw_arm64_vtcr_el2(&vm.table.geo);
	vm.hcr = HCR_VM | HCR_SWIO | HCR_TWI | HCR_TSC | HCR_RW | HCR_APK |
		 HCR_API | HCR_ATA;
	if (features & NW_MAILBOX_FEATURE_FWB)
		vm.hcr |= HCR_FWB;
	vm.page_lg2 = params->granule_lg2;
	vm.block_lg2 = nw_span_lg2(&vm.table.geo, 1);
}

/* A root of the same size, in which nothing is mapped. */
static void init_empty_root(void)
{
	unsigned root_lg2 = vm.table.geo.root_pages_lg2;
	struct heap_user user = {.unit_lg2 = vm.tables.unit_lg2};
	void *root = heap_alloc_pages(&user, root_lg2);

	if (!root)
		panic("no heap for the empty root");
	memset(root, 0, vm_page_bytes() << root_lg2);
	vm.empty_root = (uintptr_t)root;
}

void vm_init(uint64_t start, uint64_t end, unsigned guest_cpus,
	     const struct params *params)
{
	uint64_t pages, blocks, page_units;

	nw_port_lock_init(&vm.touch_lock);
	init_table(params);
	init_empty_root();
	vm.ram_start = start;
	vm.ram_end = end;
	vm.guest_cpus = guest_cpus;
	pages = (end - start) >> vm.page_lg2;
	blocks = vm_block_index(end - 1) + 1;
	vm.frame = heap_take(pages * sizeof(*vm.frame));
	vm.moved = heap_take(blocks * sizeof(*vm.moved));
	vm.touched = heap_take(blocks * sizeof(*vm.touched));
	vm.touched_bits = heap_take((blocks + 63) / 64 * sizeof(uint64_t));
	/* One table page a block if every page moves, and what is above. */
	page_units = vm_page_bytes() / NW_HYP_PAGE_BYTES;
	if (!vm.frame || !vm.moved || !vm.touched || !vm.touched_bits ||
	    !dirty_init(params->dirty, pages) ||
	    heap_pages_free() < (blocks + blocks / 64 + 64) * page_units + 448)
		refuse("%lu MiB of guest RAM need more than the hypervisor's "
		       "%u MiB: pass a smaller -m",
		       (end - start) >> 20,
		       (NW_HYP_HEAP_END - NW_HYP_HEAP_PA) >> 20);
	mailbox->guest_cpus = guest_cpus;
	mailbox->guest_ram_pa = start;
	mailbox->guest_ram_bytes = end - start;
}

/* ---- where pages are --------------------------------------------------- */

nw_pa_t vm_frame(uint64_t ipa)
{
	uint32_t frame = __atomic_load_n(&vm.frame[vm_page_index(ipa)],
					 __ATOMIC_RELAXED);

	if (!frame)
		return NW_PA(vm_page(ipa));
	return NW_PA((uint64_t)frame * NW_HYP_PAGE_BYTES);
}

void vm_frame_set(uint64_t ipa, nw_pa_t frame)
{
	uint32_t *slot = &vm.frame[vm_page_index(ipa)];
	uint16_t *moved = &vm.moved[vm_block_index(ipa)];
	int is_own = frame.v == vm_page(ipa);
	uint16_t n = *moved;

	if (*slot && is_own)
		n--;
	if (!*slot && !is_own)
		n++;
	__atomic_store_n(moved, n, __ATOMIC_RELAXED);
	__atomic_store_n(slot,
			 is_own ? 0 : (uint32_t)(frame.v / NW_HYP_PAGE_BYTES),
			 __ATOMIC_RELAXED);
}

/* First page in the upper half, number of pages in the lower one. */
#define MOVING(page, pages) ((uint64_t)(page) << 32 | (pages))

/*
 * The range first, then the drain: a mapper that has not seen the range was in
 * its section when the grace period began, and that has ended (the section's
 * barrier and the grace period's: ORD-30, ORD-31).
 */
void vm_move_begin(uint64_t ipa, unsigned pages)
{
	__atomic_store_n(&vm.moving, MOVING(vm_page_index(ipa), pages),
			 __ATOMIC_RELAXED);
	nw_port_synchronize();
}

/* Release: who finds the range gone finds the frames where they are now. */
void vm_move_end(void)
{
	__atomic_store_n(&vm.moving, 0, __ATOMIC_RELEASE);
}

/* Is anything of [ipa, ipa + bytes) moving? In a section. */
static int is_moving(uint64_t ipa, uint64_t bytes)
{
	uint64_t moving = __atomic_load_n(&vm.moving, __ATOMIC_ACQUIRE);
	uint64_t start = vm.ram_start + ((moving >> 32) << vm.page_lg2);
	uint64_t end = start + ((moving & UINT32_MAX) << vm.page_lg2);

	return moving && ipa < end && start < ipa + bytes;
}

/* Looks at a page that moves, before the guest may ask again. */
#define MOVE_PATIENCE (1u << 14)

void vm_wait_for_move(uint64_t ipa)
{
	unsigned n;

	for (n = MOVE_PATIENCE; n && is_moving(vm_page(ipa), vm_page_bytes());
	     n--)
		nw_port_relax();
}

/* ---- faults ------------------------------------------------------------- */

static enum nw_status try_block(uint64_t block)
{
	struct nw_attrs attrs = dirty_attrs(FAULT_READ);

	if (!vm_has_block(block) || is_moving(block, vm_block_bytes()) ||
	    __atomic_load_n(&vm.moved[vm_block_index(block)],
			    __ATOMIC_RELAXED))
		return NW_E_LEVEL;
	/* NW_E_EXISTS if any page of it is mapped. */
	return nw_map(&vm.table, NW_IA(block), vm_block_bytes(), NW_PA(block),
		      &attrs, 1, NULL, NULL);
}

static enum vm_mapped try_page(uint64_t page, enum fault_access access)
{
	struct nw_attrs attrs = dirty_attrs(access);
	nw_pa_t frame;
	enum nw_status status;

	if (is_moving(page, vm_page_bytes()))
		return VM_BUSY;
	frame = vm_frame(page);
	if (dirty_needs_mark(&attrs))
		dirty_mark(page, vm_page_bytes());
	status = nw_map(&vm.table, NW_IA(page), vm_page_bytes(), frame, &attrs,
			0, NULL, NULL);
	switch (status) {
	case NW_OK:
		if (frame.v != page)
			count(NW_C_maps_moved);
		return VM_MAPPED_PAGE;
	case NW_E_EXISTS:
	case NW_E_RACED:
		return VM_RACED;
	case NW_E_BUSY:
		return VM_BUSY;
	default:
		panic_at(&vm.table, page, "mapping guest page 0x%lx: %s: %s",
			 page, nw_status_name(status),
			 nw_status_advice(status));
	}
}

static void touch(uint64_t block)
{
	uint64_t *word = &vm.touched_bits[block / 64];
	uint64_t bit = 1ull << (block % 64);

	if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
		return;
	nw_port_lock(&vm.touch_lock);
	if (!(*word & bit)) {
		__atomic_store_n(word, *word | bit, __ATOMIC_RELAXED);
		vm.touched[vm.touched_count] = (uint32_t)block;
		__atomic_store_n(&vm.touched_count, vm.touched_count + 1,
				 __ATOMIC_RELEASE);
	}
	nw_port_unlock(&vm.touch_lock);
}

/* Recheck and install are one section: a move that begins in it waits for it,
 * one that had begun before it is seen. */
enum vm_mapped vm_map_ram(uint64_t ipa, enum fault_access access)
{
	enum vm_mapped mapped = VM_MAPPED_BLOCK;

	touch(vm_block_index(ipa));
	nw_port_section_enter();
	if (try_block(vm_block(ipa)) != NW_OK)
		mapped = try_page(vm_page(ipa), access);
	nw_port_section_leave();
	return mapped;
}

void vm_publish_stats(void)
{
	struct nw_table_stats stats = nw_table_stats(&vm.table);

	mailbox_gauge(NW_C_table_splits, stats.splits);
	mailbox_gauge(NW_C_table_folds, stats.folds);
	mailbox_gauge(NW_C_run_forms, stats.run_forms);
	mailbox_gauge(NW_C_run_breaks, stats.run_breaks);
	vm_publish_pages();
}

void vm_publish_pages(void)
{
	mailbox_gauge(NW_C_tables_allocated, vm.tables.allocated);
	mailbox_gauge(NW_C_tables_freed, vm.tables.freed);
	mailbox_gauge(NW_C_tables_live,
		      vm.tables.allocated - vm.tables.freed);
	mailbox_gauge(NW_C_tables_peak, vm.tables.peak);
	mailbox_gauge(NW_C_heap_pages_free, heap_pages_free());
}
