/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The posix port for ThreadSanitizer: the same names, with an RCU (rcu.c) in
 * C11 atomics that is compiled with the sanitizer. It so sees each
 * happens-before edge that a section or a grace period makes, and no other:
 * there are no suppressions, hence nothing they could hide.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

/* ORD-01: the sanitizer does not know dependency ordering. */
#define NW_PORT_LOAD_ORDER __ATOMIC_ACQUIRE

#include "../common/c11_atomics.h"
#include "../common/host_port.h"

#ifdef NW_CONFIG_RCU
#define NW_PORT_HAS_GRACE_PERIOD 1
#else
#define NW_PORT_HAS_GRACE_PERIOD 0
#endif

void nw_tsan_rcu_enter(void);
void nw_tsan_rcu_leave(void);
void nw_tsan_rcu_synchronize(void);

/*
 * Orders this CPU's earlier stores before its later entry stores, for the
 * hardware walker and what is accessed through the walk. Pairs with the
 * walker. Without it: a page is seen as it was before it was filled.
 */
static inline void nw_port_store_barrier(void)
{
	/* ORD-none: for the walker, as below: no thread reads it */
	__atomic_signal_fence(__ATOMIC_RELEASE);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DMB_ISHST, 0, 0);
}

/*
 * For the hardware walker, which is no thread: software readers are ordered by
 * the release of the store itself. A fence would be unknown to the sanitizer.
 */
static inline void nw_port_publish_barrier(void)
{
	/* ORD-none: there is no walker in this port */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_ISHST, 0, 0);
}

/* Enter a read-side section: no table page seen in it is freed. Nests. ORD-06 */
static inline void nw_port_section_enter(void)
{
#ifdef NW_CONFIG_RCU
	nw_tsan_rcu_enter();
#endif
	nw_port_proof_enter();
	NW_TRACE(NW_EV_SECTION_ENTER, 0, 0, 0);
}

/* ORD-06 */
static inline void nw_port_section_leave(void)
{
	NW_TRACE(NW_EV_SECTION_LEAVE, 0, 0, 0);
	nw_port_proof_leave();
#ifdef NW_CONFIG_RCU
	nw_tsan_rcu_leave();
#endif
}

/*
 * Wait for a grace period: on return every section that was entered before
 * the call has been left. Not inside a section: that is a bug. ORD-05
 */
static inline void nw_port_synchronize(void)
{
#ifdef NW_CONFIG_RCU
	nw_tsan_rcu_synchronize();
	NW_TRACE(NW_EV_GRACE_PERIOD, 0, 0, 0);
#else
	nw_port_bug("this build has no grace period", __FILE__, __LINE__);
#endif
}

#endif
