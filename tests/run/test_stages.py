# SPDX-License-Identifier: BSD-2-Clause
"""The stage runner: counting, and stages that do less than they say."""
import json
import tempfile
import unittest

from support import load_tool
from nwtest import count, status
from nwtest.stage import Skipped


class Counting(unittest.TestCase):
    def test_count_cmocka_groups_are_added(self):
        text = "[  PASSED  ] 3 test(s).\n[  PASSED  ] 4 test(s).\n" \
               "[  FAILED  ] 2 test(s), listed below:\n"
        self.assertEqual(count.count_output(text, False), (7, 2))

    def test_count_unittest_failures_and_errors(self):
        text = "Ran 9 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n"
        self.assertEqual(count.count_output(text, False), (6, 3))

    def test_count_crash_after_passes_is_a_failure(self):
        self.assertEqual(count.count_output("[  PASSED  ] 3 test(s).", False),
                         (3, 1))

    def test_count_silent_program_is_one_test(self):
        self.assertEqual(count.count_output("", True), (1, 0))
        self.assertEqual(count.count_output("", False), (0, 1))

    def test_count_meson_log_names_failed_and_skipped(self):
        with tempfile.NamedTemporaryFile("w") as log:
            for name, result in (("a", "OK"), ("b", "FAIL"), ("c", "SKIP"),
                                 ("d", "TIMEOUT")):
                log.write(json.dumps({"name": name, "result": result,
                                      "stdout": ""}) + "\n")
            log.flush()
            self.assertEqual(count.count_meson(log.name),
                             (1, 2, ["b (FAIL)", "d (TIMEOUT)"], ["c"]))


class Stages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tool = load_tool("test")

    def stage(self, function):
        with tempfile.TemporaryDirectory() as tmp:
            return self.tool.run_stage("s", function, tmp, False)[0]

    def test_stage_without_checks_fails(self):
        result = self.stage(lambda ctx: None)
        self.assertEqual((result.passed, result.failed), (0, 1))

    def test_stage_that_breaks_fails(self):
        result = self.stage(lambda ctx: 1 // 0)
        self.assertEqual(result.failed, 1)

    def test_stage_skipped_with_reason_is_not_failed(self):
        def function(ctx):
            raise Skipped("no such machine")
        result = self.stage(function)
        self.assertEqual((result.failed, result.skipped),
                         (0, "no such machine"))

    def test_stage_skipped_without_reason_fails(self):
        def function(ctx):
            raise Skipped()
        self.assertEqual(self.stage(function).failed, 1)

    def test_stage_command_that_fails_is_counted(self):
        self.assertEqual(self.stage(lambda c: c.command(["false"])).failed, 1)
        self.assertEqual(self.stage(lambda c: c.command(["true"])).passed, 1)
        self.assertEqual(
            self.stage(lambda c: c.command(["/nonexistent"])).failed, 1)

    def test_stage_expect_wants_status_and_text(self):
        argv = ["sh", "-c", "echo word; exit 3"]
        self.assertEqual(self.stage(
            lambda c: c.expect(argv, 3, "word")).passed, 1)
        self.assertEqual(self.stage(
            lambda c: c.expect(argv, 3, "other")).failed, 1)
        self.assertEqual(self.stage(
            lambda c: c.expect(argv, 0, "word")).failed, 1)


class StatusPage(unittest.TestCase):
    def test_status_block_is_replaced_not_repeated(self):
        one = status.BEGIN + "\nfirst\n" + status.END
        two = status.BEGIN + "\nsecond\n" + status.END
        page = status.merge("# Status\n\nText.\n", one)
        page = status.merge(page + "\nMore.\n", two)
        self.assertNotIn("first", page)
        self.assertEqual(page.count(status.BEGIN), 1)
        self.assertIn("Text.", page)
        self.assertIn("More.", page)


if __name__ == "__main__":
    unittest.main()
