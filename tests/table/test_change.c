/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap, protect, split */
#include "table_test.h"

#include <string.h>

static void unmap_ok(struct fixture *f, uint64_t ia, uint64_t size)
{
	assert_result(f, nw_unmap(&f->table, NW_IA(ia), size, NULL, &f->result),
		      NW_OK, ia + size);
}

/* Note what is linked, so that the arena sees a page freed too early. */
static void look(struct fixture *f)
{
	const char *wrong = fixture_look(f, 0);

	if (wrong)
		fail_msg("%s", wrong);
	nw_arena_flushes_clear(&f->arena);
}

static void unmap_pages_flushes_what_was_there(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 8 * PAGE, 0);
	look(f);
	unmap_ok(f, 2 * PAGE, 3 * PAGE);
	assert_true(fixture_flushed(f, 2 * PAGE, 5 * PAGE, 0));
	assert_int_equal(fixture_at(f, PAGE).kind, NW_ENTRY_LEAF);
	assert_int_equal(fixture_at(f, 2 * PAGE).kind, NW_ENTRY_EMPTY);
	assert_int_equal(fixture_at(f, 4 * PAGE).kind, NW_ENTRY_EMPTY);
	assert_int_equal(fixture_at(f, 5 * PAGE).kind, NW_ENTRY_LEAF);
	assert_int_equal(f->arena.last_regime, f->variant->regime);
	assert_int_equal(f->arena.last_tag, f->table.tag);
	/* Nothing else was there: neither a table nor another level. */
	assert_int_equal(f->arena.flushes, 1);
	assert_int_equal(f->arena.flush[0].range.had_tables, 0);
	assert_int_equal(f->arena.flush[0].range.leaf_levels, 1);
}

static void unmap_holes_is_ok_without_flush(void **state)
{
	struct fixture *f = FIXTURE(state);

	unmap_ok(f, 0, 1ull << f->variant->ia_bits);
	map_ok(f, 0, PAGE, 0);
	look(f);
	unmap_ok(f, PAGE, 1 * MIB);
	assert_int_equal(f->arena.requests, 0);
	assert_int_equal(fixture_at(f, 0).kind, NW_ENTRY_LEAF);
}

/* A range that begins inside a hole of a higher level ends where it says. */
static void unmap_from_inside_a_hole_reaches_the_end(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 4 * MIB + 5 * PAGE, PAGE, 0);
	unmap_ok(f, 3 * MIB, MIB + 6 * PAGE);
	assert_int_equal(fixture_at(f, 4 * MIB + 5 * PAGE).kind,
			 NW_ENTRY_EMPTY);
}

static void unmap_whole_subtree_frees_its_pages(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t live;

	map_ok(f, 0, 2 * PAGE, 0);
	live = f->arena.live;
	map_ok(f, 4 * MIB, 2 * MIB, PAGE);
	map_ok(f, 6 * MIB, 2 * MIB, PAGE);
	look(f);
	unmap_ok(f, 4 * MIB, 4 * MIB);
	assert_int_equal(f->arena.live, live);
	assert_true(fixture_flushed(f, 4 * MIB, 8 * MIB, 0));
	assert_true(fixture_flushed(f, 4 * MIB, 8 * MIB, FIXTURE_TABLE_GONE));
}

static void unmap_many_subtrees_frees_all(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned i;

	for (i = 0; i < 100; i++)
		map_ok(f, i * 2 * MIB + PAGE, PAGE, 0);
	look(f);
	unmap_ok(f, 0, GIB);
	assert_true(f->arena.live <= f->regs.root_pages + 1u);
	assert_null(nw_arena_error(&f->arena));
}

static void unmap_inside_block_splits_it(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned splits = (unsigned)f->table.stats.splits;

	map_ok(f, 2 * MIB, 2 * MIB, 32 * MIB);
	look(f);
	unmap_ok(f, 3 * MIB, PAGE);
	assert_int_equal(f->table.stats.splits, splits + 1);
	assert_true(fixture_flushed(f, 2 * MIB, 4 * MIB, 1));
	assert_int_equal(fixture_at(f, 3 * MIB).kind, NW_ENTRY_EMPTY);
	assert_int_equal(fixture_at(f, 3 * MIB - 1).pa.v, 33 * MIB - 1);
	assert_int_equal(fixture_at(f, 3 * MIB + PAGE).pa.v, 33 * MIB + PAGE);
	assert_int_equal(fixture_at(f, 4 * MIB - 1).pa.v, 34 * MIB - 1);
}

static void unmap_across_two_blocks_splits_both_ends(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 8 * MIB, 0);
	look(f);
	unmap_ok(f, 2 * MIB - PAGE, 4 * MIB + 2 * PAGE);
	assert_int_equal(leaf_level(f, 2 * MIB - 2 * PAGE), 0);
	assert_int_equal(leaf_level(f, 2 * MIB - PAGE), -1);
	assert_int_equal(leaf_level(f, 4 * MIB), -1);
	assert_int_equal(leaf_level(f, 6 * MIB), -1);
	assert_int_equal(leaf_level(f, 6 * MIB + PAGE), 0);
	assert_int_equal(leaf_level(f, 8 * MIB - PAGE), 0);
	assert_true(fixture_flushed(f, 0, 8 * MIB, 1));
}

static void unmap_all_leaves_an_empty_table(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t limit = 1ull << f->variant->ia_bits;

	map_ok(f, 0, GIB + 4 * MIB + PAGE, 0);
	map_ok(f, limit - PAGE, PAGE, 0);
	look(f);
	unmap_ok(f, 0, limit);
	assert_int_equal(f->arena.live, f->regs.root_pages);
	look(f);
	assert_int_equal(f->view.leaves, 0);
}

/* ---- protect ---------------------------------------------------------- */

#define protect_ok(f, ia, size, how, prot)                                     \
	assert_result(f,                                                       \
		      nw_protect(&(f)->table, NW_IA(ia), size, how, prot,      \
				 NULL, &(f)->result),                          \
		      NW_OK, (ia) + (size))

static unsigned prot_at(struct fixture *f, uint64_t ia)
{
	struct aw_leaf leaf;

	assert_int_equal(aw_translate(&f->regs, &f->arena, ia, &leaf), 1);
	return leaf.attrs.prot;
}

static void protect_restrict_removes_and_flushes(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 4 * PAGE, 0);
	look(f);
	protect_ok(f, PAGE, 2 * PAGE, NW_PROTECT_RESTRICT, NW_PROT_W);
	assert_int_equal(prot_at(f, 0), NW_PROT_RW);
	assert_int_equal(prot_at(f, PAGE), NW_PROT_R);
	assert_int_equal(prot_at(f, 2 * PAGE), NW_PROT_R);
	assert_int_equal(prot_at(f, 3 * PAGE), NW_PROT_RW);
	assert_true(fixture_flushed(f, PAGE, 3 * PAGE, 0));
	look(f);
	/* Nothing left to remove: nothing to flush. */
	protect_ok(f, PAGE, 2 * PAGE, NW_PROTECT_RESTRICT, NW_PROT_W);
	assert_int_equal(f->arena.requests, 0);
}

static void protect_relax_adds_without_flush(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_R);

	assert_int_equal(nw_map(&f->table, NW_IA(0), 2 * MIB, NW_PA(0), &attrs,
				NW_LEVEL_ANY, NULL, NULL), NW_OK);
	look(f);
	protect_ok(f, 0, 2 * MIB, NW_PROTECT_RELAX, NW_PROT_W);
	assert_int_equal(prot_at(f, 0), NW_PROT_RW);
	assert_int_equal(leaf_level(f, 0), 1);
	assert_int_equal(f->arena.requests, 0);
}

static void protect_part_of_block_splits_it(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 2 * MIB, 0);
	look(f);
	protect_ok(f, MIB, PAGE, NW_PROTECT_RESTRICT, NW_PROT_W);
	assert_int_equal(prot_at(f, MIB - PAGE), NW_PROT_RW);
	assert_int_equal(prot_at(f, MIB), NW_PROT_R);
	assert_int_equal(prot_at(f, MIB + PAGE), NW_PROT_RW);
	assert_true(fixture_flushed(f, 0, 2 * MIB, 1));
	assert_true(fixture_flushed(f, MIB, MIB + PAGE, 0));
}

static void protect_last_right_reports_attrs_where_it_stopped(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_R);

	map_ok(f, 0, 2 * PAGE, 0);
	assert_int_equal(nw_map(&f->table, NW_IA(4 * PAGE), PAGE, NW_PA(0),
				&attrs, NW_LEVEL_ANY, NULL, NULL), NW_OK);
	look(f);
	if (f->regs.stage == AW_STAGE2) {
		assert_result(f,
			      nw_protect(&f->table, NW_IA(0), 8 * PAGE,
					 NW_PROTECT_RESTRICT, NW_PROT_R, NULL,
					 &f->result),
			      NW_E_ATTRS, 4 * PAGE);
		assert_int_equal(f->result.level, 0);
		assert_int_not_equal(f->result.entry, 0);
		/* What changed before is as asked, and flushed. */
		assert_int_equal(prot_at(f, PAGE), NW_PROT_W);
		assert_true(fixture_flushed(f, 0, 2 * PAGE, 0));
	}
	assert_int_equal(prot_at(f, 4 * PAGE), NW_PROT_R);
	assert_int_equal(nw_protect(&f->table, NW_IA(4 * PAGE), PAGE,
				    NW_PROTECT_RESTRICT, NW_PROT_R, NULL,
				    &f->result), NW_E_ATTRS);
	assert_int_equal(prot_at(f, 4 * PAGE), NW_PROT_R);
}

/* With DBM left, hardware would give the right back. */
static void protect_restrict_write_clears_dbm(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs = fixture_attrs(f->variant, NW_PROT_RW);
	struct aw_leaf leaf;

	if (!(f->variant->features & NW_FEAT_HD))
		skip();
	attrs.flags |= NW_LEAF_DBM;
	assert_int_equal(nw_map(&f->table, NW_IA(0), PAGE, NW_PA(0), &attrs,
				NW_LEVEL_ANY, NULL, NULL), NW_OK);
	protect_ok(f, 0, PAGE, NW_PROTECT_RESTRICT, NW_PROT_W);
	assert_int_equal(aw_translate(&f->regs, &f->arena, 0, &leaf), 1);
	assert_int_equal(leaf.attrs.prot, NW_PROT_R);
	assert_int_equal(leaf.attrs.flags, NW_LEAF_ACCESSED);
}

/* ---- split ------------------------------------------------------------ */

static void split_block_translates_as_before(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at;

	map_ok(f, 0, 2 * MIB, 6 * MIB);
	look(f);
	assert_int_equal(nw_split(&f->table, NW_IA(MIB), 0, NULL, &f->result),
			 NW_OK);
	assert_true(fixture_flushed(f, 0, 2 * MIB, 1));
	for (at = 0; at < 2 * MIB; at += PAGE) {
		assert_int_equal(leaf_level(f, at), 0);
		assert_int_equal(fixture_at(f, at).pa.v, 6 * MIB + at);
		assert_int_equal(prot_at(f, at), NW_PROT_RW);
	}
	/* Small enough now: nothing more happens. */
	look(f);
	assert_int_equal(nw_split(&f->table, NW_IA(MIB), 0, NULL, &f->result),
			 NW_OK);
	assert_int_equal(f->arena.requests, 0);
}

static void split_two_levels_is_one_break(void **state)
{
	struct fixture *f = FIXTURE(state);

	if (!(f->table.geo.leaf_levels & 4))
		skip();
	map_ok(f, GIB, GIB, 3 * GIB);
	look(f);
	assert_int_equal(nw_split(&f->table, NW_IA(GIB + 7 * MIB), 0, NULL,
				  &f->result), NW_OK);
	assert_int_equal(f->arena.requests, 1);
	assert_int_equal(f->table.stats.splits, 1);
	assert_true(fixture_flushed(f, GIB, 2 * GIB, 2));
	assert_int_equal(leaf_level(f, GIB), 1);
	assert_int_equal(leaf_level(f, GIB + 6 * MIB), 0);
	assert_int_equal(leaf_level(f, GIB + 8 * MIB), 1);
	assert_int_equal(fixture_at(f, GIB + 7 * MIB + 5).pa.v,
			 3 * GIB + 7 * MIB + 5);
	assert_int_equal(fixture_at(f, 2 * GIB - 1).pa.v, 4 * GIB - 1);
}

static void split_of_nothing_reports_absent(void **state)
{
	struct fixture *f = FIXTURE(state);

	assert_result(f, nw_split(&f->table, NW_IA(PAGE), 0, NULL, &f->result),
		      NW_E_ABSENT, PAGE);
	assert_int_equal(f->arena.requests, 0);
}

#ifdef NW_CONFIG_TRACE
/*
 * Break-before-make as a listener sees it: the block goes, a flush, and only
 * then the table comes; the table's own entries were all written before.
 */
#include "nw_port.h"

static struct {
	uint64_t entry;	   /* address of the block's entry */
	unsigned requests; /* of the arena, at the break */
	unsigned breaks, makes, makes_before_flush;
	const struct fixture *f;
} bbm;

static void bbm_listen(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		       const char *file, unsigned line)
{
	(void)file;
	(void)line;
	if (event != NW_EV_ENTRY_WRITE && event != NW_EV_ENTRY_RMW &&
	    event != NW_EV_ENTRY_LINK && event != NW_EV_ENTRY_LOCK &&
	    event != NW_EV_ENTRY_PUBLISH)
		return;
	if ((b & 3) == 1 && !(c & 1)) { /* a block goes */
		bbm.entry = a;
		bbm.requests = bbm.f->arena.requests;
		bbm.breaks++;
	} else if (a == bbm.entry && (c & 3) == 3) {
		bbm.makes++;
		bbm.makes_before_flush += bbm.f->arena.requests == bbm.requests;
	} else if ((b & 3) == 1 && (c & 3) == 3) {
		bbm.makes_before_flush++; /* valid to valid */
	}
}

static void split_flushes_between_break_and_make(void **state)
{
	struct fixture *f = FIXTURE(state);

	if (f->variant->features & (NW_FEAT_BBM1 | NW_FEAT_BBM2))
		skip();
	map_ok(f, 0, 2 * MIB, 0);
	memset(&bbm, 0, sizeof(bbm));
	bbm.f = f;
	nw_posix_trace_hook = bbm_listen;
	assert_int_equal(nw_split(&f->table, NW_IA(0), 0, NULL, &f->result),
			 NW_OK);
	nw_posix_trace_hook = NULL;
	assert_int_equal(bbm.breaks, 1);
	assert_int_equal(bbm.makes, 1);
	assert_int_equal(bbm.makes_before_flush, 0);
}
#endif

int run_change_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(unmap_pages_flushes_what_was_there),
		TABLE_TEST(unmap_holes_is_ok_without_flush),
		TABLE_TEST(unmap_from_inside_a_hole_reaches_the_end),
		TABLE_TEST(unmap_whole_subtree_frees_its_pages),
		TABLE_TEST(unmap_many_subtrees_frees_all),
		TABLE_TEST(unmap_inside_block_splits_it),
		TABLE_TEST(unmap_across_two_blocks_splits_both_ends),
		TABLE_TEST(unmap_all_leaves_an_empty_table),
		TABLE_TEST(protect_restrict_removes_and_flushes),
		TABLE_TEST(protect_relax_adds_without_flush),
		TABLE_TEST(protect_part_of_block_splits_it),
		TABLE_TEST(protect_last_right_reports_attrs_where_it_stopped),
		TABLE_TEST(protect_restrict_write_clears_dbm),
		TABLE_TEST(split_block_translates_as_before),
		TABLE_TEST(split_two_levels_is_one_break),
		TABLE_TEST(split_of_nothing_reports_absent),
#ifdef NW_CONFIG_TRACE
		TABLE_TEST(split_flushes_between_break_and_make),
#endif
	};

	return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
