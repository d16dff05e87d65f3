/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer: runs a scenario again and again, each time with other choices
 * (which CPU goes next, which value a load sees, where a walk begins), until
 * it has seen all that differ or has found what it looks for.
 */
#ifndef NWX_EXPLORE_H
#define NWX_EXPLORE_H

#include <stdio.h>

#include "nwx.h"

enum nwx_subject { NWX_PROTOCOL, NWX_LIBRARY };

#define NWX_EXPECT_MAX 3

struct nwx_scenario {
	const char *name;
	const char *doc;  /* one sentence */
	const char *rule; /* where it comes from: "S2.2", "protocols 14" */
	enum nwx_subject subject;
	unsigned cpus;	   /* explored systematically */
	unsigned cpus_pct; /* for random strategies; 0: cpus */
	unsigned walks;	   /* speculative walks an execution */
	/* More of them, where the space is then too large for every day but
	 * not for `verify/scenarios/long --exhaust`. 0: `walks` it is. */
	unsigned walks_long;
	/* For a library subject too large to exhaust: systematically only with
	 * so many preemptions, and stale reads of each CPU, at most (both, or
	 * neither: 0). */
	unsigned preemptions_max, stale_reads_max;
	struct nwm_config machine;
	/* What it must violate; all NWM_OK: nothing. */
	enum nwm_violation expect[NWX_EXPECT_MAX];
	/* With NWM_RULE among them: the rules that the oracle may name. */
	const char *rules[NWX_EXPECT_MAX];
	/* Why the oracle cannot judge its events; NULL: it can. */
	const char *unjudged;
	size_t state_bytes;
	void (*setup)(void *state);
	void (*cpu[NWM_CPUS_MAX])(void *state);
	/* After the last step, with the newest values in view. May be NULL. */
	void (*finish)(void *state);
};

enum nwx_strategy {
	NWX_SYSTEMATIC, /* partial-order reduction with sleep sets */
	NWX_PCT,	/* random priorities with a few change points */
	NWX_RANDOM,
	NWX_REPLAY, /* one execution, from its choices */
};

/* Tests compare with an exploration that leaves nothing out. */
enum nwx_reduction { NWX_REDUCED, NWX_UNREDUCED };

#define NWX_CHOICES_MAX 65536u
#define NWX_TEXT_MAX 512u

/* How far an exploration has come; told every so many executions. */
struct nwx_progress {
	uint64_t schedules;
	uint64_t steps;
	double seconds;
	/* Executions still to come, given-up ones included; exact for random
	 * strategies with a bound, else a guess from the shape of the tree so
	 * far, which grows as races are found. 0: no sensible guess. */
	uint64_t left;
};

struct nwx_options {
	enum nwx_strategy strategy;
	unsigned cpus;		/* 0: what the scenario says */
	int walks;		/* -1: what the scenario says */
	int stale_max;		/* -1: no bound */
	int preemptions;	/* -1: no bound; see docs/machine.md */
	enum nwx_reduction reduction;
	uint64_t schedules_max; /* 0: no bound */
	double seconds_max;	/* of CPU time; 0: no bound */
	unsigned steps_max;	/* in one execution: beyond is a livelock */
	uint64_t seed;
	unsigned pct_changes;
	unsigned shard;	 /* this one ... */
	unsigned shards; /* ... of so many; 0 or 1: all */
	/* Look for this one and let others pass; NWM_OK: stop at any. */
	enum nwm_violation target;
	const char *choices; /* NWX_REPLAY */
	/* Library subjects: judge each execution by the rules, too. */
	int is_judged;
	void (*progress)(const struct nwx_progress *);
};

#define NWX_OPTIONS_DEFAULT                                                    \
	((struct nwx_options){.walks = -1,                                     \
			      .stale_max = -1,                                 \
			      .preemptions = -1,                               \
			      .steps_max = 20000,                              \
			      .seed = 1,                                       \
			      .pct_changes = 3})

struct nwx_result {
	uint64_t schedules; /* complete executions */
	uint64_t redundant; /* given up: equal to one seen before */
	uint64_t steps;	    /* executed scheduling points, re-execution too */
	double seconds;
	unsigned depth_max; /* steps of the longest execution */
	unsigned cpus;	    /* bounds in force */
	unsigned walks;
	int stale_max;
	int preemptions;
	int exhausted;
	enum nwm_violation violation;
	char rule[16];	 /* NWM_RULE: which */
	uint64_t judged; /* different sequences of events that the oracle saw */
	char text[NWX_TEXT_MAX];
	char *choices; /* of the violating execution; free() it */
	const char *error; /* the explorer's own failure, or NULL */
};

/* Run. 0, or -1 with result->error set. */
int nwx_explore(const struct nwx_scenario *s, const struct nwx_options *o,
		struct nwx_result *r);

/*
 * Make a counterexample smaller: fewer speculative walks, stale reads and
 * switches between CPUs, as long as the same violation remains. Replaces
 * r->choices and r->text.
 */
int nwx_shrink(const struct nwx_scenario *s, const struct nwx_options *o,
	       struct nwx_result *r);

/* Replay r->choices and print it as a timeline, one column a CPU. */
int nwx_timeline(const struct nwx_scenario *s, const struct nwx_options *o,
		 const struct nwx_result *r, FILE *out);

/* The same as one self-contained HTML page. */
int nwx_html(const struct nwx_scenario *s, const struct nwx_options *o,
	     const struct nwx_result *r, FILE *out);

/* The same as a text trace, for nestwalk check. It ends with the event that
 * showed the violation, and a comment that says what it was. Without
 * r->choices: the first execution there is. */
int nwx_trace_file(const struct nwx_scenario *s, const struct nwx_options *o,
		   const struct nwx_result *r, FILE *out);

/* One recorded step of a replay. */
struct nwx_record {
	unsigned step;
	unsigned cpu;
	int is_walker;
	char *text;
	enum nw_event event; /* NW_EV_NONE: none for a trace */
	uint64_t a, b, c;
	const char *file;
	unsigned line;
	/* For the picture, "a;b;c;": what TLBs and memory hold afterwards;
	 * may be NULL. */
	char *tlb;
	char *memory;
};

/* Replay and call `fn` for each record, in order. */
int nwx_replay(const struct nwx_scenario *s, const struct nwx_options *o,
	       const char *choices, struct nwx_result *r,
	       void (*fn)(const struct nwx_record *, void *), void *arg);

/* What was violated: the rule's id, or that of the machine's check. */
const char *nwx_violation_name(const struct nwx_result *r);

/* Return addresses into what called a primitive since the last exploration
 * began, each once. Returns their number. */
unsigned nwx_callers(const uintptr_t **list);

/* Strategy's name as the command line has it. */
const char *nwx_strategy_name(enum nwx_strategy strategy);

#endif
