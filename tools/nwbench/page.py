# SPDX-License-Identifier: BSD-2-Clause
"""docs/bench.md: the last figures, and the command that measured them."""
import os
import subprocess
import time

from .errors import BenchError, ROOT

PATH = os.path.join(ROOT, "docs", "bench.md")
BEGIN = "<!-- figures: written by tools/bench --write-docs, begin -->"
END = "<!-- figures: end -->"
WORDS = {"scale": "threads' throughput", "cost": "CPU time, times one thread's",
         "storm": "retries an operation", "count": "count"}


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return os.uname().machine


def commit():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12",
                           "HEAD"], text=True, capture_output=True)
    return done.stdout.strip() or "unknown"


def facts(argv):
    """What a reader needs to judge or repeat the figures."""
    return {"command": " ".join(["tools/bench"] + argv), "cpu": cpu_name(),
            "cpus": len(os.sched_getaffinity(0)), "commit": commit(),
            "date": time.strftime("%Y-%m-%d", time.gmtime())}


def cell(r):
    """One compiler's figure of a row."""
    if r is None:
        return ""
    if r["kind"] == "missing":
        return "missing"
    if r.get("skipped"):
        return "skipped"
    if r["kind"] == "storm":
        return "%.2g" % r["value"]
    if r["kind"] == "count":
        return "%g" % r["value"]
    text = "%.2f" % r["ratio"]
    if "instructions" in r:
        text += " (%.3g / %.3g ns, %.3g / %.3g instr.)" % (
            r["ns"], r["ns_floor"], r["instructions"],
            r["instructions_floor"])
    return text


def verdict(r):
    if r is None or not r["goal"]:
        return "skipped" if r and r.get("skipped") else ""
    return r["goal"] if r["goal"] == "met" else "**%s**" % r["goal"]


def table(results):
    rows, kinds = {}, {}
    for r in results["engine"]:
        kind = r["compiler"].split()[0]
        kinds[kind] = " ".join(r["compiler"].split()[:2])
        rows.setdefault(r["row"], {})[kind] = r
    names = sorted(kinds, reverse=True)
    lines = ["| row | goal | " +
             "".join("%s | | " % kinds[n] for n in names) + "known peers |",
             "|---|---|" + "---|---|" * len(names) + "---|"]
    for row in rows.values():
        first = next(iter(row.values()))
        title = first["title"]
        if first["kind"] in WORDS:
            title += " (%s)" % WORDS[first["kind"]]
        lines.append("| %s | %s | %s | %s |" % (
            title, first["goal_text"],
            " | ".join("%s | %s" % (cell(row.get(n)), verdict(row.get(n)))
                       for n in names), first["peers"]))
    return lines


def block(results):
    f = results["facts"]
    return "\n".join(
        [BEGIN, "", "`%s` on %s, commit %s, %s, %d CPUs:" % (
            f["command"], f["date"], f["commit"], f["cpu"], f["cpus"]), ""] +
        table(results) + ["", END])


def merge(old, new):
    """Put `new` in the place of the old block; a page without one is
    refused."""
    head, begin, rest = old.partition(BEGIN)
    tail = rest.partition(END)
    if not begin or not tail[1]:
        raise BenchError("docs/bench.md has no lines '%s' and '%s'; next: put "
                         "them where the table shall be" % (BEGIN, END))
    return head + new + tail[2]


def write(results, path=PATH):
    try:
        with open(path, encoding="utf-8") as stream:
            old = stream.read()
    except OSError as error:
        raise BenchError("docs/bench.md: %s; next: git checkout docs/bench.md"
                         % error.strerror) from None
    page = merge(old, block(results))
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(page)
