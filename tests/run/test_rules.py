# SPDX-License-Identifier: BSD-2-Clause
"""The rules that decide whether the counters of a run add up."""
import os
import re
import unittest
from types import SimpleNamespace

from support import GOOD_COUNTERS, ROOT, RUN_COUNTERS
from nwrun import rules
from nwrun.console import Console


def snapshot(state="guest_off", counters=None, **header):
    counters = counters or RUN_COUNTERS
    return SimpleNamespace(
        state=state, phase="done", counters=counters,
        header={"guest_cpus": 2, "sabotage": "none", **header},
        get=lambda name: counters.get(name, 0))


OPTIONS = SimpleNamespace(plain=False, cpus=2, sabotage="none", shake=1000,
                          dirty="auto")


class Rules(unittest.TestCase):
    def test_rules_good_counters_no_problem(self):
        self.assertEqual(rules.check(GOOD_COUNTERS), [])

    def test_rules_each_equality_broken_is_reported(self):
        for left, relation, _, meaning in rules.RULES:
            if relation != rules.EQUAL:
                continue
            counters = dict(GOOD_COUNTERS)
            counters[left] += 1
            self.assertTrue(
                any(meaning in p for p in rules.check(counters)), meaning)

    def test_rules_each_bound_broken_is_reported(self):
        for left, relation, right, meaning in rules.RULES:
            if relation != rules.AT_MOST:
                continue
            counters = dict(GOOD_COUNTERS)
            counters[left] = counters[right[0]] + 1
            self.assertTrue(
                any(meaning in p for p in rules.check(counters)), meaning)

    def test_rules_each_counter_missing_is_reported(self):
        for name in GOOD_COUNTERS:
            counters = dict(GOOD_COUNTERS)
            del counters[name]
            self.assertTrue(any("no counter" in p and name in p
                                for p in rules.check(counters)), name)

    def test_rules_names_are_those_of_the_mailbox(self):
        with open(os.path.join(ROOT, "hyp/mailbox.h"), encoding="utf-8") as f:
            names = set(re.findall(r"X\([cg], (\w+)\)", f.read()))
        self.assertTrue(names)
        self.assertEqual(set(GOOD_COUNTERS) - names, set())


class Run(unittest.TestCase):
    def check(self, shot, options=OPTIONS, cpus=2):
        console = Console()
        console.feed(b"NESTWALK-GUEST: verdict good cpus=%d\n" % cpus)
        return rules.check_run(options, shot, console)

    def test_run_good_no_problem(self):
        self.assertEqual(self.check(snapshot()), [])

    def test_run_without_mailbox_is_reported(self):
        self.assertIn("never wrote", self.check(None)[0])

    def test_run_panic_is_reported(self):
        self.assertIn("'panic'", self.check(snapshot("panic"))[0])

    def test_run_reset_is_reported(self):
        self.assertIn("'guest_reset'", self.check(snapshot("guest_reset"))[0])

    def test_run_wrong_cpus_is_reported(self):
        self.assertIn("shows 1", self.check(snapshot(guest_cpus=1))[0])
        self.assertIn("counts 1", self.check(snapshot(), cpus=1)[0])

    def test_run_wrong_sabotage_is_reported(self):
        self.assertIn("no-tlbi", self.check(snapshot(sabotage="no-tlbi"))[0])

    def test_run_probe_not_refused_is_reported(self):
        def problems(probes, aborts):
            console = Console()
            console.feed(b"NESTWALK-GUEST: verdict good probes=%d\n" % probes)
            counters = dict(RUN_COUNTERS, aborts_carveout=aborts)
            return rules.check_probes(snapshot(counters=counters), console,
                                      ((1, 2, 3), (4,)))
        self.assertEqual(problems(4, 3), [])
        self.assertIn("refused 3", problems(3, 3)[0])
        self.assertIn("2 aborts", problems(4, 2)[0])

    def test_run_written_page_missed_is_reported(self):
        counters = dict(RUN_COUNTERS, dirty_missed=1, dirty_verified=69)
        self.assertEqual(len(self.check(snapshot(counters=counters))), 1)
        self.assertIn("that the guest wrote",
                      self.check(snapshot(counters=counters))[0])

    def test_run_dirty_log_not_kept_is_reported(self):
        counters = dict(RUN_COUNTERS, dirty_rounds=0)
        self.assertIn("never harvested",
                      self.check(snapshot(counters=counters))[0])
        off = SimpleNamespace(**dict(vars(OPTIONS), dirty="off"))
        self.assertIn("although", self.check(snapshot(), off)[0])
        self.assertEqual(self.check(snapshot(counters=counters), off), [])

    def test_run_dirty_log_not_tried_is_reported(self):
        for name, instead in (("dirty_changed", "dirty_changed"),
                              ("dirty_verified", "dirty_written")):
            counters = dict(RUN_COUNTERS)
            if name != instead:
                counters[instead] += counters[name]
            counters[name] = 0
            self.assertIn("was not tried",
                          self.check(snapshot(counters=counters))[0])

    def test_run_shaker_idle_is_reported(self):
        counters = dict(RUN_COUNTERS, migrations=0, frames_reused=0,
                        frames_poisoned=0)
        self.assertEqual(self.check(snapshot(counters=counters)),
                         ["the shaker moved no page"])

    def test_run_shaker_off_but_moving_is_reported(self):
        options = SimpleNamespace(**dict(vars(OPTIONS), shake=0))
        self.assertIn("off", self.check(snapshot(), options)[0])


if __name__ == "__main__":
    unittest.main()
