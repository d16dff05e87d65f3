/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices a guest may touch (docs/threat-model.md): none that can be made
 * to read or write memory by itself.
 */
#ifndef NW_HYP_DEVICES_H
#define NW_HYP_DEVICES_H

#include <nestwalk/types.h>

/*
 * Is a device with this compatible string allowed? `compatible` is the
 * property: strings, each with its NUL.
 */
int device_is_allowed(const char *compatible, int bytes);

/* Let the guest reach a device's registers. Boot. */
void device_allow(uint64_t start, uint64_t bytes);

enum device_mapped {
	DEVICE_NONE,   /* not an allowed device's */
	DEVICE_MAPPED,
	DEVICE_RACED,  /* another CPU has, or is about to */
};

/* Map the page at `ipa` if it is an allowed device's. On any CPU. */
enum device_mapped device_map(nw_ipa_t ipa);

#endif
