/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something else in the place of what is there: annotations, other pages, other
 * leaves. Included by table.h, whose rules hold here too.
 */
#ifndef NESTWALK_TABLE_H
#include <nestwalk/table.h> /* and that this, behind what it needs */
#endif
#ifndef NESTWALK_REPLACE_H
#define NESTWALK_REPLACE_H

/* ---- annotations ------------------------------------------------------- */

/*
 * An annotation is software's own word about a span that is not mapped: who
 * owns it, in what state (requirements S4). It *is* the mapping without read,
 * write and execute: an entry that is invalid for hardware, at any level. Its
 * value has nw_format_ops.annotation_bits bits (arm64 62, RISC-V 61, x86 34);
 * 0 is no annotation.
 *
 * nw_map() does not map over one (NW_E_EXISTS), nw_remap() does; nw_unmap()
 * removes them; rights, dirty state and ageing pass over them; a split of an
 * annotated block annotates all its parts; no table that holds one is reclaimed
 * or collapsed.
 */

/* What must stand in all of a range. */
enum nw_expect {
	NW_EXPECT_NOTHING,	 /* neither mapped nor annotated */
	NW_EXPECT_NO_ANNOTATION, /* mapped or nothing */
	NW_EXPECT_ANNOTATION,	 /* annotated with `value` */
	NW_EXPECT_MAPPED,
	NW_EXPECT_COUNT,
};

struct nw_expected {
	enum nw_expect what;
	uint64_t value; /* NW_EXPECT_ANNOTATION only */
};

/*
 * Does all of the range hold what is expected? Reads only.
 *
 * Locks: as nw_lookup(). NW_MODE_SHARED: entry by entry, it is no snapshot.
 * NW_E_MISMATCH  it does not: at result.reached stands result.entry
 * NW_E_BUSY      an entry is being replaced (NW_MODE_SHARED: for longer than we
 *                wait). NW_MODE_READERS: ask again
 * NW_E_NULL      t or expected; NW_E_ATTRS: no such enum nw_expect, or a value
 *                that no annotation can have
 * NW_E_EMPTY, _MISALIGNED, _OVERFLOW, _IA_RANGE, NW_E_CORRUPT
 */
NW_MUST_CHECK enum nw_status nw_check_range(struct nw_table *t, nw_ia_t ia,
					    uint64_t size_bytes,
					    const struct nw_expected *expected,
					    struct nw_result *result);

/*
 * Annotate the range with `value`, in place of whatever is there: leaves are
 * broken and flushed, subtrees dropped. Entries are of the highest level that
 * fits; what sticks out is split first. Dirty state of what goes is lost: where
 * it matters, nw_unmap_dirty() first.
 *
 * value 0 clears: annotations go, everything else stays as it is.
 * expected: NULL, or what must stand in all of the range: all is checked before
 * the first write.
 * cache: with nw_break_pages_max() pages the call is all or nothing.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns.
 * NW_MODE_SHARED: an entry that is mapped is locked until it is flushed (lookups
 * say NW_E_BUSY, never "nothing"); annotations change by one compare-and-swap.
 * With `expected` existing tables stay, for what hangs there could change
 * behind the check; and the range is all or nothing only against those who take
 * turns with us: against others, each entry is.
 *
 * NW_E_MISMATCH  `expected` is not what stands at result.reached; nothing was
 *                changed
 * NW_E_RACED     NW_MODE_SHARED: it was, when we checked; everything below
 *                result.reached is annotated
 * NW_E_NOMEM     what sticks out could not be split; nothing was annotated
 *                (NW_MODE_SHARED: as nw_unmap())
 * NW_E_BUSY      as nw_unmap()
 * NW_E_ATTRS     "value" is too wide; "expected" as in nw_check_range()
 * NW_E_EMPTY, _MISALIGNED, _OVERFLOW, _IA_RANGE, NW_E_CORRUPT: as nw_map()
 */
NW_MUST_CHECK enum nw_status nw_annotate(struct nw_table *t, nw_ia_t ia,
					 uint64_t size_bytes, uint64_t value,
					 const struct nw_expected *expected,
					 struct nw_page_cache *cache,
					 struct nw_result *result);

/*
 * The annotation that nw_lookup() found: its value, or 0 for anything else:
 * a leaf, nothing, an entry that an operation holds (S4.3). Decodes `entry`,
 * touches no table; mapping->level and ->base say how much it speaks for.
 */
uint64_t nw_mapping_annotation(const struct nw_table *t,
			       const struct nw_mapping *mapping);

/* ---- other pages in the same place -------------------------------------- */

/* A leaf whose place another one takes. */
struct nw_replaced {
	struct nw_mapping mapping; /* as nw_lookup() would have said; its base */
	uint8_t is_dirty;	   /* hardware had recorded a write */
};

/* Called as nw_range_fn is. */
typedef void (*nw_replaced_fn)(void *arg, const struct nw_replaced *was);

/*
 * Map what is mapped in the range to pa onwards instead, with `attrs`: each leaf
 * is replaced by a leaf of its size (protocols.md 12). It maps nothing that was
 * not mapped, and grants just the rights that the caller asks for. Pages are
 * needed only where a leaf sticks out or where `pa` is not aligned for it: it
 * is then replaced by smaller ones.
 *
 * replaced: told of each old leaf, its output address and dirty state, after
 * the flush: no access reaches the old page any more. A leaf that is split
 * because it sticks out is told in the parts that were replaced. May be NULL.
 *
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns.
 * Where the format asks for break-before-make the entry is locked, flushed and
 * made (a lookup says NW_E_BUSY, a guest's access faults meanwhile); what may
 * change in place, does, by compare-and-swap.
 * NW_E_ABSENT  something in the range is not mapped, at result.reached; nothing
 *              was changed (NW_MODE_SHARED: or everything below was, when
 *              another CPU unmapped it meanwhile)
 * NW_E_NOMEM   replaced up to result.reached. Impossible with
 *              nw_map_pages_max() + nw_break_pages_max() pages in cache
 * NW_E_BUSY    as nw_unmap()
 * What nw_map() refuses, but NW_E_EXISTS; NW_E_CORRUPT.
 */
NW_MUST_CHECK enum nw_status nw_replace(struct nw_table *t, nw_ia_t ia,
					uint64_t size_bytes, nw_pa_t pa,
					const struct nw_attrs *attrs,
					nw_replaced_fn replaced, void *arg,
					struct nw_page_cache *cache,
					struct nw_result *result);

/*
 * nw_map() over whatever is there: leaves, annotations, and whole subtrees are
 * replaced, holes are filled, by the largest leaves that fit. Tables in which
 * smaller leaves must stand are used again.
 *
 * dirty: as in nw_unmap_dirty(), of what was replaced; may be NULL.
 * Locks: the table's writer; NW_MODE_SHARED: none. Flushes before it returns,
 * once for a batch of entries; each entry that was valid is locked until its
 * batch is flushed, in every mode: a lookup beside us says NW_E_BUSY.
 * NW_MODE_SHARED: what another operation keeps locked is stolen where all of it
 * is to be replaced.
 * NW_E_NOMEM  mapped up to result.reached, as it was beyond. Impossible with
 *             nw_map_pages_max() + nw_break_pages_max() pages in cache
 * NW_E_BUSY   as nw_unmap(). What nw_map() refuses, but NW_E_EXISTS
 */
NW_MUST_CHECK enum nw_status nw_remap(struct nw_table *t, nw_ia_t ia,
				      uint64_t size_bytes, nw_pa_t pa,
				      const struct nw_attrs *attrs,
				      unsigned max_level, nw_range_fn dirty,
				      void *arg, struct nw_page_cache *cache,
				      struct nw_result *result);

#endif
