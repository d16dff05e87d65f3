# SPDX-License-Identifier: BSD-2-Clause
"""QEMU: its command line, and the loop that watches it."""
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time

from .console import Console
from .options import CPU_MODELS, MIB

KERNEL_ADDRESS = 0x44000000  # NW_HYP_GUEST_PA of hyp/layout.h
# What the guest must not reach: the hypervisor's image, mailbox and spare
# frames, then fw_cfg, whose DMA could reach everything.
FORBIDDEN = ((0x40200000, 0x40180000, 0x43fff000), (0x09020000,))
# After the guest's kernel said that it dies, time for the rest of the message.
LAST_WORDS_SECONDS = 6.0
TICK_SECONDS = 0.25


def command_line(options, kernel, initrd, image, ram):
    """The arguments of QEMU, and the words for the guest's kernel."""
    words = ["console=ttyAMA0", "panic=-1",
             "nwguest.duration=%d" % options.duration]
    argv = ["qemu-system-aarch64", "-cpu", CPU_MODELS[options.cpu],
            "-m", "%dM" % (options.mem // MIB), "-display", "none",
            "-chardev", "stdio,id=console,signal=off",
            "-serial", "chardev:console", "-monitor", "none", "-nic", "none",
            "-no-reboot", "-initrd", initrd]
    if options.plain:
        argv += ["-M", "virt,gic-version=3", "-smp", str(options.cpus),
                 "-kernel", kernel]
    else:
        words += ["nw.cpus=%d" % options.cpus, "nw.shake=%d" % options.shake,
                  "nw.seed=%d" % options.seed,
                  "nw.granule=%d" % (options.granule // 1024),
                  "nw.lpa2=%d" % options.lpa2, "nw.dirty=" + options.dirty,
                  "nwguest.probe=" + ",".join("%x" % a for a in sum(
                      FORBIDDEN, ()))]
        # A comma in a path is doubled in QEMU's option syntax.
        argv += ["-M", "virt,gic-version=3,virtualization=on,its=off,"
                 "memory-backend=ram",
                 "-object", "memory-backend-file,id=ram,size=%dM,mem-path=%s,"
                 "share=on" % (options.mem // MIB, ram.replace(",", ",,")),
                 "-smp", str(options.cpus + 1), "-kernel", image,
                 "-device", "loader,file=%s,addr=0x%x,force-raw=on"
                 % (kernel.replace(",", ",,"), KERNEL_ADDRESS)]
    if options.trace_ring:
        words.append("nw.record=%d" % options.trace_ring)
    if options.sabotage != "none":
        # This guest may die before its console driver starts.
        words.append("earlycon=pl011,0x9000000")
    if options.append:
        words.append(options.append)
    return argv + ["-append", " ".join(words)]


def die_with_parent():
    """In the child: QEMU must not outlive a tools/run that is killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Outcome:
    """How a run of QEMU ended."""

    def __init__(self):
        self.console = Console()
        self.seconds = 0.0
        self.boot_seconds = 0.0  # until the guest's first process
        self.qemu_status = None
        self.ended = ""          # who ended it, "" for QEMU itself
        self.stderr = ""


class Watcher:
    """
    Runs QEMU once and keeps the console. `status(outcome, seconds)` is called
    several times a second; a text that it returns ends the run.
    """

    def __init__(self, options, argv, log_path, status):
        self.options = options
        self.argv = argv
        self.log_path = log_path
        self.status = status
        self.outcome = Outcome()

    def run(self):
        start = time.monotonic()
        with open(self.log_path, "wb") as log, \
                open(self.log_path + ".qemu", "w+b") as errors:
            process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=errors, start_new_session=True,
                preexec_fn=die_with_parent)
            try:
                self.watch(process, log, start)
            except KeyboardInterrupt:
                self.outcome.ended = "interrupted"
            except BaseException:
                self.outcome.ended = "tools/run broke"
                raise
            finally:
                self.stop(process)
            errors.seek(0)
            self.outcome.stderr = errors.read().decode("utf-8", "replace")
        os.unlink(self.log_path + ".qemu")
        self.outcome.console.finish()
        self.outcome.seconds = time.monotonic() - start
        self.outcome.qemu_status = process.returncode
        return self.outcome

    def watch(self, process, log, start):
        pipe = process.stdout.fileno()
        os.set_blocking(pipe, False)
        heard = looked = start
        dying, reason = None, ""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while True:
                ready = selector.select(TICK_SECONDS)
                now = time.monotonic()
                if ready:
                    data = os.read(pipe, 65536)
                    if not data:
                        return
                    heard = now
                    self.take(data, log, now - start)
                if now - looked >= TICK_SECONDS:
                    looked = now
                    reason = self.status(self.outcome, now - start)
                if self.outcome.console.fatal and dying is None:
                    dying = now
                self.outcome.ended = reason or self.why_stop(
                    now - start, now - heard, dying and now - dying)
                if self.outcome.ended:
                    return

    def take(self, data, log, seconds):
        log.write(data)
        log.flush()
        console = self.outcome.console
        console.feed(data)
        if not self.outcome.boot_seconds and console.phase not in (
                "power-on", "boot"):
            self.outcome.boot_seconds = seconds
        if self.options.verbose:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def why_stop(self, seconds, silence, dying):
        if dying is not None and dying > LAST_WORDS_SECONDS:
            return "guest died"
        if seconds > self.options.timeout:
            return "time-out"
        if silence > self.options.stall:
            return "stall"
        return ""

    def stop(self, process):
        """End QEMU, ours by its id; it had its chance to end by itself."""
        try:
            process.wait(timeout=0 if self.outcome.ended else 20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        process.stdout.close()
