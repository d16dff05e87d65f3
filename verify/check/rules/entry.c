/* SPDX-License-Identifier: BSD-2-Clause */
/* Single entries: who may write one how, and what it may hold. */
#include "../rule.h"

#include <nestwalk/table.h>

static int stale_old(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->store == NWV_STORE_ATOMIC || !f->claims_other_old)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_ATOMIC);
	return 1;
}

static int plain_over_hw(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->store == NWV_STORE_ATOMIC || !f->hw_may_write)
		return 0;
	out->missing = NWV_MISSING_ATOMIC;
	return 1;
}

static int blind(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->op_mode != NW_MODE_SHARED + 1 || f->store == NWV_STORE_ATOMIC ||
	    (f->event && f->event->kind == NW_EV_ENTRY_PUBLISH))
		return 0;
	out->missing = NWV_MISSING_ATOMIC;
	return 1;
}

static int broken_run(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->run_differs)
		return 0;
	nwv_find(out, f->run_since, NWV_MISSING_MEMBERS);
	return 1;
}

static int race(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->store == NWV_STORE_ATOMIC || !f->racing.kind)
		return 0;
	nwv_find(out, f->racing, NWV_MISSING_LOCK);
	return 1;
}

static int init_live(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->life != NWV_LINKED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_NOTHING);
	return 1;
}

static int reserved(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->flaw != NWV_FLAW_NONE && f->flaw != NWV_FLAW_ALIGN &&
	       f->flaw != NWV_FLAW_SIZE && f->flaw != NWV_FLAW_ERRATUM;
}

static int erratum(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->flaw == NWV_FLAW_ERRATUM;
}

static int address(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->flaw == NWV_FLAW_ALIGN || f->flaw == NWV_FLAW_SIZE;
}

static int incomplete(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->is_complete)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_CONTENT);
	return 1;
}

static int unordered(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->is_complete || f->is_ordered)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_RELEASE);
	return 1;
}

static int unknown_child(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->is_known_page && f->life != NWV_FREED && f->life != NWV_UNLINKED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_NOTHING);
	return 1;
}

static const struct nwv_rule_def rules[] = {
	{{"ENTRY-01", "a store over a value that its writer did not see",
	  "A plain store of an entry is right only when nothing else can have "
	  "changed it since it was read. Here the entry held another value, "
	  "which is lost. Use a compare-and-swap from the value seen.",
	  "protocols: shared leaf changes; DDI 0487 B2.2 (atomicity)"},
	 NWV_ON_ENTRY,
	 stale_old},
	{{"ENTRY-02", "a plain store over a leaf that hardware updates",
	  "Hardware may set the access flag or the write right (dirty state) "
	  "between the load and the store, and the store would undo it. Change "
	  "such a leaf by a compare-and-swap or a swap.",
	  "DDI 0487 D8, Hardware management of the Access flag and dirty "
	  "state"},
	 NWV_ON_ENTRY,
	 plain_over_hw},
	{{"ENTRY-03", "plain stores of two CPUs with no lock between",
	  "Two CPUs wrote the same entry and nothing orders the two: the one "
	  "overwrites the other unseen. Hold one lock around both, or use a "
	  "compare-and-swap.",
	  "DDI 0487 B2.3, Ordering; protocols: exclusive and shared modes"},
	 NWV_ON_ENTRY,
	 race},
	{{"ENTRY-04", "an initialising store to a page that walkers can reach",
	  "Filling a table page is unordered and unflushed by design; that is "
	  "right only while no walker can reach it.",
	  "protocols: order of table life"},
	 NWV_ON_INIT,
	 init_live},
	{{"ENTRY-05", "a reserved encoding was made reachable",
	  "A valid entry has a type that does not exist at its level, or "
	  "reserved bits, shareability, memory type or rights. Hardware may "
	  "fault, or take it for something else.",
	  "DDI 0487 D8.3, VMSAv8-64 translation table format descriptors; "
	  "Intel SDM vol. 3, 4.7, reserved bits, 29.3.3.1, EPT "
	  "Misconfigurations; RISC-V Privileged, Virtual Address Translation "
	  "Process"},
	 NWV_ON_REACH,
	 reserved},
	{{"ENTRY-06", "an address that does not fit its level or the machine",
	  "The output address of a block must be aligned to the block, that of "
	  "a table to the granule, and no address may exceed the output size.",
	  "DDI 0487 D8.3, VMSAv8-64 translation table format descriptors"},
	 NWV_ON_REACH,
	 address},
	{{"ENTRY-07", "a table page was linked before it was complete",
	  "Entries that were never written since the page was allocated hold "
	  "what the memory held before: a walker may follow them.",
	  "protocols: order of table life"},
	 NWV_ON_LINK,
	 incomplete},
	{{"ENTRY-08", "a table page's content is not ordered before its link",
	  "The store that links a table must be a release, or a DMB ISHST must "
	  "stand between the last store of its content and the link; else a "
	  "walker may see the link first and the old content behind it.",
	  "DDI 0487 D8.2, Translation table walks; B2.3 Ordering"},
	 NWV_ON_LINK,
	 unordered},
	{{"ENTRY-09", "a table entry points to a page that is no table page",
	  "The page was never allocated, is free, or was retired and must not "
	  "be reachable again.",
	  "protocols: order of table life"},
	 NWV_ON_LINK,
	 unknown_child},
	{{"ENTRY-10", "a large executable leaf on a machine that errs with it",
	  "On some processors a change of an executable page's size while "
	  "instructions are fetched through it is a machine check "
	  "(NW_FEAT_EPT_SPLIT_EXEC): executable leaves must be the smallest "
	  "size.",
	  "Intel, Machine Check Error Avoidance on Page Size Change; "
	  "protocols: break-before-make"},
	 NWV_ON_REACH,
	 erratum},
	{{"ENTRY-11", "a plain store to a table that is written in shared mode",
	  "Any CPU may change this entry at any time, so every store is a "
	  "compare-and-swap from the value that was seen, even where nobody "
	  "happens to be near. Only the owner of a locked entry publishes with "
	  "a plain store.",
	  "protocols: shared leaf changes; include/nestwalk/table.h, enum "
	  "nw_mode"},
	 NWV_ON_ENTRY,
	 blind},
	{{"ENTRY-12", "members of a contiguous run disagree",
	  "A TLB may hold one translation for the whole run, made from any "
	  "member. When the operation that touched it returns, all members are "
	  "leaves with the contiguous bit, consecutive output from an aligned "
	  "start, and the same attributes; accessed and dirty may differ. "
	  "Software changes all of them together.",
	  "DDI 0487 D8.7.1, The Contiguous bit; protocols: contiguous runs"},
	 NWV_ON_RUN,
	 broken_run},
};

const struct nwv_family nwv_family_entry = NWV_FAMILY(rules);
