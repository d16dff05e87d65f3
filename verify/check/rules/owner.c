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

static int in_books(const struct nwv_facts *f, enum nwv_books_flaw flaw,
		    enum nwv_missing missing, struct nwv_finding *out)
{
	if (f->books != flaw)
		return 0;
	nwv_find(out, f->books_since, missing);
	return 1;
}

static int two_owners(const struct nwv_facts *f, struct nwv_finding *out)
{
	return in_books(f, NWV_BOOKS_TWO_OWNERS, NWV_MISSING_PARTNER, out);
}

static int unpaired(const struct nwv_facts *f, struct nwv_finding *out)
{
	return in_books(f, NWV_BOOKS_ALONE, NWV_MISSING_PARTNER, out);
}

static int changed_by_failure(const struct nwv_facts *f,
			      struct nwv_finding *out)
{
	return in_books(f, NWV_BOOKS_CHANGED, NWV_MISSING_UNDO, out);
}

static int moved_pinned(const struct nwv_facts *f, struct nwv_finding *out)
{
	return in_books(f, NWV_BOOKS_PINNED, NWV_MISSING_UNPIN, out);
}

static int mapped_elsewhere(const struct nwv_facts *f, struct nwv_finding *out)
{
	return in_books(f, NWV_BOOKS_MAPPED, NWV_MISSING_REMOVAL, out);
}

static int unscrubbed(const struct nwv_facts *f, struct nwv_finding *out)
{
	return in_books(f, NWV_BOOKS_DIRTY, NWV_MISSING_SCRUB, out);
}

#define MANUAL "requirements S4.5, ownership"

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
	{{"OWNER-03", "two parties' books say that they own a page",
	  "One owner a page. Before one party's books take a page, those of "
	  "the party that gives it let go; while an operation of ownership is "
	  "open they may disagree, not when it returns.",
	  MANUAL},
	 NWV_ON_BOOKS,
	 two_owners},
	{{"OWNER-04", "a page's states do not pair up",
	  "Lent in its owner's books goes with borrowed in exactly one "
	  "other's, or in as many as the owner counts (its pins); owned alone "
	  "goes with none elsewhere.",
	  MANUAL},
	 NWV_ON_BOOKS,
	 unpaired},
	{{"OWNER-05", "an operation of ownership failed and left a change",
	  "All checks come before the first write: an operation that ends with "
	  "a status other than success leaves every state as it was.",
	  MANUAL},
	 NWV_ON_BOOKS,
	 changed_by_failure},
	{{"OWNER-06", "a pinned page was unshared, or changed its owner",
	  "Somebody counts on the page being where it is, and lent: a window "
	  "onto it may be open. It stays until the last pin is gone.",
	  MANUAL},
	 NWV_ON_BOOKS,
	 moved_pinned},
	{{"OWNER-07", "a table maps another party's page",
	  "The page is owned by another party and was not lent to the one that "
	  "this table serves. A guest's private page is in no one else's "
	  "table.",
	  MANUAL},
	 NWV_ON_BOOKS,
	 mapped_elsewhere},
	{{"OWNER-08", "a guest's page went to the host with its content",
	  "A page that comes back from a guest is zeroed before the host may "
	  "see it.",
	  MANUAL},
	 NWV_ON_BOOKS,
	 unscrubbed},
};

const struct nwv_family nwv_family_owner = NWV_FAMILY(rules);
