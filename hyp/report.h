/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to tell the outside something: mailbox text, refusal, panic. */
#ifndef NW_HYP_REPORT_H
#define NW_HYP_REPORT_H

#include <nestwalk/table.h>

#include "layout.h"
#include "mailbox.h"

#define mailbox ((struct nw_mailbox *)NW_HYP_MAILBOX_PA)

void mailbox_init(void);
void mailbox_phase(enum nw_mailbox_phase phase);
/* With release order: whoever sees the state sees what was counted before. */
void mailbox_state(enum nw_mailbox_state state);
/* Set a gauge. Its writers exclude each other. */
void mailbox_gauge(enum nw_mailbox_counter gauge, uint64_t value);

/* A line of text into the mailbox's ring; `format` as format_text(). */
__attribute__((format(printf, 1, 2))) void report(const char *format, ...);

/*
 * Both print to the mailbox and the UART and end the machine by SYSTEM_OFF.
 * refuse: this machine or these parameters cannot be run; says what to change.
 * panic: a bug or a table out of step.
 */
__attribute__((noreturn, cold, format(printf, 1, 2))) void
refuse(const char *format, ...);
__attribute__((noreturn, cold, format(printf, 1, 2))) void
panic(const char *format, ...);

/* panic() after printing the walk of `t` to `ia`, entry by entry. */
__attribute__((noreturn, cold, format(printf, 3, 4))) void
panic_at(struct nw_table *t, uint64_t ia, const char *format, ...);

/* From vectors.S: an exception inside the hypervisor. */
struct hyp_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t elr;
	uint64_t spsr;
	uint64_t esr;
	uint64_t far;
	uint64_t vector;
	uint64_t pad;
};
__attribute__((noreturn)) void hyp_exception(const struct hyp_frame *frame);

#endif
