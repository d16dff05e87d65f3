/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 2, against the manual's tables (manual.c). */
#ifndef TEST_FORMAT
#define TEST_FORMAT arm64_s2
#define TEST_NAME   "arm64_s2"
#define TEST_HEADER "format/arm64_s2.h"
#endif
#include TEST_HEADER
#include "manual.h"

static const struct manual_stage *const manual = &manual_s2;
#include "leaf_tests.h"
#include "change_tests.h"
#include "state_tests.h"

static enum nw_reason reason_of(const struct nw_geometry *geo, uint64_t entry)
{
	struct nw_decoded out;

	INSTANCE(decode)(geo, 0, entry, &out);
	assert_int_equal(out.kind == NW_ENTRY_RESERVED,
			 out.reason != NW_REASON_NONE);
	return out.reason;
}

/* Descriptors worked out by hand. */
static void leaf_known_descriptors_are_exact(void **state)
{
	struct nw_geometry geo = shape(0, 48);
	struct nw_geometry fwb = shape(NW_FEAT_FWB | NW_FEAT_XNX, 48);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry;

	(void)state;
	attrs.prot = NW_PROT_RWX;
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 0, NW_PA(0x40201000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x402017ff));
	assert_int_equal(INSTANCE(encode_leaf)(&fwb, 1, NW_PA(0x40200000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x402007d9));
	attrs.prot = NW_PROT_RW;
	attrs.memtype = NW_MEM_DEVICE_nGnRE;
	attrs.share = NW_SHARE_NONE;
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 0, NW_PA(0x09000000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x00400000090004c7));
	attrs.prot = NW_PROT_R | NW_PROT_UX;
	assert_int_equal(INSTANCE(encode_leaf)(&fwb, 0, NW_PA(0x09000000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x0020000009000447));
}

/* The same where the address stands elsewhere: each with its upper bits. */
static void leaf_wide_descriptors_are_exact(void **state)
{
	static const struct {
		uint8_t granule_lg2, lpa2;
		uint64_t pa, entry;
	} rows[] = {
		{12, 0, UINT64_C(0x900040201000), UINT64_C(0x9000402017ff)},
		{14, 0, UINT64_C(0x900040204000), UINT64_C(0x9000402047ff)},
		{16, 0, UINT64_C(0xa000040210000), UINT64_C(0x4021a7ff)},
		{12, 1, UINT64_C(0x9000040201000), UINT64_C(0x10000402016ff)},
		{14, 1, UINT64_C(0x9000040204000), UINT64_C(0x10000402046ff)},
	};
	struct nw_geometry geo = shape(form->wide, OA_MOST);
	struct nw_attrs attrs = plain_attrs();
	unsigned i, seen = 0;
	uint64_t entry;

	(void)state;
	attrs.prot = NW_PROT_RWX;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].granule_lg2 != form->granule_lg2 ||
		    rows[i].lpa2 != form->has_lpa2)
			continue;
		seen++;
		assert_int_equal(INSTANCE(encode_leaf)(&geo, 0,
						       NW_PA(rows[i].pa),
						       &attrs, &entry),
				 NW_OK);
		assert_true(entry == rows[i].entry);
		assert_true(nwf_leaf_pa(&geo, 0, entry) == rows[i].pa);
	}
	assert_int_equal(seen, 1);
}

static void decode_stage2_fault_gives_its_reason(void **state)
{
	struct nw_geometry geo = shape(0, 48);
	struct nw_geometry fwb = shape(NW_FEAT_FWB, 48);

	(void)state;
	assert_int_equal(reason_of(&geo, 0x402017ff), NW_REASON_NONE);
	/* MemAttr 1100: inner cacheability 0 of a normal type. */
	assert_int_equal(reason_of(&geo, 0x402017f3), NW_REASON_MEMTYPE);
	assert_int_equal(reason_of(&fwb, 0x402017d3), NW_REASON_MEMTYPE);
	assert_int_equal(reason_of(&fwb, 0x402017ff), NW_REASON_RES0);
	assert_int_equal(reason_of(&geo, 0x402017ff | UINT64_C(1) << 53),
			 NW_REASON_RIGHTS);
	/* Neither read, write nor execute. */
	assert_int_equal(reason_of(&geo, 0x4020173f | UINT64_C(1) << 54),
			 NW_REASON_RIGHTS);
	assert_int_equal(reason_of(&geo, 0x40201fff), NW_REASON_FEATURE);
	assert_int_equal(reason_of(&geo, 0x402017ff | UINT64_C(1) << 50),
			 NW_REASON_RES0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		STATE_TESTS,
		cmocka_unit_test(leaf_wide_descriptors_are_exact),
#if NW_A64_GRANULE_LG2 == 12 && !NW_A64_LPA2
		cmocka_unit_test(leaf_known_descriptors_are_exact),
		cmocka_unit_test(decode_stage2_fault_gives_its_reason),
#endif
	};

	return cmocka_run_group_tests_name("format/" TEST_NAME, tests,
					   form_setup, NULL);
}
