/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where this emulator is known to leave the manual, found out by tables that
 * are written by hand, one leaf for each root entry: the library has no part
 * in the answers. Each answer is printed, and expected from then on.
 */
#include "judge.h"

#define ROOT_ENTRIES 2048u
#define WORD	     UINT64_C(0x90001000)
#define LEAF_X	     UINT64_C(0xd9) /* V X U A D */
#define LEAF_R	     UINT64_C(0xd3) /* V R U A D */

static uint64_t root[ROOT_ENTRIES] __attribute__((aligned(16384)));

/* One leaf of the root's level in every entry: WORD is at its offset. */
static void fill(unsigned levels, uint64_t bits)
{
	/* A leaf of three levels' root is a gigapage, others begin at 0. */
	const uint64_t pa = levels == 3 ? WORD & ~UINT64_C(0x3fffffff) : 0;

	for (unsigned i = 0; i < ROOT_ENTRIES; i++)
		root[i] = pa >> 2 | bits;
	guest_translation((levels + 5ull) << 60 | (uintptr_t)root >> 12, 0);
}

static uint64_t cause_at(unsigned levels, enum access how, uint64_t high)
{
	const uint64_t offset =
		levels == 3 ? WORD & UINT64_C(0x3fffffff) : WORD;

	return guest_access(how, high | offset, 0, 1).cause;
}

/*
 * QEMU 7.2: HLVX is a load like HLV, with the read right instead of execute.
 * Rights to execute are judged by fetches then.
 */
static int hlvx_is_load(void)
{
	uint64_t x_only, r_only;

	fill(3, LEAF_X);
	x_only = cause_at(3, ACCESS_LOAD_EXEC, 0);
	fill(3, LEAF_R);
	r_only = cause_at(3, ACCESS_LOAD_EXEC, 0);
	return x_only && !r_only;
}

/*
 * QEMU 7.2: bits above a guest-physical address must be copies of its highest,
 * as those of a virtual address, where the manual wants zeroes. The upper half
 * of the input range is reached by such addresses then.
 */
static int gpa_is_signed(unsigned levels)
{
	const uint64_t upper = UINT64_C(1) << (12 + 9 * levels + 1);

	fill(levels, LEAF_R);
	return cause_at(levels, ACCESS_LOAD, upper) &&
	       !cause_at(levels, ACCESS_LOAD, 0 - upper);
}

/*
 * QEMU 7.2: HLV and HSV for VS-mode reach user pages as if vsstatus.SUM were
 * set. Fetches, and accesses for VU-mode, judge the user bit.
 */
static int hlv_has_sum(void)
{
	fill(3, LEAF_R);
	guest_translation(0, UINT64_C(8) << 60 | (uintptr_t)root >> 12);
	return !cause_at(3, ACCESS_LOAD, 0);
}

struct quirks quirks;

void probe(void)
{
	quirks.hlvx_is_load = hlvx_is_load();
	if (quirks.hlvx_is_load)
		say("this machine's HLVX asks for the read right: fetches "
		    "judge the execute right\n");
	quirks.hlv_has_sum = hlv_has_sum();
	if (quirks.hlv_has_sum)
		say("this machine's HLV and HSV ignore SUM: fetches and "
		    "VU-mode judge the user bit\n");
	for (unsigned levels = 3; levels <= 5; levels++) {
		quirks.gpa_is_signed[levels] = gpa_is_signed(levels);
		if (quirks.gpa_is_signed[levels])
			say("this machine's guest-physical addresses are "
			    "sign-extended, %u levels\n",
			    (uint64_t)levels);
	}
	guest_translation(0, 0);
}
