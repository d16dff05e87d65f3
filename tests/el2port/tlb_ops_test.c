/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many instructions an operation on a table costs the machine. The EL2
 * port's invalidation runs here, its instructions turned into events
 * (verify/mutants/el2_shim.h) that are counted; the table and the engine are
 * those of this build.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <nestwalk/gather.h>
#include <nestwalk/trace.h>

#include "../../ports/el2/tlb.h"
#include "arena.h"

#define PAGE UINT64_C(0x1000)
#define MIB  UINT64_C(0x100000)
#define GIB  UINT64_C(0x40000000)

static unsigned tlbis[NW_TLBI_COUNT];
static unsigned tlbis_all, barriers;
static uint64_t last_operand;

/* Called by the port in the place of each instruction, and of each trace. */
int el2_asm(const char *text);
void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line);

int el2_asm(const char *text)
{
	if (strstr(text, "dsb"))
		barriers++;
	return 0;
}

void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line)
{
	(void)c;
	(void)file;
	(void)line;
	if (event != NW_EV_TLBI)
		return;
	assert_in_range(a, 0, NW_TLBI_COUNT - 1);
	tlbis[a]++;
	tlbis_all++;
	last_operand = b;
}

static void count_afresh(void)
{
	memset(tlbis, 0, sizeof(tlbis));
	tlbis_all = barriers = 0;
}

/* ---- a table ---------------------------------------------------------------
 */

static struct nw_arena arena;
static struct nw_table table;

static void open_table(const struct nw_format_ops *ops, enum nw_regime regime,
		       uint16_t tag)
{
	struct nw_table_config config = {
		.ops = ops,
		.format = {.granule_lg2 = 12, .ia_bits = 40, .oa_bits = 40},
		.port = &arena.ops,
		.port_ctx = &arena,
		.mode = NW_MODE_EXCLUSIVE,
		.regime = regime,
		.tag = tag,
	};

	assert_int_equal(nw_arena_init(&arena, GIB, 1100, 12), 0);
	arena.ops.invalidate = nw_el2_invalidate;
	assert_int_equal(nw_table_init(&table, &config, NULL), NW_OK);
}

static void close_table(void)
{
	nw_table_destroy(&table);
	assert_null(nw_arena_error(&arena));
	assert_int_equal(arena.live, 0);
	nw_arena_fini(&arena);
}

static void map(uint64_t ia, uint64_t bytes, unsigned level, unsigned flags)
{
	const struct nw_attrs attrs = {
		.prot = NW_PROT_RW,
		.memtype = NW_MEM_NORMAL_WB,
		.share = NW_SHARE_INNER,
		.flags = (uint16_t)(NW_LEAF_ACCESSED | flags)};

	assert_int_equal(nw_map(&table, NW_IA(ia), bytes, NW_PA(ia), &attrs,
				level, NULL, NULL),
			 NW_OK);
}

static void write_protect(uint64_t ia, uint64_t bytes)
{
	count_afresh();
	assert_int_equal(nw_write_protect(&table, NW_IA(ia), bytes, NULL, NULL,
					  NULL, NULL),
			 NW_OK);
}

static void unmap(uint64_t ia, uint64_t bytes)
{
	count_afresh();
	assert_int_equal(nw_unmap(&table, NW_IA(ia), bytes, NULL, NULL), NW_OK);
}

/* ---- tests ------------------------------------------------------------------
 */

static void
stage2_write_protect_of_1_gib_is_one_range_and_one_vmalle1is(void **state)
{
	(void)state;
	nw_el2_tlb_init(NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	open_table(&nw_arm64_s2_ops, NW_REGIME_STAGE2, 7);
	map(GIB, GIB, 0, 0);
	write_protect(GIB, GIB);
	assert_int_equal(tlbis[NW_TLBI_RIPAS2E1IS], 1);
	assert_int_equal(tlbis[NW_TLBI_VMALLE1IS], 1);
	assert_int_equal(tlbis_all, 2);
	/* ISHST before, ISH between the rounds, ISH at the end. */
	assert_int_equal(barriers, 3);
	close_table();
}

static void stage2_without_ranges_is_by_page_then_the_whole_vmid(void **state)
{
	(void)state;
	nw_el2_tlb_init(0);
	open_table(&nw_arm64_s2_ops, NW_REGIME_STAGE2, 7);
	map(GIB, GIB, 0, 0);
	write_protect(GIB + PAGE, 512 * PAGE);
	assert_int_equal(tlbis[NW_TLBI_IPAS2E1IS], 512);
	assert_int_equal(tlbis[NW_TLBI_VMALLE1IS], 1);
	assert_int_equal(tlbis_all, 513);
	write_protect(GIB + 4 * MIB + PAGE, 513 * PAGE);
	assert_int_equal(tlbis[NW_TLBI_VMALLS12E1IS], 1);
	assert_int_equal(tlbis_all, 1);
	close_table();
}

static void el2_unmap_of_a_page_is_one_leaf_invalidation(void **state)
{
	(void)state;
	nw_el2_tlb_init(NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	open_table(&nw_arm64_el2_ops, NW_REGIME_EL2, 0);
	map(GIB, 4 * MIB, 0, 0);
	unmap(GIB + PAGE, PAGE);
	assert_int_equal(tlbis[NW_TLBI_VALE2IS], 1);
	assert_int_equal(tlbis_all, 1);
	close_table();
}

static void el10_unmap_names_its_asid(void **state)
{
	const uint64_t asid = 0x4321;

	(void)state;
	nw_el2_tlb_init(NW_TLB_HAS_RANGE | NW_TLB_HAS_TTL);
	open_table(&nw_arm64_el10_ops, NW_REGIME_EL10, (uint16_t)asid);
	map(GIB, 8 * MIB, 0, NW_LEAF_NOT_GLOBAL);
	unmap(GIB + PAGE, PAGE);
	assert_int_equal(tlbis[NW_TLBI_VALE1IS], 1);
	assert_int_equal(tlbis_all, 1);
	/* VA[55:12], a 4 KiB granule's arm level 3, the ASID. */
	assert_int_equal(last_operand,
			 (GIB + PAGE) >> 12 | 7ull << 44 | asid << 48);
	unmap(GIB + 16 * PAGE, 20 * PAGE);
	assert_int_equal(tlbis[NW_TLBI_RVALE1IS], 1);
	assert_int_equal(tlbis_all, 1);
	assert_int_equal(last_operand >> 48, asid);
	/* A table that goes whole: walk caches must go as well. */
	unmap(GIB + 2 * MIB, 2 * MIB);
	assert_int_equal(tlbis[NW_TLBI_RVAE1IS], 1);
	assert_int_equal(tlbis_all, 1);
	close_table();
}

static void el10_past_the_threshold_is_every_asid(void **state)
{
	(void)state;
	nw_el2_tlb_init(0);
	open_table(&nw_arm64_el10_ops, NW_REGIME_EL10, 3);
	map(GIB, 8 * MIB, 0, 0);
	unmap(GIB + PAGE, 600 * PAGE);
	/* ASIDE1IS would leave what is global. */
	assert_int_equal(tlbis[NW_TLBI_VMALLE1IS], 1);
	assert_int_equal(tlbis_all, 1);
	close_table();
}

static void el10_upper_range_has_the_ones_of_its_addresses(void **state)
{
	const struct nw_flush_range r = {.start = (1ull << 39) - PAGE,
					 .end = 1ull << 39,
					 .leaf_levels = 1};
	const struct nw_flush_request q = {.regime = NW_REGIME_EL10,
					   .granule_lg2 = 12,
					   .ranges = 1,
					   .range = &r};

	(void)state;
	nw_el2_tlb_init(0);
	count_afresh();
	nw_el2_invalidate_el10(&q, ~0ull << 39);
	assert_int_equal(tlbis_all, 1);
	assert_int_equal(last_operand, (1ull << 44) - 1); /* the last page */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			stage2_write_protect_of_1_gib_is_one_range_and_one_vmalle1is),
		cmocka_unit_test(
			stage2_without_ranges_is_by_page_then_the_whole_vmid),
		cmocka_unit_test(el2_unmap_of_a_page_is_one_leaf_invalidation),
		cmocka_unit_test(el10_unmap_names_its_asid),
		cmocka_unit_test(el10_past_the_threshold_is_every_asid),
		cmocka_unit_test(
			el10_upper_range_has_the_ones_of_its_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
