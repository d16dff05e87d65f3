/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EPT entries worked out by hand, and what is refused. No CPU here walks EPT:
 * these numbers stand for one.
 *
 * Intel SDM volume 3C, 29.3 "The Extended Page Table Mechanism (EPT)":
 * tables 29-1 to 29-7 (formats), 29.3.3.1 (misconfigurations), 29.3.5 (accessed
 * and dirty flags), 29.3.7 (memory types).
 *
 * Each number is the sum of address and
 *   1 R, 2 W, 4 X, type << 3 (UC 0, WC 0x08, WT 0x20, WP 0x28, WB 0x30),
 *   0x40 ignore PAT, 0x80 leaf above level 0, 0x100 A, 0x200 D, 0x400 X of user
 *   mode, 0x800 ours without A/D, software at bit 52, bit 63 suppress-#VE.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/instances.h"
#include <nestwalk/x86.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Feature sets. */
enum { NONE, AD, AD_1G, AD_XO, AD_MBEC, AD_MBEC_XO, NO_1G, NO_MBEC, ERRATUM };
static const uint32_t features_of[] = {
	[NONE] = 0,
	[AD] = NW_FEAT_EPT_AD,
	[AD_1G] = NW_FEAT_EPT_AD | NW_FEAT_X86_1G,
	[AD_XO] = NW_FEAT_EPT_AD | NW_FEAT_EPT_XO,
	[AD_MBEC] = NW_FEAT_EPT_AD | NW_FEAT_EPT_MBEC,
	[AD_MBEC_XO] = NW_FEAT_EPT_AD | NW_FEAT_EPT_MBEC | NW_FEAT_EPT_XO,
	[NO_1G] = NW_FEAT_X86_1G,
	[NO_MBEC] = NW_FEAT_EPT_MBEC,
	[ERRATUM] = NW_FEAT_EPT_AD | NW_FEAT_EPT_SPLIT_EXEC,
};

static struct nw_geometry shape(unsigned set, unsigned ia_bits,
				unsigned oa_bits)
{
	const struct nw_format_config config = {
		12, (uint8_t)ia_bits, (uint8_t)oa_bits, features_of[set]};
	struct nw_geometry geo;

	assert_int_equal(nw_x86_ept_geometry(&config, &geo, NULL), NW_OK);
	return geo;
}

#define R  NW_PROT_R
#define RW NW_PROT_RW
#define PX NW_PROT_PX
#define UX NW_PROT_UX
#define X  NW_PROT_X
#define UC NW_MEM_DEVICE_nGnRnE
#define WC NW_MEM_NORMAL_NC
#define WT NW_MEM_NORMAL_WT
#define WP NW_MEM_WP
#define WB NW_MEM_NORMAL_WB
#define A  NW_LEAF_ACCESSED
#define D  NW_LEAF_DIRTY
#define IP NW_LEAF_IGNORE_PAT
#define VE NW_LEAF_SUPPRESS_VE
#define C  UINT64_C

struct vector {
	uint8_t set, level, prot, type;
	uint16_t flags;
	uint8_t software;
	uint64_t pa, entry;
};

static const struct vector vectors[] = {
	/* rights */
	{AD, 0, R, WB, 0, 0, C(0x1000), C(0x1031)},
	{AD, 0, RW, WB, 0, 0, C(0x1000), C(0x1033)},
	{AD, 0, R | X, WB, 0, 0, C(0x1000), C(0x1035)},
	{AD, 0, RW | X, WB, 0, 0, C(0x1000), C(0x1037)},
	{AD_XO, 0, X, WB, 0, 0, C(0x1000), C(0x1034)},
	{AD_XO, 1, X, WB, 0, 0, C(0x40200000), C(0x402000b4)},
	{AD_XO, 0, R, WB, 0, 0, C(0x1000), C(0x1031)},
	/* memory types, with and without the guest's PAT */
	{AD, 0, R, UC, 0, 0, C(0x2000), C(0x2001)},
	{AD, 0, R, WC, 0, 0, C(0x2000), C(0x2009)},
	{AD, 0, R, WT, 0, 0, C(0x2000), C(0x2021)},
	{AD, 0, R, WP, 0, 0, C(0x2000), C(0x2029)},
	{AD, 0, R, WB, IP, 0, C(0x2000), C(0x2071)},
	{AD, 0, R, UC, IP, 0, C(0x2000), C(0x2041)},
	{AD, 1, R, WC, IP, 0, C(0x40200000), C(0x402000c9)},
	{AD_1G, 2, RW, WP, IP, 0, C(0x80000000), C(0x800000eb)},
	/* accessed and dirty */
	{AD, 0, RW, WB, A, 0, C(0x2000), C(0x2133)},
	{AD, 0, RW, WB, D, 0, C(0x2000), C(0x2233)},
	{AD, 0, RW, WB, A | D, 0, C(0x2000), C(0x2333)},
	{AD, 0, R, WB, A | D, 0, C(0x2000), C(0x2331)},
	{AD, 1, RW | X, WB, A | D, 0, C(0x200000), C(0x2003b7)},
	{AD_1G, 2, RW | X, WB, A, 0, C(0x80000000), C(0x800001b7)},
	/* without them */
	{NONE, 0, R, WB, A, 0, C(0x3000), C(0x3831)},
	{NONE, 0, RW | X, WB, A, 0, C(0x3000), C(0x3837)},
	{NONE, 1, RW, UC, A, 0, C(0x600000), C(0x600883)},
	{NO_1G, 2, R | X, WT, A, 0, C(0x40000000), C(0x400008a5)},
	{NO_MBEC, 0, R | UX, WB, A, 0, C(0x3000), C(0x3c31)},
	{NO_MBEC, 0, R | PX, WB, A, 0, C(0x3000), C(0x3835)},
	/* execute by mode */
	{AD_MBEC, 0, R | PX, WB, 0, 0, C(0x4000), C(0x4035)},
	{AD_MBEC, 0, R | UX, WB, 0, 0, C(0x4000), C(0x4431)},
	{AD_MBEC, 0, RW | UX, WB, 0, 0, C(0x4000), C(0x4433)},
	{AD_MBEC, 0, R | X, WB, 0, 0, C(0x4000), C(0x4435)},
	{AD_MBEC, 1, RW | X, WB, A, 0, C(0x800000), C(0x8005b7)},
	{AD_MBEC_XO, 0, PX, WB, 0, 0, C(0x4000), C(0x4034)},
	{AD_MBEC_XO, 0, UX, WB, 0, 0, C(0x4000), C(0x4430)},
	{AD_MBEC_XO, 0, X, WB, A, 0, C(0x4000), C(0x4534)},
	/* suppress-#VE, software */
	{AD, 0, R, WB, VE, 0, C(0x5000), C(0x8000000000005031)},
	{AD, 0, R, WB, 0, 1, C(0x5000), C(0x0010000000005031)},
	{AD, 0, R, WB, 0, 15, C(0x5000), C(0x00f0000000005031)},
	{AD, 0, RW, UC, A | D | IP | VE, 5, C(0x5000), C(0x8050000000005343)},
	{NONE, 1, R, WB, A | VE, 8, C(0xa00000), C(0x8080000000a008b1)},
	/* the last page of each size; the SDM's N is 52 here */
	{AD, 0, RW, WB, 0, 0, C(0xffffffffff000), C(0xffffffffff033)},
	{AD, 1, RW, WB, 0, 0, C(0xfffffffe00000), C(0xfffffffe000b3)},
	{AD_1G, 2, RW, WB, 0, 0, C(0xfffffc0000000), C(0xfffffc00000b3)},
	/* code in pages only */
	{ERRATUM, 0, RW | X, WB, 0, 0, C(0x6000), C(0x6037)},
	{ERRATUM, 1, RW, WB, 0, 0, C(0x200000), C(0x2000b3)},
};

static struct nw_attrs attrs_of(const struct vector *v)
{
	return (struct nw_attrs){v->prot,  v->type,	NW_SHARE_INNER,
				 v->flags, v->software, 0};
}

static void encode_known_leaf_is_exact(void **state)
{
	(void)state;
	assert_true(COUNT(vectors) >= 30);
	for (unsigned n = 0; n < COUNT(vectors); n++) {
		const struct vector *v = &vectors[n];
		const struct nw_geometry geo = shape(v->set, 48 + n % 10, 52);
		const struct nw_attrs attrs = attrs_of(v);
		uint64_t entry = 0;

		assert_int_equal(nw_x86_ept_encode_leaf(&geo, v->level,
							NW_PA(v->pa), &attrs,
							&entry),
				 NW_OK);
		if (entry != v->entry)
			fail_msg("vector %u: %#" PRIx64 ", expected %#" PRIx64,
				 n, entry, v->entry);
	}
}

static void decode_known_leaf_is_exact(void **state)
{
	(void)state;
	for (unsigned n = 0; n < COUNT(vectors); n++) {
		const struct vector *v = &vectors[n];
		const struct nw_geometry geo = shape(v->set, 48 + n % 10, 52);
		const struct nw_attrs want = attrs_of(v);
		struct nw_decoded is;

		nw_x86_ept_decode(&geo, v->level, v->entry, &is);
		if (is.kind != NW_ENTRY_LEAF || is.pa.v != v->pa ||
		    is.attrs.prot != want.prot ||
		    is.attrs.memtype != want.memtype ||
		    is.attrs.share != want.share ||
		    is.attrs.flags != want.flags ||
		    is.attrs.software != want.software || is.attrs.hardware)
			fail_msg("vector %u: %#" PRIx64 " read differently", n,
				 v->entry);
	}
}

/* ---- never produced ----------------------------------------------------- */

struct refused {
	uint8_t set, level, prot, type;
	uint16_t flags;
	uint8_t software, hardware;
	enum nw_status status;
};

static const struct refused refused[] = {
	/* misconfigurations: no read, but write, or execute without leave */
	{AD_XO, 0, NW_PROT_W, WB, 0, 0, 0, NW_E_ATTRS},
	{AD_XO, 0, NW_PROT_W | X, WB, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, X, WB, 0, 0, 0, NW_E_ATTRS},
	{AD_MBEC, 0, UX, WB, 0, 0, 0, NW_E_ATTRS},
	{AD_MBEC, 0, PX, WB, 0, 0, 0, NW_E_ATTRS},
	{AD_MBEC_XO, 0, NW_PROT_W | UX, WB, 0, 0, 0, NW_E_ATTRS},
	/* nothing at all is no mapping */
	{AD, 0, 0, WB, 0, 0, 0, NW_E_ATTRS},
	/* by mode, without the control */
	{AD, 0, R | PX, WB, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R | UX, WB, 0, 0, 0, NW_E_ATTRS},
	/* types that EPT does not have */
	{AD, 0, R, NW_MEM_UC_MINUS, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R, NW_MEM_DEVICE_nGnRE, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R, NW_MEM_DEVICE_nGRE, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R, NW_MEM_DEVICE_GRE, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R, NW_MEM_FROM_STAGE1, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R, NW_MEM_NORMAL_OWT_INC, 0, 0, 0, NW_E_ATTRS},
	{AD, 0, R, NW_MEM_COUNT, 0, 0, 0, NW_E_ATTRS},
	/* facts that EPT does not have */
	{AD, 0, R, WB, NW_LEAF_DBM, 0, 0, NW_E_ATTRS},
	{AD, 0, R, WB, NW_LEAF_CONTIG, 0, 0, NW_E_ATTRS},
	{AD, 0, R, WB, NW_LEAF_USER, 0, 0, NW_E_ATTRS},
	{AD, 0, R, WB, NW_LEAF_NOT_GLOBAL, 0, 0, NW_E_ATTRS},
	{AD, 0, R, WB, 0, 16, 0, NW_E_ATTRS},
	{AD, 0, R, WB, 0, 0, 1, NW_E_ATTRS},
	/* state that nobody would keep */
	{NONE, 0, RW, WB, 0, 0, 0, NW_E_ATTRS},
	{NONE, 0, RW, WB, A | D, 0, 0, NW_E_ATTRS},
	/* sizes */
	{AD, 2, R, WB, 0, 0, 0, NW_E_LEVEL},
	{AD_1G, 3, R, WB, 0, 0, 0, NW_E_LEVEL},
	{AD_1G, 4, R, WB, 0, 0, 0, NW_E_LEVEL},
	{ERRATUM, 1, R | X, WB, 0, 0, 0, NW_E_LEVEL},
};

static void encode_what_would_be_misconfigured_is_refused(void **state)
{
	(void)state;
	for (unsigned n = 0; n < COUNT(refused); n++) {
		const struct refused *v = &refused[n];
		const struct nw_geometry geo = shape(v->set, 57, 46);
		const struct nw_attrs attrs = {v->prot,	       v->type,
					       NW_SHARE_INNER, v->flags,
					       v->software,    v->hardware};
		uint64_t entry = 77;

		if (nw_x86_ept_encode_leaf(&geo, v->level, NW_PA(0), &attrs,
					   &entry) != v->status)
			fail_msg("row %u is not refused so", n);
		assert_true(entry == 77);
	}
}

static void encode_wrong_address_is_refused(void **state)
{
	const struct nw_geometry geo = shape(AD_1G, 48, 46);
	const struct nw_attrs attrs = attrs_of(&vectors[0]);
	uint64_t entry = 0;

	(void)state;
	assert_int_equal(
		nw_x86_ept_encode_leaf(&geo, 1, NW_PA(0x1000), &attrs, &entry),
		NW_E_MISALIGNED);
	assert_int_equal(nw_x86_ept_encode_leaf(&geo, 2, NW_PA(0x200000),
						&attrs, &entry),
			 NW_E_MISALIGNED);
	assert_int_equal(nw_x86_ept_encode_leaf(&geo, 0, NW_PA(C(1) << 46),
						&attrs, &entry),
			 NW_E_OA_RANGE);
}

/* ---- read, but never written -------------------------------------------- */

static const struct {
	uint8_t set, level;
	uint64_t entry;
	enum nw_entry_kind kind;
	enum nw_reason reason;
} read_only[] = {
	/* not present: nothing, zeroes, rights gone but all else there */
	{AD, 0, C(1) << 63, NW_ENTRY_EMPTY, NW_REASON_NONE},
	{AD, 4, C(1) << 63, NW_ENTRY_EMPTY, NW_REASON_NONE},
	{AD, 0, 0, NW_ENTRY_INVALID, NW_REASON_NONE},
	{AD, 1, C(0x402003b0), NW_ENTRY_INVALID, NW_REASON_NONE},
	/* bits 51:46 beyond a width of 46, of leaves and of tables */
	{AD, 0, C(0x400000001037), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_SIZE},
	{AD, 1, C(0x8000002000b7), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_SIZE},
	{AD, 3, C(0x8000000005107), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_SIZE},
	/* low address bits of a large leaf: 12 and 20; 12 and 29 */
	{AD, 1, C(0x402010b7), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_ALIGN},
	{AD, 1, C(0x403000b7), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_ALIGN},
	{AD_1G, 2, C(0x400010b7), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_ALIGN},
	{AD_1G, 2, C(0x600000b7), NW_ENTRY_RESERVED, NW_REASON_ADDRESS_ALIGN},
	/* types 2, 3 and 7, at every level */
	{AD, 0, C(0x1017), NW_ENTRY_RESERVED, NW_REASON_MEMTYPE},
	{AD, 1, C(0x4020009f), NW_ENTRY_RESERVED, NW_REASON_MEMTYPE},
	{AD_1G, 2, C(0x400000bf), NW_ENTRY_RESERVED, NW_REASON_MEMTYPE},
	/* rights 010, 110, 100 */
	{AD_1G, 2, C(0x400000b2), NW_ENTRY_RESERVED, NW_REASON_RIGHTS},
	{AD, 1, C(0x402000b6), NW_ENTRY_RESERVED, NW_REASON_RIGHTS},
	{AD, 0, C(0x1034), NW_ENTRY_RESERVED, NW_REASON_RIGHTS},
	/* leaves of 1 GiB without leave, 512 GiB, 256 TiB */
	{AD, 2, C(0x400000b7), NW_ENTRY_RESERVED, NW_REASON_TYPE_AT_LEVEL},
	{AD_1G, 3, C(0xb7), NW_ENTRY_RESERVED, NW_REASON_TYPE_AT_LEVEL},
	{AD_1G, 4, C(0xb7), NW_ENTRY_RESERVED, NW_REASON_TYPE_AT_LEVEL},
	/* tables: bits 6:3 are reserved */
	{AD, 1, C(0x510f), NW_ENTRY_RESERVED, NW_REASON_RES0},
	{AD, 2, C(0x5147), NW_ENTRY_RESERVED, NW_REASON_RES0},
};

static void decode_what_is_never_written_gives_its_reason(void **state)
{
	(void)state;
	for (unsigned n = 0; n < COUNT(read_only); n++) {
		const struct nw_geometry geo = shape(read_only[n].set, 57, 46);
		struct nw_decoded is;

		nw_x86_ept_decode(&geo, read_only[n].level, read_only[n].entry,
				  &is);
		if (is.kind != read_only[n].kind ||
		    is.reason != read_only[n].reason)
			fail_msg("row %u: kind %d, reason %d", n, (int)is.kind,
				 (int)is.reason);
	}
}

/* Tables: R, W, X; accessed, so that no CPU writes them; X of user mode. */
static void decode_known_table_is_exact(void **state)
{
	static const struct {
		uint8_t set;
		uint64_t entry;
	} rows[] = {{NONE, C(0x3ffffffff007)},
		    {AD, C(0x3ffffffff107)},
		    {NO_MBEC, C(0x3ffffffff407)},
		    {AD_MBEC, C(0x3ffffffff507)}};

	(void)state;
	for (unsigned n = 0; n < COUNT(rows); n++)
		for (unsigned level = 1; level < 5; level++) {
			const struct nw_geometry geo =
				shape(rows[n].set, 57, 46);
			struct nw_decoded is;

			nw_x86_ept_decode(&geo, level, rows[n].entry, &is);
			assert_int_equal(is.kind, NW_ENTRY_TABLE);
			assert_true(is.pa.v == C(0x3ffffffff000));
		}
}

/* EPTP (SDM table 25-9): type 6, levels less one at bit 3, A/D 0x40. */
static void pointer_is_exact(void **state)
{
	const struct nw_geometry plain4 = shape(NONE, 48, 46);
	const struct nw_geometry plain5 = shape(NONE, 57, 46);
	const struct nw_geometry ad4 = shape(AD, 40, 46);
	const struct nw_geometry ad5 = shape(AD, 49, 46);

	(void)state;
	assert_true(nw_x86_eptp(&plain4, NW_PA(0x7000)) == 0x701e);
	assert_true(nw_x86_eptp(&plain5, NW_PA(0x7000)) == 0x7026);
	assert_true(nw_x86_eptp(&ad4, NW_PA(0x7000)) == 0x705e);
	assert_true(nw_x86_eptp(&ad5, NW_PA(0x7000)) == 0x7066);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode_known_leaf_is_exact),
		cmocka_unit_test(decode_known_leaf_is_exact),
		cmocka_unit_test(encode_what_would_be_misconfigured_is_refused),
		cmocka_unit_test(encode_wrong_address_is_refused),
		cmocka_unit_test(decode_what_is_never_written_gives_its_reason),
		cmocka_unit_test(decode_known_table_is_exact),
		cmocka_unit_test(pointer_is_exact),
	};

	return cmocka_run_group_tests_name("format/ept_vectors", tests, NULL,
					   NULL);
}
