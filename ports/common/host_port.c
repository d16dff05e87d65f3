/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* sched_getcpu */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "nw_port.h"

void (*nw_posix_bug_hook)(const char *what, const char *file, unsigned line);

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	if (nw_posix_bug_hook)
		nw_posix_bug_hook(what, file, line);
	fprintf(stderr, "nestwalk: bug: %s (%s:%u)\n", what, file, line);
	abort();
}

#ifdef NW_CONFIG_TRACE
void (*nw_posix_trace_hook)(enum nw_event event, uint64_t a, uint64_t b,
			    uint64_t c, const char *file, unsigned line);
#endif

unsigned nw_port_cpu_id(void)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? 0 : (unsigned)cpu;
}

void nw_port_lock_init(struct nw_port_lock *lock)
{
	if (pthread_mutex_init(&lock->mutex, NULL) != 0)
		nw_port_bug("a lock could not be made", __FILE__, __LINE__);
}

/* ORD-none: pthread's own order, complete by its contract. */
void nw_port_lock(struct nw_port_lock *lock)
{
	if (pthread_mutex_lock(&lock->mutex) != 0)
		nw_port_bug("a lock could not be taken", __FILE__, __LINE__);
	NW_TRACE(NW_EV_LOCK, (uintptr_t)lock, 0, 0);
}

/* ORD-none: as nw_port_lock(). */
void nw_port_unlock(struct nw_port_lock *lock)
{
	NW_TRACE(NW_EV_UNLOCK, (uintptr_t)lock, 0, 0);
	if (pthread_mutex_unlock(&lock->mutex) != 0)
		nw_port_bug("a lock was released by another thread", __FILE__,
			    __LINE__);
}

#ifdef NW_CONFIG_PROOF
__thread struct nw_host_section nw_host_section;

/* Relaxed: the numbers must differ, they order nothing. */
static uint64_t last_section_id;

void nw_port_proof_enter(void)
{
	if (nw_host_section.depth++ == 0)
		nw_host_section.id = __atomic_add_fetch(&last_section_id, 1,
							__ATOMIC_RELAXED);
}

void nw_port_proof_leave(void)
{
	if (nw_host_section.depth == 0)
		nw_port_bug("a section is left that was not entered", __FILE__,
			    __LINE__);
	if (--nw_host_section.depth == 0)
		nw_host_section.id = 0;
}
#endif
