/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 1 for EL2, against the manual's tables (manual.c). */
#ifndef TEST_FORMAT
#define TEST_FORMAT arm64_el2
#define TEST_NAME   "arm64_el2"
#define TEST_HEADER "format/arm64_el2.h"
#endif
#include TEST_HEADER
#include "manual.h"

static const struct manual_stage *const manual = &manual_el2;
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

/* Descriptors worked out by hand: index 6 is write-back, 1 is nGnRE. */
static void leaf_known_descriptors_are_exact(void **state)
{
	struct nw_geometry geo = shape(NW_FEAT_BTI, 48);
	struct nw_attrs attrs = plain_attrs();
	uint64_t entry;

	(void)state;
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 0, NW_PA(0x40201000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x004000004020175b));
	attrs.prot = NW_PROT_R | NW_PROT_PX;
	attrs.flags |= NW_LEAF_GUARDED;
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 1, NW_PA(0x40200000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x00040000402007d9));
	attrs = plain_attrs();
	attrs.memtype = NW_MEM_DEVICE_nGnRE;
	attrs.share = NW_SHARE_NONE;
	assert_int_equal(INSTANCE(encode_leaf)(&geo, 0, NW_PA(0x09000000),
					       &attrs, &entry),
			 NW_OK);
	assert_true(entry == UINT64_C(0x0040000009000447));
}

static void decode_el2_fault_gives_its_reason(void **state)
{
	struct nw_geometry geo = shape(0, 48);
	struct nw_geometry hd = shape(NW_FEAT_HD, 48);
	uint64_t data = UINT64_C(0x004000004020175b);
	uint64_t code = UINT64_C(0x00000000402017db);

	(void)state;
	assert_int_equal(reason_of(&geo, data), NW_REASON_NONE);
	assert_int_equal(reason_of(&geo, code), NW_REASON_NONE);
	/* Writable and executable, at once or by a hardware update. */
	assert_int_equal(reason_of(&geo, data & ~(UINT64_C(1) << 54)),
			 NW_REASON_RIGHTS);
	assert_int_equal(reason_of(&hd, code | UINT64_C(1) << 51),
			 NW_REASON_RIGHTS);
	/* Executable device. */
	assert_int_equal(reason_of(&geo, code & ~UINT64_C(0x1c)),
			 NW_REASON_RIGHTS);
	assert_int_equal(reason_of(&geo, data | 0x1c), NW_REASON_MEMTYPE);
	assert_int_equal(reason_of(&geo, data & ~UINT64_C(0x40)),
			 NW_REASON_RES1);
	assert_int_equal(reason_of(&geo, data | 1u << 5), NW_REASON_RES0);
	assert_int_equal(reason_of(&geo, data | 1u << 11), NW_REASON_RES0);
	assert_int_equal(reason_of(&geo, data | UINT64_C(1) << 53),
			 NW_REASON_RES0);
	assert_int_equal(reason_of(&geo, data | UINT64_C(1) << 50),
			 NW_REASON_FEATURE);
}

/* The whole of the refused rights, whatever the type. */
static void writable_code_is_never_made(void **state)
{
	struct nw_geometry geo = shape(manual->features, 48);
	struct nw_attrs attrs = {0};

	(void)state;
	do {
		uint64_t entry;

		if (INSTANCE(encode_leaf)(&geo, 0, NW_PA(0), &attrs, &entry) !=
		    NW_OK)
			continue;
		/* XN clear: read-only, no DBM, index of normal memory. */
		if (!(entry >> 54 & 1)) {
			assert_true(entry >> 7 & 1);
			assert_false(entry >> 51 & 1);
			assert_true((entry >> 2 & 7) >= 4);
		}
	} while (next_attrs(&attrs));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		STATE_TESTS,
		cmocka_unit_test(writable_code_is_never_made),
#if NW_A64_GRANULE_LG2 == 12 && !NW_A64_LPA2
		cmocka_unit_test(leaf_known_descriptors_are_exact),
		cmocka_unit_test(decode_el2_fault_gives_its_reason),
#endif
	};

	return cmocka_run_group_tests_name("format/" TEST_NAME, tests,
					   form_setup, NULL);
}
