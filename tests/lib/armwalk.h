/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second opinion on a table: a walk of its memory with a decoder of its own,
 * written from the Arm manual (DDI 0487, "VMSAv8-64 translation table format
 * descriptors") for the 4 KiB granule. It shares no code with src/format, so
 * that it shares no mistake with it either.
 */
#ifndef TEST_ARMWALK_H
#define TEST_ARMWALK_H

#include <nestwalk/format.h>
#include <nestwalk/table.h>

#include "arena.h"

enum aw_stage {
	AW_STAGE2,
	AW_STAGE1_EL2,
};

/* What the walk has to know, from the registers' point of view. */
struct aw_regs {
	enum aw_stage stage;
	uint64_t root_pa;
	unsigned start_level;	/* the manual's number: 0 to 3 */
	unsigned root_pages;	/* concatenated */
	unsigned ia_bits;
	int has_fwb;
	int has_xnx;
	uint64_t mair;		/* stage 1 */
};

struct aw_leaf {
	uint64_t ia;
	uint64_t pa;
	uint64_t entry;
	uint8_t arm_level;
	struct nw_attrs attrs;
};

struct aw_page {
	uint64_t pa;
	uint64_t ia;	    /* where its span begins */
	uint8_t arm_level;  /* of its entries */
};

/* Everything that the hardware could reach. Reused from walk to walk. */
struct aw_view {
	struct aw_leaf *leaf;
	unsigned leaves, leaf_room;
	struct aw_page *page; /* a parent before its children */
	unsigned pages, page_room;
	struct aw_leaf *invalid; /* not valid and not zero: ia, level, entry */
	unsigned invalids, invalid_room;
	char error[160];    /* first thing wrong, or empty */
};

/* Bytes one entry of a level spans. */
static inline uint64_t aw_span(unsigned arm_level)
{
	return 1ull << (39 - 9 * arm_level);
}

/* The registers that an embedder would load for this table. */
struct aw_regs aw_regs_of(const struct nw_table *t);

/* Walk everything. 0, or -1 with view->error set. */
int aw_walk(const struct aw_regs *regs, const struct nw_arena *arena,
	    struct aw_view *view);

/* Translate one address: 1 and *leaf, 0 when it faults, -1 on a bad entry. */
int aw_translate(const struct aw_regs *regs, const struct nw_arena *arena,
		 uint64_t ia, struct aw_leaf *leaf);

/* Take one leaf entry apart. NULL, or what is wrong with it. */
const char *aw_decode(const struct aw_regs *regs, unsigned arm_level,
		      uint64_t entry, struct aw_leaf *leaf);

void aw_view_free(struct aw_view *view);

#endif
