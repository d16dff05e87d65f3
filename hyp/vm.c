/* SPDX-License-Identifier: BSD-2-Clause */
#include <nestwalk/arm64.h>

#include "cpu.h"
#include "features.h"
#include "report.h"
#include "sysreg.h"
#include "tlb.h"
#include "vm.h"

struct vm vm;

static const struct nw_port_ops port_ops = {
	.alloc_pages = heap_alloc_pages,
	.free_pages = heap_free_pages,
	.invalidate = nw_el2_invalidate,
	.virt_minus_phys = 0,
};

static const struct nw_attrs attrs_ram = {
	.prot = VM_RAM_PROT,
	.memtype = NW_MEM_NORMAL_WB,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

static void init_table(void)
{
	unsigned features = features_used();
	struct nw_table_config config = {
		.ops = &nw_arm64_s2_ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = NW_HYP_IPA_BITS,
			   .oa_bits = (uint8_t)features_pa_bits()},
		.port = &port_ops,
		.port_ctx = &vm.tables,
		.mode = NW_MODE_SHARED,
		.regime = NW_REGIME_STAGE2,
		.tag = NW_HYP_VMID,
	};
	struct nw_result result;
	enum nw_status status;

	if (features & NW_MAILBOX_FEATURE_FWB)
		config.format.features |= NW_FEAT_FWB;
	if (features & NW_MAILBOX_FEATURE_XNX)
		config.format.features |= NW_FEAT_XNX;
	status = nw_table_init(&vm.table, &config, &result);
	if (status != NW_OK)
		panic("guest table: %s (%s)", nw_status_name(status),
		      result.argument ? result.argument : "no argument");
	vm.vtcr = nw_arm64_vtcr_el2(&vm.table.geo);
	vm.hcr = HCR_VM | HCR_SWIO | HCR_TWI | HCR_TSC | HCR_RW | HCR_APK |
		 HCR_API | HCR_ATA;
	if (features & NW_MAILBOX_FEATURE_FWB)
		vm.hcr |= HCR_FWB;
}

void vm_init(uint64_t start, uint64_t end, unsigned guest_cpus)
{
	uint64_t pages = (end - start) / NW_HYP_PAGE_BYTES;
	uint64_t blocks = (end - start + NW_HYP_BLOCK_BYTES - 1) /
			  NW_HYP_BLOCK_BYTES;

	nw_port_lock_init(&vm.touch_lock);
#ifdef NW_CONFIG_RECORD
	nw_port_lock_init(&vm.turn);
#endif
	vm.ram_start = start;
	vm.ram_end = end;
	vm.guest_cpus = guest_cpus;
	vm.frame = heap_take(pages * sizeof(*vm.frame));
	vm.moved = heap_take(blocks * sizeof(*vm.moved));
	vm.touched = heap_take(blocks * sizeof(*vm.touched));
	vm.touched_bits = heap_take((blocks + 63) / 64 * sizeof(uint64_t));
	/* One table page a block if every page moves, and what is above. */
	if (!vm.frame || !vm.moved || !vm.touched || !vm.touched_bits ||
	    heap_pages_free() < blocks + blocks / 64 + 512)
		refuse("%lu MiB of guest RAM need more than the hypervisor's "
		       "%u MiB: pass a smaller -m",
		       (end - start) >> 20,
		       (NW_HYP_HEAP_END - NW_HYP_HEAP_PA) >> 20);
	init_table();
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
		return NW_PA(ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1));
	return NW_PA((uint64_t)frame * NW_HYP_PAGE_BYTES);
}

void vm_frame_set(uint64_t ipa, nw_pa_t frame)
{
	uint32_t *slot = &vm.frame[vm_page_index(ipa)];
	uint16_t *moved = &vm.moved[vm_block_index(ipa)];
	int is_own = frame.v == (ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1));
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
	uint64_t start = vm.ram_start + (moving >> 32) * NW_HYP_PAGE_BYTES;
	uint64_t end = start + (uint32_t)moving * (uint64_t)NW_HYP_PAGE_BYTES;

	return moving && ipa < end && start < ipa + bytes;
}

/* Looks at a page that moves, before the guest may ask again. */
#define MOVE_PATIENCE (1u << 14)

void vm_wait_for_move(uint64_t ipa)
{
	uint64_t page = ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1);
	unsigned n;

	for (n = MOVE_PATIENCE; n && is_moving(page, NW_HYP_PAGE_BYTES); n--)
		nw_port_relax();
}

/* ---- faults ------------------------------------------------------------- */

static enum nw_status try_block(uint64_t block)
{
	if (block + NW_HYP_BLOCK_BYTES > vm.ram_end ||
	    is_moving(block, NW_HYP_BLOCK_BYTES) ||
	    __atomic_load_n(&vm.moved[vm_block_index(block)],
			    __ATOMIC_RELAXED))
		return NW_E_LEVEL;
	/* NW_E_EXISTS if any page of it is mapped. */
	return nw_map(&vm.table, NW_IA(block), NW_HYP_BLOCK_BYTES,
		      NW_PA(block), &attrs_ram, 1, NULL, NULL);
}

static enum vm_mapped try_page(uint64_t page)
{
	nw_pa_t frame;
	enum nw_status status;

	if (is_moving(page, NW_HYP_PAGE_BYTES))
		return VM_BUSY;
	frame = vm_frame(page);
	status = nw_map(&vm.table, NW_IA(page), NW_HYP_PAGE_BYTES, frame,
			&attrs_ram, 0, NULL, NULL);
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
enum vm_mapped vm_map_ram(uint64_t ipa)
{
	uint64_t page = ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1);
	enum vm_mapped mapped = VM_MAPPED_BLOCK;

	touch(vm_block_index(ipa));
	nw_port_section_enter();
	if (try_block(ipa & ~(uint64_t)(NW_HYP_BLOCK_BYTES - 1)) != NW_OK)
		mapped = try_page(page);
	nw_port_section_leave();
	return mapped;
}

void vm_publish_stats(void)
{
	mailbox_gauge(NW_C_tables_allocated, vm.tables.allocated);
	mailbox_gauge(NW_C_tables_freed, vm.tables.freed);
	mailbox_gauge(NW_C_tables_live,
		      vm.tables.allocated - vm.tables.freed);
	mailbox_gauge(NW_C_tables_peak, vm.tables.peak);
	mailbox_gauge(NW_C_heap_pages_free, heap_pages_free());
}
