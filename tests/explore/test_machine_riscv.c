/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as RISC-V: fences of one hart, interrupts between harts. The
 * facts of test_machine.c where they apply, and their own.
 */
#include "programs.h"

#define RV NW_REGIME_RISCV_S

static uint64_t *table_page;

#define RV_TABLE(pa) ((pa) >> 2 | UINT64_C(0x1))
#define RV_WRITE UINT64_C(0x4)
#define RV_DIRTY UINT64_C(0x80)
#define RV_PAGE(pa) ((pa) >> 2 | UINT64_C(0xc7)) /* D A W R V */
#define RV_NAPOT(pa) (((pa) | UINT64_C(0x8000)) >> 2 | UINT64_C(0xc7) |        \
		      UINT64_C(1) << 63)

static void setup_riscv(void *state)
{
	struct machine_state *s = state;
	uint64_t *top = nwx_page_alloc(0), *middle = nwx_page_alloc(0);
	struct nwm_root root = {.pa = nwx_pa(top), .levels = 3, .ia_bits = 39};

	table_page = nwx_page_alloc(0);
	nwx_store(&top[IA >> 30 & 511], RV_TABLE(nwx_pa(middle)), NWM_RELAXED);
	nwx_store(&middle[IA >> 21 & 511], RV_TABLE(nwx_pa(table_page)),
		  NWM_RELAXED);
	s->entry = table_page;
	s->data = nws_frame_make("the frame", NWM_R | NWM_W, &s->frame);
	s->out = nwx_pa(s->data);
	nwx_store(s->entry, RV_PAGE(s->out), NWM_RELAXED);
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		nwx_root_set(cpu, RV, root);
	nwx_watch(RV, IA);
}

#define SFENCE TLBI_AT(RISCV_SFENCE_VMA, IA, 0)
#define SFENCE_ALL nwx_tlbi(NW_TLBI_RISCV_SFENCE_VMA_ALL, 0, 0, 0, -1)

static void sfence(void *state, unsigned from, uint64_t ticket)
{
	(void)state;
	(void)from;
	(void)ticket;
	SFENCE;
}

static void sfence_all(void *state, unsigned from, uint64_t ticket)
{
	(void)state;
	(void)from;
	(void)ticket;
	SFENCE_ALL;
}

static void setup_riscv_ipi(void *state)
{
	setup_riscv(state);
	nwx_ipi_handler(sfence);
}

#define RISCV .machine = {.arch = NWM_RISCV}, .setup = setup_riscv
#define RISCV_IPI .machine = {.arch = NWM_RISCV}, .setup = setup_riscv_ipi
CPU(rv_local, CLEAR; SFENCE; GONE)
CPU(rv_fence, CLEAR; BARRIER(RISCV_FENCE_RW); GONE)
CPU(rv_shootdown, CLEAR; SFENCE; EVERYWHERE; GONE)
CPU(rv_no_wait, CLEAR; SFENCE; (void)nwx_ipi_send(2); GONE)
PROGRAM(riscv_alone, RISCV, .cpus = 1, .cpu = {rv_local});
PROGRAM(riscv_fence, RISCV, .cpus = 1, .cpu = {rv_fence});
PROGRAM(riscv_local, RISCV, .cpu = {rv_local, idle});
PROGRAM(riscv_ipi, RISCV_IPI, .cpu = {rv_shootdown, idle});
PROGRAM(riscv_no_wait, RISCV_IPI, .cpu = {rv_no_wait, idle});

static void riscv_fence_of_one_hart_leaves_the_others_stale(void **x)
{
	(void)x;
	assert_int_equal(explore(&riscv_alone), NWM_OK);
	assert_int_equal(explore(&riscv_fence), NWM_STALE);
	assert_int_equal(explore(&riscv_local), NWM_STALE);
	assert_int_equal(explore(&riscv_ipi), NWM_OK);
	assert_int_equal(explore(&riscv_no_wait), NWM_STALE);
}

/* By address SFENCE.VMA concerns leaf entries only. */
#define UNLINK nwx_store(s->entry, 0, NWM_RELAXED)

static void setup_riscv_table(void *state)
{
	struct machine_state *s = state;

	setup_riscv_ipi(state);
	nwx_store(s->entry, 0, NWM_RELAXED);
	s->entry = table_page - 512 + (IA >> 21 & 511);
}

static void setup_riscv_table_all(void *state)
{
	setup_riscv_table(state);
	nwx_ipi_handler(sfence_all);
}

CPU(rv_drop_leaf, UNLINK; SFENCE; EVERYWHERE; nwx_page_free(table_page, 0))
CPU(rv_drop_all, UNLINK; SFENCE_ALL; EVERYWHERE; nwx_page_free(table_page, 0))
PROGRAM(riscv_drop_leaf, .machine = {.arch = NWM_RISCV},
	.setup = setup_riscv_table, .cpu = {rv_drop_leaf, idle});
PROGRAM(riscv_drop_all, .machine = {.arch = NWM_RISCV},
	.setup = setup_riscv_table_all, .cpu = {rv_drop_all, idle});

static void riscv_fence_by_address_leaves_walk_caches(void **x)
{
	(void)x;
	assert_int_equal(explore(&riscv_drop_leaf), NWM_TABLE_FREED);
	assert_int_equal(explore(&riscv_drop_all), NWM_OK);
}

/* Nothing may be cached; the entry is there, and the hart still faults. */
static void setup_riscv_unmapped(void *state)
{
	setup_riscv(state);
	nwx_store(st(state)->entry, 0, NWM_RELAXED);
}

CPU(rv_make, nwx_store(s->data, 5, NWM_RELAXED);
    nwx_store(s->entry, RV_PAGE(s->out), NWM_RELAXED))
CPU(rv_make_fence, nwx_store(s->data, 5, NWM_RELAXED);
    BARRIER(RISCV_FENCE_W); nwx_store(s->entry, RV_PAGE(s->out), NWM_RELAXED))
CPU(rv_look, (void)s; note_value(nwx_read(RV, IA)))
CPU(rv_make_use, nwx_store(s->entry, RV_PAGE(s->out), NWM_RELAXED);
    BARRIER(RISCV_FENCE_RW); note_outcome(nwx_read(RV, IA)))
CPU(rv_make_sfence_use, nwx_store(s->entry, RV_PAGE(s->out), NWM_RELAXED);
    SFENCE; note_outcome(nwx_read(RV, IA)))
#define UNMAPPED .setup = setup_riscv_unmapped
PROGRAM(riscv_content, UNMAPPED, .machine = {.arch = NWM_RISCV}, .walks = 0,
	.cpu = {rv_make, rv_look});
PROGRAM(riscv_content_fence, UNMAPPED, .machine = {.arch = NWM_RISCV},
	.walks = 0, .cpu = {rv_make_fence, rv_look});
PROGRAM(riscv_bare, UNMAPPED, .cpus = 1, .machine = {.arch = NWM_RISCV},
	.cpu = {rv_make_use});
PROGRAM(riscv_sfence, UNMAPPED, .cpus = 1, .machine = {.arch = NWM_RISCV},
	.cpu = {rv_make_sfence_use});

/* A hart reads nothing, later the entry is there and it knows: what it cached
 * of the nothing counts. */
CPU(rv_publish, nwx_store(s->entry, RV_PAGE(s->out), NWM_RELAXED);
    nwx_store(&s->flag, 1, NWM_RELEASE))
CPU(rv_take_sfence, (void)nwx_await(&s->flag, 1, NWX_UNTIL); SFENCE;
    note_outcome(nwx_read(RV, IA)))
CPU(rv_sfence_take, SFENCE; (void)nwx_await(&s->flag, 1, NWX_UNTIL);
    note_outcome(nwx_read(RV, IA)))
PROGRAM(riscv_sfence_after, UNMAPPED, .machine = {.arch = NWM_RISCV},
	.cpu = {rv_publish, rv_take_sfence});
PROGRAM(riscv_sfence_before, UNMAPPED, .machine = {.arch = NWM_RISCV},
	.cpu = {rv_publish, rv_sfence_take});

static void riscv_new_entry_faults_until_the_hart_fences(void **x)
{
	const uint64_t done = 1 << NWM_DONE;
	const uint64_t both = done | 1 << NWM_FAULT_TRANSLATION;

	(void)x;
	assert_int_equal(explore(&riscv_content), NWM_OK);
	assert_int_equal(seen_mask, 1 << 0 | 1 << 5);
	assert_int_equal(explore(&riscv_content_fence), NWM_OK);
	assert_int_equal(seen_mask, 1 << 5);
	assert_int_equal(explore(&riscv_bare), NWM_OK);
	assert_int_equal(seen_mask, both);
	assert_int_equal(explore(&riscv_sfence), NWM_OK);
	assert_int_equal(seen_mask, done);
	assert_int_equal(explore(&riscv_sfence_before), NWM_OK);
	assert_int_equal(seen_mask, both);
	assert_int_equal(explore(&riscv_sfence_after), NWM_OK);
	assert_int_equal(seen_mask, done);
}

/* Two accesses: the first finds nothing, and the hart's own fence for memory
 * and walks of the second do not help; only with Svvptc do they. */
static void count_cached(void *state)
{
	(void)state;
	for (unsigned i = 0; i < nwm_tlb_count(0); i++)
		if (nwm_tlb_at(0, i)->kind == NWM_TLB_INVALID)
			seen_mask |= 2;
	seen_mask |= 1;
}

CPU(rv_touch, (void)s; (void)nwx_read(RV, IA))
PROGRAM(riscv_caches_nothing, UNMAPPED, .cpus = 1, .walks = 0,
	.machine = {.arch = NWM_RISCV}, .finish = count_cached,
	.cpu = {rv_touch});
PROGRAM(riscv_svvptc, UNMAPPED, .cpus = 1, .walks = 0,
	.machine = {.arch = NWM_RISCV, .has_svvptc = 1},
	.finish = count_cached, .cpu = {rv_touch});

static void riscv_caches_invalid_entries_without_svvptc(void **x)
{
	(void)x;
	assert_int_equal(explore(&riscv_caches_nothing), NWM_OK);
	assert_int_equal(seen_mask, 3);
	assert_int_equal(explore(&riscv_svvptc), NWM_OK);
	assert_int_equal(seen_mask, 1);
}

CPU(rv_protect, nwx_store(s->entry, RV_PAGE(s->out) & ~RV_WRITE, NWM_RELAXED);
    SFENCE; EVERYWHERE; nwx_frame_allow(s->frame, NWM_R))
PROGRAM(riscv_protect, RISCV_IPI, .cpu = {rv_protect, idle});

static void setup_riscv_clean(void *state)
{
	setup_riscv(state);
	nwx_store(st(state)->entry, RV_PAGE(st(state)->out) & ~RV_DIRTY,
		  NWM_RELAXED);
}

CPU(rv_write, if (nwx_write(RV, IA, 3).outcome == NWM_DONE)
	    nwx_store(&s->flag, 1, NWM_RELAXED))
CPU(rv_harvest_plain, uint64_t old = nwx_load(s->entry, NWM_RELAXED);
    nwx_store(s->entry, 0, NWM_RELAXED); s->seen = !!(old & RV_DIRTY))
CPU(rv_harvest_swap, s->seen = !!(nwx_xchg(s->entry, 0) & RV_DIRTY))
#define SVADU                                                                  \
	.machine = {.arch = NWM_RISCV, .has_haf = 1, .has_hd = 1}, .walks = 0, \
	.setup = setup_riscv_clean, .finish = finish_dirty
PROGRAM(riscv_dirty_plain, SVADU, .cpu = {rv_harvest_plain, rv_write});
PROGRAM(riscv_dirty_swap, SVADU, .cpu = {rv_harvest_swap, rv_write});

static void riscv_published_facts_hold(void **x)
{
	(void)x;
	assert_int_equal(explore(&riscv_protect), NWM_OK);
	assert_int_equal(explore(&riscv_dirty_plain), NWM_LOST_DIRTY);
	assert_int_equal(explore(&riscv_dirty_swap), NWM_OK);
}

/* Svnapot: 16 entries that say the same, and the run that they name. */
static void setup_riscv_napot(void *state)
{
	struct machine_state *s = state;

	setup_riscv(state);
	s->data = nwx_page_alloc(4);
	s->out = nwx_pa(s->data);
	s->frame = nwm_frame_add("page 5", s->out + 5 * 4096, 4096,
				 NWM_R | NWM_W);
	for (unsigned i = 0; i < 16; i++)
		nwx_store(&s->entry[i], RV_NAPOT(s->out), NWM_RELAXED);
}

CPU(rv_run_any, for (unsigned i = 0; i < 16; i++)
	    nwx_store(&s->entry[i], 0, NWM_RELAXED);
    TLBI_AT(RISCV_SFENCE_VMA, IA + 9 * 4096, 0); GONE)
CPU(rv_run_outside, for (unsigned i = 0; i < 16; i++)
	    nwx_store(&s->entry[i], 0, NWM_RELAXED);
    TLBI_AT(RISCV_SFENCE_VMA, IA + 16 * 4096, 0); GONE)
#define NAPOT                                                                  \
	.machine = {.arch = NWM_RISCV, .has_runs = 1}, .cpus = 1, .walks = 1,  \
	.setup = setup_riscv_napot
PROGRAM(napot_any, NAPOT, .cpu = {rv_run_any});
PROGRAM(napot_outside, NAPOT, .cpu = {rv_run_outside});

static void riscv_napot_run_goes_with_any_of_its_addresses(void **x)
{
	(void)x;
	assert_int_equal(explore(&napot_any), NWM_OK);
	assert_int_equal(explore(&napot_outside), NWM_STALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			riscv_fence_of_one_hart_leaves_the_others_stale),
		cmocka_unit_test(riscv_fence_by_address_leaves_walk_caches),
		cmocka_unit_test(riscv_new_entry_faults_until_the_hart_fences),
		cmocka_unit_test(riscv_caches_invalid_entries_without_svvptc),
		cmocka_unit_test(riscv_published_facts_hold),
		cmocka_unit_test(
			riscv_napot_run_goes_with_any_of_its_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
