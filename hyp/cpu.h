/* SPDX-License-Identifier: BSD-2-Clause */
/* One physical CPU as the hypervisor sees it, and its counters. */
#ifndef NW_HYP_CPU_H
#define NW_HYP_CPU_H

/* Offsets for boot.S; cpu.c checks them. */
#define CPU_STACK_TOP 64
#define CPU_EL2_ROOT 72

#ifndef __ASSEMBLER__

#include <stdint.h>

#include "layout.h"
#include "mailbox.h"
#include "nw_port.h"

enum vcpu_power {
	VCPU_OFF,
	VCPU_ON_PENDING, /* CPU_ON forwarded, not yet at EL2's door */
	VCPU_ON,
};

struct cpu {
	struct nw_el2_cpu port; /* first: TPIDR_EL2 points here */
	uint64_t stack_top;
	uint64_t el2_root;  /* TTBR0_EL2 */
	uint64_t *row;	    /* its counters in the mailbox */
	uint64_t entry;	    /* CPU_ON: where the guest starts */
	uint64_t context;   /* CPU_ON: its x0 */
	uint32_t power;	    /* enum vcpu_power; atomic */
	uint32_t is_guest;  /* shown to the guest */
	uint32_t is_waiting; /* in cpu_wait(); atomic */
	uint32_t is_parked;  /* at EL2 for good; atomic */
	/* A "section" of cpus_wait_for_faults(): from the look at vm.is_off to
	 * the end of what a fault does to the guest's table. */
	struct nw_quiescent handling;
};

extern struct cpu cpus[NW_HYP_CPUS_MAX];

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)nw_el2_this_cpu();
}

static inline void count_many(enum nw_mailbox_counter c, uint64_t n)
{
	this_cpu()->row[c] += n;
}

static inline void count(enum nw_mailbox_counter c)
{
	count_many(c, 1);
}

/* Lay out all CPUs' records. Before any call into the library. */
void cpus_init(void);

/* Write all that secondary CPUs read with their caches off back to memory. */
void cpu_clean_for_boot(const void *start, uint64_t bytes);

/*
 * The guest's WFI, executed here: a CPU whose guest sleeps is at EL2, not in
 * the guest, whatever would wake it. May not come back (vm.is_off).
 */
void cpu_wait(void);

/* Wait until every fault that another CPU is handling now has been handled. Not
 * while handling one. */
void cpus_wait_for_faults(void);

/* At EL2 for good; never returns. */
__attribute__((noreturn)) void cpu_park(void);

static inline uint64_t time_now(void)
{
	uint64_t ticks;

	__asm__ volatile("isb; mrs %0, cntpct_el0" : "=r"(ticks)::"memory");
	return ticks;
}

static inline uint64_t time_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

#endif
#endif
