/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup and the visitor walk */
#include "table_test.h"

#include <string.h>

#define VISITS_MAX 4096

struct log {
	unsigned visits;
	struct {
		uint64_t ia;
		uint64_t span;
		nw_entry_t old;
		uint8_t level;
		uint8_t flags;
	} visit[VISITS_MAX];
	unsigned stop_after; /* 0: never */
	struct nw_table *unmap_table;
	uint64_t start, end;
	unsigned wrong;
};

static struct log log_;

static enum nw_status log_visit(const struct nw_visit *v)
{
	struct log *log = v->arg;

	if (log->visits == VISITS_MAX)
		return NW_E_LIMIT;
	log->visit[log->visits].ia = v->ia.v;
	log->visit[log->visits].span = v->span_bytes;
	log->visit[log->visits].old = v->old;
	log->visit[log->visits].level = v->level;
	log->visit[log->visits].flags = v->flags;
	log->visits++;
	log->wrong += v->start.v != log->start || v->end.v != log->end;
	log->wrong += !v->ops || !v->geo;
	log->wrong += nw_pteref_read(v->ref) != v->old;
	return log->visits == log->stop_after ? NW_E_LIMIT : NW_OK;
}

static enum nw_status walk(struct fixture *f, uint64_t ia, uint64_t size,
			   unsigned flags)
{
	log_.visits = 0;
	log_.wrong = 0;
	log_.start = ia;
	log_.end = ia + size;
	return nw_walk(&f->table, NW_IA(ia), size, flags, log_visit, &log_,
		       &f->result);
}

static void lookup_empty_table_ends_at_root(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_mapping m = fixture_at(f, GIB + 5);

	assert_int_equal(m.kind, NW_ENTRY_EMPTY);
	assert_int_equal(m.level, f->table.geo.levels - 1);
	assert_int_equal(m.entry, 0);
}

static void lookup_block_gives_offset_and_attributes(void **state)
{
	struct fixture *f = FIXTURE(state);
	struct nw_attrs attrs;
	struct nw_mapping m;

	map_ok(f, 4 * MIB, 2 * MIB, 8 * MIB);
	m = fixture_at(f, 5 * MIB + 77);
	assert_int_equal(m.kind, NW_ENTRY_LEAF);
	assert_int_equal(m.level, 1);
	assert_int_equal(m.base.v, 4 * MIB);
	assert_int_equal(m.pa.v, 9 * MIB + 77);
	assert_int_equal(nw_mapping_attrs(&f->table, &m, &attrs), NW_OK);
	assert_int_equal(attrs.prot & NW_PROT_RW, NW_PROT_RW);
	assert_int_equal(attrs.memtype, NW_MEM_NORMAL_WB);
	assert_int_equal(attrs.share, NW_SHARE_INNER);
	assert_int_equal(attrs.flags, NW_LEAF_ACCESSED);
}

static void walk_leaves_come_in_order_with_their_spans(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, PAGE, 0);
	map_ok(f, 2 * MIB, 2 * MIB, 2 * MIB);
	map_ok(f, 6 * MIB + PAGE, 2 * PAGE, 0);
	assert_result(f, walk(f, 0, 8 * MIB, NW_VISIT_LEAF), NW_OK, 8 * MIB);
	assert_int_equal(log_.wrong, 0);
	assert_int_equal(log_.visits, 4);
	assert_int_equal(log_.visit[0].ia, 0);
	assert_int_equal(log_.visit[0].span, PAGE);
	assert_int_equal(log_.visit[1].ia, 2 * MIB);
	assert_int_equal(log_.visit[1].span, 2 * MIB);
	assert_int_equal(log_.visit[1].level, 1);
	assert_int_equal(log_.visit[2].ia, 6 * MIB + PAGE);
	assert_int_equal(log_.visit[3].ia, 6 * MIB + 2 * PAGE);
}

static void walk_part_of_block_visits_it_once(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 4 * MIB, 0);
	assert_result(f, walk(f, MIB, 2 * MIB, NW_VISIT_LEAF), NW_OK, 3 * MIB);
	assert_int_equal(log_.visits, 2);
	assert_int_equal(log_.visit[0].ia, 0);
	assert_int_equal(log_.visit[1].ia, 2 * MIB);
}

static void walk_table_visits_nest(void **state)
{
	struct fixture *f = FIXTURE(state);
	unsigned i, open = 0, pre = 0, post = 0;
	unsigned depth = f->table.geo.levels - 1u;

	map_ok(f, 0, PAGE, 0);
	map_ok(f, 2 * MIB, PAGE, 0);
	assert_result(f,
		      walk(f, 0, 4 * MIB,
			   NW_VISIT_TABLE_PRE | NW_VISIT_LEAF |
				   NW_VISIT_TABLE_POST),
		      NW_OK, 4 * MIB);
	assert_int_equal(log_.wrong, 0);
	for (i = 0; i < log_.visits; i++) {
		if (log_.visit[i].flags == NW_VISIT_TABLE_PRE) {
			pre++;
			open++;
			assert_int_equal(log_.visit[i].level,
					 f->table.geo.levels - open);
		} else if (log_.visit[i].flags == NW_VISIT_TABLE_POST) {
			post++;
			assert_int_equal(log_.visit[i].level,
					 f->table.geo.levels - open);
			open--;
		} else {
			assert_int_equal(open, depth);
		}
	}
	assert_int_equal(open, 0);
	assert_int_equal(pre, depth + 1);
	assert_int_equal(post, depth + 1);
}

static void walk_empty_visits_cover_the_holes(void **state)
{
	struct fixture *f = FIXTURE(state);
	uint64_t at = 0;
	unsigned i;

	map_ok(f, PAGE, PAGE, 0);
	assert_result(f, walk(f, 0, 2 * MIB, NW_VISIT_EMPTY | NW_VISIT_LEAF),
		      NW_OK, 2 * MIB);
	assert_int_equal(log_.visits, 512);
	for (i = 0; i < log_.visits; i++) {
		assert_int_equal(log_.visit[i].ia, at);
		assert_int_equal(log_.visit[i].flags,
				 i == 1 ? NW_VISIT_LEAF : NW_VISIT_EMPTY);
		at += log_.visit[i].span;
	}
}

static void walk_visitor_status_ends_the_walk(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 10 * PAGE, 0);
	log_.stop_after = 4;
	assert_result(f, walk(f, 0, 10 * PAGE, NW_VISIT_LEAF), NW_E_LIMIT,
		      3 * PAGE);
	log_.stop_after = 0;
	assert_int_equal(log_.visits, 4);
	assert_int_equal(f->result.level, 0);
	assert_int_equal(f->result.entry, log_.visit[3].old);
}

/* A visitor that changes the entry: the walk goes by what is there then. */
static enum nw_status split_visit(const struct nw_visit *v)
{
	struct log *log = v->arg;
	struct nw_result result;

	log->visits++;
	if (v->level != 1)
		return NW_OK;
	return nw_split(log->unmap_table, v->ia, 0, NULL, &result);
}

static void walk_visitor_splits_block_walk_descends(void **state)
{
	struct fixture *f = FIXTURE(state);

	map_ok(f, 0, 2 * MIB, 0);
	memset(&log_, 0, sizeof(log_));
	log_.unmap_table = &f->table;
	assert_result(f,
		      nw_walk(&f->table, NW_IA(0), 2 * MIB, NW_VISIT_LEAF,
			      split_visit, &log_, &f->result),
		      NW_OK, 2 * MIB);
	assert_int_equal(log_.visits, 1 + 512);
}

int run_look_tests(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(lookup_empty_table_ends_at_root),
		TABLE_TEST(lookup_block_gives_offset_and_attributes),
		TABLE_TEST(walk_leaves_come_in_order_with_their_spans),
		TABLE_TEST(walk_part_of_block_visits_it_once),
		TABLE_TEST(walk_table_visits_nest),
		TABLE_TEST(walk_empty_visits_cover_the_holes),
		TABLE_TEST(walk_visitor_status_ends_the_walk),
		TABLE_TEST(walk_visitor_splits_block_walk_descends),
	};

	return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
