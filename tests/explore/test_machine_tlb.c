/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What TLBs of arm64 may hold and do beyond one entry for one page: contiguous
 * runs, conflict aborts, faults that are out of date, roots and VMIDs that
 * change, updates by hardware. Each fact with its other side.
 */
#include "programs.h"

#define EL2 NW_REGIME_EL2
#define S2 NW_REGIME_STAGE2

/* ---- contiguous runs ----------------------------------------------------- */

#define CONT (UINT64_C(1) << 52)
#define MEMBERS 16u

/* 16 pages behind one run; the frame is that of member 5. */
static void setup_run_of(void *state, uint64_t bits)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(EL2, 0, IA, 0xf);

	s->entry = t.leaves;
	s->data = nwx_page_alloc(4);
	s->out = nwx_pa(s->data);
	s->frame = nwm_frame_add("member 5", s->out + 5 * 4096, 4096,
				 NWM_R | NWM_W);
	for (unsigned i = 0; i < MEMBERS; i++)
		nwx_store(&s->entry[i], NWS_EL2_PAGE(s->out + i * 4096) | bits,
			  NWM_RELAXED);
	nwx_watch(EL2, IA);
}

static void setup_run(void *state)
{
	setup_run_of(state, CONT);
}

static void store_all(struct machine_state *s, uint64_t bits, int is_valid)
{
	for (uint64_t i = 0; i < MEMBERS; i++)
		nwx_store(&s->entry[i],
			  is_valid ? NWS_EL2_PAGE(s->out + i * 4096) | bits : 0,
			  NWM_RELAXED);
}

CPU(run_other_member, store_all(s, 0, 0); DSB(ISHST);
    TLBI_AT(VALE2IS, IA + 9 * 4096, 0); DSB(ISH); GONE)
CPU(run_outside, store_all(s, 0, 0); DSB(ISHST);
    TLBI_AT(VALE2IS, IA + MEMBERS * 4096, 0); DSB(ISH); GONE)
#define RUN .setup = setup_run, .machine = {.has_runs = 1}
PROGRAM(run_any_address, RUN, .cpu = {run_other_member, idle});
PROGRAM(run_no_address, RUN, .cpu = {run_outside, idle});
PROGRAM(run_ignored, .setup = setup_run, .cpu = {run_outside, idle});

/* Nobody walks to member 5; only an entry for the whole run leads there. */
static void run_entry_covers_all_and_goes_with_any_of_its_addresses(void **x)
{
	(void)x;
	assert_int_equal(explore(&run_any_address), NWM_OK);
	assert_int_equal(explore(&run_no_address), NWM_STALE);
	assert_int_equal(explore(&run_ignored), NWM_OK);
}

CPU(run_one_elsewhere, nwx_store(&s->entry[5],
				 NWS_EL2_PAGE(s->out + 6 * 4096) | CONT,
				 NWM_RELAXED);
    DSB(ISHST); TLBI_AT(VALE2IS, IA + 5 * 4096, 0); DSB(ISH))
/* Accessed and written state may differ between members, and rights while
 * they are changed one by one. */
CPU(run_one_read_only, nwx_store(&s->entry[5],
				 NWS_EL2_PAGE(s->out + 5 * 4096) | CONT |
					 NWS_READ_ONLY,
				 NWM_RELAXED);
    DSB(ISHST); TLBI_AT(VALE2IS, IA + 5 * 4096, 0); DSB(ISH))
PROGRAM(run_inconsistent, RUN, .cpu = {run_one_elsewhere, idle});
PROGRAM(run_rights, RUN, .cpu = {run_one_read_only, idle});

static void run_whose_members_disagree_gives_an_arbitrary_one(void **x)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)x;
	assert_int_equal(nwx_explore(&run_inconsistent, &o, &r), 0);
	assert_int_equal(r.violation, NWM_AMALGAM);
	assert_non_null(strstr(r.text, "members of the contiguous run"));
	free(r.choices);
	assert_int_equal(explore(&run_rights), NWM_OK);
}

CPU(run_dissolve, store_all(s, 0, 1); DSB(ISHST);
    for (uint64_t i = 0; i < MEMBERS; i++)
	TLBI_AT(VALE2IS, IA + i * 4096, 0);
    DSB(ISH))
#define RUN_BBM(level)                                                         \
	.setup = setup_run, .walks = 1,                                        \
	.machine = {.has_runs = 1, .bbm_level = level}
PROGRAM(run_bit_bbm0, RUN_BBM(0), .cpu = {run_dissolve, idle});
PROGRAM(run_bit_bbm1, RUN_BBM(1), .cpu = {run_dissolve, idle});

static void run_bit_changes_in_place_from_bbm_level_1(void **x)
{
	(void)x;
	assert_int_equal(explore(&run_bit_bbm0), NWM_AMALGAM);
	assert_int_equal(explore(&run_bit_bbm1), NWM_OK);
}

/* Two members, clean; hardware may record a write to one in the other. */
static void setup_clean_run(void *state)
{
	setup_run_of(state, CONT | NWS_READ_ONLY | NWS_DBM);
}

static int is_dirty(struct machine_state *s, unsigned member)
{
	return !(nwx_load(&s->entry[member], NWM_RELAXED) & NWS_READ_ONLY);
}

static void finish_member(void *state)
{
	struct machine_state *s = state;

	nwx_require(!s->flag || is_dirty(s, 0), NWM_LOST_DIRTY,
		    "the member that was written does not say so");
}

static void finish_run(void *state)
{
	struct machine_state *s = state;

	nwx_require(!s->flag || is_dirty(s, 0) || is_dirty(s, 1),
		    NWM_LOST_DIRTY, "no member says so");
}

CPU(write_once, s->flag = nwx_write(EL2, IA, 3).outcome == NWM_DONE)
#define CLEAN_RUN                                                              \
	.cpus = 1, .walks = 0, .setup = setup_clean_run,                       \
	.machine = {.has_runs = 1, .has_haf = 1, .has_hd = 1}
PROGRAM(run_dirty_member, CLEAN_RUN, .finish = finish_member,
	.cpu = {write_once});
PROGRAM(run_dirty_or, CLEAN_RUN, .finish = finish_run, .cpu = {write_once});

static void run_dirty_state_is_the_or_over_its_members(void **x)
{
	(void)x;
	assert_int_equal(explore(&run_dirty_member), NWM_LOST_DIRTY);
	assert_int_equal(explore(&run_dirty_or), NWM_OK);
}

/* ---- conflict aborts ----------------------------------------------------- */

static void setup_s2_block(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(S2, 7, IA, 0xf);

	s->entry = &t.middle[IA >> 21 & 511];
	s->data = t.leaves;
	for (unsigned i = 0; i < NWM_PAGE_WORDS; i++)
		nwx_store(&t.leaves[i],
			  NWS_S2_PAGE(UINT64_C(0x80000000) + i * 4096ul),
			  NWM_RELAXED);
	nwx_store(s->entry, NWS_S2_BLOCK(UINT64_C(0x80000000)), NWM_RELAXED);
	nwx_watch(S2, IA);
}

CPU(block_to_table,
    nwx_store(s->entry, NWS_TABLE(nwx_pa(s->data)), NWM_RELEASE);
    DSB(ISHST);
    nwx_tlbi(NW_TLBI_IPAS2E1IS, IA, IA + NWS_BLOCK_BYTES, 7, -1); DSB(ISH);
    nwx_tlbi(NW_TLBI_VMALLE1IS, 0, 0, 7, -1); DSB(ISH))
CPU(guest_reads, note_outcome(nwx_read(S2, IA)))
#define SIZE(level, what)                                                      \
	.setup = setup_s2_block, .cpu = {block_to_table, guest_reads},         \
	.machine = {.bbm_level = level, .multihit = what}
PROGRAM(size_mixes, SIZE(0, NWM_MIXES));
PROGRAM(size_aborts, SIZE(0, NWM_MAY_ABORT),
	.expect = {NWM_AMALGAM, NWM_CONFLICT});
PROGRAM(size_bbm2_mixes, SIZE(2, NWM_MIXES));
PROGRAM(size_bbm2_aborts, SIZE(2, NWM_MAY_ABORT));

CPU(memory_type, nwx_store(s->entry, NWS_EL2_PAGE(s->out) ^ 0x8, NWM_RELAXED);
    DSB(ISHST); TLBI_AT(VALE2IS, IA, 0); DSB(ISH))
PROGRAM(type_aborts, .cpu = {memory_type, idle},
	.machine = {.multihit = NWM_MAY_ABORT},
	.expect = {NWM_AMALGAM, NWM_CONFLICT});

static void two_live_entries_mix_or_abort_as_the_profile_says(void **x)
{
	(void)x;
	assert_int_equal(explore(&size_mixes), NWM_AMALGAM);
	assert_int_equal(explore_for(&size_aborts, NWM_AMALGAM), NWM_AMALGAM);
	assert_int_equal(explore_for(&size_aborts, NWM_CONFLICT),
			 NWM_CONFLICT);
	assert_int_equal(explore_for(&type_aborts, NWM_AMALGAM), NWM_AMALGAM);
	assert_int_equal(explore_for(&type_aborts, NWM_CONFLICT),
			 NWM_CONFLICT);
	assert_int_equal(explore(&size_bbm2_mixes), NWM_OK);
	/* Level 2 alone does not say that there is no abort. */
	assert_int_equal(explore(&size_bbm2_aborts), NWM_CONFLICT);
}

/* ---- faults that are out of date ----------------------------------------- */

static void setup_unmapped(void *state)
{
	setup_mapped(state);
	nwx_store(st(state)->entry, 0, NWM_RELAXED);
}

static void setup_read_only(void *state)
{
	setup_mapped(state);
	nwx_store(st(state)->entry,
		  NWS_EL2_PAGE(st(state)->out) | NWS_READ_ONLY, NWM_RELAXED);
}

#define MAKE nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED)
#define READ note_outcome(nwx_read(EL2, IA))
#define WRITE note_outcome(nwx_write(EL2, IA, 3))
CPU(make_no_isb, MAKE; DSB(ISHST); READ)
CPU(make_isb, MAKE; DSB(ISHST); ISB; READ)
CPU(relax_bare, MAKE; DSB(ISHST); ISB; WRITE)
CPU(relax_flush, MAKE; DSB(ISHST); TLBI_AT(VALE2, IA, 0); DSB(NSH); ISB; WRITE)
#define LAZY .cpus = 1, .machine = {.has_spurious = 1}
PROGRAM(fault_no_isb, LAZY, .setup = setup_unmapped, .cpu = {make_no_isb});
PROGRAM(fault_isb, LAZY, .setup = setup_unmapped, .cpu = {make_isb});
PROGRAM(fault_relax, LAZY, .setup = setup_read_only, .cpu = {relax_bare});
PROGRAM(fault_relax_flush, LAZY, .setup = setup_read_only,
	.cpu = {relax_flush});
PROGRAM(fault_exact, .cpus = 1, .setup = setup_read_only, .cpu = {relax_bare});

static void fault_may_be_spurious_until_isb_or_invalidation(void **x)
{
	const uint64_t done = 1 << NWM_DONE;

	(void)x;
	assert_int_equal(explore(&fault_no_isb), NWM_OK);
	assert_int_equal(seen_mask, done | 1 << NWM_FAULT_TRANSLATION);
	assert_int_equal(explore(&fault_isb), NWM_OK);
	assert_int_equal(seen_mask, done);
	assert_int_equal(explore(&fault_relax), NWM_OK);
	assert_int_equal(seen_mask, done | 1 << NWM_FAULT_PERMISSION);
	assert_int_equal(explore(&fault_relax_flush), NWM_OK);
	assert_int_equal(seen_mask, done);
	assert_int_equal(explore(&fault_exact), NWM_OK);
	assert_int_equal(seen_mask, done);
}

/* ---- roots and VMIDs ----------------------------------------------------- */

/* Two VMs that have a page at one address: 1 in that of A, 2 in that of B. */
static struct nwm_root root_a, root_b, root_none;

static struct nwm_root vm_make(struct machine_state *s, unsigned vmid,
			       uint64_t content, unsigned more)
{
	struct nws_table t = nws_table_make(S2, vmid, IA, 0xf);

	for (unsigned i = 0; i <= more; i++) {
		s->data = nwx_page_alloc(0);
		nwx_store(s->data, content + i, NWM_RELAXED);
		nwx_store(&t.leaves[i], NWS_S2_PAGE(nwx_pa(s->data)),
			  NWM_RELAXED);
	}
	return nwm_root_get(0, S2);
}

static void setup_vms_with(void *state, unsigned vmid_b)
{
	root_none = (struct nwm_root){.pa = nwx_pa(nwx_page_alloc(0)),
				      .levels = 3,
				      .ia_bits = 39};
	root_b = vm_make(state, vmid_b, 2, 0);
	root_a = vm_make(state, 7, 1, 0);
	nwx_watch(S2, IA);
}

static void setup_vms(void *state)
{
	setup_vms_with(state, 8);
}

static void setup_vms_one_id(void *state)
{
	setup_vms_with(state, 7);
}

#define SWITCH(root) nwx_root_switch(S2, root)
#define VALUE note_value(nwx_read(S2, IA))
CPU(switch_isb, SWITCH(root_b); ISB; VALUE)
CPU(switch_bare, SWITCH(root_b); VALUE)
CPU(switch_via_none, SWITCH(root_none); ISB;
    nwx_tlbi(NW_TLBI_ALLE1, 0, 0, 0, -1); DSB(NSH); ISB; SWITCH(root_b); ISB;
    VALUE)
CPU(switch_no_dsb, SWITCH(root_none); ISB;
    nwx_tlbi(NW_TLBI_ALLE1, 0, 0, 0, -1); SWITCH(root_b); ISB; VALUE)
/* The old root walks on until the ISB: what it fills is not invalidated. */
CPU(switch_no_isb, SWITCH(root_none); nwx_tlbi(NW_TLBI_ALLE1, 0, 0, 0, -1);
    DSB(NSH); SWITCH(root_b); ISB; VALUE)
#define VMS .cpus = 1, .setup = setup_vms
#define VMS_ONE_ID .cpus = 1, .setup = setup_vms_one_id
PROGRAM(root_isb, VMS, .cpu = {switch_isb});
PROGRAM(root_bare, VMS, .cpu = {switch_bare});
PROGRAM(vmid_reused, VMS_ONE_ID, .cpu = {switch_isb});
PROGRAM(vmid_reused_flush, VMS_ONE_ID, .cpu = {switch_via_none});
PROGRAM(vmid_reused_no_dsb, VMS_ONE_ID, .cpu = {switch_no_dsb});
PROGRAM(vmid_reused_no_isb, VMS_ONE_ID, .cpu = {switch_no_isb});
/* Amalgamation is reported first; without it the access itself is wrong. */
PROGRAM(vmid_reused_read, VMS_ONE_ID, .cpu = {switch_isb},
	.expect = {NWM_AMALGAM, NWM_STALE});

static void root_written_is_certain_after_an_isb_only(void **x)
{
	(void)x;
	assert_int_equal(explore(&root_isb), NWM_OK);
	assert_int_equal(seen_mask, 1 << 2);
	assert_int_equal(explore(&root_bare), NWM_OK);
	assert_int_equal(seen_mask, 1 << 1 | 1 << 2);
}

static void vmid_used_again_needs_an_invalidation_between(void **x)
{
	(void)x;
	assert_int_equal(explore(&vmid_reused), NWM_AMALGAM);
	assert_int_equal(explore_for(&vmid_reused_read, NWM_STALE), NWM_OK);
	assert_int_equal(seen_mask, 1 << 1 | 1 << 2);
	assert_int_equal(explore(&vmid_reused_flush), NWM_OK);
	assert_int_equal(seen_mask, 1 << 2);
	assert_int_equal(explore(&vmid_reused_no_dsb), NWM_AMALGAM);
	assert_int_equal(explore(&vmid_reused_no_isb), NWM_AMALGAM);
}

/* Two vCPUs of one VM: one address of theirs, two of the VM's. */
static void setup_vcpus(void *state)
{
	root_none = (struct nwm_root){.pa = nwx_pa(nwx_page_alloc(0)),
				      .levels = 3,
				      .ia_bits = 39};
	root_a = vm_make(state, 7, 1, 2);
	root_b = root_a;
	root_a.guest_offset = 4096;
	root_b.guest_offset = 2 * 4096;
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		nwx_root_set(cpu, S2, root_a);
	nwx_watch(S2, IA);
}

CPU(vcpu_bare, VALUE; SWITCH(root_b); ISB; VALUE)
CPU(vcpu_flush, SWITCH(root_none); ISB;
    nwx_tlbi(NW_TLBI_VMALLE1, 0, 0, 7, -1); DSB(NSH); ISB; SWITCH(root_b); ISB;
    VALUE)
CPU(vcpu_flush_vmid, SWITCH(root_none); ISB;
    nwx_tlbi(NW_TLBI_VMALLE1, 0, 0, 8, -1); DSB(NSH); ISB; SWITCH(root_b); ISB;
    VALUE)
CPU(vcpu_flush_no_dsb, SWITCH(root_none); ISB;
    nwx_tlbi(NW_TLBI_VMALLE1, 0, 0, 7, -1); SWITCH(root_b); ISB; VALUE)
#define VCPUS .cpus = 1, .setup = setup_vcpus, .expect = {NWM_AMALGAM}
PROGRAM(vcpus_bare, VCPUS, .cpu = {vcpu_bare});
PROGRAM(vcpus_flush, VCPUS, .cpu = {vcpu_flush});
PROGRAM(vcpus_vmid, VCPUS, .cpu = {vcpu_flush_vmid});
PROGRAM(vcpus_no_dsb, VCPUS, .cpu = {vcpu_flush_no_dsb});

static void vcpu_switch_needs_a_local_invalidation_of_its_vmid(void **x)
{
	(void)x;
	assert_int_equal(explore(&vcpus_bare), NWM_AMALGAM);
	assert_int_equal(explore(&vcpus_flush), NWM_OK);
	assert_int_equal(seen_mask, 1 << 3);
	assert_int_equal(explore(&vcpus_vmid), NWM_AMALGAM);
	assert_int_equal(explore(&vcpus_no_dsb), NWM_AMALGAM);
}

/* ---- updates by hardware are told ---------------------------------------- */

struct told {
	unsigned updates;
	uint64_t entry, old, new_value;
};

static void tell(const struct nwx_record *r, void *arg)
{
	struct told *t = arg;

	if (r->event != NW_EV_HW_UPDATE)
		return;
	t->updates++;
	t->entry = r->a;
	t->old = r->b;
	t->new_value = r->c;
}

static uint64_t *clean_entry;

static void setup_clean(void *state)
{
	setup_mapped(state);
	clean_entry = st(state)->entry;
	nwx_store(clean_entry,
		  (NWS_EL2_PAGE(st(state)->out) | NWS_READ_ONLY | NWS_DBM) &
			  ~NWS_AF,
		  NWM_RELAXED);
}

CPU(write_it, WRITE)
PROGRAM(updated, .cpus = 1, .walks = 0, .setup = setup_clean,
	.machine = {.has_haf = 1, .has_hd = 1}, .cpu = {write_it});
PROGRAM(not_updated, .cpus = 1, .walks = 0, .setup = setup_clean,
	.cpu = {write_it});

static void hardware_update_is_an_event_with_both_values(void **x)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct told t = {0};
	struct nwx_result r;

	(void)x;
	assert_int_equal(nwx_replay(&updated, &o, "", &r, tell, &t), 0);
	assert_int_equal(t.updates, 1);
	assert_int_equal(t.entry, (uintptr_t)clean_entry);
	assert_int_equal(t.old & (NWS_AF | NWS_READ_ONLY), NWS_READ_ONLY);
	assert_int_equal(t.new_value,
			 (t.old | NWS_AF) & ~NWS_READ_ONLY);
	t.updates = 0;
	assert_int_equal(nwx_replay(&not_updated, &o, "", &r, tell, &t), 0);
	assert_int_equal(t.updates, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			run_entry_covers_all_and_goes_with_any_of_its_addresses),
		cmocka_unit_test(
			run_whose_members_disagree_gives_an_arbitrary_one),
		cmocka_unit_test(run_bit_changes_in_place_from_bbm_level_1),
		cmocka_unit_test(run_dirty_state_is_the_or_over_its_members),
		cmocka_unit_test(
			two_live_entries_mix_or_abort_as_the_profile_says),
		cmocka_unit_test(
			fault_may_be_spurious_until_isb_or_invalidation),
		cmocka_unit_test(root_written_is_certain_after_an_isb_only),
		cmocka_unit_test(vmid_used_again_needs_an_invalidation_between),
		cmocka_unit_test(
			vcpu_switch_needs_a_local_invalidation_of_its_vmid),
		cmocka_unit_test(hardware_update_is_an_event_with_both_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
