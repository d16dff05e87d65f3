# SPDX-License-Identifier: BSD-2-Clause
"""The end of a run: verdict, table on the terminal, report.json."""
import json
import os
import re

from .options import MIB, VISIBLE_SABOTAGES
from . import rules, trace

FEATURE_DBM = 0x10   # NW_MAILBOX_FEATURE_DBM of hyp/mailbox.h
BARRIER = re.compile(r"^(dsb_|isb$)")
INVALIDATION = re.compile(r"^(r?ipas2e|vmall|alle|r?va?l?e[12])")
STATUS_COUNTERS = ("ram_faults", "migrations", "tables_allocated",
                   "tables_freed", "tables_live", "write_protects",
                   "permission_faults", "ages", "access_faults", "gathers",
                   "collapses", "reclaims", "range_splits", "table_splits",
                   "table_folds", "dirty_rounds", "dirty_pages",
                   "dirty_sampled", "dirty_verified", "dirty_missed")


def hypervisor_words(snapshot, limit=30):
    """The last lines of the hypervisor's own text, if it ended badly."""
    if snapshot is None or snapshot.state not in ("panic", "refused"):
        return []
    lines = [l for l in snapshot.text.splitlines() if l.strip()]
    start = [i for i, l in enumerate(lines)
             if "panic" in l or "refused" in l]
    return lines[start[0]:][:limit] if start else lines[-limit:]


def misses(snapshot):
    """The pages that were written and not logged, in the hypervisor's words."""
    text = snapshot.text if snapshot else ""
    return [l for l in text.splitlines() if l.startswith("dirty log: page")]


def saw(console, counters):
    """What went wrong as the guest saw it; never nothing."""
    lines = console.saw()
    aborts = counters.get("aborts_injected", 0)
    if not console.fatal and not console.verdict and aborts:
        lines.append("its CPUs took %d external aborts and never came back "
                     "from them" % aborts)
    return lines or ["nothing it could still tell: its console is empty"]


def dirty_mode(options, snapshot):
    """Who logged the guest's writes."""
    if options.plain or snapshot is None:
        return "none"
    if options.dirty == "off":
        return "off"
    return "hardware" if snapshot.header["features"] & FEATURE_DBM \
        else "software"


def make(options, outcome, snapshot, recorded=None):
    """The report as a dictionary; report["good"] is the run's verdict."""
    console = outcome.console
    counters = snapshot.counters if snapshot else {}
    problems = rules.check_run(options, snapshot, console)
    if outcome.ended:
        problems.insert(0, "stopped after %.0f s: %s"
                        % (outcome.seconds, outcome.ended))
    elif outcome.qemu_status != 0:
        problems.insert(0, "QEMU ended with status %d: %s" % (
            outcome.qemu_status, (outcome.stderr.strip() or "no message")
            .splitlines()[-1]))
    if recorded is not None:
        problems += trace.problems(recorded)
    guest_ok = console.good() and not console.fatal
    if console.good() and console.fatal:
        problems.insert(0, "the guest's kernel complained although its "
                        "verdict is good")
    report = {
        "good": guest_ok and not problems,
        "guest_ok": guest_ok,
        "guest_verdict": console.verdict or "none",
        "guest_saw": [] if guest_ok else saw(console, counters),
        "guest_cpus": console.cpus() if console.verdict else 0,
        "guest_phase": console.phase,
        "problems": problems,
        "ended": outcome.ended or "by itself",
        "seconds": round(outcome.seconds, 2),
        "boot_seconds": round(outcome.boot_seconds, 2),
        "mode": "plain" if options.plain else "nestwalk",
        "sabotage": options.sabotage,
        "cpus": options.cpus, "mem_bytes": options.mem, "cpu": options.cpu,
        "shake": options.shake, "seed": options.seed,
        "duration": options.duration, "granule_bytes": options.granule,
        "lpa2": options.lpa2, "dirty_mode": dirty_mode(options, snapshot),
        "hypervisor_state": snapshot.state if snapshot else "none",
        "hypervisor_phase": snapshot.phase if snapshot else "none",
        "hypervisor_text": snapshot.text.splitlines() if snapshot else [],
        "device_faults": counters.get("device_maps", 0),
        "table_bytes_peak": counters.get("tables_peak", 0) * options.granule,
        "table_bytes_now": counters.get("tables_live", 0) * options.granule,
        "invalidations": {n: v for n, v in counters.items()
                          if INVALIDATION.match(n)},
        "barriers": {n: v for n, v in counters.items() if BARRIER.match(n)},
        "counters": counters,
    }
    report.update(trace.fields(recorded, trace.directory(options.run_dir)))
    for name in STATUS_COUNTERS:
        report[name] = counters.get(name, 0)
    if snapshot:
        report["mailbox"] = snapshot.header
        report["counters_by_cpu"] = [
            {n: v for n, v in row.items() if v} for row in snapshot.per_cpu]
    return report


def write(report, *paths):
    for path in paths:
        with open(path + ".part", "w", encoding="utf-8") as stream:
            json.dump(report, stream, indent=1, sort_keys=True)
            stream.write("\n")
        os.replace(path + ".part", path)


def nonzero(table, names=None):
    names = names or sorted(table)
    return ", ".join("%s %d" % (n, table[n]) for n in names
                     if table.get(n)) or "none"


def dirty_text(report):
    c = report["counters"]
    if report["dirty_mode"] == "off":
        return "off"
    return "by %s: %d pages in %d harvests; of %d compared %d were in it " \
        "(%d changed), %d verified clean, %d missed" % (
            report["dirty_mode"], c.get("dirty_pages", 0),
            c.get("dirty_rounds", 0), c.get("dirty_sampled", 0),
            c.get("dirty_written", 0), c.get("dirty_changed", 0),
            c.get("dirty_verified", 0), c.get("dirty_missed", 0))


def shape(report):
    """How this run's table differs from the usual one."""
    granule = report["granule_bytes"]
    return (", %dK granule" % (granule // 1024) if granule != 4096 else "") + \
        (", LPA2" if report["lpa2"] else "")


def rows(report):
    """(label, text) of the short table."""
    c = report["counters"]
    out = [("guest", "verdict " + report["guest_verdict"])]
    out.append(("time", "%.1f s, %.1f s of it until the first process"
                % (report["seconds"], report["boot_seconds"])))
    if report["mode"] == "plain" or not c:
        if "trace_dir" in report:
            out.append(("trace", trace.remark(report)))
        return out
    get = c.get
    out += [
        ("faults", "%d: %d RAM, %d device, %d spurious, %d aborts injected, "
         "%d retried" % (get("faults", 0), get("ram_faults", 0),
                         get("device_maps", 0), get("spurious", 0),
                         get("aborts_injected", 0), get("fault_retries", 0))),
        ("  repaired", "%d permission faults, %d access-flag faults; %d raced, "
         "%d busy" % (get("permission_faults", 0), get("access_faults", 0),
                      get("fault_raced", 0), get("fault_busy", 0))),
        ("  by kind", nonzero(c, ["fault_reads", "fault_writes", "fault_execs",
                                  "fault_s1_walks", "fault_permission"])),
        ("  by level", nonzero(c, ["level_minus_1"] + ["level_%d" % i
                                                       for i in range(4)])),
        ("shaker", "%d migrations, %d splits, %d unmaps of %d pages" % (
            get("migrations", 0), get("splits", 0), get("unmaps", 0),
            get("unmap_pages", 0))),
        ("  rights", "%d write-protects of %d pages, %d agings of %d pages"
         % (get("write_protects", 0), get("write_protect_pages", 0),
            get("ages", 0), get("age_pages", 0))),
        ("  structure", "%d blocks split whole, %d at the ends of ranges; %d "
         "gathered with %d holes filled, %d formed anew; %d of %d empty tables "
         "freed; %d contiguous runs formed, %d broken up" % (get("range_splits", 0), get("edge_splits", 0),
                    get("gathers", 0), get("gather_maps", 0),
                    get("collapses", 0), get("reclaims", 0),
                    get("punches", 0), get("run_forms", 0),
                    get("run_breaks", 0))),
        ("dirty log", dirty_text(report)),
        ("mapped", "%d blocks, %d pages in the run; %d blocks, %d pages, "
         "%d device pages at the end" % (
             get("maps_block", 0), get("maps_page", 0), get("walk_blocks", 0),
             get("walk_pages", 0), get("walk_device_pages", 0))),
        ("tables", "%d KiB at the peak, %d KiB now; pages: %d allocated, "
         "%d freed, %d live" % (
             report["table_bytes_peak"] // 1024,
             report["table_bytes_now"] // 1024, report["tables_allocated"],
             report["tables_freed"], report["tables_live"])),
        ("invalidations", nonzero(report["invalidations"])),
        ("barriers", nonzero(report["barriers"])),
    ]
    if "trace_dir" in report:
        out.append(("trace", trace.remark(report)))
    return out


def show(report, snapshot, log_path):
    """Print the table, then what is wrong, then the verdict in one line."""
    for label, text in rows(report):
        print("%-14s %s" % (label, text))
    for line in report["guest_saw"]:
        print("the guest saw: " + line)
    for line in misses(snapshot) + hypervisor_words(snapshot):
        print("hypervisor: " + line)
    for line in report["problems"]:
        print("problem: " + line)
    if report["sabotage"] != "none":
        print(sabotage_remark(report))
    words = "good" if report["good"] else "BAD (console: %s)" % log_path
    print("run: %s, %d CPUs, %d MiB, %s%s%s: %s" % (
        report["mode"], report["cpus"], report["mem_bytes"] // MIB,
        report["cpu"], shape(report), ", sabotage " + report["sabotage"]
        if report["sabotage"] != "none" else "", words))


def sabotage_remark(report):
    name = report["sabotage"]
    if name in VISIBLE_SABOTAGES:
        if report["good"]:
            return "sabotage %s went unnoticed: it must not" % name
        return "sabotage %s was noticed, as it must be" % name
    if report["good"]:
        return ("sabotage %s: hidden by TCG, which keeps no such state; only a "
                "model or a trace checker sees it" % name)
    return "sabotage %s is usually hidden by TCG; this time it showed" % name
