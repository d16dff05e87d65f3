/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts between simulated CPUs, and how they meet scheduling points.
 *
 * A CPU that is chosen while an interrupt is pending either goes on or takes
 * it first: the handler runs on its stack, then what was announced is announced
 * again. One that could not go on takes it.
 */
#include <string.h>

#include "../machine/tlb.h"
#include "engine.h"

static uint64_t sent[NWM_CPUS_MAX][NWM_CPUS_MAX]; /* ticket, by sender */
static uint64_t done[NWM_CPUS_MAX][NWM_CPUS_MAX];
static uint64_t last_ticket;
static struct nwm_view sent_view[NWM_CPUS_MAX], done_view[NWM_CPUS_MAX];

void nwx_ipi_handler(nwx_ipi_handler_fn handler)
{
	nwx.ipi_handler = handler;
}

void nwx_ipi_reset(void)
{
	memset(nwx.ipi_pending, 0, sizeof(nwx.ipi_pending));
	memset(nwx.ipi_off, 0, sizeof(nwx.ipi_off));
	if (!nwx.ipi_handler)
		return;
	memset(sent, 0, sizeof(sent));
	memset(done, 0, sizeof(done));
	last_ticket = 0;
	for (unsigned i = 0; i < NWM_CPUS_MAX; i++) {
		nwm_view_clear(&sent_view[i]);
		nwm_view_clear(&done_view[i]);
	}
}

int nwx_ipi_over(unsigned cpu)
{
	for (unsigned i = 0; i < nwx.cpus; i++)
		if (done[cpu][i] != sent[cpu][i])
			return 0;
	return 1;
}

/* ---- taking ------------------------------------------------------------- */

/* One of those that sent. */
static unsigned pick_sender(unsigned pending)
{
	unsigned n = (unsigned)__builtin_popcount(pending);
	unsigned pick = n > 1 ? nwm_choose(NWM_CHOOSE_OTHER, n) : 0;

	while (pick--)
		pending &= pending - 1;
	return (unsigned)__builtin_ctz(pending);
}

static void announce(unsigned kind, unsigned cpu, unsigned from)
{
	nwx_announce((struct nwx_op){
		.kind = (uint8_t)kind, .aux = (uint8_t)cpu, .obj = from});
}

/* Taking an interrupt synchronises the context and empties the store buffer
 * (SDM volume 3, "Store Buffer"; DDI 0487, "Context synchronization"). */
static void take(unsigned cpu)
{
	unsigned from = pick_sender(nwx.ipi_pending[cpu]);
	uint64_t ticket;

	nwx.ipi_off[cpu]++;
	announce(NWX_OP_IPI_TAKE, cpu, from);
	nwx.ipi_pending[cpu] &= (uint8_t) ~(1u << from);
	ticket = sent[from][cpu];
	nwm_cpu_learn(cpu, &sent_view[from]);
	nwm_isb(cpu);
	if (nwm_is_tso(&nwm_config))
		nwm_fence_full(cpu);
	nwx_judge(NW_EV_IPI_TAKE, from, ticket, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_IPI_TAKE, from, ticket, 0,
				 "interrupt %llu of CPU %u",
				 (unsigned long long)ticket, from);
	nwx.ipi_handler(nwx_state(), from, ticket);
	announce(NWX_OP_IPI_DONE, cpu, from);
	nwm_cpu_publish(cpu, &done_view[from]);
	done[from][cpu] = ticket;
	nwx_judge(NW_EV_IPI_DONE, from, ticket, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_IPI_DONE, from, ticket, 0,
				 "interrupt %llu is done",
				 (unsigned long long)ticket);
	nwx.ipi_off[cpu]--;
}

void nwx_point(struct nwx_op op)
{
	const struct nwx_actor *a = &nwx.actor[nwx.self];

	for (;;) {
		nwx_announce(op);
		if (!nwx_ipi_due(a) ||
		    (nwx_ready(a) && !nwm_choose(NWM_CHOOSE_OTHER, 2)))
			return;
		take(a->cpu);
	}
}

void nwx_idle(void)
{
	struct nwx_actor *a = &nwx.actor[nwx.self];

	for (;;) {
		a->finished = 1;
		nwx_announce((struct nwx_op){.kind = NWX_OP_IDLE});
		a->finished = 0;
		take(a->cpu);
	}
}

/* ---- sending ------------------------------------------------------------ */

uint64_t nwx_ipi_send(unsigned cpus_mask)
{
	unsigned cpu = nwx_cpu_id();

	if (!nwx.ipi_handler || (cpus_mask >> cpu & 1) || cpus_mask >> nwx.cpus)
		nwx_bug("an interrupt without handler, to its sender or to a "
			"CPU that is not there",
			__FILE__, __LINE__);
	nwx_point((struct nwx_op){.kind = NWX_OP_IPI_SEND,
				  .aux = (uint8_t)cpu,
				  .obj = cpus_mask});
	if (nwm_is_tso(&nwm_config))
		nwm_fence_full(cpu);
	nwm_cpu_publish(cpu, &sent_view[cpu]);
	last_ticket++;
	for (unsigned i = 0; i < nwx.cpus; i++)
		if (cpus_mask >> i & 1) {
			nwx.ipi_pending[i] |= (uint8_t)(1u << cpu);
			sent[cpu][i] = last_ticket;
		}
	nwx_judge(NW_EV_IPI_SEND, cpus_mask, last_ticket, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_IPI_SEND, cpus_mask, last_ticket, 0,
				 "interrupts CPUs 0x%x: %llu", cpus_mask,
				 (unsigned long long)last_ticket);
	return last_ticket;
}

void nwx_ipi_wait(uint64_t ticket)
{
	unsigned cpu = nwx_cpu_id(), cpus_mask = 0;

	nwx_point(
		(struct nwx_op){.kind = NWX_OP_IPI_WAIT, .aux = (uint8_t)cpu});
	nwm_cpu_learn(cpu, &done_view[cpu]);
	for (unsigned i = 0; i < nwx.cpus; i++)
		if (sent[cpu][i] == ticket)
			cpus_mask |= 1u << i;
	nwx_judge(NW_EV_IPI_WAIT, cpus_mask, ticket, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_IPI_WAIT, cpus_mask, ticket, 0,
				 "interrupt %llu is done everywhere",
				 (unsigned long long)ticket);
}

void nwx_irq_off(void)
{
	nwx.ipi_off[nwx_cpu_id()]++;
}

void nwx_irq_on(void)
{
	if (!nwx.ipi_off[nwx_cpu_id()])
		nwx_bug("interrupts are switched on that are not off", __FILE__,
			__LINE__);
	nwx.ipi_off[nwx_cpu_id()]--;
}
