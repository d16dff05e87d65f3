# SPDX-License-Identifier: BSD-2-Clause
"""The mailbox as the C header lays it out, read by the Python side."""
import os
import subprocess
import tempfile
import unittest

from support import ROOT
from nwrun import mailbox

PROGRAM = r"""
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "mailbox.h"
static struct nw_mailbox m;
static const char names[NW_C_COUNT][NW_MAILBOX_NAME_BYTES] = {
#define X(kind, name) #kind ":" #name,
	NW_MAILBOX_COUNTERS(X)
#undef X
};
int main(void)
{
	m.magic = NW_MAILBOX_MAGIC;
	m.version = NW_MAILBOX_VERSION;
	m.bytes = sizeof(m);
	m.state = NW_MAILBOX_GUEST_OFF;
	m.phase = NW_PHASE_DONE;
	m.cpus = NW_MAILBOX_CPUS;
	m.counters = NW_C_COUNT;
	m.names_offset = offsetof(struct nw_mailbox, name);
	m.rows_offset = offsetof(struct nw_mailbox, row);
	m.text_offset = offsetof(struct nw_mailbox, text);
	m.text_bytes = NW_MAILBOX_TEXT_BYTES;
	m.guest_cpus = 3;
	m.guest_ram_bytes = 0x123456789;
	m.off_ticks = 77;
	strcpy(m.sabotage, "no-tlbi");
	memcpy(m.name, names, sizeof(names));
	for (int cpu = 0; cpu < NW_MAILBOX_CPUS; cpu++)
		for (int c = 0; c < NW_C_COUNT; c++)
			m.row[cpu][c] = (uint64_t)c * 10 + cpu;
	for (m.text_written = 0; m.text_written < NW_MAILBOX_TEXT_BYTES + 6;
	     m.text_written++)
		m.text[m.text_written % NW_MAILBOX_TEXT_BYTES] =
			"0123456789"[m.text_written % 10];
	return fwrite(&m, sizeof(m), 1, stdout) != 1;
}
"""


def record_from_c():
    with tempfile.TemporaryDirectory() as tmp:
        source = os.path.join(tmp, "m.c")
        with open(source, "w", encoding="utf-8") as stream:
            stream.write(PROGRAM)
        binary = os.path.join(tmp, "m")
        # -iquote: names in hyp/ must not stand in for those of the C library.
        subprocess.run(["gcc", "-iquote", os.path.join(ROOT, "hyp"),
                        "-o", binary, source], check=True)
        return subprocess.run([binary], check=True,
                              capture_output=True).stdout


class FromC(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = record_from_c()
        text = mailbox.header_text("mailbox.h")
        cls.states = mailbox.enum_names(text, "nw_mailbox_state")
        cls.phases = mailbox.enum_names(text, "nw_mailbox_phase")

    def decode(self, data=None):
        return mailbox.decode(data or self.data, self.states, self.phases)

    def test_mailbox_header_fields_agree_with_c(self):
        shot = self.decode()
        self.assertEqual((shot.state, shot.phase), ("guest_off", "done"))
        self.assertEqual(shot.header["guest_cpus"], 3)
        self.assertEqual(shot.header["guest_ram_bytes"], 0x123456789)
        self.assertEqual(shot.header["off_ticks"], 77)
        self.assertEqual(shot.header["sabotage"], "no-tlbi")

    def test_mailbox_counters_are_summed_over_cpus(self):
        shot = self.decode()
        cpus = shot.header["cpus"]
        for index, name in enumerate(shot.counters):
            self.assertEqual(shot.counters[name],
                             index * 10 * cpus + sum(range(cpus)), name)
        self.assertIn("migrations", shot.counters)

    def test_mailbox_text_ring_wrapped_begins_with_the_oldest(self):
        text = self.decode().text
        size = self.decode().header["text_bytes"]
        self.assertEqual(len(text), size)
        self.assertEqual(text[0], str(6 % 10))
        self.assertEqual(text[-1], str((size + 5) % 10))

    def test_mailbox_without_magic_is_none(self):
        self.assertIsNone(self.decode(b"\0" * len(self.data)))

    def test_mailbox_other_version_is_refused(self):
        data = bytearray(self.data)
        data[8] += 1
        with self.assertRaisesRegex(mailbox.MailboxError, "version"):
            self.decode(bytes(data))

    def test_mailbox_rows_beyond_the_end_are_refused(self):
        with self.assertRaisesRegex(mailbox.MailboxError, "do not fit"):
            self.decode(self.data[:0x400])

    def test_mailbox_place_comes_from_the_layout(self):
        box = mailbox.Mailbox("/nonexistent/ram")
        self.assertGreaterEqual(box.room, len(self.data))
        self.assertIsNone(box.read())

    def test_mailbox_read_from_a_ram_file(self):
        with tempfile.NamedTemporaryFile() as ram:
            box = mailbox.Mailbox(ram.name)
            self.assertIsNone(box.read())
            ram.truncate(box.offset + box.room)
            ram.seek(box.offset)
            ram.write(self.data)
            ram.flush()
            self.assertEqual(box.read().state, "guest_off")
            box.close()


if __name__ == "__main__":
    unittest.main()
