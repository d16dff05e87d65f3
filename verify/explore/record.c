/* SPDX-License-Identifier: BSD-2-Clause */
/* What a replay tells: one record for each step. */
#include <stdarg.h>
#include <stdio.h>

#include "../machine/tlb.h"
#include "engine.h"

static const char *const tlb_kinds[] = {"leaf", "combined", "walk",
					 "invalid"};

/* All TLBs in one line, for the picture. */
static void tlb_text(char *text, size_t bytes)
{
	size_t at = 0;

	text[0] = 0;
	for (unsigned cpu = 0; cpu < nwx.cpus; cpu++)
		for (unsigned i = 0; i < nwm_tlb_count(cpu); i++) {
			const struct nwm_tlb_entry *e = nwm_tlb_at(cpu, i);

			if (at + 96 > bytes)
				return;
			at += (size_t)snprintf(
				text + at, bytes - at,
				"CPU %u %s 0x%llx -> 0x%llx %s%s%s since %u%s;",
				cpu, tlb_kinds[e->kind],
				(unsigned long long)e->base,
				(unsigned long long)e->out,
				e->rights & NWM_R ? "r" : "",
				e->rights & NWM_W ? "w" : "",
				e->rights & NWM_X ? "x" : "", e->step,
				e->doomed ? " (doomed)" : "");
		}
}

#define PAGE_SHOWN 6

/* What has been written since the start; of a page that was filled, some. */
static void memory_text(char *text, size_t bytes)
{
	unsigned shown[NWM_PAGES] = {0};
	size_t at = 0;

	text[0] = 0;
	for (unsigned rec = 1; rec <= nwm_recs(); rec++) {
		unsigned loc = nwm_rec_location(rec);
		unsigned page = loc / NWM_PAGE_WORDS;

		if (!nwm_rec_writes(rec) || shown[page] > PAGE_SHOWN)
			continue;
		if (at + 96 > bytes) {
			snprintf(text + at, bytes - at, "...;");
			return;
		}
		if (page < NWM_STATE_PAGE && shown[page]++ == PAGE_SHOWN) {
			at += (size_t)snprintf(
				text + at, bytes - at, "0x%llx ...;",
				(unsigned long long)nwm_page_pa(page));
			continue;
		}
		at += (size_t)snprintf(text + at, bytes - at, "%s = 0x%llx;",
				       nwx_place(loc),
				       (unsigned long long)nwm_newest(loc));
	}
}

void nwx_record_event(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
		      const char *fmt, ...)
{
	char text[256], tlb[2048], memory[2048];
	struct nwx_record r = {.step = nwx.steps,
			       .event = event,
			       .a = a,
			       .b = b,
			       .c = c,
			       .text = text,
			       .tlb = tlb,
			       .memory = memory};
	va_list args;

	if (!nwx.record)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (nwx.walking) {
		r.is_walker = 1;
		r.cpu = nwx.walking->cpu;
	} else {
		r.cpu = nwx.self < 0 ? 0 : (unsigned)nwx.self;
	}
	tlb_text(tlb, sizeof(tlb));
	memory_text(memory, sizeof(memory));
	nwx.record(&r, nwx.record_arg);
}

void nwx_trace(enum nw_event event, uint64_t a, uint64_t b, uint64_t c,
	       const char *file, unsigned line)
{
	struct nwx_record r = {.step = nwx.steps,
			       .cpu = nwx.self < 0 ? 0 : (unsigned)nwx.self,
			       .event = event,
			       .a = a,
			       .b = b,
			       .c = c,
			       .file = file,
			       .line = line};

	if (nwx.is_judged)
		nwx_judge_add(event, a, b, c, file, line);
	if (nwx.record)
		nwx.record(&r, nwx.record_arg);
}

void nwx_note(const char *fmt, ...)
{
	char text[160];
	va_list args;

	if (!nwx.record)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	nwx_record_event(NW_EV_NONE, 0, 0, 0, "-- %s", text);
}
