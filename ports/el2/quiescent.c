/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The grace period at EL2: ports/common/quiescent.h over the CPUs that
 * nw_el2_cpu_add() was told of.
 */
#include "nw_port.h"

#ifdef NW_CONFIG_RCU
static struct nw_el2_cpu *all_cpus;

void nw_el2_cpu_add(struct nw_el2_cpu *cpu)
{
	cpu->next = all_cpus;
	all_cpus = cpu;
}

void nw_port_synchronize(void)
{
	struct nw_el2_cpu *self = nw_el2_this_cpu(), *cpu;

	if (self->quiescent.depth)
		nw_port_bug("a grace period is awaited inside a section",
			    __FILE__, __LINE__);
	nw_quiescent_begin(); /* ORD-05, ORD-31 */
	for (cpu = all_cpus; cpu; cpu = cpu->next)
		if (cpu != self)
			nw_quiescent_wait_for(&cpu->quiescent); /* ORD-33 */
	NW_TRACE(NW_EV_GRACE_PERIOD, 0, 0, 0);
}
#endif
