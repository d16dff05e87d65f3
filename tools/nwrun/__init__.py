# SPDX-License-Identifier: BSD-2-Clause
"""The parts of tools/run: options, preparation, QEMU, counters, report."""
