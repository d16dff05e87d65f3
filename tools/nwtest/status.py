# SPDX-License-Identifier: BSD-2-Clause
"""docs/status.md: the last result of `make test-long` and of which commit."""
import os
import subprocess
import time

from .stage import ROOT

BEGIN = "<!-- test-long: written by tools/test, begin -->"
END = "<!-- test-long: end -->"


def git(*args):
    done = subprocess.run(["git", "-C", ROOT] + list(args), text=True,
                          capture_output=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def commit():
    name = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return name + (" with local changes" if git(
        "status", "--porcelain", "--untracked-files=no") else "")


def table(results, passed, failed, seconds):
    lines = [BEGIN, "",
             "`make test-long` on %s, commit %s:" % (
                 time.strftime("%Y-%m-%d", time.gmtime()), commit()),
             "%d passed, %d failed, %.0f s." % (passed, failed, seconds), "",
             "| stage | passed | failed | seconds |", "|---|---|---|---|"]
    for name, result, spent in results:
        count = "skipped: %s |" % result.skipped if result.skipped else \
            "%d | %d" % (result.passed, result.failed)
        lines.append("| %s | %s | %.1f |" % (name, count, spent))
    return "\n".join(lines + ["", END])


def merge(old, new):
    """Put `new` in the place of the old block, or at the end."""
    head, begin, rest = old.partition(BEGIN)
    if not begin:
        return (old.rstrip("\n") + "\n\n" if old.strip() else
                "# Status\n\n") + new + "\n"
    return head + new + rest.partition(END)[2]


def write(results, passed, failed, seconds):
    path = os.path.join(ROOT, "docs/status.md")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        with open(path, encoding="utf-8") as stream:
            old = stream.read()
    except FileNotFoundError:
        old = ""
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(merge(old, table(results, passed, failed, seconds)))
