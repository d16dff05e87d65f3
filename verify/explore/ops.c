/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The primitives: each announces what it will do, waits until it is chosen,
 * and does it on the simulated machine.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../machine/tlb.h"
#include "engine.h"

#define CALLED() nwx_called(__builtin_return_address(0))

/* Before the CPUs start and after they end, memory is plain. */
static int is_direct(void)
{
	return nwx.phase != NWX_RUN;
}

static unsigned self_cpu(void)
{
	return (unsigned)nwx.self;
}

static unsigned location(const uint64_t *p)
{
	size_t at = (size_t)(p - nwm_arena);

	if (p < nwm_arena || at >= NWM_LOCATIONS)
		nwx_bug("an address outside the simulated memory is used",
			__FILE__, __LINE__);
	return (unsigned)at;
}

static void check_live(unsigned loc, const char *verb)
{
	unsigned page = loc / NWM_PAGE_WORDS;

	if (page < NWM_STATE_PAGE && nwm_page_state(page) == NWM_PAGE_FREED)
		nwm_report(NWM_USE_AFTER_FREE,
			   "CPU %u %s entry %u of table page 0x%llx, which was "
			   "freed",
			   self_cpu(), verb, loc % NWM_PAGE_WORDS,
			   (unsigned long long)nwm_page_pa(page));
}

static const char *names[NWM_STATE_PAGES * NWM_PAGE_WORDS];

void nwx_name(const uint64_t *p, const char *name)
{
	names[location(p) - NWM_STATE_PAGE * NWM_PAGE_WORDS] = name;
}

void nwx_names_clear(void)
{
	memset(names, 0, sizeof(names));
}

const char *nwx_place(unsigned loc)
{
	static char text[2][32];
	static unsigned turn;
	unsigned page = loc / NWM_PAGE_WORDS;

	turn ^= 1;
	if (page >= NWM_STATE_PAGE &&
	    names[loc - NWM_STATE_PAGE * NWM_PAGE_WORDS])
		return names[loc - NWM_STATE_PAGE * NWM_PAGE_WORDS];
	if (page >= NWM_STATE_PAGE)
		snprintf(text[turn], sizeof(text[0]), "var%u",
			 loc - NWM_STATE_PAGE * NWM_PAGE_WORDS);
	else
		snprintf(text[turn], sizeof(text[0]), "0x%llx[%u]",
			 (unsigned long long)nwm_page_pa(page),
			 loc % NWM_PAGE_WORDS);
	return text[turn];
}

static void point(unsigned kind, unsigned aux, uint32_t obj)
{
	nwx_point((struct nwx_op){
		.kind = (uint8_t)kind, .aux = (uint8_t)aux, .obj = obj});
}

/* ---- memory ------------------------------------------------------------ */

/*
 * Words of the library's own (entries are told by its tracepoints): a store
 * with release, and who reads the newest value with acquire.
 */
static void tell_word(enum nw_event event, unsigned loc)
{
	if (nwx.s->subject == NWX_LIBRARY &&
	    loc >= NWM_STATE_PAGE * NWM_PAGE_WORDS)
		nwx_trace(event, (uintptr_t)&nwm_arena[loc], 0, 0, NULL, 0);
}

static void access_point(unsigned kind, unsigned loc)
{
	if (!nwx_quiet(kind, loc))
		point(kind, 0, loc);
}

uint64_t nwx_load(const uint64_t *p, enum nwm_order order)
{
	unsigned loc = location(p);
	uint64_t value, newest;

	CALLED();
	if (is_direct())
		return nwm_newest(loc);
	access_point(NWX_OP_READ, loc);
	check_live(loc, "reads");
	newest = nwm_newest(loc);
	value = nwm_load(self_cpu(), loc, order);
	nwx_tell_read(loc, value);
	if (order == NWM_ACQUIRE && value == newest)
		tell_word(NW_EV_ACQUIRE, loc);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0, "read%s %s = 0x%llx%s",
				 order == NWM_ACQUIRE ? " acquire" : "",
				 nwx_place(loc), (unsigned long long)value,
				 value == newest ? "" : " (stale)");
	return value;
}

void nwx_store(uint64_t *p, uint64_t value, enum nwm_order order)
{
	unsigned loc = location(p);
	uint64_t old;

	CALLED();
	if (is_direct()) {
		nwx_tell_write(loc, nwm_arena[loc], value, order);
		nwm_arena[loc] = value;
		return;
	}
	access_point(NWX_OP_WRITE, loc);
	check_live(loc, "writes");
	if (order == NWM_RELEASE)
		tell_word(NW_EV_RELEASE, loc);
	old = nwm_newest(loc);
	nwm_store(self_cpu(), loc, value, order);
	nwx_tell_write(loc, old, value, order);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0, "write%s %s = 0x%llx",
				 order == NWM_RELEASE ? " release" : "",
				 nwx_place(loc), (unsigned long long)value);
}

int nwx_cmpxchg(uint64_t *p, uint64_t *expected, uint64_t desired)
{
	unsigned loc = location(p);
	uint64_t seen = *expected, found;

	CALLED();
	if (is_direct()) {
		found = nwm_arena[loc];
		if (found == seen)
			nwm_arena[loc] = desired;
		*expected = found;
		return found == seen;
	}
	access_point(NWX_OP_WRITE, loc);
	check_live(loc, "swaps");
	found = nwm_rmw_begin(self_cpu(), loc);
	if (found == seen)
		nwm_rmw_commit(self_cpu(), loc, desired);
	if (found == seen)
		nwx_tell_rmw(loc, found, desired);
	else
		nwx_tell_rmw_fail(loc, seen, found);
	*expected = found;
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0,
				 "cas %s 0x%llx -> 0x%llx: %s", nwx_place(loc),
				 (unsigned long long)seen,
				 (unsigned long long)desired,
				 found == seen ? "done" : "lost");
	return found == seen;
}

static uint64_t rmw(uint64_t *p, uint64_t value, int is_add)
{
	unsigned loc = location(p);
	uint64_t found;

	if (is_direct()) {
		found = nwm_arena[loc];
		nwm_arena[loc] = is_add ? found + value : value;
		return found;
	}
	access_point(NWX_OP_WRITE, loc);
	check_live(loc, "swaps");
	found = nwm_rmw_begin(self_cpu(), loc);
	if (is_add)
		value += found;
	nwm_rmw_commit(self_cpu(), loc, value);
	nwx_tell_rmw(loc, found, value);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0,
				 "%s %s 0x%llx -> 0x%llx",
				 is_add ? "add" : "swap", nwx_place(loc),
				 (unsigned long long)found,
				 (unsigned long long)value);
	return found;
}

uint64_t nwx_xchg(uint64_t *p, uint64_t value)
{
	CALLED();
	return rmw(p, value, 0);
}

uint64_t nwx_add(uint64_t *p, uint64_t delta)
{
	return rmw(p, delta, 1) + delta;
}

uint64_t nwx_await(const uint64_t *p, uint64_t value, enum nwx_until until)
{
	unsigned loc = location(p);

	if (is_direct())
		return nwm_newest(loc);
	nwx_quiet_never(loc);
	nwx_point((struct nwx_op){.kind = NWX_OP_AWAIT,
				  .until = (uint8_t)until,
				  .obj = loc,
				  .value = value});
	/* The last read of a loop that polls with acquire. */
	value = nwm_load_newest(self_cpu(), loc);
	nwx_tell_read(loc, value);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0, "awaited %s = 0x%llx",
				 nwx_place(loc), (unsigned long long)value);
	return value;
}

/* ---- locks ------------------------------------------------------------- */

void nwx_lock(uint64_t *lock)
{
	unsigned loc = location(lock);

	CALLED();
	if (is_direct())
		return;
	point(NWX_OP_LOCK, 0, loc);
	(void)nwm_rmw_begin(self_cpu(), loc);
	nwm_rmw_commit(self_cpu(), loc, self_cpu() + 1);
	nwx_judge(NW_EV_LOCK, (uintptr_t)lock, 0, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_LOCK, (uintptr_t)lock, 0, 0, "lock %s",
				 nwx_place(loc));
}

int nwx_trylock(uint64_t *lock)
{
	unsigned loc = location(lock);
	int is_free;

	if (is_direct())
		return 1;
	point(NWX_OP_TRYLOCK, 0, loc);
	is_free = !nwm_rmw_begin(self_cpu(), loc);
	if (is_free)
		nwm_rmw_commit(self_cpu(), loc, self_cpu() + 1);
	nwx_judge(is_free ? NW_EV_LOCK : NW_EV_TRYLOCK_FAIL, (uintptr_t)lock, 0,
		  0);
	if (nwx.record)
		nwx_record_event(is_free ? NW_EV_LOCK : NW_EV_TRYLOCK_FAIL,
				 (uintptr_t)lock, 0, 0, "trylock %s: %s",
				 nwx_place(loc), is_free ? "taken" : "busy");
	return is_free;
}

void nwx_unlock(uint64_t *lock)
{
	unsigned loc = location(lock);

	CALLED();
	if (is_direct())
		return;
	point(NWX_OP_UNLOCK, 0, loc);
	if (nwm_newest(loc) != self_cpu() + 1)
		nwx_bug("a lock is released by a CPU that does not hold it",
			__FILE__, __LINE__);
	nwm_store(self_cpu(), loc, 0, NWM_RELEASE);
	nwx_judge(NW_EV_UNLOCK, (uintptr_t)lock, 0, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_UNLOCK, (uintptr_t)lock, 0, 0,
				 "unlock %s", nwx_place(loc));
}

/* ---- sections ---------------------------------------------------------- */

/*
 * What a grace period orders: all that came before its beginning is seen by
 * every section that begins after that; all that a section did is seen after
 * the end of a grace period that waited for it.
 */
void nwx_section_enter(void)
{
	unsigned cpu = self_cpu();

	CALLED();
	if (is_direct())
		return;
	if (nwx.nesting[cpu]++)
		return;
	point(NWX_OP_ENTER, cpu, 0);
	nwx.section[cpu] = nwx.section_next++ << 2 | cpu;
	nwm_cpu_learn(cpu, &nwx.sync_view);
	nwx_judge(NW_EV_SECTION_ENTER, 0, 0, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_SECTION_ENTER, 0, 0, 0, "enter section");
}

void nwx_section_leave(void)
{
	unsigned cpu = self_cpu();

	if (is_direct())
		return;
	if (!nwx.nesting[cpu])
		nwx_bug("a section is left that was not entered", __FILE__,
			__LINE__);
	if (--nwx.nesting[cpu])
		return;
	point(NWX_OP_LEAVE, cpu, 0);
	nwx.section[cpu] = 0;
	nwm_cpu_publish(cpu, &nwx.section_view);
	nwx_judge(NW_EV_SECTION_LEAVE, 0, 0, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_SECTION_LEAVE, 0, 0, 0, "leave section");
}

void nwx_synchronize(void)
{
	unsigned cpu = self_cpu();

	CALLED();
	if (is_direct()) {
		nwx_judge(NW_EV_GRACE_PERIOD, 0, 0, 0);
		return;
	}
	if (nwx.nesting[cpu])
		nwx_bug("a grace period is awaited inside a section", __FILE__,
			__LINE__);
	point(NWX_OP_SYNC_BEGIN, cpu, 0);
	memcpy(nwx.sync_wait[cpu], nwx.section, sizeof(nwx.section));
	nwm_cpu_publish(cpu, &nwx.sync_view);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0, "grace period begins");
	point(NWX_OP_SYNC_END, cpu, 0);
	nwm_cpu_learn(cpu, &nwx.section_view);
	nwx_judge(NW_EV_GRACE_PERIOD, 0, 0, 0);
	if (nwx.record)
		nwx_record_event(NW_EV_GRACE_PERIOD, 0, 0, 0,
				 "grace period is over");
}

void nwx_proof_enter(void)
{
	if (!is_direct() && !nwx.proof_nesting[self_cpu()]++)
		nwx.proof_id[self_cpu()] = nwx.section_next++;
}

void nwx_proof_leave(void)
{
	if (!is_direct() && !--nwx.proof_nesting[self_cpu()])
		nwx.proof_id[self_cpu()] = 0;
}

uint64_t nwx_section_id(void)
{
	unsigned cpu = nwx_cpu_id();

	/* Before the start one section holds all. */
	if (is_direct())
		return 1;
	return nwx.section[cpu] ? nwx.section[cpu] : nwx.proof_id[cpu];
}

/* ---- the CPU ----------------------------------------------------------- */

unsigned nwx_cpu_id(void)
{
	return is_direct() ? 0 : self_cpu();
}

static const char *const outcome_names[] = {
	"done",
	"translation fault",
	"access flag fault",
	"permission fault",
	"amalgamated",
	"conflict abort",
};

static struct nwm_access_result access_at(enum nw_regime regime, uint64_t ia,
					  enum nwm_access how, uint64_t value)
{
	unsigned watch = nwx_watch_find(regime, ia, 0);
	struct nwm_access_result r;

	point(NWX_OP_ACCESS, self_cpu() | (how == NWM_WRITE ? 0x80 : 0),
	      watch);
	r = nwm_access(self_cpu(), regime, ia, how, value);
	if (nwx.record)
		nwx_record_event(
			r.outcome == NWM_DONE ? NW_EV_ACCESS : NW_EV_FAULT, ia,
			r.pa, how == NWM_WRITE ? NW_ACCESS_WRITE : 0,
			"%s 0x%llx: %s%s%.0llx",
			how == NWM_WRITE ? "store to" : "load from",
			(unsigned long long)ia, outcome_names[r.outcome],
			r.outcome == NWM_DONE ? " at 0x" : "",
			(unsigned long long)r.pa);
	return r;
}

struct nwm_access_result nwx_read(enum nw_regime regime, uint64_t ia)
{
	return access_at(regime, ia, NWM_READ, 0);
}

struct nwm_access_result nwx_write(enum nw_regime regime, uint64_t ia,
				   uint64_t value)
{
	return access_at(regime, ia, NWM_WRITE, value);
}

/* ---- pages ------------------------------------------------------------- */

void *nwx_page_alloc(unsigned pages_lg2)
{
	unsigned page = nwm_page_alloc(is_direct() ? -1 : nwx.self, pages_lg2);

	if (!is_direct())
		nwx_local();
	return page == ~0u ? NULL : &nwm_arena[page * NWM_PAGE_WORDS];
}

void nwx_page_free(void *pages, unsigned pages_lg2)
{
	unsigned page = location(pages) / NWM_PAGE_WORDS;

	if (is_direct())
		return;
	for (unsigned i = 0; i < 1u << pages_lg2; i++) {
		point(NWX_OP_FREE, self_cpu(), page + i);
		nwx_quiet_free(page + i);
		nwx_tell_free(page + i);
		nwm_page_free(page + i);
		if (nwx.record)
			nwx_record_event(NW_EV_NONE, 0, 0, 0,
					 "free page 0x%llx",
					 (unsigned long long)nwm_page_pa(page +
									 i));
	}
}

uint64_t nwx_virt_minus_phys(void)
{
	return (uint64_t)(uintptr_t)nwm_arena - NWM_PA_BASE;
}

uint64_t nwx_pa(const void *p)
{
	return (uint64_t)(uintptr_t)p - nwx_virt_minus_phys();
}

void *nwx_virt(uint64_t pa)
{
	return (void *)(uintptr_t)(pa + nwx_virt_minus_phys());
}

/* ---- what must hold ---------------------------------------------------- */

void nwx_frame_allow(unsigned frame, unsigned rights)
{
	if (!is_direct())
		point(NWX_OP_FRAME, self_cpu(), frame);
	/* Nobody may reach it: it is somebody else's now. */
	if (!rights)
		nwx_trace(NW_EV_FRAME_REUSE, nwm_frame_pa(frame),
			  nwm_frame_bytes(frame), 0, NULL, 0);
	nwm_frame_allow(frame, rights);
	if (nwx.record)
		nwx_record_event(NW_EV_NONE, 0, 0, 0,
				 "-- %s: %s from here on", nwm_frame_name(frame),
				 !rights	      ? "out of reach" :
				 !(rights & NWM_W) ? "read only" :
						     "read and write");
}

void nwx_require(int holds, enum nwm_violation v, const char *text)
{
	if (!holds)
		nwm_report(v, "%s", text);
}

void nwx_bug(const char *what, const char *file, unsigned line)
{
	const char *name = strrchr(file, '/');

	nwm_report(NWM_PROOF, "%s (%s:%u)", what, name ? name + 1 : file, line);
	nwx_end_execution(NWX_VIOLATED);
}

/* ---- setup ------------------------------------------------------------- */

void nwx_watch(enum nw_regime regime, uint64_t ia)
{
	(void)nwx_watch_find(regime, ia, 1);
}
