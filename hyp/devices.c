/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices.h"
#include "layout.h"
#include "lib.h"
#include "report.h"
#include "vm.h"

#define DEVICES_MAX 8
#define FORBIDDEN_MAX 64

/* What drives no bus of its own. Not here, among others: fw_cfg, whose DMA
 * register reads and writes any memory; the GIC's ITS, which uses physical
 * addresses; virtio and PCIe. */
static const char *const allowed[] = {
	"arm,pl011", "arm,pl031", "arm,pl061", "arm,gic-v3",
};

static struct device_range device[DEVICES_MAX], forbidden[FORBIDDEN_MAX];
static unsigned devices, forbiddens;

static const struct nw_attrs attrs_device = {
	.prot = NW_PROT_RW,
	.memtype = NW_MEM_DEVICE_nGnRE,
	.share = NW_SHARE_INNER,
	.flags = NW_LEAF_ACCESSED,
};

int device_is_allowed(const char *compatible, int bytes)
{
	const char *end = compatible + bytes;
	unsigned i;

	while (compatible < end) {
		for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
			if (!strcmp(compatible, allowed[i]))
				return 1;
		compatible += strlen(compatible) + 1;
	}
	return 0;
}

void device_allow(uint64_t start, uint64_t bytes)
{
	if (devices == DEVICES_MAX)
		refuse("more than %u device ranges in the device tree",
		       DEVICES_MAX);
	device[devices++] = (struct device_range){start, start + bytes};
}

void device_forbid(uint64_t start, uint64_t bytes)
{
	if (forbiddens == FORBIDDEN_MAX)
		refuse("more than %u ranges of other devices in the device "
		       "tree", FORBIDDEN_MAX);
	forbidden[forbiddens++] = (struct device_range){start, start + bytes};
}

/* A device need not fill its pages, but they are its own. */
void device_check(void)
{
	unsigned i, j;

	for (i = 0; i < devices; i++) {
		struct device_range pages =
			device_pages(device[i], vm_page_bytes());

		if (pages.end > NW_HYP_RAM_PA)
			refuse("device at 0x%lx is not below RAM",
			       device[i].start);
		/* What is smaller than the smallest page has a neighbour. */
		if ((device[i].start | device[i].end) &
		    (NW_HYP_PAGE_BYTES - 1))
			refuse("device at 0x%lx does not fill pages of 4 KiB",
			       device[i].start);
		for (j = 0; j < forbiddens; j++)
			if (device_pages_reach(device[i], forbidden[j],
					       vm_page_bytes()))
				refuse("the device at 0x%lx, which the guest "
				       "may use, shares a stage-2 page of %lu "
				       "KiB with the one at 0x%lx, which it "
				       "must not: pass nw.granule=4",
				       device[i].start, vm_page_bytes() >> 10,
				       forbidden[j].start);
		device[i] = pages;
	}
}

enum device_mapped device_map(nw_ipa_t ipa)
{
	uint64_t page = vm_page(ipa.v);
	enum nw_status status;
	unsigned i;

	for (i = 0; i < devices; i++)
		if (page >= device[i].start && page < device[i].end)
			break;
	if (i == devices)
		return DEVICE_NONE;
	status = nw_map(&vm.table, NW_IA(page), vm_page_bytes(), NW_PA(page),
			&attrs_device, 0, NULL, NULL);
	if (status == NW_E_EXISTS || status == NW_E_RACED ||
	    status == NW_E_BUSY)
		return DEVICE_RACED;
	if (status != NW_OK)
		panic_at(&vm.table, page, "mapping device page 0x%lx: %s",
			 page, nw_status_name(status));
	return DEVICE_MAPPED;
}
