/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest: its RAM, its stage-2 table, and which frame backs each page.
 *
 * The table is shared: faults on all CPUs, and the shaker, change it at the
 * same time, without a lock. Where a page is (vm.frame, vm.moved) is changed by
 * the shaker alone, inside a move (vm_move_begin), and read by whoever maps,
 * inside a section in which no move of what is mapped was under way.
 */
#ifndef NW_HYP_VM_H
#define NW_HYP_VM_H

#include <nestwalk/table.h>

#include "fault.h"
#include "heap.h"
#include "layout.h"
#include "mailbox.h"
#include "nw_port.h"

struct vm {
	struct nw_port_lock touch_lock; /* who adds to touched */
	struct nw_table table;
	struct heap_user tables;
	unsigned page_lg2;  /* the granule of stage 2, */
	unsigned block_lg2; /* and its smallest block */
	uint64_t ram_start; /* multiple of a page of any granule */
	uint64_t ram_end;   /* the same; exclusive */
	/* Per RAM page: where it is, in units of NW_HYP_PAGE_BYTES; 0: in its
	 * own frame. */
	uint32_t *frame;
	uint16_t *moved;    /* per RAM block: pages that are not in their own */
	uint32_t *touched;  /* blocks that were ever mapped, in that order */
	uint64_t *touched_bits;
	uint32_t touched_count; /* atomic: grows under touch_lock */
	uint64_t moving; /* vm_move_begin(); atomic; 0: nothing */
	uint64_t vtcr;
	uint64_t empty_root; /* nothing is mapped in it */
	uint64_t hcr;
	unsigned guest_cpus;
	uint32_t is_off; /* powered off: who comes to EL2 stays there */
};

extern struct vm vm;

struct params;

/* Set up the table, of the shape that `params` asks for, and the arrays for RAM
 * [start, end). Refuses what does not fit the heap. */
void vm_init(uint64_t start, uint64_t end, unsigned guest_cpus,
	     const struct params *params);

static inline uint64_t vm_page_bytes(void)
{
	return UINT64_C(1) << vm.page_lg2;
}

static inline uint64_t vm_block_bytes(void)
{
	return UINT64_C(1) << vm.block_lg2;
}

/* The page, and the block, around an address. */
static inline uint64_t vm_page(uint64_t ipa)
{
	return ipa & ~(vm_page_bytes() - 1);
}

static inline uint64_t vm_block(uint64_t ipa)
{
	return ipa & ~(vm_block_bytes() - 1);
}

static inline int vm_has_ram(uint64_t ipa)
{
	return ipa >= vm.ram_start && ipa < vm.ram_end;
}

static inline uint64_t vm_page_index(uint64_t ipa)
{
	return (ipa - vm.ram_start) >> vm.page_lg2;
}

static inline uint64_t vm_block_index(uint64_t ipa)
{
	return (ipa >> vm.block_lg2) - (vm.ram_start >> vm.block_lg2);
}

/* Does all of a block lie in RAM? */
static inline int vm_has_block(uint64_t block)
{
	return block >= vm.ram_start && block + vm_block_bytes() <= vm.ram_end;
}

/* Where a page of RAM is in the machine. For the shaker, which is the one that
 * changes it, and while the table is taken down. */
nw_pa_t vm_frame(uint64_t ipa);
/* In a move only. */
void vm_frame_set(uint64_t ipa, nw_pa_t frame);

/*
 * From here to vm_move_end() nobody but the caller maps anything in `pages`
 * pages of RAM from `ipa` on; who is in the middle of it has finished when this
 * returns. One CPU at a time, outside sections.
 */
void vm_move_begin(uint64_t ipa, unsigned pages);
void vm_move_end(void);
/* While the page at `ipa` moves, but not for long. Outside sections. */
void vm_wait_for_move(uint64_t ipa);

/* What came of a fault on RAM. */
enum vm_mapped {
	VM_MAPPED_PAGE,
	VM_MAPPED_BLOCK,
	VM_RACED, /* another CPU has mapped it */
	VM_BUSY,  /* it is moving, or its entry being replaced: try again */
};

/*
 * Map the page at `ipa`, which nothing maps, or the whole block around it if
 * that lies in RAM, nothing in it was moved and nothing in it is mapped. With
 * the write right where `access` needs it, or nobody keeps a log. On any CPU,
 * at any time; a fault handler's, or the shaker's for a read. Panics when the
 * heap is empty.
 */
enum vm_mapped vm_map_ram(uint64_t ipa, enum fault_access access);

/* Rights of all RAM: what is missing in a leaf was taken for a while, or not
 * given yet (dirty.h). */
#define VM_RAM_PROT NW_PROT_RWX

/* Put the table's numbers into the mailbox. Beside others they may be a little
 * late; the last word is power-off's. */
void vm_publish_stats(void);
/* Only those of its pages, which are there without the table too. */
void vm_publish_pages(void);

/*
 * The guest asked for power-off or reset: stop the shaker, check and destroy
 * the table, leave the final counters, end the machine.
 */
__attribute__((noreturn)) void vm_power_off(enum nw_mailbox_state state);

#endif
