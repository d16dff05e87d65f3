# SPDX-License-Identifier: BSD-2-Clause
"""The results as tables."""
import sys

ENGINE = "%-39s %-12s %8s %8s %6s %7s %7s  %-18s %s"
UNITS = {"scale": "times", "cost": "times", "storm": "", "count": ""}


def progress(text):
    """A line that the next one replaces; on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text[:78])
        sys.stderr.flush()


def progress_end():
    progress("")


def engine_head():
    print(ENGINE % ("row (ns and instructions: an entry)", "compiler", "ns",
                    "floor", "ratio", "instr", "floor", "goal", "known peers"))


def number(value, form):
    return "" if value is None else form % value


def goal(r):
    if r.get("skipped"):
        return "skipped"
    text = "%s (%s)" % (r["goal"], r["goal_text"]) if r["goal"] else ""
    return text + (" LIMIT MISSED" if r["limit"] == "short" else "")


def compiler(r):
    return " ".join(r["compiler"].split()[:2])


def engine_row(r):
    progress_end()
    kind = r["kind"]
    timed = kind in ("floor", "format", "scale", "cost")
    print((ENGINE % (
        r["title"][:39], compiler(r),
        number(r.get("lib" if timed else "value"), "%.3f"),
        number(r.get("floor" if timed else "bound"), "%.3f"),
        number(r.get("ratio"), "%.2f"),
        number(r.get("instructions"), "%.2f"),
        number(r.get("instructions_floor"), "%.2f"),
        goal(r), r.get("peers", ""))).rstrip())
    for line in beside(r):
        print("    " + line)


def beside(r):
    """Lines below a row: what its numbers are, where they are not ns."""
    if r.get("skipped"):
        return [r["skipped"]]
    if r["kind"] == "missing":
        return [r["why"]]
    lines = []
    if r["kind"] == "scale":
        lines.append("times the throughput of one thread; %.1f ns a fault"
                     % r["ns_one"])
    elif r["kind"] == "cost":
        lines.append("times one thread's CPU time (%.1f ns a fault); measures "
                     "preemption: %.0f a run" % (r["ns_one"],
                                                 r["preempted_a_run"]))
    elif r["kind"] == "storm":
        lines.append("%s; %.1f ns CPU an operation, one thread %.1f"
                     % (r["unit"], r["ns_many"], r["ns_one"]))
    elif r["kind"] == "count":
        lines.append("%s: %s" % (r["unit"], r["detail"]))
    if "retries" in r:
        lines.append("an operation: %.2g retries, %.2g busy, %.2g steals"
                     % (r["retries"], r["busy"], r["steals"]))
    return lines


JUDGE = "%-31s %9s %7s %7s %7s  %s"
JUDGE_GOALS = (
    ("offline_million_events_per_second",
     "nestwalk check, binary: %.1f million events a second"),
    ("online_ns", "online, mixed: %.1f ns an event"),
    ("outstanding_growth",
     "102400 obligations against 12800: %.2f times as long an event"),
    ("text_1000_lines_mib", "nestwalk check, 1000 lines: %.1f MiB"),
)


def judge(j):
    print()
    print("the judge, %s" % " ".join(j["compiler"].split()[:2]))
    print(JUDGE % ("row (an event)", "events", "ns", "memcpy", "ratio",
                   "oracle KiB"))
    for r in j["rows"]:
        print(JUDGE % (r["title"], r["events"], "%.1f" % r["ns"],
                       "%.1f" % r["ns_memcpy"], "%.1f" % r["ratio"],
                       r["oracle_bytes"] // 1024))
    for name, words in JUDGE_GOALS:
        g = j["goals"][name]
        print("  %s: %s (%s %g)" % (
            words % g["value"], g["goal"],
            "at least" if g["least"] is not None else "at most",
            g["least"] if g["least"] is not None else g["most"]))


def boot(b):
    print()
    if b.get("problem"):
        print("boot: %s" % b["problem"])
        return
    print("boot to the guest's first process, %d pairs, shaker off: "
          "plain %.2f s, Nestwalk %.2f s" % (
              b["pairs"], b["plain_seconds"], b["nestwalk_seconds"]))
    print("  ratio, median of pairs: %.3f (%.3f to %.3f); plain QEMU against "
          "itself: %.3f (%.3f to %.3f)" % (
              (b["ratio"],) + tuple(b["ratio_spread"]) +
              (b["plain_pair_ratio"],) + tuple(b["plain_pair_spread"])))


def fixmap(f):
    print()
    if f.get("problem"):
        print("fixmap: %s" % f["problem"])
        return
    print("fixmap at EL2 under QEMU, a map/touch/unmap pair")
    print("  %-14s %-6s %8s %11s %7s" % ("strategy", "kind", "ns",
                                         "broadcasts", "local"))
    for r in f["rows"]:
        print("  %-14s %-6s %8.1f %11.4f %7.4f" % (
            r["strategy"], r["kind"], r["ns"], r["broadcasts"], r["local"]))
