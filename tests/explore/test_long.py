#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""verify/scenarios/long: in pieces, again, in parts, and what ends it.

usage: test_long.py NESTWALK
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = os.path.join(HERE, "../../verify/scenarios/long")
NESTWALK = sys.argv.pop(1)
NAME = "good_bracket"


class Long(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def long(self, *options, nestwalk=NESTWALK):
        return subprocess.run([LONG, "--piece", "500", "--only", NAME,
                               *options, nestwalk, self.folder],
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, check=False)

    def pieces(self):
        try:
            with open(os.path.join(self.folder, NAME + ".pieces"),
                      encoding="utf-8") as f:
                return [json.loads(line) for line in f]
        except FileNotFoundError:
            return []

    def test_again_only_what_is_left_is_run(self):
        self.assertEqual(self.long("--schedules", "700").returncode, 0)
        first = self.pieces()
        self.assertEqual([p["schedules"] for p in first], [500, 200])
        self.assertEqual(self.long("--schedules", "700").returncode, 0)
        self.assertEqual(self.pieces(), first)
        self.assertEqual(self.long("--schedules", "1500").returncode, 0)
        self.assertEqual(self.pieces()[:2], first)
        self.assertEqual(sum(p["schedules"] for p in self.pieces()), 1700)

    def test_pieces_differ(self):
        self.long("--schedules", "1000")
        one, other = (p["steps"] for p in self.pieces())
        self.assertNotEqual(one, other)

    def test_shards_are_the_whole_without_overlap(self):
        for part in ("1/3", "2/3", "3/3"):
            done = self.long("--schedules", "2500", "--shard", part)
            self.assertEqual(done.returncode, 0, done.stdout)
        keys = [p["key"] for p in self.pieces()]
        self.assertEqual(sorted(keys), ["%d-500" % i for i in range(1, 6)])
        self.assertEqual(self.long("--schedules", "2500",
                                   "--status").returncode, 0)

    def test_out_of_time_says_that_something_is_left(self):
        done = self.long("--schedules", "1000", "--seconds", "-1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("0 of 2 pieces", done.stdout)

    def test_line_cut_off_is_run_again(self):
        self.long("--schedules", "1000")
        path = os.path.join(self.folder, NAME + ".pieces")
        with open(path, "r+", encoding="utf-8") as f:
            f.truncate(os.path.getsize(path) - 9)
        self.assertEqual(self.long("--schedules", "1000",
                                   "--status").returncode, 2)
        self.assertEqual(self.long("--schedules", "1000").returncode, 0)
        self.assertEqual(self.long("--schedules", "1000",
                                   "--status").returncode, 0)

    def test_another_build_begins_again(self):
        self.long("--schedules", "500")
        other = os.path.join(self.folder, "other")
        shutil.copy(NESTWALK, other)
        with open(other, "ab") as f:
            f.write(b"\0")
        self.assertEqual(self.long("--schedules", "500", "--status",
                                   nestwalk=other).returncode, 2)

    def fake(self, violation):
        """A nestwalk that says so of each piece."""
        path = os.path.join(self.folder, "fake")
        with open(path, "w", encoding="utf-8") as f:
            f.write("""#!/bin/sh
if [ "$1" = scenarios ]; then
	echo '%s (library, S0; long: 2 walks; expected: clean)'
	exit
fi
echo "$*" >"$0.asked"
while [ $# -gt 1 ]; do
	[ "$1" != --save ] || echo found >"$2"
	[ "$1" != --result ] || printf '%%s\\n' 'schedules 5' 'steps 9' \\
		'seconds 0.1' 'exhausted 1' 'violation %s' >"$2"
	shift
done
""" % (NAME, violation))
        os.chmod(path, 0o755)
        return path

    def test_violation_is_kept_and_said_again(self):
        nestwalk = self.fake("TLB-STALE")
        for _ in range(2):
            done = self.long("--schedules", "5", nestwalk=nestwalk)
            self.assertEqual(done.returncode, 1)
            self.assertIn(NAME + ".nws", done.stdout)
        self.assertTrue(os.path.exists(os.path.join(self.folder,
                                                    NAME + ".nws")))

    def test_exhaust_has_the_walks_of_the_long_run(self):
        nestwalk = self.fake("clean")
        self.assertEqual(self.long("--exhaust", nestwalk=nestwalk).returncode,
                         0)
        with open(nestwalk + ".asked", encoding="utf-8") as f:
            asked = f.read()
        self.assertIn("--walks 2", asked)
        self.assertNotIn("pct", asked)

    def test_run_that_fails_is_no_result(self):
        done = self.long("--schedules", "500", nestwalk="/bin/false")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.pieces(), [])


if __name__ == "__main__":
    unittest.main()
