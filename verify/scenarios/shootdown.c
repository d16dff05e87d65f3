/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines whose CPUs invalidate for themselves: x86 and RISC-V. CPU 0 takes a
 * page away, or gives an entry another shape; the others use the address, and
 * take interrupts. Against arm64: nothing is broadcast, a size may change in
 * place, and an address may not (protocols 8).
 */
#include "scenarios.h"

#define IA	  UINT64_C(0x80000000)
#define BLOCK_OUT UINT64_C(0x80000000)
#define PAGES	  512u

/* present, writable, accessed, dirty, not executable */
#define X86_PAGE(pa)  ((pa) | UINT64_C(0x63) | UINT64_C(1) << 63)
#define X86_LARGE     UINT64_C(0x80)
#define X86_TABLE(pa) ((pa) | UINT64_C(0x23))
/* read, write, execute, write-back, accessed, dirty; no #VE */
#define EPT_NOTHING	(UINT64_C(1) << 63)
#define EPT_PAGE(pa)	((pa) | UINT64_C(0x337) | EPT_NOTHING)
#define EPT_TABLE(pa)	((pa) | UINT64_C(0x107))
#define EPT_POINTER(pa) ((pa) | UINT64_C(0x5e)) /* write-back, 4 levels, A/D   \
						 */
/* D A W R V */
#define RISCV_PAGE(pa)	((pa) >> 2 | UINT64_C(0xc7))
#define RISCV_TABLE(pa) ((pa) >> 2 | UINT64_C(0x1))

#define INVLPGB_ADDRESS UINT64_C(1) /* of RAX: the address is meant */

enum { TAG = 5, LEVELS_MAX = 4 };

struct state {
	uint64_t *entry; /* that is changed */
	uint64_t nothing;
	uint64_t other; /* the value that replaces it */
	uint64_t root_pa;
	uint64_t other_root_pa;
	unsigned frame;
	void (*flush)(struct state *s);
};

/* ---- tables ------------------------------------------------------------- */

static uint64_t table_entry(enum nw_regime regime, const uint64_t *page)
{
	uint64_t pa = nwx_pa(page);

	if (regime == NW_REGIME_RISCV_S)
		return RISCV_TABLE(pa);
	return regime == NW_REGIME_EPT ? EPT_TABLE(pa) : X86_TABLE(pa);
}

/* Down to level `to`; returns the entry there that translates IA. */
static uint64_t *make_table(struct state *s, enum nw_regime regime, unsigned to)
{
	unsigned levels = regime == NW_REGIME_RISCV_S ? 3 : 4;
	uint64_t *page[LEVELS_MAX];
	struct nwm_root root = {.levels = (uint8_t)levels,
				.ia_bits = (uint8_t)(12 + 9 * levels),
				.tag = TAG};

	for (unsigned level = to; level < levels; level++) {
		page[level] = nwx_page_alloc(0);
		nwx_table_page(page[level]);
	}
	s->root_pa = root.pa = nwx_pa(page[levels - 1]);
	nwx_table_root(page[levels - 1], regime, TAG, root.ia_bits);
	for (unsigned level = to + 1; level < levels; level++)
		nwx_store(&page[level][IA >> (12 + 9 * level) & 511],
			  table_entry(regime, page[level - 1]), NWM_RELEASE);
	for (unsigned cpu = 0; cpu < NWM_CPUS_MAX; cpu++)
		nwx_root_set(cpu, regime, root);
	nwx_watch(regime, IA);
	return &page[to][IA >> (12 + 9 * to) & 511];
}

static void on_interrupt(void *state, unsigned from, uint64_t ticket)
{
	struct state *s = state;

	(void)from;
	(void)ticket;
	s->flush(s);
}

static uint64_t make_frame(struct state *s)
{
	return nwx_pa(nws_frame_make("the page", NWM_R | NWM_W, &s->frame));
}

/* ---- x86 ---------------------------------------------------------------- */

static void x86_flush(struct state *s)
{
	(void)s;
	nwx_tlbi(NW_TLBI_X86_INVLPG, IA, IA + 4096, TAG, -1);
}

static void setup_x86(void *state)
{
	struct state *s = state;
	unsigned frame;

	s->flush = x86_flush;
	nwx_ipi_handler(on_interrupt);
	s->entry = make_table(s, NW_REGIME_X86, 0);
	nwx_store(s->entry, X86_PAGE(make_frame(s)), NWM_RELAXED);
	s->other = X86_PAGE(
		nwx_pa(nws_frame_make("another page", NWM_R | NWM_W, &frame)));
}

/* A block, and beside it a page that says the same. */
static void setup_x86_block(void *state)
{
	struct state *s = state;
	uint64_t *pages;

	s->flush = x86_flush;
	nwx_ipi_handler(on_interrupt);
	s->entry = make_table(s, NW_REGIME_X86, 1);
	nwx_store(s->entry, X86_PAGE(BLOCK_OUT) | X86_LARGE, NWM_RELAXED);
	pages = nwx_page_alloc(0);
	nwx_table_page(pages);
	for (unsigned i = 0; i < PAGES; i++)
		nwx_store(&pages[i], X86_PAGE(BLOCK_OUT + 4096 * i),
			  NWM_RELAXED);
	s->other = X86_TABLE(nwx_pa(pages));
}

/* ---- steps -------------------------------------------------------------- */

static unsigned others(void)
{
	return ((1u << nwm_config.cpus) - 1) & ~(1u << nwx_cpu_id());
}

static void flush_others(void)
{
	nwx_ipi_wait(nwx_ipi_send(others()));
}

static void clear(struct state *s)
{
	nwx_store(s->entry, s->nothing, NWM_RELAXED);
}

static void give_away(struct state *s)
{
	nwx_frame_allow(s->frame, 0);
}

static void shootdown(void *state)
{
	struct state *s = state;

	clear(s);
	s->flush(s);
	flush_others();
	give_away(s);
}

static void here_only(void *state)
{
	struct state *s = state;

	clear(s);
	s->flush(s);
	give_away(s);
}

static void others_before_clear(void *state)
{
	struct state *s = state;

	flush_others();
	clear(s);
	s->flush(s);
	give_away(s);
}

static void broadcast(struct state *s, enum nw_barrier completion)
{
	clear(s);
	nwx_barrier(NW_BARRIER_X86_MFENCE);
	nwx_tlbi(NW_TLBI_X86_INVLPGB, IA | INVLPGB_ADDRESS, IA + 4096, TAG, -1);
	nwx_barrier(completion);
	give_away(s);
}

static void broadcast_synced(void *state)
{
	broadcast(state, NW_BARRIER_X86_TLBSYNC);
}

static void broadcast_fenced(void *state)
{
	broadcast(state, NW_BARRIER_X86_MFENCE);
}

static void replace_in_place(void *state)
{
	struct state *s = state;

	nwx_store(s->entry, s->other, NWM_RELEASE);
	s->flush(s);
	flush_others();
}

static void remap(void *state)
{
	struct state *s = state;

	nwx_store(s->entry, s->other, NWM_RELEASE);
	give_away(s);
}

static void uses_x86(void *state)
{
	(void)state;
	(void)nwx_read(NW_REGIME_X86, IA);
}

static void idles(void *state)
{
	(void)state;
	nwx_note("busy with other things");
}

#define MACHINE(arch_)                                                         \
	.subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3, .walks = 1,         \
	.machine = {.arch = arch_}, .state_bytes = sizeof(struct state)
#define X86                                                                    \
	.rule = "protocols 8, requirements TLB", MACHINE(NWM_X86),             \
	.setup = setup_x86
#define REUSED .expect = {NWM_STALE, NWM_RULE}, .rules = {"LIFE-10"}

const struct nwx_scenario nws_good_x86_shootdown = {
	.name = "good_x86_shootdown",
	.doc = "clear, INVLPG, interrupt the others and wait for them",
	X86,
	.cpu = {shootdown, uses_x86, idles},
};

const struct nwx_scenario nws_bad_x86_unmap_without_ipi = {
	.name = "bad_x86_unmap_without_ipi",
	.doc = "INVLPG on one CPU, and the page is given away",
	X86,
	REUSED,
	.cpu = {here_only, uses_x86, idles},
};

const struct nwx_scenario nws_bad_x86_ipi_before_clear = {
	.name = "bad_x86_ipi_before_clear",
	.doc = "the others invalidate before the entry is cleared",
	X86,
	REUSED,
	.cpu = {others_before_clear, uses_x86, idles},
};

const struct nwx_scenario nws_good_x86_invlpgb = {
	.name = "good_x86_invlpgb",
	.doc = "clear, drain the store buffer, INVLPGB, TLBSYNC",
	X86,
	.cpu = {broadcast_synced, uses_x86, idles},
};

const struct nwx_scenario nws_bad_x86_invlpgb_without_tlbsync = {
	.name = "bad_x86_invlpgb_without_tlbsync",
	.doc = "INVLPGB and MFENCE: the others may not have done it yet",
	X86,
	REUSED,
	.cpu = {broadcast_fenced, uses_x86, idles},
};

const struct nwx_scenario nws_good_x86_split_in_place = {
	.name = "good_x86_split_in_place",
	.doc = "a block becomes a table that says the same, without a break",
	X86,
	.setup = setup_x86_block,
	.cpu = {replace_in_place, uses_x86, idles},
};

const struct nwx_scenario nws_bad_x86_remap_without_invalidate = {
	.name = "bad_x86_remap_without_invalidate",
	.doc = "a page becomes another page without a break, and is given away",
	X86,
	.cpu = {remap, uses_x86, idles},
	.expect = {NWM_STALE, NWM_RULE},
	.rules = {"BBM-01"},
};

/* ---- EPT ---------------------------------------------------------------- */

static void invept(uint64_t root_pa, unsigned tag)
{
	uint64_t pointer = EPT_POINTER(root_pa);

	nwx_tlbi(NW_TLBI_X86_INVEPT_SINGLE, pointer, pointer + 1, tag, -1);
}

static void ept_flush(struct state *s)
{
	invept(s->root_pa, TAG);
}

static void ept_flush_other(struct state *s)
{
	invept(s->other_root_pa, TAG + 1);
}

static void setup_ept(void *state)
{
	struct state *s = state;

	s->flush = ept_flush;
	s->nothing = EPT_NOTHING;
	nwx_ipi_handler(on_interrupt);
	s->entry = make_table(s, NW_REGIME_EPT, 0);
	nwx_store(s->entry, EPT_PAGE(make_frame(s)), NWM_RELAXED);
	s->other_root_pa = nwx_pa(nwx_page_alloc(0));
}

static void setup_ept_other(void *state)
{
	struct state *s = state;

	setup_ept(s);
	s->flush = ept_flush_other;
}

static void uses_ept(void *state)
{
	(void)state;
	(void)nwx_read(NW_REGIME_EPT, IA);
}

#define EPT                                                                    \
	.rule = "protocols 8, requirements TLB", MACHINE(NWM_X86),             \
	.machine = {.arch = NWM_X86, .has_haf = 1, .has_hd = 1},               \
	.cpu = {shootdown, uses_ept, idles}

const struct nwx_scenario nws_good_ept_shootdown = {
	.name = "good_ept_shootdown",
	.doc = "each CPU executes INVEPT of the table's pointer",
	EPT,
	.setup = setup_ept,
};

const struct nwx_scenario nws_bad_ept_other_pointer = {
	.name = "bad_ept_other_pointer",
	.doc = "each CPU executes INVEPT of another table's pointer",
	EPT,
	REUSED,
	.setup = setup_ept_other,
};

/* ---- RISC-V ------------------------------------------------------------- */

static void riscv_flush(struct state *s)
{
	(void)s;
	nwx_tlbi(NW_TLBI_RISCV_SFENCE_VMA, IA, IA + 4096, TAG, -1);
}

static void setup_riscv(void *state)
{
	struct state *s = state;

	s->flush = riscv_flush;
	nwx_ipi_handler(on_interrupt);
	s->entry = make_table(s, NW_REGIME_RISCV_S, 0);
	nwx_store(s->entry, RISCV_PAGE(make_frame(s)), NWM_RELAXED);
}

static void riscv_shootdown(void *state)
{
	struct state *s = state;

	clear(s);
	nwx_barrier(NW_BARRIER_RISCV_FENCE_RW);
	s->flush(s);
	flush_others();
	give_away(s);
}

static void uses_riscv(void *state)
{
	(void)state;
	(void)nwx_read(NW_REGIME_RISCV_S, IA);
}

#define RISCV                                                                  \
	.rule = "requirements TLB", MACHINE(NWM_RISCV), .setup = setup_riscv

const struct nwx_scenario nws_good_riscv_shootdown = {
	.name = "good_riscv_shootdown",
	.doc = "clear, FENCE, SFENCE.VMA, interrupt the other harts and wait",
	RISCV,
	.cpu = {riscv_shootdown, uses_riscv, idles},
};

const struct nwx_scenario nws_bad_riscv_local_fence_only = {
	.name = "bad_riscv_local_fence_only",
	.doc = "SFENCE.VMA on one hart, and the page is given away",
	RISCV,
	REUSED,
	.cpu = {here_only, uses_riscv, idles},
};

/* The machine's interrupts carry all that their sender did; the manual promises
 * that only after a fence. */
const struct nwx_scenario nws_bad_riscv_no_fence_before_ipi = {
	.name = "bad_riscv_no_fence_before_ipi",
	.doc = "nothing orders the cleared entry before the interrupt",
	RISCV,
	.cpu = {shootdown, uses_riscv, idles},
	.expect = {NWM_RULE},
	.rules = {"LIFE-10"},
};
