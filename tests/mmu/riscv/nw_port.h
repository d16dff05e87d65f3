/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port of the RISC-V payload: one hart, no operating system, exclusive
 * tables. The names are those of ports/posix/nw_port.h.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

#include "../../../ports/common/c11_atomics.h"

#include <nestwalk/trace.h>
#include <nestwalk/types.h>

#define NW_PORT_HAS_GRACE_PERIOD 0
#define NW_PORT_PATIENCE	 1u

/* Ends the run as failed (machine.c). */
__attribute__((noreturn, cold)) void
nw_port_bug(const char *what, const char *file, unsigned line);

/* Earlier stores before later entry stores, for the walker. ORD-08 */
static inline void nw_port_store_barrier(void)
{
	__asm__ volatile("fence w, w" ::: "memory");
}

/* Entry stores before whatever follows. What the hart may have cached of an
 * invalid entry goes by the fence after a fault. ORD-09 */
static inline void nw_port_publish_barrier(void)
{
	__asm__ volatile("fence w, rw" ::: "memory");
}

static inline void nw_port_relax(void)
{
}

static inline unsigned nw_port_cpu_id(void)
{
	return 0;
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

/* One hart: nobody to wait for. */
struct nw_port_lock {
	int held;
};

static inline void nw_port_lock_init(struct nw_port_lock *lock)
{
	lock->held = 0;
}

static inline void nw_port_lock(struct nw_port_lock *lock)
{
	if (lock->held)
		nw_port_bug("a lock is taken twice", __FILE__, __LINE__);
	lock->held = 1;
}

static inline void nw_port_unlock(struct nw_port_lock *lock)
{
	lock->held = 0;
}

#endif
