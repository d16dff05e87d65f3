# SPDX-License-Identifier: BSD-2-Clause
"""bench/goals.json: what is asked of each row, and whether it is met."""
import json
import os

from .errors import BenchError, ROOT

PATH = os.path.join(ROOT, "bench", "goals.json")

# At most so many times the floor; at least so many times; a value of its own.
NUMBERS = ("ratio", "least", "most", "stretch", "instructions")
WORDS = ("peers", "absent")
SECTIONS = ("limits", "goals", "groups", "judge")
JUDGE = ("offline_million_events_per_second", "online_ns",
         "outstanding_growth", "text_1000_lines_mib")


def refuse(path, what):
    raise BenchError("%s: %s; next: compare with `git diff %s`"
                     % (os.path.relpath(path, ROOT), what,
                        os.path.relpath(path, ROOT)))


def check_entry(path, section, row, entry):
    if not isinstance(entry, dict) or not entry:
        refuse(path, "%s.%s is no object with a bound" % (section, row))
    for key, value in entry.items():
        if key in NUMBERS:
            if isinstance(value, bool) or not isinstance(value, (int, float)) \
                    or value <= 0:
                refuse(path, "%s.%s.%s is no number above 0"
                       % (section, row, key))
        elif key in WORDS:
            if not isinstance(value, str) or not value.strip():
                refuse(path, "%s.%s.%s says nothing" % (section, row, key))
        else:
            refuse(path, "%s.%s: '%s' is none of %s"
                   % (section, row, key, ", ".join(NUMBERS + WORDS)))
    bounds = [k for k in ("ratio", "least", "most") if k in entry]
    if section == "limits":
        bounds += [k for k in ("instructions",) if k in entry]
    if len(bounds) != 1:
        refuse(path, "%s.%s needs exactly one bound, has %d"
               % (section, row, len(bounds)))


def load(path=PATH):
    """The file, or a BenchError that says what is wrong with it."""
    try:
        with open(path, encoding="utf-8") as stream:
            asked = json.load(stream)
    except OSError as error:
        refuse(path, "cannot be read (%s)" % error.strerror)
    except ValueError as error:
        refuse(path, "is no JSON (%s)" % error)
    if not isinstance(asked, dict):
        refuse(path, "is no object")
    for section in SECTIONS:
        if not isinstance(asked.get(section), dict):
            refuse(path, "has no object '%s'" % section)
        for row, entry in asked[section].items():
            check_entry(path, section, row, entry)
    for name in JUDGE:
        if name not in asked["judge"]:
            refuse(path, "asks nothing of judge.%s" % name)
    return asked


def of(asked, row):
    """What is asked of a listed row: its own goal, or its group's; or None."""
    return asked["goals"].get(row["row"]) or \
        asked["groups"].get(row.get("group") or "")


def is_short(entry, result):
    """`result` has 'ratio' and, of some kinds, 'value' and 'instructions'."""
    if "ratio" in entry:
        return not result["ratio"] <= entry["ratio"]
    if "least" in entry:
        return not result["ratio"] >= entry["least"]
    if "most" in entry:
        return not result["value"] <= entry["most"]
    return not result["instructions"] < entry["instructions"]


def bound_text(entry):
    """For example '1.5 (1.3)', '>= 0.95'."""
    if "least" in entry:
        return ">= %g" % entry["least"]
    text = "%g" % entry.get("ratio", entry.get("most"))
    return text + (" (%g)" % entry["stretch"] if "stretch" in entry else "")


def judge(asked, row, result):
    """Add goal, limit, peers and so on to a result: 'met', 'short', or ''
    where nothing is asked. What was skipped is neither."""
    entry, limit = of(asked, row), asked["limits"].get(row["row"])
    result["peers"] = (entry or {}).get("peers", "")
    result["goal_text"] = bound_text(entry) if entry else ""
    if entry and "bound" in result:     # a count: nothing to divide by
        result["goal_text"] = "%g" % (entry["ratio"] * result["bound"])
    result["goal_ratio"] = (entry or {}).get("ratio")
    for name, bound in (("goal", entry), ("limit", limit)):
        if not bound or result.get("skipped"):
            result[name] = ""
        else:
            result[name] = "short" if is_short(bound, result) else "met"
    return result


def missing(asked, measured, compiler):
    """A result for each goal whose row was not measured."""
    names = set(r["row"] for r in measured)
    groups = set(r.get("group") or "" for r in measured)
    lost = [(row, entry) for row, entry in asked["goals"].items()
            if row not in names]
    lost += [(group, entry) for group, entry in asked["groups"].items()
             if group not in groups]
    return [{"row": row, "title": row, "kind": "missing", "goal": "missing",
             "limit": "", "compiler": compiler, "group": "",
             "goal_text": bound_text(entry), "peers": entry.get("peers", ""),
             "why": entry.get("absent", "no such row in nwbench --list")}
            for row, entry in lost]
