/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every rule: its good trace is clean, its bad one is refuted by this rule and
 * no other, the two differ in one event, and with the rule switched off the
 * bad trace would pass unnoticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pairs.h"

#define ALL_ON SIZE_MAX

static struct tb good, bad;

static size_t rule_index(const char *id)
{
	const struct nwv_rule *rule;
	size_t i;

	for (i = 0; (rule = nwv_rule_at(i)); i++)
		if (!strcmp(rule->id, id))
			return i;
	fail_msg("no rule %s", id);
	return 0;
}

static void make(struct tb *t, const struct pair *p, int is_bad)
{
	t->events = 0;
	t->cpu = 0;
	p->make(t, is_bad);
}

/* rule_off: index of a rule to leave out; ALL_ON for none. */
static struct nwv_check *run(const struct tb *t, size_t rule_off)
{
	struct nwv_check_config config = {0};
	struct nwv_check *c;
	unsigned i;

	if (rule_off != ALL_ON)
		config.rules_off[rule_off / 64] |= UINT64_C(1)
						   << rule_off % 64;
	c = nwv_check_new(&config);

	assert_non_null(c);
	for (i = 0; i < t->events; i++)
		nwv_check_event(c, &t->event[i]);
	nwv_check_end(c);
	return c;
}

static void say(const struct nwv_check *c, const struct pair *p,
		const char *which)
{
	char text[1000];
	size_t i;

	if (nwv_check_problem(c))
		print_message("%s (%s), %s: %s\n", p->rule, p->name, which,
			      nwv_check_problem(c));
	for (i = 0; i < nwv_check_violations(c); i++) {
		nwv_violation_text(nwv_check_violation(c, i), text,
				   sizeof(text));
		print_message("%s (%s), %s: %s\n", p->rule, p->name, which,
			      text);
	}
}

static void expect(const struct tb *t, const struct pair *p, const char *which,
		   size_t rule_off, enum nwv_check_status status)
{
	struct nwv_check *c = run(t, rule_off);
	size_t i;

	if (nwv_check_status(c) != status)
		say(c, p, which);
	assert_int_equal(nwv_check_status(c), status);
	for (i = 0; i < nwv_check_violations(c); i++)
		if (strcmp(nwv_check_violation(c, i)->rule->id, p->rule)) {
			say(c, p, which);
			fail_msg("%s (%s), %s: another rule", p->rule, p->name,
				 which);
		}
	nwv_check_free(c);
}

/* Equal but for the place in the trace: sequence numbers shift, and the CPU of
 * what follows may be the changed event's own. */
static int same_event(const struct nwv_event *x, const struct nwv_event *y)
{
	return x->kind == y->kind && x->a == y->a && x->b == y->b &&
	       x->c == y->c && x->cpu == y->cpu;
}

static void expect_one_difference(const struct pair *p)
{
	unsigned head = 0, tail = 0;
	unsigned least = good.events < bad.events ? good.events : bad.events;
	unsigned most = good.events < bad.events ? bad.events : good.events;

	while (head < least && same_event(&good.event[head], &bad.event[head]))
		head++;
	while (tail < least - head &&
	       same_event(&good.event[good.events - 1 - tail],
			  &bad.event[bad.events - 1 - tail]))
		tail++;
	if (most - head - tail != 1)
		fail_msg("%s (%s): the traces differ in %u events", p->rule,
			 p->name, most - head - tail);
}

static void check_pair(const struct pair *p)
{
	size_t off = rule_index(p->rule);

	make(&good, p, 0);
	make(&bad, p, 1);
	expect_one_difference(p);
	expect(&good, p, "good", ALL_ON, NWV_CHECK_CLEAN);
	expect(&bad, p, "bad", ALL_ON, NWV_CHECK_VIOLATION);
	expect(&bad, p, "bad without the rule", off, NWV_CHECK_CLEAN);
}

static void check_pairs(const struct pair *p, unsigned n)
{
	while (n--)
		check_pair(p++);
}

static void entry_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_entry, pairs_entry_count);
}

static void tlb_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_tlb, pairs_tlb_count);
}

static void lifetime_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_life, pairs_life_count);
}

static void other_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_rest, pairs_rest_count);
}

static void arm64_profiles_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_arm64, pairs_arm64_count);
	check_pairs(pairs_arm64_wide, pairs_arm64_wide_count);
}

static void other_profiles_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_x86, pairs_x86_count);
	check_pairs(pairs_riscv, pairs_riscv_count);
}

static void operation_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_op, pairs_op_count);
}

static void log_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_log, pairs_log_count);
}

static void owner_rules_pairs_refuted(void **state)
{
	(void)state;
	check_pairs(pairs_owner, pairs_owner_count);
	check_pairs(pairs_beside, pairs_beside_count);
}

static int has_pair(const char *id, const struct pair *p, unsigned n)
{
	while (n--)
		if (!strcmp(p++->rule, id))
			return 1;
	return 0;
}

/* LOCK-03 is armed by a call, not by an event: test_check.c. */
static void rules_all_have_pairs(void **state)
{
	const struct nwv_rule *rule;
	size_t i, j;

	(void)state;
	for (i = 0; (rule = nwv_rule_at(i)); i++) {
		if (!has_pair(rule->id, pairs_entry, pairs_entry_count) &&
		    !has_pair(rule->id, pairs_tlb, pairs_tlb_count) &&
		    !has_pair(rule->id, pairs_x86, pairs_x86_count) &&
		    !has_pair(rule->id, pairs_riscv, pairs_riscv_count) &&
		    !has_pair(rule->id, pairs_life, pairs_life_count) &&
		    !has_pair(rule->id, pairs_op, pairs_op_count) &&
		    !has_pair(rule->id, pairs_log, pairs_log_count) &&
		    !has_pair(rule->id, pairs_owner, pairs_owner_count) &&
		    !has_pair(rule->id, pairs_rest, pairs_rest_count) &&
		    !has_pair(rule->id, pairs_arm64, pairs_arm64_count) &&
		    strcmp(rule->id, "LOCK-03"))
			fail_msg("%s has no pair of traces", rule->id);
		assert_true(rule->title[0] && rule->explain[0] &&
			    rule->manual[0]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(rule->id, nwv_rule_at(j)->id);
		assert_ptr_equal(nwv_rule_find(rule->id), rule);
	}
	assert_int_equal(i, nwv_rule_count());
	assert_null(nwv_rule_find("BBM-99"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_all_have_pairs),
		cmocka_unit_test(entry_rules_pairs_refuted),
		cmocka_unit_test(tlb_rules_pairs_refuted),
		cmocka_unit_test(lifetime_rules_pairs_refuted),
		cmocka_unit_test(other_rules_pairs_refuted),
		cmocka_unit_test(operation_rules_pairs_refuted),
		cmocka_unit_test(log_rules_pairs_refuted),
		cmocka_unit_test(owner_rules_pairs_refuted),
		cmocka_unit_test(other_profiles_pairs_refuted),
		cmocka_unit_test(arm64_profiles_pairs_refuted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
