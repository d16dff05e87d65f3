/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices.h"
#include "layout.h"
#include "lib.h"
#include "report.h"
#include "vm.h"

#define DEVICES_MAX 8

/* What drives no bus of its own. Not here, among others: fw_cfg, whose DMA
 * register reads and writes any memory; the GIC's ITS, which uses physical
 * addresses; virtio and PCIe. */
static const char *const allowed[] = {
	"arm,pl011", "arm,pl031", "arm,pl061", "arm,gic-v3",
};

static struct {
	uint64_t start;
	uint64_t end;
} device[DEVICES_MAX];
static unsigned devices;

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
	const uint64_t mask = NW_HYP_PAGE_BYTES - 1;

	if (devices == DEVICES_MAX)
		refuse("more than %u device ranges in the device tree",
		       DEVICES_MAX);
	/* A page shared with another device would let that one through. */
	if ((start & mask) || (bytes & mask) || start + bytes > NW_HYP_RAM_PA)
		refuse("device at 0x%lx (0x%lx bytes) does not fill pages "
		       "below RAM", start, bytes);
	device[devices].start = start;
	device[devices].end = start + bytes;
	devices++;
}

enum device_mapped device_map(nw_ipa_t ipa)
{
	uint64_t page = ipa.v & ~(uint64_t)(NW_HYP_PAGE_BYTES - 1);
	enum nw_status status;
	unsigned i;

	for (i = 0; i < devices; i++)
		if (page >= device[i].start && page < device[i].end)
			break;
	if (i == devices)
		return DEVICE_NONE;
	status = nw_map(&vm.table, NW_IA(page), NW_HYP_PAGE_BYTES, NW_PA(page),
			&attrs_device, 0, NULL, NULL);
	if (status == NW_E_EXISTS || status == NW_E_RACED ||
	    status == NW_E_BUSY)
		return DEVICE_RACED;
	if (status != NW_OK)
		panic_at(&vm.table, page, "mapping device page 0x%lx: %s",
			 page, nw_status_name(status));
	return DEVICE_MAPPED;
}
