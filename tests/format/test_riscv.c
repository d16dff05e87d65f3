/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RISC-V first-stage paging, and with TEST_G the G-stage, against the manual's
 * tables.
 *
 * RISC-V ISA Manual volume II: "Sv39: Page-Based 39-bit Virtual-Memory System"
 * (and Sv48, Sv57), "Svnapot", "Svpbmt", "Svadu", "Guest-Physical Address
 * Translation".
 */
#ifdef TEST_G
#include "format/riscv_g.h"
#define INSTANCE(member) nw_riscv_g_##member
#define PLAIN_X		 NW_PROT_X
#define NAME		 "format/riscv_g"
#else
#include "format/riscv_s.h"
#define INSTANCE(member) nw_riscv_s_##member
#define PLAIN_X		 NW_PROT_PX
#define NAME		 "format/riscv_s"
#endif
#include <nestwalk/riscv.h>
#define OA_BITS			      56
#define LOW_BITS		      10
#define PLAIN_FLAGS		      0
#define HAS_STATE(features)	      1
#define HARDWARE_SETS_STATE(features) ((features)&NW_FEAT_SVADU)
#include "paging_tests.h"
#include "paging_changes.h"

/* ---- the manual -------------------------------------------------------- */

#define NONE 0xff

/* Table "Encoding of PTE R/W/X fields", by X, W, R. T: points to a table. */
#define T 0x40
#define R NW_PROT_R
#define W NW_PROT_W
#define X NW_PROT_X
static const uint8_t rwx_rows[8] = {
	/* 000 */ T,	/* 001 */ R,
	/* 010 */ NONE, /* 011 */ R | W,
	/* 100 */ X,	/* 101 */ R | X,
	/* 110 */ NONE, /* 111 */ R | W | X,
};
#undef R
#undef W
#undef X

/* Table "Encodings for PBMT field": PMA, NC, IO, reserved. */
static const uint8_t pbmt_rows[4] = {NW_MEM_NORMAL_WB, NW_MEM_NORMAL_NC,
				     NW_MEM_DEVICE_nGRE, NONE};

static int is_guest(void)
{
#ifdef TEST_G
	return 1;
#else
	return 0;
#endif
}

/* Who may execute where X is set. */
static unsigned executors(int user)
{
	if (is_guest())
		return NW_PROT_PX | NW_PROT_UX;
	return user ? NW_PROT_UX : NW_PROT_PX;
}

/* Address bit n + 12 is bit n + 10. */
static unsigned beyond(unsigned oa_bits, uint64_t word)
{
	unsigned n;

	for (n = oa_bits; n < 56; n++)
		if (field(word, n - 2, n - 2))
			return REASON(ADDRESS_SIZE);
	return 0;
}

static unsigned leaf_reasons(unsigned features, unsigned oa_bits,
			     unsigned level, uint64_t leaf)
{
	unsigned reasons = beyond(oa_bits, leaf), n;

	for (n = 12; n < leaf_lg2(level); n++)
		if (field(leaf, n - 2, n - 2))
			reasons |= REASON(ADDRESS_ALIGN);
	if (rwx_rows[field(leaf, 3, 1)] == NONE)
		reasons |= REASON(RIGHTS);
	if (field(leaf, 60, 54))
		reasons |= REASON(RES0);
	if (pbmt_rows[field(leaf, 62, 61)] == NONE)
		reasons |= REASON(MEMTYPE);
	if (field(leaf, 62, 61) && !(features & NW_FEAT_SVPBMT))
		reasons |= REASON(FEATURE);
	if (field(leaf, 63, 63)) {
		if (!(features & NW_FEAT_SVNAPOT))
			reasons |= REASON(FEATURE);
		if (level)
			reasons |= REASON(TYPE_AT_LEVEL);
		/* Table "Page table entry encodings when pte.N=1". */
		if (field(leaf, 13, 10) != 8)
			reasons |= REASON(ADDRESS_ALIGN);
	}
	if (is_guest()) {
		if (!field(leaf, 4, 4))
			reasons |= REASON(RES1);
		if (field(leaf, 5, 5))
			reasons |= REASON(RES0);
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
	if (rwx_rows[field(word, 3, 1)] == T) {
		good = NW_ENTRY_TABLE;
		*reasons =
			level ? beyond(oa_bits, word) : REASON(TYPE_AT_LEVEL);
		/* G of a table entry, and RSW, are zero by our own rule. */
		if (level && (field(word, 9, 4) || field(word, 63, 54)))
			*reasons |= REASON(RES0);
	} else {
		*reasons = leaf_reasons(features, oa_bits, level, word);
	}
	return *reasons ? NW_ENTRY_RESERVED : good;
}

static struct nw_attrs manual_attrs(unsigned features, unsigned level,
				    uint64_t leaf)
{
	unsigned row = rwx_rows[field(leaf, 3, 1)];
	unsigned user = field(leaf, 4, 4);
	struct nw_attrs attrs = {
		.prot = (uint8_t)(row & NW_PROT_RW),
		.memtype = pbmt_rows[field(leaf, 62, 61)],
		.share = NW_SHARE_INNER,
		.software = (uint8_t)field(leaf, 9, 8),
	};

	(void)features, (void)level;
	if (row & NW_PROT_X)
		attrs.prot |= (uint8_t)executors((int)user);
	if (field(leaf, 6, 6))
		attrs.flags |= NW_LEAF_ACCESSED;
	if (field(leaf, 7, 7))
		attrs.flags |= NW_LEAF_DIRTY;
	if (field(leaf, 63, 63))
		attrs.flags |= NW_LEAF_CONTIG;
	if (is_guest())
		return attrs;
	if (user)
		attrs.flags |= NW_LEAF_USER;
	if (!field(leaf, 5, 5))
		attrs.flags |= NW_LEAF_NOT_GLOBAL;
	return attrs;
}

static uint64_t manual_pa(unsigned level, uint64_t leaf)
{
	unsigned lg2 = field(leaf, 63, 63) ? 16 : leaf_lg2(level);
	uint64_t pa = (leaf >> 10 & ((UINT64_C(1) << 44) - 1)) << 12;

	return pa >> lg2 << lg2;
}

static uint64_t manual_encode(unsigned features, unsigned level,
			      const struct nw_attrs *attrs, uint64_t pa)
{
	unsigned pbmt = 0, rwx, flags = attrs->flags;
	unsigned x = attrs->prot & NW_PROT_X;
	uint64_t leaf = 1 | (uint64_t)attrs->software << 8;

	if (attrs->share != NW_SHARE_INNER || attrs->software > 3 ||
	    attrs->hardware || flags & ~manual.flags || level > 4 ||
	    attrs->prot > NW_PROT_RWX || attrs->memtype >= NW_MEM_COUNT)
		return 0;
	while (pbmt < 4 && pbmt_rows[pbmt] != attrs->memtype)
		pbmt++;
	if (pbmt == 4 || (pbmt && !(features & NW_FEAT_SVPBMT)))
		return 0;
	if (x && x != executors((flags & NW_LEAF_USER) != 0))
		return 0;
	for (rwx = 0; rwx < 8; rwx++)
		if (rwx_rows[rwx] ==
		    ((attrs->prot & NW_PROT_RW) | (x ? NW_PROT_X : 0)))
			break;
	if (rwx == 8)
		return 0;
	leaf |= rwx << 1 | (uint64_t)pbmt << 61;
	leaf |= is_guest() || flags & NW_LEAF_USER ? BIT(4) : 0;
	leaf |= is_guest() || flags & NW_LEAF_NOT_GLOBAL ? 0 : BIT(5);
	leaf |= flags & NW_LEAF_ACCESSED ? BIT(6) : 0;
	leaf |= flags & NW_LEAF_DIRTY ? BIT(7) : 0;
	if (flags & NW_LEAF_CONTIG) {
		if (level || !(features & NW_FEAT_SVNAPOT))
			return 0;
		/* PPN[3:0] is 1000. */
		return leaf | BIT(63) | pa >> 16 << 14 | 8 << 10;
	}
	return leaf | pa >> 12 << 10;
}

static int never(uint64_t leaf)
{
	(void)leaf;
	return 0;
}

static int manual_is_safe(uint64_t word)
{
	return !field(word, 0, 0);
}

static const struct paging_manual manual = {
	.features = NW_FEAT_SVNAPOT | NW_FEAT_SVPBMT | NW_FEAT_SVADU,
#ifdef TEST_G
	.flags = NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_CONTIG,
	.ia_bits = 59,
#else
	.flags = NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_CONTIG |
		 NW_LEAF_USER | NW_LEAF_NOT_GLOBAL,
	.ia_bits = 57,
#endif
	.software = 3,
	.kind = manual_kind,
	.attrs = manual_attrs,
	.pa = manual_pa,
	.encode = manual_encode,
	.is_foreign = never,
	.break_flags = NW_LEAF_NOT_GLOBAL,
	.is_safe = manual_is_safe,
};

/* ---- worked out by hand ------------------------------------------------ */

static void leaf_known_entries_are_exact(void **state)
{
	struct nw_geometry geo = shape_of(manual.features, 56);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry;

	(void)state;
	/* 0x80201000 >> 2 is 0x20080400. V 1, R 2, W 4, X 8, A 0x40: 0x4f; U
	 * 0x10 in the G-stage: 0x5f; else G 0x20: 0x6f. */
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 0, NW_PA(0x80201000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == (is_guest() ? 0x2008045f : 0x2008046f));
	/* IO: PBMT 2 at 61 is 0x4000...; D 0x80, RSW 1 0x100; R and W. A 1 GiB
	 * leaf at 0x40000000: PPN part 0x10000000. */
	attrs.prot = NW_PROT_RW;
	attrs.memtype = NW_MEM_DEVICE_nGRE;
	attrs.flags |= NW_LEAF_DIRTY;
	attrs.software = 1;
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 2, NW_PA(0x40000000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == (is_guest() ? UINT64_C(0x40000000100001d7)
					 : UINT64_C(0x40000000100001e7)));
	/* V alone. */
	assert_true(nwf_table_entry(&geo, 0x80201000) == 0x20080401);
}

static void leaf_of_each_level_may_stand_up_to_the_root(void **state)
{
	struct nw_geometry geo = shape_of(0, 56);

	(void)state;
	assert_int_equal(geo.leaf_levels, 0x1f);
	assert_true(nwf_is_leaf(4, 0x5f));
	assert_false(nwf_is_table(4, 0x5f));
}

/* ---- runs of 64 KiB (Svnapot) ------------------------------------------ */

static void napot_members_hold_one_address_and_come_apart_again(void **state)
{
	struct nw_geometry geo = shape_of(NW_FEAT_SVNAPOT, 56);
	struct nw_attrs attrs = plain_attrs();
	const uint64_t base = UINT64_C(0x2789abcd0000);
	uint64_t alone, member, first = 0;
	unsigned i;

	(void)state;
	alone = manual.encode(NW_FEAT_SVNAPOT, 0, &attrs, base);
	for (i = 0; i < 16; i++) {
		member = nwf_contig_member(&geo, 0, alone);
		if (!i)
			first = member;
		attrs.flags |= NW_LEAF_CONTIG;
		assert_true(member == manual.encode(NW_FEAT_SVNAPOT, 0, &attrs,
						    base + i * 4096));
		attrs.flags &= (uint16_t)~NW_LEAF_CONTIG;
		assert_true(member == first);
		assert_true(nwf_leaf_is_contig(&geo, 0, member));
		assert_false(nwf_leaf_is_contig(&geo, 0, alone));
		assert_true(nwf_contig_alone(&geo, 0, member, i) == alone);
		assert_true(nwf_contig_alone(&geo, 0, alone, i) == alone);
		assert_true(nwf_leaf_pa(&geo, 0, member) == base);
		assert_int_equal(nwf_leaf_span_lg2(&geo, 0, member), 16);
		assert_int_equal(nwf_leaf_span_lg2(&geo, 0, alone), 12);
		/* Joining or leaving a run changes no translation. */
		assert_false(nwf_change_needs_break(&geo, 0, alone, member));
		assert_false(nwf_change_needs_break(&geo, 0, member, alone));
		assert_true(nwf_change_needs_break(
			&geo, 0, member, alone + (UINT64_C(1) << 14)));
		assert_true(nwf_collapse_parent(&geo, 1, member) == 0);
		alone = nwf_leaf_next(&geo, 0, alone);
	}
	/* The 17th page is the first of the next run. */
	assert_true(nwf_leaf_next(&geo, 0, first) ==
		    nwf_contig_member(&geo, 0, alone));
}

static void napot_exists_at_level_0_with_the_feature(void **state)
{
	struct nw_geometry with = shape_of(NW_FEAT_SVNAPOT, 56);
	struct nw_geometry without = shape_of(0, 56);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry;
	unsigned level;

	(void)state;
	attrs.flags |= NW_LEAF_CONTIG;
	for (level = 0; level < 5; level++) {
		assert_int_equal(nwf_contig_lg2(&with, level), level ? 0 : 4);
		assert_int_equal(nwf_contig_lg2(&without, level), 0);
	}
	assert_int_equal(
		INSTANCE(encode_leaf)(&with, 1, NW_PA(0), &attrs, &entry),
		NW_E_LEVEL);
	assert_int_equal(
		INSTANCE(encode_leaf)(&without, 0, NW_PA(0), &attrs, &entry),
		NW_E_ATTRS);
}

static void decode_napot_size_that_is_not_64k_is_reserved(void **state)
{
	struct nw_geometry geo = shape_of(NW_FEAT_SVNAPOT, 56);
	struct nw_decoded out;
	unsigned low;

	(void)state;
	for (low = 0; low < 16; low++) {
		uint64_t leaf = BIT(63) | BIT(20) | low << 10 | 0x5f;

		if (!is_guest())
			leaf ^= 0x10;
		INSTANCE(decode)(&geo, 0, leaf, &out);
		assert_int_equal(out.kind,
				 low == 8 ? NW_ENTRY_LEAF : NW_ENTRY_RESERVED);
	}
	for (low = 1; low < 5; low++) {
		INSTANCE(decode)
		(&geo, low, BIT(63) | BIT(13) | (is_guest() ? 0x5f : 0x4f),
		 &out);
		assert_true(out.reason == NW_REASON_TYPE_AT_LEVEL);
	}
}

/* ---- shape and registers ----------------------------------------------- */

static void shape_follows_the_input_size(void **state)
{
	unsigned extra = is_guest() ? 2 : 0, ia;
	struct nw_format_config config = {12, 39, 56, 0};
	struct nw_geometry geo;
	const char *argument = NULL;

	(void)state;
	for (ia = 0; ia < 70; ia++) {
		unsigned levels = ia <= 39 + extra   ? 3
				  : ia <= 48 + extra ? 4
						     : 5;
		enum nw_status expected =
			ia >= 31 && ia <= 57 + extra ? NW_OK : NW_E_CONFIG;

		config.ia_bits = (uint8_t)ia;
		assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
				 expected);
		if (expected) {
			assert_string_equal(argument, "ia_bits");
			continue;
		}
		assert_int_equal(geo.levels, levels);
		assert_int_equal(geo.root_pages_lg2, extra);
		assert_int_equal(geo.leaf_levels, (1u << levels) - 1);
	}
	config = (struct nw_format_config){16, 39, 56, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	assert_string_equal(argument, "granule_lg2");
	config = (struct nw_format_config){12, 39, 57, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	assert_string_equal(argument, "oa_bits");
	config = (struct nw_format_config){12, 39, 56, NW_FEAT_X86_NX};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, &argument),
			 NW_E_CONFIG);
	assert_string_equal(argument, "features");
}

static void registers_are_exact(void **state)
{
	struct nw_format_config config = {12, 39, 56, 0};
	struct nw_geometry geo;

	(void)state;
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	/* MODE 8, ASID or VMID 5 at 44, PPN 0x80204. */
	assert_true(nw_riscv_satp(&geo, NW_PA(0x80204000), 5) ==
		    UINT64_C(0x8000500000080204));
	assert_true(nw_riscv_hgatp(&geo, NW_PA(0x80204000), 0x4005) ==
		    UINT64_C(0x8000500000080204));
	config.ia_bits = 48;
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	assert_true(nw_riscv_satp(&geo, NW_PA(0), 0) ==
		    UINT64_C(0x9000000000000000));
	config.ia_bits = 57;
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	assert_true(nw_riscv_hgatp(&geo, NW_PA(0), 0) ==
		    UINT64_C(0xa000000000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		cmocka_unit_test(leaf_known_entries_are_exact),
		cmocka_unit_test(leaf_of_each_level_may_stand_up_to_the_root),
		cmocka_unit_test(
			napot_members_hold_one_address_and_come_apart_again),
		cmocka_unit_test(napot_exists_at_level_0_with_the_feature),
		cmocka_unit_test(decode_napot_size_that_is_not_64k_is_reserved),
		cmocka_unit_test(shape_follows_the_input_size),
		cmocka_unit_test(registers_are_exact),
	};

	return cmocka_run_group_tests_name(NAME, tests, NULL, NULL);
}
