/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a format gives the engine: bodiless prototypes, each met by a small
 * `static inline` function of the same name in the format's header
 * (arm64_s2.h ...). All are pure: values in, values out, no memory access.
 * The engine's sources are compiled once per format, so every call inlines.
 *
 * Words: an *entry* is one 64-bit word of a table page at a *level* (0 is the
 * smallest page). A *leaf* maps, a *table* entry points to the next lower
 * level. A *template* is a leaf without its address. `geo` is the table's
 * shape; functions that need no part of it still take it, so that a format
 * with more variants can be added without touching the engine.
 */
#ifndef NW_FORMAT_CONTRACT_H
#define NW_FORMAT_CONTRACT_H

#include <nestwalk/format.h>
#include <nestwalk/port.h>

/* ---- shape ------------------------------------------------------------ */

/*
 * Check a configuration and compute the shape.
 * NW_E_CONFIG: *argument names the field; *geo is untouched.
 */
static inline enum nw_status nwf_geometry(const struct nw_format_config *config,
					  struct nw_geometry *geo,
					  const char **argument);

/*
 * Beside the functions, a format defines constants (enum). An instance has one
 * granule, so that shifts and masks of the hot paths are immediate operands:
 * NWF_REGIMES      who walks it: bit n for enum nw_regime n
 * NWF_GRANULE_LG2  geo->granule_lg2 of every geometry
 * NWF_INDEX_BITS   geo->index_bits of every geometry
 * NWF_TICKET_BITS  width of a lock token's ticket, at least 16
 * NWF_ANNOTATION_BITS  width of an annotation's value
 * and, as macros,
 * NWF_EMPTY        an entry where nothing is; a fresh page is filled with it
 * NWF_TRACE_ID     its enum nw_format_id; only where the name of the instance
 *                  is not that of its family
 */

/* ---- leaves ----------------------------------------------------------- */

/*
 * A leaf of `level` with these attributes and address 0.
 * NW_E_LEVEL, NW_E_ATTRS: not expressible; *entry untouched.
 */
static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry);

/* Put an address (aligned to the level, within oa_bits) into a template. */
static inline nw_entry_t nwf_leaf_at(const struct nw_geometry *geo,
				     nw_entry_t leaf_template, uint64_t pa);

/* The leaf that maps the next output span with the same attributes. */
static inline nw_entry_t nwf_leaf_next(const struct nw_geometry *geo,
				       unsigned level, nw_entry_t leaf);

static inline uint64_t nwf_leaf_pa(const struct nw_geometry *geo,
				   unsigned level, nw_entry_t leaf);

/*
 * The first of the leaves one level down that together translate exactly as
 * this leaf does: same output start, rights, type, accessed and dirty state.
 * Marks that belong to the block alone (contiguous, nT) are dropped.
 */
static inline nw_entry_t nwf_split_child(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf);

/*
 * Add rights / remove rights. Everything else stays, dirty and accessed state
 * included; removing the write right also removes DBM.
 * NW_E_ATTRS: the result cannot be expressed, or no right would be left.
 */
static inline enum nw_status nwf_leaf_relax(const struct nw_geometry *geo,
					    nw_entry_t leaf, unsigned prot,
					    nw_entry_t *out);
static inline enum nw_status nwf_leaf_restrict(const struct nw_geometry *geo,
					       nw_entry_t leaf, unsigned prot,
					       nw_entry_t *out);

/* Non-zero if hardware may write this live leaf (access flag, dirty state):
 * a change of it must be an atomic read-modify-write (protocols.md 3). */
static inline int nwf_leaf_hw_writable(const struct nw_geometry *geo,
				       nw_entry_t leaf);

/* NW_PROT_* that the leaf grants now. */
static inline unsigned nwf_leaf_prot(const struct nw_geometry *geo,
				     nw_entry_t leaf);

/* Take the write right, and hardware's right to give it back; it may be 0
 * rights that are left. */
static inline nw_entry_t nwf_leaf_write_protect(const struct nw_geometry *geo,
						nw_entry_t leaf);

/* Accessed state. Where the format has none: always accessed, no change. */
static inline int nwf_leaf_is_accessed(nw_entry_t leaf);
static inline nw_entry_t nwf_leaf_set_accessed(nw_entry_t leaf);
static inline nw_entry_t nwf_leaf_clear_accessed(nw_entry_t leaf);

/*
 * Has hardware recorded a write since the leaf was last clean? Clean: the next
 * write is recorded again. arm64: DBM and the write right; clean keeps DBM and
 * takes the right (protocols.md 4). Never for a leaf whose dirty state is not
 * recorded.
 */
static inline int nwf_leaf_is_dirty(const struct nw_geometry *geo,
				    nw_entry_t leaf);
static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf);
static inline nw_entry_t nwf_leaf_set_dirty(const struct nw_geometry *geo,
					    nw_entry_t leaf);

/*
 * The leaf of `level` that translates as the children do that begin with
 * `child` (of level - 1, alone); 0 when there is no such leaf: level, alignment.
 * Child i must then be nwf_split_child() of it advanced i times, but for
 * nwf_leaf_state_bits().
 */
static inline nw_entry_t nwf_collapse_parent(const struct nw_geometry *geo,
					     unsigned level, nw_entry_t child);

/* Bits of a leaf that hardware or ageing changes: accessed, dirty. */
static inline nw_entry_t nwf_leaf_state_bits(const struct nw_geometry *geo,
					     nw_entry_t leaf);

/* ---- groups of entries ------------------------------------------------- */

/*
 * Several entries of one page at once, by the AND and the OR of their values,
 * so that loops need not look at each. All may answer "some", or 0, when in
 * doubt. A format that meets these defines NWF_HAS_GROUPS; for the others
 * leaves.h is in doubt.
 */
enum nw_leaf_some { NW_LEAF_SOME, NW_LEAF_ALL, NW_LEAF_NONE };

/* Is each of them a leaf? */
static inline int nwf_all_leaves(unsigned level, nw_entry_t all,
				 nw_entry_t any);

/* Of leaves: which of them would nwf_leaf_write_protect() change; are dirty;
 * are accessed? */
static inline enum nw_leaf_some
nwf_group_writable(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any);
static inline enum nw_leaf_some nwf_group_dirty(const struct nw_geometry *geo,
						nw_entry_t all, nw_entry_t any);
static inline enum nw_leaf_some
nwf_group_accessed(const struct nw_geometry *geo, nw_entry_t all,
		   nw_entry_t any);

/* May hardware update leaves of such a table by itself (accessed, dirty)? In
 * doubt it may. */
static inline int nwf_hw_updates(const struct nw_geometry *geo);

/* ---- contiguous runs --------------------------------------------------- */

/* Entries of a contiguous run at this level, base-2 log; 0: there are none. */
static inline unsigned nwf_contig_lg2(const struct nw_geometry *geo,
				      unsigned level);
static inline int nwf_leaf_is_contig(const struct nw_geometry *geo,
				     unsigned level, nw_entry_t leaf);
/* The same leaf as member of its run, and (`index` in the run) alone. */
static inline nw_entry_t nwf_contig_member(const struct nw_geometry *geo,
					   unsigned level, nw_entry_t leaf);
static inline nw_entry_t nwf_contig_alone(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t leaf,
					  unsigned index);
/* What nwf_leaf_pa() is a multiple of: the leaf's size, or the run's where all
 * members hold one address (RISC-V Svnapot). */
static inline unsigned nwf_leaf_span_lg2(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf);

/* ---- tables ----------------------------------------------------------- */

static inline nw_entry_t nwf_table_entry(const struct nw_geometry *geo,
					 uint64_t next_pa);
static inline uint64_t nwf_table_pa(const struct nw_geometry *geo,
				    nw_entry_t entry);

/* ---- invalid entries that mean something ------------------------------ */

/*
 * Four kinds of invalid entries never look like one another: EMPTY; a lock
 * token; FROZEN; an annotation. Hardware faults at each of them. Speculation
 * through one must reach no memory (x86: the address bits of such an entry
 * point beyond it).
 *
 * A lock token stands in an entry while its owner replaces it (protocols.md
 * 5); the ticket, below 2^NWF_TICKET_BITS, says whose it is.
 */
static inline nw_entry_t nwf_lock_token(uint64_t ticket);
static inline int nwf_is_locked(nw_entry_t entry);

/* What every entry of a page that is being retired ends as (protocols.md 6). */
static inline nw_entry_t nwf_frozen(void);

/* Software's own word about a span that is not mapped: 1 .. 2^NWF_ANNOTATION_
 * BITS - 1. */
static inline nw_entry_t nwf_annotation(uint64_t value);
static inline int nwf_is_annotation(nw_entry_t entry);
static inline uint64_t nwf_annotation_value(nw_entry_t entry);

/* ---- classification --------------------------------------------------- */

/* Fast class by the valid and type bits alone: EMPTY, INVALID, TABLE, LEAF, or
 * RESERVED where the type does not exist at this level. */
static inline enum nw_entry_kind nwf_kind(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t entry);

/* The same question for one class each, for loops over many entries. */
static inline int nwf_is_table(unsigned level, nw_entry_t entry);
static inline int nwf_is_leaf(unsigned level, nw_entry_t entry);

/* Valid bit only: may hardware use this entry at all? */
static inline int nwf_is_valid(nw_entry_t entry);

/* Everything, every reserved bit checked. */
static inline void nwf_decode(const struct nw_geometry *geo, unsigned level,
			      nw_entry_t entry, struct nw_decoded *out);

/*
 * Must a live `old` be invalidated and flushed before `new_entry` may be
 * written (break-before-make)? 0 when old is not valid, new is not valid, or
 * the two differ only in what the architecture lets change in place; a change
 * of size is excused only by the features in geo.
 */
static inline int nwf_change_needs_break(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t old,
					 nw_entry_t new_entry);

#endif
