/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86-64 paging, and with TEST_NPT nested paging, against the manual's tables.
 *
 * Intel SDM volume 3, chapter "Paging", tables "Format of a Page-Table Entry
 * that Maps a 4-KByte Page" and its like; AMD APM volume 2, chapters 5 and 15.
 */
#ifdef TEST_NPT
#include "format/x86_npt.h"
#define INSTANCE(member) nw_x86_npt_##member
#define PLAIN_X		 NW_PROT_X
#define NAME		 "format/x86_npt"
#else
#include "format/x86_64.h"
#define INSTANCE(member) nw_x86_64_##member
#define PLAIN_X		 NW_PROT_PX
#define NAME		 "format/x86_64"
#endif
#define OA_BITS			      52
#define LOW_BITS		      12
#define PLAIN_FLAGS		      0
#define HAS_STATE(features)	      1
#define HARDWARE_SETS_STATE(features) 1
#include "paging_tests.h"
#include "paging_changes.h"

/* ---- the manual -------------------------------------------------------- */

#define NONE 0xff

/* IA32_PAT as x86.h gives it, 0x0407050600070106, read by hand from the lowest
 * byte: 06 WB, 01 WC, 07 UC-, 00 UC, (06), 05 WP, (07), 04 WT. */
static const uint8_t pat_rows[8] = {
	/* 000 */ NW_MEM_NORMAL_WB,
	/* 001 */ NW_MEM_NORMAL_NC,
	/* 010 */ NW_MEM_UC_MINUS,
	/* 011 */ NW_MEM_DEVICE_nGnRnE,
	/* 100 */ NONE,
	/* 101 */ NW_MEM_WP,
	/* 110 */ NONE,
	/* 111 */ NW_MEM_NORMAL_WT,
};

static int is_nested(void)
{
#ifdef TEST_NPT
	return 1;
#else
	return 0;
#endif
}

/* PAT, PCD, PWT: bit 7 (page) or 12 (larger), 4, 3. */
static unsigned pat_index(unsigned level, uint64_t leaf)
{
	unsigned pat = level ? field(leaf, 12, 12) : field(leaf, 7, 7);

	return pat << 2 | field(leaf, 4, 3);
}

static unsigned executors(unsigned features, uint64_t leaf)
{
	if (is_nested())
		return NW_PROT_PX | NW_PROT_UX;
	if (!field(leaf, 2, 2))
		return NW_PROT_PX;
	return features & NW_FEAT_X86_SMEP ? NW_PROT_UX
					   : NW_PROT_PX | NW_PROT_UX;
}

static unsigned beyond(unsigned oa_bits, uint64_t word)
{
	unsigned n;

	for (n = oa_bits; n < 52; n++)
		if (field(word, n, n))
			return REASON(ADDRESS_SIZE);
	return 0;
}

static unsigned leaf_reasons(unsigned features, unsigned oa_bits,
			     unsigned level, uint64_t leaf)
{
	unsigned reasons = beyond(oa_bits, leaf), n;

	/* 12 is PAT in a large page; the rest below its size is reserved. */
	for (n = 13; n < leaf_lg2(level); n++)
		if (field(leaf, n, n))
			reasons |= REASON(ADDRESS_ALIGN);
	/* Ignored by hardware, and zero here. */
	if (field(leaf, 11, 9) || field(leaf, 57, 56))
		reasons |= REASON(RES0);
	/* Our own: bit 58 is dirty, of a leaf without write. */
	if (field(leaf, 58, 58) && field(leaf, 1, 1))
		reasons |= REASON(RES0);
	if (field(leaf, 63, 63) && !(features & NW_FEAT_X86_NX))
		reasons |= REASON(FEATURE);
	if (pat_rows[pat_index(level, leaf)] == NONE)
		reasons |= REASON(MEMTYPE);
	if (is_nested()) {
		if (field(leaf, 8, 8) || field(leaf, 62, 59))
			reasons |= REASON(RES0);
		if (!field(leaf, 2, 2))
			reasons |= REASON(RES1);
	} else if (field(leaf, 62, 59) && !(features & NW_FEAT_X86_PKU)) {
		reasons |= REASON(FEATURE);
	}
	return reasons;
}

static enum nw_entry_kind manual_kind(unsigned features, unsigned oa_bits,
				      unsigned level, uint64_t word,
				      unsigned *reasons)
{
	enum nw_entry_kind good = NW_ENTRY_LEAF;

	if (!field(word, 0, 0))
		return word ? NW_ENTRY_INVALID : NW_ENTRY_EMPTY;
	if (level && !field(word, 7, 7)) {
		/* P, R/W, U/S and A are set, address, nothing else. */
		good = NW_ENTRY_TABLE;
		*reasons = beyond(oa_bits, word);
		if ((word & 0x27) != 0x27)
			*reasons |= REASON(RES1);
		if (field(word, 4, 3) || field(word, 11, 6) ||
		    field(word, 63, 52))
			*reasons |= REASON(RES0);
	} else if (level > 2 || (level == 2 && !(features & NW_FEAT_X86_1G))) {
		*reasons = REASON(TYPE_AT_LEVEL);
	} else {
		*reasons = leaf_reasons(features, oa_bits, level, word);
	}
	return *reasons ? NW_ENTRY_RESERVED : good;
}

static struct nw_attrs manual_attrs(unsigned features, unsigned level,
				    uint64_t leaf)
{
	struct nw_attrs attrs = {
		.prot = NW_PROT_R,
		.memtype = pat_rows[pat_index(level, leaf)],
		.share = NW_SHARE_INNER,
		.software = (uint8_t)field(leaf, 55, 52),
	};

	if (field(leaf, 1, 1))
		attrs.prot |= NW_PROT_W;
	if (!field(leaf, 63, 63))
		attrs.prot |= (uint8_t)executors(features, leaf);
	if (field(leaf, 5, 5))
		attrs.flags |= NW_LEAF_ACCESSED;
	if (field(leaf, 6, 6) || field(leaf, 58, 58))
		attrs.flags |= NW_LEAF_DIRTY;
	if (is_nested())
		return attrs;
	if (field(leaf, 2, 2))
		attrs.flags |= NW_LEAF_USER;
	if (!field(leaf, 8, 8))
		attrs.flags |= NW_LEAF_NOT_GLOBAL;
	attrs.hardware = (uint8_t)field(leaf, 62, 59);
	return attrs;
}

static uint64_t manual_pa(unsigned level, uint64_t leaf)
{
	return (leaf & UINT64_C(0x000fffffffffffff)) >>
	       leaf_lg2(level) << leaf_lg2(level);
}

static uint64_t manual_encode(unsigned features, unsigned level,
			      const struct nw_attrs *attrs, uint64_t pa)
{
	unsigned pat = 0, flags = attrs->flags, x = attrs->prot & NW_PROT_X;
	uint64_t leaf = pa | 1;

	if (level > 2 || (level == 2 && !(features & NW_FEAT_X86_1G)))
		return 0;
	if (attrs->share != NW_SHARE_INNER || attrs->software > 15 ||
	    flags & ~manual.flags || attrs->memtype >= NW_MEM_COUNT)
		return 0;
	while (pat < 8 && pat_rows[pat] != attrs->memtype)
		pat++;
	if (pat == 8 || !(attrs->prot & NW_PROT_R) || attrs->prot > NW_PROT_RWX)
		return 0;
	if (is_nested() || flags & NW_LEAF_USER)
		leaf |= BIT(2);
	if (x && x != executors(features, leaf))
		return 0;
	if (!x && !(features & NW_FEAT_X86_NX))
		return 0;
	if (attrs->hardware > 15 ||
	    (attrs->hardware && !(features & NW_FEAT_X86_PKU)))
		return 0;
	leaf |= attrs->prot & NW_PROT_W ? BIT(1) : 0;
	leaf |= pat & 1 ? BIT(3) : 0;
	leaf |= pat & 2 ? BIT(4) : 0;
	leaf |= pat & 4 ? (level ? BIT(12) : BIT(7)) : 0;
	leaf |= flags & NW_LEAF_ACCESSED ? BIT(5) : 0;
	/* Dirty without write would be a shadow-stack page. */
	if (flags & NW_LEAF_DIRTY)
		leaf |= attrs->prot & NW_PROT_W ? BIT(6) : BIT(58);
	leaf |= level ? BIT(7) : 0;
	leaf |= is_nested() || flags & NW_LEAF_NOT_GLOBAL ? 0 : BIT(8);
	leaf |= (uint64_t)attrs->software << 52;
	leaf |= (uint64_t)attrs->hardware << 59;
	return leaf | (x ? 0 : BIT(63));
}

static int shadow_stack(uint64_t leaf)
{
	return field(leaf, 6, 6) && !field(leaf, 1, 1);
}

/* L1TF: with any physical address width the address lies in the last 32 GiB,
 * but for an empty entry, which says page 0. */
static int manual_is_safe(uint64_t word)
{
	unsigned width;

	if (!word)
		return 1;
	for (width = 36; width <= 52; width++) {
		uint64_t pa = word & (BIT(width) - 1);

		if (pa < BIT(width) - (UINT64_C(32) << 30))
			return 0;
	}
	/* Neither P nor what errant hardware sets: A and D. */
	return !field(word, 0, 0) && !field(word, 6, 5) && !field(word, 9, 8);
}

static const struct paging_manual manual = {
#ifdef TEST_NPT
	.features = NW_FEAT_X86_NX | NW_FEAT_X86_1G,
	.flags = NW_LEAF_ACCESSED | NW_LEAF_DIRTY,
#else
	.features = NW_FEAT_X86_NX | NW_FEAT_X86_1G | NW_FEAT_X86_PKU |
		    NW_FEAT_X86_SMEP,
	.flags = NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_USER |
		 NW_LEAF_NOT_GLOBAL,
	.hardware = 15,
#endif
	.ia_bits = 57,
	.software = 15,
	.kind = manual_kind,
	.attrs = manual_attrs,
	.pa = manual_pa,
	.encode = manual_encode,
	.is_foreign = shadow_stack,
	.break_flags = NW_LEAF_NOT_GLOBAL,
	.is_safe = manual_is_safe,
};

/* ---- worked out by hand ------------------------------------------------ */

static uint64_t entry_of(unsigned features, unsigned level, uint64_t pa,
			 struct nw_attrs attrs)
{
	struct nw_geometry geo = shape_of(features, 46);
	uint64_t entry = 0;

	attrs.share = NW_SHARE_INNER;
	assert_int_equal(
		INSTANCE(encode_leaf)(&geo, level, NW_PA(pa), &attrs, &entry),
		NW_OK);
	return entry;
}

static enum nw_reason reason_of(unsigned features, unsigned level,
				uint64_t entry)
{
	struct nw_geometry geo = shape_of(features, 46);
	struct nw_decoded out;

	INSTANCE(decode)(&geo, level, entry, &out);
	assert_int_equal(out.kind == NW_ENTRY_RESERVED,
			 out.reason != NW_REASON_NONE);
	return out.reason;
}

#ifdef TEST_NPT
static void leaf_known_entries_are_exact(void **state)
{
	const unsigned nx = NW_FEAT_X86_NX;
	struct nw_attrs attrs = {.prot = NW_PROT_RWX,
				 .memtype = NW_MEM_NORMAL_WB};

	(void)state;
	/* P 1 + RW 2 + US 4. */
	assert_true(entry_of(0, 0, 0x12345000, attrs) == 0x12345007);
	/* PS 0x80 + A 0x20 + D 0x40, software 5 at 52, NX. */
	attrs.prot = NW_PROT_RW;
	attrs.flags = NW_LEAF_ACCESSED | NW_LEAF_DIRTY;
	attrs.software = 5;
	assert_true(entry_of(nx, 1, 0x40200000, attrs) ==
		    UINT64_C(0x80500000402000e7));
	assert_true(reason_of(nx, 0, 0x12345003) == NW_REASON_RES1);
	assert_true(reason_of(nx, 0, 0x12345107) == NW_REASON_RES0);
	assert_true(reason_of(nx, 0, UINT64_C(0x0800000012345007)) ==
		    NW_REASON_RES0);
}
#else
static void leaf_known_entries_are_exact(void **state)
{
	const unsigned nx = NW_FEAT_X86_NX;
	struct nw_attrs attrs = {.prot = NW_PROT_RW | NW_PROT_PX,
				 .memtype = NW_MEM_NORMAL_WB};

	(void)state;
	/* P 1 + RW 2 + G 0x100. */
	assert_true(entry_of(0, 0, 0x12345000, attrs) == 0x12345103);
	/* P, US 4, A 0x20, PCD 0x10 + PWT 8 = index 3; key 9 at 59 is
	 * 0x4800...; NX 0x8000...; no G. */
	attrs = (struct nw_attrs){.prot = NW_PROT_R,
				  .memtype = NW_MEM_DEVICE_nGnRnE,
				  .flags = NW_LEAF_ACCESSED | NW_LEAF_USER |
					   NW_LEAF_NOT_GLOBAL,
				  .hardware = 9};
	assert_true(entry_of(nx | NW_FEAT_X86_PKU, 0, 0xfee00000, attrs) ==
		    UINT64_C(0xc8000000fee0003d));
	/* 2 MiB, write-protected type: index 5 is PAT (bit 12) and PWT 8; PS
	 * 0x80, G 0x100, P 1. A page has PAT in bit 7. */
	attrs = (struct nw_attrs){.prot = NW_PROT_R | NW_PROT_PX,
				  .memtype = NW_MEM_WP};
	assert_true(entry_of(nx, 1, 0x40200000, attrs) == 0x40201189);
	assert_true(entry_of(nx, 0, 0x40200000, attrs) == 0x40200189);
	/* 1 GiB. */
	assert_true(entry_of(NW_FEAT_X86_1G, 2, 0x80000000, attrs) ==
		    0x80001189);
	assert_true(reason_of(nx, 0, 0x12345903) == NW_REASON_RES0);
	/* PAT index 4 is not used. */
	assert_true(reason_of(nx, 0, 0x12345183) == NW_REASON_MEMTYPE);
}

static void user_page_is_kernel_code_unless_smep(void **state)
{
	struct nw_geometry lax = shape_of(NW_FEAT_X86_NX, 46);
	struct nw_geometry smep =
		shape_of(NW_FEAT_X86_NX | NW_FEAT_X86_SMEP, 46);
	uint64_t out;

	(void)state;
	assert_int_equal(nwf_leaf_prot(&lax, 0x1005),
			 NW_PROT_R | NW_PROT_PX | NW_PROT_UX);
	assert_int_equal(nwf_leaf_prot(&smep, 0x1005), NW_PROT_R | NW_PROT_UX);
	/* One of two who share NX cannot be kept out. */
	assert_int_equal(nwf_leaf_restrict(&lax, 0x1005, NW_PROT_PX, &out),
			 NW_E_ATTRS);
}
#endif

static void leaf_of_512g_is_reserved_with_its_reason(void **state)
{
	struct nw_geometry geo = shape_of(manual.features, 46);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry;

	(void)state;
	assert_true(reason_of(manual.features, 3, 0x1a7) ==
		    NW_REASON_TYPE_AT_LEVEL);
	assert_true(reason_of(manual.features, 4, 0x1a7) ==
		    NW_REASON_TYPE_AT_LEVEL);
	assert_int_equal(
		INSTANCE(encode_leaf)(&geo, 3, NW_PA(0), &attrs, &entry),
		NW_E_LEVEL);
	assert_int_equal(geo.leaf_levels, 7);
	assert_int_equal(shape_of(0, 46).leaf_levels, 3);
}

/* Races on processors without CET leave it: it is read, and harvested. */
static void dirty_without_write_is_read_only_and_dirty(void **state)
{
	struct nw_geometry geo = shape_of(NW_FEAT_X86_NX, 46);
	const uint64_t stray = 0x12345065; /* P, US, A, D */
	struct nw_decoded out;
	uint64_t entry;

	(void)state;
	INSTANCE(decode)(&geo, 0, stray, &out);
	assert_int_equal(out.kind, NW_ENTRY_LEAF);
	assert_false(out.attrs.prot & NW_PROT_W);
	assert_true(out.attrs.flags & NW_LEAF_DIRTY);
	assert_true(nwf_leaf_is_dirty(&geo, stray));
	assert_true(nwf_leaf_clean(&geo, stray) == 0x12345025);
	assert_true(nwf_leaf_write_protect(&geo, stray) == 0x12345025);
	assert_true(nwf_leaf_write_protect(&geo, stray | 2) == 0x12345025);
	assert_int_equal(nwf_leaf_relax(&geo, stray, NW_PROT_W, &entry), NW_OK);
	assert_true(entry == (stray | 2));
}

/* Not by us: the mark moves out of the way, and back. */
static void dirty_mark_of_read_only_leaf_is_not_the_shadow_stacks(void **state)
{
	struct nw_geometry geo = shape_of(NW_FEAT_X86_NX, 46);
	const uint64_t saved = UINT64_C(0x0400000012345025);
	uint64_t entry;

	(void)state;
	assert_int_equal(nwf_leaf_restrict(&geo, 0x12345067, NW_PROT_W, &entry),
			 NW_OK);
	assert_true(entry == saved);
	assert_true(nwf_leaf_is_dirty(&geo, saved));
	assert_int_equal(nwf_leaf_relax(&geo, saved, NW_PROT_W, &entry), NW_OK);
	assert_true(entry == 0x12345067);
	assert_true(nwf_leaf_set_dirty(&geo, 0x12345025) == saved);
	assert_true(nwf_leaf_clean(&geo, saved) == 0x12345025);
	assert_true(nwf_leaf_write_protect(&geo, 0x12345067) == 0x12345025);
	assert_true(reason_of(NW_FEAT_X86_NX, 0, saved | 2) == NW_REASON_RES0);
}

static void shape_follows_the_input_size(void **state)
{
	struct nw_format_config config = {12, 48, 46, 0};
	struct nw_geometry geo;
	const char *argument = NULL;
	unsigned ia;

	(void)state;
	for (ia = 0; ia < 70; ia++) {
		enum nw_status expected =
			ia >= 40 && ia <= 57 ? NW_OK : NW_E_CONFIG;

		config.ia_bits = (uint8_t)ia;
		assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
				 expected);
		if (expected)
			assert_string_equal(argument, "ia_bits");
		else
			assert_int_equal(geo.levels, ia > 48 ? 5 : 4);
	}
	config = (struct nw_format_config){14, 48, 46, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	assert_string_equal(argument, "granule_lg2");
	config = (struct nw_format_config){12, 48, 53, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	assert_string_equal(argument, "oa_bits");
	config = (struct nw_format_config){12, 48, 35, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	config = (struct nw_format_config){12, 48, 46, NW_FEAT_EPT_AD};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	assert_string_equal(argument, "features");
}

static void registers_are_exact(void **state)
{
	(void)state;
	assert_true(NW_X86_PAT == UINT64_C(0x0407050600070106));
	assert_true(nw_x86_cr3(NW_PA(0x1234000), 0x5a) == 0x123405a);
	assert_int_equal(nwf_contig_lg2(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		cmocka_unit_test(leaf_known_entries_are_exact),
#ifndef TEST_NPT
		cmocka_unit_test(user_page_is_kernel_code_unless_smep),
#endif
		cmocka_unit_test(leaf_of_512g_is_reserved_with_its_reason),
		cmocka_unit_test(dirty_without_write_is_read_only_and_dirty),
		cmocka_unit_test(
			dirty_mark_of_read_only_leaf_is_not_the_shadow_stacks),
		cmocka_unit_test(shape_follows_the_input_size),
		cmocka_unit_test(registers_are_exact),
	};

	return cmocka_run_group_tests_name(NAME, tests, NULL, NULL);
}
