/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The atomics of every hosted port, on the compiler's C11 builtins.
 *
 * NW_PORT_LOAD_ORDER  order of nw_port_load(). A reader that follows the
 *     loaded value to what it points to needs dependency ordering, no more
 *     (as rcu_dereference); every CPU we run on gives that to a relaxed load.
 *     A sanitizer does not see dependencies, so ports/tsan asks for acquire.
 *
 * ORD-17 orders, in each primitive, what its name says: a release all earlier
 * accesses before its store, an acquire its load before all later accesses.
 * It pairs with the primitive on the other CPU that touches the same word.
 * Without it what was handed over is seen as it was before.
 */
#ifndef NW_PORT_C11_ATOMICS_H
#define NW_PORT_C11_ATOMICS_H

#include <stdint.h>

#ifndef NW_PORT_LOAD_ORDER
#define NW_PORT_LOAD_ORDER __ATOMIC_RELAXED
#endif

/* One load, not torn and not repeated; orders what depends on its value. */
static inline uint64_t nw_port_load(const uint64_t *p)
{
	return __atomic_load_n(p, NW_PORT_LOAD_ORDER);
}

/* ORD-17: its load before all later accesses. */
static inline uint64_t nw_port_load_acquire(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void nw_port_store_relaxed(uint64_t *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
}

/* ORD-17: all earlier accesses before the store. */
static inline void nw_port_store_release(uint64_t *p, uint64_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/*
 * Store `desired` if *p is *expected: non-zero. Else 0, and *expected is what
 * was found. Strong; ORD-17: acquire and release on success, acquire on failure.
 */
static inline int nw_port_cmpxchg(uint64_t *p, uint64_t *expected,
				  uint64_t desired)
{
	return __atomic_compare_exchange_n(p, expected, desired, 0,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Store `value`, return what was there; ORD-17: acquire and release. */
static inline uint64_t nw_port_xchg(uint64_t *p, uint64_t value)
{
	return __atomic_exchange_n(p, value, __ATOMIC_ACQ_REL);
}

/* ---- statistics: they order nothing ------------------------------------ */

/* Add and return the sum. */
static inline uint64_t nw_port_count_add(uint64_t *counter, uint64_t n)
{
	return __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static inline uint64_t nw_port_count_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* Raise to `n` if it is lower. */
static inline void nw_port_count_max(uint64_t *counter, uint64_t n)
{
	uint64_t seen = __atomic_load_n(counter, __ATOMIC_RELAXED);

	while (seen < n &&
	       !__atomic_compare_exchange_n(counter, &seen, n, 1,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

#endif
