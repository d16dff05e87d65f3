# SPDX-License-Identifier: BSD-2-Clause
"""What ends a measurement, and how other programs are called."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class BenchError(Exception):
    """One line for the user: what is missing, and the next move."""


def call(argv, what, **more):
    """Standard output of a program that must succeed."""
    try:
        done = subprocess.run(argv, cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              **more)
    except FileNotFoundError:
        raise BenchError("%s: %s is not installed; next: tools/setup bench"
                         % (what, argv[0])) from None
    if done.returncode:
        words = [l for l in (done.stdout + done.stderr).splitlines()
                 if l.strip()]
        wrong = [l for l in words if "error" in l.lower()] or words[-3:]
        raise BenchError("%s failed: %s; next: run %s"
                         % (what, " | ".join(wrong[:3]), " ".join(argv)))
    return done.stdout
