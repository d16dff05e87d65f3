#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_parallel.py NESTWALK SCRIPT: parts of an exploration and their sum."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

NESTWALK, SCRIPT = "", ""


def whole(scenario):
    done = subprocess.run([NESTWALK, "explore", "--quiet", scenario],
                          capture_output=True, text=True, check=False)
    return int(re.search(r"after (\d+) schedules", done.stdout).group(1))


def script(*args, **env):
    # PATH without GNU parallel unless the test brings one.
    return subprocess.run([SCRIPT, *args], capture_output=True, text=True,
                          env={**os.environ, "NESTWALK": NESTWALK, **env},
                          check=False)


class Parallel(unittest.TestCase):
    def test_parts_of_a_good_scenario_add_up(self):
        done = script("good_bracket", "5")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("clean, %d schedules" % whole("good_bracket"),
                      done.stdout)
        self.assertIn("5 of 5 shards, exhausted", done.stdout)

    def test_parts_of_a_bad_scenario_find_it(self):
        done = script("bad_begin_without_drain", "3")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("PROTOCOL", done.stdout)
        self.assertIn("found in", done.stdout)

    def test_options_reach_each_part(self):
        done = script("good_bracket", "2", "--schedules", "3")
        self.assertIn("not exhausted", done.stdout)

    def test_results_are_kept_where_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = os.path.join(folder, "a b")
            done = script("good_read_pte", "2", RESULTS=kept)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(sorted(os.listdir(kept)), ["1", "2"])

    def test_lines_run_by_a_parallel_add_up(self):
        """What GNU parallel is given, run by one that only runs lines."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "parallel")
            with open(path, "w", encoding="utf-8") as out:
                out.write("#!/bin/sh\ncase $1 in --version) echo GNU parallel;"
                          " exit;; esac\ntouch '%s/used'\nstatus=0\n"
                          "while read -r line; do sh -c \"$line\" ||"
                          " status=1; done\nexit $status\n" % folder)
            os.chmod(path, 0o755)
            done = script("bad_begin_without_drain", "3",
                          PATH=folder + ":" + os.environ["PATH"])
            self.assertTrue(os.path.exists(os.path.join(folder, "used")))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("3 of 3 shards", done.stdout)

    def test_unknown_scenario_fails(self):
        done = script("good_nothing", "2")
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIn("no scenario good_nothing", done.stderr)

    def test_bad_number_of_parts_is_refused(self):
        done = script("good_bracket", "many")
        self.assertEqual(done.returncode, 64)
        self.assertIn("PARTS is a number", done.stderr)


if __name__ == "__main__":
    NESTWALK, SCRIPT = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
