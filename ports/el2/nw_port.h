/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EL2 port: real barriers on bare metal, no operating system.
 *
 * Each CPU keeps a struct nw_el2_cpu and points TPIDR_EL2 at it before the
 * first call into the library; nw_el2_cpu_add() makes it known to grace
 * periods. Those wait for CPUs in sections: one that runs its guest, sleeps or
 * is off holds up nobody, and need not say so. A section is never left by an
 * exception: interrupts that are taken at EL2 return to where they came from
 * before anybody else gets the CPU.
 *
 * Without -Drcu=true there is no grace period, and tables are exclusive.
 *
 * Atomics are the compiler's load/store exclusives: cortex-a53 and cortex-a72
 * have no LSE, so the build uses -march=armv8-a -mno-outline-atomics.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

#include "../common/c11_atomics.h"

#include <nestwalk/trace.h>
#include <nestwalk/types.h>

#include "record.h"

#ifdef NW_CONFIG_RCU
#define NW_PORT_HAS_GRACE_PERIOD 1
#else
#define NW_PORT_HAS_GRACE_PERIOD 0
#endif

/* Everything before, then everything after, for all CPUs. ORD-30, ORD-31 */
static inline void nw_port_fence(void)
{
	__asm__ volatile("dmb ish" ::: "memory");
}

/* YIELD lets an emulator with one clock for all CPUs run another. */
static inline void nw_port_relax(void)
{
	__asm__ volatile("yield");
}

/* Until *p is not `value`; ORD-33: the load that finds it is an acquire. */
static inline void nw_port_await_not(const uint64_t *p, uint64_t value)
{
	while (__atomic_load_n(p, __ATOMIC_ACQUIRE) == value)
		nw_port_relax();
}

#include "../common/quiescent.h"

/* Operations on entries, in the order of enum nw_el2_count. */
enum nw_el2_count {
	NW_EL2_ENTRY_READS,
	NW_EL2_ENTRY_INITS,
	NW_EL2_ENTRY_WRITES,
	NW_EL2_PAGE_ALLOCS,
	NW_EL2_PAGE_FREES,
	NW_EL2_COUNT,
};

/*
 * One CPU, reached through TPIDR_EL2. The three arrays belong to the embedder,
 * one set per CPU, written by that CPU alone; they may lie where a debugger or
 * a host can read them.
 */
struct nw_el2_cpu {
	uint64_t *barriers; /* [NW_BARRIER_AT_EL2] */
	uint64_t *tlbis;    /* [NW_TLBI_AT_EL2] */
	uint64_t *counts;   /* [NW_EL2_COUNT] */
	uint64_t section_id;
	uint32_t section_depth;
	uint32_t id;
	struct nw_quiescent quiescent;
	struct nw_el2_cpu *next; /* nw_el2_cpu_add() */
};

#ifdef NW_EL2_THIS_CPU /* where EL2 is played on another machine: a function */
struct nw_el2_cpu *NW_EL2_THIS_CPU(void);
#endif

static inline struct nw_el2_cpu *nw_el2_this_cpu(void)
{
#ifdef NW_EL2_THIS_CPU
	return NW_EL2_THIS_CPU();
#else
	struct nw_el2_cpu *cpu;

	__asm__ volatile("mrs %0, tpidr_el2" : "=r"(cpu));
	return cpu;
#endif
}

static inline unsigned nw_port_cpu_id(void)
{
	return nw_el2_this_cpu()->id;
}

/* A bug of ours: the embedder reports it and does not come back. */
__attribute__((noreturn, cold)) void nw_port_bug(const char *what,
						 const char *file,
						 unsigned line);

/* ---- trace: statistics, and the recorder ------------------------------ */

#ifdef NW_CONFIG_TRACE
/* Counts by kind. `event` is a constant, so one increment is left of this. */
static inline void nw_el2_count_event(enum nw_event event, uint64_t a,
				      uint64_t c)
{
	struct nw_el2_cpu *cpu = nw_el2_this_cpu();

	switch (event) {
	case NW_EV_BARRIER:
		cpu->barriers[a]++;
		return;
	case NW_EV_TLBI:
		if (a < NW_TLBI_AT_EL2)
			cpu->tlbis[a]++;
		return;
	case NW_EV_ENTRY_READ:
		cpu->counts[NW_EL2_ENTRY_READS]++;
		return;
	case NW_EV_ENTRY_INIT:
		cpu->counts[NW_EL2_ENTRY_INITS] += c;
		return;
	case NW_EV_ENTRY_WRITE:
	case NW_EV_ENTRY_LINK:
	case NW_EV_ENTRY_RMW:
	case NW_EV_ENTRY_LOCK:
	case NW_EV_ENTRY_PUBLISH:
		cpu->counts[NW_EL2_ENTRY_WRITES]++;
		return;
	case NW_EV_PAGE_ALLOC:
		cpu->counts[NW_EL2_PAGE_ALLOCS]++;
		return;
	case NW_EV_PAGE_FREE:
		cpu->counts[NW_EL2_PAGE_FREES]++;
		return;
	default:
		return;
	}
}

static inline void nw_port_trace(enum nw_event event, uint64_t a, uint64_t b,
				 uint64_t c, const char *file, unsigned line)
{
	nw_el2_count_event(event, a, c);
#ifdef NW_CONFIG_RECORD
	nw_el2_record(event, a, b, c, file, line);
#else
	(void)b;
	(void)file;
	(void)line;
#endif
}
#endif

/* ---- barriers --------------------------------------------------------- */

/* ORD-20, and the first half of ORD-09 */
static inline void nw_el2_dsb_ishst(void)
{
	__asm__ volatile("dsb ishst" ::: "memory");
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_ISHST, 0, 0);
}

/* ORD-07, ORD-21 */
static inline void nw_el2_dsb_ish(void)
{
	__asm__ volatile("dsb ish" ::: "memory");
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_ISH, 0, 0);
}

/* ORD-15, ORD-18 */
static inline void nw_el2_dsb_nsh(void)
{
	__asm__ volatile("dsb nsh" ::: "memory");
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_NSH, 0, 0);
}

/* The last step of ORD-07, ORD-09, ORD-15 and ORD-18: what follows is fetched
 * and translated anew */
static inline void nw_el2_isb(void)
{
	__asm__ volatile("isb" ::: "memory");
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_ISB, 0, 0);
}

/*
 * Orders this CPU's earlier stores before its later entry stores, for the
 * hardware walker and what is accessed through the walk. Pairs with the
 * walker. Without it: a page is seen as it was before it was filled. ORD-08
 */
static inline void nw_port_store_barrier(void)
{
	__asm__ volatile("dmb ishst" ::: "memory");
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DMB_ISHST, 0, 0);
}

/*
 * Entry stores first, then everything that follows, the walker's reads for
 * this CPU's next accesses included (Arm ARM, "Ordering and completion of
 * translation table walks": a DSB completes the store for all walkers, an ISB
 * makes this CPU's later instructions see it).
 * Pairs with: the hardware walker of every CPU in the inner-shareable domain.
 * Without it: an access right after a map may still fault. ORD-09
 */
static inline void nw_port_publish_barrier(void)
{
	nw_el2_dsb_ishst();
	nw_el2_isb();
}

/* ---- sections --------------------------------------------------------- */

#ifdef NW_CONFIG_PROOF
void nw_port_proof_enter(void);
void nw_port_proof_leave(void);

static inline uint64_t nw_port_section_id(void)
{
	return nw_el2_this_cpu()->section_id;
}
#else
static inline void nw_port_proof_enter(void)
{
}

static inline void nw_port_proof_leave(void)
{
}

static inline uint64_t nw_port_section_id(void)
{
	return 0;
}
#endif

#ifdef NW_CONFIG_RCU
/* Make a CPU known to grace periods. For each CPU once, on the one that boots,
 * before another runs. */
void nw_el2_cpu_add(struct nw_el2_cpu *cpu);

/* Enter a read-side section: no table page seen in it is freed. Nests. A store
 * and a barrier. ORD-06 */
static inline void nw_port_section_enter(void)
{
	nw_quiescent_enter(&nw_el2_this_cpu()->quiescent); /* ORD-30 */
	nw_port_proof_enter();
	NW_TRACE(NW_EV_SECTION_ENTER, 0, 0, 0);
}

/* ORD-06 */
static inline void nw_port_section_leave(void)
{
	NW_TRACE(NW_EV_SECTION_LEAVE, 0, 0, 0);
	nw_port_proof_leave();
	nw_quiescent_leave(&nw_el2_this_cpu()->quiescent); /* ORD-32 */
}

/*
 * Wait for a grace period: on return every section that was entered before
 * the call has been left. Not inside a section, and not while a CPU in a
 * section waits for something of the caller's. ORD-05
 */
void nw_port_synchronize(void);
#else
static inline void nw_el2_cpu_add(struct nw_el2_cpu *cpu)
{
	(void)cpu;
}

static inline void nw_port_section_enter(void)
{
	nw_port_bug("this build has no readers", __FILE__, __LINE__);
}

static inline void nw_port_section_leave(void)
{
	nw_port_bug("this build has no readers", __FILE__, __LINE__);
}

static inline void nw_port_synchronize(void)
{
	nw_port_bug("this build has no grace period", __FILE__, __LINE__);
}
#endif

/* ---- locks ------------------------------------------------------------ */

/*
 * A ticket lock: CPUs get it in the order in which they asked.
 *
 * ORD-16 orders what the owner does between its acquire and its release; pairs
 * with the next owner's acquire. Without it that one works on what it had read
 * before, and overwrites what the owner did.
 */
struct nw_port_lock {
	uint32_t next;
	uint32_t owner;
};

/* Times that an operation waits for another one's locked entry. */
#define NW_PORT_PATIENCE (1u << 20)

static inline void nw_port_lock_init(struct nw_port_lock *lock)
{
	lock->next = 0;
	lock->owner = 0;
}

static inline void nw_port_lock(struct nw_port_lock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	/* ORD-16: acquire */
	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
		nw_port_relax();
	NW_TRACE(NW_EV_LOCK, (uintptr_t)lock, 0, 0);
}

static inline void nw_port_unlock(struct nw_port_lock *lock)
{
	NW_TRACE(NW_EV_UNLOCK, (uintptr_t)lock, 0, 0);
	/* ORD-16: release */
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

#endif
