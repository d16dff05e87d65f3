/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spare CPU. While the guest runs it moves random pages of the guest to
 * other frames, splits blocks and forms them anew, unmaps ranges, which the
 * guest faults in again, frees tables that are empty, write-protects, ages, and
 * harvests the dirty log.
 */
#ifndef NW_HYP_SHAKER_H
#define NW_HYP_SHAKER_H

#include <nestwalk/table.h>

#include "params.h"

/* Called once at boot, on the CPU that boots, after vm_init(). */
void shaker_init(const struct params *params);

/* Start the spare CPU, number `cpu`, if there is anything for it to do. */
void shaker_start(unsigned cpu);

/* What the spare CPU runs. */
__attribute__((noreturn)) void shaker_main(void);

/* Wait until it has seen vm.is_off and stopped; at once if none was started. */
void shaker_wait(void);

/* ---- for what runs on that CPU ----------------------------------------- */

uint64_t shake_random(uint64_t limit);

/* A page of a block that was mapped at some time; 0: there is none yet. */
uint64_t shake_pick_page(void);

/* The library's operations on the guest's table, again where another CPU is at
 * work on an entry. Any other failure is a panic. Splits that they take are
 * counted. */
void shake_unmap(uint64_t ipa, uint64_t bytes);
void shake_write_protect(uint64_t ipa, uint64_t bytes); /* log what was dirty */
void shake_harvest(uint64_t ipa, uint64_t bytes);	/* the same */
void shake_split(uint64_t ipa, uint64_t bytes); /* to pages */
void shake_look(uint64_t ipa, struct nw_mapping *m);
void shake_must(enum nw_status status, uint64_t ipa, const char *what);

/* A fault is at work on an entry that we need; what was done stays done, and is
 * not done twice. */
#define PATIENTLY(status, call)                                                \
	while ((status = (call)) == NW_E_BUSY)                                 \
	nw_port_relax()

#endif
