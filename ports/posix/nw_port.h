/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The posix port: C11 atomics, pthreads, liburcu. Every port's nw_port.h
 * provides exactly the names of this one.
 *
 * liburcu comes in its "bp" flavour: a thread registers itself at its first
 * section, so an embedder's threads need to know nothing about it. Its
 * functions are called, not inlined: no code of it ends up in ours.
 *
 * NW_CONFIG_QSBR (meson -Dquiescent=true) takes its "qsbr" flavour instead: a
 * section costs nothing, and in return every thread that uses a table calls
 * urcu_qsbr_register_thread() before and, outside sections, often enough
 * urcu_qsbr_quiescent_state() (or is offline): a virtual CPU does where it
 * enters its guest. Who forgets stops every grace period.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

#include "../common/c11_atomics.h"
#include "../common/host_port.h"

/* Are table pages kept alive for readers? Without: exclusive tables only. */
#ifdef NW_CONFIG_RCU
#define NW_PORT_HAS_GRACE_PERIOD 1
#ifdef NW_CONFIG_QSBR
#include <urcu/urcu-qsbr.h>
#else
#include <urcu/urcu-bp.h>
#endif
#else
#define NW_PORT_HAS_GRACE_PERIOD 0
#endif

/*
 * Orders this CPU's earlier stores before its later entry stores, for the
 * hardware walker and what is accessed through the walk. Pairs with the
 * walker. Without it: a page is seen as it was before it was filled. ORD-08
 */
static inline void nw_port_store_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DMB_ISHST, 0, 0);
}

/*
 * Orders entry stores before whatever follows, for the hardware walker too.
 * Pairs with: the walker (here: a test that reads the pages as one).
 * Without it: the walker may see an old entry after the operation returned.
 * ORD-09
 */
static inline void nw_port_publish_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	NW_TRACE(NW_EV_BARRIER, NW_BARRIER_DSB_ISHST, 0, 0);
}

/* Enter a read-side section: no table page seen in it is freed. Nests. ORD-06 */
static inline void nw_port_section_enter(void)
{
#ifdef NW_CONFIG_QSBR
	/* ORD-none: no section spans a quiescent state, and that is ordered */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#elif defined(NW_CONFIG_RCU)
	urcu_bp_read_lock();
#endif
	nw_port_proof_enter();
	NW_TRACE(NW_EV_SECTION_ENTER, 0, 0, 0);
}

/* ORD-06: what the section read happened before the grace period's end. */
static inline void nw_port_section_leave(void)
{
	NW_TRACE(NW_EV_SECTION_LEAVE, 0, 0, 0);
	nw_port_proof_leave();
#ifdef NW_CONFIG_QSBR
	/* ORD-none: as above */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#elif defined(NW_CONFIG_RCU)
	urcu_bp_read_unlock();
#endif
}

/*
 * Wait for a grace period: on return every section that was entered before
 * the call has been left. Not inside a section: that is a bug (the wait would
 * be for oneself). ORD-05
 */
static inline void nw_port_synchronize(void)
{
#ifdef NW_CONFIG_QSBR
	urcu_qsbr_synchronize_rcu();
	NW_TRACE(NW_EV_GRACE_PERIOD, 0, 0, 0);
#elif defined(NW_CONFIG_RCU)
	if (urcu_bp_read_ongoing())
		nw_port_bug("a grace period is awaited inside a section",
			    __FILE__, __LINE__);
	urcu_bp_synchronize_rcu();
	NW_TRACE(NW_EV_GRACE_PERIOD, 0, 0, 0);
#else
	nw_port_bug("this build has no grace period", __FILE__, __LINE__);
#endif
}

#endif
