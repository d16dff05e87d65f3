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

/* ---- interrupts between CPUs -------------------------------------------- */

/*
 * Interrupt the CPUs of the mask, not this one. All that this CPU has done is
 * known to the handlers; on x86 its store buffer is empty. Returns a ticket.
 * Each target runs the handler once at any of its scheduling points, also while
 * it waits for something and when its program is over, unless interrupts are
 * off; what a handler has done is known after nwx_ipi_wait().
 */
uint64_t nwx_ipi_send(unsigned cpus_mask);
/* Until all handlers of what this CPU has sent are through. */
void nwx_ipi_wait(uint64_t ticket);
void nwx_irq_off(void); /* nests */
void nwx_irq_on(void);
/* What an interrupt does; runs with interrupts off (setup only). */
typedef void (*nwx_ipi_handler_fn)(void *state, unsigned from, uint64_t ticket);
void nwx_ipi_handler(nwx_ipi_handler_fn handler);

/* ---- roots ---------------------------------------------------------------- */

/*
 * Write VTTBR, TTBR0, CR3, hgatp ...: another table, another VM, another vCPU
 * (guest_offset). arm64: for certain after the next ISB; x86, RISC-V: at once.
 * Addresses that are watched must have been named after a root with a
 * guest_offset was set, if there is any.
 */
void nwx_root_switch(enum nw_regime regime, struct nwm_root root);

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
/* For the trace of a protocol subject: a page of a table, and then, of those,
 * the root. The library says so itself. */
void nwx_table_page(const void *memory);
/* The value that locks an entry: who swaps it in is told to have locked it, and
 * to publish when it stores again (setup only). */
void nwx_table_lock_token(uint64_t token);
/* Nothing leads to this page any more. */
void nwx_table_unlinked(const void *memory);
void nwx_table_root(const void *memory, enum nw_regime regime, unsigned tag,
		    unsigned ia_bits);
/* Speculative walks may go to this address on any CPU (setup only). */
void nwx_watch(enum nw_regime regime, uint64_t ia);

#endif
