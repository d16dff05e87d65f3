/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules in, violations out: who broke what, armed by what, lacking what. */
#include "rule.h"

#include <stdlib.h>
#include <string.h>

/* One root cause may be met many times; so many of one rule are listed when
 * the source does not tell them apart. */
#define LISTED_MAX 8

static const struct nwv_family *const families[] = {
	&nwv_family_entry,    &nwv_family_bbm,	&nwv_family_tlb,
	&nwv_family_lifetime, &nwv_family_lock, &nwv_family_notifier,
	&nwv_family_owner,    &nwv_family_wx,	&nwv_family_op,
	&nwv_family_log,
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* ---- the table of rules ------------------------------------------------ */

static const struct nwv_rule_def *def_at(size_t index)
{
	size_t i;

	for (i = 0; i < FAMILIES; i++) {
		if (index < families[i]->rules)
			return &families[i]->rule[index];
		index -= families[i]->rules;
	}
	return NULL;
}

size_t nwv_rule_count(void)
{
	size_t i, n = 0;

	for (i = 0; i < FAMILIES; i++)
		n += families[i]->rules;
	return n;
}

const struct nwv_rule *nwv_rule_at(size_t index)
{
	const struct nwv_rule_def *def = def_at(index);

	return def ? &def->text : NULL;
}

const struct nwv_rule *nwv_rule_find(const char *id)
{
	const struct nwv_rule *rule;
	size_t i;

	for (i = 0; (rule = nwv_rule_at(i)); i++)
		if (!strcmp(rule->id, id))
			return rule;
	return NULL;
}

/* ---- judging ----------------------------------------------------------- */

static int same_place(const struct nwv_mark *a, const struct nwv_mark *b)
{
	return a->file && b->file && a->line == b->line && a->cpu == b->cpu &&
	       !strcmp(a->file, b->file);
}

/*
 * Is this another sight of something already listed? The same rule, broken
 * and armed at the same lines; or too many of a rule to be told apart.
 */
static struct nwv_violation *same_cause(struct nwv_check *c,
					const struct nwv_violation *v)
{
	struct nwv_mark now = nwv_mark_of(v->event.kind ? &v->event : NULL);
	unsigned listed = 0;
	size_t i;

	for (i = c->violations; i-- > 0 && listed < LISTED_MAX;) {
		struct nwv_violation *old = &c->violation[i];
		struct nwv_mark then =
			nwv_mark_of(old->event.kind ? &old->event : NULL);

		if (old->rule != v->rule)
			continue;
		listed++;
		if (old->root != v->root)
			continue;
		if ((!now.kind || same_place(&now, &then)) &&
		    (!v->armed.kind || same_place(&v->armed, &old->armed)) &&
		    (now.kind || v->armed.kind))
			return old;
		if (listed == LISTED_MAX)
			return old;
	}
	return NULL;
}

static void report(struct nwv_check *c, const struct nwv_violation *v)
{
	struct nwv_violation *old = same_cause(c, v);
	uint32_t room = (uint32_t)c->violation_room;
	void *array = c->violation;
	size_t bytes = c->bytes;

	if (old) {
		old->also++;
		return;
	}
	if (c->violations >= c->config.violations_max) {
		c->dropped++;
		return;
	}
	if (nwv_room(c, &array, &room, (uint32_t)c->violations, sizeof(*v)))
		return;
	c->bytes = bytes; /* counted by its own size */
	c->violation = array;
	c->violation_room = room;
	c->violation[c->violations++] = *v;
}

static void fill(const struct nwv_check *c, const struct nwv_facts *f,
		 const struct nwv_finding *found, struct nwv_violation *v)
{
	uint16_t root = f->has_ob ? f->ob.root : 0;
	const struct nwv_page *p;

	if (f->event)
		v->event = *f->event;
	v->armed = found->armed;
	v->missing = found->missing;
	v->missing_after = found->after;
	v->near = found->near;
	v->missing_cpus = found->cpus;
	v->pa = f->pa;
	if (!root && f->pa) {
		p = nwv_page_at_pa(c, f->pa);
		root = p ? p->root : 0;
	}
	v->root = root;
	if (root) {
		v->tag = c->root[root].tag;
		v->regime = c->root[root].shape.regime;
	}
	v->has_entry = f->shape || f->has_ob;
	if (f->shape) {
		v->before = f->before;
		v->after = f->after;
		v->ia = f->ia;
		v->level = (uint8_t)f->level;
	} else if (f->has_ob) {
		v->before = f->ob.before;
		v->ia = f->ob.ia;
		v->level = f->ob.level;
	}
}

int nwv_rules_index(struct nwv_check *c)
{
	const struct nwv_rule_def *def;
	unsigned bit;
	size_t n;

	for (n = 0; (def = def_at(n)); n++) {
		if (n >= NWV_RULES_MAX)
			return -1;
		c->rule[n] = def;
		for (bit = 0; bit < NWV_ON_BITS; bit++) {
			if (!(def->on >> bit & 1))
				continue;
			if (c->rules_on_count[bit] == NWV_RULES_PER_ON)
				return -1;
			c->rules_on[bit][c->rules_on_count[bit]++] = (uint8_t)n;
		}
	}
	return 0;
}

unsigned nwv_judge(struct nwv_check *c, const struct nwv_facts *f)
{
	unsigned bit = (unsigned)__builtin_ctz(f->on), broken = 0, i;

	for (i = 0; i < c->rules_on_count[bit]; i++) {
		unsigned n = c->rules_on[bit][i];
		struct nwv_finding found = {0};
		struct nwv_violation v = {0};

		if (c->config.rules_off[n / 64] >> n % 64 & 1 ||
		    !c->rule[n]->broken(f, &found))
			continue;
		v.rule = &c->rule[n]->text;
		fill(c, f, &found, &v);
		report(c, &v);
		broken++;
	}
	return broken;
}

void nwv_facts_ob(const struct nwv_check *c, uint32_t n, struct nwv_facts *f)
{
	f->has_ob = 1;
	nwv_ob_get(c, n, &f->ob);
	nwv_ob_diagnose(c, n, &f->diagnosis);
}
