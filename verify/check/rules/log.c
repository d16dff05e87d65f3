/* SPDX-License-Identifier: BSD-2-Clause */
/* Dirty logs: no write goes unlogged. */
#include "../rule.h"

#define MANUAL "requirements, TLB: dirty logging, dirty state survives; "

static int unlogged(const struct nwv_facts *f, enum nwv_unlogged what,
		    enum nwv_missing missing, struct nwv_finding *out)
{
	if (f->unlogged != what)
		return 0;
	nwv_find(out, f->written, missing);
	return 1;
}

static int write_lost(const struct nwv_facts *f, struct nwv_finding *out)
{
	return unlogged(f, NWV_UNLOGGED_WRITE, NWV_MISSING_LOG, out);
}

static int dirty_lost(const struct nwv_facts *f, struct nwv_finding *out)
{
	return unlogged(f, NWV_UNLOGGED_DIRTY, NWV_MISSING_LOG, out);
}

static int drop_unread(const struct nwv_facts *f, struct nwv_finding *out)
{
	return unlogged(f, NWV_UNREAD_DROPPED, NWV_MISSING_READ, out);
}

static const struct nwv_rule_def rules[] = {
	{{"LOG-01", "a write did not reach the dirty log",
	  "The write-protect was flushed, so this page could be written only "
	  "after somebody noticed: a fault that gave the right back, or "
	  "hardware's mark. Its page is not in the log, and the log is over, "
	  "or the entry is write-protected again and the mark is lost.",
	  MANUAL "protocols: lockless repair"},
	 NWV_ON_LOG,
	 write_lost},
	{{"LOG-02", "hardware's dirty state was lost",
	  "An entry that hardware had marked as written was cleaned, removed "
	  "or replaced, and the operation returned without the page in the "
	  "log. What a swap returns is the last word: log what it says.",
	  MANUAL "protocols: exclusive; DDI 0487 D8, Hardware management of "
		 "the Access flag and dirty state"},
	 NWV_ON_LOG,
	 dirty_lost},
	{{"LOG-03", "a dropped table was freed before its marks were read",
	  "Hardware may mark a leaf of a dropped table as written until the "
	  "drop is flushed. Read each after the flush and before the page is "
	  "freed.",
	  MANUAL "protocols: exclusive (a subtree dropped whole)"},
	 NWV_ON_LOG,
	 drop_unread},
};

const struct nwv_family nwv_family_log = NWV_FAMILY(rules);
