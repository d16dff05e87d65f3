/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RISC-V registers that must agree with a table of ours. Values, not
 * writes: the embedder owns the registers.
 *
 * Manual: RISC-V Instruction Set Manual volume II, "Supervisor Address
 * Translation and Protection (satp) Register" and "Hypervisor Guest Address
 * Translation and Protection (hgatp) Register".
 */
#ifndef NESTWALK_RISCV_H
#define NESTWALK_RISCV_H

#include <nestwalk/format.h>

/* MODE of satp, vsatp and hgatp: 8 for three levels, 9 for four, 10 for five.
 */
static inline uint64_t nw_riscv_mode(const struct nw_geometry *geo)
{
	return (uint64_t)(geo->levels + 5u) << 60;
}

/*
 * satp or vsatp for a table of this shape; `geo` from the first stage's
 * geometry(). asid: below 2^16, and within what the hart implements.
 */
static inline uint64_t nw_riscv_satp(const struct nw_geometry *geo,
				     nw_pa_t root, unsigned asid)
{
	return nw_riscv_mode(geo) | (uint64_t)(asid & 0xffffu) << 44 |
	       root.v >> 12;
}

/*
 * hgatp for a table of this shape; `geo` from the G-stage's geometry(). vmid:
 * below 2^14, and within what the hart implements.
 */
static inline uint64_t nw_riscv_hgatp(const struct nw_geometry *geo,
				      nw_pa_t root, unsigned vmid)
{
	return nw_riscv_mode(geo) | (uint64_t)(vmid & 0x3fffu) << 44 |
	       root.v >> 12;
}

#endif
