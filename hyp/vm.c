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
	.prot = NW_PROT_RWX,
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
		.mode = NW_MODE_EXCLUSIVE,
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

	nw_port_lock_init(&vm.lock);
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

nw_pa_t vm_frame(uint64_t ipa)
{
	uint32_t frame = vm.frame[vm_page_index(ipa)];

	if (!frame)
		return NW_PA(ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1));
	return NW_PA((uint64_t)frame * NW_HYP_PAGE_BYTES);
}

void vm_frame_set(uint64_t ipa, nw_pa_t frame)
{
	uint32_t *slot = &vm.frame[vm_page_index(ipa)];
	uint16_t *moved = &vm.moved[vm_block_index(ipa)];
	int is_own = frame.v == (ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1));

	if (*slot && is_own)
		--*moved;
	if (!*slot && !is_own)
		++*moved;
	*slot = is_own ? 0 : (uint32_t)(frame.v / NW_HYP_PAGE_BYTES);
}

static enum nw_status try_block(uint64_t block)
{
	if (block + NW_HYP_BLOCK_BYTES > vm.ram_end ||
	    vm.moved[vm_block_index(block)])
		return NW_E_LEVEL;
	/* NW_E_EXISTS if any page of it is mapped. */
	return nw_map(&vm.table, NW_IA(block), NW_HYP_BLOCK_BYTES,
		      NW_PA(block), &attrs_ram, 1, NULL, NULL);
}

static void touch(uint64_t block)
{
	uint64_t bit = 1ull << (block % 64);

	if (vm.touched_bits[block / 64] & bit)
		return;
	vm.touched_bits[block / 64] |= bit;
	vm.touched[vm.touched_count] = (uint32_t)block;
	__atomic_store_n(&vm.touched_count, vm.touched_count + 1,
			 __ATOMIC_RELEASE);
}

unsigned vm_map_ram(uint64_t ipa)
{
	uint64_t page = ipa & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1);
	enum nw_status status =
		try_block(ipa & ~(uint64_t)(NW_HYP_BLOCK_BYTES - 1));
	nw_pa_t frame;

	touch(vm_block_index(ipa));
	if (status == NW_OK) {
		count(NW_C_maps_block);
		return 1;
	}
	frame = vm_frame(page);
	status = nw_map(&vm.table, NW_IA(page), NW_HYP_PAGE_BYTES, frame,
			&attrs_ram, 0, NULL, NULL);
	if (status != NW_OK)
		panic_at(&vm.table, page, "mapping guest page 0x%lx: %s: %s",
			 page, nw_status_name(status),
			 nw_status_advice(status));
	count(NW_C_maps_page);
	if (frame.v != page)
		count(NW_C_maps_moved);
	return 0;
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
