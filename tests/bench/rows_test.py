#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every row of nwbench runs, and says what tools/bench reads; no time is
judged. Argument: nwbench."""
import json
import subprocess
import sys
import unittest

NWBENCH = sys.argv.pop() if len(sys.argv) > 1 else "nwbench"
# They take seconds: their parts are those of the others.
LONG = ("cpu-16-disjoint", "cpu-16-interleaved")


def nwbench(*arguments):
    return subprocess.run([NWBENCH] + list(arguments), text=True, timeout=200,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = [json.loads(l) for l in
                    nwbench("--list").stdout.splitlines()]

    def of(self, *kinds):
        found = [r for r in self.rows if r["kind"] in kinds]
        self.assertTrue(found, "no row of " + " ".join(kinds))
        return found

    def test_each_side_of_a_row_runs(self):
        for row in self.of("floor", "format"):
            for side in ("lib", "floor"):
                with self.subTest(row["row"], side=side):
                    done = nwbench(row["row"], "--side", side)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_counts_are_their_bounds(self):
        for row in self.of("count"):
            with self.subTest(row["row"]):
                done = nwbench(row["row"])
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                found = json.loads(done.stdout)
                self.assertLessEqual(found["value"], found["bound"])

    def test_threads_report_pairs_and_retries(self):
        for row in self.of("scale", "storm"):
            with self.subTest(row["row"]):
                done = nwbench(row["row"], "--repeat", "1")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                found = json.loads(done.stdout)
                for name in ("retries", "busy", "steals"):
                    self.assertGreaterEqual(found[name], 0)
                if row["kind"] == "scale":
                    self.assertEqual(len(found["pairs"]), 1)

    def test_rows_have_names_of_their_own(self):
        names = [r["row"] for r in self.rows]
        self.assertEqual(len(names), len(set(names)))
        for name in LONG:
            self.assertIn(name, names)

    def test_bad_arguments_are_named(self):
        for argv, text in ((("nothing",), "no row 'nothing'"),
                           (("lookup", "--repeat", "0"), "--repeat must be"),
                           (("lookup", "--side", "up"), "--side up"),
                           (("memory-tables", "--side", "lib"),
                            "has no sides"),
                           (("lookup", "--repeat"), "usage")):
            done = nwbench(*argv)
            self.assertEqual(done.returncode, 2)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
