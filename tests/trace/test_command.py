#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command as a user meets it: verbs, exit statuses, output forms.

usage: test_command.py NESTWALK DATA MAN_PAGE...
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

NESTWALK, DATA, MAN_PAGES = "", "", []

GOOD = """nestwalk-trace 1
cpu=0 lock lock=0x1000 src="a.c:1"
cpu=0 unlock lock=0x1000 src="a.c:2"
"""


def run(*args):
    return subprocess.run([NESTWALK, *args], capture_output=True, text=True,
                          timeout=60)


class Command(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="nw-command-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name, content=None):
        path = os.path.join(self.dir, name)
        if content is not None:
            with open(path, "w", encoding="utf-8") as out:
                out.write(content)
        return path

    def test_help_has_examples_for_each_verb(self):
        everything = run("--help")
        self.assertEqual(everything.returncode, 0)
        for verb in "check", "convert", "rules":
            self.assertIn("  " + verb + " ", everything.stdout)
            said = run(verb, "--help")
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertIn("examples:\n  nestwalk " + verb, said.stdout)
            self.assertLessEqual(max(map(len, said.stdout.split("\n"))), 80)

    def test_bad_command_line_exits_64(self):
        trace = self.path("t", GOOD)
        for args in ([], ["judge"], ["check"], ["check", "--jsn", trace],
                     ["check", trace, trace], ["check", "--max", "0", trace],
                     ["check", "--max", "x", trace], ["check", "--max"],
                     ["rules", "NO-99"], ["rules", "--all"],
                     ["convert", trace], ["convert", "--to", "x", trace],
                     ["convert", "--to", "text", trace],
                     ["convert", "--to", "text", "--output", "-"]):
            said = run(*args)
            self.assertEqual(said.returncode, 64, args)
            self.assertEqual(said.stdout, "", args)
            self.assertIn("nestwalk", said.stderr, args)

    def test_output_that_fails_exits_4(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            said = subprocess.run([NESTWALK, "rules"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(said.returncode, 4)

    def test_check_clean_trace_exits_0(self):
        said = run("check", self.path("t", GOOD))
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        self.assertIn("clean: 2 events, 0 violations", said.stdout)

    def test_check_malformed_trace_exits_2_and_says_where(self):
        trace = self.path("t", GOOD + "cpu=0 lock\n")
        said = run("check", trace)
        self.assertEqual(said.returncode, 2)
        self.assertIn(trace + ":4:11: the line ends here", said.stderr)
        verdict = json.loads(run("check", "--json", trace).stdout)
        self.assertEqual(verdict["verdict"], "malformed")
        self.assertIn(":4:11:", verdict["error"])

    def test_check_other_version_exits_3(self):
        said = run("check", self.path("t", "nestwalk-trace 7\n"))
        self.assertEqual(said.returncode, 3)
        self.assertIn("version 7", said.stderr)

    def test_check_absent_file_exits_4(self):
        self.assertEqual(run("check", self.path("none")).returncode, 4)

    def test_check_recorders_remark_exits_1(self):
        log = self.path("log", '(lock 0 0 1000 "a.c:1")\n'
                               '(unlock 1 0 1000 "a.c:2")\n! seen\n')
        said = run("check", log)
        self.assertEqual(said.returncode, 1, said.stdout)
        self.assertIn(log + ":3: noted by the recorder: ! seen", said.stdout)
        verdict = json.loads(run("check", "--json", log).stdout)
        self.assertEqual(verdict["recorder"],
                         [{"trace_line": 3, "text": "! seen"}])
        self.assertEqual(verdict["encoding"], "casemate")

    def test_check_log_without_its_invalidation_exits_1(self):
        with open(os.path.join(DATA, "casemate.log"), encoding="utf-8") as log:
            good = log.read()
        self.assertEqual(run("check", self.path("good", good)).returncode, 0)
        bad = self.path("bad", good.replace(") vmalls12e1is ", ") alle2is "))
        said = run("check", bad)
        self.assertEqual(said.returncode, 1, said.stdout + said.stderr)
        verdict = json.loads(run("check", "--json", bad).stdout)
        self.assertEqual(verdict["verdict"], "violation")
        one = verdict["violations"][0]
        self.assertIn(one["rule"], said.stdout)
        self.assertEqual(one["armed_by"]["trace_line"], 11)
        sarif = json.loads(run("check", "--sarif", bad).stdout)
        result = sarif["runs"][0]["results"][0]
        self.assertEqual(result["ruleId"], one["rule"])

    def test_check_sarif_has_rules_and_results(self):
        log = self.path("log", '(lock 0 0 1000 "a.c:1")\n! seen\n')
        sarif = json.loads(run("check", "--sarif", log).stdout)
        self.assertEqual(sarif["version"], "2.1.0")
        one = sarif["runs"][0]
        self.assertTrue(one["tool"]["driver"]["rules"])
        self.assertIn("! seen", [r["message"]["text"] for r in one["results"]])
        self.assertTrue(one["invocations"][0]["executionSuccessful"])

    def test_rules_lists_and_explains(self):
        rules = json.loads(run("rules", "--json").stdout)
        self.assertTrue(rules)
        listed = run("rules").stdout
        for rule in rules:
            self.assertIn(rule["id"], listed)
            said = run("rules", rule["id"])
            self.assertEqual(said.returncode, 0)
            self.assertIn(rule["explain"], said.stdout)
            self.assertIn(rule["manual"], said.stdout)

    def test_convert_there_and_back_is_byte_for_byte(self):
        trace, binary = self.path("t", GOOD), self.path("ctf")
        said = run("convert", "--to", "ctf", "--output", binary, trace)
        self.assertEqual(said.returncode, 0, said.stderr)
        said = run("convert", "--to", "text", "--output", "-", binary)
        self.assertEqual(said.stdout, GOOD)

    def test_convert_never_overwrites(self):
        trace = self.path("t", GOOD)
        for to in "text", "ctf":
            said = run("convert", "--to", to, "--output", trace, trace)
            self.assertEqual(said.returncode, 4)
        with open(trace, encoding="utf-8") as left:
            self.assertEqual(left.read(), GOOD)

    def test_convert_imports_casemate(self):
        log = os.path.join(DATA, "casemate.log")
        said = run("convert", "--to", "text", "--output", "-", log)
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertIn("root_lock root=0x40040000 lock=0x40080000",
                      said.stdout)
        again = self.path("again", said.stdout)
        self.assertEqual(run("check", again).returncode,
                         run("check", log).returncode)

    def test_convert_malformed_exits_2(self):
        said = run("convert", "--to", "text", "--output", "-",
                   self.path("t", GOOD + "x\n"))
        self.assertEqual(said.returncode, 2)
        self.assertIn(":4:1:", said.stderr)

    def test_man_pages_pass_mandoc(self):
        self.assertTrue(MAN_PAGES)
        if not shutil.which("mandoc"):
            print("SKIPPED: mandoc is not installed, manual pages are not "
                  "checked; next: apt-get install mandoc", file=sys.stderr)
            self.skipTest("mandoc is not installed")
        for page in MAN_PAGES:
            said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                                   page], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual((said.returncode, said.stdout), (0, ""), page)


if __name__ == "__main__":
    NESTWALK, DATA, MAN_PAGES = sys.argv[1], sys.argv[2], sys.argv[3:]
    unittest.main(argv=sys.argv[:1])
