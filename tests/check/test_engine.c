/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine under the oracle: right builds are clean, and each wrong one is
 * refuted by the rule that is about its mistake. Built three times: as it is,
 * with NW_SABOTAGE_EARLY_FREE, and with NW_SABOTAGE_NO_BBM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/gather.h>
#include <nestwalk/table.h>

#include "nw_port.h"
#include "tlb_port.h"

#define PAGE  UINT64_C(0x1000)
#define MIB   UINT64_C(0x100000)
#define GIB   UINT64_C(0x40000000)
#define PAGES 4096

struct rig {
	struct tlb_port port;
	struct nw_table table;
	struct nw_result result;
};

static struct rig rig;

static void open_rig(const struct nw_format_ops *ops, enum tlb_form form,
		     enum nw_mode mode, unsigned features)
{
	struct nw_table_config config = {
		.ops = ops,
		.format = {.granule_lg2 = 12,
			   .ia_bits = 40,
			   .oa_bits = 40,
			   .features = (uint16_t)features},
		.mode = mode,
	};

	tlb_port_open(&rig.port, form, PAGES);
	config.port = &rig.port.ops;
	config.port_ctx = &rig.port;
	config.regime =
		ops == &nw_arm64_s2_ops ? NW_REGIME_STAGE2 : NW_REGIME_EL2;
	config.tag = ops == &nw_arm64_s2_ops ? 5 : 0;
	assert_int_equal(nw_table_init(&rig.table, &config, &rig.result),
			 NW_OK);
}

static struct nw_attrs attrs(unsigned flags)
{
	return (struct nw_attrs){
		.prot = NW_PROT_RW,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = (uint8_t)(NW_LEAF_ACCESSED | flags),
	};
}

static void map(uint64_t ia, uint64_t bytes, unsigned flags)
{
	struct nw_attrs a = attrs(flags);

	assert_int_equal(nw_map(&rig.table, NW_IA(ia), bytes, NW_PA(ia), &a,
				NW_LEVEL_ANY, NULL, &rig.result),
			 NW_OK);
}

static void unmap(uint64_t ia, uint64_t bytes)
{
	assert_int_equal(
		nw_unmap(&rig.table, NW_IA(ia), bytes, NULL, &rig.result),
		NW_OK);
}

static void protect(uint64_t ia, uint64_t bytes, enum nw_protect how)
{
	assert_int_equal(nw_protect(&rig.table, NW_IA(ia), bytes, how,
				    NW_PROT_W, NULL, &rig.result),
			 NW_OK);
}

/* Pages, blocks, edges, holes, splits, whole subtrees. */
static void exercise(unsigned flags)
{
	struct nw_mapping at;
	unsigned i;

	map(GIB, 4 * MIB + 16 * PAGE, flags);
	map(8 * GIB, GIB, flags);
	map(GIB - 8 * PAGE, 8 * PAGE, flags);
	protect(GIB + 16 * PAGE, 3 * PAGE, NW_PROTECT_RESTRICT);
	protect(GIB + 17 * PAGE, PAGE, NW_PROTECT_RELAX);
	unmap(GIB + 2 * MIB + 4 * PAGE, 600 * PAGE);
	map(GIB + 2 * MIB + 4 * PAGE, PAGE, flags);
	assert_int_equal(nw_split(&rig.table, NW_IA(8 * GIB + 6 * MIB), 0, NULL,
				  &rig.result),
			 NW_OK);
	for (i = 0; i < 20; i++)
		unmap(8 * GIB + i * 14 * MIB, 4 * MIB + i * PAGE);
	assert_int_equal(nw_lookup(&rig.table, NW_IA(8 * GIB), &at), NW_OK);
	unmap(8 * GIB, 512 * MIB);
	map(8 * GIB, 2 * MIB, flags);
	assert_int_equal(nw_table_teardown_step(&rig.table, 2), NW_MORE);
}

/* Destroy the table, and judge the end. */
static enum nwv_check_status finish(void)
{
	nw_table_destroy(&rig.table);
	return nwv_check_end(rig.port.check);
}

static int found(const char *id)
{
	size_t i;

	for (i = 0; i < nwv_check_violations(rig.port.check); i++)
		if (!strcmp(nwv_check_violation(rig.port.check, i)->rule->id,
			    id))
			return 1;
	return 0;
}

static void say(void)
{
	char text[1000];
	size_t i;

	if (nwv_check_problem(rig.port.check))
		print_message("%s\n", nwv_check_problem(rig.port.check));
	for (i = 0; i < nwv_check_violations(rig.port.check); i++) {
		nwv_violation_text(nwv_check_violation(rig.port.check, i), text,
				   sizeof(text));
		print_message("%s\n", text);
	}
}

#if !NW_SABOTAGE_EARLY_FREE && !NW_SABOTAGE_NO_BBM

static void expect_clean_one(const struct nw_format_ops *ops,
			     enum tlb_form form, enum nw_mode mode,
			     unsigned features, unsigned flags)
{
	open_rig(ops, form, mode, features);
	exercise(flags);
	if (finish() != NWV_CHECK_CLEAN) {
		say();
		fail_msg("%s, form %d, mode %d, features %#x", ops->name, form,
			 mode, features);
	}
	assert_true(rig.port.events > 10000);
	tlb_port_close(&rig.port);
}

static void expect_clean(enum tlb_form form, enum nw_mode mode,
			 unsigned features, unsigned flags)
{
	expect_clean_one(&nw_arm64_s2_ops, form, mode, features, flags);
	expect_clean_one(&nw_arm64_el2_ops, form, mode, features, flags);
}

static void engine_every_form_clean(void **state)
{
	(void)state;
	expect_clean(TLB_BY_ADDRESS, NW_MODE_EXCLUSIVE, 0, 0);
	expect_clean(TLB_BY_RANGE, NW_MODE_EXCLUSIVE, 0, 0);
	expect_clean(TLB_ALL, NW_MODE_EXCLUSIVE, 0, 0);
}

static void engine_bbm2_clean(void **state)
{
	(void)state;
	expect_clean(TLB_BY_RANGE, NW_MODE_EXCLUSIVE,
		     NW_FEAT_BBM1 | NW_FEAT_BBM2, 0);
}

static void engine_hardware_dirty_clean(void **state)
{
	(void)state;
	expect_clean(TLB_BY_RANGE, NW_MODE_EXCLUSIVE, NW_FEAT_HAF | NW_FEAT_HD,
		     NW_LEAF_DBM);
}

static void engine_readers_clean(void **state)
{
	(void)state;
#ifdef NW_CONFIG_RCU
	expect_clean(TLB_BY_RANGE, NW_MODE_READERS, 0, 0);
	expect_clean(TLB_BY_RANGE, NW_MODE_SHARED, 0, 0);
#else
	skip();
#endif
}

static void expect_refuted(const struct nw_format_ops *ops, enum tlb_form form,
			   const char *rule)
{
	open_rig(ops, form, NW_MODE_EXCLUSIVE, 0);
	map(GIB, 64 * PAGE, 0);
	unmap(GIB + 8 * PAGE, 4 * PAGE);
	assert_int_equal(nwv_check_end(rig.port.check), NWV_CHECK_VIOLATION);
	if (!found(rule)) {
		say();
		fail_msg("%s, form %d: no %s", ops->name, form, rule);
	}
	assert_int_equal(nwv_check_violations(rig.port.check), 1);
	nw_table_destroy(&rig.table);
	tlb_port_close(&rig.port);
}

/* ---- one flush for several operations ----------------------------------- */

static void gather_three(struct nw_gather *g)
{
	nw_gather_begin(g, &rig.table);
	assert_int_equal(nw_unmap_gather(&rig.table, NW_IA(GIB), 4 * PAGE, NULL,
					 g, &rig.result),
			 NW_OK);
	assert_int_equal(nw_unmap_gather(&rig.table, NW_IA(GIB + 2 * MIB),
					 2 * MIB, NULL, g, &rig.result),
			 NW_OK);
	assert_int_equal(nw_write_protect_gather(&rig.table,
						 NW_IA(GIB + 8 * PAGE),
						 4 * PAGE, NULL, NULL, NULL, g,
						 &rig.result),
			 NW_OK);
}

static void open_gathered(enum tlb_form form, enum nw_mode mode)
{
	struct nw_attrs a = attrs(0);

	open_rig(&nw_arm64_s2_ops, form, mode, 0);
	assert_int_equal(nw_map(&rig.table, NW_IA(GIB), 4 * MIB, NW_PA(GIB), &a,
				0, NULL, &rig.result),
			 NW_OK);
}

static void reuse(uint64_t pa)
{
	NW_TRACE(NW_EV_FRAME_REUSE, pa, PAGE, 0);
}

static void gather_finished_before_reuse_clean(void **state)
{
	static const enum nw_mode modes[] = {
		NW_MODE_EXCLUSIVE,
#ifdef NW_CONFIG_RCU
		NW_MODE_READERS,
		NW_MODE_SHARED,
#endif
	};
	struct nw_gather g;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		open_gathered(TLB_BY_RANGE, modes[i]);
		gather_three(&g);
		assert_int_equal(nw_gather_finish(&g), 0);
		reuse(GIB);
		reuse(GIB + 3 * MIB);
		map(GIB, PAGE, 0);
		if (finish() != NWV_CHECK_CLEAN) {
			say();
			fail_msg("mode %d", modes[i]);
		}
		tlb_port_close(&rig.port);
	}
}

/* Who gives a frame away with the gather still open. */
static void gather_frame_reused_before_finish_refuted(void **state)
{
	struct nw_gather g;

	(void)state;
	open_gathered(TLB_BY_RANGE, NW_MODE_EXCLUSIVE);
	gather_three(&g);
	reuse(GIB);
	(void)nw_gather_finish(&g);
	assert_int_equal(finish(), NWV_CHECK_VIOLATION);
	if (!found("LIFE-10"))
		say();
	assert_true(found("LIFE-10"));
	tlb_port_close(&rig.port);
}

/* Another page in the place of one whose flush is still owed. */
static void gather_mapped_again_before_finish_refuted(void **state)
{
	struct nw_attrs a = attrs(0);
	struct nw_gather g;

	(void)state;
	open_gathered(TLB_BY_RANGE, NW_MODE_EXCLUSIVE);
	gather_three(&g);
	assert_int_equal(nw_map(&rig.table, NW_IA(GIB), PAGE, NW_PA(3 * GIB),
				&a, 0, NULL, &rig.result),
			 NW_OK);
	(void)nw_gather_finish(&g);
	assert_int_equal(finish(), NWV_CHECK_VIOLATION);
	tlb_port_close(&rig.port);
}

/* The finish is where the oracle asks for the flush. */
static void gather_finish_without_tlbi_refuted(void **state)
{
	struct nw_gather g;

	(void)state;
	open_gathered(TLB_BY_RANGE, NW_MODE_EXCLUSIVE);
	nw_gather_begin(&g, &rig.table);
	assert_int_equal(nw_unmap_gather(&rig.table, NW_IA(GIB), PAGE, NULL, &g,
					 &rig.result),
			 NW_OK);
	assert_int_equal(nwv_check_violations(rig.port.check), 0);
	rig.port.form = TLB_NONE;
	(void)nw_gather_finish(&g);
	assert_true(found("TLB-21"));
	rig.port.form = TLB_BY_RANGE;
	nw_table_destroy(&rig.table);
	tlb_port_close(&rig.port);
}

static void port_without_tlbi_refuted(void **state)
{
	(void)state;
	expect_refuted(&nw_arm64_s2_ops, TLB_NONE, "TLB-21");
	expect_refuted(&nw_arm64_el2_ops, TLB_NONE, "TLB-21");
}

static void port_with_local_tlbi_refuted(void **state)
{
	(void)state;
	expect_refuted(&nw_arm64_s2_ops, TLB_LOCAL, "TLB-03");
	expect_refuted(&nw_arm64_el2_ops, TLB_LOCAL, "TLB-03");
}

/* The sabotage local-tlbi of the hypervisor: the guest's table only. */
static void port_with_local_stage2_tlbi_refuted(void **state)
{
	static const enum tlb_form form[] = {TLB_LOCAL_BY_ADDRESS,
					     TLB_LOCAL_BY_RANGE};
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		expect_refuted(&nw_arm64_s2_ops, form[i], "TLB-03");
		/* Blocks, splits, whole subtrees, the whole VMID at once. */
		open_rig(&nw_arm64_s2_ops, form[i], NW_MODE_EXCLUSIVE, 0);
		exercise(0);
		assert_int_equal(finish(), NWV_CHECK_VIOLATION);
		assert_true(found("TLB-03") || found("BBM-07"));
		assert_true(found("LIFE-03"));
		tlb_port_close(&rig.port);
	}
	expect_clean_one(&nw_arm64_el2_ops, TLB_LOCAL_BY_RANGE,
			 NW_MODE_EXCLUSIVE, 0, 0);
}

static void port_without_ipas2_refuted(void **state)
{
	(void)state;
	expect_refuted(&nw_arm64_s2_ops, TLB_NO_IPA, "TLB-09");
}

/* A split with no invalidation makes too early, and frees too early. */
static void port_without_tlbi_split_refuted(void **state)
{
	(void)state;
	open_rig(&nw_arm64_s2_ops, TLB_NONE, NW_MODE_EXCLUSIVE, 0);
	map(GIB, 4 * MIB, 0);
	unmap(GIB + PAGE, PAGE);
	assert_true(found("BBM-07"));
	unmap(GIB, 4 * MIB);
	assert_true(found("LIFE-03"));
	nw_table_destroy(&rig.table);
	tlb_port_close(&rig.port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_every_form_clean),
		cmocka_unit_test(engine_bbm2_clean),
		cmocka_unit_test(engine_hardware_dirty_clean),
		cmocka_unit_test(engine_readers_clean),
		cmocka_unit_test(gather_finished_before_reuse_clean),
		cmocka_unit_test(gather_frame_reused_before_finish_refuted),
		cmocka_unit_test(gather_mapped_again_before_finish_refuted),
		cmocka_unit_test(gather_finish_without_tlbi_refuted),
		cmocka_unit_test(port_without_tlbi_refuted),
		cmocka_unit_test(port_with_local_tlbi_refuted),
		cmocka_unit_test(port_with_local_stage2_tlbi_refuted),
		cmocka_unit_test(port_without_ipas2_refuted),
		cmocka_unit_test(port_without_tlbi_split_refuted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void engine_sabotaged_refuted(void **state)
{
	const char *rule = NW_SABOTAGE_NO_BBM ? "BBM-05" : "LIFE-03";
	size_t i;

	(void)state;
	open_rig(&nw_arm64_s2_ops, TLB_BY_RANGE, NW_MODE_EXCLUSIVE, 0);
	exercise(0);
	assert_int_equal(finish(), NWV_CHECK_VIOLATION);
	assert_true(nwv_check_violations(rig.port.check) > 0);
	for (i = 0; i < nwv_check_violations(rig.port.check); i++)
		if (strcmp(nwv_check_violation(rig.port.check, i)->rule->id,
			   rule)) {
			say();
			fail_msg("another rule than %s", rule);
		}
	tlb_port_close(&rig.port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_sabotaged_refuted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
