/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accessed and dirty: what the CPU marks is what nw_harvest_dirty() and
 * nw_age() find, no more and no less.
 */
#include "judge.h"

#define STATE_ADDRESSES 24
#define DIRTY_SPANS_MAX 4096

struct dirty_list {
	unsigned spans;
	uint64_t ia[DIRTY_SPANS_MAX];
	uint64_t end[DIRTY_SPANS_MAX];
};
static struct dirty_list dirty;

static void take_dirty(void *arg, nw_ia_t ia, uint64_t size_bytes)
{
	struct dirty_list *list = arg;

	if (list->spans == DIRTY_SPANS_MAX)
		return;
	list->ia[list->spans] = ia.v;
	list->end[list->spans++] = ia.v + size_bytes;
}

static void harvest(struct judge *j)
{
	enum nw_status status;
	struct nw_result r;

	dirty.spans = 0;
	status = nw_harvest_dirty(&j->table, NW_IA(j->low), j->end - j->low,
				  take_dirty, &dirty, &r);
	check(j, status == NW_OK, "nw_harvest_dirty", r.reached,
	      (uint64_t)status, NW_OK);
}

static uint64_t dirty_bytes(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < dirty.spans; i++)
		sum += dirty.end[i] - dirty.ia[i];
	return sum;
}

static int is_dirty(uint64_t ia)
{
	for (unsigned i = 0; i < dirty.spans; i++)
		if (dirty.ia[i] <= ia && ia < dirty.end[i])
			return 1;
	return 0;
}

static uint64_t age(struct judge *j, enum nw_age how)
{
	enum nw_status status;
	uint64_t young = 0;
	struct nw_result r;

	status = nw_age(&j->table, NW_IA(j->low), j->end - j->low, how, &young,
			&r);
	check(j, status == NW_OK, "nw_age", r.reached, (uint64_t)status, NW_OK);
	return young;
}

/* Number of leaves that these addresses are in, and their size together. */
static unsigned leaves_of(struct judge *j, const uint64_t *ia, unsigned n,
			  uint64_t *bytes)
{
	uint64_t base[STATE_ADDRESSES];
	struct nw_mapping found;
	unsigned leaves = 0, k;

	*bytes = 0;
	for (unsigned i = 0; i < n; i++) {
		if (nw_lookup(&j->table, NW_IA(ia[i]), &found) != NW_OK)
			continue;
		for (k = 0; k < leaves && base[k] != found.base.v; k++)
			;
		if (k < leaves)
			continue;
		base[leaves++] = found.base.v;
		*bytes += UINT64_C(1)
			  << nw_span_lg2(&j->table.geo, found.level);
	}
	return leaves;
}

/* Random backed addresses with this right. */
static unsigned choose_mapped(struct judge *j, unsigned right, uint64_t *ia)
{
	unsigned n = 0;

	for (unsigned tries = 0; j->model.spans && tries < 400; tries++) {
		const struct span *span =
			&j->model.span[random_below(j->model.spans)];

		if (n == STATE_ADDRESSES)
			break;
		if ((span->prot & right) && address_in_span(span, &ia[n]))
			n++;
	}
	return n;
}

/* By whoever may: no key forbids anything here. */
static void touch(struct judge *j, enum access how, const uint64_t *ia,
		  unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct span *span = model_find(&j->model, ia[i]);

		j->user = span->user;
		check(j, judge_one(j, how, ia[i], span), "touched", ia[i], 0,
		      1);
	}
}

void judge_state(struct judge *j)
{
	uint64_t ia[STATE_ADDRESSES], young, bytes;
	unsigned n, leaves;

	judge_as(j, 0);
	j->pkru = 0;
	if (has(j, NW_FEAT_X86_PKU))
		set_pkru(0);
	n = choose_mapped(j, NW_PROT_W, ia);
	harvest(j);
	touch(j, ACCESS_LOAD, ia, n);
	harvest(j);
	check(j, dirty_bytes() == 0, "loaded, not dirty", 0, dirty_bytes(), 0);
	touch(j, ACCESS_STORE, ia, n);
	harvest(j);
	for (unsigned i = 0; i < n; i++)
		check(j, is_dirty(ia[i]), "stored, dirty", ia[i], 0, 1);
	leaves_of(j, ia, n, &bytes);
	check(j, dirty_bytes() == bytes, "dirty bytes", 0, dirty_bytes(),
	      bytes);

	n = choose_mapped(j, NW_PROT_R, ia);
	age(j, NW_AGE_CLEAR);
	flush_all(); /* ageing does not flush */
	touch(j, ACCESS_LOAD, ia, n);
	young = age(j, NW_AGE_TEST);
	leaves = leaves_of(j, ia, n, &bytes);
	check(j, young == leaves, "young leaves", 0, young, leaves);
}
