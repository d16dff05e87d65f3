/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A format (NW_PLANTED_HEADER) made wrong on purpose, as the parameters say:
 * the judge has to notice each (tests/mmu/x86/run). Wrong addresses are undone
 * where the format reads them: the library agrees with itself.
 */
#ifndef MMU_X86_PLANTED_H
#define MMU_X86_PLANTED_H

#include "machine.h"

#define nwf_leaf_at	  nwf_good_leaf_at
#define nwf_leaf_pa	  nwf_good_leaf_pa
#define nwf_leaf_template nwf_good_leaf_template
#define nwf_leaf_clean	  nwf_good_leaf_clean
#define nwf_table_entry	  nwf_good_table_entry
#define nwf_table_pa	  nwf_good_table_pa
#define nwf_decode	  nwf_good_decode
#include NW_PLANTED_HEADER
#undef nwf_leaf_at
#undef nwf_leaf_pa
#undef nwf_leaf_template
#undef nwf_leaf_clean
#undef nwf_table_entry
#undef nwf_table_pa
#undef nwf_decode

/* Not in the guest's own tables, where nested ones are judged. */
static inline int planted(enum plant which)
{
	const unsigned kind = NWF_REGIMES == 1u << NW_REGIME_NPT ? 2 : 1;

	return PARAMS->plant == which && (PARAMS->kinds & kind);
}

#define PLANTED_IF(which, bits) (planted(which) ? (bits) : 0)
#define PLANTED_TABLE_BIT	NW_X86_BIT(14)
#define PLANTED_LEAF_BIT	NW_X86_BIT(30)

static inline nw_entry_t nwf_leaf_at(const struct nw_geometry *geo,
				     nw_entry_t leaf_template, uint64_t pa)
{
	return nwf_good_leaf_at(geo, leaf_template, pa) ^
	       PLANTED_IF(PLANT_ADDRESS_BIT, PLANTED_LEAF_BIT);
}

static inline uint64_t nwf_leaf_pa(const struct nw_geometry *geo,
				   unsigned level, nw_entry_t leaf)
{
	return nwf_good_leaf_pa(geo, level, leaf) ^
	       PLANTED_IF(PLANT_ADDRESS_BIT, PLANTED_LEAF_BIT);
}

static inline nw_entry_t nwf_table_entry(const struct nw_geometry *geo,
					 uint64_t next_pa)
{
	return nwf_good_table_entry(geo, next_pa) ^
	       PLANTED_IF(PLANT_TABLE_ADDRESS, PLANTED_TABLE_BIT);
}

static inline uint64_t nwf_table_pa(const struct nw_geometry *geo,
				    nw_entry_t entry)
{
	return nwf_good_table_pa(geo, entry) ^
	       PLANTED_IF(PLANT_TABLE_ADDRESS, PLANTED_TABLE_BIT);
}

static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	const enum nw_status status =
		nwf_good_leaf_template(geo, level, attrs, entry);
	const nw_entry_t pat = level ? *entry & NW_PTE_PAT_HUGE : 0;

	if (status)
		return status;
	*entry &= ~(PLANTED_IF(PLANT_NO_NX, NW_PTE_NX) |
		    PLANTED_IF(PLANT_NO_WRITE, NW_PTE_WRITE) |
		    PLANTED_IF(PLANT_NO_USER, NW_PTE_USER));
	/* PAT of a large leaf, one bit too high. */
	if (planted(PLANT_PAT_BIT))
		*entry += pat;
	return NW_OK;
}

static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	return planted(PLANT_STATE_SWAPPED) ? leaf & ~NW_PTE_ACCESSED
					    : nwf_good_leaf_clean(geo, leaf);
}

/* Address bits below a large leaf's size, taken for nothing. */
static inline void nwf_decode(const struct nw_geometry *geo, unsigned level,
			      nw_entry_t entry, struct nw_decoded *out)
{
	nwf_good_decode(geo, level, entry, out);
	if (planted(PLANT_RESERVED_IS_LEAF) &&
	    out->reason == NW_REASON_ADDRESS_ALIGN)
		nwf_good_decode(
			geo, level,
			entry & ~NW_X86_FIELD(nw_x86_span_lg2(level) - 1, 13),
			out);
}

#endif
