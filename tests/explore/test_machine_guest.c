/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Second stages of x86 and RISC-V: which forms drop what is cached of them
 * alone and what is combined with a guest's own tables, for whom.
 */
#include "programs.h"

#define EPT NW_REGIME_EPT
#define NPT NW_REGIME_NPT
#define GST NW_REGIME_RISCV_G
#define TAG 7
/* Beyond what one page of a root translates. */
#define GIA (IA + (UINT64_C(1) << 39))

/* read, write, execute, write-back, accessed, dirty */
#define EPT_PAGE(pa) ((pa) | UINT64_C(0x337))
/* present, writable, user, accessed, dirty, not executable */
#define NPT_PAGE(pa) ((pa) | UINT64_C(0x67) | UINT64_C(1) << 63)
#define GST_TABLE(pa) ((pa) >> 2 | UINT64_C(0x1))
#define GST_PAGE(pa) ((pa) >> 2 | UINT64_C(0xd7)) /* D A U W R V */

static void setup_x86(struct machine_state *s, enum nw_regime regime)
{
	struct nws_table t = nws_table_make(regime, TAG, IA, 0xf);

	s->entry = t.leaves;
	s->data = nws_frame_make("the frame", NWM_R | NWM_W, &s->frame);
	s->out = nwx_pa(s->data);
	nwx_store(s->entry,
		  regime == EPT ? EPT_PAGE(s->out) : NPT_PAGE(s->out),
		  NWM_RELAXED);
	nwx_watch(regime, IA);
}

static void setup_ept(void *state)
{
	setup_x86(state, EPT);
}

static void setup_npt(void *state)
{
	setup_x86(state, NPT);
}

/* Sv39x4: the root is four pages. */
static void setup_gstage(void *state)
{
	struct machine_state *s = state;
	uint64_t *top = nwx_page_alloc(2), *middle = nwx_page_alloc(0);
	struct nwm_root root = {.pa = nwx_pa(top),
				.levels = 3,
				.ia_bits = 41,
				.tag = TAG};

	s->entry = nwx_page_alloc(0);
	nwx_store(&top[GIA >> 30 & 2047], GST_TABLE(nwx_pa(middle)),
		  NWM_RELAXED);
	nwx_store(&middle[GIA >> 21 & 511], GST_TABLE(nwx_pa(s->entry)),
		  NWM_RELAXED);
	s->data = nws_frame_make("the frame", NWM_R | NWM_W, &s->frame);
	s->out = nwx_pa(s->data);
	nwx_store(s->entry, GST_PAGE(s->out), NWM_RELAXED);
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		nwx_root_set(cpu, GST, root);
	nwx_watch(GST, GIA);
}

/* One CPU and the form alone: what it covers. */
#define DROP(form, tag) nwx_tlbi(NW_TLBI_##form, IA, IA + 4096, tag, -1)
#define FENCE(form, tag)                                                       \
	nwx_tlbi(NW_TLBI_RISCV_##form, GIA, GIA + 4096, tag, -1)
CPU(ept_single, CLEAR; DROP(X86_INVEPT_SINGLE, TAG); GONE)
CPU(ept_other, CLEAR; DROP(X86_INVEPT_SINGLE, TAG + 1); GONE)
CPU(ept_all, CLEAR; DROP(X86_INVEPT_ALL, 0); GONE)
CPU(ept_vpid, CLEAR; DROP(X86_INVVPID, TAG); GONE)
CPU(npt_asid, CLEAR; DROP(X86_ASID, TAG); GONE)
CPU(npt_other, CLEAR; DROP(X86_ASID, TAG + 1); GONE)
CPU(npt_all, CLEAR; DROP(X86_ASID_ALL, 0); GONE)
CPU(gst_page, CLEAR; FENCE(HFENCE_GVMA, TAG); GONE)
CPU(gst_other_page, CLEAR;
    nwx_tlbi(NW_TLBI_RISCV_HFENCE_GVMA, GIA + 4096, GIA + 8192, TAG, -1); GONE)
CPU(gst_vmid, CLEAR; FENCE(HFENCE_GVMA_VMID, TAG); GONE)
CPU(gst_other, CLEAR; FENCE(HFENCE_GVMA_VMID, TAG + 1); GONE)
CPU(gst_all, CLEAR; FENCE(HFENCE_GVMA_ALL, 0); GONE)
/* HFENCE.GVMA is for the second stage, SFENCE.VMA is not. */
CPU(gst_sfence, CLEAR; FENCE(SFENCE_VMA_ALL, 0); GONE)

#define ON(regime_setup, arch_)                                                \
	.cpus = 1, .setup = regime_setup, .machine = {.arch = arch_}
#define ON_EPT ON(setup_ept, NWM_X86)
#define ON_NPT ON(setup_npt, NWM_X86)
#define ON_GST ON(setup_gstage, NWM_RISCV)
PROGRAM(p_ept_single, ON_EPT, .cpu = {ept_single});
PROGRAM(p_ept_other, ON_EPT, .cpu = {ept_other});
PROGRAM(p_ept_all, ON_EPT, .cpu = {ept_all});
PROGRAM(p_ept_vpid, ON_EPT, .cpu = {ept_vpid});
PROGRAM(p_npt_asid, ON_NPT, .cpu = {npt_asid});
PROGRAM(p_npt_other, ON_NPT, .cpu = {npt_other});
PROGRAM(p_npt_all, ON_NPT, .cpu = {npt_all});
PROGRAM(p_gst_page, ON_GST, .cpu = {gst_page});
PROGRAM(p_gst_other_page, ON_GST, .cpu = {gst_other_page});
PROGRAM(p_gst_vmid, ON_GST, .cpu = {gst_vmid});
PROGRAM(p_gst_other, ON_GST, .cpu = {gst_other});
PROGRAM(p_gst_all, ON_GST, .cpu = {gst_all});
PROGRAM(p_gst_sfence, ON_GST, .cpu = {gst_sfence});

static void ept_needs_invept_of_its_pointer(void **x)
{
	(void)x;
	assert_int_equal(explore(&p_ept_single), NWM_OK);
	assert_int_equal(explore(&p_ept_all), NWM_OK);
	assert_int_equal(explore(&p_ept_other), NWM_STALE);
	/* What is cached of the second stage alone stays. */
	assert_int_equal(explore(&p_ept_vpid), NWM_STALE);
}

static void npt_needs_its_asid_dropped(void **x)
{
	(void)x;
	assert_int_equal(explore(&p_npt_asid), NWM_OK);
	assert_int_equal(explore(&p_npt_all), NWM_OK);
	assert_int_equal(explore(&p_npt_other), NWM_STALE);
}

static void gstage_needs_hfence_of_its_vmid_and_address(void **x)
{
	(void)x;
	assert_int_equal(explore(&p_gst_page), NWM_OK);
	assert_int_equal(explore(&p_gst_vmid), NWM_OK);
	assert_int_equal(explore(&p_gst_all), NWM_OK);
	assert_int_equal(explore(&p_gst_other_page), NWM_STALE);
	assert_int_equal(explore(&p_gst_other), NWM_STALE);
	assert_int_equal(explore(&p_gst_sfence), NWM_STALE);
}

/* ---- for the other CPUs -------------------------------------------------- */

static void invept(void *state, unsigned from, uint64_t ticket)
{
	(void)state;
	(void)from;
	(void)ticket;
	DROP(X86_INVEPT_SINGLE, TAG);
}

static void hfence(void *state, unsigned from, uint64_t ticket)
{
	(void)state;
	(void)from;
	(void)ticket;
	FENCE(HFENCE_GVMA, TAG);
}

static void setup_ept_ipi(void *state)
{
	setup_ept(state);
	nwx_ipi_handler(invept);
}

static void setup_gst_ipi(void *state)
{
	setup_gstage(state);
	nwx_ipi_handler(hfence);
}

CPU(ept_everywhere, CLEAR; DROP(X86_INVEPT_SINGLE, TAG);
    nwx_ipi_wait(nwx_ipi_send(2)); GONE)
CPU(gst_everywhere, CLEAR; FENCE(HFENCE_GVMA, TAG);
    nwx_ipi_wait(nwx_ipi_send(2)); GONE)
CPU(ept_guest, (void)s; note_outcome(nwx_write(EPT, IA, 1)))
CPU(gst_guest, (void)s; note_outcome(nwx_write(GST, GIA, 1)))
PROGRAM(p_ept_here, .setup = setup_ept, .machine = {.arch = NWM_X86},
	.cpu = {ept_single, ept_guest});
PROGRAM(p_ept_ipi, .setup = setup_ept_ipi, .machine = {.arch = NWM_X86},
	.cpu = {ept_everywhere, ept_guest});
PROGRAM(p_gst_here, .setup = setup_gstage, .machine = {.arch = NWM_RISCV},
	.cpu = {gst_page, gst_guest});
PROGRAM(p_gst_ipi, .setup = setup_gst_ipi, .machine = {.arch = NWM_RISCV},
	.cpu = {gst_everywhere, gst_guest});

static void second_stage_of_a_running_guest_needs_interrupts(void **x)
{
	const uint64_t both = 1 << NWM_DONE | 1 << NWM_FAULT_TRANSLATION;

	(void)x;
	assert_int_equal(explore(&p_ept_here), NWM_STALE);
	assert_int_equal(explore(&p_ept_ipi), NWM_OK);
	assert_int_equal(seen_mask, both);
	assert_int_equal(explore(&p_gst_here), NWM_STALE);
	assert_int_equal(explore(&p_gst_ipi), NWM_OK);
	assert_int_equal(seen_mask, both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ept_needs_invept_of_its_pointer),
		cmocka_unit_test(npt_needs_its_asid_dropped),
		cmocka_unit_test(gstage_needs_hfence_of_its_vmid_and_address),
		cmocka_unit_test(
			second_stage_of_a_running_guest_needs_interrupts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
