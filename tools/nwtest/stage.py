# SPDX-License-Identifier: BSD-2-Clause
"""What a stage is: a name, a function, the sets it belongs to, its result."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Skipped(Exception):
    """Raised by a stage that cannot run here; the text says why."""


class Result:
    """Counts of one stage and the lines that explain its failures."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.notes = []     # printed below the stage's line
        self.skipped = ""   # the reason, if the stage skipped itself

    def check(self, ok, text):
        """Count one check; `text` names it if it failed."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.notes.append("FAILED " + text)
        return ok

    def add(self, passed, failed, notes=()):
        self.passed += passed
        self.failed += failed
        self.notes.extend(notes)


class Context:
    """What a stage may use: the log, the options, ways to run commands."""

    def __init__(self, name, log_dir, long_run):
        self.name = name
        self.long_run = long_run
        self.log_path = os.path.join(log_dir, name + ".log")
        open(self.log_path, "w").close()
        self.result = Result()

    def run(self, argv, timeout=1800, env=None):
        """Run a command with its output in the log: (status, output)."""
        full = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **(env or {}))
        if self.long_run:
            full["NW_TEST_LONG"] = "1"
        try:
            done = subprocess.run(
                argv, cwd=ROOT, env=full, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=timeout)
            status, output = done.returncode, done.stdout
        except FileNotFoundError:
            status, output = 127, "%s: no such command\n" % argv[0]
        except subprocess.TimeoutExpired as late:
            status = 124
            output = (late.stdout or b"").decode("utf-8", "replace")
            output += "\ntime-out after %d s\n" % timeout
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write("$ %s\n%s[status %d]\n" % (" ".join(argv), output, status))
        return status, output

    def command(self, argv, timeout=1800, env=None):
        """One check: the command exits 0. Failed: its last lines are notes."""
        status, output = self.run(argv, timeout, env)
        if not self.result.check(status == 0, "%s (status %d)"
                                 % (" ".join(argv), status)):
            self.tail(output)
        return status == 0

    def tail(self, output, lines=12):
        self.result.notes += ["    " + l for l in output.splitlines()[-lines:]]

    def expect(self, argv, status, text="", timeout=1800):
        """One check: exit status `status` and `text` in the output."""
        got, output = self.run(argv, timeout)
        ok = got == status and text in output
        if not self.result.check(ok, "%s: want status %d and '%s', got %d"
                                 % (" ".join(argv), status, text, got)):
            self.tail(output, 4)
        return output


def fail(text):
    print("tools/test: " + text, file=sys.stderr)
    sys.exit(2)
