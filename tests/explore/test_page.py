#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_page.py NESTWALK structure|browser: the page of a counterexample.

`structure` reads it as text; `browser` opens it in headless Chromium and looks
at what its script made of it (77, "not run here", when there is none).
"""
import html.parser
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCENARIOS = {"bad_fixmap_local_invalidate": ("TLB-STALE", "TLB-STALE"),
             "bad_library_early_free": ("RULE", "LIFE-03")}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.heads, self.rows, self.ids = [], [], set()
        self.bad, self.states, self.now = "", [], []
        self.open, self.other, self.cells_of = [], [], None
        self.tables = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.add(attrs["id"])
        for name in ("src", "href"):
            if name in attrs:
                self.other.append(attrs[name])
        if tag == "table":
            self.cells_of = self.tables.setdefault(attrs.get("id", "steps"), [])
        if tag == "tr":
            self.cells_of.append([])
            if self.cells_of is self.tables.get("steps"):
                self.states.append(attrs)
        if tag in ("td", "th"):
            self.cells_of[-1].append("")
        if tag not in ("meta", "br"):
            self.open.append((tag, attrs.get("class", "")))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, "%s closes %s" % (
            tag, self.open[-1:])
        self.open.pop()

    def handle_data(self, data):
        if ("p", "bad") in self.open:
            self.bad += data
        if self.open and self.open[-1][0] in ("td", "th"):
            self.cells_of[-1][-1] += data


def make(command, scenario, target, folder):
    path = os.path.join(folder, scenario + ".html")
    done = subprocess.run([command, "explore", "--quiet", "--html", path,
                           "--target", target, scenario], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return path


def structure(path, violation):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    page = Page(text)
    steps = page.tables["steps"]
    assert not page.open, "left open: %s" % page.open
    assert not page.other and "http" not in text, "it needs other files"
    assert steps[0] == ["step", "CPU 0", "CPU 1"], steps[0]
    assert len(steps) > 5
    for row in steps[1:]:
        assert len(row) == 3 and row[0].isdigit(), row
        assert sum(bool(cell) for cell in row[1:]) == 1, row
    numbers = [int(row[0]) for row in steps[1:]]
    assert numbers == sorted(numbers)
    assert "!! " + violation in "".join(steps[-1]), steps[-1]
    assert page.bad.startswith(violation + ": "), page.bad
    assert "data-tlb" in page.states[1] and "data-mem" in page.states[1]
    for name in re.findall(r"\$\('(\w+)'\)", text):
        assert name in page.ids, "the script wants #%s" % name
    assert len(text) < 100000, "%d bytes" % len(text)


def options(home):
    """Chromium refuses to run as root with its sandbox; only then without."""
    own = ["--no-sandbox"] if os.getuid() == 0 else []
    return own + ["--headless", "--disable-gpu", "--disable-dev-shm-usage",
                  "--no-first-run", "--user-data-dir=" + home]


def shown(browser, path, row):
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [browser, *options(home), "--dump-dom",
             "file://%s#%d" % (path, row)], capture_output=True, text=True,
            timeout=600, check=False, env={**os.environ, "HOME": home})
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_browser(browser, path, violation):
    text = shown(browser, path, 6)
    page = Page(re.sub(r"<script>.*?</script>", "", text, flags=re.S))
    steps = page.tables["steps"]
    now = [i for i, a in enumerate(page.states) if a.get("class") == "now"]
    assert now == [6], now
    assert "(6 of %d)" % (len(steps) - 1) in text
    assert page.tables["tlb"] and page.tables["mem"]
    assert any("\u2192 0x" in "".join(row) or "invalid" in "".join(row) or
               "empty" in "".join(row) or "nothing" in "".join(row)
               for row in page.tables["mem"]), page.tables["mem"]
    last = Page(re.sub(r"<script>.*?</script>", "", shown(browser, path, 9999),
                       flags=re.S))
    assert last.states[-1].get("class") == "now"
    assert violation in "".join(last.tables["steps"][-1])


def main():
    command, what = sys.argv[1:]
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or \
        shutil.which("google-chrome")
    if what == "browser" and not browser:
        print("not run here: chromium is not installed")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        for scenario, (target, violation) in SCENARIOS.items():
            path = make(command, scenario, target, folder)
            if what == "structure":
                structure(path, violation)
            else:
                in_browser(browser, path, violation)
            print("%s: as it should be" % scenario)
    return 0


sys.exit(main())
