# SPDX-License-Identifier: BSD-2-Clause
"""The results as tables."""

ENGINE = "%-31s %-12s %7s %7s %6s  %6s %6s  %s"


def engine_head():
    print(ENGINE % ("row (an entry)", "compiler", "ns", "floor", "ratio",
                    "instr", "floor", "goal"))


def engine_row(r):
    goal = ""
    if r["goal"]:
        goal = "%s (%.2g)" % (r["goal"], r["goal_ratio"])
    if r["limit"] == "short":
        goal += " LIMIT MISSED"
    print(ENGINE % (r["title"], " ".join(r["compiler"].split()[:2]),
                    "%.3f" % r["ns"], "%.3f" % r["ns_floor"],
                    "%.2f" % r["ratio"], "%.2f" % r["instructions"],
                    "%.2f" % r["instructions_floor"], goal))


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
