/* SPDX-License-Identifier: BSD-2-Clause */
/* arm64 stage 1 for EL1&0, against the manual's tables (manual.c). */
#ifndef TEST_FORMAT
#define TEST_FORMAT arm64_el10
#define TEST_NAME   "arm64_el10"
#define TEST_HEADER "format/arm64_el10.h"
#endif
#include TEST_HEADER
#include "manual.h"

static const struct manual_stage *const manual = &manual_el10;
#include "leaf_tests.h"
#include "change_tests.h"
#include "state_tests.h"

static enum nw_reason reason_of(const struct nw_geometry *geo, uint64_t entry)
{
	struct nw_decoded out;

	INSTANCE(decode)(geo, 0, entry, &out);
	return out.reason;
}

/* Descriptors worked out by hand: index 6 is write-back. */
static void leaf_known_descriptors_are_exact(void **state)
{
	static const struct {
		uint8_t prot, level;
		uint16_t flags;
		uint64_t entry;
	} rows[] = {
		/* kernel data, kernel code, user code, user data */
		{NW_PROT_RW, 0, 0, UINT64_C(0x006000004020171b)},
		{NW_PROT_R | NW_PROT_PX, 1, 0, UINT64_C(0x0040000040200799)},
		{NW_PROT_R | NW_PROT_UX, 0, NW_LEAF_USER | NW_LEAF_NOT_GLOBAL,
		 UINT64_C(0x0020000040201fdb)},
		{NW_PROT_RW, 0, NW_LEAF_USER | NW_LEAF_NOT_GLOBAL,
		 UINT64_C(0x0060000040201f5b)},
		/* EL0 may execute what it cannot read */
		{NW_PROT_R | NW_PROT_UX, 0, 0, UINT64_C(0x002000004020179b)},
	};
	struct nw_geometry geo = shape(0, OA_MOST);
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nw_attrs attrs = plain_attrs();
		uint64_t entry = 0;

		attrs.prot = rows[i].prot;
		attrs.flags |= rows[i].flags;
		assert_int_equal(
			INSTANCE(encode_leaf)(
				&geo, rows[i].level,
				NW_PA(rows[i].level ? 0x40200000 : 0x40201000),
				&attrs, &entry),
			NW_OK);
		assert_true(entry == rows[i].entry);
	}
}

static void decode_el10_fault_gives_its_reason(void **state)
{
	struct nw_geometry geo = shape(0, OA_MOST);
	struct nw_geometry hd = shape(NW_FEAT_HD, OA_MOST);
	uint64_t user = UINT64_C(0x0060000040201f5b);
	uint64_t code = UINT64_C(0x0040000040201f9b);

	(void)state;
	assert_int_equal(reason_of(&geo, user), NW_REASON_NONE);
	assert_int_equal(reason_of(&geo, code), NW_REASON_NONE);
	/* Executable at EL1, writable at EL0; the same by a hardware update. */
	assert_int_equal(reason_of(&geo, user & ~(UINT64_C(1) << 53)),
			 NW_REASON_RIGHTS);
	assert_int_equal(reason_of(&hd, code | UINT64_C(1) << 51),
			 NW_REASON_NONE);
	assert_int_equal(reason_of(&hd, code | UINT64_C(1) << 51 | 0x40),
			 NW_REASON_RIGHTS);
	/* Executable device, at either level. */
	assert_int_equal(reason_of(&geo, code & ~UINT64_C(0x1c)),
			 NW_REASON_RIGHTS);
	assert_int_equal(reason_of(&geo, user & ~UINT64_C(0x4000000000001c)),
			 NW_REASON_RIGHTS);
	assert_int_equal(reason_of(&geo, user | 0x1c), NW_REASON_MEMTYPE);
	assert_int_equal(reason_of(&geo, user | 1u << 5), NW_REASON_RES0);
	assert_int_equal(reason_of(&geo, user | UINT64_C(1) << 50),
			 NW_REASON_FEATURE);
}

/* The whole of the refused rights, whatever the type. */
static void user_writable_kernel_code_is_never_made(void **state)
{
	struct nw_geometry geo = shape(all_features(), OA_MOST);
	struct nw_attrs attrs = {0};
	unsigned made = 0;

	(void)state;
	do {
		uint64_t entry;

		if (INSTANCE(encode_leaf)(&geo, 0, NW_PA(0), &attrs, &entry) !=
		    NW_OK)
			continue;
		made++;
		/* AP[1] set and PXN clear: read-only, no DBM. */
		if ((entry >> 6 & 1) && !(entry >> 53 & 1)) {
			assert_true(entry >> 7 & 1);
			assert_false(entry >> 51 & 1);
		}
		/* Either XN clear: index of normal memory. */
		if ((entry >> 53 & 3) != 3)
			assert_true((entry >> 2 & 7) >= 4);
	} while (next_attrs(&attrs));
	assert_true(made > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LEAF_TESTS,
		CHANGE_TESTS,
		STATE_TESTS,
		cmocka_unit_test(user_writable_kernel_code_is_never_made),
#if NW_A64_GRANULE_LG2 == 12 && !NW_A64_LPA2
		cmocka_unit_test(leaf_known_descriptors_are_exact),
		cmocka_unit_test(decode_el10_fault_gives_its_reason),
#endif
	};

	return cmocka_run_group_tests_name("format/" TEST_NAME, tests,
					   form_setup, NULL);
}
