/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest: its RAM, its stage-2 table, and which frame backs each page.
 *
 * One lock (vm.lock) excludes the table's writers and guards the frame array
 * and the device list; the table is exclusive. Lock order: vm, then EL2's,
 * then the heap's.
 */
#ifndef NW_HYP_VM_H
#define NW_HYP_VM_H

#include <nestwalk/table.h>

#include "heap.h"
#include "layout.h"
#include "mailbox.h"
#include "nw_port.h"

struct vm {
	struct nw_port_lock lock;
	struct nw_table table;
	struct heap_user tables;
	uint64_t ram_start; /* multiple of a block */
	uint64_t ram_end;   /* exclusive; multiple of a page */
	uint32_t *frame;    /* per RAM page: frame number, 0: its own */
	uint16_t *moved;    /* per RAM block: pages that are not in their own */
	uint32_t *touched;  /* blocks that were ever mapped, in that order */
	uint64_t *touched_bits;
	uint32_t touched_count; /* atomic: grows under the lock */
	uint64_t vtcr;
	uint64_t hcr;
	unsigned guest_cpus;
	uint32_t is_off; /* powered off: who comes to EL2 stays there */
};

extern struct vm vm;

/* Set up the table and the arrays for RAM [start, end). Refuses what does not
 * fit the heap. */
void vm_init(uint64_t start, uint64_t end, unsigned guest_cpus);

static inline int vm_has_ram(uint64_t ipa)
{
	return ipa >= vm.ram_start && ipa < vm.ram_end;
}

static inline uint64_t vm_page_index(uint64_t ipa)
{
	return (ipa - vm.ram_start) / NW_HYP_PAGE_BYTES;
}

static inline uint64_t vm_block_index(uint64_t ipa)
{
	return (ipa - vm.ram_start) / NW_HYP_BLOCK_BYTES;
}

/* Where a page of RAM is in the machine. Under the lock. */
nw_pa_t vm_frame(uint64_t ipa);
void vm_frame_set(uint64_t ipa, nw_pa_t frame);

/*
 * Map the page at `ipa`, which nothing maps, or the whole block around it if
 * that lies in RAM, nothing in it was moved and nothing in it is mapped.
 * Under the lock. Returns the level mapped. Panics when the heap is empty.
 */
unsigned vm_map_ram(uint64_t ipa);

/* Put the table's numbers into the mailbox. Under the lock. */
void vm_publish_stats(void);

/*
 * The guest asked for power-off or reset: stop the shaker, check and destroy
 * the table, leave the final counters, end the machine.
 */
__attribute__((noreturn)) void vm_power_off(enum nw_mailbox_state state);

#endif
