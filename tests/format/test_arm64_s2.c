/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 2, against the manual's tables (manual.c). */
#include "format/arm64_s2.h"
#include "manual.h"

static const struct manual_stage *const manual = &manual_s2;
#define INSTANCE(member) nw_arm64_s2_##member
#include "leaf_tests.h"
#include "change_tests.h"

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

static void registers_of_40_bit_table_are_exact(void **state)
{
	struct nw_format_config config = {12, 40, 40, 0};
	struct nw_geometry geo;

	(void)state;
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	assert_true(nw_arm64_vtcr_el2(&geo) == UINT64_C(0x80023558));
	config.features = NW_FEAT_HAF | NW_FEAT_HD;
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	assert_true(nw_arm64_vtcr_el2(&geo) == UINT64_C(0x80623558));
	config = (struct nw_format_config){12, 48, 48, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	assert_true(nw_arm64_vtcr_el2(&geo) == UINT64_C(0x80053590));
	config = (struct nw_format_config){12, 32, 36, 0};
	assert_int_equal(INSTANCE(geometry)(&config, &geo, NULL), NW_OK);
	assert_true(nw_arm64_vtcr_el2(&geo) == UINT64_C(0x80013520));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		cmocka_unit_test(leaf_known_descriptors_are_exact),
		cmocka_unit_test(decode_stage2_fault_gives_its_reason),
		cmocka_unit_test(registers_of_40_bit_table_are_exact),
	};

	return cmocka_run_group_tests_name("format/arm64_s2", tests, NULL,
					   NULL);
}
