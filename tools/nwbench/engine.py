# SPDX-License-Identifier: BSD-2-Clause
"""The engine's rows: build, run in pairs, count instructions."""
import json
import os
import re
import shutil
import statistics
import subprocess

from . import goals, show
from .errors import BenchError, ROOT, call

# valgrind 3.19 does not read what clang writes by default (DWARF 5); the
# format of the debug information changes no instruction.
FLAGS = ["-Dbuildtype=debugoptimized", "-Dc_args=-gdwarf-4",
         "-Dquiescent=true"]
TIMED = "nwbench_timed"
PREFIX = "build/bench"      # of the build directories; --build changes it
# Which formats a build has: what the tests need, for the rows of arm64 stage 2;
# one of each family and granule, for the rows of a format; or all of them.
FORMATS = {
    "": "arm64_s2,arm64_el2",
    "formats": "arm64_s2,arm64_s2_16k,arm64_s2_64k,arm64_s2_4k_lpa2,arm64_el2,"
               "arm64_el10,x86_64,x86_npt,x86_ept,riscv_s,riscv_g",
    "all": "all",
}
# A run of theirs takes many milliseconds: so long that threads are preempted.
THREADS_REPEAT = 7


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


def folder_of(cc, which=""):
    return os.path.join(ROOT, "-".join(p for p in (PREFIX, which, cc) if p))


def build(cc, which="", targets=("bench/nwbench",)):
    """Folder of a build with `cc` and FORMATS[which]."""
    folder = folder_of(cc, which)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        shutil.rmtree(folder, ignore_errors=True)
        env = dict(os.environ, CC=cc)
        env.pop("CFLAGS", None)
        call(["meson", "setup", folder, ROOT] + FLAGS +
             ["-Dformats=" + FORMATS[which]], "meson", env=env)
    call(["ninja", "-C", folder] + list(targets), "build with " + cc)
    return folder


def listed(folder):
    """(path of nwbench, what it lists)"""
    nwbench = os.path.join(folder, "bench", "nwbench")
    return nwbench, [json.loads(l) for l in
                     call([nwbench, "--list"], "nwbench").splitlines()]


def choose(base, formats, only):
    """Rows to run: [(nwbench, row)]. `base` is (nwbench, rows); `formats` a
    function that builds and returns the same, or None. A row of a format is
    taken from there."""
    names = [n for n in only.split(",") if n]
    chosen = [(base[0], r) for r in base[1] if r["kind"] != "format"]
    if names:
        chosen = [c for c in chosen if c[1]["row"] in names]
    lost = [n for n in names if n not in [r["row"] for _, r in chosen]]
    if formats and (lost or not names):
        nwbench, rows = formats()
        chosen += [(nwbench, r) for r in rows if r["kind"] == "format" and
                   (not names or r["row"] in names)]
        lost = [n for n in lost if n not in [r["row"] for _, r in chosen]]
    if lost:
        raise BenchError("no row %s; next: %s --list"
                         % (", ".join(lost), os.path.relpath(base[0], ROOT)))
    return chosen


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


def pairs_of(pairs):
    """Medians and the spread of the pairs' own ratios."""
    ratios = [lib / floor for lib, floor in pairs]
    return {"pairs": len(pairs), "ratio": statistics.median(ratios),
            "ratio_spread": [min(ratios), max(ratios)],
            "lib": statistics.median(p[0] for p in pairs),
            "floor": statistics.median(p[1] for p in pairs)}


def run(nwbench, row, repeat):
    """What nwbench says of one row, with medians where it has pairs."""
    if row["kind"] in ("scale", "cost", "storm"):
        if len(os.sched_getaffinity(0)) < 2:
            return {"skipped": "one CPU only: nothing runs in parallel"}
        repeat = min(repeat // 2 + 1, THREADS_REPEAT)
    found = json.loads(call([nwbench, row["row"], "--repeat", str(repeat)],
                            "nwbench " + row["row"]))
    if "pairs" in found:
        found.update(pairs_of(found["pairs"]))
    elif "bound" in found:
        found["ratio"] = found["value"] / found["bound"]
    if row["kind"] in ("floor", "format"):
        found["ns"], found["ns_floor"] = found["lib"], found["floor"]
        for key, side in (("instructions", "lib"),
                          ("instructions_floor", "floor")):
            found[key] = instructions(nwbench, row["row"], side) / \
                row["entries"]
    return found


def measure(cc, options):
    """One dictionary a row."""
    asked = goals.load()
    name = version(cc)

    def formats():
        return listed(build(cc, "all" if options.all_formats else "formats"))

    chosen = choose(listed(build(cc)),
                    None if options.no_formats else formats, options.rows)
    done = []
    for number, (nwbench, row) in enumerate(chosen):
        show.progress("%s, row %d of %d: %s" % (name, number + 1, len(chosen),
                                                row["row"]))
        result = {"compiler": name}
        result.update(row)
        result.update(run(nwbench, row, options.repeat))
        done.append(goals.judge(asked, row, result))
        yield done[-1]
    if not options.rows:
        for result in goals.missing(asked, done, name):
            if result["row"] in asked["goals"] or not options.no_formats:
                yield result
