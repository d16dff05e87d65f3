#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_command.py NESTWALK: what nestwalk explore and scenarios print."""
import os
import re
import subprocess
import sys
import unittest

NESTWALK = ""
LINE = re.compile(r"^\d+ schedules, [\d.]+ M steps/s"
                  r"(, about \d+( M)? left)?, ORD (-|\d\d( \d\d)*)$")


def run(*args):
    return subprocess.run([NESTWALK, *args], capture_output=True, text=True,
                          check=False, timeout=1800)


class Explore(unittest.TestCase):
    def test_progress_tells_rate_rest_and_points(self):
        done = run("explore", "--progress", "--quiet", "good_library_split_bbm")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stderr.splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertRegex(line, LINE)
        self.assertIn("left", lines[-1])
        if "not known" not in run("scenarios", "--run", "good_read_pte").stdout:
            self.assertRegex(lines[-1], r"ORD .*\b10\b")

    def test_progress_is_silent_without_terminal(self):
        done = run("explore", "--quiet", "good_library_split_bbm")
        self.assertEqual(done.stderr, "")

    def test_bound_on_preemptions_is_printed(self):
        done = run("explore", "--quiet", "--preemptions", "2", "good_bracket")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 preemptions; systematic, exhausted", done.stdout)

    def test_target_is_what_the_scenario_expects_first(self):
        done = run("explore", "--quiet", "bad_fixmap_local_invalidate")
        self.assertEqual(done.returncode, 1)
        self.assertIn("TLB-STALE: CPU 1", done.stdout)
        done = run("explore", "--quiet", "--target", "TLB-AMALGAM",
                   "bad_fixmap_local_invalidate")
        self.assertIn("arbitrary mix", done.stdout)

    def test_table_says_subject_bounds_and_points(self):
        done = run("scenarios", "--run", "good_library_split_bbm", "--pct",
                   "100")
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = [l.split() for l in done.stdout.splitlines()
                if l.startswith("good_")]
        self.assertEqual([r[1] for r in rows], ["library"] * 2)
        self.assertEqual([r[5] for r in rows], ["2", "3"])    # CPUs
        self.assertEqual([r[6] for r in rows], ["2", "2"])    # walks
        self.assertIn("exhausted", rows[0])
        self.assertIn("pct", rows[1])


if __name__ == "__main__":
    NESTWALK = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1])
