/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine against published facts about hardware. Each fact is a small
 * program; with the fact's other side it must come out differently.
 */
#include "programs.h"

/* ---- scope --------------------------------------------------------------- */

CPU(unmap_local, CLEAR; DSB(ISHST); TLBI(VALE2); DSB(ISH); GONE)
CPU(unmap_broadcast, CLEAR; DSB(ISHST); TLBI(VALE2IS); DSB(ISH); GONE)
CPU(unmap_nothing, CLEAR; DSB(ISHST); GONE)
CPU(unmap_dsb_after, CLEAR; TLBI(VALE2IS); DSB(ISH); GONE)
CPU(unmap_store_dsb, CLEAR; DSB(ISHST); TLBI(VALE2IS); DSB(ISHST); GONE)
CPU(unmap_dmb, CLEAR; nwx_fence(); TLBI(VALE2IS); DSB(ISH); GONE)
CPU(unmap_hint, CLEAR; DSB(ISHST);
    nwx_tlbi(NW_TLBI_VALE2IS, IA, IA + 4096, 0, 1); DSB(ISH); GONE)
PROGRAM(local, .cpu = {unmap_local, idle});
PROGRAM(local_alone, .cpus = 1, .cpu = {unmap_local});
PROGRAM(broadcast, .cpu = {unmap_broadcast, idle});
PROGRAM(nothing, .cpu = {unmap_nothing, idle});
PROGRAM(dsb_after, .cpu = {unmap_dsb_after, idle});
PROGRAM(store_dsb, .cpu = {unmap_store_dsb, idle});
PROGRAM(dmb_only, .cpu = {unmap_dmb, idle});
PROGRAM(wrong_hint, .cpu = {unmap_hint, idle});

static void local_invalidation_leaves_other_cpu_stale(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&local), NWM_STALE);
	assert_int_equal(explore(&local_alone), NWM_OK);
}

static void broadcast_invalidation_leaves_nothing_stale(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&broadcast), NWM_OK);
	assert_int_equal(explore(&nothing), NWM_STALE);
}

static void dsb_before_invalidation_suffices_after_does_not(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&broadcast), NWM_OK);
	assert_int_equal(explore(&dsb_after), NWM_STALE);
	assert_int_equal(explore(&dmb_only), NWM_STALE);
}

/* Its own CPU's part is complete, not that of the others. */
CPU(nsh_after, CLEAR; DSB(ISH); TLBI(VAE2IS); DSB(NSH); GONE)
PROGRAM(completed_here, .cpus = 1, .cpu = {nsh_after});
PROGRAM(completed_nsh, .cpu = {nsh_after, idle});

static void dsb_nsh_completes_for_its_own_cpu(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&completed_here), NWM_OK);
	assert_int_equal(explore(&completed_nsh), NWM_STALE);
}

/* The issuer's own entries are gone; a barrier of the other CPU completes
 * nothing of what it did not issue. */
CPU(issue_nsh, CLEAR; DSB(ISH); TLBI(VAE2IS); DSB(NSH);
    nwx_store(&s->flag, 1, NWM_RELEASE))
CPU(foreign_too, (void)nwx_await(&s->flag, 1, NWX_UNTIL); DSB(ISH); GONE)
PROGRAM(foreign_own, .cpu = {issue_nsh, foreign_too});

static void dsb_of_another_cpu_leaves_its_own_entries(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&foreign_own), NWM_STALE);
}

static void dsb_for_stores_completes_no_invalidation(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&store_dsb), NWM_STALE);
}

static void level_hint_of_other_level_drops_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&wrong_hint), NWM_STALE);
}

/* ---- who completes ------------------------------------------------------- */

CPU(issue_only, CLEAR; DSB(ISHST); TLBI(VALE2IS);
    nwx_store(&s->flag, 1, NWM_RELEASE))
CPU(other_dsb, (void)nwx_await(&s->flag, 1, NWX_UNTIL); DSB(ISH); GONE)
CPU(clear_only, CLEAR; nwx_store(&s->flag, 1, NWM_RELEASE))
CPU(other_flush, (void)nwx_await(&s->flag, 1, NWX_UNTIL); DSB(ISHST);
    TLBI(VALE2IS); DSB(ISH); GONE)
PROGRAM(foreign_dsb, .cpu = {issue_only, other_dsb});
PROGRAM(handed_over, .cpu = {clear_only, other_flush});

static void dsb_of_another_cpu_completes_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&foreign_dsb), NWM_STALE);
}

static void invalidation_handed_over_in_order_is_right(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&handed_over), NWM_OK);
}

/* ---- content of a page --------------------------------------------------- */

static void setup_unmapped(void *state)
{
	setup_mapped(state);
	nwx_store(st(state)->entry, 0, NWM_RELAXED);
}

CPU(fill_and_map, nwx_store(s->data, 5, NWM_RELAXED);
    nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED))
CPU(fill_barrier_map, nwx_store(s->data, 5, NWM_RELAXED);
    nwx_barrier(NW_BARRIER_DMB_ISHST);
    nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED))

static void look(void *state)
{
	(void)state;
	note_value(nwx_read(NW_REGIME_EL2, IA));
}

PROGRAM(content_bare, .setup = setup_unmapped, .walks = 0,
	.cpu = {fill_and_map, look});
PROGRAM(content_ordered, .setup = setup_unmapped, .walks = 0,
	.cpu = {fill_barrier_map, look});

static void content_without_barrier_may_be_seen_late(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&content_bare), NWM_OK);
	assert_int_equal(seen_mask, 1 << 0 | 1 << 5);
	assert_int_equal(explore(&content_ordered), NWM_OK);
	assert_int_equal(seen_mask, 1 << 5);
}

/* ---- the walker of the CPU itself ---------------------------------------- */

CPU(map_and_use, nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED);
    s->seen = nwx_read(NW_REGIME_EL2, IA).outcome;
    seen_mask |= UINT64_C(1) << s->seen)
CPU(map_dsb_and_use, nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED);
    DSB(NSHST); s->seen = nwx_read(NW_REGIME_EL2, IA).outcome;
    seen_mask |= UINT64_C(1) << s->seen)
PROGRAM(own_bare, .setup = setup_unmapped, .cpus = 1, .cpu = {map_and_use});
PROGRAM(own_dsb, .setup = setup_unmapped, .cpus = 1, .cpu = {map_dsb_and_use});

static void own_walker_needs_a_dsb_to_see_a_new_entry(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&own_bare), NWM_OK);
	assert_int_equal(seen_mask,
			 1 << NWM_DONE | 1 << NWM_FAULT_TRANSLATION);
	assert_int_equal(explore(&own_dsb), NWM_OK);
	assert_int_equal(seen_mask, 1 << NWM_DONE);
}

/* ---- a completed broadcast, and what was done before it ------------------ */

/* A page's content is taken over by somebody who reaches it elsewhere. */
CPU(take_over, CLEAR; DSB(ISHST); TLBI(VALE2IS); DSB(ISH);
    s->seen = nwx_load(s->data, NWM_RELAXED))
CPU(take_over_early, CLEAR; DSB(ISHST); TLBI(VALE2IS);
    s->seen = nwx_load(s->data, NWM_RELAXED); DSB(ISH))
CPU(take_over_local, CLEAR; DSB(ISHST); TLBI(VALE2); DSB(ISH);
    s->seen = nwx_load(s->data, NWM_RELAXED))
CPU(take_over_nothing, CLEAR; DSB(ISH);
    s->seen = nwx_load(s->data, NWM_RELAXED))
CPU(write_through,
    s->flag = nwx_write(NW_REGIME_EL2, IA, 3).outcome == NWM_DONE)

static void finish_taken(void *state)
{
	struct machine_state *s = state;

	nwx_require(!s->flag || s->seen == 3, NWM_PROTOCOL,
		    "what was written through the old translation is missed");
}

#define TAKEN .walks = 1, .finish = finish_taken
PROGRAM(taken, TAKEN, .cpu = {take_over, write_through});
PROGRAM(taken_early, TAKEN, .cpu = {take_over_early, write_through});
PROGRAM(taken_local, TAKEN, .cpu = {take_over_local, write_through});
PROGRAM(taken_nothing, TAKEN, .cpu = {take_over_nothing, write_through});

static void completed_broadcast_completes_earlier_writes(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&taken), NWM_OK);
	assert_int_equal(explore(&taken_early), NWM_PROTOCOL);
	assert_int_equal(explore(&taken_local), NWM_PROTOCOL);
	assert_int_equal(explore(&taken_nothing), NWM_PROTOCOL);
}

/* ---- hardware dirty state ------------------------------------------------ */

/* Read-only but for DBM: hardware may give the write right, and so marks it. */
#define CLEAN (NWS_EL2_PAGE(s->out) | NWS_READ_ONLY | NWS_DBM)

static void setup_clean(void *state)
{
	struct machine_state *s = state;

	setup_mapped(state);
	nwx_store(s->entry, CLEAN, NWM_RELAXED);
}

static void write_frame(void *state)
{
	if (nwx_write(NW_REGIME_EL2, IA, 3).outcome == NWM_DONE)
		nwx_store(&st(state)->flag, 1, NWM_RELAXED);
}

/* Harvest: replace the entry, note whether it was dirty. */
CPU(harvest_plain, uint64_t old = nwx_load(s->entry, NWM_RELAXED);
    nwx_store(s->entry, 0, NWM_RELAXED); s->seen = !(old & NWS_READ_ONLY))
CPU(harvest_swap, uint64_t old = nwx_xchg(s->entry, 0);
    s->seen = !(old & NWS_READ_ONLY))
CPU(harvest_cas, uint64_t old = nwx_load(s->entry, NWM_RELAXED);
    while (!nwx_cmpxchg(s->entry, &old, 0));
    s->seen = !(old & NWS_READ_ONLY))

#define DIRTY                                                                  \
	.setup = setup_clean, .walks = 0, .finish = finish_dirty,              \
	.machine = {.has_haf = 1, .has_hd = 1}
PROGRAM(dirty_plain, DIRTY, .cpu = {harvest_plain, write_frame});
PROGRAM(dirty_swap, DIRTY, .cpu = {harvest_swap, write_frame});
PROGRAM(dirty_cas, DIRTY, .cpu = {harvest_cas, write_frame});

static void dirty_state_survives_atomics_not_plain_store(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&dirty_plain), NWM_LOST_DIRTY);
	assert_int_equal(explore(&dirty_swap), NWM_OK);
	assert_int_equal(explore(&dirty_cas), NWM_OK);
}

/* ---- what needs a break -------------------------------------------------- */

CPU(permission, nwx_store(s->entry, NWS_EL2_PAGE(s->out) | NWS_READ_ONLY,
			  NWM_RELAXED);
    DSB(ISHST); TLBI(VALE2IS); DSB(ISH);
    nwx_frame_allow(s->frame, NWM_R))
CPU(memory_type, nwx_store(s->entry, NWS_EL2_PAGE(s->out) ^ 0x8, NWM_RELAXED);
    DSB(ISHST); TLBI(VALE2IS); DSB(ISH))
PROGRAM(change_permission, .cpu = {permission, idle});
PROGRAM(change_type, .cpu = {memory_type, idle});

static void permission_change_needs_no_break_type_does(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&change_permission), NWM_OK);
	assert_int_equal(explore(&change_type), NWM_AMALGAM);
}

/* ---- sizes and FEAT_BBM -------------------------------------------------- */

static void setup_s2_block(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_STAGE2, 7, IA, 0xf);

	s->entry = &t.middle[IA >> 21 & 511];
	s->data = t.leaves;
	for (unsigned i = 0; i < NWM_PAGE_WORDS; i++)
		nwx_store(&t.leaves[i],
			  NWS_S2_PAGE(UINT64_C(0x80000000) + i * 4096ul),
			  NWM_RELAXED);
	nwx_store(s->entry, NWS_S2_BLOCK(UINT64_C(0x80000000)), NWM_RELAXED);
	nwx_watch(NW_REGIME_STAGE2, IA);
}

CPU(block_to_table, nwx_store(s->entry, NWS_TABLE(nwx_pa(s->data)),
			      NWM_RELEASE);
    DSB(ISHST);
    nwx_tlbi(NW_TLBI_IPAS2E1IS, IA, IA + NWS_BLOCK_BYTES, 7, -1); DSB(ISH);
    nwx_tlbi(NW_TLBI_VMALLE1IS, 0, 0, 7, -1); DSB(ISH))
PROGRAM(size_bbm0, .setup = setup_s2_block, .cpu = {block_to_table, idle});
PROGRAM(size_bbm2, .setup = setup_s2_block, .machine = {.bbm_level = 2},
	.cpu = {block_to_table, idle});

static void size_change_without_break_needs_bbm_level_2(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&size_bbm0), NWM_AMALGAM);
	assert_int_equal(explore(&size_bbm2), NWM_OK);
}

/* ---- two stages ---------------------------------------------------------- */

static void setup_s2_page(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_STAGE2, 7, IA, 0xf);

	s->entry = t.leaves;
	s->data = nws_frame_make("the frame", NWM_R | NWM_W, &s->frame);
	s->out = nwx_pa(s->data);
	nwx_store(s->entry, NWS_S2_PAGE(s->out), NWM_RELAXED);
	nwx_watch(NW_REGIME_STAGE2, IA);
}

#define IPAS2 nwx_tlbi(NW_TLBI_IPAS2E1IS, IA, IA + 4096, 7, 0)
#define COMBINED(vmid) nwx_tlbi(NW_TLBI_VMALLE1IS, 0, 0, vmid, -1)
CPU(s2_right, CLEAR; DSB(ISHST); IPAS2; DSB(ISH); COMBINED(7); DSB(ISH); GONE)
CPU(s2_no_middle, CLEAR; DSB(ISHST); IPAS2; COMBINED(7); DSB(ISH); GONE)
CPU(s2_by_ipa_only, CLEAR; DSB(ISHST); IPAS2; DSB(ISH); GONE)
CPU(s2_combined_only, CLEAR; DSB(ISHST); COMBINED(7); DSB(ISH); GONE)
CPU(s2_other_vmid, CLEAR; DSB(ISHST); IPAS2; DSB(ISH); COMBINED(8); DSB(ISH);
    GONE)
#define STAGE2 .setup = setup_s2_page
PROGRAM(stage2_right, STAGE2, .cpu = {s2_right, idle});
PROGRAM(stage2_no_middle, STAGE2, .cpu = {s2_no_middle, idle});
PROGRAM(stage2_by_ipa, STAGE2, .cpu = {s2_by_ipa_only, idle});
PROGRAM(stage2_combined, STAGE2, .cpu = {s2_combined_only, idle});
PROGRAM(stage2_vmid, STAGE2, .cpu = {s2_other_vmid, idle});

static void stage2_invalidation_needs_both_rounds_and_the_barrier(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&stage2_right), NWM_OK);
	assert_int_equal(explore(&stage2_no_middle), NWM_STALE);
	assert_int_equal(explore(&stage2_by_ipa), NWM_STALE);
	assert_int_equal(explore(&stage2_combined), NWM_STALE);
	assert_int_equal(explore(&stage2_vmid), NWM_STALE);
}

/* ---- walk caches --------------------------------------------------------- */

static void setup_walk(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_EL2, 0, IA, 0xf);

	s->entry = &t.middle[IA >> 21 & 511];
	s->data = t.leaves;
	nwx_watch(NW_REGIME_EL2, IA);
}

CPU(drop_table, CLEAR; DSB(ISHST); TLBI(VAE2IS); DSB(ISH);
    nwx_page_free(s->data, 0))
CPU(drop_table_leaf_only, CLEAR; DSB(ISHST);
    nwx_tlbi(NW_TLBI_VALE2IS, IA, IA + 4096, 0, -1); DSB(ISH);
    nwx_page_free(s->data, 0))
CPU(drop_table_early, CLEAR; DSB(ISHST); TLBI(VAE2IS);
    nwx_page_free(s->data, 0); DSB(ISH))
PROGRAM(table_drop, .setup = setup_walk, .cpu = {drop_table, idle});
PROGRAM(table_drop_leaf, .setup = setup_walk,
	.cpu = {drop_table_leaf_only, idle});
PROGRAM(table_drop_early, .setup = setup_walk, .cpu = {drop_table_early, idle});

static void last_level_invalidation_leaves_walk_caches(void **unused)
{
	(void)unused;
	assert_int_equal(explore(&table_drop), NWM_OK);
	assert_int_equal(explore(&table_drop_leaf), NWM_TABLE_FREED);
	assert_int_equal(explore(&table_drop_early), NWM_TABLE_FREED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_invalidation_leaves_other_cpu_stale),
		cmocka_unit_test(broadcast_invalidation_leaves_nothing_stale),
		cmocka_unit_test(
			dsb_before_invalidation_suffices_after_does_not),
		cmocka_unit_test(dsb_for_stores_completes_no_invalidation),
		cmocka_unit_test(dsb_nsh_completes_for_its_own_cpu),
		cmocka_unit_test(dsb_of_another_cpu_leaves_its_own_entries),
		cmocka_unit_test(level_hint_of_other_level_drops_nothing),
		cmocka_unit_test(dsb_of_another_cpu_completes_nothing),
		cmocka_unit_test(invalidation_handed_over_in_order_is_right),
		cmocka_unit_test(content_without_barrier_may_be_seen_late),
		cmocka_unit_test(own_walker_needs_a_dsb_to_see_a_new_entry),
		cmocka_unit_test(completed_broadcast_completes_earlier_writes),
		cmocka_unit_test(dirty_state_survives_atomics_not_plain_store),
		cmocka_unit_test(permission_change_needs_no_break_type_does),
		cmocka_unit_test(size_change_without_break_needs_bbm_level_2),
		cmocka_unit_test(
			stage2_invalidation_needs_both_rounds_and_the_barrier),
		cmocka_unit_test(last_level_invalidation_leaves_walk_caches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
