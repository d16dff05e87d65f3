# SPDX-License-Identifier: BSD-2-Clause
"""
The stages of tools/test, in the order in which they run.

A stage is a function of a Context; its docstring is what --list prints. The
decorator's sets say in which runs it takes part: QUICK in all of them, TEST in
`make test` and `make test-long`, LONG only in the latter.
"""
import json
import os
import shutil
import sys

from .count import count_meson, count_output
from .stage import ROOT, Skipped

QUICK, TEST, LONG = 0, 1, 2
STAGES = []     # (name, smallest set, function)

RUN = ["tools/run", "--run-dir", "build/test/run"]


def stage(name, smallest):
    def keep(function):
        STAGES.append((name, smallest, function))
        return function
    return keep


def path(*parts):
    return os.path.join(ROOT, *parts)


def meson_setup(ctx, directory, options, compiler=None):
    """Configure once; a directory left half-way is set up anew."""
    if os.path.isfile(path(directory, "build.ninja")):
        return True
    shutil.rmtree(path(directory), ignore_errors=True)
    env = {"CC": compiler} if compiler else None
    return ctx.command(["meson", "setup", directory] + options, env=env)


def meson_build(ctx, directory, options, compiler=None):
    return meson_setup(ctx, directory, options, compiler) and \
        ctx.command(["ninja", "-j2", "-C", directory])


def meson_test(ctx, directory, extra=(), env=None):
    """Run the directory's tests; each cmocka or unittest case counts."""
    log = path(directory, "meson-logs/testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    status, output = ctx.run(
        ["meson", "test", "-C", directory, "--no-rebuild", "-t", "4",
         "--num-processes", "2"] + list(extra), env=env)
    if not os.path.exists(log):
        ctx.result.check(False, "meson test wrote no log (status %d)" % status)
        ctx.tail(output)
        return
    passed, failed, bad, skipped = count_meson(log)
    ctx.result.add(passed, failed, ["FAILED " + b for b in bad] +
                   ["not run here: " + s for s in skipped])
    if status != 0 and failed == 0:
        ctx.result.check(False, "meson test: status %d" % status)
        ctx.tail(output)


def checker(ctx, *argv):
    """A tool that prints one line a finding and 'N passed, N failed'."""
    if not os.path.isfile(path(argv[0])):
        ctx.result.check(False, argv[0] + " is not there")
        return
    status, output = ctx.run(list(argv))
    passed, failed = count_output(output, status == 0)
    ctx.result.add(passed, failed)
    if failed:
        ctx.tail(output, 20)


@stage("setup", QUICK)
def setup(ctx):
    """packages and the guest's files are there"""
    ctx.command(["tools/setup", "test"])
    ctx.command(["tools/fetch-guest"])


@stage("build", QUICK)
def build(ctx):
    """native build, gcc"""
    meson_build(ctx, "build/native", [])


@stage("build-el2", QUICK)
def build_el2(ctx):
    """freestanding arm64 build and the guest's initramfs"""
    ctx.command(["tools/run", "--build-only"])


@stage("style", QUICK)
def style(ctx):
    """licence line, length of files and lines, white space"""
    checker(ctx, "tools/check-style")


@stage("includes", QUICK)
def includes(ctx):
    """rooms include only what they may; public headers compile alone"""
    checker(ctx, "tools/check-includes", "--self-test")
    checker(ctx, "tools/check-includes")


@stage("docs", QUICK)
def docs(ctx):
    """paths and commands named in the documents exist"""
    checker(ctx, "tools/check-docs", "--self-test")
    checker(ctx, "tools/check-docs")


@stage("ord", QUICK)
def ordering(ctx):
    """every place that orders something names its ordering point"""
    checker(ctx, "tools/check-ord", "--self-test")
    checker(ctx, "tools/check-ord")


@stage("tools", QUICK)
def tools(ctx):
    """unit tests of the tools themselves"""
    status, output = ctx.run([sys.executable, "-m", "unittest", "discover",
                              "-s", "tests/run", "-t", "tests/run"])
    ctx.result.add(*count_output(output, status == 0))
    if status != 0:
        ctx.tail(output, 30)


@stage("unit", QUICK)
def unit(ctx):
    """unit and property tests, gcc"""
    meson_test(ctx, "build/native", ["--no-suite", "explore"])


@stage("explore", TEST)
def explore(ctx):
    """machine, explorer, and every scenario: all interleavings, then 10^5"""
    meson_test(ctx, "build/native", ["--suite", "explore"])


@stage("mutants", TEST)
def mutants(ctx):
    """each ordering point removed in turn is noticed"""
    status, output = ctx.run(["build/native/cli/nestwalk", "mutants",
                              "--json", "--source", "."], timeout=1200)
    try:
        score = json.loads(output)
    except ValueError:
        ctx.result.check(False, "nestwalk mutants: status %d" % status)
        ctx.tail(output)
        return
    for mutant in score["mutants"]:
        ctx.result.check(mutant["caught"], "%s: %s" % (mutant["id"],
                                                       mutant["message"]))
    for point in score["points_without_mutant"]:
        ctx.result.check(False, point + ": no mutant removes it")
    ctx.expect(["build/native/cli/nestwalk", "mutants", "--source", "docs"],
               3, "is not a source tree")


@stage("build-clang", TEST)
def build_clang(ctx):
    """native build, clang"""
    meson_build(ctx, "build/clang", [], compiler="clang")


@stage("fuzz", TEST)
def fuzz(ctx):
    """a smoke run of every fuzzer, from its seeds"""
    meson_test(ctx, "build/clang", ["--suite", "fuzz"])


# One of each kind: a sanitized engine takes long to compile.
SOME_FORMATS = "-Dformats=arm64_s2,arm64_el2,arm64_s2_64k," \
               "arm64_el10_16k_lpa2,x86_64,x86_ept,riscv_g"


@stage("sanitizers", TEST)
def sanitizers(ctx):
    """the unit tests under address and undefined-behaviour sanitizers"""
    if meson_build(ctx, "build/asan",
                   ["-Db_sanitize=address,undefined", "-Dproof=true",
                    "-Dtrace=true", "-Db_lundef=false", SOME_FORMATS]):
        meson_test(ctx, "build/asan",
                   env={"UBSAN_OPTIONS": "halt_on_error=1"})


@stage("tsan", TEST)
def tsan(ctx):
    """what runs concurrently, under the thread sanitizer, with its own RCU"""
    if meson_build(ctx, "build/tsan",
                   ["-Dport=tsan", "-Db_sanitize=thread", "-Db_lundef=false",
                    "-Dformats=arm64_s2,arm64_el2"]):
        meson_test(ctx, "build/tsan",
                   ["--suite", "concurrent", "--suite", "tsan"],
                   env={"TSAN_OPTIONS": "halt_on_error=1"})


@stage("sparse", TEST)
def sparse(ctx):
    """misuse of entry references, in both builds"""
    checker(ctx, "tools/check-sparse")


@stage("amalgam", TEST)
def amalgam(ctx):
    """the library as one .c and one .h, freestanding, on three CPUs"""
    checker(ctx, "tests/embed/amalgam")


@stage("symbols", TEST)
def symbols(ctx):
    """freestanding objects need nothing but memcpy and memset"""
    checker(ctx, "tools/check-symbols", "--self-test")
    checker(ctx, "tools/check-symbols", "build/el2")


def pinned_result(result, status, output):
    """Count what `tools/bench --pinned` printed; nothing compared is skipped,
    for the reasons that it gave."""
    reasons = [l.partition("skipped: ")[2] for l in output.splitlines()
               if l.startswith("pins: skipped: ")]
    passed, failed = count_output(output, status == 0)
    if status == 0 and reasons and "\n0 passed, 0 failed" in "\n" + output:
        raise Skipped("; ".join(reasons))
    result.add(passed, failed, ["not run here: " + r for r in reasons])
    if failed:
        result.notes += ["    " + l for l in output.splitlines()
                         if "skipped: " not in l][-20:]


@stage("pins", TEST)
def pins(ctx):
    """floors and library cost the instructions pinned for this compiler"""
    status, output = ctx.run(["tools/bench", "--pinned"])
    pinned_result(ctx.result, status, output)


def mmu_arm64_build(ctx):
    """The program that asks the CPU; None if it does not build."""
    ok = meson_build(ctx, "build/mmu-arm64", [
        "--cross-file", "tools/cross-arm64-el2.ini",
        "--cross-file", "tests/mmu/arm64/cross.ini"])
    return "build/mmu-arm64/tests/mmu/arm64/judge.elf" if ok else None


@stage("mmu-arm64", TEST)
def mmu_arm64(ctx):
    """an emulated CPU reads tables of every arm64 format as the library does"""
    elf = mmu_arm64_build(ctx)
    if elf:
        checker(ctx, "tests/mmu/arm64/run", elf)
        checker(ctx, "tests/mmu/arm64/run", "--must-fail", elf)


@stage("mmu-riscv", TEST)
def mmu_riscv(ctx):
    """an emulated hart translates by riscv_g and riscv_s as the model does"""
    checker(ctx, "tests/mmu/riscv/run")


@stage("mmu-x86", TEST)
def mmu_x86(ctx):
    """an emulated CPU translates by x86_64 and x86_npt as the model does"""
    checker(ctx, "tests/mmu/x86/run")


def mmu_kvm_ask(ctx, *arguments):
    """Linux's answers; Skipped where there is no KVM for us."""
    program = "build/native/tests/mmu/kvm/mmu_kvm"
    if os.uname().machine != "x86_64" and not os.path.isfile(path(program)):
        raise Skipped("its tables need an x86-64 host")
    status, output = ctx.run([program] + list(arguments), timeout=600)
    if status == 77:
        raise Skipped(output.strip().replace("skipped: ", ""))
    ctx.result.add(*count_output(output, status == 0))
    ctx.result.notes += ["not judged here: " + line.replace(" not judged,", "")
                         for line in output.splitlines()
                         if ": not judged, " in line]
    if status != 0:
        ctx.tail(output, 20)


@stage("mmu-kvm", TEST)
def mmu_kvm(ctx):
    """KVM_TRANSLATE reads x86_64 tables as the model does, if there is KVM"""
    mmu_kvm_ask(ctx)


@stage("run-bad-input", QUICK)
def run_bad_input(ctx):
    """wrong knobs: one clear line, status 2"""
    for knob, value, text in (
            ("kernel", "/nonexistent", "KERNEL=/nonexistent: no such file"),
            ("initrd", "/nonexistent", "INITRD=/nonexistent: no such file"),
            ("kernel", "Makefile", "KERNEL=Makefile: not an arm64 Image"),
            ("mem", "7M", "MEM=7M: too small"),
            ("mem", "513M", "MEM=513M: not a multiple"),
            ("mem", "lots", "MEM=lots: not a size"),
            ("cpus", "99", "CPUS=99: out of range"),
            ("cpus", "0", "CPUS=0: out of range"),
            ("cpu", "nonsense", "CPU=nonsense: not a CPU model"),
            ("shake", "often", "SHAKE (a rate or 'off')=often"),
            ("duration", "-1", "DURATION=-1: not a number"),
            ("granule", "32k", "GRANULE=32k: no such granule"),
            ("dirty", "often", "DIRTY=often: no such mode"),
            ("sabotage", "everything", "SABOTAGE=everything: no such")):
        argv = ["tools/run", "--%s=%s" % (knob, value)]
        output = ctx.expect(argv, 2, text, timeout=60)
        lines = [l for l in output.splitlines() if l.strip()]
        ctx.result.check(len(lines) == 1 and "next:" in output,
                         "%s: one line with a next move" % argv[1])


@stage("run", QUICK)
def run(ctx):
    """Debian boots on a Nestwalk table while its memory moves"""
    ctx.command(RUN + ["--duration", "8", "--mem", "512M"], timeout=1200)


@stage("run-cpus", TEST)
def run_cpus(ctx):
    """one and four guest CPUs"""
    for cpus in ("1", "4"):
        ctx.command(RUN + ["--duration", "8", "--mem", "512M",
                           "--cpus", cpus], timeout=1200)


@stage("run-verdict", TEST)
def run_verdict(ctx):
    """a guest that finds a wrong page, or loses a worker, fails the run"""
    for plant, text in (("page", "reason=page worker="),
                        ("death", "killed by signal=11")):
        ctx.expect(RUN + ["--plain", "--duration", "6", "--append",
                          "nwguest.plant=" + plant], 1, text, timeout=1200)


@stage("run-panic", TEST)
def run_panic(ctx):
    """a panic prints registers and the walk, and fails the run"""
    ctx.expect(RUN + ["--duration", "5", "--mem", "512M",
                      "--append", "nw.selftest=panic"], 1,
               "level 1 (arm 2)", timeout=600)


@stage("run-trace", TEST)
def run_trace(ctx):
    """a boot's recording is clean to the oracle, sabotaged ones are refuted"""
    trace = "build/test/run/trace"
    oracle = ["build/native/cli/nestwalk", "check", trace]
    if ctx.command(RUN + ["--trace", "--duration", "5", "--mem", "512M"],
                   timeout=1200):
        ctx.expect(oracle, 0, "clean", timeout=600)
    for name, rule in (("no-ipas2", "BBM-07"), ("early-free", "LIFE-03"),
                       ("no-bbm", "BBM-05"), ("local-tlbi", "TLB-03")):
        # A guest that such a mistake has killed records faults, fast.
        ctx.run(RUN + ["--trace", "--duration", "3", "--mem", "512M",
                       "--stall", "30", "--sabotage", name], timeout=1200)
        ctx.expect(oracle, 1, rule, timeout=600)


@stage("sabotage", TEST)
def sabotage(ctx):
    """a missing or local invalidation, a lost write: the run says so"""
    for name in ("no-tlbi", "local-tlbi"):
        ctx.expect(RUN + ["--duration", "20", "--sabotage", name], 1,
                   "the guest saw: ", timeout=1200)
    sabotage_dirty(ctx, "lost-dirty")


def sabotage_dirty(ctx, name, *knobs):
    """A hole in the log of the guest's writes, which its proof must find."""
    ctx.expect(RUN + ["--duration", "5", "--mem", "512M", "--sabotage", name,
                      *knobs], 1,
               "each page that the guest wrote is in the harvest after",
               timeout=1200)


@stage("sabotage-dirty", LONG)
def sabotage_dirty_long(ctx):
    """harvests that do not flush; writes that faults do not report"""
    sabotage_dirty(ctx, "stale-dirty")
    sabotage_dirty(ctx, "lost-dirty", "--dirty", "software")


@stage("property-long", LONG)
def property_long(ctx):
    """twenty million random operations against the flat model"""
    for seed in ("11", "12"):
        ctx.command(["build/native/tests/property/property", "--ops",
                     "10000000", "--seed", seed, "--check-every", "20"],
                    timeout=7200)


@stage("mmu-riscv-long", LONG)
def mmu_riscv_long(ctx):
    """the same with other tables and more addresses"""
    for seed in ("2", "3"):
        checker(ctx, "tests/mmu/riscv/run", "--seed", seed, "--addresses",
                "100000")


@stage("mmu-x86-long", LONG)
def mmu_x86_long(ctx):
    """the same with other tables and more addresses"""
    for seed in ("2", "3", "4"):
        checker(ctx, "tests/mmu/x86/run", "--seed", seed, "--addresses",
                "20000")


@stage("mmu-kvm-long", LONG)
def mmu_kvm_long(ctx):
    """the same with other tables and more addresses"""
    for seed in ("2", "3", "4"):
        mmu_kvm_ask(ctx, seed, "200000")


@stage("mmu-arm64-long", LONG)
def mmu_arm64_long(ctx):
    """the same with other tables and more addresses, and as other CPUs"""
    elf = mmu_arm64_build(ctx)
    if not elf:
        return
    for seed in ("2", "3"):
        checker(ctx, "tests/mmu/arm64/run", elf, "seed=" + seed,
                "addresses=100000", "rest=20000")
    for cpu in ("cortex-a72", "cortex-a76"):
        checker(ctx, "tests/mmu/arm64/run", "--cpu", cpu, elf)


@stage("fuzz-long", LONG)
def fuzz_long(ctx):
    """ten minutes of every fuzzer"""
    for name in ("text", "ctf", "casemate", "ops"):
        ctx.command(["tests/fuzz/run", "build/clang/tests/fuzz/fuzz_" + name,
                     "tests/fuzz/seeds/" + name, "-max_total_time=600",
                     "-max_len=4096", "-verbosity=0"], timeout=1200)


@stage("scenarios-long", LONG)
def scenarios_long(ctx):
    """ten million random schedules of each good scenario, as far as missing"""
    long_run = ["verify/scenarios/long", "--jobs", "2",
                "build/native/cli/nestwalk", "build/scenarios-long"]
    for more in ([], ["--exhaust"]):
        ctx.command(long_run + more, timeout=48 * 3600)


@stage("run-models", LONG)
def run_models(ctx):
    """every CPU model"""
    for model in ("cortex-a53", "cortex-a72", "neoverse-n1"):
        ctx.command(RUN + ["--cpu", model], timeout=1200)


@stage("run-sizes", LONG)
def run_sizes(ctx):
    """the smallest and a large machine, and no shaking"""
    ctx.command(RUN + ["--mem", "256M"], timeout=1200)
    ctx.command(RUN + ["--mem", "3G", "--cpus", "4"], timeout=1200)
    ctx.command(RUN + ["--shake", "off"], timeout=1200)


@stage("run-granules", LONG)
def run_granules(ctx):
    """stage 2 with every granule and FEAT_LPA2, and writes logged by faults"""
    for knobs in (["--granule", "16k"], ["--granule", "64k", "--mem", "2G"],
                  ["--lpa2"], ["--granule", "16k", "--lpa2"],
                  ["--dirty", "software"], ["--dirty", "off"]):
        ctx.command(RUN + ["--duration", "8"] + knobs, timeout=1200)
    for knobs in (["--granule", "16k"], ["--lpa2"]):
        if ctx.command(RUN + ["--trace", "--duration", "5", "--mem", "512M"] +
                       knobs, timeout=1200):
            ctx.expect(["build/native/cli/nestwalk", "check",
                        "build/test/run/trace"], 0, "clean", timeout=600)
    ctx.expect(RUN + ["--cpu", "cortex-a72", "--granule", "16k"], 1,
               "lacks the 16 KiB granule at stage 2", timeout=600)


@stage("run-soak", LONG)
def run_soak(ctx):
    """two minutes of shaking"""
    ctx.command(RUN + ["--duration", "120"], timeout=1200)


@stage("sabotage-hidden", LONG)
def sabotage_hidden(ctx):
    """sabotages that TCG hides still build and run"""
    for name in ("no-ipas2", "early-free", "no-bbm"):
        status, output = ctx.run(RUN + ["--sabotage", name], timeout=1200)
        ctx.result.check(status in (0, 1) and "hidden by TCG" in output,
                         "--sabotage %s (status %d)" % (name, status))
