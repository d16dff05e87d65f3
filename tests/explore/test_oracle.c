/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracle beside the exploration, and the ordering points that a run
 * passed.
 */
#include <string.h>

#include "../../verify/scenarios/reached.h"
#include "support.h"

static struct nwx_result explored(const char *name, enum nwm_violation target,
				  int is_judged)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.target = target;
	o.is_judged = is_judged;
	assert_int_equal(nwx_explore(nws_find(name), &o, &r), 0);
	return r;
}

static void oracle_live_names_the_rule(void **state)
{
	struct nwx_result r =
		explored("bad_library_split_no_bbm", NWM_RULE, 1);

	(void)state;
	assert_int_equal(r.violation, NWM_RULE);
	assert_string_equal(r.rule, "BBM-05");
	assert_string_equal(nwx_violation_name(&r), "BBM-05");
	free(r.choices);
}

static void oracle_off_leaves_the_machine_to_find_it(void **state)
{
	struct nwx_result r =
		explored("bad_library_split_no_bbm", NWM_OK, 0);

	(void)state;
	assert_int_equal(r.violation, NWM_AMALGAM);
	assert_int_equal(r.judged, 0);
	free(r.choices);
}

static void oracle_live_judges_each_sequence_once(void **state)
{
	struct nwx_result r =
		explored("good_library_split_bbm", NWM_OK, 1);

	(void)state;
	assert_int_equal(r.violation, NWM_OK);
	assert_true(r.exhausted);
	assert_true(r.judged > 0);
	assert_true(r.judged < r.schedules);
}

static void oracle_live_protocol_subject_is_judged(void **state)
{
	struct nwx_result r =
		explored("good_fixmap_broadcast", NWM_OK, 1);

	(void)state;
	assert_true(r.judged > 0);
	r = explored("bad_protect_plain_store", NWM_RULE, 1);
	assert_string_equal(r.rule, "ENTRY-02");
	free(r.choices);
}

static uint64_t judged(const struct nwx_scenario *s)
{
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r;

	o.is_judged = 1;
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_int_equal(r.violation, NWM_OK);
	return r.judged;
}

/* A count in the library's own memory hands an entry to another CPU: its
 * stores and loads are told. */
static void oracle_live_unjudged_is_not_judged(void **state)
{
	struct nwx_scenario s = *nws_find("good_ord_fixmap_retire_other");

	(void)state;
	assert_null(s.unjudged);
	assert_true(judged(&s) > 10);
	s.unjudged = "no event says so";
	assert_int_equal(judged(&s), 0);
}

/* A frame that changes hands is reused: its invalidation must be over. */
static void oracle_live_frame_reuse_is_an_event(void **state)
{
	struct nwx_result r =
		explored("bad_library_fixmap_unretired", NWM_RULE, 1);

	(void)state;
	assert_string_equal(r.rule, "LIFE-10");
	assert_non_null(strstr(r.text, "frame reused"));
	free(r.choices);
}

/* That some rule was broken is not enough: the scenario names which. */
static void oracle_live_another_rule_is_a_surprise(void **state)
{
	struct nwx_scenario s = *nws_find("bad_library_fixmap_unretired");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;

	(void)state;
	s.rules[0] = "TLB-02";
	nws_run_systematic(&s, &o, &run);
	assert_int_equal(run.verdict, NWS_WRONG_VIOLATION);
	nws_run_free(&run);
}

/* A scenario may bound what is exhausted; the result says by what. */
static void scenario_with_bounds_is_exhausted_within_them(void **state)
{
	struct nwx_scenario s = *nws_find("good_bracket");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;

	(void)state;
	s.preemptions_max = 3;
	s.stale_reads_max = 2;
	nws_run_systematic(&s, &o, &run);
	assert_int_equal(run.verdict, NWS_AS_EXPECTED);
	assert_true(run.result.exhausted);
	assert_int_equal(run.result.preemptions, 3);
	assert_int_equal(run.result.stale_max, 2);
	nws_run_free(&run);
}

static void oracle_live_counterexample_shrinks_and_replays(void **state)
{
	const struct nwx_scenario *s = nws_find("bad_library_early_free");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nwx_result r, again;

	(void)state;
	o.target = NWM_RULE;
	o.is_judged = 1;
	assert_int_equal(nwx_explore(s, &o, &r), 0);
	assert_int_equal(nwx_shrink(s, &o, &r), 0);
	assert_string_equal(r.rule, "LIFE-03");
	o.cpus = r.cpus;
	o.walks = (int)r.walks;
	assert_int_equal(nwx_replay(s, &o, r.choices, &again, NULL, NULL), 0);
	assert_string_equal(again.rule, "LIFE-03");
	assert_string_equal(again.text, r.text);
	free(r.choices);
	free(again.choices);
}

/* What a rule of the oracle finds that nobody declared is a surprise. */
static void oracle_live_undeclared_rule_is_a_surprise(void **state)
{
	struct nwx_scenario s = *nws_find("bad_library_fixmap_unretired");
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;

	(void)state;
	memset(s.expect, 0, sizeof(s.expect));
	memset(s.rules, 0, sizeof(s.rules));
	s.expect[0] = NWM_STALE;
	nws_run_systematic(&s, &o, &run);
	assert_int_equal(run.verdict, NWS_WRONG_VIOLATION);
	assert_string_equal(run.result.rule, "LIFE-10");
	nws_run_free(&run);
}

static void reached_split_passes_its_points(void **state)
{
	/* Visible, linked: both are in the publish of a locked entry. */
	const uint64_t split = 1 << 7 | 1 << 10 | 1 << 23 | 1 << 25;
	struct nwx_options o = NWX_OPTIONS_DEFAULT;
	struct nws_run run;

	(void)state;
	nws_run_systematic(nws_find("good_library_split_bbm"), &o, &run);
	nws_run_free(&run);
	if (nws_reached_problem()) {
		print_message("not run here: %s\n", nws_reached_problem());
		skip();
	}
	assert_int_equal(run.reached & split, split);
	/* No fixmap, no grace period in it. */
	assert_int_equal(run.reached & (1 << 5 | 1 << 12 | 1 << 13), 0);
	nws_run_systematic(nws_find("good_library_fixmap_private_root"), &o,
			   &run);
	nws_run_free(&run);
	assert_true(run.reached >> 13 & 1);
	assert_false(run.reached >> 12 & 1);
}

static void reached_text_lists_numbers(void **state)
{
	char text[16];

	(void)state;
	assert_string_equal(nws_reached_text(0, text, sizeof(text)), "-");
	assert_string_equal(nws_reached_text(1 << 2 | 1 << 10, text,
					     sizeof(text)),
			    "02 10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oracle_live_names_the_rule),
		cmocka_unit_test(oracle_off_leaves_the_machine_to_find_it),
		cmocka_unit_test(oracle_live_judges_each_sequence_once),
		cmocka_unit_test(oracle_live_protocol_subject_is_judged),
		cmocka_unit_test(oracle_live_unjudged_is_not_judged),
		cmocka_unit_test(scenario_with_bounds_is_exhausted_within_them),
		cmocka_unit_test(oracle_live_frame_reuse_is_an_event),
		cmocka_unit_test(oracle_live_another_rule_is_a_surprise),
		cmocka_unit_test(
			oracle_live_counterexample_shrinks_and_replays),
		cmocka_unit_test(oracle_live_undeclared_rule_is_a_surprise),
		cmocka_unit_test(reached_split_passes_its_points),
		cmocka_unit_test(reached_text_lists_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
