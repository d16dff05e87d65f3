/* SPDX-License-Identifier: BSD-2-Clause */
/* Table pages: allocate, fill, publish; unlink, flush, grace period, free. */
#include "../rule.h"

#define ORDER "protocols: order of table life"

static int free_unknown(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->is_known_page && f->life != NWV_FREED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_NOTHING);
	return 1;
}

static int free_linked(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->is_known_page || f->life != NWV_LINKED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_UNLINK);
	return 1;
}

static int free_unflushed(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->is_known_page || !f->has_ob)
		return 0;
	nwv_find_ob(out, f);
	return 1;
}

static int free_without_grace(const struct nwv_facts *f,
			      struct nwv_finding *out)
{
	if (!f->is_known_page || f->life != NWV_UNLINKED || f->has_ob ||
	    !f->needs_grace)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_GRACE);
	return 1;
}

static int install_retired(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->life != NWV_UNLINKED || f->after_kind == NWV_INVALID)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_NOTHING);
	return 1;
}

static int touch_freed(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->life != NWV_FREED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_NOTHING);
	return 1;
}

static int leak(const struct nwv_facts *f, struct nwv_finding *out)
{
	nwv_find(out, f->page_since, NWV_MISSING_FREE);
	return 1;
}

static int unlink_reachable(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->life != NWV_LINKED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_UNLINK);
	return 1;
}

static int alloc_in_use(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->is_known_page || f->life == NWV_FREED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_FREE);
	return 1;
}

static int reuse_unflushed(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->has_ob)
		return 0;
	nwv_find_ob(out, f);
	return 1;
}

static int free_installed(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->is_installed)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_SWITCH);
	return 1;
}

static const struct nwv_rule_def rules[] = {
	{{"LIFE-01", "a page was freed that is not allocated",
	  "It was freed already, or was never a table page.", ORDER},
	 NWV_ON_FREE,
	 free_unknown},
	{{"LIFE-02", "a table page was freed while walkers can reach it",
	  "An entry of a live table still points to it. Clear the entry, "
	  "flush, wait for a grace period if the table has readers, then "
	  "free.",
	  ORDER},
	 NWV_ON_FREE,
	 free_linked},
	{{"LIFE-03", "a table page was freed before its flush completed",
	  "Walk caches still lead to it, and hardware takes whatever the page "
	  "holds next for entries.",
	  "DDI 0487 D8.17, TLB maintenance; " ORDER},
	 NWV_ON_FREE,
	 free_unflushed},
	{{"LIFE-04", "a table page was freed before a grace period",
	  "The table is read in sections (lockless lookups), and one that "
	  "began before the page was unlinked may still hold a reference. A "
	  "grace period must begin after the unlinking and elapse.",
	  ORDER},
	 NWV_ON_FREE,
	 free_without_grace},
	{{"LIFE-05", "an entry was installed into a retired table",
	  "The page was unlinked: the mapping is lost, and comes back to life "
	  "wherever the page is used next. Freeze entries before unlinking, "
	  "and restart from the root on meeting a frozen one.",
	  "protocols: retiring an empty table"},
	 NWV_ON_TOUCH,
	 install_retired},
	{{"LIFE-06", "an entry of a freed page was used",
	  "The page belongs to somebody else by now.", ORDER},
	 NWV_ON_TOUCH,
	 touch_freed},
	{{"LIFE-07", "a table page was never freed",
	  "Every table is gone, and this page of theirs is still allocated.",
	  ORDER},
	 NWV_ON_LEAK,
	 leak},
	{{"LIFE-08", "a table page is said to be unlinked, but is reachable",
	  "No entry above it was cleared.", ORDER},
	 NWV_ON_UNLINK,
	 unlink_reachable},
	{{"LIFE-09", "a page was allocated that is still in use",
	  "It was never freed: two tables would share it.", ORDER},
	 NWV_ON_ALLOC,
	 alloc_in_use},
	{{"LIFE-10", "a frame was reused while a TLB may still reach it",
	  "A translation to it was removed or narrowed, and the flush has not "
	  "completed: the old user writes to the new user's memory.",
	  "DDI 0487 D8.17, TLB maintenance"},
	 NWV_ON_REUSE,
	 reuse_unflushed},
	{{"LIFE-11", "a root was freed while a CPU has it installed",
	  "That CPU walks it at any moment, speculatively too. Install "
	  "another root first, then ISB.",
	  "DDI 0487 D8.2, Translation table walks"},
	 NWV_ON_FREE,
	 free_installed},
};

const struct nwv_family nwv_family_lifetime = NWV_FAMILY(rules);
