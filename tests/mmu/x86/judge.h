/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One table, what it should translate, and the CPU's opinion.
 */
#ifndef MMU_X86_JUDGE_H
#define MMU_X86_JUDGE_H

#include <nestwalk/table.h>

#include "../riscv/model.h"
#include "machine.h"

/* One configuration, judged by a CPU of that many levels and address bits. */
struct setup {
	const char *name;
	const struct nw_format_ops *ops;
	enum nw_regime regime;
	uint8_t ia_bits;
	uint8_t state_clear; /* map with accessed and dirty clear */
	uint32_t features;
};

/* What the library takes a random entry for. */
enum word_kind {
	WORD_NOT_PRESENT,
	WORD_RESERVED, /* by the manual */
	WORD_LEAF,
	WORD_TABLE,
	WORD_KINDS,
};

struct judge {
	const struct setup *setup;
	struct nw_table table;
	struct model model;
	uint64_t low, end; /* range judged: all but the root's first entry */
	uint64_t passed;
	uint64_t failed;
	uint64_t addresses;
	uint64_t operations;
	uint64_t words[WORD_KINDS]; /* random entries judged */
	uint64_t faults[ACCESS_COUNT];
	uint64_t key_faults;
	uint64_t through[NW_LEVELS_MAX]; /* by level of the leaf */
	uint64_t quarters[4];		 /* through, by quarter of the range */
	uint32_t pkru;
	int user; /* in whose name the host accesses */
};

/* A span's prot: NW_PROT_R, _W, and _X for whoever may execute; above them the
 * protection key. */
#define SPAN_KEY_SHIFT 4
#define SPAN_RIGHTS    15u

static inline int is_nested(const struct judge *j)
{
	return j->setup->regime == NW_REGIME_NPT;
}

static inline int has(const struct judge *j, unsigned feature)
{
	return (j->setup->features & feature) != 0;
}

/* Count one check; where it fails say so (the first ones). */
int check(struct judge *j, int ok, const char *what, uint64_t address,
	  uint64_t got, uint64_t want);

/* CR3 or nCR3, and the features in CR4 and EFER. */
void judge_install(struct judge *j, uint64_t root_pa);

/* One access of each kind. judge_one() expects what `span` says, or a fault
 * (NULL); 1: it went through. */
void judge_data(struct judge *j, uint64_t ia);
void judge_fetch(struct judge *j, uint64_t ia);
int judge_one(struct judge *j, enum access how, uint64_t ia,
	      const struct span *span);
/* The access itself, at the address that stands for `ia`. */
struct outcome judge_try(struct judge *j, enum access how, uint64_t ia,
			 uint64_t value);

/* Load, store and fetch at `n` random addresses, as ring 3 and ring 0. */
void judge_addresses(struct judge *j, uint64_t n);

/* Hardware's accessed and dirty marks are those that the library finds. */
void judge_state(struct judge *j);

/* Random entries, by the library's decoding and by the CPU (entries.c). */
void judge_entries(struct judge *j, uint64_t n);

/* An address in the span whose memory is backed; 0: there is none. */
int address_in_span(const struct span *span, uint64_t *ia);

/* Keys and ring for the accesses that follow. */
void judge_as(struct judge *j, int user);

#endif
