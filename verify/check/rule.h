/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules. A rule is a pure function of what was, what happened and what is:
 * struct nwv_facts is all it may look at. It says whether it was broken and,
 * if so, may say more in the finding. The step functions (step_*.c) make the
 * facts; what a rule says never changes the state, so that one rule more or
 * less does not change what the others see.
 */
#ifndef NWV_CHECK_RULE_H
#define NWV_CHECK_RULE_H

#include "obligation.h"

/* What a rule is about; each event raises the ones that apply. */
#define NWV_ON_ENTRY   0x00001u /* an entry of a reachable page was written */
#define NWV_ON_INIT    0x00002u /* a store that claims an unpublished page */
#define NWV_ON_REACH   0x00004u /* a valid entry becomes reachable */
#define NWV_ON_LINK    0x00008u /* a table page becomes reachable */
#define NWV_ON_TOUCH   0x00010u /* an entry of a freed or retired page */
#define NWV_ON_ALLOC   0x00020u
#define NWV_ON_UNLINK  0x00040u /* PAGE_UNLINK */
#define NWV_ON_FREE    0x00080u
#define NWV_ON_LEAK    0x00100u /* a page is left at the end */
#define NWV_ON_OPEN    0x00200u /* an obligation is left at the end */
#define NWV_ON_REUSE   0x00400u /* FRAME_REUSE */
#define NWV_ON_OWNER   0x00800u
#define NWV_ON_LOCK    0x01000u
#define NWV_ON_UNLOCK  0x02000u
#define NWV_ON_READ    0x04000u
#define NWV_ON_SECTION 0x08000u /* leave, grace period */
#define NWV_ON_NOTIFY  0x10000u
#define NWV_ON_SWITCH  0x20000u
#define NWV_ON_ENTRY_LOCK                                                      \
	0x40000u	    /* ENTRY_LOCK, _PUBLISH, RMW of a locked one */
#define NWV_ON_END 0x80000u /* anything else left at the end */
#define NWV_ON_RETURN                                                          \
	0x100000u /* an operation ended, its obligation is open */
#define NWV_ON_OP     0x200000u /* an operation changed a translation */
#define NWV_ON_RUN    0x400000u /* a contiguous run, when all is done */
#define NWV_ON_LOG    0x800000u /* a write that should be in a dirty log */
#define NWV_ON_MAPPED 0x1000000u /* a leaf that should not be there */
#define NWV_ON_BOOKS  0x2000000u /* ownership */
#define NWV_ON_HANDLER                                                         \
	0x4000000u /* SLEEP, RETRY, and where an install stands */

enum nwv_store {
	NWV_STORE_PLAIN,
	NWV_STORE_RELEASE,
	NWV_STORE_ATOMIC,
};

/* What an operation did to a part of the input addresses. */
enum nwv_op_change {
	NWV_OP_LOST = 1,   /* a translation, or a right */
	NWV_OP_GAINED = 2, /* a translation, or a right */
	NWV_OP_MOVED = 4,  /* another address, type or shareability */
};

enum nwv_run_flaw {
	NWV_RUN_WHOLE,
	NWV_RUN_MEMBER, /* a member is not contiguous, or no leaf */
	NWV_RUN_OUTPUT, /* outputs are not consecutive, or not aligned */
	NWV_RUN_ATTRS,	/* other attributes than accessed and dirty */
};

enum nwv_unlogged {
	NWV_LOGGED,
	NWV_UNLOGGED_WRITE, /* a write, or the right to write */
	NWV_UNLOGGED_DIRTY, /* hardware's mark went, and nobody took it down */
	NWV_UNREAD_DROPPED, /* a dropped leaf was freed without a look at it */
};

enum nwv_books_flaw {
	NWV_BOOKS_RIGHT,
	NWV_BOOKS_TWO_OWNERS,
	NWV_BOOKS_ALONE,   /* lent to nobody, or borrowed from nobody */
	NWV_BOOKS_CHANGED, /* by an operation that failed */
	NWV_BOOKS_PINNED,
	NWV_BOOKS_MAPPED, /* a leaf of another party's page */
	NWV_BOOKS_DIRTY,  /* handed to the host with a guest's content */
};

/* Only what belongs to the raised kinds is filled in; the rest is zero. */
struct nwv_facts {
	unsigned on;		       /* one of NWV_ON_* */
	const struct nwv_event *event; /* NULL: the end of the trace */

	/* entries */
	const struct nwv_shape *shape;
	uint64_t ia;
	uint64_t before;
	uint64_t after;
	unsigned level;
	enum nwv_kind before_kind;
	enum nwv_kind after_kind;
	unsigned delta; /* NWV_D_* */
	enum nwv_store store;
	enum nwv_flaw flaw;	  /* of `after` */
	uint8_t claims_other_old; /* its `old` is not what is there */
	uint8_t hw_may_write;	  /* `before` */
	uint8_t resize_excused;	  /* by FEAT_BBM */
	uint8_t same_translation; /* of both sizes */
	uint8_t is_writable_exec; /* a reachable EL2 leaf that is both */
	uint8_t is_device_exec;
	struct nwv_mark racing; /* last writer, when no lock lies between */

	/* an open obligation that the event comes too early for */
	uint8_t has_ob;
	struct nwv_ob ob;
	struct nwv_diagnosis diagnosis;

	/* table pages */
	enum nwv_life life; /* before the event */
	uint8_t is_known_page;
	uint8_t is_complete;
	uint8_t is_ordered;
	uint8_t is_installed; /* a CPU has this root installed */
	uint8_t needs_grace;
	uint64_t pa;
	uint64_t entries_missing;
	struct nwv_mark page_since; /* what began the page's life as it is */
	struct nwv_mark reader;	    /* section older than the unlinking */

	/* locks: of the lock, or of the entry lock */
	uint8_t is_held;
	uint8_t is_holder;
	uint8_t root_lock_missing;
	struct nwv_mark holder;

	/* sections */
	uint8_t in_section;
	uint8_t has_readers;

	/* notifiers */
	uint8_t meets_open;   /* an installed leaf and a drained range */
	uint8_t meets_closed; /* a range closed since the sample */
	uint8_t has_begin;
	uint8_t is_drained;
	uint8_t is_bumped;
	struct nwv_mark range;

	/* ownership */
	uint8_t owner_differs;
	uint64_t owner;

	/* operations: the innermost of this CPU on this table */
	uint8_t op;	  /* enum nw_op; NW_OP_NONE: none */
	uint8_t op_mode;  /* enum nw_mode + 1, its own or the table's */
	uint8_t inside;	  /* enum nwv_op_change, of its range */
	uint8_t outside;  /* and of what is no part of its range */
	struct nwv_mark op_begin;

	/* contiguous runs */
	uint8_t run_differs; /* enum nwv_run_flaw */
	struct nwv_mark run_since;

	/* dirty logs */
	uint8_t unlogged; /* enum nwv_unlogged */
	struct nwv_mark written;

	/* slots and handlers: `range` is the bracket */
	uint8_t meets_removed; /* a leaf in a range that was emptied */
	uint8_t is_atomic;
	uint8_t has_section; /* this CPU tells its sections */
	uint8_t is_locked;   /* it holds a lock */

	/* ownership */
	uint8_t books; /* enum nwv_books_flaw */
	struct nwv_mark books_since;

	/* VMIDs */
	uint8_t tag_is_stale; /* another table used it, not flushed since */
	struct nwv_mark tag_user;

	/* a root that comes back to a CPU which owes it a flush, or whose tag
	 * another root left behind there; local.h */
	struct nwv_mark return_owes;
	struct nwv_mark local_tag_user;
	uint64_t missing_cpus;
};

struct nwv_finding {
	struct nwv_mark armed;
	enum nwv_missing missing;
	uint64_t after; /* missing after this seq */
	uint64_t cpus;	/* missing on these */
	struct nwv_near near;
};

struct nwv_rule_def {
	struct nwv_rule text;
	unsigned on;
	int (*broken)(const struct nwv_facts *f, struct nwv_finding *out);
};

struct nwv_family {
	const struct nwv_rule_def *rule;
	size_t rules;
};

extern const struct nwv_family nwv_family_entry, nwv_family_bbm, nwv_family_tlb,
	nwv_family_lifetime, nwv_family_lock, nwv_family_notifier,
	nwv_family_owner, nwv_family_wx, nwv_family_op, nwv_family_log;

#define NWV_FAMILY(table)                                                      \
	{                                                                      \
		table, sizeof(table) / sizeof(*(table))                        \
	}

/* Sort the rules by what they are about. 0, or -1: more than we have room for
 * (a mistake of ours, found by the first test). */
int nwv_rules_index(struct nwv_check *c);

/* Judge the facts by every rule they concern. Returns how many were broken. */
unsigned nwv_judge(struct nwv_check *c, const struct nwv_facts *f);

/* Facts of an obligation that is still open: `ob`, `diagnosis`, and of its
 * table. */
void nwv_facts_ob(const struct nwv_check *c, uint32_t number,
		  struct nwv_facts *f);

/* For findings. */
static inline void nwv_find(struct nwv_finding *out, struct nwv_mark armed,
			    enum nwv_missing missing)
{
	out->armed = armed;
	out->missing = missing;
	out->after = armed.seq;
}

static inline void nwv_find_ob(struct nwv_finding *out,
			       const struct nwv_facts *f)
{
	out->armed = f->ob.armed;
	out->missing = f->diagnosis.missing;
	out->after = f->diagnosis.after;
	out->near = f->diagnosis.near;
	out->cpus = f->diagnosis.cpus;
}

#endif
