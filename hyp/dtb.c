/* SPDX-License-Identifier: BSD-2-Clause */
#include <libfdt.h>

#include "cpu.h"
#include "devices.h"
#include "dtb.h"
#include "el2.h"
#include "heap.h"
#include "layout.h"
#include "lib.h"
#include "report.h"
#include "window.h"

#define DTB_BYTES_MAX 0x200000
#define BOOTARGS_BYTES 2048

static char *tree;
static char bootargs[BOOTARGS_BYTES];

static void must(int answer, const char *what)
{
	if (answer < 0)
		refuse("device tree: %s: libfdt error %d", what, -answer);
}

static uint64_t cells2(const fdt32_t *cell)
{
	return (uint64_t)fdt32_to_cpu(cell[0]) << 32 | fdt32_to_cpu(cell[1]);
}

/* A property of one or two cells, such as linux,initrd-start; 0 if absent. */
static uint64_t number_property(int node, const char *name)
{
	int bytes;
	const fdt32_t *cell = fdt_getprop(tree, node, name, &bytes);

	if (!cell || (bytes != 4 && bytes != 8))
		return 0;
	return bytes == 4 ? fdt32_to_cpu(cell[0]) : cells2(cell);
}

static int is_kind(int node, const char *device_type)
{
	int bytes;
	const char *type = fdt_getprop(tree, node, "device_type", &bytes);

	return type && bytes == (int)strlen(device_type) + 1 &&
	       !memcmp(type, device_type, (size_t)bytes);
}

static int memory_node(void)
{
	int found = -1, node;

	fdt_for_each_subnode(node, tree, 0) {
		if (!is_kind(node, "memory"))
			continue;
		if (found >= 0)
			refuse("device tree: more than one memory node "
			       "(-numa and secure=on are not supported)");
		found = node;
	}
	must(found < 0 ? -FDT_ERR_NOTFOUND : 0, "memory node");
	return found;
}

static void read_memory(struct machine *machine)
{
	int bytes;
	const fdt32_t *reg = fdt_getprop(tree, memory_node(), "reg", &bytes);

	if (!reg || bytes != 16 || cells2(reg) != NW_HYP_RAM_PA)
		refuse("device tree: RAM is not one range at 0x%x "
		       "(is this -M virt?)", NW_HYP_RAM_PA);
	machine->ram_end = cells2(reg) + cells2(reg + 2);
}

static void read_cpus(struct machine *machine)
{
	int cpus = fdt_path_offset(tree, "/cpus"), node;

	must(cpus, "/cpus");
	machine->cpus = 0;
	fdt_for_each_subnode(node, tree, cpus)
		if (is_kind(node, "cpu"))
			machine->cpus++;
}

static void read_chosen(struct machine *machine)
{
	int chosen = fdt_path_offset(tree, "/chosen"), bytes;
	const char *args;

	machine->bootargs = bootargs;
	if (chosen < 0)
		return;
	machine->initrd_start = number_property(chosen, "linux,initrd-start");
	machine->initrd_end = number_property(chosen, "linux,initrd-end");
	args = fdt_getprop(tree, chosen, "bootargs", &bytes);
	if (!args || !bytes)
		return;
	if (bytes > BOOTARGS_BYTES || args[bytes - 1])
		refuse("kernel command line: longer than %u bytes",
		       BOOTARGS_BYTES - 1);
	memcpy(bootargs, args, (size_t)bytes);
}

void dtb_load(uint64_t pa, struct machine *machine)
{
	const void *source;
	uint32_t bytes;

	mailbox_phase(NW_PHASE_DTB);
	if (!pa || (pa & 7))
		refuse("no device tree in x0: start hyp.bin with QEMU's "
		       "-kernel");
	source = el2_map_boot(pa, NW_HYP_PAGE_BYTES);
	if (fdt_magic(source) != FDT_MAGIC)
		refuse("no device tree at 0x%lx", pa);
	bytes = fdt_totalsize(source);
	el2_unmap_boot(pa, NW_HYP_PAGE_BYTES);
	if (bytes > DTB_BYTES_MAX)
		refuse("device tree of %u bytes: %u are supported", bytes,
		       DTB_BYTES_MAX);
	tree = heap_take(bytes);
	if (!tree)
		panic("no heap for the device tree");
	source = el2_map_boot(pa, bytes);
	must(fdt_open_into(source, tree, (int)bytes), "copy");
	el2_unmap_boot(pa, bytes);
	*machine = (struct machine){0};
	read_memory(machine);
	read_cpus(machine);
	read_chosen(machine);
}

/* ---- editing ---------------------------------------------------------- */

/* Each range of a node's registers. */
static void tell_ranges(int node, void (*tell)(uint64_t start, uint64_t bytes))
{
	int bytes;
	const fdt32_t *reg = fdt_getprop(tree, node, "reg", &bytes);

	for (; bytes >= 16; bytes -= 16, reg += 4)
		tell(cells2(reg), cells2(reg + 2));
}

/* What has no registers cannot be reached; what has some is on the list, or
 * goes. Buses go with all that is behind them. */
static int must_go(int node)
{
	int bytes;
	const char *compatible = fdt_getprop(tree, node, "compatible", &bytes);

	if (!compatible)
		return 0;
	if (device_is_allowed(compatible, bytes)) {
		tell_ranges(node, device_allow);
		return 0;
	}
	tell_ranges(node, device_forbid);
	return fdt_getprop(tree, node, "reg", NULL) ||
	       fdt_getprop(tree, node, "ranges", NULL);
}

static void edit_devices(void)
{
	int node = fdt_first_subnode(tree, 0);

	while (node >= 0) {
		if (!must_go(node)) {
			node = fdt_next_subnode(tree, node);
			continue;
		}
		/* What follows moves up into this place. */
		must(fdt_del_node(tree, node), "device removed");
		if (fdt_get_name(tree, node, NULL) == NULL)
			break;
	}
}

static void edit_cpus(unsigned guest_cpus)
{
	int cpus = fdt_path_offset(tree, "/cpus");
	int node = fdt_subnode_offset(tree, cpus, "cpu-map");
	unsigned i;
	char name[16];

	/* It names all CPUs; without it they are taken as they come. */
	if (node >= 0)
		must(fdt_del_node(tree, node), "cpu-map removed");
	for (i = guest_cpus; i < 512; i++) {
		static const char hex[] = "0123456789abcdef";
		size_t n = 4;

		memcpy(name, "cpu@", 4);
		if (i >= 256)
			name[n++] = hex[i >> 8];
		if (i >= 16)
			name[n++] = hex[i >> 4 & 15];
		name[n++] = hex[i & 15];
		name[n] = '\0';
		node = fdt_subnode_offset(tree, cpus, name);
		if (node < 0)
			break;
		must(fdt_del_node(tree, node), "CPU removed");
	}
}

static void edit_memory(uint64_t start, uint64_t end)
{
	fdt64_t reg[2] = {cpu_to_fdt64(start), cpu_to_fdt64(end - start)};

	must(fdt_setprop_inplace(tree, memory_node(), "reg", reg, sizeof(reg)),
	     "RAM");
}

void dtb_edit(const struct machine *machine, unsigned guest_cpus,
	      uint64_t ram_start)
{
	int chosen;

	edit_devices();
	device_check();
	edit_cpus(guest_cpus);
	edit_memory(ram_start, machine->ram_end);
	chosen = fdt_path_offset(tree, "/chosen");
	if (chosen >= 0 && fdt_getprop(tree, chosen, "bootargs", NULL))
		must(fdt_setprop_string(tree, chosen, "bootargs",
					machine->bootargs), "bootargs");
}

void dtb_store(uint64_t pa)
{
	uint32_t bytes = fdt_totalsize(tree);
	uint32_t done = 0;

	if (pa & (NW_HYP_PAGE_BYTES - 1))
		refuse("device tree at 0x%lx does not begin a page", pa);
	for (; done < bytes; done += NW_HYP_PAGE_BYTES) {
		uint32_t part = bytes - done;
		void *to = window_open(WINDOW_TO, NW_PA(pa + done));

		if (part > NW_HYP_PAGE_BYTES)
			part = NW_HYP_PAGE_BYTES;
		memcpy(to, tree + done, part);
		/* The guest reads it with its caches off. */
		cpu_clean_for_boot(to, part);
		window_close(WINDOW_TO);
	}
}
