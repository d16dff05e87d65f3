/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grace periods without read-modify-writes, for a port whose CPUs are never
 * preempted in a section (an exception level of our own, a unikernel).
 *
 * Each CPU counts its outermost sections, at their begin and at their end: an
 * odd count is a CPU in a section, an even one a quiescent CPU, whether it runs
 * a guest, sleeps, is off, or works outside sections. A grace period looks at
 * each CPU once, and waits for one that it finds in a section until the count
 * is another: that section is over, and whatever the CPU begins later came
 * after the unlinking.
 *
 * A CPU that comes on needs no introduction: its count is even, and its first
 * section is announced as every other.
 *
 * Why a section that is not waited for cannot reach what was unlinked: the
 * section's count is stored before its loads (ORD-30), the unlinking before the
 * look at the counts (ORD-31). So either the look finds the section, or the
 * section's loads find what is linked now.
 *
 * The port provides nw_port_fence() (orders everything before everything
 * after), nw_port_await_not() (waits until a word is another, then acquires)
 * and the atomics of every port.
 */
#ifndef NW_PORT_QUIESCENT_H
#define NW_PORT_QUIESCENT_H

#include <stdint.h>

/* One CPU. Written by that CPU alone; zero at first. */
struct nw_quiescent {
	uint64_t count; /* odd: in a section */
	uint64_t depth; /* of nested sections; nobody else reads it */
};

/*
 * ORD-30 orders "in a section" before the section's loads. It pairs with
 * ORD-31. Without it the loads run ahead of the announcement: a grace period
 * finds the CPU quiescent, and frees the page that was just read.
 */
static inline void nw_quiescent_enter(struct nw_quiescent *q)
{
	if (q->depth++)
		return;
	nw_port_store_relaxed(&q->count, q->count + 1);
	nw_port_fence(); /* ORD-30 */
}

/*
 * ORD-32 orders the section's loads before "quiescent again" (store-release).
 * It pairs with ORD-33. Without it a section's last load may read a page that
 * was freed and used anew.
 */
static inline void nw_quiescent_leave(struct nw_quiescent *q)
{
	if (--q->depth)
		return;
	nw_port_store_release(&q->count, q->count + 1); /* ORD-32 */
}

/*
 * Before the first nw_quiescent_wait_for() of a grace period. ORD-31 orders
 * the unlinking, and the flush, before the look at the counts. It pairs with
 * ORD-30. Without it a section that still finds the old link is not seen.
 */
static inline void nw_quiescent_begin(void)
{
	nw_port_fence(); /* ORD-31 */
}

/*
 * Until that CPU has been outside sections once since the grace period began.
 * ORD-33 orders the look at the count before what follows the grace period
 * (load-acquire). It pairs with ORD-32. Without it a page is used anew while a
 * section that is over has still to read it.
 */
static inline void nw_quiescent_wait_for(const struct nw_quiescent *q)
{
	uint64_t count = nw_port_load_acquire(&q->count); /* ORD-33 */

	if (count & 1)
		nw_port_await_not(&q->count, count); /* ORD-33 */
}

#endif
