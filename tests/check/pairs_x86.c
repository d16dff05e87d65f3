/* SPDX-License-Identifier: BSD-2-Clause */
/* x86 host paging, nested paging and EPT. */
#include "machines.h"
#include "pairs.h"

#define GLOBAL UINT64_C(0x100)

/* Page 0 goes; two CPUs have the root. */
static void unmapped(struct tb *t, const struct machine *m)
{
	m_running(t, m);
	set(t, M_TAB0, 0, m_page(m, RAM), 0);
}

/* ---- what is owed, and to whom --------------------------------------------
 */

static void never(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	CHOOSE(bad, m_flush(t, &x86, 0), (void)0);
}

static void other_address(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	m_flush(t, &x86, bad ? PAGE : 0);
}

static void write_protect(struct tb *t, int bad)
{
	uint64_t e = m_page(&ept, RAM);

	m_running(t, &ept);
	swap(t, M_TAB0, 0, e, bad ? e & ~m_write_bit(&ept) : e & ~(1ull << 63));
}

static void clean_dirty(struct tb *t, int bad)
{
	uint64_t e = m_page(&npt, RAM);

	m_running(t, &npt);
	swap(t, M_TAB0, 0, e, e & ~m_dirty_bit(&npt));
	m_shootdown(t, &npt, 0);
	swap(t, M_TAB0, 0, e & ~m_dirty_bit(&npt), e);
	CHOOSE(bad, (void)0, swap(t, M_TAB0, 0, e, e & ~m_dirty_bit(&npt)));
}

static void one_cpu(struct tb *t, const struct machine *m, int bad)
{
	unmapped(t, m);
	m_flush(t, m, 0);
	m_call(t);
	CHOOSE(bad, m_flush(t, m, 0), (void)0);
	m_return(t);
}

static void one_cpu_x86(struct tb *t, int bad)
{
	one_cpu(t, &x86, bad);
}

static void one_cpu_npt(struct tb *t, int bad)
{
	one_cpu(t, &npt, bad);
}

static void one_cpu_ept(struct tb *t, int bad)
{
	one_cpu(t, &ept, bad);
}

/* It invalidates when the interrupt is on its way, and not again. */
static void too_early(struct tb *t, int bad)
{
	unmapped(t, &x86);
	m_flush(t, &x86, 0);
	on_cpu(t, 1);
	m_flush(t, &x86, 0);
	on_cpu(t, 0);
	m_call(t);
	CHOOSE(bad, m_flush(t, &x86, 0), (void)0);
	m_return(t);
}

static void not_awaited(struct tb *t, int bad)
{
	unmapped(t, &ept);
	m_flush(t, &ept, 0);
	m_call(t);
	m_flush(t, &ept, 0);
	ev(t, NW_EV_IPI_DONE, 0, 7, 0);
	on_cpu(t, 0);
	CHOOSE(bad, ev(t, NW_EV_IPI_WAIT, 2, 7, 0), (void)0);
}

/* ---- the wrong kind --------------------------------------------------------
 */

static void other_pcid(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_TAB0, 0, m_page(&x86, RAM), 0);
	tlbi(t, NW_TLBI_X86_INVPCID_ADDR, 0, bad ? 6 : x86.tag);
}

static void other_asid(struct tb *t, int bad)
{
	unmapped(t, &npt);
	m_flush(t, &npt, 0);
	m_call(t);
	tlbi(t, NW_TLBI_X86_ASID, 0, bad ? 4 : npt.tag);
	m_return(t);
}

static void other_pointer(struct tb *t, int bad)
{
	m_mapped(t, &ept);
	m_install(t, &ept, M_ROOT, 0);
	set(t, M_TAB0, 0, m_page(&ept, RAM), 0);
	tlbi(t, NW_TLBI_X86_INVEPT_SINGLE, (bad ? M_ROOT2 : M_ROOT) | 0x5e, 0);
}

static void invvpid(struct tb *t, int bad)
{
	m_mapped(t, &ept);
	m_install(t, &ept, M_ROOT, 0);
	set(t, M_TAB0, 0, m_page(&ept, RAM), 0);
	tlbi(t, bad ? NW_TLBI_X86_INVVPID : NW_TLBI_X86_INVEPT_ALL, 0, 0);
}

static void global_left(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_TAB0, 9, 0, m_page(&x86, RAM) | GLOBAL);
	set(t, M_TAB0, 9, m_page(&x86, RAM) | GLOBAL, 0);
	tlbi(t, bad ? NW_TLBI_X86_MOV_CR3 : NW_TLBI_X86_INVPCID_ALL, 0,
	     x86.tag);
}

static void global_left_by_address(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_TAB0, 9, 0, m_page(&x86, RAM) | GLOBAL);
	set(t, M_TAB0, 9, m_page(&x86, RAM) | GLOBAL, 0);
	tlbi(t, bad ? NW_TLBI_X86_INVPCID_ADDR : NW_TLBI_X86_INVLPG, 9 * PAGE,
	     x86.tag);
}

static void global_below_a_table(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	set(t, M_TAB0, 9, 0, m_page(&x86, RAM) | GLOBAL);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_TAB1, 0, m_table(&x86, M_TAB0), 0);
	tlbi(t, bad ? NW_TLBI_X86_INVPCID_PCID : NW_TLBI_X86_INVPCID_ALL, 0,
	     x86.tag);
}

static void global_left_elsewhere(struct tb *t, int bad)
{
	m_running(t, &x86);
	set(t, M_TAB0, 9, 0, m_page(&x86, RAM) | GLOBAL);
	/* It stays in CPU 1's TLB, whatever that installs. */
	m_new(t, &x86, M_ROOT2, 6);
	on_cpu(t, 1);
	m_install(t, &x86, M_ROOT2, 6);
	on_cpu(t, 0);
	set(t, M_TAB0, 9, m_page(&x86, RAM) | GLOBAL, 0);
	m_flush(t, &x86, 9 * PAGE);
	m_call(t);
	if (bad)
		tlbi(t, NW_TLBI_X86_INVPCID_PCID, 0, x86.tag);
	else
		tlbi(t, NW_TLBI_X86_INVLPG, 9 * PAGE, 6);
	m_return(t);
}

/* RAX of INVLPGB: address, PCID and global; or ASID and nested. */
static void invlpgb_not_synced(struct tb *t, int bad)
{
	unmapped(t, &x86);
	tlbi(t, NW_TLBI_X86_INVLPGB, 0 | 0xb, x86.tag);
	CHOOSE(bad, barrier(t, NW_BARRIER_X86_TLBSYNC), (void)0);
}

static void invlpgb_fenced(struct tb *t, int bad)
{
	unmapped(t, &npt);
	tlbi(t, NW_TLBI_X86_INVLPGB, 0x24, npt.tag);
	barrier(t, bad ? NW_BARRIER_X86_MFENCE : NW_BARRIER_X86_TLBSYNC);
}

/* ---- roots that come and go ------------------------------------------------
 */

static void came_back(struct tb *t, const struct machine *m, int bad)
{
	m_running(t, m);
	m_new(t, m, M_ROOT2, m->tag + 1);
	on_cpu(t, 1);
	m_install(t, m, M_ROOT2, m->tag + 1);
	on_cpu(t, 0);
	set(t, M_TAB0, 0, m_page(m, RAM), 0);
	m_flush(t, m, 0);
	on_cpu(t, 1);
	m_install(t, m, M_ROOT, m->tag);
	CHOOSE(bad, m_flush_tag(t, m), (void)0);
}

static void came_back_x86(struct tb *t, int bad)
{
	came_back(t, &x86, bad);
}

static void came_back_npt(struct tb *t, int bad)
{
	came_back(t, &npt, bad);
}

static void came_back_ept(struct tb *t, int bad)
{
	came_back(t, &ept, bad);
}

static void pcid_reuse(struct tb *t, int bad)
{
	m_mapped(t, &x86);
	m_install(t, &x86, M_ROOT, x86.tag);
	m_new(t, &x86, M_ROOT2, x86.tag);
	m_install(t, &x86, M_ROOT2, x86.tag);
	CHOOSE(bad, m_flush_tag(t, &x86), (void)0);
}

/* ---- entries ----------------------------------------------------------------
 */

static void new_entry(struct tb *t, const struct machine *m, uint64_t pa,
		      uint64_t value)
{
	m_mapped(t, m);
	set(t, pa, 9, 0, value);
	if (pa != M_TAB0)
		m_install(t, m, M_ROOT, m->tag);
}

static void no_nx(struct tb *t, int bad)
{
	struct machine m = x86;

	m.features = 0;
	m.page &= ~(1ull << 63);
	m.block &= ~(1ull << 63);
	new_entry(t, &m, M_TAB0, m.page | (bad ? 1ull << 63 : 0) | RAM);
}

static void large_at_512g(struct tb *t, int bad)
{
	m_new(t, &x86, M_ROOT, x86.tag);
	m_install(t, &x86, M_ROOT, x86.tag);
	set(t, M_ROOT, 0, 0, bad ? m_block(&x86, 0) : 0);
}

static void misaligned(struct tb *t, int bad)
{
	/* PAT of a large leaf stands where an address bit would. */
	new_entry(t, &x86, M_TAB1,
		  m_block(&x86, 4 * MIB) | (bad ? 0x2000 : 0x1000));
}

static void too_wide(struct tb *t, int bad)
{
	new_entry(t, &npt, M_TAB0,
		  m_page(&npt, bad ? UINT64_C(1) << 46 : UINT64_C(1) << 45));
}

static void write_only(struct tb *t, int bad)
{
	new_entry(t, &ept, M_TAB0, m_page(&ept, RAM) & ~(bad ? 1ull : 2ull));
}

static void execute_only(struct tb *t, int bad)
{
	struct machine m = ept;

	m_mapped(t, &m);
	set(t, M_TAB0, 9, 0, m_page(&ept, RAM) & ~(bad ? 3ull : 2ull));
}

static void ept_type(struct tb *t, int bad)
{
	new_entry(t, &ept, M_TAB0,
		  (m_page(&ept, RAM) & ~0x38ull) | (bad ? 7 : 5) << 3);
}

static void large_exec(struct tb *t, int bad)
{
	struct machine m = ept;

	m.features |= NW_FEAT_EPT_SPLIT_EXEC;
	m.block &= ~4ull;
	new_entry(t, &m, M_TAB1, m_block(&m, 4 * MIB) | (bad ? 4 : 0));
}

static void plain_over_dirty(struct tb *t, int bad)
{
	uint64_t clean = m_page(&x86, RAM) & ~m_dirty_bit(&x86);

	m_mapped(t, &x86);
	set(t, M_TAB0, 9, 0, clean);
	/* A software bit changes; the dirty bit may come meanwhile. */
	if (bad)
		set(t, M_TAB0, 9, clean, clean ^ 0x200);
	else
		swap(t, M_TAB0, 9, clean, clean ^ 0x200);
}

/* ---- changes of what is valid -----------------------------------------------
 */

static void output_in_place(struct tb *t, int bad)
{
	uint64_t e = m_page(&x86, RAM);

	m_running(t, &x86);
	set(t, M_TAB0, 0, e, bad ? m_page(&x86, RAM + GIB) : e ^ 0x200);
}

static void type_in_place(struct tb *t, int bad)
{
	uint64_t e = m_page(&ept, RAM);

	m_running(t, &ept);
	set(t, M_TAB0, 0, e, bad ? e & ~0x38ull : e ^ (1ull << 63));
}

static void split_and_more(struct tb *t, int bad)
{
	uint64_t e = m_page(&ept, RAM + 2 * MIB + 5 * PAGE);

	m_running(t, &ept);
	m_split_page(t, &ept, 0);
	init(t, M_NEW, 5, bad ? e & ~4ull : e);
	link_(t, M_TAB1, 1, m_block(&ept, RAM + 2 * MIB), m_table(&ept, M_NEW));
}

static void made_too_early(struct tb *t, int bad)
{
	unmapped(t, &ept);
	m_flush(t, &ept, 0);
	m_call(t);
	m_flush(t, &ept, 0);
	ev(t, NW_EV_IPI_DONE, 0, 7, 0);
	on_cpu(t, 0);
	CHOOSE(bad, ev(t, NW_EV_IPI_WAIT, 2, 7, 0), (void)0);
	set(t, M_TAB0, 0, 0, m_page(&ept, RAM + GIB));
}

/* ---- lives
 * -------------------------------------------------------------------- */

static void freed_too_early(struct tb *t, int bad)
{
	m_running(t, &npt);
	set(t, M_TAB1, 0, m_table(&npt, M_TAB0), 0);
	page_unlink(t, M_TAB0, 0);
	m_flush(t, &npt, 0);
	m_call(t);
	CHOOSE(bad, m_flush(t, &npt, 0), (void)0);
	m_return(t);
	page_free(t, M_TAB0, 1);
}

static void reused_too_early(struct tb *t, int bad)
{
	unmapped(t, &x86);
	m_flush(t, &x86, 0);
	m_call(t);
	m_flush(t, &x86, 0);
	ev(t, NW_EV_IPI_DONE, 0, 7, 0);
	on_cpu(t, 0);
	CHOOSE(bad, ev(t, NW_EV_IPI_WAIT, 2, 7, 0), (void)0);
	ev(t, NW_EV_FRAME_REUSE, RAM, PAGE, 0);
}

const struct pair pairs_x86[] = {
	{"TLB-02", "x86: no invalidation", never},
	{"TLB-02", "x86: another address", other_address},
	{"TLB-02", "EPT: write-protect without a flush", write_protect},
	{"TLB-02", "NPT: dirty state cleared without a flush", clean_dirty},
	{"TLB-13", "x86: one CPU alone", one_cpu_x86},
	{"TLB-13", "NPT: one CPU alone", one_cpu_npt},
	{"TLB-13", "EPT: one CPU alone", one_cpu_ept},
	{"TLB-14", "x86: before the interrupt", too_early},
	{"TLB-15", "EPT: not awaited", not_awaited},
	{"TLB-04", "x86: another PCID", other_pcid},
	{"TLB-04", "NPT: another ASID", other_asid},
	{"TLB-19", "EPT: another pointer", other_pointer},
	{"TLB-09", "EPT: INVVPID", invvpid},
	{"TLB-18", "x86: global entry, MOV CR3", global_left},
	{"TLB-18", "x86: global entry, INVPCID of its address",
	 global_left_by_address},
	{"TLB-18", "x86: global entry below a dropped table",
	 global_below_a_table},
	{"TLB-18", "x86: global entry of another root", global_left_elsewhere},
	{"TLB-10", "x86: INVLPGB without TLBSYNC", invlpgb_not_synced},
	{"TLB-11", "NPT: INVLPGB and a fence", invlpgb_fenced},
	{"TLB-16", "x86: root came back", came_back_x86},
	{"TLB-16", "NPT: root came back", came_back_npt},
	{"TLB-16", "EPT: root came back", came_back_ept},
	{"TLB-17", "x86: PCID taken over", pcid_reuse},
	{"ENTRY-05", "x86: NX without EFER.NXE", no_nx},
	{"ENTRY-05", "x86: large leaf of 512 GiB", large_at_512g},
	{"ENTRY-06", "x86: large leaf not aligned", misaligned},
	{"ENTRY-06", "NPT: beyond the machine", too_wide},
	{"ENTRY-05", "EPT: write without read", write_only},
	{"ENTRY-05", "EPT: execute only", execute_only},
	{"ENTRY-05", "EPT: reserved memory type", ept_type},
	{"ENTRY-10", "EPT: large and executable", large_exec},
	{"ENTRY-02", "x86: plain store, dirty bit clear", plain_over_dirty},
	{"BBM-01", "x86: another page in place", output_in_place},
	{"BBM-02", "EPT: another type in place", type_in_place},
	{"BBM-06", "EPT: split that changes rights", split_and_more},
	{"BBM-07", "EPT: made before the others were awaited", made_too_early},
	{"LIFE-03", "NPT: freed, one CPU has not flushed", freed_too_early},
	{"LIFE-10", "x86: reused before the wait", reused_too_early},
};

const unsigned pairs_x86_count = sizeof(pairs_x86) / sizeof(pairs_x86[0]);
