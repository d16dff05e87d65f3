# SPDX-License-Identifier: BSD-2-Clause
"""Knobs: the right ones are understood, the wrong ones named."""
import os
import tempfile
import unittest

from support import ROOT, load_tool
from nwrun import options, prepare, qemu
from nwrun.errors import UsageError


class Knobs(unittest.TestCase):
    def refused(self, text, *argv):
        with self.assertRaises(UsageError) as caught:
            options.parse(list(argv))
        message = str(caught.exception)
        self.assertIn(text, message)
        self.assertIn("next:", message)
        self.assertNotIn("\n", message)

    def test_options_default_is_two_cpus_and_a_gigabyte(self):
        o = options.parse([])
        self.assertEqual((o.cpus, o.mem, o.cpu), (2, 1 << 30, "max"))
        self.assertEqual((o.sabotage, o.plain), ("none", False))

    def test_options_wrong_values_are_named(self):
        self.refused("KERNEL=/nonexistent", "--kernel", "/nonexistent")
        self.refused("KERNEL=/", "--kernel", "/")
        self.refused("INITRD=/nonexistent", "--initrd", "/nonexistent")
        self.refused("MEM=7M", "--mem", "7M")
        self.refused("at least 256M", "--mem", "254M")
        self.refused("at most 4096M", "--mem", "5G")
        self.refused("give 258M", "--mem", "257M")
        self.refused("MEM=1T", "--mem", "1T")
        self.refused("MEM=", "--mem", "")
        self.refused("CPUS=99", "--cpus", "99")
        self.refused("CPUS=2x", "--cpus", "2x")
        self.refused("CPUS=-1", "--cpus=-1")
        self.refused("CPU=nonsense", "--cpu", "nonsense")
        self.refused("SHAKE", "--shake", "often")
        self.refused("DURATION=0", "--duration", "0")
        self.refused("SABOTAGE=all", "--sabotage", "all")
        self.refused("GRANULE=8k", "--granule", "8k")
        self.refused("GRANULE=", "--granule", "")
        self.refused("LPA2: the 64k", "--lpa2", "--granule", "64k")
        self.refused("CPU=cortex-a53 has no", "--lpa2", "--cpu", "cortex-a53")
        self.refused("DIRTY=maybe", "--dirty", "maybe")
        self.refused("--plain", "--plain", "--sabotage", "no-tlbi")
        self.refused("--nonsense", "--nonsense")

    def test_options_compressed_kernel_is_named(self):
        with tempfile.NamedTemporaryFile() as stream:
            stream.write(b"\x1f\x8b" + b"\0" * 100)
            stream.flush()
            self.refused("compressed", "--kernel", stream.name)

    def test_options_empty_initrd_is_refused(self):
        with tempfile.NamedTemporaryFile() as stream:
            self.refused("empty", "--initrd", stream.name)

    def test_options_shake_off_is_zero(self):
        self.assertEqual(options.parse(["--shake", "off"]).shake, 0)

    def test_options_granule_is_bytes_in_any_case(self):
        self.assertEqual(options.parse([]).granule, 4096)
        for text, granule in (("16k", 16384), ("64K", 65536)):
            self.assertEqual(options.parse(["--granule", text]).granule,
                             granule)

    def test_options_deadly_sabotages_are_visible(self):
        self.assertLessEqual(set(options.DEADLY_SABOTAGES),
                             set(options.VISIBLE_SABOTAGES))

    def test_options_sabotages_are_those_of_the_build(self):
        names = options.sabotage_names()
        self.assertEqual(names[0], "none")
        for name in options.VISIBLE_SABOTAGES:
            self.assertIn(name, names)


class CommandLine(unittest.TestCase):
    def line(self, *argv):
        return qemu.command_line(options.parse(list(argv)), "k", "i", "h", "r")

    def test_command_one_cpu_more_for_the_hypervisor(self):
        argv = self.line("--cpus", "3")
        self.assertEqual(argv[argv.index("-smp") + 1], "4")
        self.assertIn("nw.cpus=3", argv[-1])

    def test_command_shape_and_log_are_told(self):
        words = self.line("--granule", "16k", "--lpa2", "--dirty",
                          "software")[-1].split()
        for word in ("nw.granule=16", "nw.lpa2=1", "nw.dirty=software"):
            self.assertIn(word, words)

    def test_command_odd_builds_have_the_formats_they_need(self):
        def formats(*argv):
            o = options.parse(list(argv))
            return (os.path.basename(prepare.build_directory(o)),
                    prepare.has_all_formats(o))
        self.assertEqual(formats(), ("el2", True))
        self.assertEqual(formats("--granule", "64k"), ("el2", True))
        self.assertEqual(formats("--trace"), ("el2-record", False))
        self.assertEqual(formats("--trace", "--lpa2"),
                         ("el2-record-formats", True))
        self.assertEqual(formats("--sabotage", "lost-dirty"),
                         ("el2-lost-dirty", False))

    def test_command_max_gets_fast_pointer_authentication(self):
        argv = self.line()
        self.assertEqual(argv[argv.index("-cpu") + 1], "max,pauth-impdef=on")

    def test_command_plain_has_no_hypervisor(self):
        argv = self.line("--plain", "--cpus", "2")
        self.assertEqual(argv[argv.index("-kernel") + 1], "k")
        self.assertEqual(argv[argv.index("-smp") + 1], "2")
        self.assertNotIn("nw.", argv[-1].replace("nwguest.", ""))

    def test_command_kernel_address_is_that_of_the_layout(self):
        from nwrun.mailbox import constant, header_text
        self.assertEqual(qemu.KERNEL_ADDRESS, constant(
            header_text("layout.h"), "NW_HYP_GUEST_PA"))


class Fetch(unittest.TestCase):
    """Only what needs no network."""

    def setUp(self):
        self.tool = load_tool("fetch-guest")

    def test_fetch_truncated_file_is_found(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "f")
            with open(path, "wb") as stream:
                stream.write(b"x" * 1000)
            digest = self.tool.sha256_of(path)
            self.assertEqual(self.tool.intact(tmp, {"f": digest}), [])
            os.truncate(path, 999)
            self.assertEqual(self.tool.intact(tmp, {"f": digest}), ["f"])
            os.unlink(path)
            self.assertEqual(self.tool.intact(tmp, {"f": digest}), ["f"])

    def test_fetch_broken_manifest_is_none(self):
        with tempfile.NamedTemporaryFile("w") as stream:
            stream.write('{"manifest_version": 1, "fil')
            stream.flush()
            self.assertIsNone(self.tool.load_manifest(stream.name))

    def test_fetch_third_party_sources_stay_out(self):
        text = ("Types: deb\nURIs: http://d/debian\nSuites: bookworm\n"
                "Components: main\nArchitectures: amd64\n\n"
                "Types: deb\nURIs: http://o\nSuites: nodistro\n"
                "Components: main\n")
        kept = self.tool.keep_stanzas(text, "bookworm")
        self.assertIn("http://d/debian", kept)
        self.assertNotIn("http://o", kept)
        self.assertNotIn("amd64", kept)
        lines = ("deb [arch=amd64 signed-by=/k] http://d bookworm-updates main\n"
                 "deb http://other cloud-sdk-bookworm main\n#deb http://c "
                 "bookworm main\n")
        self.assertEqual(self.tool.keep_lines(lines, "bookworm"),
                         "deb [ signed-by=/k] http://d bookworm-updates main\n")


class Initramfs(unittest.TestCase):
    def test_initramfs_same_input_same_bytes(self):
        tool = load_tool("mkinitramfs")
        with tempfile.TemporaryDirectory() as tmp:
            source = os.path.join(tmp, "a")
            with open(source, "wb") as stream:
                stream.write(b"hello")
            outs = []
            for name in ("x", "y"):
                os.utime(source, (len(outs), len(outs)))
                tool.write(os.path.join(tmp, name), {"init": source})
                with open(os.path.join(tmp, name), "rb") as stream:
                    outs.append(stream.read())
        self.assertEqual(outs[0], outs[1])

    def test_initramfs_members_are_padded_to_four(self):
        tool = load_tool("mkinitramfs")
        data = tool.build({"deep/er/init": os.path.join(ROOT, "LICENSE")})
        at, names = 0, []
        while True:
            self.assertEqual(data[at:at + 6], b"070701")
            size = int(data[at + 54:at + 62], 16)
            length = int(data[at + 94:at + 102], 16)
            names.append(data[at + 110:at + 109 + length].decode())
            if names[-1] == "TRAILER!!!":
                break
            at += -(-(110 + length) // 4) * 4
            at += -(-size // 4) * 4
        self.assertLess(names.index("deep/er"), names.index("deep/er/init"))
        self.assertIn("dev/console", names)


if __name__ == "__main__":
    unittest.main()
