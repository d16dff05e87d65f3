# SPDX-License-Identifier: BSD-2-Clause
"""The floors' instruction counts, pinned for each compiler version."""
import json
import os

from . import engine
from .errors import ROOT

PATH = os.path.join(ROOT, "bench", "pinned.json")


def load():
    with open(PATH, encoding="utf-8") as stream:
        return json.load(stream)


def count(cc):
    nwbench = engine.build(cc)
    return {r["row"]: engine.instructions(nwbench, r["row"], "floor")
            for r in engine.rows(nwbench, "")}


def compare(name, pinned, counted):
    """Differences, one line each."""
    lines = []
    for row in sorted(set(pinned) | set(counted)):
        was, now = pinned.get(row), counted.get(row)
        if was != now:
            lines.append("%s, %s: pinned %s, counted %s; next: if the floor "
                         "was to change, say why in docs/adr and run "
                         "tools/bench --pin" % (name, row, was, now))
    return lines


def run(options):
    """Exit status of --pinned and --pin."""
    here, absent = engine.compilers(options.cc)
    pinned = load() if os.path.exists(PATH) else {}
    status = 0
    for name in absent:
        print("floors: skipped: %s is not installed" % name)
    for cc in here:
        name = engine.version(cc)
        if options.pin:
            pinned[name] = count(cc)
            print("floors: %s: %d rows pinned" % (name, len(pinned[name])))
        elif name not in pinned:
            print("floors: skipped: no counts are pinned for %s; next: "
                  "tools/bench --pin" % name)
        else:
            wrong = compare(name, pinned[name], count(cc))
            for line in wrong:
                print("floors: " + line)
            status = 1 if wrong else status
            if not wrong:
                print("floors: %s: %d rows as pinned"
                      % (name, len(pinned[name])))
    if options.pin:
        with open(PATH, "w", encoding="utf-8") as stream:
            json.dump(pinned, stream, indent=1, sort_keys=True)
            stream.write("\n")
    return status
