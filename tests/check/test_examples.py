#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hand-written traces of machines whose CPUs invalidate for themselves.

Each file in DATA is refuted as it stands, and clean with the one line that it
names after "#fix".

usage: test_examples.py NESTWALK DATA
"""
import os
import subprocess
import sys
import tempfile
import unittest

NESTWALK, DATA = "", ""

# file: the rule, and what the verdict must say
WANT = {
    "ept-one-cpu.nwt": ("TLB-13", [
        "armed  seq 15 cpu 0 (mmu.c:21): entry written",
        "needs INVEPT on cpu 1 after seq 15", "table  1, EPT"]),
    "x86-table-freed.nwt": ("LIFE-03", [
        "at     seq 18 cpu 0 (vm.c:14): page freed",
        "needs a wait until the other CPUs are done after seq 16",
        "table  1, x86 paging, PCID 5"]),
    "riscv-no-fence.nwt": ("TLB-14", [
        "needs FENCE w,w between the store and the interrupt "
        "on cpu 0 after seq 7",
        "HFENCE.GVMA address, VMID at seq 11 ignored: "
        "cpu 1 did not know of cpu 0's store then"]),
    "npt-came-back.nwt": ("TLB-16", [
        "at     seq 13 cpu 1 (svm.c:70): root installed",
        "armed  seq 12 cpu 0 (svm.c:50): entry swapped",
        "needs VMRUN with TLB_CONTROL for its ASID on cpu 1 after seq 12"]),
}


def check(path):
    return subprocess.run([NESTWALK, "check", path], capture_output=True,
                          text=True, timeout=600)


class Examples(unittest.TestCase):
    def test_all_files_are_known(self):
        self.assertEqual(sorted(os.listdir(DATA)), sorted(WANT))

    def test_as_it_stands_is_refuted(self):
        for name, (rule, words) in WANT.items():
            said = check(os.path.join(DATA, name))
            self.assertEqual(said.returncode, 1, said.stdout + said.stderr)
            self.assertEqual(said.stdout.count("\n  rule   "), 1, said.stdout)
            self.assertIn(rule + ": ", said.stdout)
            for word in words:
                self.assertIn(word, said.stdout, name)

    def test_with_the_missing_line_is_clean(self):
        for name in WANT:
            with open(os.path.join(DATA, name), encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(text.count("\n#fix "), 1, name)
            with tempfile.NamedTemporaryFile("w", suffix=".nwt",
                                             encoding="utf-8") as out:
                out.write(text.replace("\n#fix ", "\n"))
                out.flush()
                said = check(out.name)
            self.assertEqual(said.returncode, 0,
                             name + "\n" + said.stdout + said.stderr)


if __name__ == "__main__":
    NESTWALK, DATA = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
