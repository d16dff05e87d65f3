/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle: says of a trace which rule of the architecture was broken, by
 * which event, armed by which earlier one, and what was missing.
 *
 * It takes events one by one, offline from a file or inline from the program
 * that makes them, with the same defaults. It never prints and never stops at
 * a violation: each root cause is reported once and then taken as repaired.
 *
 * Not thread-safe: events have one order, so the caller serialises.
 *
 * Manual: Arm Architecture Reference Manual, DDI 0487. Rules: docs/rules.md.
 */
#ifndef NWV_CHECK_H
#define NWV_CHECK_H

#include <stddef.h>

#include "../trace/event.h"

struct nwv_check;

/* In the order of the exit codes of `nestwalk check`. */
enum nwv_check_status {
	NWV_CHECK_CLEAN,
	NWV_CHECK_VIOLATION,
	NWV_CHECK_MALFORMED,   /* the trace is no trace: see _problem() */
	NWV_CHECK_UNSUPPORTED, /* a table we have no profile for */
	NWV_CHECK_INTERNAL,    /* out of memory */
};

/* One rule; the table of all of them is nwv_rule_at(). */
struct nwv_rule {
	const char *id;	     /* "BBM-01" */
	const char *title;   /* one line, what was done wrong */
	const char *explain; /* why it is wrong, and what to do instead */
	const char *manual;  /* section of DDI 0487, or of our own documents */
};

/* At most so many rules. */
#define NWV_RULES_MAX 192

/* A zeroed struct gives the defaults. */
struct nwv_check_config {
	unsigned violations_max; /* kept; more are only counted. 0: 256 */
	uint64_t mair_el2;	 /* 0: NW_ARM64_MAIR_EL2 */
	/* For tests: bit n % 64 of word n / 64 switches nwv_rule_at(n) off. */
	uint64_t rules_off[NWV_RULES_MAX / 64];
};

/* Where something happened. `kind` NW_EV_NONE: nowhere. */
struct nwv_mark {
	uint64_t seq;
	const char *file; /* NULL: unknown */
	uint32_t line;
	uint16_t cpu;
	uint16_t kind; /* enum nw_event */
};

/* What would have made it right. */
enum nwv_missing {
	NWV_MISSING_NOTHING,
	NWV_MISSING_DSB_BEFORE, /* DSB ISHST between store and invalidation */
	NWV_MISSING_TLBI_IPA,	/* IPAS2E1IS, or VMALLS12E1IS for all */
	NWV_MISSING_DSB_MIDDLE, /* DSB ISH between the two invalidations */
	NWV_MISSING_TLBI_COMBINED, /* VMALLE1IS */
	NWV_MISSING_TLBI_STAGE1,   /* VAE2IS, or ALLE2IS for all */
	NWV_MISSING_DSB_AFTER,	   /* DSB ISH that completes it */
	NWV_MISSING_BREAK,	   /* an invalid entry and its flush first */
	NWV_MISSING_ATOMIC,	   /* a compare-and-swap or swap */
	NWV_MISSING_LOCK,	   /* a lock passed on between the two */
	NWV_MISSING_RELEASE,	   /* a release store, or DMB ISHST */
	NWV_MISSING_CONTENT,	   /* the rest of the table page */
	NWV_MISSING_UNLINK,	   /* the entry cleared first */
	NWV_MISSING_GRACE,	   /* a grace period */
	NWV_MISSING_FREE,
	NWV_MISSING_PUBLISH,
	NWV_MISSING_SWITCH, /* another root installed first */
	NWV_MISSING_VMID_FLUSH,
	NWV_MISSING_DRAIN,
	NWV_MISSING_END,
	NWV_MISSING_RETRY, /* of the fault, from a new sample */
	NWV_MISSING_MEMBERS, /* the same change of the run's other entries */
	NWV_MISSING_LOG,     /* the range in the dirty log */
	NWV_MISSING_READ, /* of a dropped entry, flushed and not yet freed */
	NWV_MISSING_REMOVAL, /* of what is mapped */
	NWV_MISSING_SECTION, /* around recheck and install */
	NWV_MISSING_PARTNER, /* the other party's books */
	NWV_MISSING_UNDO,    /* of the states that were changed */
	NWV_MISSING_UNPIN,
	NWV_MISSING_SCRUB,
	NWV_MISSING_TLBI_LOCAL, /* by each of `missing_cpus` */
	NWV_MISSING_TLBI_TAG,	 /* the same of a whole tag */
	NWV_MISSING_TLBI_GLOBAL, /* the same, global entries included */
	NWV_MISSING_TLBSYNC,
	NWV_MISSING_IPI_WAIT,
	NWV_MISSING_FENCE, /* between the store and the interrupt */
	NWV_MISSING_COUNT,
};

/* Why an event that almost served did not. */
enum nwv_why {
	NWV_WHY_NONE,
	NWV_WHY_EARLY,	    /* invalidated before a DSB ordered the store */
	NWV_WHY_LOCAL,	    /* this CPU only */
	NWV_WHY_TAG,	    /* another VMID or ASID; got, want */
	NWV_WHY_LEVEL,	    /* hint names another level; got, want (arm) */
	NWV_WHY_GRANULE,    /* operand names another granule */
	NWV_WHY_LAST_LEVEL, /* last level only, and a table went */
	NWV_WHY_NO_MIDDLE,  /* no DSB ISH since the first invalidation */
	NWV_WHY_NO_IPA,	    /* combined entries only */
	NWV_WHY_KIND,	    /* a store barrier, or a DMB, cannot complete it */
	NWV_WHY_DOMAIN,	    /* non-shareable */
	NWV_WHY_CPU,	    /* another CPU's; got, want */
	/* where each CPU invalidates for itself */
	NWV_WHY_UNSEEN,	 /* before `want`'s store was known on `got` */
	NWV_WHY_ROOT,	 /* of the table at page frame `got`, not `want` */
	NWV_WHY_ADDRESS, /* nothing was owed at its address */
	NWV_WHY_GLOBAL,	    /* global entries stay */
	NWV_WHY_COUNT,
};

struct nwv_near {
	uint64_t seq;
	uint32_t got;
	uint32_t want;
	uint8_t why;	 /* enum nwv_why; _NONE: there was none */
	uint8_t is_tlbi; /* `op` is enum nw_tlbi, else enum nw_barrier */
	uint8_t op;
	uint8_t cpu; /* that did it, where each invalidates for itself */
};

struct nwv_violation {
	const struct nwv_rule *rule;
	struct nwv_event event; /* kind NW_EV_NONE: the end of the trace */
	struct nwv_mark armed;
	enum nwv_missing missing;
	uint64_t missing_after; /* seq */
	uint64_t missing_cpus;	/* bit n: on CPU n; 0: it does not matter */
	struct nwv_near near;
	/* what it is about; 0 where it does not apply */
	uint64_t before;
	uint64_t after;
	uint64_t ia;
	uint64_t pa;
	uint16_t root; /* 1-based number of the table; 0: none */
	uint16_t tag;
	uint8_t regime;	   /* enum nw_regime */
	uint8_t level;	   /* 0 is the smallest page */
	uint8_t has_entry; /* before, after, ia and level say something */
	uint64_t also;	   /* further ones with the same cause, not listed */
};

/* NULL: no memory. `config` may be NULL. */
struct nwv_check *nwv_check_new(const struct nwv_check_config *config);
void nwv_check_free(struct nwv_check *c);

/*
 * Take the next event. Returns the verdict so far; malformed traces and
 * internal errors stop judging, and stay.
 */
enum nwv_check_status nwv_check_event(struct nwv_check *c,
				      const struct nwv_event *event);

/* The trace is over: what is still open becomes a violation. Once. */
enum nwv_check_status nwv_check_end(struct nwv_check *c);

/* The verdict so far; malformed comes before everything else. */
enum nwv_check_status nwv_check_status(const struct nwv_check *c);

/* Sentence about why it is malformed or unsupported, and NULL otherwise. */
const char *nwv_check_problem(const struct nwv_check *c);

/*
 * Every write to the table with this root must hold this lock (rule LOCK-03).
 * For imported traces that say so; the events themselves do not.
 */
void nwv_check_root_lock(struct nwv_check *c, uint64_t root_pa, uint64_t lock);

size_t nwv_check_violations(const struct nwv_check *c);
/* In order of detection. NULL past the end. */
const struct nwv_violation *nwv_check_violation(const struct nwv_check *c,
						size_t index);

/* Not listed because violations_max was reached. */
uint64_t nwv_check_dropped(const struct nwv_check *c);
/* Invalidations that are owed at this moment. */
size_t nwv_check_outstanding(const struct nwv_check *c);
/* Bytes of memory in use. */
size_t nwv_check_bytes(const struct nwv_check *c);

/* ---- rules and words --------------------------------------------------- */

size_t nwv_rule_count(void);
const struct nwv_rule *nwv_rule_at(size_t index);     /* NULL past the end */
const struct nwv_rule *nwv_rule_find(const char *id); /* NULL: none */

/*
 * The whole verdict in some lines, without a newline at the end. Returns the
 * length it has or would have, as snprintf().
 */
int nwv_violation_text(const struct nwv_violation *v, char *text, size_t size);
/* Its parts, for other output forms; empty when there is nothing to say. */
int nwv_violation_missing(const struct nwv_violation *v, char *text,
			  size_t size);
int nwv_violation_near(const struct nwv_violation *v, char *text, size_t size);

#endif
