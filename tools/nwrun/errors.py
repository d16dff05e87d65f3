# SPDX-License-Identifier: BSD-2-Clause
"""Exit statuses of tools/run and the exceptions that lead to them."""

EXIT_GOOD = 0
EXIT_BAD = 1      # bad verdict, hypervisor panic, counters that disagree, time-out
EXIT_USAGE = 2
EXIT_SETUP = 3


class UsageError(Exception):
    """A value given by the caller is wrong; the text names it and what to do."""


class SetupError(Exception):
    """Something the run needs is not here; the text says how to get it."""
