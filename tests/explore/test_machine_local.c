/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines whose invalidations act on one CPU: x86 and RISC-V, with interrupts
 * between CPUs. The facts of test_machine.c where they apply, and their own.
 */
#include "programs.h"

#define X NW_REGIME_X86
#define RV NW_REGIME_RISCV_S

/* ---- x86 ----------------------------------------------------------------- */

#define X86_WRITE UINT64_C(0x2)
#define X86_DIRTY UINT64_C(0x40)
/* present, writable, accessed, dirty, not executable */
#define X86_PAGE(pa) ((pa) | UINT64_C(0x63) | UINT64_C(1) << 63)

static uint64_t *table_page;

static void setup_x86(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(X, 0, IA, 0xf);

	s->entry = t.leaves;
	s->data = nws_frame_make("the frame", NWM_R | NWM_W, &s->frame);
	s->out = nwx_pa(s->data);
	nwx_store(s->entry, X86_PAGE(s->out), NWM_RELAXED);
	nwx_watch(X, IA);
}

#define INVLPG TLBI_AT(X86_INVLPG, IA, 0)

static void invlpg(void *state, unsigned from, uint64_t ticket)
{
	(void)state;
	(void)from;
	(void)ticket;
	INVLPG;
}

static void nothing(void *state, unsigned from, uint64_t ticket)
{
	(void)state;
	(void)from;
	(void)ticket;
}

static void setup_x86_ipi(void *state)
{
	setup_x86(state);
	nwx_ipi_handler(invlpg);
}

static void setup_x86_lazy_handler(void *state)
{
	setup_x86(state);
	nwx_ipi_handler(nothing);
}

#define X86 .machine = {.arch = NWM_X86}, .setup = setup_x86
#define X86_IPI .machine = {.arch = NWM_X86}, .setup = setup_x86_ipi
#define EVERYWHERE nwx_ipi_wait(nwx_ipi_send(2))

CPU(local_only, CLEAR; INVLPG; GONE)
CPU(shootdown, CLEAR; INVLPG; EVERYWHERE; GONE)
CPU(shootdown_no_wait, CLEAR; INVLPG; (void)nwx_ipi_send(2); GONE)
CPU(shootdown_early, EVERYWHERE; CLEAR; INVLPG; GONE)
PROGRAM(x86_alone, X86, .cpus = 1, .cpu = {local_only});
PROGRAM(x86_local, X86, .cpu = {local_only, idle});
PROGRAM(x86_ipi, X86_IPI, .cpu = {shootdown, idle});
PROGRAM(x86_no_wait, X86_IPI, .cpu = {shootdown_no_wait, idle});
PROGRAM(x86_early, X86_IPI, .cpu = {shootdown_early, idle});
PROGRAM(x86_lazy, .machine = {.arch = NWM_X86},
	.setup = setup_x86_lazy_handler, .cpu = {shootdown, idle});

static void x86_other_cpus_are_stale_until_their_handler_is_through(void **x)
{
	(void)x;
	assert_int_equal(explore(&x86_alone), NWM_OK);
	assert_int_equal(explore(&x86_local), NWM_STALE);
	assert_int_equal(explore(&x86_ipi), NWM_OK);
	assert_int_equal(explore(&x86_no_wait), NWM_STALE);
	assert_int_equal(explore(&x86_early), NWM_STALE);
	assert_int_equal(explore(&x86_lazy), NWM_STALE);
}

#define MFENCE BARRIER(X86_MFENCE)
#define TLBSYNC BARRIER(X86_TLBSYNC)
#define INVLPGB TLBI_AT(X86_INVLPGB, IA, 0)
CPU(broadcast_right, CLEAR; MFENCE; INVLPGB; TLBSYNC; GONE)
CPU(broadcast_swap, (void)nwx_xchg(s->entry, 0); INVLPGB; TLBSYNC; GONE)
CPU(broadcast_no_sync, CLEAR; MFENCE; INVLPGB; MFENCE; GONE)
CPU(broadcast_buffered, CLEAR; INVLPGB; TLBSYNC; GONE)
PROGRAM(invlpgb_right, X86, .cpu = {broadcast_right, idle});
PROGRAM(invlpgb_swap, X86, .cpu = {broadcast_swap, idle});
PROGRAM(invlpgb_no_sync, X86, .cpu = {broadcast_no_sync, idle});
PROGRAM(invlpgb_buffered, X86, .cpu = {broadcast_buffered, idle});

static void x86_broadcast_needs_a_drained_store_and_tlbsync(void **x)
{
	(void)x;
	assert_int_equal(explore(&invlpgb_right), NWM_OK);
	assert_int_equal(explore(&invlpgb_swap), NWM_OK);
	assert_int_equal(explore(&invlpgb_no_sync), NWM_STALE);
	assert_int_equal(explore(&invlpgb_buffered), NWM_STALE);
}

#define INVPCID TLBI_AT(X86_INVPCID_ADDR, IA, 0)
CPU(pcid_buffered, CLEAR; INVPCID; GONE)
CPU(pcid_drained, CLEAR; MFENCE; INVPCID; GONE)
CPU(pcid_other, CLEAR; MFENCE; TLBI_AT(X86_INVPCID_ADDR, IA, 1); GONE)
PROGRAM(invpcid_buffered, X86, .cpus = 1, .cpu = {pcid_buffered});
PROGRAM(invpcid_drained, X86, .cpus = 1, .cpu = {pcid_drained});
PROGRAM(invpcid_other, X86, .cpus = 1, .cpu = {pcid_other});

/* INVLPG is serialising, INVPCID is not. */
static void x86_walker_reads_memory_not_the_store_buffer(void **x)
{
	(void)x;
	assert_int_equal(explore(&invpcid_buffered), NWM_STALE);
	assert_int_equal(explore(&invpcid_drained), NWM_OK);
	assert_int_equal(explore(&invpcid_other), NWM_STALE);
}

/* ---- x86: the published facts -------------------------------------------- */

static void setup_x86_unmapped(void *state)
{
	setup_x86(state);
	nwx_store(st(state)->entry, 0, NWM_RELAXED);
}

CPU(fill_and_map, nwx_store(s->data, 5, NWM_RELAXED);
    nwx_store(s->entry, X86_PAGE(s->out), NWM_RELAXED))
CPU(look, (void)s; note_value(nwx_read(X, IA)))
PROGRAM(x86_content, .machine = {.arch = NWM_X86}, .walks = 0,
	.setup = setup_x86_unmapped, .cpu = {fill_and_map, look});

static void x86_content_is_there_when_its_entry_is(void **x)
{
	(void)x;
	assert_int_equal(explore(&x86_content), NWM_OK);
	assert_int_equal(seen_mask, 1 << 5);
}

static void setup_x86_clean(void *state)
{
	setup_x86(state);
	nwx_store(st(state)->entry, X86_PAGE(st(state)->out) & ~X86_DIRTY,
		  NWM_RELAXED);
}

CPU(write_frame,
    if (nwx_write(X, IA, 3).outcome == NWM_DONE)
	    nwx_store(&s->flag, 1, NWM_RELAXED))
CPU(harvest_plain, uint64_t old = nwx_load(s->entry, NWM_RELAXED);
    nwx_store(s->entry, 0, NWM_RELAXED); s->seen = !!(old & X86_DIRTY))
CPU(harvest_swap, s->seen = !!(nwx_xchg(s->entry, 0) & X86_DIRTY))
CPU(harvest_cas, uint64_t old = nwx_load(s->entry, NWM_RELAXED);
    while (!nwx_cmpxchg(s->entry, &old, 0));
    s->seen = !!(old & X86_DIRTY))

static void finish_dirty(void *state)
{
	struct machine_state *s = state;

	nwx_require(!nwx_load(&s->flag, NWM_RELAXED) || s->seen, NWM_LOST_DIRTY,
		    "a page was written and nobody knows");
}

#define X86_CLEAN                                                              \
	.machine = {.arch = NWM_X86}, .setup = setup_x86_clean, .walks = 0,    \
	.finish = finish_dirty
PROGRAM(x86_dirty_plain, X86_CLEAN, .cpu = {harvest_plain, write_frame});
PROGRAM(x86_dirty_swap, X86_CLEAN, .cpu = {harvest_swap, write_frame});
PROGRAM(x86_dirty_cas, X86_CLEAN, .cpu = {harvest_cas, write_frame});

static void x86_dirty_flag_survives_atomics_not_plain_store(void **x)
{
	(void)x;
	assert_int_equal(explore(&x86_dirty_plain), NWM_LOST_DIRTY);
	assert_int_equal(explore(&x86_dirty_swap), NWM_OK);
	assert_int_equal(explore(&x86_dirty_cas), NWM_OK);
}

CPU(protect, nwx_store(s->entry, X86_PAGE(s->out) & ~X86_WRITE, NWM_RELAXED);
    INVLPG; EVERYWHERE; nwx_frame_allow(s->frame, NWM_R))
CPU(protect_local,
    nwx_store(s->entry, X86_PAGE(s->out) & ~X86_WRITE, NWM_RELAXED); INVLPG;
    nwx_frame_allow(s->frame, NWM_R))
PROGRAM(x86_protect, X86_IPI, .cpu = {protect, idle});
PROGRAM(x86_protect_local, X86_IPI, .cpu = {protect_local, idle});

static void x86_permission_change_needs_no_break_but_everybody(void **x)
{
	(void)x;
	assert_int_equal(explore(&x86_protect), NWM_OK);
	assert_int_equal(explore(&x86_protect_local), NWM_STALE);
}

/* A page in the place of a block: with the translation it had, and another. */
static void setup_x86_block(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(X, 0, IA, 0xf);

	s->entry = &t.middle[IA >> 21 & 511];
	s->data = t.leaves;
	nwx_store(s->entry, X86_PAGE(IA) | 0x80, NWM_RELAXED);
	nwx_watch(X, IA);
}

CPU(split_same, nwx_store(s->data, X86_PAGE(IA), NWM_RELAXED);
    nwx_store(s->entry, NWS_TABLE(nwx_pa(s->data)), NWM_RELAXED); INVLPG)
CPU(split_other, nwx_store(s->data, X86_PAGE(IA + 4096), NWM_RELAXED);
    nwx_store(s->entry, NWS_TABLE(nwx_pa(s->data)), NWM_RELAXED); INVLPG)
#define BLOCK .machine = {.arch = NWM_X86}, .setup = setup_x86_block
PROGRAM(x86_split_same, BLOCK, .cpu = {split_same, idle});
PROGRAM(x86_split_other, BLOCK, .cpu = {split_other, idle});

static void x86_size_may_change_alone_not_with_the_translation(void **x)
{
	(void)x;
	assert_int_equal(explore(&x86_split_same), NWM_OK);
	assert_int_equal(explore(&x86_split_other), NWM_AMALGAM);
}

/* Rights are added; an entry without them may still be there. The fault drops
 * it, so that the second attempt goes through. */
static void setup_x86_read_only(void *state)
{
	setup_x86(state);
	nwx_store(st(state)->entry, X86_PAGE(st(state)->out) & ~X86_WRITE,
		  NWM_RELAXED);
}

static uint64_t second_mask;

CPU(relax, nwx_store(s->entry, X86_PAGE(s->out), NWM_RELAXED); MFENCE;
    struct nwm_access_result r = nwx_write(X, IA, 1); note_outcome(r);
    if (r.outcome != NWM_DONE)
	    second_mask |= UINT64_C(1) << nwx_write(X, IA, 1).outcome)
PROGRAM(x86_relax, .cpus = 1, .setup = setup_x86_read_only,
	.machine = {.arch = NWM_X86, .has_spurious = 1}, .cpu = {relax});

static void x86_fault_after_rights_were_added_is_over_when_retried(void **x)
{
	(void)x;
	second_mask = 0;
	assert_int_equal(explore(&x86_relax), NWM_OK);
	assert_int_equal(seen_mask, 1 << NWM_DONE | 1 << NWM_FAULT_PERMISSION);
	assert_int_equal(second_mask, 1 << NWM_DONE);
}

/* ---- interrupts off as a reader's section -------------------------------- */

static void setup_x86_table(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(X, 0, IA, 0xf);

	s->entry = &t.middle[IA >> 21 & 511];
	table_page = t.leaves;
	nwx_ipi_handler(nothing);
}

CPU(drop_table, CLEAR; TLBI_AT(X86_MOV_CR3, 0, 0); EVERYWHERE;
    nwx_page_free(table_page, 0))
CPU(reader_off, nwx_irq_off(); if (nwx_load(s->entry, NWM_RELAXED))
	    (void)nwx_load(table_page, NWM_RELAXED);
    nwx_irq_on())
CPU(reader_on, if (nwx_load(s->entry, NWM_RELAXED))
	    (void)nwx_load(table_page, NWM_RELAXED))
#define TABLE                                                                  \
	.machine = {.arch = NWM_X86}, .setup = setup_x86_table, .walks = 0
PROGRAM(irq_off_reader, TABLE, .cpu = {drop_table, reader_off});
PROGRAM(irq_on_reader, TABLE, .cpu = {drop_table, reader_on});

static void interrupts_off_keep_a_table_page_from_being_freed(void **x)
{
	(void)x;
	assert_int_equal(explore(&irq_off_reader), NWM_OK);
	assert_int_equal(explore(&irq_on_reader), NWM_USE_AFTER_FREE);
}

CPU(send_then_set, EVERYWHERE; nwx_store(&s->flag, 1, NWM_RELEASE))
CPU(wait_on, (void)nwx_await(&s->flag, 1, NWX_UNTIL))
CPU(wait_off, nwx_irq_off(); (void)nwx_await(&s->flag, 1, NWX_UNTIL);
    nwx_irq_on())
PROGRAM(ipi_while_waiting, X86_IPI, .cpu = {send_then_set, wait_on});
PROGRAM(ipi_while_off, X86_IPI, .cpu = {send_then_set, wait_off});

static void waiting_cpu_takes_interrupts_unless_they_are_off(void **x)
{
	(void)x;
	assert_int_equal(explore(&ipi_while_waiting), NWM_OK);
	assert_int_equal(explore(&ipi_while_off), NWM_DEADLOCK);
}

/* What the oracle is told of an interrupt: who, in which order, one ticket. */
static unsigned told_n;
static struct {
	enum nw_event event;
	unsigned cpu;
	uint64_t a, b;
} told[8];

static void tell(const struct nwx_record *r, void *arg)
{
	(void)arg;
	if (r->event < NW_EV_IPI_SEND || r->event > NW_EV_IPI_WAIT)
		return;
	assert_true(told_n < 8);
	told[told_n].event = r->event;
	told[told_n].cpu = r->cpu;
	told[told_n].a = r->a;
	told[told_n++].b = r->b;
}

static void ipi_is_told_as_send_take_done_wait(void **x)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	(void)x;
	o.walks = 0;
	told_n = 0;
	assert_int_equal(nwx_replay(&x86_ipi, &o, "", &r, tell, NULL), 0);
	assert_int_equal(told_n, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(told[i].event, NW_EV_IPI_SEND + i);
		assert_int_equal(told[i].cpu, i == 1 || i == 2);
		assert_int_equal(told[i].b, told[0].b);
		assert_int_equal(told[i].a, i == 1 || i == 2 ? 0 : 2);
	}
}

/* ---- RISC-V -------------------------------------------------------------- */

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
			x86_other_cpus_are_stale_until_their_handler_is_through),
		cmocka_unit_test(
			x86_broadcast_needs_a_drained_store_and_tlbsync),
		cmocka_unit_test(x86_walker_reads_memory_not_the_store_buffer),
		cmocka_unit_test(x86_content_is_there_when_its_entry_is),
		cmocka_unit_test(
			x86_dirty_flag_survives_atomics_not_plain_store),
		cmocka_unit_test(
			x86_permission_change_needs_no_break_but_everybody),
		cmocka_unit_test(
			x86_size_may_change_alone_not_with_the_translation),
		cmocka_unit_test(
			x86_fault_after_rights_were_added_is_over_when_retried),
		cmocka_unit_test(
			interrupts_off_keep_a_table_page_from_being_freed),
		cmocka_unit_test(
			waiting_cpu_takes_interrupts_unless_they_are_off),
		cmocka_unit_test(ipi_is_told_as_send_take_done_wait),
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
