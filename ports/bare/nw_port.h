/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bare port: one CPU uses the library at a time, nothing is below it. Boot
 * loaders, firmware, monitors. The embedder gives nw_port_bug(). There is no
 * grace period: tables are exclusive, others are refused at nw_table_init().
 * The hardware walker, of this CPU and of others, reads at any moment all the
 * same, hence the barriers.
 *
 * The names are those of ports/posix/nw_port.h.
 */
#ifndef NW_PORT_H
#define NW_PORT_H

#include "../common/c11_atomics.h"

#include <nestwalk/trace.h>
#include <nestwalk/types.h>

#define NW_PORT_HAS_GRACE_PERIOD 0
#define NW_PORT_PATIENCE	 1u

/* A bug of ours or a broken promise of the caller's: does not return. */
__attribute__((noreturn, cold)) void
nw_port_bug(const char *what, const char *file, unsigned line);

/* Earlier stores before later entry stores, for the walker. ORD-08 */
static inline void nw_port_store_barrier(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb ishst" ::: "memory");
#elif defined(__riscv)
	__asm__ volatile("fence w, w" ::: "memory");
#elif defined(__x86_64__)
	__asm__ volatile("" ::: "memory"); /* stores stay in order */
#else
#error "ports/bare: no barriers for this architecture yet"
#endif
}

/*
 * Entry stores before whatever follows, for the walker. RISC-V: what a hart may
 * have cached of an invalid entry goes by the fence after its fault. ORD-09
 */
static inline void nw_port_publish_barrier(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
#elif defined(__riscv)
	__asm__ volatile("fence w, rw" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

static inline void nw_port_relax(void)
{
}

static inline unsigned nw_port_cpu_id(void)
{
	return 0;
}

/* No table of another mode gets as far as these. */
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

/* Nobody to wait for. */
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
