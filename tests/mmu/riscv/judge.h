/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table, what it should translate, and the hart's opinion.
 */
#ifndef MMU_RISCV_JUDGE_H
#define MMU_RISCV_JUDGE_H

#include <nestwalk/table.h>

#include "machine.h"
#include "model.h"

#define RUN_PAGES 16 /* of an Svnapot run */

/* One configuration. */
struct setup {
	const char *name;
	const struct nw_format_ops *ops;
	enum nw_regime regime;
	uint8_t ia_bits;
	uint8_t state_clear; /* map with accessed and dirty clear */
	uint32_t features;
};

struct judge {
	const struct setup *setup;
	struct nw_table table;
	struct model model;
	uint64_t passed;
	uint64_t failed;
	uint64_t addresses;
	uint64_t faults[ACCESS_COUNT];
	uint64_t through[NW_LEVELS_MAX]; /* by level of the leaf */
	uint64_t runs;			 /* through members of runs */
	uint64_t quarters[4]; /* through, by quarter of the input range: in the
			       * G-stage each is a page of the root */
	uint64_t operations;
	int privileged; /* whom HLV and HSV stand for */
};

static inline int is_g_stage(const struct judge *j)
{
	return j->setup->regime == NW_REGIME_RISCV_G;
}

/* How the emulator differs from the manual (probe.c). */
struct quirks {
	uint8_t hlvx_is_load;
	uint8_t hlv_has_sum;
	uint8_t gpa_is_signed[NW_LEVELS_MAX + 1]; /* by levels */
};
extern struct quirks quirks;
void probe(void);

/* Backing memory is taken from these pieces only, so that the machine need not
 * have all it claims to have. */
#define ISLANDS	     64
#define ISLAND_BYTES (UINT64_C(2) << 20)
extern uint64_t islands[ISLANDS];
void islands_choose(void);

/* Count one check; where it fails say so (the first ones). */
int check(struct judge *j, int ok, const char *what, uint64_t address,
	  uint64_t got, uint64_t want);

/* hgatp or vsatp with the table, the other one bare. */
void judge_install(const struct judge *j);

/* The address as the guest writes it. */
uint64_t guest_address(const struct judge *j, uint64_t ia);

/* HLV, HSV and HLVX at one address, and the guest's own fetch. */
void judge_data(struct judge *j, uint64_t ia);
void judge_fetch(struct judge *j, uint64_t ia);

/* Both at `n` random addresses. */
void judge_addresses(struct judge *j, uint64_t n);

/* Hardware's accessed and dirty marks are those that the library finds. */
void judge_state(struct judge *j);

/* An address in the span whose memory is backed; 0: there is none. */
int address_in_span(const struct span *span, uint64_t *ia);

#endif
