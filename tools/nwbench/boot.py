# SPDX-License-Identifier: BSD-2-Clause
"""Rows that boot the hypervisor: overhead against plain QEMU, the fixmap."""
import json
import os
import statistics
import subprocess

from .errors import BenchError, ROOT

RUN = os.path.join(ROOT, "tools", "run")
FOLDER = os.path.join(ROOT, "build", "bench-run")
SECONDS = 3          # of work of the guest after its boot
TIMEOUT = 600
STRATEGIES = ("broadcast", "batched", "private")
KINDS = ("page", "block")


class RunFailed(Exception):
    """One line on what went wrong with a run."""


def run(*arguments):
    """The report of one tools/run."""
    report = os.path.join(FOLDER, "report.json")
    argv = [RUN, "--run-dir", FOLDER, "--no-build"] + list(arguments)
    if os.path.exists(report):
        os.unlink(report)
    try:
        done = subprocess.run(argv, cwd=ROOT, text=True, timeout=TIMEOUT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise BenchError("tools/run is missing") from None
    except subprocess.TimeoutExpired:
        raise RunFailed("no end after %d s: %s" % (TIMEOUT, " ".join(argv))) \
            from None
    if done.returncode or not os.path.exists(report):
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RunFailed("status %d: %s: %s" % (
            done.returncode, " ".join(argv), " | ".join(words[-3:])))
    with open(report, encoding="utf-8") as stream:
        return json.load(stream)


def prepare():
    done = subprocess.run([RUN, "--build-only"], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RunFailed("tools/run --build-only: %s" % " | ".join(words[-3:]))


def boot_seconds(plain):
    arguments = ["--duration", str(SECONDS), "--shake", "off"]
    return run(*(arguments + (["--plain"] if plain else [])))["boot_seconds"]


def measure_boots(options):
    """plain, Nestwalk, plain, ... : each boot with Nestwalk stands between two
    plain ones; its pair is the one before, and plain's own pairs are
    neighbours too."""
    plain, nestwalk = [], []
    try:
        prepare()
        for _ in range(options.boots):
            plain.append(boot_seconds(True))
            nestwalk.append(boot_seconds(False))
        plain.append(boot_seconds(True))
    except RunFailed as error:
        return {"problem": str(error)}
    ratios = [n / p for n, p in zip(nestwalk, plain)]
    own = [b / a for a, b in zip(plain, plain[1:])]
    return {
        "pairs": len(ratios),
        "plain_seconds": statistics.median(plain),
        "nestwalk_seconds": statistics.median(nestwalk),
        "ratio": statistics.median(ratios),
        "ratio_spread": [min(ratios), max(ratios)],
        "plain_pair_ratio": statistics.median(own),
        "plain_pair_spread": [min(own), max(own)],
    }


def fixmap_row(counters, hz, strategy, kind):
    def get(what):
        return counters.get("fix_%s_%s_%s" % (strategy, kind, what), 0)

    pairs = get("pairs")
    if not pairs:
        raise RunFailed("the hypervisor reported no %s %s windows"
                        % (strategy, kind))
    return {
        "strategy": strategy, "kind": kind, "pairs": pairs,
        "ns": get("ticks") * 1e9 / hz / pairs,
        "broadcasts": get("remote") / pairs,
        "local": get("local") / pairs,
    }


def measure_fixmap(options):
    """A boot of the hypervisor that measures its fixmap before the guest."""
    try:
        prepare()
        report = run("--duration", str(SECONDS), "--shake", "off",
                     "--append", "nw.bench=fixmap")
        hz = report["mailbox"]["counter_hz"]
        rows = [fixmap_row(report["counters"], hz, s, k)
                for s in STRATEGIES for k in KINDS]
    except RunFailed as error:
        return {"problem": str(error)}
    except KeyError as error:
        return {"problem": "the report has no %s" % error}
    return {"rows": rows}
