/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest_image.h"
#include "layout.h"
#include "report.h"
#include "window.h"

#define IMAGE_MAGIC 0x644d5241u /* "ARM\x64" */
#define GUEST_BYTES_MIN (128ull << 20)

/* The header of an arm64 kernel Image (Linux,
 * Documentation/arm64/booting.rst). */
struct image_header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_bytes;
	uint64_t flags;
	uint64_t reserved[3];
	uint32_t magic;
	uint32_t reserved2;
};

uint64_t guest_image_check(const struct machine *machine, uint64_t dtb_pa)
{
	const struct image_header *header;
	struct image_header image;
	uint64_t end;

	if (machine->ram_end < NW_HYP_GUEST_PA + GUEST_BYTES_MIN)
		refuse("too little memory: pass -m 192M or more");
	header = window_open(WINDOW_FROM, NW_PA(NW_HYP_GUEST_PA));
	image = *header;
	window_close(WINDOW_FROM);
	if (image.magic != IMAGE_MAGIC)
		refuse("no kernel Image at 0x%x: pass -device loader,"
		       "file=vmlinuz,addr=0x%x,force-raw=on",
		       NW_HYP_GUEST_PA, NW_HYP_GUEST_PA);
	if (image.text_offset)
		refuse("kernel Image with text_offset 0x%lx: only 0 (Linux "
		       "5.8 or newer) is supported", image.text_offset);
	end = NW_HYP_GUEST_PA + image.image_bytes;
	if (machine->initrd_start && machine->initrd_start < end)
		refuse("the initrd at 0x%lx runs into the kernel, which ends "
		       "at 0x%lx: pass a larger -m",
		       machine->initrd_start, end);
	if (dtb_pa < end || dtb_pa >= machine->ram_end ||
	    machine->initrd_end > machine->ram_end)
		refuse("the device tree (0x%lx) or the initrd (to 0x%lx) is "
		       "not in the guest's RAM: pass a larger -m", dtb_pa,
		       machine->initrd_end);
	return NW_HYP_GUEST_PA;
}
