/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quiet accesses: those whose order no schedule can change, so that they need
 * no scheduling point.
 *
 * To begin with every location is taken for quiet: a CPU's access to it is
 * carried out at once, together with the CPU's last step. What happens is
 * watched with the clocks of the reduction: of two accesses by different CPUs,
 * one of them a write, the earlier one's CPU must have taken a further step
 * that is ordered before the later one. If that does not hold, the location is
 * loud from then on, and all is explored once more with what is known now. When
 * nothing becomes loud any more, each order of the steps that are left decides
 * each order of quiet accesses, so that nothing was left out: whoever comes
 * first to a race that was never seen has before it an execution without one,
 * and that one, or one of equal steps, was explored, with the race as its next
 * access (Musuvathi, Qadeer, "CHESS: Systematic Stress Testing of Concurrent
 * Software", 2006, for locks instead of clocks).
 *
 * Loud from the start: what a walk or access may touch, what is awaited, and
 * everything on machines where stores stand in one order (x86) or interrupts
 * are taken. A page that is freed counts as written.
 */
#include <string.h>

#include "engine.h"

/* How many steps a CPU had taken when it was here. */
struct visit {
	uint32_t execution;
	uint8_t writer; /* the last one + 1; 0: nobody */
	uint16_t written;
	uint16_t read[NWM_CPUS_MAX]; /* + 1 */
};

static struct visit visits[NWM_LOCATIONS];
static uint8_t loud[NWM_LOCATIONS];
static uint8_t walked[NWM_PAGE_WORDS]; /* entries with this index */
static unsigned watches; /* of nwx_watches, those that `walked` knows */
static uint32_t execution;
static int is_off, is_news;

void nwx_quiet_reset(void)
{
	is_off = nwx.o->strategy != NWX_SYSTEMATIC || nwx.guide ||
		 nwx.o->reduction == NWX_UNREDUCED || nwx.ipi_handler ||
		 nwm_is_tso(&nwm_config);
	if (!++execution) {
		memset(visits, 0, sizeof(visits));
		execution = 1;
	}
}

/* ---- what hardware looks at ----------------------------------------------- */

/* A contiguous run is looked at as one; the data of a small frame stands at the
 * word the address names. */
static void watch_add(const struct nwx_watch_point *w)
{
	unsigned run = nwm_config.has_runs ? 16 : 1;

	if (w->is_anywhere)
		memset(walked, 1, sizeof(walked));
	for (unsigned l = 0; l < w->levels; l++)
		memset(&walked[w->index[l] / run * run], 1, run);
	walked[w->ia >> 3 & (NWM_PAGE_WORDS - 1)] = 1;
}

/* After the setup. */
void nwx_quiet_clear(void)
{
	memset(loud, 0, sizeof(loud));
	memset(walked, 0, sizeof(walked));
	for (watches = 0; watches < nwx_watch_count; watches++)
		watch_add(&nwx_watches[watches]);
	is_news = 0;
}

/* An address that is accessed late may lead where all was quiet before. */
static void catch_up(void)
{
	while (watches < nwx_watch_count) {
		watch_add(&nwx_watches[watches++]);
		is_news = 1;
	}
}

int nwx_quiet_news(void)
{
	int news;

	if (is_off)
		return 0;
	catch_up();
	news = is_news;
	is_news = 0;
	return news;
}

static int is_walked(unsigned loc)
{
	catch_up();
	return walked[loc % NWM_PAGE_WORDS];
}

void nwx_quiet_never(unsigned loc)
{
	if (is_off || loud[loc])
		return;
	loud[loc] = 1;
	is_news = 1;
}

/* ---- what CPUs do ---------------------------------------------------------- */

static struct visit *visit_of(unsigned loc)
{
	struct visit *v = &visits[loc];

	if (v->execution != execution) {
		memset(v, 0, sizeof(*v));
		v->execution = execution;
	}
	return v;
}

/* `cpu` had taken `steps` steps, and what it did after the last of them comes
 * before whatever this CPU does now. */
static int is_past(unsigned cpu, unsigned steps)
{
	return cpu == (unsigned)nwx.self ||
	       nwx.actor[nwx.self].clock[cpu] > steps;
}

static int is_ordered(const struct visit *v, int is_write)
{
	if (v->writer && !is_past(v->writer - 1u, v->written))
		return 0;
	for (unsigned c = 0; is_write && c < nwx.cpus; c++)
		if (v->read[c] && !is_past(c, v->read[c] - 1u))
			return 0;
	return 1;
}

static void note(struct visit *v, int is_write)
{
	unsigned self = (unsigned)nwx.self;

	if (is_write) {
		v->writer = (uint8_t)(self + 1);
		v->written = nwx.count[self];
	} else {
		v->read[self] = (uint16_t)(nwx.count[self] + 1);
	}
}

/* A replay has no quiet accesses: its choices name who goes on here, too. */
static void choose_self(void)
{
	if (!nwx.is_others_known) {
		nwx.is_others_known = 1;
		nwx.others = 0;
		for (unsigned i = 0; i < NWX_ACTORS; i++)
			nwx.others |= (int)i != nwx.self &&
				      nwx_enabled(&nwx.actor[i]);
	}
	if (nwx.others)
		nwx_choice_record((unsigned)nwx.self, NWX_BY_SCHEDULER);
}

/* All shards make the same first steps, whatever each has found since. */
static int is_first_step(void)
{
	return nwx.o->shards > 1 && nwx.visible <= NWX_SHARD_DEPTH;
}

int nwx_quiet(unsigned kind, unsigned loc)
{
	struct visit *v;

	if (is_off || is_walked(loc) || loud[loc])
		return 0;
	v = visit_of(loc);
	if (!is_first_step() && !is_ordered(v, kind == NWX_OP_WRITE)) {
		nwx_quiet_never(loc);
		return 0;
	}
	note(v, kind == NWX_OP_WRITE);
	if (is_first_step())
		return 0;
	choose_self();
	nwx_local();
	return 1;
}

void nwx_quiet_free(unsigned page)
{
	unsigned first = page * NWM_PAGE_WORDS;

	for (unsigned i = 0; !is_off && i < NWM_PAGE_WORDS; i++)
		if (visits[first + i].execution == execution &&
		    !is_ordered(&visits[first + i], 1))
			nwx_quiet_never(first + i);
}
