# SPDX-License-Identifier: BSD-2-Clause
"""The engine's rows: build, run in pairs, count instructions."""
import json
import os
import re
import shutil
import statistics
import subprocess

from .errors import BenchError, ROOT, call

# valgrind 3.19 does not read what clang writes by default (DWARF 5); the
# format of the debug information changes no instruction.
FLAGS = ["-Dbuildtype=debugoptimized", "-Dc_args=-gdwarf-4",
         "-Dquiescent=true", "-Dformats=arm64_s2,arm64_el2"]
TIMED = "nwbench_timed"


def compilers(names):
    """(those that are installed, those that are not)"""
    wanted = [n for n in names.split(",") if n]
    here = [n for n in wanted if shutil.which(n)]
    if not here:
        raise BenchError("no compiler of %s is installed; next: tools/setup "
                         "bench" % names)
    return here, [n for n in wanted if n not in here]


def version(cc):
    """For example 'gcc 12.2.0 x86_64'."""
    text = call([cc, "--version"], "compiler version").splitlines()[0]
    number = re.findall(r"\d+\.\d+\.\d+", text)
    kind = "clang" if "clang" in text else "gcc"
    return "%s %s %s" % (kind, number[-1] if kind == "gcc" else number[0],
                         os.uname().machine)


def build(cc):
    """Path of nwbench, built with `cc`."""
    folder = os.path.join(ROOT, "build", "bench-" + cc)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        env = dict(os.environ, CC=cc)
        env.pop("CFLAGS", None)
        call(["meson", "setup", folder, ROOT] + FLAGS, "meson", env=env)
    call(["ninja", "-C", folder, "bench/nwbench"], "build with " + cc)
    return os.path.join(folder, "bench", "nwbench")


def rows(nwbench, only):
    listed = [json.loads(l) for l in
              call([nwbench, "--list"], "nwbench").splitlines()]
    if not only:
        return listed
    names = only.split(",")
    unknown = [n for n in names if n not in [r["row"] for r in listed]]
    if unknown:
        raise BenchError("no row %s; next: %s --list"
                         % (", ".join(unknown), nwbench))
    return [r for r in listed if r["row"] in names]


def instructions(nwbench, row, side):
    """Callgrind's count for one run of one side."""
    argv = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
            "--toggle-collect=" + TIMED, nwbench, row, "--side", side]
    try:
        done = subprocess.run(argv, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise BenchError("valgrind is not installed; next: tools/setup bench") \
            from None
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found or not int(found.group(1)):
        raise BenchError("callgrind counted nothing for %s --side %s: %s"
                         % (row, side, done.stderr.strip()[-200:]))
    return int(found.group(1))


def against(bounds, ns_ratio, per_entry):
    """'met', 'short' or '' where nothing is asked."""
    if not bounds:
        return ""
    short = ns_ratio > bounds.get("ratio", ns_ratio) or \
        per_entry >= bounds.get("instructions", per_entry + 1)
    return "short" if short else "met"


def measure(cc, options):
    """One dictionary a row."""
    with open(os.path.join(ROOT, "bench/goals.json"), encoding="utf-8") as f:
        asked = json.load(f)
    nwbench = build(cc)
    name = version(cc)
    for row in rows(nwbench, options.rows):
        pairs = json.loads(call(
            [nwbench, row["row"], "--repeat", str(options.repeat)],
            "nwbench " + row["row"]))["pairs"]
        ratios = [lib / floor for lib, floor in pairs]
        ratio = statistics.median(ratios)
        lib = instructions(nwbench, row["row"], "lib") / row["entries"]
        floor = instructions(nwbench, row["row"], "floor") / row["entries"]
        limit = asked["limits"].get(row["row"])
        goal = asked["goals"].get(row["row"])
        yield {
            "row": row["row"], "title": row["title"], "compiler": name,
            "entries": row["entries"], "pairs": len(pairs),
            "ns": statistics.median(p[0] for p in pairs),
            "ns_floor": statistics.median(p[1] for p in pairs),
            "ratio": ratio, "ratio_spread": [min(ratios), max(ratios)],
            "instructions": lib, "instructions_floor": floor,
            "goal_ratio": goal["ratio"] if goal else None,
            "limit": against(limit, ratio, lib),
            "goal": against(goal, ratio, lib),
        }
