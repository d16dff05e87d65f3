#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ordtable.py ROOT OUTPUT DEPFILE: where each ordering point stands, as C.

A comment that begins a sentence with an ORD id names what it stands on: the
statement on its line, the statement after it, or the whole function below it.
"""
import glob
import os
import re
import sys

HEADS = re.compile(r"(?:^\W*|\. )ORD-(\d\d)(?=:| orders| makes| is |\s*\*?/?\s*$)")


def statement_end(lines, at):
    while at < len(lines) and not lines[at].rstrip().endswith((";", "{", "}")):
        at += 1
    return at


def places(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    at = 0
    while at < len(lines):
        start = lines[at].find("/*")
        if start < 0:
            at += 1
            continue
        end = at
        while "*/" not in lines[end]:
            end += 1
        text = [lines[at][start + 2:]] + lines[at + 1:end + 1]
        text = " ".join(re.sub(r"^\s*\*?\s*|\*/.*", "", t) for t in text)
        ids = [int(n) for n in HEADS.findall(text.strip())]
        if not ids:
            pass
        elif lines[at][:start].strip():
            yield ids[0], at + 1, end + 1
        elif start == 0:
            last = end
            while last < len(lines) - 1 and lines[last] != "}":
                last += 1
            yield ids[0], end + 2, last + 1
        else:
            yield ids[0], end + 2, statement_end(lines, end + 1) + 1
        at = end + 1


def main():
    root, output, depfile = sys.argv[1:]
    files = sorted(glob.glob(os.path.join(root, "src", "**", "*.[ch]"),
                             recursive=True))
    files.append(os.path.join(root, "ports", "common", "quiescent.h"))
    with open(output, "w", encoding="utf-8") as f:
        f.write("/* Made by ordtable.py. */\n#include \"reached.h\"\n\n"
                "const struct nws_ord_place nws_ord_places[] = {\n")
        for path in files:
            name = os.path.relpath(path, root)
            for number, first, last in places(path):
                f.write('\t{"%s", %d, %d, %d},\n' % (name, first, last, number))
        f.write("\t{0, 0, 0, 0},\n};\n")
    with open(depfile, "w", encoding="utf-8") as f:
        f.write("%s: %s\n" % (output, " ".join(files)))


main()
