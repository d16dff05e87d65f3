/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces of machines whose CPUs invalidate for themselves: one table of each
 * format, and the usual ways of telling other CPUs.
 */
#ifndef TEST_CHECK_MACHINES_H
#define TEST_CHECK_MACHINES_H

#include "build.h"

struct machine {
	unsigned format, regime, ia_bits, features, tag, root_pages;
	uint64_t page, block, table; /* an entry's bits beside the address */
	unsigned ppn_right;	     /* the address is shifted right by it */
	enum nw_tlbi by_address, whole_tag, whole;
};

/* Where its pages are: levels 3 to 0, of three-level tables 2 to 0. */
#define M_ROOT	UINT64_C(0x50000000)
#define M_TAB2	UINT64_C(0x50010000)
#define M_TAB1	UINT64_C(0x50011000) /* 2 MiB an entry */
#define M_TAB0	UINT64_C(0x50012000) /* 4 KiB an entry */
#define M_NEW	UINT64_C(0x50013000)
#define M_ROOT2 UINT64_C(0x50020000)

extern const struct machine x86, npt, ept, sv39, sv39x4;

/* ---- entries, as an operating system or a hypervisor writes them --------- */

uint64_t m_page(const struct machine *m, uint64_t pa);
uint64_t m_block(const struct machine *m, uint64_t pa);
uint64_t m_table(const struct machine *m, uint64_t pa);

/* The right to write. */
uint64_t m_write_bit(const struct machine *m);
/* Dirty. */
uint64_t m_dirty_bit(const struct machine *m);

/* ---- tables ---------------------------------------------------------------
 */

/* An empty one at `root`. */
void m_new(struct tb *t, const struct machine *m, uint64_t root, unsigned tag);
/* At M_ROOT, with 8 pages from RAM on in M_TAB0, a leaf of 2 MiB at RAM + 2 MiB
 * in M_TAB1[1]. */
void m_mapped(struct tb *t, const struct machine *m);
/* The same, installed on CPUs 0 and 1. CPU 0 goes on. */
void m_running(struct tb *t, const struct machine *m);
/* This CPU walks `root` now. */
void m_install(struct tb *t, const struct machine *m, uint64_t root,
	       unsigned tag);
/* An identical table page for M_TAB1[1] in M_NEW, with `more` in its entries;
 * linked nowhere. */
void m_split_page(struct tb *t, const struct machine *m, uint64_t more);

/* ---- invalidations --------------------------------------------------------
 */

/* By address where the machine has that, else the whole tag. */
void m_flush(struct tb *t, const struct machine *m, uint64_t ia);
void m_flush_tag(struct tb *t, const struct machine *m);
/* CPU 0 interrupts CPU 1: sent, taken there; then done and awaited. */
void m_call(struct tb *t);
void m_return(struct tb *t);
/* CPU 0, then CPU 1 for it. */
void m_shootdown(struct tb *t, const struct machine *m, uint64_t ia);

#endif
