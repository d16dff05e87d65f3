/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ORD-22 on the simulated machine: hyp/cpu.c, a guest CPU in WFI, against a
 * power-off that frees the guest's table once it has seen that this CPU waits.
 */
#include <setjmp.h>

#include <explore/explore.h>

#include "hyp_shim.h"
#undef __atomic_store_n
#undef __atomic_load_n

struct state {
	uint64_t is_waiting;
	uint64_t is_off;
	uint64_t is_freed;
	uint64_t guest_runs;
};

struct vm vm;
static jmp_buf parked;
static int is_parking;

/* Which word of the simulated memory stands for it; NULL: nobody's business. */
static uint64_t *word(const void *p)
{
	struct state *s = nwx_state();

	if (p == &cpus[1].is_waiting)
		return &s->is_waiting;
	return p == &vm.is_off ? &s->is_off : NULL;
}

/* A sequentially consistent store is one that a full barrier follows. */
void hyp_store(const void *p, uint64_t value, int order)
{
	is_parking |= p == &cpus[1].is_parked;
	if (!word(p))
		return;
	nwx_store(word(p), value,
		  order == __ATOMIC_RELAXED ? NWM_RELAXED : NWM_RELEASE);
	if (order == __ATOMIC_SEQ_CST)
		nwx_fence();
}

uint64_t hyp_load(const void *p, int order)
{
	if (!word(p))
		return 0;
	return nwx_load(word(p),
			order == __ATOMIC_RELAXED ? NWM_RELAXED : NWM_ACQUIRE);
}

int el2_asm(const char *text)
{
	(void)text;
	if (is_parking)
		longjmp(parked, 1);
	return 0;
}

void el2_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line)
{
	(void)event;
	(void)a;
	(void)b;
	(void)c;
	(void)file;
	(void)line;
}

struct cpu *hyp_this_cpu(void)
{
	return &cpus[1];
}

void vcpu_leave_stage2(void)
{
}

void vcpu_install_stage2(void)
{
	struct state *s = nwx_state();

	nwx_store(&s->guest_runs, 1, NWM_RELAXED);
}

static void power_off(void *state)
{
	struct state *s = state;

	hyp_store(&vm.is_off, 1, __ATOMIC_SEQ_CST);
	if (hyp_load(&cpus[1].is_waiting, __ATOMIC_SEQ_CST))
		nwx_store(&s->is_freed, 1, NWM_RELAXED);
}

static void guest_waits(void *state)
{
	(void)state;
	is_parking = 0;
	if (!setjmp(parked))
		cpu_wait();
}

static void finish(void *state)
{
	struct state *s = state;

	nwx_require(!nwx_load(&s->is_freed, NWM_RELAXED) ||
			    !nwx_load(&s->guest_runs, NWM_RELAXED),
		    NWM_PROTOCOL,
		    "the guest runs on although its table was freed");
}

static const struct nwx_scenario scenario = {
	.name = "wait_against_power_off",
	.subject = NWX_LIBRARY,
	.cpus = 2,
	.state_bytes = sizeof(struct state),
	.cpu = {power_off, guest_waits},
	.finish = finish,
};

int main(void)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	if (nwx_explore(&scenario, &o, &r))
		return 2;
	printf("%s: %s %s\n", scenario.name, nwm_violation_id(r.violation),
	       r.text);
	return r.violation != NWM_OK;
}
