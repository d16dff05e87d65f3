/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Annotations over ranges: invalid entries with a word of software's own
 * (requirements S4). Annotating is taking (take.c) with an annotation to come.
 */
#include "retire.h"

uint64_t NW_FN(annotation_value)(nw_entry_t entry)
{
	return nwf_is_annotation(entry) ? nwf_annotation_value(entry) : 0;
}

/* ---- what stands there ----------------------------------------------------
 */

static int value_fits(uint64_t value)
{
	return !(value >> NWF_ANNOTATION_BITS);
}

/* `e` of `level` is no table. */
static int is_expected(const struct nw_expected *expected, unsigned level,
		       nw_entry_t e)
{
	switch (expected->what) {
	case NW_EXPECT_NOTHING:
		return e == NWF_EMPTY;
	case NW_EXPECT_NO_ANNOTATION:
		return e == NWF_EMPTY || nwf_is_leaf(level, e);
	case NW_EXPECT_ANNOTATION:
		return e == nwf_annotation(expected->value);
	default:
		return nwf_is_leaf(level, e);
	}
}

/* Inside the section; the cursor stands where it says why not. */
static enum nw_status check_some(struct nw_iter *it,
				 const struct nw_expected *expected,
				 nw_entry_t *met)
{
	while (nw_iter_more(it)) {
		nw_entry_t e = nw_entry_read(nw_iter_ref(it));

		if (nwf_is_table(it->level, e)) {
			nw_iter_down(it, e);
			continue;
		}
		*met = e;
		if (nw_is_held(e))
			return NW_E_BUSY;
		if (nwf_is_valid(e) && !nwf_is_leaf(it->level, e))
			return NW_E_CORRUPT;
		if (!is_expected(expected, it->level, e))
			return NW_E_MISMATCH;
		nw_iter_step(it);
	}
	return NW_OK;
}

enum nw_status NW_FN(check_expected)(struct nw_table *t, uint64_t start,
				     uint64_t end,
				     const struct nw_expected *expected,
				     struct nw_result *result)
{
	struct nw_patience patience = {0};
	nw_entry_t met = NWF_EMPTY;
	enum nw_status status;
	struct nw_iter it;

	it.addr = start;
	do {
		/* ORD-06: what is read stays allocated. */
		nw_section_enter(t);
		nw_iter_start(&it, t, it.addr, end);
		status = check_some(&it, expected, &met);
		nw_section_leave(t); /* ORD-06 */
	} while (status == NW_E_BUSY && nw_retry(t, &patience));
	return nw_report(result, status, it.addr, it.level, status ? met : 0);
}

/* NW_OK, or an argument was refused. */
static enum nw_status check_arguments(struct nw_table *t, nw_ia_t ia,
				      uint64_t size_bytes,
				      const struct nw_expected *expected,
				      struct nw_result *result)
{
	enum nw_status status = nw_range_check(t, ia, size_bytes, result);

	if (status || !expected)
		return status;
	if ((unsigned)expected->what >= NW_EXPECT_COUNT ||
	    (expected->what == NW_EXPECT_ANNOTATION &&
	     (!expected->value || !value_fits(expected->value))))
		return nw_refuse(result, NW_E_ATTRS, ia.v, "expected");
	return NW_OK;
}

enum nw_status NW_FN(check_range)(struct nw_table *t, nw_ia_t ia,
				  uint64_t size_bytes,
				  const struct nw_expected *expected,
				  struct nw_result *result)
{
	enum nw_status status;

	if (!t || !expected)
		return nw_refuse(result, NW_E_NULL, ia.v, t ? "expected" : "t");
	status = check_arguments(t, ia, size_bytes, expected, result);
	if (status)
		return status;
	return NW_FN(check_expected)(t, ia.v, ia.v + size_bytes, expected,
				     result);
}

/* ---- changing it ------------------------------------------------------------
 */

/* What is expected is all that is taken. */
static unsigned takes_expected(const struct nw_table *t,
			       const struct nw_expected *expected)
{
	/* One writer: what was checked is there still, tables go whole. */
	unsigned tables = t->mode == NW_MODE_SHARED ? 0 : NW_TAKE_TABLE;

	switch (expected->what) {
	case NW_EXPECT_NOTHING:
		return tables | NW_TAKE_EMPTY;
	case NW_EXPECT_NO_ANNOTATION:
		return tables | NW_TAKE_EMPTY | NW_TAKE_LEAF;
	case NW_EXPECT_ANNOTATION:
		return tables | NW_TAKE_ANNOTATION;
	default:
		return tables | NW_TAKE_LEAF;
	}
}

static void annotate_prepare(struct nw_take *k, struct nw_table *t,
			     uint64_t value, const struct nw_expected *expected)
{
	nw_batch_begin(&k->batch, t);
	k->otherwise = NW_E_RACED;
	k->what = NW_TAKE_ALL;
	k->only = NWF_EMPTY;
	k->put = NW_PUT_ANNOTATION;
	k->annotation = nwf_annotation(value);
	if (expected) {
		k->what = takes_expected(t, expected);
		if (expected->what == NW_EXPECT_ANNOTATION)
			k->only = nwf_annotation(expected->value);
	}
	if (!value) {
		/* Nothing but annotations goes, and no table. */
		k->put = NW_PUT_EMPTY;
		k->what = expected ? k->what & ~NW_TAKE_TABLE
				   : NW_TAKE_ANNOTATION;
		k->what &= NW_TAKE_ANNOTATION;
		if (!expected || expected->what != NW_EXPECT_ANNOTATION)
			k->otherwise = NW_OK;
	}
}

enum nw_status NW_FN(annotate)(struct nw_table *t, nw_ia_t ia,
			       uint64_t size_bytes, uint64_t value,
			       const struct nw_expected *expected,
			       struct nw_page_cache *cache,
			       struct nw_result *result)
{
	enum nw_status status;
	struct nw_take take;

	if (!t)
		return nw_refuse(result, NW_E_NULL, ia.v, "t");
	status = check_arguments(t, ia, size_bytes, expected, result);
	if (status)
		return status;
	if (!value_fits(value))
		return nw_refuse(result, NW_E_ATTRS, ia.v, "value");
	annotate_prepare(&take, t, value, expected);
	take.cache = cache;
	take.start = ia.v;
	take.end = ia.v + size_bytes;
	nw_op_begin(t, NW_OP_ANNOTATE, take.start, take.end);
	if (expected)
		status = NW_FN(check_expected)(t, take.start, take.end,
					       expected, result);
	if (!status)
		status = NW_FN(take_edges)(&take, result);
	if (!status)
		status = NW_FN(take_range)(&take, result);
	nw_op_end(t, NW_OP_ANNOTATE, take.start, take.end, status);
	return status;
}
