# SPDX-License-Identifier: BSD-2-Clause
"""What the guest's console says: phase, verdict, and how it died."""
import re

PREFIX = "NESTWALK-GUEST: "

# A kernel that says one of these will not finish its work.
FATAL = re.compile(
    r"Kernel panic - not syncing|Internal error: |Unable to handle kernel|"
    r"kernel BUG at|Oops|Bad mode in|SError Interrupt|"
    r"synchronous external abort|BUG: Bad page|Attempted to kill init")
# These explain a silence; a busy host can cause them too.
SUSPECT = re.compile(
    r"rcu_\w+ (self-)?detected stall|soft lockup|hung_task|blocked for more|"
    r"BUG: |WARNING: |segfault|unhandled .* fault|traps: ")
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
STAMP = re.compile(r"^\[ *\d+\.\d+\]\s*(\[.*?\]\s*)?")


class Console:
    """Fed with bytes as they come; keeps the few facts that count."""

    def __init__(self):
        self.partial = b""
        self.phase = "power-on"
        self.progress = {}
        self.verdict = ""      # the text after "verdict "
        self.fatal = []
        self.suspect = []
        self.last = ""

    def feed(self, data):
        """Take `data`; returns the complete lines in it."""
        *lines, self.partial = (self.partial + data).split(b"\n")
        text = [CONTROL.sub("", l.decode("utf-8", "replace")) for l in lines]
        for line in text:
            self.line(line)
        return text

    def finish(self):
        """The console is closed: an unfinished line counts too."""
        if self.partial:
            self.feed(b"\n")

    def line(self, line):
        if line.strip():
            self.last = line
        # The kernel may write in the middle of a line; ours starts later then.
        at = line.find(PREFIX)
        if at >= 0:
            self.own(line[at + len(PREFIX):])
        elif FATAL.search(line) and "---[ end" not in line:
            self.fatal.append(STAMP.sub("", line))
        elif SUSPECT.search(line):
            self.suspect.append(STAMP.sub("", line))
        elif self.phase == "power-on" and "Booting Linux" in line:
            self.phase = "boot"

    def own(self, text):
        if text.startswith("verdict "):
            self.verdict = text[len("verdict "):].strip()
            self.phase = "verdict"
        elif text.startswith("phase "):
            words = text.split()
            self.phase = words[1] if len(words) > 1 else self.phase
            self.progress = fields(text)

    def good(self):
        return self.verdict == "good" or self.verdict.startswith("good ")

    def cpus(self):
        """CPUs that the guest counted, 0 if it never said so."""
        text = fields(self.verdict).get("cpus") or self.progress.get("cpus")
        return int(text) if text and text.isdigit() else 0

    def saw(self):
        """At most two lines on what went wrong, from the guest's view."""
        if self.verdict and not self.good():
            return (["verdict " + self.verdict] + self.fatal[:1])[:2]
        if self.fatal:
            more = [l for l in self.fatal[1:] if l != self.fatal[0]]
            return [self.fatal[0]] + more[-1:]
        if self.suspect:
            return self.suspect[:1] + (self.suspect[-1:]
                                       if len(self.suspect) > 1 else [])
        if not self.good() and self.last:
            return ["last line of the console: " + self.last]
        return []


def fields(text):
    """The NAME=VALUE words of `text`."""
    return dict(re.findall(r"(\w+)=(\S+)", text))
