/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single leaves: nw_map_prepared() beside nw_map(), and what a map or a relax
 * of one granule says of each thing that may stand in its way.
 */
#include "table_test.h"

#include <string.h>

/* Other addresses than a test has used. */
#define FAR (64 * MIB)

static struct nw_prepared prepare(struct fixture *f, unsigned level)
{
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	struct nw_prepared p;

	assert_int_equal(nw_prepare(&f->table, level, &attrs, &p), NW_OK);
	return p;
}

static enum nw_status fault(struct fixture *f, const struct nw_prepared *p,
			    uint64_t ia, uint64_t pa)
{
	return nw_map_prepared(p, NW_IA(ia), NW_PA(pa), NULL, &f->result);
}

static enum nw_status map(struct fixture *f, uint64_t ia, uint64_t size,
			  uint64_t pa, unsigned max_level)
{
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);

	return nw_map(&f->table, NW_IA(ia), size, NW_PA(pa), &attrs, max_level,
		      NULL, &f->result);
}

static void prepared_page_is_as_mapped(void **state)
{
	struct fixture *f = FIXTURE(state);
	const struct nw_prepared page = prepare(f, 0);
	struct nw_mapping made, mapped;

	/* Without a table, and with it. */
	assert_result(f, fault(f, &page, 5 * PAGE, 0x12345000), NW_OK,
		      6 * PAGE);
	assert_result(f, fault(f, &page, 7 * PAGE, 0x23456000), NW_OK,
		      8 * PAGE);
	map_ok(f, 9 * PAGE, PAGE, 0x23456000);
	made = fixture_at(f, 7 * PAGE);
	mapped = fixture_at(f, 9 * PAGE);
	assert_int_equal(made.kind, NW_ENTRY_LEAF);
	assert_int_equal(made.entry, mapped.entry);
	assert_int_equal(fixture_at(f, 5 * PAGE + 1).pa.v, 0x12345001);
	assert_int_equal(fixture_at(f, 6 * PAGE).kind, NW_ENTRY_EMPTY);
	assert_int_equal(f->arena.requests, 0);
}

static void prepared_last_page_is_found(void **state)
{
	struct fixture *f = FIXTURE(state);
	const struct nw_prepared page = prepare(f, 0);
	uint64_t ia = (1ull << f->variant->ia_bits) - PAGE;
	uint64_t pa = (1ull << f->variant->oa_bits) - PAGE;

	for (unsigned i = 0; i < 2; i++, ia -= PAGE, pa -= PAGE) {
		assert_result(f, fault(f, &page, ia, pa), NW_OK, ia + PAGE);
		assert_int_equal(fixture_at(f, ia).pa.v, pa);
	}
}

static void prepared_block_is_one_leaf(void **state)
{
	struct fixture *f = FIXTURE(state);
	const struct nw_prepared block = prepare(f, 1);

	assert_result(f, fault(f, &block, FAR, FAR), NW_OK, FAR + 2 * MIB);
	assert_int_equal(leaf_level(f, FAR), 1);
	/* As nw_map(): smaller leaves where the block does not fit. */
	assert_result(f, fault(f, &block, FAR + 2 * MIB, PAGE), NW_OK,
		      FAR + 4 * MIB);
	assert_int_equal(leaf_level(f, FAR + 2 * MIB), 0);
	assert_int_equal(fixture_at(f, FAR + 4 * MIB - 1).pa.v,
			 2 * MIB + PAGE - 1);
}

/* What is refused is refused as by nw_map(), with a table there or not. */
static void prepared_addresses_are_refused_by_name(void **state)
{
	struct fixture *f = FIXTURE(state);
	const struct nw_prepared page = prepare(f, 0);
	const uint64_t ia_end = 1ull << f->variant->ia_bits;
	const uint64_t oa_end = 1ull << f->variant->oa_bits;

	for (unsigned i = 0; i < 2; i++) {
		assert_refused(f, fault(f, &page, 1, 0), NW_E_MISALIGNED, 1,
			       "ia");
		assert_refused(f, fault(f, &page, PAGE, 8), NW_E_MISALIGNED,
			       PAGE, "pa");
		assert_refused(f, fault(f, &page, ia_end, 0), NW_E_IA_RANGE,
			       ia_end, "ia");
		assert_refused(f, fault(f, &page, ia_end + PAGE, 0),
			       NW_E_IA_RANGE, ia_end + PAGE, "ia");
		assert_refused(f, fault(f, &page, PAGE, oa_end), NW_E_OA_RANGE,
			       PAGE, "pa");
		map_ok(f, 0, PAGE, 0);
		assert_int_equal(
			nw_unmap(&f->table, NW_IA(0), PAGE, NULL, NULL), NW_OK);
		nw_arena_flushes_clear(&f->arena);
	}
}

static void prepare_refuses_what_map_would(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	struct nw_prepared p, untouched;

	memset(&p, 0x5a, sizeof(p));
	memcpy(&untouched, &p, sizeof(p));
	assert_int_equal(nw_prepare(NULL, 0, &attrs, &p), NW_E_NULL);
	assert_int_equal(nw_prepare(&f->table, 0, NULL, &p), NW_E_NULL);
	assert_int_equal(nw_prepare(&f->table, 0, &attrs, NULL), NW_E_NULL);
	assert_int_equal(nw_prepare(&f->table, NW_LEVELS_MAX, &attrs, &p),
			 NW_E_LEVEL);
	assert_int_equal(nw_prepare(&f->table, 3, &attrs, &p), NW_E_LEVEL);
	attrs.prot = 0;
	assert_int_equal(nw_prepare(&f->table, 0, &attrs, &p), NW_E_ATTRS);
	assert_memory_equal(&p, &untouched, sizeof(p));
}

/* One page, by each way to map it, over a page and a block. */
static void one_page_over_something_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	const struct nw_prepared page = prepare(f, 0);
	nw_entry_t before;

	map_ok(f, 0, PAGE, 0x5000);
	map_ok(f, 2 * MIB, 2 * MIB, 2 * MIB);
	for (uint64_t ia = 0; ia <= 2 * MIB; ia += 2 * MIB) {
		before = fixture_at(f, ia).entry;
		assert_result(f, fault(f, &page, ia, 0x9000), NW_E_EXISTS, ia);
		assert_int_equal(f->result.entry, before);
		assert_int_equal(f->result.level, ia ? 1 : 0);
		assert_result(f, map(f, ia, PAGE, 0x9000, 0), NW_E_EXISTS, ia);
		assert_int_equal(f->result.entry, before);
		assert_int_equal(f->result.level, ia ? 1 : 0);
		assert_int_equal(fixture_at(f, ia).entry, before);
	}
	assert_int_equal(f->arena.requests, 0);
}

/* No page left: nothing is mapped and nothing lost; and with a page, it is. */
static void one_page_without_memory_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	const struct nw_prepared page = prepare(f, 0);
	uint64_t live = f->arena.live;

	nw_arena_fail_at(&f->arena, 1);
	assert_result(f, fault(f, &page, FAR, FAR), NW_E_NOMEM, FAR);
	assert_result(f, map(f, FAR, PAGE, FAR, 0), NW_E_NOMEM, FAR);
	assert_int_equal(f->arena.live, live);
	nw_arena_fail_at(&f->arena, 0);
	assert_result(f, fault(f, &page, FAR, FAR), NW_OK, FAR + PAGE);
	assert_int_equal(fixture_at(f, FAR).pa.v, FAR);
}

/* A limit that names no leaf level is refused for one page too. */
static void one_page_below_odd_limit_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, PAGE, 0x5000);
	assert_refused(f, map(f, PAGE, PAGE, 0x6000, 3), NW_E_LEVEL, PAGE,
		       "max_level");
	assert_int_equal(fixture_at(f, PAGE).kind, NW_ENTRY_EMPTY);
	assert_result(f, map(f, PAGE, PAGE, 0x6000, 1), NW_OK, 2 * PAGE);
}

/* So far beyond the root that who looks there, falls. */
static void one_page_far_beyond_input_is_refused(void **state)
{
	struct fixture *f = FIXTURE(state);
	const uint64_t ia = 1ull << 60;

	assert_refused(f, map(f, ia, PAGE, 0, 0), NW_E_IA_RANGE, ia, "ia");
	assert_refused(f,
		       nw_protect(&f->table, NW_IA(ia), PAGE, NW_PROTECT_RELAX,
				  NW_PROT_W, NULL, &f->result),
		       NW_E_IA_RANGE, ia, "ia");
}

static void relax_of_one_page_adds_and_keeps(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_R);
	struct nw_mapping before, after;
	nw_ia_t ia = NW_IA(3 * PAGE);

	assert_int_equal(nw_map(&f->table, ia, PAGE, NW_PA(0x5000), &attrs, 0,
				NULL, NULL),
			 NW_OK);
	before = fixture_at(f, ia.v);
	for (unsigned i = 0; i < 2; i++) {
		assert_result(f,
			      nw_protect(&f->table, ia, PAGE, NW_PROTECT_RELAX,
					 NW_PROT_W, NULL, &f->result),
			      NW_OK, ia.v + PAGE);
		after = fixture_at(f, ia.v);
		assert_int_equal(nw_mapping_attrs(&f->table, &after, &attrs),
				 NW_OK);
		assert_int_equal(attrs.prot, NW_PROT_RW);
		assert_int_equal(after.pa.v, before.pa.v);
	}
	assert_int_equal(f->arena.requests, 0);
	/* A hole beside it, and no table at all. */
	assert_result(f,
		      nw_protect(&f->table, NW_IA(4 * PAGE), PAGE,
				 NW_PROTECT_RELAX, NW_PROT_W, NULL, &f->result),
		      NW_OK, 5 * PAGE);
	assert_result(f,
		      nw_protect(&f->table, NW_IA(FAR), PAGE, NW_PROTECT_RELAX,
				 NW_PROT_W, NULL, &f->result),
		      NW_OK, FAR + PAGE);
	assert_int_equal(fixture_at(f, 4 * PAGE).kind, NW_ENTRY_EMPTY);
}

/* A page of a block: the block is split, and only that page has the right. */
static void relax_of_one_page_splits_block(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_R);
	struct nw_mapping m;

	assert_int_equal(nw_map(&f->table, NW_IA(FAR), 2 * MIB, NW_PA(FAR),
				&attrs, NW_LEVEL_ANY, NULL, NULL),
			 NW_OK);
	assert_result(f,
		      nw_protect(&f->table, NW_IA(FAR + PAGE), PAGE,
				 NW_PROTECT_RELAX, NW_PROT_W, NULL, &f->result),
		      NW_OK, FAR + 2 * PAGE);
	for (unsigned i = 0; i < 3; i++) {
		m = fixture_at(f, FAR + i * PAGE);
		assert_int_equal(m.level, 0);
		assert_int_equal(nw_mapping_attrs(&f->table, &m, &attrs),
				 NW_OK);
		assert_int_equal(attrs.prot, i == 1 ? NW_PROT_RW : NW_PROT_R);
	}
}

int run_prepared_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(prepared_page_is_as_mapped),
		TABLE_TEST(prepared_last_page_is_found),
		TABLE_TEST(prepared_block_is_one_leaf),
		TABLE_TEST(prepared_addresses_are_refused_by_name),
		TABLE_TEST(prepare_refuses_what_map_would),
		TABLE_TEST(one_page_over_something_is_refused),
		TABLE_TEST(one_page_without_memory_is_refused),
		TABLE_TEST(one_page_below_odd_limit_is_refused),
		TABLE_TEST(one_page_far_beyond_input_is_refused),
		TABLE_TEST(relax_of_one_page_adds_and_keeps),
		TABLE_TEST(relax_of_one_page_splits_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
