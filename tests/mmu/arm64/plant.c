// SPDX-License-Identifier: BSD-2-Clause
/*
 * Defects of the table are those that encoder and decoder share: the library
 * agrees with itself and with what was asked, so only the CPU can tell.
 */
#include "plant.h"

#include <nestwalk/arm64.h>

#include "../../../hyp/lib.h"
#include "host.h"

#define PLANT_PA_BIT (UINT64_C(1) << 30)
#define PLANT_MARK   8u /* a software bit: this leaf was changed */

static enum {
	NONE,
	ADDRESS,
	RIGHT,
	EXECUTE,
	TYPE,
	SL0,
	T0SZ,
	TLBI,
	PLANTS
} planted;
/* In the order of `planted`. */
static const char *const names[PLANTS] = {"",	  "address", "right", "execute",
					  "type", "sl0",     "t0sz",  "tlbi"};

static const struct nw_format_ops *sound;
static struct nw_format_ops defective;

void plant_choose(const char *name)
{
	unsigned i = 0;

	while (i < PLANTS && strcmp(names[i], name))
		i++;
	if (i == PLANTS) {
		host_print("plant=%s: no such defect; next: address, right, "
			   "execute, type, sl0, t0sz or tlbi\n",
			   name);
		host_exit(2);
	}
	planted = i;
}

static enum nw_status bad_map(struct nw_table *t, nw_ia_t ia, uint64_t size,
			      nw_pa_t pa, const struct nw_attrs *attrs,
			      unsigned max_level, struct nw_page_cache *cache,
			      struct nw_result *result)
{
	struct nw_attrs a = *attrs;

	a.software &= (uint8_t)~PLANT_MARK;
	if (planted == ADDRESS)
		pa.v ^= PLANT_PA_BIT;
	if (planted == RIGHT && (a.prot & NW_PROT_R) && (a.prot & NW_PROT_W)) {
		a.prot &= (uint8_t)~NW_PROT_W;
		a.software |= PLANT_MARK;
	}
	if (planted == EXECUTE && (a.prot & NW_PROT_R) &&
	    (a.prot & NW_PROT_X) == NW_PROT_X) {
		a.prot &= (uint8_t)~NW_PROT_X;
		a.software |= PLANT_MARK;
	}
	if (planted == TYPE && a.memtype == NW_MEM_NORMAL_WB) {
		a.memtype = NW_MEM_NORMAL_WT;
		a.software |= PLANT_MARK;
	}
	return sound->map(t, ia, size, pa, &a, max_level, cache, result);
}

static enum nw_status bad_lookup(struct nw_table *t, nw_ia_t ia,
				 struct nw_mapping *out)
{
	enum nw_status status = sound->lookup(t, ia, out);

	if (planted == ADDRESS && status == NW_OK && out->kind == NW_ENTRY_LEAF)
		out->pa.v ^= PLANT_PA_BIT;
	return status;
}

static void bad_decode(const struct nw_geometry *geo, unsigned level,
		       nw_entry_t entry, struct nw_decoded *out)
{
	sound->decode(geo, level, entry, out);
	if (out->kind != NW_ENTRY_LEAF || !(out->attrs.software & PLANT_MARK))
		return;
	out->attrs.software &= (uint8_t)~PLANT_MARK;
	if (planted == RIGHT)
		out->attrs.prot |= NW_PROT_W;
	if (planted == EXECUTE)
		out->attrs.prot |= NW_PROT_X;
	if (planted == TYPE)
		out->attrs.memtype = NW_MEM_NORMAL_WB;
}

const struct nw_format_ops *plant_ops(const struct nw_format_ops *ops)
{
	if (planted == NONE || planted >= SL0)
		return ops;
	sound = ops;
	defective = *ops;
	defective.map = bad_map;
	defective.lookup = bad_lookup;
	defective.decode = bad_decode;
	return &defective;
}

uint64_t plant_flip(void)
{
	return planted == SL0	 ? UINT64_C(1) << NW_ARM64_TCR_SL0_SHIFT
	       : planted == T0SZ ? 1
				 : 0;
}

int plant_no_tlbi(void)
{
	return planted == TLBI;
}

int plant_may_hang(void)
{
	return planted == ADDRESS || planted == SL0 || planted == T0SZ;
}
