/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the CPU: registers of a regime from the library's helpers, then an AT
 * instruction and PAR_EL1.
 */
#ifndef NW_MMU_CPU_H
#define NW_MMU_CPU_H

#include "config.h"

enum outcome {
	OUTCOME_OK,
	OUTCOME_ADDRESS_SIZE,
	OUTCOME_TRANSLATION,
	OUTCOME_ACCESS_FLAG,
	OUTCOME_PERMISSION,
	OUTCOME_OTHER,
};

/* What the CPU says, or what it should say. */
struct answer {
	enum outcome outcome;
	int level;	    /* of a fault, the architecture's number */
	uint8_t is_stage2;  /* of a fault */
	uint8_t attributes; /* a byte as in MAIR_ELx */
	uint8_t share;	    /* SH */
	uint8_t share_also; /* expected: this one is as good */
	uint64_t pa;
};

enum at {
	AT_S12E1R,
	AT_S12E1W,
	AT_S12E0R,
	AT_S12E0W,
	AT_S1E2R,
	AT_S1E2W,
	AT_S1E1R,
	AT_S1E1W,
	AT_S1E0R,
	AT_S1E0W,
	AT_S1E1RP, /* with PSTATE.PAN set */
	AT_S1E1WP,
	AT_COUNT,
};

struct access {
	const char *name;
	uint8_t is_write;
	uint8_t is_user;
	uint8_t is_pan;
};

extern const struct access cpu_access[AT_COUNT];

/* The AT instructions of a regime: bit n for enum at n. */
unsigned cpu_questions(const struct cpu_facts *facts, enum regime regime);

/*
 * Program the regime for a table at `root` with this shape. `vtcr_flip`: bits
 * of the control register (VTCR_EL2, TCR_ELx) to invert, for tests of the test.
 */
void cpu_regime(const struct config *config, const struct nw_geometry *geo,
		nw_pa_t root, uint64_t flip);

/*
 * Go to `va` at EL1 or EL0 and see what becomes of the fetch: OUTCOME_OK if it
 * passed the tables (nothing answers at the output address). REGIME_S2, with
 * nothing mapped at 2^ia_bits; REGIME_EL1_LOWER, after cpu_execute_upper().
 */
struct answer cpu_execute(const struct config *config, int is_user,
			  uint64_t va);

/* REGIME_EL1_LOWER: where exceptions go is mapped by an upper table of the same
 * shape: `execute_vectors` at its input address 0. */
void cpu_execute_upper(const struct nw_geometry *geo, nw_pa_t root);
extern const uint8_t execute_vectors[];

uint64_t cpu_ask(enum at at, uint64_t va);
struct answer cpu_answer(uint64_t par);

#endif
