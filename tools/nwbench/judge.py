# SPDX-License-Identifier: BSD-2-Clause
"""The oracle's rows: nanoseconds an event beside a memcpy of its input, the
command on a recording, and its memory for a small trace."""
import json
import os
import statistics
import tempfile

from . import engine, goals
from .errors import BenchError, call

TEXT_LINES = 1000


def build(cc):
    """Folder with nwjudge and the command, built with `cc`."""
    return engine.build(cc, targets=("bench/nwjudge", "cli/nestwalk"))


def command(folder, trace):
    """(seconds, peak memory in KiB) of one `nestwalk check`, which must find
    the trace clean."""
    argv = [os.path.join(folder, "cli", "nestwalk"), "check", trace]
    found = json.loads(call([os.path.join(folder, "bench", "nwjudge"),
                             "--run"] + argv, "nwjudge --run"))
    if found["status"]:
        raise BenchError("%s ended with %d" % (" ".join(argv),
                                               found["status"]))
    return found["seconds"], found["kib"]


def one_row(nwjudge, row, repeat, folder):
    argv = [nwjudge, row["row"], str(repeat)]
    found = json.loads(call(argv + ([folder] if row["folder"] else []),
                            "nwjudge " + row["row"]))
    pairs = found["pairs"]
    ratios = [judge / bare for judge, bare in pairs]
    return {
        "row": row["row"], "title": row["title"], "events": found["events"],
        "ns": statistics.median(p[0] for p in pairs),
        "ns_memcpy": statistics.median(p[1] for p in pairs),
        "ratio": statistics.median(ratios),
        "ratio_spread": [min(ratios), max(ratios)],
        "oracle_bytes": found["oracle_bytes"],
    }


def against(results, asked):
    """name -> (value, bound, 'met' or 'short')"""
    rows = {r["row"]: r for r in results["rows"]}
    few, many = rows["outstanding-12800"], rows["outstanding-102400"]
    values = {
        "offline_million_events_per_second": results["command_rate"] / 1e6,
        "online_ns": rows["online"]["ns"],
        # 8 times as many outstanding: so many times as long an event. 1 is
        # linear, 8 quadratic; caches and first-touched memory take some.
        "outstanding_growth": many["ns"] / few["ns"],
        "text_1000_lines_mib": results["text_kib"] / 1024.0,
    }
    goals = {}
    for name, value in values.items():
        least, most = asked[name].get("least"), asked[name].get("most")
        short = (least is not None and value < least) or \
            (most is not None and value > most)
        goals[name] = {"value": value, "least": least, "most": most,
                       "goal": "short" if short else "met"}
    return goals


def measure(cc, options):
    asked = goals.load()["judge"]
    folder = build(cc)
    nwjudge = os.path.join(folder, "bench", "nwjudge")
    repeat = max(3, min(options.repeat, 15))
    results = {"compiler": engine.version(cc), "rows": []}
    with tempfile.TemporaryDirectory(prefix="nwjudge-", dir=folder) as place:
        for line in call([nwjudge, "--list"], "nwjudge").splitlines():
            row = json.loads(line)
            trace = os.path.join(place, row["row"])
            results["rows"].append(one_row(nwjudge, row, repeat, trace))
            if row["folder"]:
                runs = [command(folder, trace) for _ in range(repeat)]
                seconds = statistics.median(r[0] for r in runs)
                results["command_rate"] = \
                    results["rows"][-1]["events"] / seconds
                results["command_kib"] = max(r[1] for r in runs)
        text = os.path.join(place, "short.nwt")
        call([nwjudge, "--text", str(TEXT_LINES), text], "nwjudge --text")
        results["text_kib"] = command(folder, text)[1]
    results["goals"] = against(results, asked)
    return results
