/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table pages and their life, and the frames that translations lead to.
 *
 * A freed page is never handed out again in the same execution: whoever still
 * uses it is thus found, and allocations of different CPUs do not depend on
 * each other's order.
 */
#include <string.h>

#include "tlb.h"

struct frame {
	const char *name;
	uint64_t pa;
	uint64_t bytes;
	unsigned rights;
	unsigned changed; /* step at which the rights were last changed */
	unsigned cpus;	  /* who can reach it */
};

struct page_life {
	uint8_t state;
	uint8_t others; /* CPUs that can not walk it */
	unsigned freed;
};

static struct page_life pages[NWM_PAGES], pages_saved[NWM_PAGES];
static struct frame frames[NWM_FRAMES_MAX], frames_saved[NWM_FRAMES_MAX];
static unsigned frame_count;
static unsigned pool_used[NWM_CPUS_MAX + 1], setup_used;

void nwm_pages_clear(void)
{
	memset(pages, 0, sizeof(pages));
	frame_count = 0;
	setup_used = 0;
	memset(pool_used, 0, sizeof(pool_used));
	memset(nwm_arena, 0, sizeof(nwm_arena));
	memset(nwm_cpu, 0, sizeof(nwm_cpu));
}

void nwm_pages_save(void)
{
	memcpy(pages_saved, pages, sizeof(pages));
	memcpy(frames_saved, frames, sizeof(frames));
	nwm_roots_save();
}

void nwm_pages_reset(void)
{
	memcpy(pages, pages_saved, sizeof(pages));
	memcpy(frames, frames_saved, frame_count * sizeof(frames[0]));
	memset(pool_used, 0, sizeof(pool_used));
}

unsigned nwm_pa_page(uint64_t pa)
{
	uint64_t page = (pa - NWM_PA_BASE) >> 12;

	return pa >= NWM_PA_BASE && page < NWM_PAGES ? (unsigned)page : ~0u;
}

unsigned nwm_page_alloc(int cpu, unsigned pages_lg2)
{
	unsigned n = 1u << pages_lg2;
	unsigned *used = cpu < 0 ? &setup_used : &pool_used[cpu];
	unsigned first = cpu < 0 ? 0 :
				   NWM_SETUP_PAGES + (unsigned)cpu * NWM_CPU_PAGES;
	unsigned limit = cpu < 0 ? NWM_SETUP_PAGES : NWM_CPU_PAGES;
	unsigned at = (*used + n - 1) & ~(n - 1);

	if (at + n > limit)
		return ~0u;
	*used = at + n;
	for (unsigned i = 0; i < n; i++)
		pages[first + at + i].state = NWM_PAGE_LIVE;
	return first + at;
}

enum nwm_page_state nwm_page_state(unsigned page)
{
	return (enum nwm_page_state)pages[page].state;
}

void nwm_page_free(unsigned page)
{
	uint64_t pa = nwm_page_pa(page);

	if (pages[page].state == NWM_PAGE_FREED)
		nwm_report(NWM_TABLE_FREED,
			   "table page 0x%llx is freed again; first at step %u",
			   (unsigned long long)pa, pages[page].freed);
	pages[page].state = NWM_PAGE_FREED;
	pages[page].freed = nwm_step;
	for (unsigned cpu = 0; cpu < nwm_config.cpus; cpu++) {
		const struct nwm_cpu *c = &nwm_cpu[cpu];

		for (unsigned i = 0; i < c->tlb_count; i++)
			if (c->tlb[i].kind == NWM_TLB_WALK &&
			    c->tlb[i].out == pa)
				nwm_report(NWM_TABLE_FREED,
					   "table page 0x%llx is freed while "
					   "CPU %u's walk cache, filled at step "
					   "%u, leads to it%s",
					   (unsigned long long)pa, cpu,
					   c->tlb[i].step,
					   c->tlb[i].doomed ?
						   "; its invalidation is not "
						   "completed" :
						   "; no invalidation covers "
						   "it");
	}
}

/* ---- frames ------------------------------------------------------------ */

unsigned nwm_frame_add(const char *name, uint64_t pa, uint64_t bytes,
		       unsigned rights)
{
	frames[frame_count] = (struct frame){name, pa, bytes, rights, 0, ~0u};
	return frame_count++;
}

const char *nwm_frame_name(unsigned frame)
{
	return frames[frame].name;
}

uint64_t nwm_frame_pa(unsigned frame)
{
	return frames[frame].pa;
}

uint64_t nwm_frame_bytes(unsigned frame)
{
	return frames[frame].bytes;
}

void nwm_frame_private(unsigned frame, unsigned cpus_mask)
{
	frames[frame].cpus = cpus_mask;
}

unsigned nwm_frame_cpus(unsigned frame)
{
	return frames[frame].cpus;
}

void nwm_page_private(unsigned page, unsigned cpus_mask)
{
	pages[page].others = (uint8_t)~cpus_mask;
}

unsigned nwm_page_cpus(unsigned page)
{
	return (uint8_t)~pages[page].others;
}

unsigned nwm_frame_rights(unsigned frame)
{
	return frames[frame].rights;
}

/* An execute right alone is not compared: no scenario narrows it. */
int nwm_frame_check(unsigned cpu, const struct nwm_tlb_entry *e,
		    const char *when)
{
	uint64_t end = e->out + (UINT64_C(1) << e->span_lg2);

	for (unsigned i = 0; i < frame_count; i++) {
		const struct frame *f = &frames[i];
		unsigned excess = e->rights & ~f->rights & (NWM_R | NWM_W);

		if (e->out >= f->pa + f->bytes || f->pa >= end)
			continue;
		if (!(f->cpus >> cpu & 1))
			nwm_report(NWM_PROTOCOL, "%s is said to be out of "
				   "reach for CPU %u, but is not", f->name,
				   cpu);
		if (!excess)
			continue;
		nwm_report(NWM_STALE,
			   "CPU %u: address 0x%llx still leads to %s (0x%llx)%s"
			   ": the TLB entry, filled at step %u, %s, although "
			   "the %s was over at step %u%s",
			   cpu, (unsigned long long)e->base, f->name,
			   (unsigned long long)f->pa,
			   excess & NWM_R ? "" : " writably", e->step, when,
			   excess & NWM_R ? "removal" : "write protection",
			   f->changed,
			   e->doomed ? "; an invalidation covers it but its "
				       "issuer's DSB has not completed it" :
				       "; no invalidation covers it");
		return 1;
	}
	return 0;
}

void nwm_frame_allow(unsigned frame, unsigned rights)
{
	unsigned lost = frames[frame].rights & ~rights;

	frames[frame].rights = rights;
	frames[frame].changed = nwm_step;
	if (!lost)
		return;
	for (unsigned cpu = 0; cpu < nwm_config.cpus; cpu++)
		for (unsigned i = 0; i < nwm_cpu[cpu].tlb_count; i++)
			if (nwm_cpu[cpu].tlb[i].kind <= NWM_TLB_COMBINED &&
			    nwm_frame_check(cpu, &nwm_cpu[cpu].tlb[i],
					    "may be used"))
				return;
}

/* ---- names of violations ----------------------------------------------- */

static const struct {
	const char *id;
	const char *text;
} names[NWM_VIOLATIONS] = {
	[NWM_OK] = {"clean", "nothing is wrong"},
	[NWM_STALE] = {"TLB-STALE", "a translation is usable after the "
				    "operation that removed it returned"},
	[NWM_AMALGAM] = {"TLB-AMALGAM",
			 "two live translations of one address disagree"},
	[NWM_CONFLICT] = {"TLB-CONFLICT", "two live translations of one "
					  "address match: the CPU aborts"},
	[NWM_TABLE_FREED] = {"TABLE-FREED", "a table page was freed while "
					    "hardware may walk it"},
	[NWM_USE_AFTER_FREE] = {"TABLE-UAF", "software uses an entry of a "
					     "table page that was freed"},
	[NWM_LOST_DIRTY] = {"DIRTY-LOST",
			    "a dirty state that hardware recorded is lost"},
	[NWM_PROTOCOL] = {"PROTOCOL", "the scenario's own rule is broken"},
	[NWM_PROOF] = {"PROOF", "an assertion of the library failed"},
	[NWM_RULE] = {"RULE", "a rule of the oracle is broken"},
	[NWM_DEADLOCK] = {"DEADLOCK", "every CPU waits for another"},
	[NWM_LIVELOCK] = {"LIVELOCK", "no end within the bound on steps"},
};

const char *nwm_violation_id(enum nwm_violation v)
{
	return v < NWM_VIOLATIONS ? names[v].id : "unknown";
}

const char *nwm_violation_text(enum nwm_violation v)
{
	return v < NWM_VIOLATIONS ? names[v].text : "unknown violation";
}
