/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations: what one may change, and what it has done when it returns. */
#include "../rule.h"

#include <nestwalk/table.h>

static int removed_by_relax(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->op != NW_OP_RELAX || !(f->inside & (NWV_OP_LOST | NWV_OP_MOVED)))
		return 0;
	nwv_find(out, f->op_begin, NWV_MISSING_NOTHING);
	return 1;
}

static int is_restricting(unsigned op)
{
	return op == NW_OP_RESTRICT || op == NW_OP_WRITE_PROTECT ||
	       op == NW_OP_HARVEST_DIRTY || op == NW_OP_AGE;
}

static int added_by_restrict(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!is_restricting(f->op) ||
	    !(f->inside & (NWV_OP_GAINED | NWV_OP_MOVED)))
		return 0;
	nwv_find(out, f->op_begin, NWV_MISSING_NOTHING);
	return 1;
}

static int mapped_over(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->op != NW_OP_MAP || f->before_kind == NWV_INVALID)
		return 0;
	nwv_find(out, f->op_begin, NWV_MISSING_NOTHING);
	return 1;
}

/* Nothing at all may change, wherever it is. */
static int is_of_shape(unsigned op)
{
	return op == NW_OP_SPLIT || op == NW_OP_RECLAIM;
}

static int out_of_range(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->outside || is_of_shape(f->op))
		return 0;
	nwv_find(out, f->op_begin, NWV_MISSING_NOTHING);
	return 1;
}

static int changed_by_shape(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!is_of_shape(f->op) || !(f->inside | f->outside))
		return 0;
	nwv_find(out, f->op_begin, NWV_MISSING_NOTHING);
	return 1;
}

static int unflushed(const struct nwv_facts *f, struct nwv_finding *out)
{
	nwv_find_ob(out, f);
	return 1;
}

#define MANUAL "requirements, entries: relax, protect; include/nestwalk/table.h"

static const struct nwv_rule_def rules[] = {
	{{"OP-01", "relax took a right away",
	  "An operation that adds rights removed one, or gave an entry another "
	  "address or type. Who adds rights does not flush, so that what was "
	  "removed would stay in TLBs.",
	  MANUAL},
	 NWV_ON_OP,
	 removed_by_relax},
	{{"OP-02", "a restricting operation added a right",
	  "Restrict, write-protect, harvest and age take rights or marks away. "
	  "Here one gave an entry a right, a translation, or another address "
	  "or type: a guest can do more than before.",
	  MANUAL},
	 NWV_ON_OP,
	 added_by_restrict},
	{{"OP-03", "map wrote an entry that was valid",
	  "Map fills what is empty. What is mapped already is unmapped first, "
	  "with its flush; map itself flushes nothing.",
	  MANUAL},
	 NWV_ON_OP,
	 mapped_over},
	{{"OP-04", "an operation changed what lies outside of its range",
	  "A translation that is no part of the range was changed. A block "
	  "that sticks out of the range is split first, into entries that "
	  "translate the same.",
	  MANUAL},
	 NWV_ON_OP,
	 out_of_range},
	{{"OP-05", "a change of shape changed a translation",
	  "Splitting a block and giving back empty tables change the tree and "
	  "nothing that it translates.",
	  MANUAL},
	 NWV_ON_OP,
	 changed_by_shape},
	{{"TLB-21", "an operation returned before its flush was complete",
	  "When an operation returns or yields, no TLB holds more than the "
	  "tables allow, but for an access flag that was cleared and rights "
	  "that were added. What this operation removed or narrowed is still "
	  "owed.",
	  "requirements, TLB; DDI 0487 D8.17, Ordering and completion of TLB "
	  "maintenance instructions"},
	 NWV_ON_RETURN,
	 unflushed},
};

const struct nwv_family nwv_family_op = NWV_FAMILY(rules);
