# SPDX-License-Identifier: BSD-2-Clause
"""
The hypervisor's mailbox, read out of the file behind the machine's RAM.

hyp/mailbox.h describes the record. Names of counters and their number come
from the record itself, its place from hyp/layout.h, the names of states and
phases from hyp/mailbox.h: nothing is written down twice.
"""
import mmap
import os
import re
import struct

from .options import ROOT

MAGIC = b"NWMBOX01"
VERSION = 1
HEADER = struct.Struct("<8s10IQ2I6Q16s")
FIELDS = ("magic", "version", "bytes", "state", "phase", "cpus", "counters",
          "names_offset", "rows_offset", "text_offset", "text_bytes",
          "text_written", "guest_cpus", "features", "guest_ram_pa",
          "guest_ram_bytes", "counter_hz", "boot_ticks", "guest_ticks",
          "off_ticks", "sabotage")
NAME_BYTES = 32


class MailboxError(Exception):
    """The record is there but cannot be understood."""


def header_text(name):
    with open(os.path.join(ROOT, "hyp", name), encoding="utf-8") as stream:
        return stream.read()


def constant(text, name):
    match = re.search(r"#define %s (0x[0-9a-f]+|\d+)" % name, text)
    if not match:
        raise MailboxError("%s is not in hyp/layout.h" % name)
    return int(match.group(1), 0)


def enum_names(text, enum):
    """{number: name in small letters} of an enum in hyp/mailbox.h."""
    body = re.search(r"enum %s \{(.*?)\};" % enum, text, re.S)
    if not body:
        raise MailboxError("enum %s is not in hyp/mailbox.h" % enum)
    code = re.sub(r"/\*.*?\*/", "", body.group(1), flags=re.S)
    names, value = {}, 0
    for name, given in re.findall(r"(\w+)\s*(?:=\s*(\d+))?\s*,", code):
        value = int(given) if given else value
        names[value] = re.sub(r"^NW_(MAILBOX|PHASE)_", "", name).lower()
        value += 1
    return names


class Snapshot:
    """The record at one moment: header fields, counters, text."""

    def __init__(self, header, state, phase, counters, per_cpu, text):
        self.header = header
        self.state = state
        self.phase = phase
        self.counters = counters    # {name: sum over the CPUs}
        self.per_cpu = per_cpu      # [{name: value}]
        self.text = text

    def get(self, name):
        return self.counters.get(name, 0)


class Mailbox:
    """Reads the record again and again while the machine runs."""

    def __init__(self, ram_path):
        layout = header_text("layout.h")
        self.offset = constant(layout, "NW_HYP_MAILBOX_PA") - \
            constant(layout, "NW_HYP_RAM_PA")
        self.room = constant(layout, "NW_HYP_MAILBOX_BYTES")
        text = header_text("mailbox.h")
        self.states = enum_names(text, "nw_mailbox_state")
        self.phases = enum_names(text, "nw_mailbox_phase")
        self.ram_path = ram_path
        self.map = None

    def attach(self):
        """True once the RAM file is there and large enough."""
        if self.map:
            return True
        try:
            with open(self.ram_path, "rb") as stream:
                if os.fstat(stream.fileno()).st_size < self.offset + self.room:
                    return False
                self.map = mmap.mmap(stream.fileno(), self.room,
                                     prot=mmap.PROT_READ, offset=self.offset)
        except FileNotFoundError:
            return False
        return True

    def close(self):
        if self.map:
            self.map.close()
            self.map = None

    def read(self):
        """The snapshot of now, or None before the hypervisor wrote one."""
        if not self.attach():
            return None
        return decode(bytes(self.map), self.states, self.phases)


def decode(data, states, phases):
    """Decode the record in `data`; None where there is none (yet)."""
    if data[:8] != MAGIC:
        return None
    h = dict(zip(FIELDS, HEADER.unpack_from(data)))
    if h["version"] != VERSION:
        raise MailboxError("mailbox version %d, this tool reads %d; next: "
                           "rebuild the hypervisor" % (h["version"], VERSION))
    row_bytes = 8 * h["counters"]
    for name, start, size in (
            ("names", h["names_offset"], NAME_BYTES * h["counters"]),
            ("rows", h["rows_offset"], row_bytes * h["cpus"]),
            ("text", h["text_offset"], h["text_bytes"])):
        if start + size > min(h["bytes"], len(data)):
            raise MailboxError("mailbox: %s do not fit in its %d bytes"
                               % (name, h["bytes"]))
    names = [data[o:o + NAME_BYTES].rstrip(b"\0").decode("ascii", "replace")
             for o in range(h["names_offset"],
                            h["names_offset"] + NAME_BYTES * h["counters"],
                            NAME_BYTES)]
    plain = [n.partition(":")[2] or n for n in names]
    rows = [struct.unpack_from("<%dQ" % h["counters"], data,
                               h["rows_offset"] + i * row_bytes)
            for i in range(h["cpus"])]
    counters = {n: sum(r[i] for r in rows) % 2 ** 64
                for i, n in enumerate(plain)}
    h["sabotage"] = h["sabotage"].rstrip(b"\0").decode("ascii", "replace")
    del h["magic"]
    return Snapshot(h, states.get(h["state"], "state-%d" % h["state"]),
                    phases.get(h["phase"], "phase-%d" % h["phase"]),
                    counters, [dict(zip(plain, r)) for r in rows],
                    ring_text(data, h))


def ring_text(data, h):
    ring = data[h["text_offset"]:h["text_offset"] + h["text_bytes"]]
    if not ring:
        return ""
    written = h["text_written"]
    if written <= len(ring):
        raw = ring[:written]
    else:
        at = written % len(ring)
        raw = ring[at:] + ring[:at]
    return raw.replace(b"\0", b"").decode("utf-8", "replace")
