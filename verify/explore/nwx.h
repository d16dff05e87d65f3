/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program on the simulated CPUs may call: the primitives behind
 * ports/explore/nw_port.h, and what scenarios need beside them. Each call is a
 * scheduling point. Memory is named by pointers into the arena: table pages,
 * frames, and the scenario's own state (nwx_state).
 */
#ifndef NWX_NWX_H
#define NWX_NWX_H

#include <nestwalk/port.h>
#include <nestwalk/trace.h>

#include "../machine/machine.h"

/* ---- memory ------------------------------------------------------------ */

uint64_t nwx_load(const uint64_t *p, enum nwm_order order);
void nwx_store(uint64_t *p, uint64_t value, enum nwm_order order);
int nwx_cmpxchg(uint64_t *p, uint64_t *expected, uint64_t desired);
uint64_t nwx_xchg(uint64_t *p, uint64_t value);
uint64_t nwx_add(uint64_t *p, uint64_t delta); /* returns the new value */

/* Wait until *p == value (or, with NWX_UNTIL_NOT, until it is not), then
 * acquire. Waiting for what never comes is a deadlock. */
enum nwx_until { NWX_UNTIL, NWX_UNTIL_NOT };
uint64_t nwx_await(const uint64_t *p, uint64_t value, enum nwx_until until);

/* An address in the library that called a primitive: for those that reach the
 * explorer through a function pointer. */
void nwx_called(const void *from);

/* ---- barriers, invalidation -------------------------------------------- */

void nwx_barrier(enum nw_barrier kind);
void nwx_fence(void); /* dmb ish: orders everything before everything after */
/* [start, end) and the level hint (our level, -1: none) for the forms by
 * address; tag for those by VMID or ASID. */
void nwx_tlbi(enum nw_tlbi op, uint64_t start, uint64_t end, unsigned tag,
	      int level_hint);

/* ---- locks, sections --------------------------------------------------- */

void nwx_lock(uint64_t *lock);
int nwx_trylock(uint64_t *lock);
void nwx_unlock(uint64_t *lock);
void nwx_section_enter(void);
void nwx_section_leave(void);
void nwx_synchronize(void);
/* Number of this CPU's outermost section, 0 outside; never used twice. */
uint64_t nwx_section_id(void);
/* A section in name only: numbered, but no grace period waits for it. */
void nwx_proof_enter(void);
void nwx_proof_leave(void);

/* ---- the CPU ----------------------------------------------------------- */

unsigned nwx_cpu_id(void);
struct nwm_access_result nwx_read(enum nw_regime regime, uint64_t ia);
struct nwm_access_result nwx_write(enum nw_regime regime, uint64_t ia,
				   uint64_t value);

/* ---- pages ------------------------------------------------------------- */

void *nwx_page_alloc(unsigned pages_lg2);
void nwx_page_free(void *pages, unsigned pages_lg2);
uint64_t nwx_pa(const void *p);
void *nwx_virt(uint64_t pa);
/* Added to a physical address it gives the pointer. */
uint64_t nwx_virt_minus_phys(void);

/* ---- what must hold ---------------------------------------------------- */

/* The operation that removes rights from a frame, or gives them, has returned
 * / is about to start; see nwm_frame_allow(). */
void nwx_frame_allow(unsigned frame, unsigned rights);
/* A rule of the scenario; broken: ends the execution. */
void nwx_require(int holds, enum nwm_violation v, const char *text);
/* The library found a bug of its own or of its caller. Does not return. */
void nwx_bug(const char *what, const char *file, unsigned line)
	__attribute__((noreturn));
/* Cheap remark for the timeline. */
void nwx_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A tracepoint of the library; recorded when a trace is kept. */
void nwx_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line);

/* ---- setup of a scenario ----------------------------------------------- */

/* The scenario's state, zeroed before setup: at most this many bytes. Members
 * that CPUs share are uint64_t and reached through the calls above. */
#define NWX_STATE_BYTES (NWM_STATE_PAGES * 4096u)
void *nwx_state(void);
/* How timelines call a member of the state (setup only). */
void nwx_name(const uint64_t *p, const char *name);
void nwx_root_set(unsigned cpu, enum nw_regime regime, struct nwm_root root);
/* Speculative walks may go to this address on any CPU (setup only). */
void nwx_watch(enum nw_regime regime, uint64_t ia);

#endif
