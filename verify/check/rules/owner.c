/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns a physical page. */
#include "../rule.h"

static int not_the_owner(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->owner_differs;
}

static int still_reachable(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->has_ob)
		return 0;
	nwv_find_ob(out, f);
	return 1;
}

static const struct nwv_rule_def rules[] = {
	{{"OWNER-01", "a page changed owner, but from somebody else",
	  "The page was given to another owner before: one owner a page, and "
	  "all checks come before the first write.",
	  "requirements S4.5, ownership"},
	 NWV_ON_OWNER,
	 not_the_owner},
	{{"OWNER-02", "a page changed owner while a TLB may still reach it",
	  "A translation of the old owner's, or a window onto the page, was "
	  "removed and its flush has not completed.",
	  "DDI 0487 D8.17, TLB maintenance; protocols: fixmap"},
	 NWV_ON_OWNER,
	 still_reachable},
};

const struct nwv_family nwv_family_owner = NWV_FAMILY(rules);
