/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections of the proof build: per CPU, never the same number twice. */
#include "nw_port.h"

#ifdef NW_CONFIG_PROOF
static uint64_t last_section;

void nw_port_proof_enter(void)
{
	struct nw_el2_cpu *cpu = nw_el2_this_cpu();

	if (!cpu->section_depth++)
		cpu->section_id = __atomic_add_fetch(&last_section, 1,
						     __ATOMIC_RELAXED);
}

void nw_port_proof_leave(void)
{
	struct nw_el2_cpu *cpu = nw_el2_this_cpu();

	if (!cpu->section_depth)
		nw_port_bug("section left that was not entered", __FILE__,
			    __LINE__);
	if (!--cpu->section_depth)
		cpu->section_id = 0;
}
#endif
