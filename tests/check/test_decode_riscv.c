/* SPDX-License-Identifier: BSD-2-Clause */
/* The oracle's reading of RISC-V entries, bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"

#define BIT(n) (UINT64_C(1) << (n))
#define V      BIT(0)
#define R      BIT(1)
#define W      BIT(2)
#define X      BIT(3)
#define U      BIT(4)
#define G      BIT(5)
#define A      BIT(6)
#define D      BIT(7)
#define N      BIT(63)
#define PPN(n) ((uint64_t)(n) << 10)

static int decode(unsigned is_g, unsigned ia, unsigned features,
		  uint64_t root_bytes, struct nwv_shape *s, const char **why)
{
	return nwv_shape_decode(NW_TRACE_SHAPE(is_g ? NW_FORMAT_ID_riscv_g
						    : NW_FORMAT_ID_riscv_s,
					       12, ia, 50, features),
				is_g ? NW_REGIME_RISCV_G : NW_REGIME_RISCV_S,
				root_bytes, 0, s, why);
}

static struct nwv_shape shape(unsigned is_g, unsigned ia, unsigned features)
{
	const char *why = NULL;
	struct nwv_shape s;

	if (decode(is_g, ia, features, is_g ? 16384 : 4096, &s, &why))
		fail_msg("refused: %s", why);
	return s;
}

static void shapes_have_their_levels(void **state)
{
	const char *why = NULL;
	struct nwv_shape s;

	(void)state;
	assert_int_equal(shape(0, 39, 0).levels, 3);
	assert_int_equal(shape(0, 48, 0).levels, 4);
	assert_int_equal(shape(0, 57, 0).levels, 5);
	assert_int_equal(shape(1, 41, 0).levels, 3);
	assert_int_equal(shape(1, 50, 0).levels, 4);
	assert_int_equal(shape(1, 59, 0).levels, 5);
	assert_int_equal(shape(1, 40, 0).levels, 3);
	assert_int_equal(shape(1, 42, 0).levels, 4);
	assert_int_not_equal(decode(0, 41, 0, 4096, &s, &why), 0);
	assert_non_null(strstr(why, "39, 48 or 57"));
	assert_int_not_equal(decode(1, 60, 0, 16384, &s, &why), 0);
	assert_int_not_equal(decode(1, 41, 0, 4096, &s, &why), 0);
	assert_non_null(strstr(why, "16 KiB"));
}

static void rights_make_leaf_or_table(void **state)
{
	struct nwv_shape s = shape(0, 57, 0);
	unsigned level, rwx;

	(void)state;
	for (level = 0; level < 5; level++)
		for (rwx = 0; rwx < 8; rwx++) {
			enum nwv_kind want = NWV_LEAF;

			if (!rwx)
				want = level ? NWV_TABLE : NWV_RESERVED;
			else if ((rwx & 3) == 2) /* W without R */
				want = NWV_RESERVED;
			assert_int_equal(nwv_kind(&s, level, rwx << 1 | V),
					 want);
			assert_int_equal(nwv_kind(&s, level, rwx << 1),
					 NWV_INVALID);
		}
}

static unsigned rights_of(const struct nwv_shape *s, uint64_t e)
{
	struct nwv_leaf leaf;

	nwv_leaf_decode(s, 0, e | V, &leaf);
	return leaf.rights;
}

static void rights_are_read(void **state)
{
	struct nwv_shape s = shape(0, 39, 0), g = shape(1, 41, 0);
	struct nwv_shape adu = shape(0, 39, NW_FEAT_SVADU);

	(void)state;
	assert_int_equal(rights_of(&s, R | A), NWV_R);
	assert_int_equal(rights_of(&s, R | X | A), NWV_R | NWV_PX);
	assert_int_equal(rights_of(&s, X | U | A), NWV_UX | NWV_U);
	/* Without hardware updates a write with D clear faults. */
	assert_int_equal(rights_of(&s, R | W | A), NWV_R);
	assert_int_equal(rights_of(&s, R | W | A | D), NWV_R | NWV_W);
	assert_int_equal(rights_of(&adu, R | W | A), NWV_R | NWV_W);
	/* A guest's accesses are a user's. */
	assert_int_equal(rights_of(&g, R | W | X | A | D), 0);
	assert_int_equal(rights_of(&g, R | W | X | U | A | D),
			 NWV_R | NWV_W | NWV_PX | NWV_UX);
}

static void addresses_are_read(void **state)
{
	struct nwv_shape s = shape(0, 39, NW_FEAT_SVNAPOT);
	const uint64_t leaf = V | R | A;

	(void)state;
	assert_int_equal(nwv_leaf_pa(&s, 0, PPN(0x12345) | leaf), 0x12345000);
	assert_int_equal(nwv_table_pa(&s, PPN(0x12345) | V), 0x12345000);
	assert_int_equal(nwv_leaf_pa(&s, 1, PPN(0x12200) | leaf), 0x12200000);
	/* A run: ppn[3:0] says its size. */
	assert_int_equal(nwv_leaf_pa(&s, 0, PPN(0x12348) | N | leaf),
			 0x12340000);
	assert_int_equal(nwv_leaf_pa(&s, 0, ~UINT64_C(0) & ~N), (BIT(44) - 1)
									<< 12);
}

static void flaws_are_found(void **state)
{
	struct nwv_shape s = shape(0, 48, 0);
	struct nwv_shape all = shape(0, 48, NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT);
	const uint64_t leaf = V | R | W | A | D;
	unsigned bit, pattern, level;

	(void)state;
	assert_int_equal(nwv_entry_flaw(&s, 0, leaf), NWV_FLAW_NONE);
	for (bit = 54; bit < 64; bit++) {
		assert_int_equal(nwv_entry_flaw(&s, 0, leaf | BIT(bit)),
				 NWV_FLAW_RES0);
		assert_int_equal(nwv_entry_flaw(&s, 1, V | BIT(bit)),
				 NWV_FLAW_RES0);
	}
	/* Rights are the machine's, or beyond it. */
	for (bit = 10; bit < 54; bit++)
		assert_int_equal(nwv_entry_flaw(&s, 0, leaf | BIT(bit)),
				 bit < 48 ? NWV_FLAW_NONE : NWV_FLAW_SIZE);
	for (level = 1; level < 4; level++)
		for (bit = 10; bit < 10 + 9 * level; bit++)
			assert_int_equal(
				nwv_entry_flaw(&s, level, leaf | BIT(bit)),
				NWV_FLAW_ALIGN);
	assert_int_equal(nwv_entry_flaw(&all, 0, leaf | BIT(61)),
			 NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&all, 0, leaf | BIT(62)),
			 NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&all, 0, leaf | 3 * BIT(61)),
			 NWV_FLAW_MEMTYPE);
	assert_int_equal(nwv_entry_flaw(&all, 1, V | BIT(61)), NWV_FLAW_RES0);
	for (pattern = 0; pattern < 16; pattern++)
		assert_int_equal(
			nwv_entry_flaw(&all, 0, leaf | N | PPN(pattern)),
			pattern == 8 ? NWV_FLAW_NONE : NWV_FLAW_ALIGN);
	assert_int_equal(nwv_entry_flaw(&all, 1, leaf | N), NWV_FLAW_RES0);
	/* Of a pointer A, D and U are reserved, G is not. */
	assert_int_equal(nwv_entry_flaw(&s, 1, V | A), NWV_FLAW_RES0);
	assert_int_equal(nwv_entry_flaw(&s, 1, V | D), NWV_FLAW_RES0);
	assert_int_equal(nwv_entry_flaw(&s, 1, V | U), NWV_FLAW_RES0);
	assert_int_equal(nwv_entry_flaw(&s, 1, V | G), NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&s, 0, V | W), NWV_FLAW_TYPE);
}

static void changes_are_told_apart(void **state)
{
	struct nwv_shape s = shape(0, 39, NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT);
	const uint64_t e = V | R | W | X | U | A | D | PPN(0x88);
	const uint64_t run = e | N;

	(void)state;
	assert_int_equal(nwv_change(&s, 0, e, 0), NWV_D_REMOVED);
	assert_int_equal(nwv_change(&s, 0, e, e | BIT(8)), 0);
	assert_int_equal(nwv_change(&s, 0, e, e | PPN(1)), NWV_D_ADDRESS);
	assert_int_equal(nwv_change(&s, 0, e, e | BIT(61)), NWV_D_MEMTYPE);
	assert_int_equal(nwv_change(&s, 0, e, e & ~W), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e & ~W, e), 0);
	assert_int_equal(nwv_change(&s, 0, e, e & ~D), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e, e & ~A), NWV_D_AGED);
	assert_int_equal(nwv_change(&s, 0, e | G, e), NWV_D_NARROWED);
	/* From a supervisor's page to a user's and back. */
	assert_int_equal(nwv_change(&s, 0, e & ~U, e), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, e, e & ~U), NWV_D_NARROWED);
	/* A page of the run, and the run. */
	assert_int_equal(nwv_change(&s, 0, e, run), 0);
	assert_int_equal(nwv_change(&s, 0, run, e | PPN(5)), 0);
	assert_int_equal(nwv_change(&s, 0, run, e | PPN(16)), NWV_D_ADDRESS);
	assert_int_equal(nwv_change(&s, 1, V | PPN(3), V | PPN(4)),
			 NWV_D_TABLE);
}

static void hardware_updates_are_known(void **state)
{
	struct nwv_shape s = shape(0, 39, 0);
	struct nwv_shape adu = shape(0, 39, NW_FEAT_SVADU);

	(void)state;
	assert_int_equal(nwv_hw_bits(&s, 0, V | R | W), 0);
	assert_int_equal(nwv_hw_bits(&adu, 0, V | R | W), A | D);
	assert_int_equal(nwv_hw_bits(&adu, 0, V | R), A);
	assert_int_equal(nwv_hw_bits(&adu, 1, V), 0);
	assert_false(nwv_is_cached(&s, V | R));
	assert_true(nwv_is_cached(&s, V | R | A));
	assert_true(nwv_is_cached(&adu, V | R));
}

static void parts_of_superpages_are_compared(void **state)
{
	struct nwv_shape s = shape(0, 39, NW_FEAT_SVNAPOT);
	const uint64_t leaf = V | R | A, big = leaf | PPN(0x400);

	(void)state;
	assert_true(nwv_same_translation(&s, 1, big, 7, leaf | PPN(0x407)));
	assert_false(nwv_same_translation(&s, 1, big, 7, leaf | PPN(0x408)));
	assert_false(
		nwv_same_translation(&s, 1, big, 7, leaf | X | PPN(0x407)));
	/* A run of 16 among them. */
	assert_true(
		nwv_same_translation(&s, 1, big, 23, leaf | N | PPN(0x418)));
	assert_false(
		nwv_same_translation(&s, 1, big, 39, leaf | N | PPN(0x418)));
	assert_int_equal(nwv_block_part(&s, big, 0x3000), leaf | PPN(0x403));
}

static struct nwv_inval inval(enum nw_tlbi op, uint64_t operand)
{
	struct nwv_inval v;

	assert_int_equal(nwv_inval_decode(op, operand, &v), 0);
	return v;
}

static void fences_are_read(void **state)
{
	struct nwv_inval v = inval(NW_TLBI_RISCV_SFENCE_VMA, 0x12345);

	(void)state;
	assert_true(v.is_local && v.is_last_level && v.keeps_global);
	assert_int_equal(v.start, 0x12000);
	v = inval(NW_TLBI_RISCV_SFENCE_VMA_ASID, 0);
	assert_true(v.is_all && v.keeps_global && !v.is_last_level);
	v = inval(NW_TLBI_RISCV_SFENCE_VMA_ALL, 0);
	assert_true(v.is_all && v.is_all_tags && !v.keeps_global);
	v = inval(NW_TLBI_RISCV_HFENCE_GVMA, 0x12345 >> 2);
	assert_int_equal(v.start, 0x12000);
	assert_int_equal(v.regime, NW_REGIME_RISCV_G);
	v = inval(NW_TLBI_RISCV_HFENCE_GVMA_VMID, 0);
	assert_true(v.is_all && !v.is_all_tags);
	v = inval(NW_TLBI_RISCV_HFENCE_GVMA_ALL, 0);
	assert_true(v.is_all_tags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_have_their_levels),
		cmocka_unit_test(rights_make_leaf_or_table),
		cmocka_unit_test(rights_are_read),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(flaws_are_found),
		cmocka_unit_test(changes_are_told_apart),
		cmocka_unit_test(hardware_updates_are_known),
		cmocka_unit_test(parts_of_superpages_are_compared),
		cmocka_unit_test(fences_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
