/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Faults against invalidation (requirements S3, protocols 1).
 *
 * CPU 0 is the host that takes a page back: begin, remove, use the frame for
 * something else, end. CPU 1 faults: it samples the sequence, resolves the
 * backing, then rechecks and installs in one short section.
 */
#include "scenarios.h"

#define NO_ENTRY UINT64_C(0)

struct state {
	uint64_t count;	   /* invalidations in progress */
	uint64_t sequence; /* bumped by each end */
	uint64_t section[NWM_CPUS_MAX]; /* CPU is between recheck and install */
	uint64_t backing; /* the host's own entry: a frame */
	uint64_t entry;	  /* the guest's entry */
	uint64_t retries;
};

enum { OLD_FRAME = 0x1000, NEW_FRAME = 0x2000 };

/* What is left out in the wrong forms. */
struct bracket {
	int drains;
	int bumps_first;
	int rechecks_count;
	int rechecks_sequence;
};

static void setup(void *state)
{
	struct state *s = state;

	nwx_store(&s->backing, OLD_FRAME, NWM_RELAXED);
	nwx_name(&s->count, "count");
	nwx_name(&s->sequence, "sequence");
	nwx_name(&s->backing, "host's entry");
	nwx_name(&s->entry, "guest's entry");
	nwx_name(&s->section[0], "section of CPU 0");
	nwx_name(&s->section[1], "section of CPU 1");
	nwx_name(&s->section[2], "section of CPU 2");
}

/* ---- what the oracle is told: each right after the step that it is about - */

#define RANGE UINT64_C(0x200000), UINT64_C(0x201000)

static void tell(enum nw_event event, uint64_t sequence)
{
	nwx_trace(event, RANGE, sequence, NULL, 0);
}

/* Waits until every section that may have missed the count has ended. */
static void drain(struct state *s)
{
	for (unsigned cpu = 1; cpu < NWM_CPUS_MAX; cpu++)
		(void)nwx_await(&s->section[cpu], 0, NWX_UNTIL);
	tell(NW_EV_NOTIFY_DRAIN, 0);
}

/* The sequence is what it is: this CPU alone changes it. */
static void publish(struct state *s)
{
	(void)nwx_add(&s->count, 1);
	tell(NW_EV_NOTIFY_BEGIN, s->sequence);
}

static void drop(struct state *s)
{
	(void)nwx_add(&s->count, UINT64_MAX);
	tell(NW_EV_NOTIFY_END, s->sequence);
}

static void begin(struct state *s, const struct bracket *b)
{
	publish(s);
	/* Count before sections: pairs with the fence of install(). */
	nwx_fence();
	if (b->drains)
		drain(s);
	nwx_store(&s->entry, NO_ENTRY, NWM_RELAXED);
	nwx_fence();
}

static void end(struct state *s, const struct bracket *b)
{
	if (b->bumps_first) {
		(void)nwx_add(&s->sequence, 1);
		drop(s);
	} else {
		drop(s);
		(void)nwx_add(&s->sequence, 1);
	}
}

static void host(struct state *s, const struct bracket *b)
{
	begin(s, b);
	/* The frame is somebody else's from here on. */
	nwx_store(&s->backing, NEW_FRAME, NWM_RELEASE);
	nwx_require(nwx_load(&s->entry, NWM_RELAXED) != OLD_FRAME, NWM_PROTOCOL,
		    "the removed frame is installed again behind begin");
	end(s, b);
}

/* Recheck and install; 0: retry. */
static int install(struct state *s, const struct bracket *b, uint64_t sample,
		   uint64_t frame)
{
	unsigned cpu = nwx_cpu_id();
	int is_current = 1;

	nwx_store(&s->section[cpu], 1, NWM_RELAXED);
	/* Section before count: pairs with the fence of begin(). */
	nwx_fence();
	if (b->rechecks_count && nwx_load(&s->count, NWM_ACQUIRE))
		is_current = 0;
	if (is_current && b->rechecks_sequence &&
	    nwx_load(&s->sequence, NWM_RELAXED) != sample)
		is_current = 0;
	if (is_current) {
		nwx_store(&s->entry, frame, NWM_RELAXED);
		tell(NW_EV_NOTIFY_INSTALL, sample);
	}
	nwx_store(&s->section[cpu], 0, NWM_RELEASE);
	return is_current;
}

static void fault(struct state *s, const struct bracket *b)
{
	for (unsigned tries = 0; tries < 2; tries++) {
		uint64_t sample = nwx_load(&s->sequence, NWM_ACQUIRE);
		uint64_t frame;

		tell(NW_EV_NOTIFY_SAMPLE, sample);
		frame = nwx_load(&s->backing, NWM_ACQUIRE);
		if (install(s, b, sample, frame))
			return;
	}
}

static void finish(void *state)
{
	struct state *s = state;

	nwx_require(nwx_load(&s->entry, NWM_RELAXED) != OLD_FRAME, NWM_PROTOCOL,
		    "the removed frame is still mapped at the end");
	nwx_require(!nwx_load(&s->count, NWM_RELAXED), NWM_PROTOCOL,
		    "the count is not 0 at the end");
}

#define FORM(name, ...)                                                        \
	static const struct bracket name = {__VA_ARGS__};                      \
	static void name##_host(void *state)                                   \
	{                                                                      \
		host(state, &name);                                            \
	}                                                                      \
	static void name##_fault(void *state)                                  \
	{                                                                      \
		fault(state, &name);                                           \
	}

FORM(right, 1, 1, 1, 1)
FORM(undrained, 0, 1, 1, 1)
FORM(late_bump, 1, 0, 1, 1)
FORM(no_retry, 1, 1, 1, 0)
FORM(no_count, 1, 1, 0, 1)

#define NOTIFY(form)                                                           \
	.subject = NWX_PROTOCOL, .cpus = 2, .cpus_pct = 3,                     \
	.state_bytes = sizeof(struct state), .setup = setup,                   \
	.cpu = {form##_host, form##_fault, form##_fault}, .finish = finish

const struct nwx_scenario nws_good_bracket = {
	.name = "good_bracket",
	.doc = "count, drain, remove; bump, drop; recheck and install in one "
	       "section",
	.rule = "S3.1, protocols 1",
	NOTIFY(right),
};

const struct nwx_scenario nws_bad_begin_without_drain = {
	.name = "bad_begin_without_drain",
	.doc = "begin removes without waiting for a fault that has passed its "
	       "recheck",
	.rule = "protocols 1",
	NOTIFY(undrained),
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"NOTIFY-06"},
};

const struct nwx_scenario nws_bad_seq_bump_after_count = {
	.name = "bad_seq_bump_after_count",
	.doc = "end drops the count before it bumps the sequence",
	.rule = "S3.1",
	NOTIFY(late_bump),
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"NOTIFY-05"},
};

const struct nwx_scenario nws_bad_install_without_retry = {
	.name = "bad_install_without_retry",
	.doc = "the fault looks at the count only: an invalidation that came "
	       "and went since the backing was resolved is missed",
	.rule = "S3.1",
	NOTIFY(no_retry),
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"NOTIFY-04"},
};

const struct nwx_scenario nws_bad_install_without_count = {
	.name = "bad_install_without_count",
	.doc = "the fault looks at the sequence only: an invalidation in "
	       "progress is missed",
	.rule = "S3.1",
	NOTIFY(no_count),
	.expect = {NWM_PROTOCOL, NWM_RULE},
	.rules = {"NOTIFY-03", "NOTIFY-04"},
};

/* ---- change_pte -------------------------------------------------------- */

/* In place, in a bracket of its own (protocols 12). */
static void change_bracketed(void *state)
{
	struct state *s = state;

	publish(s);
	nwx_fence();
	drain(s);
	if (nwx_load(&s->entry, NWM_RELAXED) != NO_ENTRY) {
		nwx_store(&s->entry, NO_ENTRY, NWM_RELAXED);
		nwx_fence();
		nwx_store(&s->backing, NEW_FRAME, NWM_RELEASE);
		nwx_store(&s->entry, NEW_FRAME, NWM_RELAXED);
	} else {
		nwx_store(&s->backing, NEW_FRAME, NWM_RELEASE);
	}
	end(s, &right);
}

/* Only looks and stores. */
static void change_unbracketed(void *state)
{
	struct state *s = state;

	if (nwx_load(&s->entry, NWM_RELAXED) != NO_ENTRY)
		nwx_store(&s->entry, NEW_FRAME, NWM_RELAXED);
	nwx_store(&s->backing, NEW_FRAME, NWM_RELEASE);
}

static void setup_mapped(void *state)
{
	struct state *s = state;

	setup(state);
	nwx_store(&s->entry, OLD_FRAME, NWM_RELAXED);
}

const struct nwx_scenario nws_good_change_pte_in_place = {
	.name = "good_change_pte_in_place",
	.doc = "the entry is replaced in place inside a bracket of its own",
	.rule = "S3.3, protocols 12",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.state_bytes = sizeof(struct state),
	.setup = setup_mapped,
	.cpu = {change_bracketed, right_fault, right_fault},
	.finish = finish,
};

const struct nwx_scenario nws_bad_change_pte_unbracketed_store = {
	.name = "bad_change_pte_unbracketed_store",
	.doc = "the entry is replaced without a bracket: a fault that resolved "
	       "the old frame installs it afterwards",
	.rule = "S3.3",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.state_bytes = sizeof(struct state),
	.setup = setup,
	.cpu = {change_unbracketed, right_fault, right_fault},
	.finish = finish,
	.expect = {NWM_PROTOCOL},
};

/* change_pte inside a bracket: nothing to change can be there (S3.3). */
static void change_nested(void *state)
{
	struct state *s = state;

	begin(s, &right);
	nwx_require(nwx_load(&s->count, NWM_RELAXED) != 0, NWM_PROTOCOL,
		    "change_pte runs with the count at 0");
	nwx_require(nwx_load(&s->entry, NWM_RELAXED) == NO_ENTRY, NWM_PROTOCOL,
		    "change_pte inside a bracket finds a present leaf");
	nwx_store(&s->backing, NEW_FRAME, NWM_RELEASE);
	end(s, &right);
}

const struct nwx_scenario nws_good_change_pte_in_bracket = {
	.name = "good_change_pte_in_bracket",
	.doc = "inside a bracket change_pte never finds a present leaf",
	.rule = "S3.3",
	.subject = NWX_PROTOCOL,
	.cpus = 2,
	.cpus_pct = 3,
	.state_bytes = sizeof(struct state),
	.setup = setup_mapped,
	.cpu = {change_nested, right_fault, right_fault},
	.finish = finish,
};
