/* SPDX-License-Identifier: BSD-2-Clause */
#include "machines.h"

#define BIT(n) (UINT64_C(1) << (n))

/* P, W, U, A, D, PAT index 0, no execution; a software bit. */
#define X86_LEAF (0x67 | BIT(9) | BIT(63))
/* R, W, X, write-back, A, D; suppress #VE. */
#define EPT_LEAF (7 | 6 << 3 | BIT(8) | BIT(9) | BIT(63))
/* V, R, W, U, A, D; a software bit. */
#define RISCV_LEAF (0xd7 | BIT(8))

const struct machine x86 = {
	.format = NW_FORMAT_ID_x86_64,
	.regime = NW_REGIME_X86,
	.ia_bits = 48,
	.features = NW_FEAT_X86_NX | NW_FEAT_X86_1G,
	.tag = 5,
	.root_pages = 1,
	.page = X86_LEAF,
	.block = X86_LEAF | BIT(7),
	.table = 0x27,
	.by_address = NW_TLBI_X86_INVLPG,
	.whole_tag = NW_TLBI_X86_MOV_CR3,
	.whole = NW_TLBI_X86_INVPCID_ALL,
};

const struct machine npt = {
	.format = NW_FORMAT_ID_x86_npt,
	.regime = NW_REGIME_NPT,
	.ia_bits = 48,
	.features = NW_FEAT_X86_NX | NW_FEAT_X86_1G,
	.tag = 3,
	.root_pages = 1,
	.page = X86_LEAF,
	.block = X86_LEAF | BIT(7),
	.table = 0x27,
	.by_address = NW_TLBI_X86_ASID,
	.whole_tag = NW_TLBI_X86_ASID,
	.whole = NW_TLBI_X86_ASID_ALL,
};

const struct machine ept = {
	.format = NW_FORMAT_ID_x86_ept,
	.regime = NW_REGIME_EPT,
	.ia_bits = 48,
	.features = NW_FEAT_EPT_AD | NW_FEAT_X86_1G,
	.tag = 0,
	.root_pages = 1,
	.page = EPT_LEAF,
	.block = EPT_LEAF | BIT(7),
	.table = 7 | BIT(8),
	.by_address = NW_TLBI_X86_INVEPT_SINGLE,
	.whole_tag = NW_TLBI_X86_INVEPT_SINGLE,
	.whole = NW_TLBI_X86_INVEPT_ALL,
};

const struct machine sv39 = {
	.format = NW_FORMAT_ID_riscv_s,
	.regime = NW_REGIME_RISCV_S,
	.ia_bits = 39,
	.features = NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT,
	.tag = 9,
	.root_pages = 1,
	.page = RISCV_LEAF,
	.block = RISCV_LEAF,
	.table = 1,
	.ppn_right = 2,
	.by_address = NW_TLBI_RISCV_SFENCE_VMA,
	.whole_tag = NW_TLBI_RISCV_SFENCE_VMA_ASID,
	.whole = NW_TLBI_RISCV_SFENCE_VMA_ALL,
};

const struct machine sv39x4 = {
	.format = NW_FORMAT_ID_riscv_g,
	.regime = NW_REGIME_RISCV_G,
	.ia_bits = 41,
	.features = 0,
	.tag = 2,
	.root_pages = 4,
	.page = RISCV_LEAF,
	.block = RISCV_LEAF,
	.table = 1,
	.ppn_right = 2,
	.by_address = NW_TLBI_RISCV_HFENCE_GVMA,
	.whole_tag = NW_TLBI_RISCV_HFENCE_GVMA_VMID,
	.whole = NW_TLBI_RISCV_HFENCE_GVMA_ALL,
};

uint64_t m_page(const struct machine *m, uint64_t pa)
{
	return pa >> m->ppn_right | m->page;
}

uint64_t m_block(const struct machine *m, uint64_t pa)
{
	return pa >> m->ppn_right | m->block;
}

uint64_t m_table(const struct machine *m, uint64_t pa)
{
	return pa >> m->ppn_right | m->table;
}

uint64_t m_write_bit(const struct machine *m)
{
	return m->ppn_right ? 4 : 2;
}

uint64_t m_dirty_bit(const struct machine *m)
{
	if (m->regime == NW_REGIME_EPT)
		return BIT(9);
	return m->ppn_right ? BIT(7) : BIT(6);
}

void m_new(struct tb *t, const struct machine *m, uint64_t root, unsigned tag)
{
	unsigned i;

	alloc(t, root, m->root_pages);
	ev(t, NW_EV_TABLE_INIT, root,
	   NW_TRACE_SHAPE(m->format, 12, m->ia_bits, 46, m->features),
	   tag | (uint64_t)m->regime << 16);
	for (i = 0; i < m->root_pages; i++)
		zero(t, root + i * PAGE, ~0u);
}

void m_mapped(struct tb *t, const struct machine *m)
{
	int has_three = m->ppn_right != 0;
	unsigned i;

	m_new(t, m, M_ROOT, m->tag);
	alloc(t, M_TAB1, 1);
	alloc(t, M_TAB0, 1);
	zero(t, M_TAB0, ~0u);
	for (i = 0; i < 8; i++)
		init(t, M_TAB0, i, m_page(m, RAM + i * PAGE));
	zero(t, M_TAB1, ~0u);
	init(t, M_TAB1, 0, m_table(m, M_TAB0));
	init(t, M_TAB1, 1, m_block(m, RAM + 2 * MIB));
	if (!has_three) {
		alloc(t, M_TAB2, 1);
		zero(t, M_TAB2, ~0u);
		init(t, M_TAB2, 0, m_table(m, M_TAB1));
	}
	link_(t, M_ROOT, 0, 0, m_table(m, has_three ? M_TAB1 : M_TAB2));
}

void m_install(struct tb *t, const struct machine *m, uint64_t root,
	       unsigned tag)
{
	ev(t, NW_EV_ROOT_SWITCH, root, tag, m->regime);
}

void m_running(struct tb *t, const struct machine *m)
{
	m_mapped(t, m);
	m_install(t, m, M_ROOT, m->tag);
	on_cpu(t, 1);
	m_install(t, m, M_ROOT, m->tag);
	on_cpu(t, 0);
}

void m_split_page(struct tb *t, const struct machine *m, uint64_t more)
{
	unsigned i;

	alloc(t, M_NEW, 1);
	for (i = 0; i < 512; i++)
		init(t, M_NEW, i, m_page(m, RAM + 2 * MIB + i * PAGE) | more);
}

static void flush(struct tb *t, const struct machine *m, enum nw_tlbi op,
		  uint64_t ia)
{
	if (op == NW_TLBI_X86_INVEPT_SINGLE)
		tlbi(t, op, M_ROOT | 0x5e, 0); /* write-back, 4 levels, A/D */
	else if (op == NW_TLBI_RISCV_HFENCE_GVMA)
		tlbi(t, op, ia >> 2, m->tag);
	else
		tlbi(t, op, op == m->by_address ? ia : 0, m->tag);
}

void m_flush(struct tb *t, const struct machine *m, uint64_t ia)
{
	flush(t, m, m->by_address, ia);
}

void m_flush_tag(struct tb *t, const struct machine *m)
{
	flush(t, m, m->whole_tag, 0);
}

void m_call(struct tb *t)
{
	ev(t, NW_EV_IPI_SEND, 2, 7, 0);
	on_cpu(t, 1);
	ev(t, NW_EV_IPI_TAKE, 0, 7, 0);
}

void m_return(struct tb *t)
{
	ev(t, NW_EV_IPI_DONE, 0, 7, 0);
	on_cpu(t, 0);
	ev(t, NW_EV_IPI_WAIT, 2, 7, 0);
}

void m_shootdown(struct tb *t, const struct machine *m, uint64_t ia)
{
	m_flush(t, m, ia);
	barrier(t, m->ppn_right ? NW_BARRIER_RISCV_FENCE_RW
				: NW_BARRIER_X86_MFENCE);
	m_call(t);
	m_flush(t, m, ia);
	m_return(t);
}
