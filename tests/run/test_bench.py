# SPDX-License-Identifier: BSD-2-Clause
"""tools/bench: what it asks, what it judges, and how it ends."""
import argparse
import contextlib
import copy
import io
import json
import os
import tempfile
import unittest
from unittest import mock

from support import load_tool
from nwbench import engine, goals, page, pins, show
from nwbench.errors import BenchError
from nwtest import stages
from nwtest.stage import Result, Skipped

CLANG, GCC = "clang 14.0.6 x86_64", "gcc 12.2.0 x86_64"


def row(name="lookup", goal="met", compiler=CLANG, **more):
    return dict({"row": name, "title": name, "kind": "floor", "limit": "",
                 "goal": goal, "goal_text": "1.7", "compiler": compiler,
                 "peers": "KVM 8.2", "ratio": 1.5, "lib": 3.0, "floor": 2.0,
                 "ns": 3.0, "ns_floor": 2.0, "instructions": 40.0,
                 "instructions_floor": 19.0}, **more)


def results(*rows):
    return {"engine": list(rows), "judge": [], "boot": None, "fixmap": None,
            "absent": [], "facts": {"command": "tools/bench", "cpu": "c",
                                    "cpus": 2, "commit": "abc",
                                    "date": "2026-01-01"}}


class Goals(unittest.TestCase):
    ASKED = {"limits": {}, "judge": {}, "groups": {"fam": {"ratio": 1.15}},
             "goals": {"a": {"ratio": 1.5, "peers": "KVM 7"},
                       "s": {"least": 0.95}, "r": {"most": 0.01},
                       "c": {"ratio": 1}}}

    def judged(self, name, **measured):
        listed = {"row": name, "group": measured.pop("group", "")}
        return goals.judge(self.ASKED, listed, measured)["goal"]

    def test_ratio_at_the_bound_is_met_above_is_short(self):
        self.assertEqual(self.judged("a", ratio=1.5), "met")
        self.assertEqual(self.judged("a", ratio=1.501), "short")
        self.assertEqual(self.judged("a", ratio=float("nan")), "short")

    def test_scaling_at_least_the_bound_is_met_below_is_short(self):
        self.assertEqual(self.judged("s", ratio=0.95), "met")
        self.assertEqual(self.judged("s", ratio=0.949), "short")
        self.assertEqual(self.judged("s", ratio=1.3), "met")

    def test_value_above_its_own_bound_is_short(self):
        self.assertEqual(self.judged("r", value=0.01), "met")
        self.assertEqual(self.judged("r", value=0.011), "short")

    def test_count_above_its_bound_is_short(self):
        self.assertEqual(self.judged("c", value=515, ratio=515 / 515), "met")
        self.assertEqual(self.judged("c", value=516, ratio=516 / 515), "short")

    def test_goal_of_a_count_is_shown_as_the_count(self):
        found = goals.judge(self.ASKED, {"row": "c"},
                            {"value": 515, "bound": 515, "ratio": 1.0})
        self.assertEqual(found["goal_text"], "515")

    def test_row_of_a_group_has_the_groups_goal(self):
        self.assertEqual(self.judged("x", group="fam", ratio=1.15), "met")
        self.assertEqual(self.judged("x", group="fam", ratio=1.16), "short")

    def test_row_without_goal_is_neither(self):
        self.assertEqual(self.judged("unknown", ratio=99.0), "")

    def test_skipped_row_is_neither(self):
        self.assertEqual(self.judged("s", skipped="one CPU only"), "")

    def test_peers_stand_beside_the_row(self):
        found = goals.judge(self.ASKED, {"row": "a"}, {"ratio": 1.0})
        self.assertEqual(found["peers"], "KVM 7")
        self.assertEqual(found["goal_text"], "1.5")

    def test_row_that_was_not_measured_is_missing(self):
        measured = [{"row": "a", "group": ""}, {"row": "s", "group": ""},
                    {"row": "r", "group": "fam"}]
        lost = goals.missing(self.ASKED, measured, CLANG)
        self.assertEqual([(m["row"], m["goal"]) for m in lost],
                         [("c", "missing")])

    def test_group_without_any_row_is_missing(self):
        measured = [{"row": n, "group": ""} for n in self.ASKED["goals"]]
        lost = goals.missing(self.ASKED, measured, CLANG)
        self.assertEqual([m["row"] for m in lost], ["fam"])


class GoalsFile(unittest.TestCase):
    def load(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as stream:
            stream.write(text)
            stream.flush()
            return goals.load(stream.name)

    def test_file_of_the_tree_is_accepted(self):
        self.assertIn("lookup", goals.load()["goals"])

    def test_malformed_file_is_refused_by_name(self):
        good = goals.load()
        for change, text in (
                (lambda a: a.pop("groups"), "has no object 'groups'"),
                (lambda a: a.update(goals=[]), "has no object 'goals'"),
                (lambda a: a["goals"].update(x=3), "goals.x is no object"),
                (lambda a: a["goals"].update(x={}), "goals.x is no object"),
                (lambda a: a["goals"].update(x={"peers": "KVM"}),
                 "goals.x needs exactly one bound"),
                (lambda a: a["goals"].update(x={"ratio": 1, "least": 1}),
                 "goals.x needs exactly one bound"),
                (lambda a: a["goals"].update(x={"ratio": "1.5"}),
                 "goals.x.ratio is no number"),
                (lambda a: a["goals"].update(x={"ratio": True}),
                 "goals.x.ratio is no number"),
                (lambda a: a["goals"].update(x={"ratio": 0}),
                 "goals.x.ratio is no number above 0"),
                (lambda a: a["goals"].update(x={"ratoi": 1.5}),
                 "'ratoi' is none of"),
                (lambda a: a["goals"].update(x={"ratio": 1, "absent": " "}),
                 "goals.x.absent says nothing"),
                (lambda a: a["judge"].pop("online_ns"),
                 "asks nothing of judge.online_ns")):
            asked = copy.deepcopy(good)
            change(asked)
            with self.subTest(text), self.assertRaises(BenchError) as caught:
                self.load(json.dumps(asked))
            self.assertIn(text, str(caught.exception))
            self.assertIn("next:", str(caught.exception))

    def test_file_that_is_no_json_is_refused(self):
        with self.assertRaises(BenchError) as caught:
            self.load("{")
        self.assertIn("is no JSON", str(caught.exception))

    def test_file_that_is_not_there_is_refused(self):
        with self.assertRaises(BenchError):
            goals.load("/nonexistent/goals.json")


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tool = load_tool("bench")

    def status(self, check, *rows):
        options = argparse.Namespace(check=check)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            status = self.tool.checked(results(*rows), options)
        return status, said.getvalue()

    def test_check_all_met_is_0(self):
        self.assertEqual(self.status("goals", row()), (0, ""))

    def test_check_short_with_clang_is_1_and_named(self):
        status, said = self.status("goals", row(), row("wp", "short"))
        self.assertEqual(status, 1)
        self.assertIn("short: wp, clang 14.0.6 x86_64: goal 1.7", said)

    def test_check_short_with_gcc_alone_is_0(self):
        self.assertEqual(self.status("goals", row(),
                                     row("wp", "short", GCC))[0], 0)

    def test_check_missing_row_is_1_with_its_reason(self):
        status, said = self.status("goals", row(), row(
            "lookup-cursor", "missing", why="no such row"))
        self.assertEqual(status, 1)
        self.assertIn("but no such row", said)

    def test_check_skipped_row_is_0(self):
        self.assertEqual(self.status("goals", row(), row(
            "scale-2", "", skipped="one CPU only"))[0], 0)

    def test_check_without_a_row_of_clang_is_3(self):
        self.assertEqual(self.status("goals", row(compiler=GCC))[0], 3)

    def test_short_without_check_is_0(self):
        self.assertEqual(self.status("", row(goal="short"))[0], 0)
        self.assertEqual(self.status("limits", row(goal="short"))[0], 0)

    def test_check_limits_wants_limits_of_any_compiler(self):
        self.assertEqual(self.status("limits", row(
            compiler=GCC, limit="short"))[0], 1)

    def test_check_alone_means_goals(self):
        self.assertEqual(self.tool.parse(["--check"]).check, "goals")
        self.assertEqual(self.tool.parse([]).check, "")
        self.assertEqual(self.tool.parse(["--pin"]).pin, "library")

    def test_results_that_are_no_results_are_refused(self):
        with tempfile.NamedTemporaryFile("w") as stream:
            stream.write("{}")
            stream.flush()
            with self.assertRaises(BenchError):
                self.tool.earlier(stream.name)
        with self.assertRaises(BenchError):
            self.tool.earlier("/nonexistent.json")


class Rows(unittest.TestCase):
    BASE = ("base", [{"row": "a", "kind": "floor"},
                     {"row": "f-el2", "kind": "format"}])

    def formats(self):
        self.built = True
        return "formats", [{"row": "a", "kind": "floor"},
                           {"row": "f-el2", "kind": "format"},
                           {"row": "f-ept", "kind": "format"}]

    def chosen(self, only):
        self.built = False
        return [(n, r["row"]) for n, r in
                engine.choose(self.BASE, self.formats, only)]

    def test_all_rows_are_those_of_both_builds_once(self):
        self.assertEqual(self.chosen(""), [
            ("base", "a"), ("formats", "f-el2"), ("formats", "f-ept")])

    def test_row_of_the_base_builds_no_formats(self):
        self.assertEqual(self.chosen("a"), [("base", "a")])
        self.assertFalse(self.built)

    def test_row_of_a_format_is_found(self):
        self.assertEqual(self.chosen("f-ept"), [("formats", "f-ept")])

    def test_unknown_row_is_refused_by_name(self):
        with self.assertRaises(BenchError) as caught:
            self.chosen("a,nothing")
        self.assertIn("no row nothing; next:", str(caught.exception))

    def test_ratio_is_the_median_of_the_pairs_own(self):
        found = engine.pairs_of([[2.0, 1.0], [9.0, 3.0], [8.0, 8.0]])
        self.assertEqual((found["ratio"], found["ratio_spread"]),
                         (2.0, [1.0, 3.0]))

    def test_threads_are_skipped_with_a_reason_on_one_cpu(self):
        with mock.patch("os.sched_getaffinity", return_value={0}):
            found = engine.run("nwbench", {"row": "s", "kind": "scale"}, 5)
        self.assertIn("one CPU", found["skipped"])

    def test_measured_row_has_goal_and_peers(self):
        listed = [{"row": "lookup", "title": "t", "kind": "floor", "group": "",
                   "entries": 10}]
        said = json.dumps({"row": "lookup", "pairs": [[3.0, 2.0]]})
        options = argparse.Namespace(rows="lookup", repeat=1,
                                     no_formats=True, all_formats=False)
        with mock.patch.object(engine, "version", return_value=CLANG), \
                mock.patch.object(engine, "build", return_value="x"), \
                mock.patch.object(engine, "listed",
                                  return_value=("x", listed)), \
                mock.patch.object(engine, "call", return_value=said), \
                mock.patch.object(engine, "instructions", return_value=50):
            found = list(engine.measure("clang", options))
        self.assertEqual(len(found), 1)
        self.assertEqual((found[0]["goal"], found[0]["ratio"],
                          found[0]["instructions"]), ("met", 1.5, 5.0))
        self.assertIn("KVM", found[0]["peers"])


class Pins(unittest.TestCase):
    COUNTED = {"floors": {"a": 10}, "library": {"a": 30}}

    def pinned(self, pinned, counted=None, version=CLANG):
        with mock.patch.object(pins, "load", return_value=pinned), \
                mock.patch.object(pins, "count",
                                  return_value=counted or self.COUNTED), \
                mock.patch.object(engine, "version", return_value=version), \
                contextlib.redirect_stdout(io.StringIO()) as said:
            return pins.run_pinned(["cc"], []), said.getvalue()

    def test_counts_as_pinned_pass(self):
        status, said = self.pinned({CLANG: copy.deepcopy(self.COUNTED)})
        self.assertEqual((status, said), (0, "2 passed, 0 failed\n"))

    def test_one_instruction_more_fails_by_name(self):
        for side in pins.SIDES:
            was = copy.deepcopy(self.COUNTED)
            was[side]["a"] -= 1
            status, said = self.pinned({CLANG: was})
            self.assertEqual(status, 1)
            self.assertIn("1 passed, 1 failed", said)
            self.assertIn("pinned %d" % was[side]["a"], said)

    def test_thousandth_of_the_library_passes_and_one_more_fails(self):
        was = {"floors": {}, "library": {"a": 5000}}
        for more, status in ((5, 0), (-5, 0), (6, 1), (-6, 1)):
            now = {"floors": {}, "library": {"a": 5000 + more}}
            self.assertEqual(self.pinned({CLANG: was}, now)[0], status)
        was = {"floors": {"a": 5000}, "library": {}}
        now = {"floors": {"a": 5001}, "library": {}}
        self.assertEqual(self.pinned({CLANG: was}, now)[0], 1)

    def test_row_without_pin_and_pin_without_row_fail(self):
        was = copy.deepcopy(self.COUNTED)
        was["library"] = {"b": 1}
        status, said = self.pinned({CLANG: was})
        self.assertEqual(status, 1)
        self.assertIn("library of a: pinned nothing", said)
        self.assertIn("library of b: pinned 1, counted nothing", said)

    def test_other_compiler_version_is_skipped_with_reason(self):
        status, said = self.pinned({CLANG: self.COUNTED}, version=GCC)
        self.assertEqual(status, 0)
        self.assertIn("skipped: not pinned for " + GCC, said)

    def test_library_is_renewed_and_a_changed_floor_is_kept(self):
        counted = {"floors": {"a": 11, "new": 5}, "library": {"a": 25}}
        new, kept = pins.renew(self.COUNTED, counted, "library")
        self.assertEqual(new, {"floors": {"a": 10, "new": 5},
                               "library": {"a": 25}})
        self.assertEqual(kept, ["a"])
        new, kept = pins.renew(self.COUNTED, counted, "floors")
        self.assertEqual(new, {"floors": {"a": 11, "new": 5},
                               "library": {"a": 30}})
        self.assertEqual(kept, [])

    def test_malformed_pins_are_refused(self):
        for bad in ("{", json.dumps({CLANG: {"floors": {}}}),
                    json.dumps({CLANG: {"floors": {"a": "x"},
                                        "library": {}}})):
            with tempfile.NamedTemporaryFile("w") as stream:
                stream.write(bad)
                stream.flush()
                with self.assertRaises(BenchError):
                    pins.load(stream.name)

    def test_floor_of_a_formats_row_is_not_counted(self):
        jobs = pins.jobs_of([{"row": "a", "kind": "floor"},
                             {"row": "f", "kind": "format"},
                             {"row": "s", "kind": "scale"}])
        self.assertEqual(sorted(jobs), [("floors", "a"), ("library", "a"),
                                        ("library", "f")])

    def stage(self, status, output):
        result = Result()
        stages.pinned_result(result, status, output)
        return result

    def test_stage_counts_each_pin(self):
        result = self.stage(0, "7 passed, 0 failed\n")
        self.assertEqual((result.passed, result.failed), (7, 0))
        result = self.stage(1, "pins: x\n6 passed, 1 failed\n")
        self.assertEqual((result.passed, result.failed), (6, 1))
        self.assertIn("    pins: x", result.notes)

    def test_stage_with_nothing_pinned_is_skipped_with_reason(self):
        with self.assertRaises(Skipped) as caught:
            self.stage(0, "pins: skipped: not pinned for x\n"
                          "0 passed, 0 failed\n")
        self.assertIn("not pinned for x", str(caught.exception))

    def test_stage_with_one_compiler_skipped_says_so(self):
        result = self.stage(0, "pins: skipped: no y\n7 passed, 0 failed\n")
        self.assertEqual((result.passed, result.notes),
                         (7, ["not run here: no y"]))

    def test_stage_that_breaks_fails(self):
        self.assertEqual(self.stage(3, "bench: meson failed\n").failed, 1)


class Page(unittest.TestCase):
    def test_page_has_both_compilers_goals_and_peers(self):
        text = page.block(results(row(compiler=GCC, goal="short"), row()))
        line = [l for l in text.splitlines() if l.startswith("| lookup")][0]
        for word in ("1.50", "**short**", "met", "KVM 8.2", "1.7"):
            self.assertIn(word, line)
        heads = [l for l in text.splitlines() if l.startswith("|")][:2]
        self.assertEqual(heads[0].count("|"), line.count("|"))
        self.assertEqual(heads[1].count("|"), line.count("|"))

    def test_page_shows_missing_and_skipped_rows(self):
        text = page.block(results(
            row("c", "missing", kind="missing", why="x"),
            row("s", "", kind="scale", skipped="one CPU only")))
        self.assertIn("| missing | **missing** |", text)
        self.assertIn("| skipped | skipped |", text)

    def test_block_is_replaced_not_repeated(self):
        old = "Before.\n%s\nold\n%s\nAfter.\n" % (page.BEGIN, page.END)
        new = page.merge(page.merge(old, page.block(results(row()))),
                         page.block(results(row("second"))))
        self.assertNotIn("old", new)
        self.assertNotIn("| lookup", new)
        self.assertEqual(new.count(page.BEGIN), 1)
        self.assertTrue(new.startswith("Before.") and new.endswith("After.\n"))

    def test_page_without_its_lines_is_refused(self):
        with self.assertRaises(BenchError):
            page.merge("No lines.\n", "new")

    def test_page_of_the_tree_has_the_lines(self):
        with open(page.PATH, encoding="utf-8") as stream:
            page.merge(stream.read(), "new")


class Show(unittest.TestCase):
    def printed(self, result):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            show.engine_row(result)
        return said.getvalue()

    def test_each_kind_of_row_is_printed(self):
        storm = {"retries": 0.5, "busy": 0.25, "steals": 0.125, "ns_one": 1.0,
                 "ns_many": 2.0, "unit": "retries an operation", "value": 0.5,
                 "preempted_a_run": 7.0}
        for kind, word in (("scale", "throughput"), ("cost", "preemption: 7"),
                           ("storm", "0.5 retries")):
            self.assertIn(word, self.printed(row(kind=kind, **storm)))
        self.assertIn("pages: why", self.printed(row(
            kind="count", value=2, bound=2, unit="pages", detail="why")))
        self.assertIn("one CPU", self.printed(row(
            kind="scale", goal="", skipped="one CPU only")))

    def test_progress_is_silent_where_there_is_no_terminal(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            show.progress("text")
        self.assertEqual(said.getvalue(), "")


if __name__ == "__main__":
    unittest.main()
