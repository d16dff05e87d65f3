/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"
#include "devices.h"
#include "fault.h"
#include "report.h"
#include "vm.h"

static void count_fault(const struct guest_fault *fault)
{
	count(NW_C_faults);
	count((enum nw_mailbox_counter)(NW_C_level_0 + fault->arm_level));
	count((enum nw_mailbox_counter)(NW_C_fault_reads + fault->access));
	if (fault->is_stage1_walk)
		count(NW_C_fault_s1_walks);
	if (fault->kind == FAULT_PERMISSION)
		count(NW_C_fault_permission);
}

/* For the trace: arm level, kind, access, whether on a stage-1 walk. */
static uint64_t fault_detail(const struct guest_fault *fault)
{
	return fault->arm_level | (uint64_t)fault->kind << 8 |
	       (uint64_t)fault->access << 16 |
	       (uint64_t)fault->is_stage1_walk << 24;
}

static enum fault_outcome abort_access(const struct guest_fault *fault)
{
	count(NW_C_aborts_injected);
	if (fault->ipa.v >= NW_HYP_RAM_PA && fault->ipa.v < NW_HYP_GUEST_PA) {
		count(NW_C_aborts_carveout);
		report("guest access to hypervisor memory at 0x%lx\n",
		       fault->ipa.v);
	}
	return FAULT_ABORT;
}

/* Does a leaf with these rights let the access through? */
static int allows(unsigned prot, const struct guest_fault *fault)
{
	switch (fault->access) {
	case FAULT_EXEC:
		return prot & NW_PROT_X;
	case FAULT_WRITE:
		return prot & NW_PROT_W;
	default:
		return prot & NW_PROT_R;
	}
}

static enum fault_outcome resolve(const struct guest_fault *fault)
{
	struct nw_mapping m;
	struct nw_attrs attrs;
	enum nw_status status;

	status = nw_lookup(&vm.table, nw_ia_from_ipa(fault->ipa), &m);
	if (status == NW_E_IA_RANGE)
		return abort_access(fault);
	if (status != NW_OK)
		panic_at(&vm.table, fault->ipa.v, "guest table: %s",
			 nw_status_name(status));
	if (m.kind == NW_ENTRY_LEAF) {
		status = nw_mapping_attrs(&vm.table, &m, &attrs);
		if (status != NW_OK)
			panic_at(&vm.table, fault->ipa.v, "guest table: %s",
				 nw_status_name(status));
		if (!allows(attrs.prot, fault))
			return abort_access(fault);
		/* Another CPU was faster, or a move was under way. */
		count(NW_C_spurious);
		return FAULT_RESUME;
	}
	if (vm_has_ram(fault->ipa.v)) {
		vm_map_ram(fault->ipa.v);
		count(NW_C_ram_faults);
		return FAULT_RESUME;
	}
	if (fault->access == FAULT_EXEC || !device_map(fault->ipa))
		return abort_access(fault);
	count(NW_C_device_maps);
	return FAULT_RESUME;
}

enum fault_outcome fault_handle(const struct guest_fault *fault)
{
	enum fault_outcome outcome;

	count_fault(fault);
	NW_TRACE(NW_EV_FAULT, fault->ipa.v, 0, fault_detail(fault));
	nw_port_lock(&vm.lock);
	if (vm.is_off) {
		nw_port_unlock(&vm.lock);
		count(NW_C_fault_parks);
		cpu_park();
	}
	outcome = resolve(fault);
	vm_publish_stats();
	nw_port_unlock(&vm.lock);
	return outcome;
}
