/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices a guest may touch (docs/threat-model.md): none that can be made
 * to read or write memory by itself.
 */
#ifndef NW_HYP_DEVICES_H
#define NW_HYP_DEVICES_H

#include <nestwalk/types.h>

struct device_range {
	uint64_t start;
	uint64_t end;
};

/* What stage 2 must map for the guest to reach a device: its range, grown to
 * whole pages (a power of two in size). */
static inline struct device_range device_pages(struct device_range device,
					       uint64_t page_bytes)
{
	return (struct device_range){
		device.start & ~(page_bytes - 1),
		(device.end + page_bytes - 1) & ~(page_bytes - 1)};
}

/* Would the guest reach `other` too? */
static inline int device_pages_reach(struct device_range device,
				     struct device_range other,
				     uint64_t page_bytes)
{
	struct device_range pages = device_pages(device, page_bytes);

	return other.start < pages.end && pages.start < other.end;
}

/*
 * Is a device with this compatible string allowed? `compatible` is the
 * property: strings, each with its NUL.
 */
int device_is_allowed(const char *compatible, int bytes);

/* Let the guest reach a device's registers. Boot. */
void device_allow(uint64_t start, uint64_t bytes);

/* Registers that it must not reach. Boot. */
void device_forbid(uint64_t start, uint64_t bytes);

/* All ranges of the device tree were named: refuses a stage-2 page that an
 * allowed device would share with one that is not, or with RAM. Needs
 * vm.page_lg2. */
void device_check(void);

enum device_mapped {
	DEVICE_NONE,   /* not an allowed device's */
	DEVICE_MAPPED,
	DEVICE_RACED,  /* another CPU has, or is about to */
};

/* Map the page at `ipa` if it is an allowed device's. On any CPU. */
enum device_mapped device_map(nw_ipa_t ipa);

#endif
