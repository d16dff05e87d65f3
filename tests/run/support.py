# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the tools share."""
import importlib.util
import os
import sys
from importlib.machinery import SourceFileLoader

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True


def load_tool(name):
    """A script of tools/ as a module."""
    loader = SourceFileLoader(name.replace("-", "_"),
                              os.path.join(ROOT, "tools", name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


# Counters of a run in which everything adds up.
GOOD_COUNTERS = {
    "faults": 100, "fault_reads": 60, "fault_writes": 30, "fault_execs": 8,
    "fault_retries": 2, "fault_parks": 0, "fault_s1_walks": 5,
    "fault_raced": 1, "fault_busy": 2, "permission_faults": 4,
    "access_faults": 3, "fault_permission": 4, "level_minus_1": 1,
    "level_0": 0, "level_1": 3, "level_2": 40, "level_3": 56,
    "ram_faults": 50, "maps_block": 20, "maps_page": 30,
    "device_maps": 35, "spurious": 3, "aborts_injected": 0,
    "aborts_carveout": 0, "migrations": 500, "frames_poisoned": 500,
    "frames_reused": 400, "poison_damaged": 0, "tables_allocated": 30,
    "tables_freed": 30, "tables_live": 0, "tables_peak": 25,
    "walk_mismatches": 0, "frames_lost": 0, "frames_twice": 0,
    "splits": 9, "table_splits": 12, "table_folds": 7, "collapses": 4,
    "reclaims": 3, "dirty_sampled": 90, "dirty_verified": 70,
    "dirty_written": 20, "dirty_changed": 11, "dirty_missed": 0,
}
# ... and of one whose writes were logged.
RUN_COUNTERS = dict(GOOD_COUNTERS, dirty_rounds=30)
