/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Relaxed memory by views. Each location keeps the values it has had; each
 * observer keeps the oldest of them that it may still read. A store goes to
 * the end of its location's history; a load may read anything from the end
 * back to the observer's floor. Order between locations travels in views: a
 * release store carries its writer's view, an acquire load joins it.
 */
#include <string.h>

#include "machine.h"

#define MSGS_MAX 16384u
#define VIEWS_MAX 4096u
#define DEPS_MAX 8u

struct cpu_memory {
	struct nwm_view cur; /* floor of this CPU's loads */
	struct nwm_view pending; /* what relaxed loads saw; a fence joins it */
	uint32_t store_view;	 /* carried by plain stores after a fence */
	uint16_t writes;
	uint32_t last; /* its newest store */
	int stale_left;
	/* Pages whose address a relaxed load delivered, with what was known of
	 * them then: address dependencies are respected. */
	unsigned deps;
	struct {
		unsigned page;
		uint32_t view;
	} dep[DEPS_MAX];
};

struct nwm_config nwm_config;
uint64_t nwm_arena[NWM_LOCATIONS] __attribute__((aligned(4096)));
unsigned nwm_step;

static struct nwm_msg msgs[MSGS_MAX];
static struct nwm_view views[VIEWS_MAX];
static unsigned msg_count, view_count;
static struct nwm_view fence_view;
static struct cpu_memory cpus[NWM_CPUS_MAX];
static uint16_t walker_writes[NWM_CPUS_MAX];

static uint16_t rec_of[NWM_LOCATIONS]; /* 0: none */
static uint32_t rec_loc[NWM_LOCATIONS];
static uint32_t rec_newest[NWM_LOCATIONS];
static uint64_t base[NWM_LOCATIONS]; /* values before the start */
static unsigned rec_count;

static int is_tso(void)
{
	return nwm_is_tso(&nwm_config);
}

void nwm_view_clear(struct nwm_view *v)
{
	memset(v->vc, 0, sizeof(v->vc));
	v->n = 0;
	v->pos = 0;
}

static void view_copy(struct nwm_view *to, const struct nwm_view *from)
{
	memcpy(to->vc, from->vc, sizeof(to->vc));
	to->n = from->n;
	to->pos = from->pos;
	memcpy(to->extra, from->extra, from->n * sizeof(from->extra[0]));
}

void nwm_mem_save(void)
{
	memcpy(base, nwm_arena, sizeof(base));
}

void nwm_mem_reset(void)
{
	for (unsigned i = 1; i <= rec_count; i++) {
		rec_of[rec_loc[i]] = 0;
		nwm_arena[rec_loc[i]] = base[rec_loc[i]];
	}
	rec_count = 0;
	msg_count = 1;
	view_count = 1;
	nwm_view_clear(&fence_view);
	memset(walker_writes, 0, sizeof(walker_writes));
	for (unsigned i = 0; i < NWM_CPUS_MAX; i++) {
		nwm_view_clear(&cpus[i].cur);
		nwm_view_clear(&cpus[i].pending);
		cpus[i].store_view = 0;
		cpus[i].writes = 0;
		cpus[i].last = 0;
		cpus[i].deps = 0;
		cpus[i].stale_left = nwm_config.stale_max;
	}
}

unsigned nwm_rec(unsigned loc)
{
	unsigned rec = rec_of[loc];

	if (rec)
		return rec;
	rec = ++rec_count;
	rec_of[loc] = (uint16_t)rec;
	rec_loc[rec] = loc;
	rec_newest[rec] = 0;
	return rec;
}

unsigned nwm_rec_find(unsigned loc)
{
	return rec_of[loc] ? rec_of[loc] : ~0u;
}

unsigned nwm_recs(void)
{
	return rec_count;
}

unsigned nwm_rec_location(unsigned rec)
{
	return rec_loc[rec];
}

unsigned nwm_rec_writes(unsigned rec)
{
	return rec_newest[rec] ? msgs[rec_newest[rec]].ts : 0;
}

uint64_t nwm_newest(unsigned loc)
{
	return nwm_arena[loc];
}

/* ---- views ------------------------------------------------------------- */

static unsigned extra_of(const struct nwm_view *v, unsigned rec)
{
	for (unsigned i = 0; i < v->n; i++)
		if (v->extra[i].rec == rec)
			return v->extra[i].ts;
	return 0;
}

static void extra_raise(struct nwm_view *v, unsigned rec, unsigned ts)
{
	for (unsigned i = 0; i < v->n; i++) {
		if (v->extra[i].rec != rec)
			continue;
		if (v->extra[i].ts < ts)
			v->extra[i].ts = (uint16_t)ts;
		return;
	}
	/* A full list forgets: that only permits more. */
	if (v->n == NWM_EXTRA_MAX)
		return;
	v->extra[v->n].rec = (uint16_t)rec;
	v->extra[v->n++].ts = (uint16_t)ts;
}

void nwm_view_join(struct nwm_view *into, const struct nwm_view *from)
{
	for (unsigned w = 0; w < NWM_WRITERS; w++)
		if (into->vc[w] < from->vc[w])
			into->vc[w] = from->vc[w];
	for (unsigned i = 0; i < from->n; i++)
		extra_raise(into, from->extra[i].rec, from->extra[i].ts);
	if (into->pos < from->pos)
		into->pos = from->pos;
}

/* `v` knows this message, and on x86 all before it. */
static void view_know(struct nwm_view *v, unsigned rec, const struct nwm_msg *m)
{
	uint32_t pos = (uint32_t)(m - msgs);

	if (!is_tso())
		extra_raise(v, rec, m->ts);
	else if (v->pos < pos)
		v->pos = pos;
}

static uint32_t view_save(const struct nwm_view *v)
{
	if (view_count == VIEWS_MAX)
		return 0;
	view_copy(&views[view_count], v);
	return view_count++;
}

uint32_t nwm_view_keep(const struct nwm_view *view)
{
	unsigned any = view->n | view->pos;

	for (unsigned w = 0; w < NWM_WRITERS; w++)
		any |= view->vc[w];
	return any ? view_save(view) : 0;
}

const struct nwm_view *nwm_view_kept(uint32_t number)
{
	return number ? &views[number] : NULL;
}

const struct nwm_view *nwm_cpu_view(unsigned cpu)
{
	return &cpus[cpu].cur;
}

void nwm_view_walked(struct nwm_view *v, const struct nwm_msg *m)
{
	if (m && m->view)
		nwm_view_join(v, &views[m->view]);
	if (m && is_tso())
		view_know(v, 0, m);
}

/* Oldest position that the view permits. */
static unsigned floor_of(const struct nwm_view *v, unsigned rec)
{
	unsigned ts = v->n ? extra_of(v, rec) : 0;

	for (uint32_t m = rec_newest[rec]; m; m = msgs[m].older) {
		if (msgs[m].ts <= ts)
			return ts;
		if (m <= v->pos || msgs[m].seq <= v->vc[msgs[m].writer])
			return msgs[m].ts;
	}
	return ts;
}

static unsigned newest_ts(unsigned rec)
{
	return rec_newest[rec] ? msgs[rec_newest[rec]].ts : 0;
}

unsigned nwm_visible(const struct nwm_view *view, unsigned loc)
{
	unsigned rec = rec_of[loc];

	if (!rec || !rec_newest[rec])
		return 1;
	return newest_ts(rec) - floor_of(view, rec) + 1;
}

uint64_t nwm_visible_at(unsigned loc, unsigned n, const struct nwm_msg **msg)
{
	unsigned rec = rec_of[loc];
	uint32_t m = rec ? rec_newest[rec] : 0;

	while (n-- && m)
		m = msgs[m].older;
	*msg = m ? &msgs[m] : NULL;
	return m ? msgs[m].value : base[loc];
}

/* ---- accesses ---------------------------------------------------------- */

static uint32_t dep_view(const struct cpu_memory *c, unsigned loc)
{
	for (unsigned i = 0; i < c->deps; i++)
		if (c->dep[i].page == loc / NWM_PAGE_WORDS)
			return c->dep[i].view;
	return 0;
}

/* The value read may be the address of a page: later loads from that page are
 * ordered after whatever the message's writer ordered before it. */
static void dep_note(struct cpu_memory *c, uint64_t value, uint32_t view)
{
	unsigned page = nwm_pa_page(value & UINT64_C(0x0000fffffffff000));
	unsigned i;

	if (page == ~0u)
		return;
	for (i = 0; i < c->deps; i++)
		if (c->dep[i].page == page)
			break;
	if (i == DEPS_MAX)
		return;
	if (i == c->deps)
		c->deps++;
	c->dep[i].page = page;
	c->dep[i].view = view;
}

/* Dependencies chain: what ordered the load of a table's address also orders
 * the loads through an address found in that table. */
static uint32_t dep_chain(uint32_t dep, uint32_t view)
{
	struct nwm_view both;

	if (!dep)
		return view;
	view_copy(&both, &views[dep]);
	nwm_view_join(&both, &views[view]);
	return view_save(&both);
}

static unsigned stale_choice(struct cpu_memory *c, const struct nwm_view *v,
			     unsigned loc)
{
	unsigned n = nwm_visible(v, loc);
	unsigned back;

	if (n < 2 || !c->stale_left)
		return 0;
	back = nwm_choose(NWM_CHOOSE_STALE, n);
	if (back && c->stale_left > 0)
		c->stale_left--;
	return back;
}

uint64_t nwm_load(unsigned cpu, unsigned loc, enum nwm_order order)
{
	struct cpu_memory *c = &cpus[cpu];
	unsigned rec = rec_of[loc];
	const struct nwm_msg *m;
	struct nwm_view joined;
	const struct nwm_view *floor = &c->cur;
	uint64_t value;
	uint32_t dep;

	if (!rec || !rec_newest[rec])
		return base[loc];
	dep = dep_view(c, loc);
	if (dep) {
		view_copy(&joined, &c->cur);
		nwm_view_join(&joined, &views[dep]);
		floor = &joined;
	}
	value = nwm_visible_at(loc, stale_choice(c, floor, loc), &m);
	if (!m)
		return value;
	/* A CPU's own store comes out of its buffer: its place stays. */
	if (m->seq > c->cur.vc[m->writer])
		view_know(&c->cur, rec, m);
	if (m->view && order == NWM_ACQUIRE) {
		nwm_view_join(&c->cur, &views[m->view]);
	} else if (m->view) {
		nwm_view_join(&c->pending, &views[m->view]);
		dep_note(c, value, dep_chain(dep, m->view));
	} else if (dep) {
		dep_note(c, value, dep);
	}
	return value;
}

static void append(unsigned writer, unsigned loc, uint64_t value, uint32_t view,
		   uint16_t seq)
{
	unsigned rec = nwm_rec(loc);
	struct nwm_msg *m;

	if (msg_count == MSGS_MAX) {
		nwm_report(NWM_LIVELOCK, "more than %u stores in one execution",
			   MSGS_MAX);
		return;
	}
	m = &msgs[msg_count];
	m->value = value;
	m->older = rec_newest[rec];
	m->view = view;
	m->ts = (uint16_t)(newest_ts(rec) + 1);
	m->seq = seq;
	m->writer = (uint8_t)writer;
	rec_newest[rec] = msg_count++;
	nwm_arena[loc] = value;
}

void nwm_store(unsigned cpu, unsigned loc, uint64_t value, enum nwm_order order)
{
	struct cpu_memory *c = &cpus[cpu];
	uint32_t view = c->store_view;

	c->cur.vc[cpu] = ++c->writes;
	if (order == NWM_RELEASE && !is_tso())
		view = view_save(&c->cur);
	append(cpu, loc, value, view, c->writes);
	c->last = msg_count - 1;
}

void nwm_newest_into(unsigned loc, struct nwm_view *into)
{
	const struct nwm_msg *m;

	(void)nwm_visible_at(loc, 0, &m);
	if (m)
		view_know(into, rec_of[loc], m);
}

/* The store buffer is empty, and nothing that follows has begun. */
static void drain(struct cpu_memory *c)
{
	c->cur.pos = msg_count - 1;
}

uint64_t nwm_load_newest(unsigned cpu, unsigned loc)
{
	struct cpu_memory *c = &cpus[cpu];
	const struct nwm_msg *m;
	uint64_t value = nwm_visible_at(loc, 0, &m);

	if (!m)
		return value;
	view_know(&c->cur, rec_of[loc], m);
	if (m->view)
		nwm_view_join(&c->cur, &views[m->view]);
	return value;
}

uint64_t nwm_rmw_begin(unsigned cpu, unsigned loc)
{
	if (is_tso())
		drain(&cpus[cpu]);
	return nwm_load_newest(cpu, loc);
}

void nwm_rmw_commit(unsigned cpu, unsigned loc, uint64_t value)
{
	struct cpu_memory *c = &cpus[cpu];

	c->cur.vc[cpu] = ++c->writes;
	if (!is_tso()) {
		append(cpu, loc, value, view_save(&c->cur), c->writes);
		return;
	}
	append(cpu, loc, value, 0, c->writes);
	drain(c);
}

void nwm_walker_rmw(unsigned cpu, unsigned loc, uint64_t value)
{
	const struct nwm_msg *m;

	(void)nwm_visible_at(loc, 0, &m);
	append(NWM_CPUS_MAX + cpu, loc, value, m ? m->view : 0,
	       ++walker_writes[cpu]);
}

/* ---- fences ------------------------------------------------------------ */

void nwm_fence_local(unsigned cpu)
{
	struct cpu_memory *c = &cpus[cpu];

	if (is_tso()) {
		drain(c);
		return;
	}
	nwm_view_join(&c->cur, &c->pending);
	c->store_view = view_save(&c->cur);
}

void nwm_fence_full(unsigned cpu)
{
	struct cpu_memory *c = &cpus[cpu];

	if (!is_tso())
		nwm_view_join(&c->cur, &fence_view);
	nwm_fence_local(cpu);
	if (!is_tso())
		view_copy(&fence_view, &c->cur);
}

void nwm_fence_store(unsigned cpu)
{
	struct cpu_memory *c = &cpus[cpu];

	/* Orders stores with stores: what only was read is not carried. */
	if (is_tso() || view_count == VIEWS_MAX)
		return;
	view_copy(&views[view_count], &c->cur);
	views[view_count].n = 0;
	c->store_view = view_count++;
}

/* No later access begins before this CPU's stores are complete; what its loads
 * have seen is not waited for. */
void nwm_fence_complete(unsigned cpu)
{
	struct cpu_memory *c = &cpus[cpu];
	unsigned seen = c->cur.n;

	if (is_tso()) {
		drain(c);
		return;
	}
	c->cur.n = 0;
	nwm_view_join(&fence_view, &c->cur);
	c->cur.n = (uint16_t)seen;
	nwm_fence_store(cpu);
	nwm_view_join(&c->cur, &fence_view);
}

void nwm_cpu_publish(unsigned cpu, struct nwm_view *into)
{
	const struct cpu_memory *c = &cpus[cpu];

	if (!is_tso()) {
		nwm_view_join(into, &c->cur);
		return;
	}
	if (into->pos < c->cur.pos)
		into->pos = c->cur.pos;
	if (into->pos < c->last)
		into->pos = c->last;
}

void nwm_cpu_learn(unsigned cpu, const struct nwm_view *from)
{
	nwm_view_join(&cpus[cpu].cur, from);
}
