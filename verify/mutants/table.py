# SPDX-License-Identifier: BSD-2-Clause
"""The data of the mutants, and how their outcome is printed."""
import glob
import os
import tomllib

FIELDS = {"id", "point", "file", "what", "old", "new", "program", "args",
          "expect"}


def read(folder, points, only):
    """(mutants, points that no mutant removes)."""
    mutants = []
    for path in sorted(glob.glob(os.path.join(folder, "*.toml"))):
        with open(path, "rb") as f:
            mutants += tomllib.load(f)["mutant"]
    for m in mutants:
        wrong = FIELDS - set(m) or set(m) - FIELDS - {"nth"}
        if wrong:
            raise SystemExit("mutant %s: field %s is missing or unknown" %
                             (m.get("id", "?"), sorted(wrong)[0]))
        if m["old"] == m["new"]:
            raise SystemExit("mutant %s changes nothing" % m["id"])
    ids = [m["id"] for m in mutants]
    for name in ids:
        if ids.count(name) > 1:
            raise SystemExit("mutant %s is there twice" % name)
    missing = sorted(set(points) - {m["point"] for m in mutants})
    if only:
        mutants = [m for m in mutants if m["id"].startswith(only) or
                   m["point"].startswith(only)]
        missing = []
    return mutants, missing


def where(m):
    return "%s:%d" % (m["file"], m.get("line", 0))


def by(m):
    return " ".join([m["program"]] + m["args"])


def head():
    print("%-26s %-28s %5s  %s" % ("mutant", "where", "s", "what was removed"))


def row(m):
    print("%-26s %-28s %5.1f  %s" % (m["id"], where(m), m["seconds"],
                                     m["what"]))
    print("    %s by %s: %s" % ("caught" if m["caught"] else "NOT CAUGHT",
                                by(m), m["got"][:300]), flush=True)


def score(mutants, missing, seconds):
    for point in missing:
        print("%s: NO MUTANT removes it" % point)
    caught = sum(m["caught"] for m in mutants)
    made = {m["point"] for m in mutants if m["point"].startswith("ORD-")}
    print("%d mutants of %d ordering points, %d caught, %d not caught, "
          "%d points without mutant, %.0f s" %
          (len(mutants), len(made), caught,
           len(mutants) - caught, len(missing), seconds))


def as_json(mutants, missing, seconds):
    return {
        "mutants": [{"id": m["id"], "point": m["point"], "file": m["file"],
                     "line": m.get("line", 0), "removed": m["what"],
                     "caught": m["caught"], "catcher": by(m),
                     "expected": m["expect"], "message": m["got"],
                     "seconds": round(m["seconds"], 2)} for m in mutants],
        "caught": sum(m["caught"] for m in mutants),
        "not_caught": sum(not m["caught"] for m in mutants),
        "points_without_mutant": missing,
        "seconds": round(seconds, 1),
    }
