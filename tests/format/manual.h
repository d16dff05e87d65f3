/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the manual says about a leaf, as tables written for the tests alone.
 * Nothing of src/format is used here: a shared mistake would go unseen.
 *
 * DDI 0487, "VMSAv8-64 translation table format descriptors".
 */
#ifndef TESTS_FORMAT_MANUAL_H
#define TESTS_FORMAT_MANUAL_H

#include <nestwalk/format.h>

struct manual_stage {
	/* Bit n: NW_REASON_n applies to this leaf. 0: it is good. */
	unsigned (*reasons)(unsigned features, unsigned oa_bits, unsigned level,
			    uint64_t leaf);
	/* What a good leaf says. */
	struct nw_attrs (*attrs)(unsigned features, unsigned level,
				 uint64_t leaf);
	/* A leaf with address 0, or 0 if it cannot be expressed. */
	uint64_t (*encode)(unsigned features, unsigned level,
			   const struct nw_attrs *attrs);
	/* Features that matter, and the leaf facts that exist. */
	unsigned features;
	unsigned flags;
	/* Position of the write right, and its value when granted. */
	unsigned write_bit;
	unsigned write_value;
};

extern const struct manual_stage manual_s2;
extern const struct manual_stage manual_el2;

/* Bits last..first of a word. */
unsigned manual_field(uint64_t word, unsigned last, unsigned first);

/* Bytes of a leaf, as a logarithm: 12, 21, 30. */
extern const unsigned manual_leaf_lg2[3];

#endif
