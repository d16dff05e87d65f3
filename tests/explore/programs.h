/* SPDX-License-Identifier: BSD-2-Clause */
/* Small programs over one table, for the tests of the machine. */
#ifndef TEST_EXPLORE_PROGRAMS_H
#define TEST_EXPLORE_PROGRAMS_H

#include "support.h"

#define IA UINT64_C(0x80000000)

struct machine_state {
	uint64_t *entry;
	uint64_t *data;
	uint64_t out;
	uint64_t flag;
	unsigned frame;
	uint64_t seen;
};

static struct machine_state *st(void *state)
{
	return state;
}

/* What the accesses of all executions came to, by note_value() and
 * note_outcome(). */
static uint64_t seen_mask;

static inline void note_value(struct nwm_access_result r)
{
	if (r.outcome == NWM_DONE)
		seen_mask |= UINT64_C(1) << r.value;
}

static inline void note_outcome(struct nwm_access_result r)
{
	seen_mask |= UINT64_C(1) << r.outcome;
}

static inline void setup_mapped(void *state)
{
	struct machine_state *s = state;
	struct nws_table t = nws_table_make(NW_REGIME_EL2, 0, IA, 0xf);

	s->entry = t.leaves;
	s->data = nws_frame_make("the frame", NWM_R | NWM_W, &s->frame);
	s->out = nwx_pa(s->data);
	nwx_store(s->entry, NWS_EL2_PAGE(s->out), NWM_RELAXED);
	nwx_watch(NW_REGIME_EL2, IA);
}

/* As finish: the frame was written, and the harvest must say so. */
static inline void finish_dirty(void *state)
{
	struct machine_state *s = state;

	nwx_require(!nwx_load(&s->flag, NWM_RELAXED) || s->seen, NWM_LOST_DIRTY,
		    "a page was written and nobody knows");
}

static inline void idle(void *state)
{
	(void)state;
}

/* The first violation, or of those that it may have, `target`. */
static inline enum nwm_violation explore_for(const struct nwx_scenario *s,
					     enum nwm_violation target)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.target = target;
	seen_mask = 0;
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_true(r.violation || r.exhausted);
	free(r.choices);
	return r.violation;
}

static inline enum nwm_violation explore(const struct nwx_scenario *s)
{
	return explore_for(s, NWM_OK);
}

#define CPU(name, ...)                                                         \
	static void name(void *state)                                          \
	{                                                                      \
		struct machine_state *s = st(state);                           \
		(void)s;                                                       \
		__VA_ARGS__;                                                   \
	}

#define PROGRAM(name_, ...)                                                    \
	static const struct nwx_scenario name_ = {                             \
		.name = #name_,                                                \
		.cpus = 2,                                                     \
		.walks = 2,                                                    \
		.state_bytes = sizeof(struct machine_state),                   \
		.setup = setup_mapped,                                         \
		__VA_ARGS__}

#define CLEAR nwx_store(s->entry, 0, NWM_RELAXED)
#define DSB(kind) nwx_barrier(NW_BARRIER_DSB_##kind)
#define TLBI(op) nwx_tlbi(NW_TLBI_##op, IA, IA + 4096, 0, 0)
#define GONE nwx_frame_allow(s->frame, 0)

/* CPU 1 handles an interrupt. */
#define EVERYWHERE nwx_ipi_wait(nwx_ipi_send(2))
#define BARRIER(kind) nwx_barrier(NW_BARRIER_##kind)
#define DSB(kind) nwx_barrier(NW_BARRIER_DSB_##kind)
#define ISB nwx_barrier(NW_BARRIER_ISB)
/* The form by address, of the page at `at`. */
#define TLBI_AT(op, at, tag)                                                   \
	nwx_tlbi(NW_TLBI_##op, (at), (at) + 4096, (tag), -1)

#endif
