/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words. Text goes to the mailbox and, for a refusal or a panic,
 * straight to the UART, which the guest may be using: its line breaks off.
 */
#include <stdarg.h>

#include "cpu.h"
#include "el2.h"
#include "lib.h"
#include "psci.h"
#include "report.h"
#include "sysreg.h"

#define LINE_BYTES 320
#define UART_DR 0x00
#define UART_FR 0x18
#define UART_FR_TXFF (1u << 5)

enum sink { SINK_MAILBOX, SINK_ALL };

static void uart_put(char c)
{
	volatile uint32_t *uart = (volatile uint32_t *)(uintptr_t)NW_HYP_UART_PA;

	while (uart[UART_FR / 4] & UART_FR_TXFF)
		;
	uart[UART_DR / 4] = (uint8_t)c;
}

/* Space in the ring is claimed first, so that CPUs do not overwrite each
 * other; a reader may meet a claimed byte that is not there yet. */
static void ring_write(const char *text, size_t bytes)
{
	uint64_t at = mailbox->text_written;
	size_t i;

	/* Without MMU only one CPU runs, and exclusives may not work. */
	if (el2_mmu_is_on())
		at = __atomic_fetch_add(&mailbox->text_written, bytes,
					__ATOMIC_RELAXED);
	else
		mailbox->text_written += bytes;
	for (i = 0; i < bytes; i++)
		mailbox->text[(at + i) % NW_MAILBOX_TEXT_BYTES] = text[i];
}

static void write_text(enum sink sink, const char *format, va_list args)
{
	char line[LINE_BYTES];
	size_t bytes = format_text(line, sizeof(line), format, args);
	size_t i;

	ring_write(line, bytes);
	if (sink != SINK_ALL)
		return;
	for (i = 0; i < bytes; i++) {
		if (line[i] == '\n')
			uart_put('\r');
		uart_put(line[i]);
	}
}

void report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_text(SINK_MAILBOX, format, args);
	va_end(args);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_text(SINK_ALL, format, args);
	va_end(args);
}

/* One CPU speaks. A second panic, by it or by another, adds nothing. */
static void claim_last_words(void)
{
	static uint32_t claimed;
	uint32_t before;

	if (!el2_mmu_is_on()) {
		before = claimed;
		claimed = 1;
	} else {
		before = __atomic_fetch_add(&claimed, 1, __ATOMIC_RELAXED);
	}
	if (!before)
		return;
	if (before > 2)
		psci_system_off();
	for (;;)
		__asm__ volatile("wfi");
}

__attribute__((noreturn)) static void end(enum nw_mailbox_state state)
{
	DSB("sy");
	mailbox_state(state);
	DSB("sy");
	psci_system_off();
}

void refuse(const char *format, ...)
{
	va_list args;

	claim_last_words();
	say("nestwalk: refused: ");
	va_start(args, format);
	write_text(SINK_ALL, format, args);
	va_end(args);
	say("\n");
	end(NW_MAILBOX_REFUSED);
}

void panic(const char *format, ...)
{
	va_list args;

	claim_last_words();
	say("\nnestwalk: panic on CPU %u: ", this_cpu()->port.id);
	va_start(args, format);
	write_text(SINK_ALL, format, args);
	va_end(args);
	say("\n");
	end(NW_MAILBOX_PANIC);
}

void nw_port_bug(const char *what, const char *file, unsigned line)
{
	panic("%s (%s:%u)", what, file, line);
}

/* ---- walks ------------------------------------------------------------ */

static const char *kind_name(enum nw_entry_kind kind)
{
	switch (kind) {
	case NW_ENTRY_EMPTY:
		return "empty";
	case NW_ENTRY_INVALID:
		return "invalid";
	case NW_ENTRY_TABLE:
		return "table";
	case NW_ENTRY_LEAF:
		return "leaf";
	default:
		return "reserved";
	}
}

static enum nw_status say_entry(const struct nw_visit *v)
{
	struct nw_decoded d;

	v->ops->decode(v->geo, v->level, v->old, &d);
	say("  level %u (arm %u) 0x%012lx: 0x%016lx %s", v->level, 3 - v->level,
	    v->ia.v, v->old, kind_name(d.kind));
	if (d.kind == NW_ENTRY_TABLE || d.kind == NW_ENTRY_LEAF)
		say(" to 0x%012lx", d.pa.v);
	if (d.kind == NW_ENTRY_LEAF)
		say(" %s%s%s%s, memory type %u",
		    d.attrs.prot & NW_PROT_R ? "r" : "-",
		    d.attrs.prot & NW_PROT_W ? "w" : "-",
		    d.attrs.prot & NW_PROT_PX ? "x" : "-",
		    d.attrs.prot & NW_PROT_UX ? "u" : "-", d.attrs.memtype);
	if (d.kind == NW_ENTRY_RESERVED)
		say(": %s", nw_reason_text(d.reason));
	say("\n");
	return NW_OK;
}

static void say_walk(struct nw_table *t, uint64_t ia)
{
	enum nw_status status;
	struct nw_result result;

	say("walk of 0x%lx, root 0x%lx:\n", ia, nw_table_root(t).v);
	status = nw_walk(t, NW_IA(ia & ~0xfffull), NW_HYP_PAGE_BYTES,
			 NW_VISIT_TABLE_PRE | NW_VISIT_LEAF | NW_VISIT_EMPTY,
			 say_entry, NULL, &result);
	if (status != NW_OK)
		say("  ends with %s: %s\n", nw_status_name(status),
		    nw_status_advice(status));
}

void panic_at(struct nw_table *t, uint64_t ia, const char *format, ...)
{
	va_list args;

	claim_last_words();
	say("\nnestwalk: panic on CPU %u: ", this_cpu()->port.id);
	va_start(args, format);
	write_text(SINK_ALL, format, args);
	va_end(args);
	say("\n");
	say_walk(t, ia);
	end(NW_MAILBOX_PANIC);
}

static const char *const vector_names[16] = {
	"sync on SP_EL0",  "IRQ on SP_EL0",    "FIQ on SP_EL0",
	"SError on SP_EL0", "sync",	       "IRQ",
	"FIQ",		   "SError",	       "sync from guest",
	"IRQ from guest",  "FIQ from guest",   "SError from guest",
	"sync from AArch32", "IRQ from AArch32", "FIQ from AArch32",
	"SError from AArch32",
};

void hyp_exception(const struct hyp_frame *f)
{
	unsigned i;

	claim_last_words();
	say("\nnestwalk: panic on CPU %u: exception at EL2: %s, class 0x%02x\n",
	    this_cpu()->port.id, vector_names[f->vector & 15], ESR_EC(f->esr));
	say("  elr 0x%016lx  esr 0x%016lx  far 0x%016lx\n", f->elr, f->esr,
	    f->far);
	say("  spsr 0x%08lx  sp 0x%016lx\n", f->spsr, f->sp);
	for (i = 0; i < 31; i++)
		say("  x%02u 0x%016lx%s", i, f->x[i],
		    i % 3 == 2 || i == 30 ? "\n" : "");
	if (el2_mmu_is_on() && (ESR_EC(f->esr) == EC_DATA_SAME ||
				ESR_EC(f->esr) == EC_INSN_SAME))
		say_walk(el2_table(this_cpu()->port.id), f->far);
	end(NW_MAILBOX_PANIC);
}

/* libfdt, compiled for Linux, checks its stack frames. */
void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	panic("stack frame overwritten in libfdt");
}
