/* SPDX-License-Identifier: BSD-2-Clause */
/* RISC-V: satp and hgatp. */
#include "machines.h"
#include "pairs.h"

#define R      UINT64_C(2)
#define U      UINT64_C(0x10)
#define GLOBAL UINT64_C(0x20)
#define A      UINT64_C(0x40)
#define SOFT   UINT64_C(0x100)
#define NAPOT  (UINT64_C(1) << 63)
#define NC     (UINT64_C(1) << 61)

/* Page 0 goes; two harts have the root. */
static void unmapped(struct tb *t, const struct machine *m)
{
	m_running(t, m);
	set(t, M_TAB0, 0, m_page(m, RAM), 0);
}

static void never(struct tb *t, int bad)
{
	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	set(t, M_TAB0, 0, m_page(&sv39, RAM), 0);
	CHOOSE(bad, m_flush(t, &sv39, 0), (void)0);
}

static void write_protect(struct tb *t, int bad)
{
	uint64_t e = m_page(&sv39x4, RAM);

	m_running(t, &sv39x4);
	set(t, M_TAB0, 0, e, bad ? e & ~m_write_bit(&sv39x4) : e & ~SOFT);
}

/* Aged, it may still be cached: to remove it then owes a flush. */
static void aged_and_gone(struct tb *t, int bad)
{
	uint64_t e = m_page(&sv39, RAM);

	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	set(t, M_TAB0, 0, e, e & ~A);
	CHOOSE(bad, (void)0, set(t, M_TAB0, 0, e & ~A, 0));
}

static void one_hart(struct tb *t, const struct machine *m, int bad)
{
	unmapped(t, m);
	m_flush(t, m, 0);
	barrier(t, NW_BARRIER_RISCV_FENCE_W);
	m_call(t);
	CHOOSE(bad, m_flush(t, m, 0), (void)0);
	m_return(t);
}

static void one_hart_s(struct tb *t, int bad)
{
	one_hart(t, &sv39, bad);
}

static void one_hart_g(struct tb *t, int bad)
{
	one_hart(t, &sv39x4, bad);
}

static void no_fence(struct tb *t, int bad)
{
	unmapped(t, &sv39);
	m_flush(t, &sv39, 0);
	CHOOSE(bad, barrier(t, NW_BARRIER_RISCV_FENCE_W), (void)0);
	m_call(t);
	m_flush(t, &sv39, 0);
	m_return(t);
}

static void not_awaited(struct tb *t, int bad)
{
	unmapped(t, &sv39x4);
	m_flush(t, &sv39x4, 0);
	barrier(t, NW_BARRIER_RISCV_FENCE_RW);
	m_call(t);
	m_flush(t, &sv39x4, 0);
	ev(t, NW_EV_IPI_DONE, 0, 7, 0);
	on_cpu(t, 0);
	CHOOSE(bad, ev(t, NW_EV_IPI_WAIT, 2, 7, 0), (void)0);
}

static void other_asid(struct tb *t, int bad)
{
	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	set(t, M_TAB0, 0, m_page(&sv39, RAM), 0);
	tlbi(t, NW_TLBI_RISCV_SFENCE_VMA, 0, bad ? 8 : sv39.tag);
}

static void other_vmid(struct tb *t, int bad)
{
	unmapped(t, &sv39x4);
	m_flush_tag(t, &sv39x4);
	barrier(t, NW_BARRIER_RISCV_FENCE_W);
	m_call(t);
	tlbi(t, NW_TLBI_RISCV_HFENCE_GVMA_VMID, 0, bad ? 3 : sv39x4.tag);
	m_return(t);
}

static void table_by_address(struct tb *t, int bad)
{
	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	alloc(t, M_NEW, 1);
	zero(t, M_NEW, ~0u);
	link_(t, M_TAB1, 4, 0, m_table(&sv39, M_NEW));
	set(t, M_TAB1, 4, m_table(&sv39, M_NEW), 0);
	tlbi(t, bad ? NW_TLBI_RISCV_SFENCE_VMA : NW_TLBI_RISCV_SFENCE_VMA_ASID,
	     8 * MIB, sv39.tag);
}

static void global_left(struct tb *t, int bad)
{
	uint64_t e = (m_page(&sv39, RAM) & ~U) | GLOBAL;

	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	set(t, M_TAB0, 9, 0, e);
	set(t, M_TAB0, 9, e, 0);
	tlbi(t,
	     bad ? NW_TLBI_RISCV_SFENCE_VMA_ASID : NW_TLBI_RISCV_SFENCE_VMA_ALL,
	     0, sv39.tag);
}

static void came_back(struct tb *t, int bad)
{
	m_running(t, &sv39);
	m_new(t, &sv39, M_ROOT2, 1);
	on_cpu(t, 1);
	m_install(t, &sv39, M_ROOT2, 1);
	on_cpu(t, 0);
	set(t, M_TAB0, 0, m_page(&sv39, RAM), 0);
	m_flush(t, &sv39, 0);
	on_cpu(t, 1);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	CHOOSE(bad, m_flush_tag(t, &sv39), (void)0);
}

static void vmid_reuse(struct tb *t, int bad)
{
	m_mapped(t, &sv39x4);
	m_install(t, &sv39x4, M_ROOT, sv39x4.tag);
	m_new(t, &sv39x4, M_ROOT2, sv39x4.tag);
	CHOOSE(bad, m_flush_tag(t, &sv39x4), (void)0);
	m_install(t, &sv39x4, M_ROOT2, sv39x4.tag);
}

/* ---- entries ----------------------------------------------------------------
 */

static void new_entry(struct tb *t, const struct machine *m, uint64_t pa,
		      uint64_t value)
{
	m_mapped(t, m);
	m_install(t, m, M_ROOT, m->tag);
	set(t, pa, 16, 0, value);
}

static void write_only(struct tb *t, int bad)
{
	new_entry(t, &sv39, M_TAB0,
		  m_page(&sv39, RAM) & ~(bad ? R : m_write_bit(&sv39)));
}

static void type_reserved(struct tb *t, int bad)
{
	new_entry(t, &sv39, M_TAB0, m_page(&sv39, RAM) | (bad ? 3 * NC : NC));
}

static void type_not_there(struct tb *t, int bad)
{
	new_entry(t, &sv39x4, M_TAB0, m_page(&sv39x4, RAM) | (bad ? NC : 0));
}

static void pointer_accessed(struct tb *t, int bad)
{
	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	alloc(t, M_NEW, 1);
	zero(t, M_NEW, ~0u);
	barrier(t, NW_BARRIER_RISCV_FENCE_W);
	link_(t, M_TAB1, 4, 0, m_table(&sv39, M_NEW) | (bad ? A : 0));
}

static void large_run(struct tb *t, int bad)
{
	new_entry(t, &sv39, M_TAB1,
		  m_block(&sv39, 4 * MIB) | (bad ? NAPOT : 0));
}

static void run_pattern(struct tb *t, int bad)
{
	uint64_t run = m_page(&sv39, RAM) | NAPOT;

	/* ppn[3:0] is 1000 for 64 KiB, the one size there is. */
	new_entry(t, &sv39, M_TAB0, run | (bad ? 4 : 8) << 10);
}

static void misaligned(struct tb *t, int bad)
{
	new_entry(t, &sv39x4, M_TAB1,
		  m_block(&sv39x4, 4 * MIB + (bad ? PAGE : 0)));
}

static void link_unordered(struct tb *t, int bad)
{
	m_mapped(t, &sv39);
	m_install(t, &sv39, M_ROOT, sv39.tag);
	alloc(t, M_NEW, 1);
	zero(t, M_NEW, ~0u);
	CHOOSE(bad, barrier(t, NW_BARRIER_RISCV_FENCE_W), (void)0);
	set(t, M_TAB1, 4, 0, m_table(&sv39, M_NEW));
}

/* ---- changes of what is valid -----------------------------------------------
 */

static void output_in_place(struct tb *t, int bad)
{
	uint64_t e = m_page(&sv39x4, RAM);

	m_running(t, &sv39x4);
	set(t, M_TAB0, 0, e, bad ? m_page(&sv39x4, RAM + GIB) : e ^ SOFT);
}

static void run_of_others(struct tb *t, int bad)
{
	uint64_t e = m_page(&sv39, RAM);

	/* The first page of the run, in place; or of another. */
	m_running(t, &sv39);
	set(t, M_TAB0, 0, e,
	    m_page(&sv39, bad ? RAM + 64 * KIB : RAM) | NAPOT | 8 << 10);
}

static void split_and_more(struct tb *t, int bad)
{
	uint64_t e = m_page(&sv39, RAM + 2 * MIB + 5 * PAGE);

	m_running(t, &sv39);
	m_split_page(t, &sv39, 0);
	init(t, M_NEW, 5, bad ? e & ~U : e);
	link_(t, M_TAB1, 1, m_block(&sv39, RAM + 2 * MIB),
	      m_table(&sv39, M_NEW));
}

static void freed_too_early(struct tb *t, int bad)
{
	m_running(t, &sv39x4);
	set(t, M_TAB1, 0, m_table(&sv39x4, M_TAB0), 0);
	page_unlink(t, M_TAB0, 0);
	barrier(t, NW_BARRIER_RISCV_FENCE_W);
	m_flush_tag(t, &sv39x4);
	m_call(t);
	m_flush_tag(t, &sv39x4);
	ev(t, NW_EV_IPI_DONE, 0, 7, 0);
	on_cpu(t, 0);
	CHOOSE(bad, ev(t, NW_EV_IPI_WAIT, 2, 7, 0), (void)0);
	page_free(t, M_TAB0, 1);
}

const struct pair pairs_riscv[] = {
	{"TLB-02", "satp: no SFENCE.VMA", never},
	{"TLB-02", "hgatp: write-protect without a flush", write_protect},
	{"TLB-02", "satp: aged, then gone", aged_and_gone},
	{"TLB-13", "satp: one hart alone", one_hart_s},
	{"TLB-13", "hgatp: one hart alone", one_hart_g},
	{"TLB-14", "satp: no FENCE before the interrupt", no_fence},
	{"TLB-15", "hgatp: not awaited", not_awaited},
	{"TLB-04", "satp: another ASID", other_asid},
	{"TLB-04", "hgatp: another VMID", other_vmid},
	{"TLB-06", "satp: by address, and a table went", table_by_address},
	{"TLB-18", "satp: global entry, one ASID", global_left},
	{"TLB-16", "satp: root came back", came_back},
	{"TLB-17", "hgatp: VMID taken over", vmid_reuse},
	{"ENTRY-05", "satp: write without read", write_only},
	{"ENTRY-05", "satp: PBMT 3", type_reserved},
	{"ENTRY-05", "hgatp: PBMT without Svpbmt", type_not_there},
	{"ENTRY-05", "satp: pointer with A", pointer_accessed},
	{"ENTRY-05", "satp: a run above the last level", large_run},
	{"ENTRY-06", "satp: a run of no size", run_pattern},
	{"ENTRY-06", "hgatp: superpage not aligned", misaligned},
	{"ENTRY-08", "satp: linked before its content", link_unordered},
	{"BBM-01", "hgatp: another page in place", output_in_place},
	{"BBM-01", "satp: another run in place", run_of_others},
	{"BBM-06", "satp: split that changes rights", split_and_more},
	{"LIFE-03", "hgatp: freed before the wait", freed_too_early},
};

const unsigned pairs_riscv_count = sizeof(pairs_riscv) / sizeof(pairs_riscv[0]);
