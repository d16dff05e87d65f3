/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts between CPUs carry what the sender knew to whoever takes them,
 * and what those did back to the sender when it has seen them done.
 */
#include "local.h"

#include <stdlib.h>

static void malformed(struct nwv_check *c, const char *what, uint64_t value)
{
	nwv_stop(c, NWV_CHECK_MALFORMED, "seq %llu: %s (%#llx)",
		 (unsigned long long)c->now->seq, what,
		 (unsigned long long)value);
}

static uint64_t key_of(unsigned sender, uint64_t ticket)
{
	return (uint64_t)sender << 57 | (ticket & (~UINT64_C(0) >> 7));
}

static struct nwv_ipi *ipi_at(struct nwv_check *c, unsigned sender,
			      uint64_t ticket)
{
	uint32_t n = nwv_map_get(&c->ipi_by_key, key_of(sender, ticket));

	return n ? c->ipi[n] : NULL;
}

static struct nwv_ipi *ipi_new(struct nwv_check *c, unsigned sender,
			       uint64_t ticket)
{
	uint32_t n = c->ipi_free ? c->ipi_free : c->ipis + 1;

	if (nwv_room(c, (void **)&c->ipi, &c->ipi_room, n, sizeof(*c->ipi)))
		return NULL;
	if (!c->ipi[n]) {
		c->ipi[n] = calloc(1, sizeof(**c->ipi));
		c->bytes += sizeof(**c->ipi);
	}
	if (!c->ipi[n] ||
	    nwv_map_put(&c->ipi_by_key, key_of(sender, ticket), n)) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return NULL;
	}
	if (n > c->ipis)
		c->ipis = n;
	else
		c->ipi_free = (uint32_t)c->ipi[n]->cpus;
	*c->ipi[n] = (struct nwv_ipi){0};
	return c->ipi[n];
}

static void ipi_forget(struct nwv_check *c, unsigned sender, uint64_t ticket)
{
	uint64_t key = key_of(sender, ticket);
	uint32_t n = nwv_map_get(&c->ipi_by_key, key);

	nwv_map_del(&c->ipi_by_key, key);
	c->ipi[n]->cpus = c->ipi_free;
	c->ipi_free = n;
}

static void learn(struct nwv_check *c, unsigned cpu, const uint64_t *known)
{
	uint64_t left;

	for (left = c->cpus_seen; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);

		if (x != cpu && c->cpu[cpu].known[x] < known[x])
			c->cpu[cpu].known[x] = known[x];
	}
}

/* Events of this CPU below `own`, and whatever it has learnt, become known to
 * whoever hears of it. */
static void tell(struct nwv_check *c, unsigned cpu, uint64_t own,
		 uint64_t *known)
{
	uint64_t left;

	if (c->cpu[cpu].told < own)
		c->cpu[cpu].told = own;
	for (left = c->cpus_seen; left; left &= left - 1) {
		unsigned x = (unsigned)__builtin_ctzll(left);
		uint64_t k = x == cpu ? own : c->cpu[cpu].known[x];

		if (known[x] < k)
			known[x] = k;
	}
}

/* x86 stores are seen in order; elsewhere a barrier must stand between a store
 * and the interrupt. */
static void send(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_cpu *here = &c->cpu[e->cpu];
	struct nwv_ipi *ipi = ipi_at(c, e->cpu, e->b);
	uint64_t own = c->is_tso ? e->seq + 1 : here->store_barrier_seq;

	if (!ipi)
		ipi = ipi_new(c, e->cpu, e->b);
	if (!ipi)
		return;
	if (own < here->told)
		own = here->told;
	here->sent_seq = e->seq;
	ipi->cpus |= e->a;
	ipi->taken &= ~e->a;
	ipi->done &= ~e->a;
	tell(c, e->cpu, own, ipi->there);
}

static struct nwv_ipi *taken_from(struct nwv_check *c,
				  const struct nwv_event *e, const char *what)
{
	struct nwv_ipi *ipi =
		e->a < NWV_CPUS_MAX ? ipi_at(c, (unsigned)e->a, e->b) : NULL;

	if (ipi && (ipi->cpus >> e->cpu & 1))
		return ipi;
	malformed(c, what, e->a);
	return NULL;
}

static void take(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_ipi *ipi = taken_from(
		c, e, "ipi_take: no ipi_send of this ticket to this CPU");

	if (!ipi)
		return;
	ipi->taken |= UINT64_C(1) << e->cpu;
	c->cpu[e->cpu].handlers++;
	learn(c, e->cpu, ipi->there);
}

static void done(struct nwv_check *c, const struct nwv_event *e)
{
	uint64_t bit = UINT64_C(1) << e->cpu;
	struct nwv_ipi *ipi = taken_from(
		c, e, "ipi_done: no ipi_send of this ticket to this CPU");

	if (!ipi)
		return;
	if (!(ipi->taken & bit)) {
		malformed(c, "ipi_done: this CPU has not taken it", e->b);
		return;
	}
	ipi->taken &= ~bit;
	ipi->done |= bit;
	c->cpu[e->cpu].handlers--;
	tell(c, e->cpu, e->seq + 1, ipi->back);
}

static void wait(struct nwv_check *c, const struct nwv_event *e)
{
	struct nwv_ipi *ipi = ipi_at(c, e->cpu, e->b);

	if (!ipi || (e->a & ~ipi->cpus)) {
		malformed(c,
			  "ipi_wait: no ipi_send of this ticket to all of "
			  "these CPUs",
			  e->a);
		return;
	}
	if (e->a & ~ipi->done) {
		malformed(c, "ipi_wait: these CPUs have not said ipi_done",
			  e->a & ~ipi->done);
		return;
	}
	learn(c, e->cpu, ipi->back);
	ipi->cpus &= ~e->a;
	if (!ipi->cpus)
		ipi_forget(c, e->cpu, e->b);
	nwv_local_learn(c, e->cpu);
}

void nwv_step_ipi(struct nwv_check *c, const struct nwv_event *e)
{
	switch (e->kind) {
	case NW_EV_IPI_SEND:
		send(c, e);
		return;
	case NW_EV_IPI_TAKE:
		take(c, e);
		return;
	case NW_EV_IPI_DONE:
		done(c, e);
		return;
	default:
		wait(c, e);
		return;
	}
}
