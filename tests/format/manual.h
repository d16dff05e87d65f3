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

/* Granule and address form of an instance. */
struct manual_form {
	uint8_t granule_lg2;
	uint8_t has_lpa2;
	uint8_t leaf_lg2[4]; /* bytes of a leaf by level; 0: no leaf */
	uint8_t run[4];	     /* entries of a contiguous run by level */
	uint8_t low_bits;    /* address bits that stand in place: below this */
	uint8_t high_bit; /* where those from low_bits on stand; 0: nowhere */
	uint8_t high_count;
	uint32_t wide; /* feature that the last leaf and 52 bits take */
};

struct manual_stage {
	/* Bit n: NW_REASON_n applies to this leaf. 0: it is good. */
	unsigned (*reasons)(const struct manual_form *form, unsigned features,
			    unsigned oa_bits, unsigned level, uint64_t leaf);
	/* What a good leaf says. */
	struct nw_attrs (*attrs)(const struct manual_form *form,
				 unsigned features, unsigned level,
				 uint64_t leaf);
	/* A leaf with address 0, or 0 if it cannot be expressed. */
	uint64_t (*encode)(const struct manual_form *form, unsigned features,
			   unsigned level, const struct nw_attrs *attrs);
	/* Features that matter, and the leaf facts that exist. */
	unsigned features;
	unsigned flags;
	/* Position of the write right, and its value when granted. */
	unsigned write_bit;
	unsigned write_value;
};

extern const struct manual_stage manual_s2;
extern const struct manual_stage manual_el2;
extern const struct manual_stage manual_el10;

const struct manual_form *manual_form_of(unsigned granule_lg2, int has_lpa2);

/* Does this level hold leaves, with these features? */
int manual_has_leaf(const struct manual_form *form, unsigned features,
		    unsigned level);

/* Where an entry keeps this address. */
uint64_t manual_place(const struct manual_form *form, uint64_t pa);

/* Bits last..first of a word. */
unsigned manual_field(uint64_t word, unsigned last, unsigned first);

#endif
