/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work that a guest does while its memory moves underneath it. Plain
 * Linux user space, statically linked: it knows nothing of the hypervisor.
 */
#ifndef GUESTWORK_H
#define GUESTWORK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define GW_PAGE_BYTES 4096u
#define GW_REASON_BYTES 400u

/* Shared by every process of the work; zero at the start. */
struct gw_shared {
	_Atomic uint32_t stop;	 /* workers leave their loops */
	_Atomic uint32_t failed; /* claimed by the first that fails */
	_Atomic uint32_t told;	 /* `reason` is complete */
	_Atomic uint32_t filled; /* memory workers past their first fill */
	_Atomic uint32_t plant;	 /* a memory worker shall spoil one word */
	_Atomic uint64_t pages;	 /* pages verified, all rounds */
	_Atomic uint64_t rounds;
	_Atomic uint64_t execs;
	_Atomic uint64_t files;
	_Atomic uint64_t codes;
	_Atomic uint64_t probes; /* forbidden addresses that were refused */
	char reason[GW_REASON_BYTES];
};

extern struct gw_shared *gw_shared;

/*
 * Record the first failure and tell everybody to stop. Later calls of other
 * processes change nothing. Returns 1, the worker's exit status.
 */
int gw_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True once the workers should leave. */
static inline int gw_stopping(void)
{
	return atomic_load_explicit(&gw_shared->stop, memory_order_relaxed) != 0;
}

/* A fixed mixing of 64 bits, so that every word of a page differs. */
static inline uint64_t gw_mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x7fb5d329728ea185ull;
	x ^= x >> 27;
	x *= 0x81dadef4bc2dd44dull;
	return x ^ (x >> 33);
}

/* The CPU that process number `index` should move to in `round`. */
void gw_move_to_cpu(unsigned index, unsigned round);

/*
 * The workers. Each runs in a process of its own until gw_stopping() and
 * returns that process's exit status: 0 good, 1 after gw_fail().
 */
int gw_memory_worker(unsigned index, size_t bytes);
int gw_exec_worker(unsigned index);
int gw_file_worker(unsigned index);
int gw_code_worker(unsigned index);

/*
 * Read each physical address of `list` (hexadecimal, commas between); all must
 * be refused. 0 good, 1 after gw_fail().
 */
int gw_probe(const char *list);

/* What the exec worker starts: prints nothing, answers by its exit status. */
int gw_exec_child(const char *number);
/* The answer that gw_exec_child must give for `number`. */
int gw_exec_answer(uint64_t number);

#endif
