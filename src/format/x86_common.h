/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What x86 paging, nested paging and EPT share: 512 entries a page, four or
 * five levels, leaves at the lowest three, PS in bit 7, and what stands in an
 * invalid entry. Includer: one format per source file, which has set
 * NW_X86_VALID, the bits of which any makes an entry valid.
 *
 * Manual: Intel SDM volume 3, "4-Level Paging and 5-Level Paging"; AMD APM
 * volume 2, "Long-Mode Page Translation". Bits that the hardware ignores and
 * that have no name in struct nw_attrs are kept zero, and anything else there
 * is reported as NW_REASON_RES0: we never wrote that entry.
 *
 * The input address of a host table is the low ia_bits of a linear address;
 * the canonical upper half is in the upper half of the table.
 */
#ifndef NW_FORMAT_X86_COMMON_H
#define NW_FORMAT_X86_COMMON_H

#include "contract.h"

#define NW_X86_BIT(n) (UINT64_C(1) << (n))
#define NW_X86_FIELD(last, first)                                              \
	(((UINT64_C(2) << ((last) - (first))) - 1) << (first))

enum {
	NWF_GRANULE_LG2 = 12,
	NWF_INDEX_BITS = 9,
	NWF_TICKET_BITS = 34,
	NWF_ANNOTATION_BITS = 34,
};

#define NW_X86_PS	      NW_X86_BIT(7) /* leaf, at levels 1 and 2 */
#define NW_X86_ADDRESS	      NW_X86_FIELD(51, 12)
#define NW_X86_SOFTWARE_SHIFT 52
#define NW_X86_SOFTWARE	      NW_X86_FIELD(55, 52)

static inline unsigned nw_x86_span_lg2(unsigned level)
{
	return NWF_GRANULE_LG2 + NWF_INDEX_BITS * level;
}

static inline nw_entry_t nw_x86_bit_if(int condition, nw_entry_t bit)
{
	return condition ? bit : 0;
}

/* ---- shape ------------------------------------------------------------- */

static inline enum nw_status nw_x86_refuse(const char **argument,
					   const char *name)
{
	*argument = name;
	return NW_E_CONFIG;
}

/*
 * Input sizes of 40 to 48 bits are walked in four levels, up to 57 in five;
 * below 40 the root would have one entry. Output: MAXPHYADDR, 36 to 52 bits
 * (invalid entries, below, count on 36). features: those the format has.
 */
static inline enum nw_status
nw_x86_geometry(const struct nw_format_config *config, unsigned features,
		struct nw_geometry *geo, const char **argument)
{
	if (config->granule_lg2 != NWF_GRANULE_LG2)
		return nw_x86_refuse(argument, "granule_lg2");
	if (config->oa_bits < 36 || config->oa_bits > 52)
		return nw_x86_refuse(argument, "oa_bits");
	if (config->features & ~features)
		return nw_x86_refuse(argument, "features");
	if (config->ia_bits < 40 || config->ia_bits > 57)
		return nw_x86_refuse(argument, "ia_bits");
	*geo = (struct nw_geometry){
		.granule_lg2 = NWF_GRANULE_LG2,
		.index_bits = NWF_INDEX_BITS,
		.levels = config->ia_bits <= 48 ? 4 : 5,
		.ia_bits = config->ia_bits,
		.oa_bits = config->oa_bits,
		.leaf_levels = config->features & NW_FEAT_X86_1G ? 7 : 3,
		.features = config->features,
	};
	return NW_OK;
}

static inline int nw_x86_has_leaf(const struct nw_geometry *geo, unsigned level)
{
	return level < geo->levels && (geo->leaf_levels >> level & 1);
}

/* ---- classification ---------------------------------------------------- */

static inline int nwf_is_valid(nw_entry_t entry)
{
	return (entry & NW_X86_VALID) != 0;
}

static inline int nwf_is_table(unsigned level, nw_entry_t entry)
{
	return level && nwf_is_valid(entry) && !(entry & NW_X86_PS);
}

/* At level 0 bit 7 is not PS (paging: PAT; EPT: ignored). */
static inline int nwf_is_leaf(unsigned level, nw_entry_t entry)
{
	if (!level)
		return nwf_is_valid(entry);
	return level < 3 && nwf_is_valid(entry) && (entry & NW_X86_PS);
}

/* Of entries of one page, by their AND. */
static inline int nwf_all_leaves(unsigned level, nw_entry_t all, nw_entry_t any)
{
	(void)any;
	if (!level)
		return (all & NW_X86_VALID) != 0;
	return level < 3 && (all & NW_X86_VALID) && (all & NW_X86_PS);
}

/* PS is reserved from level 3 (512 GiB) on. */
static inline enum nw_entry_kind nwf_kind(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t entry)
{
	(void)geo;
	if (!nwf_is_valid(entry))
		return entry == NWF_EMPTY ? NW_ENTRY_EMPTY : NW_ENTRY_INVALID;
	if (!level || ((entry & NW_X86_PS) && level < 3))
		return NW_ENTRY_LEAF;
	return entry & NW_X86_PS ? NW_ENTRY_RESERVED : NW_ENTRY_TABLE;
}

/* ---- addresses --------------------------------------------------------- */

static inline nw_entry_t nwf_leaf_at(const struct nw_geometry *geo,
				     nw_entry_t leaf_template, uint64_t pa)
{
	(void)geo;
	return leaf_template | pa;
}

static inline nw_entry_t nwf_leaf_next(const struct nw_geometry *geo,
				       unsigned level, nw_entry_t leaf)
{
	(void)geo;
	return leaf + NW_X86_BIT(nw_x86_span_lg2(level));
}

static inline uint64_t nwf_leaf_pa(const struct nw_geometry *geo,
				   unsigned level, nw_entry_t leaf)
{
	(void)geo;
	/* From the leaf's size upwards: PAT lies below it. */
	return leaf & NW_X86_ADDRESS & (~UINT64_C(0) << nw_x86_span_lg2(level));
}

static inline uint64_t nwf_table_pa(const struct nw_geometry *geo,
				    nw_entry_t entry)
{
	(void)geo;
	return entry & NW_X86_ADDRESS;
}

/* ---- invalid entries that mean something ------------------------------- */

/*
 *  63     62:52      51:35     34:12     11:5  4:3   2:0
 *  EMPTY  value high all ones  value low 0     kind  0
 *
 * L1TF (Intel, "L1 Terminal Fault"): speculation may read the L1 data cache at
 * the address bits of an entry that is not present. All ones in bits 51:35 are,
 * for every physical address width from 36 to 52 bits, the last 32 GiB of the
 * address space: no memory may be populated there, or the machine must not be
 * affected. EMPTY has address 0, as is customary: physical page 0 must hold no
 * secret (the lowest page is the firmware's on a PC).
 *
 * Bits 5, 6, 8 and 9 stay zero: some processors set accessed or dirty in an
 * entry that has just become invalid, and a token must not change.
 */
#define NW_X86_KIND	       NW_X86_FIELD(4, 3)
#define NW_X86_KIND_TOKEN      NW_X86_BIT(3)
#define NW_X86_KIND_FROZEN     NW_X86_BIT(4)
#define NW_X86_KIND_ANNOTATION NW_X86_KIND
#define NW_X86_NO_MEMORY       NW_X86_FIELD(51, 35)
#define NW_X86_LOW_BITS	       23
#define NW_X86_LOW_SHIFT       12
#define NW_X86_LOW_MASK	       NW_X86_FIELD(NW_X86_LOW_BITS - 1, 0)
#define NW_X86_HIGH_SHIFT      52
#define NW_X86_HIGH_MASK       NW_X86_FIELD(10, 0)

static inline nw_entry_t nw_x86_invalid(nw_entry_t kind, uint64_t value)
{
	return NWF_EMPTY | NW_X86_NO_MEMORY | kind |
	       (value & NW_X86_LOW_MASK) << NW_X86_LOW_SHIFT |
	       (value >> NW_X86_LOW_BITS & NW_X86_HIGH_MASK)
		       << NW_X86_HIGH_SHIFT;
}

static inline nw_entry_t nwf_lock_token(uint64_t ticket)
{
	return nw_x86_invalid(NW_X86_KIND_TOKEN, ticket);
}

static inline int nwf_is_locked(nw_entry_t entry)
{
	return (entry & (NW_X86_VALID | NW_X86_KIND)) == NW_X86_KIND_TOKEN;
}

static inline nw_entry_t nwf_frozen(void)
{
	return nw_x86_invalid(NW_X86_KIND_FROZEN, 0);
}

static inline nw_entry_t nwf_annotation(uint64_t value)
{
	return nw_x86_invalid(NW_X86_KIND_ANNOTATION, value);
}

static inline int nwf_is_annotation(nw_entry_t entry)
{
	return (entry & (NW_X86_VALID | NW_X86_KIND)) == NW_X86_KIND_ANNOTATION;
}

static inline uint64_t nwf_annotation_value(nw_entry_t entry)
{
	return (entry >> NW_X86_LOW_SHIFT & NW_X86_LOW_MASK) |
	       (entry >> NW_X86_HIGH_SHIFT & NW_X86_HIGH_MASK)
		       << NW_X86_LOW_BITS;
}

/* ---- contiguous runs: there are none ----------------------------------- */

static inline unsigned nwf_contig_lg2(const struct nw_geometry *geo,
				      unsigned level)
{
	(void)geo, (void)level;
	return 0;
}

static inline int nwf_leaf_is_contig(const struct nw_geometry *geo,
				     unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level, (void)leaf;
	return 0;
}

static inline nw_entry_t nwf_contig_member(const struct nw_geometry *geo,
					   unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)level;
	return leaf;
}

static inline nw_entry_t nwf_contig_alone(const struct nw_geometry *geo,
					  unsigned level, nw_entry_t leaf,
					  unsigned index)
{
	(void)geo, (void)level, (void)index;
	return leaf;
}

static inline unsigned nwf_leaf_span_lg2(const struct nw_geometry *geo,
					 unsigned level, nw_entry_t leaf)
{
	(void)geo, (void)leaf;
	return nw_x86_span_lg2(level);
}

/* ---- everything -------------------------------------------------------- */

/* Address rules of a leaf or table: NW_REASON_NONE, _ALIGN or _SIZE. */
static inline enum nw_reason nw_x86_address_check(const struct nw_geometry *geo,
						  nw_entry_t address,
						  unsigned align_lg2)
{
	if (address & (NW_X86_BIT(align_lg2) - 1))
		return NW_REASON_ADDRESS_ALIGN;
	if (address >> geo->oa_bits)
		return NW_REASON_ADDRESS_SIZE;
	return NW_REASON_NONE;
}

/* The format's part: a leaf's fields, its address among them. */
static inline enum nw_reason nw_x86_leaf_decode(const struct nw_geometry *geo,
						unsigned level, nw_entry_t leaf,
						struct nw_attrs *attrs);

static inline enum nw_reason nw_x86_table_decode(const struct nw_geometry *geo,
						 nw_entry_t entry)
{
	uint64_t pa = nwf_table_pa(geo, entry);
	nw_entry_t ours = nwf_table_entry(geo, pa);

	if (ours & ~entry)
		return NW_REASON_RES1;
	if (entry & ~ours)
		return NW_REASON_RES0;
	return nw_x86_address_check(geo, pa, NWF_GRANULE_LG2);
}

static inline void nwf_decode(const struct nw_geometry *geo, unsigned level,
			      nw_entry_t entry, struct nw_decoded *out)
{
	*out = (struct nw_decoded){.kind = nwf_kind(geo, level, entry)};
	if (!nwf_is_valid(entry))
		return;
	if (level >= geo->levels) {
		out->reason = NW_REASON_LEVEL;
	} else if (out->kind == NW_ENTRY_TABLE) {
		out->pa = NW_PA(nwf_table_pa(geo, entry));
		out->reason = nw_x86_table_decode(geo, entry);
	} else if (!nw_x86_has_leaf(geo, level)) {
		out->reason = NW_REASON_TYPE_AT_LEVEL;
	} else {
		out->pa = NW_PA(nwf_leaf_pa(geo, level, entry));
		out->reason =
			nw_x86_leaf_decode(geo, level, entry, &out->attrs);
	}
	if (out->reason != NW_REASON_NONE)
		*out = (struct nw_decoded){.kind = NW_ENTRY_RESERVED,
					   .reason = out->reason};
}

/*
 * Changes of a live entry. Software that changes the size of a page and its
 * address, rights or type in one step gets a mix of both (SDM, "Propagation of
 * Paging-Structure Changes to Multiple Processors"), and two memory types for
 * one page are undefined: address and type are changed through an invalid
 * entry. A change of size alone, with the same translations on both sides and
 * an invalidation after it, needs none; that they are the same is the caller's
 * part, for here one entry of each is seen. in_place: the format's bits that
 * need no break.
 */
static inline int nw_x86_change_needs_break(const struct nw_geometry *geo,
					    unsigned level, nw_entry_t old,
					    nw_entry_t new_entry,
					    nw_entry_t in_place)
{
	enum nw_entry_kind from = nwf_kind(geo, level, old);
	enum nw_entry_kind to = nwf_kind(geo, level, new_entry);

	if (old == new_entry || !nwf_is_valid(old) || !nwf_is_valid(new_entry))
		return 0;
	if (from == NW_ENTRY_RESERVED || to == NW_ENTRY_RESERVED)
		return 1;
	if (from != to)
		return 0;
	/* Of tables too: another one is another set of output addresses. */
	return ((old ^ new_entry) & ~(in_place | NW_X86_SOFTWARE)) != 0;
}

#endif
