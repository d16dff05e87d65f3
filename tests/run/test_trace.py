# SPDX-License-Identifier: BSD-2-Clause
"""The collector of a recorded run, beside a machine that only records."""
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest

from support import ROOT
from nwrun import options, trace
from nwrun.errors import UsageError

OFFSET = 0x3000
HEADER = struct.Struct("<IIQQII")
RECORD = struct.Struct("<QHHI3Q")
NESTWALK = os.path.join(ROOT, "build/native/cli/nestwalk")
CC = ["gcc", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror",
      "-I" + os.path.join(ROOT, "include"), "-pthread"]
COLLECTOR = ["collect_main.c", "collect.c", "ctf_metadata.c", "vocab.c"]


class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bin = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.bin)
        cls.machine = os.path.join(cls.bin, "machine")
        cls.collector = os.path.join(cls.bin, "collector")
        subprocess.run(CC + ["-o", cls.machine, os.path.join(
            ROOT, "tests/run/ringmachine.c")], check=True)
        subprocess.run(CC + ["-o", cls.collector] + [os.path.join(
            ROOT, "verify/trace", name) for name in COLLECTOR], check=True)

    def setUp(self):
        self.tmp = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.tmp)
        self.ram = os.path.join(self.tmp, "ram")
        self.dir = os.path.join(self.tmp, "trace")

    def record(self, cpus=3, records=1024, limit=None, events=5000, plant="",
               most=1 << 40, pause_us=100, room=1 << 20):
        """Machine and collector side by side; (status, JSON or words)."""
        reader = subprocess.Popen(
            [self.collector, self.ram, str(OFFSET), str(room), self.dir,
             str(most), str(pause_us)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            # A RAM file is as long as the machine's memory from the start.
            with open(self.ram + ".new", "wb") as stream:
                stream.truncate(OFFSET + room)
            os.rename(self.ram + ".new", self.ram)
            machine = subprocess.Popen([self.machine, self.ram] + [
                str(a) for a in (OFFSET, cpus, records, limit or records,
                                 events)] + ([plant] if plant else []))
            try:
                self.assertEqual(machine.wait(timeout=120), 0)
            finally:
                machine.kill()
                machine.wait()
        finally:
            output, errors = reader.communicate(timeout=120)
        if reader.returncode:
            return reader.returncode, errors
        return 0, json.loads(output)

    def streams(self):
        """[(cpu, header, records)] of the trace."""
        out = []
        for name in sorted(os.listdir(self.dir)):
            if name == "metadata":
                continue
            with open(os.path.join(self.dir, name), "rb") as stream:
                data = stream.read()
            header = HEADER.unpack_from(data)
            out.append((int(name[3:]), header, len(data), list(
                RECORD.iter_unpack(data[HEADER.size:]))))
        return out

    def check(self):
        if not os.path.exists(NESTWALK):
            self.skipTest("build/native/cli/nestwalk is not built")
        done = subprocess.run([NESTWALK, "check", self.dir], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def assert_whole(self, cpus, events):
        """Every event of every CPU, in its order, under numbers from 0."""
        seqs = []
        for cpu, header, size, records in self.streams():
            self.assertEqual(header, (0xC1FC1FC1, 0, size * 8, size * 8, cpu,
                                      RECORD.size))
            self.assertEqual([r[4] for r in records], list(range(events)))
            own = [r[0] for r in records]
            self.assertEqual(own, sorted(own))
            seqs += own
        self.assertEqual(sorted(seqs), list(range(cpus * events)))

    def test_trace_three_cpus_recording_is_whole_and_clean(self):
        status, got = self.record()
        self.assertEqual(status, 0, got)
        self.assertEqual((got["events"], got["dropped"], got["cut"],
                          got["cpus"]), (15000, 0, 0, 3))
        self.assert_whole(3, 5000)
        self.assertEqual(self.check()[0], 0)

    def test_trace_ring_full_and_reader_slow_nothing_is_lost(self):
        status, got = self.record(records=64, limit=8, events=2000, most=3,
                                  pause_us=50)
        self.assertEqual(status, 0, got)
        self.assertGreater(got["waits"], 0)
        self.assertEqual((got["events"], got["dropped"]), (6000, 0))
        self.assert_whole(3, 2000)

    def test_trace_machine_that_does_not_wait_is_noticed(self):
        status, words = self.record(records=64, limit=8, events=20000,
                                    plant="hurry", most=1, pause_us=20000)
        self.assertEqual(status, 4)
        self.assertIn("records waiting in room for 64", words)

    def test_trace_gap_planted_is_counted_and_malformed(self):
        status, got = self.record(events=100, plant="gap")
        self.assertEqual(status, 0, got)
        self.assertEqual((got["events"], got["dropped"], got["cut"]),
                         (302, 1, 0))
        status, words = self.check()
        self.assertEqual(status, 2, words)
        self.assertIn("300", words)

    def test_trace_cpu_stopped_while_recording_ends_the_trace_there(self):
        status, got = self.record(events=100, plant="cut")
        self.assertEqual(status, 0, got)
        self.assertEqual((got["events"], got["dropped"], got["cut"]),
                         (300, 0, 2))
        self.assert_whole(3, 100)
        self.assertEqual(self.check()[0], 0)

    def test_trace_file_names_lose_the_way_to_the_sources(self):
        self.record(events=10)
        with open(os.path.join(self.dir, "metadata"),
                  encoding="utf-8") as stream:
            text = stream.read()
        self.assertIn('"src/one.c" = 1,', text)
        self.assertIn('"two.c" = 2,', text)

    def test_trace_of_a_machine_without_rings_says_so(self):
        reader = subprocess.run(
            [self.collector, self.ram, "0", "4096", self.dir],
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(reader.returncode, 1)
        self.assertIn("no rings", reader.stderr)

    def test_trace_rings_that_make_no_sense_are_refused(self):
        status, words = self.record(events=10, plant="odd")
        self.assertEqual(status, 4)
        self.assertIn("rings that do not fit", words)

    def test_trace_rings_longer_than_their_room_are_refused(self):
        status, words = self.record(events=10, room=65536)
        self.assertEqual(status, 4)
        self.assertIn("rings that do not fit", words)

    def test_trace_head_beyond_its_ring_is_refused(self):
        status, words = self.record(events=10, plant="runaway")
        self.assertEqual(status, 4)
        self.assertIn("ring of CPU 0", words)

    def test_trace_directory_in_use_is_refused(self):
        os.mkdir(self.dir)
        open(os.path.join(self.dir, "cpu1"), "w").close()
        status, words = self.record(events=10)
        self.assertEqual(status, 4)
        self.assertIn("cpu1", words)


class Handling(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def touch(self, name):
        open(os.path.join(self.dir, name), "w").close()

    def test_old_trace_is_removed(self):
        self.touch("metadata")
        self.touch("cpu12")
        trace.remove_old(self.dir)
        self.assertFalse(os.path.exists(self.dir))

    def test_old_directory_with_other_files_is_kept(self):
        self.touch("metadata")
        self.touch("notes.txt")
        with self.assertRaisesRegex(UsageError, "notes.txt"):
            trace.remove_old(self.dir)
        self.assertEqual(len(os.listdir(self.dir)), 2)

    def test_trace_of_a_plain_run_is_refused(self):
        with self.assertRaisesRegex(UsageError, "no hypervisor"):
            options.parse(["--plain", "--trace"])

    def test_trace_ring_without_trace_is_refused(self):
        with self.assertRaisesRegex(UsageError, "nothing is recorded"):
            options.parse(["--trace-ring", "8"])

    def test_trace_ring_limit_is_that_of_the_layout(self):
        from nwrun.mailbox import constant, header_text
        self.assertEqual(constant(header_text("layout.h"),
                                  "NW_HYP_TRACE_RECORDS"),
                         options.TRACE_RING_MAX)

    def test_recorded_report_has_the_counts(self):
        got = trace.fields({"events": 7, "bytes": 312, "dropped": 0,
                            "cut": 0, "waits": 3}, "build/run/trace")
        self.assertEqual((got["trace_events"], got["trace_dropped"],
                          got["trace_waits"]), (7, 0, 3))
        self.assertIn("7 events", trace.remark(got))
        self.assertIn("0 dropped", trace.remark(got))
        self.assertEqual(trace.fields(None, "x"), {})

    def test_recorded_events_lost_are_a_problem(self):
        good = {"events": 7, "bytes": 1, "dropped": 0, "cut": 0, "waits": 0}
        self.assertEqual(trace.problems(good), [])
        self.assertIn("lost 2", trace.problems(dict(good, dropped=2))[0])
        self.assertIn("no events", trace.problems(dict(good, events=0))[0])
        self.assertIn("disk full", trace.problems({"error": "disk full"})[0])


if __name__ == "__main__":
    unittest.main()
