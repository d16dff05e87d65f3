/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the explorer's sources share; not for its users.
 *
 * An *actor* is a CPU or a speculative walk. An *operation* is what an actor
 * does next; it is announced before it is carried out, so that the scheduler
 * knows what it would conflict with. A *step* is an operation carried out.
 */
#ifndef NWX_ENGINE_H
#define NWX_ENGINE_H

#include <stdlib.h>

#include "coro.h"
#include "explore.h"

#define NWX_WALKERS_MAX 4
#define NWX_ACTORS (NWM_CPUS_MAX + NWX_WALKERS_MAX)
#define NWX_STEPS_MAX 32768u
#define NWX_WATCH_MAX 32

#define NWX_BY_SCHEDULER 0xffu
#define NWX_BY_NOBODY 0xfeu /* which walks there are */

enum nwx_op_kind {
	NWX_OP_START, /* nothing: where a CPU begins */
	/* memory; obj: location */
	NWX_OP_READ,
	NWX_OP_WRITE,
	NWX_OP_AWAIT,
	/* locks; obj: location */
	NWX_OP_LOCK,
	NWX_OP_TRYLOCK,
	NWX_OP_UNLOCK,
	/* machine; aux: the CPU concerned; obj: watch, frame, page */
	NWX_OP_FENCE,
	NWX_OP_DSB, /* obj: NWX_DSB_* */
	NWX_OP_TLBI, /* obj: 1 broadcast, 0 this CPU */
	NWX_OP_WALK,
	NWX_OP_ACCESS, /* aux bit 7: a write */
	NWX_OP_FRAME,
	NWX_OP_FREE,
	NWX_OP_ROOT, /* of CPU aux; also the ISB after it */
	/* interrupts; aux: the CPU */
	NWX_OP_IPI_SEND, /* obj: to whom, as bits */
	NWX_OP_IPI_TAKE, /* obj: from whom */
	NWX_OP_IPI_DONE, /* obj: from whom */
	NWX_OP_IPI_WAIT,
	NWX_OP_IDLE, /* the program is over; interrupts are taken */
	/* sections */
	NWX_OP_ENTER,
	NWX_OP_LEAVE,
	NWX_OP_SYNC_BEGIN,
	NWX_OP_SYNC_END,
};

#define NWX_DSB_WIDE 1u	     /* for all CPUs, not only this one */
#define NWX_DSB_COMPLETES 2u /* loads and stores: completes invalidations */

struct nwx_op {
	uint8_t kind;
	uint8_t aux;
	uint8_t until; /* AWAIT: enum nwx_until */
	uint32_t obj;
	uint64_t value; /* AWAIT */
};

typedef uint16_t nwx_clock[NWX_ACTORS];

struct nwx_actor {
	struct nwx_op pend;
	uint8_t exists;
	uint8_t finished;
	uint8_t is_walker;
	uint8_t cpu;
	uint8_t watch;
	uint8_t left; /* walks still to do */
	nwx_clock clock;
	struct nwx_coro coro;
};

struct nwx_step {
	struct nwx_op op;
	uint32_t node; /* where it was chosen; ~0u: not chosen */
	uint8_t actor;
	uint16_t before[NWX_ACTORS]; /* steps of each actor before it */
	nwx_clock clock;
};

/* A place where the execution could have gone on differently. */
struct nwx_node {
	uint8_t is_data;
	uint8_t cur; /* actor, or value of the data choice */
	uint8_t n;   /* data: number of values */
	/* Actors as bits; `allowed`: within the bound on preemptions. */
	uint8_t enabled, allowed, sleep, backtrack, done;
	struct nwx_op pend[NWX_ACTORS];
};

struct nwx_watch_point {
	uint64_t ia;
	uint8_t regime;
	uint8_t is_spec; /* speculative walks go there */
	uint8_t is_anywhere; /* a guest's own tables come first */
	uint8_t levels;
	uint16_t index[5]; /* its index at each level */
};

enum nwx_end { NWX_RUNNING, NWX_COMPLETE, NWX_PRUNED, NWX_VIOLATED, NWX_ERROR };

struct nwx_engine {
	const struct nwx_scenario *s;
	const struct nwx_options *o;
	struct nwx_result *r;
	enum { NWX_SETUP, NWX_RUN, NWX_FINISH } phase;
	enum nwx_end end;
	unsigned cpus;
	unsigned walks;
	struct nwx_actor actor[NWX_ACTORS];
	int self; /* running actor; -1: none */
	struct nwx_coro main, starter;
	struct nwx_coro *here; /* what runs now */
	uint64_t rng;
	/* this execution */
	unsigned steps;	  /* scheduling points, local ones included */
	unsigned visible; /* entries of `step` */
	unsigned depth;	  /* choices made so far */
	unsigned preempted;
	/* Somebody else could go on, as it was after the last step. */
	uint8_t is_others_known, others;
	uint8_t assigned[NWX_WALKERS_MAX]; /* what each walk is */
	uint16_t count[NWX_ACTORS]; /* visible steps of each */
	uint8_t taken[NWX_STEPS_MAX]; /* who took each visible step */
	/* sections */
	uint64_t section_next;
	uint64_t section[NWM_CPUS_MAX]; /* 0: outside */
	unsigned nesting[NWM_CPUS_MAX];
	uint64_t proof_id[NWM_CPUS_MAX];
	unsigned proof_nesting[NWM_CPUS_MAX];
	uint64_t sync_wait[NWM_CPUS_MAX][NWM_CPUS_MAX];
	struct nwm_view section_view, sync_view;
	/* interrupts: senders as bits, and how deep they are off */
	nwx_ipi_handler_fn ipi_handler; /* NULL: there are none */
	uint8_t ipi_pending[NWM_CPUS_MAX], ipi_off[NWM_CPUS_MAX];
	/* choices */
	unsigned nodes; /* systematic: height of the stack */
	unsigned known; /* nodes below it are as in the last execution */
	uint8_t chosen[NWX_CHOICES_MAX]; /* of this execution, as recorded */
	uint8_t chosen_by[NWX_CHOICES_MAX]; /* data: actor; else NWX_BY_* */
	unsigned chosen_count;
	uint64_t unit; /* sharding: prefixes seen */
	/* pct */
	unsigned priority[NWM_CPUS_MAX];
	unsigned walk_at[NWX_ACTORS]; /* when a walker's next walk is due */
	unsigned change_at[16];
	unsigned clock, clock_max; /* steps, a run of fills counted as one */
	struct nwx_op last_op;
	/* guided replay, for shrinking */
	const struct nwx_guide *guide;
	unsigned guide_block, guide_used, guide_data[NWX_ACTORS];
	/* recording */
	void (*record)(const struct nwx_record *, void *);
	void *record_arg;
	int is_judged; /* the oracle takes part */
	const struct nwx_actor *walking; /* the walk that is carried out */
};

/* A schedule to be followed as far as it can be. */
struct nwx_guide {
	unsigned blocks;
	struct {
		uint8_t actor;
		uint16_t steps;
	} *block;
	unsigned data_count[NWX_ACTORS];
	uint8_t *data[NWX_ACTORS];
	uint8_t assign[NWX_WALKERS_MAX];
	unsigned walks;
};

extern struct nwx_engine nwx;
extern struct nwx_node nwx_node[NWX_CHOICES_MAX];
extern struct nwx_step nwx_steps[NWX_STEPS_MAX];
extern struct nwx_watch_point nwx_watches[NWX_WATCH_MAX];
extern unsigned nwx_watch_count;

/* engine.c */
/* Orders are left out, and how. */
enum nwx_reducing {
	NWX_ALL_ORDERS,
	NWX_BY_SOURCE_SETS, /* and sleep sets: no bound on preemptions */
	NWX_BY_BOUNDED_SETS, /* persistent sets with conservative points */
};
static inline enum nwx_reducing nwx_reducing(void)
{
	return nwx.o->reduction == NWX_UNREDUCED ? NWX_ALL_ORDERS :
	       nwx.o->preemptions >= 0		 ? NWX_BY_BOUNDED_SETS :
						   NWX_BY_SOURCE_SETS;
}
void nwx_announce(struct nwx_op op); /* and return when chosen */
int nwx_ready(const struct nwx_actor *a); /* but for interrupts */
void nwx_local(void);		  /* a step that nothing can notice */
void nwx_end_execution(enum nwx_end end) __attribute__((noreturn));
int nwx_enabled(const struct nwx_actor *a);
/* Whatever is looked for; nwm_report() lets pass what is expected beside it. */
void nwx_violated(enum nwm_violation v, const char *text);
void nwx_error(const char *what) __attribute__((noreturn));
unsigned nwx_watch_find(enum nw_regime regime, uint64_t ia, int is_spec);
int nwx_run_guided(const struct nwx_scenario *s, const struct nwx_options *o,
		   const struct nwx_guide *guide, struct nwx_result *r);
void nwx_state_save(void); /* as the setup left it */
void nwx_execute(void);	    /* one execution */
void nwx_run_walk(struct nwx_actor *a);

/* pick.c */
unsigned nwx_random(unsigned n);
void nwx_choice_record(unsigned value, unsigned by);
unsigned nwx_pick(unsigned enabled); /* actor; `enabled` is not 0 */
void nwx_pct_prepare(void);

/* With several shards, all orders of so many first steps are made. */
#define NWX_SHARD_DEPTH 6u

/* quiet.c: accesses that need no scheduling point */
void nwx_quiet_clear(void);	     /* before an exploration */
void nwx_quiet_reset(void);	     /* before an execution */
int nwx_quiet(unsigned kind, unsigned loc); /* 1: go on, this is one */
void nwx_quiet_never(unsigned loc);
void nwx_quiet_free(unsigned page);
int nwx_quiet_news(void); /* 1: what was explored so far is void */

/* reduce.c */
int nwx_dependent(const struct nwx_op *a, unsigned actor_a,
		  const struct nwx_op *b, unsigned actor_b);
void nwx_step_begin(unsigned actor, uint32_t node);
uint8_t nwx_sleep_after(const struct nwx_node *node, unsigned actor,
			const struct nwx_op *op);
void nwx_reduce_reset(void);

/* ops.c */
const char *nwx_place(unsigned loc); /* for people; overwritten soon */
void nwx_names_clear(void);
void nwx_callers_clear(void);

/* fold.c: nwx_fold_record() passes records on to `fn`; end it when through */
struct nwx_fold {
	void (*fn)(const struct nwx_record *, void *);
	void *arg;
	unsigned run; /* stores to one page, one after another */
	char page[24];
	struct nwx_record held; /* the run's last one; a copy */
};
void nwx_fold_record(const struct nwx_record *r, void *fold);
void nwx_fold_end(struct nwx_fold *f);

/* ipi.c */
void nwx_point(struct nwx_op op); /* nwx_announce(), and take interrupts */
void nwx_idle(void);		  /* the CPU's program is over */
void nwx_ipi_reset(void);
int nwx_ipi_over(unsigned cpu); /* all that it sent has been handled */
/* An interrupt may be taken now. */
static inline int nwx_ipi_due(const struct nwx_actor *a)
{
	return !a->is_walker && nwx.ipi_pending[a->cpu] &&
	       !nwx.ipi_off[a->cpu];
}

/* oracle.c */
void nwx_judge_begin(void);
void nwx_judge_setup_done(void);
void nwx_judge_reset(void);
void nwx_judge_add(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		   const char *file, unsigned line);
void nwx_judge_end(void); /* may report */
uint64_t nwx_stable(uint64_t value);

static inline void nwx_judge(enum nw_event event, uint64_t a, uint64_t b,
			     uint64_t c)
{
	if (nwx.is_judged)
		nwx_judge_add(event, a, b, c, NULL, 0);
}

/* ops_sync.c: the roots that setup installed */
void nwx_roots_tell(void);

/* tell.c: loc is a location, `old` what memory holds */
void nwx_tell_clear(void); /* before a setup */
void nwx_tell_reset(void); /* before an execution */
void nwx_tell_read(unsigned loc, uint64_t value);
void nwx_tell_write(unsigned loc, uint64_t old, uint64_t value,
		    enum nwm_order order);
void nwx_tell_rmw(unsigned loc, uint64_t found, uint64_t value);
void nwx_tell_rmw_fail(unsigned loc, uint64_t expected, uint64_t found);
void nwx_tell_free(unsigned page);

/* record.c */
void nwx_record_event(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		      const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#endif
