# SPDX-License-Identifier: BSD-2-Clause
"""Everything a run needs before QEMU: guest files, initramfs, hypervisor."""
import fcntl
import os
import shutil
import subprocess

from .errors import SetupError
from .options import ROOT

GUEST = os.path.join(ROOT, "build/guest")
GUEST_CC = "aarch64-linux-gnu-gcc"
NATIVE = os.path.join(ROOT, "build/native")
COLLECTOR = "verify/trace/nestwalk-collect"
CROSS_FILE = os.path.join(ROOT, "tools/cross-arm64-el2.ini")


def need(*tools):
    missing = [t for t in tools if not shutil.which(t)]
    if missing:
        raise SetupError("%s not installed; next: tools/setup run"
                         % ", ".join(missing))


def command(argv, what, log_path):
    """Run quietly; on failure raise with the last lines that it wrote."""
    done = subprocess.run(argv, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    with open(log_path, "a", encoding="utf-8") as log:
        log.write("$ %s\n%s" % (" ".join(argv), done.stdout))
    if done.returncode != 0:
        lines = done.stdout.splitlines()
        lines = [l for l in lines if "error:" in l or "ERROR" in l][:6] or \
            lines[-8:]
        tail = "\n".join("    " + l for l in lines)
        raise SetupError("%s failed:\n%s\n  next: read %s"
                         % (what, tail, os.path.relpath(log_path, ROOT)))


class Lock:
    """One preparer at a time in this tree."""

    def __init__(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.stream = open(path, "w")

    def __enter__(self):
        fcntl.flock(self.stream, fcntl.LOCK_EX)

    def __exit__(self, *unused):
        self.stream.close()


def newer_than(target, sources):
    if not os.path.exists(target):
        return False
    stamp = os.stat(target).st_mtime_ns
    return all(os.stat(s).st_mtime_ns <= stamp for s in sources)


def fetch_guest():
    done = subprocess.run([os.path.join(ROOT, "tools/fetch-guest")], cwd=ROOT)
    if done.returncode != 0:
        raise SetupError("the guest's files could not be fetched (see above); "
                         "next: check the network, then tools/fetch-guest")


def build_initramfs(log):
    """build/guest/initramfs.gz, rebuilt when one of its sources is newer."""
    source = os.path.join(ROOT, "hyp/guest")
    program = os.path.join(GUEST, "guestwork")
    out = os.path.join(GUEST, "initramfs.gz")
    tool = os.path.join(ROOT, "tools/mkinitramfs")
    code = sorted(os.path.join(source, n) for n in os.listdir(source)
                  if n.endswith((".c", ".h")))
    if not newer_than(program, code):
        need(GUEST_CC)
        command([GUEST_CC, "-static", "-O2", "-std=gnu11", "-Wall", "-Wextra",
                 "-Werror", "-Wshadow", "-Wstrict-prototypes", "-o",
                 program + ".part"] + [c for c in code if c.endswith(".c")],
                "building the guest's program", log)
        os.replace(program + ".part", program)
    files = {"init": os.path.join(source, "init"),
             "bin/busybox": os.path.join(GUEST, "busybox"),
             "bin/guestwork": program}
    if not newer_than(out, list(files.values()) + [tool]):
        command([tool, "-o", out] + ["--file=%s=%s" % f for f in files.items()],
                "writing the initramfs", log)
    return out


# Each format is an engine to compile: odd builds have those they need.
BASE_FORMATS = "arm64_s2,arm64_el2"
ALL_FORMATS = BASE_FORMATS + ",arm64_s2_16k,arm64_s2_64k,arm64_s2_4k_lpa2," \
    "arm64_s2_16k_lpa2"


def has_all_formats(options):
    return options.granule != 4096 or options.lpa2 or not (
        options.trace or options.sabotage != "none")


def build_directory(options):
    name = "el2" + ("-record" if options.trace else "")
    if has_all_formats(options) and (options.trace or
                                     options.sabotage != "none"):
        name += "-formats"
    if options.sabotage != "none":
        name += "-" + options.sabotage
    return os.path.join(ROOT, "build", name)


def configure(directory, arguments, log):
    """Anew, too, where the directory was configured with other arguments."""
    stamp = os.path.join(directory, "configured-with")
    text = "\n".join(arguments) + "\n"
    try:
        with open(stamp, encoding="utf-8") as stream:
            if stream.read() == text and \
                    os.path.isfile(os.path.join(directory, "build.ninja")):
                return
    except OSError:
        pass
    shutil.rmtree(directory, ignore_errors=True)
    command(["meson", "setup", directory] + arguments,
            "configuring the hypervisor", log)
    with open(stamp, "w", encoding="utf-8") as stream:
        stream.write(text)


def build_hypervisor(options, log):
    """The hypervisor's image for this run, built if needed."""
    need("meson", "ninja", GUEST_CC)
    directory = build_directory(options)
    if not os.path.isfile(CROSS_FILE) or not os.path.isdir(
            os.path.join(ROOT, "ports/el2")):
        raise SetupError("this tree has no hypervisor yet; next: --plain")
    configure(directory, ["--cross-file", CROSS_FILE, "-Dport=el2",
                          "-Dformats=" + (ALL_FORMATS if
                                          has_all_formats(options)
                                          else BASE_FORMATS), "-Drcu=true",
                          "-Dtrace=true",
                          "-Drecord=" + ("true" if options.trace else "false"),
                          "-Dsabotage=" + options.sabotage], log)
    command(["ninja", "-j2", "-C", directory], "building the hypervisor", log)
    return hypervisor_image(options)


def build_collector(log):
    """What empties the hypervisor's rings, in the native build."""
    need("meson", "ninja")
    if not os.path.isfile(os.path.join(NATIVE, "build.ninja")):
        shutil.rmtree(NATIVE, ignore_errors=True)
        command(["meson", "setup", NATIVE], "configuring the native build",
                log)
    command(["ninja", "-j2", "-C", NATIVE, COLLECTOR],
            "building the trace's collector", log)


def collector():
    return os.path.join(NATIVE, COLLECTOR)


def hypervisor_image(options):
    image = os.path.join(build_directory(options), "hyp/hyp.bin")
    if not os.path.isfile(image):
        raise SetupError("%s is not there; next: leave --no-build out"
                         % os.path.relpath(image, ROOT))
    return image


def prepare(options):
    """Returns (kernel, initrd, hypervisor image or None)."""
    need("qemu-system-aarch64")
    log = os.path.join(ROOT, "build/prepare.log")
    with Lock(os.path.join(ROOT, "build/prepare.lock")):
        open(log, "w").close()
        if not options.no_build:
            fetch_guest()
        kernel = options.kernel or os.path.join(GUEST, "vmlinuz")
        initrd = options.initrd or os.path.join(GUEST, "initramfs.gz")
        image = None
        if not options.no_build and not options.initrd:
            build_initramfs(log)
        if not options.plain:
            image = hypervisor_image(options) if options.no_build \
                else build_hypervisor(options, log)
        if options.trace and not options.no_build:
            build_collector(log)
    for path in (kernel, initrd):
        if not os.path.isfile(path):
            raise SetupError("%s is not there; next: leave --no-build out"
                             % os.path.relpath(path, ROOT))
    return kernel, initrd, image
