#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long `recoup report` takes, and how much memory, for 10,000 and 100,000 runs.

    bench_report.py --recoup BINARY [--quick]

Databases are one real run, multiplied by SQL (tests/report/databases.py). Medians of five.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'report'))
import databases  # noqa: E402

SIZES = ((24, 417, ('min-pause', 'flush-interval', 'store')), (500, 200, ()), (5000, 20, ()))
QUICK = ((6, 5, ('min-pause',)),)


def measure(recoup, path, form, rounds):
    seconds = []
    output = path + '.' + form
    for _ in range(rounds):
        started = time.monotonic()
        subprocess.run([recoup, 'report', path, '--format', form, '-o', output], check=True,
                       stderr=subprocess.DEVNULL)
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds), os.path.getsize(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--recoup', required=True)
    parser.add_argument('--quick', action='store_true')
    arguments = parser.parse_args()
    recoup = os.path.abspath(arguments.recoup)
    print('  runs points  form  seconds  mb of file  mb of memory, most so far')
    with tempfile.TemporaryDirectory() as folder:
        for points, seeds, axes in QUICK if arguments.quick else SIZES:
            path = os.path.join(folder, '%d.db' % points)
            databases.single_run(recoup, os.path.join(ROOT, 'scenarios', 'ideal', 'trim.yaml'),
                                 path)
            databases.grow(path, points, seeds, axes)
            for form in ('html', 'csv'):
                seconds, size = measure(recoup, path, form, 1 if arguments.quick else 5)
                memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
                print('%6d %6d  %-4s  %7.2f  %10.2f  %8.1f' % (
                    points * seeds, points, form, seconds, size / 1e6, memory / 1024))


if __name__ == '__main__':
    main()
