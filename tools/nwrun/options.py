# SPDX-License-Identifier: BSD-2-Clause
"""The knobs of tools/run: parsed, checked, every error one line."""
import argparse
import os
import re

from .errors import UsageError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))

MIB = 1 << 20
MEM_MIN = 256 * MIB
MEM_MAX = 4096 * MIB
MEM_STEP = 2 * MIB
CPUS_MAX = 4
SHAKE_MAX = 1000000
DURATION_MAX = 24 * 3600
BOOT_SECONDS_MAX = 600
TRACE_RING_MAX = 65536   # NW_HYP_TRACE_RECORDS of hyp/layout.h

# name: what QEMU is told. Without pauth-impdef the emulation of pointer
# authentication makes `max` several times slower.
CPU_MODELS = {
    "max": "max,pauth-impdef=on",
    "cortex-a53": "cortex-a53",
    "cortex-a72": "cortex-a72",
    "neoverse-n1": "neoverse-n1",
}

# Sabotages whose effect TCG shows; the run must fail. It hides the others.
VISIBLE_SABOTAGES = ("no-tlbi", "local-tlbi", "lost-dirty", "stale-dirty")
# Of those, what kills the guest: it says nothing more.
DEADLY_SABOTAGES = ("no-tlbi", "local-tlbi")

# Bytes of a stage-2 page.
GRANULES = {"4k": 4096, "16k": 16384, "64k": 65536}
DIRTY_MODES = ("auto", "hardware", "software", "off")

EPILOG = """\
examples:
  tools/run                              two CPUs, 1 GiB, 20 s of work
  tools/run --cpus 4 --mem 2G --cpu cortex-a72
  tools/run --shake off --duration 5     no migrations: only lazy mapping
  tools/run --sabotage no-tlbi           must fail, and says what the guest saw
  tools/run --trace --mem 512M           leaves a trace for nestwalk check
  tools/run --granule 64k --mem 2G       stage 2 with pages of 64 KiB
  tools/run --sabotage lost-dirty        must fail: a written page is missing
  tools/run --plain --duration 5         the same guest without a hypervisor

report.json, beside what the table shows: "counters", each as hyp/mailbox.h
says, and "granule_bytes", "lpa2", "dirty_mode". The shaker's other work there:
edge_splits, range_splits, gathers and collapses (blocks formed anew), punches
and reclaims (empty tables freed); table_splits, table_folds, run_forms and
run_breaks (contiguous runs) are the table's own counts. The log of the guest's
writes: dirty_rounds harvests, dirty_pages in them; of dirty_sampled pages whose
sum was compared dirty_written were in the harvest (dirty_changed of them had
changed), dirty_verified were not and had not changed, dirty_missed must be 0.

exit status: 0 good; 1 bad verdict, hypervisor panic, counters that do not add
up or time-out; 2 usage; 3 set-up missing.

--append nwguest.idle boots, gives a good verdict at once and powers off.
An initrd of your own must print "NESTWALK-GUEST: verdict good" and power off.
"""


class Parser(argparse.ArgumentParser):
    """argparse, but an error is an exception with one line of text."""

    def error(self, message):
        raise UsageError(message + "; next: see tools/run --help")


def sabotage_names():
    """The choices of the build option, read from where they are defined."""
    with open(os.path.join(ROOT, "meson_options.txt"), encoding="utf-8") as f:
        text = f.read()
    match = re.search(r"option\('sabotage'.*?choices:\s*\[(.*?)\]", text, re.S)
    return re.findall(r"'([^']+)'", match.group(1))


def number(text, name, low, high):
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise UsageError("%s=%s: not a number; next: give %d to %d"
                         % (name, text, low, high))
    value = int(text)
    if not low <= value <= high:
        raise UsageError("%s=%s: out of range; next: give %d to %d"
                         % (name, text, low, high))
    return value


def parse_mem(text):
    match = re.fullmatch(r"([0-9]{1,9})([MG])i?B?", text, re.I)
    if not match:
        raise UsageError("MEM=%s: not a size; next: give for example 512M or 1G"
                         % text)
    value = int(match.group(1)) * (MIB if match.group(2) in "mM" else 1024 * MIB)
    if value < MEM_MIN:
        raise UsageError("MEM=%s: too small for this guest; next: give at least"
                         " %dM" % (text, MEM_MIN // MIB))
    if value > MEM_MAX:
        raise UsageError("MEM=%s: too large; next: give at most %dM"
                         % (text, MEM_MAX // MIB))
    if value % MEM_STEP:
        raise UsageError("MEM=%s: not a multiple of %dM; next: give %dM"
                         % (text, MEM_STEP // MIB,
                            (value // MEM_STEP + 1) * MEM_STEP // MIB))
    return value


def check_host_memory(value, text):
    """The guest's RAM is a file that is mapped: it must fit here."""
    try:
        with open("/proc/meminfo", encoding="ascii") as stream:
            match = re.search(r"MemAvailable:\s+(\d+) kB", stream.read())
    except OSError:
        return
    if match and value > int(match.group(1)) * 1024:
        raise UsageError("MEM=%s: this machine has only %dM available; next: "
                         "give less" % (text, int(match.group(1)) // 1024))


def check_readable(path, name):
    if not os.path.exists(path):
        raise UsageError("%s=%s: no such file; next: give the path of one that "
                         "exists, or leave %s out for the fetched one"
                         % (name, path, name))
    if not os.path.isfile(path):
        raise UsageError("%s=%s: not a regular file; next: give a file"
                         % (name, path))
    if not os.access(path, os.R_OK):
        raise UsageError("%s=%s: not readable; next: change its permissions"
                         % (name, path))
    if os.path.getsize(path) == 0:
        raise UsageError("%s=%s: empty file; next: give a complete one"
                         % (name, path))


def check_kernel(path):
    check_readable(path, "KERNEL")
    with open(path, "rb") as stream:
        header = stream.read(64)
    if header[:2] == b"\x1f\x8b":
        raise UsageError("KERNEL=%s: compressed; next: gunzip it first" % path)
    if header[56:60] != b"ARM\x64":
        raise UsageError("KERNEL=%s: not an arm64 Image (no magic at byte 56); "
                         "next: give an uncompressed arm64 kernel" % path)


def make_parser():
    parser = Parser(
        prog="tools/run", epilog=EPILOG,
        description="Boot Debian arm64 on Nestwalk under QEMU, let its memory "
                    "move, and judge.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--cpus", default="2", metavar="1..4",
        help="guest CPUs (default 2; one more stays with the hypervisor)")
    add("--mem", default="1G", metavar="SIZE",
        help="RAM of the machine, %dM to %dG in steps of %dM (default 1G)"
             % (MEM_MIN // MIB, MEM_MAX // MIB // 1024, MEM_STEP // MIB))
    add("--cpu", default="max", metavar="MODEL",
        help=", ".join(CPU_MODELS) + " (default max)")
    add("--kernel", default="", metavar="FILE",
        help="arm64 Image (default: the fetched Debian kernel)")
    add("--initrd", default="", metavar="FILE",
        help="initramfs (default: our own, with the guest's work)")
    add("--shake", default="", metavar="RATE|off",
        help="migrations a second that are tried for (default 3000; with the "
             "sabotage stale-dirty off, for the shaker's flushes hide it)")
    add("--granule", default="4k", metavar="4k|16k|64k",
        help="of the guest's stage-2 table (default 4k)")
    add("--lpa2", action="store_true",
        help="stage 2 of 52 bits with FEAT_LPA2 (granules 4k and 16k, --cpu "
             "max)")
    add("--dirty", default="auto", metavar="MODE",
        help="who logs the guest's writes: hardware, software, off, or auto "
             "(default): hardware where the CPU can")
    add("--seed", default="7", metavar="N", help="of the shaker's choices")
    add("--duration", default="20", metavar="SECONDS",
        help="how long the guest works (default 20)")
    add("--sabotage", default="none", metavar="NAME",
        help="break one step on purpose: " + ", ".join(sabotage_names()[1:]))
    add("--timeout", default="", metavar="SECONDS",
        help="give up after (default: duration + %d)" % BOOT_SECONDS_MAX)
    add("--stall", default="", metavar="SECONDS",
        help="give up when the console is silent for so long (default 90, "
             "with a sabotage that kills it 30)")
    add("--append", default="", metavar="WORDS",
        help="more words for the kernel command line")
    add("--plain", action="store_true",
        help="boot the same guest on QEMU alone, for comparison")
    add("--trace", action="store_true",
        help="record every tracepoint into trace/ in the run's directory")
    add("--trace-ring", default="", metavar="RECORDS",
        help="with --trace: how many records of a CPU may wait to be taken "
             "(default 65536); a CPU that has more waits itself")
    add("--verbose", "-v", action="store_true", help="show the guest's console")
    add("--no-build", action="store_true",
        help="use the hypervisor and initramfs as they are")
    add("--build-only", action="store_true",
        help="fetch and build what a run needs, then stop")
    add("--run-dir", default=os.path.join(ROOT, "build/run"), metavar="DIR",
        help="where console.log and report.json go (default build/run)")
    add("--json-out", default="", metavar="FILE",
        help="write the report here too")
    return parser


def parse(argv):
    """The checked options; raises UsageError."""
    o = make_parser().parse_args(argv)
    o.cpus = number(o.cpus, "CPUS", 1, CPUS_MAX)
    mem_text = o.mem
    o.mem = parse_mem(mem_text)
    if o.cpu not in CPU_MODELS:
        raise UsageError("CPU=%s: not a CPU model that is tried here; next: give "
                         "one of %s" % (o.cpu, ", ".join(CPU_MODELS)))
    if o.kernel:
        check_kernel(o.kernel)
    if o.initrd:
        check_readable(o.initrd, "INITRD")
    o.shake = o.shake or ("off" if o.sabotage == "stale-dirty" else "3000")
    o.shake = 0 if o.shake in ("off", "0") else number(
        o.shake, "SHAKE (a rate or 'off')", 1, SHAKE_MAX)
    granule = o.granule.lower()
    if granule not in GRANULES:
        raise UsageError("GRANULE=%s: no such granule; next: give one of %s"
                         % (o.granule, ", ".join(GRANULES)))
    o.granule = GRANULES[granule]
    if o.lpa2 and granule == "64k":
        raise UsageError("LPA2: the 64k granule has no such form; next: give "
                         "GRANULE=4k or 16k, or leave it out")
    if o.lpa2 and o.cpu != "max":
        raise UsageError("LPA2: CPU=%s has no FEAT_LPA2; next: leave CPU out"
                         % o.cpu)
    if o.dirty not in DIRTY_MODES:
        raise UsageError("DIRTY=%s: no such mode; next: give one of %s"
                         % (o.dirty, ", ".join(DIRTY_MODES)))
    o.seed = number(o.seed, "SEED", 0, 999999999)
    o.duration = number(o.duration, "DURATION", 1, DURATION_MAX)
    if o.sabotage not in sabotage_names():
        raise UsageError("SABOTAGE=%s: no such sabotage; next: give one of %s"
                         % (o.sabotage, ", ".join(sabotage_names())))
    if o.plain and o.sabotage != "none":
        raise UsageError("SABOTAGE=%s: there is no hypervisor in a --plain run; "
                         "next: leave one of them out" % o.sabotage)
    if o.plain and o.trace:
        raise UsageError("TRACE: there is no hypervisor in a --plain run; "
                         "next: leave one of them out")
    if o.trace_ring and not o.trace:
        raise UsageError("--trace-ring: nothing is recorded; next: give "
                         "--trace too")
    o.trace_ring = number(o.trace_ring, "--trace-ring", 1, TRACE_RING_MAX) \
        if o.trace_ring else 0
    o.timeout = number(o.timeout, "TIMEOUT", 1, 2 * DURATION_MAX) \
        if o.timeout else o.duration + BOOT_SECONDS_MAX
    # A guest that a sabotage has killed says nothing more: soon enough.
    o.stall = o.stall or ("30" if o.sabotage in DEADLY_SABOTAGES else "90")
    o.stall = number(o.stall, "STALL", 1, DURATION_MAX)
    if re.search(r"[^\x20-\x7e]", o.append):
        raise UsageError("--append: only printable characters; next: quote less")
    check_host_memory(o.mem, mem_text)
    o.run_dir = os.path.abspath(o.run_dir)
    return o
