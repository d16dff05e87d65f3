/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A format (NW_PLANTED_HEADER) made wrong on purpose, as the parameters say:
 * the judge has to notice each (tests/mmu/riscv/run).
 */
#ifndef MMU_RISCV_PLANTED_H
#define MMU_RISCV_PLANTED_H

#include "machine.h"

#define nwf_leaf_at	  nwf_good_leaf_at
#define nwf_leaf_template nwf_good_leaf_template
#define nwf_leaf_clean	  nwf_good_leaf_clean
#include NW_PLANTED_HEADER
#undef nwf_leaf_at
#undef nwf_leaf_template
#undef nwf_leaf_clean

static inline nw_entry_t nwf_leaf_at(const struct nw_geometry *geo,
				     nw_entry_t leaf_template, uint64_t pa)
{
	nw_entry_t leaf = nwf_good_leaf_at(geo, leaf_template, pa);

	return PARAMS->plant == PLANT_ADDRESS_BIT ? leaf ^ NW_RV_BIT(30) : leaf;
}

static inline enum nw_status nwf_leaf_template(const struct nw_geometry *geo,
					       unsigned level,
					       const struct nw_attrs *attrs,
					       nw_entry_t *entry)
{
	enum nw_status status =
		nwf_good_leaf_template(geo, level, attrs, entry);

	if (status)
		return status;
	if (PARAMS->plant == PLANT_NO_USER)
		*entry &= ~NW_RV_USER;
	if (PARAMS->plant == PLANT_EXEC_IS_READ && (*entry & NW_RV_EXEC))
		*entry |= NW_RV_READ;
	return NW_OK;
}

static inline nw_entry_t nwf_leaf_clean(const struct nw_geometry *geo,
					nw_entry_t leaf)
{
	return PARAMS->plant == PLANT_STATE_SWAPPED
		       ? leaf & ~NW_RV_ACCESSED
		       : nwf_good_leaf_clean(geo, leaf);
}

#endif
