#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of every shipped scenario fits one screen and tells what a reader needs.

    test_one_screen.py RECOUP SCENARIOS
"""
import glob
import os
import re
import subprocess
import sys

LINES_MAX, COLUMNS_MAX = 36, 80
PHASES = ['detect', 'elect', 'start', 'replay', 'wait for workers', 'reconcile', 'redeploy']


def is_scenario(path):
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    # A file that only serves as base of others lacks something, and a sweep is no scenario.
    return (re.search('^about:', text, re.MULTILINE)
            and not re.search('^(axes|scenario|sobol):', text, re.MULTILINE))


def mistakes(page):
    lines = page.splitlines()
    found = []
    if len(lines) > LINES_MAX:
        found.append('%d lines, at most %d' % (len(lines), LINES_MAX))
    for line in lines:
        if len(line) > COLUMNS_MAX and not line.startswith('Repeat '):
            found.append('%d columns: %s' % (len(line), line))
        if re.search(r'\d ns\b|\d\.\d{3,}|\d{6}', line.replace('0.00', '')):
            found.append('more than three digits: ' + line)
    # Sentences are wrapped, so they are looked for without regard to lines.
    words = ' '.join(page.split())
    if not re.search(r'Profile (flink-1\.20|hardened)\.', words):
        found.append('no profile')
    if not re.search('of work are wasted|no work is wasted|all its work', words):
        found.append('no verdict on the work')
    for part in ('Protection', 'Expected', 'Assumed', 'Repeat'):
        if not re.search('^%s ' % part, page, re.MULTILINE):
            found.append('nothing under ' + part)
    if re.search('^Outage +[1-9]', page, re.MULTILINE):
        outage = page[page.index('\nOutage'):]
        found += ['no phase ' + phase for phase in PHASES if phase not in outage]
    return found


def main():
    recoup, folder = sys.argv[1:]
    environment = {k: v for k, v in os.environ.items() if k not in ('COLUMNS', 'FORCE_COLOR')}
    environment['LC_ALL'] = 'C.UTF-8'
    bad = total = 0
    for path in sorted(glob.glob(os.path.join(folder, '**', '*.yaml'), recursive=True)):
        if not is_scenario(path):
            continue
        done = subprocess.run([recoup, 'run', path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding='utf-8', env=environment,
                              check=False)
        found = mistakes(done.stdout)
        # 1: expectations that hold for a sweep's points need not hold for the job by itself.
        if done.returncode not in ((0, 1) if os.sep + 'sweeps' + os.sep in path else (0,)):
            found.append('exit code %d: %s' % (done.returncode, done.stderr))
        total += 1
        bad += bool(found)
        for mistake in found:
            print('%s: %s' % (os.path.relpath(path, folder), mistake))
    print('%d pages, %d with mistakes' % (total, bad))
    return 1 if bad or total < 40 else 0


if __name__ == '__main__':
    sys.exit(main())
