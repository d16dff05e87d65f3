/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a run: everything is counted once more from the ground up, then
 * the guest's table is taken down under the CPUs that still use it.
 */
#include "cpu.h"
#include "pool.h"
#include "psci.h"
#include "report.h"
#include "shaker.h"
#include "sysreg.h"
#include "vcpu.h"
#include "vm.h"

#define PARK_WAIT_PER_SECOND 2 /* half a second */
#define TEARDOWN_PAGES 64

struct tally {
	uint64_t blocks;
	uint64_t pages;
	uint64_t device_pages;
	uint64_t mismatches;
};

/* Compare one leaf with the frame array. */
static enum nw_status tally_leaf(const struct nw_visit *v)
{
	struct tally *tally = v->arg;
	struct nw_decoded d;

	v->ops->decode(v->geo, v->level, v->old, &d);
	if (!vm_has_ram(v->ia.v)) {
		tally->device_pages++;
		tally->mismatches += d.pa.v != v->ia.v;
		return NW_OK;
	}
	if (v->level) {
		tally->blocks++;
		tally->mismatches += d.pa.v != v->ia.v ||
				     vm.moved[vm_block_index(v->ia.v)];
		return NW_OK;
	}
	tally->pages++;
	tally->mismatches += d.pa.v != vm_frame(v->ia.v).v;
	return NW_OK;
}

static void tally_table(void)
{
	struct tally tally = {0};
	enum nw_status status =
		nw_walk(&vm.table, NW_IA(0), 1ull << vm.table.geo.ia_bits,
			NW_VISIT_LEAF, tally_leaf, &tally, NULL);

	if (status != NW_OK)
		panic("walk of the guest's table: %s", nw_status_name(status));
	mailbox_gauge(NW_C_walk_blocks, tally.blocks);
	mailbox_gauge(NW_C_walk_pages, tally.pages);
	mailbox_gauge(NW_C_walk_device_pages, tally.device_pages);
	mailbox_gauge(NW_C_walk_mismatches, tally.mismatches);
}

/* Each frame from the spare ones to the end of RAM is either some page's or in
 * the shaker's pool, and only once. */
static void tally_frames(void)
{
	uint64_t first = NW_HYP_SPARE_PA / vm_page_bytes();
	uint64_t frames = vm.ram_end / vm_page_bytes() - first;
	uint8_t *seen = heap_take(frames);
	uint64_t twice = 0, lost = 0, moved = 0, ipa, i;
	nw_pa_t frame;

	if (!seen) {
		report("too little heap left to check the frames\n");
		mailbox_gauge(NW_C_frames_lost, frames);
		return;
	}
	for (ipa = vm.ram_start; ipa < vm.ram_end; ipa += vm_page_bytes()) {
		frame = vm_frame(ipa);
		moved += frame.v != ipa;
		twice += seen[frame.v / vm_page_bytes() - first]++ != 0;
	}
	for (i = 0; pool_frame((unsigned)i, &frame); i++)
		twice += seen[frame.v / vm_page_bytes() - first]++ != 0;
	for (i = 0; i < frames; i++)
		lost += !seen[i];
	mailbox_gauge(NW_C_pages_moved, moved);
	mailbox_gauge(NW_C_frames_twice, twice);
	mailbox_gauge(NW_C_frames_lost, lost);
}

/* Other guest CPUs that will not execute a guest instruction any more, and
 * those that may. */
static unsigned parked_cpus(unsigned *running)
{
	unsigned parked = 0, i;

	*running = 0;
	for (i = 0; i < NW_HYP_CPUS_MAX; i++) {
		struct cpu *cpu = &cpus[i];

		if (cpu == this_cpu() || !cpu->is_guest)
			continue;
		if (__atomic_load_n(&cpu->is_parked, __ATOMIC_SEQ_CST) ||
		    __atomic_load_n(&cpu->is_waiting, __ATOMIC_SEQ_CST))
			parked++;
		else if (__atomic_load_n(&cpu->power, __ATOMIC_SEQ_CST) !=
			 VCPU_OFF)
			++*running;
	}
	return parked;
}

/*
 * Nothing is mapped any more: a CPU that executes one more guest instruction
 * comes to EL2 and stays; one whose guest sleeps in WFI is at EL2 (cpu_wait).
 */
static void wait_until_parked(void)
{
	uint64_t end = time_now() + time_hz() / PARK_WAIT_PER_SECOND;
	unsigned parked, running;

	do {
		__asm__ volatile("sev; yield");
		parked = parked_cpus(&running);
	} while (running && time_now() < end);
	mailbox_gauge(NW_C_cpus_parked, parked);
	if (running)
		report("%u CPUs still run the guest\n", running);
}

void vm_power_off(enum nw_mailbox_state state)
{
	enum nw_status status;

	if (__atomic_exchange_n(&vm.is_off, 1, __ATOMIC_SEQ_CST))
		cpu_park();
	mailbox->off_ticks = time_now();
	mailbox_phase(NW_PHASE_TEARDOWN);
	/* Who has not seen vm.is_off is in the middle of a fault: until it is
	 * through. The exchange comes before the looks here; a fault says that
	 * it is being handled before it looks at vm.is_off. */
	cpus_wait_for_faults();
	shaker_wait();

	/* From here on nobody else changes anything. */
	tally_table();
	tally_frames();
	do
		status = nw_table_teardown_step(&vm.table, TEARDOWN_PAGES);
	while (status == NW_MORE);
	if (status != NW_OK)
		panic("teardown: %s", nw_status_name(status));
	wait_until_parked();
	/* Nothing is left to invalidate: this CPU too lets go of the root. */
	vcpu_leave_stage2();
	vm_publish_stats();
	nw_table_destroy(&vm.table);
	vm_publish_pages();
	mailbox_phase(NW_PHASE_DONE);
	mailbox_state(state);
	DSB("sy");
	psci_system_off();
}
