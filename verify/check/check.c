/* SPDX-License-Identifier: BSD-2-Clause */
/* The oracle's front: events in, verdicts out. */
#include "local.h"
#include "track.h"

#include <nestwalk/arm64.h>

#include <stdlib.h>

#define VIOLATIONS_MAX 256

struct nwv_check *nwv_check_new(const struct nwv_check_config *config)
{
	struct nwv_check *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (config)
		c->config = *config;
	if (!c->config.violations_max)
		c->config.violations_max = VIOLATIONS_MAX;
	if (!c->config.mair_el2)
		c->config.mair_el2 = NW_ARM64_MAIR_EL2;
	if (nwv_rules_index(c)) {
		free(c);
		return NULL;
	}
	return c;
}

void nwv_check_free(struct nwv_check *c)
{
	uint32_t i;

	if (!c)
		return;
	for (i = 1; i <= c->pages; i++) {
		free(c->page[i]->writer);
		free(c->page[i]);
	}
	for (i = 1; i <= c->locks; i++)
		free(c->lock[i]);
	for (i = 1; i <= c->ob_pages; i++)
		free(c->ob_page[i]);
	free(c->page);
	for (i = 1; i <= c->roots; i++)
		free(c->root[i].by_cpu);
	free(c->root);
	free(c->lock);
	free(c->entry_lock);
	free(c->notify);
	nwv_ops_free(c);
	nwv_runs_free(c);
	nwv_logs_free(c);
	nwv_slots_free(c);
	nwv_books_free(c);
	free(c->tag_use);
	for (i = 1; i <= c->groups; i++) {
		if (c->group[i].room)
			free(c->group[i].member);
		free(c->group[i].stamp);
	}
	for (i = 1; i <= c->ipis; i++)
		free(c->ipi[i]);
	free(c->ipi);
	free(c->group);
	free(c->ob);
	free(c->ob_more);
	free(c->ob_oa);
	free(c->ob_page);
	free(c->by_oa);
	free(c->oa_todo);
	free(c->violation);
	nwv_map_free(&c->page_by_va);
	nwv_map_free(&c->page_by_pa);
	nwv_map_free(&c->lock_by_address);
	nwv_map_free(&c->entry_lock_by_va);
	nwv_map_free(&c->tag_use_by_tag);
	nwv_map_free(&c->owner_by_frame);
	nwv_map_free(&c->ipi_by_key);
	nwv_map_free(&c->ob_page_by_key);
	free(c);
}

/* -1: no event of ours. */
static int dispatch(struct nwv_check *c, const struct nwv_event *e)
{
	/* What only imported traces say. */
	if (e->kind == NWV_EV_ROOT_LOCK)
		nwv_check_root_lock(c, e->a, e->b);
	if (e->kind >= NWV_EV_ROOT_LOCK && e->kind < NWV_EV_COUNT)
		return 0;
	switch ((enum nw_event)e->kind) {
	case NW_EV_ENTRY_READ:
		nwv_step_read(c, e);
		return 0;
	case NW_EV_ENTRY_INIT:
		nwv_step_init(c, e);
		return 0;
	case NW_EV_ENTRY_WRITE:
		nwv_step_write(c, e, NWV_STORE_PLAIN);
		return 0;
	case NW_EV_ENTRY_LINK:
	case NW_EV_ENTRY_PUBLISH:
		nwv_step_write(c, e, NWV_STORE_RELEASE);
		return 0;
	case NW_EV_ENTRY_RMW:
		nwv_step_write(c, e, NWV_STORE_ATOMIC);
		return 0;
	case NW_EV_ENTRY_RMW_FAIL:
		nwv_step_write_failed(c, e);
		return 0;
	case NW_EV_ENTRY_LOCK:
		nwv_step_entry_lock(c, e);
		return 0;
	case NW_EV_PAGE_ALLOC:
		nwv_step_alloc(c, e);
		return 0;
	case NW_EV_PAGE_LINK: /* the entry itself says it */
		return 0;
	case NW_EV_PAGE_UNLINK:
		nwv_step_unlink(c, e);
		return 0;
	case NW_EV_PAGE_FREE:
		nwv_step_free(c, e);
		return 0;
	case NW_EV_TABLE_INIT:
		nwv_step_table_init(c, e);
		return 0;
	case NW_EV_TABLE_FREE:
		nwv_step_table_free(c, e);
		return 0;
	case NW_EV_BARRIER:
		nwv_step_barrier(c, e);
		return 0;
	case NW_EV_TLBI:
		nwv_step_tlbi(c, e);
		return 0;
	case NW_EV_LOCK:
		nwv_step_lock(c, e);
		return 0;
	case NW_EV_UNLOCK:
		nwv_step_unlock(c, e);
		return 0;
	case NW_EV_RELEASE:
	case NW_EV_ACQUIRE:
		nwv_step_word(c, e);
		return 0;
	case NW_EV_SECTION_ENTER:
	case NW_EV_SECTION_LEAVE:
	case NW_EV_GRACE_PERIOD:
		nwv_step_section(c, e);
		return 0;
	case NW_EV_FRAME_REUSE:
		nwv_step_frame_reuse(c, e);
		return 0;
	case NW_EV_ROOT_SWITCH:
		nwv_step_root_switch(c, e);
		return 0;
	case NW_EV_NOTIFY_BEGIN:
	case NW_EV_NOTIFY_DRAIN:
	case NW_EV_NOTIFY_END:
	case NW_EV_NOTIFY_SAMPLE:
	case NW_EV_NOTIFY_INSTALL:
		nwv_step_notify(c, e);
		return 0;
	case NW_EV_OWNER:
		nwv_step_owner(c, e);
		return 0;
	case NW_EV_OP_BEGIN:
	case NW_EV_OP_END:
		nwv_step_op(c, e);
		return 0;
	case NW_EV_HW_UPDATE:
		nwv_step_hw_update(c, e);
		return 0;
	case NW_EV_ACCESS:
		nwv_step_access(c, e);
		return 0;
	case NW_EV_LOG_START:
	case NW_EV_LOG_STOP:
	case NW_EV_LOG_DIRTY:
		nwv_step_log(c, e);
		return 0;
	case NW_EV_SLOT_ADD:
	case NW_EV_SLOT_REMOVE:
		nwv_step_slot(c, e);
		return 0;
	case NW_EV_SLEEP:
	case NW_EV_RETRY:
		nwv_step_handler(c, e);
		return 0;
	case NW_EV_PAGE_STATE:
	case NW_EV_TABLE_OWNER:
	case NW_EV_SCRUB:
		nwv_step_books(c, e);
		return 0;
	case NW_EV_IPI_SEND:
	case NW_EV_IPI_TAKE:
	case NW_EV_IPI_DONE:
	case NW_EV_IPI_WAIT:
		nwv_step_ipi(c, e);
		return 0;
	case NW_EV_TRYLOCK_FAIL: /* nothing to judge; docs/rules.md */
	case NW_EV_FAULT:
		return 0;
	case NW_EV_GAP:
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: the recorder lost %llu events: what "
			 "follows cannot be judged",
			 (unsigned long long)e->seq, (unsigned long long)e->a);
		return 0;
	default:
		return -1;
	}
}

enum nwv_check_status nwv_check_event(struct nwv_check *c,
				      const struct nwv_event *e)
{
	if (c->stopped || c->is_ended)
		return nwv_check_status(c);
	c->now = e;
	if (e->seq != c->next_seq)
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu where %llu was expected: events are "
			 "missing or out of order",
			 (unsigned long long)e->seq,
			 (unsigned long long)c->next_seq);
	else if (e->cpu >= NWV_CPUS_MAX)
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: cpu %u, but at most %u are known",
			 (unsigned long long)e->seq, e->cpu, NWV_CPUS_MAX);
	if (c->stopped)
		return nwv_check_status(c);
	c->next_seq++;
	if (!c->cpu[e->cpu].is_seen)
		nwv_cpu_first_seen(c, e->cpu);
	if (__builtin_expect(c->watch != 0, 0) && (c->watch >> e->cpu & 1) &&
	    e->kind != NW_EV_TLBI)
		nwv_local_next(c, e->cpu);
	if (dispatch(c, e))
		nwv_stop(c, NWV_CHECK_MALFORMED,
			 "seq %llu: no event of kind %u",
			 (unsigned long long)e->seq, e->kind);
	return c->stopped || c->violations ? nwv_check_status(c)
					   : NWV_CHECK_CLEAN;
}

/* ---- the end ----------------------------------------------------------- */

/* One that is left, and what puts it in order: when it was armed, and where. */
struct open_ob {
	uint64_t seq;
	uint64_t ia;
	uint32_t number;
	uint16_t root;
	uint8_t level;
};

static int by_time(const void *left, const void *right)
{
	const struct open_ob *a = left, *b = right;

	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->level != b->level)
		return a->level > b->level ? -1 : 1;
	return a->ia < b->ia ? -1 : a->ia > b->ia;
}

/* In the order in which they were armed, whatever order we keep them in. */
static void end_obligations(struct nwv_check *c)
{
	struct open_ob *open = calloc(c->obs + 1u, sizeof(*open));
	struct nwv_facts f;
	struct nwv_ob o;
	uint32_t n, left = 0, i;

	if (!open) {
		nwv_stop(c, NWV_CHECK_INTERNAL, "out of memory");
		return;
	}
	for (n = 1; n <= c->ob_used; n++) {
		if (!c->ob[n].root || (c->ob[n].flags & NWV_OB_SOFT))
			continue;
		nwv_ob_get(c, n, &o);
		open[left++] = (struct open_ob){.seq = o.armed.seq,
						.ia = o.ia,
						.number = n,
						.root = o.root,
						.level = o.level};
	}
	qsort(open, left, sizeof(*open), by_time);
	for (i = 0; i < left; i++) {
		f = (struct nwv_facts){.on = NWV_ON_OPEN};
		nwv_facts_ob(c, open[i].number, &f);
		nwv_judge(c, &f);
	}
	free(open);
}

static void end_pages(struct nwv_check *c)
{
	struct nwv_facts f;
	uint32_t i;

	for (i = 1; i <= c->roots; i++)
		if (c->root[i].is_live)
			return;
	for (i = 1; c->roots && i <= c->pages; i++) {
		const struct nwv_page *p = c->page[i];

		if (p->life == NWV_FREED || p->head != i)
			continue;
		f = (struct nwv_facts){.on = NWV_ON_LEAK,
				       .pa = p->pa,
				       .is_known_page = 1,
				       .life = (enum nwv_life)p->life,
				       .page_since = p->since};
		nwv_judge(c, &f);
	}
}

static void end_rest(struct nwv_check *c)
{
	uint32_t i;

	for (i = 1; i <= c->entry_locks; i++) {
		struct nwv_facts f = {.on = NWV_ON_END,
				      .is_held = c->entry_lock[i].va != 0,
				      .holder = c->entry_lock[i].taken};

		nwv_judge(c, &f);
	}
	for (i = 0; c->notify && i < c->notify->opened; i++) {
		struct nwv_facts f = {.on = NWV_ON_END,
				      .has_begin = 1,
				      .range = c->notify->open[i].begin};

		nwv_judge(c, &f);
	}
}

/* Roots that were installed last, and what was left to others. */
static void end_local(struct nwv_check *c)
{
	while (c->watch)
		nwv_local_next(c, (unsigned)__builtin_ctzll(c->watch));
	nwv_local_end(c);
}

enum nwv_check_status nwv_check_end(struct nwv_check *c)
{
	if (c->stopped || c->is_ended)
		return nwv_check_status(c);
	c->is_ended = 1;
	c->now = NULL;
	end_local(c);
	nwv_run_end(c);
	nwv_log_end(c);
	nwv_books_end(c);
	end_obligations(c);
	end_pages(c);
	end_rest(c);
	return nwv_check_status(c);
}

/* ---- questions --------------------------------------------------------- */

enum nwv_check_status nwv_check_status(const struct nwv_check *c)
{
	if (c->stopped)
		return c->stopped;
	if (c->violations || c->dropped)
		return NWV_CHECK_VIOLATION;
	return c->unsupported[0] ? NWV_CHECK_UNSUPPORTED : NWV_CHECK_CLEAN;
}

const char *nwv_check_problem(const struct nwv_check *c)
{
	if (c->stopped)
		return c->problem;
	return c->unsupported[0] ? c->unsupported : NULL;
}

void nwv_check_root_lock(struct nwv_check *c, uint64_t root_pa, uint64_t lock)
{
	const struct nwv_page *p = nwv_page_at_pa(c, root_pa);

	if (p && p->is_root)
		c->root[p->root].lock = lock;
}

size_t nwv_check_violations(const struct nwv_check *c)
{
	return c->violations;
}

const struct nwv_violation *nwv_check_violation(const struct nwv_check *c,
						size_t index)
{
	return index < c->violations ? &c->violation[index] : NULL;
}

uint64_t nwv_check_dropped(const struct nwv_check *c)
{
	return c->dropped;
}

size_t nwv_check_outstanding(const struct nwv_check *c)
{
	return c->obs;
}

size_t nwv_check_bytes(const struct nwv_check *c)
{
	return sizeof(*c) + c->bytes +
	       c->violation_room * sizeof(*c->violation) +
	       nwv_map_bytes(&c->page_by_va) + nwv_map_bytes(&c->page_by_pa) +
	       nwv_map_bytes(&c->lock_by_address) +
	       nwv_map_bytes(&c->entry_lock_by_va) +
	       nwv_map_bytes(&c->tag_use_by_tag) +
	       nwv_map_bytes(&c->owner_by_frame) +
	       nwv_map_bytes(&c->ipi_by_key) +
	       nwv_map_bytes(&c->ob_page_by_key);
}
