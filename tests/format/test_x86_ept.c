/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT against the manual's tables. No emulator at hand walks EPT: these tables
 * and the entries worked out by hand are what it is judged by.
 *
 * Intel SDM volume 3, "The Extended Page Table Mechanism (EPT)": tables "Format
 * of an EPT Page-Table Entry that Maps a 4-KByte Page" and its like, and "EPT
 * Misconfigurations".
 */
#include "format/x86_ept.h"
#define INSTANCE(member)	      nw_x86_ept_##member
#define PLAIN_X			      NW_PROT_X
#define OA_BITS			      52
#define LOW_BITS		      12
#define PLAIN_FLAGS		      0
#define HAS_STATE(features)	      ((features)&NW_FEAT_EPT_AD)
#define HARDWARE_SETS_STATE(features) ((features)&NW_FEAT_EPT_AD)
#include "paging_tests.h"
#include "paging_changes.h"

/* ---- the manual -------------------------------------------------------- */

#define NONE 0xff

/* Bits 5:3. */
static const uint8_t type_rows[8] = {
	/* 0 UC */ NW_MEM_DEVICE_nGnRnE,
	/* 1 WC */ NW_MEM_NORMAL_NC,
	/* 2 */ NONE,
	/* 3 */ NONE,
	/* 4 WT */ NW_MEM_NORMAL_WT,
	/* 5 WP */ NW_MEM_WP,
	/* 6 WB */ NW_MEM_NORMAL_WB,
	/* 7 */ NONE,
};

/* Rights by bits 10, 2, 1, 0 (user execute, execute, write, read). M: always a
 * misconfiguration; X: without execute-only translations. */
#define M 0x80
#define X 0x40
#define R NW_PROT_R
#define W NW_PROT_W
#define P NW_PROT_PX
#define U NW_PROT_UX
static const uint8_t mbec_rows[16] = {
	/* 0000 */ M,	      /* 0001 */ R,
	/* 0010 */ M,	      /* 0011 */ R | W,
	/* 0100 */ X | P,     /* 0101 */ R | P,
	/* 0110 */ M,	      /* 0111 */ R | W | P,
	/* 1000 */ X | U,     /* 1001 */ R | U,
	/* 1010 */ M,	      /* 1011 */ R | W | U,
	/* 1100 */ X | P | U, /* 1101 */ R | P | U,
	/* 1110 */ M,	      /* 1111 */ R | W | P | U,
};
static const uint8_t plain_rows[8] = {
	/* 000 */ M,	     /* 001 */ R,
	/* 010 */ M,	     /* 011 */ R | W,
	/* 100 */ X | P | U, /* 101 */ R | P | U,
	/* 110 */ M,	     /* 111 */ R | W | P | U,
};

/* The row that the hardware reads; the prot of it with M and X in place. */
static unsigned rights_row(unsigned features, uint64_t leaf)
{
	if (features & NW_FEAT_EPT_MBEC)
		return mbec_rows[field(leaf, 10, 10) << 3 | field(leaf, 2, 0)];
	return plain_rows[field(leaf, 2, 0)];
}

static int rights_refused(unsigned features, unsigned level, unsigned row)
{
	if (row & M)
		return 1;
	if ((row & X) && !(features & NW_FEAT_EPT_XO))
		return 1;
	return level && (row & (P | U)) && (features & NW_FEAT_EPT_SPLIT_EXEC);
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

	for (n = 12; n < leaf_lg2(level); n++)
		if (field(leaf, n, n))
			reasons |= REASON(ADDRESS_ALIGN);
	if (rights_refused(features, level, rights_row(features, leaf)))
		reasons |= REASON(RIGHTS);
	if (type_rows[field(leaf, 5, 3)] == NONE)
		reasons |= REASON(MEMTYPE);
	if (field(leaf, 62, 56) || (!level && field(leaf, 7, 7)))
		reasons |= REASON(RES0);
	if (field(leaf, 10, 10) && !(features & NW_FEAT_EPT_MBEC))
		reasons |= REASON(FEATURE);
	/* Our own rule: bit 11 stands in for accessed where bit 8 is not. */
	if (features & NW_FEAT_EPT_AD) {
		if (field(leaf, 11, 11))
			reasons |= REASON(RES0);
	} else {
		if (!field(leaf, 11, 11))
			reasons |= REASON(RES1);
		if (field(leaf, 9, 8))
			reasons |= REASON(FEATURE);
	}
	return reasons;
}

static enum nw_entry_kind manual_kind(unsigned features, unsigned oa_bits,
				      unsigned level, uint64_t word,
				      unsigned *reasons)
{
	enum nw_entry_kind good = NW_ENTRY_LEAF;
	uint64_t table = 7;

	/* Bit 10 alone: not present without MBEC, but never ours. */
	if (!field(word, 2, 0) && !field(word, 10, 10))
		return word == BIT(63) ? NW_ENTRY_EMPTY : NW_ENTRY_INVALID;
	if (level && !field(word, 7, 7)) {
		good = NW_ENTRY_TABLE;
		table |= features & NW_FEAT_EPT_AD ? BIT(8) : 0;
		table |= features & NW_FEAT_EPT_MBEC ? BIT(10) : 0;
		*reasons = beyond(oa_bits, word);
		if ((word & table) != table)
			*reasons |= REASON(RES1);
		if (word & ~table & UINT64_C(0xfff0000000000fff))
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
		.prot = rights_row(features, leaf) & NW_PROT_RWX,
		.memtype = type_rows[field(leaf, 5, 3)],
		.share = NW_SHARE_INNER,
		.software = (uint8_t)field(leaf, 55, 52),
	};

	(void)level;
	if (field(leaf, 8, 8) || field(leaf, 11, 11))
		attrs.flags |= NW_LEAF_ACCESSED;
	if (field(leaf, 9, 9))
		attrs.flags |= NW_LEAF_DIRTY;
	if (field(leaf, 6, 6))
		attrs.flags |= NW_LEAF_IGNORE_PAT;
	if (field(leaf, 63, 63))
		attrs.flags |= NW_LEAF_SUPPRESS_VE;
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
	unsigned type = 0, bits, flags = attrs->flags;
	int has_ad = (features & NW_FEAT_EPT_AD) != 0;

	if (level > 2 || (level == 2 && !(features & NW_FEAT_X86_1G)))
		return 0;
	if (attrs->share != NW_SHARE_INNER || attrs->software > 15 ||
	    attrs->hardware || flags & ~manual.flags ||
	    attrs->memtype >= NW_MEM_COUNT || attrs->prot > NW_PROT_RWX)
		return 0;
	while (type < 8 && type_rows[type] != attrs->memtype)
		type++;
	if (type == 8)
		return 0;
	if (!has_ad && (flags & NW_LEAF_DIRTY || !(flags & NW_LEAF_ACCESSED)))
		return 0;
	/* Bits 10 and 2:0 whose row says these rights. */
	for (bits = 0; bits < 16; bits++) {
		uint64_t leaf = (bits & 8 ? BIT(10) : 0) | (bits & 7);
		unsigned row = rights_row(features, leaf);

		if ((bits & 8) && !(features & NW_FEAT_EPT_MBEC))
			return 0;
		if ((row & NW_PROT_RWX) != attrs->prot ||
		    rights_refused(features, level, row))
			continue;
		leaf |= pa | type << 3 | (uint64_t)attrs->software << 52;
		leaf |= flags & NW_LEAF_IGNORE_PAT ? BIT(6) : 0;
		leaf |= level ? BIT(7) : 0;
		leaf |= has_ad && flags & NW_LEAF_ACCESSED ? BIT(8) : 0;
		leaf |= flags & NW_LEAF_DIRTY ? BIT(9) : 0;
		leaf |= has_ad ? 0 : BIT(11);
		leaf |= flags & NW_LEAF_SUPPRESS_VE ? BIT(63) : 0;
		return leaf;
	}
	return 0;
}

#undef M
#undef X
#undef R
#undef W
#undef P
#undef U

static int never(uint64_t leaf)
{
	(void)leaf;
	return 0;
}

/* Suppress-#VE in every entry that is not present, nothing that is present with
 * or without MBEC, and (L1TF) an address in the last 32 GiB, or page 0. */
static int manual_is_safe(uint64_t word)
{
	unsigned width;

	if (!field(word, 63, 63) || field(word, 2, 0) || field(word, 10, 10))
		return 0;
	if (word == BIT(63))
		return 1;
	for (width = 36; width <= 52; width++) {
		uint64_t pa = word & (BIT(width) - 1);

		if (pa < BIT(width) - (UINT64_C(32) << 30))
			return 0;
	}
	return !field(word, 9, 8);
}

static const struct paging_manual manual = {
	.features = NW_FEAT_X86_1G | NW_FEAT_EPT_AD | NW_FEAT_EPT_XO |
		    NW_FEAT_EPT_MBEC | NW_FEAT_EPT_SPLIT_EXEC,
	.flags = NW_LEAF_ACCESSED | NW_LEAF_DIRTY | NW_LEAF_IGNORE_PAT |
		 NW_LEAF_SUPPRESS_VE,
	.ia_bits = 57,
	.software = 15,
	.kind = manual_kind,
	.attrs = manual_attrs,
	.pa = manual_pa,
	.encode = manual_encode,
	.is_foreign = never,
	.break_flags = NW_LEAF_IGNORE_PAT,
	.is_safe = manual_is_safe,
};

/* ---- worked out by hand ------------------------------------------------ */

struct vector {
	unsigned features;
	unsigned level;
	uint64_t pa;
	struct nw_attrs attrs;
	uint64_t entry;
};

#define AD NW_FEAT_EPT_AD
static const struct vector vectors[] = {
	/* R 1 + W 2 + X 4, WB 6 << 3 = 0x30, A 0x100: 0x137. */
	{AD,
	 0,
	 UINT64_C(0x123456000),
	 {NW_PROT_RWX, NW_MEM_NORMAL_WB, NW_SHARE_INNER, NW_LEAF_ACCESSED, 0,
	  0},
	 UINT64_C(0x123456137)},
	/* The same in 2 MiB with D 0x200 and PS 0x80: 0x3b7. */
	{AD,
	 1,
	 UINT64_C(0x40200000),
	 {NW_PROT_RWX, NW_MEM_NORMAL_WB, NW_SHARE_INNER,
	  NW_LEAF_ACCESSED | NW_LEAF_DIRTY, 0, 0},
	 UINT64_C(0x402003b7)},
	/* 1 GiB, read-only, UC (0), ignore PAT 0x40, PS 0x80: 0xc1. */
	{AD | NW_FEAT_X86_1G,
	 2,
	 UINT64_C(0xc0000000),
	 {NW_PROT_R, NW_MEM_DEVICE_nGnRnE, NW_SHARE_INNER, NW_LEAF_IGNORE_PAT,
	  0, 0},
	 UINT64_C(0xc00000c1)},
	/* No A/D: bit 11 0x800; R + W, WC 1 << 3 = 8: 0x80b; suppress-#VE is
	 * bit 63; software 0xa at 52 is 0x00a0... */
	{0,
	 0,
	 UINT64_C(0xfd000000),
	 {NW_PROT_RW, NW_MEM_NORMAL_NC, NW_SHARE_INNER,
	  NW_LEAF_ACCESSED | NW_LEAF_SUPPRESS_VE, 0xa, 0},
	 UINT64_C(0x80a00000fd00080b)},
	/* Execute-only: X 4, WB 0x30, A 0x100. */
	{AD | NW_FEAT_EPT_XO,
	 0,
	 UINT64_C(0x1000),
	 {NW_PROT_X, NW_MEM_NORMAL_WB, NW_SHARE_INNER, NW_LEAF_ACCESSED, 0, 0},
	 UINT64_C(0x1134)},
	/* MBEC: code of the kernel is R 1 + X 4, WT 4 << 3 = 0x20: 0x25 ... */
	{AD | NW_FEAT_EPT_MBEC,
	 0,
	 UINT64_C(0x2000),
	 {NW_PROT_R | NW_PROT_PX, NW_MEM_NORMAL_WT, NW_SHARE_INNER, 0, 0, 0},
	 UINT64_C(0x2025)},
	/* ... of a user R 1 + bit 10 0x400, WP 5 << 3 = 0x28: 0x429. */
	{AD | NW_FEAT_EPT_MBEC,
	 0,
	 UINT64_C(0x3000),
	 {NW_PROT_R | NW_PROT_UX, NW_MEM_WP, NW_SHARE_INNER, 0, 0, 0},
	 UINT64_C(0x3429)},
};

static void leaf_known_entries_are_exact(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; n < sizeof(vectors) / sizeof(vectors[0]); n++) {
		const struct vector *v = &vectors[n];
		struct nw_geometry geo = shape_of(v->features, 46);
		struct nw_decoded out;
		uint64_t entry = 0;

		assert_int_equal(INSTANCE(encode_leaf)(&geo, v->level,
						       NW_PA(v->pa), &v->attrs,
						       &entry),
				 NW_OK);
		if (entry != v->entry)
			fail_msg("vector %u: %#" PRIx64 " expected %#" PRIx64,
				 n, entry, v->entry);
		INSTANCE(decode)(&geo, v->level, v->entry, &out);
		assert_int_equal(out.kind, NW_ENTRY_LEAF);
		assert_true(out.pa.v == v->pa);
		assert_true(attrs_equal(&out.attrs, &v->attrs));
	}
}

static void table_known_entries_are_exact(void **state)
{
	struct nw_geometry plain = shape_of(0, 46);
	struct nw_geometry all = shape_of(AD | NW_FEAT_EPT_MBEC, 46);

	(void)state;
	/* R, W, X; A is bit 8, user execute bit 10. */
	assert_true(nwf_table_entry(&plain, 0x5000) == 0x5007);
	assert_true(nwf_table_entry(&all, 0x5000) == 0x5507);
}

static void decode_misconfiguration_gives_its_reason(void **state)
{
	static const struct {
		unsigned features, level;
		uint64_t entry;
		enum nw_reason reason;
	} rows[] = {
		/* W without R; W and X without R; X alone. */
		{AD, 0, 0x1132, NW_REASON_RIGHTS},
		{AD, 0, 0x1136, NW_REASON_RIGHTS},
		{AD, 0, 0x1134, NW_REASON_RIGHTS},
		{AD | NW_FEAT_EPT_XO, 0, 0x1134, NW_REASON_NONE},
		/* User execute alone, with MBEC. */
		{AD | NW_FEAT_EPT_MBEC, 0, 0x1530, NW_REASON_RIGHTS},
		/* Types 2, 3 and 7. */
		{AD, 0, 0x1117, NW_REASON_MEMTYPE},
		{AD, 0, 0x111f, NW_REASON_MEMTYPE},
		{AD, 0, 0x113f, NW_REASON_MEMTYPE},
		/* Reserved: address beyond 46 bits, low bits of 2 MiB, 1 GiB
		 * without the feature, 512 GiB. */
		{AD, 0, UINT64_C(0x400000001137), NW_REASON_ADDRESS_SIZE},
		{AD, 1, 0x402011b7, NW_REASON_ADDRESS_ALIGN},
		{AD, 2, 0x400001b7, NW_REASON_TYPE_AT_LEVEL},
		{AD | NW_FEAT_X86_1G, 2, 0x400001b7, NW_REASON_NONE},
		{AD | NW_FEAT_X86_1G, 3, 0x1b7, NW_REASON_TYPE_AT_LEVEL},
		/* A table entry with bit 3. */
		{AD, 1, 0x510f, NW_REASON_RES0},
	};
	unsigned n;

	(void)state;
	for (n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct nw_geometry geo = shape_of(rows[n].features, 46);
		struct nw_decoded out;

		INSTANCE(decode)(&geo, rows[n].level, rows[n].entry, &out);
		if (out.reason != rows[n].reason)
			fail_msg("row %u: reason %d", n, (int)out.reason);
	}
}

static void huge_code_under_the_erratum_is_refused(void **state)
{
	struct nw_geometry geo =
		shape_of(AD | NW_FEAT_X86_1G | NW_FEAT_EPT_SPLIT_EXEC, 46);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry = SENTINEL;

	(void)state;
	/* A smaller leaf will do: the level is refused, not the rights. */
	assert_int_equal(
		INSTANCE(encode_leaf)(&geo, 1, NW_PA(0), &attrs, &entry),
		NW_E_LEVEL);
	assert_int_equal(
		INSTANCE(encode_leaf)(&geo, 0, NW_PA(0), &attrs, &entry),
		NW_OK);
	assert_true(nwf_collapse_parent(&geo, 1, entry) == 0);
	attrs.prot = NW_PROT_RW;
	assert_int_equal(
		INSTANCE(encode_leaf)(&geo, 2, NW_PA(0), &attrs, &entry),
		NW_OK);
	assert_int_equal(nwf_leaf_relax(&geo, entry, NW_PROT_X, &entry),
			 NW_E_ATTRS);
}

static void invalid_page_of_zeroes_is_not_empty(void **state)
{
	struct nw_geometry geo = shape_of(0, 46);

	(void)state;
	assert_true(NWF_EMPTY == BIT(63));
	assert_int_equal(nwf_kind(&geo, 0, NWF_EMPTY), NW_ENTRY_EMPTY);
	assert_int_equal(nwf_kind(&geo, 0, 0), NW_ENTRY_INVALID);
	assert_false(nwf_is_annotation(0));
	assert_false(nwf_is_locked(0));
}

static void pointer_is_exact(void **state)
{
	struct nw_format_config config = {12, 48, 46, AD};
	struct nw_geometry four, five = shape_of(0, 46);

	(void)state;
	assert_int_equal(INSTANCE(geometry)(&config, &four, NULL), NW_OK);
	assert_int_equal(four.levels, 4);
	/* WB 6, four levels 3 << 3, A/D 0x40. */
	assert_true(nw_x86_eptp(&four, NW_PA(0x7000)) == 0x705e);
	/* WB 6, five levels 4 << 3. */
	assert_true(nw_x86_eptp(&five, NW_PA(0x7000)) == 0x7026);
	config.features = NW_FEAT_X86_NX;
	assert_int_equal(INSTANCE(geometry)(&config, &four, NULL), NW_E_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		cmocka_unit_test(leaf_known_entries_are_exact),
		cmocka_unit_test(table_known_entries_are_exact),
		cmocka_unit_test(decode_misconfiguration_gives_its_reason),
		cmocka_unit_test(huge_code_under_the_erratum_is_refused),
		cmocka_unit_test(invalid_page_of_zeroes_is_not_empty),
		cmocka_unit_test(pointer_is_exact),
	};

	return cmocka_run_group_tests_name("format/x86_ept", tests, NULL, NULL);
}
