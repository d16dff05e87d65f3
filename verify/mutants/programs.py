# SPDX-License-Identifier: BSD-2-Clause
"""
The programs that catch mutants, each as a list of objects:

explore  the library on the simulated machine (verify/explore)
el2      the library on the EL2 port, its instructions turned into events, under
         the oracle (verify/check)
tsan     the library on ports/tsan, under the thread sanitizer
el2lock  the EL2 port's lock under the thread sanitizer
el2quiescent  the EL2 port's grace period under the thread sanitizer
posix    what the posix port's primitives call
machine_...  the tests of the simulated machine (tests/explore)
hyp      hyp/cpu.c's wait for interrupts on the simulated machine
"""
import glob
import os
import re

CC = os.environ.get("CC", "gcc")
COMMON = ["-std=gnu11", "-w", "-D_GNU_SOURCE", "-Iinclude", "-Iverify"]
FORMATS = ("arm64_s2", "arm64_el2")
SCENARIOS = ("library.c", "library_fault.c", "library_flush.c",
             "library_hostwalk.c",
             "library_leaves.c", "library_place.c", "library_runs.c",
             "library_shared.c",
             "ord_*.c")


class Unit:
    """One object: a source and how it is compiled."""

    def __init__(self, source, group, flags, suffix=""):
        stem = os.path.splitext(source)[0].replace("/", "_")
        self.source = source
        self.name = "%s/%s%s" % (group, stem, suffix)
        self.flags = flags

    def argv(self, obj, base):
        return [CC] + COMMON + self.flags + ["-I" + base, "-MMD", "-MF",
                                             obj[:-2] + ".d", "-c",
                                             self.source, "-o", obj]


class Program:
    def __init__(self, name, units, link=()):
        self.name = name
        self.units = units
        self.link = list(link)


def sources(source, pattern):
    found = sorted(glob.glob(os.path.join(source, pattern)))
    return [os.path.relpath(f, source) for f in found]


def engine_sources(source):
    """The meson.build files say which are compiled once per format."""
    groups = {}
    for room in ("src/table/", "src/format/"):
        with open(os.path.join(source, room, "meson.build"),
                  encoding="utf-8") as f:
            for name, files in re.findall(
                    r"(\w+) = (?:\w+ \+ )?files\((.*?)\)", f.read(), re.S):
                groups[name] = [room + n
                                for n in re.findall(r"'([^']+)'", files)]
    return (groups["nw_engine_sources"] + groups["nw_format_instance"],
            groups["nw_table_sources"] + groups["nw_format_sources"])


def library(source, group, flags, formats=FORMATS):
    engine, table = engine_sources(source)
    units = []
    for fmt in formats:
        args = ["-DNW_FORMAT=" + fmt, '-DNW_FORMAT_NAME="%s"' % fmt,
                '-DNW_FORMAT_HEADER="../format/%s.h"' % fmt]
        units += [Unit(s, group, flags + args, "_" + fmt) for s in engine]
    rest = table + sources(source, "src/fixmap/*.c") + \
        sources(source, "src/hostwalk/*.c")
    return units + [Unit(s, group, flags) for s in rest]


def make_list(scenarios, source, base):
    """explore_list.h: the scenarios that expect nothing wrong."""
    names = []
    for path in scenarios:
        with open(os.path.join(source, path), encoding="utf-8") as f:
            names += re.findall(r"nwx_scenario nws_(good_\w+)", f.read())
    text = "#define EXPLORE_LIST(X) \\\n" + \
        "".join("\tX(%s) \\\n" % n for n in names) + "\n"
    path = os.path.join(base, "explore_list.h")
    try:
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    except OSError:
        pass
    os.makedirs(base, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def judge(source, *patterns):
    """Of the judge; what has a main() of its own is another program."""
    return [Unit(s, "judge", ["-O1"]) for p in patterns
            for s in sources(source, p) if not s.endswith("_main.c")]


def machine(source):
    """The explorer, its machine, and the judge that it asks."""
    units = [Unit(s, "machine", ["-O2"])
             for s in sources(source, "verify/machine/*.c") +
             sources(source, "verify/explore/*.c")]
    return units + judge(source, "verify/check/*.c", "verify/check/rules/*.c",
                         "verify/trace/*.c")


def explore(source, base):
    lib = ["-O1", "-Iports/explore", "-DNW_CONFIG_RCU=1",
           "-DNW_CONFIG_TRACE=1", "-DNW_CONFIG_PROOF=1"]
    scenarios = [s for p in SCENARIOS
                 for s in sources(source, "verify/scenarios/" + p)]
    make_list(scenarios, source, base)
    units = library(source, "explore", lib)
    units += [Unit(s, "explore", lib)
              for s in scenarios + ["ports/explore/port.c"]]
    units += [Unit(s, "explore", ["-O2"])
              for s in ("verify/scenarios/common.c",
                        "verify/mutants/explore.c")]
    return Program("explore", units + machine(source))


def el2(source):
    shim = ["-include", "verify/mutants/el2_shim.h", "-Iports/el2",
            "-DNW_CONFIG_TRACE=1"]
    units = library(source, "el2", ["-O1"] + shim,
                    FORMATS + ("arm64_el10",))
    units += [Unit(s, "el2", ["-O1"] + shim)
              for s in ("ports/el2/tlb.c", "ports/el2/tlb_el10.c",
                        "ports/el2/tlb_local.c",
                        "ports/el2/tlb_relaxed.c", "verify/mutants/el2.c")]
    units += judge(source, "verify/check/*.c", "verify/check/rules/*.c",
                   "verify/trace/*.c")
    return Program("el2", units)


def tsan(source):
    flags = ["-O1", "-g1", "-fsanitize=thread", "-Iports/tsan",
             "-Iports/posix", "-DNW_CONFIG_RCU=1"]
    units = library(source, "tsan", flags)
    units += [Unit(s, "tsan", flags)
              for s in ("ports/common/host_port.c", "ports/posix/arena.c",
                        "ports/tsan/rcu.c", "verify/mutants/tsan.c")]
    return Program("tsan", units, ["-fsanitize=thread", "-lpthread"])


def el2lock():
    flags = ["-O1", "-g1", "-fsanitize=thread", "-include",
             "verify/mutants/el2_shim.h", "-Iports/el2"]
    return Program("el2lock", [Unit("verify/mutants/el2lock.c", "el2lock",
                                    flags)],
                   ["-fsanitize=thread", "-lpthread"])


def el2quiescent():
    flags = ["-O1", "-g1", "-fsanitize=thread", "-include",
             "verify/mutants/el2_shim.h", "-Iports/el2", "-DNW_CONFIG_RCU=1",
             "-DNW_EL2_THIS_CPU=el2_cpu"]
    return Program("el2quiescent", [Unit(s, "el2quiescent", flags) for s in (
        "verify/mutants/el2quiescent.c", "ports/el2/quiescent.c")],
                   ["-fsanitize=thread", "-lpthread"])


def posix():
    flags = ["-O1", "-Iports/posix", "-DNW_CONFIG_RCU=1"]
    units = [Unit(s, "posix", flags)
             for s in ("verify/mutants/posix.c", "ports/common/host_port.c")]
    return Program("posix", units, ["-lurcu-bp", "-lpthread"])


def hyp(source):
    flags = ["-O1", "-include", "verify/mutants/hyp_shim.h", "-Iports/el2"]
    units = [Unit(s, "hyp", flags)
             for s in ("hyp/cpu.c", "verify/mutants/hyp.c")]
    # What cpu.c needs elsewhere of the hypervisor is not called here.
    return Program("hyp", units + machine(source),
                   ["-Wl,--unresolved-symbols=ignore-all"])


MACHINE_TESTS = ("litmus", "test_machine", "test_machine_tlb",
                 "test_machine_local", "test_machine_riscv",
                 "test_machine_guest", "test_machine_walk")


def machine_tests(source):
    """One program for each file of tests."""
    common = machine(source) + [Unit(s, "machine", ["-O2"]) for s in (
        "verify/scenarios/common.c", "verify/mutants/machine.c",
        "tests/explore/support.c")]
    return [Program("machine_" + name.replace("test_machine_", ""),
                    common + [Unit("tests/explore/%s.c" % name, "machine",
                                   ["-O1"])], ["-lcmocka"])
            for name in MACHINE_TESTS]


def make(source, base):
    return machine_tests(source) + [explore(source, base), el2(source), tsan(source), el2lock(),
            el2quiescent(), posix(), hyp(source)]
