/* SPDX-License-Identifier: BSD-2-Clause */
/* The oracle's reading of x86-64, nested and EPT entries, bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"

#define BIT(n) (UINT64_C(1) << (n))
#define NX     BIT(63)
#define HOST   NW_FORMAT_ID_x86_64
#define NPT    NW_FORMAT_ID_x86_npt
#define EPT    NW_FORMAT_ID_x86_ept

static struct nwv_shape shape(unsigned format, unsigned ia, unsigned features)
{
	static const uint8_t regime[] = {[HOST] = NW_REGIME_X86,
					 [NPT] = NW_REGIME_NPT,
					 [EPT] = NW_REGIME_EPT};
	const char *why = NULL;
	struct nwv_shape s;

	if (nwv_shape_decode(NW_TRACE_SHAPE(format, 12, ia, 46, features),
			     regime[format], 4096, 0, &s, &why))
		fail_msg("refused: %s", why);
	return s;
}

static void shapes_have_their_levels(void **state)
{
	const char *why = NULL;
	struct nwv_shape s;

	(void)state;
	assert_int_equal(shape(HOST, 48, 0).levels, 4);
	assert_int_equal(shape(HOST, 57, 0).levels, 5);
	assert_int_equal(shape(EPT, 39, 0).levels, 4);
	assert_int_equal(shape(EPT, 49, 0).levels, 5);
	assert_int_equal(shape(NPT, 48, 0).levels, 4);
	assert_int_equal(shape(NPT, 52, 0).levels, 5);
	assert_int_not_equal(
		nwv_shape_decode(NW_TRACE_SHAPE(HOST, 12, 47, 46, 0),
				 NW_REGIME_X86, 4096, 0, &s, &why),
		0);
	assert_non_null(strstr(why, "48 or 57"));
	assert_int_not_equal(
		nwv_shape_decode(NW_TRACE_SHAPE(EPT, 12, 48, 46, 0),
				 NW_REGIME_NPT, 4096, 0, &s, &why),
		0);
	assert_non_null(strstr(why, "regime"));
	assert_int_not_equal(
		nwv_shape_decode(NW_TRACE_SHAPE(NPT, 14, 48, 46, 0),
				 NW_REGIME_NPT, 4096, 0, &s, &why),
		0);
	assert_int_not_equal(
		nwv_shape_decode(NW_TRACE_SHAPE(EPT, 12, 48, 53, 0),
				 NW_REGIME_EPT, 4096, 0, &s, &why),
		0);
}

static void page_size_bit_makes_leaves_where_there_are_any(void **state)
{
	struct nwv_shape s = shape(HOST, 57, NW_FEAT_X86_1G);
	struct nwv_shape small = shape(HOST, 48, 0);
	unsigned level;

	(void)state;
	for (level = 0; level < 5; level++) {
		assert_int_equal(nwv_kind(&s, level, 0x1000), NWV_INVALID);
		assert_int_equal(nwv_kind(&s, level, ~BIT(0)), NWV_INVALID);
		assert_int_equal(nwv_kind(&s, level, 0x1001),
				 level ? NWV_TABLE : NWV_LEAF);
		assert_int_equal(nwv_kind(&s, level, 0x81),
				 level <= 2 ? NWV_LEAF : NWV_RESERVED);
	}
	assert_int_equal(nwv_kind(&small, 1, 0x81), NWV_LEAF);
	assert_int_equal(nwv_kind(&small, 2, 0x81), NWV_RESERVED);
}

static void host_rights_are_read(void **state)
{
	static const struct {
		uint64_t bits;
		unsigned rights;
	} row[] = {
		{1, NWV_R | NWV_PX},
		{3, NWV_R | NWV_W | NWV_PX},
		{5, NWV_R | NWV_U | NWV_PX | NWV_UX},
		{7 | NX, NWV_R | NWV_W | NWV_U},
		{1 | NX, NWV_R},
	};
	struct nwv_shape s = shape(HOST, 48, NW_FEAT_X86_NX);
	struct nwv_leaf leaf;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		nwv_leaf_decode(&s, 0, row[i].bits | 0x7000, &leaf);
		assert_int_equal(leaf.rights, row[i].rights);
		assert_int_equal(leaf.pa, 0x7000);
	}
}

/* Without U a guest's access faults, whatever else is set. */
static void nested_entries_are_users(void **state)
{
	struct nwv_shape s = shape(NPT, 48, NW_FEAT_X86_NX);
	struct nwv_leaf leaf;

	(void)state;
	nwv_leaf_decode(&s, 0, 3, &leaf);
	assert_int_equal(leaf.rights, 0);
	nwv_leaf_decode(&s, 0, 7, &leaf);
	assert_int_equal(leaf.rights, NWV_R | NWV_W | NWV_PX | NWV_UX);
	nwv_leaf_decode(&s, 0, 0x107, &leaf);
	assert_int_equal(leaf.is_global, 0);
}

static void large_leaves_keep_pat_apart(void **state)
{
	struct nwv_shape s = shape(HOST, 48, NW_FEAT_X86_1G);
	struct nwv_leaf leaf;

	(void)state;
	nwv_leaf_decode(&s, 1, 0x81 | BIT(12) | 0x18 | 4 * BIT(21), &leaf);
	assert_int_equal(leaf.memattr, 7);
	assert_int_equal(leaf.pa, 4 * BIT(21));
	assert_int_equal(nwv_entry_flaw(&s, 1, 0x81 | BIT(12)), NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&s, 1, 0x81 | BIT(13)), NWV_FLAW_ALIGN);
	assert_int_equal(nwv_entry_flaw(&s, 2, 0x81 | BIT(29)), NWV_FLAW_ALIGN);
	nwv_leaf_decode(&s, 0, 0x81, &leaf);
	assert_int_equal(leaf.memattr, 4);
	/* A page of the same memory has it at bit 7. */
	assert_true(nwv_same_translation(&s, 1, 0x81 | BIT(12) | BIT(21), 3,
					 0x81 | BIT(21) | 0x3000));
	assert_false(nwv_same_translation(&s, 1, 0x81 | BIT(12) | BIT(21), 3,
					  0x01 | BIT(21) | 0x3000));
	assert_false(nwv_same_translation(&s, 1, 0x81 | BIT(21), 3,
					  0x01 | BIT(21) | 0x4000));
}

static void reserved_bits_are_flaws(void **state)
{
	struct nwv_shape s = shape(HOST, 48, 0);
	struct nwv_shape nx = shape(HOST, 48, NW_FEAT_X86_NX);
	unsigned bit, level;

	(void)state;
	for (level = 0; level < 4; level++)
		for (bit = 12; bit < 64; bit++) {
			enum nwv_flaw want = bit < 46	 ? NWV_FLAW_NONE
					     : bit < 52	 ? NWV_FLAW_SIZE
					     : bit == 63 ? NWV_FLAW_RES0
							 : NWV_FLAW_NONE;

			assert_int_equal(
				nwv_entry_flaw(&s, level, BIT(bit) | 1), want);
		}
	assert_int_equal(nwv_entry_flaw(&nx, 0, NX | 1), NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&s, 3, 0x81), NWV_FLAW_TYPE);
	assert_int_equal(nwv_entry_flaw(&s, 0, NX), NWV_FLAW_NONE);
}

static unsigned delta(const struct nwv_shape *s, uint64_t from, uint64_t to)
{
	return nwv_change(s, 0, from, to);
}

static void host_changes_are_told_apart(void **state)
{
	struct nwv_shape s = shape(HOST, 48, NW_FEAT_X86_NX);
	const uint64_t e = 0x1067;

	(void)state;
	assert_int_equal(delta(&s, e, 0), NWV_D_REMOVED);
	assert_int_equal(delta(&s, 0, e), NWV_D_MADE);
	assert_int_equal(delta(&s, e, e ^ 0x200), 0);
	assert_int_equal(delta(&s, e, e | 0x3000), NWV_D_ADDRESS);
	assert_int_equal(delta(&s, e, e | 8), NWV_D_MEMTYPE);
	assert_int_equal(delta(&s, e, e & ~2ull), NWV_D_NARROWED);
	assert_int_equal(delta(&s, e, e & ~4ull), NWV_D_NARROWED);
	assert_int_equal(delta(&s, e, e | NX), NWV_D_NARROWED);
	assert_int_equal(delta(&s, e | NX, e), 0);
	assert_int_equal(delta(&s, e & ~2ull, e), 0);
	/* Dirty: while a TLB has it, writes leave no mark. */
	assert_int_equal(delta(&s, e, e & ~0x40ull), NWV_D_NARROWED);
	assert_int_equal(delta(&s, e & ~2ull, e & ~0x42ull), 0);
	/* Accessed may stay in a TLB. */
	assert_int_equal(delta(&s, e, e & ~0x20ull), 0);
	assert_int_equal(delta(&s, e | 0x100, e), NWV_D_NARROWED);
	assert_int_equal(delta(&s, e, e | 0x100), 0);
	assert_int_equal(nwv_change(&s, 1, 0x10e7, 0x2027), NWV_D_TO_TABLE);
	assert_int_equal(nwv_change(&s, 1, 0x2027, 0xe7), NWV_D_TO_BLOCK);
	assert_int_equal(nwv_change(&s, 1, 0x2027, 0x3027), NWV_D_TABLE);
	assert_int_equal(nwv_change(&s, 1, 0x2027, 0x2007), 0);
}

static void hardware_sets_accessed_and_dirty(void **state)
{
	struct nwv_shape s = shape(HOST, 48, 0), e = shape(EPT, 48, 0);
	struct nwv_shape ad = shape(EPT, 48, NW_FEAT_EPT_AD);

	(void)state;
	assert_int_equal(nwv_hw_bits(&s, 0, 3), 0x60);
	assert_int_equal(nwv_hw_bits(&s, 0, 0x23), 0x40);
	assert_int_equal(nwv_hw_bits(&s, 0, 1), 0x20);
	assert_int_equal(nwv_hw_bits(&s, 0, 0x63), 0);
	assert_int_equal(nwv_hw_bits(&s, 1, 3), 0x20);
	assert_int_equal(nwv_hw_bits(&s, 0, 2), 0);
	/* A pointer's accessed bit is no loss. */
	assert_false(nwv_hw_writable(&s, 1, 3));
	assert_true(nwv_hw_writable(&s, 0, 0x23));
	assert_false(nwv_hw_writable(&s, 0, 0x63));
	assert_int_equal(nwv_hw_bits(&e, 0, 0x37), 0);
	assert_int_equal(nwv_hw_bits(&ad, 0, 0x37), 0x300);
	assert_int_equal(nwv_hw_bits(&ad, 0, 0x35), 0x100);
	assert_int_equal(nwv_hw_bits(&ad, 1, 7), 0x100);
}

/* ---- EPT ------------------------------------------------------------------
 */

static void ept_presence_is_any_right(void **state)
{
	struct nwv_shape s = shape(EPT, 48, NW_FEAT_X86_1G);
	struct nwv_shape mbec = shape(EPT, 48, NW_FEAT_EPT_MBEC);
	unsigned rights;

	(void)state;
	for (rights = 0; rights < 8; rights++) {
		assert_int_equal(nwv_kind(&s, 0, rights | 0x1000),
				 rights ? NWV_LEAF : NWV_INVALID);
		assert_int_equal(nwv_is_valid(&s, rights | 0x1000), !!rights);
	}
	assert_int_equal(nwv_kind(&s, 0, BIT(10)), NWV_INVALID);
	assert_int_equal(nwv_kind(&mbec, 0, BIT(10)), NWV_LEAF);
	assert_int_equal(nwv_kind(&s, 1, 0x87), NWV_LEAF);
	assert_int_equal(nwv_kind(&s, 2, 0x87), NWV_LEAF);
	assert_int_equal(nwv_kind(&mbec, 2, 0x87), NWV_RESERVED);
	assert_int_equal(nwv_kind(&s, 3, 0x87), NWV_RESERVED);
	assert_int_equal(nwv_kind(&s, 3, 0x07), NWV_TABLE);
	/* Suppress #VE says nothing of presence. */
	assert_int_equal(nwv_kind(&s, 0, BIT(63)), NWV_INVALID);
}

static void ept_misconfigurations_are_flaws(void **state)
{
	struct nwv_shape s = shape(EPT, 48, 0);
	struct nwv_shape xo = shape(EPT, 48, NW_FEAT_EPT_XO);
	struct nwv_shape mbec = shape(EPT, 48, NW_FEAT_EPT_MBEC);
	unsigned rights, type;

	(void)state;
	for (rights = 1; rights < 8; rights++) {
		int no_read = !(rights & 1);

		assert_int_equal(nwv_entry_flaw(&s, 0, rights | 0x30),
				 no_read ? NWV_FLAW_RIGHTS : NWV_FLAW_NONE);
		assert_int_equal(nwv_entry_flaw(&xo, 0, rights | 0x30),
				 no_read && (rights & 2) ? NWV_FLAW_RIGHTS
							 : NWV_FLAW_NONE);
		assert_int_equal(nwv_entry_flaw(&s, 1, rights),
				 no_read ? NWV_FLAW_RIGHTS : NWV_FLAW_NONE);
	}
	assert_int_equal(nwv_entry_flaw(&mbec, 0, BIT(10) | 0x30),
			 NWV_FLAW_RIGHTS);
	for (type = 0; type < 8; type++)
		assert_int_equal(nwv_entry_flaw(&s, 0, type << 3 | 7),
				 type == 2 || type == 3 || type == 7
					 ? NWV_FLAW_MEMTYPE
					 : NWV_FLAW_NONE);
	/* A pointer has no type: those bits are reserved. */
	for (type = 3; type < 7; type++)
		assert_int_equal(nwv_entry_flaw(&s, 2, 7 | BIT(type)),
				 NWV_FLAW_RES0);
	assert_int_equal(nwv_entry_flaw(&s, 0, 0x37 | BIT(46)), NWV_FLAW_SIZE);
	assert_int_equal(nwv_entry_flaw(&s, 1, 0xb7 | BIT(12)), NWV_FLAW_ALIGN);
}

static void ept_rights_are_read(void **state)
{
	struct nwv_shape s = shape(EPT, 48, 0);
	struct nwv_shape mbec = shape(EPT, 48, NW_FEAT_EPT_MBEC);
	struct nwv_leaf leaf;

	(void)state;
	nwv_leaf_decode(&s, 0, 5 | BIT(10), &leaf);
	assert_int_equal(leaf.rights, NWV_R | NWV_PX | NWV_UX);
	nwv_leaf_decode(&mbec, 0, 5, &leaf);
	assert_int_equal(leaf.rights, NWV_R | NWV_PX);
	nwv_leaf_decode(&mbec, 0, 3 | BIT(10), &leaf);
	assert_int_equal(leaf.rights, NWV_R | NWV_W | NWV_UX);
	nwv_leaf_decode(&s, 0, 0x77, &leaf);
	assert_int_equal(leaf.memattr, 14);
	/* Without A/D the bits are software's. */
	assert_int_equal(nwv_change(&s, 0, 0x337, 0x037), 0);
	s = shape(EPT, 48, NW_FEAT_EPT_AD);
	assert_int_equal(nwv_change(&s, 0, 0x337, 0x137), NWV_D_NARROWED);
	assert_int_equal(nwv_change(&s, 0, 0x337, 0x237), 0);
	assert_int_equal(nwv_change(&s, 0, 0x337, 0x377), NWV_D_MEMTYPE);
}

static void large_executable_leaves_err_where_told(void **state)
{
	struct nwv_shape s = shape(EPT, 48, NW_FEAT_EPT_SPLIT_EXEC);
	struct nwv_shape mbec =
		shape(EPT, 48, NW_FEAT_EPT_SPLIT_EXEC | NW_FEAT_EPT_MBEC);

	(void)state;
	assert_int_equal(nwv_entry_flaw(&s, 1, 0xb7), NWV_FLAW_ERRATUM);
	assert_int_equal(nwv_entry_flaw(&s, 1, 0xb3), NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&s, 0, 0x37), NWV_FLAW_NONE);
	assert_int_equal(nwv_entry_flaw(&mbec, 1, 0xb3 | BIT(10)),
			 NWV_FLAW_ERRATUM);
}

/* ---- invalidations
 * ----------------------------------------------------------- */

static struct nwv_inval inval(enum nw_tlbi op, uint64_t operand)
{
	struct nwv_inval v;

	assert_int_equal(nwv_inval_decode(op, operand, &v), 0);
	return v;
}

static void invalidations_are_read(void **state)
{
	struct nwv_inval v = inval(NW_TLBI_X86_INVLPG, 0x12345);

	(void)state;
	assert_true(v.is_local && !v.is_all && !v.keeps_global);
	assert_int_equal(v.start, 0x12000);
	assert_int_equal(v.end, 0x13000);
	v = inval(NW_TLBI_X86_INVPCID_ADDR, 0x12000);
	assert_true(v.keeps_global && !v.is_all);
	v = inval(NW_TLBI_X86_MOV_CR3, 0);
	assert_true(v.keeps_global && v.is_all && !v.is_all_tags);
	v = inval(NW_TLBI_X86_INVPCID_ALL, 0);
	assert_true(!v.keeps_global && v.is_all_tags);
	v = inval(NW_TLBI_X86_INVEPT_SINGLE, 0x5000005e);
	assert_true(v.is_by_root && v.regime == NW_REGIME_EPT);
	assert_int_equal(v.start, 0x50000000);
	v = inval(NW_TLBI_X86_INVVPID, 0);
	assert_true(!v.stage2 && v.combined);
	v = inval(NW_TLBI_X86_ASID, 0);
	assert_true(v.regime == NW_REGIME_NPT && !v.is_all_tags);
	v = inval(NW_TLBI_X86_ASID_ALL, 0);
	assert_true(v.regime == NW_REGIME_NPT && v.is_all_tags);
}

/* RAX: address, PCID, ASID valid; global; final only; nested. */
static void invlpgb_reads_its_register(void **state)
{
	struct nwv_inval v = inval(NW_TLBI_X86_INVLPGB, 0x7000 | 0xb);

	(void)state;
	assert_true(v.is_broadcast && !v.is_local && !v.is_all);
	assert_true(!v.is_all_tags && !v.keeps_global);
	assert_int_equal(v.regime, NW_REGIME_X86);
	assert_int_equal(v.start, 0x7000);
	v = inval(NW_TLBI_X86_INVLPGB, 0x7000 | 0x13);
	assert_true(v.keeps_global && v.is_last_level);
	v = inval(NW_TLBI_X86_INVLPGB, 0);
	assert_true(v.is_all && v.is_all_tags && v.keeps_global);
	v = inval(NW_TLBI_X86_INVLPGB, 0x24);
	assert_true(v.is_all && !v.is_all_tags);
	assert_int_equal(v.regime, NW_REGIME_NPT);
	v = inval(NW_TLBI_X86_INVLPGB, 0x20);
	assert_true(v.is_all && v.is_all_tags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_have_their_levels),
		cmocka_unit_test(
			page_size_bit_makes_leaves_where_there_are_any),
		cmocka_unit_test(host_rights_are_read),
		cmocka_unit_test(nested_entries_are_users),
		cmocka_unit_test(large_leaves_keep_pat_apart),
		cmocka_unit_test(reserved_bits_are_flaws),
		cmocka_unit_test(host_changes_are_told_apart),
		cmocka_unit_test(hardware_sets_accessed_and_dirty),
		cmocka_unit_test(ept_presence_is_any_right),
		cmocka_unit_test(ept_misconfigurations_are_flaws),
		cmocka_unit_test(ept_rights_are_read),
		cmocka_unit_test(large_executable_leaves_err_where_told),
		cmocka_unit_test(invalidations_are_read),
		cmocka_unit_test(invlpgb_reads_its_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
