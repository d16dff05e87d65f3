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
};

const struct nwv_family nwv_family_notifier = NWV_FAMILY(rules);
