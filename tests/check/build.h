/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traces in C. Each call appends one event (or the few that its name says) on
 * the builder's current CPU.
 *
 * Table pages have their software address at VA(). Stage-2 tables have 40
 * input bits: two concatenated root pages at level 2 (the manual's 1).
 */
#ifndef TEST_CHECK_BUILD_H
#define TEST_CHECK_BUILD_H

#include <nestwalk/arm64.h>
#include <nestwalk/port.h>

#include "check.h"

#define TB_EVENTS_MAX 40000

struct tb {
	struct nwv_event event[TB_EVENTS_MAX];
	unsigned events;
	unsigned cpu;
};

#define VA(pa) ((pa) + UINT64_C(0xffff000000000000))
#define KIB    UINT64_C(1024)
#define MIB    (1024 * KIB)
#define GIB    (1024 * MIB)
#define PAGE   (4 * KIB)

/* Where the usual pages are. */
#define ROOT	UINT64_C(0x40000000)
#define ROOT_B	UINT64_C(0x40002000)
#define TAB1	UINT64_C(0x40010000) /* level 1: 2 MiB an entry */
#define TAB0	UINT64_C(0x40011000) /* level 0: 4 KiB an entry */
#define TAB_NEW UINT64_C(0x40012000)
#define EROOT	UINT64_C(0x40020000) /* the hypervisor's own: levels 3 to 0 */
#define ETAB2	UINT64_C(0x40021000)
#define ETAB1	UINT64_C(0x40022000)
#define ETAB0	UINT64_C(0x40023000)
#define VMID	7

/* Guest memory starts here. */
#define RAM UINT64_C(0x80000000)

/* ---- descriptors, as an operating hypervisor writes them ---------------- */

#define D_AF	     (UINT64_C(1) << 10)
#define D_SH_INNER   (UINT64_C(3) << 8)
#define D_SH_OUTER   (UINT64_C(2) << 8)
#define D_NT	     (UINT64_C(1) << 16)
#define D_DBM	     (UINT64_C(1) << 51)
#define D_CONTIG     (UINT64_C(1) << 52)
#define D_SOFT	     (UINT64_C(5) << 55)
#define S2_R	     (UINT64_C(1) << 6)
#define S2_W	     (UINT64_C(1) << 7)
#define S2_WB	     (UINT64_C(15) << 2)
#define S2_NC	     (UINT64_C(5) << 2)
#define S2_XN	     (UINT64_C(2) << 53)
#define S2_ATTRS     (D_AF | D_SH_INNER | S2_R | S2_W | S2_WB | D_SOFT)
#define S2_PAGE(pa)  ((pa) | S2_ATTRS | 3)
#define S2_BLOCK(pa) ((pa) | S2_ATTRS | 1)
#define EL2_RO	     (UINT64_C(1) << 7)
#define EL2_XN	     (UINT64_C(1) << 54)
#define EL2_WB	     (UINT64_C(6) << 2)
#define EL2_ATTRS                                                              \
	(D_AF | D_SH_INNER | (UINT64_C(1) << 6) | EL2_WB | EL2_XN | D_SOFT)
#define EL2_PAGE(pa)  ((pa) | EL2_ATTRS | 3)
#define EL2_BLOCK(pa) ((pa) | EL2_ATTRS | 1)
#define TABLE(pa)     ((pa) | 3)

/* ---- events ------------------------------------------------------------ */

void ev(struct tb *t, unsigned kind, uint64_t a, uint64_t b, uint64_t c);
void on_cpu(struct tb *t, unsigned cpu);

/* Entry `index` of the table page at `pa`. */
#define AT(pa, index) (VA(pa) + 8 * (uint64_t)(index))

void alloc(struct tb *t, uint64_t pa, unsigned pages);
/* 512 initialising stores of 0; all but the one at `except` (~0u: none). */
void zero(struct tb *t, uint64_t pa, unsigned except);
void init(struct tb *t, uint64_t pa, unsigned index, uint64_t value);
void set(struct tb *t, uint64_t pa, unsigned index, uint64_t old,
	 uint64_t value);
void link_(struct tb *t, uint64_t pa, unsigned index, uint64_t old,
	   uint64_t value);
void swap(struct tb *t, uint64_t pa, unsigned index, uint64_t old,
	  uint64_t value);
void barrier(struct tb *t, enum nw_barrier kind);
void tlbi(struct tb *t, enum nw_tlbi op, uint64_t operand, unsigned vmid);
void page_unlink(struct tb *t, uint64_t pa, unsigned level);
void page_free(struct tb *t, uint64_t pa, unsigned pages);

/* ---- small pieces ------------------------------------------------------ */

/* Operand of an invalidation by address; arm_level 0: no hint. */
uint64_t by_address(uint64_t address, unsigned arm_level);
/* ... by range of (num + 1) << (5 * scale + 1) granules of 4 KiB. */
uint64_t by_range(uint64_t address, unsigned scale, unsigned num);

/* An empty table, on its root; features are NW_FEAT_*. */
void s2_table(struct tb *t, unsigned features);
void el2_table(struct tb *t, unsigned features);
/* ROOT[0] -> TAB1[0] -> TAB0, whose first 8 entries map RAM onwards; TAB1[1]
 * is a 2 MiB block at RAM + 2 MiB. */
void s2_mapped(struct tb *t, unsigned features);
/* The same below EROOT, through ETAB2. */
void el2_mapped(struct tb *t, unsigned features);
/* An identical table page for the block in TAB1[1]: TAB_NEW, complete. */
void split_page(struct tb *t);

/* DSB ISHST; IPAS2E1IS; DSB ISH; VMALLE1IS; DSB ISH; ISB */
void s2_flush(struct tb *t, uint64_t ipa);
/* DSB ISHST; VAE2IS; DSB ISH; ISB */
void el2_flush(struct tb *t, uint64_t va);

#endif
