/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where everything is in physical memory on QEMU's virt machine.
 *
 *   0x40000000  RAM begins; QEMU's first instructions (dead after boot)
 *   0x40180000  mailbox (mailbox.h), read by the host from the RAM file at
 *               offset NW_HYP_MAILBOX_PA - NW_HYP_RAM_PA
 *   0x40200000  hyp.bin: text, rodata, data, bss, stacks (hyp.ld)
 *   0x40400000  heap: frame array, pool, bitmap, then table pages
 *   0x42000000  in a recording build, the rings of the trace (nestwalk/ring.h),
 *               read and emptied by the host; else the heap goes on
 *   0x43000000  16 MiB of spare frames to begin with; a page that moves gives its
 *               old frame back, so that later any RAM frame may be spare
 *   0x44000000  guest RAM up to the end of the machine's; the kernel Image
 *               is loaded at its start (-device loader,addr=0x44000000)
 *
 * QEMU puts the initrd at RAM base + min(half the RAM, 128 MiB) and the DTB at
 * the next 2 MiB boundary after it. Both lie in guest RAM from 256 MiB on; the
 * guest gets its edited DTB in the place of QEMU's.
 *
 * Everything below NW_HYP_GUEST_PA is the carve-out: never in the guest's
 * table. The EL2 table maps the mailbox, the image, the heap and the UART at
 * their physical addresses, and the fixmap windows.
 */
#ifndef NW_HYP_LAYOUT_H
#define NW_HYP_LAYOUT_H

#define NW_HYP_RAM_PA 0x40000000
#define NW_HYP_MAILBOX_PA 0x40180000
#define NW_HYP_MAILBOX_BYTES 0x20000
#define NW_HYP_IMAGE_PA 0x40200000
#define NW_HYP_HEAP_PA 0x40400000
#define NW_HYP_TRACE_PA 0x42000000
#define NW_HYP_TRACE_BYTES 0x1000000
#define NW_HYP_TRACE_RECORDS 0x10000 /* of each CPU */
#define NW_HYP_SPARE_PA 0x43000000
#ifdef NW_CONFIG_RECORD
#define NW_HYP_HEAP_END NW_HYP_TRACE_PA
#else
#define NW_HYP_HEAP_END NW_HYP_SPARE_PA
#endif
#define NW_HYP_SPARE_BYTES 0x1000000
#define NW_HYP_GUEST_PA 0x44000000
#define NW_HYP_UART_PA 0x09000000

/* Fixmap windows: virtual addresses only, above every physical one. */
#define NW_HYP_WINDOW_VA 0x7000000000

/* EL2's own pages, and what memory is counted in. The guest's pages and blocks
 * (vm.h) are those of the stage-2 granule. */
#define NW_HYP_PAGE_LG2 12
#define NW_HYP_PAGE_BYTES 0x1000
#define NW_HYP_BLOCK_BYTES 0x200000

#define NW_HYP_GUEST_CPUS_MAX 4
#define NW_HYP_CPUS_MAX 5 /* guests and the shaker */

#define NW_HYP_STACK_BYTES 0x4000
#define NW_HYP_PANIC_STACK_BYTES 0x2000

#define NW_HYP_IPA_BITS 40
/* With FEAT_LPA2. 16 KiB pages: what 16 tables at level 1 cover; QEMU 7.2 faults
 * at a stage-2 walk of theirs that starts at level 0. */
#define NW_HYP_IPA_BITS_LPA2 52
#define NW_HYP_IPA_BITS_LPA2_16K 51
#define NW_HYP_VA_BITS 39
#define NW_HYP_VMID 1

#endif
