/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Position in a live table.
 *
 * Operations over a live table are loops around this cursor, so that break,
 * flush and retry stay visible in one place. The cursor holds references, not
 * values: each visit reads its entry once (rule 2) and carries the value on.
 */
#ifndef NW_TABLE_ITER_H
#define NW_TABLE_ITER_H

#include "engine.h"

struct nw_iter {
	const struct nw_table *t;
	uint64_t addr; /* input address of the cursor */
	uint64_t end;  /* where the walk ends, exclusive */
	unsigned level;
	nw_pteref_t page[NW_LEVELS_MAX]; /* first entry of the page, per level */
};

static inline uint64_t nw_span_bytes(const struct nw_table *t, unsigned level)
{
	return UINT64_C(1) << nw_span_lg2(&t->geo, level);
}

static inline unsigned nw_top_level(const struct nw_table *t)
{
	return t->geo.levels - 1u;
}

/* Entries of a page; concatenated roots count as one. */
static inline unsigned nw_page_entries(const struct nw_table *t, unsigned level)
{
	unsigned lg2 = t->geo.index_bits;

	if (level == nw_top_level(t))
		lg2 = t->geo.ia_bits - nw_span_lg2(&t->geo, level);
	return 1u << lg2;
}

static inline unsigned nw_index_at(const struct nw_table *t, unsigned level,
				   uint64_t addr)
{
	return (unsigned)(addr >> nw_span_lg2(&t->geo, level)) &
	       (nw_page_entries(t, level) - 1);
}

static inline void nw_iter_start(struct nw_iter *it, const struct nw_table *t,
				 uint64_t start, uint64_t end)
{
	it->t = t;
	it->addr = start;
	it->end = end;
	it->level = nw_top_level(t);
	it->page[it->level] = nw_pteref_root(t);
}

static inline int nw_iter_more(const struct nw_iter *it)
{
	return it->addr < it->end;
}

static inline nw_pteref_t nw_iter_ref(const struct nw_iter *it)
{
	return nw_pteref_index(it->page[it->level],
			       nw_index_at(it->t, it->level, it->addr));
}

/* Start of the span of the entry under the cursor. */
static inline uint64_t nw_iter_base(const struct nw_iter *it)
{
	return it->addr & ~(nw_span_bytes(it->t, it->level) - 1);
}

/* End of that span. */
static inline uint64_t nw_iter_next_base(const struct nw_iter *it)
{
	return nw_iter_base(it) + nw_span_bytes(it->t, it->level);
}

/* Does the walk's range cover the whole span of the entry? */
static inline int nw_iter_covers(const struct nw_iter *it)
{
	return it->addr == nw_iter_base(it) && nw_iter_next_base(it) <= it->end;
}

static inline void nw_iter_down(struct nw_iter *it, nw_entry_t table_entry)
{
	const struct nw_table *t = it->t;

	it->level--;
	it->page[it->level] =
		nw_pteref_page(t, nwf_table_pa(&t->geo, table_entry));
}

/* Move on to `addr`, at most the end of the current page; at the end of a page
 * the cursor climbs until it stands on an entry again. */
static inline void nw_iter_goto(struct nw_iter *it, uint64_t addr)
{
	const struct nw_table *t = it->t;

	it->addr = addr;
	while (it->level < nw_top_level(t) &&
	       !(addr & (nw_span_bytes(t, it->level + 1) - 1)))
		it->level++;
}

/* On to the next entry of this page. */
static inline void nw_iter_step(struct nw_iter *it)
{
	uint64_t next = nw_iter_next_base(it);

	nw_iter_goto(it, next < it->end ? next : it->end);
}

/* Entries from the cursor to the end of its page or of the range, the last
 * one counted even if the range covers only part of it. */
static inline unsigned nw_iter_run(const struct nw_iter *it)
{
	const struct nw_table *t = it->t;
	unsigned left = nw_page_entries(t, it->level) -
			nw_index_at(t, it->level, it->addr);
	uint64_t last = (it->end - 1) >> nw_span_lg2(&t->geo, it->level);
	uint64_t here = it->addr >> nw_span_lg2(&t->geo, it->level);

	return last - here < left ? (unsigned)(last - here) + 1 : left;
}

#endif
