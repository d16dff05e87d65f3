/* SPDX-License-Identifier: BSD-2-Clause */
/* Invalidation brackets and the faults that run beside them. */
#include "../rule.h"

#define MANUAL "protocols: fault against invalidation, which ranges matter"

static int end_alone(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->event && f->event->kind == NW_EV_NOTIFY_END && !f->has_begin;
}

static int left_open(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (f->event || !f->has_begin)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_END);
	return 1;
}

static int into_open(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->meets_open)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_RETRY);
	return 1;
}

static int into_closed(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->meets_closed)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_RETRY);
	return 1;
}

static int not_bumped(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->event || f->event->kind != NW_EV_NOTIFY_END || !f->has_begin ||
	    f->is_bumped)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_NOTHING);
	return 1;
}

static int not_drained(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->event || f->event->kind != NW_EV_NOTIFY_END || !f->has_begin ||
	    f->is_drained)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_DRAIN);
	return 1;
}

static int still_mapped(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->meets_removed)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_REMOVAL);
	return 1;
}

static int slept(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->event || f->event->kind != NW_EV_SLEEP || !f->is_atomic)
		return 0;
	nwv_find(out, f->range, NWV_MISSING_END);
	return 1;
}

static int too_many(const struct nwv_facts *f, struct nwv_finding *out)
{
	(void)out;
	return f->event && f->event->kind == NW_EV_RETRY &&
	       f->event->b > f->event->c;
}

static int outside_section(const struct nwv_facts *f, struct nwv_finding *out)
{
	if (!f->event || f->event->kind != NW_EV_NOTIFY_INSTALL ||
	    !f->has_section || f->is_locked)
		return 0;
	out->missing = NWV_MISSING_SECTION;
	return 1;
}

static const struct nwv_rule_def rules[] = {
	{{"NOTIFY-01", "an invalidation ended that never began",
	  "The count of open invalidations would become negative, and the "
	  "next one would not be noticed.",
	  MANUAL},
	 NWV_ON_NOTIFY,
	 end_alone},
	{{"NOTIFY-02", "an invalidation never ended",
	  "Every fault in its range retries for ever.", MANUAL},
	 NWV_ON_END | NWV_ON_NOTIFY,
	 left_open},
	{{"NOTIFY-03",
	  "a fault installed into a range that is being "
	  "invalidated",
	  "begin had drained already: whoever installs now did not see the "
	  "range, and its page outlives the removal. Recheck and install in "
	  "one section, against the whole leaf.",
	  MANUAL},
	 NWV_ON_NOTIFY,
	 into_open},
	{{"NOTIFY-04",
	  "a fault installed a page resolved before an "
	  "invalidation",
	  "A range that meets the leaf was closed after the fault took its "
	  "sample: the page it resolved may be gone. Retry from a new "
	  "sample.",
	  MANUAL},
	 NWV_ON_NOTIFY,
	 into_closed},
	{{"NOTIFY-05", "an invalidation ended without a new sequence",
	  "A fault that sampled before would pass its recheck. The sequence "
	  "is bumped before the count drops.",
	  MANUAL},
	 NWV_ON_NOTIFY,
	 not_bumped},
	{{"NOTIFY-06", "an invalidation went on without a drain",
	  "A fault that passed its recheck before the range was published may "
	  "install behind the removal. begin waits until every such section "
	  "has ended.",
	  MANUAL},
	 NWV_ON_NOTIFY,
	 not_drained},
	{{"NOTIFY-07", "a page is mapped in a range that was emptied",
	  "The removal inside the bracket is over, and the bracket is not: "
	  "nothing of the range is in the guest's tables until it ends. Either "
	  "the removal left it out, or somebody mapped it behind it.",
	  MANUAL},
	 NWV_ON_MAPPED,
	 still_mapped},
	{{"NOTIFY-08", "a handler that may not sleep did",
	  "The bracket was begun where sleeping is forbidden (is_atomic): its "
	  "handler refuses what it cannot do without, and lets the caller try "
	  "again where it may.",
	  "requirements S3.2; protocols: fault against invalidation"},
	 NWV_ON_HANDLER,
	 slept},
	{{"NOTIFY-09", "a fault tried more often than its bound",
	  "A fault that meets invalidations retries a bounded number of times "
	  "and then returns a status, so that its caller can let others run.",
	  MANUAL},
	 NWV_ON_HANDLER,
	 too_many},
	{{"NOTIFY-10", "a fault installed outside of a section",
	  "begin drains sections: an install in none of them, and without a "
	  "lock, may come after the drain. Recheck and install are one short "
	  "section.",
	  MANUAL},
	 NWV_ON_HANDLER,
	 outside_section},
};

const struct nwv_family nwv_family_notifier = NWV_FAMILY(rules);
