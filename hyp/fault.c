/* SPDX-License-Identifier: BSD-2-Clause */
#include "cpu.h"
#include "devices.h"
#include "dirty.h"
#include "fault.h"
#include "report.h"
#include "tlb.h"
#include "vm.h"

/* Level -1, which FEAT_LPA2 adds, comes last. */
static void count_level(int arm_level)
{
	count(arm_level < 0 ? NW_C_level_minus_1 :
			      (enum nw_mailbox_counter)(NW_C_level_0 +
							arm_level));
}

static void count_fault(const struct guest_fault *fault)
{
	count(NW_C_faults);
	count_level(fault->arm_level);
	count((enum nw_mailbox_counter)(NW_C_fault_reads + fault->access));
	if (fault->is_stage1_walk)
		count(NW_C_fault_s1_walks);
	if (fault->kind == FAULT_PERMISSION)
		count(NW_C_fault_permission);
}

/* For the trace: arm level, kind, access, whether on a stage-1 walk. */
static uint64_t fault_detail(const struct guest_fault *fault)
{
	return (uint8_t)fault->arm_level | (uint64_t)fault->kind << 8 |
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

static enum fault_outcome resume(enum nw_mailbox_counter why)
{
	count(why);
	return FAULT_RESUME;
}

/* In the middle of something that the shaker does. */
static enum fault_outcome resume_busy(const struct guest_fault *fault)
{
	if (vm_has_ram(fault->ipa.v))
		vm_wait_for_move(fault->ipa.v);
	return resume(NW_C_fault_busy);
}

/* What a repair that did not fail, or gave up, comes to. */
static enum fault_outcome repaired(const struct guest_fault *fault,
				   enum nw_status status,
				   enum nw_mailbox_counter what)
{
	if (status == NW_E_BUSY)
		return resume_busy(fault);
	if (status != NW_OK)
		panic_at(&vm.table, fault->ipa.v, "repairing: %s",
			 nw_status_name(status));
	/* What lacks its access flag is in no TLB, what lacks a right may be */
	if (fault->kind == FAULT_PERMISSION)
		nw_el2_invalidate_relaxed(fault->ipa.v);
	return resume(what);
}

/*
 * There is a leaf. All RAM may be read, written and executed: a right that is
 * missing was taken to see who wants it, and is given back to the leaf as it
 * is. If that goes, or is split, in the meantime, the guest faults again.
 */
static enum fault_outcome resolve_leaf(const struct guest_fault *fault,
				       const struct nw_mapping *m)
{
	uint64_t bytes = UINT64_C(1) << nw_span_lg2(&vm.table.geo, m->level);
	nw_ia_t leaf = NW_IA(fault->ipa.v & ~(bytes - 1));
	struct nw_attrs attrs;
	unsigned prot;
	uint64_t old;
	enum nw_status status;

	status = nw_mapping_attrs(&vm.table, m, &attrs);
	if (status != NW_OK)
		panic_at(&vm.table, fault->ipa.v, "guest table: %s",
			 nw_status_name(status));
	/* One thing at a time: hardware looks at the access flag first, and
	 * faults again if a right is missing too. */
	if (fault->kind == FAULT_ACCESS_FLAG &&
	    !(attrs.flags & NW_LEAF_ACCESSED)) {
		status = nw_age(&vm.table, leaf, bytes, NW_AGE_SET, &old,
				NULL);
		return repaired(fault, status, NW_C_access_faults);
	}
	if (!allows(attrs.prot, fault)) {
		if (!vm_has_ram(fault->ipa.v))
			return abort_access(fault);
		if (fault->kind != FAULT_PERMISSION)
			return resume(NW_C_spurious);
		prot = VM_RAM_PROT;
		if (fault->access == FAULT_WRITE)
			dirty_mark(leaf.v, bytes);
		else if (dirty_is_on())
			prot &= ~NW_PROT_W;
		status = nw_protect(&vm.table, leaf, bytes, NW_PROTECT_RELAX,
				    prot, NULL, NULL);
		return repaired(fault, status, NW_C_permission_faults);
	}
	/* Another CPU was faster, or a move was under way. */
	if (fault->kind == FAULT_PERMISSION)
		nw_el2_invalidate_relaxed(fault->ipa.v);
	return resume(NW_C_spurious);
}

static enum fault_outcome resolve_ram(const struct guest_fault *fault)
{
	switch (vm_map_ram(fault->ipa.v, fault->access)) {
	case VM_MAPPED_PAGE:
		count(NW_C_maps_page);
		return resume(NW_C_ram_faults);
	case VM_MAPPED_BLOCK:
		count(NW_C_maps_block);
		return resume(NW_C_ram_faults);
	case VM_RACED:
		return resume(NW_C_fault_raced);
	default:
		return resume_busy(fault);
	}
}

static enum fault_outcome resolve(const struct guest_fault *fault)
{
	struct nw_mapping m;
	enum nw_status status;

	status = nw_lookup(&vm.table, nw_ia_from_ipa(fault->ipa), &m);
	if (status == NW_E_IA_RANGE)
		return abort_access(fault);
	if (status == NW_E_BUSY)
		return resume_busy(fault);
	if (status != NW_OK)
		panic_at(&vm.table, fault->ipa.v, "guest table: %s",
			 nw_status_name(status));
	if (m.kind == NW_ENTRY_LEAF)
		return resolve_leaf(fault, &m);
	if (vm_has_ram(fault->ipa.v))
		return resolve_ram(fault);
	if (fault->access == FAULT_EXEC)
		return abort_access(fault);
	switch (device_map(fault->ipa)) {
	case DEVICE_MAPPED:
		return resume(NW_C_device_maps);
	case DEVICE_RACED:
		return resume(NW_C_fault_raced);
	default:
		return abort_access(fault);
	}
}

enum fault_outcome fault_handle(const struct guest_fault *fault)
{
	struct cpu *cpu = this_cpu();
	enum fault_outcome outcome;

	count_fault(fault);
	NW_TRACE(NW_EV_FAULT, fault->ipa.v, 0, fault_detail(fault));
	nw_quiescent_enter(&cpu->handling);
	if (__atomic_load_n(&vm.is_off, __ATOMIC_ACQUIRE)) {
		nw_quiescent_leave(&cpu->handling);
		count(NW_C_fault_parks);
		cpu_park();
	}
	outcome = resolve(fault);
	vm_publish_stats();
	nw_quiescent_leave(&cpu->handling);
	return outcome;
}
