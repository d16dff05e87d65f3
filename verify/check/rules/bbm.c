/* SPDX-License-Identifier: BSD-2-Clause */
/* Break-before-make: what may not change while the entry is valid. */
#include "../rule.h"

#define BBM_ANY (NW_FEAT_BBM1 | NW_FEAT_BBM2)
#define MANUAL                                                                 \
	"DDI 0487 D8.16.1, Using break-before-make when updating translation " \
	"table entries; Intel SDM vol. 3, 4.10.4, Invalidation of TLBs and "   \
	"Paging-Structure Caches; RISC-V Privileged, SFENCE.VMA"
#define MANUAL_SIZE                                                            \
	"DDI 0487 D8.16, Support levels for changing table or block size"

static int needs_break(unsigned on_delta, const struct nwv_facts *f,
		       struct nwv_finding *out)
{
	if (!(f->delta & on_delta))
		return 0;
	out->missing = NWV_MISSING_BREAK;
	return 1;
}

static int output(const struct nwv_facts *f, struct nwv_finding *out)
{
	return needs_break(NWV_D_ADDRESS, f, out);
}

static int memory_type(const struct nwv_facts *f, struct nwv_finding *out)
{
	return needs_break(NWV_D_MEMTYPE, f, out);
}

static int shareability(const struct nwv_facts *f, struct nwv_finding *out)
{
	return needs_break(NWV_D_SHARE, f, out);
}

static int contiguous(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->shape->features & BBM_ANY)
		return 0;
	return needs_break(NWV_D_CONTIG, f, out);
}

static int size(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->resize_excused)
		return 0;
	return needs_break(NWV_D_TO_TABLE | NWV_D_TO_BLOCK, f, out);
}

static int size_and_more(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->resize_excused || f->same_translation)
		return 0;
	return needs_break(NWV_D_TO_TABLE | NWV_D_TO_BLOCK, f, out);
}

static int too_early(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!(f->delta & NWV_D_MADE) || !f->has_ob)
		return 0;
	nwv_find_ob(out, f);
	return 1;
}

static int table_swap(const struct nwv_facts *f, struct nwv_finding *out)
{
	return needs_break(NWV_D_TABLE, f, out);
}

static int made_global(const struct nwv_facts *f, struct nwv_finding *out)
{
	return needs_break(NWV_D_GLOBAL, f, out);
}

static const struct nwv_rule_def rules[] = {
	{{"BBM-01", "output address changed while the entry was valid",
	  "A TLB may hold the old and the new translation at once and use "
	  "either, or a mixture. At every FEAT_BBM level: write an invalid "
	  "entry, DSB, invalidate, DSB, then write the new one.",
	  MANUAL},
	 NWV_ON_ENTRY,
	 output},
	{{"BBM-02", "memory type changed while the entry was valid",
	  "Accesses with two memory types or cacheabilities to one location "
	  "lose coherency. Break, invalidate, make.",
	  MANUAL},
	 NWV_ON_ENTRY,
	 memory_type},
	{{"BBM-03", "shareability changed while the entry was valid",
	  "Accesses with two shareabilities to one location lose coherency. "
	  "Break, invalidate, make.",
	  MANUAL},
	 NWV_ON_ENTRY,
	 shareability},
	{{"BBM-04", "contiguous bit changed while the entry was valid",
	  "The contiguous bit and nT change the size of what a TLB holds; two "
	  "sizes at once conflict. Without FEAT_BBM level 1: break, "
	  "invalidate, make.",
	  MANUAL_SIZE},
	 NWV_ON_ENTRY,
	 contiguous},
	{{"BBM-05", "block and table exchanged while the entry was valid",
	  "The TLB may hold the block and a page of the table at once: a "
	  "conflict abort, or a mixture. FEAT_BBM level 2 allows it, level 1 "
	  "only for a block with nT set; otherwise break, invalidate, make.",
	  MANUAL_SIZE},
	 NWV_ON_ENTRY,
	 size},
	{{"BBM-06", "size changed in place, and the translation with it",
	  "FEAT_BBM excuses changes of size only: every address must translate "
	  "exactly as before, attributes included.",
	  MANUAL_SIZE},
	 NWV_ON_ENTRY,
	 size_and_more},
	{{"BBM-07", "made valid before the break was flushed",
	  "Between the invalid entry and the new one the old translation must "
	  "be gone from every TLB: DSB, invalidation, DSB completed.",
	  MANUAL},
	 NWV_ON_ENTRY,
	 too_early},
	{{"BBM-08", "one table replaced by another while the entry was valid",
	  "Walk caches may hold the old table while the new one is in use. "
	  "Break, invalidate (not last level only), make.",
	  MANUAL},
	 NWV_ON_ENTRY,
	 table_swap},
	{{"BBM-09", "made global while the entry was valid",
	  "A TLB may hold the entry of one ASID and the global one at once, "
	  "and use either. Break, invalidate, make. (The other way about owes "
	  "an invalidation that reaches every ASID.)",
	  MANUAL},
	 NWV_ON_ENTRY,
	 made_global},
};

const struct nwv_family nwv_family_bbm = NWV_FAMILY(rules);
