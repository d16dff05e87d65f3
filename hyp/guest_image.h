/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NW_HYP_GUEST_IMAGE_H
#define NW_HYP_GUEST_IMAGE_H

#include <stdint.h>

#include "dtb.h"

/*
 * Check that a kernel Image lies where the guest's RAM begins and that it,
 * the initrd and the DTB lie in that RAM apart from each other. Returns the
 * entry. Refuses, saying what to pass to QEMU.
 */
uint64_t guest_image_check(const struct machine *machine, uint64_t dtb_pa);

#endif
