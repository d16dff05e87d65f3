# SPDX-License-Identifier: BSD-2-Clause
"""Verdicts, phases and last words in what a guest prints."""
import unittest

import support  # noqa: F401  (finds the tools)
from nwrun.console import Console


def console(*lines):
    c = Console()
    for line in lines:
        c.feed(line.encode() + b"\r\n")
    c.finish()
    return c


class Verdicts(unittest.TestCase):
    def test_console_good_verdict_is_good(self):
        c = console("NESTWALK-GUEST: verdict good cpus=2 pages=7")
        self.assertTrue(c.good())
        self.assertEqual(c.cpus(), 2)
        self.assertEqual(c.saw(), [])

    def test_console_bad_verdict_is_what_the_guest_saw(self):
        c = console("NESTWALK-GUEST: verdict bad reason=page va=0x1")
        self.assertFalse(c.good())
        self.assertEqual(c.saw(), ["verdict bad reason=page va=0x1"])

    def test_console_goodness_is_a_word_of_its_own(self):
        self.assertFalse(console("NESTWALK-GUEST: verdict goodish").good())

    def test_console_no_verdict_is_not_good(self):
        c = console("[    0.000000] Booting Linux on physical CPU", "hello")
        self.assertFalse(c.good())
        self.assertEqual(c.phase, "boot")
        self.assertEqual(c.saw(), ["last line of the console: hello"])

    def test_console_verdict_behind_kernel_text_is_found(self):
        c = console("[ 1.2] somethingNESTWALK-GUEST: verdict good cpus=1")
        self.assertTrue(c.good())

    def test_console_line_in_two_pieces_is_one_line(self):
        c = Console()
        c.feed(b"NESTWALK-GUEST: ver")
        self.assertEqual(c.verdict, "")
        c.feed(b"dict good\n")
        self.assertTrue(c.good())

    def test_console_unfinished_last_line_counts(self):
        c = Console()
        c.feed(b"NESTWALK-GUEST: verdict good")
        c.finish()
        self.assertTrue(c.good())

    def test_console_phase_follows_progress(self):
        c = console("NESTWALK-GUEST: phase work seconds=3 pages=9 cpus=4")
        self.assertEqual(c.phase, "work")
        self.assertEqual(c.cpus(), 4)


class LastWords(unittest.TestCase):
    def test_console_oops_is_fatal_and_told(self):
        c = console("[    5.1] Unable to handle kernel paging request at 0x8",
                    "[    5.2] x0: 0",
                    "[    5.3] Kernel panic - not syncing: Oops: Fatal")
        self.assertEqual(len(c.saw()), 2)
        self.assertTrue(c.saw()[0].startswith("Unable to handle kernel"))
        self.assertTrue(c.saw()[1].startswith("Kernel panic"))

    def test_console_stall_is_only_suspect(self):
        c = console("[   25.0] rcu: INFO: rcu_sched self-detected stall on CPU")
        self.assertEqual(c.fatal, [])
        self.assertIn("stall", c.saw()[0])

    def test_console_command_line_echo_is_not_fatal(self):
        c = console("[    0.0] Kernel command line: console=ttyAMA0 panic=-1")
        self.assertEqual(c.fatal, [])


if __name__ == "__main__":
    unittest.main()
