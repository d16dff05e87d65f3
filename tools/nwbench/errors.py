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
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BenchError("%s failed (%s): %s" % (
            what, " ".join(argv), " | ".join(words[-3:])))
    return done.stdout
