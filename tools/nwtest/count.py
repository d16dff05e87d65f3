# SPDX-License-Identifier: BSD-2-Clause
"""How many tests a program ran: from what it printed."""
import json
import re

CMOCKA = re.compile(r"^\[  (PASSED|FAILED)  \] (\d+) test\(s\)", re.M)
OWN = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.M)
UNITTEST_BAD = re.compile(r"\b(?:failures|errors|unexpected successes)=(\d+)")
GOOD_RESULTS = ("OK", "EXPECTEDFAIL")


def count_output(text, ok):
    """(passed, failed) of one program; `ok` is what its exit status said."""
    passed = failed = 0
    for kind, number in CMOCKA.findall(text):
        if kind == "PASSED":
            passed += int(number)
        else:
            failed += int(number)
    for good, bad in OWN.findall(text):
        passed += int(good)
        failed += int(bad)
    for number in UNITTEST.findall(text):
        bad = sum(int(n) for line in text.splitlines()
                  if line.startswith("FAILED (")
                  for n in UNITTEST_BAD.findall(line))
        passed += int(number) - min(bad, int(number))
        failed += bad
        break
    if ok and passed + failed == 0:
        passed = 1      # a program that only has an exit status
    if not ok and failed == 0:
        failed = 1      # it crashed, or failed without saying how often
    return passed, failed


def count_meson(path):
    """
    Read a testlog.json. Returns (passed, failed, names that failed, names
    that were skipped).
    """
    passed = failed = 0
    bad, skipped = [], []
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            test = json.loads(line)
            if test["result"] == "SKIP":
                skipped.append(test["name"])
                continue
            ok = test["result"] in GOOD_RESULTS
            good, wrong = count_output(
                (test.get("stdout") or "") + "\n" + (test.get("stderr") or ""),
                ok)
            passed += good
            failed += wrong
            if wrong:
                bad.append("%s (%s)" % (test["name"], test["result"]))
    return passed, failed, bad, skipped
