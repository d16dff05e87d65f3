#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_saved.py NESTWALK: counterexamples that were saved.

Of each thing that a scenario is expected to violate: the saved trace is
refuted by `nestwalk check` with the same rule; where the machine saw it, the
trace is understood and says what was seen. The saved schedule is replayed byte
for byte.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

NESTWALK = ""
RULE = re.compile(r"[A-Z]+-\d\d$")
LISTED = re.compile(r"^(\w+) \((\w+), .*; expected: (.*)\)$")


def run(*args):
    return subprocess.run([NESTWALK, *args], capture_output=True, text=True,
                          check=False, timeout=1800)


def expectations():
    for line in run("scenarios").stdout.splitlines():
        match = LISTED.match(line)
        if match and match.group(3) != "clean":
            for what in match.group(3).split(", "):
                yield match.group(1), match.group(2), what


class Saved(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def found(self, scenario, what):
        done = run("explore", "--quiet", "--target",
                   "RULE" if RULE.match(what) else what, "--trace",
                   self.path("trace"), "--save", self.path("saved"), scenario)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        # A scenario may break several rules; the first one is named.
        return re.search(r": (\S+) after \d+ schedules", done.stdout).group(1)

    def test_trace_is_refuted_with_the_same_rule(self):
        subjects = set()
        for scenario, subject, what in expectations():
            if not RULE.match(what):
                continue
            with self.subTest(scenario=scenario, rule=what):
                rule = self.found(scenario, what)
                done = run("check", self.path("trace"))
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(rule + ":", done.stdout)
                self.assertIn("# %s: " % rule, self.read("trace"))
                subjects.add(subject)
        self.assertEqual(subjects, {"library", "protocol"})

    def test_trace_of_what_the_machine_saw_is_understood(self):
        seen = set()
        for scenario, _, what in expectations():
            if RULE.match(what):
                continue
            with self.subTest(scenario=scenario, violation=what):
                self.found(scenario, what)
                done = run("check", self.path("trace"))
                self.assertIn(done.returncode, (0, 1), done.stderr)
                lines = self.read("trace").splitlines()
                said = [i for i, l in enumerate(lines) if l.startswith("# ")]
                self.assertTrue(lines[said[0]].startswith("# %s: " % what))
                self.assertEqual(said[-1], len(lines) - 1)
                seen.add(what)
        self.assertGreaterEqual(seen, {"TLB-STALE", "TLB-AMALGAM", "TABLE-UAF",
                                       "TABLE-FREED", "DIRTY-LOST", "PROTOCOL"})

    def test_stale_access_ends_its_trace(self):
        self.found("bad_fixmap_local_invalidate", "TLB-AMALGAM")
        last = [l for l in self.read("trace").splitlines()
                if not l.startswith("#")][-1]
        self.assertIn(" access ", last)
        self.assertIn("0x80000000", last)

    def test_replay_is_the_same_byte_for_byte(self):
        for scenario, _, what in expectations():
            with self.subTest(scenario=scenario, violation=what):
                what = self.found(scenario, what)
                again = [run("replay", "--trace", self.path("t%d" % i),
                             "--html", self.path("h%d" % i),
                             self.path("saved")) for i in range(2)]
                self.assertEqual(again[0].returncode, 1, again[0].stderr)
                self.assertIn(what + ": ", again[0].stdout)
                self.assertEqual(again[0].stdout, again[1].stdout)
                self.assertEqual(self.read("trace"), self.read("t0"))
                self.assertEqual(self.read("t0"), self.read("t1"))
                self.assertEqual(self.read("h0"), self.read("h1"))


if __name__ == "__main__":
    NESTWALK = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1])
