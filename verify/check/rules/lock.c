/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks, locked entries and read-side sections. */
#include "../rule.h"

#define LOCKED "protocols: locked entries"

static int unlock_other(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->is_held && f->is_holder)
		return 0;
	nwv_find(out, f->holder, NWV_MISSING_LOCK);
	return 1;
}

static int lock_held(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->is_held)
		return 0;
	nwv_find(out, f->holder, NWV_MISSING_NOTHING);
	return 1;
}

static int no_root_lock(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->root_lock_missing)
		return 0;
	nwv_find(out, f->holder, NWV_MISSING_LOCK);
	return 1;
}

static int token_valid(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->event && f->event->kind == NW_EV_ENTRY_LOCK &&
	       f->after_kind != NWV_INVALID;
}

static int publish_other(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->event || f->event->kind != NW_EV_ENTRY_PUBLISH ||
	    (f->is_held && f->is_holder))
		return 0;
	nwv_find(out, f->holder, NWV_MISSING_LOCK);
	return 1;
}

/* Stealing is a swap to an invalid value; the owner's publish then fails. */
static int overwritten(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->event || f->event->kind == NW_EV_ENTRY_PUBLISH || !f->is_held)
		return 0;
	if (f->event->kind != NW_EV_ENTRY_LOCK &&
	    (f->is_holder ||
	     (f->store == NWV_STORE_ATOMIC && f->after_kind == NWV_INVALID)))
		return 0;
	nwv_find(out, f->holder, NWV_MISSING_PUBLISH);
	return 1;
}

static int never_published(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->event || !f->is_held)
		return 0;
	nwv_find(out, f->holder, NWV_MISSING_PUBLISH);
	return 1;
}

static int leave_unentered(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->event->kind == NW_EV_SECTION_LEAVE && !f->in_section;
}

static int grace_inside(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->event->kind != NW_EV_GRACE_PERIOD || !f->in_section)
		return 0;
	nwv_find(out, f->reader, NWV_MISSING_NOTHING);
	return 1;
}

static int read_outside(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->has_readers || f->in_section || f->life != NWV_UNLINKED)
		return 0;
	nwv_find(out, f->page_since, NWV_MISSING_NOTHING);
	return 1;
}

static const struct nwv_rule_def rules[] = {
	{{"LOCK-01", "a lock was released by a CPU that does not hold it",
	  "Whoever holds it works on unprotected from here on.",
	  "protocols: exclusive"},
	 NWV_ON_UNLOCK,
	 unlock_other},
	{{"LOCK-02", "a lock was taken while another CPU holds it",
	  "Two CPUs are inside at once (or an unlock event is missing).",
	  "protocols: exclusive"},
	 NWV_ON_LOCK,
	 lock_held},
	{{"LOCK-03", "a table was written without the lock of its root",
	  "This table has a lock that every writer must hold.",
	  "protocols: exclusive"},
	 NWV_ON_ENTRY,
	 no_root_lock},
	{{"LOCK-04", "an entry was locked with a value that hardware uses",
	  "A locked entry must be invalid for hardware: it stands there while "
	  "its owner replaces it.",
	  LOCKED},
	 NWV_ON_ENTRY_LOCK,
	 token_valid},
	{{"LOCK-05", "an entry was published by a CPU that does not own it",
	  "A locked entry ends in one publish by its owner. After a steal the "
	  "owner's publish is a compare-and-swap that fails.",
	  LOCKED},
	 NWV_ON_ENTRY_LOCK,
	 publish_other},
	{{"LOCK-06", "a locked entry was overwritten",
	  "Only its owner may give it a new value. A removal waits, or steals "
	  "it by a swap to an invalid value.",
	  LOCKED},
	 NWV_ON_ENTRY_LOCK,
	 overwritten},
	{{"LOCK-07", "a locked entry was never published",
	  "Everybody who meets it waits for ever.", LOCKED},
	 NWV_ON_END,
	 never_published},
	{{"SECT-01", "a section was left that was not entered",
	  "The accesses before it were not protected.",
	  "protocols: grace periods"},
	 NWV_ON_SECTION,
	 leave_unentered},
	{{"SECT-02", "a grace period was awaited inside a section",
	  "It cannot elapse while the waiter itself is inside; if it did, it "
	  "protected nobody.",
	  "protocols: grace periods"},
	 NWV_ON_SECTION,
	 grace_inside},
	{{"SECT-03", "an entry of an unlinked page was read outside a section",
	  "Nothing keeps the page from being freed: references are good only "
	  "inside the section in which they were made.",
	  "requirements S0.2; protocols: grace periods"},
	 NWV_ON_READ,
	 read_outside},
};

const struct nwv_family nwv_family_lock = NWV_FAMILY(rules);
