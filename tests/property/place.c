/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something else in a place: annotations, replaced pages, maps over what is
 * mapped, removals that tell. In the model an annotation is a run without
 * rights whose "address" is its own, so that pieces of it go on from one
 * another.
 */
#include "state.h"

#include <string.h>

static int is_annotated(const struct run *r)
{
	return r && !r->attrs.prot;
}

static int is_dirty(const struct run *r)
{
	return (r->attrs.flags & NW_LEAF_DBM) && (r->attrs.prot & NW_PROT_W);
}

static struct nw_attrs annotation_attrs(uint64_t value)
{
	struct nw_attrs attrs;

	memset(&attrs, 0, sizeof(attrs));
	attrs.software = (uint8_t)value;
	return attrs;
}

uint64_t run_annotation(const struct run *r)
{
	return is_annotated(r) ? r->attrs.software : 0;
}

void run_see_annotation(struct run_state *s, const struct aw_leaf *e)
{
	struct run piece = {e->ia, e->ia + aw_span(e->arm_level), e->ia,
			    annotation_attrs(e->entry >> 2)};

	model_append(&s->seen, &piece);
}

/* ---- what stands there ----------------------------------------------------
 */

/* Where what stands at `ia` ends. */
static uint64_t piece_end(const struct run_state *s, uint64_t ia, uint64_t end)
{
	const struct run *r = model_at(&s->model, ia);
	unsigned i;

	if (r)
		return r->end < end ? r->end : end;
	for (i = 0; i < s->model.runs; i++)
		if (s->model.run[i].start > ia && s->model.run[i].start < end)
			return s->model.run[i].start;
	return end;
}

static int is_expected(const struct run *r, const struct nw_expected *expected)
{
	switch (expected->what) {
	case NW_EXPECT_NOTHING:
		return !r;
	case NW_EXPECT_NO_ANNOTATION:
		return !is_annotated(r);
	case NW_EXPECT_ANNOTATION:
		return run_annotation(r) == expected->value;
	default:
		return r && !is_annotated(r);
	}
}

/* Where it is not what is expected; `end`: nowhere. */
static uint64_t mismatch(const struct run_state *s, const struct op *op,
			 const struct nw_expected *expected)
{
	uint64_t at = op->ia, end = op->ia + op->size;

	while (at < end && is_expected(model_at(&s->model, at), expected))
		at = piece_end(s, at, end);
	return at;
}

static uint64_t dirty_bytes(const struct run_state *s, uint64_t start,
			    uint64_t end)
{
	uint64_t bytes = 0, at, next;

	for (at = start; at < end; at = next) {
		const struct run *r = model_at(&s->model, at);

		next = piece_end(s, at, end);
		if (r && is_dirty(r))
			bytes += next - at;
	}
	return bytes;
}

/* ---- annotate -------------------------------------------------------------
 */

static void clear_annotations(struct run_state *s, uint64_t start, uint64_t end)
{
	uint64_t at, next;

	for (at = start; at < end; at = next) {
		next = piece_end(s, at, end);
		if (is_annotated(model_at(&s->model, at)))
			model_unmap(&s->model, at, next);
	}
}

int run_annotate(struct run_state *s, const struct op *op)
{
	const struct nw_expected expected = {
		.what = (enum nw_expect)(op->budget - 1), .value = op->level};
	uint64_t end = op->ia + op->size, reached = end;
	struct nw_attrs attrs = annotation_attrs(op->prot);
	enum nw_status got;

	if (op->budget)
		reached = mismatch(s, op, &expected);
	got = nw_annotate(&s->f.table, NW_IA(op->ia), op->size, op->prot,
			  op->budget ? &expected : NULL, &s->cache,
			  &s->f.result);
	if (run_check_status(s, op, got,
			     reached == end ? NW_OK : NW_E_MISMATCH))
		return 1;
	if (got != NW_OK)
		return run_check_reached(s,
					 got == NW_E_NOMEM ? op->ia : reached);
	if (!op->prot) {
		clear_annotations(s, op->ia, end);
		return run_check_reached(s, end);
	}
	model_unmap(&s->model, op->ia, end);
	model_map(&s->model, op->ia, end, op->ia, &attrs);
	return run_check_reached(s, end);
}

/* ---- replace, remap ---------------------------------------------------------
 */

static struct nw_attrs place_attrs(const struct run_state *s,
				   const struct op *op)
{
	struct nw_attrs a = fixture_attrs(s->f.variant, op->prot);

	a.memtype = (uint8_t)op->memtype;
	a.flags = (uint8_t)op->flags;
	return a;
}

static int is_expressible(const struct run_state *s,
			  const struct nw_attrs *attrs)
{
	nw_entry_t entry;

	return s->f.table.ops->encode_leaf(&s->f.table.geo, 0, NW_PA(0), attrs,
					   &entry) == NW_OK;
}

struct told {
	struct run_state *s;
	uint64_t bytes, dirty_bytes, wrong;
};

static void tell_replaced(void *arg, const struct nw_replaced *was)
{
	struct told *told = arg;
	const struct run *r = model_at(&told->s->model, was->mapping.base.v);

	told->bytes +=
		1ull << nw_span_lg2(&told->s->f.table.geo, was->mapping.level);
	if (!r ||
	    r->pa + (was->mapping.base.v - r->start) != was->mapping.pa.v ||
	    is_dirty(r) != was->is_dirty)
		told->wrong++;
}

static void tell_dirty(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct told *told = arg;

	told->dirty_bytes += size_bytes;
	if (dirty_bytes(told->s, ia.v, ia.v + size_bytes) != size_bytes)
		told->wrong++;
}

/* Everything up to where it came, and nothing beyond. */
static int check_placed(struct run_state *s, const struct op *op,
			enum nw_status got, const struct nw_attrs *attrs)
{
	uint64_t end = op->ia + op->size, reached = s->f.result.reached;

	if (got == NW_OK && run_check_reached(s, end))
		return 1;
	if (reached < op->ia || reached > end || reached % PAGE)
		return run_fail(s, "reached %#llx",
				(unsigned long long)reached);
	model_unmap(&s->model, op->ia, reached);
	model_map(&s->model, op->ia, reached, op->pa, attrs);
	return 0;
}

int run_replace(struct run_state *s, const struct op *op)
{
	const struct nw_expected mapped = {.what = NW_EXPECT_MAPPED};
	struct nw_attrs attrs = place_attrs(s, op);
	uint64_t end = op->ia + op->size;
	uint64_t reached = mismatch(s, op, &mapped);
	enum nw_status got, want = reached == end ? NW_OK : NW_E_ABSENT;
	struct told told = {.s = s};

	if (!is_expressible(s, &attrs)) {
		want = NW_E_ATTRS;
		reached = op->ia;
	}
	got = nw_replace(&s->f.table, NW_IA(op->ia), op->size, NW_PA(op->pa),
			 &attrs, tell_replaced, &told, &s->cache, &s->f.result);
	if (run_check_status(s, op, got, want))
		return 1;
	if (got != NW_OK && got != NW_E_NOMEM)
		return run_check_reached(s, reached);
	if (told.wrong || told.bytes != s->f.result.reached - op->ia)
		return run_fail(s, "told of %#llx bytes, %llu calls wrong",
				(unsigned long long)told.bytes,
				(unsigned long long)told.wrong);
	return check_placed(s, op, got, &attrs);
}

int run_remap(struct run_state *s, const struct op *op)
{
	struct nw_attrs attrs = place_attrs(s, op);
	enum nw_status got, want = NW_OK;
	struct told told = {.s = s};

	if (op->level != NW_LEVEL_ANY && !run_is_level(s, op->level))
		want = NW_E_LEVEL;
	else if (!is_expressible(s, &attrs))
		want = NW_E_ATTRS;
	got = nw_remap(&s->f.table, NW_IA(op->ia), op->size, NW_PA(op->pa),
		       &attrs, op->level, tell_dirty, &told, &s->cache,
		       &s->f.result);
	if (run_check_status(s, op, got, want))
		return 1;
	if (got != NW_OK && got != NW_E_NOMEM)
		return run_check_reached(s, op->ia);
	if (told.wrong ||
	    told.dirty_bytes != dirty_bytes(s, op->ia, s->f.result.reached))
		return run_fail(s, "told of %#llx dirty bytes, %llu wrong",
				(unsigned long long)told.dirty_bytes,
				(unsigned long long)told.wrong);
	return check_placed(s, op, got, &attrs);
}

int run_unmap_dirty(struct run_state *s, const struct op *op)
{
	uint64_t end = op->ia + op->size, want = dirty_bytes(s, op->ia, end);
	struct told told = {.s = s};
	enum nw_status got;

	got = nw_unmap_dirty(&s->f.table, NW_IA(op->ia), op->size, tell_dirty,
			     &told, &s->cache, &s->f.result);
	if (run_check_status(s, op, got, NW_OK))
		return 1;
	if (got == NW_E_NOMEM)
		return run_check_reached(s, op->ia);
	if (told.wrong || told.dirty_bytes != want)
		return run_fail(s, "told of %#llx dirty bytes of %#llx",
				(unsigned long long)told.dirty_bytes,
				(unsigned long long)want);
	model_unmap(&s->model, op->ia, end);
	return run_check_reached(s, end);
}
