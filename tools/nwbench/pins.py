# SPDX-License-Identifier: BSD-2-Clause
"""Instruction counts, pinned for each compiler version: the floors', which
only a decision record may change, and the library's.

Callgrind counts one thread exactly. Floors call nobody and are compared for
equality; the library may call the C library's memset, which differs from CPU to
CPU by some instructions: a thousandth is let pass.
"""
import concurrent.futures
import json
import os

from . import engine, show
from .errors import BenchError, ROOT

PATH = os.path.join(ROOT, "bench", "pinned.json")
SIDES = {"floors": "floor", "library": "lib"}
NEXT = {
    "floors": "if the floor was to change, say why in docs/adr and run "
              "tools/bench --pin=floors",
    "library": "if the change was meant, run tools/bench --pin",
}


def load(path=PATH):
    """compiler -> side ('floors', 'library') -> row -> instructions"""
    if not os.path.exists(path):
        return {}
    try:
        with open(path, encoding="utf-8") as stream:
            pinned = json.load(stream)
    except ValueError as error:
        raise BenchError("bench/pinned.json is no JSON (%s); next: git diff "
                         "bench/pinned.json" % error) from None
    for name, sides in pinned.items():
        for side in SIDES:
            rows = sides.get(side)
            if not isinstance(rows, dict) or \
                    not all(type(n) is int for n in rows.values()):
                raise BenchError("bench/pinned.json: %s has no counts '%s'; "
                                 "next: git diff bench/pinned.json"
                                 % (name, side))
    return pinned


def save(pinned, path=PATH):
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(pinned, stream, indent=1, sort_keys=True)
        stream.write("\n")


def jobs_of(rows):
    """(side, row) of everything to count: the floor of a format's row is the
    library, and what threads do is not counted."""
    return [(side, r["row"]) for r in rows for side in SIDES
            if r["kind"] == "floor" or
            (r["kind"] == "format" and side == "library")]


def count(cc):
    """side -> row -> instructions, of the build with `cc`."""
    nwbench, rows = engine.listed(engine.build(cc))
    jobs = jobs_of(rows)
    counted = {side: {} for side in SIDES}

    def one(job):
        return engine.instructions(nwbench, job[1], SIDES[job[0]])

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, (job, found) in enumerate(zip(jobs, pool.map(one, jobs))):
            counted[job[0]][job[1]] = found
            show.progress("%s: %d of %d counts" % (cc, number + 1, len(jobs)))
    show.progress_end()
    return counted


def is_same(side, was, now):
    if was is None or now is None or side == "floors":
        return was == now
    return abs(now - was) * 1000 <= was


def compare(name, pinned, counted):
    """(counts as pinned, differences as one line each)"""
    same, lines = 0, []
    for side in SIDES:
        was, now = pinned[side], counted[side]
        for row in sorted(set(was) | set(now)):
            if is_same(side, was.get(row), now.get(row)):
                same += 1
                continue
            lines.append("%s, %s of %s: pinned %s, counted %s; next: %s" % (
                name, side.rstrip("s"), row, was.get(row, "nothing"),
                now.get(row, "nothing"), NEXT[side]))
    return same, lines


def renew(old, counted, what):
    """New pins. Counts of floors that stand stay unless `what` is 'floors':
    returns (pins, floors that differ and were kept)."""
    old = old or {side: {} for side in SIDES}
    floors = dict(counted["floors"])
    kept = []
    if what != "floors":
        for row, was in old["floors"].items():
            if floors.get(row, was) != was:
                floors[row] = was
                kept.append(row)
    library = old["library"] if what == "floors" else counted["library"]
    return {"floors": floors, "library": dict(library)}, kept


def run_pin(here, what):
    pinned, status = load(), 0
    for cc in here:
        name = engine.version(cc)
        pinned[name], kept = renew(pinned.get(name), count(cc), what)
        print("pins: %s: %d floors, %d counts of the library" % (
            name, len(pinned[name]["floors"]), len(pinned[name]["library"])))
        for row in kept:
            print("pins: %s: the floor of %s costs something else now, and "
                  "keeps its pin; next: %s" % (name, row, NEXT["floors"]))
            status = 1
    save(pinned)
    return status


def run_pinned(here, absent):
    """Prints one line a difference and 'N passed, N failed'."""
    pinned, passed, failed = load(), 0, 0
    for name in absent:
        print("pins: skipped: %s is not installed" % name)
    for cc in here:
        name = engine.version(cc)
        if name not in pinned:
            print("pins: skipped: not pinned for %s; next: tools/bench --pin"
                  % name)
            continue
        same, lines = compare(name, pinned[name], count(cc))
        passed, failed = passed + same, failed + len(lines)
        for line in lines:
            print("pins: " + line)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


def run(options):
    """Exit status of --pinned and --pin."""
    here, absent = engine.compilers(options.cc)
    if options.pin:
        return run_pin(here, options.pin)
    return run_pinned(here, absent)
