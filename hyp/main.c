/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole boot on one screen. */
#include "cpu.h"
#include "dtb.h"
#include "el2.h"
#include "features.h"
#include "fixbench.h"
#include "guest_image.h"
#include "lib.h"
#include "params.h"
#include "recorder.h"
#include "report.h"
#include "shaker.h"
#include "tlb.h"
#include "vcpu.h"
#include "vm.h"
#include "window.h"

void hyp_main(uint64_t dtb_pa, unsigned el);
void hyp_secondary(void);

static unsigned choose_guest_cpus(const struct machine *machine,
				  unsigned wanted)
{
	if (machine->cpus < 2)
		refuse("one CPU is kept for the hypervisor: pass -smp 2 or "
		       "more");
	if (!wanted)
		wanted = machine->cpus - 1;
	if (wanted > NW_HYP_GUEST_CPUS_MAX)
		refuse("%u guest CPUs: at most %u", wanted,
		       NW_HYP_GUEST_CPUS_MAX);
	if (wanted >= machine->cpus)
		refuse("nw.cpus=%u needs -smp %u: one CPU is kept for the "
		       "hypervisor", wanted, wanted + 1);
	return wanted;
}

static void choose_tlb_features(void)
{
	unsigned used = features_used();

	nw_el2_tlb_init((used & NW_MAILBOX_FEATURE_TLBI_RANGE ?
				 NW_TLB_HAS_RANGE : 0) |
			(used & NW_MAILBOX_FEATURE_TTL ? NW_TLB_HAS_TTL : 0));
}

/* On the first CPU, MMU off, with QEMU's DTB. */
void hyp_main(uint64_t dtb_pa, unsigned el)
{
	struct machine machine;
	struct params params;
	uint64_t entry;
	unsigned n, i;

	mailbox_init();
	recorder_init();
	features_check(el);
	cpus_init();
	mailbox_phase(NW_PHASE_TABLES);
	el2_init(features_pa_bits());
	choose_tlb_features();
	dtb_load(dtb_pa, &machine);
	params_take(machine.bootargs, &params);
	if (params.record)
		recorder_limit(params.record);
	choose_tlb_features();
	window_init(params.fixmap);
	if (params.bench_fixmap)
		fixbench_run();
	n = choose_guest_cpus(&machine, params.guest_cpus);
	entry = guest_image_check(&machine, dtb_pa);
	features_stage2(&params);
	vm_init(NW_HYP_GUEST_PA, machine.ram_end, n, &params);
	dtb_edit(&machine, n, NW_HYP_GUEST_PA);
	dtb_store(dtb_pa);
	window_retire();
	for (i = 0; i < n; i++)
		cpus[i].is_guest = 1;
	shaker_init(&params);
	shaker_start(n);
	report("nestwalk: %u guest CPUs, %lu MiB at 0x%x, entry 0x%lx\n", n,
	       (machine.ram_end - NW_HYP_GUEST_PA) >> 20, NW_HYP_GUEST_PA,
	       entry);
	mailbox->guest_ticks = time_now();
	mailbox_phase(NW_PHASE_GUEST);
	mailbox_state(NW_MAILBOX_RUNNING);
	vcpu_enter(entry, dtb_pa);
}

/* On every other CPU, MMU on: a guest's, or the spare one. */
void hyp_secondary(void)
{
	struct cpu *cpu = this_cpu();

	NW_TRACE(NW_EV_ROOT_SWITCH, cpu->el2_root, 0, NW_REGIME_EL2);
	if (cpu->is_guest)
		vcpu_enter(cpu->entry, cpu->context);
	vcpu_install_stage2();
	nw_el2_invalidate_local_all();
	shaker_main();
}
