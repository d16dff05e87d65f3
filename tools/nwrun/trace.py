# SPDX-License-Identifier: BSD-2-Clause
"""
A recorded run: nestwalk-collect beside QEMU, and what it left.

The hypervisor (built with -Drecord=true) puts every tracepoint into rings in
the machine's memory; the collector empties them into TRACE_DIR while the
machine runs. A CPU whose ring is full waits for it: nothing is dropped.
"""
import json
import os
import re
import subprocess

from .errors import SetupError, UsageError
from .mailbox import constant, header_text
from .qemu import die_with_parent

# What a trace's directory holds; nothing else is ever removed.
OURS = re.compile(r"metadata|cpu[0-9]+")
RECORDED = ("events", "bytes", "dropped", "cut", "waits")


def directory(run_dir):
    return os.path.join(run_dir, "trace")


def remove_old(path):
    """The trace of an earlier run; refuses to remove anything else."""
    if not os.path.isdir(path):
        return
    names = os.listdir(path)
    strange = [n for n in names if not OURS.fullmatch(n)]
    if strange:
        raise UsageError("%s: %s in it is no part of a trace; next: move it "
                         "away, or give --run-dir" % (path, strange[0]))
    for name in names:
        os.unlink(os.path.join(path, name))
    os.rmdir(path)


class Collector:
    """Start it before QEMU, finish() after QEMU has ended."""

    def __init__(self, tool, ram, run_dir, extra=()):
        layout = header_text("layout.h")
        offset = constant(layout, "NW_HYP_TRACE_PA") - \
            constant(layout, "NW_HYP_RAM_PA")
        self.path = directory(run_dir)
        remove_old(self.path)
        self.process = subprocess.Popen(
            [tool, ram, str(offset),
             str(constant(layout, "NW_HYP_TRACE_BYTES")), self.path] +
            [str(word) for word in extra],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=die_with_parent)

    def broke(self):
        """True if it ended although nobody asked it to."""
        return self.process.poll() is not None

    def finish(self):
        """{"events": ...} of the complete trace, or {"error": text}."""
        output, errors = self.process.communicate()
        if self.process.returncode == 0:
            return json.loads(output)
        return {"error": (errors.strip() or "status %d"
                          % self.process.returncode).splitlines()[-1]}


def problems(recorded):
    """Why the trace cannot be trusted, one line each."""
    if "error" in recorded:
        return ["no trace: " + recorded["error"]]
    if recorded["dropped"]:
        return ["the recorder lost %d events: nestwalk check will say "
                "malformed" % recorded["dropped"]]
    if not recorded["events"]:
        return ["the trace has no events"]
    return []


def fields(recorded, path):
    """The report's part: trace_events, trace_dropped, ..."""
    if recorded is None:
        return {}
    out = {"trace_dir": path}
    for name in RECORDED:
        out["trace_" + name] = recorded.get(name, 0)
    if "error" in recorded:
        out["trace_error"] = recorded["error"]
    return out


def remark(report):
    """The line that is printed."""
    if "trace_error" in report:
        return "none: " + report["trace_error"]
    text = "%d events, %.1f MiB in %s; %d dropped" % (
        report["trace_events"], report["trace_bytes"] / (1 << 20),
        os.path.relpath(report["trace_dir"]), report["trace_dropped"])
    if report["trace_waits"]:
        text += "; %d waits for room" % report["trace_waits"]
    if report["trace_cut"]:
        text += "; %d at the end left out: a CPU was stopped while it " \
            "recorded" % report["trace_cut"]
    return text


def find_tool(path):
    if not os.path.isfile(path):
        raise SetupError("%s is not there; next: leave --no-build out"
                         % os.path.relpath(path))
    return path
