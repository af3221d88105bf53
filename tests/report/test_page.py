#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of `recoup report` in headless Chromium: layout, keyboard, sorting, exploring, colours.

Skipped (exit code 77) where Chromium is not installed: it is large, so CI need not have it.
With --keep DIR the screenshots stay there to be looked at: light, dark, phone, print.
"""
import argparse
import html
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import databases

SKIPPED = 77

# Runs in the page once it has loaded, and leaves what it saw in an element of its own.
PROBE = r'''
<script>
window.addEventListener("load", function () {
  var seen = { errors: [], requests: performance.getEntriesByType("resource").length };
  var $ = function (selector) { return Array.from(document.querySelectorAll(selector)); };
  var column = function (n) {
    return $("table.sortable tbody tr").map(function (row) {
      return Number(row.cells[n].getAttribute("data-sort"));
    });
  };
  window.onerror = function (message) { seen.errors.push(String(message)); };
  var heads = $("table.sortable thead th");
  var lost = heads.findIndex(function (th) { return th.textContent.trim() === "lost work"; });
  var button = heads[lost].querySelector("button");
  button.focus();
  seen.focused = document.activeElement === button;
  seen.outline = getComputedStyle(button).outlineStyle;
  button.click();
  seen.ascending = [heads[lost].getAttribute("aria-sort"), column(lost)];
  button.click();
  seen.descending = [heads[lost].getAttribute("aria-sort"), column(lost)];
  seen.panels = $(".panel").map(function (p) { return p.offsetHeight > 0; });
  $(".tabs input")[1].click();
  seen.panels_after = $(".panel").map(function (p) { return p.offsetHeight > 0; });
  $(".tabs input")[0].click();
  seen.explore = $("button.explore").length;
  $("button.explore").slice(0, 6).forEach(function (b) { b.click(); });
  seen.canvases = $(".uplot canvas").filter(function (c) { return c.width > 0; }).length;
  seen.pressed = $("button.explore[aria-pressed=true]").length;
  $("button.explore").slice(0, 6).forEach(function (b) { b.click(); });
  seen.canvases_after = $(".uplot canvas").length;
  seen.unnamed = $("svg[role=img]").filter(function (s) { return !s.getAttribute("aria-label"); })
    .length;
  seen.small = $("svg.figure").filter(function (s) {
    var box = s.getBoundingClientRect();
    return box.width > 0 && box.width / s.viewBox.baseVal.width < 0.85;
  }).length;
  seen.cut = $("svg.figure").filter(function (s) { return s.getBoundingClientRect().width > 0; })
    .reduce(function (all, s) {
      var limit = s.getBoundingClientRect();
      return all.concat(Array.from(s.querySelectorAll("text")).filter(function (t) {
        var box = t.getBoundingClientRect();
        return box.width > 0 && (box.left < limit.left - 4 || box.right > limit.right + 4);
      }).map(function (t) { return t.textContent; }));
    }, []);
  seen.width = [document.documentElement.scrollWidth, window.innerWidth];
  seen.wide = $(".wide").some(function (d) { return d.offsetHeight > 0; });
  seen.narrow = $(".narrow").some(function (d) { return d.offsetHeight > 0; });
  seen.focusable = $("a[href], button, input, summary, [tabindex='0']").length;
  var probe = document.createElement("pre");
  probe.id = "probe";
  probe.textContent = JSON.stringify(seen);
  (window.parent === window ? document : window.parent.document).body.appendChild(probe);
});
</script>
'''


def luminance(color):
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    a, b = luminance(a), luminance(b)
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


# How colours look without one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    'all': ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    'protanopia': ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    'deuteranopia': ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
}


def seen(color, sight):
    """The colour in CIE L*a*b*, as it is seen."""
    linear = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in linear]
    r, g, b = (min(1, max(0, sum(m * c for m, c in zip(row, linear)))) for row in SIGHT[sight])
    x, y, z = ((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
               0.2126 * r + 0.7152 * g + 0.0722 * b,
               (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


class Colours(unittest.TestCase):
    """Without a browser: the palette against its paper, in light, dark and print."""
    source = None

    def test_contrast(self):
        with open(os.path.join(self.source, 'results', 'web', 'figure.css')) as stream:
            blocks = re.findall(r':root, svg\.figure \{([^}]*)\}', stream.read())
        self.assertEqual(len(blocks), 3)
        for block in blocks:
            colours = dict(re.findall(r'--([a-z0-9]+): (#[0-9a-f]{6});', block))
            paper = colours['paper']
            self.assertGreaterEqual(contrast(colours['ink'], paper), 12)
            self.assertGreaterEqual(contrast(colours['soft'], paper), 4.5)
            for name in ['c%d' % i for i in range(8)] + ['axis', 'lost']:
                self.assertGreaterEqual(contrast(colours[name], paper), 3, name)
            for name in ('c0', 'c1', 'lost'):  # are also the colours of words
                self.assertGreaterEqual(contrast(colours[name], paper), 4.5, name)
            for shade in range(7):  # of a heat map, with the value in it
                words = colours['paper' if shade >= 5 else 'ink']
                self.assertGreaterEqual(contrast(colours['h%d' % shade], words), 4.5, shade)


    def test_colours_differ_for_every_sight(self):
        with open(os.path.join(self.source, 'results', 'web', 'figure.css')) as stream:
            blocks = re.findall(r':root, svg\.figure \{([^}]*)\}', stream.read())
        for block in blocks:
            colours = dict(re.findall(r'--([a-z0-9]+): (#[0-9a-f]{6});', block))
            for names in (['c%d' % i for i in range(8)], ['kept', 'lost', 'rerun']):
                for sight in SIGHT:
                    for a, b in itertools.combinations(names, 2):
                        distance = math.dist(seen(colours[a], sight), seen(colours[b], sight))
                        self.assertGreater(distance, 20, (a, b, sight))


class Page(unittest.TestCase):
    recoup = None
    source = None
    chromium = None
    keep = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        path = os.path.join(cls.folder, 'page.db')
        databases.single_run(cls.recoup, os.path.join(cls.source, 'scenarios', 'ideal',
                                                      'trim.yaml'), path)
        databases.grow(path, 24, 8, ('min-pause', 'flush-interval', 'store'))
        subprocess.run([cls.recoup, 'report', path], check=True, stderr=subprocess.DEVNULL)
        cls.page = os.path.join(cls.folder, 'page.html')
        with open(cls.page, encoding='utf-8') as stream:
            cls.text = stream.read()
        cls.probed = cls.write('probed.html', cls.text.replace('</body>', PROBE + '</body>'))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.folder, name)
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        return path

    def browse(self, path, *arguments, width=1200, height=1000):
        command = [self.chromium, '--headless=new', '--no-sandbox', '--disable-gpu',
                   '--disable-dev-shm-usage',
                   '--hide-scrollbars', '--allow-file-access-from-files',
                   '--user-data-dir=' + os.path.join(self.folder, 'profile'),
                   '--window-size=%d,%d' % (width, height), *arguments, 'file://' + path]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.decode()

    def probe(self, path, **size):
        dom = self.browse(path, '--dump-dom', '--virtual-time-budget=5000', **size)
        found = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S)
        self.assertIsNotNone(found, 'the probe ran to its end')
        return json.loads(html.unescape(found.group(1)))

    def phone(self, path):
        return self.write('phone-' + os.path.basename(path),
                          '<!doctype html><body style="margin:0"><iframe src="%s" style="width:'
                          '390px;height:6000px;border:0"></iframe></body>'
                          % os.path.basename(path))

    def check(self, seen):
        self.assertEqual(seen['errors'], [])
        self.assertEqual(seen['requests'], 0, 'the page asks nobody for anything')
        self.assertEqual(seen['unnamed'], 0)
        self.assertEqual(seen['small'], 0, 'figures are not shrunk until nobody can read them')
        self.assertEqual(seen['cut'], [], 'no word of a figure stands beyond its edge')
        self.assertLessEqual(seen['width'][0], seen['width'][1], 'nothing scrolls sideways')

    def test_wide(self):
        seen = self.probe(self.probed)
        self.check(seen)
        self.assertTrue(seen['wide'] and not seen['narrow'])
        self.assertTrue(seen['focused'])
        self.assertEqual(seen['ascending'][0], 'ascending')
        self.assertEqual(seen['ascending'][1], sorted(seen['ascending'][1]))
        self.assertEqual(seen['descending'][0], 'descending')
        self.assertEqual(seen['descending'][1], sorted(seen['descending'][1], reverse=True))
        self.assertGreater(len(set(seen['ascending'][1])), 20)
        self.assertEqual(seen['panels'].index(True), 0)
        self.assertEqual(seen['panels_after'].index(True), 1)
        self.assertGreater(seen['focusable'], 30)
        if 'class="plot"' not in self.text:
            self.assertEqual(seen['explore'], 0, 'built without uPlot')
        else:
            self.assertGreater(seen['explore'], 10)
            self.assertEqual(seen['canvases'], seen['pressed'])
            self.assertGreater(seen['canvases'], 0)
            self.assertEqual(seen['canvases_after'], 0)

    def test_phone(self):
        seen = self.probe(self.phone(self.probed), height=6000)
        self.check(seen)
        self.assertEqual(seen['width'][1], 390)
        self.assertTrue(seen['narrow'] and not seen['wide'])

    def test_screenshots(self):
        shots = {'light': (self.page, [], 1200), 'phone': (self.phone(self.page), [], 500),
                 'dark': (self.page, ['--blink-settings=preferredColorScheme=0'], 1200)}
        sizes = {}
        for name, (path, flags, width) in shots.items():
            shot = os.path.join(self.keep or self.folder, name + '.png')
            self.browse(path, '--screenshot=' + shot, *flags, width=width, height=6000)
            sizes[name] = os.path.getsize(shot)
        printed = os.path.join(self.keep or self.folder, 'print.pdf')
        self.browse(self.page, '--no-pdf-header-footer', '--print-to-pdf=' + printed)
        sizes['print'] = os.path.getsize(printed)
        for name, size in sizes.items():
            self.assertGreater(size, 20000, name)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--source', required=True)
    parser.add_argument('--keep')
    known, rest = parser.parse_known_args()
    Colours.source = Page.source = known.source
    Page.recoup, Page.keep = os.path.abspath(known.recoup), known.keep
    Page.chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    if Page.chromium is None:
        print('skipped: there is no chromium; apt-get install chromium, then run it again')
        colours = unittest.main(argv=[sys.argv[0], 'Colours'], exit=False)
        sys.exit(SKIPPED if colours.result.wasSuccessful() else 1)
    unittest.main(argv=[sys.argv[0]] + rest)
