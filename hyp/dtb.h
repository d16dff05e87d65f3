/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree that QEMU made, and the one the guest gets: less RAM, fewer
 * CPUs, only allow-listed devices, a command line without our words.
 */
#ifndef NW_HYP_DTB_H
#define NW_HYP_DTB_H

#include <stdint.h>

struct machine {
	uint64_t ram_end;
	unsigned cpus;
	uint64_t initrd_start; /* 0: none */
	uint64_t initrd_end;
	char *bootargs; /* to be edited in place; never NULL */
};

/* Copy the tree at `pa` and read what we need. Refuses a tree that is not one
 * of QEMU's virt machine. */
void dtb_load(uint64_t pa, struct machine *machine);

/* Edit the copy; allows its devices (devices.h). */
void dtb_edit(const struct machine *machine, unsigned guest_cpus,
	      uint64_t ram_start);

/* Write the copy back to where the original was, which is guest RAM now. */
void dtb_store(uint64_t pa);

#endif
