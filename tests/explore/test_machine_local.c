/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines whose invalidations act on one CPU: x86, with interrupts between
 * CPUs. The facts of test_machine.c where they apply, and their own.
 */
#include "programs.h"

#define X NW_REGIME_X86

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
