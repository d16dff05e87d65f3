/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hosted ports (posix, tsan) share beside atomics: the report of a
 * bug, the tracepoint, locks, and the proof build's sections.
 *
 * A section is a stretch of one thread in which entry references are worth
 * something. Sections nest; the outermost one gives its number to all inside
 * it, and no number is ever used twice.
 */
#ifndef NW_PORT_HOST_PORT_H
#define NW_PORT_HOST_PORT_H

#include <pthread.h>
#include <sched.h>

#include <nestwalk/trace.h>
#include <nestwalk/types.h>

/*
 * A bug of ours, or a broken promise of the caller's: print it and abort.
 * nw_posix_bug_hook, when set, is called first; a test that provokes the bug
 * leaves it by longjmp. If it returns, the program aborts all the same.
 */
extern void (*nw_posix_bug_hook)(const char *what, const char *file,
				 unsigned line);
__attribute__((noreturn, cold)) void nw_port_bug(const char *what,
						 const char *file,
						 unsigned line);

/* ---- trace ------------------------------------------------------------ */

#ifdef NW_CONFIG_USDT
#include "usdt.h"
#endif

#ifdef NW_CONFIG_TRACE
/* Who listens; NULL: nobody. Set while no other thread uses the library. */
extern void (*nw_posix_trace_hook)(enum nw_event event, uint64_t a, uint64_t b,
				   uint64_t c, const char *file, unsigned line);

static inline void nw_port_trace(enum nw_event event, uint64_t a, uint64_t b,
				 uint64_t c, const char *file, unsigned line)
{
#ifdef NW_CONFIG_USDT
	nw_usdt_probe(event, a, b, c);
#endif
	if (nw_posix_trace_hook)
		nw_posix_trace_hook(event, a, b, c, file, line);
}
#endif

/* ---- CPUs and locks --------------------------------------------------- */

/* The CPU that runs the caller, for statistics: it may change at any time. */
unsigned nw_port_cpu_id(void);

/* Times that an operation waits for another one's locked entry, and the wait:
 * its owner may have been preempted, so let it run. */
#define NW_PORT_PATIENCE 4096u
static inline void nw_port_relax(void)
{
	sched_yield();
}

struct nw_port_lock {
	pthread_mutex_t mutex;
};

void nw_port_lock_init(struct nw_port_lock *lock);
void nw_port_lock(struct nw_port_lock *lock);
void nw_port_unlock(struct nw_port_lock *lock);

/* ---- sections of the proof build -------------------------------------- */

#ifdef NW_CONFIG_PROOF
struct nw_host_section {
	uint64_t id; /* 0: outside every section */
	unsigned depth;
};
extern __thread struct nw_host_section nw_host_section;

void nw_port_proof_enter(void);
void nw_port_proof_leave(void);

/* Number of the calling thread's outermost section; 0 outside. */
static inline uint64_t nw_port_section_id(void)
{
	return nw_host_section.id;
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

#endif
