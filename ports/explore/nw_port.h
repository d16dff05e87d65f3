/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explore port: each primitive is a scheduling point of the explorer, on
 * the simulated machine of verify/machine. Every port's nw_port.h provides
 * exactly the names of ports/posix/nw_port.h.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

#include <nestwalk/port.h>
#include <nestwalk/trace.h>
#include <nestwalk/types.h>

#include "../../verify/explore/nwx.h"

#ifdef NW_CONFIG_RCU
#define NW_PORT_HAS_GRACE_PERIOD 1
#else
#define NW_PORT_HAS_GRACE_PERIOD 0
#endif

__attribute__((noreturn, cold)) static inline void
nw_port_bug(const char *what, const char *file, unsigned line)
{
	nwx_bug(what, file, line);
}

#ifdef NW_CONFIG_TRACE
static inline void nw_port_trace(enum nw_event event, uint64_t a, uint64_t b,
				 uint64_t c, const char *file, unsigned line)
{
	nwx_trace(event, a, b, c, file, line);
}
#endif

/* ---- atomics ------------------------------------------------------------ */

/* The orders of this header are those of ports/common/c11_atomics.h; the
 * machine carries them out. Relaxed; loads through the address it delivers are
 * ordered after it: ORD-01. */
static inline uint64_t nw_port_load(const uint64_t *p)
{
	return nwx_load(p, NWM_RELAXED);
}

/* ORD-17 */
static inline uint64_t nw_port_load_acquire(const uint64_t *p)
{
	return nwx_load(p, NWM_ACQUIRE);
}

static inline void nw_port_store_relaxed(uint64_t *p, uint64_t value)
{
	nwx_store(p, value, NWM_RELAXED);
}

/* ORD-17 */
static inline void nw_port_store_release(uint64_t *p, uint64_t value)
{
	nwx_store(p, value, NWM_RELEASE);
}

/* ORD-17 */
static inline int nw_port_cmpxchg(uint64_t *p, uint64_t *expected,
				  uint64_t desired)
{
	return nwx_cmpxchg(p, expected, desired);
}

/* ORD-17 */
static inline uint64_t nw_port_xchg(uint64_t *p, uint64_t value)
{
	return nwx_xchg(p, value);
}

/* ---- statistics: they order nothing, and nothing is decided by them, so
 * they are no scheduling points ---------------------------------------------- */

static inline uint64_t nw_port_count_add(uint64_t *counter, uint64_t n)
{
	return *counter += n;
}

static inline uint64_t nw_port_count_read(const uint64_t *counter)
{
	return *counter;
}

static inline void nw_port_count_max(uint64_t *counter, uint64_t n)
{
	if (*counter < n)
		*counter = n;
}

/* Once is all that a search needs: who waits longer repeats itself. */
#define NW_PORT_PATIENCE 1u
static inline void nw_port_relax(void)
{
}

/* ---- ports/common/quiescent.h --------------------------------------------- */

/* ORD-30, ORD-31 */
static inline void nw_port_fence(void)
{
	nwx_fence();
}

/* ORD-33 */
static inline void nw_port_await_not(const uint64_t *p, uint64_t value)
{
	(void)nwx_await(p, value, NWX_UNTIL_NOT);
}

/* Not this port's sections: what the EL2 port makes its own of, for the
 * scenarios that look at it. */
#include "../common/quiescent.h"

/* ---- barriers ------------------------------------------------------------ */

/* ORD-08 */
static inline void nw_port_store_barrier(void)
{
	nwx_barrier(NW_BARRIER_DMB_ISHST);
}

/* ORD-09 */
static inline void nw_port_publish_barrier(void)
{
	nwx_barrier(NW_BARRIER_DSB_ISHST);
	nwx_barrier(NW_BARRIER_ISB);
}

/* ---- sections -------------------------------------------------------------- */

/* ORD-06 */
static inline void nw_port_section_enter(void)
{
	nwx_section_enter();
}

/* ORD-06 */
static inline void nw_port_section_leave(void)
{
	nwx_section_leave();
}

/* ORD-05 */
static inline void nw_port_synchronize(void)
{
	nwx_synchronize();
}

/* The proof build's bookkeeping where nobody else runs: a section that no
 * grace period waits for. */
static inline void nw_port_proof_enter(void)
{
#ifdef NW_CONFIG_PROOF
	nwx_proof_enter();
#endif
}

static inline void nw_port_proof_leave(void)
{
#ifdef NW_CONFIG_PROOF
	nwx_proof_leave();
#endif
}

static inline uint64_t nw_port_section_id(void)
{
	return nwx_section_id();
}

/* ---- CPUs and locks --------------------------------------------------------- */

static inline unsigned nw_port_cpu_id(void)
{
	return nwx_cpu_id();
}

/* Lies in the scenario's state, as everything that CPUs share. */
struct nw_port_lock {
	uint64_t word;
};

static inline void nw_port_lock_init(struct nw_port_lock *lock)
{
	lock->word = 0;
}

/* ORD-none: the machine's lock acquires and releases. */
static inline void nw_port_lock(struct nw_port_lock *lock)
{
	nwx_lock(&lock->word);
}

/* ORD-none: as nw_port_lock(). */
static inline void nw_port_unlock(struct nw_port_lock *lock)
{
	nwx_unlock(&lock->word);
}

/* ---- per table ---------------------------------------------------------------- */

/*
 * Table pages from the simulated memory and invalidation as on arm64: DSB
 * ISHST, TLBI by address (stage 2: then DSB ISH and VMALLE1IS), DSB ISH, ISB.
 * virt_minus_phys is filled in by nwx_port_ops_init().
 */
extern struct nw_port_ops nwx_port_ops;
void nwx_port_ops_init(void);

#endif
